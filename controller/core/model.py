"""What a site knows. `Durable` is the fold of its facts; `Live` is read again at every start and never journalled.

Owns the shapes and their few derived questions. Refuses to know how they change (`evolve`, `observe`) or why (`decide`).
All times named `*_mono` are milliseconds of the monotonic clock of this boot; `*_ms` stamps are wall-clock milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from controller.core.afar import RemoteOpening
from controller.core.deposit import Deposit
from controller.core.drop import Drop, DropReceipt
from controller.core.found import Found
from controller.core.handing_in import Sending
from controller.core.looks import NO_SEAL, Reconciliation, Seal, ShelfLook
from controller.core.notices import Notice, StaffNotice
from controller.core.refused_badge import RefusedBadge
from wire.facts import Place
from wire.ids import (
    Door,
    Label,
    Occupancy,
    ParcelId,
    ParcelState,
    PlaceKind,
    Purpose,
    ReachZone,
    Service,
    SizeClass,
    Trust,
)
from wire.messages import CompartmentCard
from wire.plan import Help, Intent, Person, Settings, SiteCard

WAITING_MAX: Final = 4
"""Inputs kept while a door is being served; a fifth person is asked to try again."""

CALLS_MAX: Final = 50
"""Calls to the desk kept on the staff screen; older ones drop off the screen, never out of the journal."""

ANSWERS_MAX: Final = 200
"""Stored answers to commands: a hub repeats a command within seconds, and each site gets a few a day."""

ENDED_MAX: Final = 10_000
"""Ended parcels remembered, so that a spent slip is answered kindly: 90 days at 60 pickups a day is 5,400."""

DOOR_EVENTS_MAX: Final = 10
"""Door events kept for each compartment: what staff look at when a customer says that it was empty (journeys C-09)."""

ALIASES_MAX: Final = 10_000
"""Second keys remembered. Each belongs to a parcel on record, and a parcel with several is a hub's mistake."""


@dataclass(frozen=True, slots=True)
class Now:
    """The instant a decision is taken at, given by the caller."""

    mono: int
    wall_ms: int
    trust: Trust = Trust.UNSET
    boot: int = 0


@dataclass(frozen=True, slots=True)
class Setup:
    """What a site is, fixed from start to stop. `keys` maps key epoch → 32-byte site key and is never journalled."""

    site: str
    number: int
    keys: Mapping[int, bytes] = field(repr=False)
    cards: Mapping[Label, CompartmentCard]
    shelf_places: tuple[str, ...]
    board: str
    version: str
    name: str = ""

    @property
    def epoch(self) -> int:
        """The newest key epoch this site holds."""
        return max(self.keys)


class DoorEventKind(StrEnum):
    """What happened at a door, as staff are told when somebody says that something is wrong."""

    ORDERED = "ordered"
    OPENED = "opened"
    CLOSED = "closed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DoorEvent:
    """One thing that happened at a door. `at_ms` is wall-clock time; `session` is empty when nothing of ours caused it."""

    kind: DoorEventKind
    at_ms: int
    session: str = ""


