"""Sends what ingest queued: one guarded thread, bounded tries, growing pauses, one driver.

Owns when a message is tried and when it is given up. Refuses to keep its text: the digits in it are derived for the
moment of sending (I-25). A crash between sending and noting it sends again under the same idempotency key.
"""

from __future__ import annotations

import http.client
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

from hub.clock import Clock
from hub.core.project import AlertKind, MessageKind
from hub.keys import KeyRing
from hub.live import Live
from hub.notify.words import collected_text, delegated_text, ready_text, replaced_text
from hub.store import desk, ingest
from hub.store.engine import Store
from wire.ids import ParcelId
from wire.pickup import PickupKey, show_digits

LOG: Final = logging.getLogger(__name__)

TRIES_MAX: Final = 12
"""With the pauses below about three hours; then a person is told."""
PAUSE_MS: Final = 2_000
PAUSE_MS_MAX: Final = 3_600_000
GROUP_MAX: Final = 20
LOOK_S: Final = 1.0
TIMEOUT_S: Final = 10.0
"""Longest wait for a driver; the lease on a message is longer."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message as a driver sees it. `id` is the idempotency key: the same message, the same key, always."""

    id: str
    kind: str
    to: str
    language: str
    text: str
    parcel: str
    site: str


class Undelivered(Exception):
    """The driver could not hand it over; the text names the cause and holds nothing of the message."""


class Driver(Protocol):
    """Hands a message to the world."""

    def send(self, message: Outgoing) -> None:
        """Hand it over. Raises Undelivered."""
        ...


class Webhook:
    """Posts each message as JSON; any 2xx answer is a receipt."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._timeout_s = timeout_s

    def send(self, message: Outgoing) -> None:
        """Hand it over. Raises Undelivered."""
        request = urllib.request.Request(  # noqa: S310 settings allow http and https only
            self._url,
            data=msgspec.json.encode(message),
            headers={"Content-Type": "application/json", "Idempotency-Key": message.id},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as response:  # noqa: S310
                response.read(1024)
        except urllib.error.HTTPError as error:
            error.close()
            raise Undelivered(f"the receiver answers {error.code}") from None
        except (OSError, http.client.HTTPException) as error:
            raise Undelivered(f"the receiver is not reached: {type(error).__name__}") from None


class Sender:
    """The outbox's worker. Without a driver messages are marked `unsent`: paper goes first."""

    def __init__(
        self,
        *,
        store: Store,
        keys: KeyRing,
        live: Live,
        clock: Clock,
        driver: Driver | None,
        on_sent: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._keys = keys
        self._live = live
        self._clock = clock
        self._driver = driver
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
            while not self.stopping.is_set() and self.send_due() == GROUP_MAX:
                pass

    def send_due(self) -> int:
        """Try what is due; how many were tried."""
        with self._store.reading() as connection:
            due = desk.due_messages(connection, self._clock(), GROUP_MAX)
        for row in due:
            self._try(row)
        return len(due)

    def _try(self, row: Any) -> None:
        attempts = row.attempts + 1
        if not row.phone:
            self._note(row, state="unsent", attempts=row.attempts, problem="the recipient was erased")
            return
        if self._driver is None:
            self._note(row, state="unsent", attempts=row.attempts, problem="no driver is configured")
            return
        # Counted before it is sent: a re-issue meanwhile knows that the old digits may be out.
        self._note(row, attempts=attempts, due_ms=self._clock() + pause_ms(attempts))
        with self._store.reading() as connection:
            fresh = desk.parcel(connection, row.parcel)
        try:
            self._driver.send(self._outgoing(row, fresh))
        except Undelivered as error:
            self._failed(row, attempts, str(error))
            return
        self._on_sent()
        self._note(row, state="sent", sent_ms=self._clock(), problem="")

    def _failed(self, row: Any, attempts: int, problem: str) -> None:
        LOG.warning("message %s of parcel %s was not sent (try %s): %s", row.kind, row.parcel, attempts, problem)
        if attempts < TRIES_MAX:
            self._note(row, problem=problem)
            return
        self._note(row, state="failed", problem=problem)
        with self._store.writing() as connection:
            ingest.raise_alert(connection, row.site, AlertKind.MESSAGE_FAILED, row.parcel, problem, self._clock())
        self._live.publish("alert", row.site)

    def _note(self, row: Any, **values: Any) -> None:
        with self._store.writing() as connection:
            desk.save_message(connection, row.id, values)
        self._live.publish("message", row.site, row.parcel)

    def _outgoing(self, row: Any, fresh: Any) -> Outgoing:
        key = PickupKey(row.number, ParcelId(row.parcel), fresh.version, fresh.epoch)
        return Outgoing(
            id=f"{row.parcel}:{row.kind}",
            kind=row.kind.partition("/")[0],
            to=row.phone,
            language=row.language,
            text=self._text(row, fresh, key),
            parcel=row.parcel,
            site=row.site,
        )

    def _text(self, row: Any, fresh: Any, key: PickupKey) -> str:
        if row.kind == MessageKind.COLLECTED:
            return collected_text(site=row.site_name)
        if row.kind.startswith(MessageKind.DELEGATED):
            return delegated_text(site=row.site_name)
        digits = show_digits(self._keys.digits(row.site, key))
        if row.kind == MessageKind.READY:
            at_desk = desk.is_shelf(fresh.place_kind)
            return ready_text(site=row.site_name, address=row.address, at_desk=at_desk, digits=digits)
        return replaced_text(site=row.site_name, address=row.address, digits=digits)


def pause_ms(attempts: int) -> int:
    """The pause after so many tries."""
    return int(min(PAUSE_MS * 2 ** (attempts - 1) + TIMEOUT_S * 1000, PAUSE_MS_MAX))
