"""Roles, rights and scopes: what is not allowed is refused."""

from __future__ import annotations

import pytest

from hub.core import permissions
from hub.core.permissions import RIGHTS, WHOLE_HUB, Right, Role, Scope, Visitor

MEDIATOR = {
    "own_account",
    "see_sites",
    "see_bank",
    "see_parcels",
    "see_alerts",
    "see_messages",
    "follow_events",
    "follow_parcels",
    "see_capacity",
    "reissue_slip",
    "print_slip",
    "print_names",
    "acknowledge_alert",
}
CONCIERGE = MEDIATOR | {"announce_parcel", "recall_parcel"}
SITE_LEAD = CONCIERGE | {"read_journal", "send_command", "open_door", "approve_opening"}
MAY: dict[str, set[str]] = {
    "mediator": MEDIATOR,
    "concierge": CONCIERGE,
    "site_lead": SITE_LEAD,
    "network_admin": SITE_LEAD | {"manage_sites", "manage_people", "read_audit", "manage_carriers"},
    "carrier": {
        "own_account",
        "see_sites",
        "see_parcels",
        "announce_parcel",
        "recall_parcel",
        "follow_parcels",
        "see_capacity",
    },
    "auditor": {
        "own_account",
        "see_sites",
        "see_bank",
        "see_parcels",
        "see_alerts",
        "see_messages",
        "follow_events",
        "follow_parcels",
        "see_capacity",
        "read_journal",
        "read_audit",
    },
}
"""The whole table, written out: who changes what a role may, says so here too. The words are kept in databases and tokens."""
TOKEN = {
    "see_sites",
    "see_bank",
    "read_journal",
    "manage_sites",
    "send_command",
    "see_parcels",
    "announce_parcel",
    "reissue_slip",
    "recall_parcel",
    "print_slip",
    "see_alerts",
    "acknowledge_alert",
    "see_messages",
    "follow_events",
    "read_audit",
    "follow_parcels",
    "see_capacity",
    "manage_webhooks",
}


def test_a_12_every_role_has_its_rights_and_an_unknown_one_has_none() -> None:
    assert {str(role): {str(right) for right in rights} for role, rights in RIGHTS.items()} == MAY
    for role, rights in MAY.items():
        assert {right.value for right in Right if permissions.may(role, right)} == rights
    for right in Right:
        assert not permissions.may("janitor", right)
        assert not permissions.may("admin", right)
        assert not permissions.may("", right)
    assert [text for text in (*MAY, "admin", "", "Auditor") if permissions.is_role(text)] == list(MAY)


def test_a_12_what_a_program_and_a_carriers_key_may_be_given_is_written_out() -> None:
    assert {str(right) for right in permissions.TOKEN_RIGHTS} == TOKEN
    assert {str(right) for right in permissions.NEEDS_SECOND_FACTOR} == {"open_door", "approve_opening"}
    assert {str(right) for right in permissions.FOR_PEOPLE_ONLY} == {right.value for right in Right} - TOKEN
    assert {str(right) for right in permissions.CARRIER_RIGHTS} == {
        "announce_parcel",
        "follow_parcels",
        "recall_parcel",
        "see_capacity",
        "manage_webhooks",
    }


def test_a_12_who_looks_changes_nothing_and_who_keeps_parcels_manages_nobody() -> None:
    changes = {
        Right.MANAGE_SITES, Right.SEND_COMMAND, Right.OPEN_DOOR, Right.APPROVE_OPENING, Right.ANNOUNCE_PARCEL,
        Right.REISSUE_SLIP, Right.RECALL_PARCEL, Right.PRINT_SLIP, Right.PRINT_NAMES, Right.ACKNOWLEDGE_ALERT,
        Right.MANAGE_PEOPLE,
    }  # fmt: skip
    assert not RIGHTS[Role.AUDITOR] & changes
    managers = [role for role in Role if permissions.may(role, Right.MANAGE_PEOPLE)]
    assert managers == [Role.NETWORK_ADMIN]
    openers = {role for role in Role if permissions.may(role, Right.OPEN_DOOR)}
    assert openers == {Role.SITE_LEAD, Role.NETWORK_ADMIN}


