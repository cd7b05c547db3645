"""Which door, which slip, which moment: choices between two of a kind, with both sides of each bound."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from controller.core import allocate, keyed, sending, trying
from controller.core.decide import decide
from controller.core.effects import Pulse, SetSending, SetTask, ShowSlip, ShowStaff
from controller.core.events import Button, DoorChanged, Pressed, Scanned
from controller.core.handing_in import Sending, SendStep
from controller.core.model import (
    Compartment,
    Now,
    Opening,
    Parcel,
    Phase,
    Staff,
    State,
    Step,
    Task,
    in_compartment,
    on_shelf,
)
from controller.core.notices import StaffNoticeKind
from controller.core.picture import build_view
from tests.controller.states import a_parcel, heard, staff_told, with_
from tests.controller.virtual_site import LABEL_OF_PARCEL, VirtualSite
from wire import facts as f
from wire.ids import Label, Occupancy, ParcelId, ParcelState, PlaceKind, Purpose, ReachZone, Service, SizeClass, Trust
from wire.ids import parcel_id_from_bits as pid

ONE, TWO, THREE, FOUR = (Label(number) for number in "1234")
NOON = Now(mono=10_000_000, wall_ms=1_790_000_000_000, trust=Trust.NTP, boot=1)
AMINA = Staff("amina", "concierge", "1.1")


def free_but(site: VirtualSite, *taken: Label) -> dict[Label, Compartment]:
    """Every compartment free, but those that are out of service."""
    return {
        label: Compartment(service=Service.OUT_OF_SERVICE if label in taken else Service.IN_SERVICE)
        for label in site.setup.cards
    }


# ---------------------------------------------------------------------------------------------------------- which door


@pytest.mark.parametrize(
    ("zones", "cycles", "chosen"),
    [
        ((ReachZone.HIGH, ReachZone.LOW), (900, 0), ONE),
        ((ReachZone.LOW, ReachZone.HIGH), (0, 900), TWO),
        ((ReachZone.LOW, ReachZone.MID), (900, 0), ONE),
        ((ReachZone.MID, ReachZone.LOW), (0, 900), TWO),
        ((ReachZone.MID, ReachZone.HIGH), (0, 900), TWO),
        ((ReachZone.LOW, ReachZone.LOW), (5, 4), TWO),
        ((ReachZone.LOW, ReachZone.LOW), (4, 4), ONE),
    ],
)
def test_for_anybody_the_door_that_fewest_can_use_is_taken_then_the_least_worn_then_the_first(
    site: VirtualSite, zones: tuple[ReachZone, ReachZone], cycles: tuple[int, int], chosen: Label
) -> None:
    cards = {
        label: msgspec.structs.replace(site.setup.cards[label], size=SizeClass.S, reach=zone)
        for label, zone in zip((ONE, TWO), zones, strict=True)
    }
    boxes = {label: Compartment(cycles=worn) for label, worn in zip((ONE, TWO), cycles, strict=True)}
    state = with_(site, compartments=boxes)
    state = replace(state, setup=replace(state.setup, cards=cards))
    assert allocate.allocate(state, a_parcel(1, ParcelState.RECEIVED), SizeClass.S) == chosen
    assert allocate.allocate(state, a_parcel(1, ParcelState.RECEIVED), SizeClass.S, besides=chosen) != chosen


def test_low_said_at_a_high_door_asks_for_the_parcel_back_and_said_at_a_low_one_nothing(site: VirtualSite) -> None:
    for bits, size, step in ((1, SizeClass.S, Step.TAKE_BACK), (2, SizeClass.M, Step.PUT_IN)):
        other = VirtualSite()
        other.announce(bits, size=size)
        other.sign_in()
        other.scan(LABEL_OF_PARCEL)
        other.open(other.task_compartment())
        other.press(Button.LOW)
        task = other.state.live.task
        assert task is not None
        assert task.step is step


@pytest.mark.parametrize(
    ("parcel", "purpose"),
    [
        ({"state": ParcelState.COLLECTING}, Purpose.REOPEN),
        ({"state": ParcelState.STORED}, Purpose.VERIFY),
        ({"state": ParcelState.DISPUTED}, Purpose.VERIFY),
    ],
)
def test_c_06_on_the_word_of_staff_a_door_opens_for_its_customer_only_if_they_had_opened_it(
    site: VirtualSite, parcel: dict[str, object], purpose: Purpose
) -> None:
    inside: Parcel = replace(a_parcel(1, place=in_compartment(ONE), session="1.7"), **parcel)  # type: ignore[arg-type]
    state = with_(
        site,
        staff=AMINA,
        parcels={inside.id: inside},
        compartments={**site.state.durable.compartments, ONE: Compartment(Occupancy.OCCUPIED, parcel=inside.id)},
    )
    said = decide(state, Pressed(Button.REOPEN, compartment=ONE), NOON)
    assert [fact.purpose for fact in said.facts if isinstance(fact, f.OpeningOrdered)] == [purpose]


def test_m_09_the_door_that_opens_with_the_key_is_the_one_last_spoken_of(site: VirtualSite) -> None:
    site.sign_in()
    site.press(Button.KEY_OPENING, compartment="1")
    site.press(Button.CANCEL)
    site.press(Button.KEY_OPENING, compartment="2")
    state = site.state
    first, second = (decide(state, DoorChanged(label, open=True), site.clock.now()) for label in (ONE, TWO))
    assert [fact.alarm for fact in first.facts if isinstance(fact, f.AlarmRaised)] == ["door_forced"]
    assert [fact.alarm for fact in second.facts if isinstance(fact, f.AlarmRaised)] == []


@pytest.mark.parametrize(
    ("parcel", "after"), [(ParcelState.STORED, "move"), (ParcelState.COLLECTING, "nothing"), (None, "nothing")]
)
def test_m_09_what_is_stored_behind_a_door_opened_with_the_key_moves_and_it_is_heard_that_it_may(
    site: VirtualSite, parcel: ParcelState | None, after: str
) -> None:
    box = Compartment(Occupancy.OCCUPIED, parcel=pid(1))
    state = with_(
        site,
        parcels={} if parcel is None else {pid(1): a_parcel(1, parcel, place=in_compartment(ONE))},
        compartments={**site.state.durable.compartments, ONE: box},
    )
    said = keyed.said(state, AMINA, ONE, NOON)
    assert [effect.task.after for effect in said.effects if isinstance(effect, SetTask) and effect.task] == [after]
    assert heard(said) == ["ok"]


# ------------------------------------------------------------------------------------------------- handing a parcel in


def test_c_32_a_larger_door_is_offered_while_there_is_one_and_once(site: VirtualSite) -> None:
    put_in = Sending(pid(1), SendStep.PUT_IN, SizeClass.S, TWO)
    for taken, may in (((), True), ((THREE, FOUR), False), ((FOUR,), True), ((THREE,), True)):
        state = with_(site, compartments=free_but(site, *taken))
        assert sending.may_grow(state, put_in) is may, taken
        assert not sending.may_grow(state, replace(put_in, grown=True))
        assert not sending.may_grow(state, replace(put_in, compartment=None))
    largest = replace(put_in, compartment=FOUR)
    assert not sending.may_grow(with_(site, compartments=free_but(site)), largest)


def test_c_32_the_sizes_that_are_shown_are_those_of_a_door_that_nobody_stands_at(site: VirtualSite) -> None:
    at_four = Task(Step.ASK_EMPTY, None, FOUR)
    for taken, task, sizes in (
        ((), None, "SML"), ((FOUR,), None, "SM"), ((THREE, FOUR), None, "S"), ((ONE, TWO, THREE, FOUR), None, ""),
        ((), at_four, "SM"), ((ONE, TWO, THREE), at_four, ""),
    ):  # fmt: skip
        state = with_(site, compartments=free_but(site, *taken), task=task)
        assert "".join(size.value for size in sending.sizes(state)) == sizes, (taken, task)


def test_c_32_no_door_that_staff_stand_at_opens_even_if_it_is_the_last(site: VirtualSite) -> None:
    known = a_parcel(1, ParcelState.ANNOUNCED, sending=True)
    state = with_(
        site,
        parcels={known.id: known},
        compartments=free_but(site, TWO, THREE, FOUR),
        sending=Sending(known.id, SendStep.CHOOSE_SIZE, asked_mono=NOON.mono),
    )
    size = Pressed(Button.SEND_SIZE, "S", parcel=known.id)
    alone = decide(state, size, NOON)
    assert Pulse(ONE) in alone.effects
    state = replace(state, live=replace(state.live, task=Task(Step.ASK_EMPTY, None, ONE)))
    beside_staff = decide(state, size, NOON)
    assert [fact.reason for fact in beside_staff.facts if isinstance(fact, f.StaffCalled)] == ["send_no_room"]
    assert not any(isinstance(effect, Pulse) for effect in beside_staff.effects)


@pytest.mark.parametrize(
    ("others", "voided"),
    [
        ({"state": ParcelState.ANNOUNCED, "sending": True}, True),
        ({"state": ParcelState.ANNOUNCED, "sending": False}, False),
        ({"state": ParcelState.RECEIVED, "sending": True}, False),
        ({"state": ParcelState.STORED, "sending": True, "place": on_shelf("E1")}, False),
    ],
)
def test_c_32_of_two_hundred_unused_slips_the_oldest_is_void_and_one_that_was_used_is_not_counted(
    site: VirtualSite, others: dict[str, object], *, voided: bool
) -> None:
    unused = [a_parcel(bits, ParcelState.ANNOUNCED, sending=True) for bits in range(1, sending.SLIPS_MAX)]
    last = replace(a_parcel(900), **others)  # type: ignore[arg-type]
    state = with_(site, staff=AMINA, parcels={parcel.id: parcel for parcel in (*unused, last)})
    state = replace(state, live=replace(state.live, needs=replace(state.live.needs, sends="poste")))
    said = decide(state, Scanned(LABEL_OF_PARCEL, 0xAB), NOON)
    removed = [(fact.parcel, fact.reason) for fact in said.facts if isinstance(fact, f.ParcelRemoved)]
    assert removed == ([(pid(1), "slip_unused")] if voided else [])
    assert ShowSlip(pid(0xAB)) in said.effects


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        (Sending(pid(1), SendStep.PUT_IN, SizeClass.S, ONE), True),
        (Sending(pid(2), SendStep.PUT_IN, SizeClass.S, ONE), False),
        (Sending(pid(1), SendStep.PUT_IN, SizeClass.S, TWO), False),
        (None, False),
    ],
)
def test_c_32_is_it_inside_is_asked_of_who_stands_at_that_door_with_that_parcel(
    site: VirtualSite, known: Sending | None, *, asked: bool
) -> None:
    parcel = a_parcel(1, ParcelState.RECEIVED, sending=True)
    opening = Opening("1.5", ONE, Purpose.SEND, Phase.OPEN, parcel.id)
    state = with_(
        site,
        parcels={parcel.id: parcel},
        openings={ONE: opening},
        compartments={ONE: Compartment(Occupancy.RESERVED, parcel=parcel.id)},
        sending=known,
    )
    said = sending.closed(state, opening, NOON)
    steps = [effect.sending.step for effect in said.effects if isinstance(effect, SetSending) and effect.sending]
    assert steps == ([SendStep.ASK_INSIDE] if asked else [])
    assert heard(said) == (["attention"] if asked else ["off"])
    assert [f.kind(fact) for fact in said.facts] == ([] if asked else ["reservation_released"])


@pytest.mark.parametrize(
    ("occupancy", "facts"),
    [(Occupancy.UNKNOWN, []), (Occupancy.FREE, ["occupancy_set"]), (Occupancy.OCCUPIED, ["occupancy_set"])],
)
def test_c_32_what_nobody_kept_for_the_sender_is_unknown_and_said_once(
    site: VirtualSite, occupancy: Occupancy, facts: list[str]
) -> None:
    opening = Opening("1.5", ONE, Purpose.SEND, Phase.OPEN, pid(1))
    state = with_(site, openings={ONE: opening}, compartments={ONE: Compartment(occupancy)})
    assert [f.kind(fact) for fact in sending.closed(state, opening, NOON).facts] == facts


# ------------------------------------------------------------------------------------------------------ several at once


@pytest.mark.parametrize(
    ("own", "opens"),
    [
        (ParcelState.ANNOUNCED, "2"), (ParcelState.RECEIVED, "2"), (ParcelState.COLLECTING, "2"),
        (ParcelState.STORED, "1"), (ParcelState.DISPUTED, "2"),
    ],
)  # fmt: skip
def test_c_25_the_slip_of_one_opens_the_door_of_the_other_that_waits(
    site: VirtualSite, own: ParcelState, opens: str
) -> None:
    place = None if own in {ParcelState.ANNOUNCED, ParcelState.RECEIVED} else in_compartment(ONE)
    first = a_parcel(1, own, place=place, group="g", session="1.2", reopens=3)
    second = a_parcel(2, place=in_compartment(TWO), group="g")
    boxes = {
        ONE: Compartment(Occupancy.OCCUPIED, parcel=first.id),
        TWO: Compartment(Occupancy.OCCUPIED, parcel=second.id),
    }
    state = with_(site, parcels={first.id: first, second.id: second}, compartments={**free_but(site), **boxes})
    said = decide(state, Scanned(site.slip(first.id), 1), NOON)
    ordered = [str(fact.compartment) for fact in said.facts if isinstance(fact, f.OpeningOrdered)]
    assert ordered == [opens]
    reasons = [fact.reason for fact in said.facts if isinstance(fact, f.SlipRefused)]
    assert reasons == [], "nobody is refused whose other parcel waits"


# ----------------------------------------------------------------------------------------------------------- the hint


@pytest.mark.parametrize(
    ("opening", "hint_at"),
    [
        (None, NOON.mono + 10_000),
        (Opening("1.1", ONE, Purpose.COLLECT, Phase.PULSING), None),
        (Opening("1.1", ONE, Purpose.COLLECT, Phase.OPEN, opened_mono=NOON.mono - 1), NOON.mono + 179_999),
        (Opening("1.1", ONE, Purpose.COLLECT, Phase.OPEN, opened_mono=NOON.mono - 200_000), NOON.mono + 10_000),
        (Opening("1.1", ONE, Purpose.COLLECT, Phase.CLOSED, opened_mono=NOON.mono), NOON.mono + 10_000),
    ],
)
def test_c_33_the_hint_waits_for_the_door_that_the_screen_shows(
    site: VirtualSite, opening: Opening | None, hint_at: int | None
) -> None:
    state = with_(site, trying_since=NOON.mono, openings={} if opening is None else {ONE: opening})
    assert trying.hint_at(state) == hint_at


@pytest.mark.parametrize(
    ("live", "is_due"),
    [
        ({"hints": 2}, True), ({"hints": 3}, False), ({"scanner": False}, False), ({"trying_since": None}, False),
        ({"sending": Sending(pid(1), SendStep.CHOOSE_SIZE)}, False),
        ({"sending": Sending(pid(1), SendStep.ASK_INSIDE)}, False),
        ({"sending": Sending(pid(1), SendStep.PUT_IN)}, True),
    ],
)  # fmt: skip
def test_c_33_no_hint_for_who_is_asked_something_else_or_cannot_be_read(
    site: VirtualSite, live: dict[str, object], *, is_due: bool
) -> None:
    assert (trying.hint_at(with_(site, **{"trying_since": NOON.mono, **live})) is not None) is is_due


# ------------------------------------------------------------------------------------------------- what staff hear and see


def shelved(site: VirtualSite, **more: object) -> tuple[State, ParcelId]:
    parcel = replace(a_parcel(1, place=on_shelf("E1"), tracking="T"), **more)  # type: ignore[arg-type]
    return with_(site, staff=AMINA, parcels={parcel.id: parcel}), parcel.id


@pytest.mark.parametrize(
    ("button", "value", "notice", "signal"),
    [
        (Button.HAND_OVER, "", "handed_over", "ok"),
        (Button.REMOVE, "", "removed", "ok"),
        (Button.REISSUE, "other/known", "reissued", "ok"),
        (Button.MANDATE, "known", "mandate_issued", "ok"),
        (Button.EXTEND, "7/asked", "extended", "ok"),
        (Button.LOW, "", "needs_noted", "ok"),
        (Button.HEAVY, "", "needs_noted", "ok"),
        (Button.ARRIVED_DAMAGED, "", "needs_noted", "ok"),
        (Button.SENDING, "poste", "sending_next", "ok"),
        (Button.SIZE, "M", "size_noted", "ok"),
    ],
)
def test_what_is_done_at_the_desk_is_seen_and_heard(
    site: VirtualSite, button: Button, value: str, notice: str, signal: str
) -> None:
    state, parcel = shelved(site)
    said = decide(state, Pressed(button, value, parcel=parcel), NOON)
    assert ([kind.value for kind in staff_told(said)], heard(said)) == ([notice], [signal])


def test_s_13_a_nameless_parcel_and_one_in_hand_go_to_the_shelf_with_a_sound(site: VirtualSite) -> None:
    in_hand = a_parcel(1, ParcelState.RECEIVED)
    for task in (None, Task(Step.CHOOSE_SIZE, in_hand.id), Task(Step.PUT_ON_SHELF, in_hand.id)):
        state = with_(site, staff=AMINA, task=task, parcels={in_hand.id: in_hand})
        said = decide(state, Pressed(Button.UNIDENTIFIED, entropy=9), NOON)
        assert heard(said) == ["ok"]
        steps = [effect.task.step for effect in said.effects if isinstance(effect, SetTask) and effect.task]
        assert steps == [Step.PUT_ON_SHELF]


def test_k_02_while_a_task_stands_nothing_is_said_of_the_next_label(site: VirtualSite) -> None:
    state = with_(site, staff=AMINA, task=Task(Step.PUT_IN, pid(1), THREE), parcels={pid(1): a_parcel()})
    said = decide(state, Pressed(Button.SENDING, "poste"), NOON)
    (notice,) = (effect.notice for effect in said.effects if isinstance(effect, ShowStaff))
    assert (notice.kind, notice.compartment) == (StaffNoticeKind.FINISH_FIRST, THREE)


def test_what_somebody_may_not_do_names_the_right_that_is_wanted(site: VirtualSite) -> None:
    state, parcel = shelved(site)
    state = replace(state, durable=replace(state.durable, staff=Staff("karim", "courier", "1.2", "ups")))
    for button, right in ((Button.HAND_OVER, "hand_over"), (Button.CHECK, "look"), (Button.PRACTISE, "practise")):
        said = decide(state, Pressed(button, compartment=ONE, parcel=parcel), NOON)
        (notice,) = (effect.notice for effect in said.effects if isinstance(effect, ShowStaff))
        assert (notice.kind, notice.right, heard(said)) == (StaffNoticeKind.NOT_YOURS, right, ["refused"])


def test_the_picture_of_a_shelf_names_its_place(site: VirtualSite) -> None:
    state, parcel = shelved(site)
    (view,) = build_view(state, 1, NOON).staff.parcels
    assert view.place is not None
    assert (view.parcel, view.place.kind, view.place.name) == (parcel, PlaceKind.SHELF, "E1")
