"""How often something may be tried: a bucket for each name that refills with time, in this process's memory.

Owns the counting. Refuses to know what is tried, and to keep anything over a restart.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from hub.clock import Clock

NAMES_WATCHED_MAX: Final = 10_000
"""Names whose tries are counted; the longest silent one is forgotten first."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at_ms: int


class Limits:
    """Buckets by name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def wait_ms(self, name: Hashable, burst: int, refill_ms: float) -> int:
        """0 when one more is allowed, which is counted; else how long until it will be. One comes back each `refill_ms`."""
        now_ms = self._clock()
        with self._lock:
            bucket = self._buckets.pop(name, _Bucket(burst, now_ms))
            bucket.left = min(burst, bucket.left + (now_ms - bucket.at_ms) / refill_ms)
            bucket.at_ms = now_ms
            allowed = bucket.left >= 1
            if allowed:
                bucket.left -= 1
            self._buckets[name] = bucket
            while len(self._buckets) > NAMES_WATCHED_MAX:
                self._buckets.popitem(last=False)
            return 0 if allowed else max(1, math.ceil((1 - bucket.left) * refill_ms))

    def forget(self, name: Hashable) -> None:
        """Count from nothing again."""
        with self._lock:
            self._buckets.pop(name, None)
