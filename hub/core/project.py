"""What a fact changes at the hub: `project` turns one fact into changes, `evolve` applies a change to a parcel.

Owns every consequence of a fact, in one `match`. Refuses to know tables, clocks and what a plan says. The site's fact
stands, always; where it crosses an intent of the hub, an alert asks a person to look (design §3).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, assert_never

from hub.core.delegates import Delegated
from hub.core.moment import Moment
from hub.core.retention import DAY_MS
from hub.core.telling import MessageKind, replaced_kind
from wire import facts
from wire.facts import Place
from wire.ids import Label, Occupancy, ParcelId, ParcelState, PlaceKind, Service
from wire.plan import Intent, PlannedParcel


class Source(StrEnum):
    """Where the hub knows a parcel from; `again`: announced, although one of its number had been at the site and left."""

    PLAN = "plan"
    AGAIN = "again"
    DESK = "desk"
    RECOVERED = "recovered"


class AlertKind(StrEnum):
    """Alerts the hub itself raises; the alarms of a site keep the site's names."""

    OPENING_FAILED = "opening_failed"
    PLAN_REFUSED = "plan_refused"
    FOREIGN_PARCEL = "foreign_parcel"
    RECOVERED = "recovered"
    CROSSED = "crossed"
    DISPUTED = "disputed"
    IDENTITY = "identity"
    GAP = "gap"
    UNKNOWN_SITE = "unknown_site"
    BAD_MESSAGE = "bad_message"
    VIEWS_DIFFER = "views_differ"
    SITE_OFFLINE = "site_offline"
    MESSAGE_FAILED = "message_failed"
    WEBHOOK_PAUSED = "webhook_paused"


ENDED: Final = frozenset({ParcelState.COLLECTED, ParcelState.REMOVED, ParcelState.RETURNED, ParcelState.LOST})
"""States in which a parcel has left the site for good."""

WANTED: Final = frozenset(
    {
        ParcelState.ANNOUNCED,
        ParcelState.RECEIVED,
        ParcelState.STORED,
        ParcelState.COLLECTING,
        ParcelState.RECALLED,
        ParcelState.DISPUTED,
        ParcelState.REFUSED,
    }
)
"""States in which a parcel stands in its site's plan."""


@dataclass(frozen=True, slots=True)
class ParcelRecord:
    """A parcel as the hub keeps it. `place_kind` is None when it is not put anywhere.

    `joined_into`: the parcel this one turned out to be (ADR 0007). It is a second key of that one then, has no life of
    its own, and its state stays *announced*; `joined_version` is the version of this key that the site has.
    `held_until_ms`: the end of its last extension.
    """

    id: str
    site: int
    state: ParcelState
    source: Source
    created_ms: int
    changed_ms: int
    tracking: str = ""
    carrier: str = ""
    version: int = 1
    epoch: int = 0
    intent: Intent = Intent.HOLD
    place_kind: PlaceKind | None = None
    place_name: str = ""
    received_ms: int | None = None
    stored_ms: int | None = None
    ended_ms: int | None = None
    joined_into: str | None = None
    joined_version: int = 0
    extended: int = 0
    partner: int | None = None
    held_until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """Somebody stands at the site with the parcel; not `here` when its sender still has it, and a slip for it (C-32)."""

    parcel: ParcelId
    tracking: str
    carrier: str
    source: Source
    version: int
    epoch: int
    here: bool = True


@dataclass(frozen=True, slots=True)
class Placed:
    """The parcel lies where it can be collected."""

    parcel: ParcelId
    place: Place


@dataclass(frozen=True, slots=True)
class Taking:
    """A collection's door was opened and closed; the dispute window runs."""

    parcel: ParcelId


@dataclass(frozen=True, slots=True)
class Ended:
    """The parcel left the site; the compartment that held it is free, if it was known to be occupied."""

    parcel: ParcelId
    state: ParcelState


@dataclass(frozen=True, slots=True)
class KeyRaised:
    """A higher key version is in force at the site."""

    parcel: ParcelId
    version: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Planned:
    """The site was told of this parcel; a restored hub may have forgotten that it told so."""

    parcel: PlannedParcel


@dataclass(frozen=True, slots=True)
class Unplaced:
    """The parcel did not go in after all: staff hold it."""

    parcel: ParcelId


