"""The mandate slip: a text of ours with which one person collects one parcel for another (journeys C-30).

Owns its form and its tag. Refuses to know whether it still counts: a site opens for the newest mandate of a parcel that was not
withdrawn, and for none once the parcel left. It carries no name and no typed digits; its tag is of another kind than a pickup key's,
so neither can be made from the other.

QR text, 41 characters::

    CM1 | the 20 characters of the parcel's own key | 2 characters: number of the mandate | 16 characters: 80-bit tag
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from wire import crockford
from wire.pickup import PREFIX, PickupKey, qr_text, read_qr_text

MANDATE_PREFIX: Final = "CM1"
MANDATE_NUMBER_MAX: Final = 1023
_BODY_CHARACTERS: Final = 20
_NUMBER_CHARACTERS: Final = 2
_TAG_CHARACTERS: Final = 16
_TAG_BYTES: Final = 10
MANDATE_CHARACTERS: Final = len(MANDATE_PREFIX) + _BODY_CHARACTERS + _NUMBER_CHARACTERS + _TAG_CHARACTERS
_LABEL: Final = b"consigne/1/mandate\x00"


@dataclass(frozen=True, slots=True)
class ScannedMandate:
    """A well-formed mandate slip whose tag has not been checked yet. `number` counts the mandates of a parcel from 1."""

    key: PickupKey
    number: int
    tag: bytes


def mandate_text(site_key: bytes, key: PickupKey, number: int) -> str:
    """The text of the QR on a mandate slip. Raises ValueError for a field out of range or a site key that is not 32 bytes."""
    if not 1 <= number <= MANDATE_NUMBER_MAX:
        message = f"mandate number {number} is outside 1..{MANDATE_NUMBER_MAX}"
        raise ValueError(message)
    own = qr_text(site_key, key)[len(PREFIX) :][:_BODY_CHARACTERS]
    body = own + crockford.encode(number, _NUMBER_CHARACTERS)
    tag = int.from_bytes(_tag(site_key, body), "big")
    return MANDATE_PREFIX + body + crockford.encode(tag, _TAG_CHARACTERS)


def read_mandate(text: str) -> ScannedMandate | None:
    """The fields of a mandate slip, or None when it is none. The tag is *not* checked: see `is_genuine_mandate`."""
    if len(text) != MANDATE_CHARACTERS or not text.startswith(MANDATE_PREFIX):
        return None
    own, rest = text[len(MANDATE_PREFIX) :][:_BODY_CHARACTERS], text[len(MANDATE_PREFIX) + _BODY_CHARACTERS :]
    scanned = read_qr_text(PREFIX + own + rest[_NUMBER_CHARACTERS:])
    try:
        number = crockford.decode(rest[:_NUMBER_CHARACTERS])
    except crockford.NotCrockford:
        return None
    if scanned is None or number == 0:
        return None
    return ScannedMandate(scanned.key, number, scanned.tag)


def is_genuine_mandate(scanned: ScannedMandate, site_key: bytes) -> bool:
    """Whether the tag was made with this site key; compared in constant time."""
    own = qr_text(site_key, scanned.key)[len(PREFIX) :][:_BODY_CHARACTERS]
    body = own + crockford.encode(scanned.number, _NUMBER_CHARACTERS)
    return hmac.compare_digest(scanned.tag, _tag(site_key, body))


def _tag(site_key: bytes, body: str) -> bytes:
    return hmac.digest(site_key, _LABEL + body.encode(), hashlib.sha256)[:_TAG_BYTES]
