"""A paper that is written from the top down: receipts and lists, on pages or on a roll that is cut where the text ends.

Owns the kinds of lines and how they fill pages. Refuses to know what they say. A line is never torn over two pages, and
nothing is shrunk or cut: what is longer takes another line.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Final, Literal

from paper.drawing import Picture
from paper.media import LISTS, Page, Paper
from paper.sheet import Box, Direction, Sheet, Style

_GAP_MM: Final = 1.2
_COLUMN_GAP_MM: Final = 2.0
_RULE_MM: Final = 2.4
_SIGNATURE_MM: Final = 16.0
_TICK_MM: Final = 3.2
_LABEL_SHARE: Final = 0.42
"""Part of a line given to what a value is; the value has the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """A sentence or a title. `proper` is for what runs the way of its own script: a name, a number."""

    text: str
    size_pt: float = 10.0
    bold: bool = False
    align: Literal["start", "center", "end"] = "start"
    direction: Direction = Direction.LTR
    proper: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """What a value is, and the value; nothing is printed of a value that is not known."""

    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictured:
    """A picture and the sentences beside it, the first the largest."""

    picture: Picture
    says: tuple[Say, ...]
    side_mm: float = 11.0


@dataclass(frozen=True, slots=True)
class Cells:
    """A line of a list: a text for each column, with the share of the width each column has; with a box to tick if wanted."""

    texts: tuple[str, ...]
    shares: tuple[float, ...]
    bold: bool = False
    size_pt: float = 9.0
    tick: bool = False


@dataclass(frozen=True, slots=True)
class Scan:
    """A code of ours to be scanned, in the middle of the line."""

    text: str
    side_mm: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture alone, in the middle of the line."""

    picture: Picture
    side_mm: float


@dataclass(frozen=True, slots=True)
class Rule:
    """A thin line across."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Words with room below them to write by hand."""

    text: str


Line = Say | Field | Pictured | Cells | Scan | Drawn | Rule | Signature


def flow_pdf(lines: Iterable[Line], paper: Paper, *, title: str, language: str = "fr") -> bytes:
    """The lines as a PDF; `title` and `language` are the document's own, for whoever has it read aloud."""
    page = LISTS[paper]
    wanted = tuple(line for line in lines if not _is_blank(line))
    height = page.height
    if page.endless:
        with closing(Sheet(width_mm=page.width, height_mm=page.height, title=title, language=language)) as ruler:
            ruler.add_page()
            height = min(page.height, sum(_height(ruler, line, page) for line in wanted) + 2 * page.margin)
    sheet = Sheet(width_mm=page.width, height_mm=height, title=title, language=language)
    sheet.add_page()
    down = page.margin
    for line in wanted:
        needed = _height(sheet, line, page)
        if down > page.margin and down + needed > height - page.margin + _ROUNDING_MM:
            sheet.add_page()
            down = page.margin
        _write(sheet, line, page, down)
        down += needed
    return sheet.to_bytes()


_ROUNDING_MM: Final = 0.1


def _is_blank(line: Line) -> bool:
    return (isinstance(line, Say) and not line.text) or (isinstance(line, Field) and not line.value)


def _style(say: Say) -> Style:
    return Style(size_pt=say.size_pt, bold=say.bold, align=say.align, proper=say.proper)


def _height(sheet: Sheet, line: Line, page: Page) -> float:
    match line:
        case Say():
            return _GAP_MM + sheet.height_mm(line.text, page.text_width, _style(line), line.direction)
        case Field():
            return _GAP_MM + max(
                sheet.height_mm(line.label, page.text_width * _LABEL_SHARE, _LABEL),
                sheet.height_mm(line.value, page.text_width * (1 - _LABEL_SHARE), _VALUE),
            )
        case Pictured():
            width = page.text_width - line.side_mm - _COLUMN_GAP_MM
            says = sum(sheet.height_mm(say.text, width, _style(say), say.direction) for say in line.says)
            return _GAP_MM + max(line.side_mm, says)
        case Cells():
            style = Style(size_pt=line.size_pt, bold=line.bold)
            return _GAP_MM + max(
                sheet.height_mm(text, width, style)
                for text, (_, width) in zip(line.texts, _columns(line, page), strict=True)
            )
        case Scan() | Drawn():
            return line.side_mm
        case Rule():
            return _RULE_MM
        case Signature():
            return _GAP_MM + _SIGNATURE_MM + sheet.height_mm(line.text, page.text_width, _LABEL)


_LABEL: Final = Style(size_pt=9)
_VALUE: Final = Style(size_pt=10, bold=True, proper=True)


def _columns(line: Cells, page: Page) -> list[tuple[float, float]]:
    """Where each column starts and how wide it is."""
    ticked = _TICK_MM + _COLUMN_GAP_MM if line.tick else 0.0
    start, room = page.margin + ticked, page.text_width - ticked
    found = []
    for share in line.shares:
        found.append((start, room * share - _COLUMN_GAP_MM))
        start += room * share
    return found


def _write(sheet: Sheet, line: Line, page: Page, down: float) -> None:
    left, width = page.margin, page.text_width
    height = _height(sheet, line, page) - _GAP_MM
    match line:
        case Say():
            sheet.write(line.text, Box(left, down, width, height), _style(line), line.direction)
        case Field():
            label = width * _LABEL_SHARE
            sheet.write(line.label, Box(left, down, label, height), _LABEL)
            sheet.write(line.value, Box(left + label, down, width - label, height), _VALUE)
        case Pictured():
            _write_pictured(sheet, line, page, down)
        case Cells():
            if line.tick:
                sheet.frame(Box(left, down + (height - _TICK_MM) / 2, _TICK_MM, _TICK_MM))
            for text, (start, wide) in zip(line.texts, _columns(line, page), strict=True):
                sheet.write(text, Box(start, down, wide, height), Style(size_pt=line.size_pt, bold=line.bold))
        case Scan():
            sheet.code(line.text, _centred(page, down, line.side_mm))
        case Drawn():
            sheet.picture(line.picture, _centred(page, down, line.side_mm))
        case Rule():
            middle = down + _RULE_MM / 2
            sheet.line((left, middle), (left + width, middle))
        case Signature():
            sheet.write(line.text, Box(left, down, width, height - _SIGNATURE_MM), _LABEL)


def _centred(page: Page, down: float, side: float) -> Box:
    return Box((page.width - side) / 2, down, side, side)


def _write_pictured(sheet: Sheet, line: Pictured, page: Page, down: float) -> None:
    """The picture stands first in reading order: on the right for a script that runs from the right."""
    from_right = bool(line.says) and line.says[0].direction is Direction.RTL
    width = page.text_width - line.side_mm - _COLUMN_GAP_MM
    picture = Box(page.margin, down, line.side_mm, line.side_mm)
    text_left = page.margin if from_right else page.margin + line.side_mm + _COLUMN_GAP_MM
    sheet.picture(line.picture, picture.mirrored(page.width) if from_right else picture)
    heights = [sheet.height_mm(say.text, width, _style(say), say.direction) for say in line.says]
    top = down + max(0.0, line.side_mm - sum(heights)) / 2
    for say, height in zip(line.says, heights, strict=True):
        sheet.write(say.text, Box(text_left, top, width, height), _style(say), say.direction)
        top += height
