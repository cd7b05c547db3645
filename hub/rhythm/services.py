"""The rhythm of a site, or of every site: what is expected, whether there will be room, how parcels stay and doors do (A-15).

Owns putting the site's past and the arithmetic together. Refuses to know pages. Days are those of this machine's time zone,
hours those of the site's.
Sizes are those of the doors parcels took, or else as announced; "" is a parcel whose size nobody said.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from hub.batches import read
from hub.clock import day_of, start_of
from hub.core.forecast import AHEAD_DAYS, Errors, errors, forecast
from hub.core.pressure import Dwell, Shortage, Stay, dwell, first_shortage, peaks
from hub.notify.calm import CalmHours
from hub.settings import Notify
from hub.store import rhythm as sql
from hub.store.engine import Store
from hub.store.pages import SiteRow
from hub.web.bank import bank_of, count_sizes
from wire import facts

LEARNT_FROM_DAYS: Final = 90
"""Three months: three first fortnights."""
LATELY_DAYS: Final = 31
DAY_MS: Final = 86_400_000
ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class SizeRhythm:
    """One size of a site. `expected`: parcels a day, today first; empty where too little is known."""

    size: str
    expected: Sequence[float]
    errors: Errors | None
    free: int = 0
    total: int = 0
    overdue: int = 0
    """Parcels that lie longer than the hold period."""
    shortage: Shortage | None = None


@dataclass(frozen=True, slots=True)
class DoorRhythm:
    """How a door did lately: openings, how many of them took more than one pulse, how many failed, and all its pulses."""

    label: str
    openings: int
    again: int
    failed: int
    pulses: int

    @property
    def is_hard(self) -> bool:
        """Whether somebody should look at its latch: it failed, or one opening in ten takes a second pulse."""
        return self.failed > 0 or (self.openings >= 10 and self.again * 10 >= self.openings)


@dataclass(frozen=True, slots=True)
class SiteRhythm:
    """Everything that is known of a site's rhythm."""

    site: str
    name: str
    days: Sequence[date]
    """Today and the days for which something is expected."""
    sizes: Sequence[SizeRhythm]
    calm_hours: Sequence[int]
    stayed: Dwell | None
    past_days: Sequence[date]
    peaks: Sequence[int]
    """The most parcels at once, for each of the past days."""
    stored: Mapping[str, int]
    """Parcels stored lately, by size."""
    no_door: Mapping[str, int]
    """Of them those that went to the shelf because no fitting door was free."""
    doors: Sequence[DoorRhythm]


class Rhythm:
    """Reads the past of the sites it is asked about: which these may be is decided by who reads their rows (I-31)."""

    def __init__(self, store: Store, rules: Notify) -> None:
        self._store = store
        self._calm = CalmHours(store, rules)
        self.hold_days: Final = rules.hold.days
        """What lies longer is to be called back; with 0 nothing ever does."""

    def site(self, row: SiteRow, now_ms: int) -> SiteRhythm:
        """The rhythm of one site."""
        lately_ms = now_ms - LATELY_DAYS * DAY_MS
        with self._store.reading() as connection:
            lives = sql.lives(connection, row.number, now_ms - LEARNT_FROM_DAYS * DAY_MS)
            doors = sql.door_facts(connection, row.number, lately_ms)
        today = day_of(now_ms)
        past = [today - timedelta(days=back) for back in range(LATELY_DAYS - 1, -1, -1)]
        recent = [life for life in lives if life.stored_ms >= lately_ms]
        return SiteRhythm(
            site=row.id,
            name=row.name,
            days=[today + timedelta(days=ahead) for ahead in range(AHEAD_DAYS)],
            sizes=self.sizes([row], now_ms)[row.number],
            calm_hours=self._calm.hours(row.id, row.number, now_ms),
            stayed=dwell(Stay(life.stored_ms, life.ended_ms) for life in recent if sql.was_collected(life)),
            past_days=past,
            peaks=peaks(
                (Stay(life.stored_ms, life.ended_ms) for life in lives),
                [start_of(day) for day in (*past, today + timedelta(days=1))],
            ),
            stored=Counter(life.size for life in recent),
            no_door=Counter(life.size for life in recent if life.no_door),
            doors=_doors(doors),
        )

    def sizes(self, rows: Sequence[SiteRow], now_ms: int) -> dict[int, list[SizeRhythm]]:
        """What each size of these sites can expect; `all` first."""
        since_ms = now_ms - LEARNT_FROM_DAYS * DAY_MS
        numbers = [row.number for row in rows]
        with self._store.reading() as connection:
            came = _by_day(sql.hours(connection, numbers, "stored_ms", since_ms))
            left = _by_day(sql.hours(connection, numbers, "ended_ms", since_ms))
            before_ms = now_ms - self.hold_days * DAY_MS if self.hold_days else 0  # nothing is as old as that
            overdue = {(each.site, each.size): each.count for each in sql.waiting(connection, numbers, before_ms)}
        today = day_of(now_ms)
        return {row.number: [*_sizes(row, came[row.number], left[row.number], overdue, today)] for row in rows}


