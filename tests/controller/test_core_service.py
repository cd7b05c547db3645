"""Out of service and back, with a reason; what lies behind the door is moved first (M-06)."""

from __future__ import annotations

import pytest

from controller.core.events import Button
from controller.core.model import Step
from controller.core.notices import StaffNoticeKind
from controller.core.service import BACK_REASONS, OUT_REASONS
from tests.controller.virtual_site import VirtualSite, told
from wire import facts as f
from wire.ids import Occupancy, ParcelState, Service
from wire.plan import Role


@pytest.fixture
def site() -> VirtualSite:
    site = VirtualSite()
    site.sign_in()
    return site


def step(site: VirtualSite) -> Step | None:
    task = site.view().staff.task
    return None if task is None else task.step


def test_the_reasons_are_those_that_the_screen_and_the_hub_have_words_for() -> None:
    assert OUT_REASONS == ("lock", "door", "dirty", "other")
    assert BACK_REASONS == ("repaired", "cleaned", "checked")


def out(site: VirtualSite, label: str = "1", reason: str = "lock") -> None:
    site.press(Button.TAKE_OUT_OF_SERVICE, reason, label)


def written(site: VirtualSite) -> list[tuple[str, str, str]]:
    facts = [fact for fact in site.recorder.facts if isinstance(fact, f.ServiceSet)]
    return [(fact.service.value, fact.reason, fact.by) for fact in facts]


def looked_into(site: VirtualSite, answer: Button, label: str = "1") -> None:
    site.open(label)
    site.wait(3_000)
    site.close(label)
    site.press(answer)


def with_parcel(site: VirtualSite) -> VirtualSite:
    site.press(Button.SIGN_OUT)
    site.wait(4_000)
    site.stored()
    site.sign_in()
    return site


@pytest.mark.parametrize("reason", OUT_REASONS)
def test_an_empty_one_is_out_at_once_for_its_reason_and_back_for_another(site: VirtualSite, reason: str) -> None:
    out(site, "4", reason)
    assert (site.service("4"), told(site)) == (Service.OUT_OF_SERVICE, StaffNoticeKind.OUT_OF_SERVICE)
    out(site, "4", reason)
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO
    for back in BACK_REASONS:
        site.press(Button.PUT_IN_SERVICE, back, "4")
    assert written(site)[:2] == [("out_of_service", reason, "amina"), ("in_service", BACK_REASONS[0], "amina")]
    assert site.service("4") is Service.IN_SERVICE


@pytest.mark.parametrize("reason", ["", "because", "repaired"])
def test_without_a_reason_nothing_happens_but_the_question(site: VirtualSite, reason: str) -> None:
    out(site, "4", reason)
    assert (site.service("4"), told(site), written(site)) == (Service.IN_SERVICE, StaffNoticeKind.SAY_WHY, [])
    site.press(Button.PUT_IN_SERVICE, "lock", "4")
    assert told(site) is StaffNoticeKind.SAY_WHY
    out(site, "9")
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO
    site.press(Button.TAKE_OUT_OF_SERVICE, "lock")
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO


def test_an_occupied_one_gives_its_parcel_away_first_and_the_same_slip_opens_the_other_door(site: VirtualSite) -> None:
    with_parcel(site)
    known = next(one.parcel for one in site.state.durable.compartments.values() if one.parcel is not None)
    site.forget()
    out(site)
    assert (site.service("1"), site.pulses(), step(site)) == (Service.IN_SERVICE, ["1"], Step.TAKE_BACK)
    site.open("1")
    assert site.parcel(known).state is ParcelState.RECEIVED
    site.wait(3_000)
    site.close("1")
    assert site.service("1") is Service.IN_SERVICE, "not before somebody saw it empty"
    site.press(Button.EMPTY)
    assert (site.service("1"), site.occupancy("1")) == (Service.OUT_OF_SERVICE, Occupancy.FREE)
    assert written(site)[-1] == ("out_of_service", "lock", "amina")
    assert (step(site), site.task_compartment()) == (Step.PUT_IN, "2")
    site.open("2")
    site.wait(3_000)
    site.close("2")
    site.press(Button.SIGN_OUT)
    site.wait(3_000)
    site.scan(site.slip(known))
    assert site.pulses()[-1] == "2"


