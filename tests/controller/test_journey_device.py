"""The device's rows of the journeys, on the assembled controller: killed at every step, unplugged, fed nonsense, its clock wrong.

The killing is exact: strace lets the process die on entering one system call of its own, the journal's write or its fsync,
so that each step has a *before* and an *after*; inside a pulse it dies when the pin trace says that the coil is on.
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller.health import EVERY_S
from controller.journal import JournalReader
from firmware.board import load_board
from firmware.sim.coils import Death, examine
from firmware.sim.trace import Line, read_trace
from tests.controller.controller_site import KEY, NUMBER, ROOT, SITE, end_all, parcel, slip, wait_for
from tests.controller.stage import BADGE, LONG_OPEN_S, Stage
from tests.tools.debian import need
from wire.badges import CommandCard
from wire.ids import ParcelId
from wire.pickup import PickupKey, typed_digits
from wire.plan import Settings

pytestmark = pytest.mark.slow

BOARD = load_board(ROOT / "hardware" / "boards" / "demo.toml")
TRACKING = "8N00234584108"
PATIENT = Settings(
    open_timeout_ms=30_000, reopen_grace_ms=60_000, dispute_ms=3_000, quick_close_ms=100, cancel_answer_ms=60_000
)
"""A door is waited for as long as a tracer needs to attach."""
REPEAT_S = 3.1
"""A reader in continuous mode repeats a text; a person who scans again does so after this long."""
DAY_MS = 24 * 3600 * 1000

BEFORE, AFTER = "pwrite64", "fdatasync"
"""The first write of a transaction, and its one fsync: dead on entering the one nothing is recorded, on the other all is."""


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """A failed test leaves no process behind."""
    yield
    end_all()


class Mortal(Stage):
    """A stage whose process is killed at a chosen instant, and whose coils are judged before it starts again."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, settings=PATIENT)
        self.deaths: list[Death] = []

    def die_entering(self, call: str, act: Callable[[], object]) -> None:
        """Let `act` happen; the process dies on entering its next system call of this name."""
        tracer = subprocess.Popen(
            [need("strace"), "-f", "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when=1",
             "-o", "/dev/null", "-p", str(self.site.process.pid)],
            stderr=subprocess.PIPE,
        )  # fmt: skip
        assert tracer.stderr is not None
        assert b"attached" in tracer.stderr.readline()
        act()
        self.site.process.wait(20)
        tracer.wait(20)
        tracer.stderr.close()
        self._dead()

    def die_when(self, seen: Callable[[], bool], what: str, act: Callable[[], object]) -> None:
        """Let `act` happen; `kill -9` as soon as the pin trace shows what is waited for."""
        act()
        end = time.monotonic() + 20
        while not seen():
            assert time.monotonic() < end, what
        self.site.process.kill()
        self._dead()

    def _dead(self) -> None:
        self.kill()
        self.deaths.append(Death(self.site.process.pid, time.monotonic_ns()))
        finding = examine(self.trace(), BOARD, self.deaths, now_ns=time.monotonic_ns())
        assert finding.faults == (), "judged before anything runs again"

    def trace(self) -> list[Line]:
        return read_trace(self.folder / "state")

    def coil_is_on(self) -> bool:
        lines = [line for line in self.trace() if line.kind == "coil"]
        return bool(lines) and lines[-1].on

    def door_moved(self, label: str) -> bool:
        lines = [line for line in self.trace() if line.kind == "door" and line.label == label]
        return bool(lines) and lines[-1].on

    def again(self) -> None:
        """Power is back: coils are off, no door opens by itself, nobody is signed in."""
        pulses = len(self.pulses_in_trace())
        self.start()
        wait_for(lambda: "site_started" in self.since_start(), "the start in the journal")
        time.sleep(0.3)
        assert len(self.pulses_in_trace()) == pulses, "a restart fires nothing"
        assert set(self.site.world()["coils"].values()) == {"off"}
        assert self.view["staff"]["person"] == ""

    def since_start(self) -> list[str]:
        return ["site_started", *self.kinds()] if self.all("site_started")[-1]["boot"] == self.site.line["boot"] else []

    def pulses_in_trace(self) -> list[str]:
        return [line.label for line in self.trace() if line.kind == "coil" and line.on]

    def open_by_hand(self, label: str) -> None:
        """The latch let go and somebody pulls: the door opens when the test says so."""
        self.site.act(f"doors/{label}", "open")

    def finish(self) -> None:
        """A clean end; the chain verifies and no coil was ever on for too long."""
        self.end()
        finding = examine(self.trace(), BOARD, self.deaths, now_ns=time.monotonic_ns())
        assert finding.faults == ()


