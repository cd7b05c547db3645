"""The routes of the kiosk: two screens with their streams, inputs, voice and slips.

Owns addresses and answers. Refuses to know what screens show (`customer`, `staff`) and what the guard refuses (`guard`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Final

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined

from controller.core.rights import FOR_EVERYBODY
from controller.core.views import SlipView
from controller.kiosk import customer, drop_papers, inventory, staff
from controller.kiosk.bank import style_sheet
from controller.kiosk.finding import asked_day
from controller.kiosk.guard import BODY_BYTES_MAX, Guard
from controller.kiosk.link import Link, Picture
from controller.kiosk.papers import add_papers
from controller.kiosk.printing import print_pdf
from controller.kiosk.receipts import ReceiptPrinter
from controller.kiosk.settings import Settings
from controller.kiosk.voice import Voice
from controller.panel_messages import (
    AssistInput,
    BadLine,
    DigitsInput,
    FindInput,
    Input,
    PinInput,
    PressInput,
    ScanInput,
    TouchInput,
    decode_input,
)
from paper.daylist import inventory_pdf
from paper.pictograms import DoorArea
from paper.slip import Slip, SlipKind, slip_pdf
from paper.slip_page import slip_css, slip_html
from wire.ids import PlaceKind
from wire.labels import CarrierLabel
from wire.scans import classify

CUSTOMER_BUTTONS: Final = FOR_EVERYBODY
LABEL_CHARACTERS_MAX: Final = 96
"""Longest label typed: twice what a label keeps, for separators."""

LANGUAGE_CHARACTERS_MAX: Final = 8
AWAY: Final = "La machine redémarre. Attendez un instant."


def make_app(settings: Settings, link: Link) -> FastAPI:
    """The application; `link` runs as long as it does."""
    kiosk = Kiosk(settings, link)

    @contextlib.asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        printer = ReceiptPrinter(settings.printing, link)
        tasks = [asyncio.create_task(link.run(), name="link")]
        if printer.wanted:
            tasks.append(asyncio.create_task(printer.run(), name="receipt printer"))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    app = FastAPI(title="Consigne, kiosk", lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, names=_names(settings), framers=settings.web.frame_ancestors)
    app.mount("/static", StaticFiles(packages=[("controller.kiosk", "static")]))
    _add_screens(app, kiosk)
    _add_inputs(app, kiosk)
    _add_slips(app, kiosk)
    add_papers(app, kiosk.pages, settings, link)
    drop_papers.add_routes(app, kiosk)
    _add_inventory(app, kiosk)
    return app


class Kiosk:
    """What the routes share."""

    def __init__(self, settings: Settings, link: Link) -> None:
        self.settings = settings
        self.link = link
        self.voice = Voice(settings.recordings, espeak=settings.voice.espeak)
        self.pages = Environment(
            loader=PackageLoader("controller.kiosk"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def customer(self, picture: Picture | None, chosen: str) -> customer.Shown:
        """The customer screen now."""
        return customer.show(self.pages, self.settings, picture, chosen, time.monotonic())

    def staff(self, picture: Picture | None) -> str:
        """The staff screen now."""
        return staff.show(self.pages, self.settings, picture, time.monotonic())

    def slip(self, parcel: str) -> tuple[SlipView, Slip] | None:
        """The slip staff may see now, when it is this parcel's."""
        picture = self.link.picture
        view = None if picture is None else picture.view.staff.slip
        if picture is None or view is None or view.parcel != parcel:
            return None
        return view, Slip(
            qr_text=view.qr_text,
            digits=view.digits,
            site_name=picture.view.name or picture.view.site,
            site_address=self.settings.help.address,
            help_phone=self.settings.help.phone,
            opening_hours=self.settings.help.hours,
            language=view.language,
            area=_area(view),
            kind=_slip_kind(view),
        )


