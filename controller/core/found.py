"""The shape of a search at the desk: what was asked, and which of the parcels that have left answer to it (M-11).

Owns the shape alone. Refuses to know how a search goes (`finding`).
"""

from __future__ import annotations

from dataclasses import dataclass

from wire.ids import ParcelId


@dataclass(frozen=True, slots=True)
class Found:
    """`count`: how many answer; `parcels`: the newest of them, newest first. It counts for the session that asked, and no other."""

    session: str
    text: str
    count: int
    parcels: tuple[ParcelId, ...]
