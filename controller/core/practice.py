"""Practice: one empty compartment is set aside, and a practice slip opens it as often as wanted, on the real screen (M-10).

Owns when it begins, what the slip opens, and that the compartment comes back only after staff saw it empty (I-5). Refuses to touch stock:
no parcel is allotted to that compartment meanwhile, and no fact of practice speaks of one.
"""

from __future__ import annotations

from controller.core import due
from controller.core.allocate import is_allottable
from controller.core.effects import Decision, Show, ShowStaff, Signal, Sound, Wait
from controller.core.events import Button, Pressed, Scanned
from controller.core.loading import open_to_check, tell
from controller.core.model import After, Now, Phase, Staff, State
from controller.core.notices import Notice, NoticeKind, StaffNotice, StaffNoticeKind
from controller.core.orders import call_desk, next_session, open_door
from controller.core.pickup import refused
from wire import facts as f
from wire.ids import Label, Occupancy, Purpose, Service
from wire.practice import ScannedPractice, is_genuine_practice


def begun(state: State, staff: Staff, label: Label | None) -> Decision:
    """Set a compartment aside that is known to be empty."""
    if state.durable.practice is not None:
        return tell(StaffNoticeKind.PRACTICE_ON, compartment=state.durable.practice)
    if label is None or label not in state.durable.compartments or not is_allottable(state, label):
        return tell(StaffNoticeKind.NOT_FOR_PRACTICE, compartment=label)
    started = f.PracticeStarted(compartment=label, by=staff.person, session=staff.session)
    return Decision((started,), (ShowStaff(StaffNotice(StaffNoticeKind.PRACTICE_ON, label)), Sound(Signal.OK)))


def pressed(state: State, staff: Staff, event: Pressed, now: Now) -> Decision:
    """Practice begins, or ends."""
    if event.button is Button.PRACTISE:
        return begun(state, staff, event.compartment)
    return ended(state, staff, now)


def ended(state: State, staff: Staff, now: Now) -> Decision:
    """Open it for staff; practice is over once they have said what they saw inside."""
    label = state.durable.practice
    if label is None:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    if state.live.task is not None:
        return tell(StaffNoticeKind.FINISH_FIRST, compartment=state.live.task.compartment)
    return open_to_check(state, staff, label, After.END_PRACTICE, now)


def slip_scanned(state: State, slip: ScannedPractice, event: Scanned, now: Now) -> Decision:
    """The practice slip opens the practice door; a made-up one gets the answer of every unknown code."""
    site_key = state.setup.keys.get(slip.epoch)
    if site_key is None or slip.site_number != state.setup.number or not is_genuine_practice(slip, site_key):
        return refused()
    label = state.durable.practice
    if label is None or not _is_ready_for_it(state, label):
        facts = () if label is None else tuple(call_desk(state, "help", None, label))
        return Decision(facts, (Show(Notice(NoticeKind.ASK_DESK)), Sound(Signal.ATTENTION)))
    opening = state.durable.openings.get(label)
    if opening is not None and opening.phase in {Phase.PULSING, Phase.OPEN}:
        return Decision()
    if not due.is_ready(state, now):
        return Decision((), (Wait(event), Show(Notice(NoticeKind.ONE_MOMENT))))
    ordered, effects = open_door(
        state, session=next_session(state), compartment=label, purpose=Purpose.PRACTICE, form="qr"
    )
    return Decision((ordered,), effects)


def closed(facts: tuple[f.AnyFact, ...], label: Label) -> Decision:
    """The person has closed the practice door: thanks, as after a real collection."""
    return Decision(facts, (Sound(Signal.OK), Show(Notice(NoticeKind.THANKS, label))))


def _is_ready_for_it(state: State, label: Label) -> bool:
    known, task = state.durable.compartments[label], state.live.task
    free = known.occupancy is Occupancy.FREE and not known.doubted
    return free and known.service is not Service.OUT_OF_SERVICE and (task is None or task.compartment != label)