def _by_day(rows: Iterable[Any]) -> dict[int, dict[str, Counter[date]]]:
    """Counts by site, size and day; `all` sums the sizes."""
    told: dict[int, dict[str, Counter[date]]] = defaultdict(dict)
    for row in rows:
        day = day_of(int(row.hour) * sql.HOUR_MS)
        for size in (ALL, row.size):
            told[row.site].setdefault(size, Counter())[day] += row.count
    return told


def _sizes(
    row: SiteRow,
    came: Mapping[str, Counter[date]],
    left: Mapping[str, Counter[date]],
    overdue: Mapping[tuple[int, str], int],
    today: date,
) -> Iterable[SizeRhythm]:
    cells = bank_of(row.birth, row.state)
    rooms = {str(count.size): count for count in count_sizes(cells)}
    for size in (ALL, *sorted({*came, *rooms} - {ALL}, key=_order)):
        expected, wrong = _expected(came.get(size, Counter()), today)
        leaving, _ = _expected(left.get(size, Counter()), today)
        shown = [rooms[size]] if size in rooms else list(rooms.values()) if size == ALL else []
        free, total = sum(room.free for room in shown), sum(room.total for room in shown)
        late = sum(count for (site, other), count in overdue.items() if site == row.number and size in {ALL, other})
        known = bool(expected and total)
        short = first_shortage(free, total, expected, leaving or [0.0] * AHEAD_DAYS) if known else None
        yield SizeRhythm(size, expected, wrong, free, total, late, short)


def _order(size: str) -> int:
    return ("S", "M", "L", "XL", "").index(size) if size in {"S", "M", "L", "XL", ""} else 9


def _expected(came: Counter[date], today: date) -> tuple[list[float], Errors | None]:
    """Parcels a day from today on, and how wrong that was lately. Only whole days count; those since the last parcel had none."""
    yesterday = today - timedelta(days=1)
    known = {day: count for day, count in came.items() if day <= yesterday} | {yesterday: came[yesterday]}
    guesses = [forecast(known, today + timedelta(days=ahead)) for ahead in range(AHEAD_DAYS)]
    return [guess for guess in guesses if guess is not None], errors(known)


def _doors(rows: Iterable[Any]) -> list[DoorRhythm]:
    """Every door that was pulsed, the hardest first."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        match read(bytes(row.body)):
            case facts.OpeningOrdered(compartment=label, pulse=pulse):
                counted[label]["pulses"] += 1
                counted[label]["openings"] += pulse == 1
                counted[label]["again"] += pulse == 2
            case facts.OpeningFailed(compartment=label):
                counted[label]["failed"] += 1
    told = [
        DoorRhythm(label, each["openings"], each["again"], each["failed"], each["pulses"])
        for label, each in counted.items()
    ]
    return sorted(told, key=lambda door: (not door.is_hard, -door.failed, -door.pulses, door.label))
