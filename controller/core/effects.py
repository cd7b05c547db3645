"""What `decide` asks of the world, performed only after the facts are durable.

Owns the shapes. Refuses to know who performs them. The second group changes nothing but `Live` (see `observe`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from controller.core.deposit import Deposit
from controller.core.events import AssistAsked, Event, Pressed
from controller.core.found import Found
from controller.core.handing_in import Sending
from controller.core.looks import Seal
from controller.core.model import Needs, Task
from controller.core.notices import Notice, StaffNotice
from controller.core.refused_badge import RefusedBadge
from wire.facts import AnyFact
from wire.ids import Label, ParcelId, SizeClass
from wire.messages import Reply


@dataclass(frozen=True, slots=True)
class Pulse:
    """Energise one latch for its own bounded time; its cause is already in the journal (I-10)."""

    compartment: Label


class Signal(StrEnum):
    """What the lamp and the buzzer say; the same words as `firmware.signals`."""

    OK = "ok"
    REFUSED = "refused"
    ATTENTION = "attention"
    ALARM = "alarm"
    TICKING = "ticking"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Sound:
    """Play a pattern of light and sound."""

    signal: Signal


@dataclass(frozen=True, slots=True)
class Answered:
    """Publish the stored answer to a command."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Rebirth:
    """Publish the description and the state again."""


@dataclass(frozen=True, slots=True)
class Acked:
    """The outbox may forget up to `seq`; with `rewind` the mark may go backwards."""

    seq: int
    rewind: bool


@dataclass(frozen=True, slots=True)
class Show:
    """Put a notice on the customer screen."""

    notice: Notice


@dataclass(frozen=True, slots=True)
class ShowStaff:
    """Put a notice on the staff screen."""

    notice: StaffNotice


@dataclass(frozen=True, slots=True)
class SetTask:
    """Staff go on with this, or with nothing."""

    task: Task | None


@dataclass(frozen=True, slots=True)
class SetSending:
    """A customer goes on handing in a parcel, or has done."""

    sending: Sending | None


@dataclass(frozen=True, slots=True)
class RememberSize:
    """The size the next label gets without asking."""

    size: SizeClass


@dataclass(frozen=True, slots=True)
class RememberStored:
    """The last parcel stored: the one whose slip is offered, and that a late *cancel* means."""

    parcel: ParcelId | None


@dataclass(frozen=True, slots=True)
class ShowSlip:
    """Offer the new slip of a parcel that has long been stored; a late *cancel* never means it. `mandate`: that for a delegate.

    None: no slip is offered any longer.
    """

    parcel: ParcelId | None
    mandate: bool = False


@dataclass(frozen=True, slots=True)
class RememberNeeds:
    """What staff said of the next parcel; its label has not been read yet."""

    needs: Needs


@dataclass(frozen=True, slots=True)
class Wait:
    """Keep an input until the bank is ready for another door."""

    event: Event


@dataclass(frozen=True, slots=True)
class Nagged:
    """The open door was announced again."""


@dataclass(frozen=True, slots=True)
class KnowBadge:
    """Whose PIN may be asked from now on; empty when nobody is signed in. A PIN given before counts no more."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AskPin:
    """What was pressed waits for the PIN; None: nothing waits any more."""

    event: Pressed | AssistAsked | None


@dataclass(frozen=True, slots=True)
class PinGiven:
    """The PIN was right: it counts until the session ends."""


@dataclass(frozen=True, slots=True)
class RefuseBadge:
    """Keep what badge was refused, for the lead who may answer for it."""

    badge: RefusedBadge


@dataclass(frozen=True, slots=True)
class SensorTold:
    """Staff were told that the switch of this door has read open for too long."""

    compartment: Label


@dataclass(frozen=True, slots=True)
class Deposited:
    """A deposit has its line in the journal. The owner says so after the facts; `decide` cannot know the line."""

    deposit: Deposit


@dataclass(frozen=True, slots=True)
class Sealed:
    """The end of a reconciliation has its line in the journal; told as `Deposited` is."""

    seal: Seal


@dataclass(frozen=True, slots=True)
class ShowFound:
    """What a search of staff found; None takes the last answer away."""

    found: Found | None


Outward = Pulse | Sound | Answered | Rebirth | Acked
Inward = (
    Show
    | ShowStaff
    | SetTask
    | SetSending
    | RememberSize
    | RememberStored
    | ShowSlip
    | RememberNeeds
    | Wait
    | Nagged
    | KnowBadge
    | AskPin
    | PinGiven
    | RefuseBadge
    | SensorTold
    | Deposited
    | Sealed
    | ShowFound
)
Effect = Outward | Inward


@dataclass(frozen=True, slots=True)
class Decision:
    """The facts to make durable, in order, then the effects to perform, in order."""

    facts: tuple[AnyFact, ...] = ()
    effects: tuple[Effect, ...] = ()
