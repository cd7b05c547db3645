"""The words of a message to a recipient, easy to read, in the languages slips exist in. Owns the texts in `text/` and their order.

One idea a sentence, the same word for the same thing (FALC); what the slip says already is said in the slip's own sentences. A
message holds a key, so it is made at the moment it is sent and kept nowhere. Refuses to know how it travels.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cache
from importlib import resources
from typing import Final

import msgspec

from hub.core.telling import MessageKind, Way
from paper.phrases import Phrases, language_or_fallback, phrases
from paper.pictograms import DoorArea
from paper.sheet import Direction
from wire.pickup import show_digits

SUBJECT_CHARACTERS_MAX: Final = 60
_NO_BREAK: Final = "\u00a0"
"""Between the groups of a code: no line breaks there, and by the bidirectional rules (UAX #9, W4) they stay one number."""
_FROM_LEFT, _OWN_WAY, _DONE = "\u2066", "\u2068", "\u2069"
"""Isolates of UAX #9: what they hold neither turns nor is turned by the script around it."""
_CLOSERS: Final = ".。۔।?？؟"


class Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The sentences of messages in one language that no slip has. `calm` holds {first} and {end}."""

    hello: str
    arrived: str
    still_here: str
    place: str
    code: str
    new_code: str
    keep_code: str
    slip_inside: str
    code_changed: str
    old_code: str
    collected: str
    not_you: str
    delegated: str
    sent_nobody: str
    calm: str


class Value(Enum):
    """What stands behind a sentence, and so how it runs: a name its own way, a code and a number from the left, always."""

    NAME = "name"
    CODE = "code"
    NUMBER = "number"
    PICTURE = "picture"


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence, and what it is about. `PICTURE` is the place of the code to show to the reader."""

    text: str
    value: str = ""
    is_a: Value | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Everything a message may say. `digits` are bare; `calm` are hours of the day."""

    kind: MessageKind
    language: str
    site: str
    address: str = ""
    help_phone: str = ""
    at_desk: bool = False
    digits: str = ""
    last_day: date | None = None
    calm: tuple[int, int] | None = None


@cache
def words_in(language: str) -> Words:
    """The sentences in `language`, or in French when there are none."""
    file = resources.files("hub.notify") / "text" / f"{language_or_fallback(language)}.toml"
    return msgspec.convert(tomllib.loads(file.read_text("utf-8")), Words)


def subject_of(told: Told) -> str:
    """What a message is about, in a few words and without a code: a lock screen shows it to everybody."""
    words = words_in(told.language)
    said = {
        MessageKind.READY: words.arrived,
        MessageKind.COLLECTED: words.collected,
        MessageKind.REPLACED: words.code_changed,
        MessageKind.DELEGATED: words.delegated,
        MessageKind.WAITS: words.still_here,
        MessageKind.LAST_DAY: words.still_here,
    }[told.kind]
    return said.rstrip(_CLOSERS)


def lines_of(told: Told, way: Way) -> tuple[Line, ...]:
    """What is said, sentence by sentence. A telephone is told the least that opens the door."""
    words, slip = words_in(told.language), phrases(told.language)
    place = Line(words.place, ", ".join(part for part in (told.site, told.address) if part), Value.NAME)
    if told.kind is MessageKind.COLLECTED:
        said = [Line(words.collected), place, Line(words.not_you), Line(slip.steps.desk[0])]
    elif told.kind is MessageKind.DELEGATED:
        said = [Line(words.delegated), place, Line(words.sent_nobody), Line(slip.steps.desk[0])]
    else:
        said = [*_why(told, words), *_where(told, slip), place, *_until(told, way, words, slip), *_key(told, way)]
    call = [Line(slip.help, told.help_phone, Value.NUMBER)] if told.help_phone and way is Way.EMAIL else []
    return (Line(words.hello), *said, *call)


def _why(told: Told, words: Words) -> list[Line]:
    if told.kind is MessageKind.REPLACED:
        return [Line(words.code_changed), Line(words.old_code)]
    return [Line(words.arrived if told.kind is MessageKind.READY else words.still_here)]


def _where(told: Told, slip: Phrases) -> list[Line]:
    return [Line(slip.areas[DoorArea.DESK])] if told.at_desk else []


def _until(told: Told, way: Way, words: Words, slip: Phrases) -> list[Line]:
    """The last day, and when it is calm; a telephone hears of the first only when it is near."""
    said = []
    if told.last_day is not None and (way is Way.EMAIL or told.kind is MessageKind.LAST_DAY):
        said.append(Line(slip.hold.format(date=slip.say_date(told.last_day))))
    if told.calm is not None:
        first, end = (
            f"{_FROM_LEFT}{hour:02}:00{_DONE}" if is_rtl(told.language) else f"{hour:02}:00" for hour in told.calm
        )
        said.append(Line(words.calm.format(first=first, end=end)))
    return said


def _key(told: Told, way: Way) -> list[Line]:
    words, slip = words_in(told.language), phrases(told.language)
    label = words.new_code if told.kind is MessageKind.REPLACED else words.code
    code = [Line(label, _NO_BREAK.join(show_digits(told.digits).split()), Value.CODE), Line(words.keep_code)]
    if way is Way.PHONE:
        return code
    show = slip.steps.desk[1] if told.at_desk else slip.steps.door[0]
    return [Line(words.slip_inside), Line(show, is_a=Value.PICTURE), *code]


def is_rtl(language: str) -> bool:
    """Whether a language is read from the right."""
    return phrases(language).direction is Direction.RTL


def plain(lines: tuple[Line, ...], language: str) -> str:
    """A message without any form: a sentence a line, so that each runs its own way and a code is found at once."""
    return "\n".join(_plain(line, turned=is_rtl(language)) for line in lines)


def _plain(line: Line, *, turned: bool) -> str:
    if not line.value:
        return line.text
    mark = _OWN_WAY if line.is_a is Value.NAME else _FROM_LEFT
    return f"{line.text} {mark}{line.value}{_DONE}" if turned else f"{line.text} {line.value}"