@dataclass(frozen=True, slots=True)
class Disputed:
    """The parcel is not where the site says, or its collection is contested."""

    parcel: ParcelId


@dataclass(frozen=True, slots=True)
class Extended:
    """Its site gave it more days, for the `count`th time: what was wanted without knowing of that stands no more (ADR 0016)."""

    parcel: ParcelId
    count: int
    days: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Its recipient does not want it: it lies at its site until staff send it back."""

    parcel: ParcelId


@dataclass(frozen=True, slots=True)
class Joined:
    """The announced `parcel` is the one the desk created as `into`: two keys, one life. Changes both; see `join`."""

    parcel: ParcelId
    into: ParcelId


_STATE_AFTER: Final = {Taking: ParcelState.COLLECTING, Disputed: ParcelState.DISPUTED, Refused: ParcelState.REFUSED}
ParcelChange = (
    Received | Placed | Taking | Ended | KeyRaised | Planned | Disputed | Refused | Unplaced | Delegated | Extended
)


@dataclass(frozen=True, slots=True)
class Occupied:
    """What is in a compartment. `keeps_parcel`: what was known of its parcel still stands."""

    compartment: Label
    occupancy: Occupancy
    parcel: ParcelId | None
    keeps_parcel: bool = False


@dataclass(frozen=True, slots=True)
class Serviced:
    """Whether a compartment may be used."""

    compartment: Label
    service: Service


@dataclass(frozen=True, slots=True)
class Raise:
    """A person should look."""

    kind: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Clear:
    """The cause of an alert is over."""

    kind: str
    subject: str


Change = ParcelChange | Joined | Occupied | Serviced | Raise | Clear


_TIMELINE_ONLY: Final = frozenset(
    {
        facts.SiteStarted,
        facts.ClockCorrected,
        facts.OpeningOrdered,
        facts.DoorOpened,
        facts.DoorClosed,
        facts.OpeningResolved,
        facts.SlipRefused,
        facts.AttemptFailed,
        facts.PinRefused,
        facts.BadgeRefused,
        facts.BadgeVouched,
        facts.StaffSignedIn,
        facts.StaffSignedOut,
        facts.DropEnded,
    }
)
"""The frequent kinds that change nothing here: told apart by one look instead of the whole `match`, for a backlog's sake."""


def project(fact: facts.AnyFact) -> tuple[Change, ...]:  # noqa: C901, PLR0911, PLR0912 one match, one line a kind
    """Everything `fact` changes at the hub, in order. Facts that only belong in a timeline change nothing."""
    if type(fact) in _TIMELINE_ONLY:
        return ()
    match fact:
        case facts.ParcelReceived() | facts.SendingIssued():
            return (_received(fact),)
        case facts.ParcelStored():
            return (Placed(fact.parcel, fact.place), *_filled(fact.place, fact.parcel))
        case facts.ParcelTaken():
            return (Taking(fact.parcel),)
        case facts.ParcelCollected():
            return (Ended(fact.parcel, ParcelState.COLLECTED),)
        case facts.ParcelRemoved():
            return (Ended(fact.parcel, ParcelState.REMOVED),)
        case facts.ParcelDisputed():
            return (Disputed(fact.parcel), Raise(AlertKind.DISPUTED, fact.parcel, fact.reason))
        case facts.ParcelRefused():
            return (Refused(fact.parcel),)
        case facts.CollectionDelegated():
            return (Delegated(fact.parcel, fact.number),)
        case facts.KeyReplaced():
            return (KeyRaised(fact.parcel, fact.version, fact.epoch),)
        case facts.HoldExtended():
            return (Extended(fact.parcel, fact.count, fact.days),)
        case facts.ParcelJoined():
            return (Joined(fact.parcel, fact.into),)
        case facts.PlanApplied():
            return (*(Planned(parcel) for parcel in fact.upserted), Clear(AlertKind.PLAN_REFUSED, ""))
        case facts.PlanRefused():
            return (Raise(AlertKind.PLAN_REFUSED, "", fact.reason),)
        case (
            facts.CompartmentReserved()
            | facts.ReservationReleased()
            | facts.OccupancySet()
            | facts.ServiceSet()
            | facts.OpeningFailed()
            | facts.AlarmRaised()
            | facts.AlarmCleared()
        ):
            return _compartment_changes(fact)
        case _:
            return ()


