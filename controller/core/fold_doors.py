"""What facts change about doors: openings, what was seen at them, what lies behind them, and their alarms.

Owns the compartment's side of the fold. Refuses to decide, to judge or to fail: a fact has happened.
"""

from __future__ import annotations

from dataclasses import replace

from controller.core.afar import RemoteOpening
from controller.core.edits import edit_compartment, edit_opening, edit_parcel, with_key, without_key
from controller.core.model import (
    DOOR_EVENTS_MAX,
    Compartment,
    DoorEvent,
    DoorEventKind,
    Durable,
    Now,
    Opening,
    Phase,
    alarm_key,
)
from wire import facts as f
from wire.ids import Label, Occupancy, ParcelState, Purpose, Trust


def _seen_at_door(
    durable: Durable,
    fact: f.OpeningOrdered | f.DoorOpened | f.DoorClosed | f.OpeningFailed,
    kind: DoorEventKind,
    stamp: Now,
) -> Durable:
    known = durable.compartments.get(fact.compartment)
    if known is None:
        return durable
    events = (*known.events, DoorEvent(kind, stamp.wall_ms, fact.session))[-DOOR_EVENTS_MAX:]
    return edit_compartment(durable, fact.compartment, events=events)


def ordered(durable: Durable, fact: f.OpeningOrdered, stamp: Now) -> Durable:
    """A pulse is ordered: the opening runs from here, and its session counts."""
    durable = _seen_at_door(durable, fact, DoorEventKind.ORDERED, stamp)
    opening = Opening(
        session=fact.session,
        compartment=fact.compartment,
        purpose=fact.purpose,
        phase=Phase.PULSING,
        parcel=fact.parcel,
        by=fact.by,
        pulses=fact.pulse,
        pulse_mono=stamp.mono,
        blind=fact.blind,
    )
    durable = replace(
        durable,
        openings=with_key(durable.openings, fact.compartment, opening),
        sessions=max(durable.sessions, _session_number(fact.session)),
    )
    if fact.parcel is not None and fact.purpose is Purpose.REOPEN and fact.pulse == 1:
        known = durable.parcels.get(fact.parcel)
        if known is not None:
            return edit_parcel(durable, fact.parcel, reopens=known.reopens + 1)
    return _may_be_out(durable, fact.compartment, opening) if fact.blind else durable


def remote_accepted(durable: Durable, fact: f.RemoteOpeningAccepted, stamp: Now) -> Durable:
    """A door will be opened from afar: it counts from here on, with those of the day before it (I-21)."""
    opening = RemoteOpening(
        fact.command, fact.session, fact.compartment, stamp.mono, stamp.wall_ms, ntp=stamp.trust is Trust.NTP
    )
    kept = durable.remote[-fact.counted :] if fact.counted else ()
    return replace(durable, remote=(*kept, opening))


def key_declared(durable: Durable, fact: f.KeyOpeningDeclared, stamp: Now) -> Durable:
    """An opening of staff without a pulse: still to come, or there already (M-09)."""
    phase = Phase.DECLARED
    if fact.opened_ms:
        phase = Phase.OPEN if fact.open else Phase.CLOSED
    known = durable.compartments.get(fact.compartment, Compartment())
    before = durable.openings.get(fact.compartment)
    rests_from = (
        0 if before is None else before.pulse_mono
    )  # The coils rest after a pulse, whatever is said since (I-8).
    opening = Opening(
        session=fact.session,
        compartment=fact.compartment,
        purpose=Purpose.VERIFY,
        phase=phase,
        parcel=known.parcel,
        by=fact.by,
        pulse_mono=rests_from,
        opened_mono=stamp.mono,
    )
    durable = replace(durable, openings=with_key(durable.openings, fact.compartment, opening))
    return count_session(durable, fact.session)


def count_session(durable: Durable, session: str) -> Durable:
    """The number of a session is never given again in this boot."""
    number = _session_number(session)
    return durable if number <= durable.sessions else replace(durable, sessions=number)


def _session_number(session: str) -> int:
    return int(session.rpartition(".")[2] or 0)


