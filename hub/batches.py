"""A batch of facts looked at by itself, before anything is compared with what is known.

Owns what can be said of its bytes, and which parcels its changes are about. Refuses to know the database.
"""

from __future__ import annotations

from typing import Final

from msgspec import Raw

from hub.core.delegates import Delegated
from hub.core.project import (
    Change,
    Disputed,
    Ended,
    Extended,
    Joined,
    KeyRaised,
    Placed,
    Planned,
    Received,
    Refused,
    Taking,
    Unplaced,
)
from hub.store.journals import Cursor, FactRow
from wire import chain
from wire.chain import FactRecord
from wire.facts import AnyFact, UnknownFact, decode_fact, kind, kind_of
from wire.messages import FactBatch
from wire.plan import PlannedParcel

BY_PARCEL: Final = (
    Received,
    Placed,
    Taking,
    Ended,
    KeyRaised,
    Planned,
    Disputed,
    Refused,
    Unplaced,
    Delegated,
    Extended,
)
"""The changes that are about one parcel's record."""


def is_contiguous(batch: FactBatch) -> bool:
    """Whether its facts are numbered without a gap from `first_seq` on."""
    return all(record.seq == batch.first_seq + place for place, record in enumerate(batch.facts))


def hashes(batch: FactBatch) -> list[bytes]:
    """The chain's hash after each fact; none when `previous` is not a hash."""
    try:
        return chain.links(batch.previous, batch.facts)
    except ValueError:
        return []


def read(body: bytes | Raw) -> AnyFact | None:
    """The fact, or None for a kind this version does not know (I-19)."""
    try:
        return decode_fact(body)
    except UnknownFact:
        return None


def row(cursor: Cursor, record: FactRecord, fact: AnyFact | None, digest: bytes, now_ms: int) -> FactRow:
    """A fact as it is kept, with the chain's hash after it."""
    return (
        cursor.site,
        cursor.ordinal,
        record.seq,
        (kind_of(record.body) if fact is None else kind(fact))[:32],
        record.boot,
        record.at_ms,
        record.trust.value,  # a plain str: SQLite's driver looks twice at anything that only is one
        now_ms,
        getattr(fact, "parcel", None),
        getattr(fact, "session", None) or None,
        bytes(record.body),
        digest,
    )


def parcel_of(change: object) -> str:
    """The parcel a change of a parcel names."""
    parcel = change.parcel  # type: ignore[attr-defined]
    return parcel.id if isinstance(parcel, PlannedParcel) else str(parcel)


def parcels_of(change: Change) -> tuple[str, ...]:
    """The parcels whose records a change needs."""
    if isinstance(change, Joined):
        return (change.parcel, change.into)
    return (parcel_of(change),) if isinstance(change, BY_PARCEL) else ()
