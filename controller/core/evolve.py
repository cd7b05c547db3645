"""What each fact changes: the fold that makes `Durable`, live and at recovery alike.

Owns every change of durable state. Refuses to decide, to judge or to fail: a fact has happened. In a replay `stamp.mono`
is 0; `rebase` then sets every anchor to the present, so that nothing expires by time nobody measured (I-6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Final, TypeVar, assert_never

from controller.core.model import (
    ALIASES_MAX,
    ANSWERS_MAX,
    CALLS_MAX,
    DOOR_EVENTS_MAX,
    ENDED_MAX,
    Alias,
    Answer,
    Call,
    Compartment,
    DoorEvent,
    DoorEventKind,
    Durable,
    Ended,
    Now,
    Opening,
    Parcel,
    Phase,
    PinTries,
    PlanMark,
    Staff,
    alarm_key,
)
from wire import facts as f
from wire.ids import Label, Occupancy, ParcelId, ParcelState, PlaceKind, Purpose
from wire.plan import PlannedParcel

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

MILLI: Final = 1_000
"""Attempts are counted in thousandths, so that a slow refill needs no fractions."""


_ONLY_TOLD: Final = (
    f.ClockCorrected,
    f.PlanRefused,
    f.SlipRefused,
    f.BadgeRefused,
    f.BadgeVouched,
    f.CollectionAssisted,
)
"""Kinds that are written down for those who read them later, and change nothing that is decided by."""


def evolve(durable: Durable, fact: f.AnyFact, stamp: Now) -> Durable:  # noqa: C901, PLR0911, PLR0912 one match, one line a kind
    """`durable` after `fact`, which happened at `stamp`."""
    durable = replace(durable, floor_ms=max(durable.floor_ms, stamp.wall_ms))
    if isinstance(fact, _ONLY_TOLD):
        return durable
    match fact:
        case f.SiteStarted():
            return replace(durable, boot=fact.boot, sessions=0)
        case f.PlanApplied():
            return _plan_applied(durable, fact)
        case f.ParcelReceived():
            return _received(durable, fact, stamp)
        case f.CompartmentReserved():
            durable = _not_elsewhere(durable, fact.parcel, fact.compartment)
            return _compartment(durable, fact.compartment, occupancy=Occupancy.RESERVED, parcel=fact.parcel)
        case f.ReservationReleased():
            return _released(durable, fact, stamp)
        case f.ParcelStored():
            return _stored(durable, fact, stamp)
        case f.OpeningOrdered():
            return _ordered(durable, fact, stamp)
        case f.DoorOpened():
            return _door_opened(durable, fact, stamp)
        case f.DoorClosed():
            return _over(durable, fact, Phase.CLOSED, DoorEventKind.CLOSED, stamp)
        case f.OpeningFailed():
            return _over(durable, fact, Phase.FAILED, DoorEventKind.FAILED, stamp)
        case f.OpeningResolved():
            return _resolved(durable, fact, stamp)
        case f.ParcelTaken():
            return _taken(durable, fact, stamp)
        case f.ParcelCollected():
            return _ended(durable, fact.parcel, ParcelState.COLLECTED, stamp)
        case f.ParcelRemoved():
            return _ended(durable, fact.parcel, ParcelState.REMOVED, stamp)
        case f.ParcelDisputed() | f.ParcelRefused():
            return _set_aside(durable, fact, stamp)
        case f.ParcelNoted():
            return _noted(durable, fact)
        case f.KeyReplaced():
            return _key_replaced(durable, fact)
        case f.ParcelJoined():
            return _joined(durable, fact)
        case f.AttemptFailed() | f.LockoutCleared() | f.PinRefused():
            return _tries(durable, fact, stamp)
        case f.OccupancySet():
            return _occupancy_set(durable, fact)
        case f.ServiceSet():
            return _compartment(durable, fact.compartment, service=fact.service)
        case f.AlarmRaised():
            return _alarm_raised(durable, fact, stamp)
        case f.AlarmCleared():
            return replace(durable, alarms=_without(durable.alarms, alarm_key(fact.alarm, fact.compartment)))
        case f.StaffCalled():
            call = Call(fact.reason, fact.parcel, fact.compartment, stamp.wall_ms)
            return replace(durable, calls=(*durable.calls, call)[-CALLS_MAX:])
        case f.StaffAnswered():
            return _answered_call(durable, fact)
        case f.StaffSignedIn():
            return _signed_in(durable, fact)
        case f.StaffSignedOut():
            return replace(durable, staff=None)
        case f.PracticeStarted() | f.PracticeEnded():
            return replace(durable, practice=fact.compartment if isinstance(fact, f.PracticeStarted) else None)
        case f.CommandAnswered():
            return _answered_command(durable, fact)
        case f.HubIncarnationSeen():
            return replace(durable, hub_incarnation=fact.incarnation, behind_seq=0)
        case f.JournalBehind():
            return _journal_behind(durable, fact)
        case _:
            assert_never(fact)


def rebase(durable: Durable, now: Now) -> Durable:
    """After recovery: every running time starts again at `now`, because nobody measured the time in between."""
    return replace(
        durable,
        openings={
            label: replace(opening, pulse_mono=now.mono, opened_mono=now.mono, closed_mono=now.mono)
            for label, opening in durable.openings.items()
            if opening.phase in {Phase.PULSING, Phase.OPEN}
        },
        parcels={parcel.id: replace(parcel, since_mono=now.mono) for parcel in durable.parcels.values()},
        bucket_mono=now.mono,
        pin_tries={person: replace(tries, since_mono=now.mono) for person, tries in durable.pin_tries.items()},
    )


def _with(mapping: Mapping[_Key, _Value], key: _Key, value: _Value) -> dict[_Key, _Value]:
    changed = dict(mapping)
    changed[key] = value
    return changed


def _without(mapping: Mapping[_Key, _Value], key: _Key) -> dict[_Key, _Value]:
    changed = dict(mapping)
    changed.pop(key, None)
    return changed


def _compartment(durable: Durable, label: Label, **changes: object) -> Durable:
    known = durable.compartments.get(label, Compartment())
    return replace(durable, compartments=_with(durable.compartments, label, replace(known, **changes)))  # type: ignore[arg-type]


def _parcel(durable: Durable, parcel: ParcelId, **changes: object) -> Durable:
    known = durable.parcels.get(parcel)
    if known is None:
        return durable
    return replace(durable, parcels=_with(durable.parcels, parcel, replace(known, **changes)))  # type: ignore[arg-type]


def _opening(durable: Durable, label: Label, session: str, **changes: object) -> Durable:
    known = durable.openings.get(label)
    if known is None or known.session != session:
        return durable
    return replace(durable, openings=_with(durable.openings, label, replace(known, **changes)))  # type: ignore[arg-type]


def _not_elsewhere(durable: Durable, parcel: ParcelId, label: str) -> Durable:
    """A parcel in somebody's hands cannot lie where it was once expected; nobody has seen that compartment empty (I-1, I-12)."""
    for other, compartment in durable.compartments.items():
        if compartment.parcel == parcel and other != label:
            seen = compartment.occupancy is not Occupancy.OCCUPIED
            durable = _compartment(
                durable, other, occupancy=compartment.occupancy if seen else Occupancy.UNKNOWN, parcel=None
            )
    return durable


