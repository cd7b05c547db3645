"""What carries a message to the world: the port, what a driver sees, and the webhook.

Owns how a failure is told: for now, or for good. Refuses to know when a message is tried. No text of a failure holds anything
of the message or of whom it is for (I-25).
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from hub.notify.words import Line
from paper.slip import Slip

TIMEOUT_S: Final = 10.0
"""Longest wait for a driver; the lease on a message is longer."""
_WEBHOOK_FIELDS: Final = ("id", "kind", "to", "language", "text", "parcel", "site")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message as a driver sees it. `id` is the idempotency key: the same message, the same key, always.

    `subject`, `lines` and `slip` are for what can show more than `text`; `slip` is None when the message brings no key.
    """

    id: str
    kind: str
    to: str
    language: str
    text: str
    parcel: str
    site: str
    tenant: int = 1
    subject: str = ""
    lines: tuple[Line, ...] = ()
    slip: Slip | None = None


class Undelivered(Exception):
    """The driver could not hand it over now; the text names the cause and holds nothing of the message."""


class NoSuchAddress(Undelivered):
    """Nobody is reached there, however often it is tried."""


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
            data=msgspec.json.encode({name: getattr(message, name) for name in _WEBHOOK_FIELDS}),
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
