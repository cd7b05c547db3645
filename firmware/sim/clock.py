"""The simulated machine's wall clock: the real one, moved on request, as a dead battery or a wrong hand moves a Pi's.

Owns the offset, which outlives the process as a clock chip outlives a restart, and whether a time server is said to keep
it. Refuses to know what a site believes of it (`controller.clock`), and never touches the monotonic clock.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Final

OFFSET_MS_MAX: Final = 100 * 366 * 24 * 3600 * 1000
"""A century either way: further off no chip of ours can be set."""


class SimClock:
    """The clock of the simulated machine in `state_dir`."""

    def __init__(self, state_dir: Path) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self._file = state_dir / "clock.json"
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            kept = {}
        self.offset_ms = int(kept.get("offset_ms", 0))
        self.synchronised: bool | None = kept.get("synchronised")
        """Whether a time server keeps this clock; None as the machine underneath says."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970 by this clock."""
        return time.time_ns() // 1_000_000 + self.offset_ms

    def set(self, *, offset_ms: int | None, synchronised: bool | None) -> None:
        """Move the clock to `offset_ms` from the true time, or say who keeps it. What is None stays. Raises ValueError."""
        if offset_ms is not None:
            if abs(offset_ms) > OFFSET_MS_MAX:
                raise ValueError(f"A clock can be wrong by at most {OFFSET_MS_MAX} ms.")
            self.offset_ms = offset_ms
        if synchronised is not None:
            self.synchronised = synchronised
        self._file.write_text(json.dumps({"offset_ms": self.offset_ms, "synchronised": self.synchronised}), "utf-8")
