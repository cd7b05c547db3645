"""Where people show who they are: the page to sign in, by name and password, and the way out.

Owns these URLs and the cookie of a session. Refuses to know how a password is checked; other ways in draw this page and hand out this cookie too.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from hub.web import when
from hub.web.door import OwnForm, Parts, go
from hub.web.drawing import draw
from hub.web.ports import COOKIE, WebParts, parts_of

SESSION_S: Final = 12 * 3_600
"""A working day; the server ends the session on its own terms besides."""
FORM_FIELDS_MAX: Final = 20

router = APIRouter(include_in_schema=False)


@router.get("/sign-in")
def sign_in_page(request: Request, then: Annotated[str, Query(max_length=200)] = "/") -> Response:
    """The form to sign in."""
    return ask(request, then)


@router.post("/sign-in", dependencies=[OwnForm])
async def sign_in(request: Request, parts: Parts) -> Response:
    """Sign in. The answer to a wrong name and a wrong password is the same."""
    typed = await request.form(max_fields=FORM_FIELDS_MAX, max_files=0)
    name, password = str(typed.get("name", ""))[:64], str(typed.get("password", ""))[:1_024]
    then = str(typed.get("then", "/"))
    cookie = await run_in_threadpool(parts.door.sign_in, name, password, agent_of(request))
    if cookie is None:
        problem = "Ce nom et ce mot de passe ne vont pas ensemble. Vérifiez-les, ou demandez à l'administration."
        return ask(request, then, problem, name=name)
    return let_in(parts, cookie, then)


@router.post("/sign-out", dependencies=[OwnForm])
def sign_out(request: Request, parts: Parts) -> Response:
    """Sign out."""
    parts.door.sign_out(request.cookies.get(COOKIE, ""))
    answer = go("/sign-in")
    answer.delete_cookie(COOKIE, path="/")
    return answer


# --------------------------------------------------------------------------------------------- for every way of coming in


def ask(request: Request, then: str, problem: str = "", *, name: str = "", status: int = 401) -> Response:
    """The page to sign in; with a problem it has that status."""
    return draw(
        request,
        "sign_in.html",
        None,
        here="",
        status=status if problem else 200,
        then=_own_path(then),
        name=name,
        problem=problem,
        passkeys_at=parts_of(request).passkeys_at,
        organisations=parts_of(request).organisations,
    )


def let_in(parts: WebParts, cookie: str, then: str) -> Response:
    """Go on to a page of ours, with the cookie of a session."""
    answer = go(_own_path(then))
    answer.set_cookie(
        COOKIE, cookie, max_age=SESSION_S, httponly=True, samesite="lax", secure=parts.secure_cookies, path="/"
    )
    return answer


def agent_of(request: Request) -> str:
    """The browser in a word, for the list of one's own sessions."""
    return when.browser(request.headers.get("user-agent", ""))


def _own_path(path: str) -> str:
    """A path of ours to go to, never another site's address."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