def _plan_applied(durable: Durable, fact: f.PlanApplied) -> Durable:
    parcels = dict(durable.parcels)
    aliases = durable.aliases
    for planned in fact.upserted:
        if planned.id in aliases:
            aliases = _with(aliases, planned.id, _newer_alias(aliases[planned.id], planned.version, planned.epoch))
        else:
            parcels[planned.id] = _planned(parcels.get(planned.id), planned)
    for dropped in fact.dropped:
        known = parcels.get(dropped)
        if known is None:
            continue
        if known.state is ParcelState.ANNOUNCED:
            del parcels[dropped]
        else:
            parcels[dropped] = replace(known, planned=False)
    return replace(
        durable,
        parcels=parcels,
        aliases=aliases,
        plan=PlanMark(fact.incarnation, fact.revision, fact.hash),
        settings=durable.settings if fact.settings is None else fact.settings,
        people=durable.people if fact.people is None else fact.people,
        sites=durable.sites if fact.sites is None else fact.sites,
    )


def _planned(known: Parcel | None, planned: PlannedParcel) -> Parcel:
    base = known or Parcel(planned.id, planned.version, planned.epoch, ParcelState.ANNOUNCED)
    newer = planned.version > base.version
    return replace(
        base,
        version=max(planned.version, base.version),
        epoch=planned.epoch if newer or known is None else base.epoch,
        tracking=base.tracking or planned.tracking,
        carrier=base.carrier or planned.carrier,
        size=planned.size,
        heavy=planned.heavy,
        reach=planned.reach,
        language=planned.language,
        help=planned.help,
        group=planned.group,
        intent=planned.intent,
        planned=True,
    )


