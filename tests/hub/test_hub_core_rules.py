"""What the hub makes of a fact, by the letter: its rules, without tables, brokers or clocks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.core import project as p
from hub.core.moment import Moment
from hub.core.project import (
    AlertKind,
    Clear,
    Disputed,
    Ended,
    Evolved,
    Joined,
    KeyRaised,
    Occupied,
    ParcelChange,
    ParcelRecord,
    Placed,
    Planned,
    Raise,
    Received,
    Serviced,
    Source,
    Taking,
    Unplaced,
    evolve,
    join,
    project,
    shown_state,
)
from wire import facts as f
from wire.facts import Place
from wire.ids import (
    Label,
    Occupancy,
    ParcelState,
    PlaceKind,
    Purpose,
    Service,
    Trust,
    parcel_id_from_bits,
)
from wire.plan import Intent, PlannedParcel

ONE = parcel_id_from_bits(1)
TWO = parcel_id_from_bits(2)
SEVEN = Label("7")
BEHIND = Place(kind=PlaceKind.COMPARTMENT, name="7")
SHELF = Place(kind=PlaceKind.SHELF, name="E1")
AT = 1_000_000
MOMENT = Moment(site=3, at_ms=AT, trust=Trust.NTP, now_ms=AT + 500)
PLAIN = ParcelRecord(ONE, 3, ParcelState.ANNOUNCED, Source.PLAN, created_ms=5, changed_ms=6)
FORGOTTEN = ParcelRecord(ONE, 3, ParcelState.ANNOUNCED, Source.RECOVERED, created_ms=AT, changed_ms=AT)
KNOWN_AGAIN = Raise(AlertKind.RECOVERED, ONE, "known again from the site; its recipient is not")

# ---------------------------------------------------------------------------------------------------- what a fact changes


@pytest.mark.parametrize(
    ("fact", "changes"),
    [
        (
            f.ParcelReceived(
                parcel=ONE, tracking="T1", carrier="c", source="desk", key_version=2, key_epoch=1, session="s", by="b"
            ),
            (Received(ONE, "T1", "c", Source.DESK, 2, 1),),
        ),
        (
            f.ParcelReceived(
                parcel=ONE, tracking="T1", carrier="c", source="plan", key_version=2, key_epoch=1, session="s", by="b"
            ),
            (Received(ONE, "T1", "c", Source.PLAN, 2, 1),),
        ),
        (
            f.ParcelReceived(
                parcel=ONE, tracking="", carrier="", source="moon", key_version=1, key_epoch=0, session="", by=""
            ),
            (Received(ONE, "", "", Source.PLAN, 1, 0),),
        ),
        (
            f.ParcelStored(parcel=ONE, place=BEHIND, session="s", by="b"),
            (Placed(ONE, BEHIND), Occupied(SEVEN, Occupancy.OCCUPIED, ONE)),
        ),
        (f.ParcelStored(parcel=ONE, place=SHELF, session="s", by="b"), (Placed(ONE, SHELF),)),
        (f.ParcelTaken(parcel=ONE, place=BEHIND, session="s"), (Taking(ONE),)),
        (f.ParcelCollected(parcel=ONE, place=BEHIND), (Ended(ONE, ParcelState.COLLECTED),)),
        (f.ParcelRemoved(parcel=ONE), (Ended(ONE, ParcelState.REMOVED),)),
        (
            f.ParcelDisputed(parcel=ONE, reason="not_found"),
            (Disputed(ONE), Raise(AlertKind.DISPUTED, ONE, "not_found")),
        ),
        (
            f.ParcelRefused(parcel=ONE, session="1.1"),
            (p.Refused(ONE),),
        ),
        (f.KeyReplaced(parcel=ONE, version=4, epoch=2, source="slip"), (KeyRaised(ONE, 4, 2),)),
        (f.ParcelJoined(parcel=ONE, into=TWO), (Joined(ONE, TWO),)),
        (
            f.PlanApplied(incarnation=1, revision=2, hash="h", upserted=(PlannedParcel(id=ONE, version=1),)),
            (Planned(PlannedParcel(id=ONE, version=1)), Clear(AlertKind.PLAN_REFUSED, "")),
        ),
        (f.PlanRefused(incarnation=1, revision=2, reason="hash"), (Raise(AlertKind.PLAN_REFUSED, "", "hash"),)),
        (
            f.CompartmentReserved(compartment=SEVEN, parcel=ONE, session="s"),
            (Occupied(SEVEN, Occupancy.RESERVED, ONE),),
        ),
        (
            f.ReservationReleased(compartment=SEVEN, parcel=ONE, session="s", verified_empty=True),
            (Occupied(SEVEN, Occupancy.FREE, None), Unplaced(ONE)),
        ),
        (
            f.ReservationReleased(compartment=SEVEN, parcel=ONE, session="s", verified_empty=False),
            (Occupied(SEVEN, Occupancy.UNKNOWN, ONE), Unplaced(ONE)),
        ),
        (
            f.OccupancySet(compartment=SEVEN, occupancy=Occupancy.FREE, reason="checked"),
            (Occupied(SEVEN, Occupancy.FREE, None, keeps_parcel=False),),
        ),
        (
            f.OccupancySet(compartment=SEVEN, occupancy=Occupancy.UNKNOWN, reason="forced"),
            (Occupied(SEVEN, Occupancy.UNKNOWN, None, keeps_parcel=True),),
        ),
        (
            f.ServiceSet(compartment=SEVEN, service=Service.SUSPECT, reason="r"),
            (Serviced(SEVEN, Service.SUSPECT),),
        ),
        (
            f.ServiceSet(compartment=SEVEN, service=Service.IN_SERVICE, reason="r"),
            (Serviced(SEVEN, Service.IN_SERVICE), Clear(AlertKind.OPENING_FAILED, "7")),
        ),
        (
            f.OpeningFailed(session="s", compartment=SEVEN, purpose=Purpose.COLLECT, reason="not_seen_open", pulses=3),
            (Raise(AlertKind.OPENING_FAILED, "7", "not_seen_open"),),
        ),
        (f.AlarmRaised(alarm="door_forced", compartment=SEVEN, detail="d"), (Raise("door_forced", "7", "d"),)),
        (f.AlarmRaised(alarm="scanner_lost"), (Raise("scanner_lost", "", ""),)),
        (f.AlarmCleared(alarm="door_forced", compartment=SEVEN), (Clear("door_forced", "7"),)),
        (f.AlarmCleared(alarm="scanner_lost"), (Clear("scanner_lost", ""),)),
        (f.StaffCalled(reason="help"), ()),
        (f.DoorOpened(compartment=SEVEN), ()),
        (f.SiteStarted(boot=1, version="v", board="b", clean=True), ()),
        (f.JournalBehind(incarnation=1, acked_seq=2, last_seq=1), ()),
    ],
)
def test_a_fact_changes_this_and_nothing_else(fact: f.AnyFact, changes: tuple[p.Change, ...]) -> None:
    assert project(fact) == changes


def test_the_frequent_kinds_are_told_apart_at_one_look_and_change_nothing() -> None:
    assert {kind.__name__ for kind in p._TIMELINE_ONLY} == {
        "SiteStarted", "ClockCorrected", "OpeningOrdered", "DoorOpened", "DoorClosed", "OpeningResolved", "SlipRefused",
        "AttemptFailed", "StaffSignedIn", "StaffSignedOut", "DropEnded", "PinRefused", "BadgeRefused", "BadgeVouched",
    }  # fmt: skip


# -------------------------------------------------------------------------------------------- what a change makes of it


@pytest.mark.parametrize(
    ("trust", "at_ms", "believed"),
    [
        (Trust.NTP, 900, 900),
        (Trust.HUB, 900, 900),
        (Trust.FLOOR, 900, 1_000),
        (Trust.UNSET, 900, 1_000),
        (Trust.NTP, 1_001, 1_000),
    ],
)
def test_a_sites_clock_is_believed_when_it_is_trusted_and_not_ahead(trust: Trust, at_ms: int, believed: int) -> None:
    assert Moment(1, at_ms, trust, 1_000).believed_ms() == believed


def stored(intent: Intent = Intent.HOLD) -> ParcelRecord:
    lies = replace(PLAIN, state=ParcelState.STORED, place_kind=PlaceKind.COMPARTMENT, place_name="7", stored_ms=7)
    return replace(lies, intent=intent)


RECEIVED = Received(ONE, "T1", "c", Source.PLAN, 2, 1)
COLLECTED = Ended(ONE, ParcelState.COLLECTED)


@pytest.mark.parametrize(
    ("known", "change", "evolved"),
    [
        # ------------------------------------------------------------------- staff hold it
        (
            None,
            RECEIVED,
            Evolved(
                replace(
                    FORGOTTEN,
                    state=ParcelState.RECEIVED,
                    tracking="T1",
                    carrier="c",
                    version=2,
                    epoch=1,
                    received_ms=AT,
                ),
                replan=True,
                alerts=(KNOWN_AGAIN,),
            ),
        ),
        (
            None,
            replace(RECEIVED, source=Source.DESK),
            Evolved(
                replace(
                    FORGOTTEN,
                    state=ParcelState.RECEIVED,
                    source=Source.DESK,
                    tracking="T1",
                    carrier="c",
                    version=2,
                    epoch=1,
                    received_ms=AT,
                ),
                replan=True,
            ),
        ),
        (
            PLAIN,
            RECEIVED,
            Evolved(
                replace(
                    PLAIN,
                    state=ParcelState.RECEIVED,
                    tracking="T1",
                    carrier="c",
                    version=2,
                    epoch=1,
                    received_ms=AT,
                    changed_ms=AT,
                ),
                replan=True,
            ),
        ),
        (
            replace(PLAIN, tracking="OWN", carrier="own", version=9, epoch=1, ended_ms=4),
            RECEIVED,
            Evolved(
                replace(
                    PLAIN,
                    state=ParcelState.RECEIVED,
                    tracking="OWN",
                    carrier="own",
                    version=9,
                    epoch=1,
                    received_ms=AT,
                    changed_ms=AT,
                ),
            ),
        ),
        (
            replace(PLAIN, version=9, epoch=0),
            RECEIVED,
            Evolved(
                replace(
                    PLAIN,
                    state=ParcelState.RECEIVED,
                    tracking="T1",
                    carrier="c",
                    version=2,
                    epoch=1,
                    received_ms=AT,
                    changed_ms=AT,
                ),
                replan=True,
            ),
        ),
        (
            replace(PLAIN, source=Source.RECOVERED, version=2, epoch=1),
            replace(RECEIVED, source=Source.DESK),
            Evolved(
                replace(
                    PLAIN,
                    state=ParcelState.RECEIVED,
                    source=Source.DESK,
                    tracking="T1",
                    carrier="c",
                    version=2,
                    epoch=1,
                    received_ms=AT,
                    changed_ms=AT,
                ),
            ),
        ),
        (
            replace(PLAIN, version=2, epoch=1),
            replace(RECEIVED, source=Source.DESK),
            Evolved(
                replace(
                    PLAIN,
                    state=ParcelState.RECEIVED,
                    tracking="T1",
                    carrier="c",
                    version=2,
                    epoch=1,
                    received_ms=AT,
                    changed_ms=AT,
                ),
            ),
        ),
        (
            replace(PLAIN, source=Source.RECOVERED, version=2, epoch=1),
            RECEIVED,
            Evolved(
                replace(
                    PLAIN,
                    state=ParcelState.RECEIVED,
                    source=Source.RECOVERED,
                    tracking="T1",
                    carrier="c",
                    version=2,
                    epoch=1,
                    received_ms=AT,
                    changed_ms=AT,
                ),
            ),
        ),
        # ------------------------------------------------------------------- it lies somewhere
        (
            replace(PLAIN, state=ParcelState.RECEIVED, ended_ms=4),
            Placed(ONE, BEHIND),
            Evolved(replace(stored(), stored_ms=AT, changed_ms=AT), messages=("ready",)),
        ),
        (
            None,
            Placed(ONE, SHELF),
            Evolved(
                replace(FORGOTTEN, state=ParcelState.STORED, place_kind=PlaceKind.SHELF, place_name="E1", stored_ms=AT),
                replan=True,
                messages=("ready",),
                alerts=(KNOWN_AGAIN,),
            ),
        ),
        (
            replace(PLAIN, state=ParcelState.COLLECTED, ended_ms=4),
            Placed(ONE, BEHIND),
            Evolved(replace(stored(), stored_ms=AT, changed_ms=AT), replan=True, messages=("ready",)),
        ),
        # ------------------------------------------------------------------- a collection runs, a dispute, back in hand
        (stored(), Taking(ONE), Evolved(replace(stored(), state=ParcelState.COLLECTING, changed_ms=AT))),
        (
            None,
            Taking(ONE),
            Evolved(replace(FORGOTTEN, state=ParcelState.COLLECTING), replan=True, alerts=(KNOWN_AGAIN,)),
        ),
        (stored(), Disputed(ONE), Evolved(replace(stored(), state=ParcelState.DISPUTED, changed_ms=AT))),
        (stored(), p.Refused(ONE), Evolved(replace(stored(), state=ParcelState.REFUSED, changed_ms=AT))),
        (
            None,
            Disputed(ONE),
            Evolved(replace(FORGOTTEN, state=ParcelState.DISPUTED), replan=True, alerts=(KNOWN_AGAIN,)),
        ),
        (None, Unplaced(ONE), None),
        (replace(PLAIN, state=ParcelState.REMOVED), Unplaced(ONE), None),
        (
            stored(),
            Unplaced(ONE),
            Evolved(replace(PLAIN, state=ParcelState.RECEIVED, stored_ms=7, changed_ms=AT)),
        ),
        # ------------------------------------------------------------------- the end
        (
            stored(),
            COLLECTED,
            Evolved(
                replace(PLAIN, state=ParcelState.COLLECTED, stored_ms=7, ended_ms=AT, changed_ms=AT),
                replan=True,
                messages=("collected",),
            ),
        ),
        (
            stored(intent=Intent.RECALL),
            COLLECTED,
            Evolved(
                replace(
                    PLAIN, state=ParcelState.COLLECTED, stored_ms=7, ended_ms=AT, changed_ms=AT, intent=Intent.RECALL
                ),
                replan=True,
                messages=("collected",),
                alerts=(Raise(AlertKind.CROSSED, ONE, "collected although it was recalled"),),
            ),
        ),
        (
            stored(intent=Intent.RECALL),
            Ended(ONE, ParcelState.REMOVED),
            Evolved(
                replace(
                    PLAIN, state=ParcelState.REMOVED, stored_ms=7, ended_ms=AT, changed_ms=AT, intent=Intent.RECALL
                ),
                replan=True,
            ),
        ),
        (
            None,
            COLLECTED,
            Evolved(
                replace(FORGOTTEN, state=ParcelState.COLLECTED, ended_ms=AT),
                replan=True,
                messages=("collected",),
                alerts=(KNOWN_AGAIN,),
            ),
        ),
        (
            replace(PLAIN, state=ParcelState.REMOVED, ended_ms=4),
            COLLECTED,
            Evolved(replace(PLAIN, state=ParcelState.COLLECTED, ended_ms=AT, changed_ms=AT), messages=("collected",)),
        ),
        # ------------------------------------------------------------------- keys and plans
        (PLAIN, KeyRaised(ONE, 1, 0), None),
        (PLAIN, KeyRaised(ONE, 2, 0), Evolved(replace(PLAIN, version=2), replan=True)),
        (replace(PLAIN, version=5), KeyRaised(ONE, 1, 1), Evolved(replace(PLAIN, version=1, epoch=1), replan=True)),
        (replace(PLAIN, version=5, epoch=1), KeyRaised(ONE, 9, 0), None),
        (stored(), KeyRaised(ONE, 3, 0), Evolved(replace(stored(), version=3), replan=True, messages=("replaced/3",))),
        (
            replace(PLAIN, state=ParcelState.COLLECTED),
            KeyRaised(ONE, 3, 0),
            Evolved(replace(PLAIN, state=ParcelState.COLLECTED, version=3)),
        ),
        (
            None,
            KeyRaised(ONE, 3, 1),
            Evolved(replace(FORGOTTEN, version=3, epoch=1), replan=True, alerts=(KNOWN_AGAIN,)),
        ),
        (PLAIN, Planned(PlannedParcel(id=ONE, version=1)), None),
        (
            PLAIN,
            Planned(PlannedParcel(id=ONE, version=2, epoch=1, tracking="X")),
            Evolved(replace(PLAIN, version=2, epoch=1), replan=True),
        ),
        (
            None,
            Planned(PlannedParcel(id=ONE, version=2, epoch=1, tracking="X", carrier="c", intent=Intent.RECALL)),
            Evolved(
                replace(FORGOTTEN, tracking="X", carrier="c", version=2, epoch=1, intent=Intent.RECALL),
                replan=True,
                alerts=(KNOWN_AGAIN,),
                needs=PlannedParcel(id=ONE, version=2, epoch=1, tracking="X", carrier="c", intent=Intent.RECALL),
            ),
        ),
    ],
)
def test_a_parcel_after_a_change_is_exactly_this(
    known: ParcelRecord | None, change: ParcelChange, evolved: Evolved | None
) -> None:
    assert evolve(known, change, MOMENT) == evolved


SECOND_KEY = replace(PLAIN, version=3, joined_into=TWO, joined_version=3)
ALONE_AGAIN = Raise(AlertKind.CROSSED, ONE, f"it was joined to {TWO}, and is handled alone")


@pytest.mark.parametrize(
    ("known", "change", "evolved"),
    [
        (SECOND_KEY, KeyRaised(ONE, 3, 0), None),
        (SECOND_KEY, Planned(PlannedParcel(id=ONE, version=3)), None),
        (SECOND_KEY, KeyRaised(ONE, 4, 0), Evolved(replace(SECOND_KEY, version=4, joined_version=4), replan=True)),
        (
            SECOND_KEY,
            Planned(PlannedParcel(id=ONE, version=4, epoch=1)),
            Evolved(replace(SECOND_KEY, version=4, epoch=1, joined_version=4), replan=True),
        ),
        (
            replace(SECOND_KEY, version=9, epoch=1),
            KeyRaised(ONE, 4, 0),
            Evolved(replace(SECOND_KEY, version=9, epoch=1, joined_version=4), replan=True),
        ),
        (SECOND_KEY, Unplaced(ONE), Evolved(
            replace(PLAIN, version=3, state=ParcelState.RECEIVED, changed_ms=AT), replan=True, alerts=(ALONE_AGAIN,)
        )),
        (replace(SECOND_KEY, state=ParcelState.REMOVED), Unplaced(ONE), None),
        (
            replace(SECOND_KEY, intent=Intent.RECALL),
            COLLECTED,
            Evolved(
                replace(
                    PLAIN, version=3, state=ParcelState.COLLECTED, ended_ms=AT, changed_ms=AT, intent=Intent.RECALL
                ),
                replan=True,
                messages=("collected",),
                alerts=(Raise(AlertKind.CROSSED, ONE, "collected although it was recalled"), ALONE_AGAIN),
            ),
        ),
    ],
)  # fmt: skip
def test_a_joined_parcel_is_a_key_until_its_site_says_otherwise(
    known: ParcelRecord, change: ParcelChange, evolved: Evolved | None
) -> None:
    assert evolve(known, change, MOMENT) == evolved


def test_a_site_cannot_change_the_parcel_of_another_site() -> None:
    with pytest.raises(AssertionError):
        evolve(replace(PLAIN, site=4), Taking(ONE), MOMENT)


HERE = replace(PLAIN, id=TWO, source=Source.DESK, state=ParcelState.STORED)
JOINED = Joined(ONE, TWO)


@pytest.mark.parametrize(
    ("announced", "here", "joined"),
    [
        (
            replace(PLAIN, version=2, tracking="A"),
            HERE,
            p.Join(
                replace(PLAIN, version=2, tracking="A", joined_into=TWO, joined_version=2, changed_ms=AT),
                replace(HERE, tracking="A", changed_ms=AT),
                messages=("ready",),
            ),
        ),
        (
            replace(PLAIN, intent=Intent.RECALL, tracking="A"),
            replace(HERE, state=ParcelState.COLLECTED, tracking="B"),
            p.Join(
                replace(PLAIN, intent=Intent.RECALL, tracking="A", joined_into=TWO, joined_version=1, changed_ms=AT),
                replace(
                    HERE, state=ParcelState.COLLECTED, tracking="B", intent=Intent.RECALL, changed_ms=AT
                ),
                messages=("collected",),
            ),
        ),
        (
            None,
            HERE,
            p.Join(
                replace(FORGOTTEN, joined_into=TWO, joined_version=1),
                replace(HERE, changed_ms=AT),
                messages=("ready",),
                alerts=(KNOWN_AGAIN,),
            ),
        ),
        (
            PLAIN,
            None,
            p.Join(
                replace(PLAIN, joined_into=TWO, joined_version=1, changed_ms=AT),
                replace(FORGOTTEN, id=TWO),
                alerts=(replace(KNOWN_AGAIN, subject=TWO),),
            ),
        ),
        (replace(PLAIN, joined_into=TWO), HERE, None),
        (replace(PLAIN, state=ParcelState.RECEIVED), HERE, None),
        (PLAIN, replace(HERE, joined_into="elsewhere"), None),
    ],
)  # fmt: skip
def test_two_records_of_one_parcel_are_joined_exactly_so(
    announced: ParcelRecord | None, here: ParcelRecord | None, joined: p.Join | None
) -> None:
    assert join(announced, here, JOINED, MOMENT) == joined


def test_no_parcel_is_joined_to_itself() -> None:
    assert join(PLAIN, None, Joined(ONE, ONE), MOMENT) is None
    assert join(None, None, Joined(ONE, ONE), MOMENT) is None


def test_every_state_is_wanted_or_ended_and_never_both() -> None:
    assert set(ParcelState) == p.ENDED | p.WANTED
    assert not p.ENDED & p.WANTED
    assert {ParcelState.COLLECTED, ParcelState.REMOVED, ParcelState.RETURNED, ParcelState.LOST} == p.ENDED


@pytest.mark.parametrize("state", list(ParcelState))
def test_what_lies_here_and_is_recalled_is_shown_as_recalled(state: ParcelState) -> None:
    here = {ParcelState.ANNOUNCED, ParcelState.RECEIVED, ParcelState.STORED}
    assert shown_state(state, Intent.HOLD) is state
    assert shown_state(state, Intent.RECALL) is (ParcelState.RECALLED if state in here else state)


def test_words_that_other_programs_read_are_these() -> None:
    assert [kind.value for kind in AlertKind] == [
        "opening_failed", "plan_refused", "foreign_parcel", "recovered", "crossed", "disputed", "identity", "gap",
        "unknown_site", "bad_message", "views_differ", "site_offline", "message_failed",
        "webhook_paused",
    ]  # fmt: skip
    assert [source.value for source in Source] == ["plan", "again", "desk", "recovered"]


def test_a_record_of_nothing_but_its_name_is_an_announced_first_key() -> None:
    bare = ParcelRecord(ONE, 1, ParcelState.ANNOUNCED, Source.PLAN, 0, 0)
    assert (bare.tracking, bare.carrier, bare.version, bare.epoch, bare.intent) == ("", "", 1, 0, Intent.HOLD)
    assert (bare.place_kind, bare.place_name, bare.joined_into, bare.joined_version) == (None, "", None, 0)
    assert (bare.received_ms, bare.stored_ms, bare.ended_ms) == (None, None, None)
    assert Evolved(bare) == Evolved(bare, replan=False, messages=(), alerts=(), needs=None)
    assert p.Join(bare, bare) == p.Join(bare, bare, (), ())
    assert Occupied(SEVEN, Occupancy.FREE, None) == Occupied(SEVEN, Occupancy.FREE, None, keeps_parcel=False)
