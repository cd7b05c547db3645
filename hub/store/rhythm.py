"""What came to a site and what was collected, for its rhythm (A-15). Times alone: no parcel and nobody is named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from hub.store.schema import PARCEL
from wire.ids import ParcelState

PARCELS_MAX: Final = 100_000
"""Parcels looked at: five hundred a day for half a year. The newest count."""


def lives(connection: Connection, number: int, since_ms: int) -> Sequence[Any]:
    """Size, time of storing and, of those collected, of collecting, for each parcel stored at a site since then."""
    asked = (
        select(PARCEL.c.size, PARCEL.c.stored_ms, PARCEL.c.ended_ms, PARCEL.c.state)
        .where(PARCEL.c.site == number, PARCEL.c.stored_ms >= since_ms, PARCEL.c.joined_into.is_(None))
        .order_by(PARCEL.c.stored_ms.desc())
        .limit(PARCELS_MAX)
    )
    return connection.execute(asked).all()


def was_collected(row: Any) -> bool:
    """Whether somebody came for it."""
    return bool(row.state == ParcelState.COLLECTED and row.ended_ms is not None)
