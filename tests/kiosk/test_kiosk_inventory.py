"""The inventory on the desk's screen: what is expected, three answers, and a report with its line of the journal (M-07)."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from controller.core.events import Button
from controller.core.looks import Look, PlaceLook, Reconciliation, Seal
from controller.core.model import Step
from controller.core.views import ShelfView, TaskView, View
from controller.kiosk import inventory
from controller.kiosk.link import Picture
from controller.panel_messages import PressInput
from tests.kiosk.conftest import Running
from tests.kiosk.kiosk_lock import PARCEL, staffed
from tests.tools.axe import violations
from tests.tools.ports import wait_until
from wire.ids import Found, Label, Occupancy, ParcelId

TRACKING = "8N00234584108"
NOON_MS = 1_790_000_000_000


def look(label: str, found: Found, expected: ParcelId | None = None, read: str = "", **more: Occupancy) -> Look:
    occupancy = more.get("occupancy", Occupancy.FREE if expected is None else Occupancy.OCCUPIED)
    return Look(Label(label), found, occupancy, expected, TRACKING if expected else "", read, "amina", NOON_MS)


LOOKS = (
    look("1", Found.AS_EXPECTED, PARCEL),
    look("2", Found.EMPTY, PARCEL),
    look("3", Found.OTHER, read="8N00234589999"),
    look("4", Found.AS_EXPECTED),
    look("5", Found.EMPTY, occupancy=Occupancy.UNKNOWN),
    look("6", Found.NOT_OPENED),
)
PLACES = (
    PlaceLook("E1", Found.AS_EXPECTED, 4, (), 0, (), "amina", NOON_MS),
    PlaceLook("E2", Found.OTHER, 0, (), 0, ("8N00234589999",), "amina", NOON_MS),
    PlaceLook("E3", Found.OTHER, 62, (TRACKING,), 60, (), "amina", NOON_MS),
    PlaceLook("E4", Found.AS_EXPECTED, 0, (), 0, (), "amina", NOON_MS),
)
RUN = Reconciliation("1.4", "amina", NOON_MS, (Label("7"), Label("8")), LOOKS, NOON_MS, ("E5",), PLACES)
SEAL = Seal(412, "ab" * 32)


def signed_in() -> View:
    view = staffed(busy=False)
    return replace(view, staff=replace(view.staff, role="concierge"))


def reported() -> View:
    view = signed_in()
    return replace(view, staff=replace(view.staff, report=RUN, seal=SEAL))


def sent(kiosk: Running, wanted: PressInput) -> None:
    wait_until(lambda: bool(kiosk.lock.inputs) and kiosk.lock.inputs[-1] == wanted, f"{wanted}", 5.0)


def test_it_begins_by_bank_or_by_row_and_goes_on_or_ends(kiosk: Running, page: Page) -> None:
    view = signed_in()
    kiosk.lock.show(view)
    page.goto(f"{kiosk.url}/staff")
    page.locator("#inventory summary").click()
    page.locator("#reconcile").click()
    sent(kiosk, PressInput(button=Button.RECONCILE))
    kiosk.lock.show(replace(view, number=view.number + 1))
    expect(page.locator("#inventory")).to_have_attribute("open", "")
    page.locator("#reconcile-1").click()
    sent(kiosk, PressInput(button=Button.RECONCILE, value="1"))
    under_way = replace(RUN, ended_ms=0)
    kiosk.lock.show(replace(view, staff=replace(view.staff, reconciliation=under_way)))
    expect(page.locator(".inventory")).to_contain_text("Il en reste 2")
    assert violations(page) == []
    page.locator("#end-reconciliation").click()
    expect(page.locator("#end-reconciliation")).to_have_text("Finir sans les autres ?")
    page.wait_for_timeout(450)
    page.locator("#end-reconciliation").click()
    sent(kiosk, PressInput(button=Button.END_RECONCILIATION))


@pytest.mark.parametrize(
    ("parcel", "believed", "words"),
    [
        (PARCEL, Occupancy.OCCUPIED, f"il doit y avoir le colis {TRACKING}"),
        (None, Occupancy.FREE, "elle doit être vide"),
        (None, Occupancy.UNKNOWN, "personne ne sait ce qu'il y a"),
    ],
)
def test_each_door_says_what_should_lie_there_and_the_keyboard_alone_answers(
    kiosk: Running, page: Page, parcel: ParcelId | None, believed: Occupancy, words: str
) -> None:
    view = staffed(busy=False)
    tracking = TRACKING if parcel else ""
    task = TaskView(Step.TAKE_BACK, parcel, tracking, Label("1"), None, reconciling=True, believed=believed)
    kiosk.lock.show(replace(view, staff=replace(view.staff, task=task)))
    page.goto(f"{kiosk.url}/staff")
    expect(page.locator("h1")).to_contain_text(words)
    expect(page.locator("#as-expected")).to_have_count(0)
    kiosk.lock.show(replace(view, staff=replace(view.staff, task=replace(task, may_stay_open=True))))
    expect(page.locator("h1")).to_contain_text("peut rester ouverte")
    blind = replace(task, may_stay_open=True, unseen=True)  # It holds, and only its switch cannot show that it is shut.
    kiosk.lock.show(replace(view, staff=replace(view.staff, task=blind)))
    expect(page.locator("h1")).to_contain_text("fermez la porte, puis répondez")
    expect(page.locator("#as-expected")).to_be_visible()
    kiosk.lock.show(replace(view, staff=replace(view.staff, task=replace(task, step=Step.ASK_EMPTY))))
    expect(page.locator("h1")).to_contain_text("qu'avez-vous vu ?")
    assert violations(page) == []
    for name, button in (("as-expected", Button.AS_EXPECTED), ("empty", Button.EMPTY), ("other", Button.OTHER)):
        page.locator(f"#{name}").focus()
        page.keyboard.press("Enter")
        sent(kiosk, PressInput(button=button))


def test_a_place_of_the_shelf_shows_what_should_be_there_ticks_what_was_read_and_can_be_the_last(
    kiosk: Running, page: Page
) -> None:
    view = signed_in()
    others = ((ParcelId(f"0000000000{number:03}"), f"8N002345{number:05}", False) for number in range(29))
    expected = ((PARCEL, TRACKING, True), (ParcelId("00000000AQKFF"), "", False), *others)
    shelf = ShelfView(expected, ("8N00234589999",))
    task = TaskView(Step.CHECK_SHELF, None, "", None, "E1", shelf=shelf)
    under_way = replace(RUN, ended_ms=0, left=(), shelf_left=("E1", "E2"))
    kiosk.lock.show(replace(view, staff=replace(view.staff, task=task, reconciliation=under_way)))
    page.goto(f"{kiosk.url}/staff")
    expect(page.locator("h1")).to_have_text("Étagère, place E1 : il doit y avoir 31 colis. Scannez, puis répondez.")
    expect(page.locator("#on-place .good")).to_have_text(f"✓ {TRACKING} scanné")
    expect(page.locator("#on-place")).to_contain_text("○ sans nom, « QKFF »")
    expect(page.locator("#on-place .bad")).to_contain_text("pas attendu ici")
    expect(page.locator(".inventory")).to_contain_text("Il en reste 2")
    assert violations(page) == []
    for size in ((1024, 600), (800, 480)):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for name in ("as-expected", "empty", "other"):
            expect(page.locator(f"#{name}")).to_be_in_viewport(ratio=1)
    for name, button in (("as-expected", Button.AS_EXPECTED), ("empty", Button.EMPTY), ("other", Button.OTHER)):
        page.locator(f"#{name}").click()
        sent(kiosk, PressInput(button=button))
    page.locator("#end-reconciliation").click()
    page.wait_for_timeout(450)
    page.locator("#end-reconciliation").click()
    sent(kiosk, PressInput(button=Button.END_RECONCILIATION))
    door = TaskView(Step.TAKE_BACK, PARCEL, TRACKING, Label("1"), None, reconciling=True, last=True)
    kiosk.lock.show(replace(view, staff=replace(view.staff, task=door, reconciliation=under_way)))
    expect(page.locator(".inventory")).to_contain_text("L'inventaire finit après ce casier.")
    nothing = replace(task, shelf=ShelfView((), ()))
    kiosk.lock.show(replace(view, staff=replace(view.staff, task=nothing)))
    expect(page.locator("h1")).to_contain_text("elle doit être vide")
    expect(page.locator("#on-place")).to_have_count(0)


def test_the_shelf_alone_can_be_looked_at(kiosk: Running, page: Page) -> None:
    kiosk.lock.show(signed_in())
    page.goto(f"{kiosk.url}/staff")
    page.locator("#inventory summary").click()
    page.locator("#reconcile-shelf").click()
    sent(kiosk, PressInput(button=Button.RECONCILE, value="shelf"))


def test_the_report_shows_every_door_what_differs_and_its_line_of_the_journal(kiosk: Running, page: Page) -> None:
    kiosk.lock.show(reported())
    page.goto(f"{kiosk.url}/staff")
    page.locator("#inventory summary").click()
    page.locator("#report").click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(13)
    expect(page.locator(".differs")).to_have_count(6)
    expect(rows.nth(2)).to_contain_text("autre chose, étiquette 8N00234589999")
    expect(page.locator("main")).to_contain_text(f"ligne 412, empreinte : {SEAL.hash}")
    assert violations(page) == []
    with urllib.request.urlopen(f"{kiosk.url}/staff/inventory.pdf") as answer:
        assert answer.read().startswith(b"%PDF")


def test_who_may_not_make_an_inventory_sees_no_report(kiosk: Running, page: Page) -> None:
    view = reported()
    kiosk.lock.show(replace(view, staff=replace(view.staff, role="mediator")))
    answer = page.goto(f"{kiosk.url}/staff/inventory")
    assert answer is not None
    assert answer.status == 404
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{kiosk.url}/staff/inventory.pdf")
    page.goto(f"{kiosk.url}/staff")
    expect(page.locator(".inventory")).to_have_count(0)


def test_the_words_of_the_report() -> None:
    shown = inventory.report(Picture(reported(), 0.0))
    assert shown is not None
    assert [(each.door, each.expected, each.found, each.result) for each in shown.checked] == [
        ("1", f"colis {TRACKING}", f"colis {TRACKING}", "conforme"),
        ("2", f"colis {TRACKING}", "vide", "à chercher"),
        ("3", "vide", "autre chose, étiquette 8N00234589999", "hors service, à vider"),
        ("4", "vide", "vide", "conforme"),
        ("5", "pas connu", "vide", "libre"),
        ("6", "vide", "porte restée fermée", "serrure à contrôler"),
        ("7", "pas regardé", "pas regardé", "pas regardé"),
        ("8", "pas regardé", "pas regardé", "pas regardé"),
        ("étagère E1", "4 colis", "4 colis", "conforme"),
        ("étagère E2", "vide", "vide, en plus : 8N00234589999", "à ranger"),
        ("étagère E3", "62 colis", "2 colis", f"à chercher : {TRACKING} et 59 autres"),
        ("étagère E4", "vide", "vide", "conforme"),
        ("étagère E5", "pas regardé", "pas regardé", "pas regardé"),
    ]
    assert shown.agent == "amina"
    view = reported()
    unsealed = replace(view, staff=replace(view.staff, seal=Seal()))
    without = inventory.report(Picture(unsealed, 0.0))
    assert without is not None
    assert without.seal is None
    assert inventory.report(None) is None
    assert inventory.report(Picture(staffed(busy=False), 0.0)) is None
