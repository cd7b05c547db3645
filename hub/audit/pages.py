"""The log on a page, as files and over the API: newest first to read, whole and in order to keep.

Owns their URLs and the two formats. Refuses to know what is hashed: hub.audit.chain does.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Final

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field

from hub import access
from hub.audit.chain import Action, Line
from hub.audit.log import READ_AT_ONCE, AuditLog, lines_after, newest_lines
from hub.clock import Clock
from hub.core.permissions import Right, Visitor
from hub.store.engine import Store
from hub.store.tenants import FIRST_TENANT
from hub.web import door, words_people
from hub.web.drawing import draw

LINES_SHOWN: Final = 100
API_LINES_MAX: Final = 1_000
COLUMNS: Final = ("tenant", "seq", "at_ms", "actor", "role", "action", "kind", "subject", "site", "reason", "hash")
"""In the order they are hashed in, the hash last."""

router = APIRouter()


@dataclass(frozen=True, slots=True)
class AuditParts:
    """What these routes need, put into `app.state.audit` by the composition root."""

    store: Store
    log: AuditLog
    clock: Clock


def install(app: FastAPI, parts: AuditParts) -> None:
    """Put these routes into an application."""
    app.state.audit = parts
    app.include_router(router)


class LineOut(BaseModel):
    """A line. Its hash is SHA-256(hash before, NUL, the other fields in this order as a JSON array without spaces)."""

    tenant: int = Field(examples=[1])
    seq: int = Field(examples=[17])
    at_ms: int = Field(examples=[1_790_000_000_000])
    actor: str = Field(examples=["claire"])
    role: str = Field(examples=["concierge"])
    action: str = Field(examples=["parcel_recalled"])
    kind: str = Field(examples=["parcel"])
    subject: str = Field(examples=["0G2M4R8T1V3W5"])
    site: str = Field(examples=["gambetta"])
    reason: str = Field(examples=[""])
    hash: str = Field(examples=["9f" * 32])


class AuditOut(BaseModel):
    """A page of the log, in order."""

    lines: list[LineOut]
    next_after: int | None = Field(examples=[1000], description="Give it as `after` for the next page")


@router.get("/api/v1/audit", summary="Who did what", tags=["audit"], responses=access.ERRORS)
def list_lines(
    request: Request,
    caller: Annotated[Visitor, access.who_may(Right.READ_AUDIT)],
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=API_LINES_MAX)] = 100,
) -> AuditOut:
    """The log of the caller's association from the line after `after` on; the first line hangs on its genesis hash."""
    with _parts(request).store.reading() as connection:
        lines = lines_after(connection, _tenant(caller), after, limit)
    return AuditOut(
        lines=[LineOut.model_validate(_row(line)) for line in lines],
        next_after=lines[-1].seq if len(lines) == limit else None,
    )


@router.get("/audit", include_in_schema=False)
def page(
    request: Request,
    person: Annotated[Visitor, door.who_may(Right.READ_AUDIT)],
    before: Annotated[int, Query(ge=0, le=2**62)] = 0,
    actor: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """The newest lines, and whether anything is wrong with the whole."""
    parts = _parts(request)
    with parts.store.reading() as connection:
        lines = newest_lines(connection, _tenant(person), before, LINES_SHOWN + 1, actor=actor.strip())
        findings, seq, digest = parts.log.verify(connection, _tenant(person))
    return draw(
        request,
        "audit.html",
        person,
        here="audit",
        lines=lines[:LINES_SHOWN],
        more=len(lines) > LINES_SHOWN,
        actor=actor,
        findings=findings[:LINES_SHOWN],
        end_seq=seq,
        end_hash=digest,
        said=words_people,
    )


@router.get("/audit.csv", include_in_schema=False)
def as_csv(request: Request, person: Annotated[Visitor, door.who_may(Right.READ_AUDIT)]) -> Response:
    """The whole log as a table."""

    def rows() -> Iterator[str]:
        yield _csv(COLUMNS)
        for line in _exported(request, person):
            yield _csv(tuple(_harmless(value) for value in _row(line).values()))

    return _file(rows(), "text/csv; charset=utf-8", "journal.csv")


@router.get("/audit.json", include_in_schema=False)
def as_json(request: Request, person: Annotated[Visitor, door.who_may(Right.READ_AUDIT)]) -> Response:
    """The whole log, a JSON object a line."""
    lines = (json.dumps(_row(line), ensure_ascii=False) + "\n" for line in _exported(request, person))
    return _file(lines, "application/x-ndjson", "journal.json")


def _exported(request: Request, person: Visitor) -> Iterator[Line]:
    """Every line, some at a time; that it was taken away is a line too."""
    parts, tenant, after = _parts(request), _tenant(person), 0
    with parts.store.writing() as connection:
        parts.log.note(connection, person, Action.AUDIT_EXPORTED, tenant=tenant, at_ms=parts.clock(), kind="audit")
    while True:
        with parts.store.reading() as connection:
            lines = lines_after(connection, tenant, after, READ_AT_ONCE)
        yield from lines
        if len(lines) < READ_AT_ONCE:
            return
        after = lines[-1].seq


def _file(text: Iterator[str], kind: str, name: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(text, media_type=kind, headers=headers)


def _harmless(value: object) -> object:
    """A cell that a spreadsheet would take for a formula begins with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


def _csv(values: tuple[object, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue()


def _row(line: Line) -> dict[str, object]:
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in asdict(line).items()}


def _parts(request: Request) -> AuditParts:
    parts: AuditParts = request.app.state.audit
    return parts


def _tenant(by: Visitor) -> int:
    return FIRST_TENANT if by.scope.tenant is None else by.scope.tenant
