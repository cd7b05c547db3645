"""The staff badge: a card whose QR says who is at work.

Owns what stands on it. Refuses to know rosters and rights. A badge carries the first name its bearer goes by and their
role, because colleagues must tell badges apart; it carries no surname, and a found one says only where to bring it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from paper import pictograms
from paper.phrases import desk_phrases
from paper.sheet import CARD_HEIGHT_MM, CARD_WIDTH_MM, Box, Sheet, Style
from wire.badges import is_badge


class BadBadge(ValueError):
    """The text is not one of `wire.badges.badge_text`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """What a badge shows; `role` is in the words of the screens. Raises BadBadge."""

    text: str
    first_name: str
    role: str
    organisation: str = ""

    def __post_init__(self) -> None:
        if not is_badge(self.text):
            message = "a badge needs the text of wire.badges.badge_text"
            raise BadBadge(message)


def badge_pdf(badge: Badge) -> bytes:
    """The badge as a PDF of one bank-card-sized page."""
    words = desk_phrases()
    sheet = Sheet(width_mm=CARD_WIDTH_MM, height_mm=CARD_HEIGHT_MM, title=words.badge_title, language="fr")
    sheet.add_page()
    sheet.code(badge.text, _CODE)
    sheet.picture(pictograms.KEY, _PICTURE)
    sheet.write(badge.organisation, _ORGANISATION, Style(size_pt=8, proper=True))
    sheet.write(badge.first_name, _NAME, Style(size_pt=17, bold=True, middle=True, proper=True))
    sheet.write(badge.role, _ROLE, Style(size_pt=11))
    sheet.write(words.badge_use, _USE, Style(size_pt=7))
    sheet.write(words.badge_found, _FOUND, Style(size_pt=7))
    return sheet.to_bytes()


_CODE: Final = Box(1, 5, 44, 44)
_PICTURE: Final = Box(75, 4, 7, 7)
_ORGANISATION: Final = Box(46, 5, 28, 7)
_NAME: Final = Box(46, 13, 37, 12)
_ROLE: Final = Box(46, 25, 37, 6)
_USE: Final = Box(46, 34, 37, 7.5)
_FOUND: Final = Box(46, 42, 37, 7.5)
