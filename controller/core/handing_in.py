"""How far somebody has come who hands in a parcel: what `Live` keeps of them (C-32).

Owns the shapes. Refuses to know what follows from a step (`sending`). Times named `*_mono` are milliseconds of this boot's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from wire.ids import Label, ParcelId, SizeClass


class SendStep(StrEnum):
    """How far a customer has come who hands in a parcel."""

    CHOOSE_SIZE = "choose_size"
    PUT_IN = "put_in"
    ASK_INSIDE = "ask_inside"


@dataclass(frozen=True, slots=True)
class Sending:
    """What a customer does who hands in a parcel; lost at a restart, on purpose: its compartment is unknown then (C-32).

    `asked_mono`: since when a question waits. `larger`: it does not fit, and a larger door was asked for. `grown`: that was done
    once. `failed`: doors that did not open. `touched`: another door moved meanwhile, so the parcel may lie behind that one.
    """

    parcel: ParcelId
    step: SendStep
    size: SizeClass | None = None
    compartment: Label | None = None
    asked_mono: int = 0
    larger: bool = False
    grown: bool = False
    failed: int = 0
    touched: bool = False
