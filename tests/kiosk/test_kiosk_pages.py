"""The screens in headless Chromium: rendered, read by axe, measured, touched."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from controller.core.events import Button
from controller.core.model import Step
from controller.core.notices import NoticeKind, StaffNotice, StaffNoticeKind
from controller.core.views import Screen
from controller.kiosk.texts import SPOKEN, languages, texts
from controller.panel_messages import DigitsInput, PressInput, ScanInput, TouchInput
from tests.kiosk.conftest import Running, running_kiosk
from tests.kiosk.kiosk_lock import DIGITS, OTHER, PARCEL, READY, SLIP, noticing, serving, staffed
from tests.tools.axe import violations
from tests.tools.pages import measured
from tests.tools.ports import wait_until

SIZES = ((1024, 600), (800, 480), (1280, 800), (800, 1280))
SERVING = (Screen.OPENING, Screen.PUSH_DOOR, Screen.TAKE, Screen.CLOSE_DOOR, Screen.PUT_BACK)


def outside(page: Page) -> list[str]:
    """What a person would have to scroll for."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("h1, h2, .number, .next, .bank, .drawings, .reach, .phone, button, button span, a")]
        .filter((node) => node.checkVisibility())
        .filter((node) => { const box = node.getBoundingClientRect();
            return box.left < -1 || box.top < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1; })
        .map((node) => node.outerHTML.slice(0, 80))"""
    )
    return found


def cut(page: Page) -> list[str]:
    """Text that is wider or higher than what holds it."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("h1, h2, .next, .reach, .phone, button, a")]
        .filter((node) => node.checkVisibility() && !node.classList.contains("unseen"))
        .filter((node) => node.scrollWidth > node.clientWidth + 1 || node.scrollHeight > node.clientHeight + 8)
        .map((node) => node.outerHTML.slice(0, 80))"""
    )
    return found


def covered(page: Page) -> list[str]:
    """What lies under, or over, the line at the top or the keys at the bottom."""
    found: list[str] = page.evaluate(
        """() => { const top = document.querySelector("header.top").getBoundingClientRect().bottom;
        const bottom = document.querySelector("footer.bottom").getBoundingClientRect().top;
        return [...document.querySelectorAll("main h1, main p, main svg, main button, main a")]
        .filter((node) => node.checkVisibility() && !node.closest(".unseen"))
        .filter((node) => { const box = node.getBoundingClientRect(); return box.top < top - 2 || box.bottom > bottom + 2; })
        .map((node) => node.outerHTML.slice(0, 80)); }"""
    )
    return found


DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""The page has heard of its new size, and has been drawn in it."""


def sized(page: Page, where: str) -> None:
    """Nothing is off the screen or cut, at every size that a bank may have."""
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(DRAWN)
        assert (outside(page), cut(page), covered(page)) == ([], [], []), f"{where} at {width}x{height}"
    page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})


@pytest.mark.timeout(120)
@pytest.mark.parametrize("language", languages())
def test_every_serving_screen_is_complete_in_every_size_and_language(kiosk: Running, page: Page, language: str):
    words = texts(language)
    said = (
        words.opening,
        words.push_door.format(door="3"),
        words.take,
        words.close_door.format(door="3"),
        words.put_back.format(door="3"),
    )
    page.goto(kiosk.url)
    for screen, sentence in zip(SERVING, said, strict=True):
        kiosk.lock.show(serving(screen, language))
        expect(page.locator(".telling h1")).to_have_text(sentence)
        expect(page.locator("html")).to_have_attribute("dir", words.direction.value)
        expect(page.locator(".bank .lit-number")).to_have_text("3")
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            digit = measured(page, ".number bdi", "parseFloat(getComputedStyle(node).fontSize)")
            assert digit >= 120
        sized(page, screen)
        assert violations(page) == [], screen
    kiosk.lock.show(serving(Screen.TAKE, language))
    page.click("#open-problem")
    expect(page.locator("#problem")).to_be_visible()
    sized(page, "problem")
    assert violations(page) == []


