"""A hub without threads: every part is called by hand, on a clock that stands still, over a database of the test's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import text

from hub.alerts.housekeeping import Housekeeping
from hub.core.hours import ALL_DAY
from hub.core.parcels import new_parcel
from hub.core.permissions import Role, Visitor
from hub.core.telling import Way
from hub.intake import Incarnation, Intake
from hub.keys import KeyRing
from hub.live import Live
from hub.metrics import Metrics
from hub.notify.drivers import Driver, Outgoing, Undelivered
from hub.notify.sender import Sender
from hub.parcels.services import Desk
from hub.privacy.services import Privacy
from hub.receiver import Incoming, Mailbox
from hub.settings import Notify
from hub.sites.planner import Planner
from hub.store import desk
from hub.store.engine import Store
from hub.store.migrate import migrate
from hub.store.pages import PageReads
from tests.hub.hub_site import AT_MS
from wire import topics
from wire.facts import AnyFact, CommandAnswered
from wire.ids import ParcelId
from wire.messages import Ack, Message, decode, encode

DAY_MS = 86_400_000
ME = Visitor("me", Role.NETWORK_ADMIN)
"""Somebody whom nothing of this hub is hidden from."""


class FakeLink:
    """A broker that takes everything and remembers it."""

    def __init__(self) -> None:
        self.is_connected = True
        self.said: list[tuple[str, bytes]] = []
        self.acknowledged: list[int] = []
        self.rejoined = 0

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> bool:
        self.said.append((topic, payload))
        return True

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        self.acknowledged += [message.receipt for message in messages]

    def rejoin(self) -> None:
        self.rejoined += 1


class FakeDriver:
    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.refusals = 0

    def send(self, message: Outgoing) -> None:
        if self.refusals:
            self.refusals -= 1
            raise Undelivered("refused")
        self.sent.append(message)


class Bench:
    """A hub without threads: every part called by hand, on a clock that stands still."""

    def __init__(self, url: str, state_dir: Path | None = None) -> None:
        self.now_ms = AT_MS + DAY_MS
        self.store = Store(url)
        migrate(self.store)
        self.link = FakeLink()
        self.driver = FakeDriver()
        self.live = Live()
        self.keys = KeyRing(bytes(32))
        self.incarnation = Incarnation(1000)
        self.planner = Planner(store=self.store, link=self.link, incarnation=self.incarnation, clock=self.clock)
        self.reads = PageReads(self.store)
        self.sender = self.new_sender({Way.PHONE: self.driver}, Notify(hours=ALL_DAY))
        self.state_dir = state_dir or Path(url.removeprefix("sqlite:///")).parent
        self.privacy = Privacy(store=self.store, clock=self.clock, contact_days=30, state_dir=self.state_dir)
        self.housekeeping = Housekeeping(
            store=self.store,
            live=self.live,
            link=self.link,
            clock=self.clock,
            privacy=self.privacy,
            ping=lambda: None,
        )
        self.desk = Desk(
            store=self.store,
            keys=self.keys,
            live=self.live,
            link=self.link,
            clock=self.clock,
            wake_planner=self.planner.wake,
            wake_sender=self.sender.wake,
        )
        self.intake = Intake(
            store=self.store,
            mailbox=Mailbox(),
            link=self.link,
            incarnation=self.incarnation,
            live=self.live,
            metrics=Metrics(),
            clock=self.clock,
            wake_planner=self.planner.wake,
            announce_all=self.planner.joined,
            wake_sender=self.sender.wake,
        )
        with self.store.writing() as connection:
            for site in ("gambetta", "belleville"):
                desk.add_site(connection, site=site, name=site, address="", help_phone="", now_ms=self.now_ms)

    def new_sender(self, drivers: Mapping[Way, Driver], rules: Notify) -> Sender:
        """Another sender of this hub: one process after another."""
        return Sender(
            store=self.store, keys=self.keys, live=self.live, clock=self.clock, drivers=drivers, rules=rules
        )  # fmt: skip

    def clock(self) -> int:
        return self.now_ms

    def announce(self, **wish: Any) -> ParcelId:
        """A parcel that was not known before."""
        announced = self.desk.announce(new_parcel(**wish), ME)
        assert announced.is_new
        return ParcelId(announced.parcel)

    def hear(self, *messages: Message) -> None:
        self.intake.handle(
            [
                Incoming(topics.topic(_CHANNELS[type(message)], message.site), encode(message), False, receipt, 1)  # type: ignore[attr-defined]
                for receipt, message in enumerate(messages, 1)
            ]
        )

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with self.store.reading() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def given_up(self) -> list[tuple[int, str]]:
        """The past before, as the last acknowledgements named it."""
        return [(ack.before_seq, ack.before_head) for ack in self._acks()]

    def acks(self) -> list[tuple[int, int]]:
        return [(ack.incarnation, ack.seq) for ack in self._acks()]

    def _acks(self) -> list[Ack]:
        return [decode(Ack, payload) for topic, payload in self.link.said if topic.endswith("down/ack")]


_CHANNELS = {channel.message: channel for channel in topics.CHANNELS}


def rebirths(bench: Bench) -> int:
    """How often a site was asked; each leaves a fact in its journal and a row here."""
    told = sum(topic.endswith("down/command") for topic, _payload in bench.link.said)
    assert bench.ask("SELECT count(*) FROM command WHERE verb = 'rebirth'") == [(told,)]
    return told


def answer(bench: Bench) -> AnyFact:
    """What a site writes when it is asked who it is."""
    [(command,)] = bench.ask("SELECT id FROM command ORDER BY issued_ms DESC LIMIT 1")
    return CommandAnswered(id=str(command), verb="rebirth", outcome="done")
