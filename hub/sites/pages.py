"""The page of a site's settings: its name, its times, who has a badge there; and whether the site works by them (A-10).

Owns its URLs. Refuses to hold rules: hub.sites.services has them. A badge is a file that is made once, for whoever asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Form, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from hub.core.parcels import Refused
from hub.core.permissions import Right, Visitor
from hub.core.project import AlertKind
from hub.sites.services import SiteCard, Sites, badge_end
from hub.web import site_form, words_people
from hub.web.door import OwnForm, Parts, go, who_may
from hub.web.drawing import careful, draw, missing
from paper.badge import Badge, badge_pdf

router = APIRouter(include_in_schema=False)
FORM_FIELDS_MAX: Final = 40
Manager = Annotated[Visitor, who_may(Right.MANAGE_SITES)]
SiteName = Annotated[str, Path(max_length=31)]
Text = Annotated[str, Form(max_length=200)]
_CARD: Final = ("name", "address", "help_phone")
_REFUSALS: Final = {
    "bad_card": "Il faut un nom. 80 caractères au plus pour le nom, 200 pour l'adresse, 20 pour le téléphone.",
    "bad_person": "Donnez un identifiant sans nom : lettres, chiffres, tirets. Exemple : p7.",
    "bad_role": "Choisissez un rôle.",
    "bad_carrier": "Donnez le transporteur pour le rôle « Livraison », et pour lui seul.",
    "bad_pin": "Le code PIN a 4 à 8 chiffres.",
    "bad_date": "Donnez le dernier jour comme ceci : 2027-06-30.",
    "duplicate": "Cet identifiant a déjà un badge ici. Retirez l'ancien badge, ou choisissez un autre identifiant.",
    "unknown_person": "Ce badge n'est plus dans la liste.",
}


@dataclass(frozen=True, slots=True)
class SitePageParts:
    """What these pages need, put into `app.state.sites` by the composition root."""

    sites: Sites


def install(app: FastAPI, parts: SitePageParts) -> None:
    """Put these pages into an application."""
    app.state.sites = parts
    app.include_router(router)


def _sites(request: Request) -> Sites:
    parts: SitePageParts = request.app.state.sites
    return parts.sites


@router.get("/sites/{site}/settings")
def page(request: Request, site: SiteName, person: Manager, parts: Parts) -> Response:
    """The settings as they are wanted."""
    return _page(request, site, person, parts)


@router.post("/sites/{site}/settings", dependencies=[OwnForm])
async def change(request: Request, site: SiteName, person: Manager, parts: Parts) -> Response:
    """Change them; what does not fit comes back with everything that was typed."""
    typed = await request.form(max_fields=FORM_FIELDS_MAX, max_files=0)
    values = {key: str(value) for key, value in typed.items()}
    return await run_in_threadpool(_change, request, site, person, parts, values)


def _change(request: Request, site: str, person: Visitor, parts: Parts, typed: dict[str, str]) -> Response:
    sites = _sites(request)
    try:
        times, errors = site_form.read(typed, sites.settings(site, person))
        if errors:
            return _page(request, site, person, parts, typed=typed, errors=errors)
        name, address, phone = (" ".join(typed.get(key, "").split()) for key in _CARD)
        sites.change(site, person, card=SiteCard(name, address, phone), times=times)
    except Refused as refused:
        return _page(request, site, person, parts, typed=typed, problem=refused.code)
    return go(f"/sites/{site}/settings")


@router.post("/sites/{site}/badges", dependencies=[OwnForm])
def add_badge(
    request: Request, site: SiteName, person: Manager, parts: Parts, *, who: Text = "", role: Text = "",
    carrier: Text = "", pin: Text = "", until: Text = "", called: Text = "",
) -> Response:  # fmt: skip
    """Make a badge: the answer is the card to print. Its text is told this once."""
    typed = {"who": who, "role": role, "carrier": carrier, "until": until, "called": called}
    try:
        text = _sites(request).add_badge(
            site, who.strip(), person, role=role, carrier=carrier.strip(), pin=pin.strip(), valid_until_ms=_until(until)
        )
    except Refused as refused:
        return _page(request, site, person, parts, typed=typed, badge_problem=refused.code)
    card = Badge(text=text, first_name=called.strip() or who, role=words_people.BADGE_ROLES[role])
    headers = {**careful(parts), "Content-Disposition": f'attachment; filename="badge-{who.strip()}.pdf"'}
    return Response(badge_pdf(card), media_type="application/pdf", headers=headers)


@router.post("/sites/{site}/badges/{who}/end", dependencies=[OwnForm])
def end_badge(
    request: Request, site: SiteName, who: Annotated[str, Path(max_length=32)], person: Manager, parts: Parts
) -> Response:
    """A lost badge opens nothing more."""
    try:
        _sites(request).end_badge(site, who, person)
    except Refused as refused:
        return _page(request, site, person, parts, badge_problem=refused.code)
    return go(f"/sites/{site}/settings")


def _until(text: str) -> int:
    if not text.strip():
        return 0
    try:
        last_day = date.fromisoformat(text.strip())
    except ValueError as error:
        raise Refused("bad_date", "until: the last day of the badge, as 2027-06-30") from error
    return badge_end(last_day)


def _page(
    request: Request, site: str, person: Visitor, parts: Parts, *, typed: dict[str, Any] | None = None,
    errors: dict[str, str] | None = None, problem: str = "", badge_problem: str = "",
) -> Response:  # fmt: skip
    row = parts.reads.within(person.scope).site(site)
    if row is None:
        return missing(request, person, "Ce site n'existe pas.", "/", "Voir tous les sites")
    known = {"name": row.name, "address": row.address, "help_phone": row.help_phone}
    shown = {**known, **site_form.shown(_sites(request).settings(site, person))}
    sent = errors is not None or problem
    alerts = parts.reads.within(person.scope).alerts(site=site)
    roster = _sites(request).roster(site, person)
    return draw(
        request,
        "site_settings.html",
        person,
        status=422 if sent or badge_problem else 200,
        here="fleet",
        events="/live",
        only=row.id,
        site=row,
        refused=next((alert.detail for alert in alerts if alert.kind == AlertKind.PLAN_REFUSED), None),
        online=row.is_online(parts.now_ms()),
        form=typed if sent and typed is not None else shown,
        groups=site_form.GROUPS,
        errors=errors or {},
        problem=_REFUSALS.get(problem, problem),
        badge_problem=_REFUSALS.get(badge_problem, badge_problem),
        badge={
            "who": _free_id({one.id for one in roster}),
            "role": "concierge",
            "carrier": "",
            "until": "",
            "called": "",
        }
        | (typed if badge_problem and typed else {}),
        roster=roster,
        roles=words_people.BADGE_ROLES,
    )


def _free_id(taken: set[str]) -> str:
    return next(f"p{number}" for number in range(1, len(taken) + 2) if f"p{number}" not in taken)
