"""What somebody types into the search of the desk: a date becomes the day it means at this place (M-11).

Owns how a date is written here. Refuses to search: the lock process does.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from controller.panel_messages import LATEST_MS, FindInput

_DATE: Final = re.compile(r"\s*(\d{1,2})[/.](\d{1,2})(?:[/.](\d{4}))?\s*")


def asked_day(text: str, now_s: float) -> FindInput:
    """The search for `text`; when it is a date, for what left on that day by this machine's clock and zone as well.

    A date without a year is the last such day that has begun: nobody looks for what leaves in spring.
    """
    found = _DATE.fullmatch(text)
    today = datetime.fromtimestamp(now_s)  # noqa: DTZ006 a day at the desk is a day of this place
    start = None if found is None else _day(found, today)
    if start is None:
        return FindInput(text=text)
    since, until = (min(int(day.timestamp() * 1000), LATEST_MS) for day in (start, start + timedelta(days=1)))
    return FindInput(text=text, since_ms=since, until_ms=until)


def _day(found: re.Match[str], today: datetime) -> datetime | None:
    day, month = int(found[1]), int(found[2])
    if found[3]:
        return _date(int(found[3]), month, day)
    this_year = _date(today.year, month, day)
    if this_year is not None and this_year <= today:
        return this_year
    return _date(today.year - 1, month, day)


def _date(year: int, month: int, day: int) -> datetime | None:
    """Midnight of that day; None when the calendar or this machine has none. From 1970 on: nothing here is older."""
    try:
        date = datetime(year, month, day)  # noqa: DTZ001 as above
    except ValueError:
        return None
    return date if 1970 < year < 9999 else None
