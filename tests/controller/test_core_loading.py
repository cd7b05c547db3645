"""Staff at the bank: the S-rows of the journeys, on the real owner and core in virtual time."""

from __future__ import annotations

import pytest

from controller.core.events import Button
from controller.core.model import Step, in_compartment
from controller.core.notices import NoticeKind, StaffNoticeKind
from tests.controller.virtual_site import LABEL_OF_PARCEL, VirtualSite, told
from wire.badges import CommandCard, badge_text
from wire.ids import Door, Label, Occupancy, ParcelState, PlaceKind, ReachZone, Service, SizeClass
from wire.plan import Intent, PlannedParcel


def step(site: VirtualSite) -> Step | None:
    task = site.state.live.task
    return None if task is None else task.step


def test_s01_an_announced_label_opens_a_door_and_a_closed_door_is_a_stored_parcel(site: VirtualSite) -> None:
    parcel = site.announce()
    site.sign_in()
    site.forget()
    site.scan(LABEL_OF_PARCEL)
    assert site.recorder.done == [
        ("durable", ("parcel_received", "compartment_reserved", "opening_ordered")),
        ("pulse", "1"),
    ]
    assert site.occupancy("1") is Occupancy.RESERVED
    site.open("1")
    site.wait(4_000)
    site.close("1")
    assert site.parcel(parcel).state is ParcelState.STORED
    assert site.occupancy("1") is Occupancy.OCCUPIED
    slip = site.view().staff.slip
    assert slip is not None
    assert slip.qr_text == site.slip(parcel)
    assert slip.digits == site.digits(parcel)


def test_s01_an_unknown_label_is_created_here_and_its_slip_opens_without_any_hub(site: VirtualSite) -> None:
    site.sign_in()
    site.card(CommandCard.SIZE_M)
    site.scan("ZZ-NEVER-SEEN-42", entropy=77)
    site.open("3")
    site.wait(4_000)
    site.close("3")
    slip = site.view().staff.slip
    assert slip is not None
    site.press(Button.SIGN_OUT)
    site.wait(4_000)
    site.scan(slip.qr_text)
    assert site.pulses()[-1] == "3"


def test_s01_the_second_parcel_needs_no_key_at_all(site: VirtualSite) -> None:
    site.sign_in()
    site.scan("8N00234584101", entropy=1)
    assert step(site) is Step.CHOOSE_SIZE
    site.press(Button.SIZE, "S")
    site.open("1")
    site.wait(2_000)
    site.close("1")
    site.scan("8N00234584102", entropy=2)
    assert site.task_compartment() == "2"
    assert site.pulses() == ["1", "2"]


def test_s03_a_label_in_stock_is_shown_where_it_is(site: VirtualSite) -> None:
    site.stored()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    assert told(site) is StaffNoticeKind.ALREADY_HERE
    assert "parcel_received" not in site.kinds()


