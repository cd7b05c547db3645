"""Finding: where a parcel went that is no longer here, by a part of its number, its door or shelf place, or the day it left (M-11).

Owns what a search matches and how much of it is shown. Refuses to change anything, and to know names: a site keeps none (design, the
plan). What is in stock stands in the list of the desk already and is filtered there.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from controller.core.effects import Decision, ShowFound
from controller.core.events import Sought
from controller.core.found import Found
from controller.core.loading import tell
from controller.core.model import Ended, State
from controller.core.notices import StaffNoticeKind
from controller.core.rights import Right, refused
from controller.core.views import FoundView, GoneView

SHOWN_MAX: Final = 20
"""Parcels shown of a search: more are a question that was not yet asked well enough; their number is said."""


def sought(state: State, event: Sought) -> Decision:
    """Look through everything that is remembered of parcels that left; nothing asked takes the answer away."""
    staff = state.durable.staff
    if staff is None:
        return tell(StaffNoticeKind.SIGN_IN_FIRST)
    if (refusal := refused(staff, Right.LOOK)) is not None:
        return refusal
    wanted = plain(event.text)
    if not wanted:
        return Decision((), (ShowFound(None),))
    matching = [ended.id for ended in reversed(tuple(state.durable.ended.values())) if _answers(ended, wanted, event)]
    return Decision(
        (), (ShowFound(Found(staff.session, event.text, len(matching), tuple(islice(matching, SHOWN_MAX)))),)
    )


def plain(text: str) -> str:
    """Letters and digits alone, as capitals: a number is read in groups, and typed with spaces or without."""
    return "".join(character for character in text.upper() if character.isalnum())


def shown(state: State) -> FoundView | None:
    """The answer for whoever is signed in; what has been forgotten since is left out."""
    found, staff = state.live.found, state.durable.staff
    if found is None or staff is None or found.session != staff.session:
        return None
    gone = (state.durable.ended.get(parcel) for parcel in found.parcels)
    lines = tuple(
        GoneView(ended.id, ended.tracking, ended.carrier, ended.state, ended.place, ended.at_ms)
        for ended in gone
        if ended is not None
    )
    return FoundView(found.text, found.count, lines)


def _answers(ended: Ended, wanted: str, event: Sought) -> bool:
    if event.since_ms <= ended.at_ms < event.until_ms:
        return True
    place = "" if ended.place is None else ended.place.name
    return wanted == place or wanted in plain(ended.tracking) or wanted in ended.id
