"""Deliberate bugs, and whether the simulator finds them: `python -m tests.simulation.planting [NAME …] [--seeds N]`.

Owns the planting: a fault is a piece of a source file that reads otherwise while the file is imported; nothing on the disk
changes. Refuses to know what the invariants are. A fault that no seed catches is a hole in the simulator: mend the simulator.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import logging
import os
import statistics
import sys
import time
import tomllib
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = Path(__file__).with_name("planted")
SEEDS: Final = 400
"""Lives a fault is hunted in before it counts as not caught."""
OURS: Final = ("controller", "firmware", "hub", "wire", "tests")
FEW: Final = 30
"""Where a fault of a bank says what it needs, not many others come: what it needs comes about more often."""
PATIENCE_S: Final = 900.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One bug. `old` stands exactly once in `file`; `world` is where it is hunted: `site`, `network` or `storm`.

    `needs` says what the weather of a storm must have for the fault to show, by the names of its figures: `lost`, `no lost`,
    `lost > 0.1`, `lost < 0.1`; of a bank, what is done there (`force`). Lives that cannot show it are passed over.
    """

    name: str
    file: str
    story: str
    old: str
    new: str
    world: str = "site"
    needs: Sequence[str] = ()

    @property
    def module(self) -> str:
        """The module it is planted in."""
        return self.file.removesuffix(".py").replace("/", ".")

    def applied(self, source: str) -> str:
        """The source with the fault in it. Raises ValueError when it does not fit."""
        if source.count(self.old) != 1:
            message = f"{self.name}: the text to replace stands {source.count(self.old)} times in {self.file}"
            raise ValueError(message)
        return source.replace(self.old, self.new)


@dataclass(frozen=True, slots=True)
class Catch:
    """How the hunt for one fault ended. `lives`: how many seeds were lived, the catching one included; `seed`: the last."""

    name: str
    caught: bool
    lives: int
    seed: int
    said: str
    seconds: float


def faults() -> list[Fault]:
    """Every planted fault, by file and name."""
    files = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml"))]
    return [Fault(**entry) for file in files for entry in file["fault"]]


class _Planter(MetaPathFinder):
    """Finds the one module that is to read otherwise."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's own spec with a loader that plants."""
        if fullname != self._fault.module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = _Faulty(fullname, spec.origin, self._fault)
        return spec


class _Faulty(SourceFileLoader):
    """Compiles the changed source; the cache of compiled files is neither read nor written."""

    def __init__(self, fullname: str, path: str, fault: Fault) -> None:
        super().__init__(fullname, path)
        self._fault = fault

    def get_code(self, fullname: str) -> CodeType | None:
        """The module with the fault in it."""
        source = self._fault.applied(Path(self.path).read_text(encoding="utf-8"))
        code: CodeType = self.source_to_code(source.encode(), self.path)
        return code


def plant(fault: Fault) -> None:
    """From now on the module reads otherwise. Nothing of ours may have been imported yet."""
    early = [
        name
        for name in sys.modules
        if name.partition(".")[0] in OURS and not name.startswith("tests.simulation.planting")
    ]
    ours = [name for name in early if name not in {"tests", "tests.simulation"}]
    assert not ours, f"imported before the planting: {ours[:3]}"
    sys.meta_path.insert(0, _Planter(fault))


def live(world: str, seed: int) -> None:
    """One life. Raises AssertionError, or whatever the fault makes fail, when it goes wrong."""
    if world == "site":
        from tests.simulation.random_site import STEPS, RandomSite

        RandomSite(seed).live(STEPS)
        return
    from tests.simulation.world import the_storm, the_world

    with the_storm(seed) if world == "storm" else the_world(seed) as lived:
        lived.live()


def _is_lived_at_all(world: str) -> bool:
    """Whether the simulator itself can be imported: what is broken there is no catch."""
    try:
        importlib.import_module("tests.simulation.random_site" if world == "site" else "tests.simulation.world")
    except Exception:  # noqa: BLE001 whatever is broken there is told
        traceback.print_exc()
        return False
    return True


