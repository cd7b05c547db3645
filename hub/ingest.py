"""The link to the broker through paho-mqtt. Callbacks copy and enqueue, nothing else.

Owns the connection: MQTT 5 with a step back to 3.1.1, jitter, subscriptions and their reason codes. Refuses to read
a payload. The only module of the hub that imports paho.
"""

from __future__ import annotations

import logging
import random
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from hub.receiver import Incoming, Joined, Mailbox, WillOf
from hub.settings import Broker

LOG: Final = logging.getLogger(__name__)

KEEPALIVE_S: Final = 30
SESSION_EXPIRY_S: Final = 3_600
"""How long the broker keeps messages for a hub that is away; sites send again whatever is lost after that."""
RECEIVE_MAX: Final = 1_000
"""Messages the broker may have outstanding with us: the size of the largest group (field notes, ingest)."""
OUTSTANDING_MAX: Final = 200
"""Messages of ours without the broker's PUBACK at a time."""
QUEUED_MAX: Final = 2_000
"""Messages of ours waiting behind those; past this `publish` says no and the caller tries again."""
RECONNECT_S: Final = (0.5, 3.0)
"""Bounds of the random first pause before a new connection; paho doubles it from there."""
RECONNECT_MAX_S: Final = 30
UNANSWERED_MAX: Final = 3
"""MQTT 5 connections closed without an answer before 3.1.1 is tried: old brokers hang up instead of refusing."""
REFUSED_PAUSE_S: Final = 10.0
"""Pause after the broker's access rules refused a subscription: somebody has to change a file first."""
_UNSUPPORTED_PROTOCOL: Final = 132


@dataclass(frozen=True, slots=True)
class Part:
    """What a connection is for. Without a `will` it is one of several of this hub, and the broker forgets it when it is gone."""

    client_id: str
    subscriptions: tuple[str, ...] = ()
    will: WillOf | None = None


