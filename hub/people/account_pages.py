"""The pages of one's own account: second factor, password, sessions.

Owns their URLs and the one page they are on. Refuses to hold rules: hub.people.team, second_factor and passkeys have them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import Response
from markupsafe import Markup

from hub.core.permissions import NEEDS_SECOND_FACTOR, Right, Visitor
from hub.people.parts import people_of
from hub.people.passkeys import NAME_CHARACTERS_MAX, PASSKEYS_MAX
from hub.people.second_factor import shown_code
from hub.people.services import WeakPassword
from hub.web import words_people
from hub.web.door import OwnForm, go, who_may
from hub.web.drawing import draw
from hub.web.ports import COOKIE
from paper import qr

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=1_024)]
Own = Annotated[Visitor, who_may(Right.OWN_ACCOUNT)]


@router.get("/account")
def account_page(request: Request, person: Own) -> Response:
    """One's own password, second factor and sessions."""
    return draw_account(request, person)


def draw_account(request: Request, person: Visitor, *, problem: str = "", done: str = "", codes: Any = ()) -> Response:
    """The page, with what went wrong or was done, and recovery codes that are told this once."""
    people, proposal, picture = people_of(request), None, Markup()
    if person.signed_in and not person.owes_second_factor:
        proposal = people.second_factor.propose(person)
        title = "Code QR pour l'application. Le secret est écrit en dessous."
        picture = Markup(qr.foreign_svg(proposal.uri, title=title))  # noqa: S704 made of modules and the title alone
    return draw(
        request,
        "account.html",
        person,
        here="account",
        status=422 if problem else 200,
        sessions=people.team.sessions(person, request.cookies.get(COOKIE, "")),
        proposal=proposal,
        picture=picture,
        has_app=people.second_factor.has_app(person),
        passkeys=people.passkeys.of(person),
        accounts=people.identities.accounts(person.person, person.scope.tenant or 0),
        passkeys_at=people.passkeys.address,
        passkeys_max=PASSKEYS_MAX,
        passkey_name_max=NAME_CHARACTERS_MAX,
        needs_second=any(person.has(right) for right in NEEDS_SECOND_FACTOR),
        problem=problem,
        done=done,
        codes=[shown_code(code) for code in codes],
        said=words_people,
    )


@router.post("/account/second-factor", dependencies=[OwnForm])
def set_second_factor(request: Request, person: Own, *, sealed: Text = "", code: Text = "") -> Response:
    """Set up the second factor, with a first code from the app."""
    cookie, people = request.cookies.get(COOKIE, ""), people_of(request)
    codes = people.second_factor.accept(person, cookie, sealed, code)
    if codes is None:
        return draw_account(request, person, problem=words_people.WRONG_CODE)
    return draw_account(
        request, replace(person, second_factor=True), done="Votre second facteur est en place.", codes=codes
    )


@router.post("/account/code", dependencies=[OwnForm])
def show_code(request: Request, person: Own, *, code: Text = "") -> Response:
    """Show the second factor in this session."""
    if not people_of(request).second_factor.show(person, request.cookies.get(COOKIE, ""), code):
        return draw_account(request, person, problem=words_people.WRONG_CODE)
    return go("/")


@router.post("/account/password", dependencies=[OwnForm])
def change_password(request: Request, person: Own, *, old: Text = "", new: Text = "") -> Response:
    """A new password; every other session ends."""
    if person.owes_second_factor:
        return draw_account(request, person, problem=words_people.WRONG_CODE)
    try:
        changed = people_of(request).team.change_password(person, request.cookies.get(COOKIE, ""), old, new)
    except WeakPassword:
        return draw_account(request, person, problem=words_people.WEAK_PASSWORD)
    if not changed:
        return draw_account(request, person, problem=words_people.WRONG_PASSWORD)
    return draw_account(request, person, done="Le mot de passe est changé. Vos autres sessions sont terminées.")


@router.post("/account/sessions/{handle}/end", dependencies=[OwnForm])
def end_session(request: Request, person: Own, handle: Annotated[str, Path(max_length=16)]) -> Response:
    """End one of one's own sessions."""
    people_of(request).team.end_session(person, handle)
    return go("/account")
