"""The demonstration as somebody meets it: one address, every role by clicking, and an end that leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from demo.world import ask
from tests.tools.browser import chromium
from tests.tools.debian import need

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 150.0
SCRIPT = "<script>document.title='taken over'</script>"


@dataclass
class Running:
    """A demonstration in a process of its own."""

    process: subprocess.Popen[str]
    url: str

    def state(self, site: str = "") -> dict[str, Any]:
        picture: dict[str, Any] = ask(f"{self.url}state?site={site}")
        return picture

    def act(self, **act: str) -> None:
        ask(f"{self.url}act", {"site": "gennevilliers", **act})


def begin(folder: Path, *options: str) -> Running:
    """Start one and wait until everything runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "demo", "--state", str(folder), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    found = re.fullmatch(r"Consigne: (http://127\.0\.0\.1:\d+/)\n", said)
    assert found, said
    running = Running(process, found[1])
    until(lambda: process.poll() is not None or running.state()["ready"], "the programs to run")
    assert process.poll() is None, process.communicate()[0]
    return running


def until(what: Callable[[], Any], name: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        with contextlib.suppress(OSError):
            if what():
                return
        assert time.monotonic() < end, f"waited in vain for {name}"
        time.sleep(0.1)


def children_of(pid: int) -> list[int]:
    """Every process that this one started, and theirs."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
            if parent == pid:
                found += [int(entry.parent.name), *children_of(int(entry.parent.name))]
    return found


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    one = begin(tmp_path_factory.mktemp("demo") / "state")
    try:
        yield one
    finally:
        one.process.terminate()
        one.process.communicate(timeout=60)


def test_every_screen_may_be_framed_by_the_page_and_by_nobody_else(running: Running) -> None:
    site = running.state()["site"]
    for url in (site["kiosk"], site["staff"], site["hub"]):
        with urllib.request.urlopen(url, timeout=10) as answer:
            policy = answer.headers["Content-Security-Policy"]
        assert policy.endswith(f"frame-ancestors 'self' {running.url.rstrip('/')}")


@pytest.mark.chromium
def test_one_person_loads_and_collects_by_clicking_alone(running: Running, tmp_path: Path) -> None:
    with chromium(need("chromium"), tmp_path) as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(running.url)
        expect(page.locator("#said")).to_contain_text("Tout marche", timeout=30_000)
        _load_and_collect(page)
        hub = page.frame_locator("[data-frame=hub] iframe")
        page.get_by_role("button", name="Sa fiche").first.click()
        expect(hub.locator("body")).to_contain_text("Retiré", timeout=20_000)
        expect(page.locator("#ledger")).to_contain_text("Le compte est juste", timeout=20_000)
        _names_are_text(page, running)
        _everything_can_be_read_and_reached(page)
        assert errors == []


@pytest.mark.chromium
def test_what_is_clicked_while_something_is_being_done_comes_next_and_a_double_click_once(
    running: Running, tmp_path: Path
) -> None:
    """The list shows a parcel before the answer to *announce* is there: who then clicked on the badge had clicked in vain."""
    held: list[Route] = []
    sent: list[str] = []

    def hold(route: Route) -> None:
        sent.append(json.loads(route.request.post_data or "{}")["do"])
        if len(sent) == 1:
            held.append(route)
        else:
            route.fulfill(json={"said": "fait"})

    with chromium(need("chromium"), tmp_path) as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(running.url)
        expect(page.locator("#said")).to_contain_text("Tout marche", timeout=30_000)
        page.route("**/act", hold)
        page.get_by_role("button", name="Annoncer un colis").click()
        expect(page.locator("#said")).to_have_text("Un instant…")
        page.get_by_role("button", name="Annoncer un colis").click()
        page.get_by_role("button", name="Badge de l'accueil").click()
        held[0].fulfill(json={"said": "annoncé"})
        expect(page.locator("#said")).to_have_text("fait", timeout=20_000)
        assert sent == ["announce", "badge"]


def _load_and_collect(page: Page) -> None:
    page.get_by_label("Pour").select_option(label="Awa Diallo (français)")
    page.get_by_role("button", name="Annoncer un colis").click()
    expect(page.locator("#parcels")).to_contain_text("annoncé", timeout=20_000)
    page.get_by_role("button", name="Badge de l'accueil").click()
    staff = page.frame_locator("[data-frame=staff] iframe")
    expect(staff.locator("body")).to_contain_text("Scannez l'étiquette", timeout=20_000)
    page.get_by_role("button", name="Scanner l'étiquette").click()
    expect(page.locator("#bank")).to_contain_text("OUVERTE", timeout=20_000)
    page.get_by_role("button", name="Poser le colis de Awa Diallo").click()
    expect(page.locator("#bank")).to_contain_text("📦 Awa Diallo", timeout=20_000)
    page.get_by_role("button", name="Fermer la porte").click()
    expect(page.locator("#messages")).to_contain_text("Votre code", timeout=20_000)
    page.get_by_role("button", name="Carte « fini »").click()
    expect(page.locator("#reader")).to_contain_text("Personne de l'accueil", timeout=20_000)
    page.get_by_role("button", name="Scanner ce bon").click()
    expect(page.locator("#bank")).to_contain_text("OUVERTE", timeout=20_000)
    kiosk = page.frame_locator("[data-frame=kiosk] iframe")
    expect(kiosk.locator("body")).to_contain_text("Prenez votre colis", timeout=20_000)
    page.get_by_role("button", name="Prendre le colis").click()
    expect(page.locator("#bank")).not_to_contain_text("📦", timeout=20_000)
    page.get_by_role("button", name="Fermer la porte").click()
    expect(page.locator("#messages")).to_contain_text("est sorti", timeout=30_000)
    expect(page.locator("#parcels")).to_contain_text("retiré", timeout=20_000)


def _names_are_text(page: Page, running: Running) -> None:
    hub = running.state()["hub"]
    recipient = {"name": SCRIPT, "phone": "0639980009", "language": "fr"}
    ask(f"{hub}/api/v1/parcels", {"site": "gennevilliers", "tracking": "8N00000000777", "recipient": recipient})
    expect(page.locator("#parcels")).to_contain_text(SCRIPT, timeout=20_000)
    assert page.locator("#parcels script").count() == 0
    assert page.title() == "Consigne : la démonstration"


def _everything_can_be_read_and_reached(page: Page) -> None:
    small = page.evaluate(
        "[...document.querySelectorAll('body *')].filter((one) => one.innerText"
        " && parseFloat(getComputedStyle(one).fontSize) < 14).map((one) => one.outerHTML)"
    )
    assert small == []
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, select, iframe')].filter((one) =>"
        " !(one.textContent || one.title || one.labels?.length)).map((one) => one.outerHTML)"
    )
    assert unnamed == []
    page.locator("#door-2").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#door")).to_contain_text("Porte 2")
    for width in (1440, 1024):
        page.set_viewport_size({"width": width, "height": 768})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_guided_tour_ends_with_books_that_balance(running: Running) -> None:
    waiting, open_in_the_dark = 0, []
    while running.state()["tour"]["button"]:
        running.act(do="tour", value="next")
        site = running.state()["site"]
        waiting = max(waiting, site["waiting"] or 0)
        if not site["power"]:
            open_in_the_dark = [door["inside"][0]["name"] for door in site["doors"] if door["open"]]
    assert waiting > 0
    assert open_in_the_dark == ["Fatima Benali"]
    until(lambda: running.state()["ledger"]["balances"], "the books to balance")
    books = running.state()["ledger"]
    assert (books["lost"], books["doubled"], books["wrong_opens"]) == (0, 0, 0)
    assert books["collected"] >= 3
    assert books["why"] == []
    running.act(do="tour", value="restart")


def test_power_and_lines_are_in_ones_hands(running: Running) -> None:
    running.act(do="network", value="cut")
    running.act(do="power", value="kill")
    site = running.state()["site"]
    assert (site["cut"], site["power"]) == (True, False)
    running.act(do="power", value="start")
    running.act(do="network", value="restore")
    running.act(do="fault", door="2", value="jam")
    site = running.state()["site"]
    assert (site["cut"], site["power"]) == (False, True)
    assert {door["label"]: door["faults"] for door in site["doors"]}["2"] == ["jam"]
    running.act(do="fault", door="2", value="clear")
    until(lambda: running.state()["site"]["waiting"] == 0, "the hub to have every fact")


def test_it_ends_without_a_trace_and_goes_on_where_it_was(tmp_path: Path) -> None:
    first = begin(tmp_path / "state")
    first.act(do="announce", value="Awa Diallo", size="S")
    first.act(do="badge")
    refused = subprocess.run(
        [sys.executable, "-m", "demo", "--state", str(tmp_path / "state")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 2
    assert "Another demonstration is using" in refused.stderr
    before = first.state()
    enrolled = json.loads((tmp_path / "state" / "enrolled.json").read_text())
    _end(first, signal.SIGINT)

    second = begin(tmp_path / "state", "--keep")
    try:
        until(lambda: second.state()["ledger"]["balances"], "the books to balance")
        after = second.state()
        assert [one["id"] for one in after["site"]["parcels"]] == [one["id"] for one in before["site"]["parcels"]]
        assert after["ledger"]["facts_site"] > before["ledger"]["facts_site"]
        assert json.loads((tmp_path / "state" / "enrolled.json").read_text()) == enrolled
    finally:
        _end(second, signal.SIGTERM)


def _end(one: Running, how: signal.Signals) -> None:
    family = children_of(one.process.pid)
    assert len(family) == 6  # broker, hub, two lock processes, two kiosks
    one.process.send_signal(how)
    one.process.communicate(timeout=60)
    assert one.process.returncode == 0
    until(lambda: not any(lives(pid) for pid in family), "every program to end")
