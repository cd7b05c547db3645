"""Couriers: somebody of one carrier, who puts in and takes out the parcels of that carrier and sees no others (K-01, K-06).

Owns whose parcel is whose, what a courier may be shown, and which of their doors still stand open. Refuses to know how a parcel is
put in (`loading`) or taken out (`retrieval`). An empty carrier is nobody's: it matches nothing, itself included.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from controller.core.drop import DROP_MAX
from controller.core.effects import Decision, ShowStaff, Signal, Sound
from controller.core.model import Ended, Parcel, Phase, Staff, State, Task
from controller.core.notices import StaffNotice, StaffNoticeKind
from wire.ids import Door, Label, ParcelId, Service
from wire.plan import Role

_MOVING: Final = frozenset({Phase.PULSING, Phase.OPEN})


def is_courier(staff: Staff | None) -> bool:
    """Whether a courier is signed in."""
    return staff is not None and is_courier_role(staff.role)


def is_courier_role(role: str) -> bool:
    """Whether a role is that of a courier, for screens that know no more."""
    return role == Role.COURIER


def same_carrier(one: str, other: str) -> bool:
    """Whether two names are of one carrier: *La Poste* and *laposte* are; an empty one is of no carrier at all."""
    return bool(_bare(one)) and _bare(one) == _bare(other)


def is_theirs(staff: Staff, carrier: str) -> bool:
    """Whether somebody may put in, take out and see the parcels of this carrier; staff of the site may do so with all."""
    return not is_courier(staff) or same_carrier(staff.carrier, carrier)


def is_new_to_drop(state: State, staff: Staff, parcel: ParcelId) -> bool:
    """Whether a courier's label is one that their drop does not have yet."""
    drop = state.durable.drop
    handed = () if drop is None or drop.person != staff.person else drop.handed
    return is_courier(staff) and all(one.parcel != parcel for one in handed)


def refused(state: State, staff: Staff, tracking: str) -> Decision | None:
    """The one sentence about a label that is not of a courier's own carrier; None when they may go on with it.

    A label nobody announced is theirs to hand over: it is told as a difference (K-02). Nothing of a parcel of another
    carrier is said, neither where it lies nor whether it has left.
    """
    if not is_courier(staff):
        return None
    known = _known(state, tracking)
    if is_theirs(staff, staff.carrier if known is None else known.carrier):
        return _drop_full(state)
    return Decision((), (ShowStaff(StaffNotice(StaffNoticeKind.NOT_YOUR_CARRIER)), Sound(Signal.REFUSED)))


def kept(state: State, staff: Staff) -> Decision | None:
    """What keeps a courier who wants to go: a door of theirs that stands open, or a parcel in their hands (K-06); None: nothing."""
    if (label := left_open(state, staff)) is not None:
        return _close_first(label)
    if (task := state.live.task) is not None:
        finish = ShowStaff(StaffNotice(StaffNoticeKind.FINISH_FIRST, task.compartment, task.parcel))
        return Decision((), (finish, Sound(Signal.ATTENTION)))
    return None


def kept_here(state: State, staff: Staff, comes: str) -> Decision | None:
    """The next courier waits until this one has shut their doors; staff of the site may come and help. None: they may go on."""
    couriers = {person.id for person in state.durable.people if person.role == Role.COURIER}
    if not is_courier(staff) or comes not in couriers:
        return None
    label = left_open(state, staff)
    return None if label is None else _close_first(label)


def left_open(state: State, staff: Staff) -> Label | None:
    """The door that somebody has to shut before they can finish, one that they had opened (K-06).

    Doors of customers are none of theirs. A switch that reads open for ever belongs to a compartment that is suspect; it
    keeps nobody here once the site has given its opening up.
    """
    for label, opening in state.durable.openings.items():
        if opening.by != staff.person:
            continue
        in_service = state.durable.compartments[label].service is Service.IN_SERVICE
        if opening.phase in _MOVING or (in_service and state.door(label) is Door.OPEN):
            return label
    return None


def may_see(state: State, parcel: ParcelId | None) -> bool:
    """Whether whoever is signed in may be shown anything of this parcel, gone or here."""
    staff = state.durable.staff
    if staff is None or parcel is None or not is_courier(staff):
        return True
    known = _by_id(state, parcel)
    return known is not None and is_theirs(staff, known.carrier)


def told(state: State, notice: StaffNotice | None) -> StaffNotice | None:
    """The notice as whoever is signed in may see it: of another carrier's parcel its kind alone is left."""
    if notice is None or may_see(state, notice.parcel):
        return notice
    return replace(
        notice, parcel=None, tracking="", place=None, at_ms=0, compartment=_at(state.live.task, notice.compartment)
    )


def _close_first(label: Label) -> Decision:
    close_it = ShowStaff(StaffNotice(StaffNoticeKind.CLOSE_DOOR_FIRST, label))
    return Decision((), (close_it, Sound(Signal.ATTENTION)))


def _drop_full(state: State) -> Decision | None:
    if state.durable.drop is None or len(state.durable.drop.handed) < DROP_MAX:
        return None
    return Decision((), (ShowStaff(StaffNotice(StaffNoticeKind.DROP_FULL)), Sound(Signal.REFUSED)))


def _at(task: Task | None, label: Label | None) -> Label | None:
    """The door of a notice, when it is the one they stand at."""
    return label if task is not None and task.compartment == label else None


def _known(state: State, tracking: str) -> Parcel | Ended | None:
    """What the site knows of a number: the parcel that is here or expected, or the one that left last."""
    for parcel in state.durable.parcels.values():
        if parcel.tracking == tracking:
            return parcel
    return next((ended for ended in reversed(tuple(state.durable.ended.values())) if ended.tracking == tracking), None)


def _by_id(state: State, parcel: ParcelId) -> Parcel | Ended | None:
    return state.durable.parcels.get(parcel) or state.durable.ended.get(parcel)


def _bare(carrier: str) -> str:
    """A carrier's name without case, spaces and signs: people at the hub write it in several ways."""
    return "".join(character for character in carrier.casefold() if character.isalnum())