# -------------------------------------------------------------------------------------------------------- D-02, a pickup


def at_the_scan(on: Mortal) -> Callable[[], object]:
    return lambda: on.scan(slip(1))


def at_the_opening(on: Mortal) -> Callable[[], object]:
    on.scan(slip(1))
    on.wait_fact("opening_ordered", parcel=parcel(1))
    return lambda: on.open_by_hand("1")


def at_the_closing(on: Mortal) -> Callable[[], object]:
    at_the_opening(on)()
    on.wait_fact("door_opened", compartment="1")
    time.sleep(0.3)
    on.site.act("contents/1", {"take": True})
    return lambda: on.site.act("doors/1", "close")


def at_the_end_of_the_dispute(on: Mortal) -> Callable[[], object]:
    at_the_closing(on)()
    on.wait_fact("parcel_taken", parcel=parcel(1))
    return lambda: None


STEPS_OF_C_01 = {
    "opening_ordered": (at_the_scan, "occupied", "occupied"),
    "door_opened": (at_the_opening, "unknown", "unknown"),
    "parcel_taken": (at_the_closing, "unknown", "occupied"),
    "parcel_collected": (at_the_end_of_the_dispute, "occupied", "free"),
}
"""Fact of the step → how to come to it, and the compartment's occupancy after a death before it and after it."""


@pytest.mark.parametrize("call", [BEFORE, AFTER])
@pytest.mark.parametrize("step", STEPS_OF_C_01)
def test_d_02_killed_in_each_step_of_a_pickup_it_is_consistent_after_the_restart(
    tmp_path: Path, step: str, call: str
) -> None:
    """kill -9 in each step of C-01 → consistent after restart: what was recorded stands, nothing is freed that was not seen,
    no door opens by itself, the key is good until its parcel is gone, and the parcel is collected exactly once."""
    on = Mortal(tmp_path)
    known, other = on.stored(1, "1"), on.stored(2, "2")
    on.start(inside={"1": known, "2": other})
    on.break_("1", "jam")
    come_to, before, after = STEPS_OF_C_01[step]
    on.die_entering(call, come_to(on))
    assert on.knows(step) is (call == AFTER)
    on.again()
    expected = before if call == BEFORE else after
    wait_for(lambda: on.compartment("1")["occupancy"] == expected, f"the compartment {expected}")
    assert not (on.compartment("1")["occupancy"] == "free" and on.site.world()["contents"]["1"])
    bring_to_its_end(on, known)
    assert len(on.all("parcel_collected")) == 1
    assert on.site.world()["contents"] == {"1": [], "2": [other], "3": [], "4": [], "5": [], "6": []}
    time.sleep(REPEAT_S)
    on.scan(slip(1))
    wait_for(lambda: on.notice() == "already_collected", "a spent key")
    assert on.pulses_in_trace().count("2") == 0
    on.finish()


@pytest.mark.parametrize("moment", ["the coil is on", "the door moved and nobody knows it"])
def test_d_02_killed_during_the_pulse_no_coil_stays_on_and_the_key_is_good(tmp_path: Path, moment: str) -> None:
    """Killed while the coil has current: the trace, read before the restart, shows it cut by the death of its process."""
    on = Mortal(tmp_path)
    known = on.stored(1, "1")
    on.start(inside={"1": known})
    if moment == "the coil is on":
        on.break_("1", "jam")
        on.die_when(on.coil_is_on, moment, at_the_scan(on))
    else:
        on.die_when(lambda: on.door_moved("1"), moment, at_the_scan(on))
    assert on.coil_is_on(), "no line of the trace ended this pulse: the kernel did"
    (stretch,) = examine(on.trace(), BOARD, on.deaths, now_ns=time.monotonic_ns()).stretches
    assert stretch.on_ms < 1_000
    assert not on.knows("door_opened"), "it died before the door was believed"
    on.again()
    on.wait_fact("opening_resolved", compartment="1", parcel=known)
    on.break_("1", "clear")
    bring_to_its_end(on, known)
    assert len(on.all("parcel_collected")) == 1
    on.finish()


