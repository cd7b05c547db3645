"""A new slip at the desk, with the hub away: M-04, C-35."""

from __future__ import annotations

from controller.core.events import Button
from controller.core.notices import NoticeKind, StaffNoticeKind
from tests.controller.virtual_site import LABEL_OF_PARCEL, VirtualSite, told
from wire import facts as f
from wire.ids import KEY_VERSION_MAX, IdentityCheck, Motive, ParcelId, parcel_id_from_bits

WHY = "no_slip/known"


def replaced(site: VirtualSite) -> list[f.KeyReplaced]:
    return [fact for fact in site.recorder.facts if isinstance(fact, f.KeyReplaced)]


def asked(site: VirtualSite, parcel: ParcelId, why: str = WHY) -> StaffNoticeKind | None:
    site.sign_in()
    site.press(Button.REISSUE, why, parcel=parcel)
    return told(site)


def test_the_new_slip_opens_the_old_one_is_dead_at_once_and_the_log_says_why(site: VirtualSite) -> None:
    parcel = site.stored()
    assert asked(site, parcel) is StaffNoticeKind.REISSUED
    (fact,) = replaced(site)
    assert (fact.version, fact.source, fact.by) == (2, "desk", "amina")
    assert (fact.motive, fact.identity) == (Motive.NO_SLIP, IdentityCheck.KNOWN)
    slip = site.view().staff.slip
    assert slip is not None
    assert (slip.parcel, slip.version, slip.qr_text) == (parcel, 2, site.slip(parcel, 2))
    site.press(Button.SIGN_OUT)
    assert site.view().staff.slip is None
    site.scan(site.slip(parcel, 1))
    shown = site.view().customer.notice
    assert shown is not None
    assert (shown.kind, site.pulses()) == (NoticeKind.REPLACED, [])
    site.scan(site.slip(parcel, 2))
    assert site.pulses() == ["1"]


def test_a_late_cancel_never_means_the_parcel_whose_slip_was_made_anew(site: VirtualSite) -> None:
    parcel = site.stored()
    asked(site, parcel)
    assert not site.view().staff.may_cancel
    site.press(Button.CANCEL)
    assert (told(site), site.view().staff.task) == (StaffNoticeKind.NOTHING_TO_DO, None)


def test_an_older_plan_does_not_bring_the_old_slip_back(site: VirtualSite) -> None:
    parcel = site.stored()
    asked(site, parcel)
    site.announce(language="pt")
    assert site.parcel(parcel).version == 2


def test_both_keys_of_a_parcel_with_two_are_replaced(site: VirtualSite) -> None:
    site.sign_in()
    site.press(Button.SIZE, "S")
    site.scan(LABEL_OF_PARCEL, entropy=7)
    site.open("1")
    site.wait(3_000)
    site.close("1")
    second = site.announce(2)
    asked(site, parcel_id_from_bits(7))
    assert {(fact.parcel, fact.version) for fact in replaced(site)} == {(parcel_id_from_bits(7), 2), (second, 2)}


def test_what_is_not_here_has_no_name_or_no_reason_gets_no_slip(site: VirtualSite) -> None:
    announced = site.announce(3)
    assert asked(site, announced) is StaffNoticeKind.NOTHING_TO_DO
    assert asked(site, parcel_id_from_bits(99)) is StaffNoticeKind.NOTHING_TO_DO
    site.press(Button.REISSUE, WHY)
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO
    parcel = site.stored(1, "8N00234584999")
    assert asked(site, parcel, "no_slip") is StaffNoticeKind.NOTHING_TO_DO
    assert asked(site, parcel, "/known") is StaffNoticeKind.NOTHING_TO_DO
    site.press(Button.SIZE, "S")
    site.scan("8N00234584777", entropy=5)
    site.open(site.task_compartment())
    site.press(Button.UNIDENTIFIED)
    assert asked(site, parcel_id_from_bits(5)) is StaffNoticeKind.IDENTIFY_FIRST
    shown = site.view().staff.notice
    assert shown is not None
    assert (shown.parcel, shown.tracking) == (parcel_id_from_bits(5), "8N00234584777")
    assert replaced(site) == []


def test_a_key_replaced_too_often_cannot_be_replaced_again(site: VirtualSite) -> None:
    parcel = site.stored()
    site.announce(version=KEY_VERSION_MAX)
    assert asked(site, parcel) is StaffNoticeKind.NOTHING_TO_DO


def test_a_badge_with_a_pin_gives_it_before_a_key_is_printed(site: VirtualSite) -> None:
    site.pin = "2468"
    parcel = site.stored()
    asked(site, parcel)
    assert (site.view().staff.pin_asked, replaced(site)) == (True, [])
    site.give_pin("2468")
    assert [fact.version for fact in replaced(site)] == [2]
