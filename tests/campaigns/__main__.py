"""./run campaign: everything that hunts for what ordinary tests have no time for, within a budget; ./run campaign NAME: one of them.

A campaign is a module of this folder with a docstring (its first line is shown in the list), `part(budget, state)` for the
whole (see `_parts`) and `main(arguments: list[str]) -> int` for itself; 0 means that nothing was found.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from tests.campaigns._parts import Budget, Outcome, State

FOLDER: Final = Path(__file__).parent
ROOT: Final = FOLDER.parents[1]
STATE: Final = ROOT / ".state" / "campaign"
SHARES: Final = {
    "planted": 0.2,
    "seeds": 0.35,
    "images": 0.15,
    "fuzz": 0.1,
    "kills": 0.1,
    "faults": 0.1,
    "mutation": 0.1,
}
"""The parts in their order, and how much of the time each may take, in proportion; what one leaves goes to those after it."""
ANEW: Final = {"planted", "mutation"}
"""Parts whose failures are said anew by each start: what they have not caught yet. Any other failure stays."""
MINUTES: Final = 30.0
HOURS_A_YEAR: Final = 365.25 * 24


def campaigns() -> dict[str, str]:
    """Name of every campaign and the first line of what it says of itself."""
    found = {}
    for path in sorted(FOLDER.glob("[a-z]*.py")):
        if path.stem.startswith("test_"):
            continue
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        found[path.stem] = said.partition("\n")[0]
    return found


def main(arguments: list[str]) -> int:
    """Run one campaign, or all of them."""
    known = campaigns()
    if not arguments or arguments[0].startswith("-"):
        return whole(arguments, known)
    name, *rest = arguments
    if name not in known:
        print(f"There is no campaign {name!r}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    status: int = importlib.import_module(f"tests.campaigns.{name}").main(rest)
    return status


def whole(arguments: list[str], known: dict[str, str]) -> int:
    """Every part within one budget, on from where the last start stopped; a report; one line of JSON."""
    listed = "\n".join(f"  {name:<10} {said}" for name, said in known.items())
    parser = argparse.ArgumentParser(
        prog="./run campaign",
        description=f"{__doc__}\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=MINUTES, help="for all parts of this start (30)")
    parser.add_argument("--seeds", type=int, help="worlds of the simulator in this start, at most")
    parser.add_argument("--images", type=int, help="power-cut images in this start, at most")
    parser.add_argument("--inputs", type=int, help="fuzz inputs a parser in this start, at most")
    parser.add_argument("--kills", type=int, help="programs killed in this start, at most")
    parser.add_argument("--only", action="append", choices=tuple(SHARES), help="only this part; may be repeated")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier starts counted")
    parser.add_argument("--state", type=Path, default=STATE, help="folder of state and report (.state/campaign)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes side by side")
    asked = parser.parse_args(arguments)
    book = Book(asked.state, fresh=asked.fresh)
    start = time.monotonic()
    chosen = {name: share for name, share in SHARES.items() if not asked.only or name in asked.only}
    while chosen:
        name = next(iter(chosen))
        share = chosen[name] / sum(chosen.values())
        del chosen[name]
        budget = Budget(
            max(0.0, asked.minutes * 60 - (time.monotonic() - start)) * share,
            asked.workers, asked.seeds, asked.images, asked.inputs, asked.kills,
        )  # fmt: skip
        print(f"{name}: at most {budget.seconds:.0f} s …", flush=True)
        outcome: Outcome = importlib.import_module(f"tests.campaigns.{name}").part(budget, book.state_of(name))
        book.add(name, outcome)
        for line in (*outcome.told[:1], *outcome.failures[:5]):
            print(f"  {line}", flush=True)
    print(f"report: {book.report()}")
    summary = book.summary()
    print(json.dumps(summary))
    return 0 if is_clean(summary, book.failures()) else 1


def is_clean(summary: dict[str, Any], failures: list[str]) -> bool:
    """Whether nothing was lost, doubled or broken, and every planted fault was caught."""
    bad = ("acked_lost", "doubled", "invariant_failures")
    return (
        not failures
        and not any(summary[name] for name in bad)
        and summary["planted_caught"] == summary["planted_total"]
    )


class Book:
    """What all starts of one campaign counted: a file that the next start goes on from."""

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        """Open or begin. Raises ValueError for a file that is no state of ours."""
        self._folder = folder
        self._file = folder / "state.json"
        self._parts: dict[str, dict[str, Any]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        if self._file.exists() and not fresh:
            self._parts = json.loads(self._file.read_text(encoding="utf-8"))

    def state_of(self, name: str) -> State:
        """A part's own state."""
        state: State = self._part(name)["state"]
        return state

    def add(self, name: str, outcome: Outcome) -> None:
        """Count what a part counted, durably."""
        part = self._part(name)
        part["starts"] += 1
        part["figures"] = dict(Counter(part["figures"]) + outcome.figures)
        part["told"] = outcome.told
        kept = [] if name in ANEW else part["failures"]
        part["failures"] = [*kept, *outcome.failures]
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(self._parts, indent=1), encoding="utf-8")
        fresh.replace(self._file)

    def failures(self) -> list[str]:
        """Everything that went wrong in any start."""
        return [failure for part in self._parts.values() for failure in part["failures"]]

    def summary(self) -> dict[str, Any]:
        """The figures of all starts."""
        figures: Counter[str] = Counter()
        for part in self._parts.values():
            figures.update(part["figures"])
        hours = figures["site_milli_hours"] / 1000
        planted, mutation = self.state_of("planted"), self.state_of("mutation")
        return {
            "seeds": figures["seeds"],
            "site_years": round(hours / HOURS_A_YEAR, 3),
            "site_hours_per_second": round(hours / max(figures["simulation_milli_s"] / 1000, 1e-3), 1),
            "planted_total": planted.get("total", 0),
            "planted_caught": len(planted.get("caught", {})),
            "planted_median_seeds": planted.get("median", 0),
            "images": figures["images"],
            "kills": figures["kills"],
            "broker_kills": figures["broker_kills"],
            "injections": figures["injections"],
            "operations": figures["operations"],
            "inputs": figures["inputs"],
            "inputs_least": min((n for k, n in figures.items() if k.startswith("inputs_")), default=0),
            "mutants": mutation.get("mutants", 0),
            "mutants_killed": mutation.get("killed", 0),
            "acked_lost": figures["acked_lost"] + figures["lost"],
            "doubled": figures["doubled"],
            "invariant_failures": figures["invariant_failures"],
        }

    def report(self) -> Path:
        """Write the report for people; its path."""
        lines = ["# Campaign", "", f"Commit {commit()}; figures are of all starts since the state was fresh.", ""]
        lines += ["| figure | value |", "|---|---|", *(f"| {k} | {v} |" for k, v in self.summary().items()), ""]
        lines += ["## Failures", "", *(f"- {failure}" for failure in self.failures()), ""]
        if not self.failures():
            lines[-1:] = ["None.", ""]
        for name, part in self._parts.items():
            lines += [f"## {name}", "", f"{part['starts']} starts. Of the last one:", ""]
            lines += [*(f"- {line}" for line in part["told"]), ""]
            lines += [*(f"- {figure}, all starts: {count}" for figure, count in sorted(part["figures"].items())), ""]
        path = self._folder / "report.md"
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    def _part(self, name: str) -> dict[str, Any]:
        return self._parts.setdefault(name, {"state": {}, "starts": 0, "figures": {}, "told": [], "failures": []})


def commit() -> str:
    """What is campaigned against."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "unknown"


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets is part of a simulated life
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.campaigns", *sys.argv[1:]])
    sys.exit(main(sys.argv[1:]))
