"""Tables of who is at work where: what keeps the hub from a door, a parcel from moving, a customer from a complaint, one key from another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.core import groups, moving, remote, reports
from controller.core.events import Button, Pressed
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
    Waiting,
    in_compartment,
)
from controller.core.notices import Notice, NoticeKind
from tests.controller.states import a_parcel, with_
from tests.controller.virtual_site import VirtualSite
from wire.ids import Door, Label, Occupancy, ParcelState, Purpose, ReachZone, Service, SizeClass
from wire.ids import parcel_id_from_bits as pid
from wire.messages import Command
from wire.plan import Intent

ONE, TWO = Label("1"), Label("2")
NOON = Now(mono=10_000_000, wall_ms=1, boot=1)
AMINA = Staff("amina", "concierge", "1.1")


def opening(phase: Phase, purpose: Purpose = Purpose.COLLECT, label: Label = ONE, **more: object) -> Opening:
    return replace(Opening("1.2", label, purpose, phase, pid(1)), **more)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------- the hub's doors


def refusal(state: State) -> str:
    """What the hub hears when it asks for door 2."""
    command = Command(
        id="command-1", verb="open", issued_at_ms=NOON.wall_ms, expires_at_ms=NOON.wall_ms + 9, session="1",
        until_mono_ms=NOON.mono + 9, actor="lea", approver="marc", reason="repair", compartment=TWO,
    )  # fmt: skip
    return next(str(getattr(fact, "reason", "")) for fact in remote.asked(state, command, NOON).facts)


@pytest.mark.parametrize(
    "at_work",
    [
        {"staff": AMINA},
        {"task": Task(Step.CHOOSE_SIZE, pid(1))},
        {"sending": Sending(pid(1), SendStep.CHOOSE_SIZE)},
        {"waiting": (Waiting("anything", 1),)},
        {"notice": Notice(NoticeKind.THANKS)},
        {"trying_since": 1},
        {"trying_since": 0},
        {"last_text": b"x", "last_text_mono": NOON.mono - 29_999},
    ],
)
def test_whoever_is_at_the_bank_keeps_its_doors_shut_to_the_hub(site: VirtualSite, at_work: dict[str, object]) -> None:
    assert refusal(with_(site)) == "repair"
    assert refusal(with_(site, **at_work)) == "busy"


def test_half_a_minute_after_something_was_read_they_are_gone(site: VirtualSite) -> None:
    assert refusal(with_(site, last_text=b"x", last_text_mono=NOON.mono - 30_000)) == "repair"


def test_a_door_kept_for_a_parcel_stays_shut_and_the_one_beside_it_does_not(site: VirtualSite) -> None:
    kept = replace(site.state.durable.compartments[TWO], occupancy=Occupancy.RESERVED, parcel=pid(1))
    beside = {**site.state.durable.compartments, ONE: kept}
    assert refusal(with_(site, compartments={**site.state.durable.compartments, TWO: kept})) == "busy"
    assert refusal(with_(site, compartments=beside)) == "repair"


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (opening(Phase.PULSING, pulse_mono=0), "busy"),
        (opening(Phase.PULSING, Purpose.REMOTE, pulse_mono=0), "busy"),
        (opening(Phase.OPEN, Purpose.REMOTE, pulse_mono=NOON.mono - 1_499), "busy"),
        (opening(Phase.OPEN, Purpose.REMOTE, pulse_mono=NOON.mono - 1_500), "repair"),
        (opening(Phase.CLOSED, Purpose.REMOTE, closed_mono=NOON.mono), "repair"),
        (opening(Phase.OPEN), "busy"),
        (opening(Phase.OPEN, alarmed=True), "repair"),
        (opening(Phase.CLOSED, closed_mono=NOON.mono - 29_999), "busy"),
        (opening(Phase.CLOSED, closed_mono=NOON.mono - 30_000), "repair"),
        (opening(Phase.FAILED, closed_mono=NOON.mono - 29_999), "busy"),
        (opening(Phase.FAILED, closed_mono=NOON.mono - 30_000), "repair"),
    ],
)
def test_another_door_keeps_the_hub_waiting_while_somebody_may_stand_at_it(
    site: VirtualSite, known: Opening, said: str
) -> None:
    assert site.settings.pulse_gap_ms == 1_500
    assert refusal(with_(site, openings={ONE: known})) == said


# ------------------------------------------------------------------------------------------------- room for another (S-14)


def crowded(site: VirtualSite, **compartment: object) -> State:
    """A parcel for anybody behind the only small door at hand, one in hand that must lie there, a high door free."""
    inside = a_parcel(1, place=in_compartment(TWO), size=SizeClass.S)
    wanted = a_parcel(2, ParcelState.RECEIVED, reach=ReachZone.MID, size=SizeClass.S)
    holds = replace(Compartment(Occupancy.OCCUPIED, parcel=inside.id), **compartment)  # type: ignore[arg-type]
    return with_(
        site,
        parcels={inside.id: inside, wanted.id: wanted},
        compartments={**site.state.durable.compartments, TWO: holds},
    )


IN_HAND = Task(Step.PUT_ON_SHELF, pid(2))


def changed(state: State, bits: int, /, **fields: object) -> State:
    known = replace(state.durable.parcels[pid(bits)], **fields)  # type: ignore[arg-type]
    return replace(state, durable=replace(state.durable, parcels={**state.durable.parcels, known.id: known}))


def test_the_parcel_that_waits_for_anybody_makes_room(site: VirtualSite) -> None:
    assert moving.room_for(crowded(site), IN_HAND) == TWO


@pytest.mark.parametrize(
    "compartment",
    [
        {"occupancy": Occupancy.UNKNOWN},
        {"occupancy": Occupancy.RESERVED},
        {"doubted": True},
        {"service": Service.SUSPECT},
        {"service": Service.OUT_OF_SERVICE},
        {"parcel": None},
        {"parcel": pid(404)},
    ],
)
def test_no_door_that_anybody_doubts_makes_room(site: VirtualSite, compartment: dict[str, object]) -> None:
    assert moving.room_for(crowded(site, **compartment), IN_HAND) is None


@pytest.mark.parametrize(
    "parcel",
    [
        {"state": ParcelState.COLLECTING},
        {"state": ParcelState.REFUSED},
        {"uncertain": True},
        {"intent": Intent.RECALL},
        {"reach": ReachZone.MID},
        {"size": SizeClass.XL},
    ],
)
def test_no_parcel_that_anybody_waits_for_or_that_fits_nowhere_else_makes_room(
    site: VirtualSite, parcel: dict[str, object]
) -> None:
    assert moving.room_for(changed(crowded(site), 1, **parcel), IN_HAND) is None


@pytest.mark.parametrize(
    ("phase", "room"), [(Phase.PULSING, None), (Phase.OPEN, None), (Phase.CLOSED, TWO), (Phase.FAILED, TWO)]
)
def test_at_a_door_that_somebody_is_served_at_no_room_is_made(
    site: VirtualSite, phase: Phase, room: Label | None
) -> None:
    state = crowded(site)
    state = replace(state, durable=replace(state.durable, openings={TWO: opening(phase, label=TWO)}))
    assert moving.room_for(state, IN_HAND) == room


@pytest.mark.parametrize("door", [Door.OPEN, Door.UNKNOWN])
def test_nor_behind_a_door_that_is_not_seen_shut(site: VirtualSite, door: Door) -> None:
    state = crowded(site)
    state = replace(state, live=replace(state.live, doors={**state.live.doors, TWO: door}))
    assert moving.room_for(state, IN_HAND) is None


@pytest.mark.parametrize(
    "task",
    [
        replace(IN_HAND, step=Step.CHOOSE_SIZE),
        replace(IN_HAND, then=pid(3)),
        replace(IN_HAND, parcel=None),
        replace(IN_HAND, parcel=pid(404)),
    ],
)
def test_room_is_made_for_what_would_go_on_the_shelf_and_for_nothing_else(site: VirtualSite, task: Task) -> None:
    assert moving.room_for(crowded(site), task) is None


@pytest.mark.parametrize("fields", [{"reach": None}, {"unidentified": True}, {"size": SizeClass.M}])
def test_nor_for_whom_any_door_would_do_nor_where_it_does_not_fit(site: VirtualSite, fields: dict[str, object]) -> None:
    assert moving.room_for(changed(crowded(site), 2, **fields), IN_HAND) is None


def test_of_two_doors_the_smaller_one_is_emptied_whatever_its_number(site: VirtualSite) -> None:
    state = crowded(site)
    for bits, label, size in ((3, Label("3"), SizeClass.S), (4, Label("4"), SizeClass.S)):
        other = a_parcel(bits, place=in_compartment(label), size=size)
        state = replace(
            state,
            durable=replace(
                state.durable,
                parcels={**state.durable.parcels, other.id: other},
                compartments={
                    **state.durable.compartments,
                    label: Compartment(Occupancy.OCCUPIED, parcel=other.id),
                    TWO: Compartment(Occupancy.UNKNOWN),
                },
            ),
        )
    cards = dict(site.setup.cards)
    cards[Label("3")], cards[Label("4")] = cards[Label("4")], cards[Label("3")]
    state = replace(changed(state, 2, reach=ReachZone.LOW), setup=replace(state.setup, cards=cards))
    assert [card.size for card in cards.values()] == [SizeClass.S, SizeClass.S, SizeClass.L, SizeClass.M]
    assert moving.room_for(state, IN_HAND) == Label("4")


# ------------------------------------------------------------------------------------------- what customers say (C-09 …)


@pytest.mark.parametrize(
    ("purpose", "phase", "parcel", "since_ms", "heard"),
    [
        (Purpose.COLLECT, Phase.OPEN, {}, 0, True),
        (Purpose.REOPEN, Phase.OPEN, {}, 0, True),
        (Purpose.VERIFY, Phase.OPEN, {}, 0, False),
        (Purpose.LOAD, Phase.OPEN, {}, 0, False),
        (Purpose.SEND, Phase.OPEN, {}, 0, False),
        (Purpose.REMOTE, Phase.OPEN, {}, 0, False),
        (Purpose.COLLECT, Phase.PULSING, {}, 0, False),
        (Purpose.COLLECT, Phase.FAILED, {}, 0, False),
        (Purpose.COLLECT, Phase.CLOSED, {}, 0, False),
        (Purpose.COLLECT, Phase.OPEN, {"state": ParcelState.DISPUTED}, 0, False),
        (Purpose.COLLECT, Phase.OPEN, {"state": ParcelState.REFUSED}, 0, False),
        (Purpose.COLLECT, Phase.CLOSED, {"state": ParcelState.COLLECTING, "session": "1.2"}, 899_999, True),
        (Purpose.REOPEN, Phase.CLOSED, {"state": ParcelState.COLLECTING, "session": "1.2"}, 899_999, True),
        (Purpose.COLLECT, Phase.CLOSED, {"state": ParcelState.COLLECTING, "session": "1.2"}, 900_000, False),
        (Purpose.COLLECT, Phase.CLOSED, {"state": ParcelState.COLLECTING, "session": "1.1"}, 0, False),
        (Purpose.COLLECT, Phase.FAILED, {"state": ParcelState.COLLECTING, "session": "1.2"}, 0, False),
        (Purpose.COLLECT, Phase.CLOSED, {"state": ParcelState.STORED, "session": "1.2"}, 0, False),
    ],
)
def test_a_complaint_is_heard_at_the_open_door_and_until_the_dispute_window_ends(
    site: VirtualSite, purpose: Purpose, phase: Phase, parcel: dict[str, object], since_ms: int, *, heard: bool
) -> None:
    known: Parcel = replace(
        a_parcel(1, place=in_compartment(ONE), since_mono=NOON.mono - since_ms),
        **parcel,  # type: ignore[arg-type]
    )
    state = with_(site, parcels={known.id: known}, openings={ONE: opening(phase, purpose)})
    said = reports.reported(state, Pressed(Button.DAMAGED, compartment=ONE), NOON)
    assert any(getattr(fact, "reason", "") == "damaged" for fact in said.facts) is heard


# --------------------------------------------------------------------------------------------------- one person, two slips


@pytest.mark.parametrize(
    ("state_", "known", "served"),
    [
        (ParcelState.STORED, opening(Phase.PULSING), True),
        (ParcelState.STORED, opening(Phase.OPEN), True),
        (ParcelState.COLLECTING, opening(Phase.OPEN), True),
        (ParcelState.STORED, opening(Phase.OPEN, alarmed=True), False),
        (ParcelState.STORED, opening(Phase.CLOSED), False),
        (ParcelState.STORED, opening(Phase.FAILED), False),
        (ParcelState.STORED, opening(Phase.OPEN, parcel=pid(2)), False),
        (ParcelState.STORED, None, False),
        (ParcelState.DISPUTED, opening(Phase.OPEN), False),
    ],
)
def test_somebody_is_served_while_their_own_door_moves_or_stands_open_and_nobody_was_called(
    site: VirtualSite, state_: ParcelState, known: Opening | None, *, served: bool
) -> None:
    parcel = a_parcel(1, state_, place=in_compartment(ONE), group="g")
    state = with_(site, parcels={parcel.id: parcel}, openings={} if known is None else {ONE: known})
    assert groups.is_under_way(state, parcel) is served
