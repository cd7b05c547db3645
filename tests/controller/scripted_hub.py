"""A hub that notes what a site says, in order, and says what the test tells it to. Knows no rule of a hub."""

from __future__ import annotations

import threading
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.controller.controller_site import SITE
from tests.mqtt_client import close_wake_up_sockets
from wire import topics
from wire.messages import Ack, FactBatch, decode, encode


class Hub:
    """One connection to a broker on this machine."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.heard: list[tuple[str, Any]] = []
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="hub")
        self.client.on_message = self._on_message
        self.client.on_connect = lambda client, *_: client.subscribe([(name, 1) for name in topics.hub_subscriptions()])
        self.client.reconnect_delay_set(1, 1)
        self._subscribed = threading.Event()
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self._subscribed.wait(10)

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        address = topics.read_topic(message.topic)
        assert address is not None
        self.heard.append((address.channel.suffix, decode(address.channel.message, bytes(message.payload))))

    def say(self, channel: topics.Channel, message: Any) -> None:
        """Publish as the hub."""
        site = SITE if channel.per_site else None
        self.client.publish(topics.topic(channel, site), encode(message), 1, channel.retain).wait_for_publish(10)

    def say_bytes(self, channel: topics.Channel, payload: bytes) -> None:
        """Publish whatever bytes."""
        self.client.publish(topics.topic(channel, SITE), payload, 1).wait_for_publish(10)

    def all(self, kind: type[Any]) -> list[Any]:
        """Every message of a kind, as it came."""
        return [message for _, message in self.heard if isinstance(message, kind)]

    def seqs(self) -> list[int]:
        """The numbers of all facts heard, as they came."""
        return [record.seq for batch in self.all(FactBatch) for record in batch.facts]

    def acknowledge(self, seq: int, incarnation: int = 1) -> None:
        """Say that everything up to `seq` is committed."""
        self.say(topics.ACK, Ack(incarnation=incarnation, seq=seq))

    def close(self) -> None:
        """Leave."""
        self.client.disconnect()
        self.client.loop_stop()
        close_wake_up_sockets(self.client)
