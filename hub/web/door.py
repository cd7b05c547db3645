"""The door of the pages: who looks, whether they may, and whether a form comes from a page of ours.

Owns the dependencies every page declares in its signature, and what is answered when one of them says no. Refuses to know
what a role may: hub.core.permissions has the table.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from hub.core.permissions import Right, Visitor
from hub.web.ports import COOKIE, WebParts, parts_of


class SignInFirst(Exception):
    """Nobody is signed in."""


class NotFromHere(Exception):
    """A form was sent from another site's page."""


class NotAllowed(Exception):
    """Somebody is signed in, and may not. `lacks_second_factor`: they may once they showed it."""

    def __init__(self, person: Visitor, *, lacks_second_factor: bool) -> None:
        super().__init__("not allowed")
        self.person = person
        self.lacks_second_factor = lacks_second_factor


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


@lru_cache(maxsize=len(Right))
def _check(right: Right) -> Callable[..., Visitor]:
    def allowed(person: Annotated[Visitor, Depends(visitor)]) -> Visitor:
        if not person.may(right):
            raise NotAllowed(person, lacks_second_factor=person.has(right))
        return person

    allowed.right = right  # type: ignore[attr-defined]  # read by the test that every route declares one
    return allowed


def who_may(right: Right) -> Any:
    """The dependency of a page: somebody who has this right now. Raises SignInFirst or NotAllowed."""
    return Depends(_check(right))


Parts = Annotated[WebParts, Depends(parts_of)]
OwnForm = Depends(own_form)


def go(url: str) -> RedirectResponse:
    """Go on to another page, after a form."""
    return RedirectResponse(url, status_code=303, headers={"Cache-Control": "no-store"})


def install(app: FastAPI, not_allowed: Callable[[Request, NotAllowed], Response]) -> None:
    """Answer those who may not come in; `not_allowed` draws the page for those who are known."""

    def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, NotAllowed)
        return not_allowed(request, error)

    app.add_exception_handler(SignInFirst, _to_sign_in)
    app.add_exception_handler(NotFromHere, _refuse_foreign)
    app.add_exception_handler(NotAllowed, refuse)


def _to_sign_in(request: Request, _error: Exception) -> Response:
    if request.url.path == "/live":
        return Response(status_code=401)
    then = request.url.path if request.method == "GET" else "/"
    return go(f"/sign-in?then={then}")


def _refuse_foreign(_request: Request, _error: Exception) -> Response:
    text = "Cette demande ne vient pas d'une page de Consigne. Revenez à la page et essayez à nouveau."
    return Response(text, status_code=403, media_type="text/plain; charset=utf-8")
