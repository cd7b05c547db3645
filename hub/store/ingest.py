"""The statements of ingest: the fold of facts, and what sites last said.

Owns the hot path's SQL: Core statements, many rows at a time. Refuses to decide what a fact changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, Update, bindparam, delete, insert, select, text, update

from hub.core.join import Wishes, taken_over
from hub.core.parcels import fold_name
from hub.core.project import ParcelRecord, Source
from hub.store.lists import chunks, many
from hub.store.schema import (
    ALERT,
    COMMAND,
    COMPARTMENT,
    CONTACT,
    MESSAGE,
    PARCEL,
    QUARANTINE,
    SITE_LIVE,
)
from wire.ids import ParcelState, PlaceKind
from wire.messages import Command, Outcome
from wire.plan import Help, Intent

QUARANTINE_ROWS_MAX: Final = 1_000
"""Refused messages kept, newest first: enough to see a pattern, at most 1 GiB."""


@dataclass(frozen=True, slots=True)
class Live:
    """What a site last said, as far as ingest must compare with it."""

    boot: int = 0
    presence: str = ""
    birth: bytes | None = None
    state: bytes | None = None
    state_seq: int = 0
    state_boot: int = 0
    applied_incarnation: int = 0
    applied_revision: int = 0
    applied_hash: str = ""


# Statements are built once: building one costs more than running it, and a group runs a dozen.

_FORGET_BOXES: Final = (
    update(COMPARTMENT)
    .where(COMPARTMENT.c.site == bindparam("b_site"))
    .values(occupancy="unknown", service="in_service", parcel=None, changed_seq=0)
)


def forget_boxes(connection: Connection, site: int) -> None:
    """No fact has spoken of a site's compartments: its past is another one from now on."""
    connection.execute(_FORGET_BOXES, {"b_site": site})


_PARCELS: Final = (
    select(
        PARCEL.c.id,
        PARCEL.c.site,
        PARCEL.c.state,
        PARCEL.c.source,
        PARCEL.c.created_ms,
        PARCEL.c.changed_ms,
        PARCEL.c.tracking,
        PARCEL.c.carrier,
        PARCEL.c.version,
        PARCEL.c.epoch,
        PARCEL.c.intent,
        PARCEL.c.place_kind,
        PARCEL.c.place_name,
        PARCEL.c.received_ms,
        PARCEL.c.stored_ms,
        PARCEL.c.ended_ms,
        PARCEL.c.joined_into,
        PARCEL.c.joined_version,
        PARCEL.c.extended,
        PARCEL.c.partner,
        PARCEL.c.held_until_ms,
    )
    .where(PARCEL.c.id.in_(many("parcels")))
    .order_by(PARCEL.c.id)
    .with_for_update()
)


def parcels(connection: Connection, ids: Iterable[str]) -> dict[str, ParcelRecord]:
    """Parcels by id, locked until the transaction ends."""
    found: dict[str, ParcelRecord] = {}
    for chunk in chunks(sorted(set(ids))):
        found.update((row.id, parcel_record(row)) for row in connection.execute(_PARCELS, {"parcels": chunk}))
    return found


def parcel_record(row: Any) -> ParcelRecord:
    """A row of `parcel` in the words of the core."""
    return ParcelRecord(
        id=row.id,
        site=row.site,
        state=ParcelState(row.state),
        source=Source(row.source),
        created_ms=row.created_ms,
        changed_ms=row.changed_ms,
        tracking=row.tracking,
        carrier=row.carrier,
        version=row.version,
        epoch=row.epoch,
        intent=Intent(row.intent),
        place_kind=None if row.place_kind is None else PlaceKind(row.place_kind),
        place_name=row.place_name,
        received_ms=row.received_ms,
        stored_ms=row.stored_ms,
        ended_ms=row.ended_ms,
        joined_into=row.joined_into,
        joined_version=row.joined_version,
        extended=row.extended,
        partner=row.partner,
        held_until_ms=row.held_until_ms,
    )


@dataclass(frozen=True, slots=True)
class Needs:
    """What the plan said of a parcel besides its record: for parcels known again from a site."""

    size: str | None = None
    reach: str | None = None
    heavy: bool = False
    group: str = ""
    language: str = "fr"
    help: str = "standard"


def add_parcels(connection: Connection, new: Sequence[tuple[ParcelRecord, Needs]]) -> None:
    """Create parcels, with an empty contact each."""
    if not new:
        return
    connection.execute(
        insert(PARCEL),
        [
            {
                **_parcel_values(record),
                "id": record.id,
                "site": record.site,
                "created_ms": record.created_ms,
                "size": needs.size,
                "reach": needs.reach,
                "heavy": needs.heavy,
                "group_id": needs.group,
            }
            for record, needs in new
        ],
    )
    connection.execute(
        insert(CONTACT),
        [{"parcel": record.id, "language": needs.language, "help": needs.help} for record, needs in new],
    )


