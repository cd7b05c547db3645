"""Every route, every role, every object that is not theirs: generated from the application's own table (A-12, A-17, I-31)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from hub.core.permissions import (
    FOR_PEOPLE_ONLY,
    NEEDS_SECOND_FACTOR,
    TOKEN_RIGHTS,
    WHOLE_ASSOCIATION,
    Right,
    Role,
    Scope,
    may,
)
from hub.live import Event
from tests.hub.hub_bench import FakeLink
from tests.hub.hub_network import NOTHING, Network, Route, Things, routes_of

STREAMS = {"/api/v1/events", "/live"}
"""Never end; told apart below."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    made = Network(tmp_path_factory.mktemp("network"), url)
    made.hub.desk._link = FakeLink()
    yield made
    made.close()


def _bodies(things: Things) -> dict[str, dict[str, Any]]:
    """What a POST or a PATCH needs so that it would succeed."""
    return {
        "/api/v1/parcels/{parcel}": {"json": {"recipient": {"name": "Somebody else"}}},
        "/parcels/{parcel}/recipient": {"data": {"name": "Somebody else", "language": "fr"}},
        "/api/v1/sites": {"json": {"id": "neuf", "name": "Neuf"}},
        "/api/v1/parcels": {"json": {"site": things.site, "tracking": "RR123456785FR"}},
        "/api/v1/carrier/parcels": {"json": {"site": things.site, "tracking": "RR123456785FR"}},
        "/api/v1/sites/{site}/commands": {"json": {"verb": "identify", "reason": "which one?"}},
        "/people": {"data": {"name": "Somebody", "role": "concierge", "site": things.site}},
        "/carriers": {
            "data": {"carrier": "DHL", "name": "k", "right": ["see_capacity"], "every_site": "1", "per_minute": "9"}
        },
        "/people/{person_id}": {"data": {"role": "auditor"}},
        "/sites/{site}/settings": {"data": {"name": things.site}},
        "/sites/{site}/badges": {"data": {"who": "p1", "role": "concierge"}},
        "/sites/{site}/open": {"data": {"door": "7", "reason": "repair"}},
        "/parcels/new": {"data": {"site": things.site, "tracking": "RR123456785FR", "language": "fr"}},
    }


def call(client: TestClient, route: Route, things: Things) -> tuple[int, str]:
    """Status and text of the answer, without the ids that were asked for."""
    more = _bodies(things).get(route.path, {}) if route.method in {"POST", "PATCH"} else {}
    answer = client.request(
        route.method, things.fill(route.path), headers={"sec-fetch-site": "same-origin"}, follow_redirects=False, **more
    )
    text = re.sub(r'data-now="[0-9]+"', "", answer.text) + answer.headers.get("location", "")
    for name in (things.site, things.parcel, things.command, things.opening):
        text = text.replace(name, "?")
    return answer.status_code, text


def _guarded(network: Network) -> list[Route]:
    return [route for route in routes_of(network.app) if route.right is not None and route.path not in STREAMS]


def _named(route: Route) -> bool:
    """Whether a route names an object, in its path or in what is sent."""
    names = ("{site}", "{parcel}", "{alert}", "{command}", "{opening}", "{person_id}", "{carrier_key}")
    return any(name in route.path for name in names) or (
        route.method == "POST" and route.path in {"/api/v1/parcels", "/parcels/new", "/api/v1/carrier/parcels"}
    )


@pytest.mark.timeout(240)
def test_a_12_every_route_is_refused_to_every_role_without_its_right(network: Network) -> None:
    wrong = []
    for role in Role:
        client = network.client(role.value, second_factor=True)
        for route in routes_of(network.app):
            if route.right is None or (route.path in STREAMS and may(role, route.right)):
                continue
            status, _ = call(client, route, network.own)
            if (status == 403) == may(role, route.right) or status in {401, 500}:
                wrong.append((role.value, route.method, route.path, status))
    assert wrong == []


def test_a_03_no_password_alone_opens_a_door(network: Network) -> None:
    doors = [route for route in _guarded(network) if route.right in NEEDS_SECOND_FACTOR]
    assert len(doors) >= 6
    client = network.client("network_admin")
    assert {call(client, route, network.own)[0] for route in doors} == {403}


@pytest.mark.timeout(240)
def test_a_12_a_program_is_refused_every_route_its_token_does_not_name(network: Network) -> None:
    wrong = []
    guarded = [route for route in _guarded(network) if route.is_api]
    for right in sorted(TOKEN_RIGHTS):
        client = network.program(right)
        for route in guarded:
            status, _ = call(client, route, network.own)
            if (status == 403) == (route.right is right) or status in {401, 500}:
                wrong.append((right.value, route.method, route.path, status))
    assert wrong == []
    everything = network.program(*Right)
    assert all(call(everything, route, network.own)[0] == 403 for route in guarded if route.right in FOR_PEOPLE_ONLY)


