"""The shape of what is kept of a badge that was refused, until somebody may vouch for its holder (S-17).

Owns the shape alone. Refuses to know who may vouch (`badges`).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RefusedBadge:
    """The badge refused last; `person` is empty when it is of nobody here. Its text never leaves `Live`."""

    person: str
    text: str = field(repr=False)
    since_mono: int
