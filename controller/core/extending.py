"""A hold is extended at the site, because somebody telephoned, asked at the desk, or is on the way (M-02, M-03).

Owns how often and for how long, and what is written down of it. Refuses to need a hub, and to end anything by a clock (I-6): the end of a
hold is an intent of the hub. Extensions are counted, and a plan names the count it has seen, so that an older plan undoes none (ADR 0016).
"""

from __future__ import annotations

from typing import Final

from controller.core.effects import Decision, ShowStaff, Signal, Sound
from controller.core.events import Pressed
from controller.core.loading import tell
from controller.core.model import Now, Staff, State
from controller.core.notices import StaffNotice, StaffNoticeKind
from wire import facts as f
from wire.ids import ParcelState, Trust

EXTENSIONS_MAX: Final = 2
"""How often the hold of one parcel is extended at its site: a door is somebody else's next week."""

DAYS: Final = ("2", "7")
"""For how many days: until somebody on the way is there, or for another week."""

REASONS: Final = ("on_the_way", "asked")
"""Why: its recipient is on the way, or asked for it by telephone or at the desk."""

DAY_MS: Final = 86_400_000
_HERE: Final = {ParcelState.RECEIVED, ParcelState.STORED}


def extend(state: State, staff: Staff, event: Pressed, now: Now) -> Decision:
    """Give a parcel that lies here more days; `value` says how many and why (`7/asked`). Its slip opens again from now on."""
    parcel = None if event.parcel is None else state.durable.parcels.get(event.parcel)
    days, _, reason = event.value.partition("/")
    if parcel is None or parcel.state not in _HERE:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    if days not in DAYS or reason not in REASONS:
        return tell(StaffNoticeKind.SAY_WHY, parcel=parcel.id, tracking=parcel.tracking)
    if parcel.extended >= EXTENSIONS_MAX:
        return tell(StaffNoticeKind.EXTENDED_ENOUGH, parcel=parcel.id, tracking=parcel.tracking)
    until_ms = now.wall_ms + int(days) * DAY_MS if now.trust in {Trust.HUB, Trust.NTP} else 0
    extended = f.HoldExtended(
        parcel=parcel.id,
        count=parcel.extended + 1,
        days=int(days),
        until_ms=until_ms,
        reason=reason,
        by=staff.person,
    )
    notice = StaffNotice(StaffNoticeKind.EXTENDED, None, parcel.id, parcel.tracking, parcel.place, until_ms)
    return Decision((extended,), (ShowStaff(notice), Sound(Signal.OK)))
