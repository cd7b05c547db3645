"""The pages of rhythm: every site by how soon it runs short, one site with its week, its month and its doors; the same as CSV and JSON.

Owns their URLs. Refuses to work anything out: hub.rhythm.services does.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, FastAPI, Path, Request
from fastapi.responses import Response

from hub import access
from hub.clock import day_of
from hub.core.forecast import part_of
from hub.core.parcels import Refused
from hub.core.permissions import Right, Visitor
from hub.rhythm.services import ALL, Rhythm, SiteRhythm, SizeRhythm
from hub.store.pages import SiteRow
from hub.web import words
from hub.web.door import Parts, who_may
from hub.web.drawing import careful, draw, missing
from wire.ids import SizeClass

router = APIRouter()
SiteName = Annotated[str, Path(max_length=31)]
Looker = Annotated[Visitor, who_may(Right.SEE_BANK)]
_WEEKDAYS: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_PART_NAMES: Final = {
    3: "du 1er au 3",
    6: "du 4 au 6",
    9: "du 7 au 9",
    12: "du 10 au 12",
    15: "du 13 au 15",
    31: "du 16 à la fin",
}
_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class RhythmParts:
    """What these pages need, put into `app.state.rhythm` by the composition root."""

    rhythm: Rhythm


def install(app: FastAPI, parts: RhythmParts) -> None:
    """Put these pages into an application."""
    app.state.rhythm = parts
    app.include_router(router)


def _rhythm(request: Request) -> Rhythm:
    parts: RhythmParts = request.app.state.rhythm
    return parts.rhythm


@router.get("/rhythm", include_in_schema=False)
def network_page(request: Request, person: Looker, parts: Parts) -> Response:
    """Every site: which will run short first, of what, and what lies there for too long."""
    rows = [row for row in parts.reads.within(person.scope).sites() if not row.sandbox]
    rhythm = _rhythm(request)
    sizes = rhythm.sizes(rows, parts.now_ms())
    today = day_of(parts.now_ms())
    shown = sorted(
        ((row, sizes[row.number]) for row in rows),
        key=lambda pair: (_soonest(pair[1]), -pair[1][0].overdue, pair[0].name),
    )
    return draw(
        request,
        "rhythm.html",
        person,
        here="rhythm",
        hold_days=rhythm.hold_days,
        sites=[{"site": row, "all": told[0], "short": _short(told, today)} for row, told in shown],
    )


@router.get("/sites/{site}/rhythm", include_in_schema=False)
def site_page(request: Request, site: SiteName, person: Looker, parts: Parts) -> Response:
    """One site: its week, what to do, its month, how parcels stay, how its doors do."""
    row = parts.reads.within(person.scope).site(site)
    if row is None:
        return missing(request, person, "Ce site n'existe pas.", "/rhythm", "Voir tous les sites")
    if row.sandbox:
        text = "Ce site est un bac à sable pour les transporteurs : rien n'y est compté."
        return missing(request, person, text, "/rhythm", "Voir tous les sites")
    rhythm = _rhythm(request)
    told = rhythm.site(row, parts.now_ms())
    short = _short(told.sizes, told.days[0])
    return draw(
        request,
        "rhythm_site.html",
        person,
        here="rhythm",
        site=row,
        told=told,
        days=[_day(day) for day in told.days],
        short=short,
        elsewhere=_elsewhere(rhythm, parts.reads.within(person.scope).sites(), row, short, parts.now_ms())
        if short
        else [],
        parts_of_month=_by_part(told),
        all=told.sizes[0],
        all_total=sum(size.total for size in told.sizes[1:]),
        hold_days=rhythm.hold_days,
        hour_ms=_HOUR_MS,
        size_word=size_word,
    )


@router.get("/sites/{site}/rhythm.csv", include_in_schema=False)
def as_csv(request: Request, site: SiteName, person: Looker, parts: Parts) -> Response:
    """The past days and the coming ones, a line each, for a spreadsheet."""
    row = parts.reads.within(person.scope).site(site)
    if row is None:
        return missing(request, person, "Ce site n'existe pas.", "/rhythm", "Voir tous les sites")
    told = _rhythm(request).site(row, parts.now_ms())
    text = io.StringIO()
    writer = csv.writer(text)
    sizes = [size.size or "?" for size in told.sizes]
    writer.writerow(["day", "peak", *(f"expected_{size}" for size in sizes)])
    for day, most in zip(told.past_days[:-1], told.peaks[:-1], strict=True):
        writer.writerow([day.isoformat(), most, *("" for _ in sizes)])
    for ahead, day in enumerate(told.days):
        peak = str(told.peaks[-1]) if not ahead else ""
        writer.writerow(
            [day.isoformat(), peak, *(f"{size.expected[ahead]:.1f}" if size.expected else "" for size in told.sizes)]
        )
    headers = {**careful(parts), "Content-Disposition": f'attachment; filename="rhythm-{row.id}.csv"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/api/v1/sites/{site}/rhythm", tags=["sites"], summary="What a site can expect", responses=access.ERRORS)
def as_json(
    request: Request, site: SiteName, caller: Annotated[Visitor, access.who_may(Right.SEE_BANK)], parts: access.Parts
) -> Response:
    """Forecast by size with its error, shortages, peaks, dwell in milliseconds, and how each door did lately."""
    row = parts.reads.within(caller.scope).site(site)
    if row is None:
        raise Refused("unknown_site", "there is no such site")
    told = _rhythm(request).site(row, parts.clock())
    return Response(msgspec.json.encode(told), media_type="application/json")


def size_word(size: str) -> str:
    """A size in words."""
    if size == ALL:
        return "tous"
    return words.SIZE[SizeClass(size)] if size in set(SizeClass) else "taille pas connue"


def _soonest(sizes: Sequence[SizeRhythm]) -> int:
    return min((size.shortage.day for size in sizes if size.shortage is not None and size.size != ALL), default=99)


def _short(sizes: Sequence[SizeRhythm], today: date) -> list[dict[str, Any]]:
    """Sizes that will run short: which day, how many doors. A whole bank that runs short does so size by size."""
    return [
        {
            "size": size.size,
            "word": size_word(size.size),
            "day": _in_days(size.shortage.day, today),
            "missing": size.shortage.missing,
        }
        for size in sizes
        if size.shortage is not None and size.size != ALL
    ]


def _in_days(ahead: int, today: date) -> str:
    if ahead < 2:
        return ("aujourd'hui", "demain")[ahead]
    return _WEEKDAYS[(today.weekday() + ahead) % 7]


def _day(day: date) -> str:
    return f"{_WEEKDAYS[day.weekday()]} {day.day}"


def _elsewhere(
    rhythm: Rhythm, rows: Sequence[SiteRow], here: SiteRow, short: Sequence[dict[str, Any]], now_ms: int
) -> list[dict[str, Any]]:
    """Sites that have doors of the sizes that run short here, and will have them."""
    wanted = {each["size"] for each in short}
    others = [row for row in rows if row.id != here.id and not row.sandbox and row.is_online(now_ms)]
    sizes = rhythm.sizes(others, now_ms)
    told = [
        {"site": row, "size": size_word(size.size), "free": size.free}
        for row in others
        for size in sizes[row.number]
        if size.size in wanted and size.free > 2 and size.shortage is None
    ]
    return sorted(told, key=itemgetter("free"), reverse=True)[:5]


def _by_part(told: SiteRhythm) -> list[dict[str, Any]]:
    """The highest and the ordinary peak of each part of the month: the first fortnight in fine steps."""
    parts: dict[int, list[int]] = {}
    for day, peak in zip(told.past_days, told.peaks, strict=True):
        parts.setdefault(part_of(day), []).append(peak)
    return [
        {"name": name, "most": max(parts[end]), "middle": sorted(parts[end])[len(parts[end]) // 2]}
        for end, name in _PART_NAMES.items()
        if end in parts
    ]
