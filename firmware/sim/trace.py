"""The pin trace: what the simulated pins did, one JSON line each, written before the next instruction runs.

Owns `pins.trace`: who (process), which line, which level, when; and what doors and hands did. An append survives `kill -9`.
Refuses to write what no pin did: what a coil did after its process died is worked out by `coils`, from the board and the
time of death, and never from a line in here.
"""

from __future__ import annotations

import json
import os
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

TRACE_BYTES_MAX: Final = 16 * 1024 * 1024
"""A longer trace is set aside at the next start (about 100,000 transitions; one older file is kept)."""

PULSES_MAX: Final = 500
ENDED_BY_DEATH: Final = "its process died in it"
SUPPLY: Final = "supply"
"""The name under which the master enable's toggles are written."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the trace. `run` names one life of one process; `level` is the line's, None for doors and hands.

    Kinds: `coil` (a latch's line), `beat` (the master enable's toggle), `door` (`on` is open), `hand` (`on` is put in;
    `why` is the parcel's name).
    """

    run: str
    pid: int
    mono_ns: int
    wall_ms: int
    label: str
    kind: str
    on: bool
    level: int | None
    why: str


@dataclass(slots=True)
class Pulse:
    """One time a coil's line was active. `on_ms` is None while it is, and when the process died in it."""

    label: str
    at_ms: int
    start_ns: int
    on_ms: float | None = None
    ended: str = ""


def trace_file(folder: Path) -> Path:
    """Where the trace of the site in `folder` is."""
    return folder / "pins.trace"


def read_trace(folder: Path) -> list[Line]:
    """Every line of the site in `folder`, the file that was set aside first. A line cut short by a full disk is left out."""
    current = trace_file(folder)
    return [line for path in (_older(current), current) if path.exists() for line in _lines(path)]


class Trace:
    """Appends transitions and keeps the recent pulses. `write` is one system call and takes no lock."""

    def __init__(self, folder: Path) -> None:
        self.path = trace_file(folder)
        self.pid = os.getpid()
        self.run = f"{self.pid}-{time.monotonic_ns()}"
        self.pulses: deque[Pulse] = deque(maxlen=PULSES_MAX)
        self.pulse_count = self.line_count = self.put_count = self.taken_count = 0
        self.longest_on_ms = 0.0
        self._on: dict[str, Pulse] = {}
        self._beat = b""
        self._run_read = ""
        for line in read_trace(folder):
            self._count(line)
        self._forget_the_dead()
        if self.path.exists() and self.path.stat().st_size > TRACE_BYTES_MAX:
            self.path.replace(_older(self.path))
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    @property
    def coils_on(self) -> tuple[str, ...]:
        """Labels of the coils whose line this process drives to its active level now."""
        return tuple(self._on)

    def write(self, label: str, kind: str, *, on: bool, level: bool | None, why: str, moment_ns: int) -> None:
        """Append one transition. Moments are nanoseconds of the monotonic clock, which all processes share."""
        line = self._line(label, kind, on, level, why, moment_ns)
        # The last toggle of the supply goes with the coil it feeds; toggles without a coil are of no interest.
        before, self._beat = (self._beat, b"") if kind == "coil" and on else (b"", self._beat)
        os.write(self._file, before + _encoded(line))
        self._count(line)

    def beat(self, *, level: bool, moment_ns: int) -> None:
        """The master enable toggled: written while a coil is on, remembered otherwise."""
        line = _encoded(self._line(SUPPLY, "beat", level, level, "driven", moment_ns))
        if self._on:
            os.write(self._file, line)
        else:
            self._beat = line

    def summary(self) -> dict[str, Any]:
        """Figures for `GET /sim`."""
        return {
            "path": str(self.path),
            "lines": self.line_count,
            "pulses": self.pulse_count,
            "longest_on_ms": round(self.longest_on_ms, 1),
            "coils_on": list(self.coils_on),
        }

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _line(self, label: str, kind: str, on: bool, level: bool | None, why: str, moment_ns: int) -> Line:  # noqa: FBT001
        shown = None if level is None else int(level)
        return Line(self.run, self.pid, moment_ns, time.time_ns() // 1_000_000, label, kind, on, shown, why)

    def _forget_the_dead(self) -> None:
        """A pulse whose process died has no end that this file knows."""
        for pulse in self._on.values():
            pulse.ended = ENDED_BY_DEATH
        self._on.clear()

    def _count(self, line: Line) -> None:
        self.line_count += 1
        if line.kind == "hand":
            self.put_count += line.on
            self.taken_count += not line.on
        if line.kind != "coil":
            return
        if line.run != self._run_read:
            self._run_read = line.run
            self._forget_the_dead()
        if line.on and line.label not in self._on:
            pulse = Pulse(line.label, line.wall_ms, line.mono_ns)
            self._on[line.label] = pulse
            self.pulses.append(pulse)
            self.pulse_count += 1
        elif not line.on and line.label in self._on:
            pulse = self._on.pop(line.label)
            pulse.ended = line.why
            pulse.on_ms = (line.mono_ns - pulse.start_ns) / 1_000_000
            self.longest_on_ms = max(self.longest_on_ms, pulse.on_ms)


def _older(path: Path) -> Path:
    return path.with_suffix(".trace.old")


def _encoded(line: Line) -> bytes:
    fields = {name: getattr(line, name) for name in Line.__slots__}
    return json.dumps(fields).encode() + b"\n"


def _lines(path: Path) -> list[Line]:
    found = []
    for raw in path.read_bytes().splitlines():
        try:
            found.append(Line(**json.loads(raw)))
        except (ValueError, TypeError):
            continue
    return found