def _noted(durable: Durable, fact: f.ParcelNoted) -> Durable:
    said = {"heavy_said": fact.heavy, "low_said": fact.low, "unidentified": fact.unidentified}
    return _parcel(durable, fact.parcel, **{field: word for field, word in said.items() if word is not None})


def _key_replaced(durable: Durable, fact: f.KeyReplaced) -> Durable:
    alias = durable.aliases.get(fact.parcel)
    if alias is None:
        return _parcel(durable, fact.parcel, version=fact.version, epoch=fact.epoch)
    newer = _newer_alias(alias, fact.version, fact.epoch)
    return replace(durable, aliases=_with(durable.aliases, fact.parcel, newer))


def _newer_alias(alias: Alias, version: int, epoch: int) -> Alias:
    return alias if version <= alias.version else replace(alias, version=version, epoch=epoch)


def _joined(durable: Durable, fact: f.ParcelJoined) -> Durable:
    """The announced parcel gives its needs and its key to the one that is here, and is none from now on (ADR 0007)."""
    announced = durable.parcels.get(fact.parcel)
    here, ended = durable.parcels.get(fact.into), durable.ended.get(fact.into)
    if announced is None or announced.state is not ParcelState.ANNOUNCED or (here is None and ended is None):
        return durable
    aliases = _with(durable.aliases, fact.parcel, Alias(fact.into, announced.version, announced.epoch))
    while len(aliases) > ALIASES_MAX:
        del aliases[next(iter(aliases))]
    durable = replace(durable, aliases=aliases, parcels=_without(durable.parcels, fact.parcel))
    if ended is not None:
        return replace(durable, ended=_with(durable.ended, fact.into, replace(ended, language=announced.language)))
    return _parcel(
        durable,
        fact.into,
        carrier=durable.parcels[fact.into].carrier or announced.carrier,
        reach=announced.reach,
        language=announced.language,
        help=announced.help,
        group=announced.group,
    )


def _received(durable: Durable, fact: f.ParcelReceived, stamp: Now) -> Durable:
    known = durable.parcels.get(fact.parcel) or Parcel(
        fact.parcel, fact.key_version, fact.key_epoch, ParcelState.RECEIVED, from_desk=fact.source == "desk"
    )
    parcel = replace(
        known,
        state=ParcelState.RECEIVED,
        place=None,
        reason="",
        uncertain=False,
        tracking=fact.tracking,
        carrier=known.carrier or fact.carrier,
        since_mono=stamp.mono,
        since_ms=stamp.wall_ms,
    )
    return replace(durable, parcels=_with(durable.parcels, fact.parcel, parcel))


def _released(durable: Durable, fact: f.ReservationReleased, stamp: Now) -> Durable:
    durable = _compartment(
        durable,
        fact.compartment,
        occupancy=Occupancy.FREE if fact.verified_empty else Occupancy.UNKNOWN,
        parcel=None if fact.verified_empty else fact.parcel,
    )
    return _parcel(
        durable,
        fact.parcel,
        state=ParcelState.RECEIVED,
        place=None,
        since_mono=stamp.mono,
        since_ms=stamp.wall_ms,
    )


def _stored(durable: Durable, fact: f.ParcelStored, stamp: Now) -> Durable:
    durable = _not_elsewhere(durable, fact.parcel, fact.place.name)
    if fact.place.kind is PlaceKind.COMPARTMENT:
        label = Label(fact.place.name)
        durable = _compartment(durable, label, occupancy=Occupancy.OCCUPIED, parcel=fact.parcel, doubted=False)
    return _parcel(
        durable,
        fact.parcel,
        state=ParcelState.STORED,
        place=fact.place,
        reason="",
        uncertain=False,
        reopens=0,
        since_mono=stamp.mono,
        since_ms=stamp.wall_ms,
    )


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
    return _compartment(durable, fact.compartment, events=events)


