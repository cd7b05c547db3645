"""The pages of people: the team of an association, one of them, and the link of an invitation.

Owns their URLs. Refuses to hold rules: hub.people.team has them. One's own account is in hub.people.account_pages.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import Response

from hub.core.parcels import Refused
from hub.core.permissions import Right, Role, Visitor, is_role
from hub.people.parts import people_of
from hub.people.services import WeakPassword
from hub.web import words_people
from hub.web.door import OwnForm, Parts, go, who_may
from hub.web.drawing import draw, missing

router = APIRouter(include_in_schema=False)
SITES_MAX: Final = 1_000
Text = Annotated[str, Form(max_length=1_024)]
PersonId = Annotated[int, Path(ge=1, le=2**31)]
Manager = Annotated[Visitor, who_may(Right.MANAGE_PEOPLE)]


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
        secret = people_of(request).team.invite(name, Role(role), site, carrier, person)
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
        members=people_of(request).team.members(person),
        sites=parts.reads.within(person.scope).sites(),
        typed=typed or {"name": "", "role": "", "carrier": "", "sites": []},
        problem=words_people.REFUSALS.get(problem, problem),
        said=words_people,
    )


def _link_page(request: Request, person: Visitor, name: str, secret: str) -> Response:
    base = people_of(request).public_url.rstrip("/") or str(request.base_url).rstrip("/")
    return draw(request, "invited.html", person, here="people", name=name, link=f"{base}/join/{secret}")


@router.get("/people/{person_id}")
def person_page(request: Request, person_id: PersonId, person: Manager, parts: Parts) -> Response:
    """One person: role, sites, and what can be done."""
    return draw_person(request, person_id, person, parts)


def draw_person(request: Request, person_id: int, person: Visitor, parts: Parts, problem: str = "") -> Response:
    """The page of somebody, with what went wrong: a code of `REFUSALS`, or a sentence."""
    try:
        member = people_of(request).team.member(person_id, person)
    except Refused:
        return missing(request, person, "Cette personne n'existe pas.", "/people", "Voir l'équipe")
    return draw(
        request,
        "person.html",
        person,
        here="people",
        status=409 if problem else 200,
        member=member,
        accounts=people_of(request).identities.accounts(person_id, person.scope.tenant or 0),
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
        return draw_person(request, person_id, person, parts, "bad_role")
    try:
        people_of(request).team.change(person_id, Role(role), site, carrier, person)
    except Refused as refused:
        return draw_person(request, person_id, person, parts, refused.code)
    return go("/people")


@router.post("/people/{person_id}/end", dependencies=[OwnForm])
def end(request: Request, person_id: PersonId, person: Manager, parts: Parts) -> Response:
    """Somebody leaves."""
    try:
        people_of(request).team.end(person_id, person)
    except Refused as refused:
        return draw_person(request, person_id, person, parts, refused.code)
    return go("/people")


@router.post("/people/{person_id}/sign-out", dependencies=[OwnForm])
def sign_out(request: Request, person_id: PersonId, person: Manager, parts: Parts) -> Response:
    """Every session of somebody ends."""
    try:
        people_of(request).team.sign_out(person_id, person)
    except Refused as refused:
        return draw_person(request, person_id, person, parts, refused.code)
    return go(f"/people/{person_id}")


@router.post("/people/{person_id}/reset", dependencies=[OwnForm])
def reset(request: Request, person_id: PersonId, person: Manager, parts: Parts) -> Response:
    """A new link for somebody who lost their password or their telephone."""
    team = people_of(request).team
    try:
        name = team.member(person_id, person).name
        secret = team.reset(person_id, person)
    except Refused as refused:
        return draw_person(request, person_id, person, parts, refused.code)
    return _link_page(request, person, name, secret)


# ---------------------------------------------------------------------------------------------------------- invitation


@router.get("/join/{token}")
def join_page(request: Request, token: Annotated[str, Path(max_length=64)]) -> Response:
    """Choose a password; the link is the secret, so nobody needs to be signed in."""
    return _join(request, people_of(request).team.invited_name(token))


@router.post("/join/{token}", dependencies=[OwnForm])
def join(request: Request, token: Annotated[str, Path(max_length=64)], *, password: Text = "") -> Response:
    """The password is chosen; the link is used."""
    team = people_of(request).team
    name = team.invited_name(token)
    try:
        joined = name is not None and team.join(token, password)
    except WeakPassword:
        return _join(request, name, words_people.WEAK_PASSWORD)
    return go("/sign-in") if joined else _join(request, None)


def _join(request: Request, name: str | None, problem: str = "") -> Response:
    status = 404 if name is None else 422 if problem else 200
    return draw(request, "join.html", None, here="", status=status, name=name, problem=problem)
