"""The routes of the sign-in of an organisation: there, back, and whose account it is.

Owns their URLs and the cookie that lives while somebody is away. Refuses to hold rules: hub.people.identities has them.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import Response

from hub.core.parcels import Refused
from hub.core.permissions import Right, Visitor
from hub.people.account_pages import draw_account
from hub.people.identities import PENDING_MS
from hub.people.pages import PersonId, draw_person
from hub.people.parts import people_of
from hub.web import sign_in, words_people
from hub.web.door import OwnForm, Parts, go, who_may
from hub.web.ports import COOKIE

router = APIRouter(include_in_schema=False)
PENDING_COOKIE: Final = "consigne_organisation"
_STATUS: Final = {"provider_away": 503, "not_linked": 403, "unknown_provider": 404}
Key = Annotated[str, Path(max_length=31)]
Text = Annotated[str, Form(max_length=1_024)]
Manager = Annotated[Visitor, who_may(Right.MANAGE_PEOPLE)]
Own = Annotated[Visitor, who_may(Right.OWN_ACCOUNT)]


@router.get("/sign-in/oidc/{provider}")
def leave(request: Request, provider: Key, parts: Parts, then: Annotated[str, Query(max_length=200)] = "/") -> Response:
    """Off to the organisation, to sign in."""
    try:
        address, kept = people_of(request).identities.ask(provider, then)
    except Refused as refused:
        return _problem(request, then, refused)
    return _sent(address, kept, secure=parts.secure_cookies)


@router.get("/account/identity/{provider}")
def leave_to_link(request: Request, provider: Key, person: Own, parts: Parts) -> Response:
    """Off to the organisation, to make the account there one's own."""
    try:
        address, kept = people_of(request).identities.ask(provider, "/account", person)
    except Refused as refused:
        return draw_account(request, person, problem=_said(refused))
    return _sent(address, kept, secure=parts.secure_cookies)


@router.get("/sign-in/oidc/{provider}/back")
def come_back(
    request: Request, provider: Key, parts: Parts, *, state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4_096)] = "", iss: Annotated[str, Query(max_length=200)] = "",
    error: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:  # fmt: skip
    """Back from the organisation."""
    answer = {"state": state, "code": code, "iss": iss} | ({} if error is None else {"error": error})
    person = parts.door.visitor_of(request.cookies.get(COOKIE, ""))
    kept = request.cookies.get(PENDING_COOKIE, "")
    try:
        came = people_of(request).identities.back(
            provider, kept, answer, agent=sign_in.agent_of(request), person=person
        )
    except Refused as refused:
        shown = _problem(request, "/", refused)
    else:
        shown = sign_in.let_in(parts, came.cookie, came.then) if came.cookie else go(came.then)
    shown.delete_cookie(PENDING_COOKIE, path="/sign-in/oidc")
    return shown


@router.post("/people/{person_id}/identity/{provider}", dependencies=[OwnForm])
def expect(
    request: Request, person_id: PersonId, provider: Key, person: Manager, parts: Parts, *, email: Text = ""
) -> Response:
    """Whoever comes from there with this address is that person."""
    try:
        people_of(request).identities.expect(person_id, provider, email, person)
    except Refused as refused:
        return draw_person(request, person_id, person, parts, _said(refused))
    return go(f"/people/{person_id}")


@router.post("/people/{person_id}/identity/{provider}/end", dependencies=[OwnForm])
def end(request: Request, person_id: PersonId, provider: Key, person: Manager, parts: Parts) -> Response:
    """They come from there no more."""
    try:
        people_of(request).identities.end(person_id, provider, person)
    except Refused as refused:
        return draw_person(request, person_id, person, parts, _said(refused))
    return go(f"/people/{person_id}")


def _sent(address: str, kept: str, *, secure: bool) -> Response:
    answer = go(address)
    answer.set_cookie(
        PENDING_COOKIE, kept, max_age=PENDING_MS // 1_000, httponly=True, samesite="lax", secure=secure,
        path="/sign-in/oidc",
    )  # fmt: skip
    return answer


def _problem(request: Request, then: str, refused: Refused) -> Response:
    return sign_in.ask(request, then, _said(refused), status=_STATUS.get(refused.code, 401))


def _said(refused: Refused) -> str:
    return words_people.IDENTITY_REFUSALS.get(refused.code, refused.code)
