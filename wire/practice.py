"""The practice slip of a site: a text of ours that opens the practice compartment and belongs to no parcel (M-10).

Owns its form. Refuses to know which compartment that is. It is derived from the site key, so nobody can make one for a site
that did not print it, and another site's is told apart.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from wire import crockford

PRACTICE_PREFIX: Final = "CP1"
_BODY_CHARACTERS: Final = 8
_EPOCH_BITS: Final = 16
_TAG_CHARACTERS: Final = 16
_TAG_BYTES: Final = 10
PRACTICE_CHARACTERS: Final = len(PRACTICE_PREFIX) + _BODY_CHARACTERS + _TAG_CHARACTERS


@dataclass(frozen=True, slots=True)
class ScannedPractice:
    """A well-formed practice slip whose tag has not been checked yet."""

    site_number: int
    epoch: int
    tag: bytes


def practice_text(site_key: bytes, site_number: int, epoch: int) -> str:
    """The text of the QR on a site's practice slip."""
    body = site_number << _EPOCH_BITS | epoch
    tag = int.from_bytes(_tag(site_key, site_number, epoch), "big")
    return PRACTICE_PREFIX + crockford.encode(body, _BODY_CHARACTERS) + crockford.encode(tag, _TAG_CHARACTERS)


def read_practice(text: str) -> ScannedPractice | None:
    """The fields of a practice slip, or None when it is none. The tag is *not* checked: see `is_genuine_practice`."""
    if len(text) != PRACTICE_CHARACTERS or not text.startswith(PRACTICE_PREFIX):
        return None
    middle = len(PRACTICE_PREFIX) + _BODY_CHARACTERS
    try:
        body = crockford.decode(text[len(PRACTICE_PREFIX) : middle])
        tag = crockford.decode(text[middle:])
    except crockford.NotCrockford:
        return None
    return ScannedPractice(body >> _EPOCH_BITS, body & ((1 << _EPOCH_BITS) - 1), tag.to_bytes(_TAG_BYTES, "big"))


def is_genuine_practice(scanned: ScannedPractice, site_key: bytes) -> bool:
    """Whether the tag was made with this site key; compared in constant time."""
    return hmac.compare_digest(scanned.tag, _tag(site_key, scanned.site_number, scanned.epoch))


def _tag(site_key: bytes, site_number: int, epoch: int) -> bytes:
    message = b"consigne/1/practice\x00" + (site_number << _EPOCH_BITS | epoch).to_bytes(8, "big")
    return hmac.digest(site_key, message, hashlib.sha256)[:_TAG_BYTES]
