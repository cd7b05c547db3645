"""Relay boards on a simulated RS-485 line: a pseudo-terminal with units behind it that answer as the maker's page says.

Owns the boards' side of the line and its faults, and remembers how long each relay was on. Written from the page, not from
`firmware.modbus`: its check is worked out with a table of its own. Refuses to know compartments; `on_flash` is told.
"""

from __future__ import annotations

import os
import select
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

FAULTS = (
    "silent", "garbage", "damaged", "wrong-unit", "refuses", "short", "loses-requests", "loses-answers", "echo", "other-word", "hangs",
)  # fmt: skip


def _table() -> list[int]:
    found = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value % 2 else value >> 1
        found.append(value)
    return found


_CRC = _table()


def with_check(body: bytes) -> bytes:
    """`body` and its check."""
    crc = 0xFFFF
    for byte in body:
        crc = (crc >> 8) ^ _CRC[(crc ^ byte) & 0xFF]
    return body + bytes([crc & 0xFF, crc >> 8])


@dataclass
class Unit:
    """One board. `fault` is one of FAULTS or nothing; the two that lose something do so at the next flash, once."""

    channels: int
    fault: str = ""
    heard: list[bytes] = field(default_factory=list)
    stretches: list[tuple[int, float, float]] = field(default_factory=list)
    held: set[int] = field(default_factory=set)

    def on_now(self) -> set[int]:
        """Channels whose relay is on."""
        now = time.monotonic()
        return {channel for channel, start, end in self.stretches if start <= now < end} | self.held

    def flash(self, channel: int, seconds: float) -> None:
        """The relay is on from now on; told again meanwhile, the board begins to count anew."""
        now = time.monotonic()
        if self.stretches and self.stretches[-1][0] == channel and self.stretches[-1][2] > now:
            self.stretches[-1] = (channel, self.stretches[-1][1], now + seconds)
        else:
            self.stretches.append((channel, now, now + seconds))

    def all_off(self) -> None:
        """Every relay drops now."""
        now = time.monotonic()
        self.held.clear()
        self.stretches = [(channel, start, min(end, now)) for channel, start, end in self.stretches]


class RelayLine:
    """A line at `path` with boards on it; `units` maps the address to the board."""

    def __init__(
        self, path: Path, units: dict[int, Unit], on_flash: Callable[[int, int, float], None] = lambda *_: None
    ) -> None:
        self.path, self.units, self._on_flash = path, units, on_flash
        self._stop, self._bell = os.pipe()
        self._device = self._line = -1
        self.plug()

    def plug(self) -> None:
        """The adapter is there: a new device behind the same link."""
        self._device, self._line = os.openpty()
        tty.setraw(self._line)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._line))
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """The adapter is pulled out."""
        self.path.unlink(missing_ok=True)
        os.write(self._bell, b"!")
        self._thread.join(5)
        os.read(self._stop, 1)
        os.close(self._line)
        os.close(self._device)

    def close(self) -> None:
        """End the line."""
        self.unplug()
        os.close(self._stop)
        os.close(self._bell)

    def _serve(self) -> None:
        heard = b""
        while True:
            ready, _, _ = select.select([self._device, self._stop], [], [])
            if self._stop in ready:
                return
            heard += os.read(self._device, 256)
            while len(heard) >= 8:
                frame, heard = heard[:8], heard[8:]
                answer = self._answer(frame)
                if answer:
                    os.write(self._device, answer)

    def _answer(self, frame: bytes) -> bytes:
        unit = self.units.get(frame[0])
        if unit is None or frame != with_check(frame[:6]):
            return b""
        unit.heard.append(frame)
        is_flash = frame[1] == 5 and frame[2] == 2
        match unit.fault:
            case "silent":
                return b""
            case "garbage":
                return bytes(range(0x30, 0x30 + 8))
            case "echo":
                return frame
            case "refuses":
                return with_check(bytes([frame[0], frame[1] | 0x80, 2]))
            case "loses-requests" if is_flash:
                unit.fault = ""
                return b""
        answer = with_check(self._done(unit, frame))
        match unit.fault:
            case "loses-answers" if is_flash:
                unit.fault = ""
                return b""
            case "damaged":
                return answer[:-1] + bytes([answer[-1] ^ 1])
            case "wrong-unit":
                return with_check(bytes([frame[0] + 1]) + answer[1:-2])
            case "short":
                return answer[:-3]
            case "other-word" if is_flash:
                return with_check(answer[:3] + bytes([answer[3] ^ 1]) + answer[4:-2])
        return answer

    def _done(self, unit: Unit, frame: bytes) -> bytes:
        address, value = int.from_bytes(frame[2:4], "big"), int.from_bytes(frame[4:6], "big")
        if frame[1] == 1:
            bits = sum(1 << channel - 1 for channel in unit.on_now())
            size = (value + 7) // 8
            return bytes([frame[0], 1, size]) + bits.to_bytes(size, "little")
        if frame[1] == 5 and address == 0x00FF and value == 0:
            unit.all_off()
            return frame[:6]
        if frame[1] == 5 and 0x0200 <= address < 0x0200 + unit.channels:
            unit.flash(address - 0x0200 + 1, value / 10)
            if unit.fault == "hangs":
                unit.held.add(address - 0x0200 + 1)
            self._on_flash(frame[0], address - 0x0200 + 1, value / 10)
            return frame[:6]
        return bytes([frame[0], frame[1] | 0x80, 2])
