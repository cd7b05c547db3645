"""Retrieval: staff take out the parcels whose hold is over or that were refused, one after the other (M-01).

Owns the list of what is to be taken out, and that each is known by its own label. Refuses to free a compartment on a word alone: its
door was opened for it, the right label was read, the door is shut and staff have seen it empty (I-2, I-4, I-12).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from controller.core import courier, due, latching, loading, sensors
from controller.core.allocate import compartment_of
from controller.core.effects import Decision, Effect, RememberStored, SetTask, ShowStaff, Signal, Sound, Wait
from controller.core.events import Button, Pressed
from controller.core.loading import tell
from controller.core.model import After, Now, Parcel, Phase, Staff, State, Step, Task
from controller.core.notices import StaffNotice, StaffNoticeKind
from controller.core.orders import call_desk
from wire import facts as f
from wire.ids import Door, Label, Occupancy, ParcelId, ParcelState, PlaceKind, Purpose
from wire.labels import CarrierLabel
from wire.plan import Intent

WRONG_PARCEL: Final = "wrong_parcel"
SENT: Final = "sent"
"""Handed in by a customer, and fetched for its carrier (C-32)."""
_OF_CUSTOMERS: Final = {Purpose.COLLECT, Purpose.REOPEN}
_ASKED: Final = {Step.TAKE_BACK, Step.ASK_EMPTY, Step.TAKE_FROM_SHELF}


def is_due(parcel: Parcel) -> bool:
    """Whether it lies here and is to be taken out. One that nothing on it tells from another is taken out by hand.

    Whether its recipient has taken it is looked into first: what staff then hold could be called collected otherwise (I-2).
    """
    if parcel.place is None or not parcel.tracking or parcel.uncertain:
        return False
    leaves = parcel.intent is Intent.RECALL or parcel.sending
    return (parcel.state is ParcelState.STORED and leaves) or parcel.state is ParcelState.REFUSED


def is_retrieving(state: State) -> bool:
    """Whether staff are taking a parcel out right now."""
    task = state.live.task
    if task is None or task.step not in _ASKED or task.after is not After.RETRIEVE:
        return False
    return task.parcel in state.durable.parcels


def retrieve(state: State, staff: Staff, parcel_id: ParcelId | None, now: Now) -> Decision:
    """Open the door of this parcel, or of the first one of the list."""
    task = state.live.task
    if task is not None:
        return tell(StaffNoticeKind.FINISH_FIRST, compartment=task.compartment)
    waiting = _list(state, staff, but=None)
    parcel = next((parcel for parcel in waiting if parcel_id in {None, parcel.id}), None)
    if parcel is None:
        return tell(StaffNoticeKind.ALL_RETRIEVED)
    return _begun(state, staff, parcel, now)


def first_door(state: State, staff: Staff, parcel_id: ParcelId | None) -> Label | None:
    """The door that `retrieve` would open; None when it opens none."""
    parcel = next((parcel for parcel in _list(state, staff, but=None) if parcel_id in {None, parcel.id}), None)
    return None if parcel is None else compartment_of(state, parcel.id)


def label_scanned(state: State, staff: Staff, label: CarrierLabel, now: Now) -> Decision:
    """The label of what was taken out: the right one, or everything stops and nothing is freed."""
    task, parcel = _in_question(state)
    if label.number != parcel.tracking:
        return _wrong(state, task, label.number)
    if task.step is Step.TAKE_FROM_SHELF:
        return _went_on(state, staff, parcel, (_removed(staff, parcel),), StaffNoticeKind.REMOVED, now)
    matched = ShowStaff(StaffNotice(StaffNoticeKind.LABEL_MATCHED, task.compartment, parcel.id, parcel.tracking))
    return Decision((), (SetTask(replace(task, scanned=True, asked_mono=now.mono)), matched, Sound(Signal.OK)))


def answered_empty(state: State, staff: Staff, now: Now) -> Decision:
    """The door is shut and staff saw it empty: with its label read it is out of stock, without it nothing is freed."""
    task, parcel = _in_question(state)
    if task.compartment is None or not (task.step is Step.ASK_EMPTY or latching.may_stay_open(state, task)):
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    if state.door(task.compartment) is Door.OPEN and not latching.may_stay_open(state, task):  # it sprang open again
        return tell(StaffNoticeKind.CLOSE_DOOR_FIRST, compartment=task.compartment)
    if not task.scanned:
        scan = ShowStaff(StaffNotice(StaffNoticeKind.SCAN_LABEL, task.compartment, parcel.id, parcel.tracking))
        return Decision((), (SetTask(replace(task, asked_mono=now.mono)), scan, Sound(Signal.ATTENTION)))
    free = f.OccupancySet(compartment=task.compartment, occupancy=Occupancy.FREE, reason="checked", by=staff.person)
    facts = (*sensors.answered_unseen(state, task), _removed(staff, parcel), free)
    return _went_on(state, staff, parcel, facts, StaffNoticeKind.REMOVED, now)


def answered_not_empty(state: State, staff: Staff, now: Now) -> Decision:
    """It was put back; or its label was read, it is in somebody's hands, and something else lies behind the door."""
    task, parcel = _in_question(state)
    asked = task.step is Step.ASK_EMPTY or latching.may_stay_open(state, task)
    if not task.scanned or task.compartment is None or not asked:
        kept = loading.answered_not_empty(state, staff, now)
        return kept if is_due(parcel) or not kept.facts else _next_after(state, staff, parcel, kept, now)
    label = task.compartment
    facts: tuple[f.AnyFact, ...] = ()
    if state.durable.compartments[label].occupancy is not Occupancy.UNKNOWN:
        facts = (
            f.OccupancySet(compartment=label, occupancy=Occupancy.UNKNOWN, reason="found_something", by=staff.person),
        )
    facts = (*sensors.answered_unseen(state, task), *facts)
    unknown = ShowStaff(StaffNotice(StaffNoticeKind.LEFT_UNKNOWN, label, parcel.id, parcel.tracking))
    return Decision(facts, (SetTask(None), unknown, Sound(Signal.ATTENTION)))


