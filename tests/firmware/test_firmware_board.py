# mypy: allow-untyped-calls
"""The board file: what is accepted, and that every fault is named before a pin is touched."""

from pathlib import Path
from typing import get_type_hints

import pytest

from firmware.board import GAP_MS_MAX, PULSE_CAP_MS_MAX, BoardError, OutputPin, load_board
from firmware.pin_table import pin_table
from wire.plan import Settings

BOARDS = Path(__file__).parents[2] / "hardware" / "boards"

GOOD = """
name = "bench"
shelf_places = ["A1"]
[limits]
pulse_ms = 100
pulse_cap_ms = 200
[signals]
lamp_ok = 12
[[compartment]]
label = "1"
size = "S"
reach = "mid"
height_mm = 1000
row = 0
column = 0
latch = 16
door = 4
[[compartment]]
label = "2"
size = "L"
reach = "mid"
height_mm = 700
row = 1
column = 0
latch = 17
door = 5
"""


def problems_of(tmp_path, text):
    file = tmp_path / "board.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BoardError) as refused:
        load_board(file)
    assert str(file) in str(refused.value)
    return refused.value.problems


@pytest.mark.parametrize("name", ["desk-8", "demo", "relays-16"])
def test_a_shipped_board_is_valid_and_its_pin_table_is_fresh(name):
    board = load_board(BOARDS / f"{name}.toml")
    assert board.name == name
    assert (BOARDS / f"{name}.md").read_text(encoding="utf-8") == pin_table(board), "run python -m firmware.pin_table"


def test_desk_8_has_eight_compartments_of_mixed_sizes_and_heights():
    board = load_board(BOARDS / "desk-8.toml")
    assert [item.label for item in board.compartments] == list("12345678")
    assert {item.size for item in board.compartments} == {"S", "M", "L"}
    assert {item.reach for item in board.compartments} == {"low", "mid", "high"}


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("latch = 17", "latch = 16", "GPIO 16 is used 2 times"),
        ("door = 5", "door = 12", "GPIO 12 is used 2 times"),
        ("latch = 17", "latch = 14", "GPIO 14 is reserved"),
        ("latch = 17", "latch = 3", "GPIO 3 is reserved"),
        ("door = 5", "door = 0", "door GPIO 0 is reserved"),
        ("latch = 17", "latch = 5\n#", "GPIO 5 is pulled up while the Pi boots"),
        ("latch = 17", 'latch = 17\nlatch_active = "low"', "GPIO 17 is pulled down while the Pi boots"),
        ("latch = 17", "latch = 28", "[[compartment]] number 2 latch: allowed is a GPIO number"),
        ("latch = 17", "latch = true", "[[compartment]] number 2 latch: allowed is a GPIO number"),
        ("latch = 17", "", "[[compartment]] number 2 latch is missing"),
        ("pulse_cap_ms = 200", "pulse_cap_ms = 120", "pulse_cap_ms = 120 must be at least 50 ms above pulse_ms = 100"),
        ("pulse_cap_ms = 200", "pulse_cap_ms = 1001", "pulse_cap_ms: allowed is a whole number from 50 to 1000"),
        ("pulse_ms = 100", "pulse_ms = 10", "pulse_ms: allowed is a whole number from 50 to 1000"),
        ("pulse_ms = 100", "gap_ms = 100", "gap_ms: allowed is a whole number from 300 to 500"),
        ("pulse_ms = 100", "puls_ms = 100", "puls_ms is not known here; allowed are door_closed_level"),
        ("lamp_ok = 12", "lamp = 12", "lamp is not known here; allowed are active, buzzer, lamp_attention, lamp_ok"),
        ('name = "bench"', 'name = "bench"\ncolour = "red"', "colour is not known here"),
        ('name = "bench"', "", "name is missing"),
        ('size = "L"', 'size = "XXL"', "size: allowed is one of 'S', 'M', 'L', 'XL', not 'XXL'"),
        ('label = "2"', 'label = "1"', "the label '1' is given more than once"),
        ("row = 1", "row = 0", "compartments 1 and 2 overlap in the grid"),
        ("height_mm = 700", "height_mm = 1100", "compartment 1 is drawn above 2"),
        ("height_mm = 700", "height_mm = 300", "means a height_mm of 400 to 1300, not 300"),
        ("door = 5", 'door = 5\ndoor_pull = "down"', "a cut wire would read as a closed door"),
        ("[limits]", "[limits", "it is not valid TOML"),
    ],
)
def test_a_fault_is_named_with_what_is_allowed(tmp_path, before, after, problem):
    assert before in GOOD
    found = problems_of(tmp_path, GOOD[::-1].replace(before[::-1], after[::-1], 1)[::-1])
    assert [line for line in found if problem in line], found


def test_all_faults_are_told_at_once(tmp_path):
    text = GOOD.replace("latch = 17", "latch = 99").replace('size = "L"', 'size = "?"').replace("row = 1", "row = -1")
    assert len(problems_of(tmp_path, text)) == 3


def test_an_active_low_board_may_use_the_pins_pulled_up_at_boot(tmp_path):
    file = tmp_path / "board.toml"
    file.write_text(GOOD.replace("latch = 17\ndoor = 5", 'latch = 8\nlatch_active = "low"\ndoor = 5'), encoding="utf-8")
    assert load_board(file).compartment("2").latch == OutputPin(8, "low")


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(BoardError, match="cannot be read: No such file"):
        load_board(tmp_path / "none.toml")


def test_a_board_without_compartments_is_refused(tmp_path):
    assert "allowed are one or more [[compartment]] tables" in problems_of(tmp_path, 'name = "x"\n')[0]


def test_no_board_rests_longer_than_a_site_waits_between_two_pulses():
    """A board with a pause of five seconds made every second door suspect."""
    hints = get_type_hints(Settings, include_extras=True)["pulse_gap_ms"]
    (bounds,) = hints.__metadata__
    assert bounds.ge >= PULSE_CAP_MS_MAX + GAP_MS_MAX
