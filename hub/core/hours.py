"""When a person may be told something, when they are reminded, and when their site is calm.

Owns these rules. Refuses to know clocks and tables: moments are milliseconds since 1970 UTC, and a site's time zone is given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from hub.core.forecast import calm_hours
from hub.core.retention import DAY_MS
from hub.core.telling import MessageKind, last_day_kind

FORTNIGHT_DAYS: Final = 14
"""The first part of a month, when most parcels come: its hours say nothing of the rest, nor the other way round."""


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of a day in which people are told something: from the first to before the second (0 to 24)."""

    first: int = 8
    end: int = 20


ALL_DAY: Final = Hours(0, 24)


@dataclass(frozen=True, slots=True)
class Hold:
    """How long a parcel waits, and when its recipient is reminded; in days, 0 for never."""

    days: int = 7
    remind_after: int = 2
    remind_before: int = 1


def local(at_ms: int, zone: tzinfo) -> datetime:
    """A moment on the clock of a site."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)


def good_moment(at_ms: int, hours: Hours, zone: tzinfo) -> int:
    """The first good moment from `at_ms` on: itself, or the next beginning of the good hours at the site."""
    at = local(at_ms, zone)
    if hours.first <= at.hour < hours.end:
        return at_ms
    begin = at.replace(hour=hours.first, minute=0, second=0, microsecond=0, fold=0)
    if at.hour >= hours.end:
        begin += timedelta(days=1)  # on the wall: a night in which the clocks change is an hour longer or shorter
    return int(begin.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Held:
    """Since when a parcel lies at its site, how often staff extended its hold, and until when."""

    stored_ms: int
    extended: int = 0
    until_ms: int | None = None


def hold_end(held: Held, hold: Hold) -> int | None:
    """When a hold ends, extended or not; None without an end."""
    ends = [held.stored_ms + hold.days * DAY_MS] if hold.days else []
    if held.until_ms is not None:
        ends.append(held.until_ms)
    return max(ends, default=None)


def reminder(held: Held, now_ms: int, hold: Hold) -> str | None:
    """The reminder that a waiting parcel's recipient is owed now, by its kind; each kind is said once.

    Near its end the hold's last day is named. After it nobody is told to come any more: staff decide.
    """
    end_ms = hold_end(held, hold)
    if end_ms is not None and now_ms >= end_ms:
        return None
    if end_ms is not None and now_ms >= end_ms - hold.remind_before * DAY_MS:  # 0 days before its end is never
        return last_day_kind(held.extended)
    if hold.remind_after and now_ms >= held.stored_ms + hold.remind_after * DAY_MS:
        return str(MessageKind.WAITS)
    return None


def calm_today(visits: Sequence[datetime], today: date) -> tuple[int, ...]:
    """The calm hours of a site's day; none when too little is known.

    `visits` are collections of the last weeks on the site's clock. In the first fortnight only those of first fortnights count.
    """
    early = today.day <= FORTNIGHT_DAYS
    counted = Counter(visit.hour for visit in visits if (visit.day <= FORTNIGHT_DAYS) is early)
    return calm_hours([counted[hour] for hour in range(24)])


def calm_stretch(calm: Sequence[int], hours: Hours = ALL_DAY) -> tuple[int, int] | None:
    """The longest stretch of calm hours within the good ones, as (first hour, hour it ends); None without any."""
    best: tuple[int, int] | None = None
    begin = end = -1
    for hour in calm:
        if not hours.first <= hour < hours.end:
            continue
        begin, end = (begin if hour == end else hour), hour + 1
        if best is None or end - begin > best[1] - best[0]:
            best = begin, end
    return best
