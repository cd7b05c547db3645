"""The list of whom to tell by voice: people whose parcel waits, and who have no telephone, or whom no message reached.

Owns what stands on it and in which order. It names people, unlike every other paper of ours, so it says so on top: it is for one
day's round and not for a wall. Refuses to know who may print it. The sentence to show is in each person's own language.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from paper import pictograms
from paper.flow import Cells, Line, Pictured, Rule, Say, flow_pdf
from paper.media import Paper
from paper.phrases import list_phrases, phrases
from paper.sheet import has_letters_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ToTell:
    """Somebody to tell. `language` is its code, `spoken` names it in French, `sentence` is what to say in it; `note` may be empty."""

    name: str
    place: str
    tracking: str
    since: datetime
    language: str
    spoken: str
    sentence: str
    help: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceList:
    """Everybody to tell at a site; `more` are those who did not fit."""

    site_name: str
    at: datetime
    people: tuple[ToTell, ...]
    more: int = 0


def voice_list_pdf(told: VoiceList, paper: Paper = Paper.A4_HALF) -> bytes:
    """Who waits longest first; a box to tick before each."""
    words = list_phrases()
    head = (
        Say(text=words.voice_title, size_pt=14, bold=True),
        Say(text=told.site_name, size_pt=10, proper=True),
        Say(text=f"{told.at:%d/%m/%Y}, {told.at:%H:%M}", size_pt=10),
    )
    lines: list[Line] = [
        Pictured(picture=pictograms.CALENDAR, says=head, side_mm=14),
        Say(text=words.voice_keep, size_pt=9, bold=True),
        Rule(),
    ]
    for person in sorted(told.people, key=lambda person: person.since):
        lines += _person(person)
    if not told.people:
        lines.append(Say(text=words.voice_nobody, size_pt=11))
    if told.more:
        lines.append(Say(text=words.voice_more.format(count=told.more), size_pt=10, bold=True))
    return flow_pdf(lines, paper, title=words.voice_title)


def _person(person: ToTell) -> list[Line]:
    since = f"{list_phrases().since} {person.since:%d/%m}"
    name = Say(text=person.name, size_pt=13, bold=True, proper=True)
    if not has_letters_of(person.name):
        name = Say(text=list_phrases().voice_other_script, size_pt=11)
    details = " · ".join(part for part in (person.spoken, since, person.help, person.note) if part)
    return [
        Cells((person.place, person.tracking), (0.5, 0.5), bold=True, size_pt=10, tick=True),
        name,
        Say(text=details, size_pt=9),
        Say(text=person.sentence, size_pt=12, direction=phrases(person.language).direction),
        Rule(),
    ]
