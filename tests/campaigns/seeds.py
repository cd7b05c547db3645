"""The simulator, one seed after another, side by side: whole networks, storms, and crowded lives of one bank. Options: --help.

Owns the counting. A network that breaks an invariant is told by `python -m tests.simulation SEED`, a storm or a bank by
`python -m tests.simulation SEED storm` or `bank`.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context

from tests.campaigns._parts import FAILURES_MAX, Budget, Outcome, State
from tests.simulation.random_site import STEPS, RandomSite
from tests.simulation.world import the_storm, the_world

HOUR_MS = 3_600_000
YEAR_H = 365.25 * 24
NETWORK_EVERY = 20
"""One seed of so many is a network of sites for days, and one a storm; the others are a bank that is never left alone, a hundredth of the
work: most of the time still goes to networks."""
WORLDS = {"network": "networks of two sites", "storm": "storms", "bank": "crowded banks"}


@dataclass(frozen=True, slots=True)
class Life:
    """One seed lived."""

    seed: int
    world: str
    site_hours: float
    seconds: float
    failure: str


def world_of(seed: int) -> str:
    """Where a seed is lived."""
    return {0: "network", NETWORK_EVERY // 2: "storm"}.get(seed % NETWORK_EVERY, "bank")


def live(seed: int, days: float | None = None) -> Life:
    """Live one seed; its virtual hours times its sites. Whatever goes wrong is its failure."""
    lived = world_of(seed)
    start, hours, failure = time.process_time(), 0.0, ""
    try:
        if lived != "bank":
            with the_world(seed) if lived == "network" else the_storm(seed) as world:
                try:
                    world.live(days)
                finally:
                    hours = world.schedule.now_ms * len(world.sites) / HOUR_MS
        else:
            bank = RandomSite(seed)
            try:
                bank.live(STEPS)
            finally:
                hours = bank.lived_ms / HOUR_MS
    except Exception as error:  # noqa: BLE001 a life that ends in any other way is a failure too
        again = f"python -m tests.simulation {seed}{'' if lived == 'network' else f' {lived}'}"
        failure = f"seed {seed}: {type(error).__name__}: {str(error).partition(chr(10))[0]} ({again})"
    return Life(seed, lived, hours, time.process_time() - start, failure)


def part(budget: Budget, state: State) -> Outcome:
    """Seed after seed until there are enough or the time is over."""
    outcome, count = Outcome(), 0
    seed = state.get("next_seed", 1)
    figures = outcome.figures
    with ProcessPoolExecutor(budget.workers, get_context("forkserver"), initializer=logging.disable) as pool:
        running: set[Future[Life]] = set()
        while running or budget.allows(count, budget.seeds):
            while len(running) < budget.workers and budget.allows(count + len(running), budget.seeds):
                running.add(pool.submit(live, seed))
                seed += 1
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for life in (future.result() for future in done):
                count += 1
                figures[f"{life.world}_seeds"] += 1
                figures[f"{life.world}_milli_hours"] += round(life.site_hours * 1000)
                figures[f"{life.world}_milli_s"] += round(life.seconds * 1000)
                if life.failure:
                    outcome.failures.append(life.failure)
    state["next_seed"] = seed
    figures["site_milli_hours"] = sum(figures[f"{where}_milli_hours"] for where in WORLDS)
    figures["simulation_milli_s"] = sum(figures[f"{where}_milli_s"] for where in WORLDS)
    figures.update(seeds=count, invariant_failures=len(outcome.failures))
    for where, what in WORLDS.items():
        hours, seconds = figures[f"{where}_milli_hours"] / 1000, figures[f"{where}_milli_s"] / 1000
        outcome.told.append(
            f"{figures[f'{where}_seeds']} {what}, {hours / YEAR_H:.2f} virtual site-years, "
            f"{hours / max(seconds, 1e-3):.0f} site-hours a second and core"
        )
    outcome.failures = outcome.failures[:FAILURES_MAX]
    return outcome


def main(arguments: list[str]) -> int:
    """Live so many worlds; 0 when every invariant held."""
    parser = argparse.ArgumentParser(prog="./run campaign seeds", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many worlds (100)")
    parser.add_argument("--from", type=int, default=1, dest="first", help="the first seed")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args(arguments)
    budget = Budget(asked.minutes * 60, workers=asked.workers, seeds=asked.seeds)
    outcome = part(budget, {"next_seed": asked.first})
    return outcome.tell()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
