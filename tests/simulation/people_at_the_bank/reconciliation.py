"""Staff who make an inventory: door after door and along the shelf, scanner in hand, called away in the middle, now and then another colleague (M-07)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from controller.core.events import Button
from controller.core.model import After, Step, on_shelf
from tests.simulation.people_at_the_bank import helpers
from wire.badges import CommandCard
from wire.ids import Door, Label, ParcelId, ParcelState

if TYPE_CHECKING:
    from tests.simulation.random_site import Act, RandomSite


def staff_reconcile(bank: RandomSite) -> None:
    """Begin or go on, and do at the open door what the screen says: look, perhaps read a label, shut it, answer."""
    site = bank.site
    task = site.state.live.task
    run = site.state.durable.reconciliation
    carries = bank.in_staff_hands is not None
    to_shelf = (
        bank.random.random() < 0.3 if run is None else not run.left
    )  # the arms are full, and the shelf is for that
    if task is None and (to_shelf or not carries):
        site.sign_in()
        row = "shelf" if carries else bank.random.choice(("", "", "0", "3", "shelf"))
        site.press(Button.RECONCILE, row)
        helpers.staff_pin(bank)
        bank.wait(1_000)
        task = site.state.live.task
    if task is not None and task.step is Step.CHECK_SHELF:
        _at_the_shelf(bank)
        return
    if task is None or task.after is not After.RECONCILE or task.compartment is None:
        return
    label = task.compartment
    if task.step is Step.ASK_EMPTY:
        _answer(bank, label, task.parcel)
        return
    shown = site.view().staff.task
    shuts_first = shown is not None and shown.unseen  # No switch can see through an answer given too early.
    if bank.random.random() < 0.1 and not shuts_first:
        _answer(bank, label, task.parcel)  # too early: the door is still open
    if site.doors[label] is Door.OPEN and bank.random.random() < 0.8:
        inside = sorted(bank.inside[label])
        if inside and bank.random.random() < 0.5:
            site.scan(bank.label_of(bank.random.choice(inside)))
        bank.wait(bank.random.choice((300, 3_000)))
        site.close(label)


def _at_the_shelf(bank: RandomSite) -> None:
    """They read the labels that are there; now and then a parcel has gone from the shelf, or what they had in hand is laid down on it."""
    site = bank.site
    shown = site.view().staff.task
    assert shown is not None, "staff stand at the shelf"
    assert shown.shelf is not None, "a place of the shelf shows what should be there"
    place = on_shelf(shown.shelf_place or "")
    lying = [
        parcel
        for parcel in site.state.durable.parcels.values()
        if parcel.place == place and parcel.id not in bank.stolen
    ]
    read = {parcel for parcel, _, seen in shown.shelf.expected if seen}
    unread = [parcel for parcel in lying if parcel.tracking and parcel.id not in read]
    gone = bank.random.choice(unread) if unread and bank.random.random() < 0.1 else None
    if gone is not None:
        bank.stolen.add(gone.id)
    there = [parcel.id for parcel in lying if parcel is not gone]
    carried = bank.in_staff_hands
    known = None if carried is None else site.state.durable.parcels.get(carried)
    if carried is not None and (
        known is None or known.state is not ParcelState.RECEIVED or not bank.has_label(carried)
    ):
        carried = None  # one that nobody can read has a mark and a place of its own (S-13); what the books have elsewhere is not laid down
    if carried is not None and bank.random.random() < 0.5:
        there.append(carried)
        bank.in_staff_hands = None
    reads = bank.random.random() < 0.7 or carried in there
    for parcel in there if reads else ():
        if bank.has_label(parcel):
            site.scan(bank.label_of(parcel))
        bank.wait(bank.random.choice((300, 4_000)))
    if bank.random.random() < 0.2:
        return  # called away
    if not there:
        button = Button.EMPTY
    elif reads:
        button = Button.OTHER
    else:
        button = Button.AS_EXPECTED if gone is None and len(lying) == len(shown.shelf.expected) else Button.NOT_EMPTY
    bank.witness.inventory.at_shelf = frozenset(there)
    site.press(button)


def _answer(bank: RandomSite, label: Label, expected: ParcelId | None) -> None:
    """What they see is what they say, with a card or a button."""
    inside = bank.inside[label]
    if not inside:
        card, button = CommandCard.EMPTY, Button.EMPTY
    elif inside == {expected}:
        card, button = CommandCard.AS_EXPECTED, Button.AS_EXPECTED
    else:
        card, button = CommandCard.OTHER, Button.OTHER
    if bank.random.random() < 0.5:
        bank.site.card(card)
    else:
        bank.site.press(button)


def staff_end_it(bank: RandomSite) -> None:
    """The day is over, and so is the inventory: with the card, whatever stands open in front of them."""
    if bank.site.state.durable.reconciliation is not None:
        bank.site.sign_in()
        bank.site.card(CommandCard.END_INVENTORY)


ACTS: Final[tuple[tuple[Act, int], ...]] = ((staff_reconcile, 8), (staff_end_it, 1))
