"""One parcel's whole story at a real lock process whose system calls fail or kill it at a chosen instant.

Owns the person who goes on whatever happens: repeats what did nothing, answers for what the site no longer knows, waits for
the supervisor. Refuses to look into the process; the books at the end are the trace, the journal's file and the hands.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from controller.journal import Journal
from demo.ledger import read_facts, wrong_opens
from firmware.board import load_board
from firmware.sim.coils import Death, examine
from firmware.sim.trace import read_trace
from tests.controller.controller_site import ROOT, SITE, STARTED, Running, slip
from tests.controller.stage import BADGE, LONG_OPEN_S, Stage
from tests.tools.debian import need
from wire import facts as f
from wire.facts import AnyFact

BOARD: Final = load_board(ROOT / "hardware" / "boards" / "demo.toml")
TRACKING: Final = "8N00234584108"

PATIENCE_S: Final = 6.0
"""So long a person waits in front of a door before the same is shown again; a reader's pause is half of it."""

TRIES_MAX: Final = 6
"""Whoever is not served after so many tries is told that we failed."""

LIVES_MAX: Final = 6
"""One fault, one death; more is a site that does not come up any more."""

LAST_WORDS: Final = 3_000
LOOK_S: Final = 0.03
REACT_S: Final = 20.0

CALLS: Final = ("pwrite64", "fdatasync")
"""What SQLite writes with: the journal's pages, and the one sync that makes them durable."""

ERRORS: Final = ("error=ENOSPC", "error=EIO", "error=EROFS", "signal=KILL")


class Died(Exception):
    """The process ended while somebody was waiting."""


class NotServed(AssertionError):
    """A person tried as often as anybody would, and did not get what was theirs."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The nth call of this name on the journal's files does this, counted from the story's beginning or the start's."""

    call: str
    what: str
    nth: int
    at_start: bool = False

    def __str__(self) -> str:
        """As a person names it, and as `./run campaign faults --only` takes it."""
        return f"{'start' if self.at_start else 'story'}:{self.call}:{self.what}:{self.nth}"

    @property
    def injection(self) -> str:
        """strace's word for it."""
        return f"inject={self.call}:{self.what}:when={self.nth}"


@dataclass(frozen=True, slots=True)
class Told:
    """How a story under a fault ended."""

    fault: Fault
    struck: bool
    lives: int
    lost: int
    doubled: int
    faults: tuple[str, ...]

    @property
    def is_well(self) -> bool:
        """Nothing lost, doubled or opened without its cause."""
        return not (self.lost or self.doubled or self.faults)


