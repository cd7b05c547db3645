"""A site with a past of so many days, and the words of its bank. Knows no page."""

from __future__ import annotations

from sqlalchemy import insert

from hub.store.engine import Store
from hub.store.schema import PARCEL
from tests.hub.hub_bench import DAY_MS
from wire.ids import Door, Label, Occupancy, ReachZone, Service, SizeClass, Trust, parcel_id_from_bits
from wire.messages import Birth, CompartmentCard, CompartmentState, SiteState


def fill(store: Store, now_ms: int, days: int) -> None:
    """Six a day, three of them M, stored at the same time each day and collected two hours later; none on the last day."""
    rows = [
        {
            "id": parcel_id_from_bits(day * 10 + number), "site": 1, "state": "collected", "source": "plan",
            "size": "M" if number % 2 else None, "created_ms": at_ms, "stored_ms": at_ms, "ended_ms": at_ms + 7_200_000,
            "changed_ms": at_ms,
        }
        for day in range(2, days)
        for number in range(6)
        for at_ms in [now_ms - day * DAY_MS]
    ]  # fmt: skip
    with store.writing() as connection:
        connection.execute(insert(PARCEL), rows)


def cards(*sizes: SizeClass) -> Birth:
    compartments = tuple(
        CompartmentCard(label=Label(str(at)), size=size, reach=ReachZone.MID, height_mm=900, row=0, column=at)
        for at, size in enumerate(sizes, 1)
    )
    return Birth(site="gambetta", boot=1, journal="journal-one", version="1", board="b", compartments=compartments)


def bank(now_ms: int, occupancy: Occupancy, doors: int) -> SiteState:
    compartments = tuple(
        CompartmentState(
            label=Label(str(at)), occupancy=occupancy, service=Service.IN_SERVICE, door=Door.CLOSED, parcel=None
        )
        for at in range(1, doors + 1)
    )
    return SiteState(site="gambetta", boot=1, seq=0, at_ms=now_ms, trust=Trust.NTP, compartments=compartments)
