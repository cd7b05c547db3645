"""Receipts that come out of the printer by themselves: after each parcel, or once when the person leaves (S-07).

Owns when a receipt is due. Refuses to draw or to print it. What could not be printed is not lost: it stays among the receipts of
the staff screen, for whoever signs in next.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from controller.core.deposit import Deposit
from controller.core.views import View
from controller.kiosk.documents import own_deposits, receipts_of
from controller.kiosk.link import Link
from controller.kiosk.printing import print_pdf
from controller.kiosk.settings import Printing, Receipts

LOG: Final = logging.getLogger(__name__)

DUE_MAX: Final = 32
"""Receipts waiting for a slow printer; more are asked for on the screen."""


class Follower:
    """Follows the pictures and says which receipts are due. Pure: no clock, no printer."""

    def __init__(self, when: Receipts) -> None:
        self._when = when
        self._view: View | None = None
        self._session = ""
        self._own: tuple[Deposit, ...] = ()

    def see(self, view: View) -> list[tuple[View, tuple[Deposit, ...]]]:
        """What is due now, each with the picture that knows its site. What was there before the first picture is not due."""
        last, session, own = self._view, self._session, self._own
        self._view, self._session, self._own = view, view.staff.session, own_deposits(view)
        if last is None:
            return []
        if self._when is Receipts.PARCEL:
            known = {deposit.seq for deposit in own}
            return [(view, (deposit,)) for deposit in self._own if deposit.seq not in known]
        if self._when is Receipts.SESSION and session != view.staff.session and own:
            return [(last, own)]
        return []


class ReceiptPrinter:
    """Prints what is due, one after the other, beside the pages. `run` ends when the link is closed."""

    def __init__(self, printing: Printing, link: Link) -> None:
        self._printing = printing
        self._link = link
        self._due: asyncio.Queue[tuple[View, tuple[Deposit, ...]]] = asyncio.Queue(DUE_MAX)

    @property
    def wanted(self) -> bool:
        """Whether anything is ever printed by itself."""
        return bool(self._printing.queue) and self._printing.receipts is not Receipts.ASKED

    async def run(self) -> None:
        """Follow and print until cancelled or the link is closed."""
        printing = asyncio.create_task(self._print(), name="receipts")
        follower = Follower(self._printing.receipts)
        try:
            async for picture in self._link.pictures():
                for due in [] if picture is None else follower.see(picture.view):
                    if self._due.full():
                        LOG.warning(
                            "the printer is slow: a receipt of %s parcels waits on the staff screen", len(due[1])
                        )
                    else:
                        self._due.put_nowait(due)
        finally:
            printing.cancel()

    async def _print(self) -> None:
        while True:
            view, deposits = await self._due.get()
            document = receipts_of(view, deposits)
            pdf = await asyncio.to_thread(document.draw, self._printing.paper)
            printed, said = await print_pdf(pdf, self._printing.queue, document.title)
            if not printed:
                LOG.warning("a receipt of %s parcels was not printed: %s", len(deposits), said)
