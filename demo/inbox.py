"""The pretend telephones of all recipients: what the hub's webhook brings, newest first, bounded.

Owns the messages and who may leave one: whoever knows the secret address, which only the hub is told. Refuses to know pages.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from threading import Lock
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

MESSAGES_MAX: Final = 200
"""The oldest is forgotten then: a telephone of the demonstration is no archive."""

BODY_BYTES_MAX: Final = 8_192
"""A message of the hub has a few hundred bytes."""

PATH: Final = "/inbox/"
SECRET_BYTES: Final = 16

Word = Annotated[str, Meta(max_length=100)]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the hub's webhook sends it; `id` is the same however often it is sent."""

    id: Word
    kind: Word
    to: Word
    language: Word
    text: Annotated[str, Meta(max_length=2_000)]
    parcel: Word
    site: Word


class Inbox:
    """An ASGI application that takes messages at one secret path, and the list of those it took."""

    def __init__(self) -> None:
        self.path = PATH + secrets.token_urlsafe(SECRET_BYTES)
        self._messages: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._lock = Lock()

    def take(self, message: Message) -> None:
        """Keep it; the same message a second time is no second message."""
        with self._lock:
            if message.id not in self._messages:
                self._messages[message.id] = {**msgspec.to_builtins(message), "at": time.strftime("%H:%M")}
            while len(self._messages) > MESSAGES_MAX:
                self._messages.popitem(last=False)

    def newest_first(self) -> list[dict[str, Any]]:
        """All of them."""
        with self._lock:
            return list(reversed(self._messages.values()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        status = await self._receive(request)
        await PlainTextResponse("", status)(scope, receive, send)

    async def _receive(self, request: Request) -> int:
        if not secrets.compare_digest(request.url.path.encode(), self.path.encode()) or request.method != "POST":
            return 404
        length = request.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > BODY_BYTES_MAX:
            return 413
        try:
            self.take(msgspec.json.decode(await request.body(), type=Message))
        except msgspec.DecodeError:
            return 422
        return 204
