"""One POST to an address that somebody else chose: no redirect, no address inside our own network, no endless answer.

Owns who may be called, and the bounds of a call. Refuses to know what is sent. Names are resolved once, and the address that was
looked at is the one that is called (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

from hub.calls import Answer, Bounds, NotReached, call

URL_CHARACTERS_MAX: Final = 500
TIMEOUT_S: Final = 5.0
"""Longest silence."""
TOTAL_S: Final = 10.0
"""Longest call: an answer that drips is cut off."""
ANSWER_BYTES_MAX: Final = 1_024
"""Of an answer only its status counts."""
RETRY_AFTER_S_MAX: Final = 3_600


class BadUrl(ValueError):
    """An address that nothing is ever sent to; the text says why."""


class NotDelivered(Exception):
    """It did not arrive; the text says why and holds neither the address nor what was sent.

    `whole`: the address answers nothing now, whatever is sent. `gone`: it says that it wants nothing any more.
    """

    def __init__(self, text: str, *, whole: bool, gone: bool = False, wait_s: int = 0) -> None:
        super().__init__(text)
        self.whole = whole
        self.gone = gone
        self.wait_s = wait_s


def checked_url(url: str, *, private: bool) -> str:
    """An address as it is kept. Raises BadUrl. `private`: addresses inside our own network, and http, are allowed."""
    if len(url) > URL_CHARACTERS_MAX or not url.isascii() or not url.isprintable() or " " in url:
        raise BadUrl(f"at most {URL_CHARACTERS_MAX} visible ASCII characters")
    parts, port = _parts(url)
    if parts.scheme not in ({"http", "https"} if private else {"https"}):
        raise BadUrl("it begins with https://")
    if not parts.hostname or port == 0:
        raise BadUrl("it names a host, as in https://api.example.com/consigne")
    if parts.username is not None or parts.fragment:
        raise BadUrl("it has no user, password or #fragment in it")
    if not private and not _may_be_public(parts.hostname):
        raise BadUrl("it is an address that the Internet does not reach")
    return url


def post(url: str, body: bytes, headers: Mapping[str, str], *, private: bool) -> None:
    """Send it; any 2xx answer is a receipt. Raises NotDelivered."""
    parts, port = _parts(url)
    try:
        address = _address(parts.hostname or "", port, private=private)
    except OSError as error:
        raise NotDelivered(f"its name is not found: {type(error).__name__}", whole=True) from None
    sent = {"Content-Type": "application/json", **headers}
    try:
        answer = call(
            "POST", parts, address, bounds=Bounds(TIMEOUT_S, TOTAL_S, ANSWER_BYTES_MAX), body=body, headers=sent
        )
    except NotReached as error:
        raise NotDelivered(str(error), whole=True) from None
    _check(answer)


def _check(answer: Answer) -> None:
    """Raises NotDelivered for every answer but 2xx."""
    status = answer.status
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise NotDelivered(f"it answers {status}: a redirect is never followed", whole=True)
    asked = answer.headers.get("Retry-After", "")
    wait_s = min(int(asked), RETRY_AFTER_S_MAX) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 0
    whole = status >= 500 or status in {408, 410, 429}
    raise NotDelivered(f"it answers {status}", whole=whole, gone=status == 410, wait_s=wait_s)


def _parts(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadUrl("it is no address") from error
    return parts, (443 if parts.scheme == "https" else 80) if port is None else port


def _address(host: str, port: int, *, private: bool) -> str:
    """What the name stands for now. Raises OSError, and NotDelivered for an address inside our own network."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError("no name") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not private and not all(_is_public(ipaddress.ip_address(address.partition("%")[0])) for address in addresses):
        raise NotDelivered("its name stands for an address that the Internet does not reach", whole=True)
    return addresses[0]


def _may_be_public(host: str) -> bool:
    """Whether a host is a name, or an address on the Internet."""
    try:
        return _is_public(ipaddress.ip_address(host))
    except ValueError:
        return True


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
    return bool(address.is_global and inner.is_global) and not address.is_multicast
