"""One lock process's core, runner and real journal living years in minutes, and what that costs: memory, files, threads, disk.

Owns the long life and the readings along it. Refuses to know journeys: each life of a parcel is the same, only they are many.
Time is virtual, the file is real; the hub acknowledges everything, so that old facts may be forgotten.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from controller.core import events as e
from controller.core.evolve import evolve, rebase
from controller.core.model import ENDED_MAX, Durable, Ended, Live, Now, State, fresh
from controller.journal import Journal
from controller.runner import Runner
from tests.controller.virtual_site import WALL_MS, Recorder, Screens, VirtualSite
from wire import facts as f
from wire.ids import ParcelId, ParcelState, PlaceKind, Trust, parcel_id_from_bits

OPERATIONS_A_LIFE: Final = 9
"""Announce, badge, label, open, close, done, slip, open, close."""

PAUSE_MS: Final = 12 * 3_600_000
"""Between two lives: the retention of ninety days is over after 180 of them."""

HAND_MS: Final = 3_000
QUIET_LOOKS: Final = 2
"""So often the site finds time to tidy up between two lives."""

QUIET_MS: Final = 31_000
READINGS: Final = 40
BITS: Final = 1 << 40
SLACK: Final = {"resident_kb": 1_024, "files": 0, "threads": 0, "disk_kb": 512, "memory_bytes": 16_384}
"""What may differ between two stretches of a life that does not leak: an allocator's pages, a snapshot more or less."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the process holds after so many operations."""

    operations: int
    resident_kb: int
    files: int
    threads: int
    disk_kb: int
    memory_bytes: int
    """Size of the site's whole durable memory, written out."""


def leaks(readings: Sequence[Reading]) -> list[str]:
    """What grew from the middle to the end: each figure's highest in the last quarter against that of the second."""
    quarter = len(readings) // 4
    early, late = readings[quarter : 2 * quarter], readings[3 * quarter :]
    grown = {name: max(getattr(one, name) for one in late) - max(getattr(one, name) for one in early) for name in SLACK}
    return [f"{name} grew by {by} and may by {SLACK[name]}" for name, by in grown.items() if by > SLACK[name]]


class _Ports(Recorder):
    """The recorder's latches with the journal of a real site behind them; it remembers nothing itself."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self.journal = journal
        self.pulsed = ""

    @property
    def last_seq(self) -> int:
        return self.journal.last_seq

    def append(self, facts: tuple[f.AnyFact, ...], now: Now) -> None:
        self.journal.append(facts, now)

    def set_acked(self, seq: int, *, rewind: bool) -> None:
        self.journal.set_acked(seq, rewind=rewind)
        self.acked = self.journal.acked

    def must_tend(self) -> bool:
        return self.journal.must_tend()

    def tend(self, durable: Durable, now: Now) -> None:
        self.journal.tend(durable, now)

    def pulse(self, label: str) -> None:
        self.pulsed = label


class LongLife(VirtualSite):
    """A site that lives one parcel after the other, and the readings of it."""

    def __init__(self, folder: Path, remembered: int = ENDED_MAX) -> None:
        """`remembered`: parcels that left and are still known; the bound of the site, or what a test set it to."""
        self._folder = folder
        self._remembered = remembered
        self._ports = _Ports(Journal(folder / "journal.db", "gennevilliers"))
        self.journal = self._ports.journal
        self.journal.begin()
        self.operations = 0
        self.lives = 0
        super().__init__()

    def _start(self, durable: Durable, *, clean: bool) -> Runner:
        self.recorder = self._ports
        durable = self.journal.recover(fresh(self.setup), evolve)
        # A site remembers so many parcels that left, and no more: this one remembers as many from the first day on.
        ended = {id_: _gone(id_) for id_ in map(parcel_id_from_bits, range(BITS, BITS + self._remembered))}
        durable = replace(durable, ended=ended)
        runner = Runner(
            state=State(self.setup, rebase(durable, self.clock.now()), Live()),
            clock=self.clock,
            journal=self.recorder,
            latches=self.recorder,
            signals=self.lamp,
            uplink=self.hub,
            panel=Screens(),
            watchdog=self.hub,
        )
        runner.feed(e.Booted(dict(self.doors), clean))
        return runner

    def live(self, operations: int) -> list[Reading]:
        """So many operations, and readings at equal distances, after the first stretch."""
        readings = []
        step = max(operations // READINGS, OPERATIONS_A_LIFE)
        while self.operations < operations:
            until = self.operations + step
            while self.operations < until:
                self._one_life()
            readings.append(self._read())
        return readings

    def end(self) -> None:
        """Say goodbye."""
        self.journal.close(durable=self.state.durable, now=self.clock.now())

    def _one_life(self) -> None:
        self.lives += 1
        tracking = f"8N{self.lives:011d}"
        parcel = self.announce(self.lives * 7919 % BITS + 1, tracking)
        self.sign_in()
        self.scan(tracking)
        self._door()
        self.press(e.Button.SIGN_OUT)
        self.wait(HAND_MS)
        self.scan(self.slip(parcel))
        self._door()
        self.wait(self.settings.dispute_ms + HAND_MS)
        del self.planned[parcel]
        self.ack(1, self.journal.last_seq)
        self.lamp.patterns.clear()
        self.hub.replies.clear()
        for _ in range(QUIET_LOOKS):
            self.wait(QUIET_MS)
        self.wait(PAUSE_MS)
        self.operations += OPERATIONS_A_LIFE

    def _door(self) -> None:
        """The door that was pulsed opens, hands do what they do, it is closed."""
        label = self._ports.pulsed
        self.open(label)
        self.wait(HAND_MS)
        self.close(label)
        self.wait(HAND_MS)

    def _read(self) -> Reading:
        gc.collect()
        status = Path("/proc/self/status").read_text(encoding="ascii")
        resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        return Reading(
            operations=self.operations,
            resident_kb=resident,
            files=sum(1 for _ in Path("/proc/self/fd").iterdir()),
            threads=threading.active_count(),
            disk_kb=sum(path.stat().st_size for path in self._folder.iterdir()) // 1024,
            memory_bytes=len(msgspec.json.encode(self.state.durable)),
        )


def _gone(known: ParcelId) -> Ended:
    """A parcel that left long ago."""
    place = f.Place(kind=PlaceKind.COMPARTMENT, name="1")
    return Ended(
        id=known,
        version=1,
        state=ParcelState.COLLECTED,
        tracking="8N00000000000",
        place=place,
        at_ms=WALL_MS,
        trust=Trust.NTP,
    )
