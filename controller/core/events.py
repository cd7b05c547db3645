"""What can happen to a site: every input of `decide`, from hardware, screens, the hub and time.

Owns the shapes. Refuses to know where an event came from: adapters build them, the owner thread feeds them in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from wire.ids import Door, IdentityCheck, Label, Motive, ParcelId, Trust
from wire.messages import Command
from wire.plan import Plan


@dataclass(frozen=True, slots=True)
class Booted:
    """The first event of a run, with every door read.

    `clean`: the previous run said goodbye; `ended`: why it ended, as `controller.ending` has it, "" when it is not known.
    """

    doors: Mapping[Label, Door]
    clean: bool
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Scanned:
    """A text from the reader (or typed by staff as a label). `entropy` is 64 random bits, used if a parcel is created."""

    text: str
    entropy: int


@dataclass(frozen=True, slots=True)
class Unread:
    """The reader saw something and could not read it: a line of noise, or its own word for *no read* (C-33)."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Somebody touches the customer's screen. `busy`: they type a code or choose something there, and hold no slip."""

    busy: bool


@dataclass(frozen=True, slots=True)
class DigitsTyped:
    """What a customer typed at the kiosk."""

    text: str


@dataclass(frozen=True, slots=True)
class DoorChanged:
    """The level of a door's switch changed, debounced."""

    compartment: Label
    open: bool


@dataclass(frozen=True, slots=True)
class SwitchChatters:
    """A door's switch flips too often to be believed; said once in a while."""

    compartment: Label


@dataclass(frozen=True, slots=True)
class PulseFailed:
    """The latch driver raised."""

    compartment: Label
    reason: str


@dataclass(frozen=True, slots=True)
class ScannerLink:
    """The reader was lost or came back."""

    up: bool


@dataclass(frozen=True, slots=True)
class MachineFelt:
    """A look at the machine: °C, whether its supply is too weak now, errors of its card. None: it does not tell."""

    temperature_c: float | None = None
    under_voltage: bool | None = None
    card_errors: int | None = None


@dataclass(frozen=True, slots=True)
class DiskRoom:
    """The journal's reserve of disk space was given up (`short`), or could be laid in again."""

    short: bool


@dataclass(frozen=True, slots=True)
class HubLink:
    """The connection to the broker was lost or came back."""

    up: bool


@dataclass(frozen=True, slots=True)
class HubPresent:
    """The hub said it is there, or the broker said it is gone."""

    online: bool


@dataclass(frozen=True, slots=True)
class PlanArrived:
    """A plan was received and decoded."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class AckArrived:
    """The hub committed up to `seq`, where the chain's hash is `head` ("" when it does not say).

    The owner adds what the journal holds: `last_seq`, its newest fact, and `own`, the chain's hash after `seq` there, "" when that
    fact is not kept. `before_seq`, `before_head` and `own_before` are the same of a past that the hub gave up for this one.
    """

    incarnation: int
    seq: int
    last_seq: int = 0
    head: str = ""
    own: str = ""
    before_seq: int = 0
    before_head: str = ""
    own_before: str = ""


@dataclass(frozen=True, slots=True)
class CommandArrived:
    """A command was received and decoded."""

    command: Command


@dataclass(frozen=True, slots=True)
class ClockStepped:
    """The wall clock jumped, or its trust changed."""

    before_ms: int
    after_ms: int
    trust: Trust


class Button(StrEnum):
    """What can be pressed on a screen. Those below SIGN_OUT are the staff screen's and need somebody signed in."""

    CALL_DESK = "call_desk"
    DISPUTE = "dispute"
    FOUND_EMPTY = "found_empty"
    DAMAGED = "damaged"
    REFUSE = "refuse"
    SEND_SIZE = "send_size"
    SEND_BIGGER = "send_bigger"
    SEND_INSIDE = "send_inside"
    SEND_NOT_INSIDE = "send_not_inside"
    SEND_CANCEL = "send_cancel"
    SIGN_OUT = "sign_out"
    SIZE = "size"
    SHELF = "shelf"
    BIGGER = "bigger"
    CANCEL = "cancel"
    DONE = "done"
    EMPTY = "empty"
    NOT_EMPTY = "not_empty"
    IN_DOOR = "in_door"
    HEAVY = "heavy"
    LOW = "low"
    ARRIVED_DAMAGED = "arrived_damaged"
    UNIDENTIFIED = "unidentified"
    IDENTIFIED = "identified"
    MAKE_ROOM = "make_room"
    CHECK = "check"
    REOPEN = "reopen"
    REMOVE = "remove"
    RETRIEVE = "retrieve"
    NOT_THERE = "not_there"
    EXTEND = "extend"
    REISSUE = "reissue"
    MANDATE = "mandate"
    WITHDRAW_MANDATE = "withdraw_mandate"
    SENDING = "sending"
    HAND_OVER = "hand_over"
    ANSWER_CALL = "answer_call"
    CLEAR_ALARM = "clear_alarm"
    CLEAR_LOCKOUT = "clear_lockout"
    KEY_OPENING = "key_opening"
    PUT_IN_SERVICE = "put_in_service"
    TAKE_OUT_OF_SERVICE = "take_out_of_service"
    PRACTISE = "practise"
    END_PRACTICE = "end_practice"
    RECONCILE = "reconcile"
    AS_EXPECTED = "as_expected"
    OTHER = "other"
    END_RECONCILIATION = "end_reconciliation"


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button with what it points at: a size (`value`), a compartment, a parcel, an alarm's name (`value`).

    `entropy` is 64 random bits, used if a parcel is created.
    """

    button: Button
    value: str = ""
    compartment: Label | None = None
    parcel: ParcelId | None = None
    entropy: int = 0


@dataclass(frozen=True, slots=True)
class PinTyped:
    """The PIN of whoever is signed in, typed on the staff screen."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AssistAsked:
    """Staff open for a recipient who stands at the desk: why, how they know them, and whether the person is there."""

    parcel: ParcelId
    motive: Motive
    identity: IdentityCheck
    present: bool


@dataclass(frozen=True, slots=True)
class Sought:
    """Staff look for a parcel by what they know of it: a part of its number, a door, or the day it left, `since_ms` to `until_ms` (UTC).

    `until_ms` is 0 when no day was said.
    """

    text: str
    since_ms: int = 0
    until_ms: int = 0


@dataclass(frozen=True, slots=True)
class NextDoor:
    """The turn of the next parcels of one recipient, kept until the door `after` was closed (C-25). Never from outside."""

    parcels: tuple[ParcelId, ...]
    after: Label


@dataclass(frozen=True, slots=True)
class Tick:
    """A deadline may have come (see `due.next_deadline`)."""


@dataclass(frozen=True, slots=True)
class Stopping:
    """The program was asked to stop."""


Event = (
    Booted
    | Scanned
    | Unread
    | Touched
    | DigitsTyped
    | DoorChanged
    | PulseFailed
    | SwitchChatters
    | ScannerLink
    | DiskRoom
    | MachineFelt
    | HubLink
    | HubPresent
    | PlanArrived
    | AckArrived
    | CommandArrived
    | ClockStepped
    | Pressed
    | PinTyped
    | AssistAsked
    | Sought
    | NextDoor
    | Tick
    | Stopping
)

KioskInput = Scanned | Touched | DigitsTyped | Pressed | PinTyped | AssistAsked | Sought
"""What the kiosk may send over the panel; everything else from there is refused."""
