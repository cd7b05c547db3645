"""A long life costs no more than a short one. A slice; a million operations are `./run campaign faults --operations 1000000`."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from controller.core import fold_parcels
from controller.core.events import Button
from controller.core.model import DOOR_EVENTS_MAX
from tests.controller.virtual_site import VirtualSite
from tests.faults.long_life import READINGS, LongLife, Reading, leaks
from wire.ids import Label, Occupancy

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

OPERATIONS = 20_000


REMEMBERED = 200
"""Of the parcels that left: so few that a slice forgets some, as a real site does after its ten thousandth."""


def test_memory_files_threads_and_disk_level_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold_parcels, "ENDED_MAX", REMEMBERED)
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


OPENINGS = 30_000
"""What a latch is built for; at sixty pickups a day a bank needs years for it."""
WARM = 3_000
GROWTH_KB_MAX = 4_096


def test_d_12_thirty_thousand_openings_of_one_door_leave_no_leak_and_no_drift() -> None:
    """In virtual time: each opening is seen, counted once, and forgotten but for the last ten things at the door."""
    site = VirtualSite()
    site.stored()
    site.sign_in()
    sizes: list[tuple[int, int]] = []
    label = Label("1")
    begun = site.state.durable.compartments[label].cycles
    for number in range(1, OPENINGS + 1):
        site.press(Button.CHECK, compartment=label)
        site.open(label)
        site.wait(3_000)
        site.close(label)
        site.press(Button.NOT_EMPTY)
        site.wait(2_000)
        if number % 1_000 == 0:
            site.forget()
            site.recorder.facts.clear()
            site.recorder.stamps.clear()
            site.recorder.causes.clear()
            site.lamp.patterns.clear()
        if number in {WARM, OPENINGS}:
            gc.collect()
            sizes.append((resident_kb(), len(msgspec.json.encode(site.state.durable))))
    compartment = site.state.durable.compartments[label]
    assert compartment.cycles == begun + OPENINGS
    assert len(compartment.events) == DOOR_EVENTS_MAX
    assert site.occupancy("1") is Occupancy.OCCUPIED
    (warm_kb, warm_bytes), (end_kb, end_bytes) = sizes
    assert end_kb - warm_kb <= GROWTH_KB_MAX
    assert end_bytes - warm_bytes < 200, "longer numbers, and nothing else"


def resident_kb() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
