"""The pickup slip as a part of a web page, for a screen held to the reader or a browser's own printer.

Owns the markup; `slip.css` beside it owns the look and is served by whoever shows the page. Refuses to know routes,
sign-in or caching. Everything printed here is escaped.
"""

from __future__ import annotations

from html import escape
from importlib import resources

from paper import pictograms, qr
from paper.drawing import svg
from paper.phrases import language_or_fallback, phrases
from paper.slip import Line, Slip, digits_hint_of, notes_of, steps_of
from wire.pickup import show_digits


def slip_html(slip: Slip) -> str:
    """The slip as one `<article>`, in its own language and direction."""
    words = phrases(slip.language)
    language = language_or_fallback(slip.language)
    return (
        f'<article class="slip" lang="{language}" dir="{words.direction.value}">'
        f"<header><h2>{escape(words.title)}</h2>{_mark(slip)}"
        f'<p class="slip-site"><bdi>{escape(slip.site_name)}</bdi></p><p><bdi>{escape(slip.site_address)}</bdi></p></header>'
        f'<div class="slip-key">{qr.svg(slip.qr_text, title=words.code)}'
        f'<figure class="slip-area">{svg(pictograms.door_area(slip.area))}'
        f"<figcaption>{escape(words.areas[slip.area])}</figcaption></figure></div>"
        f'<p class="slip-hint">{svg(pictograms.KEYPAD)}<span>{escape(digits_hint_of(slip))}</span></p>'
        f'<p class="slip-digits" dir="ltr">{show_digits(slip.digits)}</p>'
        f'<ol class="slip-steps">{"".join(_row(line) for line in steps_of(slip))}</ol>'
        f'<ul class="slip-notes">{"".join(_row(line) for line in notes_of(slip))}</ul></article>'
    )


def slip_css() -> str:
    """The style sheet of the fragment, screen and print."""
    return (resources.files("paper") / "slip.css").read_text("utf-8")


def _mark(slip: Slip) -> str:
    return f'<p class="slip-mark">{escape(slip.mark)}</p>' if slip.mark else ""


def _row(line: Line) -> str:
    strong = f' <strong dir="ltr">{escape(line.strong)}</strong>' if line.strong else ""
    return f"<li>{svg(line.picture)}<span>{escape(line.text)}{strong}</span></li>"
