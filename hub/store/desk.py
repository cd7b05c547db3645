"""The statements behind what people ask: sites, parcels, plans, rosters, alerts, messages, commands.

Owns their SQL. Refuses to decide who may ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, bindparam, delete, func, insert, or_, select, text, update

from hub.core.parcels import NewParcel, fold_name
from hub.core.project import WANTED, AlertKind, Source
from hub.store import ingest
from hub.store.lists import chunks, many
from hub.store.schema import (
    ALERT,
    COMMAND,
    CONTACT,
    FACT,
    PARCEL,
    PLAN,
    ROSTER,
    SITE,
    SITE_CURSOR,
    SITE_LIVE,
)
from wire.ids import ParcelId, ParcelState, PlaceKind, ReachZone, SizeClass
from wire.messages import PresenceStatus
from wire.plan import Help, Intent, Person, PlannedParcel, Settings, SiteCard

SITES_MAX: Final = 1_000
"""Cards of other sites in one plan (wire.plan)."""


# Statements that run often are built once: building one costs more than running it.

# --------------------------------------------------------------------------------------------------------------- sites


def add_site(
    connection: Connection, *, site: str, name: str, address: str, help_phone: str, now_ms: int, tenant: int = 1,
    sandbox: bool = False,
) -> int:  # fmt: skip
    """Create a site with the next number; its number. Every site's plan names it from now on."""
    number = int(connection.execute(select(func.coalesce(func.max(SITE.c.number), 0))).scalar_one()) + 1
    connection.execute(
        insert(SITE).values(
            number=number,
            id=site,
            name=name,
            address=address,
            help_phone=help_phone,
            created_ms=now_ms,
            tenant=tenant,
            sandbox=sandbox,
        )
    )
    connection.execute(insert(SITE_CURSOR).values(site=number))
    connection.execute(insert(SITE_LIVE).values(site=number))
    connection.execute(update(SITE).values(wanted=SITE.c.wanted + 1))
    ingest.clear_alert(connection, site, AlertKind.UNKNOWN_SITE, "", now_ms)
    return number


def rename_site(connection: Connection, number: int, name: str, address: str, help_phone: str) -> None:
    """Name a site differently to people. Every site's plan names it (C-12)."""
    named = update(SITE).where(SITE.c.number == number)
    connection.execute(named.values(name=name, address=address, help_phone=help_phone))
    connection.execute(update(SITE).values(wanted=SITE.c.wanted + 1))


_SITE: Final = select(SITE).where(SITE.c.id == bindparam("site"))


def site(connection: Connection, site_id: str) -> Any:
    """A site's own row."""
    return connection.execute(_SITE, {"site": site_id}).one_or_none()


def site_ids(connection: Connection) -> list[str]:
    """Every site, by number."""
    return list(connection.execute(select(SITE.c.id).order_by(SITE.c.number)).scalars())


def adopt_next_journal(connection: Connection, number: int) -> None:
    """Take the next journal the site sends as its own, whatever was known of the last."""
    connection.execute(update(SITE_CURSOR).where(SITE_CURSOR.c.site == number).values(adopt=True))
    connection.execute(update(SITE_LIVE).where(SITE_LIVE.c.site == number).values(boot=0, state_boot=0, state_seq=0))


# ------------------------------------------------------------------------------------------------------------- parcels


_LIVE: Final = PARCEL.alias("live")
_LIVE_IDS: Final = select(_LIVE.c.id).where(_LIVE.c.state.in_(WANTED), _LIVE.c.joined_into.is_(None))
_LIVE_VERSIONS: Final = select(PARCEL.c.id, PARCEL.c.version, PARCEL.c.epoch).where(
    PARCEL.c.site == bindparam("number"),
    PARCEL.c.state.in_(WANTED),
    or_(PARCEL.c.joined_into.is_(None), PARCEL.c.joined_into.in_(_LIVE_IDS)),
)


def live_versions(connection: Connection, number: int) -> dict[ParcelId, tuple[int, int]]:
    """Version and epoch of every key that can be typed at a site: of its live parcels, and their second keys."""
    rows = connection.execute(_LIVE_VERSIONS, {"number": number})
    return {ParcelId(row.id): (row.version, row.epoch) for row in rows}


_ALIVE_WITH: Final = (
    select(
        PARCEL.c.id,
        PARCEL.c.state,
        PARCEL.c.intent,
        PARCEL.c.place_kind,
        PARCEL.c.place_name,
        PARCEL.c.carrier,
        PARCEL.c.partner,
    )
    .where(
        PARCEL.c.site == bindparam("number"),
        PARCEL.c.tracking == bindparam("tracking"),
        PARCEL.c.state.in_(WANTED),
        PARCEL.c.joined_into.is_(None),
    )
    .order_by(PARCEL.c.id)
    .with_for_update()
)


