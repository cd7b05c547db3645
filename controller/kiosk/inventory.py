"""The report of an inventory: what was expected behind each door, what staff saw, and the line of the journal that seals it (M-07).

Owns the words of the report. Refuses to judge what was found, and to keep a report: it is drawn from the newest picture each time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from controller.core.looks import Look, PlaceLook, Seal
from controller.core.model import on_shelf
from controller.core.rights import Right, may
from controller.kiosk.link import Picture
from controller.kiosk.staff_words import MARK_CHARACTERS, place_words
from paper.daylist import Checked, InventoryReport
from paper.receipt import Seal as PaperSeal
from wire.ids import Found, Occupancy

_FOUND: Final = {
    Found.EMPTY: "vide",
    Found.OTHER: "autre chose",
    Found.NOT_OPENED: "porte restée fermée",
}
_RESULT: Final = {
    Found.AS_EXPECTED: "conforme",
    Found.EMPTY: "à chercher",
    Found.OTHER: "hors service, à vider",
    Found.NOT_OPENED: "serrure à contrôler",
}
_NOT_SEEN: Final = "pas regardé"


def report(picture: Picture | None) -> InventoryReport | None:
    """The report of the last inventory that has ended; None when there is none, or whoever is signed in may not see it."""
    if picture is None or not may(picture.view.staff.role, Right.RECONCILE):
        return None
    view = picture.view
    run = view.staff.report
    if run is None:
        return None
    agents = dict.fromkeys((run.by, *(look.by for look in run.looks)))
    return InventoryReport(
        site_name=view.name or view.site,
        at=datetime.fromtimestamp(run.ended_ms / 1000, UTC).astimezone(),
        agent=", ".join(agents),
        checked=(
            *(_checked(look) for look in run.looks),
            *(_unseen(label) for label in run.left),
            *(_place_checked(look) for look in run.places),
            *(_unseen(place_words(on_shelf(name))) for name in run.shelf_left),
        ),
        seal=_seal(view.staff.seal),
    )


def _seal(seal: Seal) -> PaperSeal | None:
    return PaperSeal(seq=seal.seq, hash=seal.hash) if seal.hash else None


def _checked(look: Look) -> Checked:
    expected = _expected(look)
    found = expected if look.found is Found.AS_EXPECTED else _FOUND[look.found]
    read = f", étiquette {look.read}" if look.read else ""
    emptied = look.found is Found.EMPTY and look.expected is None
    return Checked(
        door=look.compartment,
        expected=expected,
        found=f"{found}{read}",
        result="libre" if emptied else _RESULT[look.found],
    )


def _place_checked(look: PlaceLook) -> Checked:
    """A place of the shelf: how many were to lie there, which were not, and what else did."""
    expected = f"{look.expected} colis" if look.expected else _FOUND[Found.EMPTY]
    there = look.expected - look.missing_count
    found = f"{there} colis" if there else _FOUND[Found.EMPTY]
    others = f", en plus : {', '.join(look.others)}" if look.others else ""
    result = _RESULT[look.found] if look.found is not Found.OTHER else "à ranger"
    if look.missing_count:
        more = look.missing_count - len(look.missing)
        result = f"à chercher : {', '.join(look.missing)}{f' et {more} autres' if more else ''}"
    return Checked(door=place_words(on_shelf(look.place)), expected=expected, found=f"{found}{others}", result=result)


def _expected(look: Look) -> str:
    if look.expected is not None:
        return f"colis {look.tracking or look.expected[-MARK_CHARACTERS:]}"
    return "vide" if look.occupancy is Occupancy.FREE else "pas connu"


def _unseen(label: str) -> Checked:
    return Checked(door=label, expected=_NOT_SEEN, found=_NOT_SEEN, result=_NOT_SEEN)
