"""A carrier's program at the hub: its key, and announcing, following, recalling and asking for room, on both databases (A-16)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.__main__ import main
from hub.alerts.housekeeping import ONCE_MS
from hub.audit.log import newest_lines
from hub.core.parcels import Refused, new_parcel
from hub.core.permissions import CARRIER_RIGHTS, Right
from hub.store import desk, ingest
from tests.hub.hub_bench import ME
from tests.hub.hub_carriers import LEAD, NUMBER, STRANGER, CarrierHub, announce
from tests.hub.hub_process import write_settings


@pytest.fixture
def network(store_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CarrierHub]:
    made = CarrierHub(tmp_path_factory.mktemp("carriers"), store_url)
    yield made
    made.close()


def test_a_16_a_key_is_shown_once_kept_as_a_digest_and_noted_in_the_log(network: CarrierHub) -> None:
    keys = network.hub.carrier_keys
    secret = keys.add(
        "Colis Express", "production", {Right.ANNOUNCE_PARCEL, Right.MANAGE_PEOPLE}, by=LEAD, sites=["gambetta"]
    )
    assert secret.startswith("cck_")
    (key,) = keys.keys(LEAD)
    assert (key.carrier, key.name, key.hint, key.sites) == ("Colis Express", "production", secret[-4:], ["gambetta"])
    assert key.rights == (Right.ANNOUNCE_PARCEL,), "a right of people is never in a key"
    assert keys.keys(STRANGER) == []
    caller = keys.program_of(secret)
    assert caller is not None
    assert (caller.name, caller.scope.sites, caller.scope.carrier) == (
        "Colis Express / production",
        frozenset({1}),
        "colisexpress",
    )
    assert keys.keys(LEAD)[0].used_ms > 0
    assert keys.program_of(secret + "x") is None
    assert keys.program_of("cht_" + secret) is None
    with pytest.raises(Refused, match="no such key"):
        keys.end(key.id, STRANGER)
    keys.end(key.id, LEAD)
    assert keys.program_of(secret) is None
    with pytest.raises(Refused, match="ended before"):
        keys.end(key.id, LEAD)
    with network.hub.store.reading() as connection:
        lines = newest_lines(connection, 1, 0, 3)
        stored = connection.execute(text("SELECT * FROM carrier_key")).all()
    assert [line.action for line in reversed(lines)] == ["carrier_added", "carrier_key_added", "carrier_key_ended"]
    assert lines[1].reason == "announce_parcel at gambetta"
    assert secret not in str(stored)
    assert secret not in str(lines)


@pytest.mark.parametrize(
    ("code", "wish"),
    [
        ("bad_carrier", {"carrier": " "}),
        ("bad_carrier", {"carrier": "---"}),
        ("bad_name", {"name": "x" * 41}),
        ("no_right", {"rights": {Right.MANAGE_PEOPLE}}),
        ("no_site", {"sites": []}),
        ("unknown_site", {"sites": ["gambetta", "lyon"]}),
        ("bad_limit", {"per_minute": 0}),
        ("bad_limit", {"per_minute": 100_000}),
    ],
)
def test_a_16_a_key_that_cannot_be_is_not_made(network: CarrierHub, code: str, wish: dict[str, object]) -> None:
    asked = {"carrier": "DHL", "name": "production", "rights": CARRIER_RIGHTS, "by": LEAD, **wish}
    with pytest.raises(Refused) as refused:
        network.hub.carrier_keys.add(**asked)  # type: ignore[arg-type]
    assert refused.value.code == code
    assert network.hub.carrier_keys.keys(LEAD) == []


def test_a_16_a_carrier_has_a_bounded_number_of_keys_and_of_requests(
    network: CarrierHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.carriers.keys.KEYS_MAX", 2)
    now = [1_800_000_000_000]
    monkeypatch.setattr(network.hub.carrier_keys, "_clock", lambda: now[0])
    monkeypatch.setattr(network.hub.carrier_keys._limits, "_clock", lambda: now[0])
    client = network.program(per_minute=3)
    network.program()
    with pytest.raises(Refused, match="end one"):
        network.program("la poste")
    network.program("dhl")
    answers = [client.get("/api/v1/carrier") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].json()["sites"] == ["belleville", "gambetta"]
    assert answers[3].headers["retry-after"] == "20"
    assert answers[3].json()["code"] == "too_many"
    assert "Nothing was done now. Wait 20 s" in answers[3].json()["detail"]
    now[0] += 20_000
    assert client.get("/api/v1/carrier").status_code == 200


def test_a_16_the_same_announcement_asked_again_is_answered_again_and_done_once(network: CarrierHub) -> None:
    client = network.program()
    first = announce(client, "order-1", recipient={"name": "Awa Diallo", "phone": "0612345678"})
    assert first[0] == 201
    assert set(first[1]) == {"id", "site", "tracking", "size", "state", "created_ms", "changed_ms"}
    client.post(f"/api/v1/carrier/parcels/{first[1]['id']}/recall")
    assert announce(client, "order-1", recipient={"name": "Awa Diallo", "phone": "0612345678"}) == first
    other = announce(client, "order-1", tracking="RR123456799FR")
    assert (other[0], other[1]["code"]) == (422, "key_reused")
    again = announce(client, "order-2")
    assert (again[0], again[1]["code"]) == (409, "duplicate")
    assert again[1]["detail"] == f"tracking: this parcel is known at the site already: recalled (id {first[1]['id']})"
    assert announce(client, "two words")[1]["code"] == "invalid"
    assert announce(network.program("dhl"), "order-1", tracking="RR123456799FR")[0] == 201, (
        "keys are each carrier's own"
    )
    assert announce(client, tracking="8N00234584199")[0] == 201, "a key is not asked for"
    network.work.housekeeping._clock = lambda: network.app.state.api.clock() + ONCE_MS + 1
    network.work.housekeeping.erase()
    assert announce(client, "order-1")[1]["code"] == "duplicate", "two days later a key is a new one"


def test_a_16_two_programs_that_announce_at_the_same_moment_announce_one_parcel(network: CarrierHub) -> None:
    client = network.program()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: announce(client, "at-once"), range(8)))
    assert {status for status, _ in answers} == {201}
    assert len({str(answer) for _, answer in answers}) == 1
    with network.hub.store.reading() as connection:
        announced = text(f"SELECT count(*) FROM parcel WHERE tracking = '{NUMBER}'")
        assert connection.execute(announced).scalar() == 1


def test_a_16_a_carrier_follows_the_parcels_it_announced_and_sees_no_others(network: CarrierHub) -> None:
    poste, dhl = network.program(), network.program("dhl")
    mine = announce(poste)[1]["id"]
    for foreign in network.desk_parcels.values():
        for method, path in (("GET", ""), ("POST", "/recall")):
            answer = poste.request(method, f"/api/v1/carrier/parcels/{foreign}{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown_parcel")
    assert dhl.get(f"/api/v1/carrier/parcels/{mine}").status_code == 404
    assert [row["id"] for row in poste.get("/api/v1/carrier/parcels").json()["parcels"]] == [mine]
    assert dhl.get("/api/v1/carrier/parcels").json() == {"parcels": [], "next": ""}
    assert poste.get(f"/api/v1/carrier/parcels/{mine}").json()["state"] == "announced"
    assert poste.post(f"/api/v1/carrier/parcels/{mine}/recall").json()["state"] == "recalled"
    second = announce(poste, tracking="8N00234584199")[1]["id"]
    page = poste.get("/api/v1/carrier/parcels?limit=1").json()
    rest = poste.get(f"/api/v1/carrier/parcels?limit=1&before={page['next']}").json()
    assert {row["id"] for row in page["parcels"] + rest["parcels"]} == {mine, second}
    assert rest["next"] == ""
    found = poste.get("/api/v1/carrier/parcels?tracking=8N00234584199").json()["parcels"]
    assert [row["id"] for row in found] == [second]
    assert announce(poste, site="lyon")[1]["code"] == "unknown_site"
    assert poste.get("/api/v1/carrier/sites/lyon/capacity").status_code == 404
    for path in ("/api/v1/parcels", "/api/v1/sites", "/api/v1/alerts", f"/api/v1/parcels/{mine}/slip"):
        assert poste.get(path).status_code == 403


def test_a_16_a_key_of_one_site_does_not_know_the_others(network: CarrierHub) -> None:
    everywhere, here = network.program(), network.program(sites=["gambetta"])
    elsewhere = announce(everywhere, site="belleville")[1]["id"]
    assert here.get(f"/api/v1/carrier/parcels/{elsewhere}").status_code == 404
    assert announce(here, site="belleville", tracking="8N00234584199")[1]["code"] == "unknown_site"
    assert [site["site"] for site in here.get("/api/v1/carrier/sites").json()["sites"]] == ["gambetta"]


def test_a_16_a_parcel_that_came_before_its_announcement_is_its_carriers_to_follow(network: CarrierHub) -> None:
    """And nobody learns where a stranger's parcel lies by naming its number."""
    poste, dhl = network.program(), network.program("dhl")
    known = network.desk_parcels["gambetta"]  # the desk knows it as La Poste's, and for whom it is
    status, answer = announce(poste, tracking="8N002345841010")
    assert (status, answer["id"]) == (200, known)
    assert "Secret" not in str(
        poste.post("/api/v1/parcels", json={"site": "gambetta", "tracking": "8N002345841010"}).json()
    )
    assert poste.get(f"/api/v1/carrier/parcels/{known}").status_code == 200
    taken = announce(dhl, tracking="8N002345841010")
    assert (taken[0], taken[1]["detail"]) == (409, "tracking: this number is in use at the site")
    network.hub.desk.announce(new_parcel(site="gambetta", tracking="8N00234584200", name="Secret"), ME)
    assert announce(dhl, tracking="8N00234584200")[1]["detail"] == "tracking: this number is in use at the site"
    network.hub.desk.announce(new_parcel(site="gambetta", tracking="8N00234584300"), ME)
    assert announce(dhl, tracking="8N00234584300", recipient={"name": "Awa"})[0] == 200
    assert announce(poste, tracking="8N00234584300")[0] == 409, "it is the other carrier's by now"


