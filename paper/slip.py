"""The pickup slip: one sheet of paper that is a full key (design, *Paper first*).

Owns what stands on a slip and where. Refuses to know whose parcel it is: **no name is printed**. The slip opens the
door for whoever holds it, and a lost slip must not also say whom the parcel belongs to or where they can be found.
Staff who hand out several slips at once may ask for a `mark` of at most four characters (initials, a number of their
own); it is empty unless they ask. The site's address is needed to come, and tells nothing about the person.

Three papers: A6; A6 on the corner of an A4 sheet, to cut; half an A4 sheet, larger, for whoever reads with difficulty.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final, Literal

from paper import pictograms
from paper.drawing import Picture
from paper.phrases import Phrases, language_or_fallback, phrases
from paper.pictograms import DoorArea
from paper.sheet import Box, Direction, Sheet, Style
from wire.pickup import DIGITS, QR_CHARACTERS, read_qr_text, show_digits

MARK_CHARACTERS_MAX: Final = 4
"""Enough for initials, too short for a name."""


class Paper(StrEnum):
    """What the slip is printed on."""

    A6 = "a6"
    A6_ON_A4 = "a6-on-a4"
    A4_HALF = "a4-half"


class BadSlip(ValueError):
    """The data cannot be a slip: the text is not a pickup key, the digits are not twelve, or the mark is too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """Everything a slip shows. `qr_text` and `digits` come from `wire.pickup`; the phone is the association's.

    Raises BadSlip.
    """

    qr_text: str
    digits: str
    site_name: str
    site_address: str = ""
    help_phone: str = ""
    opening_hours: str = ""
    hold_until: date | None = None
    language: str = "fr"
    area: DoorArea = DoorArea.ANYWHERE
    mark: str = ""

    def __post_init__(self) -> None:
        if read_qr_text(self.qr_text) is None:
            message = f"a slip needs the {QR_CHARACTERS} characters of wire.pickup.qr_text"
            raise BadSlip(message)
        if len(self.digits) != DIGITS or not (self.digits.isascii() and self.digits.isdigit()):
            message = f"a slip needs the {DIGITS} digits of wire.pickup.typed_digits"
            raise BadSlip(message)
        if len(self.mark) > MARK_CHARACTERS_MAX:
            message = f"a mark holds at most {MARK_CHARACTERS_MAX} characters, so that it cannot be a name"
            raise BadSlip(message)


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence and the picture beside it. `strong` is a part that must be found at a glance: a phone number."""

    picture: Picture
    text: str
    strong: str = ""


def steps_of(slip: Slip) -> tuple[Line, ...]:
    """What to do, in order, at the door or at the desk."""
    words = phrases(slip.language).steps
    if slip.area is DoorArea.DESK:
        pictures = (pictograms.DESK, pictograms.SHOW_SLIP, pictograms.DESK_TAKE)
        return tuple(Line(picture, text) for picture, text in zip(pictures, words.desk, strict=True))
    at_door = (pictograms.SHOW_SLIP, pictograms.DOOR_OPENS, pictograms.TAKE_PARCEL, pictograms.CLOSE_DOOR)
    return tuple(Line(picture, text) for picture, text in zip(at_door, words.door, strict=True))


def notes_of(slip: Slip) -> tuple[Line, ...]:
    """Help, last day, hours, and that the slip is a key; what is not known is left out."""
    words = phrases(slip.language)
    notes = []
    if slip.help_phone:
        notes.append(Line(pictograms.PHONE, words.help, slip.help_phone))
    if slip.hold_until:
        notes.append(Line(pictograms.CALENDAR, words.hold.format(date=words.say_date(slip.hold_until))))
    if slip.opening_hours:
        notes.append(Line(pictograms.CLOCK, f"{words.hours} {slip.opening_hours}"))
    return (*notes, Line(pictograms.KEY, words.keep))


def digits_hint_of(slip: Slip) -> str:
    """What the digits are for, at the door or at the desk."""
    words = phrases(slip.language)
    return words.digits_desk if slip.area is DoorArea.DESK else words.digits


def slip_pdf(slip: Slip, paper: Paper = Paper.A6) -> bytes:
    """The slip as a PDF of one page."""
    words = phrases(slip.language)
    layout = _HALF_A4 if paper is Paper.A4_HALF else _A6
    page_width, page_height = _PAGES[paper]
    sheet = Sheet(
        width_mm=page_width,
        height_mm=page_height,
        title=words.title,
        language=language_or_fallback(slip.language),
    )
    sheet.add_page()
    _write_slip(sheet, slip, words, layout if words.direction is Direction.LTR else layout.mirrored())
    _cut_lines(sheet, paper)
    return sheet.to_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where everything stands, in millimetres, for a script read from the left."""

    width: float
    title: Box
    mark: Box
    site: Box
    address: Box
    code: Box
    area: Box
    area_text: Box
    digits_picture: Box
    digits_hint: Box
    digits: Box
    steps: tuple[Box, ...]
    notes: tuple[Box, ...]
    title_pt: float
    site_pt: float
    area_pt: float
    step_pt: float
    note_pt: float
    strong_pt: float
    digits_pt: float
    area_align: Literal["start", "center"]

    def mirrored(self) -> _Layout:
        """The same layout for a script read from the right."""

        def turn(box: Box) -> Box:
            return box.mirrored(self.width)

        return replace(
            self,
            title=turn(self.title),
            mark=turn(self.mark),
            site=turn(self.site),
            address=turn(self.address),
            code=turn(self.code),
            area=turn(self.area),
            area_text=turn(self.area_text),
            digits_picture=turn(self.digits_picture),
            digits_hint=turn(self.digits_hint),
            digits=turn(self.digits),
            steps=tuple(turn(box) for box in self.steps),
            notes=tuple(turn(box) for box in self.notes),
        )


