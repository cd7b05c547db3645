"""The API's door: who calls, whether a browser of another site is behind it, and the shape of every error.

Owns the `Caller` dependency and problem documents (RFC 9457). Refuses to know routes. Nothing a caller sent is quoted
in an error, so that no name or phone number comes back or is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.carriers.keys import CarrierKeys, TooMany
from hub.clock import Clock
from hub.core.parcels import Refused
from hub.core.permissions import Right, Visitor
from hub.keys import KeyRing
from hub.live import Live
from hub.parcels.services import Desk
from hub.people.services import Door
from hub.sites.services import Sites
from hub.store.engine import Store, StoreRefused
from hub.web.ports import COOKIE, Reads

LOG: Final = logging.getLogger(__name__)

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER: Final = HTTPBearer(auto_error=False, description="An API token (consigne-hub token add) or a carrier's key")
_COOKIE: Final = APIKeyCookie(name=COOKIE, auto_error=False, description="The session of the pages")
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_STATUS: Final = {
    "unknown_site": 404,
    "unknown_parcel": 404,
    "unknown_alert": 404,
    "unknown_command": 404,
    "unknown_webhook": 404,
    "unknown_delivery": 404,
    "bad_token": 404,
    "used_token": 409,
    "old_token": 409,
    "duplicate": 409,
    "not_here": 409,
    "full": 409,
    "too_many": 409,
    "versions_exhausted": 409,
    "erased": 409,
    "corrected_too_often": 409,
    "offline": 503,
}
_PROBLEM: Final = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ApiParts:
    """What the routes need, put into `app.state.api` by the composition root."""

    store: Store
    reads: Reads
    desk: Desk
    sites: Sites
    door: Door
    carrier_keys: CarrierKeys
    keys: KeyRing
    live: Live
    clock: Clock


class Problem(BaseModel):
    """What went wrong, for a program (`code`) and for the person who reads it (`detail`)."""

    type: str = Field(default="about:blank", examples=["about:blank"])
    title: str = Field(examples=["Refused"])
    status: int = Field(examples=[409])
    code: str = Field(examples=["duplicate"])
    detail: str = Field(
        examples=["tracking: this parcel is known at the site already: stored, compartment 7 (id 0G2M4R8T1V3W5)"]
    )


ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Problem, "description": text, "content": {_PROBLEM: {}}}
    for status, text in (
        (400, "The body is not JSON at all"),
        (401, "Nobody is signed in and no valid token was sent"),
        (403, "The caller has not the right to, or a browser sent this from another site's page"),
        (404, "There is no such thing"),
        (409, "The wish cannot be met as things stand"),
        (422, "A field does not fit"),
        (429, "A carrier's key asked too often: wait as many seconds as `Retry-After` says"),
        (503, "The broker or the database is away"),
    )
}


def api_parts(request: Request) -> ApiParts:
    """The parts of the application a request came to."""
    parts: ApiParts = request.app.state.api
    return parts


def signed_in(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    cookie: Annotated[str | None, Depends(_COOKIE)],
) -> Visitor:
    """Who calls. Answers 401 to nobody, 429 to a carrier's key that asks too often, 403 to a browser that was sent by another site's page."""
    parts = api_parts(request)
    door = parts.door
    found = None
    if bearer is not None:
        found = parts.carrier_keys.program_of(bearer.credentials) or door.program_of(bearer.credentials)
    if found is None:
        if request.method not in _SAFE and not is_own_page(request):
            raise HTTPException(403, "this request came from another site's page")
        found = door.visitor_of(cookie or "")
    if found is None:
        raise HTTPException(401, "sign in, or send an API token", headers={"WWW-Authenticate": "Bearer"})
    return found


def is_own_page(request: Request) -> bool:
    """Whether a browser's request comes from a page of ours. A program says neither header, a browser always one."""
    site = request.headers.get("sec-fetch-site", "")
    if site:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin", "")
    return not origin or urlsplit(origin).netloc == request.headers.get("host", "")


Parts = Annotated[ApiParts, Depends(api_parts)]


@lru_cache(maxsize=len(Right))
def _check(right: Right) -> Callable[..., Visitor]:
    def allowed(caller: Annotated[Visitor, Depends(signed_in)]) -> Visitor:
        if not caller.may(right):
            lacks = "a second factor first" if caller.has(right) else f"the right {right}"
            raise HTTPException(403, f"this needs {lacks}")
        return caller

    allowed.right = right  # type: ignore[attr-defined]  # read by the test that every route declares one
    return allowed


def who_may(right: Right) -> Any:
    """The dependency of a route: a caller who has this right now. Answers 401 to nobody, 403 to everybody else.

    What lies outside the caller's scope is answered by the route, as what does not exist.
    """
    return Depends(_check(right))


def install_errors(app: FastAPI) -> None:
    """Give every error of the API one shape."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(StoreRefused, _not_kept)
    app.add_exception_handler(TooMany, _too_many)


def _answer(status: int, code: str, title: str, detail: str, headers: Any = None) -> JSONResponse:
    problem = Problem(title=title, status=status, code=code, detail=detail)
    return JSONResponse(problem.model_dump(), status, headers=headers, media_type=_PROBLEM)


def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return _answer(_STATUS.get(error.code, 422), error.code, "Refused", str(error))


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    fields = "; ".join(f"{'.'.join(str(part) for part in item['loc'][1:])}: {item['type']}" for item in error.errors())
    return _answer(422, "invalid", "A field does not fit", fields)


def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _answer(error.status_code, f"http_{error.status_code}", "Refused", str(error.detail), error.headers)


def _too_many(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TooMany)
    return _answer(429, "too_many", "Too many requests", str(error), {"Retry-After": str(error.wait_s)})


def _not_kept(_request: Request, error: Exception) -> JSONResponse:
    LOG.error("%s", error)
    return _answer(503, "not_kept", "The database takes nothing now", str(error))


class LoopbackNamesOnly:
    """Where everybody on this machine may come in, a name that merely resolves to this machine may not be used."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse other Host headers, which a page of another site could have pointed here (DNS rebinding)."""
        if scope["type"] == "http":
            host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
            if host.rsplit(":", 1)[0] not in _LOOPBACK_NAMES and host not in _LOOPBACK_NAMES:
                answer = _answer(403, "foreign_host", "Refused", "this hub answers to localhost only")
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)
