"""What the broker remembers of one client: subscriptions, messages that wait, messages sent and not yet acknowledged.

Owns delivery order, the receive window, message expiry and redelivery with DUP. Refuses to know sockets (a `Link` carries
packets), other clients and the time of day: `now` is handed in, in seconds of the loop's monotonic clock.
"""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

import mqtt5

from demo.broker.topics import Filter

MAX_QUEUED_MESSAGES = 10_000
"""Messages that may wait for one client: a night of facts of a busy site. What comes on top is dropped and counted."""

MAX_QUEUED_BYTES = 16 * 1024 * 1024
"""Payload bytes that may wait for one client, so that 256 slow clients cannot fill a laptop's memory at once."""

MAX_IN_FLIGHT = 1_000
"""QoS 1 messages sent to one client and not yet acknowledged, as `max_inflight_messages` of the broker of production."""

MAX_PACKET_ID = 65_535
"""Packet ids are 16 bits wide, and 0 is not one."""

NEVER_EXPIRES = 0xFFFF_FFFF
"""The session expiry interval with which MQTT 5 says *keep this session for ever*."""


@dataclass(frozen=True, slots=True)
class Message:
    """An application message. `reliable` is QoS 1 (else 0); `expires_at` is in seconds of the loop's clock, None is never."""

    topic: str
    payload: bytes
    reliable: bool
    retain: bool
    sender: str
    expires_at: float | None
    payload_format_indicator: int
    content_type: str | None
    response_topic: str | None
    correlation_data: bytes | None
    user_properties: tuple[tuple[str, str], ...]

    @classmethod
    def published(cls, packet: mqtt5.PublishPacket, sender: str, now: float) -> "Message":
        """The message inside a PUBLISH packet, its expiry counted from `now`."""
        return cls._of(packet, packet.topic, packet.payload, sender, now)

    @classmethod
    def bequeathed(cls, will: mqtt5.Will, sender: str, now: float) -> "Message":
        """The message a client left to be said for it, its expiry counted from `now`."""
        return cls._of(will, will.topic, will.payload or b"", sender, now)

    @classmethod
    def _of(
        cls, source: mqtt5.PublishPacket | mqtt5.Will, topic: str, payload: bytes, sender: str, now: float
    ) -> "Message":
        interval = source.message_expiry_interval
        return cls(
            topic=topic,
            payload=payload,
            reliable=source.qos == mqtt5.QoS.AT_LEAST_ONCE,
            retain=source.retain,
            sender=sender,
            expires_at=None if interval is None else now + interval,
            payload_format_indicator=source.payload_format_indicator,
            content_type=source.content_type,
            response_topic=source.response_topic,
            correlation_data=source.correlation_data,
            user_properties=tuple(source.user_properties),
        )

    def expired(self, now: float) -> bool:
        """True once the message expiry interval of its sender is over."""
        return self.expires_at is not None and now >= self.expires_at


@dataclass(frozen=True, slots=True)
class Subscription:
    """One granted SUBSCRIBE of one session."""

    session: "Session"
    filter: Filter
    reliable: bool
    no_local: bool
    retain_as_published: bool
    subscription_id: int | None

    @property
    def ids(self) -> tuple[int, ...]:
        """The subscription identifier as a delivery carries it: none or one."""
        return () if self.subscription_id is None else (self.subscription_id,)


@dataclass(slots=True)
class Delivery:
    """A message on its way to one client. It has a packet id from its first sending (QoS 1) until its acknowledgement."""

    message: Message
    reliable: bool
    retain: bool
    subscription_ids: tuple[int, ...] = ()
    packet_id: int | None = None

    def packet(self, now: float, *, again: bool) -> mqtt5.PublishPacket:
        """The PUBLISH packet, the remaining expiry in whole seconds rounded up."""
        message = self.message
        left = None if message.expires_at is None else max(0, math.ceil(message.expires_at - now))
        return mqtt5.PublishPacket(
            message.topic,
            message.payload,
            qos=mqtt5.QoS.AT_LEAST_ONCE if self.reliable else mqtt5.QoS.AT_MOST_ONCE,
            retain=self.retain,
            packet_id=self.packet_id,
            duplicate=again,
            payload_format_indicator=message.payload_format_indicator,
            message_expiry_interval=left,
            content_type=message.content_type,
            response_topic=message.response_topic,
            correlation_data=message.correlation_data,
            subscription_ids=list(self.subscription_ids),
            user_properties=list(message.user_properties),
        )


