"""The broker between sites and hub, with everything a broker may do to its clients, and more.

Owns sessions, retained messages, wills, and the faults: messages lost, doubled and overtaken, lines cut, a broker that
dies and forgets. Refuses to read a payload, except to see that no secret is in it (I-25). Correctness may not depend on
any of its kindnesses (design §4), so it is worse than MQTT allows: even a message with QoS 1 may simply be lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Final

from tests.simulation.schedule import Schedule
from tests.simulation.weather import Weather

KEEPALIVE_MS: Final = 45_000
"""A broken line is noticed at the latest after one and a half keep-alives."""
SESSION_MESSAGES_MAX: Final = 1_000
"""Messages a broker keeps for a client that is away and asked for it."""
LOOKED_THROUGH_MAX: Final = 64
"""What is said again, word for word, for weeks, is not looked through for hundreds of secrets each time."""


@dataclass(slots=True)
class Client:
    """One side's connection to the broker; `number` counts its connections."""

    id: str
    filters: Sequence[str]
    arrived: Callable[[str, bytes, bool], None]
    lost: Callable[[], None]
    persistent: bool = False
    will: tuple[str, bytes] | None = None
    up: bool = False
    cut: bool = False
    number: int = 0
    since_ms: int = 0
    kept: deque[tuple[str, bytes, bool]] = field(default_factory=deque)
    up_free_ms: int = 0
    down_free_ms: int = 0
    mute_until_ms: int = 0
    """Nobody hears until then what it says."""


