"""A parcel moves from one door to another, through the hands of staff and one door at a time.

Owns which parcel makes room for somebody who cannot reach high (S-14), and the order of its steps. Refuses to let a parcel be in two
places or in none: it is taken out, its door is shut and seen empty, and only then another one opens for it (I-1, I-4).
"""

from __future__ import annotations

from controller.core import due
from controller.core.allocate import allocate, needed_reach, suits
from controller.core.effects import Decision, SetTask
from controller.core.loading import tell, wanted_size
from controller.core.model import After, Compartment, Now, Opening, Phase, Staff, State, Step, Task
from controller.core.notices import StaffNoticeKind
from controller.core.orders import next_session, open_door
from wire import facts as f
from wire.ids import SIZE_ORDER, Door, Label, Occupancy, ParcelId, ParcelState, Purpose, Service
from wire.plan import Intent


def make_room(state: State, staff: Staff, now: Now) -> Decision:
    """Move a parcel of somebody who reaches any door, so that the one in hand gets a door its recipient reaches."""
    task = state.live.task
    if task is None or (label := room_for(state, task)) is None:
        return tell(StaffNoticeKind.NO_ROOM)
    if not due.is_ready(state, now):
        return tell(StaffNoticeKind.CLOSE_DOOR_FIRST)
    return take_out(state, staff, label, then=task.parcel)


def take_out(state: State, staff: Staff, label: Label, *, then: ParcelId | None = None) -> Decision:
    """Open a door to move its parcel behind another one; `then` is served afterwards."""
    parcel = state.durable.compartments[label].parcel
    ordered, effects = open_door(
        state, session=next_session(state), compartment=label, purpose=Purpose.VERIFY, parcel=parcel, by=staff.person
    )
    return Decision((ordered,), (*effects, SetTask(Task(Step.TAKE_BACK, parcel, label, After.MOVE, then=then))))


def lies_there(state: State, label: Label) -> bool:
    """Whether its parcel is behind that door for all that is known. One that may have been taken is nobody's to move: staff look first (C-22)."""
    compartment = state.durable.compartments[label]
    parcel = None if compartment.parcel is None else state.durable.parcels.get(compartment.parcel)
    certain = compartment.occupancy is Occupancy.OCCUPIED and not compartment.doubted
    return certain and parcel is not None and parcel.state is ParcelState.STORED and not parcel.uncertain


def in_hands(state: State, opening: Opening) -> tuple[f.AnyFact, ...]:
    """The door of a parcel that is being moved is open: from now on it is with staff, whatever a power cut interrupts."""
    task = state.live.task
    if task is None or task.after is not After.MOVE or task.compartment != opening.compartment:
        return ()
    parcel = None if opening.parcel is None else state.durable.parcels.get(opening.parcel)
    if parcel is None or parcel.state is not ParcelState.STORED:
        return ()
    released = f.ReservationReleased(
        compartment=opening.compartment, parcel=parcel.id, session=opening.session, verified_empty=False
    )
    return (released,)


def room_for(state: State, task: Task) -> Label | None:
    """The compartment whose parcel may move away for the one that would otherwise lie on the shelf; None when there is none."""
    parcel = None if task.parcel is None else state.durable.parcels.get(task.parcel)
    if task.step is not Step.PUT_ON_SHELF or task.then is not None or parcel is None or parcel.unidentified:
        return None
    if needed_reach(parcel) is None:
        return None
    size = SIZE_ORDER.index(wanted_size(state, parcel))
    movable = [
        label
        for label, compartment in state.durable.compartments.items()
        if SIZE_ORDER.index(state.card(label).size) >= size
        and suits(state, parcel, label)
        and _may_move(state, label, compartment)
    ]
    return min(movable, key=lambda label: (SIZE_ORDER.index(state.card(label).size), label), default=None)


def _may_move(state: State, label: Label, compartment: Compartment) -> bool:
    """Whether its parcel simply waits: nobody is at its door, nobody wants it back, and another compartment fits it."""
    parcel = None if compartment.parcel is None else state.durable.parcels.get(compartment.parcel)
    opening = state.durable.openings.get(label)
    at_rest = opening is None or opening.phase not in {Phase.PULSING, Phase.OPEN}
    return (
        parcel is not None
        and at_rest
        and compartment.service is Service.IN_SERVICE
        and state.door(label) is Door.CLOSED
        and lies_there(state, label)
        and parcel.intent is Intent.HOLD
        and allocate(state, parcel, parcel.size or state.card(label).size) is not None
    )
