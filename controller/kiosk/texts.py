"""The words of the customer screen, one TOML file a language in `text/`.

Owns reading and checking those files. Refuses to know screens' looks. Texts are easy-to-read (FALC): one idea a sentence,
the same word for the same thing, "vous", never an error name, never an accusation.
"""

from __future__ import annotations

import tomllib
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Final

import msgspec

from controller.core.notices import NoticeKind
from wire.ids import ReachZone

FALLBACK: Final = "fr"
"""Who speaks a language we have no words in gets French and the pictograms (C-28)."""


class Spoken(msgspec.Struct, frozen=True):
    """A language by voice alone: its own name, in its own script, and its French one for whoever helps."""

    name: str
    french: str


SPOKEN: Final = {
    "bm": Spoken("Bamanankan", "bambara"),
    "kab": Spoken("Taqbaylit", "kabyle"),
    "snk": Spoken("Sooninkanxanne", "soninké"),
}
"""Languages that are heard and not read: recordings speak, the screen stays French with its pictograms (ADR 0030)."""


class Direction(StrEnum):
    """Which way a script runs."""

    LTR = "ltr"
    RTL = "rtl"


class Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A notice: what is, and what to do next (may be empty)."""

    say: str
    next: str


class Texts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every text of the customer screen. `push_door` and `close_door` hold {door}; `retired` holds {date} and {time}."""

    name: str
    direction: Direction
    ready: str
    type_digits: str
    opening: str
    push_door: str
    take: str
    close_door: str
    close_after: str
    put_back: str
    choose_size: str
    put_in: str
    ask_inside: str
    inside: str
    not_inside: str
    too_small: str
    several: str
    also_at_desk: str
    practice: str
    from_afar: str
    problem: str
    found_empty: str
    damaged: str
    refuse: str
    door: str
    help: str
    repeat: str
    volume: str
    contrast: str
    bigger: str
    languages: str
    keypad: str
    delete: str
    send: str
    back: str
    retired: str
    contest: str
    phone: str
    idle: str
    stay: str
    away: str
    reader_away: str
    reach: dict[ReachZone, str]
    notices: dict[NoticeKind, Words]


@cache
def languages() -> tuple[str, ...]:
    """Codes of the languages we have words in, French first."""
    found = (entry.name for entry in (resources.files("controller.kiosk") / "text").iterdir())
    codes = {name.removesuffix(".toml") for name in found if name.endswith(".toml")}
    return (FALLBACK, *sorted(codes - {FALLBACK}))


def language_or_fallback(language: str) -> str:
    """`language` when there are words in it, otherwise French."""
    return language if language in languages() else FALLBACK


def voices(language: str) -> tuple[str, ...]:
    """Who says a text to somebody who speaks `language`, first choice first: one by voice alone has French behind it."""
    return (language, FALLBACK) if language in SPOKEN else (language_or_fallback(language),)


@cache
def texts(language: str) -> Texts:
    """The words in `language`, or in French when there are none."""
    name = f"{language_or_fallback(language)}.toml"
    source = (resources.files("controller.kiosk") / "text" / name).read_text("utf-8")
    return msgspec.convert(tomllib.loads(source), Texts)
