"""The owner thread: durable before done, bounded, guarded, and driven without threads or real time."""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from controller.core import events as e
from controller.core.evolve import evolve
from controller.core.model import Durable, Live, Now, Phase, Setup, State, fresh
from controller.journal import Journal, JournalFull
from controller.runner import (
    BUSY_MS_MAX,
    BUSY_PAUSE_MS,
    EXIT_THREAD_ENDED,
    HEARTBEAT_MS,
    INBOX_MAX,
    QUIET_MS,
    TEND_MS,
    Adapters,
    HubTime,
    Inbox,
    Runner,
)
from firmware.latches import LatchBusy, LatchError
from tests.controller.controller_site import KEY as SITE_KEY
from tests.controller.controller_site import NUMBER, SITE, parcel, slip, stored, wait_for
from wire import facts as f
from wire.facts import AnyFact
from wire.ids import Door, Label, ReachZone, SizeClass, Trust
from wire.messages import Command, CompartmentCard, Reply

ONE, TWO = Label("1"), Label("2")


def card(label: Label, column: int) -> CompartmentCard:
    return CompartmentCard(label=label, size=SizeClass.S, reach=ReachZone.MID, height_mm=1000, row=0, column=column)


SETUP = Setup(
    site=SITE, number=NUMBER, keys={0: SITE_KEY}, cards={ONE: card(ONE, 0), TWO: card(TWO, 1)},
    shelf_places=("A1",), board="b", version="0",
)  # fmt: skip


@dataclass
class World:
    """Every port in one, with the exact history of what was asked of it. Time stands until it is moved."""

    mono: int = 1_000
    history: list[Any] = field(default_factory=list)
    facts: list[AnyFact] = field(default_factory=list)
    acked: int = 0
    refuse: LatchError | None = None
    full: bool = False
    on_ballast: bool = False
    stepped: e.ClockStepped | None = None
    due: bool = False

    def now(self) -> Now:
        return Now(mono=self.mono, wall_ms=1_790_000_000_000 + self.mono, trust=Trust.NTP, boot=1)

    def look(self) -> e.ClockStepped | None:
        self.history.append("look")
        found, self.stepped = self.stepped, None
        return found

    def hear_hub(self, hub_ms: int, *, fresh: bool) -> e.ClockStepped | None:
        return e.ClockStepped(0, hub_ms, Trust.HUB) if fresh else None

    @property
    def last_seq(self) -> int:
        return len(self.facts)

    def append(self, facts: tuple[AnyFact, ...], now: Now) -> None:
        if self.full:
            raise JournalFull("full")
        self.facts.extend(facts)
        self.history.append(tuple(f.kind(fact) for fact in facts))

    def hash_at(self, seq: int) -> str:
        return f"{seq:064x}"

    def set_acked(self, seq: int, *, rewind: bool) -> None:
        self.acked = seq if rewind else max(seq, self.acked)

    def must_tend(self) -> bool:
        return self.due

    def tend(self, durable: Durable, now: Now) -> None:
        self.history.append("tend")

    def pulse(self, label: str) -> None:
        self.history.append(f"pulse {label}")
        if self.refuse is not None:
            raise self.refuse

    def all_off(self) -> None:
        self.history.append("all off")

    def wake(self) -> None:
        self.history.append("wake")

    def reply(self, reply: Reply) -> None:
        self.history.append(f"reply {reply.outcome}")

    def rebirth(self) -> None:
        self.history.append("rebirth")

    def ping(self) -> None:
        self.history.append("ping")


