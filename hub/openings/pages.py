"""The pages of doors opened from afar: ask, be the second person, follow each door to its end (A-03 … A-06).

Owns their URLs. Refuses to hold rules: hub.core.openings and hub.openings.services have them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Form, Path, Request
from fastapi.responses import Response

from hub.core import openings as rules
from hub.core.openings import Wish
from hub.core.parcels import Refused
from hub.core.permissions import Right, Visitor
from hub.openings.services import NOTE_CHARACTERS_MAX, Openings
from hub.store.openings import OpeningRow
from hub.web import remote_words
from hub.web.bank import bank_of
from hub.web.door import OwnForm, Parts, go, who_may
from hub.web.drawing import draw, missing
from wire.messages import OpeningReason

router = APIRouter(include_in_schema=False)
DOORS_SENT_MAX: Final = 200
Asker = Annotated[Visitor, who_may(Right.OPEN_DOOR)]
Second = Annotated[Visitor, who_may(Right.APPROVE_OPENING)]
SiteName = Annotated[str, Path(max_length=31)]
OpeningId = Annotated[str, Path(max_length=32)]
Text = Annotated[str, Form(max_length=1_024)]


@dataclass(frozen=True, slots=True)
class OpeningParts:
    """What these pages need, put into `app.state.openings` by the composition root."""

    openings: Openings


def install(app: FastAPI, parts: OpeningParts) -> None:
    """Put these pages into an application."""
    app.state.openings = parts
    app.include_router(router)


def _openings(request: Request) -> Openings:
    parts: OpeningParts = request.app.state.openings
    return parts.openings


@router.get("/sites/{site}/open")
def ask_page(request: Request, site: SiteName, person: Asker, parts: Parts) -> Response:
    """Which door, and why."""
    return _form(request, site, person, parts, {"doors": [], "reason": "", "note": ""})


@router.post("/sites/{site}/open", dependencies=[OwnForm])
def ask(
    request: Request, site: SiteName, person: Asker, parts: Parts, *, reason: Text = "", note: Text = "",
    door: Annotated[list[str], Form(max_length=DOORS_SENT_MAX)] = [],  # noqa: B006 FastAPI copies it
) -> Response:  # fmt: skip
    """Ask; what does not fit comes back with everything that was chosen."""
    try:
        opening = _openings(request).ask(site, door, reason, note, person)
    except Refused as refused:
        typed = {"doors": door, "reason": reason, "note": note[:NOTE_CHARACTERS_MAX]}
        return _form(request, site, person, parts, typed, refused.code)
    return go(f"/openings/{opening}")


def _form(
    request: Request, site: str, person: Visitor, parts: Parts, typed: dict[str, Any], problem: str = ""
) -> Response:
    row = parts.reads.within(person.scope).site(site)
    if row is None:
        return missing(request, person, "Ce site n'existe pas.", "/", "Voir tous les sites")
    return draw(
        request,
        "opening_new.html",
        person,
        status=409 if problem else 200,
        here="openings",
        site=row,
        cells=sorted(bank_of(row.birth, row.state), key=lambda cell: (len(cell.label), cell.label)),
        online=row.is_online(parts.now_ms()),
        reasons=list(OpeningReason),
        said=remote_words,
        typed=typed,
        note_max=NOTE_CHARACTERS_MAX,
        problem=remote_words.PROBLEMS.get(problem, problem),
    )


@router.get("/openings")
def list_page(request: Request, person: Second, parts: Parts) -> Response:
    """Every wish of late: what waits for a second person stands first."""
    now_ms = parts.now_ms()
    shown = [_told(row, now_ms) for row in parts.reads.within(person.scope).openings()]
    waiting = [told for told in shown if told["state"] == Wish.WAITING]
    others = [told for told in shown if told["state"] != Wish.WAITING]
    return draw(
        request, "openings.html", person, here="openings", events="/live", waiting=waiting, others=others,
        said=remote_words,
    )  # fmt: skip


@router.get("/openings/{opening}")
def opening_page(request: Request, opening: OpeningId, person: Second, parts: Parts) -> Response:
    """One wish: its two people, and the life of each door."""
    return _opening(request, opening, person, parts)


@router.post("/openings/{opening}/agree", dependencies=[OwnForm])
def agree(request: Request, opening: OpeningId, person: Second, parts: Parts) -> Response:
    """Be the second person."""
    return _decide(request, opening, person, parts, _openings(request).agree)


@router.post("/openings/{opening}/decline", dependencies=[OwnForm])
def decline(request: Request, opening: OpeningId, person: Second, parts: Parts) -> Response:
    """Say no, or take one's own wish back."""
    return _decide(request, opening, person, parts, _openings(request).decline)


def _decide(
    request: Request, opening: str, person: Visitor, parts: Parts, decide: Callable[[str, Visitor], None]
) -> Response:
    try:
        decide(opening, person)
    except Refused as refused:
        return _opening(request, opening, person, parts, refused.code)
    return go(f"/openings/{opening}")


def _opening(request: Request, opening: str, person: Visitor, parts: Parts, problem: str = "") -> Response:
    row = parts.reads.within(person.scope).opening(opening)
    if row is None:
        return missing(request, person, "Cette demande n'existe pas.", "/openings", "Voir les demandes")
    return draw(
        request,
        "opening.html",
        person,
        status=409 if problem else 200,
        here="openings",
        events="/live",
        only=row.site,
        told=_told(row, parts.now_ms()),
        is_mine=person.person == row.asked_by,
        said=remote_words,
        problem=remote_words.PROBLEMS.get(problem, problem),
    )


def _told(row: OpeningRow, now_ms: int) -> dict[str, Any]:
    """A wish as it is now, with the life of each door."""
    state = rules.wish_now(row.state, row.asked_ms, now_ms)
    sends_no_more = state not in {Wish.WAITING, Wish.AGREED}
    doors = [
        {
            "label": door.compartment,
            "stages": remote_words.stages(door, now_ms, is_over=sends_no_more),
            "advice": remote_words.ADVICE.get(door.step(now_ms), ""),
        }
        for door in row.doors
    ]
    return {"row": row, "state": state, "doors": doors, "until_ms": row.asked_ms + rules.WISH_LIFE_MS}