@pytest.mark.timeout(240)
def test_a_17_what_belongs_to_another_association_is_answered_as_what_does_not_exist(network: Network) -> None:
    before = _rows(network)
    named = [route for route in _guarded(network) if _named(route)]
    assert len(named) >= 20
    wrong = []
    nothings: dict[tuple[str, Route], tuple[int, str]] = {}
    clients = {role.value: network.client(role.value, second_factor=True) for role in Role}
    clients["a program"] = network.program(*Right)
    clients["the stranger"] = network.client("stranger", second_factor=True)
    for who, client in clients.items():
        outside = [network.own, network.elsewhere] if who == "the stranger" else [network.foreign]
        if who in {role.value for role in set(Role) - WHOLE_ASSOCIATION}:
            outside.append(network.elsewhere)  # another site's, or another carrier's
        named_here = [route for route in named if route.is_api] if who == "a program" else named
        for things in outside:
            for route in named_here:
                if who == "carrier" and things is network.elsewhere and "{parcel}" not in route.path:
                    continue  # a carrier knows every site of the association, and parcels of its own alone
                answer = call(client, route, things)
                if (who, route) not in nothings:
                    nothings[who, route] = call(client, route, NOTHING)
                nothing = nothings[who, route]
                if answer != nothing or answer[0] < 400:
                    wrong.append((who, route.method, route.path, things.site, answer[0], nothing[0]))
    assert wrong == []
    assert _rows(network) == before, "somebody changed what is not theirs"


def test_a_17_no_list_and_no_search_shows_anything_of_another_association(network: Network) -> None:
    lists = [route for route in _guarded(network) if route.method == "GET" and "{" not in route.path]
    secrets = ("lyon", network.foreign.parcel, "8N00234584104")
    for who in [role.value for role in Role]:
        client = network.client(who, second_factor=True)
        for route in lists:
            for query in ("", "?site=lyon", "?q=secret", f"?q={network.foreign.parcel}", "?q=8N00234584104"):
                text = client.get(route.path + query).text.replace(f'value="{query[3:]}"', "")
                shown = [secret for secret in secrets if secret in text]
                assert shown == [], (who, route.path, query)
    mine = network.client("stranger").get("/api/v1/parcels").json()["parcels"]
    assert [row["id"] for row in mine] == [network.foreign.parcel]


def test_a_12_a_carrier_sees_its_own_parcels_and_announces_no_others(network: Network) -> None:
    client = network.program(Right.SEE_PARCELS, Right.ANNOUNCE_PARCEL, carrier="La Poste")
    assert [row["id"] for row in client.get("/api/v1/parcels").json()["parcels"]] == [network.own.parcel]
    other = client.post("/api/v1/parcels", json={"site": "gambetta", "tracking": "CC1234567", "carrier": "dhl"})
    assert (other.status_code, other.json()["code"]) == (422, "bad_carrier")
    own = client.post("/api/v1/parcels", json={"site": "gambetta", "tracking": "CC1234567"})
    assert (own.status_code, own.json()["carrier"]) == (201, "laposte")
    taken = client.post("/api/v1/parcels", json={"site": "belleville", "tracking": "8N002345841010"})
    assert taken.status_code == 409
    assert network.elsewhere.parcel not in taken.text


def test_a_17_a_guess_costs_the_hub_as_much_as_what_does_not_exist(network: Network) -> None:
    """The same statements run for both, so no stopwatch tells one from the other."""
    counted: list[str] = []
    event.listen(network.hub.store._engine, "before_cursor_execute", lambda *about: counted.append(about[2]))
    client = network.client("network_admin", second_factor=True)
    for route in [route for route in _guarded(network) if _named(route)]:
        ran = []
        for things in (network.foreign, NOTHING):
            counted.clear()
            call(client, route, things)
            ran.append(list(counted))
        assert ran[0] == ran[1], route


def test_a_17_events_reach_their_own_association_and_sites_alone(network: Network) -> None:
    live = network.hub.live

    async def heard(scope: Scope, last: int) -> list[bytes]:
        live.attach(asyncio.get_running_loop())
        stream = live.stream(last, scope)
        first = [await anext(stream)]
        live.publish("site", "lyon")
        live.publish("site", "belleville")
        live.publish("site", "gambetta")
        try:
            while True:
                first.append(await asyncio.wait_for(anext(stream), 0.5))
        except TimeoutError:
            return first

    live.publish("parcel", "lyon", "missed")
    last = live.number - 1
    own = asyncio.run(heard(Scope(1, frozenset({1})), last))
    assert [b"gambetta" in said for said in own[1:]] == [True]
    everything = asyncio.run(heard(Scope(1), live.number))
    assert [name for said in everything for name in (b"lyon", b"belleville", b"gambetta") if name in said] == [
        b"belleville",
        b"gambetta",
    ]
    unknown = Event(1, "alert", "nobody", "", *network.hub.live._place_of("nobody"))
    assert unknown.is_inside(Scope(1))
    assert not unknown.is_inside(Scope(1, frozenset({1})))
    assert not unknown.is_inside(Scope(2))


def _rows(network: Network) -> list[tuple[Any, ...]]:
    from sqlalchemy import text

    others = f"('{network.foreign.parcel}', '{network.elsewhere.parcel}')"
    with network.hub.store.reading() as connection:
        asked = (
            f"SELECT id, version, intent FROM parcel WHERE id IN {others} ORDER BY id",
            "SELECT count(*), 0, '' FROM parcel WHERE site = 3",
            f"SELECT name, phone, email FROM contact WHERE parcel IN {others} ORDER BY parcel",
            f"SELECT id, times, acknowledged_by FROM alert WHERE id = {network.foreign.alert}",
            "SELECT count(*), 0, '' FROM command WHERE site = 3",
            "SELECT count(*), 0, '' FROM roster WHERE site != 1",
            "SELECT site, decided_by, state FROM opening WHERE site != 1 ORDER BY site",
            f"SELECT id, second_factor_step, role || password_hash FROM person WHERE id = {network.foreign.person}",
            f"SELECT count(*), 0, '' FROM audit WHERE tenant = {network.other} AND action != 'signed_in'",
        )
        return [tuple(row) for query in asked for row in connection.execute(text(query))]
