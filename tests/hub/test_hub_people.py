"""People of an association: invited, changed, ended; second factors and sessions. On both databases, over the pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pyotp
import pytest
from fastapi.testclient import TestClient

from hub.core.permissions import Right, Role
from hub.people.services import TRIES_BURST
from tests.hub.hub_network import PASSWORD, Network

FROM_HERE = {"sec-fetch-site": "same-origin"}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    made = Network(tmp_path_factory.mktemp("network"), url)
    yield made
    made.close()


def _post(client: TestClient, path: str, **data: object) -> tuple[int, str]:
    answer = client.post(path, data=data, headers=FROM_HERE)
    return answer.status_code, answer.text + answer.headers.get("location", "")


def _link(text: str) -> str:
    found = re.search(r"/join/[\w-]{43}", text)
    assert found is not None, text
    return found[0]


def _actions(network: Network, tenant: int = 1) -> list[tuple[str, str, str]]:
    with network.hub.store.reading() as connection:
        from hub.audit.log import lines_after

        return [(line.action, line.actor, line.subject) for line in lines_after(connection, tenant, 0, 1000)]


def test_a_12_somebody_is_invited_chooses_a_password_once_and_works_at_their_sites(network: Network) -> None:
    admin, nobody = network.client("network_admin"), TestClient(network.app, follow_redirects=False)
    status, text = _post(admin, "/people", name="Inès", role="concierge", site="gambetta")
    assert status == 200
    link = _link(text)
    assert network.hub.door.sign_in("Inès", "") is None
    assert "Inès" in nobody.get(link).text
    assert _post(nobody, link, password="short")[0] == 422
    assert _post(nobody, link, password="a good long one") == (303, "/sign-in")
    assert nobody.get(link).status_code == 404
    assert _post(nobody, link, password="another long one")[0] == 404
    cookie = network.hub.door.sign_in("Inès", "a good long one")
    assert cookie is not None
    visitor = network.hub.door.visitor_of(cookie)
    assert visitor is not None
    assert (visitor.role, visitor.scope.sites) == ("concierge", frozenset({1}))
    assert ("person_invited", "network_admin", "Inès") in _actions(network)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"name": " ", "role": "auditor"}, "Donnez un nom"),
        ({"name": "colleague", "role": "auditor"}, "déjà pris"),
        ({"name": "Inès", "role": "janitor"}, "Choisissez un rôle"),
        ({"name": "Inès", "role": "concierge"}, "au moins un site"),
        ({"name": "Inès", "role": "concierge", "site": "lyon"}, "n&#39;existe pas"),
        ({"name": "Inès", "role": "carrier"}, "nom du transporteur"),
        ({"name": "Inès", "role": "auditor", "carrier": "dhl"}, "nom du transporteur"),
    ],
)
def test_a_12_an_invitation_that_does_not_fit_says_why_and_invites_nobody(
    network: Network, wish: dict[str, str], said: str
) -> None:
    status, text = _post(network.client("network_admin"), "/people", **wish)
    assert status == 422
    assert said in text
    assert [action for action, *_ in _actions(network) if action == "person_invited"] == []


def test_a_12_the_last_network_admin_cannot_leave_nor_give_the_role_away(network: Network) -> None:
    admin, me = network.client("network_admin"), network.person("network_admin")
    for path, data in ((f"/people/{me}", {"role": "auditor"}), (f"/people/{me}/end", {}), (f"/people/{me}/reset", {})):
        status, text = _post(admin, path, **data)
        assert status == 409, path
        assert "dernière personne" in text
    assert _post(admin, f"/people/{network.own.person}", role="network_admin")[0] == 303
    assert _post(admin, f"/people/{me}/end")[0] == 303
    assert admin.get("/people").headers["location"].startswith("/sign-in")


def test_a_12_another_role_holds_from_the_next_click_and_who_left_is_out_at_once(network: Network) -> None:
    admin, lead = network.client("network_admin"), network.client("site_lead")
    person = network.person("site_lead")
    assert lead.get("/api/v1/sites/gambetta/facts").status_code == 200
    _post(admin, f"/people/{person}", role="mediator", site="belleville")
    assert lead.get("/api/v1/sites/gambetta").status_code == 404
    assert lead.get("/api/v1/sites/belleville/facts").status_code == 403
    _post(admin, f"/people/{person}/end")
    assert lead.get("/api/v1/sites").status_code == 401
    assert network.hub.door.sign_in("site_lead", PASSWORD) is None
    assert ("person_ended", "network_admin", "site_lead") in _actions(network)


def _set_up(client: TestClient) -> tuple[pyotp.TOTP, list[str]]:
    page = client.get("/account").text
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)
    sealed = re.search(r'name="sealed" value="([^"]+)"', page)
    assert secret
    assert sealed
    totp = pyotp.TOTP(secret[1])
    status, text = _post(client, "/account/second-factor", sealed=sealed[1], code=totp.now())
    assert status == 200, text
    return totp, re.findall(r"<code>([A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4})</code>", text)


def test_a_12_with_a_second_factor_a_stolen_password_sees_nothing_and_a_code_is_good_once(network: Network) -> None:
    lead = network.client("site_lead")
    _, codes = _set_up(lead)
    assert len(set(codes)) == 8
    visitor = network.hub.door.visitor_of(lead.cookies["consigne_session"])
    assert visitor is not None
    assert visitor.may(Right.OPEN_DOOR)
    thief = network.client("site_lead")
    for path in ("/", "/parcels", "/api/v1/parcels", f"/parcels/{network.own.parcel}/slip"):
        answer = thief.get(path)
        assert answer.status_code == 403 or answer.headers.get("location") == "/account", path
    assert _post(thief, "/account/code", code="000000")[0] == 422
    assert _post(thief, "/account/password", old=PASSWORD, new="another long one")[0] == 422
    assert _post(thief, "/account/code", code=codes[0].lower())[0] == 303
    assert thief.get("/parcels").status_code == 200
    again = network.client("site_lead")
    assert _post(again, "/account/code", code=codes[0])[0] == 422, "a recovery code is good once"
    assert again.get("/parcels").status_code == 303
    assert ("recovery_code_used", "site_lead", "site_lead") in _actions(network)


def test_a_12_the_code_of_an_app_is_taken_once_even_within_its_half_minute(network: Network) -> None:
    lead = network.client("site_lead")
    totp, _ = _set_up(lead)
    now = network.hub.second_factor._clock()
    network.hub.second_factor._clock = lambda: now + 60_000
    code = totp.at((now + 60_000) // 1000)
    first, second = network.client("site_lead"), network.client("site_lead")
    assert _post(first, "/account/code", code=code)[0] == 303
    assert _post(second, "/account/code", code=code)[0] == 422


def test_a_12_codes_cannot_be_guessed_and_a_proposal_is_of_one_person(network: Network) -> None:
    lead, admin = network.client("site_lead"), network.client("network_admin")
    page = admin.get("/account").text
    sealed = re.search(r'name="sealed" value="([^"]+)"', page)
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)
    assert sealed
    assert secret
    assert _post(lead, "/account/second-factor", sealed=sealed[1], code=pyotp.TOTP(secret[1]).now())[0] == 422
    assert _post(lead, "/account/second-factor", sealed="AAAA", code="123456")[0] == 422
    totp, _ = _set_up(lead)
    thief = network.client("site_lead")
    now = network.hub.second_factor._clock()
    network.hub.second_factor._clock = lambda: now + 60_000
    for _ in range(TRIES_BURST):
        _post(thief, "/account/code", code="000000")
    assert _post(thief, "/account/code", code=totp.at((now + 60_000) // 1000))[0] == 422, "too many were tried"


def test_a_12_a_lost_telephone_is_answered_with_a_new_link_and_every_session_ends(network: Network) -> None:
    lead = network.client("site_lead")
    _set_up(lead)
    status, text = _post(network.client("network_admin"), f"/people/{network.person('site_lead')}/reset")
    assert status == 200
    assert lead.get("/api/v1/sites").status_code == 401
    assert network.hub.door.sign_in("site_lead", PASSWORD) is None
    assert _post(TestClient(network.app, follow_redirects=False), _link(text), password="a good long one")[0] == 303
    cookie = network.hub.door.sign_in("site_lead", "a good long one")
    visitor = network.hub.door.visitor_of(cookie or "")
    assert visitor is not None
    assert (visitor.owes_second_factor, visitor.may(Right.OPEN_DOOR)) == (False, False)


def test_a_12_sessions_are_listed_ended_one_by_one_and_all_by_a_new_password(network: Network) -> None:
    here, there, third = (network.client("concierge") for _ in range(3))
    stranger = network.client("mediator")
    handles = re.findall(r"/account/sessions/(\w{16})/end", here.get("/account").text)
    assert len(handles) == 3
    _post(stranger, f"/account/sessions/{handles[0]}/end")
    assert [client.get("/api/v1/sites").status_code for client in (here, there, third)] == [200, 200, 200]
    _post(here, f"/account/sessions/{handles[0]}/end")
    assert sorted(client.get("/api/v1/sites").status_code for client in (here, there, third)) == [200, 200, 401]
    left = here if here.get("/api/v1/sites").status_code == 200 else there
    assert _post(left, "/account/password", old="wrong wrong wrong", new="a good long one")[0] == 422
    assert _post(left, "/account/password", old=PASSWORD, new="short")[0] == 422
    assert _post(left, "/account/password", old=PASSWORD, new="a good long one")[0] == 200
    assert sorted(client.get("/api/v1/sites").status_code for client in (here, there, third)) == [200, 401, 401]
    assert left.get("/api/v1/sites").status_code == 200


def test_a_13_the_log_is_read_exported_and_its_export_is_checked(network: Network) -> None:
    from hub.audit.chain import Line, faults

    network.client("concierge").post(f"/parcels/{network.own.parcel}/recall", headers=FROM_HERE)
    auditor = network.client("auditor")
    page = auditor.get("/audit").text
    assert "Colis à reprendre" in page
    assert "Rien ne manque" in page
    assert "stranger" not in page
    table = auditor.get("/audit.csv").text.splitlines()
    assert table[0] == "tenant,seq,at_ms,actor,role,action,kind,subject,site,reason,hash"
    lines = [json.loads(line) for line in auditor.get("/audit.json").text.splitlines()]
    read = [Line(**{**line, "hash": bytes.fromhex(line["hash"])}) for line in lines]
    assert list(faults(1, read)) == []
    assert [line.action for line in read][-1] == "audit_exported"
    told = auditor.get("/api/v1/audit", params={"limit": 1000}).json()["lines"]
    assert told[: len(lines)] == lines
    assert len(table) == len(lines)  # a head, and one line less: that it was taken away a second time
    assert network.client("concierge").get("/audit").status_code == 403


def test_the_owner_of_a_role_sees_only_what_it_may_do(network: Network) -> None:
    menus = {
        role: re.findall(r'<li><a href="([^"]+)"', network.client(role.value).get("/parcels").text) for role in Role
    }
    assert "/people" in menus[Role.NETWORK_ADMIN]
    assert "/audit" in menus[Role.AUDITOR]
    assert menus[Role.CARRIER] == ["/parcels", "/parcels/new"]
    assert "/parcels/new" not in menus[Role.MEDIATOR]
    assert network.client("carrier").get("/").headers["location"] == "/parcels"
