"""`bench scan`: how long from the last byte of a scan to the energised coil, and at what price in processor time.

Owns the measurement: the assembled lock process and the floor take turns in random order, one scan each, milliseconds
apart; a round is a fresh pair of processes. Ratios only (performance notes §7). A gate fails only when the median of
the rounds breaks it and the rounds agree with each other; otherwise the run is inconclusive.

Both stand on gpiozero's own mock pins, so that nothing simulated is charged to the product. Processor time is taken per
thread and after both have come to rest: a thread that still runs has not been accounted for by the kernel.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import random
import select
import statistics
import subprocess
import sys
import tempfile
import time
import tty
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from controller.core.model import Now
from controller.journal import Journal
from wire import facts as f
from wire.ids import Label, PlaceKind, Trust, parcel_id_from_bits
from wire.pickup import PickupKey, qr_text
from wire.plan import PlannedParcel, Settings

ROOT: Final = Path(__file__).resolve().parents[1]
COMPARTMENTS: Final = 8
SCANS_A_PARCEL: Final = 10
"""A slip may open its door again within the grace; the bench's plan allows as many as the wire does."""

REST_S: Final = 0.05
"""After this long everything a scan set off has been done, but for the end of the pulse."""

DOOR_S: Final = 0.9
PAUSE_S: Final = 1.7
"""The site rests 1.5 s between two pulses, whatever the bench would like."""

PATH: Final = ("MainThread", "scanner")
"""The threads between a scan and its coil. The others (pulse timer and cap, lamp, door switches) are reported apart:
the floor has nothing that corresponds to them."""

ANSWER_S: Final = 10.0
SPREAD_MAX: Final = 1.5
GATES: Final = {"p50": 1.25, "p99": 1.3, "cpu": 1.6, "beside": None}
"""`beside` has no gate: it is shown so that nobody overlooks it."""

P99_SAMPLES_MIN: Final = 500
KEY: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Sample:
    """One scan, in nanoseconds: wall time to the coil, processor time on the way there and of every other thread."""

    wall_ns: int
    cpu_ns: int
    beside_ns: int