def alive_with(connection: Connection, number: int, tracking: str) -> Sequence[Any]:
    """The live parcels of a site with this tracking number, locked; those that are there before those expected."""
    rows = connection.execute(_ALIVE_WITH, {"number": number, "tracking": tracking})
    return sorted(rows, key=lambda row: bool(row.state == ParcelState.ANNOUNCED))


_ALIVE_NUMBERS: Final = select(PARCEL.c.tracking).where(
    PARCEL.c.site == bindparam("number"),
    PARCEL.c.tracking.in_(many("numbers")),
    PARCEL.c.tracking != "",
    PARCEL.c.state.in_(WANTED),
    PARCEL.c.joined_into.is_(None),
)


def alive_numbers(connection: Connection, number: int, tracking: Sequence[str]) -> set[str]:
    """Which of these tracking numbers a live parcel of a site has."""
    return {
        row
        for chunk in chunks(tracking)
        for row in connection.execute(_ALIVE_NUMBERS, {"number": number, "numbers": chunk}).scalars()
    }


_OF_NUMBER: Final = (
    select(PARCEL.c.id).where(PARCEL.c.site == bindparam("number"), PARCEL.c.tracking == bindparam("tracking")).limit(1)
)


def was_here(connection: Connection, number: int, tracking: str) -> bool:
    """Whether a parcel of this tracking number is on record at the site, alive or not."""
    return bool(tracking) and bool(connection.execute(_OF_NUMBER, {"number": number, "tracking": tracking}).all())


_ADD_PARCEL: Final = insert(PARCEL)
_ADD_CONTACT: Final = insert(CONTACT)


def announce(
    connection: Connection, parcel: ParcelId, new: NewParcel, *, number: int, version: int, epoch: int, now_ms: int,
    partner: int | None = None,
) -> None:  # fmt: skip
    """Create a parcel with its recipient. One whose number was here before, and is alive no more, comes again."""
    source = Source.AGAIN if was_here(connection, number, new.tracking) else Source.PLAN
    connection.execute(
        _ADD_PARCEL,
        {
            "id": parcel,
            "site": number,
            "tracking": new.tracking,
            "carrier": new.carrier,
            "size": new.size,
            "reach": new.reach,
            "heavy": new.heavy,
            "group_id": new.group,
            "version": version,
            "epoch": epoch,
            "state": ParcelState.ANNOUNCED,
            "partner": partner,
            "source": source,
            "created_ms": now_ms,
            "changed_ms": now_ms,
        },
    )
    connection.execute(
        _ADD_CONTACT,
        {
            "parcel": parcel,
            "name": new.name,
            "name_folded": fold_name(new.name),
            "phone": new.phone,
            "email": new.email,
            "help": new.help,
            "language": new.language,
        },
    )
    ingest.replan(connection, (number,))


_OWN_ID: Final = select(func.coalesce(PARCEL.c.joined_into, PARCEL.c.id)).where(PARCEL.c.id == bindparam("parcel"))
_PARCEL: Final = (
    select(PARCEL, SITE.c.id.label("site_id"), SITE.c.tenant)
    .join(SITE)
    .where(or_(PARCEL.c.id == bindparam("own"), PARCEL.c.joined_into == bindparam("own")))
    .order_by(PARCEL.c.id)
    .with_for_update(of=PARCEL)
)


def parcel(connection: Connection, parcel_id: str) -> Any:
    """A parcel's row with its site's id, under whichever of its ids; locked with its second keys until the end."""
    own = connection.execute(_OWN_ID, {"parcel": parcel_id}).scalar()
    rows = connection.execute(_PARCEL, {"own": own}).all()
    return next((row for row in rows if row.id == own), None)


_SECOND_KEYS: Final = (
    select(PARCEL.c.id, PARCEL.c.version, PARCEL.c.epoch)
    .where(PARCEL.c.joined_into == bindparam("parcel"))
    .order_by(PARCEL.c.id)
)


def second_keys(connection: Connection, parcel_id: str) -> Sequence[Any]:
    """Id, version and epoch of the keys that lead to a parcel besides its own (ADR 0007)."""
    return connection.execute(_SECOND_KEYS, {"parcel": parcel_id}).all()


def change_parcel(connection: Connection, parcel_id: str, number: int, now_ms: int, **values: Any) -> None:
    """Change an intent; the site's plan is built anew."""
    connection.execute(update(PARCEL).where(PARCEL.c.id == parcel_id).values(changed_ms=now_ms, **values))
    ingest.replan(connection, (number,))


# --------------------------------------------------------------------------------------------------------------- plans


_STALE_PLANS: Final = (
    select(SITE.c.id)
    .join(PLAN, PLAN.c.site == SITE.c.number, isouter=True)
    .where(or_(PLAN.c.site.is_(None), PLAN.c.wanted != SITE.c.wanted), ~SITE.c.sandbox)
    .order_by(SITE.c.number)
)


