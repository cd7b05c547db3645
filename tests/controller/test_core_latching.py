"""Doors that do not hold, and doors that moved beside the right one: S-08 and S-10, on the real owner and core."""

from __future__ import annotations

import pytest

from controller.core.events import Button
from controller.core.model import Step, in_compartment
from controller.core.notices import NoticeKind, StaffNoticeKind
from tests.controller.virtual_site import LABEL_OF_PARCEL, VirtualSite, told
from wire import facts as f
from wire.badges import CommandCard
from wire.ids import Label, Occupancy, ParcelId, ParcelState, Service


def step(site: VirtualSite) -> Step | None:
    task = site.view().staff.task
    return None if task is None else task.step


def put_in(site: VirtualSite, label: str = "1") -> ParcelId:
    """A parcel put behind its open door, which is then shut."""
    parcel = site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.open(label)
    site.wait(3_000)
    site.close(label)
    return parcel


def springs_open(site: VirtualSite, label: str = "1") -> None:
    site.wait(300)
    site.open(label)


def calls(site: VirtualSite) -> list[str]:
    return [call.reason for call in site.state.durable.calls]


# ------------------------------------------------------------------------------------------------------------- S-10


def test_s10_what_springs_open_is_not_stored_and_a_firmer_push_stores_it(site: VirtualSite) -> None:
    parcel = put_in(site)
    springs_open(site)
    assert site.parcel(parcel).state is ParcelState.RECEIVED
    assert site.occupancy("1") is Occupancy.UNKNOWN, "nobody knows what lies behind a door that does not hold"
    assert (step(site), told(site)) == (Step.PUT_IN, StaffNoticeKind.NOT_LATCHED)
    assert site.view().staff.slip is None, "no slip is printed for what is not stored"
    site.wait(200)
    site.close("1")
    assert site.parcel(parcel).place == in_compartment(Label("1")), "pushed shut at once, and yet with it inside"
    assert site.service("1") is Service.IN_SERVICE


@pytest.mark.parametrize("read_again", [False, True])
def test_s10_what_staff_left_at_a_door_that_does_not_hold_is_looked_for_until_its_label_is_read(
    site: VirtualSite, *, read_again: bool
) -> None:
    """Network 14920: they went away, its recipient helped themselves, and the site called it *in our hands* for ever."""
    parcel = put_in(site)
    springs_open(site)
    site.press(Button.CANCEL)
    site.wait(2_000)
    site.close("1")
    site.wait(60_000)
    assert site.state.live.task is None, "nobody answered"
    site.scan(site.slip(parcel))
    assert calls(site) == ["deposit_cut"], "they are not too early: it may lie there"
    site.sign_in()
    if read_again:
        site.scan(LABEL_OF_PARCEL)
        site.press(Button.CANCEL)
        site.open("2")
        site.wait(2_000)
        site.close("2")
        site.card(CommandCard.EMPTY)
        site.wait(3_000)
    site.press(Button.CHECK, compartment="1")
    task = site.view().staff.task
    assert task is not None
    assert task.looks_only, "nobody takes anything out to look"
    site.open("1")
    site.wait(2_000)
    site.close("1")
    site.card(CommandCard.EMPTY)
    known = site.parcel(parcel)
    expected = (ParcelState.RECEIVED, "") if read_again else (ParcelState.DISPUTED, "not_found")
    assert (known.state, known.reason) == expected
    assert (site.occupancy("1"), site.service("1")) == (Occupancy.FREE, Service.IN_SERVICE)


def test_s10_whoever_comes_while_staff_are_at_the_door_does_not_send_them_to_look(site: VirtualSite) -> None:
    parcel = put_in(site)
    springs_open(site)
    site.scan(site.slip(parcel))
    assert calls(site) == []
    shown = site.view().customer.notice
    assert shown is not None
    assert shown.kind is NoticeKind.NOT_READY


def test_s10_what_is_taken_out_of_a_door_that_sprang_open_is_in_hand(site: VirtualSite) -> None:
    parcel = put_in(site)
    springs_open(site)
    site.press(Button.CANCEL)
    site.wait(2_000)
    site.close("1")
    site.card(CommandCard.EMPTY)
    assert (site.parcel(parcel).state, site.parcel(parcel).uncertain) == (ParcelState.RECEIVED, False)
    assert site.occupancy("1") is Occupancy.FREE


