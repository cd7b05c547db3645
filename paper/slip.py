"""The pickup slip: one sheet of paper that is a full key (design, *Paper first*).

Owns what stands on a slip and where. Refuses to know whose parcel it is: **no name is printed**. The slip opens the
door for whoever holds it, and a lost slip must not also say whom the parcel belongs to or where they can be found.
Staff who hand out several slips at once may ask for a `mark` of at most four characters (initials, a number of their
own); it is empty unless they ask. The site's address is needed to come, and tells nothing about the person.

A slip speaks the person's language, and French below it for whoever helps them. Four papers: A6; A6 on the corner of an
A4 sheet, to cut; half an A4 sheet, larger, for whoever reads with difficulty; the 80 mm roll of a receipt printer. On the
three of fixed size the steps are said in one language beside their pictures, because two would be too small to read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final, Literal

from paper import flow, pictograms
from paper.drawing import Picture
from paper.media import Paper
from paper.phrases import FALLBACK, Phrases, language_or_fallback, phrases
from paper.pictograms import DoorArea
from paper.qr import is_printable
from paper.sheet import Box, Direction, Sheet, Style
from wire.pickup import DIGITS, QR_CHARACTERS, read_qr_text, show_digits

MARK_CHARACTERS_MAX: Final = 4
"""Enough for initials, too short for a name."""


class SlipKind(StrEnum):
    """What the slip is for; its code is the caller's in every case.

    `REPLACEMENT`: an older slip of the parcel opens no longer. `MANDATE`: for somebody who collects for another (C-30).
    `PRACTICE`: opens the practice door and belongs to no parcel (M-10). `SENDING`: for a parcel that its holder hands in (C-32).
    """

    PICKUP = "pickup"
    REPLACEMENT = "replacement"
    MANDATE = "mandate"
    PRACTICE = "practice"
    SENDING = "sending"


class BadSlip(ValueError):
    """The data cannot be a slip: the text is not a pickup key, the digits are not twelve, or the mark is too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """Everything a slip shows. `qr_text` and `digits` come from `wire.pickup`; the phone is the association's.

    A mandate's and a practice slip's text may be of another form, and they may have no digits. Raises BadSlip.
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
    kind: SlipKind = SlipKind.PICKUP

    @property
    def is_own_key(self) -> bool:
        """Whether it carries the parcel's own key, in both forms."""
        return self.kind in {SlipKind.PICKUP, SlipKind.REPLACEMENT, SlipKind.SENDING}

    def __post_init__(self) -> None:
        if self.is_own_key and read_qr_text(self.qr_text) is None:
            message = f"a slip needs the {QR_CHARACTERS} characters of wire.pickup.qr_text"
            raise BadSlip(message)
        if not is_printable(self.qr_text):
            message = "a slip needs a code that a reader can be shown"
            raise BadSlip(message)
        if (self.is_own_key or self.digits) and not _are_digits(self.digits):
            message = f"a slip needs the {DIGITS} digits of wire.pickup.typed_digits"
            raise BadSlip(message)
        if len(self.mark) > MARK_CHARACTERS_MAX:
            message = f"a mark holds at most {MARK_CHARACTERS_MAX} characters, so that it cannot be a name"
            raise BadSlip(message)


