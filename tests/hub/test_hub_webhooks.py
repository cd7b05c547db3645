"""Carriers are told: each event once in effect, in the order of its parcel, signed, whatever their server does (A-16)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import wait
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from hub.alerts.housekeeping import DAY_MS, EVENTS_DAYS
from hub.carriers import post
from hub.carriers.delivery import EVENTS_AT_ONCE, payload
from hub.carriers.webhooks import OLD_SECRET_MS, WEBHOOKS_MAX
from hub.core.carriers import PAUSED_AFTER_MS, TRIES_MAX
from hub.core.permissions import CARRIER_RIGHTS
from hub.intake import Intake
from hub.receiver import Incoming
from hub.store import webhooks
from hub.store.webhooks import NewEvent
from tests.hub.hub_carriers import LEAD, STRANGER, CarrierHub, announce
from tests.hub.hub_process import HubProcess
from tests.hub.hub_receiver import Receiver
from tests.hub.hub_site import Journal, life, until
from wire import topics
from wire.ids import ParcelId
from wire.messages import encode

PRIVATE = "[carriers]\nprivate_webhooks = true\n"
HOUR_MS = 3_600_000


class Told(CarrierHub):
    """A hub on a clock of its own, a carrier's program, and the carrier's server."""

    def __init__(self, folder: Path, store_url: str, receiver: Receiver) -> None:
        super().__init__(folder, store_url, PRIVATE)
        self.receiver = receiver
        self.now_ms = int(time.time() * 1000)
        self.deliverer = self.work.deliverer
        for part in (self.deliverer, self.hub.webhooks, self.hub.desk, self.work.housekeeping, self.work.intake):
            part._clock = lambda: self.now_ms
        self.deliverer._dice = lambda: 0.5
        self.client: TestClient = self.program()
        self.webhook: dict[str, Any] = self.client.post("/api/v1/carrier/webhooks", json={"url": receiver.url}).json()

    def look(self, later_ms: int = 0) -> None:
        """One round of the worker, some time later."""
        self.now_ms += later_ms
        done, _ = wait(self.deliverer.look(), timeout=30)
        for work in done:
            work.result()

    def live(self, parcel: str, site: str = "gambetta", journal: Journal | None = None) -> Journal:
        """The site tells the whole life of a parcel, in one batch."""
        written = journal or Journal(site, at_ms=self.now_ms)
        first = written.last + 1
        written.write(*life(ParcelId(parcel)))
        batch = written.batch(first, written.last)
        intake: Intake = self.work.intake
        intake._link = self.hub.desk._link
        intake.handle([Incoming(topics.topic(topics.FACTS, site), encode(batch), False, 1, 1)])
        return written

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with self.hub.store.reading() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def mine(self) -> dict[str, Any]:
        """How the address is doing."""
        (row,) = self.client.get("/api/v1/carrier/webhooks").json()["webhooks"]
        found: dict[str, Any] = row
        return found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def told(store_url: str, tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Told]:
    made = Told(tmp_path_factory.mktemp("told"), store_url, receiver)
    yield made
    made.close()


LIFE = ["announced", "received", "stored", "collecting", "collected"]


def test_a_16_a_life_is_told_in_its_order_signed_and_without_a_name(told: Told) -> None:
    _, mine = announce(told.client, recipient={"name": "Awa Diallo", "phone": "0612345678"})
    told.live(str(mine["id"]))
    told.live(told.desk_parcels["belleville"], "belleville")
    told.look()
    assert told.receiver.kinds() == [f"parcel.{state}" for state in LIFE]
    for one in told.receiver.arrived:
        assert one.is_signed_with(told.webhook["secret"])
        assert not one.is_signed_with("whsec_" + "A" * 44)
        assert one.said["data"]["parcel"] == mine["id"]
        assert "Awa" not in one.body
        assert "0612345678" not in one.body
    numbers = [one.said["data"]["number"] for one in told.receiver.arrived]
    assert numbers == sorted(numbers)
    told.look(HOUR_MS)
    assert len(told.receiver.arrived) == len(LIFE), "nothing arrives twice"
    followed = told.client.get(f"/api/v1/carrier/parcels/{mine['id']}/events").json()["events"]
    assert followed == [{"id": one.id, **one.said} for one in told.receiver.arrived]
    page = told.client.get("/api/v1/carrier/events").json()
    assert page["events"] == followed
    assert told.client.get(f"/api/v1/carrier/events?after={page['next']}").json() == {
        "events": [],
        "next": page["next"],
    }
    other = told.program("dhl")
    assert other.get("/api/v1/carrier/events").json()["events"] == []
    assert other.get(f"/api/v1/carrier/parcels/{mine['id']}/events").status_code == 404


def test_a_16_a_recall_is_told_once_and_a_parcel_found_at_the_desk_as_it_is(told: Told) -> None:
    _, mine = announce(told.client)
    for _ in range(2):
        told.client.post(f"/api/v1/carrier/parcels/{mine['id']}/recall")
    assert announce(told.client, tracking="8N002345841010")[0] == 200
    told.look()
    assert sorted(told.receiver.kinds()) == ["parcel.announced", "parcel.announced", "parcel.recalled"]


def test_a_16_what_fails_is_tried_again_under_the_same_id_and_holds_up_its_own_parcel_alone(told: Told) -> None:
    told.receiver.answers = [400]
    _, first = announce(told.client)
    told.live(str(first["id"]))
    _, second = announce(told.client, tracking="8N00234584199")
    told.look()
    parcels = [one.said["data"]["parcel"] for one in told.receiver.arrived]
    assert parcels == [first["id"], second["id"]], "later events of the first wait, the other parcel does not"
    told.look(4_000)
    assert len(told.receiver.arrived) == 2, "before its pause is over nothing is tried"
    told.look(2_000)
    assert told.receiver.kinds()[2:] == [f"parcel.{state}" for state in LIFE]
    assert told.receiver.arrived[0].id == told.receiver.arrived[2].id
    assert told.receiver.arrived[0].body == told.receiver.arrived[2].body
    assert told.mine()["failing_ms"] is None


def _reset(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    handler.connection.close()


def _dies_mid_way(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 20")
    handler.close_connection = True


def _drips(handler: BaseHTTPRequestHandler) -> None:
    for _ in range(100):
        try:
            handler.wfile.write(b"H")
        except OSError:
            return
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (500, "it answers 500"),
        (302, "it answers 302: a redirect is never followed"),
        (_reset, "it is not reached: "),
        (_dies_mid_way, "it is not reached: BadStatusLine"),
        (_drips, "it takes longer than 1 s"),
    ],
)
def test_a_16_a_server_that_is_ill_rests_and_gets_everything_in_the_end(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, answer: Any, problem: str
) -> None:
    told = Told(tmp_path, "", receiver)
    monkeypatch.setattr(post, "TOTAL_S", 1.0)
    receiver.headers = {"Location": "http://127.0.0.1:1/elsewhere"}
    receiver.answers = [answer, answer]
    for tracking in ("8N00234584197", "8N00234584198", "8N00234584199"):
        announce(told.client, tracking=tracking)
    told.look()
    assert len(receiver.arrived) == 1, "nothing else is tried at an address that answers nothing"
    assert told.mine()["problem"].startswith(problem)
    assert told.mine()["waiting"] == 3
    told.look(5_001)
    assert len(receiver.arrived) == 2
    told.look(29_000)
    assert len(receiver.arrived) == 2, "the second rest is longer"
    told.look(2_000)
    told.look(30_000)
    assert (told.mine()["waiting"], told.mine()["problem"]) == (0, "")
    assert len({one.id for one in receiver.arrived}) == 3
    told.close()


def test_a_16_a_server_says_how_long_it_wants_to_rest(told: Told) -> None:
    told.receiver.answers, told.receiver.headers = [503], {"Retry-After": "300"}
    announce(told.client)
    told.look()
    told.look(299_000)
    assert len(told.receiver.arrived) == 1
    told.look(2_000)
    assert len(told.receiver.arrived) == 2


def test_a_16_what_is_given_up_is_shown_and_goes_again_when_somebody_says_so(told: Told) -> None:
    _, ill = announce(told.client)
    told.receiver.never_takes = str(ill["id"])
    told.live(str(ill["id"]))
    told.look()
    for number in range(TRIES_MAX - 1):
        told.now_ms += 5 * HOUR_MS
        announce(told.client, tracking=f"8N002345842{number:02}")
        told.look()
    (dead,) = told.client.get("/api/v1/carrier/deliveries?state=dead").json()["deliveries"]
    assert (dead["type"], dead["attempts"], dead["problem"]) == ("parcel.announced", TRIES_MAX, "it answers 422")
    assert told.mine()["paused_ms"] is None, "everything else arrives"
    told.receiver.never_takes = ""
    told.look(5 * HOUR_MS)
    sick = [one.said["type"] for one in told.receiver.arrived if one.said["data"]["parcel"] == ill["id"]]
    assert sick == ["parcel.announced"] * TRIES_MAX + ["parcel.received"] + [f"parcel.{state}" for state in LIFE[1:]]
    again = f"/api/v1/carrier/webhooks/{dead['webhook']}/deliveries/{dead['event']}/retry"
    assert told.client.post(again).status_code == 204
    told.look()
    assert told.receiver.arrived[-1].id == dead["id"]
    assert told.client.get("/api/v1/carrier/deliveries?state=dead").json() == {"deliveries": []}
    assert told.client.post(again).json()["code"] == "unknown_delivery"


def test_a_16_an_address_where_nothing_arrives_is_left_alone_and_somebody_is_told(told: Told) -> None:
    told.receiver.answers = [500] * 100
    for number in range(10, 16):
        announce(told.client, tracking=f"8N00234584{number}9")
    for _ in range(200):
        told.look(10 * 60_000)
        if told.mine()["paused_ms"]:
            break
    assert told.mine()["paused_ms"] == told.now_ms
    assert told.mine()["paused_ms"] - told.mine()["failing_ms"] >= PAUSED_AFTER_MS
    (alert,) = told.ask("SELECT site, kind, subject, detail FROM alert WHERE cleared_ms IS NULL")
    assert alert[:3] == ("gambetta", "webhook_paused", str(told.webhook["id"]))
    assert alert[3] == "La Poste: it answers 500. Nothing is sent there until somebody lets it go on"
    tried = len(told.receiver.arrived)
    told.receiver.answers = []
    announce(told.client, tracking="8N00234584299")
    told.look(48 * HOUR_MS)
    assert len(told.receiver.arrived) == tried, "nothing is sent while it is paused"
    with pytest.raises(Exception, match="no such address"):
        told.hub.webhooks.resume(told.webhook["id"], STRANGER)
    told.hub.webhooks.resume(told.webhook["id"], LEAD)
    told.look()
    assert told.mine()["waiting"] == 0
    assert len({one.id for one in told.receiver.arrived[tried:]}) == 7
    assert told.ask("SELECT count(*) FROM alert WHERE cleared_ms IS NULL") == [(0,)]


def test_a_16_an_address_that_is_gone_is_paused_at_once(told: Told) -> None:
    told.receiver.answers = [410]
    announce(told.client)
    told.look()
    assert told.mine()["paused_ms"] == told.now_ms
    assert told.ask("SELECT kind FROM alert WHERE cleared_ms IS NULL") == [("webhook_paused",)]
    assert told.client.delete(f"/api/v1/carrier/webhooks/{told.webhook['id']}").status_code == 204
    assert told.client.get("/api/v1/carrier/webhooks").json() == {"webhooks": []}
    assert told.ask("SELECT count(*) FROM alert WHERE cleared_ms IS NULL") == [(0,)]
    assert told.ask("SELECT count(*) FROM delivery") == [(0,)]


def test_a_16_a_secret_is_changed_without_losing_an_event(told: Told) -> None:
    old = told.webhook["secret"]
    new = told.client.post(f"/api/v1/carrier/webhooks/{told.webhook['id']}/rotate").json()["secret"]
    announce(told.client)
    told.look()
    (both,) = told.receiver.arrived
    assert both.is_signed_with(old)
    assert both.is_signed_with(new)
    assert len(both.signature.split()) == 2
    told.now_ms += OLD_SECRET_MS + 1
    announce(told.client, tracking="8N00234584199")
    told.look()
    last = told.receiver.arrived[-1]
    assert not last.is_signed_with(old)
    assert len(last.signature.split()) == 1
    stored = str(told.ask("SELECT secret, old_secret FROM webhook"))
    assert old not in stored
    assert new not in stored


def test_a_16_one_slow_server_holds_up_nobody_else(told: Told) -> None:
    slow = Receiver()
    held, let_go = threading.Event(), threading.Event()

    def hold(_handler: object) -> None:
        held.set()
        let_go.wait(30)

    slow.answers = [hold]
    other = told.program("dhl")
    other.post("/api/v1/carrier/webhooks", json={"url": slow.url})
    announce(other)
    first = told.deliverer.look()
    until(held.is_set, "the slow server has it")
    announce(told.client, tracking="8N00234584199")
    second = told.deliverer.look()
    wait(second, timeout=10)
    assert told.receiver.kinds() == ["parcel.announced"]
    assert len(second) == 1, "nobody else speaks to an address that is spoken to"
    let_go.set()
    wait(first, timeout=30)
    slow.close()


def test_a_16_whoever_asks_what_came_after_a_number_misses_nothing(told: Told) -> None:
    """No smaller number is committed later, whoever writes at the same moment, and after a copy was put back."""
    partner = told.ask("SELECT id FROM partner")[0][0]
    store, done = told.hub.store, threading.Event()

    def event(name: str) -> NewEvent:
        return NewEvent(name, partner, "0000000000001", 1, "8N00234584108", "parcel.stored", 1)

    def other() -> None:
        with store.writing() as connection:
            webhooks.add_events(connection, [event("evt_other")], 1)
        done.set()

    with store.writing() as connection:
        webhooks.skip_numbers(connection)
    thread = threading.Thread(target=other)
    with store.writing() as connection:
        webhooks.add_events(connection, [event("evt_one")], 1)
        thread.start()
        assert not done.wait(0.3), "the other one waits for its turn"
    thread.join(30)
    events = told.client.get("/api/v1/carrier/events").json()
    assert [one["id"] for one in events["events"]] == ["evt_one", "evt_other"]
    with store.writing() as connection:
        webhooks.skip_numbers(connection)
        webhooks.add_events(connection, [event("evt_later")], 1)
    (later,) = told.client.get(f"/api/v1/carrier/events?after={events['next'] + 5_000}").json()["events"]
    assert later["id"] == "evt_later"


def test_a_16_addresses_are_bounded_and_ones_own(told: Told) -> None:
    url = "/api/v1/carrier/webhooks"
    for number in range(WEBHOOKS_MAX - 1):
        assert told.client.post(url, json={"url": f"{told.receiver.url}{number}"}).status_code == 201
    assert told.client.post(url, json={"url": told.receiver.url}).json()["code"] == "too_many"
    other = told.program("dhl")
    for method, path in (("POST", "/rotate"), ("POST", "/resume"), ("DELETE", ""), ("POST", "/deliveries/1/retry")):
        answer = other.request(method, f"{url}/{told.webhook['id']}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_webhook")
    assert told.client.post(f"{url}/{told.webhook['id']}/deliveries/1/retry").json()["code"] == "unknown_delivery"
    assert told.hub.webhooks.addresses(STRANGER) == []
    assert [row.carrier for row in told.hub.webhooks.addresses(LEAD)] == ["La Poste"] * WEBHOOKS_MAX
    assert "?" not in told.hub.webhooks.addresses(LEAD)[0].shown
    for _ in range(3):
        announce(told.client, tracking=f"8N002345842{_}9")
    told.look()
    assert len(told.receiver.arrived) == 3 * WEBHOOKS_MAX
    told.now_ms += EVENTS_DAYS * DAY_MS + 1
    told.work.housekeeping.erase()
    assert told.client.get("/api/v1/carrier/events").json()["events"] == []
    assert told.client.get("/api/v1/carrier/deliveries").json() == {"deliveries": []}
    assert EVENTS_AT_ONCE > 3


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://",
        "https://user:word@example.com/",
        "https://example.com/#part",
        "https://exa mple.com/",
        "https://exämple.com/",
        "https://example.com:port/",
        "https://example.com:0/",
        "https://[::1/",
        "ftp://example.com/",
        "https://127.0.0.1/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:10.0.0.1]/",
        "https://[2002:7f00:1::]/",
        "https://224.0.0.1/",
        "https://example.com/" + "x" * 500,
    ],
)
def test_a_16_an_address_that_is_none_or_inside_our_network_is_not_taken(url: str) -> None:
    with pytest.raises(post.BadUrl):
        post.checked_url(url, private=False)


def test_a_16_a_name_that_stands_for_an_address_inside_is_found_out_when_it_is_called(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert post.checked_url("https://localhost/", private=False) == "https://localhost/"
    inside = receiver.url.replace("127.0.0.1", "localhost")
    with pytest.raises(post.NotDelivered, match="the Internet does not reach"):
        post.post(inside, b"{}", {}, private=False)
    assert receiver.arrived == []
    with pytest.raises(post.NotDelivered, match="its name is not found"):
        post.post("http://nothing.invalid/", b"{}", {}, private=True)
    with pytest.raises(post.NotDelivered, match="its name is not found"):
        post.post(f"http://{'x' * 70}.example/", b"{}", {}, private=True)
    monkeypatch.setattr(post, "TIMEOUT_S", 2.0)
    with pytest.raises(post.NotDelivered, match="it is not reached: SSL"):
        post.post(receiver.url.replace("http:", "https:"), b"{}", {}, private=True)


def test_a_16_a_hub_that_is_killed_between_sending_and_noting_sends_under_the_same_id_again(
    store_url: str, tmp_path: Path, mosquitto: Any, free_port: int, receiver: Receiver
) -> None:
    hub = HubProcess(tmp_path, broker_port=mosquitto.port, web_port=free_port, store_url=store_url, notify=PRIVATE)
    hub.run("site", "add", "gambetta", "--name", "Gambetta")
    key = hub.run("carrier", "add", "Colis Express", "production")
    client = httpx2.Client(base_url=hub.url, headers={"Authorization": f"Bearer {key}"})
    receiver.answers = [lambda _handler: hub.kill()]
    hub.start()
    try:
        secret = client.post("/api/v1/carrier/webhooks", json={"url": receiver.url}).json()["secret"]
        wish = {"site": "gambetta", "tracking": "8N00234584199"}
        mine = client.post("/api/v1/carrier/parcels", json=wish, headers={"Idempotency-Key": "1"}).json()
        until(lambda: receiver.arrived and hub._process is None, "the event arrived, and killed the hub")
        hub.start()
        again = client.post("/api/v1/carrier/parcels", json=wish, headers={"Idempotency-Key": "1"})
        assert again.json() == mine
        client.post(f"/api/v1/carrier/parcels/{mine['id']}/recall")
        until(lambda: len(receiver.arrived) == 3, "the event arrived again, and the next one")
        until(lambda: hub.ask("SELECT count(*) FROM delivery WHERE state = 'delivered'") == [(2,)], "it is noted")
    finally:
        hub.close()
        client.close()
    first, again_told, last = receiver.arrived
    assert (first.id, first.body) == (again_told.id, again_told.body)
    assert all(one.is_signed_with(secret) for one in receiver.arrived)
    effects = {one.id: one.said["type"] for one in receiver.arrived}
    assert list(effects.values()) == ["parcel.announced", "parcel.recalled"]
    assert last.said["data"]["number"] > first.said["data"]["number"]


def test_a_16_what_is_sent_is_what_the_guide_shows() -> None:
    row = type("Row", (), {
        "kind": "parcel.stored", "at_ms": 1_795_771_800_000, "number": 42, "parcel": "0G2M4R8T1V3W5",
        "site": "gambetta", "tracking": "8N00234584108",
    })  # fmt: skip
    guide = (Path(__file__).parents[2] / "docs" / "carriers.md").read_text()
    assert payload(row) in guide
    assert {right for right in CARRIER_RIGHTS if f"`{right}`" in guide} >= CARRIER_RIGHTS
