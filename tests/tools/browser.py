"""Debian's Chromium, headless, driven by Playwright. Knows no page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
)


@contextmanager
def chromium(program: str, home: Path, *further: str) -> Iterator[Browser]:
    """A browser with no profile and `further` flags; `home` stands in for the home directory, which may be read-only."""
    environment: dict[str, str | float | bool] = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, *further], env=environment)
        try:
            yield browser
        finally:
            browser.close()
