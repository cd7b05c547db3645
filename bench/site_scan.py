"""The assembled lock process for `bench scan`: `controller.bootstrap.Site` as shipped, and one byte after each pulse.

`python -m bench.site_scan TOML`; bytes go to standard output, the reader's path first.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from pathlib import Path
from typing import cast

from controller.bootstrap import Site, check, opener
from controller.settings import load_settings
from firmware.board import Board
from firmware.hardware import Callbacks, Hardware
from firmware.latches import Latches
from firmware.watchdog import Watchdog


class Telling:
    """The latches, telling the bench that a coil is on."""

    def __init__(self, latches: Latches) -> None:
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
    open_hardware = opener(parts.settings)

    def opened(board: Board, calls: Callbacks) -> Hardware:
        hardware = open_hardware(board, calls)
        return dataclasses.replace(hardware, latches=cast("Latches", Telling(hardware.latches)))

    site = Site(parts, opened, Watchdog())
    signal.signal(signal.SIGTERM, lambda _number, _frame: site.stop())
    site.start()
    simulation = site.hardware.sim
    assert simulation is not None
    os.write(1, f"{simulation.scanner_path} {simulation.port}\n".encode())
    site.adapters.guarded("owner", site.run)


if __name__ == "__main__":
    main()
