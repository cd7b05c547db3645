"""The pictograms of slips and cards, as shapes: one picture beside each sentence.

Owns what each looks like. Refuses to know where they are printed. All are our own drawings.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from paper.drawing import CANVAS, Circle, Path, Picture, Rect, Tone
from wire.badges import CommandCard
from wire.ids import SizeClass


class DoorArea(StrEnum):
    """Where on the bank a parcel waits; `ANYWHERE` before it is loaded, `DESK` on the shelf."""

    LOW = "low"
    MID = "mid"
    HIGH = "high"
    DESK = "desk"
    ANYWHERE = "anywhere"


_ROWS: Final = {DoorArea.HIGH: 4.0, DoorArea.MID: 34.0, DoorArea.LOW: 64.0}
"""Top of each row of the little bank."""

_ROW_HEIGHT: Final = 30.0
_BANK_LEFT: Final = 42.0
_DOOR_WIDTH: Final = 18.0
_DOORS_ACROSS: Final = 3


def door_area(area: DoorArea) -> Picture:
    """A person before the bank, reaching for the row that holds the parcel; the desk for `DESK`."""
    if area is DoorArea.DESK:
        return DESK
    doors = tuple(
        Rect(
            x=_BANK_LEFT + column * _DOOR_WIDTH,
            y=top,
            width=_DOOR_WIDTH,
            height=_ROW_HEIGHT,
            fill=_tone_of(row, area),
            line=Tone.INK,
            thickness=3,
        )
        for row, top in _ROWS.items()
        for column in range(_DOORS_ACROSS)
    )
    return (*doors, *_person(_hand_height(area)))


def _tone_of(row: DoorArea, area: DoorArea) -> Tone:
    if area is DoorArea.ANYWHERE:
        return Tone.SHADE
    return Tone.INK if row is area else Tone.BLANK


def _hand_height(area: DoorArea) -> float | None:
    top = _ROWS.get(area)
    return None if top is None else top + _ROW_HEIGHT / 2


def _person(hand_y: float | None) -> Picture:
    """A person 76 units high; one arm points at `hand_y`, or hangs."""
    hand = (33.0, hand_y) if hand_y is not None else (28.0, 62.0)
    return (
        Circle(x=16, y=26, radius=7, fill=Tone.INK),
        Path(points=((16, 38), (16, 66)), thickness=9),
        Path(points=((16, 66), (9, 93))),
        Path(points=((16, 66), (23, 93))),
        Path(points=((16, 42), hand)),
        Path(points=((16, 42), (6, 62))),
    )


def _parcel(x: float, y: float, side: float) -> Picture:
    return (
        Rect(x=x, y=y, width=side, height=side, fill=Tone.SHADE, thickness=4),
        Path(points=((x + side / 2, y), (x + side / 2, y + side)), thickness=4),
    )


def _arrow(x: float, y: float, length: float) -> Picture:
    """An arrow to the right, its tail at (x, y)."""
    head = min(12.0, length / 2)
    tip = x + length
    return (
        Path(points=((x, y), (tip, y)), thickness=7),
        Path(points=((tip - head, y - head), (tip, y), (tip - head, y + head)), thickness=7),
    )


DESK: Final[Picture] = (
    Circle(x=32, y=20, radius=12, fill=Tone.INK),
    Path(points=((14, 54), (18, 40), (46, 40), (50, 54)), closed=True, fill=Tone.INK),
    *_parcel(60, 28, 26),
    Rect(x=4, y=56, width=92, height=10, fill=Tone.INK),
    Rect(x=10, y=66, width=80, height=30, fill=Tone.BLANK),
)

_FINDERS: Final = ((12.0, 14.0), (32.0, 14.0), (12.0, 34.0))
"""Corners of the little code on the slip."""

SHOW_SLIP: Final[Picture] = (
    Path(points=((74, 58), (50, 12), (50, 62), (74, 72)), closed=True, fill=Tone.SHADE, line=None),
    Rect(x=4, y=4, width=48, height=64, fill=Tone.BLANK),
    *(Rect(x=x, y=y, width=12, height=12, fill=Tone.INK, line=None) for x, y in _FINDERS),
    Rect(x=34, y=36, width=8, height=8, fill=Tone.INK, line=None),
    Path(points=((12, 58), (44, 58)), thickness=4),
    Path(points=((70, 52), (94, 58), (88, 94), (62, 86)), closed=True, fill=Tone.INK),
)

HOLD_FLAT: Final[Picture] = (
    Path(points=((20, 34), (30, 6), (70, 6), (80, 34)), closed=True, fill=Tone.INK),
    Path(points=((30, 34), (16, 70), (84, 70), (70, 34)), closed=True, fill=Tone.SHADE, line=None),
    Rect(x=10, y=70, width=80, height=26, fill=Tone.BLANK),
    *(Rect(x=x, y=76, width=9, height=9, fill=Tone.INK, line=None) for x in (20, 34, 48)),
    Path(points=((62, 80), (80, 80)), thickness=4),
    Path(points=((20, 90), (80, 90)), thickness=4),
)
"""A slip held flat under the reader's eye."""