_PAGES: Final = {Paper.A6: (105.0, 148.0), Paper.A6_ON_A4: (210.0, 297.0), Paper.A4_HALF: (210.0, 297.0)}

_A6: Final = _Layout(
    width=105,
    title=Box(6, 5, 75, 8),
    mark=Box(83, 5, 16, 8),
    site=Box(6, 13, 93, 5.5),
    address=Box(6, 18.5, 93, 4.5),
    code=Box(2, 23, 54, 54),
    area=Box(61, 26, 36, 36),
    area_text=Box(58, 63, 42, 13),
    digits_picture=Box(6, 78, 5, 5),
    digits_hint=Box(13, 77.8, 86, 5),
    digits=Box(4, 82.5, 97, 14),
    steps=(Box(6, 98, 45, 10), Box(54, 98, 45, 10), Box(6, 109.5, 45, 10), Box(54, 109.5, 45, 10)),
    notes=(Box(6, 121, 93, 6), Box(6, 127.5, 93, 5), Box(6, 133, 93, 5), Box(6, 138.5, 93, 5)),
    title_pt=15,
    site_pt=11,
    area_pt=12,
    step_pt=10.5,
    note_pt=9,
    strong_pt=14,
    digits_pt=34,
    area_align="center",
)

_HALF_A4: Final = _Layout(
    width=210,
    title=Box(112, 7, 68, 10),
    mark=Box(182, 7, 20, 10),
    site=Box(112, 18, 90, 8),
    address=Box(112, 26, 90, 6),
    code=Box(6, 5, 100, 100),
    area=Box(112, 34, 34, 34),
    area_text=Box(149, 34, 53, 34),
    digits_picture=Box(10, 107, 7, 7),
    digits_hint=Box(19, 106.5, 87, 8),
    digits=Box(6, 116, 100, 20),
    steps=(Box(112, 71, 44, 13), Box(158, 71, 44, 13), Box(112, 86, 44, 13), Box(158, 86, 44, 13)),
    notes=(Box(112, 102, 90, 9), Box(112, 112.5, 90, 9), Box(112, 123, 90, 9), Box(112, 133.5, 90, 9)),
    title_pt=22,
    site_pt=15,
    area_pt=18,
    step_pt=12,
    note_pt=11,
    strong_pt=18,
    digits_pt=34,
    area_align="start",
)