def _compartment_changes(
    fact: facts.CompartmentReserved
    | facts.ReservationReleased
    | facts.OccupancySet
    | facts.ServiceSet
    | facts.OpeningFailed
    | facts.AlarmRaised
    | facts.AlarmCleared,
) -> tuple[Change, ...]:
    match fact:
        case facts.CompartmentReserved():
            return (Occupied(fact.compartment, Occupancy.RESERVED, fact.parcel),)
        case facts.ReservationReleased():
            occupancy = Occupancy.FREE if fact.verified_empty else Occupancy.UNKNOWN
            left = None if fact.verified_empty else fact.parcel
            return (Occupied(fact.compartment, occupancy, left), Unplaced(fact.parcel))
        case facts.OccupancySet():
            return (
                Occupied(fact.compartment, fact.occupancy, None, keeps_parcel=fact.occupancy is not Occupancy.FREE),
            )
        case facts.ServiceSet():
            changes: tuple[Change, ...] = (Serviced(fact.compartment, fact.service),)
            if fact.service is Service.IN_SERVICE:
                changes += (Clear(AlertKind.OPENING_FAILED, fact.compartment),)
            return changes
        case facts.OpeningFailed():
            return (Raise(AlertKind.OPENING_FAILED, fact.compartment, fact.reason),)
        case facts.AlarmRaised():
            return (Raise(fact.alarm, fact.compartment or "", fact.detail),)
        case facts.AlarmCleared():
            return (Clear(fact.alarm, fact.compartment or ""),)
        case _:
            assert_never(fact)


def _received(fact: facts.ParcelReceived | facts.SendingIssued) -> Received:
    here = isinstance(fact, facts.ParcelReceived)
    announced = isinstance(fact, facts.ParcelReceived) and fact.source != Source.DESK
    source = Source.PLAN if announced else Source.DESK
    return Received(fact.parcel, fact.tracking, fact.carrier, source, fact.key_version, fact.key_epoch, here)


def _filled(place: Place, parcel: ParcelId) -> tuple[Change, ...]:
    if place.kind is not PlaceKind.COMPARTMENT:
        return ()
    return (Occupied(Label(place.name), Occupancy.OCCUPIED, parcel),)


@dataclass(frozen=True, slots=True)
class Evolved:
    """A parcel after a change, and what else follows from it."""

    parcel: ParcelRecord
    replan: bool = False
    messages: tuple[str, ...] = ()
    alerts: tuple[Raise, ...] = ()
    needs: PlannedParcel | None = None


def evolve(known: ParcelRecord | None, change: ParcelChange, moment: Moment) -> Evolved | None:
    """The parcel after `change`; None when the change tells nothing new.

    `known.site` must be the site that speaks: a site cannot change another site's parcel (I-20).
    """
    assert known is None or known.site == moment.site
    if known is not None and known.joined_into is not None:
        return _after_joined(known, change, moment)
    match change:
        case Planned():
            return _planned(known, change, moment)
        case KeyRaised():
            return _key_raised(known, change, moment)
        case Received():
            return _after_received(known, change, moment)
        case Placed():
            return _after_placed(known, change, moment)
        case Taking() | Disputed() | Refused():
            base = known or _forgotten(change.parcel, moment)
            return _moved(known, replace(base, state=_STATE_AFTER[type(change)], changed_ms=moment.believed_ms()))
        case Unplaced():
            return _after_unplaced(known, moment)
        case Extended():
            return _after_extended(known, change, moment)
        case Delegated():
            return None if known is None else Evolved(known, messages=(f"{MessageKind.DELEGATED}/{change.number}",))
        case Ended():
            return _after_ended(known, change, moment)
        case _:
            assert_never(change)


@dataclass(frozen=True, slots=True)
class Join:
    """Two records after they turned out to be one parcel, and what follows for the one that stays."""

    gives_way: ParcelRecord
    stays: ParcelRecord
    messages: tuple[str, ...] = ()
    alerts: tuple[Raise, ...] = ()


