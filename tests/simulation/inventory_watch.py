"""One who watches an inventory: each door and place once, shut when it was answered for, and the books say what was seen (M-07).

Owns what was looked at, and what really lies on the shelf. Refuses to act.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from controller.core.model import Phase, on_shelf
from tests.controller.virtual_site import VirtualSite
from wire import facts as f
from wire.ids import Door, Found, Label, Occupancy, ParcelId, ParcelState, Purpose, Service

BOUNCES_MAX: Final = 2
"""A door that sprang open so often does not hold, and is answered for while it stands open (S-10)."""

COLLECTING: Final = {Purpose.COLLECT, Purpose.REOPEN}


class InventoryWatch:
    """Hears every fact of one site, in order."""

    def __init__(self, site: VirtualSite, inside: Mapping[Label, set[ParcelId]]) -> None:
        self.site, self._inside = site, inside
        self.at_shelf: frozenset[ParcelId] = frozenset()
        """What really lies at the place of the shelf that staff answer for."""
        self._doors: set[tuple[str, Label]] = set()
        self._places: set[tuple[str, str]] = set()

    def hear(self, fact: f.AnyFact) -> None:
        """One fact more."""
        match fact:
            case f.CompartmentReconciled():
                self._door(fact)
            case f.ShelfReconciled():
                self._place(fact)
            case f.ReconciliationEnded():
                self._over(fact)
            case _:
                return

    def _door(self, fact: f.CompartmentReconciled) -> None:
        """M-07: each door once a run, shut when it was answered for, and the books say from then on what was seen."""
        label, state = fact.compartment, self.site.state
        assert (fact.session, label) not in self._doors, f"M-07: {label} was asked for twice in one inventory"
        self._doors.add((fact.session, label))
        if fact.found is Found.NOT_OPENED:
            return
        opening = state.durable.openings.get(label)
        holds = opening is None or opening.bounces < BOUNCES_MAX
        assert not holds or self.site.doors[label] is Door.CLOSED, f"M-07: {label} was answered for at its open door"
        served = opening is not None and opening.purpose in COLLECTING and opening.phase is Phase.OPEN
        assert not served, f"M-07: {label} was looked into while a customer stood at it"
        compartment, inside = state.durable.compartments[label], self._inside[label]
        if fact.found is Found.OTHER:
            out = compartment.service is Service.OUT_OF_SERVICE and compartment.occupancy is Occupancy.UNKNOWN
            assert out, f"M-07: nobody knows what lies behind {label}, and it is {compartment}"
        elif fact.found is Found.EMPTY or fact.expected is None:
            assert not inside, f"M-07: {label} counts as empty and holds {inside}"
            assert compartment.parcel is None, (
                f"M-07: {label} was seen empty, and the books have {compartment.parcel} there"
            )
        else:
            assert inside == {fact.expected}, f"M-07: {label} counts as expected and holds {inside}"

    def _place(self, fact: f.ShelfReconciled) -> None:
        """M-07: what lies at a place of the shelf is never called missing, and what does not lie there is."""
        parcels, here = self.site.state.durable.parcels, on_shelf(fact.place)
        self._places.add((fact.session, fact.place))
        for parcel in fact.missing:
            assert parcel not in self.at_shelf, f"M-07: {parcel} lies on the shelf and is called missing"
            assert parcels[parcel].state is ParcelState.DISPUTED, f"M-07: {parcel} is missing, and nobody looks for it"
        for parcel in self.at_shelf & parcels.keys():
            in_hand = parcels[parcel].state is ParcelState.RECEIVED
            assert not in_hand, f"M-07: {parcel} was read on the shelf, and the books have it in somebody's hands"
        counted = {known.id for known in parcels.values() if known.place == here and known.state is ParcelState.STORED}
        assert counted <= self.at_shelf, (
            f"M-07: {sorted(counted - self.at_shelf)} count as on the shelf and were not there"
        )

    def _over(self, fact: f.ReconciliationEnded) -> None:
        """M-07: at its end every door of the run was looked behind, or is named as left."""
        report = self.site.state.durable.report
        assert report is not None and report.session == fact.session, "M-07: an inventory ended without its report"  # noqa: PT018
        looked = {label for session, label in self._doors if session == fact.session}
        seen = {look.compartment for look in report.looks}
        assert seen == looked, f"M-07: the report tells of {sorted(seen)}, and looked behind were {sorted(looked)}"
        assert not seen & set(fact.left), "M-07: a door is seen and left at once"
        places = {place for session, place in self._places if session == fact.session}
        assert {look.place for look in report.places} == places, "M-07: the report tells of other places than were seen"
        assert not places & set(fact.shelf_left), "M-07: a place of the shelf is seen and left at once"
