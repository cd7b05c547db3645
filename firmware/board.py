"""The board file: which pin of the Pi, or relay of a board, is wired to which compartment, and the limits nobody may exceed.

Owns the format of `hardware/boards/*.toml` and every rule about wiring, checked before a pin is touched. Refuses to
know gpiozero, Modbus, parcels, or what a door is opened for.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final, Literal, get_args

from firmware.tables import Table

Level = Literal["high", "low"]
Pull = Literal["up", "down", "none"]
Size = Literal["S", "M", "L", "XL"]
Reach = Literal["low", "mid", "high"]

PULSE_MS_MIN: Final = 50
"""A latch needs a few tens of milliseconds to travel; anything shorter would only hum."""

PULSE_CAP_MS_MAX: Final = 1_000
"""No coil is energised longer, whatever a board file says (invariant I-8)."""

CAP_MARGIN_MS: Final = 50
"""The cap stands clear of a healthy pulse, so that its firing always means a fault."""

GAP_MS_MIN: Final = 300
"""Pause between two coils: the supply is sized for one inrush (hardware notes §5)."""

GAP_MS_MAX: Final = 500
"""With the longest pulse it stays within the shortest time that a site waits between two pulses (`pulse_gap_ms` of its settings, at
least 1,500 ms): a longer pause would refuse a pulse that was asked for in good time, and call a healthy latch suspect."""

COMPARTMENTS_MAX: Final = 24
"""A header has 22 usable lines and each door's switch takes one, also when its latch hangs on a relay board."""

RELAY_BOARDS_MAX: Final = 8
RELAY_CHANNELS_MAX: Final = 32
RELAY_UNITS: Final = range(1, 248)
"""Addresses of a Modbus line; 0 is everybody's and 248 up are reserved."""

RELAY_PULSE_STEP_MS: Final = 100
RELAY_PULSE_MS_MAX: Final = 800
"""A relay board counts its own time in steps of 100 ms; two steps are left for its inexactness (invariant I-8)."""

SHELF_PLACES_MAX: Final = 200
LABEL_CHARACTERS_MAX: Final = 8
GRID_UNITS_MAX: Final = 40
HEIGHT_MM_MAX: Final = 2_200
BAUD_RATES: Final = (9_600, 19_200, 38_400, 57_600, 115_200)
REPEAT_MS_MAX: Final = 5_000

HEADER_PINS: Final[Mapping[int, int]] = {
    0: 27, 1: 28, 2: 3, 3: 5, 4: 7, 5: 29, 6: 31, 7: 26, 8: 24, 9: 21, 10: 19, 11: 23, 12: 32, 13: 33,
    14: 8, 15: 10, 16: 36, 17: 11, 18: 12, 19: 35, 20: 38, 21: 40, 22: 15, 23: 16, 24: 18, 25: 22, 26: 37, 27: 13,
}  # fmt: skip
"""GPIO number → place on the 40-pin header."""

RESERVED_PINS: Final[Mapping[int, str]] = {
    0: "it belongs to the ID EEPROM of add-on boards",
    1: "it belongs to the ID EEPROM of add-on boards",
    2: "it is the I2C data line and has a fixed pull-up of its own",
    3: "it is the I2C clock line and has a fixed pull-up of its own",
    14: "it is the serial console's output and is driven high while the Pi boots",
    15: "it is the serial console's input",
}

ACTIVE_HIGH_PINS: Final = frozenset(range(9, 28)) - RESERVED_PINS.keys()
"""Pulled down while the Pi boots, so an active-high driver stays off (hardware notes, boot-time pin states)."""

ACTIVE_LOW_PINS: Final = frozenset(range(4, 9))
"""Pulled up while the Pi boots, so an active-low driver stays off."""

INPUT_PINS: Final = frozenset(range(28)) - RESERVED_PINS.keys()

REACH_MM: Final[Mapping[Reach, range]] = {
    "low": range(100, 400),
    "mid": range(400, 1_301),
    "high": range(1_301, HEIGHT_MM_MAX + 1),
}
"""Height of the middle of a door: within 0.40–1.30 m a person reaches it seated."""


