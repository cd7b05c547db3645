"""The line to the broker: one connection after another, and the thread that keeps it.

Owns paho, sockets, subscriptions and the two protocol versions. Refuses to know what is said (`exchange`). Nothing is
queued for a broker that is away: every connection starts with a new client that knows nothing of the last one.

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

from controller.core import events as e
from controller.core.model import Now, State
from controller.exchange import Exchange
from controller.health import Readings
from controller.journal import JournalReader
from wire import topics
from wire.messages import Reply

LOG: Final = logging.getLogger(__name__)

OUTSTANDING_MAX: Final = 20
"""Publications the broker has not confirmed; paho keeps them in memory, so they are few."""

RECONNECT_MIN_S: Final = 1.0
RECONNECT_MAX_S: Final = 60.0
SUBSCRIBE_AGAIN_S: Final = 60.0
KEEPALIVE_S: Final = 30
CONNECT_S: Final = 10.0
"""Longest wait for the broker's answer to CONNECT and SUBSCRIBE."""

GOODBYE_S: Final = 1.0
"""Longest wait for the broker to confirm that the site said *stopping*."""

LOOP_S: Final = 1.0
"""paho wants to be called this often for its keep-alive."""

SILENT_CLOSES: Final = 2
"""Connections closed without an answer before the other protocol version is tried."""

SILENT_CLOSES_AFTER_TALK: Final = 12
"""The same for a version this broker has answered: a line that is down for minutes is no reason to change the language."""


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
    subscribe_s: float = 0.0
    outstanding: set[int] = field(default_factory=set)
    arrived: deque[tuple[str, bytes, bool]] = field(default_factory=deque)

    def has_room(self) -> bool:
        """Whether the connection stands and paho does not hold too many messages already."""
        return len(self.outstanding) < OUTSTANDING_MAX and self.client.socket() is not None

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        """Hand a message to paho."""
        info = self.client.publish(topic, payload, qos, retain)
        if qos and info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS and not info.is_published():
            self.outstanding.add(info.mid)


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
        readings: Callable[[], Readings],
    ) -> None:
        """`post` hands an event to the owner, `hear` the hub's time and whether it is fresh; `readings`: the machine now."""
        self.exchange = Exchange(
            site=site,
            boot=boot,
            journal_id=journal_id,
            acked=acked,
            post=post,
            hear=hear,
            readings=readings,
            seconds=time.monotonic,
            random=random.Random(),  # noqa: S311 jitter is no secret
        )
        self._link = link
        self._site = site
        self._journal = journal
        self._protocol = MQTTProtocolVersion.MQTTv5
        self._silent = 0
        self._answered_in: MQTTProtocolVersion | None = None
        self._delay_s = 0.0
        self._stopping = False
        self._listening = False
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._ear.setblocking(False)

    # ------------------------------------------------------------------------------------------- notes of other threads

    def wake(self) -> None:
        """New facts are durable."""
        self.exchange.wake()
        self._ring()

    def acked(self, seq: int, *, rewind: bool) -> None:
        """The mark has moved; with `rewind`, sending starts again from it."""
        self.exchange.acked(seq, rewind=rewind)
        self._ring()

    def publish_state(self, state: State, seq: int, now: Now) -> None:
        """The newest snapshot; it is put into words in the uplink's own thread."""
        self.exchange.publish_state(state, seq, now)
        self._ring()

    def reply(self, reply: Reply) -> None:
        """Answer a command."""
        self.exchange.reply(reply)
        self._ring()

    def rebirth(self) -> None:
        """Describe the site again and send from the acknowledged mark."""
        self.exchange.rebirth()
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
                self.exchange.left()
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
                self.exchange.pump(session, reader)

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
        if self.exchange.has_marks or self._stopping:
            return True
        return session.ready and session.has_room() and self.exchange.is_due()

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
        client.will_set(*self.exchange.will(), qos=1, retain=True)
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
        if session.answered and not session.refused:
            self._answered_in = self._protocol
        enough = SILENT_CLOSES_AFTER_TALK if self._answered_in is self._protocol else SILENT_CLOSES
        if session.refused == "Unsupported protocol version" or self._silent >= enough:
            self._silent = 0
            five = self._protocol is MQTTProtocolVersion.MQTTv5
            self._protocol = MQTTProtocolVersion.MQTTv311 if five else MQTTProtocolVersion.MQTTv5
            LOG.warning("the broker does not answer this version of MQTT; trying %s", "3.1.1" if five else "5")

    def _too_slow(self, session: _Session) -> bool:
        return not session.answered and time.monotonic() - session.begun_s > CONNECT_S

    # -------------------------------------------------------------------------------------------- what the notes say

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
            self.exchange.arrived(name, payload, fresh=not retained)
        self.exchange.heed_marks()

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
        self.exchange.joined(session)
        LOG.info("connected to the broker (MQTT %s)", "5" if self._protocol is MQTTProtocolVersion.MQTTv5 else "3.1.1")

    def _goodbye(self, session: _Session) -> None:
        client = session.client
        if session.ready:
            self.exchange.farewell(session)
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
