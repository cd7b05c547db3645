"""The composition root: every part of the hub, started in order and stopped in reverse.

Owns which parts there are and their threads. Refuses to hold any rule.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from hub import access
from hub.alerts.routes import router as alerts_router
from hub.audit.log import AuditLog
from hub.audit.pages import AuditParts
from hub.audit.pages import install as install_audit
from hub.base import Base
from hub.carriers.event_routes import router as carrier_events_router
from hub.carriers.keys import CarrierKeys
from hub.carriers.pages import CarrierParts
from hub.carriers.pages import install as install_carriers
from hub.carriers.routes import router as carriers_router
from hub.carriers.webhooks import Webhooks
from hub.clock import Clock, wall_ms
from hub.core.moment import OFFLINE_AFTER_MS
from hub.health import Ready, gauges_of, install_health, ready
from hub.notify.pages import install as install_notify
from hub.openings.pages import OpeningParts
from hub.openings.pages import install as install_openings
from hub.openings.services import Openings
from hub.parcels.import_routes import install as install_imports
from hub.parcels.imports import Imports
from hub.parcels.routes import router as parcels_router
from hub.parcels.services import Desk
from hub.people.identities import Identities
from hub.people.oidc import Provider
from hub.people.parts import PeopleParts
from hub.people.passkeys import Passkeys
from hub.people.second_factor import SecondFactor
from hub.people.services import Door
from hub.people.team import Team
from hub.people.web import install as install_people
from hub.rhythm.pages import RhythmParts
from hub.rhythm.pages import install as install_rhythm
from hub.rhythm.services import Rhythm
from hub.settings import Settings, Systemd, read_oidc_secret
from hub.sites.enrolment import Enrolment
from hub.sites.enrolment_routes import EnrolmentParts
from hub.sites.enrolment_routes import install as install_enrolment
from hub.sites.pages import SitePageParts
from hub.sites.pages import install as install_sites
from hub.sites.routes import router as sites_router
from hub.sites.services import Sites
from hub.store import between, system
from hub.store.engine import Store, StoreRefused
from hub.store.pages import PageReads
from hub.system.pages import SystemParts
from hub.system.pages import install as install_system
from hub.web.pages import install as install_pages
from hub.web.ports import WebParts
from hub.work import Work
from hub.workers.quiet import Quiet
from wire import topics
from wire.version import VERSION


class Hub:
    """All parts of a running hub; or, when it is not `alone`, what a web worker needs: others do the work (ADR 0028)."""

    def __init__(
        self,
        settings: Settings,
        systemd: Systemd | None = None,
        *,
        clock: Clock = wall_ms,
        on_thread_end: Callable[[str], None] | None = None,
        alone: bool = True,
    ) -> None:
        base = Base(settings, systemd, clock=clock, on_thread_end=on_thread_end)
        self._base, self._clock = base, clock
        self.settings, self.keys, self.store = settings, base.keys, base.store
        self.live, self.metrics = base.live, base.metrics
        self.work: Work | None = None
        if alone:
            _refuse_beside_workers(self.store)
            self.work = Work(base, settings.broker.client_id, topics.hub_subscriptions())
        self._running: Work | Quiet = self.work or Quiet(base)
        self.link = self._running.link
        self.reads = PageReads(self.store)
        self.door = Door(self.store, self.keys, clock, everybody=settings.access.open_on_loopback)
        self.team = Team(self.store, self.keys, clock, self.door)
        self.second_factor = SecondFactor(self.store, self.keys, clock, self.door)
        self.passkeys = Passkeys(
            store=self.store, keys=self.keys, clock=clock, door=self.door, second_factor=self.second_factor,
            public_url=settings.web.public_url,
        )  # fmt: skip
        self.identities = Identities(
            store=self.store, keys=self.keys, clock=clock, door=self.door, providers=_providers(settings, clock)
        )
        self.carrier_keys = CarrierKeys(self.store, self.keys, clock)
        self.webhooks = Webhooks(self.store, self.keys, clock, private=settings.carriers.private_webhooks)
        self._make_desks()

    def _make_desks(self) -> None:
        """What people may ask for. Without the work in this process it is seen by who has it within a second or so."""
        work = self.work
        wake_planner = _nothing if work is None else work.planner.wake
        self.desk = Desk(
            store=self.store,
            keys=self.keys,
            live=self.live,
            link=self.link,
            clock=self._clock,
            wake_planner=wake_planner,
            wake_sender=_nothing if work is None else work.sender.wake,
        )
        self.sites = Sites(
            store=self.store, keys=self.keys, clock=self._clock, live=self.live, wake_planner=wake_planner
        )
        self.enrolment = Enrolment(store=self.store, keys=self.keys, clock=self._clock, broker=self.settings.sites)
        self.openings = Openings(store=self.store, keys=self.keys, live=self.live, link=self.link, clock=self._clock)

    def start(self) -> None:
        """Start every thread."""
        self._running.start()

    def stop(self) -> None:
        """Say goodbye and stop every thread. What is not committed is sent again to the next hub."""
        self._running.stop()
        self.store.close()

    def gauges(self) -> dict[str, float]:
        """What is counted when Prometheus, or a person, asks. Without the database what it counts is left out."""
        told = gauges_of(self.settings.state_dir, self.link)
        if self.work is not None:
            told |= self.work.gauges()
        if self.store.is_reachable():
            with self.store.reading() as connection:
                told |= system.counts(connection, self._clock(), OFFLINE_AFTER_MS)
                if self.work is None:
                    told["led"] = float(between.is_led(connection))
        return told

    def readiness(self) -> Ready:
        """Whether the database answers and the broker let us in."""
        return ready(self.store, self.link)

    def say(self, state: str) -> None:
        """Tell systemd."""
        self._base.say(state)


def _refuse_beside_workers(store: Store) -> None:
    """One who works alone, beside one who leads, would write the same plans under other numbers. Raises StoreRefused."""
    if store.is_sqlite:
        return
    with store.reading() as connection:
        if between.is_led(connection):
            raise StoreRefused(
                "workers of this hub run on this database (consigne-hub@ingest): stop them first, or leave this one stopped."
            )


def _nothing() -> None:
    """Nobody to wake in this process."""


def _providers(settings: Settings, clock: Clock) -> dict[str, Provider]:
    """The sign-in of each organisation, and where it sends people back to."""
    base = settings.web.public_url.rstrip("/")
    return {
        one.key: Provider(one, read_oidc_secret(one), f"{base}/sign-in/oidc/{one.key}/back", clock)
        for one in settings.oidc
    }


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
    install_health(app, hub)
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
            passkeys_at=hub.passkeys.address,
            organisations=hub.identities.organisations,
            secure_cookies=hub.settings.web.public_url.startswith("https://"),
            framers=hub.settings.web.frame_ancestors,
        ),
    )
    public_url = hub.settings.web.public_url
    install_people(app, PeopleParts(hub.team, hub.second_factor, hub.passkeys, hub.identities, public_url))
    install_enrolment(app, EnrolmentParts(hub.enrolment, hub.settings.web.public_url))
    install_system(app, SystemParts(hub.gauges, hub.readiness))
    install_rhythm(app, RhythmParts(Rhythm(hub.store, hub.settings.notify)))
    install_sites(app, SitePageParts(hub.sites))
    install_openings(app, OpeningParts(hub.openings))
    install_imports(app, Imports(hub.store, hub.desk, hub.reads))
    install_carriers(app, CarrierParts(hub.carrier_keys, hub.webhooks))
    install_notify(app, hub.settings.notify)
    install_audit(app, AuditParts(hub.store, AuditLog(hub.keys), wall_ms))
    return app
