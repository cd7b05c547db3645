"""A throw-away PostgreSQL cluster: a folder, a port and one fresh database for each test.

Owns the cluster's processes and files. Knows no table. PostgreSQL refuses to run as root, so root lends it
Debian's `postgres` user (or `nobody`).
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg

from tests.tools.ports import LOOPBACK, accepts, free_port, wait_until

START_TRIES = 5
SETTINGS = {
    "fsync": "off",  # nobody grieves for this cluster after a power cut
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "log_min_messages": "warning",
}


class Postgres:
    """One cluster. `new_database` gives the URL of an empty database in it."""

    def __init__(self, initdb: str) -> None:
        """`initdb` is the path of that program; its neighbours are used as well."""
        self._programs = Path(initdb).parent
        self._folder = Path(tempfile.mkdtemp(prefix="consigne-pg-"))
        self._as: dict[str, Any] = _unprivileged(self._folder)
        self._numbers = itertools.count(1)
        self._run("initdb", "-D", str(self._data), "-U", "consigne", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        for _ in range(START_TRIES):
            self.port = free_port()
            if self._start():
                return
        raise RuntimeError(f"PostgreSQL did not start; its log:\n{self.log()}")

    def new_database(self) -> str:
        """An empty database; the URL is SQLAlchemy's, for psycopg 3."""
        name = f"test_{next(self._numbers)}"
        self._execute(f'CREATE DATABASE "{name}"')
        return f"postgresql+psycopg://consigne@{LOOPBACK}:{self.port}/{name}"

    def drop_database(self, url: str) -> None:
        """Remove one database, with whoever is still connected to it."""
        name = url.rpartition("/")[2]
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def log(self) -> str:
        """What the server wrote."""
        path = self._folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def close(self) -> None:
        """End the server and remove its files."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(20)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _execute(self, statement: str) -> None:
        with psycopg.connect(
            host=LOOPBACK, port=self.port, user="consigne", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False, **self._as)
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}")

    def _start(self) -> bool:
        options = {**SETTINGS, "listen_addresses": LOOPBACK, "port": str(self.port)}
        options["unix_socket_directories"] = str(self._folder)
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [
                    str(self._programs / "postgres"),
                    "-D",
                    str(self._data),
                    *itertools.chain.from_iterable(("-c", f"{key}={value}") for key, value in options.items()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **self._as,
            )
        wait_until(lambda: process.poll() is not None or accepts(self.port), "PostgreSQL listens", timeout_s=50.0)
        self._process = process
        return process.poll() is None and self._answers()

    def _answers(self) -> bool:
        """The port is open a moment before the server lets anybody in."""

        def in_service() -> bool:
            try:
                self._execute("SELECT 1")
            except psycopg.OperationalError:
                return False
            return True

        wait_until(in_service, "PostgreSQL answers", timeout_s=50.0, every_s=0.05)
        return True


def _unprivileged(folder: Path) -> dict[str, Any]:
    """How to start a process that is not root, and owns the folder."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    entry = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
