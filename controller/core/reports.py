"""What a customer says of the parcel behind their door: nothing is there, it is damaged, it is not wanted.

Owns what follows from such a word: the parcel and its compartment wait for staff, and no key opens that door any more.
Refuses to believe it as seen: what is behind the door is `unknown` until staff have looked (C-09, C-10, C-31).
"""

from __future__ import annotations

from typing import Final

from controller.core import due
from controller.core.effects import Decision, Effect, Show, Signal, Sound
from controller.core.events import Button, Pressed
from controller.core.model import Now, Opening, Parcel, Phase, State
from controller.core.notices import Notice, NoticeKind
from controller.core.orders import call_desk
from wire import facts as f
from wire.ids import Label, Occupancy, ParcelState, Purpose, Service

FOUND_EMPTY: Final = "found_empty"
DAMAGED: Final = "damaged"
REFUSED: Final = "refused"

REASONS: Final = {Button.FOUND_EMPTY: FOUND_EMPTY, Button.DAMAGED: DAMAGED, Button.REFUSE: REFUSED}
_NOTICES: Final = {
    FOUND_EMPTY: NoticeKind.FOUND_EMPTY,
    DAMAGED: NoticeKind.DAMAGED,
    REFUSED: NoticeKind.REFUSED_PARCEL,
}
_TAKING: Final = {Purpose.COLLECT, Purpose.REOPEN}


def reported(state: State, event: Pressed, now: Now) -> Decision:
    """A customer at their open door, or just after they closed it, says what is wrong. Anybody else is helped by the desk."""
    opening = None if event.compartment is None else state.durable.openings.get(event.compartment)
    parcel = None if opening is None or opening.parcel is None else state.durable.parcels.get(opening.parcel)
    if opening is None or parcel is None or not _may_report(state, opening, parcel, now):
        return Decision(tuple(call_desk(state, "help", None, None)), (Show(Notice(NoticeKind.CALLED)), _ATTENTION))
    reason = REASONS[event.button]
    facts: list[f.AnyFact] = [_on_parcel(parcel, reason, opening.session)]
    compartment = state.durable.compartments[opening.compartment]
    if compartment.occupancy is not Occupancy.UNKNOWN:
        facts.append(f.OccupancySet(compartment=opening.compartment, occupancy=Occupancy.UNKNOWN, reason=reason))
    if reason == FOUND_EMPTY and compartment.service is not Service.OUT_OF_SERVICE:
        facts.append(f.ServiceSet(compartment=opening.compartment, service=Service.OUT_OF_SERVICE, reason=reason))
    facts.extend(call_desk(state, reason, parcel.id, opening.compartment))
    return Decision(tuple(facts), (show(parcel, opening.compartment, reason), _ATTENTION))


def show(parcel: Parcel, label: Label, reason: str) -> Effect:
    """What the customer who said so does now."""
    return Show(Notice(_NOTICES.get(reason, NoticeKind.ASK_DESK), label, parcel.id, parcel.language))


def is_reported(parcel: Parcel) -> bool:
    """Whether its recipient has said that something is wrong: closing the door collects nothing then."""
    return parcel.state in {ParcelState.DISPUTED, ParcelState.REFUSED}


def _may_report(state: State, opening: Opening, parcel: Parcel, now: Now) -> bool:
    if opening.purpose not in _TAKING or is_reported(parcel):
        return False
    if opening.phase is Phase.OPEN:
        return True
    taken = parcel.state is ParcelState.COLLECTING and parcel.session == opening.session
    return opening.phase is Phase.CLOSED and taken and now.mono < due.collected_at(state, parcel.since_mono)


def _on_parcel(parcel: Parcel, reason: str, session: str) -> f.AnyFact:
    if reason == REFUSED:
        return f.ParcelRefused(parcel=parcel.id, place=parcel.place, session=session)
    return f.ParcelDisputed(parcel=parcel.id, place=parcel.place, reason=reason)


_ATTENTION: Final = Sound(Signal.ATTENTION)
