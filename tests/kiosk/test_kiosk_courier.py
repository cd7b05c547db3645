"""The courier's own screen: what to do, the bank without anybody's parcels, and which door is still to be shut, said aloud too."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from controller.core.drop import DropReceipt, Handed
from controller.core.events import Button
from controller.core.model import Step
from controller.core.notices import StaffNotice, StaffNoticeKind
from controller.core.views import DropView, TaskView, View
from controller.kiosk import courier, drop_papers
from controller.panel_messages import PressInput
from tests.kiosk.conftest import Running
from tests.kiosk.kiosk_lock import OTHER, PARCEL, READY, staffed
from tests.kiosk.test_kiosk_pages import outside
from tests.tools.axe import violations
from tests.tools.ports import wait_until
from wire.facts import Place
from wire.ids import Label, PlaceKind, Trust


def bound(step: Step | None = None, **changes: Any) -> View:
    """A courier is signed in; one parcel of their carrier is behind a door."""
    view = staffed(step, busy=False)
    theirs = view.staff.parcels[:1]
    staff = replace(view.staff, person="karim", role="courier", carrier="laposte", parcels=theirs, slip=None)
    return replace(view, staff=replace(staff, **changes))


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (None, "Scannez l'étiquette de votre prochain colis."),
        (Step.CHOOSE_SIZE, "Choisissez la taille du colis."),
        (Step.PUT_IN, "Mettez le colis dans la porte 4 et fermez."),
        (Step.PUT_ON_SHELF, "Posez le colis sur l'étagère, place E1, puis confirmez."),
        (Step.ASK_EMPTY, "Le casier 4 est-il vide ?"),
        (Step.WHICH_DOOR, "Une autre porte a bougé. Le colis est-il derrière la porte 4 ?"),
    ],
)
def test_each_step_is_one_line_and_the_screen_is_clean_and_whole(
    kiosk: Running, page: Page, step: Step | None, line: str
) -> None:
    kiosk.lock.show(bound(step))
    page.goto(f"{kiosk.url}/staff")
    expect(page.locator("h1")).to_have_text(line)
    expect(page.locator(".who")).to_have_text("Livreur karim · laposte")
    assert outside(page) == []
    assert violations(page) == []


def test_k_01_nothing_on_the_screen_of_a_courier_opens_looks_into_or_hands_over(kiosk: Running, page: Page) -> None:
    kiosk.lock.show(bound())
    page.goto(f"{kiosk.url}/staff")
    expect(page.locator("h1")).to_have_text("Scannez l'étiquette de votre prochain colis.")
    offered = set(page.locator("[data-press]").evaluate_all("all => all.map(one => one.dataset.press)"))
    assert offered == {"sign_out", "size", "heavy", "low"}
    assert page.locator(".urgent, #slip, #assist, [data-door]").count() == 0
    expect(page.locator(".list li")).to_have_count(1)


def test_k_04_what_is_theirs_to_take_out_is_listed_and_each_answer_has_a_button(kiosk: Running, page: Page) -> None:
    view = bound()
    due = tuple(replace(parcel, to_retrieve=True) for parcel in view.staff.parcels)
    kiosk.lock.show(replace(view, staff=replace(view.staff, parcels=due)))
    page.goto(f"{kiosk.url}/staff")
    expect(page.locator("#due-title")).to_have_text("À reprendre (1)")
    page.locator("#retrieve").click()
    asked = PressInput(button=Button.RETRIEVE)
    wait_until(lambda: bool(kiosk.lock.inputs) and kiosk.lock.inputs[-1] == asked, "it begins", 5.0)
    taking = TaskView(Step.TAKE_BACK, PARCEL, "RR123456785FR", Label("3"), None, retrieving=True)
    for task, line, buttons in (
        (taking, "Porte 3 : sortez le colis et scannez son étiquette.", set()),
        (replace(taking, step=Step.ASK_EMPTY), "Scannez l'étiquette du colis sorti.", {"not_empty", "not_there"}),
        (replace(taking, step=Step.ASK_EMPTY, scanned=True), "Le casier 3 est-il vide ?", {"empty", "not_empty"}),
    ):
        kiosk.lock.show(replace(view, staff=replace(view.staff, task=task)))
        expect(page.locator("h1")).to_have_text(line)
        offered = page.locator(".actions [data-press]").evaluate_all("all => all.map(one => one.dataset.press)")
        assert set(offered) == buttons
        assert violations(page) == []


def test_k_06_the_door_that_is_open_is_the_big_number_and_is_said_aloud_and_again(kiosk: Running, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/voice/" in request.url else None)
    first = StaffNotice(StaffNoticeKind.CLOSE_DOOR_FIRST, Label("5"))
    kiosk.lock.show(bound(left_open=Label("5"), notice=first))
    page.goto(f"{kiosk.url}/staff")
    expect(page.locator("h1")).to_have_text("Fermez la porte 5.")
    expect(page.locator(".door-number")).to_have_text("5")
    expect(page.locator("#notice")).to_contain_text("porte 5")
    assert violations(page) == []
    wait_until(lambda: any(url.endswith("/voice/fr/close_door?door=5") for url in asked), "it to be said", 5.0)
    kiosk.lock.show(bound())
    expect(page.locator("[data-say]")).to_have_count(0)


def test_a_door_is_said_when_they_want_to_go_or_hold_nothing_and_not_while_they_put_a_parcel_in() -> None:
    first = StaffNotice(StaffNoticeKind.CLOSE_DOOR_FIRST, Label("4"))
    door = Label("4")
    assert courier.said(bound(Step.PUT_IN, left_open=door).staff) == ""
    assert courier.said(bound(Step.PUT_IN, left_open=door, notice=first).staff) == "/voice/fr/close_door?door=4"
    assert courier.said(bound(left_open=door).staff) == "/voice/fr/close_door?door=4"
    assert courier.said(bound(notice=first).staff) == ""


def test_a_word_that_asks_for_what_a_courier_cannot_do_has_another_one() -> None:
    for kind in courier.NOTICES:
        assert "responsable" not in courier.words_of(StaffNotice(kind))
    assert courier.words_of(StaffNotice(StaffNoticeKind.STORED)) == "Colis rangé."


def test_the_pin_is_asked_on_the_screen_of_everybody(kiosk: Running, page: Page) -> None:
    kiosk.lock.show(bound(pin_asked=True))
    page.goto(f"{kiosk.url}/staff")
    expect(page.locator("#pin")).to_be_visible()
    kiosk.lock.show(READY)
    assert OTHER not in page.content()


RECEIPT = DropReceipt(
    drop="2.1",
    person="karim",
    carrier="laposte",
    at_ms=READY.now_ms,
    trust=Trust.NTP,
    handed=(
        Handed(PARCEL, "RR123456785FR", Place(kind=PlaceKind.COMPARTMENT, name="3")),
        Handed(OTHER, "8N12345678901", Place(kind=PlaceKind.SHELF, name="E1"), no_door=True),
        Handed(OTHER, "8N12345678902", Place(kind=PlaceKind.SHELF, name="E2")),
        Handed(OTHER, "8N12345678903"),
    ),
    missing=("8N12345678904",),
    missing_count=3,
    unannounced=("RR123456785FR",),
)


def test_k_02_the_drop_is_counted_while_it_lasts_and_its_receipt_is_one_touch_away(kiosk: Running, page: Page) -> None:
    kiosk.lock.show(bound(drop=DropView(8, 1, 3, 1, 2)))
    page.goto(f"{kiosk.url}/staff")
    expect(page.locator("#drop-title")).to_have_text("Votre livraison : 13 colis")
    expect(page.locator(".drop")).to_contain_text("Annoncés, pas encore scannés : 2.")
    assert outside(page) == []
    assert violations(page) == []
    page.locator("#finish").click()
    asked = PressInput(button=Button.DONE)
    wait_until(lambda: bool(kiosk.lock.inputs) and kiosk.lock.inputs[-1] == asked, "the drop ends", 5.0)
    kiosk.lock.show(bound(receipts=(RECEIPT,)))
    expect(page.locator("#receipt")).to_have_attribute("href", "/staff/drop/2.1.pdf")
    assert violations(page) == []
    with urllib.request.urlopen(f"{kiosk.url}/staff/drop/2.1.pdf") as answer:
        assert answer.headers["Content-Type"] == "application/pdf"
        assert answer.read(5) == b"%PDF-"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{kiosk.url}/staff/drop/9.9.pdf")
    kiosk.lock.show(replace(staffed(busy=False), staff=replace(staffed(busy=False).staff, receipts=(RECEIPT,))))
    expect(page.locator("#drop-1")).to_have_attribute("href", "/staff/drop/2.1.pdf")
    assert violations(page) == []


def test_k_03_the_paper_says_how_many_are_where_and_everything_that_differs() -> None:
    paper = drop_papers.receipt_of(RECEIPT, "Maison de quartier")
    assert [one.place for one in paper.in_doors] == ["porte 3"]
    assert [one.tracking for one in paper.remaining] == ["8N12345678901"]
    assert [one.tracking for one in paper.on_shelf] == ["8N12345678902"]
    assert [(one.tracking, one.what) for one in paper.discrepancies] == [
        ("8N12345678904", "annoncé, pas apporté"),
        ("et 2 autres", "annoncé, pas apporté"),
        ("RR123456785FR", "apporté, pas annoncé"),
        ("8N12345678903", "scanné, pas rangé"),
    ]
    assert paper.clock_trusted
    assert courier.receipt_words(RECEIPT).endswith("1 dans les casiers, 2 sur l'étagère. À voir : 4.")
