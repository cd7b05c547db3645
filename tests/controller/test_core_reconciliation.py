"""Staff look behind door after door and say what they see: M-07."""

from __future__ import annotations

import pytest

from controller.core.events import Button
from controller.core.evolve import evolve
from controller.core.looks import NO_SEAL
from controller.core.model import Step
from controller.core.notices import StaffNoticeKind
from tests.controller.virtual_site import BADGE, LABEL_OF_PARCEL, VirtualSite, task, told
from wire import facts as f
from wire.badges import CommandCard
from wire.ids import Found, Label, Occupancy, ParcelId, ParcelState, Service
from wire.plan import Role

OTHER = "8N00234584999"
SECOND = "8N00234584116"


def looks(site: VirtualSite) -> list[tuple[str, Found]]:
    return [(fact.compartment, fact.found) for fact in site.recorder.facts if isinstance(fact, f.CompartmentReconciled)]


def ends(site: VirtualSite) -> list[f.ReconciliationEnded]:
    return [fact for fact in site.recorder.facts if isinstance(fact, f.ReconciliationEnded)]


def begun(site: VirtualSite, value: str = "") -> None:
    site.sign_in()
    site.press(Button.RECONCILE, value)


def looked(site: VirtualSite, label: str) -> None:
    """The door follows its pulse, somebody looks, and shuts it."""
    site.wait(2_000)
    assert site.task_compartment() == label
    site.open(label)
    site.wait(3_000)
    site.close(label)
    assert task(site).step is Step.ASK_EMPTY


def test_a_run_goes_from_door_to_door_shows_what_is_expected_and_ends_in_a_sealed_report(site: VirtualSite) -> None:
    parcel = site.stored()
    begun(site)
    assert (task(site).reconciling, task(site).tracking, task(site).believed) == (
        True,
        LABEL_OF_PARCEL,
        Occupancy.OCCUPIED,
    )
    looked(site, "1")
    site.card(CommandCard.AS_EXPECTED)
    for label in ("2", "3", "4"):
        site.wait(2_000)
        assert (task(site).parcel, task(site).believed) == (None, Occupancy.FREE)
        looked(site, label)
        site.card(CommandCard.EMPTY)
    for place in ("E1", "E2"):  # then the shelf
        site.wait(2_000)
        assert (task(site).step, task(site).shelf_place) == (Step.CHECK_SHELF, place)
        site.card(CommandCard.EMPTY)
    assert looks(site) == [(label, Found.AS_EXPECTED) for label in "1234"]
    assert (told(site), site.view().staff.task) == (StaffNoticeKind.RECONCILED, None)
    assert site.state.durable.reconciliation is None
    report, seal = site.view().staff.report, site.view().staff.seal
    assert report is not None
    assert next((look.compartment, look.tracking) for look in report.looks) == ("1", LABEL_OF_PARCEL)
    assert (report.left, report.by, seal.seq) == ((), "amina", site.recorder.last_seq)
    assert seal.hash == site.recorder.hash_at(seal.seq) != NO_SEAL.hash
    assert site.parcel(parcel).state is ParcelState.STORED
    assert [site.occupancy(label) for label in "1234"] == [Occupancy.OCCUPIED, *[Occupancy.FREE] * 3]


def test_an_empty_compartment_that_should_hold_a_parcel_makes_it_missing_and_the_compartment_free(
    site: VirtualSite,
) -> None:
    parcel = site.stored()
    begun(site)
    looked(site, "1")
    site.press(Button.EMPTY)
    assert looks(site) == [("1", Found.EMPTY)]
    assert (site.parcel(parcel).state, site.parcel(parcel).reason) == (ParcelState.DISPUTED, "not_found")
    assert (site.occupancy("1"), site.service("1")) == (Occupancy.FREE, Service.SUSPECT)


