"""A lock process to order and the real kiosk program beside it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kiosk.kiosk_lock import READY, LockProcess

ROOT = Path(__file__).parents[2]


@dataclass
class Running:
    """The kiosk program and its lock process."""

    lock: LockProcess
    url: str
    process: subprocess.Popen[str]


@contextmanager
def running_kiosk() -> Iterator[Running]:
    """The kiosk program with a lock process of its own."""
    with tempfile.TemporaryDirectory(prefix="kiosk-") as folder:
        lock = LockProcess(Path(folder) / "panel.sock")
        config = Path(folder) / "kiosk.toml"
        config.write_text(
            '[panel]\nsocket = "panel.sock"\n[web]\nport = 0\n[help]\nphone = "04 00 00 00 00"\nname = "Nora"\n'
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "controller.kiosk", "--config", str(config)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line.startswith("kiosk: http://"), line
            yield Running(lock, line.split()[1].rstrip("/"), process)
        finally:
            process.terminate()
            process.wait(10)
            process.stdout.close()
            lock.stop()


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """One kiosk for the tests of a module; ask for `kiosk`."""
    with running_kiosk() as kiosk:
        yield kiosk


@pytest.fixture
def kiosk(running: Running) -> Running:
    """The kiosk, ready, nothing sent yet."""
    running.lock.inputs.clear()
    running.lock.show(READY)
    return running


@pytest.fixture
def folder_of(tmp_path: Path) -> Callable[[str], Path]:
    """Write a settings file and say where it is."""

    def write(text: str) -> Path:
        path = tmp_path / "kiosk.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write
