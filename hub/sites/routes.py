"""The API of sites: list, create, state, facts for audits, commands. Rules and SQL are elsewhere."""

from __future__ import annotations

import base64
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from hub.access import ERRORS, Parts, who_may
from hub.core.parcels import Refused
from hub.core.permissions import Right, Visitor
from hub.sites.services import SiteCard
from hub.store import desk
from hub.store.pages import SiteRow
from hub.store.tenants import FIRST_TENANT
from wire.ids import Label, is_label
from wire.messages import Verb

router = APIRouter(prefix="/api/v1/sites", tags=["sites"], responses=ERRORS)

FACTS_PAGE_MAX: Final = 500

SiteName = Annotated[str, Path(description="Id of the site", examples=["gambetta"], max_length=31)]


class SiteIn(BaseModel, extra="forbid"):
    """A site to create."""

    id: str = Field(examples=["gambetta"], description="2 to 31 characters of a-z, 0-9 and -")
    name: str = Field(min_length=1, max_length=80, examples=["Conciergerie Gambetta"])
    address: str = Field(default="", max_length=200, examples=["12 place Gambetta, 93000 Bobigny"])
    help_phone: str = Field(default="", max_length=20, examples=["0123456789"])


class SiteOut(BaseModel):
    """A site and what it last said."""

    id: str = Field(examples=["gambetta"])
    number: int = Field(examples=[1])
    name: str = Field(examples=["Conciergerie Gambetta"])
    address: str = Field(examples=["12 place Gambetta, 93000 Bobigny"])
    presence: str = Field(examples=["ready"], description="ready, stopping, lost, or empty when it never spoke")
    heard_ms: int = Field(examples=[1_790_000_000_000], description="When it was last heard; 0 for never")
    state_ms: int = Field(examples=[1_790_000_000_000], description="When its last snapshot came")
    seq: int = Field(examples=[1234], description="Facts committed here without a gap")
    plan_revision: int = Field(examples=[12])
    plan_applied: bool = Field(examples=[True])
    parcels_inside: int = Field(examples=[7])
    alerts_open: int = Field(examples=[0])


class SitesOut(BaseModel):
    """A page of sites."""

    sites: list[SiteOut]
    next: str = Field(default="", examples=[""], description="Give it as `after` for the next page; empty at the end")


class FactOut(BaseModel):
    """A fact, verbatim: SHA-256(previous hash, NUL seq NUL boot NUL at_ms NUL trust NUL, body) gives `hash`."""

    seq: int = Field(examples=[1])
    kind: str = Field(examples=["door_opened"])
    boot: int = Field(examples=[3])
    at_ms: int = Field(examples=[1_790_000_000_000])
    trust: str = Field(examples=["ntp"])
    hash: str = Field(examples=["9f" * 32])
    body_base64: str = Field(examples=["eyJraW5kIjoiZG9vcl9vcGVuZWQifQ=="])


class FactsOut(BaseModel):
    """A page of a site's journal."""

    site: str = Field(examples=["gambetta"])
    journal: str = Field(examples=["6b0c"], description="Id of the journal, which its genesis hash is made of")
    committed_seq: int = Field(examples=[1234])
    committed_hash: str = Field(examples=["9f" * 32])
    facts: list[FactOut]
    next_after: int | None = Field(examples=[500], description="Give it as `after` for the next page")


class CommandIn(BaseModel, extra="forbid"):
    """A one-off command; never executed late, at most once."""

    verb: Verb = Field(examples=["identify"])
    compartment: str | None = Field(default=None, examples=["7"])
    reason: str = Field(default="", max_length=200, examples=["which bank is it?"])


class CommandOut(BaseModel):
    """A command and what the site answered; `outcome` is empty until it does."""

    id: str = Field(examples=["6f1c0a9be9b74f1f8f5d7f0f1a2b3c4d"])
    site: str = Field(examples=["gambetta"])
    verb: str = Field(examples=["identify"])
    expires_ms: int = Field(examples=[1_790_000_030_000])
    outcome: str = Field(examples=["done"])
    answer: str = Field(examples=[""])


@router.get("", response_model=SitesOut, summary="Sites, by name")
def list_sites(
    caller: Annotated[Visitor, who_may(Right.SEE_SITES)],
    parts: Parts,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str, Query(max_length=31)] = "",
) -> Response:
    """All sites, a bounded page at a time."""
    rows = parts.reads.within(caller.scope).sites()
    ids = [row.id for row in rows]
    start = ids.index(after) + 1 if after in ids else 0
    page = rows[start : start + limit]
    more = start + limit < len(rows)
    return _json(SitesOut(sites=[_site(row) for row in page], next=page[-1].id if more else ""))


