"""What follows from an event: facts to make durable and effects to perform. Start reading here.

Owns the one place where events branch. Refuses to change anything: `evolve` does, once the facts are durable. Each case
hands over to a small pure function of the module that owns the subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

from controller.core import (
    badges,
    desk,
    doors,
    drops,
    due,
    finding,
    hubward,
    loading,
    machine,
    pickup,
    practice,
    remote,
    sending,
    sensors,
    trying,
)
from controller.core import events as e
from controller.core.effects import Decision, Effect, Show, ShowStaff, Signal, Sound
from controller.core.model import Now, State
from controller.core.notices import Notice, NoticeKind, StaffNotice, StaffNoticeKind
from wire import facts as f
from wire.badges import CommandCard
from wire.labels import CarrierLabel
from wire.mandate import ScannedMandate
from wire.pickup import ScannedKey
from wire.practice import ScannedPractice
from wire.scans import Damaged, Foreign, ScannedBadge, classify


def decide(state: State, event: e.Event, now: Now) -> Decision:  # noqa: C901, PLR0911, PLR0912 one match, one line a case
    """The decision for `event` in `state` at `now`."""
    match event:
        case e.Scanned():
            return _scanned(state, event, now)
        case e.DigitsTyped():
            return pickup.digits_typed(state, event, now)
        case e.NextDoor():
            return pickup.next_door(state, event, now)
        case e.DoorChanged():
            return doors.door_changed(state, event, now)
        case e.Tick():
            return _merged(_due(state, now))
        case e.Pressed():
            return desk.pressed(state, event, now)
        case e.PinTyped():
            return desk.pin_typed(state, event, now)
        case e.AssistAsked():
            return desk.assist_asked(state, event, now)
        case e.Sought():
            return finding.sought(state, event)
        case e.SwitchChatters():
            return doors.switch_chatters(state, event)
        case e.PulseFailed():
            return doors.pulse_failed(state, event, now)
        case e.PlanArrived():
            return hubward.plan_arrived(state, event)
        case e.AckArrived():
            return hubward.ack_arrived(state, event)
        case e.CommandArrived():
            return hubward.command_arrived(state, event, now)
        case e.ScannerLink():
            return machine.alarm_while(state, machine.SCANNER_LOST, lasts=not event.up)
        case e.DiskRoom():
            return machine.alarm_while(state, machine.DISK_FULL, lasts=event.short)
        case e.MachineFelt():
            return _merged(machine.felt(state, event))
        case e.ClockStepped():
            stepped = f.ClockCorrected(before_ms=event.before_ms, after_ms=event.after_ms, trust=event.trust)
            return Decision((stepped,))
        case e.Booted():
            return _booted(state, event, now)
        case e.Stopping():
            return Decision((), (Sound(Signal.OFF),))
        case e.HubLink() | e.HubPresent() | e.Touched() | e.Unread():
            return Decision()
        case _:
            assert_never(event)


def _scanned(state: State, event: e.Scanned, now: Now) -> Decision:
    if state.live.repeated:
        return Decision()
    match classify(event.text):
        case ScannedKey() as key:
            return pickup.key_scanned(state, key, event, now)
        case ScannedMandate() as mandate:
            return pickup.mandate_scanned(state, mandate, event, now)
        case ScannedPractice() as slip:
            return practice.slip_scanned(state, slip, event, now)
        case ScannedBadge() as badge:
            return badges.badge_scanned(state, badge, event.text, now)
        case CommandCard() as card:
            return desk.card_scanned(state, card, event, now)
        case CarrierLabel() as label:
            return desk.label_scanned(state, label, event, now)
        case Damaged():
            return pickup.refused()
        case Foreign():
            return _foreign(state)
        case text:
            assert_never(text)


def _foreign(state: State) -> Decision:
    """A web address or a loyalty card: friendly, and never an attempt (C-34)."""
    effects: tuple[Effect, ...] = (Show(Notice(NoticeKind.USE_SLIP)), Sound(Signal.REFUSED))
    if state.durable.staff is not None:
        effects = (ShowStaff(StaffNotice(StaffNoticeKind.NOT_A_LABEL)), Sound(Signal.REFUSED))
    return Decision((), effects)


def _due(state: State, now: Now) -> Iterator[Decision]:
    yield from doors.doors_due(state, now)
    yield from sensors.sensors_due(state, now)
    yield from doors.collected_due(state, now)
    answer_by = due.answer_by(state)
    if answer_by is not None and now.mono >= answer_by:
        yield loading.not_answered(state)
    send_answer_by = due.send_answer_by(state)
    if send_answer_by is not None and now.mono >= send_answer_by:
        yield sending.not_answered(state)
    if due.may_sign_out(state) and now.mono >= due.idle_at(state):
        yield desk.idle(state)
    yield drops.not_come_back(state, now)
    hint_at = trying.hint_at(state)
    if hint_at is not None and now.mono >= hint_at:
        yield trying.hint()


def _booted(state: State, event: e.Booted, now: Now) -> Decision:
    started = f.SiteStarted(
        boot=now.boot, version=state.setup.version, board=state.setup.board, clean=event.clean, ended=event.ended
    )
    facts: list[f.AnyFact] = [started]
    staff = state.durable.staff
    if staff is not None:
        facts.append(f.StaffSignedOut(person=staff.person, session=staff.session, reason="restart"))
    facts.extend(doors.resolve_at_boot(state, event))
    alarmed = any(isinstance(fact, f.AlarmRaised) for fact in facts)
    effects: list[Effect] = [Sound(Signal.ALARM)] if alarmed else []
    for answered, reply in remote.resolve_at_boot(state, event):
        facts.append(answered)
        effects.append(reply)
    return Decision(tuple(facts), tuple(effects))


def _merged(decisions: Iterable[Decision]) -> Decision:
    """Several decisions of one instant as one transaction."""
    facts: list[f.AnyFact] = []
    effects: list[Effect] = []
    for decision in decisions:
        facts.extend(decision.facts)
        effects.extend(decision.effects)
    return Decision(tuple(facts), tuple(effects))
