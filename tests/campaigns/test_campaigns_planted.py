"""Planted faults are hunted in fair rounds, within a time, and on from where the last start stopped."""

from __future__ import annotations

from typing import Any

import pytest

from tests.campaigns import planted
from tests.campaigns._parts import Budget, State

CAUGHT_AT = {"easy": 3, "shy": 33, "hidden": 10_000}
"""The seed that catches each; all are hunted in storms."""


class _Hunters:
    """Stands for the processes that hunt: says what they would say, and keeps the order."""

    def __init__(self) -> None:
        self.hunted: list[tuple[str, int, int]] = []

    def __call__(self, code: str, *words: str) -> Any:
        if not words:
            return {**{name: ["storm", ""] for name in CAUGHT_AT}, "old": ["storm", "old: it does not fit"]}
        name, first, most = words[0], int(words[1]), int(words[2])
        self.hunted.append((name, first, most))
        caught = first <= CAUGHT_AT[name] < first + most
        seed = CAUGHT_AT[name] if caught else first + most - 1
        return {"caught": caught, "seed": seed, "lives": seed - first + 1, "said": "I-4"}


@pytest.fixture
def hunters(monkeypatch: pytest.MonkeyPatch) -> _Hunters:
    hunters = _Hunters()
    monkeypatch.setattr(planted, "_python", hunters)
    monkeypatch.setattr(planted, "FIRST_ROUND", {"storm": 10})
    return hunters


def test_nobody_is_hunted_longer_before_everybody_was_hunted_as_long(hunters: _Hunters) -> None:
    state: State = {}
    outcome = planted.part(Budget(60.0, seeds=40), state)
    assert hunters.hunted == [
        ("easy", 0, 10), ("hidden", 0, 10), ("shy", 0, 10), ("hidden", 10, 10), ("shy", 10, 10), ("hidden", 20, 20), ("shy", 20, 20),
    ]  # fmt: skip
    assert {name: how["lives"] for name, how in state["caught"].items()} == {"easy": 4, "shy": 34}
    assert (state["total"], state["median"], state["reached"]) == (4, 19, {"hidden": 40})
    assert outcome.told[0] == "2 of 4 planted faults caught, median 19 seeds to catch"
    assert outcome.failures == ["planted old: it does not fit", "planted hidden: not caught in 40 lives"]


def test_another_start_goes_on_where_the_last_one_stopped(hunters: _Hunters) -> None:
    state: State = {}
    planted.part(Budget(60.0, seeds=10), state)
    assert set(state["caught"]) == {"easy"}
    hunters.hunted.clear()
    planted.part(Budget(60.0, seeds=40), state)
    assert hunters.hunted[:2] == [("hidden", 10, 10), ("shy", 10, 10)]
    assert state["caught"]["shy"] == {"seed": 33, "lives": 34, "said": "I-4"}


def test_when_the_time_is_over_nothing_is_begun(hunters: _Hunters) -> None:
    outcome = planted.part(Budget(0.0), {})
    assert hunters.hunted == []
    assert "planted shy: not caught in 0 lives" in outcome.failures


def test_a_hunt_that_fails_itself_is_told_and_not_begun_again(
    hunters: _Hunters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planted, "_python", lambda code, *words: "no memory" if words else hunters(code))
    outcome = planted.part(Budget(60.0), {})
    assert "planted easy: no memory" in outcome.failures
