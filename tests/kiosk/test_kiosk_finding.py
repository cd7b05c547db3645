"""What a date typed into the search of the desk means, and how the answer is shown (M-11)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from playwright.sync_api import Page, expect

from controller.core.views import FoundView, GoneView, View
from controller.kiosk.finding import asked_day
from controller.panel_messages import FindInput
from tests.kiosk.conftest import Running
from tests.kiosk.kiosk_lock import OTHER, staffed
from tests.kiosk.test_kiosk_pages import outside
from tests.tools.axe import violations
from wire.facts import Place
from wire.ids import ParcelState, PlaceKind

NOW = datetime(2026, 11, 26, 9, 30)  # noqa: DTZ001 a day of this place


def day(year: int, month: int, day: int) -> tuple[int, int]:
    start = datetime(year, month, day)  # noqa: DTZ001 a day of this place
    hours = 24
    return int(start.timestamp() * 1000), int(start.timestamp() * 1000) + hours * 3_600_000


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("12/11", (2026, 11, 12)),
        ("26/11", (2026, 11, 26)),
        (" 1.3 ", (2026, 3, 1)),
        ("27/11", (2025, 11, 27)),
        ("24/12/2024", (2024, 12, 24)),
        ("29/02/2024", (2024, 2, 29)),
    ],
)
def test_m_11_a_date_is_the_last_such_day_that_has_begun(text: str, meant: tuple[int, int, int]) -> None:
    since_ms, until_ms = day(*meant)
    assert asked_day(text, NOW.timestamp()) == FindInput(text=text, since_ms=since_ms, until_ms=until_ms)


@pytest.mark.parametrize("text", ["", "8N0023", "12", "31/02", "0/5", "12/13", "1/1/1969", "1/1/9999", "12/11/26x"])
def test_m_11_anything_else_is_no_day(text: str) -> None:
    assert asked_day(text, NOW.timestamp()) == FindInput(text=text)


def found(text: str, count: int) -> View:
    """The desk with the answer to a search: one parcel, of so many."""
    view = staffed(busy=False)
    place = Place(kind=PlaceKind.COMPARTMENT, name="3")
    gone = GoneView(OTHER, "8N00234584711", "La Poste", ParcelState.COLLECTED, place, 1_790_000_000_000)
    return replace(view, staff=replace(view.staff, found=FoundView(text, count, (gone,) if count else ())))


@pytest.mark.chromium
def test_m_11_what_has_left_is_looked_for_when_the_fingers_rest_and_shown_below_what_lies_here(
    kiosk: Running, page: Page
) -> None:
    kiosk.lock.show(staffed(busy=False))
    page.goto(f"{kiosk.url}/staff")
    page.locator("#find").focus()
    page.keyboard.type("4711")
    sent = kiosk.lock.wait_for_input(lambda each: isinstance(each, FindInput), "the search")
    assert (sent, len(kiosk.lock.inputs)) == (FindInput(text="4711"), 1), "once, not for every key"
    kiosk.lock.show(found("4711", 25))
    expect(page.locator("#gone-title")).to_have_text("Déjà sortis, pour « 4711 » : 25, dont voici les 1 derniers")
    expect(page.locator("#gone li")).to_contain_text("8N00234584711")
    expect(page.locator("#gone li")).to_contain_text("retiré")
    expect(page.locator("#gone li")).to_contain_text("porte 3")
    expect(page.locator("#find")).to_be_focused()
    expect(page.locator("#find")).to_have_value("4711")
    expect(page.locator("#live")).to_have_text("Déjà sortis, pour « 4711 » : 25, dont voici les 1 derniers")
    assert outside(page) == []
    assert violations(page) == []
    kiosk.lock.show(found("4711", 0))
    expect(page.locator("#gone-title")).to_have_text("Aucun colis sorti ne correspond à « 4711 »")


@pytest.mark.chromium
def test_m_11_a_date_reaches_the_lock_process_as_a_day_and_an_emptied_field_as_nothing(
    kiosk: Running, page: Page
) -> None:
    kiosk.lock.show(found("4711", 1))
    page.goto(f"{kiosk.url}/staff")
    page.locator("#find").fill("12/11")
    day_sent = kiosk.lock.wait_for_input(lambda each: isinstance(each, FindInput), "the day")
    assert isinstance(day_sent, FindInput)
    assert day_sent.until_ms - day_sent.since_ms == 24 * 3_600_000
    page.locator("#find").fill("")
    kiosk.lock.wait_for_input(lambda each: each == FindInput(text=""), "that nothing is looked for")
