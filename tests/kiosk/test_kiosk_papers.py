"""The papers of the desk on the screen and out of the printer: receipts, the day's list, practice slips, cards, labels."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import Page, expect

from controller.core.deposit import Deposit
from controller.core.events import Button
from controller.core.views import DepositView, View
from controller.kiosk import documents
from controller.kiosk.receipts import Follower
from controller.kiosk.settings import Receipts
from controller.panel_messages import PressInput
from paper.media import Paper
from paper.phrases import languages, phrases
from tests.kiosk.conftest import ROOT, Running, has_lock
from tests.kiosk.kiosk_lock import OTHER, PARCEL, READY, SITE_KEY, SLIP, LockProcess, staffed
from tests.kiosk.test_kiosk_pages import outside
from tests.tools.axe import violations
from tests.tools.pages import measured
from tests.tools.ports import wait_until
from wire.badges import CommandCard, card_text
from wire.facts import Place
from wire.ids import Label, ParcelId, ParcelState, PlaceKind, ReachZone, Trust
from wire.plan import Help
from wire.practice import practice_text

HASH = "0123456789abcdef" * 4


def deposit(seq: int, parcel: ParcelId = PARCEL, session: str = "1-1", **changes: Any) -> Deposit:
    """A parcel behind door 3, put in by p-01."""
    whole = Deposit(
        parcel=parcel,
        tracking="RR123456785FR",
        carrier="La Poste",
        place=Place(kind=PlaceKind.COMPARTMENT, name="3"),
        size="M",
        heavy=False,
        damaged=False,
        session=session,
        by="p-01",
        at_ms=READY.now_ms,
        trust=Trust.NTP,
        seq=seq,
        hash=HASH,
    )
    return replace(whole, **changes)


FIRST = deposit(118)
SECOND = deposit(
    131,
    OTHER,
    tracking="8N12345678901",
    place=Place(kind=PlaceKind.SHELF, name="E1"),
    size="",
    heavy=True,
    damaged=True,
)
EARLIER = deposit(40, ParcelId("0000000000009"), "1-0", tracking="CC999999999FR", by="p-02", trust=Trust.FLOOR)


def loaded(*, role: str = "concierge", **changes: Any) -> View:
    """Two parcels were put in by whoever is signed in, one by somebody before."""
    view = staffed(busy=False, slip=SLIP)
    deposits = (DepositView(EARLIER, own=False), DepositView(FIRST, own=True), DepositView(SECOND, own=True))
    staff = replace(view.staff, role=role, session="1-1", deposits=deposits, **changes)
    return replace(view, staff=staff)


def text_of(pdf: bytes) -> str:
    """What stands on all pages, in one line."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        text = " ".join(each.get_textpage().get_text_range() for each in document)
    finally:
        document.close()
    return " ".join(text.replace("\xa0", " ").split())


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return bytes(answer.read())


