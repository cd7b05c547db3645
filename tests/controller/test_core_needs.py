"""What staff say of a parcel at the desk, and room made for those who cannot reach: S-11, S-13, S-14, S-15."""

from __future__ import annotations

import pytest

from controller.core.events import Button, DiskRoom
from controller.core.model import Needs, Step, in_compartment
from controller.core.notices import StaffNoticeKind
from controller.kiosk.staff_words import MARK_CHARACTERS
from tests.controller.virtual_site import LABEL_OF_PARCEL, VirtualSite, told
from wire import facts as f
from wire.badges import CommandCard
from wire.ids import Label, Occupancy, ParcelId, ParcelState, PlaceKind, ReachZone, SizeClass, parcel_id_from_bits
from wire.plan import Intent

NEXT = "8N00234584999"


def step(site: VirtualSite) -> Step | None:
    task = site.view().staff.task
    return None if task is None else task.step


def put(site: VirtualSite, label: str) -> None:
    """A hand at the open door of a deposit."""
    assert site.task_compartment() == label
    site.open(label)
    site.wait(3_000)
    site.close(label)


def noted(site: VirtualSite) -> list[f.ParcelNoted]:
    return [fact for fact in site.recorder.facts if isinstance(fact, f.ParcelNoted)]


# ------------------------------------------------------------------------------------------------------------- S-15


def test_s15_heavy_said_before_the_label_counts_for_the_next_parcel_only(site: VirtualSite) -> None:
    site.sign_in()
    site.card(CommandCard.SIZE_M)
    site.card(CommandCard.HEAVY)
    assert (told(site), site.view().staff.needs) == (StaffNoticeKind.NEEDS_NOTED, Needs(heavy=True))
    site.scan(LABEL_OF_PARCEL, entropy=1)
    put(site, "3")
    assert site.parcel(parcel_id_from_bits(1)).heavy_said
    assert site.view().staff.needs == Needs()
    site.scan(NEXT, entropy=2)
    put(site, "4")
    assert not site.parcel(parcel_id_from_bits(2)).heavy_said
    assert [(fact.heavy, fact.low) for fact in noted(site)] == [(True, None)]


def test_s15_heavy_said_at_a_door_too_high_asks_for_it_back_and_opens_one_in_between(site: VirtualSite) -> None:
    parcel = site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.open("1")
    site.wait(2_000)
    site.press(Button.HEAVY)
    assert step(site) is Step.TAKE_BACK
    site.close("1")
    site.card(CommandCard.EMPTY)
    put(site, "2")
    assert site.parcel(parcel).place == in_compartment(Label("2"))
    assert site.occupancy("1") is Occupancy.FREE


def test_s15_heavy_said_at_a_good_door_changes_nothing_and_said_again_is_taken_back(site: VirtualSite) -> None:
    parcel = site.announce(size=SizeClass.M)
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.press(Button.HEAVY)
    assert (step(site), site.parcel(parcel).heavy_said) == (Step.PUT_IN, True)
    site.press(Button.HEAVY)
    assert not site.parcel(parcel).heavy_said
    put(site, "3")


def test_s15_a_plan_that_says_nothing_of_weight_does_not_undo_what_staff_felt(site: VirtualSite) -> None:
    parcel = site.announce(size=SizeClass.M)
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.press(Button.HEAVY)
    site.announce(size=SizeClass.M, version=2)
    assert site.parcel(parcel).heavy_said


def test_s15_the_other_word_for_the_next_parcel_is_taken_back_by_itself(site: VirtualSite) -> None:
    site.sign_in()
    site.card(CommandCard.LOW)
    site.card(CommandCard.HEAVY)
    assert site.view().staff.needs == Needs(heavy=True, low=True)
    site.wait(4_000)
    site.card(CommandCard.LOW)
    assert site.view().staff.needs == Needs(heavy=True)


def test_s15_nothing_is_said_of_a_compartment_that_is_looked_into(site: VirtualSite) -> None:
    site.sign_in()
    site.press(Button.CHECK, compartment="1")
    for button in (Button.HEAVY, Button.UNIDENTIFIED):
        site.press(button)
        assert told(site) is StaffNoticeKind.FINISH_FIRST
    assert noted(site) == []


def test_low_said_of_a_walk_in_parcel_keeps_it_from_high_doors(site: VirtualSite) -> None:
    site.sign_in()
    site.card(CommandCard.SIZE_S)
    site.card(CommandCard.LOW)
    site.scan(LABEL_OF_PARCEL, entropy=1)
    assert site.task_compartment() == "2", "the small door at hand, not the high one that anybody else gets"


