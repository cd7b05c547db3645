"""What the benches with a goal in milliseconds have in common: a person's patience is no ratio.

Owns the figures of such a bench, its verdict and its line in the log. Refuses to know what was measured.
"""

from __future__ import annotations

import json
import time
from pathlib import Path


def at(times: list[float], share: float) -> float:
    """The time that `share` of them, in ascending order, did not exceed."""
    return times[min(int(share * len(times)), len(times) - 1)]


def judge(bench: str, what: str, times: list[float], goal_ms: int, log: Path) -> int:
    """Print the figures of `times` (ms) and one JSON line, which is added to `log`; 0 unless p95 misses the goal."""
    times = sorted(times)
    result = {"p50_ms": round(at(times, 0.5)), "p95_ms": round(at(times, 0.95)), "max_ms": round(times[-1])}
    verdict = "kept" if result["p95_ms"] <= goal_ms else "missed"
    print(f"{what}, {len(times)} times")
    for name, value in result.items():
        print(f"  {name:7} {value:5}")
    print(f"  goal: p95 {goal_ms} ms  {verdict}")
    line = json.dumps({"bench": bench, "at": int(time.time()), "times": len(times), **result, "verdict": verdict})
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as file:
        file.write(line + "\n")
    print(line)
    return 0 if verdict == "kept" else 1
