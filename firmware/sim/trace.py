"""The pin trace: every coil and door transition as one JSON line, written before the next instruction runs.

Owns `pins.trace` and the pulses read from it. An append survives `kill -9`; at the next start a coil that was left on
gets the release that a strict_gpiod kernel would have done. Refuses to know doors and parcels.
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
RELEASED_BY_KERNEL: Final = "released by the kernel at process death"


@dataclass(slots=True)
class Pulse:
    """One time a coil was on. `on_ms` is None while it is on, and when the process died in it (its end was not seen)."""

    label: str
    at_ms: int
    start_ns: int
    on_ms: float | None = None
    ended: str = ""


class Trace:
    """Appends transitions and keeps the recent pulses. `write` is one system call and takes no lock."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "pins.trace"
        self.pulses: deque[Pulse] = deque(maxlen=PULSES_MAX)
        self.pulse_count = self.line_count = 0
        self.longest_on_ms = 0.0
        self._on: dict[str, Pulse] = {}
        self._last_ns = 0
        if self.path.exists():
            self._read()
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        for label in tuple(self._on):
            self.write(label, "coil", on=False, level=None, why=RELEASED_BY_KERNEL, moment_ns=self._last_ns)

    @property
    def coils_on(self) -> tuple[str, ...]:
        """Labels of the coils energised now."""
        return tuple(self._on)

    def write(self, label: str, kind: str, *, on: bool, level: bool | None, why: str, moment_ns: int) -> None:
        """Append one transition: `on` is a coil energised or a door's switch reading open."""
        line = {
            "mono_ns": moment_ns,
            "wall_ms": time.time_ns() // 1_000_000,
            "label": label,
            "kind": kind,
            "on": on,
            "level": None if level is None else int(level),
            "why": why,
        }
        os.write(self._file, json.dumps(line).encode() + b"\n")
        self._count(line)

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

    def _read(self) -> None:
        with self.path.open("rb") as lines:
            for raw in lines:
                try:
                    line = json.loads(raw)
                except ValueError:
                    continue  # A line cut short by a full disk or a killed write.
                self._count(line)
        if self.path.stat().st_size > TRACE_BYTES_MAX:
            self.path.replace(self.path.with_suffix(".trace.old"))

    def _count(self, line: dict[str, Any]) -> None:
        self.line_count += 1
        self._last_ns = line["mono_ns"]
        if line["kind"] != "coil":
            return
        label = line["label"]
        if line["on"] and label not in self._on:
            pulse = Pulse(label, line["wall_ms"], line["mono_ns"])
            self._on[label] = pulse
            self.pulses.append(pulse)
            self.pulse_count += 1
        elif not line["on"] and label in self._on:
            pulse = self._on.pop(label)
            pulse.ended = line["why"]
            if line["why"] != RELEASED_BY_KERNEL:
                pulse.on_ms = (line["mono_ns"] - pulse.start_ns) / 1_000_000
                self.longest_on_ms = max(self.longest_on_ms, pulse.on_ms)
