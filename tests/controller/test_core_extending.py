"""A hold is extended at the site, and no plan that does not know of it undoes it (M-02, M-03, ADR 0016)."""

from __future__ import annotations

import msgspec
import pytest

from controller.core.events import Button
from controller.core.extending import DAY_MS, DAYS, EXTENSIONS_MAX, REASONS
from controller.core.model import Step
from controller.core.notices import NoticeKind, StaffNoticeKind
from tests.controller.virtual_site import LABEL_OF_PARCEL, VirtualSite, told
from wire import facts as f
from wire.ids import Occupancy, ParcelId, ParcelState, Trust
from wire.plan import Intent, Role

OTHER = "8N00234584999"


def step(site: VirtualSite) -> Step | None:
    task = site.view().staff.task
    return None if task is None else task.step


def plan(site: VirtualSite, parcel: ParcelId, intent: Intent, seen: int) -> None:
    """The hub's plan says `intent`, knowing of so many extensions."""
    site.planned[parcel] = msgspec.structs.replace(site.planned[parcel], intent=intent, extended=seen)
    site.publish_plan()


def extend(site: VirtualSite, parcel: ParcelId, value: str = "7/asked") -> None:
    site.sign_in()
    site.press(Button.EXTEND, value, parcel=parcel)


def recalled(site: VirtualSite, bits: int = 1, tracking: str = LABEL_OF_PARCEL) -> ParcelId:
    parcel = site.stored(bits, tracking)
    plan(site, parcel, Intent.RECALL, 0)
    return parcel


def opens(site: VirtualSite, parcel: ParcelId) -> bool:
    if site.state.durable.staff is not None:
        site.press(Button.SIGN_OUT)
    site.wait(4_000)
    site.forget()
    site.scan(site.slip(parcel))
    return site.pulses() != []


@pytest.mark.parametrize("days", DAYS)
@pytest.mark.parametrize("reason", REASONS)
def test_a_hold_that_is_over_goes_on_with_its_new_limit_and_the_slip_opens_again(
    site: VirtualSite, days: str, reason: str
) -> None:
    parcel = recalled(site)
    site.scan(site.slip(parcel))
    notice = site.view().customer.notice
    assert notice is not None
    assert notice.kind is NoticeKind.RECALLED
    extend(site, parcel, f"{days}/{reason}")
    fact = next(fact for fact in site.recorder.facts if isinstance(fact, f.HoldExtended))
    until_ms = site.clock.wall_ms + int(days) * DAY_MS
    assert (fact.count, fact.days, fact.reason, fact.by, fact.until_ms) == (1, int(days), reason, "amina", until_ms)
    shown = site.view().staff.notice
    assert shown is not None
    assert (shown.kind, shown.at_ms) == (StaffNoticeKind.EXTENDED, until_ms)
    listed = next(one for one in site.view().staff.parcels if one.parcel == parcel)
    assert (listed.extended, listed.until_ms, listed.to_retrieve, listed.recalled) == (1, until_ms, False, False)
    assert opens(site, parcel)


def test_a_plan_that_does_not_know_of_it_undoes_nothing_and_one_that_does_is_obeyed(site: VirtualSite) -> None:
    parcel = recalled(site)
    extend(site, parcel)
    plan(site, parcel, Intent.RECALL, 0)
    site.planned[parcel] = msgspec.structs.replace(site.planned[parcel], language="pt")
    site.publish_plan()
    known = site.parcel(parcel)
    assert (known.intent, known.language, known.extended) == (Intent.HOLD, "pt", 1), "the rest of the plan holds"
    site.restart()
    site.publish_plan()
    assert site.parcel(parcel).intent is Intent.HOLD
    plan(site, parcel, Intent.RECALL, 1)
    assert site.parcel(parcel).intent is Intent.RECALL


def test_the_same_plan_over_and_over_is_no_news(site: VirtualSite) -> None:
    parcel = recalled(site)
    extend(site, parcel)
    site.publish_plan()
    newest = next(fact for fact in reversed(site.recorder.facts) if isinstance(fact, f.PlanApplied))
    assert newest.upserted == ()


