"""Badges and command cards: each code reads back as exactly what it stands for."""

from __future__ import annotations

import numpy as np
import pypdfium2
import pytest
import zxingcpp

from paper.badge import BadBadge, Badge, badge_pdf
from paper.cards import cards_pdf
from paper.doorlabels import DoorLabel, door_labels_pdf
from paper.phrases import desk_phrases
from paper.pictograms import CARDS
from wire.badges import CommandCard, badge_text, read_card

SECRET = (1 << 127) + 987_654_321


def rendered(pdf: bytes) -> tuple[list[str], str, int]:
    """Decoded codes in reading order, text, number of pages."""
    document = pypdfium2.PdfDocument(pdf)
    codes: list[str] = []
    texts: list[str] = []
    try:
        for page in document:
            image = page.render(scale=200 / 72).to_pil().convert("L")
            found = zxingcpp.read_barcodes(np.asarray(image))
            found.sort(key=lambda code: (round(code.position.top_left.y, -2), code.position.top_left.x))
            codes += [code.text for code in found]
            texts.append(page.get_textpage().get_text_range())
        return codes, " ".join(texts), len(document)
    finally:
        document.close()


def test_the_sheet_holds_each_command_once_with_its_word():
    codes, text, pages = rendered(cards_pdf())
    assert [read_card(code) for code in codes] == list(CommandCard)
    assert pages == -(-len(CommandCard) // 10)
    for word in desk_phrases().cards.values():
        assert word in " ".join(text.split()), "wrapped or not"


def test_every_command_has_a_word_and_a_picture_of_its_own():
    assert set(desk_phrases().cards) == set(CARDS) == set(CommandCard)
    assert len(set(CARDS.values())) == len(CommandCard)


def test_a_badge_reads_back_and_names_its_bearer():
    codes, text, pages = rendered(
        badge_pdf(Badge(text=badge_text(SECRET), first_name="Fatoumata", role="Médiatrice", organisation="La régie"))
    )
    assert (codes, pages) == ([badge_text(SECRET)], 1)
    for words in ("Fatoumata", "Médiatrice", "La régie"):
        assert words in text


def test_a_badge_refuses_a_text_that_is_none():
    with pytest.raises(BadBadge):
        Badge(text="CB1TOO-SHORT", first_name="Ana", role="Concierge")


def test_every_door_has_its_number_on_a_label_of_its_own_and_the_eleventh_is_on_a_second_sheet():
    labels = tuple(DoorLabel(label=str(number), size="M") for number in range(1, 12))
    document = pypdfium2.PdfDocument(door_labels_pdf(labels, "Loge Les Tilleuls"))
    words = [page.get_textpage().get_text_range().split() for page in document]
    document.close()
    assert [[word for word in page if word.isdigit()] for page in words] == [[str(n) for n in range(1, 11)], ["11"]]
    assert words[1].count("M") == 1
    document = pypdfium2.PdfDocument(door_labels_pdf((), "Loge"))
    assert len(document) == 1, "a bank without doors is a blank sheet"
    document.close()


def test_a_doors_number_is_as_high_as_the_label_allows_and_four_characters_still_fit():
    for label in ("7", "A128"):
        document = pypdfium2.PdfDocument(door_labels_pdf((DoorLabel(label=label, size="XL"),), "Loge"))
        image = document[0].render(scale=4).to_pil().convert("L")
        document.close()
        mm = image.width / 210
        left, top = (210 - 2 * 85.6) / 2, 13.5
        number = image.crop((int((left + 2) * mm), int((top + 2) * mm), int((left + 83) * mm), int((top + 43) * mm)))
        box = number.point(lambda level: 255 - level).getbbox()
        assert (box[3] - box[1]) / mm > (12 if len(label) > 1 else 20), "read from two metres"
        assert box[0] > 0
        assert box[2] < number.width, "not cut"
