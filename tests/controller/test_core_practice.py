"""Practice (M-10): the practice slip opens the practice door as often as wanted, and nothing of it reaches the stock."""

from __future__ import annotations

import pytest

from controller.core.events import Button
from controller.core.notices import NoticeKind, StaffNoticeKind
from controller.core.views import Screen
from tests.controller.virtual_site import LABEL_OF_PARCEL, NUMBER, SITE_KEY, VirtualSite, told
from wire import facts as f
from wire.badges import CommandCard
from wire.ids import Label, Occupancy, ParcelState, PlaceKind, Service
from wire.practice import practice_text, read_practice
from wire.scans import Damaged, classify

SLIP = practice_text(SITE_KEY, NUMBER, 0)
ABOUT_STOCK = {
    "parcel_received", "parcel_stored", "parcel_taken", "parcel_collected", "parcel_removed", "occupancy_set",
    "compartment_reserved", "service_set",
}  # fmt: skip


@pytest.fixture
def site() -> VirtualSite:
    site = VirtualSite()
    site.forget()
    return site


def notice(site: VirtualSite) -> NoticeKind | None:
    shown = site.view().customer.notice
    return None if shown is None else shown.kind


def practising(site: VirtualSite, label: str = "1") -> None:
    """A mediator has set a compartment aside, and the person beside them holds the slip."""
    site.role = "mediator"
    site.publish_plan()
    site.sign_in()
    site.press(Button.PRACTISE, compartment=label)


def at_the_bank(site: VirtualSite, label: str = "1") -> None:
    """One turn of somebody who learns."""
    site.wait(3_100)
    site.scan(SLIP)
    site.open(label)
    site.wait(4_000)
    site.close(label)


def test_the_slip_opens_the_practice_door_as_often_as_wanted_and_the_stock_hears_nothing(site: VirtualSite) -> None:
    practising(site)
    assert site.view().staff.practice_text == SLIP
    for _ in range(3):
        at_the_bank(site)
        assert notice(site) is NoticeKind.THANKS
    assert site.pulses() == ["1"] * 3
    assert not ABOUT_STOCK & set(site.kinds())
    assert site.occupancy("1") is Occupancy.FREE


def test_the_customers_screen_is_the_real_one_and_says_that_it_is_practice(site: VirtualSite) -> None:
    practising(site)
    site.wait(3_100)
    site.scan(SLIP)
    site.scan(SLIP)
    shown = site.view().customer
    assert (shown.screen, shown.compartment, shown.practice) == (Screen.OPENING, "1", True)
    site.open("1")
    assert site.view().customer.screen is Screen.TAKE
    site.wait(3_100)
    site.scan(SLIP)
    assert site.pulses() == ["1"], "an open door is not opened again"


def test_no_parcel_ever_gets_the_practice_compartment(site: VirtualSite) -> None:
    practising(site)
    assert site.view().staff.free_by_size["S"] == 1
    site.role = "concierge"
    site.announce()
    site.press(Button.SIGN_OUT)
    site.wait(3_100)
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    assert site.task_compartment() == "2"


def test_it_ends_only_when_staff_have_looked_inside(site: VirtualSite) -> None:
    practising(site)
    site.press(Button.END_PRACTICE)
    site.open("1")
    site.wait(3_000)
    site.close("1")
    assert site.view().staff.practice == "1", "nobody has said yet what is inside"
    site.card(CommandCard.EMPTY)
    assert (site.state.durable.practice, site.occupancy("1"), told(site)) == (
        None, Occupancy.FREE, StaffNoticeKind.CHECKED,
    )  # fmt: skip
    assert site.view().staff.practice_text == ""
    site.wait(3_100)
    site.scan(SLIP)
    assert notice(site) is NoticeKind.ASK_DESK


def test_what_was_left_inside_keeps_the_compartment_from_every_parcel(site: VirtualSite) -> None:
    practising(site)
    site.press(Button.END_PRACTICE)
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.card(CommandCard.NOT_EMPTY)
    assert (site.state.durable.practice, site.occupancy("1"), site.service("1")) == (
        None, Occupancy.UNKNOWN, Service.OUT_OF_SERVICE,
    )  # fmt: skip


def test_a_look_in_between_ends_no_practice(site: VirtualSite) -> None:
    practising(site)
    site.press(Button.CHECK, compartment="1")
    site.wait(3_100)
    site.scan(SLIP)
    assert notice(site) is NoticeKind.ASK_DESK, "staff are at that door"
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.card(CommandCard.EMPTY)
    assert site.state.durable.practice == "1"


