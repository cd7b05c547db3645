"""Sending: a customer hands in a parcel at the bank, to be sent or returned, and a courier fetches it later (C-32).

Owns the slip for it, made at the desk, and the customer's steps: the size, the open door, the question *is it inside?*. Refuses
to believe a closed door: only the word of whoever stands there stores the parcel. After any other answer, or none, the compartment is
`unknown`, and neither it nor the slip opens anything before staff have looked. One slip holds at most one compartment in doubt, so a
street with one slip cannot empty the bank (ADR 0018).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from controller.core import due
from controller.core.allocate import allocate, compartment_of, is_allottable
from controller.core.effects import (
    Decision,
    Effect,
    RememberNeeds,
    SetSending,
    Show,
    ShowSlip,
    ShowStaff,
    Signal,
    Sound,
    Wait,
)
from controller.core.events import Button, DigitsTyped, Pressed, Scanned
from controller.core.handing_in import Sending, SendStep
from controller.core.model import NO_NEEDS, Ended, Now, Opening, Parcel, Staff, State, in_compartment
from controller.core.notices import Notice, NoticeKind, StaffNotice, StaffNoticeKind
from controller.core.orders import call_desk, next_session, open_door, slip_refused
from wire import facts as f
from wire.ids import (
    SIZE_ORDER,
    Door,
    Label,
    Occupancy,
    ParcelId,
    ParcelState,
    Purpose,
    Service,
    SizeClass,
    parcel_id_from_bits,
)
from wire.labels import CarrierLabel
from wire.pickup import PickupKey

LOOK_FIRST: Final = "send_look_first"
"""A call: what a customer says they handed in, or took back, has to be looked at before anything else."""
NO_ROOM: Final = "send_no_room"
ASKS_DESK: Final = "send_help"

FAILED_MAX: Final = 2
"""Doors that may stay shut before somebody with a parcel in their arms is sent to the desk."""

SLIPS_MAX: Final = 200
"""Slips of the desk that nobody has used yet; the oldest is void when one more is made. A desk makes a handful a day."""

UNUSED: Final = "slip_unused"
_WITH_SENDER: Final = {ParcelState.ANNOUNCED, ParcelState.RECEIVED}


# ------------------------------------------------------------------------------------------------------------- the desk


def issue(state: State, staff: Staff, label: CarrierLabel, carrier: str, entropy: int) -> Decision:
    """Make the slip for the parcel with this label; a slip that was lost is shown again (`carrier`: who will fetch it)."""
    known = next((parcel for parcel in state.durable.parcels.values() if parcel.tracking == label.number), None)
    said = RememberNeeds(NO_NEEDS)
    if known is not None and not (known.sending and known.state in _WITH_SENDER):
        here = StaffNotice(StaffNoticeKind.ALREADY_HERE, None, known.id, label.number, known.place)
        return Decision((), (said, ShowStaff(here), Sound(Signal.REFUSED)))
    if known is not None:
        again = StaffNotice(StaffNoticeKind.SENDING_ISSUED, None, known.id, known.tracking)
        return Decision((), (said, ShowSlip(known.id), ShowStaff(again), Sound(Signal.OK)))
    if state.live.disk_short:
        full = StaffNotice(StaffNoticeKind.DISK_FULL, tracking=label.number)
        return Decision((), (said, ShowStaff(full), Sound(Signal.REFUSED)))
    parcel = parcel_id_from_bits(entropy)
    issued = f.SendingIssued(
        parcel=parcel,
        tracking=label.number,
        carrier=carrier,
        key_version=1,
        key_epoch=state.setup.epoch,
        session=staff.session,
        by=staff.person,
    )
    notice = ShowStaff(StaffNotice(StaffNoticeKind.SENDING_ISSUED, None, parcel, label.number))
    needs = state.live.needs
    noted: tuple[f.AnyFact, ...] = ()
    if needs.heavy or needs.low:
        noted = (f.ParcelNoted(parcel=parcel, by=staff.person, heavy=needs.heavy or None, low=needs.low or None),)
    return Decision((*_voided(state), issued, *noted), (said, ShowSlip(parcel), notice, Sound(Signal.OK)))


def _voided(state: State) -> tuple[f.AnyFact, ...]:
    unused = [
        parcel
        for parcel in state.durable.parcels.values()
        if parcel.sending and parcel.state is ParcelState.ANNOUNCED and compartment_of(state, parcel.id) is None
    ]
    if len(unused) < SLIPS_MAX:
        return ()
    return (f.ParcelRemoved(parcel=unused[0].id, reason=UNUSED),)


# ------------------------------------------------------------------------------------------------------------- the slip


def presented(state: State, key: PickupKey, event: Scanned | DigitsTyped, now: Now) -> Decision:
    """A genuine slip for handing in a parcel: the sizes are shown, or its door opens, or a sentence says where to go."""
    parcel = state.durable.parcels.get(key.parcel)
    if parcel is None or not parcel.sending:
        return _no_longer(state, key, state.durable.ended.get(key.parcel))
    if key.version < parcel.version:
        return slip_refused(key, Notice(NoticeKind.REPLACED, None, parcel.id, parcel.language), "replaced")
    if parcel.state not in _WITH_SENDER:
        return _handed_in_before(state, key, parcel)
    sending = state.live.sending
    if sending is not None and sending.parcel == parcel.id and sending.step is not SendStep.CHOOSE_SIZE:
        return Decision()
    if (held := compartment_of(state, parcel.id)) is not None:
        return _to_desk(state, LOOK_FIRST, parcel, held)
    task = state.live.task
    if state.live.disk_short or (task is not None and task.parcel == parcel.id) or _stands_open(state):
        return _to_desk(state, ASKS_DESK, parcel, None)
    if not sizes(state):
        return _to_desk(state, NO_ROOM, parcel, None)
    if not due.is_ready(state, now):
        one_moment = Notice(NoticeKind.ONE_MOMENT, None, parcel.id, parcel.language)
        return Decision((), (Wait(event), Show(one_moment)))
    begun = Sending(parcel.id, SendStep.CHOOSE_SIZE, asked_mono=now.mono)
    if parcel.size is not None:
        return _allot(state, parcel, replace(begun, size=parcel.size), now)
    return Decision((), (SetSending(begun), Sound(Signal.OK)))


def sizes(state: State) -> tuple[SizeClass, ...]:
    """The sizes that somebody may choose now: those for which a compartment is free, in its own size or a larger one."""
    cards, at_staff = state.setup.cards.items(), _at_staff(state)
    free = [SIZE_ORDER.index(card.size) for label, card in cards if label != at_staff and is_allottable(state, label)]
    return SIZE_ORDER[: max(free) + 1] if free else ()


def may_grow(state: State, sending: Sending) -> bool:
    """Whether *too small* is offered: once, and while a larger compartment is free."""
    if sending.compartment is None or sending.grown:
        return False
    return len(sizes(state)) > SIZE_ORDER.index(state.card(sending.compartment).size) + 1


def _may_ask_for_larger(state: State, sending: Sending) -> bool:
    """At the open door only: a door that has not opened yet may still fail."""
    assert sending.compartment is not None, "it was put in somewhere"
    return due.stands_open(state, sending.compartment) and may_grow(state, sending)


# --------------------------------------------------------------------------------------------------------- the customer


def pressed(state: State, event: Pressed, now: Now) -> Decision:
    """A key of the customer who hands in a parcel; one that belongs to another step, or another parcel, does nothing."""
    sending = state.live.sending
    if sending is None or event.parcel != sending.parcel:
        return Decision()
    match event.button, sending.step:
        case Button.SEND_SIZE, SendStep.CHOOSE_SIZE:
            return _size_chosen(state, sending, event, now)
        case Button.SEND_CANCEL, SendStep.CHOOSE_SIZE:
            return Decision((), (SetSending(None), Sound(Signal.OFF)))
        case Button.SEND_BIGGER, SendStep.PUT_IN if _may_ask_for_larger(state, sending):
            return Decision((), (SetSending(replace(sending, larger=True, grown=True)), Sound(Signal.OK)))
        case Button.SEND_INSIDE, SendStep.ASK_INSIDE:
            return _inside(state, sending, now)
        case Button.SEND_NOT_INSIDE, SendStep.ASK_INSIDE:
            return _left_unknown(state, sending)
        case _:
            return Decision()


def not_answered(state: State) -> Decision:
    """Nobody chose a size: they have gone. Nobody said whether it is inside: staff look."""
    sending = state.live.sending
    assert sending is not None, "only a question can stay without an answer (due.send_answer_by)"
    if sending.step is SendStep.CHOOSE_SIZE:
        return Decision((), (SetSending(None),))
    return _left_unknown(state, sending)


def _size_chosen(state: State, sending: Sending, event: Pressed, now: Now) -> Decision:
    parcel = state.durable.parcels.get(sending.parcel)
    if event.value not in set(SizeClass) or parcel is None or parcel.state not in _WITH_SENDER:
        return Decision()
    if _stands_open(state):
        return _to_desk(state, ASKS_DESK, parcel, None)
    if not due.is_ready(state, now):
        return Decision((), (Wait(event),))
    return _allot(state, parcel, replace(sending, size=SizeClass(event.value)), now)


def _allot(
    state: State, parcel: Parcel, sending: Sending, now: Now, *, larger_than: SizeClass | None = None
) -> Decision:
    """One door opens: within everybody's reach if there is one, because nobody knows who stands there."""
    assert sending.size is not None, "a door is chosen by its size"
    within_reach, at_staff = replace(parcel, low_said=True), _at_staff(state)
    label = allocate(state, within_reach, sending.size, larger_than=larger_than, besides=at_staff)
    label = label or allocate(state, parcel, sending.size, larger_than=larger_than, besides=at_staff)
    if label is None:
        return _to_desk(state, NO_ROOM, parcel, None)
    session = next_session(state)
    facts: tuple[f.AnyFact, ...] = ()
    if parcel.state is ParcelState.ANNOUNCED:
        facts = (_received(parcel, session),)
    reserved = f.CompartmentReserved(compartment=label, parcel=parcel.id, session=session)
    ordered, effects = open_door(state, session=session, compartment=label, purpose=Purpose.SEND, parcel=parcel.id)
    went_on = replace(
        sending, step=SendStep.PUT_IN, compartment=label, asked_mono=now.mono, larger=False, touched=False
    )
    return Decision((*facts, reserved, ordered), (*effects, SetSending(went_on)))


