"""The API: who comes in, what errors look like, and a document that says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from fastapi.testclient import TestClient

from hub.app import Hub, create_app
from hub.clock import wall_ms
from hub.core.permissions import TOKEN_RIGHTS, Role
from hub.group import Group
from hub.receiver import Incoming
from hub.settings import read_settings
from tests.hub.hub_process import write_settings
from tests.hub.hub_site import Journal, life
from wire import facts, topics
from wire.facts import AnyFact
from wire.ids import ParcelId, parcel_id_from_bits
from wire.messages import encode


def _hub(folder: Path, *, opened: bool) -> Hub:
    file = write_settings(folder)
    if not opened:
        file.write_text(file.read_text().replace("open_on_loopback = true", "open_on_loopback = false"))
    return Hub(read_settings(file), on_thread_end=lambda _name: None)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    made = _hub(tmp_path, opened=False)
    yield made
    made.store.close()


@pytest.fixture
def client(hub: Hub) -> TestClient:
    return TestClient(create_app(hub), base_url="http://127.0.0.1")  # without `with`: no thread is started


def _token(hub: Hub) -> dict[str, str]:
    return {"Authorization": f"Bearer {hub.door.add_token('robot', TOKEN_RIGHTS)}"}


def test_every_route_but_health_wants_somebody(client: TestClient, hub: Hub) -> None:
    document = client.get("/api/v1/openapi.json").json()
    answers = {
        (method, path): client.request(method, path.replace("{alert}", "1")).status_code
        for path, methods in document["paths"].items()
        for method in methods
    }
    open_paths = {path for (_method, path), status in answers.items() if status != 401}
    assert open_paths == {"/healthz", "/readyz", "/metrics", "/api/v1/enrol"}


def test_i_30_no_single_request_opens_a_door(client: TestClient, hub: Hub) -> None:
    headers = _token(hub)
    client.post("/api/v1/sites", json={"id": "gambetta", "name": "Gambetta"}, headers=headers)
    wish = {"verb": "open", "compartment": "1", "reason": "recipient_waits"}
    answer = client.post("/api/v1/sites/gambetta/commands", json=wish, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "two_people")


def test_the_document_is_openapi_and_every_field_has_an_example(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    bare = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        if not name.startswith(("HTTPValidation", "Validation"))
        for field, shape in schema.get("properties", {}).items()
        if "examples" not in shape and "$ref" not in str(shape)
    ]
    assert bare == []


def test_a_parcel_is_announced_found_reissued_recalled_and_its_slip_is_a_key(client: TestClient, hub: Hub) -> None:
    who = _token(hub)
    site = {"id": "gambetta", "name": "Conciergerie Gambetta"}
    assert client.post("/api/v1/sites", json=site, headers=who).status_code == 201
    recipient = {"name": "Zoé Müller", "phone": "06 12 34 56 78", "help": "low_reach"}
    announced = client.post(
        "/api/v1/parcels",
        json={"site": "gambetta", "tracking": "8N00234584108", "size": "M", "recipient": recipient},
        headers=who,
    )
    assert announced.status_code == 201, announced.text
    parcel = announced.json()["id"]
    found = client.get("/api/v1/parcels", params={"q": "zoe mul"}, headers=who).json()
    assert [row["id"] for row in found["parcels"]] == [parcel]
    first = client.get(f"/api/v1/parcels/{parcel}/slip", headers=who).json()
    assert client.post(f"/api/v1/parcels/{parcel}/reissue", headers=who).json()["version"] == 2
    second = client.get(f"/api/v1/parcels/{parcel}/slip", headers=who).json()
    assert first["qr"] != second["qr"]
    assert first["digits"] != second["digits"]
    assert client.post(f"/api/v1/parcels/{parcel}/recall", headers=who).json()["state"] == "recalled"
    again = client.post("/api/v1/parcels", json={"site": "gambetta", "tracking": "8N00234584108"}, headers=who)
    assert (again.status_code, again.json()["code"]) == (409, "duplicate")
    assert again.headers["content-type"] == "application/problem+json"


def _hear(hub: Hub, *written: AnyFact) -> None:
    """A site's journal, from its first fact on."""
    journal = Journal("gambetta")
    journal.write(*written)
    batch = encode(journal.batch(1, journal.last))
    with hub.store.writing() as connection:
        Group(connection, wall_ms(), 1).apply([Incoming(topics.topic(topics.FACTS, "gambetta"), batch, False, 1, 1)])


def _joined(client: TestClient, hub: Hub, who: dict[str, str]) -> tuple[str, str]:
    """A parcel that was announced while the desk created it: the id it was given here, and the one it has."""
    client.post("/api/v1/sites", json={"id": "gambetta", "name": "Conciergerie Gambetta"}, headers=who)
    wish = {"site": "gambetta", "tracking": "8N00234584108", "recipient": {"name": "Awa Diallo"}}
    announced = client.post("/api/v1/parcels", json=wish, headers=who).json()["id"]
    here = parcel_id_from_bits(77)
    _hear(hub, *life(here, ends=False), facts.ParcelJoined(parcel=ParcelId(announced), into=here))
    return announced, here


