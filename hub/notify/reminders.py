"""Reminds of parcels that wait: queues what is owed, once for each kind; the sender does the rest.

Owns the job. Refuses to know when a reminder is owed (`hub.core.hours`) and how it is told. Killed at any step, it finds the same
owed again at its next look.
"""

from __future__ import annotations

from typing import Final

from hub.clock import Clock
from hub.core.hours import Held, Hold, reminder
from hub.core.retention import DAY_MS
from hub.store import outbox
from hub.store.engine import Store

ROUND_MAX: Final = 500
"""Reminders queued in one transaction; what is left is found at the next look."""


class Reminders:
    """The job that finds what is owed."""

    def __init__(self, store: Store, clock: Clock, hold: Hold) -> None:
        self._store = store
        self._clock = clock
        self._hold = hold
        ends = (self._hold.remind_after, self._hold.days and self._hold.days - self._hold.remind_before)
        self._least_days = min((days for days in ends if days > 0), default=None)

    def look(self) -> int:
        """Queue what is owed now; how many."""
        if self._least_days is None:
            return 0
        now_ms = self._clock()
        with self._store.reading() as connection:
            rows = outbox.waiting_since(connection, now_ms - self._least_days * DAY_MS)
            owed = {
                (row.id, kind)
                for row in rows
                if (kind := reminder(Held(row.stored_ms, row.extended, row.held_until_ms), now_ms, self._hold))
                is not None
            }
            new = sorted(owed - outbox.reminded(connection, sorted({parcel for parcel, _ in owed})))[:ROUND_MAX]
        if new:
            with self._store.writing() as connection:
                outbox.add_messages(connection, new, now_ms)
        return len(new)
