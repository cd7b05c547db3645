"""Loading: a parcel in the hands of staff until it is behind a closed door or on the shelf.

Owns the steps of a deposit and of the check of one compartment. Refuses to know badges and buttons (`desk`) and pulses
(`doors`). A compartment that a door cycle touched is never free because somebody said *cancel*: it is asked, or unknown.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from controller.core import courier, due, latching, misplaced, sensors
from controller.core.allocate import allocate, shelf_place
from controller.core.effects import (
    Decision,
    Effect,
    RememberNeeds,
    RememberSize,
    RememberStored,
    SetTask,
    ShowStaff,
    Signal,
    Sound,
    Wait,
)
from controller.core.events import Button, Pressed, Scanned
from controller.core.model import (
    NO_NEEDS,
    After,
    Now,
    Opening,
    Parcel,
    Staff,
    State,
    Step,
    Task,
    in_compartment,
    on_shelf,
)
from controller.core.notices import StaffNotice, StaffNoticeKind
from controller.core.orders import ask_empty, next_session, open_door
from wire import facts as f
from wire.ids import (
    Door,
    Label,
    Occupancy,
    ParcelId,
    ParcelState,
    PlaceKind,
    Purpose,
    Service,
    SizeClass,
    parcel_id_from_bits,
)
from wire.labels import CarrierLabel

_IN_HAND: Final = {ParcelState.ANNOUNCED, ParcelState.RECEIVED, ParcelState.DISPUTED, ParcelState.REFUSED}
"""States in which a label in front of the reader starts a deposit. A parcel that was not found, and whose label is now
scanned, has been found: its dispute ends here, or it could never be given to anybody. One that was refused is wanted again."""


def tell(
    kind: StaffNoticeKind,
    *,
    compartment: Label | None = None,
    parcel: ParcelId | None = None,
    tracking: str = "",
) -> Decision:
    """Nothing happens but a word on the staff screen."""
    return Decision((), (ShowStaff(StaffNotice(kind, compartment, parcel, tracking)),))


def label_scanned(state: State, staff: Staff, label: CarrierLabel, event: Scanned, now: Now) -> Decision:
    """A carrier label in front of somebody signed in (S-01, S-03, S-04)."""
    task = state.live.task
    if task is not None and task.step is not Step.CHOOSE_SIZE:
        return tell(StaffNoticeKind.FINISH_FIRST, compartment=task.compartment, tracking=label.number)
    if (refusal := courier.refused(state, staff, label.number)) is not None:
        return refusal
    known = _find_by_tracking(state, label.number)
    if known is not None and known.state not in _IN_HAND:
        return _stop_and_say(StaffNotice(StaffNoticeKind.ALREADY_HERE, None, known.id, label.number, known.place))
    if known is None and (ended := _ended_notice(state, label.number)) is not None:
        return _stop_and_say(ended)
    if state.live.disk_short:  # What room is left is for those who come for their parcel (D-03).
        return tell(StaffNoticeKind.DISK_FULL, tracking=label.number)
    if not due.is_ready(state, now):
        return Decision((), (Wait(event),))
    if (standing := _standing_open(state)) is not None:
        return tell(StaffNoticeKind.CLOSE_DOOR_FIRST, compartment=standing, tracking=label.number)
    return _received(state, staff, label, known, event.entropy)


def size_chosen(state: State, staff: Staff, size: SizeClass, now: Now) -> Decision:
    """A size was pressed, or its card scanned; without a parcel in hand it is kept for the next ones."""
    task = state.live.task
    if task is None or task.step is not Step.CHOOSE_SIZE:
        noted = ShowStaff(StaffNotice(StaffNoticeKind.SIZE_NOTED))
        return Decision((), (RememberSize(size), noted, Sound(Signal.OK)))
    if not due.is_ready(state, now):
        return Decision((), (Wait(Pressed(Button.SIZE, size.value)),))
    assert task.parcel is not None, "a size is asked for a parcel in hand"
    allotted = allot(state, staff, state.durable.parcels[task.parcel], size, then=task.then)
    return Decision(allotted.facts, (RememberSize(size), *allotted.effects))


def to_shelf(state: State) -> Decision:
    """The parcel goes on the desk's shelf; if its door is open the compartment is asked first."""
    task = state.live.task
    if task is None or task.parcel is None:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    if task.step is Step.CHOOSE_SIZE:
        return Decision((), (shelf_task(state, task.parcel, task.then),))
    return take_back(task, After.SHELF)


