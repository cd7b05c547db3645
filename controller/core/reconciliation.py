"""Reconciliation: staff look behind door after door and say whether it is as the site believes (M-07).

Owns the order of a run, the three answers, and what each of them corrects. Refuses to take anything out and to guess: what lies where it
should not stays where it is, behind a door that nothing opens but staff, until its label is scanned at the desk. A run is durable: after
a customer, a power cut or another person's shift it goes on with the first door that nobody has looked behind.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from controller.core import due, latching, loading, sensors, shelf_look
from controller.core.effects import Decision, Effect, RememberStored, SetTask, ShowStaff, Signal, Sound, Wait
from controller.core.events import Button, Pressed
from controller.core.evolve import evolve
from controller.core.loading import tell
from controller.core.looks import Reconciliation
from controller.core.model import After, Now, Opening, Parcel, Phase, Staff, State, Step, Task
from controller.core.notices import StaffNotice, StaffNoticeKind
from controller.core.orders import call_desk, next_session
from wire import facts as f
from wire.ids import Door, Found, Label, Occupancy, ParcelState, Purpose, Service
from wire.labels import CarrierLabel

SHELF: Final = "shelf"
"""Instead of a row: the places of the desk's shelf alone."""

_OF_CUSTOMERS: Final = {Purpose.COLLECT, Purpose.REOPEN}
_ANSWERS: Final = {
    Button.AS_EXPECTED: Found.AS_EXPECTED,
    Button.EMPTY: Found.EMPTY,
    Button.OTHER: Found.OTHER,
}


def is_reconciling(state: State) -> bool:
    """Whether staff stand at a door of a run right now."""
    task = state.live.task
    return task is not None and task.after is After.RECONCILE and task.compartment is not None


def pressed(state: State, staff: Staff, event: Pressed, now: Now) -> Decision:
    """One of the buttons that only a reconciliation has."""
    if event.button is Button.RECONCILE:
        return go_on(state, staff, event.value, now)
    if event.button is Button.END_RECONCILIATION:
        return stop(state, staff)
    return answered(state, staff, event.button, now)


def go_on(state: State, staff: Staff, value: str, now: Now) -> Decision:
    """Begin a run (`value`: a row of the bank, SHELF, "" for all of both), or go on with the one under way."""
    task = state.live.task
    if task is not None:
        return tell(StaffNoticeKind.FINISH_FIRST, compartment=task.compartment)
    if state.durable.reconciliation is not None:
        return _next(state, staff, now)
    labels = _scope(state, value)
    places = shelf_look.places(state) if value in {"", SHELF} else ()
    if not labels and not places:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    started = f.ReconciliationStarted(session=next_session(state), by=staff.person, compartments=labels, shelf=places)
    begun = _after(state, (started,), now)
    more = _next(begun, staff, now)
    return Decision((started, *more.facts), (RememberStored(None), *more.effects))


def first_door(state: State, value: str) -> Label | None:
    """The door that `go_on` would open; None when it opens none."""
    run = state.durable.reconciliation
    return _first(state, _scope(state, value) if run is None else run.left)


def answered(state: State, staff: Staff, button: Button, now: Now) -> Decision:
    """What staff saw. The door is shut again by then, or does not hold and was given up."""
    run, task = state.durable.reconciliation, state.live.task
    if run is not None and shelf_look.is_at_shelf(state):
        return _answered_at_shelf(state, run, staff, button, now)
    if run is None or task is None or task.compartment is None or not is_reconciling(state):
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    label = task.compartment
    unseen = _does_not_hold(state, label) or latching.may_stay_open(state, task)
    if not unseen and (task.step is not Step.ASK_EMPTY or state.door(label) is Door.OPEN):
        return tell(StaffNoticeKind.CLOSE_DOOR_FIRST, compartment=label)
    parcel = _expected(state, label)
    found = _ANSWERS.get(button)
    if button is Button.NOT_EMPTY and parcel is None:
        found = Found.OTHER
    nothing_known = parcel is None and state.durable.compartments[label].occupancy is not Occupancy.FREE
    if found is None or (found is Found.AS_EXPECTED and nothing_known):
        which = ShowStaff(StaffNotice(StaffNoticeKind.SAY_WHICH, label))
        return Decision((), (SetTask(replace(task, asked_mono=now.mono)), which, Sound(Signal.ATTENTION)))
    if found is Found.EMPTY and parcel is None and not nothing_known:
        found = Found.AS_EXPECTED
    facts = (*sensors.answered_unseen(state, task), _looked(state, run, staff, task, found))
    facts = (*facts, *_corrected(state, staff, task, found))
    return _went_on(state, staff, label, facts, now)


