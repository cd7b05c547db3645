"""One call to an HTTP server of somebody else: no redirect, no endless answer, and no silence that lasts.

Owns the connection and its end. Refuses to know who may be called and what is said.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache
from urllib.parse import SplitResult


@dataclass(frozen=True, slots=True)
class Bounds:
    """`timeout_s`: longest silence; `total_s`: longest call, an answer that drips is cut off; `bytes_max`: of the answer."""

    timeout_s: float
    total_s: float
    bytes_max: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body` is one byte longer than allowed when there was more."""

    status: int
    headers: Message
    body: bytes


class NotReached(Exception):
    """There was no answer; the text says why and holds neither the address nor what was sent."""


def call(
    method: str, parts: SplitResult, address: str, *, bounds: Bounds, body: bytes = b"", headers: Mapping[str, str]
) -> Answer:
    """Call `address`, which the name in `parts` stands for. Raises NotReached."""
    is_tls = parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    connection = _Pinned(parts.hostname or "", port, address, tls=is_tls, timeout_s=bounds.timeout_s)
    cut = threading.Timer(bounds.total_s, connection.cut)
    cut.daemon = True
    cut.start()
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, body, dict(headers))
        with connection.getresponse() as answer:
            return Answer(answer.status, answer.headers, answer.read(bounds.bytes_max + 1))
    except (OSError, http.client.HTTPException, ValueError) as error:
        too_long = f"it takes longer than {bounds.total_s:.0f} s"
        raise NotReached(too_long if connection.is_cut else f"it is not reached: {type(error).__name__}") from None
    finally:
        cut.cancel()
        connection.close()


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Pinned(http.client.HTTPConnection):
    """Speaks to `host`, and calls the address that was looked at."""

    def __init__(self, host: str, port: int, address: str, *, tls: bool, timeout_s: float) -> None:
        super().__init__(host, port, timeout=timeout_s)
        self.default_port = 443 if tls else 80
        self._address = address
        self._over_tls = tls
        self._timeout_s = timeout_s
        self.is_cut = False

    def connect(self) -> None:
        """Open the connection."""
        self.sock = socket.create_connection((self._address, self.port), self._timeout_s)
        if self._over_tls:
            self.sock = _tls().wrap_socket(self.sock, server_hostname=self.host)

    def cut(self) -> None:
        """End the call, from another thread."""
        self.is_cut = True
        if self.sock is not None:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)