def test_something_else_is_left_where_it_lies_and_nothing_but_staff_opens_that_door(site: VirtualSite) -> None:
    parcel = site.stored()
    begun(site)
    site.wait(2_000)
    site.open("1")
    site.scan(OTHER)
    assert told(site) is StaffNoticeKind.OTHER_LABEL
    site.wait(3_000)
    site.close("1")
    site.card(CommandCard.OTHER)
    assert (site.occupancy("1"), site.service("1")) == (Occupancy.UNKNOWN, Service.OUT_OF_SERVICE)
    assert site.parcel(parcel).state is ParcelState.DISPUTED
    look = next(fact for fact in site.recorder.facts if isinstance(fact, f.CompartmentReconciled))
    assert (look.tracking, look.expected, look.found) == (OTHER, parcel, Found.OTHER)
    assert [call.reason for call in site.state.durable.calls] == ["found_other"]
    assert not [fact for fact in site.recorder.facts if isinstance(fact, f.ParcelReceived) and fact.tracking == OTHER]


def test_what_was_found_is_a_parcel_of_the_site_again_once_its_door_was_emptied_and_its_label_read(
    site: VirtualSite,
) -> None:
    begun(site, "0")
    looked(site, "1")
    site.card(CommandCard.OTHER)
    assert len(ends(site)) == 1
    site.press(Button.CHECK, compartment="1")
    site.wait(2_000)
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.card(CommandCard.EMPTY)
    assert site.occupancy("1") is Occupancy.FREE
    site.press(Button.SIZE, "S")
    site.scan(OTHER)
    received = [fact.tracking for fact in site.recorder.facts if isinstance(fact, f.ParcelReceived)]
    assert received == [OTHER]


def test_found_again_by_the_next_run_it_is_told_once_and_stays_out_of_service(site: VirtualSite) -> None:
    for _ in range(2):
        begun(site, "0")
        looked(site, "1")
        site.card(CommandCard.OTHER)
        site.wait(4_000)
    assert [call.reason for call in site.state.durable.calls] == ["found_other"]
    assert site.service("1") is Service.OUT_OF_SERVICE
    assert [end.left for end in ends(site)] == [(), ()]


def test_the_right_label_says_that_the_parcel_is_there_even_beside_something_else(site: VirtualSite) -> None:
    parcel = site.stored()
    begun(site)
    site.wait(2_000)
    site.open("1")
    site.scan(LABEL_OF_PARCEL)
    assert (told(site), task(site).scanned) == (StaffNoticeKind.LABEL_MATCHED, True)
    site.wait(3_000)
    site.close("1")
    site.card(CommandCard.OTHER)
    assert site.parcel(parcel).state is ParcelState.STORED
    assert (site.occupancy("1"), site.service("1")) == (Occupancy.UNKNOWN, Service.OUT_OF_SERVICE)


def test_a_parcel_of_another_door_that_is_found_is_named_in_the_call(site: VirtualSite) -> None:
    site.stored()
    second = site.stored(2, SECOND)
    begun(site)
    site.wait(2_000)
    site.open("1")
    site.scan(SECOND)
    site.wait(3_000)
    site.close("1")
    site.card(CommandCard.OTHER)
    call = site.state.durable.calls[-1]
    assert (call.reason, call.parcel, call.compartment) == ("found_other", second, "1")
    assert site.parcel(second).state is ParcelState.STORED


def test_nothing_is_answered_before_the_door_is_shut(site: VirtualSite) -> None:
    site.stored()
    begun(site)
    site.wait(2_000)
    site.open("1")
    site.card(CommandCard.AS_EXPECTED)
    assert (told(site), looks(site)) == (StaffNoticeKind.CLOSE_DOOR_FIRST, [])
    site.press(Button.CANCEL)
    assert told(site) is StaffNoticeKind.FINISH_FIRST
    site.press(Button.RECONCILE)
    assert told(site) is StaffNoticeKind.FINISH_FIRST


