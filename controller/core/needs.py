"""What staff see of a parcel and no plan knows: heavy, damaged, its recipient cannot reach high, nobody can read whose it is.

Owns those words, before or after the size is known, and how each is taken back: said again. Refuses to know doors: a word that
makes the open door the wrong one asks for the parcel back, and *loading* goes on (S-13, S-15).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from controller.core.allocate import suits
from controller.core.effects import Decision, Effect, RememberNeeds, RememberStored, ShowStaff, Signal, Sound
from controller.core.events import Button
from controller.core.loading import received, shelf_task, take_back, tell
from controller.core.model import After, Needs, Parcel, Staff, State, Step
from controller.core.notices import StaffNotice, StaffNoticeKind
from wire import facts as f
from wire.ids import ParcelId, ParcelState, parcel_id_from_bits

CARRIER_CHARACTERS_MAX: Final = 32
"""As in the roster (`wire.plan.Person.carrier`)."""
_IN_HAND: Final = {Step.CHOOSE_SIZE, Step.PUT_ON_SHELF, Step.PUT_IN}


def said(state: State, staff: Staff, button: Button) -> Decision:
    """Heavy, a low door wanted, or damaged: of the parcel in hand, or of the next one. Said twice, it is taken back."""
    task = state.live.task
    if task is None:
        return Decision((), (RememberNeeds(_turned(state.live.needs, button)), _NOTED, Sound(Signal.OK)))
    if task.step not in _IN_HAND:
        return tell(StaffNoticeKind.FINISH_FIRST, compartment=task.compartment)
    assert task.parcel is not None, "what is in their hands is a parcel"
    parcel = state.durable.parcels[task.parcel]
    needs = _turned(Needs(parcel.heavy_said, parcel.low_said, parcel.damaged_said), button)
    noted = f.ParcelNoted(
        parcel=parcel.id,
        by=staff.person,
        heavy=needs.heavy if button is Button.HEAVY else None,
        low=needs.low if button is Button.LOW else None,
        damaged=needs.damaged if button is Button.ARRIVED_DAMAGED else None,
    )
    parcel = replace(parcel, heavy_said=needs.heavy, low_said=needs.low)
    if task.step is Step.PUT_IN and task.compartment is not None and not suits(state, parcel, task.compartment):
        other = take_back(task, After.OTHER_DOOR)
        return Decision((noted,), (*other.effects, _NOTED))
    return Decision((noted,), (_NOTED, Sound(Signal.OK)))


def sending_next(state: State, carrier: str) -> Decision:
    """The next label is of a parcel that a customer hands in for `carrier` (C-32); said again, it is a deposit as before."""
    if state.live.task is not None:
        return tell(StaffNoticeKind.FINISH_FIRST, compartment=state.live.task.compartment)
    carrier = carrier[:CARRIER_CHARACTERS_MAX]
    sends = None if state.live.needs.sends == carrier else carrier
    kind = StaffNoticeKind.NEEDS_NOTED if sends is None else StaffNoticeKind.SENDING_NEXT
    return Decision((), (RememberNeeds(Needs(sends=sends)), ShowStaff(StaffNotice(kind)), Sound(Signal.OK)))


def unidentified(state: State, staff: Staff, entropy: int) -> Decision:
    """Nobody can read whose parcel this is: it waits on the shelf, and no code is issued for it (S-13)."""
    task = state.live.task
    if task is None:
        return _nameless(state, staff, entropy)
    if task.step not in _IN_HAND:
        return tell(StaffNoticeKind.FINISH_FIRST, compartment=task.compartment)
    assert task.parcel is not None, "what is in their hands is a parcel"
    noted = f.ParcelNoted(parcel=task.parcel, by=staff.person, unidentified=True)
    if task.step is Step.PUT_IN:
        return Decision((noted,), take_back(task, After.SHELF).effects)
    return Decision((noted,), (shelf_task(state, task.parcel, task.then), Sound(Signal.OK)))


def identified(state: State, staff: Staff, parcel_id: ParcelId | None) -> Decision:
    """Somebody found out whose it is: from now on it is a parcel as any other, and its slip can be printed."""
    parcel = None if parcel_id is None else state.durable.parcels.get(parcel_id)
    if parcel is None or not parcel.unidentified:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    noted = f.ParcelNoted(parcel=parcel.id, by=staff.person, unidentified=False)
    notice = StaffNotice(StaffNoticeKind.IDENTIFIED, None, parcel.id, parcel.tracking, parcel.place)
    effects: tuple[Effect, ...] = (ShowStaff(notice), Sound(Signal.OK))
    if parcel.place is not None:
        effects = (RememberStored(parcel.id), *effects)
    return Decision((noted,), effects)


def _nameless(state: State, staff: Staff, entropy: int) -> Decision:
    """Not even a label: it gets a record of its own, known by its mark until somebody identifies it."""
    if state.live.disk_short:
        return tell(StaffNoticeKind.DISK_FULL)
    parcel = Parcel(parcel_id_from_bits(entropy), 1, state.setup.epoch, ParcelState.RECEIVED)
    facts = (
        received(staff, parcel, "", "desk"),
        f.ParcelNoted(parcel=parcel.id, by=staff.person, unidentified=True),
    )
    return Decision(facts, (RememberStored(None), shelf_task(state, parcel.id), Sound(Signal.OK)))


def _turned(needs: Needs, button: Button) -> Needs:
    if button is Button.HEAVY:
        return replace(needs, heavy=not needs.heavy)
    if button is Button.LOW:
        return replace(needs, low=not needs.low)
    return replace(needs, damaged=not needs.damaged)


_NOTED: Final = ShowStaff(StaffNotice(StaffNoticeKind.NEEDS_NOTED))
