"""Facts: what happened at a site, in the words both sides keep for ever.

Owns the name and fields of every kind of fact. Refuses to know what they change (that is `evolve` at the site and
`project` at the hub). Inside a major version kinds and fields are only added; a reader keeps what it does not know.
No fact holds a name, a phone number, a key or typed digits.
"""

from __future__ import annotations

import msgspec

from wire.desk_facts import (
    DROP_LISTED_MAX as DROP_LISTED_MAX,
)
from wire.desk_facts import (
    BadgeRefused as BadgeRefused,
)
from wire.desk_facts import (
    BadgeVouched as BadgeVouched,
)
from wire.desk_facts import (
    CollectionAssisted as CollectionAssisted,
)
from wire.desk_facts import (
    CollectionDelegated as CollectionDelegated,
)
from wire.desk_facts import (
    CompartmentReconciled as CompartmentReconciled,
)
from wire.desk_facts import (
    DropEnded as DropEnded,
)
from wire.desk_facts import (
    HoldExtended as HoldExtended,
)
from wire.desk_facts import (
    KeyOpeningDeclared as KeyOpeningDeclared,
)
from wire.desk_facts import (
    MandateIssued as MandateIssued,
)
from wire.desk_facts import (
    MandateWithdrawn as MandateWithdrawn,
)
from wire.desk_facts import (
    PinRefused as PinRefused,
)
from wire.desk_facts import (
    PracticeEnded as PracticeEnded,
)
from wire.desk_facts import (
    PracticeStarted as PracticeStarted,
)
from wire.desk_facts import (
    ReconciliationEnded as ReconciliationEnded,
)
from wire.desk_facts import (
    ReconciliationStarted as ReconciliationStarted,
)
from wire.desk_facts import (
    ShelfReconciled as ShelfReconciled,
)
from wire.desk_facts import (
    StaffAnswered as StaffAnswered,
)
from wire.desk_facts import (
    StaffCalled as StaffCalled,
)
from wire.desk_facts import (
    StaffSignedIn as StaffSignedIn,
)
from wire.desk_facts import (
    StaffSignedOut as StaffSignedOut,
)
from wire.fact_base import Fact as Fact
from wire.fact_base import Place as Place
from wire.ids import (
    IdentityCheck,
    Label,
    Motive,
    Occupancy,
    ParcelId,
    Purpose,
    Service,
    Trust,
)
from wire.plan import Person, PlannedParcel, Settings, SiteCard


class SiteStarted(Fact, frozen=True, kw_only=True, tag="site_started"):
    """The controller started. `boot` counts starts; `clean` is whether the previous run said goodbye.

    `ended`: why that run ended: `orderly`, `power`, `hung`, `failed`, `killed`; "" when it is not known.
    """

    boot: int
    version: str
    board: str
    clean: bool
    ended: str = ""


class ClockCorrected(Fact, frozen=True, kw_only=True, tag="clock_corrected"):
    """The wall clock jumped by more than a minute, or became trusted."""

    before_ms: int
    after_ms: int
    trust: Trust


class PlanApplied(Fact, frozen=True, kw_only=True, tag="plan_applied"):
    """A plan of the hub took effect; only what it changed is kept."""

    incarnation: int
    revision: int
    hash: str
    upserted: tuple[PlannedParcel, ...] = ()
    dropped: tuple[ParcelId, ...] = ()
    settings: Settings | None = None
    people: tuple[Person, ...] | None = None
    sites: tuple[SiteCard, ...] | None = None


class PlanRefused(Fact, frozen=True, kw_only=True, tag="plan_refused"):
    """A plan was not applied; the previous one stays in force."""

    incarnation: int
    revision: int
    reason: str


class ParcelReceived(Fact, frozen=True, kw_only=True, tag="parcel_received"):
    """Somebody stands here with the parcel. `source`: staff, who knew it from a `plan` or created it at the `desk`; or a `sender`
    with a slip for handing it in, and then `by` is empty.
    """

    parcel: ParcelId
    tracking: str
    carrier: str
    source: str
    key_version: int
    key_epoch: int
    session: str
    by: str


class SendingIssued(Fact, frozen=True, kw_only=True, tag="sending_issued"):
    """Staff made a slip for a parcel that a customer hands in for a carrier; the parcel itself is still with the customer."""

    parcel: ParcelId
    tracking: str
    carrier: str
    key_version: int
    key_epoch: int
    session: str
    by: str


class CompartmentReserved(Fact, frozen=True, kw_only=True, tag="compartment_reserved"):
    """A compartment was allotted to a parcel about to be put in."""

    compartment: Label
    parcel: ParcelId
    session: str


class ReservationReleased(Fact, frozen=True, kw_only=True, tag="reservation_released"):
    """The parcel did not go in. Free again only when staff saw it empty; otherwise `unknown`."""

    compartment: Label
    parcel: ParcelId
    session: str
    verified_empty: bool


