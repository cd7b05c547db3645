"""Draws a page: its template, its menu, its headers. Every module with pages of its own draws them here.

Owns the templates' surroundings and the security headers. Refuses to know routes and what is on a page.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from hub.core.openings import WISH_LIFE_MS
from hub.core.permissions import Right, Visitor
from hub.web import when, words
from hub.web.door import NotAllowed, go
from hub.web.ports import WebParts, parts_of
from wire.ids import Door, Occupancy, Service

_SECURITY: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_MENU: Final[tuple[dict[str, Any], ...]] = (
    {"key": "fleet", "url": "/", "text": "Réseau", "icon": "fleet", "right": Right.SEE_BANK},
    {"key": "parcels", "url": "/parcels", "text": "Colis", "icon": "parcel", "right": Right.SEE_PARCELS},
    {"key": "new", "url": "/parcels/new", "text": "Annoncer un colis", "icon": "plus", "right": Right.ANNOUNCE_PARCEL},
    {"key": "rhythm", "url": "/rhythm", "text": "Rythme", "icon": "rhythm", "right": Right.SEE_BANK},
    {"key": "openings", "url": "/openings", "text": "Portes", "icon": "key", "right": Right.APPROVE_OPENING},
    {"key": "alerts", "url": "/alerts", "text": "Alertes", "icon": "watch", "right": Right.SEE_ALERTS},
    {"key": "messages", "url": "/messages", "text": "Messages", "icon": "message", "right": Right.SEE_MESSAGES},
    {"key": "people", "url": "/people", "text": "Équipe", "icon": "person", "right": Right.MANAGE_PEOPLE},
    {"key": "carriers", "url": "/carriers", "text": "Transporteurs", "icon": "key", "right": Right.MANAGE_CARRIERS},
    {"key": "system", "url": "/system", "text": "Système", "icon": "online", "right": Right.MANAGE_SITES},
    {"key": "audit", "url": "/audit", "text": "Journal", "icon": "clock", "right": Right.READ_AUDIT},
)

_TEMPLATES: Final = Environment(
    loader=PackageLoader("hub.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.filters.update(age=when.age, moment=when.moment, iso=when.iso)
_TEMPLATES.globals.update(words=words, Right=Right, Door=Door, Occupancy=Occupancy, Service=Service)


def draw(
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
    """A page from its template, with what its person may see around it."""
    parts = parts_of(request)
    text = _TEMPLATES.get_template(template).render(
        now_ms=parts.now_ms(),
        person=person,
        menu=[item for item in _MENU if person and person.may(item["right"])],
        here=here,
        events=events,
        only=only,
        to_do={"alerts": _open_alerts(parts, person), "openings": _openings_waiting(parts, person)},
        **shown,
    )
    return HTMLResponse(text, status_code=status, headers=careful(parts))


def _open_alerts(parts: WebParts, person: Visitor | None) -> int:
    if person is None or not person.may(Right.SEE_ALERTS):
        return 0
    return parts.reads.within(person.scope).unanswered_alerts()


def _openings_waiting(parts: WebParts, person: Visitor | None) -> int:
    if person is None or not person.may(Right.APPROVE_OPENING):
        return 0
    return parts.reads.within(person.scope).openings_waiting(person.person, parts.now_ms() - WISH_LIFE_MS)


def careful(parts: WebParts) -> dict[str, str]:
    """The headers of every page; who may show it in a frame is the last word of the policy."""
    policy = " ".join((_SECURITY["Content-Security-Policy"], *parts.framers))
    return {**_SECURITY, "Content-Security-Policy": policy}


def missing(request: Request, person: Visitor, text: str, url: str, link: str) -> Response:
    """The page for what does not exist, for them."""
    return draw(request, "missing.html", person, status=404, here="", text=text, url=url, link=link)


def not_allowed(request: Request, error: NotAllowed) -> Response:
    """Somebody may not: what to do now."""
    if error.person.owes_second_factor:
        return go("/account")
    if error.lacks_second_factor:
        text = "Il faut votre second facteur pour cela. Donnez-le, puis recommencez."
        return draw(
            request, "missing.html", error.person, status=403, here="", text=text, url="/account",
            link="Donner mon second facteur",
        )  # fmt: skip
    text = "Votre rôle ne permet pas cela. Demandez à l'administration de votre association."
    return draw(request, "missing.html", error.person, status=403, here="", text=text, url="/", link="Retour")
