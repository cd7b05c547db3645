"""Many parcels from one file: looked at, confirmed, written once, on both databases and in Chromium (A-16)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, expect
from sqlalchemy import text

from hub.core import bulk
from hub.core.bulk import FILE_BYTES_MAX
from hub.core.parcels import Refused
from hub.parcels.services import Desk
from hub.web import words_import
from tests.hub.hub_carriers import CarrierHub, announce
from tests.hub.hub_network import Network
from tests.hub.test_hub_people_pages import signed_in
from tests.hub.web_server import serving
from tests.tools.pages import faults_of

FILE = (
    "Site;Numéro de suivi;Taille;Nom;Téléphone\r\n"
    "gambetta;8N00234584201;M;Zoé Çelik;06 12 34 56 78\r\n"
    "gambetta;8N00234584202;;Awa Diallo;appelez-moi\r\n"
    "lyon;8N00234584203;;Noé;\r\n"
    "belleville;8N00234584204;;;\r\n"
    "gambetta;8N002345841010;;;\r\n"
).encode("cp1252")


class PowerCut(Exception):
    """Ends a hub between two lines."""


@pytest.fixture
def network(store_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CarrierHub]:
    made = CarrierHub(tmp_path_factory.mktemp("imports"), store_url)
    yield made
    made.close()


def send(client: TestClient, data: bytes, confirm: str = "") -> tuple[int, dict[str, Any]]:
    answer = client.post(
        f"/api/v1/carrier/imports?confirm={confirm}", content=data, headers={"Content-Type": "text/csv"}
    )
    return answer.status_code, answer.json()


def parcels(network: CarrierHub) -> int:
    with network.hub.store.reading() as connection:
        return int(connection.execute(text("SELECT count(*) FROM parcel")).scalar_one())


def test_a_16_a_file_is_looked_at_then_announced_once_however_often_it_is_confirmed(network: CarrierHub) -> None:
    client = network.program()
    before = parcels(network)
    status, seen = send(client, FILE)
    assert status == 200
    assert parcels(network) == before, "nothing is written before it is confirmed"
    assert (seen["ready"], seen["refused"], seen["announced"]) == (3, 2, 0)
    said = {
        line["line"]: (line["came"], [(fault["field"], fault["code"]) for fault in line["faults"]])
        for line in seen["lines"]
    }
    assert said == {
        2: ("ready", []),
        3: ("refused", [("phone", "bad_phone")]),
        4: ("refused", [("site", "unknown_site")]),
        5: ("ready", []),
        6: ("ready", [("tracking", "here_already")]),
    }
    assert send(client, FILE + b"\n", seen["digest"])[1]["code"] == "changed_file"
    assert parcels(network) == before
    status, done = send(client, FILE, seen["digest"])
    assert (done["announced"], done["attached"], done["refused"]) == (2, 1, 2)
    assert parcels(network) == before + 2
    assert send(client, FILE, seen["digest"]) == (200, done)
    assert parcels(network) == before + 2
    first = done["lines"][0]["parcel"]
    assert client.get(f"/api/v1/carrier/parcels/{first}").json()["tracking"] == "8N00234584201"
    assert "Zoé" not in str(done)


def test_a_16_a_hub_that_dies_half_way_goes_on_where_it_was(
    network: CarrierHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = network.program()
    rows = "".join(f"gambetta;8N0023458430{number}\n" for number in range(6))
    data = f"site;tracking\n{rows}".encode()
    digest = send(client, data)[1]["digest"]
    before, announced = parcels(network), Desk.announce
    left = [3]

    def dying(*about: Any, **more: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise PowerCut
        return announced(*about, **more)

    with monkeypatch.context() as dies:
        dies.setattr(Desk, "announce", dying)
        with pytest.raises(PowerCut):
            send(client, data, digest)
    assert parcels(network) == before + 3
    assert send(client, data, digest)[1]["announced"] == 6
    assert parcels(network) == before + 6


def test_a_16_a_line_that_cannot_be_announced_any_more_says_why_and_the_others_are(network: CarrierHub) -> None:
    client = network.program()
    rows = [{"site": "gambetta", "tracking": f"8N0023458440{number}"} for number in (1, 2, 3)]
    rows[2]["carrier"] = "dhl"
    data = json.dumps(rows).encode()
    digest = send(client, data)[1]["digest"]
    announce(client, tracking="8N00234584401")
    done = send(client, data, digest)[1]
    assert [line["came"] for line in done["lines"]] == ["refused", "announced", "refused"]
    assert done["lines"][0]["faults"] == [
        {"field": "tracking", "code": "duplicate", "text": "this number is in use at the site"}
    ]
    assert done["lines"][2]["faults"][0]["field"] == "carrier"


def test_a_16_a_file_that_is_none_is_refused_with_what_to_do(network: CarrierHub) -> None:
    client = network.program()
    too_big = send(client, b"x" * (FILE_BYTES_MAX + 70_000))
    assert (too_big[0], too_big[1]["code"]) == (422, "file_too_big")
    assert send(client, b"")[1]["code"] == "file_empty"


def test_a_16_every_fault_has_words_for_people() -> None:
    source = Path(bulk.__file__).read_text()
    named = {f"file_{code}" for code in words_import.FILE if f'"{code.removeprefix("file_")}"' in source}
    assert len(named) == len(words_import.FILE) - 1, "all but changed_file are said by the core"
    assert set(words_import.HEADS) == set(bulk.FIELDS)
    assert {field: bulk._NAMES[name] for field, name in words_import.COLUMNS.items()} == {
        field: field for field in bulk.FIELDS
    }
    assert set(words_import.FIELD) == {*bulk.FIELDS, "recipient"}
    assert words_import.fault("phone", "bad_phone") == "Téléphone : ne convient pas"
    assert words_import.fault("", "bad_line") == "ce n'est pas un colis"
    assert Refused("x", "y").code == "x"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Network]]:
    network = Network(tmp_path, "")
    with serving(network.app, network.hub.live) as url:
        yield url, network
    network.close()


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_16_a_concierge_announces_many_parcels_with_a_file(
    served: tuple[str, Network], chromium: Browser, tmp_path: Path
) -> None:
    url, network = served
    file = tmp_path / "colis.csv"
    page = signed_in(chromium, url, "concierge")
    page.get_by_role("link", name="Annoncer un colis").first.click()
    page.get_by_role("link", name="Annoncer plusieurs colis").click()
    wrong = faults_of(page)
    file.write_bytes(b"site;couleur\ngambetta;rouge\n")
    page.get_by_label("Fichier CSV ou JSON").set_input_files(file)
    page.get_by_role("button", name="Vérifier le fichier").click()
    expect(page.get_by_role("alert")).to_contain_text("noms des colonnes")
    wrong += faults_of(page)
    file.write_bytes(FILE)
    page.get_by_label("Fichier CSV ou JSON").set_input_files(file)
    page.get_by_role("button", name="Vérifier le fichier").click()
    expect(page.get_by_role("status").first).to_contain_text("2 colis prêts, 3 à corriger")
    expect(page.get_by_role("listitem").filter(has_text="Ligne 3")).to_contain_text("Téléphone : ne convient pas")
    wrong += faults_of(page)
    page.get_by_role("button", name="Annoncer 2 colis").click()
    expect(page.get_by_role("status").first).to_contain_text("colis annoncés")
    wrong += faults_of(page)
    found = network.hub.reads.parcels(text="8N00234584201")
    assert [row.name for row in found] == ["Zoé Çelik"]
    assert wrong == []
