"""Threads that must not end. A thread that ends by itself, for whatever reason, ends the process; systemd restarts it.

Owns the one broad `except` of the hub. Refuses to know what the threads do.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Final

LOG: Final = logging.getLogger(__name__)

EXIT_THREAD_ENDED: Final = 70
"""Exit status when a guarded thread ended (EX_SOFTWARE of sysexits.h)."""

STOP_WAIT_S: Final = 5.0
"""Longest wait for a thread that was asked to stop; its work is safe in the database whatever happens."""


class Guarded:
    """A thread with a stop flag. `body` must run until `stopping` is set."""

    def __init__(self, name: str, body: Callable[[], None], on_end: Callable[[str], None] | None = None) -> None:
        self.name = name
        self.stopping = threading.Event()
        self._body = body
        self._on_end = on_end or end_process
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end and wait a bounded time for it."""
        self.stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_WAIT_S)

    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._body()
        except Exception:
            LOG.critical("thread %s failed", self.name, exc_info=True)
        if not self.stopping.is_set():
            self._on_end(self.name)


def end_process(name: str) -> None:
    """End the process at once: what is not committed will be sent again, a half-dead hub would not."""
    LOG.critical("thread %s ended by itself; the process ends so that it is started afresh", name)
    logging.shutdown()
    os._exit(EXIT_THREAD_ENDED)
