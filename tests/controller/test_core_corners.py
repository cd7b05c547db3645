"""The rarer answers of the core: inputs nobody expected now, people who press what does not apply, links that come and go."""

from __future__ import annotations

import pytest

from controller.core import events as e
from controller.core.doors import FORCED
from controller.core.events import Button
from controller.core.evolve import evolve
from controller.core.model import Step
from controller.core.notices import NoticeKind, StaffNoticeKind
from controller.core.views import Screen
from tests.controller.virtual_site import LABEL_OF_PARCEL, SITE_KEY, WALL_MS, VirtualSite, told
from wire import facts as f
from wire.badges import CommandCard, badge_digest, badge_text
from wire.facts import Place
from wire.ids import Label, Occupancy, ParcelState, PlaceKind, Purpose, Service, Trust, parcel_id_from_bits
from wire.pickup import PickupKey, qr_text
from wire.plan import Help, Person, Plan, sealed

OTHER_BADGE = badge_text(99)
SECOND = "8N00234584109"


@pytest.fixture
def site() -> VirtualSite:
    site = VirtualSite()
    site.forget()
    return site


def notice(site: VirtualSite) -> NoticeKind | None:
    shown = site.view().customer.notice
    return None if shown is None else shown.kind


def step(site: VirtualSite) -> Step | None:
    task = site.state.live.task
    return None if task is None else task.step


# ------------------------------------------------------------------------------------------- links, clocks, start, end


def test_a_lost_reader_is_an_alarm_once_and_its_return_clears_it_once(site: VirtualSite) -> None:
    for up in (False, False, True, True):
        site.runner.feed(e.ScannerLink(up=up))
    assert site.kinds() == ["alarm_raised", "alarm_cleared"]
    assert site.view().scanner


def test_d_03_on_a_full_disk_nothing_new_is_loaded_and_customers_are_served(site: VirtualSite) -> None:
    """Disk full → still opens for valid codes, refuses new loading, alarm; once, and all is well when there is room."""
    inside = site.stored(1, "8N00000000001")
    site.announce(2, "8N00000000002")
    for _ in range(2):
        site.runner.feed(e.DiskRoom(short=True))
    assert site.kinds() == ["plan_applied", "alarm_raised"]
    assert [alarm.alarm for alarm in site.view().alarms] == ["disk_full"]
    site.sign_in()
    site.scan("8N00000000002")
    notice = site.view().staff.notice
    assert notice is not None
    assert (notice.kind, notice.tracking) == ("disk_full", "8N00000000002")
    assert site.pulses() == []
    site.press(e.Button.SIGN_OUT)
    site.scan(site.slip(inside))
    assert site.pulses() == ["1"]
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.wait(5_000)
    site.forget()
    for _ in range(2):
        site.runner.feed(e.DiskRoom(short=False))
    assert site.kinds() == ["alarm_cleared"]
    site.sign_in()
    site.scan("8N00000000002")
    assert len(site.pulses()) == 1


def test_a_stepped_clock_is_written_down_with_both_times(site: VirtualSite) -> None:
    site.runner.feed(e.ClockStepped(WALL_MS, WALL_MS + 5, Trust.HUB))
    assert site.recorder.facts[-1] == f.ClockCorrected(before_ms=WALL_MS, after_ms=WALL_MS + 5, trust=Trust.HUB)


def test_the_hub_is_online_only_while_the_line_stands(site: VirtualSite) -> None:
    told = []
    for event in (e.HubLink(up=True), e.HubPresent(online=True), e.HubLink(up=False)):
        site.runner.feed(event)
        told.append((site.state.live.hub_link, site.state.live.hub_online))
    assert told == [(True, False), (True, True), (False, False)]
    assert site.kinds() == []


def test_stopping_puts_the_lamp_out_and_writes_nothing(site: VirtualSite) -> None:
    site.runner.feed(e.Stopping())
    assert site.lamp.patterns[-1] == "off"
    assert site.kinds() == []


