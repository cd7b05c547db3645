"""Single values of the hub: its incarnation."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, select, text

from hub.store.schema import HUB_META

_INCARNATION: Final = "incarnation"
_GET: Final = select(HUB_META.c.value).where(HUB_META.c.key == _INCARNATION)
_PUT: Final = text(
    "INSERT INTO hub_meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
    " WHERE CAST(hub_meta.value AS BIGINT) < CAST(excluded.value AS BIGINT)"
)


def incarnation(connection: Connection) -> int:
    """The newest incarnation this database has spoken with; 0 before the first."""
    value = connection.execute(_GET).scalar()
    return 0 if value is None else int(value)


def save_incarnation(connection: Connection, value: int) -> None:
    """Remember an incarnation before anybody hears it; one that is older than what is known changes nothing."""
    connection.execute(_PUT, {"key": _INCARNATION, "value": str(value)})


def next_incarnation(connection: Connection, now_ms: int) -> int:
    """Begin a new incarnation: larger than any this database knows, and, by the clock, than those of a lost copy."""
    value = max(incarnation(connection) + 1, now_ms)
    save_incarnation(connection, value)
    return value
