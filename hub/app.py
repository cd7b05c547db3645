"""The composition root: every part of the hub, started in order and stopped in reverse.

Owns which parts there are and their threads. Refuses to hold any rule.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI, Response
from pydantic import BaseModel, Field

from hub import access
from hub.alerts.housekeeping import Housekeeping
from hub.alerts.routes import router as alerts_router
from hub.audit.log import AuditLog
from hub.audit.pages import AuditParts
from hub.audit.pages import install as install_audit
from hub.carriers.delivery import Deliverer
from hub.carriers.event_routes import router as carrier_events_router
from hub.carriers.keys import CarrierKeys
from hub.carriers.pages import CarrierParts
from hub.carriers.pages import install as install_carriers
from hub.carriers.routes import router as carriers_router
from hub.carriers.webhooks import Webhooks
from hub.clock import Clock, wall_ms
from hub.core.moment import OFFLINE_AFTER_MS
from hub.core.telling import Way
from hub.guard import Guarded
from hub.ingest import PahoLink
from hub.intake import Incarnation, Intake
from hub.keys import KeyRing
from hub.live import Live
from hub.metrics import Metrics
from hub.notify.drivers import Driver, Webhook
from hub.notify.mail import Mailer, server_of
from hub.notify.pages import install as install_notify
from hub.notify.sender import Sender
from hub.openings.pages import OpeningParts
from hub.openings.pages import install as install_openings
from hub.openings.services import Openings
from hub.parcels.import_routes import install as install_imports
from hub.parcels.imports import Imports
from hub.parcels.routes import router as parcels_router
from hub.parcels.services import Desk
from hub.people.pages import PeopleParts
from hub.people.pages import install as install_people
from hub.people.second_factor import SecondFactor
from hub.people.services import Door
from hub.people.team import Team
from hub.privacy.services import Privacy
from hub.receiver import Mailbox
from hub.rhythm.pages import RhythmParts
from hub.rhythm.pages import install as install_rhythm
from hub.settings import (
    Settings,
    Systemd,
    read_broker_password,
    read_gateways,
    read_mail_password,
    read_master_secret,
)
from hub.sites.enrolment import Enrolment
from hub.sites.enrolment_routes import EnrolmentParts
from hub.sites.enrolment_routes import install as install_enrolment
from hub.sites.pages import SitePageParts
from hub.sites.pages import install as install_sites
from hub.sites.planner import Planner, presence
from hub.sites.routes import router as sites_router
from hub.sites.services import Sites
from hub.store import meta, system, tenants
from hub.store.engine import Store
from hub.store.migrate import migrate
from hub.store.pages import PageReads
from hub.store.tenants import SitePlaces
from hub.system.pages import SystemParts
from hub.system.pages import install as install_system
from hub.systemd_notify import notify
from hub.web.pages import install as install_pages
from hub.web.ports import WebParts
from wire import topics
from wire.version import VERSION

LOG: Final = logging.getLogger(__name__)

INTAKE_SILENT_MS_MAX: Final = 30_000
"""An intake that did not turn for so long is not vouched for, and systemd's watchdog ends the process."""


class Ready(BaseModel):
    """Whether the hub can do its work."""

    ready: bool = Field(examples=[True])
    database: bool = Field(examples=[True])
    broker: bool = Field(examples=[True])
    problem: str = Field(examples=[""])