def join(announced: ParcelRecord | None, here: ParcelRecord | None, change: Joined, moment: Moment) -> Join | None:
    """Both records after a site joined them; None when that tells nothing new, or cannot be.

    A database older than the site's memory may know neither: both are made, so that the next facts find the recipient.
    What people want moves with `hub.core.join`. Who was told nothing yet is told what the state of the parcel asks for.
    """
    if change.parcel == change.into or (announced is not None and announced.joined_into == change.into):
        return None
    gives_way = announced or _forgotten(change.parcel, moment)
    stays = here or _forgotten(change.into, moment)
    if gives_way.state is not ParcelState.ANNOUNCED or stays.joined_into is not None:
        return None  # the site does the same: a parcel with a life of its own stays what it is
    at_ms, stays = moment.believed_ms(), replace(stays, partner=stays.partner or gives_way.partner)
    intent = gives_way.intent if stays.intent is Intent.HOLD else stays.intent
    return Join(
        replace(gives_way, joined_into=change.into, joined_version=gives_way.version, changed_ms=at_ms),
        replace(stays, intent=intent, tracking=stays.tracking or gives_way.tracking, changed_ms=at_ms),
        messages=_ASKED_FOR.get(stays.state, ()),
        alerts=tuple(_recovered(made) for known, made in ((announced, gives_way), (here, stays)) if known is None),
    )


_ASKED_FOR: Final = {
    ParcelState.STORED: (str(MessageKind.READY),),
    ParcelState.COLLECTED: (str(MessageKind.COLLECTED),),
}
"""What a recipient would have been told, had the hub known whom to tell."""


def _after_joined(known: ParcelRecord, change: ParcelChange, moment: Moment) -> Evolved | None:
    """A joined parcel is a key. Should its site tell of a life of its own all the same, that is the truth (design §3)."""
    match change:
        case Planned():
            return _second_key(known, change.parcel.version, change.parcel.epoch)
        case KeyRaised():
            return _second_key(known, change.version, change.epoch)
        case _:
            evolved = evolve(replace(known, joined_into=None, joined_version=0), change, moment)
            if evolved is None:
                return None
            crossed = Raise(AlertKind.CROSSED, known.id, f"it was joined to {known.joined_into}, and is handled alone")
            return replace(evolved, replan=True, alerts=(*evolved.alerts, crossed))


def _second_key(known: ParcelRecord, version: int, epoch: int) -> Evolved | None:
    """The site has this version of a second key. The plan names the key until then, so it is built anew."""
    if version <= known.joined_version:
        return None
    newest = max((known.epoch, known.version), (epoch, version))
    record = replace(known, epoch=newest[0], version=newest[1], joined_version=version)
    return Evolved(record, replan=True)


def _planned(known: ParcelRecord | None, change: Planned, moment: Moment) -> Evolved | None:
    planned = change.parcel
    if known is not None:
        return _key_raised(known, KeyRaised(planned.id, planned.version, planned.epoch), moment)
    record = replace(
        _forgotten(planned.id, moment),
        source=Source.AGAIN if planned.again else Source.RECOVERED,
        tracking=planned.tracking,
        carrier=planned.carrier,
        version=planned.version,
        epoch=planned.epoch,
        intent=planned.intent,
        extended=planned.extended,
    )
    return Evolved(record, replan=True, alerts=(_recovered(record),), needs=planned)


def _key_raised(known: ParcelRecord | None, change: KeyRaised, moment: Moment) -> Evolved | None:
    if known is not None and (change.epoch, change.version) <= (known.epoch, known.version):
        return None
    base = known or _forgotten(change.parcel, moment)
    record = replace(base, version=change.version, epoch=change.epoch)
    evolved = _moved(known, record)
    messages = (replaced_kind(change.version),) if record.state is ParcelState.STORED else ()
    return replace(evolved, replan=record.state in WANTED, messages=messages)


