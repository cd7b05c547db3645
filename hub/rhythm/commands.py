"""`consigne-hub rhythm SITE`: what comes in the next week, size by size, how wrong that was lately, and the calm hours; as JSON.

Days and hours are those of this machine's time zone. Sizes are as announced; "" is a parcel whose size nobody said.
"""

from __future__ import annotations

import argparse
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec

from hub.clock import Clock
from hub.core.forecast import AHEAD_DAYS, calm_hours, errors, forecast
from hub.core.parcels import Refused
from hub.store import desk, rhythm
from hub.store.engine import Store

LEARNT_FROM_DAYS: Final = 90
"""Three months: three first fortnights."""
CALM_FROM_DAYS: Final = 31
_DAY_MS: Final = 86_400_000


def add_parser(commands: Any) -> None:
    """Add the command."""
    commands.add_parser("rhythm", help="print a site's forecast and its calm hours as JSON").add_argument("site")


def show(asked: argparse.Namespace, store: Store, clock: Clock) -> None:
    """Print what is expected of a site."""
    print(msgspec.json.format(msgspec.json.encode(rhythm_of(store, asked.site, clock())).decode()))


def rhythm_of(store: Store, site: str, now_ms: int) -> dict[str, Any]:
    """What a site expects of the next week, by size, with its error. Raises Refused when there is no such site."""
    with store.reading() as connection:
        row = desk.site(connection, site)
        if row is None:
            raise Refused("unknown_site", f"there is no site {site}")
        lives = rhythm.lives(connection, row.number, now_ms - LEARNT_FROM_DAYS * _DAY_MS)
    today = _day(now_ms)
    came: dict[str, Counter[date]] = {}
    for life in lives:
        for size in ("all", life.size or ""):
            came.setdefault(size, Counter())[_day(life.stored_ms)] += 1
    recent = now_ms - CALM_FROM_DAYS * _DAY_MS
    visits = [0] * 24
    for life in lives:
        if rhythm.was_collected(life) and life.ended_ms >= recent:
            visits[datetime.fromtimestamp(life.ended_ms / 1000).hour] += 1  # noqa: DTZ006 the site's own clock
    return {
        "site": site,
        "sizes": {size: _expected(days, today) for size, days in sorted(came.items())},
        "calm_hours": calm_hours(visits),
    }


def _expected(came: Counter[date], today: date) -> dict[str, Any]:
    """Only whole days count; those since the last parcel had none."""
    yesterday = today - timedelta(days=1)
    known = {day: count for day, count in came.items() if day <= yesterday} | {yesterday: came[yesterday]}
    wrong = errors(known)
    week = [today + timedelta(days=ahead) for ahead in range(AHEAD_DAYS)]
    guesses = [(day, forecast(known, day)) for day in week]
    return {
        "expected": {day.isoformat(): round(guess, 1) for day, guess in guesses if guess is not None},
        "wrong_by": None if wrong is None else round(wrong.ours, 2),
        "last_week_wrong_by": None if wrong is None else round(wrong.naive, 2),
    }


def _day(at_ms: int) -> date:
    return date.fromtimestamp(at_ms / 1000)  # noqa: DTZ012 the day where the hub stands
