"""The numbers that stand on the doors of a bank, to print and to cut.

Owns the A4 sheets with one label a door. Refuses to know what lies behind it. A number is read from two metres, without glasses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from paper.phrases import desk_phrases
from paper.sheet import CARD_HEIGHT_MM, CARD_WIDTH_MM, Box, Sheet, Style

_PAGE_WIDTH: Final = 210.0
_PAGE_HEIGHT: Final = 297.0
_ACROSS: Final = 2
_A_PAGE: Final = 5 * _ACROSS
_LEFT: Final = (_PAGE_WIDTH - _ACROSS * CARD_WIDTH_MM) / 2
_TOP: Final = 13.5

_NUMBER: Final = Box(4, 3, 77.6, 41)
_SIZE: Final = Box(4, 44, 20, 7)
_SITE: Final = Box(24, 44, 57.6, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorLabel:
    """What stands on one door: its label, at most four characters, and its size class."""

    label: str
    size: str


def door_labels_pdf(labels: tuple[DoorLabel, ...], site_name: str) -> bytes:
    """Every door's number, with lines to cut along; one blank page for a bank without doors."""
    sheet = Sheet(width_mm=_PAGE_WIDTH, height_mm=_PAGE_HEIGHT, title=desk_phrases().door_labels_title, language="fr")
    for number in range(max(len(labels), 1)):
        place = number % _A_PAGE
        if place == 0:
            sheet.add_page()
        for label in labels[number : number + 1]:
            left = _LEFT + place % _ACROSS * CARD_WIDTH_MM
            top = _TOP + place // _ACROSS * CARD_HEIGHT_MM
            sheet.frame(Box(left, top, CARD_WIDTH_MM, CARD_HEIGHT_MM))
            number_style = Style(size_pt=110, bold=True, align="center", middle=True, proper=True)
            sheet.write(label.label, _NUMBER.moved(left, top), number_style)
            sheet.write(label.size, _SIZE.moved(left, top), Style(size_pt=13, bold=True, proper=True))
            sheet.write(site_name, _SITE.moved(left, top), Style(size_pt=9, align="end", middle=True, proper=True))
    return sheet.to_bytes()
