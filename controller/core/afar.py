"""A door opened from afar, as far as the next one has to know of it.

Owns the shape. Refuses to know who may ask for one, and how many are too many (`remote`).
"""

from __future__ import annotations

from dataclasses import dataclass

from wire.ids import Label


@dataclass(frozen=True, slots=True)
class RemoteOpening:
    """One opening from afar. `command` asked for it, `session` is that of its pulses.

    `at_mono`: when, by the clock of this boot; the start of this boot where it was earlier. `at_ms`: the same by the wall clock, which
    counts only if it was a time server's then (`ntp`).
    """

    command: str
    session: str
    compartment: Label
    at_mono: int
    at_ms: int
    ntp: bool = False
