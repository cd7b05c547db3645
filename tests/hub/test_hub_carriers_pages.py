"""The pages of carriers in Chromium: axe finds nothing, nothing hangs over, and their story is walked with the mouse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

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
