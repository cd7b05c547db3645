"""What axe has against a page, by the tags of WCAG 2.2 AA, EN 301 549 and the RGAA. Knows no page.

axe goes into a page once, and only what it found comes back: the package's own `run` sends half a megabyte each time, and every
element that passed.
"""

from __future__ import annotations

from typing import Final

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

TAGS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "EN-301-549", "RGAAv4", "best-practice")
_OPTIONS: Final = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
_RUN: Final = """options => axe.run(options).then(found =>
    found.violations.flatMap(fault => fault.nodes.map(node => `${fault.id}: ${node.html.slice(0, 160)}`)))"""


def violations(page: Page) -> list[str]:
    """Every fault of the page as it stands, with the element it is at."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(_RUN, _OPTIONS)
    return found
