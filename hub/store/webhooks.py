"""The statements behind telling carriers: events as they happen, the addresses they go to, and each one's way there.

Owns their SQL. Refuses to decide what is told, and to open a secret: sealed bytes go in and out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, func, insert, select, text, update

from hub.core.permissions import Scope
from hub.core.project import AlertKind
from hub.store.lists import many
from hub.store.schema import ALERT, SITE
from hub.store.schema_carriers import CARRIER_EVENT, DELIVERY, PARTNER, WEBHOOK
from hub.store.tenants import sites_inside

EVENTS_SHOWN_MAX: Final = 100
DELIVERIES_SHOWN_MAX: Final = 100
NUMBERS_SKIPPED: Final = 1_000_000
"""More events than a network has between two copies; two thousand copies can be put back."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event as it happens. `site` is the number of its site, `at_ms` when it happened as far as is believed."""

    id: str
    partner: int
    parcel: str
    site: int
    tracking: str
    kind: str
    at_ms: int


_ADD_EVENT: Final = text(
    "INSERT INTO carrier_event (id, partner, parcel, site, tracking, kind, at_ms, created_ms)"
    " SELECT CAST(:id AS VARCHAR), :partner, CAST(:parcel AS VARCHAR), site.id, CAST(:tracking AS VARCHAR),"
    " CAST(:kind AS VARCHAR), :at_ms, :now_ms FROM site WHERE site.number = :site"
)
_ADD_DELIVERIES: Final = text(
    "INSERT INTO delivery (webhook, event, parcel, due_ms)"
    " SELECT webhook.id, carrier_event.number, carrier_event.parcel, :now_ms FROM carrier_event"
    " JOIN webhook ON webhook.partner = carrier_event.partner WHERE carrier_event.id = :id"
)


_IN_TURN: Final = (
    select(PARTNER.c.id)
    .where(PARTNER.c.id.in_(many("partners")))
    .order_by(PARTNER.c.id)
    .with_for_update(key_share=True)
)


def add_events(connection: Connection, events: Sequence[NewEvent], now_ms: int) -> None:
    """Keep events in their order, each on its way to every address its carrier has now. Call it last, as the audit log.

    One transaction at a time adds events of a carrier: whoever asks for what comes after a number then misses nothing,
    because no smaller number is committed later.
    """
    if events:
        connection.execute(_IN_TURN, {"partners": sorted({event.partner for event in events})}).all()
    for event in events:
        values = {
            "id": event.id, "partner": event.partner, "parcel": event.parcel, "site": event.site,
            "tracking": event.tracking, "kind": event.kind, "at_ms": event.at_ms, "now_ms": now_ms,
        }  # fmt: skip
        connection.execute(_ADD_EVENT, values)
        connection.execute(_ADD_DELIVERIES, {"id": event.id, "now_ms": now_ms})


def events_of(connection: Connection, scope: Scope, *, parcel: str = "", after: int = 0) -> Sequence[Any]:
    """Events in their order, after number `after`: a carrier's own, or an association's."""
    query = select(CARRIER_EVENT).join(SITE, SITE.c.id == CARRIER_EVENT.c.site).where(sites_inside(scope))
    if scope.partner:
        query = query.where(CARRIER_EVENT.c.partner == scope.partner)
    if parcel:
        query = query.where(CARRIER_EVENT.c.parcel == parcel)
    query = query.where(CARRIER_EVENT.c.number > after).order_by(CARRIER_EVENT.c.number)
    return connection.execute(query.limit(EVENTS_SHOWN_MAX)).all()


_SKIP_SQLITE: Final = text("UPDATE sqlite_sequence SET seq = seq + :skipped WHERE name = 'carrier_event'")
_BEGIN_SQLITE: Final = text("INSERT INTO sqlite_sequence (name, seq) VALUES ('carrier_event', :skipped)")
_SKIP_POSTGRESQL: Final = text(
    "SELECT setval(pg_get_serial_sequence('carrier_event', 'number'), coalesce(max(number), 0) + :skipped)"
    " FROM carrier_event"
)