def may_show(fault: Fault, seed: int) -> bool:
    """Whether the weather of a seed, or whoever comes to its bank, has all the fault needs."""
    if not fault.needs:
        return True
    if fault.world == "site":
        from tests.simulation.random_site import people_of

        coming = people_of(seed)
        return coming.issuperset(fault.needs) and len(coming) <= FEW
    from tests.simulation.weather import storm

    weather = storm(seed)
    return all(_has(weather, need.split()) for need in fault.needs)


def _has(weather: object, need: Sequence[str]) -> bool:
    match need:
        case ["no", name]:
            return not getattr(weather, name)
        case [name, ">", bound]:
            return bool(getattr(weather, name) > float(bound))
        case [name, "<", bound]:
            return bool(getattr(weather, name) < float(bound))
        case [name]:
            return bool(getattr(weather, name))
        case _:
            raise ValueError(f"a storm has no {' '.join(need)}")


def hunt(fault: Fault, first: int, most: int, patience_s: float = PATIENCE_S) -> Catch:
    """Live one seed after another with the fault planted, until one goes wrong; `most`: how many lives."""
    plant(fault)
    start = time.monotonic()
    if not _is_lived_at_all(fault.world):
        return Catch(fault.name, False, 0, first, "", 0.0)
    logging.disable(logging.CRITICAL)
    lives, seed = 0, first
    for seed in itertools.islice((seed for seed in itertools.count(first) if may_show(fault, seed)), most):
        lives += 1
        try:
            live(fault.world, seed)
        except Exception as error:  # noqa: BLE001 whatever goes wrong is a catch
            said = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            return Catch(fault.name, True, lives, seed, said, time.monotonic() - start)
        if time.monotonic() - start > patience_s:
            break
    return Catch(fault.name, False, lives, seed, "", time.monotonic() - start)


def hunt_apart(fault: Fault, first: int, most: int, patience_s: float = PATIENCE_S) -> Catch:
    """`hunt` in a child process, so that the fault is gone afterwards. Raises ValueError when it does not fit its file."""
    fault.applied((ROOT / fault.file).read_text(encoding="utf-8"))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            caught = hunt(fault, first, most, patience_s)
            os.write(writer, json.dumps(asdict(caught)).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    if not answer:
        return Catch(fault.name, True, 1, first, "the process did not survive it", 0.0)
    return Catch(**json.loads(answer))


def main(arguments: list[str]) -> int:
    """Hunt the named faults, or all; 0 when every one was caught."""
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets is part of a life
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        os.execve(sys.executable, [sys.executable, "-m", "tests.simulation.planting", *arguments], environment)
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.planting", description=__doc__)
    parser.add_argument("names", nargs="*", help="faults to hunt; all when none is named")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="lives before a fault counts as not caught")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--world", choices=("site", "storm", "network"), help="only the faults hunted there")
    options = parser.parse_args(arguments)
    chosen = [
        fault
        for fault in faults()
        if (not options.names or fault.name in options.names) and options.world in {None, fault.world}
    ]
    catches = list(_hunted(chosen, options.first, options.seeds))
    missed = [catch.name for catch in catches if not catch.caught]
    lives = [catch.lives for catch in catches if catch.caught]
    print(
        f"{len(lives)} of {len(catches)} caught, median {statistics.median(lives or [0]):.0f} lives; missed: {missed}"
    )
    return 1 if missed else 0


def _hunted(chosen: Sequence[Fault], first: int, most: int) -> Iterator[Catch]:
    for fault in chosen:
        catch = hunt_apart(fault, first, most)
        word = (
            f"seed {catch.seed:<5} {catch.lives:>4} lives {catch.seconds:6.1f} s  {catch.said}"
            if catch.caught
            else "NOT CAUGHT"
        )
        print(f"{fault.name:<36} {word}", flush=True)
        yield catch


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