class PahoLink:
    """A `Link` on paho-mqtt 2. `run` belongs in a guarded thread."""

    def __init__(
        self,
        broker: Broker,
        password: str,
        part: Part,
        mailbox: Mailbox,
        reconnect_s: tuple[float, float] = RECONNECT_S,
    ) -> None:
        self._broker = broker
        self._password = password
        self._part = part
        self._mailbox = mailbox
        self._reconnect_s = reconnect_s
        self._protocol = MQTTProtocolVersion.MQTTv5
        self._connection = 0
        self._joined = False
        self._answered = False
        self._unanswered = 0
        self._subscription_refused = False
        self._problem = "not connected yet"
        self._stopping = threading.Event()
        self._saying = threading.Lock()
        self._client: Client | None = None

    @property
    def is_connected(self) -> bool:
        """Whether the broker accepted us and our subscriptions."""
        return self._joined

    @property
    def problem(self) -> str:
        """Why there is no link, for the readiness page; empty when there is one."""
        return "" if self._joined else self._problem

    @property
    def protocol(self) -> str:
        """The protocol spoken now, for the log and the readiness page."""
        return "5" if self._protocol is MQTTProtocolVersion.MQTTv5 else "3.1.1"

    def run(self) -> None:
        """Keep a connection until `stop`. Raises whatever a callback raised."""
        while not self._stopping.is_set():
            self._subscription_refused = False
            client = self._client = self._new_client()
            client.loop_forever(retry_first_connection=True)
            self._joined = False
            if self._subscription_refused:
                self._stopping.wait(REFUSED_PAUSE_S)

    def stop(self, farewell: tuple[str, bytes] | None = None) -> None:
        """Leave; `farewell` (topic, payload) is said last, because a clean goodbye sends no will."""
        with self._saying:  # Whoever is about to say that this hub is here has said it, or does not any more.
            self._stopping.set()
            client = self._client
            if client is None:
                return
            says = farewell if self._joined else None
            info = None if says is None else client.publish(*says, qos=1, retain=True)
        if info is not None:
            try:
                info.wait_for_publish(timeout=2.0)
            except (RuntimeError, ValueError):
                LOG.info("the broker did not take our goodbye; its will says the same")
        client.disconnect()

    def rejoin(self) -> None:
        """Drop the connection and make it anew: `run` starts a client with the new will."""
        client = self._client
        if client is not None:
            client.disconnect()

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> bool:
        """Hand a message to the broker; False when it was not taken, as after the goodbye."""
        with self._saying:
            client = self._client
            if client is None or not self._joined or self._stopping.is_set():
                return False
            return client.publish(topic, payload, qos=qos, retain=retain).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """PUBACK what is committed. A receipt of an earlier connection means another message by now."""
        client, connection = self._client, self._connection
        if client is None:
            return
        for message in messages:
            if message.receipt and message.connection == connection:
                client.ack(message.receipt, 1)

    def _new_client(self) -> Client:
        modern = self._protocol is MQTTProtocolVersion.MQTTv5
        client = Client(
            callback_api_version=CallbackAPIVersion.VERSION2,
            client_id=self._part.client_id,
            protocol=self._protocol,
            clean_session=None if modern else self._part.will is None,
            manual_ack=True,
        )
        if self._broker.user:
            client.username_pw_set(self._broker.user, self._password)
        if self._broker.tls:
            client.tls_set(ca_certs=None if self._broker.ca_file is None else str(self._broker.ca_file))
        client.max_inflight_messages_set(OUTSTANDING_MAX)
        client.max_queued_messages_set(QUEUED_MAX)
        client.reconnect_delay_set(random.uniform(*self._reconnect_s), RECONNECT_MAX_S)  # type: ignore[arg-type]  # noqa: S311
        if self._part.will is not None:
            topic, payload = self._part.will()
            client.will_set(topic, payload, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_socket_open = _no_delay
        # With this callback set, paho never writes to the socket from the thread that publishes or acknowledges: two
        # threads writing at once could put one packet into the middle of another.
        client.on_socket_register_write = _written_by_the_loop
        client.connect_async(
            self._broker.host,
            self._broker.port,
            keepalive=KEEPALIVE_S,
            clean_start=False,
            properties=_connect_properties(stays=self._part.will is not None) if modern else None,
        )
        return client

    def _on_connect(
        self, client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self._answered = True
        if reason.is_failure:
            self._problem = f"the broker refuses the connection: {reason}"
            LOG.warning("%s", self._problem)
            if reason.value == _UNSUPPORTED_PROTOCOL:
                self._step_back(client)
            return
        self._unanswered = 0
        self._connection += 1
        if self._part.subscriptions:
            client.subscribe([(topic, 1) for topic in self._part.subscriptions])
        else:
            self._has_joined()

    def _on_subscribe(
        self, client: Client, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        asked = zip(self._part.subscriptions, reasons, strict=True)
        refused = [topic for topic, reason in asked if reason.is_failure]
        if refused:
            self._problem = f"the broker's access rules refuse {', '.join(refused)} to user {self._broker.user!r}"
            LOG.error("%s", self._problem)
            self._subscription_refused = True
            client.disconnect()
            return
        self._has_joined()

    def _has_joined(self) -> None:
        self._joined = True
        LOG.info("joined the broker with MQTT %s", self.protocol)
        self._mailbox.put(Joined(self._connection))

    def _on_disconnect(
        self, client: Client, _data: Any, _flags: DisconnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if self._joined:
            self._problem = f"lost the broker: {reason}"
            LOG.warning("%s", self._problem)
        self._joined = False
        if not self._answered and self._protocol is MQTTProtocolVersion.MQTTv5:
            self._unanswered += 1
            if self._unanswered >= UNANSWERED_MAX:
                self._step_back(client)
        self._answered = False
        client.reconnect_delay_set(random.uniform(*self._reconnect_s), RECONNECT_MAX_S)  # type: ignore[arg-type]  # noqa: S311

    def _step_back(self, client: Client) -> None:
        if self._protocol is MQTTProtocolVersion.MQTTv5:
            LOG.warning("the broker does not speak MQTT 5; trying 3.1.1")
            self._protocol = MQTTProtocolVersion.MQTTv311
            client.disconnect()

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        incoming = Incoming(
            message.topic,
            bytes(message.payload),
            message.retain,
            message.mid if message.qos else 0,
            self._connection,
        )
        if message.qos:
            self._mailbox.put(incoming)
        else:
            self._mailbox.offer(incoming)  # health: lost without harm


def _connect_properties(*, stays: bool) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    # Brokers go on dealing messages to a worker that is away for as long as they keep its session: no other one would get them.
    properties.SessionExpiryInterval = SESSION_EXPIRY_S if stays else 0
    properties.ReceiveMaximum = RECEIVE_MAX
    return properties


def _no_delay(_client: Client, _data: Any, sock: Any) -> None:
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _written_by_the_loop(_client: Client, _data: Any, _sock: Any) -> None:
    """Nothing to do: the loop is woken by paho's own socket pair."""