def test_s10_a_door_that_springs_open_twice_is_suspect_and_another_one_takes_the_parcel(site: VirtualSite) -> None:
    parcel = put_in(site)
    for _ in range(2):
        springs_open(site)
        site.wait(500)
        if step(site) is Step.PUT_IN:
            site.close("1")
    assert site.service("1") is Service.SUSPECT
    assert [alarm.alarm for alarm in site.view().alarms] == ["latch_failed"]
    assert (step(site), told(site)) == (Step.TAKE_BACK, StaffNoticeKind.NEVER_LATCHES)
    site.close("1")
    assert step(site) is Step.ASK_EMPTY
    site.card(CommandCard.EMPTY)
    site.wait(2_000)
    assert site.task_compartment() == "2", "the same size: it was not too small"
    site.open("2")
    site.wait(3_000)
    site.close("2")
    assert site.parcel(parcel).place == in_compartment(Label("2"))
    assert site.occupancy("1") is Occupancy.FREE


def test_s10_a_door_that_cannot_be_shut_at_all_stops_nobody(site: VirtualSite) -> None:
    """Taken back from the open door, seen empty: another door opens at once, and the alarm stays."""
    parcel = put_in(site)
    for _ in range(2):
        springs_open(site)
        if step(site) is Step.PUT_IN:
            site.close("1")
    task = site.view().staff.task
    assert task is not None
    assert task.may_stay_open
    site.wait(2_000)
    site.card(CommandCard.EMPTY)
    assert site.task_compartment() == "2"
    site.open("2")
    site.wait(3_000)
    site.close("2")
    assert site.parcel(parcel).state is ParcelState.STORED
    assert site.service("1") is Service.SUSPECT
    site.close("1")
    assert site.occupancy("1") is Occupancy.UNKNOWN, "it stood open and unwatched"


def test_s10_a_parcel_still_to_be_taken_back_is_not_answered_empty_before_its_door_is_shut(site: VirtualSite) -> None:
    site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.open("1")
    site.press(Button.BIGGER)
    site.card(CommandCard.EMPTY)
    assert (step(site), told(site)) == (Step.TAKE_BACK, StaffNoticeKind.NOTHING_TO_DO)


def test_s10_with_nobody_at_the_desk_the_stored_parcel_is_in_doubt_and_its_slip_still_opens(site: VirtualSite) -> None:
    parcel = put_in(site)
    site.press(Button.SIGN_OUT)
    springs_open(site)
    assert (site.parcel(parcel).state, site.lamp.patterns[-1]) == (ParcelState.STORED, "attention")
    site.wait(3_000)
    site.close("1")
    assert site.occupancy("1") is Occupancy.UNKNOWN
    site.wait(3_000)
    site.scan(site.slip(parcel))
    assert site.pulses()[-1] == "1"


def test_s10_the_alarm_of_a_latch_is_raised_once(site: VirtualSite) -> None:
    put_in(site)
    site.press(Button.SIGN_OUT)
    for _ in range(4):
        springs_open(site)
        site.wait(200)
        site.close("1")
    raised = [fact for fact in site.recorder.facts if isinstance(fact, f.AlarmRaised)]
    assert [fact.detail for fact in raised] == ["does_not_latch"]


# ------------------------------------------------------------------------------------------------------------- S-08


def beside(site: VirtualSite, *others: str, occupied: bool = False) -> ParcelId:
    """A deposit at door 1 (or 2, when 1 is taken) during which other doors moved too."""
    if occupied:
        site.stored(2, "8N00234584209")
        site.wait(120_000)
    parcel = site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    label = site.task_compartment()
    site.open(label)
    for other in others:
        site.open(other)
        site.wait(1_000)
        site.close(other)
    site.wait(2_000)
    site.close(label)
    return parcel


def test_s08_another_door_that_moved_is_asked_about_before_anything_is_stored(site: VirtualSite) -> None:
    parcel = beside(site, "4")
    task = site.view().staff.task
    assert task is not None
    assert (task.step, task.compartment, task.touched) == (Step.WHICH_DOOR, "1", ("4",))
    assert site.parcel(parcel).state is ParcelState.RECEIVED
    site.card(CommandCard.NOT_EMPTY)
    assert site.parcel(parcel).place == in_compartment(Label("1"))


def test_s08_the_answer_corrects_the_place_and_the_meant_compartment_is_unknown(site: VirtualSite) -> None:
    parcel = beside(site, "4")
    site.press(Button.IN_DOOR, compartment="4")
    assert site.parcel(parcel).place == in_compartment(Label("4"))
    assert site.occupancy("4") is Occupancy.OCCUPIED
    assert site.occupancy("1") is Occupancy.UNKNOWN
    assert site.state.durable.compartments[Label("1")].parcel is None
    site.press(Button.SIGN_OUT)
    site.wait(4_000)
    site.scan(site.slip(parcel))
    assert site.pulses()[-1] == "4", "its slip opens the door it lies behind"


