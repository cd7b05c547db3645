"""The pages of people and of the log in Chromium: axe finds nothing, nothing hangs over, and their story is walked with the mouse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.hub.hub_network import PASSWORD, Network
from tests.hub.web_server import serving
from tests.tools.pages import faults_of


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Network]]:
    network = Network(tmp_path, "")
    with serving(network.app, network.hub.live) as url:
        yield url, network
    network.close()


def signed_in(chromium: Browser, url: str, name: str, password: str = PASSWORD) -> Page:
    page = chromium.new_context(base_url=url, locale="fr-FR").new_page()
    page.goto("/sign-in")
    page.get_by_label("Nom").fill(name)
    page.get_by_label("Mot de passe").fill(password)
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url("**/")
    return page


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_12_a_13_invited_with_a_second_factor_and_read_in_the_log(
    served: tuple[str, Network], chromium: Browser
) -> None:
    url, network = served
    admin = signed_in(chromium, url, "network_admin")
    admin.get_by_role("link", name="Équipe").click()
    wrong = faults_of(admin)
    admin.get_by_label("Nom de connexion").fill("Inès")
    admin.get_by_label("Responsable de site").check()
    admin.get_by_label("gambetta").check()
    admin.get_by_role("button", name="Faire le lien d'invitation").click()
    link = admin.get_by_label("Lien, bon une semaine").input_value()
    wrong += faults_of(admin)

    guest = chromium.new_context(base_url=url, locale="fr-FR").new_page()
    guest.goto(link)
    wrong += faults_of(guest)
    guest.get_by_label("Mot de passe").fill("un mot de passe long")
    guest.get_by_role("button", name="Choisir ce mot de passe").click()
    expect(guest.get_by_role("heading", level=1)).to_have_text("Se connecter")
    guest.context.close()

    ines = signed_in(chromium, url, "Inès", "un mot de passe long")
    ines.goto("/account")
    wrong += faults_of(ines)
    secret = ines.locator(".second-qr + p code").inner_text()
    ines.get_by_label("Code à 6 chiffres").fill(pyotp.TOTP(secret).now())
    ines.get_by_role("button", name="Mettre en place").click()
    expect(ines.get_by_role("heading", name="Vos codes de secours")).to_be_visible()
    code = ines.locator("section code").first.inner_text()
    wrong += faults_of(ines)
    ines.get_by_role("button", name="Se déconnecter").click()

    again = ines
    again.get_by_label("Nom").fill("Inès")
    again.get_by_label("Mot de passe").fill("un mot de passe long")
    again.get_by_role("button", name="Se connecter").click()
    expect(again.get_by_role("heading", name="Votre second facteur")).to_be_visible()
    wrong += faults_of(again)
    again.get_by_label("Code").fill(code)
    again.get_by_role("button", name="Continuer").click()
    expect(again.get_by_role("heading", level=1)).to_have_text("Réseau")

    admin.goto("/audit")
    expect(admin.locator(".notice.good")).to_contain_text("Rien ne manque")
    expect(admin.locator(".rows").first).to_contain_text("Code de secours utilisé")
    wrong += faults_of(admin)
    admin.goto(f"/people/{network.person('Inès')}")
    wrong += faults_of(admin)
    admin.get_by_role("button", name="Retirer Inès").click()
    again.goto("/parcels")
    expect(again.get_by_role("heading", level=1)).to_have_text("Se connecter")
    mediator = signed_in(chromium, url, "mediator")
    mediator.goto("/people")
    expect(mediator.locator("main")).to_contain_text("Votre rôle ne permet pas cela.")
    wrong += faults_of(mediator)
    for page in (admin, again, mediator):
        page.context.close()
    assert wrong == []