def bigger(state: State) -> Decision:
    """Too big for the open door: take it back, close, answer *empty?*, then the next size opens (S-05)."""
    task = state.live.task
    if task is None or task.step is not Step.PUT_IN:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    return take_back(task, After.BIGGER)


def cancel(state: State, now: Now) -> Decision:
    """Not this parcel, or not now. After a door cycle the compartment is asked about (S-09)."""
    task = state.live.task
    if task is None:
        return _cancel_last_stored(state, now)
    if task.step is Step.PUT_IN:
        return take_back(task, After.NOTHING)
    if task.step in {Step.CHOOSE_SIZE, Step.PUT_ON_SHELF}:
        cancelled = ShowStaff(StaffNotice(StaffNoticeKind.CANCELLED, None, task.parcel))
        return Decision((), (SetTask(None), cancelled))
    if task.step is Step.WHICH_DOOR:
        return misplaced.nobody_knows(state)
    return tell(StaffNoticeKind.FINISH_FIRST, compartment=task.compartment)


def put_on_shelf(state: State, staff: Staff, now: Now) -> Decision:
    """Staff confirm that the parcel lies at its shelf place (S-06)."""
    task = state.live.task
    if task is None or task.step is not Step.PUT_ON_SHELF or task.parcel is None or task.shelf_place is None:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    place = on_shelf(task.shelf_place)
    stored = f.ParcelStored(
        parcel=task.parcel, place=place, session=staff.session, by=staff.person, no_door=task.no_door
    )
    effects = _stored_effects(StaffNotice(StaffNoticeKind.STORED, None, task.parcel, place=place))
    more = served_next(state, task, ready=due.is_ready(state, now))
    return Decision((stored, *more.facts), (*effects, *more.effects))


def load_closed(state: State, opening: Opening, now: Now) -> Decision:
    """The door of a deposit was seen open and then seen closed: the parcel is stored.

    Closed at once, by the wind or a child, nobody put it in that quickly: staff are asked (ADR 0008).
    """
    task = state.live.task
    compartment = state.durable.compartments[opening.compartment]
    assert opening.parcel is not None, "a deposit is ordered for a parcel"
    if task is None or (task.parcel, task.compartment) != (opening.parcel, opening.compartment):
        return _unfinished(opening, opening.parcel, compartment.occupancy)
    if task.touched:
        return misplaced.which_door(task, now)
    if due.is_quick(state, opening, now) and not opening.bounces:  # What sprang open was pushed shut with it inside.
        return Decision((), ask_empty(task, now))
    place = in_compartment(opening.compartment)
    stored = f.ParcelStored(parcel=opening.parcel, place=place, session=opening.session, by=opening.by)
    notice = StaffNotice(StaffNoticeKind.STORED, opening.compartment, opening.parcel, place=place)
    more = served_next(state, task, ready=due.is_ready_after(state, opening, now))
    return Decision((stored, *more.facts), (*_stored_effects(notice), *more.effects))


def load_failed(state: State, opening: Opening, now: Now) -> Decision:
    """The allotted door never moved: nothing went in, so another one is tried at once."""
    staff, task = state.durable.staff, state.live.task
    assert opening.parcel is not None, "a deposit is ordered for a parcel"
    released = f.ReservationReleased(
        compartment=opening.compartment, parcel=opening.parcel, session=opening.session, verified_empty=True
    )
    failed = ShowStaff(StaffNotice(StaffNoticeKind.DOOR_FAILED, opening.compartment, opening.parcel))
    parcel = state.durable.parcels.get(opening.parcel)
    if staff is None or task is None or parcel is None:
        return Decision((released,), (SetTask(None), failed))
    if task.after in {After.SHELF, After.NOTHING} and task.step is Step.TAKE_BACK:  # asked while the latch pulsed
        went_on = SetTask(None) if task.after is After.NOTHING else shelf_task(state, parcel.id, task.then)
        return Decision((released,), (went_on, failed))
    size = state.card(opening.compartment).size
    larger_than = size if task.after is After.BIGGER else None
    if due.is_ready_after(state, opening, now):
        allotted = allot(state, staff, parcel, parcel.size or size, larger_than=larger_than, then=task.then)
        return Decision((released, *allotted.facts), (*allotted.effects, failed))
    return Decision((released,), (SetTask(Task(Step.CHOOSE_SIZE, parcel.id, then=task.then)), failed))


