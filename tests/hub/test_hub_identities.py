"""The sign-in of an organisation: who is let in, who is not, and what is not believed; against a real server on loopback, over the pages."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from joserfc.jwk import ECKey
from playwright.sync_api import Browser, expect

from hub.people import oidc
from hub.people.identities import PENDING_MS
from hub.settings import BadSettings, read_settings
from hub.store import people
from tests.hub.hub_network import PASSWORD, Network
from tests.hub.hub_process import write_settings
from tests.hub.pretend_provider import CLIENT, SECRET, PretendProvider
from tests.hub.web_server import serving
from tests.tools.pages import faults_of
from tests.tools.ports import free_port

AT = "http://localhost:8080"
FROM_HERE = {"sec-fetch-site": "same-origin"}
AWA = {"sub": "u-awa", "email": "Awa@Ville.example", "email_verified": True}


@pytest.fixture
def provider() -> Iterator[PretendProvider]:
    made = PretendProvider()
    yield made
    made.close()


def _network(folder: Path, provider: PretendProvider, url: str = "", at: str = AT) -> Network:
    (folder / "oidc-secret").write_text(SECRET)
    settings = provider.settings(
        email_domains=["ville.example"], second_factor_acr=["urn:two"], second_factor_amr=["mfa", "hwk"]
    )
    return Network(folder, url, public_url=at, more=settings)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, provider: PretendProvider
) -> Iterator[Network]:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    made = _network(tmp_path_factory.mktemp("network"), provider, url)
    yield made
    made.close()


@pytest.fixture
def small(tmp_path: Path, provider: PretendProvider) -> Iterator[Network]:
    """On SQLite alone: for what no database has a part in."""
    made = _network(tmp_path, provider)
    yield made
    made.close()


def _nobody(network: Network) -> TestClient:
    return TestClient(network.app, base_url="http://127.0.0.1", follow_redirects=False)


def _leave(client: TestClient, path: str = "/sign-in/oidc/ville?then=/parcels") -> str:
    """The page of the organisation a browser is sent to."""
    answer = client.get(path)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def _there(address: str) -> str:
    """Where the organisation sends the browser back to."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request("GET", f"{parts.path}?{parts.query}")
    with connection.getresponse() as answer:
        back = answer.headers["Location"]
    connection.close()
    return back


def _come(client: TestClient, path: str = "/sign-in/oidc/ville?then=/parcels") -> tuple[int, str]:
    answer = client.get(_there(_leave(client, path)).removeprefix(AT))
    return answer.status_code, answer.text + answer.headers.get("location", "")


def _expected(network: Network, name: str = "site_lead", email: str = "awa@ville.example") -> tuple[int, str]:
    admin = network.client("network_admin")
    path = f"/people/{network.person(name)}/identity/ville"
    answer = admin.post(path, data={"email": email}, headers=FROM_HERE)
    return answer.status_code, answer.text


def test_a_12_whoever_was_invited_comes_with_the_account_alone_and_needs_no_password(
    small: Network, provider: PretendProvider
) -> None:
    admin = small.client("network_admin")
    admin.post("/people", data={"name": "Awa", "role": "concierge", "site": "gambetta"}, headers=FROM_HERE)
    assert "pas encore venue" in admin.get("/people").text
    _expected(small, "Awa")
    provider.claims = AWA
    awa = _nobody(small)
    assert _come(awa)[0] == 303
    assert awa.get("/people").status_code == 403, "what she may do is said here"
    assert "pas encore venue" not in admin.get("/people").text
    ours = small.hub.identities._providers["ville"]
    ours.settings = replace(ours.settings, email_domains=())
    page = admin.get(f"/people/{small.person('site_lead')}").text
    assert ("Attendre cette adresse" in page, "lier le sien elle-même" in page) == (False, True)


def _actions(network: Network) -> list[tuple[str, str, str, str]]:
    from hub.audit.log import lines_after

    with network.hub.store.reading() as connection:
        lines = lines_after(connection, 1, 0, 1000)
        return [(line.action, line.actor, line.subject, line.reason) for line in lines]


