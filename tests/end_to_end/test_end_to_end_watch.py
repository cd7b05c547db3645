"""What admins see from afar, on real programs: a forced door, a site that is cut off and comes back, settings that arrive (A-02, A-07, A-10)."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Browser, expect

from demo.ledger import read_facts
from demo.story import expect as wait_for
from demo.world import World
from tests.tools.pages import faults_of
from wire import facts as f

pytestmark = [pytest.mark.mosquitto, pytest.mark.chromium, pytest.mark.slow, pytest.mark.timeout(240)]

SEEN_MS = 20_000
AT_HUB_S = 10.0
"""A-07: from the door's movement to the hub's page."""


def test_a_02_a_07_a_10_a_forced_door_a_site_cut_off_and_settings_that_arrive(world: World, chromium: Browser) -> None:
    site, away = world.sites
    page = chromium.new_context(base_url=world.hub_url, locale="fr-FR").new_page()
    page.goto("/")
    expect(page.locator("#fleet .word.good")).to_have_count(2, timeout=SEEN_MS)
    wrong = faults_of(page)

    # somebody pulls a door open. The page is open already, and nobody reloads it.
    began = time.monotonic()
    site.act("doors/3", "open")
    expect(page.locator("#alerts-count")).to_contain_text("1", timeout=AT_HUB_S * 1000)
    assert time.monotonic() - began < AT_HUB_S
    facts = read_facts(site.journal(), 0)
    (opened,) = [fact for fact in facts if isinstance(fact, f.DoorOpened)]
    (raised,) = [fact for fact in facts if isinstance(fact, f.AlarmRaised)]
    assert (opened.compartment, raised.alarm, raised.compartment) == ("3", "door_forced", "3")
    page.goto(f"/sites/{site.id}")
    expect(page.locator("#cell-3")).to_contain_text("porte ouverte")
    expect(page.locator("#alarms")).to_contain_text("3")
    wrong += faults_of(page)

    # another time, saved and applied; the page says so by itself, and the site works by it.
    page.get_by_role("link", name="Réglages").click()
    page.get_by_label("Temps pour prendre son colis avant un rappel").fill("5")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("alert")).to_contain_text("Rien n'est changé")
    expect(page.locator("#take_ms-error")).to_have_text("Donnez un nombre de 10 à 600.")
    wrong += faults_of(page)
    page.get_by_label("Temps pour prendre son colis avant un rappel").fill("75")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.locator("#applied")).to_contain_text("Le site travaille avec ces réglages.", timeout=SEEN_MS)
    applied = [fact for fact in read_facts(site.journal(), 0) if isinstance(fact, f.PlanApplied) and fact.settings]
    assert applied[-1].settings is not None
    assert applied[-1].settings.take_ms == 75_000
    wrong += faults_of(page)

    # the power of the other site goes. Its last word stays, with its age; what happened meanwhile is there when it is back.
    page.goto("/")
    away.controller.kill()
    expect(page.locator(f"#site-{away.id}")).to_contain_text("hors ligne", timeout=SEEN_MS)
    expect(page.locator(f"#site-{away.id}")).to_contain_text("Le site continue seul.")
    expect(page.locator(f"#site-{away.id} time").first).to_be_visible()
    page.goto(f"/sites/{away.id}")
    expect(page.locator("main")).to_contain_text("La page montre son dernier état connu.")
    expect(page.locator("#cell-2")).not_to_contain_text("porte ouverte")
    wrong += faults_of(page)
    away.start()
    away.act("doors/2", "open")
    expect(page.locator("#site-head")).to_contain_text("en ligne", timeout=SEEN_MS)
    expect(page.locator("#cell-2")).to_contain_text("porte ouverte", timeout=SEEN_MS)
    wait_for(lambda: world.hub(f"sites/{away.id}")["presence"] == "ready", "the hub to know that the site is back")
    page.context.close()
    assert wrong == []
