"""A slip as a reader and a person meet it: rendered to pixels, decoded, read."""

from __future__ import annotations

from datetime import date
from functools import cache
from html.parser import HTMLParser
from importlib import resources
from typing import Any

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from PIL import Image, ImageFilter

from paper import qr
from paper.media import Paper
from paper.phrases import languages, phrases
from paper.pictograms import DoorArea
from paper.sheet import SCRIPTS
from paper.slip import BadSlip, Slip, SlipKind, slip_pdf
from paper.slip_page import slip_css, slip_html
from wire.ids import parcel_id_from_bits
from wire.pickup import PickupKey, qr_text, show_digits, typed_digits

SITE_KEY = bytes(range(32))
KEY = PickupKey(site_number=7, parcel=parcel_id_from_bits(0x0123_4567_89AB_CDEF), version=1, epoch=0)
INCH_POINTS = 72
A6_MM = (105, 148)
A4_MM = (210, 297)


def a_slip(**changes: Any) -> Slip:
    given: dict[str, Any] = {
        "qr_text": qr_text(SITE_KEY, KEY),
        "digits": typed_digits(SITE_KEY, KEY),
        "site_name": "Loge Les Tilleuls",
        "site_address": "12 rue des Tilleuls, 93200 Saint-Denis",
        "help_phone": "01 23 45 67 89",
        "opening_hours": "lundi à samedi, 8 h à 20 h",
        "hold_until": date(2026, 12, 1),
    }
    return Slip(**(given | changes))


@cache
def printed(slip: Slip, paper: Paper = Paper.A6) -> bytes:
    """The PDF of a slip, made once for all the tests that look at it."""
    return slip_pdf(slip, paper)


def pixels(pdf: bytes, *, dpi: float = 300) -> Image.Image:
    document = pypdfium2.PdfDocument(pdf)
    try:
        image: Image.Image = document[0].render(scale=dpi / INCH_POINTS).to_pil().convert("L")
        return image
    finally:
        document.close()