def test_a_site_that_forgot_takes_the_plans_count_and_goes_on_from_there(site: VirtualSite) -> None:
    parcel = site.stored()
    plan(site, parcel, Intent.RECALL, 1)
    assert (site.parcel(parcel).extended, site.parcel(parcel).intent) == (1, Intent.RECALL)
    extend(site, parcel)
    assert (site.parcel(parcel).extended, site.parcel(parcel).intent) == (2, Intent.HOLD)


def test_twice_and_no_more(site: VirtualSite) -> None:
    parcel = recalled(site)
    for _ in range(EXTENSIONS_MAX + 1):
        extend(site, parcel)
    facts = [fact for fact in site.recorder.facts if isinstance(fact, f.HoldExtended)]
    assert [fact.count for fact in facts] == [1, 2]
    assert told(site) is StaffNoticeKind.EXTENDED_ENOUGH


@pytest.mark.parametrize("value", ["", "7", "90/asked", "7/because", "x/asked", "/"])
def test_without_days_and_reason_nothing_is_extended(site: VirtualSite, value: str) -> None:
    parcel = recalled(site)
    extend(site, parcel, value)
    assert (told(site), site.parcel(parcel).intent) == (StaffNoticeKind.SAY_WHY, Intent.RECALL)


def test_only_what_lies_here_is_extended(site: VirtualSite) -> None:
    announced = site.announce()
    extend(site, announced)
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO
    site.press(Button.EXTEND, "7/asked")
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO


def test_a_clock_that_nobody_trusts_promises_no_day(site: VirtualSite) -> None:
    parcel = recalled(site)
    site.clock.trust = Trust.FLOOR
    extend(site, parcel)
    assert (site.parcel(parcel).extended, site.parcel(parcel).until_ms) == (1, 0)


def test_who_may_extend_is_a_right(site: VirtualSite) -> None:
    parcel = recalled(site)
    site.role = Role.COURIER
    site.publish_plan()
    extend(site, parcel)
    assert (told(site), site.parcel(parcel).extended) == (StaffNoticeKind.NOT_YOURS, 0)


def test_one_of_the_list_is_skipped_put_back_and_the_next_door_opens(site: VirtualSite) -> None:
    """M-02: its recipient has just telephoned, and staff stand at the open door."""
    first, second = site.stored(1), site.stored(2, OTHER)
    for parcel in (first, second):
        plan(site, parcel, Intent.RECALL, 0)
    site.sign_in()
    site.press(Button.RETRIEVE)
    site.open("1")
    site.wait(3_000)
    extend(site, first, "2/on_the_way")
    site.close("1")
    assert step(site) is Step.ASK_EMPTY
    site.press(Button.NOT_EMPTY)
    assert (site.parcel(first).state, site.occupancy("1")) == (ParcelState.STORED, Occupancy.OCCUPIED)
    assert site.task_compartment() == "2", "the list goes on"


def test_the_last_of_the_list_is_skipped_and_it_is_over(site: VirtualSite) -> None:
    parcel = recalled(site)
    site.sign_in()
    site.press(Button.RETRIEVE)
    site.open("1")
    site.wait(3_000)
    extend(site, parcel, "2/on_the_way")
    site.close("1")
    site.press(Button.NOT_EMPTY)
    assert step(site) is None
    assert opens(site, parcel)


def test_on_the_shelf_it_stays_where_it_is_and_the_next_one_has_its_turn(site: VirtualSite) -> None:
    parcels = []
    for bits, tracking in ((1, LABEL_OF_PARCEL), (2, OTHER)):
        parcels.append(site.announce(bits, tracking))
        site.sign_in()
        site.scan(tracking)
        site.open(site.task_compartment())
        site.press(Button.SHELF)
        site.wait(3_000)
        site.close("1")
        site.press(Button.EMPTY)
        site.press(Button.DONE)
        site.wait(3_000)
    for parcel in parcels:
        plan(site, parcel, Intent.RECALL, 0)
    site.press(Button.RETRIEVE)
    assert step(site) is Step.TAKE_FROM_SHELF
    extend(site, parcels[0], "2/on_the_way")
    task = site.view().staff.task
    assert task is not None
    assert (task.parcel, site.parcel(parcels[0]).state) == (parcels[1], ParcelState.STORED)
    extend(site, parcels[1], "2/on_the_way")
    assert step(site) is None