def _write_slip(sheet: Sheet, slip: Slip, words: Phrases, layout: _Layout) -> None:
    direction = words.direction
    sheet.write(words.title, layout.title, Style(size_pt=layout.title_pt, bold=True, middle=True), direction)
    sheet.write(slip.mark, layout.mark, Style(size_pt=layout.title_pt, bold=True, align="end", middle=True), direction)
    sheet.write(slip.site_name, layout.site, Style(size_pt=layout.site_pt, bold=True, proper=True), direction)
    sheet.write(slip.site_address, layout.address, Style(size_pt=layout.note_pt, proper=True), direction)
    sheet.code(slip.qr_text, layout.code)
    sheet.picture(pictograms.door_area(slip.area), layout.area)
    area_style = Style(size_pt=layout.area_pt, bold=True, align=layout.area_align, middle=True)
    sheet.write(words.areas[slip.area], layout.area_text, area_style, direction)
    sheet.picture(pictograms.KEYPAD, layout.digits_picture)
    sheet.write(digits_hint_of(slip), layout.digits_hint, Style(size_pt=layout.note_pt, middle=True), direction)
    digits_style = Style(size_pt=layout.digits_pt, bold=True, align="center", middle=True)
    sheet.write(show_digits(slip.digits), layout.digits, digits_style)
    for line, box in zip(steps_of(slip), layout.steps, strict=False):
        _write_line(sheet, line, box, layout, direction, Style(size_pt=layout.step_pt, middle=True))
    for line, box in zip(notes_of(slip), layout.notes, strict=False):
        _write_line(sheet, line, box, layout, direction, Style(size_pt=layout.note_pt, middle=True))


def _write_line(sheet: Sheet, line: Line, box: Box, layout: _Layout, direction: Direction, style: Style) -> None:
    """Picture first in reading order, then the sentence, then what must be found at a glance."""
    side = box.height
    gap = side * 0.25
    picture = Box(box.x, box.y, side, side)
    text = Box(box.x + side + gap, box.y, box.width - side - gap, box.height)
    if line.strong:
        strong = Box(text.x + text.width * _HELP_SHARE, box.y, text.width * (1 - _HELP_SHARE), box.height)
        text = Box(text.x, box.y, text.width * _HELP_SHARE, box.height)
        strong_style = Style(size_pt=layout.strong_pt, bold=True, align="center", middle=True)
        sheet.write(line.strong, _turned(strong, box, direction), strong_style)
    sheet.picture(line.picture, _turned(picture, box, direction))
    sheet.write(line.text, _turned(text, box, direction), style, direction)


def _turned(part: Box, whole: Box, direction: Direction) -> Box:
    """A part of a row, on the other side of it when the script runs from the right."""
    if direction is Direction.LTR:
        return part
    return Box(2 * whole.x + whole.width - part.x - part.width, part.y, part.width, part.height)


def _cut_lines(sheet: Sheet, paper: Paper) -> None:
    width, height = _PAGES[Paper.A6]
    if paper is Paper.A6_ON_A4:
        sheet.cut_line((width, 0), (width, height))
        sheet.cut_line((0, height), (width, height))
    elif paper is Paper.A4_HALF:
        sheet.cut_line((0, _HALF_A4_HEIGHT), (_HALF_A4.width, _HALF_A4_HEIGHT))


_HELP_SHARE: Final = 0.5
"""Part of a help line given to its sentence; the phone number has the rest."""

_HALF_A4_HEIGHT: Final = 148.5
