"""A lock process to order and the real kiosk program beside it, with the first sentence of every language by voice alone."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import urllib.request
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from controller.kiosk.recordings import FIRST
from controller.kiosk.texts import SPOKEN
from tests.kiosk.kiosk_lock import READY, LockProcess
from tests.tools.ports import wait_until

ROOT = Path(__file__).parents[2]
VOICES = "voices"
RATE_HZ = 8_000


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
        for language in SPOKEN:
            record(Path(folder) / VOICES, language, FIRST)
        try:
            with kiosk_program(Path(folder), "panel.sock") as (url, process):
                yield Running(lock, url, process)
        finally:
            lock.stop()


def record(folder: Path, language: str, clip: str, hertz: int = 400) -> bytes:
    """A recording in a folder: half a second of a tone, so that each is told from the others; what lies there now."""
    made = io.BytesIO()
    with wave.open(made, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(RATE_HZ)
        sound.writeframes(bytes(255 * (moment * hertz // RATE_HZ % 2) for moment in range(RATE_HZ // 2)))
    (folder / language).mkdir(parents=True, exist_ok=True)
    (folder / language / f"{clip}.wav").write_bytes(made.getvalue())
    return made.getvalue()


@contextmanager
def kiosk_program(folder: Path, panel: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The kiosk program with its settings in `folder`, beside whatever serves the socket `panel`; its address and process.

    Its recordings are in the folder `VOICES` there.
    """
    (folder / VOICES).mkdir(exist_ok=True)
    config = folder / "kiosk.toml"
    config.write_text(
        f'[panel]\nsocket = "{panel}"\n[web]\nport = 0\n[help]\nphone = "04 00 00 00 00"\nname = "Nora"\n'
        f'[voice]\nrecordings = "{VOICES}"\n'
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
        url = line.split()[1].rstrip("/")
        wait_until(lambda: has_lock(url), "the kiosk has found its lock process", 20.0)
        yield url, process
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def has_lock(url: str) -> bool:
    """Whether the kiosk shows what its lock process says."""
    with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:
        return bool(json.load(answer)["lock_process"])


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """One kiosk for the tests of a module; ask for `kiosk`."""
    with running_kiosk() as kiosk:
        yield kiosk


@pytest.fixture
def kiosk(running: Running) -> Running:
    """The kiosk, ready, nothing sent yet."""
    running.lock.inputs.clear()
    running.lock.touches.clear()
    running.lock.show(READY)
    return running


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    """One page for the tests of a module, as large as the smaller screen of a desk; whoever changes its size sets it back."""
    page = chromium.new_page(viewport={"width": 1024, "height": 600})
    page.set_default_timeout(8000)
    yield page
    page.close()


@pytest.fixture
def folder_of(tmp_path: Path) -> Callable[[str], Path]:
    """Write a settings file and say where it is."""

    def write(text: str) -> Path:
        path = tmp_path / "kiosk.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write
