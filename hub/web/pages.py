"""The routes of the pages. `router` is included by the hub's application; `install` hands it what it needs.

Owns URLs, permissions of pages, redirects and headers. Refuses to hold rules, SQL or words. Codes are shown on the
slip alone, which no cache may keep.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import resources
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Header, Query, Request
from fastapi.responses import Response, StreamingResponse
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from hub.core.parcels import REPLACEABLE, Refused
from hub.core.permissions import Right, Visitor
from hub.core.project import shown_state
from hub.live import TooManyStreams
from hub.slips import area_of, slip_of
from hub.store.pages import LIST_ROWS_MAX, ParcelRow, SiteRow
from hub.web import bank, door, forms, recipient, sign_in, words
from hub.web.door import OwnForm, Parts, go, who_may
from hub.web.drawing import careful, draw, missing, not_allowed
from hub.web.ports import COOKIE, WebParts
from paper.media import Paper
from paper.slip import Slip, slip_pdf
from paper.slip_page import slip_css, slip_html
from wire.ids import Door, ParcelState, ReachZone, SizeClass, Trust
from wire.plan import Help

FORM_FIELDS_MAX: Final = 20

_STATIC: Final = {
    "consigne.css": "text/css",
    "consigne.js": "text/javascript",
    "passkeys.js": "text/javascript",
    "icons.svg": "image/svg+xml",
    "icon.svg": "image/svg+xml",
}
_SURE: Final = frozenset({Trust.HUB, Trust.NTP})

router = APIRouter(include_in_schema=False)


def install(app: FastAPI, parts: WebParts) -> None:
    """Put the pages into an application."""
    app.state.web = parts
    app.include_router(router)
    app.include_router(recipient.router)
    app.include_router(sign_in.router)
    door.install(app, not_allowed)


# ---------------------------------------------------------------------------------------------------------- fleet, site


@router.get("/")
def fleet(request: Request, person: Annotated[Visitor, who_may(Right.SEE_SITES)], parts: Parts) -> Response:
    """Every site with its state and how old that is."""
    if not person.may(Right.SEE_BANK):
        return go("/parcels")
    now_ms = parts.now_ms()
    rows = [_overview(row, now_ms) for row in parts.reads.within(person.scope).sites()]
    rows.sort(key=lambda row: (_URGENCY[row["tone"]], row["online"]))
    return draw(request, "fleet.html", person, here="fleet", events="/live", sites=rows)


@router.get("/sites/{site}")
def site_page(
    request: Request, site: str, person: Annotated[Visitor, who_may(Right.SEE_BANK)], parts: Parts
) -> Response:
    """One site: its bank as it hangs, its alarms, its last facts."""
    row = parts.reads.within(person.scope).site(site)
    if row is None:
        return missing(request, person, "Ce site n'existe pas.", "/", "Voir tous les sites")
    overview = _overview(row, parts.now_ms())
    shelf = row.state.shelf if row.state else ()
    inside = [cell.parcel for cell in overview["cells"] if cell.parcel] + [place.parcel for place in shelf]
    return draw(
        request,
        "site.html",
        person,
        here="fleet",
        events="/live",
        only=row.id,
        numbers=parts.reads.within(person.scope).numbers_of(inside),
        facts=[_told(fact) for fact in parts.reads.within(person.scope).site_facts(row.number)],
        alerts=parts.reads.within(person.scope).alerts(site=row.id),
        shelf=shelf,
        **overview,
    )


@router.get("/live")
async def live(
    request: Request,
    person: Annotated[Visitor, who_may(Right.FOLLOW_EVENTS)],
    parts: Parts,
    last: Annotated[str, Header(alias="Last-Event-ID", max_length=20)] = "",
) -> Response:
    """Server-sent events: what changed, by name only. An open page then reads itself again."""
    known = int(last) if last.isascii() and last.isdigit() else None
    cookie = request.cookies.get(COOKIE, "")
    stream = parts.live.stream(known, person.scope, lambda: parts.door.visitor_of(cookie) == person)
    try:
        first = await anext(stream)
    except TooManyStreams:
        return Response(status_code=503, headers={"Retry-After": "15"})
    return StreamingResponse(
        _resumed(first, stream), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _resumed(first: bytes, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The stream with its first bytes, which were taken to learn whether there is room."""
    yield first
    async for line in stream:
        yield line


# -------------------------------------------------------------------------------------------------------------- parcels


