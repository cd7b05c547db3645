"""A site's forecast from its own parcels, on both databases (A-15)."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from hub.__main__ import main
from hub.core.hours import Hold
from hub.rhythm.services import Rhythm, SiteRhythm
from hub.settings import Notify
from hub.store.schema import PARCEL
from tests.hub.hub_bench import DAY_MS, Bench
from tests.hub.hub_month import bank, cards, fill
from tests.hub.hub_process import write_settings
from tests.hub.hub_site import Journal, life
from wire.facts import OpeningFailed, OpeningOrdered, ParcelStored, Place
from wire.ids import (
    Label,
    Occupancy,
    PlaceKind,
    Purpose,
    SizeClass,
    parcel_id_from_bits,
)


def told(bench: Bench, site: str = "gambetta", *, hold_days: int = 7) -> SiteRhythm:
    row = bench.reads.site(site)
    assert row is not None
    return Rhythm(bench.store, Notify(hold=Hold(hold_days))).site(row, bench.now_ms)


def test_a_15_a_site_expects_what_its_own_days_were_like(bench: Bench) -> None:
    fill(bench.store, bench.now_ms, 70)
    rhythm = told(bench)
    assert [size.size for size in rhythm.sizes] == ["all", "M", ""]
    everything, medium, _ = rhythm.sizes
    today = date.fromtimestamp(bench.now_ms / 1000)  # noqa: DTZ012 the day where the hub stands
    assert list(rhythm.days) == [today + timedelta(days=ahead) for ahead in range(7)]
    assert all(4 < guess < 8 for guess in everything.expected)
    assert all(2 < guess < 4 for guess in medium.expected)
    assert everything.errors is not None
    assert 0 < everything.errors.ours < 2, "yesterday, without a parcel, was not expected"
    assert rhythm.stayed is not None
    assert (rhythm.stayed.middle, rhythm.stayed.most) == (7_200_000, 7_200_000)
    assert set(rhythm.peaks[:-2]) == {6}
    assert rhythm.peaks[-1] == 0
    assert told(bench, "belleville").sizes[0].expected == []


def test_a_15_a_young_site_promises_nothing(bench: Bench) -> None:
    fill(bench.store, bench.now_ms, 20)
    everything = told(bench).sizes[0]
    assert (everything.expected, everything.errors, everything.shortage) == ([], None, None)


def test_a_15_a_size_that_runs_short_is_said_with_its_day_and_what_lies_too_long(bench: Bench) -> None:
    fill(bench.store, bench.now_ms, 70)
    bench.hear(cards(SizeClass.M, SizeClass.M, SizeClass.L), bank(bench.now_ms, Occupancy.FREE, 3))
    everything, medium, large, _ = told(bench).sizes
    assert (medium.free, medium.total, large.free, everything.free) == (2, 2, 1, 3)
    assert medium.shortage is not None
    assert (medium.shortage.day, medium.shortage.missing) == (0, 1)
    assert large.shortage is None
    with bench.store.writing() as connection:
        old = {"site": 1, "state": "stored", "source": "plan", "size": "M", "created_ms": 1, "changed_ms": 1}
        connection.execute(
            insert(PARCEL).values(id=parcel_id_from_bits(9_999), stored_ms=bench.now_ms - 8 * DAY_MS, **old)
        )
    assert [size.overdue for size in told(bench).sizes] == [1, 1, 0, 0]
    assert [told(bench, hold_days=days).sizes[0].overdue for days in (1, 8, 9, 0)] == [1, 0, 0, 0]


def test_a_15_the_size_is_that_of_the_door_and_who_found_none_is_counted(bench: Bench) -> None:
    bench.hear(cards(SizeClass.L))
    parcel, other = (bench.announce(site="gambetta", tracking=f"8N0023458410{n}", size=SizeClass.M) for n in (1, 2))
    journal = Journal("gambetta", at_ms=bench.now_ms - DAY_MS)
    journal.write(*life(parcel, label="1", ends=False))
    shelf = Place(kind=PlaceKind.SHELF, name="A")
    received = life(other, label="1", ends=False)[0]
    journal.write(received, ParcelStored(parcel=other, place=shelf, session="1.3", by="p1", no_door=True))
    bench.hear(journal.batch(1, journal.last))
    rhythm = told(bench)
    assert rhythm.stored == {"L": 1, "M": 1}
    assert rhythm.no_door == {"M": 1}


def test_a_15_a_door_that_takes_several_pulses_is_to_be_looked_at(bench: Bench) -> None:
    journal = Journal("gambetta", at_ms=bench.now_ms - DAY_MS)
    for session in range(12):
        journal.write(opened(str(session), "1", 1))
        if session < 2:
            journal.write(opened(str(session), "1", 2))
    journal.write(*(opened(str(session), "2", 1) for session in range(20, 32)))
    journal.write(opened("40", "3", 1), opened("40", "3", 2), opened("40", "3", 3))
    journal.write(
        OpeningFailed(session="40", compartment=Label("3"), purpose=Purpose.COLLECT, reason="not_seen_open", pulses=3)
    )
    for first in range(1, journal.last + 1, 10):
        bench.hear(journal.batch(first, min(first + 9, journal.last)))
        bench.now_ms += 40 * DAY_MS if first == 1 else 1_000
    doors = told(bench).doors
    assert [(door.label, door.openings, door.again, door.failed, door.pulses, door.is_hard) for door in doors] == [
        ("3", 1, 1, 1, 3, True), ("2", 12, 0, 0, 12, False), ("1", 4, 0, 0, 4, False),
    ]  # fmt: skip
    bench.now_ms += 40 * DAY_MS
    assert told(bench).doors == []


def opened(session: str, label: str, pulse: int) -> OpeningOrdered:
    return OpeningOrdered(session=session, compartment=Label(label), purpose=Purpose.COLLECT, pulse=pulse)


def test_a_15_the_command_prints_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(write_settings(tmp_path))
    assert main(["--config", file, "site", "add", "gambetta", "--name", "Gambetta"]) == 0
    capsys.readouterr()
    assert main(["--config", file, "rhythm", "gambetta"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["site"], printed["doors"], printed["calm_hours"], len(printed["peaks"])) == ("gambetta", [], [], 31)
    assert main(["--config", file, "rhythm", "nowhere"]) == 2