@pytest.mark.parametrize("screen", [Screen.PUSH_DOOR, Screen.CLOSE_DOOR, Screen.PUT_BACK])
def test_the_ending_that_a_number_takes_in_tamil_stays_on_its_line(kiosk: Running, page: Page, screen: Screen):
    page.goto(kiosk.url)
    kiosk.lock.show(serving(screen, "ta"))
    page.evaluate(DRAWN)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(DRAWN)
        lines = page.evaluate(
            """() => { const text = document.querySelector(".telling h1").firstChild, at = text.data.indexOf("3-");
            const number = document.createRange(); number.setStart(text, at);
            number.setEnd(text, text.data.indexOf("\u0b90", at) + 1);
            return new Set([...number.getClientRects()].map((box) => Math.round(box.top))).size; }"""
        )
        assert lines == 1, f"{screen} at {width}x{height}"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("language", languages())
def test_every_notice_says_what_to_do_next_and_nothing_of_an_error(kiosk: Running, page: Page, language: str):
    page.goto(kiosk.url)
    words = texts(language)
    for kind in NoticeKind:
        kiosk.lock.show(noticing(kind, language))
        expect(page.locator(".telling h1")).to_have_text(words.notices[kind].say)
        text = page.locator("main").inner_text()
        assert not re.search(r"erreur|error|invalid|خطأ|எரர்|hata|ошибка|помилка", text, re.IGNORECASE), kind
        assert "_" not in kind.value or kind.value not in text
        sized(page, kind)
        assert violations(page) == [], kind


@pytest.mark.parametrize("language", languages())
def test_the_ready_screen_and_the_keypad_are_clean_for_axe(kiosk: Running, page: Page, language: str):
    page.goto(f"{kiosk.url}/?language={language}")
    kiosk.lock.show(READY)
    expect(page.locator(".telling h1")).to_have_text(texts(language).ready)
    expect(page.locator("html")).to_have_attribute("lang", language)
    sized(page, "ready")
    assert violations(page) == []
    page.click("#open-keypad")
    expect(page.locator("#keypad")).to_be_visible()
    sized(page, "keypad")
    assert violations(page) == []


@pytest.mark.parametrize("language", languages())
def test_every_language_is_one_large_key_away_by_its_own_name(kiosk: Running, page: Page, language: str):
    page.goto(kiosk.url)
    page.click("#open-languages")
    key = page.locator(f"#language-{language}")
    expect(key).to_have_text(texts(language).name)
    sized(page, "languages")
    if language == "fr":
        assert violations(page) == []
    box = key.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 72
    key.click()
    expect(page.locator(".telling h1")).to_have_text(texts(language).ready)


@pytest.mark.parametrize("language", SPOKEN)
def test_c_28_the_key_of_a_language_by_voice_alone_shows_that_it_speaks_and_answers_aloud(
    kiosk: Running, page: Page, language: str
):
    """Fifteen languages and the way back stand on every screen; what is written stays French, and says so."""
    page.goto(kiosk.url)
    page.click("#open-languages")
    key = page.locator(f"#language-{language}")
    expect(key).to_contain_text(SPOKEN[language].name)
    expect(key).to_contain_text(SPOKEN[language].french)
    expect(key.locator("svg")).to_be_visible()
    assert page.locator(".languages a").count() == len(languages()) + len(SPOKEN)
    sized(page, "languages")
    assert violations(page) == []
    with page.expect_response(f"{kiosk.url}/voice/{language}/ready") as answered:
        key.click()
    assert (answered.value.status, answered.value.header_value("content-type")) == (200, "audio/wav")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator(".telling h1")).to_have_text(texts("fr").ready)
    page.click("#open-languages")
    expect(key).to_have_attribute("aria-current", "true")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("language", ["fr", "ar", "ta", "ur", "uk"])
