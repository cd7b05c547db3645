"""The statements behind carriers: who they are, their keys, their parcels in few words, and the room at a site.

Owns their SQL. Refuses to decide who may ask, and to see a key: only digests come here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from hub.core.permissions import WHOLE_HUB, Scope
from hub.core.project import WANTED, shown_state
from hub.store.engine import Store
from hub.store.schema import COMPARTMENT, PARCEL, SITE, SITE_LIVE
from hub.store.schema_carriers import CARRIER_KEY, CARRIER_KEY_SITE, PARTNER
from hub.store.tenants import parcels_inside, sites_inside
from wire.ids import Occupancy, ParcelState, ReachZone, Service, SizeClass
from wire.plan import Intent

KEYS_SHOWN_MAX: Final = 200
"""Keys of one association, the newest first."""
PARTNERS_MAX: Final = 200
SITES_MAX: Final = 1_000


# ------------------------------------------------------------------------------------------------------ carriers, keys


def partner(connection: Connection, tenant: int, bare: str) -> Any:
    """A carrier of an association by its name for comparing."""
    query = select(PARTNER).where(PARTNER.c.tenant == tenant, PARTNER.c.bare == bare)
    return connection.execute(query).one_or_none()


def partners(connection: Connection, tenant: int) -> Sequence[Any]:
    """The carriers of an association, by name."""
    query = select(PARTNER).where(PARTNER.c.tenant == tenant).order_by(PARTNER.c.name).limit(PARTNERS_MAX)
    return connection.execute(query).all()


def add_partner(connection: Connection, *, tenant: int, name: str, bare: str, now_ms: int) -> int:
    """Create a carrier; its number."""
    made = connection.execute(insert(PARTNER).values(tenant=tenant, name=name, bare=bare, created_ms=now_ms))
    key = made.inserted_primary_key
    assert key is not None
    return int(key[0])


def add_key(connection: Connection, sites: Collection[int], **values: Any) -> int:
    """Let a program of a carrier in; the number of its key."""
    made = connection.execute(insert(CARRIER_KEY).values(**values))
    key = made.inserted_primary_key
    assert key is not None
    if sites:
        connection.execute(insert(CARRIER_KEY_SITE), [{"key": key[0], "site": site} for site in sorted(sites)])
    return int(key[0])


_KEYS: Final = select(CARRIER_KEY, PARTNER.c.tenant, PARTNER.c.name.label("carrier"), PARTNER.c.bare).join(PARTNER)
_BY_DIGEST: Final = _KEYS.where(CARRIER_KEY.c.digest == bindparam("digest"), CARRIER_KEY.c.ended_ms.is_(None))
_SITES_OF: Final = select(CARRIER_KEY_SITE.c.site).where(CARRIER_KEY_SITE.c.key == bindparam("key"))


def key_of(connection: Connection, digest: bytes) -> Any:
    """The key of this digest, with its carrier; None when there is none, or it was ended."""
    return connection.execute(_BY_DIGEST, {"digest": digest}).one_or_none()


def key_sites(connection: Connection, key: int) -> frozenset[int]:
    """The sites of a key that is not for every site."""
    return frozenset(connection.execute(_SITES_OF, {"key": key}).scalars())


def keys(connection: Connection, tenant: int) -> Sequence[Any]:
    """The keys of an association's carriers: those that open first, then the newest."""
    order = (CARRIER_KEY.c.ended_ms.is_not(None), PARTNER.c.name, CARRIER_KEY.c.id.desc())
    return connection.execute(_KEYS.where(PARTNER.c.tenant == tenant).order_by(*order).limit(KEYS_SHOWN_MAX)).all()