def test_a_16_the_room_at_a_site_its_age_and_whether_the_site_is_there(network: CarrierHub) -> None:
    client = network.program()
    unheard = client.get("/api/v1/carrier/sites/gambetta/capacity").json()
    assert (unheard["online"], unheard["age_ms"], unheard["free"]) == (False, None, [])
    cards = [
        ("1", "S", "low"),
        ("2", "M", "mid"),
        ("3", "M", "mid"),
        ("4", "M", "high"),
        ("5", "L", ""),
        ("6", "L", ""),
    ]
    with network.hub.store.writing() as connection:
        number = desk.site(connection, "gambetta").number
        ingest.save_cards(
            connection, number,
            [
                {"label": label, "size": size, "reach": reach, "height_mm": 0, "row": 0, "column": 0, "rows": 1, "columns": 1}
                for label, size, reach in cards
            ],
        )  # fmt: skip
        for label, occupancy, service in (
            ("1", "occupied", "in_service"), ("2", "free", "in_service"), ("3", "free", "in_service"),
            ("4", "free", "suspect"), ("5", "free", "in_service"), ("6", "reserved", "in_service"),
        ):  # fmt: skip
            ingest.save_boxes(connection, {(number, label): (ingest.Box(occupancy, service), 1)})
        now_ms = network.app.state.api.clock()
        ingest.save_live(connection, number, {"presence": "ready", "heard_ms": now_ms - 5_000})
    room = client.get("/api/v1/carrier/sites/gambetta/capacity").json()
    assert room["free"] == [{"size": "L", "reach": None, "free": 1}, {"size": "M", "reach": "mid", "free": 2}]
    assert room["online"]
    assert 5_000 <= room["age_ms"] < 60_000
    with network.hub.store.writing() as connection:
        ingest.save_live(connection, number, {"heard_ms": now_ms - 100_000})
    assert not client.get("/api/v1/carrier/sites/gambetta/capacity").json()["online"]
    assert [site["site"] for site in client.get("/api/v1/carrier/sites").json()["sites"]] == ["belleville", "gambetta"]


def test_a_16_keys_by_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_settings(tmp_path)

    def run(*arguments: str) -> tuple[int, str]:
        status = main(["--config", str(file), *arguments])
        said = capsys.readouterr()
        return status, said.out.strip() or said.err.strip()

    assert run("site", "add", "gambetta", "--name", "Gambetta")[0] == 0
    status, secret = run("carrier", "add", "Colis Express", "test", "--site", "gambetta", "--scope", "see_capacity")
    assert (status, secret[:4]) == (0, "cck_")
    assert run("carrier", "add", "DHL", "production")[0] == 0
    assert run("carrier", "add", "DHL", "production", "--site", "nowhere") == (2, "sites: one of them does not exist")
    listed = run("carrier", "list")[1].splitlines()
    assert listed[0] == f"1\tColis Express\ttest\t…{secret[-4:]}\tsee_capacity\tgambetta\tnever used"
    assert listed[1].startswith("2\tDHL\tproduction\t…")
    assert listed[1].endswith("\tevery site\tnever used")
    assert run("carrier", "end", "1") == (0, "key 1 opens nothing more")
    assert run("carrier", "end", "1") == (2, "there is no such key, or it was ended before")
    assert run("carrier", "list")[1].splitlines()[1].endswith("ended")
