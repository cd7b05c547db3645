"""The statements behind doors opened from afar: wishes, their doors, and what was asked for lately.

Owns their SQL. Refuses to decide who may ask and what is sent next (`hub.core.openings`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, delete, func, insert, select, update

from hub.core.openings import Asked, DoorWish, Wish
from hub.core.permissions import Scope
from hub.store.schema import COMMAND, SITE, SITE_LIVE
from hub.store.schema_openings import OPENING, OPENING_DOOR
from hub.store.schema_people import ASSOCIATION
from hub.store.tenants import sites_inside
from wire.messages import Outcome, Verb

WISHES_SHOWN_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class OpeningRow:
    """A wish with its doors, in their order."""

    id: str
    site: str
    number: int
    tenant: int
    site_name: str
    state: str
    reason: str
    note: str
    asked_by: int
    asked_name: str
    asked_ms: int
    decided_by: int
    decided_name: str
    decided_ms: int
    doors: tuple[DoorWish, ...]


_WISHES: Final = select(OPENING, SITE.c.id.label("site_id"), SITE.c.name.label("site_name"), SITE.c.tenant).select_from(
    OPENING.join(SITE)
)
_DOORS: Final = (
    select(OPENING_DOOR, COMMAND)
    .select_from(OPENING_DOOR.join(COMMAND, OPENING_DOOR.c.command == COMMAND.c.id, isouter=True))
    .order_by(OPENING_DOOR.c.place)
)


def wish(connection: Connection, opening: str, scope: Scope, *, lock: bool = False) -> OpeningRow | None:
    """A wish inside a scope, locked against others who decide."""
    query = _WISHES.where(OPENING.c.id == opening, sites_inside(scope))
    found = _rows(connection, query.with_for_update(of=OPENING) if lock else query)
    return found[0] if found else None


def wishes(connection: Connection, scope: Scope) -> tuple[OpeningRow, ...]:
    """The newest wishes inside a scope."""
    query = _WISHES.where(sites_inside(scope)).order_by(OPENING.c.asked_ms.desc(), OPENING.c.id)
    return _rows(connection, query.limit(WISHES_SHOWN_MAX))


def waiting(connection: Connection, scope: Scope, person: int, since_ms: int) -> int:
    """How many wishes since then wait for somebody else than `person`."""
    query = select(func.count()).select_from(OPENING.join(SITE)).where(
        OPENING.c.state == Wish.WAITING, OPENING.c.asked_ms > since_ms, OPENING.c.asked_by != person, sites_inside(scope)
    )  # fmt: skip
    return int(connection.execute(query).scalar_one())


def unfinished(connection: Connection) -> list[str]:
    """Every wish that is not over, the oldest first."""
    query = select(OPENING.c.id).where(OPENING.c.state.in_((Wish.WAITING, Wish.AGREED)))
    return list(connection.execute(query.order_by(OPENING.c.asked_ms, OPENING.c.id)).scalars())


def is_unfinished_at(connection: Connection, site: int, asked_after_ms: int) -> bool:
    """Whether a wish at this site is not over."""
    still = OPENING.c.state.in_((Wish.WAITING, Wish.AGREED))
    query = select(OPENING.c.id).where(OPENING.c.site == site, still, OPENING.c.asked_ms > asked_after_ms)
    return connection.execute(query.limit(1)).one_or_none() is not None


def lock_association(connection: Connection, tenant: int) -> None:
    """Let one person at a time ask or agree in an association, so that its caps are counted right."""
    connection.execute(select(ASSOCIATION.c.number).where(ASSOCIATION.c.number == tenant).with_for_update())


def asked_since(connection: Connection, tenant: int, since_ms: int) -> list[Asked]:
    """The doors of an association that a command was sent for since then, and that no site refused."""
    query = select(COMMAND.c.site, COMMAND.c.issued_ms).join(SITE).where(
        SITE.c.tenant == tenant,
        COMMAND.c.verb == Verb.OPEN,
        COMMAND.c.issued_ms >= since_ms,
        COMMAND.c.outcome != Outcome.REFUSED,
    )  # fmt: skip
    return [Asked(row.site, row.issued_ms) for row in connection.execute(query)]


def live_word(connection: Connection, site: int) -> Any:
    """What a site last said of its start, its clock and its bank; None when it never spoke."""
    return connection.execute(select(SITE_LIVE).where(SITE_LIVE.c.site == site)).one_or_none()


def add(connection: Connection, values: dict[str, Any], doors: Sequence[str]) -> None:
    """Keep a new wish."""
    connection.execute(insert(OPENING).values(**values))
    rows = [{"opening": values["id"], "place": place, "compartment": door} for place, door in enumerate(doors)]
    connection.execute(insert(OPENING_DOOR), rows)


def change(connection: Connection, opening: str, state: Wish, **values: Any) -> None:
    """Give a wish another state."""
    connection.execute(update(OPENING).where(OPENING.c.id == opening).values(state=state, **values))


def note_sent(connection: Connection, opening: str, place: int, command: str) -> None:
    """Note the command of a door."""
    here = and_(OPENING_DOOR.c.opening == opening, OPENING_DOOR.c.place == place)
    connection.execute(update(OPENING_DOOR).where(here).values(command=command))


def prune(connection: Connection, before_ms: int) -> None:
    """Forget old wishes; before their commands are."""
    old = select(OPENING.c.id).where(OPENING.c.asked_ms < before_ms)
    connection.execute(delete(OPENING_DOOR).where(OPENING_DOOR.c.opening.in_(old)))
    connection.execute(delete(OPENING).where(OPENING.c.asked_ms < before_ms))


def _rows(connection: Connection, query: Select[Any]) -> tuple[OpeningRow, ...]:
    rows = connection.execute(query).all()
    doors: dict[str, list[DoorWish]] = {}
    for door in connection.execute(_DOORS.where(OPENING_DOOR.c.opening.in_([row.id for row in rows]))):
        doors.setdefault(door.opening, []).append(
            DoorWish(
                door.compartment,
                sent_ms=door.issued_ms or 0,
                expires_ms=door.expires_ms or 0,
                accepted_ms=door.accepted_ms or 0,
                outcome=door.outcome or "",
                answer=door.answer or "",
                answered_ms=door.answered_ms or 0,
            )
        )
    return tuple(
        OpeningRow(
            row.id, row.site_id, row.site, row.tenant, row.site_name, row.state, row.reason, row.note, row.asked_by,
            row.asked_name, row.asked_ms, row.decided_by, row.decided_name, row.decided_ms, tuple(doors[row.id]),
        )
        for row in rows
    )  # fmt: skip
