"""A courier's drop: one receipt for all that was handed over, with what differs, and how many lie where (K-02, K-03).

Owns when a drop is over and what its receipt says. Refuses to know how a parcel is put in (`loading`) and how a receipt looks (`paper`).
What was scanned stays here: before a drop ends, every parcel of it has a place, on the shelf if nowhere else, or staff look for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from controller.core import courier
from controller.core.drop import DROP_PAUSE_MS, Drop, Handed
from controller.core.effects import Decision, Effect, KnowBadge, RememberStored, SetTask, ShowStaff, Signal, Sound
from controller.core.loading import shelf_task, tell
from controller.core.model import Now, Staff, State, Step
from controller.core.notices import StaffNotice, StaffNoticeKind
from wire import facts as f
from wire.facts import DROP_LISTED_MAX
from wire.ids import ParcelId, ParcelState, PlaceKind
from wire.plan import Role

DONE: Final = "done"
LEFT: Final = "left"
"""Why a drop ended: its courier said so, or has not come back."""


def finish(state: State, staff: Staff, *, leaves: bool) -> Decision:
    """A courier has handed over everything, or wants to leave: doors first, then a place for each parcel, then the receipt."""
    if (kept := courier.kept(state, staff)) is not None:
        return kept
    drop = _own(state, staff.person)
    if drop is not None and (left := next(_without_place(state, drop), None)) is not None:
        return Decision((), (shelf_task(state, left), Sound(Signal.ATTENTION)))
    facts: tuple[f.AnyFact, ...] = () if drop is None else (_ended(state, drop, DONE),)
    told: tuple[Effect, ...] = () if drop is None else (ShowStaff(StaffNotice(StaffNoticeKind.DROP_ENDED)),)
    if drop is not None and not leaves:
        return Decision(facts, (RememberStored(None), *told, Sound(Signal.OK)))
    out = f.StaffSignedOut(person=staff.person, session=staff.session, reason="done")
    return Decision((*facts, out), (RememberStored(None), KnowBadge(""), *told))


def not_in_hand(state: State, staff: Staff) -> Decision:
    """It was scanned, is to go on the shelf, and they do not have it: it may lie behind a door, so staff look for it."""
    task = state.live.task
    parcel = None if task is None or task.parcel is None else state.durable.parcels.get(task.parcel)
    if task is None or parcel is None or task.step is not Step.PUT_ON_SHELF:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    missing_one = f.ParcelDisputed(parcel=parcel.id, place=None, reason="not_found", by=staff.person)
    told = ShowStaff(StaffNotice(StaffNoticeKind.LEFT_UNKNOWN, None, parcel.id, parcel.tracking))
    return Decision((missing_one,), (SetTask(None), told, Sound(Signal.ATTENTION)))


def before_sign_in(state: State, person: str, now: Now) -> tuple[f.AnyFact, ...]:
    """What somebody's sign-in ends: the drop of another courier, or their own of long ago."""
    drop = state.durable.drop
    if drop is None:
        return ()
    couriers = {one.id for one in state.durable.people if one.role == Role.COURIER}
    other = person != drop.person and person in couriers
    return (_ended(state, drop, LEFT),) if other or _is_old(drop, now) else ()


def not_come_back(state: State, now: Now) -> Decision:
    """The courier has been away for too long: the drop is over as it stands."""
    drop = state.durable.drop
    if drop is None or not _is_old(drop, now):
        return Decision()
    return Decision((_ended(state, drop, LEFT),))


def counts(handed: tuple[Handed, ...]) -> tuple[int, int, int, int]:
    """How many lie behind doors, on the shelf, on the shelf for want of a door, and nowhere yet."""
    in_doors = sum(one.place is not None and one.place.kind is PlaceKind.COMPARTMENT for one in handed)
    at_desk = sum(one.place is not None and one.place.kind is PlaceKind.SHELF and one.no_door for one in handed)
    nowhere = sum(one.place is None for one in handed)
    return in_doors, len(handed) - in_doors - at_desk - nowhere, at_desk, nowhere


def missing(state: State, drop: Drop) -> tuple[ParcelId, ...]:
    """Announced for the drop's carrier, and not handed over."""
    return tuple(
        parcel.id
        for parcel in state.durable.parcels.values()
        if parcel.state is ParcelState.ANNOUNCED
        and not parcel.sending  # Its sender brings it, and the courier takes it away (C-32).
        and courier.same_carrier(parcel.carrier, drop.carrier)
    )


def _own(state: State, person: str) -> Drop | None:
    drop = state.durable.drop
    return drop if drop is not None and drop.person == person else None


def _is_old(drop: Drop, now: Now) -> bool:
    return drop.left_mono is not None and now.mono - drop.left_mono >= DROP_PAUSE_MS


def _ended(state: State, drop: Drop, reason: str) -> f.DropEnded:
    in_doors, on_shelf, at_desk, nowhere = counts(drop.handed)
    lacking = missing(state, drop)
    return f.DropEnded(
        person=drop.person,
        carrier=drop.carrier,
        session=drop.session,
        reason=reason,
        in_doors=in_doors,
        on_shelf=on_shelf,
        at_desk=at_desk,
        without_place=nowhere,
        missing=lacking[:DROP_LISTED_MAX],
        missing_count=len(lacking),
        unannounced=tuple(one.parcel for one in drop.handed if _is_unannounced(state, one.parcel)),
    )


def _is_unannounced(state: State, parcel: ParcelId) -> bool:
    """Made at the desk from its label; one that the hub announced meanwhile is announced (ADR 0007)."""
    known = state.durable.parcels.get(parcel) or state.durable.ended.get(parcel)
    joined = any(alias.into == parcel for alias in state.durable.aliases.values())
    return known is not None and known.from_desk and not joined


def _without_place(state: State, drop: Drop) -> Iterator[ParcelId]:
    for one in drop.handed:
        known = state.durable.parcels.get(one.parcel)
        if one.place is None and known is not None and known.state is ParcelState.RECEIVED:
            yield one.parcel
