"""The whole storage point as the public meets it: the real lock process, the real kiosk program, a browser on its screen.

Owns the ears of somebody who does not see (what was spoken and ticked) and the eyes of somebody who does not hear (what shone and
stood on the screen). Refuses to know journeys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page

from tests.controller.stage import Stage
from tests.kiosk.conftest import ROOT, kiosk_program

_BROWSER = re.compile(r"^ *chromium --kiosk (.*) http\S+$", re.MULTILINE)


def flags() -> tuple[str, ...]:
    """How the guide says that the screen's browser is started."""
    (said,) = _BROWSER.findall((ROOT / "systemd" / "README.md").read_text(encoding="utf-8"))
    return tuple(said.split())


EARS = """
window.heard = [];
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
  const said = new URL(this.src, location.href);
  const played = play.call(this);
  played.then(() => window.heard.push(said.pathname + said.search), () => {});
  return played;
};
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) {
  const hertz = this.frequency.value;
  setTimeout(() => this.context.state === "running" && window.heard.push(`tone ${hertz}`), 300);
  return start.apply(this, when);
};
"""
"""What really sounds: a voice that the browser lets play, a tone whose context runs."""

DEAF = """
window.AudioContext = undefined;
HTMLMediaElement.prototype.play = () => Promise.reject(new Error("nobody hears it"));
"""
"""A screen without a sound."""


@dataclass
class Room:
    """The storage point and the person in front of it."""

    stage: Stage
    page: Page
    url: str

    def heard(self) -> list[str]:
        """Everything that sounded at the screen since it was opened, oldest first."""
        found: list[str] = self.page.evaluate("window.heard")
        return found

    def spoken(self) -> list[str]:
        """The voice only, without the folder: `fr/take?door=3`."""
        return [said.removeprefix("/voice/") for said in self.heard() if said.startswith("/voice/")]

    def says(self, *wanted: str) -> bool:
        """Whether these were spoken one directly after the other."""
        spoken = self.spoken()
        return any(tuple(spoken[start : start + len(wanted)]) == wanted for start in range(len(spoken)))

    def lamps(self) -> dict[str, Any]:
        """What the lamps and the buzzer of the bank show."""
        found: dict[str, Any] = self.stage.site.world()["signals"]
        return found


@contextmanager
def room(stage: Stage, browser: Browser, senses: str = EARS) -> Iterator[Room]:
    """A browser on the screen of a stage that was started."""
    with kiosk_program(stage.folder, stage.site.line["panel"]) as (url, _process):
        page = browser.new_page(viewport={"width": 1024, "height": 600})
        page.set_default_timeout(20_000)
        page.add_init_script(senses)
        try:
            page.goto(url)
            yield Room(stage, page, url)
        finally:
            page.close()
