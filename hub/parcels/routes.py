"""The API of parcels: announce, find, one parcel with its life, re-issue, recall, slip. Rules are elsewhere."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from hub.access import ERRORS, Parts, who_may
from hub.core.correcting import correction
from hub.core.parcels import Refused, new_parcel
from hub.core.permissions import Right, Visitor
from hub.core.project import shown_state
from hub.store.pages import ParcelRow
from wire.facts import encode_fact
from wire.ids import ParcelId, ParcelState, ReachZone, SizeClass
from wire.pickup import PickupKey, show_digits
from wire.plan import Help

router = APIRouter(prefix="/api/v1/parcels", tags=["parcels"], responses=ERRORS)
"""Every id of a parcel names it: one that was announced, and turned out to be another that the desk had created, is
answered with that one. A client keeps the id it was given, and needs no redirect (ADR 0007)."""

PAGE_MAX: Final = 100
ParcelName = Annotated[
    str, Path(description="Id of the parcel, its own or one of `also`", examples=["0G2M4R8T1V3W5"], max_length=13)
]


class RecipientIn(BaseModel, extra="forbid"):
    """Whom the parcel is for. Kept apart from it, and erased at the latest 30 days after its life."""

    name: str = Field(default="", max_length=200, examples=["Awa Diallo"])
    phone: str = Field(default="", max_length=40, examples=["06 12 34 56 78"])
    email: str = Field(default="", max_length=300, examples=["awa@example.org"])
    language: str = Field(default="fr", max_length=8, examples=["fr"])
    help: Help = Field(default=Help.STANDARD, examples=["standard"])


class RecipientPatch(BaseModel, extra="forbid"):
    """What is to stand on a recipient's card. What is not given, or null, stays as it is."""

    name: str | None = Field(default=None, max_length=200, examples=["Awa Diallo"])
    phone: str | None = Field(default=None, max_length=40, examples=["06 12 34 56 78"])
    email: str | None = Field(default=None, max_length=300, examples=["awa@example.org"])
    language: str | None = Field(default=None, max_length=8, examples=["fr"])
    help: Help | None = Field(default=None, examples=["standard"])


class ParcelPatch(BaseModel, extra="forbid"):
    """What is corrected of a parcel."""

    recipient: RecipientPatch
    keep_code: bool = Field(
        default=False,
        examples=[False],
        description="Whether the code stays good although it may have gone to an address that is corrected now: true "
        "only when whoever is reached there may have it",
    )


class ParcelIn(BaseModel, extra="forbid"):
    """A parcel to announce."""

    site: str = Field(max_length=31, examples=["gambetta"])
    tracking: str = Field(default="", max_length=100, examples=["8N00234584108"])
    carrier: str = Field(default="", max_length=100, examples=["colissimo"])
    size: SizeClass | None = Field(default=None, examples=["M"])
    heavy: bool = Field(default=False, examples=[False])
    reach: ReachZone | None = Field(default=None, examples=["mid"])
    group: str = Field(default="", max_length=40, examples=[""])
    recipient: RecipientIn = Field(default_factory=RecipientIn)


class ParcelOut(BaseModel):
    """A parcel: what is wanted and what its site last said."""

    id: str = Field(examples=["0G2M4R8T1V3W5"])
    site: str = Field(examples=["gambetta"])
    state: ParcelState = Field(examples=["stored"])
    tracking: str = Field(examples=["8N00234584108"])
    carrier: str = Field(examples=["colissimo"])
    size: SizeClass | None = Field(examples=["M"])
    place_kind: str = Field(examples=["compartment"])
    place_name: str = Field(examples=["7"])
    version: int = Field(examples=[1], description="Version of its key: an older slip opens nothing")
    source: str = Field(examples=["plan"])
    created_ms: int = Field(examples=[1_790_000_000_000])
    changed_ms: int = Field(examples=[1_790_000_000_000])
    recipient_name: str = Field(examples=["Awa Diallo"])
    recipient_phone: str = Field(examples=["0612345678"])
    recipient_email: str = Field(examples=["awa@example.org"])
    also: list[str] = Field(
        examples=[[]],
        description="Ids it was announced under before it turned out to be a parcel the site had created. Each leads "
        "here, and a slip made for it opens the same door",
    )