class BoardError(ValueError):
    """A board file that must not be used; `problems` lists everything wrong with it, ready to be read."""

    def __init__(self, path: Path, problems: Iterable[str]) -> None:
        self.path = path
        self.problems = tuple(problems)
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"{path}: this board file cannot be used; no pin was touched.\n{lines}")


@dataclass(frozen=True, slots=True)
class OutputPin:
    """A GPIO line that drives something; `active` is the level that switches it on."""

    pin: int
    active: Level = "high"

    @property
    def active_high(self) -> bool:
        """Whether a high level switches it on."""
        return self.active == "high"


@dataclass(frozen=True, slots=True)
class RelayBoard:
    """A board of relays on a serial line (RS-485, Modbus RTU); several may share one `device`, each with its own `unit`."""

    name: str
    device: str
    baud: int
    unit: int
    channels: int


@dataclass(frozen=True, slots=True)
class RelayChannel:
    """One relay of the board named `board`; channel 1 is the first, as printed on it."""

    board: str
    channel: int


@dataclass(frozen=True, slots=True)
class DoorPin:
    """A GPIO line that reads a door's switch; `closed_level` is what a shut door shows."""

    pin: int
    closed_level: Level = "low"
    pull: Pull = "up"

    @property
    def closed_high(self) -> bool:
        """Whether a shut door reads high."""
        return self.closed_level == "high"


@dataclass(frozen=True, slots=True)
class Compartment:
    """One door and its box: where it hangs in the bank and how it is wired.

    `row`, `column`, `rows` and `columns` are grid units from the top left, so that the bank is drawn as it is;
    `height_mm` is the middle of the door above the floor.
    """

    label: str
    size: Size
    reach: Reach
    height_mm: int
    row: int
    column: int
    rows: int
    columns: int
    latch: OutputPin | RelayChannel
    door: DoorPin
    pulse_ms: int
    pulse_cap_ms: int


@dataclass(frozen=True, slots=True)
class Limits:
    """`gap_ms` rests between two pulses of the site, whichever the doors."""

    gap_ms: int


@dataclass(frozen=True, slots=True)
class ScannerSettings:
    """How the reader speaks (8 bits, no parity, 1 stop bit); the same text again within `repeat_ms` is one showing."""

    baud: int
    repeat_ms: int


@dataclass(frozen=True, slots=True)
class SignalPins:
    """Lamps and buzzer, each optional, and the line that keeps the locks' supply enabled while we live."""

    lamp_ok: OutputPin | None = None
    lamp_attention: OutputPin | None = None
    buzzer: OutputPin | None = None
    master_enable: OutputPin | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """A bank as wired to one Pi; valid by construction (see `load_board`)."""

    name: str
    description: str
    compartments: tuple[Compartment, ...]
    shelf_places: tuple[str, ...]
    scanner: ScannerSettings
    signals: SignalPins
    limits: Limits
    relay_boards: tuple[RelayBoard, ...] = ()

    def compartment(self, label: str) -> Compartment:
        """The compartment with this label; raises KeyError."""
        for compartment in self.compartments:
            if compartment.label == label:
                return compartment
        raise KeyError(label)

    def pin_latches(self) -> tuple[tuple[Compartment, OutputPin], ...]:
        """Every compartment whose latch hangs on a pin of the Pi."""
        return tuple((item, item.latch) for item in self.compartments if isinstance(item.latch, OutputPin))

    def relay_latches(self) -> tuple[tuple[Compartment, RelayChannel], ...]:
        """Every compartment whose latch hangs on a relay board."""
        return tuple((item, item.latch) for item in self.compartments if isinstance(item.latch, RelayChannel))

    def outputs(self) -> tuple[tuple[str, OutputPin], ...]:
        """Every driven line with what hangs on it, latches first."""
        latches = tuple((f"latch of compartment {item.label}", latch) for item, latch in self.pin_latches())
        named = (
            ("lamp ok", self.signals.lamp_ok),
            ("lamp attention", self.signals.lamp_attention),
            ("buzzer", self.signals.buzzer),
            ("master enable", self.signals.master_enable),
        )
        return latches + tuple((name, output) for name, output in named if output is not None)


