"""What a site will have to store, known from its own past: the month's rhythm, the week's, and its calm hours (A-15).

Owns the arithmetic. Refuses to know parcels, tables and clocks: days are `date`s, counts are counts. A forecast never comes
alone: its error over the last days is said beside that of the simplest guess, the same weekday of last week.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

AHEAD_DAYS: Final = 7
"""How far a forecast looks: a week, in which staff can still retrieve, extend opening or send elsewhere."""
LEARNT_DAYS_MIN: Final = 28
"""Less than four weeks says nothing of a month."""
TRIED_DAYS: Final = 14
"""Days by which the error is measured; each was forecast from what was known a week before it."""
_PARTS_END: Final = (3, 6, 9, 12, 15, 31)
"""Parts of a month by their last day: the first fortnight, when most parcels come, in fine steps; then the rest."""
_TRUST_DAYS: Final = 3.0
"""Days of an ordinary value mixed into each factor, so that three days of a part make no rule."""
_FRESH_DAYS: Final = 21
"""The level is that of the last three weeks: a site that grows is not held to its beginnings."""
VISITS_MIN: Final = 60
"""Fewer visits in a month tell no calm hour from chance."""
_CALM: Final = 0.6
"""An hour is calm with at most this share of an ordinary one's visits."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Mean absolute error over the tried days, in parcels a day: ours, and the simplest guess's."""

    ours: float
    naive: float
    days: int


def forecast(history: Mapping[date, int], day: date) -> float | None:
    """How many parcels come on `day`, from the days of `history`; None when too few are known. Days left out had none."""
    known = _filled(history)
    if len(known) < LEARNT_DAYS_MIN:
        return None
    mean = sum(known.values()) / len(known)
    if not mean:
        return 0.0
    parts = _factors([(part_of(each), count) for each, count in known.items()], mean)
    flat = {each: count / parts[part_of(each)] for each, count in known.items()}
    weekdays = _factors([(each.weekday(), count) for each, count in flat.items()], sum(flat.values()) / len(flat))
    fresh = sorted(flat)[-_FRESH_DAYS:]
    level = sum(flat[each] for each in fresh) / sum(weekdays[each.weekday()] for each in fresh)
    return level * parts.get(part_of(day), 1.0) * weekdays[day.weekday()]


def naive(history: Mapping[date, int], day: date) -> float:
    """The simplest guess: as many as on the same weekday a week before."""
    return float(history.get(day - timedelta(days=AHEAD_DAYS), 0))


def errors(history: Mapping[date, int]) -> Errors | None:
    """How wrong both would have been over the last days; None when too few are known."""
    known = _filled(history)
    ours = naives = 0.0
    days = sorted(known)[-TRIED_DAYS:]
    for day in days:
        before = {each: count for each, count in known.items() if each <= day - timedelta(days=AHEAD_DAYS)}
        guess = forecast(before, day)
        if guess is None:
            return None
        ours += abs(guess - known[day])
        naives += abs(naive(known, day) - known[day])
    return Errors(ours / len(days), naives / len(days), len(days)) if days else None


def calm_hours(visits: Sequence[int]) -> tuple[int, ...]:
    """The calm hours of a day, from the visits of a month in each of its 24 hours; none when too few are known.

    Only between the first and the last hour in which anybody came: a closed site is not calm.
    """
    open_hours = [hour for hour, count in enumerate(visits) if count]
    if sum(visits) < VISITS_MIN:
        return ()
    hours = range(open_hours[0], open_hours[-1] + 1)
    ordinary = sum(visits) / len(hours)
    return tuple(hour for hour in hours if visits[hour] <= _CALM * ordinary)


def part_of(day: date) -> int:
    """The part of the month a day is in, by the part's last day."""
    return next(end for end in _PARTS_END if day.day <= end)


def _filled(history: Mapping[date, int]) -> dict[date, int]:
    """Every day from the first to the last."""
    if not history:
        return {}
    first, last = min(history), max(history)
    return {day: history.get(day, 0) for day in (first + timedelta(days=n) for n in range((last - first).days + 1))}


def _factors(values: Sequence[tuple[int, float]], mean: float) -> dict[int, float]:
    """How much each kind of day differs from an ordinary one."""
    sums: dict[int, list[float]] = {}
    for kind, value in values:
        sums.setdefault(kind, []).append(value)
    return {kind: (sum(each) / mean + _TRUST_DAYS) / (len(each) + _TRUST_DAYS) for kind, each in sums.items()}
