"""A reader gone mad in front of a real lock process: floods, a line without an end, noise, a cable pulled (D-04, D-05, I-32)."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from tests.controller.controller_site import Running, end_all, slip, stock, wait_for, write_site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

FLOOD_LINES = 20_000
ENDLESS_BYTES = 8 * 1024 * 1024
NOISE_BYTES = 2 * 1024 * 1024
PIECE = 4096
"""What a serial line holds; more is written as fast as the site reads."""

GROWN_KB_MAX = 4_096
"""A buffer of the flood kept anywhere would be more: the flood is 11 MiB."""

DISK_KB_MAX = 2_048
LOG_BYTES_MAX = 16 * 1024
"""A flood at the reader is no flood in the log."""

SERVED_S = 10.0
"""From the end of the flood until the first valid code has opened its door, on a busy machine."""

HAND_S = 0.3
REPEAT_S = 3.1


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """A failed test leaves no process behind."""
    yield
    end_all()


def resident_kb(site: Running) -> int:
    status = Path(f"/proc/{site.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def journal_kb(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "state").glob("journal.db*")) // 1024


def pour(site: Running, pieces: Iterable[bytes]) -> int:
    """As fast as the site takes it; how many bytes."""
    poured = 0
    line = os.open(site.line["scanner"], os.O_WRONLY | os.O_NOCTTY)
    try:
        for piece in pieces:
            sent = 0
            while sent < len(piece):
                sent += os.write(line, piece[sent:])
            poured += sent
    finally:
        os.close(line)
    return poured


def lines(seed: int) -> Iterator[bytes]:
    """Codes of every kind that is not ours: short, long, like a slip, like a badge; no two alike."""
    chance = random.Random(seed)
    kinds = ("8N{:011d}", "CB1{:026d}", "CC1-{}", "https://example.org/{}", "{:040d}", "{}" * 30)
    while True:
        yield chance.choice(kinds).format(*[chance.randrange(10**11)] * 30).encode() + b"\r\n"


def noise(seed: int) -> Iterator[bytes]:
    """Every byte there is."""
    chance = random.Random(seed)
    while True:
        yield chance.randbytes(PIECE)


def opens(site: Running, number: int, compartment: str) -> float:
    """The slip is shown until its door is open, as a person does; seconds until then."""
    begun = time.monotonic()
    shown = 0.0

    def show() -> bool:
        nonlocal shown
        if time.monotonic() - shown > REPEAT_S:
            shown = time.monotonic()
            site.scan(slip(number))
        return bool(site.world()["doors"][compartment] == "open")

    wait_for(show, f"door {compartment}; {site.log.read_text()[-600:]}")
    took = time.monotonic() - begun
    time.sleep(HAND_S)
    site.act(f"doors/{compartment}", "close")
    return took


def test_a_flood_an_endless_line_and_noise_cost_no_memory_and_the_next_code_opens(tmp_path: Path) -> None:
    config = write_site(tmp_path)
    stock(tmp_path, {"1": 1, "2": 2, "3": 3, "4": 4})
    site = Running(config)
    assert opens(site, 1, "1") < SERVED_S
    pour(site, islice(lines(1), 200))
    resident, kept = resident_kb(site), journal_kb(tmp_path)

    poured = pour(site, islice(lines(2), FLOOD_LINES))
    assert opens(site, 2, "2") < SERVED_S
    poured += pour(site, (b"8" * PIECE for _ in range(ENDLESS_BYTES // PIECE)))
    site.scan("")  # the end of the line without an end
    assert opens(site, 3, "3") < SERVED_S
    poured += pour(site, islice(noise(3), NOISE_BYTES // PIECE))
    site.scan("")

    site.act("scanner", "unplug")
    wait_for(lambda: "scanner_lost" in site.log.read_text() or not site.world()["scanner"]["plugged"], "it is gone")
    site.act("scanner", "plug")
    assert opens(site, 4, "4") < SERVED_S
    assert poured > ENDLESS_BYTES + NOISE_BYTES
    assert resident_kb(site) - resident < GROWN_KB_MAX
    assert journal_kb(tmp_path) - kept < DISK_KB_MAX
    assert site.log.stat().st_size < LOG_BYTES_MAX
    assert [pulse["label"] for pulse in site.world()["pulses"]] == ["1", "2", "3", "4"]
    assert site.stop() == 0
