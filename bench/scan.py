"""`bench scan`: how long from the last byte of a scan to the energised coil, and at what price in processor time.

Owns the measurement: the assembled lock process and the floor take turns in random order, one scan each, milliseconds
apart; a round is a fresh pair of processes. Ratios only (performance notes §7). A gate fails only when the median of
the rounds breaks it and the rounds agree with each other; otherwise the run is inconclusive.
"""

from __future__ import annotations

import argparse
import http.client
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

DOOR_S: Final = 0.9
PAUSE_S: Final = 1.7
"""The site rests 1.5 s between two pulses, whatever the bench would like."""

ANSWER_S: Final = 10.0
SPREAD_MAX: Final = 1.5
GATES: Final = {"p50": 1.25, "p99": 1.3, "cpu": 1.6}
P99_SAMPLES_MIN: Final = 500
KEY: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Sample:
    """One scan: wall time to the coil and processor time of the whole process, in nanoseconds."""

    wall_ns: int
    cpu_ns: int


class Contestant:
    """One process that answers a line with one byte."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self._port = port
        self.samples: list[Sample] = []

    def scan(self, text: bytes) -> None:
        """Write the line and wait for the byte."""
        cpu_ns = self._cpu_ns()
        start = time.perf_counter_ns()
        os.write(self._port, text + b"\r\n")
        self._wait()
        wall_ns = time.perf_counter_ns() - start
        self.samples.append(Sample(wall_ns, self._cpu_ns() - cpu_ns))

    def _wait(self) -> None:
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], ANSWER_S)[0]:
            raise RuntimeError(f"no coil within {ANSWER_S} s; the result is void")
        os.read(self.process.stdout.fileno(), 1)

    def _cpu_ns(self) -> int:
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks)

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
    site, sim_port = start_site(folder)
    floor = start_floor(folder)
    try:
        for number in range(scans):
            compartment = number % COMPARTMENTS + 1
            turns = [(site, slip(compartment)), (floor, slip(compartment))]
            random.shuffle(turns)
            for contestant, text in turns:
                contestant.scan(text)
            time.sleep(DOOR_S)
            close_door(sim_port, compartment)
            time.sleep(PAUSE_S - DOOR_S)
    finally:
        site.close()
        floor.close()
    check_counts(folder, scans)
    return {
        "p50": quantile(site, 0.5) / quantile(floor, 0.5),
        "p99": quantile(site, 0.99) / quantile(floor, 0.99),
        "cpu": sum(sample.cpu_ns for sample in site.samples) / sum(sample.cpu_ns for sample in floor.samples),
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
        if median <= gate:
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
        print(f"  {name:4} {entry['ratio']:5.2f} {span:15} gate {entry['gate']:.2f}  {entry['verdict']}")


def stock(folder: Path) -> None:
    """A journal in which every compartment holds a parcel whose slip may be shown many times."""
    state = folder / "state"
    state.mkdir()
    (folder / "keys").write_text(f"0 {KEY.hex()}\n")
    (folder / "site.toml").write_text(
        f'[site]\nid = "bench"\nnumber = 1\nkeys = "keys"\n[board]\nfile = "{ROOT}/hardware/boards/desk-8.toml"\n'
        '[hardware]\nsimulate = true\n[store]\nstate_dir = "state"\n[panel]\nsocket = "p"\n[log]\nlevel = "error"\n'
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


def start_site(folder: Path) -> tuple[Contestant, int]:
    """The assembled lock process and the port of its simulated world."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.site_scan", str(folder / "site.toml")],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        bufsize=0,
    )
    assert process.stdout is not None
    path, _, port = process.stdout.readline().decode().strip().rpartition(" ")
    time.sleep(1)
    return Contestant(process, os.open(path, os.O_RDWR | os.O_NOCTTY)), int(port)


def start_floor(folder: Path) -> Contestant:
    """The floor behind a pty of its own."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.floor_scan", os.ttyname(slave), str(folder / "floor.db")],
        stdout=subprocess.PIPE, cwd=ROOT, bufsize=0,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.read(1)
    return Contestant(process, master)


def close_door(port: int, compartment: int) -> None:
    """What a customer does."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("POST", f"/sim/doors/{compartment}", '"close"')
    connection.getresponse().read()
    connection.close()