class InjectedSite(Stage):
    """A site with one announced parcel, and the person who brings it in and takes it out."""

    def __init__(self, folder: Path, fault: Fault) -> None:
        super().__init__(folder)
        self.fault = fault
        self.parcel = self.announced(1, TRACKING)
        self.lives = 0
        self._deaths: list[Death] = []
        self._known: list[AnyFact] = []
        self._tracer: subprocess.Popen[bytes] | None = None
        self._silent = 0
        self._shown: dict[str, float] = {}
        self._strace_log = folder / "strace.log"

    # -------------------------------------------------------------------------------------------------------- the story

    def tell(self) -> Told:
        """The whole story, as often begun again as the fault makes necessary. Raises NotServed."""
        self._raise(injected=True)
        while True:
            try:
                if not self.has(f.ParcelStored):
                    self._load()
                if not self.has(f.ParcelTaken):
                    self._collect()
                if not self._wait(lambda: self.has(f.ParcelCollected), REACT_S):
                    raise self._in_vain("the parcel to count as collected")
                if self._has_ended_well():
                    break
            except (Died, OSError):
                pass
            self._raise(injected=False)
        self._end_tracer()
        self._verify()
        return self._books()

    def _has_ended_well(self) -> bool:
        """It was asked to end; a fault in its goodbye is one more death, and one more start."""
        self._screen.close()
        return self.site.stop() == 0

    def _verify(self) -> None:
        journal = Journal(self.folder / "state" / "journal.db", SITE)
        journal.verify()
        journal.close()

    def _load(self) -> None:
        self._tidy()
        self._sign_in()
        place = self._open_by(lambda: self._show(TRACKING), "a door for the parcel")
        self.site.act(f"contents/{place}", {"put": self.parcel})
        self._close(place)
        if not self._wait(lambda: self.has(f.ParcelStored)):
            raise self._in_vain("the parcel to count as stored")

    def _collect(self) -> None:
        """The key is shown until the door is open; whoever has the parcel already shows it to be let out of the books."""
        for _ in range(TRIES_MAX):
            places = [label for label, door in self._doors().items() if door == "open"]
            place = places[0] if places else self._open_by(lambda: self._show(slip(1)), "the customer's door")
            held = self.site.world()["contents"][place]
            assert held in ([], [self.parcel]), f"door {place} opened for a key and held {held}"
            time.sleep(LONG_OPEN_S)
            self.site.act(f"contents/{place}", {"take": True})
            self._close(place)
            if self._wait(lambda: self.has(f.ParcelTaken)):
                return
        raise self._in_vain("the parcel to count as taken")

    def _tidy(self) -> None:
        """Staff take out what was put in without anybody knowing how it ended, and answer for the door."""
        for label, door in self._doors().items():
            if door == "open":
                self.site.act(f"contents/{label}", {"take": True})
                self._close(label)
        for label, held in self.site.world()["contents"].items():
            if held or self.compartment(label)["occupancy"] == "unknown":
                self._answer_for(label)

    def _answer_for(self, label: str) -> None:
        self._sign_in()
        place = self._open_by(lambda: self.press("check", compartment=label), f"door {label} to look behind")
        assert place == label
        self.site.act(f"contents/{label}", {"take": True})
        self._close(label)
        for _ in range(TRIES_MAX):
            self.press("empty", compartment=label)
            if self._wait(lambda: self.compartment(label)["occupancy"] == "free"):
                return
        raise self._in_vain(f"compartment {label} to be known empty")

    def _sign_in(self) -> None:
        for _ in range(TRIES_MAX):
            if self.view["staff"]["person"]:
                return
            self._show(BADGE)
            self._wait(lambda: self.view["staff"]["person"])
        raise self._in_vain("staff to be signed in")

    def _open_by(self, act: Callable[[], object], what: str) -> str:
        for _ in range(TRIES_MAX):
            act()
            self._wait(lambda: "open" in self._doors().values())
            for label, door in self._doors().items():
                if door == "open":
                    time.sleep(LONG_OPEN_S)
                    return label
        raise NotServed(f"{self.fault}: {what} did not open; {self._last_words()}")

    def _close(self, label: str) -> None:
        self.site.act(f"doors/{label}", "close")
        count = self._count(f.DoorClosed)
        self._wait(lambda: self._count(f.DoorClosed) > count, LONG_OPEN_S)

    def _show(self, text: str) -> None:
        """Hold it in front of the reader; the same text again only after the reader's own pause."""
        time.sleep(max(0.0, self._shown.get(text, 0.0) + 3.1 - time.monotonic()))
        self._shown[text] = time.monotonic()
        self.scan(text)

    # --------------------------------------------------------------------------------------------------------- its life

    def _raise(self, *, injected: bool) -> None:
        """The supervisor starts it; the first time with the fault waiting for it."""
        self._bury()
        at_start = injected and self.fault.at_start
        while True:
            self.lives += 1
            if self.lives > LIVES_MAX:
                raise NotServed(f"{self.fault}: it does not come up any more; {self._last_words()}")
            try:
                self.site = Running(self.config, prefix=self._strace("-D") if at_start else ())
                self._watch()
            except (AssertionError, OSError) as refused:
                self.site = STARTED[-1]
                if self.site.process.poll() is None and "the controller's first line" in str(refused):
                    raise self._in_vain("its first line after a start") from refused
                self._bury()
                at_start = False
                continue
            break
        if injected and not self.fault.at_start:
            self._attach()

    def _strace(self, *more: str) -> tuple[str, ...]:
        state = self.folder / "state"
        paths = [word for name in ("journal.db", "journal.db-wal") for word in ("-P", str(state / name))]
        calls = f"trace={self.fault.call}"
        return (
            need("strace"),
            *more,
            "-f",
            "-o",
            str(self._strace_log),
            *paths,
            "-e",
            calls,
            "-e",
            self.fault.injection,
        )

    def _attach(self) -> None:
        tracer = subprocess.Popen([*self._strace(), "-p", str(self.site.process.pid)], stderr=subprocess.PIPE)
        assert tracer.stderr is not None
        said = tracer.stderr.readline()
        assert b"attached" in said, said
        self._tracer = tracer

    def _end_tracer(self) -> None:
        if self._tracer is not None:
            self._tracer.wait(REACT_S)
            assert self._tracer.stderr is not None
            self._tracer.stderr.close()
            self._tracer = None

    def _bury(self) -> None:
        if not hasattr(self, "site"):
            return
        self.site.process.wait(REACT_S)
        self.site.kill()
        if hasattr(self, "_screen"):
            self._screen.close()
        self._end_tracer()
        reasons = ("the disk refused", "the disk is full", "is damaged")
        if self.site.process.returncode > 0 and not any(reason in self._last_words() for reason in reasons):
            self._silent += 1
        self._deaths.append(Death(self.site.process.pid, time.monotonic_ns()))

    # ---------------------------------------------------------------------------------------------------- eyes and books

    def facts(self) -> list[AnyFact]:
        """Every durable fact; what was durable once stays."""
        found = read_facts(self.folder / "state" / "journal.db")
        assert found[: len(self._known)] == self._known, f"{self.fault}: what was durable is gone"
        self._known = found
        return found

    def has(self, kind: type[Any]) -> bool:
        """Whether this happened to the parcel."""
        return any(isinstance(fact, kind) and fact.parcel == self.parcel for fact in self.facts())

    def _count(self, kind: type[Any]) -> int:
        return sum(isinstance(fact, kind) for fact in self.facts())

    def _doors(self) -> dict[str, str]:
        doors: dict[str, str] = self.site.world()["doors"]
        return doors

    def _wait(self, what: Callable[[], Any], patience_s: float = PATIENCE_S) -> bool:
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            if self.site.process.poll() is not None:
                raise Died
            if what():
                return True
            time.sleep(LOOK_S)
        return False

    def _in_vain(self, what: str) -> NotServed:
        return NotServed(f"{self.fault}: waited in vain for {what}; {self._last_words()}")

    def _last_words(self) -> str:
        return self.site.log.read_text(errors="replace")[-LAST_WORDS:]

    def _books(self) -> Told:
        facts, lines = self.facts(), read_trace(self.folder / "state")
        coils = examine(lines, BOARD, self._deaths, now_ns=time.monotonic_ns())
        faults = list(coils.faults)
        if wrong_opens(facts, [stretch.label for stretch in coils.stretches]):
            faults.append("a door was opened without a recorded cause, or by another's key")
        if self._silent:
            faults.append("it ended by itself and did not say why")
        collected = self._count(f.ParcelCollected)
        inside = [name for held in self._last_world().values() for name in held]
        return Told(
            fault=self.fault,
            struck="INJECTED" in self._traced() or "SIGKILL" in self._traced(),
            lives=self.lives,
            lost=int(collected == 0),
            doubled=max(0, collected - 1) + len(inside),
            faults=tuple(faults),
        )

    def _last_world(self) -> dict[str, list[str]]:
        world: dict[str, dict[str, list[str]]] = json.loads((self.folder / "state" / "world.json").read_text())
        return world["contents"]

    def _traced(self) -> str:
        return self._strace_log.read_text(errors="replace") if self._strace_log.exists() else ""
