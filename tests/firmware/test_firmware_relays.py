"""Latches on relay boards: a silent board is told within its bound, nothing waits for it, and no relay is on for too long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from firmware.alloff import main as alloff
from firmware.board import GAP_MS_MIN, RELAY_PULSE_MS_MAX, Board, load_board
from firmware.latches import LatchBusy, LatchError
from firmware.pins import Pins
from firmware.relays import BUSY_S, DROPS_S, FAILED_S, REQUEST_S, BankLatches, switch_boards_off
from firmware.sim.mock import HardFactory
from tests.tools.relay_boards import RelayLine, Unit
from wire.plan import Settings

BOARD = """
name = "mixed"
[limits]
pulse_ms = 200
pulse_cap_ms = 300
[[relay_board]]
name = "left"
device = "{left}"
unit = 1
channels = 8
[[relay_board]]
name = "right"
device = "{right}"
unit = 2
channels = 16
[[compartment]]
label = "1"
size = "S"
reach = "mid"
height_mm = 1000
row = 0
column = 0
latch = {{ board = "left", channel = 3 }}
door = 4
[[compartment]]
label = "2"
size = "S"
reach = "mid"
height_mm = 1000
row = 0
column = 1
latch = {{ board = "right", channel = 16 }}
door = 5
[[compartment]]
label = "3"
size = "S"
reach = "mid"
height_mm = 1000
row = 0
column = 2
latch = 16
door = 6
"""
TOLERANCE_S = 0.25
"""For a machine with other work."""


class Bank:
    """Two boards on one line, a latch on a pin, and everything the latches told."""

    def __init__(self, folder: Path, wait_for: Callable[[Callable[[], Any]], None]) -> None:
        self.left, self.right = Unit(8), Unit(16)
        self.line = RelayLine(folder / "line", {1: self.left, 2: self.right})
        self.wait_for = wait_for
        self.failed: list[tuple[str, str]] = []
        self.faults: list[str] = []
        self.fatals: list[str] = []
        self.file = folder / "board.toml"
        self.file.write_text(BOARD.format(left=self.line.path, right=self.line.path), encoding="utf-8")
        self.board: Board = load_board(self.file)
        self.factory = HardFactory()
        self.opened: list[BankLatches] = []

    def with_pulse(self, pulse_ms: int) -> None:
        """Another time for the relays; before `open`."""
        text = self.file.read_text(encoding="utf-8")
        self.file.write_text(
            text.replace("pulse_ms = 200\npulse_cap_ms = 300", f"pulse_ms = {pulse_ms}\npulse_cap_ms = 1000"),
            encoding="utf-8",
        )
        self.board = load_board(self.file)

    def open(self) -> BankLatches:
        latches = BankLatches(
            self.board, Pins(self.factory), on_failed=lambda *said: self.failed.append(said),
            on_fault=self.faults.append, fatal=self.fatals.append,
        )  # fmt: skip
        self.opened.append(latches)
        return latches

    def rested(self, latches: BankLatches) -> BankLatches:
        """Wait until a pulse would be taken."""
        self.wait_for(lambda: rests(latches))
        return latches

    def close(self) -> None:
        for latches in self.opened:
            latches.close()
        self.line.close()
        self.factory.close()
        assert self.fatals == []
        for unit in (self.left, self.right):
            assert all(end - start <= 1.0 for _, start, end in unit.stretches), "I-8"


def rests(latches: BankLatches) -> bool:
    try:
        latches._of_boards.need_rest()
        latches._of_pins.need_rest()
    except LatchBusy:
        return False
    return True


@pytest.fixture
def bank(tmp_path: Path, wait_for: Callable[[Callable[[], Any]], None]) -> Iterator[Bank]:
    made = Bank(tmp_path, wait_for)
    yield made
    made.close()


def pulsed(unit: Unit) -> list[int]:
    return [channel for channel, _, _ in unit.stretches]


def test_a_pulse_is_one_flash_of_its_own_relay_timed_by_the_board(bank: Bank) -> None:
    latches = bank.rested(bank.open())
    latches.pulse("1")
    bank.wait_for(lambda: pulsed(bank.left) == [3])
    bank.rested(latches).pulse("2")
    bank.wait_for(lambda: pulsed(bank.right) == [16])
    (left,), (right,) = bank.left.stretches, bank.right.stretches
    assert left[2] - left[1] == pytest.approx(0.2)
    assert right[1] >= left[2] + 0.3, "one coil at a time, and a rest for the supply"
    assert (bank.failed, bank.faults) == ([], [])


def test_whichever_feeds_it_one_coil_at_a_time(bank: Bank) -> None:
    latches = bank.rested(bank.open())
    latches.pulse("1")
    with pytest.raises(LatchBusy) as asked:
        latches.pulse("3")
    assert 0 < asked.value.wait_s <= 0.5
    bank.wait_for(lambda: pulsed(bank.left))
    bank.rested(latches).pulse("3")
    with pytest.raises(LatchBusy):
        latches.pulse("2")
    on = [moment for number, _, level, moment in bank.factory.history if number == 16 and level]
    assert on
    assert on[0] / 1e9 >= bank.left.stretches[0][2] + 0.3
    bank.rested(latches).pulse("2")
    bank.wait_for(lambda: pulsed(bank.right))


def test_a_silent_board_is_told_in_time_and_tried_again_at_the_next_pulse(bank: Bank) -> None:
    latches = bank.rested(bank.open())
    bank.left.fault = "silent"
    began = time.monotonic()
    latches.pulse("1")
    assert time.monotonic() - began < 2 * REQUEST_S, "who orders a pulse is not kept waiting"
    bank.wait_for(lambda: bank.failed)
    assert 2 * REQUEST_S <= time.monotonic() - began < FAILED_S + TOLERANCE_S
    ((label, reason),) = bank.failed
    assert label == "1"
    assert "relay board left, channel 3: it is silent" in reason
    latches.pulse("3")  # At once: nothing was energised, so nothing has to rest.
    bank.rested(latches).pulse("2")
    bank.wait_for(lambda: pulsed(bank.right) == [16])
    bank.left.fault = ""
    bank.rested(latches).pulse("1")
    bank.wait_for(lambda: pulsed(bank.left) == [3])
    assert len(bank.failed) == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("garbage", "8 bytes came instead of 6"),
        ("damaged", "the answer is damaged"),
        ("wrong-unit", "unit 2 answered for unit 1"),
        ("refuses", "it refuses: it has no such relay"),
        ("short", "3 bytes came instead of 6"),
        ("echo", "use an adapter that does not hear itself"),
        ("other-word", "it repeated something else than it was told"),
    ],
)
def test_what_cannot_be_believed_is_told_in_words(bank: Bank, fault: str, words: str) -> None:
    latches = bank.rested(bank.open())
    bank.left.fault = fault
    latches.pulse("1")
    if fault == "other-word":  # The relay is on all the same, and read to be on: that is believed.
        bank.rested(latches)
        assert bank.failed == []
        return
    bank.wait_for(lambda: bank.failed)
    assert words in bank.failed[0][1]
    assert pulsed(bank.left) == []


@pytest.mark.parametrize("pulse_ms", [100, 600])
def test_a_lost_answer_is_made_good_by_reading_the_relay_which_is_not_told_twice(bank: Bank, pulse_ms: int) -> None:
    """Of 100 ms nothing is left when the answer is given up: whether it opened is for the door to say."""
    bank.with_pulse(pulse_ms)
    latches = bank.rested(bank.open())
    bank.left.fault = "loses-answers"
    latches.pulse("1")
    bank.wait_for(lambda: bank.left.fault == "" and rests(latches))
    (stretch,) = bank.left.stretches
    assert stretch[2] - stretch[1] == pytest.approx(pulse_ms / 1000), "told twice it would have been on for longer"
    assert bank.failed == []


def test_a_lost_request_is_told_once_more(bank: Bank) -> None:
    bank.with_pulse(800)
    latches = bank.rested(bank.open())
    bank.left.fault = "loses-requests"
    latches.pulse("1")
    bank.wait_for(lambda: pulsed(bank.left) == [3])
    bank.rested(latches)
    assert bank.failed == []


def test_a_relay_that_is_on_already_stops_the_next_pulse_of_its_board(bank: Bank) -> None:
    latches = bank.rested(bank.open())
    bank.left.held.add(5)
    latches.pulse("1")
    bank.wait_for(lambda: bank.failed)
    assert "the relay of channel 5 reads on" in bank.failed[0][1]
    assert pulsed(bank.left) == []


def test_d_07_a_relay_that_its_board_does_not_let_go_is_switched_off(bank: Bank) -> None:
    """The board's own time is the first mechanism; we look after it and are the second."""
    latches = bank.rested(bank.open())
    bank.left.fault = "hangs"
    began = time.monotonic()
    latches.pulse("1")
    bank.wait_for(lambda: bank.faults)
    assert time.monotonic() - began < 0.2 + DROPS_S + 2 * TOLERANCE_S
    assert bank.faults == ["relay board left did not let channel 3 go by itself; it was told to"]
    assert not bank.left.on_now()
    assert bank.failed == []


