"""A million inputs a parser, guided by coverage; what breaks a property is kept in tests/fuzz/found and replayed ever after. Options: --help."""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tests.campaigns._parts import FAILURES_MAX, Budget, Outcome, State
from tests.fuzz.engine import FOUND, Hunt, has_atheris, hunt, keep, mutants
from tests.fuzz.targets import TARGETS

CORPUS: Final = Path(__file__).resolve().parents[2] / ".state" / "campaign" / "corpus"
PLAIN_BLOCK: Final = 1_000


def part(budget: Budget, state: State) -> Outcome:
    """Every target in turn, each with its share of the time left; a start goes on with the corpus of the one before."""
    names = state.get("only", list(TARGETS))
    seed = state["next_seed"] = state.get("next_seed", 0) + 1
    outcome = Outcome()
    share_s = budget.left_s * budget.workers / max(len(names), 1)

    def one(name: str) -> Hunt:
        most = budget.inputs or 1_000_000_000
        seconds = max(1.0, min(share_s, budget.left_s))
        if has_atheris():
            return hunt(name, most, seed=seed, corpus=CORPUS / name, seconds=seconds)
        return plain(name, most, seed, seconds)

    with ThreadPoolExecutor(budget.workers) as pool:
        for result in pool.map(one, names):
            outcome.figures["inputs"] += result.inputs
            outcome.figures[f"inputs_{result.target}"] += result.inputs
            rate = result.inputs / max(result.seconds, 1e-3)
            outcome.told.append(f"{result.target}: {result.inputs} inputs, {rate:.0f}/s")
            if result.said:
                outcome.figures["invariant_failures"] += 1
                files = ", ".join(Path(found).name for found in result.found)
                outcome.failures.append(f"fuzz {result.target}: {files or 'see below'}\n{result.said[-1500:]}")
    outcome.failures = outcome.failures[:FAILURES_MAX]
    return outcome


def plain(name: str, most: int, seed: int, seconds: float) -> Hunt:
    """Without atheris: seeded mutants, not guided."""
    start, count, target = time.monotonic(), 0, TARGETS[name]
    while count < most and time.monotonic() - start < seconds:
        for data in mutants(target.seeds, min(PLAIN_BLOCK, most - count), seed=seed * 1_000_003 + count):
            count += 1
            try:
                target.check(data)
            except Exception as error:  # noqa: BLE001 whatever is raised is a finding
                kept = str(keep(name, data, FOUND))
                return Hunt(name, count, time.monotonic() - start, (kept,), f"{type(error).__name__}: {error}")
    return Hunt(name, count, time.monotonic() - start, (), "")


def main(arguments: list[str]) -> int:
    """Fuzz all targets or one; 0 when no property broke."""
    parser = argparse.ArgumentParser(prog="./run campaign fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="inputs a target (1000000)")
    parser.add_argument("--target", choices=tuple(TARGETS), action="append", help="only this one; may be repeated")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60.0, help="for all targets together (60)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="targets side by side")
    asked = parser.parse_args(arguments)
    budget = Budget(asked.minutes * 60, workers=asked.workers, inputs=asked.inputs)
    outcome = part(budget, {"next_seed": asked.seed - 1, "only": asked.target or list(TARGETS)})
    return outcome.tell()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
