"""`bench fleet`: from a site's message at the broker to its figure on an open fleet page.

Owns the measurement: a real Mosquitto, the whole hub as a process with 46 sites, a headless Chromium on the fleet page. At each step one
parcel is stored at the watched site and at three others, as their own facts tell it; the moment counts when the page shows the watched
site's new number. Somebody's patience is no ratio, so this bench has a goal in milliseconds; on a machine with other work it says nothing.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from bench.goal import judge
from hub.clock import wall_ms
from hub.store import desk
from hub.store.engine import Store
from hub.store.migrate import migrate
from tests.hub.hub_process import ROOT, HubProcess
from tests.hub.hub_site import Journal, Site, life_of
from tests.tools.browser import chromium
from tests.tools.debian import need
from tests.tools.mosquitto import Mosquitto
from tests.tools.ports import free_port

SITES: Final = 46
EVENTS: Final = 50
BUSY: Final = 3
"""Other sites that say something at the same moment."""
GOAL_MS: Final = 2_000
"""Whoever watches a fleet still believes that the page is live (issue *The network*)."""
PATIENCE_S: Final = 30.0
PAUSE_S: Final = 0.3


def main(arguments: list[str]) -> int:
    """Measure, print the figures and one JSON line; 0 unless p95 misses the goal."""
    parser = argparse.ArgumentParser(prog="bench fleet", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--quick", action="store_true", help="8 events: does it work at all?")
    parser.add_argument(
        "--log", type=Path, default=ROOT / ".state" / "bench" / "fleet.jsonl", help="results are added here"
    )
    options = parser.parse_args(arguments)
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        print("bench fleet needs a real broker: apt-get install mosquitto", file=sys.stderr)
        return 2
    events = 8 if options.quick else options.events
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        times = measured(program, Path(folder), events)
    return judge("fleet", f"message at the broker to the fleet page, {SITES} sites", times, GOAL_MS, options.log)


def measured(program: str, folder: Path, events: int) -> list[float]:
    """Milliseconds of each event."""
    broker = Mosquitto(program, folder / "broker")
    hub = HubProcess(folder, broker_port=broker.port, web_port=free_port())
    names = [f"site-{number}" for number in range(1, SITES + 1)]
    _add_sites(hub.settings.store_url, names)
    hub.start()
    sites = [Site(broker.port, Journal(name)) for name in names]
    try:
        for site in sites:
            site.birth()
        with chromium(need("chromium"), folder) as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(hub.url)
            page.wait_for_selector(f"#site-{names[-1]}")
            chance = random.Random(1)
            return [one_event(page, chance.sample(sites, 1 + BUSY), 1 + BUSY * number) for number in range(events)]
    finally:
        for site in sites:
            site.close()
        hub.close()
        broker.close()


def one_event(page: Any, sites: list[Site], seed: int) -> float:
    """A parcel at each of these sites; how long until the page shows that of the first."""
    time.sleep(PAUSE_S)
    watched = sites[0].journal
    inside = 1 + watched.last // len(life_of(1, ends=False))
    began_ms = time.time() * 1000
    for place, site in enumerate(sites):
        first = site.journal.last + 1
        site.journal.write(*life_of(seed * (1 + BUSY) + place, label=str(first), ends=False))
        site.send(site.journal.batch(first, site.journal.last))
    shown = page.wait_for_function(
        "([site, inside]) => document.querySelector(`#site-${site} .figures dd`)?.textContent === inside"
        " && performance.timeOrigin + performance.now()",
        arg=[watched.site, str(inside)],
        polling=10,
        timeout=PATIENCE_S * 1000,
    ).json_value()
    return float(shown) - began_ms


def _add_sites(store_url: str, names: list[str]) -> None:
    store = Store(store_url)
    Path(store_url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    migrate(store)
    with store.writing() as connection:
        for name in names:
            desk.add_site(connection, site=name, name=name, address="", help_phone="", now_ms=wall_ms())
    store.close()
