"""The papers of the desk: a picture of the site becomes receipts, the day's list, practice slips, cards and labels.

Owns which of them there are now, for whom, and their words. Refuses to draw (`paper`), to print (`printing`) and to decide: a paper
shows what the picture already holds. No recipient is named on any of them; a site knows none (I-33).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from controller.core.deposit import Deposit
from controller.core.rights import Right, may
from controller.core.views import DepositView, ParcelView, View
from controller.kiosk.settings import Settings
from controller.kiosk.staff_words import LANGUAGES, NEEDED_HELP, place_words
from paper.cards import cards_pdf
from paper.daylist import DayList, WaitingParcel, day_list_pdf
from paper.doorlabels import DoorLabel, door_labels_pdf
from paper.media import Paper
from paper.phrases import languages, receipt_phrases
from paper.pictograms import DoorArea
from paper.receipt import DepositReceipt, Seal, deposit_pdf, deposits_pdf
from paper.slip import Slip, SlipKind, slip_pdf
from wire.ids import Occupancy, ParcelState, ReachZone, Trust
from wire.plan import Help

_WAITING: Final = {ParcelState.STORED, ParcelState.DISPUTED}
"""What somebody may come for today."""

_TRUSTED: Final = {Trust.HUB, Trust.NTP}


@dataclass(frozen=True, slots=True)
class Document:
    """One paper: what the printer calls it, and how it is drawn."""

    title: str
    draw: Callable[[Paper], bytes]


def find(settings: Settings, view: View, name: str) -> Document | None:
    """The paper called `name`, when there is one for whoever is signed in: `day`, `cards`, `labels`, `receipts`, `receipt-SEQ`, `practice-LANGUAGE`."""
    staff = view.staff
    kind, _, which = name.partition("-")
    match kind, which:
        case "receipts", "":
            return _receipts(view)
        case "receipt", _:
            return _receipt(view, which)
        case "day", "" if may(staff.role, Right.LOOK):
            day = day_list(view)
            return Document("Liste du jour", lambda paper: day_list_pdf(day, paper))
        case "practice", _:
            slip = practice_slip(settings, view, which)
            return None if slip is None else Document("Bon d'exercice", lambda paper: slip_pdf(slip, paper))
        case "cards", "" if staff.person:
            return Document("Cartes de commande", lambda _: cards_pdf())
        case "labels", "" if may(staff.role, Right.LOOK):
            labels = tuple(DoorLabel(label=door.label, size=door.size.value) for door in view.bank)
            return Document("Numéros des portes", lambda _: door_labels_pdf(labels, view.name or view.site))
        case _:
            return None


def own_deposits(view: View) -> tuple[Deposit, ...]:
    """What was put in since whoever is signed in came, oldest first."""
    return tuple(each.deposit for each in view.staff.deposits if each.own)


def receipts_of(view: View, deposits: tuple[Deposit, ...]) -> Document:
    """One receipt for these deposits; `deposits` is not empty."""
    receipts = tuple(_as_receipt(view, deposit) for deposit in deposits)
    if len(receipts) == 1:
        return Document("Reçu de dépôt", lambda paper: deposit_pdf(receipts[0], paper))
    return Document("Reçu de dépôts", lambda paper: deposits_pdf(receipts, paper))


def practice_slip(settings: Settings, view: View, language: str) -> Slip | None:
    """The practice slip in a language, while a compartment is set aside for practice and somebody is signed in (M-10)."""
    if not view.staff.practice_text or not may(view.staff.role, Right.PRACTISE) or language not in languages():
        return None
    return Slip(
        qr_text=view.staff.practice_text,
        digits="",
        site_name=view.name or view.site,
        site_address=settings.help.address,
        help_phone=settings.help.phone,
        opening_hours=settings.help.hours,
        language=language,
        area=DoorArea.ANYWHERE,
        kind=SlipKind.PRACTICE,
    )


def day_list(view: View) -> DayList:
    """Who waits, who needs help, in which language; what nobody knows the content of comes first (M-08, M-12)."""
    return DayList(
        site_name=view.name or view.site,
        at=local_time(view.now_ms),
        to_check=tuple(door.label for door in view.bank if door.occupancy is Occupancy.UNKNOWN),
        parcels=tuple(_as_waiting(parcel) for parcel in view.staff.parcels if parcel.state in _WAITING),
    )


def local_time(at_ms: int) -> datetime:
    """A stamp of the site as the clock on this wall shows it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone()


def _receipts(view: View) -> Document | None:
    own = own_deposits(view)
    return receipts_of(view, own) if own else None


def _receipt(view: View, which: str) -> Document | None:
    found = [each for each in view.staff.deposits if str(each.deposit.seq) == which]
    return receipts_of(view, (found[0].deposit,)) if found else None


def _as_receipt(view: View, deposit: Deposit) -> DepositReceipt:
    return DepositReceipt(
        site_name=view.name or view.site,
        parcel=deposit.parcel,
        tracking=deposit.tracking,
        carrier=deposit.carrier,
        place=place_words(deposit.place),
        at=local_time(deposit.at_ms),
        clock_trusted=deposit.trust in _TRUSTED,
        size=deposit.size,
        heavy=deposit.heavy,
        condition=receipt_phrases().damaged if deposit.damaged else "",
        agent=deposit.by,
        seal=Seal(seq=deposit.seq, hash=deposit.hash),
    )


def _as_waiting(parcel: ParcelView) -> WaitingParcel:
    notes = (
        "lourd" if parcel.heavy else "",
        "à renvoyer" if parcel.recalled else "",
        "sans destinataire" if parcel.unidentified else "",
        "contesté" if parcel.state is ParcelState.DISPUTED else "",
    )
    return WaitingParcel(
        tracking=parcel.tracking or parcel.parcel,
        place=place_words(parcel.place) or "à retrouver",
        since=local_time(parcel.since_ms),
        language=LANGUAGES.get(parcel.language, parcel.language),
        help=help_words(parcel),
        note=", ".join(note for note in notes if note),
    )


def help_words(parcel: ParcelView) -> str:
    """Which help its recipient needs; empty for none. Who cannot reach high is helped whatever the profile says."""
    low = parcel.reach in {ReachZone.LOW, ReachZone.MID} and parcel.help is not Help.LOW_REACH
    return ", ".join(words for words in (NEEDED_HELP[parcel.help], NEEDED_HELP[Help.LOW_REACH] if low else "") if words)


def shown_deposits(view: View) -> list[tuple[DepositView, str]]:
    """Every deposit a receipt can be had of, the newest first, with where it lies in words."""
    return [(each, place_words(each.deposit.place)) for each in reversed(view.staff.deposits)]
