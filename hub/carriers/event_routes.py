"""The API of carriers, second half: what happened to their parcels, and the addresses that are told of it.

Owns the shapes of the answers. Rules and SQL are elsewhere; docs/carriers.md is its guide.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field

from hub.access import ERRORS, who_may
from hub.carriers.delivery import event_data, written
from hub.carriers.post import URL_CHARACTERS_MAX
from hub.carriers.routes import ParcelName, Reads, found
from hub.carriers.webhooks import Address, Delivery, Webhooks
from hub.core.permissions import Right, Visitor
from wire.ids import ParcelState

router = APIRouter(prefix="/api/v1/carrier", tags=["carriers"], responses=ERRORS)

NUMBER_MAX = 2**31 - 1
WebhookId = Annotated[int, Path(ge=1, le=NUMBER_MAX, description="Number of the address", examples=[1])]
Owner = Annotated[Visitor, who_may(Right.MANAGE_WEBHOOKS)]


class DeliveryState(StrEnum):
    """How an event's way to an address goes."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


class EventDataOut(BaseModel):
    """The parcel an event is about."""

    number: int = Field(examples=[42], description="Goes up: a later event of a parcel has a larger number")
    parcel: str = Field(examples=["0G2M4R8T1V3W5"])
    site: str = Field(examples=["gambetta"])
    tracking: str = Field(examples=["8N00234584108"])
    state: ParcelState = Field(examples=["stored"])


class EventOut(BaseModel):
    """Something that happened, as it is sent to addresses; `id` is their `webhook-id`."""

    id: str = Field(examples=["evt_5f0c9b1e7d3a4c2b8e6f1a0d"])
    type: str = Field(examples=["parcel.stored"])
    timestamp: str = Field(examples=["2026-11-27T09:30:00.000Z"])
    data: EventDataOut


class EventsOut(BaseModel):
    """What happened, in its order."""

    events: list[EventOut]
    next: int = Field(examples=[42], description="Give it as `after` to read on, now or later")


class WebhookIn(BaseModel, extra="forbid"):
    """An address to be told."""

    url: str = Field(max_length=URL_CHARACTERS_MAX, examples=["https://api.example.com/consigne"])


class WebhookOut(BaseModel):
    """An address of yours."""

    id: int = Field(examples=[1])
    url: str = Field(examples=["https://api.example.com/consigne"])
    created_ms: int = Field(examples=[1_790_000_000_000])
    failing_ms: int | None = Field(examples=[None], description="Nothing has arrived since then")
    paused_ms: int | None = Field(examples=[None], description="Nothing is sent since then: mend it, then resume")
    problem: str = Field(examples=[""])
    waiting: int = Field(examples=[0], description="Events on their way")


class WebhooksOut(BaseModel):
    """Your addresses."""

    webhooks: list[WebhookOut]


class SecretOut(BaseModel):
    """The secret of an address, shown once."""

    id: int = Field(examples=[1])
    secret: str = Field(examples=["whsec_…"], description="What your server checks signatures with (Standard Webhooks)")


class DeliveryOut(BaseModel):
    """An event on its way to an address."""

    webhook: int = Field(examples=[1])
    event: int = Field(examples=[42])
    id: str = Field(examples=["evt_5f0c9b1e7d3a4c2b8e6f1a0d"])
    type: str = Field(examples=["parcel.stored"])
    parcel: str = Field(examples=["0G2M4R8T1V3W5"])
    state: DeliveryState = Field(examples=["dead"])
    attempts: int = Field(examples=[11])
    tried_ms: int | None = Field(examples=[1_790_000_000_000])
    problem: str = Field(examples=["it answers 500"])


class DeliveriesOut(BaseModel):
    """The last events on their way, the newest first."""

    deliveries: list[DeliveryOut]


def _webhooks(request: Request) -> Webhooks:
    found: Webhooks = request.app.state.webhooks
    return found


Parts = Annotated[Webhooks, Depends(_webhooks)]