def bring_to_its_end(on: Mortal, known: ParcelId) -> None:
    """The customer is still there, and does what a person would: shuts an open door, and shows the slip when the screen asks."""
    on.break_("1", "clear")
    if not on.knows("parcel_taken", parcel=known):
        if on.door("1") == "open":  # It stood open while the site was off: nobody saw what was taken (C-22).
            wait_for(lambda: on.compartment("1")["door"] == "open", "the open door seen")
            on.take_and_close("1")
            wait_for(lambda: on.notice() == "quick_close", "the question whether it is still inside")
        time.sleep(REPEAT_S)
        on.scan(slip(1))
        wait_for(lambda: on.compartment("1")["door"] == "open", "the same door for the same key, seen open")
        on.take_and_close("1")
        on.wait_fact("parcel_taken", parcel=known)
    on.wait_fact("parcel_collected", parcel=known)
    wait_for(lambda: on.compartment("1")["parcel"] is None, "a compartment without the parcel")


# ------------------------------------------------------------------------------------------------------- D-02, a deposit


def at_the_badge(on: Mortal) -> Callable[[], object]:
    return lambda: on.scan(BADGE)


def at_the_label(on: Mortal) -> Callable[[], object]:
    at_the_badge(on)()
    on.wait_fact("staff_signed_in")
    return lambda: on.scan(TRACKING)


def at_the_open_door(on: Mortal) -> Callable[[], object]:
    at_the_label(on)()
    on.wait_fact("opening_ordered", parcel=parcel(1))
    return lambda: on.open_by_hand("1")


def at_the_closed_door(on: Mortal) -> Callable[[], object]:
    at_the_open_door(on)()
    on.wait_fact("door_opened", compartment="1")
    on.site.act("contents/1", {"put": parcel(1)})
    time.sleep(LONG_OPEN_S)
    return lambda: on.site.act("doors/1", "close")


STEPS_OF_S_01 = {
    "staff_signed_in": (at_the_badge, "free", "free"),
    "opening_ordered": (at_the_label, "free", "unknown"),
    "door_opened": (at_the_open_door, "unknown", "unknown"),
    "parcel_stored": (at_the_closed_door, "unknown", "occupied"),
}


@pytest.mark.parametrize("call", [BEFORE, AFTER])
@pytest.mark.parametrize("step", STEPS_OF_S_01)
def test_d_02_killed_in_each_step_of_a_deposit_no_parcel_is_lost_or_doubled(
    tmp_path: Path, step: str, call: str
) -> None:
    """kill -9 in each step of S-01 → consistent after restart: never *stored* unless seen closed, never *free* while something
    may lie inside; the label, or a look inside, goes on; in the end the parcel is in one place and its slip opens it."""
    on = Mortal(tmp_path)
    known = on.announced(1, TRACKING)
    on.start()
    on.break_("1", "jam")
    come_to, before, after = STEPS_OF_S_01[step]
    on.die_entering(call, come_to(on))
    assert on.knows(step) is (call == AFTER)
    on.again()
    expected = before if call == BEFORE else after
    wait_for(lambda: on.compartment("1")["occupancy"] == expected, f"the compartment {expected}")
    staff_go_on(on, known)
    places = [label for label, held in on.site.world()["contents"].items() if held]
    assert len(places) == 1
    (box,) = [box for box in on.view["bank"] if box["parcel"] == known]
    assert (box["label"], box["occupancy"]) == (places[0], "occupied")
    assert {fact["parcel"] for fact in on.all("parcel_received")} == {known}, "one record"
    time.sleep(REPEAT_S)
    on.scan(slip(1))
    wait_for(lambda: on.door(places[0]) == "open", "its slip opens it")
    on.finish()


def test_d_02_killed_during_the_pulse_of_a_deposit_frees_nothing(tmp_path: Path) -> None:
    on = Mortal(tmp_path)
    known = on.announced(1, TRACKING)
    on.start()
    on.scan(BADGE)
    on.wait_fact("staff_signed_in")
    on.die_when(lambda: on.door_moved("1"), "the door", lambda: on.scan(TRACKING))
    assert on.coil_is_on(), "no line of the trace ended this pulse: the kernel did"
    on.again()
    wait_for(lambda: on.compartment("1")["occupancy"] == "unknown", "an honest unknown")
    staff_go_on(on, known)
    assert sum(bool(held) for held in on.site.world()["contents"].values()) == 1
    on.finish()