def test_every_id_of_a_parcel_names_it(client: TestClient, hub: Hub) -> None:
    who = _token(hub)
    announced, here = _joined(client, hub, who)
    for name in (announced, here):
        answer = client.get(f"/api/v1/parcels/{name}", headers=who).json()
        parcel = answer["parcel"]
        assert (parcel["id"], parcel["also"], parcel["state"], parcel["place_name"]) == (
            here,
            [announced],
            "stored",
            "7",
        )
        assert parcel["recipient_name"] == "Awa Diallo"
        assert answer["life"][-1]["kind"] == "parcel_joined"
        assert client.get(f"/api/v1/parcels/{name}/slip", headers=who).json()["parcel"] == here
    found = client.get("/api/v1/parcels", params={"q": announced}, headers=who).json()
    assert [row["id"] for row in found["parcels"]] == [here]
    assert client.post(f"/api/v1/parcels/{announced}/reissue", headers=who).json()["version"] == 2
    assert client.post(f"/api/v1/parcels/{announced}/recall", headers=who).json()["state"] == "recalled"


def test_a_number_that_is_there_gets_its_recipient_once(client: TestClient, hub: Hub) -> None:
    who = _token(hub)
    client.post("/api/v1/sites", json={"id": "gambetta", "name": "Conciergerie Gambetta"}, headers=who)
    here = parcel_id_from_bits(77)
    _hear(hub, *life(here, ends=False))
    wish = {"site": "gambetta", "tracking": "8N00234584108", "recipient": {"name": "Awa Diallo"}}
    first = client.post("/api/v1/parcels", json=wish, headers=who)
    assert (first.status_code, first.json()["id"], first.json()["recipient_name"]) == (200, here, "Awa Diallo")
    again = client.post("/api/v1/parcels", json=wish, headers=who)
    assert again.status_code == 409
    assert again.json()["detail"] == (
        f"tracking: this parcel is known at the site already: stored, compartment 7 (id {here})"
    )


def test_the_pages_lead_to_the_parcel_too_and_the_form_says_where_it_is(client: TestClient, hub: Hub) -> None:
    announced, here = _joined(client, hub, _token(hub))
    hub.door.add_person("claire", Role.NETWORK_ADMIN, "ten letters long")
    client.cookies.set("consigne_session", str(hub.door.sign_in("claire", "ten letters long")))
    went = client.get(f"/parcels/{announced}", follow_redirects=False)
    assert (went.status_code, went.headers["location"]) == (303, f"/parcels/{here}")
    page = client.get(f"/parcels/{here}").text
    assert "Les deux bons l&#39;ouvrent." in page
    assert "Awa Diallo" in page
    slips = [client.get(f"/parcels/{parcel}/slip").text for parcel in (announced, here)]
    assert len({re.sub(r"\d{13}", "the moment", slip) for slip in slips}) == 1
    typed = {"site": "gambetta", "tracking": "8N 0023 4584 108", "language": "fr", "help": "standard"}
    refused = client.post("/parcels/new", data=typed, headers={"Sec-Fetch-Site": "same-origin"})
    assert refused.status_code == 409
    assert "Ce site connaît déjà ce colis : prêt à retirer, casier 7." in refused.text


def test_an_error_quotes_nothing_that_was_sent(client: TestClient, hub: Hub) -> None:
    answer = client.post(
        "/api/v1/parcels", json={"site": "x", "recipient": {"name": ["Secret Name"]}}, headers=_token(hub)
    )
    assert answer.status_code == 422
    assert "Secret" not in answer.text
    assert answer.json()["detail"] == "recipient.name: string_type"


def test_a_foreign_page_cannot_use_the_cookie_of_somebody_signed_in(client: TestClient, hub: Hub) -> None:
    hub.door.add_person("claire", Role.NETWORK_ADMIN, "ten letters long")
    cookie = hub.door.sign_in("claire", "ten letters long")
    assert cookie is not None
    client.cookies.set("consigne_session", cookie)
    site = {"id": "gambetta", "name": "G"}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        assert client.post("/api/v1/sites", json=site, headers=headers).status_code == 403
    assert client.post("/api/v1/sites", json=site, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 201


def test_an_open_hub_answers_to_this_machines_names_only(tmp_path: Path) -> None:
    hub = _hub(tmp_path, opened=True)
    app = create_app(hub)
    assert TestClient(app, base_url="http://127.0.0.1:8080").get("/api/v1/sites").status_code == 200
    assert TestClient(app, base_url="http://elsewhere.example").get("/api/v1/sites").status_code == 403
    hub.store.close()


def test_readiness_names_what_is_away_and_metrics_hold_no_site(client: TestClient) -> None:
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json() == {
        "ready": False,
        "database": True,
        "broker": False,
        "problem": "not connected yet",
    }
    assert "consigne_facts_total 0.0" in client.get("/metrics").text
