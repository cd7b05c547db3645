"""The work that one process of a hub does for all: follow the sites, keep their plans, tell people and carriers, look after time.

Owns which of these parts there are, their threads and the connection that speaks with the hub's will. A hub that is one process has
it from its start; of several ingest workers the one that leads has it (ADR 0028). Refuses to hold any rule, and to know pages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from hub.alerts.housekeeping import Housekeeping
from hub.base import Base
from hub.carriers.delivery import Deliverer
from hub.core.telling import Way
from hub.guard import Guarded
from hub.home_assistant import HomeAssistant
from hub.ingest import PahoLink, Part
from hub.intake import Incarnation, Intake
from hub.notify.drivers import Driver, Webhook
from hub.notify.mail import Mailer, server_of
from hub.notify.sender import Sender
from hub.openings.services import Openings
from hub.privacy.services import Privacy
from hub.receiver import Mailbox
from hub.settings import read_gateways, read_mail_password
from hub.sites.planner import Planner, presence
from hub.store import meta, tenants

INTAKE_SILENT_MS_MAX: Final = 30_000
"""An intake that did not turn for so long is not vouched for, and systemd's watchdog ends the process."""


class Work:
    """The parts, made and not started; making them begins a new incarnation."""

    def __init__(self, base: Base, client_id: str, subscriptions: Sequence[str], *, is_shared: bool = False) -> None:
        """`is_shared`: other processes ingest too, and speak in this hub's name."""
        self._base = base
        store, clock, live = base.store, base.clock, base.live
        with store.writing() as connection:
            self.incarnation = Incarnation(meta.next_incarnation(connection, clock()), is_shared=is_shared)
        self._spoken = self.incarnation.value
        self.mailbox = Mailbox()
        part = Part(client_id, tuple(subscriptions), lambda: presence(self.incarnation.value, online=False, at_ms=0))
        self.link = PahoLink(base.settings.broker, base.broker_password, part, self.mailbox)
        self.planner = Planner(store=store, link=self.link, incarnation=self.incarnation, clock=clock)
        self.sender = Sender(
            store=store,
            keys=base.keys,
            live=live,
            clock=clock,
            drivers=drivers_of(base),
            rules=base.settings.notify,
            on_sent=base.metrics.sent.inc,
        )
        self.intake = Intake(
            store=store,
            mailbox=self.mailbox,
            link=self.link,
            incarnation=self.incarnation,
            live=live,
            metrics=base.metrics,
            clock=clock,
            wake_planner=self.planner.wake,
            announce_all=self._announce_all,
            wake_sender=self.sender.wake,
        )
        self.openings = Openings(store=store, keys=base.keys, live=live, link=self.link, clock=clock)
        private = base.settings.carriers.private_webhooks
        self.deliverer = Deliverer(store=store, keys=base.keys, live=live, clock=clock, private=private)
        self.privacy = Privacy(
            store=store,
            clock=clock,
            contact_days=base.settings.contact_days,
            state_dir=base.settings.state_dir,
        )
        self.housekeeping = Housekeeping(
            store=store, live=live, link=self.link, clock=clock, privacy=self.privacy, ping=self._ping
        )
        self.home_assistant: HomeAssistant | None = None
        if prefix := base.settings.broker.home_assistant:
            url = base.settings.web.public_url
            self.home_assistant = HomeAssistant(store=store, link=self.link, clock=clock, prefix=prefix, url=url)
        self._threads = tuple(Guarded(name, body, base.on_thread_end) for name, body in self._bodies())

    def _bodies(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        """Every thread, in the order they start in: the link last, because it brings work."""
        optional = () if self.home_assistant is None else (("home assistant", self.home_assistant.run),)
        return (
            *optional,
            ("intake", self.intake.run),
            ("planner", self.planner.run),
            ("sender", self.sender.run),
            ("openings", self.openings.run),
            ("deliverer", self.deliverer.run),
            ("housekeeping", self.housekeeping.run),
            ("link", self.link.run),
        )

    def start(self) -> None:
        """Start every thread."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Say goodbye and stop every thread. What is not committed is sent again to whoever follows."""
        for thread in self._threads:
            thread.stopping.set()
        self.link.stop(presence(self.incarnation.value, online=False, at_ms=self._base.clock()))
        for part in (self.intake, self.planner, self.sender, self.openings, self.deliverer, self.housekeeping):
            part.stopping.set()
        if self.home_assistant is not None:
            self.home_assistant.stopping.set()
        self.mailbox.close()
        self.planner.wake()
        self.sender.wake()
        for thread in reversed(self._threads):
            thread.stop()

    def gauges(self) -> dict[str, float]:
        """What is counted of the intake when somebody asks."""
        return self.intake.gauges() | {"leads": 1.0, "led": 1.0}

    def follow(self) -> None:
        """Speak with the newest incarnation: another worker may have begun one."""
        with self._base.store.reading() as connection:
            newest = self.incarnation.look(connection)
        if newest != self._spoken:
            self._spoken = newest
            self.link.rejoin()

    def _announce_all(self) -> None:
        self.planner.joined()
        if self.home_assistant is not None:
            self.home_assistant.joined()

    def _ping(self) -> None:
        if self._base.clock() - self.intake.ticked_ms < INTAKE_SILENT_MS_MAX:
            self._base.say("WATCHDOG=1")


def drivers_of(base: Base) -> dict[Way, Driver]:
    """What this hub can tell recipients with."""
    settings = base.settings
    drivers: dict[Way, Driver] = {}
    if settings.notify.driver == "webhook":
        drivers[Way.PHONE] = Webhook(settings.notify.url)
    if lists := read_gateways(settings):
        from hub.notify.gateways import gateways_of  # apprise is large, and most hubs need none of it

        with base.store.reading() as connection:
            numbers = {row.name: row.number for row in tenants.associations(connection)}
        drivers[Way.PHONE] = gateways_of(lists, numbers, settings.notify.country_code)
    if settings.mail.host:
        server = server_of(settings.mail, read_mail_password(settings))
        drivers[Way.EMAIL] = Mailer(server, base.clock)
    return drivers
