"""The shelf within an inventory: place after place, labels read, what is missing and what is there too (M-07)."""

from __future__ import annotations

import pytest

from controller.core.events import Button
from controller.core.model import Step, on_shelf
from controller.core.notices import StaffNoticeKind
from controller.core.views import ShelfView
from tests.controller.virtual_site import LABEL_OF_PARCEL, VirtualSite, task, told
from wire import facts as f
from wire.badges import CommandCard
from wire.desk_facts import SHELF_LISTED_MAX
from wire.ids import Found, Label, Occupancy, ParcelId, ParcelState
from wire.plan import Intent

SECOND, THIRD, STRANGE = "8N00234584222", "8N00234584333", "8N00234589999"


def on_the_shelf(site: VirtualSite, bits: int = 1, tracking: str = LABEL_OF_PARCEL) -> ParcelId:
    """A parcel that staff put on the shelf; places are filled in turn."""
    parcel = site.announce(bits, tracking)
    site.sign_in()
    site.scan(tracking)
    site.press(Button.SHELF)
    label = site.task_compartment()
    site.open(label)
    site.wait(2_000)
    site.close(label)
    site.card(CommandCard.EMPTY)
    site.card(CommandCard.DONE)
    site.wait(3_000)
    return parcel


def begun(site: VirtualSite, place: str = "E1") -> None:
    site.sign_in()
    site.press(Button.RECONCILE, "shelf")
    assert (task(site).step, task(site).shelf_place) == (Step.CHECK_SHELF, place)
    site.forget()


def looks(site: VirtualSite) -> list[tuple[str, Found, int, tuple[ParcelId, ...], tuple[str, ...]]]:
    return [
        (fact.place, fact.found, fact.expected, fact.missing, fact.others)
        for fact in site.recorder.facts
        if isinstance(fact, f.ShelfReconciled)
    ]


def test_each_label_read_is_ticked_and_all_there_is_as_expected(site: VirtualSite) -> None:
    one, _, three = on_the_shelf(site), on_the_shelf(site, 2, SECOND), on_the_shelf(site, 3, THIRD)
    assert [site.parcel(parcel).place for parcel in (one, three)] == [on_shelf("E1"), on_shelf("E1")]
    begun(site)
    assert task(site).shelf == ShelfView(((one, LABEL_OF_PARCEL, False), (three, THIRD, False)), ())
    site.scan(THIRD)
    assert (told(site), site.kinds()) == (StaffNoticeKind.ON_ITS_PLACE, [])
    assert task(site).shelf == ShelfView(((one, LABEL_OF_PARCEL, False), (three, THIRD, True)), ())
    site.wait(4_000)
    site.scan(LABEL_OF_PARCEL)
    site.card(CommandCard.OTHER)
    assert looks(site) == [("E1", Found.AS_EXPECTED, 2, (), ())], "nothing differs, whatever the card says"
    site.card(CommandCard.AS_EXPECTED)
    assert looks(site)[1:] == [("E2", Found.AS_EXPECTED, 1, (), ())], "seen with the eyes alone"
    assert told(site) is StaffNoticeKind.RECONCILED
    report = site.view().staff.report
    assert report is not None
    assert ([look.place for look in report.places], report.shelf_left) == (["E1", "E2"], ())
    assert site.state.durable.reconciliation is None
    assert site.parcel(one).state is ParcelState.STORED


def test_what_is_not_read_is_looked_for_when_only_what_was_read_is_there(site: VirtualSite) -> None:
    there, missing = on_the_shelf(site), None
    on_the_shelf(site, 2, SECOND)
    missing = on_the_shelf(site, 3, THIRD)
    begun(site)
    site.card(CommandCard.OTHER)
    assert (told(site), looks(site)) == (StaffNoticeKind.SAY_WHICH_ONES, []), "nobody read anything yet"
    site.scan(LABEL_OF_PARCEL)
    site.card(CommandCard.EMPTY)
    assert (told(site), looks(site)) == (StaffNoticeKind.SAY_WHICH_ONES, []), "it was just read there"
    site.card(CommandCard.NOT_EMPTY)
    assert looks(site) == []
    site.card(CommandCard.OTHER)
    assert looks(site) == [("E1", Found.OTHER, 2, (missing,), ())]
    known = site.parcel(missing)
    assert (known.state, known.reason, known.place) == (ParcelState.DISPUTED, "not_found", on_shelf("E1"))
    assert site.parcel(there).state is ParcelState.STORED
    site.press(Button.END_RECONCILIATION)
    report = site.view().staff.report
    assert report is not None
    assert (report.places[0].missing, report.places[0].missing_count, report.shelf_left) == ((THIRD,), 1, ("E2",))
    assert site.view().staff.task is None
    begun(site)
    assert task(site).shelf == ShelfView(((there, LABEL_OF_PARCEL, False),), ()), (
        "what is looked for is expected nowhere"
    )
    site.scan(THIRD)
    assert (told(site), site.parcel(missing).state) == (StaffNoticeKind.STORED, ParcelState.STORED), "found again"


