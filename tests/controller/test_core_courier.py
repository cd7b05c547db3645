"""A courier at the bank: their carrier's parcels only, door by door, and nobody goes while a door of theirs is open.

K-01, K-04, K-06.
"""

from __future__ import annotations

import pytest

from controller.core import courier
from controller.core.events import AssistAsked, Button, SwitchChatters
from controller.core.model import Staff, Step
from controller.core.notices import StaffNoticeKind
from tests.controller.virtual_site import VirtualSite, told
from wire import facts as f
from wire.badges import CommandCard, badge_digest, badge_text, pin_digest
from wire.ids import IdentityCheck, Label, Motive, Occupancy, ParcelId, ParcelState, Service
from wire.plan import Intent, Person, Role

KARIM = badge_text(0x4B41)
OTTO = badge_text(0x4F54)
MINE, THEIRS, NOBODYS = "8N00234584108", "1Z00234584999", "XY00234584777"
UNKNOWN = "8N00999999999"


@pytest.fixture
def site() -> VirtualSite:
    """A bank with a courier of La Poste and one of another carrier in its roster."""
    made = VirtualSite()
    made.others = (
        Person(id="karim", role="courier", badge=badge_digest(KARIM), carrier="laposte"),
        Person(id="otto", role="courier", badge=badge_digest(OTTO), carrier="ups"),
        Person(id="zoe", role="courier", badge=badge_digest(badge_text(5))),
    )
    made.publish_plan()
    return made


def who(site: VirtualSite) -> str:
    return site.view().staff.person


def put_in(site: VirtualSite, tracking: str, entropy: int = 0xABCDEF) -> str:
    """One whole deposit; the door."""
    site.scan(tracking, entropy)
    label = site.task_compartment()
    site.open(label)
    site.wait(3_000)
    site.close(label)
    site.wait(3_000)
    return label


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("laposte", "La Poste", True), ("ups", "UPS ", True), ("mondial-relay", "Mondial Relay", True),
        ("laposte", "ups", False), ("", "", False), ("laposte", "", False), ("", "laposte", False), (" - ", "-", False),
    ],
)  # fmt: skip
def test_a_carrier_is_known_however_it_is_written_and_an_empty_one_is_of_nobody(
    one: str, other: str, *, same: bool
) -> None:
    assert courier.same_carrier(one, other) is same


def test_staff_of_the_site_may_do_so_with_every_carriers_parcels() -> None:
    assert courier.is_theirs(Staff("amina", "concierge", "1.1"), "")
    assert courier.is_theirs(Staff("amina", "concierge", "1.1"), "ups")
    assert not courier.is_theirs(Staff("karim", "courier", "1.1", "laposte"), "ups")
    assert not courier.is_courier(None)


def test_a_courier_puts_in_a_parcel_of_their_carrier_and_one_that_nobody_announced_becomes_theirs(
    site: VirtualSite,
) -> None:
    mine = site.announce(1, MINE, carrier="La Poste")
    site.scan(KARIM)
    assert (who(site), site.view().staff.role, site.view().staff.carrier) == ("karim", Role.COURIER, "laposte")
    label = put_in(site, MINE)
    assert (site.parcel(mine).state, told(site)) == (ParcelState.STORED, StaffNoticeKind.STORED)
    stored = [fact for fact in site.recorder.facts if isinstance(fact, f.ParcelStored)]
    assert [(fact.parcel, fact.place.name, fact.by) for fact in stored] == [(mine, label, "karim")]
    site.card(CommandCard.SIZE_S)
    put_in(site, UNKNOWN)
    made = next(parcel for parcel in site.state.durable.parcels.values() if parcel.tracking == UNKNOWN)
    assert (made.carrier, made.from_desk) == ("laposte", True)


@pytest.mark.parametrize("carrier", ["ups", ""])
def test_a_label_of_another_carrier_is_refused_with_one_sentence_and_nothing_of_it_is_said(
    site: VirtualSite, carrier: str
) -> None:
    """Announced, behind a door, or gone: always the same words, and nothing written down but the refusal's absence."""
    other = site.announce(2, THEIRS, carrier=carrier)
    for state in ("announced", "stored", "ended"):
        site.scan(KARIM)
        site.wait(3_100)
        site.forget()
        site.scan(THEIRS)
        notice = site.view().staff.notice
        assert notice is not None
        assert notice.kind is StaffNoticeKind.NOT_YOUR_CARRIER
        assert (notice.parcel, notice.place, notice.tracking, notice.at_ms) == (None, None, "", 0), state
        assert (site.kinds(), site.pulses(), site.view().staff.task) == ([], [], None)
        site.press(Button.SIGN_OUT)
        site.sign_in()
        if state == "announced":
            put_in(site, THEIRS)
        elif state == "stored":
            site.wait(3_100)
            site.press(Button.REMOVE, parcel=other)
            site.open("1")
            site.wait(3_000)
            site.close("1")
            site.press(Button.EMPTY)
            assert other in site.state.durable.ended
        site.press(Button.SIGN_OUT)
        site.wait(3_100)


