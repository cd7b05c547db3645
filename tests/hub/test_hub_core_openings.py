"""Doors from afar, the hub's rules: budgets, when a command is late, one door after the other, and what a silence means."""

from __future__ import annotations

import pytest

from hub.core import openings
from hub.core.moment import OFFLINE_AFTER_MS
from hub.core.openings import (
    AGREED_LIFE_MS,
    DAY_MS,
    DOOR_LIFE_MS,
    PAUSE_MS,
    SILENT_AFTER_MS,
    WINDOW_MS,
    WISH_LIFE_MS,
    Asked,
    DoorWish,
    Moment,
    Step,
    Wish,
    is_over,
    may_not,
    moment_for,
    next_door,
    wish_now,
)
from wire.messages import Health

NOW = 1_790_000_000_000
WAITS = DoorWish("7")
SENT = DoorWish("7", sent_ms=NOW, expires_ms=NOW + DOOR_LIFE_MS)
SILENT_MS = SENT.expires_ms + SILENT_AFTER_MS


def answered(outcome: str, at_ms: int = NOW) -> DoorWish:
    return DoorWish("7", sent_ms=NOW, expires_ms=NOW + DOOR_LIFE_MS, outcome=outcome, answered_ms=at_ms)


@pytest.mark.parametrize(
    ("door", "at_ms", "step"),
    [
        (WAITS, NOW, Step.NOT_SENT),
        (SENT, NOW, Step.SENT),
        (SENT, SILENT_MS - 1, Step.SENT),
        (SENT, SILENT_MS, Step.SILENT),
        (answered("accepted"), NOW, Step.ACCEPTED),
        (answered("accepted"), SILENT_MS, Step.SILENT),
        (answered("done"), SILENT_MS + DAY_MS, Step.SEEN_OPEN),
        (answered("failed"), NOW, Step.NOT_SEEN),
        (answered("refused"), NOW, Step.REFUSED),
    ],
)
def test_a_03_a_door_is_told_by_the_sites_last_word_and_a_silence_by_its_name(
    door: DoorWish, at_ms: int, step: Step
) -> None:
    assert door.step(at_ms) is step


def test_a_03_how_far_a_wish_and_its_doors_have_come_is_kept_in_these_words() -> None:
    assert DoorWish("7", 0, 0, 0, "", "", 0) == WAITS
    assert list(Wish) == ["waiting", "agreed", "ended", "declined", "withdrawn", "lapsed"]
    assert list(Step) == ["not_sent", "sent", "accepted", "seen_open", "not_seen", "refused", "silent"]


def test_a_04_how_long_each_step_may_take_and_how_many_doors_are_asked_for_at_once() -> None:
    assert openings.DOORS_A_WISH_MAX == 2
    assert (WISH_LIFE_MS, AGREED_LIFE_MS) == (15 * 60_000, 2 * 60_000)
    assert (WINDOW_MS, DAY_MS) == (10 * 60_000, 24 * 3_600_000)
    assert (DOOR_LIFE_MS, SILENT_AFTER_MS, PAUSE_MS) == (20_000, 10_000, 1_500)
    assert OFFLINE_AFTER_MS == 90_000


def test_a_03_a_wish_that_nobody_answered_lapses_by_itself() -> None:
    assert wish_now(Wish.WAITING, NOW, NOW + WISH_LIFE_MS - 1) == Wish.WAITING
    assert wish_now(Wish.WAITING, NOW, NOW + WISH_LIFE_MS) == Wish.LAPSED
    assert wish_now(Wish.AGREED, NOW, NOW + WISH_LIFE_MS) == Wish.AGREED


def test_a_06_two_doors_in_ten_minutes_and_ten_a_day_at_a_site_and_ten_in_ten_minutes_anywhere() -> None:
    assert may_not([], 1, 2, NOW) == ""
    assert may_not([], 1, 3, NOW) == "budget_site"
    one = [Asked(1, NOW - 1)]
    assert (may_not(one, 1, 1, NOW), may_not(one, 1, 2, NOW)) == ("", "budget_site")
    assert may_not([Asked(1, NOW - WINDOW_MS)] * 2, 1, 2, NOW) == ""
    nine = [Asked(1, NOW - WINDOW_MS)] * 9
    assert (may_not(nine, 1, 1, NOW), may_not(nine, 1, 2, NOW)) == ("", "budget_site")
    elsewhere = [Asked(site, NOW - 1) for site in range(2, 11)]
    assert (may_not(elsewhere, 1, 1, NOW), may_not(elsewhere, 1, 2, NOW)) == ("", "budget_network")
    assert may_not([Asked(site, NOW - WINDOW_MS) for site in range(2, 11)], 1, 2, NOW) == "", "ten minutes ago is over"


def test_a_04_a_command_names_the_end_of_its_life_by_the_sites_own_clock() -> None:
    health = Health(site="gambetta", boot=3, at_ms=NOW, uptime_ms=1, outbox=0, mono_ms=50_000)
    assert moment_for(health, NOW, 3, NOW + 700) == Moment("3", 50_000 + 700 + DOOR_LIFE_MS)
    assert moment_for(health, NOW, 3, NOW - 5_000) == Moment("3", 50_000 + DOOR_LIFE_MS), "a clock that went back"
    assert moment_for(None, NOW, 3, NOW) is None
    assert moment_for(health, NOW, 4, NOW) is None, "heard before its last start"
    assert moment_for(health, NOW, 3, NOW + OFFLINE_AFTER_MS) is None, "not heard lately"
    silent = Health(site="gambetta", boot=3, at_ms=NOW, uptime_ms=1, outbox=0)
    assert moment_for(silent, NOW, 3, NOW) is None, "a site that does not tell its clock opens nothing from afar"


def test_a_06_one_door_after_the_other_and_a_no_ends_it() -> None:
    assert next_door([WAITS, WAITS], NOW, NOW) == 0
    assert next_door([SENT, WAITS], NOW, NOW) is None
    assert next_door([answered("done"), WAITS], NOW, NOW + PAUSE_MS - 1) is None
    assert next_door([answered("done"), WAITS], NOW, NOW + PAUSE_MS) == 1
    assert next_door([answered("failed"), WAITS], NOW, NOW + PAUSE_MS) == 1
    assert next_door([answered("refused"), WAITS], NOW, NOW + PAUSE_MS) is None
    assert next_door([answered("done"), answered("done")], NOW, NOW + PAUSE_MS) is None
    assert next_door([WAITS], NOW, NOW + AGREED_LIFE_MS) is None, "too long after the second person agreed"


@pytest.mark.parametrize(
    ("doors", "at_ms", "over"),
    [
        ([WAITS], NOW, False),
        ([WAITS], NOW + AGREED_LIFE_MS, True),
        ([SENT], NOW, False),
        ([SENT, WAITS], NOW, False),
        ([SENT, WAITS], SILENT_MS, True),
        ([answered("refused"), WAITS], NOW, True),
        ([answered("accepted")], NOW, False),
        ([answered("done"), WAITS], NOW, False),
        ([answered("failed"), answered("done")], NOW, True),
    ],
)
def test_a_03_a_wish_is_over_when_nothing_is_sent_and_nothing_is_waited_for(
    doors: list[DoorWish], at_ms: int, *, over: bool
) -> None:
    assert is_over(doors, NOW, at_ms) is over