def _ordered(durable: Durable, fact: f.OpeningOrdered, stamp: Now) -> Durable:
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
    )
    durable = replace(
        durable,
        openings=_with(durable.openings, fact.compartment, opening),
        sessions=max(durable.sessions, _session_number(fact.session)),
    )
    if fact.parcel is not None and fact.purpose is Purpose.REOPEN and fact.pulse == 1:
        known = durable.parcels.get(fact.parcel)
        if known is not None:
            return _parcel(durable, fact.parcel, reopens=known.reopens + 1)
    return durable


def _count_session(durable: Durable, session: str) -> Durable:
    number = _session_number(session)
    return durable if number <= durable.sessions else replace(durable, sessions=number)


def _session_number(session: str) -> int:
    return int(session.rpartition(".")[2] or 0)


def _door_opened(durable: Durable, fact: f.DoorOpened, stamp: Now) -> Durable:
    durable = _seen_at_door(durable, fact, DoorEventKind.OPENED, stamp)
    known = durable.compartments.get(fact.compartment, Compartment())
    durable = _compartment(durable, fact.compartment, cycles=known.cycles + 1)
    opening = durable.openings.get(fact.compartment)
    if opening is None or opening.session != fact.session:
        return durable
    bounces = opening.bounces + (opening.phase is Phase.CLOSED)
    durable = _opening(
        durable, fact.compartment, fact.session, phase=Phase.OPEN, opened_mono=stamp.mono, bounces=bounces
    )
    if opening.purpose is Purpose.COLLECT and opening.parcel is not None:
        return _parcel(durable, opening.parcel, uncertain=True, session=fact.session, since_mono=stamp.mono)
    return durable


def _set_aside(durable: Durable, fact: f.ParcelDisputed | f.ParcelRefused, stamp: Now) -> Durable:
    """It waits for staff, and its door with it: whatever was open about its last opening is answered by them."""
    state, reason = ParcelState.REFUSED, "refused"
    if isinstance(fact, f.ParcelDisputed):
        state, reason = ParcelState.DISPUTED, fact.reason
    return _parcel(
        durable,
        fact.parcel,
        state=state,
        place=fact.place,
        reason=reason,
        uncertain=False,
        since_mono=stamp.mono,
        since_ms=stamp.wall_ms,
    )


def _over(
    durable: Durable, fact: f.DoorClosed | f.OpeningFailed, phase: Phase, kind: DoorEventKind, stamp: Now
) -> Durable:
    durable = _seen_at_door(durable, fact, kind, stamp)
    return _opening(durable, fact.compartment, fact.session, phase=phase, closed_mono=stamp.mono)


def _resolved(durable: Durable, fact: f.OpeningResolved, stamp: Now) -> Durable:
    opening = durable.openings.get(fact.compartment)
    if opening is not None and opening.phase is Phase.OPEN and opening.purpose is Purpose.COLLECT and fact.parcel:
        known = durable.parcels.get(fact.parcel)
        if known is not None and known.state is ParcelState.STORED:
            durable = _parcel(durable, fact.parcel, uncertain=True, since_mono=stamp.mono)
    if opening is not None and opening.phase is Phase.OPEN and opening.purpose is Purpose.VERIFY:
        # Staff stood at it when the power failed, and may hold what lay there: no key opens it before somebody looked.
        durable = _compartment(durable, fact.compartment, doubted=True)
    if fact.door == "open":
        return _opening(durable, fact.compartment, fact.session, phase=Phase.OPEN, opened_mono=stamp.mono, alarmed=True)
    return replace(durable, openings=_without(durable.openings, fact.compartment))


def _taken(durable: Durable, fact: f.ParcelTaken, stamp: Now) -> Durable:
    return _parcel(
        durable,
        fact.parcel,
        state=ParcelState.COLLECTING,
        session=fact.session,
        uncertain=False,
        since_mono=stamp.mono,
        since_ms=stamp.wall_ms,
    )


