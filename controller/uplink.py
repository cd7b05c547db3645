"""The way to the hub: facts from the journal up, plans, acknowledgements and commands down (design §4).

Owns paho, the connection and what of the journal has been sent on it. Refuses to decide: what arrives becomes an event,
and which acknowledgement counts is the core's word (`acked`). Nothing is queued in memory for a broker that is away: the
journal is the outbox, and every connection starts with a new client that knows nothing of the last one.

One thread runs everything (`run`). paho's callbacks only note what happened; the thread looks at the notes afterwards.
Other threads leave notes too (`wake`, `acked`, `publish_state` …) and ring.
"""

from __future__ import annotations

import contextlib
import logging
import random
import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from controller import health
from controller.core import events as e
from controller.core.model import Now, State
from controller.core.picture import birth, site_state
from controller.journal import JournalReader
from wire import topics
from wire.messages import (
    Ack,
    BadMessage,
    Command,
    FactBatch,
    Health,
    HubPresence,
    Message,
    Presence,
    PresenceStatus,
    Reply,
    decode,
    encode,
)
from wire.plan import Plan

LOG: Final = logging.getLogger(__name__)

OUTSTANDING_MAX: Final = 20
"""Publications the broker has not confirmed; paho keeps them in memory, so they are few."""

WINDOW_FACTS: Final = 2_000
"""Facts sent ahead of the hub's acknowledgement: ten batches keep a slow line busy, and a restart repeats little."""

ACK_TIMEOUT_S: Final = 10.0
"""After this long without an acknowledgement the facts are sent again; doubled each time in vain."""

ACK_TIMEOUT_MAX_S: Final = 300.0
RECONNECT_MIN_S: Final = 1.0
RECONNECT_MAX_S: Final = 60.0
SUBSCRIBE_AGAIN_S: Final = 60.0
HEALTH_S: Final = 30.0
KEEPALIVE_S: Final = 30
CONNECT_S: Final = 10.0
"""Longest wait for the broker's answer to CONNECT and SUBSCRIBE."""

GOODBYE_S: Final = 1.0
"""Longest wait for the broker to confirm that the site said *stopping*."""

LOOP_S: Final = 1.0
"""paho wants to be called this often for its keep-alive."""

REPLIES_MAX: Final = 100
"""Answers kept while the broker is away; a hub asks again with the same id and gets the same answer."""

