"""All coils off, and nothing else: what systemd runs after the program ended (ExecStopPost=).

    python -m firmware.alloff --board /etc/consigne/board.toml

Owns that one act. Exit status 0 when every latch was driven off, 1 when a line or a relay board could not be, 2 for a bad
board file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from firmware.board import Board, BoardError, load_board
from firmware.pins import PinError, Pins, open_pi_pins
from firmware.relays import switch_boards_off


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line entry; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m firmware.alloff", description="Switch every latch off.")
    parser.add_argument("--board", type=Path, required=True, help="the board file (TOML)")
    options = parser.parse_args(arguments)
    try:
        board = load_board(options.board)
    except BoardError as error:
        print(error, file=sys.stderr)
        return 2
    failures = _pins_off(board) + switch_boards_off(board)
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


def _pins_off(board: Board) -> list[str]:
    """Without pins there may still be relay boards: a sentence, not an end."""
    try:
        pins = open_pi_pins()
    except PinError as error:
        return [str(error)]
    try:
        return switch_all_off(board, pins)
    finally:
        pins.close()


def switch_all_off(board: Board, pins: Pins) -> list[str]:
    """Claim every latch on a pin at its resting level; one that fails does not keep the others on. What failed, in words."""
    failures = []
    for compartment, latch in board.pin_latches():
        try:
            pins.output(f"latch of compartment {compartment.label}", latch)
        except PinError as error:
            failures.append(str(error))
    return failures


if __name__ == "__main__":
    sys.exit(main())