class Link(Protocol):
    """The connection of a session, as far as a session knows it."""

    receive_max: int
    """QoS 1 messages the client accepts unacknowledged (1–65535)."""

    @property
    def writable(self) -> bool:
        """False while enough bytes wait for the network."""

    def deliver(self, packet: mqtt5.PublishPacket) -> bool:
        """Send; False if the packet is larger than the client accepts, and was not sent."""


@dataclass(slots=True, eq=False)
class Session:
    """The state of one client id. It outlives its connections for `expiry_interval` seconds."""

    client_id: str
    user: str | None = None
    expiry_interval: int = 0
    link: Link | None = None
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    dropped: int = 0
    _waiting: deque[Delivery] = field(default_factory=deque)
    _waiting_bytes: int = 0
    _unacknowledged: dict[int, Delivery] = field(default_factory=dict)
    _used_ids: set[int] = field(default_factory=set)
    _last_id: int = 0

    def offer(self, delivery: Delivery, now: float) -> bool:
        """Put a message at the end of the line and send what may be sent. False if it was dropped: line full, or QoS 0 and away."""
        if self.link is None and not delivery.reliable:
            return False
        size = len(delivery.message.payload)
        if len(self._waiting) >= MAX_QUEUED_MESSAGES or self._waiting_bytes + size > MAX_QUEUED_BYTES:
            self.dropped += 1
            return False
        self._waiting.append(delivery)
        self._waiting_bytes += size
        self.pump(now)
        return True

    def pump(self, now: float) -> None:
        """Send from the head of the line as long as network and receive window allow; order is never changed."""
        while self._waiting and self.link is not None and self.link.writable:
            head = self._waiting[0]
            if head.reliable and len(self._unacknowledged) >= min(self.link.receive_max, MAX_IN_FLIGHT):
                return
            self._waiting.popleft()
            self._waiting_bytes -= len(head.message.payload)
            self._send(head, self.link, now)

    def _send(self, delivery: Delivery, link: Link, now: float) -> None:
        again = delivery.packet_id is not None
        if not again and delivery.message.expired(now):
            return
        if delivery.reliable and delivery.packet_id is None:
            delivery.packet_id = self._new_id()
        if not link.deliver(delivery.packet(now, again=again)):
            if delivery.packet_id is not None:
                self._used_ids.discard(delivery.packet_id)
            return
        if delivery.packet_id is not None:
            self._unacknowledged[delivery.packet_id] = delivery

    def acknowledge(self, packet_id: int, now: float) -> bool:
        """The client has the message; what waits may follow. False if no such message was sent on this connection."""
        if self._unacknowledged.pop(packet_id, None) is None:
            return False
        self._used_ids.discard(packet_id)
        self.pump(now)
        return True

    def detach(self) -> None:
        """The connection is gone: unacknowledged messages go back to the head of the line, QoS 0 ones are forgotten."""
        self.link = None
        again: Iterable[Delivery] = self._unacknowledged.values()
        self._waiting = deque([*again, *(waiting for waiting in self._waiting if waiting.reliable)])
        self._waiting_bytes = sum(len(delivery.message.payload) for delivery in self._waiting)
        self._unacknowledged.clear()

    def _new_id(self) -> int:
        # The window is smaller than the number of ids, so one is always free.
        self._last_id = self._last_id % MAX_PACKET_ID + 1
        while self._last_id in self._used_ids:
            self._last_id = self._last_id % MAX_PACKET_ID + 1
        self._used_ids.add(self._last_id)
        return self._last_id