def test_a_courier_whose_badge_names_no_carrier_puts_in_nothing(site: VirtualSite) -> None:
    site.announce(3, NOBODYS)
    site.scan(badge_text(5))
    assert who(site) == "zoe"
    for label in (NOBODYS, UNKNOWN, MINE):
        site.scan(label)
        assert (told(site), site.view().staff.task) == (StaffNoticeKind.NOT_YOUR_CARRIER, None)
    assert site.view().staff.parcels == ()


def test_a_parcel_of_their_own_that_has_left_is_told_as_it_is_to_staff(site: VirtualSite) -> None:
    mine = site.stored(1, MINE, carrier="laposte")
    site.announce(1, MINE, carrier="laposte", intent=Intent.RECALL)
    site.scan(KARIM)
    site.press(Button.RETRIEVE)
    site.open("1")
    site.wait(3_000)
    site.scan(MINE)
    site.close("1")
    site.press(Button.EMPTY)
    assert site.state.durable.ended[mine].carrier == "laposte"
    site.wait(3_100)
    site.scan(MINE)
    notice = site.view().staff.notice
    assert notice is not None
    assert (notice.kind, notice.tracking) == (StaffNoticeKind.ALREADY_ENDED, MINE)


def test_the_picture_of_a_courier_holds_their_carriers_parcels_and_no_call_slip_or_key(site: VirtualSite) -> None:
    mine, other = site.stored(1, MINE, carrier="laposte"), site.stored(2, THEIRS, carrier="ups")
    site.announce(3, NOBODYS)
    site.press(Button.CALL_DESK)
    site.press(Button.DISPUTE, parcel=other)
    site.sign_in()
    site.press(Button.PRACTISE, compartment="3")
    assert site.view().staff.practice_text
    site.wait(3_000)
    site.scan(KARIM)
    seen = site.view().staff
    assert seen.notice is None, "the last word to somebody else is not for a courier"
    assert [parcel.parcel for parcel in seen.parcels] == [mine]
    assert (seen.calls, seen.slip, seen.practice_text) == ((), None, "")
    boxes = {str(box.label): (box.parcel, box.tracking, box.occupancy) for box in site.view().bank}
    assert boxes["1"] == (mine, MINE, Occupancy.OCCUPIED)
    assert boxes["2"] == (None, "", Occupancy.OCCUPIED)
    site.sign_in()
    assert len(site.view().staff.parcels) == 3
    assert {box.tracking for box in site.view().bank} >= {MINE, THEIRS}


def test_a_courier_sees_no_slip_of_what_they_put_in(site: VirtualSite) -> None:
    """A slip is the key of its recipient."""
    site.announce(1, MINE, carrier="laposte")
    site.scan(KARIM)
    put_in(site, MINE)
    assert site.state.live.last_stored is not None
    assert site.view().staff.slip is None


def test_what_a_courier_may_not_do_is_refused_and_says_whom_to_ask(site: VirtualSite) -> None:
    mine = site.stored(1, MINE, carrier="laposte")
    site.scan(KARIM)
    site.forget()
    for button in (
        Button.CHECK, Button.REOPEN, Button.REMOVE, Button.REISSUE, Button.HAND_OVER, Button.ANSWER_CALL,
        Button.CLEAR_ALARM, Button.CLEAR_LOCKOUT, Button.PUT_IN_SERVICE, Button.TAKE_OUT_OF_SERVICE, Button.PRACTISE,
        Button.UNIDENTIFIED, Button.IDENTIFIED, Button.MAKE_ROOM,
    ):  # fmt: skip
        site.press(button, "", "1", mine)
        assert told(site) is StaffNoticeKind.NOT_YOURS, button
    site.runner.feed(AssistAsked(mine, Motive.OTHER, IdentityCheck.KNOWN, present=True))
    assert told(site) is StaffNoticeKind.NOT_YOURS
    assert (site.kinds(), site.pulses()) == ([], [])


