"""The routes of the desk's papers: the page that lists them, the day's list on the screen, each as PDF and on the desk's printer.

Owns addresses and answers. Refuses to know what stands on a paper (`documents`) and how a printer is spoken to (`printing`).
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

from fastapi import FastAPI, Query
from fastapi import Path as PathPart
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment

from controller.core.rights import Right, may
from controller.kiosk import documents
from controller.kiosk.link import Link
from controller.kiosk.printing import print_pdf
from controller.kiosk.settings import Settings
from controller.kiosk.staff_words import LANGUAGES, clock_words
from paper.phrases import FALLBACK, languages, phrases
from paper.slip_page import slip_html

GONE: Final = "Ce papier n'est plus affiché ici."
Name = Annotated[str, PathPart(pattern=r"^[a-z]{3,10}(-[a-z0-9]{1,20})?$")]
Language = Annotated[str, Query(max_length=8)]


def add_papers(app: FastAPI, pages: Environment, settings: Settings, link: Link) -> None:
    """Their routes; a paper is there only for whoever is signed in now."""

    def found(name: str) -> documents.Document | None:
        picture = link.picture
        if picture is None or not picture.view.staff.person:
            return None
        return documents.find(settings, picture.view, name)

    def gone() -> Response:
        return HTMLResponse(pages.get_template("paper_gone.html").render(), 404)

    @app.get("/staff/paper/{name}.pdf")
    async def paper_file(name: Name) -> Response:
        document = found(name)
        if document is None:
            return gone()
        data = await asyncio.to_thread(document.draw, settings.printing.paper)
        headers = {"Content-Disposition": f"inline; filename={name}.pdf"}
        return Response(data, media_type="application/pdf", headers=headers)

    @app.post("/staff/paper/{name}/print")
    async def paper_print(name: Name) -> JSONResponse:
        document = found(name)
        if document is None:
            return JSONResponse({"printed": False, "said": GONE}, 404)
        data = await asyncio.to_thread(document.draw, settings.printing.paper)
        printed, said = await print_pdf(data, settings.printing.queue, document.title)
        return JSONResponse({"printed": printed, "said": said})

    _add_pages(app, pages, settings, link)


def _add_pages(app: FastAPI, pages: Environment, settings: Settings, link: Link) -> None:
    queue = settings.printing.queue

    @app.get("/staff/papers")
    async def papers_page() -> Response:
        picture = link.picture
        if picture is None or not picture.view.staff.person:
            return HTMLResponse(pages.get_template("paper_gone.html").render(), 404)
        view = picture.view
        return HTMLResponse(
            pages.get_template("papers.html").render(
                deposits=documents.shown_deposits(view),
                own=len(documents.own_deposits(view)),
                may_look=may(view.staff.role, Right.LOOK),
                practice=_practice_languages() if documents.practice_slip(settings, view, FALLBACK) else (),
                clock=clock_words,
                queue=queue,
            )
        )

    @app.get("/staff/day")
    async def day_page() -> Response:
        picture = link.picture
        if picture is None or not may(picture.view.staff.role, Right.LOOK):
            return HTMLResponse(pages.get_template("paper_gone.html").render(), 404)
        day = documents.day_list(picture.view)
        parcels = sorted(day.parcels, key=lambda parcel: parcel.since)
        return HTMLResponse(
            pages.get_template("day.html").render(
                day=day,
                helped=[parcel for parcel in parcels if parcel.help],
                others=[parcel for parcel in parcels if not parcel.help],
                queue=queue,
            )
        )

    @app.get("/staff/practice")
    async def practice_page(language: Language = FALLBACK) -> Response:
        picture = link.picture
        slip = None if picture is None else documents.practice_slip(settings, picture.view, language)
        if slip is None:
            return HTMLResponse(pages.get_template("slip_gone.html").render(), 404)
        return HTMLResponse(
            pages.get_template("practice_slip.html").render(
                slip=slip_html(slip), language=language, languages=_practice_languages(), queue=queue
            )
        )


def _practice_languages() -> tuple[tuple[str, str, str], ...]:
    """Each language a slip exists in: its code, its own name, and its name for whoever helps."""
    return tuple((code, phrases(code).name, LANGUAGES.get(code, code)) for code in languages())
