"""Simulated twins of the hardware, shipped: the demonstration, the tests and a developer's desk run on them.

`open_simulated` is the twin of `firmware.hardware.open_real`. Imported by composition roots and tests alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from firmware.board import Board
from firmware.hardware import Callbacks, Hardware, assemble
from firmware.pins import Pins, ReleasePolicy
from firmware.sim.bank import FAULTS, Refused, SimBank
from firmware.sim.clock import SimClock
from firmware.sim.reader import NotPlugged, SimScanner
from firmware.sim.server import SimServer

__all__ = [
    "FAULTS", "NotPlugged", "Refused", "SimBank", "SimClock", "SimScanner", "SimServer", "SimulatedWorld", "open_simulated",
    "simulated_line",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class SimulatedWorld:
    """Bank, reader, the machine's clock, and the page that shows them."""

    bank: SimBank
    reader: SimScanner
    clock: SimClock
    server: SimServer

    @property
    def port(self) -> int:
        """Loopback port that serves `GET /sim`."""
        return self.server.port

    @property
    def scanner_path(self) -> Path:
        """The reader's link."""
        return self.reader.path

    def wall_ms(self) -> int:
        """The wall clock of the simulated machine."""
        return self.clock.wall_ms()

    @property
    def synchronised(self) -> bool | None:
        """Whether a time server keeps it; None as the machine underneath says."""
        return self.clock.synchronised

    def close(self) -> None:
        """End the world's threads; what is in it stays on disk."""
        self.server.close()
        self.reader.close()
        self.bank.close()


def simulated_line(state_dir: Path, device: str) -> Path:
    """Where a simulated site looks for the serial line of its relay boards; nobody answers unless a test puts boards there."""
    return state_dir / device.strip("/").replace("/", "-")


def open_simulated(
    board: Board, *, state_dir: Path, calls: Callbacks, sim_port: int = 0, scanner_path: Path | str | None = None
) -> Hardware:
    """A simulated site in `state_dir`. With `scanner_path` another line is read than the simulated reader's.

    Its relay boards are looked for on lines in `state_dir` (`simulated_line`): nothing simulated ever moves a real relay. Raises OSError when `sim_port` is taken.
    """
    bank = SimBank(board, state_dir)
    reader = SimScanner(state_dir)
    clock = SimClock(state_dir)
    try:
        server = SimServer(bank, reader, clock, sim_port)
    except OSError:
        reader.close()
        bank.close()
        raise
    boards = tuple(replace(item, device=str(simulated_line(state_dir, item.device))) for item in board.relay_boards)
    return assemble(
        replace(board, relay_boards=boards),
        Pins(bank.factory),
        scanner_path or reader.path,
        calls,
        policy=ReleasePolicy.RELEASED,
        sim=SimulatedWorld(bank, reader, clock, server),
    )
