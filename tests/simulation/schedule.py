"""Virtual time: things happen in the order of their instant, and between them nothing at all.

Owns the order. Refuses to know what happens. Once the world is `deserted` nobody goes on with their day. Two things at one instant happen in the order they were asked for, so a
seed tells the same story each time.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from typing import Final

STEPS_MAX: Final = 5_000_000
"""A story with more steps than this goes in a circle."""

Waits = Iterator[int]
"""Somebody's day: what they do, with the milliseconds they wait in between."""


class Schedule:
    """The queue of everything that is going to happen."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.steps = 0
        self.deserted = False
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._asked = 0

    def after(self, delay_ms: int, act: Callable[[], None]) -> None:
        """Let something happen `delay_ms` from now."""
        self._asked += 1
        heapq.heappush(self._queue, (self.now_ms + max(delay_ms, 0), self._asked, act))

    def live(self, day: Waits) -> None:
        """Let somebody live their day from now on."""
        self.after(0, lambda: self._go_on(day))

    def run_until(self, end_ms: int) -> None:
        """Let everything happen that is due by then."""
        while self._queue and self._queue[0][0] <= end_ms:
            self.steps += 1
            assert self.steps < STEPS_MAX, "this story goes in a circle"
            at_ms, _, act = heapq.heappop(self._queue)
            self.now_ms = at_ms
            act()
        self.now_ms = end_ms

    def _go_on(self, day: Waits) -> None:
        wait = None if self.deserted else next(day, None)
        if wait is not None:
            self.after(wait, lambda: self._go_on(day))
