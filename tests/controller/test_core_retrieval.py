"""Staff take out what is recalled or refused, and each is known by its label: M-01."""

from __future__ import annotations

from controller.core.events import Button
from controller.core.model import Step
from controller.core.notices import StaffNoticeKind
from tests.controller.virtual_site import LABEL_OF_PARCEL, VirtualSite, task, told
from wire import facts as f
from wire.badges import CommandCard
from wire.ids import Occupancy, ParcelId, ParcelState, PlaceKind, parcel_id_from_bits
from wire.plan import Intent, Role

OTHER = "8N00234584999"


def recall(site: VirtualSite, bits: int, tracking: str) -> ParcelId:
    return site.announce(bits, tracking, intent=Intent.RECALL)


def taken_out(site: VirtualSite, label: str) -> None:
    """The door follows its pulse, and hands take out what lies there."""
    assert site.task_compartment() == label
    site.open(label)
    site.wait(3_000)


def removed(site: VirtualSite) -> list[tuple[ParcelId, str]]:
    return [(fact.parcel, fact.reason) for fact in site.recorder.facts if isinstance(fact, f.ParcelRemoved)]


def begun(site: VirtualSite) -> ParcelId:
    parcel = site.stored()
    recall(site, 1, LABEL_OF_PARCEL)
    site.sign_in()
    site.press(Button.RETRIEVE)
    taken_out(site, "1")
    return parcel


def test_a_recalled_parcel_is_removed_after_open_scan_close_and_seen_empty(site: VirtualSite) -> None:
    parcel = begun(site)
    assert (task(site).retrieving, task(site).scanned) == (True, False)
    site.scan(LABEL_OF_PARCEL)
    assert (told(site), task(site).scanned) == (StaffNoticeKind.LABEL_MATCHED, True)
    site.close("1")
    assert (task(site).step, removed(site)) == (Step.ASK_EMPTY, [])
    assert site.occupancy("1") is Occupancy.OCCUPIED
    site.card(CommandCard.EMPTY)
    assert removed(site) == [(parcel, "recalled")]
    assert site.occupancy("1") is Occupancy.FREE
    assert site.state.durable.ended[parcel].state is ParcelState.REMOVED


def test_the_label_may_be_scanned_after_the_door_was_shut_and_empty_alone_frees_nothing(site: VirtualSite) -> None:
    parcel = begun(site)
    site.close("1")
    site.wait(20_000)
    site.card(CommandCard.EMPTY)
    assert (told(site), removed(site)) == (StaffNoticeKind.SCAN_LABEL, [])
    site.wait(20_000)
    assert task(site).step is Step.ASK_EMPTY, "being told to scan gives the time to do so"
    site.scan(LABEL_OF_PARCEL)
    site.wait(20_000)
    site.press(Button.EMPTY)
    assert removed(site) == [(parcel, "recalled")]


def test_a_door_that_sprang_open_is_shut_before_it_is_called_empty(site: VirtualSite) -> None:
    """Bank 245: it was freed, and could be allotted, while it stood open."""
    parcel = begun(site)
    site.scan(LABEL_OF_PARCEL)
    site.close("1")
    site.wait(500)
    site.open("1")
    site.press(Button.EMPTY)
    assert (told(site), removed(site)) == (StaffNoticeKind.CLOSE_DOOR_FIRST, [])
    assert site.occupancy("1") is Occupancy.OCCUPIED
    site.wait(500)
    site.close("1")
    site.press(Button.EMPTY)
    assert removed(site) == [(parcel, "recalled")]
    assert site.occupancy("1") is Occupancy.FREE


def test_another_parcel_stops_everything_and_one_of_ours_is_looked_into(site: VirtualSite) -> None:
    site.stored(2, OTHER)
    parcel = site.stored(1)
    recall(site, 1, LABEL_OF_PARCEL)
    site.sign_in()
    site.press(Button.RETRIEVE)
    taken_out(site, "2")
    site.scan("XX999")
    assert (told(site), site.state.durable.calls) == (StaffNoticeKind.WRONG_PARCEL, ())
    site.scan(OTHER)
    assert [call.reason for call in site.state.durable.calls] == ["wrong_parcel"]
    site.close("2")
    site.card(CommandCard.EMPTY)
    assert (removed(site), site.occupancy("2")) == ([], Occupancy.OCCUPIED)
    site.wait(31_000)
    assert (site.occupancy("2"), site.parcel(parcel).state) == (Occupancy.UNKNOWN, ParcelState.STORED)