class Told:
    """The ports whose names collide: uplink marks, panel and signals."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name

    def show(self, *_what: Any) -> None:
        self.world.history.append(self.name)

    def acked(self, seq: int, *, rewind: bool) -> None:
        self.world.history.append(f"mark {seq}{' rewind' if rewind else ''}")

    def publish_state(self, _state: State, seq: int, _now: Now) -> None:
        self.world.history.append(f"state {seq}")

    def wake(self) -> None:
        self.world.wake()

    def reply(self, reply: Reply) -> None:
        self.world.reply(reply)

    def rebirth(self) -> None:
        self.world.rebirth()


def site(world: World, *, journal: Journal | None = None, **contents: int) -> Runner:
    durable = fresh(SETUP)
    for compartment, number in contents.items():
        for fact in stored(number, compartment.removeprefix("c")):
            durable = evolve(durable, fact, world.now())
    runner = Runner(
        state=State(SETUP, durable, Live()), clock=world, journal=world if journal is None else journal, latches=world,
        signals=Told(world, "sound"), uplink=Told(world, "uplink"), panel=Told(world, "view"), watchdog=world,
    )  # fmt: skip
    runner.feed(e.Booted({ONE: Door.CLOSED, TWO: Door.CLOSED}, clean=True))
    world.history.clear()
    return runner


def test_a_restored_hubs_word_and_the_mark_it_takes_back_are_one_transaction(tmp_path: Path):
    """With a power cut between the two the site would never send again what that hub has forgotten."""
    world = World()
    journal = Journal(tmp_path / "journal.db", SITE)
    journal.begin()
    runner = site(world, journal=journal, c1=1)
    journal.append(tuple(f.StaffCalled(reason="help") for _ in range(5)), world.now())
    runner.feed(e.AckArrived(1, 5))
    journal.append((f.StaffCalled(reason="help"),), world.now())
    assert journal.acked == 5
    runner.feed(e.AckArrived(2, 3))
    shutil.copytree(tmp_path, tmp_path / "after")  # the power fails
    assert Journal(tmp_path / "after" / "journal.db", SITE).acked == 3
    journal.close()


def test_a_scan_is_durable_before_the_pulse_and_shown_after_it():
    world = World()
    runner = site(world, c1=1)
    runner.feed(e.Scanned(slip(1), 0))
    assert [step for step in world.history if step != "sound"] == [
        ("opening_ordered",), "pulse 1", "wake", "view", f"state {len(world.facts)}", "ping",
    ]  # fmt: skip


def test_nothing_is_pulsed_when_the_disk_is_full():
    world = World()
    runner = site(world, c1=1)
    world.full = True
    with pytest.raises(JournalFull):
        runner.feed(e.Scanned(slip(1), 0))
    assert world.history == []
    assert runner.state.durable.openings == {}


def failures(world: World) -> int:
    return sum(isinstance(fact, f.OpeningFailed) for fact in world.facts)


def pulses(world: World) -> int:
    return world.history.count("pulse 1")


def test_a_refused_pulse_becomes_an_event_of_its_own() -> None:
    world = World(refuse=LatchError("relay board silent"))
    runner = site(world, c1=1)
    runner.feed(e.Scanned(slip(1), 0))
    assert failures(world) == 1
    assert parcel(1) in runner.state.durable.parcels


def test_a_busy_latch_is_asked_again_when_it_said_and_that_is_no_failure() -> None:
    """Another coil was on until a moment ago: the door opens a moment later, and nobody is alarmed."""
    world = World(refuse=LatchBusy("The supply rests between two latches.", 0.2))
    runner = site(world, c1=1)
    runner.feed(e.Scanned(slip(1), 0))
    assert (pulses(world), failures(world), runner.next_deadline()) == (1, 0, world.mono + 200)
    world.mono += 199
    runner.advance()
    assert pulses(world) == 1
    world.mono += 1
    world.refuse = None
    runner.advance()
    assert (pulses(world), failures(world)) == (2, 0)
    orders = [fact for fact in world.facts if isinstance(fact, f.OpeningOrdered)]
    assert [order.pulse for order in orders] == [1], "one order, one pulse, however often it was put off"
    runner.feed(e.DoorChanged(ONE, open=True))
    assert runner.state.durable.openings[ONE].phase is Phase.OPEN


@pytest.mark.parametrize("wait_s", [0.0, 0.2, 1.4])
def test_a_latch_that_stays_busy_has_failed_within_a_bound(wait_s: float) -> None:
    world = World(refuse=LatchBusy("still energised", wait_s))
    runner = site(world, c1=1)
    begun = world.mono
    runner.feed(e.Scanned(slip(1), 0))
    while not failures(world):
        deadline = runner.next_deadline()
        assert deadline is not None
        assert deadline > world.mono, "a busy latch may cost time, never the whole processor"
        world.mono = deadline
        runner.advance()
    assert world.mono - begun <= BUSY_MS_MAX
    assert pulses(world) <= 1 + BUSY_MS_MAX // BUSY_PAUSE_MS
    assert parcel(1) in runner.state.durable.parcels


def test_a_latch_busy_for_longer_than_any_pulse_fails_at_once() -> None:
    world = World(refuse=LatchBusy("still energised", 60.0))
    runner = site(world, c1=1)
    runner.feed(e.Scanned(slip(1), 0))
    assert (pulses(world), failures(world)) == (1, 1)


def test_a_pulse_that_was_put_off_is_not_given_once_its_door_is_open() -> None:
    """Somebody helped by hand meanwhile: a late pulse would be one that nobody waits for."""
    world = World(refuse=LatchBusy("rests", 0.5))
    runner = site(world, c1=1)
    runner.feed(e.Scanned(slip(1), 0))
    world.mono += 100
    runner.feed(e.DoorChanged(ONE, open=True))
    world.refuse = None
    world.mono += 500
    runner.advance()
    assert pulses(world) == 1


def test_a_second_customer_waits_and_is_served_when_the_first_door_closed():
    world = World()
    runner = site(world, c1=1, c2=2)
    runner.feed(e.Scanned(slip(1), 0))
    runner.feed(e.Scanned(slip(2), 0))
    assert "pulse 2" not in world.history
    world.mono += 500
    runner.feed(e.DoorChanged(ONE, open=True))
    world.mono += 5_000
    runner.feed(e.DoorChanged(ONE, open=False))
    assert runner.state.durable.openings[ONE].phase is Phase.CLOSED
    assert [step for step in world.history if str(step).startswith("pulse")] == ["pulse 1", "pulse 2"]


def test_a_door_that_does_not_open_is_pulsed_again_by_the_passing_of_time():
    world = World()
    runner = site(world, c1=1)
    runner.feed(e.Scanned(slip(1), 0))
    for _ in range(3):
        deadline = runner.next_deadline()
        assert deadline is not None
        world.mono = deadline - 1
        before = world.history.count("pulse 1")
        runner.advance()
        assert world.history.count("pulse 1") == before
        world.mono = deadline
        runner.advance()
    assert world.history.count("pulse 1") == 3
    assert any(isinstance(fact, f.OpeningFailed) for fact in world.facts)


def test_the_hubs_word_moves_the_mark_and_a_new_incarnation_rewinds():
    world = World()
    runner = site(world)
    runner.feed(e.AckArrived(1, 0))
    runner.feed(e.AckArrived(1, 1))
    runner.feed(e.AckArrived(1, 0))
    runner.feed(e.AckArrived(2, 0))
    runner.feed(e.AckArrived(1, 3))
    assert [step for step in world.history if str(step).startswith("mark")] == [
        "mark 0 rewind",
        "mark 1",
        "mark 0 rewind",
    ]
    assert world.acked == 0


def test_a_command_is_answered_and_the_same_id_gets_the_same_answer():
    world = World()
    runner = site(world)
    now = world.now().wall_ms
    command = Command(id="12345678", verb="rebirth", expires_at_ms=now + 10_000, issued_at_ms=now)
    runner.feed(e.CommandArrived(command))
    runner.feed(e.CommandArrived(command))
    assert world.history.count("rebirth") == 1
    assert world.history.count("reply done") == 2


def test_the_heartbeat_pings_and_looks_at_the_clock_and_a_step_is_journalled():
    world = World()
    runner = site(world)
    runner.advance()
    assert world.history == []
    world.mono += HEARTBEAT_MS
    world.stepped = e.ClockStepped(1, 2, Trust.NTP)
    runner.advance()
    assert world.history[:2] == ["ping", "look"]
    assert isinstance(world.facts[-1], f.ClockCorrected)


def test_the_hubs_time_becomes_a_correction_only_when_it_is_fresh():
    world = World()
    runner = site(world)
    runner.feed(HubTime(5, fresh=False))
    assert not any(isinstance(fact, f.ClockCorrected) for fact in world.facts)
    runner.feed(HubTime(5, fresh=True))
    assert isinstance(world.facts[-1], f.ClockCorrected)


def test_housekeeping_waits_for_a_quiet_moment_unless_it_must_not():
    world = World()
    runner = site(world, c1=1)
    world.mono += TEND_MS
    runner.feed(e.HubLink(up=True))
    runner.advance()
    assert "tend" not in world.history
    world.mono += QUIET_MS
    runner.advance()
    assert world.history.count("tend") == 1
    world.due = True
    runner.advance()
    assert world.history.count("tend") == 2


def test_a_full_inbox_keeps_the_newest_levels_and_refuses_what_people_can_repeat():
    inbox = Inbox()
    for number in range(INBOX_MAX):
        assert inbox.post(e.Scanned(str(number), number))
    assert inbox.post(e.DoorChanged(ONE, open=True))
    assert inbox.post(e.DoorChanged(ONE, open=False))
    assert inbox.post(e.DoorChanged(TWO, open=True))
    assert not inbox.post(e.Scanned("too many", 0))
    assert not inbox.post(e.DigitsTyped("too many"))
    assert inbox.dropped == 2
    taken = []
    while (event := inbox.get(0)) is not None:
        taken.append(event)
    scans = [e.Scanned(str(number), number) for number in range(INBOX_MAX)]
    assert taken == [*scans, e.DoorChanged(ONE, open=False), e.DoorChanged(TWO, open=True)]
    assert inbox.post(e.Scanned("again", 0))


def test_a_reserve_given_up_is_told_once_and_once_that_it_is_back():
    world = World()
    runner = site(world)
    for short in (False, True, True, False, False):
        world.on_ballast = short
        world.mono += HEARTBEAT_MS
        runner.advance()
        assert runner.state.live.disk_short is short
    assert [f.kind(fact) for fact in world.facts] == ["site_started", "alarm_raised", "alarm_cleared"]


def test_a_flood_is_told_in_a_few_lines(caplog: pytest.LogCaptureFixture):
    inbox = Inbox()
    for number in range(INBOX_MAX + 10_000):
        inbox.post(e.Scanned(str(number), number))
    assert inbox.dropped == 10_000
    assert [record.args for record in caplog.records] == [("Scanned", 1 << times) for times in range(14)]


def test_stop_ends_the_loop_after_saying_so():
    world = World()
    runner = site(world)
    thread = threading.Thread(target=runner.run)
    thread.start()
    runner.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert "sound" in world.history


@pytest.mark.parametrize("ending", ["returns", "raises"])
def test_a_thread_that_ends_by_itself_ends_the_process_with_the_coils_off(ending: str):
    history: list[Any] = []

    def run() -> None:
        if ending == "raises":
            raise RuntimeError("a fault of ours")

    adapters = Adapters(lambda: history.append("all off"), end=history.append)
    adapters.adapter("scanner", run, lambda: None)
    wait_for(lambda: len(history) == 2, "the end")
    assert history == ["all off", EXIT_THREAD_ENDED]


def wait(stop: threading.Event) -> None:
    stop.wait()


def test_a_thread_that_ends_because_it_was_asked_to_ends_nothing():
    history: list[Any] = []
    stop = threading.Event()
    adapters = Adapters(lambda: history.append("all off"), end=history.append)
    adapters.adapter("scanner", lambda: wait(stop), stop.set)
    adapters.stop()
    assert history == []
