"""Out of service and back, with a reason; what lies behind the door is moved first (M-06).

Owns the reasons, and that no parcel is locked away behind a door that nobody may use. Refuses to believe that a compartment is empty
which is not known to be: its door is opened, what lies there gets another place, and only seen empty it is out of service (I-4, I-12).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from controller.core import loading
from controller.core.effects import Decision, Effect, SetTask, ShowStaff, Signal, Sound
from controller.core.events import Button, Pressed
from controller.core.loading import tell
from controller.core.model import After, Now, Phase, Staff, State
from controller.core.moving import lies_there
from controller.core.notices import StaffNotice, StaffNoticeKind
from wire import facts as f
from wire.ids import Label, Occupancy, Service

OUT_REASONS: Final = ("lock", "door", "dirty", "other")
"""Why a compartment is not to be used: its lock, its door, it is dirty, or something else."""

BACK_REASONS: Final = ("repaired", "cleaned", "checked")
"""Why it may be used again."""


def pressed(state: State, staff: Staff, event: Pressed, now: Now) -> Decision:
    """Put a compartment out of service, or back into it; `value` says why."""
    label = event.compartment
    if label is None or label not in state.durable.compartments:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    back = event.button is Button.PUT_IN_SERVICE
    if event.value not in (BACK_REASONS if back else OUT_REASONS):
        return tell(StaffNoticeKind.SAY_WHY, compartment=label)
    if back:
        return Decision((_set(staff, label, Service.IN_SERVICE, event.value),), (Sound(Signal.OK),))
    return _out(state, staff, label, event.value, now)


def _out(state: State, staff: Staff, label: Label, reason: str, now: Now) -> Decision:
    compartment = state.durable.compartments[label]
    if compartment.service is Service.OUT_OF_SERVICE or label == state.durable.practice:
        return tell(StaffNoticeKind.NOTHING_TO_DO, compartment=label)
    opening = state.durable.openings.get(label)
    if opening is not None and opening.phase in {Phase.PULSING, Phase.OPEN}:
        return tell(StaffNoticeKind.CLOSE_DOOR_FIRST, compartment=label)
    if compartment.occupancy is Occupancy.FREE:
        done = ShowStaff(StaffNotice(StaffNoticeKind.OUT_OF_SERVICE, label))
        return Decision((_set(staff, label, Service.OUT_OF_SERVICE, reason),), (done, Sound(Signal.OK)))
    if state.live.task is not None:
        return tell(StaffNoticeKind.FINISH_FIRST, compartment=state.live.task.compartment)
    after = After.MOVE if lies_there(state, label) else After.NOTHING
    looked = loading.open_to_check(state, staff, label, after, now)
    return Decision(looked.facts, tuple(_for(effect, reason) for effect in looked.effects))


def _for(effect: Effect, reason: str) -> Effect:
    """The task of a look inside, with what it is for."""
    if isinstance(effect, SetTask) and effect.task is not None:
        return SetTask(replace(effect.task, out_reason=reason))
    return effect


def _set(staff: Staff, label: Label, service: Service, reason: str) -> f.ServiceSet:
    return f.ServiceSet(compartment=label, service=service, reason=reason, by=staff.person)
