"""Sites without a machine, where carriers try their programs: parcels go through their life by time alone.

Owns the steps' place in the database. Nobody is told but the carrier: such a parcel has no recipient, counts in no
statistic and stands in no plan.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from hub.carriers.outbox import Outbox
from hub.clock import Clock
from hub.core.moment import Moment
from hub.core.project import evolve
from hub.core.sandbox import next_step
from hub.live import Live
from hub.store import carriers, ingest
from hub.store.engine import Store
from wire.ids import ReachZone, SizeClass, Trust

STEPS_MAX: Final = 200
"""Parcels that go on in one round; the others follow in the next."""
_BANK: Final = tuple(
    (f"{size.value}{place}", size, reach)
    for size in SizeClass
    for place, reach in enumerate((ReachZone.LOW, ReachZone.MID, ReachZone.HIGH), 1)
)
"""Label, size and reach zone of the compartments that a sandbox seems to have, all of them free for ever."""


def furnish(connection: Connection, number: int) -> None:
    """Give a new sandbox a bank."""
    cards = [
        {"label": label, "size": size, "reach": reach, "height_mm": 0, "row": row, "column": 0, "rows": 1, "columns": 1}
        for row, (label, size, reach) in enumerate(_BANK)
    ]
    ingest.save_cards(connection, number, cards)
    free = ingest.Box("free", "in_service")
    ingest.save_boxes(connection, {(number, label): (free, 0) for label, _, _ in _BANK})


class Sandbox:
    """Takes parcels of sandboxes one step further."""

    def __init__(self, store: Store, live: Live, clock: Clock) -> None:
        self._store = store
        self._live = live
        self._clock = clock

    def look(self) -> int:
        """One round; how many parcels went on."""
        with self._store.reading() as connection:
            found = carriers.sandbox_parcels(connection, STEPS_MAX)
        if not found:
            return 0
        moved: list[tuple[str, str]] = []
        with self._store.writing() as connection:
            now_ms, outbox = self._clock(), Outbox()
            for known in ingest.parcels(connection, found).values():
                change = next_step(known, now_ms)
                evolved = (
                    None if change is None else evolve(known, change, Moment(known.site, now_ms, Trust.NTP, now_ms))
                )
                if evolved is not None:
                    ingest.save_parcels(connection, [evolved.parcel])
                    outbox.moved(known, evolved.parcel)
                    moved.append((found[known.id], known.id))
            outbox.write(connection, now_ms)
        for site, parcel in moved:
            self._live.publish("parcel", site, parcel)
        return len(moved)