def _are_digits(text: str) -> bool:
    return len(text) == DIGITS and text.isascii() and text.isdigit()


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence and the picture beside it. `strong` is a part that must be found at a glance: a phone number."""

    picture: Picture
    text: str
    strong: str = ""


def title_of(slip: Slip, words: Phrases) -> str:
    """What the paper is."""
    match slip.kind:
        case SlipKind.PICKUP | SlipKind.REPLACEMENT:
            return words.title
        case SlipKind.MANDATE:
            return words.mandate_title
        case SlipKind.PRACTICE:
            return words.practice_title
        case SlipKind.SENDING:
            return words.sending_title


def steps_of(slip: Slip, words: Phrases) -> tuple[Line, ...]:
    """What to do, in order, at the door or at the desk."""
    if slip.area is DoorArea.DESK:
        pictures = (pictograms.DESK, pictograms.SHOW_SLIP, pictograms.DESK_TAKE)
        return tuple(Line(picture, text) for picture, text in zip(pictures, words.steps.desk, strict=True))
    if slip.kind is SlipKind.SENDING:
        show, opens, _, close = words.steps.door
        put_in = (pictograms.SHOW_SLIP, pictograms.DOOR_OPENS, pictograms.GIVE_BACK, pictograms.CLOSE_DOOR)
        return tuple(Line(*step) for step in zip(put_in, (show, opens, words.sending, close), strict=True))
    at_door = (pictograms.SHOW_SLIP, pictograms.DOOR_OPENS, pictograms.TAKE_PARCEL, pictograms.CLOSE_DOOR)
    return tuple(Line(picture, text) for picture, text in zip(at_door, words.steps.door, strict=True))


def notes_of(slip: Slip, words: Phrases) -> tuple[Line, ...]:
    """What is special about it, help, last day, hours, and that the slip is a key; what is not known is left out."""
    notes = []
    match slip.kind:
        case SlipKind.REPLACEMENT:
            notes.append(Line(pictograms.NEW_SLIP, words.replaces))
        case SlipKind.MANDATE:
            notes.append(Line(pictograms.FOR_ANOTHER, words.mandate))
        case SlipKind.PRACTICE:
            notes.append(Line(pictograms.SHOW_SLIP, words.practice))
        case SlipKind.PICKUP | SlipKind.SENDING:
            pass
    if slip.help_phone:
        notes.append(Line(pictograms.PHONE, words.help, slip.help_phone))
    if slip.hold_until:
        notes.append(Line(pictograms.CALENDAR, words.hold.format(date=words.say_date(slip.hold_until))))
    if slip.opening_hours:
        notes.append(Line(pictograms.CLOCK, f"{words.hours} {slip.opening_hours}"))
    return (*notes, Line(pictograms.KEY, words.keep))


def digits_hint_of(slip: Slip, words: Phrases) -> str:
    """What the digits are for, at the door or at the desk."""
    return words.digits_desk if slip.area is DoorArea.DESK else words.digits


def slip_pdf(slip: Slip, paper: Paper = Paper.A6) -> bytes:
    """The slip as a PDF of one page."""
    words = phrases(slip.language)
    if paper is Paper.ROLL:
        return roll_pdf(slip, words)
    layout = (_HALF_A4 if paper is Paper.A4_HALF else _A6)[words is not phrases(FALLBACK)]
    page_width, page_height = _PAGES[paper]
    sheet = Sheet(
        width_mm=page_width,
        height_mm=page_height,
        title=title_of(slip, words),
        language=language_or_fallback(slip.language),
    )
    sheet.add_page()
    _write_slip(sheet, slip, words, layout if words.direction is Direction.LTR else layout.mirrored())
    _cut_lines(sheet, paper)
    return sheet.to_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where everything stands, in millimetres, for a script read from the left. `in_french`: title, door and foot."""

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
    in_french: tuple[Box, Box, Box] | None = None

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
            in_french=self.in_french and (turn(self.in_french[0]), turn(self.in_french[1]), turn(self.in_french[2])),
        )


_PAGES: Final = {Paper.A6: (105.0, 148.0), Paper.A6_ON_A4: (210.0, 297.0), Paper.A4_HALF: (210.0, 297.0)}