def answered_empty(state: State, staff: Staff, now: Now) -> Decision:
    """Staff looked inside: it is empty."""
    task = state.live.task
    if task is not None and task.step is Step.WHICH_DOOR:
        return misplaced.not_in_the_wanted_one(state, staff, now)
    if task is None or task.compartment is None or not (_is_asked(task) or latching.may_stay_open(state, task)):
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    label = task.compartment
    facts = (
        *sensors.answered_unseen(state, task),
        *emptied(state, staff, label, task),
        *_practice_over(staff, label, task),
        *_out_of_service(staff, label, task),
    )
    done = (SetTask(None), RememberStored(None), Sound(Signal.OK))
    if task.after is After.REMOVE:
        return Decision(facts, (*done, ShowStaff(StaffNotice(StaffNoticeKind.REMOVED, task.compartment, task.parcel))))
    if task.parcel is None or task.after in {After.NOTHING, After.END_PRACTICE}:
        return Decision(facts, (*done, ShowStaff(StaffNotice(StaffNoticeKind.CHECKED, task.compartment))))
    if task.after is After.SHELF:
        return Decision(facts, (*done, shelf_task(state, task.parcel, task.then)))
    parcel = state.durable.parcels[task.parcel]
    wanted = state.card(task.compartment).size
    if not due.is_ready(state, now):
        return Decision(facts, (*done, SetTask(Task(Step.CHOOSE_SIZE, parcel.id, then=task.then))))
    larger_than = wanted if task.after is After.BIGGER else None
    allotted = allot(state, staff, parcel, parcel.size or wanted, larger_than=larger_than, then=task.then)
    return Decision((*facts, *allotted.facts), (*done, *allotted.effects))


def answered_not_empty(state: State, staff: Staff, now: Now) -> Decision:
    """Staff looked inside: something is there."""
    task = state.live.task
    if task is not None and task.step is Step.WHICH_DOOR and task.compartment is not None:
        return misplaced.answered(state, staff, task.compartment, now)
    blind = task is not None and latching.may_stay_open(state, task) and not latching.is_given_up(state, task)
    if task is None or not (_is_asked(task) or blind) or task.compartment is None:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    label = task.compartment
    held = state.durable.compartments[label].parcel
    seen = (*sensors.answered_unseen(state, task), *seen_inside(state, staff, label))
    facts = (*seen, *_practice_over(staff, label, task))
    kind = StaffNoticeKind.STILL_OCCUPIED if task.out_reason else StaffNoticeKind.CHECKED
    checked = ShowStaff(StaffNotice(kind, label, held))
    went_on = SetTask(None) if task.then is None else shelf_task(state, task.then)
    return Decision(facts, (went_on, checked, Sound(Signal.OK)))


def seen_inside(state: State, staff: Staff, label: Label) -> tuple[f.AnyFact, ...]:
    """Staff have seen something behind that door: the parcel that is expected there, or something nobody knows."""
    held = state.durable.compartments[label].parcel
    parcel = None if held is None else state.durable.parcels.get(held)
    if parcel is None:
        return (
            f.OccupancySet(compartment=label, occupancy=Occupancy.UNKNOWN, reason="found_something", by=staff.person),
            f.ServiceSet(compartment=label, service=Service.OUT_OF_SERVICE, reason="found_something", by=staff.person),
        )
    if parcel.state in {ParcelState.RECEIVED, ParcelState.COLLECTING}:
        place = in_compartment(label)
        return (f.ParcelStored(parcel=parcel.id, place=place, session=staff.session, by=staff.person),)
    return (f.OccupancySet(compartment=label, occupancy=Occupancy.OCCUPIED, reason="checked", by=staff.person),)