BRIGHT_PHONE: Final[Picture] = (
    Rect(x=30, y=20, width=40, height=72, radius=7, fill=Tone.INK),
    Rect(x=35, y=28, width=30, height=54, fill=Tone.BLANK, line=None),
    *(Rect(x=x, y=y, width=8, height=8, fill=Tone.INK, line=None) for x, y in ((39, 40), (53, 40), (39, 54), (53, 54))),
    *(
        Path(points=points, thickness=5)
        for points in (
            ((50, 4), (50, 12)),
            ((22, 12), (28, 20)),
            ((78, 12), (72, 20)),
            ((8, 44), (20, 44)),
            ((80, 44), (92, 44)),
        )
    ),
)
"""A telephone whose screen shines."""

DOOR_OPENS: Final[Picture] = (
    Rect(x=6, y=10, width=50, height=80, fill=Tone.INK),
    Path(points=((56, 10), (88, 22), (88, 98), (56, 90)), closed=True, fill=Tone.BLANK),
    Circle(x=79, y=60, radius=3.5, fill=Tone.INK),
)

TAKE_PARCEL: Final[Picture] = (
    Rect(x=4, y=10, width=40, height=80, fill=Tone.BLANK),
    *_parcel(14, 52, 34),
    *_arrow(56, 69, 38),
)

CLOSE_DOOR: Final[Picture] = (
    Rect(x=6, y=10, width=50, height=80, fill=Tone.BLANK),
    Circle(x=46, y=52, radius=4, fill=Tone.INK),
    Path(points=((96, 50), (66, 50)), thickness=7),
    Path(points=((78, 38), (66, 50), (78, 62)), thickness=7),
)

KEYPAD: Final[Picture] = (
    Rect(x=16, y=4, width=68, height=92, radius=8, fill=Tone.BLANK),
    *(
        Rect(x=27 + 17 * column, y=15 + 20 * row, width=12, height=12, radius=2, fill=Tone.INK, line=None)
        for row in range(4)
        for column in range(3)
    ),
)

PHONE: Final[Picture] = (
    Path(points=((26, 20), (27, 42), (38, 62), (58, 73), (80, 74)), thickness=13),
    Path(points=((20, 16), (34, 14), (37, 34), (24, 37)), closed=True, fill=Tone.INK),
    Path(points=((84, 80), (86, 66), (66, 63), (63, 76)), closed=True, fill=Tone.INK),
    Path(points=((56, 16), (70, 22), (79, 32), (84, 46))),
    Path(points=((54, 33), (62, 38), (67, 46))),
)

CALENDAR: Final[Picture] = (
    Rect(x=8, y=16, width=84, height=76, radius=5, fill=Tone.BLANK),
    Rect(x=8, y=16, width=84, height=20, fill=Tone.INK),
    Path(points=((28, 6), (28, 22)), thickness=7),
    Path(points=((72, 6), (72, 22)), thickness=7),
    Path(points=((36, 52), (64, 80)), thickness=7),
    Path(points=((64, 52), (36, 80)), thickness=7),
)

CLOCK: Final[Picture] = (
    Circle(x=50, y=50, radius=43, fill=Tone.BLANK, thickness=6),
    Path(points=((50, 22), (50, 50), (69, 62)), thickness=6),
)

