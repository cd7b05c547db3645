"""A courier's drop: one receipt for N parcels, what differs, and how many lie where: K-02, K-03."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from controller.core import fold_drops
from controller.core.drop import DROP_MAX, DROP_PAUSE_MS, DROPS_KEPT, DropReceipt
from controller.core.events import Button
from controller.core.model import Durable, Staff, Step, fresh
from controller.core.notices import StaffNoticeKind
from controller.core.views import DropView
from tests.controller.senders import issued
from tests.controller.test_core_courier import KARIM, MINE, OTTO, UNKNOWN, put_in, site, who
from tests.controller.virtual_site import VirtualSite, told
from wire import facts as f
from wire.badges import CommandCard
from wire.ids import Occupancy, ParcelId, ParcelState, SizeClass, parcel_id_from_bits

SECOND, THIRD = "8N00234584222", "8N00234584333"

__all__ = ["site"]  # the bank with couriers in its roster


def ends(site: VirtualSite) -> list[f.DropEnded]:
    return [fact for fact in site.recorder.facts if isinstance(fact, f.DropEnded)]


def receipt(site: VirtualSite) -> DropReceipt:
    return site.view().staff.receipts[-1]


def where(made: DropReceipt) -> dict[str, tuple[str, bool]]:
    return {one.tracking: (one.place.name if one.place else "", one.no_door) for one in made.handed}


def dropped(site: VirtualSite) -> ParcelId:
    """One of theirs is put in, one nobody announced too, and one announced is not brought."""
    mine = site.announce(1, MINE, carrier="La Poste")
    site.announce(2, SECOND, carrier="laposte")
    site.announce(3, THIRD, carrier="ups")
    site.scan(KARIM)
    put_in(site, MINE)
    site.card(CommandCard.SIZE_S)
    put_in(site, UNKNOWN)
    return mine


def test_a_drop_ends_with_one_receipt_for_all_and_what_differs(site: VirtualSite) -> None:
    mine = dropped(site)
    assert site.view().staff.drop == DropView(2, 0, 0, 0, 1)
    site.press(Button.DONE)
    (end,) = ends(site)
    made = next(one.id for one in site.state.durable.parcels.values() if one.tracking == UNKNOWN)
    assert (end.person, end.carrier, end.reason) == ("karim", "laposte", "done")
    assert (end.in_doors, end.on_shelf, end.at_desk, end.without_place) == (2, 0, 0, 0)
    assert (end.missing, end.missing_count, end.unannounced) == ((parcel_id_from_bits(2),), 1, (made,))
    assert (who(site), told(site), site.view().staff.drop) == ("karim", StaffNoticeKind.DROP_ENDED, None)
    kept = receipt(site)
    assert [one.parcel for one in kept.handed] == [mine, made]
    assert (kept.missing, kept.unannounced) == ((SECOND,), (UNKNOWN,))
    site.press(Button.DONE)
    assert (who(site), len(ends(site)), site.state.live.badge) == ("", 1, "")


def test_leaving_ends_the_drop_too_and_who_brought_nothing_gets_no_receipt(site: VirtualSite) -> None:
    dropped(site)
    site.press(Button.SIGN_OUT)
    assert (who(site), len(ends(site))) == ("", 1)
    site.scan(KARIM)
    site.press(Button.SIGN_OUT)
    assert (who(site), len(ends(site))) == ("", 1)


def test_a_full_bank_sends_the_rest_to_the_shelf_and_the_receipt_says_how_many_where(site: VirtualSite) -> None:
    site.scan(KARIM)
    site.card(CommandCard.SIZE_S)
    labels = [f"8N0023458{number:04d}" for number in range(7)]
    for number, label in enumerate(labels[:4]):
        put_in(site, label, 100 + number)
    for number, label in enumerate(labels[4:6]):
        site.scan(label, 200 + number)
        task = site.state.live.task
        assert task is not None
        assert (task.step, task.no_door) == (Step.PUT_ON_SHELF, True)
        site.card(CommandCard.DONE)
    site.press(Button.DONE)
    (end,) = ends(site)
    assert (end.in_doors, end.on_shelf, end.at_desk) == (4, 0, 2)
    places = where(receipt(site))
    assert [places[label] for label in labels[4:6]] == [("E1", True), ("E2", True)]
    assert {places[label][0] for label in labels[:4]} == {"1", "2", "3", "4"}
    stored = [fact.no_door for fact in site.recorder.facts if isinstance(fact, f.ParcelStored)]
    assert stored == [False] * 4 + [True] * 2


def test_put_on_the_shelf_although_doors_are_free_is_counted_apart(site: VirtualSite) -> None:
    site.announce(1, MINE, carrier="laposte", size=SizeClass.XL)
    site.announce(2, SECOND, carrier="laposte", size=None)
    site.scan(KARIM)
    site.scan(SECOND)
    site.card(CommandCard.SHELF)
    site.card(CommandCard.DONE)
    site.scan(MINE)
    site.card(CommandCard.DONE)
    assert site.view().staff.drop == DropView(0, 1, 1, 0, 0)


def test_what_was_scanned_stays_here_and_gets_a_place_before_the_receipt(site: VirtualSite) -> None:
    mine = site.announce(1, MINE, carrier="laposte")
    site.scan(KARIM)
    site.scan(MINE)
    site.open("1")
    site.press(Button.CANCEL)
    site.wait(3_000)
    site.close("1")
    site.press(Button.EMPTY)
    assert site.view().staff.drop == DropView(0, 0, 0, 1, 0)
    site.press(Button.SIGN_OUT)
    task = site.state.live.task
    assert task is not None
    assert (task.step, task.parcel, task.no_door, who(site)) == (Step.PUT_ON_SHELF, mine, False, "karim")
    assert ends(site) == []
    site.card(CommandCard.DONE)
    site.press(Button.SIGN_OUT)
    (end,) = ends(site)
    assert (end.on_shelf, end.at_desk, end.without_place) == (1, 0, 0)


def test_what_was_scanned_and_is_not_in_their_hands_any_more_is_looked_for_by_staff(site: VirtualSite) -> None:
    """The power failed at the open door: it may lie behind it. Nobody is kept at the desk for a parcel they do not have."""
    mine = site.announce(1, MINE, carrier="laposte")
    site.scan(KARIM)
    site.scan(MINE)
    site.open("1")
    site.restart()
    site.close("1")
    site.scan(KARIM)
    site.press(Button.NOT_THERE)
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO
    site.press(Button.DONE)
    assert site.state.live.task is not None
    site.press(Button.NOT_THERE)
    assert (site.parcel(mine).state, site.parcel(mine).reason) == (ParcelState.DISPUTED, "not_found")
    site.press(Button.DONE)
    (end,) = ends(site)
    assert (end.without_place, end.in_doors, where(receipt(site))) == (1, 0, {MINE: ("", False)})
    assert site.occupancy("1") is Occupancy.UNKNOWN


def test_what_a_sender_is_still_to_hand_in_is_not_missing_in_a_drop(site: VirtualSite) -> None:
    sent = issued(site, bits=77, carrier="laposte")
    dropped(site)
    assert (site.parcel(sent).carrier, site.parcel(sent).state) == ("laposte", ParcelState.ANNOUNCED)
    site.press(Button.DONE)
    assert [end.missing for end in ends(site)] == [(parcel_id_from_bits(2),)]


def test_a_power_cut_or_a_walk_to_the_van_keeps_the_drop_for_the_same_courier(site: VirtualSite) -> None:
    dropped(site)
    site.restart()
    assert (who(site), ends(site)) == ("", [])
    site.wait(DROP_PAUSE_MS - 1_000)
    site.scan(KARIM)
    put_in(site, SECOND)
    site.wait(site.settings.staff_idle_ms + 1_000)
    assert who(site) == ""
    site.scan(KARIM)
    site.press(Button.DONE)
    (end,) = ends(site)
    assert (end.in_doors, end.missing_count, end.reason) == (3, 0, "done")


def test_a_courier_who_does_not_come_back_has_a_receipt_all_the_same(site: VirtualSite) -> None:
    dropped(site)
    site.wait(site.settings.staff_idle_ms + 1_000)
    site.wait(DROP_PAUSE_MS + 1_000)
    (end,) = ends(site)
    assert (end.reason, end.in_doors) == ("left", 2)
    site.sign_in()
    assert [one.person for one in site.view().staff.receipts] == ["karim"]


def test_the_next_courier_begins_a_drop_of_their_own_and_sees_no_other_receipt(site: VirtualSite) -> None:
    dropped(site)
    site.sign_in()  # a concierge helps; the drop waits
    assert ends(site) == []
    site.scan(OTTO)
    assert [(end.person, end.reason) for end in ends(site)] == [("karim", "left")]
    assert (site.view().staff.receipts, site.view().staff.drop) == ((), None)
    put_in(site, THIRD)
    site.press(Button.DONE)
    assert [one.person for one in site.view().staff.receipts] == ["otto"]
    assert len(site.state.durable.drops) == 2


def test_a_parcel_that_was_received_on_another_day_belongs_to_the_drop_that_brings_it(site: VirtualSite) -> None:
    site.announce(1, MINE, carrier="laposte", size=None)
    site.sign_in()
    site.scan(MINE)
    site.press(Button.CANCEL)
    site.wait(4_000)
    site.scan(KARIM)
    assert site.view().staff.drop is None
    site.scan(MINE)
    assert site.view().staff.drop == DropView(0, 0, 0, 1, 0)
    site.press(Button.CANCEL)
    site.wait(4_000)
    written = len(site.recorder.facts)
    site.scan(MINE)
    assert len(site.recorder.facts) == written, "handed over once"


def test_a_parcel_collected_during_the_drop_stays_on_its_receipt(site: VirtualSite) -> None:
    mine = dropped(site)
    site.wait(5_000)
    site.scan(site.slip(mine))
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.wait(60_000)
    site.press(Button.DONE)
    assert where(receipt(site))[MINE] == ("1", False)
    assert receipt(site).trust is not None


def test_announced_by_the_hub_meanwhile_is_announced(site: VirtualSite) -> None:
    """ADR 0007: the parcel that the courier's label made is the one that the plan now names."""
    site.scan(KARIM)
    site.card(CommandCard.SIZE_S)
    put_in(site, UNKNOWN)
    site.announce(9, UNKNOWN, carrier="laposte")
    site.press(Button.DONE)
    assert ends(site)[0].unannounced == ()


