"""The month's rhythm on a generated network of 46 sites and 60 days, against the simplest guess (A-15)."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from hub.core.forecast import LEARNT_DAYS_MIN, TRIED_DAYS, Errors, calm_hours, errors, forecast, naive, part_of

FIRST = date(2026, 9, 1)
WEEK = (1.15, 1.05, 1.0, 1.1, 1.2, 0.5, 0.0)


def month(day: date) -> float:
    """The first fortnight brings about twice as many, most of all from the 4th to the 9th."""
    return 2.2 if 4 <= day.day <= 9 else 1.7 if day.day <= 14 else 0.8


def lived(seed: int, days: int = 60) -> dict[date, int]:
    chance = random.Random(seed)
    level = chance.uniform(6, 30)
    history = {}
    for number in range(days):
        day = FIRST + timedelta(days=number)
        expected = level * month(day) * WEEK[day.weekday()] * (1 + number * 0.002)
        history[day] = max(0, round(chance.gauss(expected, expected**0.5)))
    return history


@pytest.mark.parametrize("days", [60, 57, 52])
def test_a_15_46_sites_are_forecast_better_than_by_last_week(days: int) -> None:
    told = [errors(lived(seed, days)) for seed in range(46)]
    ours = sum(each.ours for each in told if each) / 46
    guessed = sum(each.naive for each in told if each) / 46
    better = sum(1 for each in told if each and each.ours < each.naive)
    assert all(each is not None and each.days == TRIED_DAYS for each in told)
    print(
        f"{days} days: {ours:.2f} parcels a day wrong, last week's weekday {guessed:.2f}; better at {better} of 46 sites"
    )
    assert ours < 0.9 * guessed


def test_a_15_the_first_fortnight_is_known_before_it_begins() -> None:
    history = {day: count for day, count in lived(5, 61).items() if day.month < 11}
    before = {day: count for day, count in history.items() if day <= date(2026, 10, 28)}
    first, last = forecast(before, date(2026, 11, 4)), forecast(before, date(2026, 10, 28))
    assert first is not None
    assert last is not None
    assert first > 1.5 * last, "both are Wednesdays"
    assert naive(history, date(2026, 11, 4)) == history[date(2026, 10, 28)]
    sunday = forecast(before, date(2026, 11, 8))
    assert sunday is not None
    assert sunday < first / 2


def test_a_15_who_knows_too_little_says_nothing() -> None:
    assert forecast({}, FIRST) is None
    assert errors({}) is None
    short = {FIRST + timedelta(days=number): 3 for number in range(LEARNT_DAYS_MIN - 1)}
    assert forecast(short, FIRST) is None
    assert errors(short) is None
    quiet = {FIRST: 0, FIRST + timedelta(days=40): 0}
    assert forecast(quiet, FIRST + timedelta(days=41)) == 0.0


def test_a_15_an_error_is_that_of_what_was_known_a_week_before() -> None:
    even = {FIRST + timedelta(days=number): 4 for number in range(70)}
    assert errors(even) == Errors(0.0, 0.0, 14)
    told = errors({**even, max(even): 11})
    assert told is not None
    assert (told.ours, told.naive) == pytest.approx((7 / 14, 7 / 14)), (
        "seven more than anybody could know, on one day of 14"
    )


def test_a_15_a_part_of_the_month_that_was_never_seen_is_ordinary() -> None:
    rest = {date(2026, 2, 16) + timedelta(days=number): 4 for number in range(LEARNT_DAYS_MIN)}
    assert {part_of(day) for day in rest} == {31, 3, 6, 9, 12, 15}
    assert [part_of(date(2026, 1, day)) for day in (1, 3, 4, 15, 16, 31)] == [3, 3, 6, 15, 31, 31]
    assert forecast(rest, date(2026, 3, 20)) == pytest.approx(4.0)


def test_a_15_calm_hours_lie_within_the_opening_and_are_no_chance() -> None:
    visits = [0] * 9 + [20, 30, 28, 5, 6, 25, 30, 40, 45, 30, 0, 0, 0, 0, 0]
    assert calm_hours(visits) == (12, 13)
    assert calm_hours([0] * 24) == ()
    assert calm_hours([1 if count else 0 for count in visits]) == ()
