"""What carriers are told of their parcels, and when a telling that failed is tried again.

Owns the names of events and the pauses between tries. Refuses to know tables, HTTP and the dice it is handed.
"""

from __future__ import annotations

from typing import Final

from hub.core.project import ParcelRecord, shown_state
from wire.ids import ParcelState

PAUSES_S: Final = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 14_400, 14_400)
"""After each try that failed, in seconds: some 17 hours in all, so that a night without anybody on duty loses nothing."""
TRIES_MAX: Final = len(PAUSES_S) + 1
REST_S_MAX: Final = 600
"""Longest rest of an address that answers nothing at all: it is back within ten minutes of being back."""
JITTER: Final = 0.2
"""Pauses are up to a fifth longer or shorter, so that what failed together does not come back together."""
PAUSED_AFTER_MS: Final = 12 * 3_600_000
"""An address where nothing has arrived for so long is left alone until a person looks."""


def event_kind(state: ParcelState) -> str:
    """The name of the event that a parcel came to a state."""
    return f"parcel.{state.value}"


def event_of(before: ParcelRecord | None, after: ParcelRecord) -> str:
    """What a carrier is told when one of its parcels changed; empty when there is nothing to tell.

    A second key of another parcel (ADR 0007) has no life of its own.
    """
    if after.partner is None or after.joined_into is not None:
        return ""
    state = shown_state(after.state, after.intent)
    if before is not None and before.partner == after.partner and shown_state(before.state, before.intent) is state:
        return ""
    return event_kind(state)


def pause_ms(tries: int, dice: float) -> int:
    """How long one event waits after so many tries (1 and more); `dice` from 0 to 1."""
    return _jittered(PAUSES_S[min(tries, len(PAUSES_S)) - 1], dice)


def rest_ms(failures: int, dice: float, asked_s: int = 0) -> int:
    """How long an address rests after so many failures in a row (1 and more); it may have asked for more itself."""
    pause_s = PAUSES_S[min(failures, len(PAUSES_S)) - 1]
    return _jittered(min(max(pause_s, asked_s), REST_S_MAX), dice)


def _jittered(pause_s: int, dice: float) -> int:
    return round(pause_s * 1000 * (1 - JITTER + 2 * JITTER * dice))
