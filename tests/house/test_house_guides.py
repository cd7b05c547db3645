"""What the guides tell people to touch stands on a screen, word for word: a guide that lags behind sends somebody looking."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = ("desk.md", "mediator.md", "courier.md")
TOUCHED = re.compile(r"[Tt]ouchez (?:\w+ ){0,3}« ([^»]+?) »|, (?:puis|ou) « ([^»]+?) »|répondez « ([^»]+?) »")


def on_screens() -> str:
    """Every word of the kiosk's screens, in one line."""
    kiosk = ROOT / "controller" / "kiosk"
    files = [*sorted((kiosk / "templates").glob("*.html")), *sorted(kiosk.glob("*.py"))]
    whole = " ".join(path.read_text(encoding="utf-8") for path in files)
    return " ".join(unescape(whole).split())


@pytest.mark.parametrize("guide", GUIDES)
def test_what_a_guide_says_to_touch_stands_on_a_screen(guide: str) -> None:
    text = " ".join((ROOT / "docs" / guide).read_text(encoding="utf-8").split())
    touched = {next(filter(None, found)) for found in TOUCHED.findall(text)}
    assert len(touched) >= 3, "the guide names no button, or the pattern reads it no longer"
    screens = on_screens()
    missing = sorted(words for words in touched if words.rstrip(".") not in screens)
    assert not missing, f"docs/{guide} tells people to touch what is on no screen: {missing}"
