"""The link to the lock process: pictures in, inputs out, over its Unix socket (contract in `panel_messages`).

Owns the connection, its back-off and the newest picture. Refuses to know what a picture shows. While the lock process is
away there is no picture, so that no screen shows a door as it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from controller.core.model import Step
from controller.core.views import View
from controller.panel_messages import BadLine, ClosedLine, Input, decode_line, encode_line

LOG: Final = logging.getLogger(__name__)

READ_BYTES_MAX: Final = 1024 * 1024
"""Longest picture read: 2,000 parcels (a whole plan) at 300 bytes each stay below it."""

BACKOFF_FIRST_S: Final = 0.1
BACKOFF_MAX_S: Final = 2.0
"""A restarted lock process is shown within two seconds."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The newest picture, when it came, and since when *empty?* is asked (seconds of the monotonic clock)."""

    view: View
    received_s: float
    asked_s: float = 0.0


class Link:
    """One connection to the lock process. All methods belong to the event loop."""

    def __init__(self, path: Path, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self.picture: Picture | None = None
        self._clock_s = clock_s
        self._writer: asyncio.StreamWriter | None = None
        self._changed = asyncio.Condition()
        self._turn = 0
        self._closed = False

    async def run(self) -> None:
        """Connect, listen, and connect again, until cancelled."""
        pause_s = BACKOFF_FIRST_S
        while True:
            if await self._listen():
                pause_s = BACKOFF_FIRST_S
            await asyncio.sleep(pause_s)
            pause_s = min(BACKOFF_MAX_S, 2 * pause_s)

    async def send(self, message: Input) -> bool:
        """Hand an input over; False when the lock process is away."""
        writer = self._writer
        if writer is None or self.picture is None:
            return False
        try:
            writer.write(encode_line(message))
            await writer.drain()
        except OSError:
            return False
        return True

    async def pictures(self) -> AsyncGenerator[Picture | None, None]:
        """The picture now and after every change, until `close`; None while the lock process is away. Slow readers skip some."""
        while not self._closed:
            turn = self._turn
            yield self.picture
            async with self._changed:
                while self._turn == turn:
                    await self._changed.wait()

    async def close(self) -> None:
        """Let everybody who follows the pictures go, so that the program can stop at once."""
        async with self._changed:
            self._closed = True
            self._turn += 1
            self._changed.notify_all()

    async def _listen(self) -> bool:
        """One connection from start to end; whether a picture came."""
        try:
            reader, writer = await asyncio.open_unix_connection(str(self.path), limit=READ_BYTES_MAX)
        except OSError:
            return False
        self._writer = writer
        seen = False
        try:
            while line := await reader.readline():
                message = decode_line(line)
                if isinstance(message, ClosedLine):
                    LOG.warning("the lock process closed the connection: %s", message.closed)
                    break
                seen = True
                await self._show(message.view)
        except (OSError, ValueError) as error:  # ValueError: a line beyond the limit; BadLine is one too
            LOG.warning("the lock process sent what cannot be read: %s", error if isinstance(error, BadLine) else "")
        finally:
            self._writer = None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        await self._set(None)
        return seen

    async def _show(self, view: View) -> None:
        now_s = self._clock_s()
        task = view.staff.task
        asked_s = 0.0
        if task is not None and task.step in {Step.ASK_EMPTY, Step.WHICH_DOOR}:
            before = self.picture
            same = before is not None and before.view.staff.task == task
            asked_s = before.asked_s if before is not None and same else now_s
        await self._set(Picture(view, now_s, asked_s))

    async def _set(self, picture: Picture | None) -> None:
        async with self._changed:
            self.picture = picture
            self._turn += 1
            self._changed.notify_all()