def load_board(path: Path) -> Board:
    """Read and check a board file. Raises `BoardError` with every problem at once; touches no pin."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BoardError(path, [f"it cannot be read: {error.strerror}"]) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise BoardError(path, [f"it is not valid TOML: {error}"]) from error
    problems: list[str] = []
    board = _read_board(Table(document, "", problems))
    if not problems:
        problems += _wiring_problems(board) + _relay_problems(board) + _layout_problems(board)
    if problems:
        raise BoardError(path, problems)
    return board


def _read_board(table: Table) -> Board:
    name = table.text("name", required=True)
    description = table.text("description")
    shelf_places = table.texts("shelf_places", at_most=SHELF_PLACES_MAX)
    limits_table = table.table("limits")
    defaults = _Defaults(
        pulse_ms=limits_table.integer("pulse_ms", 400, range(PULSE_MS_MIN, PULSE_CAP_MS_MAX + 1)),
        pulse_cap_ms=limits_table.integer("pulse_cap_ms", 800, range(PULSE_MS_MIN, PULSE_CAP_MS_MAX + 1)),
        latch_active=limits_table.choice("latch_active", get_args(Level), "high"),
        door_closed_level=limits_table.choice("door_closed_level", get_args(Level), "low"),
        door_pull=limits_table.choice("door_pull", get_args(Pull), "up"),
    )
    limits = Limits(gap_ms=limits_table.integer("gap_ms", GAP_MS_MIN, range(GAP_MS_MIN, GAP_MS_MAX + 1)))
    limits_table.refuse_unknown()
    scanner = _read_scanner(table.table("scanner"))
    signals = _read_signals(table.table("signals"))
    found = table.tables("relay_board", RELAY_BOARDS_MAX) if "relay_board" in table else ()
    table.asked.add("relay_board")
    relay_boards = tuple(_read_relay_board(item) for item in found)
    compartments = tuple(_read_compartment(item, defaults) for item in table.tables("compartment", COMPARTMENTS_MAX))
    table.refuse_unknown()
    return Board(name, description, compartments, shelf_places, scanner, signals, limits, relay_boards)


def _read_relay_board(table: Table) -> RelayBoard:
    board = RelayBoard(
        name=table.text("name", required=True),
        device=table.text("device", required=True),
        baud=table.choice("baud", BAUD_RATES, 9_600),
        unit=table.integer("unit", None, RELAY_UNITS),
        channels=table.integer("channels", None, range(1, RELAY_CHANNELS_MAX + 1)),
    )
    table.refuse_unknown()
    return board


def _read_latch(table: Table, defaults: _Defaults) -> OutputPin | RelayChannel:
    """A number is a pin of the Pi; a table names a relay."""
    if not isinstance(table.values.get("latch"), dict):
        return OutputPin(_pin(table, "latch"), table.choice("latch_active", get_args(Level), defaults.latch_active))
    relay = table.table("latch")
    found = RelayChannel(
        board=relay.text("board", required=True),
        channel=relay.integer("channel", None, range(1, RELAY_CHANNELS_MAX + 1)),
    )
    relay.refuse_unknown()
    return found


def _read_scanner(table: Table) -> ScannerSettings:
    settings = ScannerSettings(
        baud=table.choice("baud", BAUD_RATES, 9_600),
        repeat_ms=table.integer("repeat_ms", 500, range(REPEAT_MS_MAX + 1)),
    )
    table.refuse_unknown()
    return settings


def _read_signals(table: Table) -> SignalPins:
    active: Level = table.choice("active", get_args(Level), "high")
    names = ("lamp_ok", "lamp_attention", "buzzer", "master_enable")
    for name in names:
        table.asked.add(name)
    pins = {name: _pin(table, name) for name in names if name in table}
    table.refuse_unknown()
    return SignalPins(**{name: OutputPin(pin, active) for name, pin in pins.items()})


def _pin(table: Table, key: str) -> int:
    """A GPIO number as printed on a pinout (BCM numbering)."""
    value = table.take(key, required=True)
    if value is None:
        return -1
    if not isinstance(value, int) or isinstance(value, bool) or value not in HEADER_PINS:
        table.note(key, f"allowed is a GPIO number of the header, {_listed(INPUT_PINS)}, not {value!r}")
        return -1
    return value


def _read_compartment(table: Table, defaults: _Defaults) -> Compartment:
    cap = range(PULSE_MS_MIN, PULSE_CAP_MS_MAX + 1)
    compartment = Compartment(
        label=table.text("label", required=True, at_most=LABEL_CHARACTERS_MAX),
        size=table.choice("size", get_args(Size)),
        reach=table.choice("reach", get_args(Reach)),
        height_mm=table.integer("height_mm", None, range(100, HEIGHT_MM_MAX + 1)),
        row=table.integer("row", None, range(GRID_UNITS_MAX)),
        column=table.integer("column", None, range(GRID_UNITS_MAX)),
        rows=table.integer("rows", 1, range(1, GRID_UNITS_MAX + 1)),
        columns=table.integer("columns", 1, range(1, GRID_UNITS_MAX + 1)),
        latch=_read_latch(table, defaults),
        door=DoorPin(
            _pin(table, "door"),
            table.choice("door_closed_level", get_args(Level), defaults.door_closed_level),
            table.choice("door_pull", get_args(Pull), defaults.door_pull),
        ),
        pulse_ms=table.integer("pulse_ms", defaults.pulse_ms, cap),
        pulse_cap_ms=table.integer("pulse_cap_ms", defaults.pulse_cap_ms, cap),
    )
    table.refuse_unknown()
    return compartment


def _wiring_problems(board: Board) -> list[str]:
    problems = _double_uses(board)
    for name, output in board.outputs():
        problems += _output_problems(name, output)
    for compartment in board.compartments:
        problems += _door_problems(compartment)
    for compartment, _ in board.pin_latches():
        problems += _pulse_problems(compartment)
    return problems


def _relay_problems(board: Board) -> list[str]:
    boards = {item.name: item for item in board.relay_boards}
    problems = _repeated("relay board", [item.name for item in board.relay_boards])
    for item in board.relay_boards:
        if not item.device.startswith("/"):
            problems.append(
                f"relay board {item.name}: device is the whole path of its serial line, not {item.device!r}"
            )
    for one, other in combinations(board.relay_boards, 2):
        if one.device == other.device:
            problems += _same_line_problems(one, other)
    users: dict[RelayChannel, list[str]] = {}
    for compartment, relay in board.relay_latches():
        users.setdefault(relay, []).append(compartment.label)
        problems += _channel_problems(compartment, relay, boards)
    return problems + [
        f"channel {relay.channel} of relay board {relay.board} is used {len(labels)} times (compartments {', '.join(labels)}): "
        "give each its own channel"
        for relay, labels in users.items()
        if len(labels) > 1
    ]


def _same_line_problems(one: RelayBoard, other: RelayBoard) -> list[str]:
    problems = []
    if one.unit == other.unit:
        problems.append(
            f"relay boards {one.name} and {other.name} both have the address {one.unit} on {one.device}: both would fire at "
            "once; give each its own unit"
        )
    if one.baud != other.baud:
        problems.append(f"relay boards {one.name} and {other.name} share {one.device} but not the same baud")
    return problems


def _channel_problems(compartment: Compartment, relay: RelayChannel, boards: Mapping[str, RelayBoard]) -> list[str]:
    where, problems = f"compartment {compartment.label}", []
    board = boards.get(relay.board)
    if board is None:
        known = ", ".join(sorted(boards)) or "none"
        problems.append(f"{where}: there is no relay board {relay.board!r}; known are {known}")
    elif relay.channel > board.channels:
        problems.append(f"{where}: relay board {board.name} has channels 1 to {board.channels}, not {relay.channel}")
    if compartment.pulse_ms % RELAY_PULSE_STEP_MS or not 0 < compartment.pulse_ms <= RELAY_PULSE_MS_MAX:
        problems.append(
            f"{where}: a relay board counts in steps of {RELAY_PULSE_STEP_MS} ms: allowed for pulse_ms are "
            f"{RELAY_PULSE_STEP_MS} to {RELAY_PULSE_MS_MAX} in such steps, not {compartment.pulse_ms}"
        )
    return problems


def _double_uses(board: Board) -> list[str]:
    users: dict[int, list[str]] = {}
    for name, output in board.outputs():
        users.setdefault(output.pin, []).append(name)
    for compartment in board.compartments:
        users.setdefault(compartment.door.pin, []).append(f"door of compartment {compartment.label}")
    return [
        f"GPIO {pin} is used {len(names)} times ({', '.join(names)}): give each its own pin"
        for pin, names in sorted(users.items())
        if len(names) > 1
    ]


def _output_problems(name: str, output: OutputPin) -> list[str]:
    if output.pin in RESERVED_PINS:
        return [f"{name}: GPIO {output.pin} is reserved: {RESERVED_PINS[output.pin]}"]
    if output.active_high and output.pin not in ACTIVE_HIGH_PINS:
        return [
            (
                f"{name}: GPIO {output.pin} is pulled up while the Pi boots, which would switch an active-high driver on; "
                f"allowed are {_listed(ACTIVE_HIGH_PINS)}"
            )
        ]
    if not output.active_high and output.pin not in ACTIVE_LOW_PINS:
        return [
            (
                f"{name}: GPIO {output.pin} is pulled down while the Pi boots, which would switch an active-low driver on; "
                f"allowed are {_listed(ACTIVE_LOW_PINS)}"
            )
        ]
    return []


def _door_problems(compartment: Compartment) -> list[str]:
    door, where = compartment.door, f"compartment {compartment.label}"
    problems = []
    if door.pin in RESERVED_PINS:
        problems.append(f"{where}: door GPIO {door.pin} is reserved: {RESERVED_PINS[door.pin]}")
    if (door.closed_level, door.pull) in {("low", "down"), ("high", "up")}:
        other = "up" if door.closed_level == "low" else "down"
        problems.append(
            f"{where}: with door_closed_level = {door.closed_level!r} and door_pull = {door.pull!r} a cut wire would "
            f"read as a closed door; use door_pull = {other!r}, so that it reads open"
        )
    return problems


def _pulse_problems(compartment: Compartment) -> list[str]:
    least = compartment.pulse_ms + CAP_MARGIN_MS
    if least <= compartment.pulse_cap_ms:
        return []
    return [
        (
            f"compartment {compartment.label}: pulse_cap_ms = {compartment.pulse_cap_ms} must be at least {CAP_MARGIN_MS} ms "
            f"above pulse_ms = {compartment.pulse_ms}, and at most {PULSE_CAP_MS_MAX}"
        )
    ]


def _layout_problems(board: Board) -> list[str]:
    problems = []
    if not 1 <= len(board.compartments) <= COMPARTMENTS_MAX:
        count = len(board.compartments)
        problems.append(f"it has {count} compartments; allowed are 1 to {COMPARTMENTS_MAX} [[compartment]] tables")
    problems += _repeated("label", [item.label for item in board.compartments])
    problems += _repeated("shelf place", list(board.shelf_places))
    for compartment in board.compartments:
        zone = REACH_MM[compartment.reach]
        if compartment.height_mm not in zone:
            problems.append(
                f"compartment {compartment.label}: reach = {compartment.reach!r} means a height_mm of "
                f"{zone.start} to {zone.stop - 1}, not {compartment.height_mm}"
            )
    for one, other in combinations(board.compartments, 2):
        problems += _pair_problems(one, other)
    return problems


def _pair_problems(one: Compartment, other: Compartment) -> list[str]:
    if _overlap(one, other):
        return [f"compartments {one.label} and {other.label} overlap in the grid: change row, column, rows or columns"]
    for upper, lower in ((one, other), (other, one)):
        if upper.row + upper.rows <= lower.row and upper.height_mm <= lower.height_mm:
            return [
                (
                    f"compartment {upper.label} is drawn above {lower.label} (rows count from the top) "
                    f"but its height_mm is not greater"
                )
            ]
    return []


def _overlap(one: Compartment, other: Compartment) -> bool:
    apart_in_rows = one.row + one.rows <= other.row or other.row + other.rows <= one.row
    apart_in_columns = one.column + one.columns <= other.column or other.column + other.columns <= one.column
    return not (apart_in_rows or apart_in_columns)


def _repeated(what: str, values: list[str]) -> list[str]:
    return [f"the {what} {value!r} is given more than once" for value in sorted(set(values)) if values.count(value) > 1]


def _listed(pins: Iterable[int]) -> str:
    return ", ".join(str(pin) for pin in sorted(pins))


@dataclass(frozen=True, slots=True)
class _Defaults:
    """What a compartment takes when it says nothing itself."""

    pulse_ms: int
    pulse_cap_ms: int
    latch_active: Level
    door_closed_level: Level
    door_pull: Pull