def test_a_receipt_that_is_full_asks_for_a_second_one(site: VirtualSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.core.courier.DROP_MAX", 2)
    assert DROP_MAX > 2
    dropped(site)
    site.scan(SECOND)
    assert told(site) is StaffNoticeKind.DROP_FULL
    site.press(Button.DONE)
    site.wait(4_000)
    put_in(site, SECOND)
    assert site.view().staff.drop == DropView(1, 0, 0, 0, 0)


def test_the_desk_keeps_the_last_receipts_and_no_more(site: VirtualSite) -> None:
    durable = site.state.durable
    end = f.DropEnded(
        person="karim", carrier="laposte", session="1.1", reason="done", in_doors=0, on_shelf=0, at_desk=0
    )
    for number in range(DROPS_KEPT + 2):
        durable = fold_drops.handed_over(_with_courier(durable), _received(number))
        one = msgspec.structs.replace(end, unannounced=(parcel_id_from_bits(number),))
        durable = fold_drops.over(durable, one, site.clock.now())
    assert [kept.unannounced for kept in durable.drops] == [
        (parcel_id_from_bits(number),) for number in range(2, DROPS_KEPT + 2)
    ]
    assert fold_drops.over(durable, end, site.clock.now()) is durable, "no drop, no receipt"


def _with_courier(durable: Durable) -> Durable:
    return replace(durable, staff=Staff("karim", "courier", "1.1", "laposte"))


def _received(number: int) -> f.ParcelReceived:
    return f.ParcelReceived(
        parcel=parcel_id_from_bits(number), tracking="", carrier="", source="desk", key_version=1, key_epoch=0,
        session="1.1", by="karim",
    )  # fmt: skip


def test_what_is_of_no_drop_changes_none(site: VirtualSite) -> None:
    bare = fresh(site.setup)
    assert fold_drops.handed_over(bare, _received(1)) is bare
    assert fold_drops.placed(bare, parcel_id_from_bits(1), None) is bare
