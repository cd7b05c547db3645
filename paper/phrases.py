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
    cards: dict[CommandCard, str]


@cache
def languages() -> tuple[str, ...]:
    """Codes of the languages a slip exists in, French first."""
    found = (entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml"))
    return (FALLBACK, *sorted(code for code in found if code not in (FALLBACK, "desk")))


def language_or_fallback(language: str) -> str:
    """`language` when a slip exists in it, otherwise French."""
    return language if language in languages() else FALLBACK


@cache
def phrases(language: str) -> Phrases:
    """The texts in `language`, or in French when there are none."""
    return _read(f"{language_or_fallback(language)}.toml", Phrases)


@cache
def desk_phrases() -> DeskPhrases:
    """The texts of badges and command cards."""
    return _read("desk.toml", DeskPhrases)


def _folder() -> Traversable:
    return resources.files("paper") / "text"


def _read(name: str, kind: type[_Texts]) -> _Texts:
    return msgspec.convert(tomllib.loads((_folder() / name).read_text("utf-8")), kind)
