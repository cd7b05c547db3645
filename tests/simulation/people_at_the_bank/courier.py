"""A courier of La Poste at the bank: drops, takes out, tries another carrier's label, wants to go (K-01, K-04, K-06)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from controller.core.events import Button
from controller.core.model import Step
from controller.core.notices import StaffNoticeKind
from tests.simulation.people_at_the_bank import helpers, retrieval
from wire.badges import badge_digest, badge_text, pin_digest
from wire.ids import Door, ParcelId, Service, parcel_id_from_bits
from wire.plan import Intent, Person

if TYPE_CHECKING:
    from tests.simulation.random_site import Act, RandomSite

KARIM: Final = badge_text(0x4B4152494D)
PERSON: Final = "karim"
CARRIER: Final = "laposte"
PLACED_MAX: Final = 40
"""So many steps end a drop of which nothing has a place yet."""
CARRIERS: Final = ("La Poste", "La Poste", "ups", "")
OWN: Final = frozenset({"laposte", "La Poste"})
"""How the courier's own carrier is written, by the hub's people and by its parcels."""


def roster(pin: str) -> tuple[Person, ...]:
    """The courier's entry; with a PIN where everybody has one."""
    digest = pin_digest(KARIM, pin) if pin else ""
    return (Person(id=PERSON, role="courier", badge=badge_digest(KARIM), carrier=CARRIER, pin=digest),)


def announce_with_its_carrier(bank: RandomSite) -> None:
    """The hub announces a parcel and says whose it is to bring, or does not know."""
    bank.counter += 1
    parcel = parcel_id_from_bits(bank.counter)
    bank.tracking[parcel] = f"8N{10_000_000_000 + bank.counter}"
    bank.versions[parcel] = 1
    carrier = bank.random.choice(CARRIERS)
    bank.witness.carriers[parcel] = carrier
    bank.site.announce(bank.counter, bank.tracking[parcel], carrier=carrier)


def courier_drops(bank: RandomSite) -> None:
    """A label in front of the reader: their own, one that nobody announced, or by mistake one of another carrier."""
    if not _is_at_the_desk(bank) or bank.in_staff_hands is not None or not _holds_nothing(bank):
        return
    outside = [parcel for parcel in bank.tracking if bank.is_outside(parcel)]
    if not outside or bank.random.random() < 0.2:
        bank.read_new_label()
        return
    parcel = bank.random.choice(outside)
    written = len(bank.site.recorder.facts)
    bank.site.scan(bank.tracking[parcel])
    if bank.witness.carriers.get(parcel, "") in OWN:
        known = bank.site.state.durable.parcels.get(parcel)
        live = bank.site.state.live
        if known is not None and (live.task is not None or live.waiting):  # Their turn may come later.
            bank.in_staff_hands = parcel
        return
    assert len(bank.site.recorder.facts) == written, "K-01: another carrier's label did something"


def courier_tries_another_label(bank: RandomSite) -> None:
    """The label of a parcel that lies here or has left, typed or held up: one sentence, and not a word of it."""
    if not _is_at_the_desk(bank) or not _is_idle(bank):
        return
    others = [parcel for parcel in bank.tracking if bank.witness.carriers.get(parcel, "") not in OWN]
    if not others:
        return
    bank.wait(3_500)
    if not _is_idle(bank):
        return
    written = len(bank.site.recorder.facts)
    bank.site.scan(bank.tracking[bank.random.choice(others)])
    notice = bank.site.view().staff.notice
    assert len(bank.site.recorder.facts) == written, "K-01: another carrier's label did something"
    assert notice is not None, "K-01: another carrier's label, and not a word"
    assert notice.kind is StaffNoticeKind.NOT_YOUR_CARRIER, f"K-01: {notice.kind} of another carrier's parcel"


