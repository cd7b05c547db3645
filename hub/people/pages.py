"""The pages of people: the team of an association, one of them, one's own account, and the link of an invitation.

Owns their URLs. Refuses to hold rules: hub.people.team and hub.people.second_factor have them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Form, Path, Request
from fastapi.responses import Response
from markupsafe import Markup

from hub.core.parcels import Refused
from hub.core.permissions import NEEDS_SECOND_FACTOR, Right, Role, Visitor, is_role
from hub.people.second_factor import SecondFactor, shown_code
from hub.people.services import WeakPassword
from hub.people.team import Team
from hub.web import words_people
from hub.web.door import OwnForm, Parts, go, who_may
from hub.web.drawing import draw, missing
from hub.web.ports import COOKIE
from paper import qr

router = APIRouter(include_in_schema=False)
SITES_MAX: Final = 1_000
Text = Annotated[str, Form(max_length=1_024)]
PersonId = Annotated[int, Path(ge=1, le=2**31)]
Manager = Annotated[Visitor, who_may(Right.MANAGE_PEOPLE)]
Own = Annotated[Visitor, who_may(Right.OWN_ACCOUNT)]


@dataclass(frozen=True, slots=True)
class PeopleParts:
    """What these pages need, put into `app.state.people` by the composition root."""

    team: Team
    second_factor: SecondFactor
    public_url: str


def install(app: FastAPI, parts: PeopleParts) -> None:
    """Put these pages into an application."""
    app.state.people = parts
    app.include_router(router)


def _people(request: Request) -> PeopleParts:
    parts: PeopleParts = request.app.state.people
    return parts


# ---------------------------------------------------------------------------------------------------------------- team


@router.get("/people")
def team_page(request: Request, person: Manager, parts: Parts) -> Response:
    """Everybody of the association, and the form to invite somebody."""
    return _team(request, person, parts)


@router.post("/people", dependencies=[OwnForm])
def invite(
    request: Request, person: Manager, parts: Parts, *, name: Text = "", role: Text = "", carrier: Text = "",
    site: Annotated[list[str], Form(max_length=SITES_MAX)] = [],  # noqa: B006 FastAPI copies it
) -> Response:  # fmt: skip
    """Invite somebody; their link is shown once."""
    typed = {"name": name, "role": role, "carrier": carrier, "sites": site}
    if not is_role(role):
        return _team(request, person, parts, typed=typed, problem="bad_role")
    try:
        secret = _people(request).team.invite(name, Role(role), site, carrier, person)
    except Refused as refused:
        return _team(request, person, parts, typed=typed, problem=refused.code)
    return _link_page(request, person, name, secret)


def _team(
    request: Request, person: Visitor, parts: Parts, *, typed: dict[str, Any] | None = None, problem: str = ""
) -> Response:
    return draw(
        request,
        "people.html",
        person,
        here="people",
        status=422 if problem else 200,
        members=_people(request).team.members(person),
        sites=parts.reads.within(person.scope).sites(),
        typed=typed or {"name": "", "role": "", "carrier": "", "sites": []},
        problem=words_people.REFUSALS.get(problem, problem),
        said=words_people,
    )


def _link_page(request: Request, person: Visitor, name: str, secret: str) -> Response:
    base = _people(request).public_url.rstrip("/") or str(request.base_url).rstrip("/")
    return draw(request, "invited.html", person, here="people", name=name, link=f"{base}/join/{secret}")


@router.get("/people/{person_id}")
def person_page(request: Request, person_id: PersonId, person: Manager, parts: Parts) -> Response:
    """One person: role, sites, and what can be done."""
    return _person(request, person_id, person, parts)


def _person(request: Request, person_id: int, person: Visitor, parts: Parts, problem: str = "") -> Response:
    try:
        member = _people(request).team.member(person_id, person)
    except Refused:
        return missing(request, person, "Cette personne n'existe pas.", "/people", "Voir l'équipe")
    return draw(
        request,
        "person.html",
        person,
        here="people",
        status=409 if problem else 200,
        member=member,
        sites=parts.reads.within(person.scope).sites(),
        problem=words_people.REFUSALS.get(problem, problem),
        said=words_people,
    )


@router.post("/people/{person_id}", dependencies=[OwnForm])
def change(
    request: Request, person_id: PersonId, person: Manager, parts: Parts, *, role: Text = "", carrier: Text = "",
    site: Annotated[list[str], Form(max_length=SITES_MAX)] = [],  # noqa: B006 FastAPI copies it
) -> Response:  # fmt: skip
    """Another role, other sites."""
    if not is_role(role):
        return _person(request, person_id, person, parts, "bad_role")
    try:
        _people(request).team.change(person_id, Role(role), site, carrier, person)
    except Refused as refused:
        return _person(request, person_id, person, parts, refused.code)
    return go("/people")


@router.post("/people/{person_id}/end", dependencies=[OwnForm])
def end(request: Request, person_id: PersonId, person: Manager, parts: Parts) -> Response:
    """Somebody leaves."""
    try:
        _people(request).team.end(person_id, person)
    except Refused as refused:
        return _person(request, person_id, person, parts, refused.code)
    return go("/people")


@router.post("/people/{person_id}/sign-out", dependencies=[OwnForm])
def sign_out(request: Request, person_id: PersonId, person: Manager, parts: Parts) -> Response:
    """Every session of somebody ends."""
    try:
        _people(request).team.sign_out(person_id, person)
    except Refused as refused:
        return _person(request, person_id, person, parts, refused.code)
    return go(f"/people/{person_id}")


@router.post("/people/{person_id}/reset", dependencies=[OwnForm])
def reset(request: Request, person_id: PersonId, person: Manager, parts: Parts) -> Response:
    """A new link for somebody who lost their password or their telephone."""
    team = _people(request).team
    try:
        name = team.member(person_id, person).name
        secret = team.reset(person_id, person)
    except Refused as refused:
        return _person(request, person_id, person, parts, refused.code)
    return _link_page(request, person, name, secret)


# ---------------------------------------------------------------------------------------------------------- invitation


@router.get("/join/{token}")
def join_page(request: Request, token: Annotated[str, Path(max_length=64)]) -> Response:
    """Choose a password; the link is the secret, so nobody needs to be signed in."""
    return _join(request, _people(request).team.invited_name(token))


@router.post("/join/{token}", dependencies=[OwnForm])
def join(request: Request, token: Annotated[str, Path(max_length=64)], *, password: Text = "") -> Response:
    """The password is chosen; the link is used."""
    team = _people(request).team
    name = team.invited_name(token)
    try:
        joined = name is not None and team.join(token, password)
    except WeakPassword:
        return _join(request, name, words_people.WEAK_PASSWORD)
    return go("/sign-in") if joined else _join(request, None)


def _join(request: Request, name: str | None, problem: str = "") -> Response:
    status = 404 if name is None else 422 if problem else 200
    return draw(request, "join.html", None, here="", status=status, name=name, problem=problem)


# ------------------------------------------------------------------------------------------------------------- account


@router.get("/account")
def account_page(request: Request, person: Own) -> Response:
    """One's own password, second factor and sessions."""
    return _account(request, person)


