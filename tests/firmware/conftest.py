# mypy: allow-untyped-calls
"""A small fast board, and a simulated site on it."""

import threading
import time
from pathlib import Path

import pytest

from firmware.board import load_board
from firmware.hardware import Callbacks
from firmware.sim import SimulatedWorld, open_simulated

BOARD = """
name = "bench"
[limits]
pulse_ms = 100
pulse_cap_ms = 200
[scanner]
repeat_ms = 0
[signals]
lamp_ok = 12
lamp_attention = 13
buzzer = 27
master_enable = 11
[[compartment]]
label = "1"
size = "S"
reach = "mid"
height_mm = 1000
row = 0
column = 0
latch = 16
door = 4
[[compartment]]
label = "2"
size = "L"
reach = "mid"
height_mm = 700
row = 1
column = 0
latch = 8
latch_active = "low"
door = 5
door_closed_level = "high"
door_pull = "down"
"""


@pytest.fixture
def board(tmp_path):
    file = tmp_path / "board.toml"
    file.write_text(BOARD, encoding="utf-8")
    return load_board(file)


class Site:
    """A running simulated site with everything it reported, in order."""

    def __init__(self, board, state_dir: Path) -> None:
        self.doors: list[tuple[str, bool]] = []
        self.scans: list[str] = []
        self.links: list[bool] = []
        self.chatters: list[str] = []
        self.fatals: list[str] = []
        calls = Callbacks(
            on_door=lambda label, is_open: self.doors.append((label, is_open)),
            on_scan=self.scans.append,
            on_link=self.links.append,
            on_chatter=self.chatters.append,
            fatal=self.fatals.append,
        )
        self.hardware = open_simulated(board, state_dir=state_dir, calls=calls)
        world = self.hardware.sim
        assert isinstance(world, SimulatedWorld)
        self.bank, self.reader = world.bank, world.reader
        self.stop = threading.Event()
        self.threads = [
            threading.Thread(target=loop, args=(self.stop,), daemon=True) for loop in self.hardware.threads().values()
        ]
        for thread in self.threads:
            thread.start()

    def close(self) -> None:
        self.stop.set()
        self.hardware.wake()
        for thread in self.threads:
            thread.join(timeout=5)
            assert not thread.is_alive()
        self.hardware.close()


def eventually(condition, seconds=5.0):
    """Wait for another thread, not for time."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.005)


@pytest.fixture
def wait_for():
    return eventually


@pytest.fixture
def site(board, tmp_path):
    opened = Site(board, tmp_path / "state")
    yield opened
    opened.close()


@pytest.fixture
def open_site(board, tmp_path):
    opened = []

    def start():
        opened.append(Site(board, tmp_path / "state"))
        return opened[-1]

    yield start
    for one in opened:
        one.close()
