"""The small edits that every fold of `Durable` is made of: a key put, a key dropped, one record with other values.

Owns nothing. Refuses to know of facts; an edit of what is not there changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from controller.core.model import Compartment, Durable
from wire.ids import Label, Occupancy, ParcelId

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def with_key(mapping: Mapping[_Key, _Value], key: _Key, value: _Value) -> dict[_Key, _Value]:
    """A copy of `mapping` in which `key` is `value`."""
    changed = dict(mapping)
    changed[key] = value
    return changed


def without_key(mapping: Mapping[_Key, _Value], key: _Key) -> dict[_Key, _Value]:
    """A copy of `mapping` without `key`; the same where it was not there."""
    changed = dict(mapping)
    changed.pop(key, None)
    return changed


def edit_compartment(durable: Durable, label: Label, **changes: object) -> Durable:
    """`durable` with other values in one compartment, which is known from now on."""
    known = durable.compartments.get(label, Compartment())
    return replace(durable, compartments=with_key(durable.compartments, label, replace(known, **changes)))  # type: ignore[arg-type]


def edit_parcel(durable: Durable, parcel: ParcelId, **changes: object) -> Durable:
    """`durable` with other values in one parcel; unchanged where the parcel is not known (any more)."""
    known = durable.parcels.get(parcel)
    if known is None:
        return durable
    return replace(durable, parcels=with_key(durable.parcels, parcel, replace(known, **changes)))  # type: ignore[arg-type]


def edit_opening(durable: Durable, label: Label, session: str, **changes: object) -> Durable:
    """`durable` with other values in the opening at a door; unchanged where it is not that session's."""
    known = durable.openings.get(label)
    if known is None or known.session != session:
        return durable
    return replace(durable, openings=with_key(durable.openings, label, replace(known, **changes)))  # type: ignore[arg-type]


def not_elsewhere(durable: Durable, parcel: ParcelId, label: str) -> Durable:
    """A parcel in somebody's hands cannot lie where it was once expected; nobody has seen that compartment empty (I-1, I-12)."""
    for other, compartment in durable.compartments.items():
        if compartment.parcel == parcel and other != label:
            seen = compartment.occupancy is not Occupancy.OCCUPIED
            durable = edit_compartment(
                durable, other, occupancy=compartment.occupancy if seen else Occupancy.UNKNOWN, parcel=None
            )
    return durable
