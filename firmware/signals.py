"""Lamp and buzzer: plays short patterns, so that nobody has to read a word.

Owns the patterns. Refuses to know what they are about. A broken lamp is reported once and never stops a pickup.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Condition, Event
from typing import Final

from firmware.board import Board
from firmware.latches import OutputPins
from firmware.pins import Output, PinError

CHECK_S: Final = 1.0
"""How often a resting player looks whether it should stop."""


class Signal(StrEnum):
    """What the lamp and the buzzer can say."""

    OK = "ok"
    REFUSED = "refused"
    ATTENTION = "attention"
    ALARM = "alarm"
    TICKING = "ticking"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Step:
    """One moment of a pattern: what is on, and for how long."""

    ms: int
    lamp_ok: bool = False
    lamp_attention: bool = False
    buzzer: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """Steps played `times` times, then darkness and silence: nothing sounds for ever."""

    steps: tuple[Step, ...]
    times: int


_LONG: Final = 600
"""Repetitions of a one-second pattern: ten minutes, longer than staff need to come to the bank."""

PATTERNS: Final[dict[Signal, Pattern]] = {
    Signal.OK: Pattern((Step(150, lamp_ok=True, buzzer=True), Step(4_000, lamp_ok=True)), 1),
    Signal.REFUSED: Pattern((Step(120, lamp_attention=True, buzzer=True), Step(120, lamp_attention=True)), 2),
    Signal.ATTENTION: Pattern(
        (Step(80, lamp_attention=True, buzzer=True), Step(420, lamp_attention=True), Step(500)), 3
    ),
    Signal.ALARM: Pattern((Step(500, lamp_attention=True, buzzer=True), Step(500)), _LONG),
    Signal.TICKING: Pattern((Step(40, lamp_attention=True, buzzer=True), Step(960, lamp_attention=True)), _LONG),
    Signal.OFF: Pattern((), 0),
}


class Signals:
    """The lamps and the buzzer of one bank; a line the board does not name is simply not driven."""

    def __init__(
        self,
        board: Board,
        pins: OutputPins,
        *,
        on_fault: Callable[[str], None] = lambda _reason: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        wired = (
            ("lamp_ok", board.signals.lamp_ok),
            ("lamp_attention", board.signals.lamp_attention),
            ("buzzer", board.signals.buzzer),
        )
        self._outputs: dict[str, Output] = {
            name: pins.output(name.replace("_", " "), output) for name, output in wired if output is not None
        }
        self._on_fault, self._clock = on_fault, clock
        self._wake = Condition()
        self._asked: Signal | None = None
        self._faulty = False

    def show(self, signal: str) -> None:
        """Play a pattern instead of the current one; returns at once. Raises ValueError for an unknown name."""
        with self._wake:
            self._asked = Signal(signal)
            self._wake.notify()

    def run(self, stop: Event) -> None:
        """Play what is asked until `stop`; for a guarded thread."""
        while not stop.is_set():
            with self._wake:
                if self._asked is None:
                    self._wake.wait(CHECK_S)
                signal, self._asked = self._asked, None
            if signal is not None:
                self._play(PATTERNS[signal], stop)
        self._drive(Step(0))

    def wake(self) -> None:
        """Look at once whether to stop."""
        with self._wake:
            self._wake.notify()

    def close(self) -> None:
        """Dark and silent; lines released. Idempotent."""
        for output in self._outputs.values():
            output.close()

    def _play(self, pattern: Pattern, stop: Event) -> None:
        for _ in range(pattern.times):
            for step in pattern.steps:
                self._drive(step)
                if self._interrupted(step.ms / 1000, stop):
                    return
        self._drive(Step(0))

    def _interrupted(self, wait_s: float, stop: Event) -> bool:
        """Let a step last; True as soon as another pattern is asked for or the program stops."""
        ends = self._clock() + wait_s
        with self._wake:
            while self._asked is None and not stop.is_set():
                left = ends - self._clock()
                if left <= 0:
                    return False
                self._wake.wait(min(left, CHECK_S))
        return True

    def _drive(self, step: Step) -> None:
        for name, output in self._outputs.items():
            try:
                if getattr(step, name):
                    output.on()
                else:
                    output.off()
            except PinError as error:
                if not self._faulty:
                    self._faulty = True
                    self._on_fault(str(error))