def _after_received(known: ParcelRecord | None, change: Received, moment: Moment) -> Evolved:
    at_ms = moment.believed_ms()
    state = ParcelState.RECEIVED if change.here else ParcelState.ANNOUNCED
    if known is None:
        record = ParcelRecord(
            id=change.parcel,
            site=moment.site,
            state=state,
            source=Source.DESK if change.source is Source.DESK else Source.RECOVERED,
            created_ms=at_ms,
            changed_ms=at_ms,
            tracking=change.tracking,
            carrier=change.carrier,
            version=change.version,
            epoch=change.epoch,
            received_ms=at_ms if change.here else None,
        )
        return Evolved(record, replan=True, alerts=() if change.source is Source.DESK else (_recovered(record),))
    newer = max((known.epoch, known.version), (change.epoch, change.version))
    from_desk = change.source is Source.DESK and known.source is Source.RECOVERED
    record = replace(
        known,
        state=state,
        source=Source.DESK if from_desk else known.source,
        tracking=known.tracking or change.tracking,
        carrier=known.carrier or change.carrier,
        epoch=newer[0],
        version=newer[1],
        received_ms=at_ms,
        ended_ms=None,
        changed_ms=at_ms,
    )
    return _moved(known, record)


def _after_placed(known: ParcelRecord | None, change: Placed, moment: Moment) -> Evolved:
    at_ms = moment.believed_ms()
    base = known or _forgotten(change.parcel, moment)
    record = replace(
        base,
        state=ParcelState.STORED,
        place_kind=change.place.kind,
        place_name=change.place.name,
        stored_ms=at_ms,
        ended_ms=None,
        changed_ms=at_ms,
    )
    return replace(_moved(known, record), messages=(MessageKind.READY,))


def _after_unplaced(known: ParcelRecord | None, moment: Moment) -> Evolved | None:
    if known is None or known.state in ENDED:
        return None
    at_ms = moment.believed_ms()
    return _moved(known, replace(known, state=ParcelState.RECEIVED, place_kind=None, place_name="", changed_ms=at_ms))


def _after_extended(known: ParcelRecord | None, change: Extended, moment: Moment) -> Evolved | None:
    if known is not None and change.count <= known.extended:
        return None
    base = known or _forgotten(change.parcel, moment)
    at_ms = moment.believed_ms()
    until_ms = at_ms + change.days * DAY_MS
    record = replace(base, extended=change.count, held_until_ms=until_ms, intent=Intent.HOLD, changed_ms=at_ms)
    return replace(_moved(known, record), replan=record.state in WANTED)


def _after_ended(known: ParcelRecord | None, change: Ended, moment: Moment) -> Evolved:
    at_ms = moment.believed_ms()
    base = known or _forgotten(change.parcel, moment)
    record = replace(base, state=change.state, place_kind=None, place_name="", ended_ms=at_ms, changed_ms=at_ms)
    evolved = _moved(known, record)
    if change.state is not ParcelState.COLLECTED:
        return evolved
    alerts = evolved.alerts
    if base.intent is Intent.RECALL:
        alerts += (Raise(AlertKind.CROSSED, record.id, "collected although it was recalled"),)
    return replace(evolved, messages=(MessageKind.COLLECTED,), alerts=alerts)


def _moved(known: ParcelRecord | None, record: ParcelRecord) -> Evolved:
    """A parcel after a site's word. The plan changes when it enters or leaves it, or when its key does."""
    if known is None:
        return Evolved(record, replan=True, alerts=(_recovered(record),))
    was, now = known.state in WANTED, record.state in WANTED
    key_changed = (known.epoch, known.version) != (record.epoch, record.version)
    return Evolved(record, replan=was is not now or (now and key_changed))


def _forgotten(parcel: ParcelId, moment: Moment) -> ParcelRecord:
    """A parcel the hub should have known: its own database is older than the site's memory."""
    at_ms = moment.believed_ms()
    return ParcelRecord(
        id=parcel,
        site=moment.site,
        state=ParcelState.ANNOUNCED,
        source=Source.RECOVERED,
        created_ms=at_ms,
        changed_ms=at_ms,
    )


def _recovered(record: ParcelRecord) -> Raise:
    return Raise(AlertKind.RECOVERED, record.id, "known again from the site; its recipient is not")


def shown_state(state: ParcelState, intent: Intent) -> ParcelState:
    """The state a person is shown: a parcel whose hold is over and that still lies here is *recalled*."""
    if intent is Intent.RECALL and state in {ParcelState.ANNOUNCED, ParcelState.RECEIVED, ParcelState.STORED}:
        return ParcelState.RECALLED
    return state