_SAVE_PARCEL: Final = update(PARCEL).where(PARCEL.c.id == bindparam("b_id"))


def save_parcels(connection: Connection, changed: Sequence[ParcelRecord]) -> None:
    """Write what a site's facts changed of known parcels: an extension at the site is one of the intent too (ADR 0016)."""
    if changed:
        connection.execute(
            _SAVE_PARCEL,
            [{"b_id": record.id, **_parcel_values(record)} for record in changed],
        )


def _parcel_values(record: ParcelRecord) -> dict[str, Any]:
    return {
        "state": record.state,
        "source": record.source,
        "tracking": record.tracking,
        "carrier": record.carrier,
        "version": record.version,
        "epoch": record.epoch,
        "place_kind": record.place_kind,
        "place_name": record.place_name,
        "received_ms": record.received_ms,
        "stored_ms": record.stored_ms,
        "ended_ms": record.ended_ms,
        "changed_ms": record.changed_ms,
        "joined_into": record.joined_into,
        "joined_version": record.joined_version,
        "extended": record.extended,
        "held_until_ms": record.held_until_ms,
        "intent": record.intent,
        "partner": record.partner,
    }


_WISHES: Final = (
    select(
        PARCEL.c.carrier,
        PARCEL.c.size,
        PARCEL.c.reach,
        PARCEL.c.heavy,
        PARCEL.c.group_id,
        PARCEL.c.intent,
        CONTACT.c.name,
        CONTACT.c.phone,
        CONTACT.c.email,
        CONTACT.c.language,
        CONTACT.c.help,
    )
    .join(CONTACT, CONTACT.c.parcel == PARCEL.c.id, isouter=True)
    .where(PARCEL.c.id == bindparam("parcel"))
)
_SAVE_CONTACT: Final = text(
    "INSERT INTO contact (parcel, name, name_folded, phone, email, language, help)"
    " VALUES (:parcel, :name, :name_folded, :phone, :email, :language, :help)"
    " ON CONFLICT (parcel) DO UPDATE SET name = excluded.name, name_folded = excluded.name_folded,"
    " phone = excluded.phone, email = excluded.email, language = excluded.language, help = excluded.help"
)


def wishes(connection: Connection, parcel: str) -> Wishes:
    """What people want of a parcel, and for whom it is as far as that is still kept."""
    row = connection.execute(_WISHES, {"parcel": parcel}).one()
    return Wishes(
        carrier=row.carrier,
        size=row.size,
        reach=row.reach,
        heavy=row.heavy,
        group=row.group_id,
        intent=Intent(row.intent),
        name=row.name or "",
        phone=row.phone or "",
        email=row.email or "",
        language=row.language or "fr",
        help=Help(row.help or Help.STANDARD),
    )


def save_wishes(connection: Connection, parcel: str, wanted: Wishes) -> None:
    """Write what people want of a parcel, and for whom it is."""
    connection.execute(
        _SAVE_PARCEL,
        {
            "b_id": parcel,
            "carrier": wanted.carrier,
            "size": wanted.size,
            "reach": wanted.reach,
            "heavy": wanted.heavy,
            "group_id": wanted.group,
            "intent": wanted.intent,
        },
    )
    connection.execute(
        _SAVE_CONTACT,
        {
            "parcel": parcel,
            "name": wanted.name,
            "name_folded": fold_name(wanted.name),
            "phone": wanted.phone,
            "email": wanted.email,
            "language": wanted.language,
            "help": wanted.help.value,
        },
    )


_TOLD_ALREADY: Final = text(
    "UPDATE message SET state = 'sent', sent_ms = (SELECT other.sent_ms FROM message AS other"
    " WHERE other.parcel = :gives_way AND other.kind = message.kind)"
    " WHERE parcel = :stays AND state <> 'sent' AND kind IN"
    " (SELECT other.kind FROM message AS other WHERE other.parcel = :gives_way AND other.state = 'sent')"
)
_MOVE_MESSAGES: Final = text(
    "UPDATE message SET parcel = :stays WHERE parcel = :gives_way"
    " AND kind NOT IN (SELECT own.kind FROM message AS own WHERE own.parcel = :stays)"
)


def join(connection: Connection, gives_way: str, stays: str) -> None:
    """Move recipient, wishes and messages of one record to another; done again, it moves nothing.

    Of two messages of one kind one stays, and it counts as told when either was: nobody is told twice.
    """
    save_wishes(connection, stays, taken_over(wishes(connection, stays), wishes(connection, gives_way)))
    both = {"gives_way": gives_way, "stays": stays}
    for statement in (_TOLD_ALREADY, _MOVE_MESSAGES):
        connection.execute(statement, both)
    connection.execute(delete(MESSAGE).where(MESSAGE.c.parcel == gives_way))
    connection.execute(delete(CONTACT).where(CONTACT.c.parcel == gives_way))
    held = update(PARCEL).where(PARCEL.c.id == gives_way)
    connection.execute(held.values(intent=Intent.HOLD, group_id=""))