def test_a_word_about_another_carriers_parcel_loses_everything_but_its_kind(site: VirtualSite) -> None:
    """The door of a deposit that a concierge gave up opens late, and is shut when a courier is signed in."""
    other = site.announce(2, THEIRS, carrier="ups")
    site.sign_in()
    site.scan(THEIRS)
    site.press(Button.CANCEL)
    site.wait(15_000)
    site.scan(KARIM)
    site.open("1")
    site.close("1")
    assert site.state.live.staff_notice is not None
    assert site.state.live.staff_notice.parcel == other
    notice = site.view().staff.notice
    assert notice is not None
    assert notice.kind is StaffNoticeKind.LEFT_UNKNOWN
    assert (notice.parcel, notice.tracking, notice.place, notice.compartment, notice.at_ms) == (None, "", None, None, 0)


def recalled(site: VirtualSite, bits: int, tracking: str, carrier: str) -> ParcelId:
    parcel = site.stored(bits, tracking, carrier=carrier)
    site.announce(bits, tracking, carrier=carrier, intent=Intent.RECALL)
    return parcel


def test_a_courier_takes_out_their_own_door_by_door_and_no_door_of_another_carrier_opens(site: VirtualSite) -> None:
    first = recalled(site, 1, MINE, "laposte")
    other = recalled(site, 2, THEIRS, "ups")
    second = recalled(site, 3, "8N00234584333", "La Poste")
    site.scan(KARIM)
    site.forget()
    site.press(Button.RETRIEVE, parcel=other)
    assert (told(site), site.pulses()) == (StaffNoticeKind.ALL_RETRIEVED, [])
    site.press(Button.RETRIEVE)
    for label, tracking in (("1", MINE), ("3", "8N00234584333")):
        assert site.task_compartment() == label
        site.open(label)
        site.wait(3_000)
        site.scan(tracking)
        site.close(label)
        site.card(CommandCard.EMPTY)
    assert site.pulses() == ["1", "3"]
    removed = [(x.parcel, x.reason, x.by) for x in site.recorder.facts if isinstance(x, f.ParcelRemoved)]
    assert removed == [(first, "recalled", "karim"), (second, "recalled", "karim")]
    assert (site.occupancy("1"), site.occupancy("2"), site.occupancy("3")) == ("free", "occupied", "free")
    site.press(Button.RETRIEVE)
    assert told(site) is StaffNoticeKind.ALL_RETRIEVED


def test_one_that_is_missing_is_disputed_its_door_suspect_and_the_others_go_on(site: VirtualSite) -> None:
    first = recalled(site, 1, MINE, "laposte")
    second = recalled(site, 3, "8N00234584333", "laposte")
    site.scan(KARIM)
    site.press(Button.RETRIEVE)
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.press(Button.NOT_THERE)
    missing = site.parcel(first)
    assert (missing.state, missing.reason, site.service("1")) == (ParcelState.DISPUTED, "not_found", Service.SUSPECT)
    assert first not in site.state.durable.ended
    site.press(Button.RETRIEVE)
    site.open(site.task_compartment())
    site.wait(3_000)
    site.scan("8N00234584333")
    site.close("2")
    site.press(Button.EMPTY)
    assert site.state.durable.ended[second].state is ParcelState.REMOVED


def test_another_carriers_parcel_behind_the_door_stops_it_and_its_place_is_not_said(site: VirtualSite) -> None:
    recalled(site, 1, MINE, "laposte")
    site.stored(2, THEIRS, carrier="ups")
    site.scan(KARIM)
    site.press(Button.RETRIEVE)
    site.open("1")
    site.wait(3_000)
    site.scan(THEIRS)
    notice = site.view().staff.notice
    assert notice is not None
    assert (notice.kind, notice.place, notice.parcel) == (StaffNoticeKind.WRONG_PARCEL, None, None)
    assert notice.compartment == "1"
    assert [call.reason for call in site.state.durable.calls] == ["wrong_parcel"]


def test_a_couriers_pin_is_asked_before_the_first_door_of_a_retrieval(site: VirtualSite) -> None:
    recalled(site, 1, MINE, "laposte")
    pinned = Person(
        id="karim", role="courier", badge=badge_digest(KARIM), carrier="laposte", pin=pin_digest(KARIM, "2468")
    )
    site.others = (pinned,)
    site.publish_plan()
    site.scan(KARIM)
    site.press(Button.RETRIEVE)
    assert site.view().staff.pin_asked
    site.give_pin("2468")
    assert site.task_compartment() == "1"


