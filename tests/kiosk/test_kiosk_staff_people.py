"""The desk's screen for people: the PIN pad, by finger and by keyboard."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from controller.core.events import Button
from controller.core.notices import StaffNotice, StaffNoticeKind
from controller.core.rights import Right
from controller.core.views import Screen
from controller.kiosk.staff_words import notice_words
from controller.panel_messages import AssistInput, PinInput, PressInput
from tests.kiosk.conftest import Running
from tests.kiosk.kiosk_lock import KEY, PARCEL, SITE_KEY, SLIP, serving, staffed
from tests.kiosk.test_kiosk_pages import outside
from tests.tools.axe import violations
from tests.tools.ports import wait_until
from wire.ids import IdentityCheck, Label, Motive
from wire.mandate import mandate_text
from wire.practice import practice_text

SIZES = ((1024, 600), (1280, 800), (800, 480))
KEY_PX = 72


def asking(kiosk: Running, page: Page, kind: StaffNoticeKind | None = None, wait_ms: int = 0) -> None:
    view = staffed(notice=None if kind is None else StaffNotice(kind), busy=False)
    kiosk.lock.show(replace(view, staff=replace(view.staff, pin_asked=True, pin_wait_ms=wait_ms)))
    if not page.url.startswith(kiosk.url):
        page.goto(f"{kiosk.url}/staff")
    expect(page.locator("h1")).to_have_text("Tapez votre code PIN.")


@pytest.mark.parametrize("size", SIZES)
def test_the_pin_pad_is_whole_on_the_screen_and_its_keys_are_as_large_as_a_thumb(
    kiosk: Running, page: Page, size: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    asking(kiosk, page, StaffNoticeKind.PIN_WRONG)
    keys = page.locator("#pin-form button").evaluate_all(
        "nodes => nodes.map((node) => { const box = node.getBoundingClientRect(); return [box.width, box.height]; })"
    )
    assert len(keys) == 13
    assert all(width >= KEY_PX and height >= KEY_PX for width, height in keys)
    assert outside(page) == []
    assert violations(page) == []


def test_a_pin_is_sent_once_by_finger_or_by_keyboard_and_never_shown_again(kiosk: Running, page: Page) -> None:
    page.set_viewport_size({"width": 1024, "height": 600})
    asking(kiosk, page)
    for key in "4971":
        page.locator(f'[data-pin="{key}"]').click()
    page.locator('[data-pin="back"]').click()
    page.locator('[data-pin="2"]').click()
    page.locator("#pin-yes").click()
    wait_until(lambda: kiosk.lock.inputs == [PinInput(text="4972")], "the PIN to be sent", 5.0)
    asking(kiosk, page, StaffNoticeKind.PIN_WRONG)
    expect(page.locator("#pin")).to_have_value("")
    page.locator("#pin").focus()
    page.keyboard.type("4071")
    page.keyboard.press("Enter")
    wait_until(lambda: kiosk.lock.inputs[-1] == PinInput(text="4071"), "the PIN to be sent", 5.0)
    page.locator("#cancel").click()
    wait_until(lambda: isinstance(kiosk.lock.inputs[-1], PressInput), "the word that it is not wanted", 5.0)


def test_somebody_who_has_to_wait_is_told_how_long_and_what_to_do(kiosk: Running, page: Page) -> None:
    asking(kiosk, page, StaffNoticeKind.PIN_WAIT, wait_ms=29 * 60_000)
    expect(page.locator("main")).to_contain_text("Prochain essai dans 29 min.")
    expect(page.locator("#notice")).to_contain_text("demandez à un collègue")


def test_a_refusal_for_want_of_a_right_names_whom_to_ask() -> None:
    words = notice_words(StaffNotice(StaffNoticeKind.NOT_YOURS, right=Right.DOORS.value))
    assert words == (
        "Votre badge ne permet pas de faire cela. Demandez-le : un concierge ou le responsable du site peut le faire."
    )


@pytest.mark.parametrize("size", SIZES[:2])
def test_assisted_collection_is_asked_for_in_three_questions_that_fit_on_the_screen(
    kiosk: Running, page: Page, size: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    view = staffed(busy=False)
    mediator = replace(view, staff=replace(view.staff, role="mediator"))
    kiosk.lock.show(mediator)
    page.goto(f"{kiosk.url}/staff")
    page.locator(f"#assist-{PARCEL}").click()
    expect(page.locator("#assist-title")).to_contain_text("RR123456785FR, porte 3")
    assert violations(page) == []
    page.locator("#assist-yes").click()
    assert kiosk.lock.inputs == [], "nothing is chosen for anybody"
    page.get_by_text("besoin d'aide pour lire").click()
    kiosk.lock.show(replace(mediator, waiting=1))
    page.get_by_text("Je connais cette personne").click()
    page.get_by_text("Oui, elle est là").click()
    expect(page.locator("#motive-cannot_read")).to_be_checked()
    page.locator("#assist-yes").click()
    asked = AssistInput(parcel=PARCEL, motive=Motive.CANNOT_READ, identity=IdentityCheck.KNOWN, present=True)
    wait_until(lambda: kiosk.lock.inputs == [asked], "the wish to be sent", 5.0)
    expect(page.locator("#assist")).to_be_hidden()


def test_who_may_not_open_for_somebody_is_not_offered_it(kiosk: Running, page: Page) -> None:
    view = staffed(busy=False)
    kiosk.lock.show(replace(view, staff=replace(view.staff, role="courier")))
    page.goto(f"{kiosk.url}/staff")
    expect(page.locator("[data-find]").first).to_be_visible()
    assert page.locator("[data-assist]").count() == 0
    assert page.locator(f"#out-{PARCEL}").count() == 0, (
        "what they take out goes through their list, door by door (K-04)"
    )


def test_practice_has_a_slip_of_its_own_and_the_customers_screen_says_that_it_is_practice(
    kiosk: Running, page: Page
) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    text = practice_text(SITE_KEY, 7, 0)
    view = staffed(busy=False)
    on = replace(view.staff, role="mediator", practice=Label("3"), practice_text=text)
    kiosk.lock.show(replace(view, staff=on))
    page.goto(f"{kiosk.url}/staff")
    expect(page.locator("#practice-title")).to_have_text("Exercice, porte 3")
    assert outside(page) == []
    assert violations(page) == []
    page.locator("#end-practice").click()
    wait_until(lambda: kiosk.lock.inputs == [PressInput(button=Button.END_PRACTICE)], "the wish to end", 5.0)
    page.locator("#practice-slip").click()
    expect(page.locator("article.slip")).to_contain_text("Il n'y a pas de colis.")
    assert page.request.get(f"{kiosk.url}/staff/paper/practice-fr.pdf").body()[:5] == b"%PDF-"
    serving_view = serving(Screen.TAKE, "fr")
    kiosk.lock.show(replace(serving_view, customer=replace(serving_view.customer, practice=True)))
    for width, height in ((1024, 600), (1280, 800)):
        page.set_viewport_size({"width": width, "height": height})
        page.goto(kiosk.url)
        expect(page.locator("#practice")).to_have_text("C'est un exercice.")
        assert outside(page) == []
        assert violations(page) == []
    kiosk.lock.show(view)
    assert page.request.get(f"{kiosk.url}/staff/practice").status == 404


def test_c_30_a_slip_for_somebody_else_is_one_button_of_the_same_questions_and_is_taken_back_with_two_touches(
    kiosk: Running, page: Page
) -> None:
    view = staffed()
    parcels = tuple(replace(one, mandate=one.parcel == PARCEL) for one in view.staff.parcels)
    kiosk.lock.show(replace(view, staff=replace(view.staff, role="concierge", parcels=parcels)))
    page.goto(f"{kiosk.url}/staff")
    page.click(f"#assist-{PARCEL}")
    page.click("#mandate-yes")
    expect(page.locator("#assist")).to_be_visible()
    page.check("input[name=identity][value=document]")
    page.click("#mandate-yes")
    kiosk.lock.wait_for_input(
        lambda said: said == PressInput(button=Button.MANDATE, value="document", parcel=PARCEL), "the mandate"
    )
    withdraw = page.locator("[data-press=withdraw_mandate]")
    expect(withdraw).to_have_count(1)
    withdraw.click()
    page.wait_for_timeout(500)
    withdraw.click()
    kiosk.lock.wait_for_input(
        lambda said: said == PressInput(button=Button.WITHDRAW_MANDATE, parcel=PARCEL), "the mandate to be taken back"
    )


def test_c_30_the_slip_for_somebody_else_says_what_it_is_and_nothing_of_whose_parcel_it_is(
    kiosk: Running, page: Page
) -> None:
    text = mandate_text(SITE_KEY, KEY, 1)
    kiosk.lock.show(staffed(slip=replace(SLIP, mandate=True, qr_text=text, digits="")))
    page.goto(f"{kiosk.url}/staff/slip/{PARCEL}")
    expect(page.locator("main")).to_contain_text("Bon pour une autre personne")
    assert not re.search(r"[0-9]{4} ?[0-9]{4}|RR123456785FR", page.locator("main").inner_text())
