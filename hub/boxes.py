"""What the facts of one group say of the compartments: occupancy, service and the parcel behind each door.

Owns the hub's fold of compartments while a group is read. Refuses to know of parcels' lives: a compartment only names one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from hub.core.project import Ended, Occupied, Placed, Serviced
from hub.store import ingest as sql
from hub.store.ingest import Box
from wire.ids import Occupancy, PlaceKind
from wire.messages import SiteState


class Boxes:
    """The compartments of the sites of one group. Use once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[int, dict[str, Box]] = {}
        self._changed: dict[tuple[int, str], tuple[Box, int]] = {}

    def load(self, numbers: Sequence[int]) -> None:
        """Read what is known of the compartments of these sites."""
        self._known = sql.boxes(self._connection, numbers)

    def begin(self, number: int) -> None:
        """Fold site `number` from nothing, whatever is kept; for comparing, so nothing of it is to be written."""
        self._known[number] = {}

    def folded(self, number: int) -> dict[str, Box]:
        """The compartments of a site after everything folded so far; those no fact has named are left out."""
        return self._known[number]

    def forget(self, number: int) -> None:
        """Begin anew with what another past of the site says: what this group had folded of the first goes too."""
        sql.forget_boxes(self._connection, number)
        self._known[number] = {}
        self._changed = {key: changed for key, changed in self._changed.items() if key[0] != number}

    def write(self) -> None:
        """Write what has changed; nothing is lasting before the caller's transaction is."""
        sql.save_boxes(self._connection, self._changed)

    def differences(self, number: int, state: SiteState) -> list[str]:
        """The labels whose snapshot says something else than the fold; those that no fact has named yet are none."""
        different: list[str] = []
        for compartment in state.compartments:
            box = self._known[number].get(compartment.label)
            if box is None:
                continue
            said = (compartment.occupancy, compartment.service, compartment.parcel)
            if said != (box.occupancy, box.service, box.parcel):
                different.append(compartment.label)
        return different

    def fold(self, number: int, change: object, seq: int) -> None:
        """What a change says of the compartments of site `number`; the fact is its `seq`-th."""
        match change:
            case Occupied():
                self._occupy(number, change, seq)
            case Serviced():
                self._box(number, change.compartment, seq, service=change.service)
            case Ended():
                self._empty(number, change.parcel, seq)
            case Placed() if change.place.kind is PlaceKind.SHELF:
                self._not_elsewhere(number, change.parcel, "", seq)

    def _occupy(self, number: int, change: Occupied, seq: int) -> None:
        parcel: str | None = change.parcel
        if change.keeps_parcel:
            parcel = self._known[number].get(change.compartment, Box()).parcel
        if parcel is not None:
            self._not_elsewhere(number, parcel, change.compartment, seq)
        self._box(number, change.compartment, seq, occupancy=change.occupancy, parcel=parcel)

    def _not_elsewhere(self, number: int, parcel: str, label: str, seq: int) -> None:
        """It was taken from where it was expected, and nobody has seen that compartment empty (as the site's fold has it)."""
        for other, box in list(self._known[number].items()):
            if box.parcel == parcel and other != label:
                seen = box.occupancy != Occupancy.OCCUPIED
                self._box(number, other, seq, occupancy=box.occupancy if seen else Occupancy.UNKNOWN, parcel=None)

    def _empty(self, number: int, parcel: str, seq: int) -> None:
        for label, box in list(self._known[number].items()):
            if box.parcel == parcel:
                free = box.occupancy == Occupancy.OCCUPIED
                self._box(number, label, seq, occupancy=Occupancy.FREE if free else box.occupancy, parcel=None)

    def _box(self, number: int, label: str, seq: int, **values: Any) -> None:
        box = replace(self._known[number].get(label, Box()), **values)
        self._known[number][label] = box
        self._changed[number, label] = (box, seq)