def test_who_was_signed_in_when_the_power_failed_is_signed_out_at_the_start(site: VirtualSite) -> None:
    site.sign_in()
    site.restart()
    assert f.StaffSignedOut(person="amina", session="1.1", reason="restart") in site.recorder.facts
    assert site.state.durable.staff is None


# ----------------------------------------------------------------------------------------------- what the reader brings


def test_c34_a_web_address_is_answered_kindly_and_costs_no_attempt(site: VirtualSite) -> None:
    site.scan("https://example.org/?promo=1")
    assert notice(site) is NoticeKind.USE_SLIP
    site.sign_in()
    site.scan("https://example.org/?promo=2")
    assert told(site) is StaffNoticeKind.NOT_A_LABEL
    assert "attempt_failed" not in site.kinds()


def test_a_dirty_slip_is_refused_like_any_unknown_one(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel)[:-3])
    assert notice(site) is NoticeKind.REFUSED
    assert site.pulses() == []


def test_cards_and_labels_need_somebody_signed_in(site: VirtualSite) -> None:
    site.card(CommandCard.EMPTY)
    assert notice(site) is NoticeKind.USE_SLIP
    site.wait(10_000)
    site.scan(LABEL_OF_PARCEL)
    assert notice(site) is NoticeKind.USE_SLIP
    site.press(Button.SHELF)
    assert told(site) is StaffNoticeKind.SIGN_IN_FIRST
    assert site.kinds() == []


def test_an_unknown_badge_opens_nothing_and_a_known_one_shown_twice_stays(site: VirtualSite) -> None:
    site.scan(OTHER_BADGE)
    assert told(site) is StaffNoticeKind.BADGE_UNKNOWN
    site.sign_in()
    site.wait(3_000)
    site.sign_in()
    assert site.kinds() == ["badge_refused", "staff_signed_in"]


def test_another_badge_takes_over_but_not_in_the_middle_of_a_deposit(site: VirtualSite) -> None:
    people = (
        *site.state.durable.people,
        Person(id="bilal", role="concierge", badge=badge_digest(OTHER_BADGE)),
    )
    site.announce()
    site.revision += 1
    plan = Plan(
        site="gennevilliers", incarnation=1, revision=site.revision, hash="", people=people,
        parcels=tuple(site.planned.values()), settings=site.settings,
    )  # fmt: skip
    site.runner.feed(e.PlanArrived(sealed(plan)))
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.scan(OTHER_BADGE)
    assert told(site) is StaffNoticeKind.FINISH_FIRST
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.wait(3_000)
    site.forget()
    site.scan(OTHER_BADGE)
    assert site.kinds() == ["staff_signed_out", "staff_signed_in"]
    assert site.state.durable.staff is not None
    assert (site.state.durable.staff.person, site.state.durable.staff.role) == ("bilal", "concierge")


def test_c12_a_slip_of_a_site_no_plan_names_is_still_said_to_be_of_another_site(site: VirtualSite) -> None:
    for number, name in ((8, "Colombes"), (9, "")):
        site.scan(qr_text(SITE_KEY, PickupKey(number, parcel_id_from_bits(1), 1, 0)))
        shown = site.view().customer.notice
        assert shown is not None
        assert (shown.kind, shown.site_name) == (NoticeKind.WRONG_SITE, name)
        site.wait(10_000)


def test_digits_of_a_key_whose_epoch_this_site_has_no_key_for_open_nothing(site: VirtualSite) -> None:
    parcel = site.announce(epoch=7)
    site.type(site.digits(parcel))
    assert notice(site) is NoticeKind.REFUSED
    assert site.kinds()[-1] == "attempt_failed"


def test_digits_of_a_second_key_stop_opening_when_its_parcel_is_long_gone(site: VirtualSite) -> None:
    """A second key whose parcel is neither here nor lately gone is not even compared."""
    site.sign_in()
    site.scan(LABEL_OF_PARCEL, entropy=5)
    site.press(Button.SIZE, "S")
    site.open("1")
    site.wait(3_000)
    site.close("1")
    second = site.announce(6)
    assert second in site.state.durable.aliases
    assert site.state.durable.aliases[second].into == parcel_id_from_bits(5)


# --------------------------------------------------------------------------------------------- what staff press in vain


