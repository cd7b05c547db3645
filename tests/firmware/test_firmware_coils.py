"""I-8 proven from the trace, the board and the time of death; and the proof fails when a fault is planted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from firmware.board import Board, OutputPin, load_board
from firmware.pins import ReleasePolicy
from firmware.sim.bank import SimBank
from firmware.sim.coils import Death, Finding, examine
from firmware.sim.trace import Line, read_trace

ROOT = Path(__file__).parents[2]
MS = 1_000_000
NOW = 60_000 * MS
STOPPED_S = 1.2


def line(at_ms: float, label: str, level: int, *, run: str = "7-0", kind: str = "coil") -> Line:
    """Compartment 1 is active high, 2 is active low."""
    on = bool(level) == (label == "1")
    return Line(run, int(run.split("-", maxsplit=1)[0]), int(at_ms * MS), 0, label, kind, on, level, "driven")


def claims(at_ms: float, run: str = "7-0") -> list[Line]:
    return [line(at_ms, "1", 0, run=run), line(at_ms, "2", 1, run=run)]


def without_enable(board: Board) -> Board:
    return replace(board, signals=replace(board.signals, master_enable=None))


def pulled_on(board: Board) -> Board:
    """The first latch on an active-low driver at a pin that is pulled down: `load_board` would refuse it."""
    first, *others = board.compartments
    return replace(board, compartments=(replace(first, latch=OutputPin(16, "low")), *others))


def test_a_pulse_is_as_long_as_its_line_was_active(board: Board) -> None:
    found = examine(
        [*claims(0), line(100, "1", 1), line(400, "1", 0), line(800, "2", 0), line(950, "2", 1)],
        without_enable(board),
        now_ns=NOW,
    )
    assert [(one.label, one.on_ms) for one in found.stretches] == [("1", 300.0), ("2", 150.0)]
    assert (found.left_on, found.faults, found.longest_ms) == ((), (), 300.0)


def test_a_coil_nobody_switched_off_is_on(board: Board) -> None:
    found = examine([*claims(0), line(59_900, "1", 1)], without_enable(board), now_ns=NOW)
    assert found.left_on == ("1",)
    assert found.faults == ("compartment 1: its coil is on at the end",)


def test_a_coil_is_on_until_the_process_is_seen_dead(board: Board) -> None:
    lines = [*claims(0), line(100, "1", 1), *claims(9_000, "8-1")]
    died = examine(lines, without_enable(board), [Death(7, 350 * MS)], now_ns=NOW)
    assert ([one.on_ms for one in died.stretches], died.faults) == ([250.0], ())


def test_a_death_nobody_saw_is_no_release(board: Board) -> None:
    lines = [*claims(0), line(100, "1", 1), *claims(9_000, "8-1")]
    found = examine(lines, without_enable(board), [Death(99, 350 * MS)], now_ns=NOW)
    assert found.faults == ("compartment 1: its coil was on for 8900 ms",)


def test_f4_a_kernel_that_keeps_its_lines_leaves_the_coil_on(board: Board) -> None:
    lines = [*claims(0), line(100, "1", 1)]
    found = examine(lines, without_enable(board), [Death(7, 350 * MS)], now_ns=NOW, policy=ReleasePolicy.KEPT)
    assert found.left_on == ("1",)


def test_f4_the_master_enable_ends_what_such_a_kernel_keeps(board: Board) -> None:
    lines = [*claims(0), line(100, "1", 1), line(180, "supply", 1, kind="beat"), line(280, "supply", 0, kind="beat")]
    found = examine(lines, board, [Death(7, 350 * MS)], now_ns=NOW, policy=ReleasePolicy.KEPT)
    assert ([one.on_ms for one in found.stretches], found.left_on, found.faults) == ([680.0], (), ())


def test_a_pull_that_energises_is_a_fault_by_itself_and_after_a_death(board: Board) -> None:
    wrong = without_enable(pulled_on(board))
    found = examine([line(0, "1", 1), line(0, "2", 1)], wrong, [Death(7, 500 * MS)], now_ns=NOW)
    assert found.left_on == ("1",)
    assert found.faults[0] == "compartment 1: the pull of GPIO 16 energises its coil while nobody drives it"


def test_two_coils_at_once_are_found_even_around_a_shorter_third(board: Board) -> None:
    lines = [*claims(0), line(100, "1", 1), line(150, "2", 0), line(160, "2", 1), line(300, "2", 0), line(350, "1", 0)]
    lines.append(line(400, "2", 1))
    faults = examine(lines, without_enable(board), now_ns=NOW).faults
    assert faults == ("compartments 1 and 2: their coils were on at the same time",) * 2


# ------------------------------------------------------------------------------------------------------ real processes


def play(folder: Path, body: str, *, stop_for_s: float = 0.0) -> Death:
    """A process of its own on a simulated bank that runs `body` and kills or stops itself; when it was seen dead."""
    program = textwrap.dedent(
        """
        import os, signal, sys, time
        from dataclasses import replace
        from pathlib import Path
        from firmware import latches
        from firmware.board import OutputPin, load_board
        from firmware.hardware import Callbacks
        from firmware.sim import open_simulated

        def nobody(*_):
            pass

        board = load_board(Path(sys.argv[1]) / "board.toml")
        calls = Callbacks(on_door=nobody, on_scan=nobody, on_link=nobody)

        def start(board=board):
            return open_simulated(board, state_dir=Path(sys.argv[1]) / "state", calls=calls)
        """
    ) + textwrap.dedent(body)
    with subprocess.Popen([sys.executable, "-c", program, str(folder)], cwd=ROOT) as child:
        if stop_for_s:
            os.waitid(os.P_PID, child.pid, os.WSTOPPED)
            time.sleep(stop_for_s)
            child.kill()
        assert child.wait(30) == -signal.SIGKILL
        return Death(child.pid, time.monotonic_ns())


def after(folder: Path, board: Board, death: Death, **how: ReleasePolicy) -> Finding:
    """What the coils had done one second after the death, nobody having started anything since."""
    return examine(read_trace(folder / "state"), board, [death], now_ns=death.mono_ns + 1_000 * MS, **how)


KILLED_IN_PULSE = """
    site = start()
    site.latches.pulse("1")
    os.kill(os.getpid(), signal.SIGKILL)
