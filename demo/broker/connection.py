"""One TCP connection of the broker: bytes to packets, packets to calls of the router, and the manners of MQTT 5.

Owns framing, CONNECT and its refusals, acknowledgements, keep-alive, back-pressure and the way a connection ends. Refuses
to know who else is connected: messages go to the `Router`, and come back through the `Session`.
"""

import asyncio
import logging
import socket
import struct
from typing import cast

import mqtt5

from demo.broker.router import Router
from demo.broker.sessions import Delivery, Message, Session

log = logging.getLogger("demo.broker")

MAX_PACKET_BYTES = 1024 * 1024
"""Largest packet taken from a client, header included; a batch of facts is far below."""

MAX_CONNECTIONS = 256
"""Sockets open at once: the demo has a dozen, the fault tests fifty."""

RECEIVE_MAX = 1_000
"""QoS 1 messages a client may have unacknowledged with us, as `max_inflight_messages` of the broker of production."""

CONNECT_TIMEOUT_S = 10.0
"""A socket that has not said CONNECT by then is closed."""

KEEP_ALIVE_FACTOR = 1.5
"""MQTT's own rule: a client is dead after one and a half of its keep-alive intervals of silence."""

WRITE_PAUSE_BYTES = 256 * 1024
"""Bytes waiting for the network above which no further message is taken from the session's queue."""

WRITE_LIMIT_BYTES = 4 * 1024 * 1024
"""Bytes waiting for the network (acknowledgements of a client that only talks) above which it is cut off."""