def door_opened(durable: Durable, fact: f.DoorOpened, stamp: Now) -> Durable:
    """A door is seen open: a cycle, and for a collection a parcel that may be in somebody's hands."""
    durable = _seen_at_door(durable, fact, DoorEventKind.OPENED, stamp)
    known = durable.compartments.get(fact.compartment, Compartment())
    durable = edit_compartment(durable, fact.compartment, cycles=known.cycles + 1)
    opening = durable.openings.get(fact.compartment)
    if opening is None or opening.session != fact.session:
        return durable
    bounces = opening.bounces + (opening.phase is Phase.CLOSED)
    durable = edit_opening(
        durable, fact.compartment, fact.session, phase=Phase.OPEN, opened_mono=stamp.mono, bounces=bounces
    )
    parcel = None if opening.parcel is None else durable.parcels.get(opening.parcel)
    # What its recipient complained of waits for staff, however often its door springs open again (C-09).
    said = parcel is not None and parcel.state in {ParcelState.DISPUTED, ParcelState.REFUSED}
    if opening.purpose is Purpose.COLLECT and opening.parcel is not None and not said:
        return edit_parcel(durable, opening.parcel, uncertain=True, session=fact.session, since_mono=stamp.mono)
    return _may_be_out(durable, fact.compartment, opening)


def _may_be_out(durable: Durable, label: Label, opening: Opening | None) -> Durable:
    """Staff are at a parcel to take it out: until they say what lies there, no key opens the door, whatever comes between (I-2)."""
    if opening is not None and opening.purpose is Purpose.VERIFY and opening.parcel is not None:
        return edit_compartment(durable, label, doubted=True)
    return durable


def over(durable: Durable, fact: f.DoorClosed | f.OpeningFailed, stamp: Now) -> Durable:
    """An opening ends, closed or failed."""
    failed = isinstance(fact, f.OpeningFailed)
    phase, kind = (Phase.FAILED, DoorEventKind.FAILED) if failed else (Phase.CLOSED, DoorEventKind.CLOSED)
    durable = _seen_at_door(durable, fact, kind, stamp)
    opening = durable.openings.get(fact.compartment)
    if opening is not None and opening.blind and opening.phase is Phase.PULSING and not failed:
        # From here on it is seen to open.
        durable = edit_opening(durable, fact.compartment, opening.session, blind=False)
    return edit_opening(durable, fact.compartment, fact.session, phase=phase, closed_mono=stamp.mono)


def resolved(durable: Durable, fact: f.OpeningResolved, stamp: Now) -> Durable:
    """What became of an opening that a power cut interrupted (C-21, C-22)."""
    opening = durable.openings.get(fact.compartment)
    stood_open = opening is not None and (opening.phase is Phase.OPEN or fact.door == "open")
    if opening is not None and stood_open and opening.purpose is Purpose.COLLECT and fact.parcel:
        known = durable.parcels.get(fact.parcel)
        if known is not None and known.state is ParcelState.STORED:
            durable = edit_parcel(durable, fact.parcel, uncertain=True, session=fact.session, since_mono=stamp.mono)
    durable = _may_be_out(durable, fact.compartment, opening)  # it may have opened in the dark
    if fact.door == "open":
        return edit_opening(
            durable,
            fact.compartment,
            fact.session,
            phase=Phase.OPEN,
            opened_mono=stamp.mono,
            alarmed=True,
            dark=True,
        )
    return replace(durable, openings=without_key(durable.openings, fact.compartment))


def occupancy_set(durable: Durable, fact: f.OccupancySet) -> Durable:
    """A person or the rules said what lies behind a door."""
    known = durable.compartments.get(fact.compartment, Compartment())
    if fact.occupancy is Occupancy.FREE:
        return edit_compartment(durable, fact.compartment, occupancy=fact.occupancy, parcel=None, doubted=False)
    doubted = known.doubted and fact.occupancy is Occupancy.UNKNOWN
    durable = edit_compartment(durable, fact.compartment, occupancy=fact.occupancy, doubted=doubted)
    if fact.occupancy is Occupancy.OCCUPIED and known.parcel is not None:
        return edit_parcel(durable, known.parcel, uncertain=False)
    return durable


def alarm_raised(durable: Durable, fact: f.AlarmRaised, stamp: Now) -> Durable:
    """An alarm stands from its moment on; a door left open carries it."""
    key = alarm_key(fact.alarm, fact.compartment)
    durable = replace(durable, alarms=with_key(durable.alarms, key, stamp.wall_ms))
    if fact.alarm == "door_left_open" and fact.compartment is not None:
        opening = durable.openings.get(fact.compartment)
        if opening is not None:
            return edit_opening(durable, fact.compartment, opening.session, alarmed=True)
    return durable
