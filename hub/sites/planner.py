"""Builds and publishes plans: one guarded thread that looks whenever an intent changed, or the link stands again.

Owns revisions and the hub's presence. Refuses to know what a plan means (see `hub.core.plans`).
"""

from __future__ import annotations

import logging
import threading
from typing import Final

from hub.clock import Clock
from hub.core.plans import TooManyParcels, Wanted, build_plan
from hub.intake import Incarnation
from hub.receiver import Link
from hub.store import desk
from hub.store.engine import Store
from wire import topics
from wire.messages import HubPresence, encode
from wire.plan import Plan

LOG: Final = logging.getLogger(__name__)

LOOK_S: Final = 1.0
"""Longest delay until a change made by another process (the command line) is seen."""
REPEAT_MS: Final = 300_000
"""A plan that its site, which is there, does not follow after this long is said again: the broker may have lost it."""
RETRY_S: Final = 0.05
"""Pause when the link has too many messages outstanding."""


class Planner:
    """Keeps every site's retained plan up to date."""

    def __init__(self, *, store: Store, link: Link, incarnation: Incarnation, clock: Clock) -> None:
        self._store = store
        self._link = link
        self._incarnation = incarnation
        self._clock = clock
        self._said_ms: dict[str, int] = {}
        self._woken = threading.Event()
        self._joined = threading.Event()
        self.stopping = threading.Event()

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    def joined(self) -> None:
        """Say everything anew: the link stands again."""
        self._joined.set()
        self._woken.set()

    def run(self) -> None:
        """Work until `stopping`."""
        while not self.stopping.is_set():
            self._woken.wait(LOOK_S)
            self._woken.clear()
            if self._link.is_connected:
                self.look()

    def look(self) -> None:
        """Publish what changed; after a new connection, everything."""
        everything = self._joined.is_set()
        self._joined.clear()
        if everything:
            self._publish(*presence(self._incarnation.value, online=True, at_ms=self._clock()))
        with self._store.reading() as connection:
            sites = desk.site_ids(connection) if everything else desk.stale_plans(connection)
            unheard = desk.unheard_plans(connection, self._incarnation.value)
        long_ago = self._clock() - REPEAT_MS
        again = [site for site in unheard if site not in sites and self._said_ms.get(site, 0) <= long_ago]
        for site in (*sites, *again):
            try:
                plan = self.build(site)
            except TooManyParcels as error:
                LOG.error("no new plan: %s", error)  # noqa: TRY400 the reason is the whole story
                continue
            if plan is not None:
                self._said_ms[site] = self._clock()
                self._publish(topics.topic(topics.PLAN, site), encode(plan))

    def build(self, site: str) -> Plan | None:
        """The plan of a site by what is wanted now, its revision remembered before anybody hears it."""
        now_ms = self._clock()
        with self._store.writing() as connection:
            row = desk.site(connection, site)
            if row is None:
                return None
            wanted = Wanted(
                site=site,
                name=row.name,
                address=row.address,
                parcels=desk.planned_parcels(connection, row.number),
                people=desk.people_of(connection, row.number),
                sites=[card for card in desk.site_cards(connection) if card.number != row.number],
                settings=desk.settings_of(row),
            )
            last = desk.plan(connection, row.number)
            draft = build_plan(wanted, incarnation=self._incarnation.value, revision=last.revision, issued_at_ms=now_ms)
            revision = last.revision if draft.hash == last.hash else last.revision + 1
            desk.save_plan(
                connection,
                number=row.number,
                revision=revision,
                plan_hash=draft.hash,
                wanted=row.wanted,
                now_ms=now_ms,
            )
        return build_plan(wanted, incarnation=self._incarnation.value, revision=revision, issued_at_ms=now_ms)

    def _publish(self, topic: str, payload: bytes) -> None:
        while not self.stopping.is_set() and self._link.is_connected:
            if self._link.publish(topic, payload, qos=1, retain=True):
                return
            self.stopping.wait(RETRY_S)


def presence(incarnation: int, *, online: bool, at_ms: int) -> tuple[str, bytes]:
    """Topic and payload of the hub's word that it is here, or gone."""
    message = HubPresence(incarnation=incarnation, online=online, at_ms=at_ms)
    return topics.topic(topics.HUB_PRESENCE), encode(message)
