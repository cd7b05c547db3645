"""The statements of journals: how far each site's is committed, and its facts, kept verbatim.

Owns cursors and facts in the database. Refuses to know what a fact changes (`hub.store.ingest` writes that).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, ScalarSelect, bindparam, func, insert, literal, select, update

from hub.store.lists import chunks, many
from hub.store.schema import FACT, PAST_JOURNAL, SITE, SITE_CURSOR


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a site's journal is committed.

    `before_seq`, `before_hash`: where the past ended that was given up when this one of the same journal was adopted; 0 and ""
    when there is none.
    """

    site: int
    site_id: str
    ordinal: int
    journal: str
    seq: int
    hash: str
    adopt: bool
    before_seq: int = 0
    before_hash: str = ""


_OF_THE_SAME_JOURNAL: Final = (PAST_JOURNAL.c.site == SITE.c.number, PAST_JOURNAL.c.journal == SITE_CURSOR.c.journal)


def _before(column: str) -> ScalarSelect[Any]:
    last = select(PAST_JOURNAL.c[column]).where(*_OF_THE_SAME_JOURNAL).order_by(PAST_JOURNAL.c.ordinal.desc()).limit(1)
    return last.correlate(SITE, SITE_CURSOR).scalar_subquery()


_CURSOR: Final = select(
    SITE.c.number,
    SITE.c.id,
    SITE_CURSOR.c.ordinal,
    SITE_CURSOR.c.journal,
    SITE_CURSOR.c.seq,
    SITE_CURSOR.c.hash,
    SITE_CURSOR.c.adopt,
    func.coalesce(_before("seq"), 0),
    func.coalesce(_before("hash"), ""),
).join(SITE_CURSOR, SITE_CURSOR.c.site == SITE.c.number)
_ALL_CURSORS: Final = _CURSOR.order_by(SITE.c.number)
_CURSORS: Final = _ALL_CURSORS.where(SITE.c.id.in_(many("sites"))).with_for_update(of=SITE_CURSOR)


def cursors(connection: Connection, site_ids: Iterable[str]) -> dict[str, Cursor]:
    """The cursors of known sites, locked until the transaction ends."""
    found: dict[str, Cursor] = {}
    for chunk in chunks(sorted(set(site_ids))):
        found.update((row.id, Cursor(*row)) for row in connection.execute(_CURSORS, {"sites": chunk}))
    return found


def all_cursors(connection: Connection) -> list[Cursor]:
    """Every site's cursor."""
    return [Cursor(*row) for row in connection.execute(_ALL_CURSORS)]


_SAVE_CURSOR: Final = update(SITE_CURSOR).where(SITE_CURSOR.c.site == bindparam("b_site"))


def save_cursors(connection: Connection, changed: Sequence[Cursor], now_ms: int) -> None:
    """Move cursors."""
    if changed:
        connection.execute(
            _SAVE_CURSOR,
            [
                {
                    "b_site": cursor.site,
                    "ordinal": cursor.ordinal,
                    "journal": cursor.journal,
                    "seq": cursor.seq,
                    "hash": cursor.hash,
                    "adopt": cursor.adopt,
                    "committed_ms": now_ms,
                }
                for cursor in changed
            ],
        )


def close_journal(connection: Connection, cursor: Cursor, now_ms: int) -> None:
    """Keep what was known of a journal that another one replaces."""
    connection.execute(
        insert(PAST_JOURNAL).values(
            site=cursor.site,
            ordinal=cursor.ordinal,
            journal=cursor.journal,
            seq=cursor.seq,
            hash=cursor.hash,
            closed_ms=now_ms,
        )
    )


_HASH_AT: Final = select(FACT.c.hash).where(
    FACT.c.site == bindparam("site"), FACT.c.journal == bindparam("journal"), FACT.c.seq == bindparam("seq")
)


def hash_at(connection: Connection, cursor: Cursor, seq: int) -> str | None:
    """The chain's hash after fact `seq`, when it is kept here."""
    stored = connection.execute(_HASH_AT, {"site": cursor.site, "journal": cursor.ordinal, "seq": seq}).scalar()
    return None if stored is None else bytes(stored).hex()


def copy_facts(connection: Connection, cursor: Cursor, ordinal: int, before: int) -> Iterator[tuple[int, bytes]]:
    """Keep the facts before `before` as the beginning of journal `ordinal` too; their seq and bodies, in order."""
    columns = [FACT.c[name] for name in FACT_COLUMNS if name not in {"site", "journal"}]
    known = (FACT.c.site == cursor.site, FACT.c.journal == cursor.ordinal, FACT.c.seq < before)
    same = select(FACT.c.site, literal(ordinal), *columns).where(*known)
    names = ["site", "journal", *(column.name for column in columns)]
    connection.execute(insert(FACT).from_select(names, same))
    rows = connection.execute(select(FACT.c.seq, FACT.c.body).where(*known).order_by(FACT.c.seq))
    return ((row.seq, bytes(row.body)) for row in rows)


FACT_COLUMNS: Final = (
    "site",
    "journal",
    "seq",
    "kind",
    "boot",
    "at_ms",
    "trust",
    "committed_ms",
    "parcel",
    "session",
    "body",
    "hash",
)
FactRow = tuple[int, int, int, str, int, int, str, int, str | None, str | None, bytes, bytes]
_FACT_NAMES: Final = ", ".join(f'"{name}"' for name in FACT_COLUMNS)
_ADD_FACTS: Final = {
    "sqlite": f"INSERT INTO fact ({_FACT_NAMES}) VALUES ({', '.join('?' * len(FACT_COLUMNS))})",  # noqa: S608 our own names
    "postgresql": f"INSERT INTO fact ({_FACT_NAMES}) VALUES ({', '.join(['%s'] * len(FACT_COLUMNS))})",  # noqa: S608 our own names
}


def add_facts(connection: Connection, rows: list[FactRow]) -> None:
    """Append facts. The driver's own statement: per-row work of the statement compiler would cost half the rate."""
    if rows:
        connection.exec_driver_sql(_ADD_FACTS[connection.dialect.name], rows)
