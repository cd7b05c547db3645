"""A site without a machine: a carrier's developer sees a whole life, and nobody else is told or counted (A-16)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.__main__ import main
from hub.core.permissions import Scope
from hub.sites.services import SiteCard
from hub.store import desk, rhythm
from tests.hub.hub_carriers import LEAD, announce
from tests.hub.hub_process import write_settings
from tests.hub.hub_receiver import Receiver
from tests.hub.test_hub_webhooks import Told


@pytest.fixture
def told(store_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    receiver = Receiver()
    made = Told(tmp_path_factory.mktemp("sandbox"), store_url, receiver)
    made.hub.sites.create("essais", SiteCard("Bac à sable", "", ""), 1, LEAD, sandbox=True)
    made.work.housekeeping._sandbox._clock = lambda: made.now_ms
    yield made
    made.close()
    receiver.close()


def test_a_16_a_life_without_a_machine_is_told_and_nobody_else_hears_of_it(told: Told) -> None:
    recipient = {"name": "Awa Diallo", "phone": "0612345678", "email": "awa@example.org"}
    _, mine = announce(told.client, site="essais", recipient=recipient)
    _, refused = announce(told.client, site="essais", tracking="8N00234584199")
    _, recalled = announce(told.client, site="essais", tracking="8N00234584108")
    _, real = announce(told.client, site="gambetta", tracking="8N00234584107")
    told.client.post(f"/api/v1/carrier/parcels/{recalled['id']}/recall")
    for _ in range(60):
        told.now_ms += 1_000
        told.work.housekeeping._sandbox.look()
        told.look()
    lives: dict[str, list[str]] = {}
    for one in told.receiver.arrived:
        lives.setdefault(one.said["data"]["parcel"], []).append(one.said["data"]["state"])
    assert lives == {
        mine["id"]: ["announced", "received", "stored", "collecting", "collected"],
        refused["id"]: ["announced", "received", "stored", "refused", "returned"],
        recalled["id"]: ["announced", "recalled", "removed"],
        real["id"]: ["announced"],
    }
    assert told.ask("SELECT count(*) FROM message") == [(0,)]
    assert told.ask(f"SELECT name, phone, email FROM contact WHERE parcel = '{mine['id']}'") == [("", "", "")]
    assert told.work.housekeeping._sandbox.look() == 0
    with told.hub.store.reading() as connection:
        number = desk.site(connection, "essais").number
        assert rhythm.hours(connection, [number], "stored_ms", 0) == []
        assert rhythm.lives(connection, number, 0) == []
        assert "essais" not in desk.stale_plans(connection)
        assert number not in {card.number for card in desk.site_cards(connection)}


def test_a_16_a_sandbox_has_room_and_is_there(told: Told) -> None:
    room = told.client.get("/api/v1/carrier/sites/essais/capacity").json()
    assert (room["sandbox"], room["online"], room["age_ms"]) == (True, True, 0)
    assert {(one["size"], one["reach"], one["free"]) for one in room["free"]} == {
        (size, reach, 1) for size in ("S", "M", "L", "XL") for reach in ("low", "mid", "high")
    }
    row = told.hub.reads.within(Scope(1)).site("essais")
    assert row is not None
    assert row.is_online(told.now_ms)
    assert not told.client.get("/api/v1/carrier/sites/gambetta/capacity").json()["sandbox"]


def test_a_16_a_sandbox_is_made_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_settings(tmp_path)
    assert main(["--config", str(file), "site", "add", "essais", "--name", "Bac à sable", "--sandbox"]) == 0
    assert main(["--config", str(file), "site", "list"]) == 0
    assert "essais" in capsys.readouterr().out
    assert main(["--config", str(file), "verify"]) == 0
