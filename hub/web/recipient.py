"""The page on which the card of a parcel's recipient is corrected.

Owns its URL and its form. Refuses to know rules (`hub.core.correcting`) and what follows for messages and keys (`Desk`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from hub.core.correcting import Correction, correction, may_correct
from hub.core.parcels import Refused
from hub.core.permissions import Right, Visitor
from hub.core.project import shown_state
from hub.store.pages import ParcelRow
from hub.web import words
from hub.web.door import OwnForm, Parts, go, who_may
from hub.web.drawing import draw, missing
from hub.web.forms import FIELD_CHARACTERS_MAX, ParcelForm
from hub.web.ports import WebParts
from wire.plan import Help

router = APIRouter(include_in_schema=False)

FIELDS: Final = ("name", "phone", "email", "language", "help", "keep_code")
_HELPS: Final = frozenset(profile.value for profile in Help)
_PROBLEMS: Final[Mapping[str, str]] = {
    "erased": "La personne a été effacée. Annoncez le colis à nouveau.",
    "versions_exhausted": "Le bon de ce colis a été remplacé trop souvent. Gardez le bon actuel, ou annoncez le colis à nouveau.",
    "corrected_too_often": "L'adresse a été corrigée trop souvent. Imprimez le bon et donnez-le à la personne.",
}


def is_open_to(person: Visitor, row: ParcelRow) -> bool:
    """Whether somebody can correct the card of this parcel now."""
    state = shown_state(row.state, row.intent)
    return person.may(Right.ANNOUNCE_PARCEL) and may_correct(state, is_carrier=bool(person.scope.carrier))


@router.get("/parcels/{parcel}/recipient")
def ask(
    request: Request, parcel: str, person: Annotated[Visitor, who_may(Right.ANNOUNCE_PARCEL)], parts: Parts
) -> Response:
    """The card as it stands."""
    row = parts.reads.within(person.scope).parcel(parcel)
    if row is None:
        return missing(request, person, "Ce colis n'existe pas.", "/parcels", "Chercher un colis")
    values = {"name": row.name, "phone": row.phone, "email": row.email, "language": row.language, "help": row.help}
    return _page(request, person, row, ParcelForm(values))


@router.post("/parcels/{parcel}/recipient", dependencies=[OwnForm])
async def correct(
    request: Request, parcel: str, person: Annotated[Visitor, who_may(Right.ANNOUNCE_PARCEL)], parts: Parts
) -> Response:
    """Correct the card; what does not fit comes back with everything that was typed."""
    typed = await request.form(max_fields=len(FIELDS), max_files=0)
    return await run_in_threadpool(_correct, request, parcel, person, parts, typed)


def _correct(request: Request, parcel: str, person: Visitor, parts: WebParts, typed: FormData) -> Response:
    row = parts.reads.within(person.scope).parcel(parcel)
    if row is None:
        return missing(request, person, "Ce colis n'existe pas.", "/parcels", "Chercher un colis")
    form = ParcelForm({name: str(typed.get(name, ""))[:FIELD_CHARACTERS_MAX].strip() for name in FIELDS})
    wanted = _read(form, row)
    if wanted is None:
        return _page(request, person, row, form, status=422)
    try:
        is_replaced = parts.desk.correct(row.id, wanted, person)
    except Refused as refused:
        form.errors[""] = _PROBLEMS.get(refused.code, _too_late(row))
        return _page(request, person, row, form, status=409)
    return go(f"/parcels/{row.id}?done={'corrected_slip' if is_replaced else 'corrected'}")


def _read(form: ParcelForm, row: ParcelRow) -> Correction | None:
    """The correction when everything fits; each try takes a refused field out of the way, so that all errors show at once."""
    if form.get("language") not in words.LANGUAGES and form.get("language") != row.language:
        form.errors["language"] = "Choisissez une langue dans la liste."
    values = {name: form.get(name) for name in ("name", "phone", "email")}
    while True:
        try:
            fits = correction(
                **values,
                language=None if form.errors.get("language") else form.get("language"),
                help_profile=Help(form.get("help")) if form.get("help") in _HELPS else None,
                keeps_code=bool(form.get("keep_code")),
            )
        except Refused as refused:
            form.refuse(refused)
            values = {name: "" if name in form.errors else value for name, value in values.items()}
        else:
            return None if form.errors else fits


def _too_late(row: ParcelRow) -> str:
    said = words.PARCEL_STATE[shown_state(row.state, row.intent)].text
    return f"La fiche ne se corrige plus ici : le colis est « {said} ». Demandez à l'accueil du site."


def _page(request: Request, person: Visitor, row: ParcelRow, form: ParcelForm, *, status: int = 200) -> Response:
    if not form.errors and not is_open_to(person, row):
        form.errors[""] = _too_late(row)
        status = 409
    languages = {row.language: words.LANGUAGES.get(row.language, row.language), **words.LANGUAGES}
    return draw(
        request,
        "parcel_recipient.html",
        person,
        status=status,
        here="parcels",
        parcel=row,
        form=form,
        languages=languages,
        helps=list(Help),
    )
