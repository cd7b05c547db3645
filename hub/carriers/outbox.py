"""What carriers are told, written in the transaction of the change it is about, or neither is.

Owns the ids of events. Refuses to send anything: hub.carriers.delivery does.
"""

from __future__ import annotations

import secrets
from typing import Final

from sqlalchemy import Connection

from hub.core.carriers import event_of
from hub.core.project import ParcelRecord
from hub.store import webhooks
from hub.store.webhooks import NewEvent

ID_BYTES: Final = 12


class Outbox:
    """The events of one transaction, in their order. Use once."""

    def __init__(self) -> None:
        self._events: list[NewEvent] = []

    def moved(self, before: ParcelRecord | None, after: ParcelRecord) -> None:
        """A parcel changed; whoever announced it is told, when there is something to tell."""
        kind = event_of(before, after)
        if kind:
            assert after.partner is not None
            self._events.append(
                NewEvent(
                    id=f"evt_{secrets.token_hex(ID_BYTES)}",
                    partner=after.partner,
                    parcel=after.id,
                    site=after.site,
                    tracking=after.tracking,
                    kind=kind,
                    at_ms=after.changed_ms,
                )
            )

    def write(self, connection: Connection, now_ms: int) -> None:
        """Keep them."""
        webhooks.add_events(connection, self._events, now_ms)
