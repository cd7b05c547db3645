"""The routes of the pages. `router` is included by the hub's application; `install` hands it what it needs.

Owns URLs, permissions of pages, redirects and headers. Refuses to hold rules, SQL or words. Codes are shown on the
slip alone, which no cache may keep.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import resources
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from hub.core.parcels import Refused
from hub.core.project import shown_state
from hub.live import TooManyStreams
from hub.store.pages import LIST_ROWS_MAX, ParcelRow, SiteRow
from hub.web import bank, forms, when, words
from hub.web.ports import Visitor, WebParts, parts_of
from paper.media import Paper
from paper.pictograms import DoorArea
from paper.slip import Slip, slip_pdf
from paper.slip_page import slip_css, slip_html
from wire.ids import Door, Occupancy, ParcelState, PlaceKind, ReachZone, Service, SizeClass, Trust
from wire.pickup import PickupKey
from wire.plan import Help

COOKIE: Final = "consigne_session"
SESSION_S: Final = 12 * 3_600
"""A working day; the server ends the session on its own terms besides."""
FORM_FIELDS_MAX: Final = 20

_STATIC: Final = {
    "consigne.css": "text/css",
    "consigne.js": "text/javascript",
    "icons.svg": "image/svg+xml",
    "icon.svg": "image/svg+xml",
}
_SECURITY: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_MENU: Final = (
    {"key": "fleet", "url": "/", "text": "Réseau", "icon": "fleet"},
    {"key": "parcels", "url": "/parcels", "text": "Colis", "icon": "parcel"},
    {"key": "new", "url": "/parcels/new", "text": "Annoncer un colis", "icon": "plus"},
    {"key": "alerts", "url": "/alerts", "text": "Alertes", "icon": "watch"},
    {"key": "messages", "url": "/messages", "text": "Messages", "icon": "message"},
)
_REPLACEABLE: Final = frozenset({ParcelState.ANNOUNCED, ParcelState.RECEIVED, ParcelState.STORED, ParcelState.RECALLED})
"""States in which a new slip would open something, or will."""
_SURE: Final = frozenset({Trust.HUB, Trust.NTP})

router = APIRouter(include_in_schema=False)


class SignInFirst(Exception):
    """Nobody is signed in."""


class NotFromHere(Exception):
    """A form was sent from another site's page."""


def install(app: FastAPI, parts: WebParts) -> None:
    """Put the pages into an application."""
    app.state.web = parts
    app.include_router(router)
    app.add_exception_handler(SignInFirst, _to_sign_in)
    app.add_exception_handler(NotFromHere, _refuse_foreign)


def visitor(request: Request) -> Visitor:
    """Who is signed in. Raises SignInFirst."""
    found = parts_of(request).door.visitor_of(request.cookies.get(COOKIE, ""))
    if found is None:
        raise SignInFirst
    return found


def own_form(request: Request) -> None:
    """A form must come from a page of ours. Raises NotFromHere. SameSite cookies are the other half of this."""
    site = request.headers.get("sec-fetch-site", "")
    if site:
        if site not in {"same-origin", "none"}:
            raise NotFromHere
        return
    origin = request.headers.get("origin", "")
    if urlsplit(origin).netloc != request.headers.get("host", ""):
        raise NotFromHere


Seen = Annotated[Visitor, Depends(visitor)]
Parts = Annotated[WebParts, Depends(parts_of)]
OwnForm = Depends(own_form)


# ---------------------------------------------------------------------------------------------------------- fleet, site


@router.get("/")
def fleet(request: Request, person: Seen, parts: Parts) -> Response:
    """Every site with its state and how old that is."""
    now_ms = parts.now_ms()
    rows = [_overview(row, now_ms) for row in parts.reads.sites()]
    rows.sort(key=lambda row: (_URGENCY[row["tone"]], row["online"]))
    return _page(request, "fleet.html", person, here="fleet", events="/live", sites=rows)


@router.get("/sites/{site}")
def site_page(request: Request, site: str, person: Seen, parts: Parts) -> Response:
    """One site: its bank as it hangs, its alarms, its last facts."""
    row = parts.reads.site(site)
    if row is None:
        return _missing(request, person, "Ce site n'existe pas.", "/", "Voir tous les sites")
    overview = _overview(row, parts.now_ms())
    shelf = row.state.shelf if row.state else ()
    inside = [cell.parcel for cell in overview["cells"] if cell.parcel] + [place.parcel for place in shelf]
    return _page(
        request,
        "site.html",
        person,
        here="fleet",
        events="/live",
        only=row.id,
        numbers=parts.reads.numbers_of(inside),
        facts=[_told(fact) for fact in parts.reads.site_facts(row.number)],
        alerts=parts.reads.alerts(site=row.id),
        shelf=shelf,
        **overview,
    )