def test_a_run_that_is_ended_at_a_door_ends_when_that_door_is_answered_for(site: VirtualSite) -> None:
    """With the card alone: the scanner is in hand, and the door in front of them stands open."""
    site.stored()
    begun(site)
    site.wait(2_000)
    site.open("1")
    site.card(CommandCard.END_INVENTORY)
    assert (told(site), task(site).last, ends(site)) == (StaffNoticeKind.LAST_LOOK, True, [])
    site.wait(3_000)
    site.close("1")
    site.card(CommandCard.AS_EXPECTED)
    site.wait(3_000)
    assert looks(site) == [("1", Found.AS_EXPECTED)]
    assert [(end.left, end.shelf_left) for end in ends(site)] == [(("2", "3", "4"), ("E1", "E2"))]
    assert (told(site), site.view().staff.task, site.pulses()) == (StaffNoticeKind.RECONCILED, None, ["1"])


def test_a_run_is_not_ended_by_who_is_in_the_middle_of_something_else(site: VirtualSite) -> None:
    begun(site)
    looked(site, "1")
    site.wait(60_000)  # nobody answers, and the run waits
    site.scan(LABEL_OF_PARCEL)
    site.card(CommandCard.END_INVENTORY)
    assert (told(site), ends(site)) == (StaffNoticeKind.FINISH_FIRST, [])


def test_not_empty_is_no_answer_where_a_parcel_is_expected_and_gives_the_time_to_say_which(site: VirtualSite) -> None:
    site.stored()
    begun(site)
    looked(site, "1")
    site.wait(20_000)
    site.card(CommandCard.NOT_EMPTY)
    assert (told(site), looks(site)) == (StaffNoticeKind.SAY_WHICH, [])
    site.wait(20_000)
    assert task(site).step is Step.ASK_EMPTY
    site.card(CommandCard.AS_EXPECTED)
    site.wait(2_000)
    looked(site, "2")
    site.card(CommandCard.NOT_EMPTY)
    assert looks(site) == [("1", Found.AS_EXPECTED), ("2", Found.OTHER)]


def test_as_expected_is_no_answer_where_nobody_knows_what_lies_there(site: VirtualSite) -> None:
    site.open("1")
    site.close("1")
    assert site.occupancy("1") is Occupancy.UNKNOWN
    begun(site, "0")
    looked(site, "1")
    site.card(CommandCard.AS_EXPECTED)
    assert (told(site), looks(site)) == (StaffNoticeKind.SAY_WHICH, [])
    site.card(CommandCard.EMPTY)
    assert (looks(site), site.occupancy("1")) == ([("1", Found.EMPTY)], Occupancy.FREE)


def test_one_row_is_looked_behind_and_the_others_are_left_alone(site: VirtualSite) -> None:
    begun(site, "2")
    looked(site, "3")
    site.card(CommandCard.EMPTY)
    assert looks(site) == [("3", Found.AS_EXPECTED)]
    assert [end.left for end in ends(site)] == [()]
    site.press(Button.RECONCILE, "99")
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO


def test_a_customer_goes_before_the_next_door_and_the_run_goes_on_after_them(site: VirtualSite) -> None:
    site.stored()
    second = site.stored(2, SECOND)
    begun(site)
    looked(site, "1")
    site.wait(2_000)
    site.scan(site.slip(second))
    site.card(CommandCard.AS_EXPECTED)
    assert site.pulses()[-1] == "2"
    site.open("2")
    site.wait(5_000)
    assert (site.view().staff.task, len(site.state.live.waiting)) == (None, 1)
    site.close("2")
    site.wait(2_000)
    looked(site, "2")
    site.card(CommandCard.EMPTY)
    assert looks(site) == [("1", Found.AS_EXPECTED), ("2", Found.EMPTY)]
    assert site.state.durable.ended[second].state is ParcelState.COLLECTED, "its customer had just taken it"


def test_where_only_the_door_of_a_customer_is_left_the_run_waits_for_somebody_to_go_on(site: VirtualSite) -> None:
    parcel = site.stored()
    begun(site, "0")
    looked(site, "1")
    site.restart()
    site.sign_in()
    site.press(Button.CHECK, compartment="1")
    site.wait(2_000)
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.card(CommandCard.NOT_EMPTY)
    site.wait(2_000)
    site.scan(site.slip(parcel))
    site.open("1")
    site.wait(70_000)
    site.press(Button.RECONCILE)
    assert (told(site), site.view().staff.task) == (StaffNoticeKind.RECONCILIATION_PAUSED, None)
    site.close("1")
    site.wait(2_000)
    site.press(Button.RECONCILE)
    looked(site, "1")
    site.card(CommandCard.EMPTY)
    assert site.state.durable.ended[parcel].state is ParcelState.COLLECTED


