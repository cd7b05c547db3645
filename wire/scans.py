"""What a scanned text is: a pickup key, a badge, a command card, a carrier label or something foreign.

Owns the order of the questions, so that no two kinds of text can be confused. Refuses to decide what follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wire.badges import CARD_PREFIX, CommandCard, badge_digest, is_badge, read_card
from wire.labels import CarrierLabel, read_label
from wire.mandate import ScannedMandate, read_mandate
from wire.pickup import SEND_PREFIX, ScannedKey, read_qr_text
from wire.practice import ScannedPractice, read_practice

_OURS: Final = ("CG", "CB", "CC", "CP", "CM")
_S10_CHARACTERS: Final = 13
"""A carrier number such as `CC123456785FR` starts like ours; only a longer text claims to be one of ours."""
_CHRONOPOST_CHARACTERS: Final = 15
"""A Chronopost number such as `CD1234567890123` starts like a slip for handing in a parcel; only a longer text claims to be one."""
_ADDRESSES: Final = ("www.", "mailto:", "tel:", "wifi:", "begin:")


@dataclass(frozen=True, slots=True)
class ScannedBadge:
    """A badge, known from here on only by its digest."""

    digest: str


@dataclass(frozen=True, slots=True)
class Damaged:
    """A text that starts as one of ours but is not whole: a dirty slip or a card of another version."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """Any other text: a web address, a loyalty card."""


Scanned = ScannedKey | ScannedMandate | ScannedPractice | ScannedBadge | CommandCard | CarrierLabel | Damaged | Foreign


def classify(text: str) -> Scanned:
    """What `text` is. Never raises, whatever the text."""
    if key := read_qr_text(text):
        return key
    if mandate := read_mandate(text):
        return mandate
    if practice := read_practice(text):
        return practice
    if is_badge(text):
        return ScannedBadge(badge_digest(text))
    if card := read_card(text):
        return card
    if _claims_to_be_ours(text):
        return Damaged()
    return _label_or_foreign(text)


def _claims_to_be_ours(text: str) -> bool:
    if text.startswith(CARD_PREFIX):
        return True
    if text.startswith(SEND_PREFIX):
        return len(text) > _CHRONOPOST_CHARACTERS
    return text[:2] in _OURS and text[2:3].isdigit() and len(text) > _S10_CHARACTERS


def _label_or_foreign(text: str) -> CarrierLabel | Foreign:
    if text.lower().startswith(_ADDRESSES) or "://" in text:
        return Foreign()
    return read_label(text) or Foreign()