@router.get("/live")
async def live(
    request: Request, parts: Parts, last: Annotated[str, Header(alias="Last-Event-ID", max_length=20)] = ""
) -> Response:
    """Server-sent events: what changed, by name only. An open page then reads itself again."""
    await run_in_threadpool(visitor, request)
    stream = parts.live.stream(int(last) if last.isascii() and last.isdigit() else None)
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
    person: Seen,
    parts: Parts,
    q: Annotated[str, Query(max_length=80)] = "",
    site: Annotated[str, Query(max_length=31)] = "",
    state: Annotated[str, Query(max_length=16)] = "",
) -> Response:
    """The list of parcels, and the search in it."""
    wanted = ParcelState(state) if state in _STATES else None
    found = parts.reads.parcels(text=q, site=site, state=wanted)
    return _page(
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
        sites=parts.reads.sites(),
        states=words.PARCEL_STATE,
    )


@router.get("/parcels/new")
def new_parcel_page(
    request: Request, person: Seen, parts: Parts, site: Annotated[str, Query(max_length=31)] = ""
) -> Response:
    """The empty form."""
    return _form_page(request, person, parts, forms.empty_form(site))


@router.post("/parcels/new", dependencies=[OwnForm])
async def announce(request: Request, parts: Parts) -> Response:
    """Announce a parcel; what does not fit comes back with everything that was typed."""
    typed = await request.form(max_fields=FORM_FIELDS_MAX, max_files=0)
    return await run_in_threadpool(_announce, request, parts, typed)


def _announce(request: Request, parts: WebParts, typed: FormData) -> Response:
    person = visitor(request)
    form, parcel = forms.read_form(typed, {row.id for row in parts.reads.sites()})
    if parcel is not None:
        try:
            announced = parts.desk.announce(parcel, person.name)
        except Refused as refused:
            form.refuse(refused)
        else:
            return _go(f"/parcels/{announced.parcel}?done={'announced' if announced.is_new else 'attached'}")
    return _form_page(request, person, parts, form, status=409 if form.is_known_here else 422)


@router.get("/parcels/{parcel}")
def parcel_page(
    request: Request, parcel: str, person: Seen, parts: Parts, done: Annotated[str, Query(max_length=16)] = ""
) -> Response:
    """A parcel: where it is, its life so far, what can be done."""
    row = parts.reads.parcel(parcel)
    if row is None:
        return _no_parcel(request, person)
    if row.id != parcel:
        return _go(f"/parcels/{row.id}")  # announced under this id, and joined to the parcel that is there (ADR 0007)
    return _page(
        request,
        "parcel.html",
        person,
        here="parcels",
        events="/live",
        only=row.site,
        parcel=row,
        said=words.PARCEL_STATE[shown_state(row.state, row.intent)],
        where=words.place_named(row.place_kind, row.place_name) if row.place_kind else "",
        life=[_told(fact) for fact in parts.reads.life_of(row.id)],
        messages=parts.reads.messages(parcel=row.id),
        may_replace=row.state in _REPLACEABLE,
        done=_DONE.get(done, ""),
    )


@router.get("/parcels/{parcel}/slip")
def slip_page(request: Request, parcel: str, person: Seen, parts: Parts) -> Response:
    """The slip on a page: the only page that shows a code."""
    row = parts.reads.parcel(parcel)
    if row is None or row.state not in _REPLACEABLE:
        return _no_slip(request, person, row)
    markup = Markup(slip_html(_slip_of(parts, row)))  # noqa: S704 (paper escapes whatever people typed)
    return _page(request, "slip.html", person, here="parcels", parcel=row, slip=markup, papers=_PAPERS)


