"""The shapes of a reconciliation: what staff saw behind each door, and where the journal keeps the end of it (M-07).

Owns the shapes alone. Refuses to know how a run goes (`reconciliation`) or what a look changes (`fold_reconciliation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wire.ids import Found, Label, Occupancy, ParcelId


@dataclass(frozen=True, slots=True)
class Look:
    """One door: what was believed (`occupancy`, `expected` and its `tracking`), what was seen. `read`: the label of something else."""

    compartment: Label
    found: Found
    occupancy: Occupancy
    expected: ParcelId | None
    tracking: str
    read: str
    by: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class ShelfLook:
    """A place of the shelf while staff stand at it: the parcels whose labels were read there, and the labels of anything else."""

    seen: tuple[ParcelId, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlaceLook:
    """One place of the shelf as it was seen: how many parcels were expected, the labels of those missing and of others.

    `missing`: the first of `missing_count`; its id stands for one that has no label.
    """

    place: str
    found: Found
    expected: int
    missing: tuple[str, ...]
    missing_count: int
    others: tuple[str, ...]
    by: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A run: who began it and when, the doors and then the places of the shelf that are left, and what was seen. `ended_ms` is 0 while it goes on."""

    session: str
    by: str
    started_ms: int
    left: tuple[Label, ...]
    looks: tuple[Look, ...] = ()
    ended_ms: int = 0
    shelf_left: tuple[str, ...] = ()
    places: tuple[PlaceLook, ...] = ()


@dataclass(frozen=True, slots=True)
class Seal:
    """A line of the journal and the chain's hash after it, in hex; nothing is sealed by line 0."""

    seq: int = 0
    hash: str = ""


NO_SEAL: Final = Seal()
"""No reconciliation has ended, as far as this journal is kept."""
