"""The board file with relay boards: what is accepted, and that every fault of their wiring is told in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware.board import BoardError, OutputPin, RelayBoard, RelayChannel, load_board
from firmware.hardware import Callbacks
from firmware.latches import LatchError
from firmware.relays import BankLatches
from firmware.sim import Refused, SimulatedWorld, open_simulated, simulated_line
from firmware.sim.coils import examine
from firmware.sim.trace import read_trace

GOOD = """
name = "mixed"
[limits]
pulse_ms = 400
[[relay_board]]
name = "left"
device = "/dev/ttyUSB0"
unit = 11
channels = 8
[[relay_board]]
name = "right"
device = "/dev/ttyUSB0"
unit = 12
channels = 16
[[compartment]]
label = "1"
size = "S"
reach = "mid"
height_mm = 1000
row = 0
column = 0
latch = { board = "left", channel = 8 }
door = 4
[[compartment]]
label = "2"
size = "L"
reach = "mid"
height_mm = 700
row = 1
column = 0
latch = { board = "right", channel = 16 }
door = 5
[[compartment]]
label = "3"
size = "L"
reach = "mid"
height_mm = 500
row = 2
column = 0
latch = 16
door = 6
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "board.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_latch_hangs_on_a_pin_or_on_a_relay(tmp_path: Path) -> None:
    board = load_board(written(tmp_path, GOOD))
    assert board.relay_boards == (
        RelayBoard("left", "/dev/ttyUSB0", 9_600, 11, 8),
        RelayBoard("right", "/dev/ttyUSB0", 9_600, 12, 16),
    )
    assert [item.latch for item in board.compartments] == [
        RelayChannel("left", 8),
        RelayChannel("right", 16),
        OutputPin(16),
    ]
    assert [name for name, _ in board.outputs()] == ["latch of compartment 3"]


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("channel = 8 }", "channel = 9 }", "compartment 1: relay board left has channels 1 to 8, not 9"),
        (
            "channel = 8 }",
            "channel = 0 }",
            "[[compartment]] number 1 [latch] channel: allowed is a whole number from 1 to 32",
        ),
        ("channel = 8 }", "canal = 8 }", "[[compartment]] number 1 [latch] channel is missing"),
        ("channel = 8 }", "channel = 8, pin = 4 }", "pin is not known here; allowed are board, channel"),
        ('board = "left"', 'board = "lift"', "compartment 1: there is no relay board 'lift'; known are left, right"),
        (
            'board = "right", channel = 16',
            'board = "left", channel = 8',
            "channel 8 of relay board left is used 2 times (compartments 1, 2): give each its own channel",
        ),
        ("unit = 12", "unit = 11", "relay boards left and right both have the address 11 on /dev/ttyUSB0"),
        ("unit = 12", "unit = 0", "[[relay_board]] number 2 unit: allowed is a whole number from 1 to 247, not 0"),
        ("unit = 12", "unit = 248", "unit: allowed is a whole number from 1 to 247, not 248"),
        ("unit = 12", "", "[[relay_board]] number 2 unit is missing"),
        ("unit = 12", "unit = 12\nbaud = 19200", "share /dev/ttyUSB0 but not the same baud"),
        ("unit = 12", "unit = 12\nbaud = 1200", "baud: allowed is one of 9600"),
        (
            "unit = 12",
            "unit = 12\nparity = 1",
            "parity is not known here; allowed are baud, channels, device, name, unit",
        ),
        ('name = "right"', 'name = "left"', "the relay board 'left' is given more than once"),
        ('device = "/dev/ttyUSB0"', 'device = "ttyUSB0"', "device is the whole path of its serial line, not 'ttyUSB0'"),
        ("channels = 16", "channels = 33", "channels: allowed is a whole number from 1 to 32, not 33"),
        ("pulse_ms = 400", "pulse_ms = 450", "compartment 1: a relay board counts in steps of 100 ms"),
        ("pulse_ms = 400", "pulse_ms = 900\npulse_cap_ms = 1000", "allowed for pulse_ms are 100 to 800"),
        ("door = 4", 'door = 4\nlatch_active = "low"', "latch_active is not known here"),
        ("[[relay_board]]", "[[relay]]", "relay is not known here; allowed are compartment"),
    ],
)
def test_a_fault_of_the_boards_is_named_with_what_is_allowed(
    tmp_path: Path, before: str, after: str, problem: str
) -> None:
    assert before in GOOD
    with pytest.raises(BoardError) as refused:
        load_board(written(tmp_path, GOOD.replace(before, after)))
    assert [line for line in refused.value.problems if problem in line], refused.value.problems


def test_a_step_of_the_relay_board_does_not_bind_a_latch_on_a_pin(tmp_path: Path) -> None:
    text = GOOD.replace("latch = 16\n", "latch = 16\npulse_ms = 250\n")
    assert load_board(written(tmp_path, text)).compartment("3").pulse_ms == 250


def test_there_are_at_most_eight_relay_boards(tmp_path: Path) -> None:
    more = "".join(
        f'[[relay_board]]\nname = "b{n}"\ndevice = "/dev/x"\nunit = {n}\nchannels = 8\n' for n in range(20, 27)
    )
    with pytest.raises(BoardError, match="there are 9 of them; allowed are at most 8"):
        load_board(written(tmp_path, GOOD + more))


def test_a_simulated_bank_has_its_doors_and_no_coil_for_a_latch_on_a_relay(tmp_path: Path) -> None:
    """Nothing real is opened. Nobody answers on the line: a sentence for each board at the start, a failed pulse, and the doors are doors."""
    board = load_board(written(tmp_path, GOOD))
    faults: list[str] = []
    hardware = open_simulated(board, state_dir=tmp_path, calls=Callbacks(on_door=print, on_scan=print, on_link=print, on_fault=faults.append))  # fmt: skip
    try:
        world = hardware.sim
        assert isinstance(world, SimulatedWorld)
        assert isinstance(hardware.latches, BankLatches)
        assert world.bank.picture()["coils"] == {"1": "off", "2": "off", "3": "off"}
        world.bank.open_door("1")
        assert hardware.doors.read_all() == {"1": True, "2": False, "3": False}
        with pytest.raises(Refused, match="silence the board instead"):
            world.bank.set_fault("1", "coil-stuck")
        with pytest.raises(
            LatchError, match=r"relay board right could not be switched off: its line .*/dev-ttyUSB0 cannot"
        ):
            hardware.latches.all_off()
        assert len(faults) == 2
    finally:
        hardware.close()
    assert simulated_line(tmp_path, "/dev/ttyUSB0") == tmp_path / "dev-ttyUSB0"
    assert examine(read_trace(tmp_path), board, now_ns=0).faults == ()
