"""Customers in front of the bank: the C-rows of the journeys, on the real owner and core in virtual time."""

from __future__ import annotations

import pytest

from controller.core.events import Button
from controller.core.notices import NoticeKind
from controller.core.views import Screen
from tests.controller.virtual_site import LABEL_OF_PARCEL, VirtualSite
from wire.badges import CommandCard
from wire.ids import Door, Label, Occupancy, ParcelState, Service, parcel_id_from_bits
from wire.plan import Help

DISPUTE_MS = 900_000


@pytest.fixture
def site() -> VirtualSite:
    site = VirtualSite()
    site.forget()
    return site


def notice(site: VirtualSite) -> NoticeKind | None:
    shown = site.view().customer.notice
    return None if shown is None else shown.kind


def alarms(site: VirtualSite) -> list[tuple[str, str | None]]:
    return [(alarm.alarm, alarm.compartment) for alarm in site.view().alarms]


def calls(site: VirtualSite) -> list[str]:
    return [call.reason for call in site.state.durable.calls]


def test_c01_a_valid_slip_opens_once_and_the_parcel_counts_as_collected_after_the_dispute_window(
    site: VirtualSite,
) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    assert site.recorder.done == [("durable", ("opening_ordered",)), ("pulse", "1")]
    assert site.view().customer.screen is Screen.OPENING
    site.wait(500)
    site.open("1")
    assert site.view().customer.screen is Screen.TAKE
    site.wait(8_000)
    site.close("1")
    assert site.parcel(parcel).state is ParcelState.COLLECTING
    assert site.occupancy("1") is Occupancy.OCCUPIED
    assert notice(site) is NoticeKind.THANKS
    site.wait(DISPUTE_MS)
    assert site.state.durable.ended[parcel].state is ParcelState.COLLECTED
    assert site.occupancy("1") is Occupancy.FREE
    assert site.pulses() == ["1"]
    assert site.kinds() == ["opening_ordered", "door_opened", "door_closed", "parcel_taken", "parcel_collected"]


def test_c01_typed_digits_open_the_same_door(site: VirtualSite) -> None:
    parcel = site.stored()
    site.type(site.digits(parcel))
    assert site.pulses() == ["1"]


