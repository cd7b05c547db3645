"""Somebody who hands in a parcel, on a site in virtual time: the steps that the stories of C-32 begin with."""

from __future__ import annotations

from controller.core.events import Button
from controller.core.notices import NoticeKind, StaffNoticeKind
from tests.controller.virtual_site import NUMBER, SITE_KEY, VirtualSite
from wire.ids import ParcelId, parcel_id_from_bits
from wire.pickup import PickupKey, send_text

RETURN_LABEL = "8N00000000017"


def issued(site: VirtualSite, tracking: str = RETURN_LABEL, bits: int = 0xABCDEF, carrier: str = "") -> ParcelId:
    """The desk makes the slip, and staff leave."""
    site.sign_in()
    site.press(Button.SENDING, carrier)
    site.scan(tracking, bits)
    site.press(Button.SIGN_OUT)
    site.wait(5_000)
    site.forget()
    return parcel_id_from_bits(bits)


def slip(parcel: ParcelId, version: int = 1, number: int = NUMBER, key: bytes = SITE_KEY) -> str:
    return send_text(key, PickupKey(number, parcel, version, 0))


def begun(site: VirtualSite, size: str = "S") -> tuple[ParcelId, str]:
    """A slip was scanned and a size chosen: a door was ordered."""
    parcel = issued(site)
    site.scan(slip(parcel))
    site.press(Button.SEND_SIZE, size, parcel=parcel)
    sending = site.state.live.sending
    assert sending is not None
    assert sending.compartment is not None
    return parcel, sending.compartment


def asked(site: VirtualSite, size: str = "S") -> tuple[ParcelId, str]:
    """The door was opened and shut: *is it inside?*"""
    parcel, label = begun(site, size)
    site.open(label)
    site.wait(4_000)
    site.close(label)
    return parcel, label


def handed_in(site: VirtualSite) -> tuple[ParcelId, str]:
    parcel, label = asked(site)
    site.press(Button.SEND_INSIDE, parcel=parcel)
    return parcel, label


def shown(site: VirtualSite) -> NoticeKind | None:
    notice = site.view().customer.notice
    return None if notice is None else notice.kind


def told(site: VirtualSite) -> StaffNoticeKind | None:
    notice = site.view().staff.notice
    return None if notice is None else notice.kind


def calls(site: VirtualSite) -> list[tuple[str, ParcelId | None, str | None]]:
    return [(call.reason, call.parcel, call.compartment) for call in site.state.durable.calls]