def _practice_over(staff: Staff, label: Label, task: Task) -> tuple[f.AnyFact, ...]:
    """Whatever staff saw in it: it is an ordinary compartment again, and what they said of it stands."""
    if task.after is not After.END_PRACTICE:
        return ()
    return (f.PracticeEnded(compartment=label, by=staff.person, session=staff.session),)


def _out_of_service(staff: Staff, label: Label, task: Task) -> tuple[f.AnyFact, ...]:
    """Seen empty, it may go out of service: nothing is locked away behind it (M-06)."""
    if not task.out_reason:
        return ()
    return (f.ServiceSet(compartment=label, service=Service.OUT_OF_SERVICE, reason=task.out_reason, by=staff.person),)


def not_answered(state: State) -> Decision:
    """Nobody said whether the compartment is empty: it is unknown, and no parcel is freed."""
    task = state.live.task
    assert task is not None, "only a question can stay without an answer (due.answer_by)"
    if task.step is Step.WHICH_DOOR:
        return misplaced.nobody_knows(state)
    assert task.compartment is not None, "the question is about a compartment"
    label = task.compartment
    compartment = state.durable.compartments[label]
    held = None if compartment.parcel is None else state.durable.parcels.get(compartment.parcel)
    facts: tuple[f.AnyFact, ...] = ()
    if compartment.occupancy is Occupancy.RESERVED and held is not None:
        facts = (f.ReservationReleased(compartment=label, parcel=held.id, session="", verified_empty=False),)
    elif compartment.occupancy is not Occupancy.UNKNOWN:
        facts = (f.OccupancySet(compartment=label, occupancy=Occupancy.UNKNOWN, reason="not_answered"),)
    unknown = ShowStaff(StaffNotice(StaffNoticeKind.LEFT_UNKNOWN, label, compartment.parcel))
    went_on = SetTask(None) if task.then is None else shelf_task(state, task.then)
    return Decision(facts, (went_on, unknown, Sound(Signal.ATTENTION)))


def _is_asked(task: Task) -> bool:
    return task.step is Step.ASK_EMPTY


def _stop_and_say(notice: StaffNotice) -> Decision:
    return Decision((), (ShowStaff(notice), Sound(Signal.REFUSED)))


def _standing_open(state: State) -> Label | None:
    """A door in service that stands open: with two open doors a parcel goes into the wrong one (S-08).

    A door that is suspect or out of service may have a switch that reads open for ever; it must not stop the desk.
    """
    for label, compartment in state.durable.compartments.items():
        if state.door(label) is Door.OPEN and compartment.service is Service.IN_SERVICE:
            return label
    return None


def _find_by_tracking(state: State, tracking: str) -> Parcel | None:
    return next((parcel for parcel in state.durable.parcels.values() if parcel.tracking == tracking), None)


def _ended_notice(state: State, tracking: str) -> StaffNotice | None:
    for ended in reversed(tuple(state.durable.ended.values())):
        if ended.tracking == tracking:
            return StaffNotice(StaffNoticeKind.ALREADY_ENDED, None, ended.id, tracking, ended.place, ended.at_ms)
    return None


def _received(state: State, staff: Staff, label: CarrierLabel, known: Parcel | None, entropy: int) -> Decision:
    parcel = known or Parcel(
        parcel_id_from_bits(entropy),
        1,
        state.setup.epoch,
        ParcelState.RECEIVED,
        tracking=label.number,
        carrier=staff.carrier,
    )
    facts: tuple[f.AnyFact, ...] = ()
    in_hand = known is not None and known.state is ParcelState.RECEIVED and not known.uncertain
    if not in_hand or courier.is_new_to_drop(state, staff, parcel.id):
        facts = (received(staff, parcel, label.number, "desk" if known is None else "plan"),)
    parcel, noted, forgotten = _with_needs(state, staff, parcel)
    facts = (*facts, *noted)
    if parcel.unidentified:
        return Decision(facts, (*forgotten, shelf_task(state, parcel.id), Sound(Signal.OK)))
    size = parcel.size or state.live.last_size
    if size is None:
        return Decision(facts, (*forgotten, SetTask(Task(Step.CHOOSE_SIZE, parcel.id)), Sound(Signal.OK)))
    allotted = allot(state, staff, parcel, size)
    return Decision((*facts, *allotted.facts), (*forgotten, *allotted.effects))


