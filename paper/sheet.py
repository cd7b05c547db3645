"""A PDF page to write on: our typefaces, text that fits its box, right-to-left scripts shaped properly.

Owns the fpdf2 document. Refuses to know what is written. Every document is the same bytes for the same data: the
creation date is a constant, because what we print carries its own dates and this package has no clock.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Final, Literal

from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue, XPos, YPos
from fpdf.fonts import TTFFont

from paper import drawing, qr
from paper.drawing import Picture

_LATIN: Final = "NotoSans"
_FACES: Final = (("", "Regular"), ("B", "Bold"))
_PIECE: Final = re.compile(r"[\x21-\u2fff]+ *| +|.[、。，．：；！？）》」』】]*")
"""What is never torn in a script without spaces: a word of Latin, or a letter with the signs that close it."""

_TIMELESS: Final = datetime(2000, 1, 1, tzinfo=UTC)
_POINT_MM: Final = 25.4 / 72
_LINE_SPACING: Final = 1.28
"""Noto's ascenders and Arabic's marks touch below 1.2."""

_SIZE_MIN_PT: Final = 5.0
"""Below this nobody reads; a text that still does not fit is cut with an ellipsis."""

_SIZE_STEP_PT: Final = 0.5
CARD_WIDTH_MM: Final = 85.6
CARD_HEIGHT_MM: Final = 54.0
"""A bank card (ISO/IEC 7810 ID-1), which holders and wallets fit."""


@dataclass(frozen=True, slots=True)
class Script:
    """Letters from another typeface. `shaped`: they join, turn and stack; `solid`: lines break between any two of them."""

    family: str
    ranges: tuple[tuple[str, str], ...]
    suffix: str = "ttf"
    shaped: bool = True
    solid: bool = False

    def has_any_of(self, text: str) -> bool:
        """Whether a letter of `text` is of this script."""
        return any(first <= letter <= last for letter in text for first, last in self.ranges)


SCRIPTS: Final = (
    Script("NotoSansArabic", (("\u0600", "\u06ff"),)),
    Script("NotoSansBengali", (("\u0964", "\u0965"), ("\u0980", "\u09ff"))),
    Script("NotoSansTamil", (("\u0b80", "\u0bff"),)),
    Script("NotoSansSC", (("\u3000", "\u9fff"), ("\uff00", "\uffef")), suffix="otf", shaped=False, solid=True),
)
"""What NotoSans itself does not hold (it has Latin and Cyrillic)."""


class Direction(StrEnum):
    """Which way a script runs."""

    LTR = "ltr"
    RTL = "rtl"


@dataclass(frozen=True, slots=True)
class Box:
    """A place on the page in millimetres from the top left corner."""

    x: float
    y: float
    width: float
    height: float

    def mirrored(self, page_width: float) -> Box:
        """The same place on a page that is read from the right."""
        return Box(page_width - self.x - self.width, self.y, self.width, self.height)

    def moved(self, across: float, down: float) -> Box:
        """The same box further right and down."""
        return Box(self.x + across, self.y + down, self.width, self.height)


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a text stands in its box. `size_pt` is the most; it shrinks to fit.

    `proper` is for a name or an address: it keeps its place, and runs the way of its own script.
    """

    size_pt: float
    bold: bool = False
    align: Literal["start", "center", "end"] = "start"
    middle: bool = False
    proper: bool = False


def has_letters_of(text: str) -> bool:
    """Whether our typefaces hold every letter of a text that is not ours: they have whole alphabets, and few Chinese signs."""
    return all(letter.isspace() or ord(letter) in _letters() for letter in text)


@cache
def _letters() -> frozenset[int]:
    pdf = FPDF()
    for family, suffix in ((_LATIN, "ttf"), *((script.family, script.suffix) for script in SCRIPTS)):
        with resources.as_file(resources.files("paper") / "fonts" / f"{family}-Bold.{suffix}") as path:
            pdf.add_font(family, "B", path)
    fonts = [font for font in pdf.fonts.values() if isinstance(font, TTFFont)]
    found = frozenset(code for font in fonts for code in font.cmap)
    for font in fonts:
        font.close()
    return found


