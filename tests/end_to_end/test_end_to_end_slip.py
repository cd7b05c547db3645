"""A slip of paper, all the way: the PDF as pixels, the QR read from the pixels, a pty, a pulse, a door, the hub's page.

Every program is a process of its own and the broker is Mosquitto; nothing is handed over but what a person could hold.
"""

from __future__ import annotations

import os
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import Browser, expect

from demo.ledger import read_coils, read_facts
from demo.story import announce, collect, last_seq, load, sign_in, sign_out, slip, state_of
from demo.story import expect as wait_for
from demo.world import Site, World
from firmware.board import load_board
from firmware.sim.trace import read_trace
from wire import facts as f

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parents[2]
TRACKING = "RR473124829FR"
ENDED = "Retiré. Le code ne sert plus."
BROWSER_MS = 40_000


def read_from_paper(world: World, parcel: str) -> str:
    """What a scanner reads off the printed slip."""
    with urllib.request.urlopen(f"{world.hub_url}/parcels/{parcel}/slip.pdf", timeout=10) as answer:
        document = pypdfium2.PdfDocument(answer.read())
    try:
        pixels = np.asarray(document[0].render(scale=3).to_pil().convert("L"))
    finally:
        document.close()
    (code,) = zxingcpp.read_barcodes(pixels)
    return str(code.text)


def through_the_pty(site: Site, text: str) -> None:
    """What the scanner's cable carries: the code and its line end."""
    line = os.open(site.sim()["scanner"]["path"], os.O_WRONLY | os.O_NOCTTY)
    try:
        os.write(line, text.encode() + b"\r")
    finally:
        os.close(line)


def present_scan(world: World, site: Site, parcel: str) -> Callable[[], None]:
    text = read_from_paper(world, parcel)
    return lambda: through_the_pty(site, text)


def present_digits(world: World, site: Site, parcel: str) -> Callable[[], None]:
    digits = slip(world, parcel)["digits"]
    return lambda: site.type(digits)


@pytest.mark.parametrize("present", [present_scan, present_digits], ids=["QR from the paper", "typed digits"])
def test_a_slip_opens_its_door_and_the_hub_shows_it(
    world: World, chromium: Browser, present: Callable[[World, Site, str], Callable[[], None]]
) -> None:
    site = world.sites[0]
    parcel = announce(world, site, TRACKING, "S")
    sign_in(site)
    load(world, site, parcel, TRACKING)
    sign_out(site)
    before, seq = read_coils(site), last_seq(site)
    began_ns = time.monotonic_ns()
    (place,) = [label for label, held in site.sim()["contents"].items() if held == [parcel]]
    page = chromium.new_page()
    try:
        page.goto(f"{world.hub_url}/parcels/{parcel}")
        expect(page.get_by_text(ENDED)).to_have_count(0)
        collect(world, site, parcel, present(world, site, parcel))
        wait_for(lambda: state_of(world, parcel) == "collected", "the hub to say collected")
        # The page was opened before anything happened, and nobody reloads it.
        expect(page.get_by_text(ENDED).first).to_be_visible(timeout=BROWSER_MS)
    finally:
        page.close()

    # The pin: one pulse, of its own door, as long as the board says and no longer than the second mechanism allows.
    board = load_board(ROOT / "hardware" / "boards" / "demo.toml")
    (wired,) = [one for one in board.compartments if one.label == place]
    coils = read_coils(site)
    (pulse,) = coils.stretches[len(before.stretches) :]
    assert (pulse.label, coils.faults) == (place, ())
    assert wired.pulse_ms <= pulse.on_ms <= wired.pulse_cap_ms
    # The door: it sprang open under the pulse, a hand closed it, and the journal saw both by its switch, after the cause.
    moves = [line for line in read_trace(site.folder / "state") if line.kind == "door" and line.mono_ns > began_ns]
    assert [(line.label, line.on) for line in moves] == [(place, True), (place, False)]
    assert pulse.start_ns < moves[0].mono_ns < moves[1].mono_ns
    told = [fact for fact in read_facts(site.journal(), seq) if not isinstance(fact, f.PlanApplied)]
    assert [type(fact) for fact in told] == [
        f.OpeningOrdered,
        f.DoorOpened,
        f.DoorClosed,
        f.ParcelTaken,
        f.ParcelCollected,
    ]
    assert site.sim()["doors"][place] == "closed"
    assert set(site.sim()["coils"].values()) == {"off"}
    # The broker between was Mosquitto.
    broker = world.program("broker").child
    assert broker is not None
    assert Path(str(broker.args[0])).name == "mosquitto"  # type: ignore[index]
