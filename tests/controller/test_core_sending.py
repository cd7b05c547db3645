"""A customer hands in a parcel at the bank: C-32, with every way it can go wrong."""

from __future__ import annotations

import pytest

from controller.core.events import Button
from controller.core.model import NO_NEEDS
from controller.core.notices import NoticeKind, StaffNoticeKind
from controller.core.sending import SLIPS_MAX
from controller.core.views import Screen
from tests.controller.senders import RETURN_LABEL, asked, begun, calls, handed_in, issued, shown, slip, told
from tests.controller.virtual_site import LABEL_OF_PARCEL, VirtualSite
from wire import facts as f
from wire.badges import CommandCard
from wire.ids import Occupancy, ParcelState, PlaceKind, SizeClass, parcel_id_from_bits
from wire.plan import Help

# ------------------------------------------------------------------------------------------------------------- the desk


def test_the_desk_makes_a_slip_that_hands_in_and_never_collects(site: VirtualSite) -> None:
    site.sign_in()
    site.press(Button.SENDING, "La Poste")
    assert told(site) is StaffNoticeKind.SENDING_NEXT
    assert site.view().staff.needs.sends == "La Poste"
    site.scan(RETURN_LABEL)
    parcel = parcel_id_from_bits(0xABCDEF)
    made = site.view().staff.slip
    assert made is not None
    assert (made.parcel, made.sends, made.qr_text) == (parcel, True, slip(parcel))
    assert told(site) is StaffNoticeKind.SENDING_ISSUED
    known = site.parcel(parcel)
    assert (known.state, known.tracking, known.carrier, known.sending) == (
        ParcelState.ANNOUNCED,
        RETURN_LABEL,
        "La Poste",
        True,
    )
    assert site.state.live.needs == NO_NEEDS


def test_a_mediator_may_make_the_slip_and_pressed_twice_it_is_a_deposit_again(site: VirtualSite) -> None:
    site.role = "mediator"
    site.publish_plan()
    site.sign_in()
    site.press(Button.SENDING)
    site.press(Button.SENDING)
    assert (told(site), site.state.live.needs) == (StaffNoticeKind.NEEDS_NOTED, NO_NEEDS)
    site.press(Button.SENDING)
    site.scan(RETURN_LABEL)
    assert told(site) is StaffNoticeKind.SENDING_ISSUED


def test_with_a_parcel_in_hand_staff_finish_it_first(site: VirtualSite) -> None:
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.press(Button.SENDING)
    assert told(site) is StaffNoticeKind.FINISH_FIRST
    assert site.state.live.needs == NO_NEEDS


def test_a_lost_slip_is_shown_again_and_no_second_parcel_is_made(site: VirtualSite) -> None:
    parcel = issued(site)
    site.sign_in()
    site.press(Button.SENDING)
    site.scan(RETURN_LABEL, 99)
    assert told(site) is StaffNoticeKind.SENDING_ISSUED
    made = site.view().staff.slip
    assert made is not None
    assert made.parcel == parcel
    assert parcel_id_from_bits(99) not in site.state.durable.parcels


def test_a_label_that_is_in_stock_gets_no_slip_to_hand_it_in(site: VirtualSite) -> None:
    site.stored()
    site.sign_in()
    site.press(Button.SENDING)
    site.scan(LABEL_OF_PARCEL, 99)
    assert (told(site), site.kinds()) == (StaffNoticeKind.ALREADY_HERE, ["staff_signed_in"])
    assert site.lamp.patterns[-1] == "refused"


def test_a_full_disk_makes_no_slip(site: VirtualSite) -> None:
    from controller.core.events import DiskRoom

    site.runner.feed(DiskRoom(short=True))
    site.sign_in()
    site.press(Button.SENDING)
    site.scan(RETURN_LABEL)
    assert told(site) is StaffNoticeKind.DISK_FULL
    assert parcel_id_from_bits(0xABCDEF) not in site.state.durable.parcels


def test_what_staff_said_of_it_before_its_label_counts(site: VirtualSite) -> None:
    site.sign_in()
    site.press(Button.SENDING)
    site.press(Button.HEAVY)
    site.scan(RETURN_LABEL)
    assert site.parcel(parcel_id_from_bits(0xABCDEF)).heavy_said


