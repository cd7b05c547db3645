"""Sends what was queued: one guarded thread, good hours, bounded tries, growing pauses, a driver for each way.

Owns when a message is tried and when it is given up. Refuses to keep its text (I-25) and to know what it says. A crash between
sending and noting it sends again under the same idempotency key.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from hub.clock import Clock
from hub.core.hours import good_moment
from hub.core.project import AlertKind
from hub.core.telling import MessageKind, Truth, Way, is_urgent, kind_of, truth_of, ways_to
from hub.keys import KeyRing
from hub.live import Live
from hub.notify.calm import CalmHours
from hub.notify.compose import Composer
from hub.notify.drivers import TIMEOUT_S, Driver, NoSuchAddress, Undelivered
from hub.notify.reminders import Reminders
from hub.settings import Notify
from hub.store import desk, ingest, outbox
from hub.store.engine import Store
from wire.ids import ParcelState
from wire.plan import Intent

LOG: Final = logging.getLogger(__name__)

TRIES_TOLD: Final = 12
"""After so many, over an hour, a person is told; trying goes on, because a mail server may be away for a night."""
TRIES_MAX: Final = 36
"""With the pauses below more than a day of good hours; then it is given up, and the person was told."""
PAUSE_MS: Final = 2_000
PAUSE_MS_MAX: Final = 3_600_000
LATER_MS: Final = 300_000
"""When it is looked again at a message about a parcel that is between two places."""
REMIND_EVERY_MS: Final = 300_000
GROUP_MAX: Final = 20
LOOK_S: Final = 1.0


class Sender:
    """The outbox's worker. Without a driver for any way, messages are marked `unsent`: paper goes first."""

    def __init__(
        self,
        *,
        store: Store,
        keys: KeyRing,
        live: Live,
        clock: Clock,
        drivers: Mapping[Way, Driver],
        rules: Notify,
        on_sent: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._live = live
        self._clock = clock
        self._drivers = drivers
        self._rules = rules
        self._composer = Composer(keys, rules, CalmHours(store, rules))
        self._reminders = Reminders(store, clock, rules.hold)
        self._reminded_ms = 0
        self._on_sent = on_sent
        self._woken = threading.Event()
        self.stopping = threading.Event()

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    def run(self) -> None:
        """Work until `stopping`."""
        while not self.stopping.is_set():
            self._woken.wait(LOOK_S)
            self._woken.clear()
            if self._clock() - self._reminded_ms >= REMIND_EVERY_MS:
                self.remind()
            while not self.stopping.is_set() and self.send_due() == GROUP_MAX:
                pass

    def remind(self) -> int:
        """Queue the reminders that are owed; how many."""
        queued = self._reminders.look()
        self._reminded_ms = self._clock()
        return queued

    def send_due(self) -> int:
        """Try what is due; how many were looked at."""
        with self._store.reading() as connection:
            due = outbox.due_messages(connection, self._clock(), GROUP_MAX)
        for row in due:
            self._try(row)
        return len(due)

    def _try(self, row: Any) -> None:
        kind = kind_of(row.kind)
        if kind is None or not (row.phone or row.email):
            self._note(row, state="unsent", problem="the recipient was erased" if kind else outbox.OVERTAKEN)
            return
        if not self._ways(row, kind):
            self._note(row, state="unsent", problem="no driver is configured")
            return
        if not self._may_go(row, kind):
            return
        attempts = row.attempts + 1
        # Counted before it is sent: a re-issue meanwhile knows that the old digits may be out, a correction of the address
        # that they may be there.
        self._note(row, attempts=attempts, due_ms=self._clock() + pause_ms(attempts))
        with self._store.reading() as connection:
            fresh = desk.parcel(connection, row.parcel)
            row = outbox.still_waiting(connection, row.id)
        if row is not None:
            self._send(row, fresh, kind, attempts)

    def _send(self, row: Any, fresh: Any, kind: MessageKind, attempts: int) -> None:
        """One try, by every way that has not been taken yet."""
        wanted = self._ways(row, kind)
        told, refused = set(row.told.split()), set(row.refused.split())
        problems: list[str] = []
        for way in wanted:
            if way not in told | refused:
                self._by(way, row, fresh, kind, told, refused, problems)
        is_over = told | refused >= set(wanted)
        self._noted(row, attempts, is_over=is_over, is_told=bool(told), problem="; ".join(problems))

    def _ways(self, row: Any, kind: MessageKind) -> tuple[Way, ...]:
        given = frozenset(way for way, address in ((Way.PHONE, row.phone), (Way.EMAIL, row.email)) if address)
        return ways_to(kind, given=given, working=frozenset(self._drivers))

    def _may_go(self, row: Any, kind: MessageKind) -> bool:
        """Whether it is true and the hour is good; when not, it is noted when to look again."""
        now_ms = self._clock()
        truth = truth_of(
            row.kind, state=ParcelState(row.parcel_state), intent=Intent(row.intent), extended=row.extended
        )
        if truth is Truth.NEVER:
            self._note(row, state="unsent", problem=outbox.OVERTAKEN)
        elif truth is Truth.LATER:
            self._note(row, due_ms=now_ms + LATER_MS)
        else:
            good_ms = (
                now_ms if is_urgent(kind) else good_moment(now_ms, self._rules.hours, self._rules.zone_of(row.site))
            )
            if good_ms == now_ms:
                return True
            self._note(row, due_ms=good_ms)
        return False

    def _by(
        self, way: Way, row: Any, fresh: Any, kind: MessageKind, told: set[str], refused: set[str], problems: list[str]
    ) -> None:
        """Hand it over by one way, and note it at once: whatever happens to the next way, this one is done."""
        try:
            self._drivers[way].send(self._composer.message(row, fresh, kind, way, self._clock()))
        except Undelivered as error:
            problems.append(f"{way}: {error}")
            if isinstance(error, NoSuchAddress):
                refused.add(way)
                self._note(row, refused=" ".join(sorted(refused)))
            return
        self._on_sent()
        told.add(way)
        self._note(row, told=" ".join(sorted(told)))

    def _noted(self, row: Any, attempts: int, *, is_over: bool, is_told: bool, problem: str) -> None:
        """The end of one try."""
        if problem:
            LOG.warning("message %s of parcel %s was not sent (try %s): %s", row.kind, row.parcel, attempts, problem)
        gives_up = is_over or attempts >= TRIES_MAX
        if not gives_up:
            self._note(row, problem=problem)
        elif is_told:
            self._note(row, state="sent", sent_ms=self._clock(), problem=problem)
        else:
            self._note(row, state="failed", problem=problem)
        if is_told and attempts > TRIES_TOLD:
            self._alert(row, problem, is_over=True)
        elif not is_told and (gives_up or attempts == TRIES_TOLD):
            self._alert(row, problem, is_over=False)

    def _alert(self, row: Any, problem: str, *, is_over: bool) -> None:
        with self._store.writing() as connection:
            if is_over:
                ingest.clear_alert(connection, row.site, AlertKind.MESSAGE_FAILED, row.parcel, self._clock())
            else:
                ingest.raise_alert(connection, row.site, AlertKind.MESSAGE_FAILED, row.parcel, problem, self._clock())
        self._live.publish("alert", row.site)

    def _note(self, row: Any, **values: Any) -> None:
        with self._store.writing() as connection:
            outbox.save_message(connection, row.id, values)
        self._live.publish("message", row.site, row.parcel)


def pause_ms(attempts: int) -> int:
    """The pause after so many tries."""
    return int(min(PAUSE_MS * 2 ** (attempts - 1) + TIMEOUT_S * 1000, PAUSE_MS_MAX))
