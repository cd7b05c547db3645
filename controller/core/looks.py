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
class Reconciliation:
    """A run: who began it and when, the doors still to be looked behind, and what was seen. `ended_ms` is 0 while it goes on."""

    session: str
    by: str
    started_ms: int
    left: tuple[Label, ...]
    looks: tuple[Look, ...] = ()
    ended_ms: int = 0


@dataclass(frozen=True, slots=True)
class Seal:
    """A line of the journal and the chain's hash after it, in hex; nothing is sealed by line 0."""

    seq: int = 0
    hash: str = ""


NO_SEAL: Final = Seal()
"""No reconciliation has ended, as far as this journal is kept."""