def staff_go_on(on: Mortal, known: ParcelId) -> None:
    """Staff come back: shut what stands open, sign in, and go on with the parcel in their hands or look where it may lie."""
    on.break_("1", "clear")
    if on.door("1") == "open":
        on.site.act("doors/1", "close")
        wait_for(lambda: on.compartment("1")["door"] == "closed", "the door seen shut")
    on.scan(BADGE)
    wait_for(lambda: on.view["staff"]["person"] == "amina", "the badge")
    if on.knows("parcel_stored", parcel=known):
        on.press("sign_out")
        return
    if on.site.world()["contents"]["1"]:
        look_inside(on, CommandCard.NOT_EMPTY)
    else:
        if on.compartment("1")["occupancy"] == "unknown":
            look_inside(on, CommandCard.EMPTY)
            wait_for(lambda: on.compartment("1")["occupancy"] == "free", "free, because somebody looked")
        on.scan(TRACKING)
        task = wait_for(lambda: on.task().get("step") == "put_in" and on.task(), "a compartment")
        wait_for(lambda: on.door(task["compartment"]) == "open", "its door")
        wait_for(lambda: on.compartment(task["compartment"])["door"] == "open", "its door seen open")
        on.put_and_close(task["compartment"], known)
    on.wait_fact("parcel_stored", parcel=known)
    wait_for(lambda: on.task() == {}, "nothing left to do")
    on.press("sign_out")


def look_inside(on: Mortal, answer: CommandCard) -> None:
    time.sleep(1.6)
    on.press("check", compartment="1")
    wait_for(lambda: on.compartment("1")["door"] == "open", "the door to look behind")
    on.site.act("doors/1", "close")
    wait_for(lambda: on.task().get("step") == "ask_empty", "the question")
    on.card(answer)
    wait_for(lambda: on.task() == {}, "the answer taken")


# ------------------------------------------------------------------------------------------------------------ the reader


def test_d_01_from_the_start_to_the_first_slip_no_coil_is_on(tmp_path: Path) -> None:
    """The pins' own record, from before the program claimed them."""
    stage = Stage(tmp_path)
    stage.stored(1, "1")
    stage.start()
    lines = read_trace(tmp_path / "state")
    assert lines, "what the pins did is written down from the first claim"
    assert examine(lines, BOARD, (), now_ns=time.monotonic_ns()).stretches == ()
    stage.scan(slip(1))
    stage.wait_fact("opening_ordered", compartment="1")
    stage.end()


