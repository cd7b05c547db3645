"""Moments and ages in French.

Owns how times are said. Refuses to know clocks: `now_ms` is an argument. Moments are said in the machine's own time
zone; pages carry the exact moment in UTC beside the words.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Final

_MONTHS: Final = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)
_SECOND_MS: Final = 1_000
_MINUTE_MS: Final = 60 * _SECOND_MS
_HOUR_MS: Final = 60 * _MINUTE_MS
_DAY_MS: Final = 24 * _HOUR_MS


def age(past_ms: int, now_ms: int) -> str:
    """How long ago: « il y a 12 s ». A moment of the future, from a clock ahead of ours, is « à l'instant »."""
    passed = now_ms - past_ms
    if passed < _SECOND_MS:
        return "à l'instant"
    for unit_ms, unit, most in ((_SECOND_MS, "s", _MINUTE_MS), (_MINUTE_MS, "min", _HOUR_MS), (_HOUR_MS, "h", _DAY_MS)):
        if passed < most:
            return f"il y a {passed // unit_ms}\u00a0{unit}"
    days = passed // _DAY_MS
    return f"il y a {days}\u00a0jour{'s' if days > 1 else ''}"


def moment(at_ms: int, now_ms: int, zone: tzinfo | None = None) -> str:
    """When: « aujourd'hui à 10:32:05 », « 3 mars à 10:32 », with the year when it is another one."""
    at = datetime.fromtimestamp(at_ms / _SECOND_MS, UTC).astimezone(zone)
    now = datetime.fromtimestamp(now_ms / _SECOND_MS, UTC).astimezone(zone)
    if at.date() == now.date():
        return f"aujourd'hui à {at:%H:%M:%S}"
    day = "1er" if at.day == 1 else str(at.day)
    year = "" if at.year == now.year else f" {at.year}"
    return f"{day} {_MONTHS[at.month - 1]}{year} à {at:%H:%M}"


def iso(at_ms: int) -> str:
    """The exact moment, for machines."""
    return datetime.fromtimestamp(at_ms / _SECOND_MS, UTC).isoformat(timespec="milliseconds")


def browser(agent: str) -> str:
    """A browser's name for its owner to know it again, from its long word about itself: *Firefox, Android*."""
    names = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = ("Android", "iPhone", "iPad", "Windows", "Macintosh", "Linux")
    name = next((name for mark, name in names if mark in agent), "Navigateur")
    system = next((system for system in systems if system in agent), "")
    return ", ".join(part for part in (name, system) if part)
