"""When and where a site wrote a fact, which time is believed of it, and when a site counts as away.

Owns these choices. Refuses to know the facts themselves, and any clock of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wire.ids import Trust

OFFLINE_AFTER_MS: Final = 90_000
"""A site that was not heard for so long counts as away: three missed heartbeats of 30 s (journeys, defaults)."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where a fact was written, and when the hub learned of it."""

    site: int
    at_ms: int
    trust: Trust
    now_ms: int

    def believed_ms(self) -> int:
        """The site's time where it can be believed and is not ahead of ours; otherwise our own (I-6)."""
        if self.trust in {Trust.HUB, Trust.NTP}:
            return min(self.at_ms, self.now_ms)
        return self.now_ms