@pytest.mark.parametrize("door", ["open", "shut", "answered"])
def test_after_a_power_cut_it_goes_on_where_it_was(site: VirtualSite, door: str) -> None:
    parcel = site.stored()
    begun(site)
    looked(site, "1")
    site.card(CommandCard.AS_EXPECTED)
    site.wait(2_000)
    site.open("2")
    site.wait(3_000)
    if door != "open":
        site.close("2")
    if door == "answered":
        site.card(CommandCard.EMPTY)
    site.restart()
    if door == "open":
        site.close("2")
    assert site.view().staff.reconciliation is None, "nobody is signed in"
    site.sign_in()
    run = site.view().staff.reconciliation
    assert run is not None
    assert len(run.looks) == (2 if door == "answered" else 1)
    site.press(Button.RECONCILE)
    looked(site, "3" if door == "answered" else "2")
    site.card(CommandCard.EMPTY)
    assert site.occupancy("2") is Occupancy.FREE
    assert site.parcel(parcel).state is ParcelState.STORED


def test_a_question_nobody_answers_leaves_the_door_on_the_list(site: VirtualSite) -> None:
    begun(site, "0")
    looked(site, "1")
    site.wait(31_000)
    assert (told(site), site.occupancy("1")) == (StaffNoticeKind.LEFT_UNKNOWN, Occupancy.UNKNOWN)
    site.card(CommandCard.INVENTORY)
    looked(site, "1")
    site.card(CommandCard.EMPTY)
    assert site.occupancy("1") is Occupancy.FREE


def test_a_door_that_never_opens_is_in_the_report_and_stops_nothing(site: VirtualSite) -> None:
    begun(site)
    site.wait(20_000)
    assert looks(site) == [("1", Found.NOT_OPENED)]
    looked(site, "2")
    site.card(CommandCard.EMPTY)
    assert site.service("1") is Service.SUSPECT


def test_a_row_of_one_door_that_never_opens_ends_the_run(site: VirtualSite) -> None:
    site.recorder.broken.add("1")
    begun(site, "0")
    site.wait(20_000)
    assert (looks(site), len(ends(site))) == ([("1", Found.NOT_OPENED)], 1)
    site.press(Button.CHECK, compartment="1")
    site.wait(20_000)
    assert len(looks(site)) == 1, "a check of one compartment is none of a run"


def test_staff_may_end_it_and_the_report_names_what_nobody_looked_behind(site: VirtualSite) -> None:
    begun(site)
    looked(site, "1")
    site.wait(31_000)
    site.press(Button.END_RECONCILIATION)
    report = site.view().staff.report
    assert report is not None
    assert (report.left, report.looks) == (tuple(Label(label) for label in "1234"), ())
    site.press(Button.END_RECONCILIATION)
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO
    site.card(CommandCard.AS_EXPECTED)
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO


