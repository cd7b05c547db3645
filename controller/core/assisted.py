"""Assisted collection: staff open from the desk for somebody who stands there without a working key, after an identity check (M-05).

Owns what is asked for it and what is written down: who helped, why, how they knew whom they had before them, and whether the person was
there. Refuses to call it a delegation: the parcel goes to its own recipient, and from the open door on it is an ordinary collection.
"""

from __future__ import annotations

from controller.core import due
from controller.core.effects import Decision, ShowStaff, Signal, Sound
from controller.core.events import AssistAsked
from controller.core.loading import tell
from controller.core.model import Now, Parcel, Staff, State
from controller.core.notices import StaffNotice, StaffNoticeKind
from controller.core.orders import calls_over, next_session, open_door
from wire import facts as f
from wire.ids import Label, ParcelState, PlaceKind, Purpose


def asked(state: State, staff: Staff, event: AssistAsked, now: Now) -> Decision:
    """Open the parcel's door for its recipient, or hand it over from the shelf; either way the help is a fact of its own."""
    parcel = state.durable.parcels.get(event.parcel)
    if parcel is None or parcel.place is None or parcel.state is not ParcelState.STORED:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    if parcel.unidentified:
        return tell(StaffNoticeKind.IDENTIFY_FIRST, parcel=parcel.id, tracking=parcel.tracking)
    if parcel.place.kind is PlaceKind.SHELF:
        return _from_the_shelf(state, staff, parcel, parcel.place, event)
    label = Label(parcel.place.name)
    compartment = state.durable.compartments[label]
    if compartment.parcel != parcel.id or compartment.doubted:
        return tell(StaffNoticeKind.LOOK_FIRST, compartment=label, tracking=parcel.tracking)
    if state.live.task is not None:
        return tell(StaffNoticeKind.FINISH_FIRST, compartment=state.live.task.compartment)
    if not due.is_ready(state, now):
        return tell(StaffNoticeKind.CLOSE_DOOR_FIRST)
    session = next_session(state)
    ordered, effects = open_door(
        state, session=session, compartment=label, purpose=Purpose.COLLECT, parcel=parcel.id, by=staff.person
    )
    facts = (_helped(staff, parcel, event, session), ordered, *calls_over(state, staff, parcel.id))
    opened = StaffNotice(StaffNoticeKind.ASSISTED, label, parcel.id, parcel.tracking)
    return Decision(facts, (*effects, ShowStaff(opened)))


def _from_the_shelf(state: State, staff: Staff, parcel: Parcel, place: f.Place, event: AssistAsked) -> Decision:
    collected = f.ParcelCollected(parcel=parcel.id, place=place, session=staff.session, by=staff.person)
    facts = (_helped(staff, parcel, event, staff.session), collected, *calls_over(state, staff, parcel.id))
    notice = StaffNotice(StaffNoticeKind.HANDED_OVER, None, parcel.id, parcel.tracking, place)
    return Decision(facts, (ShowStaff(notice), Sound(Signal.OK)))


def _helped(staff: Staff, parcel: Parcel, event: AssistAsked, session: str) -> f.CollectionAssisted:
    return f.CollectionAssisted(
        parcel=parcel.id,
        session=session,
        by=staff.person,
        motive=event.motive,
        identity=event.identity,
        present=event.present,
    )
