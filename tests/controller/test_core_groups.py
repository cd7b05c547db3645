"""Several parcels of one recipient: one scan, all their doors, one after the other (C-25). A site in virtual time."""

from __future__ import annotations

import msgspec
import pytest

from controller.core import groups, pickup
from controller.core.effects import Decision
from controller.core.events import Button, NextDoor
from controller.core.notices import NoticeKind
from controller.core.views import Screen
from tests.controller.virtual_site import VirtualSite
from wire.ids import Label, ParcelId, ParcelState, SizeClass
from wire.plan import Intent

FAMILY = "g7"
LABELS = ("8N00234584108", "XY123456785FR", "RR123456785FR")


@pytest.fixture
def site() -> VirtualSite:
    site = VirtualSite()
    site.forget()
    return site


def family(site: VirtualSite, count: int = 2) -> list[ParcelId]:
    """So many parcels of one recipient, behind the doors 1, 2, 3."""
    sizes = (SizeClass.S, SizeClass.S, SizeClass.M)
    return [site.stored(n + 1, LABELS[n], size=sizes[n], group=FAMILY) for n in range(count)]


def take(site: VirtualSite, label: str) -> None:
    """The door springs open; its person takes what is there and closes it."""
    site.open(label)
    site.wait(5_000)
    site.close(label)


def doors(site: VirtualSite) -> list[str]:
    return [str(label) for label in site.pulses()]


def test_one_scan_opens_all_doors_one_after_the_other(site: VirtualSite) -> None:
    first, second, third = family(site, 3)
    site.scan(site.slip(second))
    assert doors(site) == ["2"]
    shown = site.view().customer
    assert (shown.compartment, shown.doors, shown.also_at_desk) == ("2", ("1", "3"), False)
    site.open("2")
    site.wait(50_000)
    assert doors(site) == ["2"], "the next door waits for the one before"
    site.wait(20_000)
    assert doors(site) == ["2"], "however long it stands open"
    site.close("2")
    site.wait(2_000)
    assert doors(site) == ["2", "1"]
    assert site.view().customer.doors == ("3",)
    take(site, "1")
    site.wait(2_000)
    assert doors(site) == ["2", "1", "3"]
    assert site.view().customer.doors == ()
    take(site, "3")
    assert {site.parcel(parcel).state for parcel in (first, second, third)} == {ParcelState.COLLECTING}
    assert len({site.parcel(parcel).session for parcel in (first, second, third)}) == 3


def test_a_door_that_fails_stops_no_other(site: VirtualSite) -> None:
    first, second = family(site)
    site.scan(site.slip(first))
    site.wait(12_500)
    assert doors(site) == ["1", "1", "1", "2"]
    take(site, "2")
    assert site.parcel(first).state is ParcelState.STORED
    assert site.parcel(second).state is ParcelState.COLLECTING


def test_somebody_impatient_scans_again_and_changes_nothing(site: VirtualSite) -> None:
    first, second, third = family(site, 3)
    site.scan(site.slip(first))
    site.open("1")
    for parcel in (first, second, third):
        site.scan(site.slip(parcel))
    site.wait(4_000)
    site.close("1")
    site.wait(2_000)
    site.open("2")
    site.scan(site.slip(first))
    site.scan(site.slip(second))
    site.wait(4_000)
    site.scan(site.slip(first))
    site.close("2")
    site.wait(2_000)
    assert doors(site) == ["1", "2", "3"]


def test_who_leaves_a_door_open_exposes_no_other_parcel_and_the_slip_opens_the_rest_later(site: VirtualSite) -> None:
    first, second = family(site)
    site.scan(site.slip(first))
    site.open("1")
    site.wait(200_000)
    assert doors(site) == ["1"]
    assert not site.state.live.waiting
    site.close("1")
    site.wait(4_000)
    assert doors(site) == ["1"], "nobody is there any more"
    site.scan(site.slip(first))
    assert doors(site) == ["1", "2"]
    take(site, "2")
    assert site.parcel(second).state is ParcelState.COLLECTING


def test_a_power_cut_in_the_middle_leaves_the_rest_to_the_same_slip(site: VirtualSite) -> None:
    first, second = family(site)
    site.scan(site.slip(first))
    site.open("1")
    site.wait(4_000)
    site.restart()
    assert site.parcel(second).uncertain is False
    assert not site.state.live.waiting
    site.wait(4_000)
    site.close("1")
    site.wait(4_000)
    assert doors(site) == ["1"], "the scan is forgotten, and nobody's door opens by itself"
    site.scan(site.slip(first))
    assert doors(site) == ["1", "1"], "nobody saw it taken: its own door first"
    take(site, "1")
    assert doors(site) == ["1", "1", "2"]


