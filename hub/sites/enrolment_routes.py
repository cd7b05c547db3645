"""Where a token is made, and where a machine gives it back (A-01).

Owns the URLs. Refuses to hold rules: hub.sites.enrolment has them. The route for machines asks for no right: the token is the secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
from fastapi import APIRouter, FastAPI, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from hub.access import ERRORS
from hub.core.parcels import Refused
from hub.core.permissions import Right, Visitor
from hub.sites.enrolment import Enrolment
from hub.web.door import OwnForm, who_may
from hub.web.drawing import draw, missing
from wire.enrolment import PATH

router = APIRouter()


@dataclass(frozen=True, slots=True)
class EnrolmentParts:
    """What these routes need, put into `app.state.enrolment` by the composition root."""

    enrolment: Enrolment
    public_url: str


class EnrolIn(BaseModel, extra="forbid"):
    """What the program on the machine sends."""

    token: str = Field(max_length=64, examples=["cen_Zm9ydHkgdHdvIGJ5dGVzIG9mIGl0"])


def install(app: FastAPI, parts: EnrolmentParts) -> None:
    """Put these routes into an application."""
    app.state.enrolment = parts
    app.include_router(router)


def _parts(request: Request) -> EnrolmentParts:
    parts: EnrolmentParts = request.app.state.enrolment
    return parts


@router.post(
    PATH, tags=["sites"], summary="Make a machine a site", responses={key: ERRORS[key] for key in (404, 409, 422)}
)
def enrol(request: Request, asked: EnrolIn) -> Response:
    """Give a token back, once, for the site's keys and the way to the broker: what `consigne-enrol` does."""
    kit = _parts(request).enrolment.enrol(asked.token)
    return Response(msgspec.json.encode(kit), media_type="application/json", headers={"Cache-Control": "no-store"})


@router.post("/sites/{site}/enrolment", dependencies=[OwnForm], include_in_schema=False)
def invite(
    request: Request, site: Annotated[str, Path(max_length=31)], person: Annotated[Visitor, who_may(Right.MANAGE_SITES)]
) -> Response:
    """Make a token, and show it with what to type on the machine, this once."""
    parts = _parts(request)
    try:
        token = parts.enrolment.invite(site, person)
    except Refused:
        return missing(request, person, "Ce site n'existe pas.", "/", "Voir tous les sites")
    url = parts.public_url.rstrip("/") or str(request.base_url).rstrip("/")
    return draw(
        request, "site_invited.html", person, here="fleet", site=site, command=f"sudo consigne-enrol {url} {token}"
    )
