"""A scripted site on the wire: a journal that is real, a connection that does as it is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence

import msgspec
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.mqtt_client import close_wake_up_sockets
from wire import chain, facts, topics
from wire.chain import FactRecord
from wire.facts import AnyFact, Place
from wire.ids import (
    Door,
    Label,
    Occupancy,
    ParcelId,
    PlaceKind,
    ReachZone,
    Service,
    SizeClass,
    Trust,
    parcel_id_from_bits,
)
from wire.messages import (
    Ack,
    Birth,
    Command,
    CompartmentCard,
    CompartmentState,
    FactBatch,
    HubPresence,
    SiteState,
    decode,
    encode,
)
from wire.plan import Plan

AT_MS = int(time.time() * 1000) - 3_600_000
"""An hour ago: a fixed day would one day be long enough ago for the hub to forget its recipients (I-34)."""
PATIENCE_S = 30.0


def until(condition: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Wait for the other process; fails with `what` was waited for."""
    end = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.02)


def life_of(number: int, *, label: str = "7", ends: bool = True, source: str = "desk") -> tuple[AnyFact, ...]:
    """The facts of one parcel's ordinary life."""
    parcel = parcel_id_from_bits(number)
    return life(parcel, label=label, ends=ends, source=source)


def life(parcel: ParcelId, *, label: str = "7", ends: bool = True, source: str = "desk") -> tuple[AnyFact, ...]:
    place = Place(kind=PlaceKind.COMPARTMENT, name=label)
    door = Label(label)
    inside = (
        facts.ParcelReceived(
            parcel=parcel,
            tracking="8N00234584108",
            carrier="",
            source=source,
            key_version=1,
            key_epoch=0,
            session="1.1",
            by="p1",
        ),
        facts.CompartmentReserved(compartment=door, parcel=parcel, session="1.1"),
        facts.DoorOpened(compartment=door, session="1.1"),
        facts.DoorClosed(compartment=door, session="1.1"),
        facts.ParcelStored(parcel=parcel, place=place, session="1.1", by="p1"),
    )
    out = (
        facts.DoorOpened(compartment=door, session="1.2"),
        facts.DoorClosed(compartment=door, session="1.2"),
        facts.ParcelTaken(parcel=parcel, place=place, session="1.2"),
        facts.ParcelCollected(parcel=parcel, place=place, session="1.2"),
    )
    return (*inside, *out) if ends else inside


class Journal:
    """A site's journal, chained as the real one."""

    def __init__(self, site: str, name: str = "journal-one", at_ms: int = AT_MS) -> None:
        self.site = site
        self.name = name
        self._at_ms = at_ms
        self.records: list[FactRecord] = []
        self.hashes = [chain.genesis(site, name)]

    def write(self, *new: AnyFact | bytes) -> None:
        for fact in new:
            body = fact if isinstance(fact, bytes) else facts.encode_fact(fact)
            record = FactRecord(
                seq=len(self.records) + 1,
                boot=1,
                at_ms=self._at_ms + len(self.records),
                trust=Trust.NTP,
                body=msgspec.Raw(body),
            )
            self.records.append(record)
            self.hashes.append(chain.link(self.hashes[-1], record))

    def batch(self, first: int, last: int, boot: int = 1) -> FactBatch:
        return FactBatch(
            site=self.site,
            journal=self.name,
            boot=boot,
            first_seq=first,
            previous=self.hashes[first - 1],
            head=self.hashes[last],
            facts=tuple(self.records[first - 1 : last]),
        )

    @property
    def last(self) -> int:
        return len(self.records)


class Site:
    """The connection of a scripted site: remembers every ack, plan and command it hears."""

    def __init__(self, port: int, journal: Journal, *, user: str = "", batch: int = 50) -> None:
        self.journal = journal
        self.acks: list[Ack] = []
        self.plans: list[Plan] = []
        self.commands: list[Command] = []
        self.presences: list[HubPresence] = []
        self.acked = 0
        self.incarnation = 0
        self._batch = batch
        self._lock = threading.Lock()
        self._joined = threading.Event()
        self._client = Client(
            callback_api_version=CallbackAPIVersion.VERSION2,
            client_id=f"site-{journal.site}",
            protocol=MQTTProtocolVersion.MQTTv5,
        )
        if user:
            self._client.username_pw_set(user, "secret")
        self._client.on_connect = lambda client, *_rest: client.subscribe(
            [(topic, 1) for topic in topics.site_subscriptions(journal.site)]
        )
        self._client.on_subscribe = lambda *_all: self._joined.set()
        self._client.on_message = lambda _client, _data, message: self._hear(message.topic, bytes(message.payload))
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._joined.wait(PATIENCE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        close_wake_up_sockets(self._client)

    def send(self, batch: FactBatch) -> None:
        self._client.publish(topics.topic(topics.FACTS, self.journal.site), encode(batch), qos=1)

    def send_raw(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

    def send_after_ack(self) -> None:
        """What a site does: everything after the acked mark, in order."""
        for first in range(self.acked + 1, self.journal.last + 1, self._batch):
            self.send(self.journal.batch(first, min(first + self._batch - 1, self.journal.last)))

    def birth(self, labels: Sequence[str] = ("7",), **more: object) -> None:
        cards = tuple(
            CompartmentCard(
                label=Label(label), size=SizeClass.M, reach=ReachZone.MID, height_mm=900, row=0, column=column
            )
            for column, label in enumerate(labels)
        )
        birth = Birth(
            site=self.journal.site,
            boot=1,
            journal=self.journal.name,
            version="0.1.0",
            board="demo",
            compartments=cards,
            **more,  # type: ignore[arg-type]
        )
        self.send_raw(topics.topic(topics.BIRTH, self.journal.site), encode(birth), retain=True)

    def state(self, compartments: Iterable[tuple[str, Occupancy, ParcelId | None]], boot: int = 1) -> None:
        state = SiteState(
            site=self.journal.site,
            boot=boot,
            seq=self.journal.last,
            at_ms=AT_MS,
            trust=Trust.NTP,
            compartments=tuple(
                CompartmentState(
                    label=Label(label),
                    occupancy=occupancy,
                    service=Service.IN_SERVICE,
                    door=Door.CLOSED,
                    parcel=parcel,
                )
                for label, occupancy, parcel in compartments
            ),
        )
        self.send_raw(topics.topic(topics.STATE, self.journal.site), encode(state), retain=True)

    def _hear(self, topic: str, payload: bytes) -> None:
        address = topics.read_topic(topic)
        assert address is not None
        message = decode(address.channel.message, payload)
        with self._lock:
            match message:
                case Ack():
                    self.acks.append(message)
                    self._note(message)
                case Plan():
                    self.plans.append(message)
                case Command():
                    self.commands.append(message)
                case HubPresence():
                    self.presences.append(message)

    def _note(self, ack: Ack) -> None:
        """The contract's rule: a newer incarnation sets the mark, the same one only raises it."""
        if ack.incarnation > self.incarnation:
            self.incarnation, self.acked = ack.incarnation, ack.seq
        elif ack.incarnation == self.incarnation:
            self.acked = max(self.acked, ack.seq)