def test_the_next_door_opens_by_itself_then_the_shelf_and_then_it_is_over(site: VirtualSite) -> None:
    for bits, tracking in ((1, LABEL_OF_PARCEL), (2, OTHER)):
        site.stored(bits, tracking)
        recall(site, bits, tracking)
    site.announce(3, "8N00234585000")
    site.sign_in()
    site.scan("8N00234585000")
    site.open(site.task_compartment())
    site.press(Button.SHELF)
    site.wait(3_000)
    site.close(site.task_compartment())
    site.press(Button.EMPTY)
    site.press(Button.DONE)
    shelved = recall(site, 3, "8N00234585000")
    assert [parcel.to_retrieve for parcel in site.view().staff.parcels] == [True] * 3
    site.wait(3_000)
    site.press(Button.RETRIEVE)
    for label, tracking in (("1", LABEL_OF_PARCEL), ("2", OTHER)):
        taken_out(site, label)
        site.scan(tracking)
        site.close(label)
        site.press(Button.EMPTY)
    assert (task(site).step, task(site).shelf_place) == (Step.TAKE_FROM_SHELF, "E1")
    site.press(Button.EMPTY)
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO
    site.scan("8N00234585000")
    assert removed(site)[-1] == (shelved, "recalled")
    last = site.view().staff.notice
    assert last is not None
    assert (last.kind, last.parcel, last.tracking) == (StaffNoticeKind.REMOVED, shelved, "8N00234585000")
    site.press(Button.RETRIEVE)
    assert (told(site), site.view().staff.task) == (StaffNoticeKind.ALL_RETRIEVED, None)


def on_shelf(site: VirtualSite) -> ParcelId:
    parcel = site.announce()
    site.sign_in()
    site.press(Button.SHELF)
    site.scan(LABEL_OF_PARCEL)
    site.open("1")
    site.press(Button.SHELF)
    site.wait(3_000)
    site.close("1")
    site.press(Button.EMPTY)
    site.press(Button.DONE)
    recall(site, 1, LABEL_OF_PARCEL)
    site.press(Button.RETRIEVE, parcel=parcel)
    assert task(site).step is Step.TAKE_FROM_SHELF
    return parcel


def test_a_parcel_of_the_shelf_is_left_for_later_not_found_or_handed_over(site: VirtualSite) -> None:
    parcel = on_shelf(site)
    site.press(Button.CANCEL)
    assert site.view().staff.task is None
    site.press(Button.RETRIEVE)
    site.press(Button.NOT_THERE)
    assert (site.parcel(parcel).state, site.parcel(parcel).reason) == (ParcelState.DISPUTED, "not_found")


def test_a_parcel_handed_over_in_the_middle_of_its_retrieval_is_no_task_any_more(site: VirtualSite) -> None:
    parcel = on_shelf(site)
    site.press(Button.HAND_OVER, parcel=parcel)
    assert (site.view().staff.task, site.state.durable.ended[parcel].state) == (None, ParcelState.COLLECTED)


def test_what_is_not_behind_its_door_is_disputed_and_the_door_suspect(site: VirtualSite) -> None:
    parcel = begun(site)
    site.press(Button.CANCEL)
    assert told(site) is StaffNoticeKind.FINISH_FIRST
    site.press(Button.NOT_THERE)
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO, "the door has to be shut first"
    site.press(Button.EMPTY)
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO
    site.close("1")
    site.press(Button.NOT_THERE)
    assert (site.parcel(parcel).state, site.occupancy("1")) == (ParcelState.DISPUTED, Occupancy.FREE)
    site.press(Button.NOT_THERE)
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO


