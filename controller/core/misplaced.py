"""Another door moved while a parcel was being put in: into which one did it go? (S-08)

Owns the question and what each answer corrects. Refuses to guess: without an answer both compartments are unknown, and no key
opens a door behind which somebody else's parcel may lie.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from controller.core.effects import Decision, Effect, RememberStored, SetTask, ShowStaff, Signal, Sound
from controller.core.model import Now, Parcel, Staff, State, Step, Task, in_compartment
from controller.core.notices import StaffNotice, StaffNoticeKind
from controller.core.orders import ask, call_desk
from wire import facts as f
from wire.ids import Door, Label, Occupancy, Service

MISPLACED: Final = "misplaced"


def touched(state: State, label: Label) -> tuple[Effect, ...]:
    """A door other than the one staff were asked to use has moved."""
    task = state.live.task
    if task is None or task.step is not Step.PUT_IN or label == task.compartment or label in task.touched:
        return ()
    return (SetTask(replace(task, touched=(*task.touched, label))),)


def which_door(task: Task, now: Now) -> Decision:
    """The door of a deposit is closed, and it was not the only one that moved."""
    return Decision((), ask(task, Step.WHICH_DOOR, now))


def answered(state: State, staff: Staff, label: Label | None, now: Now) -> Decision:
    """Staff say behind which door the parcel lies; None when they do not know."""
    task = state.live.task
    if task is None or task.step is not Step.WHICH_DOOR:
        return Decision((), (ShowStaff(StaffNotice(StaffNoticeKind.NOTHING_TO_DO)),))
    if label is None or (label != task.compartment and label not in task.touched):
        return nobody_knows(state)
    if state.door(label) is Door.OPEN:
        close_first = ShowStaff(StaffNotice(StaffNoticeKind.CLOSE_DOOR_FIRST, label, task.parcel))
        return Decision((), (*ask(task, Step.WHICH_DOOR, now), close_first))
    parcel = _in_question(state, task)
    if label == task.compartment:
        return _lies_behind(staff, parcel, label, ())
    left = _left(parcel, task)
    if _may_lie_there(state, label):
        return _lies_behind(staff, parcel, label, (left,))
    facts = (left, *_locked_for_staff(state, parcel, label))
    misplaced = ShowStaff(StaffNotice(StaffNoticeKind.MISPLACED, label, parcel.id, parcel.tracking))
    return Decision(facts, (SetTask(None), misplaced, Sound(Signal.ATTENTION)))


def not_in_the_wanted_one(state: State, staff: Staff, now: Now) -> Decision:
    """*Empty*, says a card: it is not behind the door it was meant for, so behind the other one, if there is only one."""
    task = state.live.task
    others = () if task is None else task.touched
    return answered(state, staff, others[0] if len(others) == 1 else None, now)


def nobody_knows(state: State) -> Decision:
    """It may lie behind any of these doors: each is unknown, and those with a parcel of somebody's are for staff only."""
    task = state.live.task
    assert task is not None, "only a deposit is asked about"
    parcel = _in_question(state, task)
    facts: list[f.AnyFact] = [_left(parcel, task)]
    for label in task.touched:
        compartment = state.durable.compartments[label]
        if compartment.parcel is not None:
            facts.extend(_locked_for_staff(state, parcel, label))
        elif compartment.occupancy is not Occupancy.UNKNOWN:
            facts.append(f.OccupancySet(compartment=label, occupancy=Occupancy.UNKNOWN, reason=MISPLACED))
    unknown = ShowStaff(StaffNotice(StaffNoticeKind.LEFT_UNKNOWN, task.compartment, parcel.id, parcel.tracking))
    return Decision(tuple(facts), (SetTask(None), unknown, Sound(Signal.ATTENTION)))


def _in_question(state: State, task: Task) -> Parcel:
    assert task.parcel is not None, "a deposit is of a parcel"
    return state.durable.parcels[task.parcel]


def _left(parcel: Parcel, task: Task) -> f.AnyFact:
    """Nobody looked behind the door that was meant: it is unknown, not free."""
    assert task.compartment is not None, "a deposit has a door"
    return f.ReservationReleased(compartment=task.compartment, parcel=parcel.id, session="", verified_empty=False)


def _lies_behind(staff: Staff, parcel: Parcel, label: Label, before: tuple[f.AnyFact, ...]) -> Decision:
    place = in_compartment(label)
    stored = f.ParcelStored(parcel=parcel.id, place=place, session=staff.session, by=staff.person)
    notice = ShowStaff(StaffNotice(StaffNoticeKind.STORED, label, parcel.id, place=place))
    return Decision((*before, stored), (SetTask(None), RememberStored(parcel.id), notice, Sound(Signal.OK)))


def _may_lie_there(state: State, label: Label) -> bool:
    """Never behind a door with a parcel of somebody else's, and never where its own key would not open."""
    compartment = state.durable.compartments[label]
    return compartment.parcel is None and compartment.service is not Service.OUT_OF_SERVICE


def _locked_for_staff(state: State, parcel: Parcel, label: Label) -> Iterator[f.AnyFact]:
    if state.durable.compartments[label].service is not Service.OUT_OF_SERVICE:
        yield f.ServiceSet(compartment=label, service=Service.OUT_OF_SERVICE, reason=MISPLACED)
    yield from call_desk(state, MISPLACED, parcel.id, label)
