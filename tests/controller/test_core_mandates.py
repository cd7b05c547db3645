"""Mandates (C-30), on the real owner and core in virtual time: one delegate, one door, and it can be taken back."""

from __future__ import annotations

from controller.core.events import Button
from controller.core.notices import NoticeKind, StaffNoticeKind
from controller.core.views import Screen
from tests.controller.virtual_site import NUMBER, SITE_KEY, VirtualSite, told
from wire import facts as f
from wire.ids import IdentityCheck, ParcelId, ParcelState, parcel_id_from_bits
from wire.mandate import MANDATE_NUMBER_MAX, mandate_text
from wire.pickup import PickupKey

REPEAT_MS = 5_000


def issue(site: VirtualSite, parcel: ParcelId, identity: str = "document") -> str:
    """Amina makes a mandate slip; its text as it is printed."""
    site.sign_in()
    site.press(Button.MANDATE, identity, parcel=parcel)
    slip = site.view().staff.slip
    assert slip is not None
    assert slip.mandate
    assert slip.digits == ""
    site.press(Button.SIGN_OUT)
    site.wait(REPEAT_MS)
    site.forget()
    return slip.qr_text


def notice(site: VirtualSite) -> NoticeKind | None:
    shown = site.view().customer.notice
    return None if shown is None else shown.kind


def facts_of(site: VirtualSite, kind: type) -> list[f.AnyFact]:
    return [fact for fact in site.recorder.facts if isinstance(fact, kind)]


def test_c_30_a_delegates_slip_opens_the_door_and_the_journal_says_that_it_was_a_delegate(site: VirtualSite) -> None:
    parcel = site.stored()
    text = issue(site, parcel)
    assert facts_of(site, f.MandateIssued) == [
        f.MandateIssued(parcel=parcel, number=1, by="amina", identity=IdentityCheck.DOCUMENT)
    ]
    site.scan(text)
    assert site.kinds() == ["collection_delegated", "opening_ordered"]
    (came,) = facts_of(site, f.CollectionDelegated)
    ordered = site.recorder.causes[-1]
    assert isinstance(came, f.CollectionDelegated)
    assert (came.parcel, came.number, came.session) == (parcel, 1, ordered.session)
    assert ordered.form == "mandate"
    site.open("1")
    site.wait(5_000)
    site.close("1")
    assert site.parcel(parcel).state is ParcelState.COLLECTING
    site.wait(1_000_000)
    assert parcel in site.state.durable.ended
    site.scan(text)
    assert notice(site) is NoticeKind.ALREADY_COLLECTED, "it dies with its parcel"


def test_c_30_a_mandate_opens_one_door_and_no_other_of_the_same_recipient(site: VirtualSite) -> None:
    first = site.stored(1, group="g1")
    second = site.stored(2, "8N00234584109", group="g1")
    site.scan(issue(site, first))
    site.open("1")
    site.wait(5_000)
    site.close("1")
    site.wait(20_000)
    assert site.pulses() == ["1"]
    assert site.parcel(second).state is ParcelState.STORED


def test_c_30_the_newest_mandate_counts_and_one_that_was_taken_back_does_not(site: VirtualSite) -> None:
    parcel = site.stored()
    old, new = issue(site, parcel), issue(site, parcel)
    site.scan(old)
    assert notice(site) is NoticeKind.REPLACED
    site.sign_in()
    assert [one.mandate for one in site.view().staff.parcels] == [True]
    site.press(Button.WITHDRAW_MANDATE, parcel=parcel)
    assert told(site) is StaffNoticeKind.MANDATE_WITHDRAWN
    assert [one.mandate for one in site.view().staff.parcels] == [False]
    slip = site.view().staff.slip
    assert slip is None or not slip.mandate
    site.press(Button.WITHDRAW_MANDATE, parcel=parcel)
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO
    site.scan(new)
    assert notice(site) is NoticeKind.ASK_DESK
    assert site.pulses() == []
    reasons = [fact.reason for fact in site.recorder.facts if isinstance(fact, f.SlipRefused)]
    assert reasons == ["replaced", "mandate_withdrawn"]
    site.scan(site.slip(parcel))
    assert site.pulses() == ["1"], "the recipient's own slip goes on opening"


