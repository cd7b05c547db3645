"""`python -m tests.simulation SEED [DAYS | storm | bank [everybody]]`: live one network, storm or crowded bank again and tell its story.

Owns the command line. Exit 0: every invariant held; 1: one did not, and the last sentence says which.
"""

from __future__ import annotations

import logging
import os
import sys

from tests.simulation.random_site import STEPS, RandomSite
from tests.simulation.world import the_storm, the_world, trace


def main(arguments: list[str]) -> int:
    """Tell one world."""
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets is part of the story
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.simulation", *arguments],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    if not arguments:
        sys.stderr.write("usage: python -m tests.simulation SEED [DAYS | storm | bank [everybody]]\n")
        return 2
    logging.disable(logging.CRITICAL)
    if arguments[1:2] == ["bank"]:
        return tell_bank(int(arguments[0]), everybody=arguments[2:] == ["everybody"])
    seed, is_storm = int(arguments[0]), arguments[1:] == ["storm"]
    days = float(arguments[1]) if len(arguments) > 1 and not is_storm else None
    try:
        with the_storm(seed) if is_storm else the_world(seed) as world:
            world.live(days)
            sys.stdout.write("\n".join((str(world.drawn), *world.lines, "")))
            sys.stdout.write(f"seed {seed}: every invariant held; trace {trace(world)}\n")
    except AssertionError as broken:
        sys.stdout.write(f"{broken}\n")
        return 1
    return 0


def tell_bank(seed: int, *, everybody: bool) -> int:
    """Tell one crowded bank: what happened, and what the site wrote down of it."""
    bank, status = RandomSite(seed, everybody=everybody), 0
    try:
        bank.live(STEPS)
        last = f"seed {seed}: every invariant held"
    except AssertionError as broken:
        last, status = f"seed {seed}, step {len(bank.log)}: {broken}", 1
    sys.stdout.write("\n".join((*bank.story(), last, "")))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
