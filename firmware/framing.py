"""Turns serial bytes into scanned texts, and counts what could not be read. Pure: knows nothing about ports, clocks or parcels.

A text ends at CR, LF or ETX, or after 60 ms of silence. Whatever arrives, the state stays below 1 KiB, nothing raises,
and the framer is back in step one terminator later (invariant I-32).
"""

from __future__ import annotations

import re
from typing import Final

FRAME_BYTES_MAX: Final = 512
"""A pickup key has 40 bytes and a GS1 label at most 48 characters a field; a longer run is no code of anybody's."""

SILENCE_S: Final = 0.060
"""A reader without a terminator is quiet this long between two codes; at 9600 baud a byte takes 1 ms."""

NO_READ: Final = frozenset({"NOREAD", "NO READ", "%%NOREAD", "BADCODE", "NG"})
"""What readers of several makers send, when they are set to, for something they saw and could not read (their manuals)."""

_TERMINATORS: Final = re.compile(rb"[\r\n\x03]")
_STX: Final = b"\x02"
_GROUP_SEPARATOR: Final = "\x1d"
_NOTHING: Final = b"\x02 \x1d"
_AIM: Final = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_CONTROL: Final = re.compile(r"[\x00-\x1c\x1e\x1f\x7f-\x9f]")


class Framer:
    """Accumulates bytes; `feed` and `quiet` return the texts that became complete. `unread` counts the lines that were none."""

    __slots__ = ("_buffer", "_last", "_too_long", "unread")

    def __init__(self) -> None:
        self._buffer = b""
        self._last = 0.0
        self._too_long = False
        self.unread = 0

    @property
    def pending(self) -> bool:
        """Whether a text has begun and silence would end it."""
        return bool(self._buffer) or self._too_long

    @property
    def state_bytes(self) -> int:
        """How much is held; never more than `FRAME_BYTES_MAX`."""
        return len(self._buffer)

    def feed(self, data: bytes, now: float) -> list[str]:
        """Take bytes read at `now` (seconds, any monotonic clock)."""
        self._last = now
        texts = []
        start = 0
        for match in _TERMINATORS.finditer(data):
            self._hold(data[start : match.start()])
            texts += self._complete()
            start = match.end()
        self._hold(data[start:])
        return texts

    def quiet(self, now: float) -> list[str]:
        """Say that at `now` nothing was waiting; after `SILENCE_S` without bytes, what is held is complete.

        Only the caller knows that nothing was waiting: a gap between two late readings is no silence on the line.
        """
        if not self.pending or now - self._last < SILENCE_S:
            return []
        return self._complete()

    def forget(self) -> None:
        """Drop what is held: the line was lost in the middle of a text."""
        self._buffer, self._too_long = b"", False

    def _hold(self, data: bytes) -> None:
        if self._too_long or len(self._buffer) + len(data) > FRAME_BYTES_MAX:
            self._buffer, self._too_long = b"", True
            return
        self._buffer += data

    def _complete(self) -> list[str]:
        frame, was_too_long = self._buffer, self._too_long
        self.forget()
        text = None if was_too_long else _text_of(frame)
        if text is not None and text.upper() not in NO_READ:
            return [text]
        if was_too_long or frame.strip(_NOTHING):  # CR before LF is no line of its own
            self.unread += 1
        return []


def _text_of(frame: bytes) -> str | None:
    """The text of one frame without its frame marks; None when it holds control bytes or nothing.

    Bytes that are no UTF-8 become U+FFFD rather than silence: a foreign code still gets an answer, and never a door.
    """
    text = frame.removeprefix(_STX).decode("utf-8", errors="replace")
    text = _AIM.sub("", text, count=1) if text.startswith("]") else text
    text = text.strip(" ")
    if _CONTROL.search(text):
        return None
    return text if text.strip(_GROUP_SEPARATOR) else None
