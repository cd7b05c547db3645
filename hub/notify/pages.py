"""What people do about messages: try again what was given up, and print whom to tell by voice.

Owns their URLs. Who prints it stands in the log, because names leave the hub with it. Refuses to hold rules.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, FastAPI, Path, Request
from fastapi.responses import Response

from hub.core.hours import local
from hub.core.parcels import Refused
from hub.core.permissions import Right, Visitor
from hub.settings import Notify
from hub.store.pages import WaitingRow
from hub.web import words
from hub.web.door import OwnForm, Parts, go, who_may
from hub.web.drawing import careful, missing
from paper.media import Paper
from paper.phrases import phrases
from paper.pictograms import DoorArea
from paper.voicelist import ToTell, VoiceList, voice_list_pdf
from wire.ids import PlaceKind
from wire.plan import Help

PEOPLE_MAX: Final = 200
"""People on one paper: more than anybody tells in a day."""
router = APIRouter(include_in_schema=False)


def install(app: FastAPI, rules: Notify) -> None:
    """Put the page into an application."""
    app.state.notify = rules
    app.include_router(router)


@router.get("/sites/{site}/to-tell.pdf")
def to_tell(
    request: Request,
    site: Annotated[str, Path(max_length=31)],
    person: Annotated[Visitor, who_may(Right.PRINT_NAMES)],
    parts: Parts,
    paper: Paper = Paper.A4_HALF,
) -> Response:
    """Who waits for somebody's voice at a site."""
    row = parts.reads.within(person.scope).site(site)
    if row is None:
        return missing(request, person, "Ce site n'existe pas.", "/", "Voir tous les sites")
    parts.desk.print_names(site, person)
    rules: Notify = request.app.state.notify
    zone = rules.zone_of(site)
    waiting = parts.reads.within(person.scope).untold(site)
    told = VoiceList(
        site_name=row.name,
        at=local(parts.now_ms(), zone),
        people=tuple(_person(one, rules) for one in waiting[:PEOPLE_MAX]),
        more=max(0, len(waiting) - PEOPLE_MAX),
    )
    headers = {**careful(parts), "Content-Disposition": 'inline; filename="a-prevenir.pdf"'}
    return Response(voice_list_pdf(told, paper), media_type="application/pdf", headers=headers)


@router.post("/parcels/{parcel}/tell-again", dependencies=[OwnForm])
def tell_again(
    request: Request,
    parcel: Annotated[str, Path(max_length=13)],
    person: Annotated[Visitor, who_may(Right.ACKNOWLEDGE_ALERT)],
    parts: Parts,
) -> Response:
    """Try what was given up once more: a server is there again, or its password is right now."""
    try:
        parts.desk.tell_again(parcel, person)
    except Refused:
        return missing(request, person, "Ce colis n'existe pas.", "/parcels", "Chercher un colis")
    return go(f"/parcels/{parcel}")


def _person(row: WaitingRow, rules: Notify) -> ToTell:
    slip = phrases(row.language)  # its own sentences: our typefaces hold every letter of those
    return ToTell(
        name=row.name,
        place=words.place_named(row.place_kind, row.place_name),
        tracking=row.tracking,
        since=local(row.stored_ms, rules.zone_of(row.site)),
        language=row.language,
        spoken=words.LANGUAGES.get(row.language, row.language),
        sentence=slip.areas[DoorArea.DESK] if row.place_kind == PlaceKind.SHELF else slip.steps.door[2],
        help="" if row.help is Help.STANDARD else words.HELP[row.help],
        note="message pas parti" if row.tried else "",
    )