def _answered_at_shelf(state: State, run: Reconciliation, staff: Staff, button: Button, now: Now) -> Decision:
    found = shelf_look.found(state, button)
    if found is None:
        return tell(StaffNoticeKind.SAY_WHICH_ONES)
    return _went_on(state, staff, None, shelf_look.corrected(state, run, staff, button, found), now)


def label_scanned(state: State, label: CarrierLabel, now: Now) -> Decision:
    """The label of what lies there: that of the expected parcel, or of something else, which is left where it lies."""
    task = state.live.task
    assert task is not None and task.compartment is not None, "a look is at a door"  # noqa: PT018 one thing
    parcel = _expected(state, task.compartment)
    right = parcel is not None and label.number == parcel.tracking
    known = replace(task, scanned=right, found="" if right else label.number, asked_mono=now.mono)
    kind = StaffNoticeKind.LABEL_MATCHED if right else StaffNoticeKind.OTHER_LABEL
    notice = ShowStaff(StaffNotice(kind, task.compartment, tracking=label.number))
    return Decision((), (SetTask(known), notice, Sound(Signal.OK if right else Signal.ATTENTION)))


def not_opened(state: State, opening: Opening, facts: Iterable[f.AnyFact], now: Now) -> Decision:
    """The door of a run never moved: the report says so, and the run goes on with the others. `facts`: what its failing changes."""
    run, staff, task = state.durable.reconciliation, state.durable.staff, state.live.task
    at_it = is_reconciling(state) and task is not None and task.compartment == opening.compartment
    if run is None or staff is None or task is None or not at_it:
        return Decision()
    failed = _after(state, facts, now)
    return _went_on(failed, staff, opening.compartment, (_looked(state, run, staff, task, Found.NOT_OPENED),), now)


def stop(state: State, staff: Staff) -> Decision:
    """Staff end a run before its end: what was seen stays seen, and the report names what was not. A door that is open for it comes first."""
    run, task = state.durable.reconciliation, state.live.task
    if run is None:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    if task is not None and is_reconciling(state):
        last = ShowStaff(StaffNotice(StaffNoticeKind.LAST_LOOK, task.compartment))
        return Decision((), (SetTask(replace(task, last=True)), last, Sound(Signal.OK)))
    if task is not None and task.shelf is None:
        return tell(StaffNoticeKind.FINISH_FIRST, compartment=task.compartment)
    over: tuple[Effect, ...] = () if task is None else (SetTask(None),)
    return Decision(
        (_ended(run, staff),), (*over, ShowStaff(StaffNotice(StaffNoticeKind.RECONCILED)), Sound(Signal.OK))
    )


def _ended(run: Reconciliation, staff: Staff) -> f.AnyFact:
    return f.ReconciliationEnded(session=run.session, by=staff.person, left=run.left, shelf_left=run.shelf_left)


def _scope(state: State, row: str) -> tuple[Label, ...]:
    """The doors of a run as they hang, row after row, and none for the shelf; the practice compartment holds no parcel and is left out."""
    cards = sorted(state.setup.cards.values(), key=lambda card: (card.row, card.column))
    rows = [card for card in cards if row in {"", str(card.row)}]
    return tuple(card.label for card in rows if card.label != state.durable.practice)


def _first(state: State, labels: Iterable[Label]) -> Label | None:
    """The first door at which no customer stands. A door that this board no longer has is never opened."""
    return next((label for label in labels if label in state.setup.cards and not _is_served(state, label)), None)


def _does_not_hold(state: State, label: Label) -> bool:
    """Its door springs open whenever it is shut: what lies behind it is seen all the same, and the run gets past it."""
    opening = state.durable.openings.get(label)
    return opening is not None and opening.bounces >= due.BOUNCES_MAX


def _is_served(state: State, label: Label) -> bool:
    opening = state.durable.openings.get(label)
    if label == state.durable.practice:
        return True
    return opening is not None and opening.purpose in _OF_CUSTOMERS and opening.phase in {Phase.PULSING, Phase.OPEN}


