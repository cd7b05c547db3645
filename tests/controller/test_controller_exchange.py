"""What a site says and when, without a broker: whether the hub counts as here, and what is said again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.core import events as e
from controller.core.model import Live, State, fresh
from controller.exchange import ACK_TIMEOUT_MAX_S, ACK_TIMEOUT_S, AWAY_TIMEOUT_S, Exchange
from controller.health import Readings
from controller.journal import Journal, JournalReader
from tests.controller.controller_site import NOW, SITE, attempt, setup
from wire import topics
from wire.messages import (
    BATCH_FACTS_MAX,
    Ack,
    Command,
    FactBatch,
    Health,
    HubPresence,
    Message,
    Presence,
    PresenceStatus,
    decode,
    encode,
)


class End:
    """One exchange on a line that takes everything, at a time that stands until it is moved."""

    def __init__(self, folder: Path) -> None:
        self.now_s = 1_000.0
        self.said: list[tuple[str, bytes]] = []
        self.posted: list[e.Event] = []
        self.times: list[tuple[int, bool]] = []
        self.journal = Journal(folder / "journal.db", SITE)
        self.journal.begin()
        self.reader = JournalReader(self.journal.path, SITE)
        self.exchange = Exchange(
            site=SITE, boot=1, journal_id=self.journal.journal_id, acked=0, post=self._post,
            hear=lambda at_ms, fresh: self.times.append((at_ms, fresh)), readings=Readings, seconds=lambda: self.now_s, random=random.Random(1),
        )  # fmt: skip
        self.exchange.publish_state(State(setup(), fresh(setup()), Live()), 0, NOW)
        self.exchange.joined(self)
        self.pump()

    def _post(self, event: e.Event) -> bool:
        self.posted.append(event)
        return True

    def has_room(self) -> bool:
        return True

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        del qos, retain
        self.said.append((topic, payload))

    def write(self) -> None:
        self.journal.append((attempt(self.journal.last_seq + 1),), NOW)
        self.exchange.wake()
        self.pump()

    def pump(self) -> None:
        self.exchange.heed_marks()
        self.exchange.pump(self, self.reader)

    def hear(self, channel: topics.Channel, message: Message, *, fresh: bool = True) -> None:
        topic = topics.topic(channel) if channel is topics.HUB_PRESENCE else topics.topic(channel, SITE)
        self.exchange.arrived(topic, encode(message), fresh=fresh)
        self.pump()

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.pump()

    def batches(self) -> list[int]:
        """The first seq of every batch said since the last question."""
        found = [decode(FactBatch, payload) for topic, payload in self.said if topic.endswith("/facts")]
        self.said.clear()
        return [batch.first_seq for batch in found]

    def hub_online(self) -> list[bool]:
        return [event.online for event in self.posted if isinstance(event, e.HubPresent)]


@pytest.fixture
def end(tmp_path: Path) -> Iterator[End]:
    end = End(tmp_path)
    yield end
    end.reader.close()
    end.journal.close()


def presence(incarnation: int, *, online: bool) -> HubPresence:
    return HubPresence(incarnation=incarnation, online=online)


def test_the_will_of_an_earlier_hub_does_not_take_its_successor_away(end: End) -> None:
    end.hear(topics.HUB_PRESENCE, presence(2, online=True))
    end.hear(topics.HUB_PRESENCE, presence(1, online=False))
    assert end.hub_online() == [True]
    end.hear(topics.HUB_PRESENCE, presence(2, online=False))
    assert end.hub_online() == [True, False]


def test_a_hub_that_answers_is_here_whatever_its_will_said(end: End) -> None:
    """The will of a broken connection can overtake the word of the next one: nobody would take it back."""
    end.write()
    assert end.batches() == [1]
    end.hear(topics.HUB_PRESENCE, presence(1, online=False))
    end.write()
    assert end.batches() == [2]
    end.hear(topics.ACK, Ack(incarnation=1, seq=1))
    assert end.hub_online() == [False, True]
    assert end.batches() == [1], "the core has not moved the mark yet; what may be lost is said again"


def test_who_is_asked_who_it_is_says_also_that_it_is_here(end: End) -> None:
    """The broker may keep the will of a copy of this card, and would tell it to every hub that joins (ADR 0009)."""
    end.said.clear()
    end.exchange.rebirth()
    end.pump()
    assert [topic.rpartition("/")[2] for topic, _payload in end.said] == ["presence", "birth", "state"]
    assert decode(Presence, end.said[0][1]) == Presence(site=SITE, boot=1, status=PresenceStatus.READY)
    end.said.clear()
    end.pump()
    assert end.said == []


def test_an_old_word_that_the_broker_kept_proves_nothing(end: End) -> None:
    end.hear(topics.HUB_PRESENCE, presence(1, online=False))
    end.hear(topics.ACK, Ack(incarnation=1, seq=0), fresh=False)
    assert end.hub_online() == [False]


def test_to_a_hub_that_counts_as_away_little_is_said_but_not_nothing(end: End) -> None:
    end.write()
    end.hear(topics.HUB_PRESENCE, presence(1, online=False))
    end.batches()
    end.wait(ACK_TIMEOUT_S * 3)
    assert end.batches() == []
    end.wait(AWAY_TIMEOUT_S)
    end.pump()
    assert end.batches() == [1]
    end.wait(ACK_TIMEOUT_S * 3)
    assert end.batches() == []


def test_after_waiting_in_vain_only_one_batch_goes_out_until_something_is_acknowledged(end: End) -> None:
    """A hub that takes nothing, from a site under suspicion for one, is not sent two thousand facts every five minutes."""
    for _batch in range(3 * BATCH_FACTS_MAX):
        end.journal.append((attempt(end.journal.last_seq + 1),), NOW)
    end.exchange.wake()
    end.pump()
    every = [1, 1 + BATCH_FACTS_MAX, 1 + 2 * BATCH_FACTS_MAX]
    assert end.batches() == every
    for _try in range(5):
        end.wait(ACK_TIMEOUT_MAX_S * 1.2)
        end.pump()
        assert end.batches() == [1]
    end.exchange.acked(BATCH_FACTS_MAX, rewind=False)
    end.pump()
    assert end.batches() == every[1:]
    end.wait(ACK_TIMEOUT_MAX_S * 1.2)
    end.pump()
    assert end.batches() == [every[1]]
    end.exchange.joined(end)
    end.pump()
    assert end.batches() == every[1:], "a new connection is a new chance"


def test_a_04_a_command_sets_no_clock_and_the_site_tells_the_one_it_is_measured_by(end: End) -> None:
    """It may have been stuck for an hour: taken for the present, it would turn the clock back and then be in time by it."""
    command = Command(id="c" * 12, verb="open", issued_at_ms=5, expires_at_ms=20)
    end.hear(topics.COMMAND, command)
    assert end.times == [(5, False)]
    assert end.posted[-1] == e.CommandArrived(command)
    said = [decode(Health, payload) for topic, payload in end.said if topic.endswith("/health")]
    assert [health.mono_ms for health in said] == [1_000_000]


def test_a_03_a_hub_that_comes_later_hears_the_sites_clock_at_once_and_needs_no_half_minute_for_it(end: End) -> None:
    def clocks() -> list[int]:
        return [decode(Health, payload).mono_ms for topic, payload in end.said if topic.endswith("/health")]

    end.now_s += 3.0
    end.hear(topics.HUB_PRESENCE, presence(2, online=True))
    assert clocks() == [1_000_000, 1_003_000]
    end.hear(topics.HUB_PRESENCE, presence(2, online=True))
    end.hear(topics.HUB_PRESENCE, presence(1, online=True))
    end.hear(topics.HUB_PRESENCE, presence(2, online=False))
    assert len(clocks()) == 2, "not for a word that is no news"
    end.now_s += 3.0
    end.hear(topics.HUB_PRESENCE, presence(2, online=True))
    assert clocks()[2:] == [1_006_000]
