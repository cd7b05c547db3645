"""The life of a parcel at a site that has no machine: steps that follow each other by time alone.

Owns which step comes next and when. Refuses to know tables and clocks. A carrier's developer sees every event of a life within
a minute, by the same fold as a real one.
"""

from __future__ import annotations

from typing import Final

from hub.core.project import Ended, ParcelChange, ParcelRecord, Placed, Received, Refused, Source, Taking
from wire.facts import Place
from wire.ids import ParcelId, ParcelState, PlaceKind
from wire.plan import Intent

ARRIVES_MS: Final = 5_000
STORED_MS: Final = 5_000
WAITS_MS: Final = 20_000
"""Long enough to ask for it back before it is collected."""
LEAVES_MS: Final = 5_000
REFUSED_ENDS: Final = "99"
"""A number that ends so is refused by its recipient, and sent back."""


def next_step(parcel: ParcelRecord, now_ms: int) -> ParcelChange | None:
    """What happens to a parcel now; None when nothing does yet, or any more."""
    one = ParcelId(parcel.id)
    age_ms = now_ms - parcel.changed_ms
    is_recalled = parcel.intent is Intent.RECALL
    match parcel.state:
        case ParcelState.ANNOUNCED if is_recalled and age_ms >= LEAVES_MS:
            return Ended(one, ParcelState.REMOVED)
        case ParcelState.ANNOUNCED if not is_recalled and age_ms >= ARRIVES_MS:
            return Received(one, parcel.tracking, parcel.carrier, Source.PLAN, parcel.version, parcel.epoch)
        case ParcelState.RECEIVED if age_ms >= STORED_MS:
            return Placed(one, Place(kind=PlaceKind.SHELF, name=""))
        case ParcelState.STORED if is_recalled and age_ms >= LEAVES_MS:
            return Ended(one, ParcelState.REMOVED)
        case ParcelState.STORED if age_ms >= WAITS_MS:
            return Refused(one) if parcel.tracking.endswith(REFUSED_ENDS) else Taking(one)
        case ParcelState.REFUSED if age_ms >= LEAVES_MS:
            return Ended(one, ParcelState.RETURNED)
        case ParcelState.COLLECTING if age_ms >= LEAVES_MS:
            return Ended(one, ParcelState.COLLECTED)
        case _:
            return None
