"""A paho client that a test holds by the hand: it connects once, records what it is given, and can die.

Owns the thread that turns paho's loop. It never reconnects by itself: a test says when.
"""

import socket
import struct
import threading
from dataclasses import dataclass, field
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from tests.mqtt_client import close_wake_up_sockets
from tests.tools.ports import LOOPBACK, wait_until

LOOP_S = 0.05
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def properties(kind: int, **values: object) -> Properties:
    """MQTT 5 properties by their names in paho."""
    made = Properties(kind)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        setattr(made, name, value)
    return made


@dataclass(frozen=True)
class Will:
    topic: str
    payload: bytes
    retain: bool = False
    delay_s: int = 0


@dataclass
class Got:
    """What one client was given, in order."""

    messages: list[MQTTMessage] = field(default_factory=list)

    @property
    def payloads(self) -> list[bytes]:
        return [bytes(message.payload) for message in self.messages]


class Peer:
    """One connection of one client id. Use as a context manager: it disconnects cleanly on exit unless it died before."""

    def __init__(
        self,
        port: int,
        client_id: str,
        *,
        clean: bool = True,
        expiry_s: int = 0,
        will: Will | None = None,
        keep_alive_s: int = 60,
        receive_max: int | None = None,
        user: str | None = None,
        password: str | None = None,
        ack: bool = True,
        protocol: MQTTProtocolVersion = MQTTv5,
        accepted: bool = True,
    ) -> None:
        self.got = Got()
        self.connack: object = None
        self.session_present: bool | None = None
        self.disconnect_reason: int | None = None
        self._ack = ack
        self._puback: dict[int, int] = {}
        self._suback: dict[int, list[int]] = {}
        self._turning = True
        client = self.client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=protocol, manual_ack=True)
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        client.on_publish = lambda _c, _u, mid, reason, _p: self._puback.__setitem__(mid, reason.value)
        client.on_subscribe = lambda _c, _u, mid, codes, _p: self._suback.__setitem__(mid, [c.value for c in codes])
        client.on_disconnect = self._on_disconnect
        client.max_inflight_messages_set(1000)
        # With this set only the loop writes: two threads writing at once could put one packet into the middle of another.
        client.on_socket_register_write = lambda _client, _data, _socket: None
        if user is not None:
            client.username_pw_set(user, password)
        if will is not None:
            more = properties(PacketTypes.WILLMESSAGE, WillDelayInterval=will.delay_s) if will.delay_s else None
            client.will_set(will.topic, will.payload, qos=1, retain=will.retain, properties=more)
        asked = properties(PacketTypes.CONNECT, SessionExpiryInterval=expiry_s)
        if receive_max is not None:
            asked.ReceiveMaximum = receive_max
        if protocol == MQTTv5:
            client.connect(LOOPBACK, port, keep_alive_s, clean_start=clean, properties=asked)
        else:
            client.connect(LOOPBACK, port, keep_alive_s)
        self._thread = threading.Thread(target=self._turn, name=f"peer-{client_id}", daemon=True)
        self._thread.start()
        if accepted:
            wait_until(lambda: self.connack is not None, f"CONNACK for {client_id}")
            assert self.connack == 0, self.connack

    def _turn(self) -> None:
        try:
            while self._turning and self.client.loop(LOOP_S) == 0:
                pass
        finally:
            close_wake_up_sockets(self.client)

    def _on_connect(self, _c: object, _u: object, flags: object, reason: object, _p: object) -> None:
        self.session_present = flags.session_present  # type: ignore[attr-defined]
        self.connack = reason.value  # type: ignore[attr-defined]

    def _on_message(self, client: Client, _u: object, message: MQTTMessage) -> None:
        self.got.messages.append(message)
        if self._ack:
            client.ack(message.mid, message.qos)

    def _on_disconnect(self, _c: object, _u: object, _f: object, reason: object, _p: object) -> None:
        if self.disconnect_reason is None:  # paho tells twice: of the packet, then of the closed socket
            self.disconnect_reason = reason.value  # type: ignore[attr-defined]

    # ----------------------------------------------------------------------------------------------------- what it does

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, expiry_s: int | None = None
    ) -> int:
        """Publish; for QoS 1 wait for the PUBACK and return its reason code."""
        mid = self.publish_soon(topic, payload, qos=qos, retain=retain, expiry_s=expiry_s)
        if qos:
            wait_until(lambda: mid in self._puback, f"PUBACK of {topic}")
        return self._puback.get(mid, 0)

    def publish_soon(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, expiry_s: int | None = None
    ) -> int:
        """Publish without waiting; returns the message id."""
        more = None if expiry_s is None else properties(PacketTypes.PUBLISH, MessageExpiryInterval=expiry_s)
        return self.client.publish(topic, payload, qos, retain, properties=more).mid

    def acknowledged(self, mid: int) -> bool:
        return mid in self._puback

    def subscribe(self, topic: str, qos: int = 1, **options: Any) -> int:
        """Subscribe, wait for the SUBACK and return its reason code."""
        result, mid = self.client.subscribe(topic, options=SubscribeOptions(qos, **options))
        assert result == 0
        assert mid is not None
        wait_until(lambda: mid in self._suback, f"SUBACK of {topic}")
        return self._suback[mid][0]

    def unsubscribe(self, topic: str) -> None:
        done = threading.Event()
        self.client.on_unsubscribe = lambda *_: done.set()
        self.client.unsubscribe(topic)
        assert done.wait(10)

    def wait_for(self, *payloads: bytes) -> None:
        """Wait until exactly these messages have come, in this order."""
        wait_until(
            lambda: len(self.got.messages) >= len(payloads), f"{len(payloads)} messages, got {self.got.payloads}"
        )
        assert self.got.payloads == list(payloads)

    def gone(self) -> bool:
        """True once the connection is over."""
        return not self._thread.is_alive()

    # ----------------------------------------------------------------------------------------------------- how it ends

    def silence(self) -> None:
        """Keep the socket open but do nothing any more, as a program that hangs."""
        self._turning = False
        self._thread.join()

    def disconnect(self) -> None:
        """Say DISCONNECT and close."""
        self.client.disconnect()
        self._thread.join(10)
        self.silence()

    def reset(self) -> None:
        """Die: the socket is reset, nothing is said."""
        self.silence()
        sock = self.client.socket()
        if isinstance(sock, socket.socket):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._turning and not self.gone():
            self.disconnect()