class Hub:
    """All parts of a running hub."""

    def __init__(
        self,
        settings: Settings,
        systemd: Systemd | None = None,
        *,
        clock: Clock = wall_ms,
        on_thread_end: Callable[[str], None] | None = None,
    ) -> None:
        self._systemd = systemd or Systemd()
        self._clock = clock
        settings.state_dir.mkdir(parents=True, exist_ok=True)
        self.settings = settings
        self.keys = KeyRing(read_master_secret(settings, self._systemd))
        self.store = Store(settings.store_url)
        migrate(self.store)
        self.incarnation = Incarnation(self._next_incarnation())
        self.live = Live(place_of=SitePlaces(self.store).of)
        self.metrics = Metrics()
        self.reads = PageReads(self.store)
        self.door = Door(self.store, self.keys, clock, everybody=settings.access.open_on_loopback)
        self.team = Team(self.store, self.keys, clock, self.door)
        self.second_factor = SecondFactor(self.store, self.keys, clock, self.door)
        self._let_carriers_in()
        self.mailbox = Mailbox()
        self.link = PahoLink(
            settings.broker,
            read_broker_password(settings),
            topics.hub_subscriptions(),
            lambda: presence(self.incarnation.value, online=False, at_ms=0),
            self.mailbox,
        )
        self.planner = Planner(store=self.store, link=self.link, incarnation=self.incarnation, clock=clock)
        self.sender = Sender(
            store=self.store,
            keys=self.keys,
            live=self.live,
            clock=clock,
            drivers=self._drivers(),
            rules=settings.notify,
            on_sent=self.metrics.sent.inc,
        )
        self._make_desks()
        self.intake = Intake(
            store=self.store,
            mailbox=self.mailbox,
            link=self.link,
            incarnation=self.incarnation,
            live=self.live,
            metrics=self.metrics,
            clock=clock,
            wake_planner=self.planner.wake,
            announce_all=self.planner.joined,
            wake_sender=self.sender.wake,
        )
        self.privacy = Privacy(
            store=self.store, clock=clock, contact_days=settings.contact_days, state_dir=settings.state_dir
        )
        self.housekeeping = self._housekeeping()
        self._threads = self._guarded(on_thread_end)

    def _make_desks(self) -> None:
        """What people may ask for."""
        self.desk = Desk(
            store=self.store,
            keys=self.keys,
            live=self.live,
            link=self.link,
            clock=self._clock,
            wake_planner=self.planner.wake,
            wake_sender=self.sender.wake,
        )
        self.sites = Sites(
            store=self.store, keys=self.keys, clock=self._clock, live=self.live, wake_planner=self.planner.wake
        )
        self.enrolment = Enrolment(store=self.store, keys=self.keys, clock=self._clock, broker=self.settings.sites)
        self.openings = Openings(store=self.store, keys=self.keys, live=self.live, link=self.link, clock=self._clock)

    def _let_carriers_in(self) -> None:
        """Carriers' keys, and the worker that tells them."""
        private = self.settings.carriers.private_webhooks
        self.carrier_keys = CarrierKeys(self.store, self.keys, self._clock)
        self.webhooks = Webhooks(self.store, self.keys, self._clock, private=private)
        self.deliverer = Deliverer(store=self.store, keys=self.keys, live=self.live, clock=self._clock, private=private)

    def _guarded(self, on_thread_end: Callable[[str], None] | None) -> tuple[Guarded, ...]:
        """Every thread, in the order they start in."""
        bodies = (
            ("intake", self.intake.run),
            ("planner", self.planner.run),
            ("sender", self.sender.run),
            ("openings", self.openings.run),
            ("deliverer", self.deliverer.run),
            ("housekeeping", self.housekeeping.run),
            ("link", self.link.run),
        )
        return tuple(Guarded(name, body, on_thread_end) for name, body in bodies)

    def _drivers(self) -> dict[Way, Driver]:
        """What this hub can tell recipients with."""
        drivers: dict[Way, Driver] = {}
        if self.settings.notify.driver == "webhook":
            drivers[Way.PHONE] = Webhook(self.settings.notify.url)
        if lists := read_gateways(self.settings):
            from hub.notify.gateways import gateways_of  # apprise is large, and most hubs need none of it

            with self.store.reading() as connection:
                numbers = {row.name: row.number for row in tenants.associations(connection)}
            drivers[Way.PHONE] = gateways_of(lists, numbers, self.settings.notify.country_code)
        if self.settings.mail.host:
            server = server_of(self.settings.mail, read_mail_password(self.settings))
            drivers[Way.EMAIL] = Mailer(server, self._clock)
        return drivers

    def _housekeeping(self) -> Housekeeping:
        return Housekeeping(
            store=self.store,
            live=self.live,
            link=self.link,
            clock=self._clock,
            privacy=self.privacy,
            ping=self._ping,
        )

    def start(self) -> None:
        """Start every thread; the link last, because it brings work."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Say goodbye and stop every thread. What is not committed is sent again to the next hub."""
        for thread in self._threads:
            thread.stopping.set()
        self.link.stop(presence(self.incarnation.value, online=False, at_ms=self._clock()))
        for part in (self.intake, self.planner, self.sender, self.openings, self.deliverer, self.housekeeping):
            part.stopping.set()
        self.mailbox.close()
        self.planner.wake()
        self.sender.wake()
        for thread in reversed(self._threads):
            thread.stop()
        self.store.close()

    def gauges(self) -> dict[str, float]:
        """What is counted when Prometheus, or a person, asks. Without the database what it counts is left out."""
        now_ms = self._clock()
        told = {
            "broker_connected": float(self.link.is_connected),
            "intake_idle_seconds": max(0, now_ms - self.intake.ticked_ms) / 1000,
            "waiting_broker_messages": float(len(self.mailbox)),
            "disk_free_bytes": float(shutil.disk_usage(self.settings.state_dir).free),
        }
        if self.store.is_reachable():
            with self.store.reading() as connection:
                told |= system.counts(connection, now_ms, OFFLINE_AFTER_MS)
        return told

    def readiness(self) -> Ready:
        """Whether the database answers and the broker let us in."""
        database, broker = self.store.is_reachable(), self.link.is_connected
        problem = "" if database else "the database does not answer"
        return Ready(ready=database and broker, database=database, broker=broker, problem=problem or self.link.problem)

    def say(self, state: str) -> None:
        """Tell systemd."""
        notify(self._systemd.notify_socket, state)

    def _ping(self) -> None:
        if self._clock() - self.intake.ticked_ms < INTAKE_SILENT_MS_MAX:
            self.say("WATCHDOG=1")

    def _next_incarnation(self) -> int:
        with self.store.writing() as connection:
            return meta.next_incarnation(connection, self._clock())