def test_a_12_an_account_of_the_organisation_lets_in_whom_an_admin_expects_and_nobody_else(
    network: Network, provider: PretendProvider
) -> None:
    provider.claims = AWA
    status, text = _come(_nobody(network))
    assert (status, "lié à personne ici" in text) == (403, True), "an address alone is no invitation"
    assert _expected(network)[0] == 303
    for claims in (
        {**AWA, "email_verified": False},
        {**AWA, "email_verified": "true"},
        {"sub": "u-awa", "email": AWA["email"]},
        {**AWA, "email": "other@ville.example"},
        {**AWA, "email": [AWA["email"]]},
    ):
        provider.claims = claims
        assert _come(_nobody(network))[0] == 403, claims
    provider.claims = AWA
    awa = _nobody(network)
    assert _come(awa) == (303, "/parcels")
    assert awa.get("/parcels").status_code == 200
    provider.claims = {"sub": "u-awa"}
    assert _come(_nobody(network))[0] == 303, "known by its subject from then on"
    provider.claims = {**AWA, "sub": "u-other"}
    assert _come(_nobody(network))[0] == 403, "an address that went to somebody else is not the same person"
    lines = _actions(network)
    assert ("identity_expected", "network_admin", "site_lead", "ville") in lines
    assert lines.count(("identity_linked", "site_lead", "site_lead", "ville")) == 1
    assert lines[-1] == ("signed_in", "site_lead", "site_lead", "oidc ville")
    assert awa.post("/sign-out", headers=FROM_HERE).status_code == 303
    assert awa.get("/parcels").headers["location"].startswith("/sign-in"), "signing out ends the session here"


def test_a_12_an_account_is_taken_away_reset_and_of_one_person_of_its_association(
    network: Network, provider: PretendProvider
) -> None:
    provider.claims = AWA
    lead, colleague = network.person("site_lead"), network.person("colleague")
    _expected(network)
    assert _expected(network, "colleague")[1].count("déjà celui de quelqu") == 1
    assert "pas de l&#39;organisation" in _expected(network, email="awa@elsewhere.example")[1]
    assert "une adresse e-mail" in _expected(network, email=" ")[1]
    assert "une adresse e-mail" in _expected(network, email="awa")[1].lower()
    stranger = network.client("stranger")
    for path in (f"/people/{lead}/identity/ville", f"/people/{lead}/identity/ville/end"):
        assert stranger.post(path, data={"email": "b@ville.example"}, headers=FROM_HERE).status_code == 404
    assert stranger.get("/account/identity/ville").status_code == 422, "not an organisation of theirs"
    awa, admin = _nobody(network), network.client("network_admin")
    assert _come(awa)[0] == 303
    assert "awa@ville.example" in admin.get(f"/people/{lead}").text
    assert admin.post(f"/people/{lead}/identity/ville/end", headers=FROM_HERE).status_code == 303
    assert awa.get("/parcels").status_code == 303, "signed out at once"
    assert _come(_nobody(network))[0] == 403
    for end in ("reset", "end"):
        _expected(network, "colleague")
        assert _come(_nobody(network))[0] == 303
        assert admin.post(f"/people/{colleague}/{end}", headers=FROM_HERE).status_code < 400
        assert _come(_nobody(network))[0] == 403, end
    assert ("identity_ended", "network_admin", "site_lead", "ville") in _actions(network)


def test_a_12_somebody_links_their_own_account_and_nobody_elses(network: Network, provider: PretendProvider) -> None:
    lead, other = network.client("site_lead"), network.client("colleague")
    provider.claims = {"sub": "u-7"}
    assert _come(lead, "/account/identity/ville") == (303, "/account")
    assert "Lié" in lead.get("/account").text
    assert _come(_nobody(network))[0] == 303
    status, text = _come(other, "/account/identity/ville")
    assert (status, "déjà celui de quelqu" in text) == (401, True)
    with network.hub.store.writing() as connection:
        people.change_person(connection, int(network.person("site_lead")), second_factor=b"sealed")
    assert "d&#39;abord votre second facteur" in lead.get("/account/identity/ville").text
    provider.claims = {"sub": "u-8"}
    back = _there(_leave(other, "/account/identity/ville")).removeprefix(AT)
    thief = _nobody(network)
    thief.cookies.set("consigne_organisation", other.cookies["consigne_organisation"])
    assert thief.get(back).status_code == 401, "it was not theirs to link"
    assert _come(_nobody(network))[0] == 403
    assert _nobody(network).get("/account/identity/ville").headers["location"].startswith("/sign-in")