def test_s08_a_card_is_answer_enough_when_one_other_door_moved(site: VirtualSite) -> None:
    parcel = beside(site, "4")
    site.card(CommandCard.EMPTY)
    assert site.parcel(parcel).place == in_compartment(Label("4"))


@pytest.mark.parametrize("how", ["card", "button", "foreign", "silence", "two"])
def test_s08_who_does_not_know_leaves_every_such_door_unknown(site: VirtualSite, how: str) -> None:
    parcel = beside(site, "4", "3") if how == "two" else beside(site, "4")
    match how:
        case "card":
            site.card(CommandCard.CANCEL)
        case "button":
            site.press(Button.IN_DOOR)
        case "foreign":
            site.press(Button.IN_DOOR, compartment="2")
        case "two":
            site.card(CommandCard.EMPTY)
        case _:
            site.wait(30_000)
    assert step(site) is None
    assert told(site) is StaffNoticeKind.LEFT_UNKNOWN
    assert (site.occupancy("1"), site.occupancy("4")) == (Occupancy.UNKNOWN, Occupancy.UNKNOWN)
    assert site.parcel(parcel).state is ParcelState.RECEIVED


def test_s08_behind_somebody_elses_door_it_is_never_booked_and_no_key_opens_that_door(site: VirtualSite) -> None:
    """I-1, and the first goal: a parcel of one person is not given to another."""
    parcel = beside(site, "1", occupied=True)
    other = site.state.durable.compartments[Label("1")].parcel
    site.press(Button.IN_DOOR, compartment="1")
    assert site.parcel(parcel).state is ParcelState.RECEIVED
    assert site.service("1") is Service.OUT_OF_SERVICE
    assert (told(site), calls(site)) == (StaffNoticeKind.MISPLACED, ["misplaced"])
    assert other is not None
    pulses = len(site.pulses())
    site.wait(4_000)
    site.scan(site.slip(other))
    assert len(site.pulses()) == pulses


def test_s08_who_does_not_know_locks_a_door_with_somebody_elses_parcel(site: VirtualSite) -> None:
    beside(site, "1", occupied=True)
    site.press(Button.IN_DOOR)
    assert site.service("1") is Service.OUT_OF_SERVICE
    assert calls(site) == ["misplaced"]


def test_s08_a_door_out_of_service_is_not_set_so_twice(site: VirtualSite) -> None:
    site.stored(2, "8N00234584209")
    site.sign_in()
    site.out_of_service("1")
    site.announce()
    site.wait(4_000)
    site.scan(LABEL_OF_PARCEL)
    site.open("2")
    site.open("1")
    site.close("1")
    site.wait(3_000)
    site.close("2")
    before = len(site.recorder.facts)
    site.press(Button.IN_DOOR, compartment="1")
    assert [f.kind(fact) for fact in site.recorder.facts[before:]] == ["reservation_released", "staff_called"]


def test_s08_a_forced_door_is_unknown_already_and_said_so_once(site: VirtualSite) -> None:
    beside(site, "4")
    before = len(site.recorder.facts)
    site.press(Button.IN_DOOR)
    assert [f.kind(fact) for fact in site.recorder.facts[before:]] == ["reservation_released"]


def test_s08_a_switch_that_only_says_shut_makes_an_empty_compartment_doubtful_too(site: VirtualSite) -> None:
    site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.open("1")
    site.wait(2_000)
    site.close("3")
    site.close("1")
    site.press(Button.IN_DOOR)
    assert (site.occupancy("1"), site.occupancy("3")) == (Occupancy.UNKNOWN, Occupancy.UNKNOWN)


def test_s08_the_door_it_lies_behind_is_shut_first(site: VirtualSite) -> None:
    parcel = beside(site, "4")
    site.open("4")
    site.press(Button.IN_DOOR, compartment="4")
    assert (step(site), told(site)) == (Step.WHICH_DOOR, StaffNoticeKind.CLOSE_DOOR_FIRST)
    site.close("4")
    site.press(Button.IN_DOOR, compartment="4")
    assert site.parcel(parcel).place == in_compartment(Label("4"))


def test_s08_an_answer_that_nobody_asked_for_does_nothing(site: VirtualSite) -> None:
    site.sign_in()
    before = len(site.recorder.facts)
    site.press(Button.IN_DOOR, compartment="1")
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO
    assert len(site.recorder.facts) == before


def test_s08_the_next_label_waits_until_the_question_is_answered(site: VirtualSite) -> None:
    beside(site, "4")
    site.scan("8N00234584301")
    assert (step(site), told(site)) == (Step.WHICH_DOOR, StaffNoticeKind.FINISH_FIRST)
