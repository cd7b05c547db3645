"""Everything a site's program holds of its hardware, opened in the one safe order: coils off before anything else.

Owns the order and the bundle. Refuses to know the simulation (`firmware.sim.open_simulated` fills the same bundle).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Protocol

from firmware.board import Board
from firmware.doors import Doors
from firmware.heartbeat import Heartbeat
from firmware.latches import Latches, end_process
from firmware.pins import PinError, Pins, ReleasePolicy, open_pi_pins, policy_warning, release_policy
from firmware.relays import BankLatches
from firmware.scanner import Scanner
from firmware.signals import Signals


@dataclass(frozen=True, slots=True, kw_only=True)
class Callbacks:
    """What the hardware tells the program; each is called from the thread of the part it concerns.

    `on_failed` gets the label and a sentence when a relay board did not fire a latch that was asked of it; `on_fault` a
    sentence about a lamp, a buzzer or a relay board that does not work; `fatal` ends the process.
    """

    on_door: Callable[[str, bool], None]
    on_scan: Callable[[str], None]
    on_link: Callable[[bool], None]
    on_unread: Callable[[], None] = lambda: None
    on_chatter: Callable[[str], None] = lambda _label: None
    on_failed: Callable[[str, str], None] = lambda _label, _reason: None
    on_fault: Callable[[str], None] = lambda _reason: None
    fatal: Callable[[str], None] = end_process
    is_alive: Callable[[], bool] = lambda: True


class Simulation(Protocol):
    """The simulated world behind a simulated site."""

    @property
    def port(self) -> int:
        """Loopback port that serves `GET /sim`."""
        ...

    @property
    def scanner_path(self) -> Path:
        """The pseudo-terminal's link: bytes written there are what a scanner would send."""
        ...

    @property
    def synchronised(self) -> bool | None:
        """Whether a time server keeps the simulated clock; None as the machine underneath says."""
        ...

    def wall_ms(self) -> int:
        """The simulated machine's wall clock, in milliseconds since 1970."""
        ...

    def close(self) -> None:
        """End the world's threads; what is in it stays on disk."""
        ...


@dataclass(frozen=True, slots=True)
class Hardware:
    """The opened hardware. Run each of `threads()` in a guarded thread, then `close`."""

    board: Board
    pins: Pins
    latches: Latches | BankLatches
    doors: Doors
    scanner: Scanner
    signals: Signals
    heartbeat: Heartbeat
    policy: ReleasePolicy
    sim: Simulation | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the person who runs this site must put right; empty on a simulated one."""
        warning = "" if self.sim is not None else policy_warning(self.policy)
        return (warning,) if warning else ()

    @property
    def alive(self) -> bool:
        """Whether the mechanisms that limit a pulse run; ping the watchdog only then."""
        return self.latches.alive

    def threads(self) -> dict[str, Callable[[Event], None]]:
        """Name → loop that runs until its event is set; one that ends before must end the program."""
        return {
            "doors": self.doors.run,
            "scanner": self.scanner.run,
            "signals": self.signals.run,
            "heartbeat": self.heartbeat.run,
        }

    def wake(self) -> None:
        """Call after setting the threads' stop event, so that none waits for its next look."""
        self.doors.wake()
        self.signals.wake()
        self.scanner.wake()

    def close(self) -> None:
        """Coils off first, then everything else. Idempotent."""
        try:
            self.latches.close()
        finally:
            for part in (self.signals, self.heartbeat, self.doors, self.scanner, self.pins):
                with suppress(PinError):
                    part.close()
            if self.sim is not None:
                self.sim.close()


def assemble(
    board: Board,
    pins: Pins,
    scanner_path: Path | str,
    calls: Callbacks,
    *,
    policy: ReleasePolicy,
    sim: Simulation | None = None,
) -> Hardware:
    """The bundle over opened pins, latches first. Raises `PinError`."""
    latches: Latches | BankLatches
    if board.relay_boards:
        latches = BankLatches(board, pins, on_failed=calls.on_failed, on_fault=calls.on_fault, fatal=calls.fatal)
    else:
        latches = Latches(board, pins, fatal=calls.fatal)
    enable = board.signals.master_enable
    return Hardware(
        board=board,
        pins=pins,
        latches=latches,
        doors=Doors(board, pins, calls.on_door, on_chatter=calls.on_chatter),
        scanner=Scanner(
            scanner_path,
            board.scanner.baud,
            calls.on_scan,
            calls.on_link,
            on_unread=calls.on_unread,
            repeat_s=board.scanner.repeat_ms / 1000,
        ),
        signals=Signals(board, pins, on_fault=calls.on_fault),
        heartbeat=Heartbeat(
            pins.output("master enable", enable) if enable else None, lambda: latches.alive and calls.is_alive()
        ),
        policy=policy,
        sim=sim,
    )


def open_real(board: Board, *, scanner_path: Path | str, calls: Callbacks) -> Hardware:
    """The hardware of this Raspberry Pi. Raises `PinError` with what to do about it."""
    pins = open_pi_pins()
    try:
        return assemble(board, pins, scanner_path, calls, policy=release_policy())
    except PinError:
        pins.close()
        raise
