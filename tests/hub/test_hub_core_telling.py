"""Who is told what, by which way, at which hour, and whether it is still true then."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.core.hours import ALL_DAY, Held, Hold, Hours, calm_stretch, calm_today, good_moment, hold_end, local, reminder
from hub.core.retention import DAY_MS
from hub.core.telling import (
    MessageKind,
    Truth,
    Way,
    brings_key,
    international,
    is_urgent,
    kind_of,
    last_day_kind,
    replaced_kind,
    truth_of,
    ways_to,
)
from wire.ids import ParcelState
from wire.plan import Intent

PARIS = ZoneInfo("Europe/Paris")
BOTH = frozenset(Way)
KEYS = {MessageKind.READY, MessageKind.REPLACED, MessageKind.WAITS, MessageKind.LAST_DAY}


def test_words_that_other_programs_read_are_these() -> None:
    assert [kind.value for kind in MessageKind] == ["ready", "collected", "replaced", "delegated", "waits", "last_day"]
    assert [way.value for way in Way] == ["email", "phone"]
    assert (replaced_kind(7), last_day_kind(2)) == ("replaced/7", "last_day/2")
    assert (kind_of("replaced/7"), kind_of("ready"), kind_of("sung/1")) == (
        MessageKind.REPLACED,
        MessageKind.READY,
        None,
    )


@pytest.mark.parametrize("kind", list(MessageKind))
def test_a_key_goes_every_way_and_news_one_way(kind: MessageKind) -> None:
    assert brings_key(kind) is (kind in KEYS)
    both = ways_to(kind, given=BOTH, working=BOTH)
    assert both == ((Way.EMAIL, Way.PHONE) if kind in KEYS else (Way.PHONE,))
    for way in Way:
        assert ways_to(kind, given=frozenset({way}), working=BOTH) == (way,)
        assert ways_to(kind, given=BOTH, working=frozenset({way})) == (way,)
        assert ways_to(kind, given=frozenset({way}), working=BOTH - {way}) == ()
    assert is_urgent(kind) is (kind is MessageKind.REPLACED)


@pytest.mark.parametrize("state", list(ParcelState))
@pytest.mark.parametrize("intent", list(Intent))
@pytest.mark.parametrize(
    "kind", ["ready", "waits", "last_day/1", "last_day/0", "replaced/2", "collected", "delegated/1", "x"]
)
def test_only_what_is_true_is_said(kind: str, intent: Intent, state: ParcelState) -> None:
    here = state in {ParcelState.ANNOUNCED, ParcelState.RECEIVED, ParcelState.COLLECTING}
    match kind:
        case "collected" | "delegated/1":
            expected = Truth.NOW
        case "replaced/2":
            expected = Truth.NOW if here or state is ParcelState.STORED else Truth.NEVER
        case "ready" | "waits" | "last_day/1" if intent is Intent.HOLD:
            expected = Truth.LATER if here else Truth.NOW if state is ParcelState.STORED else Truth.NEVER
        case _:
            expected = Truth.NEVER
    assert truth_of(kind, state=state, intent=intent, extended=1) is expected


@pytest.mark.parametrize(
    ("phone", "sent"),
    [
        ("0612345678", "+33612345678"),
        ("+33612345678", "+33612345678"),
        ("0033612345678", "+33612345678"),
        ("33612345678", "+33612345678"),
        ("0044712345678", "+44712345678"),
    ],
)
def test_a_number_goes_out_as_gateways_take_it(phone: str, sent: str) -> None:
    assert international(phone, "33") == sent


def at(text: str, zone: ZoneInfo = PARIS) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


@pytest.mark.parametrize(
    ("asked", "good"),
    [
        ("2026-03-10 08:00:00", "2026-03-10 08:00:00"),
        ("2026-03-10 19:59:59", "2026-03-10 19:59:59"),
        ("2026-03-10 20:00:00", "2026-03-11 08:00:00"),
        ("2026-03-10 07:59:59", "2026-03-10 08:00:00"),
        ("2026-03-10 00:00:00", "2026-03-10 08:00:00"),
        ("2026-12-31 23:30:00", "2027-01-01 08:00:00"),
        ("2026-03-28 21:00:00", "2026-03-29 08:00:00"),  # the night the clocks go forward
        ("2026-10-24 21:00:00", "2026-10-25 08:00:00"),  # and back
    ],
)
def test_nobody_is_woken(asked: str, good: str) -> None:
    assert good_moment(at(asked), Hours(), PARIS) == at(good)
    assert good_moment(at(asked), ALL_DAY, PARIS) == at(asked)


def test_the_hour_is_that_of_the_site() -> None:
    reunion = ZoneInfo("Indian/Reunion")
    moment = at("2026-03-10 17:30:00")
    assert local(moment, reunion).hour == 20
    assert good_moment(moment, Hours(), PARIS) == moment
    assert good_moment(moment, Hours(), reunion) == at("2026-03-11 08:00:00", reunion)


HOLD = Hold(days=7, remind_after=2, remind_before=1)


@pytest.mark.parametrize(
    ("day", "until", "hold", "owed"),
    [
        (1.99, 0, HOLD, None),
        (2, 0, HOLD, "waits"),
        (5.99, 0, HOLD, "waits"),
        (6, 0, HOLD, "last_day/0"),
        (6.99, 0, HOLD, "last_day/0"),
        (7, 0, HOLD, None),
        (7, 10, HOLD, "waits"),
        (9, 10, HOLD, "last_day/1"),
        (10, 10, HOLD, None),
        (6, 3, HOLD, "last_day/1"),
        (400, 500, Hold(0, 0, 1), None),
        (499, 500, Hold(0, 0, 1), "last_day/1"),
        (6, 0, Hold(7, 2, 0), "waits"),
        (6, 0, Hold(7, 0, 1), "last_day/0"),
        (5, 0, Hold(7, 0, 1), None),
        (400, 0, Hold(0, 2, 1), "waits"),
        (400, 0, Hold(0, 0, 1), None),
    ],
)
def test_reminders_are_owed_while_somebody_can_still_come(day: float, until: int, hold: Hold, owed: str | None) -> None:
    held = Held(1_000, 1, 1_000 + until * DAY_MS) if until else Held(1_000)
    assert reminder(held, 1_000 + int(day * DAY_MS), hold) == owed


def test_a_parcel_waits_a_week_and_is_reminded_of_twice_where_nobody_said_otherwise() -> None:
    assert (Hold(), Hours()) == (HOLD, Hours(8, 20))


def test_an_extension_shortens_no_hold() -> None:
    assert hold_end(Held(5), HOLD) == 5 + 7 * DAY_MS
    assert hold_end(Held(5, 1, 9 * DAY_MS), HOLD) == 9 * DAY_MS
    assert hold_end(Held(5, 1, 3 * DAY_MS), HOLD) == 5 + 7 * DAY_MS
    assert hold_end(Held(5, 1, 3), Hold(days=0)) == 3
    assert hold_end(Held(5), Hold(days=0)) is None


def visits(by_hour: dict[int, int], days: range) -> list[datetime]:
    """So many visits in each hour of each of the days of October 2026."""
    first = datetime(2026, 10, 1, tzinfo=UTC)
    return [
        first + timedelta(days=day - 1, hours=hour, minutes=10 * number)
        for day in days
        for hour, count in by_hour.items()
        for number in range(count)
    ]


def calm_window(known: list[datetime], today: date, hours: Hours = ALL_DAY) -> tuple[int, int] | None:
    return calm_stretch(calm_today(known, today), hours)


EARLY = visits({9: 6, 10: 6, 11: 1, 12: 6, 13: 6, 14: 1, 15: 1, 16: 6}, range(1, 15))
LATE = visits({9: 1, 10: 1, 11: 4, 12: 4, 13: 4, 14: 4, 16: 4}, range(15, 32))


def test_a_fortnight_is_calm_at_its_own_hours_and_a_month_s_rest_at_others() -> None:
    known = EARLY + LATE
    assert calm_window(known, date(2026, 11, 3)) == (14, 16), "the longest stretch, not the first"
    assert calm_window(known, date(2026, 11, 14)) == (14, 16)
    assert calm_window(known, date(2026, 11, 15)) == (9, 11)
    assert calm_window(known, date(2026, 11, 3), Hours(8, 15)) == (11, 12), "of two as long, the first"


def test_who_knows_too_little_suggests_nothing() -> None:
    assert calm_window([], date(2026, 11, 3)) is None
    assert calm_window(EARLY, date(2026, 11, 20)) is None, "nothing is known of the rest of the month"
    assert calm_window(EARLY[:50], date(2026, 11, 3)) is None
    assert calm_window(visits({9: 3, 10: 3}, range(1, 15)), date(2026, 11, 3)) is None, "no hour is calmer"
    assert calm_window(EARLY, date(2026, 11, 3), Hours(8, 11)) is None, "calm, but at no good hour"


def test_a_site_that_never_closes_is_known_until_midnight() -> None:
    late = visits({20: 6, 21: 6, 23: 1}, range(1, 15))
    assert calm_window(late, date(2026, 11, 3)) == (22, 24)
    assert (ALL_DAY.first, ALL_DAY.end) == (0, 24)
