"""The mutants of a campaign are met stretch by stretch, and a score below nine of ten is a failure that names its survivors."""

from __future__ import annotations

from typing import Any

import pytest

from tests.campaigns import mutation
from tests.campaigns._parts import Budget, State
from tests.mutation.session import Package

SURVIVOR = "wire/damm.py:20: Eq → NotEq"


class Hunts:
    """Stands for the process that hunts: so many mutants in all, of which each stretch leaves some."""

    def __init__(self, total: int, survivors_each: int) -> None:
        self.begun_at: list[int] = []
        self._total = total
        self._survivors_each = survivors_each

    def __call__(
        self, package: Package, first: int, seconds: float, workers: int, sample: int | None
    ) -> tuple[list[str], dict[str, Any]]:
        self.begun_at.append(first)
        mutants = min(sample if sample is not None else self._total, self._total - first)
        end = {"mutants": mutants, "killed": mutants - self._survivors_each, "total": self._total, "equivalent": 0}
        return [SURVIVOR] * bool(self._survivors_each), end


def test_a_second_start_goes_on_with_the_next_mutant_and_ends_with_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    hunts = Hunts(total=250, survivors_each=0)
    monkeypatch.setattr(mutation, "hunt", hunts)
    state: State = {}
    for _ in range(3):
        mutation.part(Budget(60.0), state, sample=100, only=("wire",))
    outcome = mutation.part(Budget(60.0), state, sample=100, only=("wire",))
    assert hunts.begun_at == [0, 100, 200]
    assert (state["mutants"], state["killed"]) == (250, 250)
    assert outcome.failures == []
    assert outcome.told == ["wire: 250 of 250 mutants killed, 100.0% (100.0% with the 0 equivalent ones); 250 in all"]


@pytest.mark.parametrize(("survivors", "failures"), [(10, 0), (11, 1)])
def test_nine_of_ten_must_be_killed_and_survivors_are_named(
    monkeypatch: pytest.MonkeyPatch, survivors: int, failures: int
) -> None:
    monkeypatch.setattr(mutation, "hunt", Hunts(total=100, survivors_each=survivors))
    outcome = mutation.part(Budget(60.0), {}, only=("wire",))
    assert len(outcome.failures) == failures
    assert f"survived: {SURVIVOR}" in outcome.told


def test_a_package_that_changed_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    hunts = Hunts(total=250, survivors_each=1)
    monkeypatch.setattr(mutation, "hunt", hunts)
    state: State = {}
    mutation.part(Budget(60.0), state, sample=100, only=("wire",))
    state["packages"]["wire"]["of"] = "another source"
    mutation.part(Budget(60.0), state, sample=100, only=("wire",))
    assert hunts.begun_at == [0, 0]
    assert state["mutants"] == 100


def test_a_hunt_that_breaks_is_told_as_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a test fails without any mutant")

    monkeypatch.setattr(mutation, "hunt", broken)
    outcome = mutation.part(Budget(60.0), {}, only=("wire",))
    assert outcome.failures == ["mutation wire: a test fails without any mutant"]


def test_real_mutants_of_the_wire_are_noticed_by_its_tests() -> None:
    """A slice of the campaign: the first ten in an order that chance made once."""
    state: State = {}
    outcome = mutation.part(Budget(120.0, workers=1), state, sample=10, only=("wire",))
    assert outcome.failures == []
    assert outcome.figures["mutants"] == 10
    assert outcome.figures["mutants_killed"] >= 7
    assert outcome.told[0].startswith(f"wire: {state['killed']} of 10 mutants killed")