def test_a_courier_cannot_finish_while_their_door_is_open_and_is_told_which(site: VirtualSite) -> None:
    site.announce(1, MINE, carrier="laposte")
    site.scan(KARIM)
    site.scan(MINE)
    label = site.task_compartment()
    site.open(label)
    for finish in (Button.SIGN_OUT, None):
        if finish is None:
            site.scan(OTTO)  # nobody takes over either
        else:
            site.press(finish)
        assert who(site) == "karim"
    site.press(Button.SIGN_OUT)
    notice = site.view().staff.notice
    assert notice is not None
    assert (notice.kind, notice.compartment) == (StaffNoticeKind.CLOSE_DOOR_FIRST, label)
    assert site.view().staff.left_open == label
    site.wait(site.settings.staff_idle_ms + 1_000)
    assert who(site) == "karim"
    assert f"door_left_open/{label}" in site.state.durable.alarms
    site.close(label)
    site.wait(3_000)
    assert site.view().staff.left_open is None
    site.press(Button.SIGN_OUT)
    assert who(site) == ""


def test_a_question_that_is_open_is_answered_before_a_courier_goes(site: VirtualSite) -> None:
    site.announce(1, MINE, carrier="laposte")
    site.scan(KARIM)
    site.scan(MINE)
    label = site.task_compartment()
    site.open(label)
    site.press(Button.CANCEL)
    site.wait(3_000)
    site.close(label)
    assert site.view().staff.task is not None
    site.press(Button.SIGN_OUT)
    assert (told(site), who(site)) == (StaffNoticeKind.FINISH_FIRST, "karim")
    site.press(Button.EMPTY)
    site.press(Button.SIGN_OUT)
    site.card(CommandCard.DONE)  # it lies on the shelf now
    site.press(Button.SIGN_OUT)
    assert who(site) == ""


def test_a_door_of_a_courier_that_is_opened_again_later_keeps_them_and_one_nobody_believes_does_not(
    site: VirtualSite,
) -> None:
    site.announce(1, MINE, carrier="laposte")
    site.scan(KARIM)
    label = put_in(site, MINE)
    site.open(label)  # by force: an alarm, and theirs to shut
    site.press(Button.SIGN_OUT)
    assert (told(site), who(site)) == (StaffNoticeKind.CLOSE_DOOR_FIRST, "karim")
    site.scan(OTTO)
    assert (told(site), who(site)) == (StaffNoticeKind.CLOSE_DOOR_FIRST, "karim")
    site.sign_in()  # who comes to help may
    assert who(site) == "amina"
    site.runner.feed(SwitchChatters(Label(label)))
    site.scan(KARIM)
    site.press(Button.SIGN_OUT)
    assert who(site) == ""


def test_the_open_door_of_a_customer_keeps_no_courier(site: VirtualSite) -> None:
    other = site.stored(2, THEIRS, carrier="ups")
    site.scan(site.slip(other))
    site.open("1")
    site.scan(KARIM)
    site.press(Button.SIGN_OUT)
    assert who(site) == ""


def test_a_door_that_springs_open_just_after_its_concierge_left_is_no_task_of_a_courier(site: VirtualSite) -> None:
    other = site.announce(2, THEIRS, carrier="ups")
    site.sign_in()
    site.scan(THEIRS)
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.scan(KARIM)
    site.open("1")
    assert (site.view().staff.task, who(site)) == (None, "karim")
    assert site.parcel(other).state is ParcelState.STORED


def test_the_steps_of_a_deposit_are_those_of_staff(site: VirtualSite) -> None:
    """Too big, the shelf, back again: a courier has the same ways out, and no swap of somebody else's parcel (S-14)."""
    site.announce(1, MINE, carrier="laposte")
    site.scan(KARIM)
    site.scan(MINE)
    site.open("1")
    site.card(CommandCard.BIGGER)
    site.wait(3_000)
    site.close("1")
    site.card(CommandCard.EMPTY)
    label = site.task_compartment()
    site.open(label)
    site.card(CommandCard.SHELF)
    site.wait(3_000)
    site.close(label)
    site.card(CommandCard.EMPTY)
    task = site.view().staff.task
    assert task is not None
    assert (task.step, task.room) == (Step.PUT_ON_SHELF, None)
    site.card(CommandCard.DONE)
    assert site.parcel(next(iter(site.state.durable.parcels))).place is not None