def test_put_back_it_stays_and_something_else_behind_the_door_leaves_it_unknown(site: VirtualSite) -> None:
    parcel = begun(site)
    site.close("1")
    site.press(Button.NOT_EMPTY)
    assert (site.occupancy("1"), site.parcel(parcel).state) == (Occupancy.OCCUPIED, ParcelState.STORED)
    for _ in range(2):  # the second time it is unknown already
        site.wait(5_000)
        site.press(Button.RETRIEVE)
        taken_out(site, "1")
        site.scan(LABEL_OF_PARCEL)
        site.close("1")
        site.press(Button.NOT_EMPTY)
        assert (told(site), site.occupancy("1")) == (StaffNoticeKind.LEFT_UNKNOWN, Occupancy.UNKNOWN)
    assert removed(site) == []


def test_a_customer_goes_first_and_a_door_that_stands_open_is_taken_as_it_is(site: VirtualSite) -> None:
    served = site.stored(2, OTHER)
    site.stored(1)
    recall(site, 1, LABEL_OF_PARCEL)
    site.sign_in()
    site.scan(site.slip(served))
    site.open("1")
    site.press(Button.RETRIEVE)
    assert site.view().staff.task is None
    site.wait(3_000)
    site.close("1")
    site.wait(3_000)
    assert site.task_compartment() == "2"
    site.press(Button.RETRIEVE)
    assert told(site) is StaffNoticeKind.FINISH_FIRST


def test_a_refused_parcel_whose_customer_still_stands_there_is_not_their_turn(site: VirtualSite) -> None:
    parcel = site.stored()
    site.sign_in()
    site.scan(site.slip(parcel))
    site.open("1")
    site.press(Button.REFUSE, compartment="1")
    site.press(Button.RETRIEVE)
    assert told(site) is StaffNoticeKind.ALL_RETRIEVED
    site.wait(3_000)
    site.close("1")
    site.wait(3_000)
    site.press(Button.RETRIEVE, parcel=parcel)
    taken_out(site, "1")
    site.scan(LABEL_OF_PARCEL)
    site.close("1")
    site.press(Button.EMPTY)
    assert removed(site) == [(parcel, "refused")]


def test_a_badge_with_a_pin_is_asked_before_the_first_door_and_a_mediator_takes_nothing_out(site: VirtualSite) -> None:
    site.pin = "2468"
    site.stored()
    recall(site, 1, LABEL_OF_PARCEL)
    site.sign_in()
    site.press(Button.RETRIEVE)
    assert site.view().staff.pin_asked
    site.give_pin("2468")
    assert site.task_compartment() == "1"
    other = VirtualSite()
    other.role = Role.MEDIATOR
    other.publish_plan()
    other.sign_in()
    other.press(Button.RETRIEVE)
    assert told(other) is StaffNoticeKind.NOT_YOURS


def test_what_its_recipient_may_have_taken_is_looked_into_first(site: VirtualSite) -> None:
    """It was never answered for, and the next look into its door called it collected."""
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    site.close("1")
    recall(site, 1, LABEL_OF_PARCEL)
    site.sign_in()
    site.press(Button.RETRIEVE)
    assert (site.parcel(parcel).uncertain, told(site)) == (True, StaffNoticeKind.ALL_RETRIEVED)
    site.wait(5_000)
    site.press(Button.CHECK, compartment="1")
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.press(Button.NOT_EMPTY)
    site.wait(5_000)
    site.press(Button.RETRIEVE)
    assert site.task_compartment() == "1"


def test_the_shelf_has_its_own_kind_of_place(site: VirtualSite) -> None:
    parcel = on_shelf(site)
    nameless = parcel_id_from_bits(9)
    site.happen(
        f.ParcelReceived(
            parcel=nameless,
            tracking="",
            carrier="",
            source="desk",
            key_version=1,
            key_epoch=0,
            session="1.1",
            by="amina",
        ),
        f.ParcelStored(parcel=nameless, place=f.Place(kind=PlaceKind.SHELF, name="E2"), session="1.1", by="amina"),
        f.ParcelRefused(parcel=nameless, place=f.Place(kind=PlaceKind.SHELF, name="E2"), session="1.1"),
    )
    due = {one.parcel: one.to_retrieve for one in site.view().staff.parcels}
    assert due == {parcel: True, nameless: False}, "what has no label is taken out by hand"
    place = site.parcel(parcel).place
    assert place is not None
    assert place.kind is PlaceKind.SHELF