def test_d_09_a_bounce_is_one_movement_and_a_switch_that_chatters_makes_its_compartment_suspect(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    stage.site.act("faults/1", "bounce")
    stage.scan(slip(1))
    stage.opens("1")
    stage.take_and_close("1")
    stage.wait_fact("parcel_taken", parcel=known)
    moved = [kind for kind in stage.kinds() if kind in {"door_opened", "door_closed"}]
    assert moved == ["door_opened", "door_closed"]
    stage.site.act("faults/2", "chatter")
    stage.wait_fact("service_set", compartment="2", service="suspect", reason="sensor_chatters")
    wait_for(lambda: stage.compartment("2")["service"] == "suspect", "a compartment nothing new is put into")
    assert ("sensor_chatters", "2") in [(alarm["alarm"], alarm["compartment"]) for alarm in stage.view["alarms"]]
    stage.end()


def test_a_09_a_suffering_machine_says_which_of_its_parts_it_is_and_serves_on(tmp_path: Path) -> None:
    """Temperature, undervoltage, SD errors, reader unplugged → distinct alarms on the staff's screen; the doors keep serving."""
    on = Stage(tmp_path)
    first, second = on.stored(1, "1"), on.stored(2, "2")
    sys_ = tmp_path / "state" / "sys"
    device = (tmp_path / "state").stat().st_dev
    card = sys_ / "dev" / "block" / f"{os.major(device)}:{os.minor(device)}"
    temperature, supply = sys_ / "class" / "thermal" / "thermal_zone0" / "temp", sys_ / "class" / "hwmon" / "hwmon3"
    errors = sys_ / "fs" / "ext4" / card.name / "errors_count"
    for figure, text in (
        (card, ""), (temperature, "86200"), (supply / "name", "rpi_volt"), (supply / "in0_lcrit_alarm", "1"), (errors, "4"),
    ):  # fmt: skip
        figure.parent.mkdir(parents=True, exist_ok=True)
        figure.write_text(text + "\n")
    on.start(inside={"1": first, "2": second})
    on.site.act("scanner", "unplug")
    four = {"machine_hot", "power_weak", "card_failing", "scanner_lost"}
    wait_for(lambda: {alarm["alarm"] for alarm in on.view["alarms"]} == four, "four alarms that can be told apart")
    on.type(typed_digits(KEY, PickupKey(NUMBER, first, 1, 0)))
    on.opens("1")
    on.take_and_close("1")
    on.wait_fact("parcel_taken", parcel=first)
    temperature.write_text("51000\n")
    (supply / "in0_lcrit_alarm").write_text("0\n")
    errors.write_text("0\n")
    on.site.act("scanner", "plug")
    wait_for(lambda: not on.view["alarms"], "the end of all four", 2 * EVERY_S + 10)
    on.scan(slip(2))
    on.opens("2")
    on.take_and_close("2")
    on.wait_fact("parcel_taken", parcel=second)
    on.end()


def test_d_04_a_reader_pulled_out_and_put_back_reads_again_within_five_seconds(tmp_path: Path) -> None:
    """Reader unplugged/replugged → recovers < 5 s; in between the screens say so, an alarm stands, and digits still open."""
    on = Stage(tmp_path)
    known = on.stored(1, "1")
    on.start(inside={"1": known})
    on.site.act("scanner", "unplug")
    on.wait_fact("alarm_raised", alarm="scanner_lost")
    wait_for(lambda: not on.view["scanner"], "the screens to know")
    on.site.act("scanner", "plug")
    plugged = time.monotonic()
    on.wait_fact("alarm_cleared", alarm="scanner_lost")
    assert time.monotonic() - plugged < 5
    wait_for(lambda: on.view["scanner"] and not on.view["alarms"], "the screens to know")
    on.scan(slip(1))
    on.opens("1")
    assert time.monotonic() - plugged < 5 + 2
    on.take_and_close("1")
    on.wait_fact("parcel_taken", parcel=known)
    on.end()


def test_d_05_whatever_bytes_come_no_wrong_door_opens_and_the_next_slip_does(tmp_path: Path) -> None:
    """Garbage bytes, a 10 kB burst, NUL, a missing CR, two codes glued → no crash, no wrong open."""
    on = Stage(tmp_path)
    first, second = on.stored(1, "1"), on.stored(2, "2")
    on.start(inside={"1": first, "2": second})
    one, two = slip(1).encode(), slip(2).encode()
    for nonsense in (
        bytes(range(1, 256)) + b"\r",
        b"\x00" * 300 + b"\r\n",
        one[:20] + b"\x00" + one[20:] + b"\r",
        one + two + b"\r",
        one[:-1] + b"\r",
        one + b"7\r",
        b"\xff\xfe" + one[::-1] + b"\r",
    ):
        on.site.act("scan", {"hex": nonsense.hex()})
        time.sleep(0.15)
    for seed in range(3):
        on.site.act("scan", {"garbage": 10_000, "seed": seed})
    on.site.act("scan", {"hex": b"\r".hex()})
    time.sleep(0.3)
    assert on.pulses() == []
    assert not on.knows("opening_ordered")
    assert on.site.process.poll() is None
    on.site.act("scan", {"hex": one.hex()})  # no CR: the silence after it ends the text
    on.opens("1")
    assert [pulse["label"] for pulse in on.pulses()] == ["1"]
    assert on.door("2") == "closed"
    on.take_and_close("1")
    on.wait_fact("parcel_taken", parcel=first)
    on.end()


# ---------------------------------------------------------------------------------------------------------- the watchdog


class Systemd:
    """systemd's part, read from the unit: it listens for pings, ends what is silent with SIGABRT, then runs what comes after."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        unit = (ROOT / "systemd" / "consigne-controller.service").read_text().splitlines()
        values = [line.partition("=") for line in unit if "=" in line and not line.startswith("#")]
        (self.period_s,) = (int(value) for name, _, value in values if name == "WatchdogSec")
        after = [shlex.split(value) for name, _, value in values if name == "ExecStopPost"]
        (self._note,) = (command for command in after if "controller.ending" in command)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(folder / "notify"))
        self._socket.settimeout(self.period_s)
        monkeypatch.setenv("NOTIFY_SOCKET", str(folder / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", str(self.period_s * 1_000_000))

    def close(self) -> None:
        self._socket.close()

    def hears(self, word: str) -> None:
        """Wait for a word of the program's; it fails after the watchdog's time."""
        while word not in self._socket.recv(1024).decode().splitlines():
            pass

    def waits_for_silence(self) -> None:
        """Until nothing was said for the watchdog's time; bounded."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                self._socket.recv(1024)
            except TimeoutError:
                return
        raise AssertionError("a program that hangs went on pinging")

    def ends(self, process: subprocess.Popen[bytes], state: Path) -> None:
        """The watchdog's signals, as systemd sends them, then the unit's own last command with the one path of this machine."""
        process.send_signal(signal.SIGABRT)
        process.send_signal(signal.SIGCONT)
        assert process.wait(20) == -signal.SIGABRT
        command = [sys.executable, *self._note[2:]]
        command[command.index("--state") + 1] = str(state)
        command[command.index("--result") + 1] = "watchdog"
        subprocess.run(command, cwd=ROOT, timeout=60, check=True)


def test_d_10_a_hung_program_is_ended_and_the_next_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Watchdog restarts a hung process, event says why: the program freezes before a waiting person, the pings cease, what each
    thread was at is in the log, the next run's first fact says `hung`, and the slip opens its door."""
    systemd = Systemd(tmp_path, monkeypatch)
    on = Stage(tmp_path)
    known = on.stored(1, "1")
    on.start(inside={"1": known})
    systemd.hears("READY=1")
    systemd.hears("WATCHDOG=1")
    on.site.process.send_signal(signal.SIGSTOP)
    on.scan(slip(1))
    systemd.waits_for_silence()
    systemd.ends(on.site.process, tmp_path / "state")
    log = on.site.log.read_text()
    assert "Fatal Python error: Aborted" in log
    assert "controller/runner.py" in log, "where each thread was"
    assert on.all("site_started")[-1].get("ended", "") == ""
    on.kill()
    on.start()
    assert on.all("site_started")[-1]["ended"] == "hung"
    systemd.hears("READY=1")
    on.scan(slip(1))
    on.opens("1")
    on.take_and_close("1")
    on.wait_fact("parcel_taken", parcel=known)
    on.end()
    systemd.close()


# ------------------------------------------------------------------------------------------------------------- the clock


@pytest.mark.parametrize("kept_by_a_server", [True, False])
def test_d_11_a_clock_that_jumps_a_day_ends_nothing(tmp_path: Path, *, kept_by_a_server: bool) -> None:
    """Clock jump ±1 day → no mass expiry: windows run by the monotonic clock, keys stay good, the bucket is not refilled,
    and a machine that starts a day early or late neither. The jump itself is recorded where it is believed."""
    settings = Settings(dispute_ms=600_000, reopen_grace_ms=600_000, quick_close_ms=100, pulse_gap_ms=1_500)
    on = Stage(tmp_path, settings=settings)
    taken, waiting = on.stored(1, "1"), on.stored(2, "2")
    on.start(inside={"1": taken, "2": waiting})
    on.site.act("clock", {"offset_ms": 0, "synchronised": kept_by_a_server})
    on.scan(slip(1))
    on.opens("1")
    on.take_and_close("1")
    on.wait_fact("parcel_taken", parcel=taken)
    before = stamps(on)
    for offset in (DAY_MS, -DAY_MS, 0):
        corrected = len(on.all("clock_corrected"))
        on.site.act("clock", {"offset_ms": offset})
        believed = kept_by_a_server or offset == DAY_MS
        if believed:
            wait_for(lambda: len(on.all("clock_corrected")) > corrected, "the jump in the journal")  # noqa: B023
        time.sleep(2.5)
        assert not on.knows("parcel_collected"), "the dispute window is not over for anybody"
        assert on.site.process.poll() is None
    assert kept_by_a_server or stamps(on)[-1] >= before[-1], "a clock nobody keeps never goes back"
    for offset in (DAY_MS, -DAY_MS):
        on.kill()
        on.start()
        on.site.act("clock", {"offset_ms": offset})
        on.kill()
        on.start()
        assert on.compartment("1")["occupancy"] == "occupied"
        assert on.compartment("2")["occupancy"] == "occupied"
        assert not on.knows("parcel_collected")
    on.scan(slip(2))
    wait_for(lambda: on.door("2") == "open", "a key on a wrong day")
    on.take_and_close("2")
    on.wait_fact("parcel_taken", parcel=waiting)
    on.end()


def stamps(on: Stage) -> list[int]:
    """The wall-clock stamps of the newest facts."""
    reader = JournalReader(on.folder / "state" / "journal.db", SITE)
    batch = reader.batch(max(0, reader.head()[0] - 100))
    reader.close()
    return [record.at_ms for record in batch.facts] if batch else []
