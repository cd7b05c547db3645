"""The addresses of carriers: add one, give it another secret, let it go on, try again what is dead.

Owns the order *check, write, note in the log*. Refuses to know HTTP and pages. A secret is shown once and kept sealed.
Raises hub.core.parcels.Refused.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import Connection

from hub.audit.chain import Action
from hub.audit.log import AuditLog
from hub.carriers.delivery import SECRET_PURPOSE
from hub.carriers.keys import tenant_of
from hub.carriers.post import BadUrl, checked_url
from hub.clock import Clock
from hub.core.parcels import Refused
from hub.core.permissions import Visitor
from hub.keys import KeyRing
from hub.store import webhooks
from hub.store.engine import Store

SECRET_BYTES: Final = 32
"""Standard Webhooks asks for 24 to 64."""
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 the prefix of every secret, not one
OLD_SECRET_MS: Final = 24 * 3_600_000
"""How long what is sent bears both signatures after a rotation: a day to change the secret without losing an event."""
WEBHOOKS_MAX: Final = 5
"""Addresses of one carrier."""
DELIVERY_STATES: Final = ("waiting", "delivered", "dead")


@dataclass(frozen=True, slots=True)
class Address:
    """An address as people and programs see it."""

    id: int
    carrier: str
    url: str
    created_ms: int
    failing_ms: int | None
    paused_ms: int | None
    problem: str
    waiting: int

    @property
    def shown(self) -> str:
        """The address without what follows `?`, where some keep a password."""
        return self.url.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to an address."""

    webhook: int
    event: int
    id: str
    kind: str
    parcel: str
    tracking: str
    site: str
    at_ms: int
    state: str
    attempts: int
    tried_ms: int | None
    problem: str
    carrier: str
    host: str


class Webhooks:
    """What may be asked about addresses: by a carrier of its own, by an association of its carriers'."""

    def __init__(self, store: Store, keys: KeyRing, clock: Clock, *, private: bool) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._private = private
        self._audit = AuditLog(keys)

    def addresses(self, by: Visitor) -> list[Address]:
        """Addresses, by carrier."""
        with self._store.reading() as connection:
            rows = webhooks.webhooks(connection, by.scope)
        return [_address(row) for row in rows]

    def add(self, url: str, by: Visitor) -> tuple[int, str]:
        """A new address, told of what happens from now on: its number, and its secret, shown once.

        Refused: `not_a_carrier`, `bad_url`, `too_many`.
        """
        if not by.scope.partner:
            raise Refused("not_a_carrier", "only a carrier's own key says where its events go")
        try:
            kept = checked_url(url, private=self._private)
        except BadUrl as error:
            raise Refused("bad_url", f"url: {error}") from error
        text, sealed = self._new_secret()
        with self._store.writing() as connection:
            if len(webhooks.webhooks(connection, by.scope)) >= WEBHOOKS_MAX:
                raise Refused("too_many", f"you have {WEBHOOKS_MAX} addresses: end one first")
            made = webhooks.add_webhook(
                connection, partner=by.scope.partner, url=kept, secret=sealed, now_ms=self._clock()
            )
            self._note(connection, by, Action.WEBHOOK_ADDED, made, urlsplit(kept).hostname or "")
        return made, text

    def rotate(self, webhook: int, by: Visitor) -> str:
        """Another secret, shown once; for a day what is sent is signed with both. Refused: `unknown_webhook`."""
        text, sealed = self._new_secret()
        with self._store.writing() as connection:
            row = self._known(connection, webhook, by)
            until_ms = self._clock() + OLD_SECRET_MS
            webhooks.change_webhook(connection, webhook, secret=sealed, old_secret=row.secret, old_until_ms=until_ms)
            self._note(connection, by, Action.WEBHOOK_ROTATED, webhook)
        return text

    def resume(self, webhook: int, by: Visitor) -> None:
        """Send to it again, all that waits, now. Refused: `unknown_webhook`."""
        with self._store.writing() as connection:
            self._known(connection, webhook, by)
            now_ms = self._clock()
            webhooks.change_webhook(
                connection, webhook, paused_ms=None, failing_ms=None, failures=0, rests_until_ms=0, problem=""
            )
            webhooks.deliver_again(connection, webhook, now_ms, states=("waiting",))
            webhooks.clear_alerts(connection, webhook, now_ms)
            self._note(connection, by, Action.WEBHOOK_RESUMED, webhook)

    def end(self, webhook: int, by: Visitor) -> None:
        """Nothing goes there any more; what was on its way is forgotten. Refused: `unknown_webhook`."""
        with self._store.writing() as connection:
            self._known(connection, webhook, by)
            webhooks.end_webhook(connection, webhook)
            webhooks.clear_alerts(connection, webhook, self._clock())
            self._note(connection, by, Action.WEBHOOK_ENDED, webhook)

    def deliveries(self, by: Visitor, state: str = "") -> list[Delivery]:
        """The last events on their way, the newest first."""
        with self._store.reading() as connection:
            rows = webhooks.deliveries(connection, by.scope, state)
        return [_delivery(row) for row in rows]

    def again(self, webhook: int, event: int, by: Visitor) -> None:
        """Try once more what is dead, with all its tries. Refused: `unknown_webhook`, `unknown_delivery`."""
        with self._store.writing() as connection:
            self._known(connection, webhook, by)
            if not webhooks.deliver_again(connection, webhook, self._clock(), event=event, states=("dead",)):
                raise Refused("unknown_delivery", "there is no such event that was given up")
            self._note(connection, by, Action.DELIVERY_AGAIN, webhook)

    def events(self, by: Visitor, *, parcel: str = "", after: int = 0) -> Sequence[Any]:
        """What happened, in its order, after event number `after`: of one parcel, or of all."""
        with self._store.reading() as connection:
            return webhooks.events_of(connection, by.scope, parcel=parcel, after=after)

    def _new_secret(self) -> tuple[str, bytes]:
        raw = secrets.token_bytes(SECRET_BYTES)
        return SECRET_PREFIX + base64.b64encode(raw).decode(), self._keys.sealed(SECRET_PURPOSE, raw)

    @staticmethod
    def _known(connection: Connection, webhook: int, by: Visitor) -> Any:
        row = webhooks.webhook(connection, by.scope, webhook)
        if row is None:
            raise Refused("unknown_webhook", "there is no such address")
        return row

    def _note(self, connection: Connection, by: Visitor, action: Action, webhook: int, reason: str = "") -> None:
        self._audit.note(
            connection, by, action, tenant=tenant_of(by), at_ms=self._clock(), kind="webhook", subject=str(webhook),
            reason=reason,
        )  # fmt: skip


def _address(row: Any) -> Address:
    return Address(
        row.id, row.carrier, row.url, row.created_ms, row.failing_ms, row.paused_ms, row.problem, row.waiting
    )


def _delivery(row: Any) -> Delivery:
    return Delivery(
        row.webhook, row.event, row.id, row.kind, row.parcel, row.tracking, row.site, row.at_ms, row.state,
        row.attempts, row.tried_ms, row.problem, row.carrier, urlsplit(row.url).hostname or "",
    )  # fmt: skip
