"""A hub of several processes: two ingest workers and a web worker on one PostgreSQL, and sites that notice nothing (ADR 0028)."""

from __future__ import annotations

import json
import random
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.intake import EARLY_MS_MAX, Incarnation, Intake
from hub.metrics import Metrics
from hub.receiver import Incoming, Mailbox
from hub.store import meta
from tests.hub.hub_bench import Bench
from tests.hub.hub_process import HubProcess
from tests.hub.hub_site import Journal, Site, life_of, until
from tests.tools.ports import free_port
from wire import topics
from wire.messages import Verb, decode, encode

SITES = ("gambetta", "belleville", "asnieres", "clichy")
PARCELS = 30
KILLS = 6
ROUND_S = 2.0
SEND_AGAIN_S = 1.0
"""A scripted site says again what nobody acknowledged; a real one waits ten seconds for that."""


# ------------------------------------------------------------------------------------------------------ two intakes, by hand


class Two:
    """Two intakes of one hub, each with what it was sent and what it acknowledged to the broker."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        with bench.store.writing() as connection:
            meta.save_incarnation(connection, 1000)
        self.first, self.second = self._intake(), self._intake()
        self.journal = Journal("gambetta")
        self.journal.write(*life_of(1))
        self._receipts = 0

    def _intake(self) -> Intake:
        bench = self.bench
        return Intake(
            store=bench.store,
            mailbox=Mailbox(),
            link=bench.link,
            incarnation=Incarnation(0, is_shared=True),
            live=bench.live,
            metrics=Metrics(),
            clock=bench.clock,
            wake_planner=bench.planner.wake,
            announce_all=bench.planner.joined,
            wake_sender=bench.sender.wake,
            announces=False,
        )

    def batch(self, first: int, last: int) -> Incoming:
        self._receipts += 1
        payload = encode(self.journal.batch(first, last))
        return Incoming(topics.topic(topics.FACTS, "gambetta"), payload, False, self._receipts, 1)

    def facts(self) -> list[int]:
        with self.bench.store.reading() as connection:
            return [row[0] for row in connection.exec_driver_sql("SELECT seq FROM fact ORDER BY seq")]

    def alerts(self) -> list[str]:
        with self.bench.store.reading() as connection:
            return [row[0] for row in connection.exec_driver_sql("SELECT kind FROM alert")]

    def said(self, channel: topics.Channel) -> list[Any]:
        """What the site was told on a channel."""
        wanted = topics.topic(channel, "gambetta")
        return [decode(channel.message, payload) for topic, payload in self.bench.link.said if topic == wanted]


@pytest.fixture
def two(bench: Bench) -> Two:
    return Two(bench)


def test_facts_that_overtake_those_they_follow_wait_and_are_committed_once(two: Two) -> None:
    later = two.batch(5, 9)
    two.first.handle([later])
    assert two.facts() == []
    assert two.bench.link.acknowledged == []
    two.second.handle([two.batch(1, 4)])
    two.first.handle([])
    assert two.facts() == list(range(1, 10))
    assert two.bench.link.acknowledged == [2, 1]
    assert two.alerts() == []
    two.first.handle([])
    assert two.bench.link.acknowledged == [2, 1], "once"


def test_facts_that_wait_in_vain_are_a_gap_as_ever(two: Two) -> None:
    later = two.batch(5, 9)
    two.first.handle([later])
    two.bench.now_ms += EARLY_MS_MAX
    two.first.handle([])
    assert two.facts() == []
    assert two.bench.link.acknowledged == [later.receipt]
    assert two.alerts() == ["gap"]
    assert [command.verb for command in two.said(topics.COMMAND)] == [Verb.REBIRTH]


def test_what_waits_is_counted_and_holds_up_nobody_else(two: Two) -> None:
    other = Journal("belleville")
    other.write(*life_of(2))
    two.first.handle([two.batch(5, 9)])
    assert two.first.gauges()["waiting_broker_messages"] == 1
    fine = Incoming(topics.topic(topics.FACTS, "belleville"), encode(other.batch(1, 9)), False, 99, 1)
    two.first.handle([fine])
    assert two.facts() == list(range(1, 10))
    assert two.bench.link.acknowledged == [fine.receipt]


def test_both_speak_with_the_newest_incarnation_and_it_never_goes_back(two: Two) -> None:
    with two.bench.store.writing() as connection:
        meta.save_incarnation(connection, 2000)
        meta.save_incarnation(connection, 1500)
    two.second.handle([two.batch(1, 9)])
    (ack,) = two.said(topics.ACK)
    assert ack.incarnation == 2000


# ----------------------------------------------------------------------------------------------------- the whole, as processes


@dataclass
class Network:
    """Two ingest workers, a web worker, and scripted sites."""

    web: HubProcess
    ingest: list[HubProcess]
    sites: dict[str, Site]

    def leaders(self) -> list[int]:
        """Which ingest workers say that they lead."""
        return [number for number, worker in enumerate(self.ingest) if _gauge(worker, "consigne_leads") == 1.0]


def _is_planned(site: Site, parcel: str) -> bool:
    return bool(site.plans) and any(one.id == parcel for one in site.plans[-1].parcels)


def _gauge(worker: HubProcess, name: str) -> float:
    try:
        with urllib.request.urlopen(worker.url + "/metrics", timeout=10) as response:
            told = response.read().decode()
    except OSError:
        return float("nan")
    return float(next(line.split()[1] for line in told.splitlines() if line.startswith(f"{name} ")))


@pytest.fixture
def network(tmp_path: Path, mosquitto: Any, postgres_url: str) -> Iterator[Network]:
    base = HubProcess(tmp_path, broker_port=mosquitto.port, web_port=free_port(), store_url=postgres_url)
    for site in SITES:
        base.run("site", "add", site, "--name", site)
    workers = [base.worker("web", free_port()), base.worker("ingest", free_port()), base.worker("ingest", free_port())]
    for worker in workers:
        worker.start(waits=False)
    for worker in workers:
        worker.wait_until_ready()
    connected = {site: Site(mosquitto.port, Journal(site), batch=7) for site in SITES}
    yield Network(workers[0], workers[1:], connected)
    for one in connected.values():
        one.close()
    for worker in (*workers, base):
        worker.close()


@pytest.mark.mosquitto
@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_ingest_workers_of_which_one_is_killed_every_few_seconds_lose_and_double_nothing(network: Network) -> None:
    until(lambda: len(network.leaders()) == 1, "one of them leads")
    chance, numbers = random.Random(1), iter(range(1, 1_000_000))
    for site in network.sites.values():
        site.birth()
    announced = [
        network.web.post("/api/v1/parcels", {"site": site, "recipient": {"phone": "0612345678"}})["id"]
        for site in SITES
    ]
    planned = list(zip(announced, network.sites.values(), strict=True))
    until(lambda: all(_is_planned(site, parcel) for parcel, site in planned), "whoever leads says the plans")
    stream = urllib.request.urlopen(network.web.url + "/live", timeout=60)
    led: set[int] = set()
    for number in range(KILLS):
        end = time.monotonic() + ROUND_S
        while time.monotonic() < end:
            for site in network.sites.values():
                if site.journal.last < 9 * PARCELS * (number + 1) / KILLS:
                    site.journal.write(*life_of(next(numbers)))
                site.send_after_ack()
            time.sleep(SEND_AGAIN_S / 4)
        led.update(network.leaders())
        worker = network.ingest[number % 2 if number else (network.leaders() or [0])[0]]
        worker.kill()
        time.sleep(chance.uniform(0, 0.5))
        worker.start(waits=False)

    def all_acked() -> bool:
        for site in network.sites.values():
            if site.acked < site.journal.last:
                site.send_after_ack()
        time.sleep(SEND_AGAIN_S)
        return all(site.acked == site.journal.last for site in network.sites.values())

    until(all_acked, "every fact is acknowledged", 90)
    until(lambda: len(network.leaders()) == 1, "one of them leads")
    led.update(network.leaders())
    assert led == {0, 1}, "each has led"
    rows = network.web.ask("SELECT site.id, seq, hash FROM fact JOIN site ON site.number = fact.site ORDER BY 1, 2")
    wanted = [
        (name, seq, bytes.fromhex(site.journal.hashes[seq]))
        for name, site in sorted(network.sites.items())
        for seq in range(1, site.journal.last + 1)
    ]
    assert [(site, seq, bytes(digest)) for site, seq, digest in rows] == wanted
    told = network.web.ask("SELECT state, count(*) FROM parcel GROUP BY state")
    assert dict(told)["collected"] == sum(site.journal.last // 9 for site in network.sites.values())
    assert network.web.run("verify")
    assert network.web.get("/api/v1/alerts")["alerts"] == []
    assert _first_site_event(stream) in SITES
    stream.close()
    with pytest.raises(subprocess.CalledProcessError) as refused:
        network.web.run("serve")
    assert "workers of this hub run on this database" in refused.value.stderr
    assert _gauge(network.web, "consigne_led") == 1.0
    for worker in (network.web, *network.ingest):
        worker.wait_until_ready()
        worker.stop()
    until(lambda: not network.sites["gambetta"].presences[-1].online, "whoever led says goodbye")
    assert "Traceback" not in network.web.log()
    network.web.start()
    assert _gauge(network.web, "consigne_led") == 0.0
    page = urllib.request.urlopen(network.web.url + "/system", timeout=10).read().decode()
    assert "Aucun processus de réception ne travaille" in page


def _first_site_event(stream: Any) -> str:
    """What the web worker heard from an ingest worker."""
    while True:
        line = stream.readline().decode().strip()
        assert line or not stream.closed
        if line == "event: site":
            data: dict[str, str] = json.loads(stream.readline().decode().removeprefix("data: "))
            return data["site"]


def test_several_processes_on_one_file_are_refused_with_what_to_do(tmp_path: Path) -> None:
    alone = HubProcess(tmp_path, broker_port=1, web_port=free_port())
    with pytest.raises(subprocess.CalledProcessError) as refused:
        alone.run("serve", "ingest:8091")
    assert "several processes need PostgreSQL" in refused.value.stderr
    with pytest.raises(subprocess.CalledProcessError) as misspelt:
        alone.run("serve", "ingests")
    assert "expected web:PORT or ingest:PORT" in misspelt.value.stderr
    alone.close()
