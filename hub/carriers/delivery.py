"""Takes events to the addresses of carriers: one guarded thread that hands each address to a worker of its own.

Owns when something is tried, when it is given up, and when an address is left alone. Each event arrives under one id,
signed after Standard Webhooks; a hub that dies between sending and noting sends it again under the same id. Nothing of
an address or a secret is logged.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from standardwebhooks import Webhook

from hub.carriers.post import BadUrl, NotDelivered, post
from hub.clock import Clock
from hub.core.carriers import PAUSED_AFTER_MS, TRIES_MAX, pause_ms, rest_ms
from hub.core.project import AlertKind
from hub.keys import KeyRing
from hub.live import Live
from hub.store import ingest, webhooks
from hub.store.engine import Store
from wire.version import VERSION

LOG: Final = logging.getLogger(__name__)

LOOK_S: Final = 1.0
WORKERS: Final = 8
"""Addresses spoken to at a time: one that is slow holds up nobody but itself."""
ADDRESSES_MAX: Final = 100
"""Addresses looked at in one round."""
EVENTS_AT_ONCE: Final = 50
"""Events to one address before others have their turn."""
SECRET_PURPOSE: Final = b"webhook"


class Deliverer:
    """The outbox's worker."""

    def __init__(
        self,
        *,
        store: Store,
        keys: KeyRing,
        live: Live,
        clock: Clock,
        private: bool,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._keys = keys
        self._live = live
        self._clock = clock
        self._private = private
        self._dice = dice
        self._busy: set[int] = set()
        self._lock = threading.Lock()
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="carriers")
        self.stopping = threading.Event()

    def run(self) -> None:
        """Work until `stopping`."""
        at_work: list[Future[None]] = []
        while not self.stopping.wait(LOOK_S):
            for work in at_work:
                if work.done():
                    work.result()  # what a worker could not handle ends this thread, and so the process
            at_work = [work for work in at_work if not work.done()] + self.look()
        self._workers.shutdown(wait=False, cancel_futures=True)

    def look(self) -> list[Future[None]]:
        """One round: every address to which something can go, and which nobody speaks to yet, has a worker."""
        with self._store.reading() as connection:
            due = webhooks.due_webhooks(connection, self._clock(), ADDRESSES_MAX)
        with self._lock:
            free = [number for number in due if number not in self._busy]
            self._busy.update(free)
        return [self._workers.submit(self._serve, number) for number in free]

    def _serve(self, number: int) -> None:
        try:
            for _ in range(EVENTS_AT_ONCE):
                if self.stopping.is_set() or not self._deliver_next(number):
                    return
        finally:
            with self._lock:
                self._busy.discard(number)

    def _deliver_next(self, number: int) -> bool:
        """Try what goes to an address next; False when there is nothing, or the address must rest."""
        with self._store.writing() as connection:
            row = webhooks.next_delivery(connection, number, self._clock())
            if row is None:
                return False
            # Counted before it is sent: a hub that dies here has tried, and the pause holds for its next life too.
            now_ms, tries = self._clock(), row.attempts + 1
            due_ms = now_ms + pause_ms(tries, self._dice())
            webhooks.save_delivery(connection, number, row.event, attempts=tries, due_ms=due_ms, tried_ms=now_ms)
        try:
            self._send(row)
        except NotDelivered as error:
            return self._failed(row, tries, error)
        with self._store.writing() as connection:
            webhooks.save_delivery(connection, number, row.event, state="delivered", problem="")
            if row.failing_ms is not None:
                webhooks.change_webhook(connection, number, failures=0, failing_ms=None, rests_until_ms=0, problem="")
        return True

    def _send(self, row: Any) -> None:
        """Sign and send it. Raises NotDelivered."""
        now_ms, body = self._clock(), payload(row)
        sealed = [row.secret] + ([row.old_secret] if row.old_secret and row.old_until_ms > now_ms else [])
        opened = [self._keys.opened(SECRET_PURPOSE, bytes(one)) for one in sealed]
        at = datetime.fromtimestamp(now_ms // 1000, UTC)
        signatures = [Webhook(secret).sign(row.id, at, body) for secret in opened if secret]
        if not signatures:
            raise NotDelivered("its secret was sealed by another hub: rotate it", whole=True)
        headers = {
            "webhook-id": row.id,
            "webhook-timestamp": str(now_ms // 1000),
            "webhook-signature": " ".join(signatures),
            "User-Agent": f"Consigne/{VERSION}",
        }
        try:
            post(row.url, body.encode(), headers, private=self._private)
        except BadUrl as error:
            raise NotDelivered(str(error), whole=True) from None

    def _failed(self, row: Any, tries: int, error: NotDelivered) -> bool:
        """Note what went wrong; whether the address may be tried with something else."""
        now_ms, failures = self._clock(), row.failures + 1
        failing_ms = now_ms if row.failing_ms is None else row.failing_ms
        is_paused = error.gone or now_ms - failing_ms >= PAUSED_AFTER_MS
        values: dict[str, Any] = {"failing_ms": failing_ms, "problem": str(error)[:200]}
        if error.whole:
            values |= {"failures": failures, "rests_until_ms": now_ms + rest_ms(failures, self._dice(), error.wait_s)}
        with self._store.writing() as connection:
            state = "dead" if tries >= TRIES_MAX else "waiting"
            webhooks.save_delivery(connection, row.webhook, row.event, state=state, problem=str(error)[:200])
            webhooks.change_webhook(connection, row.webhook, **values, **({"paused_ms": now_ms} if is_paused else {}))
            if is_paused:
                detail = f"{row.carrier}: {error}. Nothing is sent there until somebody lets it go on"
                ingest.raise_alert(connection, row.site, AlertKind.WEBHOOK_PAUSED, str(row.webhook), detail, now_ms)
        LOG.warning("event %s for address %s did not arrive (try %s): %s", row.id, row.webhook, tries, error)
        if is_paused:
            self._live.publish("alert", row.site)
        return not (error.whole or is_paused)


def payload(row: Any) -> str:
    """What a carrier reads: the same at every try, because it is made of the event alone."""
    return msgspec.json.encode({"type": row.kind, "timestamp": written(row.at_ms), "data": event_data(row)}).decode()


def written(at_ms: int) -> str:
    """A moment as RFC 3339 writes it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event_data(row: Any) -> dict[str, Any]:
    """What an event says of its parcel. `number` goes up: a later event of a parcel has a larger one."""
    return {
        "number": row.number,
        "parcel": row.parcel,
        "site": row.site,
        "tracking": row.tracking,
        "state": row.kind.partition(".")[2],
    }
