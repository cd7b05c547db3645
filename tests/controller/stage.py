"""The assembled lock process with people around it: the real program, driven and judged only from outside.

Owns the eyes and hands of the journeys' tests: bytes into the pty, the panel's socket, the simulated doors, the journal's file.
Refuses to look into the process.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from controller.core.model import Now
from controller.journal import Journal, JournalReader
from tests.controller.controller_site import KEY, NOON_MS, NUMBER, SITE, Running, parcel, wait_for, write_site
from wire import facts as f
from wire.badges import CommandCard, badge_digest, badge_text, card_text
from wire.facts import AnyFact, decode_fact, kind
from wire.ids import ParcelId, PlaceKind, SizeClass, Trust
from wire.pickup import PickupKey, typed_digits
from wire.plan import Person, PlannedParcel, Settings, SiteCard

BADGE = badge_text(0xC0FFEE)
SHORT = Settings(
    open_timeout_ms=1_500, take_ms=2_000, nag_ms=1_000, alarm_ms=4_000, reopen_grace_ms=4_000, dispute_ms=2_000,
    quick_close_ms=300, cancel_answer_ms=1_500,
)  # fmt: skip
"""The journeys' times, shortened as the hub's settings may shorten them."""
COLOMBES = SiteCard(number=8, name="Conciergerie de Colombes", address="12 place Aragon, 92700 Colombes")
LONG_OPEN_S = 0.5
"""Longer than SHORT's quick close: hands that really take something."""


