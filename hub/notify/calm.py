"""When each site is calm, looked up once a day, for messages and pages. Owns the look-up; the rule is `hub.core.hours.calm_today`."""

from __future__ import annotations

from datetime import date
from typing import Final

from hub.core.hours import calm_stretch, calm_today, local
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
        self._known: dict[tuple[str, date], tuple[int, ...]] = {}
        """Replaced whole, never changed: several threads ask."""

    def of(self, site: str, number: int, now_ms: int) -> tuple[int, int] | None:
        """When it is calm at a site, as (hour, hour), within the good hours; None when too little is known."""
        return calm_stretch(self.hours(site, number, now_ms), self._rules.hours)

    def hours(self, site: str, number: int, now_ms: int) -> tuple[int, ...]:
        """Every calm hour of a site's day, on its own clock; none when too little is known."""
        zone = self._rules.zone_of(site)
        today = local(now_ms, zone).date()
        known = self._known.get((site, today))
        if known is None:
            with self._store.reading() as connection:
                lives = rhythm.lives(connection, number, now_ms - LEARNT_DAYS * DAY_MS)
            known = calm_today([local(row.ended_ms, zone) for row in lives if rhythm.was_collected(row)], today)
            kept = {key: value for key, value in self._known.items() if key[1] >= today}
            self._known = {**kept, (site, today): known}
        return known
