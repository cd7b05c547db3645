"""Whether a site will have room: peaks, how long parcels stay, and the first day on which a size runs short (A-15)."""

from __future__ import annotations

import pytest

from hub.core.pressure import Dwell, Shortage, Stay, dwell, first_shortage, peaks


def test_a_15_half_and_nine_of_ten_are_told_of_those_that_left() -> None:
    assert dwell([]) is None
    assert dwell([Stay(5, None)]) is None
    assert dwell([Stay(0, 10)]) == Dwell(10, 10, 1)
    assert dwell([Stay(0, at) for at in range(1, 11)]) == Dwell(5, 9, 10)
    assert dwell([Stay(9, 3)]) == Dwell(0, 0, 1), "a clock that was put right between the two"


def test_a_15_the_peak_of_a_day_counts_who_was_there_before_and_frees_a_door_before_it_is_taken() -> None:
    stays = [Stay(-5, None), Stay(-9, -3), Stay(0, 15), Stay(12, 13), Stay(13, 14), Stay(25, 22)]
    assert peaks(stays, [0, 10, 20, 30]) == [2, 3, 1]
    assert peaks([], [0, 10]) == [0]
    assert peaks([Stay(40, None)], [0, 10]) == [0]


@pytest.mark.parametrize(
    ("free", "total", "come", "leave", "told"),
    [
        (5, 10, [2.0, 2.0, 2.0], [0.0, 0.0, 0.0], Shortage(2, 1)),
        (5, 10, [2.0, 2.0, 2.0], [2.0, 2.0, 2.0], None),
        (0, 10, [0.4, 0.0], [0.0, 0.0], None),
        (0, 10, [0.5, 0.0], [0.0, 0.0], None),
        (0, 10, [0.6, 0.0], [0.0, 0.0], Shortage(0, 1)),
        (0, 10, [3.0, 7.0, 4.0], [0.0, 0.0, 0.0], Shortage(0, 7)),
        (10, 10, [0.0, 12.0], [90.0, 0.0], Shortage(1, 2)),
    ],
)
def test_a_15_the_first_day_without_room_is_named_with_what_is_missing_at_the_worst(
    free: int, total: int, come: list[float], leave: list[float], told: Shortage | None
) -> None:
    assert first_shortage(free, total, come, leave) == told


def test_a_15_days_on_which_nobody_knows_who_leaves_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        first_shortage(5, 10, [2.0, 2.0], [1.0])
