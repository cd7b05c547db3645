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
FIRST_ROUND: Final = {"site": 40, "storm": 10, "network": 2}
"""Lives every fault gets before any fault gets more, by where it is hunted; each round after it gives those left twice as many."""
_NAMES: Final = """
import json
from tests.simulation.planting import ROOT, faults
found = {}
for fault in faults():
    try:
        fault.applied((ROOT / fault.file).read_text(encoding="utf-8"))
        found[fault.name] = [fault.world, ""]
    except ValueError as error:  # one that does not fit would make every world fail, and pass for caught
        found[fault.name] = [fault.world, str(error)]
print(json.dumps(found))
"""
_HUNT: Final = """
import json, sys
from dataclasses import asdict
from tests.simulation.planting import faults, hunt_apart
name, first, most, patience = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
(fault,) = [fault for fault in faults() if fault.name == name]
print(json.dumps(asdict(hunt_apart(fault, first, most, patience))))
"""


def _python(code: str, *words: str) -> Any:
    ended = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ended.returncode != 0:
        return ended.stderr.strip().rpartition("\n")[2]
    return json.loads(ended.stdout.splitlines()[-1])


class _Hunt:
    """What is known of each fault: caught, and how; or how many lives it was hunted in, in vain, and which seed is next."""

    def __init__(self, worlds: dict[str, str], state: State) -> None:
        self.worlds = worlds
        self.caught: dict[str, dict[str, Any]] = {
            name: how for name, how in state.get("caught", {}).items() if name in worlds
        }
        self.reached: dict[str, int] = {
            name: lives for name, lives in state.get("reached", {}).items() if name in worlds
        }
        self.next: dict[str, int] = dict(state.get("next", {}))
        self.broke: list[str] = []

    def left(self) -> list[str]:
        """Those not caught yet, the least hunted first."""
        return sorted(self.worlds.keys() - self.caught.keys() - set(self.broke), key=self._rounds)

    def _rounds(self, name: str) -> tuple[float, str]:
        return self.reached.get(name, 0) / FIRST_ROUND[self.worlds[name]], name

    def go_on(self, name: str, lives: int, seconds: float) -> str:
        """Hunt one fault until it has had so many lives, or as long as there is time; what went wrong with the hunt itself."""
        before = self.reached.get(name, 0)
        if before >= lives or seconds <= 0:
            return ""
        catch = _python(_HUNT, name, str(self.next.get(name, 0)), str(lives - before), str(seconds))
        if not isinstance(catch, dict):
            self.broke.append(name)
            return f"planted {name}: {catch}"
        if not catch["lives"]:
            self.broke.append(name)
            return f"planted {name}: its world cannot be lived in"
        self.reached[name] = before + catch["lives"]
        self.next[name] = catch["seed"] + 1
        if catch["caught"]:
            self.caught[name] = {"seed": catch["seed"], "lives": self.reached.pop(name), "said": catch["said"]}
        return ""


def part(budget: Budget, state: State) -> Outcome:
    """Every fault that was not caught yet, on from the seed it had come to, in fair rounds: who hides well keeps nobody waiting."""
    outcome = Outcome()
    names = _python(_NAMES)
    if not isinstance(names, dict):
        outcome.failures.append(f"the planted faults cannot be read: {names}")
        return outcome
    outcome.failures += [f"planted {why}" for _world, why in names.values() if why]
    hunt = _Hunt({name: world for name, (world, why) in names.items() if not why}, state)
    lives = 1
    while hunt.left() and budget.left_s > 0:
        wanted = {name: _lives(hunt.worlds[name], lives, budget.seeds) for name in hunt.left()}
        with ThreadPoolExecutor(budget.workers) as pool:
            said = pool.map(lambda name: hunt.go_on(name, wanted[name], budget.left_s), wanted)  # noqa: B023 the pool ends with the round
            outcome.failures += [line for line in said if line]
        if budget.seeds is not None and min(wanted.values()) >= budget.seeds:
            break
        lives *= 2
    state.update(caught=hunt.caught, reached=hunt.reached, next=hunt.next, total=len(names))
    outcome.failures += [f"planted {name}: not caught in {hunt.reached.get(name, 0)} lives" for name in hunt.left()]
    state["median"] = statistics.median([how["lives"] for how in hunt.caught.values()] or [0])
    outcome.told.append(
        f"{len(hunt.caught)} of {len(names)} planted faults caught, median {state['median']:.0f} seeds to catch"
    )
    outcome.told += [
        f"{name}: {how['lives']} seeds, the last {how['seed']}: {how['said']}"
        for name, how in sorted(hunt.caught.items())
    ]
    outcome.failures = outcome.failures[:FAILURES_MAX]
    return outcome


def _lives(world: str, times: int, most: int | None) -> int:
    """How many lives a fault has had after a round."""
    lives = FIRST_ROUND[world] * times
    return lives if most is None else min(lives, most)


def main(arguments: list[str]) -> int:
    """Hunt every fault; 0 when each was caught."""
    parser = argparse.ArgumentParser(prog="./run campaign planted", description=__doc__)
    parser.add_argument(
        "--seeds", type=int, help="lives before a fault counts as not caught; as many as there is time for"
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args(arguments)
    state: State = {}
    outcome = part(Budget(asked.minutes * 60, workers=asked.workers, seeds=asked.seeds), state)
    return outcome.tell({"planted_total": state.get("total", 0), "planted_caught": len(state.get("caught", {}))})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
