"""The months of facts: on PostgreSQL each month's facts lie in a table of their own (ADR 0029).

Owns their names and bounds, and makes those to come in time. Refuses to know what a fact is. On SQLite there is one table and
nothing to do.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, text

AHEAD: Final = 2
"""Months made before they begin: a hub that nobody looks after for weeks does not run out of them."""
_EXISTS: Final = text("SELECT to_regclass(:name) IS NOT NULL")
_IN_OTHER: Final = text(
    "SELECT EXISTS (SELECT 1 FROM fact_other WHERE committed_ms >= :first AND committed_ms < :after)"
)


def make(connection: Connection, now_ms: int) -> list[str]:
    """Make the table of this month and of those to come, where they are missing; the names of the new ones.

    A month of which facts lie in `fact_other` already, since it was not there in time, stays there: nothing is moved under those who read.
    """
    if connection.dialect.name != "postgresql":
        return []
    made = []
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    for ahead in range(AHEAD + 1):
        first = _month(now, ahead)
        name, bounds = f"fact_{first:%Y_%m}", {"first": _ms(first), "after": _ms(_month(now, ahead + 1))}
        if connection.execute(_EXISTS, {"name": name}).scalar() or connection.execute(_IN_OTHER, bounds).scalar():
            continue
        connection.exec_driver_sql(
            f"CREATE TABLE {name} PARTITION OF fact FOR VALUES FROM ({bounds['first']}) TO ({bounds['after']})"
        )
        connection.exec_driver_sql(f"CREATE UNIQUE INDEX uq_{name} ON {name} (site, journal, seq)")
        made.append(name)
    return made


def _month(now: datetime, ahead: int) -> datetime:
    """The first moment of a month."""
    years, month = divmod(now.month - 1 + ahead, 12)
    return datetime(now.year + years, month + 1, 1, tzinfo=UTC)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000
