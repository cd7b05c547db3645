"""How the hub and the machines are: what needs somebody is on top, and what Prometheus reads has every name its files use."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from playwright.sync_api import Browser, expect
from sqlalchemy import update

from hub.clock import wall_ms
from hub.health import Ready, ready
from hub.ingest import PahoLink, Part
from hub.metrics import Metrics
from hub.receiver import Mailbox
from hub.settings import Broker
from hub.store.schema import SITE_LIVE
from hub.system.pages import DISK_MB_MIN, OUTBOX_MAX, TOLD_MS_MAX, hub_to_do, to_do
from hub.system.words import broker_problem
from tests.hub.hub_bench import Bench
from tests.hub.hub_month import bank, cards
from tests.hub.hub_network import PASSWORD, Network
from tests.hub.web_server import serving
from tests.tools.pages import faults_of
from wire.ids import Occupancy, SizeClass
from wire.messages import Health, Presence, PresenceStatus, encode
from wire.version import VERSION

MONITORING = Path(__file__).parents[2] / "systemd" / "monitoring"


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    made = Network(tmp_path, "")
    yield made
    made.close()


def hear(network: Network, number: int, **health: object) -> None:
    """A machine that spoke just now."""
    now_ms = wall_ms()
    said = Health(site="x", boot=1, at_ms=now_ms, uptime_ms=7_300_000, **{"outbox": 0, **health})  # type: ignore[arg-type]
    values = {"presence": "ready", "heard_ms": now_ms, "health": encode(said), "health_ms": now_ms}
    with network.hub.store.writing() as connection:
        connection.execute(update(SITE_LIVE).where(SITE_LIVE.c.site == number).values(**values))


def words(bench: Bench, **health: object) -> list[str]:
    said = Health(site="gambetta", boot=1, at_ms=1, uptime_ms=1, **{"outbox": 0, **health})  # type: ignore[arg-type]
    bench.hear(said)
    row = bench.reads.site("gambetta")
    assert row is not None
    return [word.text for word in to_do(row, bench.now_ms)]


def test_a_machine_says_what_is_to_be_looked_at(bench: Bench) -> None:
    silent = bench.reads.site("gambetta")
    assert silent is not None
    assert [word.text for word in to_do(silent, bench.now_ms)] == ["n'a jamais parlé"]
    bench.hear(Presence(site="gambetta", boot=1, status=PresenceStatus.READY))
    assert words(bench) == []
    assert words(bench, temperature_c=79.9, throttled=2, disk_free_mb=DISK_MB_MIN, outbox=OUTBOX_MAX) == []
    assert words(bench, temperature_c=81.2, throttled=1, disk_free_mb=100, outbox=4_000) == [
        "81 °C : trop chaud", "alimentation trop faible", "carte mémoire presque pleine", "4000 faits en attente",
    ]  # fmt: skip
    bench.hear(cards(SizeClass.M), bank(bench.now_ms, Occupancy.FREE, 1))
    bench.now_ms += TOLD_MS_MAX + 1
    row = bench.reads.site("gambetta")
    assert row is not None
    assert [word.text for word in to_do(row, bench.now_ms)] == ["hors ligne", "version 1"], "old figures are no figures"


def test_the_hub_says_what_is_wrong_with_itself() -> None:
    well = {"intake_idle_seconds": 1.0, "disk_free_bytes": 9e9, "notifications_failed": 0.0, "deliveries_dead": 0.0}
    fine = Ready(ready=True, database=True, broker=True, problem="")
    assert hub_to_do(well, fine) == []
    ill = {"intake_idle_seconds": 31.0, "disk_free_bytes": 1e8, "notifications_failed": 1.0, "deliveries_dead": 2.0}
    told = hub_to_do(ill, Ready(ready=False, database=False, broker=False, problem="the database does not answer"))
    assert len(told) == 6
    assert told[1].text == "Le courtier MQTT n'est pas joint."


def test_why_the_broker_is_not_there_is_said_in_french_and_to_programs_in_english(bench: Bench) -> None:
    link = PahoLink(Broker(user="hub"), "", Part("hub", ("a/#", "b/#")), Mailbox())
    client, flags = Client(CallbackAPIVersion.VERSION2), ConnectFlags(session_present=False)

    def said() -> tuple[str, str]:
        found = ready(bench.store, link)
        (word,) = hub_to_do({"disk_free_bytes": 9e9}, found)
        return found.problem, word.text.removeprefix("Le courtier MQTT n'est pas joint : ")

    assert said() == ("not connected yet", "pas encore de réponse.")
    for reason, english, french in (
        (134, "Bad user name or password", "le nom ou le mot de passe n'est pas bon"),
        (157, "Server moved", "Server moved"),
    ):
        link._on_connect(client, None, flags, ReasonCode(PacketTypes.CONNACK, identifier=reason), None)
        assert said() == (f"the broker refuses the connection: {english}", f"il refuse la connexion : {french}.")
    codes = [ReasonCode(PacketTypes.SUBACK, identifier=number) for number in (1, 135)]
    link._on_subscribe(client, None, 1, codes, None)
    problem, word = said()
    assert problem == "the broker's access rules refuse b/# to user 'hub'"
    assert "à l'utilisateur « hub » : refaire" in word
    link._has_joined()
    gone = ReasonCode(PacketTypes.DISCONNECT, identifier=141)
    link._on_disconnect(client, None, DisconnectFlags(is_disconnect_packet_from_server=True), gone, None)
    assert said() == ("lost the broker: Keep alive timeout", "la connexion s'est coupée : plus de réponse à temps.")
    assert broker_problem("something new") == "something new"


def test_prometheus_reads_every_name_that_our_files_use_and_no_site(network: Network) -> None:
    text = TestClient(network.app, base_url="http://127.0.0.1").get("/metrics").text
    told = dict(re.findall(r"^(consigne_\w+) (\S+)$", text, re.MULTILINE))
    files = (MONITORING / "prometheus-alerts.yml", MONITORING / "grafana-hub.json")
    used = {name for file in files for name in re.findall(r"consigne_\w+", file.read_text())}
    assert used - {"consigne_hub"} <= told.keys()
    assert len(json.loads(files[1].read_text())["panels"]) == 10
    assert (told["consigne_sites"], told["consigne_sites_online"], told["consigne_alerts_unanswered"]) == (
        "3.0",
        "0.0",
        "3.0",
    )
    assert float(told["consigne_disk_free_bytes"]) > 0
    assert not [site for site in ("gambetta", "belleville", "lyon") if site in text]
    hear(network, 1)
    assert network.hub.gauges()["sites_online"] == 1.0
    nothing = Metrics().page({}).decode()
    assert math.isnan(float(re.findall(r"^consigne_sites (\S+)$", nothing, re.MULTILINE)[0]))


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_page_puts_the_machine_that_needs_somebody_on_top(network: Network, chromium: Browser) -> None:
    hear(network, 1, temperature_c=55.0, disk_free_mb=14_200)
    hear(network, 2, temperature_c=84.0, disk_free_mb=14_200)
    with serving(network.app, network.hub.live) as url:
        page = chromium.new_context(base_url=url, locale="fr-FR").new_page()
        page.goto("/sign-in")
        page.get_by_label("Nom").fill("network_admin")
        page.get_by_label("Mot de passe").fill(PASSWORD)
        page.get_by_role("button", name="Se connecter").click()
        page.get_by_role("link", name="Système").click()
        expect(page.locator("#hub")).to_contain_text("Le courtier MQTT n'est pas joint")
        expect(page.locator("#hub")).to_contain_text(VERSION)
        expect(page.locator("#machines tbody tr").first).to_contain_text("84 °C : trop chaud")
        expect(page.locator("#machine-gambetta")).to_contain_text("14,2 Go")
        assert page.locator("#machines").inner_text().count("lyon") == 0
        wrong = faults_of(page)
        page.context.close()
    stranger = network.client("stranger").get("/system").text
    assert "lyon" in stranger
    assert "Le serveur" not in stranger
    assert wrong == []
