"""The screens of somebody who hands in a parcel, in headless Chromium: whole in every size and language, clean for axe, large keys."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from controller.core.views import CustomerView, Screen
from controller.kiosk.texts import languages, texts
from tests.kiosk.conftest import Running
from tests.kiosk.kiosk_lock import PARCEL, READY, serving
from tests.kiosk.test_kiosk_pages import sized
from tests.tools.axe import violations
from wire.ids import Label, SizeClass

pytestmark = pytest.mark.timeout(120)


def asking(screen: Screen, language: str, label: str | None = None) -> CustomerView:
    sizes = (SizeClass.S, SizeClass.M, SizeClass.L)
    return CustomerView(screen, None if label is None else Label(label), None, language, sending=PARCEL, sizes=sizes)


@pytest.mark.parametrize("language", languages())
def test_the_questions_are_whole_and_clean_in_every_language(kiosk: Running, page: Page, language: str):
    words = texts(language)
    page.goto(kiosk.url)
    kiosk.lock.show(replace(READY, customer=asking(Screen.CHOOSE_SIZE, language)))
    expect(page.locator("#message h1")).to_have_text(words.choose_size)
    expect(page.locator("#size-XL")).to_be_disabled()
    sized(page, "choose_size")
    assert violations(page) == []
    kiosk.lock.show(replace(READY, customer=asking(Screen.ASK_INSIDE, language, "3")))
    expect(page.locator("#message h1")).to_have_text(words.ask_inside)
    expect(page.locator("#send_inside")).to_contain_text(words.inside)
    expect(page.locator("#send_not_inside")).to_contain_text(words.not_inside)
    sized(page, "ask_inside")
    assert violations(page) == []


@pytest.mark.parametrize("language", languages())
def test_the_open_door_says_what_to_do_and_offers_a_larger_one(kiosk: Running, page: Page, language: str):
    words = texts(language)
    page.goto(kiosk.url)
    view = serving(Screen.PUT_IN, language)
    kiosk.lock.show(replace(view, customer=replace(view.customer, sending=PARCEL, may_grow=True)))
    expect(page.locator(".telling h1")).to_have_text(words.put_in)
    expect(page.locator("#send-bigger")).to_contain_text(words.too_small)
    sized(page, "put_in")
    assert violations(page) == []


def test_each_key_sends_what_it_says_for_the_parcel_that_is_shown(kiosk: Running, page: Page):
    page.goto(kiosk.url)
    kiosk.lock.show(replace(READY, customer=asking(Screen.CHOOSE_SIZE, "fr")))
    page.click("#size-M")
    pressed = kiosk.lock.wait_for_input(lambda said: getattr(said, "button", "") == "send_size", "the size")
    assert (pressed.value, pressed.parcel) == ("M", PARCEL)  # type: ignore[union-attr]
    kiosk.lock.show(replace(READY, customer=asking(Screen.ASK_INSIDE, "fr", "3")))
    page.click("#send_not_inside")
    said = kiosk.lock.wait_for_input(lambda said: getattr(said, "button", "") == "send_not_inside", "the answer")
    assert said.parcel == PARCEL  # type: ignore[union-attr]


@pytest.mark.parametrize(("width", "height", "least_px"), [(1024, 600, 90), (800, 480, 50)])
def test_the_sizes_are_drawn_as_large_as_every_other_choice(
    kiosk: Running, page: Page, width: int, height: int, least_px: int
):
    """They are for somebody who reads nothing; the desk's small pictures had taken their place."""
    page.set_viewport_size({"width": width, "height": height})
    page.goto(kiosk.url)
    kiosk.lock.show(replace(READY, customer=asking(Screen.CHOOSE_SIZE, "fr")))
    expect(page.locator("#size-XL")).to_be_disabled()
    for drawing in page.locator(".sizes svg").all():
        box = drawing.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= least_px
