"""Mutants against the tests of their package: `python -m tests.mutation.session PACKAGE [--from N] [--sample N] …`.

Owns the running: the tests are collected and run once, so that it is known which of them come by which line; then each
mutant lives in a forked child, in which its function reads otherwise, and meets the tests of its line, the fastest first, until
one fails. Nothing on the disk changes. Refuses to know what a mutant is (`mutants`).

Why not a library: mutmut 3 changes only what is inside functions, which leaves out a fifth of this code (tables, bounds,
defaults, the words of the wire), and cosmic-ray changes the work tree and starts Python anew for each of five thousand mutants.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

import coverage
import pytest
from _pytest.runner import runtestprotocol
from hypothesis import HealthCheck, Phase, settings

from tests.mutation.equivalents import is_equivalent
from tests.mutation.mutants import ROOT, Enums, Mutant, enums, mutants_in, mutated

OURS: Final = ("controller", "firmware", "hub", "paper", "wire", "tests")
KEPT: Final = ("tests", "tests.mutation")
MUTANT_S_MIN: Final = 3.0
MUTANT_S_MAX: Final = 30.0
"""Seconds a mutant may take before it counts as noticed: it hangs."""
FRESH_S: Final = 60.0
"""The same for one whose module is imported anew with everything that uses it."""
MEMORY_BYTES: Final = 3 << 30
SURVIVED: Final = 0
NOTICED: Final = 1
NEEDS_FRESH: Final = 77
EXAMPLES: Final = 40

_QUIET: Final = (
    "-q", "-s", "--no-header", "--no-summary", "-p", "no:cacheprovider", "-p", "no:xdist",
    "-p", "no:cov", "--assert=plain", "-p", "no:faulthandler", "--timeout=0",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Package:
    """What is mutated, and the tests that answer for it: all of them run in this process and need no program."""

    name: str
    folder: str
    tests: tuple[str, ...]
    but: tuple[str, ...] = ()

    def test_files(self) -> list[str]:
        """The files, by name."""
        return [str(path.relative_to(ROOT)) for pattern in self.tests for path in sorted(ROOT.glob(pattern))]


PACKAGES: Final = {
    package.name: package
    for package in (
        Package("wire", "wire", ("tests/wire/test_*.py",)),
        Package("controller.core", "controller/core", ("tests/controller/test_core_*.py",)),
        Package("hub.core", "hub/core", ("tests/hub/test_hub_core*.py",)),
    )
}
FOLDERS: Final = [package.folder for package in PACKAGES.values()]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one mutant ended. `by`: the test that noticed it, or why it counts as noticed."""

    mutant: Mutant
    noticed: bool
    by: str
    seconds: float