def test_a_12_a_door_is_opened_from_afar_by_people_with_a_second_factor_alone() -> None:
    lead = Visitor("lead", Role.SITE_LEAD, scope=Scope(1, frozenset({1})))
    assert lead.has(Right.OPEN_DOOR)
    assert not lead.may(Right.OPEN_DOOR)
    assert lead.may(Right.SEE_SITES)
    assert Visitor("lead", Role.SITE_LEAD, second_factor=True).may(Right.APPROVE_OPENING)
    owing = Visitor("lead", Role.SITE_LEAD, owes_second_factor=True)
    assert {right for right in Right if owing.may(right)} == {Right.OWN_ACCOUNT}
    assert not Visitor("mediator", Role.MEDIATOR, second_factor=True).may(Right.OPEN_DOOR)


def test_a_12_a_program_has_the_rights_of_its_token_and_never_a_persons() -> None:
    program = Visitor("robot", "", token_rights=frozenset(Right), second_factor=True)
    assert {right for right in Right if program.may(right)} == permissions.TOKEN_RIGHTS
    assert (program.person, program.signed_in) == (0, True), "no person's id"
    assert not permissions.TOKEN_RIGHTS & permissions.FOR_PEOPLE_ONLY
    assert not Visitor("robot", Role.NETWORK_ADMIN, token_rights=frozenset()).may(Right.SEE_SITES)


@pytest.mark.parametrize(
    ("scope", "inside"),
    [
        (WHOLE_HUB, {(1, 1), (1, 2), (2, 3)}),
        (Scope(1), {(1, 1), (1, 2)}),
        (Scope(1, frozenset({2, 3})), {(1, 2)}),
        (Scope(1, frozenset()), set()),
    ],
)
def test_a_17_a_scope_holds_its_association_and_its_sites(scope: Scope, inside: set[tuple[int, int]]) -> None:
    assert {place for place in ((1, 1), (1, 2), (2, 3)) if scope.holds_site(*place)} == inside


def test_a_12_a_carrier_sees_its_own_parcels_everywhere_and_nobody_elses() -> None:
    scope = permissions.scope_of("carrier", tenant=1, sites=frozenset(), carrier="La Poste")
    assert scope.holds_parcel(1, 7, "laposte")
    assert not scope.holds_parcel(1, 7, "Mondial Relay")
    assert not scope.holds_parcel(1, 7, "")
    assert not scope.holds_parcel(2, 7, "laposte")
    bound = permissions.scope_of("carrier", tenant=1, sites=frozenset({7}), carrier="La Poste")
    assert bound.holds_parcel(1, 7, "laposte")
    assert not bound.holds_parcel(1, 8, "laposte")
    assert Scope(1).holds_parcel(1, 7, "Mondial Relay"), "who is no carrier sees everybody's"
    assert permissions.bare_carrier(" La Poste, S.A. ") == "lapostesa", "as it is kept beside a parcel"
    partner = Scope(1, None, "laposte", 3)
    assert partner.holds_parcel(1, 7, "", 3)
    assert not partner.holds_parcel(1, 7, "laposte", 4)
    assert not partner.holds_parcel(1, 7, "laposte", None)
    nameless = permissions.scope_of("carrier", tenant=1, sites=frozenset(), carrier=" ")
    assert not nameless.holds_parcel(1, 7, "")
    assert not nameless.holds_parcel(1, 7, "laposte")


def test_a_12_only_admins_and_auditors_work_at_every_site() -> None:
    everywhere = {
        role for role in Role if permissions.scope_of(role, tenant=1, sites=frozenset(), carrier="x").holds_site(1, 9)
    }
    assert everywhere == {Role.NETWORK_ADMIN, Role.AUDITOR, Role.CARRIER}
    assert not permissions.scope_of("janitor", tenant=1, sites=frozenset(), carrier="").holds_site(1, 9)


def test_a_12_the_last_network_admin_stays() -> None:
    roles = {1: "network_admin", 2: "concierge"}
    assert not permissions.keeps_an_admin(roles, 1, "")
    assert not permissions.keeps_an_admin(roles, 1, "auditor")
    assert permissions.keeps_an_admin(roles, 2, "")
    assert permissions.keeps_an_admin({**roles, 3: "network_admin"}, 1, "")
