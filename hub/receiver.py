"""The seam between the broker link and ingest: what arrives, the bounded mailbox it waits in, and what a link must do.

Owns the hand-over between the link's thread and the intake's. Refuses to know paho, topics and databases, so that
another link (a batch receiver) can take paho's place under the same tests.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

MAILBOX_ITEMS_MAX: Final = 4_000
"""Messages waiting for the intake: the broker's window (1,000) with room for what asks for no acknowledgement."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it came. `receipt` and `connection` let the link acknowledge it; receipt 0 asks for none."""

    topic: str
    payload: bytes
    retained: bool
    receipt: int
    connection: int


@dataclass(frozen=True, slots=True)
class Joined:
    """The link stands (again): everything retained of ours must be said anew."""

    connection: int


Item = Incoming | Joined


class Mailbox:
    """A bounded queue that is emptied in one go: whatever one read brought becomes one commit."""

    def __init__(self, most: int = MAILBOX_ITEMS_MAX) -> None:
        self._most = most
        self._items: list[Item] = []
        self._changed = threading.Condition()
        self._closed = False

    def put(self, item: Item) -> None:
        """Add an item; waits while the mailbox is full, which stops the reading and so the broker."""
        with self._changed:
            while len(self._items) >= self._most and not self._closed:
                self._changed.wait()
            self._items.append(item)
            if len(self._items) == 1:
                self._changed.notify_all()

    def offer(self, item: Item) -> bool:
        """Add an item unless the mailbox is full; whether it was added."""
        with self._changed:
            if len(self._items) >= self._most:
                return False
            self._items.append(item)
            if len(self._items) == 1:
                self._changed.notify_all()
            return True

    def take(self, most: int, timeout_s: float) -> list[Item]:
        """Up to `most` items in order, as soon as there is one; none after `timeout_s`."""
        with self._changed:
            if not self._items:
                self._changed.wait(timeout_s)
            taken = self._items[:most]
            full = len(self._items) >= self._most
            del self._items[:most]
            if full:
                self._changed.notify_all()
            return taken

    def close(self) -> None:
        """Let a waiting `put` go, at the end of the process."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        return len(self._items)


class Link(Protocol):
    """What publishes and acknowledges at the broker. Every method may be called from any thread."""

    @property
    def is_connected(self) -> bool:
        """Whether the broker accepted us and our subscriptions."""
        ...

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> bool:
        """Hand a message to the broker; False when it was not taken (no connection, or too many outstanding)."""
        ...

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """Tell the broker that these need not be sent again. Those of an earlier connection are passed over."""
        ...

    def rejoin(self) -> None:
        """Drop the connection and make it anew, with a new will."""
        ...


WillOf = Callable[[], tuple[str, bytes]]
"""Topic and payload the broker publishes for us when we are gone."""
