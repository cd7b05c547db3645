"""Lists of a working day: who waits and who needs help (M-12), and the report of an inventory (M-07).

Owns what stands on them and in which order. Refuses to know how either is found out: plain values in, in the words of
the screens. A site knows no recipient (I-33), so neither list names one: a parcel is found by its number and its door.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from paper import pictograms
from paper.flow import Cells, Field, Line, Pictured, Rule, Say, Signature, flow_pdf
from paper.media import Paper
from paper.phrases import list_phrases, receipt_phrases
from paper.receipt import Seal, seal_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingParcel:
    """A parcel that somebody may come for today. `help` says which help, empty for none; `language` is named in words."""

    tracking: str
    place: str
    since: datetime
    language: str
    help: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayList:
    """What a mediator takes along. `to_check` are the compartments nobody knows the content of (M-08): they come first."""

    site_name: str
    at: datetime
    to_check: tuple[str, ...]
    parcels: tuple[WaitingParcel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A compartment of an inventory: what was expected, what was found, and what follows, in words."""

    door: str
    expected: str
    found: str
    result: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryReport:
    """An inventory, to be signed (M-07)."""

    site_name: str
    at: datetime
    agent: str
    checked: tuple[Checked, ...]
    seal: Seal | None = None


def day_list_pdf(day: DayList, paper: Paper = Paper.A6) -> bytes:
    """Who needs help first, then everybody else, each oldest first; a box to tick before each."""
    words = list_phrases()
    parcels = sorted(day.parcels, key=lambda parcel: parcel.since)
    helped = [parcel for parcel in parcels if parcel.help]
    others = [parcel for parcel in parcels if not parcel.help]
    lines: list[Line] = [
        *_head(words.day_title, day.site_name, day.at),
        *_part(words.to_check, [Say(text=", ".join(day.to_check), size_pt=12, bold=True)] if day.to_check else []),
        *_part(words.need_help.format(count=len(helped)), [line for parcel in helped for line in _waiting(parcel)]),
        *_part(words.waiting.format(count=len(others)), [line for parcel in others for line in _waiting(parcel)]),
    ]
    if not parcels:
        lines.append(Say(text=words.nobody, size_pt=11))
    return flow_pdf(lines, paper, title=words.day_title)


def inventory_pdf(report: InventoryReport, paper: Paper = Paper.A6) -> bytes:
    """Door by door: expected, found, what follows; how many differ; a place to sign."""
    words = list_phrases()
    differ = sum(1 for one in report.checked if one.found != one.expected)
    lines: list[Line] = [
        *_head(words.inventory_title, report.site_name, report.at),
        Field(receipt_phrases().agent, report.agent),
        Say(text=words.checked.format(count=len(report.checked), differ=differ), size_pt=11, bold=True),
        Rule(),
        *(line for one in report.checked for line in _checked(one)),
        Rule(),
        *seal_lines(report.seal),
        Signature(receipt_phrases().signature),
    ]
    return flow_pdf(lines, paper, title=words.inventory_title)


def _head(title: str, site_name: str, at: datetime) -> list[Line]:
    named = (
        Say(text=title, size_pt=14, bold=True),
        Say(text=site_name, size_pt=10, proper=True),
        Say(text=f"{at:%d/%m/%Y}, {at:%H:%M}", size_pt=10),
    )
    return [Pictured(picture=pictograms.CALENDAR, says=named, side_mm=14), Rule()]


def _part(title: str, lines: list[Line]) -> list[Line]:
    return [Say(text=title, size_pt=11, bold=True), *lines, Rule()] if lines else []


def _checked(one: Checked) -> list[Line]:
    words = list_phrases()
    door = Cells((f"{words.door} {one.door}", one.result), (0.3, 0.7), bold=True, size_pt=10)
    return [door, Say(text=f"{words.expected} {one.expected} · {words.found} {one.found}", size_pt=9)]


def _waiting(parcel: WaitingParcel) -> list[Line]:
    first = Cells((parcel.place, parcel.tracking), (0.34, 0.66), bold=True, size_pt=10, tick=True)
    says = (parcel.help, parcel.language, f"{list_phrases().since} {parcel.since:%d/%m}", parcel.note)
    return [first, Say(text=" · ".join(part for part in says if part), size_pt=9)]
