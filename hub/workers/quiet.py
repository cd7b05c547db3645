"""What a web worker has of its own besides pages: a connection that only says commands, and the line to the other processes.

Owns these threads. Refuses to ingest, plan and send: the ingest worker that leads does (ADR 0028).
"""

from __future__ import annotations

import threading
from typing import Final
from uuid import uuid4

from hub.base import Base
from hub.guard import Guarded
from hub.ingest import PahoLink, Part
from hub.receiver import Mailbox
from hub.workers.line import Listener, Relay

PING_S: Final = 5.0


class Quiet:
    """The threads of a web worker, made and not started."""

    def __init__(self, base: Base) -> None:
        self._base = base
        url = base.settings.store_url
        self._mailbox = Mailbox()  # hears only that the link stands, which nobody here asks about
        client_id = f"{base.settings.broker.client_id}-web-{uuid4().hex[:8]}"
        self.link = PahoLink(base.settings.broker, base.broker_password, Part(client_id), self._mailbox)
        self._relay, self._listener = Relay(url), Listener(url, base.live)
        base.live.relay = self._relay
        self._stopping = threading.Event()
        bodies = (
            ("relay", self._relay.run),
            ("listener", self._listener.run),
            ("pulse", self._pulse),
            ("link", self.link.run),
        )
        self._threads = tuple(Guarded(name, body, base.on_thread_end) for name, body in bodies)

    def start(self) -> None:
        """Start every thread."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop every thread."""
        for thread in self._threads:
            thread.stopping.set()
        for part in (self._relay, self._listener):
            part.stopping.set()
        self._stopping.set()
        self._mailbox.close()
        self.link.stop()
        for thread in reversed(self._threads):
            thread.stop()

    def _pulse(self) -> None:
        """Say to systemd that this process lives."""
        while not self._stopping.wait(PING_S):
            self._base.say("WATCHDOG=1")