REFUSE_MQTT_3 = b"\x20\x02\x00\x01"
"""CONNACK of MQTT 3.1.1 with return code 1, *unacceptable protocol version*: what an older client understands."""

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on with no time: closing sends RST and forgets what was not sent, as a dead peer does."""

CONNECT_HEADER = 0x10
OLDER_CONNECTS = (b"\x00\x04MQTT\x04", b"\x00\x06MQIsdp\x03")
"""How the body of a CONNECT of MQTT 3.1.1 and of 3.1 begins; the codec reads neither."""

Close = mqtt5.DisconnectReasonCode
Refusal = mqtt5.ConnAckReasonCode


class ProtocolFault(Exception):
    """The client did what MQTT 5 does not allow, or what we do not serve; it is told why and disconnected."""

    def __init__(self, reason: mqtt5.DisconnectReasonCode, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def packet_span(data: bytes, start: int) -> tuple[int, int] | None:
    """Where the body of the packet at `start` begins, and where the packet ends; None if the header is incomplete.

    Raises ProtocolFault for a length that MQTT does not allow or that is above MAX_PACKET_BYTES.
    """
    length = 0
    for place in range(4):
        if start + 1 + place >= len(data):
            return None
        byte = data[start + 1 + place]
        length |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            body = start + 2 + place
            if body + length - start > MAX_PACKET_BYTES:
                raise ProtocolFault(
                    Close.PACKET_TOO_LARGE, f"a packet of {length} bytes, {MAX_PACKET_BYTES} are allowed"
                )
            return body, body + length
    raise ProtocolFault(Close.MALFORMED_PACKET, "the packet length takes more than four bytes")


class Connection(asyncio.Protocol):
    """A client's connection, from accept to close. `client_id` is None until its CONNECT was accepted."""

    def __init__(self, router: Router, open_connections: "set[Connection]") -> None:
        self.client_id: str | None = None
        self.user: str | None = None
        self.receive_max = RECEIVE_MAX
        self._router = router
        self._open = open_connections
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._session: Session | None = None
        self._will: mqtt5.Will | None = None
        self._max_packet = MAX_PACKET_BYTES
        self._rest = b""
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._paused = False
        self._ended = ""
        self._heard = self._loop.time()
        self._alive_timer: asyncio.TimerHandle | None = None

    # ---------------------------------------------------------------------------------------------- called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client dialled in."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=WRITE_PAUSE_BYTES)
        self._socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if len(self._open) >= MAX_CONNECTIONS:
            log.warning("a connection is refused: %d are open", len(self._open))
            self.reset()
            return
        self._open.add(self)
        self._alive_timer = self._loop.call_later(CONNECT_TIMEOUT_S, self._end, "said no CONNECT")

    def data_received(self, data: bytes) -> None:
        """Bytes from the client: act on every packet that is complete, keep the rest."""
        self._heard = self._loop.time()
        data = self._rest + data if self._rest else data
        start = 0
        try:
            while not self._ended and (span := packet_span(data, start)) is not None and span[1] <= len(data):
                self._act_on_bytes(data[start : span[1]], span[0] - start)
                start = span[1]
        except ProtocolFault as fault:
            self._refuse(fault)
        self._rest = b"" if self._ended else data[start:]

    def pause_writing(self) -> None:
        """The network is slower than we are: messages wait in the session's queue."""
        self._paused = True

    def resume_writing(self) -> None:
        """The network has caught up."""
        self._paused = False
        self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone, by whose will ever."""
        self._detach("connection lost" if exc is None else f"connection lost ({exc})", with_will=True)
        if self._alive_timer is not None:
            self._alive_timer.cancel()
        self._open.discard(self)
        if not self.lost.done():
            self.lost.set_result(None)

    # ------------------------------------------------------------------------------- called by the session and router

    @property
    def writable(self) -> bool:
        """False while enough bytes wait for the network."""
        return not self._paused and self._out_bytes < WRITE_PAUSE_BYTES and not self._ended

    def deliver(self, packet: mqtt5.PublishPacket) -> bool:
        """Send a message; False if it is larger than the client accepts."""
        data = packet.write()
        if len(data) > self._max_packet:
            return False
        self._write(data)
        return True

    def take_over(self) -> None:
        """Another connection came with our client id."""
        self._say_goodbye(Close.SESSION_TAKEN_OVER, "taken over by a new connection")

    def shut_down(self) -> None:
        """The broker stops, in good order."""
        self._say_goodbye(Close.SERVER_SHUTTING_DOWN, "the broker stops", with_will=False)

    def reset(self, *, with_will: bool = True) -> None:
        """End the connection at once, as a cut cable or a killed broker does: nothing more is sent, not even FIN."""
        self._out.clear()
        self._detach("reset", with_will=with_will)
        if not self._stream().is_closing():
            self._socket().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self._stream().abort()

    # --------------------------------------------------------------------------------------------------------- packets

    def _act_on_bytes(self, data: bytes, body: int) -> None:
        if self._session is None:
            if data[0] != CONNECT_HEADER:
                raise ProtocolFault(Close.PROTOCOL_ERROR, "the first packet is no CONNECT")
            if data.startswith(OLDER_CONNECTS, body):
                self._write(REFUSE_MQTT_3)
                self._end("speaks an MQTT older than 5")
                return
        try:
            packet, _ = mqtt5.read(memoryview(data))
        except (ValueError, IndexError) as bad:  # IndexError: the packet is complete, but its fields claim to be longer
            raise ProtocolFault(Close.MALFORMED_PACKET, str(bad)) from bad
        if self._session is None:
            self._connect(cast("mqtt5.ConnectPacket", packet))
        else:
            self._act_on(packet, self._session)

    def _act_on(self, packet: mqtt5.Packet, session: Session) -> None:
        match packet:
            case mqtt5.PublishPacket():
                self._publish(packet, session)
            case mqtt5.PubAckPacket():
                session.acknowledge(packet.packet_id, self._loop.time())
            case mqtt5.SubscribePacket():
                self._subscribe(packet, session)
            case mqtt5.UnsubscribePacket():
                codes = [self._router.unsubscribe(session, pattern) for pattern in packet.patterns]
                self._write(mqtt5.UnsubAckPacket(packet.packet_id, codes).write())
            case mqtt5.PingReqPacket():
                self._write(mqtt5.PingRespPacket().write())
            case mqtt5.DisconnectPacket():
                self._disconnect(packet, session)
            case _:
                raise ProtocolFault(Close.PROTOCOL_ERROR, f"{type(packet).__name__} is not expected here")

    def _connect(self, packet: mqtt5.ConnectPacket) -> None:
        client_id = packet.client_id or self._router.new_client_id()
        if client_id in self._router.faults.cut:
            self.reset()
            return
        if (refusal := self._reason_to_refuse(packet, client_id)) is not None:
            self._write(mqtt5.ConnAckPacket(reason_code=refusal).write())
            self._end(f"{client_id}: refused, {refusal.name}")
            return
        self.client_id, self.user, self._will = client_id, packet.username, packet.will
        self.receive_max = packet.receive_max
        self._max_packet = packet.max_packet_size or MAX_PACKET_BYTES
        self._session, present = self._router.attach(
            client_id, self, clean=packet.clean_start, expiry_interval=packet.session_expiry_interval
        )
        log.info("%s: connected%s", client_id, ", session resumed" if present else "")
        self._watch_keep_alive(packet.keep_alive * KEEP_ALIVE_FACTOR)
        self._write(
            mqtt5.ConnAckPacket(
                session_present=present,
                assigned_client_id=None if packet.client_id else client_id,
                receive_max=RECEIVE_MAX,
                max_qos=mqtt5.QoS.AT_LEAST_ONCE,
                max_packet_size=MAX_PACKET_BYTES,
            ).write()
        )
        self._pump()

    def _reason_to_refuse(self, packet: mqtt5.ConnectPacket, client_id: str) -> mqtt5.ConnAckReasonCode | None:
        if packet.authentication_method is not None:
            return Refusal.BAD_AUTHENTICATION_METHOD
        if not self._router.knows(packet.username, packet.password):
            return Refusal.NOT_AUTHORIZED
        if packet.will is not None and packet.will.qos == mqtt5.QoS.EXACTLY_ONCE:
            return Refusal.QUALITY_NOT_SUPPORTED
        if not self._router.has_room_for(client_id):
            return Refusal.QUOTA_EXCEEDED
        return None

    def _publish(self, packet: mqtt5.PublishPacket, session: Session) -> None:
        if packet.qos == mqtt5.QoS.EXACTLY_ONCE:
            raise ProtocolFault(Close.QOS_NOT_SUPPORTED, "QoS 2 is not served, as our CONNACK says")
        if packet.topic_alias is not None:
            raise ProtocolFault(Close.TOPIC_ALIAS_INVALID, "topic aliases are not served, as our CONNACK says")
        code = self._router.accept(Message.published(packet, session.client_id, self._loop.time()), session)
        if packet.packet_id is not None and not self._router.faults.drop_puback.strikes(packet.topic):
            self._write(mqtt5.PubAckPacket(packet.packet_id, reason_code=code).write())

    def _subscribe(self, packet: mqtt5.SubscribePacket, session: Session) -> None:
        codes: list[mqtt5.SubAckReasonCode] = []
        retained: list[Delivery] = []
        for wanted in packet.topic_filters:
            if wanted.no_local and wanted.pattern.startswith("$share/"):
                raise ProtocolFault(Close.PROTOCOL_ERROR, "a shared subscription cannot be no-local")
            code, deliveries = self._router.subscribe(session, wanted, packet.subscription_id)
            codes.append(code)
            retained += deliveries
        self._write(mqtt5.SubAckPacket(packet.packet_id, codes).write())
        now = self._loop.time()
        for delivery in retained:
            session.offer(delivery, now)

    def _disconnect(self, packet: mqtt5.DisconnectPacket, session: Session) -> None:
        if packet.session_expiry_interval is not None:
            if session.expiry_interval == 0 and packet.session_expiry_interval != 0:
                raise ProtocolFault(Close.PROTOCOL_ERROR, "a session without expiry cannot be given one at its end")
            session.expiry_interval = packet.session_expiry_interval
        self._detach("disconnected", with_will=packet.reason_code != Close.NORMAL_DISCONNECTION)
        self._end("disconnected")

    # ------------------------------------------------------------------------------------------------ life and its end

    def _watch_keep_alive(self, patience: float) -> None:
        """Look again when the client may have been silent for `patience` seconds; 0 is for ever."""
        if self._alive_timer is not None:
            self._alive_timer.cancel()
            self._alive_timer = None
        if patience == 0:
            return
        left = self._heard + patience - self._loop.time()
        if left <= 0:
            self._say_goodbye(Close.KEEP_ALIVE_TIMEOUT, "silent for longer than its keep-alive allows")
        else:
            self._alive_timer = self._loop.call_later(left, self._watch_keep_alive, patience)

    def _refuse(self, fault: ProtocolFault) -> None:
        if self._session is None:
            self._write(mqtt5.ConnAckPacket(reason_code=_connect_refusal(fault.reason)).write())
            self._end(str(fault))
        else:
            self._say_goodbye(fault.reason, str(fault))

    def _say_goodbye(self, reason: mqtt5.DisconnectReasonCode, text: str, *, with_will: bool = True) -> None:
        if self._session is not None:
            self._write(mqtt5.DisconnectPacket(reason_code=reason).write())
        self._detach(text, with_will=with_will)
        self._end(text)

    def _detach(self, why: str, *, with_will: bool) -> None:
        """Leave the session, once; it must be free before another connection may have it."""
        session, self._session = self._session, None
        if session is None:
            return
        self._ended = why
        log.info("%s: %s", session.client_id, why)
        self._router.detach(session, self._will if with_will else None)

    def _end(self, why: str) -> None:
        """Send what is still to be sent, and close."""
        if not self._ended:
            log.info("%s: closed, %s", self._stream().get_extra_info("peername"), why)
        self._flush()
        self._ended = why
        self._stream().close()

    # ------------------------------------------------------------------------------------------------------- the bytes

    def _write(self, data: bytes) -> None:
        """Send with whatever else this turn of the loop has to say: one system call for many small packets."""
        if self._ended:
            return
        if not self._out:
            self._loop.call_soon(self._flush_and_pump)
        self._out.append(data)
        self._out_bytes += len(data)

    def _flush_and_pump(self) -> None:
        was_full = self._out_bytes >= WRITE_PAUSE_BYTES
        self._flush()
        if was_full:
            self._pump()

    def _flush(self) -> None:
        data = b"".join(self._out)
        self._out.clear()
        self._out_bytes = 0
        if not data or self._stream().is_closing():
            return
        self._stream().write(data)
        if self._stream().get_write_buffer_size() > WRITE_LIMIT_BYTES:
            log.warning("%s: reads too slowly, reset", self.client_id)
            self.reset()

    def _pump(self) -> None:
        if self._session is not None:
            self._session.pump(self._loop.time())

    def _stream(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    def _socket(self) -> socket.socket:
        return cast("socket.socket", self._stream().get_extra_info("socket"))


def _connect_refusal(reason: mqtt5.DisconnectReasonCode) -> mqtt5.ConnAckReasonCode:
    if reason == Close.PACKET_TOO_LARGE:
        return Refusal.PACKET_TOO_LARGE
    return Refusal.MALFORMED_PACKET if reason == Close.MALFORMED_PACKET else Refusal.PROTOCOL_ERROR
