"""A customer hands in a parcel at the bank: C-32, doors that fail, power cuts, and whom nobody may let down."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.core import sending
from controller.core.events import Button, PulseFailed, Touched
from controller.core.handing_in import SendStep
from controller.core.notices import NoticeKind
from controller.core.sending import FAILED_MAX
from controller.core.views import Screen
from tests.controller.senders import RETURN_LABEL, asked, begun, calls, handed_in, issued, shown, slip
from tests.controller.virtual_site import VirtualSite
from wire import facts as f
from wire.ids import Label, Occupancy, ParcelState, Service, SizeClass, parcel_id_from_bits

# -------------------------------------------------------------------------------------------------- doors that fail


def test_a_door_that_stays_shut_is_suspect_and_another_opens_at_once(site: VirtualSite) -> None:
    parcel, label = begun(site)
    site.wait(12_000)
    assert (site.service(label), site.occupancy(label)) == (Service.SUSPECT, Occupancy.FREE)
    going_on = site.state.live.sending
    assert going_on is not None
    assert (going_on.step, going_on.compartment) == (SendStep.PUT_IN, "3"), "the next size, still within reach"
    site.open("3")
    site.wait(3_000)
    site.close("3")
    site.press(Button.SEND_INSIDE, parcel=parcel)
    assert site.parcel(parcel).state is ParcelState.STORED


def test_after_a_few_doors_that_stay_shut_the_desk_helps(site: VirtualSite) -> None:
    parcel, _ = begun(site)
    site.wait(12_000 * FAILED_MAX + 1_000)
    assert (site.state.live.sending, shown(site)) == (None, NoticeKind.ASK_DESK)
    assert ("send_help", parcel, None) in calls(site)
    assert [label for label in site.doors if site.service(label) is Service.SUSPECT] == [Label("2"), Label("3")]
    site.wait(10_000)
    site.scan(slip(parcel))
    assert site.view().customer.screen is Screen.CHOOSE_SIZE, "nothing went in: the slip is still good"


def test_a_driver_that_fails_at_once_shows_the_sizes_again(site: VirtualSite) -> None:
    parcel, label = begun(site)
    site.runner.feed(PulseFailed(Label(label), "no answer"))
    assert (site.view().customer.screen, site.service(label)) == (Screen.CHOOSE_SIZE, Service.SUSPECT)
    assert site.parcel(parcel).state is ParcelState.RECEIVED


def test_a_door_pulled_open_after_it_was_given_up_is_unknown(site: VirtualSite) -> None:
    _, label = begun(site)
    site.wait(12_000)
    site.open(label)
    site.wait(3_000)
    site.close(label)
    assert site.occupancy(label) is Occupancy.UNKNOWN


def test_a_restart_forgets_who_stood_there_and_a_failing_door_frees_only_what_never_opened(site: VirtualSite) -> None:
    parcel, label = begun(site)
    site.runner.state = site.state.__class__(
        site.state.setup,
        site.state.durable,
        site.state.live.__class__(doors=site.state.live.doors),
    )
    site.wait(12_000)
    assert (site.occupancy(label), site.service(label)) == (Occupancy.FREE, Service.SUSPECT)
    assert site.parcel(parcel).state is ParcelState.RECEIVED


def test_a_door_that_staff_are_asked_about_opens_for_no_sender(site: VirtualSite) -> None:
    """Bank 853: their *empty* would free it while a parcel goes in."""
    parcel = issued(site)
    site.sign_in()
    site.press(Button.CHECK, compartment=Label("2"))
    site.open(Label("2"))
    site.wait(3_000)
    site.close(Label("2"))
    assert site.state.live.task is not None, "nobody has said yet what lies there"
    site.scan(slip(parcel))
    site.press(Button.SEND_SIZE, "S", parcel=parcel)
    assert site.state.live.sending is not None
    assert site.state.live.sending.compartment == "3", "the second is the first that fits, and staff stand at it"


def test_what_staff_said_of_a_door_that_stays_shut_stands_and_it_is_not_tried_again(site: VirtualSite) -> None:
    parcel, label = begun(site)
    durable = site.state.durable
    free = replace(durable.compartments[Label(label)], occupancy=Occupancy.FREE, parcel=None)
    compartments = {**durable.compartments, Label(label): free}
    site.runner.state = replace(site.state, durable=replace(durable, compartments=compartments))
    site.forget()
    site.wait(12_000)
    assert not [fact for fact in site.recorder.facts if isinstance(fact, f.ReservationReleased)]
    assert (site.view().customer.screen, site.service(label)) == (Screen.CHOOSE_SIZE, Service.SUSPECT)
    site.press(Button.SEND_SIZE, "S", parcel=parcel)
    assert site.state.live.sending is not None
    assert site.state.live.sending.compartment == "3"


# ------------------------------------------------------------------------------------------------------- power cuts


@pytest.mark.parametrize("step", ["pulse", "open", "shut_in_the_dark", "asked"])
def test_a_power_cut_in_any_step_frees_nothing(site: VirtualSite, step: str) -> None:
    from wire.ids import Door

    parcel, label = asked(site) if step == "asked" else begun(site)
    if step in {"open", "shut_in_the_dark"}:
        site.open(label)
    if step == "shut_in_the_dark":
        site.doors[Label(label)] = Door.CLOSED
    site.restart()
    assert site.occupancy(label) is Occupancy.UNKNOWN
    assert site.parcel(parcel).state is ParcelState.RECEIVED
    if step == "open":
        assert f"open_at_boot/{label}" in site.state.durable.alarms
        site.close(label)
        assert site.occupancy(label) is Occupancy.UNKNOWN
    site.wait(5_000)
    site.forget()
    site.scan(slip(parcel))
    assert (shown(site), site.pulses()) == (NoticeKind.ASK_DESK, [])


def test_a_power_cut_before_a_size_was_chosen_costs_nothing(site: VirtualSite) -> None:
    parcel = issued(site)
    site.scan(slip(parcel))
    site.restart()
    site.wait(5_000)
    site.scan(slip(parcel))
    assert site.view().customer.screen is Screen.CHOOSE_SIZE


# --------------------------------------------------------------------------------------------------- nobody is let down


def test_cancel_before_a_door_opened_costs_nothing(site: VirtualSite) -> None:
    parcel = issued(site)
    site.scan(slip(parcel))
    site.press(Button.SEND_CANCEL, parcel=parcel)
    assert (site.view().customer.screen, site.kinds()) == (Screen.READY, [])


def test_sizes_that_nobody_chooses_are_gone_after_a_minute(site: VirtualSite) -> None:
    parcel = issued(site)
    site.scan(slip(parcel))
    site.wait(60_000)
    assert (site.view().customer.screen, site.kinds()) == (Screen.READY, [])
    site.press(Button.SEND_SIZE, "S", parcel=parcel)
    assert site.pulses() == []


def test_no_free_compartment_goes_to_the_desk(site: VirtualSite) -> None:
    site.sign_in()
    for label in site.doors:
        site.press(Button.TAKE_OUT_OF_SERVICE, "lock", compartment=label)
    parcel = issued(site)
    site.scan(slip(parcel))
    assert (shown(site), calls(site)) == (NoticeKind.ASK_DESK, [("send_no_room", parcel, None)])


def test_no_free_compartment_of_the_size_that_was_shown_goes_to_the_desk(site: VirtualSite) -> None:
    parcel = issued(site)
    site.scan(slip(parcel))
    site.press(Button.SEND_SIZE, "XL", parcel=parcel)
    assert (shown(site), site.pulses()) == (NoticeKind.ASK_DESK, [])


def test_beside_an_open_door_nothing_is_handed_in(site: VirtualSite) -> None:
    parcel = issued(site)
    site.open("4")
    site.scan(slip(parcel))
    assert (shown(site), site.pulses()) == (NoticeKind.ASK_DESK, [])
    site.close("4")
    site.wait(10_000)
    site.scan(slip(parcel))
    site.open("3")
    site.press(Button.SEND_SIZE, "S", parcel=parcel)
    assert (shown(site), site.pulses()) == (NoticeKind.ASK_DESK, [])


def test_while_the_sizes_are_shown_no_hint_is_sounded_that_nobody_sees(site: VirtualSite) -> None:
    """Bank 281: the question stays on the screen, and a hint how to hold a slip would be heard and not seen (C-33)."""
    parcel = issued(site)
    site.scan(slip(parcel))
    site.runner.feed(Touched(busy=False))
    site.wait(15_000)
    assert site.view().customer.screen is Screen.CHOOSE_SIZE
    assert shown(site) is None


def test_a_full_disk_opens_nothing_new(site: VirtualSite) -> None:
    from controller.core.events import DiskRoom

    parcel = issued(site)
    site.runner.feed(DiskRoom(short=True))
    site.scan(slip(parcel))
    assert (shown(site), site.pulses()) == (NoticeKind.ASK_DESK, [])


def test_a_parcel_that_staff_hold_is_theirs(site: VirtualSite) -> None:
    parcel = issued(site)
    site.sign_in()
    site.scan(RETURN_LABEL)
    site.scan(slip(parcel))
    assert (shown(site), calls(site)) == (NoticeKind.ASK_DESK, [("send_help", parcel, None)])


def test_what_is_disputed_goes_to_the_desk(site: VirtualSite) -> None:
    parcel, _ = handed_in(site)
    site.wait(10_000)
    site.sign_in()
    site.press(Button.RETRIEVE)
    site.open("2")
    site.wait(3_000)
    site.close("2")
    site.press(Button.NOT_THERE)
    assert site.parcel(parcel).state is ParcelState.DISPUTED
    site.scan(slip(parcel))
    assert shown(site) is NoticeKind.ASK_DESK


def test_a_slip_of_this_site_that_nobody_knows_here_calls_the_desk(site: VirtualSite) -> None:
    unknown = parcel_id_from_bits(4_711)
    site.scan(slip(unknown))
    assert (shown(site), calls(site), site.pulses()) == (NoticeKind.ASK_DESK, [("send_help", None, None)], [])


def test_a_sending_slip_of_a_parcel_to_be_collected_opens_nothing(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(slip(parcel))
    assert (shown(site), site.pulses()) == (NoticeKind.ASK_DESK, [])


def test_forged_replaced_and_foreign_slips_are_answered_as_others_are(site: VirtualSite) -> None:
    parcel = issued(site)
    site.scan(slip(parcel, key=bytes(32)))
    assert shown(site) is NoticeKind.REFUSED
    site.scan(slip(parcel, number=8))
    assert shown(site) is NoticeKind.WRONG_SITE
    site.scan(slip(parcel, version=0))
    assert shown(site) is NoticeKind.REPLACED
    assert site.pulses() == []


def test_while_another_door_is_served_the_sender_waits(site: VirtualSite) -> None:
    other = site.stored()
    parcel = issued(site)
    site.scan(site.slip(other))
    site.scan(slip(parcel))
    site.wait(1_000)
    site.open("1")
    site.wait(3_000)
    assert site.view().customer.screen is Screen.TAKE
    site.close("1")
    site.wait(0)
    assert site.view().customer.screen is Screen.CHOOSE_SIZE


def test_a_size_pressed_while_a_pulse_cools_down_is_served_right_after(site: VirtualSite) -> None:
    other = site.stored()
    parcel = issued(site)
    site.scan(slip(parcel))
    site.scan(site.slip(other))
    site.press(Button.SEND_SIZE, "S", parcel=parcel)
    site.open("1")
    assert site.view().customer.screen is Screen.TAKE, "whoever has an open door sees it"
    site.press(Button.SEND_SIZE, "S", parcel=parcel)
    assert site.pulses() == ["1"]


def test_a_slip_held_still_counts_once(site: VirtualSite) -> None:
    parcel, label = begun(site)
    site.open(label)
    site.wait(4_000)
    written = len(site.recorder.facts)
    site.scan(slip(parcel))
    assert len(site.recorder.facts) == written


def test_keys_of_another_step_another_parcel_or_nonsense_do_nothing(site: VirtualSite) -> None:
    parcel = issued(site)
    site.press(Button.SEND_INSIDE, parcel=parcel)
    site.scan(slip(parcel))
    for button, value in ((Button.SEND_INSIDE, ""), (Button.SEND_BIGGER, ""), (Button.SEND_SIZE, "huge")):
        site.press(button, value, parcel=parcel)
    site.press(Button.SEND_SIZE, "S", parcel=parcel_id_from_bits(5))
    assert (site.kinds(), site.view().customer.screen) == ([], Screen.CHOOSE_SIZE)
    assert sending.sizes(site.state) == (SizeClass.S, SizeClass.M, SizeClass.L)


def test_sizes_of_a_parcel_that_staff_put_in_meanwhile_open_nothing(site: VirtualSite) -> None:
    parcel = issued(site)
    site.sign_in()
    site.scan(slip(parcel))
    site.press(Button.SIZE, "S")
    site.scan(RETURN_LABEL)
    label = site.task_compartment()
    site.open(label)
    site.wait(3_000)
    site.close(label)
    site.forget()
    site.press(Button.SEND_SIZE, "S", parcel=parcel)
    assert site.pulses() == []
