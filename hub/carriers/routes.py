"""The API of carriers: announce, follow, recall, room. What a carrier sees here names no recipient, no place and no key.

Owns the shapes of the answers. Rules and SQL are elsewhere. docs/carriers.md is its guide; what it promises there stays.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Path, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from hub.access import ERRORS, Parts, who_may
from hub.core.moment import OFFLINE_AFTER_MS
from hub.core.parcels import CARRIER_CHARACTERS_MAX, NewParcel, Refused, new_parcel
from hub.core.permissions import Right, Visitor
from hub.parcels.routes import RecipientIn
from hub.parcels.services import Once, owner_of
from hub.store import carriers
from hub.store.carriers import Capacity, CarrierReads, Followed
from wire.ids import ParcelState, ReachZone, SizeClass
from wire.messages import PresenceStatus

router = APIRouter(prefix="/api/v1/carrier", tags=["carriers"], responses=ERRORS)

PAGE_MAX: Final = 100
ONCE_KEY_CHARACTERS_MAX: Final = 128
ParcelName = Annotated[
    str, Path(description="Id of the parcel", examples=["0G2M4R8T1V3W5"], max_length=13, pattern="^[0-9A-Za-z]+$")
]
SiteName = Annotated[str, Path(description="Id of the site", examples=["gambetta"], max_length=31)]
OnceKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=ONCE_KEY_CHARACTERS_MAX,
        pattern="^[!-~]+$",
        description="A text of your own for this announcement, such as your parcel's id. Asked again with the same key "
        "and the same parcel within two days, the same is answered and nothing is done twice",
        examples=["shipment-4711"],
    ),
]


class AnnouncementIn(BaseModel, extra="forbid"):
    """A parcel that is on its way to a site. Give `tracking`: it is how the site knows it again."""

    site: str = Field(max_length=31, examples=["gambetta"])
    tracking: str = Field(default="", max_length=100, examples=["8N00234584108"])
    size: SizeClass | None = Field(default=None, examples=["M"])
    heavy: bool = Field(default=False, examples=[False])
    reach: ReachZone | None = Field(default=None, examples=["mid"], description="Height of door the recipient needs")
    group: str = Field(default="", max_length=40, examples=[""])
    recipient: RecipientIn = Field(default_factory=RecipientIn)


class FollowedOut(BaseModel):
    """A parcel of yours."""

    id: str = Field(examples=["0G2M4R8T1V3W5"])
    site: str = Field(examples=["gambetta"])
    tracking: str = Field(examples=["8N00234584108"])
    size: SizeClass | None = Field(examples=["M"])
    state: ParcelState = Field(examples=["stored"])
    created_ms: int = Field(examples=[1_790_000_000_000])
    changed_ms: int = Field(examples=[1_790_000_000_000])


class FollowedPageOut(BaseModel):
    """Your parcels, the newest first."""

    parcels: list[FollowedOut]
    next: str = Field(default="", examples=[""], description="Give it as `before` for the next page; empty at the end")


class RoomOut(BaseModel):
    """Free compartments of one kind."""

    size: SizeClass = Field(examples=["M"])
    reach: ReachZone | None = Field(
        examples=["mid"], description="Height of their doors; `mid` is reached from a wheelchair"
    )
    free: int = Field(examples=[4])


class CapacityOut(BaseModel):
    """The room at a site now. It is kept for nobody: what does not fit is taken at the desk."""

    site: str = Field(examples=["gambetta"])
    name: str = Field(examples=["Conciergerie Gambetta"])
    address: str = Field(examples=["12 place Gambetta, 93000 Bobigny"])
    sandbox: bool = Field(
        examples=[False], description="A site without a machine: try your programs here, nobody is told"
    )
    online: bool = Field(
        examples=[True], description="Whether the site was heard in the last 90 s. One that is not goes on serving"
    )
    heard_ms: int = Field(examples=[1_790_000_000_000], description="When the site was last heard; 0 for never")
    age_ms: int | None = Field(
        examples=[4_000], description="How old these figures may be; null when it was never heard"
    )
    free: list[RoomOut]


class CapacitiesOut(BaseModel):
    """The room at every site of this key."""

    sites: list[CapacityOut]


class KeyOut(BaseModel):
    """What the key you call with may do."""

    name: str = Field(examples=["Colis Express / production"])
    carrier: str = Field(examples=["colisexpress"])
    rights: list[str] = Field(examples=[["announce_parcel", "follow_parcels"]])
    sites: list[str] = Field(examples=[["gambetta"]])


def _reads(parts: Parts) -> CarrierReads:
    return CarrierReads(parts.store)


Reads = Annotated[CarrierReads, Depends(_reads)]


@router.get("", summary="What this key may do")
def who_am_i(caller: Annotated[Visitor, who_may(Right.FOLLOW_PARCELS)], reads: Reads) -> KeyOut:
    """A first call: whether the key works, and where."""
    return KeyOut(
        name=caller.name,
        carrier=caller.scope.carrier,
        rights=sorted(right for right in Right if caller.may(right)),
        sites=[row.site for row in reads.within(caller.scope).capacity()],
    )


@router.post(
    "/parcels",
    status_code=201,
    summary="Announce a parcel",
    response_model=FollowedOut,
    responses={
        200: {
            "model": FollowedOut,
            "description": "The number is at the site already: from now on it is yours to follow",
        }
    },
)
def announce(
    caller: Annotated[Visitor, who_may(Right.ANNOUNCE_PARCEL)],
    parts: Parts,
    parcel: AnnouncementIn,
    once_key: OnceKey = None,
) -> Response:
    """Announce a parcel to its site. Its recipient is told by the association once it lies there, never before.

    Send an `Idempotency-Key`, and ask again whenever an answer did not arrive. The same key with another parcel is
    refused (422 `key_reused`). A number that is alive at this site is never announced twice (409 `duplicate`).
    """
    once = None if once_key is None else once_of(caller, once_key, parcel)
    announced = parts.desk.announce(wish_of(parcel, caller), caller, once)
    body = announced.answer
    if not body:
        with parts.store.reading() as connection:
            body = _answer(connection, announced.parcel)
    return Response(body, 201 if announced.is_new else 200, media_type="application/json")


def once_of(caller: Visitor, key: str, parcel: AnnouncementIn) -> Once:
    """That an announcement counts once for its carrier, or for whoever else announces."""
    return Once(owner_of(caller), key, sha256(parcel.model_dump_json().encode()).digest(), _answer)


def wish_of(parcel: AnnouncementIn, caller: Visitor) -> NewParcel:
    """The parcel as it is announced. Raises Refused with the field that does not fit."""
    return new_parcel(
        site=parcel.site,
        tracking=parcel.tracking,
        carrier=caller.scope.carrier[:CARRIER_CHARACTERS_MAX],
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


def _answer(connection: Connection, parcel: str) -> bytes:
    return _out(carriers.followed_now(connection, parcel)).model_dump_json().encode()


@router.get("/parcels", summary="Your parcels")
def list_parcels(
    caller: Annotated[Visitor, who_may(Right.FOLLOW_PARCELS)],
    reads: Reads,
    *,
    tracking: Annotated[str, Query(max_length=48, description="Only those of this number")] = "",
    before: Annotated[str, Query(max_length=13, description="The `next` of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> FollowedPageOut:
    """The newest first, a page at a time."""
    rows = reads.within(caller.scope).parcels(tracking=tracking, before=before, most=limit + 1)
    more = len(rows) > limit
    return FollowedPageOut(parcels=[_out(row) for row in rows[:limit]], next=rows[limit - 1].id if more else "")


@router.get("/parcels/{parcel}", summary="One of your parcels")
def follow(caller: Annotated[Visitor, who_may(Right.FOLLOW_PARCELS)], reads: Reads, parcel: ParcelName) -> FollowedOut:
    """Where it is in its life. *Collected* means that a door was seen open and then seen closed."""
    return _out(found(reads, caller, parcel))


@router.post("/parcels/{parcel}/recall", summary="Ask for a parcel back")
def recall(
    caller: Annotated[Visitor, who_may(Right.RECALL_PARCEL)], parts: Parts, reads: Reads, parcel: ParcelName
) -> FollowedOut:
    """The team takes it out at its next round, unless its recipient was quicker. Asking twice is asking once."""
    parts.desk.recall(parcel, caller)
    return _out(found(reads, caller, parcel))


@router.get("/sites", summary="Sites and their room")
def list_sites(caller: Annotated[Visitor, who_may(Right.SEE_CAPACITY)], parts: Parts, reads: Reads) -> CapacitiesOut:
    """Every site of this key, by id."""
    return CapacitiesOut(sites=[_capacity(row, parts.clock()) for row in reads.within(caller.scope).capacity()])


@router.get("/sites/{site}/capacity", summary="The room at a site")
def capacity(
    caller: Annotated[Visitor, who_may(Right.SEE_CAPACITY)], parts: Parts, reads: Reads, site: SiteName
) -> CapacityOut:
    """Free compartments by size and by height of their doors, how old that is, and whether the site is online."""
    rows = reads.within(caller.scope).capacity(site)
    if not rows:
        raise Refused("unknown_site", "site: there is no such site")
    return _capacity(rows[0], parts.clock())


def found(reads: CarrierReads, caller: Visitor, parcel: str) -> Followed:
    """A parcel inside the caller's scope. Raises Refused."""
    row = reads.within(caller.scope).parcel(parcel)
    if row is None:
        raise Refused("unknown_parcel", "there is no such parcel")
    return row


def _out(row: Followed) -> FollowedOut:
    return FollowedOut(
        id=row.id,
        site=row.site,
        tracking=row.tracking,
        size=row.size,
        state=row.state,
        created_ms=row.created_ms,
        changed_ms=row.changed_ms,
    )


def _capacity(row: Capacity, now_ms: int) -> CapacityOut:
    heard_ms = now_ms if row.sandbox else row.heard_ms
    age_ms = max(0, now_ms - heard_ms) if heard_ms else None
    return CapacityOut(
        site=row.site,
        name=row.name,
        address=row.address,
        sandbox=row.sandbox,
        online=row.sandbox
        or (row.presence == PresenceStatus.READY and age_ms is not None and age_ms < OFFLINE_AFTER_MS),
        heard_ms=heard_ms,
        age_ms=age_ms,
        free=[RoomOut(size=room.size, reach=room.reach, free=room.free) for room in row.rooms],
    )
