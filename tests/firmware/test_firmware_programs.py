# mypy: allow-untyped-calls
"""The programs beside the controller, and the Pi's own pin layer on a recorded lgpio (F1, F2, F4, F6)."""

import io
import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from firmware.alloff import switch_all_off
from firmware.bench import printing_calls
from firmware.board import load_board
from firmware.pins import Pins, ReleasePolicy, policy_warning, release_policy
from firmware.sim.mock import HardFactory

ROOT = Path(__file__).parents[2]


def run(*arguments, typed="", env=None, cwd=ROOT):
    return subprocess.run(
        [sys.executable, *arguments],
        input=typed,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_the_bench_program_fires_a_latch_and_shows_the_door(board, tmp_path):
    board_file, world = str(tmp_path / "board.toml"), str(tmp_path / "world")
    done = run(
        "-m",
        "firmware.sim",
        "--board",
        board_file,
        "--state",
        world,
        typed="doors\npulse 9\npulse 1\nsignal x\nquit\n",
    )
    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout.splitlines()
    assert "bench: 2 compartments; every coil is off." in said
    for line in ("  1: closed", "latch 1: 100 ms", "No compartment is labelled '9' on this board."):
        assert line in said


def test_no_line_on_the_terminal_is_cut_by_another_thread(monkeypatch):
    class Slow(io.StringIO):
        def write(self, text):
            for letter in text:
                super().write(letter)
                time.sleep(0)
            return len(text)

    terminal = Slow()
    monkeypatch.setattr(sys, "stdout", terminal)
    calls = printing_calls()
    threads = [Thread(target=calls.on_scan, args=("x" * 50,)) for _ in range(20)]
    threads += [Thread(target=calls.on_link, args=(True,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(terminal.getvalue().splitlines())) == ["reader found", f"scan {'x' * 50!r}"]
    assert len(terminal.getvalue().splitlines()) == 40


@pytest.mark.parametrize("program", ["firmware.alloff", "firmware.bench"])
def test_without_pins_a_program_says_so_and_fails(board, tmp_path, program):
    done = run("-m", program, "--board", str(tmp_path / "board.toml"), env={"LG_WD": str(tmp_path)})
    assert done.returncode != 0
    assert "No chip of a Raspberry Pi's header was found" in done.stderr


def test_f6_an_unwritable_folder_of_lgpio_is_a_sentence(board, tmp_path):
    done = run("-m", "firmware.alloff", "--board", str(tmp_path / "board.toml"), env={"LG_WD": str(tmp_path / "none")})
    assert done.returncode == 1
    assert "point LG_WD at a folder it may write to" in done.stderr


def test_a_bad_board_file_stops_alloff_before_any_pin(tmp_path):
    done = run("-m", "firmware.alloff", "--board", str(tmp_path / "none.toml"))
    assert done.returncode == 2
    assert "no pin was touched" in done.stderr


def test_alloff_claims_every_latch_at_rest_although_one_fails(board):
    factory = HardFactory()
    pins = Pins(factory)
    taken = pins.output("somebody else's", board.compartment("1").latch)
    failures = switch_all_off(board, pins)
    assert len(failures) == 1
    assert "GPIO 16" in failures[0]
    assert [(f, level) for number, f, level, _ in factory.history if number == 8][:1] == [("output", True)]
    taken.close()
    factory.close()


@pytest.mark.parametrize(
    ("parameter", "value", "policy"),
    [
        ("pinctrl_bcm2835", "N\n", ReleasePolicy.RELEASED),
        ("pinctrl_bcm2835", "Y\n", ReleasePolicy.KEPT),
        ("pinctrl_rp1", "N\n", ReleasePolicy.RELEASED),
        ("something_else", "N\n", ReleasePolicy.UNKNOWN),
    ],
)
def test_f4_the_kernels_policy_is_read_and_told(tmp_path, parameter, value, policy):
    file = tmp_path / parameter / "parameters" / "persist_gpio_outputs"
    file.parent.mkdir(parents=True)
    file.write_text(value, encoding="ascii")
    assert release_policy(tmp_path) is policy
    assert ("strict_gpiod" in policy_warning(policy)) is (policy is not ReleasePolicy.RELEASED)


RECORDED = """
import lgpio, os, sys
from pathlib import Path
from threading import Thread
calls, modes, values = [], {}, {}
def claim_output(handle, pin, level=0, flags=0):
    calls.append(("output", pin, level)); modes[pin] = 2; values[pin] = level; return 0
PULLS = {lgpio.SET_PULL_UP: (32, 1), lgpio.SET_PULL_DOWN: (64, 0), lgpio.SET_PULL_NONE: (128, 0)}
def claim_input(handle, pin, flags=0):
    calls.append(("input", pin)); modes[pin], values[pin] = PULLS.get(flags, (0, 0)); return 0
watched = {}
class Watch:
    def __init__(self, handle, pin, edges, call): watched[pin] = call
    def cancel(self): pass
lgpio.callback = Watch
lgpio.gpio_claim_alert = lambda *_: 0
lgpio.gpio_free = lambda *_: 0
lgpio.gpio_set_debounce_micros = lambda handle, pin, micros: calls.append(("debounce", pin, micros)) or 0
def write(handle, pin, level):
    calls.append(("write", pin, int(level))); values[pin] = int(level); return 0
def refuse(*_): raise lgpio.error("GPIO busy")
lgpio.gpio_claim_output, lgpio.gpio_claim_input, lgpio.gpio_write = claim_output, claim_input, write
lgpio.gpio_get_mode = lambda handle, pin: modes.get(pin, 0)
lgpio.gpio_read = lambda handle, pin: values.get(pin, 0)
lgpio.gpiochip_open = lambda number: number
lgpio.gpiochip_close = lambda handle: 0
lgpio.gpio_get_chip_info = lambda handle: [0, 8, "gpiochip%d" % handle, {0: "raspberrypi-exp-gpio", 3: "pinctrl-rp1"}[handle]]
real = Path.exists
Path.exists = lambda self: self.name in ("gpiochip0", "gpiochip3") if self.name.startswith("gpiochip") else real(self)
import gpiozero.pins.local as local
local.get_pi_revision = lambda: 0xc04170
import gpiozero.pins.lgpio as gz
gz.LGPIOFactory._get_revision = lambda self: 0xc04170
from firmware.pins import open_pi_pins, PinError
from firmware.bench import printing_calls
from firmware.board import load_board
from firmware.latches import Latches, LatchError
board = load_board(Path(sys.argv[1]))
before = os.getcwd()
pins = open_pi_pins()
assert pins._factory.chip == 3, "the header's chip is found by label"
assert pins._factory.pins is not local.LocalPiFactory.pins
latches = Latches(board, pins)
outputs = [call for call in calls if call[0] != "input"]
assert outputs == [("output", 16, 0), ("output", 8, 1)], outputs
try:
    open_pi_pins()
    raise SystemExit("a second factory was not refused")
except PinError as error:
    assert "second factory" in str(error)
from firmware.doors import Doors
doors = Doors(board, pins, lambda *_: None)
assert doors.read_all() == {"1": True, "2": True}, "nothing wired reads open"
assert [call for call in calls if call[0] == "debounce"] == [("debounce", 4, 5000), ("debounce", 5, 5000)]
values[4] = 0
doors._hint.clear()
watched[4](3, 4, 0, 123)
assert doors._hint.is_set(), "an edge hurries the next look"
assert doors.read_all() == {"1": False, "2": True}
lgpio.gpio_read = refuse
try:
    doors.look(1.0)
    raise SystemExit("a line that cannot be read did not surface")
except PinError as error:
    assert "GPIO busy" in str(error)
lgpio.gpio_read = lambda handle, pin: values.get(pin, 0)
doors.close()
lgpio.gpio_write = refuse
try:
    latches.pulse("1")
    raise SystemExit("a driver error did not surface")
except LatchError as error:
    assert "GPIO busy" in str(error), error
lgpio.gpio_write = write
latches.close()
pins.close()
open_pi_pins().close()
print("fine")
"""


def test_f1_f2_on_lgpio_an_output_is_one_claim_with_its_level_and_a_second_factory_is_refused(board, tmp_path):
    done = run("-c", RECORDED, str(tmp_path / "board.toml"), env={"LG_WD": str(tmp_path)})
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr


def test_lgpio_does_not_move_the_program_to_another_folder(tmp_path):
    code = "import os; before = os.getcwd(); from firmware.lgpio_pins import _import_lgpio; _import_lgpio(); print(before == os.getcwd())"
    assert run("-c", code, env={"LG_WD": str(tmp_path)}).stdout == "True\n"


def test_a_real_site_loads_neither_the_simulation_nor_a_web_server():
    code = "import sys, firmware.hardware; print([m for m in sys.modules if m.startswith(('firmware.sim', 'http', 'lgpio'))])"
    assert run("-c", code).stdout == "[]\n"


@pytest.mark.parametrize("name", ["desk-8", "demo", "relays-16"])
def test_the_pin_table_program_prints_the_table_beside_the_board(name):
    board = ROOT / "hardware" / "boards" / f"{name}.toml"
    done = run("-m", "firmware.pin_table", str(board))
    assert done.stdout == board.with_suffix(".md").read_text(encoding="utf-8")
    assert load_board(board).name in done.stdout
