"""Signing in: a badge of the roster that is still valid, or one past its end for which a lead answers (S-17).

Owns who is let in and what is kept of a badge that was refused. Refuses to know what they may do then (`rights`). A badge ends by a
trusted clock only (I-6).
"""

from __future__ import annotations

from typing import Final

from controller.core import courier, drops, rights
from controller.core.effects import (
    Decision,
    KnowBadge,
    RefuseBadge,
    RememberStored,
    Show,
    ShowStaff,
    Signal,
    Sound,
)
from controller.core.loading import tell
from controller.core.model import Now, State
from controller.core.notices import Notice, NoticeKind, StaffNotice, StaffNoticeKind
from controller.core.orders import next_session
from controller.core.refused_badge import RefusedBadge
from wire import facts as f
from wire.ids import Trust
from wire.plan import Person, Role
from wire.scans import ScannedBadge

VOUCH_MS: Final = 60_000
"""How long after a badge was refused a lead may answer for it: both stand there."""

UNKNOWN_LOGGED_MS: Final = 60_000
"""Unknown badges are written down at most this often: somebody who shows made-up ones must not fill the card (I-38)."""

UNKNOWN: Final = "unknown"
EXPIRED: Final = "expired"


def badge_scanned(state: State, badge: ScannedBadge, text: str, now: Now) -> Decision:
    """Somebody shows a badge. A person already signed in stays; another one takes over."""
    person = next((person for person in state.durable.people if person.badge == badge.digest), None)
    if person is None:
        return _unknown(state, now)
    if is_over(person, now):
        return _expired(person, text, now)
    present = state.durable.staff
    refused = state.live.refused_badge
    if refused is not None and refused.person and _may_vouch(state, person, refused, now):
        return _signed_in(state, refused.person, refused.text, now, by=person.id)
    if present is not None and present.person == person.id:
        return Decision((), (Sound(Signal.OK),))
    return _signed_in(state, person.id, text, now)


def is_over(person: Person, now: Now) -> bool:
    """Whether the badge is past its end, by a clock that is trusted."""
    return 0 < person.valid_until_ms <= now.wall_ms and now.trust in {Trust.HUB, Trust.NTP}


def _unknown(state: State, now: Now) -> Decision:
    told = (ShowStaff(StaffNotice(StaffNoticeKind.BADGE_UNKNOWN)), Show(Notice(NoticeKind.REFUSED)), _NO)
    before = state.live.refused_badge
    if before is not None and now.mono - before.since_mono < UNKNOWN_LOGGED_MS:
        return Decision((), told)
    return Decision((f.BadgeRefused(reason=UNKNOWN),), (RefuseBadge(RefusedBadge("", "", now.mono)), *told))


def _expired(person: Person, text: str, now: Now) -> Decision:
    told = (ShowStaff(StaffNotice(StaffNoticeKind.BADGE_EXPIRED)), Show(Notice(NoticeKind.REFUSED)), _NO)
    kept = RefuseBadge(RefusedBadge(person.id, text, now.mono))
    return Decision((f.BadgeRefused(reason=EXPIRED, person=person.id),), (kept, *told))


def _may_vouch(state: State, lead: Person, refused: RefusedBadge, now: Now) -> bool:
    """A lead knows their own team; a courier's badge is ended by the carrier, and nobody here answers for it (K-05)."""
    team = {person.id for person in state.durable.people if person.role != Role.COURIER}
    return (
        rights.may(lead.role, rights.Right.VOUCH)
        and refused.person in team
        and now.mono - refused.since_mono < VOUCH_MS
    )


def _signed_in(state: State, person: str, text: str, now: Now, by: str = "") -> Decision:
    if state.live.task is not None:
        return tell(StaffNoticeKind.FINISH_FIRST, compartment=state.live.task.compartment)
    present = state.durable.staff
    if present is not None and (kept := courier.kept_here(state, present, person)) is not None:
        return kept
    facts: list[f.AnyFact] = []
    if present is not None:
        facts.append(f.StaffSignedOut(person=present.person, session=present.session, reason="replaced"))
    facts.extend(drops.before_sign_in(state, person, now))
    session = next_session(state)
    if by:
        facts.append(f.BadgeVouched(person=person, session=session, by=by))
    facts.append(f.StaffSignedIn(person=person, session=session))
    return Decision(tuple(facts), (RememberStored(None), KnowBadge(text), Sound(Signal.OK)))


_NO: Final = Sound(Signal.REFUSED)
