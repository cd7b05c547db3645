"""A deposit as its receipt tells of it (S-07).

Owns the shape. Refuses to know how it comes about, and who may see it (`deposits`).
"""

from __future__ import annotations

from dataclasses import dataclass

from wire.facts import Place
from wire.ids import ParcelId, Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """A parcel put in: all that its receipt says (S-07). `seq` is its line in the journal, `hash` the chain's hash after it, in hex.

    `session` is that of who put it in, empty after a restart. `size` is a size class, empty on the shelf when nobody said one. `damaged`: staff said that it came so.
    """

    parcel: ParcelId
    tracking: str
    carrier: str
    place: Place
    size: str
    heavy: bool
    damaged: bool
    session: str
    by: str
    at_ms: int
    trust: Trust
    seq: int
    hash: str
