"""What the hub says to a site: plans in order, commands at most once and never late."""

from __future__ import annotations

import msgspec

from controller.core.events import PlanArrived
from controller.core.evolve import evolve
from controller.core.fold_parcels import DROPPED_MAX
from controller.core.model import Now
from tests.controller.virtual_site import WALL_MS, VirtualSite
from wire.facts import PlanApplied
from wire.ids import ParcelState, parcel_id_from_bits
from wire.messages import Command, Outcome
from wire.plan import Plan, PlannedParcel, sealed


def a_command(verb: str = "rebirth", **fields: object) -> Command:
    command = Command(id="c" * 12, verb=verb, issued_at_ms=WALL_MS, expires_at_ms=WALL_MS + 20_000)
    return msgspec.structs.replace(command, **fields)


def test_an_older_plan_changes_nothing() -> None:
    site = VirtualSite()
    parcel = site.announce()
    old = Plan(site="gennevilliers", incarnation=1, revision=1, hash="")
    site.forget()
    site.runner.feed(PlanArrived(sealed(old)))
    assert site.recorder.done == []
    assert site.parcel(parcel).state is ParcelState.ANNOUNCED


def test_a_damaged_plan_is_refused_and_the_previous_one_kept() -> None:
    site = VirtualSite()
    site.announce()
    site.runner.feed(PlanArrived(Plan(site="gennevilliers", incarnation=2, revision=1, hash="0" * 64)))
    assert site.kinds()[-1] == "plan_refused"
    assert len(site.state.durable.parcels) == 1


def test_a_parcel_that_left_the_plan_goes_if_announced_and_stays_if_held() -> None:
    site = VirtualSite()
    held = site.stored(1)
    announced = site.announce(2, "8N00234584109")
    site.planned.clear()
    site.publish_plan()
    assert held in site.state.durable.parcels
    assert announced not in site.state.durable.parcels


def test_a_key_version_never_goes_back() -> None:
    site = VirtualSite()
    parcel = site.stored()
    site.scan(site.slip(parcel, version=4))
    site.planned[parcel] = msgspec.structs.replace(site.planned[parcel], version=2)
    site.publish_plan(incarnation=9)
    assert site.parcel(parcel).version == 4


def test_a_key_version_never_goes_back_when_a_restored_hub_drops_the_parcel_and_learns_of_it_again() -> None:
    """It hears the site's facts in their order: of the first plan with that parcel before the one with its newer slip."""
    site = VirtualSite()
    parcel = site.announce(version=3)
    again = site.planned.pop(parcel)
    site.publish_plan(incarnation=9)
    assert parcel not in site.state.durable.parcels
    site.planned[parcel] = msgspec.structs.replace(again, version=2)
    site.publish_plan(incarnation=9)
    assert site.parcel(parcel).version == 3
    assert parcel not in site.state.durable.dropped
    site.planned[parcel] = msgspec.structs.replace(again, version=4)
    site.publish_plan(incarnation=9)
    assert site.parcel(parcel).version == 4


def test_of_the_keys_of_dropped_parcels_the_oldest_are_forgotten() -> None:
    """A hub that drops more than anybody announces fills no memory (I-38)."""
    many = [parcel_id_from_bits(bits) for bits in range(1, DROPPED_MAX + 3)]
    now = Now(0, WALL_MS)
    durable = VirtualSite().state.durable
    for first in (0, DROPPED_MAX):
        some = many[first : first + DROPPED_MAX]
        announced = tuple(PlannedParcel(id=one, version=2) for one in some)
        durable = evolve(durable, PlanApplied(incarnation=1, revision=9, hash="", upserted=announced, dropped=()), now)
        durable = evolve(
            durable, PlanApplied(incarnation=1, revision=9, hash="", upserted=(), dropped=tuple(some)), now
        )
    assert tuple(durable.dropped) == tuple(many[2:])


def test_the_same_command_is_answered_twice_and_carried_out_once() -> None:
    site = VirtualSite()
    site.command(a_command())
    site.command(a_command())
    assert site.hub.rebirths == 1
    assert [reply.outcome for reply in site.hub.replies] == [Outcome.DONE, Outcome.DONE]
    site.restart()
    site.command(a_command())
    assert site.hub.rebirths == 1


def test_a_late_command_and_an_unknown_verb_are_refused_by_name() -> None:
    site = VirtualSite()
    site.command(a_command(expires_at_ms=WALL_MS - 1, issued_at_ms=WALL_MS - 10_000))
    site.command(a_command("open_all", id="d" * 12))
    assert [(reply.outcome, reply.reason) for reply in site.hub.replies] == [
        (Outcome.REFUSED, "expired"),
        (Outcome.REFUSED, "unknown_verb"),
    ]
