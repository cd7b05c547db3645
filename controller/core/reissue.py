"""Re-issue: a new slip at the desk, for somebody whose slip is lost, unreadable, or never came (M-04, C-35).

Owns the new version of a key and what is written down of why and for whom. Refuses to need a hub: every older slip is dead at this
site at once, and the hub takes the larger version when it hears of it.
"""

from __future__ import annotations

from typing import Final

from controller.core.effects import Decision, ShowSlip, ShowStaff, Signal, Sound
from controller.core.events import Pressed
from controller.core.loading import tell
from controller.core.model import Alias, Parcel, Staff, State
from controller.core.notices import StaffNotice, StaffNoticeKind
from wire import facts as f
from wire.ids import KEY_VERSION_MAX, IdentityCheck, Motive, ParcelId, ParcelState

DESK: Final = "desk"
_HERE: Final = {ParcelState.RECEIVED, ParcelState.STORED}


def reissue(state: State, staff: Staff, event: Pressed) -> Decision:
    """Replace the keys of a parcel that waits here; `value` says why and how staff know whom they have before them.

    With its own key a second one is replaced too (ADR 0007): whoever lost a slip may have lost that one.
    """
    parcel = None if event.parcel is None else state.durable.parcels.get(event.parcel)
    motive, _, identity = event.value.partition("/")
    if parcel is None or parcel.state not in _HERE or motive not in set(Motive) or identity not in set(IdentityCheck):
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    if parcel.unidentified:
        return tell(StaffNoticeKind.IDENTIFY_FIRST, parcel=parcel.id, tracking=parcel.tracking)
    seconds = {id_: alias for id_, alias in state.durable.aliases.items() if alias.into == parcel.id}
    keys: dict[ParcelId, Alias | Parcel] = {parcel.id: parcel, **seconds}
    if any(known.version >= KEY_VERSION_MAX for known in keys.values()):
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    facts = tuple(
        f.KeyReplaced(
            parcel=id_,
            version=known.version + 1,
            epoch=state.setup.epoch,
            source=DESK,
            by=staff.person,
            motive=Motive(motive),
            identity=IdentityCheck(identity),
        )
        for id_, known in keys.items()
    )
    notice = StaffNotice(StaffNoticeKind.REISSUED, None, parcel.id, parcel.tracking, parcel.place)
    return Decision(facts, (ShowSlip(parcel.id), ShowStaff(notice), Sound(Signal.OK)))
