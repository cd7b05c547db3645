"""Badges of staff and couriers, and command cards: the other texts of ours that a reader scans.

Owns their printed form and the digest kept in a roster. Refuses to know people, rights or what a command does.
"""

from __future__ import annotations

import hashlib
import hmac
from enum import StrEnum
from typing import Final

from wire import crockford

BADGE_PREFIX: Final = "CB1"
CARD_PREFIX: Final = "CC1-"
_SECRET_BITS: Final = 128
_SECRET_CHARACTERS: Final = 26
BADGE_CHARACTERS: Final = len(BADGE_PREFIX) + _SECRET_CHARACTERS
PIN_DIGITS_MIN: Final = 4
PIN_DIGITS_MAX: Final = 8


class CommandCard(StrEnum):
    """What a card on the desk's wall says to the machine; the value is the text after `CC1-`."""

    SIZE_S = "S"
    SIZE_M = "M"
    SIZE_L = "L"
    SIZE_XL = "XL"
    SHELF = "SHELF"
    BIGGER = "BIGGER"
    CANCEL = "CANCEL"
    DONE = "DONE"
    EMPTY = "EMPTY"
    NOT_EMPTY = "NOT-EMPTY"
    HEAVY = "HEAVY"
    LOW = "LOW"
    UNIDENTIFIED = "UNIDENTIFIED"
    MAKE_ROOM = "MAKE-ROOM"
    DAMAGED = "DAMAGED"
    INVENTORY = "INVENTORY"
    END_INVENTORY = "END-INVENTORY"
    AS_EXPECTED = "AS-EXPECTED"
    OTHER = "OTHER"


def badge_text(secret: int) -> str:
    """The text printed on a badge from 128 random bits drawn by the caller. Raises ValueError outside that range."""
    if secret >> _SECRET_BITS:
        message = "a badge holds 128 bits"
        raise ValueError(message)
    return BADGE_PREFIX + crockford.encode(secret, _SECRET_CHARACTERS)


def badge_digest(text: str) -> str:
    """SHA-256 of a badge's text in hex: the only thing a roster holds. 128 random bits need no salt."""
    return hashlib.sha256(b"consigne/1/badge\x00" + text.encode()).hexdigest()


def is_pin(text: str) -> bool:
    """Whether `text` has the form of a PIN: 4 to 8 digits."""
    return PIN_DIGITS_MIN <= len(text) <= PIN_DIGITS_MAX and text.isascii() and text.isdecimal()


def pin_digest(badge: str, pin: str) -> str:
    """HMAC-SHA-256, in hex, over a PIN, keyed with the badge's own text: who holds only the roster cannot try PINs against it."""
    return hmac.new(b"consigne/1/pin\x00" + badge.encode(), pin.encode(), hashlib.sha256).hexdigest()


def is_badge(text: str) -> bool:
    """Whether `text` has the form of a badge; a roster says whether it is somebody's."""
    if len(text) != BADGE_CHARACTERS or not text.startswith(BADGE_PREFIX):
        return False
    try:
        return crockford.decode(text[len(BADGE_PREFIX) :]) < 1 << _SECRET_BITS
    except crockford.NotCrockford:
        return False


def card_text(card: CommandCard) -> str:
    """The text printed on a command card."""
    return CARD_PREFIX + card.value


def read_card(text: str) -> CommandCard | None:
    """The command a card carries, or None when it is not a command card of this version."""
    if not text.startswith(CARD_PREFIX):
        return None
    try:
        return CommandCard(text[len(CARD_PREFIX) :])
    except ValueError:
        return None