def test_what_staff_once_put_into_it_by_mistake_gets_no_other_door_when_practice_ends(site: VirtualSite) -> None:
    """Bank 246: its recipient had taken it, staff saw nothing, and a compartment was kept for a parcel that had left."""
    parcel = site.stored(7)
    practising(site, "2")
    site.happen(
        f.ParcelStored(parcel=parcel, place=f.Place(kind=PlaceKind.COMPARTMENT, name="2"), session="1.9", by="amina")
    )
    site.forget()
    site.press(Button.END_PRACTICE)
    site.open("2")
    site.wait(3_000)
    site.close("2")
    site.card(CommandCard.EMPTY)
    assert told(site) is StaffNoticeKind.CHECKED
    assert "practice_ended" in site.kinds()
    assert "compartment_reserved" not in site.kinds()
    assert site.state.durable.parcels[parcel].state is ParcelState.DISPUTED


def test_only_an_empty_closed_compartment_is_set_aside_and_one_at_a_time(site: VirtualSite) -> None:
    parcel = site.stored()
    site.role = "mediator"
    site.publish_plan()
    site.sign_in()
    for label in ("1", "Z", None):
        site.press(Button.PRACTISE, compartment=label)
        assert (told(site), site.state.durable.practice) == (StaffNoticeKind.NOT_FOR_PRACTICE, None)
    site.press(Button.END_PRACTICE)
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO
    for label in ("2", "3"):
        site.press(Button.PRACTISE, compartment=label)
        shown = site.view().staff.notice
        assert shown is not None
        assert (shown.kind, shown.compartment) == (StaffNoticeKind.PRACTICE_ON, "2"), "the one that is set aside"
    assert site.state.durable.practice == "2"
    site.press(Button.CHECK, compartment="3")
    site.press(Button.END_PRACTICE)
    assert told(site) is StaffNoticeKind.FINISH_FIRST
    assert site.parcel(parcel).state is ParcelState.STORED


def test_it_lasts_over_a_power_cut_and_a_door_that_was_open_is_looked_into_first(site: VirtualSite) -> None:
    practising(site)
    site.restart()
    at_the_bank(site)
    assert site.pulses() == ["1"]
    site.wait(3_100)
    site.scan(SLIP)
    site.open("1")
    site.restart()
    site.close("1")
    assert (site.state.durable.practice, site.occupancy("1")) == ("1", Occupancy.UNKNOWN)
    site.wait(3_100)
    site.scan(SLIP)
    assert notice(site) is NoticeKind.ASK_DESK
    assert [call.compartment for call in site.state.durable.calls] == [Label("1")]


def test_a_customer_at_another_door_comes_first(site: VirtualSite) -> None:
    practising(site, "2")
    site.press(Button.SIGN_OUT)
    site.wait(3_100)
    site.role = "concierge"
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    site.scan(SLIP)
    assert site.state.live.notice is not None
    assert site.state.live.notice.kind is NoticeKind.ONE_MOMENT
    site.wait(3_000)
    site.close("1")
    site.wait(2_000)
    assert site.pulses()[-1] == "2"


def test_a_practice_door_in_doubt_is_opened_for_staff_with_their_pin_only(site: VirtualSite) -> None:
    site.pin = "4071"
    practising(site)
    site.open("1")
    site.close("1")
    assert site.occupancy("1") is Occupancy.UNKNOWN, "forced: somebody may have put something in"
    site.press(Button.END_PRACTICE)
    assert (site.view().staff.pin_asked, site.pulses()) == (True, [])
    site.give_pin("4071")
    assert site.pulses() == ["1"]


@pytest.mark.parametrize(
    "text",
    [
        practice_text(SITE_KEY, NUMBER + 1, 0),
        practice_text(bytes(32), NUMBER, 0),
        practice_text(SITE_KEY, NUMBER, 5),
        SLIP[:-1] + ("0" if SLIP[-1] != "0" else "1"),
    ],
)
def test_a_slip_that_this_site_did_not_make_opens_nothing(site: VirtualSite, text: str) -> None:
    practising(site)
    site.wait(3_100)
    site.scan(text)
    assert (site.pulses(), notice(site)) == ([], NoticeKind.REFUSED)


@pytest.mark.parametrize("text", [SLIP[:-1], SLIP[:-1] + "U", SLIP.replace("CP1", "CP2")])
def test_a_practice_slip_that_is_not_whole_is_a_damaged_one_of_ours(text: str) -> None:
    assert read_practice(text) is None
    assert classify(text) == Damaged()