@router.post("", status_code=201, summary="Create a site")
def create_site(caller: Annotated[Visitor, who_may(Right.MANAGE_SITES)], parts: Parts, site: SiteIn) -> SiteOut:
    """Create a site. Its keys are printed by `consigne-hub site key`, never by the API."""
    tenant = FIRST_TENANT if caller.scope.tenant is None else caller.scope.tenant
    parts.sites.create(site.id, SiteCard(site.name, site.address, site.help_phone), tenant, caller)
    return _site(_row(parts, caller, site.id))


@router.get("/{site}", summary="One site")
def get_site(caller: Annotated[Visitor, who_may(Right.SEE_SITES)], parts: Parts, site: SiteName) -> SiteOut:
    """A site and what it last said."""
    return _site(_row(parts, caller, site))


@router.get("/{site}/state", summary="The last snapshot of a site, as it sent it")
def get_state(caller: Annotated[Visitor, who_may(Right.SEE_BANK)], parts: Parts, site: SiteName) -> Response:
    """The bank as it is: occupancy, service and door of every compartment. `null` before the first snapshot."""
    row = _row(parts, caller, site)
    return Response(
        msgspec.json.encode({"site": site, "state_ms": row.state_ms, "state": row.state, "birth": row.birth}),
        media_type="application/json",
    )


@router.get("/{site}/facts", summary="The journal of a site, for audits")
def get_facts(
    caller: Annotated[Visitor, who_may(Right.READ_JOURNAL)],
    parts: Parts,
    site: SiteName,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=FACTS_PAGE_MAX)] = 100,
) -> FactsOut:
    """Facts in order, bodies verbatim, with the chain's hash after each."""
    row = _row(parts, caller, site)
    with parts.store.reading() as connection:
        cursor = desk.cursor_of(connection, row.number)
        facts = desk.facts_after(connection, row.number, cursor.ordinal, after, limit)
    return FactsOut(
        site=site,
        journal=cursor.journal,
        committed_seq=cursor.seq,
        committed_hash=cursor.hash,
        facts=[
            FactOut(
                seq=fact.seq,
                kind=fact.kind,
                boot=fact.boot,
                at_ms=fact.at_ms,
                trust=fact.trust,
                hash=bytes(fact.hash).hex(),
                body_base64=base64.b64encode(bytes(fact.body)).decode(),
            )
            for fact in facts
        ],
        next_after=facts[-1].seq if len(facts) == limit else None,
    )


@router.post("/{site}/commands", status_code=202, summary="Send a command")
def send_command(
    caller: Annotated[Visitor, who_may(Right.SEND_COMMAND)], parts: Parts, site: SiteName, command: CommandIn
) -> CommandOut:
    """Send a command that lives 30 s at most. *Accepted* by us is not *done*: read it again. No door opens so: that takes two people."""
    if command.verb is Verb.OPEN:
        raise Refused("two_people", "verb: a door is opened from afar by two people, and by no single request")
    if command.compartment is not None and not is_label(command.compartment):
        raise Refused("bad_compartment", "compartment: 1 to 4 characters of A-Z and 0-9")
    label = None if command.compartment is None else Label(command.compartment)
    sent = parts.desk.command(site, command.verb, caller, reason=command.reason, compartment=label)
    return get_command(caller, parts, site, sent)


@router.get("/{site}/commands/{command}", summary="A command and its answer")
def get_command(
    caller: Annotated[Visitor, who_may(Right.SEND_COMMAND)],
    parts: Parts,
    site: SiteName,
    command: Annotated[str, Path(max_length=64)],
) -> CommandOut:
    """What the site answered."""
    number = _row(parts, caller, site).number
    with parts.store.reading() as connection:
        row = desk.command(connection, command)
    if row is None or row.site != number:
        raise Refused("unknown_command", "there is no such command at this site")
    return CommandOut(
        id=row.id, site=site, verb=row.verb, expires_ms=row.expires_ms, outcome=row.outcome, answer=row.answer
    )


def _row(parts: Parts, caller: Visitor, site: str) -> SiteRow:
    row = parts.reads.within(caller.scope).site(site)
    if row is None:
        raise Refused("unknown_site", "there is no such site")
    return row


def _site(row: SiteRow) -> SiteOut:
    return SiteOut(
        id=row.id,
        number=row.number,
        name=row.name,
        address=row.address,
        presence=row.presence,
        heard_ms=row.heard_ms,
        state_ms=row.state_ms,
        seq=row.seq,
        plan_revision=row.plan_revision,
        plan_applied=row.plan_applied,
        parcels_inside=row.inside,
        alerts_open=row.alerts,
    )


def _json(model: BaseModel) -> Response:
    return Response(model.model_dump_json(), media_type="application/json")
