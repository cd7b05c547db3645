"""The uplink against a real Mosquitto and a scripted hub: nothing is lost, nothing needs the broker's memory."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller import exchange
from controller import uplink as module
from controller.core import events as e
from controller.core.model import Live, State, fresh
from controller.health import Readings
from controller.journal import Journal
from controller.uplink import Link, MqttUplink
from tests.controller.controller_site import NOON_MS, NOW, SITE, attempt, setup, wait_for
from tests.controller.scripted_hub import Hub
from tests.tools.mosquitto import Mosquitto
from wire import topics
from wire.chain import fold, genesis
from wire.messages import (
    BATCH_FACTS_MAX,
    Ack,
    Birth,
    FactBatch,
    HubPresence,
    Outcome,
    Presence,
    PresenceStatus,
    Reply,
    SiteState,
)
from wire.plan import Plan, sealed

pytestmark = pytest.mark.slow


class SiteEnd:
    """A journal and its uplink, with the core's answer to acknowledgements in three lines."""

    def __init__(self, folder: Path, port: int) -> None:
        self.events: queue.SimpleQueue[e.Event] = queue.SimpleQueue()
        self.seen: list[e.Event] = []
        self.hub_times: list[tuple[int, bool]] = []
        self.incarnation = 0
        self.journal = Journal(folder / "journal.db", SITE)
        self.journal.begin()
        self.uplink = MqttUplink(
            Link("127.0.0.1", port), site=SITE, boot=self.journal.boot, journal=self.journal.path,
            journal_id=self.journal.journal_id, acked=self.journal.acked, post=self._post,
            hear=lambda at_ms, fresh_: self.hub_times.append((at_ms, fresh_)), readings=Readings,
        )  # fmt: skip
        self.thread = threading.Thread(target=self.uplink.run)
        self.show()

    def _post(self, event: e.Event) -> bool:
        self.seen.append(event)
        if isinstance(event, e.AckArrived) and event.incarnation >= self.incarnation:
            rewind = event.incarnation > self.incarnation
            self.incarnation = event.incarnation
            self.journal.set_acked(event.seq, rewind=rewind)
            self.uplink.acked(self.journal.acked, rewind=rewind)
        return True

    def start(self) -> None:
        self.thread.start()

    def write(self, count: int) -> None:
        for _ in range(count):
            self.journal.append((attempt(self.journal.last_seq + 1),), NOW)
            self.uplink.wake()
        self.show()

    def show(self) -> None:
        self.uplink.publish_state(State(setup(), fresh(setup()), Live()), self.journal.last_seq, NOW)

    def close(self) -> None:
        self.uplink.stop()
        if self.thread.is_alive():
            self.thread.join(20)
            assert not self.thread.is_alive()
        self.journal.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECONNECT_MIN_S", 0.1)
    monkeypatch.setattr(module, "RECONNECT_MAX_S", 0.5)


@pytest.fixture
def hub(mosquitto: Mosquitto) -> Iterator[Hub]:
    end = Hub(mosquitto.port)
    yield end
    end.close()


@pytest.fixture
def site(mosquitto: Mosquitto, tmp_path: Path) -> Iterator[SiteEnd]:
    end = SiteEnd(tmp_path, mosquitto.port)
    yield end
    end.close()


def check_chain(site: SiteEnd, batches: list[FactBatch]) -> None:
    """Every batch folds from its `previous` to its `head`, and they follow each other."""
    known = {0: genesis(SITE, site.journal.journal_id)}
    for batch in batches:
        assert batch.previous == known[batch.first_seq - 1]
        assert fold(batch.previous, batch.facts) == batch.head
        known[batch.facts[-1].seq] = batch.head
    assert known[max(known)] == site.journal.last_hash


def test_a_connection_says_presence_birth_facts_and_state_in_this_order(hub: Hub, site: SiteEnd):
    site.write(3)
    site.start()
    wait_for(lambda: hub.all(SiteState), "the state")
    order = [suffix for suffix, _ in hub.heard if suffix != "up/health"]
    assert order == ["up/presence", "up/birth", "up/facts", "up/state"]
    presence, birth = hub.all(Presence)[0], hub.all(Birth)[0]
    assert (presence.status, presence.boot) == (PresenceStatus.READY, 1)
    assert (birth.last_seq, birth.last_hash, birth.journal) == (3, site.journal.last_hash, site.journal.journal_id)
    assert hub.all(SiteState)[0].seq == 3
    check_chain(site, hub.all(FactBatch))


