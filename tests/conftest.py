"""What every test may ask for: real servers on loopback, and an honest word about tools that are missing.

A test that needs a tool of Debian's takes its fixture, or calls `tests.tools.debian.need("strace")`. Without the tool
the test is skipped with a reason that starts `NEEDS`; such skips are listed at the end of the run together with the
apt line that brings the tool, and under CI they make the run fail.
"""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tools.debian import SKIP_PREFIX, apt_line, need, tools
from tests.tools.mosquitto import Mosquitto
from tests.tools.ports import free_port as find_free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.tools.postgres import Postgres

FIXTURE_MARKERS = {
    "mosquitto": "mosquitto",
    "mosquitto_factory": "mosquitto",
    "postgres_cluster": "postgres",
    "chromium": "chromium",
}
"""Who uses one of these fixtures carries the marker, so that ./run check can leave the test out."""

MISSING = pytest.StashKey[Counter[str]]()


# ------------------------------------------------------------------------------------------------------------- fixtures


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A test that leaves logging switched off would blind every later test of its process: it is the one that fails."""
    before = logging.root.manager.disable
    yield
    after = logging.root.manager.disable
    logging.disable(before)
    assert after == before, "this test leaves logging.disable changed for the tests after it"


@pytest.fixture
def free_port() -> int:
    """A loopback port nobody listens on."""
    return find_free_port()


@pytest.fixture
def free_ports() -> Callable[[int], list[int]]:
    """As many different free loopback ports as asked for."""

    def several(count: int) -> list[int]:
        found: set[int] = set()
        while len(found) < count:
            found.add(find_free_port())
        return sorted(found)

    return several


@pytest.fixture
def mosquitto_factory(tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    """Mosquittos to order: `mosquitto_factory(persistent=True, extra=("acl_file …",))`."""
    program = need("mosquitto")
    brokers: list[Mosquitto] = []

    def make(*, persistent: bool = False, extra: tuple[str, ...] = ()) -> Mosquitto:
        folder = tmp_path / f"mosquitto-{len(brokers) + 1}"
        brokers.append(Mosquitto(program, folder, persistent=persistent, extra=extra))
        return brokers[-1]

    yield make
    for broker in brokers:
        broker.close()


@pytest.fixture
def mosquitto(mosquitto_factory: Callable[..., Mosquitto]) -> Mosquitto:
    """A real Mosquitto on a loopback port (`.port`), that can be killed (`.kill()`) and come back (`.restart()`)."""
    return mosquitto_factory()


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Postgres]:
    """A throw-away PostgreSQL for the whole run; ask for `postgres_url` instead."""
    program = need("postgresql")
    from tests.tools.postgres import Postgres

    cluster = Postgres(program)
    yield cluster
    cluster.close()


@pytest.fixture
def postgres_url(postgres_cluster: Postgres) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database of the test's own."""
    url = postgres_cluster.new_database()
    yield url
    postgres_cluster.drop_database(url)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Headless Chromium as a Playwright browser (sync API); close the pages you open.

    One for each test module, not for the whole run: while Playwright's loop lives no other test of the thread may
    call `asyncio.run`.
    """
    need("libatomic")
    program = need("chromium")
    from tests.tools.browser import chromium as launch

    with launch(program, tmp_path_factory.mktemp("chromium-home")) as browser:
        yield browser


# ------------------------------------------------------------------------------------------------- markers and the word


def pytest_configure(config: pytest.Config) -> None:
    """Start counting what is missing."""
    config.stash[MISSING] = Counter()
    config.pluginmanager.register(MissingTools(config.stash[MISSING]), "missing-tools")


class MissingTools:
    """Counts the tests that a missing tool kept from running: in the one process that hears of every test."""

    def __init__(self, missing: Counter[str]) -> None:
        self._missing = missing

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Look at one outcome."""
        if report.skipped and isinstance(report.longrepr, tuple):
            found = re.match(rf"(?:Skipped: )?{SKIP_PREFIX}([\w-]+):", report.longrepr[2])
            if found:
                self._missing[found.group(1)] += 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the servers it uses; files with slow tests come first, so that none is waited for alone."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in FIXTURE_MARKERS:
                item.add_marker(FIXTURE_MARKERS[fixture])
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: item.path not in slow)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Under CI a missing tool is a failure: nothing may pass because it did not run."""
    if session.config.stash[MISSING] and os.environ.get("CI") and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which tests did not run, and the one line that would let them."""
    missing = config.stash[MISSING]
    if not missing:
        return
    write = terminalreporter.write_line
    terminalreporter.write_sep("!", "TOOLS ARE MISSING, THESE TESTS DID NOT RUN", red=True, bold=True)
    for name, count in sorted(missing.items()):
        write(f"  {name}: {count} test{'s' if count > 1 else ''} did not run ({tools()[name].why})", red=True)
    write("One line brings them:", red=True)
    write(f"  {apt_line(set(missing))}", red=True, bold=True)
