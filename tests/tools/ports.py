"""Loopback ports and waiting for a server to answer. Knows no server."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

LOOPBACK = "127.0.0.1"


class NotInTime(AssertionError):
    """What the test waited for did not happen."""


def free_port() -> int:
    """A loopback port that was free a moment ago. Whoever binds it should try another if it was taken meanwhile."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    """Whether something listens on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((LOOPBACK, port)) == 0


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = 10.0, every_s: float = 0.01) -> None:
    """Poll until `condition` is true; `NotInTime` names what did not happen."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            message = f"after {timeout_s} s: {what}"
            raise NotInTime(message)
        time.sleep(every_s)
