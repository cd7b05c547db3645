"""What the pages show, read from the tables: fleet, site, parcel, alerts, messages.

Owns the queries and the rows they give. Refuses to know words, markup and permissions. Every list is bounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, func, or_, select

from hub.core.moment import OFFLINE_AFTER_MS
from hub.core.parcels import fold_name
from hub.core.permissions import WHOLE_HUB, Scope
from hub.core.project import ENDED
from hub.store import openings
from hub.store.engine import Store
from hub.store.openings import OpeningRow
from hub.store.schema import ALERT, CONTACT, FACT, MESSAGE, PARCEL, PLAN, SITE, SITE_CURSOR, SITE_LIVE
from hub.store.tenants import alerts_inside, numbers_inside, parcels_inside, sites_inside
from wire import messages
from wire.facts import AnyFact, UnknownFact, decode_fact
from wire.ids import ParcelState, ReachZone, SizeClass, Trust
from wire.messages import BadMessage, Birth, Health, PresenceStatus, SiteState
from wire.plan import Help, Intent

LIST_ROWS_MAX: Final = 100
"""Rows of a list on one page; a search narrows it down."""
FACTS_SHOWN_MAX: Final = 200
"""Facts of one parcel's life; a life of more is a fault worth looking at in the journal itself."""
UNTOLD_MAX: Final = 500
"""People to tell by voice at one site: as many as it has compartments, and more."""
SITE_FACTS_SHOWN: Final = 25
"""Three missed heartbeats of 30 s (journeys, defaults)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """A site and the last words heard from it; None where it never spoke."""

    number: int
    id: str
    name: str
    address: str
    help_phone: str
    presence: str
    heard_ms: int
    birth: Birth | None
    state: SiteState | None
    state_ms: int
    plan_revision: int
    plan_hash: str
    is_planned: bool
    """The last plan was built from what is wanted now."""
    applied_revision: int
    applied_hash: str
    seq: int
    health: Health | None
    health_ms: int
    inside: int
    alerts: int
    sandbox: bool

    def is_online(self, now_ms: int) -> bool:
        """Whether the site said it is ready and was heard lately; a sandbox has nothing to say, and is always there."""
        is_heard = self.presence == PresenceStatus.READY and now_ms - self.heard_ms < OFFLINE_AFTER_MS
        return self.sandbox or is_heard

    @property
    def plan_applied(self) -> bool:
        """Whether the site works by the last plan."""
        return self.is_planned and bool(self.plan_hash) and self.plan_hash == self.applied_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelRow:
    """A parcel and its recipient as far as they are still kept."""

    id: str
    site: str
    site_number: int
    site_name: str
    tracking: str
    carrier: str
    size: SizeClass | None
    reach: ReachZone | None
    version: int
    epoch: int
    intent: Intent
    state: ParcelState
    place_kind: str
    place_name: str
    source: str
    created_ms: int
    changed_ms: int
    name: str
    phone: str
    email: str
    language: str
    help: Help
    also: tuple[str, ...] = ()
    """Ids this parcel was announced under besides its own (ADR 0007)."""

    @property
    def is_ended(self) -> bool:
        """Whether it has left the site for good."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class FactRow:
    """A fact with its moment; `fact` is None for a kind this version does not know."""

    seq: int
    kind: str
    at_ms: int
    trust: Trust
    fact: AnyFact | None


