# mypy: allow-untyped-calls
"""Latches on gpiozero's real classes over hardened mock pins: bounded, one at a time, off first (D-01, D-07, D-08, F1)."""

import itertools
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from firmware.latches import FATAL_EXIT_STATUS, LatchBusy, LatchError, Latches
from firmware.pins import PinError, Pins
from firmware.sim.mock import HardFactory

ROOT = Path(__file__).parents[2]


def levels(factory, pin):
    return [(function, level) for number, function, level, _ in factory.history if number == pin]


@pytest.fixture
def factory():
    made = HardFactory()
    made.active_levels = {16: True, 8: False}
    yield made
    made.close()


@pytest.fixture
def fatals():
    return []


@pytest.fixture
def make(board, factory, fatals):
    made = []

    def build(**options):
        made.append(Latches(board, Pins(factory), fatal=fatals.append, **options))
        return made[-1]

    yield build
    for latches in made:
        for pin in factory.pins.values():
            pin.fault_on = pin.fault_off = ""
        latches.close()


def test_f1_claiming_shows_no_wrong_level_on_either_polarity(make, factory):
    make()
    assert levels(factory, 16) == [("output", False)]
    assert levels(factory, 8) == [("output", True)]


def test_f1_the_hardened_mock_does_show_gpiozeros_own_two_step_pulse(board):
    factory = HardFactory(two_step=True)
    latches = Latches(board, Pins(factory))
    assert levels(factory, 8) == [("output", False), ("output", True)]
    latches.close()
    factory.close()


@pytest.mark.parametrize(("label", "pin", "active"), [("1", 16, True), ("2", 8, False)])
def test_a_pulse_goes_on_and_ends_by_itself_after_its_length(make, factory, wait_for, label, pin, active):
    latches = make()
    started = time.monotonic()
    latches.pulse(label)
    assert time.monotonic() - started < 0.05
    wait_for(lambda: len(levels(factory, pin)) == 3)
    assert levels(factory, pin) == [("output", not active), ("output", active), ("output", not active)]
    on, off = [moment for number, _, _, moment in factory.history if number == pin][1:]
    assert 100 <= (off - on) / 1e6 < 190


def test_a_busy_processor_does_not_shorten_a_pulse(make, factory, wait_for):
    def interrupted() -> float:
        now = time.monotonic()
        if threading.current_thread() is threading.main_thread():
            time.sleep(0.04)
        return now

    make(clock=interrupted).pulse("1")
    wait_for(lambda: len(levels(factory, 16)) == 3)
    on, off = [moment for number, _, _, moment in factory.history if number == 16][1:]
    assert 100 <= (off - on) / 1e6 < 190


def test_d_08_a_second_coil_is_refused_while_one_is_on_and_during_the_gap(make, factory, wait_for):
    latches = make()
    latches.pulse("1")
    with pytest.raises(LatchBusy, match="compartment 1 is still energised") as busy:
        latches.pulse("2")
    assert 0 < busy.value.wait_s <= 0.4
    wait_for(lambda: levels(factory, 16)[-1] == ("output", False))
    with pytest.raises(LatchBusy, match="rests between two latches") as busy:
        latches.pulse("2")
    time.sleep(busy.value.wait_s)
    latches.pulse("2")
    assert levels(factory, 8)[-1] == ("output", False)


def test_an_unknown_label_is_refused(make):
    with pytest.raises(LatchError, match="No compartment is labelled '9'"):
        make().pulse("9")


def test_d_07_the_cap_ends_a_pulse_whose_own_timer_never_fires(make, factory, wait_for, fatals):
    latches = make(clock=lambda: 0.0)
    latches._rest_until = -1.0
    latches.pulse("1")
    wait_for(lambda: levels(factory, 16)[-1] == ("output", False))
    on, off = [moment for number, _, _, moment in factory.history if number == 16][1:3]
    assert 200 <= (off - on) / 1e6 < 290
    assert fatals == []


