"""A real Mosquitto on a loopback port of its own, that a test may kill and start again.

Owns one broker process, its configuration and its folder. Knows no topic.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from tests.tools.ports import LOOPBACK, accepts, free_port, wait_until

START_TRIES = 5
"""A free port can be taken between our asking and Mosquitto's binding it."""


class Mosquitto:
    """One broker. `port` stays the same over `restart`, as the broker of a real network keeps its address."""

    def __init__(self, program: str, folder: Path, *, persistent: bool = False, extra: tuple[str, ...] = ()) -> None:
        """`extra` holds further configuration lines (for an ACL, a password file …)."""
        self.program = program
        self.folder = folder
        self.persistent = persistent
        self.extra = extra
        self.host = LOOPBACK
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        for _ in range(START_TRIES):
            self.port = free_port()
            if self._start():
                return
        raise RuntimeError(f"Mosquitto did not start; its log:\n{self.log()}")

    @property
    def pid(self) -> int:
        """The broker's process; `RuntimeError` while it is down."""
        if self._process is None:
            raise RuntimeError("the broker is down")
        return self._process.pid

    def log(self) -> str:
        """What the broker wrote, over all its lives."""
        path = self.folder / "mosquitto.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def kill(self) -> None:
        """As a power cut does it: SIGKILL, nothing is saved."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As an administrator does it: SIGTERM, a persistent broker saves its store."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Connections stay open and nothing answers, until `thaw`."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        os.kill(self.pid, signal.SIGCONT)

    def start(self) -> None:
        """Start again on the same port after `kill` or `stop`."""
        if self._process is not None:
            raise RuntimeError("the broker is up")
        if not self._start():
            raise RuntimeError(f"Mosquitto did not start again; its log:\n{self.log()}")

    def restart(self) -> None:
        """Stop politely if up, and start on the same port."""
        if self._process is not None:
            self.stop()
        self.start()

    def close(self) -> None:
        """End for good; harmless when already down."""
        if self._process is not None:
            self.kill()

    def _config(self) -> str:
        lines = [
            f"listener {self.port} {LOOPBACK}",
            "log_dest stderr",
            "log_type error",
            "log_type warning",
            "log_type notice",
            "max_inflight_messages 1000",
            "max_queued_messages 0",
            "set_tcp_nodelay true",
            f"persistence {'true' if self.persistent else 'false'}",
        ]
        if not any(line.startswith(("allow_anonymous", "per_listener_settings")) for line in self.extra):
            lines.append("allow_anonymous true")
        if self.persistent:
            lines += [f"persistence_location {self.folder}/", "autosave_interval 1", "autosave_on_changes true"]
        if os.geteuid() == 0:
            lines.append("user root")  # or it would drop to a user who cannot read the test's folder
        return "\n".join([*lines, *self.extra, ""])

    def _start(self) -> bool:
        config = self.folder / "mosquitto.conf"
        config.write_text(self._config())
        with (self.folder / "mosquitto.log").open("ab") as log:
            process = subprocess.Popen(
                [self.program, "-c", str(config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder
            )
        self._process = process
        wait_until(lambda: process.poll() is not None or accepts(self.port), "Mosquitto listens")
        if process.poll() is None:
            return True
        self._process = None
        return False

    def _end(self, with_signal: signal.Signals) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGCONT)
        self._process.send_signal(with_signal)
        self._process.wait(10)
        self._process = None
