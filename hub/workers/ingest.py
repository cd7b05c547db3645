"""An ingest worker: takes its share of what the sites send, and is ready to lead.

Owns its threads and the lock of the one that leads. Whoever has the lock does the work that only one may do (`hub.work`), with what
the broker retains of the sites; it ends its process when it can no longer be sure of the lock. Refuses to know pages.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import uuid4

from fastapi import FastAPI

from hub.base import Base
from hub.guard import Guarded
from hub.health import Ready, gauges_of, install_health, ready
from hub.ingest import PahoLink, Part
from hub.intake import Incarnation, Intake
from hub.receiver import Mailbox
from hub.store.between import LeaderLock
from hub.work import INTAKE_SILENT_MS_MAX, Work
from hub.workers.line import Relay
from wire import topics
from wire.version import VERSION

LOOK_S: Final = 1.0
"""How often a worker asks for the lock, or whether it still has it: how long a network is without the work when its leader dies."""
SHARE: Final = "$share/consigne-hub/"
"""What MQTT 5 writes before a topic filter whose messages go to one of several subscribers."""


class IngestWorker:
    """The parts of an ingest worker, made and not started."""

    def __init__(self, base: Base) -> None:
        self._base = base
        settings = base.settings
        self.metrics = base.metrics
        self._mailbox = Mailbox()
        part = Part(
            f"{settings.broker.client_id}-ingest-{uuid4().hex[:8]}",
            tuple(SHARE + topic for topic in topics.hub_subscriptions(retained=False)),
        )
        self.link = PahoLink(settings.broker, base.broker_password, part, self._mailbox)
        self.intake = Intake(
            store=base.store,
            mailbox=self._mailbox,
            link=self.link,
            incarnation=Incarnation(0, is_shared=True),
            live=base.live,
            metrics=base.metrics,
            clock=base.clock,
            wake_planner=lambda: None,  # whoever leads looks every second
            announce_all=lambda: None,
            wake_sender=lambda: None,
            announces=False,
        )
        self._relay = base.live.relay = Relay(settings.store_url)
        self._work: Work | None = None
        self._stopping = threading.Event()
        bodies = (
            ("intake", self.intake.run),
            ("relay", self._relay.run),
            ("leader", self._lead),
            ("link", self.link.run),
        )
        self._threads = tuple(Guarded(name, body, base.on_thread_end) for name, body in bodies)

    @property
    def leads(self) -> bool:
        """Whether this one does the work that only one may do."""
        return self._work is not None

    def start(self) -> None:
        """Start every thread."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Say goodbye and stop every thread. What is not committed is sent again to another worker."""
        for thread in self._threads:
            thread.stopping.set()
        self._stopping.set()
        self.intake.stopping.set()
        self._relay.stopping.set()
        self._mailbox.close()
        self.link.stop()
        for thread in reversed(self._threads):
            thread.stop()
        self._base.store.close()

    def readiness(self) -> Ready:
        """Whether the database answers and the broker let us in."""
        return ready(self._base.store, self.link)

    def gauges(self) -> dict[str, float]:
        """What is counted when Prometheus asks; what the database counts is told by the web workers."""
        return gauges_of(self._base.settings.state_dir, self.link) | self.intake.gauges() | {"leads": float(self.leads)}

    def say(self, state: str) -> None:
        """Tell systemd."""
        self._base.say(state)

    def _lead(self) -> None:
        """Ask for the lock; once it is had, work until the end, or until it is not sure any more: that ends the process."""
        lock = LeaderLock(self._base.settings.store_url)
        try:
            while not self._stopping.wait(LOOK_S):
                self._look(lock)
        finally:
            if self._work is not None:
                self._work.stop()  # before the lock is let go: there is one who works, or none
            lock.close()

    def _look(self, lock: LeaderLock) -> None:
        if self._base.clock() - self.intake.ticked_ms > INTAKE_SILENT_MS_MAX:
            raise RuntimeError("the intake does not turn any more")
        if self._work is not None:
            lock.check()
            self._work.follow()
        elif lock.take():
            client_id = f"{self._base.settings.broker.client_id}-lead"
            self._work = Work(self._base, client_id, topics.hub_subscriptions(retained=True), is_shared=True)
            self._work.start()
        else:
            self.say("WATCHDOG=1")  # whoever leads says it for the intake of its work


def create_app(worker: IngestWorker) -> FastAPI:
    """Where the worker tells how it is. Starting and stopping it starts and stops the worker."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        worker.start()
        worker.say("READY=1")
        yield
        worker.say("STOPPING=1")
        worker.stop()

    app = FastAPI(title="Consigne ingest worker", version=VERSION, lifespan=lifespan, openapi_url=None)
    install_health(app, worker)
    return app