SIGN_INS: tuple[tuple[dict[str, Any], bool], ...] = (
    ({}, False),
    ({"acr": "urn:two"}, True),
    ({"acr": "urn:one", "amr": ["pwd"]}, False),
    ({"amr": ["pwd", "hwk"]}, True),
    ({"acr": ["urn:two"], "amr": "mfa"}, False),
)


def test_a_03_a_door_needs_two_factors_which_the_organisation_declared_or_one_of_ours(
    small: Network, provider: PretendProvider
) -> None:
    _expected(small)
    person = int(small.person("site_lead"))
    for claims, opens in SIGN_INS:
        provider.claims = {**AWA, **claims}
        awa, again = _nobody(small), _nobody(small)
        address = _leave(awa)
        assert parse_qs(urlsplit(address).query)["acr_values"] == ["urn:two"]
        assert awa.get(_there(address).removeprefix(AT)).status_code == 303
        assert awa.get("/openings").status_code == (200 if opens else 403), claims
        with small.hub.store.writing() as connection:
            people.change_person(connection, person, second_factor=b"sealed")
        _come(again)
        owes = again.get("/parcels").headers.get("location") == "/account"
        assert owes is not opens, "a second factor of ours is asked for unless the organisation saw one"
        with small.hub.store.writing() as connection:
            people.change_person(connection, person, second_factor=None)


LIES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("another issuer", {"iss": "https://evil.example"}),
    ("another nonce", {"nonce": "another"}),
    ("no nonce", {"nonce": None}),
    ("another audience", {"aud": "another"}),
    ("an audience of several, for another", {"aud": [CLIENT, "another"]}),
    ("another party", {"aud": [CLIENT, "another"], "azp": "another"}),
    ("expired", {"exp": 1_700_000_000}),
    ("never ends", {"exp": None}),
    ("from tomorrow", {"iat": 4_000_000_000, "exp": 4_000_000_300}),
    ("nobody", {"sub": None}),
    ("nobody by name", {"sub": ""}),
    ("a number", {"sub": 7}),
    ("too long", {"sub": "x" * 256}),
)


def test_a_12_a_token_that_is_not_of_this_sign_in_lets_nobody_in(small: Network, provider: PretendProvider) -> None:
    _expected(small)
    for name, lie in LIES:
        provider.claims = {**AWA, **lie}
        status, text = _come(_nobody(small))
        assert (status, "pas pu être vérifiée" in text) == (401, True), name
    provider.claims = AWA
    forger, honest = ECKey.generate_key("P-256", {"kid": "one"}), provider.key
    for header, key in (({}, forger), ({"kid": "two"}, honest)):
        provider.header, provider.key = header, key
        assert _come(_nobody(small))[0] == 401, header
    provider.header, provider.key, provider.body = {}, honest, b'{"access_token": "x"}'
    assert _come(_nobody(small))[0] == 401, "no identity token at all"
    provider.body = None
    provider.claims = {**AWA, "aud": [CLIENT, "another"], "azp": CLIENT}
    assert _come(_nobody(small))[0] == 303, "the honest one comes in"


def test_a_12_unsigned_tokens_and_our_own_secret_as_a_key_are_no_signatures(
    small: Network, provider: PretendProvider
) -> None:
    import base64
    import json

    from joserfc import jwt
    from joserfc.jwk import OctKey

    _expected(small)
    ask = oidc.new_question()
    ours = small.hub.identities._providers["ville"]
    claims = {"iss": provider.issuer, "aud": CLIENT, "sub": "u", "iat": 1, "exp": 4_000_000_000, "nonce": ask.nonce}
    provider.metadata = {"id_token_signing_alg_values_supported": ["none", "HS256", "ES256"]}
    part = [
        base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in ({"alg": "none"}, claims)
    ]
    secret = OctKey.import_key(SECRET.ljust(32))
    for token in (
        f"{part[0]}.{part[1]}.",
        jwt.encode({"alg": "HS256", "kid": "one"}, claims, secret),
        "a.b.c",
        "é",
        "",
    ):
        with pytest.raises(oidc.Unbelievable):
            ours._believed(token, ask.nonce)


