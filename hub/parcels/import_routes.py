"""Many parcels from one file: its page and its part of the API.

Owns the shapes and URLs. Rules are in hub.parcels.imports and hub.core.bulk.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, File, Form, Query, Request, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, Field

from hub import access
from hub.core.bulk import FIELDS, FILE_BYTES_MAX, LINES_MAX
from hub.core.parcels import Refused
from hub.core.permissions import Right, Visitor
from hub.parcels.imports import Came, Import, Imports
from hub.web import door, words_import
from hub.web.drawing import draw

router = APIRouter(prefix="/api/v1/carrier", tags=["carriers"], responses=access.ERRORS)
pages = APIRouter(include_in_schema=False)

DIGEST_CHARACTERS: Final = 64
_TEXT_MAX: Final = FILE_BYTES_MAX * 4 // 3 + 8
"""Characters of the largest file in base64."""
_EXAMPLE: Final = "site;tracking;size;name;phone\ngambetta;8N00234584108;M;Awa Diallo;0612345678\n"
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": f"The file as it is, at most {FILE_BYTES_MAX // 1024} KiB and {LINES_MAX} parcels. CSV with `;`, "
        f"`,` or tabs, its first line naming columns: {', '.join(FIELDS)}; UTF-8, or what Excel writes. JSON: a list of "
        "parcels with these fields.",
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": _EXAMPLE},
            "application/json": {"schema": {"type": "array", "items": {"type": "object"}}, "example": [
                {"site": "gambetta", "tracking": "8N00234584108", "recipient": {"name": "Awa Diallo"}}
            ]},
        },
    }
}  # fmt: skip


class FaultOut(BaseModel):
    """What does not fit in a line; `field` is empty when it is the line as a whole."""

    field: str = Field(examples=["phone"])
    code: str = Field(examples=["bad_phone"])
    text: str = Field(examples=["expected 6 to 15 digits, + in front if foreign"])


class LineOut(BaseModel):
    """One line of the file, and what it came to."""

    line: int = Field(examples=[2], description="As an editor counts; of JSON, the place in the list from 1")
    came: Came = Field(examples=["ready"])
    parcel: str = Field(examples=[""], description="Id of the parcel, once it is announced")
    faults: list[FaultOut]


class ImportOut(BaseModel):
    """A file as it was read."""

    digest: str = Field(examples=["9f" * 32], description="Give it as `confirm`, with the same file, to announce")
    ready: int = Field(examples=[48])
    refused: int = Field(examples=[2])
    announced: int = Field(examples=[0])
    attached: int = Field(examples=[0])
    lines: list[LineOut]


async def _file(request: Request) -> bytes:
    """The body, as much of it as is looked at."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > FILE_BYTES_MAX:
            break
    return bytes(data)


def _imports(request: Request) -> Imports:
    found: Imports = request.app.state.imports
    return found


Parts = Annotated[Imports, Depends(_imports)]
Announcer = Annotated[Visitor, door.who_may(Right.ANNOUNCE_PARCEL)]


def install(app: FastAPI, imports: Imports) -> None:
    """Put both into an application."""
    app.state.imports = imports
    app.include_router(router)
    app.include_router(pages)


@router.post("/imports", summary="Announce many parcels", openapi_extra=_BODY)
def import_file(
    caller: Annotated[Visitor, access.who_may(Right.ANNOUNCE_PARCEL)],
    parts: Parts,
    data: Annotated[bytes, Depends(_file)],
    confirm: Annotated[str, Query(max_length=DIGEST_CHARACTERS, description="The `digest` that was answered")] = "",
) -> ImportOut:
    """Without `confirm` the file is only looked at, and nothing is written. With the `digest` of that answer, and the same
    file again, every line that fits is announced; the others are named. Confirming twice announces once.
    """
    return _out(parts.confirm(data, confirm, caller) if confirm else parts.preview(data, caller))


def _out(found: Import) -> ImportOut:
    return ImportOut(
        digest=found.digest,
        ready=found.count(Came.READY),
        refused=found.count(Came.REFUSED),
        announced=found.count(Came.ANNOUNCED),
        attached=found.count(Came.ATTACHED),
        lines=[
            LineOut(
                line=told.number,
                came=told.came,
                parcel=told.parcel,
                faults=[FaultOut(field=fault.field, code=fault.code, text=fault.text) for fault in told.faults],
            )
            for told in found.lines
        ],
    )


@pages.get("/import")
def import_page(request: Request, person: Announcer) -> Response:
    """Choose a file."""
    return _page(request, person)


@pages.post("/import", dependencies=[door.OwnForm])
def look_at_file(
    request: Request, person: Announcer, parts: Parts, *, file: Annotated[UploadFile | None, File()] = None
) -> Response:
    """What would come of it; nothing is written."""
    data = b"" if file is None else file.file.read(FILE_BYTES_MAX + 1)
    try:
        found = parts.preview(data, person)
    except Refused as refused:
        return _page(request, person, problem=refused.code)
    return _page(request, person, found=found, data=base64.b64encode(data).decode())


@pages.post("/import/confirm", dependencies=[door.OwnForm])
def confirm_file(
    request: Request, person: Announcer, parts: Parts, *, digest: Annotated[str, Form(max_length=DIGEST_CHARACTERS)] = "",
    data: Annotated[str, Form(max_length=_TEXT_MAX)] = "",
) -> Response:  # fmt: skip
    """Announce what fits."""
    try:
        found = parts.confirm(base64.b64decode(data, validate=True), digest, person)
    except binascii.Error:
        return _page(request, person, problem="changed_file")
    except Refused as refused:
        return _page(request, person, problem=refused.code)
    return _page(request, person, found=found)


def _page(
    request: Request, person: Visitor, *, problem: str = "", found: Import | None = None, data: str = ""
) -> Response:
    return draw(
        request,
        "import.html",
        person,
        here="new",
        status=422 if problem else 200,
        problem=words_import.FILE.get(problem, problem),
        found=found,
        data=data,
        fields=FIELDS,
        lines_max=LINES_MAX,
        Came=Came,
        said=words_import,
    )