@pytest.mark.parametrize("size", [(1024, 600), (1280, 800)])
def test_the_desk_leads_to_its_papers_and_nothing_is_cut_off(kiosk: Running, page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    kiosk.lock.show(loaded())
    page.goto(f"{kiosk.url}/staff")
    expect(page.locator("#receipt")).to_have_attribute("href", "/staff/paper/receipt-118.pdf")
    expect(page.locator("#day")).to_be_visible()
    assert measured(page, ".staff-top", "node.getBoundingClientRect().height") < 70, "one line"
    if size[0] > 1200:
        assert outside(page) == []
    assert violations(page) == []
    page.click("#papers")
    expect(page.locator("#receipts-title")).to_be_visible()
    expect(page.locator("#pdf-receipts")).to_be_visible()
    assert violations(page) == []


def test_a_parcel_that_came_damaged_is_said_with_one_touch(kiosk: Running, page: Page) -> None:
    page.set_viewport_size({"width": 1024, "height": 600})
    kiosk.lock.show(loaded())
    page.goto(f"{kiosk.url}/staff")
    page.click("#arrived-damaged")
    wait_until(lambda: kiosk.lock.inputs == [PressInput(button=Button.ARRIVED_DAMAGED)], "the word", 5.0)


def test_the_receipt_of_one_and_of_all_says_what_a_list_by_hand_would(kiosk: Running) -> None:
    kiosk.lock.show(loaded())
    wait_until(lambda: b"RR123456785FR" in get(f"{kiosk.url}/staff"), "the picture", 10.0)
    one = text_of(get(f"{kiosk.url}/staff/paper/receipt-118.pdf"))
    for words in ("RR123456785FR", "La Poste", "porte 3", "Taille M", "rien de signalé", "p-01", PARCEL, "ligne 118"):
        assert words in one
    assert HASH[:8] in one
    every = text_of(get(f"{kiosk.url}/staff/paper/receipts.pdf"))
    for words in ("Colis : 2", "RR123456785FR", "8N12345678901", "étagère E1", "lourd", "arrivé abîmé", "ligne 131"):
        assert words in every
    assert "CC999999999FR" not in every, "what somebody else put in is no part of it"
    earlier = text_of(get(f"{kiosk.url}/staff/paper/receipt-40.pdf"))
    assert "L'heure de la machine n'est pas sûre." in earlier


@pytest.mark.parametrize(
    ("view", "gone"),
    [
        (READY, ("receipts", "receipt-118", "day", "cards", "labels", "practice-fr")),
        (loaded(role="courier"), ("day", "labels", "practice-fr")),
        (
            loaded(),
            ("receipt-119", "receipt-", "receipts-1", "day-2", "cards-x", "practice-fr", "practice-xx", "nothing"),
        ),
        (staffed(busy=False), ("receipts",)),
    ],
    ids=["nobody", "courier", "concierge", "no deposit"],
)
def test_a_paper_is_there_only_for_whoever_may_have_it(view: View, gone: tuple[str, ...], kiosk: Running) -> None:
    kiosk.lock.show(view)
    wait_until(lambda: (b"p-01" in get(f"{kiosk.url}/staff")) == bool(view.staff.person), "the picture", 10.0)
    for name in gone:
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(f"{kiosk.url}/staff/paper/{name}.pdf")
        assert refused.value.code in {404, 422}
        refused.value.close()


def test_m_12_the_days_list_says_who_waits_who_needs_help_and_in_which_language(kiosk: Running, page: Page) -> None:
    page.set_viewport_size({"width": 1024, "height": 600})
    view = loaded(role="mediator")
    first, second = view.staff.parcels
    helped = replace(first, language="ar", help=Help.BLIND, since_ms=READY.now_ms - 3 * 86_400_000)
    low = replace(second, language="snk", reach=ReachZone.LOW, since_ms=READY.now_ms, recalled=True)
    third = replace(
        first, parcel=ParcelId("0000000000007"), tracking="CC000000007FR", language="fr", since_ms=READY.now_ms
    )
    coming = replace(
        third, parcel=ParcelId("0000000000008"), tracking="CC000000008FR", state=ParcelState.ANNOUNCED, place=None
    )
    lost = replace(third, tracking="CC000000006FR", state=ParcelState.DISPUTED, place=None, heavy=True)
    parcels = (low, third, helped, coming, lost)
    kiosk.lock.show(replace(view, staff=replace(view.staff, parcels=parcels)))
    page.goto(f"{kiosk.url}/staff")
    page.click("#day")
    expect(page.locator("#to-check")).to_have_text("6")
    expect(page.locator("#helped li")).to_have_count(2)
    expect(page.locator("#helped li").first).to_contain_text("voit mal")
    expect(page.locator("#helped li").first).to_contain_text("arabe")
    expect(page.locator("#helped li").last).to_contain_text("ne peut pas atteindre le haut")
    expect(page.locator("#helped li").last).to_contain_text("soninké")
    expect(page.locator("#helped li").last).to_contain_text("à renvoyer")
    expect(page.locator("#others li")).to_have_count(2)
    expect(page.locator("#others")).to_contain_text("à retrouver")
    expect(page.locator("body")).not_to_contain_text("CC000000008FR")
    assert violations(page) == []
    printed = text_of(get(f"{kiosk.url}/staff/paper/day.pdf"))
    for words in (
        "vérifier d'abord",
        "Besoin d'aide : 2",
        "Colis en attente : 2",
        "arabe",
        "soninké",
        "voit mal",
        "lourd",
    ):
        assert words in printed
    kiosk.lock.show(replace(view, staff=replace(view.staff, parcels=())))
    page.goto(f"{kiosk.url}/staff/day")
    expect(page.locator("#nobody")).to_be_visible()


def test_the_practice_slip_is_there_in_every_language_chosen_on_its_page(kiosk: Running, page: Page) -> None:
    kiosk.lock.show(loaded(role="mediator", practice=Label("1"), practice_text=practice_text(SITE_KEY, 7, 0)))
    page.goto(f"{kiosk.url}/staff/papers")
    assert page.locator("a[id^=practice-]").count() == len(languages())
    page.click("#practice-ta")
    for language in ("ta", "ar"):
        page.select_option("#language", language)
        expect(page.locator("article.slip")).to_have_attribute("lang", language)
        expect(page.locator("article.slip h2")).to_contain_text(phrases(language).practice_title)
    assert violations(page) == []
    for language in languages():
        assert get(f"{kiosk.url}/staff/paper/practice-{language}.pdf")[:5] == b"%PDF-"


def test_cards_of_commands_and_sizes_and_the_doors_numbers_come_from_the_desk(kiosk: Running) -> None:
    kiosk.lock.show(loaded())
    wait_until(lambda: b"p-01" in get(f"{kiosk.url}/staff"), "the picture", 10.0)
    document = pypdfium2.PdfDocument(get(f"{kiosk.url}/staff/paper/cards.pdf"))
    read = {
        found.text
        for each in document
        for found in zxingcpp.read_barcodes(np.asarray(each.render(scale=3).to_pil().convert("L")))
    }
    document.close()
    assert read == {card_text(card) for card in CommandCard}
    labels = text_of(get(f"{kiosk.url}/staff/paper/labels.pdf")).split()
    assert [word for word in labels if word.isdigit()] == [door.label for door in READY.bank]


# -------------------------------------------------------------------------------------------------- out of the printer


def seen(follower: Follower, *views: View) -> list[list[int]]:
    """The lines of the receipts that became due, in order."""
    return [[each.seq for each in deposits] for view in views for _, deposits in follower.see(view)]


def with_own(*own: Deposit, session: str = "1-1") -> View:
    view = loaded()
    deposits = tuple(DepositView(each, own=True) for each in own)
    return replace(view, staff=replace(view.staff, session=session, deposits=deposits))


def test_one_receipt_a_session_is_due_when_the_person_has_left_or_another_one_came() -> None:
    nobody, empty = READY, with_own(session="1-2")
    assert seen(Follower(Receipts.SESSION), nobody, with_own(), with_own(FIRST), with_own(FIRST, SECOND), nobody) == [
        [118, 131]
    ]
    assert seen(Follower(Receipts.SESSION), nobody, with_own(FIRST), empty, nobody) == [[118]]
    cancelled = (nobody, with_own(FIRST), with_own(), nobody)
    assert seen(Follower(Receipts.SESSION), *cancelled) == [], "what was taken back has no receipt"
    assert seen(Follower(Receipts.SESSION), with_own(FIRST), with_own(FIRST, SECOND)) == []


def test_one_receipt_a_parcel_is_due_at_once_and_only_once() -> None:
    views = (READY, with_own(FIRST), with_own(FIRST), with_own(FIRST, SECOND), READY, with_own(SECOND))
    assert seen(Follower(Receipts.PARCEL), *views[:-1]) == [[118], [131]]
    assert seen(Follower(Receipts.PARCEL), with_own(FIRST), with_own(FIRST, SECOND)) == [[131]], (
        "not what was there before"
    )
    assert seen(Follower(Receipts.ASKED), *views) == []


FAKE_LP = """#!{python}
import pathlib, sys
folder = pathlib.Path({folder!r})
name = sys.argv[sys.argv.index("-t") + 1]
data = sys.stdin.buffer.read()
if (folder / "off").exists():
    sys.exit(1)
number = len(list(folder.glob("*.pdf")))
(folder / "part").write_bytes(data)
(folder / "part").rename(folder / f"{{number}} {{name}}.pdf")
"""


def test_s_07_a_printer_gives_the_receipt_when_the_person_leaves_and_every_paper_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    lp = tmp_path / "bin" / "lp"
    lp.parent.mkdir()
    lp.write_text(FAKE_LP.format(python=sys.executable, folder=str(out)))
    lp.chmod(0o755)
    monkeypatch.setenv("PATH", f"{lp.parent}:/usr/bin:/bin")
    lock = LockProcess(tmp_path / "panel.sock")
    config = tmp_path / "kiosk.toml"
    config.write_text(
        '[panel]\nsocket = "panel.sock"\n[web]\nport = 0\n[printing]\nqueue = "accueil"\npaper = "roll-80"\n'
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "controller.kiosk", "--config", str(config)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None

    def printed() -> list[str]:
        return sorted(path.name for path in out.glob("*.pdf"))

    def ask(name: str) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{url}/staff/paper/{name}/print", data=b"", headers={"Origin": url}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return dict(json.load(answer))

    try:
        url = process.stdout.readline().split()[1].rstrip("/")
        wait_until(lambda: has_lock(url), "the kiosk has found its lock process", 20.0)
        lock.show(loaded())
        wait_until(lambda: b"p-01" in get(f"{url}/staff"), "somebody signed in", 10.0)
        lock.show(READY)
        wait_until(lambda: printed() == ["0 Reçu de dépôts.pdf"], "the receipt of the session", 20.0)
        assert "8N12345678901" in text_of((out / "0 Reçu de dépôts.pdf").read_bytes())
        lock.show(loaded())
        wait_until(lambda: b"p-01" in get(f"{url}/staff"), "the picture", 10.0)
        assert ask("day") == {"printed": True, "said": "Le papier part à l'imprimante."}
        assert ask("receipt-118")["printed"]
        assert printed()[1:] == ["1 Liste du jour.pdf", "2 Reçu de dépôt.pdf"]
        (out / "off").touch()
        assert ask("cards") == {
            "printed": False,
            "said": "L'imprimante n'a pas pris le papier. Regardez si elle est allumée, puis réessayez.",
        }
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
        lock.stop()


def test_a_receipt_of_nothing_cannot_be_drawn() -> None:
    assert documents.own_deposits(READY) == ()
    with pytest.raises(ValueError, match="one deposit at least"):
        documents.receipts_of(READY, ()).draw(Paper.A6)