def stale_plans(connection: Connection) -> list[str]:
    """Sites whose plan was built from older wishes."""
    return list(connection.execute(_STALE_PLANS).scalars())


_REFUSED: Final = select(ALERT.c.id).where(
    ALERT.c.site == SITE.c.id, ALERT.c.kind == AlertKind.PLAN_REFUSED, ALERT.c.cleared_ms.is_(None)
)
_UNHEARD_PLANS: Final = (
    select(SITE.c.id)
    .join(PLAN, PLAN.c.site == SITE.c.number)
    .join(SITE_LIVE, SITE_LIVE.c.site == SITE.c.number)
    .where(
        SITE_LIVE.c.presence == PresenceStatus.READY,
        or_(
            SITE_LIVE.c.applied_revision != PLAN.c.revision,
            SITE_LIVE.c.applied_incarnation != bindparam("incarnation"),
        ),
        ~_REFUSED.exists(),
    )
    .order_by(SITE.c.number)
)


def unheard_plans(connection: Connection, incarnation: int) -> list[str]:
    """Sites that are there and follow another plan than their last one, without having refused it."""
    return list(connection.execute(_UNHEARD_PLANS, {"incarnation": incarnation}).scalars())


@dataclass(frozen=True, slots=True)
class PlanRow:
    """The last plan that was built."""

    revision: int
    hash: str


_PLAN: Final = select(PLAN.c.revision, PLAN.c.hash).where(PLAN.c.site == bindparam("number"))


def plan(connection: Connection, number: int) -> PlanRow:
    """The last plan of a site; revision 0 before the first."""
    row = connection.execute(_PLAN, {"number": number}).one_or_none()
    return PlanRow(0, "") if row is None else PlanRow(row.revision, row.hash)


_SAVE_PLAN: Final = text(
    "INSERT INTO plan (site, revision, hash, wanted, built_ms) VALUES (:site, :revision, :hash, :wanted, :now_ms)"
    " ON CONFLICT (site) DO UPDATE SET revision = excluded.revision, hash = excluded.hash,"
    " wanted = excluded.wanted, built_ms = excluded.built_ms"
)


def save_plan(connection: Connection, *, number: int, revision: int, plan_hash: str, wanted: int, now_ms: int) -> None:
    """Remember a plan before it is published."""
    connection.execute(
        _SAVE_PLAN,
        {"site": number, "revision": revision, "hash": plan_hash, "wanted": wanted, "now_ms": now_ms},
    )


_PLANNED: Final = (
    select(PARCEL, CONTACT.c.help, CONTACT.c.language)
    .join(CONTACT, CONTACT.c.parcel == PARCEL.c.id, isouter=True)
    .where(PARCEL.c.site == bindparam("number"), PARCEL.c.state.in_(WANTED), PARCEL.c.joined_into.is_(None))
)


def planned_parcels(connection: Connection, number: int) -> list[PlannedParcel]:
    """What the plan says of each live parcel.

    Of a parcel the desk created and one announced under the same number the plan names the announced one alone: its
    site joins the two only while the other is not the hub's (ADR 0007), and the next plan names the one that stays.
    """
    rows = connection.execute(_PLANNED, {"number": number}).all()
    expected = {row.tracking for row in rows if row.state == ParcelState.ANNOUNCED and row.tracking}
    named = [row for row in rows if row.source != Source.DESK or row.tracking not in expected]
    return [_planned(row) for row in named] + _replaced_keys(connection, number)


def _planned(row: Any) -> PlannedParcel:
    return PlannedParcel(
        id=ParcelId(row.id),
        version=row.version,
        epoch=row.epoch,
        tracking=row.tracking,
        carrier=row.carrier,
        size=None if row.size is None else SizeClass(row.size),
        heavy=row.heavy,
        reach=None if row.reach is None else ReachZone(row.reach),
        language=row.language or "fr",
        help=Help(row.help or Help.STANDARD),
        group=row.group_id,
        intent=Intent(row.intent),
        extended=row.extended,
        again=row.source == Source.AGAIN,
    )


_REPLACED_KEYS: Final = select(PARCEL.c.id, PARCEL.c.version, PARCEL.c.epoch).where(
    PARCEL.c.site == bindparam("number"),
    PARCEL.c.joined_into.in_(_LIVE_IDS),
    PARCEL.c.version > PARCEL.c.joined_version,
)


def _replaced_keys(connection: Connection, number: int) -> list[PlannedParcel]:
    """Second keys that were replaced and whose site has not said yet that it knows: named for their version alone."""
    rows = connection.execute(_REPLACED_KEYS, {"number": number})
    return [PlannedParcel(id=ParcelId(row.id), version=row.version, epoch=row.epoch) for row in rows]


