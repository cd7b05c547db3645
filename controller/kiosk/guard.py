"""What every request passes: known host, same origin for whoever changes something, a small body, careful headers.

Owns those rules as one ASGI middleware. Refuses to know routes. Browsers are told to run our own scripts only.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES_MAX: Final = 2048
"""An input is a button or a label of at most 512 characters."""

_POLICY: Final = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors"
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_READING: Final = frozenset({"GET", "HEAD"})


class Guard:
    """The middleware. `names` are the host names this machine answers to, `framers` the other origins that may show us."""

    def __init__(self, app: ASGIApp, names: frozenset[str], framers: tuple[str, ...] = ()) -> None:
        self._app = app
        self._names = names
        self._headers = {**_HEADERS, "Content-Security-Policy": " ".join((_POLICY, "'self'", *framers))}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return

        async def send_careful(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_careful)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _name_of(host) not in self._names:
            return PlainTextResponse("This machine is not called that. Add the name to [web] names.\n", 421)
        if scope["method"] in _READING:
            return None
        if not _is_same_origin(headers, host):
            return PlainTextResponse("Only this kiosk's own pages may send inputs.\n", 403)
        length = headers.get("content-length", "")
        if not length.isdigit() or int(length) > BODY_BYTES_MAX:
            return PlainTextResponse(f"An input has a length, of at most {BODY_BYTES_MAX} bytes.\n", 413)
        return None


def _name_of(host: str) -> str:
    return urlsplit(f"//{host}").hostname or ""


def _is_same_origin(headers: Headers, host: str) -> bool:
    """Browsers say where a request comes from; one that says nothing is no browser of ours."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == host