class ParcelsOut(BaseModel):
    """Parcels, newest first."""

    parcels: list[ParcelOut]
    more: bool = Field(examples=[False], description="Whether a narrower search would show others")


class MomentOut(BaseModel):
    """One fact of a parcel's life."""

    seq: int = Field(examples=[17])
    kind: str = Field(examples=["parcel_stored"])
    at_ms: int = Field(examples=[1_790_000_000_000])
    trust: str = Field(examples=["ntp"])
    fact: dict[str, Any] | None = Field(examples=[{"kind": "parcel_taken"}])


class ParcelLifeOut(BaseModel):
    """A parcel and its life, oldest fact first."""

    parcel: ParcelOut
    life: list[MomentOut]


class SlipOut(BaseModel):
    """What a pickup slip carries. It is a full key: keep it from logs and caches."""

    parcel: str = Field(examples=["0G2M4R8T1V3W5"])
    site: str = Field(examples=["gambetta"])
    site_name: str = Field(examples=["Conciergerie Gambetta"])
    address: str = Field(examples=["12 place Gambetta, 93000 Bobigny"])
    help_phone: str = Field(examples=["0123456789"])
    qr: str = Field(examples=["CG1" + "0" * 36])
    digits: str = Field(examples=["1234 5678 9012"])
    version: int = Field(examples=[1])
    language: str = Field(examples=["fr"])


@router.post(
    "",
    status_code=201,
    summary="Announce a parcel",
    responses={
        200: {"model": ParcelOut, "description": "The number is at the site already: its parcel has a recipient now"}
    },
)
def announce(
    caller: Annotated[Visitor, who_may(Right.ANNOUNCE_PARCEL)], parts: Parts, parcel: ParcelIn, response: Response
) -> ParcelOut:
    """Announce a parcel to its site; the plan is published at once.

    A number that is alive at this site is never announced twice. When its parcel has no recipient, it gets this one
    (200); otherwise 409 `duplicate` says where it is.
    """
    new = new_parcel(
        site=parcel.site,
        tracking=parcel.tracking,
        carrier=parcel.carrier,
        size=parcel.size,
        heavy=parcel.heavy,
        reach=parcel.reach,
        group=parcel.group,
        name=parcel.recipient.name,
        phone=parcel.recipient.phone,
        email=parcel.recipient.email,
        language=parcel.recipient.language,
        help_profile=parcel.recipient.help,
    )
    announced = parts.desk.announce(new, caller)
    response.status_code = 201 if announced.is_new else 200
    return _out(_row(parts, caller, announced.parcel), caller)


