"""The doors: which are open, by level, debounced. Edges only hurry the next reading.

Owns the switches, their debouncing and the detection of a chattering contact. Refuses to know why a door opens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Final, Protocol

from firmware.board import Board, DoorPin
from firmware.pins import Contact

DEBOUNCE_S: Final = 0.050
"""A level counts once it stood this long: contacts bounce for less (journeys D-09)."""

POLL_S: Final = 0.4
"""Every door is read this often without any edge: a forced door is seen within a second (invariant I-11)."""

CHATTER_EDGES: Final = 30
CHATTER_WINDOW_S: Final = 10.0
"""More edges than this in the window is no person: an open-and-close with heavy bounce makes about twenty."""

CHATTER_QUIET_S: Final = 60.0
"""A contact already reported is reported again only after this long without a fit."""


class ContactPins(Protocol):
    """What makes door contacts."""

    def contact(self, name: str, door: DoorPin) -> Contact:
        """Claim one line as an input."""
        ...


@dataclass(slots=True)
class _Door:
    label: str
    contact: Contact
    open: bool
    edges: int = 0
    edges_seen: int = 0
    since: float | None = None
    window_start: float = 0.0
    window_edges: int = 0
    quiet_from: float = field(default=float("-inf"))


class Doors:
    """The switches of one bank. `on_change(label, open)` and `on_chatter(label)` are called from `run`'s thread."""

    def __init__(
        self,
        board: Board,
        pins: ContactPins,
        on_change: Callable[[str, bool], None],
        *,
        on_chatter: Callable[[str], None] = lambda _label: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_change, self._on_chatter, self._clock = on_change, on_chatter, clock
        self._hint = Event()
        self._lock = Lock()
        self._doors: Mapping[str, _Door] = {
            item.label: self._watch(item.label, pins.contact(f"door of compartment {item.label}", item.door))
            for item in board.compartments
        }

    def read_all(self) -> dict[str, bool]:
        """Label → open, read now. `run` reports only what changes after this reading. Raises `PinError`."""
        with self._lock:
            for door in self._doors.values():
                door.open, door.since = door.contact.is_open(), None
            return {label: door.open for label, door in self._doors.items()}

    def run(self, stop: Event) -> None:
        """Watch until `stop`; for a guarded thread. Raises `PinError` when a line can no longer be read."""
        while not stop.is_set():
            wait_s = self.look(self._clock())
            if self._hint.wait(wait_s):
                self._hint.clear()

    def look(self, now: float) -> float:
        """Read every door once, report what became certain, and say in how many seconds to look again."""
        wait_s = POLL_S
        with self._lock:
            changed = []
            for door in self._doors.values():
                due = _settle(door, now)
                if due is None:
                    changed.append((door.label, door.open))
                else:
                    wait_s = min(wait_s, due)
            fits = [door.label for door in self._doors.values() if _has_fit(door, now)]
        for label, is_open in changed:
            self._on_change(label, is_open)
        for label in fits:
            self._on_chatter(label)
        return wait_s

    def wake(self) -> None:
        """Look again at once; also how a stopping program avoids waiting for the next poll."""
        self._hint.set()

    def close(self) -> None:
        """Release the lines. Idempotent."""
        for door in self._doors.values():
            door.contact.close()

    def _watch(self, label: str, contact: Contact) -> _Door:
        door = _Door(label, contact, contact.is_open())

        def hint() -> None:
            door.edges += 1
            self._hint.set()

        contact.call_on_edge(hint)
        return door


def _settle(door: _Door, now: float) -> float | None:
    """Debounce one door: None when its level just became certain, else seconds until it is worth another look."""
    level = door.contact.is_open()
    edges = door.edges
    moved = edges != door.edges_seen
    door.window_edges += max(edges - door.edges_seen, int(level != door.open and door.since is None))
    door.edges_seen = edges
    if level == door.open:
        door.since = None
        return POLL_S
    if door.since is None or moved:
        door.since = now
    stood = now - door.since
    if stood < DEBOUNCE_S:
        return DEBOUNCE_S - stood
    door.open, door.since = level, None
    return None


def _has_fit(door: _Door, now: float) -> bool:
    """Whether the contact chatters and has not been reported for a while."""
    if now - door.window_start > CHATTER_WINDOW_S:
        door.window_start, door.window_edges = now, 0
    if door.window_edges <= CHATTER_EDGES:
        return False
    door.window_start, door.window_edges = now, 0
    reported_lately = now < door.quiet_from
    door.quiet_from = now + CHATTER_QUIET_S
    return not reported_lately
