"""Staff with a PIN, and staff who open for a recipient at the desk (M-05)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from controller.core.events import AssistAsked, Button, Pressed
from tests.controller.virtual_site import NUMBER, SITE_KEY
from wire.ids import IdentityCheck, Motive, ParcelState
from wire.practice import practice_text

if TYPE_CHECKING:
    from tests.simulation.random_site import Act, RandomSite

PIN: Final = "4071"
WRONG: Final = "1704"
GUESSES: Final = 9
"""Somebody with a found badge tries this often in a row."""


def staff_help(bank: RandomSite) -> None:
    """A recipient without a working slip stands at the desk; staff know them, and open."""
    stored = [parcel.id for parcel in bank.site.state.durable.parcels.values() if parcel.state is ParcelState.STORED]
    if not stored:
        return
    bank.site.sign_in()
    here = bank.random.random() < 0.9
    bank.site.runner.feed(
        AssistAsked(bank.random.choice(stored), bank.random.choice(tuple(Motive)), IdentityCheck.KNOWN, here)
    )
    if bank.random.random() < 0.7:
        staff_pin(bank)


def staff_pin(bank: RandomSite) -> None:
    """The PIN that the screen asks for, seldom with a slip of the finger, seldom from somebody who found the badge."""
    if not bank.site.view().staff.pin_asked:
        return
    slip = bank.random.random()
    if slip < 0.1:
        bank.site.give_pin(WRONG)
    elif slip < 0.15:
        _guess(bank)
        return
    bank.witness.pin_typed()
    bank.site.give_pin(PIN)


def _guess(bank: RandomSite) -> None:
    """Somebody with a found badge tries PINs, and pulls the plug to try again."""
    wish = bank.site.state.live.pin_for
    for _ in range(2):
        for _ in range(GUESSES):
            bank.site.give_pin(WRONG)
        bank.power_cut()
        bank.site.sign_in()
        if isinstance(wish, Pressed | AssistAsked):
            bank.site.runner.feed(wish)


def practise(bank: RandomSite) -> None:
    """A mediator begins practice or ends it, or somebody tries the slip once more (M-10)."""
    site = bank.site
    if site.state.durable.practice is not None and bank.random.random() < 0.6:
        site.scan(practice_text(SITE_KEY, NUMBER, 0))
        return
    site.sign_in()
    if site.state.durable.practice is None:
        site.press(Button.PRACTISE, compartment=bank.random.choice(tuple(bank.inside)))
    else:
        site.press(Button.END_PRACTICE)


ACTS: Final[tuple[tuple[Act, int], ...]] = ((staff_help, 2), (staff_pin, 4), (practise, 3))
