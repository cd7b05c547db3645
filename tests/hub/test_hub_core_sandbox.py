"""The life of a parcel at a site without a machine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.core.moment import Moment
from hub.core.project import ParcelRecord, Placed, Source, evolve
from hub.core.sandbox import next_step
from wire.facts import Place
from wire.ids import ParcelState, PlaceKind, Trust, parcel_id_from_bits
from wire.plan import Intent

NEW = ParcelRecord(
    parcel_id_from_bits(1), 1, ParcelState.ANNOUNCED, Source.PLAN, 0, 0, tracking="8N00234584108", partner=7
)


def lived(parcel: ParcelRecord, recalled_at: ParcelState | None = None) -> list[tuple[int, ParcelState]]:
    """When a parcel came to which state, looked at every second for two minutes."""
    told = []
    for now_ms in range(0, 120_000, 1_000):
        if parcel.state is recalled_at:
            parcel = replace(parcel, intent=Intent.RECALL)
        change = next_step(parcel, now_ms)
        if change is not None:
            evolved = evolve(parcel, change, Moment(1, now_ms, Trust.NTP, now_ms))
            assert evolved is not None
            parcel = evolved.parcel
            told.append((now_ms // 1000, parcel.state))
    return told


def test_a_16_a_parcel_of_a_sandbox_is_collected_within_a_minute() -> None:
    assert lived(NEW) == [
        (5, ParcelState.RECEIVED), (10, ParcelState.STORED), (30, ParcelState.COLLECTING), (35, ParcelState.COLLECTED),
    ]  # fmt: skip


def test_a_16_a_number_that_ends_so_is_refused_and_sent_back() -> None:
    told = lived(replace(NEW, tracking="8N00234584199"))
    assert told[2:] == [(30, ParcelState.REFUSED), (35, ParcelState.RETURNED)]


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (ParcelState.ANNOUNCED, [(5, ParcelState.REMOVED)]),
        (ParcelState.RECEIVED, [(5, ParcelState.RECEIVED), (10, ParcelState.STORED), (15, ParcelState.REMOVED)]),
        (ParcelState.STORED, [(5, ParcelState.RECEIVED), (10, ParcelState.STORED), (15, ParcelState.REMOVED)]),
    ],
)
def test_a_16_a_recalled_parcel_is_taken_out(at: ParcelState, told: list[tuple[int, ParcelState]]) -> None:
    assert lived(NEW, recalled_at=at) == told


@pytest.mark.parametrize(
    ("state", "intent", "after_ms"),
    [
        (ParcelState.ANNOUNCED, Intent.HOLD, 5_000),
        (ParcelState.ANNOUNCED, Intent.RECALL, 5_000),
        (ParcelState.RECEIVED, Intent.HOLD, 5_000),
        (ParcelState.STORED, Intent.HOLD, 20_000),
        (ParcelState.STORED, Intent.RECALL, 5_000),
        (ParcelState.REFUSED, Intent.HOLD, 5_000),
        (ParcelState.COLLECTING, Intent.HOLD, 5_000),
    ],
)
def test_a_16_nothing_happens_before_its_time(state: ParcelState, intent: Intent, after_ms: int) -> None:
    parcel = replace(NEW, state=state, intent=intent)
    assert next_step(parcel, after_ms - 1) is None
    assert next_step(parcel, after_ms) is not None


def test_a_16_a_sandbox_has_one_shelf_and_it_has_no_name() -> None:
    placed = next_step(replace(NEW, state=ParcelState.RECEIVED), 5_000)
    assert placed == Placed(parcel_id_from_bits(1), Place(kind=PlaceKind.SHELF, name=""))
