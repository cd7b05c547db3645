"""Passkeys: kept, shown, signed in with and refused, over the pages and on both databases; and in Chromium, with a device of its own."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, expect

from hub.core.permissions import Right
from hub.people.passkeys import CHALLENGE_MS, PASSKEYS_MAX, RelyingParty, relying_party
from hub.store import people
from hub.store.schema_people import USED_CHALLENGE
from tests.hub.hub_network import PASSWORD, Network
from tests.hub.pretend_device import PRESENT, VERIFIED, Device
from tests.hub.web_server import serving
from tests.tools.pages import faults_of
from tests.tools.ports import free_port

AT = "http://localhost:8080"
FROM_HERE = {"sec-fetch-site": "same-origin"}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    made = Network(tmp_path_factory.mktemp("network"), url, public_url=AT)
    yield made
    made.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Network]:
    """On SQLite alone: for what no database has a part in."""
    made = Network(tmp_path, "", public_url=AT)
    yield made
    made.close()


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Network]:
    """Without a public address."""
    made = Network(tmp_path, "")
    yield made
    made.close()


def _asked(client: TestClient, path: str) -> dict[str, Any]:
    answer = client.post(f"{path}/challenge", headers=FROM_HERE)
    assert answer.status_code == 200, answer.text
    asked: dict[str, Any] = answer.json()
    return asked


def _send(client: TestClient, path: str, asked: dict[str, Any], answer: object, **more: str) -> tuple[int, str]:
    data = {"sealed": asked["sealed"], "answer": json.dumps(answer), **more}
    said = client.post(path, data=data, headers=FROM_HERE)
    return said.status_code, said.text + said.headers.get("location", "")


def _register(client: TestClient, device: Device, name: str = "téléphone") -> str:
    asked = _asked(client, "/account/passkeys")
    status, text = _send(client, "/account/passkeys", asked, device.made(asked["publicKey"]), name=name)
    assert status == 200, text
    return text


def _nobody(network: Network) -> TestClient:
    return TestClient(network.app, base_url="http://127.0.0.1", follow_redirects=False)


def _show(client: TestClient, device: Device, path: str = "/account/passkey") -> tuple[int, str]:
    asked = _asked(client, path)
    return _send(client, path, asked, device.signed(asked["publicKey"]))


def _actions(network: Network) -> list[tuple[str, str, str]]:
    from hub.audit.log import lines_after

    with network.hub.store.reading() as connection:
        return [(line.action, line.subject, line.reason) for line in lines_after(connection, 1, 0, 1000)]


def test_a_12_a_passkey_is_a_second_factor_a_way_in_and_opens_doors(network: Network) -> None:
    lead, device, key = network.client("site_lead"), Device(AT), Device(AT, counts_by=0)
    agree = f"/openings/{network.own.opening}/agree"
    assert lead.post(agree, headers=FROM_HERE).status_code == 403
    codes = re.findall(r"<code>([A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4})</code>", _register(lead, device))
    assert len(set(codes)) == 8
    assert lead.get("/openings").status_code == 200
    assert "Vos codes de secours" not in _register(lead, key, "clé USB"), "paper codes are told once"
    thief = network.client("site_lead")
    assert thief.get("/parcels").headers["location"] == "/account", "a password alone sees nothing"
    assert thief.post("/account/passkeys/challenge", headers=FROM_HERE).status_code == 409
    assert _show(thief, device) == (303, "/")
    assert thief.get("/openings").status_code == 200
    came = thief
    for device_used in (key, key, device):
        came = _nobody(network)
        assert _show(came, device_used, "/sign-in/passkey")[0] == 303
        answer = came.post(agree, headers=FROM_HERE)
        assert (answer.status_code, "Le site ne répond pas" in answer.text) == (409, True), "agreed, and no site there"
    visitor = network.hub.door.visitor_of(came.cookies["consigne_session"])
    assert visitor is not None
    assert visitor.may(Right.OPEN_DOOR)
    page = came.get("/account").text
    assert re.findall(r'grow">([^<]+)</span><span class="muted small">utilisée', page) == ["téléphone", "clé USB"]
    assert [line for line in _actions(network) if line[0] in {"passkey_added", "signed_in"}][-1] == (
        "signed_in", "site_lead", "passkey 1",
    )  # fmt: skip


def test_a_12_a_passkey_is_taken_away_with_its_sessions_and_the_last_one_with_its_right(network: Network) -> None:
    lead, device, other = network.client("site_lead"), Device(AT), Device(AT)
    _register(lead, device)
    _register(lead, other)
    elsewhere = _nobody(network)
    _show(elsewhere, other, "/sign-in/passkey")
    stranger = network.client("network_admin")
    assert stranger.post("/account/passkeys/2/end", headers=FROM_HERE).status_code == 422
    assert lead.post("/account/passkeys/2/end", headers=FROM_HERE).status_code == 303
    assert elsewhere.get("/parcels").headers["location"].startswith("/sign-in"), "it may be in wrong hands"
    status, text = _show(_nobody(network), other, "/sign-in/passkey")
    assert (status, "pas connue ici" in text) == (401, True)
    assert lead.get("/openings").status_code == 200
    assert lead.post("/account/passkeys/1/end", headers=FROM_HERE).status_code == 303
    assert lead.get("/parcels").status_code == 200
    assert lead.get("/openings").status_code == 403, "no second factor, no door"
    with network.hub.store.reading() as connection:
        assert people.recovery_codes_left(connection, int(network.person("site_lead"))) == 0
    assert ("passkey_removed", "site_lead", "passkey 1") in _actions(network)


def test_a_12_a_lost_passkey_is_answered_with_a_paper_code_or_a_new_link(network: Network) -> None:
    lead, device = network.client("site_lead"), Device(AT)
    (code, *_) = re.findall(r"<code>([A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4})</code>", _register(lead, device))
    again = network.client("site_lead")
    assert again.post("/account/code", data={"code": code}, headers=FROM_HERE).status_code == 303
    assert again.get("/parcels").status_code == 200
    admin, person = network.client("network_admin"), network.person("site_lead")
    assert "Second facteur en place" in admin.get(f"/people/{person}").text
    assert admin.post(f"/people/{person}/reset", headers=FROM_HERE).status_code == 200
    assert _show(_nobody(network), device, "/sign-in/passkey")[0] == 401
    assert "Sans second facteur" in admin.get(f"/people/{person}").text
    assert ("second_factor_removed", "site_lead", "") in _actions(network)


def test_a_12_a_copied_passkey_is_found_by_its_counter_and_stands_in_the_log(network: Network) -> None:
    lead, device = network.client("site_lead"), Device(AT)
    _register(lead, device)
    copy = Device(AT, key=device.key, name=device.name, handle=device.handle, count=device.count)
    assert _show(_nobody(network), device, "/sign-in/passkey")[0] == 303
    for client, path, status in ((_nobody(network), "/sign-in/passkey", 401), (lead, "/account/passkey", 422)):
        copy.count = 0
        refused, text = _show(client, copy, path)
        assert (refused, "une copie" in text) == (status, True)
    copy.counts_by, copy.count = 0, 0
    assert _show(_nobody(network), copy, "/sign-in/passkey")[0] == 401, "a device that counted goes on counting"
    assert _actions(network).count(("passkey_refused", "site_lead", "passkey 1")) == 3
    assert _show(_nobody(network), device, "/sign-in/passkey")[0] == 303


def test_a_12_a_challenge_is_answered_once_soon_and_by_whom_it_was_for(network: Network) -> None:
    lead, device, clock = network.client("site_lead"), Device(AT, counts_by=0), network.hub.passkeys._clock
    _register(lead, device)
    asked = _asked(lead, "/account/passkey")
    answer = device.signed(asked["publicKey"])
    assert _send(lead, "/account/passkey", asked, answer)[0] == 303
    with network.hub.store.reading() as connection:
        assert len(connection.execute(USED_CHALLENGE.select()).all()) == 2
    status, text = _send(lead, "/account/passkey", asked, answer)
    assert (status, "déjà servi" in text) == (422, True)
    for path, client in (("/account/passkey", lead), ("/sign-in/passkey", _nobody(network))):
        asked = _asked(client, path)
        answer = device.signed(asked["publicKey"])
        network.hub.passkeys._clock = lambda: clock() + CHALLENGE_MS
        assert "trop longtemps" in _send(client, path, asked, answer)[1]
        network.hub.passkeys._clock = clock
    admin = network.client("network_admin")
    other = _asked(admin, "/account/passkey")
    assert _send(lead, "/account/passkey", other, device.signed(other["publicKey"]))[0] == 422, "another person's"
    assert _send(_nobody(network), "/sign-in/passkey", other, device.signed(other["publicKey"]))[0] == 401
    assert _send(admin, "/account/passkey", other, device.signed(other["publicKey"]))[0] == 422, "not their passkey"
    asked = _asked(lead, "/account/passkey")
    assert _send(lead, "/account/passkey", {"sealed": "é" * 40}, device.signed(asked["publicKey"]))[0] == 422
    with network.hub.store.writing() as connection:
        people.close_old_sessions(connection, clock() + CHALLENGE_MS)
        assert connection.execute(USED_CHALLENGE.select()).all() == []


LIES: tuple[dict[str, Any], ...] = (
    {"origin": "http://localhost:8081"},
    {"origin": "https://consigne.evil.example"},
    {"party": "evil.example"},
    {"flags": PRESENT},
    {"flags": VERIFIED},
)


def test_a_12_what_was_signed_elsewhere_or_without_a_finger_is_refused(small: Network) -> None:
    lead, truth = small.client("site_lead"), Device(AT, counts_by=0)
    _register(lead, truth)
    for lie in LIES:
        asked = _asked(lead, "/account/passkeys")
        new = replace(Device(AT), **lie).made(asked["publicKey"])
        assert _send(lead, "/account/passkeys", asked, new, name="x")[0] == 422, lie
        assert _show(_nobody(small), replace(truth, **lie), "/sign-in/passkey")[0] == 401, lie
        assert _show(lead, replace(truth, **lie))[0] == 422, lie
    assert _show(lead, truth)[0] == 303


def test_a_12_no_answer_however_broken_is_more_than_a_kind_no(small: Network) -> None:
    lead, nobody, device, chance = small.client("site_lead"), _nobody(small), Device(AT), random.Random(27)
    _register(lead, device)
    other = Device(AT, key=device.key, name=b"another name", handle=device.handle)
    forged = Device(AT, name=device.name, handle=device.handle)
    not_whose = Device(AT, key=device.key, name=device.name, handle="AAAA", count=5)
    for liar in (other, forged, not_whose):
        assert _show(nobody, liar, "/sign-in/passkey")[0] == 401
    junk: tuple[object, ...] = (None, [], {}, {"id": 1}, 7)
    for one in junk:
        assert _send(nobody, "/sign-in/passkey", _asked(nobody, "/sign-in/passkey"), one)[0] == 401
    deep = {"sealed": _asked(nobody, "/sign-in/passkey")["sealed"], "answer": "[" * 16_000}
    assert nobody.post("/sign-in/passkey", data=deep, headers=FROM_HERE).status_code == 401
    assert nobody.post("/sign-in/passkey", data={"answer": "x" * 16_385}, headers=FROM_HERE).status_code == 422
    asked_new, asked = _asked(lead, "/account/passkeys"), _asked(nobody, "/sign-in/passkey")
    made, signed = Device(AT).made(asked_new["publicKey"]), device.signed(asked["publicKey"])
    for _ in range(100):
        broken = _broken(signed, chance.choice(["clientDataJSON", "authenticatorData", "signature"]), chance)
        assert _send(nobody, "/sign-in/passkey", asked, broken)[0] == 401, broken
        broken = _broken(made, "attestationObject", chance)
        assert _send(lead, "/account/passkeys", asked_new, broken, name="x")[0] in {200, 422}, broken
    assert _send(nobody, "/sign-in/passkey", asked, signed)[0] == 303


def _broken(answer: dict[str, Any], part: str, chance: random.Random) -> dict[str, Any]:
    """An answer with one letter changed; the last one may hold bits that mean nothing."""
    text = answer["response"][part]
    place = chance.randrange(len(text) - 1)
    other = chance.choice([letter for letter in "AZaz09-_" if letter != text[place]])
    return {**answer, "response": {**answer["response"], part: text[:place] + other + text[place + 1 :]}}


def test_a_12_names_and_number_of_passkeys_are_bounded_and_none_is_kept_twice(small: Network) -> None:
    lead, device = small.client("site_lead"), Device(AT)
    asked = _asked(lead, "/account/passkeys")
    made = device.made(asked["publicKey"])
    for name in ("", "x" * 65, "a\u0007b"):
        assert "un nom de 1 à 64" in _send(lead, "/account/passkeys", asked, made, name=name)[1]
    assert _send(lead, "/account/passkeys", asked, made, name="a")[0] == 200
    asked = _asked(lead, "/account/passkeys")
    assert [one["id"] for one in asked["publicKey"]["excludeCredentials"]] == [made["id"]]
    assert "déjà connue" in _send(lead, "/account/passkeys", asked, device.made(asked["publicKey"]), name="b")[1]
    late = _asked(lead, "/account/passkeys")
    for number in range(1, PASSKEYS_MAX):
        _register(lead, Device(AT), f"n° {number}")
    assert "10 clés" in _send(lead, "/account/passkeys", late, Device(AT).made(late["publicKey"]), name="c")[1]
    assert lead.post("/account/passkeys/challenge", headers=FROM_HERE).status_code == 409
    assert lead.post("/account/passkeys/challenge", headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_a_12_without_a_public_address_no_passkey_is_offered_and_the_page_says_why(bare: Network) -> None:
    lead = bare.client("site_lead")
    assert "[web] public_url" in lead.get("/account").text
    assert "passkeys.js" not in lead.get("/account").text + _nobody(bare).get("/sign-in").text
    for path, client in (
        ("/account/passkeys", lead),
        ("/account/passkey", lead),
        ("/sign-in/passkey", _nobody(bare)),
    ):
        answer = client.post(f"{path}/challenge", headers=FROM_HERE)
        assert (answer.status_code, "ne sont pas proposées" in answer.json()["problem"]) == (409, True)
        assert _send(client, path, {"sealed": ""}, {})[0] in {401, 422}


@pytest.mark.parametrize(
    ("url", "party"),
    [
        ("https://colis.example.org/", RelyingParty("colis.example.org", "https://colis.example.org")),
        ("https://Colis.Example.org:443", RelyingParty("colis.example.org", "https://colis.example.org")),
        ("https://colis.example.org:8443", RelyingParty("colis.example.org", "https://colis.example.org:8443")),
        ("https://forêt.example", RelyingParty("xn--fort-ipa.example", "https://xn--fort-ipa.example")),
        ("http://localhost:8080", RelyingParty("localhost", "http://localhost:8080")),
        ("http://localhost:80", RelyingParty("localhost", "http://localhost")),
        ("http://colis.example.org", None),
        ("https://192.0.2.7", None),
        ("https://[2001:db8::1]", None),
        ("http://127.0.0.1:8080", None),
        ("", None),
    ],
)
def test_the_address_a_passkey_is_bound_to_is_the_hubs_public_one(url: str, party: RelyingParty | None) -> None:
    assert relying_party(url) == party


# ------------------------------------------------------------------------------------------------------------- Chromium


def _with_device(page: Page) -> Any:
    """A device in this browser, as its developer tools make one: it counts, knows its owner's finger, and keeps names."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    made = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    device = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": made})["authenticatorId"]
    return devtools, device


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_12_a_passkey_is_added_shown_and_signs_in_with_one_touch(tmp_path: Path, chromium: Browser) -> None:
    port = free_port()
    url = f"http://localhost:{port}"
    with closing(Network(tmp_path, "", public_url=url)) as network, serving(network.app, network.hub.live, port):
        page = chromium.new_context(base_url=url, locale="fr-FR").new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        devtools, device = _with_device(page)
        page.goto("/sign-in")
        wrong = faults_of(page)
        page.get_by_label("Nom").fill("site_lead")
        page.get_by_label("Mot de passe").fill(PASSWORD)
        page.get_by_role("button", name="Se connecter").click()
        page.goto("/account")
        page.get_by_label("Comment l'appeler ?").fill("mon téléphone")
        page.get_by_role("button", name="Ajouter une clé d'accès").click()
        expect(page.get_by_role("heading", name="Vos codes de secours")).to_be_visible()
        wrong += faults_of(page)
        page.get_by_label("Comment l'appeler ?").fill("encore")
        page.get_by_role("button", name="Ajouter une clé d'accès").click()
        expect(page.get_by_text("Cet appareil a déjà une clé d'accès")).to_be_visible()
        page.get_by_role("button", name="Se déconnecter").click()
        page.get_by_label("Nom").fill("site_lead")
        page.get_by_label("Mot de passe").fill(PASSWORD)
        page.get_by_role("button", name="Se connecter").click()
        expect(page.get_by_role("heading", name="Votre second facteur")).to_be_visible()
        wrong += faults_of(page)
        devtools.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
        page.get_by_role("button", name="Utiliser une clé d'accès").click()
        expect(page.get_by_text("Rien n'a été fait")).to_be_visible()
        devtools.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": True})
        page.get_by_role("button", name="Utiliser une clé d'accès").click()
        page.get_by_role("link", name="Portes").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Portes à distance")
        page.get_by_role("button", name="Se déconnecter").click()
        page.goto("/openings")
        page.get_by_role("button", name="Utiliser une clé d'accès").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Portes à distance")
        (kept,) = devtools.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
        assert (kept["rpId"], kept["signCount"]) == ("localhost", 3)
        page.goto("/account")
        expect(page.get_by_text("mon téléphone", exact=True)).to_be_visible()
        page.get_by_role("button", name="Retirer la clé mon téléphone").click()
        expect(page.get_by_text("mon téléphone")).to_have_count(0)
        page.goto(f"http://127.0.0.1:{port}/sign-in")
        expect(page.get_by_role("button", name="Utiliser une clé d'accès")).to_have_count(0)
        page.context.close()
    assert wrong == []
    assert problems == []
