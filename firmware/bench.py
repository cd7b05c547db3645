"""The installer's bench test: look at every door, fire one latch, hear the reader, check the kernel's policy.

    python -m firmware.bench --board /etc/consigne/board.toml --scanner /dev/serial/by-id/…

Owns a small conversation on the terminal. Stop the controller first: a line belongs to one program. `python -m firmware.sim`
holds the same conversation with a simulated bank.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Final, TextIO

from firmware.board import BoardError, load_board
from firmware.hardware import Callbacks, Hardware, open_real
from firmware.latches import LatchError
from firmware.pins import PinError
from firmware.signals import Signal

HELP: Final = """\
  doors            every door's switch now
  pulse LABEL      fire one latch
  signal NAME      {signals}
  off              every coil off
  help, quit
Doors that move and codes that are scanned show by themselves.""".format(signals=", ".join(Signal))

_SPEAKING: Final = Lock()
"""The hardware's threads and the person's answers share one terminal; no line is cut by another."""


def say(text: str, out: TextIO | None = None) -> None:
    """Write whole lines to the terminal, whatever other threads are saying."""
    with _SPEAKING:
        stream = out or sys.stdout
        stream.write(f"{text}\n")
        stream.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line entry; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m firmware.bench", description="Test a bank by hand.")
    parser.add_argument("--board", type=Path, required=True, help="the board file (TOML)")
    parser.add_argument("--scanner", default="/dev/ttyACM0", help="the reader's serial device")
    options = parser.parse_args(arguments)
    try:
        hardware = open_real(load_board(options.board), scanner_path=options.scanner, calls=printing_calls())
    except (BoardError, PinError) as error:
        print(error, file=sys.stderr)
        return 2
    hold_conversation(hardware)
    return 0


def hold_conversation(hardware: Hardware) -> None:
    """Run the hardware's threads and follow what is typed; everything is off and closed afterwards."""
    stop = Event()
    threads = [Thread(target=loop, args=(stop,), name=name) for name, loop in hardware.threads().items()]
    for thread in threads:
        thread.start()
    try:
        _greet(hardware)
        converse(hardware, sys.stdin, sys.stdout)
    except KeyboardInterrupt:
        say("")
    finally:
        stop.set()
        hardware.wake()
        try:
            hardware.latches.all_off()
        except LatchError as error:
            say(str(error))
        for thread in threads:
            thread.join(timeout=2)
        hardware.close()


def converse(hardware: Hardware, lines: Iterable[str], out: TextIO) -> None:
    """Follow typed lines until `quit` or the end of input."""
    for line in lines:
        word, _, rest = line.strip().partition(" ")
        if word == "quit":
            return
        if word:
            say(_answer(hardware, word, rest.strip()), out)


def _answer(hardware: Hardware, word: str, rest: str) -> str:
    commands: dict[str, Callable[[], str]] = {
        "doors": lambda: _doors(hardware),
        "pulse": lambda: _pulse(hardware, rest),
        "signal": lambda: _signal(hardware, rest),
        "off": lambda: _off(hardware),
    }
    return commands.get(word, lambda: HELP)()


def _doors(hardware: Hardware) -> str:
    try:
        doors = hardware.doors.read_all()
    except PinError as error:
        return str(error)
    return "\n".join(f"  {label}: {'open' if is_open else 'closed'}" for label, is_open in doors.items())


def _pulse(hardware: Hardware, label: str) -> str:
    try:
        hardware.latches.pulse(label)
    except LatchError as error:
        return str(error)
    return f"latch {label}: {hardware.board.compartment(label).pulse_ms} ms"


def _signal(hardware: Hardware, name: str) -> str:
    try:
        hardware.signals.show(name)
    except ValueError:
        return f"There is no signal {name!r}; known are {', '.join(Signal)}."
    return f"signal {name}"


def _off(hardware: Hardware) -> str:
    try:
        hardware.latches.all_off()
    except LatchError as error:
        return str(error)
    return "every coil is off"


def printing_calls() -> Callbacks:
    """Whatever the hardware says, on the terminal."""
    return Callbacks(
        on_door=lambda label, is_open: say(f"door {label} {'open' if is_open else 'closed'}"),
        on_scan=lambda text: say(f"scan {text!r}"),
        on_link=lambda up: say(f"reader {'found' if up else 'missing'}"),
        on_chatter=lambda label: say(f"door {label}: the switch chatters; look at its contact and cable"),
        on_failed=lambda _label, reason: say(reason),
        on_fault=say,
    )


def _greet(hardware: Hardware) -> None:
    board = hardware.board
    say(f"{board.name}: {len(board.compartments)} compartments; every coil is off.")
    say(f"A driven line is {hardware.policy} by this kernel when its program dies.")
    for warning in hardware.warnings:
        say(f"WARNING: {warning}")
    say(HELP)


if __name__ == "__main__":
    sys.exit(main())