def _next(state: State, staff: Staff, now: Now) -> Decision:
    """The doors first, and then the shelf: no door is left open behind whoever walks away to it."""
    run = state.durable.reconciliation
    assert run is not None, "only a run goes on"
    if not run.left:
        return Decision((), (SetTask(shelf_look.begun(run.shelf_left[0])), Sound(Signal.OK)))
    label = _first(state, run.left)
    if label is None:
        return tell(StaffNoticeKind.RECONCILIATION_PAUSED)
    if not due.stands_open(state, label) and not due.is_ready(state, now):
        return Decision((), (Wait(Pressed(Button.RECONCILE)),))
    return loading.open_to_check(state, staff, label, After.RECONCILE, now)


def _went_on(state: State, staff: Staff, label: Label | None, facts: tuple[f.AnyFact, ...], now: Now) -> Decision:
    """One look is done. The next one is asked for like the first: whoever came meanwhile goes before, and the PIN is asked where it must be."""
    run, task = _after(state, facts, now).durable.reconciliation, state.live.task
    assert run is not None, "a look does not end a run"
    assert task is not None, "a look is a task"
    done: tuple[Effect, ...] = (SetTask(None), RememberStored(None))
    if (run.left or run.shelf_left) and not task.last:
        checked = ShowStaff(StaffNotice(StaffNoticeKind.CHECKED, label))
        return Decision(facts, (*done, checked, Sound(Signal.OK), Wait(Pressed(Button.RECONCILE))))
    return Decision(
        (*facts, _ended(run, staff)), (*done, ShowStaff(StaffNotice(StaffNoticeKind.RECONCILED)), Sound(Signal.OK))
    )


def _after(state: State, facts: Iterable[f.AnyFact], now: Now) -> State:
    durable = state.durable
    for fact in facts:
        durable = evolve(durable, fact, now)
    return replace(state, durable=durable)


def _expected(state: State, label: Label) -> Parcel | None:
    held = state.durable.compartments[label].parcel
    return None if held is None else state.durable.parcels.get(held)


def _looked(state: State, run: Reconciliation, staff: Staff, task: Task, found: Found) -> f.AnyFact:
    assert task.compartment is not None, "a look is at a door"
    parcel = _expected(state, task.compartment)
    return f.CompartmentReconciled(
        session=run.session,
        compartment=task.compartment,
        found=found,
        occupancy=state.durable.compartments[task.compartment].occupancy,
        by=staff.person,
        expected=None if parcel is None else parcel.id,
        tracking=task.found,
    )


def _corrected(state: State, staff: Staff, task: Task, found: Found) -> tuple[f.AnyFact, ...]:
    """What the books say from now on."""
    label = task.compartment
    assert label is not None, "a look is at a door"
    if found is Found.OTHER:
        return _other(state, staff, task, label)
    if found is Found.AS_EXPECTED and _expected(state, label) is not None:
        return loading.seen_inside(state, staff, label)
    return loading.emptied(state, staff, label, task)


def _other(state: State, staff: Staff, task: Task, label: Label) -> tuple[f.AnyFact, ...]:
    """Something lies there that should not. No key opens that door and nothing goes in, and the desk has it on its list until it is solved."""
    compartment, parcel = state.durable.compartments[label], _expected(state, label)
    facts: list[f.AnyFact] = []
    if parcel is not None and not task.scanned:
        facts.extend(_missing(staff, parcel))
    if compartment.occupancy is not Occupancy.UNKNOWN:
        facts.append(
            f.OccupancySet(compartment=label, occupancy=Occupancy.UNKNOWN, reason="found_something", by=staff.person)
        )
    if compartment.service is not Service.OUT_OF_SERVICE:
        facts.append(
            f.ServiceSet(compartment=label, service=Service.OUT_OF_SERVICE, reason="found_something", by=staff.person)
        )
    read = next(
        (known for known in state.durable.parcels.values() if task.found and known.tracking == task.found), None
    )
    facts.extend(call_desk(state, shelf_look.FOUND_OTHER, None if read is None else read.id, label))
    return tuple(facts)


def _missing(staff: Staff, parcel: Parcel) -> tuple[f.AnyFact, ...]:
    """The expected parcel was not recognised behind its door. One whose label was read since stays in those hands; another one is looked for."""
    if parcel.state is ParcelState.RECEIVED and not parcel.uncertain:
        return ()
    return (loading.not_found(staff, parcel),)
