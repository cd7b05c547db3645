"""Mandates: a recipient sends somebody, who opens one door with a slip of their own (C-30).

Owns which mandate counts: the newest of its parcel, of the key in force, not withdrawn. Refuses to know who the delegate is. A mandate
opens the door of its own parcel and of no other of the same recipient, it dies with the parcel, with a newer mandate, with a newer slip
of the recipient, and when it is taken back. What the door then does is an ordinary collection (`pickup`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from controller.core.effects import Decision, ShowSlip, ShowStaff, Signal, Sound
from controller.core.events import Button, Pressed
from controller.core.loading import tell
from controller.core.model import Parcel, Staff, State
from controller.core.notices import Notice, NoticeKind, StaffNotice, StaffNoticeKind
from controller.core.orders import slip_refused
from wire import facts as f
from wire.ids import IdentityCheck, ParcelState
from wire.mandate import MANDATE_NUMBER_MAX, ScannedMandate

FORM: Final = "mandate"
_HERE: Final = {ParcelState.RECEIVED, ParcelState.STORED}


def pressed(state: State, staff: Staff, event: Pressed) -> Decision:
    """Make a mandate slip, or take one back."""
    return (_issue if event.button is Button.MANDATE else _withdraw)(state, staff, event)


def _issue(state: State, staff: Staff, event: Pressed) -> Decision:
    """Make a mandate slip for a parcel that waits here; `value` says how staff know that it is the recipient who asks."""
    parcel = None if event.parcel is None else state.durable.parcels.get(event.parcel)
    if parcel is None or parcel.state not in _HERE or event.value not in set(IdentityCheck):
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    if parcel.unidentified:
        return tell(StaffNoticeKind.IDENTIFY_FIRST, parcel=parcel.id, tracking=parcel.tracking)
    if parcel.mandates >= MANDATE_NUMBER_MAX:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    issued = f.MandateIssued(
        parcel=parcel.id, number=parcel.mandates + 1, by=staff.person, identity=IdentityCheck(event.value)
    )
    notice = StaffNotice(StaffNoticeKind.MANDATE_ISSUED, None, parcel.id, parcel.tracking, parcel.place)
    return Decision((issued,), (ShowSlip(parcel.id, mandate=True), ShowStaff(notice), Sound(Signal.OK)))


def _withdraw(state: State, staff: Staff, event: Pressed) -> Decision:
    """The recipient takes it back."""
    parcel = None if event.parcel is None else state.durable.parcels.get(event.parcel)
    if parcel is None or not parcel.mandate:
        return tell(StaffNoticeKind.NOTHING_TO_DO)
    withdrawn = f.MandateWithdrawn(parcel=parcel.id, number=parcel.mandate, by=staff.person)
    notice = StaffNotice(StaffNoticeKind.MANDATE_WITHDRAWN, None, parcel.id, parcel.tracking, parcel.place)
    return Decision((withdrawn,), (ShowSlip(None), ShowStaff(notice), Sound(Signal.OK)))


def refused(parcel: Parcel, scanned: ScannedMandate) -> Decision | None:
    """Why a genuine mandate of a parcel that is known here does not count; None when it does."""
    if scanned.key.version == parcel.version and scanned.number == parcel.mandate:
        return None
    newer = scanned.key.version < parcel.version or scanned.number < parcel.mandate
    reason = "replaced" if newer else "mandate_withdrawn"
    kind = NoticeKind.REPLACED if newer else NoticeKind.ASK_DESK
    return slip_refused(scanned.key, Notice(kind, None, parcel.id, parcel.language), reason)


def came(parcel: Parcel, decision: Decision) -> Decision:
    """The delegate's visit is written down before what it causes, once an opening or a call."""
    causes = any(isinstance(fact, f.OpeningOrdered | f.StaffCalled) for fact in decision.facts)
    if not causes:
        return decision
    session = next((fact.session for fact in decision.facts if isinstance(fact, f.OpeningOrdered)), "")
    delegated = f.CollectionDelegated(parcel=parcel.id, number=parcel.mandate, session=session)
    return replace(decision, facts=(delegated, *decision.facts))