def test_slips_that_nobody_uses_are_bounded_and_the_oldest_is_void(site: VirtualSite) -> None:
    for number in range(SLIPS_MAX + 1):
        site.sign_in()
        site.press(Button.SENDING)
        site.scan(f"8N{number:011d}", 1_000 + number)
    first, second = parcel_id_from_bits(1_000), parcel_id_from_bits(1_001)
    assert first not in site.state.durable.parcels
    assert second in site.state.durable.parcels
    gone = [fact for fact in site.recorder.facts if isinstance(fact, f.ParcelRemoved)]
    assert [(fact.parcel, fact.reason) for fact in gone] == [(first, "slip_unused")]
    site.scan(slip(first))
    assert (shown(site), site.pulses()) == (NoticeKind.NO_LONGER_HERE, [])


def test_a_plan_that_drops_it_leaves_the_slip_of_the_desk_alone(site: VirtualSite) -> None:
    parcel = issued(site)
    site.announce(0xABCDEF, RETURN_LABEL)
    del site.planned[parcel]
    site.publish_plan()
    assert site.parcel(parcel).sending


# --------------------------------------------------------------------------------------------------------- the good way


def test_slip_size_door_put_close_confirm_and_it_waits_for_its_carrier(site: VirtualSite) -> None:
    parcel = issued(site)
    site.scan(slip(parcel))
    view = site.view().customer
    assert (view.screen, view.sending) == (Screen.CHOOSE_SIZE, parcel)
    assert view.sizes == (SizeClass.S, SizeClass.M, SizeClass.L)
    site.press(Button.SEND_SIZE, "S", parcel=parcel)
    assert site.pulses() == ["2"], "a door within everybody's reach comes before a high one"
    assert site.view().customer.screen is Screen.OPENING
    site.open("2")
    assert (site.view().customer.screen, site.view().customer.may_grow) == (Screen.PUT_IN, True)
    site.wait(4_000)
    site.close("2")
    assert (site.view().customer.screen, site.occupancy("2")) == (Screen.ASK_INSIDE, Occupancy.RESERVED)
    site.press(Button.SEND_INSIDE, parcel=parcel)
    assert shown(site) is NoticeKind.HANDED_IN
    stored = site.parcel(parcel)
    assert stored.place is not None
    assert (stored.state, stored.place.kind, stored.place.name) == (ParcelState.STORED, PlaceKind.COMPARTMENT, "2")
    assert site.occupancy("2") is Occupancy.OCCUPIED
    assert site.kinds() == [
        "parcel_received",
        "compartment_reserved",
        "opening_ordered",
        "door_opened",
        "door_closed",
        "parcel_stored",
    ]
    assert [fact.by for fact in site.recorder.facts if isinstance(fact, f.ParcelStored)] == [""]


def test_it_is_on_the_list_of_what_is_taken_out_and_leaves_as_sent(site: VirtualSite) -> None:
    parcel, label = handed_in(site)
    site.wait(10_000)
    site.sign_in()
    assert [known.parcel for known in site.view().staff.parcels if known.to_retrieve and known.sending] == [parcel]
    site.press(Button.RETRIEVE)
    site.open(label)
    site.scan(RETURN_LABEL)
    site.wait(3_000)
    site.close(label)
    site.card(CommandCard.EMPTY)
    removed = [fact for fact in site.recorder.facts if isinstance(fact, f.ParcelRemoved)]
    assert [(fact.parcel, fact.reason) for fact in removed] == [(parcel, "sent")]
    assert site.occupancy(label) is Occupancy.FREE
    site.scan(slip(parcel))
    assert shown(site) is NoticeKind.NO_LONGER_HERE


def test_a_slip_shown_again_says_that_it_is_handed_in_and_opens_nothing(site: VirtualSite) -> None:
    parcel, _ = handed_in(site)
    site.wait(10_000)
    site.forget()
    site.scan(slip(parcel))
    assert (shown(site), site.pulses(), site.kinds()) == (NoticeKind.HANDED_IN, [], ["slip_refused"])


@pytest.mark.parametrize("form", ["pickup", "digits"])
def test_the_pickup_forms_of_its_key_hand_it_in_too_and_never_open_its_door(site: VirtualSite, form: str) -> None:
    parcel = issued(site)

    def present() -> None:
        if form == "digits":
            site.type(site.digits(parcel))
        else:
            site.scan(site.slip(parcel))

    present()
    assert site.view().customer.screen is Screen.CHOOSE_SIZE
    site.press(Button.SEND_SIZE, "S", parcel=parcel)
    site.open("2")
    site.wait(4_000)
    site.close("2")
    site.press(Button.SEND_INSIDE, parcel=parcel)
    site.forget()
    site.wait(10_000)
    present()
    assert (shown(site), site.pulses()) == (NoticeKind.HANDED_IN, [])