_SITE_CARDS: Final = (
    select(SITE.c.number, SITE.c.name, SITE.c.address).where(~SITE.c.sandbox).order_by(SITE.c.number).limit(SITES_MAX)
)


def site_cards(connection: Connection) -> list[SiteCard]:
    """How sites are named to a customer at the wrong one."""
    return [SiteCard(number=row.number, name=row.name, address=row.address) for row in connection.execute(_SITE_CARDS)]


_PEOPLE: Final = select(
    ROSTER.c.id, ROSTER.c.role, ROSTER.c.badge, ROSTER.c.carrier, ROSTER.c.pin, ROSTER.c.valid_until_ms
).where(ROSTER.c.site == bindparam("number"))


def people_of(connection: Connection, number: int) -> list[Person]:
    """The roster of a site."""
    rows = connection.execute(_PEOPLE, {"number": number})
    return [
        Person(
            id=row.id,
            role=row.role,
            badge=row.badge,
            carrier=row.carrier,
            pin=row.pin,
            valid_until_ms=row.valid_until_ms,
        )
        for row in rows
    ]


def add_badge(connection: Connection, *, number: int, person: Person) -> None:
    """Put somebody on a site's roster."""
    connection.execute(insert(ROSTER).values(site=number, **msgspec.structs.asdict(person)))
    ingest.replan(connection, (number,))


def end_badge(connection: Connection, *, number: int, person: str) -> bool:
    """Take somebody off a site's roster: their badge opens nothing there from the next plan on. False when they are not on it."""
    ended = connection.execute(delete(ROSTER).where(ROSTER.c.site == number, ROSTER.c.id == person))
    if ended.rowcount:
        ingest.replan(connection, (number,))
    return bool(ended.rowcount)


def settings_of(row: Row[Any]) -> Settings:
    """The settings of a site's row."""
    return msgspec.json.decode(row.settings, type=Settings)


def set_settings(connection: Connection, *, number: int, settings: Settings) -> None:
    """Give a site other times; its next plan carries them."""
    text = msgspec.json.encode(settings).decode()
    connection.execute(update(SITE).where(SITE.c.number == number).values(settings=text, wanted=SITE.c.wanted + 1))


# ---------------------------------------------------------------------------------------------------- alerts, messages


def acknowledge(connection: Connection, alert: int, by: str, now_ms: int) -> bool:
    """Note who looks after an alert; the first stays. Whether there is such an alert."""
    first = update(ALERT).where(ALERT.c.id == alert, ALERT.c.acknowledged_ms.is_(None))
    connection.execute(first.values(acknowledged_by=by, acknowledged_ms=now_ms))
    return connection.execute(select(ALERT.c.id).where(ALERT.c.id == alert)).first() is not None


_GONE: Final = (SITE_LIVE.c.presence == PresenceStatus.LOST) & (SITE_LIVE.c.presence_ms < bindparam("before_ms"))
_UNHEARD: Final = (SITE_LIVE.c.presence == PresenceStatus.READY) & (SITE_LIVE.c.heard_ms < bindparam("before_ms"))
_GONE_SITES: Final = select(SITE.c.id).join(SITE_LIVE).where(SITE_LIVE.c.heard_ms > 0, _GONE)
_SILENT_SITES: Final = select(SITE.c.id).join(SITE_LIVE).where(SITE_LIVE.c.heard_ms > 0, or_(_GONE, _UNHEARD))


def silent_sites(connection: Connection, before_ms: int, *, listened: bool) -> list[str]:
    """Sites that are gone since before then; of a hub that `listened` all that time, also those that said nothing."""
    query = _SILENT_SITES if listened else _GONE_SITES
    return list(connection.execute(query, {"before_ms": before_ms}).scalars())


def facts_after(connection: Connection, number: int, journal: int, after: int, most: int) -> Sequence[Any]:
    """A page of a site's facts in order, for audits."""
    query = (
        select(FACT)
        .where(FACT.c.site == number, FACT.c.journal == journal, FACT.c.seq > after)
        .order_by(FACT.c.seq)
        .limit(most)
    )
    return connection.execute(query).all()


def cursor_of(connection: Connection, number: int) -> Row[Any]:
    """How far a site's journal is committed."""
    return connection.execute(select(SITE_CURSOR).where(SITE_CURSOR.c.site == number)).one()


def command(connection: Connection, command_id: str) -> Any:
    """A command and its answer."""
    return connection.execute(select(COMMAND).where(COMMAND.c.id == command_id)).one_or_none()


def prune_commands(connection: Connection, before_ms: int) -> None:
    """Forget old commands."""
    connection.execute(delete(COMMAND).where(COMMAND.c.issued_ms < before_ms))


def is_shelf(place_kind: str | None) -> bool:
    """Whether a parcel lies on the desk's shelf."""
    return place_kind == PlaceKind.SHELF
