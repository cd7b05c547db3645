"""Rows about people who cannot read, hear or see: the assembled controller and kiosk, judged from before the screen."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, expect

from controller.core.notices import NoticeKind
from controller.kiosk.texts import texts
from tests.controller.controller_site import end_all, slip, wait_for
from tests.controller.stage import BADGE, SHORT, Stage, digits
from tests.kiosk.conftest import VOICES, record
from tests.kiosk.public_room import DEAF, flags, room
from tests.tools.browser import chromium
from tests.tools.debian import need
from wire.plan import Help

pytestmark = [pytest.mark.slow, pytest.mark.chromium, pytest.mark.timeout(240)]

UNHURRIED = msgspec.structs.replace(SHORT, take_ms=20_000, alarm_ms=120_000, dispute_ms=60_000)
"""Somebody listens to a whole sentence before they act."""
SLOW_MS = 30_000
HINT_S = 15.0


@pytest.fixture(scope="module")
def mouthpiece(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser started as the guide says, so that a screen may speak before anybody touched it."""
    need("libatomic")
    with chromium(need("chromium"), tmp_path_factory.mktemp("screen-home"), *flags()) as browser:
        yield browser


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A site that is not started yet."""
    yield Stage(tmp_path)
    end_all()


def test_c_33_who_stands_there_with_a_slip_that_is_not_read_sees_how_to_hold_it_and_types_its_digits(
    stage: Stage, mouthpiece: Browser
) -> None:
    """A finger on the screen says that somebody is there; the hint offers the keypad, and the typed code opens."""
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    words = texts("fr").notices[NoticeKind.SCAN_HINT]
    with room(stage, mouthpiece) as public:
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
    stage: Stage, mouthpiece: Browser
) -> None:
    """Nobody touches anything: the reader's own lines say that somebody holds something before it."""
    known = stage.stored(1, "1", language="ta")
    stage.start(inside={"1": known})
    with room(stage, mouthpiece) as public:
        stage.scan("NOREAD")
        wait_for(lambda: stage.notice() == "scan_hint", "the hint", HINT_S)
        expect(public.page.locator(".telling h1")).to_have_text(texts("fr").notices[NoticeKind.SCAN_HINT].say)
        stage.scan(slip(1))
        stage.opens("1")
        expect(public.page.locator("html")).to_have_attribute("lang", "ta")
    assert not stage.knows("attempt_failed")
    stage.end()


def test_c_29_who_does_not_see_is_led_to_the_door_and_back_by_what_is_said_and_ticked(
    tmp_path: Path, mouthpiece: Browser
) -> None:
    """Nothing of the screen is looked at and nothing is touched: each step follows from what was heard."""
    stage = Stage(tmp_path, settings=UNHURRIED)
    known = stage.stored(1, "1", help=Help.BLIND)
    stage.start(inside={"1": known})
    try:
        with room(stage, mouthpiece) as public:

            def hears(*wanted: str) -> None:
                wait_for(
                    lambda: set(wanted) <= set(public.heard()), f"{wanted} to be heard; heard {public.heard()}", 40.0
                )

            def ticks() -> int:
                return int(public.lamps()["buzzer"]["times"])

            public.page.wait_for_load_state("load")
            stage.scan(slip(1))
            hears("tone 660", "/voice/fr/take?door=1")
            before = ticks()
            wait_for(lambda: ticks() >= before + 3, "the open door to tick, so that it can be found")
            reach = stage.compartment("1")["reach"]
            hears(f"/voice/fr/reach-{reach}")
            hears("/voice/fr/close_door?door=1")
            wait_for(lambda: public.heard().count("/voice/fr/close_door?door=1") >= 2, "it to be said again", 40.0)
            before = ticks()
            wait_for(lambda: ticks() > before, "the door left open to tick on")
            stage.take_and_close("1")
            hears("/voice/fr/notice-thanks", "tone 1320")
            stage.wait_fact("parcel_taken", parcel=known)
            wait_for(lambda: not public.lamps()["buzzer"]["on"], "silence")
            before = ticks()
            public.page.wait_for_timeout(2_500)
            assert ticks() == before, "a shut door ticks no more"
        stage.end()
    finally:
        end_all()


