"""The desk's shelf within a reconciliation: staff stand at one place after another, read labels, and say what is there (M-07).

Owns what a label read there means, and what each answer corrects. Refuses to know the order of a run (`reconciliation`), and to call a
parcel missing whose label was just read. What the books have behind a door, or do not know, stays where it lies: its label is read at
the desk later, like that of anything found.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from controller.core import loading
from controller.core.allocate import compartment_of
from controller.core.effects import Decision, SetTask, ShowStaff, Signal, Sound
from controller.core.events import Button
from controller.core.looks import Reconciliation, ShelfLook
from controller.core.model import After, Parcel, Staff, State, Step, Task, on_shelf
from controller.core.notices import StaffNotice, StaffNoticeKind
from controller.core.orders import call_desk
from wire import facts as f
from wire.desk_facts import SHELF_LISTED_MAX
from wire.ids import Found, ParcelState, PlaceKind
from wire.labels import CarrierLabel

FOUND_OTHER: Final = "found_other"
"""Why the desk is called: something lies there, and the site does not know what, or has it somewhere else."""

NOT_FOUND: Final = "not_found"
"""Why a parcel is disputed that was not where it should be."""


def begun(place: str) -> Task:
    """Staff go to this place of the shelf."""
    return Task(Step.CHECK_SHELF, after=After.RECONCILE, shelf_place=place, shelf=ShelfLook())


def places(state: State) -> tuple[str, ...]:
    """Every place of the shelf, and those of an earlier board at which the books still have something."""
    held = (parcel.place for parcel in state.durable.parcels.values())
    used = {place.name for place in held if place is not None and place.kind is PlaceKind.SHELF}
    return (*state.setup.shelf_places, *sorted(used - set(state.setup.shelf_places)))


def is_at_shelf(state: State) -> bool:
    """Whether staff stand at a place of the shelf right now."""
    return state.live.task is not None and state.live.task.shelf is not None


def expected_at(state: State, place: str) -> tuple[Parcel, ...]:
    """What should lie at this place: every parcel the books have there, but those that were looked for and not found."""
    return tuple(
        parcel
        for parcel in state.durable.parcels.values()
        if parcel.place == on_shelf(place) and not (parcel.state is ParcelState.DISPUTED and parcel.reason == NOT_FOUND)
    )


def label_scanned(state: State, staff: Staff, label: CarrierLabel) -> Decision:
    """A label read at the shelf: it lies here. What was in somebody's hands, or at another place of the shelf, is here from now on."""
    task, look, place = _in_question(state)
    parcel = next((parcel for parcel in state.durable.parcels.values() if parcel.tracking == label.number), None)
    expected = expected_at(state, place)
    if parcel is None or not (parcel in expected or _is_taken_in(state, parcel)):
        others = look.others if label.number in look.others else (*look.others, label.number)[:SHELF_LISTED_MAX]
        notice = ShowStaff(StaffNotice(StaffNoticeKind.NOT_OF_THIS_PLACE, tracking=label.number))
        return Decision(
            (), (SetTask(replace(task, shelf=replace(look, others=others))), notice, Sound(Signal.ATTENTION))
        )
    seen = look.seen if parcel.id in look.seen else (*look.seen, parcel.id)
    went_on = SetTask(replace(task, shelf=replace(look, seen=seen)))
    if parcel in expected:
        matched = ShowStaff(StaffNotice(StaffNoticeKind.ON_ITS_PLACE, None, parcel.id, parcel.tracking))
        return Decision((), (went_on, matched, Sound(Signal.OK)))
    facts: tuple[f.AnyFact, ...] = ()
    if parcel.state is not ParcelState.STORED:
        facts = (loading.received(staff, parcel, label.number, "plan"),)
    here = on_shelf(place)
    stored = f.ParcelStored(parcel=parcel.id, place=here, session=staff.session, by=staff.person)
    notice = ShowStaff(StaffNotice(StaffNoticeKind.STORED, None, parcel.id, parcel.tracking, place=here))
    return Decision((*facts, stored), (went_on, notice, Sound(Signal.OK)))


def found(state: State, button: Button) -> Found | None:
    """What an answer says of the place; None when it does not say which parcels are there."""
    _, look, place = _in_question(state)
    expected = expected_at(state, place)
    if button is Button.AS_EXPECTED:
        return Found.OTHER if look.others else Found.AS_EXPECTED
    if button is Button.EMPTY and not look.seen and not look.others:
        return Found.EMPTY if expected else Found.AS_EXPECTED
    if button is Button.OTHER and (look.seen or look.others):
        return Found.OTHER if look.others or _unread(expected, look) else Found.AS_EXPECTED
    return None


def corrected(state: State, run: Reconciliation, staff: Staff, button: Button, what: Found) -> tuple[f.AnyFact, ...]:
    """What was seen at the place, and what the books say from now on."""
    _, look, place = _in_question(state)
    expected = expected_at(state, place)
    missing: tuple[Parcel, ...] = ()
    if button is not Button.AS_EXPECTED:
        missing = expected if what is Found.EMPTY else _unread(expected, look)
    looked = f.ShelfReconciled(
        session=run.session,
        place=place,
        found=what,
        by=staff.person,
        expected=len(expected),
        missing=tuple(parcel.id for parcel in missing[:SHELF_LISTED_MAX]),
        missing_count=len(missing),
        others=look.others,
    )
    calls = call_desk(state, FOUND_OTHER, None, None) if look.others else ()
    return (looked, *(loading.not_found(staff, parcel) for parcel in missing), *calls)


def _unread(expected: tuple[Parcel, ...], look: ShelfLook) -> tuple[Parcel, ...]:
    """Those that have a label which was not read. One without cannot be read, and is not missing for that (S-13)."""
    return tuple(parcel for parcel in expected if parcel.tracking and parcel.id not in look.seen)


def _in_question(state: State) -> tuple[Task, ShelfLook, str]:
    task = state.live.task
    assert task is not None, "a look is a task"
    assert task.shelf is not None, "a look at the shelf has what was read there"
    assert task.shelf_place is not None, "a look at the shelf is at a place"
    return task, task.shelf, task.shelf_place


def _is_taken_in(state: State, parcel: Parcel) -> bool:
    """What is simply in stock on the shelf, in the hands of staff, still to come, or looked for; never what the books have behind a door, what
    waits for a decision somewhere else, or what its sender has still to bring.
    """
    match parcel.state:
        case ParcelState.STORED:
            return parcel.place is not None and parcel.place.kind is PlaceKind.SHELF
        case ParcelState.ANNOUNCED | ParcelState.RECEIVED:
            return not parcel.sending
        case ParcelState.DISPUTED:
            return parcel.reason == NOT_FOUND and compartment_of(state, parcel.id) is None
        case _:
            return False