@router.get("", summary="Find parcels")
def find(
    caller: Annotated[Visitor, who_may(Right.SEE_PARCELS)],
    parts: Parts,
    q: Annotated[str, Query(max_length=80, description="Part of a number or of a name")] = "",
    site: Annotated[str, Query(max_length=31)] = "",
    state: ParcelState | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> ParcelsOut:
    """Newest first. One page: a search narrows it down."""
    rows = parts.reads.within(caller.scope).parcels(text=q, site=site, state=state, most=limit)
    return ParcelsOut(parcels=[_out(row, caller) for row in rows[:limit]], more=len(rows) > limit)


@router.get("/{parcel}", summary="One parcel and its life")
def get_parcel(
    caller: Annotated[Visitor, who_may(Right.SEE_PARCELS)], parts: Parts, parcel: ParcelName
) -> ParcelLifeOut:
    """The parcel, and every fact about it with the doors of its sessions. Its `id` may be another one than you asked for."""
    row = _row(parts, caller, parcel)
    return ParcelLifeOut(
        parcel=_out(row, caller),
        life=[
            MomentOut(
                seq=moment.seq,
                kind=moment.kind,
                at_ms=moment.at_ms,
                trust=moment.trust,
                fact=None if moment.fact is None else msgspec.json.decode(encode_fact(moment.fact)),
            )
            for moment in parts.reads.within(caller.scope).life_of(parcel)
        ],
    )


@router.patch("/{parcel}", summary="Correct the card of a recipient")
def correct(
    caller: Annotated[Visitor, who_may(Right.ANNOUNCE_PARCEL)], parts: Parts, parcel: ParcelName, patch: ParcelPatch
) -> ParcelOut:
    """Messages that wait go to the new address, and language and help to the site.

    A code that may have gone to a telephone or an e-mail address that is corrected is replaced, as by *reissue*: `version`
    tells. With `keep_code` it stays good, and is sent once to the new address. 409 `not_here` when the parcel has ended
    (a carrier: when it is not `announced` any more), `erased` when its recipient was.
    """
    card = patch.recipient
    wanted = correction(
        name=card.name,
        phone=card.phone,
        email=card.email,
        language=card.language,
        help_profile=card.help,
        keeps_code=patch.keep_code,
    )
    parts.desk.correct(parcel, wanted, caller)
    return _out(_row(parts, caller, parcel), caller)


@router.post("/{parcel}/reissue", summary="Replace the key of a parcel")
def reissue(caller: Annotated[Visitor, who_may(Right.REISSUE_SLIP)], parts: Parts, parcel: ParcelName) -> ParcelOut:
    """The old slips, those of `also` included, are refused as *replaced* once the site knows; print the new one."""
    parts.desk.reissue(parcel, caller)
    return _out(_row(parts, caller, parcel), caller)


@router.post("/{parcel}/recall", summary="End the hold of a parcel")
def recall(caller: Annotated[Visitor, who_may(Right.RECALL_PARCEL)], parts: Parts, parcel: ParcelName) -> ParcelOut:
    """Staff take it out at their next round."""
    parts.desk.recall(parcel, caller)
    return _out(_row(parts, caller, parcel), caller)


@router.get("/{parcel}/slip", summary="What a pickup slip carries")
def slip(
    caller: Annotated[Visitor, who_may(Right.PRINT_SLIP)], parts: Parts, parcel: ParcelName, response: Response
) -> SlipOut:
    """The key of a parcel in both printed forms, made for this answer."""
    row = _row(parts, caller, parcel)
    site = parts.reads.within(caller.scope).site(row.site)
    assert site is not None
    parts.desk.show_slip(parcel, caller)
    key = PickupKey(row.site_number, ParcelId(row.id), row.version, row.epoch)
    response.headers["Cache-Control"] = "no-store"
    return SlipOut(
        parcel=row.id,
        site=row.site,
        site_name=site.name,
        address=site.address,
        help_phone=site.help_phone,
        qr=parts.keys.qr(row.site, key),
        digits=show_digits(parts.keys.digits(row.site, key)),
        version=row.version,
        language=row.language,
    )


def _row(parts: Parts, caller: Visitor, parcel: str) -> ParcelRow:
    row = parts.reads.within(caller.scope).parcel(parcel)
    if row is None:
        raise Refused("unknown_parcel", "there is no such parcel")
    return row


def _out(row: ParcelRow, caller: Visitor) -> ParcelOut:
    is_carrier = caller.scope.partner > 0  # the name may have come from the desk, and is not theirs to read
    return ParcelOut(
        id=row.id,
        site=row.site,
        state=shown_state(row.state, row.intent),
        tracking=row.tracking,
        carrier=row.carrier,
        size=row.size,
        place_kind=row.place_kind,
        place_name=row.place_name,
        version=row.version,
        source=row.source,
        created_ms=row.created_ms,
        changed_ms=row.changed_ms,
        recipient_name="" if is_carrier else row.name,
        recipient_phone="" if is_carrier else row.phone,
        recipient_email="" if is_carrier else row.email,
        also=list(row.also),
    )
