"""Ingest: takes whatever one read brought, commits it in one transaction, then tells the broker and the sites.

Owns the group commit and the order *commit, PUBACK, down/ack*. Refuses to know paho (see `hub.receiver`) and what a
fact means (see `hub.core.project`). Runs in one guarded thread; everything published as an ack is published here.

Several intakes may work on one PostgreSQL (ADR 0028). What one site sent is then spread over them: facts that come before those they
follow wait here, unacknowledged, until another intake has committed those.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Container, Sequence
from typing import Final
from uuid import uuid4

from sqlalchemy import Connection

from hub.clock import Clock
from hub.group import Group
from hub.live import Live
from hub.metrics import Metrics
from hub.receiver import Incoming, Item, Joined, Link, Mailbox
from hub.result import Result
from hub.store import ingest as sql
from hub.store import journals, meta
from hub.store.engine import Store, StoreCrossed
from wire import topics
from wire.messages import COMMAND_LIFE_MS_MAX, Ack, Command, Verb, encode

LOG: Final = logging.getLogger(__name__)

GROUP_ITEMS_MAX: Final = 500
"""Messages in one transaction: past this a commit is a small part of the work and only latency grows."""
WAIT_S: Final = 0.5
"""How long an idle intake sleeps before it looks at its stop flag."""
REBIRTH_PAUSE_MS: Final = 10_000
"""Least time between two rebirth commands to one site; doubled each time that nothing it sent could be taken since."""
REBIRTH_PAUSE_MAX_MS: Final = 3_600_000
"""Each command is a fact in a site's journal and a row here: a site that cannot be helped by it is not filled with them."""
DOUBT_PAUSE_MS: Final = 900_000
"""Least time between two of them because of what only seems old: such words may come hours late, one after the other."""
PARCEL_EVENTS_MAX: Final = 50
"""Parcels told one by one after a group; in a longer backlog the site's own event says enough."""


FIRST_LOOK_S: Final = 0.01
"""How soon it is looked again at facts that came early; doubled each time in vain, up to `WAIT_S`."""
EARLY_MS_MAX: Final = 15_000
"""How long facts that came early wait: what a worker that died had in its hands is sent again by its site after ten seconds."""
CROSSED_MAX: Final = 5
"""Tries of a transaction that got in the way of another one: PostgreSQL ends one of two that wait for each other."""
CROSSED_PAUSE_S: Final = 0.05


class Incarnation:
    """The hub's incarnation, shared by all that speak to sites."""

    def __init__(self, value: int, *, is_shared: bool = False) -> None:
        """`is_shared`: other processes speak in this hub's name too, and any of them may begin a new one."""
        self.value = value
        self.is_shared = is_shared

    def look(self, connection: Connection) -> int:
        """The newest that is known."""
        if self.is_shared:
            self.value = meta.incarnation(connection)
        return self.value