def test_low_said_of_a_parcel_whose_plan_asks_for_more_keeps_what_the_plan_asks(site: VirtualSite) -> None:
    site.announce(reach=ReachZone.MID, size=SizeClass.M)
    site.sign_in()
    site.card(CommandCard.LOW)
    site.scan(LABEL_OF_PARCEL)
    assert step(site) is Step.PUT_ON_SHELF, "the only doors of the size are low, and this person needs one at hand"


# ------------------------------------------------------------------------------------------------------------- S-13


def nameless(site: VirtualSite) -> ParcelId:
    site.sign_in()
    site.card(CommandCard.UNIDENTIFIED)
    task = site.view().staff.task
    assert task is not None
    assert task.parcel is not None
    return task.parcel


def test_s13_a_parcel_nobody_can_read_lies_on_the_shelf_and_has_no_code(site: VirtualSite) -> None:
    parcel = nameless(site)
    task = site.view().staff.task
    assert task is not None
    assert (task.step, task.unidentified) == (Step.PUT_ON_SHELF, True)
    assert len(parcel[-MARK_CHARACTERS:]) == MARK_CHARACTERS
    site.card(CommandCard.DONE)
    known = site.parcel(parcel)
    assert known.place is not None
    assert (known.state, known.place.kind, known.tracking) == (ParcelState.STORED, PlaceKind.SHELF, "")
    assert site.view().staff.slip is None
    assert site.pulses() == []
    (shown,) = site.view().staff.parcels
    assert shown.unidentified


def test_s13_it_is_given_to_nobody_before_it_is_identified_and_then_as_any_other(site: VirtualSite) -> None:
    parcel = nameless(site)
    site.card(CommandCard.DONE)
    site.press(Button.HAND_OVER, parcel=parcel)
    assert told(site) is StaffNoticeKind.IDENTIFY_FIRST
    site.press(Button.IDENTIFIED, parcel=parcel)
    assert (told(site), site.lamp.patterns[-1]) == (StaffNoticeKind.IDENTIFIED, "ok")
    slip = site.view().staff.slip
    assert slip is not None
    assert slip.parcel == parcel
    site.press(Button.HAND_OVER, parcel=parcel)
    assert site.state.durable.ended[parcel].state is ParcelState.COLLECTED


def test_s13_a_readable_label_with_an_illegible_name_goes_to_the_shelf_whenever_it_is_scanned(
    site: VirtualSite,
) -> None:
    site.sign_in()
    site.scan(LABEL_OF_PARCEL, entropy=1)
    assert step(site) is Step.CHOOSE_SIZE
    site.press(Button.UNIDENTIFIED)
    assert step(site) is Step.PUT_ON_SHELF
    site.card(CommandCard.CANCEL)
    site.wait(4_000)
    site.scan(LABEL_OF_PARCEL)
    assert step(site) is Step.PUT_ON_SHELF
    site.press(Button.IDENTIFIED, parcel=parcel_id_from_bits(1))
    assert site.view().staff.slip is None, "it lies nowhere yet"


def test_s13_said_at_an_open_door_the_parcel_comes_out_again_first(site: VirtualSite) -> None:
    parcel = site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.open("1")
    site.wait(2_000)
    site.press(Button.UNIDENTIFIED)
    assert step(site) is Step.TAKE_BACK
    site.close("1")
    site.card(CommandCard.EMPTY)
    assert step(site) is Step.PUT_ON_SHELF
    assert site.parcel(parcel).unidentified


def test_s13_only_what_is_unidentified_can_be_identified(site: VirtualSite) -> None:
    parcel = site.stored()
    site.sign_in()
    for known in (None, parcel, parcel_id_from_bits(404)):
        site.press(Button.IDENTIFIED, parcel=known)
        assert told(site) is StaffNoticeKind.NOTHING_TO_DO
    assert noted(site) == []


def test_s13_a_full_disk_takes_no_parcel_without_a_name_either(site: VirtualSite) -> None:
    site.sign_in()
    site.runner.feed(DiskRoom(short=True))
    site.card(CommandCard.UNIDENTIFIED)
    assert (told(site), step(site)) == (StaffNoticeKind.DISK_FULL, None)


# ------------------------------------------------------------------------------------------------------------- S-14


def crowded(site: VirtualSite, **fields: object) -> tuple[ParcelId, ParcelId]:
    """The only small door at hand holds a parcel for anybody, the high one is free again; another one must lie low."""
    first = site.stored(1, "8N00234584201")
    site.wait(4_000)
    movable = site.stored(2, "8N00234584202", **fields)
    site.wait(4_000)
    site.sign_in()
    site.press(Button.REMOVE, parcel=first)
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.card(CommandCard.EMPTY)
    assert site.occupancy("1") is Occupancy.FREE
    for label in ("3", "4"):
        site.out_of_service(label)
    parcel = site.announce(3, LABEL_OF_PARCEL, reach=ReachZone.MID)
    site.wait(4_000)
    site.scan(LABEL_OF_PARCEL)
    assert step(site) is Step.PUT_ON_SHELF
    return movable, parcel


