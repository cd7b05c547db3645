"""People whose slip the reader cannot read, a reader that sends noise (C-33), people who do not see (C-29), and people
who send somebody (C-30).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from controller.core.events import Button, Touched, Unread
from controller.core.handing_in import SendStep
from controller.core.model import Phase
from controller.core.notices import NoticeKind
from tests.controller.virtual_site import NUMBER, SITE_KEY
from tests.simulation.inventory_watch import COLLECTING
from tests.simulation.people_at_the_bank.helpers import staff_pin
from wire.ids import ParcelState
from wire.mandate import mandate_text
from wire.pickup import PickupKey
from wire.plan import Help

if TYPE_CHECKING:
    from tests.simulation.random_site import Act, RandomSite
    from wire.ids import Label, ParcelId

PATIENCE_MS: Final = 11_000
"""A second more than somebody is left alone with a slip that is not read."""
NOISE_S: Final = 100
HINTS_MAX: Final = 3
"""A machine that talks to an empty room is switched off by those who live beside it."""


def help_of(number: int) -> Help:
    """Every third recipient does not see, and one more does not hear."""
    return {0: Help.BLIND, 1: Help.DEAF}.get(number % 3, Help.STANDARD)


def is_led(bank: RandomSite, label: Label) -> None:
    """A door that has just sprung open ticks, if it is for somebody who does not see it (C-29)."""
    opening = bank.site.state.durable.openings.get(label)
    if opening is None or opening.phase is not Phase.OPEN or opening.purpose not in COLLECTING:
        return
    known = None if opening.parcel is None else bank.site.state.durable.parcels.get(opening.parcel)
    if known is not None and known.help is Help.BLIND:
        assert bank.site.lamp.patterns[-1] == "ticking", f"C-29: door {label} opened in silence for who cannot see it"


def does_not_see(bank: RandomSite) -> None:
    """Somebody who does not see comes with their newest slip, and listens for their door."""
    waiting = [
        known.id
        for known in bank.site.state.durable.parcels.values()
        if known.help is Help.BLIND and _lies_there(bank, known.id) and known.id in bank.versions
    ]
    if waiting:
        parcel = bank.random.choice(waiting)
        bank.witness.shown.add(parcel)
        bank.site.scan(bank.site.slip(parcel, bank.versions[parcel]))
        bank.wait(500)


def owner_sends_somebody(bank: RandomSite) -> None:
    """A recipient asks for a slip for another person, or takes it back (C-30)."""
    known = bank.site.state.durable.parcels.values()
    stored = [parcel for parcel in known if parcel.state is ParcelState.STORED]
    if not stored:
        return
    parcel = bank.random.choice(stored)
    bank.site.sign_in()
    if parcel.mandate and bank.random.random() < 0.6:
        bank.site.press(Button.WITHDRAW_MANDATE, parcel=parcel.id)
        return
    bank.site.press(Button.MANDATE, "known", parcel=parcel.id)
    if bank.random.random() < 0.8:
        staff_pin(bank)
    now = bank.site.state.durable.parcels.get(parcel.id)
    if now is not None and now.mandates > parcel.mandates:
        key = PickupKey(NUMBER, now.id, now.version, now.epoch)
        bank.mandates.append((now.id, mandate_text(SITE_KEY, key, now.mandate)))


def delegate_comes(bank: RandomSite) -> None:
    """Somebody with a mandate slip, perhaps of long ago."""
    if not bank.mandates:
        return
    parcel, text = bank.random.choice(bank.mandates[-3:])
    if _lies_there(bank, parcel) or parcel in bank.taken - bank.reported:
        bank.site.scan(text)
        bank.wait(bank.random.choice((0, 500)))


def _lies_there(bank: RandomSite, parcel: ParcelId) -> bool:
    """Behind a door indeed, and wanted: who finds nothing there, or puts it back, says so, and that is told elsewhere (`reports`)."""
    return parcel not in bank.reported and any(parcel in held for held in bank.inside.values())


def cannot_be_read(bank: RandomSite) -> None:
    """Somebody touches the screen and turns a dirty slip; some of them type its digits instead."""
    quiet, types = _is_quiet(bank), bank.random.random() < 0.3
    bank.site.runner.feed(Touched(busy=False))
    if types:
        bank.site.runner.feed(Touched(busy=True))
    hints = _hints_within(bank, PATIENCE_MS)
    if quiet and types:
        assert hints == 0, "C-33: somebody who types is told how to hold a slip"
    elif quiet:
        assert hints == 1, "C-33: somebody stood there for ten seconds, and the screen said nothing"


def noise(bank: RandomSite) -> None:
    """A reader that sees something all the time and reads nothing: a sticker before its eye, a bad cable."""
    quiet = _is_quiet(bank)
    bank.site.runner.feed(Touched(busy=True))
    hints = 0
    for _ in range(NOISE_S):
        bank.site.runner.feed(Unread())
        hints += _hints_within(bank, 1_000)
    assert hints <= HINTS_MAX, "C-33: a reader full of noise lets the machine talk for ever"
    assert hints or not quiet, "C-33: the reader saw a slip for a long time, and the screen said nothing"


def _is_quiet(bank: RandomSite) -> bool:
    """Nobody else is served, answered or kept waiting."""
    durable, live = bank.site.state.durable, bank.site.state.live
    moving = any(opening.phase in {Phase.PULSING, Phase.OPEN} for opening in durable.openings.values())
    asked = live.sending is not None and live.sending.step is not SendStep.PUT_IN
    return durable.staff is None and live.notice is None and not live.waiting and not moving and not asked


def _hints_within(bank: RandomSite, milliseconds: int) -> int:
    """How often a hint came on the screen meanwhile."""
    seen: set[int] = set()
    before = _hint_until(bank)
    for _ in range(milliseconds // 500):
        bank.wait(500)
        seen.add(_hint_until(bank))
    return len(seen - {0, before})


def _hint_until(bank: RandomSite) -> int:
    """When the hint on the screen ends, which tells it from the one before; 0 without one."""
    notice = bank.site.view().customer.notice
    shown = notice is not None and notice.kind is NoticeKind.SCAN_HINT
    return bank.site.state.live.notice_until if shown else 0


ACTS: Final[tuple[tuple[Act, int], ...]] = (
    (cannot_be_read, 2),
    (noise, 1),
    (does_not_see, 4),
    (owner_sends_somebody, 3),
    (delegate_comes, 4),
)