@router.get("/parcels")
def parcels(
    request: Request,
    person: Annotated[Visitor, who_may(Right.SEE_PARCELS)],
    parts: Parts,
    q: Annotated[str, Query(max_length=80)] = "",
    site: Annotated[str, Query(max_length=31)] = "",
    state: Annotated[str, Query(max_length=16)] = "",
) -> Response:
    """The list of parcels, and the search in it."""
    wanted = ParcelState(state) if state in _STATES else None
    found = parts.reads.within(person.scope).parcels(text=q, site=site, state=wanted)
    return draw(
        request,
        "parcels.html",
        person,
        here="parcels",
        events="/live",
        parcels=[(row, words.PARCEL_STATE[shown_state(row.state, row.intent)]) for row in found[:LIST_ROWS_MAX]],
        more=len(found) > LIST_ROWS_MAX,
        q=q,
        site=site,
        state=state,
        sites=parts.reads.within(person.scope).sites(),
        states=words.PARCEL_STATE,
    )


@router.get("/parcels/new")
def new_parcel_page(
    request: Request,
    person: Annotated[Visitor, who_may(Right.ANNOUNCE_PARCEL)],
    parts: Parts,
    site: Annotated[str, Query(max_length=31)] = "",
) -> Response:
    """The empty form."""
    return _form_page(request, person, parts, forms.empty_form(site))


@router.post("/parcels/new", dependencies=[OwnForm])
async def announce(
    request: Request, person: Annotated[Visitor, who_may(Right.ANNOUNCE_PARCEL)], parts: Parts
) -> Response:
    """Announce a parcel; what does not fit comes back with everything that was typed."""
    typed = await request.form(max_fields=FORM_FIELDS_MAX, max_files=0)
    return await run_in_threadpool(_announce, request, person, parts, typed)


def _announce(request: Request, person: Visitor, parts: WebParts, typed: FormData) -> Response:
    form, parcel = forms.read_form(typed, {row.id for row in parts.reads.within(person.scope).sites()})
    if parcel is not None:
        try:
            announced = parts.desk.announce(parcel, person)
        except Refused as refused:
            form.refuse(refused)
        else:
            return go(f"/parcels/{announced.parcel}?done={'announced' if announced.is_new else 'attached'}")
    return _form_page(request, person, parts, form, status=409 if form.is_known_here else 422)


@router.get("/parcels/{parcel}")
def parcel_page(
    request: Request,
    parcel: str,
    person: Annotated[Visitor, who_may(Right.SEE_PARCELS)],
    parts: Parts,
    done: Annotated[str, Query(max_length=16)] = "",
) -> Response:
    """A parcel: where it is, its life so far, what can be done."""
    row = parts.reads.within(person.scope).parcel(parcel)
    if row is None:
        return _no_parcel(request, person)
    if row.id != parcel:
        return go(f"/parcels/{row.id}")  # announced under this id, and joined to the parcel that is there (ADR 0007)
    return draw(
        request,
        "parcel.html",
        person,
        here="parcels",
        events="/live",
        only=row.site,
        parcel=row,
        said=words.PARCEL_STATE[shown_state(row.state, row.intent)],
        where=words.place_named(row.place_kind, row.place_name) if row.place_kind else "",
        life=[_told(fact) for fact in parts.reads.within(person.scope).life_of(row.id)],
        messages=parts.reads.within(person.scope).messages(parcel=row.id) if person.may(Right.SEE_MESSAGES) else (),
        may_correct=recipient.is_open_to(person, row),
        may_replace=row.state in REPLACEABLE,
        done=_DONE.get(done, ""),
    )


@router.get("/parcels/{parcel}/slip")
def slip_page(
    request: Request, parcel: str, person: Annotated[Visitor, who_may(Right.PRINT_SLIP)], parts: Parts
) -> Response:
    """The slip on a page: the only page that shows a code."""
    row = parts.reads.within(person.scope).parcel(parcel)
    if row is None or row.state not in REPLACEABLE:
        return _no_slip(request, person, row)
    markup = Markup(slip_html(_slip_of(parts, person, row)))  # noqa: S704 (paper escapes whatever people typed)
    return draw(request, "slip.html", person, here="parcels", parcel=row, slip=markup, papers=_PAPERS)


@router.get("/parcels/{parcel}/slip.pdf")
def slip_file(
    request: Request,
    parcel: str,
    person: Annotated[Visitor, who_may(Right.PRINT_SLIP)],
    parts: Parts,
    paper: Paper = Paper.A6,
) -> Response:
    """The slip as a PDF."""
    row = parts.reads.within(person.scope).parcel(parcel)
    if row is None or row.state not in REPLACEABLE:
        return _no_slip(request, person, row)
    headers = {**careful(parts), "Content-Disposition": 'inline; filename="bon-de-retrait.pdf"'}
    return Response(slip_pdf(_slip_of(parts, person, row), paper), media_type="application/pdf", headers=headers)