def test_the_practice_compartment_is_left_out(site: VirtualSite) -> None:
    site.sign_in()
    site.press(Button.PRACTISE, compartment="1")
    site.press(Button.RECONCILE)
    started = next(fact for fact in site.recorder.facts if isinstance(fact, f.ReconciliationStarted))
    assert started.compartments == ("2", "3", "4")
    looked(site, "2")
    site.wait(31_000)
    site.press(Button.PRACTISE, compartment="3")
    site.press(Button.END_PRACTICE)
    site.wait(2_000)
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.card(CommandCard.EMPTY)
    site.press(Button.PRACTISE, compartment="3")
    site.card(CommandCard.INVENTORY)
    looked(site, "2")
    site.card(CommandCard.EMPTY)
    looked(site, "4")


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("read_again", [False, True])
def test_a_parcel_in_the_hands_of_staff_is_never_called_missing(
    site: VirtualSite, *, cut: bool, read_again: bool
) -> None:
    """Where a deposit was not finished nobody knows who has the parcel, and it is looked for; its label, read again, says so."""
    parcel = site.announce(size=None)
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.card(CommandCard.SIZE_S)
    site.open("1")
    site.press(Button.CANCEL)
    if cut:
        site.restart()
    site.wait(2_000)
    site.close("1")
    site.wait(60_000)
    site.sign_in()
    if read_again:
        site.scan(LABEL_OF_PARCEL)
        site.press(Button.CANCEL)  # before a size is said, or at another door
        if site.view().staff.task is not None:
            door = site.task_compartment()
            site.open(door)
            site.wait(2_000)
            site.close(door)
            site.card(CommandCard.EMPTY)
    begun(site, "0")
    looked(site, "1")
    site.card(CommandCard.OTHER)
    known = site.state.durable.parcels[parcel]
    assert known.state is (ParcelState.RECEIVED if read_again else ParcelState.DISPUTED)
    assert site.occupancy("1") is Occupancy.UNKNOWN


def test_a_door_that_does_not_hold_is_answered_while_it_stands_open(site: VirtualSite) -> None:
    begun(site, "0")
    site.wait(2_000)
    site.open("1")
    for _ in range(2):
        site.wait(500)
        site.close("1")
        site.wait(200)
        site.open("1")
    site.card(CommandCard.EMPTY)
    assert looks(site) == [("1", Found.AS_EXPECTED)]


def test_a_door_that_sprang_open_once_is_shut_before_it_is_answered_for(site: VirtualSite) -> None:
    begun(site, "0")
    looked(site, "1")
    site.open("1")
    site.card(CommandCard.EMPTY)
    assert (told(site), looks(site)) == (StaffNoticeKind.CLOSE_DOOR_FIRST, [])


def test_a_mediator_is_told_whom_to_ask() -> None:
    site = VirtualSite()
    site.role = Role.MEDIATOR
    site.publish_plan()
    begun(site)
    assert (told(site), site.state.durable.reconciliation) == (StaffNoticeKind.NOT_YOURS, None)


def test_the_pin_is_asked_before_the_first_door_that_may_hold_a_parcel() -> None:
    site = VirtualSite()
    site.stored()
    site.pin = "4071"
    site.publish_plan()
    begun(site)
    assert site.view().staff.pin_asked
    site.give_pin("4071")
    looked(site, "1")


def test_a_run_that_reaches_an_occupied_door_asks_for_the_pin_there() -> None:
    site = VirtualSite()
    site.stored()
    second = site.stored(2, SECOND)
    site.pin = "4071"
    site.publish_plan()
    site.scan(site.slip(ParcelId(site.state.durable.compartments[Label("1")].parcel or "")))
    site.open("1")
    site.wait(5_000)
    site.close("1")
    site.wait(site.settings.dispute_ms + 1_000)
    begun(site)
    looked(site, "1")
    site.card(CommandCard.EMPTY)
    site.wait(2_000)
    assert site.view().staff.pin_asked
    assert site.pulses()[-1] == "1"
    site.give_pin("4071")
    looked(site, "2")
    assert task(site).parcel == second


def test_facts_of_another_run_change_nothing_of_this_one(site: VirtualSite) -> None:
    begun(site)
    run = site.state.durable.reconciliation
    strange = f.CompartmentReconciled(
        session="9.9", compartment=Label("2"), found=Found.EMPTY, occupancy=Occupancy.FREE, by="x"
    )
    durable = evolve(site.state.durable, strange, site.clock.now())
    durable = evolve(durable, f.ReconciliationEnded(session="9.9", by="x"), site.clock.now())
    assert durable.reconciliation == run
    assert durable.report is None


def test_another_person_goes_on_after_the_first_signed_out(site: VirtualSite) -> None:
    begun(site)
    looked(site, "1")
    site.wait(31_000)
    site.press(Button.SIGN_OUT)
    site.wait(4_000)
    site.scan(BADGE)
    site.card(CommandCard.INVENTORY)
    looked(site, "1")
