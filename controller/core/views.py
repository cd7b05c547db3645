"""What screens show: an immutable picture of the site, made by the owner thread after every change.

Owns what a kiosk may know. A slip's key appears here only for the parcel just stored or asked for by staff (the panel's
socket is the site's own); no key is ever on the customer's part. Refuses to know words: screens translate kinds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from controller.core.deposit import Deposit
from controller.core.drop import DropReceipt
from controller.core.looks import NO_SEAL, Reconciliation, Seal
from controller.core.model import NO_NEEDS, DoorEvent, Needs, Step
from controller.core.notices import Notice, StaffNotice
from wire.facts import Place
from wire.ids import Door, Label, Occupancy, ParcelId, ParcelState, ReachZone, Service, SizeClass
from wire.plan import Help


class Screen(StrEnum):
    """The customer screen. `NOTICE` shows `CustomerView.notice`."""

    READY = "ready"
    OPENING = "opening"
    PUSH_DOOR = "push_door"
    TAKE = "take"
    CLOSE_DOOR = "close_door"
    PUT_BACK = "put_back"
    CHOOSE_SIZE = "choose_size"
    PUT_IN = "put_in"
    ASK_INSIDE = "ask_inside"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class CustomerView:
    """One big thing at a time. `doors` open after it for the same person; `also_at_desk`: another parcel waits there (C-25).

    `sending`: the parcel that is being handed in; `sizes`: those that may be chosen for it; `may_grow`: a larger door may be asked for.
    `from_afar`: this door was opened by people who are not here.
    """

    screen: Screen
    compartment: Label | None = None
    reach: ReachZone | None = None
    language: str = "fr"
    help: Help = Help.STANDARD
    notice: Notice | None = None
    practice: bool = False
    doors: tuple[Label, ...] = ()
    also_at_desk: bool = False
    sending: ParcelId | None = None
    sizes: tuple[SizeClass, ...] = ()
    may_grow: bool = False
    from_afar: bool = False


@dataclass(frozen=True, slots=True)
class CompartmentView:
    """One door of the bank as drawn: place on the grid and the three axes. `tracking` is for staff screens only."""

    label: Label
    size: SizeClass
    reach: ReachZone
    row: int
    column: int
    rows: int
    columns: int
    occupancy: Occupancy
    service: Service
    door: Door
    parcel: ParcelId | None
    tracking: str


@dataclass(frozen=True, slots=True)
class SlipView:
    """All that a slip prints. `mandate`: it is for somebody who collects for another, and has no digits (C-30). `sends`: it is for a
    parcel that its holder hands in (C-32).

    `beside`: where other parcels of the same recipient wait; this slip is good for them too, so it need not be printed (S-16).
    """

    parcel: ParcelId
    qr_text: str
    digits: str
    place: Place | None
    reach: ReachZone | None
    language: str
    tracking: str
    version: int
    mandate: bool = False
    beside: tuple[Place, ...] = ()
    sends: bool = False


@dataclass(frozen=True, slots=True)
class ShelfView:
    """A place of the shelf in a reconciliation: each parcel that should lie there, its label and whether that was read; labels of others."""

    expected: tuple[tuple[ParcelId, str, bool], ...]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskView:
    """What is asked of staff now. `looks_only`: a door is open to be looked into, and what lies there stays there.

    `touched`: the other doors that moved (S-08). `may_stay_open`: its door does not hold, so *empty* is answered
    without shutting it (S-10). `room`: the door whose parcel can make room for one that must lie low (S-14).
    `retrieving`: a parcel is taken out of stock; `scanned`: its label was read, and is the right one (M-01).
    `unseen`: its switch cannot show that the door was shut, so both answers may be given at once (A-08).
    `reconciling`: a door of a reconciliation, of which `believed` is known; `shelf`: a place of the shelf in one; `last`: it ends with this (M-07).
    """

    step: Step
    parcel: ParcelId | None
    tracking: str
    compartment: Label | None
    shelf_place: str | None
    looks_only: bool = False
    touched: tuple[Label, ...] = ()
    may_stay_open: bool = False
    needs: Needs = NO_NEEDS
    unidentified: bool = False
    room: Label | None = None
    retrieving: bool = False
    scanned: bool = False
    unseen: bool = False
    reconciling: bool = False
    believed: Occupancy | None = None
    shelf: ShelfView | None = None
    last: bool = False


@dataclass(frozen=True, slots=True)
class CallView:
    """Somebody to serve at the desk. `events`: what happened at the door, when they say that something is wrong behind it.

    `help`: how to speak with them.
    """

    reason: str
    parcel: ParcelId | None
    tracking: str
    compartment: Label | None
    place: Place | None
    at_ms: int
    events: tuple[DoorEvent, ...] = ()
    help: Help = Help.STANDARD


@dataclass(frozen=True, slots=True)
class AlarmView:
    """An alarm that stands."""

    alarm: str
    compartment: Label | None
    since_ms: int


@dataclass(frozen=True, slots=True)
class ParcelView:
    """A parcel in stock or expected, for the staff list. `to_retrieve`: staff are to take it out (M-01).

    `language`, `help`, `reach`: what its recipient speaks, needs, and can reach, for the day's list (M-12).
    """

    parcel: ParcelId
    tracking: str
    carrier: str
    state: ParcelState
    place: Place | None
    since_ms: int
    recalled: bool
    reason: str = ""
    unidentified: bool = False
    to_retrieve: bool = False
    language: str = "fr"
    help: Help = Help.STANDARD
    reach: ReachZone | None = None
    heavy: bool = False
    extended: int = 0
    until_ms: int = 0
    mandate: bool = False
    sending: bool = False


@dataclass(frozen=True, slots=True)
class DepositView:
    """A deposit whose receipt may be handed out. `own`: of this session."""

    deposit: Deposit
    own: bool


@dataclass(frozen=True, slots=True)
class DropView:
    """A drop as far as it is: how many parcels lie where, and how many were announced and are still awaited (K-02, K-03)."""

    in_doors: int
    on_shelf: int
    at_desk: int
    without_place: int
    awaited: int


@dataclass(frozen=True, slots=True)
class GoneView:
    """A parcel that has left: how (`state`), from where, and when."""

    parcel: ParcelId
    tracking: str
    carrier: str
    state: ParcelState
    place: Place | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class FoundView:
    """The answer to a search among the parcels that have left: how many, and the newest of them (M-11)."""

    text: str
    count: int
    parcels: tuple[GoneView, ...]


@dataclass(frozen=True, slots=True)
class StaffView:
    """The staff screen; `person` is empty when nobody is signed in, and then only counts are filled.

    `deposits`: what a receipt can be had of, oldest first (S-07); `session` is the one under way, empty when nobody is signed in.
    `reconciliation`: the one under way; `report`: what the last one found, and `seal` its line of the journal (M-07).
    `needs`: what was said of the next parcel (S-15). `may_cancel`: the slip is of the parcel stored last, which may be taken back.
    `drop`: the drop of the courier who is signed in, `receipts`: those that may be printed, the newest last (K-02).
    `carrier`: whose courier is signed in; then only that carrier's parcels are in this picture and in `View.bank`, and no slip,
    call or key is (K-01). `left_open`: the door this courier has to shut before they can finish (K-06).
    """

    person: str
    role: str
    task: TaskView | None
    notice: StaffNotice | None
    slip: SlipView | None
    calls: tuple[CallView, ...]
    parcels: tuple[ParcelView, ...]
    last_size: SizeClass | None
    free_by_size: dict[str, int]
    pin_asked: bool = False
    practice: Label | None = None
    practice_text: str = ""
    pin_wait_ms: int = 0
    needs: Needs = NO_NEEDS
    may_cancel: bool = False
    carrier: str = ""
    left_open: Label | None = None
    deposits: tuple[DepositView, ...] = ()
    session: str = ""
    drop: DropView | None = None
    receipts: tuple[DropReceipt, ...] = ()
    reconciliation: Reconciliation | None = None
    report: Reconciliation | None = None
    seal: Seal = NO_SEAL
    found: FoundView | None = None
    carriers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """The whole picture; `number` grows by one with every new picture of a run."""

    number: int
    site: str
    name: str
    now_ms: int
    customer: CustomerView
    staff: StaffView
    bank: tuple[CompartmentView, ...]
    alarms: tuple[AlarmView, ...]
    hub_link: bool
    scanner: bool
    typed_wait_ms: int
    waiting: int
