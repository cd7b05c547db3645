"""Two associations on one hub, somebody of each role at the first, and every route of the hub as its application lists it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from anyio.from_thread import start_blocking_portal
from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import insert

from hub.app import Hub, create_app
from hub.clock import wall_ms
from hub.core.openings import Wish
from hub.core.parcels import new_parcel
from hub.core.permissions import CARRIER_RIGHTS, Right, Role, Scope, Visitor
from hub.settings import read_settings
from hub.store import desk, openings, people, tenants
from hub.store.schema import ALERT, COMMAND
from tests.hub.hub_process import write_settings
from wire.messages import Verb

PASSWORD = "ten letters long"
ADMIN = Visitor("admin", Role.NETWORK_ADMIN)


@dataclass(frozen=True)
class Things:
    """One of each thing that a route can name."""

    site: str
    parcel: str
    alert: str
    command: str
    opening: str
    person: str = "0"
    key: str = "999999"

    def fill(self, path: str) -> str:
        """A route's path with these things in it."""
        for name in ("site", "parcel", "alert", "command", "opening"):
            path = path.replace(f"{{{name}}}", getattr(self, name))
        path = path.replace("{person_id}", self.person).replace("{handle}", "0" * 16).replace("{who}", "p1")
        path = path.replace("{carrier_key}", self.key)
        return path.replace("{name}", "consigne.css").replace("{token}", "none")


NOTHING = Things("nowhere", "0000000000000", "999999", "f" * 32, "e" * 32, "999999")


class Network:
    """A hub of two associations, without threads."""

    def __init__(self, folder: Path, store_url: str, *, public_url: str = "", more: str = "") -> None:
        self._loop = start_blocking_portal()
        self._portal = self._loop.__enter__()
        file = write_settings(folder, store_url=store_url)
        text = file.read_text().replace("open_on_loopback = true", "open_on_loopback = false")
        file.write_text(text.replace("[web]\n", f'[web]\npublic_url = "{public_url}"\n') + more)
        self.hub = Hub(read_settings(file), on_thread_end=lambda _name: None)
        self.hub.door._hasher = PasswordHasher(
            time_cost=1, memory_cost=8, parallelism=1
        )  # nobody's password is in here
        self.app: FastAPI = create_app(self.hub)
        with self.hub.store.writing() as connection:
            self.other = tenants.add_association(connection, "Autre", wall_ms())
            for site, tenant in (("gambetta", 1), ("belleville", 1), ("lyon", self.other)):
                desk.add_site(
                    connection, site=site, name=site, address="", help_phone="", now_ms=wall_ms(), tenant=tenant
                )
        self.own = self._things("gambetta", "laposte")
        self.elsewhere = self._things("belleville", "dhl")
        """Of the same association, at a site where nobody but its admins and auditors works."""
        self.foreign = self._things("lyon", "laposte")
        for role in Role:
            carrier = "La Poste" if role is Role.CARRIER else ""
            sites = () if role is Role.CARRIER else ("gambetta",)
            self.hub.door.add_person(role.value, role, PASSWORD, sites=sites, carrier=carrier)
        self.hub.door.add_person("colleague", Role.MEDIATOR, PASSWORD, sites=("belleville",))
        self.hub.door.add_person("stranger", Role.NETWORK_ADMIN, PASSWORD, tenant=self.other)
        self.hub.door.add_person("strangers colleague", Role.AUDITOR, PASSWORD, tenant=self.other)
        self.own = replace(self.own, person=self.person("colleague"), key=self._key(1))
        self.elsewhere = replace(self.elsewhere, person=self.own.person, key=self.own.key)
        self.foreign = replace(self.foreign, person=self.person("strangers colleague"), key=self._key(self.other))

    def client(self, name: str, *, second_factor: bool = False) -> TestClient:
        """A browser somebody is signed in with, without following redirects; `second_factor`: as if they had shown it."""
        cookie = self.hub.door.sign_in(name, PASSWORD)
        assert cookie is not None
        digest = self.hub.door.digest(cookie)
        if second_factor and digest is not None:
            with self.hub.store.writing() as connection:
                people.note_second_factor(connection, digest, wall_ms())
        cookies = {"consigne_session": cookie}
        return self._shared(TestClient(self.app, base_url="http://127.0.0.1", cookies=cookies, follow_redirects=False))

    def _shared(self, client: TestClient) -> TestClient:
        """One event loop for all clients: by itself each request starts a thread and a loop, half of what it costs."""
        client.portal = self._portal
        return client

    def person(self, name: str) -> str:
        """The id of somebody."""
        with self.hub.store.reading() as connection:
            return str(people.person(connection, name).id)

    def program(self, *rights: Right, tenant: int = 1, carrier: str = "") -> TestClient:
        """A program with a token of these rights."""
        self._programs = getattr(self, "_programs", 0) + 1
        token = self.hub.door.add_token(f"robot {self._programs}", rights, tenant=tenant, carrier=carrier)
        headers = {"Authorization": f"Bearer {token}"}
        return self._shared(TestClient(self.app, base_url="http://127.0.0.1", headers=headers))

    def _key(self, tenant: int) -> str:
        """The number of a carrier's key at an association."""
        lead = Visitor("lead", Role.NETWORK_ADMIN, scope=Scope(tenant))
        self.hub.carrier_keys.add("Colis Express", "production", CARRIER_RIGHTS, by=lead)
        return str(self.hub.carrier_keys.keys(lead)[0].id)

    def close(self) -> None:
        self._loop.__exit__(None, None, None)
        self.hub.store.close()

    def _things(self, site: str, carrier: str) -> Things:
        announced = self.hub.desk.announce(
            new_parcel(site=site, tracking=f"8N0023458410{len(site)}", carrier=carrier, name=f"Secret {site}"), ADMIN
        )
        with self.hub.store.writing() as connection:
            row = desk.site(connection, site)
            values = {"site": site, "kind": "door_forced", "subject": "7", "raised_ms": 1, "last_ms": 1}
            made = connection.execute(insert(ALERT).values(**values))
            assert made.inserted_primary_key is not None
            command = f"{site:0<32}"
            connection.execute(
                insert(COMMAND).values(id=command, site=row.number, verb=Verb.IDENTIFY, issued_ms=1, expires_ms=2)
            )
            opening = f"{site:e<32}"
            values = {"id": opening, "site": row.number, "state": Wish.WAITING, "reason": "repair", "asked_by": 0}
            openings.add(connection, {**values, "asked_name": "somebody", "asked_ms": wall_ms()}, ["7"])
        return Things(site, announced.parcel, str(made.inserted_primary_key[0]), command, opening)


@dataclass(frozen=True)
class Route:
    """A route: how it is called, and the right it declares."""

    method: str
    path: str
    right: Right | None

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")


def routes_of(app: FastAPI) -> Iterator[Route]:
    """Every route the application answers, from its own table."""
    for route in _flat(app.routes):
        if isinstance(route, APIRoute):
            for method in sorted(route.methods or ()):
                yield Route(method, route.path, _right_of(route.dependant))
        elif hasattr(route, "path"):
            yield Route("GET", route.path, None)


def _flat(routes: object) -> Iterator[object]:
    for route in routes:  # type: ignore[attr-defined]
        inner = getattr(route, "effective_route_contexts", None)
        if inner is not None:
            yield from _flat(inner())
        else:
            yield getattr(route, "original_route", route)


def _right_of(dependant: object) -> Right | None:
    rights = [
        getattr(inner.call, "right", None) or _right_of(inner)
        for inner in dependant.dependencies  # type: ignore[attr-defined]
    ]
    return next((right for right in rights if right is not None), None)