class Stage:
    """One site, running; `start` and `kill` as often as wanted on the same disk."""

    def __init__(
        self, folder: Path, *, settings: Settings = SHORT, broker_port: int = 0, board: str = "demo.toml"
    ) -> None:
        self.folder = folder
        self.config = write_site(folder, broker_port=broker_port, board=board)
        self._first(settings)
        self.site: Running
        self.view: dict[str, Any] = {}
        self.views: list[dict[str, Any]] = []

    # --------------------------------------------------------------------------------------------- before the curtain

    def _first(self, settings: Settings) -> None:
        plan = f.PlanApplied(
            incarnation=1,
            revision=1,
            hash="x",
            settings=settings,
            people=(Person(id="amina", role="concierge", badge=badge_digest(BADGE)),),
            sites=(COLOMBES,),
        )
        self.write((plan,))

    def write(self, facts: tuple[AnyFact, ...]) -> None:
        """Facts of another day, while nothing runs."""
        state = self.folder / "state"
        state.mkdir(parents=True, exist_ok=True)
        journal = Journal(state / "journal.db", SITE)
        journal.begin()
        journal.append(facts, Now(mono=0, wall_ms=NOON_MS, trust=Trust.HUB, boot=1))
        journal.close()

    def announced(
        self, number: int, tracking: str = "", size: SizeClass | None = SizeClass.S, version: int = 1, **needs: Any
    ) -> ParcelId:
        """A parcel that the hub announced; `needs` are further fields of its plan."""
        known = parcel(number)
        planned = PlannedParcel(id=known, version=version, tracking=tracking, size=size, **needs)
        self.write((f.PlanApplied(incarnation=1, revision=number + 1, hash="x", upserted=(planned,)),))
        return known

    def stored(self, number: int, place: str, tracking: str = "", **needs: Any) -> ParcelId:
        """A parcel put behind a door, or on the shelf at `E1`."""
        known = self.announced(number, tracking, **needs)
        kind_ = PlaceKind.COMPARTMENT if place.isdigit() else PlaceKind.SHELF
        lies = f.Place(kind=kind_, name=place)
        facts: tuple[AnyFact, ...] = (
            f.ParcelReceived(
                parcel=known,
                tracking=tracking,
                carrier="",
                source="plan",
                key_version=1,
                key_epoch=0,
                session="s",
                by="p",
            ),
            f.ParcelStored(parcel=known, place=lies, session="s", by="p"),
        )
        self.write(facts)
        return known

    def start(self, *, inside: dict[str, ParcelId] | None = None) -> None:
        """Raise the curtain; `inside` really lies behind those doors."""
        if inside:
            # Before the doors are looked at: a door opened by hand now would be a forced one on a machine that is slow.
            world = self.folder / "state" / "world.json"
            world.parent.mkdir(parents=True, exist_ok=True)
            world.write_text(json.dumps({"contents": {label: [known] for label, known in inside.items()}}))
        self.site = Running(self.config)
        self._watch()

    # ------------------------------------------------------------------------------------------------------ the screens

    def _watch(self) -> None:
        self._screen = socket.socket(socket.AF_UNIX)
        self._screen.connect(self.site.line["panel"])
        lines = self._screen.makefile("rb")
        self.view = json.loads(lines.readline())["view"]

        def read() -> None:
            with lines:
                for line in lines:
                    said = json.loads(line)
                    if "view" in said:
                        self.view = said["view"]
                        self.views.append(said["view"])

        threading.Thread(target=read, daemon=True).start()

    def say(self, **line: Any) -> None:
        """One line from a screen."""
        self._screen.sendall(json.dumps(line).encode() + b"\n")

    def type(self, digits: str) -> None:
        """A customer types a code."""
        self.say(input="digits", text=digits)

    def press(self, button: str, **about: Any) -> None:
        """Somebody presses a button."""
        self.say(input="press", button=button, **about)

    def card(self, card: CommandCard) -> None:
        """Staff scan a command card."""
        self.scan(card_text(card))

    def scan(self, text: str) -> None:
        """Something is held in front of the reader."""
        self.site.scan(text)

    def screen(self) -> str:
        """What the customer's screen shows."""
        return str(self.view["customer"]["screen"])

    def notice(self) -> str:
        """The customer's notice, or nothing."""
        shown = self.view["customer"]["notice"]
        return str(shown["kind"]) if shown and self.screen() == "notice" else ""

    def staff_notice(self) -> str:
        """The staff's notice, or nothing."""
        shown = self.view["staff"]["notice"]
        return str(shown["kind"]) if shown else ""

    def task(self) -> dict[str, Any]:
        """What staff are asked to do."""
        return self.view["staff"]["task"] or {}

    def was_shown(self, screen: str) -> dict[str, Any] | None:
        """The first picture whose customer screen was this one."""
        return next((view["customer"] for view in list(self.views) if view["customer"]["screen"] == screen), None)

    # -------------------------------------------------------------------------------------------------------- the world

    def pulses(self) -> list[dict[str, Any]]:
        """Every pulse since the start, oldest first."""
        return list(self.site.world()["pulses"])

    def door(self, label: str) -> str:
        """The door itself."""
        return str(self.site.world()["doors"][label])

    def break_(self, label: str, fault: str) -> None:
        """Something in the world breaks, or is `clear` again."""
        self.site.act(f"faults/{label}", fault)

    def opens(self, label: str) -> None:
        """Wait until this door is open and the site has written so."""
        count = len(self.pulses())
        wait_for(lambda: self.door(label) == "open", f"door {label} to open; pulses so far {count}")
        wait_for(lambda: self.knows("door_opened", compartment=label), "the fact that it opened")

    def take_and_close(self, label: str) -> None:
        """What a customer does at an open door."""
        time.sleep(LONG_OPEN_S)
        self.site.act(f"contents/{label}", {"take": True})
        self.site.act(f"doors/{label}", "close")

    def put_and_close(self, label: str, known: str) -> None:
        """What staff do at an open door."""
        time.sleep(LONG_OPEN_S)
        self.site.act(f"contents/{label}", {"put": known})
        self.site.act(f"doors/{label}", "close")

    def kill(self) -> None:
        """`kill -9`: memory is gone, the disk and the world stay."""
        self._screen.close()
        self.site.kill()

    def end(self) -> None:
        """A clean stop; the journal must verify."""
        self._screen.close()
        assert self.site.stop() == 0
        journal = Journal(self.folder / "state" / "journal.db", SITE)
        journal.verify()
        journal.close()

    # ------------------------------------------------------------------------------------------------------ the journal

    def facts(self) -> list[AnyFact]:
        """Every durable fact."""
        reader = JournalReader(self.folder / "state" / "journal.db", SITE)
        found: list[AnyFact] = []
        while (batch := reader.batch(len(found))) is not None:
            found += [decode_fact(record.body) for record in batch.facts]
        reader.close()
        return found

    def trusts(self) -> list[str]:
        """How far the time of each durable fact can be trusted."""
        reader = JournalReader(self.folder / "state" / "journal.db", SITE)
        found: list[str] = []
        while (batch := reader.batch(len(found))) is not None:
            found += [record.trust.value for record in batch.facts]
        reader.close()
        return found

    def kinds(self) -> list[str]:
        """The kinds of the facts since the last start."""
        kinds = [kind(fact) for fact in self.facts()]
        start = len(kinds) - kinds[::-1].index("site_started")
        return kinds[start:]

    def all(self, name: str) -> list[dict[str, Any]]:
        """Every fact of a kind, as plain data."""
        return [msgspec.to_builtins(fact) for fact in self.facts() if kind(fact) == name]

    def knows(self, name: str, **fields: Any) -> bool:
        """Whether a fact of this kind with these fields is durable."""
        return any(all(fact.get(key) == value for key, value in fields.items()) for fact in self.all(name))

    def wait_fact(self, name: str, **fields: Any) -> None:
        """Wait until it is."""
        wait_for(lambda: self.knows(name, **fields), f"the fact {name} {fields}; there are {self.kinds()}")

    def compartment(self, label: str) -> dict[str, Any]:
        """A compartment as the screens draw it."""
        return next(box for box in self.view["bank"] if box["label"] == label)


def digits(number: int, version: int = 1) -> str:
    """The typed digits of a parcel's slip."""
    return typed_digits(KEY, PickupKey(NUMBER, parcel(number), version, 0))