def test_a_board_that_falls_silent_while_its_relay_is_on_is_told(bank: Bank) -> None:
    latches = bank.rested(bank.open())
    latches.pulse("1")
    bank.wait_for(bank.left.on_now)
    bank.left.fault = "silent"
    bank.wait_for(lambda: bank.faults)
    assert bank.faults == ["relay board left may not have let channel 3 go: it is silent"]
    bank.left.fault = ""


def test_no_relay_is_looked_at_when_the_next_pulse_may_begin() -> None:
    assert GAP_MS_MIN / 1000 >= 2 * DROPS_S
    assert RELAY_PULSE_MS_MAX / 1000 + DROPS_S < 1.0


def test_every_relay_is_off_at_the_start_and_at_the_end(bank: Bank) -> None:
    bank.left.held.add(1)
    bank.right.held.add(9)
    latches = bank.rested(bank.open())
    assert not bank.left.on_now() | bank.right.on_now()
    bank.right.held.add(2)
    latches.all_off()
    assert not bank.right.on_now()
    bank.left.held.add(7)
    latches.close()
    assert not bank.left.on_now()
    assert bank.faults == []
    with pytest.raises(LatchError, match="closed"):
        latches.pulse("1")
    assert not latches.alive


def test_a_board_that_is_not_switched_off_is_told_and_holds_nobody_up(bank: Bank) -> None:
    bank.left.fault = "silent"
    latches = bank.rested(bank.open())
    assert bank.faults == ["relay board left could not be switched off: it is silent"]
    with pytest.raises(LatchError, match="relay board left could not be switched off"):
        latches.all_off()
    began = time.monotonic()
    latches.close()
    assert time.monotonic() - began < FAILED_S + TOLERANCE_S
    assert len(bank.faults) == 2