def _at_staff(state: State) -> Label | None:
    """The compartment that staff stand at: their answer is about what they saw, and a parcel put in meanwhile would be missed."""
    return None if state.live.task is None else state.live.task.compartment


def _received(parcel: Parcel, session: str) -> f.AnyFact:
    return f.ParcelReceived(
        parcel=parcel.id,
        tracking=parcel.tracking,
        carrier=parcel.carrier,
        source="sender",
        key_version=parcel.version,
        key_epoch=parcel.epoch,
        session=session,
        by="",
    )


def _inside(state: State, sending: Sending, now: Now) -> Decision:
    """Their word stores it, unless another door moved meanwhile, or the compartment is not what it was when it was shut."""
    label = sending.compartment
    parcel = state.durable.parcels.get(sending.parcel)
    assert label is not None, "the question is about a compartment"
    compartment = state.durable.compartments[label]
    kept = compartment.occupancy is Occupancy.RESERVED and compartment.parcel == sending.parcel
    if parcel is None or not kept or sending.touched or state.door(label) is Door.OPEN:
        return _left_unknown(state, sending)
    place = in_compartment(label)
    stored = f.ParcelStored(parcel=parcel.id, place=place, session=state.durable.openings[label].session, by="")
    notice = Notice(NoticeKind.HANDED_IN, label, parcel.id, parcel.language, at_ms=now.wall_ms)
    return Decision((stored,), (SetSending(None), Show(notice), Sound(Signal.OK)))


