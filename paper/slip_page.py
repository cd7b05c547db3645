"""The pickup slip as a part of a web page, for a screen held to the reader or a browser's own printer.

Owns the markup; `slip.css` beside it owns the look and is served by whoever shows the page. Refuses to know routes,
sign-in or caching. Everything printed here is escaped.
"""

from __future__ import annotations

from html import escape
from importlib import resources

from paper import pictograms, qr
from paper.drawing import svg
from paper.phrases import FALLBACK, Phrases, language_or_fallback, phrases
from paper.slip import Line, Slip, digits_hint_of, notes_of, steps_of, title_of
from wire.pickup import show_digits


def slip_html(slip: Slip) -> str:
    """The slip as one `<article>`, in its own language and direction."""
    words, french = phrases(slip.language), phrases(FALLBACK)
    language = language_or_fallback(slip.language)
    return (
        f'<article class="slip" lang="{language}" dir="{words.direction.value}">'
        f"<header><h2>{escape(title_of(slip, words))}</h2>{_mark(slip)}{_helper(title_of(slip, french), title_of(slip, words))}"
        f'<p class="slip-site"><bdi>{escape(slip.site_name)}</bdi></p><p><bdi>{escape(slip.site_address)}</bdi></p></header>'
        f'<div class="slip-key">{qr.svg(slip.qr_text, title=words.code)}'
        f'<figure class="slip-area">{svg(pictograms.door_area(slip.area))}'
        f"<figcaption>{escape(words.areas[slip.area])}{_helper(french.areas[slip.area], words.areas[slip.area])}"
        f"</figcaption></figure></div>{_digits(slip, words)}"
        f'<ol class="slip-steps">{_rows(steps_of(slip, words), steps_of(slip, french))}</ol>'
        f'<ul class="slip-notes">{_rows(notes_of(slip, words), notes_of(slip, french))}</ul></article>'
    )


def slip_css() -> str:
    """The style sheet of the fragment, screen and print."""
    return (resources.files("paper") / "slip.css").read_text("utf-8")


def _mark(slip: Slip) -> str:
    return f'<p class="slip-mark">{escape(slip.mark)}</p>' if slip.mark else ""


def _digits(slip: Slip, words: Phrases) -> str:
    if not slip.digits:
        return ""
    return (
        f'<p class="slip-hint">{svg(pictograms.KEYPAD)}<span>{escape(digits_hint_of(slip, words))}</span></p>'
        f'<p class="slip-digits" dir="ltr">{show_digits(slip.digits)}</p>'
    )


def _helper(french: str, text: str) -> str:
    """The same in French, for whoever helps; nothing when it was French already."""
    return "" if french == text else f'<small class="slip-french" lang="fr" dir="ltr">{escape(french)}</small>'


def _rows(lines: tuple[Line, ...], french: tuple[Line, ...]) -> str:
    return "".join(_row(line, same) for line, same in zip(lines, french, strict=True))


def _row(line: Line, french: Line) -> str:
    strong = f' <strong dir="ltr">{escape(line.strong)}</strong>' if line.strong else ""
    helper = "" if line.picture is pictograms.CLOCK else _helper(french.text, line.text)
    return f"<li>{svg(line.picture)}<span>{escape(line.text)}{strong}{helper}</span></li>"