def test_a_known_size_is_not_asked(site: VirtualSite) -> None:
    parcel = issued(site)
    site.announce(0xABCDEF, RETURN_LABEL, size=SizeClass.M, language="ta", help=Help.BLIND)
    site.scan(slip(parcel))
    assert site.pulses() == ["3"]
    site.open("3")
    site.wait(3_000)
    site.close("3")
    view = site.view().customer
    assert (view.screen, view.language, view.help) == (Screen.ASK_INSIDE, "ta", Help.BLIND)


def test_a_high_door_is_taken_when_no_other_is_free(site: VirtualSite) -> None:
    for label in ("2", "3", "4"):
        site.sign_in()
        site.press(Button.TAKE_OUT_OF_SERVICE, "lock", compartment=label)
    parcel, label = begun(site)
    assert (label, site.parcel(parcel).state) == ("1", ParcelState.RECEIVED)


# ------------------------------------------------------------------------------------------------- after a door cycle


@pytest.mark.parametrize("answer", ["no", "silence"])
def test_without_a_yes_the_compartment_is_unknown_and_staff_look_first(site: VirtualSite, answer: str) -> None:
    parcel, label = asked(site)
    if answer == "no":
        site.press(Button.SEND_NOT_INSIDE, parcel=parcel)
        assert shown(site) is NoticeKind.ASK_DESK
    else:
        site.wait(29_999)
        assert site.occupancy(label) is Occupancy.RESERVED
        site.wait(1)
    assert site.occupancy(label) is Occupancy.UNKNOWN
    assert calls(site) == [("send_look_first", parcel, label)]
    site.wait(10_000)
    site.forget()
    site.scan(slip(parcel))
    assert (shown(site), site.pulses()) == (NoticeKind.ASK_DESK, []), "one slip leaves at most one door in doubt"
    site.sign_in()
    site.press(Button.CHECK, compartment=label)
    site.open(label)
    site.wait(3_000)
    site.close(label)
    site.card(CommandCard.EMPTY)
    assert site.occupancy(label) is Occupancy.FREE
    site.wait(10_000)
    site.scan(slip(parcel))
    assert site.view().customer.screen is Screen.CHOOSE_SIZE, "seen empty by staff: the slip is good again"


def test_what_staff_find_inside_is_handed_in(site: VirtualSite) -> None:
    parcel, label = asked(site)
    site.wait(30_000)
    site.sign_in()
    site.press(Button.CHECK, compartment=label)
    site.open(label)
    site.wait(3_000)
    site.close(label)
    site.card(CommandCard.NOT_EMPTY)
    assert (site.parcel(parcel).state, site.occupancy(label)) == (ParcelState.STORED, Occupancy.OCCUPIED)


def test_while_the_question_stands_no_other_door_opens(site: VirtualSite) -> None:
    other = site.stored()
    parcel, label = asked(site)
    site.forget()
    site.scan(site.slip(other))
    assert (site.pulses(), site.view().customer.screen) == ([], Screen.ASK_INSIDE)
    site.press(Button.SEND_INSIDE, parcel=parcel)
    site.wait(0)
    assert site.pulses() == ["1"]
    assert site.parcel(parcel).place is not None
    assert label == "2"


def test_a_yes_after_another_door_moved_is_looked_into_by_staff(site: VirtualSite) -> None:
    parcel, label = begun(site)
    site.open(label)
    site.open("4")
    site.close("4")
    site.wait(4_000)
    site.close(label)
    site.press(Button.SEND_INSIDE, parcel=parcel)
    assert (site.occupancy(label), site.parcel(parcel).state) == (Occupancy.UNKNOWN, ParcelState.RECEIVED)
    assert calls(site)[-1] == ("send_look_first", parcel, label)


def test_a_yes_at_a_door_that_sprang_open_again_waits_until_it_is_shut(site: VirtualSite) -> None:
    parcel, label = asked(site)
    site.open(label)
    site.press(Button.SEND_INSIDE, parcel=parcel)
    assert (site.view().customer.screen, site.occupancy(label)) == (Screen.PUT_IN, Occupancy.RESERVED)
    site.wait(3_000)
    site.close(label)
    site.press(Button.SEND_INSIDE, parcel=parcel)
    assert site.parcel(parcel).state is ParcelState.STORED


