"""The statements behind proving that a database agrees with itself, and that nobody else is at it. All of them read."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, func, select, text

from hub.store.engine import Store
from hub.store.journals import Cursor
from hub.store.schema import FACT, PARCEL, PAST_JOURNAL, SITE

_ROWS: Final = 1_000
"""Facts in memory at once."""
_OTHERS: Final = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


@contextmanager
def one_view(store: Store) -> Iterator[Connection]:
    """Everything as it stood at one instant, while the hub goes on."""
    with store.reading() as connection:
        if not store.is_sqlite:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield connection


def facts(connection: Connection, cursor: Cursor) -> Generator[Any, None, None]:
    """The facts of a journal in order, a few at a time. Close it, should you not want them all."""
    columns = (FACT.c.seq, FACT.c.boot, FACT.c.at_ms, FACT.c.trust, FACT.c.body, FACT.c.hash, FACT.c.committed_ms)
    mine = (FACT.c.site == cursor.site, FACT.c.journal == cursor.ordinal)
    asked = select(*columns).where(*mine).order_by(FACT.c.seq).execution_options(yield_per=_ROWS)
    with connection.execute(asked) as rows:
        yield from rows


def pasts(connection: Connection, cursor: Cursor) -> list[Cursor]:
    """Where the journals ended that a site's present one replaced."""
    asked = select(PAST_JOURNAL).where(PAST_JOURNAL.c.site == cursor.site).order_by(PAST_JOURNAL.c.ordinal)
    return [
        Cursor(cursor.site, cursor.site_id, row.ordinal, row.journal, row.seq, row.hash, adopt=False)
        for row in connection.execute(asked)
    ]


def places(connection: Connection, number: int) -> dict[str, Any]:
    """State and place of every parcel of a site, as kept."""
    columns = (PARCEL.c.id, PARCEL.c.state, PARCEL.c.place_kind, PARCEL.c.place_name, PARCEL.c.joined_into)
    return {row.id: row for row in connection.execute(select(*columns).where(PARCEL.c.site == number))}


def sites(store: Store) -> int:
    """How many sites the database knows."""
    with store.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(SITE)).scalar_one())


def is_used(store: Store) -> bool:
    """Whether another program is connected; of SQLite only the hub's own lock can say."""
    if store.is_sqlite:
        return False
    with store.reading() as connection:
        return bool(connection.execute(_OTHERS).scalar_one())
