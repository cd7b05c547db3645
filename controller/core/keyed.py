"""A stuck door is opened with the mechanical key: staff say so before it, or just after it, and it is no break-in (M-09).

Owns the word of staff, how long it counts, and what is asked behind a door that no latch opened. Refuses to let a word cover more than
one opening of one door: any other door, a second opening, one too early or too late is forced, and an alarm at once (I-11).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from controller.core import moving
from controller.core.effects import Decision, Effect, SetTask, ShowStaff, Signal, Sound
from controller.core.loading import tell
from controller.core.model import After, Now, Opening, Phase, Staff, State, Step, Task, alarm_key
from controller.core.notices import StaffNotice, StaffNoticeKind
from controller.core.orders import ask_empty, next_session
from wire import facts as f
from wire.ids import Door, Label, Service

FORCED: Final = "door_forced"

SAID_AFTER_MS: Final = 300_000
"""How long after a door opened without an order staff may say that it was they: the time to come back to the desk, and no longer.
Measured since this start only: what nobody measured is not excused."""

NOT_SEEN: Final = "key_not_seen"


def said(state: State, staff: Staff, label: Label | None, now: Now) -> Decision:
    """The key will be used at this door, or was used just now."""
    if label is None or label not in state.durable.compartments:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    if state.live.task is not None:
        return tell(StaffNoticeKind.FINISH_FIRST, compartment=state.live.task.compartment)
    opening = state.durable.openings.get(label)
    if opening is not None and opening.phase in {Phase.PULSING, Phase.OPEN}:
        return tell(StaffNoticeKind.CLOSE_DOOR_FIRST, compartment=label)
    if alarm_key(FORCED, label) in state.durable.alarms:
        return _said_after(state, staff, label, now)
    parcel = state.durable.compartments[label].parcel
    after = After.MOVE if moving.lies_there(state, label) else After.NOTHING
    task = Task(Step.OPEN_WITH_KEY, parcel, label, after, asked_mono=now.mono)
    return Decision((_declared(state, staff, label, 0),), (SetTask(task), Sound(Signal.OK)))


def is_awaited(state: State, opening: Opening) -> bool:
    """Whether staff still stand at this door with the key: the screen asks them for it, and its time is not over (`due.answer_by`)."""
    task = state.live.task
    return task is not None and task.step is Step.OPEN_WITH_KEY and task.compartment == opening.compartment


def opened(state: State, opening: Opening) -> Decision:
    """The door that was spoken of is open. What lay there is with staff from now on, whatever a power cut interrupts."""
    task = state.live.task
    assert task is not None, "only a door that is waited for opens with the key (is_awaited)"
    seen = f.DoorOpened(compartment=opening.compartment, session=opening.session)
    return Decision(
        (seen, *moving.in_hands(state, opening)), (SetTask(replace(task, step=Step.TAKE_BACK)), Sound(Signal.OK))
    )


def not_seen(state: State, now: Now) -> Decision:
    """It is open, say staff, and its switch has not said so: they are believed, and the switch is not (I-12)."""
    task = state.live.task
    assert task is not None and task.compartment is not None, "the question is about a door"  # noqa: PT018 one thing
    label = task.compartment
    opening = state.durable.openings.get(label)
    facts: tuple[f.AnyFact, ...] = () if opening is None else moving.in_hands(state, opening)
    if state.durable.compartments[label].service is Service.IN_SERVICE:
        facts = (*facts, f.ServiceSet(compartment=label, service=Service.SUSPECT, reason=NOT_SEEN))
    return Decision(facts, ask_empty(task, now))


def given_up() -> Decision:
    """Not with the key after all: from now on the door that opens is forced."""
    return Decision((), (SetTask(None), Sound(Signal.OFF)))


def _said_after(state: State, staff: Staff, label: Label, now: Now) -> Decision:
    """The alarm has sounded already. It is answered by whoever says so, and what lies behind the door is looked at."""
    opened_mono, ours = state.live.opened.get(label), state.durable.openings.get(label)
    if opened_mono is not None and ours is not None and ours.opened_mono >= opened_mono:
        opened_mono = None  # It has been opened by order since: nobody knows any more when it was forced.
    since_ms = state.durable.alarms[alarm_key(FORCED, label)]
    # What opened just now may not be what the alarm is about: one that stands for longer is about an earlier opening.
    is_late = opened_mono is None or now.mono - opened_mono >= SAID_AFTER_MS or now.wall_ms - since_ms >= SAID_AFTER_MS
    if is_late:
        late = StaffNotice(StaffNoticeKind.KEY_TOO_LATE, label, at_ms=since_ms)
        return Decision((), (ShowStaff(late), Sound(Signal.REFUSED)))
    facts = (
        _declared(state, staff, label, since_ms),
        f.AlarmCleared(alarm=FORCED, compartment=label, by=staff.person),
    )
    task = Task(Step.TAKE_BACK, state.durable.compartments[label].parcel, label)
    effects: tuple[Effect, ...] = (SetTask(task), Sound(Signal.OFF))
    if state.door(label) is not Door.OPEN:
        effects = ask_empty(task, now)
    return Decision(facts, effects)


def _declared(state: State, staff: Staff, label: Label, opened_ms: int) -> f.KeyOpeningDeclared:
    return f.KeyOpeningDeclared(
        compartment=label,
        session=next_session(state),
        by=staff.person,
        opened_ms=opened_ms,
        open=bool(opened_ms) and state.door(label) is Door.OPEN,
    )