def test_a_12_an_answer_is_taken_once_by_the_browser_that_asked_and_soon(
    small: Network, provider: PretendProvider
) -> None:
    _expected(small)
    provider.claims = AWA
    awa = _nobody(small)
    back = _there(_leave(awa)).removeprefix(AT)
    kept = awa.cookies["consigne_organisation"]
    assert _nobody(small).get(back).status_code == 401, "another browser"
    assert awa.get(back).status_code == 303
    assert "consigne_organisation" not in awa.cookies
    replay = _nobody(small)
    replay.cookies.set("consigne_organisation", kept)
    before = len(provider.asked)
    answer = replay.get(back)
    assert (answer.status_code, "déjà servi" in answer.text) == (401, True)
    assert len(provider.asked) == before, "a replay does not even ask the organisation"
    for change in (
        {"state": "another"},
        {"state": ""},
        {"state": "é"},
        {"iss": "https://evil.example"},
        {"error": "access_denied"},
    ):
        provider.answers = change
        assert _come(_nobody(small))[0] == 401, change
    provider.answers, provider.metadata = {}, {"authorization_response_iss_parameter_supported": True}
    small.hub.identities._providers["ville"]._metadata = None
    assert _come(_nobody(small))[0] == 401, "it says that it names itself, and did not"
    provider.answers = {"iss": provider.issuer}
    assert _come(_nobody(small))[0] == 303
    late, clock = _nobody(small), small.hub.identities._clock
    back = _there(_leave(late)).removeprefix(AT)
    small.hub.identities._clock = lambda: clock() + PENDING_MS
    assert late.get(back).status_code == 401
    small.hub.identities._clock = clock
    for kept in ("", "AAAA", "A", small.hub.passkeys._seal("own", 0, b"")):
        forger = _nobody(small)
        forger.cookies.set("consigne_organisation", kept)
        assert forger.get("/sign-in/oidc/ville/back", params={"code": "c", "state": "s"}).status_code == 401
    wrong = _nobody(small)
    there = _there(_leave(wrong)).removeprefix(AT)
    assert wrong.get(there.replace("code=", "code=x")).status_code == 401, "a code of somebody else"
    empty = _nobody(small)
    assert empty.get(_there(_leave(empty)).removeprefix(AT).replace("code=", "other=")).status_code == 401
    assert _nobody(small).get("/sign-in/oidc/nowhere").status_code == 404


def test_a_12_an_organisation_that_is_away_is_told_kindly_and_passwords_still_work(
    small: Network, provider: PretendProvider
) -> None:
    _expected(small)
    provider.claims = AWA
    ours = small.hub.identities._providers["ville"]
    for status, body in (
        (500, None),
        (301, None),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"[" * 3_000),
        (200, b"x" * 300_000),
    ):
        provider.status, provider.body = status, body
        answer = _nobody(small).get("/sign-in/oidc/ville")
        assert (answer.status_code, "ne répond pas" in answer.text) == (503, True), body
        assert 'name="password"' in answer.text
    provider.status, provider.body = 200, None
    for metadata in (
        {"issuer": "https://evil.example"},
        {"token_endpoint": None},
        {"jwks_uri": "http://evil.example/keys"},
    ):
        provider.metadata = metadata
        assert _nobody(small).get("/sign-in/oidc/ville").status_code == 503, metadata
    provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert _come(_nobody(small))[0] == 303
    before = len(provider.asked)
    assert _come(_nobody(small))[0] == 303
    assert provider.asked[before:] == ["/authorize", "/token"], "addresses and keys are kept"
    for keys in ([], [{"kty": "EC", "kid": "one"}], [{"kty": "oct", "kid": "one", "k": "AAAA"}]):
        provider.published, ours._keys = keys, None
        assert _come(_nobody(small))[0] == 503, keys
    holding = [ours._calls.acquire(blocking=False) for _ in range(oidc.CALLS_AT_ONCE)]
    assert all(holding)
    assert _come(_nobody(small))[0] == 503, "a slow server holds only so many of our threads"
    for _ in holding:
        ours._calls.release()
    provider.close()
    ours._metadata = None
    assert _nobody(small).get("/sign-in/oidc/ville").status_code == 503
    assert small.hub.door.sign_in("site_lead", PASSWORD) is not None


