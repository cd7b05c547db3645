"""What facts change about a reconciliation: the run under way goes from door to door, and its report stays when it ends.

Owns the run's side of the fold. Refuses to decide, to judge or to fail. What a look means for a parcel or a compartment is told by facts of
their own. A run is bounded by the bank: one look a door or place, because what was looked at leaves the list.
"""

from __future__ import annotations

from dataclasses import replace

from controller.core.fold_doors import count_session
from controller.core.looks import Look, PlaceLook, Reconciliation
from controller.core.model import Durable, Now
from wire import facts as f


def inventory(
    durable: Durable,
    fact: f.ReconciliationStarted | f.CompartmentReconciled | f.ShelfReconciled | f.ReconciliationEnded,
    stamp: Now,
) -> Durable:
    """What a fact of a reconciliation changes."""
    if isinstance(fact, f.ReconciliationStarted):
        return _started(durable, fact, stamp)
    if isinstance(fact, f.CompartmentReconciled):
        return _reconciled(durable, fact, stamp)
    if isinstance(fact, f.ShelfReconciled):
        return _shelf_reconciled(durable, fact, stamp)
    return _ended(durable, fact, stamp)


def _started(durable: Durable, fact: f.ReconciliationStarted, stamp: Now) -> Durable:
    """A run begins; the report of the one before stays until this one ends."""
    run = Reconciliation(fact.session, fact.by, stamp.wall_ms, fact.compartments, shelf_left=fact.shelf)
    return count_session(replace(durable, reconciliation=run), fact.session)


def _reconciled(durable: Durable, fact: f.CompartmentReconciled, stamp: Now) -> Durable:
    """One door less is left, and what was seen behind it is remembered, with the label that its parcel had then."""
    run = durable.reconciliation
    if run is None or run.session != fact.session:
        return durable
    parcel = None if fact.expected is None else durable.parcels.get(fact.expected)
    look = Look(
        fact.compartment,
        fact.found,
        fact.occupancy,
        fact.expected,
        "" if parcel is None else parcel.tracking,
        fact.tracking,
        fact.by,
        stamp.wall_ms,
    )
    left = tuple(label for label in run.left if label != fact.compartment)
    looks = (*(known for known in run.looks if known.compartment != fact.compartment), look)
    return replace(durable, reconciliation=replace(run, left=left, looks=looks))


def _shelf_reconciled(durable: Durable, fact: f.ShelfReconciled, stamp: Now) -> Durable:
    """One place less is left; those that are missing are remembered by the labels that they had then."""
    run = durable.reconciliation
    if run is None or run.session != fact.session:
        return durable
    lost = (durable.parcels[parcel] for parcel in fact.missing if parcel in durable.parcels)
    missing = tuple(parcel.tracking or parcel.id for parcel in lost)
    look = PlaceLook(
        fact.place, fact.found, fact.expected, missing, fact.missing_count, fact.others, fact.by, stamp.wall_ms
    )
    left = tuple(place for place in run.shelf_left if place != fact.place)
    places = (*(known for known in run.places if known.place != fact.place), look)
    return replace(durable, reconciliation=replace(run, shelf_left=left, places=places))


def _ended(durable: Durable, fact: f.ReconciliationEnded, stamp: Now) -> Durable:
    """What the run found is the report now."""
    run = durable.reconciliation
    if run is None or run.session != fact.session:
        return durable
    return replace(
        durable,
        reconciliation=None,
        report=replace(run, left=fact.left, shelf_left=fact.shelf_left, ended_ms=stamp.wall_ms),
    )
