"""What the staff's screen is told of a door that is open: take the parcel out, or only look."""

from __future__ import annotations

from controller.core.events import Button
from controller.core.picture import build_view
from tests.controller.virtual_site import LABEL_OF_PARCEL, VirtualSite
from wire.badges import CommandCard


def looks_only(site: VirtualSite) -> bool:
    """What the screen makes of the open door."""
    task = build_view(site.state, 1, site.clock.now()).staff.task
    assert task is not None
    return task.looks_only


def test_m07_a_check_only_looks_for_what_is_taken_out_would_count_as_collected(site: VirtualSite) -> None:
    site.stored()
    site.sign_in()
    site.press(Button.CHECK, compartment="1")
    assert looks_only(site)


def test_s12_a_deposit_given_up_is_taken_back(site: VirtualSite) -> None:
    site.announce()
    site.sign_in()
    site.scan(LABEL_OF_PARCEL)
    site.open("1")
    site.card(CommandCard.CANCEL)
    assert not looks_only(site)


def test_m01_a_parcel_that_leaves_is_taken_out(site: VirtualSite) -> None:
    parcel = site.stored()
    site.sign_in()
    site.press(Button.REMOVE, parcel=parcel)
    assert not looks_only(site)
