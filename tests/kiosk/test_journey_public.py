"""Rows about people who cannot read, hear or see: the assembled controller and kiosk, judged from before the screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from controller.core.model import NoticeKind
from controller.kiosk.texts import texts
from tests.controller.controller_site import end_all, slip, wait_for
from tests.controller.stage import Stage, digits
from tests.kiosk.public_room import room

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

HINT_S = 15.0


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A site that is not started yet."""
    yield Stage(tmp_path)
    end_all()


def test_c_33_who_stands_there_with_a_slip_that_is_not_read_sees_how_to_hold_it_and_types_its_digits(
    stage: Stage, chromium: Browser
) -> None:
    """A finger on the screen says that somebody is there; the hint offers the keypad, and the typed code opens."""
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    words = texts("fr").notices[NoticeKind.SCAN_HINT]
    with room(stage, chromium) as public:
        public.page.mouse.click(500, 100)
        expect(public.page.locator(".telling h1")).to_have_text(words.say, timeout=HINT_S * 1000)
        expect(public.page.locator(".telling .next")).to_have_text(words.next)
        expect(public.page.locator(".telling .drawings svg")).to_have_count(2)
        expect(public.page.locator("#call-desk")).to_be_visible()
        public.page.click("#open-keypad")
        public.page.keyboard.type(digits(1))
        public.page.keyboard.press("Enter")
        stage.opens("1")
        expect(public.page.locator("p.number bdi")).to_have_text("1")
    stage.end()


def test_c_33_a_reader_that_says_it_read_nothing_brings_the_hint_and_the_slip_still_opens(
    stage: Stage, chromium: Browser
) -> None:
    """Nobody touches anything: the reader's own lines say that somebody holds something before it."""
    known = stage.stored(1, "1", language="ta")
    stage.start(inside={"1": known})
    with room(stage, chromium) as public:
        stage.scan("NOREAD")
        wait_for(lambda: stage.notice() == "scan_hint", "the hint", HINT_S)
        expect(public.page.locator(".telling h1")).to_have_text(texts("fr").notices[NoticeKind.SCAN_HINT].say)
        stage.scan(slip(1))
        stage.opens("1")
        expect(public.page.locator("html")).to_have_attribute("lang", "ta")
    assert not stage.knows("attempt_failed")
    stage.end()