@router.get("/parcels/{parcel}/slip.pdf")
def slip_file(request: Request, parcel: str, person: Seen, parts: Parts, paper: Paper = Paper.A6) -> Response:
    """The slip as a PDF."""
    row = parts.reads.parcel(parcel)
    if row is None or row.state not in _REPLACEABLE:
        return _no_slip(request, person, row)
    headers = {**_careful(parts), "Content-Disposition": 'inline; filename="bon-de-retrait.pdf"'}
    return Response(slip_pdf(_slip_of(parts, row), paper), media_type="application/pdf", headers=headers)


@router.get("/parcels/{parcel}/{action}")
def ask(request: Request, parcel: str, action: str, person: Seen, parts: Parts) -> Response:
    """Ask before replacing a slip or ending the hold."""
    row = parts.reads.parcel(parcel)
    question = _QUESTIONS.get(action)
    if row is None or question is None:
        return _no_parcel(request, person)
    return _page(request, "confirm.html", person, here="parcels", parcel=row, question=question, problem="")


@router.post("/parcels/{parcel}/{action}", dependencies=[OwnForm])
def act(request: Request, parcel: str, action: str, person: Seen, parts: Parts) -> Response:
    """Replace the slip, or end the hold."""
    row = parts.reads.parcel(parcel)
    question = _QUESTIONS.get(action)
    if row is None or question is None:
        return _no_parcel(request, person)
    try:
        if action == "reissue":
            parts.desk.reissue(parcel, person.name)
        else:
            parts.desk.recall(parcel, person.name)
    except Refused as refused:
        said = words.PARCEL_STATE[shown_state(row.state, row.intent)].text
        problem = _PROBLEMS.get(refused.code, f"Ce n'est plus possible : le colis est « {said} ».")
        return _page(
            request, "confirm.html", person, status=409, here="parcels", parcel=row, question=question, problem=problem
        )
    return _go(f"/parcels/{row.id}?done={action}")


# ---------------------------------------------------------------------------------------------------- alerts, messages


@router.get("/alerts")
def alerts(request: Request, person: Seen, parts: Parts) -> Response:
    """What a person should look at, and what is over."""
    return _page(
        request,
        "alerts.html",
        person,
        here="alerts",
        events="/live",
        open_ones=parts.reads.alerts(),
        over=parts.reads.alerts(is_open=False),
        names={row.id: row.name for row in parts.reads.sites()},
    )


@router.post("/alerts/{alert}/acknowledge", dependencies=[OwnForm])
def acknowledge(request: Request, alert: int, person: Seen, parts: Parts) -> Response:
    """Note who looks after an alert."""
    try:
        parts.desk.acknowledge(alert, person.name)
    except Refused:
        return _missing(
            request, person, "Cette alerte n'existe pas, ou quelqu'un s'en occupe déjà.", "/alerts", "Voir les alertes"
        )
    return _go("/alerts")


@router.get("/messages")
def messages(request: Request, person: Seen, parts: Parts) -> Response:
    """What recipients are told, and whether it left."""
    return _page(request, "messages.html", person, here="messages", events="/live", rows=parts.reads.messages())


# -------------------------------------------------------------------------------------------------------------- sign-in


@router.get("/sign-in")
def sign_in_page(request: Request, then: Annotated[str, Query(max_length=200)] = "/") -> Response:
    """The form to sign in."""
    return _page(request, "sign_in.html", None, here="", then=_own_path(then), name="", problem="")


@router.post("/sign-in", dependencies=[OwnForm])
async def sign_in(request: Request, parts: Parts) -> Response:
    """Sign in. The answer to a wrong name and a wrong password is the same."""
    typed = await request.form(max_fields=FORM_FIELDS_MAX, max_files=0)
    name, password = str(typed.get("name", ""))[:64], str(typed.get("password", ""))[:1_024]
    then = _own_path(str(typed.get("then", "/")))
    cookie = await run_in_threadpool(parts.door.sign_in, name, password)
    if cookie is None:
        problem = "Ce nom et ce mot de passe ne vont pas ensemble. Vérifiez-les, ou demandez à l'administration."
        return _page(request, "sign_in.html", None, status=401, here="", then=then, name=name, problem=problem)
    answer = _go(then)
    answer.set_cookie(
        COOKIE, cookie, max_age=SESSION_S, httponly=True, samesite="lax", secure=parts.secure_cookies, path="/"
    )
    return answer


@router.post("/sign-out", dependencies=[OwnForm])
def sign_out(request: Request, parts: Parts) -> Response:
    """Sign out."""
    parts.door.sign_out(request.cookies.get(COOKIE, ""))
    answer = _go("/sign-in")
    answer.delete_cookie(COOKIE, path="/")
    return answer


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