@pytest.mark.parametrize(
    ("button", "value", "compartment"),
    [
        (Button.SIZE, "XXL", None),
        (Button.SHELF, "", None),
        (Button.BIGGER, "", None),
        (Button.CANCEL, "", None),
        (Button.EMPTY, "", None),
        (Button.NOT_EMPTY, "", None),
        (Button.CHECK, "", None),
        (Button.CHECK, "", "99"),
        (Button.REMOVE, "", None),
        (Button.REOPEN, "", None),
        (Button.HAND_OVER, "", None),
        (Button.ANSWER_CALL, "help", None),
        (Button.CLEAR_ALARM, "forced", "1"),
        (Button.PUT_IN_SERVICE, "", "99"),
        (Button.TAKE_OUT_OF_SERVICE, "", None),
    ],
)
def test_a_button_that_does_not_apply_says_so_and_changes_nothing(
    site: VirtualSite, button: Button, value: str, compartment: str | None
) -> None:
    site.sign_in()
    site.forget()
    before = site.state.durable
    site.press(button, value, compartment)
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO
    assert site.state.durable == before


def test_done_without_a_task_signs_out(site: VirtualSite) -> None:
    site.sign_in()
    site.card(CommandCard.DONE)
    assert site.state.durable.staff is None


def test_done_says_nothing_to_do_while_a_door_waits_for_its_parcel(site: VirtualSite) -> None:
    site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.press(Button.DONE)
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO
    site.press(Button.SIGN_OUT)
    assert told(site) is StaffNoticeKind.CLOSE_DOOR_FIRST


def test_a_deposit_whose_size_is_not_known_can_go_to_the_shelf_or_be_given_up(site: VirtualSite) -> None:
    site.sign_in()
    site.scan(SECOND, entropy=3)
    assert step(site) is Step.CHOOSE_SIZE
    site.press(Button.SHELF)
    assert step(site) is Step.PUT_ON_SHELF
    site.press(Button.CANCEL)
    assert (step(site), told(site)) == (None, StaffNoticeKind.CANCELLED)
    site.scan(LABEL_OF_PARCEL, entropy=4)
    site.press(Button.BIGGER)
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO
    site.press(Button.CANCEL)
    assert (step(site), told(site)) == (None, StaffNoticeKind.CANCELLED)


def test_a_size_chosen_while_another_door_stands_open_waits_its_turn(site: VirtualSite) -> None:
    parcel = site.stored()
    site.sign_in()
    site.scan(SECOND, entropy=3)
    site.scan(site.slip(parcel))
    site.open("1")
    site.press(Button.SIZE, "S")
    assert len(site.state.live.waiting) == 1
    site.wait(3_000)
    site.close("1")
    site.wait(3_000)
    assert site.task_compartment() == "2"


def test_a_label_that_waits_for_a_door_is_forgotten_for_the_next_one_in_hand(site: VirtualSite) -> None:
    """Staff laid the first parcel aside; its door must not open for the second (network 1260)."""
    parcel = site.stored()
    site.sign_in()
    site.press(Button.SIZE, "S")
    site.scan(site.slip(parcel))
    site.open("1")
    site.scan(SECOND, entropy=3)
    site.scan("8N00000000777", entropy=4)
    assert [kept.event for kept in site.state.live.waiting] == [e.Scanned("8N00000000777", 4)]
    site.wait(3_000)
    site.close("1")
    site.wait(3_000)
    (task,) = [site.view().staff.task]
    assert task is not None
    assert (task.tracking, task.compartment) == ("8N00000000777", "2")


def test_a_check_at_a_door_that_a_customer_left_open_goes_on_when_it_is_shut(site: VirtualSite) -> None:
    """The desk waited for ever for a door that was shut already (network 1955)."""
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    site.wait(200_000)
    site.sign_in()
    site.press(Button.CHECK, compartment=Label("1"))
    assert step(site) is Step.TAKE_BACK
    site.close("1")
    assert step(site) is Step.ASK_EMPTY
    assert site.parcel(parcel).state is ParcelState.COLLECTING
    site.press(Button.EMPTY)
    assert step(site) is None
    assert site.occupancy("1") is Occupancy.FREE
    assert site.state.durable.ended[parcel].state is ParcelState.COLLECTED