@router.get("/parcels/{parcel}/reissue")
def ask_reissue(
    request: Request, parcel: str, person: Annotated[Visitor, who_may(Right.REISSUE_SLIP)], parts: Parts
) -> Response:
    """Ask before replacing a slip."""
    return _ask(request, parcel, "reissue", person, parts)


@router.get("/parcels/{parcel}/recall")
def ask_recall(
    request: Request, parcel: str, person: Annotated[Visitor, who_may(Right.RECALL_PARCEL)], parts: Parts
) -> Response:
    """Ask before ending the hold."""
    return _ask(request, parcel, "recall", person, parts)


@router.post("/parcels/{parcel}/reissue", dependencies=[OwnForm])
def reissue(
    request: Request, parcel: str, person: Annotated[Visitor, who_may(Right.REISSUE_SLIP)], parts: Parts
) -> Response:
    """Replace the slip."""
    return _act(request, parcel, "reissue", person, parts)


@router.post("/parcels/{parcel}/recall", dependencies=[OwnForm])
def recall(
    request: Request, parcel: str, person: Annotated[Visitor, who_may(Right.RECALL_PARCEL)], parts: Parts
) -> Response:
    """End the hold."""
    return _act(request, parcel, "recall", person, parts)


def _ask(request: Request, parcel: str, action: str, person: Visitor, parts: WebParts) -> Response:
    row = parts.reads.within(person.scope).parcel(parcel)
    question = _QUESTIONS[action]
    if row is None:
        return _no_parcel(request, person)
    return draw(request, "confirm.html", person, here="parcels", parcel=row, question=question, problem="")


def _act(request: Request, parcel: str, action: str, person: Visitor, parts: WebParts) -> Response:
    row = parts.reads.within(person.scope).parcel(parcel)
    question = _QUESTIONS[action]
    if row is None:
        return _no_parcel(request, person)
    try:
        if action == "reissue":
            parts.desk.reissue(parcel, person)
        else:
            parts.desk.recall(parcel, person)
    except Refused as refused:
        said = words.PARCEL_STATE[shown_state(row.state, row.intent)].text
        problem = _PROBLEMS.get(refused.code, f"Ce n'est plus possible : le colis est « {said} ».")
        return draw(
            request, "confirm.html", person, status=409, here="parcels", parcel=row, question=question, problem=problem
        )
    return go(f"/parcels/{row.id}?done={action}")


# ---------------------------------------------------------------------------------------------------- alerts, messages


@router.get("/alerts")
def alerts(request: Request, person: Annotated[Visitor, who_may(Right.SEE_ALERTS)], parts: Parts) -> Response:
    """What a person should look at, and what is over."""
    return draw(
        request,
        "alerts.html",
        person,
        here="alerts",
        events="/live",
        open_ones=parts.reads.within(person.scope).alerts(),
        over=parts.reads.within(person.scope).alerts(is_open=False),
        names={row.id: row.name for row in parts.reads.within(person.scope).sites()},
    )


@router.post("/alerts/{alert}/acknowledge", dependencies=[OwnForm])
def acknowledge(
    request: Request, alert: int, person: Annotated[Visitor, who_may(Right.ACKNOWLEDGE_ALERT)], parts: Parts
) -> Response:
    """Note who looks after an alert."""
    try:
        parts.desk.acknowledge(alert, person)
    except Refused:
        return missing(
            request, person, "Cette alerte n'existe pas, ou quelqu'un s'en occupe déjà.", "/alerts", "Voir les alertes"
        )
    return go("/alerts")


@router.get("/messages")
def messages(request: Request, person: Annotated[Visitor, who_may(Right.SEE_MESSAGES)], parts: Parts) -> Response:
    """What recipients are told, and whether it left."""
    return draw(
        request,
        "messages.html",
        person,
        here="messages",
        events="/live",
        rows=parts.reads.within(person.scope).messages(),
    )


# --------------------------------------------------------------------------------------------------------------- static


@router.get("/static/{name}")
def static(name: str) -> Response:
    """Style sheets, the script and the icons."""
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    if name == "slip.css":
        return Response(slip_css(), media_type="text/css", headers=headers)
    if name == "bank.css":
        return Response(bank.grid_css(), media_type="text/css", headers=headers)
    if name not in _STATIC:
        return Response("Introuvable.", status_code=404, media_type="text/plain")
    body = (resources.files("hub.web") / "static" / name).read_bytes()
    return Response(body, media_type=_STATIC[name], headers=headers)


