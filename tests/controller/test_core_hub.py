"""What the hub says to a site: plans in order, commands at most once and never late."""

from __future__ import annotations

import msgspec

from controller.core.events import PlanArrived
from tests.controller.virtual_site import WALL_MS, VirtualSite
from wire.ids import ParcelState
from wire.messages import Command, Outcome
from wire.plan import Plan, sealed


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
