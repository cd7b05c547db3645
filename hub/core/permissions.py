"""Who may do what at the hub, and within which bounds (A-12, A-17, I-31).

Owns the roles, the rights and the one table of both, and what a scope holds. Deny by default: what is not in the table is
refused, a role this version does not know may nothing, and a site of another association does not exist. Refuses to know
routes, tables and how somebody proved who they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What somebody is at the hub."""

    MEDIATOR = "mediator"
    CONCIERGE = "concierge"
    SITE_LEAD = "site_lead"
    NETWORK_ADMIN = "network_admin"
    CARRIER = "carrier"
    AUDITOR = "auditor"


class Right(StrEnum):
    """What can be allowed. Every route of the hub asks for exactly one."""

    OWN_ACCOUNT = "own_account"
    """Look after one's own sessions and second factor."""
    SEE_SITES = "see_sites"
    SEE_BANK = "see_bank"
    """A site's compartments and which parcel lies in each."""
    READ_JOURNAL = "read_journal"
    """A site's facts, verbatim."""
    MANAGE_SITES = "manage_sites"
    SEND_COMMAND = "send_command"
    """A command that moves nothing: who are you, say everything again."""
    OPEN_DOOR = "open_door"
    """Ask that a door be opened from afar (A-03)."""
    APPROVE_OPENING = "approve_opening"
    """Be the second person of an opening from afar (I-30). Never of one's own."""
    SEE_PARCELS = "see_parcels"
    ANNOUNCE_PARCEL = "announce_parcel"
    REISSUE_SLIP = "reissue_slip"
    RECALL_PARCEL = "recall_parcel"
    PRINT_SLIP = "print_slip"
    """See a slip: whoever sees it holds a key."""
    PRINT_NAMES = "print_names"
    """A paper with names of recipients: it leaves the hub, and nobody sees who reads it."""
    SEE_ALERTS = "see_alerts"
    ACKNOWLEDGE_ALERT = "acknowledge_alert"
    SEE_MESSAGES = "see_messages"
    FOLLOW_EVENTS = "follow_events"
    MANAGE_PEOPLE = "manage_people"
    READ_AUDIT = "read_audit"
    FOLLOW_PARCELS = "follow_parcels"
    """What becomes of parcels, in a carrier's words: states and times, and nobody's name."""
    SEE_CAPACITY = "see_capacity"
    """How many compartments of each size are free at a site."""
    MANAGE_WEBHOOKS = "manage_webhooks"
    """Say where the events of one's own parcels are sent."""
    MANAGE_CARRIERS = "manage_carriers"
    """Let carriers in: their keys, and what could not be delivered to them."""


NEEDS_SECOND_FACTOR: Final = frozenset({Right.OPEN_DOOR, Right.APPROVE_OPENING})
"""A stolen password must open no door."""

FOR_PEOPLE_ONLY: Final = NEEDS_SECOND_FACTOR | {
    Right.PRINT_NAMES,
    Right.OWN_ACCOUNT,
    Right.MANAGE_PEOPLE,
    Right.MANAGE_CARRIERS,
}
"""Never given to a program: it has no second factor, and nobody to ask."""

TOKEN_RIGHTS: Final = frozenset(Right) - FOR_PEOPLE_ONLY
"""What a program's token may be given, right by right."""

CARRIER_RIGHTS: Final = frozenset(
    {Right.ANNOUNCE_PARCEL, Right.FOLLOW_PARCELS, Right.RECALL_PARCEL, Right.SEE_CAPACITY, Right.MANAGE_WEBHOOKS}
)
"""What the key of a carrier may be given. None of them shows a recipient, a door or a slip."""

_LOOKS: Final = frozenset(
    {
        Right.OWN_ACCOUNT,
        Right.SEE_SITES,
        Right.SEE_BANK,
        Right.SEE_PARCELS,
        Right.SEE_ALERTS,
        Right.SEE_MESSAGES,
        Right.FOLLOW_EVENTS,
        Right.FOLLOW_PARCELS,
        Right.SEE_CAPACITY,
    }
)
_MEDIATES: Final = _LOOKS | {Right.REISSUE_SLIP, Right.PRINT_SLIP, Right.PRINT_NAMES, Right.ACKNOWLEDGE_ALERT}
_KEEPS: Final = _MEDIATES | {Right.ANNOUNCE_PARCEL, Right.RECALL_PARCEL}
_LEADS: Final = _KEEPS | {Right.READ_JOURNAL, Right.SEND_COMMAND, Right.OPEN_DOOR, Right.APPROVE_OPENING}