def test_another_customer_in_between_has_their_turn(site: VirtualSite) -> None:
    first, _, third = family(site, 3)
    other = site.stored(9, "8N00234584117", size=SizeClass.L)
    site.scan(site.slip(first))
    site.open("1")
    site.scan(site.slip(other))
    site.wait(4_000)
    site.close("1")
    site.wait(2_000)
    take(site, "2")
    site.wait(2_000)
    take(site, "4")
    site.wait(2_000)
    assert doors(site) == ["1", "2", "4", "3"]
    take(site, "3")
    assert site.parcel(third).state is ParcelState.COLLECTING


def put_on_shelf(site: VirtualSite, label: str) -> None:
    """A door opens for it first; staff take it back, and lay it on the shelf."""
    site.sign_in()
    site.scan(label)
    site.press(Button.SHELF)
    site.open(site.task_compartment())
    site.wait(3_000)
    site.close(site.task_compartment())
    site.press(Button.EMPTY)
    site.press(Button.DONE)


def test_a_parcel_of_the_group_on_the_shelf_is_said_and_called(site: VirtualSite) -> None:
    first = family(site, 1)[0]
    site.announce(2, LABELS[1], size=SizeClass.S, group=FAMILY)
    put_on_shelf(site, LABELS[1])
    site.press(Button.SIGN_OUT)
    site.wait(4_000)
    site.forget()
    shelved = next(parcel for parcel in site.state.durable.parcels.values() if parcel.id != first)
    assert shelved.place is not None
    assert shelved.place.kind.value == "shelf"
    site.scan(site.slip(first))
    assert site.view().customer.also_at_desk
    assert [(call.reason, call.parcel) for call in site.state.durable.calls] == [("at_desk", shelved.id)]
    take(site, "1")
    shown = site.view().customer
    assert (shown.screen, shown.also_at_desk) == (Screen.NOTICE, True)
    site.wait(4_000)
    site.forget()
    site.scan(site.slip(shelved.id))
    assert doors(site) == []


def test_the_slip_of_the_parcel_on_the_shelf_opens_the_doors_of_the_others(site: VirtualSite) -> None:
    first, second = family(site)
    recalled = msgspec.structs.replace(site.planned[first], intent=Intent.RECALL)
    site.planned[first] = recalled
    site.publish_plan()
    site.scan(site.slip(first))
    assert doors(site) == ["2"], "its own parcel is called back; the other is not"
    assert [call.reason for call in site.state.durable.calls] == ["recalled"]
    take(site, "2")
    site.wait(4_000)
    site.scan(site.slip(second))
    assert doors(site) == ["2", "2"], "the grace of a door just closed, and the one for staff stays shut"
    assert [call.reason for call in site.state.durable.calls] == ["recalled", "ask_desk"]


def test_while_the_bank_is_busy_the_scan_waits_whole(site: VirtualSite) -> None:
    first, second = family(site)
    other = site.stored(9, "8N00234584117", size=SizeClass.L)
    site.planned[first] = msgspec.structs.replace(site.planned[first], intent=Intent.RECALL)
    site.publish_plan()
    site.scan(site.slip(other))
    site.open("4")
    site.scan(site.slip(first))
    assert site.view().customer.compartment == "4"
    assert not site.state.durable.calls
    site.wait(4_000)
    site.close("4")
    site.wait(2_000)
    assert doors(site) == ["4", "2"]
    assert site.parcel(second).state is ParcelState.STORED


def test_a_turn_whose_parcels_left_meanwhile_is_nobodys(site: VirtualSite) -> None:
    first, second, third = family(site, 3)
    site.scan(site.slip(first))
    site.open("1")
    site.wait(4_000)
    site.planned[second] = msgspec.structs.replace(site.planned[second], intent=Intent.RECALL)
    site.planned[third] = msgspec.structs.replace(site.planned[third], intent=Intent.RECALL)
    site.publish_plan()
    site.close("1")
    site.wait(4_000)
    assert doors(site) == ["1"]
    assert not site.state.live.waiting


def test_parcels_without_a_group_have_nothing_in_common(site: VirtualSite) -> None:
    first, second = site.stored(1, LABELS[0]), site.stored(2, LABELS[1])
    site.scan(site.slip(first))
    take(site, "1")
    site.wait(4_000)
    assert doors(site) == ["1"]
    assert groups.behind_doors(site.state, site.parcel(second)) == ()


