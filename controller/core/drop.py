"""The shapes of a courier's drop: what was handed over, and what its receipt says (K-02, K-03).

Owns the shapes and their bounds. Refuses to know how they change (`fold_drops`) or when a drop is over (`drops`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wire.facts import Place
from wire.ids import ParcelId, Trust

DROP_MAX: Final = 200
"""Parcels in one drop: more than any bank holds; the courier ends it and begins another, on a second receipt."""

DROP_PAUSE_MS: Final = 15 * 60_000
"""How long a drop waits for its courier, who fetches more from the van or stood before a power cut."""

DROPS_KEPT: Final = 10
"""Receipts of drops that the desk can still print: those of a day or two."""


@dataclass(frozen=True, slots=True)
class Handed:
    """A parcel that a courier handed over, and where it lies. `no_door`: on the shelf because no fitting door was free (K-03)."""

    parcel: ParcelId
    tracking: str
    place: Place | None = None
    no_door: bool = False


@dataclass(frozen=True, slots=True)
class Drop:
    """A courier's drop that is not over. `session`: the one it began in. `left_mono`: since when its courier is away."""

    person: str
    carrier: str
    session: str
    handed: tuple[Handed, ...] = ()
    left_mono: int | None = None


@dataclass(frozen=True, slots=True)
class DropReceipt:
    """What the receipt of a drop says; `missing` and `unannounced` are tracking numbers. `drop`: the session it began in."""

    drop: str
    person: str
    carrier: str
    at_ms: int
    trust: Trust
    handed: tuple[Handed, ...]
    missing: tuple[str, ...]
    missing_count: int
    unannounced: tuple[str, ...]