def _ended(durable: Durable, parcel: ParcelId, state: ParcelState, stamp: Now) -> Durable:
    known = durable.parcels.get(parcel)
    if known is None:
        return durable
    ended = dict(durable.ended)
    ended[parcel] = Ended(
        id=parcel,
        version=known.version,
        state=state,
        tracking=known.tracking,
        place=known.place,
        at_ms=stamp.wall_ms,
        trust=stamp.trust,
        language=known.language,
        epoch=known.epoch,
        from_desk=known.from_desk,
    )
    durable = _bounded(replace(durable, parcels=_without(durable.parcels, parcel), ended=ended))
    for label, compartment in durable.compartments.items():
        if compartment.parcel == parcel:
            free = compartment.occupancy is Occupancy.OCCUPIED
            return _compartment(
                durable, label, occupancy=Occupancy.FREE if free else compartment.occupancy, parcel=None
            )
    return durable


def _bounded(durable: Durable) -> Durable:
    """The oldest records beyond the bound are forgotten, and the second keys that led to them."""
    if len(durable.ended) <= ENDED_MAX:
        return durable
    forgotten = set(islice(durable.ended, len(durable.ended) - ENDED_MAX))
    ended = dict(
        durable.ended
    )  # A copy and a few deletions: ten thousand looks at each parcel's end would be felt on a Pi.
    for id_ in forgotten:
        del ended[id_]
    return replace(
        durable,
        ended=ended,
        aliases={id_: alias for id_, alias in durable.aliases.items() if alias.into not in forgotten},
    )


def _occupancy_set(durable: Durable, fact: f.OccupancySet) -> Durable:
    known = durable.compartments.get(fact.compartment, Compartment())
    if fact.occupancy is Occupancy.FREE:
        return _compartment(durable, fact.compartment, occupancy=fact.occupancy, parcel=None, doubted=False)
    doubted = known.doubted and fact.occupancy is Occupancy.UNKNOWN
    durable = _compartment(durable, fact.compartment, occupancy=fact.occupancy, doubted=doubted)
    if fact.occupancy is Occupancy.OCCUPIED and known.parcel is not None:
        return _parcel(durable, known.parcel, uncertain=False)
    return durable


def _journal_behind(durable: Durable, fact: f.JournalBehind) -> Durable:
    doubted = {label: replace(compartment, doubted=True) for label, compartment in durable.compartments.items()}
    incarnation = max(durable.hub_incarnation, fact.incarnation)
    return replace(durable, compartments=doubted, hub_incarnation=incarnation, behind_seq=fact.acked_seq)


def _alarm_raised(durable: Durable, fact: f.AlarmRaised, stamp: Now) -> Durable:
    key = alarm_key(fact.alarm, fact.compartment)
    durable = replace(durable, alarms=_with(durable.alarms, key, stamp.wall_ms))
    if fact.alarm == "door_left_open" and fact.compartment is not None:
        opening = durable.openings.get(fact.compartment)
        if opening is not None:
            return _opening(durable, fact.compartment, opening.session, alarmed=True)
    return durable


def _tries(durable: Durable, fact: f.AttemptFailed | f.LockoutCleared | f.PinRefused, stamp: Now) -> Durable:
    """The buckets of typed codes, and of each person's PIN."""
    match fact:
        case f.AttemptFailed():
            return replace(durable, bucket_milli=fact.tokens_milli, bucket_mono=stamp.mono)
        case f.LockoutCleared():
            return replace(durable, bucket_milli=durable.settings.attempts_burst * MILLI, bucket_mono=stamp.mono)
        case f.PinRefused():
            tries = PinTries(fact.tokens_milli, stamp.mono)
            return replace(durable, pin_tries=_with(durable.pin_tries, fact.person, tries))
        case _:
            assert_never(fact)


def _answered_call(durable: Durable, fact: f.StaffAnswered) -> Durable:
    kept = tuple(
        call
        for call in durable.calls
        if (call.reason, call.parcel, call.compartment) != (fact.reason, fact.parcel, fact.compartment)
    )
    return replace(durable, calls=kept)


def _signed_in(durable: Durable, fact: f.StaffSignedIn) -> Durable:
    role = next((person.role for person in durable.people if person.id == fact.person), "")
    return _count_session(replace(durable, staff=Staff(fact.person, role, fact.session)), fact.session)


def _answered_command(durable: Durable, fact: f.CommandAnswered) -> Durable:
    answers = dict(durable.answers)
    answers[fact.id] = Answer(fact.verb, fact.outcome, fact.reason)
    while len(answers) > ANSWERS_MAX:
        del answers[next(iter(answers))]
    return replace(durable, answers=answers)
