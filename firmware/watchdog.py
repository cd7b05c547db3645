"""Speaks to the service manager: ready, alive, stopping. The notify datagram, without a library.

Owns the socket and how often it is used. Refuses to judge what *alive* means: the owner thread does, and pings.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Final

PINGS_PER_PERIOD: Final = 4
"""Half the period is the advice; a quarter survives one lost datagram and costs the owner thread next to nothing."""

STATUS_CHARACTERS_MAX: Final = 200


def period_s(watchdog_usec: str, watchdog_pid: str, own_pid: int) -> float | None:
    """Seconds within which systemd wants a ping, from WATCHDOG_USEC and WATCHDOG_PID; None when it wants none."""
    if watchdog_pid and watchdog_pid != str(own_pid):
        return None
    if not watchdog_usec.isdecimal() or int(watchdog_usec) == 0:
        return None
    return int(watchdog_usec) / 1_000_000


class Watchdog:
    """One datagram socket to `address` (NOTIFY_SOCKET); every call is silent when it is empty or nobody listens."""

    def __init__(
        self, address: str = "", period: float | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._every_s = None if period is None else period / PINGS_PER_PERIOD
        self._clock = clock
        self._next = float("-inf")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if address else None
        if self._socket is not None:
            self._socket.setblocking(False)

    def ready(self, status: str = "") -> None:
        """The program serves customers from now on."""
        self._send("READY=1\n" + _status_line(status))

    def ping(self) -> None:
        """The owner thread is alive. Sent at most a few times a period, however often it is called."""
        if self._every_s is None:
            return
        now = self._clock()
        if now >= self._next:
            self._next = now + self._every_s
            self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send(_status_line(text))

    def stopping(self, status: str = "") -> None:
        """The program is on its way out."""
        self._send("STOPPING=1\n" + _status_line(status))

    def close(self) -> None:
        """Close the socket. Idempotent."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, message: str) -> None:
        if self._socket is None or not message:
            return
        try:
            self._socket.sendto(message.strip("\n").encode(), self._address)
        except OSError:
            # A manager that does not listen restarts us by itself; there is nothing better to do here.
            return


def _status_line(text: str) -> str:
    return f"STATUS={' '.join(text.split())[:STATUS_CHARACTERS_MAX]}" if text else ""