class ParcelStored(Fact, frozen=True, kw_only=True, tag="parcel_stored"):
    """It lies behind its closed door or on the shelf (`no_door`: no fitting door was free). `by` is empty when its sender says so."""

    parcel: ParcelId
    place: Place
    session: str
    by: str
    no_door: bool = False


class OpeningOrdered(Fact, frozen=True, kw_only=True, tag="opening_ordered"):
    """The durable cause of one pulse, written before it. `pulse` counts from 1 within the opening.

    `blind`: its switch read open already; until it has read closed it cannot show that the door opens (A-08).
    """

    session: str
    compartment: Label
    purpose: Purpose
    pulse: int
    parcel: ParcelId | None = None
    by: str = ""
    form: str = ""
    blind: bool = False


class RemoteOpeningAccepted(Fact, frozen=True, kw_only=True, tag="remote_opening_accepted"):
    """The hub asked for a door, and it will be pulsed: who asked, who else agreed, and why (`OpeningReason`, or a later one).

    `command` is the id of what was asked. `counted`: how many earlier openings from afar the day's budget still held then (I-21).
    """

    command: str
    session: str
    compartment: Label
    by: str
    approver: str
    reason: str
    counted: int = 0


class DoorOpened(Fact, frozen=True, kw_only=True, tag="door_opened"):
    """A door was seen open. Without a session it opened without a cause (I-11)."""

    compartment: Label
    session: str = ""


class DoorClosed(Fact, frozen=True, kw_only=True, tag="door_closed"):
    """A door was seen closed."""

    compartment: Label
    session: str = ""


class OpeningFailed(Fact, frozen=True, kw_only=True, tag="opening_failed"):
    """The door was not seen open after the last pulse, or the driver failed. The key stays valid."""

    session: str
    compartment: Label
    purpose: Purpose
    reason: str
    pulses: int
    parcel: ParcelId | None = None


class OpeningResolved(Fact, frozen=True, kw_only=True, tag="opening_resolved"):
    """An opening that a restart interrupted was settled by reading the door."""

    session: str
    compartment: Label
    door: str
    parcel: ParcelId | None = None


class ParcelTaken(Fact, frozen=True, kw_only=True, tag="parcel_taken"):
    """The door of a collection was seen open and then seen closed; the dispute window runs."""

    parcel: ParcelId
    place: Place
    session: str


class ParcelCollected(Fact, frozen=True, kw_only=True, tag="parcel_collected"):
    """The dispute window is over, or staff handed the parcel over. The key is spent."""

    parcel: ParcelId
    place: Place
    session: str = ""
    by: str = ""


class ParcelRemoved(Fact, frozen=True, kw_only=True, tag="parcel_removed"):
    """Staff took the parcel out of stock."""

    parcel: ParcelId
    place: Place | None = None
    reason: str = ""
    by: str = ""


class ParcelDisputed(Fact, frozen=True, kw_only=True, tag="parcel_disputed"):
    """A parcel is not where the site says, or its recipient contests the collection."""

    parcel: ParcelId
    place: Place | None = None
    reason: str = ""
    by: str = ""


class ParcelRefused(Fact, frozen=True, kw_only=True, tag="parcel_refused"):
    """Its recipient left the parcel behind its door and does not want it; staff send it back."""

    parcel: ParcelId
    place: Place | None = None
    session: str = ""


class ParcelNoted(Fact, frozen=True, kw_only=True, tag="parcel_noted"):
    """Staff said what no plan knows of a parcel in their hands; what is null was not said.

    `heavy`; `low`: its recipient cannot reach a high door; `unidentified`: nobody can read whose it is, so no code is issued;
    `damaged`: it came so, and its receipt says it.
    """

    parcel: ParcelId
    by: str
    heavy: bool | None = None
    low: bool | None = None
    unidentified: bool | None = None
    damaged: bool | None = None


class ParcelJoined(Fact, frozen=True, kw_only=True, tag="parcel_joined"):
    """The hub announced a parcel that the desk had already created under the same tracking number.

    One parcel with two keys: `parcel` is the announced one, `into` the one whose place and life are true here. The key
    of either opens the compartment; the announced one has no life of its own from now on.
    """

    parcel: ParcelId
    into: ParcelId


class KeyReplaced(Fact, frozen=True, kw_only=True, tag="key_replaced"):
    """A higher key version superseded the known one (`source`: `slip`, `plan`, or `desk`).

    Re-issued at the desk it says who did so, why, and how they knew whom they had before them.
    """

    parcel: ParcelId
    version: int
    epoch: int
    source: str
    by: str = ""
    motive: Motive | None = None
    identity: IdentityCheck | None = None


