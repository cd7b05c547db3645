"""When each site is calm, looked up once a day. Owns the look-up; the rule is `hub.core.hours.calm_window`."""

from __future__ import annotations

from datetime import date
from typing import Final

from hub.core.hours import calm_window, local
from hub.core.retention import DAY_MS
from hub.settings import Notify
from hub.store import rhythm
from hub.store.engine import Store

LEARNT_DAYS: Final = 62
"""Two months: two first fortnights."""


class CalmHours:
    """The calm hours of sites."""

    def __init__(self, store: Store, rules: Notify) -> None:
        self._store = store
        self._rules = rules
        self._known: dict[tuple[str, date], tuple[int, int] | None] = {}

    def of(self, site: str, number: int, now_ms: int) -> tuple[int, int] | None:
        """When it is calm at a site, as (hour, hour), within the good hours; None when too little is known."""
        zone = self._rules.zone_of(site)
        today = local(now_ms, zone).date()
        if (site, today) not in self._known:
            self._known = {key: value for key, value in self._known.items() if key[1] >= today}
            with self._store.reading() as connection:
                lives = rhythm.lives(connection, number, now_ms - LEARNT_DAYS * DAY_MS)
            visits = [local(row.ended_ms, zone) for row in lives if rhythm.was_collected(row)]
            self._known[site, today] = calm_window(visits, today, self._rules.hours)
        return self._known[site, today]
