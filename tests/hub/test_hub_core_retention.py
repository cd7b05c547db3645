"""For how long it is known whom a parcel is for, and how a number is found again."""

from __future__ import annotations

import pytest

from hub.core import retention
from hub.core.retention import DAY_MS, limits, written_ways


def test_a_14_the_period_ends_early_rather_than_late_and_no_setting_lengthens_it() -> None:
    day = limits(100 * DAY_MS, 30)
    assert retention.MARGIN_MS == 7_200_000, "two hours"
    assert day.ended_before_ms == 70 * DAY_MS + retention.MARGIN_MS
    assert day.awaited_before_ms == 10 * DAY_MS
    assert limits(100 * DAY_MS, 400) == day
    assert limits(100 * DAY_MS, 0).ended_before_ms == limits(100 * DAY_MS, -1).ended_before_ms == 100 * DAY_MS
    assert limits(100 * DAY_MS, 1).ended_before_ms == 99 * DAY_MS + retention.MARGIN_MS


@pytest.mark.parametrize(
    ("phone", "ways"),
    [
        ("0612345678", ("+33612345678", "0033612345678", "0612345678")),
        ("+33612345678", ("+33612345678", "0033612345678", "0612345678")),
        ("0033612345678", ("+33612345678", "0033612345678", "0612345678")),
        ("+4915112345678", ("+4915112345678",)),
        ("061234567", ("061234567",)),
        ("612345678", ("612345678",)),
        ("0012345678", ("0012345678",)),
        ("", ()),
    ],
)
def test_a_14_a_number_is_found_however_it_was_written(phone: str, ways: tuple[str, ...]) -> None:
    assert written_ways(phone) == ways
