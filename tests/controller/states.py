"""States and parcels that a test writes down instead of living them."""

from __future__ import annotations

from dataclasses import fields, replace

from controller.core.effects import Decision, Show, ShowStaff, Sound
from controller.core.model import (
    Parcel,
    State,
)
from controller.core.notices import NoticeKind, StaffNoticeKind
from tests.controller.virtual_site import VirtualSite
from wire.ids import ParcelState
from wire.ids import parcel_id_from_bits as pid


def with_(site: VirtualSite, **changes: object) -> State:
    """The site's state with a part of its durable or live state otherwise."""
    state = site.state
    names = {field.name for field in fields(state.live)}
    live = {name: value for name, value in changes.items() if name in names}
    durable = {name: value for name, value in changes.items() if name not in names}
    return replace(
        state,
        durable=replace(state.durable, **durable),  # type: ignore[arg-type]
        live=replace(state.live, **live),  # type: ignore[arg-type]
    )


def a_parcel(bits: int = 1, state: ParcelState = ParcelState.STORED, **more: object) -> Parcel:
    return replace(Parcel(pid(bits), 1, 0, state), **more)  # type: ignore[arg-type]


def heard(said: Decision) -> list[str]:
    """What the lamp and the loudspeaker say."""
    return [effect.signal.value for effect in said.effects if isinstance(effect, Sound)]


def staff_told(said: Decision) -> list[StaffNoticeKind]:
    """What the desk's screen says."""
    return [effect.notice.kind for effect in said.effects if isinstance(effect, ShowStaff)]


def customer_told(said: Decision) -> list[NoticeKind]:
    """What the customer's screen says."""
    return [effect.notice.kind for effect in said.effects if isinstance(effect, Show)]