def sites_by_key(connection: Connection, tenant: int) -> dict[int, list[str]]:
    """Ids of the sites of an association's keys."""
    query = select(CARRIER_KEY_SITE.c.key, SITE.c.id).join(SITE).where(SITE.c.tenant == tenant).order_by(SITE.c.id)
    found: dict[int, list[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.key, []).append(row.id)
    return found


def site_numbers(connection: Connection, tenant: int, sites: Collection[str]) -> dict[str, int]:
    """Numbers of the sites of an association, by the ids that were found."""
    query = select(SITE.c.id, SITE.c.number).where(SITE.c.tenant == tenant, SITE.c.id.in_(sites))
    return {row.id: row.number for row in connection.execute(query)}


def end_key(connection: Connection, tenant: int, key: int, now_ms: int) -> Any:
    """A key opens nothing more; its row, None when there is none of that number, or it was ended before."""
    row = connection.execute(
        _KEYS.where(CARRIER_KEY.c.id == key, PARTNER.c.tenant == tenant, CARRIER_KEY.c.ended_ms.is_(None))
    ).one_or_none()
    if row is not None:
        connection.execute(update(CARRIER_KEY).where(CARRIER_KEY.c.id == key).values(ended_ms=now_ms))
        connection.execute(delete(CARRIER_KEY_SITE).where(CARRIER_KEY_SITE.c.key == key))
    return row


def note_used(connection: Connection, key: int, now_ms: int) -> None:
    """When a key was last used."""
    connection.execute(update(CARRIER_KEY).where(CARRIER_KEY.c.id == key).values(used_ms=now_ms))


# --------------------------------------------------------------------------------------------------- parcels and room


@dataclass(frozen=True, slots=True)
class Followed:
    """A parcel as its carrier sees it: no recipient, no place, no key."""

    id: str
    site: str
    tracking: str
    carrier: str
    size: SizeClass | None
    state: ParcelState
    created_ms: int
    changed_ms: int


@dataclass(frozen=True, slots=True)
class Room:
    """Free compartments of one size and reach zone at a site."""

    size: SizeClass
    reach: ReachZone | None
    free: int


@dataclass(frozen=True, slots=True)
class Capacity:
    """The room at a site, as far as the site has told."""

    site: str
    name: str
    address: str
    presence: str
    heard_ms: int
    sandbox: bool
    rooms: tuple[Room, ...]


_SANDBOXED: Final = (
    select(PARCEL.c.id, SITE.c.id.label("site_id"))
    .join(SITE)
    .where(SITE.c.sandbox, PARCEL.c.state.in_(WANTED), PARCEL.c.joined_into.is_(None))
    .order_by(PARCEL.c.changed_ms, PARCEL.c.id)
    .limit(bindparam("most"))
)


def sandbox_parcels(connection: Connection, most: int) -> dict[str, str]:
    """The live parcels of sandboxes with their site, those that stood still longest first."""
    return {row.id: row.site_id for row in connection.execute(_SANDBOXED, {"most": most})}


_FOLLOWED: Final = select(PARCEL, SITE.c.id.label("site_id")).join(SITE).where(PARCEL.c.joined_into.is_(None))
_OWN_ID: Final = select(func.coalesce(PARCEL.c.joined_into, PARCEL.c.id)).where(PARCEL.c.id == bindparam("parcel"))
_CAPACITY: Final = select(
    SITE.c.number, SITE.c.id, SITE.c.name, SITE.c.address, SITE_LIVE.c.presence, SITE_LIVE.c.heard_ms, SITE.c.sandbox
).join(SITE_LIVE, SITE_LIVE.c.site == SITE.c.number)
_FREE: Final = (
    select(COMPARTMENT.c.site, COMPARTMENT.c.size, COMPARTMENT.c.reach, func.count().label("free"))
    .where(
        COMPARTMENT.c.present,
        COMPARTMENT.c.occupancy == Occupancy.FREE.value,
        COMPARTMENT.c.service == Service.IN_SERVICE.value,
    )
    .group_by(COMPARTMENT.c.site, COMPARTMENT.c.size, COMPARTMENT.c.reach)
    .order_by(COMPARTMENT.c.site, COMPARTMENT.c.size, COMPARTMENT.c.reach)
)


def followed_now(connection: Connection, parcel: str) -> Followed:
    """A parcel that its carrier has just announced, in the transaction that did it."""
    return _followed(connection.execute(_FOLLOWED.where(PARCEL.c.id == parcel)).one())


class CarrierReads:
    """Reads for carriers, each in one consistent view of the database."""

    def __init__(self, store: Store, scope: Scope = WHOLE_HUB) -> None:
        self._store = store
        self._scope = scope

    def within(self, scope: Scope) -> CarrierReads:
        """The same reads of what is inside a scope; everything else is as if it did not exist (I-31)."""
        return CarrierReads(self._store, scope)

    def parcels(self, *, tracking: str, before: str, most: int) -> tuple[Followed, ...]:
        """Parcels, the newest first, after the one named `before`; of one number where one is given."""
        query = _FOLLOWED.order_by(PARCEL.c.created_ms.desc(), PARCEL.c.id).limit(most)
        if tracking:
            query = query.where(PARCEL.c.tracking == tracking)
        with self._store.reading() as connection:
            query = query.where(parcels_inside(connection, self._scope))
            if before:
                at = select(PARCEL.c.created_ms).where(PARCEL.c.id == before).scalar_subquery()
                older = (PARCEL.c.created_ms < at) | ((PARCEL.c.created_ms == at) & (PARCEL.c.id > before))
                query = query.where(older)
            return tuple(_followed(row) for row in connection.execute(query))

    def parcel(self, parcel: str) -> Followed | None:
        """One parcel under whichever of its ids; None when there is none of that id inside."""
        with self._store.reading() as connection:
            own = connection.execute(_OWN_ID, {"parcel": parcel}).scalar() or parcel
            inside = parcels_inside(connection, self._scope)
            row = connection.execute(_FOLLOWED.where(PARCEL.c.id == own, inside)).one_or_none()
        return None if row is None else _followed(row)

    def capacity(self, site: str = "") -> tuple[Capacity, ...]:
        """The room at every site inside, by id, or at the one that is named."""
        query = _CAPACITY.where(sites_inside(self._scope)).order_by(SITE.c.id).limit(SITES_MAX)
        if site:
            query = query.where(SITE.c.id == site)
        with self._store.reading() as connection:
            rows = connection.execute(query).all()
            rooms: dict[int, list[Room]] = {row.number: [] for row in rows}
            for row in connection.execute(_FREE.where(COMPARTMENT.c.site.in_(rooms))):
                if row.size:
                    reach = ReachZone(row.reach) if row.reach else None
                    rooms[row.site].append(Room(SizeClass(row.size), reach, row.free))
        return tuple(
            Capacity(row.id, row.name, row.address, row.presence, row.heard_ms, row.sandbox, tuple(rooms[row.number]))
            for row in rows
        )


def _followed(row: Any) -> Followed:
    return Followed(
        id=row.id,
        site=row.site_id,
        tracking=row.tracking,
        carrier=row.carrier,
        size=SizeClass(row.size) if row.size else None,
        state=shown_state(ParcelState(row.state), Intent(row.intent)),
        created_ms=row.created_ms,
        changed_ms=row.changed_ms,
    )
