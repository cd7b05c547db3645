"""The bank drawn as it hangs on the wall.

Owns the grid, the customer's drawing with one door lit, and the classes that place a door of the staff's drawing. Refuses
to know words beyond the labels painted on the doors. Rows and columns may count from 0 or 1: the smallest is the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from controller.core.views import CompartmentView
from wire.ids import Label

ROWS_MAX: Final = 48
COLUMNS_MAX: Final = 64
"""Largest grid the style sheet places doors on."""

_UNIT_WIDTH: Final = 60
_UNIT_HEIGHT: Final = 44
_MARGIN: Final = 6
_ARROW_ROOM: Final = 34
"""Room left of the bank, so that a door at its edge is pointed at too."""


def placed(bank: Sequence[CompartmentView]) -> list[tuple[CompartmentView, str]]:
    """Each door with the classes of its place, in reading order."""
    if not bank:
        return []
    top, left = min(door.row for door in bank), min(door.column for door in bank)
    return [
        (
            door,
            (
                f"r{min(door.row - top + 1, ROWS_MAX)} c{min(door.column - left + 1, COLUMNS_MAX)} "
                f"rs{min(door.rows, ROWS_MAX)} cs{min(door.columns, COLUMNS_MAX)}"
            ),
        )
        for door in sorted(bank, key=lambda door: (door.row, door.column))
    ]


def rows(bank: Sequence[CompartmentView]) -> list[tuple[int, list[Label]]]:
    """The rows of the bank from above, each with its number in the board file and the labels of its doors from the left."""
    numbers = sorted({door.row for door in bank})
    return [(number, [door.label for door, _ in placed(bank) if door.row == number]) for number in numbers]


def style_sheet() -> str:
    """The rules behind the classes of `placed`: a strict content policy forbids style attributes."""
    rows = (f".r{n}{{grid-row-start:{n}}}.rs{n}{{grid-row-end:span {n}}}" for n in range(1, ROWS_MAX + 1))
    columns = (f".c{n}{{grid-column-start:{n}}}.cs{n}{{grid-column-end:span {n}}}" for n in range(1, COLUMNS_MAX + 1))
    return "".join((*rows, *columns))


def lit_svg(bank: Sequence[CompartmentView], lit: Label | None) -> Markup:
    """The whole bank with one door filled, numbered and pointed at; decoration for who reads the sentence beside it."""
    if not bank:
        return Markup("")
    top, left = min(door.row for door in bank), min(door.column for door in bank)
    width = (max(door.column + door.columns for door in bank) - left) * _UNIT_WIDTH
    height = (max(door.row + door.rows for door in bank) - top) * _UNIT_HEIGHT
    lit_last = sorted(bank, key=lambda door: door.label == lit)
    doors = "".join(_door_svg(door, top, left, lit=door.label == lit) for door in lit_last)
    box = f"{-_ARROW_ROOM} {-_MARGIN} {width + 2 * _ARROW_ROOM} {height + 2 * _MARGIN}"
    frame = f'<rect class="frame" x="-3" y="-3" width="{width + 6}" height="{height + 6}" rx="6"/>'
    return Markup(f'<svg class="bank" viewBox="{box}" aria-hidden="true" focusable="false">{frame}{doors}</svg>')  # noqa: S704 numbers and labels of the board file only


def _door_svg(door: CompartmentView, top: int, left: int, *, lit: bool) -> str:
    x, y = (door.column - left) * _UNIT_WIDTH + 3, (door.row - top) * _UNIT_HEIGHT + 3
    width, height = door.columns * _UNIT_WIDTH - 6, door.rows * _UNIT_HEIGHT - 6
    rect = f'<rect class="{"lit" if lit else "door"}" x="{x}" y="{y}" width="{width}" height="{height}" rx="4"/>'
    if not lit:
        return rect
    middle_x, middle_y = x + width / 2, y + height / 2
    side = min(_UNIT_HEIGHT - 8, height)
    tip = f"{x + 2},{middle_y:g} {x - 24},{middle_y - 17:g} {x - 24},{middle_y + 17:g}"
    arrow = f'<polygon class="arrow" points="{tip}"/>'
    number = f'<text class="lit-number" x="{middle_x:g}" y="{middle_y:g}" font-size="{side}">{Markup.escape(door.label)}</text>'
    return rect + number + arrow
