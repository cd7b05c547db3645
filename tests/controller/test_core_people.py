"""PINs, badges past their end, and staff who fall silent (S-17, S-18), on the real owner and core in virtual time."""

from __future__ import annotations

import pytest

from controller.core.effects import KnowBadge
from controller.core.events import AssistAsked, Button, PinTyped, Pressed
from controller.core.model import Step
from controller.core.notices import StaffNoticeKind
from controller.core.views import Screen
from tests.controller.virtual_site import BADGE, LABEL_OF_PARCEL, VirtualSite, told
from wire import facts as f
from wire.badges import CommandCard, badge_digest, badge_text
from wire.ids import IdentityCheck, Label, Motive, ParcelId, ParcelState, Trust
from wire.plan import Person, Settings

PIN = "4071"
LEAD_BADGE = badge_text(77)
HOUR_MS = 3_600_000
LEAD = Person(id="lena", role="lead", badge=badge_digest(LEAD_BADGE))


def signed_in(site: VirtualSite) -> str:
    staff = site.state.durable.staff
    return "" if staff is None else staff.person


def with_pin(site: VirtualSite, **fields: object) -> ParcelId:
    """A parcel behind door 1, and Amina signed in with a badge that has a PIN."""
    parcel = site.stored()
    site.pin = PIN
    site.settings = Settings(**fields)  # type: ignore[arg-type]
    site.publish_plan()
    site.sign_in()
    site.forget()
    return parcel


# ---------------------------------------------------------------------------------------------------------------- PIN


@pytest.mark.parametrize("button", [Button.CHECK, Button.REMOVE, Button.REOPEN])
def test_a_door_that_may_hold_a_parcel_opens_for_staff_after_their_pin_and_then_without(
    site: VirtualSite, button: Button
) -> None:
    parcel = with_pin(site)
    site.press(button, "", "1", parcel)
    assert (site.pulses(), site.view().staff.pin_asked) == ([], True)
    site.give_pin(PIN)
    assert (site.pulses(), site.view().staff.pin_asked) == (["1"], False)
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.card(CommandCard.NOT_EMPTY)
    site.wait(2_000)
    site.press(Button.CHECK, compartment="1")
    assert site.pulses() == ["1", "1"], "once for a session"


def test_a_door_known_to_be_empty_and_the_shelf_need_no_pin(site: VirtualSite) -> None:
    with_pin(site)
    site.press(Button.CHECK, compartment="2")
    assert site.pulses() == ["2"]


def test_what_lies_on_the_shelf_is_taken_out_without_a_pin(site: VirtualSite) -> None:
    site.pin = PIN
    parcel = site.announce(size=None)
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.press(Button.SHELF)
    site.press(Button.DONE)
    site.press(Button.REMOVE, parcel=parcel)
    assert parcel in site.state.durable.ended