def test_a_12_new_keys_of_an_organisation_are_asked_for_when_a_token_names_one(
    small: Network, provider: PretendProvider
) -> None:
    _expected(small)
    provider.claims = AWA
    assert _come(_nobody(small))[0] == 303
    provider.key = ECKey.generate_key("P-256", {"kid": "two", "use": "sig", "alg": "ES256"})
    provider.published, provider.header = [dict(provider.key.as_dict(private=False))], {"kid": "two"}
    ours = small.hub.identities._providers["ville"]
    assert _come(_nobody(small))[0] == 401, "asked a moment ago"
    clock = ours._clock
    ours._clock = lambda: clock() + oidc.KEYS_AGAIN_MS
    assert _come(_nobody(small))[0] == 303


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("[oidc.ville]", "[oidc.La_Ville]"), "small letters"),
        (("name = ", "title = "), "unknown key"),
        (('name = "Ville"', 'name = ""'), "needs name, issuer"),
        (('client_secret_file = "oidc-secret"', ""), "needs name, issuer"),
        (("http://127.0.0.1", "http://login.example"), r"issuer: expected https"),
        (("[oidc.ville]\n", "[oidc.ville]\nemail_domains = 'ville.example'\n"), "expected a list"),
        (("[oidc.ville]\n", "[oidc]\nville = 1\n[oidc.x]\n"), r"expected a table \[oidc.ville\]"),
        ((AT, "http://hub.example"), "public_url with https"),
    ],
)
def test_what_does_not_fit_in_the_settings_of_an_organisation_is_told_with_its_place(
    tmp_path: Path, provider: PretendProvider, change: tuple[str, str], said: str
) -> None:
    file = write_settings(tmp_path)
    text = file.read_text().replace("[web]\n", f'[web]\npublic_url = "{AT}"\n') + provider.settings()
    file.write_text(text)
    assert read_settings(file).oidc[0].client_id == CLIENT
    file.write_text(text.replace(*change))
    with pytest.raises(BadSettings, match=said):
        read_settings(file)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_12_through_the_organisation_in_a_browser_and_past_it_when_it_is_away(
    tmp_path: Path, provider: PretendProvider, chromium: Browser
) -> None:
    port = free_port()
    at = f"http://localhost:{port}"
    provider.claims = {**AWA, "amr": ["mfa"]}
    with closing(_network(tmp_path, provider, at=at)) as network, serving(network.app, network.hub.live, port):
        page = chromium.new_context(base_url=at, locale="fr-FR").new_page()
        page.goto("/openings")
        wrong = faults_of(page)
        page.get_by_role("link", name="Ville").click()
        expect(page.get_by_text("lié à personne ici")).to_be_visible()
        wrong += faults_of(page)
        page.get_by_label("Nom").fill("network_admin")
        page.get_by_label("Mot de passe").fill(PASSWORD)
        page.get_by_role("button", name="Se connecter").click()
        page.goto(f"/people/{network.person('site_lead')}")
        page.get_by_label("Son adresse e-mail chez Ville").fill("awa@ville.example")
        page.get_by_role("button", name="Attendre cette adresse").click()
        expect(page.get_by_text("Attendu")).to_be_visible()
        wrong += faults_of(page)
        page.get_by_role("button", name="Se déconnecter").click()
        page.goto("/openings")
        page.get_by_role("link", name="Ville").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Portes à distance")
        page.goto("/account")
        expect(page.get_by_text("Lié, utilisé")).to_be_visible()
        wrong += faults_of(page)
        page.get_by_role("button", name="Se déconnecter").click()
        provider.status = 503
        network.hub.identities._providers["ville"]._metadata = None
        page.get_by_role("link", name="Ville").click()
        expect(page.get_by_text("ne répond pas")).to_be_visible()
        wrong += faults_of(page)
        page.context.close()
    assert wrong == []
