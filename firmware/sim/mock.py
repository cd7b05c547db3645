"""gpiozero's mock pins, hardened until they are as unkind as a Pi.

A claimed output starts low unless claimed with a level, callbacks come from one thread that dies of an exception, inputs
have boot pulls and an outside world that drives them, and every transition is told to an observer, exactly once.
Owns the electricity. Refuses to know doors and parcels.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable
from threading import Thread
from typing import Any, Final

from gpiozero.pins.mock import MockFactory, MockPin

HISTORY_MAX: Final = 10_000
PENDING_EDGES_MAX: Final = 10_000

Observer = Callable[[int, str, bool, int], None]
"""Called with GPIO number, function (`input`/`output`), level and monotonic nanoseconds, in the thread that did it."""


class HardPin(MockPin):  # type: ignore[misc]
    """One line. `outside` is what the world drives it to while it is an input; None leaves it to the pull."""

    def __init__(self, factory: HardFactory, info: Any) -> None:
        self._outside: bool | None = None
        self.fault_on = self.fault_off = ""
        super().__init__(factory, info)
        self._pull = "up" if self._number <= 8 else "down"  # What the pin has before any program runs.
        self._state = self._pull == "up"

    def connect(self, level: bool | None) -> None:  # noqa: FBT001
        """The outside world drives this line, or leaves it to its pull."""
        self._outside = level
        self._settle()

    def output_with_state(self, state: bool) -> None:  # noqa: FBT001
        """A single claim with its level, as our pin class does on a Pi; `two_step` shows gpiozero's own way (F1)."""
        if self.factory.two_step:
            super().output_with_state(state)
            return
        self._function = "output"
        self._note(bool(state))

    def _set_function(self, value: str) -> None:
        was = self._function
        if value == "output":
            self._function = "output"
            self._note(False)  # lgpio claims an output at level 0 when it is not told otherwise.
            return
        super()._set_function(value)
        if was == "output":
            self._note(self._state)

    def _set_state(self, value: bool) -> None:  # noqa: FBT001
        complaint = self.fault_on if value == self._active_fault_level() else self.fault_off
        if complaint:
            raise OSError(complaint)
        super()._set_state(value)

    def _active_fault_level(self) -> bool:
        levels: dict[int, bool] = self.factory.active_levels
        return levels.get(self._number, True)

    def _set_pull(self, value: str) -> None:
        if value not in {"up", "down", "floating"}:
            super()._set_pull(value)
        self._pull = value
        self._settle()

    def _settle(self) -> None:
        if self._function != "input":
            return
        level = self._outside if self._outside is not None else self._pull == "up"
        if self._change_state(level) and self._when_changed is not None:
            self._call_when_changed()

    def _change_state(self, value: bool) -> bool:  # noqa: FBT001
        if self._state == value:
            return False
        self._note(value)
        return True

    def _note(self, level: bool) -> None:  # noqa: FBT001
        self._state = level
        self._last_change = time.monotonic()
        self.factory.note(self._number, self._function, level)

    def clear_states(self) -> None:
        """The endless list of states of gpiozero is not kept; the factory's history is bounded."""
        self._last_change = time.monotonic()
        self.states: list[Any] = []

    def _call_when_changed(self) -> None:
        self.factory.post(self, time.monotonic(), self._state)

    def deliver(self, ticks: float, level: bool) -> None:  # noqa: FBT001
        """Called by the factory's one callback thread."""
        handler = self._get_when_changed()
        if handler is not None:
            handler(ticks, level)


class HardFactory(MockFactory):  # type: ignore[misc]
    """A Pi's header in memory. One thread delivers every edge; an exception ends it for good, as lgpio's does (F3)."""

    def __init__(self, observer: Observer = lambda *_: None, *, two_step: bool = False) -> None:
        super().__init__(pin_class=HardPin)
        self.two_step = two_step
        self.active_levels: dict[int, bool] = {}
        self.history: deque[tuple[int, str, bool, int]] = deque(maxlen=HISTORY_MAX)
        self._observer = observer
        self._edges: queue.Queue[tuple[HardPin, float, bool] | None] = queue.Queue(PENDING_EDGES_MAX)
        self.dead_of: BaseException | None = None
        self._thread = Thread(target=self._deliver, name="pin-callbacks", daemon=True)
        self._thread.start()

    def note(self, number: int, function: str, level: bool) -> None:  # noqa: FBT001
        """Record a transition and tell the observer."""
        moment = time.monotonic_ns()
        self.history.append((number, function, level, moment))
        self._observer(number, function, level, moment)

    def post(self, pin: HardPin, ticks: float, level: bool) -> None:  # noqa: FBT001
        """Queue an edge; one too many is lost, as in the kernel."""
        if self.dead_of is None and not self._edges.full():
            self._edges.put_nowait((pin, ticks, level))

    def close(self) -> None:
        """Every line back to an input, the callback thread ended. Idempotent."""
        super().close()
        if self._thread.is_alive() and not self._edges.full():
            self._edges.put_nowait(None)

    def _deliver(self) -> None:
        """One thread for every pin; whatever a callback raises ends it, and `dead_of` says what that was."""
        with _LastWords(self):
            while (edge := self._edges.get()) is not None:
                pin, ticks, level = edge
                pin.deliver(ticks, level)


class _LastWords:
    """Lets a thread die of an exception without a trace on the terminal, as lgpio's does."""

    def __init__(self, factory: HardFactory) -> None:
        self._factory = factory

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _kind: object, error: BaseException | None, _where: object) -> bool:
        self._factory.dead_of = error
        return True
