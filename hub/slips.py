"""A slip of a parcel from what the tables say of it: for the pages, and for the mail that carries one.

Owns which of a parcel's data stand on its slip. Refuses to know SQL, permissions and how a slip is drawn.
"""

from __future__ import annotations

from datetime import date

from hub.keys import KeyRing
from paper.pictograms import DoorArea
from paper.slip import Slip, SlipKind
from wire.ids import ParcelId, PlaceKind
from wire.pickup import PickupKey


def area_of(place_kind: str | None, reach: str | None) -> DoorArea:
    """Where at its site a parcel waits; anywhere as long as nobody knows."""
    if place_kind == PlaceKind.SHELF:
        return DoorArea.DESK
    return DoorArea(reach) if reach else DoorArea.ANYWHERE


def slip_of(
    keys: KeyRing,
    *,
    site: str,
    number: int,
    parcel: str,
    version: int,
    epoch: int,
    site_name: str,
    address: str,
    help_phone: str,
    language: str,
    area: DoorArea,
    kind: SlipKind = SlipKind.PICKUP,
    hold_until: date | None = None,
) -> Slip:
    """The slip with its key, derived for this moment."""
    key = PickupKey(site_number=number, parcel=ParcelId(parcel), version=version, epoch=epoch)
    return Slip(
        qr_text=keys.qr(site, key),
        digits=keys.digits(site, key),
        site_name=site_name,
        site_address=address,
        help_phone=help_phone,
        language=language,
        area=area,
        kind=kind,
        hold_until=hold_until,
    )
