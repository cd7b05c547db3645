"""What the fold makes of facts, what a restart and the clock leave of it, and the names that others rely on."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from controller.core import events as e
from controller.core import model as m
from controller.core import observe as o
from controller.core.decide import decide
from controller.core.due import next_deadline, take_waiting
from controller.core.effects import (
    Decision,
    Signal,
    Sound,
    Wait,
)
from controller.core.events import Button
from controller.core.evolve import evolve, rebase
from controller.core.model import (
    After,
    Alias,
    Call,
    Compartment,
    Ended,
    Live,
    Now,
    Opening,
    Parcel,
    Phase,
    Staff,
    Step,
    Task,
    Waiting,
    in_compartment,
)
from controller.core.notices import Notice, NoticeKind, StaffNotice, StaffNoticeKind
from controller.core.observe import observe
from controller.core.views import CustomerView, Screen, TaskView
from tests.controller.states import a_parcel, with_
from tests.controller.virtual_site import LABEL_OF_PARCEL, VirtualSite
from wire import facts as f
from wire.ids import Label, Occupancy, ParcelState, Purpose, Service, Trust
from wire.ids import parcel_id_from_bits as pid
from wire.plan import Help, Intent, Plan, PlannedParcel, Settings, sealed

ONE, TWO = Label("1"), Label("2")
NOW = Now(50_000, 1_790_000_000_000, Trust.NTP, 1)


# ------------------------------------------------------------------------------------------------- the fold and the clock


def after(site: VirtualSite, fact: f.AnyFact, **changes: object) -> m.Durable:
    """The durable state after one fact."""
    return evolve(with_(site, **changes).durable, fact, NOW)


def test_staff_fill_the_bucket_to_the_brim(site: VirtualSite) -> None:
    full = after(site, f.LockoutCleared(by="amina"), bucket_milli=3, settings=Settings(attempts_burst=5))
    assert (full.bucket_milli, full.bucket_mono) == (5_000, NOW.mono)


def test_time_is_remembered_as_late_as_it_ever_was(site: VirtualSite) -> None:
    for floor, kept in ((NOW.wall_ms - 1, NOW.wall_ms), (NOW.wall_ms + 1, NOW.wall_ms + 1)):
        assert after(site, f.StaffSignedOut(person="a", session="s", reason="r"), floor_ms=floor).floor_ms == kept


def test_i1_a_parcel_put_in_one_compartment_is_expected_in_no_other(site: VirtualSite) -> None:
    compartments = {
        ONE: Compartment(Occupancy.UNKNOWN, parcel=pid(1)),
        TWO: Compartment(Occupancy.OCCUPIED, parcel=pid(2)),
        Label("3"): Compartment(Occupancy.RESERVED, parcel=pid(1), cycles=4),
    }
    stored = f.ParcelStored(parcel=pid(1), place=in_compartment(Label("3")), session="s", by="b")
    known = {pid(1): a_parcel(1, ParcelState.RECEIVED, uncertain=True, reopens=2)}
    then = after(site, stored, compartments=compartments, parcels=known)
    assert then.compartments == {
        ONE: Compartment(Occupancy.UNKNOWN),
        TWO: Compartment(Occupancy.OCCUPIED, parcel=pid(2)),
        Label("3"): Compartment(Occupancy.OCCUPIED, parcel=pid(1), cycles=4),
    }
    place = in_compartment(Label("3"))
    assert then.parcels[pid(1)] == a_parcel(1, place=place, since_mono=NOW.mono, since_ms=NOW.wall_ms)


def test_what_the_plan_said_of_a_parcel_stays_when_its_label_says_otherwise(site: VirtualSite) -> None:
    received = f.ParcelReceived(
        parcel=pid(1), tracking="T", carrier="label", source="plan", key_version=1, key_epoch=0, session="s", by="b"
    )
    planned = a_parcel(1, ParcelState.ANNOUNCED, carrier="plan", planned=True)
    assert after(site, received, parcels={pid(1): planned}).parcels[pid(1)].carrier == "plan"
    assert after(site, received, parcels={pid(1): replace(planned, carrier="")}).parcels[pid(1)].carrier == "label"
    assert not after(site, received).parcels[pid(1)].from_desk
    assert after(site, msgspec.structs.replace(received, source="desk")).parcels[pid(1)].from_desk


def test_a_key_keeps_its_epoch_unless_its_version_is_newer(site: VirtualSite) -> None:
    known = {pid(1): a_parcel(1, version=3, epoch=1)}
    for version, epoch in ((3, 1), (2, 1), (4, 2)):
        planned = PlannedParcel(id=pid(1), version=version, epoch=2)
        plan = f.PlanApplied(incarnation=1, revision=9, hash="h", upserted=(planned,))
        parcel = after(site, plan, parcels=known).parcels[pid(1)]
        assert (parcel.version, parcel.epoch) == (max(3, version), epoch)
        assert after(site, plan).parcels[pid(1)].epoch == 2


@pytest.mark.parametrize(
    ("purpose", "phase", "door", "uncertain"),
    [
        (Purpose.COLLECT, Phase.OPEN, "closed", True),
        (Purpose.COLLECT, Phase.OPEN, "open", True),
        (Purpose.COLLECT, Phase.PULSING, "closed", False),
        (Purpose.COLLECT, Phase.PULSING, "open", True),
        (Purpose.REOPEN, Phase.OPEN, "closed", False),
    ],
)
def test_an_opening_that_a_restart_settled(
    site: VirtualSite, purpose: Purpose, phase: Phase, door: str, *, uncertain: bool
) -> None:
    opening = Opening("s", ONE, purpose, phase, pid(1))
    resolved = f.OpeningResolved(session="s", compartment=ONE, door=door, parcel=pid(1))
    then = after(site, resolved, openings={ONE: opening}, parcels={pid(1): a_parcel()})
    known = a_parcel(uncertain=True, session="s", since_mono=NOW.mono) if uncertain else a_parcel()
    assert then.parcels[pid(1)] == known
    still = replace(opening, phase=Phase.OPEN, opened_mono=NOW.mono, alarmed=True, dark=True)
    assert then.openings == ({ONE: still} if door == "open" else {})


def test_sessions_are_counted_by_the_highest_and_a_nameless_one_counts_nothing(site: VirtualSite) -> None:
    for session, count in (("1.9", 9), ("1.3", 7), ("1.", 7), ("", 7)):
        ordered = f.OpeningOrdered(session=session, compartment=ONE, purpose=Purpose.LOAD, pulse=1)
        assert after(site, ordered, sessions=7).sessions == count
        assert after(site, f.StaffSignedIn(person="p", session=session), sessions=7).sessions == count


def test_only_the_first_pulse_of_a_reopening_is_counted(site: VirtualSite) -> None:
    known = {pid(1): a_parcel(1, ParcelState.COLLECTING, reopens=1)}
    for purpose, pulse, count in ((Purpose.REOPEN, 1, 2), (Purpose.REOPEN, 2, 1), (Purpose.COLLECT, 1, 1)):
        ordered = f.OpeningOrdered(session="1.1", compartment=ONE, purpose=purpose, pulse=pulse, parcel=pid(1))
        assert after(site, ordered, parcels=known).parcels[pid(1)].reopens == count


def test_bounds_keep_the_newest(site: VirtualSite) -> None:
    calls = tuple(Call(str(number), None, None, 0) for number in range(50))
    assert [call.reason for call in after(site, f.StaffCalled(reason="new"), calls=calls).calls] == [
        *(str(number) for number in range(1, 50)), "new",
    ]  # fmt: skip
    answers = {str(number): m.Answer("v", "o", "r") for number in range(200)}
    answered = f.CommandAnswered(id="new", verb="v", outcome="o", reason="r")
    assert list(after(site, answered, answers=answers).answers) == [*list(answers)[1:], "new"]
    gone = Ended(pid(0), 1, ParcelState.COLLECTED, "", None, 0, Trust.NTP)
    ended = {pid(number): gone for number in range(1, 10_001)}
    aliases = {pid(900_001): Alias(pid(1), 1, 0), pid(900_002): Alias(pid(2), 1, 0)}
    then = after(
        site, f.ParcelRemoved(parcel=pid(20_000)), ended=ended, aliases=aliases, parcels={pid(20_000): a_parcel(20_000)}
    )
    assert list(then.ended) == [*list(ended)[1:], pid(20_000)]
    assert list(then.aliases) == [pid(900_002)]
    full = dict(list(ended.items())[:-1])
    then = after(site, f.ParcelRemoved(parcel=pid(20_000)), ended=full, parcels={pid(20_000): a_parcel(20_000)})
    assert len(then.ended) == 10_000


def test_after_a_restart_every_running_time_begins_anew(site: VirtualSite) -> None:
    openings = {
        ONE: Opening("s", ONE, Purpose.LOAD, Phase.PULSING, pulse_mono=1, opened_mono=2, closed_mono=3),
        TWO: Opening("s", TWO, Purpose.LOAD, Phase.CLOSED),
        Label("3"): Opening("s", Label("3"), Purpose.LOAD, Phase.OPEN, pulses=2),
        Label("4"): Opening("s", Label("4"), Purpose.LOAD, Phase.FAILED),
    }
    again = rebase(with_(site, openings=openings, parcels={pid(1): a_parcel()}).durable, NOW)
    times = {"pulse_mono": NOW.mono, "opened_mono": NOW.mono, "closed_mono": NOW.mono}
    assert again.openings == {
        ONE: replace(openings[ONE], **times),  # type: ignore[arg-type]
        Label("3"): replace(openings[Label("3")], **times),  # type: ignore[arg-type]
    }
    assert (again.parcels, again.bucket_mono) == ({pid(1): a_parcel(since_mono=NOW.mono)}, NOW.mono)


def test_what_is_only_seen_and_never_written(site: VirtualSite) -> None:
    live = Live(notice=Notice(NoticeKind.THANKS), notice_until=NOW.mono, staff_notice_until=NOW.mono)
    tick = observe(live, e.Tick(), NOW)
    assert tick == replace(live, notice=None)
    assert observe(live, e.Tick(), replace(NOW, mono=NOW.mono - 1)) == live
    both = replace(live, staff_notice=StaffNotice(StaffNoticeKind.CHECKED))
    assert observe(both, e.Tick(), NOW) == replace(both, notice=None, staff_notice=None)
    assert observe(both, e.Tick(), replace(NOW, mono=NOW.mono - 1)) == both
    kept = Waiting(e.DigitsTyped("1"), NOW.mono - 120_000)
    younger = Waiting(e.DigitsTyped("2"), NOW.mono - 119_999)
    assert observe(replace(Live(), waiting=(kept, younger)), e.Tick(), NOW).waiting == (younger,)
    waiting: Live = Live()
    for number in (1, 1, 2, 3, 4, 5):
        waiting = observe(waiting, Wait(e.DigitsTyped(str(number))), NOW)
    assert waiting.waiting == tuple(Waiting(e.DigitsTyped(str(number)), NOW.mono) for number in (1, 2, 3, 4))
    assert observe(live, Sound(Signal.OK), NOW) == live  # type: ignore[arg-type]


def test_c23_the_same_text_counts_once_in_three_seconds(site: VirtualSite) -> None:
    first = observe(Live(), e.Scanned("x", 1), NOW)
    assert not first.repeated
    for later, repeated in ((2_999, True), (3_000, False)):
        again = observe(first, e.Scanned("x", 1), replace(NOW, mono=NOW.mono + later))
        assert (again.repeated, again.active_mono, again.last_text_mono) == (
            repeated,
            NOW.mono + later,
            NOW.mono + later,
        )
    assert not observe(first, e.Scanned("y", 1), NOW).repeated


def test_a_kept_input_is_taken_first_come_first_served_and_is_no_repetition(site: VirtualSite) -> None:
    kept = (Waiting(e.Scanned("a", 1), 1), Waiting(e.Scanned("b", 2), 2))
    state = with_(site, waiting=kept, last_text=b"x")
    taken = take_waiting(state, NOW)
    assert taken == (replace(state.live, waiting=kept[1:], last_text=b""), e.Scanned("a", 1))
    pulsing = {ONE: Opening("s", ONE, Purpose.LOAD, Phase.PULSING)}
    assert take_waiting(with_(site, waiting=kept, openings=pulsing), NOW) is None
    assert take_waiting(with_(site, waiting=()), NOW) is None


def test_deadlines_are_what_runs_and_nothing_else(site: VirtualSite) -> None:
    assert next_deadline(with_(site), NOW) is None
    assert next_deadline(with_(site, waiting=(Waiting(e.Scanned("a", 1), 5),)), NOW) == NOW.mono
    assert next_deadline(with_(site, waiting=(Waiting(e.Scanned("a", 1), -119_999 + 7),)), NOW) == 8
    staff = Staff("amina", "r", "1.1")
    assert next_deadline(with_(site, staff=staff, active_mono=3), NOW) == 90_003
    task = Task(Step.PUT_IN, pid(1), ONE)
    assert next_deadline(with_(site, staff=staff, task=task), NOW) is None
    opened = {ONE: Opening("s", ONE, Purpose.LOAD, Phase.OPEN, opened_mono=100)}
    assert next_deadline(with_(site, staff=staff, openings=opened), NOW) == 60_100
    assert next_deadline(with_(site, openings=opened, nagged_mono=60_100), NOW) == 75_100
    assert next_deadline(with_(site, openings=opened, nagged_mono=170_000), NOW) == 180_100
    taken = {pid(1): a_parcel(1, ParcelState.COLLECTING, session="1.1", since_mono=9)}
    assert next_deadline(with_(site, parcels=taken), NOW) == 900_009
    reopened = {ONE: Opening("1.1", ONE, Purpose.REOPEN, Phase.OPEN, opened_mono=100)}
    assert (
        next_deadline(
            with_(site, parcels=taken, openings=reopened, nagged_mono=1_000_000, settings=Settings(alarm_ms=7_000_000)),
            NOW,
        )
        == 1_015_000
    )
    question = Task(Step.ASK_EMPTY, None, ONE, asked_mono=11)
    assert next_deadline(with_(site, task=question), NOW) == 30_011
    for pulse_gap_ms, over in ((1_500, 4_020), (9_000, 9_020)):
        pulsing = {ONE: Opening("s", ONE, Purpose.LOAD, Phase.PULSING, pulse_mono=20)}
        settings = Settings(pulse_gap_ms=pulse_gap_ms)
        assert next_deadline(with_(site, openings=pulsing, settings=settings), NOW) == over


# --------------------------------------------------------------------------------------------------------------- the hub


def joined(site: VirtualSite, tracking: str = LABEL_OF_PARCEL, **changes: object) -> list[f.AnyFact]:
    """The joins that a plan with one announced parcel brings."""
    state = with_(site, **changes)
    plan = Plan(
        site=site.setup.site,
        incarnation=1,
        revision=99,
        hash="",
        parcels=(PlannedParcel(id=pid(2), version=1, tracking=tracking),),
    )
    facts = decide(state, e.PlanArrived(sealed(plan)), NOW).facts
    return [fact for fact in facts if isinstance(fact, f.ParcelJoined)]


def test_only_an_announced_parcel_is_joined_to_one_that_the_desk_made(site: VirtualSite) -> None:
    here = a_parcel(1, tracking=LABEL_OF_PARCEL, from_desk=True)
    join: list[f.AnyFact] = [f.ParcelJoined(parcel=pid(2), into=pid(1))]
    gone = Ended(pid(1), 1, ParcelState.COLLECTED, LABEL_OF_PARCEL, None, 0, Trust.NTP, from_desk=True)
    assert joined(site, parcels={pid(1): here}) == join
    assert joined(site, ended={pid(1): gone}) == join
    assert joined(site, parcels={pid(1): here, pid(2): a_parcel(2, ParcelState.ANNOUNCED)}) == join
    assert joined(site, parcels={pid(1): replace(here, from_desk=False)}) == []
    assert joined(site, parcels={pid(1): replace(here, tracking="")}, tracking="") == []
    assert joined(site, parcels={pid(1): here, pid(2): a_parcel(2, ParcelState.RECEIVED)}) == []
    assert joined(site, parcels={pid(1): here}, aliases={pid(2): Alias(pid(1), 1, 0)}) == []
    assert joined(site, parcels={pid(1): here}, ended={pid(2): replace(gone, id=pid(2), from_desk=False)}) == []
    assert joined(site, parcels={pid(2): replace(here, id=pid(2))}) == [], "itself"


# ------------------------------------------------------------------------------------- names that others read or rely on


def words(enum: type) -> list[str]:
    return [member.value for member in enum]  # type: ignore[attr-defined]


def test_the_words_that_screens_translate_are_these() -> None:
    assert words(NoticeKind) == [
        "at_desk", "ask_desk", "refused", "check_digits", "wait_to_type", "wrong_site", "replaced", "not_ready",
        "already_collected", "use_slip", "one_moment", "thanks", "quick_close", "called",
        "found_empty", "damaged", "refused_parcel", "recalled", "no_longer_here", "scan_hint", "more_waits", "handed_in",
    ]  # fmt: skip
    assert words(StaffNoticeKind) == [
        "badge_unknown", "not_a_label", "already_here", "already_ended", "stored", "door_failed", "cancelled",
        "left_unknown", "finish_first", "sign_in_first", "close_door_first", "size_noted", "nothing_to_do", "checked",
        "removed", "handed_over", "disk_full", "not_yours", "not_latched", "never_latches", "misplaced",
        "badge_expired", "no_pin", "pin_wrong", "pin_wait",
        "needs_noted", "identified", "identify_first", "no_room", "look_first", "assisted", "practice_on",
        "not_for_practice",
        "label_matched", "scan_label", "wrong_parcel", "all_retrieved", "reissued", "mandate_issued", "mandate_withdrawn", "key_too_late", "not_your_carrier", "say_why", "out_of_service",
            "still_occupied", "drop_ended", "drop_full", "extended", "extended_enough",
        "other_label", "say_which", "say_which_ones", "on_its_place", "not_of_this_place", "last_look", "reconciled", "reconciliation_paused",
        "sending_next", "sending_issued",
    ]  # fmt: skip
    assert words(Screen) == [
        "ready", "opening", "push_door", "take", "close_door", "put_back", "choose_size", "put_in", "ask_inside", "notice",
    ]  # fmt: skip
    assert words(Step) == [
        "choose_size",
        "put_in",
        "put_on_shelf",
        "take_back",
        "ask_empty",
        "which_door",
        "take_from_shelf",
        "check_shelf",
        "open_with_key",
    ]
    assert words(After) == [
        "nothing",
        "bigger",
        "other_door",
        "shelf",
        "remove",
        "move",
        "end_practice",
        "retrieve",
        "reconcile",
    ]
    assert words(Phase) == ["pulsing", "open", "closed", "failed", "declared"]
    assert words(Signal) == ["ok", "refused", "attention", "alarm", "ticking", "off"]
    assert words(Button) == [
        "call_desk", "dispute", "found_empty", "damaged", "refuse", "send_size", "send_bigger", "send_inside", "send_not_inside", "send_cancel", "sign_out", "size", "shelf", "bigger", "cancel", "done", "empty", "not_empty", "in_door",
        "heavy", "low", "arrived_damaged", "unidentified", "identified", "make_room", "check",
        "reopen", "remove", "retrieve", "not_there", "extend", "reissue", "mandate", "withdraw_mandate", "sending", "hand_over", "answer_call", "clear_alarm", "clear_lockout", "key_opening", "put_in_service",
        "take_out_of_service", "practise", "end_practice",
        "reconcile", "as_expected", "other", "end_reconciliation",
    ]  # fmt: skip


def test_what_is_not_said_is_this() -> None:
    """The defaults: a snapshot of an older version is read with them, so they are part of the journal's language."""
    state = ParcelState.STORED
    assert Compartment() == Compartment(Occupancy.FREE, Service.IN_SERVICE, None, 0, False)
    assert Parcel(pid(1), 1, 0, state) == Parcel(
        pid(1), 1, 0, state, "", "", None, False, None, "fr", Help.STANDARD, "", Intent.HOLD, False, None, "", 0, False, 0,
        0, False,
    )  # fmt: skip
    assert Ended(pid(1), 1, state, "", None, 0, Trust.NTP) == Ended(
        pid(1), 1, state, "", None, 0, Trust.NTP, "fr", 0, False
    )
    assert Opening("s", ONE, Purpose.LOAD, Phase.OPEN) == Opening(
        "s", ONE, Purpose.LOAD, Phase.OPEN, None, "", 0, 0, 0, 0, False, 0
    )
    assert m.PlanMark() == m.PlanMark(0, 0, "")
    assert m.Durable({}) == m.Durable(
        {}, {}, {}, {}, {}, None, {}, (), m.PlanMark(), Settings(), (), (), {}, 0, 0, "", 8_000, 0, 0, 0, 0
    )
    assert Task(Step.PUT_IN) == Task(Step.PUT_IN, None, None, After.NOTHING, None, 0, (), None)
    assert Notice(NoticeKind.THANKS) == Notice(NoticeKind.THANKS, None, None, "", "", "", 0, 0)
    assert StaffNotice(StaffNoticeKind.STORED) == StaffNotice(StaffNoticeKind.STORED, None, None, "", None, 0)
    assert Live() == Live({}, True, False, False, None, 0, None, 0, None, None, None, b"", 0, False, 0, 0, (), False)
    assert Now(1, 2) == Now(1, 2, Trust.UNSET, 0)
    assert CustomerView(Screen.READY) == CustomerView(Screen.READY, None, None, "fr", Help.STANDARD, None)
    assert TaskView(Step.PUT_IN, None, "", None, None).looks_only is False
    assert Decision() == Decision((), ())
    assert e.AckArrived(1, 2) == e.AckArrived(1, 2, 0)
    assert e.Pressed(Button.DONE) == e.Pressed(Button.DONE, "", None, None)


def test_no_key_of_a_site_is_in_its_words(site: VirtualSite) -> None:
    assert "keys" not in repr(site.setup)
    assert replace(site.setup, name="").name == m.Setup("s", 1, {}, {}, (), "b", "v").name


def test_bounds_are_these() -> None:
    assert (m.WAITING_MAX, m.CALLS_MAX, m.ANSWERS_MAX, m.ENDED_MAX, m.ALIASES_MAX) == (4, 50, 200, 10_000, 10_000)
    assert (o.REPEAT_MS, o.NOTICE_MS, o.STAFF_NOTICE_MS, o.WAITING_MS) == (3_000, 10_000, 30_000, 120_000)
