"""The sheet of command cards: what a hand full of parcels says to the machine by scanning.

Owns the A4 sheets with one card for each command, to cut to the size of bank cards. Refuses to know what a command does.
"""

from __future__ import annotations

from typing import Final

from paper import pictograms
from paper.phrases import desk_phrases
from paper.sheet import CARD_HEIGHT_MM, CARD_WIDTH_MM, Box, Sheet, Style
from wire.badges import CommandCard, card_text

_PAGE_WIDTH: Final = 210.0
_PAGE_HEIGHT: Final = 297.0
_ACROSS: Final = 2
_CARDS_A_PAGE: Final = 5 * _ACROSS
_LEFT: Final = (_PAGE_WIDTH - _ACROSS * CARD_WIDTH_MM) / 2
_TOP: Final = 13.5

_CODE: Final = Box(40, 6, 42, 42)
_PICTURE: Final = Box(6, 6, 26, 26)
_WORD: Final = Box(3, 34, 37, 14)


def cards_pdf() -> bytes:
    """Every command card with its pictogram and word, on A4 pages with lines to cut along."""
    words = desk_phrases()
    sheet = Sheet(width_mm=_PAGE_WIDTH, height_mm=_PAGE_HEIGHT, title=words.cards_title, language="fr")
    for number, card in enumerate(CommandCard):
        place = number % _CARDS_A_PAGE
        if place == 0:
            sheet.add_page()
        left = _LEFT + place % _ACROSS * CARD_WIDTH_MM
        top = _TOP + place // _ACROSS * CARD_HEIGHT_MM
        sheet.frame(Box(left, top, CARD_WIDTH_MM, CARD_HEIGHT_MM))
        sheet.code(card_text(card), _CODE.moved(left, top))
        sheet.picture(pictograms.CARDS[card], _PICTURE.moved(left, top))
        sheet.write(
            words.cards[card], _WORD.moved(left, top), Style(size_pt=16, bold=True, align="center", middle=True)
        )
    return sheet.to_bytes()