def test_d_07_a_coil_that_cannot_be_switched_off_ends_the_process(make, factory, wait_for, fatals):
    latches = make()
    factory.pin(16).fault_off = "the line is stuck"
    started = time.monotonic()
    latches.pulse("1")
    wait_for(lambda: fatals)
    assert 0.2 <= time.monotonic() - started < 0.5
    assert len(fatals) == 1
    assert "beyond 200 ms and cannot be switched off" in fatals[0]
    with pytest.raises(LatchError, match="out of use"):
        latches.pulse("2")


def test_d_07_a_coil_that_silently_stays_on_ends_the_process(make, factory, wait_for, fatals, monkeypatch):
    latches = make()
    latches.pulse("1")
    monkeypatch.setattr(factory.pin(16), "_set_state", lambda _value: None)
    wait_for(lambda: fatals)
    assert "still reads on" in fatals[0]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_d_07_the_end_of_the_timer_thread_ends_the_process(make, fatals, wait_for):
    latches = make()
    assert latches.alive
    with latches._lock:
        latches._pulse = "something no timer can work with"
        latches._timer_wake.notify()
    wait_for(lambda: not latches.alive)
    assert fatals == ["a thread that limits the latches' pulses has ended"]
    latches._pulse = None


def test_a_driver_error_is_a_latch_error_and_leaves_nothing_on(make, factory):
    latches = make()
    factory.pin(16).fault_on = "no answer"
    with pytest.raises(LatchError, match="Compartment 1: the latch of compartment 1 could not be switched on"):
        latches.pulse("1")
    assert levels(factory, 16)[-1] == ("output", False)


def test_a_failed_switching_on_that_cannot_be_undone_ends_the_process_at_the_cap(make, factory, wait_for, fatals):
    latches = make()
    factory.pin(16).fault_on = factory.pin(16).fault_off = "no answer"
    with pytest.raises(LatchError, match="no answer"):
        latches.pulse("1")
    with pytest.raises(LatchBusy):
        latches.pulse("2")
    wait_for(lambda: fatals)
    assert "cannot be switched off" in fatals[0]


def test_all_off_is_idempotent_and_ends_a_running_pulse(make, factory):
    latches = make()
    latches.pulse("1")
    latches.all_off()
    latches.all_off()
    assert levels(factory, 16) == [("output", False), ("output", True), ("output", False)]


def test_all_off_tries_every_coil_before_it_complains(make, factory):
    latches = make()
    latches.pulse("1")
    factory.pin(8).fault_off = "stuck"
    with pytest.raises(LatchError, match="stuck"):
        latches.all_off()
    assert levels(factory, 16)[-1] == ("output", False)


def test_closed_latches_refuse_and_release_their_lines(make, factory):
    latches = make()
    latches.close()
    latches.close()
    with pytest.raises(LatchError, match="closed"):
        latches.pulse("1")
    assert levels(factory, 16)[-1][0] == "input"


def test_the_last_resort_really_ends_a_process():
    code = "from firmware.latches import end_process; end_process('a coil is on')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (FATAL_EXIT_STATUS, "consigne: a coil is on\n")


def test_f2_a_line_cannot_be_claimed_twice(make, factory, board):
    make()
    with pytest.raises(PinError, match="already in use"):
        Pins(factory).output("another", board.compartment("1").latch)


def test_no_two_coils_overlap_whatever_order_they_are_asked_in(make, factory):
    latches = make()
    ends = time.monotonic() + 2.0
    for label in itertools.cycle("1212"):
        if time.monotonic() > ends:
            break
        try:
            latches.pulse(label)
        except LatchBusy as busy:
            time.sleep(min(busy.wait_s, 0.05))
    on = {16: False, 8: False}
    for number, _, level, _ in factory.history:
        on[number] = level == (number == 16)
        assert sum(on.values()) <= 1