def test_a_backlog_travels_in_full_batches_and_only_once(hub: Hub, site: SiteEnd):
    site.write(2 * BATCH_FACTS_MAX + 10)
    site.start()
    wait_for(lambda: len(hub.seqs()) >= 410, "the backlog")
    hub.say(topics.ACK, Ack(incarnation=5, seq=410))
    wait_for(lambda: site.journal.acked == 410, "the mark")
    site.write(1)
    wait_for(lambda: 411 in hub.seqs(), "the next fact")
    time.sleep(0.3)
    assert hub.seqs()[:410] == list(range(1, 411))
    assert hub.seqs().count(411) == 2 or hub.seqs()[-1] == 411
    assert [len(batch.facts) for batch in hub.all(FactBatch)][:3] == [200, 200, 10]


def test_facts_the_hub_does_not_acknowledge_are_sent_again(hub: Hub, site: SiteEnd, monkeypatch):
    monkeypatch.setattr(exchange, "ACK_TIMEOUT_S", 0.3)
    site.start()
    wait_for(lambda: hub.all(SiteState), "the connection")
    hub.say(topics.ACK, Ack(incarnation=5, seq=0))
    site.write(2)
    wait_for(lambda: hub.seqs().count(1) >= 2, "the second sending")
    hub.say(topics.ACK, Ack(incarnation=5, seq=2))
    wait_for(lambda: site.journal.acked == 2, "the mark")
    settled = len(hub.seqs())
    time.sleep(1.5)
    assert len(hub.seqs()) <= settled + 2
    assert site.uplink.exchange.sent_again >= 1
    check_chain(site, hub.all(FactBatch))


def test_while_the_hub_is_away_nothing_is_repeated_and_its_return_sends_again(hub: Hub, site: SiteEnd, monkeypatch):
    monkeypatch.setattr(exchange, "ACK_TIMEOUT_S", 0.2)
    hub.say(topics.HUB_PRESENCE, HubPresence(incarnation=1, online=False))
    site.start()
    wait_for(lambda: e.HubPresent(online=False) in site.seen, "the hub's absence")
    site.write(2)
    wait_for(lambda: hub.seqs().count(2), "the first sending")
    time.sleep(1)
    before = hub.seqs().count(2)
    time.sleep(1)
    assert hub.seqs().count(2) == before
    hub.say(topics.HUB_PRESENCE, HubPresence(incarnation=2, online=True))
    wait_for(lambda: hub.seqs().count(2) > before, "the sending after its return")


def test_a_restored_hub_gets_everything_again_and_an_older_word_changes_nothing(hub: Hub, site: SiteEnd):
    site.write(10)
    site.start()
    wait_for(lambda: hub.seqs() == list(range(1, 11)), "the facts")
    hub.say(topics.ACK, Ack(incarnation=5, seq=10))
    wait_for(lambda: site.journal.acked == 10, "the mark")
    hub.heard.clear()
    hub.say(topics.ACK, Ack(incarnation=6, seq=4))
    wait_for(lambda: hub.seqs() and hub.seqs()[-1] == 10, "the facts after the rewind")
    assert hub.seqs()[-6:] == list(range(5, 11))
    hub.say(topics.ACK, Ack(incarnation=5, seq=10))
    hub.say(topics.ACK, Ack(incarnation=6, seq=9))
    hub.say(topics.ACK, Ack(incarnation=6, seq=7))
    hub.say(topics.ACK, Ack(incarnation=6, seq=9))
    wait_for(lambda: [event for event in site.seen if e.AckArrived(6, 9) == event][1:], "the last word")
    assert site.journal.acked == 9


def test_a_killed_broker_costs_nothing_but_time(hub: Hub, site: SiteEnd, mosquitto: Mosquitto):
    site.start()
    wait_for(lambda: hub.all(SiteState), "the connection")
    site.write(5)
    wait_for(lambda: 5 in hub.seqs(), "the first facts")
    mosquitto.kill()
    wait_for(lambda: e.HubLink(up=False) in site.seen, "the loss is noticed")
    site.write(5)
    hub.heard.clear()
    mosquitto.restart()
    wait_for(lambda: 10 in hub.seqs() or hub.all(Birth), "the reconnection", 30)
    site.write(1)
    wait_for(lambda: 11 in hub.seqs(), "the later fact", 30)
    retained = Hub(mosquitto.port)
    wait_for(lambda: retained.all(Birth), "the retained description")
    retained.close()
    assert site.seen.count(e.HubLink(up=True)) == 2


def test_a_stop_says_stopping_and_a_killed_connection_lost(hub: Hub, site: SiteEnd):
    site.start()
    wait_for(lambda: hub.all(SiteState), "the connection")
    site.close()
    wait_for(lambda: len(hub.all(Presence)) == 2, "the goodbye")
    assert hub.all(Presence)[1].status is PresenceStatus.STOPPING
    time.sleep(0.5)
    assert len(hub.all(Presence)) == 2


