"""When something is due: the next deadline of a state, and the kept inputs whose turn has come.

Owns the arithmetic of times. Refuses to act: `decide` looks at the same state again when it is told `Tick`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, cast

from controller.core.drop import DROP_PAUSE_MS
from controller.core.events import Event, NextDoor
from controller.core.handing_in import SendStep
from controller.core.model import Live, Now, Opening, Parcel, Phase, State, Step, Waiting
from controller.core.observe import WAITING_MS
from controller.core.trying import hint_at
from wire.ids import Door, Label, ParcelState, Purpose

SETTLE_MS: Final = 2_000
"""A door that opens again this soon after it closed had not latched: the same opening goes on, no alarm."""

BOUNCES_MAX: Final = 2
"""A door that sprang open this often in one deposit does not hold: another one is taken (S-10)."""
_OF_STAFF: Final = frozenset({Purpose.LOAD, Purpose.VERIFY})
_LEFT_ALONE: Final = frozenset({Step.CHOOSE_SIZE, Step.PUT_ON_SHELF, Step.TAKE_FROM_SHELF, Step.CHECK_SHELF})
"""Steps that ask nothing of a door: left alone, they end with the session, and the parcel goes on when its label is read again."""

KEY_MS: Final = 180_000
"""How long after staff said that they open a door with the key it may open so (M-09): fetch the key, walk there, turn it."""

ASSISTED_TIMES: Final = 2
"""Somebody who walks with a stick and is shown each step needs the double."""

CHOOSE_MS: Final = 60_000
"""How long the sizes are shown to somebody who hands in a parcel: no door is open yet, and they can begin again."""

LATE_MS: Final = 60_000
"""A door that opens this soon after its last pulse failed was helped by hand: the same opening goes on."""


def next_deadline(state: State, now: Now) -> int | None:
    """The monotonic millisecond at which `Tick` should be fed next, or None when nothing runs."""
    return min(_deadlines(state, now), default=None)


def take_waiting(state: State, now: Now) -> tuple[Live, Event] | None:
    """The kept input whose turn has come, and `Live` without it."""
    first = _first_waiting(state)
    if first is None or not is_ready(state, now):
        return None
    later = tuple(kept for kept in state.live.waiting if kept is not first)
    return replace(state.live, waiting=later, last_text=b""), cast("Event", first.event)


def is_ready(state: State, now: Now) -> bool:
    """Whether another door may be opened now: one door at a time, one coil at a time, and a pause between pulses."""
    ready = _ready_at(state)
    return ready is not None and ready <= now.mono


def is_ready_after(state: State, failed: Opening, now: Now) -> bool:
    """Whether another door may be opened once `failed` is given up, which this state does not know yet."""
    others = {label: known for label, known in state.durable.openings.items() if known is not failed}
    rest = replace(state, durable=replace(state.durable, openings=others))
    return now.mono - failed.pulse_mono >= state.durable.settings.pulse_gap_ms and is_ready(rest, now)


def open_openings(state: State) -> Iterator[Opening]:
    """Openings whose door is being opened or stands open."""
    return (opening for opening in state.durable.openings.values() if opening.phase in {Phase.PULSING, Phase.OPEN})


def stands_open(state: State, label: Label) -> bool:
    """Whether an opening of this compartment was answered by its door, and is not over."""
    opening = state.durable.openings.get(label)
    return opening is not None and opening.phase is Phase.OPEN


def collected_at(state: State, since_mono: int) -> int:
    """When a taken parcel counts as collected."""
    return since_mono + state.durable.settings.dispute_ms


def awaiting_collected(state: State) -> Iterator[Parcel]:
    """Taken parcels whose dispute window runs; while their door is open again it does not end."""
    reopened = {opening.session for opening in open_openings(state)}
    return (
        parcel
        for parcel in state.durable.parcels.values()
        if parcel.state is ParcelState.COLLECTING and parcel.session not in reopened
    )


def pulse_over_at(state: State, opening: Opening) -> int:
    """When a pulse that was not answered by the door is given up."""
    settings = state.durable.settings
    return opening.pulse_mono + max(settings.open_timeout_ms, settings.pulse_gap_ms)


def is_quick(state: State, opening: Opening, now: Now) -> bool:
    """Whether a door that closes now stood open for less than a hand needs (ADR 0008).

    After a restart it is the time since the start: it stood open for at least that long.
    """
    return now.mono - opening.opened_mono < state.durable.settings.quick_close_ms


def take_ms(state: State, opening: Opening) -> int:
    """How long taking may last before it is announced: twice as long for somebody who is being helped (M-05)."""
    assisted = opening.purpose is Purpose.COLLECT and bool(opening.by)
    return state.durable.settings.take_ms * (ASSISTED_TIMES if assisted else 1)


def nag_at(state: State, opening: Opening) -> int:
    """When an open door is announced (again)."""
    settings = state.durable.settings
    first = opening.opened_mono + take_ms(state, opening)
    return first if state.live.nagged_mono < first else state.live.nagged_mono + settings.nag_ms


def alarm_at(state: State, opening: Opening) -> int:
    """When an open door becomes an alarm: after a time, or sooner when staff who opened it fall silent (S-18)."""
    settings = state.durable.settings
    standing = opening.opened_mono + settings.alarm_ms
    if opening.purpose not in _OF_STAFF:
        return standing
    return min(standing, max(opening.opened_mono, state.live.active_mono) + settings.staff_idle_ms)


def idle_at(state: State) -> int:
    """When a silent staff session ends."""
    return state.live.active_mono + state.durable.settings.staff_idle_ms


def answer_by(state: State) -> int | None:
    """When a question about what lies where is taken as unanswered, and a door no longer waited for that staff open with the key."""
    task = state.live.task
    if task is not None and task.step is Step.OPEN_WITH_KEY:
        return task.asked_mono + KEY_MS
    if task is None or task.step not in {Step.ASK_EMPTY, Step.WHICH_DOOR}:
        return None
    return task.asked_mono + state.durable.settings.cancel_answer_ms


def reads_open_since(state: State, label: Label) -> int | None:
    """Since when the switch of a door has read open, at the earliest since this start; None when it does not."""
    if state.door(label) is not Door.OPEN:
        return None
    return state.live.opened.get(label, state.live.booted_mono)


def sensor_at(state: State, label: Label) -> int | None:
    """When a switch that reads open is no longer believed; None when it reads otherwise or staff were told (A-08)."""
    since = reads_open_since(state, label)
    if since is None or label in state.live.sensor_told:
        return None
    return since + state.durable.settings.sensor_open_ms


def is_blind(state: State, label: Label) -> bool:
    """Whether the switch read open already when the latch was fired: it cannot show that this door was opened or shut."""
    since, opening = reads_open_since(state, label), state.durable.openings.get(label)
    return since is not None and opening is not None and since < opening.pulse_mono


def send_answer_by(state: State) -> int | None:
    """When somebody who hands in a parcel, and is asked for its size or whether it is inside, is taken to have gone (C-32)."""
    sending = state.live.sending
    if sending is None or sending.step is SendStep.PUT_IN:
        return None
    asked = sending.step is SendStep.ASK_INSIDE
    return sending.asked_mono + (state.durable.settings.cancel_answer_ms if asked else CHOOSE_MS)


def may_sign_out(state: State) -> bool:
    """Whether an idle session may end: somebody is signed in, no door is open and no question waits for its answer (S-18)."""
    task = state.live.task
    left = task is None or task.step in _LEFT_ALONE
    return state.durable.staff is not None and left and not any(open_openings(state))


def _first_waiting(state: State) -> Waiting | None:
    """The first kept input that may go: the next door of one recipient never opens beside one they left open (C-25)."""
    return next((kept for kept in state.live.waiting if not _is_held(state, kept.event)), None)


def _is_held(state: State, event: object) -> bool:
    return isinstance(event, NextDoor) and any(opening.compartment == event.after for opening in open_openings(state))


def _ready_at(state: State) -> int | None:
    """The instant from which another pulse may be ordered; None while one is still waiting for its door."""
    settings = state.durable.settings
    ready = 0
    for opening in state.durable.openings.values():
        if opening.phase is Phase.PULSING:
            return None
        if opening.phase is Phase.OPEN and opening.bounces < BOUNCES_MAX:  # One that cannot hold stops nobody.
            ready = max(ready, opening.opened_mono + take_ms(state, opening))
        ready = max(ready, opening.pulse_mono + settings.pulse_gap_ms)
    sending = state.live.sending
    if sending is not None and sending.step is SendStep.ASK_INSIDE:  # A question nobody sees is answered by nobody.
        ready = max(ready, sending.asked_mono + settings.cancel_answer_ms)
    return ready


def _drop_over_at(state: State) -> Iterator[int]:
    drop = state.durable.drop
    if drop is not None and drop.left_mono is not None:
        yield drop.left_mono + DROP_PAUSE_MS


def _deadlines(state: State, now: Now) -> Iterator[int]:
    live = state.live
    for opening in open_openings(state):
        if opening.phase is Phase.PULSING:
            yield pulse_over_at(state, opening)
        else:
            yield nag_at(state, opening)
            if not opening.alarmed:
                yield alarm_at(state, opening)
    for parcel in awaiting_collected(state):
        yield collected_at(state, parcel.since_mono)
    if live.notice is not None:
        yield live.notice_until
    if live.staff_notice is not None:
        yield live.staff_notice_until
    yield from (by for by in (answer_by(state), send_answer_by(state)) if by is not None)
    yield from (at for label in state.setup.cards if (at := sensor_at(state, label)) is not None)
    if (hint := hint_at(state)) is not None:
        yield hint
    if may_sign_out(state):
        yield idle_at(state)
    yield from _drop_over_at(state)
    if live.waiting:
        ready = None if _first_waiting(state) is None else _ready_at(state)
        yield min(kept.since_mono for kept in live.waiting) + WAITING_MS
        if ready is not None:
            yield max(ready, now.mono)
