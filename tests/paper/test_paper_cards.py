"""Badges and command cards: each code reads back as exactly what it stands for."""

from __future__ import annotations

import numpy as np
import pypdfium2
import pytest
import zxingcpp

from paper.badge import BadBadge, Badge, badge_pdf
from paper.cards import cards_pdf
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
        assert word in text


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