@router.get("/parcels/{parcel}/events", summary="The events of one of your parcels")
def parcel_events(
    caller: Annotated[Visitor, who_may(Right.FOLLOW_PARCELS)], parts: Parts, reads: Reads, parcel: ParcelName
) -> EventsOut:
    """What happened to it, in its order, as far as it was announced or known to be yours by then."""
    return _events(parts.events(caller, parcel=found(reads, caller, parcel).id), 0)


@router.get("/events", summary="What happened, in its order")
def list_events(
    caller: Annotated[Visitor, who_may(Right.FOLLOW_PARCELS)],
    parts: Parts,
    after: Annotated[int, Query(ge=0, le=NUMBER_MAX, description="The `next` of the page before")] = 0,
) -> EventsOut:
    """For programs that ask rather than listen, and for what a listener missed. Events are kept 90 days."""
    return _events(parts.events(caller, after=after), after)


@router.get("/webhooks", summary="Your addresses")
def list_webhooks(caller: Owner, parts: Parts) -> WebhooksOut:
    """Where events go, and how that is going."""
    return WebhooksOut(webhooks=[_webhook(row) for row in parts.addresses(caller)])


@router.post("/webhooks", status_code=201, summary="Add an address")
def add_webhook(caller: Owner, parts: Parts, webhook: WebhookIn, response: Response) -> SecretOut:
    """Told of all that happens from now on. Its secret is shown once, here."""
    number, secret = parts.add(webhook.url, caller)
    response.headers["Cache-Control"] = "no-store"
    return SecretOut(id=number, secret=secret)


@router.post("/webhooks/{webhook}/rotate", summary="Another secret for an address")
def rotate_webhook(caller: Owner, parts: Parts, webhook: WebhookId, response: Response) -> SecretOut:
    """For a day, what is sent bears both signatures: change the secret in your server meanwhile."""
    response.headers["Cache-Control"] = "no-store"
    return SecretOut(id=webhook, secret=parts.rotate(webhook, caller))


@router.post("/webhooks/{webhook}/resume", status_code=204, summary="Send to an address again")
def resume_webhook(caller: Owner, parts: Parts, webhook: WebhookId) -> None:
    """After it was paused: all that waits goes now, in its order."""
    parts.resume(webhook, caller)


@router.delete("/webhooks/{webhook}", status_code=204, summary="End an address")
def end_webhook(caller: Owner, parts: Parts, webhook: WebhookId) -> None:
    """Nothing goes there any more; what was on its way is in `/events` still."""
    parts.end(webhook, caller)


@router.get("/deliveries", summary="Events on their way")
def list_deliveries(caller: Owner, parts: Parts, state: DeliveryState | None = None) -> DeliveriesOut:
    """What was delivered, waits, or was given up (`dead`), the newest first."""
    return DeliveriesOut(deliveries=[_delivery(row) for row in parts.deliveries(caller, state or "")])


@router.post("/webhooks/{webhook}/deliveries/{event}/retry", status_code=204, summary="Try a dead event again")
def retry_delivery(
    caller: Owner, parts: Parts, webhook: WebhookId, event: Annotated[int, Path(ge=1, le=NUMBER_MAX, examples=[42])]
) -> None:
    """With all its tries, under the same id. It may arrive after later events of its parcel: compare `number`."""
    parts.again(webhook, event, caller)


def _events(rows: Any, after: int) -> EventsOut:
    events = [
        EventOut(
            id=row.id,
            type=row.kind,
            timestamp=written(row.at_ms),
            data=EventDataOut(**event_data(row)),
        )
        for row in rows
    ]
    return EventsOut(events=events, next=events[-1].data.number if events else after)


def _webhook(row: Address) -> WebhookOut:
    return WebhookOut(
        id=row.id,
        url=row.url,
        created_ms=row.created_ms,
        failing_ms=row.failing_ms,
        paused_ms=row.paused_ms,
        problem=row.problem,
        waiting=row.waiting,
    )


def _delivery(row: Delivery) -> DeliveryOut:
    return DeliveryOut(
        webhook=row.webhook,
        event=row.event,
        id=row.id,
        type=row.kind,
        parcel=row.parcel,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        tried_ms=row.tried_ms,
        problem=row.problem,
    )