def test_c_30_a_new_slip_of_the_recipient_ends_the_mandate(site: VirtualSite) -> None:
    parcel = site.stored()
    text = issue(site, parcel)
    site.sign_in()
    site.press(Button.REISSUE, "no_slip/document", parcel=parcel)
    assert not site.parcel(parcel).mandate
    site.wait(REPEAT_MS)
    site.scan(text)
    assert notice(site) is NoticeKind.REPLACED
    text = issue(site, parcel)
    site.announce(1, version=7)
    site.scan(text)
    assert notice(site) is NoticeKind.REPLACED, "the hub's newer version as well"
    assert site.pulses() == []


def test_c_30_on_the_shelf_the_desk_is_called_for_the_delegate_once(site: VirtualSite) -> None:
    parcel = site.announce(1, size=None)
    site.sign_in()
    site.scan("8N00234584108")
    site.press(Button.SHELF)
    site.press(Button.DONE)
    text = issue(site, parcel)
    for _ in range(2):
        site.scan(text)
        assert notice(site) is NoticeKind.AT_DESK
        site.wait(REPEAT_MS)
    assert [
        fact.session for fact in facts_of(site, f.CollectionDelegated) if isinstance(fact, f.CollectionDelegated)
    ] == [""]


def test_c_30_forged_foreign_and_unknown_mandates_open_nothing(site: VirtualSite) -> None:
    parcel = site.stored()
    issue(site, parcel)
    key = PickupKey(NUMBER, parcel, 1, 0)
    stranger = PickupKey(NUMBER, parcel_id_from_bits(99), 1, 0)
    for text, said in (
        (mandate_text(bytes(32), key, 1), NoticeKind.REFUSED),
        (mandate_text(SITE_KEY, PickupKey(NUMBER, parcel, 1, 5), 1), NoticeKind.REFUSED),
        (mandate_text(SITE_KEY, stranger, 1), NoticeKind.REFUSED),
        (mandate_text(SITE_KEY, PickupKey(8, parcel, 1, 0), 1), NoticeKind.WRONG_SITE),
        (mandate_text(SITE_KEY, key, 2), NoticeKind.ASK_DESK),
    ):
        site.scan(text)
        assert notice(site) is said
    assert site.pulses() == []


def test_c_30_while_another_door_is_served_the_delegate_waits_like_any_customer(site: VirtualSite) -> None:
    first, second = site.stored(1), site.stored(2, "8N00234584109")
    text = issue(site, second)
    site.scan(site.slip(first))
    site.scan(text)
    assert site.view().waiting == 1
    site.open("1")
    site.wait(3_000)
    site.close("1")
    site.wait(3_000)
    assert site.pulses() == ["1", "2"]
    assert len(facts_of(site, f.CollectionDelegated)) == 1


def test_c_30_no_mandate_for_nobody_or_without_a_look_at_who_asks(site: VirtualSite) -> None:
    parcel = site.announce(1)
    site.sign_in()
    for value, about in (("document", parcel), ("", parcel), ("document", None)):
        site.press(Button.MANDATE, value, parcel=about)
        assert told(site) is StaffNoticeKind.NOTHING_TO_DO
    assert facts_of(site, f.MandateIssued) == []
    site.press(Button.SIGN_OUT)
    site.scan("8N00000000001", 77)
    site.sign_in()
    site.scan("8N00000000001", 77)
    site.press(Button.UNIDENTIFIED)
    site.press(Button.DONE)
    unknown = parcel_id_from_bits(77)
    site.press(Button.MANDATE, "document", parcel=unknown)
    assert told(site) is StaffNoticeKind.IDENTIFY_FIRST


def test_c_30_the_screen_shows_the_delegate_the_owners_language_and_nothing_of_them(site: VirtualSite) -> None:
    parcel = site.stored(language="pt")
    site.scan(issue(site, parcel))
    assert site.view().customer.screen is Screen.OPENING
    assert site.view().customer.language == "pt"


def test_c_30_numbers_end_before_they_are_given_twice(site: VirtualSite) -> None:
    parcel = site.stored()
    site.sign_in()
    for _ in range(MANDATE_NUMBER_MAX + 1):
        site.press(Button.MANDATE, "known", parcel=parcel)
    assert site.parcel(parcel).mandates == MANDATE_NUMBER_MAX
    assert told(site) is StaffNoticeKind.NOTHING_TO_DO
