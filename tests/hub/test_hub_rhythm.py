"""A site's forecast from its own parcels, on both databases (A-15)."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from hub.__main__ import main
from hub.core.parcels import Refused
from hub.rhythm.commands import rhythm_of
from hub.store.schema import PARCEL
from tests.hub.hub_bench import DAY_MS, Bench
from tests.hub.hub_process import write_settings
from wire.ids import parcel_id_from_bits


def fill(bench: Bench, days: int) -> None:
    """Six a day, three of them M, stored at the same time each day and collected two hours later; none on the last day."""
    rows = [
        {
            "id": parcel_id_from_bits(day * 10 + number), "site": 1, "state": "collected", "source": "plan",
            "size": "M" if number % 2 else None, "created_ms": at_ms, "stored_ms": at_ms, "ended_ms": at_ms + 7_200_000,
            "changed_ms": at_ms,
        }
        for day in range(2, days)
        for number in range(6)
        for at_ms in [bench.now_ms - day * DAY_MS]
    ]  # fmt: skip
    with bench.store.writing() as connection:
        connection.execute(insert(PARCEL), rows)


def test_a_15_a_site_expects_what_its_own_days_were_like(bench: Bench) -> None:
    fill(bench, 70)
    told = rhythm_of(bench.store, "gambetta", bench.now_ms)
    assert set(told["sizes"]) == {"all", "", "M"}
    everything, medium = told["sizes"]["all"], told["sizes"]["M"]
    today = date.fromtimestamp(bench.now_ms / 1000)  # noqa: DTZ012 the day where the hub stands
    assert list(everything["expected"]) == [(today + timedelta(days=ahead)).isoformat() for ahead in range(7)]
    assert all(4 < guess < 8 for guess in everything["expected"].values())
    assert all(2 < guess < 4 for guess in medium["expected"].values())
    assert 0 < everything["wrong_by"] < 2, "yesterday, without a parcel, was not expected"
    assert rhythm_of(bench.store, "belleville", bench.now_ms)["sizes"] == {}
    with pytest.raises(Refused, match="no site nowhere"):
        rhythm_of(bench.store, "nowhere", bench.now_ms)


def test_a_15_a_young_site_promises_nothing(bench: Bench) -> None:
    fill(bench, 20)
    assert rhythm_of(bench.store, "gambetta", bench.now_ms)["sizes"]["all"] == {
        "expected": {}, "wrong_by": None, "last_week_wrong_by": None,
    }  # fmt: skip


def test_a_15_the_command_prints_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(write_settings(tmp_path))
    assert main(["--config", file, "site", "add", "gambetta", "--name", "Gambetta"]) == 0
    capsys.readouterr()
    assert main(["--config", file, "rhythm", "gambetta"]) == 0
    assert json.loads(capsys.readouterr().out) == {"site": "gambetta", "sizes": {}, "calm_hours": []}
    assert main(["--config", file, "rhythm", "nowhere"]) == 2