KEY: Final[Picture] = (
    Circle(x=28, y=50, radius=19, thickness=10),
    Path(points=((48, 50), (92, 50)), thickness=10),
    Path(points=((76, 50), (76, 66)), thickness=9),
    Path(points=((91, 50), (91, 70)), thickness=9),
)

DESK_TAKE: Final[Picture] = (
    Circle(x=20, y=24, radius=10, fill=Tone.INK),
    Path(points=((6, 56), (9, 41), (31, 41), (34, 56)), closed=True, fill=Tone.INK),
    Rect(x=2, y=58, width=60, height=10, fill=Tone.INK),
    *_parcel(34, 30, 24),
    *_arrow(66, 44, 28),
)


NEW_SLIP: Final[Picture] = (
    Rect(x=4, y=22, width=34, height=56, fill=Tone.SHADE, thickness=4),
    Path(points=((2, 26), (40, 74)), thickness=7),
    Path(points=((40, 26), (2, 74)), thickness=7),
    Path(points=((44, 50), (58, 50)), thickness=5),
    Path(points=((52, 42), (58, 50), (52, 58)), thickness=5),
    Rect(x=62, y=14, width=34, height=72, fill=Tone.BLANK),
    *(Rect(x=x, y=y, width=10, height=10, fill=Tone.INK, line=None) for x, y in ((68, 22), (80, 22), (68, 36))),
    Path(points=((69, 72), (89, 72)), thickness=5),
)

FOR_ANOTHER: Final[Picture] = (
    Circle(x=20, y=26, radius=11, fill=Tone.SHADE, line=Tone.INK, thickness=4),
    Path(points=((4, 72), (8, 46), (32, 46), (36, 72)), closed=True, fill=Tone.SHADE, thickness=4),
    *_arrow(40, 36, 20),
    Circle(x=80, y=26, radius=11, fill=Tone.INK),
    Path(points=((64, 72), (68, 46), (92, 46), (96, 72)), closed=True, fill=Tone.INK),
    *_parcel(68, 74, 22),
)


DAMAGED: Final[Picture] = (
    Path(points=((14, 30), (40, 14), (88, 22), (84, 86), (18, 90)), closed=True, fill=Tone.SHADE),
    Path(points=((52, 16), (44, 36), (58, 48), (42, 64), (52, 88)), thickness=6),
)

GIVE_BACK: Final[Picture] = (
    Rect(x=4, y=10, width=40, height=80, fill=Tone.BLANK),
    *_parcel(62, 52, 34),
    Path(points=((58, 30), (22, 30)), thickness=7),
    Path(points=((34, 18), (22, 30), (34, 42)), thickness=7),
)


def _size(side: float) -> Picture:
    """A parcel of `side` before a door that it fills or not."""
    return (Rect(x=6, y=6, width=88, height=88, fill=Tone.BLANK), *_parcel(CANVAS / 2 - side / 2, 94 - side, side))


def _person_sitting() -> Picture:
    """Somebody in a wheelchair, before a door they can reach."""
    return (
        Circle(x=74, y=26, radius=8, fill=Tone.INK),
        Path(points=((74, 36), (74, 62), (90, 62), (94, 84)), thickness=7),
        Path(points=((74, 46), (58, 58)), thickness=7),
        Circle(x=76, y=78, radius=16, fill=Tone.BLANK, thickness=6),
    )


