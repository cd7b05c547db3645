"""Whole days at a site, compared to the letter with what was read and found right (golden/, see `told_days`)."""

from __future__ import annotations

import pytest

from tests.controller.told_days import DAYS, FOLDER


@pytest.mark.parametrize("name", DAYS)
def test_a_day_is_told_as_it_was_when_it_was_found_right(name: str) -> None:
    told = DAYS[name]().lines
    known = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    differs = next((number for number, pair in enumerate(zip(told, known, strict=False)) if pair[0] != pair[1]), None)
    place = min(len(told), len(known)) if differs is None else differs
    head = next((line for line in reversed(told[: place + 1]) if not line.startswith("  ")), "")
    assert told[place : place + 8] == known[place : place + 8], f"{name}.txt, line {place + 1}, after: {head}"


def test_every_kept_day_is_lived() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(DAYS)
