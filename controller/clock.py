"""What time it is, and how far that may be believed (design §3): `unset < floor < hub < ntp`.

Owns the reading of the two clocks, the floor below which no untrusted clock may fall, and the noticing of jumps. Refuses to
decide anything by time. Durations are the monotonic clock's; the wall clock only stamps what happened.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from controller.core.events import ClockStepped
from controller.core.model import Now
from wire.ids import Trust

STEP_MS: Final = 60_000
"""A smaller correction of the wall clock is of no interest to anybody reading a journal."""

HUB_LEAD_MS: Final = 366 * 24 * 3600 * 1000
"""The hub's word moves the clock forward by at most a year at a time: a machine stored longer needs NTP or a person."""

TIMEX_BYTES: Final = 256
"""Room for `struct timex` of adjtimex(2), 208 bytes on every 64-bit Linux."""

TIME_ERROR: Final = 5
"""What adjtimex(2) answers while nothing keeps the clock in step."""

_RANK: Final = {trust: rank for rank, trust in enumerate(Trust)}

SYNCHRONISED_FILE: Final = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd touches it once it has set the clock."""


def system_is_synchronised() -> bool:
    """Whether a time server keeps this machine's clock, as the kernel or systemd-timesyncd says."""
    if SYNCHRONISED_FILE.exists():
        return True
    timex = ctypes.create_string_buffer(TIMEX_BYTES)  # modes = 0: read only
    answer: int = ctypes.CDLL(None, use_errno=True).adjtimex(timex)
    return 0 <= answer < TIME_ERROR


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class SiteClock:
    """The clock of a run. Only the owner thread calls it.

    The wall time is an offset to the monotonic clock, so that nothing outside can turn it back between two looks at the
    system's clock (`look`).
    """

    def __init__(
        self,
        *,
        floor_ms: int,
        monotonic_ms: Callable[[], int] = _monotonic_ms,
        wall_ms: Callable[[], int] = _wall_ms,
        synchronised: Callable[[], bool] = system_is_synchronised,
    ) -> None:
        """`floor_ms` is the newest stamp of the journal."""
        self.boot = 0
        self._monotonic_ms = monotonic_ms
        self._system_ms = wall_ms
        self._synchronised = synchronised
        self._trust, self._offset = self._first_look(floor_ms)

    def now(self) -> Now:
        """This instant. `mono` never goes back within a boot."""
        mono = self._monotonic_ms()
        return Now(mono=mono, wall_ms=mono + self._offset, trust=self._trust, boot=self.boot)

    def look(self) -> ClockStepped | None:
        """Compare with the system's clock: a jump of a minute or more, or a change of trust, is an event."""
        mono = self._monotonic_ms()
        system = self._system_ms() - mono
        if self._synchronised():
            return self._follow(mono, system, Trust.NTP)
        if self._trust is not Trust.NTP:
            # An unsynchronised clock that runs ahead was set by somebody; it never pulls ours back.
            return self._follow(mono, max(system, self._offset), self._trust)
        if abs(system - self._offset) >= STEP_MS:
            # It was synchronised and then moved by hand: believe neither the move nor the time server's old word fully.
            return self._follow(mono, self._offset, Trust.FLOOR)
        return None

    def hear_hub(self, hub_ms: int, *, fresh: bool) -> ClockStepped | None:
        """The hub's time. Said this moment it is followed both ways; an old word of its only raises the floor."""
        mono = self._monotonic_ms()
        lead = hub_ms - (mono + self._offset)
        if self._trust is Trust.NTP or hub_ms <= 0 or (lead > HUB_LEAD_MS and self._trust is not Trust.UNSET):
            return None
        if fresh:
            return self._follow(mono, self._offset + lead, Trust.HUB)
        return self._follow(mono, self._offset + max(lead, 0), max(self._trust, Trust.FLOOR, key=_RANK.__getitem__))

    def _first_look(self, floor_ms: int) -> tuple[Trust, int]:
        mono, system = self._monotonic_ms(), self._system_ms()
        if self._synchronised():
            return Trust.NTP, system - mono
        if floor_ms:
            return Trust.FLOOR, max(system, floor_ms) - mono
        return Trust.UNSET, system - mono

    def _follow(self, mono: int, offset: int, trust: Trust) -> ClockStepped | None:
        before, trusted_before = self._offset, self._trust
        self._offset, self._trust = offset, trust
        if abs(offset - before) < STEP_MS and trust is trusted_before:
            return None
        return ClockStepped(before_ms=mono + before, after_ms=mono + offset, trust=trust)
