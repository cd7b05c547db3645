"""The pages of rhythm: what runs short is on top, with what to do about it; as a table for a spreadsheet and over the API (A-15)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import insert, update

from hub.clock import wall_ms
from hub.core.hours import Hold
from hub.rhythm.pages import RhythmParts
from hub.rhythm.services import Rhythm
from hub.settings import Notify
from hub.store.schema import PARCEL, SITE_LIVE
from tests.hub.hub_month import bank, cards, fill
from tests.hub.hub_network import PASSWORD, Network
from tests.hub.web_server import serving
from tests.tools.pages import faults_of
from wire.ids import Occupancy, SizeClass, parcel_id_from_bits
from wire.messages import encode


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    made = Network(tmp_path, "")
    fill(made.hub.store, wall_ms(), 70)
    for number, doors in ((1, 2), (2, 9)):
        said = {
            "birth": encode(cards(*(SizeClass.M for _ in range(doors)))),
            "state": encode(bank(wall_ms(), Occupancy.FREE, doors)),
            "presence": "ready",
            "heard_ms": wall_ms(),
            "state_ms": wall_ms(),
        }
        with made.hub.store.writing() as connection:
            connection.execute(update(SITE_LIVE).where(SITE_LIVE.c.site == number).values(**said))
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_15_the_site_that_runs_short_is_on_top_and_says_what_to_do(network: Network, chromium: Browser) -> None:
    with serving(network.app, network.hub.live) as url:
        page = chromium.new_context(base_url=url, locale="fr-FR").new_page()
        page.goto("/sign-in")
        page.get_by_label("Nom").fill("network_admin")
        page.get_by_label("Mot de passe").fill(PASSWORD)
        page.get_by_role("button", name="Se connecter").click()
        page.get_by_role("link", name="Rythme").click()
        expect(page.locator(".rows li").first).to_contain_text("gambetta")
        expect(page.locator(".rows li").first).to_contain_text("de trop peu, aujourd'hui")
        expect(page.locator(".rows li").last).to_contain_text("Trop jeune")
        wrong = faults_of(page)
        page.get_by_role("link", name="gambetta").click()
        expect(page.locator("main")).to_contain_text("Il manquera sans doute 1 casier M (moyen), aujourd'hui.")
        expect(page.locator("main")).to_contain_text("belleville a 9 casiers M (moyen) libres")
        expect(page.locator("main")).to_contain_text("neuf sur dix en moins de 2 h")
        wrong += faults_of(page)
        page.goto("/sites/lyon/rhythm")
        expect(page.locator("main")).to_contain_text("Ce site n'existe pas.")
        page.goto("/sites/gambetta/settings")
        wrong += faults_of(page)
        page.context.close()
    assert wrong == []


def test_a_15_the_same_as_a_table_and_over_the_api(network: Network) -> None:
    client = network.client("auditor")
    lines = list(csv.DictReader(io.StringIO(client.get("/sites/gambetta/rhythm.csv").text)))
    assert len(lines) == 30 + 7
    assert {line["peak"] for line in lines[:28]} == {"6"}
    assert float(lines[-1]["expected_all"]) == pytest.approx(5.9, abs=1.5)
    assert client.get("/sites/lyon/rhythm.csv").status_code == 404
    told = client.get("/api/v1/sites/gambetta/rhythm").json()
    assert [size["size"] for size in told["sizes"]] == ["all", "M", ""]
    assert told["sizes"][1]["shortage"] == {"day": 0, "missing": 1}
    assert client.get("/api/v1/sites/lyon/rhythm").status_code == 404


def test_what_lies_too_long_is_what_lies_longer_than_the_hold_of_the_settings(network: Network) -> None:
    client, old_ms = network.client("network_admin"), wall_ms() - 5 * 86_400_000
    row = {"site": 1, "state": "stored", "source": "plan", "size": "M", "created_ms": 1, "changed_ms": 1}
    with network.hub.store.writing() as connection:
        connection.execute(insert(PARCEL).values(id=parcel_id_from_bits(9_999), stored_ms=old_ms, **row))
    pages = ("/rhythm", "/sites/gambetta/rhythm")
    assert ["depuis plus de" in client.get(page).text for page in pages] == [False, False]
    shorter = Rhythm(network.hub.store, Notify(hold=Hold(3)))
    network.app.state.rhythm = RhythmParts(shorter)
    assert ["depuis plus de 3 jours" in client.get(page).text for page in pages] == [True, True]