CARDS: Final[dict[CommandCard, Picture]] = {
    CommandCard.SIZE_S: _size(22),
    CommandCard.SIZE_M: _size(42),
    CommandCard.SIZE_L: _size(62),
    CommandCard.SIZE_XL: _size(84),
    CommandCard.SHELF: (
        *_parcel(14, 12, 30),
        Path(points=((4, 45), (96, 45)), thickness=7),
        *_parcel(52, 60, 30),
        Path(points=((4, 93), (96, 93)), thickness=7),
    ),
    CommandCard.BIGGER: (
        Rect(x=4, y=66, width=22, height=22, fill=Tone.SHADE),
        *_arrow(30, 77, 18),
        Rect(x=52, y=16, width=44, height=72, fill=Tone.BLANK),
        *_parcel(58, 54, 32),
    ),
    CommandCard.CANCEL: (
        Circle(x=50, y=50, radius=43, fill=Tone.BLANK, thickness=7),
        Path(points=((32, 32), (68, 68)), thickness=11),
        Path(points=((68, 32), (32, 68)), thickness=11),
    ),
    CommandCard.DONE: (
        Circle(x=50, y=50, radius=43, fill=Tone.BLANK, thickness=7),
        Path(points=((28, 52), (44, 68), (73, 34)), thickness=11),
    ),
    CommandCard.EMPTY: (
        Rect(x=6, y=10, width=52, height=80, fill=Tone.BLANK),
        Path(points=((58, 10), (92, 22), (92, 98), (58, 90)), closed=True, fill=Tone.SHADE),
    ),
    CommandCard.NOT_EMPTY: (
        Rect(x=6, y=10, width=52, height=80, fill=Tone.BLANK),
        *_parcel(14, 50, 36),
        Path(points=((58, 10), (92, 22), (92, 98), (58, 90)), closed=True, fill=Tone.SHADE),
    ),
    CommandCard.HEAVY: (
        Circle(x=50, y=24, radius=13, fill=Tone.BLANK, thickness=7),
        Path(points=((26, 36), (74, 36), (94, 94), (6, 94)), closed=True, fill=Tone.INK),
    ),
    CommandCard.LOW: (
        Rect(x=8, y=4, width=40, height=28, fill=Tone.BLANK),
        Rect(x=8, y=34, width=40, height=28, fill=Tone.BLANK),
        Rect(x=8, y=64, width=40, height=32, fill=Tone.INK),
        *_person_sitting(),
    ),
    CommandCard.UNIDENTIFIED: (
        *_parcel(4, 44, 52),
        Path(points=((64, 18), (70, 8), (84, 6), (92, 14), (90, 26), (78, 34), (78, 46)), thickness=8),
        Circle(x=78, y=60, radius=5, fill=Tone.INK),
    ),
    CommandCard.MAKE_ROOM: (
        Rect(x=4, y=54, width=36, height=42, fill=Tone.BLANK),
        Rect(x=60, y=4, width=36, height=42, fill=Tone.BLANK),
        *_parcel(66, 18, 24),
        Path(points=((22, 46), (22, 26), (46, 26)), thickness=7),
        Path(points=((38, 16), (50, 26), (38, 36)), thickness=7),
    ),
    CommandCard.DAMAGED: DAMAGED,
    CommandCard.INVENTORY: (
        Rect(x=6, y=6, width=38, height=26, fill=Tone.BLANK),
        Rect(x=6, y=37, width=38, height=26, fill=Tone.BLANK),
        Rect(x=6, y=68, width=38, height=26, fill=Tone.BLANK),
        *(Path(points=((56, y), (66, y + 10), (88, y - 12)), thickness=8) for y in (19, 50, 81)),
    ),
    CommandCard.END_INVENTORY: (
        Rect(x=6, y=6, width=38, height=26, fill=Tone.BLANK),
        Rect(x=6, y=37, width=38, height=26, fill=Tone.BLANK),
        Path(points=((56, 19), (66, 29), (88, 7)), thickness=8),
        Path(points=((4, 80), (96, 80)), thickness=11),
    ),
    CommandCard.AS_EXPECTED: (
        Rect(x=6, y=10, width=52, height=80, fill=Tone.BLANK),
        *_parcel(14, 50, 36),
        Path(points=((62, 44), (74, 58), (96, 28)), thickness=10),
    ),
    CommandCard.OTHER: (
        Rect(x=6, y=10, width=52, height=80, fill=Tone.BLANK),
        *_parcel(14, 50, 36),
        Path(points=((66, 34), (70, 24), (82, 22), (90, 30), (88, 40), (78, 48), (78, 58)), thickness=8),
        Circle(x=78, y=74, radius=5, fill=Tone.INK),
    ),
}
"""One picture for each command card."""

SIZES: Final = {
    SizeClass.S: CARDS[CommandCard.SIZE_S],
    SizeClass.M: CARDS[CommandCard.SIZE_M],
    SizeClass.L: CARDS[CommandCard.SIZE_L],
    SizeClass.XL: CARDS[CommandCard.SIZE_XL],
}
"""A size looks the same on its card, at the desk and on the customer's screen."""