@dataclass(frozen=True, slots=True)
class Box:
    """A compartment as folded from its site's facts."""

    occupancy: str = "unknown"
    service: str = "in_service"
    parcel: str | None = None


_SAVE_BOX: Final = text(
    "INSERT INTO compartment (site, label, occupancy, service, parcel, changed_seq)"
    " VALUES (:site, :label, :occupancy, :service, :parcel, :seq)"
    " ON CONFLICT (site, label) DO UPDATE SET occupancy = excluded.occupancy,"
    " service = excluded.service, parcel = excluded.parcel, changed_seq = excluded.changed_seq"
)


def save_boxes(connection: Connection, boxes: Mapping[tuple[int, str], tuple[Box, int]]) -> None:
    """Write the fold of compartments with the seq of the fact that changed each."""
    rows = [
        {
            "site": site,
            "label": label,
            "occupancy": box.occupancy,
            "service": box.service,
            "parcel": box.parcel,
            "seq": seq,
        }
        for (site, label), (box, seq) in boxes.items()
    ]
    if rows:
        connection.execute(_SAVE_BOX, rows)


_BOXES: Final = select(
    COMPARTMENT.c.site,
    COMPARTMENT.c.label,
    COMPARTMENT.c.occupancy,
    COMPARTMENT.c.service,
    COMPARTMENT.c.parcel,
).where(COMPARTMENT.c.site.in_(many("sites")), COMPARTMENT.c.changed_seq > 0)


def boxes(connection: Connection, numbers: Iterable[int]) -> dict[int, dict[str, Box]]:
    """The compartments of sites as folded from their facts; one that no fact has named yet is left out."""
    found: dict[int, dict[str, Box]] = {number: {} for number in numbers}
    for chunk in chunks(sorted(found)):
        for row in connection.execute(_BOXES, {"sites": chunk}):
            found[row.site][row.label] = Box(row.occupancy, row.service, row.parcel)
    return found


_CARD: Final = text(
    "INSERT INTO compartment"
    ' (site, label, size, reach, height_mm, "row", "column", "rows", "columns", present)'
    " VALUES (:site, :label, :size, :reach, :height_mm, :row, :column, :rows, :columns, true)"
    " ON CONFLICT (site, label) DO UPDATE SET size = excluded.size, reach = excluded.reach,"
    ' height_mm = excluded.height_mm, "row" = excluded."row", "column" = excluded."column",'
    ' "rows" = excluded."rows", "columns" = excluded."columns", present = true'
)


def save_cards(connection: Connection, site: int, cards: Sequence[Mapping[str, Any]]) -> None:
    """Replace the bank of a site: compartments it no longer names stay in the tables, but are not shown."""
    connection.execute(update(COMPARTMENT).where(COMPARTMENT.c.site == site).values(present=False))
    if cards:
        connection.execute(_CARD, [{"site": site, **card} for card in cards])


_LIVES: Final = select(
    SITE_LIVE.c.site,
    SITE_LIVE.c.boot,
    SITE_LIVE.c.presence,
    SITE_LIVE.c.birth,
    SITE_LIVE.c.state,
    SITE_LIVE.c.state_seq,
    SITE_LIVE.c.state_boot,
    SITE_LIVE.c.applied_incarnation,
    SITE_LIVE.c.applied_revision,
    SITE_LIVE.c.applied_hash,
).where(SITE_LIVE.c.site.in_(many("sites")))


def lives(connection: Connection, numbers: Iterable[int]) -> dict[int, Live]:
    """What sites last said."""
    found: dict[int, Live] = {}
    for chunk in chunks(sorted(set(numbers))):
        for row in connection.execute(_LIVES, {"sites": chunk}):
            found[row[0]] = Live(*tuple(row)[1:])
    return found


@lru_cache(maxsize=64)
def _save_live(names: tuple[str, ...]) -> Update:
    """One statement for each set of columns; there are a handful."""
    return (
        update(SITE_LIVE)
        .where(SITE_LIVE.c.site == bindparam("b_site"))
        .values({name: bindparam(name) for name in names})
    )


def save_live(connection: Connection, site: int, values: Mapping[str, Any]) -> None:
    """Write what a site said last."""
    connection.execute(_save_live(tuple(values)), {"b_site": site, **values})


_HEARD: Final = text("UPDATE site_live SET heard_ms = :now_ms WHERE site = :site")


