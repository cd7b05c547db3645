"""What PostgreSQL does between processes: one lock that one of them holds, and a line on which they hear each other.

Owns connections of its own, outside the pool, because a lock and a line last as long as their connection. Refuses to know what
is done by whoever holds the lock, and what is said. Only for PostgreSQL: on SQLite there is one process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

_LEADER: Final = 0x636F6E6C
"""Key of the advisory lock ("conl")."""
_LINE: Final = "consigne_live"
_PARAMETERS: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    # The server lets a lock go as soon as it sees that nobody is there any more: its own default is two hours.
    "options": "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=2",
}

_IS_LED: Final = text(
    "SELECT EXISTS (SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
    " WHERE datname = current_database() AND locktype = 'advisory' AND classid = 0 AND objid = :key AND objsubid = 1"
    " AND granted)"
)

Unreachable = psycopg.OperationalError
"""Raised by everything here when the server is not there, or went away."""


def _connect(url: str) -> psycopg.Connection[Any]:
    told = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(told, autocommit=True, **_PARAMETERS)


class LeaderLock:
    """The lock of the one that leads. It is let go when this connection ends, in whatever way."""

    def __init__(self, url: str) -> None:
        self._connection = _connect(url)

    def take(self) -> bool:
        """Have the lock, if nobody else has it; waits for nobody."""
        row = self._connection.execute("SELECT pg_try_advisory_lock(%s)", (_LEADER,)).fetchone()
        return bool(row and row[0])

    def check(self) -> None:
        """Raises Unreachable when the connection, and the lock with it, is gone."""
        self._connection.execute("SELECT 1")

    def close(self) -> None:
        """Let the lock go."""
        self._connection.close()


def is_led(connection: Connection) -> bool:
    """Whether some process has the lock."""
    return bool(connection.execute(_IS_LED, {"key": _LEADER}).scalar_one())


class Line:
    """What is said by any process is heard by every one that listens, this one too, while both are connected."""

    def __init__(self, url: str) -> None:
        self._connection = _connect(url)

    def say(self, words: Sequence[str]) -> None:
        """Say each (at most 8,000 bytes)."""
        self._connection.execute("SELECT pg_notify(%s, word) FROM unnest(%s::text[]) AS word", (_LINE, list(words)))

    def listen(self) -> None:
        """Hear from now on."""
        self._connection.execute(f"LISTEN {_LINE}")

    def heard(self, timeout_s: float) -> Iterator[str]:
        """What is said within so many seconds."""
        for notice in self._connection.notifies(timeout=timeout_s):
            yield notice.payload

    def close(self) -> None:
        """Hear and say no more."""
        self._connection.close()