def skip_numbers(connection: Connection) -> None:
    """After a copy was put back: numbers that carriers may have seen already are never given to other events."""
    skipped = {"skipped": NUMBERS_SKIPPED}
    if connection.dialect.name != "sqlite":
        connection.execute(_SKIP_POSTGRESQL, skipped)
    elif not connection.execute(_SKIP_SQLITE, skipped).rowcount:
        connection.execute(_BEGIN_SQLITE, skipped)


def forget(connection: Connection, before_ms: int) -> None:
    """Forget events from before then, and how they were delivered."""
    old = select(CARRIER_EVENT.c.number).where(CARRIER_EVENT.c.created_ms < before_ms)
    connection.execute(delete(DELIVERY).where(DELIVERY.c.event.in_(old)))
    connection.execute(delete(CARRIER_EVENT).where(CARRIER_EVENT.c.created_ms < before_ms))


# ------------------------------------------------------------------------------------------------------------ addresses


def _mine(scope: Scope) -> ColumnElement[bool]:
    """A condition on WEBHOOK joined with PARTNER: a carrier's own, or those of an association's carriers."""
    mine = PARTNER.c.tenant == scope.tenant
    return and_(mine, PARTNER.c.id == scope.partner) if scope.partner else mine


_WEBHOOKS: Final = select(WEBHOOK, PARTNER.c.name.label("carrier"), PARTNER.c.tenant).join(PARTNER)
_WAITING: Final = (
    select(func.count())
    .where(DELIVERY.c.webhook == WEBHOOK.c.id, DELIVERY.c.state == "waiting")
    .correlate(WEBHOOK)
    .scalar_subquery()
)


def webhooks(connection: Connection, scope: Scope) -> Sequence[Any]:
    """Addresses with their carrier and how many events wait."""
    query = _WEBHOOKS.add_columns(_WAITING.label("waiting")).where(_mine(scope)).order_by(PARTNER.c.name, WEBHOOK.c.id)
    return connection.execute(query).all()


def webhook(connection: Connection, scope: Scope, number: int) -> Any:
    """One address, locked; None when there is none of that number for them."""
    query = _WEBHOOKS.where(_mine(scope), WEBHOOK.c.id == number).with_for_update(of=WEBHOOK)
    return connection.execute(query).one_or_none()


def add_webhook(connection: Connection, *, partner: int, url: str, secret: bytes, now_ms: int) -> int:
    """Keep an address; its number. It is told what happens from now on."""
    made = connection.execute(insert(WEBHOOK).values(partner=partner, url=url, secret=secret, created_ms=now_ms))
    key = made.inserted_primary_key
    assert key is not None
    return int(key[0])


def change_webhook(connection: Connection, number: int, **values: Any) -> None:
    """Change an address."""
    connection.execute(update(WEBHOOK).where(WEBHOOK.c.id == number).values(**values))


def end_webhook(connection: Connection, number: int) -> None:
    """Forget an address and what was on its way there."""
    connection.execute(delete(DELIVERY).where(DELIVERY.c.webhook == number))
    connection.execute(delete(WEBHOOK).where(WEBHOOK.c.id == number))


def clear_alerts(connection: Connection, number: int, now_ms: int) -> None:
    """The alerts about an address are over, whichever site they name."""
    about = and_(ALERT.c.kind == AlertKind.WEBHOOK_PAUSED.value, ALERT.c.subject == str(number))
    connection.execute(update(ALERT).where(about, ALERT.c.cleared_ms.is_(None)).values(cleared_ms=now_ms))


# ----------------------------------------------------------------------------------------------------------- deliveries

