"""People who hand in a parcel to be sent: honest, hurried, called away, and now and then at the wrong door (C-32)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from controller.core.events import Button
from controller.core.handing_in import Sending, SendStep
from controller.core.model import Phase
from controller.core.views import Screen
from tests.controller.virtual_site import NUMBER, SITE_KEY
from wire import facts as f
from wire.ids import Door, Label, ParcelId, Purpose, parcel_id_from_bits
from wire.pickup import PickupKey, send_text

if TYPE_CHECKING:
    from tests.simulation.random_site import Act, RandomSite


def slip_is_made(bank: RandomSite) -> None:
    """Somebody comes to the desk with a parcel to send back, and leaves with it and a slip; now and then the slip is lost."""
    if bank.site.state.live.task is not None:
        return
    bank.site.sign_in()
    carrier = bank.random.choice(("", "La Poste", "ups"))
    bank.site.press(Button.SENDING, carrier)
    if bank.site.state.live.needs.sends is None:
        return  # A courier stands at the desk.
    here = sorted(tracking for parcel, tracking in bank.sent.items() if parcel in bank.site.state.durable.parcels)
    if here and bank.random.random() < 0.2:
        bank.site.scan(
            bank.random.choice(here)
        )  # Once more the same parcel: nobody hands in what the carrier has taken.
        return
    bank.counter += 1
    parcel, tracking = parcel_id_from_bits(bank.counter), f"8N{10_000_000_000 + bank.counter}"
    bank.site.scan(tracking, bank.counter)
    if parcel in bank.site.state.durable.parcels:
        bank.sent[parcel] = tracking
        bank.with_sender.add(parcel)
        bank.witness.carriers[parcel] = carrier


def sender_comes(bank: RandomSite) -> None:
    """The slip before the reader: of a parcel still to be handed in, or once more by somebody who is not sure."""
    there = sorted(bank.with_sender) or sorted(bank.sent)
    if not there:
        return
    parcel = bank.random.choice(there if bank.random.random() < 0.8 else sorted(bank.sent))
    before = bank.witness.closed_calmly()
    bank.site.scan(send_text(SITE_KEY, PickupKey(NUMBER, parcel, 1, 0)))
    if before and not bank.site.state.live.repeated:
        screen = bank.site.view().customer.screen
        assert screen is not Screen.READY, "C-32: a good slip was read, and the screen says nothing"
    for _ in range(bank.random.choice((0, 3, 3))):  # Most stay until it is done.
        sender_goes_on(bank)
        bank.wait(1_000)


def sender_goes_on(bank: RandomSite) -> None:
    """What the screen asks, answered; or not."""
    sending = bank.site.state.live.sending
    if sending is None or bank.random.random() < 0.15:
        return
    match bank.site.view().customer.screen:
        case Screen.CHOOSE_SIZE if bank.random.random() < 0.1:
            bank.site.press(Button.SEND_CANCEL, parcel=sending.parcel)
        case Screen.CHOOSE_SIZE:
            bank.site.press(Button.SEND_SIZE, bank.random.choice("SSML"), parcel=sending.parcel)
        case Screen.PUT_IN if bank.random.random() < 0.3:
            bank.site.press(Button.SEND_BIGGER, parcel=sending.parcel)
        case Screen.PUT_IN:
            _at_the_open_door(bank, sending)
        case Screen.ASK_INSIDE:
            _answer(bank, sending)
        case _:
            return


def sender_misplaces(bank: RandomSite) -> None:
    """Another door stands ajar, and the parcel goes in there; whoever put it away says *yes, it is inside*."""
    sending = bank.site.state.live.sending
    other = bank.random.choice(tuple(bank.inside))
    if sending is None or sending.step is not SendStep.PUT_IN or other == sending.compartment or bank.inside[other]:
        return
    compartment = bank.site.state.durable.compartments[other]
    opening = bank.site.state.durable.openings.get(other)
    if compartment.parcel is not None or bank.site.doors[other] is not Door.CLOSED or opening is not None:
        return
    if sending.compartment is None or bank.site.doors[sending.compartment] is not Door.OPEN:
        return
    if sending.parcel not in bank.with_sender or sending.larger:
        return
    bank.site.open(other)
    bank.with_sender.discard(sending.parcel)
    bank.inside[other].add(sending.parcel)
    bank.wait(3_000)
    bank.site.close(other)
    bank.site.close(sending.compartment)
    bank.site.press(Button.SEND_INSIDE, parcel=sending.parcel)
    stored = [fact for fact in bank.site.recorder.facts if isinstance(fact, f.ParcelStored)]
    own = [fact for fact in stored if fact.parcel == sending.parcel]
    assert not own, f"C-32: it lies behind {other}, and is booked behind {sending.compartment}"


def hands_at(bank: RandomSite, label: Label) -> bool:
    """What a sender moves at the door that was opened for them; whether it was theirs."""
    opening = bank.site.state.durable.openings.get(label)
    if opening is None or opening.purpose is not Purpose.SEND or opening.parcel is None:
        return False
    if bank.site.state.live.task is not None and bank.site.state.live.task.compartment == label:
        return True  # Staff look, and take nothing out.
    sending = bank.site.state.live.sending
    theirs = sending is not None and sending.compartment == label
    if theirs and sending is not None and sending.larger:
        _takes_back(bank, label, opening.parcel)
    elif (
        opening.parcel in bank.with_sender
        and not bank.inside[label]
        and bank.random.random() < (0.8 if theirs else 0.3)
    ):
        bank.with_sender.discard(opening.parcel)
        bank.inside[label].add(opening.parcel)
    return True


def _takes_back(bank: RandomSite, label: Label, parcel: ParcelId) -> None:
    if parcel in bank.inside[label]:
        bank.inside[label].discard(parcel)
        bank.with_sender.add(parcel)


def _at_the_open_door(bank: RandomSite, sending: Sending) -> None:
    label = sending.compartment
    opening = None if label is None else bank.site.state.durable.openings.get(label)
    if label is None or opening is None or opening.phase is not Phase.OPEN or bank.site.doors[label] is not Door.OPEN:
        return
    hands_at(bank, label)
    bank.wait(bank.random.choice((1_000, 4_000)))
    bank.site.close(label)


def _answer(bank: RandomSite, sending: Sending) -> None:
    """Nobody says *yes* who has the parcel under their arm; some who put it in say *no*, or walk off."""
    inside = sending.compartment is not None and sending.parcel in bank.inside[sending.compartment]
    yes = inside and bank.random.random() < 0.9
    bank.site.press(Button.SEND_INSIDE if yes else Button.SEND_NOT_INSIDE, parcel=sending.parcel)


ACTS: Final[tuple[tuple[Act, int], ...]] = (
    (slip_is_made, 3),
    (sender_comes, 7),
    (sender_goes_on, 6),
    (sender_misplaces, 1),
)
