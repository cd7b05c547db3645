"""Staff who look after doors: a key for one that is stuck, said before or after, and a supply that must rest (M-06, M-09)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from controller.core.events import Button, SwitchChatters
from controller.core.model import After, Step
from controller.core.service import BACK_REASONS, OUT_REASONS
from controller.runner import BUSY_MS_MAX
from tests.simulation.people_at_the_bank import helpers
from wire.ids import Door, Label

if TYPE_CHECKING:
    from tests.simulation.random_site import Act, RandomSite

REST_MS: Final = (50, 400, 1_400)
"""How long a supply rests, or another coil is on: never longer than the firmware lets it."""


def staff_take_the_key(bank: RandomSite) -> None:
    """Staff say that they open a stuck door with the key, or that they just did; the PIN comes first."""
    site = bank.site
    site.sign_in()
    said = [key.partition("/")[2] for key in site.state.durable.alarms if key.startswith("door_forced/")]
    stuck = said or sorted(bank.jammed) or list(bank.inside)
    label = Label(bank.random.choice(stuck))
    if site.doors[label] is Door.OPEN and label not in said:
        return
    site.press(Button.KEY_OPENING, compartment=label)
    helpers.staff_pin(bank)


def staff_turn_the_key(bank: RandomSite) -> None:
    """At the door they spoke of: turn the key, think better of it, say it is open, or open the wrong one."""
    task = bank.site.state.live.task
    if task is None or task.step is not Step.OPEN_WITH_KEY or task.compartment is None:
        return
    what = bank.random.random()
    if what < 0.6 and bank.site.doors[task.compartment] is Door.CLOSED:
        bank.site.open(task.compartment)
        forced = f"door_forced/{task.compartment}" in bank.site.state.durable.alarms
        assert not forced, "M-09: staff said so, and it is called a break-in"
        held = None if task.parcel is None else bank.site.state.durable.parcels.get(task.parcel)
        booked = task.after is After.MOVE and held is not None and held.place is not None
        assert not booked, f"I-1: {task.parcel} is with staff who opened {task.compartment}, and booked behind it"
    elif what < 0.7:
        bank.site.press(Button.CANCEL)
    elif what < 0.8:
        bank.site.press(Button.DONE)
    else:
        bank.force()


def staff_close_a_door_down(bank: RandomSite) -> None:
    """Out of service for a reason, or back: what lies there is moved first (M-06)."""
    bank.site.sign_in()
    label = bank.random.choice(tuple(bank.inside))
    if bank.random.random() < 0.6:
        bank.site.press(Button.PUT_IN_SERVICE, bank.random.choice(BACK_REASONS), label)
        return
    bank.site.press(Button.TAKE_OUT_OF_SERVICE, bank.random.choice(OUT_REASONS), label)
    helpers.staff_pin(bank)


def switch_chatters(bank: RandomSite) -> None:
    """A switch nobody can believe: its door is suspect, and opens all the same (A-08, D-09)."""
    if bank.random.random() < 0.6:
        return
    label = bank.random.choice([label for label, held in bank.inside.items() if held] or list(bank.inside))
    bank.site.runner.feed(SwitchChatters(label))
    bank.witness.look()
    for parcel in sorted(bank.inside[label] & bank.versions.keys()):
        version = bank.versions[parcel]
        bank.witness.shown.add(parcel)
        asked = bank.witness.must_open(parcel, version)
        served = len(bank.site.recorder.causes)
        bank.site.scan(bank.site.slip(parcel, version))
        opened = [cause.compartment for cause in bank.site.recorder.causes[served:]]
        assert not asked or opened == [label] or bank.site.state.live.repeated, f"A-08: {label} is suspect, and locked"


def supply_rests(bank: RandomSite) -> None:
    """For a moment the coils are not to be had; not for moment after moment, or the firmware's bound is no bound."""
    if bank.site.clock.mono < bank.site.recorder.rests_until + BUSY_MS_MAX:
        return
    bank.site.recorder.rests_until = bank.site.clock.mono + bank.random.choice(REST_MS)


ACTS: Final[tuple[tuple[Act, int], ...]] = (
    (staff_take_the_key, 2),
    (staff_turn_the_key, 4),
    (staff_close_a_door_down, 2),
    (switch_chatters, 1),
    (supply_rests, 2),
)