def test_an_empty_place_has_none_of_its_parcels(site: VirtualSite) -> None:
    missing = on_the_shelf(site)
    begun(site)
    site.card(CommandCard.EMPTY)
    assert looks(site) == [("E1", Found.EMPTY, 1, (missing,), ())]
    assert site.parcel(missing).state is ParcelState.DISPUTED
    site.card(CommandCard.EMPTY)
    assert looks(site)[1:] == [("E2", Found.AS_EXPECTED, 0, (), ())]


def test_what_lies_at_another_place_than_the_books_say_is_here_from_now_on(site: VirtualSite) -> None:
    lies = on_the_shelf(site)
    moved = on_the_shelf(site, 2, SECOND)
    in_hand = site.announce(3, THIRD)
    site.scan(THIRD)
    site.press(Button.CANCEL)
    label = site.task_compartment()
    site.open(label)
    site.wait(2_000)
    site.close(label)
    site.card(CommandCard.EMPTY)
    just_left = site.announce(4, "8N00234584444")
    begun(site)
    for tracking in (SECOND, THIRD, "8N00234584444"):
        site.scan(tracking)
        assert told(site) is StaffNoticeKind.STORED
        site.wait(4_000)
    places = [site.parcel(parcel).place for parcel in (moved, in_hand, just_left)]
    assert places == [on_shelf("E1")] * 3
    assert site.kinds() == ["parcel_stored", "parcel_received", "parcel_stored", "parcel_received", "parcel_stored"]
    assert task(site).shelf == ShelfView(
        (
            (lies, LABEL_OF_PARCEL, False),
            (moved, SECOND, True),
            (in_hand, THIRD, True),
            (just_left, "8N00234584444", True),
        ),
        (),
    )


def test_what_nobody_knows_or_the_books_have_behind_a_door_stays_and_calls_the_desk(site: VirtualSite) -> None:
    behind = site.stored()
    lies = on_the_shelf(site, 2, SECOND)
    begun(site)
    for tracking in (STRANGE, LABEL_OF_PARCEL, STRANGE):
        site.wait(4_000)
        site.scan(tracking)
        assert told(site) is StaffNoticeKind.NOT_OF_THIS_PLACE
    assert task(site).shelf == ShelfView(((lies, SECOND, False),), (STRANGE, LABEL_OF_PARCEL))
    site.card(CommandCard.AS_EXPECTED)
    assert looks(site) == [("E1", Found.OTHER, 1, (), (STRANGE, LABEL_OF_PARCEL))]
    assert [(call.reason, call.compartment) for call in site.state.durable.calls] == [("found_other", None)]
    assert site.parcel(behind).state is ParcelState.STORED
    assert site.occupancy("1") is Occupancy.OCCUPIED


@pytest.mark.parametrize("state", [ParcelState.REFUSED, ParcelState.DISPUTED])
def test_what_waits_for_a_decision_at_another_place_is_not_put_back_into_stock(
    site: VirtualSite, state: ParcelState
) -> None:
    on_the_shelf(site)
    parcel = on_the_shelf(site, 2, SECOND)
    shelf = on_shelf("E2")
    fact: f.AnyFact = f.ParcelRefused(parcel=parcel, place=shelf, session="")
    if state is ParcelState.DISPUTED:
        fact = f.ParcelDisputed(parcel=parcel, place=shelf, reason="damaged", by="amina")
    site.happen(fact)
    begun(site)
    site.scan(SECOND)
    assert (told(site), site.parcel(parcel).state) == (StaffNoticeKind.NOT_OF_THIS_PLACE, state)
    site.card(CommandCard.OTHER)
    assert looks(site) == [("E1", Found.OTHER, 1, (parcel_id(site),), (SECOND,))]
    site.wait(4_000)
    site.scan(SECOND)
    assert (told(site), task(site).shelf_place) == (StaffNoticeKind.ON_ITS_PLACE, "E2")


