"""A hub of two associations where carriers' programs come in, without threads and without anybody who signs in."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.testclient import TestClient

from hub.app import Hub, create_app
from hub.clock import wall_ms
from hub.core.parcels import new_parcel
from hub.core.permissions import CARRIER_RIGHTS, Role, Scope, Visitor
from hub.settings import read_settings
from hub.store import desk, tenants
from tests.hub.hub_bench import FakeLink
from tests.hub.hub_process import write_settings

LEAD = Visitor("Nora", Role.NETWORK_ADMIN, scope=Scope(1))
STRANGER = Visitor("Stranger", Role.NETWORK_ADMIN, scope=Scope(2))
NUMBER = "RR123456785FR"


class CarrierHub:
    """A hub with two sites of one association and one of another, and a parcel that the desk announced at each."""

    def __init__(self, folder: Path, store_url: str, more: str = "") -> None:
        file = write_settings(folder, store_url=store_url, notify=more)
        file.write_text(file.read_text().replace("open_on_loopback = true", "open_on_loopback = false"))
        self.hub = Hub(read_settings(file), on_thread_end=lambda _name: None)
        assert self.hub.work is not None
        self.work = self.hub.work
        self.hub.desk._link = FakeLink()
        self.app: FastAPI = create_app(self.hub)
        with self.hub.store.writing() as connection:
            other = tenants.add_association(connection, "Autre", wall_ms())
            for site, tenant in (("gambetta", 1), ("belleville", 1), ("lyon", other)):
                desk.add_site(
                    connection, site=site, name=site, address="", help_phone="", now_ms=wall_ms(), tenant=tenant
                )
        self.desk_parcels = {
            site: self.hub.desk.announce(
                new_parcel(site=site, tracking=f"8N0023458410{number}", carrier="laposte", name=f"Secret {site}"),
                Visitor("admin", Role.NETWORK_ADMIN),
            ).parcel
            for number, site in enumerate(("gambetta", "belleville", "lyon"), 10)
        }

    def program(self, carrier: str = "La Poste", **more: object) -> TestClient:
        """A program of a carrier with a key of every right."""
        given = {"by": LEAD, "rights": CARRIER_RIGHTS, **more}
        key = self.hub.carrier_keys.add(carrier, "production", **given)  # type: ignore[arg-type]
        return TestClient(self.app, base_url="http://127.0.0.1", headers={"Authorization": f"Bearer {key}"})

    def close(self) -> None:
        self.hub.store.close()


def announce(client: TestClient, once: str = "", **more: object) -> tuple[int, dict[str, object]]:
    """Status and body of an announcement."""
    headers = {"Idempotency-Key": once} if once else {}
    wish = {"site": "gambetta", "tracking": NUMBER, **more}
    answer = client.post("/api/v1/carrier/parcels", json=wish, headers=headers)
    return answer.status_code, answer.json()
