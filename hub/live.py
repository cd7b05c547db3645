"""What changed, told to every open page: a bounded queue for each browser, and a short memory for those that come back.

Owns event numbers and the rule for slow readers (they are dropped and read the page anew). Refuses to know what is
shown: an event names a thing, never its content, so no personal datum passes here.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from hub.core.permissions import Scope

WAITING_MAX: Final = 200
"""Events one browser may be behind before it is dropped: some seconds of a whole fleet."""
REMEMBERED: Final = 1_000
"""Events kept for browsers that reconnect."""
CLIENTS_MAX: Final = 1_000
"""Open streams of one process."""
HEARTBEAT_S: Final = 15.0
ASKED_AGAIN_S: Final = 10.0
"""How long a stream runs on before it asks again whether its session lives: with the heartbeat, half a minute at most."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the stream. `topic` is site, parcel, alert, message or opening; `key` names which one."""

    number: int
    topic: str
    site: str
    key: str
    tenant: int = 0
    number_of_site: int = 0

    def is_inside(self, scope: Scope) -> bool:
        """Whether somebody of this scope may hear of it (I-31)."""
        return scope.holds_site(self.tenant, self.number_of_site)

    def encoded(self) -> bytes:
        """The event as it stands in the stream."""
        data = msgspec.json.encode({"site": self.site, "key": self.key}).decode()
        return f"id: {self.number}\nevent: {self.topic}\ndata: {data}\n\n".encode()


class TooManyStreams(Exception):
    """No room for another browser."""


class Live:
    """Publishes from any thread, delivers on the web server's loop."""

    def __init__(
        self,
        listener: Callable[[str], None] | None = None,
        place_of: Callable[[str], tuple[int, int]] = lambda _site: (0, 0),
    ) -> None:
        self.relay: Callable[[str, str, str], None] | None = None
        """Where events go first when there are several processes: each hears them from there, this one as well."""
        self._listener = listener
        self._place_of = place_of
        self._lock = threading.Lock()
        self._number = 0
        self._memory: deque[Event] = deque(maxlen=REMEMBERED)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._clients: set[asyncio.Queue[Event | None]] = set()
        self.dropped = 0

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Deliver on this loop from now on."""
        self._loop = loop

    def detach(self) -> None:
        """End every stream: the process stops."""
        self._drop_all()
        self._loop = None

    @property
    def clients(self) -> int:
        """Open streams."""
        return len(self._clients)

    @property
    def number(self) -> int:
        """Number of the newest event: what is cached is valid until it moves."""
        return self._number

    def publish(self, topic: str, site: str, key: str = "") -> None:
        """Tell that something changed; waits for nobody who listens."""
        if self.relay is not None:
            self.relay(topic, site, key)
        else:
            self.hear(topic, site, key)

    def reset(self) -> None:
        """Events may have been missed: every open page reads itself anew."""
        with self._lock:
            self._number += 1
            self._memory.clear()
            loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._drop_all)

    def hear(self, topic: str, site: str, key: str) -> None:
        """Something changed, here or in another process."""
        tenant, number_of_site = self._place_of(site)
        with self._lock:
            self._number += 1
            event = Event(self._number, topic, site, key, tenant, number_of_site)
            self._memory.append(event)
            loop = self._loop
        if self._listener is not None:
            self._listener(site)
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._deliver, event)

    async def stream(
        self, last: int | None, scope: Scope, is_still_welcome: Callable[[], bool] = lambda: True
    ) -> AsyncIterator[bytes]:
        """The bytes of one browser's stream, after event `last` where that is remembered. Raises TooManyStreams.

        Only events inside `scope` are in it. It ends at a heartbeat when `is_still_welcome` says no: that is asked in
        a thread, at least every `ASKED_AGAIN_S`.
        """
        if len(self._clients) >= CLIENTS_MAX:
            raise TooManyStreams(f"{CLIENTS_MAX} pages are open already")
        queue: asyncio.Queue[Event | None] = asyncio.Queue(WAITING_MAX)
        with self._lock:
            missed = self._missed(last)
            self._clients.add(queue)
            newest = self._number
        try:
            yield b"retry: 2000\n: open\n\n" if last is None else b"retry: 2000\n\n"
            if missed is None:
                yield f"id: {newest}\nevent: reset\ndata: {{}}\n\n".encode()
            for event in missed or ():
                if event.is_inside(scope):
                    yield event.encoded()
            asked_s = time.monotonic()
            while True:
                if time.monotonic() - asked_s >= ASKED_AGAIN_S:
                    asked_s = time.monotonic()
                    if not await asyncio.to_thread(is_still_welcome):
                        return
                try:
                    event_or_end = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if event_or_end is None:
                    return
                if event_or_end.number > newest and event_or_end.is_inside(scope):
                    yield event_or_end.encoded()
        finally:
            self._clients.discard(queue)

    def _missed(self, last: int | None) -> list[Event] | None:
        if last is None or last == self._number:
            return []
        if last > self._number or not self._memory or self._memory[0].number > last + 1:
            return None
        return [event for event in self._memory if event.number > last]

    def _deliver(self, event: Event) -> None:
        for client in list(self._clients):
            if client.qsize() >= WAITING_MAX - 1:
                self.dropped += 1
                self._drop(client)
            else:
                client.put_nowait(event)

    def _drop_all(self) -> None:
        for client in list(self._clients):
            self._drop(client)

    def _drop(self, client: asyncio.Queue[Event | None]) -> None:
        self._clients.discard(client)
        client.put_nowait(None)