class Contestant:
    """One process that answers a line with one byte. `threads` are its own, by name → native id; none: all of them."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, threads: dict[str, int] | None = None) -> None:
        self.process = process
        self.samples: list[Sample] = []
        self._port = port
        self._names = {number: name for name, number in (threads or {}).items()}

    def scan(self, text: bytes) -> None:
        """Write the line, wait for the byte, and for the rest afterwards."""
        before = self._cpu_ns()
        start = time.perf_counter_ns()
        os.write(self._port, text + b"\r\n")
        self._wait()
        wall_ns = time.perf_counter_ns() - start
        time.sleep(REST_S)
        spent = {number: used - before.get(number, 0) for number, used in self._cpu_ns().items()}
        way = sum(used for number, used in spent.items() if self._names.get(number, PATH[0]) in PATH)
        self.samples.append(Sample(wall_ns, way, sum(spent.values()) - way))

    def move(self, word: str, compartment: int) -> None:
        """Open or close a door."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word} {compartment}\n".encode())

    def _wait(self) -> None:
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], ANSWER_S)[0]:
            raise RuntimeError(f"no coil within {ANSWER_S} s; the result is void")
        os.read(self.process.stdout.fileno(), 1)

    def _cpu_ns(self) -> dict[int, int]:
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return {int(task.parent.name): int(task.read_text().split()[0]) for task in tasks}

    def close(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.wait(ANSWER_S)
        os.close(self._port)


def main(arguments: list[str]) -> int:
    """Measure, print the table and one JSON line; 0 unless a gate is broken for sure."""
    parser = argparse.ArgumentParser(prog="bench scan", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scans", type=int, default=40, help=f"scans a round, at most {COMPARTMENTS * SCANS_A_PARCEL}")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 8 scans: does it work at all?")
    parser.add_argument(
        "--log", type=Path, default=ROOT / ".state" / "bench" / "scan.jsonl", help="results are added here"
    )
    options = parser.parse_args(arguments)
    rounds, scans = (2, 8) if options.quick else (options.rounds, min(options.scans, COMPARTMENTS * SCANS_A_PARCEL))
    results = []
    for number in range(1, rounds + 1):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            results.append(one_round(Path(folder), scans))
        print(f"round {number} of {rounds}: {results[-1]}", file=sys.stderr)
    verdict = judge(results, rounds * scans)
    print_table(verdict)
    line = json.dumps({"bench": "scan", "at": int(time.time()), "scans": rounds * scans, **verdict})
    options.log.parent.mkdir(parents=True, exist_ok=True)
    with options.log.open("a") as log:
        log.write(line + "\n")
    print(line)
    return 1 if any(entry["verdict"] == "broken" for entry in verdict.values()) else 0


def one_round(folder: Path, scans: int) -> dict[str, float]:
    """A fresh pair of processes, `scans` scans each; the ratios."""
    stock(folder)
    site = start_site(folder)
    floor = start_floor(folder)
    try:
        for number in range(scans):
            compartment = number % COMPARTMENTS + 1
            turns = [(site, slip(compartment)), (floor, slip(compartment))]
            random.shuffle(turns)
            for contestant, text in turns:
                contestant.scan(text)
            site.move("open", compartment)
            time.sleep(DOOR_S)
            site.move("close", compartment)
            time.sleep(PAUSE_S - DOOR_S)
    finally:
        site.close()
        floor.close()
    check_counts(folder, scans)
    spent = statistics.median(sample.cpu_ns for sample in floor.samples)
    return {
        "p50": quantile(site, 0.5) / quantile(floor, 0.5),
        "p99": quantile(site, 0.99) / quantile(floor, 0.99),
        "cpu": statistics.median(sample.cpu_ns for sample in site.samples) / spent,
        "beside": statistics.median(sample.beside_ns for sample in site.samples) / spent,
    }


def check_counts(folder: Path, scans: int) -> None:
    """As many ordered openings as scans, or the result is void."""
    journal = Journal(folder / "state" / "journal.db", "bench")
    journal.verify()
    ordered = journal.count_kind("opening_ordered")
    journal.close()
    if ordered != scans:
        raise RuntimeError(f"{scans} scans made {ordered} openings; the result is void")


def quantile(contestant: Contestant, share: float) -> float:
    """The wall time that `share` of the scans did not exceed."""
    times = sorted(sample.wall_ns for sample in contestant.samples)
    return times[min(int(share * len(times)), len(times) - 1)]


def judge(results: list[dict[str, float]], samples: int) -> dict[str, dict[str, Any]]:
    """Median, range and verdict of every ratio."""
    verdict: dict[str, dict[str, Any]] = {}
    for name, gate in GATES.items():
        ratios = [result[name] for result in results]
        median, low, high = statistics.median(ratios), min(ratios), max(ratios)
        if gate is None:
            word = "shown"
        elif median <= gate:
            word = "kept"
        elif high / low > SPREAD_MAX or (name == "p99" and samples < P99_SAMPLES_MIN):
            word = "inconclusive"
        else:
            word = "broken"
        verdict[name] = {
            "ratio": round(median, 2), "min": round(low, 2), "max": round(high, 2), "gate": gate, "verdict": word,
        }  # fmt: skip
    return verdict


def print_table(verdict: dict[str, dict[str, Any]]) -> None:
    """The ratios for a person."""
    print("scan to coil, assembled lock process / one durable INSERT")
    for name, entry in verdict.items():
        span = f"[{entry['min']:.2f}..{entry['max']:.2f}]"
        gate = "" if entry["gate"] is None else f"gate {entry['gate']:.2f}"
        print(f"  {name:6} {entry['ratio']:5.2f} {span:15} {gate:9}  {entry['verdict']}")


def stock(folder: Path) -> None:
    """A journal in which every compartment holds a parcel whose slip may be shown many times."""
    state = folder / "state"
    state.mkdir()
    (folder / "keys").write_text(f"0 {KEY.hex()}\n")
    (folder / "site.toml").write_text(
        f'[site]\nid = "bench"\nnumber = 1\nkeys = "keys"\n[board]\nfile = "{ROOT}/hardware/boards/desk-8.toml"\n'
        '[hardware]\nscanner = "the pty"\n[store]\nstate_dir = "state"\n[panel]\nsocket = "p"\n[log]\nlevel = "error"\n'
    )
    journal = Journal(state / "journal.db", "bench")
    journal.begin()
    now = Now(mono=0, wall_ms=int(time.time() * 1000), trust=Trust.NTP, boot=1)
    settings = Settings(reopens_max=SCANS_A_PARCEL, quick_close_ms=0)
    planned = tuple(PlannedParcel(id=parcel_id_from_bits(n), version=1) for n in range(1, COMPARTMENTS + 1))
    journal.append((f.PlanApplied(incarnation=1, revision=1, hash="", upserted=planned, settings=settings),), now)
    for number, parcel in enumerate(planned, start=1):
        place = f.Place(kind=PlaceKind.COMPARTMENT, name=str(number))
        received = f.ParcelReceived(
            parcel=parcel.id, tracking="", carrier="", source="plan", key_version=1, key_epoch=0, session="", by=""
        )
        reserved = f.CompartmentReserved(compartment=Label(str(number)), parcel=parcel.id, session="")
        journal.append((received, reserved, f.ParcelStored(parcel=parcel.id, place=place, session="", by="")), now)
    journal.close()


def slip(number: int) -> bytes:
    """The QR text of the parcel behind compartment `number`."""
    return qr_text(KEY, PickupKey(1, parcel_id_from_bits(number), 1, 0)).encode()


def start_site(folder: Path) -> Contestant:
    """The assembled lock process behind a pty of its own."""
    process, master = start("bench.site_scan", str(folder / "site.toml"))
    assert process.stdout is not None
    threads = json.loads(process.stdout.readline())
    time.sleep(1)
    return Contestant(process, master, threads)


def start_floor(folder: Path) -> Contestant:
    """The floor behind a pty of its own."""
    process, master = start("bench.floor_scan", str(folder / "floor.db"))
    assert process.stdout is not None
    process.stdout.read(1)
    return Contestant(process, master)


def start(module: str, file: str) -> tuple[subprocess.Popen[bytes], int]:
    """A contestant's process and the end of the pty that the bench writes to."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    process = subprocess.Popen(
        [sys.executable, "-m", module, file, os.ttyname(slave)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT, bufsize=0,
    )  # fmt: skip
    return process, master