def test_plans_commands_and_the_hubs_time_arrive_and_nonsense_is_counted(hub: Hub, site: SiteEnd, caplog):
    site.start()
    wait_for(lambda: hub.all(SiteState), "the connection")
    plan = sealed(Plan(site=SITE, incarnation=1, revision=1, hash="", issued_at_ms=NOON_MS))
    hub.say_bytes(topics.PLAN, b'{"secret-name": "Alice"')
    hub.say(topics.PLAN, plan)
    wait_for(lambda: e.PlanArrived(plan) in site.seen, "the plan")
    assert site.hub_times == [(NOON_MS, True)]
    assert site.uplink.exchange.bad_messages == 1
    assert "Alice" not in caplog.text
    site.uplink.reply(Reply(site=SITE, id="12345678", verb="rebirth", outcome=Outcome.DONE))
    wait_for(lambda: hub.all(Reply), "the answer")
    births = len(hub.all(Birth))
    site.uplink.rebirth()
    wait_for(lambda: len(hub.all(Birth)) > births, "the description again")


def test_topics_the_acl_refuses_are_a_fault_and_nothing_is_sent(tmp_path: Path, caplog):
    """Mosquitto 2.0 grants what its ACL forbids and stays silent, so a scripted broker refuses as later ones do."""
    forbidding = Scripted(connack=b"\x20\x03\x00\x00\x00", forbid=True)
    site = SiteEnd(tmp_path, forbidding.port)
    site.write(1)
    site.start()
    wait_for(lambda: "forbids site" in caplog.text, "the fault")
    time.sleep(0.3)
    assert e.HubLink(up=True) not in site.seen
    assert [packet[0] >> 4 for packet in forbidding.packets] == [1, 8]
    site.close()
    forbidding.close()


def test_a_broker_that_only_speaks_3_1_1_is_spoken_to_in_3_1_1(tmp_path: Path):
    refusing = Scripted(connack=b"\x20\x02\x00\x01")
    site = SiteEnd(tmp_path, refusing.port)
    site.start()
    wait_for(lambda: 4 in refusing.levels, "the older version")
    assert refusing.levels[0] == 5
    site.close()
    refusing.close()


def test_a_broker_that_spoke_5_is_not_taken_for_an_older_one_when_its_line_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "RECONNECT_MAX_S", 0.02)
    monkeypatch.setattr(module, "RECONNECT_MIN_S", 0.02)
    broker = Scripted(connack=b"\x20\x03\x00\x00\x00")
    site = SiteEnd(tmp_path, broker.port)
    site.start()
    wait_for(lambda: site.uplink._answered_in is not None, "the broker to be spoken to once")
    broker.answer_nothing()
    before = len(broker.levels)
    wait_for(lambda: len(broker.levels) > before + 2 * module.SILENT_CLOSES, "connections that are closed in silence")
    assert set(broker.levels) == {5}
    wait_for(lambda: 4 in broker.levels, "the older version after a long silence")
    site.close()
    broker.close()


class Scripted:
    """A broker that answers CONNECT as told, and may forbid every subscription (MQTT 5, *not authorized*)."""

    def __init__(self, *, connack: bytes, forbid: bool = False) -> None:
        self.packets: list[bytes] = []
        self._connack, self._forbid = connack, forbid
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self.port: int = self._listener.getsockname()[1]
        self._stop = False
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def answer_nothing(self) -> None:
        """Close every connection without a word from now on."""
        self._connack = b""

    @property
    def levels(self) -> list[int]:
        """The MQTT versions asked for."""
        return [packet[packet.index(b"MQTT") + 4] for packet in self.packets if packet[0] >> 4 == 1]

    def _serve(self) -> None:
        while not self._stop:
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            with connection:
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(0.1)
        while not self._stop:
            try:
                packet = connection.recv(4096)
            except TimeoutError:
                continue
            if not packet:
                return
            self.packets.append(packet)
            if packet[0] >> 4 == 1:
                connection.sendall(self._connack)
                if not self._forbid:
                    return
            elif packet[0] >> 4 == 8:
                codes = b"\x87" * len(topics.site_subscriptions(SITE))
                connection.sendall(bytes((0x90, 3 + len(codes))) + packet[2:4] + b"\x00" + codes)

    def close(self) -> None:
        self._stop = True
        self._thread.join(10)
        self._listener.close()


def test_the_password_of_a_link_is_never_shown():
    assert "sesame" not in repr(Link("h", 1, "u", "sesame"))
