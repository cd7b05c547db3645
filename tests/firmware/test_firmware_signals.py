# mypy: allow-untyped-calls
"""Lamps, buzzer and heartbeat on mock pins; watchdog on a real datagram socket."""

import socket
import threading

import pytest

from firmware.heartbeat import Heartbeat
from firmware.pins import Pins
from firmware.signals import PATTERNS, Signal, Signals
from firmware.sim.mock import HardFactory
from firmware.watchdog import Watchdog, period_s

LAMP_OK, LAMP_ATTENTION, BUZZER, ENABLE = 12, 13, 27, 11


@pytest.fixture
def factory():
    made = HardFactory()
    yield made
    made.close()


@pytest.fixture
def play(board, factory):
    faults: list[str] = []
    stop = threading.Event()
    signals = Signals(board, Pins(factory), on_fault=faults.append)
    thread = threading.Thread(target=signals.run, args=(stop,))
    thread.start()
    yield signals, faults
    stop.set()
    signals.show("off")
    thread.join(5)
    assert not thread.is_alive()
    signals.close()


def levels(factory, pin):
    return [level for number, function, level, _ in factory.history if number == pin and function == "output"]


def test_refused_beeps_twice_and_ends_dark_and_silent(play, factory, wait_for):
    play, _ = play
    play.show(Signal.REFUSED)
    wait_for(lambda: levels(factory, LAMP_ATTENTION) == [False, True, False])
    assert levels(factory, BUZZER) == [False, True, False, True, False]
    assert levels(factory, LAMP_OK) == [False]


def test_a_new_signal_replaces_the_old_one_at_once(play, factory, wait_for):
    play, _ = play
    play.show("alarm")
    wait_for(lambda: levels(factory, BUZZER)[-1])
    play.show("off")
    wait_for(lambda: not levels(factory, BUZZER)[-1])
    play.show("ok")
    wait_for(lambda: levels(factory, LAMP_OK)[-1])


def test_a_broken_lamp_is_told_once_and_stops_nothing(play, factory, wait_for):
    play, faults = play
    factory.pin(LAMP_ATTENTION).fault_on = "no lamp"
    play.show("refused")
    wait_for(lambda: levels(factory, BUZZER) == [False, True, False, True, False])
    assert len(faults) == 1
    assert "lamp attention" in faults[0]


def test_an_unknown_signal_is_a_mistake_of_the_program(play):
    play, _ = play
    with pytest.raises(ValueError, match="disco"):
        play.show("disco")


def test_every_signal_has_a_pattern_and_none_plays_for_ever():
    assert PATTERNS.keys() == set(Signal)
    assert max(p.times * sum(step.ms for step in p.steps) for p in PATTERNS.values()) <= 600_000


def test_the_heartbeat_toggles_while_alive_rests_when_not_and_ends_low(board, factory, wait_for):
    alive = [True]
    stop = threading.Event()
    heart = Heartbeat(Pins(factory).output("master enable", board.signals.master_enable), lambda: alive[0])
    thread = threading.Thread(target=heart.run, args=(stop,))
    thread.start()
    wait_for(lambda: len(levels(factory, ENABLE)) >= 4)
    assert levels(factory, ENABLE)[:4] == [False, True, False, True]
    alive[0] = False
    stop.wait(0.25)
    beats = len(levels(factory, ENABLE))
    stop.wait(0.35)
    assert len(levels(factory, ENABLE)) == beats
    stop.set()
    thread.join(5)
    assert levels(factory, ENABLE)[-1] is False
    heart.close()


@pytest.mark.parametrize(
    ("usec", "pid", "seconds"),
    [
        ("4000000", "", 4.0),
        ("4000000", "42", 4.0),
        ("4000000", "43", None),
        ("", "", None),
        ("0", "", None),
        ("x", "", None),
    ],
)
def test_the_watchdog_period_is_read_as_systemd_gives_it(usec, pid, seconds):
    assert period_s(usec, pid, 42) == seconds


def test_the_watchdog_speaks_to_systemd_and_pings_no_more_than_needed(tmp_path):
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(5)
        now = [0.0]
        watchdog = Watchdog(address, 4.0, clock=lambda: now[0])
        watchdog.ready("8 doors")
        for moment in (0.0, 0.5, 0.9, 1.0, 1.5, 2.0):
            now[0] = moment
            watchdog.ping()
        watchdog.status("one\ntwo")
        watchdog.stopping()
        watchdog.close()
        heard = [manager.recv(500).decode() for _ in range(6)]
    assert heard == ["READY=1\nSTATUS=8 doors", *["WATCHDOG=1"] * 3, "STATUS=one two", "STOPPING=1"]


def test_without_a_manager_the_watchdog_is_silent(tmp_path):
    Watchdog().ping()
    Watchdog().ready()
    gone = Watchdog(str(tmp_path / "nobody"), 1.0)
    gone.ping()
    gone.close()
    gone.close()
