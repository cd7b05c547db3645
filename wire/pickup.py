"""The key of a parcel, in its two printed forms: QR text and typed digits (design §5).

Owns how both are derived from the site key and how they are checked. Refuses to know parcels, attempts or doors:
whether a genuine key opens something is decided elsewhere. HMAC comes from the standard library.

QR text, 39 characters, QR alphanumeric mode (version 3, level Q holds 47)::

    CG1 | 20 characters: site 20 bits, parcel 64 bits, version 10 bits, epoch 6 bits | 16 characters: 80-bit tag
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from wire import crockford, damm
from wire.ids import (
    KEY_EPOCH_MAX,
    KEY_VERSION_MAX,
    PARCEL_ID_BITS,
    SITE_NUMBER_MAX,
    ParcelId,
    parcel_id_from_bits,
)

PREFIX: Final = "CG1"
SEND_PREFIX: Final = "CD1"
"""A slip for a parcel that is handed in: it opens one empty compartment, once, and never the one its parcel lies in (C-32)."""
SITE_KEY_BYTES: Final = 32
QR_CHARACTERS: Final = 39
DIGITS: Final = 12
"""11 derived digits and one check digit, shown 4-4-4."""

_BODY_CHARACTERS: Final = 20
_TAG_CHARACTERS: Final = 16
_TAG_BYTES: Final = 10
_QR_LABEL: Final = b"consigne/1/qr\x00"
_SEND_LABEL: Final = b"consigne/1/send\x00"
_DIGITS_LABEL: Final = b"consigne/1/digits\x00"


@dataclass(frozen=True, slots=True)
class PickupKey:
    """What a slip opens: one parcel at one site, at one version of its key."""

    site_number: int
    parcel: ParcelId
    version: int
    epoch: int


@dataclass(frozen=True, slots=True)
class ScannedKey:
    """A well-formed QR text whose tag has not been checked yet. `sends`: it is for a parcel that is handed in (C-32)."""

    key: PickupKey
    tag: bytes
    sends: bool = False


class WrongCheckDigit(ValueError):
    """Twelve digits were typed but the last does not fit the others: a slip of the finger, not an attempt."""


class NotDigits(ValueError):
    """What was typed is not twelve digits."""


def qr_text(site_key: bytes, key: PickupKey) -> str:
    """The text of the QR on a slip. Raises ValueError for a field out of range or a site key that is not 32 bytes."""
    body = _pack(key)
    return PREFIX + crockford.encode(body, _BODY_CHARACTERS) + _tag_text(_tag(site_key, body, _QR_LABEL))


def send_text(site_key: bytes, key: PickupKey) -> str:
    """The text of the QR on a slip for handing in a parcel; raises ValueError as `qr_text` does."""
    body = _pack(key)
    return SEND_PREFIX + crockford.encode(body, _BODY_CHARACTERS) + _tag_text(_tag(site_key, body, _SEND_LABEL))


def read_qr_text(text: str) -> ScannedKey | None:
    """The fields of a QR text, or None when it is not one of ours. The tag is *not* checked: see `is_genuine`."""
    if len(text) != QR_CHARACTERS or not text.startswith((PREFIX, SEND_PREFIX)):
        return None
    try:
        body = crockford.decode(text[len(PREFIX) : len(PREFIX) + _BODY_CHARACTERS])
        tag = crockford.decode(text[len(PREFIX) + _BODY_CHARACTERS :])
    except crockford.NotCrockford:
        return None
    return ScannedKey(_unpack(body), tag.to_bytes(_TAG_BYTES, "big"), sends=text.startswith(SEND_PREFIX))


def is_genuine(scanned: ScannedKey, site_key: bytes) -> bool:
    """Whether the tag was made with this site key; compared in constant time."""
    purpose = _SEND_LABEL if scanned.sends else _QR_LABEL
    return hmac.compare_digest(scanned.tag, _tag(site_key, _pack(scanned.key), purpose))


def typed_digits(site_key: bytes, key: PickupKey) -> str:
    """The twelve digits of a key, without spaces. The site key already binds them to the site and epoch."""
    _require_site_key(site_key)
    message = _DIGITS_LABEL + _pack(key).to_bytes(13, "big")
    number = int.from_bytes(hmac.digest(site_key, message, hashlib.sha256), "big") % 10 ** (DIGITS - 1)
    eleven = f"{number:0{DIGITS - 1}d}"
    return eleven + damm.check_digit(eleven)


def read_digits(text: str) -> str:
    """Twelve digits from what a person typed; spaces, dots and dashes are ignored.

    Raises NotDigits or WrongCheckDigit.
    """
    digits = text.translate({ord(ignored): None for ignored in " .-\u00a0\u202f"})
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        message = f"expected {DIGITS} digits"
        raise NotDigits(message)
    if not damm.is_valid(digits):
        message = "the last digit does not fit the others"
        raise WrongCheckDigit(message)
    return digits


def show_digits(digits: str) -> str:
    """Twelve digits as people read them: `1234 5678 9012`."""
    return f"{digits[:4]} {digits[4:8]} {digits[8:]}"


def _require_site_key(site_key: bytes) -> None:
    if len(site_key) != SITE_KEY_BYTES:
        message = f"a site key is {SITE_KEY_BYTES} bytes, this one has {len(site_key)}"
        raise ValueError(message)


def _pack(key: PickupKey) -> int:
    for name, value, most in (
        ("site number", key.site_number, SITE_NUMBER_MAX),
        ("key version", key.version, KEY_VERSION_MAX),
        ("key epoch", key.epoch, KEY_EPOCH_MAX),
    ):
        if not 0 <= value <= most:
            message = f"{name} {value} is outside 0..{most}"
            raise ValueError(message)
    parcel = crockford.decode(key.parcel)
    return ((key.site_number << PARCEL_ID_BITS | parcel) << 10 | key.version) << 6 | key.epoch


def _unpack(body: int) -> PickupKey:
    return PickupKey(
        site_number=body >> 80,
        parcel=parcel_id_from_bits(body >> 16 & (1 << PARCEL_ID_BITS) - 1),
        version=body >> 6 & KEY_VERSION_MAX,
        epoch=body & KEY_EPOCH_MAX,
    )


def _tag(site_key: bytes, body: int, purpose: bytes) -> bytes:
    _require_site_key(site_key)
    return hmac.digest(site_key, purpose + body.to_bytes(13, "big"), hashlib.sha256)[:_TAG_BYTES]


def _tag_text(tag: bytes) -> str:
    return crockford.encode(int.from_bytes(tag, "big"), _TAG_CHARACTERS)