def parcel_id(site: VirtualSite) -> ParcelId:
    return next(known.id for known in site.state.durable.parcels.values() if known.tracking == LABEL_OF_PARCEL)


def test_what_has_no_label_to_read_is_not_missing_for_that(site: VirtualSite) -> None:
    """Nobody can read whose it is: it stands on the shelf with a mark (S-13)."""
    site.sign_in()
    site.card(CommandCard.UNIDENTIFIED)
    site.card(CommandCard.DONE)
    nameless = next(iter(site.state.durable.parcels))
    there = on_the_shelf(site, 2)
    site.happen(f.ParcelStored(parcel=there, place=on_shelf("E1"), session="", by="amina"))
    begun(site)
    site.scan(LABEL_OF_PARCEL)
    site.card(CommandCard.OTHER)
    assert looks(site) == [("E1", Found.AS_EXPECTED, 2, (), ())]
    assert site.parcel(nameless).state is ParcelState.STORED
    site.press(Button.END_RECONCILIATION)
    begun(site)
    site.card(CommandCard.EMPTY)
    assert looks(site)[1:] == [("E1", Found.EMPTY, 2, (nameless, there), ())], "an empty place has nothing at all"


def test_a_list_of_others_is_bounded(site: VirtualSite) -> None:
    begun(site)
    for number in range(SHELF_LISTED_MAX + 2):
        site.scan(f"8N1234567{number:04}")
        site.wait(4_000)
    shelf = task(site).shelf
    assert shelf is not None
    assert len(shelf.others) == SHELF_LISTED_MAX


def test_a_run_over_the_shelf_goes_on_after_its_staff_fell_silent_and_can_be_ended_by_card(site: VirtualSite) -> None:
    on_the_shelf(site)
    begun(site)
    site.wait(100_000)
    assert site.state.durable.staff is None
    begun(site)
    site.card(CommandCard.AS_EXPECTED)
    assert task(site).shelf_place == "E2"
    site.card(CommandCard.END_INVENTORY)
    assert (told(site), site.view().staff.task) == (StaffNoticeKind.RECONCILED, None)
    site.wait(4_000)
    site.card(CommandCard.END_INVENTORY)
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO
    assert site.pulses() == [], "no door opens for the shelf"


def test_a_recipient_is_served_while_staff_stand_at_the_shelf(site: VirtualSite) -> None:
    parcel = site.stored()
    recalled = site.announce(2, SECOND, intent=Intent.RECALL)
    begun(site)
    site.scan(site.slip(parcel))
    site.open("1")
    site.wait(5_000)
    site.close("1")
    assert site.parcel(parcel).state is ParcelState.COLLECTING
    assert task(site).step is Step.CHECK_SHELF
    site.scan(SECOND)
    assert site.parcel(recalled).place == on_shelf("E1"), "it lies here, and the list of what goes back has it"
    assert site.state.durable.compartments[Label("1")].parcel == parcel


def test_a_place_that_the_board_no_longer_has_is_looked_at_while_something_lies_there(site: VirtualSite) -> None:
    parcel = on_the_shelf(site)
    site.happen(f.ParcelStored(parcel=parcel, place=on_shelf("B9"), session="", by="amina"))
    begun(site)
    site.card(CommandCard.EMPTY)
    site.wait(4_000)
    site.card(CommandCard.EMPTY)
    assert (task(site).shelf_place, task(site).shelf) == ("B9", ShelfView(((parcel, LABEL_OF_PARCEL, False),), ()))


def test_a_look_of_another_run_changes_nothing(site: VirtualSite) -> None:
    on_the_shelf(site)
    before = site.state.durable
    late = f.ShelfReconciled(session="9.9", place="E1", found=Found.EMPTY, by="amina", expected=1)
    site.happen(late)
    assert site.state.durable.report is before.report
    begun(site)
    site.happen(late)
    run = site.state.durable.reconciliation
    assert run is not None
    assert (run.shelf_left, run.places) == (("E1", "E2"), ())
