"""A long life costs no more than a short one. A slice; a million operations are `./run campaign faults --operations 1000000`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from controller.core import evolve
from tests.faults.long_life import READINGS, LongLife, Reading, leaks

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

OPERATIONS = 20_000


REMEMBERED = 200
"""Of the parcels that left: so few that a slice forgets some, as a real site does after its ten thousandth."""


def test_memory_files_threads_and_disk_level_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evolve, "ENDED_MAX", REMEMBERED)
    site = LongLife(tmp_path, remembered=REMEMBERED)
    readings = site.live(OPERATIONS)
    assert readings[-1].operations >= OPERATIONS
    assert leaks(readings) == []
    assert site.journal.verify() < OPERATIONS, "old facts are forgotten"
    site.end()


@pytest.mark.parametrize("name", ["resident_kb", "files", "threads", "disk_kb", "memory_bytes"])
def test_what_grows_is_seen(name: str) -> None:
    steady = [Reading(number, 30_000, 9, 1, 6_000, 500_000) for number in range(READINGS)]
    assert leaks(steady) == []
    growing = [replace(one, **{name: getattr(one, name) + number * 1_000}) for number, one in enumerate(steady)]
    assert len(leaks(growing)) == 1