def room(site: VirtualSite) -> str | None:
    task = site.view().staff.task
    return None if task is None else task.room


def test_s14_a_parcel_makes_room_door_by_door_and_nothing_is_ever_in_two_places_or_in_none(site: VirtualSite) -> None:
    movable, parcel = crowded(site)
    assert room(site) == "2"
    site.card(CommandCard.MAKE_ROOM)
    assert (step(site), site.task_compartment()) == (Step.TAKE_BACK, "2")
    site.open("2")
    site.wait(3_000)
    assert site.parcel(movable).state is ParcelState.RECEIVED, "with staff from the moment the door is open"
    site.close("2")
    assert site.occupancy("2") is Occupancy.UNKNOWN, "until somebody has seen that it is out"
    site.card(CommandCard.EMPTY)
    assert site.occupancy("2") is Occupancy.FREE
    put(site, "1")
    assert site.parcel(movable).place == in_compartment(Label("1"))
    put(site, "2")
    assert site.parcel(parcel).place == in_compartment(Label("2"))
    assert step(site) is None


def test_s14_a_power_cut_while_it_is_moved_lets_no_key_open_the_door_it_has_left(site: VirtualSite) -> None:
    """Found by the simulator: its slip opened an empty compartment, and it counted as collected."""
    movable, _ = crowded(site)
    site.press(Button.MAKE_ROOM)
    site.open("2")
    site.wait(3_000)
    site.restart()
    site.close("2")
    pulses = len(site.pulses())
    site.wait(4_000)
    site.scan(site.slip(movable))
    assert len(site.pulses()) == pulses
    site.sign_in()
    site.press(Button.CHECK, compartment="2")
    site.open("2")
    site.wait(3_000)
    site.open("2")
    site.close("2")
    site.press(Button.EMPTY)
    assert site.parcel(movable).reason == "not_found", "in whose hands it is, its label says"
    assert site.occupancy("2") is Occupancy.FREE


def test_s14_a_door_helped_by_hand_after_it_had_failed_moves_nothing(site: VirtualSite) -> None:
    movable, _ = crowded(site)
    site.press(Button.MAKE_ROOM)
    site.wait(12_000)
    assert step(site) is None
    site.open("2")
    assert site.parcel(movable).place == in_compartment(Label("2"))


def test_s14_a_door_that_springs_open_while_it_is_asked_about_is_told_once(site: VirtualSite) -> None:
    movable, _ = crowded(site)
    site.press(Button.MAKE_ROOM)
    site.open("2")
    site.wait(3_000)
    site.close("2")
    site.wait(300)
    site.open("2")
    released = [fact for fact in site.recorder.facts if isinstance(fact, f.ReservationReleased)]
    assert [fact.parcel for fact in released] == [movable]


def test_s14_left_where_it_is_it_stays_and_the_other_one_goes_on_the_shelf(site: VirtualSite) -> None:
    movable, parcel = crowded(site)
    site.press(Button.MAKE_ROOM)
    site.open("2")
    site.wait(3_000)
    site.close("2")
    site.card(CommandCard.NOT_EMPTY)
    assert site.parcel(movable).place == in_compartment(Label("2"))
    task = site.view().staff.task
    assert task is not None
    assert (task.step, task.parcel) == (Step.PUT_ON_SHELF, parcel)


def test_s14_without_an_answer_the_moved_one_is_in_doubt_and_the_other_one_goes_on_the_shelf(site: VirtualSite) -> None:
    _, parcel = crowded(site)
    site.press(Button.MAKE_ROOM)
    site.open("2")
    site.wait(3_000)
    site.close("2")
    site.wait(30_000)
    assert site.occupancy("2") is Occupancy.UNKNOWN
    task = site.view().staff.task
    assert task is not None
    assert (task.step, task.parcel) == (Step.PUT_ON_SHELF, parcel)


def test_s14_the_high_door_fails_and_both_go_on_all_the_same(site: VirtualSite) -> None:
    movable, parcel = crowded(site)
    site.press(Button.MAKE_ROOM)
    site.open("2")
    site.wait(3_000)
    site.close("2")
    site.card(CommandCard.EMPTY)
    site.wait(12_000)
    assert site.task_compartment() == "2", "no other door is left for it: it goes back"
    put(site, "2")
    assert site.parcel(movable).place == in_compartment(Label("2"))
    task = site.view().staff.task
    assert task is not None
    assert (task.step, task.parcel) == (Step.PUT_ON_SHELF, parcel)


