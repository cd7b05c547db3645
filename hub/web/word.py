"""A word of a screen, with its icon and its tone.

Owns the shape. Refuses to know which words there are (`words`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """How urgent a text is; never said by colour alone, each has its own icon beside its own word."""

    CALM = "calm"
    GOOD = "good"
    WATCH = "watch"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Word:
    """A word, the icon beside it and its tone."""

    text: str
    icon: str
    tone: Tone = Tone.CALM
