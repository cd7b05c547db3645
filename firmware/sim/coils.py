"""What the coils really did: worked out from the pin trace, the board file, and when which process died.

Owns the answer to invariant I-8 for every coil on a pin of the Pi (a relay board keeps its own time): at most one coil of a site has current, none for longer than a second, and none stays on
when its process dies. Refuses to believe the simulated world or the program under test: the trace says levels only, the
board says what a level does, and the time of death comes from whoever killed (hardware notes F1 to F5).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from firmware.board import ACTIVE_LOW_PINS, Board, OutputPin
from firmware.pins import ReleasePolicy
from firmware.sim.trace import Line

ON_MS_MAX: Final = 1_000.0
"""Longest time a coil may have current (I-8)."""

SUPPLY_FORGETS_NS: Final = 500_000_000
"""The master enable drops the coils' supply this long after its last toggle (hardware/README.md)."""

_PULLED_UP: Final = frozenset(range(min(ACTIVE_LOW_PINS))) | ACTIVE_LOW_PINS
"""GPIO 0 to 8 have a weak pull-up when nobody claims them, the others a pull-down (hardware notes, boot-time pin states)."""


@dataclass(frozen=True, slots=True)
class Death:
    """A process that was seen dead; `mono_ns` is not before its end."""

    pid: int
    mono_ns: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which a coil had current without a break."""

    label: str
    start_ns: int
    end_ns: int

    @property
    def on_ms(self) -> float:
        """How long."""
        return (self.end_ns - self.start_ns) / 1_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """What the trace proves. `faults` say in words what must not be; none means that I-8 held up to `now`."""

    stretches: tuple[Stretch, ...]
    left_on: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def longest_ms(self) -> float:
        """The longest time a coil had current; 0 when none had."""
        return max((stretch.on_ms for stretch in self.stretches), default=0.0)


@dataclass(frozen=True, slots=True)
class _Step:
    moment_ns: int
    active: bool


@dataclass(frozen=True, slots=True)
class _Life:
    """One process's lines; `end_ns` is its death, None while it lives."""

    lines: tuple[Line, ...]
    end_ns: int | None


def examine(
    lines: Sequence[Line],
    board: Board,
    deaths: Iterable[Death] = (),
    *,
    now_ns: int,
    policy: ReleasePolicy = ReleasePolicy.RELEASED,
) -> Finding:
    """What every coil of `board` did up to `now_ns`.

    `policy` is what the kernel does with the lines of a dead process: RELEASED lets them fall to their pull (mainline, and
    strict_gpiod on a Pi); anything else keeps them driven until the next process claims them. A process that was
    followed by another without a `Death` is taken to have lived until then.
    """
    lives = _lives(lines, tuple(deaths))
    beats = sorted(line.mono_ns for line in lines if line.kind == "beat") if board.signals.master_enable else None
    stretches: list[Stretch] = []
    left_on: list[str] = []
    faults: list[str] = []
    for item, latch in board.pin_latches():
        if lives and _pull_energises(latch):
            faults.append(
                f"compartment {item.label}: the pull of GPIO {latch.pin} energises its coil while nobody drives it"
            )
        steps = _steps(item.label, latch, lives, policy)
        found = [part for begin, end in _active(steps, now_ns) for part in _supplied(item.label, begin, end, beats)]
        stretches += found
        if steps and steps[-1].active and found and found[-1].end_ns == now_ns:
            left_on.append(item.label)
    stretches.sort(key=lambda stretch: stretch.start_ns)
    faults += [f"compartment {label}: its coil is on at the end" for label in left_on]
    faults += [
        f"compartment {one.label}: its coil was on for {one.on_ms:.0f} ms" for one in stretches if one.on_ms > ON_MS_MAX
    ]
    faults += _overlaps(stretches)
    return Finding(tuple(stretches), tuple(left_on), tuple(faults))


def _lives(lines: Sequence[Line], deaths: Sequence[Death]) -> list[_Life]:
    """The processes in the order of their first line, each with its end."""
    runs: dict[str, list[Line]] = {}
    for line in lines:
        runs.setdefault(line.run, []).append(line)
    lives = []
    for own in runs.values():
        last = max(line.mono_ns for line in own)
        ends = [death.mono_ns for death in deaths if death.pid == own[0].pid and death.mono_ns >= last]
        lives.append(_Life(tuple(own), min(ends, default=None)))
    return lives


def _steps(label: str, latch: OutputPin, lives: Sequence[_Life], policy: ReleasePolicy) -> list[_Step]:
    """When the level of one latch's line became active or resting, deaths included."""
    steps: list[_Step] = []
    for life in lives:
        own = [line for line in life.lines if line.kind == "coil" and line.label == label]
        steps += [_Step(line.mono_ns, bool(line.level) == latch.active_high) for line in own]
        if life.end_ns is not None and policy is ReleasePolicy.RELEASED:
            steps.append(_Step(life.end_ns, _pull_energises(latch)))
    return sorted(steps, key=lambda step: step.moment_ns)


def _active(steps: Sequence[_Step], now_ns: int) -> list[tuple[int, int]]:
    """The times in which the line was active; several steps to the same level are one."""
    found: list[tuple[int, int]] = []
    since: int | None = None
    for step in steps:
        if step.active and since is None:
            since = step.moment_ns
        elif not step.active and since is not None:
            found.append((since, step.moment_ns))
            since = None
    if since is not None:
        found.append((since, max(now_ns, since)))
    return found


def _supplied(label: str, begin: int, end: int, beats: Sequence[int] | None) -> list[Stretch]:
    """The part of an active time in which the coils' supply was there; all of it on a board without a master enable."""
    if beats is None:
        return [Stretch(label, begin, end)]
    # The supply is taken to be there when the line becomes active, whatever the toggles before: the unkind reading.
    parts: list[Stretch] = []
    for beat in (begin, *(beat for beat in beats if begin < beat < end)):
        until = min(beat + SUPPLY_FORGETS_NS, end)
        if parts and beat <= parts[-1].end_ns:
            parts[-1] = Stretch(label, parts[-1].start_ns, until)
        else:
            parts.append(Stretch(label, beat, until))
    return parts


def _overlaps(stretches: Sequence[Stretch]) -> list[str]:
    """Coils that had current at the same time; `stretches` in the order of their start."""
    faults = []
    running: Stretch | None = None
    for before, stretch in pairwise(stretches):
        running = before if running is None or before.end_ns > running.end_ns else running
        if stretch.start_ns < running.end_ns:
            faults.append(f"compartments {running.label} and {stretch.label}: their coils were on at the same time")
    return faults


def _pull_energises(latch: OutputPin) -> bool:
    return (latch.pin in _PULLED_UP) == latch.active_high
