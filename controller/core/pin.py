"""The PIN on top of a badge: asked before a compartment opens that may hold a parcel, and bounded by a durable bucket.

Owns when it is asked, whether it is right, and how often it may be tried. Refuses to keep one: the roster holds a digest keyed with
the badge's own text, which only `Live` knows while its bearer is signed in (ADR 0011). Given once it counts for the session.
"""

from __future__ import annotations

import hmac
from typing import Final

from controller.core import reconciliation
from controller.core.effects import AskPin, Decision, ShowStaff, Signal, Sound
from controller.core.events import AssistAsked, Button, Pressed
from controller.core.evolve import MILLI
from controller.core.loading import tell
from controller.core.model import Now, Staff, State
from controller.core.moving import room_for
from controller.core.notices import StaffNotice, StaffNoticeKind
from controller.core.retrieval import first_door
from wire import facts as f
from wire.badges import pin_digest
from wire.ids import Label, Occupancy
from wire.plan import Person

TRIES_BURST: Final = 5
"""Wrong PINs in a row for one person: somebody tired still comes in, and nobody else is kept out by them."""

TRIES_PER_HOUR: Final = 2
"""More tries as time is measured: a found badge with a PIN of four digits meets 48 of 10,000 in a day."""

HOUR_MS: Final = 3_600_000

_OPENS: Final = frozenset({Button.CHECK, Button.REOPEN, Button.KEY_OPENING, Button.TAKE_OUT_OF_SERVICE})


def asked_first(state: State, staff: Staff, event: Pressed | AssistAsked) -> Decision | None:
    """The question for the PIN, when what was pressed opens a compartment not known to be empty; None when it may go on."""
    if state.live.pin_given or not _may_hold_a_parcel(state, _behind(state, staff, event)):
        return None
    person = _person(state, staff)
    if person is not None and person.pin:
        return Decision((), (AskPin(event), Sound(Signal.ATTENTION)))
    return tell(StaffNoticeKind.NO_PIN) if state.durable.settings.pin_required else None


def refused(state: State, staff: Staff, text: str, now: Now) -> Decision | None:
    """What follows from a PIN that is not right, or was tried too often; None when it is right."""
    person = _person(state, staff)
    tokens = tries_milli(state, staff.person, now)
    if tokens < MILLI:
        return Decision((), (ShowStaff(StaffNotice(StaffNoticeKind.PIN_WAIT)), Sound(Signal.REFUSED)))
    if person is not None and hmac.compare_digest(person.pin, pin_digest(state.live.badge, text)):
        return None
    left = tokens - MILLI
    wrong = f.PinRefused(person=staff.person, session=staff.session, tokens_milli=left)
    kind = StaffNoticeKind.PIN_WRONG if left >= MILLI else StaffNoticeKind.PIN_WAIT
    return Decision((wrong,), (ShowStaff(StaffNotice(kind)), Sound(Signal.REFUSED)))


def tries_milli(state: State, person: str, now: Now) -> int:
    """Thousandths of a try that somebody has left; refilled by measured time only, never by a success (I-22)."""
    tries = state.durable.pin_tries.get(person)
    if tries is None:
        return TRIES_BURST * MILLI
    gained = max(0, now.mono - tries.since_mono) * TRIES_PER_HOUR * MILLI // HOUR_MS
    return min(TRIES_BURST * MILLI, tries.milli + gained)


def wait_ms(state: State, person: str, now: Now) -> int:
    """Milliseconds until somebody may try again; 0 when they may now."""
    missing = MILLI - tries_milli(state, person, now)
    return 0 if missing <= 0 else -(-missing * HOUR_MS // (TRIES_PER_HOUR * MILLI))


def _person(state: State, staff: Staff) -> Person | None:
    return next((person for person in state.durable.people if person.id == staff.person), None)


def _behind(state: State, staff: Staff, event: Pressed | AssistAsked) -> Label | None:
    """The compartment that what was asked would open; None when it opens none."""
    if isinstance(event, AssistAsked) or event.button in {Button.REMOVE, Button.REISSUE, Button.MANDATE}:
        held = state.durable.compartments.items()
        return next((label for label, known in held if known.parcel == event.parcel), None)
    if event.button is Button.END_PRACTICE:
        return state.durable.practice
    if event.button is Button.RETRIEVE:
        return first_door(state, staff, event.parcel)
    if event.button is Button.RECONCILE:
        return None if state.live.task is not None else reconciliation.first_door(state, event.value)
    if event.button is Button.MAKE_ROOM:
        return None if state.live.task is None else room_for(state, state.live.task)
    return event.compartment if event.button in _OPENS else None


def _may_hold_a_parcel(state: State, label: Label | None) -> bool:
    known = None if label is None else state.durable.compartments.get(label)
    return known is not None and known.occupancy is not Occupancy.FREE