RIGHTS: Final[Mapping[Role, frozenset[Right]]] = {
    Role.MEDIATOR: _MEDIATES,
    Role.CONCIERGE: _KEEPS,
    Role.SITE_LEAD: _LEADS,
    Role.NETWORK_ADMIN: _LEADS | {Right.MANAGE_SITES, Right.MANAGE_PEOPLE, Right.READ_AUDIT, Right.MANAGE_CARRIERS},
    Role.CARRIER: frozenset(
        {
            Right.OWN_ACCOUNT,
            Right.SEE_SITES,
            Right.SEE_PARCELS,
            Right.ANNOUNCE_PARCEL,
            Right.RECALL_PARCEL,
            Right.FOLLOW_PARCELS,
            Right.SEE_CAPACITY,
        }
    ),
    # Reads everything that was done and changes nothing; not a slip, which is a key.
    Role.AUDITOR: _LOOKS | {Right.READ_JOURNAL, Right.READ_AUDIT},
}

WHOLE_ASSOCIATION: Final = frozenset({Role.NETWORK_ADMIN, Role.AUDITOR})
"""Roles that are not bound to named sites."""


def may(role: str, right: Right) -> bool:
    """Whether a role has a right; one that nobody knows has none."""
    return right in RIGHTS.get(role, frozenset())  # type: ignore[call-overload]  # a StrEnum is found by its text


def is_role(text: str) -> bool:
    """Whether this version knows a role of that name."""
    return any(role.value == text for role in Role)


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of the hub somebody works in. Everything outside does not exist for them."""

    tenant: int | None
    """Number of the association; None is the machine itself, its command line and its own threads."""
    sites: frozenset[int] | None = None
    """Numbers of the sites; None is every site of the association."""
    carrier: str = ""
    """Whose parcels, by `bare_carrier`; empty is everybody's."""
    partner: int = 0
    """Of a carrier's key: only the parcels which that carrier announced, whatever name stands on others; 0 for all others."""

    def holds_site(self, tenant: int, number: int) -> bool:
        """Whether site `number` of association `tenant` is inside."""
        if self.tenant is None:
            return True
        return tenant == self.tenant and (self.sites is None or number in self.sites)

    def holds_parcel(self, tenant: int, number: int, carrier: str, partner: int | None = None) -> bool:
        """Whether a parcel of this carrier at that site, announced by `partner`, is inside."""
        if not self.holds_site(tenant, number):
            return False
        return partner == self.partner if self.partner else self.carrier in {"", bare_carrier(carrier)}


WHOLE_HUB: Final = Scope(None)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody, or a program, at the hub: who they are, what they may do and where."""

    name: str
    role: str
    signed_in: bool = True
    """False where the hub lets everybody on this machine in."""
    scope: Scope = WHOLE_HUB
    token_rights: frozenset[Right] | None = None
    """Of a program; a person's rights are their role's."""
    second_factor: bool = False
    """Whether this session showed its second factor."""
    person: int = 0
    """Id of the person; 0 for a program and for the machine."""
    owes_second_factor: bool = False
    """They have a second factor, and this session has not shown it: a stolen password alone sees nothing."""

    def has(self, right: Right) -> bool:
        """Whether the right is theirs, a second factor given or not."""
        if self.token_rights is not None:
            return right in self.token_rights & TOKEN_RIGHTS
        return may(self.role, right)

    def may(self, right: Right) -> bool:
        """Whether they may now."""
        if self.owes_second_factor and right is not Right.OWN_ACCOUNT:
            return False
        return self.has(right) and (self.second_factor or right not in NEEDS_SECOND_FACTOR)


def bare_carrier(carrier: str) -> str:
    """A carrier's name for comparing: *La Poste* and *laposte* are one."""
    return "".join(letter for letter in carrier.casefold() if letter.isalnum())


def scope_of(role: str, *, tenant: int, sites: frozenset[int], carrier: str) -> Scope:
    """Where somebody of a role works: named sites, unless the role is for the whole association.

    A carrier works at every site, with their own parcels; one without a name would match everybody's, and matches none.
    """
    if role in WHOLE_ASSOCIATION:
        return Scope(tenant)
    if role == Role.CARRIER:
        return Scope(tenant, sites or None, bare_carrier(carrier) or "\x00")
    return Scope(tenant, sites)


def keeps_an_admin(roles: Mapping[int, str], person: int, new_role: str) -> bool:
    """Whether an association still has a network admin when `person` becomes `new_role` (empty: they leave)."""
    return any(role == Role.NETWORK_ADMIN for role in ({**roles, person: new_role}).values())