class Hunt:
    """A pytest plugin: instead of running the collected tests once, it runs them against mutants."""

    def __init__(
        self,
        package: Package,
        mutants: Sequence[Mutant],
        known: Enums,
        *,
        seconds: float,
        workers: int,
        watch: Callable[[Verdict], None],
    ) -> None:
        self._package = package
        self._mutants = mutants
        self._known = known
        self._end = time.monotonic() + seconds
        self._workers = workers
        self._watch = watch
        self._lines: dict[tuple[str, int], set[int]] = defaultdict(set)
        self._seconds: dict[int, float] = {}
        self._kills: dict[str, Counter[int]] = defaultdict(Counter)
        self._items: list[pytest.Item] = []
        self.verdicts: list[Verdict] = []
        self.said = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Learn who comes by which line, then hunt."""
        self._items = session.items
        if session.testsfailed:
            self.said = "the tests cannot be collected"
            return True
        self._learn()
        if not self.said:
            gc.freeze()
            self._hunt()
        return True

    # ---------------------------------------------------------------------------------------------- which test, which line

    def _learn(self) -> None:
        measured = coverage.Coverage(
            data_file=None, branch=False, config_file=False, source=[str(ROOT / self._package.folder)]
        )
        measured.start()
        for number, item in enumerate(self._items):
            measured.switch_context(str(number))
            start = time.monotonic()
            failed = _fails(item)
            self._seconds[number] = time.monotonic() - start
            if failed:
                self.said = f"{item.nodeid} fails without any mutant: {failed}"
                break
        measured.stop()
        data = measured.get_data()
        for file in data.measured_files():
            relative = str(Path(file).relative_to(ROOT))
            for line, contexts in data.contexts_by_lineno(file).items():
                self._lines[relative, line].update(int(context) for context in contexts if context)

    def _chosen(self, mutant: Mutant) -> list[int]:
        """The tests that come by, those that noticed others of the same function first, then the fastest."""
        kills = self._kills[f"{mutant.file}:{mutant.scope}"]
        passing_by = self._lines.get((mutant.file, mutant.line), set())
        return sorted(passing_by, key=lambda number: (-kills[number], self._seconds[number]))

    # -------------------------------------------------------------------------------------------------------------- hunting

    def _hunt(self) -> None:
        running: dict[int, tuple[Mutant, float, list[int], int]] = {}
        waiting = iter(self._mutants)
        while True:
            while len(running) < self._workers and time.monotonic() < self._end:
                mutant = next(waiting, None)
                if mutant is None:
                    break
                chosen = self._chosen(mutant)
                pid, pipe = self._fork(mutant, chosen)
                running[pid] = (mutant, time.monotonic(), chosen, pipe)
            if not running:
                return
            pid, status = os.wait()
            mutant, start, chosen, pipe = running.pop(pid)
            with os.fdopen(pipe, "rb") as answer:
                said = answer.read().decode()
            if said.isdigit():
                self._kills[f"{mutant.file}:{mutant.scope}"][int(said)] += 1
                said = self._items[int(said)].nodeid
            survived = os.WIFEXITED(status) and os.WEXITSTATUS(status) == SURVIVED
            by = "" if survived else said or ("time" if os.WIFSIGNALED(status) else "the process ended")
            self.verdicts.append(Verdict(mutant, not survived, by, time.monotonic() - start))
            self._watch(self.verdicts[-1])

    def _fork(self, mutant: Mutant, chosen: list[int]) -> tuple[int, int]:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid:
            os.close(writer)
            return pid, reader
        status = NOTICED
        try:
            os.close(reader)
            _behave()
            status = self._meet(mutant, chosen, writer)
        finally:
            os._exit(status)

    def _meet(self, mutant: Mutant, chosen: list[int], writer: int) -> int:
        """In the child: the mutant against its tests."""
        own = sum(self._seconds[number] for number in chosen)
        signal.setitimer(signal.ITIMER_REAL, min(MUTANT_S_MIN + 5 * own, MUTANT_S_MAX))
        tree = mutated(mutant, self._known)
        if mutant.scope and chosen and _replaced_in_place(mutant, tree):
            for number in chosen:
                if _fails(self._items[number]):
                    os.write(writer, str(number).encode())
                    return NOTICED
            return SURVIVED
        signal.setitimer(signal.ITIMER_REAL, FRESH_S)
        return self._meet_anew(mutant, tree, writer)

    def _meet_anew(self, mutant: Mutant, tree: CodeType | Any, writer: int) -> int:
        """The mutated module and all that uses it imported anew, and every test of the package that comes by its file."""
        near = {number for (file, _), numbers in self._lines.items() if file == mutant.file for number in numbers}
        order = {item.nodeid: (number not in near, self._seconds[number]) for number, item in enumerate(self._items)}
        for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
            if not (name in KEPT or name.startswith("tests.mutation")):
                del sys.modules[name]
        sys.meta_path.insert(0, _Planter(mutant.module, tree))
        first = _First(order)
        with contextlib.redirect_stderr(None):
            status = pytest.main([*_QUIET, "-x", *self._package.test_files()], plugins=[first])
        if status == pytest.ExitCode.OK:
            return SURVIVED
        os.write(writer, (first.failed or "it cannot be imported").encode())
        return NOTICED


class _First:
    """Sorts the tests of a child, and keeps the name of the one that fails."""

    def __init__(self, order: dict[str, tuple[bool, float]]) -> None:
        self._order = order
        self.failed = ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self._order.get(item.nodeid, (True, 0.0)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = report.nodeid


class _Planter(MetaPathFinder):
    """Finds the one module that reads otherwise."""

    def __init__(self, module: str, tree: Any) -> None:
        self._module = module
        self._tree = tree

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's own spec with a loader that plants."""
        if fullname != self._module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = _Mutated(fullname, spec.origin, self._tree)
        return spec


class _Mutated(SourceFileLoader):
    """Compiles the changed tree; the cache of compiled files is neither read nor written."""

    def __init__(self, fullname: str, path: str, tree: Any) -> None:
        super().__init__(fullname, path)
        self._tree = tree

    def get_code(self, fullname: str) -> CodeType | None:
        """The module with the change in it."""
        code: CodeType = compile(self._tree, self.path, "exec")
        return code


