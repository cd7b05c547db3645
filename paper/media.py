"""What we print on: the papers of a desk, with the room each leaves for ink.

Owns sizes and margins. Refuses to know what stands on a paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Paper(StrEnum):
    """What something is printed on. `ROLL` is the 80 mm roll of a receipt printer."""

    A6 = "a6"
    A6_ON_A4 = "a6-on-a4"
    A4_HALF = "a4-half"
    ROLL = "roll-80"


@dataclass(frozen=True, slots=True)
class Page:
    """A page in millimetres. A roll has no height of its own: `height` is where it is cut at the latest."""

    width: float
    height: float
    margin: float
    endless: bool = False

    @property
    def text_width(self) -> float:
        """What a line may fill."""
        return self.width - 2 * self.margin


LISTS: Final = {
    Paper.A6: Page(105, 148, 6),
    Paper.A6_ON_A4: Page(210, 297, 14),
    Paper.A4_HALF: Page(210, 297, 14),
    Paper.ROLL: Page(80, 1000, 4, endless=True),
}
"""Receipts and lists fill their pages from the top: whole A4 sheets where there is A4. Receipt printers reach 72 of 80 mm."""