def save_heard(connection: Connection, sites: Iterable[int], now_ms: int) -> None:
    """Note that sites were heard."""
    rows = [{"site": site, "now_ms": now_ms} for site in sites]
    if rows:
        connection.execute(_HEARD, rows)


_WANT_MORE: Final = text("UPDATE site SET wanted = wanted + 1 WHERE number = :site")


def replan(connection: Connection, sites: Iterable[int]) -> None:
    """Note that plans must be built anew."""
    rows = [{"site": site} for site in sorted(sites)]
    if rows:
        connection.execute(_WANT_MORE, rows)


_RAISE: Final = text(
    "INSERT INTO alert (site, kind, subject, detail, raised_ms, last_ms)"
    " VALUES (:site, :kind, :subject, :detail, :now_ms, :last_ms)"
    " ON CONFLICT (site, kind, subject) WHERE cleared_ms IS NULL"
    " DO UPDATE SET last_ms = excluded.last_ms, detail = excluded.detail, times = alert.times + 1"
)


def raise_alert(connection: Connection, site: str, kind: str, subject: str, detail: str, now_ms: int) -> None:
    """Open an alert, or count an open one once more."""
    connection.execute(
        _RAISE,
        {
            "site": site,
            "kind": kind[:32],
            "subject": subject[:64],
            "detail": detail[:500],
            "now_ms": now_ms,
            "last_ms": now_ms,
        },
    )


_CLEAR_ALERT: Final = text(
    "UPDATE alert SET cleared_ms = :now_ms"
    " WHERE site = :site AND kind = :kind AND subject = :subject AND cleared_ms IS NULL"
)


def clear_alert(connection: Connection, site: str, kind: str, subject: str, now_ms: int) -> bool:
    """Close an open alert; whether there was one."""
    which = {"site": site, "kind": kind, "subject": subject}
    return connection.execute(_CLEAR_ALERT, {**which, "now_ms": now_ms}).rowcount > 0


_OPEN_ALERTS: Final = select(ALERT.c.site, ALERT.c.kind, ALERT.c.subject).where(
    ALERT.c.site.in_(many("sites")), ALERT.c.cleared_ms.is_(None)
)


def open_alerts(connection: Connection, site_ids: Iterable[str]) -> set[tuple[str, str, str]]:
    """(site, kind, subject) of the open alerts of sites."""
    found: set[tuple[str, str, str]] = set()
    for chunk in chunks(sorted(set(site_ids))):
        found.update((row.site, row.kind, row.subject) for row in connection.execute(_OPEN_ALERTS, {"sites": chunk}))
    return found


def add_command(connection: Connection, values: Mapping[str, Any]) -> None:
    """Keep a command that is about to be sent."""
    connection.execute(insert(COMMAND).values(**values))


def command_values(site: int, command: Command) -> dict[str, Any]:
    """A command as a row."""
    return {
        "id": command.id,
        "site": site,
        "verb": command.verb,
        "actor": command.actor,
        "reason": command.reason,
        "compartment": command.compartment,
        "issued_ms": command.issued_at_ms,
        "expires_ms": command.expires_at_ms,
    }


def answer_command(connection: Connection, site: int, command: str, outcome: str, reason: str, now_ms: int) -> bool:
    """Keep a site's answer to a command of its own; whether it was news. *Accepted* never replaces an end, nor an end another."""
    word: dict[str, Any] = {"outcome": outcome, "answer": reason[:200], "answered_ms": now_ms}
    if outcome == Outcome.ACCEPTED:
        word = {"outcome": outcome, "accepted_ms": now_ms}
    open_still = ("",) if outcome == Outcome.ACCEPTED else ("", Outcome.ACCEPTED)
    statement = (
        update(COMMAND)
        .where(COMMAND.c.id == command, COMMAND.c.site == site, COMMAND.c.outcome.in_(open_still))
        .values(**word)
    )
    return connection.execute(statement).rowcount > 0


def quarantine(connection: Connection, rows: Sequence[tuple[str, str, bytes]], now_ms: int) -> None:
    """Keep (topic, reason, payload) of messages that could not be applied."""
    if rows:
        connection.execute(
            insert(QUARANTINE),
            [
                {"received_ms": now_ms, "topic": topic[:128], "reason": reason[:200], "payload": payload}
                for topic, reason, payload in rows
            ],
        )


def prune_quarantine(connection: Connection) -> int:
    """Forget the oldest refused messages past the bound; how many went."""
    keep = select(QUARANTINE.c.id).order_by(QUARANTINE.c.id.desc()).offset(QUARANTINE_ROWS_MAX).limit(1)
    oldest = connection.execute(keep).scalar()
    if oldest is None:
        return 0
    return connection.execute(delete(QUARANTINE).where(QUARANTINE.c.id <= oldest)).rowcount