def extended(state: State, staff: Staff, decision: Decision, now: Now) -> Decision:
    """One of the list is skipped (M-02): on the shelf it stays where it is, and the next one has its turn."""
    task = state.live.task
    said = [fact.parcel for fact in decision.facts if isinstance(fact, f.HoldExtended)]
    if task is None or task.step is not Step.TAKE_FROM_SHELF or task.parcel not in said:
        return decision
    _, parcel = _in_question(state)
    skipped = Decision(decision.facts, (SetTask(None), *decision.effects))
    return _next_after(state, staff, parcel, skipped, now)


def not_there(state: State, staff: Staff, now: Now) -> Decision:
    """The door was opened, or the shelf looked at, and the parcel is not there."""
    if not is_retrieving(state):
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    task, parcel = _in_question(state)
    if task.step is Step.TAKE_FROM_SHELF:
        missing = f.ParcelDisputed(parcel=parcel.id, place=parcel.place, reason="not_found", by=staff.person)
        return _went_on(state, staff, parcel, (missing,), StaffNoticeKind.CHECKED, now)
    looked = replace(state, live=replace(state.live, task=replace(task, after=After.NOTHING)))
    return loading.answered_empty(looked, staff, now)


def cancel(state: State) -> Decision:
    """Not now. An open door has to be shut and answered for first."""
    task, _ = _in_question(state)
    if task.step is not Step.TAKE_FROM_SHELF:
        return tell(StaffNoticeKind.FINISH_FIRST, compartment=task.compartment)
    return Decision((), (SetTask(None), Sound(Signal.OFF)))


