"""When and where a site wrote a fact, and which time is believed of it.

Owns that choice. Refuses to know the facts themselves, and any clock of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from wire.ids import Trust


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