"""

STOPPED_IN_PULSE = """
    from threading import Event, Thread
    site = start()
    Thread(target=site.heartbeat.run, args=(Event(),), daemon=True).start()
    time.sleep(0.25)
    site.latches.pulse("1")
    os.kill(os.getpid(), signal.SIGSTOP)
"""

NEITHER_TIMER_NOR_CAP = """
    def asleep(*_):
        time.sleep(60)

    latches.Latches._end_pulses = asleep
    latches.Latches._cap_pulses = asleep
    site = start()
    site.latches.pulse("1")
    time.sleep(1.1)
    site.latches._coils["1"].off()
    os.kill(os.getpid(), signal.SIGKILL)
"""

TWO_AT_ONCE = """
    site = start()
    site.latches.pulse("1")
    site.latches._coils["2"].on()
    os.kill(os.getpid(), signal.SIGKILL)
"""

PULLED_ON = """
    first, *others = board.compartments
    site = start(replace(board, compartments=(replace(first, latch=OutputPin(16, "low")), *others)))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_f4_a_kill_in_mid_pulse_ends_it_on_a_kernel_that_releases(board: Board, tmp_path: Path) -> None:
    death = play(tmp_path, KILLED_IN_PULSE)
    found = after(tmp_path, board, death)
    assert [one.label for one in found.stretches] == ["1"]
    assert (found.left_on, found.faults) == ((), ())
    kept = after(tmp_path, without_enable(board), death, policy=ReleasePolicy.KEPT)
    assert kept.left_on == ("1",)


def test_f5_a_stopped_process_holds_its_coil_unless_the_supply_watches_it(board: Board, tmp_path: Path) -> None:
    death = play(tmp_path, STOPPED_IN_PULSE, stop_for_s=STOPPED_S)
    assert after(tmp_path, board, death).faults == ()
    (fault,) = after(tmp_path, without_enable(board), death).faults
    assert fault.startswith("compartment 1: its coil was on for ")


def test_planted_a_pulse_that_neither_timer_nor_cap_ends_is_found(board: Board, tmp_path: Path) -> None:
    death = play(tmp_path, NEITHER_TIMER_NOR_CAP)
    (fault,) = after(tmp_path, without_enable(board), death).faults
    assert fault.startswith("compartment 1: its coil was on for 1")


def test_planted_two_coils_at_once_are_found(board: Board, tmp_path: Path) -> None:
    death = play(tmp_path, TWO_AT_ONCE)
    assert after(tmp_path, board, death).faults == ("compartments 1 and 2: their coils were on at the same time",)


def test_planted_a_pull_that_energises_is_found_and_the_door_springs_open(board: Board, tmp_path: Path) -> None:
    death = play(tmp_path, PULLED_ON)
    wrong = without_enable(pulled_on(board))
    assert after(tmp_path, wrong, death).left_on == ("1",)
    bank = SimBank(wrong, tmp_path / "state")
    try:
        assert bank.picture()["coils"] == {"1": "on", "2": "off"}
        ends = time.monotonic() + 10
        while not bank.is_open("1"):
            assert time.monotonic() < ends
            time.sleep(0.01)
    finally:
        bank.close()


def test_d_01_the_boards_that_are_shipped_are_at_rest_while_nobody_drives_them() -> None:
    for file in sorted((ROOT / "hardware" / "boards").glob("*.toml")):
        board = load_board(file)
        lines = [
            Line("7-0", 7, 0, 0, item.label, "coil", False, int(not latch.active_high), "driven")
            for item, latch in board.pin_latches()
        ]
        assert examine(lines, board, [Death(7, MS)], now_ns=NOW) == Finding((), (), ())


def test_closing_says_what_the_lines_fell_to(board: Board, tmp_path: Path) -> None:
    bank = SimBank(board, tmp_path / "state")
    pin = bank.factory.pin(16)
    pin.output_with_state(True)
    bank.close()
    last = read_trace(tmp_path / "state")[-1]
    assert (last.label, last.on, last.why) == ("1", False, "line released")


@pytest.mark.parametrize("name", ["put", "taken"])
def test_hands_are_counted_across_a_restart(board: Board, tmp_path: Path, name: str) -> None:
    for start in (1, 2):
        bank = SimBank(board, tmp_path / "state")
        bank.open_door("1")
        bank.put("1", f"P{start}")
        bank.take("1")
        assert bank.picture()["hands"][name] == start
        bank.close()