_EARLIER: Final = DELIVERY.alias("earlier")
_IN_ORDER: Final = ~(
    select(_EARLIER.c.event)
    .where(
        _EARLIER.c.webhook == DELIVERY.c.webhook,
        _EARLIER.c.parcel == DELIVERY.c.parcel,
        _EARLIER.c.state == "waiting",
        _EARLIER.c.event < DELIVERY.c.event,
    )
    .exists()
)
_IS_DUE: Final = and_(
    DELIVERY.c.state == "waiting",
    DELIVERY.c.due_ms <= bindparam("now_ms"),
    WEBHOOK.c.paused_ms.is_(None),
    WEBHOOK.c.rests_until_ms <= bindparam("now_ms"),
    _IN_ORDER,
)
_DUE_WEBHOOKS: Final = select(DELIVERY.c.webhook).join(WEBHOOK).where(_IS_DUE).distinct().limit(bindparam("most"))
_NEXT: Final = (
    select(
        DELIVERY.c.webhook,
        DELIVERY.c.event,
        DELIVERY.c.attempts,
        CARRIER_EVENT,
        WEBHOOK.c.url,
        WEBHOOK.c.secret,
        WEBHOOK.c.old_secret,
        WEBHOOK.c.old_until_ms,
        WEBHOOK.c.failures,
        WEBHOOK.c.failing_ms,
        PARTNER.c.name.label("carrier"),
    )
    .join(WEBHOOK, WEBHOOK.c.id == DELIVERY.c.webhook)
    .join(PARTNER, PARTNER.c.id == WEBHOOK.c.partner)
    .join(CARRIER_EVENT, CARRIER_EVENT.c.number == DELIVERY.c.event)
    .where(DELIVERY.c.webhook == bindparam("webhook"), _IS_DUE)
    .order_by(DELIVERY.c.event)
    .limit(1)
)


def due_webhooks(connection: Connection, now_ms: int, most: int) -> list[int]:
    """Addresses to which something can go now."""
    return list(connection.execute(_DUE_WEBHOOKS, {"now_ms": now_ms, "most": most}).scalars())


def next_delivery(connection: Connection, number: int, now_ms: int) -> Any:
    """What goes to an address next: the oldest that is due, and of each parcel no event before the one before it."""
    return connection.execute(_NEXT, {"webhook": number, "now_ms": now_ms}).one_or_none()


def save_delivery(connection: Connection, number: int, event: int, **values: Any) -> None:
    """Note how an event's way goes."""
    which = update(DELIVERY).where(DELIVERY.c.webhook == number, DELIVERY.c.event == event)
    connection.execute(which.values(**values))


def deliver_again(connection: Connection, number: int, now_ms: int, *, event: int = 0, states: Sequence[str]) -> int:
    """Let what waits, or is dead, go again now with all its tries; how many."""
    which = update(DELIVERY).where(DELIVERY.c.webhook == number, DELIVERY.c.state.in_(many("states")))
    if event:
        which = which.where(DELIVERY.c.event == event)
    values = which.values(state="waiting", attempts=0, due_ms=now_ms)
    return connection.execute(values, {"states": list(states)}).rowcount


_DELIVERIES: Final = (
    select(
        DELIVERY, CARRIER_EVENT.c.id, CARRIER_EVENT.c.kind, CARRIER_EVENT.c.tracking, CARRIER_EVENT.c.site,
        CARRIER_EVENT.c.at_ms, WEBHOOK.c.url, PARTNER.c.name.label("carrier"),
    )
    .join(WEBHOOK, WEBHOOK.c.id == DELIVERY.c.webhook)
    .join(PARTNER, PARTNER.c.id == WEBHOOK.c.partner)
    .join(CARRIER_EVENT, CARRIER_EVENT.c.number == DELIVERY.c.event)
)  # fmt: skip


def deliveries(connection: Connection, scope: Scope, state: str) -> Sequence[Any]:
    """Events on their way, the newest first, in one state where one is named."""
    query = _DELIVERIES.where(_mine(scope)).order_by(DELIVERY.c.event.desc(), DELIVERY.c.webhook)
    if state:
        query = query.where(DELIVERY.c.state == state)
    return connection.execute(query.limit(DELIVERIES_SHOWN_MAX)).all()
