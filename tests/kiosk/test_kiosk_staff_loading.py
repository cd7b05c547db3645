"""The desk's screen while a parcel is loaded: by finger and by keyboard alone, with nothing cut off and nothing for axe to find."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from controller.core.events import Button
from controller.core.model import Needs, Step
from controller.panel_messages import PressInput
from tests.kiosk.conftest import Running
from tests.kiosk.kiosk_lock import OTHER, staffed
from tests.tools.axe import violations
from tests.tools.pages import measured
from tests.tools.ports import wait_until
from wire.ids import Label

SIZES = ((1024, 600), (1280, 800))


def ask(kiosk: Running, page: Page, step: Step, **task: Any) -> None:
    """Staff are asked something; `task` are further fields of it."""
    view = staffed(step, busy=False)
    assert view.staff.task is not None
    kiosk.lock.show(replace(view, staff=replace(view.staff, task=replace(view.staff.task, **task))))
    page.goto(f"{kiosk.url}/staff")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("step", "task", "button"),
    [
        (Step.WHICH_DOOR, {"touched": (Label("2"), Label("3"))}, "#in-door-4"),
        (Step.TAKE_BACK, {"may_stay_open": True}, "#empty"),
        (Step.PUT_ON_SHELF, {"room": Label("2"), "needs": Needs(low=True)}, "#make-room"),
        (Step.PUT_ON_SHELF, {"unidentified": True}, "#done"),
        (Step.PUT_IN, {"needs": Needs(heavy=True)}, "#bigger"),
    ],
    ids=["which door", "does not hold", "room", "nameless", "heavy"],
)
def test_what_is_asked_and_its_answers_are_seen_without_scrolling(
    kiosk: Running, page: Page, size: tuple[int, int], step: Step, task: dict[str, Any], button: str
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    ask(kiosk, page, step, **task)
    expect(page.locator(button)).to_be_visible()
    below = page.locator("h1, .actions button, .needs button").evaluate_all(
        "nodes => nodes.filter((node) => { const box = node.getBoundingClientRect();"
        " return box.bottom > innerHeight || box.right > innerWidth || node.scrollWidth > node.clientWidth + 1; })"
        ".map((node) => node.textContent)"
    )
    assert below == []
    assert violations(page) == []


def test_the_door_is_the_largest_thing_on_the_screen_while_a_parcel_goes_in(kiosk: Running, page: Page) -> None:
    ask(kiosk, page, Step.PUT_IN)
    expect(page.locator(".door-number")).to_have_text("4")
    assert measured(page, ".door-number", "parseFloat(getComputedStyle(node).fontSize)") >= 120


def test_which_door_is_answered_by_finger_or_by_keyboard(kiosk: Running, page: Page) -> None:
    ask(kiosk, page, Step.WHICH_DOOR, touched=(Label("2"),))
    page.click("#in-door-2")
    page.focus("#in-no-door")
    page.keyboard.press("Enter")
    wait_until(lambda: len(kiosk.lock.inputs) == 2, "both answers")
    assert kiosk.lock.inputs == [
        PressInput(button=Button.IN_DOOR, compartment="2"),
        PressInput(button=Button.IN_DOOR),
    ]


def test_what_staff_see_of_a_parcel_is_said_by_finger_or_by_keyboard_and_stays_marked(
    kiosk: Running, page: Page
) -> None:
    ask(kiosk, page, Step.PUT_IN, needs=Needs(heavy=True))
    expect(page.locator("#heavy")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#low")).to_have_attribute("aria-pressed", "false")
    page.click("#low")
    page.focus("#unidentified")
    page.keyboard.press("Enter")
    wait_until(lambda: len(kiosk.lock.inputs) == 2, "both words")
    assert kiosk.lock.inputs == [PressInput(button=Button.LOW), PressInput(button=Button.UNIDENTIFIED)]


def test_a_parcel_nobody_could_read_is_identified_after_a_second_touch_and_not_handed_over_before(
    kiosk: Running, page: Page
) -> None:
    view = staffed(busy=False)
    parcels = tuple(replace(parcel, unidentified=parcel.parcel == OTHER) for parcel in staffed().staff.parcels)
    kiosk.lock.show(replace(view, staff=replace(view.staff, parcels=parcels)))
    page.goto(f"{kiosk.url}/staff")
    expect(page.locator(f"#hand-{OTHER}")).to_have_count(0)
    page.click(f"#identified-{OTHER}")
    expect(page.locator(f"#identified-{OTHER}")).to_have_text("Le destinataire est connu ?")
    page.wait_for_timeout(500)
    page.click(f"#identified-{OTHER}")
    wait_until(lambda: len(kiosk.lock.inputs) == 1, "the word that it is identified")
    assert kiosk.lock.inputs == [PressInput(button=Button.IDENTIFIED, parcel=OTHER)]
