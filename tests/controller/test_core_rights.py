"""Roles and rights at the desk (A-12): the tables are whole, deny by default, and a refusal says whom to ask."""

from __future__ import annotations

import pytest

from controller.core import rights
from controller.core.desk import CARDS
from controller.core.events import Button
from controller.core.model import Staff
from controller.core.notices import StaffNoticeKind
from controller.core.rights import Right
from tests.controller.virtual_site import LABEL_OF_PARCEL, VirtualSite, told
from wire.badges import CommandCard
from wire.ids import Label, Occupancy, Service
from wire.plan import Role


def test_every_button_is_for_everybody_or_needs_a_right_and_every_card_is_such_a_button() -> None:
    assert set(rights.NEEDS) | rights.FOR_EVERYBODY == set(Button)
    assert not set(rights.NEEDS) & rights.FOR_EVERYBODY
    assert set(CARDS) == set(CommandCard)
    assert {card.button for card in CARDS.values()} <= set(rights.NEEDS)


def test_every_role_is_in_the_table_and_every_right_is_somebodys() -> None:
    mediator = {"leave", "go_on", "look", "reopen", "hand_over", "assist", "practise", "help", "extend"}
    concierge = mediator | {"deposit", "arrange", "take_out", "retrieve", "alarms", "doors", "reconcile"}
    assert {str(role): {str(right) for right in mine} for role, mine in rights.RIGHTS.items()} == {
        "mediator": mediator,
        "concierge": concierge,
        "lead": concierge | {"vouch"},
        "courier": {"leave", "go_on", "deposit", "retrieve"},
    }
    assert set(rights.RIGHTS) == set(Role)
    assert all(Role.LEAD in rights.who_may(right) for right in Right)


@pytest.mark.parametrize("role", ["", "concierge ", "director"])
def test_a_role_that_is_not_known_may_only_leave(role: str) -> None:
    assert [right for right in Right if rights.may(role, right)] == [Right.LEAVE]


def test_a_courier_puts_in_and_takes_out_and_nobody_is_sent_to_one(site: VirtualSite) -> None:
    mine = {right for right in Right if rights.may(Role.COURIER, right)}
    assert mine == {Right.LEAVE, Right.GO_ON, Right.DEPOSIT, Right.RETRIEVE}
    assert all(Role.COURIER not in rights.who_may(right) for right in Right)


def test_a_mediator_helps_and_hands_over_but_takes_nothing_out_and_no_door_away() -> None:
    mine = {right for right in Right if rights.may(Role.MEDIATOR, right)}
    assert {Right.HELP, Right.HAND_OVER, Right.REOPEN, Right.LOOK} <= mine
    assert not mine & {Right.DEPOSIT, Right.TAKE_OUT, Right.DOORS, Right.ALARMS}


def test_a_refusal_names_what_was_asked_and_who_may() -> None:
    refusal = rights.refused(Staff("m", "mediator", "1.1"), Right.DOORS)
    assert refusal is not None
    assert refusal.facts == ()
    assert rights.who_may(Right.DOORS) == (Role.CONCIERGE, Role.LEAD)
    assert rights.refused(Staff("c", "concierge", "1.1"), Right.DOORS) is None


def test_what_a_mediator_may_not_do_changes_nothing(site: VirtualSite) -> None:
    parcel = site.stored()
    site.role = "mediator"
    site.publish_plan()
    site.sign_in()
    site.forget()
    for button in (Button.TAKE_OUT_OF_SERVICE, Button.REMOVE, Button.SIZE):
        site.press(button, "S", "1", parcel)
        assert told(site) is StaffNoticeKind.NOT_YOURS
    site.scan(LABEL_OF_PARCEL)
    assert told(site) is StaffNoticeKind.NOT_YOURS
    site.card(CommandCard.SIZE_S)
    assert site.state.live.last_size is None
    assert (site.kinds(), site.service("1"), site.occupancy("1")) == ([], Service.IN_SERVICE, Occupancy.OCCUPIED)


def test_a_mediator_looks_into_a_door_and_answers(site: VirtualSite) -> None:
    site.role = "mediator"
    site.publish_plan()
    site.sign_in()
    site.press(Button.CHECK, compartment=Label("1"))
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.card(CommandCard.EMPTY)
    assert told(site) is StaffNoticeKind.CHECKED


def test_somebody_of_an_unknown_role_signs_in_and_out_and_nothing_else(site: VirtualSite) -> None:
    site.role = "gardener"
    site.publish_plan()
    site.sign_in()
    site.press(Button.CHECK, compartment=Label("1"))
    assert told(site) is StaffNoticeKind.NOT_YOURS
    assert site.pulses() == []
    site.press(Button.SIGN_OUT)
    assert site.state.durable.staff is None