def courier_takes_out(bank: RandomSite) -> None:
    """Begin with their own list; at the doors they do what staff do (M-01)."""
    if bank.in_staff_hands is None and _is_at_the_desk(bank) and bank.site.state.live.task is None:
        _recall_one(bank)
        bank.site.press(Button.RETRIEVE)
        helpers.staff_pin(bank)
        bank.wait(1_000)
    retrieval.at_what_is_asked(bank)


def courier_finishes(bank: RandomSite) -> None:
    """All is handed over: what has no place yet goes on the shelf, and the receipt is written (K-02, K-03)."""
    if not _is_signed_in(bank):
        return
    for _ in range(PLACED_MAX):
        task = bank.site.state.live.task
        asked = task is not None and task.step is Step.PUT_ON_SHELF
        here = task is not None and task.parcel is not None and bank.is_outside(task.parcel)
        bank.site.press(Button.NOT_THERE if asked and not here else Button.DONE)
        if task is not None and bank.in_staff_hands == task.parcel and asked:
            bank.in_staff_hands = None
        if bank.site.state.live.task is None and not asked:
            return


def courier_goes(bank: RandomSite) -> None:
    """They press *leave*: with a door of theirs open they stay, and are told which (K-06)."""
    if not _is_signed_in(bank):
        return
    openings = bank.site.state.durable.openings
    standing = {
        label
        for label, door in bank.site.doors.items()
        if door is Door.OPEN and label in openings and openings[label].by == PERSON
        if bank.site.service(label) is Service.IN_SERVICE
    }
    bank.site.press(Button.SIGN_OUT)
    if not standing:
        return
    assert _is_signed_in(bank), f"K-06: a courier has gone, and {sorted(standing)} stand open"
    notice = bank.site.view().staff.notice
    assert notice is not None, "K-06: kept, and not told why"
    assert notice.compartment is not None, "K-06: kept, and not told by which door"
    assert openings[notice.compartment].by == PERSON, "K-06: kept by a door of somebody else"


def courier_hurries(bank: RandomSite) -> None:
    """Put in the next one and be gone, whatever stands open (K-06)."""
    courier_drops(bank)
    courier_goes(bank)


def courier_is_cut_off(bank: RandomSite) -> None:
    """The power fails in the middle of a drop; they show their badge again, and end it (K-02)."""
    courier_drops(bank)
    bank.door_moves()
    bank.power_cut()
    if _is_at_the_desk(bank):
        courier_finishes(bank)


def _is_at_the_desk(bank: RandomSite) -> bool:
    """Show the badge, unless they are signed in; whether they are now."""
    if not _is_signed_in(bank):
        bank.site.scan(KARIM)
    return _is_signed_in(bank)


def _is_idle(bank: RandomSite) -> bool:
    """Signed in still, with nothing in hand that the screen speaks of."""
    return _is_signed_in(bank) and _holds_nothing(bank)


def _holds_nothing(bank: RandomSite) -> bool:
    return bank.site.state.live.task is None


def _is_signed_in(bank: RandomSite) -> bool:
    staff = bank.site.state.durable.staff
    return staff is not None and staff.person == PERSON


def _recall_one(bank: RandomSite) -> None:
    """Somebody at the hub wants one of the carrier's parcels back, now and then one of another."""
    lying = [
        parcel
        for parcel in sorted(bank.site.planned)
        if any(parcel in held for held in bank.inside.values()) and parcel not in bank.taken
    ]
    own = [parcel for parcel in lying if bank.witness.carriers.get(parcel, "") in OWN]
    chosen: list[ParcelId] = own if own and bank.random.random() < 0.8 else lying
    if chosen:
        retrieval.says(bank, bank.random.choice(chosen), Intent.RECALL)


ACTS: Final[tuple[tuple[Act, int], ...]] = (
    (announce_with_its_carrier, 2),
    (courier_drops, 5),
    (courier_tries_another_label, 1),
    (courier_takes_out, 4),
    (courier_finishes, 3),
    (courier_goes, 2),
    (courier_hurries, 1),
    (courier_is_cut_off, 1),
)
