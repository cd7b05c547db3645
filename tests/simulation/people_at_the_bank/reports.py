"""People who say at their open door that something is wrong (C-09, C-10, C-31)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from controller.core.events import Button
from controller.core.model import Phase
from tests.simulation.inventory_watch import COLLECTING
from wire.ids import ParcelState

if TYPE_CHECKING:
    from tests.simulation.random_site import Act, RandomSite


def customer_reports(bank: RandomSite) -> None:
    """Somebody at their open door, or a moment later, says that something is wrong (C-09, C-10, C-31)."""
    doors = [
        label
        for label, opening in bank.site.state.durable.openings.items()
        if opening.purpose in COLLECTING and opening.phase in {Phase.OPEN, Phase.CLOSED}
    ]
    label = bank.random.choice(doors or tuple(bank.inside))
    word = bank.random.choice((Button.FOUND_EMPTY, Button.DAMAGED, Button.REFUSE))
    opening = bank.site.state.durable.openings.get(label)
    believed = bank.inside[label] if bank.random.random() < 0.8 else set()
    if word is Button.FOUND_EMPTY and believed:
        return  # Most do not say so of a parcel that is there; some do.
    bank.site.press(word, compartment=label)
    parcel = None if opening is None else opening.parcel
    known = None if parcel is None else bank.site.state.durable.parcels.get(parcel)
    if known is not None and known.state in {ParcelState.DISPUTED, ParcelState.REFUSED} and parcel is not None:
        bank.reported.add(parcel)


ACTS: Final[tuple[tuple[Act, int], ...]] = ((customer_reports, 2),)
