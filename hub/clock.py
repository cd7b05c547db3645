"""The hub's wall clock. The core never sees it: `now` is an argument there."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Milliseconds since 1970 UTC."""


def wall_ms() -> int:
    """Now, from the machine's clock (a server keeps it with NTP)."""
    return time.time_ns() // 1_000_000