SILENT_CLOSES: Final = 2
"""Connections closed without an answer before the other protocol version is tried."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where the broker is and how the site proves who it is. `password` is never shown."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""


@dataclass(slots=True)
class _Session:
    """One connection, from CONNECT to its end."""

    client: mqtt.Client
    begun_s: float
    refused: str = ""
    answered: bool = False
    granted: list[bool] | None = None
    ready: bool = False
    sent_to: int = 0
    progress_s: float = 0.0
    patience_s: float = ACK_TIMEOUT_S
    health_s: float = 0.0
    subscribe_s: float = 0.0
    outstanding: set[int] = field(default_factory=set)
    arrived: deque[tuple[str, bytes, bool]] = field(default_factory=deque)


class MqttUplink:
    """The uplink of one run. `run` belongs to one guarded thread, everything else may be called from any."""

    def __init__(
        self,
        link: Link,
        *,
        site: str,
        boot: int,
        journal: Path,
        journal_id: str,
        acked: int,
        post: Callable[[e.Event], bool],
        hear: Callable[[int, bool], None],
    ) -> None:
        """`post` hands an event to the owner, `hear` the hub's time and whether it is fresh."""
        self.bad_messages = 0
        self.sent_again = 0
        self._link = link
        self._site = site
        self._boot = boot
        self._journal = journal
        self._journal_id = journal_id
        self._post = post
        self._hear = hear
        self._acked = acked
        self._hub_away = False
        self._protocol = MQTTProtocolVersion.MQTTv5
        self._silent = 0
        self._delay_s = 0.0
        self._started_s = time.monotonic()
        self._marks: deque[tuple[int, bool]] = deque()
        self._replies: deque[Reply] = deque(maxlen=REPLIES_MAX)
        self._newest: tuple[State, int, Now] | None = None
        self._state_due = False
        self._birth_due = False
        self._more = True
        self._stopping = False
        self._listening = False
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._ear.setblocking(False)

    # ------------------------------------------------------------------------------------------- notes of other threads

    def wake(self) -> None:
        """New facts are durable."""
        self._more = True
        self._ring()

    def acked(self, seq: int, *, rewind: bool) -> None:
        """The mark has moved; with `rewind`, sending starts again from it."""
        self._marks.append((seq, rewind))
        self._ring()

    def publish_state(self, state: State, seq: int, now: Now) -> None:
        """The newest snapshot; it is put into words in the uplink's own thread."""
        self._newest = (state, seq, now)
        self._state_due = True
        self._ring()

    def reply(self, reply: Reply) -> None:
        """Answer a command."""
        self._replies.append(reply)
        self._ring()

    def rebirth(self) -> None:
        """Describe the site again and send from the acknowledged mark."""
        self._birth_due = True
        self._ring()

    def stop(self) -> None:
        """Say goodbye and let `run` return."""
        self._stopping = True
        self._listening = True
        self._ring()

    def _ring(self) -> None:
        if self._listening:
            self._listening = False  # One byte wakes the thread; the rest of a burst of notes needs no more.
            with contextlib.suppress(BlockingIOError, OSError):
                self._bell.send(b"!")

    # ----------------------------------------------------------------------------------------------------- connections

    def run(self) -> None:
        """Keep a connection until `stop`."""
        reader = JournalReader(self._journal, self._site)
        try:
            while not self._stopping:
                self._one_connection(reader)
                if not self._stopping:
                    self._wait_s(self._next_delay_s())
        finally:
            reader.close()
            self._ear.close()
            self._bell.close()

    def _one_connection(self, reader: JournalReader) -> None:
        session = _Session(self._client(), time.monotonic())
        self._wire(session)
        try:
            session.client.connect(self._link.host, self._link.port, KEEPALIVE_S, clean_start=self._clean_start())
        except (OSError, ValueError) as error:
            LOG.info("broker %s:%s cannot be reached: %s", self._link.host, self._link.port, error)
            return
        try:
            self._serve(session, reader)
        finally:
            if session.ready:
                self._post(e.HubLink(up=False))
                LOG.warning("connection to the broker lost; pickups go on, facts wait in the journal")
            self._learn(session)
            with contextlib.suppress(OSError, ValueError):
                session.client.disconnect()

    def _serve(self, session: _Session, reader: JournalReader) -> None:
        client = session.client
        while True:
            sock = client.socket()
            if sock is None or self._too_slow(session):
                return
            if self._stopping:
                self._goodbye(session)
                return
            self._listening = True
            ready = self._select(client, sock, 0 if self._is_anything_due(session) else LOOP_S)
            self._listening = False
            if ready and client.socket() is not None:
                self._read(client, sock)
            client.loop_misc()
            self._look_at_notes(session)
            if session.ready:
                self._pump(session, reader)

    def _select(self, client: mqtt.Client, sock: Any, timeout_s: float) -> bool:
        if isinstance(sock, ssl.SSLSocket) and sock.pending():
            return True
        writable = [sock] if client.want_write() else []
        readable, writable, _ = select.select([sock, self._ear], writable, [], timeout_s)
        if self._ear in readable:
            with contextlib.suppress(BlockingIOError):
                self._ear.recv(4096)
        if writable:
            client.loop_write()
        return sock in readable

    @staticmethod
    def _read(client: mqtt.Client, sock: Any) -> None:
        client.loop_read()
        while isinstance(sock, ssl.SSLSocket) and client.socket() is not None and sock.pending():
            client.loop_read()

    def _is_anything_due(self, session: _Session) -> bool:
        """A note left between two looks must not wait for the broker to say something."""
        if self._marks or self._stopping:
            return True
        if not session.ready or len(session.outstanding) >= OUTSTANDING_MAX:
            return False
        return self._birth_due or self._state_due or bool(self._replies) or self._may_send(session)

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._ear.recv(4096)

    def _wait_s(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._stopping and (left := end - time.monotonic()) > 0:
            self._listening = True
            select.select([self._ear], [], [], left)
            self._drain()

    def _next_delay_s(self) -> float:
        """Doubling, and never the same at two sites: a thousand of them must not come back in one second."""
        self._delay_s = min(max(self._delay_s * 2, RECONNECT_MIN_S), RECONNECT_MAX_S)
        return self._delay_s * random.uniform(0.5, 1.5)  # noqa: S311 jitter is no secret

    def _client(self) -> mqtt.Client:
        five = self._protocol is MQTTProtocolVersion.MQTTv5
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._site,
            clean_session=None if five else True,
            protocol=self._protocol,
            reconnect_on_failure=False,
        )
        client.max_inflight_messages_set(OUTSTANDING_MAX)
        client.connect_timeout = CONNECT_S
        if self._link.user:
            client.username_pw_set(self._link.user, self._link.password)
        if self._link.tls_ca:
            client.tls_set(self._link.tls_ca, self._link.tls_cert or None, self._link.tls_key or None)
        lost = Presence(site=self._site, boot=self._boot, status=PresenceStatus.LOST)
        client.will_set(topics.topic(topics.PRESENCE, self._site), encode(lost), qos=1, retain=True)
        return client

    def _clean_start(self) -> bool | Literal[3]:
        """Nothing is kept for us between connections; 3.1.1 says so in `clean_session` instead."""
        return True if self._protocol is MQTTProtocolVersion.MQTTv5 else mqtt.MQTT_CLEAN_START_FIRST_ONLY

    def _wire(self, session: _Session) -> None:
        """Callbacks: note what happened, nothing else (field notes, paho)."""

        def connected(_c: Any, _u: Any, _f: Any, code: ReasonCode, _p: Properties | None) -> None:
            session.answered = True
            session.refused = str(code) if code.is_failure else ""

        def subscribed(_c: Any, _u: Any, _mid: int, codes: list[ReasonCode], _p: Properties | None) -> None:
            session.granted = [not code.is_failure for code in codes]

        def published(_c: Any, _u: Any, mid: int, _code: ReasonCode, _p: Properties) -> None:
            session.outstanding.discard(mid)

        def arrived(_c: Any, _u: Any, message: mqtt.MQTTMessage) -> None:
            session.arrived.append((message.topic, bytes(message.payload), message.retain))

        def opened(_c: Any, _u: Any, sock: Any) -> None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        session.client.on_connect = connected
        session.client.on_subscribe = subscribed
        session.client.on_publish = published
        session.client.on_message = arrived
        session.client.on_socket_open = opened

    def _learn(self, session: _Session) -> None:
        """What the end of a connection says about the next attempt."""
        if session.ready:
            self._delay_s = 0.0
            self._silent = 0
        elif session.refused:
            LOG.error(
                "broker %s:%s refused site %s: %s. Check user, password file and ACL",
                self._link.host, self._link.port, self._site, session.refused,
            )  # fmt: skip
        elif not session.answered:
            self._silent += 1
        if session.refused == "Unsupported protocol version" or self._silent >= SILENT_CLOSES:
            self._silent = 0
            five = self._protocol is MQTTProtocolVersion.MQTTv5
            self._protocol = MQTTProtocolVersion.MQTTv311 if five else MQTTProtocolVersion.MQTTv5
            LOG.warning("the broker does not answer this version of MQTT; trying %s", "3.1.1" if five else "5")

    def _too_slow(self, session: _Session) -> bool:
        return not session.answered and time.monotonic() - session.begun_s > CONNECT_S

    # --------------------------------------------------------------------------------------------------- the way down

    def _look_at_notes(self, session: _Session) -> None:
        now_s = time.monotonic()
        if session.answered and not session.refused and not session.ready and now_s >= session.subscribe_s:
            session.subscribe_s = now_s + SUBSCRIBE_AGAIN_S
            session.client.subscribe([(name, 1) for name in topics.site_subscriptions(self._site)])
        if session.granted is not None:
            self._subscribed(session, session.granted)
            session.granted = None
        while session.arrived:
            name, payload, retained = session.arrived.popleft()
            self._arrived(session, name, payload, fresh=not retained)
        while self._marks:
            self._marked(session, *self._marks.popleft())

    def _subscribed(self, session: _Session, granted: list[bool]) -> None:
        wanted = topics.site_subscriptions(self._site)
        refused = [name for name, allowed in zip(wanted, granted, strict=False) if not allowed]
        if refused or len(granted) < len(wanted):
            LOG.error(
                "the broker forbids site %s to read %s: nothing is sent until its ACL is corrected (wire.topics writes it)",
                self._site, ", ".join(refused) or "its topics",
            )  # fmt: skip
            return
        session.ready = True
        session.sent_to = self._acked
        session.progress_s = time.monotonic()
        self._publish(session, topics.PRESENCE, Presence(site=self._site, boot=self._boot, status=PresenceStatus.READY))
        self._birth_due = self._state_due = self._more = True
        self._post(e.HubLink(up=True))
        LOG.info("connected to the broker (MQTT %s)", "5" if self._protocol is MQTTProtocolVersion.MQTTv5 else "3.1.1")

    def _arrived(self, session: _Session, name: str, payload: bytes, *, fresh: bool) -> None:
        address = topics.read_topic(name)
        try:
            if address is None:
                raise BadMessage("the topic is not in the table")
            self._understood(session, decode(address.channel.message, payload), fresh=fresh)
        except BadMessage as bad:
            self.bad_messages += 1
            LOG.error("a message of the hub was not understood (%s so far): %s", self.bad_messages, bad)  # noqa: TRY400 the sentence is enough, a traceback could quote the payload

    def _understood(self, session: _Session, message: Message | Plan, *, fresh: bool) -> None:
        match message:
            case Plan():
                self._hear(message.issued_at_ms, fresh)
                self._post(e.PlanArrived(message))
            case Ack():
                self._post(e.AckArrived(message.incarnation, message.seq))
            case Command():
                self._hear(message.issued_at_ms, fresh)
                self._post(e.CommandArrived(message))
            case HubPresence():
                self._hear(message.at_ms, fresh)
                self._hub_presence(session, message)
            case _:
                raise BadMessage(f"a site does not read {type(message).__name__}")

    def _hub_presence(self, session: _Session, message: HubPresence) -> None:
        came_back = message.online and self._hub_away
        self._hub_away = not message.online
        if came_back:
            self._send_again(session)
        self._post(e.HubPresent(online=message.online))

    def _marked(self, session: _Session, seq: int, rewind: bool) -> None:  # noqa: FBT001 it comes from a tuple
        if rewind:
            LOG.warning("the hub asks for everything after fact %s again", seq)
            self._acked = session.sent_to = seq
            self._more = True
        elif seq > self._acked:
            self._acked = seq
            session.sent_to = max(session.sent_to, seq)
            self._more = True
        else:
            return
        session.progress_s = time.monotonic()
        session.patience_s = ACK_TIMEOUT_S

    # ----------------------------------------------------------------------------------------------------- the way up

    def _pump(self, session: _Session, reader: JournalReader) -> None:
        """Send what is due, in this order: description, facts, answers, snapshot, health."""
        if self._birth_due and self._newest is not None:
            self._birth_due = False
            session.sent_to = self._acked
            self._more = self._state_due = True
            self._publish_birth(session, reader)
        self._send_facts(session, reader)
        self._check_acknowledged(session)
        while self._replies and len(session.outstanding) < OUTSTANDING_MAX:
            self._publish(session, topics.REPLY, self._replies.popleft())
        if self._state_due and self._newest is not None and len(session.outstanding) < OUTSTANDING_MAX:
            self._state_due = False
            state, seq, now = self._newest
            self._publish(session, topics.STATE, site_state(state, seq, now))
        if time.monotonic() >= session.health_s:
            session.health_s = time.monotonic() + HEALTH_S
            self._publish_health(session, reader)

    def _may_send(self, session: _Session) -> bool:
        return (
            self._more and session.sent_to - self._acked < WINDOW_FACTS and len(session.outstanding) < OUTSTANDING_MAX
        )

    def _send_facts(self, session: _Session, reader: JournalReader) -> None:
        while self._may_send(session) and session.client.socket() is not None:
            self._more = False  # Before reading: a fact made durable meanwhile sets it again.
            batch = reader.batch(session.sent_to)
            if batch is None:
                return
            self._more = True
            if session.sent_to <= self._acked:
                session.progress_s = time.monotonic()
            session.sent_to = batch.facts[-1].seq
            message = FactBatch(
                site=self._site,
                journal=self._journal_id,
                boot=self._boot,
                first_seq=batch.facts[0].seq,
                previous=batch.previous,
                head=batch.head,
                facts=batch.facts,
            )
            self._publish(session, topics.FACTS, message)

    def _check_acknowledged(self, session: _Session) -> None:
        """The broker's word is no receipt: what the hub did not acknowledge in time is sent again."""
        waited_s = time.monotonic() - session.progress_s
        if session.sent_to <= self._acked or self._hub_away or waited_s < session.patience_s:
            return
        session.patience_s = min(session.patience_s * 2, ACK_TIMEOUT_MAX_S) * random.uniform(0.8, 1.2)  # noqa: S311 jitter is no secret
        self._send_again(session)

    def _send_again(self, session: _Session) -> None:
        if session.sent_to > self._acked:
            self.sent_again += 1
            LOG.warning("facts %s to %s are not acknowledged; sent again", self._acked + 1, session.sent_to)
        session.sent_to = self._acked
        session.progress_s = time.monotonic()
        self._more = True

    def _publish_birth(self, session: _Session, reader: JournalReader) -> None:
        assert self._newest is not None
        state, _seq, now = self._newest
        last_seq, last_hash = reader.head()
        self._publish(session, topics.BIRTH, birth(state, self._journal_id, last_seq, last_hash, now))

    def _publish_health(self, session: _Session, reader: JournalReader) -> None:
        if self._newest is None:
            return
        _state, _seq, now = self._newest
        message = Health(
            site=self._site,
            boot=self._boot,
            at_ms=now.wall_ms + time.monotonic_ns() // 1_000_000 - now.mono,
            uptime_ms=int((time.monotonic() - self._started_s) * 1000),
            outbox=max(reader.head()[0] - self._acked, 0),
            disk_free_mb=health.disk_free_mb(self._journal.parent),
            temperature_c=health.temperature_c(),
            throttled=health.throttled(),
            resident_mb=health.resident_mb(),
            pin_policy=health.pin_policy(),
        )
        self._publish(session, topics.HEALTH, message)

    def _publish(self, session: _Session, channel: topics.Channel, message: Message) -> None:
        topic = topics.topic(channel, self._site)
        info = session.client.publish(topic, encode(message), channel.qos, channel.retain)
        if channel.qos and info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS and not info.is_published():
            session.outstanding.add(info.mid)

    def _goodbye(self, session: _Session) -> None:
        client = session.client
        if session.ready:
            stopping = Presence(site=self._site, boot=self._boot, status=PresenceStatus.STOPPING)
            self._publish(session, topics.PRESENCE, stopping)
            end = time.monotonic() + GOODBYE_S
            while session.outstanding and time.monotonic() < end and (sock := client.socket()) is not None:
                if self._select(client, sock, 0.1):
                    self._read(client, sock)
        client.disconnect()
        session.ready = False


class NoUplink:
    """A site without a hub: nothing to send, nobody to hear. The journal keeps everything."""

    def wake(self) -> None:
        """Nobody waits."""

    def acked(self, seq: int, *, rewind: bool) -> None:
        """Nobody acknowledges."""

    def publish_state(self, state: State, seq: int, now: Now) -> None:
        """Nobody looks."""

    def reply(self, reply: Reply) -> None:
        """Nobody asked."""

    def rebirth(self) -> None:
        """Nobody asked."""
