"""Staff who look after doors: a key for one that is stuck, said before or after, and a supply that must rest (M-09)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from controller.core.events import Button
from controller.core.model import After, Step
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


def supply_rests(bank: RandomSite) -> None:
    """For a moment the coils are not to be had."""
    bank.site.recorder.rests_until = bank.site.clock.mono + bank.random.choice(REST_MS)


ACTS: Final[tuple[tuple[Act, int], ...]] = ((staff_take_the_key, 2), (staff_turn_the_key, 4), (supply_rests, 2))
