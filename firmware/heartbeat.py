"""Keeps the locks' supply enabled while the program lives: toggles one line, and stops when life is not proven.

Owns the toggling. Refuses to know what proves life (`is_alive`). A board without a master enable has no heartbeat.
A stopped, hung or dead process leaves the line still, and the circuit described in hardware/README.md drops the supply.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Final

from firmware.pins import Output, PinError

HALF_PERIOD_S: Final = 0.1
"""5 Hz: a charge pump that forgets within half a second keeps well inside the second of invariant I-8."""


class Heartbeat:
    """Toggles `output` as long as `is_alive` says so."""

    def __init__(self, output: Output | None, is_alive: Callable[[], bool]) -> None:
        self._output, self._is_alive = output, is_alive

    def run(self, stop: Event) -> None:
        """Beat until `stop`; for a guarded thread. A board without the line only waits."""
        if self._output is None:
            stop.wait()
            return
        level = False
        while not stop.wait(HALF_PERIOD_S):
            if self._is_alive():
                level = not level
                self._drive(level)
        self._drive(False)

    def close(self) -> None:
        """Release the line. Idempotent."""
        if self._output is not None:
            self._output.close()

    def _drive(self, level: bool) -> None:  # noqa: FBT001
        assert self._output is not None
        try:
            if level:
                self._output.on()
            else:
                self._output.off()
        except PinError:
            # A line that cannot be toggled is a dead heartbeat: the supply drops, which is the safe side.
            return
