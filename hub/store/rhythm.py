"""What came to a site, what was collected, and how its doors did, for its rhythm (A-15). Nobody is named.

Owns these statements. Refuses to draw conclusions: `hub.core.forecast` and `hub.core.pressure` do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, func, or_, select, update

from hub.store.schema import COMPARTMENT, FACT, PARCEL, SITE
from wire.ids import ParcelState

PARCELS_MAX: Final = 100_000
"""Parcels looked at: five hundred a day for half a year. The newest count."""
HOUR_MS: Final = 3_600_000
_SIZE: Final = func.coalesce(func.nullif(PARCEL.c.door_size, ""), PARCEL.c.size, "")
"""The size of the door it took, or else the one that was announced."""
_DOOR_KINDS: Final = ("opening_ordered", "opening_failed")


def lives(connection: Connection, number: int, since_ms: int) -> Sequence[Any]:
    """Size, time of storing and end, state, and whether a door was missing, of each parcel stored at a site since then, or still there."""
    asked = (
        select(
            _SIZE.label("size"), PARCEL.c.stored_ms, PARCEL.c.ended_ms, PARCEL.c.state, PARCEL.c.no_door,
            PARCEL.c.place_kind,
        )
        .join(SITE, SITE.c.number == PARCEL.c.site)
        .where(PARCEL.c.site == number, _since(since_ms), PARCEL.c.joined_into.is_(None), ~SITE.c.sandbox)
        .order_by(PARCEL.c.stored_ms.desc())
        .limit(PARCELS_MAX)
    )  # fmt: skip
    return connection.execute(asked).all()


def _since(since_ms: int) -> ColumnElement[bool]:
    lies = and_(PARCEL.c.stored_ms.is_not(None), PARCEL.c.ended_ms.is_(None))
    return or_(PARCEL.c.stored_ms >= since_ms, PARCEL.c.ended_ms >= since_ms, lies)


def hours(connection: Connection, sites: Sequence[int], column: str, since_ms: int) -> Sequence[Any]:
    """How many parcels of each of these sites and size were stored (`stored_ms`) or ended (`ended_ms`) in each hour since then, in hours since 1970."""
    at = PARCEL.c[column]
    hour = at // HOUR_MS
    query = (
        select(PARCEL.c.site, _SIZE.label("size"), hour.label("hour"), func.count().label("count"))
        .join(SITE, SITE.c.number == PARCEL.c.site)
        .where(
            at >= since_ms,
            PARCEL.c.stored_ms.is_not(None),
            PARCEL.c.joined_into.is_(None),
            PARCEL.c.site.in_(sites),
            ~SITE.c.sandbox,
        )
        .group_by(PARCEL.c.site, _SIZE, hour)
    )
    return connection.execute(query).all()


def waiting(connection: Connection, sites: Sequence[int], before_ms: int) -> Sequence[Any]:
    """How many parcels of each of these sites lie in a compartment since before then, by size."""
    query = (
        select(PARCEL.c.site, _SIZE.label("size"), func.count().label("count"))
        .join(SITE, SITE.c.number == PARCEL.c.site)
        .where(
            PARCEL.c.state == ParcelState.STORED,
            PARCEL.c.stored_ms < before_ms,
            PARCEL.c.site.in_(sites),
            ~SITE.c.sandbox,
        )
        .group_by(PARCEL.c.site, _SIZE)
    )
    return connection.execute(query).all()


def door_facts(connection: Connection, number: int, since_ms: int) -> Sequence[Any]:
    """Kind and body of the facts about openings that were committed since then, of the site's present past."""
    journal = connection.execute(select(func.max(FACT.c.journal)).where(FACT.c.site == number)).scalar()
    if journal is None:
        return ()
    first = _first_since(connection, number, journal, since_ms)
    query = select(FACT.c.kind, FACT.c.body).where(
        FACT.c.site == number, FACT.c.journal == journal, FACT.c.seq >= first, FACT.c.kind.in_(_DOOR_KINDS)
    )
    return connection.execute(query.limit(PARCELS_MAX)).all()


def _first_since(connection: Connection, number: int, journal: int, since_ms: int) -> int:
    """The first fact committed since then, found by halving: facts are committed in their order, and no index has their time."""
    here = and_(FACT.c.site == number, FACT.c.journal == journal)
    low, high = connection.execute(select(func.min(FACT.c.seq), func.max(FACT.c.seq)).where(here)).one()
    high += 1
    while low < high:
        middle = (low + high) // 2
        at = select(FACT.c.committed_ms).where(here, FACT.c.seq == middle)
        if (connection.execute(at).scalar() or 0) < since_ms:
            low = middle + 1
        else:
            high = middle
    return int(low)


_SECOND: Final = PARCEL.alias("second")
_OWN: Final = or_(
    PARCEL.c.id == bindparam("stored"),
    PARCEL.c.id == select(_SECOND.c.joined_into).where(_SECOND.c.id == bindparam("stored")).scalar_subquery(),
)
_BEHIND: Final = select(COMPARTMENT.c.size).where(
    COMPARTMENT.c.site == bindparam("at"), COMPARTMENT.c.label == bindparam("label")
)
_NOTE_DOOR: Final = (
    update(PARCEL)
    .where(_OWN)
    .values(
        door_size=func.coalesce(_BEHIND.scalar_subquery(), ""),
        no_door=case((bindparam("none_free"), True), else_=False),
    )
)


def note_doors(connection: Connection, stored: Sequence[tuple[str, int, str, bool]]) -> None:
    """Note what size of door each parcel took: (parcel, site, label or "", whether no fitting door was free)."""
    rows = [{"stored": parcel, "at": site, "label": label, "none_free": none} for parcel, site, label, none in stored]
    if rows:
        connection.execute(_NOTE_DOOR, rows)


def was_collected(row: Any) -> bool:
    """Whether somebody came for it."""
    return bool(row.state == ParcelState.COLLECTED and row.ended_ms is not None)
