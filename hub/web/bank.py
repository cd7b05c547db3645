"""The drawing of a locker bank: where each door hangs, and what is known behind it.

Owns the grid. Refuses to know tables and markup. What the site has not said yet is drawn as unknown, never as free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wire.ids import Door, Occupancy, ParcelId, ReachZone, Service, SizeClass
from wire.messages import Birth, CompartmentCard, CompartmentState, SiteState

GRID_ROWS_MAX: Final = 48
"""Rows a drawing has: a 2 m bank in units of 5 cm and some more."""
GRID_COLUMNS_MAX: Final = 64
"""Columns a drawing has: InPost's longest banks have about forty."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One door of the drawing; row and column count from 1."""

    label: str
    size: SizeClass
    reach: ReachZone
    height_mm: int
    row: int
    column: int
    rows: int
    columns: int
    occupancy: Occupancy
    service: Service
    door: Door
    parcel: ParcelId | None

    @property
    def needs_look(self) -> bool:
        """Whether a person should look at it."""
        return (
            self.occupancy is Occupancy.UNKNOWN
            or self.service is not Service.IN_SERVICE
            or self.door is not Door.CLOSED
        )


@dataclass(frozen=True, slots=True)
class Count:
    """Compartments of one size: how many, and how many of them can take a parcel now."""

    size: SizeClass
    total: int
    free: int
    occupied: int


def draw_bank(cards: Sequence[CompartmentCard], states: Sequence[CompartmentState]) -> tuple[Cell, ...]:
    """The cells of a bank in reading order, moved to the top left corner and kept inside the grid."""
    if not cards:
        return ()
    known = {state.label: state for state in states}
    top = min(card.row for card in cards)
    left = min(card.column for card in cards)
    cells = (_cell(card, known.get(card.label), top, left) for card in cards)
    return tuple(sorted(cells, key=lambda cell: (cell.row, cell.column, cell.label)))


def bank_of(birth: Birth | None, state: SiteState | None) -> tuple[Cell, ...]:
    """The cells of a bank as its site described and told it last; none before it spoke."""
    return draw_bank(birth.compartments if birth else (), state.compartments if state else ())


def count_sizes(cells: Sequence[Cell]) -> tuple[Count, ...]:
    """Occupancy by size, smallest first, sizes the bank does not have left out."""
    return tuple(
        Count(
            size,
            total=len(of_size),
            free=sum(cell.occupancy is Occupancy.FREE and cell.service is Service.IN_SERVICE for cell in of_size),
            occupied=sum(cell.occupancy is Occupancy.OCCUPIED for cell in of_size),
        )
        for size in SizeClass
        if (of_size := [cell for cell in cells if cell.size is size])
    )


def grid_css() -> str:
    """The classes that put a cell in its place: pages carry no inline style, so that none can be injected."""
    rows = "".join(
        f".row-{at}{{grid-row-start:{at}}}.rows-{at}{{grid-row-end:span {at}}}" for at in range(1, GRID_ROWS_MAX + 1)
    )
    columns = "".join(
        f".column-{at}{{grid-column-start:{at}}}.columns-{at}{{grid-column-end:span {at}}}"
        for at in range(1, GRID_COLUMNS_MAX + 1)
    )
    return rows + columns


def _cell(card: CompartmentCard, state: CompartmentState | None, top: int, left: int) -> Cell:
    return Cell(
        label=card.label,
        size=card.size,
        reach=card.reach,
        height_mm=card.height_mm,
        row=min(card.row - top + 1, GRID_ROWS_MAX),
        column=min(card.column - left + 1, GRID_COLUMNS_MAX),
        rows=min(max(card.rows, 1), GRID_ROWS_MAX),
        columns=min(max(card.columns, 1), GRID_COLUMNS_MAX),
        occupancy=state.occupancy if state else Occupancy.UNKNOWN,
        service=state.service if state else Service.IN_SERVICE,
        door=state.door if state else Door.UNKNOWN,
        parcel=state.parcel if state else None,
    )
