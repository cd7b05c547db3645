"""The routes of passkeys: what a browser is asked, and the forms that bring its answer back.

Owns their URLs. Refuses to hold rules: hub.people.passkeys has them. `static/passkeys.js` asks and answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import JSONResponse, Response

from hub.core.parcels import Refused
from hub.core.permissions import Right, Visitor
from hub.people.account_pages import draw_account
from hub.people.parts import people_of
from hub.people.passkeys import Asked
from hub.web import sign_in, words_people
from hub.web.door import OwnForm, Parts, go, who_may
from hub.web.ports import COOKIE

router = APIRouter(include_in_schema=False)
Own = Annotated[Visitor, who_may(Right.OWN_ACCOUNT)]
Text = Annotated[str, Form(max_length=1_024)]
Answer = Annotated[str, Form(max_length=16_384)]
"""What a device answers, in JSON: some hundred bytes, and some thousand where it brings certificates."""


@router.post("/account/passkeys/challenge", dependencies=[OwnForm])
def ask_new(request: Request, person: Own) -> Response:
    """What the browser is asked for one more passkey."""
    return _asked(lambda: people_of(request).passkeys.ask_new(person))


@router.post("/account/passkeys", dependencies=[OwnForm])
def add(request: Request, person: Own, *, name: Text = "", sealed: Text = "", answer: Answer = "") -> Response:
    """Keep a passkey."""
    cookie = request.cookies.get(COOKIE, "")
    try:
        codes = people_of(request).passkeys.add(person, cookie, name, sealed, answer)
    except Refused as refused:
        return draw_account(request, person, problem=_said(refused))
    return draw_account(request, replace(person, second_factor=True), done="La clé d'accès est ajoutée.", codes=codes)


@router.post("/account/passkeys/{handle}/end", dependencies=[OwnForm])
def end(request: Request, person: Own, handle: Annotated[int, Path(ge=1, le=2**31 - 1)]) -> Response:
    """Forget one of one's own passkeys."""
    try:
        people_of(request).passkeys.end(person, request.cookies.get(COOKIE, ""), handle)
    except Refused as refused:
        return draw_account(request, person, problem=_said(refused))
    return go("/account")


@router.post("/account/passkey/challenge", dependencies=[OwnForm])
def ask_own(request: Request, person: Own) -> Response:
    """What the browser is asked for a passkey as second factor."""
    return _asked(lambda: people_of(request).passkeys.ask_own(person))


@router.post("/account/passkey", dependencies=[OwnForm])
def show(request: Request, person: Own, *, sealed: Text = "", answer: Answer = "") -> Response:
    """Show a passkey in this session."""
    try:
        people_of(request).passkeys.show(person, request.cookies.get(COOKIE, ""), sealed, answer)
    except Refused as refused:
        return draw_account(request, person, problem=_said(refused))
    return go("/")


@router.post("/sign-in/passkey/challenge", dependencies=[OwnForm])
def ask_anybody(request: Request) -> Response:
    """What the browser of whoever wants to sign in is asked."""
    return _asked(people_of(request).passkeys.ask_anybody)


@router.post("/sign-in/passkey", dependencies=[OwnForm])
def come_in(request: Request, parts: Parts, *, sealed: Text = "", answer: Answer = "", then: Text = "/") -> Response:
    """Sign in with a passkey alone."""
    try:
        cookie = people_of(request).passkeys.sign_in(sealed, answer, sign_in.agent_of(request))
    except Refused as refused:
        return sign_in.ask(request, then, _said(refused))
    return sign_in.let_in(parts, cookie, then)


def _asked(ask: Callable[[], Asked]) -> Response:
    try:
        asked = ask()
    except Refused as refused:
        return _json({"problem": _said(refused)}, 409)
    return _json({"publicKey": asked.public_key, "sealed": asked.sealed}, 200)


def _json(content: dict[str, Any], status: int) -> Response:
    return JSONResponse(content, status, headers={"Cache-Control": "no-store"})


def _said(refused: Refused) -> str:
    return words_people.PASSKEY_REFUSALS.get(refused.code, refused.code)
