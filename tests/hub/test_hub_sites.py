"""What an admin changes of a site: its name, its times, its badges; what does not fit changes nothing and keeps what was typed (A-10)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from fastapi.testclient import TestClient

from hub.core.parcels import Refused
from hub.sites.services import SiteCard, Sites
from hub.web import site_form
from tests.hub.hub_bench import Bench
from tests.hub.hub_network import ADMIN, Network
from wire.badges import badge_digest, pin_digest
from wire.plan import Settings

FROM_HERE = {"sec-fetch-site": "same-origin"}
PAGE = "/sites/gambetta/settings"


@pytest.fixture
def network(store_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    made = Network(tmp_path_factory.mktemp("network"), store_url)
    yield made
    made.close()


@pytest.fixture
def admin(network: Network) -> TestClient:
    return network.client("network_admin")


def form(admin: TestClient) -> dict[str, str]:
    """The page's own fields, as a browser would send them."""
    fields = dict(re.findall(r'<input type="(?:text|tel)"[^>]* name="(\w+)" value="([^"]*)"', admin.get(PAGE).text))
    return {key: value for key, value in fields.items() if key not in {"who", "called", "carrier", "until"}}


def audited(network: Network) -> list[str]:
    with network.hub.store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT reason FROM audit WHERE action = 'site_changed' ORDER BY seq")
        return [str(row[0]) for row in rows]


def test_a_10_an_admin_changes_times_in_the_units_of_people(network: Network, admin: TestClient) -> None:
    sent = form(admin)
    assert (sent["take_ms"], sent["pulse_gap_ms"], sent["dispute_ms"]) == ("60", "1,5", "15")
    assert admin.post(PAGE, data=sent, headers=FROM_HERE).status_code == 303
    assert audited(network) == [], "the same again is no change"
    changed = sent | {"take_ms": "90", "pulse_gap_ms": "2.5", "name": "Le  Relais", "pin_required": "1"}
    assert admin.post(PAGE, data=changed, headers=FROM_HERE).status_code == 303
    wanted = network.hub.sites.settings("gambetta", ADMIN)
    assert wanted == Settings(take_ms=90_000, pulse_gap_ms=2_500, pin_required=True)
    site = network.hub.reads.site("gambetta")
    assert site is not None
    assert (site.name, site.address) == ("Le Relais", "")
    assert len(audited(network)) == 1
    assert "take_ms=90000" in audited(network)[0]


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("take_ms", "0"),
        ("take_ms", "ten"),
        ("pulses_max", "2,5"),
        ("attempts_burst", "21"),
        ("name", ""),
        ("name", "x" * 81),
    ],
)
def test_a_10_what_does_not_fit_changes_nothing_and_comes_back_as_it_was_typed(
    network: Network, admin: TestClient, field: str, typed: str
) -> None:
    answer = admin.post(PAGE, data=form(admin) | {"nag_ms": "20", field: typed}, headers=FROM_HERE)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert f'name="{field}" value="{typed}"' in answer.text
    assert 'name="nag_ms" value="20"' in answer.text
    assert network.hub.sites.settings("gambetta", ADMIN) == Settings()


def test_a_10_a_time_that_the_command_line_set_is_kept_by_the_page(network: Network, admin: TestClient) -> None:
    network.hub.sites.change("gambetta", ADMIN, times={"dispute_ms": "3000"})
    sent = form(admin)
    assert sent["dispute_ms"] == "0,05"
    assert admin.post(PAGE, data=sent | {"nag_ms": "20"}, headers=FROM_HERE).status_code == 303
    assert network.hub.sites.settings("gambetta", ADMIN) == Settings(dispute_ms=3_000, nag_ms=20_000)
    for wrong in ({"dispute_ms": "-1"}, {"no_such": "1"}, {"pulses_max": "9"}):
        with pytest.raises(Refused) as refused:
            network.hub.sites.change("gambetta", ADMIN, times=wrong)
        assert refused.value.code == "bad_setting"
    assert site_form.read({}, Settings()) == ({"pin_required": False}, {})


def test_a_badge_is_a_card_told_once_and_a_lost_one_is_taken_off(network: Network, admin: TestClient) -> None:
    asked = {"who": "p1", "role": "lead", "pin": "4071", "called": "Inès", "until": "2027-06-30"}
    answer = admin.post("/sites/gambetta/badges", data=asked, headers=FROM_HERE)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["cache-control"] == "no-store"
    pixels = np.asarray(pypdfium2.PdfDocument(answer.content)[0].render(scale=4).to_pil().convert("L"))
    (code,) = zxingcpp.read_barcodes(pixels)
    (person,) = network.hub.sites.roster("gambetta", ADMIN)
    assert person.badge == badge_digest(code.text)
    assert person.pin == pin_digest(code.text, "4071")
    page = admin.get(PAGE).text
    assert "<strong>p1</strong>, Responsable du site, avec code PIN" in page
    assert 'name="who" value="p2"' in page
    assert "Inès" not in page
    assert admin.post("/sites/gambetta/badges/p1/end", headers=FROM_HERE).status_code == 303
    assert network.hub.sites.roster("gambetta", ADMIN) == []
    assert admin.post("/sites/gambetta/badges/p1/end", headers=FROM_HERE).status_code == 422


@pytest.mark.parametrize(
    "wish",
    [
        {"who": "Inès Durand"},
        {"who": "p1", "role": "courier"},
        {"who": "p1", "carrier": "laposte"},
        {"who": "p1", "pin": "12"},
        {"who": "p1", "until": "30/06/2027"},
        {"who": "p1", "until": "9999-12-31"},
        {"who": "p1", "role": "king"},
        {"who": "p9"},
    ],
)
def test_a_badge_that_makes_no_sense_says_why_and_gives_nobody_one(
    network: Network, admin: TestClient, wish: dict[str, str]
) -> None:
    network.hub.sites.add_badge("gambetta", "p9", ADMIN)
    answer = admin.post("/sites/gambetta/badges", data={"role": "concierge", **wish}, headers=FROM_HERE)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert [one.id for one in network.hub.sites.roster("gambetta", ADMIN)] == ["p9"]


def test_a_site_is_created_once_with_a_name(network: Network) -> None:
    assert network.hub.sites.create("neuf", SiteCard("Neuf"), 1, ADMIN) == 4
    for site, card, code in (
        ("neuf", SiteCard("Neuf"), "duplicate"),
        ("Hub!", SiteCard("Neuf"), "bad_id"),
        ("autre", SiteCard(""), "bad_card"),
        ("autre", SiteCard("a\nb"), "bad_card"),
    ):
        with pytest.raises(Refused) as refused:
            network.hub.sites.create(site, card, 1, ADMIN)
        assert refused.value.code == code


def test_a_10_between_saving_and_the_next_plan_nobody_is_told_that_the_site_works_by_it(bench: Bench) -> None:
    bench.planner.look()
    with bench.store.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE site_live SET applied_hash = (SELECT hash FROM plan WHERE plan.site = site_live.site)"
        )
    told = [site.plan_applied for site in bench.reads.sites()]
    sites = Sites(store=bench.store, keys=bench.keys, clock=bench.clock)
    sites.change("gambetta", ADMIN, times={"take_ms": "75000"})
    saved = {site.id: site.plan_applied for site in bench.reads.sites()}
    assert (told, saved) == ([True, True], {"belleville": True, "gambetta": False})
