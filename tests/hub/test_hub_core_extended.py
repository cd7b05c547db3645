"""What the hub makes of a hold that its site extended (M-03, ADR 0016)."""

from __future__ import annotations

from dataclasses import replace

from hub.core.moment import Moment
from hub.core.project import Extended, ParcelRecord, Planned, Source, evolve, project
from wire import facts
from wire.ids import ParcelState, Trust, parcel_id_from_bits
from wire.plan import Intent, PlannedParcel

PARCEL = parcel_id_from_bits(1)
NOW = Moment(site=7, at_ms=5_000, trust=Trust.NTP, now_ms=9_000)
RECALLED = ParcelRecord(
    id=PARCEL, site=7, state=ParcelState.STORED, source=Source.PLAN, created_ms=1, changed_ms=1, intent=Intent.RECALL
)


def test_an_extension_takes_the_recall_back_and_the_next_plan_says_so() -> None:
    (change,) = project(facts.HoldExtended(parcel=PARCEL, count=1, days=7))
    assert change == Extended(PARCEL, 1, 7)
    evolved = evolve(RECALLED, Extended(PARCEL, 1, 7), NOW)
    assert evolved is not None
    assert (evolved.parcel.intent, evolved.parcel.extended, evolved.replan) == (Intent.HOLD, 1, True)
    assert evolved.parcel.held_until_ms == NOW.believed_ms() + 7 * 86_400_000
    assert evolved.parcel.changed_ms == NOW.believed_ms()


def test_a_count_that_is_known_is_no_news() -> None:
    known = replace(RECALLED, extended=2)
    assert evolve(known, Extended(PARCEL, 2, 7), NOW) is None
    assert evolve(known, Extended(PARCEL, 1, 7), NOW) is None


def test_a_parcel_that_has_left_stays_out_of_the_plan() -> None:
    gone = evolve(replace(RECALLED, state=ParcelState.REMOVED), Extended(PARCEL, 1, 7), NOW)
    assert gone is not None
    assert not gone.replan


def test_a_hub_that_forgot_it_takes_the_count_from_the_site() -> None:
    evolved = evolve(None, Extended(PARCEL, 2, 7), NOW)
    assert evolved is not None
    assert (evolved.parcel.extended, evolved.parcel.source) == (2, Source.RECOVERED)
    planned = evolve(None, Planned(PlannedParcel(id=PARCEL, version=1, extended=2)), NOW)
    assert planned is not None
    assert planned.parcel.extended == 2