class Sheet:
    """One PDF document in the making."""

    def __init__(self, *, width_mm: float, height_mm: float, title: str, language: str) -> None:
        self._pdf = FPDF(unit="mm", format=(width_mm, height_mm))
        self._pdf.set_creation_date(_TIMELESS)
        self._pdf.set_title(title)
        self._pdf.set_lang(language)
        self._pdf.set_margin(0)
        self._pdf.c_margin = 0
        self._pdf.set_auto_page_break(auto=False)
        self._typefaces: set[str] = set()
        self._solid = False
        self._add_typeface(_LATIN)

    def add_page(self) -> None:
        """Start a page; all that follows is on it."""
        self._pdf.add_page()

    def picture(self, picture: Picture, box: Box) -> None:
        """The picture, as large as the box's shorter side, from its top left corner."""
        drawing.draw(self._pdf, picture, x=box.x, y=box.y, side=min(box.width, box.height))

    def code(self, text: str, box: Box) -> None:
        """The QR of `text` in a square box, quiet zone included. Raises qr.NotPrintable."""
        qr.draw(self._pdf, text, x=box.x, y=box.y, side=min(box.width, box.height))

    def cut_line(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """A thin dashed line to cut along."""
        with self._pdf.local_context(draw_color=(140, 140, 140), line_width=0.2, dash_pattern=(2, 2, 0)):
            self._pdf.line(*start, *end)

    def line(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """A thin line."""
        with self._pdf.local_context(draw_color=(0, 0, 0), line_width=0.2):
            self._pdf.line(*start, *end)

    def frame(self, box: Box, *, radius: float = 0.0) -> None:
        """A thin line around the box."""
        with self._pdf.local_context(draw_color=(0, 0, 0), line_width=0.3):
            self._pdf.rect(box.x, box.y, box.width, box.height, round_corners=radius > 0, corner_radius=radius)

    def write(self, text: str, box: Box, style: Style, direction: Direction = Direction.LTR) -> None:
        """The text within the box: wrapped, made smaller until it fits, at worst cut with an ellipsis."""
        if not text:
            return
        self._choose_shaping(text, style, direction)
        size_pt = self._fitting_size(text, box, style)
        shown = text if size_pt > _SIZE_MIN_PT or self._fits(text, box) else self._cut(text, box)
        line_mm = _line_mm(size_pt)
        spare = box.height - line_mm * self._line_count(shown, box) if style.middle else 0.0
        self._pdf.set_xy(box.x, box.y + max(spare, 0.0) / 2)
        self._pdf.text(box.x, box.y)  # fpdf2 2.8 forgets the typeface of a line that begins in another script.
        self._pdf.multi_cell(
            box.width,
            line_mm,
            self._broken(shown, box),
            align=_align(style, direction),
            new_x=XPos.LEFT,
            new_y=YPos.NEXT,
        )

    def height_mm(self, text: str, width_mm: float, style: Style, direction: Direction = Direction.LTR) -> float:
        """How high the text stands at its own size, wrapped to the width."""
        if not text:
            return 0.0
        self._choose_shaping(text, style, direction)
        self._pdf.set_font(_LATIN, "B" if style.bold else "", style.size_pt)
        return _line_mm(style.size_pt) * self._line_count(text, Box(0, 0, width_mm, 0))

    def to_bytes(self) -> bytes:
        """The finished document; nothing can be written on the sheet afterwards."""
        try:
            return bytes(self._pdf.output())
        finally:
            self.close()

    def close(self) -> None:
        """Let the typefaces go."""
        for font in self._pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.close()

    def _choose_shaping(self, text: str, style: Style, direction: Direction) -> None:
        """Join and turn letters where the script asks for it; other text is set as it stands, in half the time."""
        scripts = [script for script in SCRIPTS if script.has_any_of(text)]
        for script in scripts:
            self._add_typeface(script.family, script.suffix)
        self._solid = any(script.solid for script in scripts)
        if any(script.shaped for script in scripts):
            self._pdf.set_text_shaping(use_shaping_engine=True, direction=None if style.proper else direction.value)
        else:
            self._pdf.set_text_shaping(use_shaping_engine=False)

    def _add_typeface(self, family: str, suffix: str = "ttf") -> None:
        """Read a typeface when its first letter is written: shaping one that is not needed costs 100 ms a slip."""
        if family in self._typefaces:
            return
        for style, face in _FACES:
            with resources.as_file(resources.files("paper") / "fonts" / f"{family}-{face}.{suffix}") as path:
                self._pdf.add_font(family, style, path)
        self._typefaces.add(family)
        self._pdf.set_fallback_fonts(sorted(self._typefaces - {_LATIN}))

    def _fitting_size(self, text: str, box: Box, style: Style) -> float:
        """The largest size that fits, left set on the document; the least size when none does."""
        size_pt = style.size_pt
        self._pdf.set_font(_LATIN, "B" if style.bold else "", size_pt)
        while size_pt > _SIZE_MIN_PT and not self._fits(text, box):
            size_pt = max(size_pt - _SIZE_STEP_PT, _SIZE_MIN_PT)
            self._pdf.set_font_size(size_pt)
        return size_pt

    def _fits(self, text: str, box: Box) -> bool:
        if any(self._pdf.get_string_width(word) > box.width for word in self._broken(text, box).split()):
            return False
        return _line_mm(self._pdf.font_size_pt) * self._line_count(text, box) <= box.height + 0.01

    def _line_count(self, text: str, box: Box) -> int:
        broken = self._broken(text, box)
        lines = self._pdf.multi_cell(box.width, 1, broken, align=Align.L, dry_run=True, output=MethodReturnValue.LINES)
        assert isinstance(lines, list)
        return len(lines)

    def _broken(self, text: str, box: Box) -> str:
        """The text as fpdf2 may break it, at spaces: a script without spaces gets its line breaks here."""
        if not self._solid:
            return text
        lines = [""]
        for piece in _PIECE.findall(text):
            if lines[-1] and self._pdf.get_string_width(lines[-1] + piece.rstrip()) > box.width:
                lines.append("")
            lines[-1] += piece
        return "\n".join(lines)

    def _cut(self, text: str, box: Box) -> str:
        too_long = bisect_left(range(len(text)), x=True, key=lambda length: not self._fits(f"{text[:length]}…", box))
        return f"{text[: max(too_long - 1, 0)].rstrip()}…"


def _line_mm(size_pt: float) -> float:
    return size_pt * _POINT_MM * _LINE_SPACING


def _align(style: Style, direction: Direction) -> Align:
    if style.align == "center":
        return Align.C
    starts_left = (style.align == "start") == (direction is Direction.LTR)
    return Align.L if starts_left else Align.R
