"""Loopback ports and waiting for a server to answer. Knows no server."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import time
from collections.abc import Callable

LOOPBACK = "127.0.0.1"
PORTS_FIRST = 20_000
PORTS_EACH = 1_500
PORTS_WORKERS = 8
"""20,000 to 31,999: Linux takes the ports of outgoing connections from 32,768 on."""


class NotInTime(AssertionError):
    """What the test waited for did not happen."""


def free_port() -> int:
    """A loopback port that was free a moment ago. Whoever binds it should try another if it was taken meanwhile.

    Test processes that run side by side look in ranges of their own, below those the kernel gives to connections.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = PORTS_FIRST + worker % PORTS_WORKERS * PORTS_EACH
    while True:
        port = first + random.randrange(PORTS_EACH)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port


def accepts(port: int) -> bool:
    """Whether something listens on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((LOOPBACK, port)) == 0


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = 20.0, every_s: float = 0.01) -> None:
    """Poll until `condition` is true; `NotInTime` names what did not happen."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            message = f"after {timeout_s} s: {what}"
            raise NotInTime(message)
        time.sleep(every_s)
