"""The simulated bar-code reader: a pseudo-terminal that the real scanner code opens, with a cable one can pull.

Owns the pseudo-terminal and its stable link. What is written to the link by another program comes back as if it had been
scanned. Refuses to know what a text means.
"""

from __future__ import annotations

import os
import random
import select
import tty
from pathlib import Path
from threading import Lock, Thread
from typing import Final

PIECE_BYTES: Final = 1024
GARBAGE_BYTES_MAX: Final = 65_536
LOOK_S: Final = 5.0
"""Only a safety net: every change of the cable wakes the waiting thread."""


class NotPlugged(Exception):
    """The reader's cable is pulled, or its line does not take more bytes."""


class SimScanner:
    """A reader on `<state_dir>/scanner`."""

    def __init__(self, state_dir: Path) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self.path = state_dir / "scanner"
        self._lock = Lock()
        self._ends: tuple[int, int] | None = None
        self._closed = False
        self._wake_read, self._wake_write = os.pipe()
        self.plug()
        self._thread = Thread(target=self._echo, name="sim-scanner", daemon=True)
        self._thread.start()

    @property
    def plugged(self) -> bool:
        """Whether the cable is in."""
        return self._ends is not None

    def plug(self) -> None:
        """Put the cable in: a new device behind the same link. Nothing happens when it is in."""
        with self._lock:
            if self._ends is not None or self._closed:
                return
            device, line = os.openpty()
            tty.setraw(line)
            os.set_blocking(device, False)
            self._point_link_at(os.ttyname(line))
            self._ends = (device, line)
            self._wake()

    def unplug(self) -> None:
        """Pull the cable: the link goes, and who reads is hung up on."""
        with self._lock:
            self._unplug()

    def send(self, data: bytes) -> None:
        """Bytes as the reader sends them. Raises `NotPlugged`."""
        with self._lock:
            if self._ends is None:
                raise NotPlugged("The reader is unplugged.")
            self._write_all(self._ends[0], data)

    def scan(self, text: str) -> None:
        """Show a code to the reader: its text and a carriage return. Raises `NotPlugged`."""
        self.send(text.encode() + b"\r")

    def send_garbage(self, size: int, seed: int = 0) -> None:
        """A burst of bytes no code has. Raises `NotPlugged`."""
        self.send(random.Random(seed).randbytes(min(size, GARBAGE_BYTES_MAX)))

    def close(self) -> None:
        """Unplug for good. Idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._unplug()
            self._wake()
        self._thread.join(timeout=2)
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _unplug(self) -> None:
        if self._ends is None:
            return
        self.path.unlink(missing_ok=True)
        ends, self._ends = self._ends, None
        for end in ends:
            os.close(end)
        # A select in progress would keep the line up until it returns; then who reads it is not hung up on.
        self._wake()

    def _wake(self) -> None:
        os.write(self._wake_write, b"!")

    def _point_link_at(self, device: str) -> None:
        fresh = self.path.with_name("scanner.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(device)
        fresh.replace(self.path)

    def _write_all(self, device: int, data: bytes) -> None:
        """Write while the reader's user keeps up; a line that takes nothing for a second is given up."""
        while data:
            _, ready, _ = select.select([], [device], [], 1.0)
            if not ready:
                raise NotPlugged("Nobody reads the scanner's line; the rest of the bytes was dropped.")
            data = data[os.write(device, data[:PIECE_BYTES]) :]

    def _echo(self) -> None:
        """What another program wrote to the link arrives here; hand it back as the reader's own."""
        while not self._closed:
            with self._lock:
                data = self._read_waiting()
            if data:
                try:
                    self.send(data)
                except NotPlugged:
                    continue
            else:
                self._rest()

    def _read_waiting(self) -> bytes:
        if self._ends is None:
            return b""
        try:
            return os.read(self._ends[0], PIECE_BYTES)
        except OSError:
            return b""

    def _rest(self) -> None:
        """Wait for bytes on the line, or for a change of the cable."""
        ends = self._ends
        lines = [self._wake_read, *(ends[:1] if ends else ())]
        try:
            ready, _, _ = select.select(lines, [], [], LOOK_S)
        except (OSError, ValueError):
            return  # The cable was pulled between the two lines above.
        if self._wake_read in ready:
            os.read(self._wake_read, PIECE_BYTES)
