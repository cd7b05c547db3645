"""`bench kiosk`: from a scan's line on the pty to the feedback on the customer's screen.

Owns the measurement: the assembled lock process and kiosk program, a headless Chromium on the screen, one clock for all of
them. The moment counts when the browser has drawn the door's number, one frame after it was put into the page. A person's
patience is no ratio, so this bench has a goal in milliseconds; on a machine with other work it says nothing.
"""

from __future__ import annotations

import argparse
import os
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from bench.goal import judge
from bench.scan import ANSWER_S, COMPARTMENTS, DOOR_S, PAUSE_S, ROOT, SCANS_A_PARCEL, slip, start, stock
from tests.tools.browser import chromium
from tests.tools.debian import need

SCANS: Final = 50
GOAL_MS: Final = 500
"""Feedback later than this reads as *it did not work*, and the slip is shown again (journeys C-01)."""

OBSERVER: Final = """
window.drawn = [];
new MutationObserver(() => {
  const number = document.querySelector(".screen-opening .number bdi, .screen-take .number bdi")?.textContent;
  if (!number || window.drawn.some(([door]) => door === number)) return;
  const entry = [number, 0];
  window.drawn.push(entry);
  requestAnimationFrame(() => setTimeout(() => (entry[1] = performance.timeOrigin + performance.now())));
}).observe(document, { childList: true, subtree: true });
"""
"""One entry a door since the list was emptied: its number, and when the frame that shows it was drawn."""


def main(arguments: list[str]) -> int:
    """Measure, print the figures and one JSON line; 0 unless p95 misses the goal."""
    parser = argparse.ArgumentParser(prog="bench kiosk", description=__doc__)
    most = COMPARTMENTS * SCANS_A_PARCEL
    parser.add_argument("--scans", type=int, default=SCANS, help=f"at most {most}")
    parser.add_argument("--quick", action="store_true", help="8 scans: does it work at all?")
    parser.add_argument(
        "--log", type=Path, default=ROOT / ".state" / "bench" / "kiosk.jsonl", help="results are added here"
    )
    options = parser.parse_args(arguments)
    scans = COMPARTMENTS if options.quick else min(options.scans, most)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        times = measured(Path(folder), scans)
    return judge("kiosk", "scan to the screen", times, GOAL_MS, options.log)


def measured(folder: Path, scans: int) -> list[float]:
    """Milliseconds of each scan."""
    stock(folder)
    site, port = start("bench.site_scan", str(folder / "site.toml"))
    assert site.stdout is not None
    site.stdout.readline()
    kiosk, url = start_kiosk(folder)
    try:
        with chromium(need("chromium"), folder) as browser:
            page = browser.new_page(viewport={"width": 1024, "height": 600})
            page.add_init_script(OBSERVER)
            page.goto(url)
            page.wait_for_selector(".screen-ready")
            return [one_scan(site, port, page, number % COMPARTMENTS + 1) for number in range(scans)]
    finally:
        for process in (kiosk, site):
            process.terminate()
            process.wait(ANSWER_S)
        os.close(port)


def one_scan(site: subprocess.Popen[bytes], port: int, page: Any, compartment: int) -> float:
    """Write the line, wait until the screen has drawn its door, and let the customer finish."""
    page.evaluate("window.drawn = []")
    began_ms = time.time() * 1000
    os.write(port, slip(compartment) + b"\r\n")
    shown = page.wait_for_function(
        "door => window.drawn.find(([number, at]) => number === door && at)?.[1]",
        arg=str(compartment),
        polling=20,
        timeout=ANSWER_S * 1000,
    ).json_value()
    assert site.stdin is not None
    assert site.stdout is not None
    if not select.select([site.stdout], [], [], ANSWER_S)[0]:
        raise RuntimeError(f"no coil within {ANSWER_S} s; the result is void")
    os.read(site.stdout.fileno(), 1)
    for word, pause_s in (("open", DOOR_S), ("close", PAUSE_S - DOOR_S)):
        site.stdin.write(f"{word} {compartment}\n".encode())
        time.sleep(pause_s)
    return float(shown) - began_ms


def start_kiosk(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """The kiosk program beside the lock process, and the address of the customer's screen."""
    config = folder / "kiosk.toml"
    config.write_text('[panel]\nsocket = "p"\n[web]\nport = 0\n', encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "controller.kiosk", "--config", str(config)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    words = process.stdout.readline().decode().split()
    return process, words[1]
