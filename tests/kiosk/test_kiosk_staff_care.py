"""The desk's screen for who looks after the bank: what is unknown on top, what is to be taken out, a slip made anew."""

from __future__ import annotations

from dataclasses import replace

from playwright.sync_api import Page, expect

from controller.core.events import Button
from controller.core.model import Step
from controller.core.views import AlarmView, TaskView
from controller.panel_messages import PressInput
from tests.kiosk.conftest import Running
from tests.kiosk.kiosk_lock import PARCEL, staffed
from tests.tools.axe import violations
from tests.tools.ports import wait_until
from wire.ids import Label, Occupancy
from wire.plan import Role


def test_m_08_what_nobody_knows_is_on_top_of_the_list_until_somebody_looked(kiosk: Running, page: Page) -> None:
    view = staffed(busy=False)
    first, *others = view.bank
    doubtful = replace(first, occupancy=Occupancy.UNKNOWN)
    known = tuple(replace(door, occupancy=Occupancy.FREE) for door in others)
    kiosk.lock.show(replace(view, bank=(doubtful, *known)))
    page.goto(f"{kiosk.url}/staff")
    top = page.locator(".urgent li").first
    expect(top).to_contain_text(f"Porte {first.label}")
    assert violations(page) == []
    top.locator("button").click()
    asked = PressInput(button=Button.CHECK, compartment=first.label)
    wait_until(lambda: bool(kiosk.lock.inputs) and kiosk.lock.inputs[-1] == asked, "the door to be looked into", 5.0)
    kiosk.lock.show(replace(view, bank=(replace(first, occupancy=Occupancy.FREE), *known), alarms=()))
    expect(page.locator(f"#look-{first.label}")).to_have_count(0)


def test_a_retrieval_says_what_to_do_at_each_step(kiosk: Running, page: Page) -> None:
    view = staffed(busy=False)
    due = tuple(replace(parcel, to_retrieve=True) for parcel in view.staff.parcels)
    kiosk.lock.show(replace(view, staff=replace(view.staff, parcels=due)))
    page.goto(f"{kiosk.url}/staff")
    expect(page.locator("#due-title")).to_have_text(f"À reprendre ({len(due)})")
    assert violations(page) == []
    page.locator("#retrieve").click()
    wait_until(
        lambda: bool(kiosk.lock.inputs) and kiosk.lock.inputs[-1] == PressInput(button=Button.RETRIEVE),
        "it begins",
        5.0,
    )
    label = Label(view.bank[0].label)
    for step, scanned, words in (
        (Step.TAKE_BACK, False, "sortez le colis et scannez son étiquette"),
        (Step.TAKE_BACK, True, "Bon colis. Fermez la porte"),
        (Step.ASK_EMPTY, False, "Scannez l'étiquette du colis sorti."),
        (Step.ASK_EMPTY, True, "est-il vide ?"),
    ):
        task = TaskView(step, PARCEL, "8N00234584108", label, None, retrieving=True, scanned=scanned)
        kiosk.lock.show(replace(view, staff=replace(view.staff, parcels=due, task=task)))
        expect(page.locator("h1")).to_contain_text(words)
        assert violations(page) == []


def test_a_stuck_door_is_said_before_the_key_is_turned_and_a_break_in_explained(kiosk: Running, page: Page) -> None:
    view = staffed(busy=False)
    view = replace(view, staff=replace(view.staff, role=Role.CONCIERGE))
    first = view.bank[0]
    forced = AlarmView("door_forced", first.label, view.now_ms)
    kiosk.lock.show(replace(view, alarms=(forced,)))
    page.goto(f"{kiosk.url}/staff")
    expect(page.locator(".urgent")).to_contain_text("Si c'était vous avec la clé, dites-le.")
    assert violations(page) == []
    asked = PressInput(button=Button.KEY_OPENING, compartment=first.label)
    for way in (f"#mine-{first.label}", f"#key-{first.label}"):
        kiosk.lock.inputs.clear()
        if way.startswith("#key"):
            page.locator(f"#door-{first.label}").click()
        page.locator(way).click()
        wait_until(lambda: bool(kiosk.lock.inputs) and kiosk.lock.inputs[-1] == asked, "the key to be said", 5.0)
    task = TaskView(Step.OPEN_WITH_KEY, None, "", Label(first.label), None)
    kiosk.lock.show(replace(view, staff=replace(view.staff, task=task)))
    expect(page.locator("h1")).to_contain_text("avec la clé")
    assert violations(page) == []
    page.locator("#done").click()
    done = PressInput(button=Button.DONE)
    wait_until(lambda: kiosk.lock.inputs[-1] == done, "the word that it is open", 5.0)
