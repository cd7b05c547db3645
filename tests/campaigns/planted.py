"""Deliberate bugs, each of which some seed must catch; one that survives is a hole in the simulator. Options: --help.

Owns the counting; the faults and the hunt are `tests.simulation.planting`, which must be imported before anything of ours and
therefore has a process for each fault.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from tests.campaigns._parts import FAILURES_MAX, Budget, Outcome, State

ROOT: Final = Path(__file__).resolve().parents[2]
SEEDS: Final = 400
_NAMES: Final = """
import json
from tests.simulation.planting import ROOT, faults
found = {}
for fault in faults():
    try:
        fault.applied((ROOT / fault.file).read_text(encoding="utf-8"))
        found[fault.name] = ""
    except ValueError as error:  # one that does not fit would make every world fail, and pass for caught
        found[fault.name] = str(error)
print(json.dumps(found))
"""
_HUNT: Final = """
import json, sys
from dataclasses import asdict
from tests.simulation.planting import faults, hunt_apart
name, first, last, patience = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
(fault,) = [fault for fault in faults() if fault.name == name]
print(json.dumps(asdict(hunt_apart(fault, range(first, last), patience))))
"""


def _python(code: str, *words: str) -> Any:
    ended = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ended.returncode != 0:
        return ended.stderr.strip().rpartition("\n")[2]
    return json.loads(ended.stdout.splitlines()[-1])


def part(budget: Budget, state: State) -> Outcome:
    """Every fault that was not caught yet, on from the seed it had come to."""
    outcome = Outcome()
    names = _python(_NAMES)
    if not isinstance(names, dict):
        outcome.failures.append(f"the planted faults cannot be read: {names}")
        return outcome
    fits = [name for name, why in names.items() if not why]
    outcome.failures += [f"planted {why}" for why in names.values() if why]
    caught: dict[str, dict[str, Any]] = {name: how for name, how in state.get("caught", {}).items() if name in fits}
    reached: dict[str, int] = state.get("reached", {})

    def one(name: str) -> None:
        if budget.left_s <= 0:
            return
        first = reached.get(name, 0)
        last = first + (budget.seeds or SEEDS)
        catch = _python(_HUNT, name, str(first), str(last), str(max(1.0, budget.left_s)))
        if not isinstance(catch, dict):
            outcome.failures.append(f"planted {name}: {catch}")
        elif catch["caught"]:
            caught[name] = {"seed": catch["seed"], "lives": first + catch["lives"], "said": catch["said"]}
        else:
            reached[name] = first + catch["lives"]

    with ThreadPoolExecutor(budget.workers) as pool:
        list(pool.map(one, [name for name in fits if name not in caught]))
    state.update(caught=caught, reached=reached, total=len(names))
    missed = sorted(set(fits) - set(caught))
    outcome.failures += [f"planted {name}: not caught in {reached.get(name, 0)} lives" for name in missed]
    lives = [how["lives"] for how in caught.values()]
    outcome.told.append(
        f"{len(caught)} of {len(names)} planted faults caught, median {statistics.median(lives or [0]):.0f} seeds to catch"
    )
    outcome.told += [f"{name}: seed {how['seed']}, {how['said']}" for name, how in sorted(caught.items())]
    outcome.failures = outcome.failures[:FAILURES_MAX]
    return outcome


def main(arguments: list[str]) -> int:
    """Hunt every fault; 0 when each was caught."""
    parser = argparse.ArgumentParser(prog="./run campaign planted", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="lives before a fault counts as not caught")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args(arguments)
    state: State = {}
    outcome = part(Budget(asked.minutes * 60, workers=asked.workers, seeds=asked.seeds), state)
    return outcome.tell({"planted_total": state.get("total", 0), "planted_caught": len(state.get("caught", {}))})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