def test_bigger_letters_and_high_contrast_are_one_touch_away_and_stay_whole(
    kiosk: Running, chromium: Browser, language: str
):
    context = chromium.new_context()
    page = context.new_page()
    try:
        page.goto(kiosk.url)
        size = "() => parseFloat(getComputedStyle(document.querySelector('.telling h1')).fontSize)"
        before = page.evaluate(size)
        page.click("#bigger")
        expect(page.locator("#bigger")).to_have_attribute("aria-pressed", "true")
        assert page.evaluate(size) > before * 1.1
        page.click("#contrast")
        for view in (
            serving(Screen.TAKE, language),
            serving(Screen.CLOSE_DOOR, language),
            noticing(NoticeKind.ALREADY_COLLECTED, language),
            noticing(NoticeKind.FOUND_EMPTY, language),
        ):
            kiosk.lock.show(view)
            expect(page.locator("html")).to_have_attribute("lang", language)
            expect(page.locator("html")).to_have_class(re.compile("contrast"))
            sized(page, f"{view.customer.screen}")
            assert violations(page) == []
    finally:
        context.close()


def test_the_voice_is_louder_or_quieter_for_one_visit(kiosk: Running, chromium: Browser):
    page = chromium.new_context().new_page()
    try:
        page.clock.install()
        page.add_init_script(
            "window.heard = []; HTMLMediaElement.prototype.play = function () { window.heard.push(this.volume); "
            "return Promise.resolve(); };"
        )
        page.goto(kiosk.url)
        for _ in range(3):
            page.click("#volume")
        assert page.evaluate("window.heard") == [1, 0.2, 0.5]
        page.click("#bigger")
        page.clock.run_for(61_000)
        expect(page.locator("html")).not_to_have_class(re.compile("bigger"))
        assert page.evaluate("sessionStorage.getItem('visit')") is None
    finally:
        page.context.close()


def test_keys_are_large_and_apart(kiosk: Running, page: Page):
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(kiosk.url)
        page.click("#open-keypad")
        boxes = [each.bounding_box() for each in page.locator(".keys button").all()]
        keys = [box for box in boxes if box is not None]
        assert len(keys) == 12
        assert all(box["width"] >= 72 and box["height"] >= 72 for box in keys)
        across = keys[1]["x"] - keys[0]["x"] - keys[0]["width"]
        down = keys[3]["y"] - keys[0]["y"] - keys[0]["height"]
        assert across >= 8
        assert down >= 8


def test_twelve_digits_typed_with_fingers_reach_the_lock_process_once(kiosk: Running, page: Page):
    page.goto(kiosk.url)
    page.click("#open-keypad")
    for digit in f"9{DIGITS[1:]}":
        page.click(f"#key-{digit}")
    for _ in range(12):
        page.click("#key-delete")
    for digit in DIGITS:
        page.click(f"#key-{digit}")
    expect(page.locator("#digits")).to_have_text(re.compile(r"\s*".join((DIGITS[:4], DIGITS[4:8], DIGITS[8:]))))
    page.dblclick("#key-send")
    kiosk.lock.wait_for_input(lambda sent: isinstance(sent, DigitsInput), "digits sent")
    assert kiosk.lock.inputs == [DigitsInput(text=DIGITS)]


def test_digits_can_be_typed_on_a_keyboard_and_are_kept_when_one_is_wrong(kiosk: Running, page: Page):
    page.goto(kiosk.url)
    page.keyboard.type("111122223333")
    page.keyboard.press("Enter")
    kiosk.lock.wait_for_input(lambda sent: isinstance(sent, DigitsInput), "digits sent")
    kiosk.lock.show(noticing(NoticeKind.CHECK_DIGITS))
    expect(page.locator(".telling h1")).to_have_text(texts("fr").notices[NoticeKind.CHECK_DIGITS].say)
    page.click("#open-keypad")
    expect(page.locator("#digits")).to_have_text(re.compile(r"1111\s*2222\s*3333"))


def test_c_33_a_touch_says_that_somebody_is_there_and_whether_they_type(kiosk: Running, page: Page):
    page.goto(kiosk.url)
    expect(page.locator("main.screen-ready")).to_be_visible()  # until then it may show what the test before left
    page.mouse.click(5, 300)
    # The last one: what the test before touched may be told late.
    wait_until(lambda: kiosk.lock.touches[-1:] == [TouchInput(busy=False)], "the touch")
    page.click("#open-keypad")
    wait_until(lambda: kiosk.lock.touches[-1] == TouchInput(busy=True), "the keypad")
    told = len(kiosk.lock.touches)
    kiosk.lock.show(serving(Screen.TAKE))
    expect(page.locator(".telling .number")).to_be_visible()
    page.mouse.click(5, 300)
    page.wait_for_timeout(600)
    assert len(kiosk.lock.touches) == told, "at an open door nobody looks for the reader"