def test_c_29_who_does_not_hear_is_led_by_light_and_screen_alone(tmp_path: Path, mouthpiece: Browser) -> None:
    """The screen has no sound at all; its edge shines when something changes, and again while something is to be done."""
    stage = Stage(tmp_path, settings=UNHURRIED)
    known = stage.stored(1, "1", help=Help.DEAF)
    stage.stored(2, "E1", help=Help.DEAF)
    stage.start(inside={"1": known})
    try:
        with room(stage, mouthpiece, DEAF) as public:
            screen = public.page
            stage.scan(slip(1))
            expect(screen.locator("html.flash")).to_be_attached()
            expect(screen.locator(".bank .lit-number")).to_have_text("1")
            wait_for(lambda: public.lamps()["lamp_ok"]["times"] == 1, "the green lamp")
            expect(screen.locator("main.screen-take .number bdi")).to_have_text("1")
            expect(screen.locator(".drawings svg")).to_have_count(2)
            expect(screen.locator("html.flash")).to_have_count(0)
            before = public.lamps()["lamp_attention"]["times"]
            close = screen.locator("main.screen-close_door .telling h1")
            expect(close).to_have_text(texts("fr").close_door.format(door="1"), timeout=SLOW_MS)
            wait_for(lambda: public.lamps()["lamp_attention"]["times"] > before, "the lamp of a door left open")
            expect(screen.locator("html.flash")).to_have_count(0, timeout=SLOW_MS)
            expect(screen.locator("html.flash")).to_be_attached(timeout=SLOW_MS)
            stage.take_and_close("1")
            expect(screen.locator("main.notice-thanks .telling h1")).to_have_text(
                texts("fr").notices[NoticeKind.THANKS].say
            )
            wait_for(lambda: public.lamps()["lamp_ok"]["times"] == 2, "the green lamp again")
            stage.scan(slip(2))
            expect(screen.locator("main.notice-at_desk")).to_be_attached()
            expect(screen.locator("html.flash")).to_be_attached()
            stage.scan(BADGE)
            screen.goto(f"{public.url}/staff")
            expect(screen.locator(".help-said")).to_have_text("Entend mal : montrez, ou écrivez.")
        stage.end()
    finally:
        end_all()


def test_c_28_who_speaks_soninke_and_reads_nothing_collects_by_sound_and_pictures(
    tmp_path: Path, mouthpiece: Browser
) -> None:
    """The slip chooses the voice: the number and the sentence as a mediator recorded them, and French for what was not recorded."""
    stage = Stage(tmp_path, settings=UNHURRIED)
    known = stage.stored(1, "1", language="snk")
    stage.start(inside={"1": known})
    clips = ("door-1", "take", "notice-thanks")
    recorded = {clip: record(tmp_path / VOICES, "snk", clip, 300 + 100 * place) for place, clip in enumerate(clips)}
    try:
        with room(stage, mouthpiece) as public:

            def hears(*wanted: str) -> None:
                wait_for(lambda: public.says(*wanted), f"{wanted} to be heard in a row; heard {public.spoken()}", 40.0)

            def bytes_of(address: str) -> bytes:
                with urllib.request.urlopen(f"{public.url}/voice/{address}", timeout=20) as answer:
                    return bytes(answer.read())

            public.page.wait_for_load_state("load")
            stage.scan(slip(1))
            hears("snk/door?door=1", "snk/take")
            assert bytes_of("snk/door?door=1") == recorded["door-1"]
            assert bytes_of("snk/take") == recorded["take"]
            expect(public.page.locator(".bank .lit-number")).to_have_text("1")
            expect(public.page.locator(".drawings svg")).to_have_count(2)
            expect(public.page.locator("html")).to_have_attribute("lang", "fr")
            hears("snk/close_door?door=1")
            assert bytes_of("snk/close_door?door=1") == bytes_of("fr/close_door?door=1")
            stage.take_and_close("1")
            hears("snk/notice-thanks")
            assert bytes_of("snk/notice-thanks") == recorded["notice-thanks"]
            stage.wait_fact("parcel_taken", parcel=known)
        stage.end()
    finally:
        end_all()


def test_the_screen_speaks_to_who_never_touched_it_and_says_when_the_reader_is_away(
    stage: Stage, mouthpiece: Browser
) -> None:
    """The browser's own rule is that a page is mute until it was touched; and a reader that hangs on nothing asks for no slip."""
    stage.start()
    with room(stage, mouthpiece) as public:
        expect(public.page.locator(".telling h1")).to_have_text(texts("fr").ready)
        stage.site.act("scanner", "unplug")
        wait_for(lambda: "fr/reader_away" in public.spoken(), f"the word that the reader is away; {public.heard()}")
        expect(public.page.locator(".telling h1")).to_have_text(texts("fr").reader_away)
        assert public.page.locator(".moving").count() == 0
        stage.site.act("scanner", "plug")
        expect(public.page.locator(".telling h1")).to_have_text(texts("fr").ready)
    stage.end()
