"""The visit of a delegate, as a change at the hub (C-30). Owns its shape; refuses to know who is told."""

from __future__ import annotations

from dataclasses import dataclass

from wire.ids import ParcelId


@dataclass(frozen=True, slots=True)
class Delegated:
    """Somebody came for the parcel with mandate `number` of its recipient (C-30)."""

    parcel: ParcelId
    number: int
