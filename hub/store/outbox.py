"""The statements of the outbox: what recipients are to be told, what is due, how it went.

Owns their SQL. Refuses to decide when and how somebody is told (`hub.core.telling`, `hub.core.hours`, `hub.notify`). A kind of
message exists once for a parcel, so asking for it again, after a crash or by two of us, tells nobody twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, Update, and_, bindparam, or_, select, text, update

from hub.core.correcting import Said
from hub.core.telling import MessageKind, Way
from hub.store.lists import chunks, many
from hub.store.schema import COMPARTMENT, CONTACT, MESSAGE, PARCEL, SITE
from wire.ids import ParcelState
from wire.plan import Intent

OVERTAKEN: Final = "overtaken"
"""The problem of a message that was true no more when its moment came; asked for once more, it waits again."""
CORRECTED: Final = "corrected"
"""The problem of a message whose address was corrected: another message took its place."""

_ADD_MESSAGE: Final = text(
    "INSERT INTO message (parcel, kind, created_ms, due_ms)"
    " SELECT CAST(:parcel AS VARCHAR), CAST(:kind AS VARCHAR), :now_ms, :due_ms"
    " WHERE EXISTS (SELECT 1 FROM contact WHERE contact.parcel = CAST(:parcel AS VARCHAR)"
    " AND (contact.phone <> '' OR contact.email <> ''))"
    " ON CONFLICT (parcel, kind) DO UPDATE SET state = 'waiting', due_ms = excluded.due_ms, problem = ''"
    " WHERE message.state = 'unsent' AND message.problem = 'overtaken'"
)
_ADD_REPLACED: Final = text(
    "INSERT INTO message (parcel, kind, created_ms, due_ms)"
    " SELECT CAST(:parcel AS VARCHAR), CAST(:kind AS VARCHAR), :now_ms, :due_ms"
    " WHERE EXISTS (SELECT 1 FROM message AS told WHERE told.parcel = CAST(:parcel AS VARCHAR)"
    " AND told.kind IN ('ready', 'waits') AND (told.attempts > 0 OR told.state = 'sent'))"
    " AND EXISTS (SELECT 1 FROM contact WHERE contact.parcel = CAST(:parcel AS VARCHAR)"
    " AND (contact.phone <> '' OR contact.email <> ''))"
    " ON CONFLICT (parcel, kind) DO NOTHING"
)


def add_messages(connection: Connection, wanted: Sequence[tuple[str, str]], now_ms: int) -> None:
    """Queue messages to recipients, once for each (parcel, kind).

    Nothing is queued without a phone number or an e-mail address. A *replaced* message follows only one that brought the key and
    went out already: one still waiting will carry the new digits anyway.
    """
    for statement, told in (
        (_ADD_MESSAGE, [(parcel, kind) for parcel, kind in wanted if not kind.startswith("replaced/")]),
        (_ADD_REPLACED, [(parcel, kind) for parcel, kind in wanted if kind.startswith("replaced/")]),
    ):
        if told:
            connection.execute(
                statement,
                [{"parcel": parcel, "kind": kind, "now_ms": now_ms, "due_ms": now_ms} for parcel, kind in told],
            )


_MESSAGES: Final = (
    select(
        MESSAGE.c.id,
        MESSAGE.c.parcel,
        MESSAGE.c.kind,
        MESSAGE.c.attempts,
        MESSAGE.c.told,
        MESSAGE.c.refused,
        PARCEL.c.state.label("parcel_state"),
        PARCEL.c.intent,
        PARCEL.c.stored_ms,
        PARCEL.c.extended,
        PARCEL.c.held_until_ms,
        SITE.c.number,
        SITE.c.id.label("site"),
        SITE.c.name.label("site_name"),
        SITE.c.address,
        SITE.c.help_phone,
        SITE.c.tenant,
        CONTACT.c.phone,
        CONTACT.c.email,
        CONTACT.c.language,
        COMPARTMENT.c.reach,
    )
    .join(PARCEL, PARCEL.c.id == MESSAGE.c.parcel)
    .join(SITE, SITE.c.number == PARCEL.c.site)
    .join(CONTACT, CONTACT.c.parcel == MESSAGE.c.parcel, isouter=True)
    .join(
        COMPARTMENT,
        and_(COMPARTMENT.c.site == PARCEL.c.site, COMPARTMENT.c.label == PARCEL.c.place_name),
        isouter=True,
    )
    .where(MESSAGE.c.state == "waiting")
)
_DUE_MESSAGES: Final = (
    _MESSAGES.where(MESSAGE.c.due_ms <= bindparam("now_ms")).order_by(MESSAGE.c.id).limit(bindparam("most"))
)
_STILL_WAITING: Final = _MESSAGES.where(MESSAGE.c.id == bindparam("message"))


def due_messages(connection: Connection, now_ms: int, most: int) -> Sequence[Any]:
    """Messages to send now, oldest first, with what their text is made of."""
    return connection.execute(_DUE_MESSAGES, {"now_ms": now_ms, "most": most}).all()


def still_waiting(connection: Connection, message: int) -> Any:
    """A message as it is now, if it is still to be sent; else None."""
    return connection.execute(_STILL_WAITING, {"message": message}).one_or_none()


_SAID: Final = (
    select(MESSAGE.c.id, MESSAGE.c.kind, MESSAGE.c.state, MESSAGE.c.attempts, MESSAGE.c.told, MESSAGE.c.refused)
    .where(MESSAGE.c.parcel == bindparam("parcel"))
    .order_by(MESSAGE.c.id)
    .with_for_update()
)


def said(connection: Connection, parcel: str) -> list[Said]:
    """The messages about a parcel, locked: a try that is not counted yet reads its address after us."""
    return [
        Said(row.id, row.kind, row.state, row.attempts, _ways(row.told), _ways(row.refused))
        for row in connection.execute(_SAID, {"parcel": parcel})
    ]


def _ways(noted: str) -> frozenset[Way]:
    return frozenset(Way(name) for name in noted.split())


_SAY_ANEW: Final = text(
    "INSERT INTO message (parcel, kind, created_ms, due_ms, told)"
    " SELECT CAST(:parcel AS VARCHAR), CAST(:kind AS VARCHAR), :now_ms, :now_ms, CAST(:told AS VARCHAR)"
    " WHERE EXISTS (SELECT 1 FROM contact WHERE contact.parcel = CAST(:parcel AS VARCHAR)"
    " AND (contact.phone <> '' OR contact.email <> ''))"
    " ON CONFLICT (parcel, kind) DO NOTHING"
)


def say_anew(connection: Connection, parcel: str, kind: str, told: frozenset[Way], now_ms: int) -> None:
    """Queue a message to a corrected address, but for the ways in `told`. Nothing is queued where there is none."""
    ways = " ".join(sorted(told))
    connection.execute(_SAY_ANEW, {"parcel": parcel, "kind": kind, "told": ways, "now_ms": now_ms})


@lru_cache(maxsize=64)
def _save_message(names: tuple[str, ...]) -> Update:
    """One statement for each set of columns; there are a handful."""
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    return update(MESSAGE).where(MESSAGE.c.id == bindparam("b_id")).values(values)


def save_message(connection: Connection, message: int, values: Mapping[str, Any]) -> None:
    """Note how sending went."""
    connection.execute(_save_message(tuple(values)), {"b_id": message, **values})


_AGAIN: Final = (
    update(MESSAGE)
    .where(MESSAGE.c.parcel == bindparam("b_parcel"), MESSAGE.c.state == "failed")
    .values(state="waiting", attempts=0, refused="", problem="", due_ms=bindparam("now_ms"))
)


def again(connection: Connection, parcel: str, now_ms: int) -> int:
    """Let what was given up of a parcel's messages wait again, as if never tried; how many."""
    return connection.execute(_AGAIN, {"b_parcel": parcel, "now_ms": now_ms}).rowcount


