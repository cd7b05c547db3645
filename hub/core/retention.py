"""How long it is known for whom a parcel was: the rule of erasing, and how one person is found again (A-14, I-34).

Owns the periods and their bounds. Refuses to know tables and clocks. What is counted of a parcel (sizes, times, places) names nobody
and stays; its facts hold no contact at all, so the chain of a site verifies after every erasure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DAY_MS: Final = 86_400_000
CONTACT_DAYS_MAX: Final = 30
"""The promise of I-34; the setting `contact_days` may shorten it and never lengthen it."""
MARGIN_MS: Final = 2 * 3_600_000
"""Erased this much early: the job runs every hour, and thirty days must never become thirty days and an hour."""
AWAITED_DAYS: Final = 90
"""A parcel that was announced and never came has no end of its own; after so long without a word about it, it has."""
_FRANCE: Final = ("+33", "0033", "0")
"""The ways the same French number is written in front of its nine digits."""
_DIGITS_BEHIND: Final = 9


@dataclass(frozen=True, slots=True)
class Limits:
    """Contacts older than this are erased; milliseconds since 1970 UTC."""

    ended_before_ms: int
    awaited_before_ms: int


def limits(now_ms: int, contact_days: int) -> Limits:
    """What is due at `now_ms` with a period of `contact_days` (0 to 30; more counts as 30) after the end of a parcel's life."""
    days = min(max(contact_days, 0), CONTACT_DAYS_MAX)
    ended = now_ms - days * DAY_MS + (MARGIN_MS if days else 0)
    return Limits(ended_before_ms=min(ended, now_ms), awaited_before_ms=now_ms - AWAITED_DAYS * DAY_MS)


def written_ways(phone: str) -> tuple[str, ...]:
    """How a tidied number may stand in the records: a French one with 0, +33 or 0033; any other as it is. Never a part of it."""
    for before in _FRANCE:
        behind = phone.removeprefix(before)
        if behind != phone and len(behind) == _DIGITS_BEHIND and behind[0] != "0":
            return tuple(f"{way}{behind}" for way in _FRANCE)
    return (phone,) if phone else ()