def test_a_door_that_opens_by_itself_during_the_question_ends_it(site: VirtualSite) -> None:
    parcel, label = asked(site)
    site.wait(5_000)
    site.open(label)
    assert site.state.live.sending is None
    assert f"door_forced/{label}" in site.state.durable.alarms
    site.close(label)
    site.press(Button.SEND_INSIDE, parcel=parcel)
    assert (site.occupancy(label), site.parcel(parcel).state) == (Occupancy.UNKNOWN, ParcelState.RECEIVED)


def test_a_compartment_in_doubt_takes_no_word(site: VirtualSite) -> None:
    parcel, label = asked(site)
    site.ack(1, 9_999)
    site.press(Button.SEND_INSIDE, parcel=parcel)
    assert (site.occupancy(label), site.parcel(parcel).state) == (Occupancy.UNKNOWN, ParcelState.RECEIVED)
    assert calls(site)[-1] == ("send_look_first", parcel, label)


def test_a_yes_then_a_spring_leaves_it_to_staff(site: VirtualSite) -> None:
    parcel, label = handed_in(site)
    site.open(label)
    site.wait(1_000)
    assert site.view().customer.screen is Screen.CLOSE_DOOR
    site.close(label)
    assert (site.occupancy(label), site.parcel(parcel).state) == (Occupancy.UNKNOWN, ParcelState.STORED)
    site.open(label)
    site.close(label)
    assert site.occupancy(label) is Occupancy.UNKNOWN


def test_staff_who_open_it_to_look_take_the_question_over(site: VirtualSite) -> None:
    parcel, label = begun(site)
    site.open(label)
    site.sign_in()
    site.press(Button.CHECK, compartment=label)
    site.wait(3_000)
    site.close(label)
    assert site.state.live.sending is None
    site.card(CommandCard.NOT_EMPTY)
    assert site.parcel(parcel).state is ParcelState.STORED


# --------------------------------------------------------------------------------------------------------- too small


def test_too_small_a_larger_door_opens_and_the_first_is_not_free(site: VirtualSite) -> None:
    parcel, label = begun(site)
    site.open(label)
    site.wait(3_000)
    site.press(Button.SEND_BIGGER, parcel=parcel)
    assert site.view().customer.screen is Screen.CLOSE_DOOR
    site.forget()
    site.close(label)
    assert site.pulses() == ["3"]
    assert (site.occupancy(label), site.occupancy("3")) == (Occupancy.UNKNOWN, Occupancy.RESERVED)
    site.open("3")
    assert not site.view().customer.may_grow, "once: a slip opens no third door"
    site.press(Button.SEND_BIGGER, parcel=parcel)
    site.wait(3_000)
    site.close("3")
    site.press(Button.SEND_INSIDE, parcel=parcel)
    place = site.parcel(parcel).place
    assert place is not None
    assert place.name == "3"


def test_too_small_and_shut_at_once_the_sizes_are_shown_again(site: VirtualSite) -> None:
    parcel, label = begun(site)
    site.open(label)
    site.press(Button.SEND_BIGGER, parcel=parcel)
    site.wait(500)
    site.close(label)
    assert (site.view().customer.screen, site.occupancy(label)) == (Screen.CHOOSE_SIZE, Occupancy.UNKNOWN)
    site.press(Button.SEND_SIZE, "M", parcel=parcel)
    site.forget()
    site.wait(2_000)
    assert site.pulses() == ["3"]


def test_too_small_is_not_offered_without_a_larger_free_door(site: VirtualSite) -> None:
    parcel, label = begun(site, "L")
    site.open(label)
    assert not site.view().customer.may_grow
    site.press(Button.SEND_BIGGER, parcel=parcel)
    assert site.view().customer.screen is Screen.PUT_IN


def test_too_small_and_the_larger_one_taken_meanwhile_goes_to_the_desk(site: VirtualSite) -> None:
    parcel, label = begun(site)
    site.open(label)
    site.wait(3_000)
    site.press(Button.SEND_BIGGER, parcel=parcel)
    site.sign_in()
    for taken in ("3", "4"):
        site.press(Button.TAKE_OUT_OF_SERVICE, "lock", compartment=taken)
    site.close(label)
    assert (shown(site), calls(site)) == (NoticeKind.ASK_DESK, [("send_no_room", parcel, None)])
    assert site.occupancy(label) is Occupancy.UNKNOWN
