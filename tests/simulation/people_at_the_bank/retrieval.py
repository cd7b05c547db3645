"""Holds that end, and staff who take out what is recalled or refused: scan in hand, tired, now and then mistaken (M-01, M-02, M-03)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from controller.core.events import Button
from controller.core.model import After, Phase, Step
from tests.simulation.people_at_the_bank import helpers
from wire.ids import Label, ParcelId, ParcelState
from wire.plan import Intent

EXTENSIONS_MAX: Final = 2

if TYPE_CHECKING:
    from tests.simulation.random_site import Act, RandomSite


def hub_recalls(bank: RandomSite) -> None:
    """The hold of a parcel is over, or somebody gives it more time."""
    planned = sorted(parcel for parcel in bank.tracking if parcel in bank.site.planned and parcel not in bank.taken)
    if not planned:
        return
    lying = [parcel for parcel in planned if any(parcel in held for held in bank.inside.values())]
    parcel = bank.random.choice(lying or planned)
    says(bank, parcel, bank.random.choice((Intent.RECALL, Intent.RECALL, Intent.HOLD)))


def says(bank: RandomSite, parcel: ParcelId, intent: Intent) -> None:
    """What the hub wants of a parcel, in its next plan."""
    known = bank.site.state.durable.parcels.get(parcel)
    count = 0 if known is None else known.extended
    before = bank.site.planned[parcel].extended
    seen = bank.random.choice((before, max(before, count)))
    bank.site.planned[parcel] = msgspec.structs.replace(bank.site.planned[parcel], intent=intent, extended=seen)
    bank.site.publish_plan()
    now = bank.site.state.durable.parcels.get(parcel)
    if known is not None and now is not None and seen < count:
        assert now.intent is known.intent, f"M-03: a plan that knows of {seen} extensions undoes number {count}"


def staff_extend(bank: RandomSite) -> None:
    """Somebody telephones: their parcel is to wait (M-02, M-03)."""
    here = [parcel.id for parcel in bank.site.state.durable.parcels.values() if parcel.state is ParcelState.STORED]
    if not here:
        return
    bank.site.sign_in()
    parcel = bank.random.choice(here)
    bank.site.press(Button.EXTEND, bank.random.choice(("2/on_the_way", "7/asked")), parcel=parcel)
    known = bank.site.state.durable.parcels.get(parcel)
    if known is not None and known.extended and parcel in bank.site.planned:
        wish = bank.site.planned[parcel]
        older = min(wish.extended, known.extended - 1)  # the hub called it back before it heard of this
        other = "pt" if wish.language == "fr" else "fr"  # and says something else that is new
        bank.site.planned[parcel] = msgspec.structs.replace(wish, intent=Intent.RECALL, extended=older, language=other)
        bank.site.publish_plan()
        kept = bank.site.state.durable.parcels[parcel].intent
        assert kept is known.intent, f"M-03: a plan of before undoes extension {known.extended} of {parcel}"
    assert known is None or known.extended <= EXTENSIONS_MAX, "M-03: somebody else's door for ever"


def staff_retrieve(bank: RandomSite) -> None:
    """Begin with the list, or do at the open door what the screen says: take out, read its label, shut it."""
    task = bank.site.state.live.task
    if task is None and bank.in_staff_hands is None:
        if bank.random.random() < 0.5:
            hub_recalls(bank)
        bank.site.sign_in()
        bank.site.press(Button.RETRIEVE)
        helpers.staff_pin(bank)
        bank.wait(1_000)
    at_what_is_asked(bank)


def at_what_is_asked(bank: RandomSite) -> None:
    """Whoever takes out does at the door, or the shelf, what the screen says."""
    task = bank.site.state.live.task
    if task is None or task.after is not After.RETRIEVE or task.parcel is None:
        return
    if task.step is Step.TAKE_FROM_SHELF:
        _read(bank, task.parcel)
        return
    if task.compartment is not None:
        _at_the_door(bank, task.compartment, task.parcel)


def _read(bank: RandomSite, parcel: ParcelId) -> None:
    """Its own label, in front of the reader; once out of stock it is gone for good."""
    bank.witness.labels_read.add(parcel)
    bank.site.scan(bank.label_of(parcel))


def _at_the_door(bank: RandomSite, label: Label, parcel: ParcelId) -> None:
    opening = bank.site.state.durable.openings.get(label)
    is_open = opening is not None and opening.phase is Phase.OPEN
    inside = bank.inside[label]
    if bank.random.random() < 0.15 and bank.tracking:
        _read(bank, bank.random.choice(tuple(bank.tracking)))  # the next parcel on the desk, by mistake
    if is_open and parcel in inside and bank.random.random() < 0.85:
        inside.discard(parcel)
        bank.taken_out.add(parcel)
        bank.in_staff_hands = parcel
    if bank.in_staff_hands == parcel and bank.random.random() < 0.8:
        _read(bank, parcel)
        if is_open and bank.random.random() < 0.15:  # and puts it back: the person has just telephoned
            inside.add(parcel)
            bank.in_staff_hands = None
    if is_open and bank.random.random() < 0.8:
        bank.wait(bank.random.choice((300, 3_000)))
        bank.site.close(label)
    elif not is_open and parcel not in inside and bank.in_staff_hands != parcel:
        bank.site.press(Button.NOT_THERE)


ACTS: Final[tuple[tuple[Act, int], ...]] = ((hub_recalls, 2), (staff_extend, 2), (staff_retrieve, 8))
