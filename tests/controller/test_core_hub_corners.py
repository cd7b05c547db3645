"""The rarer answers of the core to the hub: its plans and commands, keys it has not told of, facts of another past."""

from __future__ import annotations

import msgspec
import pytest

from controller.core import events as e
from controller.core.events import Button
from controller.core.evolve import evolve
from controller.core.model import Now, Opening, Phase
from controller.core.notices import NoticeKind
from controller.core.picture import birth, site_state
from tests.controller.virtual_site import WALL_MS, VirtualSite
from wire import facts as f
from wire.facts import Place
from wire.ids import Label, ParcelId, PlaceKind, Purpose, Trust
from wire.messages import Command, Outcome
from wire.plan import Intent, Plan, SiteCard, sealed


@pytest.fixture
def site() -> VirtualSite:
    site = VirtualSite()
    site.forget()
    return site


def notice(site: VirtualSite) -> NoticeKind | None:
    shown = site.view().customer.notice
    return None if shown is None else shown.kind


def evolved(site: VirtualSite, *facts: f.AnyFact) -> None:
    """Facts of an earlier version, or of another past: folded, never decided here."""
    durable = site.state.durable
    for fact in facts:
        assert evolve(durable, fact, site.clock.now()) == durable, fact


# ----------------------------------------------------------------------------------------------------- the hub's words


def test_plans_of_other_sites_and_with_a_parcel_twice_are_refused_by_name(site: VirtualSite) -> None:
    parcel = site.announce()
    planned = site.planned[parcel]
    whole = Plan(site="gennevilliers", incarnation=5, revision=1, hash="", parcels=(planned, planned))
    site.runner.feed(e.PlanArrived(sealed(whole)))
    site.runner.feed(e.PlanArrived(sealed(msgspec.structs.replace(whole, site="colombes", parcels=()))))
    refused = [fact.reason for fact in site.recorder.facts if isinstance(fact, f.PlanRefused)]
    assert refused == ["parcel_twice", "other_site"]
    assert site.state.durable.plan.incarnation == 1


def test_identify_is_seen_and_heard_and_a_long_lived_command_is_refused(site: VirtualSite) -> None:
    base = Command(id="c" * 12, verb="identify", issued_at_ms=WALL_MS, expires_at_ms=WALL_MS + 20_000)
    site.command(base)
    assert site.lamp.patterns[-1] == "attention"
    site.command(msgspec.structs.replace(base, id="d" * 12, expires_at_ms=WALL_MS + 10_000_000))
    assert [(reply.outcome, reply.reason) for reply in site.hub.replies] == [
        (Outcome.DONE, ""),
        (Outcome.REFUSED, "expired"),
    ]


def test_a_new_time_table_of_sites_and_a_recall_reach_the_customer(site: VirtualSite) -> None:
    parcel = site.stored()
    site.planned[parcel] = msgspec.structs.replace(site.planned[parcel], intent=Intent.RECALL)
    site.publish_plan()
    site.scan(site.slip(parcel))
    assert notice(site) is NoticeKind.RECALLED
    assert site.pulses() == []
    assert site.state.durable.sites == (SiteCard(number=8, name="Colombes", address="2 rue du Port"),)


def test_c13_a_key_whose_parcel_was_taken_out_goes_to_the_desk(site: VirtualSite) -> None:
    parcel = site.stored()
    site.sign_in()
    site.press(Button.REMOVE, parcel=parcel)
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.press(Button.EMPTY)
    site.press(Button.SIGN_OUT)
    site.wait(3_000)
    site.scan(site.slip(parcel))
    assert notice(site) is NoticeKind.NO_LONGER_HERE
    assert site.recorder.facts[-1].reason == "removed"  # type: ignore[union-attr]


def test_a_key_of_a_compartment_out_of_service_goes_to_the_desk(site: VirtualSite) -> None:
    parcel = site.stored()
    site.sign_in()
    site.out_of_service("1")
    site.press(Button.SIGN_OUT)
    site.wait(3_000)
    site.scan(site.slip(parcel))
    assert (notice(site), site.pulses()) == (NoticeKind.ASK_DESK, [])


# --------------------------------------------------------------------------------------------- facts of another version


def test_facts_about_what_this_site_does_not_know_change_nothing(site: VirtualSite) -> None:
    """A journal of a later version, read after going back: what is named there may be unknown here (I-40)."""
    stranger, place = ParcelId("0000000000ABC"), Place(kind=PlaceKind.COMPARTMENT, name="1")
    evolved(
        site,
        f.ClockCorrected(before_ms=1, after_ms=2, trust=Trust.NTP),
        f.ParcelTaken(parcel=stranger, place=place, session="1.1"),
        f.ParcelCollected(parcel=stranger, place=place, session="1.1", by=""),
        f.DoorClosed(compartment=Label("Z"), session="9.9"),
    )
    closed = f.DoorClosed(compartment=Label("1"), session="9.9")
    assert evolve(site.state.durable, closed, site.clock.now()).openings == site.state.durable.openings
    durable = evolve(
        site.state.durable,
        f.PlanApplied(incarnation=1, revision=9, hash="", upserted=(), dropped=(stranger,)),
        Now(0, WALL_MS, Trust.NTP),
    )
    assert durable.parcels == {}
    durable = evolve(
        durable,
        f.OpeningOrdered(session="1.2", compartment=Label("1"), purpose=Purpose.REOPEN, pulse=1, parcel=stranger),
        Now(0, WALL_MS, Trust.NTP),
    )
    assert durable.openings[Label("1")].phase is Phase.PULSING
    durable = evolve(durable, f.AlarmRaised(alarm="door_left_open", compartment=Label("2")), Now(0, 1, Trust.NTP))
    assert "door_left_open/2" in durable.alarms
    assert Label("2") not in durable.openings


def test_answers_to_commands_are_kept_for_the_last_hundred_only(site: VirtualSite) -> None:
    for number in range(300):
        site.command(Command(id=f"{number:012}", verb="rebirth", issued_at_ms=WALL_MS, expires_at_ms=WALL_MS + 9))
    kept = site.state.durable.answers
    assert f"{299:012}" in kept
    assert f"{0:012}" not in kept
    assert len(kept) < 300


def test_what_the_hub_is_told_names_the_site_and_every_compartment(site: VirtualSite) -> None:
    site.stored()
    now = site.clock.now()
    snapshot, described = site_state(site.state, 7, now), birth(site.state, "j" * 32, 7, "0" * 64, now)
    assert (snapshot.site, snapshot.seq, snapshot.boot) == ("gennevilliers", 7, 1)
    assert (described.site, described.journal, described.last_seq) == ("gennevilliers", "j" * 32, 7)
    assert [card.label for card in described.compartments] == [box.label for box in snapshot.compartments]
    assert isinstance(site.state.durable.openings[Label("1")], Opening)
