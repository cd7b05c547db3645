"""What every part of a campaign is given and gives back.

A part is a module with `part(budget, state) -> Outcome`: it goes on where `state` says it stopped, keeps within `budget`, and
counts. `state` is a dictionary of its own that is written to a file after the part returned; what it counts is added up over
all starts of one campaign.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

FAILURES_MAX: Final = 50
"""Failures told in full in a report; the others are counted."""

State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a part may take and how much of each it may do; None: as much as the time allows."""

    seconds: float
    workers: int = 1
    seeds: int | None = None
    images: int | None = None
    inputs: int | None = None
    kills: int | None = None
    begun: float = field(default_factory=time.monotonic)

    @property
    def left_s(self) -> float:
        """Seconds left."""
        return self.begun + self.seconds - time.monotonic()

    def allows(self, done: int, most: int | None) -> bool:
        """Whether another one may begin."""
        return self.left_s > 0 and (most is None or done < most)


@dataclass
class Outcome:
    """What a part counted in one start, and what went wrong, each in one line that says how to see it again."""

    figures: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    """Lines for the report."""

    def tell(self, figures: Mapping[str, object] | None = None) -> int:
        """Print it for a person, its figures as one line of JSON at the end; the exit status."""
        for line in (*self.told, *self.failures):
            print(line)
        print(json.dumps(self.figures if figures is None else figures))
        return 1 if self.failures else 0