class Intake:
    """The group commit."""

    def __init__(
        self,
        *,
        store: Store,
        mailbox: Mailbox,
        link: Link,
        incarnation: Incarnation,
        live: Live,
        metrics: Metrics,
        clock: Clock,
        wake_planner: Callable[[], None],
        announce_all: Callable[[], None],
        wake_sender: Callable[[], None],
        announces: bool = True,
    ) -> None:
        """`announces`: whether this one says everything anew when its link stands."""
        self._store = store
        self._mailbox = mailbox
        self._link = link
        self._incarnation = incarnation
        self._live = live
        self._metrics = metrics
        self._clock = clock
        self._wake_planner = wake_planner
        self._announce_plans = announce_all
        self._wake_sender = wake_sender
        self._announces = announces
        self._early: dict[int, tuple[int, Incoming]] = {}
        self._look_s = FIRST_LOOK_S
        self._asked_rebirth: dict[str, tuple[int, int]] = {}
        self._doubted_ms: dict[str, int] = {}
        self.stopping = threading.Event()
        self.ticked_ms = clock()

    def run(self) -> None:
        """Work until `stopping`."""
        while not self.stopping.is_set():
            self.ticked_ms = self._clock()
            items = self._mailbox.take(GROUP_ITEMS_MAX, self._look_s if self._early else WAIT_S)
            if items or self._early:
                self.handle(items)

    def gauges(self) -> dict[str, float]:
        """Whether it turns, and how far it is behind."""
        return {
            "intake_idle_seconds": max(0, self._clock() - self.ticked_ms) / 1000,
            "waiting_broker_messages": float(len(self._mailbox) + len(self._early)),
        }

    def handle(self, items: Sequence[Item]) -> None:
        """One group: commit, then acknowledge, then tell."""
        messages = [item for item in items if isinstance(item, Incoming)]
        messages = [*(early for _since_ms, early in self._early.values()), *messages]
        if messages:
            result = self._commit(messages)
            waiting = self._keep(result.early)
            self._link.acknowledge([message for message in messages if id(message) not in waiting])
            self._tell(result)
        if self._announces and any(isinstance(item, Joined) for item in items):
            self._announce_all()

    def _keep(self, early: Sequence[Incoming]) -> Container[int]:
        """Hold what came early, each from when it was first seen: the broker's window bounds how many there are."""
        now_ms, before = self._clock(), len(self._early)
        self._early = {id(one): self._early.get(id(one), (now_ms, one)) for one in early}
        in_vain = len(self._early) == before
        self._look_s = min(self._look_s * 2, WAIT_S) if in_vain else FIRST_LOOK_S
        return self._early.keys()

    def _may_wait(self, early: Incoming) -> bool:
        """Only where another process may have what is missing; one that ingests alone has read everything there is."""
        since_ms, _early = self._early.get(id(early), (self._clock(), early))
        return self._incarnation.is_shared and self._clock() - since_ms < EARLY_MS_MAX

    def _commit(self, messages: Sequence[Incoming]) -> Result:
        for _try in range(CROSSED_MAX - 1):
            try:
                return self._commit_once(messages)
            except StoreCrossed:
                LOG.info("another worker was in the way; the group is folded again")
                self.stopping.wait(random.uniform(0, CROSSED_PAUSE_S))  # noqa: S311 only so that two do not meet again
        return self._commit_once(messages)

    def _commit_once(self, messages: Sequence[Incoming]) -> Result:
        now_ms = self._clock()
        with self._store.writing() as connection:
            group = Group(connection, now_ms, self._incarnation.look(connection), may_wait=self._may_wait)
            result = group.apply(messages)
            for site in self._asked_rebirth.keys() & (result.acks.keys() - result.need_rebirth.keys()):
                self._asked_rebirth[site] = (self._asked_rebirth[site][0], REBIRTH_PAUSE_MS)
            for site, number in result.need_rebirth.items():
                if self._may_ask(site, now_ms):
                    result.rebirths[site] = self._rebirth(number, now_ms, site, connection)
            for site, number in result.doubted.items():
                if site not in result.rebirths and now_ms - self._doubted_ms.get(site, 0) >= DOUBT_PAUSE_MS:
                    result.rebirths[site] = self._rebirth(number, now_ms, site, connection)
            incarnation = self._new_incarnation(result, connection, now_ms)
        self._doubted_ms.update(dict.fromkeys(result.doubted.keys() & result.rebirths.keys(), now_ms))
        if incarnation is not None:
            self._incarnation.value = incarnation
            if not self._incarnation.is_shared:  # where it is, the worker that leads sees it and does
                self._link.rejoin()
        self._metrics.groups.inc()
        self._metrics.messages.inc(len(messages) - len(result.early))
        self._metrics.facts.inc(result.facts)
        self._metrics.duplicates.inc(result.duplicates)
        self._metrics.refused.inc(result.refused)
        return result

    def _new_incarnation(self, result: Result, connection: Connection, now_ms: int) -> int | None:
        """A newer word than any before, when a group showed that the old one no longer does; durable before it is heard."""
        if result.foreign_incarnation is not None:
            LOG.warning("a site knows a newer word of this hub than its database does; speaking with a newer one")
            meta.save_incarnation(connection, result.foreign_incarnation + 1)
            return result.foreign_incarnation + 1
        if result.adopted:
            LOG.warning("another past of a site was adopted; its acknowledgements start anew with a newer word")
            return meta.next_incarnation(connection, now_ms)
        return None

    def _may_ask(self, site: str, now_ms: int) -> bool:
        asked_ms, pause_ms = self._asked_rebirth.get(site, (0, REBIRTH_PAUSE_MS // 2))
        if now_ms - asked_ms < pause_ms:
            return False
        self._asked_rebirth[site] = (now_ms, min(pause_ms * 2, REBIRTH_PAUSE_MAX_MS))
        return True

    def _rebirth(self, number: int, now_ms: int, site: str, connection: Connection) -> Command:
        command = Command(
            id=uuid4().hex,
            verb=Verb.REBIRTH,
            issued_at_ms=now_ms,
            expires_at_ms=now_ms + COMMAND_LIFE_MS_MAX,
            actor="hub",
            reason=f"what {site} sent does not continue what is known",
        )
        sql.add_command(connection, sql.command_values(number, command))
        return command

    def _tell(self, result: Result) -> None:
        for cursor in result.acks.values():
            self._publish_ack(cursor)
        for site, command in result.rebirths.items():
            self._link.publish(
                topics.topic(topics.COMMAND, site), encode(command), qos=topics.COMMAND.qos, retain=False
            )
        if result.replanned:
            self._wake_planner()
        if result.messages:
            self._wake_sender()
        for site in result.touched:
            self._live.publish("site", site)
        if len(result.parcels) <= PARCEL_EVENTS_MAX:
            for parcel, site in result.parcels.items():
                self._live.publish("parcel", site, parcel)
        for site in result.alerted:
            self._live.publish("alert", site)

    def _publish_ack(self, cursor: journals.Cursor) -> None:
        self._link.publish(
            topics.topic(topics.ACK, cursor.site_id),
            encode(ack_of(cursor, self._incarnation.value)),
            qos=topics.ACK.qos,
            retain=topics.ACK.retain,
        )

    def _announce_all(self) -> None:
        with self._store.reading() as connection:
            known = journals.all_cursors(connection)
        for cursor in known:
            self._publish_ack(cursor)
        self._announce_plans()


def ack_of(cursor: journals.Cursor, incarnation: int) -> Ack:
    """What a site is told of how far its journal is committed, and of the past that was given up for it (ADR 0009)."""
    return Ack(
        incarnation=incarnation,
        seq=cursor.seq,
        head=cursor.hash,
        before_seq=cursor.before_seq,
        before_head=cursor.before_hash,
    )