class Broker:
    """One broker for everybody."""

    def __init__(self, schedule: Schedule, random: Random, later: Random, weather: Weather) -> None:
        self.alive = True
        self.weather = weather
        self.carried = 0
        self._secrets: set[bytes] = set()
        self._looked_through: set[bytes] = set()
        self._schedule = schedule
        self._random = random
        self._later = later
        self._clients: dict[str, Client] = {}
        self._retained: dict[str, bytes] = {}

    # ---------------------------------------------------------------------------------------------------- connections

    def connect(self, client: Client, will: tuple[str, bytes]) -> bool:
        """Open a connection; whether it stands. Somebody else with the same name is thrown out."""
        if not self.alive or client.cut:
            return False
        present = self._clients.get(client.id)
        if present is not None and present is not client and present.up:
            self._break(present, noticed_ms=0)
        if present is None or not client.persistent:
            client.kept.clear()
        self._clients[client.id] = client
        client.up, client.will = True, will
        client.number += 1
        client.since_ms = self._schedule.now_ms
        client.up_free_ms = client.down_free_ms = 0
        for topic, payload in sorted(self._retained.items()):
            if _wants(client, topic):
                self._down(client, topic, payload, retained=True)
        while client.kept:
            self._down(client, *client.kept.popleft())
        return True

    def leave(self, client: Client) -> None:
        """A clean goodbye sends no will."""
        client.up = False
        client.will = None

    def cut(self, client: Client) -> None:
        """The line is cut: both ends notice in their own time, and the broker then says the will."""
        client.cut = True
        if client.up:
            self._break(client, noticed_ms=self._random.randrange(KEEPALIVE_MS))

    def mend(self, client: Client) -> None:
        """The line is whole again."""
        client.cut = False

    def vanish(self, client: Client) -> None:
        """The client's process is gone; the broker says its will at once or after the keep-alive."""
        if client.up:
            client.up = False
            self._say_will(client, self._random.choice((0, KEEPALIVE_MS)))

    def die(self) -> None:
        """The broker is killed; what it kept is there again after its restart, or not."""
        self.alive = False
        for client in self._clients.values():
            if client.up:
                client.up = False
                client.will = None
                self._schedule.after(self._random.randrange(5_000), client.lost)
        if self.weather.broker_forgets:
            self._retained.clear()
            for client in self._clients.values():
                client.kept.clear()

    def come_back(self) -> None:
        """It runs again."""
        self.alive = True

    def _break(self, client: Client, noticed_ms: int) -> None:
        client.up = False
        self._schedule.after(noticed_ms, client.lost)
        self._say_will(client, self._random.randrange(KEEPALIVE_MS))

    def _say_will(self, client: Client, delay_ms: int) -> None:
        will, client.will = client.will, None
        if will is not None:
            self._schedule.after(delay_ms, lambda: self._take(*will, retain=True, qos=1))

    # ------------------------------------------------------------------------------------------------------- messages

    def publish(self, client: Client, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        """Hand a message over. What becomes of it is up to the weather."""
        self._look_for_secrets(topic, payload)
        if not client.up or self._schedule.now_ms < client.mute_until_ms:
            return
        if payload.startswith(b"{") and self._random.random() < self.weather.newer:
            payload = b'{"from_a_newer_version":[1],' + payload[1:]
        for _ in range(self._copies()):
            client.up_free_ms = self._arrival(client.up_free_ms)

            def take(number: int = client.number) -> None:
                if client.number == number and not client.cut:
                    self._take(topic, payload, retain=retain, qos=qos)

            self._schedule.after(client.up_free_ms - self._schedule.now_ms, take)

    def say(self, topic: str, payload: bytes) -> None:
        """Somebody else says something in the name of one of them."""
        self._take(topic, payload, retain=False, qos=1)

    def _take(self, topic: str, payload: bytes, *, retain: bool, qos: int) -> None:
        if not self.alive:
            return
        self.carried += 1
        if retain:
            self._retained[topic] = payload
        for client in self._clients.values():
            if not _wants(client, topic):
                continue
            if client.up:
                for _ in range(self._copies()):
                    self._down(client, topic, payload, retained=False)
                if self._later.random() < self.weather.late:
                    self._once_more(client, topic, payload)
            elif client.persistent and qos and len(client.kept) < SESSION_MESSAGES_MAX:
                client.kept.append((topic, payload, False))

    def _down(self, client: Client, topic: str, payload: bytes, retained: bool) -> None:  # noqa: FBT001 comes from a tuple
        client.down_free_ms = self._arrival(client.down_free_ms)
        number = client.number

        def hand_over() -> None:
            if client.up and client.number == number:
                client.arrived(topic, payload, retained)

        self._schedule.after(client.down_free_ms - self._schedule.now_ms, hand_over)

    def _once_more(self, client: Client, topic: str, payload: bytes) -> None:
        def hand_over() -> None:
            if client.up:
                client.arrived(topic, payload, False)

        self._schedule.after(self._later.randrange(self.weather.late_ms or 1), hand_over)

    def _copies(self) -> int:
        if self._random.random() < self.weather.lost:
            return 0
        return 2 if self._random.random() < self.weather.doubled else 1

    def _arrival(self, free_ms: int) -> int:
        """When the next message of a line arrives: after the one before it, unless it overtakes."""
        arrival = self._schedule.now_ms + self._random.randrange(1, self.weather.latency_ms + 1)
        if self._random.random() < self.weather.overtaken:
            return arrival
        return max(arrival, free_ms)

    def keep_secret(self, *texts: str) -> None:
        """None of these is ever in a topic or a message (I-25)."""
        self._secrets |= {text.encode() for text in texts}
        self._looked_through.clear()

    def _look_for_secrets(self, topic: str, payload: bytes) -> None:
        said = topic.encode() + payload
        if said in self._looked_through:
            return
        for secret in self._secrets:
            assert secret not in said, f"I-25: a secret or a name was published on {topic}"
        if len(self._looked_through) >= LOOKED_THROUGH_MAX:
            self._looked_through.clear()
        self._looked_through.add(said)


def _wants(client: Client, topic: str) -> bool:
    return _matches(tuple(client.filters), topic)


@lru_cache(maxsize=1_000)
def _matches(filters: tuple[str, ...], topic: str) -> bool:
    words = topic.split("/")
    return any(_fits(pattern.split("/"), words) for pattern in filters)


def _fits(pattern: list[str], words: list[str]) -> bool:
    return len(pattern) == len(words) and all(p in {"+", w} for p, w in zip(pattern, words, strict=True))