def test_c02_a_door_that_does_not_move_gets_a_second_and_a_third_pulse(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.wait(4_000)
    assert site.pulses() == ["1", "1"]
    assert site.view().customer.screen is Screen.PUSH_DOOR
    site.wait(4_000)
    assert site.pulses() == ["1", "1", "1"]
    site.open("1")
    site.wait(5_000)
    site.close("1")
    assert site.parcel(parcel).state is ParcelState.COLLECTING


def test_c03_a_door_that_never_opens_leaves_the_code_valid_and_calls_the_desk(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.wait(12_000)
    assert site.pulses() == ["1", "1", "1"]
    assert site.parcel(parcel).state is ParcelState.STORED
    assert site.service("1") is Service.SUSPECT
    assert notice(site) is NoticeKind.ASK_DESK
    assert calls(site) == ["door_failed"]
    assert alarms(site) == [("latch_failed", "1")]
    site.wait(60_000)
    site.scan(site.slip(parcel))
    assert site.pulses() == ["1"] * 4, "the code still opens"


def test_c03_a_door_helped_by_hand_after_the_last_pulse_is_no_break_in(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.wait(15_000)
    site.open("1")
    assert ("door_forced", "1") not in alarms(site)
    site.wait(3_000)
    site.close("1")
    assert site.parcel(parcel).state is ParcelState.COLLECTING


def test_c04_a_latch_driver_that_fails_burns_no_code(site: VirtualSite) -> None:
    parcel = site.stored()
    site.recorder.broken.add("1")
    site.scan(site.slip(parcel))
    assert site.kinds() == ["opening_ordered", "opening_failed", "service_set", "alarm_raised", "staff_called"]
    assert site.parcel(parcel).state is ParcelState.STORED
    site.recorder.broken.clear()
    site.wait(5_000)
    site.scan(site.slip(parcel))
    assert site.pulses() == ["1"]


def test_c05_a_door_closed_at_once_opens_again_in_the_same_session_and_is_counted(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    site.wait(1_000)
    site.close("1")
    assert notice(site) is NoticeKind.QUICK_CLOSE
    session = site.parcel(parcel).session
    for count in (1, 2, 3):
        site.wait(10_000)
        site.scan(site.slip(parcel))
        site.open("1")
        site.wait(1_000)
        site.close("1")
        assert (site.parcel(parcel).session, site.parcel(parcel).reopens) == (session, count)
    site.wait(10_000)
    site.scan(site.slip(parcel))
    assert site.pulses() == ["1"] * 4, "the fifth time staff decide"
    assert calls(site) == ["reopen_asked"]


def test_c05_a_door_closed_at_once_collects_nothing_and_staff_look_inside(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    site.wait(1_000)
    site.close("1")
    site.wait(3_600_000)
    assert "parcel_taken" not in site.kinds()
    assert site.parcel(parcel).state is ParcelState.STORED
    assert site.occupancy("1") is Occupancy.UNKNOWN
    site.scan(site.slip(parcel))
    assert calls(site) == ["reopen_asked"]
    site.sign_in()
    site.press(Button.CHECK, compartment="1")
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.card(CommandCard.NOT_EMPTY)
    site.press(Button.SIGN_OUT)
    site.wait(4_000)
    site.scan(site.slip(parcel))
    assert site.pulses() == ["1", "1", "1"], "the key is good again, because the parcel is known to be there"


def test_c05_the_second_opening_counts_as_a_collection_when_the_door_stood_open_long_enough(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    site.wait(1_000)
    site.close("1")
    site.wait(10_000)
    site.scan(site.slip(parcel))
    site.open("1")
    site.wait(6_000)
    site.close("1")
    site.wait(1_000_000)
    assert site.state.durable.ended[parcel].state is ParcelState.COLLECTED


def test_c06_between_grace_and_dispute_end_staff_decide(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    site.wait(5_000)
    site.close("1")
    site.wait(400_000)
    site.scan(site.slip(parcel))
    assert site.pulses() == ["1"]
    assert notice(site) is NoticeKind.ASK_DESK
    site.sign_in()
    site.press(Button.REOPEN, compartment="1")
    assert site.pulses() == ["1", "1"]
    assert calls(site) == []


def test_c07_a_door_left_open_nags_then_alarms_and_its_compartment_is_not_free(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    site.lamp.patterns.clear()
    site.wait(60_000)
    assert site.lamp.patterns == ["ticking"]
    site.wait(120_000)
    assert alarms(site) == [("door_left_open", "1")]
    site.close("1")
    assert alarms(site) == []
    site.wait(DISPUTE_MS)
    assert site.state.durable.ended[parcel].state is ParcelState.COLLECTED
    assert site.occupancy("1") is Occupancy.UNKNOWN


def test_c08_the_next_customer_is_served_while_a_door_stays_open(site: VirtualSite) -> None:
    first, second = site.stored(1), site.stored(2, "8N00234584109")
    site.scan(site.slip(first))
    site.open("1")
    site.wait(70_000)
    site.scan(site.slip(second))
    assert site.pulses() == ["1", "2"]


def test_c11_an_unknown_code_is_refused_neutrally_and_costs_an_attempt(site: VirtualSite) -> None:
    site.stored()
    site.type(site.digits(parcel_id_from_bits(99)))
    assert notice(site) is NoticeKind.REFUSED
    assert site.kinds() == ["attempt_failed"]
    assert site.pulses() == []


def test_c11_a_forged_slip_gets_the_same_refusal_and_costs_nothing(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel, key=bytes(32)))
    assert notice(site) is NoticeKind.REFUSED
    assert site.recorder.done == []


def test_c11_a_wrong_check_digit_costs_no_attempt(site: VirtualSite) -> None:
    digits = site.digits(site.stored())
    site.type(digits[:-1] + str((int(digits[-1]) + 1) % 10))
    assert notice(site) is NoticeKind.CHECK_DIGITS
    assert site.recorder.done == []


def test_c12_a_slip_of_another_site_names_that_site(site: VirtualSite) -> None:
    site.scan(site.slip(parcel_id_from_bits(5), number=8, key=bytes(32)))
    shown = site.view().customer.notice
    assert shown is not None
    assert (shown.kind, shown.site_name, shown.site_address) == (NoticeKind.WRONG_SITE, "Colombes", "2 rue du Port")
    assert site.recorder.done == []


def test_c14_a_parcel_not_loaded_yet_is_not_ready(site: VirtualSite) -> None:
    site.scan(site.slip(site.announce()))
    assert notice(site) is NoticeKind.NOT_READY


def test_c15_a_spent_code_says_when_and_never_opens(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    site.wait(5_000)
    site.close("1")
    site.wait(DISPUTE_MS)
    site.wait(5_000)
    site.scan(site.slip(parcel))
    assert notice(site) is NoticeKind.ALREADY_COLLECTED
    site.wait(11_000)
    site.type(site.digits(parcel))
    assert notice(site) is NoticeKind.ALREADY_COLLECTED
    site.restart()
    site.scan(site.slip(parcel))
    assert notice(site) is NoticeKind.ALREADY_COLLECTED
    assert site.pulses() == ["1"]


def test_c16_an_old_slip_is_refused_and_named_as_replaced(site: VirtualSite) -> None:
    parcel = site.stored()
    site.announce(version=2)
    site.scan(site.slip(parcel, version=1))
    assert notice(site) is NoticeKind.REPLACED
    site.type(site.digits(parcel, version=1))
    assert notice(site) is NoticeKind.REPLACED
    site.scan(site.slip(parcel, version=2))
    assert site.pulses() == ["1"]


def test_c16_a_newer_slip_than_the_plan_supersedes_it(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel, version=3))
    assert site.kinds() == ["key_replaced", "opening_ordered"]
    site.open("1")
    site.wait(4_000)
    site.close("1")
    site.wait(4_000)
    site.scan(site.slip(parcel, version=1))
    assert notice(site) is NoticeKind.REPLACED


def test_c17_an_empty_bucket_makes_typed_codes_wait_and_a_valid_slip_still_opens(site: VirtualSite) -> None:
    parcel = site.stored()
    for _ in range(8):
        site.type(site.digits(parcel_id_from_bits(99)))
    site.type(site.digits(parcel))
    assert notice(site) is NoticeKind.WAIT_TO_TYPE
    assert site.view().typed_wait_ms == 900_000
    site.restart()
    assert site.view().typed_wait_ms == 900_000, "a restart refills nothing"
    site.scan(site.slip(parcel))
    assert site.pulses() == ["1"]


def test_c21_power_cut_between_pulse_and_door_leaves_the_code_valid_and_frees_nothing(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.restart()
    assert site.parcel(parcel).state is ParcelState.STORED
    assert site.occupancy("1") is Occupancy.OCCUPIED
    assert "opening_resolved" in site.kinds()
    site.wait(2_000)
    site.scan(site.slip(parcel))
    assert site.pulses() == ["1", "1"]


def test_c22_power_cut_while_the_door_is_open_alarms_at_boot_and_the_compartment_is_unknown(
    site: VirtualSite,
) -> None:
    """Whoever leaves their parcel in the dark can tell nobody: it is not called taken, and its key opens again."""
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    site.restart()
    assert alarms(site) == [("open_at_boot", "1")]
    assert site.occupancy("1") is Occupancy.UNKNOWN
    site.wait(10_000)
    site.close("1")
    assert not alarms(site)
    assert notice(site) is NoticeKind.QUICK_CLOSE
    site.wait(DISPUTE_MS)
    assert site.parcel(parcel).state is ParcelState.STORED
    assert site.occupancy("1") is Occupancy.UNKNOWN, "nobody has looked inside"
    site.scan(site.slip(parcel))
    assert site.pulses() == ["1"], "the grace is over: staff look first"
    site.sign_in()
    site.press(Button.CHECK, compartment="1")
    site.open("1")
    site.close("1")
    site.card(CommandCard.NOT_EMPTY)
    site.wait(2_000)
    site.scan(site.slip(parcel))
    assert site.pulses() == ["1", "1", "1"]


def test_c22_a_parcel_taken_in_the_dark_is_collected_once_staff_have_seen_it_gone(site: VirtualSite) -> None:
    """The door moved while the site was off: nobody even saw it open."""
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.doors[Label("1")] = Door.OPEN
    site.restart()
    site.wait(10_000)
    site.close("1")
    assert site.parcel(parcel).uncertain
    site.sign_in()
    site.press(Button.CHECK, compartment="1")
    site.open("1")
    site.close("1")
    site.card(CommandCard.EMPTY)
    assert site.state.durable.ended[parcel].state is ParcelState.COLLECTED
    assert site.occupancy("1") is Occupancy.FREE


def test_c22_a_door_shut_right_after_the_restart_has_taken_nothing(site: VirtualSite) -> None:
    """It may have stood open for a moment only: the parcel is not called taken, and its key opens again."""
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    site.restart()
    site.wait(1_500)
    site.close("1")
    assert site.parcel(parcel).state is ParcelState.STORED
    assert site.occupancy("1") is Occupancy.UNKNOWN
    site.wait(10_000)
    assert not site.state.durable.ended
    site.scan(site.slip(parcel))
    assert site.pulses() == ["1", "1"]


def test_c22_a_door_closed_during_the_cut_leaves_the_code_valid_for_a_while(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    site.doors[Label("1")] = Door.CLOSED
    site.restart()
    assert site.occupancy("1") is Occupancy.UNKNOWN
    assert site.parcel(parcel).uncertain
    site.wait(2_000)
    site.scan(site.slip(parcel))
    assert site.pulses() == ["1", "1"]


def test_c23_the_same_slip_five_times_in_three_seconds_is_one_session_and_one_pulse(site: VirtualSite) -> None:
    parcel = site.stored()
    for _ in range(5):
        site.scan(site.slip(parcel))
        site.wait(600)
    assert site.pulses() == ["1"]
    assert site.kinds() == ["opening_ordered"]


def test_c24_two_slips_in_view_are_served_one_after_the_other(site: VirtualSite) -> None:
    first, second = site.stored(1), site.stored(2, "8N00234584109")
    site.scan(site.slip(first))
    site.scan(site.slip(second))
    assert site.pulses() == ["1"]
    site.open("1")
    site.wait(3_000)
    site.close("1")
    assert site.pulses() == ["1", "2"]


def test_c26_a_parcel_on_the_shelf_is_at_the_desk_and_staff_see_it(site: VirtualSite) -> None:
    parcel = site.announce(size=None)
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.press(Button.SHELF)
    site.press(Button.DONE)
    site.scan(site.slip(parcel))
    assert notice(site) is NoticeKind.AT_DESK
    assert calls(site) == ["at_desk"]
    site.press(Button.HAND_OVER, parcel=parcel)
    assert site.state.durable.ended[parcel].state is ParcelState.COLLECTED
    assert calls(site) == []


def test_c34_a_carrier_label_or_a_web_address_is_answered_kindly_and_not_counted(site: VirtualSite) -> None:
    for text in ("RR473124829FR", "https://example.org/win"):
        site.scan(text)
        assert notice(site) is NoticeKind.USE_SLIP
    assert "attempt_failed" not in site.kinds()


def test_a_door_that_opens_without_a_cause_is_an_alarm_at_once_and_its_compartment_unknown(
    site: VirtualSite,
) -> None:
    site.open("4")
    assert alarms(site) == [("door_forced", "4")]
    assert site.occupancy("4") is Occupancy.UNKNOWN


def test_a_sensor_that_reads_open_for_ever_does_not_imprison_the_parcel(site: VirtualSite) -> None:
    parcel = site.stored()
    site.open("1")
    site.scan(site.slip(parcel))
    assert site.pulses() == ["1"]
    site.wait(4_000)
    assert site.service("1") is Service.SUSPECT
    assert parcel in site.state.durable.parcels


def test_d11_a_clock_that_jumps_a_day_ends_nothing(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    site.wait(4_000)
    site.close("1")
    for jump in (86_400_000, -2 * 86_400_000):
        site.clock.wall_ms += jump
        site.runner.advance()
        assert site.parcel(parcel).state is ParcelState.COLLECTING


def test_d11_a_restart_never_shortens_the_dispute_window(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    site.wait(4_000)
    site.close("1")
    site.wait(DISPUTE_MS - 1_000)
    site.clock.wall_ms += 86_400_000
    site.restart()
    site.wait(DISPUTE_MS - 1_000)
    assert site.parcel(parcel).state is ParcelState.COLLECTING
    site.wait(1_000)
    assert parcel in site.state.durable.ended


def test_a_compartment_found_empty_during_the_dispute_window_is_never_opened_by_its_old_slip_again(
    site: VirtualSite,
) -> None:
    """Found by the simulator: the next parcel went in, and the old slip, within its grace, opened that door."""
    first = site.stored(1)
    site.scan(site.slip(first))
    site.open("1")
    site.wait(4_000)
    site.close("1")
    site.sign_in()
    site.press(Button.CHECK, compartment="1")
    site.wait(2_000)
    site.press(Button.CHECK, compartment="1")
    site.open("1")
    site.wait(2_000)
    site.close("1")
    site.press(Button.EMPTY)
    assert site.state.durable.ended[first].state is ParcelState.COLLECTED
    site.press(Button.SIGN_OUT)
    site.wait(4_000)
    second = site.stored(2, "8N00234584109")
    assert site.parcel(second).place is not None
    site.scan(site.slip(first))
    assert site.pulses() == []
    assert notice(site) is NoticeKind.ALREADY_COLLECTED


def test_while_staff_are_at_a_door_its_key_sends_to_them(site: VirtualSite) -> None:
    """They look inside, or have the parcel in their hands: opening it for somebody else now would book what nobody took."""
    parcel = site.stored()
    site.sign_in()
    site.press(Button.CHECK, compartment="1")
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.wait(2_000)
    site.forget()
    site.scan(site.slip(parcel))
    shown = site.view().customer.notice
    assert shown is not None
    assert shown.kind is NoticeKind.ASK_DESK
    assert site.pulses() == []
    site.press(Button.NOT_EMPTY)
    site.wait(11_000)
    site.scan(site.slip(parcel))
    assert site.pulses() == ["1"]


@pytest.mark.parametrize(("help_", "ticks"), [(Help.BLIND, True), (Help.DEAF, False), (Help.STANDARD, False)])
def test_c_29_the_open_door_ticks_for_who_does_not_see_it_and_is_silent_once_shut(
    site: VirtualSite, help_: Help, *, ticks: bool
) -> None:
    parcel = site.stored(help=help_)
    site.scan(site.slip(parcel))
    site.open("1")
    assert (site.lamp.patterns[-1] == "ticking") is ticks
    assert site.view().customer.help is help_
    site.wait(5_000)
    site.close("1")
    assert site.lamp.patterns[-1] == "ok"
    assert site.view().customer.help is help_, "the thanks are said to the same person"


def test_c_29_staff_who_are_called_read_how_to_speak_with_who_comes(site: VirtualSite) -> None:
    parcel = site.stored(help=Help.DEAF)
    site.sign_in()
    site.press(Button.CALL_DESK)
    site.scan(site.slip(parcel))
    site.open("1")
    site.wait(3_000)
    site.press(Button.DAMAGED, compartment="1")
    assert [call.help for call in site.view().staff.calls] == [Help.STANDARD, Help.DEAF]