def create_app(hub: Hub) -> FastAPI:
    """The web application of a hub: pages, API, health. Starting and stopping it starts and stops the hub."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        hub.live.attach(asyncio.get_running_loop())
        hub.start()
        hub.say("READY=1")
        yield
        hub.say("STOPPING=1")
        hub.live.detach()
        await asyncio.to_thread(hub.stop)

    app = FastAPI(
        title="Consigne hub",
        version=VERSION,
        description="Sites, parcels, alerts and messages. Times are milliseconds since 1970 UTC.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.api = access.ApiParts(
        store=hub.store,
        reads=hub.reads,
        desk=hub.desk,
        sites=hub.sites,
        door=hub.door,
        carrier_keys=hub.carrier_keys,
        keys=hub.keys,
        live=hub.live,
        clock=wall_ms,
    )
    app.state.webhooks = hub.webhooks
    access.install_errors(app)
    for router in (sites_router, parcels_router, alerts_router, carriers_router, carrier_events_router):
        app.include_router(router)
    _install_health(app, hub)
    if hub.settings.access.open_on_loopback:
        app.add_middleware(access.LoopbackNamesOnly)
    install_pages(
        app,
        WebParts(
            reads=hub.reads,
            door=hub.door,
            desk=hub.desk,
            keys=hub.keys,
            live=hub.live,
            now_ms=wall_ms,
            secure_cookies=hub.settings.web.public_url.startswith("https://"),
            framers=hub.settings.web.frame_ancestors,
        ),
    )
    install_people(app, PeopleParts(hub.team, hub.second_factor, hub.settings.web.public_url))
    install_enrolment(app, EnrolmentParts(hub.enrolment, hub.settings.web.public_url))
    install_system(app, SystemParts(hub.gauges, hub.readiness))
    install_rhythm(app, RhythmParts(hub.store))
    install_sites(app, SitePageParts(hub.sites))
    install_openings(app, OpeningParts(hub.openings))
    install_imports(app, Imports(hub.store, hub.desk, hub.reads))
    install_carriers(app, CarrierParts(hub.carrier_keys, hub.webhooks))
    install_notify(app, hub.settings.notify)
    install_audit(app, AuditParts(hub.store, AuditLog(hub.keys), wall_ms))
    return app


def _install_health(app: FastAPI, hub: Hub) -> None:
    @app.get("/healthz", tags=["health"], summary="Whether the process lives")
    def healthz() -> dict[str, str]:
        return {"status": "alive", "version": VERSION}

    @app.get("/readyz", tags=["health"], summary="Whether it can do its work", responses={503: {"model": Ready}})
    def readyz(response: Response) -> Ready:
        ready = hub.readiness()
        response.status_code = 200 if ready.ready else 503
        return ready

    @app.get("/metrics", tags=["health"], summary="Counters for Prometheus", response_class=Response)
    def metrics() -> Response:
        return Response(hub.metrics.page(hub.gauges()), media_type="text/plain; version=0.0.4")
