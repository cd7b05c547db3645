"""What nobody asks for but time: silent sites, recipients to erase, sessions and records past their time.

Owns the periods. Runs in one guarded thread and says to systemd that the intake still works.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from hub.carriers.sandbox import Sandbox
from hub.clock import Clock
from hub.core.moment import OFFLINE_AFTER_MS
from hub.core.project import AlertKind
from hub.live import Live
from hub.privacy.services import ROUND_MAX, Privacy
from hub.receiver import Link
from hub.store import desk, enrolments, ingest, months, once, openings, people, webhooks
from hub.store.engine import Store

LOOK_S: Final = 5.0
ERASE_EVERY_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
COMMANDS_DAYS: Final = 90
EVENTS_DAYS: Final = 90
ONCE_MS: Final = 2 * DAY_MS
"""How long an announcement that is asked again is answered as the first time (docs/carriers.md)."""


class Housekeeping:
    """The periodic jobs."""

    def __init__(
        self, *, store: Store, live: Live, link: Link, clock: Clock, privacy: Privacy, ping: Callable[[], None]
    ) -> None:
        self._store = store
        self._link = link
        self._listening_ms: int | None = None
        self._live = live
        self._clock = clock
        self._privacy = privacy
        self._sandbox = Sandbox(store, live, clock)
        self._ping = ping
        self._erased_ms = 0
        self.stopping = threading.Event()

    def run(self) -> None:
        """Work until `stopping`."""
        while not self.stopping.wait(LOOK_S):
            self.look()

    def look(self) -> None:
        """One round."""
        self._ping()
        self._find_silent_sites()
        self._sandbox.look()
        if self._clock() - self._erased_ms >= ERASE_EVERY_MS:
            self.erase()

    def erase(self) -> int:
        """Forget recipients, sessions and records past their time; how many recipients. What one round leaves, the next takes."""
        now_ms = self._clock()
        erased = self._privacy.round()
        with self._store.writing() as connection:
            people.close_old_sessions(connection, now_ms)
            enrolments.prune(connection, now_ms - COMMANDS_DAYS * DAY_MS)
            openings.prune(connection, now_ms - COMMANDS_DAYS * DAY_MS)
            desk.prune_commands(connection, now_ms - COMMANDS_DAYS * DAY_MS)
            ingest.prune_quarantine(connection)
            once.forget(connection, now_ms - ONCE_MS)
            webhooks.forget(connection, now_ms - EVENTS_DAYS * DAY_MS)
            months.make(connection, now_ms)
        if erased < ROUND_MAX:
            self._erased_ms = now_ms
        return erased

    def _find_silent_sites(self) -> None:
        now_ms = self._clock()
        before_ms = now_ms - OFFLINE_AFTER_MS
        if not self._link.is_connected:
            self._listening_ms = None
        elif self._listening_ms is None:
            self._listening_ms = now_ms
        listened = self._listening_ms is not None and self._listening_ms <= before_ms
        with self._store.reading() as connection:
            silent = desk.silent_sites(connection, before_ms, listened=listened)
            known = ingest.open_alerts(connection, silent)
        fresh = [site for site in silent if (site, AlertKind.SITE_OFFLINE, "") not in known]
        if not fresh:
            return
        with self._store.writing() as connection:
            for site in fresh:
                ingest.raise_alert(connection, site, AlertKind.SITE_OFFLINE, "", "not heard for more than 90 s", now_ms)
        for site in fresh:
            self._live.publish("alert", site)
