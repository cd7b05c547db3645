"""The words of what we print, one TOML file a language in `text/`.

Owns reading and checking those files, and dates in words. Refuses to know layouts. Texts are easy-to-read (FALC):
one idea a sentence, the same word for the same thing, "vous", a picture beside each sentence.
"""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from importlib import resources
from importlib.abc import Traversable
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from paper.pictograms import DoorArea
from paper.sheet import Direction
from wire.badges import CommandCard

FALLBACK: Final = "fr"
"""Who speaks a language we do not print gets French and the pictograms (C-28)."""


_OF_THE_DESK: Final = ("desk", "receipts", "lists")
"""Files beside the languages: what only staff and couriers read, in French."""

_Texts = TypeVar("_Texts", bound=msgspec.Struct)


class Steps(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do, sentence by sentence."""

    door: tuple[str, str, str, str]
    desk: tuple[str, str, str]


class Calendar(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a date is said; `date` holds {day}, {number}, {month} and {year}. Weeks start on Monday.

    `first` is how the first of a month is numbered.
    """

    date: str
    first: str = "1"
    days: Annotated[tuple[str, ...], Meta(min_length=7, max_length=7)]
    months: Annotated[tuple[str, ...], Meta(min_length=12, max_length=12)]


class Phrases(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every text of a slip in one language. `hold` holds {date}."""

    name: str
    direction: Direction
    title: str
    code: str
    areas: dict[DoorArea, str]
    steps: Steps
    digits: str
    digits_desk: str
    help: str
    hold: str
    hours: str
    keep: str
    replaces: str
    mandate_title: str
    mandate: str
    practice_title: str
    practice: str
    sending_title: str
    sending: str
    calendar: Calendar

    def say_date(self, day: date) -> str:
        """The date in words, weekday included."""
        return self.calendar.date.format(
            day=self.calendar.days[day.weekday()],
            number=self.calendar.first if day.day == 1 else day.day,
            month=self.calendar.months[day.month - 1],
            year=day.year,
        )


class DeskPhrases(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Texts of badges and command cards, which only staff read: French."""

    badge_title: str
    badge_use: str
    badge_found: str
    cards_title: str
    card_use: str
    door_labels_title: str
    cards: dict[CommandCard, str]


class ReceiptPhrases(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Texts of receipts. `journal` and `line` hold {seq}; `parcels` and `discrepancies` hold {count}."""

    deposit_title: str
    deposits_title: str
    courier_title: str
    tracking: str
    carrier: str
    place: str
    when: str
    clock_not_sure: str
    size: str
    weight: str
    heavy: str
    not_heavy: str
    condition: str
    condition_not_said: str
    agent: str
    parcel: str
    journal: str
    line: str
    damaged: str
    courier: str
    parcels: str
    in_doors: str
    on_shelf: str
    remaining: str
    discrepancies: str
    no_discrepancy: str
    signature: str


class ListPhrases(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Texts of lists. `voice_more` holds {count}. `need_help` and `waiting` hold {count}; `checked` holds {count} and {differ}."""

    day_title: str
    to_check: str
    need_help: str
    waiting: str
    nobody: str
    since: str
    inventory_title: str
    checked: str
    voice_title: str
    voice_keep: str
    voice_nobody: str
    voice_more: str
    voice_other_script: str
    door: str
    expected: str
    found: str


@cache
def languages() -> tuple[str, ...]:
    """Codes of the languages a slip exists in, French first."""
    found = (entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml"))
    return (FALLBACK, *sorted(code for code in found if code not in (FALLBACK, *_OF_THE_DESK)))


def language_or_fallback(language: str) -> str:
    """`language` when a slip exists in it, otherwise French."""
    return language if language in languages() else FALLBACK


def phrases(language: str) -> Phrases:
    """The texts in `language`, or in French when there are none."""
    return _phrases(language_or_fallback(language))


@cache
def _phrases(language: str) -> Phrases:
    return _read(f"{language}.toml", Phrases)


@cache
def desk_phrases() -> DeskPhrases:
    """The texts of badges and command cards."""
    return _read("desk.toml", DeskPhrases)


@cache
def receipt_phrases() -> ReceiptPhrases:
    """The texts of receipts: French, the language of the desk and of the carriers."""
    return _read("receipts.toml", ReceiptPhrases)


@cache
def list_phrases() -> ListPhrases:
    """The texts of lists."""
    return _read("lists.toml", ListPhrases)


def _folder() -> Traversable:
    return resources.files("paper") / "text"


def _read(name: str, kind: type[_Texts]) -> _Texts:
    return msgspec.convert(tomllib.loads((_folder() / name).read_text("utf-8")), kind)
