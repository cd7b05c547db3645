"""What is wrong with a page as it stands, on a wide screen and on a telephone: faults that axe finds, and what hangs over the edge.

Also how large a thing on it is, whenever the page draws itself anew.
"""

from __future__ import annotations

from playwright.sync_api import Page

from tests.tools.axe import violations

WIDTHS = (1280, 390)


def faults_of(page: Page) -> list[str]:
    """Every fault, with the page's address; the page is as wide as before when this returns."""
    wrong = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        wrong += [f"{page.url}: {over} px over at {width}"] if over > 0 else []
        wrong += [f"{page.url} at {width}: {fault}" for fault in violations(page)]
    page.set_viewport_size({"width": WIDTHS[0], "height": 800})
    return wrong


def measured(page: Page, selector: str, expression: str) -> float:
    """What `expression` says of the first such `node`, found and measured in one go.

    A locator finds first and measures then; a page that was drawn anew in between has a node that is nowhere and of no size.
    """
    found: float = page.evaluate(f"((node) => {expression})(document.querySelector({selector!r}))")
    return float(found)