def _with_needs(state: State, staff: Staff, parcel: Parcel) -> tuple[Parcel, tuple[f.AnyFact, ...], tuple[Effect, ...]]:
    """The parcel with what staff said of it before they scanned its label; the word counts once."""
    said = state.live.needs
    if said == NO_NEEDS:
        return parcel, (), ()
    heavy, low = said.heavy or parcel.heavy_said, said.low or parcel.low_said
    noted = f.ParcelNoted(
        parcel=parcel.id,
        by=staff.person,
        heavy=said.heavy or None,
        low=said.low or None,
        damaged=said.damaged or None,
    )
    return replace(parcel, heavy_said=heavy, low_said=low), (noted,), (RememberNeeds(NO_NEEDS),)


def received(staff: Staff, parcel: Parcel, tracking: str, source: str) -> f.AnyFact:
    """It is in the hands of staff."""
    return f.ParcelReceived(
        parcel=parcel.id,
        tracking=tracking,
        carrier=parcel.carrier,
        source=source,
        key_version=parcel.version,
        key_epoch=parcel.epoch,
        session=staff.session,
        by=staff.person,
    )


def allot(
    state: State,
    staff: Staff,
    parcel: Parcel,
    size: SizeClass,
    *,
    larger_than: SizeClass | None = None,
    then: ParcelId | None = None,
) -> Decision:
    """The best door opens for it, or a place on the shelf is shown."""
    label = allocate(state, parcel, size, larger_than=larger_than)
    if label is None:
        return Decision((), (shelf_task(state, parcel.id, then, no_door=True), Sound(Signal.OK)))
    session = next_session(state)
    reserved = f.CompartmentReserved(compartment=label, parcel=parcel.id, session=session)
    ordered, effects = open_door(
        state, session=session, compartment=label, purpose=Purpose.LOAD, parcel=parcel.id, by=staff.person
    )
    return Decision(
        (reserved, ordered), (*effects, SetTask(Task(Step.PUT_IN, parcel.id, label, then=then, in_hand=True)))
    )


def served_next(state: State, task: Task, *, ready: bool) -> Decision:
    """The parcel for which room was made gets its door now (S-14)."""
    staff = state.durable.staff
    parcel = None if task.then is None else state.durable.parcels.get(task.then)
    if staff is None or parcel is None:
        return Decision()
    if not ready:
        return Decision((), (SetTask(Task(Step.CHOOSE_SIZE, parcel.id)),))
    return allot(state, staff, parcel, wanted_size(state, parcel))


def wanted_size(state: State, parcel: Parcel) -> SizeClass:
    """The size it is known to have, or that of the parcels before it."""
    return parcel.size or state.live.last_size or SizeClass.S


def shelf_task(state: State, parcel: ParcelId, then: ParcelId | None = None, *, no_door: bool = False) -> SetTask:
    """Staff put it on the shelf, at the emptiest place; `no_door`: because no fitting door is free."""
    return SetTask(Task(Step.PUT_ON_SHELF, parcel, shelf_place=shelf_place(state), then=then, no_door=no_door))


def take_back(task: Task, after: After) -> Decision:
    """Out of the open door again; once it is shut, staff look inside."""
    if task.step is not Step.PUT_IN:
        return tell(StaffNoticeKind.FINISH_FIRST, compartment=task.compartment)
    return Decision((), (SetTask(replace(task, step=Step.TAKE_BACK, after=after)), Sound(Signal.OK)))


def _cancel_last_stored(state: State, now: Now) -> Decision:
    parcel = None if state.live.last_stored is None else state.durable.parcels.get(state.live.last_stored)
    if parcel is None or parcel.place is None or parcel.place.kind is not PlaceKind.COMPARTMENT:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    return Decision((), ask_empty(Task(Step.ASK_EMPTY, parcel.id, Label(parcel.place.name)), now))


