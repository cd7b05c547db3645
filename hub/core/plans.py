"""The plan of a site: built whole, from what is wanted. And the rule that no two live parcels share their digits.

Owns the content and order of a plan. Refuses to know how digits are derived (a function is handed in), or revisions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from wire.ids import KEY_VERSION_MAX, ParcelId
from wire.plan import PLAN_PARCELS_MAX, Person, Plan, PlannedParcel, Settings, SiteCard, sealed


class TooManyParcels(Exception):
    """More live parcels than a plan holds; the text says how many."""


class VersionsExhausted(Exception):
    """The key of a parcel was replaced as often as a slip can say."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the hub wants of one site."""

    site: str
    name: str
    address: str
    parcels: Sequence[PlannedParcel]
    people: Sequence[Person]
    sites: Sequence[SiteCard]
    settings: Settings


def build_plan(wanted: Wanted, *, incarnation: int, revision: int, issued_at_ms: int) -> Plan:
    """The sealed plan. The same wishes give the same hash, in whatever order they come. Raises TooManyParcels."""
    if len(wanted.parcels) > PLAN_PARCELS_MAX:
        raise TooManyParcels(f"{wanted.site}: {len(wanted.parcels)} live parcels, a plan holds {PLAN_PARCELS_MAX}")
    return sealed(
        Plan(
            site=wanted.site,
            incarnation=incarnation,
            revision=revision,
            hash="",
            name=wanted.name,
            address=wanted.address,
            parcels=tuple(sorted(wanted.parcels, key=lambda parcel: parcel.id)),
            people=tuple(sorted(wanted.people, key=lambda person: person.id)),
            sites=tuple(sorted(wanted.sites, key=lambda site: site.number)),
            settings=wanted.settings,
            issued_at_ms=issued_at_ms,
        )
    )


DigitsOf = Callable[[ParcelId, int], str]
"""The digits of a parcel at a key version."""


def free_version(parcel: ParcelId, version: int, digits_of: DigitsOf, taken: Iterable[str]) -> int:
    """The first version from `version` whose digits no other live parcel of the site has. Raises VersionsExhausted."""
    others = frozenset(taken)
    for candidate in range(version, KEY_VERSION_MAX + 1):
        if digits_of(parcel, candidate) not in others:
            return candidate
    raise VersionsExhausted(f"parcel {parcel}: no free key version from {version} to {KEY_VERSION_MAX}")
