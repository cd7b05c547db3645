"""The desk: badges, command cards and buttons of staff, and the two buttons a customer has.

Owns who may press what now. Refuses to know how a deposit goes on (`loading`) or a door behaves (`doors`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, assert_never, cast

from controller.core import (
    assisted,
    courier,
    drops,
    due,
    extending,
    keyed,
    loading,
    mandates,
    misplaced,
    moving,
    needs,
    pin,
    practice,
    reconciliation,
    reissue,
    reports,
    retrieval,
    rights,
    sending,
    service,
    shelf_look,
)
from controller.core.allocate import compartment_of
from controller.core.effects import (
    AskPin,
    Decision,
    Effect,
    KnowBadge,
    PinGiven,
    RememberStored,
    SetTask,
    Show,
    ShowStaff,
    Signal,
    Sound,
)
from controller.core.events import AssistAsked, Button, PinTyped, Pressed, Scanned
from controller.core.loading import tell
from controller.core.model import After, Now, Parcel, Staff, State, Step, alarm_key
from controller.core.notices import Notice, NoticeKind, StaffNotice, StaffNoticeKind
from controller.core.orders import call_desk, calls_over, open_door
from wire import facts as f
from wire.badges import CommandCard
from wire.ids import Label, ParcelId, ParcelState, PlaceKind, Purpose, SizeClass
from wire.labels import CarrierLabel

CARDS: Final = {
    CommandCard.SIZE_S: Pressed(Button.SIZE, "S"),
    CommandCard.SIZE_M: Pressed(Button.SIZE, "M"),
    CommandCard.SIZE_L: Pressed(Button.SIZE, "L"),
    CommandCard.SIZE_XL: Pressed(Button.SIZE, "XL"),
    CommandCard.SHELF: Pressed(Button.SHELF),
    CommandCard.BIGGER: Pressed(Button.BIGGER),
    CommandCard.CANCEL: Pressed(Button.CANCEL),
    CommandCard.DONE: Pressed(Button.DONE),
    CommandCard.EMPTY: Pressed(Button.EMPTY),
    CommandCard.NOT_EMPTY: Pressed(Button.NOT_EMPTY),
    CommandCard.HEAVY: Pressed(Button.HEAVY),
    CommandCard.LOW: Pressed(Button.LOW),
    CommandCard.DAMAGED: Pressed(Button.ARRIVED_DAMAGED),
    CommandCard.UNIDENTIFIED: Pressed(Button.UNIDENTIFIED),
    CommandCard.MAKE_ROOM: Pressed(Button.MAKE_ROOM),
    CommandCard.INVENTORY: Pressed(Button.RECONCILE),
    CommandCard.END_INVENTORY: Pressed(Button.END_RECONCILIATION),
    CommandCard.AS_EXPECTED: Pressed(Button.AS_EXPECTED),
    CommandCard.OTHER: Pressed(Button.OTHER),
}
"""A command card is a button that needs no screen."""


def card_scanned(state: State, card: CommandCard, event: Scanned, now: Now) -> Decision:
    """A command card is a button that needs no screen."""
    if state.durable.staff is None:
        return Decision((), (Show(Notice(NoticeKind.USE_SLIP)), Sound(Signal.REFUSED)))
    return pressed(state, replace(CARDS[card], entropy=event.entropy), now)


def label_scanned(state: State, label: CarrierLabel, event: Scanned, now: Now) -> Decision:
    """A carrier label: a deposit for staff, a friendly *use the slip* for anybody else (C-34)."""
    if state.durable.staff is None:
        return Decision((), (Show(Notice(NoticeKind.USE_SLIP)), Sound(Signal.REFUSED)))
    if retrieval.is_retrieving(state):
        return retrieval.label_scanned(state, state.durable.staff, label, now)
    if reconciliation.is_reconciling(state):
        return reconciliation.label_scanned(state, label, now)
    if shelf_look.is_at_shelf(state):
        return shelf_look.label_scanned(state, state.durable.staff, label)
    carrier = state.live.needs.sends
    if carrier is not None and state.live.task is None:
        return sending.issue(state, state.durable.staff, label, carrier, event.entropy)
    if (refusal := rights.refused(state.durable.staff, rights.Right.DEPOSIT)) is not None:
        return refusal
    return loading.label_scanned(state, state.durable.staff, label, event, now)


def pressed(state: State, event: Pressed, now: Now) -> Decision:  # noqa: C901, PLR0911, PLR0912 one match, one line a button
    """A button of either screen."""
    match event.button:
        case Button.CALL_DESK | Button.DISPUTE:
            return _customer_calls(state, event)
        case Button.FOUND_EMPTY | Button.DAMAGED | Button.REFUSE:
            return reports.reported(state, event, now)
        case Button.SEND_SIZE | Button.SEND_BIGGER | Button.SEND_INSIDE | Button.SEND_NOT_INSIDE | Button.SEND_CANCEL:
            return sending.pressed(state, event, now)
    staff = state.durable.staff
    if staff is None:
        return tell(StaffNoticeKind.SIGN_IN_FIRST)
    if (held := _held_back(state, staff, event)) is not None:
        return held
    match event.button:
        case Button.SIZE:
            return _size(state, staff, event.value, now)
        case Button.SHELF:
            return loading.to_shelf(state)
        case Button.BIGGER:
            return loading.bigger(state)
        case Button.CANCEL | Button.EMPTY | Button.NOT_EMPTY if retrieval.is_retrieving(state):
            return _answered_retrieving(state, staff, event.button, now)
        case Button.CANCEL | Button.DONE if _is_with_key(state):
            return keyed.given_up() if event.button is Button.CANCEL else keyed.not_seen(state, now)
        case Button.RECONCILE | Button.END_RECONCILIATION | Button.AS_EXPECTED | Button.OTHER:
            return reconciliation.pressed(state, staff, event, now)
        case Button.CANCEL:
            return loading.cancel(state, now)
        case Button.EMPTY | Button.NOT_EMPTY:
            return _answered(state, staff, event.button, now)
        case Button.IN_DOOR:
            return misplaced.answered(state, staff, event.compartment, now)
        case Button.HEAVY | Button.LOW | Button.ARRIVED_DAMAGED:
            return needs.said(state, staff, event.button)
        case Button.SENDING:
            return needs.sending_next(state, event.value)
        case Button.UNIDENTIFIED | Button.IDENTIFIED:
            return _named(state, staff, event)
        case Button.MAKE_ROOM:
            return moving.make_room(state, staff, now)
        case Button.DONE:
            return _done(state, staff, now)
        case Button.SIGN_OUT:
            return _sign_out(state, staff)
        case Button.CHECK:
            return _check(state, staff, event.compartment, After.NOTHING, now)
        case (
            Button.REMOVE
            | Button.RETRIEVE
            | Button.REISSUE
            | Button.MANDATE
            | Button.WITHDRAW_MANDATE
            | Button.EXTEND
            | Button.HAND_OVER
        ):
            return _of_parcel(state, staff, event, now)
        case Button.NOT_THERE:
            return _not_there(state, staff, now)
        case Button.REOPEN:
            return _reopen(state, staff, event.compartment, now)
        case Button.ANSWER_CALL | Button.CLEAR_ALARM | Button.CLEAR_LOCKOUT:
            return _seen_to(state, staff, event)
        case Button.PRACTISE | Button.END_PRACTICE:
            return practice.pressed(state, staff, event, now)
        case Button.KEY_OPENING:
            return keyed.said(state, staff, event.compartment, now)
        case Button.PUT_IN_SERVICE | Button.TAKE_OUT_OF_SERVICE:
            return service.pressed(state, staff, event, now)
        case _:
            assert_never(event.button)


def _seen_to(state: State, staff: Staff, event: Pressed) -> Decision:
    """Somebody has seen to what the screen asked for: a call, an alarm, the pause after too many guesses."""
    if event.button is Button.ANSWER_CALL:
        return _answer_call(state, staff, event)
    if event.button is Button.CLEAR_ALARM:
        return _clear_alarm(state, staff, event)
    return Decision((f.LockoutCleared(by=staff.person),), (Sound(Signal.OK),))


def _not_there(state: State, staff: Staff, now: Now) -> Decision:
    """What is looked for is not where it should be: on the shelf or behind a door, or in the hands of a courier."""
    if courier.is_courier(staff) and not retrieval.is_retrieving(state):
        return drops.not_in_hand(state, staff)
    return retrieval.not_there(state, staff, now)


def _of_parcel(state: State, staff: Staff, event: Pressed, now: Now) -> Decision:
    """What is done with one parcel of the list."""
    match event.button:
        case Button.REMOVE:
            return _remove(state, staff, event, now)
        case Button.RETRIEVE:
            return retrieval.retrieve(state, staff, event.parcel, now)
        case Button.REISSUE:
            return reissue.reissue(state, staff, event)
        case Button.MANDATE | Button.WITHDRAW_MANDATE:
            return mandates.pressed(state, staff, event)
        case Button.EXTEND:
            return retrieval.extended(state, staff, extending.extend(state, staff, event, now), now)
        case _:
            return _hand_over(state, staff, event.parcel)


def _held_back(state: State, staff: Staff, event: Pressed) -> Decision | None:
    """What comes before a button of staff: the right to it, and the PIN."""
    if (refusal := rights.refused(staff, rights.NEEDS[event.button])) is not None:
        return refusal
    if state.live.pin_for is not None and event.button is Button.CANCEL:
        return Decision((), (AskPin(None),))
    return pin.asked_first(state, staff, event)


def assist_asked(state: State, event: AssistAsked, now: Now) -> Decision:
    """Staff open for a recipient at the desk (M-05)."""
    staff = state.durable.staff
    if staff is None:
        return tell(StaffNoticeKind.SIGN_IN_FIRST)
    if (refusal := rights.refused(staff, rights.Right.ASSIST)) is not None:
        return refusal
    if (question := pin.asked_first(state, staff, event)) is not None:
        return question
    return assisted.asked(state, staff, event, now)


def pin_typed(state: State, event: PinTyped, now: Now) -> Decision:
    """The PIN that was asked for: what waits for it goes on, or the person is told what to do."""
    staff, waiting = state.durable.staff, state.live.pin_for
    if staff is None:
        return tell(StaffNoticeKind.SIGN_IN_FIRST)
    if waiting is None:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    if (refusal := pin.refused(state, staff, event.text, now)) is not None:
        return refusal
    given = replace(state, live=replace(state.live, pin_given=True, pin_for=None))
    if isinstance(waiting, AssistAsked):
        went_on = assisted.asked(given, staff, waiting, now)
    else:
        went_on = pressed(given, cast("Pressed", waiting), now)
    return Decision(went_on.facts, (PinGiven(), *went_on.effects))


def idle(state: State) -> Decision:
    """Nobody touched anything for a while and no door is open. What they had in hand goes on when its label is read again."""
    staff = state.durable.staff
    assert staff is not None, "only a session can be idle (due.may_sign_out)"
    left = () if state.live.task is None else (SetTask(None),)
    return Decision(
        (f.StaffSignedOut(person=staff.person, session=staff.session, reason="idle"),),
        (*left, RememberStored(None), KnowBadge("")),
    )


def _customer_calls(state: State, event: Pressed) -> Decision:
    disputes = event.button is Button.DISPUTE
    reason, parcel = ("dispute", event.parcel) if disputes else ("help", None)
    known = parcel is None or parcel in state.durable.parcels or parcel in state.durable.ended
    facts = tuple(call_desk(state, reason, parcel if known else None, None))
    return Decision(facts, (Show(Notice(NoticeKind.CALLED)), Sound(Signal.ATTENTION)))


def _size(state: State, staff: Staff, value: str, now: Now) -> Decision:
    try:
        size = SizeClass(value)
    except ValueError:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    return loading.size_chosen(state, staff, size, now)


def _named(state: State, staff: Staff, event: Pressed) -> Decision:
    if event.button is Button.UNIDENTIFIED:
        return needs.unidentified(state, staff, event.entropy)
    return needs.identified(state, staff, event.parcel)


def _answered(state: State, staff: Staff, button: Button, now: Now) -> Decision:
    if reconciliation.is_reconciling(state) or shelf_look.is_at_shelf(state):
        return reconciliation.answered(state, staff, button, now)
    if button is Button.EMPTY:
        return loading.answered_empty(state, staff, now)
    return loading.answered_not_empty(state, staff, now)


def _answered_retrieving(state: State, staff: Staff, button: Button, now: Now) -> Decision:
    if button is Button.EMPTY:
        return retrieval.answered_empty(state, staff, now)
    if button is Button.NOT_EMPTY:
        return retrieval.answered_not_empty(state, staff, now)
    return retrieval.cancel(state)


def _is_with_key(state: State) -> bool:
    return state.live.task is not None and state.live.task.step is Step.OPEN_WITH_KEY


def _done(state: State, staff: Staff, now: Now) -> Decision:
    if state.live.task is not None:
        return loading.put_on_shelf(state, staff, now)
    return _sign_out(state, staff, leaves=False)


def _sign_out(state: State, staff: Staff, *, leaves: bool = True) -> Decision:
    if courier.is_courier(staff):
        return drops.finish(state, staff, leaves=leaves)
    if state.live.task is not None or any(due.open_openings(state)):
        return tell(StaffNoticeKind.CLOSE_DOOR_FIRST)
    return Decision(
        (f.StaffSignedOut(person=staff.person, session=staff.session, reason="done"),),
        (RememberStored(None), KnowBadge("")),
    )


def _check(state: State, staff: Staff, label: Label | None, after: After, now: Now) -> Decision:
    if label is None or label not in state.durable.compartments:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    if state.live.task is not None:
        return tell(StaffNoticeKind.FINISH_FIRST, compartment=state.live.task.compartment)
    return loading.open_to_check(state, staff, label, after, now)


def _remove(state: State, staff: Staff, event: Pressed, now: Now) -> Decision:
    """Take a parcel out of stock: from the shelf at once, from a compartment after it was seen empty."""
    parcel = None if event.parcel is None else state.durable.parcels.get(event.parcel)
    if parcel is None:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    label = compartment_of(state, parcel.id)
    if label is not None:
        return _check(state, staff, label, After.REMOVE, now)
    if parcel.state in {ParcelState.ANNOUNCED, ParcelState.COLLECTING}:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    removed = f.ParcelRemoved(
        parcel=parcel.id, place=parcel.place, reason=parcel.reason or "taken_out", by=staff.person
    )
    notice = ShowStaff(StaffNotice(StaffNoticeKind.REMOVED, None, parcel.id, parcel.tracking))
    effects: tuple[Effect, ...] = (notice, Sound(Signal.OK))
    task = state.live.task
    if task is not None and task.parcel == parcel.id:
        effects = (SetTask(None), *effects)
    return Decision((removed,), effects)


def _reopen(state: State, staff: Staff, label: Label | None, now: Now) -> Decision:
    """Open a collected-from compartment once more for its customer, on the word of staff (C-06)."""
    parcel = _parcel_in(state, label)
    if label is None or parcel is None or parcel.state is not ParcelState.COLLECTING:
        return _check(state, staff, label, After.NOTHING, now)
    if state.live.task is not None or not due.is_ready(state, now):
        return tell(StaffNoticeKind.CLOSE_DOOR_FIRST)
    ordered, effects = open_door(
        state, session=parcel.session, compartment=label, purpose=Purpose.REOPEN, parcel=parcel.id, by=staff.person
    )
    answered = tuple(calls_over(state, staff, parcel.id))
    return Decision((ordered, *answered), effects)


def _hand_over(state: State, staff: Staff, parcel_id: ParcelId | None) -> Decision:
    """A parcel of the shelf goes into its recipient's hands (C-26)."""
    parcel = None if parcel_id is None else state.durable.parcels.get(parcel_id)
    if parcel is None or parcel.place is None or parcel.place.kind is not PlaceKind.SHELF:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    if parcel.unidentified:
        return tell(StaffNoticeKind.IDENTIFY_FIRST, parcel=parcel.id, tracking=parcel.tracking)
    collected = f.ParcelCollected(parcel=parcel.id, place=parcel.place, session=staff.session, by=staff.person)
    notice = StaffNotice(StaffNoticeKind.HANDED_OVER, None, parcel.id, parcel.tracking, parcel.place)
    facts = (collected, *calls_over(state, staff, parcel.id))
    task = state.live.task
    over = (SetTask(None),) if task is not None and task.parcel == parcel.id else ()
    return Decision(facts, (*over, ShowStaff(notice), Sound(Signal.OK)))


def _answer_call(state: State, staff: Staff, event: Pressed) -> Decision:
    asked = (event.value, event.parcel, event.compartment)
    if asked not in {(call.reason, call.parcel, call.compartment) for call in state.durable.calls}:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    answered = f.StaffAnswered(reason=event.value, by=staff.person, parcel=event.parcel, compartment=event.compartment)
    return Decision((answered,))


def _clear_alarm(state: State, staff: Staff, event: Pressed) -> Decision:
    if alarm_key(event.value, event.compartment) not in state.durable.alarms:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    cleared = f.AlarmCleared(alarm=event.value, compartment=event.compartment, by=staff.person)
    return Decision((cleared,), (Sound(Signal.OFF),))


def _parcel_in(state: State, label: Label | None) -> Parcel | None:
    compartment = None if label is None else state.durable.compartments.get(label)
    if compartment is None or compartment.parcel is None:
        return None
    return state.durable.parcels.get(compartment.parcel)
