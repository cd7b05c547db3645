"""A day at a site, told line by line: every input, what became durable, what was done, and everything that changed by it.

Owns the telling. Refuses to know which days there are: told_days has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from controller.core import due
from controller.core import events as e
from controller.core.events import Button
from controller.core.picture import birth, build_view, site_state
from tests.controller.virtual_site import LABEL_OF_PARCEL, VirtualSite
from wire.badges import CommandCard, badge_digest
from wire.ids import ParcelId
from wire.plan import Person, Plan, Settings, sealed

_UNTOLD: Final = (
    "durable.floor_ms",
    "live.badge",
    "live.last_text",
    "view.now_ms",
    "view.bank",
    "view.staff.parcels",
    "view.staff.calls",
)
"""What changes with every line and says nothing there, or says again what is durable; `description` tells it.

The events of a door say once more what the facts above them say.
"""


class Day:
    """One site whose every change is written down."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.site = VirtualSite(settings)
        self.lines: list[str] = []
        self._start = self.site.clock.mono
        self._facts = len(self.site.recorder.facts)
        self._lamp = len(self.site.lamp.patterns)
        self._done = 0
        self._before: dict[str, str] = {}
        self.tell("the day begins")

    def tell(self, words: str) -> None:
        """Write down what is different since the last line."""
        site = self.site
        facts = site.recorder.facts[self._facts :]
        self._facts += len(facts)
        pulses = [str(what) for kind, what in site.recorder.done[self._done :] if kind == "pulse"]
        self._done = len(site.recorder.done)
        lamp = site.lamp.patterns[self._lamp :]
        self._lamp += len(lamp)
        self.lines.append(f"{site.clock.mono - self._start} ms: {words}")
        self.lines += [f"  fact   {msgspec.json.encode(fact).decode()}" for fact in facts]
        self.lines += [f"  pulse  {label}" for label in pulses]
        self.lines += [f"  lamp   {' '.join(lamp)}"] if lamp else []
        for reply in site.hub.replies:
            self.lines.append(f"  reply  {msgspec.json.encode(reply).decode()}")
        site.hub.replies.clear()
        after = dict(self._picture())
        for name in sorted({*self._before, *after}):
            if not name.startswith(_UNTOLD) and ".events" not in name and self._before.get(name) != after.get(name):
                self.lines.append(f"  {name} = {after.get(name, 'gone')}")
        self._before = after

    def _picture(self) -> Iterator[tuple[str, str]]:
        state, now = self.site.state, self.site.clock.now()
        next_ms = due.next_deadline(state, now)
        yield "next", "never" if next_ms is None else f"{next_ms - self._start} ms"
        for name, part in (("durable", state.durable), ("live", state.live), ("view", build_view(state, 1, now))):
            yield from _leaves(name, msgspec.to_builtins(part))

    def description(self) -> None:
        """Write down what the hub and the screens are told of the site."""
        state, now = self.site.state, self.site.clock.now()
        self.lines.append("what the hub and the screens are told:")
        self.lines += [
            f"  {msgspec.json.encode(said).decode()}"
            for said in (
                site_state(state, self.site.recorder.last_seq, now),
                birth(state, "j", 3, "h", now),
                build_view(state, 1, now),
            )
        ]

    # -------------------------------------------------------------------------------------------------------- people

    def wait(self, milliseconds: int) -> None:
        """Let time pass, with a line wherever something was due."""
        end = self.site.clock.mono + milliseconds
        while (at := self.site.runner.next_deadline()) is not None and at <= end:
            self.site.wait(max(0, at - self.site.clock.mono))
            self.tell("time")
        if end > self.site.clock.mono:
            self.site.wait(end - self.site.clock.mono)
            self.tell(f"{milliseconds} ms are over")

    def scan(self, text: str, entropy: int = 0xABCDEF) -> None:
        self.site.scan(text, entropy)
        self.tell(f"scanned {text}")

    def badge(self) -> None:
        self.site.sign_in()
        self.tell("Amina's badge")

    def card(self, card: CommandCard) -> None:
        self.site.card(card)
        self.tell(f"card {card.value}")

    def press(self, button: Button, value: str = "", at: str | None = None, parcel: ParcelId | None = None) -> None:
        self.site.press(button, value, at, parcel)
        self.tell(" ".join(filter(None, ("pressed", button.value, value, at, parcel))))

    def open(self, label: str) -> None:
        self.site.open(label)
        self.tell(f"door {label} opens")

    def close(self, label: str) -> None:
        self.site.close(label)
        self.tell(f"door {label} closes")

    def type(self, digits: str) -> None:
        self.site.type(digits)
        self.tell(f"typed {digits}")

    def slip(self, parcel: ParcelId, version: int = 1) -> None:
        self.site.scan(self.site.slip(parcel, version))
        self.tell(f"slip of {parcel}, version {version}")

    def feed(self, event: e.Event) -> None:
        self.site.runner.feed(event)
        self.tell(type(event).__name__)

    def restart(self) -> None:
        self.site.restart()
        self._start = self.site.clock.mono
        self.tell("the power was away")

    def announce(self, bits: int = 1, tracking: str = LABEL_OF_PARCEL, **fields: object) -> ParcelId:
        parcel = self.site.announce(bits, tracking, **fields)
        self.tell(f"{parcel} is announced")
        return parcel

    def deposit(self, tracking: str, *, open_ms: int = 5_000, entropy: int = 0xABCDEF) -> str:
        """Staff who are signed in put a parcel in."""
        self.scan(tracking, entropy)
        label = self.site.task_compartment()
        self.open(label)
        self.wait(open_ms)
        self.close(label)
        self.wait(3_000)
        return label

    def stored(self, bits: int = 1, tracking: str = LABEL_OF_PARCEL, **fields: object) -> ParcelId:
        """A parcel behind a door, nobody signed in."""
        parcel = self.announce(bits, tracking, **fields)
        self.badge()
        self.deposit(tracking)
        self.press(Button.SIGN_OUT)
        return parcel

    def plan(self, **changes: Any) -> None:
        """The hub's plan, with changes."""
        site = self.site
        site.revision += 1
        plan = Plan(
            site=site.setup.site,
            incarnation=1,
            revision=site.revision,
            hash="",
            parcels=tuple(site.planned.values()),
            people=(Person(id="amina", role="concierge", badge=badge_digest("x")),),
            settings=site.settings,
        )
        self.feed(e.PlanArrived(sealed(msgspec.structs.replace(plan, **changes))))


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(f"{name}.{key}", inner)
    elif isinstance(value, list) and value:
        for place, inner in enumerate(value):
            yield from _leaves(f"{name}.{place}", inner)
    else:
        yield name, repr(value)
