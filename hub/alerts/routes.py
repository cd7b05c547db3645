"""The API of alerts, messages and the event stream."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from hub.access import ERRORS, Parts, who_may
from hub.core.permissions import Right, Visitor

router = APIRouter(prefix="/api/v1", tags=["alerts"], responses=ERRORS)


class AlertOut(BaseModel):
    """Something a person should look at."""

    id: int = Field(examples=[3])
    site: str = Field(examples=["gambetta"])
    kind: str = Field(examples=["door_forced"])
    subject: str = Field(examples=["7"], description="Compartment or parcel it is about; empty for the site")
    detail: str = Field(examples=[""])
    raised_ms: int = Field(examples=[1_790_000_000_000])
    last_ms: int = Field(examples=[1_790_000_000_000])
    times: int = Field(examples=[1])
    acknowledged_by: str = Field(examples=[""])
    cleared_ms: int | None = Field(examples=[None])


class AlertsOut(BaseModel):
    """The newest alerts."""

    alerts: list[AlertOut]


class MessageOut(BaseModel):
    """A word to a recipient; its text and whom it is for are not in it."""

    id: int = Field(examples=[5])
    parcel: str = Field(examples=["0G2M4R8T1V3W5"])
    site: str = Field(examples=["gambetta"])
    kind: str = Field(examples=["ready"])
    state: str = Field(examples=["sent"], description="waiting, sent, failed or unsent")
    created_ms: int = Field(examples=[1_790_000_000_000])
    sent_ms: int | None = Field(examples=[1_790_000_001_000])
    attempts: int = Field(examples=[1])
    problem: str = Field(examples=[""])
    told: str = Field(examples=["email phone"], description="The ways it went, one after the other")


class MessagesOut(BaseModel):
    """The newest messages."""

    messages: list[MessageOut]


@router.get("/alerts", summary="Alerts")
def list_alerts(
    caller: Annotated[Visitor, who_may(Right.SEE_ALERTS)],
    parts: Parts,
    *,
    site: Annotated[str, Query(max_length=31)] = "",
    over: bool = False,
) -> AlertsOut:
    """Those whose cause lasts, or (`over`) those that are over. The newest hundred."""
    rows = parts.reads.within(caller.scope).alerts(site=site, is_open=not over)
    return AlertsOut(alerts=[AlertOut.model_validate(row, from_attributes=True) for row in rows])


@router.post("/alerts/{alert}/acknowledge", status_code=204, summary="Say that you look after an alert")
def acknowledge(
    caller: Annotated[Visitor, who_may(Right.ACKNOWLEDGE_ALERT)], parts: Parts, alert: Annotated[int, Path(ge=1)]
) -> None:
    """The first name stays."""
    parts.desk.acknowledge(alert, caller)


@router.get("/messages", summary="Messages to recipients", tags=["messages"])
def list_messages(
    caller: Annotated[Visitor, who_may(Right.SEE_MESSAGES)],
    parts: Parts,
    parcel: Annotated[str, Query(max_length=13)] = "",
) -> MessagesOut:
    """The newest hundred."""
    rows = parts.reads.within(caller.scope).messages(parcel=parcel)
    return MessagesOut(messages=[MessageOut.model_validate(row, from_attributes=True) for row in rows])


@router.get(
    "/events",
    summary="What changes, as it does (server-sent events)",
    tags=["events"],
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {
                "text/event-stream": {
                    "example": 'id: 7\nevent: parcel\ndata: {"site":"gambetta","key":"0G2M4R8T1V3W5"}'
                }
            }
        }
    },
)
async def events(
    caller: Annotated[Visitor, who_may(Right.FOLLOW_EVENTS)], parts: Parts, last_event_id: Annotated[str, Header()] = ""
) -> StreamingResponse:
    """Events `site`, `parcel`, `alert`, `message`; `reset` asks to read everything anew. A slow reader is dropped."""
    last = int(last_event_id) if last_event_id.isascii() and last_event_id.isdigit() else None
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(parts.live.stream(last, caller.scope), media_type="text/event-stream", headers=headers)
