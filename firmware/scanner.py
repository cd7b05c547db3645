"""The bar-code reader on a serial line: opened by path, read as bytes arrive, found again when it was unplugged.

Owns the port. Refuses to know what a text means; `framing` cuts the bytes. A lost reader is an event, never an exception.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any, Final

from firmware.framing import FRAME_BYTES_MAX, SILENCE_S, Framer

RETRY_S_MIN: Final = 0.5
RETRY_S_MAX: Final = 2.0
"""A replugged reader is back within 5 s (journeys D-04), and a missing one costs an open() every 2 s."""
UNREAD_S: Final = 1.0
"""Pause between two words that something was not read: the screen needs to know that it happens, not how often."""
IDLE_S: Final = 5.0
"""How often an idle reader's thread looks by itself whether it should stop; `wake` spares it the wait."""


class Scanner:
    """Reads one serial bar-code reader; `path` is a udev link (by-id) or a pseudo-terminal's symlink.

    `on_scan(text)` and `on_link(up)` are called from `run`'s thread. The same text again within `repeat_s` of its last
    sighting is one showing: many readers repeat a code as long as it is held under them. `on_unread()` is called, at most once in
    UNREAD_S, when a line came that is no text: something was held there and not read. `tried` is set once the reader was
    opened, or found missing, for the first time: what was sent before is lost.
    """

    def __init__(
        self,
        path: Path | str,
        baud: int,
        on_scan: Callable[[str], None],
        on_link: Callable[[bool], None],
        *,
        on_unread: Callable[[], None] = lambda: None,
        repeat_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._baud = str(path), baud
        self._on_scan, self._on_link, self._on_unread = on_scan, on_link, on_unread
        self._repeat_s, self._clock = repeat_s, clock
        self._framer = Framer()
        self._last_text, self._last_seen = "", float("-inf")
        self._unread_told, self._unread_seen = 0, float("-inf")
        self._up: bool | None = None
        self.tried = Event()
        self._ear, self._bell = os.pipe()
        os.set_blocking(self._bell, False)

    @property
    def path(self) -> str:
        """Where the reader is looked for."""
        return self._path

    def wake(self) -> None:
        """Call after setting the stop flag, so that an idle line does not keep the thread asleep."""
        with contextlib.suppress(BlockingIOError, OSError):
            os.write(self._bell, b"!")

    def close(self) -> None:
        """Give the bell back, once `run` has returned. Idempotent."""
        if self._bell >= 0:
            os.close(self._ear)
            os.close(self._bell)
            self._ear = self._bell = -1

    def run(self, stop: Event) -> None:
        """Read until `stop`; for a guarded thread."""
        retry_s = RETRY_S_MIN
        while not stop.is_set():
            if self._read_until_lost(stop):
                retry_s = RETRY_S_MIN
            if not stop.is_set():
                self._report(up=False)
                stop.wait(retry_s)
                retry_s = min(retry_s * 2, RETRY_S_MAX)

    def _read_until_lost(self, stop: Event) -> bool:
        """Open, read and close; whether the reader was there. Closed before any retry: a kernel with the stale
        descriptor still open gives the returning device another number (hardware notes §6).
        """
        try:
            port = _open(self._path, self._baud)
        except (OSError, ValueError):
            return False
        try:
            self._report(up=True)
            while not stop.is_set():
                self._read_once(port)
        except OSError:  # serial.SerialException is one
            pass
        finally:
            self._framer.forget()
            port.close()
        return True

    def _read_once(self, port: Any) -> None:
        """Wait for bytes or silence. A line that hangs up is readable and then raises OSError."""
        line = port.fileno()
        ready, _, _ = select.select([line, self._ear], [], [], SILENCE_S if self._framer.pending else IDLE_S)
        if self._ear in ready:
            return  # Rung once, to stop: the byte stays, so that no look afterwards sleeps either.
        if line in ready:
            # Not `port.read`: it asks the kernel three times for what one read brings.
            data = os.read(port.fileno(), FRAME_BYTES_MAX)
            if not data:
                raise OSError("the line hung up")
            texts = self._framer.feed(data, self._clock())
        else:
            texts = self._framer.quiet(self._clock())
        for text in texts:
            self._present(text)
        self._look_for_unread()

    def _look_for_unread(self) -> None:
        """A line full of noise is no flood of events: what could not be read is told once in a while."""
        now = self._clock()
        if self._framer.unread != self._unread_told and now - self._unread_seen >= UNREAD_S:
            self._unread_told, self._unread_seen = self._framer.unread, now
            self._on_unread()

    def _present(self, text: str) -> None:
        now = self._clock()
        repeated = text == self._last_text and now - self._last_seen < self._repeat_s
        self._last_text, self._last_seen = text, now
        if not repeated:
            self._on_scan(text)

    def _report(self, *, up: bool) -> None:
        if up is not self._up:
            self._up = up
            self._on_link(up)
        self.tried.set()


def _open(path: str, baud: int) -> Any:
    import serial

    # timeout=0: reading never waits, select does; 8N1 is pyserial's default and every reader's.
    return serial.Serial(port=path, baudrate=baud, timeout=0, exclusive=True)