_TEMPLATES: Final = Environment(
    loader=PackageLoader("hub.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.filters.update(age=when.age, moment=when.moment, iso=when.iso)
_TEMPLATES.globals.update(words=words, Door=Door, Occupancy=Occupancy, Service=Service)


def _page(
    request: Request,
    template: str,
    person: Visitor | None,
    *,
    here: str,
    events: str = "",
    only: str = "",
    status: int = 200,
    **shown: Any,
) -> HTMLResponse:
    parts = parts_of(request)
    text = _TEMPLATES.get_template(template).render(
        now_ms=parts.now_ms(),
        person=person,
        menu=_MENU,
        here=here,
        events=events,
        only=only,
        open_alerts=parts.reads.unanswered_alerts() if person else 0,
        **shown,
    )
    return HTMLResponse(text, status_code=status, headers=_careful(parts))


def _careful(parts: WebParts) -> dict[str, str]:
    """The headers of every page; who may show it in a frame is the last word of the policy."""
    policy = " ".join((_SECURITY["Content-Security-Policy"], *parts.framers))
    return {**_SECURITY, "Content-Security-Policy": policy}


def _form_page(
    request: Request, person: Visitor, parts: WebParts, form: forms.ParcelForm, *, status: int = 200
) -> Response:
    return _page(
        request,
        "parcel_new.html",
        person,
        status=status,
        here="new",
        form=form,
        sites=parts.reads.sites(),
        sizes=list(SizeClass),
        reaches=list(ReachZone),
        helps=list(Help),
    )


def _overview(row: SiteRow, now_ms: int) -> dict[str, Any]:
    """A site as both the fleet and its own page show it."""
    cells = bank.draw_bank(row.birth.compartments if row.birth else (), row.state.compartments if row.state else ())
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


def _slip_of(parts: WebParts, row: ParcelRow) -> Slip:
    site = parts.reads.site(row.site)
    assert site is not None, "a parcel belongs to a site"
    key = PickupKey(site_number=site.number, parcel=row.id, version=row.version, epoch=row.epoch)  # type: ignore[arg-type]
    return Slip(
        qr_text=parts.keys.qr(site.id, key),
        digits=parts.keys.digits(site.id, key),
        site_name=site.name,
        site_address=site.address,
        help_phone=site.help_phone,
        language=row.language,
        area=_area_of(row, site),
    )


def _area_of(row: ParcelRow, site: SiteRow) -> DoorArea:
    """Where on the bank the parcel waits; anywhere as long as nobody knows."""
    if row.place_kind == PlaceKind.SHELF:
        return DoorArea.DESK
    cards = site.birth.compartments if site.birth else ()
    zones = (card.reach for card in cards if row.place_kind and card.label == row.place_name)
    return next((DoorArea(zone.value) for zone in zones), DoorArea.ANYWHERE)


def _no_parcel(request: Request, person: Visitor) -> Response:
    return _missing(request, person, "Ce colis n'existe pas.", "/parcels", "Chercher un colis")


def _no_slip(request: Request, person: Visitor, row: ParcelRow | None) -> Response:
    if row is None:
        return _no_parcel(request, person)
    said = words.PARCEL_STATE[row.state].text
    text = f"Il n'y a plus de bon : le colis est « {said} »."
    return _missing(request, person, text, f"/parcels/{row.id}", "Voir le colis")


def _missing(request: Request, person: Visitor, text: str, url: str, link: str) -> Response:
    return _page(request, "missing.html", person, status=404, here="", text=text, url=url, link=link)


def _own_path(path: str) -> str:
    """A path of ours to go to, never another site's address."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"


def _go(url: str) -> RedirectResponse:
    return RedirectResponse(url, status_code=303, headers={"Cache-Control": "no-store"})


def _to_sign_in(request: Request, _error: Exception) -> Response:
    if request.url.path == "/live":
        return Response(status_code=401)
    then = request.url.path if request.method == "GET" else "/"
    return _go(f"/sign-in?then={then}")


def _refuse_foreign(_request: Request, _error: Exception) -> Response:
    text = "Cette demande ne vient pas d'une page de Consigne. Revenez à la page et essayez à nouveau."
    return Response(text, status_code=403, media_type="text/plain; charset=utf-8")
