"""Faults on real processes: system calls that fail or kill, cables, frozen programs, leaks. Options: --help.

Every nth write and sync of the journal's and of the hub's database files fails with every error, or kills, while a parcel is
announced, loaded and collected; one long life counts memory, files and threads; a world of all programs is cut and frozen.
What this machine does not permit (strace, namespaces, Mosquitto) is told as not done, never as passed.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from demo.story import StoryBroke
from demo.world import DidNotStart, Site
from tests.campaigns._parts import Budget, Outcome, State
from tests.controller.controller_site import end_all
from tests.faults.cut_world import CutWorld
from tests.faults.injected_hub import Blow, InjectedHub
from tests.faults.injected_site import CALLS, ERRORS, Fault, InjectedSite
from tests.faults.long_life import LongLife, leaks
from tests.faults.own_namespace import MOUNTS, NETWORK, OwnNamespace
from tests.faults.tracing import need_tracing
from tests.tools.debian import need

STORY_WRITES: Final = 30
"""More writes than the story has: what is not struck any more is told, so that a longer story is noticed."""
STORY_SYNCS: Final = 14
START_WRITES: Final = 300
"""A start writes the journal's first pages, and the whole of its log of the day."""
START_WRITES_ALL: Final = 12
"""The first ones are tried one by one, and then every thirteenth: they fill the log with zeros."""
START_WRITES_STEP: Final = 13
START_SYNCS: Final = 8
HUB_WRITES: Final = 24
HUB_SYNCS: Final = 8
FAULT_S: Final = 30.0
"""A fault is not begun with less time left than this."""
SITE_SHARE: Final = 0.4
"""Of the time, for the lock process."""
LIFE_SHARE: Final = 0.2
"""Of the time, for the long life."""
HUB_SHARE: Final = 0.2
"""Of the time, for the hub; the world of all programs has the rest."""
WORLD_S: Final = 150.0
"""A world is not begun with less time left than this: it has to start, and to come to rest."""
ROUND_S: Final = 60.0
SILENCE_S: Final = (1.0, 50.0)
"""So long a program is frozen or a cable pulled: less and more than a keepalive notices (45 s)."""
OPERATIONS_S: Final = 300
"""Operations of a long life in a second, at least: reading, deciding, one sync each."""
OPERATIONS_MIN: Final = 20_000
"""A shorter life says nothing of what levels off."""
SHUFFLE_SEED: Final = 3


def site_faults() -> list[Fault]:
    """Every fault of the lock process, in an order that looks everywhere early."""
    starts = [*range(1, START_WRITES_ALL + 1), *range(START_WRITES_ALL, START_WRITES, START_WRITES_STEP)]
    ranges = {
        ("pwrite64", False): range(1, STORY_WRITES + 1),
        ("fdatasync", False): range(1, STORY_SYNCS + 1),
        ("pwrite64", True): sorted(set(starts)),
        ("fdatasync", True): range(1, START_SYNCS + 1),
    }
    found = [Fault(call, what, nth, start) for (call, start), nths in ranges.items() for nth in nths for what in ERRORS]
    random.Random(SHUFFLE_SEED).shuffle(found)
    return found


def hub_blows() -> list[Blow]:
    """Every blow of the hub, in an order that looks everywhere early."""
    most = {"pwrite64": HUB_WRITES, "fdatasync": HUB_SYNCS}
    found = [Blow(call, what, nth) for call in CALLS for nth in range(1, most[call] + 1) for what in ERRORS]
    random.Random(SHUFFLE_SEED).shuffle(found)
    return found


def part(budget: Budget, state: State) -> Outcome:
    """On from the fault where the last start stopped, round after round."""
    counted = Outcome()
    operations = int(budget.seconds * LIFE_SHARE * OPERATIONS_S)
    if operations >= OPERATIONS_MIN:
        _live_long(counted, operations)
    if _is_missing(counted, need_tracing):
        return counted
    _strike_the_site(counted, state, Budget(budget.seconds * SITE_SHARE, kills=budget.kills))
    if not _is_missing(counted, lambda: need("mosquitto")):
        _strike_the_hub(counted, state, Budget(budget.seconds * HUB_SHARE, kills=budget.kills))
        if budget.left_s > WORLD_S:
            _cut_the_world(counted, state, budget)
    return counted


