"""What the owner thread needs of the world: the seams where hardware, disk and network are plugged in.

Owns the protocols. Refuses to know any implementation; `bootstrap` chooses them.
"""

from __future__ import annotations

from typing import Protocol

from controller.core.events import ClockStepped
from controller.core.model import Durable, Now, State
from wire.facts import AnyFact
from wire.messages import Reply


class Clock(Protocol):
    """Time, read once for each event."""

    def now(self) -> Now:
        """This instant; `mono` never goes back within a boot."""
        ...

    def look(self) -> ClockStepped | None:
        """Compare with the system's clock; a jump or a change of trust is an event."""
        ...

    def hear_hub(self, hub_ms: int, *, fresh: bool) -> ClockStepped | None:
        """The hub's time; `fresh` when it was said this moment, not kept for us by the broker."""
        ...


class Latches(Protocol):
    """The locks of the bank."""

    def pulse(self, label: str) -> None:
        """Start one bounded pulse and return at once. Raises `firmware.latches.LatchError` (or `LatchBusy`)."""
        ...

    def all_off(self) -> None:
        """No coil energised afterwards."""
        ...


class Journal(Protocol):
    """The durable truth of the site and its outbox."""

    @property
    def last_seq(self) -> int:
        """The newest fact; 0 before the first."""
        ...

    @property
    def acked(self) -> int:
        """The highest fact the hub has committed, as far as this site knows."""
        ...

    @property
    def on_ballast(self) -> bool:
        """Whether the disk was full and the reserve for such days has been given up."""
        ...

    def hash_at(self, seq: int) -> str:
        """The chain's hash after fact `seq`, in hex; "" when that fact is not kept."""
        ...

    def append(self, facts: tuple[AnyFact, ...], now: Now) -> None:
        """All facts in one durable transaction (one fsync), or an exception and none of them."""
        ...

    def set_acked(self, seq: int, *, rewind: bool) -> None:
        """Move the acknowledged mark; durable with the next append, in its transaction, never with an fsync of its own."""
        ...

    def must_tend(self) -> bool:
        """Whether housekeeping can no longer wait for a quiet moment."""
        ...

    def tend(self, durable: Durable, now: Now) -> None:
        """One bounded piece of housekeeping: a snapshot, a checkpoint, pruning."""
        ...


class Uplink(Protocol):
    """The way to the hub. Every call only leaves a note for the uplink's own thread."""

    def wake(self) -> None:
        """New facts are durable."""
        ...

    def acked(self, seq: int, *, rewind: bool) -> None:
        """The mark has moved; with `rewind`, sending starts again from it."""
        ...

    def publish_state(self, state: State, seq: int, now: Now) -> None:
        """The newest snapshot, containing fact `seq`; older ones not yet sent are forgotten."""
        ...

    def reply(self, reply: Reply) -> None:
        """Answer a command."""
        ...

    def rebirth(self) -> None:
        """Describe the site again and send from the acknowledged mark."""
        ...


class Panel(Protocol):
    """The screens."""

    def show(self, state: State, now: Now) -> None:
        """A new picture; only the newest is kept for a slow reader."""
        ...


class Signals(Protocol):
    """Lamp and buzzer."""

    def show(self, signal: str) -> None:
        """Play a pattern named by `controller.core.effects.Signal`."""
        ...


class Watchdog(Protocol):
    """The supervisor that restarts a hung process."""

    def ping(self) -> None:
        """The owner thread is alive; called there and nowhere else."""
        ...
