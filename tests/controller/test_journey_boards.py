"""The relay boards' row of the journeys, on the assembled controller: two boards on simulated RS-485 lines, one falls silent."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.relays import FAILED_S
from firmware.sim import simulated_line
from tests.controller.controller_site import ROOT, end_all, parcel, slip, wait_for
from tests.controller.stage import LONG_OPEN_S, SHORT, Stage
from tests.tools.relay_boards import RelayLine, Unit

pytestmark = pytest.mark.slow

DEMO = ROOT / "hardware" / "boards" / "demo.toml"
DEVICES = ("/dev/serial/by-id/usb-one", "/dev/serial/by-id/usb-other")
REPEAT_S = 3.1
"""The same slip is shown again after this long."""
PAUSE_S = SHORT.pulse_gap_ms / 1000
"""After any pulse, failed or not, the site lets this pass before the next one."""
LETS_GO_S = 0.080
"""A latch needs this long under current."""
BUSY_MACHINE_S = 1.0
"""What a machine with other work may add to a time that is measured from outside."""
BOARD = """
[[relay_board]]
name = "{name}"
device = "{device}"
unit = {unit}
channels = 8
"""


class Wired(Stage):
    """The demonstration's bank with door 1 on the left relay board, door 2 on the right one, and the others on pins."""

    def __init__(self, folder: Path, *, one_line: bool) -> None:
        self.left, self.right = Unit(8), Unit(8)
        self.jammed = False
        first = {1: self.left, 2: self.right} if one_line else {1: self.left}
        second = {} if one_line else {2: self.right}
        state = folder / "state"
        state.mkdir(parents=True, exist_ok=True)
        self.lines = [
            RelayLine(simulated_line(state, device), units, self._flashed)
            for device, units in zip(DEVICES, (first, second), strict=True)
        ]
        text = DEMO.read_text(encoding="utf-8")
        text = text.replace("latch = 16", 'latch = { board = "left", channel = 5 }')
        text = text.replace("latch = 17", 'latch = { board = "right", channel = 8 }')
        text += BOARD.format(name="left", device=DEVICES[0], unit=1)
        text += BOARD.format(name="right", device=DEVICES[0 if one_line else 1], unit=2)
        board = folder / "board.toml"
        board.write_text(text, encoding="utf-8")
        super().__init__(folder, board=str(board))

    def _flashed(self, unit: int, channel: int, seconds: float) -> None:
        """The coil has current: its door springs open a moment later."""
        label = {(1, 5): "1", (2, 8): "2"}[unit, channel]
        if seconds >= LETS_GO_S and not self.jammed:
            threading.Timer(LETS_GO_S, self.site.act, (f"doors/{label}", "open")).start()

    def seconds_to_open(self, number: int, label: str) -> float:
        """From the scan until the site has written that the door is open; the parcel is taken, the door shut."""
        began = time.monotonic()
        self.scan(slip(number))
        wait_for(lambda: self.knows("door_opened", compartment=label), f"door {label}")
        taken = time.monotonic() - began
        self.take_and_close(label)
        self.wait_fact("parcel_taken", parcel=parcel(number))
        return taken

    def flashes(self) -> list[int]:
        """How often each board was told to fire."""
        return [len(unit.stretches) for unit in (self.left, self.right)]

    def close(self) -> None:
        for line in self.lines:
            line.close()


@pytest.fixture(params=[True, False], ids=["on one line", "on lines of their own"])
def wired(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Wired]:
    made = Wired(tmp_path, one_line=request.param)
    yield made
    end_all()
    made.close()


def test_d_06_a_silent_relay_board_delays_nothing_but_its_own_doors(wired: Wired) -> None:
    """Silent → its pulse has failed within its bound: no key spent, suspect, alarm; the other board's door and one on a pin open
    as before; the board answers again → the next pulse opens its door, and nothing had to be restarted."""
    inside = {label: wired.stored(number, label) for number, label in enumerate("12345", start=1)}
    wired.start(inside=inside)
    usual = wired.seconds_to_open(5, "5")
    wired.left.fault = "silent"
    began = time.monotonic()
    wired.scan(slip(1))
    wired.wait_fact("opening_failed", parcel=parcel(1), reason="driver_error")
    assert time.monotonic() - began < FAILED_S + BUSY_MACHINE_S
    wait_for(lambda: wired.notice() == "ask_desk", "the way to the desk")
    assert wired.compartment("1")["service"] == "suspect"
    assert [(alarm["alarm"], alarm["compartment"]) for alarm in wired.view["alarms"]] == [("latch_failed", "1")]
    assert "relay board left, channel 5: it is silent" in wired.site.log.read_text()
    assert wired.flashes() == [0, 0]
    time.sleep(PAUSE_S)
    for number, label in ((2, "2"), (3, "3")):
        assert wired.seconds_to_open(number, label) < usual + BUSY_MACHINE_S
        assert wired.compartment(label)["service"] == "in_service"
    assert wired.flashes() == [0, 1]
    wired.left.fault = ""
    time.sleep(REPEAT_S)
    assert wired.seconds_to_open(1, "1") < usual + BUSY_MACHINE_S
    assert wired.flashes() == [1, 1]
    wired.wait_fact("parcel_collected", parcel=parcel(1))
    boot = len(wired.all("site_started"))
    wired.end()
    assert boot == 1
    assert all(end - start <= 1.0 for unit in (wired.left, wired.right) for _, start, end in unit.stretches), "I-8"


def test_d_06_who_comes_while_the_silent_board_is_asked_waits_no_longer_than_after_any_pulse(wired: Wired) -> None:
    """The next slips are shown in the same moment: each opens after the usual pause, as if the first board had answered."""
    wired.start(inside={label: wired.stored(number, label) for number, label in enumerate("123", start=1)})
    wired.left.fault = "silent"
    wired.scan(slip(1))
    began = time.monotonic()
    assert wired.seconds_to_open(3, "3") < PAUSE_S + BUSY_MACHINE_S
    assert wired.knows("opening_failed", parcel=parcel(1), reason="driver_error")
    wired.scan(slip(2))
    wait_for(lambda: wired.knows("door_opened", compartment="2"), "door 2")
    assert time.monotonic() - began < 2 * PAUSE_S + 2 * BUSY_MACHINE_S + LONG_OPEN_S
    wired.take_and_close("2")
    wired.wait_fact("parcel_taken", parcel=parcel(2))
    wired.end()


def test_d_06_killed_in_a_pulse_the_board_lets_go_by_itself_and_the_next_start_finds_it_at_rest(wired: Wired) -> None:
    """kill -9 while the relay is on → it drops at its own time; a relay somebody left on is off after the restart."""
    wired.start(inside={"1": wired.stored(1, "1")})
    wired.jammed = True
    wired.scan(slip(1))
    wait_for(wired.left.on_now, "the relay")
    wired.kill()
    wait_for(lambda: not wired.left.on_now(), "the relay to drop", 1.0)
    (stretch,) = wired.left.stretches
    assert stretch[2] - stretch[1] == pytest.approx(0.3)
    wired.right.held.add(2)
    wired.start()
    wait_for(lambda: not wired.right.on_now(), "every relay off at the start")
    assert wired.flashes() == [1, 0], "a restart fires nothing"
    wired.end()
