"""The parcels of one recipient: one scan of any of their slips opens all their doors, one after the other (C-25).

Owns which parcels belong together and whose turn is queued. Refuses to judge whether a door may open (`pickup`): each parcel keeps
its own life, and one that fails stops no other. A group is an opaque word of the plan; nobody is named by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from controller.core.events import NextDoor
from controller.core.model import Parcel, Phase, State
from wire.facts import Place
from wire.ids import Label, ParcelId, ParcelState, PlaceKind

FORM: Final = "group"
"""The `form` of an opening that another slip of the same recipient asked for."""


def others(state: State, parcel: Parcel) -> Iterator[Parcel]:
    """The other parcels of its group, wherever they are."""
    if not parcel.group:
        return iter(())
    parcels = state.durable.parcels.values()
    return (other for other in parcels if other.group == parcel.group and other.id != parcel.id)


def left_of(state: State, group: str) -> Iterator[Parcel]:
    """What still waits here for the recipient of a group, behind a door or at the desk; nothing of no group."""
    return (
        parcel
        for parcel in state.durable.parcels.values()
        if group and parcel.group == group and parcel.state is ParcelState.STORED
    )


def behind_doors(state: State, parcel: Parcel) -> tuple[Parcel, ...]:
    """The others of its group that wait behind a door."""
    return tuple(other for other in others(state, parcel) if _lies(other, PlaceKind.COMPARTMENT))


def on_shelf(state: State, parcel: Parcel) -> tuple[Parcel, ...]:
    """The others of its group that wait at the desk."""
    return tuple(other for other in others(state, parcel) if _lies(other, PlaceKind.SHELF))


def waiting_places(state: State, parcel: Parcel) -> tuple[Place, ...]:
    """Where the others of its group wait: behind doors first, then at the desk."""
    waiting = (*behind_doors(state, parcel), *on_shelf(state, parcel))
    return tuple(other.place for other in waiting if other.place is not None)


def is_under_way(state: State, parcel: Parcel) -> bool:
    """Whether its person is being served already: its own door, its own turn, or the next door after its own was closed."""
    expected = parcel.state in {
        ParcelState.STORED,
        ParcelState.COLLECTING,
    }  # After a complaint the desk is the next step.
    if (expected and is_served(state, parcel)) or parcel.id in _queued(state):
        return True
    taken = parcel.state is ParcelState.COLLECTING
    return taken and any(is_served(state, other) for other in others(state, parcel))


def is_served(state: State, parcel: Parcel) -> bool:
    """Whether its door is being opened, or stands open for a person who is still there."""
    if parcel.place is None:
        return False
    opening = state.durable.openings.get(Label(parcel.place.name))
    return (
        opening is not None
        and opening.parcel == parcel.id
        and (opening.phase is Phase.PULSING or (opening.phase is Phase.OPEN and not opening.alarmed))
    )


def next_doors(state: State, parcel: Parcel) -> tuple[Label, ...]:
    """The doors that open for the same person after this one, in their order."""
    queued = _queued(state)
    others = {other.id: other for other in behind_doors(state, parcel)}
    return tuple(
        Label(place.name) for known in queued if known in others and (place := others[known].place) is not None
    )


def _lies(parcel: Parcel, kind: PlaceKind) -> bool:
    return parcel.state is ParcelState.STORED and parcel.place is not None and parcel.place.kind is kind


def _queued(state: State) -> tuple[ParcelId, ...]:
    turns = (kept.event for kept in state.live.waiting)
    return tuple(parcel for turn in turns if isinstance(turn, NextDoor) for parcel in turn.parcels)