def test_a_wrong_pin_opens_nothing_is_counted_and_waits_for_measured_time(site: VirtualSite) -> None:
    with_pin(site)
    site.press(Button.CHECK, compartment="1")
    for number in range(5):
        assert told(site) is not StaffNoticeKind.PIN_WAIT, number
        site.give_pin("0000")
    assert (site.pulses(), told(site)) == ([], StaffNoticeKind.PIN_WAIT)
    assert site.view().staff.pin_wait_ms == HOUR_MS // 2
    site.give_pin(PIN)
    assert (site.pulses(), site.kinds()) == ([], ["pin_refused"] * 5), "the right one is not even compared"
    site.restart()
    site.sign_in()
    site.forget()
    site.press(Button.CHECK, compartment="1")
    site.give_pin(PIN)
    assert site.pulses() == [], "a restart gives no try back"
    site.press(Button.CANCEL)
    assert not site.view().staff.pin_asked
    site.wait(HOUR_MS // 2)
    site.sign_in()
    site.press(Button.CHECK, compartment="1")
    site.give_pin(PIN)
    assert site.pulses() == ["1"]


def test_no_fact_and_no_picture_holds_a_badge_or_a_pin(site: VirtualSite) -> None:
    with_pin(site)
    site.press(Button.CHECK, compartment="1")
    site.give_pin("5555")
    site.give_pin(PIN)
    told_of = repr((site.recorder.facts, site.view(), site.state, PinTyped(PIN), KnowBadge(BADGE)))
    assert BADGE not in told_of
    assert "5555" not in told_of


def test_the_session_ends_and_the_pin_is_asked_again(site: VirtualSite) -> None:
    with_pin(site)
    site.press(Button.CHECK, compartment="1")
    site.wait(95_000)
    assert (signed_in(site), site.view().staff.pin_asked, site.state.live.badge) == ("", False, "")
    site.give_pin(PIN)
    assert told(site) is StaffNoticeKind.SIGN_IN_FIRST
    site.sign_in()
    site.give_pin(PIN)
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO
    site.press(Button.CHECK, compartment="1")
    assert site.view().staff.pin_asked


def test_without_a_pin_in_the_roster_nobody_is_locked_out_unless_the_site_demands_it(site: VirtualSite) -> None:
    site.stored()
    site.sign_in()
    site.press(Button.CHECK, compartment="1")
    assert site.state.live.task is not None
    strict = VirtualSite(Settings(pin_required=True))
    strict.stored()
    strict.sign_in()
    strict.press(Button.CHECK, compartment="1")
    assert (told(strict), strict.state.live.task) == (StaffNoticeKind.NO_PIN, None)


def test_a_pin_taken_off_the_roster_while_it_was_asked_for_is_right_no_more(site: VirtualSite) -> None:
    with_pin(site)
    site.press(Button.CHECK, compartment="1")
    site.pin = ""
    site.publish_plan()
    site.give_pin(PIN)
    assert (site.pulses(), told(site)) == ([], StaffNoticeKind.PIN_WRONG)


# -------------------------------------------------------------------------------------------------------------- badges


def expired(site: VirtualSite) -> None:
    site.valid_until_ms = site.clock.wall_ms - 1
    site.others = (LEAD,)
    site.publish_plan()
    site.forget()


def test_s17_a_badge_past_its_end_is_refused_and_written_down(site: VirtualSite) -> None:
    expired(site)
    site.sign_in()
    assert (signed_in(site), told(site), site.kinds()) == ("", StaffNoticeKind.BADGE_EXPIRED, ["badge_refused"])
    assert site.recorder.facts[-1] == f.BadgeRefused(reason="expired", person="amina")


@pytest.mark.parametrize("trust", [Trust.UNSET, Trust.FLOOR])
def test_s17_a_clock_nobody_trusts_ends_no_badge(site: VirtualSite, trust: Trust) -> None:
    expired(site)
    site.clock.trust = trust
    site.sign_in()
    assert signed_in(site) == "amina"


def test_s17_an_unknown_badge_is_written_down_but_not_a_hundred_times(site: VirtualSite) -> None:
    site.forget()
    for number in range(20):
        site.scan(badge_text(1_000 + number))
        site.wait(1_000)
    assert (told(site), site.kinds()) == (StaffNoticeKind.BADGE_UNKNOWN, ["badge_refused"])
    site.wait(60_000)
    site.scan(badge_text(1))
    assert site.kinds() == ["badge_refused"] * 2


def test_s17_a_lead_answers_for_a_badge_past_its_end_and_that_is_a_fact(site: VirtualSite) -> None:
    expired(site)
    site.sign_in()
    site.wait(5_000)
    site.scan(LEAD_BADGE)
    assert (signed_in(site), site.kinds()) == ("amina", ["badge_refused", "badge_vouched", "staff_signed_in"])
    site.wait(5_000)
    site.scan(LEAD_BADGE)
    assert signed_in(site) == "lena", "answered for once, not for ever"


def test_s17_a_lead_who_comes_later_or_a_colleague_signs_in_as_themselves(site: VirtualSite) -> None:
    expired(site)
    site.sign_in()
    site.wait(60_000)
    site.scan(LEAD_BADGE)
    assert signed_in(site) == "lena"
    site.others = (Person(id="carl", role="concierge", badge=badge_digest(badge_text(3))),)
    site.publish_plan()
    site.sign_in()
    site.scan(badge_text(3))
    assert signed_in(site) == "carl"


def test_s17_nobody_answers_for_somebody_who_left_the_roster_meanwhile(site: VirtualSite) -> None:
    site.others = (LEAD, Person(id="olga", role="concierge", badge=badge_digest(badge_text(5)), valid_until_ms=1))
    site.publish_plan()
    site.scan(badge_text(5))
    site.others = (LEAD,)
    site.publish_plan()
    site.scan(LEAD_BADGE)
    assert signed_in(site) == "lena"


# ------------------------------------------------------------------------------------------------------------- silence


def test_s18_staff_who_fall_silent_with_a_door_open_are_an_alarm_and_stay_signed_in(site: VirtualSite) -> None:
    site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.open("1")
    site.wait(89_000)
    assert site.state.durable.alarms == {}
    site.wait(1_000)
    assert list(site.state.durable.alarms) == ["door_left_open/1"]
    site.wait(600_000)
    assert signed_in(site) == "amina"
    site.close("1")
    assert site.state.durable.alarms == {}


def test_s18_a_press_shows_that_they_are_there_but_a_door_open_too_long_is_an_alarm_anyway(site: VirtualSite) -> None:
    parcel = site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.open("1")
    for _ in range(2):
        site.wait(80_000)
        site.press(Button.BIGGER)
        assert site.state.durable.alarms == {}
    site.wait(20_000)
    assert list(site.state.durable.alarms) == ["door_left_open/1"]
    task = site.state.live.task
    assert task is not None
    assert (task.step, site.parcel(parcel).state) == (Step.TAKE_BACK, ParcelState.RECEIVED)


def test_a_press_that_waits_is_the_event_itself(site: VirtualSite) -> None:
    with_pin(site)
    site.press(Button.CHECK, compartment="1")
    assert site.state.live.pin_for == Pressed(Button.CHECK, compartment=Label("1"))


# ------------------------------------------------------------------------------------------------------------ assisted


def assist(site: VirtualSite, parcel: ParcelId, *, present: bool = True) -> None:
    site.runner.feed(AssistAsked(parcel, Motive.CANNOT_READ, IdentityCheck.KNOWN, present))


def helper(site: VirtualSite) -> ParcelId:
    """A parcel behind door 1, its recipient at the desk, and a mediator signed in."""
    parcel = site.stored()
    site.role = "mediator"
    site.publish_plan()
    site.press(Button.CALL_DESK)
    site.sign_in()
    site.forget()
    return parcel


def test_m05_a_mediator_opens_for_somebody_and_it_is_told_as_help_and_then_as_an_ordinary_collection(
    site: VirtualSite,
) -> None:
    parcel = helper(site)
    assist(site, parcel)
    assert (site.pulses(), told(site)) == (["1"], StaffNoticeKind.ASSISTED)
    helped = next(fact for fact in site.recorder.facts if isinstance(fact, f.CollectionAssisted))
    assert (helped.by, helped.motive, helped.identity, helped.present) == ("amina", "cannot_read", "known", True)
    assert site.view().customer.screen is Screen.OPENING
    site.open("1")
    site.wait(70_000)
    assert site.view().customer.screen is Screen.TAKE, "twice the time"
    site.wait(50_001)
    assert site.view().customer.screen is Screen.CLOSE_DOOR
    site.close("1")
    assert site.parcel(parcel).state is ParcelState.COLLECTING
    site.wait(900_000)
    assert site.state.durable.ended[parcel].state is ParcelState.COLLECTED
    assert site.kinds().count("collection_assisted") == 1


def test_m05_until_the_double_time_is_over_nothing_ticks(site: VirtualSite) -> None:
    parcel = helper(site)
    assist(site, parcel)
    site.open("1")
    site.lamp.patterns.clear()
    site.wait(119_000)
    assert site.lamp.patterns == []
    site.wait(2_000)
    assert site.lamp.patterns == ["ticking"]


def test_m05_from_the_shelf_it_is_handed_over_and_told_as_help(site: VirtualSite) -> None:
    parcel = site.announce(size=None)
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.press(Button.SHELF)
    site.press(Button.DONE)
    site.scan(site.slip(parcel))
    site.forget()
    assist(site, parcel, present=False)
    assert site.kinds() == ["collection_assisted", "parcel_collected", "staff_answered"]
    assert [fact.by for fact in site.recorder.facts if isinstance(fact, f.ParcelCollected)] == ["amina"]
    assert (site.pulses(), told(site)) == ([], StaffNoticeKind.HANDED_OVER)


def test_m05_the_call_that_asked_for_it_is_answered(site: VirtualSite) -> None:
    parcel = helper(site)
    site.press(Button.DISPUTE, parcel=parcel)
    assist(site, parcel)
    assert [call.reason for call in site.state.durable.calls] == ["help"]


def test_m05_the_pin_is_asked_for_first(site: VirtualSite) -> None:
    parcel = with_pin(site)
    assist(site, parcel)
    assert (site.pulses(), site.view().staff.pin_asked) == ([], True)
    site.give_pin(PIN)
    assert site.pulses() == ["1"]
    assert "collection_assisted" in site.kinds()


def test_m05_nobody_signed_in_or_a_courier_opens_for_nobody(site: VirtualSite) -> None:
    parcel = site.stored()
    assist(site, parcel)
    assert told(site) is StaffNoticeKind.SIGN_IN_FIRST
    site.role = "courier"
    site.publish_plan()
    site.sign_in()
    assist(site, parcel)
    assert (told(site), site.pulses()) == (StaffNoticeKind.NOT_YOURS, [])


def test_m05_what_is_not_there_opens_nothing(site: VirtualSite) -> None:
    announced = site.announce()
    site.sign_in()
    site.forget()
    for parcel in (announced, ParcelId("0000000000009")):
        assist(site, parcel)
        assert (told(site), site.kinds()) == (StaffNoticeKind.NOTHING_TO_DO, [])


def test_m05_with_a_door_open_or_something_in_hand_it_waits(site: VirtualSite) -> None:
    parcel = helper(site)
    site.press(Button.CHECK, compartment="2")
    site.forget()
    assist(site, parcel)
    assert (told(site), site.kinds()) == (StaffNoticeKind.FINISH_FIRST, [])
    site.open("2")
    site.wait(3_000)
    site.close("2")
    site.card(CommandCard.EMPTY)
    site.scan(site.slip(parcel))
    site.open("1")
    site.forget()
    site.wait(1_000)
    assist(site, parcel)
    assert (told(site), site.kinds()) == (StaffNoticeKind.CLOSE_DOOR_FIRST, [])


def test_m05_behind_a_door_that_is_in_doubt_somebody_looks_first(site: VirtualSite) -> None:
    parcel = helper(site)
    site.ack(1, 10_000)
    site.forget()
    assist(site, parcel)
    assert (told(site), site.pulses()) == (StaffNoticeKind.LOOK_FIRST, [])


def test_m05_what_nobody_could_read_is_opened_for_nobody(site: VirtualSite) -> None:
    parcel = site.announce(size=None)
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.press(Button.UNIDENTIFIED)
    site.press(Button.DONE)
    assert site.parcel(parcel).unidentified
    site.forget()
    assist(site, parcel)
    assert (told(site), site.kinds()) == (StaffNoticeKind.IDENTIFY_FIRST, [])