_WAITING: Final = (
    select(PARCEL.c.id, PARCEL.c.stored_ms, PARCEL.c.extended, PARCEL.c.held_until_ms)
    .join(CONTACT, CONTACT.c.parcel == PARCEL.c.id)
    .where(
        PARCEL.c.state == ParcelState.STORED,
        PARCEL.c.intent == Intent.HOLD,
        PARCEL.c.joined_into.is_(None),
        PARCEL.c.stored_ms <= bindparam("before_ms"),
        or_(CONTACT.c.phone != "", CONTACT.c.email != ""),
    )
    .order_by(PARCEL.c.id)
)
_REMINDED: Final = select(MESSAGE.c.parcel, MESSAGE.c.kind).where(
    MESSAGE.c.parcel.in_(many("parcels")),
    or_(MESSAGE.c.kind == MessageKind.WAITS, MESSAGE.c.kind.startswith(f"{MessageKind.LAST_DAY}/", autoescape=True)),
)


def waiting_since(connection: Connection, before_ms: int) -> Sequence[Any]:
    """Parcels that lie at their sites since before then, are not recalled, and whose recipients can be reached."""
    return connection.execute(_WAITING, {"before_ms": before_ms}).all()


def reminded(connection: Connection, parcels: Sequence[str]) -> set[tuple[str, str]]:
    """(parcel, kind) of the reminders that were queued already."""
    found: set[tuple[str, str]] = set()
    for chunk in chunks(parcels):
        found.update((row.parcel, row.kind) for row in connection.execute(_REMINDED, {"parcels": chunk}))
    return found
