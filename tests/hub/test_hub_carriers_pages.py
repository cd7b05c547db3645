"""The pages of carriers in Chromium: axe finds nothing, nothing hangs over, and their story is walked with the mouse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, expect

from hub.core.permissions import CARRIER_RIGHTS, Role, Scope, Visitor
from hub.store import webhooks
from tests.hub.hub_carriers import announce
from tests.hub.hub_network import Network
from tests.hub.test_hub_people_pages import signed_in
from tests.hub.web_server import serving
from tests.tools.pages import faults_of


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Network]]:
    network = Network(tmp_path, "")
    with serving(network.app, network.hub.live) as url:
        yield url, network
    network.close()


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_16_a_carrier_is_given_a_key_uses_it_and_loses_it(served: tuple[str, Network], chromium: Browser) -> None:
    url, network = served
    page = signed_in(chromium, url, "network_admin")
    page.get_by_role("link", name="Transporteurs").click()
    wrong = faults_of(page)
    page.get_by_label("Transporteur", exact=True).fill("Colis Rapide")
    page.get_by_label("Nom de la clé").fill("production")
    page.get_by_label("Tous les sites").uncheck()
    page.get_by_role("button", name="Créer la clé").click()
    expect(page.get_by_role("alert")).to_contain_text("Cochez au moins un site")
    wrong += faults_of(page)
    page.get_by_label("gambetta").check()
    page.get_by_role("button", name="Créer la clé").click()
    secret = page.get_by_label("Clé « production »").input_value()
    wrong += faults_of(page)
    caller = network.hub.carrier_keys.program_of(secret)
    assert caller is not None
    assert caller.scope.sites == frozenset({1})
    page.get_by_role("link", name="Retour aux transporteurs").click()
    row = page.get_by_role("listitem").filter(has_text="Colis Rapide")
    expect(row).to_contain_text("Utilisée")
    wrong += faults_of(page)
    row.get_by_role("button", name="Retirer la clé production de Colis Rapide").click()
    expect(row).to_contain_text("Retirée")
    assert network.hub.carrier_keys.program_of(secret) is None
    assert wrong == []


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_16_what_does_not_arrive_is_seen_and_sent_again(served: tuple[str, Network], chromium: Browser) -> None:
    url, network = served
    lead = Visitor("lead", Role.NETWORK_ADMIN, scope=Scope(1))
    key = network.hub.carrier_keys.add("La Poste", "production", CARRIER_RIGHTS, by=lead)
    client = TestClient(network.app, base_url="http://127.0.0.1", headers={"Authorization": f"Bearer {key}"})
    network.hub.webhooks._private = True
    made = client.post("/api/v1/carrier/webhooks", json={"url": "http://127.0.0.1:1/told?word=secret"}).json()["id"]
    announce(client)
    with network.hub.store.writing() as connection:
        webhooks.save_delivery(connection, made, 1, state="dead", attempts=11, tried_ms=1, problem="it answers 422")
        webhooks.change_webhook(connection, made, paused_ms=1, failing_ms=1, problem="it is not reached: OSError")
    page = signed_in(chromium, url, "network_admin")
    page.goto("/carriers")
    dead = page.get_by_role("listitem").filter(has_text="11 essais")
    expect(dead).to_contain_text("RR123456785FR annoncé, pour La Poste")
    expect(dead).to_contain_text("son serveur répond par l'erreur 422")
    assert "secret" not in page.content()
    wrong = faults_of(page)
    dead.get_by_role("button", name="Réessayer").click()
    expect(page.get_by_role("listitem").filter(has_text="1 en attente")).to_contain_text("Arrêté")
    page.get_by_role("button", name="Reprendre les envois à La Poste").click()
    expect(page.get_by_role("listitem").filter(has_text="1 en attente")).to_contain_text("Tout arrive")
    wrong += faults_of(page)
    page.get_by_role("button", name="Retirer l'adresse").click()
    expect(page.get_by_text("Aucun transporteur n'a donné d'adresse.")).to_be_visible()
    assert wrong == []