def test_c_33_the_hint_keeps_the_digits_typed_so_far(kiosk: Running, page: Page):
    page.goto(kiosk.url)
    page.keyboard.type("1234")
    kiosk.lock.show(noticing(NoticeKind.SCAN_HINT))
    expect(page.locator("main.notice-scan_hint")).to_be_attached()
    expect(page.locator("#digits")).to_contain_text("1234")


def test_the_wait_bar_shows_how_long(kiosk: Running, page: Page):
    page.goto(kiosk.url)
    kiosk.lock.show(noticing(NoticeKind.WAIT_TO_TYPE))
    expect(page.locator(".left [data-left]").first).to_have_text(re.compile(r"^(4:00|3:5\d)$"))


def test_help_and_contest_are_pressed_once(kiosk: Running, page: Page):
    page.goto(kiosk.url)
    page.dblclick("#call-desk")
    kiosk.lock.show(noticing(NoticeKind.ALREADY_COLLECTED))
    page.dblclick("#contest")
    wait_until(lambda: len(kiosk.lock.inputs) >= 2, "both presses")
    assert kiosk.lock.inputs == [PressInput(button=Button.CALL_DESK), PressInput(button=Button.DISPUTE, parcel=PARCEL)]


def test_the_language_touched_wins_over_the_slip(kiosk: Running, page: Page):
    page.goto(kiosk.url)
    page.click("#open-languages")
    page.click("#language-ar")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    kiosk.lock.show(serving(Screen.TAKE, "fr"))
    expect(page.locator(".telling h1")).to_have_text(texts("ar").take)


def test_c_28_an_unknown_language_gets_french_and_pictures(kiosk: Running, page: Page):
    page.goto(kiosk.url)
    kiosk.lock.show(serving(Screen.TAKE, "wo"))
    expect(page.locator(".telling h1")).to_have_text(texts("fr").take)
    expect(page.locator(".drawings svg")).to_have_count(2)


def test_an_idle_screen_warns_then_returns_but_never_with_a_door_open(kiosk: Running, chromium: Browser):
    page = chromium.new_page()
    try:
        page.clock.install()
        page.goto(f"{kiosk.url}/?language=en")
        with page.expect_request(f"{kiosk.url}/voice/en/idle"):
            page.clock.run_for(41_000)
        expect(page.locator("#idle")).to_be_visible()
        page.click("#stay")
        page.clock.run_for(1_000)
        expect(page.locator("#idle")).to_be_hidden()
        kiosk.lock.show(serving(Screen.TAKE, "en"))
        expect(page.locator(".telling h1")).to_have_text(texts("en").take)
        page.clock.run_for(120_000)
        expect(page).to_have_url(re.compile("language=en"))
        kiosk.lock.show(READY)
        expect(page.locator(".telling h1")).to_have_text(texts("en").ready)
        page.clock.run_for(61_000)
        expect(page).to_have_url(f"{kiosk.url}/")
    finally:
        page.close()


def test_what_one_person_set_ends_with_their_visit(kiosk: Running, chromium: Browser):
    """The next slip speaks its own language, at the usual size; another door of the same person is the same visit."""
    page = chromium.new_context().new_page()
    try:
        page.goto(f"{kiosk.url}/?language=ta")
        page.click("#contrast")
        page.click("#bigger")
        kiosk.lock.show(serving(Screen.TAKE, "fr"))
        expect(page.locator(".telling h1")).to_have_text(texts("ta").take)
        kiosk.lock.show(replace(noticing(NoticeKind.THANKS), waiting=1))
        expect(page.locator(".telling h1")).to_have_text(texts("ta").notices[NoticeKind.THANKS].say)
        kiosk.lock.show(serving(Screen.OPENING, "fr", "5"))
        expect(page.locator(".telling h1")).to_have_text(texts("ta").opening)
        expect(page.locator("html")).to_have_class(re.compile("contrast"))
        kiosk.lock.show(noticing(NoticeKind.THANKS))
        expect(page.locator(".telling h1")).to_have_text(texts("ta").notices[NoticeKind.THANKS].say)
        kiosk.lock.show(serving(Screen.OPENING, "pt"))
        expect(page.locator(".telling h1")).to_have_text(texts("pt").opening)
        expect(page.locator("html")).not_to_have_class(re.compile("contrast|bigger"))
        expect(page).to_have_url(f"{kiosk.url}/")
        kiosk.lock.show(READY)
        expect(page.locator(".telling h1")).to_have_text(texts("fr").ready)
    finally:
        page.context.close()


