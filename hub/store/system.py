"""Counts over the whole hub, for those who keep it running: no site, parcel or person is in them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, and_, func, select

from hub.store.schema import ALERT, MESSAGE, PARCEL, SITE, SITE_LIVE
from hub.store.schema_carriers import DELIVERY
from wire.ids import ParcelState
from wire.messages import PresenceStatus

_PRESENT: Final = (
    ParcelState.STORED,
    ParcelState.COLLECTING,
    ParcelState.RECALLED,
    ParcelState.REFUSED,
    ParcelState.DISPUTED,
)
_WEEK_MS: Final = 7 * 24 * 3600 * 1000


def counts(connection: Connection, now_ms: int, online_after_ms: int) -> dict[str, float]:
    """Each count by the name of its gauge (`hub.metrics`)."""
    open_still = ALERT.c.cleared_ms.is_(None)
    heard = and_(SITE_LIVE.c.presence == PresenceStatus.READY, SITE_LIVE.c.heard_ms > now_ms - online_after_ms)
    asked = {
        "sites": select(func.count()).select_from(SITE).where(~SITE.c.sandbox),
        "sites_online": select(func.count()).select_from(SITE_LIVE.join(SITE)).where(heard, ~SITE.c.sandbox),
        "alerts_open": select(func.count()).where(open_still),
        "alerts_unanswered": select(func.count()).where(open_still, ALERT.c.acknowledged_ms.is_(None)),
        "parcels_inside": select(func.count()).select_from(PARCEL.join(SITE)).where(
            PARCEL.c.state.in_(_PRESENT), PARCEL.c.joined_into.is_(None), ~SITE.c.sandbox
        ),
        "notifications_waiting": select(func.count()).where(MESSAGE.c.state == "waiting", MESSAGE.c.due_ms <= now_ms),
        "notifications_failed": select(func.count()).where(
            MESSAGE.c.state == "failed", MESSAGE.c.created_ms > now_ms - _WEEK_MS
        ),
        "deliveries_waiting": select(func.count()).where(DELIVERY.c.state == "waiting", DELIVERY.c.due_ms <= now_ms),
        "deliveries_dead": select(func.count()).where(DELIVERY.c.state == "dead"),
    }  # fmt: skip
    return {name: float(connection.execute(query).scalar_one()) for name, query in asked.items()}
