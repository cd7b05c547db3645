"""The servers that other tests lean on do what they say."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tools.mosquitto import Mosquitto
from tests.tools.ports import accepts

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[2]


def test_a_killed_mosquitto_is_gone_and_comes_back_on_the_same_port(mosquitto: Mosquitto):
    port, first = mosquitto.port, mosquitto.pid
    mosquitto.kill()
    assert not accepts(port)
    mosquitto.restart()
    assert accepts(port)
    assert (mosquitto.port, mosquitto.pid != first) == (port, True)


def test_a_persistent_mosquitto_remembers_a_retained_message(mosquitto_factory: Callable[..., Mosquitto]):
    from paho.mqtt import publish, subscribe

    broker = mosquitto_factory(persistent=True)
    publish.single("house/word", b"kept", qos=1, retain=True, hostname=broker.host, port=broker.port)
    broker.restart()
    message = subscribe.simple("house/word", hostname=broker.host, port=broker.port)  # type: ignore[no-untyped-call]
    assert message.payload == b"kept"


def test_each_postgres_database_is_empty_and_its_own(postgres_url: str):
    import sqlalchemy

    engine = sqlalchemy.create_engine(postgres_url)
    with engine.begin() as connection:
        assert sqlalchemy.inspect(connection).get_table_names() == []
        connection.execute(sqlalchemy.text("CREATE TABLE left_behind (word TEXT)"))
    engine.dispose()


test_the_next_postgres_database_is_empty_again = test_each_postgres_database_is_empty_and_its_own


def test_chromium_draws_a_page(chromium: Browser):
    page = chromium.new_page()
    page.set_content("<p id=word>Bonjour</p>")
    assert page.inner_text("#word") == "Bonjour"
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_a_missing_tool_is_said_loudly_and_fails_under_ci(tmp_path: Path, ci: str, status: int):
    """A whole pytest on a machine whose table names a tool that no machine has."""
    tests = tmp_path / "tests"
    (tests / "tools").mkdir(parents=True)
    for name in ("conftest.py", "tools/debian.py", "tools/ports.py", "tools/mosquitto.py"):
        (tests / name).write_text((ROOT / "tests" / name).read_text())
    (tests / "debian.toml").write_text(
        '[unobtainium]\nprograms = ["unobtainium"]\npackages = ["unobtainium-bin"]\nwhy = "nothing"\n'
    )
    (tests / "test_it.py").write_text(
        "from tests.tools.debian import need\ndef test_a(): need('unobtainium')\ndef test_b(): pass\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\naddopts = --import-mode=importlib\n")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path,
        env={**os.environ, "CI": ci, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "unobtainium: 1 test did not run" in done.stdout
    assert "apt-get install --no-install-recommends unobtainium-bin" in done.stdout
    assert done.stdout.rstrip().splitlines()[-1].startswith("=")
    assert done.returncode == status, done.stdout