def test_the_slip_of_a_parcel_that_is_not_here_yet_opens_the_others(site: VirtualSite) -> None:
    first = family(site, 1)[0]
    expected = site.announce(2, LABELS[1], size=SizeClass.S, group=FAMILY)
    assert not groups.is_served(site.state, site.parcel(expected))
    site.scan(site.slip(expected))
    assert doors(site) == ["1"]
    assert site.parcel(first).state is ParcelState.STORED


def test_a_new_slip_that_waits_is_known_once_it_opens(site: VirtualSite) -> None:
    first, _ = family(site)
    site.scan(site.slip(first, version=2))
    assert doors(site) == ["1"]
    assert site.parcel(first).version == 2


def test_a_slip_for_staff_beside_an_open_door_of_the_same_person_leaves_the_rest_their_turn(site: VirtualSite) -> None:
    first, second, third = family(site, 3)
    site.scan(site.slip(first))
    site.open("1")
    site.wait(65_000)
    site.planned[second] = msgspec.structs.replace(site.planned[second], intent=Intent.RECALL)
    site.publish_plan()
    site.wait(60_000)
    assert not site.state.live.waiting, "the turn was too old"
    site.scan(site.slip(second))
    assert doors(site) == ["1"], "never beside an open door"
    site.close("1")
    site.wait(2_000)
    assert doors(site) == ["1", "3"]
    take(site, "3")
    assert site.parcel(third).state is ParcelState.COLLECTING


def test_a_turn_of_a_parcel_that_lies_behind_no_door_opens_nothing(site: VirtualSite) -> None:
    expected = site.announce(2, LABELS[1], size=SizeClass.S, group=FAMILY)
    turn = NextDoor((expected,), Label("1"))
    assert pickup.next_door(site.state, turn, site.clock.now()) == Decision()


def test_a_slip_shown_again_at_its_own_open_door_opens_nothing(site: VirtualSite) -> None:
    alone = site.stored(1, LABELS[0])
    site.scan(site.slip(alone))
    site.open("1")
    site.wait(4_000)
    site.scan(site.slip(alone))
    site.wait(4_000)
    assert doors(site) == ["1"]
    assert not site.state.live.waiting


def test_a_spent_slip_of_somebody_with_more_names_what_remains_and_opens_nothing(site: VirtualSite) -> None:
    """Collected in part: the slip of what was taken is spent (I-3), and its owner is not sent home past another parcel."""
    (first,) = family(site, 1)
    site.scan(site.slip(first))
    take(site, "1")
    site.wait(site.settings.dispute_ms + 1_000)
    ended = site.state.durable.ended[first]
    assert ended.group == FAMILY
    second = site.stored(2, LABELS[1], size=SizeClass.S, group=FAMILY)
    site.forget()
    site.scan(site.slip(first))
    notice = site.view().customer.notice
    assert notice is not None
    assert (notice.kind, notice.parcel, notice.at_ms) == (NoticeKind.MORE_WAITS, first, ended.at_ms)
    assert site.kinds() == ["slip_refused"]
    assert doors(site) == []
    site.wait(5_000)
    site.scan(site.slip(second))
    assert len(doors(site)) == 1, "its own slip opens it"


def test_a_spent_slip_says_already_collected_when_nothing_more_waits_for_its_recipient(site: VirtualSite) -> None:
    parcels = family(site, 2)
    site.stored(3, LABELS[2], size=SizeClass.M, group="somebody else")
    site.forget()
    site.scan(site.slip(parcels[0]))
    take(site, "1")
    site.wait(2_000)
    take(site, "2")
    site.wait(site.settings.dispute_ms + 5_000)
    assert set(parcels) <= set(site.state.durable.ended)
    for parcel in parcels:
        site.wait(5_000)
        site.scan(site.slip(parcel))
        notice = site.view().customer.notice
        assert notice is not None
        assert notice.kind is NoticeKind.ALREADY_COLLECTED


def test_s_16_the_slip_offered_at_the_desk_says_where_the_others_wait(site: VirtualSite) -> None:
    first, _ = family(site, 2)
    site.announce(3, LABELS[2], size=SizeClass.S, group=FAMILY)
    put_on_shelf(site, LABELS[2])
    assert beside(site) == [LABELS[2], "1", "2"]
    site.press(Button.REISSUE, "no_slip/known", parcel=first)
    assert beside(site) == [LABELS[0], "2", "E1"], "behind a door first, then at the desk"


def beside(site: VirtualSite) -> list[str]:
    """Whose slip is offered, and where it says that the others of its recipient wait."""
    slip = site.view().staff.slip
    assert slip is not None
    return [slip.tracking, *(place.name for place in slip.beside)]
