"""What every fact is made of: its base, and a place at the site.

Owns these two. Refuses to know any kind of fact.
"""

from __future__ import annotations

import msgspec

from wire.ids import PlaceKind


class Fact(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """Base of every kind; the tag of a subclass is its name on the wire."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A compartment (its label) or a place on the desk's shelf (its name)."""

    kind: PlaceKind
    name: str