def _left_unknown(state: State, sending: Sending) -> Decision:
    """It may be inside or not: nobody is offered that compartment, and the slip opens no other, before staff have looked."""
    label = sending.compartment
    assert label is not None, "only what a door was opened for can be left"
    facts = _let_go(state, sending.parcel, label, is_empty=False)
    notice = Notice(NoticeKind.ASK_DESK, label, sending.parcel, _language(state, sending.parcel))
    called = call_desk(state, LOOK_FIRST, sending.parcel, label)
    return Decision((*facts, *called), (SetSending(None), Show(notice), Sound(Signal.ATTENTION)))


def _let_go(state: State, parcel: ParcelId, label: Label, *, is_empty: bool) -> tuple[f.AnyFact, ...]:
    """Nothing to give back where staff have looked meanwhile: what they said stands."""
    compartment = state.durable.compartments[label]
    if compartment.occupancy is not Occupancy.RESERVED or compartment.parcel != parcel:
        return ()
    session = state.durable.openings[label].session
    return (f.ReservationReleased(compartment=label, parcel=parcel, session=session, verified_empty=is_empty),)


# ------------------------------------------------------------------------------------------------------------- the door


def closed(state: State, opening: Opening, now: Now) -> Decision:
    """The door of a sending was seen open and then seen closed: the question is put, or a larger door opens."""
    sending, label = state.live.sending, opening.compartment
    if sending is None or sending.compartment != label or sending.parcel != opening.parcel:
        return _unfinished(state, opening)
    if not sending.larger:
        asked = replace(sending, step=SendStep.ASK_INSIDE, asked_mono=now.mono)
        return Decision((), (SetSending(asked), Sound(Signal.ATTENTION)))
    parcel = state.durable.parcels[sending.parcel]
    left = _let_go(state, parcel.id, label, is_empty=False)
    size = state.card(label).size
    again = replace(sending, step=SendStep.CHOOSE_SIZE, compartment=None, asked_mono=now.mono, larger=False)
    if not due.is_ready_after(state, opening, now):
        return Decision(left, (SetSending(again), Sound(Signal.ATTENTION)))
    more = _allot(state, parcel, replace(again, size=size), now, larger_than=size)
    return Decision((*left, *more.facts), more.effects)


