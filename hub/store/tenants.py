"""What of the tables is inside a scope (A-17, I-31): one condition for each kind of thing, which every read and change asks.

Owns these conditions, associations, and which association a site is of. Refuses to know who has which scope.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, insert, or_, select, true

from hub.core.permissions import Scope, bare_carrier
from hub.store.engine import Store
from hub.store.schema import ALERT, PARCEL, SITE
from hub.store.schema_people import ASSOCIATION

FIRST_TENANT: Final = 1
"""The association that was there first, and runs the hub: alerts about sites nobody created are its own."""


def sites_inside(scope: Scope) -> ColumnElement[bool]:
    """A condition on SITE."""
    if scope.tenant is None:
        return true()
    mine = SITE.c.tenant == scope.tenant
    return mine if scope.sites is None else and_(mine, SITE.c.number.in_(scope.sites))


def numbers_inside(scope: Scope) -> Any:
    """The numbers of the sites inside, as a subquery."""
    return select(SITE.c.number).where(sites_inside(scope))


def alerts_inside(scope: Scope) -> ColumnElement[bool]:
    """A condition on ALERT."""
    if scope.tenant is None:
        return true()
    mine = ALERT.c.site.in_(select(SITE.c.id).where(sites_inside(scope)))
    if scope.tenant == FIRST_TENANT and scope.sites is None:
        return or_(mine, ALERT.c.site.not_in(select(SITE.c.id)))
    return mine


def parcels_inside(connection: Connection, scope: Scope) -> ColumnElement[bool]:
    """A condition on PARCEL joined with SITE. The ways a carrier's name is written are read from the parcels themselves."""
    mine = sites_inside(scope)
    if scope.partner:
        return and_(mine, PARCEL.c.partner == scope.partner)
    if not scope.carrier:
        return mine
    written = connection.execute(select(PARCEL.c.carrier).join(SITE).where(mine).distinct()).scalars()
    return and_(mine, PARCEL.c.carrier.in_([name for name in written if bare_carrier(name) == scope.carrier]))


_PLACE: Final = select(SITE.c.tenant, SITE.c.number).where(SITE.c.id == bindparam("site"))


class SitePlaces:
    """Association and number of each site, remembered: a site never moves to another association."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, tuple[int, int]] = {}

    def of(self, site: str) -> tuple[int, int]:
        """Association and number; the first association, and number 0, of a site nobody created."""
        found = self._known.get(site)
        if found is None:
            with self._store.reading() as connection:
                row = connection.execute(_PLACE, {"site": site}).one_or_none()
            if row is None:
                return FIRST_TENANT, 0
            found = self._known[site] = (row.tenant, row.number)
        return found


def alert_place(connection: Connection, alert: int) -> Any:
    """Site, association and site number of an alert; None when there is no such alert."""
    query = (
        select(
            ALERT.c.site,
            func.coalesce(SITE.c.tenant, FIRST_TENANT).label("tenant"),
            func.coalesce(SITE.c.number, 0).label("number"),
        )
        .join(SITE, SITE.c.id == ALERT.c.site, isouter=True)
        .where(ALERT.c.id == alert)
    )
    return connection.execute(query).one_or_none()


def associations(connection: Connection) -> list[Any]:
    """Every association, by number."""
    return list(connection.execute(select(ASSOCIATION).order_by(ASSOCIATION.c.number)))


def association(connection: Connection, name: str) -> int | None:
    """The number of an association."""
    return connection.execute(select(ASSOCIATION.c.number).where(ASSOCIATION.c.name == name)).scalar()


def add_association(connection: Connection, name: str, now_ms: int) -> int:
    """Create an association; its number."""
    number = int(connection.execute(select(func.coalesce(func.max(ASSOCIATION.c.number), 0))).scalar_one()) + 1
    connection.execute(insert(ASSOCIATION).values(number=number, name=name, created_ms=now_ms))
    return number
