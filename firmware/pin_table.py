"""The pin table of a board, for the person with the crimping tool: made from the TOML, never written by hand.

    python -m firmware.pin_table hardware/boards/desk-8.toml > hardware/boards/desk-8.md

Owns the table's form. Touches no pin.
"""

from __future__ import annotations

import sys
from pathlib import Path

from firmware.board import HEADER_PINS, RESERVED_PINS, Board, BoardError, Compartment, RelayChannel, load_board


def pin_table(board: Board) -> str:
    """Every line of the 40-pin header in header order, as Markdown."""
    uses = _uses(board)
    rows = [
        f"| {HEADER_PINS[gpio]} | GPIO {gpio} | {uses.get(gpio) or _unused(gpio)} |"
        for gpio in sorted(HEADER_PINS, key=HEADER_PINS.__getitem__)
    ]
    compartments = [
        f"| {item.label} | {item.size} | {item.reach} | {item.height_mm} | {_latch(item)} "
        f"| {HEADER_PINS[item.door.pin]} (GPIO {item.door.pin}) | {item.pulse_ms} | {_cap(item)} |"
        for item in board.compartments
    ]
    return "\n".join(
        [
            f"# Pin table of `{board.name}`",
            "",
            f"{board.description}. Made from `{board.name}.toml` by `python -m firmware.pin_table`; a test fails when stale.",
            "",
            "| Header pin | Line | Wired to |",
            "|---:|---|---|",
            *rows,
            "",
            "Header pins 1 and 17 are 3.3 V, 2 and 4 are 5 V; 6, 9, 14, 20, 25, 30, 34 and 39 are ground.",
            "",
            "| Compartment | Size | Reach | Door's middle (mm) | Latch: header pin | Door: header pin | Pulse (ms) | Cap (ms) |",
            "|---|---|---|---:|---|---|---:|---:|",
            *compartments,
            "",
            *_relay_boards(board),
        ]
    )


def _latch(item: Compartment) -> str:
    latch = item.latch
    if isinstance(latch, RelayChannel):
        return f"board {latch.board}, channel {latch.channel}"
    return f"{HEADER_PINS[latch.pin]} (GPIO {latch.pin})"


def _cap(item: Compartment) -> str:
    return "the board's own" if isinstance(item.latch, RelayChannel) else str(item.pulse_cap_ms)


def _relay_boards(board: Board) -> list[str]:
    """The serial lines with what hangs on them; nothing on a bank without relay boards."""
    if not board.relay_boards:
        return []
    rows = [
        f"| {item.name} | {item.device} | {item.baud} | {item.unit} | {item.channels} |" for item in board.relay_boards
    ]
    return ["| Relay board | Line | Baud | Unit address | Channels |", "|---|---|---:|---:|---:|", *rows, ""]


def _uses(board: Board) -> dict[int, str]:
    uses = {
        output.pin: f"{name}, output, active {output.active} (rests {'low' if output.active_high else 'high'})"
        for name, output in board.outputs()
    }
    for item in board.compartments:
        door = item.door
        pull = "no internal pull" if door.pull == "none" else f"internal pull-{door.pull}"
        uses[door.pin] = f"door of compartment {item.label}, input, {pull}, reads {door.closed_level} when shut"
    return uses


def _unused(gpio: int) -> str:
    if gpio in RESERVED_PINS:
        return f"leave unconnected: {RESERVED_PINS[gpio]}"
    return "not used"


def main() -> int:
    """Print the table of the board file named on the command line."""
    if len(sys.argv) != 2:
        print("usage: python -m firmware.pin_table BOARD.toml", file=sys.stderr)  # noqa: T201
        return 2
    try:
        board = load_board(Path(sys.argv[1]))
    except BoardError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    print(pin_table(board), end="")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
