"""Which compartment a parcel gets. The site decides alone; the hub never names one (design §3).

Owns the order of preference. Refuses a compartment that is not known to be empty (I-5), not in service, or open.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from controller.core.model import Parcel, State
from wire.ids import SIZE_ORDER, Door, Label, Occupancy, ParcelId, PlaceKind, ReachZone, Service, SizeClass

HEAVY_MM: Final = range(400, 1_301)
"""Heights, in millimetres above the floor, at which a heavy parcel may stand (journeys S-15)."""

_WITHIN_REACH: Final = {
    ReachZone.LOW: (ReachZone.LOW, ReachZone.MID),
    ReachZone.MID: (ReachZone.MID,),
    ReachZone.HIGH: (ReachZone.LOW, ReachZone.MID, ReachZone.HIGH),
}
_KEPT_FOR_NEED: Final = (ReachZone.HIGH, ReachZone.LOW, ReachZone.MID)
"""Without a need of its own a parcel leaves the easy doors to those who have one: the first of these is taken first."""


def compartment_of(state: State, parcel: ParcelId) -> Label | None:
    """The compartment that is kept for a parcel, holds it, or may hold it; None when there is none."""
    compartments = state.durable.compartments.items()
    return next((label for label, known in compartments if known.parcel == parcel), None)


def allocate(
    state: State,
    parcel: Parcel,
    size: SizeClass,
    *,
    larger_than: SizeClass | None = None,
    besides: Label | None = None,
) -> Label | None:
    """The best free compartment of at least `size` for `parcel`, never `besides`; None when only the desk's shelf is left."""
    smallest = SIZE_ORDER.index(size)
    if larger_than is not None:
        smallest = max(smallest, SIZE_ORDER.index(larger_than) + 1)
    fitting = [
        label
        for label, card in state.setup.cards.items()
        if SIZE_ORDER.index(card.size) >= smallest
        and label != besides
        and is_allottable(state, label)
        and suits(state, parcel, label)
    ]
    return min(fitting, key=lambda label: _preference(state, parcel, label), default=None)


def is_allottable(state: State, label: Label) -> bool:
    """Whether a compartment is known to be empty, in service and closed, and not set aside for practice."""
    compartment = state.durable.compartments[label]
    return (
        compartment.occupancy is Occupancy.FREE
        and label != state.durable.practice
        and compartment.service is Service.IN_SERVICE
        and state.door(label) is Door.CLOSED
    )


def free_by_size(state: State) -> dict[str, int]:
    """How many compartments of each size could be allotted now."""
    free = Counter(card.size for label, card in state.setup.cards.items() if is_allottable(state, label))
    return {size.value: free[size] for size in SIZE_ORDER}


def shelf_place(state: State) -> str:
    """The place on the desk's shelf with the fewest parcels; never a dead end (S-06)."""
    used = Counter(
        parcel.place.name
        for parcel in state.durable.parcels.values()
        if parcel.place is not None and parcel.place.kind is PlaceKind.SHELF
    )
    return min(state.setup.shelf_places, key=lambda name: used[name])  # the first of equals


def needed_reach(parcel: Parcel) -> ReachZone | None:
    """What its recipient can reach: the plan's word, unless staff saw that a high door is too high."""
    if parcel.low_said and parcel.reach in {None, ReachZone.HIGH}:
        return ReachZone.LOW
    return parcel.reach


def is_within_reach(state: State, parcel: Parcel, label: Label) -> bool:
    """Whether its recipient can reach that door."""
    reach = needed_reach(parcel)
    return reach is None or state.card(label).reach in _WITHIN_REACH[reach]


def suits(state: State, parcel: Parcel, label: Label) -> bool:
    """Whether its recipient can reach that door, and staff can lift it there."""
    liftable = not (parcel.heavy or parcel.heavy_said) or state.card(label).height_mm in HEAVY_MM
    return liftable and is_within_reach(state, parcel, label)


def _preference(state: State, parcel: Parcel, label: Label) -> tuple[int, int, int, str]:
    card = state.card(label)
    zone = 0 if needed_reach(parcel) is not None else _KEPT_FOR_NEED.index(card.reach)
    return SIZE_ORDER.index(card.size), zone, state.durable.compartments[label].cycles, label
