"""The statements of forgetting: whose contact is due, what is kept of one person, and erasing it (A-14).

Owns their SQL. Refuses to decide when something is due (`hub.core.retention`) and who may ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, delete, func, or_, select, text, update

from hub.core.project import Source
from hub.core.retention import Limits
from hub.store.lists import chunks, many
from hub.store.schema import ALERT, CONTACT, ERASURE, FACT, MESSAGE, PARCEL, SITE
from wire.ids import ParcelState

FACTS_MAX: Final = 1_000
"""Facts of one parcel in an export: far above the longest life seen."""
ERASED: Final = "the recipient was erased"


def _is_due(limits: Limits) -> ColumnElement[bool]:
    never_came = and_(PARCEL.c.state == ParcelState.ANNOUNCED, PARCEL.c.changed_ms < limits.awaited_before_ms)
    return or_(PARCEL.c.ended_ms < limits.ended_before_ms, never_came)


def due(connection: Connection, limits: Limits, most: int) -> list[str]:
    """Parcels whose recipient is to be forgotten now, those that ended first in front; at most `most`."""
    found = select(CONTACT.c.parcel).join(PARCEL).where(_is_due(limits)).order_by(PARCEL.c.ended_ms, PARCEL.c.id)
    return list(connection.execute(found.limit(most)).scalars())


def due_by_site(connection: Connection, limits: Limits) -> list[tuple[str, int]]:
    """How many recipients are to be forgotten at each site that has any."""
    counted = (
        select(SITE.c.id, func.count())
        .select_from(CONTACT)
        .join(PARCEL, PARCEL.c.id == CONTACT.c.parcel)
        .join(SITE, SITE.c.number == PARCEL.c.site)
        .where(_is_due(limits))
        .group_by(SITE.c.id)
        .order_by(SITE.c.id)
    )
    return [(row[0], row[1]) for row in connection.execute(counted)]


def kept(connection: Connection) -> int:
    """How many recipients are known."""
    return int(connection.execute(select(func.count()).select_from(CONTACT)).scalar_one())


_UNSAY: Final = (
    update(MESSAGE)
    .where(MESSAGE.c.parcel.in_(many("parcels")), MESSAGE.c.state == "waiting")
    .values(state="unsent", problem=ERASED)
)
_FORGET: Final = delete(CONTACT).where(CONTACT.c.parcel.in_(many("parcels")))
_BLANK: Final = (
    update(CONTACT)
    .where(
        CONTACT.c.parcel.in_(many("parcels")), or_(CONTACT.c.name != "", CONTACT.c.phone != "", CONTACT.c.email != "")
    )
    .values(name="", name_folded="", phone="", email="")
)
_HERE: Final = select(PARCEL.c.id).where(PARCEL.c.id.in_(many("parcels")), PARCEL.c.ended_ms.is_(None))


def forget(connection: Connection, parcels: Sequence[str]) -> int:
    """Erase recipients; how many were there. No message waits for them any more."""
    erased = 0
    for chunk in chunks(parcels):
        erased += connection.execute(_FORGET, {"parcels": chunk}).rowcount
        connection.execute(_UNSAY, {"parcels": chunk})
    return erased


def forget_on_request(connection: Connection, parcels: Sequence[str]) -> int:
    """Erase who somebody is; how many parcels named them.

    Of a parcel that is still to be collected the language and the help stay until its end: they name nobody, and its
    door must go on speaking to its owner. The slip in their hand still opens it.
    """
    here = {row for chunk in chunks(parcels) for row in connection.execute(_HERE, {"parcels": chunk}).scalars()}
    erased = forget(connection, [parcel for parcel in parcels if parcel not in here])
    for chunk in chunks(sorted(here)):
        erased += connection.execute(_BLANK, {"parcels": chunk}).rowcount
        connection.execute(_UNSAY, {"parcels": chunk})
    return erased


_GONE: Final = select(PARCEL.c.id).where(
    PARCEL.c.id == bindparam("parcel"),
    PARCEL.c.source.in_((Source.PLAN, Source.AGAIN)),
    ~select(CONTACT.c.parcel).where(CONTACT.c.parcel == PARCEL.c.id).exists(),
)


def was_erased(connection: Connection, parcel: str, also: Sequence[str] = ()) -> bool:
    """Whether the recipient of a parcel, known under the ids in `also` too, was erased: on request, or because its time was
    over. Whatever was announced had a card.
    """
    if connection.execute(_GONE, {"parcel": parcel}).first() is not None:
        return True
    named = or_(*(ERASURE.c.parcels.contains(f'"{each}"', autoescape=True) for each in (parcel, *also)))
    return connection.execute(select(ERASURE.c.id).where(named).limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class Request:
    """An erasure somebody asked for; without a word of whom it was about."""

    id: str
    asked_ms: int
    asked_by: str
    reason: str
    parcels: tuple[str, ...]


_ADD_REQUEST: Final = text(
    "INSERT INTO erasure (id, asked_ms, asked_by, reason, parcels)"
    " VALUES (:id, :asked_ms, :asked_by, :reason, :parcels) ON CONFLICT (id) DO NOTHING"
)


def add_request(connection: Connection, request: Request) -> None:
    """Remember that it was done; once, whoever repeats it."""
    connection.execute(
        _ADD_REQUEST, {**msgspec.to_builtins(request), "parcels": msgspec.json.encode(request.parcels).decode()}
    )


def known_requests(connection: Connection) -> set[str]:
    """The ids of the erasures this database has done."""
    return set(connection.execute(select(ERASURE.c.id)).scalars())


def requests(connection: Connection, most: int) -> list[Request]:
    """What was erased on request, newest first."""
    rows = connection.execute(select(ERASURE).order_by(ERASURE.c.asked_ms.desc(), ERASURE.c.id).limit(most))
    return [
        Request(row.id, row.asked_ms, row.asked_by, row.reason, msgspec.json.decode(row.parcels, type=tuple[str, ...]))
        for row in rows
    ]


def parcels_of(
    connection: Connection, *, phones: Sequence[str], name_folded: str, most: int, email: str = ""
) -> list[str]:
    """The parcels of a phone number in any of its ways, of an e-mail address, or of a whole name; newest first."""
    whose = CONTACT.c.phone.in_(list(phones)) if phones else CONTACT.c.name_folded == name_folded
    if email:
        whose = func.lower(CONTACT.c.email) == email.lower()
    found = select(PARCEL.c.id).join(CONTACT, CONTACT.c.parcel == PARCEL.c.id).where(whose)
    return list(connection.execute(found.order_by(PARCEL.c.created_ms.desc(), PARCEL.c.id).limit(most)).scalars())


_RECORD: Final = (
    select(
        *(
            PARCEL.c[name]
            for name in (
                "id", "tracking", "carrier", "size", "reach", "heavy", "state", "place_kind", "place_name", "source",
                "created_ms", "received_ms", "stored_ms", "ended_ms", "extended", "held_until_ms",
            )
        ),
        SITE.c.id.label("site"),
        CONTACT.c.name,
        CONTACT.c.phone,
        CONTACT.c.email,
        CONTACT.c.language,
        CONTACT.c.help,
    )
    .join(SITE, SITE.c.number == PARCEL.c.site)
    .join(CONTACT, CONTACT.c.parcel == PARCEL.c.id, isouter=True)
    .where(PARCEL.c.id == bindparam("parcel"))
)  # fmt: skip
_MESSAGES: Final = (
    select(MESSAGE.c.kind, MESSAGE.c.state, MESSAGE.c.created_ms, MESSAGE.c.sent_ms)
    .where(MESSAGE.c.parcel == bindparam("parcel"))
    .order_by(MESSAGE.c.id)
)
_FACTS: Final = (
    select(FACT.c.kind, FACT.c.at_ms)
    .where(FACT.c.parcel == bindparam("parcel"))
    .order_by(FACT.c.journal, FACT.c.seq)
    .limit(FACTS_MAX)
)
_ALERTS: Final = (
    select(ALERT.c.kind, ALERT.c.raised_ms)
    .where(ALERT.c.subject == bindparam("parcel"))
    .order_by(ALERT.c.id)
    .limit(FACTS_MAX)
)


def record(connection: Connection, parcel: str) -> dict[str, Any] | None:
    """Everything held about one parcel and its recipient, as plain values; None when there is no such parcel."""
    row = connection.execute(_RECORD, {"parcel": parcel}).mappings().one_or_none()
    if row is None:
        return None
    parts = (("messages", _MESSAGES), ("facts", _FACTS), ("alerts", _ALERTS))
    more = {key: _plain(connection, ask, parcel) for key, ask in parts}
    return {**row, **more}


def _plain(connection: Connection, ask: Select[Any], parcel: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(ask, {"parcel": parcel}).mappings()]