class SlipRefused(Fact, frozen=True, kw_only=True, tag="slip_refused"):
    """A genuine slip opened nothing: `replaced`, `collected`, `not_ready`, `desk`, `door`."""

    parcel: ParcelId
    version: int
    reason: str


class AttemptFailed(Fact, frozen=True, kw_only=True, tag="attempt_failed"):
    """A typed code was wrong; `tokens_milli` thousandths of an attempt are left in the bucket."""

    tokens_milli: int


class LockoutCleared(Fact, frozen=True, kw_only=True, tag="lockout_cleared"):
    """Staff refilled the bucket of typed attempts."""

    by: str


class OccupancySet(Fact, frozen=True, kw_only=True, tag="occupancy_set"):
    """A compartment's occupancy changed for a reason no other fact tells."""

    compartment: Label
    occupancy: Occupancy
    reason: str
    by: str = ""


class ServiceSet(Fact, frozen=True, kw_only=True, tag="service_set"):
    """A compartment entered or left service."""

    compartment: Label
    service: Service
    reason: str
    by: str = ""


class AlarmRaised(Fact, frozen=True, kw_only=True, tag="alarm_raised"):
    """Something needs a person: `door_forced`, `door_left_open`, `open_at_boot`, `latch_failed`, `scanner_lost` …"""

    alarm: str
    compartment: Label | None = None
    detail: str = ""


class AlarmCleared(Fact, frozen=True, kw_only=True, tag="alarm_cleared"):
    """The cause of an alarm is over, or a person answered it."""

    alarm: str
    compartment: Label | None = None
    by: str = ""


class CommandAnswered(Fact, frozen=True, kw_only=True, tag="command_answered"):
    """The stored answer to a command of the hub; the same id gets the same answer."""

    id: str
    verb: str
    outcome: str
    reason: str = ""


class JournalBehind(Fact, frozen=True, kw_only=True, tag="journal_behind"):
    """The hub has committed facts of this site that its journal does not hold: the card is older than the site's past.

    `head`: the chain's hash after the last of them, in hex, as the hub said it; empty when it did not.
    """

    incarnation: int
    acked_seq: int
    last_seq: int
    head: str = ""


class HubIncarnationSeen(Fact, frozen=True, kw_only=True, tag="hub_incarnation_seen"):
    """The hub speaks with a new incarnation; `acked_seq` is where it asks the site to go on from."""

    incarnation: int
    acked_seq: int


AnyFact = (
    SiteStarted
    | ClockCorrected
    | PlanApplied
    | PlanRefused
    | ParcelReceived
    | SendingIssued
    | CompartmentReserved
    | ReservationReleased
    | ParcelStored
    | OpeningOrdered
    | RemoteOpeningAccepted
    | DoorOpened
    | DoorClosed
    | OpeningFailed
    | OpeningResolved
    | ParcelTaken
    | ParcelCollected
    | ParcelRemoved
    | ParcelDisputed
    | ParcelRefused
    | ParcelNoted
    | ParcelJoined
    | KeyReplaced
    | SlipRefused
    | AttemptFailed
    | LockoutCleared
    | OccupancySet
    | ServiceSet
    | AlarmRaised
    | AlarmCleared
    | StaffCalled
    | StaffAnswered
    | StaffSignedIn
    | StaffSignedOut
    | CollectionAssisted
    | MandateIssued
    | MandateWithdrawn
    | CollectionDelegated
    | KeyOpeningDeclared
    | HoldExtended
    | PracticeStarted
    | PracticeEnded
    | DropEnded
    | ReconciliationStarted
    | CompartmentReconciled
    | ShelfReconciled
    | ReconciliationEnded
    | PinRefused
    | BadgeRefused
    | BadgeVouched
    | CommandAnswered
    | HubIncarnationSeen
    | JournalBehind
)

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(AnyFact)


class _KindOnly(msgspec.Struct, frozen=True):
    kind: str


_KIND_DECODER = msgspec.json.Decoder(_KindOnly)


class UnknownFact(Exception):
    """The bytes are a fact of a kind, or of a shape, that this version does not know; keep them verbatim (I-19)."""


def encode_fact(fact: AnyFact) -> bytes:
    """The bytes of a fact, as journalled, chained and sent: encoded once, never again."""
    return _ENCODER.encode(fact)


def decode_fact(body: bytes | msgspec.Raw) -> AnyFact:
    """The fact in `body`. Raises UnknownFact."""
    try:
        fact: AnyFact = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnknownFact(str(error)) from error
    return fact


def kind(fact: AnyFact | type[Fact]) -> str:
    """The name of a kind on the wire."""
    return str(fact.__struct_config__.tag)


def kind_of(body: bytes | msgspec.Raw) -> str:
    """The kind a fact claims, known to this version or not; empty when there is none."""
    try:
        return _KIND_DECODER.decode(body).kind
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