_A6_FRENCH: Final = _Layout(
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

_HALF_A4_FRENCH: Final = _Layout(
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


_A6: Final = (
    _A6_FRENCH,
    replace(
        _A6_FRENCH,
        title=Box(6, 3.6, 75, 6.4),
        site=Box(6, 13.8, 93, 5),
        area_text=Box(57, 62.5, 44, 9),
        notes=(Box(6, 120.5, 93, 5.5), Box(6, 126.2, 93, 4.5), Box(6, 130.9, 93, 4.5), Box(6, 135.6, 93, 4.5)),
        in_french=(Box(6, 9.5, 75, 3.9), Box(57, 71.8, 44, 4.4), Box(6, 140.4, 93, 5)),
    ),
)
"""A6 in French alone, and in another language with French below it."""

_HALF_A4: Final = (
    _HALF_A4_FRENCH,
    replace(
        _HALF_A4_FRENCH,
        title=Box(112, 5, 68, 8.5),
        site=Box(112, 19, 90, 7),
        area_text=Box(149, 34, 53, 21),
        notes=(Box(112, 102, 90, 8), Box(112, 110.5, 90, 7), Box(112, 118, 90, 7), Box(112, 125.5, 90, 7)),
        in_french=(Box(112, 13.7, 68, 5), Box(149, 56, 53, 12), Box(112, 133.5, 90, 9)),
    ),
)


def _write_slip(sheet: Sheet, slip: Slip, words: Phrases, layout: _Layout) -> None:
    direction = words.direction
    sheet.write(title_of(slip, words), layout.title, Style(size_pt=layout.title_pt, bold=True, middle=True), direction)
    sheet.write(slip.mark, layout.mark, Style(size_pt=layout.title_pt, bold=True, align="end", middle=True), direction)
    sheet.write(slip.site_name, layout.site, Style(size_pt=layout.site_pt, bold=True, proper=True), direction)
    sheet.write(slip.site_address, layout.address, Style(size_pt=layout.note_pt, proper=True), direction)
    sheet.code(slip.qr_text, layout.code)
    sheet.picture(pictograms.door_area(slip.area), layout.area)
    area_style = Style(size_pt=layout.area_pt, bold=True, align=layout.area_align, middle=True)
    sheet.write(words.areas[slip.area], layout.area_text, area_style, direction)
    if slip.digits:
        _write_digits(sheet, slip, words, layout)
    for line, box in zip(steps_of(slip, words), layout.steps, strict=False):
        _write_line(sheet, line, box, layout, direction, Style(size_pt=layout.step_pt, middle=True))
    for line, box in zip(_that_fit(notes_of(slip, words), len(layout.notes)), layout.notes, strict=False):
        _write_line(sheet, line, box, layout, direction, Style(size_pt=layout.note_pt, middle=True))
    if layout.in_french is not None:
        _write_french(sheet, slip, layout, layout.in_french)


def _write_digits(sheet: Sheet, slip: Slip, words: Phrases, layout: _Layout) -> None:
    sheet.picture(pictograms.KEYPAD, layout.digits_picture)
    hint_style = Style(size_pt=layout.note_pt, middle=True)
    sheet.write(digits_hint_of(slip, words), layout.digits_hint, hint_style, words.direction)
    digits_style = Style(size_pt=layout.digits_pt, bold=True, align="center", middle=True)
    sheet.write(show_digits(slip.digits), layout.digits, digits_style)


def _write_french(sheet: Sheet, slip: Slip, layout: _Layout, boxes: tuple[Box, Box, Box]) -> None:
    """For whoever helps: what the paper is, which door, and what its notes say but the hours, which are French anyway."""
    french = phrases(FALLBACK)
    title, area, foot = boxes
    side: Literal["start", "end"] = "start" if phrases(slip.language).direction is Direction.LTR else "end"
    style = Style(size_pt=layout.note_pt - 1, align=side, middle=True)
    sheet.write(title_of(slip, french), title, style)
    sheet.write(
        french.areas[slip.area], area, style if layout.area_align == "start" else replace(style, align="center")
    )
    notes = (line.text for line in notes_of(slip, french) if line.picture not in {pictograms.PHONE, pictograms.CLOCK})
    sheet.write(" ".join(notes), foot, replace(style, size_pt=layout.note_pt - 2))


def _that_fit(notes: tuple[Line, ...], count: int) -> tuple[Line, ...]:
    """The hours give way when there is something more important to say."""
    return notes if len(notes) <= count else tuple(line for line in notes if line.picture is not pictograms.CLOCK)


def _write_line(sheet: Sheet, line: Line, box: Box, layout: _Layout, direction: Direction, style: Style) -> None:
    """Picture first in reading order, then the sentence, then what must be found at a glance."""
    side = box.height
    gap = side * 0.25
    picture = Box(box.x, box.y, side, side)
    text = Box(box.x + side + gap, box.y, box.width - side - gap, box.height)
    if line.strong:
        strong = Box(text.x + text.width * _HELP_SHARE, box.y, text.width * (1 - _HELP_SHARE), box.height)
        text = Box(text.x, box.y, text.width * _HELP_SHARE - gap, box.height)
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
        sheet.cut_line((0, _HALF_A4_HEIGHT), (_HALF_A4_FRENCH.width, _HALF_A4_HEIGHT))


_HELP_SHARE: Final = 0.5
"""Part of a help line given to its sentence; the phone number has the rest."""

_HALF_A4_HEIGHT: Final = 148.5


def roll_pdf(slip: Slip, words: Phrases) -> bytes:
    """The slip on a roll: there is room for everything in both languages."""
    both = (words,) if words is phrases(FALLBACK) else (words, phrases(FALLBACK))
    lines: list[flow.Line] = [
        *(_said(title_of(slip, each), each, 15 if each is words else 9, words, bold=each is words) for each in both),
        flow.Say(text=slip.mark, size_pt=15, bold=True, align="end"),
        flow.Say(text=slip.site_name, size_pt=11, bold=True, proper=True, direction=words.direction),
        flow.Say(text=slip.site_address, size_pt=9, proper=True, direction=words.direction),
        flow.Scan(slip.qr_text, _ROLL_CODE_MM),
        flow.Pictured(
            picture=pictograms.door_area(slip.area),
            says=tuple(
                _said(each.areas[slip.area], each, 13 if each is words else 9, words, bold=True) for each in both
            ),
            side_mm=24,
        ),
        flow.Rule(),
    ]
    if slip.digits:
        hints = tuple(_said(digits_hint_of(slip, each), each, 10 if each is words else 8, words) for each in both)
        lines.append(flow.Pictured(picture=pictograms.KEYPAD, says=hints, side_mm=8))
        lines.append(flow.Say(text=show_digits(slip.digits), size_pt=_ROLL_DIGITS_PT, bold=True, align="center"))
        lines.append(flow.Rule())
    lines += _in_both([steps_of(slip, each) for each in both], both, side_mm=11, size_pt=12)
    lines.append(flow.Rule())
    lines += _in_both([notes_of(slip, each) for each in both], both, side_mm=7, size_pt=10)
    return flow.flow_pdf(lines, Paper.ROLL, title=title_of(slip, words), language=language_or_fallback(slip.language))


_ROLL_CODE_MM: Final = 60.0
_ROLL_DIGITS_PT: Final = 26.0
"""Twelve digits and two spaces just fill the 72 mm a receipt printer reaches."""

_FRENCH_SMALLER_PT: Final = 2.5


def _in_both(
    columns: list[tuple[Line, ...]], both: tuple[Phrases, ...], *, side_mm: float, size_pt: float
) -> list[flow.Line]:
    """Each picture once, the sentence beside it in each language."""
    lines: list[flow.Line] = []
    for same in zip(*columns, strict=True):
        says = [
            _said(line.text, words, size_pt if place == 0 else size_pt - _FRENCH_SMALLER_PT, both[0])
            for place, (line, words) in enumerate(zip(same, both, strict=True))
        ]
        if same[0].picture is pictograms.CLOCK:
            del says[1:]  # The hours are typed by the association, in French.
        lines.append(flow.Pictured(picture=same[0].picture, says=tuple(says), side_mm=side_mm))
        if same[0].strong:
            lines.append(flow.Say(text=same[0].strong, size_pt=16, bold=True, align="center"))
    return lines


def _said(text: str, words: Phrases, size_pt: float, first: Phrases, *, bold: bool = False) -> flow.Say:
    """French stands on the side where the first language begins."""
    side: Literal["start", "end"] = "start" if words.direction is first.direction else "end"
    return flow.Say(text=text, size_pt=size_pt, bold=bold, direction=words.direction, align=side)