def test_while_the_question_stands_nothing_else_is_begun(site: VirtualSite) -> None:
    parcel = site.stored()
    site.sign_in()
    site.press(Button.CHECK, compartment="1")
    site.open("1")
    site.wait(3_000)
    site.close("1")
    assert step(site) is Step.ASK_EMPTY
    for button in (Button.CANCEL, Button.SHELF, Button.CHECK):
        site.press(button, compartment="1")
        assert told(site) is StaffNoticeKind.FINISH_FIRST
        site.wait(10)
    site.press(Button.NOT_EMPTY)
    assert site.parcel(parcel).state is ParcelState.STORED
    assert site.occupancy("1") is Occupancy.OCCUPIED


def test_the_last_deposit_can_be_taken_back_only_while_it_lies_in_its_compartment(site: VirtualSite) -> None:
    site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.press(Button.SHELF)
    assert step(site) is Step.TAKE_BACK
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.press(Button.EMPTY)
    site.press(Button.DONE)
    assert told(site) is StaffNoticeKind.STORED
    site.press(Button.CANCEL)
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO


def test_a_second_check_waits_until_the_first_door_is_closed(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    site.sign_in()
    site.press(Button.CHECK, compartment="2")
    assert told(site) is StaffNoticeKind.CLOSE_DOOR_FIRST
    site.press(Button.CHECK, compartment="1")
    assert step(site) is Step.TAKE_BACK, "its door stands open already"
    assert site.pulses() == ["1"]


def test_m01_a_shelf_parcel_leaves_at_once_and_an_announced_one_cannot_leave(site: VirtualSite) -> None:
    announced = site.announce(2, SECOND)
    shelved = site.announce(1)
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.press(Button.SHELF)
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.press(Button.EMPTY)
    site.press(Button.REMOVE, parcel=shelved)
    assert told(site) is StaffNoticeKind.REMOVED, "also in the middle of its own deposit"
    assert step(site) is None
    assert site.state.durable.ended[shelved].state is ParcelState.REMOVED
    site.press(Button.REMOVE, parcel=announced)
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO
    site.scan(SECOND)
    assert site.task_compartment() == "1"


def test_a_parcel_that_lies_nowhere_yet_is_taken_out_of_stock_at_once(site: VirtualSite) -> None:
    parcel = parcel_id_from_bits(3)
    site.sign_in()
    site.scan(SECOND, entropy=3)
    site.press(Button.CANCEL)
    site.press(Button.REMOVE, parcel=parcel)
    assert site.state.durable.ended[parcel].state is ParcelState.REMOVED


def test_c06_staff_reopen_what_a_customer_just_closed_and_only_look_into_any_other(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    site.wait(5_000)
    site.close("1")
    site.runner.feed(e.Pressed(Button.DISPUTE, parcel=parcel))
    site.wait(3_000)
    site.sign_in()
    site.press(Button.REOPEN, compartment="1")
    assert site.recorder.causes[-1].purpose is Purpose.REOPEN
    assert site.state.durable.calls == ()
    site.press(Button.REOPEN, compartment="1")
    assert told(site) is StaffNoticeKind.CLOSE_DOOR_FIRST
    site.open("1")
    site.wait(5_000)
    site.close("1")
    site.wait(3_000)
    site.press(Button.REOPEN, compartment="2")
    assert step(site) is Step.TAKE_BACK


def test_c26_a_shelf_parcel_handed_over_ends_its_calls(site: VirtualSite) -> None:
    parcel = site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.press(Button.SHELF)
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.press(Button.EMPTY)
    site.press(Button.DONE)
    slip = site.view().staff.slip
    assert slip is not None
    assert (slip.place, slip.reach) == (Place(kind=PlaceKind.SHELF, name="E1"), None)
    site.press(Button.SIGN_OUT)
    site.wait(3_000)
    site.scan(site.slip(parcel))
    assert [call.reason for call in site.state.durable.calls] == ["at_desk"]
    site.sign_in()
    site.press(Button.HAND_OVER, parcel=parcel)
    assert (told(site), site.state.durable.calls) == (StaffNoticeKind.HANDED_OVER, ())
    assert site.state.durable.ended[parcel].state is ParcelState.COLLECTED


def test_alarms_lockouts_calls_and_service_are_ended_by_name(site: VirtualSite) -> None:
    site.open("2")
    site.close("2")
    site.press(Button.CALL_DESK)
    site.sign_in()
    site.forget()
    site.press(Button.CLEAR_ALARM, FORCED, "2")
    site.press(Button.ANSWER_CALL, "help")
    site.press(Button.CLEAR_LOCKOUT)
    site.press(Button.TAKE_OUT_OF_SERVICE, "other", compartment="3")
    assert site.service("3") is Service.OUT_OF_SERVICE
    site.press(Button.PUT_IN_SERVICE, "checked", compartment="3")
    assert site.kinds() == ["alarm_cleared", "staff_answered", "lockout_cleared", "service_set", "service_set"]
    assert (site.service("3"), site.state.durable.calls) == (Service.IN_SERVICE, ())


def test_somebody_idle_is_signed_out_and_a_dispute_of_an_unknown_parcel_calls_without_it(site: VirtualSite) -> None:
    site.sign_in()
    site.wait(90_000)
    assert f.StaffSignedOut(person="amina", session="1.1", reason="idle") in site.recorder.facts
    site.runner.feed(e.Pressed(Button.DISPUTE, parcel=parcel_id_from_bits(77)))
    assert [(call.reason, call.parcel) for call in site.state.durable.calls] == [("dispute", None)]


# ---------------------------------------------------------------------------------------------------------------- doors


def test_a_door_that_this_bank_does_not_have_is_not_heard(site: VirtualSite) -> None:
    site.runner.feed(e.DoorChanged(Label("99"), open=True))
    site.runner.feed(e.PulseFailed(Label("1"), "late word"))
    assert site.kinds() == []


def test_a_door_that_says_twice_that_it_is_open_says_it_once(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    site.open("1")
    assert site.kinds().count("door_opened") == 1


def test_somebody_removed_the_parcel_while_its_recipient_stood_at_the_open_door(site: VirtualSite) -> None:
    """The shelf list and the door meet: the parcel is out of the books when the door closes."""
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    durable = evolve(
        site.state.durable,
        f.ParcelRemoved(parcel=parcel, place=None, reason="declared_lost", by="amina"),
        site.clock.now(),
    )
    site.runner.state = type(site.state)(site.setup, durable, site.state.live)
    site.wait(4_000)
    assert site.view().customer.screen is Screen.TAKE
    site.forget()
    site.close("1")
    assert site.kinds() == ["door_closed"]


def test_a_reopened_door_can_be_pushed_and_named_after_its_take_time(site: VirtualSite) -> None:
    parcel = site.stored(help=Help.STANDARD)
    site.scan(site.slip(parcel))
    site.wait(4_000)
    assert site.view().customer.screen is Screen.PUSH_DOOR
    site.open("1")
    site.wait(60_000)
    assert site.view().customer.screen is Screen.CLOSE_DOOR


def test_d09_a_switch_that_chatters_is_suspect_once_and_whoever_put_it_out_of_service_is_right(
    site: VirtualSite,
) -> None:
    site.runner.feed(e.SwitchChatters(Label("2")))
    assert site.kinds() == ["alarm_raised", "service_set"]
    assert site.service("2") is Service.SUSPECT
    site.runner.feed(e.SwitchChatters(Label("2")))
    site.runner.feed(e.SwitchChatters(Label("ZZ")))
    assert site.kinds() == ["alarm_raised", "service_set"]
    site.sign_in()
    site.press(Button.TAKE_OUT_OF_SERVICE, "other", compartment=Label("3"))
    site.runner.feed(e.SwitchChatters(Label("3")))
    assert site.service("3") is Service.OUT_OF_SERVICE
    assert {alarm.compartment for alarm in site.view().alarms} == {"2", "3"}