def _stored_effects(notice: StaffNotice) -> tuple[Effect, ...]:
    return SetTask(None), RememberStored(notice.parcel), ShowStaff(notice), Sound(Signal.OK)


def _unfinished(opening: Opening, parcel: ParcelId, occupancy: Occupancy) -> Decision:
    """A deposit that staff no longer stand at: the parcel may be inside or not, and nobody can say."""
    label = opening.compartment
    if occupancy is Occupancy.UNKNOWN:
        return Decision((), (Sound(Signal.OFF),))
    fact: f.AnyFact = f.OccupancySet(compartment=label, occupancy=Occupancy.UNKNOWN, reason="opened_late")
    if occupancy is Occupancy.RESERVED:
        fact = f.ReservationReleased(compartment=label, parcel=parcel, session=opening.session, verified_empty=False)
    unknown = ShowStaff(StaffNotice(StaffNoticeKind.LEFT_UNKNOWN, label, parcel))
    return Decision((fact,), (unknown, Sound(Signal.ATTENTION)))


def emptied(state: State, staff: Staff, label: Label, task: Task) -> tuple[f.AnyFact, ...]:
    """Staff have seen nothing behind that door: it is free, and the parcel expected there is collected, in their hands or missing.

    One whose deposit nobody saw through is in nobody's hands that anybody knows of: it is looked for until its label is read again (I-4).
    """
    held = state.durable.compartments[label].parcel
    parcel = None if held is None else state.durable.parcels.get(held)
    free = f.OccupancySet(compartment=label, occupancy=Occupancy.FREE, reason="checked", by=staff.person)
    if parcel is None:
        return (free,)
    if task.after is After.REMOVE:
        reason = parcel.reason or "taken_out"
        return f.ParcelRemoved(parcel=parcel.id, place=parcel.place, reason=reason, by=staff.person), free
    cancelled = parcel.id == state.live.last_stored and parcel.state is ParcelState.STORED
    in_hand = parcel.state is ParcelState.RECEIVED or cancelled
    if parcel.place is not None and (parcel.uncertain or parcel.state is ParcelState.COLLECTING):
        collected = f.ParcelCollected(parcel=parcel.id, place=parcel.place, session=parcel.session, by=staff.person)
        return collected, free
    if parcel.state is ParcelState.RECEIVED and parcel.uncertain and not task.keeps:
        return not_found(staff, parcel), free
    if in_hand:
        return (f.ReservationReleased(compartment=label, parcel=parcel.id, session=staff.session, verified_empty=True),)
    return not_found(staff, parcel), free, *_suspected(state, staff, label)


def not_found(staff: Staff, parcel: Parcel) -> f.AnyFact:
    """It is not behind its door. What its recipient said of it stays said."""
    said = parcel.reason if parcel.state is ParcelState.DISPUTED else ""
    return f.ParcelDisputed(parcel=parcel.id, place=parcel.place, reason=said or "not_found", by=staff.person)


def _suspected(state: State, staff: Staff, label: Label) -> tuple[f.AnyFact, ...]:
    if state.durable.compartments[label].service is not Service.IN_SERVICE:
        return ()
    return (f.ServiceSet(compartment=label, service=Service.SUSPECT, reason="not_found", by=staff.person),)


def open_to_check(state: State, staff: Staff, label: Label, after: After, now: Now) -> Decision:
    """Open a compartment to look inside, or to take its parcel out; once closed it is asked about."""
    parcel = state.durable.compartments[label].parcel
    task = SetTask(Task(Step.TAKE_BACK, parcel, label, after))
    if due.stands_open(state, label):
        return Decision((), (task,))
    if not due.is_ready(state, now):
        return tell(StaffNoticeKind.CLOSE_DOOR_FIRST)
    ordered, effects = open_door(
        state, session=next_session(state), compartment=label, purpose=Purpose.VERIFY, parcel=parcel, by=staff.person
    )
    return Decision((ordered,), (*effects, task))
