"""Facts of the people who look after a bank: calls, badges, help, care, couriers and what staff look into.

Owns the name and fields of these kinds, as `wire.facts` does for all others and re-exports them. The same rules hold.
"""

from __future__ import annotations

from typing import Final

from wire.fact_base import Fact
from wire.ids import Found, IdentityCheck, Label, Motive, Occupancy, ParcelId


class StaffCalled(Fact, frozen=True, kw_only=True, tag="staff_called"):
    """A customer was sent to the desk, or asked for it."""

    reason: str
    parcel: ParcelId | None = None
    compartment: Label | None = None


class StaffAnswered(Fact, frozen=True, kw_only=True, tag="staff_answered"):
    """Staff took a call off the list."""

    reason: str
    by: str
    parcel: ParcelId | None = None
    compartment: Label | None = None


class StaffSignedIn(Fact, frozen=True, kw_only=True, tag="staff_signed_in"):
    """A badge of the roster was shown."""

    person: str
    session: str


class StaffSignedOut(Fact, frozen=True, kw_only=True, tag="staff_signed_out"):
    """A staff session ended: `done`, `idle`, `restart`."""

    person: str
    session: str
    reason: str


class CollectionAssisted(Fact, frozen=True, kw_only=True, tag="collection_assisted"):
    """Staff helped a recipient to collect: why, how they knew them, and whether the person stood there. Its opening follows."""

    parcel: ParcelId
    session: str
    by: str
    motive: Motive
    identity: IdentityCheck
    present: bool


class HoldExtended(Fact, frozen=True, kw_only=True, tag="hold_extended"):
    """Staff gave a parcel more days. `count` is how often that was done so far, and what an old plan is known by (ADR 0016).

    `until_ms`: the new limit by the site's own clock, 0 when that cannot be trusted. Nothing ends by it (I-6).
    """

    parcel: ParcelId
    count: int
    days: int
    until_ms: int = 0
    reason: str = ""
    by: str = ""


class KeyOpeningDeclared(Fact, frozen=True, kw_only=True, tag="key_opening_declared"):
    """Staff open a door with the mechanical key (M-09), and nothing was pulsed.

    Said before: `opened_ms` is 0, and the door that opens within the session's bound has this `session`. Said after: `opened_ms` is the
    time at which its switch was seen open without a cause, and `open` whether it still is.
    """

    compartment: Label
    session: str
    by: str
    opened_ms: int = 0
    open: bool = False


class MandateIssued(Fact, frozen=True, kw_only=True, tag="mandate_issued"):
    """Staff made a mandate slip for a recipient who sends somebody; the one before, if any, opens no longer (C-30).

    `identity`: how staff knew that it was the recipient who asked.
    """

    parcel: ParcelId
    number: int
    by: str
    identity: IdentityCheck


class MandateWithdrawn(Fact, frozen=True, kw_only=True, tag="mandate_withdrawn"):
    """The recipient takes the mandate back: its slip opens no longer, their own does."""

    parcel: ParcelId
    number: int
    by: str


class CollectionDelegated(Fact, frozen=True, kw_only=True, tag="collection_delegated"):
    """A delegate came with a mandate slip: their door opens (its opening follows), or the desk is called. Who they are is nobody's."""

    parcel: ParcelId
    number: int
    session: str = ""


class PracticeStarted(Fact, frozen=True, kw_only=True, tag="practice_started"):
    """Staff set an empty compartment aside for practice (M-10): nothing that happens there is about a parcel."""

    compartment: Label
    by: str
    session: str


class PracticeEnded(Fact, frozen=True, kw_only=True, tag="practice_ended"):
    """Staff looked into the practice compartment and said what they saw: it is an ordinary one again."""

    compartment: Label
    by: str
    session: str


DROP_LISTED_MAX: Final = 100
"""Announced parcels that a drop lists as not brought; the count is always whole."""


class DropEnded(Fact, frozen=True, kw_only=True, tag="drop_ended"):
    """A courier's drop is over, with what its receipt says (K-02, K-03): how many parcels lie where, and what differs.

    `at_desk`: on the shelf because no fitting door was free; `without_place`: scanned, and left without a place. `missing`: announced
    for this carrier and not brought (at most DROP_LISTED_MAX of `missing_count`); `unannounced`: brought, and announced by nobody.
    `reason`: `done`, or `left` when the courier did not come back.
    """

    person: str
    carrier: str
    session: str
    reason: str
    in_doors: int
    on_shelf: int
    at_desk: int
    without_place: int = 0
    missing: tuple[ParcelId, ...] = ()
    missing_count: int = 0
    unannounced: tuple[ParcelId, ...] = ()


class ReconciliationStarted(Fact, frozen=True, kw_only=True, tag="reconciliation_started"):
    """Staff look behind these doors, one after the other in this order, and say what they see (M-07). `session` names the whole run.

    `shelf`: the places of the desk's shelf that they look at after the doors.
    """

    session: str
    by: str
    compartments: tuple[Label, ...]
    shelf: tuple[str, ...] = ()


class CompartmentReconciled(Fact, frozen=True, kw_only=True, tag="compartment_reconciled"):
    """What staff saw behind one door of a reconciliation, and what the site believed before; what that changes follows.

    `expected`: the parcel that was to lie there. `tracking`: the label of what lay there instead, when somebody read it.
    """

    session: str
    compartment: Label
    found: Found
    occupancy: Occupancy
    by: str
    expected: ParcelId | None = None
    tracking: str = ""


SHELF_LISTED_MAX: Final = 50
"""Parcels, and labels of anything else, that one place of the shelf lists in an inventory; the count of the missing is always whole."""


class ShelfReconciled(Fact, frozen=True, kw_only=True, tag="shelf_reconciled"):
    """What staff saw at one place of the desk's shelf; what that changes follows.

    `expected`: how many parcels were to lie there. `missing`: those that did not (at most SHELF_LISTED_MAX of `missing_count`). `others`:
    labels read there of what the site has somewhere else or does not know, at most SHELF_LISTED_MAX.
    """

    session: str
    place: str
    found: Found
    by: str
    expected: int
    missing: tuple[ParcelId, ...] = ()
    missing_count: int = 0
    others: tuple[str, ...] = ()


class ReconciliationEnded(Fact, frozen=True, kw_only=True, tag="reconciliation_ended"):
    """The run is over; its report names this fact. `left`, `shelf_left`: doors and places that nobody looked at, because staff ended it before."""

    session: str
    by: str
    left: tuple[Label, ...] = ()
    shelf_left: tuple[str, ...] = ()


class PinRefused(Fact, frozen=True, kw_only=True, tag="pin_refused"):
    """Somebody signed in gave a wrong PIN; `tokens_milli` thousandths of a try are left to them."""

    person: str
    session: str
    tokens_milli: int


class BadgeRefused(Fact, frozen=True, kw_only=True, tag="badge_refused"):
    """A badge was shown and let nobody in: `unknown` (of nobody here), or `expired`."""

    reason: str
    person: str = ""


class BadgeVouched(Fact, frozen=True, kw_only=True, tag="badge_vouched"):
    """A lead answered for somebody whose badge had expired: `by` let `person` in for this one session."""

    person: str
    session: str
    by: str
