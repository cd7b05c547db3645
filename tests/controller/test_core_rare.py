"""What happens rarely, and once all the same: bounds to the unit, defaults by name, and states of another past."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from controller.core import events as e
from controller.core.allocate import allocate, free_by_size, shelf_place
from controller.core.decide import decide
from controller.core.effects import (
    Decision,
    KnowBadge,
    RememberStored,
    SetTask,
    Show,
    ShowStaff,
    Signal,
    Sound,
)
from controller.core.events import Button
from controller.core.evolve import evolve
from controller.core.model import (
    After,
    Alias,
    Compartment,
    Ended,
    Now,
    Opening,
    Parcel,
    Phase,
    Staff,
    Step,
    Task,
    in_compartment,
    on_shelf,
)
from controller.core.notices import Notice, NoticeKind, StaffNotice, StaffNoticeKind
from controller.core.pickup import attempts_milli, typed_wait_ms
from controller.core.picture import build_view
from tests.controller.states import a_parcel, with_
from tests.controller.virtual_site import BADGE, LABEL_OF_PARCEL, VirtualSite
from wire import facts as f
from wire.badges import badge_digest, badge_text
from wire.ids import Door, Label, Occupancy, ParcelId, ParcelState, Purpose, ReachZone, Service, SizeClass, Trust
from wire.ids import parcel_id_from_bits as pid
from wire.plan import Intent, Person, Settings

ONE, TWO = Label("1"), Label("2")
SECOND = "8N00234584109"
BASSO = badge_text(0xB0)
NOW = Now(50_000, 1_790_000_000_000, Trust.NTP, 1)


# ------------------------------------------------------------------------------------------------ which compartment


def banks(site: VirtualSite, parcel: Parcel, size: SizeClass, free: tuple[str, ...], height: int = 0) -> str | None:
    """What a parcel gets when only these are free."""
    compartments = {
        label: known if label in free else replace(known, occupancy=Occupancy.OCCUPIED)
        for label, known in site.state.durable.compartments.items()
    }
    state = with_(site, compartments=compartments)
    if height:
        cards = {label: msgspec.structs.replace(card, height_mm=height) for label, card in state.setup.cards.items()}
        state = replace(state, setup=replace(state.setup, cards=cards))
    return allocate(state, parcel, size)


@pytest.mark.parametrize(("height", "gets"), [(399, None), (400, "1"), (1_300, "1"), (1_301, None)])
def test_s15_a_heavy_parcel_stands_from_400_to_1300_millimetres(
    site: VirtualSite, height: int, gets: str | None
) -> None:
    assert banks(site, a_parcel(heavy=True), SizeClass.S, ("1",), height) == gets
    assert banks(site, a_parcel(), SizeClass.S, ("1",), height) == "1"


@pytest.mark.parametrize(
    ("reach", "zones"),
    [
        (ReachZone.LOW, {ReachZone.LOW, ReachZone.MID}),
        (ReachZone.MID, {ReachZone.MID}),
        (ReachZone.HIGH, {ReachZone.LOW, ReachZone.MID, ReachZone.HIGH}),
    ],
)
def test_s14_a_need_gets_the_zones_it_can_reach(site: VirtualSite, reach: ReachZone, zones: set[ReachZone]) -> None:
    for label, zone in (("1", ReachZone.HIGH), ("2", ReachZone.MID), ("3", ReachZone.LOW)):
        gets = banks(site, a_parcel(reach=reach), SizeClass.S, (label,))
        assert gets == (label if zone in zones else None), (reach, zone)


def test_without_a_need_the_easy_doors_are_left_and_with_one_the_least_used_is_taken(site: VirtualSite) -> None:
    cards = {label: msgspec.structs.replace(card, size=SizeClass.S) for label, card in site.setup.cards.items()}
    state = replace(site.state, setup=replace(site.setup, cards=cards))
    assert allocate(state, a_parcel(), SizeClass.S) == "1", "high before low before mid"
    without = {**state.durable.compartments, ONE: Compartment(occupancy=Occupancy.UNKNOWN)}
    state = replace(state, durable=replace(state.durable, compartments=without))
    assert allocate(state, a_parcel(), SizeClass.S) == "3"
    without = {**without, Label("3"): Compartment(cycles=1)}
    state = replace(state, durable=replace(state.durable, compartments=without))
    assert allocate(state, a_parcel(), SizeClass.S) == "4"
    assert allocate(state, a_parcel(reach=ReachZone.HIGH), SizeClass.S) == "2", (
        "a need takes the least used, then by label"
    )
    assert allocate(state, a_parcel(), SizeClass.S, larger_than=SizeClass.XL) is None


def test_only_what_is_known_to_be_empty_in_service_and_closed_is_counted_free(site: VirtualSite) -> None:
    assert free_by_size(site.state) == {"S": 2, "M": 1, "L": 1, "XL": 0}
    odd = {
        ONE: Compartment(occupancy=Occupancy.UNKNOWN),
        TWO: Compartment(service=Service.SUSPECT),
        Label("3"): Compartment(),
        Label("4"): Compartment(),
    }
    doors = {**site.state.live.doors, Label("3"): Door.OPEN, Label("4"): Door.UNKNOWN}
    assert free_by_size(with_(site, compartments=odd, doors=doors)) == {"S": 0, "M": 0, "L": 0, "XL": 0}


def test_s06_the_emptiest_place_of_the_shelf_is_named_and_the_first_of_equals(site: VirtualSite) -> None:
    def lying(*names: str) -> dict[ParcelId, Parcel]:
        held = [a_parcel(number, place=on_shelf(name)) for number, name in enumerate(names)]
        held.append(a_parcel(9, place=in_compartment(Label("E1"))))
        return {parcel.id: parcel for parcel in held}

    state = replace(site.state, setup=replace(site.setup, shelf_places=("E9", "E1")))
    assert shelf_place(state) == "E9"
    assert shelf_place(replace(state, durable=replace(state.durable, parcels=lying("E9")))) == "E1"
    assert shelf_place(replace(state, durable=replace(state.durable, parcels=lying("E9", "E1")))) == "E9"


# ---------------------------------------------------------------------------------------------------- staff and doors


def test_another_badge_takes_over_and_the_slip_of_the_first_is_gone(site: VirtualSite) -> None:
    people = (
        Person(id="amina", role="concierge", badge=badge_digest(BADGE)),
        Person(id="basso", role="courier", badge=badge_digest(BASSO)),
    )
    site.stored()
    site.sign_in()
    state = with_(site, people=people, last_stored=pid(1), repeated=False)
    assert decide(state, e.Scanned(BASSO, 1), NOW) == Decision(
        (
            f.StaffSignedOut(person="amina", session="1.3", reason="replaced"),
            f.StaffSignedIn(person="basso", session="1.4"),
        ),
        (RememberStored(None), KnowBadge(BASSO), Sound(Signal.OK)),
    )
    signed_in = evolve(state.durable, f.StaffSignedIn(person="basso", session="1.4"), NOW)
    assert (signed_in.staff, signed_in.sessions) == (Staff("basso", "courier", "1.4"), 4)


def test_a_cancel_while_the_latch_still_pulses_is_answered_by_the_door_that_never_came(site: VirtualSite) -> None:
    """Nothing moved, so there is nothing to ask; and nobody wants another door for a deposit that was given up."""
    parcel = site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.press(Button.CANCEL)
    site.wait(12_000)
    assert site.pulses() == ["1", "1", "1"]
    assert site.state.live.task is None
    assert site.parcel(parcel).state is ParcelState.RECEIVED
    assert site.occupancy("1") is Occupancy.FREE


@pytest.mark.parametrize(
    ("button", "task"),
    [
        (Button.SHELF, Task(Step.PUT_ON_SHELF, pid(1), shelf_place="E1")),
        (Button.BIGGER, Task(Step.PUT_IN, pid(1), Label("3"), in_hand=True)),
    ],
)
def test_what_was_asked_while_the_latch_still_pulsed_is_done_when_the_door_never_came(
    site: VirtualSite, button: Button, task: Task
) -> None:
    site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.press(button)
    site.wait(12_000)
    assert site.state.live.task == task


def failing_load(site: VirtualSite, **changes: object) -> Decision:
    """The decision when the last pulse of a deposit at door 1 was not answered."""
    site.announce(size=None)
    site.sign_in()
    site.press(Button.SIZE, "S")
    site.scan(LABEL_OF_PARCEL)
    site.wait(8_000)
    state = with_(site, **changes)
    now = replace(site.clock.now(), mono=site.clock.mono + 4_000)
    return decide(state, e.Tick(), now)


FAILED: tuple[f.AnyFact, ...] = (
    f.OpeningFailed(
        session="1.2", compartment=ONE, purpose=Purpose.LOAD, reason="not_seen_open", pulses=3, parcel=pid(1)
    ),
    f.ServiceSet(compartment=ONE, service=Service.SUSPECT, reason="not_seen_open"),
    f.AlarmRaised(alarm="latch_failed", compartment=ONE, detail="not_seen_open"),
    f.ReservationReleased(compartment=ONE, parcel=pid(1), session="1.2", verified_empty=True),
)
DOOR_FAILED = ShowStaff(StaffNotice(StaffNoticeKind.DOOR_FAILED, ONE, pid(1)))


@pytest.mark.parametrize("gone", [{"staff": None}, {"task": None}, {"parcels": {}}])
def test_a_deposit_that_nobody_stands_at_any_more_tries_no_other_door(
    site: VirtualSite, gone: dict[str, object]
) -> None:
    decision = failing_load(site, **gone)
    assert decision == Decision(FAILED, (SetTask(None), DOOR_FAILED))


def test_with_another_door_open_the_next_one_waits_for_its_size(site: VirtualSite) -> None:
    """A door that a customer's slip could not open was pulled open by hand while staff's own door failed."""
    other = Opening("1.9", TWO, Purpose.COLLECT, Phase.OPEN, opened_mono=site.clock.mono + 11_000)
    decision = failing_load(site)
    assert [type(fact).__name__ for fact in decision.facts[4:]] == ["CompartmentReserved", "OpeningOrdered"]
    openings = {**site.state.durable.openings, TWO: other}
    now = replace(site.clock.now(), mono=site.clock.mono + 4_000)
    assert decide(with_(site, openings=openings), e.Tick(), now) == Decision(
        FAILED, (SetTask(Task(Step.CHOOSE_SIZE, pid(1))), DOOR_FAILED)
    )


def test_a_deposit_whose_driver_fails_waits_out_the_pause_between_two_pulses(site: VirtualSite) -> None:
    site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    failed = decide(site.state, e.PulseFailed(ONE, "x"), site.clock.now())
    assert failed.effects == (SetTask(Task(Step.CHOOSE_SIZE, pid(1))), DOOR_FAILED)
    for later, ready in ((1_499, False), (1_500, True)):
        now = replace(site.clock.now(), mono=site.clock.mono + later)
        opened = decide(site.state, e.PulseFailed(ONE, "x"), now)
        assert any(isinstance(fact, f.OpeningOrdered) for fact in opened.facts) is ready


def test_the_size_of_the_parcel_and_else_of_the_failed_door_is_tried_next(site: VirtualSite) -> None:
    larger = {pid(1): replace(a_parcel(1, ParcelState.RECEIVED), size=SizeClass.L)}
    decision = failing_load(site, parcels=larger)
    reserved = [fact.compartment for fact in decision.facts if isinstance(fact, f.CompartmentReserved)]
    assert reserved == ["4"]
    smaller = {pid(1): a_parcel(1, ParcelState.RECEIVED)}
    now = replace(site.clock.now(), mono=site.clock.mono + 4_000)
    reserved = [
        fact.compartment
        for fact in decide(with_(site, parcels=smaller), e.Tick(), now).facts
        if isinstance(fact, f.CompartmentReserved)
    ]
    assert reserved == ["2"]


def test_a_failed_door_pulled_open_after_the_deposit_went_elsewhere_is_unknown(site: VirtualSite) -> None:
    site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.wait(12_000)
    site.open("1")
    site.wait(3_000)
    site.forget()
    site.close("1")
    assert site.recorder.facts[-2:] == [
        f.DoorClosed(compartment=ONE, session="1.2"),
        f.OccupancySet(compartment=ONE, occupancy=Occupancy.UNKNOWN, reason="opened_late"),
    ]
    assert site.state.live.staff_notice == StaffNotice(StaffNoticeKind.LEFT_UNKNOWN, ONE, pid(1))
    assert site.lamp.patterns[-1] == "attention"
    site.open("1")
    site.forget()
    site.close("1")
    assert site.kinds() == ["door_closed"], "known to be unknown already"
    assert site.lamp.patterns[-1] == "off"


def test_a_reserved_compartment_whose_staff_left_the_deposit_keeps_its_parcel_as_a_question(site: VirtualSite) -> None:
    site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.open("1")
    now = replace(site.clock.now(), mono=site.clock.mono + 3_000)
    elsewhere = Task(Step.PUT_IN, pid(1), TWO)
    for task, noted in (
        (None, ()),
        (Task(Step.PUT_IN, pid(2), ONE), ()),
        (elsewhere, (SetTask(replace(elsewhere, touched=(ONE,))),)),
    ):
        assert decide(with_(site, task=task), e.DoorChanged(ONE, open=False), now) == Decision(
            (
                f.DoorClosed(compartment=ONE, session="1.2"),
                f.ReservationReleased(compartment=ONE, parcel=pid(1), session="1.2", verified_empty=False),
            ),
            (ShowStaff(StaffNotice(StaffNoticeKind.LEFT_UNKNOWN, ONE, pid(1))), Sound(Signal.ATTENTION), *noted),
        )


def test_a_check_whose_door_never_opens_is_over_and_said(site: VirtualSite) -> None:
    site.sign_in()
    site.press(Button.CHECK, compartment="4")
    site.wait(12_000)
    assert site.state.live.task is None
    assert site.state.live.staff_notice == StaffNotice(StaffNoticeKind.DOOR_FAILED, Label("4"), None)
    assert site.lamp.patterns[-1] == "refused"
    assert site.service("4") is Service.SUSPECT


def test_a_check_that_a_restart_interrupted_says_nothing_of_the_inside(site: VirtualSite) -> None:
    site.sign_in()
    site.press(Button.CHECK, compartment="4")
    site.open("4")
    now = site.clock.now()
    assert decide(with_(site, task=None), e.DoorChanged(Label("4"), open=False), now) == Decision(
        (
            f.DoorClosed(compartment=Label("4"), session="1.2"),
            f.OccupancySet(compartment=Label("4"), occupancy=Occupancy.UNKNOWN, reason="check_not_finished"),
        ),
        (Sound(Signal.OFF),),
    )


def test_a_door_that_stands_open_over_two_restarts_is_one_alarm(site: VirtualSite) -> None:
    site.open("1")
    site.restart()
    site.forget()
    site.restart()
    assert site.kinds() == ["site_started"]


def test_bigger_answered_at_once_waits_for_the_pause_between_two_pulses(site: VirtualSite) -> None:
    site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.open("1")
    site.press(Button.BIGGER)
    site.close("1")
    answered = decide(site.state, e.Pressed(Button.EMPTY), site.clock.now())
    assert answered == Decision(
        (f.ReservationReleased(compartment=ONE, parcel=pid(1), session="1.1", verified_empty=True),),
        (SetTask(None), RememberStored(None), Sound(Signal.OK), SetTask(Task(Step.CHOOSE_SIZE, pid(1)))),
    )


def test_an_empty_compartment_found_empty_is_free_and_no_more(site: VirtualSite) -> None:
    site.sign_in()
    site.press(Button.CHECK, compartment="4")
    site.open("4")
    site.wait(3_000)
    site.close("4")
    assert decide(site.state, e.Pressed(Button.EMPTY), site.clock.now()) == Decision(
        (f.OccupancySet(compartment=Label("4"), occupancy=Occupancy.FREE, reason="checked", by="amina"),),
        (
            SetTask(None),
            RememberStored(None),
            Sound(Signal.OK),
            ShowStaff(StaffNotice(StaffNoticeKind.CHECKED, Label("4"))),
        ),
    )


def test_a_question_without_an_answer_about_what_is_unknown_writes_nothing(site: VirtualSite) -> None:
    unknown = {**site.state.durable.compartments, ONE: Compartment(occupancy=Occupancy.UNKNOWN)}
    staff = Staff("amina", "concierge", "1.1")
    state = with_(site, compartments=unknown, staff=staff, task=Task(Step.ASK_EMPTY, None, ONE, asked_mono=0))
    assert decide(state, e.Tick(), NOW) == Decision(
        (), (SetTask(None), ShowStaff(StaffNotice(StaffNoticeKind.LEFT_UNKNOWN, ONE)), Sound(Signal.ATTENTION))
    )


def test_s04_the_latest_end_of_a_number_is_told(site: VirtualSite) -> None:
    ended = {
        pid(n): Ended(pid(n), 1, ParcelState.COLLECTED, tracking, in_compartment(ONE), at_ms, Trust.NTP)
        for n, tracking, at_ms in ((1, SECOND, 5), (2, SECOND, 9), (3, "OTHER1", 11))
    }
    site.sign_in()
    decision = decide(with_(site, ended=ended, repeated=False), e.Scanned(SECOND, 1), NOW)
    already = StaffNotice(StaffNoticeKind.ALREADY_ENDED, None, pid(2), SECOND, in_compartment(ONE), 9)
    assert decision == Decision((), (ShowStaff(already), Sound(Signal.REFUSED)))


def test_found_empty_what_a_parcel_in_hand_had_reserved_is_released_and_what_was_taken_is_collected(
    site: VirtualSite,
) -> None:
    site.sign_in()
    place = in_compartment(ONE)
    free = f.OccupancySet(compartment=ONE, occupancy=Occupancy.FREE, reason="checked", by="amina")
    collected = f.ParcelCollected(parcel=pid(1), place=place, session="1.7", by="amina")
    released = f.ReservationReleased(compartment=ONE, parcel=pid(1), session="1.1", verified_empty=True)
    disputed = (
        f.ParcelDisputed(parcel=pid(1), place=place, reason="not_found", by="amina"),
        free,
        f.ServiceSet(compartment=ONE, service=Service.SUSPECT, reason="not_found", by="amina"),
    )
    removed = f.ParcelRemoved(parcel=pid(1), place=place, reason="taken_out", by="amina")
    cases: tuple[tuple[Parcel, After, ParcelId | None, tuple[f.AnyFact, ...]], ...] = (
        (a_parcel(1, ParcelState.RECEIVED), After.NOTHING, None, (released,)),
        (a_parcel(1, ParcelState.COLLECTING, place=place, session="1.7"), After.NOTHING, None, (collected, free)),
        (a_parcel(1, uncertain=True, place=place, session="1.7"), After.NOTHING, None, (collected, free)),
        (a_parcel(1, place=place), After.NOTHING, None, disputed),
        (a_parcel(1, place=place), After.NOTHING, pid(1), (released,)),
        (a_parcel(1, place=place), After.REMOVE, pid(1), (removed, free)),
    )
    held = {**site.state.durable.compartments, ONE: Compartment(Occupancy.OCCUPIED, parcel=pid(1))}
    for parcel, after, last, facts in cases:
        task = Task(Step.ASK_EMPTY, pid(1), ONE, after, asked_mono=NOW.mono)
        state = with_(site, compartments=held, parcels={pid(1): parcel}, task=task, last_stored=last)
        assert decide(state, e.Pressed(Button.EMPTY), NOW).facts == facts, (parcel, after)


# ---------------------------------------------------------------------------------------------------------- at the slip


def test_a_key_whose_compartment_was_given_to_another_parcel_goes_to_the_desk(site: VirtualSite) -> None:
    parcel = site.stored()
    other = {**site.state.durable.compartments, ONE: Compartment(Occupancy.OCCUPIED, parcel=pid(2))}
    decision = decide(with_(site, compartments=other), e.Scanned(site.slip(parcel), 1), NOW)
    assert decision == Decision(
        (f.StaffCalled(reason="moved", parcel=parcel, compartment=ONE),),
        (Show(Notice(NoticeKind.ASK_DESK, None, parcel, "fr")), Sound(Signal.ATTENTION)),
    )


def test_another_door_that_closes_meanwhile_is_not_the_one_that_was_asked_about(site: VirtualSite) -> None:
    site.sign_in()
    asked = Task(Step.ASK_EMPTY, None, ONE, asked_mono=NOW.mono)
    doors = {**site.state.live.doors, TWO: Door.OPEN}
    assert decide(with_(site, doors=doors, task=asked), e.DoorChanged(TWO, open=False), NOW) == Decision(
        (f.DoorClosed(compartment=TWO),), (Sound(Signal.OFF),)
    )


@pytest.mark.parametrize("place", [None, on_shelf("S1")])
def test_a_slip_of_a_parcel_in_dispute_calls_the_desk_and_names_no_compartment(
    site: VirtualSite, place: f.Place | None
) -> None:
    parcel = site.stored()
    disputed = replace(site.state.durable.parcels[parcel], state=ParcelState.DISPUTED, place=place)
    decision = decide(with_(site, parcels={parcel: disputed}), e.Scanned(site.slip(parcel), 1), NOW)
    assert decision == Decision(
        (f.StaffCalled(reason="disputed", parcel=parcel),),
        (Show(Notice(NoticeKind.ASK_DESK, None, parcel, "fr")), Sound(Signal.ATTENTION)),
    )


def test_a_dispute_about_what_was_collected_is_about_that_parcel_and_about_none_when_nobody_knows_it(
    site: VirtualSite,
) -> None:
    known, unknown = pid(5), pid(6)
    state = with_(site, ended={known: Ended(known, 1, ParcelState.COLLECTED, "", None, 7, Trust.NTP)})
    for asked, meant in ((known, known), (unknown, None)):
        decision = decide(state, e.Pressed(Button.DISPUTE, parcel=asked), NOW)
        assert decision == Decision(
            (f.StaffCalled(reason="dispute", parcel=meant),),
            (Show(Notice(NoticeKind.CALLED)), Sound(Signal.ATTENTION)),
        )


def test_c34_who_works_and_scans_a_web_address_hears_that_it_is_no_label(site: VirtualSite) -> None:
    site.sign_in()
    assert decide(site.state, e.Scanned("https://example.org/", 1), NOW) == Decision(
        (), (ShowStaff(StaffNotice(StaffNoticeKind.NOT_A_LABEL)), Sound(Signal.REFUSED))
    )


def test_a_parcel_taken_out_is_said_to_be_removed_and_nothing_else(site: VirtualSite) -> None:
    site.sign_in()
    held = {**site.state.durable.compartments, ONE: Compartment(Occupancy.OCCUPIED, parcel=pid(1))}
    parcel = a_parcel(1, place=in_compartment(ONE))
    task = Task(Step.ASK_EMPTY, pid(1), ONE, After.REMOVE, asked_mono=NOW.mono)
    state = with_(site, compartments=held, parcels={pid(1): parcel}, task=task)
    assert decide(state, e.Pressed(Button.EMPTY), NOW).effects == (
        SetTask(None),
        RememberStored(None),
        Sound(Signal.OK),
        ShowStaff(StaffNotice(StaffNoticeKind.REMOVED, ONE, pid(1))),
    )


@pytest.mark.parametrize(
    ("phase", "alarmed", "served"),
    [(Phase.PULSING, True, True), (Phase.OPEN, False, True), (Phase.OPEN, True, False), (Phase.CLOSED, False, False)],
)
def test_a_slip_shown_again_at_its_own_open_door_is_heard_only_after_the_alarm(
    site: VirtualSite, phase: Phase, *, alarmed: bool, served: bool
) -> None:
    parcel = site.stored()
    opening = Opening("1.9", ONE, Purpose.COLLECT, phase, parcel, alarmed=alarmed)
    state = with_(site, openings={ONE: opening})
    assert (decide(state, e.Scanned(site.slip(parcel), 1), NOW) == Decision()) is served


def test_digits_of_a_second_key_are_known_while_its_parcel_is(site: VirtualSite) -> None:
    first, second = pid(5), pid(6)
    gone = Ended(first, 1, ParcelState.COLLECTED, "", None, 7, Trust.NTP)
    alias = {second: Alias(first, 1, 0)}
    event = e.DigitsTyped(site.digits(second))
    state = with_(site, ended={first: gone}, aliases=alias, bucket_mono=NOW.mono)
    assert [type(fact) for fact in decide(state, event, NOW).facts] == [f.SlipRefused]
    later = {pid(100 + n): replace(gone, id=pid(100 + n)) for n in range(499)}
    assert [
        type(fact) for fact in decide(with_(site, ended={first: gone, **later}, aliases=alias), event, NOW).facts
    ] == [f.SlipRefused]
    later[pid(99)] = replace(gone, id=pid(99))
    long_gone = with_(site, ended={first: gone, **later}, aliases=alias, bucket_mono=NOW.mono)
    assert [type(fact) for fact in decide(long_gone, event, NOW).facts] == [f.AttemptFailed]


def test_a_parcel_in_hand_or_only_announced_is_not_ready(site: VirtualSite) -> None:
    site.announce()
    for state in (ParcelState.ANNOUNCED, ParcelState.RECEIVED):
        held = with_(site, parcels={pid(1): a_parcel(1, state, language="ar")})
        assert decide(held, e.Scanned(site.slip(pid(1)), 1), NOW) == Decision(
            (f.SlipRefused(parcel=pid(1), version=1, reason="not_ready"),),
            (Show(Notice(NoticeKind.NOT_READY, None, pid(1), "ar")), Sound(Signal.REFUSED)),
        )


@pytest.mark.parametrize(
    ("settings", "alarmed", "milli", "after_ms", "tokens", "wait_ms"),
    [
        (Settings(), False, 0, 900_000, 1_000, 0),
        (Settings(), False, 0, 899_999, 999, 900),
        (Settings(), False, 0, 0, 0, 900_000),
        (Settings(), True, 0, 900_000, 250, 2_700_000),
        (Settings(attempts_per_hour=7), False, 0, 0, 0, 514_286),
        (Settings(), False, 8_000, 10_000_000, 8_000, 0),
        (Settings(attempts_burst=3), False, 0, 10_000_000, 3_000, 0),
        (Settings(), False, 500, -1, 500, 450_000),
    ],
)
def test_i22_the_bucket_fills_by_measured_time_only(
    site: VirtualSite, settings: Settings, milli: int, after_ms: int, tokens: int, wait_ms: int, *, alarmed: bool
) -> None:
    alarms = {"door_forced/1": 1} if alarmed else {}
    state = with_(site, settings=settings, bucket_milli=milli, bucket_mono=NOW.mono, alarms=alarms)
    now = replace(NOW, mono=NOW.mono + after_ms)
    assert (attempts_milli(state, now), typed_wait_ms(state, now)) == (tokens, wait_ms)


def test_a_parcel_whose_key_this_site_cannot_derive_has_no_slip_here(site: VirtualSite) -> None:
    site.sign_in()
    for epoch, has_slip in ((0, True), (2, False)):
        parcel = a_parcel(1, epoch=epoch, place=on_shelf("E1"), intent=Intent.RECALL)
        shown = with_(site, parcels={pid(1): parcel}, last_stored=pid(1))
        view = build_view(shown, 1, NOW)
        assert (view.staff.slip is not None) is has_slip
        assert [known.recalled for known in view.staff.parcels] == [True]
    assert replace(site.setup, keys={0: b"", 3: b"", 2: b""}).epoch == 3


def test_c27_a_slip_opens_no_door_out_of_reach_but_one_within_it(site: VirtualSite) -> None:
    parcel = site.stored()
    high = with_(site, parcels={parcel: replace(site.parcel(parcel), reach=ReachZone.LOW)})
    scanned = e.Scanned(site.slip(parcel), 1)
    asked = decide(high, scanned, site.clock.now())
    assert [fact for fact in asked.facts if isinstance(fact, f.OpeningOrdered)] == []
    assert [(fact.reason, fact.compartment) for fact in asked.facts if isinstance(fact, f.StaffCalled)] == [
        ("out_of_reach", "1")
    ]
    anywhere = with_(site, parcels={parcel: replace(site.parcel(parcel), reach=ReachZone.HIGH)})
    opened = decide(anywhere, scanned, site.clock.now())
    assert [fact.compartment for fact in opened.facts if isinstance(fact, f.OpeningOrdered)] == ["1"]
