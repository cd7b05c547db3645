"""States that no story of today leads to, and that a journal of another past, a plan in the middle of it, or a roster may: nothing breaks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.core import due, latching, pin, retrieval
from controller.core.decide import decide
from controller.core.effects import KnowBadge, SetTask, Show
from controller.core.events import Booted, Button, DoorChanged, PinTyped, Pressed, Scanned
from controller.core.evolve import evolve, rebase
from controller.core.model import (
    After,
    Alias,
    Compartment,
    Ended,
    Now,
    Opening,
    Phase,
    PinTries,
    Staff,
    State,
    Step,
    Task,
    in_compartment,
    on_shelf,
)
from controller.core.notices import NoticeKind, StaffNoticeKind
from controller.core.observe import observe
from tests.controller.states import a_parcel, heard, staff_told, with_
from tests.controller.virtual_site import BADGE, VirtualSite
from wire import facts as f
from wire.badges import pin_digest
from wire.ids import Door, Label, Occupancy, ParcelState, Purpose, Service, Trust
from wire.ids import parcel_id_from_bits as pid
from wire.plan import Help, Person

ONE, TWO = Label("1"), Label("2")
NOON = Now(mono=10_000_000, wall_ms=1_790_000_000_000, trust=Trust.NTP, boot=1)
AMINA = Staff("amina", "concierge", "1.1")


def press(state: State, button: Button, **about: object) -> list[StaffNoticeKind]:
    """What the staff screen says of it."""
    return staff_told(decide(state, Pressed(button, **about), NOON))  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------------------ a start


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_compartment_kept_for_nobody_is_given_back_by_nobody_at_a_start(
    site: VirtualSite, *, interrupted: bool
) -> None:
    opening = Opening("1.1", ONE, Purpose.LOAD, Phase.PULSING)
    state = with_(
        site,
        compartments={**site.state.durable.compartments, ONE: Compartment(Occupancy.RESERVED)},
        openings={ONE: opening} if interrupted else {},
    )
    started = decide(state, Booted(dict.fromkeys(site.setup.cards, Door.CLOSED), clean=True), NOON)
    assert not [fact for fact in started.facts if isinstance(fact, f.ReservationReleased)]


def test_after_a_start_every_running_time_begins_anew_and_what_is_over_is_forgotten(site: VirtualSite) -> None:
    openings = {
        Label(str(number)): Opening("1.1", Label(str(number)), Purpose.COLLECT, phase, pulse_mono=9, opened_mono=9)
        for number, phase in enumerate(Phase, 1)
    }
    tries = {"amina": PinTries(3_000, 9)}
    again = rebase(with_(site, openings=openings, pin_tries=tries, bucket_mono=9).durable, NOON)
    assert {opening.phase for opening in again.openings.values()} == {Phase.PULSING, Phase.OPEN}
    assert {opening.pulse_mono for opening in again.openings.values()} == {NOON.mono}
    assert again.pin_tries == {"amina": PinTries(3_000, NOON.mono)}
    assert again.bucket_mono == NOON.mono


def test_somebody_whom_the_roster_has_lost_has_no_role_and_no_carrier(site: VirtualSite) -> None:
    came = evolve(with_(site, people=()).durable, f.StaffSignedIn(person="zoe", session="1.7"), NOON)
    assert came.staff == Staff("zoe", "", "1.7", "")


# -------------------------------------------------------------------------------------------------------------- the PIN


def asked(site: VirtualSite, digest: str = "") -> State:
    """Amina stands before a door that may hold a parcel."""
    known = Person(id="amina", role="concierge", badge="x", pin=digest)
    return with_(site, staff=AMINA, people=(known,), badge=BADGE, compartments=occupied(site))


def occupied(site: VirtualSite) -> dict[Label, Compartment]:
    return {**site.state.durable.compartments, ONE: Compartment(Occupancy.OCCUPIED, parcel=pid(1))}


def test_who_was_struck_from_the_roster_while_signed_in_has_no_pin_to_be_asked_for(site: VirtualSite) -> None:
    state = replace(asked(site), durable=replace(asked(site).durable, people=()))
    assert pin.asked_first(state, AMINA, Pressed(Button.CHECK, compartment=ONE)) is None
    waiting = replace(state, live=replace(state.live, pin_for=Pressed(Button.CHECK, compartment=ONE)))
    wrong = decide(waiting, PinTyped("4071"), NOON)
    assert [f.kind(fact) for fact in wrong.facts] == ["pin_refused"]


def test_the_question_is_heard_and_a_wrong_or_hasty_answer_is_seen_and_heard(site: VirtualSite) -> None:
    state = asked(site, pin_digest(BADGE, "4071"))
    question = pin.asked_first(state, AMINA, Pressed(Button.CHECK, compartment=ONE))
    assert question is not None
    assert heard(question) == ["attention"]
    for left, said in ((2_000, "pin_wrong"), (1_999, "pin_wait"), (999, "pin_wait")):
        tried = replace(state, durable=replace(state.durable, pin_tries={"amina": PinTries(left, NOON.mono)}))
        answer = pin.refused(tried, AMINA, "0000", NOON)
        assert answer is not None
        assert (staff_told(answer), heard(answer)) == ([said], ["refused"]), left
        assert len(answer.facts) == (1 if left >= 1_000 else 0)


@pytest.mark.parametrize(
    ("left", "passed_ms", "milli", "wait_ms"),
    [
        (5_000, 0, 5_000, 0), (5_000, 3_600_000, 5_000, 0), (4_999, 1_800, 5_000, 0),
        (1_000, 0, 1_000, 0), (999, 0, 999, 1_800), (999, 1_799, 999, 1_800), (999, 1_800, 1_000, 0),
        (0, 0, 0, 1_800_000), (0, 1_800_000, 1_000, 0), (0, 1_799_999, 999, 1_800), (0, 3_600_000, 2_000, 0),
        (0, 9_000_000, 5_000, 0), (0, 9_001_800, 5_000, 0), (3_000, -5, 3_000, 0), (1, 0, 1, 1_798_200),
    ],
)  # fmt: skip
def test_tries_come_back_two_in_an_hour_and_never_more_than_five(
    site: VirtualSite, left: int, passed_ms: int, milli: int, wait_ms: int
) -> None:
    state = with_(site, pin_tries={"amina": PinTries(left, NOON.mono - passed_ms)})
    assert (pin.tries_milli(state, "amina", NOON), pin.wait_ms(state, "amina", NOON)) == (milli, wait_ms)
    assert (pin.tries_milli(state, "zoe", NOON), pin.wait_ms(state, "zoe", NOON)) == (5_000, 0)


def test_the_next_person_has_given_no_pin_and_has_said_nothing_of_a_parcel(site: VirtualSite) -> None:
    site.sign_in()
    site.press(Button.HEAVY)
    given = replace(site.state.live, pin_given=True, pin_for=Pressed(Button.CHECK))
    for text in ("another badge", ""):
        after = observe(given, KnowBadge(text), NOON)
        assert (after.pin_given, after.pin_for, after.needs.heavy, after.badge) == (False, None, False, text)
        assert (after.staff_notice is None) is bool(text), "what was said last stays on the screen that nobody uses"


# ------------------------------------------------------------------------------------------------- what staff stand at


@pytest.mark.parametrize(
    ("task", "is_so"),
    [
        (Task(Step.TAKE_BACK, pid(1), ONE, After.RETRIEVE), True),
        (Task(Step.ASK_EMPTY, pid(1), ONE, After.RETRIEVE), True),
        (Task(Step.TAKE_FROM_SHELF, pid(1), None, After.RETRIEVE), True),
        (Task(Step.PUT_IN, pid(1), ONE, After.RETRIEVE), False),
        (Task(Step.TAKE_BACK, pid(1), ONE, After.REMOVE), False),
        (Task(Step.TAKE_BACK, pid(404), ONE, After.RETRIEVE), False),
        (Task(Step.TAKE_BACK, None, ONE, After.RETRIEVE), False),
        (None, False),
    ],
)
def test_taking_out_is_of_a_parcel_that_is_still_here(site: VirtualSite, task: Task | None, *, is_so: bool) -> None:
    state = with_(site, task=task, parcels={pid(1): a_parcel()})
    assert retrieval.is_retrieving(state) is is_so


@pytest.mark.parametrize("label", [None, Label("9")])
@pytest.mark.parametrize(
    "button",
    [
        Button.CHECK, Button.KEY_OPENING, Button.PUT_IN_SERVICE, Button.TAKE_OUT_OF_SERVICE, Button.REOPEN,
    ],
)  # fmt: skip
def test_a_door_that_this_bank_does_not_have_is_no_door(site: VirtualSite, button: Button, label: Label | None) -> None:
    state = with_(site, staff=AMINA)
    assert press(state, button, value="checked", compartment=label) == [StaffNoticeKind.NOTHING_TO_DO]


@pytest.mark.parametrize("parcel", [None, pid(404)])
@pytest.mark.parametrize(
    "button",
    [
        Button.REMOVE, Button.HAND_OVER, Button.REISSUE, Button.MANDATE, Button.WITHDRAW_MANDATE, Button.EXTEND,
        Button.IDENTIFIED,
    ],
)  # fmt: skip
def test_a_parcel_that_this_site_does_not_know_is_no_parcel(site: VirtualSite, button: Button, parcel: object) -> None:
    state = with_(site, staff=AMINA)
    assert press(state, button, value="document", parcel=parcel) == [StaffNoticeKind.NOTHING_TO_DO]


@pytest.mark.parametrize(
    "step", [Step.TAKE_BACK, Step.ASK_EMPTY, Step.WHICH_DOOR, Step.TAKE_FROM_SHELF, Step.OPEN_WITH_KEY]
)
@pytest.mark.parametrize("button", [Button.HEAVY, Button.LOW, Button.ARRIVED_DAMAGED, Button.UNIDENTIFIED])
def test_of_what_is_not_in_their_hands_nothing_is_said(site: VirtualSite, button: Button, step: Step) -> None:
    state = with_(site, staff=AMINA, task=Task(step, pid(1), ONE), parcels={pid(1): a_parcel()})
    assert press(state, button) == [StaffNoticeKind.FINISH_FIRST]


def test_who_looks_into_an_empty_compartment_has_nothing_for_the_shelf_and_a_size_is_for_the_next_parcel(
    site: VirtualSite,
) -> None:
    state = with_(site, staff=AMINA, task=Task(Step.TAKE_BACK, None, ONE))
    assert press(state, Button.SHELF) == [StaffNoticeKind.NOTHING_TO_DO]
    assert press(state, Button.SIZE, value="S") == [StaffNoticeKind.SIZE_NOTED]


@pytest.mark.parametrize(
    ("parcel", "after"),
    [
        ({}, After.MOVE),
        ({"uncertain": True}, After.NOTHING),
        ({"state": ParcelState.DISPUTED}, After.NOTHING),
        ({"state": ParcelState.COLLECTING}, After.NOTHING),
    ],
)
def test_m_06_what_surely_lies_there_is_moved_first_and_anything_else_is_looked_at(
    site: VirtualSite, parcel: dict[str, object], after: After
) -> None:
    inside = a_parcel(1, place=in_compartment(ONE), **parcel)  # type: ignore[arg-type]
    state = with_(site, staff=AMINA, parcels={inside.id: inside}, compartments=occupied(site))
    said = decide(state, Pressed(Button.TAKE_OUT_OF_SERVICE, "dirty", ONE), NOON)
    tasks = [effect.task for effect in said.effects if isinstance(effect, SetTask)]
    assert [(task.after, task.out_reason) for task in tasks if task is not None] == [(after, "dirty")]


@pytest.mark.parametrize(
    ("step", "bounces", "phase", "blind", "may"),
    [
        (Step.TAKE_BACK, 2, Phase.OPEN, False, True),
        (Step.TAKE_BACK, 1, Phase.OPEN, False, False),
        (Step.PUT_IN, 2, Phase.OPEN, False, False),
        (Step.TAKE_BACK, 0, Phase.OPEN, True, True),
        (Step.TAKE_BACK, 0, Phase.CLOSED, True, False),
        (Step.PUT_IN, 0, Phase.OPEN, True, False),
    ],
)
def test_s_10_a_08_a_door_may_stay_open_when_it_does_not_hold_or_its_switch_cannot_show_it(
    site: VirtualSite, step: Step, bounces: int, phase: Phase, *, blind: bool, may: bool
) -> None:
    opening = Opening("1.1", ONE, Purpose.VERIFY, phase, pulse_mono=500, bounces=bounces)
    opened = {ONE: 499 if blind else 500}
    state = with_(site, openings={ONE: opening}, doors={ONE: Door.OPEN}, opened=opened)
    assert due.is_blind(state, ONE) is blind
    assert latching.may_stay_open(state, Task(step, pid(1), ONE)) is may
    assert not latching.may_stay_open(state, Task(step, pid(1), None))


# ------------------------------------------------------------------------------------------------------------- customers


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (ParcelState.COLLECTED, NoticeKind.ALREADY_COLLECTED),
        (ParcelState.REMOVED, NoticeKind.NO_LONGER_HERE),
        (ParcelState.RETURNED, NoticeKind.NO_LONGER_HERE),
        (ParcelState.LOST, NoticeKind.ASK_DESK),
    ],
)
def test_i_3_a_spent_key_opens_nothing_and_hears_what_became_of_its_parcel(
    site: VirtualSite, ended: ParcelState, said: NoticeKind
) -> None:
    left = Ended(pid(1), 1, ended, "T", in_compartment(ONE), 5, Trust.NTP)
    decision = decide(with_(site, ended={left.id: left}), Scanned(site.slip(left.id), 1), NOON)
    (notice,) = (effect.notice for effect in decision.effects if isinstance(effect, Show))
    assert (notice.kind, notice.compartment) == (said, ONE if said is NoticeKind.ALREADY_COLLECTED else None)
    assert [f.kind(fact) for fact in decision.facts] == ["slip_refused"]


def test_what_was_handed_over_at_the_desk_was_behind_no_door(site: VirtualSite) -> None:
    left = Ended(pid(1), 1, ParcelState.COLLECTED, "T", on_shelf("E1"), 5, Trust.NTP)
    decision = decide(with_(site, ended={left.id: left}), Scanned(site.slip(left.id), 1), NOON)
    assert [effect.notice.compartment for effect in decision.effects if isinstance(effect, Show)] == [None]


@pytest.mark.parametrize(
    ("compartment", "parcel", "task", "reason"),
    [
        ({}, {}, None, ""),
        ({"service": Service.SUSPECT}, {}, None, ""),
        ({"service": Service.OUT_OF_SERVICE}, {}, None, "out_of_service"),
        ({"doubted": True}, {}, None, "journal_behind"),
        ({"parcel": pid(2)}, {}, None, "moved"),
        ({"parcel": None}, {}, None, "moved"),
        ({}, {}, Task(Step.TAKE_BACK, None, ONE), "staff_at_door"),
        ({}, {}, Task(Step.TAKE_BACK, None, TWO), ""),
        ({}, {"low_said": True}, None, "out_of_reach"),
        ({}, {"state": ParcelState.DISPUTED}, None, "disputed"),
        ({}, {"state": ParcelState.REFUSED}, None, "disputed"),
        ({}, {"place": None}, None, "disputed"),
        ({}, {"place": on_shelf("E1")}, None, "at_desk"),
        ({}, {"state": ParcelState.RECEIVED, "uncertain": True}, None, "deposit_cut"),
    ],
)
def test_why_a_good_key_calls_the_desk_and_opens_no_door(
    site: VirtualSite,
    compartment: dict[str, object],
    parcel: dict[str, object],
    task: Task | None,
    reason: str,
) -> None:
    inside = replace(a_parcel(1, place=in_compartment(ONE)), **parcel)  # type: ignore[arg-type]
    known = replace(Compartment(Occupancy.OCCUPIED, parcel=inside.id), **compartment)  # type: ignore[arg-type]
    state = with_(
        site,
        parcels={inside.id: inside},
        compartments={**site.state.durable.compartments, ONE: known},
        task=task,
    )
    said = decide(state, Scanned(site.slip(inside.id), 1), NOON)
    assert [fact.reason for fact in said.facts if isinstance(fact, f.StaffCalled)] == ([reason] if reason else [])
    assert any(isinstance(fact, f.OpeningOrdered) for fact in said.facts) is (reason == "")


@pytest.mark.parametrize(
    ("state_", "reopens", "since_ms", "opens"),
    [
        (ParcelState.STORED, 9, 10_000_000, True),
        (ParcelState.COLLECTING, 0, 299_999, True),
        (ParcelState.COLLECTING, 0, 300_000, False),
        (ParcelState.COLLECTING, 2, 0, True),
        (ParcelState.COLLECTING, 3, 0, False),
    ],
)
def test_i_9_once_opened_the_same_door_opens_again_within_five_minutes_and_three_times(
    site: VirtualSite, state_: ParcelState, reopens: int, since_ms: int, *, opens: bool
) -> None:
    inside = a_parcel(1, state_, place=in_compartment(ONE), reopens=reopens, since_mono=NOON.mono - since_ms)
    state = with_(site, parcels={inside.id: inside}, compartments=occupied(site))
    assert (site.settings.reopens_max, site.settings.reopen_grace_ms) == (3, 300_000)
    said = decide(state, Scanned(site.slip(inside.id), 1), NOON)
    assert any(isinstance(fact, f.OpeningOrdered) for fact in said.facts) is opens


@pytest.mark.parametrize(
    ("purpose", "parcel", "ticks"),
    [
        (Purpose.COLLECT, {"help": Help.BLIND}, True),
        (Purpose.REOPEN, {"help": Help.BLIND}, True),
        (Purpose.VERIFY, {"help": Help.BLIND}, False),
        (Purpose.COLLECT, {"help": Help.DEAF}, False),
        (Purpose.COLLECT, None, False),
    ],
)
def test_c_29_a_door_ticks_at_once_for_who_does_not_see_it(
    site: VirtualSite, purpose: Purpose, parcel: dict[str, object] | None, *, ticks: bool
) -> None:
    inside = a_parcel(1, place=in_compartment(ONE), **(parcel or {}))  # type: ignore[arg-type]
    opening = Opening("1.1", ONE, purpose, Phase.PULSING, inside.id)
    state = with_(
        site,
        parcels={} if parcel is None else {inside.id: inside},
        openings={ONE: opening},
        compartments=occupied(site),
    )
    opened = decide(state, DoorChanged(ONE, open=True), NOON)
    assert ("ticking" in heard(opened)) is ticks


def test_a_second_key_of_a_parcel_that_ended_hears_of_that_parcel(site: VirtualSite) -> None:
    left = Ended(pid(1), 1, ParcelState.REMOVED, "T", None, 5, Trust.NTP)
    state = with_(site, ended={left.id: left}, aliases={pid(9): Alias(left.id, 1, 0)})
    said = decide(state, Scanned(site.slip(pid(9)), 1), NOON)
    assert [effect.notice.parcel for effect in said.effects if isinstance(effect, Show)] == [left.id]
