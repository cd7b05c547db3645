"""A door's switch that reads open for hours: its loop is closed by a closed door, so a cut wire reads open for ever (A-08).

Owns when a switch is no longer believed, and how an opening ends that it cannot show the end of. Refuses to hold anything back for it: the
latch still fires, a parcel behind that door can still be collected, and every other door goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from controller.core import due
from controller.core.effects import Decision, SensorTold, Signal, Sound
from controller.core.model import Now, Opening, Phase, State, Task, alarm_key
from wire import facts as f
from wire.ids import Door, Label, Occupancy, Service

SENSOR: Final = "sensor_suspect"
READS_OPEN: Final = "sensor_reads_open"


def sensors_due(state: State, now: Now) -> Iterator[Decision]:
    """Switches that have read open for too long, each told once until it reads closed again."""
    for label in state.setup.cards:
        at_mono = due.sensor_at(state, label)
        if at_mono is None or now.mono < at_mono:
            continue
        facts: list[f.AnyFact] = []
        if alarm_key(SENSOR, label) not in state.durable.alarms:
            facts.append(f.AlarmRaised(alarm=SENSOR, compartment=label, detail=READS_OPEN))
        if state.durable.compartments[label].service is Service.IN_SERVICE:
            facts.append(f.ServiceSet(compartment=label, service=Service.SUSPECT, reason=READS_OPEN))
        opening = state.durable.openings.get(label)
        if opening is not None and opening.phase is Phase.OPEN and not _staff_are_at(state, label):
            facts.extend(_ended(state, opening))
        yield Decision(tuple(facts), (SensorTold(label), Sound(Signal.ATTENTION)))


def ends_unseen(state: State, opening: Opening, now: Now) -> tuple[f.AnyFact, ...]:
    """An opening behind a switch that is not believed is over when its time to take is: nobody is nagged about it for ever.

    What was taken is not guessed: the compartment is unknown until staff have looked (I-12).
    """
    label = opening.compartment
    known = label in state.live.sensor_told and due.is_blind(state, label)
    if not known or _staff_are_at(state, label) or now.mono < opening.opened_mono + due.take_ms(state, opening):
        return ()
    return tuple(_ended(state, opening))


def answered_unseen(state: State, task: Task) -> tuple[f.AnyFact, ...]:
    """Staff answered what lies behind a door whose switch never shows it shut: with that its opening is over."""
    opening = None if task.compartment is None else state.durable.openings.get(task.compartment)
    if opening is None or opening.phase is not Phase.OPEN or not due.is_blind(state, opening.compartment):
        return ()
    return (_resolved(opening),)


def _staff_are_at(state: State, label: Label) -> bool:
    return state.live.task is not None and state.live.task.compartment == label


def _ended(state: State, opening: Opening) -> Iterator[f.AnyFact]:
    yield _resolved(opening)
    if state.durable.compartments[opening.compartment].occupancy is not Occupancy.UNKNOWN:
        yield f.OccupancySet(compartment=opening.compartment, occupancy=Occupancy.UNKNOWN, reason=READS_OPEN)


def _resolved(opening: Opening) -> f.AnyFact:
    return f.OpeningResolved(
        session=opening.session,
        compartment=opening.compartment,
        door=Door.UNKNOWN.value,
        parcel=opening.parcel,
    )
