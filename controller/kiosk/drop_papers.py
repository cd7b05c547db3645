"""The receipt of a courier's drop, on paper: what the site knows of it, in the words of the screens. French.

Owns the routes and what stands where on the paper. Refuses to know when a drop is over (`core.drops`).
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, Response

from controller.core.drop import DropReceipt, Handed
from controller.kiosk.printing import print_pdf
from controller.kiosk.staff_words import place_words
from paper.media import Paper
from paper.receipt import CourierReceipt, Deposited, Discrepancy, courier_pdf
from wire.ids import PlaceKind, Trust

if TYPE_CHECKING:
    from controller.kiosk.app import Kiosk

NOT_BROUGHT: Final = "annoncé, pas apporté"
NOT_ANNOUNCED: Final = "apporté, pas annoncé"
WITHOUT_PLACE: Final = "scanné, pas rangé"
GONE: Final = "Ce reçu n'est plus affiché ici."


def receipt_of(drop: DropReceipt, site_name: str) -> CourierReceipt:
    """One drop as its paper says it."""
    placed = [one for one in drop.handed if one.place is not None]
    shelf = [one for one in placed if one.place is not None and one.place.kind is PlaceKind.SHELF]
    more = drop.missing_count - len(drop.missing)
    others = (Discrepancy(tracking=f"et {more} autres", what=NOT_BROUGHT),) if more else ()
    return CourierReceipt(
        site_name=site_name,
        courier=drop.person,
        carrier=drop.carrier,
        at=datetime.fromtimestamp(drop.at_ms / 1000),  # noqa: DTZ006 the site's own clock, as the screens show it
        clock_trusted=drop.trust in {Trust.HUB, Trust.NTP},
        in_doors=_deposited([one for one in placed if one not in shelf]),
        on_shelf=_deposited([one for one in shelf if not one.no_door]),
        remaining=_deposited([one for one in shelf if one.no_door]),
        discrepancies=(
            *(Discrepancy(tracking=tracking, what=NOT_BROUGHT) for tracking in drop.missing),
            *others,
            *(Discrepancy(tracking=tracking, what=NOT_ANNOUNCED) for tracking in drop.unannounced),
            *(Discrepancy(tracking=one.tracking, what=WITHOUT_PLACE) for one in drop.handed if one.place is None),
        ),
        agent="",
    )


def _deposited(handed: list[Handed]) -> tuple[Deposited, ...]:
    return tuple(Deposited(tracking=one.tracking, place=place_words(one.place)) for one in handed)


def add_routes(app: FastAPI, kiosk: Kiosk) -> None:
    """The receipt as a page of paper, and its way to the printer of the desk."""

    def found(drop: str) -> CourierReceipt | None:
        picture = kiosk.link.picture
        receipts = () if picture is None else picture.view.staff.receipts
        receipt = next((one for one in receipts if one.drop == drop), None)
        if picture is None or receipt is None:
            return None
        return receipt_of(receipt, picture.view.name or picture.view.site)

    @app.get("/staff/drop/{drop}.pdf")
    async def drop_file(drop: str) -> Response:
        receipt = found(drop)
        if receipt is None:
            return HTMLResponse(kiosk.pages.get_template("slip_gone.html").render(), 404)
        data = await asyncio.to_thread(courier_pdf, receipt, Paper.A6)
        headers = {"Content-Disposition": "inline; filename=recu.pdf"}
        return Response(data, media_type="application/pdf", headers=headers)

    @app.post("/staff/drop/{drop}/print")
    async def print_drop(drop: str) -> JSONResponse:
        receipt = found(drop)
        if receipt is None:
            return JSONResponse({"printed": False, "said": GONE}, 404)
        data = await asyncio.to_thread(courier_pdf, receipt, Paper.A6)
        printed, said = await print_pdf(data, kiosk.settings.printing.queue, "Reçu de livraison")
        return JSONResponse({"printed": printed, "said": said})
