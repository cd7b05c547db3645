"""What the broker does wrong on request, for the fault tests and for the demo's switches.

Owns the counters of the switches: PUBACKs to drop, messages to double or to hold back, clients that are cut off. Refuses to
know sockets; the router and the connections ask here at the moment a fault could happen.
"""

from dataclasses import dataclass, field

from demo.broker.topics import Filter

EVERYTHING = Filter.parse("#")

REORDER_HOLD_S = 1.0
"""A message held back for another to overtake it is let go after this many seconds if none comes: late, never lost."""


@dataclass(slots=True)
class Countdown:
    """A fault that strikes the next `left` messages whose topic matches `where`."""

    left: int = 0
    where: Filter = EVERYTHING

    def arm(self, count: int, where: Filter) -> None:
        """Strike the next `count` messages that match; replaces what was armed before, and 0 disarms."""
        self.left, self.where = count, where

    def strikes(self, topic: str) -> bool:
        """True, and one less to come, if the fault hits this message."""
        if self.left == 0 or not self.where.matches(topic):
            return False
        self.left -= 1
        return True


@dataclass(slots=True)
class Faults:
    """Every switch, all off."""

    drop_puback: Countdown = field(default_factory=Countdown)
    duplicate: Countdown = field(default_factory=Countdown)
    reorder: Countdown = field(default_factory=Countdown)
    cut: set[str] = field(default_factory=set)
