"""The bench test on a simulated bank: for a developer's desk and for learning the program.

python -m firmware.sim --board hardware/boards/demo.toml --state DIR
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from firmware.bench import hold_conversation, printing_calls, say
from firmware.board import BoardError, load_board
from firmware.sim import open_simulated


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line entry; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m firmware.sim", description="Play with a simulated bank.")
    parser.add_argument("--board", type=Path, required=True, help="the board file (TOML)")
    parser.add_argument("--state", type=Path, required=True, help="the folder the simulated world is kept in")
    parser.add_argument("--port", type=int, default=0, help="loopback port of GET /sim; 0 takes a free one")
    options = parser.parse_args(arguments)
    try:
        board = load_board(options.board)
    except BoardError as error:
        print(error, file=sys.stderr)
        return 2
    hardware = open_simulated(board, state_dir=options.state, calls=printing_calls(), sim_port=options.port)
    assert hardware.sim is not None
    say(f"http://127.0.0.1:{hardware.sim.port}/sim  reader: {hardware.sim.scanner_path}")
    hold_conversation(hardware)
    return 0


if __name__ == "__main__":
    sys.exit(main())
