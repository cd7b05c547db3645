"""Receipts and lists, looked at as pixels and text: everything said stands there, nothing is cut, on every paper."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pypdfium2
import pytest

from paper.daylist import Checked, DayList, InventoryReport, WaitingParcel, day_list_pdf, inventory_pdf
from paper.media import LISTS, Paper
from paper.receipt import (
    CourierReceipt,
    Deposited,
    DepositReceipt,
    Discrepancy,
    Seal,
    courier_pdf,
    deposit_pdf,
    deposits_pdf,
)

NOON = datetime(2026, 11, 25, 12, 5)  # noqa: DTZ001 the site's own clock, as the screens show it
SEAL = Seal(seq=1234, hash="0123456789abcdef" * 4)
DEPOSIT = DepositReceipt(
    site_name="Loge Les Tilleuls",
    parcel="0J6HAWXKPDZ3W",
    tracking="8N00234580001",
    carrier="La Poste",
    place="porte 12",
    at=NOON,
    clock_trusted=True,
    size="M",
    heavy=True,
    condition="carton ouvert",
    agent="amina",
    seal=SEAL,
)
DROP = CourierReceipt(
    site_name="Loge Les Tilleuls",
    courier="karim",
    carrier="La Poste",
    at=NOON,
    clock_trusted=True,
    in_doors=tuple(Deposited(tracking=f"8N0023458{number:04d}", place=f"porte {number}") for number in range(1, 31)),
    on_shelf=(Deposited(tracking="8N00234589001", place="étagère E1"),),
    remaining=tuple(Deposited(tracking=f"8N002345892{number:02d}", place="étagère E2") for number in range(3)),
    discrepancies=(Discrepancy(tracking="8N00234589999", what="annoncé, pas apporté"),),
    agent="amina",
    seal=SEAL,
)
DAY = DayList(
    site_name="Loge Les Tilleuls",
    at=NOON,
    to_check=("4", "7"),
    parcels=tuple(
        WaitingParcel(
            tracking=f"8N0023458{number:04d}",
            place=f"porte {number}",
            since=NOON - timedelta(days=number),
            language="arabe",
            help="ne voit pas bien" if number % 5 == 0 else "",
        )
        for number in range(1, 41)
    ),
)
INVENTORY = InventoryReport(
    site_name="Loge Les Tilleuls",
    at=NOON,
    agent="amina",
    checked=(
        Checked(door="1", expected="8N00234580001", found="8N00234580001"),
        Checked(door="2", expected="vide", found="8N00234580002", result="colis à ranger"),
    ),
    seal=SEAL,
)


def pages(pdf: bytes) -> list[tuple[float, float, str, float]]:
    """Width, height (mm), text and how far up from the bottom the lowest ink stands (mm), of each page."""
    document = pypdfium2.PdfDocument(pdf)
    found = []
    try:
        for page in document:
            width, height = (side * 25.4 / 72 for side in page.get_size())
            image = page.render(scale=2).to_pil().convert("L").point(lambda level: 255 - level)
            _, _, _, bottom = image.getbbox()
            text = " ".join(page.get_textpage().get_text_range().split())
            found.append((round(width), round(height, 1), text, height - bottom / 2 * 25.4 / 72))
    finally:
        document.close()
    return found


def text_of(pdf: bytes) -> str:
    return " ".join(text for _, _, text, _ in pages(pdf))


@pytest.mark.parametrize("paper", Paper)
def test_the_deposit_receipt_shows_every_field_on_one_page(paper):
    (page,) = pages(deposit_pdf(DEPOSIT, paper))
    width, _, text, _ = page
    assert width == LISTS[paper].width
    for words in (
        "8N00234580001", "La Poste", "porte 12", "25/11/2026, 12:05", "M", "lourd", "carton ouvert", "amina",
        "0J6HAWXKPDZ3W", "ligne 1234", "01234567 89abcdef 01234567",
    ):  # fmt: skip
        assert words in text, words


@pytest.mark.parametrize("paper", Paper)
def test_one_receipt_for_many_deposits_has_every_field_of_each_and_the_seal_of_the_last(paper):
    other = replace(DEPOSIT, tracking="8N00234580777", parcel="0J6HAWXKPDZ3X", carrier="", heavy=False, condition="")
    first = replace(other, seal=Seal(seq=1230, hash="f" * 64), clock_trusted=False)
    text = text_of(deposits_pdf((first, DEPOSIT), paper))
    for words in (
        "Colis : 2", "8N00234580777", "8N00234580001", "La Poste", "porte 12", "Taille M", "carton ouvert", "rien de signalé",
        "ligne 1230", "ligne 1234, empreinte", "01234567 89abcdef", "0J6HAWXKPDZ3X", "0J6HAWXKPDZ3W", "pas sûre", "signature",
    ):  # fmt: skip
        assert words in text, words
    assert "ffffffff" not in text, "one seal: that of the last line covers those before"
    with pytest.raises(ValueError, match="one deposit at least"):
        deposits_pdf((), paper)


def test_many_deposits_fill_pages_and_every_parcel_is_there():
    many = tuple(
        replace(DEPOSIT, tracking=f"8N0023459{n:04d}", seal=Seal(seq=n + 1, hash=f"{n:064x}")) for n in range(60)
    )
    document = pages(deposits_pdf(many))
    assert len(document) > 3
    assert all(each.tracking in " ".join(text for _, _, text, _ in document) for each in many)


def test_a_receipt_says_when_the_clock_is_not_sure_and_prints_nothing_of_what_is_not_known():
    text = text_of(deposit_pdf(replace(DEPOSIT, clock_trusted=False, carrier="", condition="")))
    assert "pas sûre" in text
    assert "Transporteur" not in text
    assert "rien de signalé" in text


@pytest.mark.parametrize("paper", Paper)
def test_one_receipt_counts_every_parcel_of_a_drop_and_says_how_many_are_where(paper):
    text = text_of(courier_pdf(DROP, paper))
    for words in ("Colis : 34", "Dans les casiers 30", "tagère 1", "sans porte libre 3", "À voir : 1", "pas apporté"):
        assert words in text, words
    for tracking in (
        one.tracking for part in (DROP.in_doors, DROP.on_shelf, DROP.remaining, DROP.discrepancies) for one in part
    ):
        assert tracking in text


def test_who_needs_help_comes_first_and_each_oldest_first():
    text = text_of(day_list_pdf(DAY))
    assert text.index("vérifier d'abord") < text.index("Besoin d'aide : 8") < text.index("Colis en attente : 32")
    assert text.index("8N00234580040") < text.index("8N00234580005") < text.index("8N00234580039")
    assert all(parcel.tracking in text for parcel in DAY.parcels)


def test_a_day_without_parcels_says_so():
    assert "Aucun colis" in text_of(day_list_pdf(replace(DAY, to_check=(), parcels=())))


def test_the_report_of_an_inventory_counts_what_differs_and_leaves_room_to_sign():
    text = text_of(inventory_pdf(INVENTORY, Paper.ROLL))
    for words in ("Casiers vus : 2. Différences : 1.", "colis à ranger", "signature", "ligne 1234"):
        assert words in text


@pytest.mark.parametrize("paper", Paper)
def test_a_long_list_fills_pages_and_leaves_their_margins_blank(paper):
    document = pages(day_list_pdf(DAY, paper))
    assert (len(document) == 1) == (paper is Paper.ROLL)
    for _, _, _, blank_below in document:
        assert blank_below >= LISTS[paper].margin - 0.5


def test_a_roll_is_cut_where_the_text_ends():
    ((width, height, _, blank_below),) = pages(deposit_pdf(DEPOSIT, Paper.ROLL))
    assert width == 80
    assert height < 130
    assert blank_below < 8
