"""A parcel that has left is found by what somebody knows of it, and the answer is for whoever asked (M-11)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.core.events import Sought
from controller.core.finding import SHOWN_MAX
from controller.core.model import ENDED_MAX, Ended
from controller.core.notices import StaffNoticeKind
from controller.core.views import FoundView
from tests.controller.virtual_site import VirtualSite
from wire.badges import badge_digest, badge_text
from wire.facts import Place
from wire.ids import ParcelState, PlaceKind, Trust, parcel_id_from_bits
from wire.plan import Person, Role

DAY_MS = 86_400_000
FIRST_MS = 1_790_000_000_000
KARIM = badge_text(0x4B4152494D)
NAWEL = badge_text(0x4E4157454C)


def gone(number: int) -> Ended:
    """The parcel with that number: each tenth of the shelf, one a day."""
    shelf = Place(kind=PlaceKind.SHELF, name="E1")
    place = Place(kind=PlaceKind.COMPARTMENT, name=str(number % 4)) if number % 10 else shelf
    return Ended(
        id=parcel_id_from_bits(number),
        version=1,
        state=ParcelState.COLLECTED,
        tracking=f"8N{number:011d}",
        place=place,
        at_ms=FIRST_MS + number * DAY_MS,
        trust=Trust.HUB,
        carrier="La Poste",
    )


def with_gone(site: VirtualSite, count: int) -> None:
    durable = replace(site.state.durable, ended={each.id: each for each in map(gone, range(1, count + 1))})
    site.runner.state = replace(site.state, durable=durable)


@pytest.fixture
def site() -> VirtualSite:
    site = VirtualSite()
    site.others = (
        Person(id="karim", role="courier", badge=badge_digest(KARIM), carrier="La Poste"),
        Person(id="nawel", role="mediator", badge=badge_digest(NAWEL)),
    )
    site.publish_plan()
    with_gone(site, 99)
    site.sign_in()
    return site


def sought(site: VirtualSite, text: str, since_ms: int = 0, until_ms: int = 0) -> FoundView:
    site.runner.feed(Sought(text, since_ms, until_ms))
    found = site.view().staff.found
    assert found is not None
    assert found.text == text
    return found


def numbers(found: FoundView) -> list[str]:
    return [each.tracking for each in found.parcels]


@pytest.mark.parametrize("text", ["8N00000000042", "8n0000 0000 042", "00042", " 042", "0042-"])
def test_m_11_a_part_of_its_number_finds_it_however_it_is_typed(site: VirtualSite, text: str) -> None:
    found = sought(site, text)
    assert numbers(found) == ["8N00000000042"]
    assert (found.count, found.parcels[0].state, found.parcels[0].at_ms) == (
        1,
        ParcelState.COLLECTED,
        FIRST_MS + 42 * DAY_MS,
    )


def test_m_11_its_own_id_finds_a_parcel_without_a_label(site: VirtualSite) -> None:
    known = parcel_id_from_bits(17)
    assert [each.parcel for each in sought(site, known[-6:].lower()).parcels] == [known]


def test_m_11_a_place_finds_all_that_lay_there_the_newest_first(site: VirtualSite) -> None:
    shelf = sought(site, "e1")
    assert numbers(shelf) == [f"8N{number:011d}" for number in range(90, 0, -10)]


def test_m_11_a_day_finds_what_left_on_it(site: VirtualSite) -> None:
    start = FIRST_MS + 30 * DAY_MS
    assert numbers(sought(site, "12/11", start, start + DAY_MS)) == ["8N00000000030"]
    assert sought(site, "13/11", start + 1, start + DAY_MS).count == 0


def test_m_11_too_many_are_counted_and_the_newest_shown(site: VirtualSite) -> None:
    found = sought(site, "8N")
    assert found.count == 99
    assert numbers(found) == [f"8N{number:011d}" for number in range(99, 99 - SHOWN_MAX, -1)]


def test_m_11_ten_thousand_are_looked_through(site: VirtualSite) -> None:
    with_gone(site, ENDED_MAX)
    assert numbers(sought(site, "0007777")) == ["8N00000007777"]


def test_m_11_nothing_asked_takes_the_answer_away(site: VirtualSite) -> None:
    sought(site, "8N")
    site.runner.feed(Sought(" - "))
    assert site.view().staff.found is None


def test_m_11_what_was_forgotten_since_is_not_shown(site: VirtualSite) -> None:
    sought(site, "8N")
    with_gone(site, 98)
    found = site.view().staff.found
    assert found is not None
    assert numbers(found)[0] == "8N00000000098"


def test_m_11_the_next_person_at_the_desk_sees_nothing_of_it(site: VirtualSite) -> None:
    sought(site, "8N")
    site.scan(NAWEL)
    assert (site.view().staff.person, site.view().staff.found) == ("nawel", None)
    assert sought(site, "00042").count == 1, "a mediator may look too"


def test_m_11_k_01_a_courier_looks_for_nothing(site: VirtualSite) -> None:
    site.scan(KARIM)
    site.runner.feed(Sought("8N"))
    view = site.view().staff
    assert (view.person, view.role, view.found) == ("karim", Role.COURIER, None)
    assert view.notice is not None
    assert view.notice.kind is StaffNoticeKind.NOT_YOURS


def test_m_11_nobody_looks_for_a_parcel_who_is_not_signed_in() -> None:
    site = VirtualSite()
    with_gone(site, 9)
    site.runner.feed(Sought("8N"))
    view = site.view().staff
    assert view.found is None
    assert view.notice is not None
    assert view.notice.kind is StaffNoticeKind.SIGN_IN_FIRST


def test_m_11_looking_is_work_and_keeps_somebody_signed_in(site: VirtualSite) -> None:
    for _ in range(3):
        site.wait(site.state.durable.settings.staff_idle_ms - 1_000)
        sought(site, "8N")
    assert site.view().staff.person == "amina"
