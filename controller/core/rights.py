"""Who may do what at the desk: roles, the rights they carry, and the right each button needs (A-12).

Owns the tables, and the kind refusal that says who may. Refuses to know what a button then does (`desk`). Deny by default:
a role that is not in the table may leave, and nothing else. The choice of each right is told in docs/roles.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from controller.core.effects import Decision, ShowStaff, Signal, Sound
from controller.core.events import Button
from controller.core.model import Staff
from controller.core.notices import StaffNotice, StaffNoticeKind
from wire.plan import Role


class Right(StrEnum):
    """One thing that somebody may be trusted with."""

    LEAVE = "leave"
    GO_ON = "go_on"
    DEPOSIT = "deposit"
    LOOK = "look"
    REOPEN = "reopen"
    HAND_OVER = "hand_over"
    HELP = "help"
    TAKE_OUT = "take_out"
    ALARMS = "alarms"
    DOORS = "doors"
    VOUCH = "vouch"
    ASSIST = "assist"
    PRACTISE = "practise"
    EXTEND = "extend"
    RETRIEVE = "retrieve"
    ARRANGE = "arrange"
    RECONCILE = "reconcile"


NEEDS: Final = {
    Button.SIGN_OUT: Right.LEAVE,
    Button.SIZE: Right.DEPOSIT,
    Button.SHELF: Right.DEPOSIT,
    Button.BIGGER: Right.DEPOSIT,
    Button.CANCEL: Right.GO_ON,
    Button.DONE: Right.GO_ON,
    Button.EMPTY: Right.GO_ON,
    Button.NOT_EMPTY: Right.GO_ON,
    Button.IN_DOOR: Right.GO_ON,
    Button.HEAVY: Right.DEPOSIT,
    Button.LOW: Right.DEPOSIT,
    Button.ARRIVED_DAMAGED: Right.DEPOSIT,
    Button.UNIDENTIFIED: Right.ARRANGE,
    Button.IDENTIFIED: Right.ARRANGE,
    Button.MAKE_ROOM: Right.ARRANGE,
    Button.CHECK: Right.LOOK,
    Button.REOPEN: Right.REOPEN,
    Button.REMOVE: Right.TAKE_OUT,
    Button.RETRIEVE: Right.RETRIEVE,
    Button.REISSUE: Right.ASSIST,
    Button.MANDATE: Right.ASSIST,
    Button.WITHDRAW_MANDATE: Right.ASSIST,
    Button.SENDING: Right.ASSIST,
    Button.NOT_THERE: Right.GO_ON,
    Button.EXTEND: Right.EXTEND,
    Button.HAND_OVER: Right.HAND_OVER,
    Button.ANSWER_CALL: Right.HELP,
    Button.CLEAR_ALARM: Right.ALARMS,
    Button.CLEAR_LOCKOUT: Right.HELP,
    Button.KEY_OPENING: Right.DOORS,
    Button.PUT_IN_SERVICE: Right.DOORS,
    Button.TAKE_OUT_OF_SERVICE: Right.DOORS,
    Button.PRACTISE: Right.PRACTISE,
    Button.END_PRACTICE: Right.PRACTISE,
    Button.RECONCILE: Right.RECONCILE,
    Button.AS_EXPECTED: Right.GO_ON,
    Button.OTHER: Right.GO_ON,
    Button.END_RECONCILIATION: Right.RECONCILE,
}
"""The right each button of the staff screen needs; a command card needs what its button needs."""

FOR_EVERYBODY: Final = frozenset(
    {
        Button.CALL_DESK,
        Button.DISPUTE,
        Button.FOUND_EMPTY,
        Button.DAMAGED,
        Button.REFUSE,
        Button.SEND_SIZE,
        Button.SEND_BIGGER,
        Button.SEND_INSIDE,
        Button.SEND_NOT_INSIDE,
        Button.SEND_CANCEL,
    }
)
"""Buttons of the customer screen: nobody has to be signed in."""

_MEDIATOR: Final = frozenset(
    {
        Right.LEAVE,
        Right.GO_ON,
        Right.LOOK,
        Right.REOPEN,
        Right.HAND_OVER,
        Right.ASSIST,
        Right.PRACTISE,
        Right.HELP,
        Right.EXTEND,
    }
)
_CONCIERGE: Final = _MEDIATOR | {
    Right.DEPOSIT,
    Right.ARRANGE,
    Right.TAKE_OUT,
    Right.RETRIEVE,
    Right.ALARMS,
    Right.DOORS,
    Right.RECONCILE,
}
_COURIER: Final = frozenset({Right.LEAVE, Right.GO_ON, Right.DEPOSIT, Right.RETRIEVE})
RIGHTS: Final[Mapping[str, frozenset[Right]]] = {
    Role.MEDIATOR: _MEDIATOR,
    Role.CONCIERGE: _CONCIERGE,
    Role.LEAD: frozenset(Right),
    Role.COURIER: _COURIER,
}


def may(role: str, right: Right) -> bool:
    """Whether somebody of that role may; a role this version does not know may only leave."""
    return right in RIGHTS.get(role, frozenset({Right.LEAVE}))


def who_may(right: Right) -> tuple[Role, ...]:
    """The roles to ask, the nearest first. Nobody is sent to a courier: they work for a carrier, not for the site."""
    return tuple(role for role in Role if role is not Role.COURIER and right in RIGHTS[role])


def refused(staff: Staff, right: Right) -> Decision | None:
    """The refusal that says whom to ask; None when they may."""
    if may(staff.role, right):
        return None
    notice = StaffNotice(StaffNoticeKind.NOT_YOURS, right=right.value)
    return Decision((), (ShowStaff(notice), Sound(Signal.REFUSED)))