@dataclass(frozen=True, slots=True)
class AlertRow:
    """Something a person should look at."""

    id: int
    site: str
    kind: str
    subject: str
    detail: str
    raised_ms: int
    last_ms: int
    times: int
    acknowledged_by: str
    acknowledged_ms: int | None
    cleared_ms: int | None


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A word to a recipient. Neither its text nor an address is in it; `told` are the ways it went."""

    id: int
    parcel: str
    tracking: str
    site: str
    kind: str
    state: str
    created_ms: int
    sent_ms: int | None
    attempts: int
    problem: str
    told: str


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """Somebody whose parcel waits and who was told by nobody; `tried`: a message was, in vain."""

    site: str
    name: str
    language: str
    help: Help
    place_kind: str
    place_name: str
    tracking: str
    stored_ms: int
    tried: bool


class PageReads:
    """Reads for the pages, each in one consistent view of the database."""

    def __init__(self, store: Store, scope: Scope = WHOLE_HUB) -> None:
        self._store = store
        self._scope = scope

    def within(self, scope: Scope) -> PageReads:
        """The same reads of what is inside a scope; everything else is as if it did not exist (I-31)."""
        return PageReads(self._store, scope)

    def sites(self) -> tuple[SiteRow, ...]:
        """Every site, by name."""
        with self._store.reading() as connection:
            return _sites(connection, _SITES.where(sites_inside(self._scope)).order_by(SITE.c.name, SITE.c.id))

    def site(self, site: str) -> SiteRow | None:
        """One site, or None when there is none of that id."""
        with self._store.reading() as connection:
            found = _sites(connection, _SITES.where(SITE.c.id == site, sites_inside(self._scope)))
        return found[0] if found else None

    def parcels(
        self, *, text: str = "", site: str = "", state: ParcelState | None = None, most: int = LIST_ROWS_MAX
    ) -> tuple[ParcelRow, ...]:
        """Parcels, newest first, whose number, id or recipient holds `text`. One more than `most` tells of more."""
        query = _PARCELS.where(PARCEL.c.joined_into.is_(None))
        query = query.order_by(PARCEL.c.created_ms.desc(), PARCEL.c.id).limit(most + 1)
        if site:
            query = query.where(SITE.c.id == site)
        if state is not None:
            query = query.where(PARCEL.c.state == state)
        if text.strip():
            number = "".join(text.split()).upper()
            query = query.where(
                or_(
                    PARCEL.c.tracking.contains(number, autoescape=True),
                    PARCEL.c.id == number,
                    PARCEL.c.id.in_(select(_SECOND.c.joined_into).where(_SECOND.c.id == number)),
                    CONTACT.c.name_folded.contains(fold_name(text), autoescape=True),
                )
            )
        with self._store.reading() as connection:
            query = query.where(parcels_inside(connection, self._scope))
            return tuple(_parcel(row) for row in connection.execute(query))

    def parcel(self, parcel: str) -> ParcelRow | None:
        """One parcel under whichever of its ids, or None. Its own id is in the row."""
        with self._store.reading() as connection:
            own = _own_id(connection, parcel)
            inside = parcels_inside(connection, self._scope)
            row = connection.execute(_PARCELS.where(PARCEL.c.id == own, inside)).one_or_none()
        return None if row is None else _parcel(row)

    def life_of(self, parcel: str) -> tuple[FactRow, ...]:
        """The facts of a parcel under all its ids, oldest first, with those of the sessions it was handled in."""
        with self._store.reading() as connection:
            own_id = _own_id(connection, parcel)
            inside = parcels_inside(connection, self._scope)
            if not connection.execute(select(PARCEL.c.id).join(SITE).where(PARCEL.c.id == own_id, inside)).all():
                return ()
            seconds = connection.execute(select(PARCEL.c.id).where(PARCEL.c.joined_into == own_id)).scalars()
            named = select(FACT).where(FACT.c.parcel.in_((own_id, *seconds)))
            own = connection.execute(named.order_by(FACT.c.journal, FACT.c.seq).limit(FACTS_SHOWN_MAX)).all()
            sessions = {row.session for row in own if row.session}
            sites = {row.site for row in own}
            doors = select(FACT).where(
                FACT.c.session.in_(sessions),
                FACT.c.site.in_(sites),
                FACT.c.kind.in_(("door_opened", "door_closed")),
            )
            around = connection.execute(doors.limit(FACTS_SHOWN_MAX)).all() if sessions else []
        places = {row.compartment for row in map(_fact, own) for row in _doors_of(row.fact)}
        kept = [row for row in around if any(door.compartment in places for door in _doors_of(_fact(row).fact))]
        return tuple(_fact(row) for row in sorted((*own, *kept), key=lambda row: (row.journal, row.seq)))

    def untold(self, site: str) -> tuple[WaitingRow, ...]:
        """Named recipients at a site whose parcel waits, and whom no message reached or will; who waits longest first."""
        told = select(MESSAGE.c.id).where(MESSAGE.c.parcel == PARCEL.c.id, MESSAGE.c.state.in_(("sent", "waiting")))
        query = _PARCELS.where(
            SITE.c.id == site, PARCEL.c.state == ParcelState.STORED, PARCEL.c.intent == Intent.HOLD,
            PARCEL.c.joined_into.is_(None), CONTACT.c.name != "", ~told.exists(),
        ).order_by(PARCEL.c.stored_ms, PARCEL.c.id).limit(UNTOLD_MAX)  # fmt: skip
        with self._store.reading() as connection:
            rows = connection.execute(query.where(parcels_inside(connection, self._scope))).all()
        return tuple(
            WaitingRow(
                site=row.site_id,
                name=row.name,
                language=row.language,
                help=Help(row.help),
                place_kind=row.place_kind or "",
                place_name=row.place_name,
                tracking=row.tracking,
                stored_ms=row.stored_ms or row.changed_ms,
                tried=bool(row.phone or row.email),
            )
            for row in rows
        )

    def site_facts(self, number: int) -> tuple[FactRow, ...]:
        """The last facts of a site, newest first."""
        mine = FACT.c.site.in_(numbers_inside(self._scope))
        query = select(FACT).where(FACT.c.site == number, mine).order_by(FACT.c.journal.desc(), FACT.c.seq.desc())
        with self._store.reading() as connection:
            return tuple(_fact(row) for row in connection.execute(query.limit(SITE_FACTS_SHOWN)))

    def numbers_of(self, parcels: Sequence[str]) -> dict[str, str]:
        """Tracking numbers by parcel id, for the ids that are known and have one."""
        query = select(PARCEL.c.id, PARCEL.c.tracking).join(SITE).where(PARCEL.c.id.in_(parcels))
        with self._store.reading() as connection:
            query = query.where(parcels_inside(connection, self._scope))
            return {row.id: row.tracking for row in connection.execute(query) if row.tracking}

    def alerts(self, *, site: str = "", is_open: bool = True) -> tuple[AlertRow, ...]:
        """Alerts, newest first: those whose cause lasts, or those that are over."""
        over = ALERT.c.cleared_ms
        query = select(ALERT).where(over.is_(None) if is_open else over.is_not(None), alerts_inside(self._scope))
        query = query.order_by(ALERT.c.last_ms.desc())
        if site:
            query = query.where(ALERT.c.site == site)
        with self._store.reading() as connection:
            return tuple(AlertRow(**row) for row in connection.execute(query.limit(LIST_ROWS_MAX)).mappings())

    def unanswered_alerts(self) -> int:
        """How many open alerts nobody has acknowledged."""
        unanswered = ALERT.c.cleared_ms.is_(None) & ALERT.c.acknowledged_ms.is_(None)
        query = select(func.count()).where(unanswered, alerts_inside(self._scope))
        with self._store.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def opening(self, opening: str) -> OpeningRow | None:
        """One wish to open doors from afar, or None."""
        with self._store.reading() as connection:
            return openings.wish(connection, opening, self._scope)

    def openings(self) -> tuple[OpeningRow, ...]:
        """Wishes to open doors from afar, newest first."""
        with self._store.reading() as connection:
            return openings.wishes(connection, self._scope)

    def openings_waiting(self, person: int, since_ms: int) -> int:
        """How many wishes since then wait for somebody else than the one who asked."""
        with self._store.reading() as connection:
            return openings.waiting(connection, self._scope, person, since_ms)

    def messages(self, *, parcel: str = "") -> tuple[MessageRow, ...]:
        """Messages to recipients, newest first."""
        query = _MESSAGES.order_by(MESSAGE.c.id.desc()).limit(LIST_ROWS_MAX)
        with self._store.reading() as connection:
            if parcel:
                query = query.where(MESSAGE.c.parcel == _own_id(connection, parcel))
            query = query.where(parcels_inside(connection, self._scope))
            return tuple(MessageRow(**row) for row in connection.execute(query).mappings())


_INSIDE: Final = (ParcelState.RECEIVED, ParcelState.STORED, ParcelState.COLLECTING, ParcelState.DISPUTED)
"""States in which a parcel is physically at its site."""

_INSIDE_OF: Final = (
    select(func.count())
    .where(PARCEL.c.site == SITE.c.number, PARCEL.c.state.in_(_INSIDE))
    .correlate(SITE)
    .scalar_subquery()
)
_ALERTS_OF: Final = (
    select(func.count())
    .where(ALERT.c.site == SITE.c.id, ALERT.c.cleared_ms.is_(None))
    .correlate(SITE)
    .scalar_subquery()
)
_SITES: Final = (
    select(
        SITE,
        SITE_LIVE.c.presence,
        SITE_LIVE.c.heard_ms,
        SITE_LIVE.c.birth,
        SITE_LIVE.c.state,
        SITE_LIVE.c.state_ms,
        SITE_LIVE.c.health,
        SITE_LIVE.c.health_ms,
        SITE_LIVE.c.applied_revision,
        SITE_LIVE.c.applied_hash,
        PLAN.c.revision.label("plan_revision"),
        PLAN.c.hash.label("plan_hash"),
        PLAN.c.wanted.label("planned"),
        SITE_CURSOR.c.seq,
        _INSIDE_OF.label("inside"),
        _ALERTS_OF.label("alerts"),
    )
    .join(SITE_LIVE, SITE_LIVE.c.site == SITE.c.number, isouter=True)
    .join(PLAN, PLAN.c.site == SITE.c.number, isouter=True)
    .join(SITE_CURSOR, SITE_CURSOR.c.site == SITE.c.number, isouter=True)
)
_SECOND: Final = PARCEL.alias("second")
_ALSO: Final = (
    select(func.aggregate_strings(_SECOND.c.id, " "))
    .where(_SECOND.c.joined_into == PARCEL.c.id)
    .correlate(PARCEL)
    .scalar_subquery()
)
_PARCELS: Final = (
    select(
        PARCEL,
        _ALSO.label("also"),
        SITE.c.id.label("site_id"),
        SITE.c.name.label("site_name"),
        CONTACT.c.name,
        CONTACT.c.phone,
        CONTACT.c.email,
        CONTACT.c.language,
        CONTACT.c.help,
    )
    .join(SITE, SITE.c.number == PARCEL.c.site)
    .join(CONTACT, CONTACT.c.parcel == PARCEL.c.id, isouter=True)
)
_MESSAGES: Final = (
    select(
        MESSAGE.c.id,
        MESSAGE.c.parcel,
        PARCEL.c.tracking,
        SITE.c.id.label("site"),
        MESSAGE.c.kind,
        MESSAGE.c.state,
        MESSAGE.c.created_ms,
        MESSAGE.c.sent_ms,
        MESSAGE.c.attempts,
        MESSAGE.c.problem,
        MESSAGE.c.told,
    )
    .join(PARCEL, PARCEL.c.id == MESSAGE.c.parcel)
    .join(SITE, SITE.c.number == PARCEL.c.site)
)


def _sites(connection: Connection, query: Select[Any]) -> tuple[SiteRow, ...]:
    return tuple(
        SiteRow(
            number=row.number,
            id=row.id,
            name=row.name,
            address=row.address,
            help_phone=row.help_phone,
            presence=row.presence or "",
            heard_ms=row.heard_ms or 0,
            birth=kept(Birth, row.birth),
            state=kept(SiteState, row.state),
            state_ms=row.state_ms or 0,
            plan_revision=row.plan_revision or 0,
            plan_hash=row.plan_hash or "",
            is_planned=row.planned == row.wanted,
            applied_revision=row.applied_revision or 0,
            applied_hash=row.applied_hash or "",
            seq=row.seq or 0,
            health=kept(Health, row.health),
            health_ms=row.health_ms or 0,
            inside=row.inside,
            alerts=row.alerts,
            sandbox=row.sandbox,
        )
        for row in connection.execute(query)
    )


def kept(kind: type[Any], payload: bytes | None) -> Any:
    """A retained message as it was kept; one that no longer decodes is as good as none."""
    if not payload:
        return None
    try:
        return messages.decode(kind, payload)
    except BadMessage:
        return None


def _parcel(row: Any) -> ParcelRow:
    return ParcelRow(
        id=row.id,
        site=row.site_id,
        site_number=row.site,
        site_name=row.site_name,
        tracking=row.tracking,
        carrier=row.carrier,
        size=SizeClass(row.size) if row.size else None,
        reach=ReachZone(row.reach) if row.reach else None,
        version=row.version,
        epoch=row.epoch,
        intent=Intent(row.intent),
        state=ParcelState(row.state),
        place_kind=row.place_kind or "",
        place_name=row.place_name,
        source=row.source,
        created_ms=row.created_ms,
        changed_ms=row.changed_ms,
        name=row.name or "",
        phone=row.phone or "",
        email=row.email or "",
        language=row.language or "fr",
        help=Help(row.help) if row.help else Help.STANDARD,
        also=tuple(sorted((row.also or "").split())),
    )


def _own_id(connection: Connection, parcel: str) -> str:
    """The id of the parcel that this id leads to: another one's where the two were joined (ADR 0007)."""
    leads_to = connection.execute(select(PARCEL.c.joined_into).where(PARCEL.c.id == parcel)).scalar()
    return str(leads_to or parcel)


def _fact(row: Any) -> FactRow:
    try:
        fact = decode_fact(row.body)
    except UnknownFact:
        fact = None
    return FactRow(row.seq, row.kind, row.at_ms, Trust(row.trust), fact)


def _doors_of(fact: AnyFact | None) -> tuple[Any, ...]:
    """The fact itself when it names a compartment."""
    return (fact,) if getattr(fact, "compartment", None) is not None else ()
