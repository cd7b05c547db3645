"""Small changes of the wire and of both cores, each of which some test must notice; survivors are told by their place.

Owns the counting and where to go on; a package's score counts as measured from so many mutants on. A package whose source or
tests changed since the last start begins anew: its old score says nothing. The hunt is `tests.mutation.session`, in a process of
its own for each package, because a process that imported the code cannot meet a changed one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

from tests.campaigns._parts import FAILURES_MAX, Budget, Outcome, State
from tests.mutation.session import PACKAGES, Package

ROOT: Final = Path(__file__).resolve().parents[2]
SCORE_MIN: Final = 0.9
"""The share of mutants that must be noticed, in each package."""
MEASURED_FROM: Final = 100
"""Mutants met before a score is judged: the chance error of fewer is larger than what is judged."""
LEARNING_S: Final = 60.0
"""Seconds that the tests of a package may take before its first mutant; beyond the budget, which bounds the mutants."""


def part(
    budget: Budget, state: State, *, sample: int | None = None, only: tuple[str, ...] = tuple(PACKAGES)
) -> Outcome:
    """Package after package, each on from the mutant it had come to. `sample`: mutants of each in this start, at most."""
    outcome = Outcome()
    books: dict[str, dict[str, Any]] = state.setdefault("packages", {})
    waiting = [PACKAGES[name] for name in only]
    while waiting and budget.left_s > 0:
        package = waiting.pop(0)
        book = _book(package, books)
        if book["mutants"] == book["total"]:
            continue
        seconds = budget.left_s / (len(waiting) + 1)
        try:
            survivors, end = hunt(package, book["mutants"], seconds, budget.workers, sample)
        except ValueError as error:
            outcome.failures.append(f"mutation {package.name}: {error}")
            continue
        book["mutants"] += end["mutants"]
        book["killed"] += end["killed"]
        book["by_time"] = book.get("by_time", 0) + end.get("by_time", 0)
        book["total"], book["equivalent"] = end["total"], end["equivalent"]
        book["survivors"] = sorted({*book["survivors"], *survivors})
        outcome.figures += Counter(mutants=end["mutants"], mutants_killed=end["killed"])
    for name in only:
        if name in books:
            _tell(name, books[name], outcome)
    state["mutants"] = sum(book["mutants"] for book in books.values())
    state["killed"] = sum(book["killed"] for book in books.values())
    outcome.failures = outcome.failures[:FAILURES_MAX]
    return outcome


def hunt(
    package: Package, first: int, seconds: float, workers: int, sample: int | None
) -> tuple[list[str], dict[str, Any]]:
    """The survivors of a stretch of a package's mutants, and its figures. Raises ValueError with the last words of a hunt that broke."""
    words = ["--from", str(first), "--seconds", str(seconds), "--workers", str(workers)]
    words += ["--sample", str(sample)] if sample is not None else []
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "tests.mutation.session", package.name, *words],
            cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=False,
            timeout=seconds + LEARNING_S * 10,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ValueError("the hunt did not end in its time") from None
    if ended.returncode != 0:
        raise ValueError(ended.stderr.strip().rpartition("\n")[2] or f"exit status {ended.returncode}")
    *told, end = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    return [line["survivor"] for line in told if "survivor" in line], end


def _book(package: Package, books: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What is known of a package, forgotten when one of its files changed."""
    read = hashlib.sha256()
    mutator = [ROOT / "tests" / "mutation" / name for name in ("mutants.py", "equivalents.py", "equivalent.toml")]
    for path in (
        *sorted((ROOT / package.folder).glob("*.py")),
        *(ROOT / file for file in package.test_files()),
        *mutator,
    ):
        read.update(path.read_bytes())
    if books.get(package.name, {}).get("of") != read.hexdigest():
        books[package.name] = {
            "of": read.hexdigest(), "mutants": 0, "killed": 0, "total": -1, "equivalent": 0, "survivors": []
        }  # fmt: skip
    return books[package.name]


def _tell(name: str, book: dict[str, Any], outcome: Outcome) -> None:
    mutants, killed = book["mutants"], book["killed"]
    if not mutants:
        return
    # Of a sample, the equivalent ones that would have been in it.
    alike = book["equivalent"] * mutants / max(book["total"], 1)
    outcome.told.append(
        f"{name}: {killed} of {mutants} mutants killed, {killed / mutants:.1%}"
        f" ({killed / (mutants + alike):.1%} with the {book['equivalent']} equivalent ones); {book['total']} in all"
    )
    if book.get("by_time"):
        outcome.told.append(f"{book['by_time']} of them were noticed only because they took too long")
    outcome.told += [f"survived: {survivor}" for survivor in book["survivors"]]
    if mutants >= MEASURED_FROM and killed < SCORE_MIN * mutants:
        outcome.failures.append(
            f"mutation {name}: {killed / mutants:.1%} of {mutants} mutants killed, {SCORE_MIN:.0%} wanted"
        )


def main(arguments: list[str]) -> int:
    """Meet so many mutants; 0 when in each package at least nine of ten were noticed."""
    parser = argparse.ArgumentParser(prog="./run campaign mutation", description=__doc__)
    parser.add_argument("--package", action="append", choices=tuple(PACKAGES), help="only this one; may be repeated")
    parser.add_argument(
        "--sample", type=int, help="mutants of each package in this start (all); their order never changes"
    )
    parser.add_argument("--minutes", type=float, default=240.0, help="stop after so long (240)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes side by side")
    parser.add_argument(
        "--state",
        type=Path,
        default=ROOT / ".state" / "campaign" / "mutation.json",
        help="goes on where this file says",
    )
    parser.add_argument("--fresh", action="store_true", help="forget what earlier starts met")
    asked = parser.parse_args(arguments)
    state: State = {}
    if asked.state.exists() and not asked.fresh:
        state = json.loads(asked.state.read_text(encoding="utf-8"))
    budget = Budget(asked.minutes * 60, workers=asked.workers)
    outcome = part(budget, state, sample=asked.sample, only=tuple(asked.package or PACKAGES))
    asked.state.parent.mkdir(parents=True, exist_ok=True)
    asked.state.write_text(json.dumps(state, indent=1), encoding="utf-8")
    scores = {
        name: round(book["killed"] / book["mutants"], 4) for name, book in state["packages"].items() if book["mutants"]
    }
    return outcome.tell({"mutants": state["mutants"], "mutants_killed": state["killed"], "scores": scores})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
