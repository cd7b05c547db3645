"""A door that was shut and springs open again: what lay behind it is not stored (S-10).

Owns the retry and the giving up. Refuses to free anything: the compartment stays unknown until staff have seen it empty.
A first spring is a push that was too soft; a second one in the same deposit is a latch that does not hold.
"""

from __future__ import annotations

from typing import Final

from controller.core import courier, due
from controller.core.effects import Decision, RememberStored, SetTask, ShowStaff, Signal, Sound
from controller.core.model import After, Opening, Phase, State, Step, Task, alarm_key, in_compartment
from controller.core.notices import StaffNotice, StaffNoticeKind
from wire import facts as f
from wire.ids import ParcelState, Purpose, Service

LATCH_FAILED: Final = "latch_failed"
DOES_NOT_LATCH: Final = "does_not_latch"


def sprang_open(state: State, opening: Opening) -> Decision:
    """A door of ours is open: for the first time as ordered, or again although it had been shut."""
    if opening.purpose is not Purpose.LOAD or opening.phase is not Phase.CLOSED:
        return Decision((), (Sound(Signal.OK),))
    gives_up = opening.bounces + 1 >= due.BOUNCES_MAX
    facts = _suspected(state, opening) if gives_up else ()
    parcel = None if opening.parcel is None else state.durable.parcels.get(opening.parcel)
    stored_here = (
        parcel is not None
        and parcel.state is ParcelState.STORED
        and parcel.place == in_compartment(opening.compartment)
    )
    staff = state.durable.staff
    if parcel is None or not stored_here or staff is None or state.live.task is not None:
        return Decision(facts, (Sound(Signal.ATTENTION),))
    if not courier.is_theirs(staff, parcel.carrier):  # Whoever put it in has just left.
        return Decision(facts, (Sound(Signal.ATTENTION),))
    released = f.ReservationReleased(
        compartment=opening.compartment, parcel=parcel.id, session=opening.session, verified_empty=False
    )
    task = Task(Step.PUT_IN, parcel.id, opening.compartment, in_hand=True)
    kind = StaffNoticeKind.NOT_LATCHED
    if gives_up:
        task = Task(Step.TAKE_BACK, parcel.id, opening.compartment, After.OTHER_DOOR, in_hand=True)
        kind = StaffNoticeKind.NEVER_LATCHES
    notice = ShowStaff(StaffNotice(kind, opening.compartment, parcel.id, parcel.tracking))
    return Decision((released, *facts), (SetTask(task), RememberStored(None), notice, Sound(Signal.ATTENTION)))


def is_given_up(state: State, task: Task) -> bool:
    """Whether the parcel is to be taken back from a door that does not hold: it need not be shut before staff answer."""
    opening = None if task.compartment is None else state.durable.openings.get(task.compartment)
    return task.step is Step.TAKE_BACK and opening is not None and opening.bounces >= due.BOUNCES_MAX


def may_stay_open(state: State, task: Task) -> bool:
    """Whether staff may answer before the door reads shut: it does not hold, or its switch cannot show it (A-08)."""
    label = task.compartment
    blind = (
        task.step is Step.TAKE_BACK
        and label is not None
        and due.is_blind(state, label)
        and due.stands_open(state, label)
    )
    return is_given_up(state, task) or blind


def _suspected(state: State, opening: Opening) -> tuple[f.AnyFact, ...]:
    facts: tuple[f.AnyFact, ...] = ()
    if state.durable.compartments[opening.compartment].service is Service.IN_SERVICE:
        facts = (f.ServiceSet(compartment=opening.compartment, service=Service.SUSPECT, reason=DOES_NOT_LATCH),)
    if alarm_key(LATCH_FAILED, opening.compartment) not in state.durable.alarms:
        alarm = f.AlarmRaised(alarm=LATCH_FAILED, compartment=opening.compartment, detail=DOES_NOT_LATCH)
        facts = (*facts, alarm)
    return facts
