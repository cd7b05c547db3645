"""The hub's wall clock, and the days where the hub stands. The core never sees either: `now` is an argument there."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime

Clock = Callable[[], int]
"""Milliseconds since 1970 UTC."""


def wall_ms() -> int:
    """Now, from the machine's clock (a server keeps it with NTP)."""
    return time.time_ns() // 1_000_000


def day_of(at_ms: int) -> date:
    """The day where the hub stands."""
    return date.fromtimestamp(at_ms / 1000)  # noqa: DTZ012


def start_of(day: date) -> int:
    """When a day begins where the hub stands, in milliseconds since 1970 UTC."""
    return int(datetime.combine(day, datetime.min.time()).timestamp() * 1000)
