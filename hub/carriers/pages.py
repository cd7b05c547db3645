"""The pages of carriers, for the association that lets them in: keys, a new key shown once, what does not arrive.

Owns their URLs. Refuses to hold rules: hub.carriers.keys and hub.carriers.webhooks have them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Form, Path, Request
from fastapi.responses import Response

from hub.carriers.keys import PER_MINUTE_DEFAULT, CarrierKeys
from hub.carriers.webhooks import Webhooks
from hub.core.parcels import Refused
from hub.core.permissions import CARRIER_RIGHTS, Right, Visitor
from hub.web import words_carriers
from hub.web.door import OwnForm, Parts, go, who_may
from hub.web.drawing import draw

_EVENTS: Final = "/carriers#events-title"
router = APIRouter(include_in_schema=False)
SITES_MAX: Final = 1_000
Text = Annotated[str, Form(max_length=200)]
KeyId = Annotated[int, Path(ge=1, le=2**31)]
Manager = Annotated[Visitor, who_may(Right.MANAGE_CARRIERS)]
_EMPTY: Final[dict[str, Any]] = {
    "carrier": "", "name": "", "rights": sorted(CARRIER_RIGHTS), "sites": [], "every_site": True,
    "per_minute": str(PER_MINUTE_DEFAULT),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CarrierParts:
    """What these pages need, put into `app.state.carriers` by the composition root."""

    keys: CarrierKeys
    webhooks: Webhooks


def install(app: FastAPI, parts: CarrierParts) -> None:
    """Put these pages into an application."""
    app.state.carriers = parts
    app.include_router(router)


def _carriers(request: Request) -> CarrierParts:
    parts: CarrierParts = request.app.state.carriers
    return parts


@router.get("/carriers")
def carriers_page(request: Request, person: Manager, parts: Parts) -> Response:
    """Who of the carriers comes in, and the form of a new key."""
    return _page(request, person, parts)


@router.post("/carriers", dependencies=[OwnForm])
def add_key(
    request: Request, person: Manager, parts: Parts, *, carrier: Text = "", name: Text = "", per_minute: Text = "",
    every_site: Text = "",
    right: Annotated[list[str], Form(max_length=len(CARRIER_RIGHTS))] = [],  # noqa: B006 FastAPI copies it
    site: Annotated[list[str], Form(max_length=SITES_MAX)] = [],  # noqa: B006 FastAPI copies it
) -> Response:  # fmt: skip
    """A new key, shown once."""
    try:
        secret = _carriers(request).keys.add(
            carrier, name, [one for one in CARRIER_RIGHTS if one.value in right], by=person,
            sites=None if every_site else site, per_minute=int(per_minute) if per_minute.isdecimal() else 0,
        )  # fmt: skip
    except Refused as refused:
        typed = {
            "carrier": carrier, "name": name, "rights": right, "sites": site, "every_site": bool(every_site),
            "per_minute": per_minute,
        }  # fmt: skip
        return _page(request, person, parts, typed=typed, problem=refused.code)
    return draw(request, "carrier_key.html", person, here="carriers", carrier=carrier, name=name, secret=secret)


@router.post("/carriers/keys/{carrier_key}/end", dependencies=[OwnForm])
def end_key(request: Request, carrier_key: KeyId, person: Manager, parts: Parts) -> Response:
    """A key opens nothing more."""
    return _done(request, person, parts, lambda: _carriers(request).keys.end(carrier_key, person))


@router.post("/carriers/webhooks/{webhook}/resume", dependencies=[OwnForm])
def resume(request: Request, webhook: KeyId, person: Manager, parts: Parts) -> Response:
    """Send to an address again."""
    return _done(request, person, parts, lambda: _carriers(request).webhooks.resume(webhook, person), _EVENTS)


@router.post("/carriers/webhooks/{webhook}/end", dependencies=[OwnForm])
def end_webhook(request: Request, webhook: KeyId, person: Manager, parts: Parts) -> Response:
    """Nothing goes to an address any more."""
    return _done(request, person, parts, lambda: _carriers(request).webhooks.end(webhook, person), _EVENTS)


@router.post("/carriers/webhooks/{webhook}/deliveries/{event}/retry", dependencies=[OwnForm])
def retry(request: Request, webhook: KeyId, event: KeyId, person: Manager, parts: Parts) -> Response:
    """Try a dead event again."""
    return _done(request, person, parts, lambda: _carriers(request).webhooks.again(webhook, event, person), _EVENTS)


def _done(
    request: Request, person: Visitor, parts: Parts, act: Callable[[], object], then: str = "/carriers"
) -> Response:
    """Do it and go on; what is refused is said on the page."""
    try:
        act()
    except Refused as refused:
        return _page(request, person, parts, problem=refused.code)
    return go(then)


def _page(
    request: Request, person: Visitor, parts: Parts, *, typed: dict[str, Any] | None = None, problem: str = ""
) -> Response:
    return draw(
        request,
        "carriers.html",
        person,
        here="carriers",
        status=422 if problem else 200,
        keys=_carriers(request).keys.keys(person),
        addresses=_carriers(request).webhooks.addresses(person),
        dead=_carriers(request).webhooks.deliveries(person, "dead"),
        sites=parts.reads.within(person.scope).sites(),
        rights=sorted(CARRIER_RIGHTS),
        typed=typed or _EMPTY,
        problem=words_carriers.REFUSALS.get(problem, problem),
        said=words_carriers,
    )