def test_not_empty_it_stays_in_service_with_its_parcel(site: VirtualSite) -> None:
    with_parcel(site)
    out(site)
    looked_into(site, Button.NOT_EMPTY)
    assert (site.service("1"), site.occupancy("1")) == (Service.IN_SERVICE, Occupancy.OCCUPIED)
    assert told(site) is StaffNoticeKind.STILL_OCCUPIED


def test_nobody_answers_and_it_is_unknown_and_in_service(site: VirtualSite) -> None:
    with_parcel(site)
    out(site)
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.wait(31_000)
    assert (site.service("1"), site.occupancy("1")) == (Service.IN_SERVICE, Occupancy.UNKNOWN)


def test_an_unknown_one_is_looked_into_first(site: VirtualSite) -> None:
    site.open("4")
    site.close("4")
    site.wait(3_000)
    out(site, "4", "dirty")
    assert (step(site), site.service("4")) == (Step.TAKE_BACK, Service.IN_SERVICE)
    looked_into(site, Button.EMPTY, "4")
    assert (site.service("4"), site.occupancy("4")) == (Service.OUT_OF_SERVICE, Occupancy.FREE)


def test_one_that_was_taken_from_is_looked_into_and_its_collection_counts(site: VirtualSite) -> None:
    with_parcel(site)
    parcel = next(one.parcel for one in site.state.durable.compartments.values() if one.parcel is not None)
    site.press(Button.SIGN_OUT)
    site.wait(3_000)
    site.scan(site.slip(parcel))
    site.open("1")
    site.wait(5_000)
    site.sign_in()
    out(site)
    assert told(site) is StaffNoticeKind.CLOSE_DOOR_FIRST
    site.close("1")
    site.wait(3_000)
    out(site)
    looked_into(site, Button.EMPTY)
    assert site.state.durable.ended[parcel].state is ParcelState.COLLECTED
    assert site.service("1") is Service.OUT_OF_SERVICE


def test_a_door_that_does_not_open_stays_with_its_parcel_for_the_key(site: VirtualSite) -> None:
    with_parcel(site)
    out(site)
    site.wait(13_000)
    assert (site.service("1"), site.occupancy("1"), step(site)) == (Service.SUSPECT, Occupancy.OCCUPIED, None)
    site.press(Button.KEY_OPENING, compartment="1")
    looked_into(site, Button.EMPTY)
    assert (site.occupancy("1"), step(site)) == (Occupancy.FREE, Step.PUT_IN)


def test_not_in_the_middle_of_something_else_nor_at_the_practice_door(site: VirtualSite) -> None:
    with_parcel(site)
    site.press(Button.CHECK, compartment="1")
    site.open("1")
    site.wait(3_000)
    site.close("1")
    out(site)
    assert told(site) is StaffNoticeKind.FINISH_FIRST
    site.press(Button.NOT_EMPTY)
    site.press(Button.PRACTISE, compartment="4")
    out(site, "4")
    assert (told(site), site.service("4")) == (StaffNoticeKind.NOTHING_TO_DO, Service.IN_SERVICE)


def test_it_needs_the_right_and_for_an_occupied_one_the_pin(site: VirtualSite) -> None:
    with_parcel(site)
    site.press(Button.SIGN_OUT)
    site.role, site.pin = Role.MEDIATOR, "4071"
    site.publish_plan()
    site.wait(4_000)
    site.sign_in()
    out(site, "4")
    assert (told(site), site.service("4")) == (StaffNoticeKind.NOT_YOURS, Service.IN_SERVICE)
    site.press(Button.SIGN_OUT)
    site.role = Role.CONCIERGE
    site.publish_plan()
    site.wait(4_000)
    site.sign_in()
    out(site)
    assert site.view().staff.pin_asked
    site.give_pin("4071")
    assert step(site) is Step.TAKE_BACK