def _slip_kind(view: SlipView) -> SlipKind:
    if view.mandate:
        return SlipKind.MANDATE
    return SlipKind.SENDING if view.sends else SlipKind.PICKUP


def _area(view: SlipView) -> DoorArea:
    if view.sends:
        return DoorArea.ANYWHERE
    if view.place is not None and view.place.kind is PlaceKind.SHELF:
        return DoorArea.DESK
    return DoorArea.ANYWHERE if view.reach is None else DoorArea(view.reach.value)


def _names(settings: Settings) -> frozenset[str]:
    return frozenset({settings.web.host, "localhost", "127.0.0.1", "::1", *settings.web.names})


Language = Annotated[str, Query(max_length=LANGUAGE_CHARACTERS_MAX)]


def _add_screens(app: FastAPI, kiosk: Kiosk) -> None:  # noqa: C901 one route after another
    css = f"{style_sheet()}\n{slip_css()}"

    @app.get("/", response_class=HTMLResponse)
    async def customer_page(language: Language = "") -> str:
        chosen = language if language in kiosk.settings.offered else ""
        shown = kiosk.customer(kiosk.link.picture, chosen)
        page = kiosk.pages.get_template("customer.html")
        return page.render(
            shown=shown,
            away=kiosk.customer(None, chosen),
            chosen=chosen,
            shown_json=json.dumps({**asdict(shown), "html": ""}),
        )

    @app.get("/stream/customer", response_class=EventSourceResponse)
    async def customer_stream(language: Language = "") -> AsyncIterator[ServerSentEvent]:
        before = None
        async with contextlib.aclosing(kiosk.link.pictures()) as pictures:
            async for picture in pictures:
                shown = kiosk.customer(picture, language)
                if shown != before:
                    yield ServerSentEvent(event="show", raw_data=json.dumps(asdict(shown)))
                before = shown

    @app.get("/staff", response_class=HTMLResponse)
    async def staff_page() -> str:
        return kiosk.pages.get_template("staff.html").render(
            html=kiosk.staff(kiosk.link.picture), away=kiosk.staff(None)
        )

    @app.get("/stream/staff", response_class=EventSourceResponse)
    async def staff_stream() -> AsyncIterator[ServerSentEvent]:
        before = None
        async with contextlib.aclosing(kiosk.link.pictures()) as pictures:
            async for picture in pictures:
                html = kiosk.staff(picture)
                if html != before:
                    yield ServerSentEvent(event="show", raw_data=json.dumps({"html": html}))
                before = html

    @app.get("/grid.css")
    async def grid() -> Response:
        return Response(css, media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    @app.get("/voice/{language}/{clip}")
    async def voice(language: str, clip: str, door: str = "") -> Response:
        picture = kiosk.link.picture
        known = not door or (picture is not None and door in {each.label for each in picture.view.bank})
        notice = None if picture is None else picture.view.customer.notice
        sound = await kiosk.voice.sound(language, clip, door, notice) if known else None
        if sound is None:
            return Response(status_code=404)
        return Response(sound.data, media_type=sound.kind, headers={"Cache-Control": "no-store"})

    @app.get("/healthz")
    async def health() -> JSONResponse:
        return JSONResponse({"ok": True, "lock_process": kiosk.link.picture is not None})


def _add_inputs(app: FastAPI, kiosk: Kiosk) -> None:  # noqa: C901 one route after another
    async def hand_over(message: Input) -> Response:
        if await kiosk.link.send(message):
            return Response(status_code=204)
        return PlainTextResponse(AWAY, 503)

    async def read(request: Request) -> Input | None:
        body = await request.body()
        if len(body) > BODY_BYTES_MAX or request.headers.get("content-type") != "application/json":
            return None
        try:
            return decode_input(body)
        except BadLine:
            return None

    @app.post("/input")
    async def customer_input(request: Request) -> Response:
        message = await read(request)
        match message:
            case DigitsInput() | TouchInput():
                return await hand_over(message)
            case PressInput(button=button) if button in CUSTOMER_BUTTONS:
                return await hand_over(message)
            case _:
                return PlainTextResponse("Not an input of the customer screen.\n", 422)

    @app.post("/staff/input")
    async def staff_input(request: Request) -> Response:
        message = await read(request)
        match message:
            case PressInput(button=button) if button not in CUSTOMER_BUTTONS:
                return await hand_over(message)
            case ScanInput(text=text) if isinstance(classify(text), CarrierLabel):
                return await hand_over(message)
            case FindInput(text=text):
                return await hand_over(asked_day(text, time.time()))
            case PinInput() | AssistInput():
                return await hand_over(message)
            case _:
                return PlainTextResponse("Ce n'est pas un numéro de colis.\n", 422)

    @app.get("/staff/echo")
    async def echo(text: Annotated[str, Query(max_length=LABEL_CHARACTERS_MAX)]) -> JSONResponse:
        understood = staff.echo(text)
        return JSONResponse({} if understood is None else asdict(understood))


def _add_inventory(app: FastAPI, kiosk: Kiosk) -> None:
    def gone() -> Response:
        return HTMLResponse(kiosk.pages.get_template("inventory_gone.html").render(), 404)

    @app.get("/staff/inventory")
    async def inventory_page() -> Response:
        report = inventory.report(kiosk.link.picture)
        if report is None:
            return gone()
        page = kiosk.pages.get_template("inventory.html")
        return HTMLResponse(page.render(report=report, queue=kiosk.settings.printing.queue))

    @app.get("/staff/inventory.pdf")
    async def inventory_file() -> Response:
        report = inventory.report(kiosk.link.picture)
        if report is None:
            return gone()
        data = await asyncio.to_thread(inventory_pdf, report)
        kept = {"Content-Disposition": "inline; filename=inventaire.pdf"}
        return Response(data, media_type="application/pdf", headers=kept)

    @app.post("/staff/inventory/print")
    async def print_inventory() -> JSONResponse:
        report = inventory.report(kiosk.link.picture)
        if report is None:
            return JSONResponse({"printed": False, "said": "Ce rapport n'est plus affiché ici."}, 404)
        data = await asyncio.to_thread(inventory_pdf, report)
        printed, said = await print_pdf(data, kiosk.settings.printing.queue)
        return JSONResponse({"printed": printed, "said": said})


def _add_slips(app: FastAPI, kiosk: Kiosk) -> None:
    async def gone() -> Response:
        page = kiosk.pages.get_template("slip_gone.html").render()
        return HTMLResponse(page, 404)

    @app.get("/staff/slip/{parcel}.pdf")
    async def slip_file(parcel: str) -> Response:
        found = kiosk.slip(parcel)
        if found is None:
            return await gone()
        data = await asyncio.to_thread(slip_pdf, found[1], kiosk.settings.printing.paper)
        return Response(data, media_type="application/pdf", headers={"Content-Disposition": "inline; filename=bon.pdf"})

    @app.get("/staff/slip/{parcel}")
    async def slip_page(parcel: str) -> Response:
        found = kiosk.slip(parcel)
        if found is None:
            return await gone()
        page = kiosk.pages.get_template("slip.html")
        queue = kiosk.settings.printing.queue
        return HTMLResponse(page.render(slip=slip_html(found[1]), parcel=parcel, queue=queue))

    @app.post("/staff/slip/{parcel}/print")
    async def print_slip(parcel: str) -> JSONResponse:
        found = kiosk.slip(parcel)
        if found is None:
            return JSONResponse({"printed": False, "said": "Ce bon n'est plus affiché ici."}, 404)
        data = await asyncio.to_thread(slip_pdf, found[1], kiosk.settings.printing.paper)
        printed, said = await print_pdf(data, kiosk.settings.printing.queue)
        return JSONResponse({"printed": printed, "said": said})
