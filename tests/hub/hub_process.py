"""A hub to test with: its settings file, and the whole program in a process of its own that can be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from copy import copy
from pathlib import Path
from typing import Any

from sqlalchemy import text

from hub.settings import Settings, read_settings
from hub.store.engine import Store
from tests.hub.hub_site import until

MASTER = "ab" * 32
ROOT = Path(__file__).parents[2]
START_S = 180.0
"""Whoever ends is told at once; whoever lives may be slow on a machine with other work."""


def write_settings(
    folder: Path, *, broker_port: int = 1, web_port: int = 0, store_url: str = "", notify: str = "", more: str = "",
    first: str = "",
) -> Path:  # fmt: skip
    """A settings file for a hub that everybody on this machine may use; `more` is of its broker, `first` of no section."""
    (folder / "master").write_text(MASTER)
    file = folder / "hub.toml"
    store = f'[store]\nurl = "{store_url}"\n' if store_url else ""
    file.write_text(
        f'{first}state_dir = "state"\nmaster_secret_file = "master"\n[broker]\nport = {broker_port}\n{more}'
        f"[web]\nport = {web_port}\n{store}[access]\nopen_on_loopback = true\n{notify}"
    )
    return file


class HubProcess:
    """`consigne-hub` as a process."""

    def __init__(self, folder: Path, *, broker_port: int, web_port: int, **settings: str) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{web_port}"
        self.file = write_settings(folder, broker_port=broker_port, web_port=web_port, **settings)
        self.settings: Settings = read_settings(self.file)
        self._what: tuple[str, ...] = ()
        self._process: subprocess.Popen[bytes] | None = None
        self._log = (folder / "hub.log").open("ab")

    def worker(self, kind: str, port: int) -> HubProcess:
        """One of several processes with this one's settings."""
        made = copy(self)
        made.url, made._what = f"http://127.0.0.1:{port}", ("serve", f"{kind}:{port}")
        made._process, made._log = None, (self.folder / "hub.log").open("ab")
        return made

    def run(self, *arguments: str, given: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "hub", "--config", str(self.file), *arguments],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
            input=given,
        )
        return done.stdout.strip()

    def start(self, *, waits: bool = True) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hub", "--config", str(self.file), *self._what],
            cwd=ROOT,
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        if waits:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        until(self._is_ready, f"the hub is ready; its log: {self.log()[-800:]}", START_S)

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)
        self._process = None

    def stop(self) -> int:
        assert self._process is not None
        self._process.terminate()
        code = self._process.wait(15)
        self._process = None
        return code

    def close(self) -> None:
        if self._process is not None:
            self.kill()
        self._log.close()

    def log(self) -> str:
        return (self.folder / "hub.log").read_text()

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=10) as response:
            return json.load(response)

    def post(self, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            self.url + path,
            data=json.dumps(body or {}).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            payload = response.read()
        return json.loads(payload) if payload else None

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        store = Store(self.settings.store_url)
        with store.reading() as connection:
            rows = [tuple(row) for row in connection.execute(text(query))]
        store.close()
        return rows

    def _is_ready(self) -> bool:
        assert self._process is None or self._process.poll() is None, self.log()[-2000:]
        try:
            return bool(self.get("/readyz")["ready"])
        except OSError:
            return False
