"""The durable cause of a pulse, the question behind a closed door and the call to the desk: what every journey ends in.

Owns how sessions are named, pulses ordered and questions put. Refuses to judge whether a door should open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from controller.core.effects import Decision, Effect, Pulse, SetTask, Show, Signal, Sound
from controller.core.model import Now, Opening, Staff, State, Step, Task
from controller.core.notices import Notice
from wire import facts as f
from wire.ids import Door, Label, ParcelId, Purpose
from wire.pickup import PickupKey


def next_session(state: State) -> str:
    """The name of the next session: the boot's number and a counter, so that no two are ever the same."""
    return f"{state.durable.boot}.{state.durable.sessions + 1}"


def open_door(
    state: State,
    *,
    session: str,
    compartment: Label,
    purpose: Purpose,
    parcel: ParcelId | None = None,
    by: str = "",
    form: str = "",
) -> tuple[f.OpeningOrdered, tuple[Effect, ...]]:
    """The fact that must be durable first, and the first pulse."""
    ordered = f.OpeningOrdered(
        session=session,
        compartment=compartment,
        purpose=purpose,
        pulse=1,
        parcel=parcel,
        by=by,
        form=form,
        blind=state.door(compartment) is Door.OPEN,
    )
    return ordered, (Pulse(compartment), Sound(Signal.OK))


def pulse_again(opening: Opening) -> Decision:
    """The next pulse of an opening whose door did not move (C-02)."""
    ordered = f.OpeningOrdered(
        session=opening.session,
        compartment=opening.compartment,
        purpose=opening.purpose,
        pulse=opening.pulses + 1,
        parcel=opening.parcel,
        by=opening.by,
    )
    return Decision((ordered,), (Pulse(opening.compartment), Sound(Signal.ATTENTION)))


def ask(task: Task, step: Step, now: Now) -> tuple[Effect, ...]:
    """Staff are asked something that only they can have seen, within a time (`due.answer_by`)."""
    return (SetTask(replace(task, step=step, asked_mono=now.mono)), Sound(Signal.ATTENTION))


def ask_empty(task: Task, now: Now) -> tuple[Effect, ...]:
    """The door is closed again: is the compartment empty?"""
    return ask(task, Step.ASK_EMPTY, now)


def slip_refused(key: PickupKey, notice: Notice, reason: str) -> Decision:
    """A genuine slip that opens nothing: why, kept and shown."""
    refusal = f.SlipRefused(parcel=notice.parcel or key.parcel, version=key.version, reason=reason)
    return Decision((refusal,), (Show(notice), Sound(Signal.REFUSED)))


def call_desk(state: State, reason: str, parcel: ParcelId | None, compartment: Label | None) -> Iterator[f.AnyFact]:
    """A call to the desk, once: the same call that still waits is not written again."""
    waiting = ((call.reason, call.parcel, call.compartment) for call in state.durable.calls)
    if (reason, parcel, compartment) not in waiting:
        yield f.StaffCalled(reason=reason, parcel=parcel, compartment=compartment)


def calls_over(state: State, staff: Staff, parcel: ParcelId) -> list[f.AnyFact]:
    """The calls about a parcel are answered: somebody is serving it."""
    return [
        f.StaffAnswered(reason=call.reason, by=staff.person, parcel=call.parcel, compartment=call.compartment)
        for call in state.durable.calls
        if call.parcel == parcel
    ]
