"""What each fact changes: the fold that makes `Durable`, live and at recovery alike.

Owns every change of durable state. Refuses to decide, to judge or to fail: a fact has happened. In a replay `stamp.mono`
is 0; `rebase` then sets every anchor to the present, so that nothing expires by time nobody measured (I-6).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, assert_never

from controller.core import fold_drops
from controller.core.drop import Drop
from controller.core.edits import edit_compartment, not_elsewhere, with_key, without_key
from controller.core.fold_doors import (
    alarm_raised,
    count_session,
    door_opened,
    key_declared,
    occupancy_set,
    ordered,
    over,
    remote_accepted,
    resolved,
)
from controller.core.fold_parcels import (
    deposits_cut,
    ended,
    mandate_changed,
    plan_applied,
    received,
    released,
    sending_issued,
    set_aside,
    stored,
    taken,
    told_of,
)
from controller.core.fold_reconciliation import inventory
from controller.core.model import ANSWERS_MAX, CALLS_MAX, Answer, Call, Durable, Now, Phase, PinTries, Staff, alarm_key
from wire import facts as f
from wire.ids import Occupancy

MILLI: Final = 1_000
"""Attempts are counted in thousandths, so that a slow refill needs no fractions."""


_ONLY_TOLD: Final = (
    f.ClockCorrected,
    f.PlanRefused,
    f.SlipRefused,
    f.BadgeRefused,
    f.BadgeVouched,
    f.CollectionAssisted,
    f.CollectionDelegated,
)
"""Kinds that are written down for those who read them later, and change nothing that is decided by."""


def evolve(durable: Durable, fact: f.AnyFact, stamp: Now) -> Durable:  # noqa: C901, PLR0911, PLR0912 one match, one line a kind
    """`durable` after `fact`, which happened at `stamp`."""
    durable = replace(durable, floor_ms=max(durable.floor_ms, stamp.wall_ms))
    if isinstance(fact, _ONLY_TOLD):
        return durable
    match fact:
        case f.SiteStarted():
            return deposits_cut(replace(durable, boot=fact.boot, sessions=0))
        case f.PlanApplied():
            return plan_applied(durable, fact)
        case f.ParcelReceived():
            return fold_drops.handed_over(received(durable, fact, stamp), fact)
        case f.SendingIssued():
            return sending_issued(durable, fact, stamp)
        case f.CompartmentReserved():
            return _reserved(durable, fact)
        case f.ReservationReleased():
            return fold_drops.placed(released(durable, fact, stamp), fact.parcel, None)
        case f.ParcelStored():
            return fold_drops.placed(stored(durable, fact, stamp), fact.parcel, fact.place, no_door=fact.no_door)
        case f.OpeningOrdered():
            return ordered(durable, fact, stamp)
        case f.KeyOpeningDeclared():
            return key_declared(durable, fact, stamp)
        case f.DoorOpened():
            return door_opened(durable, fact, stamp)
        case f.DoorClosed() | f.OpeningFailed():
            return over(durable, fact, stamp)
        case f.OpeningResolved():
            return resolved(durable, fact, stamp)
        case f.ParcelTaken():
            return taken(durable, fact, stamp)
        case f.ParcelCollected() | f.ParcelRemoved():
            return ended(durable, fact, stamp)
        case f.ParcelDisputed() | f.ParcelRefused():
            return set_aside(durable, fact, stamp)
        case f.MandateIssued() | f.MandateWithdrawn():
            return mandate_changed(durable, fact)
        case f.ParcelNoted() | f.HoldExtended() | f.KeyReplaced() | f.ParcelJoined():
            return told_of(durable, fact)
        case f.AttemptFailed() | f.LockoutCleared() | f.PinRefused():
            return _tries(durable, fact, stamp)
        case f.OccupancySet():
            return occupancy_set(durable, fact)
        case f.ServiceSet():
            return edit_compartment(durable, fact.compartment, service=fact.service)
        case f.AlarmRaised():
            return alarm_raised(durable, fact, stamp)
        case f.AlarmCleared():
            return replace(durable, alarms=without_key(durable.alarms, alarm_key(fact.alarm, fact.compartment)))
        case f.StaffCalled():
            call = Call(fact.reason, fact.parcel, fact.compartment, stamp.wall_ms)
            return replace(durable, calls=(*durable.calls, call)[-CALLS_MAX:])
        case f.StaffAnswered():
            return _answered_call(durable, fact)
        case f.StaffSignedIn():
            return fold_drops.came_back(_signed_in(durable, fact), fact.person)
        case f.StaffSignedOut():
            return fold_drops.went_away(replace(durable, staff=None), fact.person, stamp)
        case f.DropEnded():
            return fold_drops.over(durable, fact, stamp)
        case f.PracticeStarted() | f.PracticeEnded():
            return replace(durable, practice=fact.compartment if isinstance(fact, f.PracticeStarted) else None)
        case f.ReconciliationStarted() | f.CompartmentReconciled() | f.ShelfReconciled() | f.ReconciliationEnded():
            return inventory(durable, fact, stamp)
        case f.RemoteOpeningAccepted() | f.CommandAnswered():
            return _of_command(durable, fact, stamp)
        case f.HubIncarnationSeen() | f.JournalBehind():
            return _heard_hub(durable, fact)
        case _:
            assert_never(fact)


def _reserved(durable: Durable, fact: f.CompartmentReserved) -> Durable:
    durable = not_elsewhere(durable, fact.parcel, fact.compartment)
    return edit_compartment(durable, fact.compartment, occupancy=Occupancy.RESERVED, parcel=fact.parcel)


def rebase(durable: Durable, now: Now) -> Durable:
    """After recovery: every running time starts again at `now`, because nobody measured the time in between."""
    return replace(
        durable,
        openings={
            label: replace(opening, pulse_mono=now.mono, opened_mono=now.mono, closed_mono=now.mono)
            for label, opening in durable.openings.items()
            if opening.phase in {Phase.PULSING, Phase.OPEN}
        },
        parcels={parcel.id: replace(parcel, since_mono=now.mono) for parcel in durable.parcels.values()},
        bucket_mono=now.mono,
        pin_tries={person: replace(tries, since_mono=now.mono) for person, tries in durable.pin_tries.items()},
        remote=tuple(replace(opening, at_mono=now.mono) for opening in durable.remote),
        drop=None if durable.drop is None else _away_since(durable.drop, now),
    )


def _away_since(drop: Drop, now: Now) -> Drop:
    return drop if drop.left_mono is None else replace(drop, left_mono=now.mono)


def _heard_hub(durable: Durable, fact: f.HubIncarnationSeen | f.JournalBehind) -> Durable:
    if isinstance(fact, f.HubIncarnationSeen):
        return replace(durable, hub_incarnation=fact.incarnation, behind_seq=0)
    doubted = {label: replace(compartment, doubted=True) for label, compartment in durable.compartments.items()}
    incarnation = max(durable.hub_incarnation, fact.incarnation)
    return replace(
        durable,
        compartments=doubted,
        hub_incarnation=incarnation,
        behind_seq=fact.acked_seq,
        behind_head=fact.head or durable.behind_head,
    )


def _tries(durable: Durable, fact: f.AttemptFailed | f.LockoutCleared | f.PinRefused, stamp: Now) -> Durable:
    """The buckets of typed codes, and of each person's PIN."""
    match fact:
        case f.AttemptFailed():
            return replace(durable, bucket_milli=fact.tokens_milli, bucket_mono=stamp.mono)
        case f.LockoutCleared():
            return replace(durable, bucket_milli=durable.settings.attempts_burst * MILLI, bucket_mono=stamp.mono)
        case f.PinRefused():
            tries = PinTries(fact.tokens_milli, stamp.mono)
            return replace(durable, pin_tries=with_key(durable.pin_tries, fact.person, tries))
        case _:
            assert_never(fact)


def _answered_call(durable: Durable, fact: f.StaffAnswered) -> Durable:
    kept = tuple(
        call
        for call in durable.calls
        if (call.reason, call.parcel, call.compartment) != (fact.reason, fact.parcel, fact.compartment)
    )
    return replace(durable, calls=kept)


def _signed_in(durable: Durable, fact: f.StaffSignedIn) -> Durable:
    known = next((person for person in durable.people if person.id == fact.person), None)
    role, carrier = ("", "") if known is None else (known.role, known.carrier)
    return count_session(replace(durable, staff=Staff(fact.person, role, fact.session, carrier)), fact.session)


def _of_command(durable: Durable, fact: f.RemoteOpeningAccepted | f.CommandAnswered, stamp: Now) -> Durable:
    if isinstance(fact, f.RemoteOpeningAccepted):
        return remote_accepted(durable, fact, stamp)
    answers = dict(durable.answers)
    answers[fact.id] = Answer(fact.verb, fact.outcome, fact.reason)
    kept = {opening.command for opening in durable.remote}  # However many others come: no door is opened twice.
    while len(answers) > ANSWERS_MAX:
        del answers[next(one for one in answers if one not in kept)]
    return replace(durable, answers=answers)