def test_s04_a_label_already_collected_stops_and_says_so(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    site.wait(4_000)
    site.close("1")
    site.wait(900_000)
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    assert told(site) is StaffNoticeKind.ALREADY_ENDED


def test_s05_bigger_asks_empty_before_the_first_door_is_free(site: VirtualSite) -> None:
    parcel = site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.open("1")
    site.card(CommandCard.BIGGER)
    assert step(site) is Step.TAKE_BACK
    site.wait(3_000)
    site.close("1")
    assert step(site) is Step.ASK_EMPTY
    assert site.occupancy("1") is Occupancy.RESERVED, "not free on anybody's word but the answer"
    site.card(CommandCard.EMPTY)
    assert site.occupancy("1") is Occupancy.FREE
    assert site.task_compartment() == "3"
    assert site.pulses() == ["1", "3"]
    site.open("3")
    site.wait(2_000)
    site.close("3")
    assert site.parcel(parcel).state is ParcelState.STORED


def test_s05_no_answer_leaves_the_first_compartment_unknown(site: VirtualSite) -> None:
    parcel = site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.open("1")
    site.press(Button.BIGGER)
    site.close("1")
    site.wait(30_000)
    assert site.occupancy("1") is Occupancy.UNKNOWN
    assert site.parcel(parcel).state is ParcelState.RECEIVED
    assert told(site) is StaffNoticeKind.LEFT_UNKNOWN


def test_s06_no_free_door_of_the_size_takes_the_next_size_then_the_shelf(site: VirtualSite) -> None:
    site.sign_in()
    site.card(CommandCard.SIZE_S)
    used = []
    for number in range(4):
        site.scan(f"8N0023458410{number}", entropy=number + 1)
        used.append(site.task_compartment())
        site.open(used[-1])
        site.wait(2_000)
        site.close(used[-1])
    assert used == ["1", "2", "3", "4"]
    site.scan("8N00234584109", entropy=9)
    assert step(site) is Step.PUT_ON_SHELF
    site.card(CommandCard.DONE)
    shelf = [parcel for parcel in site.state.durable.parcels.values() if parcel.place is not None]
    assert sum(parcel.place.kind is PlaceKind.SHELF for parcel in shelf if parcel.place) == 1


def test_s09_cancel_after_the_door_closed_asks_and_without_answer_is_unknown(site: VirtualSite) -> None:
    site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.open("1")
    site.wait(2_000)
    site.close("1")
    site.card(CommandCard.CANCEL)
    assert step(site) is Step.ASK_EMPTY
    site.wait(30_000)
    assert site.occupancy("1") is Occupancy.UNKNOWN


def test_s09_cancel_answered_empty_frees_the_compartment_and_keeps_the_parcel_in_hand(site: VirtualSite) -> None:
    parcel = site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.open("1")
    site.press(Button.CANCEL)
    site.close("1")
    site.press(Button.EMPTY)
    assert site.occupancy("1") is Occupancy.FREE
    assert site.parcel(parcel).state is ParcelState.RECEIVED


def test_s12_loading_and_collecting_need_no_hub_and_the_facts_wait(site: VirtualSite) -> None:
    parcel = site.stored()
    assert site.recorder.acked == 0
    site.ack(5, 3)
    assert site.recorder.acked == 3
    site.ack(5, 2)
    assert site.recorder.acked == 3, "a late acknowledgement changes nothing"
    site.ack(4, 99)
    assert site.recorder.acked == 3, "an older incarnation is ignored"
    site.ack(6, 1)
    assert site.recorder.acked == 1, "a restored hub asks again from where it stands"
    assert parcel in site.state.durable.parcels


def test_s14_a_low_reach_need_never_gets_a_high_door(site: VirtualSite) -> None:
    site.announce(reach=ReachZone.MID)
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    assert site.task_compartment() == "2"


def test_s15_a_heavy_parcel_stands_between_40_and_130_centimetres(site: VirtualSite) -> None:
    site.announce(heavy=True, size=SizeClass.M)
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    assert site.task_compartment() == "3"


def test_s17_an_unknown_badge_is_refused(site: VirtualSite) -> None:
    site.scan(badge_text(4711))
    assert told(site) is StaffNoticeKind.BADGE_UNKNOWN
    assert site.state.durable.staff is None


def test_s18_an_idle_session_ends_but_never_with_a_door_open(site: VirtualSite) -> None:
    site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.open("1")
    site.wait(180_000)
    assert site.state.durable.staff is not None
    assert [alarm.alarm for alarm in site.view().alarms] == ["door_left_open"]
    site.close("1")
    site.wait(90_000)
    assert site.state.durable.staff is None


@pytest.mark.parametrize("left_at", [Step.CHOOSE_SIZE, Step.PUT_ON_SHELF, Step.TAKE_FROM_SHELF])
def test_s18_an_idle_session_ends_in_the_middle_of_what_needs_no_door(site: VirtualSite, left_at: Step) -> None:
    """Whoever passes would have the rights of staff who went away with a parcel in their arms. It goes on with its label."""
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    if left_at is not Step.CHOOSE_SIZE:
        site.card(CommandCard.SHELF)
    if left_at is Step.TAKE_FROM_SHELF:
        site.card(CommandCard.DONE)
        known = next(iter(site.state.durable.parcels.values()))
        site.planned[known.id] = PlannedParcel(id=known.id, version=1, tracking=known.tracking, intent=Intent.RECALL)
        site.publish_plan()
        site.press(Button.RETRIEVE)
    assert step(site) is left_at
    site.wait(89_000)
    assert site.state.durable.staff is not None
    site.wait(2_000)
    assert site.kinds()[-1] == "staff_signed_out"
    assert step(site) is None
    if left_at is not Step.TAKE_FROM_SHELF:
        site.sign_in()
        site.scan(LABEL_OF_PARCEL)
        assert step(site) is Step.CHOOSE_SIZE


def test_a_load_door_that_never_opens_is_suspect_and_another_one_is_tried(site: VirtualSite) -> None:
    parcel = site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.wait(12_000)
    assert site.service("1") is Service.SUSPECT
    assert site.task_compartment() == "2"
    site.open("2")
    site.wait(2_000)
    site.close("2")
    assert site.parcel(parcel).state is ParcelState.STORED


@pytest.mark.parametrize("opened", [False, True])
def test_d02_a_restart_in_the_middle_of_a_deposit_frees_nothing_and_loses_no_parcel(
    site: VirtualSite, *, opened: bool
) -> None:
    parcel = site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    if opened:
        site.open("1")
    site.restart()
    if opened:
        site.close("1")
    assert site.occupancy("1") is Occupancy.UNKNOWN
    assert site.parcel(parcel).state is ParcelState.RECEIVED
    assert site.state.durable.staff is None
    for _ in range(2):  # Its recipient is not too early: it may lie there.
        site.wait(4_000)
        site.scan(site.slip(parcel))
    assert [(call.reason, call.compartment) for call in site.state.durable.calls] == [("deposit_cut", Label("1"))]
    shown = site.view().customer.notice
    assert shown is not None
    assert shown.kind is NoticeKind.ASK_DESK
    site.sign_in()
    site.wait(3_000)
    site.press(Button.CHECK, compartment="1")
    site.open("1")
    site.wait(2_000)
    site.close("1")
    site.card(CommandCard.NOT_EMPTY)
    assert site.parcel(parcel).state is ParcelState.STORED
    assert site.occupancy("1") is Occupancy.OCCUPIED


@pytest.mark.parametrize("put_in", [False, True])
def test_d02_a_parcel_that_a_cut_deposit_left_nowhere_is_looked_for_until_its_label_is_read(
    site: VirtualSite, *, put_in: bool
) -> None:
    """It sprang open again just when the power failed, or was never shut: nobody saw the parcel since, and nobody has it."""
    parcel = site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.open("1")
    site.wait(5_000)
    if put_in:
        site.close("1")
        site.open("1")
    site.doors[Label("1")] = Door.CLOSED
    site.restart()
    site.sign_in()
    site.wait(3_000)
    site.press(Button.CHECK, compartment="1")
    site.open("1")
    site.wait(2_000)
    site.close("1")
    site.card(CommandCard.EMPTY)
    known = site.parcel(parcel)
    assert (known.state, known.reason, known.place) == (ParcelState.DISPUTED, "not_found", None)
    assert (site.occupancy("1"), site.service("1")) == (Occupancy.FREE, Service.IN_SERVICE)
    site.wait(3_000)
    site.scan(LABEL_OF_PARCEL)
    assert site.parcel(parcel).state is ParcelState.RECEIVED
    site.press(Button.CANCEL)
    site.open("1")
    site.close("1")
    site.card(CommandCard.EMPTY)
    assert site.parcel(parcel).state is ParcelState.RECEIVED, "it is in their hands"


def test_d02_a_label_read_after_a_cut_deposit_says_who_has_the_parcel(site: VirtualSite) -> None:
    parcel = site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.restart()
    site.sign_in()
    site.wait(3_000)
    site.scan(LABEL_OF_PARCEL)
    site.press(Button.CANCEL)
    label = site.task_compartment()
    site.open(label)
    site.close(label)
    site.card(CommandCard.EMPTY)
    assert site.parcel(parcel).state is ParcelState.RECEIVED


def test_a_check_that_finds_nothing_where_a_parcel_should_be_says_so(site: VirtualSite) -> None:
    parcel = site.stored()
    site.restart()
    site.sign_in()
    site.wait(3_000)
    site.press(Button.CHECK, compartment="1")
    site.open("1")
    site.wait(2_000)
    site.close("1")
    site.press(Button.EMPTY)
    assert site.parcel(parcel).state is ParcelState.DISPUTED
    assert site.service("1") is Service.SUSPECT


def test_a_parcel_that_was_not_found_is_put_in_again_once_its_label_is_scanned(site: VirtualSite) -> None:
    parcel = site.stored()
    site.restart()
    site.sign_in()
    site.wait(3_000)
    site.press(Button.CHECK, compartment="1")
    site.open("1")
    site.wait(2_000)
    site.close("1")
    site.press(Button.EMPTY)
    site.wait(3_000)
    site.scan(LABEL_OF_PARCEL)
    label = site.task_compartment()
    site.open(label)
    site.wait(3_000)
    site.close(label)
    assert site.parcel(parcel).state is ParcelState.STORED
    assert site.parcel(parcel).place == in_compartment(Label(label))


def test_a_parcel_taken_out_by_staff_is_removed_only_after_the_compartment_was_seen_empty(site: VirtualSite) -> None:
    parcel = site.stored()
    site.sign_in()
    site.press(Button.REMOVE, parcel=parcel)
    site.open("1")
    site.wait(2_000)
    site.close("1")
    assert parcel in site.state.durable.parcels
    site.press(Button.EMPTY)
    assert site.state.durable.ended[parcel].state is ParcelState.REMOVED
    assert site.occupancy("1") is Occupancy.FREE


def test_a_snapshot_holds_the_whole_durable_state(site: VirtualSite) -> None:
    site.stored()
    assert site.through_a_snapshot() == site.state.durable


def test_s08_with_another_door_standing_open_the_label_waits_for_it_to_be_closed(site: VirtualSite) -> None:
    site.announce()
    site.sign_in()
    site.open("4")
    site.scan(LABEL_OF_PARCEL)
    assert told(site) is StaffNoticeKind.CLOSE_DOOR_FIRST
    assert site.pulses() == []
    site.close("4")
    site.wait(4_000)
    site.scan(LABEL_OF_PARCEL)
    assert site.pulses() == ["1"]


def test_s01_a_door_shut_at_once_has_received_nothing_and_staff_are_asked(site: VirtualSite) -> None:
    """The wind shuts the door of a deposit: nobody put a parcel in that quickly (ADR 0008)."""
    parcel = site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.open("1")
    site.wait(300)
    site.close("1")
    task = site.state.live.task
    assert task is not None
    assert task.step is Step.ASK_EMPTY
    assert site.parcel(parcel).state is ParcelState.RECEIVED
    site.card(CommandCard.EMPTY)
    assert site.occupancy("1") is Occupancy.FREE
    site.wait(4_000)
    site.scan(LABEL_OF_PARCEL)
    site.open("1")
    site.wait(300)
    site.close("1")
    site.card(CommandCard.NOT_EMPTY)
    assert site.parcel(parcel).state is ParcelState.STORED, "or it was there all the same"
    assert site.occupancy("1") is Occupancy.OCCUPIED


def test_the_last_stored_parcel_that_its_customer_did_not_find_is_not_back_in_the_hands_of_staff(
    site: VirtualSite,
) -> None:
    """Found by the simulator: staff who looked after the complaint had, by the books, taken it back themselves."""
    parcel = site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.wait(4_000)
    site.scan(site.slip(parcel))
    site.open("1")
    site.wait(3_000)
    site.press(Button.FOUND_EMPTY, compartment="1")
    site.close("1")
    site.wait(4_000)
    site.press(Button.CHECK, compartment="1")
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.press(Button.EMPTY)
    assert site.parcel(parcel).state is ParcelState.DISPUTED
    assert site.occupancy("1") is Occupancy.FREE
