"""Somebody stands there and nothing is read (C-33), on the real owner and core in virtual time."""

from __future__ import annotations

import pytest

from controller.core.effects import Signal, Sound
from controller.core.events import Button, DigitsTyped, Pressed, Scanned, ScannerLink, Touched, Unread
from controller.core.notices import NoticeKind
from controller.core.trying import HINTS_MAX, hint
from controller.core.views import Screen
from tests.controller.virtual_site import VirtualSite

STILL_MS = 9_900
"""Nearly ten seconds."""


def hinted(site: VirtualSite) -> bool:
    notice = site.view().customer.notice
    return notice is not None and notice.kind is NoticeKind.SCAN_HINT


def is_hinted_after(site: VirtualSite, milliseconds: int) -> bool:
    site.wait(milliseconds)
    return hinted(site)


@pytest.mark.parametrize("sign", [Touched(busy=False), Unread()])
def test_c_33_ten_seconds_after_the_first_sign_of_somebody_the_hint_comes_and_nothing_is_written(
    site: VirtualSite, sign: Touched | Unread
) -> None:
    site.forget()
    site.runner.feed(sign)
    site.wait(5_000)
    site.runner.feed(sign)
    assert not is_hinted_after(site, 4_900), "counted from the first sign, and not before"
    assert is_hinted_after(site, 200)
    assert site.kinds() == []
    assert not is_hinted_after(site, 10_000), "one sign, one hint"
    assert not is_hinted_after(site, 60_000)


def test_c_33_the_hint_is_light_and_sound_as_well() -> None:
    assert Sound(Signal.ATTENTION) in hint().effects


def test_c_33_nobody_there_no_hint(site: VirtualSite) -> None:
    assert not is_hinted_after(site, 600_000)


def test_c_33_whatever_was_read_typed_pressed_or_moved_is_an_answer(site: VirtualSite) -> None:
    parcel = site.stored()
    for answer in (
        Scanned("https://somewhere.test", 1),
        DigitsTyped("12"),
        Pressed(Button.CALL_DESK),
        Touched(busy=True),
    ):
        site.runner.feed(Touched(busy=False))
        site.wait(STILL_MS)
        site.runner.feed(answer)
        assert not is_hinted_after(site, 30_000)
    site.runner.feed(Touched(busy=False))
    site.scan(site.slip(parcel))
    site.open("1")
    assert not is_hinted_after(site, 12_000)


def test_c_33_who_reads_a_notice_and_touches_the_screen_is_not_trying(site: VirtualSite) -> None:
    site.scan("https://somewhere.test")
    site.wait(2_000)
    site.runner.feed(Touched(busy=False))
    assert not is_hinted_after(site, 30_000)


def test_c_33_while_a_door_is_shown_the_screen_stays_with_it_and_one_left_open_keeps_nobody_from_the_hint(
    site: VirtualSite,
) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.runner.feed(Touched(busy=False))
    site.open("1")
    site.runner.feed(Touched(busy=False))
    site.wait(30_000)
    assert site.view().customer.screen is Screen.TAKE
    site.wait(site.state.durable.settings.alarm_ms)
    site.runner.feed(Unread())
    assert is_hinted_after(site, 11_000), "C-08: the door before is no longer shown"


def test_c_33_without_a_reader_nobody_is_told_how_to_hold_a_slip(site: VirtualSite) -> None:
    site.runner.feed(ScannerLink(up=False))
    site.runner.feed(Touched(busy=False))
    assert not is_hinted_after(site, 30_000)


def test_c_33_what_staff_hold_before_the_reader_is_a_label_and_no_customers_slip(site: VirtualSite) -> None:
    site.sign_in()
    site.wait(11_000)
    site.runner.feed(Unread())
    assert not is_hinted_after(site, 12_000)
    site.runner.feed(Touched(busy=False))
    assert is_hinted_after(site, 10_100), "a finger on the customer's screen is a customer's"


def test_c_33_a_reader_full_of_noise_speaks_no_more_than_three_times_until_somebody_is_there(site: VirtualSite) -> None:
    def hints(seconds: int) -> int:
        ends = set()
        for _ in range(seconds):
            site.runner.feed(Unread())
            site.wait(1_000)
            if hinted(site):
                ends.add(site.state.live.notice_until)
        return len(ends)

    assert hints(200) == HINTS_MAX
    site.scan("https://somewhere.test")
    site.wait(12_000)
    assert hints(200) == HINTS_MAX
    site.runner.feed(Touched(busy=False))
    assert hints(200) == HINTS_MAX