def test_a_touch_is_greeted_aloud_once_in_a_while(kiosk: Running, page: Page):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(kiosk.url)
    with page.expect_request(f"{kiosk.url}/voice/fr/ready"):
        page.mouse.click(5, 300)
    said = len(asked)
    page.wait_for_timeout(2_100)
    page.mouse.click(5, 300)
    page.wait_for_timeout(600)
    assert [url for url in asked[said:] if "/voice/" in url] == []


def test_a_lock_process_that_restarts_is_said_honestly_and_comes_back(kiosk: Running, page: Page):
    page.goto(kiosk.url)
    kiosk.lock.show(serving(Screen.TAKE))
    expect(page.locator(".telling h1")).to_have_text(texts("fr").take)
    kiosk.lock.stop()
    expect(page.locator(".telling h1")).to_have_text(
        "La machine redémarre. Attendez un instant. Votre code reste valable."
    )
    assert page.locator(".number").count() == 0
    assert violations(page) == []
    kiosk.lock.start()
    expect(page.locator(".telling h1")).to_have_text(texts("fr").take)


# ---------------------------------------------------------------------------------------------------------- staff


@pytest.fixture
def staff(kiosk: Running, page: Page) -> Page:
    page.set_viewport_size({"width": 1280, "height": 800})
    kiosk.lock.show(staffed())
    page.goto(f"{kiosk.url}/staff")
    return page


def test_each_step_of_loading_is_one_line_on_one_screen(kiosk: Running, staff: Page):
    lines = {
        None: "Scannez l'étiquette du prochain colis.",
        Step.CHOOSE_SIZE: "Choisissez la taille du colis.",
        Step.PUT_IN: "Mettez le colis dans la porte 4 et fermez.",
        Step.PUT_ON_SHELF: "Posez le colis sur l'étagère, place E1, puis confirmez.",
        Step.TAKE_BACK: "Porte 4 : reprenez le colis, puis fermez la porte.",
        Step.ASK_EMPTY: "Le casier 4 est-il vide ?",
        Step.WHICH_DOOR: "Une autre porte a bougé. Le colis est-il derrière la porte 4 ?",
    }
    for step, line in lines.items():
        kiosk.lock.show(staffed(step, slip=SLIP if step is None else None, busy=False))
        expect(staff.locator("h1")).to_have_text(line)
        expect(staff.locator(".free-sizes")).to_contain_text("XL")
        assert outside(staff) == []
        assert violations(staff) == []


def test_a_door_opened_to_be_looked_into_says_that_nothing_is_taken_out(kiosk: Running, staff: Page):
    view = staffed(Step.TAKE_BACK, busy=False)
    assert view.staff.task is not None
    looking = replace(view.staff.task, looks_only=True)
    kiosk.lock.show(replace(view, staff=replace(view.staff, task=looking)))
    expect(staff.locator("h1")).to_have_text("Porte 4 : regardez sans rien retirer, puis fermez.")
    assert outside(staff) == []


def test_nobody_signed_in_sees_one_line_and_no_parcel(kiosk: Running, staff: Page):
    kiosk.lock.show(READY)
    expect(staff.locator("h1")).to_have_text("Montrez votre badge au lecteur.")
    assert "RR123456785FR" not in staff.content()
    assert violations(staff) == []


