"""The fold of a courier's drop: what was handed over, where it lies now, and the receipts of the last drops (K-02, K-03).

Owns `Durable.drop` and `Durable.drops`. Refuses to decide when a drop is over (`drops`). A fact of anything else changes nothing here.
"""

from __future__ import annotations

from dataclasses import replace

from controller.core.courier import is_courier
from controller.core.drop import DROPS_KEPT, Drop, DropReceipt, Handed
from controller.core.model import Durable, Now
from wire import facts as f
from wire.facts import Place
from wire.ids import ParcelId


def handed_over(durable: Durable, fact: f.ParcelReceived) -> Durable:
    """A label was read in front of a courier: the parcel belongs to their drop, which begins with the first one."""
    staff = durable.staff
    if staff is None or not is_courier(staff) or fact.by != staff.person:
        return durable
    drop = durable.drop
    if drop is None or drop.person != staff.person:
        drop = Drop(staff.person, staff.carrier, staff.session)
    rest = tuple(one for one in drop.handed if one.parcel != fact.parcel)
    return replace(durable, drop=replace(drop, handed=(*rest, Handed(fact.parcel, fact.tracking))))


def placed(durable: Durable, parcel: ParcelId, place: Place | None, *, no_door: bool = False) -> Durable:
    """A parcel lies somewhere, or nowhere any more; it is of the drop or of none."""
    drop = durable.drop
    if drop is None or all(one.parcel != parcel for one in drop.handed):
        return durable
    handed = tuple(replace(one, place=place, no_door=no_door) if one.parcel == parcel else one for one in drop.handed)
    return replace(durable, drop=replace(drop, handed=handed))


def came_back(durable: Durable, person: str) -> Durable:
    """Whoever began the drop goes on with it."""
    drop = durable.drop
    return durable if drop is None or drop.person != person else replace(durable, drop=replace(drop, left_mono=None))


def went_away(durable: Durable, person: str, stamp: Now) -> Durable:
    """They are not at the desk any more; the drop waits a while for them."""
    drop = durable.drop
    if drop is None or drop.person != person:
        return durable
    return replace(durable, drop=replace(drop, left_mono=stamp.mono))


def over(durable: Durable, fact: f.DropEnded, stamp: Now) -> Durable:
    """The drop is over: its receipt is kept, the newest last."""
    drop = durable.drop
    if drop is None:
        return durable
    receipt = DropReceipt(
        drop=drop.session,
        person=fact.person,
        carrier=fact.carrier,
        at_ms=stamp.wall_ms,
        trust=stamp.trust,
        handed=drop.handed,
        missing=tuple(_tracking(durable, parcel) for parcel in fact.missing),
        missing_count=fact.missing_count,
        unannounced=tuple(_tracking(durable, parcel) for parcel in fact.unannounced),
    )
    return replace(durable, drop=None, drops=(*durable.drops, receipt)[-DROPS_KEPT:])


def _tracking(durable: Durable, parcel: ParcelId) -> str:
    known = durable.parcels.get(parcel) or durable.ended.get(parcel)
    return parcel if known is None else known.tracking or parcel