# -------------------------------------------------------------------------------------------------------------- helpers

_URGENCY: Final = {"bad": 0, "watch": 1, "calm": 2}
_STATES: Final = frozenset(state.value for state in ParcelState)
_PAPERS: Final = (
    (Paper.A6, "Petit papier (A6)"),
    (Paper.A6_ON_A4, "Petit, à découper dans une feuille A4"),
    (Paper.A4_HALF, "Grand, sur une demi-feuille A4"),
)
_DONE: Final = {
    "announced": "Le colis est annoncé. Le site le connaîtra dès qu'il est en ligne.",
    "attached": "Le colis était déjà connu ici, sans destinataire. Le destinataire est ajouté.",
    "corrected": "La fiche est corrigée.",
    "corrected_slip": "La fiche est corrigée. Le bon est remplacé, parce qu'un code était parti à l'ancienne adresse. L'ancien bon n'ouvrira plus.",
    "reissue": "Le nouveau bon est prêt. L'ancien bon n'ouvrira plus.",
    "recall": "L'équipe du site est prévenue : elle reprend le colis.",
}
_PROBLEMS: Final = {
    "versions_exhausted": "Le bon de ce colis a été remplacé trop souvent. Annoncez le colis à nouveau.",
}
_QUESTIONS: Final = {
    "reissue": {
        "title": "Remplacer le bon de retrait",
        "text": "Un nouveau bon est fait. L'ancien bon, perdu ou abîmé, n'ouvrira plus la porte.",
        "button": "Remplacer le bon",
        "tone": "main",
    },
    "recall": {
        "title": "Faire reprendre le colis",
        "text": "La garde du colis est finie. L'équipe du site le sortira du casier. Le bon ne servira plus.",
        "button": "Faire reprendre le colis",
        "tone": "danger",
    },
}


def _form_page(
    request: Request, person: Visitor, parts: WebParts, form: forms.ParcelForm, *, status: int = 200
) -> Response:
    return draw(
        request,
        "parcel_new.html",
        person,
        status=status,
        here="new",
        form=form,
        sites=parts.reads.within(person.scope).sites(),
        sizes=list(SizeClass),
        reaches=list(ReachZone),
        helps=list(Help),
    )


def _overview(row: SiteRow, now_ms: int) -> dict[str, Any]:
    """A site as both the fleet and its own page show it."""
    cells = bank.bank_of(row.birth, row.state)
    online = row.is_online(now_ms)
    to_check = sum(cell.needs_look for cell in cells)
    doors_open = sum(cell.door is Door.OPEN for cell in cells)
    urgent = not online or row.alerts
    return {
        "site": row,
        "cells": cells,
        "sizes": bank.count_sizes(cells),
        "online": online,
        "doors_open": doors_open,
        "to_check": to_check,
        "tone": "bad" if urgent else "watch" if to_check else "calm",
    }


def _told(row: Any) -> dict[str, Any]:
    """A fact in words; a kind of a newer site is shown by its name (I-19)."""
    said = words.tell(row.fact) if row.fact is not None else words.Word(f"Fait « {row.kind} ».", "message")
    return {"seq": row.seq, "said": said, "at_ms": row.at_ms, "sure": row.trust in _SURE}


def _slip_of(parts: WebParts, person: Visitor, row: ParcelRow) -> Slip:
    site = parts.reads.within(person.scope).site(row.site)
    assert site is not None, "a parcel belongs to a site"
    parts.desk.show_slip(row.id, person)
    return slip_of(
        parts.keys,
        site=site.id,
        number=site.number,
        parcel=row.id,
        version=row.version,
        epoch=row.epoch,
        site_name=site.name,
        address=site.address,
        help_phone=site.help_phone,
        language=row.language,
        area=area_of(row.place_kind, _reach_of(row, site)),
    )


def _reach_of(row: ParcelRow, site: SiteRow) -> str | None:
    """The height of the door a parcel waits behind, as the site described it; None when it waits nowhere yet."""
    cards = site.birth.compartments if site.birth else ()
    return next((card.reach.value for card in cards if row.place_kind and card.label == row.place_name), None)


def _no_parcel(request: Request, person: Visitor) -> Response:
    return missing(request, person, "Ce colis n'existe pas.", "/parcels", "Chercher un colis")


def _no_slip(request: Request, person: Visitor, row: ParcelRow | None) -> Response:
    if row is None:
        return _no_parcel(request, person)
    said = words.PARCEL_STATE[row.state].text
    text = f"Il n'y a plus de bon : le colis est « {said} »."
    return missing(request, person, text, f"/parcels/{row.id}", "Voir le colis")