def test_a_busy_desk_is_clean_for_axe_and_every_notice_has_words(kiosk: Running, staff: Page):
    assert violations(staff) == []
    for kind in StaffNoticeKind:
        kiosk.lock.show(staffed(notice=StaffNotice(kind)))
        expect(staff.locator("#notice")).not_to_have_text("")


def test_buttons_send_what_they_point_at(kiosk: Running, staff: Page):
    staff.click("#door-3")
    staff.click("#check-3")
    staff.click("#out-3-lock")
    staff.click(f"#hand-{OTHER}")
    staff.wait_for_timeout(450)  # a double tap is one tap, and this is a second one on purpose
    staff.click(f"#hand-{OTHER}")
    staff.click("#alarm-1")
    staff.click("#call-1")
    staff.click("#clear-lockout")
    wait_until(lambda: len(kiosk.lock.inputs) >= 6, "six presses")
    assert kiosk.lock.inputs == [
        PressInput(button=Button.CHECK, compartment="3"),
        PressInput(button=Button.TAKE_OUT_OF_SERVICE, value="lock", compartment="3"),
        PressInput(button=Button.HAND_OVER, parcel=OTHER),
        PressInput(button=Button.CLEAR_ALARM, value="door_left_open", compartment="5"),
        PressInput(button=Button.ANSWER_CALL, value="at_desk", parcel=OTHER),
        PressInput(button=Button.CLEAR_LOCKOUT),
    ]


def test_a_typed_label_is_echoed_warned_about_and_confirmed_with_the_keyboard_alone(kiosk: Running, staff: Page):
    staff.focus("#label")
    staff.keyboard.type("rr123456789fr")
    staff.keyboard.press("Enter")
    expect(staff.locator("#label-shown")).to_have_text("RR12 3456 789F R")
    expect(staff.locator("#label-warning")).to_contain_text("chiffre de contrôle")
    assert kiosk.lock.inputs == []
    kiosk.lock.show(staffed(busy=False))
    expect(staff.locator("#alarm-1")).to_have_count(0)
    expect(staff.locator("#label-yes")).to_be_focused()
    staff.keyboard.press("Enter")
    kiosk.lock.wait_for_input(lambda sent: isinstance(sent, ScanInput), "the label")
    assert kiosk.lock.inputs == [ScanInput(text="RR123456789FR")]


def test_find_keeps_the_parcels_that_match(kiosk: Running, staff: Page):
    staff.fill("#find", "8N12 34")
    expect(staff.locator(".list li:visible")).to_have_count(1)
    kiosk.lock.show(staffed(busy=False))
    expect(staff.locator(".list li:visible")).to_have_count(1)


def test_the_slip_of_the_last_parcel_can_be_opened_and_no_other(kiosk: Running, staff: Page):
    kiosk.lock.show(staffed(slip=SLIP))
    staff.click("#slip")
    expect(staff.locator(".slip-digits")).to_have_text(re.compile(DIGITS[:4]))
    assert violations(staff) == []
    answer = staff.request.get(f"{kiosk.url}/staff/slip/{PARCEL}.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.body().startswith(b"%PDF-")
    assert staff.request.get(f"{kiosk.url}/staff/slip/{OTHER}.pdf").status == 404


def test_the_customer_screen_never_gets_staff_data(kiosk: Running, page: Page):
    kiosk.lock.show(replace(staffed(slip=SLIP), customer=READY.customer))
    page.goto(kiosk.url)
    shown = page.content() + json.dumps(page.evaluate("document.body.dataset.shown"))
    assert DIGITS not in shown
    assert "RR123456785FR" not in shown
    assert SLIP.qr_text not in shown


def test_when_the_kiosk_program_stops_no_door_is_claimed(chromium: Browser):
    page = chromium.new_page()
    try:
        with running_kiosk() as kiosk:
            kiosk.lock.show(serving(Screen.TAKE))
            page.goto(kiosk.url)
            expect(page.locator(".number bdi")).to_have_text("3")
            kiosk.process.terminate()
            assert kiosk.process.wait(5) in {0, -15}
            expect(page.locator(".telling h1")).to_have_text(texts("fr").away)
            assert page.locator(".number").count() == 0
    finally:
        page.close()
