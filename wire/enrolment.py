"""What a new storage point is given, once, in exchange for its token: who it is, its keys, and the way to the broker (A-01).

Owns the two documents of that exchange, which goes over HTTPS and never over the broker. Refuses to know how either side keeps them.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from wire.ids import KEY_EPOCH_MAX, SITE_NUMBER_MAX, is_site_id
from wire.pickup import SITE_KEY_BYTES

PATH: Final = "/api/v1/enrol"
"""Where a hub gives it."""
TOKEN_PREFIX: Final = "cen_"  # noqa: S105 the prefix of every token, not one
KIT_BYTES_MAX: Final = 65_536

Token = Annotated[str, Meta(max_length=64)]


class EnrolmentAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The token of somebody who holds the machine in their hands."""

    token: Token


class EnrolmentKit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`keys`: the site's keys in hex, by epoch from 0. `ca`: certificates (PEM) that the broker's is checked with; empty without TLS."""

    site: str
    number: Annotated[int, Meta(ge=0, le=SITE_NUMBER_MAX)]
    keys: Annotated[tuple[str, ...], Meta(min_length=1, max_length=KEY_EPOCH_MAX + 1)]
    broker_host: Annotated[str, Meta(min_length=1, max_length=253)]
    broker_port: Annotated[int, Meta(ge=1, le=65_535)]
    password: Annotated[str, Meta(max_length=128)]
    name: Annotated[str, Meta(max_length=80)] = ""
    ca: Annotated[str, Meta(max_length=32_768)] = ""


class BadKit(ValueError):
    """The bytes are no kit; the text says what is wrong, and quotes none of them."""


def read_kit(payload: bytes) -> EnrolmentKit:
    """The kit in a hub's answer. Raises BadKit."""
    try:
        kit = msgspec.json.decode(payload, type=EnrolmentKit)
        keys = [bytes.fromhex(key) for key in kit.keys]
    except (msgspec.DecodeError, ValueError):
        raise BadKit("the answer is not a kit for a site: is this the address of a Consigne hub?") from None
    if not is_site_id(kit.site) or any(len(key) != SITE_KEY_BYTES for key in keys):
        raise BadKit("the answer names no site, or a key of another length")
    return kit
