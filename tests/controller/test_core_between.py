"""Between two people, two doors, two parcels: whom a word, a door or a fact belongs to, and whom it does not."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from controller.core import courier, drops, fold_drops, hubward, loading, misplaced, observe, practice, sending
from controller.core.decide import decide
from controller.core.drop import Drop, Handed
from controller.core.effects import Acked, Decision, SetSending, ShowStaff, Wait
from controller.core.events import AckArrived, Button, DigitsTyped, NextDoor, Pressed, Scanned, Tick
from controller.core.evolve import evolve
from controller.core.handing_in import Sending, SendStep
from controller.core.model import (
    Call,
    Compartment,
    DoorEvent,
    DoorEventKind,
    Now,
    Opening,
    Phase,
    Staff,
    State,
    Step,
    Task,
    Waiting,
    in_compartment,
    on_shelf,
)
from controller.core.notices import Notice, NoticeKind, StaffNotice, StaffNoticeKind
from controller.core.picture import build_view, site_state
from tests.controller.states import a_parcel, heard, with_
from tests.controller.virtual_site import VirtualSite
from wire import facts as f
from wire.ids import Door, Label, Occupancy, ParcelState, Purpose, Service, SizeClass, Trust
from wire.ids import parcel_id_from_bits as pid
from wire.plan import Help, Person

ONE, TWO = Label("1"), Label("2")
NOON = Now(mono=10_000_000, wall_ms=1_790_000_000_000, trust=Trust.NTP, boot=1)
AMINA, KARIM, OTTO = (
    Staff("amina", "concierge", "1.1"),
    Staff("karim", "courier", "1.2", "laposte"),
    Staff("otto", "courier", "1.3", "ups"),
)


def boxes(site: VirtualSite, **known: Compartment) -> dict[Label, Compartment]:
    """The bank with other compartments at `c1`, `c2` …"""
    return {**site.state.durable.compartments, **{Label(name[1:]): box for name, box in known.items()}}


def shown(said: Decision) -> list[StaffNotice]:
    return [effect.notice for effect in said.effects if isinstance(effect, ShowStaff)]


# ------------------------------------------------------------------------------------------------- two couriers, one drop


def test_a_drop_is_of_the_courier_who_began_it(site: VirtualSite) -> None:
    drop = Drop("karim", "laposte", "1.2", (Handed(pid(1), "T"),))
    state = with_(site, drop=drop, staff=OTTO)
    assert courier.is_new_to_drop(state, KARIM, pid(2))
    assert not courier.is_new_to_drop(state, KARIM, pid(1))
    assert courier.is_new_to_drop(state, OTTO, pid(1)), "it is not in theirs"
    assert not courier.is_new_to_drop(state, AMINA, pid(2))
    fact = f.ParcelReceived(
        parcel=pid(2), tracking="U", carrier="ups", source="desk", key_version=1, key_epoch=0, session="1.3", by="otto"
    )
    begun = fold_drops.handed_over(state.durable, fact).drop
    assert begun == Drop("otto", "ups", "1.3", (Handed(pid(2), "U"),))
    assert fold_drops.handed_over(replace(state.durable, staff=AMINA), fact).drop == drop
    again = fold_drops.handed_over(
        replace(state.durable, staff=KARIM), msgspec.structs.replace(fact, by="karim", tracking="U")
    )
    assert again.drop == replace(drop, handed=(Handed(pid(1), "T"), Handed(pid(2), "U")))


def test_who_comes_and_goes_moves_no_drop_but_their_own(site: VirtualSite) -> None:
    away = Drop("karim", "laposte", "1.2", left_mono=5)
    durable = with_(site, drop=away).durable
    assert fold_drops.came_back(durable, "otto").drop == away
    assert fold_drops.came_back(durable, "karim").drop == replace(away, left_mono=None)
    assert fold_drops.went_away(durable, "otto", NOON).drop == away
    assert fold_drops.went_away(durable, "karim", NOON).drop == replace(away, left_mono=NOON.mono)
    assert fold_drops.went_away(replace(durable, drop=None), "karim", NOON).drop is None


def test_a_courier_who_leaves_ends_their_own_drop_and_no_other(site: VirtualSite) -> None:
    state = with_(site, drop=Drop("karim", "laposte", "1.2"), staff=OTTO)
    assert [f.kind(fact) for fact in drops.finish(state, OTTO, leaves=True).facts] == ["staff_signed_out"]
    assert [f.kind(fact) for fact in drops.finish(state, KARIM, leaves=True).facts] == [
        "drop_ended",
        "staff_signed_out",
    ]
    assert heard(drops.finish(state, KARIM, leaves=False)) == ["ok"]


@pytest.mark.parametrize(
    ("parcel", "keeps"),
    [
        (a_parcel(1, ParcelState.RECEIVED), True),
        (a_parcel(1, ParcelState.DISPUTED), False),
        (a_parcel(1, ParcelState.STORED), False),
        (None, False),
    ],
)
def test_a_courier_is_kept_by_what_they_have_in_their_hands_and_by_nothing_that_has_left(
    site: VirtualSite, parcel: object, *, keeps: bool
) -> None:
    drop = Drop("karim", "laposte", "1.2", (Handed(pid(1), "T"),))
    state = with_(site, drop=drop, staff=KARIM, parcels={} if parcel is None else {pid(1): parcel})
    ended = drops.finish(state, KARIM, leaves=False)
    assert heard(ended) == (["attention"] if keeps else ["ok"])
    assert bool(ended.facts) is not keeps


def test_not_in_my_hands_is_said_of_what_should_go_on_the_shelf(site: VirtualSite) -> None:
    parcels = {pid(1): a_parcel(1, ParcelState.RECEIVED)}
    for task in (None, Task(Step.PUT_IN, pid(1), ONE), Task(Step.PUT_ON_SHELF), Task(Step.PUT_ON_SHELF, pid(404))):
        said = drops.not_in_hand(with_(site, task=task, parcels=parcels), KARIM)
        assert [notice.kind for notice in shown(said)] == [StaffNoticeKind.NOTHING_TO_DO], task
    said = drops.not_in_hand(with_(site, task=Task(Step.PUT_ON_SHELF, pid(1)), parcels=parcels), KARIM)
    assert [f.kind(fact) for fact in said.facts] == ["parcel_disputed"]


def test_everything_is_shown_to_who_is_no_courier_and_nothing_of_nobodys(site: VirtualSite) -> None:
    theirs = a_parcel(1, carrier="La Poste")
    for staff, seen in ((None, True), (AMINA, True), (KARIM, True), (OTTO, False)):
        state = with_(site, staff=staff, parcels={theirs.id: theirs})
        assert courier.may_see(state, theirs.id) is seen
        assert courier.may_see(state, None)
        assert courier.may_see(state, pid(404)) is (staff in {None, AMINA})


# ---------------------------------------------------------------------------------------------- a parcel that is handed in


def sending_at(site: VirtualSite, step: SendStep = SendStep.ASK_INSIDE, **more: object) -> State:
    """Somebody handed a parcel in behind door 1, which is shut."""
    known = a_parcel(1, ParcelState.RECEIVED, sending=True, size=SizeClass.S)
    return with_(
        site,
        parcels={known.id: known},
        sending=replace(Sending(known.id, step, SizeClass.S, ONE), **more),  # type: ignore[arg-type]
        openings={ONE: Opening("1.5", ONE, Purpose.SEND, Phase.CLOSED, known.id)},
        compartments=boxes(site, c1=Compartment(Occupancy.RESERVED, parcel=known.id)),
    )


def without(state: State, **durable: object) -> State:
    return replace(state, durable=replace(state.durable, **durable))  # type: ignore[arg-type]


def test_c_32_inside_is_believed_of_a_shut_door_and_of_nothing_that_changed_meanwhile(site: VirtualSite) -> None:
    good = sending_at(site)
    yes = Pressed(Button.SEND_INSIDE, parcel=pid(1))
    assert [f.kind(fact) for fact in sending.pressed(good, yes, NOON).facts] == ["parcel_stored"]
    ajar = replace(good, live=replace(good.live, doors={**good.live.doors, ONE: Door.OPEN}))
    others = (
        ajar,
        sending_at(site, touched=True),
        without(good, parcels={}),
        without(good, compartments=boxes(site, c1=Compartment(Occupancy.UNKNOWN, parcel=pid(1)))),
        without(good, compartments=boxes(site, c1=Compartment(Occupancy.RESERVED, parcel=pid(2)))),
    )
    for state in others:
        said = sending.pressed(state, yes, NOON)
        assert "parcel_stored" not in [f.kind(fact) for fact in said.facts]
        assert heard(said) == ["attention"]
        assert SetSending(None) in said.effects


@pytest.mark.parametrize(
    ("label", "step", "is_open", "belongs", "then"),
    [
        (TWO, SendStep.PUT_IN, True, False, "touched"),
        (TWO, SendStep.ASK_INSIDE, False, True, "touched"),
        (ONE, SendStep.PUT_IN, True, True, ""),
        (ONE, SendStep.PUT_IN, False, True, ""),
        (ONE, SendStep.ASK_INSIDE, False, True, ""),
        (ONE, SendStep.ASK_INSIDE, True, True, "put_in"),
        (ONE, SendStep.ASK_INSIDE, True, False, "over"),
    ],
)
def test_c_32_a_door_that_moves_while_a_parcel_is_handed_in(
    site: VirtualSite, label: Label, step: SendStep, *, is_open: bool, belongs: bool, then: str
) -> None:
    state = sending_at(site, step)
    known = state.live.sending
    assert known is not None
    meant = {
        "": (),
        "touched": (SetSending(replace(known, touched=True)),),
        "put_in": (SetSending(replace(known, step=SendStep.PUT_IN)),),
        "over": (SetSending(None),),
    }
    assert sending.moved(state, label, belongs=belongs, is_open=is_open) == meant[then]
    nobody = replace(state, live=replace(state.live, sending=None))
    assert sending.moved(nobody, label, belongs=belongs, is_open=is_open) == ()


def test_c_32_the_door_of_a_sender_who_has_gone_is_given_back_and_heard(site: VirtualSite) -> None:
    state = sending_at(site)
    gone = replace(state, live=replace(state.live, sending=None))
    said = sending.failed(gone, gone.durable.openings[ONE], NOON)
    assert ([f.kind(fact) for fact in said.facts], heard(said)) == (["reservation_released"], ["attention"])


@pytest.mark.parametrize(
    ("known", "again"),
    [
        ({"state": ParcelState.ANNOUNCED, "sending": True}, StaffNoticeKind.SENDING_ISSUED),
        ({"state": ParcelState.RECEIVED, "sending": True}, StaffNoticeKind.SENDING_ISSUED),
        ({"state": ParcelState.STORED, "sending": True}, StaffNoticeKind.ALREADY_HERE),
        ({"state": ParcelState.ANNOUNCED, "sending": False}, StaffNoticeKind.ALREADY_HERE),
    ],
)
def test_c_32_a_lost_slip_is_made_again_while_its_parcel_is_with_its_sender(
    site: VirtualSite, known: dict[str, object], again: StaffNoticeKind
) -> None:
    parcel = replace(a_parcel(1, tracking="8N00234584108"), **known)  # type: ignore[arg-type]
    state = with_(site, staff=AMINA, parcels={parcel.id: parcel})
    state = replace(state, live=replace(state.live, needs=replace(state.live.needs, sends="poste")))
    said = decide(state, Scanned("8N00234584108", 5), NOON)
    assert [notice.kind for notice in shown(said)] == [again]
    assert said.facts == ()


# ----------------------------------------------------------------------------------------------------- doors and questions


@pytest.mark.parametrize("label", [None, TWO])
def test_s_08_where_it_lies_is_asked_of_a_deposit_only(site: VirtualSite, label: Label | None) -> None:
    for task in (None, Task(Step.PUT_IN, pid(1), ONE)):
        said = misplaced.answered(with_(site, task=task), AMINA, label, NOON)
        assert [notice.kind for notice in shown(said)] == [StaffNoticeKind.NOTHING_TO_DO]


def test_s_08_empty_names_the_other_door_if_there_is_one_and_nobody_knows_if_there_are_two(site: VirtualSite) -> None:
    parcel = a_parcel(1, ParcelState.RECEIVED)
    task = Task(Step.WHICH_DOOR, parcel.id, ONE, touched=(TWO,))
    state = with_(
        site,
        task=task,
        parcels={parcel.id: parcel},
        compartments=boxes(site, c1=Compartment(Occupancy.RESERVED, parcel=pid(1))),
    )
    one = misplaced.not_in_the_wanted_one(state, AMINA, NOON)
    assert [fact.place.name for fact in one.facts if isinstance(fact, f.ParcelStored)] == ["2"]
    for touched in ((TWO, Label("3")), (Label("3"), TWO), ()):
        two = misplaced.not_in_the_wanted_one(
            replace(state, live=replace(state.live, task=replace(task, touched=touched))), AMINA, NOON
        )
        assert [notice.kind for notice in shown(two)] == [StaffNoticeKind.LEFT_UNKNOWN], touched
        assert heard(two) == ["attention"]


@pytest.mark.parametrize(
    ("known", "task", "opens"),
    [
        ({}, None, True),
        ({"service": Service.SUSPECT}, None, True),
        ({"service": Service.OUT_OF_SERVICE}, None, False),
        ({"doubted": True}, None, False),
        ({"occupancy": Occupancy.UNKNOWN}, None, False),
        ({}, Task(Step.TAKE_BACK, None, ONE), False),
        ({}, Task(Step.TAKE_BACK, None, TWO), True),
    ],
)
def test_m_10_the_practice_slip_opens_an_empty_door_that_nobody_stands_at(
    site: VirtualSite, known: dict[str, object], task: Task | None, *, opens: bool
) -> None:
    site.sign_in()
    site.press(Button.PRACTISE, compartment="1")
    text = site.view().staff.practice_text
    site.press(Button.SIGN_OUT)
    state = with_(site, task=task, compartments=boxes(site, c1=replace(Compartment(), **known)))  # type: ignore[arg-type]
    said = decide(state, Scanned(text, 1), NOON)
    calls = [(fact.reason, fact.compartment) for fact in said.facts if isinstance(fact, f.StaffCalled)]
    assert calls == ([] if opens else [("help", ONE)])
    for phase in (Phase.PULSING, Phase.OPEN):
        busy = without(state, openings={ONE: Opening("1.9", ONE, Purpose.PRACTICE, phase)})
        assert not any(isinstance(fact, f.OpeningOrdered) for fact in decide(busy, Scanned(text, 1), NOON).facts)
    assert practice.closed((), ONE).effects


@pytest.mark.parametrize(
    ("occupancy", "parcel", "facts", "signal"),
    [
        (Occupancy.UNKNOWN, pid(1), [], "off"),
        (Occupancy.RESERVED, pid(1), ["reservation_released"], "attention"),
        (Occupancy.OCCUPIED, pid(1), ["occupancy_set"], "attention"),
    ],
)
def test_a_deposit_that_staff_have_left_is_unknown_once(
    site: VirtualSite, occupancy: Occupancy, parcel: object, facts: list[str], signal: str
) -> None:
    state = with_(
        site,
        staff=AMINA,
        compartments=boxes(site, c1=Compartment(occupancy, parcel=parcel)),  # type: ignore[arg-type]
        openings={ONE: Opening("1.4", ONE, Purpose.LOAD, Phase.OPEN, parcel)},  # type: ignore[arg-type]
    )
    said = loading.load_closed(state, state.durable.openings[ONE], NOON)
    assert ([f.kind(fact) for fact in said.facts], heard(said)) == (facts, [signal])


@pytest.mark.parametrize(
    ("known", "place", "asked"),
    [
        ({}, in_compartment(ONE), True),
        ({}, on_shelf("E1"), False),
        ({"state": ParcelState.RECEIVED}, None, False),
    ],
)
def test_s_09_the_last_deposit_is_taken_back_from_behind_its_door(
    site: VirtualSite, known: dict[str, object], place: object, *, asked: bool
) -> None:
    parcel = replace(a_parcel(1, place=place), **known)  # type: ignore[arg-type]
    state = with_(site, staff=AMINA, parcels={parcel.id: parcel}, last_stored=parcel.id)
    said = decide(state, Pressed(Button.CANCEL), NOON)
    assert heard(said) == (["attention"] if asked else [])


# ------------------------------------------------------------------------------------------------------ what the fold says


def test_a_second_word_of_a_door_changes_only_what_it_is_about(site: VirtualSite) -> None:
    pulsing = Opening("1.1", ONE, Purpose.COLLECT, Phase.PULSING, pid(1), blind=True)
    closed = f.DoorClosed(compartment=ONE)
    for phase, blind in ((Phase.PULSING, False), (Phase.OPEN, True), (Phase.CLOSED, True)):
        durable = with_(site, openings={ONE: replace(pulsing, phase=phase)}).durable
        assert evolve(durable, closed, NOON).openings[ONE].blind is blind, phase
    failed = f.OpeningFailed(session="1.1", compartment=ONE, purpose=Purpose.COLLECT, reason="r", pulses=3)
    assert evolve(with_(site, openings={ONE: pulsing}).durable, failed, NOON).openings[ONE].blind


@pytest.mark.parametrize(
    ("purpose", "phase", "door", "parcel", "uncertain"),
    [
        (Purpose.COLLECT, Phase.OPEN, "closed", pid(1), True),
        (Purpose.COLLECT, Phase.PULSING, "open", pid(1), True),
        (Purpose.COLLECT, Phase.PULSING, "closed", pid(1), False),
        (Purpose.VERIFY, Phase.OPEN, "open", pid(1), False),
        (Purpose.COLLECT, Phase.OPEN, "open", None, False),
        (Purpose.COLLECT, Phase.OPEN, "open", pid(2), False),
    ],
)
def test_c_21_c_22_a_parcel_whose_door_stood_open_in_the_dark_is_uncertain(
    site: VirtualSite, purpose: Purpose, phase: Phase, door: str, parcel: object, *, uncertain: bool
) -> None:
    inside = a_parcel(1, place=in_compartment(ONE))
    durable = with_(
        site, parcels={inside.id: inside}, openings={ONE: Opening("1.1", ONE, purpose, phase, inside.id)}
    ).durable
    resolved = f.OpeningResolved(session="1.1", compartment=ONE, door=door, parcel=parcel)  # type: ignore[arg-type]
    assert evolve(durable, resolved, NOON).parcels[inside.id].uncertain is uncertain
    assert not evolve(replace(durable, openings={}), resolved, NOON).parcels[inside.id].uncertain


@pytest.mark.parametrize(
    ("opened_ms", "is_open", "phase"), [(0, False, "declared"), (5, True, "open"), (5, False, "closed")]
)
def test_m_09_a_word_about_the_key_is_of_a_door_to_come_or_of_one_that_moved(
    site: VirtualSite, opened_ms: int, phase: str, *, is_open: bool
) -> None:
    said = f.KeyOpeningDeclared(compartment=ONE, session="1.8", by="amina", opened_ms=opened_ms, open=is_open)
    before = Opening("1.1", ONE, Purpose.COLLECT, Phase.CLOSED, pulse_mono=77)
    for openings, rests_from in (({}, 0), ({ONE: before}, 77)):
        opening = evolve(with_(site, openings=openings).durable, said, NOON).openings[ONE]
        assert (opening.phase, opening.pulse_mono, opening.opened_mono) == (phase, rests_from, NOON.mono)


def test_two_keys_of_one_parcel_keep_the_carrier_that_was_said_first(site: VirtualSite) -> None:
    here = a_parcel(1, ParcelState.STORED, carrier="")
    announced = a_parcel(2, ParcelState.ANNOUNCED, carrier="ups")
    joined = f.ParcelJoined(parcel=announced.id, into=here.id)
    for said, kept in (("", "ups"), ("dhl", "dhl")):
        durable = with_(site, parcels={here.id: replace(here, carrier=said), announced.id: announced}).durable
        assert evolve(durable, joined, NOON).parcels[here.id].carrier == kept


# ------------------------------------------------------------------------------------------------------------- the hub


@pytest.mark.parametrize(
    ("ack", "facts", "mark"),
    [
        ((1, 5, 9, "", ""), [], (5, False)),
        ((1, 5, 9, "a", "a"), [], (5, False)),
        ((1, 5, 9, "a", ""), [], (5, False)),
        ((1, 5, 9, "", "a"), [], (5, False)),
        ((1, 5, 9, "a", "b"), ["journal_behind"], (0, True)),
        ((1, 10, 9, "a", ""), ["journal_behind"], None),
        ((2, 5, 9, "a", "a"), ["hub_incarnation_seen"], (5, True)),
        ((0, 5, 9, "a", "a"), [], None),
    ],
)
def test_an_acknowledgement_moves_the_mark_unless_the_hub_has_another_past(
    site: VirtualSite, ack: tuple[int, int, int, str, str], facts: list[str], mark: tuple[int, bool] | None
) -> None:
    incarnation, seq, last_seq, head, own = ack
    state = with_(site, hub_incarnation=1)
    said = hubward.ack_arrived(state, AckArrived(incarnation, seq, last_seq, head=head, own=own))
    assert [f.kind(fact) for fact in said.facts][:1] == facts
    acked = [(effect.seq, effect.rewind) for effect in said.effects if isinstance(effect, Acked)]
    assert acked == ([] if mark is None else [mark])


@pytest.mark.parametrize(
    ("incarnation", "seq", "again"), [(1, 500, False), (1, 499, False), (1, 501, True), (2, 500, True), (2, 3, True)]
)
def test_another_past_is_told_once_and_again_when_it_is_longer_or_another_hubs(
    site: VirtualSite, incarnation: int, seq: int, *, again: bool
) -> None:
    state = with_(site, hub_incarnation=1, behind_seq=500)
    said = hubward.ack_arrived(state, AckArrived(incarnation, seq, last_seq=2, head="a"))
    assert any(isinstance(fact, f.JournalBehind) for fact in said.facts) is again


# ------------------------------------------------------------------------------------------------------------- pictures


def test_the_hub_is_told_everything_of_a_site_at_once(site: VirtualSite) -> None:
    shelf = a_parcel(2, place=on_shelf("E2"))
    state = with_(
        site,
        parcels={shelf.id: shelf, pid(1): a_parcel(1, place=in_compartment(ONE))},
        compartments={
            ONE: Compartment(Occupancy.OCCUPIED, Service.SUSPECT, pid(1)),
            TWO: Compartment(Occupancy.UNKNOWN),
        },
        doors={ONE: Door.OPEN},
        alarms={"door_forced/1": 5, "disk_full/": 6},
        calls=(Call("help", None, None, 5),),
        scanner=False,
    )
    assert msgspec.to_builtins(site_state(state, 12, NOON)) == {
        "site": "gennevilliers", "boot": 1, "seq": 12, "at_ms": NOON.wall_ms, "trust": "ntp",
        "compartments": (
            {"label": "1", "occupancy": "occupied", "service": "suspect", "door": "open", "parcel": pid(1)},
            {"label": "2", "occupancy": "unknown", "service": "in_service", "door": "unknown"},
        ),
        "shelf": ({"place": "E2", "parcel": pid(2)},),
        "alarms": (
            {"alarm": "door_forced", "compartment": "1", "since_ms": 5},
            {"alarm": "disk_full", "since_ms": 6},
        ),
        "scanner": False, "calls": 1,
    }  # fmt: skip


def test_the_last_things_at_a_door_are_shown_with_a_complaint_and_with_no_other_call(site: VirtualSite) -> None:
    moved = (DoorEvent(DoorEventKind.OPENED, 5, "1.1"),)
    calls = tuple(
        Call(reason, None, label, 5)
        for reason, label in (
            ("found_empty", ONE),
            ("damaged", ONE),
            ("refused", ONE),
            ("help", ONE),
            ("damaged", None),
        )
    )
    state = with_(site, staff=AMINA, calls=calls, compartments=boxes(site, c1=Compartment(events=moved)))
    assert [call.events for call in build_view(state, 1, NOON).staff.calls] == [moved, moved, moved, (), ()]


@pytest.mark.parametrize(
    ("notice", "also"),
    [
        (Notice(NoticeKind.THANKS, ONE, pid(1)), True),
        (Notice(NoticeKind.THANKS, ONE, pid(3)), False),
        (Notice(NoticeKind.THANKS, ONE, pid(404)), False),
        (Notice(NoticeKind.THANKS, ONE), False),
        (Notice(NoticeKind.QUICK_CLOSE, ONE, pid(1)), False),
    ],
)
def test_who_has_taken_one_hears_that_another_lies_at_the_desk(
    site: VirtualSite, notice: Notice, *, also: bool
) -> None:
    taken = a_parcel(1, ParcelState.COLLECTING, place=in_compartment(ONE), group="g", help=Help.DEAF)
    others = (a_parcel(2, place=on_shelf("E1"), group="g"), a_parcel(3, place=in_compartment(TWO), group="h"))
    state = with_(site, parcels={parcel.id: parcel for parcel in (taken, *others)}, notice=notice)
    view = build_view(state, 1, NOON).customer
    assert view.also_at_desk is also
    assert view.help is (Help.DEAF if notice.parcel == taken.id else Help.STANDARD)


def test_c_32_the_sizes_are_shown_in_the_words_of_the_sender_and_else_plainly(site: VirtualSite) -> None:
    known = a_parcel(1, ParcelState.ANNOUNCED, sending=True, help=Help.BLIND, language="ar")
    chosen = Sending(known.id, SendStep.CHOOSE_SIZE, asked_mono=5)
    for parcels, said in (({known.id: known}, ("ar", Help.BLIND)), ({}, ("fr", Help.STANDARD))):
        view = build_view(with_(site, sending=chosen, parcels=parcels), 1, NOON).customer
        assert (view.language, view.help, view.sending) == (*said, known.id)


# ------------------------------------------------------------------------------------------------------- whose turn it is


def test_s_11_customers_go_first_and_a_full_queue_keeps_who_is_being_served(site: VirtualSite) -> None:
    parcel = site.announce(1)
    label, button = Scanned("8N00234584999", 1), Pressed(Button.RETRIEVE)
    slip, digits, turn = Scanned(site.slip(parcel), 1), DigitsTyped("123"), NextDoor((parcel,), ONE)
    live = replace(site.state.live, waiting=(Waiting(label, 1), Waiting(button, 1)))
    for event in (slip, digits, turn):
        live = observe.observe(live, Wait(event), NOON)
    assert [kept.event for kept in live.waiting] == [slip, digits, turn, label, button], "a turn is never sent away"
    assert observe.observe(live, Wait(Scanned("another", 1)), NOON) == live
    assert observe.observe(live, Wait(label), NOON) == live


def test_a_word_to_staff_stays_for_half_a_minute(site: VirtualSite) -> None:
    word = StaffNotice(StaffNoticeKind.NOT_A_LABEL)
    live = with_(site, staff_notice=word, staff_notice_until=NOON.mono).live
    assert observe.observe(live, Tick(), replace(NOON, mono=NOON.mono - 1)).staff_notice == word
    assert observe.observe(live, Tick(), NOON).staff_notice is None


def test_the_carriers_that_send_somebody_are_offered(site: VirtualSite) -> None:
    people = (
        Person(id="karim", role="courier", badge="x", carrier="laposte"),
        Person(id="amina", role="concierge", badge="y"),
    )
    state = with_(site, staff=AMINA, people=people)
    assert build_view(state, 1, NOON).staff.carriers == ("laposte",)
