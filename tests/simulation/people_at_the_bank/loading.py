"""Staff with things that go wrong in their hands: doors that do not hold, the wrong door, heavy, low and nameless parcels, swaps.

(S-08, S-10, S-13, S-14, S-15.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from controller.core.events import Button, Pressed
from controller.core.model import After, Phase, Step, Task, in_compartment
from tests.simulation.people_at_the_bank import helpers
from wire.badges import CommandCard
from wire.ids import Door, Label, Occupancy, ParcelId, ParcelState, Purpose, ReachZone, Service, parcel_id_from_bits

if TYPE_CHECKING:
    from tests.simulation.random_site import Act, RandomSite

_NOT_OURS_MS: Final = 70_000
"""A door that moved longer ago than this belongs to no opening any more."""


def hands_at(bank: RandomSite, label: Label) -> bool:
    """What staff move at this door when one parcel makes room for another; whether they did."""
    task = bank.site.state.live.task
    if task is None or task.compartment != label or task.parcel is None:
        return False
    if task.step is Step.TAKE_BACK and task.after is After.MOVE and task.parcel in bank.inside[label]:
        bank.inside[label].discard(task.parcel)
        bank.laid_aside.add(task.parcel)
        return True
    if task.step is Step.PUT_IN and task.parcel in bank.laid_aside and bank.is_outside(task.parcel):
        bank.laid_aside.discard(task.parcel)
        bank.inside[label].add(task.parcel)
        return True
    return False


def door_does_not_hold(bank: RandomSite) -> None:
    """The door of a deposit is shut and springs open, and once more (S-10)."""
    task, label = bank.site.state.live.task, _door_of_a_deposit(bank)
    if label is None or task is None or task.parcel is None:
        return
    bank.hands_at(label)
    bank.wait(3_000)
    for spring in (1, 2):
        now = bank.site.state.live.task
        if now is None or now.step is not Step.PUT_IN or bank.site.doors[label] is not Door.OPEN or now.touched:
            return
        bank.site.close(label)
        stored = bank.site.state.durable.parcels[task.parcel].state is ParcelState.STORED
        bank.site.wait(300)
        went_on = bank.site.state.live.task is not None
        bank.site.open(label)
        if not stored or went_on or bank.site.state.durable.staff is None:
            return
        opening = bank.site.state.durable.openings[label]
        if opening.purpose is not Purpose.LOAD:
            return  # a recipient stood there already: it opens for them, and not by itself
        known = bank.site.state.durable.parcels[task.parcel]
        assert known.state is ParcelState.RECEIVED, "S-10: what lies behind a door that sprang open counts as stored"
        service = bank.site.state.durable.compartments[label].service
        bounces = bank.site.state.durable.openings[label].bounces
        assert bounces < 2 or service is not Service.IN_SERVICE, f"S-10: {label} sprang open {spring} times, no suspect"


def staff_leave_what_sprang_open(bank: RandomSite) -> None:
    """The door of a deposit springs open, staff are called away, somebody helps themselves; later they look (S-10, I-4)."""
    task, label = bank.site.state.live.task, _door_of_a_deposit(bank)
    if label is None or task is None or task.parcel is None:
        return
    bank.hands_at(label)
    bank.wait(3_000)
    if bank.site.doors[label] is not Door.OPEN or task.parcel not in bank.inside[label]:
        return
    bank.site.close(label)
    bank.wait(300)
    if bank.site.doors[label] is not Door.CLOSED or bank.site.state.live.waiting:
        return
    bank.site.open(label)
    asked = bank.site.state.live.task
    known = bank.site.state.durable.parcels[task.parcel]
    sprang = known.state is ParcelState.RECEIVED and asked is not None and asked.step is Step.PUT_IN
    if not sprang or task.parcel not in bank.inside[label]:
        return
    bank.site.press(Button.CANCEL)
    left = bank.site.state.live.task
    if left is None or left.step is not Step.TAKE_BACK:
        return  # another question came first, and they are still at it
    bank.inside[label].discard(task.parcel)
    bank.taken.add(task.parcel)
    bank.wait(3_000)
    bank.site.close(label)
    bank.wait(60_000)
    bank.site.sign_in()
    bank.site.press(Button.CHECK, compartment=label)
    helpers.staff_pin(bank)
    bank.wait(3_000)
    if bank.site.doors[label] is Door.OPEN:
        bank.site.close(label)
        bank.wait(1_000)
        bank.site.card(CommandCard.EMPTY if not bank.inside[label] else CommandCard.NOT_EMPTY)


def staff_misplace(bank: RandomSite) -> None:
    """The parcel goes behind another door that stands ajar; staff say where, or do not know (S-08)."""
    label = _door_of_a_deposit(bank)
    other = bank.random.choice(tuple(bank.inside))
    parcel = bank.in_staff_hands
    if label is None or other == label or not _is_left_alone(bank, other) or parcel is None or bank.inside[other]:
        return
    if bank.site.state.durable.compartments[other].parcel is not None:
        return  # Its key would open it should the power fail before anybody is asked; nobody could know.
    task = bank.site.state.live.task
    if task is None or task.parcel != parcel:
        return
    bank.site.open(other)
    bank.inside[other].add(parcel)
    bank.in_staff_hands = None
    bank.wait(3_000)
    bank.site.close(other)
    bank.wait(1_000)
    if bank.site.doors[label] is not Door.OPEN:
        return
    bank.site.close(label)
    _say_where(bank, parcel, other)


def _say_where(bank: RandomSite, parcel: ParcelId, other: Label) -> None:
    task = bank.site.state.live.task
    asked = task is not None and task.step is Step.WHICH_DOOR
    known = bank.site.state.durable.parcels[parcel]
    assert asked or known.state is not ParcelState.STORED, "S-08: another door moved, and nobody is asked"
    held = bank.site.state.durable.compartments[other].parcel
    if not asked or bank.random.random() < 0.3:
        return  # Nobody answers.
    if bank.random.random() < 0.3:
        bank.site.press(Button.IN_DOOR)
        assert bank.site.state.durable.compartments[other].occupancy is not Occupancy.FREE, "S-08: doubt counts as free"
        return
    bank.site.press(Button.IN_DOOR, compartment=other)
    place = bank.site.state.durable.parcels[parcel].place
    alone = held is None and bank.site.state.durable.compartments[other].service is not Service.OUT_OF_SERVICE
    expected = in_compartment(other) if alone else None
    assert place == expected, f"S-08: it lies behind {other}, staff said so, and it is booked at {place}"


def staff_say_what_they_see(bank: RandomSite) -> None:
    """Heavy, or for somebody who cannot reach high; now and then taken back (S-15)."""
    task = bank.site.state.live.task
    if task is None or task.parcel is None or task.step not in {Step.CHOOSE_SIZE, Step.PUT_IN, Step.PUT_ON_SHELF}:
        return
    button, said = bank.random.choice(((Button.HEAVY, bank.witness.heavy), (Button.LOW, bank.witness.low)))
    bank.site.press(button)
    said ^= {task.parcel}
    now = bank.site.state.live.task
    if now is not None and now.step is Step.PUT_IN and now.compartment is not None and task.parcel in bank.witness.low:
        reach = bank.site.setup.cards[now.compartment].reach
        assert reach is not ReachZone.HIGH, f"S-14: {now.compartment} is out of reach, and the parcel goes there"


def staff_cannot_read(bank: RandomSite) -> None:
    """A parcel without a label: on the shelf, without a code, for nobody (S-13)."""
    if bank.site.state.durable.staff is None or bank.site.state.live.task is not None or bank.in_staff_hands:
        return
    bank.counter += 1
    parcel = parcel_id_from_bits(bank.counter)
    bank.site.runner.feed(_cannot_read(bank.counter))
    if parcel not in bank.site.state.durable.parcels:
        return
    bank.site.press(Button.DONE)
    assert bank.site.view().staff.slip is None, "S-13: a code for nobody"
    bank.site.press(Button.HAND_OVER, parcel=parcel)
    assert parcel in bank.site.state.durable.parcels, "S-13: given to somebody, and nobody knows whose it is"
    if bank.random.random() < 0.5:
        bank.site.press(Button.IDENTIFIED, parcel=parcel)
        bank.site.press(Button.HAND_OVER, parcel=parcel)
        assert parcel in bank.site.state.durable.ended, "S-13: identified, and still given to nobody"


def announce_for_who_cannot_reach(bank: RandomSite) -> None:
    """A parcel that must lie at hand."""
    bank.counter += 1
    parcel = parcel_id_from_bits(bank.counter)
    bank.tracking[parcel] = f"8N{10_000_000_000 + bank.counter}"
    bank.versions[parcel] = 1
    bank.site.announce(bank.counter, bank.tracking[parcel], reach=ReachZone.MID)


def staff_make_room(bank: RandomSite) -> None:
    """Another parcel moves up for one that must lie low (S-14)."""
    task = bank.site.state.live.task
    if task is None or task.step is not Step.PUT_ON_SHELF or task.parcel is None:
        return
    bank.site.card(CommandCard.MAKE_ROOM)
    then = bank.site.state.live.task
    if then is not None and then.after is After.MOVE and then.then is not None:
        bank.laid_aside.add(then.then)
        if bank.in_staff_hands == then.then:
            bank.in_staff_hands = None


def _cannot_read(entropy: int) -> Pressed:
    return Pressed(Button.UNIDENTIFIED, entropy=entropy)


def _door_of_a_deposit(bank: RandomSite) -> Label | None:
    """The open door that staff are asked to put the parcel behind."""
    task: Task | None = bank.site.state.live.task
    if task is None or task.step is not Step.PUT_IN or task.compartment is None:
        return None
    opening = bank.site.state.durable.openings.get(task.compartment)
    is_open = bank.site.doors[task.compartment] is Door.OPEN
    ours = opening is not None and opening.purpose is Purpose.LOAD and opening.phase is Phase.OPEN
    return task.compartment if is_open and ours else None


def _is_left_alone(bank: RandomSite, label: Label) -> bool:
    opening = bank.site.state.durable.openings.get(label)
    last = 0 if opening is None else max(opening.pulse_mono, opening.closed_mono, opening.opened_mono)
    old = opening is None or bank.site.clock.mono - last > _NOT_OURS_MS
    return old and bank.site.doors[label] is Door.CLOSED


ACTS: Final[tuple[tuple[Act, int], ...]] = (
    (staff_leave_what_sprang_open, 1),
    (door_does_not_hold, 2),
    (staff_misplace, 3),
    (staff_say_what_they_see, 2),
    (staff_cannot_read, 1),
    (announce_for_who_cannot_reach, 1),
    (staff_make_room, 3),
)