def _behave() -> None:
    """A child is silent, and can neither hang nor eat the machine."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)


def _fails(item: pytest.Item) -> str:
    """What one test says when it fails; empty when it passes or is skipped."""
    for report in runtestprotocol(item, log=False, nextitem=None):
        if report.failed:
            return str(report.longrepr).strip().rpartition("\n")[2]
    return ""


def _replaced_in_place(mutant: Mutant, tree: Any) -> bool:
    """Give the living function the changed code; False where that cannot be done."""
    module = importlib.import_module(mutant.module)
    thing: Any = module
    for name in mutant.scope.split("."):
        thing = vars(thing).get(name)
        thing = thing.fget if isinstance(thing, property) else getattr(thing, "__wrapped__", thing)
    if not isinstance(thing, FunctionType):
        return False
    code = next(
        (
            code
            for code in _codes(compile(tree, str(ROOT / mutant.file), "exec"))
            if code.co_qualname == mutant.scope and code.co_firstlineno == thing.__code__.co_firstlineno
        ),
        None,
    )
    if code is None or code.co_freevars != thing.__code__.co_freevars:
        return False
    thing.__code__ = code
    return True


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def hunt(
    package: Package,
    mutants: Sequence[Mutant],
    known: Enums,
    *,
    seconds: float = 1e9,
    workers: int = 1,
    watch: Callable[[Verdict], None] = lambda verdict: None,
) -> list[Verdict]:
    """The verdict on each mutant, as far as the time allows. Raises ValueError when the tests fail by themselves.

    To be called in a process that has imported nothing of the package and runs no tests of its own.
    """
    settings.register_profile(
        "mutation",
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=EXAMPLES,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutation")
    plugin = Hunt(package, mutants, known, seconds=seconds, workers=workers, watch=watch)
    with Path(os.devnull).open("w", encoding="utf-8") as silence, contextlib.redirect_stdout(silence):
        status = pytest.main([*_QUIET, *package.test_files()], plugins=[plugin])
    if plugin.said or status not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        raise ValueError(plugin.said or f"pytest ended with {status!r}")
    return plugin.verdicts


def main(arguments: list[str]) -> int:
    """Hunt a stretch of the mutants of one package; one line of JSON for each, and one at the end."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        os.execve(sys.executable, [sys.executable, "-m", "tests.mutation.session", *arguments], environment)
    parser = argparse.ArgumentParser(prog="python -m tests.mutation.session", description=__doc__)
    parser.add_argument("package", choices=tuple(PACKAGES))
    parser.add_argument(
        "--from", type=int, default=0, dest="first", help="the first mutant, in their fixed random order"
    )
    parser.add_argument("--sample", type=int, default=sys.maxsize, help="how many mutants")
    parser.add_argument("--file", default="", help="only mutants of files whose name contains this")
    parser.add_argument("--line", type=int, default=0, help="only mutants of this line")
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--slow", type=float, default=0.0, help="tell those too that took longer than so many seconds")
    asked = parser.parse_args(arguments)
    known = enums(FOLDERS)
    package = PACKAGES[asked.package]
    every = [mutant for mutant in mutants_in(package.folder, known) if not is_equivalent(mutant)]
    wanted = [mutant for mutant in every if asked.file in mutant.file and asked.line in {0, mutant.line}][
        asked.first : asked.first + asked.sample
    ]
    out = sys.stdout

    def tell(verdict: Verdict) -> None:
        if not verdict.noticed:
            print(json.dumps({"survivor": str(verdict.mutant)}, ensure_ascii=False), file=out, flush=True)
        elif asked.slow and verdict.seconds > asked.slow:
            print(json.dumps({"slow": str(verdict.mutant), "s": round(verdict.seconds, 1), "by": verdict.by}), file=out)

    verdicts = hunt(package, wanted, known, seconds=asked.seconds, workers=asked.workers, watch=tell)
    said = {
        "package": package.name,
        "total": len(every),
        "equivalent": len(mutants_in(package.folder, known)) - len(every),
        "mutants": len(verdicts),
        "killed": sum(verdict.noticed for verdict in verdicts),
        "by_time": sum(verdict.by == "time" for verdict in verdicts),  # on a crowded machine: not all of them hung
    }
    print(json.dumps(said))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