def _is_missing(counted: Outcome, look: Callable[[], object]) -> bool:
    try:
        look()
    except pytest.skip.Exception as skipped:
        counted.told.append(f"not done: {skipped}")
        return True
    return False


def _live_long(counted: Outcome, operations: int) -> None:
    with _folder() as folder:
        site = LongLife(folder)
        readings = site.live(operations)
        site.journal.verify()
        site.end()
    counted.figures["operations"] += readings[-1].operations
    middle, last = readings[len(readings) // 2], readings[-1]
    counted.told.append(f"one life of {last.operations} operations, in its middle {middle}, at its end {last}")
    for leak in leaks(readings):
        _broke(
            counted,
            f"faults, a life of {operations} operations: {leak}",
            f"./run campaign faults --operations {operations}",
        )


def _strike_the_site(counted: Outcome, state: State, budget: Budget) -> None:
    every = site_faults()
    done = struck = lives = 0
    for nth in count(state.get("next_site", 0)):
        if not budget.allows(done, budget.kills) or budget.left_s < FAULT_S:
            break
        fault = every[nth % len(every)]
        state["next_site"] = nth + 1
        done += 1
        with _folder() as folder:
            outcome = _told(folder, fault, counted)
        struck += outcome[0]
        lives += outcome[1]
    counted.told.append(f"lock process: {done} stories of {len(every)} faults, {struck} struck, {lives} lives")


def _told(folder: Path, fault: Fault, counted: Outcome) -> tuple[int, int]:
    """One story; whether the fault struck, and how many lives it took."""
    try:
        told = InjectedSite(folder, fault).tell()
    except (AssertionError, StoryBroke, subprocess.TimeoutExpired) as broken:
        end_all()
        _broke(counted, f"faults, {fault}: {broken}", f"./run campaign faults --fault {fault}")
        return 0, 0
    counted.figures.update(injections=int(told.struck), lost=told.lost, doubled=told.doubled, stories=1)
    if not told.is_well:
        _broke(counted, f"faults, {fault}: {told}", f"./run campaign faults --fault {fault}")
    return int(told.struck), told.lives


def _strike_the_hub(counted: Outcome, state: State, budget: Budget) -> None:
    every = hub_blows()
    done = struck = died = 0
    with _folder() as folder:
        world = InjectedHub(folder)
        try:
            world.start()
            for nth in count(state.get("next_hub", 0)):
                if not budget.allows(done, budget.kills) or budget.left_s < FAULT_S:
                    break
                blow = every[nth % len(every)]
                state["next_hub"] = nth + 1
                books = world.strike(blow)
                done, struck, died = done + 1, struck + books.struck, died + books.died
                counted.figures.update(injections=int(books.struck), acked_lost=books.acked_lost, doubled=books.doubled)
                if not books.is_well:
                    _broke(counted, f"faults, {blow}: {books}", f"./run campaign faults --fault {blow}")
        except AssertionError as broken:
            _broke(counted, f"faults, hub after {done} blows: {broken}", "./run campaign faults")
        finally:
            world.close()
    counted.told.append(f"hub: {done} blows of {len(every)}, {struck} struck, {died} deaths, all facts once after each")


def _cut_the_world(counted: Outcome, state: State, budget: Budget) -> None:
    """Rounds of one fault each in one world of all programs, then its ledger."""
    seed = state["next_world"] = state.get("next_world", 0) + 1
    again = f"./run campaign faults --world {seed}"
    try:
        namespace = OwnNamespace(MOUNTS | NETWORK)
    except pytest.skip.Exception as skipped:
        counted.told.append(f"not done: {skipped}")
        return
    try:
        with _folder() as folder:
            rounds = namespace.run(lambda: _rounds(folder, random.Random(seed), counted, budget, again))
        counted.told.append(f"world {seed}: {'; '.join(rounds)}")
    except pytest.skip.Exception as skipped:
        counted.told.append(f"not done: {skipped}")
    except (AssertionError, StoryBroke, DidNotStart) as broken:
        _broke(counted, f"faults, world {seed}: {broken}", again)
    finally:
        namespace.close()


def _rounds(folder: Path, chance: random.Random, counted: Outcome, budget: Budget, again: str) -> list[str]:
    world = CutWorld(folder / "state")
    told: list[str] = []
    world.start()
    try:
        while budget.left_s > ROUND_S + SILENCE_S[1]:
            told.append(_round(world, chance))
            counted.figures["cuts"] += 1
        world.come_to_rest()
        ledger = world.books()
    finally:
        world.stop()
    counted.figures.update(lost=ledger.lost, doubled=ledger.doubled)
    if not ledger.balances:
        _broke(counted, f"faults, the books after {told} do not balance: {ledger.as_json()}", again)
    return told


def _round(world: CutWorld, chance: random.Random) -> str:
    """A parcel is in; something breaks; its customer is served all the same; it is whole again, and all is told."""
    what = chance.choice(("cable", "hub", "broker", "kiosk", "broker forgets"))
    seconds = round(chance.uniform(*SILENCE_S), 1)
    site = world.far if what == "cable" else world.near
    parcel = world.stored(site)
    key = world.key(parcel)
    if what == "cable":
        world.pull()
        _served(world, site, parcel, key, seconds)
        world.plug()
    elif what == "broker forgets":
        world.broker_dies_and_forgets()
        _served(world, site, parcel, key, seconds)
        world.broker.start()
    else:
        with world.frozen(site.kiosk if what == "kiosk" else world.program(what)):
            _served(world, site, parcel, key, seconds)
    world.come_to_rest()
    return f"{what} {seconds} s"


def _served(world: CutWorld, site: Site, parcel: str, key: str, seconds: float) -> None:
    begun = time.monotonic()
    world.collected_at_once(site, parcel, key)
    time.sleep(max(0.0, seconds - (time.monotonic() - begun)))


def _broke(counted: Outcome, story: str, again: str) -> None:
    counted.figures["invariant_failures"] += 1
    counted.failures.append(f"{' '.join(story.split())[:600]} · again: {again}")


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="consigne-faults-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _one(word: str) -> Outcome:
    """One fault again, as a failure names it."""
    counted = Outcome()
    where, call, what, nth = word.split(":")
    with _folder() as folder:
        if where == "hub":
            world = InjectedHub(folder)
            try:
                world.start()
                counted.told.append(str(world.strike(Blow(call, what, int(nth)))))
            finally:
                world.close()
        else:
            _told(folder, Fault(call, what, int(nth), at_start=where == "start"), counted)
    return counted


def main(arguments: list[str]) -> int:
    """Run the campaign; 0 when nothing was lost, doubled or opened without its cause. The last line is one JSON object."""
    parser = argparse.ArgumentParser(prog="./run campaign faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long (30)")
    parser.add_argument("--fault", help="only this one, named as a failure names it: story:pwrite64:error=EIO:3")
    parser.add_argument("--world", type=int, help="only the world of this seed, cut and frozen")
    parser.add_argument("--operations", type=int, help="only one long life of so many operations, and whether it leaks")
    asked = parser.parse_args(arguments)
    counted = Outcome()
    if asked.operations:
        _live_long(counted, asked.operations)
    elif asked.world:
        _cut_the_world(counted, {"next_world": asked.world - 1}, Budget(asked.minutes * 60))
    else:
        counted = _one(asked.fault) if asked.fault else part(Budget(asked.minutes * 60), {})
    return counted.tell()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
