"""The whole hub as a process, a real Mosquitto, and scripted sites."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from email.message import Message
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.hub.hub_process import HubProcess
from tests.hub.hub_service import OtherService
from tests.hub.hub_site import Journal, Site, life, life_of, until
from wire.ids import ParcelId, ParcelState
from wire.messages import HeldIntent
from wire.topics import FACTS, topic

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow, pytest.mark.timeout(120)]


class Inbox:
    """A pretend gateway: counts every delivery; refuses the first few when told so."""

    def __init__(self) -> None:
        self.deliveries: list[dict[str, Any]] = []
        self.refusals = 0
        self._service = OtherService(self._hear)
        self.url = f"http://127.0.0.1:{self._service.port}/"
        self.close = self._service.close

    def _hear(self, _path: str, headers: Message, body: Any) -> int:
        if self.refusals:
            self.refusals -= 1
            return 503
        assert headers["Idempotency-Key"] == body["id"]
        self.deliveries.append(body)
        return 204


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    box = Inbox()
    yield box
    box.close()


@pytest.fixture
def hub(tmp_path: Path, mosquitto: Any, free_port: int, inbox: Inbox) -> Iterator[HubProcess]:
    process = HubProcess(
        tmp_path,
        broker_port=mosquitto.port,
        web_port=free_port,
        notify=f'[notify]\ndriver = "webhook"\nurl = "{inbox.url}"\nfirst_hour = 0\nend_hour = 24\n',
    )
    process.run("site", "add", "gambetta", "--name", "Conciergerie Gambetta", "--address", "12 place Gambetta")
    process.start()
    yield process
    process.close()


@pytest.fixture
def site_of(mosquitto: Any) -> Iterator[Callable[..., Site]]:
    sites: list[Site] = []

    def connect(journal: Journal, **options: Any) -> Site:
        sites.append(Site(mosquitto.port, journal, **options))
        return sites[-1]

    yield connect
    for site in sites:
        site.close()


def stored(hub: HubProcess) -> list[tuple[Any, ...]]:
    return hub.ask("SELECT seq, hash FROM fact ORDER BY seq")


def expected(journal: Journal) -> list[tuple[int, bytes]]:
    return [(seq, bytes.fromhex(journal.hashes[seq])) for seq in range(1, journal.last + 1)]


def test_batches_that_come_twice_and_in_disorder_are_committed_once_and_whole(
    hub: HubProcess, site_of: Callable[..., Site]
) -> None:
    journal = Journal("gambetta")
    for number in range(10):
        journal.write(*life_of(number + 1))
    journal.write(b'{"kind":"from_the_future","much":1}')
    site = site_of(journal)
    site.birth()
    for first, last in ((1, 30), (1, 30), (61, 80), (20, 60), (61, 80), (81, 91), (50, 91)):
        site.send(journal.batch(first, last))
    until(lambda: site.acked == 91, "everything is acked")
    assert stored(hub) == expected(journal)
    assert hub.ask("SELECT kind FROM fact WHERE seq = 91") == [("from_the_future",)]
    assert hub.ask("SELECT state, count(*) FROM parcel GROUP BY state") == [("collected", 10)]
    assert [command.verb for command in site.commands] == ["rebirth"]


def test_an_edited_journal_is_refused_until_an_admin_adopts_it(hub: HubProcess, site_of: Callable[..., Site]) -> None:
    journal = Journal("gambetta")
    journal.write(*life_of(1))
    site = site_of(journal)
    site.birth()
    site.send_after_ack()
    until(lambda: site.acked == 9, "the first journal is acked")
    other = Journal("gambetta", "journal-two")
    other.write(*life_of(2))
    site.journal = other
    site.send(other.batch(1, 9))
    until(lambda: [alert["kind"] for alert in hub.get("/api/v1/alerts")["alerts"]] == ["identity"], "the alert")
    assert stored(hub) == expected(journal)
    hub.run("site", "adopt", "gambetta")
    site.send(other.batch(1, 9))
    until(lambda: hub.ask("SELECT journal, seq FROM site_cursor") == [("journal-two", 9)], "the new journal")
    assert hub.ask("SELECT journal, count(*) FROM fact GROUP BY journal ORDER BY journal") == [(1, 9), (2, 9)]


def test_a_hub_killed_during_traffic_has_every_fact_once(
    hub: HubProcess, site_of: Callable[..., Site], inbox: Inbox
) -> None:
    parcels = [
        hub.post("/api/v1/parcels", {"site": "gambetta", "recipient": {"phone": "0612345678", "name": "Awa Diallo"}})
        for _number in range(12)
    ]
    journal = Journal("gambetta")
    for parcel in parcels:
        journal.write(*life(ParcelId(parcel["id"]), source="plan"))
    site = site_of(journal, batch=3)
    site.birth()
    for round_number in range(2):
        site.send_after_ack()
        wanted = round_number * 40 + 1
        until(partial(_has_acked, site, wanted), "some facts are acked")
        hub.kill()
        hub.start()
    site.send_after_ack()
    until(lambda: site.acked == journal.last, "everything is acked")
    assert stored(hub) == expected(journal)
    until(lambda: hub.ask("SELECT count(*) FROM message WHERE state = 'waiting'") == [(0,)], "all are sent", 40)
    keys = sorted({delivery["id"] for delivery in inbox.deliveries})
    gone = hub.ask("SELECT parcel, kind FROM message WHERE state = 'unsent' AND problem = 'overtaken'")
    told = keys + [f"{parcel}:{kind}" for parcel, kind in gone]
    assert sorted(told) == sorted(f"{parcel['id']}:{kind}" for parcel in parcels for kind in ("ready", "collected"))
    assert {kind for _parcel, kind in gone} <= {"ready"}, "a code that opens nothing any more is not sent"
    assert hub.ask("SELECT state, count(*) FROM parcel GROUP BY state") == [("collected", 12)]


def test_a_hub_restored_from_an_older_copy_makes_the_site_rewind_and_both_agree(
    hub: HubProcess, site_of: Callable[..., Site], tmp_path: Path
) -> None:
    journal = Journal("gambetta")
    journal.write(*life_of(1))
    site = site_of(journal)
    site.birth()
    site.send_after_ack()
    until(lambda: site.acked == 9, "the first life is acked")
    assert hub.stop() in {0, -15}  # uvicorn passes the signal on when all is done
    shutil.copytree(tmp_path / "state", tmp_path / "backup")
    hub.start()
    forgotten = hub.post("/api/v1/parcels", {"site": "gambetta", "tracking": "8N00234584999"})
    journal.write(*life(ParcelId(forgotten["id"]), ends=False, source="plan"))
    site.send_after_ack()
    until(lambda: site.acked == 14, "the second life is acked")
    first = site.incarnation
    hub.kill()
    shutil.rmtree(tmp_path / "state")
    shutil.copytree(tmp_path / "backup", tmp_path / "state")
    hub.start()
    until(lambda: site.incarnation > first and site.acked == 9, "the site rewinds")
    held = HeldIntent(parcel=ParcelId(forgotten["id"]), version=3, epoch=0, state=ParcelState.STORED)
    site.birth(held=(held,))
    site.send_after_ack()
    until(lambda: site.acked == 14, "the second life is acked again")
    assert stored(hub) == expected(journal)
    assert hub.ask(f"SELECT state, version, source FROM parcel WHERE id = '{forgotten['id']}'") == [
        ("stored", 3, "recovered")
    ]


def test_a_stored_parcel_tells_its_recipient_once_and_no_log_holds_name_phone_or_code(
    hub: HubProcess, site_of: Callable[..., Site], inbox: Inbox
) -> None:
    inbox.refusals = 1
    recipient = {"name": "Awa Diallo", "phone": "06 12 34 56 78"}
    parcel = hub.post("/api/v1/parcels", {"site": "gambetta", "recipient": recipient})
    slip = hub.get(f"/api/v1/parcels/{parcel['id']}/slip")
    journal = Journal("gambetta")
    journal.write(*life(ParcelId(parcel["id"]), ends=False, source="plan"))
    site = site_of(journal)
    site.birth()
    site.send(journal.batch(1, 5))
    site.send(journal.batch(1, 5))
    until(lambda: len(inbox.deliveries) == 1, "the message", 30)
    told = inbox.deliveries[0]
    assert (told["to"], told["kind"]) == ("0612345678", "ready")
    assert slip["digits"].replace(" ", "\u00a0") in told["text"]
    hub.get("/api/v1/parcels?q=Diallo")
    hub.post(f"/api/v1/parcels/{parcel['id']}/reissue")
    until(lambda: len(inbox.deliveries) == 2, "the new digits", 30)
    assert inbox.deliveries[1]["kind"] == "replaced"
    hub.stop()
    log = hub.log()
    secrets = ("Diallo", "0612345678", slip["digits"], slip["digits"].replace(" ", ""), slip["qr"])
    assert [secret for secret in secrets if secret in log] == []
    assert "was not sent" in log


def test_an_announced_parcel_is_in_the_retained_plan_and_leaves_it_when_collected(
    hub: HubProcess, site_of: Callable[..., Site]
) -> None:
    journal = Journal("gambetta")
    site = site_of(journal)
    parcel = hub.post("/api/v1/parcels", {"site": "gambetta", "tracking": "8N00234584108", "size": "M"})
    until(lambda: site.plans and [planned.id for planned in site.plans[-1].parcels] == [parcel["id"]], "the plan")
    journal.write(*life(ParcelId(parcel["id"]), source="plan"))
    site.send_after_ack()
    until(lambda: site.plans[-1].parcels == (), "the plan without it")
    order = [(plan.incarnation, plan.revision) for plan in site.plans]
    assert order == sorted(order)
    assert hub.get(f"/api/v1/parcels/{parcel['id']}")["parcel"]["state"] == "collected"


def test_an_unknown_site_is_quarantined_and_never_acked(hub: HubProcess, site_of: Callable[..., Site]) -> None:
    journal = Journal("belleville")
    journal.write(*life_of(1))
    site = site_of(journal)
    site.send_after_ack()
    until(lambda: hub.get("/api/v1/alerts")["alerts"], "the alert")
    assert [(alert["site"], alert["kind"]) for alert in hub.get("/api/v1/alerts")["alerts"]] == [
        ("belleville", "unknown_site")
    ]
    assert hub.ask("SELECT topic, reason FROM quarantine") == [(topic(FACTS, "belleville"), "unknown site")]
    assert site.acks == []
    assert hub.ask("SELECT count(*) FROM fact") == [(0,)]


def test_identify_is_sent_with_an_end_and_its_answer_is_kept(hub: HubProcess, site_of: Callable[..., Site]) -> None:
    from wire.messages import Outcome, Reply, encode
    from wire.topics import REPLY

    site = site_of(Journal("gambetta"))
    sent = hub.post("/api/v1/sites/gambetta/commands", {"verb": "identify"})
    until(lambda: site.commands, "the command")
    command = site.commands[0]
    assert (command.id, command.verb) == (sent["id"], "identify")
    assert 0 < command.expires_at_ms - command.issued_at_ms <= 30_000
    for outcome in (Outcome.DONE, Outcome.ACCEPTED):
        reply = Reply(site="gambetta", id=command.id, verb="identify", outcome=outcome)
        site.send_raw(topic(REPLY, "gambetta"), encode(reply))
    until(lambda: hub.get(f"/api/v1/sites/gambetta/commands/{command.id}")["outcome"], "the answer")
    assert hub.get(f"/api/v1/sites/gambetta/commands/{command.id}")["outcome"] == "done"


def _has_acked(site: Site, wanted: int) -> bool:
    return site.acked >= wanted
