"""The shapes of the short messages on both screens.

Owns the shapes alone; `model` hands them on to the core. Refuses to know their words (the kiosk has them) and when each is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from wire.facts import Place
from wire.ids import Label, ParcelId


class NoticeKind(StrEnum):
    """A short message on the customer screen when no door is being served."""

    AT_DESK = "at_desk"
    ASK_DESK = "ask_desk"
    REFUSED = "refused"
    CHECK_DIGITS = "check_digits"
    WAIT_TO_TYPE = "wait_to_type"
    WRONG_SITE = "wrong_site"
    REPLACED = "replaced"
    NOT_READY = "not_ready"
    ALREADY_COLLECTED = "already_collected"
    USE_SLIP = "use_slip"
    ONE_MOMENT = "one_moment"
    THANKS = "thanks"
    QUICK_CLOSE = "quick_close"
    CALLED = "called"
    FOUND_EMPTY = "found_empty"
    DAMAGED = "damaged"
    REFUSED_PARCEL = "refused_parcel"
    RECALLED = "recalled"
    NO_LONGER_HERE = "no_longer_here"
    SCAN_HINT = "scan_hint"
    MORE_WAITS = "more_waits"
    HANDED_IN = "handed_in"


@dataclass(frozen=True, slots=True)
class Notice:
    """What a notice says besides its kind."""

    kind: NoticeKind
    compartment: Label | None = None
    parcel: ParcelId | None = None
    language: str = ""
    site_name: str = ""
    site_address: str = ""
    at_ms: int = 0
    wait_ms: int = 0


class StaffNoticeKind(StrEnum):
    """A short message on the staff screen."""

    BADGE_UNKNOWN = "badge_unknown"
    NOT_A_LABEL = "not_a_label"
    ALREADY_HERE = "already_here"
    ALREADY_ENDED = "already_ended"
    STORED = "stored"
    DOOR_FAILED = "door_failed"
    CANCELLED = "cancelled"
    LEFT_UNKNOWN = "left_unknown"
    FINISH_FIRST = "finish_first"
    SIGN_IN_FIRST = "sign_in_first"
    CLOSE_DOOR_FIRST = "close_door_first"
    SIZE_NOTED = "size_noted"
    NOTHING_TO_DO = "nothing_to_do"
    CHECKED = "checked"
    REMOVED = "removed"
    HANDED_OVER = "handed_over"
    DISK_FULL = "disk_full"
    NOT_YOURS = "not_yours"
    NOT_LATCHED = "not_latched"
    NEVER_LATCHES = "never_latches"
    MISPLACED = "misplaced"
    BADGE_EXPIRED = "badge_expired"
    NO_PIN = "no_pin"
    PIN_WRONG = "pin_wrong"
    PIN_WAIT = "pin_wait"
    NEEDS_NOTED = "needs_noted"
    IDENTIFIED = "identified"
    IDENTIFY_FIRST = "identify_first"
    NO_ROOM = "no_room"
    LOOK_FIRST = "look_first"
    ASSISTED = "assisted"
    PRACTICE_ON = "practice_on"
    NOT_FOR_PRACTICE = "not_for_practice"
    LABEL_MATCHED = "label_matched"
    SCAN_LABEL = "scan_label"
    WRONG_PARCEL = "wrong_parcel"
    ALL_RETRIEVED = "all_retrieved"
    REISSUED = "reissued"
    MANDATE_ISSUED = "mandate_issued"
    MANDATE_WITHDRAWN = "mandate_withdrawn"
    KEY_TOO_LATE = "key_too_late"
    NOT_YOUR_CARRIER = "not_your_carrier"
    SAY_WHY = "say_why"
    OUT_OF_SERVICE = "out_of_service"
    STILL_OCCUPIED = "still_occupied"
    DROP_ENDED = "drop_ended"
    DROP_FULL = "drop_full"
    EXTENDED = "extended"
    EXTENDED_ENOUGH = "extended_enough"
    OTHER_LABEL = "other_label"
    SAY_WHICH = "say_which"
    SAY_WHICH_ONES = "say_which_ones"
    ON_ITS_PLACE = "on_its_place"
    NOT_OF_THIS_PLACE = "not_of_this_place"
    LAST_LOOK = "last_look"
    RECONCILED = "reconciled"
    RECONCILIATION_PAUSED = "reconciliation_paused"
    SENDING_NEXT = "sending_next"
    SENDING_ISSUED = "sending_issued"


@dataclass(frozen=True, slots=True)
class StaffNotice:
    """What a staff notice says besides its kind. `right`: what somebody else has to be asked for."""

    kind: StaffNoticeKind
    compartment: Label | None = None
    parcel: ParcelId | None = None
    tracking: str = ""
    place: Place | None = None
    at_ms: int = 0
    right: str = ""