def test_s14_put_on_the_shelf_instead_the_low_door_is_for_the_one_that_waits(site: VirtualSite) -> None:
    movable, parcel = crowded(site)
    site.press(Button.MAKE_ROOM)
    site.open("2")
    site.wait(3_000)
    site.close("2")
    site.card(CommandCard.EMPTY)
    site.open("1")
    site.press(Button.SHELF)
    site.wait(3_000)
    site.close("1")
    site.card(CommandCard.EMPTY)
    site.wait(2_000)
    site.card(CommandCard.DONE)
    place = site.parcel(movable).place
    assert place is not None
    assert place.kind is PlaceKind.SHELF
    put(site, "2")
    assert site.parcel(parcel).place == in_compartment(Label("2"))


def test_s14_the_moved_parcel_on_the_shelf_while_a_door_stands_open_keeps_the_other_one_in_hand(
    site: VirtualSite,
) -> None:
    _, parcel = crowded(site)
    site.press(Button.MAKE_ROOM)
    site.open("2")
    site.wait(3_000)
    site.close("2")
    site.card(CommandCard.EMPTY)
    site.press(Button.SHELF)
    site.open("1")
    site.wait(1_600)
    site.close("1")
    site.press(Button.EMPTY)
    assert step(site) is Step.PUT_ON_SHELF
    site.open("1")
    site.card(CommandCard.DONE)
    task = site.view().staff.task
    assert task is not None
    assert (task.step, task.parcel) == (Step.CHOOSE_SIZE, parcel)


@pytest.mark.parametrize("why", ["recalled", "needs it too", "somebody is at it"])
def test_s14_whose_parcel_cannot_move_is_left_alone(site: VirtualSite, why: str) -> None:
    fields: dict[str, object] = {"reach": ReachZone.MID} if why == "needs it too" else {}
    movable, _ = crowded(site, **fields)
    if why == "recalled":
        site.announce(2, "8N00234584202", intent=Intent.RECALL)
    if why == "somebody is at it":
        site.scan(site.slip(movable))
    assert room(site) is None
    site.card(CommandCard.MAKE_ROOM)
    assert told(site) is StaffNoticeKind.NO_ROOM


def test_s14_room_is_made_for_who_needs_it_and_only_from_the_shelf(site: VirtualSite) -> None:
    site.sign_in()
    site.press(Button.MAKE_ROOM)
    assert told(site) is StaffNoticeKind.NO_ROOM
    movable, _ = crowded(site)
    site.press(Button.UNIDENTIFIED)
    assert room(site) is None, "nobody is known who could not reach"
    assert site.parcel(movable).place == in_compartment(Label("2"))


def test_s14_with_a_door_standing_open_no_second_one_is_opened(site: VirtualSite) -> None:
    """A customer comes while staff stand before the shelf: their door first."""
    somebody = site.stored(9, "8N00234584209", size=SizeClass.L)
    site.wait(4_000)
    crowded(site)
    site.press(Button.PUT_IN_SERVICE, "checked", compartment="4")
    site.scan(site.slip(somebody))
    site.open("4")
    site.card(CommandCard.MAKE_ROOM)
    assert told(site) is StaffNoticeKind.CLOSE_DOOR_FIRST
    assert site.pulses()[-1] == "4"


# ------------------------------------------------------------------------------------------------------------- S-11


def test_s11_a_customer_who_came_later_is_served_before_the_next_label(site: VirtualSite) -> None:
    """Customer first; then loading goes on with the parcel that was in hand."""
    first = site.stored(1, "8N00234584201")
    second = site.stored(2, "8N00234584202")
    site.announce(3, NEXT, size=SizeClass.M)
    site.sign_in()
    site.wait(4_000)
    site.scan(site.slip(first))
    site.open("1")
    site.scan(NEXT)
    site.scan(site.slip(second))
    assert site.pulses() == ["1"]
    site.wait(3_000)
    site.close("1")
    site.wait(100)
    assert site.pulses() == ["1", "2"], "the second customer, although the label was scanned before"
    site.open("2")
    site.wait(3_000)
    site.close("2")
    site.wait(2_000)
    assert site.pulses() == ["1", "2", "3"]
    assert site.task_compartment() == "3"


def test_s11_digits_wait_in_front_of_a_label_too(site: VirtualSite) -> None:
    first = site.stored(1, "8N00234584201")
    second = site.stored(2, "8N00234584202")
    site.announce(3, NEXT, size=SizeClass.M)
    site.sign_in()
    site.wait(4_000)
    site.scan(site.slip(first))
    site.open("1")
    site.scan(NEXT)
    site.type(site.digits(second))
    site.wait(3_000)
    site.close("1")
    site.wait(100)
    assert site.pulses() == ["1", "2"]