def _account(request: Request, person: Visitor, *, problem: str = "", done: str = "", codes: Any = ()) -> Response:
    people, proposal, picture = _people(request), None, Markup()
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
        needs_second=any(person.has(right) for right in NEEDS_SECOND_FACTOR),
        problem=problem,
        done=done,
        codes=[shown_code(code) for code in codes],
        said=words_people,
    )


@router.post("/account/second-factor", dependencies=[OwnForm])
def set_second_factor(request: Request, person: Own, *, sealed: Text = "", code: Text = "") -> Response:
    """Set up the second factor, with a first code from the app."""
    cookie, people = request.cookies.get(COOKIE, ""), _people(request)
    codes = people.second_factor.accept(person, cookie, sealed, code)
    if codes is None:
        return _account(request, person, problem=words_people.WRONG_CODE)
    return _account(request, person, done="Votre second facteur est en place.", codes=codes)


@router.post("/account/code", dependencies=[OwnForm])
def show_code(request: Request, person: Own, *, code: Text = "") -> Response:
    """Show the second factor in this session."""
    if not _people(request).second_factor.show(person, request.cookies.get(COOKIE, ""), code):
        return _account(request, person, problem=words_people.WRONG_CODE)
    return go("/")


@router.post("/account/password", dependencies=[OwnForm])
def change_password(request: Request, person: Own, *, old: Text = "", new: Text = "") -> Response:
    """A new password; every other session ends."""
    if person.owes_second_factor:
        return _account(request, person, problem=words_people.WRONG_CODE)
    try:
        changed = _people(request).team.change_password(person, request.cookies.get(COOKIE, ""), old, new)
    except WeakPassword:
        return _account(request, person, problem=words_people.WEAK_PASSWORD)
    if not changed:
        return _account(request, person, problem=words_people.WRONG_PASSWORD)
    return _account(request, person, done="Le mot de passe est changé. Vos autres sessions sont terminées.")


@router.post("/account/sessions/{handle}/end", dependencies=[OwnForm])
def end_session(request: Request, person: Own, handle: Annotated[str, Path(max_length=16)]) -> Response:
    """End one of one's own sessions."""
    _people(request).team.end_session(person, handle)
    return go("/account")