@dataclass(frozen=True, slots=True)
class Compartment:
    """Two of the three axes of a compartment (the door is live), and the parcel expected inside.

    `doubted`: what is remembered of it may be older than what happened (ADR 0009), or staff went to take its parcel out and did not
    say yet what lies there; no key opens it before staff looked.
    `events`: the last things that happened at its door, oldest first, at most DOOR_EVENTS_MAX (C-09).
    """

    occupancy: Occupancy = Occupancy.FREE
    service: Service = Service.IN_SERVICE
    parcel: ParcelId | None = None
    cycles: int = 0
    doubted: bool = False
    events: tuple[DoorEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel this site holds or expects. `since_mono` is when its state was entered, or this boot if earlier.

    `uncertain`: its door was opened, for its key or to put it in, and then not seen through (a restart, nobody's answer). `from_desk`:
    this site made its record, when its label was scanned before any plan named it. `reason`: why it is disputed or refused.
    `heavy_said`, `low_said`: staff said so of it, whatever a plan says. `unidentified`: nobody can read whose it is (S-13).
    `extended`: how often its hold was extended, as far as this site and its hub know; `until_ms`: the limit that was said then, to be read.
    `mandate`: the number of the mandate slip that opens its door, 0 without one; `mandates`: how many were made (C-30).
    `sending`: a customer hands it in for its carrier (C-32). `damaged_said`: staff said that it came damaged; its receipt says so (S-07).
    """

    id: ParcelId
    version: int
    epoch: int
    state: ParcelState
    tracking: str = ""
    carrier: str = ""
    size: SizeClass | None = None
    heavy: bool = False
    reach: ReachZone | None = None
    language: str = "fr"
    help: Help = Help.STANDARD
    group: str = ""
    intent: Intent = Intent.HOLD
    planned: bool = False
    place: Place | None = None
    session: str = ""
    reopens: int = 0
    uncertain: bool = False
    since_mono: int = 0
    since_ms: int = 0
    from_desk: bool = False
    reason: str = ""
    heavy_said: bool = False
    low_said: bool = False
    unidentified: bool = False
    damaged_said: bool = False
    extended: int = 0
    until_ms: int = 0
    mandate: int = 0
    mandates: int = 0
    sending: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """What is remembered of a parcel that left."""

    id: ParcelId
    version: int
    state: ParcelState
    tracking: str
    place: Place | None
    at_ms: int
    trust: Trust
    language: str = "fr"
    epoch: int = 0
    from_desk: bool = False
    carrier: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Alias:
    """The second key of a parcel: that of an announced parcel which was found to be one the desk had created (ADR 0007)."""

    into: ParcelId
    version: int
    epoch: int


class Phase(StrEnum):
    """How far an opening has come. `declared`: staff said that they open this door with the key, and it has not moved yet (M-09)."""

    PULSING = "pulsing"
    OPEN = "open"
    CLOSED = "closed"
    FAILED = "failed"
    DECLARED = "declared"


@dataclass(frozen=True, slots=True)
class Opening:
    """The current or last opening of one compartment. `bounces`: how often its door sprang open after it was shut (S-10).
    `blind`: its switch read open before the pulse, and has not read closed since: it was not seen to open (A-08).
    `dark`: the site was off while its door stood open, so nobody saw or heard what became of the parcel (C-22, ADR 0008).
    """

    session: str
    compartment: Label
    purpose: Purpose
    phase: Phase
    parcel: ParcelId | None = None
    by: str = ""
    pulses: int = 0
    pulse_mono: int = 0
    opened_mono: int = 0
    closed_mono: int = 0
    alarmed: bool = False
    bounces: int = 0
    blind: bool = False
    dark: bool = False


class Step(StrEnum):
    """Where the parcel in the staff's hands stands."""

    CHOOSE_SIZE = "choose_size"
    PUT_IN = "put_in"
    PUT_ON_SHELF = "put_on_shelf"
    TAKE_BACK = "take_back"
    ASK_EMPTY = "ask_empty"
    WHICH_DOOR = "which_door"
    TAKE_FROM_SHELF = "take_from_shelf"
    CHECK_SHELF = "check_shelf"
    OPEN_WITH_KEY = "open_with_key"


class After(StrEnum):
    """What follows once a compartment was answered empty."""

    NOTHING = "nothing"
    BIGGER = "bigger"
    OTHER_DOOR = "other_door"
    SHELF = "shelf"
    REMOVE = "remove"
    MOVE = "move"
    END_PRACTICE = "end_practice"
    RETRIEVE = "retrieve"
    RECONCILE = "reconcile"


@dataclass(frozen=True, slots=True)
class Staff:
    """The person signed in at this site. `carrier`: whose courier it is; empty for everybody else."""

    person: str
    role: str
    session: str
    carrier: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody waits at the desk, or a door needs a look."""

    reason: str
    parcel: ParcelId | None
    compartment: Label | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The stored answer to a command."""

    verb: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class PinTries:
    """How many wrong PINs somebody may still give, in thousandths, as of `since_mono`."""

    milli: int
    since_mono: int = 0


@dataclass(frozen=True, slots=True)
class PlanMark:
    """Which plan is in force."""

    incarnation: int = 0
    revision: int = 0
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Durable:
    """The fold of the site's facts.

    `practice`: the compartment set aside for practice. `reconciliation`: the one under way; `report`: what the last one found.
    `dropped`: epoch and version of the keys of parcels that a plan announced and another dropped before they came.
    `remote`: the doors last opened from afar, oldest first (I-21).
    `behind_seq`: up to here the hub knows facts that this journal never held (ADR 0009), 0 when none; `behind_head`: their hash.
    """

    compartments: Mapping[Label, Compartment]
    parcels: Mapping[ParcelId, Parcel] = field(default_factory=dict)
    ended: Mapping[ParcelId, Ended] = field(default_factory=dict)
    aliases: Mapping[ParcelId, Alias] = field(default_factory=dict)
    openings: Mapping[Label, Opening] = field(default_factory=dict)
    staff: Staff | None = None
    alarms: Mapping[str, int] = field(default_factory=dict)
    calls: tuple[Call, ...] = ()
    plan: PlanMark = field(default_factory=PlanMark)
    settings: Settings = field(default_factory=Settings)
    people: tuple[Person, ...] = ()
    sites: tuple[SiteCard, ...] = ()
    answers: Mapping[str, Answer] = field(default_factory=dict)
    hub_incarnation: int = 0
    behind_seq: int = 0
    behind_head: str = ""
    bucket_milli: int = 8_000
    bucket_mono: int = 0
    boot: int = 0
    sessions: int = 0
    floor_ms: int = 0
    practice: Label | None = None
    reconciliation: Reconciliation | None = None
    report: Reconciliation | None = None
    pin_tries: Mapping[str, PinTries] = field(default_factory=dict)
    drop: Drop | None = None
    drops: tuple[DropReceipt, ...] = ()
    dropped: Mapping[ParcelId, tuple[int, int]] = field(default_factory=dict)
    remote: tuple[RemoteOpening, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """What staff are doing with one parcel or compartment right now; lost at a restart, on purpose.

    After a restart the compartment is `reserved` or `unknown` and the parcel `received`: scanning the label goes on.
    `touched`: other doors that moved during the deposit, so that nobody can be sure which one it went into (S-08).
    `then`: the parcel that is served next, because room is being made for it (S-14).
    `scanned`: the label of the parcel to be taken out was read, and is the right one (M-01).
    `out_reason`: why the compartment goes out of service once it was seen empty (M-06); empty when it does not.
    `no_door`: it goes on the shelf because no fitting door is free (K-03).
    `found`: the label of something else, read at a door of a reconciliation; `shelf`: what was read at a place of the shelf; `last`: the
    run ends with this look (M-07).
    `in_hand`: they brought the parcel to this door themselves, and take it away again if it does not go in (S-05, S-09, S-10).
    """

    step: Step
    parcel: ParcelId | None = None
    compartment: Label | None = None
    after: After = After.NOTHING
    shelf_place: str | None = None
    asked_mono: int = 0
    touched: tuple[Label, ...] = ()
    then: ParcelId | None = None
    scanned: bool = False
    out_reason: str = ""
    no_door: bool = False
    found: str = ""
    in_hand: bool = False
    shelf: ShelfLook | None = None
    last: bool = False

    @property
    def keeps(self) -> bool:
        """Whether the parcel of this task is with whoever answers *empty*, and not lost."""
        return self.in_hand or self.after is After.MOVE


@dataclass(frozen=True, slots=True)
class Needs:
    """What staff said of the next parcel: heavy, for low reach, damaged; `sends`: handed in by a customer for this carrier, or ""."""

    heavy: bool = False
    low: bool = False
    damaged: bool = False
    sends: str | None = None


NO_NEEDS: Final = Needs()
"""Nothing was said: any free door of the size will do."""


@dataclass(frozen=True, slots=True)
class Live:
    """What is read again at every start.

    `badge`: the text of the badge of whoever is signed in, the key of their PIN's digest; never in a fact, a view or a log.
    `trying_since`: since when somebody stands there and nothing was read; `hints`: how often they were told how to hold it (C-33).
    `pin_for`: what was pressed and waits for the PIN; the event itself, as in `Waiting`. `deposits`: the last ones, oldest first.
    `report_seal`: where the journal keeps the end of the last reconciliation.
    `opened`: when each door was last seen to open since this start; `booted_mono`: when this start was.
    `sensor_told`: doors whose switch reads open for so long that staff were told (A-08).
    """

    doors: Mapping[Label, Door] = field(default_factory=dict)
    scanner: bool = True
    hub_link: bool = False
    hub_online: bool = False
    notice: Notice | None = None
    notice_until: int = 0
    staff_notice: StaffNotice | None = None
    staff_notice_until: int = 0
    task: Task | None = None
    last_size: SizeClass | None = None
    last_stored: ParcelId | None = None
    last_text: bytes = b""
    last_text_mono: int = 0
    repeated: bool = False
    active_mono: int = 0
    nagged_mono: int = 0
    waiting: tuple[Waiting, ...] = ()
    disk_short: bool = False
    badge: str = field(default="", repr=False)
    pin_given: bool = False
    pin_for: object | None = None
    refused_badge: RefusedBadge | None = None
    needs: Needs = NO_NEEDS
    slip_for: ParcelId | None = None
    slip_is_mandate: bool = False
    trying_since: int | None = None
    hints: int = 0
    opened: Mapping[Label, int] = field(default_factory=dict)
    booted_mono: int = 0
    sensor_told: frozenset[Label] = frozenset()
    deposits: tuple[Deposit, ...] = ()
    report_seal: Seal = NO_SEAL
    found: Found | None = None
    sending: Sending | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An input kept until the bank is ready for another door."""

    event: object
    since_mono: int


@dataclass(frozen=True, slots=True)
class State:
    """Everything `decide` looks at."""

    setup: Setup
    durable: Durable
    live: Live

    def door(self, label: Label) -> Door:
        """What the door's switch says now."""
        return self.live.doors.get(label, Door.UNKNOWN)

    def card(self, label: Label) -> CompartmentCard:
        """How the compartment hangs in the bank."""
        return self.setup.cards[label]


def fresh(setup: Setup) -> Durable:
    """A site before its first fact: a new bank is handed over empty (hardware/README), so every compartment is free."""
    return Durable(compartments={label: Compartment() for label in setup.cards})


def alarm_key(alarm: str, compartment: Label | None) -> str:
    """How an alarm is filed: one a kind and compartment."""
    return f"{alarm}/{compartment or ''}"


def in_compartment(label: Label) -> Place:
    """The place behind a door."""
    return Place(kind=PlaceKind.COMPARTMENT, name=label)


def on_shelf(name: str) -> Place:
    """The place on the desk's shelf."""
    return Place(kind=PlaceKind.SHELF, name=name)
