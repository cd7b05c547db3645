"""The screen of a courier: what to do now, the bank, and the parcels of their carrier; nothing of anybody else. French.

Owns what a courier is shown, in what words, and what is said aloud to them. Refuses to decide whose a parcel is: the picture holds
only what they may see (`core.courier`).
"""

from __future__ import annotations

from typing import Final

from jinja2 import Environment

from controller.core.courier import is_courier_role
from controller.core.drop import DropReceipt
from controller.core.drops import counts
from controller.core.model import Step
from controller.core.notices import StaffNotice, StaffNoticeKind
from controller.core.views import StaffView, View
from controller.kiosk.staff_words import clock_words, notice_words, place_words, state_words, what_to_do

NAG_S: Final = 15
"""How often an open door is said again: as often as the machine ticks (`Settings.nag_ms`)."""

NOTICES: Final = {
    StaffNoticeKind.ALREADY_ENDED: "Ce colis est déjà sorti. Donnez-le à l'accueil.",
    StaffNoticeKind.MISPLACED: "Votre colis est derrière une mauvaise porte. Allez à l'accueil.",
    StaffNoticeKind.LEFT_UNKNOWN: "Personne ne sait ce qu'il y a dans ce casier. Allez à l'accueil.",
    StaffNoticeKind.DISK_FULL: "La machine ne prend plus de colis. Donnez ce colis à l'accueil.",
    StaffNoticeKind.NEVER_LATCHES: "Cette porte ne tient pas fermée. Une autre porte va s'ouvrir.",
    StaffNoticeKind.PIN_WAIT: "Trop d'essais. Allez à l'accueil.",
    StaffNoticeKind.NO_PIN: "Votre badge n'a pas de code PIN. Il n'ouvre pas ce casier. Allez à l'accueil.",
}
"""Where the words for staff of the site ask for what a courier cannot do."""


def is_for(staff: StaffView) -> bool:
    """Whether a courier is signed in, and their own screen is shown. The PIN is asked on that of everybody."""
    return is_courier_role(staff.role) and not staff.pin_asked


def show(environment: Environment, view: View, shared: dict[str, object]) -> str:
    """The courier's screen as a fragment; `shared` is what every screen of the desk has: sizes, doors, drawings."""
    staff = view.staff
    receipt = staff.receipts[-1] if staff.receipts and staff.drop is None else None
    return environment.get_template("courier_fragment.html").render(
        **shared,
        todo=todo(view),
        notice=None if staff.notice is None else words_of(staff.notice),
        say=said(staff),
        nag_s=NAG_S,
        drop=staff.drop,
        receipt=receipt,
        receipt_words="" if receipt is None else receipt_words(receipt),
        due=[(parcel, place_words(parcel.place)) for parcel in staff.parcels if parcel.to_retrieve],
        parcels=[(parcel, state_words(parcel), place_words(parcel.place)) for parcel in staff.parcels],
    )


def todo(view: View) -> str:
    """The one big line: an open door before anything else, when nothing is in their hands."""
    staff = view.staff
    if staff.task is None and staff.left_open is not None:
        return f"Fermez la porte\N{NO-BREAK SPACE}{staff.left_open}."
    if staff.task is None and view.scanner:
        return "Scannez l'étiquette de votre prochain colis."
    return what_to_do(view)


def receipt_words(receipt: DropReceipt) -> str:
    """How many lie where, and whether anything differs, in one line."""
    in_doors, on_shelf, at_desk, _ = counts(receipt.handed)
    differs = receipt.missing_count + len(receipt.unannounced)
    where = f"{in_doors} dans les casiers, {on_shelf + at_desk} sur l'étagère"
    return f"{clock_words(receipt.at_ms)} : {where}. " + (f"À voir : {differs}." if differs else "Tout est conforme.")


def words_of(notice: StaffNotice) -> str:
    """A notice in words for somebody who is not of the site."""
    return notice_words(notice, NOTICES)


def said(staff: StaffView) -> str:
    """The address of what is said aloud: which door is to be shut, when they want to go or stand before nothing else (K-06)."""
    asked = staff.notice is not None and staff.notice.kind is StaffNoticeKind.CLOSE_DOOR_FIRST
    shutting = staff.task is None or staff.task.step is Step.ASK_EMPTY
    if staff.left_open is None or not (asked or shutting):
        return ""
    return f"/voice/fr/close_door?door={staff.left_open}"
