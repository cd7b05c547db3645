"""The statements behind doing something once, however often it is asked. Owns their SQL. Refuses to know what is asked."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, select, text, update

from hub.store.schema_carriers import ONCE

_CLAIM: Final = text(
    "INSERT INTO once (owner, key, digest, is_new, answer, at_ms) VALUES (:owner, :key, :digest, false, :answer, :at_ms)"
    " ON CONFLICT (owner, key) DO NOTHING"
)
_KNOWN: Final = select(ONCE).where(ONCE.c.owner == bindparam("owner"), ONCE.c.key == bindparam("key"))


def claim(connection: Connection, owner: str, key: str, digest: bytes, at_ms: int) -> Any:
    """None when this is the first time, which is noted; else what was asked and answered then.

    Whoever asks at the same moment waits here until the first one's transaction ends.
    """
    values = {"owner": owner, "key": key, "digest": digest, "answer": b"", "at_ms": at_ms}
    if connection.execute(_CLAIM, values).rowcount:
        return None
    return connection.execute(_KNOWN, {"owner": owner, "key": key}).one()


def answered(connection: Connection, owner: str, key: str, *, parcel: str, is_new: bool, answer: bytes) -> None:
    """Keep what is answered, for the next time."""
    which = update(ONCE).where(ONCE.c.owner == owner, ONCE.c.key == key)
    connection.execute(which.values(parcel=parcel, is_new=is_new, answer=answer))


def forget(connection: Connection, before_ms: int) -> None:
    """Forget what was answered before then."""
    connection.execute(delete(ONCE).where(ONCE.c.at_ms < before_ms))