def page_text(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return str(document[0].get_textpage().get_text_range())
    finally:
        document.close()


def decoded(image: Image.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(np.asarray(image))]


def contrast_lowered(image: Image.Image) -> Image.Image:
    return image.point(lambda level: 90 + level * 80 // 255)


@pytest.mark.parametrize("paper", Paper)
@pytest.mark.parametrize("language", languages())
def test_the_code_on_every_slip_reads_back_exactly(paper, language):
    slip = a_slip(language=language)
    assert decoded(pixels(printed(slip, paper))) == [slip.qr_text]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda image: image.filter(ImageFilter.GaussianBlur(4)), id="out of focus"),
        pytest.param(lambda image: image.resize((image.width * 6 // 10, image.height * 6 // 10)), id="60 percent copy"),
        pytest.param(contrast_lowered, id="faded to greys"),
        pytest.param(lambda image: image.rotate(17, expand=True, fillcolor=255), id="held askew"),
        pytest.param(
            lambda image: contrast_lowered(image.filter(ImageFilter.GaussianBlur(3))).resize(
                (image.width * 6 // 10, image.height * 6 // 10)
            ),
            id="a faded blurred copy",
        ),
    ],
)
def test_a_worn_slip_still_opens(spoil):
    slip = a_slip()
    assert decoded(spoil(pixels(printed(slip)))) == [slip.qr_text]


@pytest.mark.parametrize("turned", [6, 45, 187])
@pytest.mark.parametrize("language", languages())
def test_a_code_of_100_pixels_out_of_focus_and_askew_is_read_in_every_language(language, turned):
    slip = a_slip(language=language)
    page = pixels(printed(slip))
    left = page.width - page.width * 56 // 105 if phrases(language).direction.value == "rtl" else page.width * 2 // 105
    top, side = page.height * 23 // 148, page.width * 54 // 105
    code = page.crop((left, top, left + side, top + side)).resize((100, 100), Image.Resampling.LANCZOS)
    blurred = code.filter(ImageFilter.GaussianBlur(0.9))
    askew = blurred.rotate(turned, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC)
    assert decoded(askew) == [slip.qr_text]


def test_a_slip_printed_at_150_dpi_still_opens():
    slip = a_slip()
    assert decoded(pixels(printed(slip), dpi=150)) == [slip.qr_text]


def test_a_slip_with_a_stain_over_a_tenth_of_the_code_still_opens():
    slip = a_slip()
    image = pixels(printed(slip))
    code_side = image.width * 54 // 105
    stain = code_side * 3 // 10
    left, top = code_side // 2, image.height * 23 // 148 + code_side // 2
    image.paste(255, (left, top, left + stain, top + stain))
    assert decoded(image) == [slip.qr_text]


def test_the_code_is_version_3_level_q_in_alphanumeric_mode():
    text = qr_text(SITE_KEY, KEY)
    modules = qr.matrix(text)
    version = (len(modules) - 17) // 4
    image = Image.fromarray(np.where(np.pad(np.array(modules), 4), 0, 255).astype("uint8")).resize(
        (740, 740), Image.Resampling.NEAREST
    )
    (found,) = zxingcpp.read_barcodes(np.asarray(image))
    assert (version, found.ec_level, found.text) == (3, "Q", text)
    # Version 3 at level Q holds 32 bytes: only the alphanumeric mode fits 39 characters (ISO/IEC 18004, table 7).
    assert len(text) > 32


def test_a_text_outside_the_alphanumeric_mode_is_refused():
    for text in ("", "cg1", "CG1É", "A" * 48):
        with pytest.raises(qr.NotPrintable):
            qr.matrix(text)


@pytest.mark.parametrize("paper", Paper)
@pytest.mark.parametrize("language", languages())
def test_the_digits_stand_in_groups_of_four_from_the_left(paper, language):
    slip = a_slip(language=language)
    assert show_digits(slip.digits) in page_text(printed(slip, paper))


@pytest.mark.parametrize(("paper", "size_mm"), [(Paper.A6, A6_MM), (Paper.A6_ON_A4, A4_MM), (Paper.A4_HALF, A4_MM)])
def test_a_slip_is_one_page_of_its_paper(paper, size_mm):
    document = pypdfium2.PdfDocument(printed(a_slip(), paper))
    sizes = [tuple(round(side * 25.4 / INCH_POINTS) for side in page.get_size()) for page in document]
    document.close()
    assert sizes == [size_mm]


@pytest.mark.parametrize("paper", [Paper.A6_ON_A4, Paper.A4_HALF])
def test_what_is_cut_off_an_a4_sheet_is_blank(paper):
    image = pixels(printed(a_slip(), paper), dpi=72)
    below = image.crop((0, image.height // 2 + 6, image.width, image.height))
    assert below.getextrema() == (255, 255)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("paper", Paper)
def test_nothing_touches_the_edge_of_the_paper(language, paper):
    image = pixels(printed(a_slip(language=language), paper), dpi=72)
    width, height = (image.width, image.height) if paper in {Paper.A6, Paper.ROLL} else (image.width, image.height // 2)
    if paper is Paper.A6_ON_A4:
        width, height = image.width // 2, image.height // 2 - 3
    margin = 6
    edges = [
        (0, 0, width - 3, margin),
        (0, 0, margin, height - 3),
        (0, height - margin - 3, width - 3, height - 3),
        (width - margin - 3, 0, width - 3, height - 3),
    ]
    assert [image.crop(edge).getextrema()[0] for edge in edges] == [255] * 4


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("paper", Paper)
def test_what_is_written_in_latin_letters_is_whole_in_every_language(language, paper):
    """Letters of two scripts in one line, and French beside each language: nothing becomes other signs, nothing is cut."""
    text = page_text(printed(a_slip(language=language), paper)).replace("\xa0", " ")
    french = phrases("fr")
    said = "Loge Les Tilleuls 12 rue des Tilleuls, 93200 Saint-Denis 01 23 45 67 89 lundi à samedi, 8 h à 20 h"
    wanted = {*said.split(), *french.title.split(), *french.keep.split()}
    assert wanted - set(text.split()) == set(), "word by word: lines from the right are read out in another order"
    assert "…" not in text


@pytest.mark.parametrize("paper", Paper)
@pytest.mark.parametrize(
    ("kind", "title", "says"),
    [
        (SlipKind.REPLACEMENT, "Bon de retrait", "L'ancien bon n'ouvre plus la porte."),
        (SlipKind.MANDATE, "Bon pour une autre personne", "La personne qui a ce bon peut prendre un colis."),
        (SlipKind.PRACTICE, "Bon d'entraînement", "Ce bon est pour apprendre."),
    ],
)
def test_every_kind_of_slip_says_what_it_is(kind, title, says, paper):
    slip = a_slip(kind=kind)
    text = " ".join(page_text(printed(slip, paper)).split())
    assert title in text
    assert says in text
    assert phrases("fr").keep in text, "the hours give way, the warning does not"
    assert decoded(pixels(printed(slip, paper))) == [slip.qr_text]


def test_a_mandate_may_have_a_code_of_another_form_and_no_digits():
    slip = a_slip(kind=SlipKind.MANDATE, qr_text="CM1ABCDEF", digits="")
    for paper in Paper:
        assert decoded(pixels(printed(slip, paper))) == ["CM1ABCDEF"]
        assert "chiffres" not in page_text(printed(slip, paper))
    assert "chiffres" not in slip_html(slip)
    with pytest.raises(BadSlip):
        a_slip(kind=SlipKind.MANDATE, qr_text="not ours")


def test_french_says_who_helps_until_when_and_where():
    text = " ".join(page_text(printed(a_slip())).replace("\xa0", " ").split())
    for words in (
        "Bon de retrait",
        "Loge Les Tilleuls",
        "12 rue des Tilleuls, 93200 Saint-Denis",
        "01 23 45 67 89",
        "jusqu'au mardi 1er décembre 2026",
        "lundi à samedi, 8 h à 20 h",
        "Montrez ce bon au lecteur.",
    ):
        assert words in text


def test_what_is_not_known_is_not_printed():
    text = page_text(printed(a_slip(help_phone="", opening_hours="", hold_until=None, site_address="")))
    for words in ("Appelez", "heures", "jusqu"):
        assert words not in text


def test_an_unknown_language_gets_french_and_the_pictograms():
    assert printed(a_slip(language="snk")) == printed(a_slip(language="fr"))


def test_the_same_data_gives_the_same_bytes():
    assert slip_pdf(a_slip()) == slip_pdf(a_slip())


def test_arabic_letters_are_joined_and_every_letter_has_a_glyph():
    # Joined letters are other glyphs than single ones: the shaped word is narrower than its letters one by one.
    from paper.sheet import Sheet

    sheet = Sheet(width_mm=100, height_mm=100, title="", language="ar")
    sheet.add_page()
    sheet._add_typeface("NotoSansArabic")
    sheet._pdf.set_font("NotoSansArabic", "", 20)
    sheet._pdf.set_text_shaping(use_shaping_engine=True, direction="rtl")
    word = phrases("ar").title.split()[0]
    joined = sheet._pdf.get_string_width(word)
    apart = sum(sheet._pdf.get_string_width(letter) for letter in word)
    sheet.to_bytes()
    assert joined < 0.9 * apart


def letters_of(family: str, face: str, suffix: str) -> set[str]:
    folder = resources.files("paper")
    with resources.as_file(folder / "fonts" / f"{family}-{face}.{suffix}") as path, TTFont(path) as font:
        return {chr(code) for code in font.getBestCmap()}


@pytest.mark.parametrize("face", ["Regular", "Bold"])
def test_the_typefaces_have_every_letter_of_every_text(face):
    known = letters_of("NotoSans", face, "ttf").union(*(letters_of(one.family, face, one.suffix) for one in SCRIPTS))
    for entry in (resources.files("paper") / "text").iterdir():
        letters = set(entry.read_text("utf-8")) - {"\n"}
        assert letters - known == set(), entry.name


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.family)
def test_a_letter_that_another_typeface_has_is_looked_for_there(script):
    """What `text/` says in a script is inside the ranges that choose its typeface, or the typeface is never read."""
    base = letters_of("NotoSans", "Regular", "ttf")
    own = letters_of(script.family, "Regular", script.suffix)
    said = {letter for entry in (resources.files("paper") / "text").iterdir() for letter in entry.read_text("utf-8")}
    unreached = {letter for letter in said & own - base if not script.has_any_of(letter)}
    others = {letter for letter in unreached if any(other.has_any_of(letter) for other in SCRIPTS)}
    assert unreached == others
    assert any(map(script.has_any_of, said))


def test_a_very_long_name_and_address_stay_in_their_place():
    slip = a_slip(site_name="Résidence " + "des Grands Tilleuls " * 12, site_address="Bâtiment " + "X" * 300)
    assert decoded(pixels(printed(slip))) == [slip.qr_text]


def test_a_slip_refuses_what_is_not_a_key_and_a_mark_that_could_be_a_name():
    for changes in (
        {"qr_text": "https://example.org"},
        {"digits": "123"},
        {"digits": "12345678901x"},
        {"mark": "Diallo"},
    ):
        with pytest.raises(BadSlip):
            a_slip(**changes)


class _Checker(HTMLParser):
    """Tags balanced, texts collected."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("area", DoorArea)
def test_the_page_says_what_the_paper_says(language, area):
    slip = a_slip(language=language, area=area)
    checker = _Checker()
    checker.feed(slip_html(slip))
    checker.close()
    words = phrases(language)
    assert checker.stack == []
    steps = words.steps.desk if area is DoorArea.DESK else words.steps.door
    for text in (words.title, words.areas[area], show_digits(slip.digits), slip.help_phone, words.keep, *steps):
        assert any(text in piece for piece in checker.texts), text


def test_the_page_escapes_what_people_typed():
    markup = slip_html(a_slip(site_name="<script>alert(1)</script>", help_phone='"><b>', mark="<b>"))
    assert "<script>" not in markup
    assert "<b>" not in markup


def test_every_class_of_the_page_is_styled():
    import re

    used = {name for group in re.findall(r'class="([^"]+)"', slip_html(a_slip(mark="AB"))) for name in group.split()}
    styled = set(re.findall(r"\.([a-z][a-z-]*)", slip_css()))
    assert used - styled == {"picture"}
