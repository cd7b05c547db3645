"""Doors that staff come to after others: left by customers, blind, forced, spoken of before or after, full of what nobody expected."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.core import keyed, loading, retrieval, sensors
from controller.core.decide import decide
from controller.core.effects import Decision, RememberNeeds, SetSending, SetTask, ShowStaff, Wait
from controller.core.events import Button, DoorChanged, Pressed, PulseFailed, Scanned
from controller.core.evolve import evolve
from controller.core.handing_in import Sending, SendStep
from controller.core.model import (
    After,
    Compartment,
    Needs,
    Now,
    Opening,
    Phase,
    Staff,
    State,
    Step,
    Task,
    in_compartment,
    on_shelf,
)
from controller.core.notices import NoticeKind, StaffNoticeKind
from controller.core.observe import observe
from controller.core.picture import build_view
from tests.controller.states import a_parcel, customer_told, heard, staff_told, with_
from tests.controller.virtual_site import LABEL_OF_PARCEL, NUMBER, SITE_KEY, VirtualSite
from wire import facts as f
from wire.badges import CommandCard
from wire.ids import Door, Label, Occupancy, ParcelState, Purpose, Service, SizeClass, Trust
from wire.ids import parcel_id_from_bits as pid
from wire.mandate import mandate_text
from wire.pickup import PickupKey
from wire.plan import Intent

ONE, TWO, THREE = Label("1"), Label("2"), Label("3")
NOON = Now(mono=100_000_000, wall_ms=1_790_000_000_000, trust=Trust.NTP, boot=1)
AMINA = Staff("amina", "concierge", "1.1")


def kinds(said: Decision) -> list[str]:
    return [f.kind(fact) for fact in said.facts]


def behind_one(site: VirtualSite, known: Compartment | None = None, **more: object) -> State:
    """A parcel stored behind door 1; `more` are further parts of the state."""
    inside = a_parcel(1, place=in_compartment(ONE), tracking=LABEL_OF_PARCEL)
    box = known or Compartment(Occupancy.OCCUPIED, parcel=inside.id)
    parts: dict[str, object] = {
        "staff": AMINA,
        "parcels": {inside.id: inside},
        "compartments": {**site.state.durable.compartments, ONE: box},
        **more,
    }
    return with_(site, **parts)


# ------------------------------------------------------------------------------------------------------- blind switches


def blind(phase: Phase = Phase.OPEN, purpose: Purpose = Purpose.COLLECT) -> Opening:
    """An opening whose switch read open already when the latch was fired, a minute ago."""
    return Opening("1.5", ONE, purpose, phase, pid(1), pulse_mono=NOON.mono - 61_000, opened_mono=NOON.mono - 60_000)


def distrusted(site: VirtualSite, opening: Opening, **more: object) -> State:
    parts: dict[str, object] = {
        "openings": {ONE: opening},
        "doors": {**site.state.live.doors, ONE: Door.OPEN},
        "opened": {ONE: NOON.mono - 9_000_000},
        "sensor_told": frozenset({ONE}),
        **more,
    }
    return behind_one(site, None, **parts)


@pytest.mark.parametrize(
    ("more", "ends"),
    [
        ({}, True),
        ({"task": Task(Step.TAKE_BACK, pid(1), ONE)}, False),
        ({"task": Task(Step.TAKE_BACK, pid(1), TWO)}, True),
        ({"task": Task(Step.PUT_ON_SHELF, pid(1))}, True),
        ({"sensor_told": frozenset()}, False),
        ({"sensor_told": frozenset({TWO})}, False),
        ({"opened": {ONE: NOON.mono - 61_000}}, False),
    ],
)
def test_a_08_an_opening_that_nobody_can_see_the_end_of_ends_with_its_time_unless_staff_stand_there(
    site: VirtualSite, more: dict[str, object], *, ends: bool
) -> None:
    state = distrusted(site, blind(), **more)
    facts = sensors.ends_unseen(state, blind(), NOON)
    assert [f.kind(fact) for fact in facts] == (["opening_resolved", "occupancy_set"] if ends else [])
    assert sensors.ends_unseen(state, blind(), replace(NOON, mono=NOON.mono - 1)) == ()


@pytest.mark.parametrize(
    ("opening", "is_over"),
    [
        (blind(), True),
        (blind(Phase.CLOSED), False),
        (blind(Phase.PULSING), False),
        (replace(blind(), pulse_mono=NOON.mono - 9_000_001), False),
        (None, False),
    ],
)
def test_a_08_with_the_answer_of_staff_such_an_opening_is_over(
    site: VirtualSite, opening: Opening | None, *, is_over: bool
) -> None:
    state = distrusted(site, blind(), openings={} if opening is None else {ONE: opening})
    facts = sensors.answered_unseen(state, Task(Step.TAKE_BACK, pid(1), ONE))
    assert bool(facts) is is_over
    assert sensors.answered_unseen(state, Task(Step.PUT_ON_SHELF, pid(1))) == ()


@pytest.mark.parametrize(
    ("known", "alarms", "facts"),
    [
        (
            Compartment(Occupancy.OCCUPIED, parcel=pid(1)),
            {},
            ["alarm_raised", "service_set", "opening_resolved", "occupancy_set"],
        ),
        (Compartment(Occupancy.UNKNOWN, parcel=pid(1)), {}, ["alarm_raised", "service_set", "opening_resolved"]),
        (
            Compartment(Occupancy.FREE, Service.OUT_OF_SERVICE),
            {"sensor_suspect/1": 1},
            ["opening_resolved", "occupancy_set"],
        ),
    ],
)
def test_a_08_after_two_hours_a_switch_is_not_believed_and_each_word_of_it_is_said_once(
    site: VirtualSite, known: Compartment, alarms: dict[str, int], facts: list[str]
) -> None:
    assert site.settings.sensor_open_ms == 7_200_000
    state = distrusted(site, blind(), alarms=alarms, sensor_told=frozenset(), opened={ONE: NOON.mono - 7_200_000})
    state = replace(state, durable=replace(state.durable, compartments={**state.durable.compartments, ONE: known}))
    (said,) = sensors.sensors_due(state, NOON)
    assert (kinds(said), heard(said)) == (facts, ["attention"])
    assert list(sensors.sensors_due(state, replace(NOON, mono=NOON.mono - 1))) == []


def test_a_switch_is_read_open_from_its_first_word_on_until_it_reads_shut(site: VirtualSite) -> None:
    live = site.state.live
    for mono, is_open, since in ((10, True, 10), (20, True, 10), (30, False, 10), (40, False, 10), (50, True, 50)):
        live = observe(live, DoorChanged(ONE, open=is_open), replace(NOON, mono=mono))
        assert live.opened[ONE] == since, mono


# --------------------------------------------------------------------------------------------- the key, said afterwards


@pytest.mark.parametrize(
    ("opened_ago_ms", "since_ago_ms", "ours_ago_ms", "in_time"),
    [
        (299_999, 299_999, None, True),
        (300_000, 0, None, False),
        (0, 300_000, None, False),
        (None, 0, None, False),
        (1_000, 1_000, 999, False),
        (1_000, 1_000, 1_000, False),
        (1_000, 1_000, 1_001, True),
    ],
)
def test_m_09_the_key_is_said_within_five_minutes_of_the_last_opening_and_of_no_other(
    site: VirtualSite, opened_ago_ms: int | None, since_ago_ms: int, ours_ago_ms: int | None, *, in_time: bool
) -> None:
    ours = Opening("1.5", ONE, Purpose.COLLECT, Phase.CLOSED, opened_mono=NOON.mono - (ours_ago_ms or 0))
    for door, step in ((Door.OPEN, Step.TAKE_BACK), (Door.CLOSED, Step.ASK_EMPTY)):
        state = behind_one(
            site,
            alarms={"door_forced/1": NOON.wall_ms - since_ago_ms},
            opened={} if opened_ago_ms is None else {ONE: NOON.mono - opened_ago_ms},
            openings={} if ours_ago_ms is None else {ONE: ours},
            doors={ONE: door},
        )
        said = keyed.said(state, AMINA, ONE, NOON)
        if not in_time:
            assert (kinds(said), staff_told(said), heard(said)) == ([], [StaffNoticeKind.KEY_TOO_LATE], ["refused"])
            continue
        assert kinds(said) == ["key_opening_declared", "alarm_cleared"]
        declared = said.facts[0]
        assert isinstance(declared, f.KeyOpeningDeclared)
        assert (declared.open, declared.opened_ms) == (door is Door.OPEN, NOON.wall_ms - since_ago_ms)
        tasks = [effect.task for effect in said.effects if isinstance(effect, SetTask) and effect.task]
        assert [(task.step, task.parcel, task.after) for task in tasks] == [(step, pid(1), After.NOTHING)]


def test_m_09_said_of_a_door_that_reads_open_without_an_alarm_it_is_still_to_come(site: VirtualSite) -> None:
    said = keyed.said(behind_one(site, doors={ONE: Door.OPEN}), AMINA, ONE, NOON)
    declared = said.facts[0]
    assert isinstance(declared, f.KeyOpeningDeclared)
    assert (declared.open, declared.opened_ms) == (False, 0)


# ------------------------------------------------------------------------------------------------ a door that is shut again


def test_a_customer_who_shuts_the_door_that_staff_look_behind_is_thanked_and_staff_are_asked(site: VirtualSite) -> None:
    opening = replace(blind(), pulse_mono=NOON.mono - 20_000, opened_mono=NOON.mono - 20_000)
    for task, ask in (
        (Task(Step.TAKE_BACK, pid(1), ONE), True),
        (Task(Step.TAKE_BACK, pid(1), TWO), False),
        (None, False),
    ):
        state = behind_one(site, openings={ONE: opening}, task=task)
        said = decide(state, DoorChanged(ONE, open=False), NOON)
        assert (customer_told(said), heard(said)) == ([NoticeKind.THANKS], ["ok", "attention"] if ask else ["ok"])
        steps = [effect.task.step for effect in said.effects if isinstance(effect, SetTask) and effect.task]
        assert steps == ([Step.ASK_EMPTY] if ask else [])


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"opened_mono": NOON.mono - 1_999}, "closed_at_once"),
        ({"opened_mono": NOON.mono - 1_999, "blind": True}, "sensor_reads_open"),
        ({"opened_mono": NOON.mono - 9_000, "blind": True}, "sensor_reads_open"),
        ({"opened_mono": NOON.mono - 9_000, "dark": True}, "open_at_boot"),
        ({"opened_mono": NOON.mono - 9_000, "dark": True, "blind": True}, "sensor_reads_open"),
        ({"opened_mono": NOON.mono - 2_000}, ""),
    ],
)
def test_what_was_not_seen_to_be_taken_is_not_called_taken_and_the_reason_is_kept(
    site: VirtualSite, more: dict[str, object], reason: str
) -> None:
    opening = replace(blind(), **more)  # type: ignore[arg-type]
    said = decide(behind_one(site, openings={ONE: opening}), DoorChanged(ONE, open=False), NOON)
    assert [fact.reason for fact in said.facts if isinstance(fact, f.OccupancySet)] == ([reason] if reason else [])
    assert ("parcel_taken" in kinds(said)) is (reason == "")
    assert customer_told(said) == [NoticeKind.QUICK_CLOSE if reason else NoticeKind.THANKS]
    again = decide(
        behind_one(site, Compartment(Occupancy.UNKNOWN, parcel=pid(1)), openings={ONE: opening}),
        DoorChanged(ONE, open=False),
        NOON,
    )
    assert "occupancy_set" not in kinds(again)


def test_a_look_that_nobody_finished_leaves_its_door_unknown_and_the_lamp_dark(site: VirtualSite) -> None:
    for purpose, facts in ((Purpose.VERIFY, ["door_closed", "occupancy_set"]), (Purpose.REMOTE, ["door_closed"])):
        state = behind_one(site, openings={ONE: blind(purpose=purpose)})
        said = decide(state, DoorChanged(ONE, open=False), NOON)
        assert (kinds(said), heard(said)) == (facts, ["off"])


# ------------------------------------------------------------------------------------------------- what staff find inside


@pytest.mark.parametrize(
    ("state_", "facts"),
    [
        (ParcelState.RECEIVED, ["parcel_stored"]),
        (ParcelState.COLLECTING, ["parcel_stored"]),
        (ParcelState.STORED, ["occupancy_set"]),
        (ParcelState.DISPUTED, ["occupancy_set"]),
        (ParcelState.REFUSED, ["occupancy_set"]),
        (None, ["occupancy_set", "service_set"]),
    ],
)
def test_m_07_something_lies_there_says_what_that_means_of_the_parcel_expected_there(
    site: VirtualSite, state_: ParcelState | None, facts: list[str]
) -> None:
    parcels = {} if state_ is None else {pid(1): a_parcel(1, state_, place=in_compartment(ONE))}
    seen = loading.seen_inside(behind_one(site, parcels=parcels), AMINA, ONE)
    assert [f.kind(fact) for fact in seen] == facts
    assert {getattr(fact, "by", "") for fact in seen} == {"amina"}


def test_m_01_a_recalled_parcel_at_an_open_door_is_taken_out_at_once_and_behind_another_one_waits(
    site: VirtualSite,
) -> None:
    just_now = replace(blind(), purpose=Purpose.VERIFY, opened_mono=NOON.mono - 30_000)
    state = behind_one(site)
    recalled = replace(state.durable.parcels[pid(1)], intent=Intent.RECALL)
    state = replace(state, durable=replace(state.durable, parcels={recalled.id: recalled}))
    turn = [Pressed(Button.RETRIEVE, parcel=recalled.id)]
    for label, waits in ((ONE, []), (TWO, turn)):
        opening = replace(just_now, compartment=label)
        there = replace(state, durable=replace(state.durable, openings={label: opening}))
        said = retrieval.retrieve(there, AMINA, None, NOON)
        assert [effect.event for effect in said.effects if isinstance(effect, Wait)] == waits


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("phase", Phase)
def test_m_01_where_a_customer_is_being_served_it_is_not_the_turn_of_staff(
    site: VirtualSite, purpose: Purpose, phase: Phase
) -> None:
    state = behind_one(site, openings={ONE: replace(blind(), purpose=purpose, phase=phase)})
    recalled = replace(state.durable.parcels[pid(1)], intent=Intent.RECALL)
    state = replace(state, durable=replace(state.durable, parcels={recalled.id: recalled}))
    customer = purpose in {Purpose.COLLECT, Purpose.REOPEN} and phase in {Phase.PULSING, Phase.OPEN}
    assert retrieval.first_door(state, AMINA, None) == (None if customer else ONE)


@pytest.mark.parametrize(
    ("said", "known", "label"),
    [
        (Needs(), {}, ONE),
        (Needs(heavy=True), {}, TWO),
        (Needs(low=True), {}, TWO),
        (Needs(damaged=True), {}, ONE),
        (Needs(damaged=True), {"heavy_said": True}, TWO),
        (Needs(damaged=True), {"low_said": True}, TWO),
        (Needs(), {"heavy_said": True}, TWO),
        (Needs(low=True), {"heavy_said": True}, TWO),
    ],
)
def test_s_15_what_was_said_before_the_label_is_added_to_what_was_said_of_the_parcel_before(
    site: VirtualSite, said: Needs, known: dict[str, object], label: Label
) -> None:
    parcel = replace(
        a_parcel(1, ParcelState.RECEIVED, tracking=LABEL_OF_PARCEL, size=SizeClass.S),
        **known,  # type: ignore[arg-type]
    )
    state = with_(site, staff=AMINA, parcels={parcel.id: parcel}, needs=said)
    decision = decide(state, Scanned(LABEL_OF_PARCEL, 5), NOON)
    assert [fact.compartment for fact in decision.facts if isinstance(fact, f.CompartmentReserved)] == [label]
    noted = [(fact.heavy, fact.low, fact.damaged) for fact in decision.facts if isinstance(fact, f.ParcelNoted)]
    assert noted == ([] if said == Needs() else [(said.heavy or None, said.low or None, said.damaged or None)])


def test_a_size_that_nobody_said_is_the_last_one_and_else_the_smallest(site: VirtualSite) -> None:
    for own, last, wanted in ((None, None, "S"), (None, SizeClass.L, "L"), (SizeClass.M, SizeClass.L, "M")):
        state = with_(site, last_size=last)
        assert loading.wanted_size(state, a_parcel(1, size=own)) == wanted


# ------------------------------------------------------------------------------------------------ other keys, other screens


@pytest.mark.parametrize(
    ("version", "number", "reason"),
    [
        (1, 1, "replaced"),
        (2, 1, "replaced"),
        (1, 2, "replaced"),
        (2, 2, ""),
        (2, 3, "mandate_withdrawn"),
        (3, 2, "mandate_withdrawn"),
    ],
)
def test_c_30_a_mandate_is_of_the_key_in_force_and_the_newest(
    site: VirtualSite, version: int, number: int, reason: str
) -> None:
    state = behind_one(site)
    parcel = replace(state.durable.parcels[pid(1)], version=2, mandate=2, mandates=2)
    state = replace(state, durable=replace(state.durable, parcels={parcel.id: parcel}))
    text = mandate_text(SITE_KEY, PickupKey(NUMBER, parcel.id, version, 0), number)
    said = decide(state, Scanned(text, 1), NOON)
    assert [fact.reason for fact in said.facts if isinstance(fact, f.SlipRefused)] == ([reason] if reason else [])
    assert ("opening_ordered" in kinds(said)) is (reason == "")


def test_what_a_customer_takes_is_of_the_session_that_opened_its_door(site: VirtualSite) -> None:
    taken = f.ParcelTaken(parcel=pid(1), place=in_compartment(ONE), session="1.9")
    after = evolve(behind_one(site).durable, taken, NOON).parcels[pid(1)]
    assert (after.state, after.session, after.since_mono, after.uncertain) == (
        ParcelState.COLLECTING, "1.9", NOON.mono, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pulse_mono", "screen"),
    [
        (NOON.mono - 10, "choose_size"),
        (NOON.mono - 1, "choose_size"),
        (NOON.mono, "opening"),
        (NOON.mono + 1, "opening"),
    ],
)
def test_c_32_the_sizes_are_asked_until_a_door_opens_for_somebody_else(
    site: VirtualSite, pulse_mono: int, screen: str
) -> None:
    opening = Opening("1.5", ONE, Purpose.COLLECT, Phase.PULSING, pid(1), pulses=1, pulse_mono=pulse_mono)
    state = behind_one(
        site, openings={ONE: opening}, sending=Sending(pid(9), SendStep.CHOOSE_SIZE, asked_mono=NOON.mono)
    )
    assert build_view(state, 1, NOON).customer.screen == screen


def test_c_32_who_is_let_down_by_a_door_has_a_whole_minute_to_choose_again(site: VirtualSite) -> None:
    sender = a_parcel(9, ParcelState.RECEIVED, sending=True)
    opening = Opening("1.5", THREE, Purpose.SEND, Phase.PULSING, sender.id, pulses=1, pulse_mono=NOON.mono)
    state = behind_one(
        site,
        parcels={sender.id: sender},
        compartments={**site.state.durable.compartments, THREE: Compartment(Occupancy.RESERVED, parcel=sender.id)},
        openings={THREE: opening},
        sending=Sending(sender.id, SendStep.PUT_IN, SizeClass.S, THREE, asked_mono=5),
    )
    said = decide(state, PulseFailed(THREE, "no answer"), NOON)
    again = [effect.sending for effect in said.effects if isinstance(effect, SetSending) and effect.sending]
    assert [(one.step, one.asked_mono, one.failed) for one in again] == [(SendStep.CHOOSE_SIZE, NOON.mono, 1)]


# ------------------------------------------------------------------------------------------------------- the shelf, the desk


def test_a_nameless_parcel_takes_what_was_said_of_the_next_one(site: VirtualSite) -> None:
    nameless = a_parcel(1, ParcelState.RECEIVED, tracking=LABEL_OF_PARCEL, unidentified=True)
    state = with_(site, staff=AMINA, parcels={nameless.id: nameless}, needs=Needs(heavy=True))
    said = decide(state, Scanned(LABEL_OF_PARCEL, 5), NOON)
    assert RememberNeeds(Needs()) in said.effects
    assert [effect.task.step for effect in said.effects if isinstance(effect, SetTask) and effect.task] == [
        Step.PUT_ON_SHELF
    ]


@pytest.mark.parametrize(("said", "reason"), [("", "taken_out"), ("damaged", "damaged")])
def test_what_leaves_the_shelf_leaves_for_the_reason_that_was_said(site: VirtualSite, said: str, reason: str) -> None:
    lies = a_parcel(1, ParcelState.DISPUTED, place=on_shelf("E1"), reason=said)
    other = Task(Step.PUT_ON_SHELF, pid(2))
    for task, over in ((None, False), (other, False), (replace(other, parcel=lies.id), True)):
        state = with_(site, staff=AMINA, parcels={lies.id: lies}, task=task)
        removed = decide(state, Pressed(Button.REMOVE, parcel=lies.id), NOON)
        assert [fact.reason for fact in removed.facts if isinstance(fact, f.ParcelRemoved)] == [reason]
        assert (SetTask(None) in removed.effects) is over, "who holds another parcel goes on with it"


def test_m_01_k_04_from_the_shelf_a_courier_takes_their_own_and_what_is_not_there_is_looked_for(
    site: VirtualSite,
) -> None:
    lies = a_parcel(1, place=on_shelf("E1"), tracking="T", carrier="ups", intent=Intent.RECALL)
    state = with_(site, staff=AMINA, parcels={lies.id: lies})
    for person, finds in (
        (AMINA, True),
        (Staff("otto", "courier", "1.2", "UPS"), True),
        (Staff("k", "courier", "1.3", "dhl"), False),
    ):
        said = retrieval.retrieve(state, person, None, NOON)
        assert (staff_told(said) == [StaffNoticeKind.ALL_RETRIEVED]) is not finds
    task = Task(Step.TAKE_FROM_SHELF, lies.id, after=After.RETRIEVE, shelf_place="E1")
    missing = retrieval.not_there(replace(state, live=replace(state.live, task=task)), AMINA, NOON)
    assert (kinds(missing), staff_told(missing)) == (["parcel_disputed"], [StaffNoticeKind.CHECKED])


def test_m_01_at_a_door_that_sprang_open_empty_is_not_heard_and_the_door_is_named(site: VirtualSite) -> None:
    task = Task(Step.ASK_EMPTY, pid(1), ONE, After.RETRIEVE, scanned=True)
    said = retrieval.answered_empty(behind_one(site, task=task, doors={ONE: Door.OPEN}), AMINA, NOON)
    (notice,) = (effect.notice for effect in said.effects if isinstance(effect, ShowStaff))
    assert (notice.kind, notice.compartment, said.facts) == (StaffNoticeKind.CLOSE_DOOR_FIRST, ONE, ())


def test_another_label_is_read_while_a_size_is_asked_and_at_no_other_step(site: VirtualSite) -> None:
    for step in Step:
        state = with_(
            site, staff=AMINA, task=Task(step, pid(1), ONE), parcels={pid(1): a_parcel()}, last_size=SizeClass.S
        )
        said = decide(state, Scanned(LABEL_OF_PARCEL, 5), NOON)
        assert ("parcel_received" in kinds(said)) is (step is Step.CHOOSE_SIZE), step


@pytest.mark.parametrize(
    ("state_", "phase", "screen"),
    [
        (ParcelState.DISPUTED, Phase.OPEN, "put_back"),
        (ParcelState.REFUSED, Phase.OPEN, "put_back"),
        (ParcelState.DISPUTED, Phase.PULSING, "opening"),
        (ParcelState.STORED, Phase.OPEN, "take"),
    ],
)
def test_who_complains_at_the_open_door_is_asked_to_put_it_back(
    site: VirtualSite, state_: ParcelState, phase: Phase, screen: str
) -> None:
    inside = a_parcel(1, state_, place=in_compartment(ONE), reason="damaged")
    opening = replace(blind(phase), pulses=1, opened_mono=NOON.mono - 1_000)
    state = behind_one(site, parcels={inside.id: inside}, openings={ONE: opening})
    assert build_view(state, 1, NOON).customer.screen == screen


@pytest.mark.parametrize(("mandate", "asked", "is_one"), [(1, True, True), (0, True, False), (1, False, False)])
def test_c_30_the_slip_on_the_screen_is_the_mandate_while_there_is_one(
    site: VirtualSite, mandate: int, *, asked: bool, is_one: bool
) -> None:
    state = behind_one(site, slip_for=pid(1), slip_is_mandate=asked)
    parcel = replace(state.durable.parcels[pid(1)], mandate=mandate, mandates=1)
    slip = build_view(replace(state, durable=replace(state.durable, parcels={parcel.id: parcel})), 1, NOON).staff.slip
    assert slip is not None
    assert slip.mandate is is_one


@pytest.mark.parametrize(
    ("card", "size"),
    [(CommandCard.SIZE_S, "S"), (CommandCard.SIZE_M, "M"), (CommandCard.SIZE_L, "L"), (CommandCard.SIZE_XL, "XL")],
)
def test_a_card_with_a_size_says_that_size(site: VirtualSite, card: CommandCard, size: str) -> None:
    site.sign_in()
    site.card(card)
    assert site.state.live.last_size == size