def test_a_line_that_was_lost_is_opened_again(bank: Bank) -> None:
    latches = bank.rested(bank.open())
    bank.line.unplug()
    latches.pulse("1")
    bank.wait_for(lambda: bank.failed)
    assert bank.failed[0][1].endswith(f"its line {bank.line.path} cannot be used: no such file or directory")
    latches.pulse("3")
    bank.line.plug()
    bank.rested(latches).pulse("1")
    bank.wait_for(lambda: pulsed(bank.left) == [3])


def test_a_file_that_is_no_line_is_a_sentence_too(bank: Bank) -> None:
    latches = bank.rested(bank.open())
    bank.line.unplug()
    bank.line.path.write_text("no line")
    latches.pulse("1")
    bank.wait_for(lambda: bank.failed)
    assert f"its line {bank.line.path} cannot be used: " in bank.failed[0][1]
    bank.line.plug()


def test_a_failure_is_told_before_the_next_pulse_of_the_same_door_can_be_ordered() -> None:
    assert Settings().pulse_gap_ms / 1000 > FAILED_S + BUSY_S


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_by_itself_ends_the_process(bank: Bank) -> None:
    latches = bank.rested(bank.open())

    def broken(*_: str) -> None:
        raise RuntimeError("nobody listens")

    latches._of_boards._on_failed = broken
    bank.left.fault = "silent"
    latches.pulse("1")
    bank.wait_for(lambda: bank.fatals and not latches.alive)
    bank.fatals.clear()


def test_without_relay_boards_nothing_is_asked(board: Board) -> None:
    assert switch_boards_off(board) == []


def test_alloff_switches_the_boards_off_and_says_which_it_could_not(
    bank: Bank, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "firmware.alloff.open_pi_pins", lambda: SimpleNamespace(output=lambda *_: None, close=lambda: None)
    )
    bank.left.held.add(1)
    assert alloff(["--board", str(bank.file)]) == 0
    assert not bank.left.on_now()
    bank.right.fault = "silent"
    bank.left.held.add(1)
    assert alloff(["--board", str(bank.file)]) == 1
    assert not bank.left.on_now()
    assert "relay board right could not be switched off: it is silent" in capsys.readouterr().err