def _in_question(state: State) -> tuple[Task, Parcel]:
    task = state.live.task
    assert task is not None and task.parcel is not None, "a retrieval is of a parcel"  # noqa: PT018 one thing
    return task, state.durable.parcels[task.parcel]


def _list(state: State, staff: Staff, but: ParcelId | None) -> Iterator[Parcel]:
    """What this person is to take out, door after door as they hang, then the shelf. Where a customer stands it is not their turn."""
    for label, compartment in state.durable.compartments.items():
        parcel = None if compartment.parcel is None else state.durable.parcels.get(compartment.parcel)
        opening = state.durable.openings.get(label)
        served = (
            opening is not None and opening.purpose in _OF_CUSTOMERS and opening.phase in {Phase.PULSING, Phase.OPEN}
        )
        theirs = parcel is not None and courier.is_theirs(staff, parcel.carrier)
        if parcel is not None and theirs and parcel.id != but and is_due(parcel) and not served:
            yield parcel
    for parcel in state.durable.parcels.values():
        on_shelf = parcel.place is not None and parcel.place.kind is PlaceKind.SHELF
        if on_shelf and parcel.id != but and is_due(parcel) and courier.is_theirs(staff, parcel.carrier):
            yield parcel


def _begun(state: State, staff: Staff, parcel: Parcel, now: Now) -> Decision:
    label = compartment_of(state, parcel.id)
    if label is None:
        assert parcel.place is not None, "only what lies somewhere is taken out"
        task = Task(Step.TAKE_FROM_SHELF, parcel.id, after=After.RETRIEVE, shelf_place=parcel.place.name)
        return Decision((), (SetTask(task), Sound(Signal.OK)))
    if not due.stands_open(state, label) and not due.is_ready(state, now):
        return Decision((), (Wait(Pressed(Button.RETRIEVE, parcel=parcel.id)),))
    return loading.open_to_check(state, staff, label, After.RETRIEVE, now)


def _removed(staff: Staff, parcel: Parcel) -> f.AnyFact:
    return f.ParcelRemoved(
        parcel=parcel.id,
        place=parcel.place,
        reason=parcel.reason or (SENT if parcel.sending else "recalled"),
        by=staff.person,
    )


def _went_on(
    state: State, staff: Staff, parcel: Parcel, facts: tuple[f.AnyFact, ...], kind: StaffNoticeKind, now: Now
) -> Decision:
    """This one is done; the next one of the list opens at once, unless somebody else is being served."""
    notice = StaffNotice(kind, None, parcel.id, parcel.tracking, parcel.place)
    done: tuple[Effect, ...] = (SetTask(None), RememberStored(None), ShowStaff(notice), Sound(Signal.OK))
    following = next(_list(state, staff, but=parcel.id), None)
    if following is None:
        return Decision(facts, done)
    more = _begun(state, staff, following, now)
    return Decision((*facts, *more.facts), (*done, *more.effects))


def _next_after(state: State, staff: Staff, parcel: Parcel, done: Decision, now: Now) -> Decision:
    following = next(_list(state, staff, but=parcel.id), None)
    if following is None:
        return done
    more = _begun(state, staff, following, now)
    return Decision((*done.facts, *more.facts), (*done.effects, *more.effects))


def _wrong(state: State, task: Task, number: str) -> Decision:
    """Another parcel is in their hands. If it is one of ours, somebody has to find out why it lay there."""
    other = next((parcel for parcel in state.durable.parcels.values() if parcel.tracking == number), None)
    notice = StaffNotice(
        StaffNoticeKind.WRONG_PARCEL,
        task.compartment,
        None if other is None else other.id,
        number,
        None if other is None else other.place,
    )
    facts = () if other is None else tuple(call_desk(state, WRONG_PARCEL, other.id, task.compartment))
    return Decision(facts, (SetTask(replace(task, scanned=False)), ShowStaff(notice), Sound(Signal.REFUSED)))
