"""Doors opened from afar, all the way: two people in two browsers, Mosquitto, the real site, its doors (A-03 … A-06)."""

from __future__ import annotations

import subprocess
import sys

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from demo.ledger import read_coils
from demo.story import expect as wait_for
from demo.world import ROOT, Site, World
from tests.tools.pages import faults_of

pytestmark = [pytest.mark.mosquitto, pytest.mark.chromium, pytest.mark.slow, pytest.mark.timeout(240)]

PASSWORD = "ten letters long"
SEEN_MS = 20_000
SITE = "gennevilliers"


def came_in(world: World, chromium: Browser, name: str, *role: str) -> Page:
    """Somebody new, signed in with a second factor of their own."""
    command = [sys.executable, "-m", "hub", "--config", str(world.folder / "hub.toml")]
    asked = [*command, "user", "add", name, "--role", *role, "--password-stdin"]
    subprocess.run(asked, cwd=ROOT, check=True, input=PASSWORD + "\n", text=True, capture_output=True)
    page = chromium.new_context(base_url=world.hub_url, locale="fr-FR").new_page()
    page.goto("/sign-in")
    page.get_by_label("Nom").fill(name)
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.goto("/account")
    secret = page.locator(".second-qr + p code").inner_text()
    page.get_by_label("Code à 6 chiffres").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Mettre en place").click()
    expect(page.get_by_role("heading", name="Vos codes de secours")).to_be_visible()
    return page


def ask(page: Page, *doors: str) -> None:
    """From the site's own page to a wish that waits."""
    page.goto(f"/sites/{SITE}")
    page.get_by_role("link", name="Ouvrir une porte").click()
    for door in doors:
        page.locator(f'input[name="door"][value="{door}"]').check()
    page.get_by_label("une réparation").check()
    page.get_by_label("Un mot pour la deuxième personne").fill("Le réparateur est devant la porte.")
    page.get_by_role("button", name="Demander à une deuxième personne").click()


def agree(page: Page) -> None:
    """The second person finds the wish by the count in the header."""
    page.goto("/")
    expect(page.locator("#openings-count")).to_contain_text("1", timeout=SEEN_MS)
    page.get_by_role("link", name="Portes").click()
    page.locator("#waiting a").click()
    page.get_by_role("button", name="Accepter et ouvrir").click()


def opened(site: Site) -> list[str]:
    return [label for label, door in site.sim()["doors"].items() if door == "open"]


def test_a_03_a_04_a_06_two_people_open_two_doors_and_no_more_and_none_of_a_site_that_is_away(
    world: World, chromium: Browser
) -> None:
    site = world.sites[0]
    claire = came_in(world, chromium, "Claire", "site_lead", "--site", SITE)
    marc = came_in(world, chromium, "Marc", "network_admin")
    labels = sorted(site.sim()["doors"], key=int)
    one, two = labels[:2]

    ask(claire, one, two)
    expect(claire.locator("#wish")).to_contain_text("attend une deuxième personne")
    expect(claire.get_by_role("button", name="Accepter et ouvrir")).to_have_count(0)
    wrong = faults_of(claire)
    assert opened(site) == [], "one person opens nothing"
    agree(marc)
    # Claire's page was open before anybody agreed, and nobody reloads it.
    expect(claire.locator("#doors")).to_contain_text("acceptée par le site", timeout=SEEN_MS)
    expect(claire.locator(".timeline").nth(1)).to_contain_text("porte vue ouverte", timeout=SEEN_MS)
    expect(claire.locator(".timeline").first).to_contain_text("porte vue ouverte")
    expect(claire.locator("#wish")).to_contain_text("terminée", timeout=SEEN_MS)
    wrong += faults_of(claire)
    assert sorted(opened(site), key=int) == [one, two]
    stretches = read_coils(site).stretches
    assert [stretch.label for stretch in stretches] == [one, two], "one pulse each, one coil at a time"
    for door in (one, two):
        site.act(f"doors/{door}", "close")

    ask(claire, labels[2])
    expect(claire.get_by_role("alert")).to_contain_text("2 en 10 minutes")
    wrong += faults_of(claire)
    assert len(read_coils(site).stretches) == 2

    # The other site is switched off: nothing is asked of it, and nothing waits for it.
    away = world.sites[1]
    away.controller.stop()
    wait_for(lambda: world.hub(f"sites/{away.id}")["presence"] != "ready", "the hub to know that the site is away")
    marc.goto(f"/sites/{away.id}/open")
    expect(marc.locator("main")).to_contain_text("Ce site ne répond pas.")
    marc.locator('input[name="door"]').first.check()
    marc.get_by_label("une réparation").check()
    marc.get_by_role("button", name="Demander à une deuxième personne").click()
    expect(marc.get_by_role("alert")).to_contain_text("rien ne s'ouvrira plus tard")
    marc.goto("/openings")
    wrong += faults_of(marc)
    marc.goto("/audit")
    expect(marc.locator(".rows").first).to_contain_text("Ouverture à distance approuvée")
    for page in (claire, marc):
        page.context.close()
    assert wrong == []
