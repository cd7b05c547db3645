"""The lock process for `bench scan`: `controller.bootstrap.Site` as shipped on gpiozero's own mock pins, as the floor.

No simulated world runs in it: its trace, its springs and its page are no work of the product. The bench moves the doors
itself, by lines on standard input. `python -m bench.site_scan TOML PTY`; first a line of JSON (thread → native id) goes to
standard output, then one byte after each pulse.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, cast

from gpiozero.pins.mock import MockFactory

from controller.bootstrap import Site, check
from controller.settings import load_settings
from firmware.board import Board
from firmware.hardware import Callbacks, Hardware, assemble
from firmware.latches import Latches
from firmware.pins import Pins, ReleasePolicy
from firmware.relays import BankLatches
from firmware.watchdog import Watchdog


class Telling:
    """The latches, telling the bench that a coil is on."""

    def __init__(self, latches: Latches | BankLatches) -> None:
        self._latches = latches

    def pulse(self, label: str) -> None:
        """Pulse, then write the byte that the floor writes as well."""
        self._latches.pulse(label)
        os.write(1, b"!")

    def __getattr__(self, name: str) -> object:
        return getattr(self._latches, name)


def main() -> None:
    """Run the site until SIGTERM."""
    parts = check(load_settings(Path(sys.argv[1])))
    pins = MockFactory()
    shut_all(pins, parts.board)

    def opened(board: Board, calls: Callbacks) -> Hardware:
        hardware = assemble(board, Pins(pins), sys.argv[2], calls, policy=ReleasePolicy.RELEASED)
        shut_all(pins, board)
        return dataclasses.replace(hardware, latches=cast("Latches", Telling(hardware.latches)))

    site = Site(parts, opened, Watchdog())
    signal.signal(signal.SIGTERM, lambda _number, _frame: site.stop())
    site.start()
    threading.Thread(target=move_doors, args=(pins, parts.board), name="bench", daemon=True).start()
    threads = {thread.name: thread.native_id for thread in threading.enumerate()}
    os.write(1, json.dumps(threads).encode() + b"\n")
    site.adapters.guarded("owner", site.run)


def shut_all(pins: Any, board: Board) -> None:
    """Every door shut, as its switch shows it."""
    for item in board.compartments:
        move(pins, board, item.label, open_=False)


def move_doors(pins: Any, board: Board) -> None:
    """`open 3` and `close 3`, as the customers of the bench do."""
    for line in sys.stdin:
        word, label = line.split()
        move(pins, board, label, open_=word == "open")


def move(pins: Any, board: Board, label: str, *, open_: bool) -> None:
    """Drive one door's switch."""
    door = next(item.door for item in board.compartments if item.label == label)
    pin = pins.pin(door.pin)
    if door.closed_high != open_:
        pin.drive_high()
    else:
        pin.drive_low()


if __name__ == "__main__":
    main()
