# mypy: allow-untyped-calls
"""Door switches: levels are truth, edges are hints, 50 ms of standing still (D-09, F3)."""

import threading

import pytest

from firmware.doors import CHATTER_EDGES, DEBOUNCE_S, POLL_S, Doors
from firmware.pins import PinError, Pins
from firmware.sim.mock import HardFactory


class Bench:
    """Doors looked at with a clock of our own; edges arrive through the mock's callback thread."""

    def __init__(self, board, wait_for):
        self.factory = HardFactory()
        self.wait_for = wait_for
        self.shut("1")
        self.shut("2")
        self.changes: list[tuple[str, bool]] = []
        self.chatters: list[str] = []
        self.doors = Doors(
            board,
            Pins(self.factory),
            lambda label, is_open: self.changes.append((label, is_open)),
            on_chatter=self.chatters.append,
        )

    def shut(self, label):
        self.move({"1": 4, "2": 5}[label], {"1": False, "2": True}[label])

    def open(self, label):
        self.move({"1": 4, "2": 5}[label], None)

    def move(self, pin, level):
        self.factory.pin(pin).connect(level)
        self.wait_for(self.factory._edges.empty)


@pytest.fixture
def bench(board, wait_for):
    made = Bench(board, wait_for)
    yield made
    made.doors.close()
    made.factory.close()


def test_both_kinds_of_switch_are_read_right(bench):
    assert bench.doors.read_all() == {"1": False, "2": False}
    bench.open("2")
    assert bench.doors.read_all() == {"1": False, "2": True}


def test_a_cut_wire_reads_open(board, wait_for):
    factory = HardFactory()
    doors = Doors(board, Pins(factory), lambda *_: None)
    assert doors.read_all() == {"1": True, "2": True}
    doors.close()
    factory.close()


def test_a_level_counts_after_it_stood_for_the_debounce_time(bench):
    bench.open("1")
    assert bench.doors.look(10.0) == pytest.approx(DEBOUNCE_S)
    assert bench.changes == []
    assert bench.doors.look(10.0 + DEBOUNCE_S + 0.001) == POLL_S
    assert bench.changes == [("1", True)]


def test_d_09_a_bounce_shorter_than_the_debounce_is_ignored(bench):
    bench.open("1")
    bench.doors.look(10.0)
    bench.shut("1")
    bench.doors.look(10.03)
    bench.doors.look(10.2)
    assert bench.changes == []


def test_d_09_bounces_on_the_way_to_open_are_one_change(bench):
    now = 10.0
    for _ in range(4):
        bench.open("1")
        bench.doors.look(now)
        bench.shut("1")
        bench.doors.look(now + 0.004)
        now += 0.008
    bench.open("1")
    for step in range(10):
        bench.doors.look(now + step * 0.02)
    assert bench.changes == [("1", True)]
    assert bench.chatters == []


def test_d_09_a_chattering_contact_is_reported_once(bench):
    now = 10.0
    for _ in range(CHATTER_EDGES + 20):
        bench.open("1")
        bench.doors.look(now)
        bench.shut("1")
        bench.doors.look(now + 0.01)
        now += 0.02
    assert bench.chatters == ["1"]
    assert bench.changes == []


def test_what_read_all_saw_is_not_reported_again_and_what_follows_is(bench):
    bench.open("1")
    assert bench.doors.read_all()["1"] is True
    bench.doors.look(10.0)
    bench.doors.look(11.0)
    assert bench.changes == []
    bench.shut("1")
    bench.doors.look(12.0)
    bench.doors.look(13.0)
    assert bench.changes == [("1", False)]


def test_f3_a_door_is_still_seen_when_the_edge_thread_is_dead(bench, wait_for):
    bench.factory.pin(4)._when_changed = lambda: _raise  # What the driver itself would call.
    bench.open("1")
    wait_for(lambda: bench.factory.dead_of is not None)
    bench.open("2")
    bench.doors.look(10.0)
    bench.doors.look(10.1)
    assert sorted(bench.changes) == [("1", True), ("2", True)]


def _raise(*_arguments):
    raise RuntimeError("a fault inside the driver's thread")


def test_f3_what_a_hint_raises_never_reaches_the_drivers_thread(bench):
    contact = bench.doors._doors["1"].contact
    contact.call_on_edge(_raise)
    bench.open("1")
    bench.shut("1")
    assert bench.factory.dead_of is None
    assert bench.factory._thread.is_alive()


def test_an_edge_wakes_the_loop_long_before_the_poll(bench, wait_for):
    stop = threading.Event()
    looks: list[float] = []
    real_look = bench.doors.look

    def counted_look(now):
        looks.append(now)
        return real_look(now) * 100

    bench.doors.look = counted_look
    thread = threading.Thread(target=bench.doors.run, args=(stop,))
    thread.start()
    wait_for(lambda: len(looks) == 1)
    bench.open("1")
    wait_for(lambda: len(looks) == 2)
    stop.set()
    bench.doors.wake()
    thread.join(5)
    assert not thread.is_alive()


def test_a_switch_that_cannot_be_read_ends_the_loop(bench):
    bench.doors.close()
    with pytest.raises(PinError, match="door of compartment 1 could not be read"):
        bench.doors.look(1.0)
