"""Which compartment a parcel gets, whatever the bank and whoever needs what (hypothesis over `allocate`)."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from controller.core.allocate import HEAVY_MM, allocate, is_allottable, needed_reach
from controller.core.model import Compartment, Live, Parcel, Setup, State, fresh
from wire.ids import (
    SIZE_ORDER,
    Door,
    Label,
    Occupancy,
    ParcelState,
    ReachZone,
    Service,
    SizeClass,
    parcel_id_from_bits,
)
from wire.messages import CompartmentCard

_REACHED = {
    ReachZone.LOW: {ReachZone.LOW, ReachZone.MID},
    ReachZone.MID: {ReachZone.MID},
    ReachZone.HIGH: set(ReachZone),
}
"""Whom a door serves, said here a second time on purpose: a test that asks the product what is right finds nothing."""

_reaches = st.sampled_from(ReachZone)
_sizes = st.sampled_from(SizeClass)
_cards = st.tuples(_sizes, _reaches, st.integers(100, 2_000))
_compartments = st.builds(
    Compartment,
    occupancy=st.sampled_from(Occupancy),
    service=st.sampled_from(Service),
    cycles=st.integers(0, 500),
)
_parcels = st.builds(
    Parcel,
    id=st.just(parcel_id_from_bits(1)),
    version=st.just(1),
    epoch=st.just(0),
    state=st.just(ParcelState.RECEIVED),
    heavy=st.booleans(),
    heavy_said=st.booleans(),
    reach=st.none() | _reaches,
    low_said=st.booleans(),
)


@st.composite
def banks(draw: st.DrawFn) -> State:
    """A bank of up to a dozen compartments in whatever condition."""
    drawn = draw(st.lists(st.tuples(_cards, _compartments, st.sampled_from(Door)), min_size=1, max_size=12))
    labels = [Label(str(number)) for number in range(1, len(drawn) + 1)]
    cards = {
        label: CompartmentCard(label=label, size=size, reach=reach, height_mm=height, row=row, column=0)
        for row, (label, ((size, reach, height), _, _)) in enumerate(zip(labels, drawn, strict=True))
    }
    setup = Setup(site="s", number=1, keys={0: bytes(32)}, cards=cards, shelf_places=("E1",), board="b", version="0")
    durable = replace(
        fresh(setup), compartments={label: known for label, (_, known, _) in zip(labels, drawn, strict=True)}
    )
    return State(setup, durable, Live(doors={label: door for label, (_, _, door) in zip(labels, drawn, strict=True)}))


def fits(state: State, parcel: Parcel, label: Label, size: SizeClass) -> bool:
    """Whether that door would do, judged without asking the product."""
    card, known = state.setup.cards[label], state.durable.compartments[label]
    empty = known.occupancy is Occupancy.FREE and known.service is Service.IN_SERVICE
    shut = state.live.doors[label] is Door.CLOSED
    large = SIZE_ORDER.index(card.size) >= SIZE_ORDER.index(size)
    reach = ReachZone.HIGH if parcel.reach is None else parcel.reach
    low = not parcel.low_said or card.reach is not ReachZone.HIGH
    light = not (parcel.heavy or parcel.heavy_said) or 400 <= card.height_mm <= 1_300
    return empty and shut and large and card.reach in _REACHED[reach] and low and light


@given(banks(), _parcels, _sizes)
def test_what_is_allotted_is_empty_shut_in_service_large_enough_within_reach_and_not_too_high(
    state: State, parcel: Parcel, size: SizeClass
) -> None:
    label = allocate(state, parcel, size)
    assert label is None or fits(state, parcel, label, size)


@given(banks(), _parcels, _sizes)
def test_the_shelf_is_only_for_what_fits_behind_no_door(state: State, parcel: Parcel, size: SizeClass) -> None:
    """Never a dead end, and never the shelf out of laziness (S-06)."""
    any_fits = any(fits(state, parcel, label, size) for label in state.setup.cards)
    assert (allocate(state, parcel, size) is None) is not any_fits


@given(banks(), _parcels, _sizes)
def test_no_larger_door_is_taken_than_needed(state: State, parcel: Parcel, size: SizeClass) -> None:
    label = allocate(state, parcel, size)
    if label is not None:
        sizes = [
            SIZE_ORDER.index(card.size) for one, card in state.setup.cards.items() if fits(state, parcel, one, size)
        ]
        assert SIZE_ORDER.index(state.setup.cards[label].size) == min(sizes)


@given(banks(), _parcels, _sizes)
def test_who_reaches_everything_leaves_the_easy_doors_to_those_who_do_not(
    state: State, parcel: Parcel, size: SizeClass
) -> None:
    parcel = replace(parcel, reach=None, low_said=False)
    label = allocate(state, parcel, size)
    if label is not None and state.setup.cards[label].reach is not ReachZone.HIGH:
        high = [
            one
            for one, card in state.setup.cards.items()
            if card.reach is ReachZone.HIGH
            and card.size is state.setup.cards[label].size
            and fits(state, parcel, one, size)
        ]
        assert high == []


@given(banks(), _parcels, _sizes)
def test_of_equal_doors_the_least_worn_one_is_taken(state: State, parcel: Parcel, size: SizeClass) -> None:
    label = allocate(state, parcel, size)
    if label is not None:
        own = state.setup.cards[label]
        equal = [
            state.durable.compartments[one].cycles
            for one, card in state.setup.cards.items()
            if (card.size, card.reach) == (own.size, own.reach) and fits(state, parcel, one, size)
        ]
        assert state.durable.compartments[label].cycles == min(equal)


@given(banks(), _parcels, _sizes, _sizes)
def test_bigger_means_bigger(state: State, parcel: Parcel, size: SizeClass, before: SizeClass) -> None:
    label = allocate(state, parcel, size, larger_than=before)
    if label is not None:
        assert SIZE_ORDER.index(state.setup.cards[label].size) > SIZE_ORDER.index(before)
        assert is_allottable(state, label)


@given(_parcels)
def test_staff_who_say_low_are_believed_and_never_widen_what_a_plan_asks(parcel: Parcel) -> None:
    reach = needed_reach(parcel)
    if parcel.low_said:
        assert reach in {ReachZone.LOW, ReachZone.MID}
    if parcel.reach in {ReachZone.LOW, ReachZone.MID}:
        assert reach is parcel.reach
    assert range(400, 1_301) == HEAVY_MM