def failed(state: State, opening: Opening, now: Now) -> Decision:
    """The door never moved: nothing went in. Another one opens at once; after a few that stay shut the desk helps."""
    sending = state.live.sending
    assert opening.parcel is not None, "a sending is of a parcel"
    released = _let_go(state, opening.parcel, opening.compartment, is_empty=True)
    parcel = state.durable.parcels.get(opening.parcel)
    if sending is None or sending.compartment != opening.compartment or parcel is None:
        return Decision(released, (Sound(Signal.ATTENTION),))
    tried = replace(sending, compartment=None, failed=sending.failed + 1, asked_mono=now.mono)
    if tried.failed >= FAILED_MAX:
        to_desk = _to_desk(state, ASKS_DESK, parcel, None)
        return Decision((*released, *to_desk.facts), to_desk.effects)
    if not released or not due.is_ready_after(state, opening, now):
        choose = replace(tried, step=SendStep.CHOOSE_SIZE)
        return Decision(released, (SetSending(choose), Sound(Signal.ATTENTION)))
    more = _allot(state, parcel, tried, now)
    return Decision((*released, *more.facts), more.effects)


def moved(state: State, label: Label, *, belongs: bool, is_open: bool) -> tuple[Effect, ...]:
    """A door moved. `belongs`: it is part of its last opening, so one that was shut sprang open again."""
    sending = state.live.sending
    if sending is None or sending.compartment is None:
        return ()
    if label != sending.compartment:
        return (SetSending(replace(sending, touched=True)),)
    if not is_open or sending.step is not SendStep.ASK_INSIDE:
        return ()
    return (SetSending(replace(sending, step=SendStep.PUT_IN) if belongs else None),)


def _unfinished(state: State, opening: Opening) -> Decision:
    """A sending that nobody stands at any more: what lies behind the door nobody can say."""
    label = opening.compartment
    left = () if opening.parcel is None else _let_go(state, opening.parcel, label, is_empty=False)
    if not left and state.durable.compartments[label].occupancy is not Occupancy.UNKNOWN:
        left = (f.OccupancySet(compartment=label, occupancy=Occupancy.UNKNOWN, reason="opened_late"),)
    return Decision(left, (Sound(Signal.OFF),))


# ---------------------------------------------------------------------------------------------------------- in between


def _stands_open(state: State) -> bool:
    """Beside another open door a parcel goes into the wrong one: two occupied doors, and nobody knows whose (S-08)."""
    return any(
        state.door(label) is Door.OPEN and compartment.service is Service.IN_SERVICE
        for label, compartment in state.durable.compartments.items()
    )


def _handed_in_before(state: State, key: PickupKey, parcel: Parcel) -> Decision:
    if parcel.state is not ParcelState.STORED:
        return _to_desk(state, ASKS_DESK, parcel, None)
    notice = Notice(NoticeKind.HANDED_IN, None, parcel.id, parcel.language, at_ms=parcel.since_ms)
    return slip_refused(key, notice, "handed_in")


def _no_longer(state: State, key: PickupKey, ended: Ended | None) -> Decision:
    """The carrier has fetched it, or nobody here knows it: an older card, a slip made void."""
    if ended is not None:
        notice = Notice(NoticeKind.NO_LONGER_HERE, None, ended.id, ended.language)
        return slip_refused(key, notice, ended.state.value)
    facts = tuple(call_desk(state, ASKS_DESK, None, None))
    refused = f.SlipRefused(parcel=key.parcel, version=key.version, reason="not_ready")
    return Decision((refused, *facts), (Show(Notice(NoticeKind.ASK_DESK)), Sound(Signal.ATTENTION)))


def _to_desk(state: State, reason: str, parcel: Parcel, label: Label | None) -> Decision:
    facts = tuple(call_desk(state, reason, parcel.id, label))
    notice = Notice(NoticeKind.ASK_DESK, None, parcel.id, parcel.language)
    return Decision(facts, (SetSending(None), Show(notice), Sound(Signal.ATTENTION)))


def _language(state: State, parcel: ParcelId) -> str:
    known = state.durable.parcels.get(parcel)
    return "fr" if known is None else known.language
