"""Doors: ordering a pulse, what an opened or closed door means, and what follows when nothing moves.

Owns the openings. Refuses to know who may open what (`pickup`, `desk`). *Collected* is never concluded from a pulse:
only from a door seen open and then seen closed (design, point 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from controller.core import (
    due,
    keyed,
    latching,
    misplaced,
    moving,
    practice,
    reconciliation,
    remote,
    reports,
    sending,
    sensors,
)
from controller.core.effects import Decision, Effect, Nagged, SetSending, SetTask, Show, ShowStaff, Signal, Sound
from controller.core.events import Booted, DoorChanged, PulseFailed, SwitchChatters
from controller.core.loading import load_closed, load_failed
from controller.core.model import Now, Opening, Parcel, Phase, State, Step, alarm_key
from controller.core.notices import Notice, NoticeKind, StaffNotice, StaffNoticeKind
from controller.core.orders import ask_empty, call_desk, pulse_again
from wire import facts as f
from wire.ids import Door, Label, Occupancy, ParcelState, Purpose, Service
from wire.plan import Help

FORCED: Final = keyed.FORCED
LEFT_OPEN: Final = "door_left_open"
OPEN_AT_BOOT: Final = "open_at_boot"
LATCH_FAILED: Final = latching.LATCH_FAILED
CHATTERS: Final = "sensor_chatters"

_TAKING: Final = (Purpose.COLLECT, Purpose.REOPEN)
_UNWATCHED: Final = {Purpose.VERIFY, Purpose.REMOTE}
"""Openings that may have come about while nobody looked: no key of a recipient says what lies there."""
_PUT_IN: Final = {Purpose.LOAD: load_closed, Purpose.SEND: sending.closed}
_NOT_OPENED: Final = {Purpose.LOAD: load_failed, Purpose.SEND: sending.failed}
"""Whoever put something in goes on: their door was shut, or never opened."""


def door_changed(state: State, event: DoorChanged, now: Now) -> Decision:
    """A door moved."""
    if event.compartment not in state.setup.cards:
        return Decision()
    opening = state.durable.openings.get(event.compartment)
    belongs = opening is not None and _still_belongs(opening, now)
    sent = sending.moved(state, event.compartment, belongs=belongs, is_open=event.open)
    moved = _opened if event.open else _closed
    decision = moved(state, event.compartment, opening, now)
    return Decision(decision.facts, (*sent, *decision.effects, *misplaced.touched(state, event.compartment)))


def pulse_failed(state: State, event: PulseFailed, now: Now) -> Decision:
    """The driver raised: no key is spent, the compartment is suspect (C-04)."""
    opening = state.durable.openings.get(event.compartment)
    if opening is None or opening.phase is not Phase.PULSING:
        return Decision()
    return _failed(state, opening, "driver_error", now)


def switch_chatters(state: State, event: SwitchChatters) -> Decision:
    """A contact nobody can believe: nothing new goes behind that door until staff had its cable looked at (D-09)."""
    label = event.compartment
    compartment = state.durable.compartments.get(label)
    if compartment is None or alarm_key(CHATTERS, label) in state.durable.alarms:
        return Decision()
    facts: list[f.AnyFact] = [f.AlarmRaised(alarm=CHATTERS, compartment=label)]
    if compartment.service is Service.IN_SERVICE:
        facts.append(f.ServiceSet(compartment=label, service=Service.SUSPECT, reason=CHATTERS))
    return Decision(tuple(facts), (Sound(Signal.ATTENTION),))


def doors_due(state: State, now: Now) -> Iterator[Decision]:
    """What time alone brings: the next pulse, the end of trying, the nagging, the alarm."""
    for opening in due.open_openings(state):
        if opening.phase is Phase.PULSING:
            if now.mono >= due.pulse_over_at(state, opening):
                yield _not_seen_open(state, opening, now)
        else:
            yield from _standing_open(state, opening, now)


def resolve_at_boot(state: State, event: Booted) -> Iterator[f.AnyFact]:
    """Settle every opening that a restart interrupted by reading its door; nothing is freed (C-21, C-22)."""
    interrupted = {opening.compartment for opening in due.open_openings(state)}
    for opening in due.open_openings(state):
        yield from _resolved(state, opening, event.doors.get(opening.compartment, Door.UNKNOWN))
    for label, compartment in state.durable.compartments.items():
        if label in interrupted:
            continue
        if event.doors.get(label) is Door.OPEN:
            yield from _open_without_opening(state, label)
        elif compartment.occupancy is Occupancy.RESERVED and compartment.parcel is not None:
            yield f.ReservationReleased(compartment=label, parcel=compartment.parcel, session="", verified_empty=False)


def _opened(state: State, label: Label, opening: Opening | None, now: Now) -> Decision:
    if opening is not None and opening.phase is Phase.OPEN:
        return Decision()
    if opening is not None and keyed.is_awaited(state, opening):
        return keyed.opened(state, opening)
    if opening is not None and _still_belongs(opening, now):
        more = latching.sprang_open(state, opening)
        opened = f.DoorOpened(compartment=label, session=opening.session)
        afar = remote.seen_open(state, opening)
        effects = (*more.effects, *_leading(state, opening), *afar.effects)
        return Decision((opened, *moving.in_hands(state, opening), *more.facts, *afar.facts), effects)
    facts: list[f.AnyFact] = [f.DoorOpened(compartment=label)]
    if alarm_key(FORCED, label) not in state.durable.alarms:
        facts.append(f.AlarmRaised(alarm=FORCED, compartment=label))
    if state.durable.compartments[label].occupancy is not Occupancy.UNKNOWN:
        facts.append(f.OccupancySet(compartment=label, occupancy=Occupancy.UNKNOWN, reason=FORCED))
    return Decision(tuple(facts), (Sound(Signal.ALARM),))


def _leading(state: State, opening: Opening) -> tuple[Effect, ...]:
    """An open door ticks at once for somebody who does not see it: they follow the sound (C-29)."""
    parcel = None if opening.parcel is None else state.durable.parcels.get(opening.parcel)
    led = opening.purpose in _TAKING and parcel is not None and parcel.help is Help.BLIND
    return (Sound(Signal.TICKING),) if led else ()


def _still_belongs(opening: Opening, now: Now) -> bool:
    if opening.phase is Phase.PULSING:
        return True
    if opening.phase is Phase.DECLARED:  # Nobody waits for it any more: it is as forced as any other (M-09).
        return False
    window = due.LATE_MS if opening.phase is Phase.FAILED else due.SETTLE_MS
    return now.mono - opening.closed_mono < window


def _closed(state: State, label: Label, opening: Opening | None, now: Now) -> Decision:
    task = state.live.task
    at_it = task is not None and task.compartment == label and task.step in {Step.TAKE_BACK, Step.ASK_EMPTY}
    asked = task if at_it else None
    if opening is None or opening.phase is not Phase.OPEN:
        effects = (Sound(Signal.OFF),) if asked is None else ask_empty(asked, now)
        return Decision((f.DoorClosed(compartment=label), *_alarms_over(state, label)), effects)
    facts = (f.DoorClosed(compartment=label, session=opening.session), *_alarms_over(state, label))
    if opening.purpose is Purpose.PRACTICE and asked is None:
        return practice.closed(facts, label)
    if opening.purpose in _TAKING:
        taken = _taken(state, opening, facts, now)
        return taken if asked is None else Decision(taken.facts, (*taken.effects, *ask_empty(asked, now)))
    if asked is not None:
        return Decision(facts, (*_not_theirs_now(opening), *ask_empty(asked, now)))
    if opening.purpose is Purpose.REMOTE:  # What lies there was put in doubt when it opened.
        return Decision(facts, (Sound(Signal.OFF),))
    if (put_in := _PUT_IN.get(opening.purpose)) is not None:
        more = put_in(state, opening, now)
        return Decision((*facts, *more.facts), more.effects)
    unknown = f.OccupancySet(compartment=label, occupancy=Occupancy.UNKNOWN, reason="check_not_finished")
    return Decision((*facts, unknown), (Sound(Signal.OFF),))


def _not_theirs_now(opening: Opening) -> tuple[Effect, ...]:
    """Staff look behind the door of somebody who hands in a parcel: from here on it is theirs to answer."""
    return (SetSending(None),) if opening.purpose is Purpose.SEND else ()


def _taken(state: State, opening: Opening, facts: tuple[f.AnyFact, ...], now: Now) -> Decision:
    parcel = None if opening.parcel is None else state.durable.parcels.get(opening.parcel)
    if parcel is None or parcel.place is None:
        return Decision(facts, (Sound(Signal.OFF),))
    if reports.is_reported(parcel):
        return Decision(facts, (Sound(Signal.OK), reports.show(parcel, opening.compartment, parcel.reason)))
    quick = due.is_quick(state, opening, now)
    if (quick or opening.blind or opening.dark) and parcel.state is ParcelState.STORED:
        return _not_called_taken(state, opening, parcel, facts)
    more: list[f.AnyFact] = [f.ParcelTaken(parcel=parcel.id, place=parcel.place, session=opening.session)]
    occupancy = state.durable.compartments[opening.compartment].occupancy
    if opening.alarmed and occupancy is not Occupancy.UNKNOWN:
        more.append(f.OccupancySet(compartment=opening.compartment, occupancy=Occupancy.UNKNOWN, reason=LEFT_OPEN))
    kind = NoticeKind.QUICK_CLOSE if quick else NoticeKind.THANKS
    notice = Notice(kind, opening.compartment, parcel.id, parcel.language)
    return Decision((*facts, *more), (Sound(Signal.OK), Show(notice)))


def _not_called_taken(state: State, opening: Opening, parcel: Parcel, facts: tuple[f.AnyFact, ...]) -> Decision:
    """A child, the wind: nobody takes a parcel out that quickly, so it is not called taken (C-05, ADR 0008).

    Nor is it behind a switch that read open before the latch was fired: that it reads closed now may be its repair (A-08).
    Nor is it when the power failed while the door stood open: who left it inside could tell nobody, and was not seen (C-22).
    Its key opens again within the grace; afterwards staff look inside, and nothing is freed before they did.
    """
    label, reason = opening.compartment, "closed_at_once"
    if opening.blind or opening.dark:
        reason = sensors.READS_OPEN if opening.blind else OPEN_AT_BOOT
    more: tuple[f.AnyFact, ...] = ()
    if state.durable.compartments[label].occupancy is not Occupancy.UNKNOWN:
        more = (f.OccupancySet(compartment=label, occupancy=Occupancy.UNKNOWN, reason=reason),)
    notice = Notice(NoticeKind.QUICK_CLOSE, label, parcel.id, parcel.language)
    return Decision((*facts, *more), (Sound(Signal.ATTENTION), Show(notice)))


def _alarms_over(state: State, label: Label) -> Iterator[f.AnyFact]:
    """A closed door ends the alarms that were about its being open; a forced door still needs a person."""
    for alarm in (LEFT_OPEN, OPEN_AT_BOOT, sensors.SENSOR):
        if alarm_key(alarm, label) in state.durable.alarms:
            yield f.AlarmCleared(alarm=alarm, compartment=label)


def _not_seen_open(state: State, opening: Opening, now: Now) -> Decision:
    if state.door(opening.compartment) is Door.OPEN:
        label = opening.compartment
        facts: tuple[f.AnyFact, ...] = (f.DoorOpened(compartment=label, session=opening.session),)
        if state.durable.compartments[label].service is Service.IN_SERVICE:
            facts = (*facts, f.ServiceSet(compartment=label, service=Service.SUSPECT, reason=sensors.READS_OPEN))
        afar = remote.seen_open(state, opening)
        return Decision((*facts, *afar.facts), (Sound(Signal.ATTENTION), *afar.effects))
    if opening.pulses < state.durable.settings.pulses_max:
        return pulse_again(opening)
    return _failed(state, opening, "not_seen_open", now)


def _failed(state: State, opening: Opening, reason: str, now: Now) -> Decision:
    label = opening.compartment
    facts: list[f.AnyFact] = [
        f.OpeningFailed(
            session=opening.session,
            compartment=label,
            purpose=opening.purpose,
            reason=reason,
            pulses=opening.pulses,
            parcel=opening.parcel,
        )
    ]
    if state.durable.compartments[label].service is Service.IN_SERVICE:
        facts.append(f.ServiceSet(compartment=label, service=Service.SUSPECT, reason=reason))
    if alarm_key(LATCH_FAILED, label) not in state.durable.alarms:
        facts.append(f.AlarmRaised(alarm=LATCH_FAILED, compartment=label, detail=reason))
    if (not_opened := _NOT_OPENED.get(opening.purpose)) is not None:
        more = not_opened(state, opening, now)
        return Decision((*facts, *more.facts), more.effects)
    if opening.purpose is Purpose.REMOTE:
        more = remote.not_opened(state, opening, reason)
        return Decision((*facts, *more.facts), more.effects)
    effects: tuple[Effect, ...]
    if opening.purpose is Purpose.VERIFY:
        failed = ShowStaff(StaffNotice(StaffNoticeKind.DOOR_FAILED, label, opening.parcel))
        more = reconciliation.not_opened(state, opening, facts, now)
        facts.extend(more.facts)
        effects = (Sound(Signal.REFUSED), SetTask(None), *more.effects, failed)
    else:
        facts.extend(call_desk(state, "door_failed", opening.parcel, label))
        parcel = None if opening.parcel is None else state.durable.parcels.get(opening.parcel)
        language = "" if parcel is None else parcel.language
        effects = (Sound(Signal.ATTENTION), Show(Notice(NoticeKind.ASK_DESK, label, opening.parcel, language)))
    return Decision(tuple(facts), effects)


def _standing_open(state: State, opening: Opening, now: Now) -> Iterator[Decision]:
    if unseen := sensors.ends_unseen(state, opening, now):
        yield Decision(unseen, (Sound(Signal.OFF),))
    elif not opening.alarmed and now.mono >= due.alarm_at(state, opening):
        alarm = f.AlarmRaised(alarm=LEFT_OPEN, compartment=opening.compartment)
        yield Decision((alarm,), (Sound(Signal.ALARM), Nagged()))
    elif now.mono >= due.nag_at(state, opening):
        yield Decision((), (Sound(Signal.TICKING), Nagged()))


def _resolved(state: State, opening: Opening, door: Door) -> Iterator[f.AnyFact]:
    label = opening.compartment
    compartment = state.durable.compartments[label]
    still_open = door is Door.OPEN
    seen_open = opening.phase is Phase.OPEN
    yield f.OpeningResolved(
        session=opening.session,
        compartment=label,
        door=Door.OPEN.value if still_open else Door.CLOSED.value,
        parcel=opening.parcel,
    )
    if still_open:
        yield from _open_without_opening(state, label)
    elif compartment.occupancy is Occupancy.RESERVED and compartment.parcel is not None:
        yield f.ReservationReleased(
            compartment=label, parcel=compartment.parcel, session=opening.session, verified_empty=False
        )
    elif (seen_open or opening.purpose in _UNWATCHED) and compartment.occupancy is not Occupancy.UNKNOWN:
        yield f.OccupancySet(compartment=label, occupancy=Occupancy.UNKNOWN, reason="restart_while_open")


def _open_without_opening(state: State, label: Label) -> Iterator[f.AnyFact]:
    if alarm_key(OPEN_AT_BOOT, label) not in state.durable.alarms:
        yield f.AlarmRaised(alarm=OPEN_AT_BOOT, compartment=label)
    if state.durable.compartments[label].occupancy is not Occupancy.UNKNOWN:
        yield f.OccupancySet(compartment=label, occupancy=Occupancy.UNKNOWN, reason=OPEN_AT_BOOT)


def collected_due(state: State, now: Now) -> Iterator[Decision]:
    """Taken parcels whose dispute window is over (C-01)."""
    for parcel in due.awaiting_collected(state):
        if parcel.place is not None and now.mono >= due.collected_at(state, parcel.since_mono):
            yield Decision((f.ParcelCollected(parcel=parcel.id, place=parcel.place, session=parcel.session),))
