"""Power-cut images of the journal and the hub's database: every write boundary, what was not synced lost, torn or reordered. Options: --help.

The recordings are those of `tests.crash`; a seed is one recorded day of a site or of a hub.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import Final

from tests.campaigns._parts import FAILURES_MAX, Budget, Outcome, State
from tests.crash.books import Books, Tally, replay
from tests.crash.hub_books import HubBooks
from tests.crash.site_books import SiteBooks

BOOKS: Final[tuple[Books, ...]] = (SiteBooks(), HubBooks())


def one(seed: int, until_s: float) -> Tally:
    """The images of one recorded day; sites and hubs in turn."""
    return replay(BOOKS[seed % len(BOOKS)], seed, until_s=until_s)


def part(budget: Budget, state: State) -> Outcome:
    """Day after day, side by side, until there are enough images or the time is over."""
    tally, start = Tally(), time.monotonic()
    until_s = budget.begun + budget.seconds
    seed = state.get("next_seed", 1)
    with ProcessPoolExecutor(budget.workers, get_context("forkserver"), initializer=logging.disable) as pool:
        running: set[Future[Tally]] = set()
        while budget.allows(tally.images, budget.images) or running:
            while len(running) < budget.workers and budget.allows(tally.images, budget.images):
                running.add(pool.submit(one, seed, until_s))
                seed += 1
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                tally.add(future.result())
    state["next_seed"] = seed
    outcome = Outcome(failures=tally.stories[:FAILURES_MAX])
    outcome.figures.update(
        images=tally.images,
        recordings=tally.recordings,
        acked_lost=tally.acked_lost,
        corrupt_images=tally.corrupt,
        invariant_failures=tally.corrupt,
    )
    rate = tally.images / max(time.monotonic() - start, 1e-3)
    outcome.told.append(
        f"{tally.images} images of {tally.recordings} recorded days, {rate:.0f}/s on {budget.workers} processes"
    )
    outcome.told += [f"{kind}: {count} images" for kind, count in sorted(tally.kinds.items())]
    outcome.told += [f"unsynced writes {fate}: {count} images" for fate, count in sorted(tally.fates.items())]
    return outcome


def main(arguments: list[str]) -> int:
    """Look at so many images; 0 when nothing acknowledged was lost and nothing was corrupt."""
    parser = argparse.ArgumentParser(prog="./run campaign images", description=__doc__)
    parser.add_argument("--images", type=int, default=100_000, help="how many, at least (100000)")
    parser.add_argument("--seed", type=int, default=1, help="the first recorded day")
    parser.add_argument("--minutes", type=float, default=30.0, help="stop after so long (30)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes side by side")
    asked = parser.parse_args(arguments)
    budget = Budget(asked.minutes * 60, workers=asked.workers, images=asked.images)
    outcome = part(budget, {"next_seed": asked.seed})
    return outcome.tell()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
