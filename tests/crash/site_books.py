"""The journal of a site under power cuts: the real `Journal`, a day's transactions of every kind, and its own recovery.

Kinds of calls: create and begin (mark of the start, WAL grown, ballast), append of one fact, of several, with a newly acknowledged
mark, snapshot, checkpoint, pruning, the ballast given up and laid in, goodbye, and a start with snapshots of an older format.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Final, NamedTuple
from unittest import mock

from controller import journal as module
from controller.core.evolve import evolve
from controller.core.model import Durable, Now, fresh
from controller.journal import Journal, JournalError
from tests.controller.controller_site import NOON_MS, SITE, attempt, setup, stored
from tests.crash.books import Corrupt, Lost
from tests.crash.disk import Image
from tests.crash.vfs import Recorder, Step, recording
from wire.facts import AnyFact, DoorClosed, DoorOpened
from wire.ids import Label, Trust

FILE: Final = "journal.db"
DAYS_PAST: Final = 100
"""Days after which the oldest facts are past the retention."""
DAY_MS: Final = 24 * 3600 * 1000
CALLS: Final = 40
"""Calls of a recorded day."""
SMALL: Final = {
    "CHECKPOINT_APPENDS": 12,
    "SNAPSHOT_FACTS": 15,
    "PRUNE_FACTS": 10,
    "BALLAST_BYTES": 4096,
    "BALLAST_ROOM_BYTES": 4 * 4096,
}
"""Housekeeping comes this often on a recorded day, so that a day of forty calls sees all of it."""
LAYOUTS: Final = (1, 2)
"""Formats of snapshots: the program of the first half of the day, and its successor's."""
GOES_ON: Final = 8
"""Every so many steps the site goes on working with what was found."""
WAL_BYTES: Final = (8 * 4096, 8 * 4096, 8 * 4096, 512 * 1024)


class View(NamedTuple):
    """What a site knows of itself when a call has returned."""

    journal: str
    boot: int
    seq: int
    acked: int
    first: int
    floor_ms: int
    layout: int
    """The format of the snapshots that the program of that day writes."""
    hashes: dict[int, str]
    states: dict[int, Durable]
    """The hash and the memory after every fact there ever was; shared by all views of a recording."""


class SiteBooks:
    """Recording and checking a journal."""

    name = "site"

    @contextmanager
    def small(self, seed: int) -> Iterator[None]:
        """Housekeeping that comes often, and a WAL of one size or another."""
        with ExitStack() as stack:
            for name, value in {
                **SMALL,
                "SNAPSHOT_FORMAT": LAYOUTS[0],
                "WAL_BYTES": Random(seed).choice(WAL_BYTES),
            }.items():
                stack.enter_context(mock.patch.object(module, name, value))
            yield

    def record(self, folder: Path, seed: int) -> list[Step]:
        """A day of a site, and one or two restarts."""
        with recording(folder, seed) as recorder, ExitStack() as stack:
            day = _Day(folder, recorder, Random(seed))
            stack.callback(day.end)
            day.live()
            return recorder.steps

    def check(self, folder: Path, image: Image) -> None:
        """Open the journal as a starting site does, and compare with what had been promised."""
        promised: View | None = image.promised
        coming: View | None = image.next_view
        module.SNAPSHOT_FORMAT = promised.layout if promised else LAYOUTS[0]  # type: ignore[misc] # put back by `small`
        try:
            journal = Journal(folder / FILE, SITE)
        except JournalError as error:
            raise (Corrupt if promised is None else Lost)(f"the journal does not open: {error}") from error
        try:
            if promised is not None:
                _compare(journal, promised, coming or promised)
            elif journal.last_seq:
                raise Corrupt("facts before the first")
            journal.verify()
            if image.at % GOES_ON == 0:
                journal.begin()
                journal.append((attempt(77),), NOW)
                journal.verify()
        except JournalError as error:
            raise Corrupt(str(error)) from error
        finally:
            journal.close()


NOW: Final = Now(mono=0, wall_ms=NOON_MS + 2 * DAYS_PAST * DAY_MS, trust=Trust.NTP, boot=99)


def _compare(journal: Journal, promised: View, coming: View) -> None:
    if journal.journal_id != promised.journal:
        raise Lost("another journal")
    if journal.last_seq < promised.seq:
        raise Lost(f"facts {journal.last_seq + 1} to {promised.seq}")
    if journal.last_seq not in {promised.seq, coming.seq}:
        raise Corrupt(f"a part of a transaction: {journal.last_seq} between {promised.seq} and {coming.seq}")
    if journal.last_hash != promised.hashes[journal.last_seq]:
        raise Corrupt(f"fact {journal.last_seq} is not the one written")
    if journal.boot not in {promised.boot, coming.boot}:
        raise Lost(f"start {journal.boot}, promised {promised.boot}")
    if journal.acked not in {promised.acked, coming.acked}:
        raise Lost(f"acknowledged mark {journal.acked}, promised {promised.acked}")
    if journal._first.seq not in {promised.first, coming.first}:
        raise Corrupt(f"pruned to {journal._first.seq}, promised {promised.first}")
    if journal.floor_ms < promised.floor_ms:
        raise Lost(f"time went back to {journal.floor_ms}")
    if journal.recover(fresh(setup()), evolve) != promised.states[journal.last_seq]:
        raise Corrupt("the memory is not the fold of the facts")


class _Day:
    """What a site does, each call marked before and promised after."""

    def __init__(self, folder: Path, recorder: Recorder, random: Random) -> None:
        self._path = folder / FILE
        self._recorder = recorder
        self._random = random
        self._durable = fresh(setup())
        self._hashes: dict[int, str] = {0: ""}
        self._states: dict[int, Durable] = {0: self._durable}
        self._now = Now(mono=0, wall_ms=NOON_MS, trust=Trust.HUB, boot=1)
        self._parcels = 0
        self._journal: Journal = None  # type: ignore[assignment] # opened by `live`

    def live(self) -> None:
        """Start, work, say goodbye; start again as a newer program, work, and go without a word."""
        with mock.patch.object(module, "SNAPSHOT_FORMAT", LAYOUTS[0]):
            self._start("create")
            self._work(CALLS // 2)
            self._goodbye()
        with mock.patch.object(module, "SNAPSHOT_FORMAT", LAYOUTS[1]):
            self._start("upgrade")
            self._work(CALLS // 4)
            self._age()
            self._work(CALLS // 4)
            self._prune()
            self._goodbye()
            self._start("begin")
            self._work(3)
            self._recorder.start("closing")
            self._journal.close()
            self._promise()

    def end(self) -> None:
        """Close the file, whatever happened."""
        if self._journal is not None:
            self._journal.close()

    def _start(self, kind: str) -> None:
        self._recorder.start(kind)
        self._journal = Journal(self._path, SITE)
        if self._journal.last_seq == 0:
            self._hashes[0] = self._journal.last_hash
        self._promise()
        self._recorder.start("begin")
        self._journal.begin()
        assert self._journal.recover(fresh(setup()), evolve) == self._durable
        self._promise()

    def _work(self, calls: int) -> None:
        for _ in range(calls):
            self._one_call()

    def _one_call(self) -> None:
        kind = self._random.choices(
            ("append one", "append several", "acked mark", "tend", "snapshot", "ballast"), (8, 4, 2, 4, 1, 1)
        )[0]
        self._recorder.start(kind)
        match kind:
            case "append one":
                self._append((attempt(self._random.randrange(10_000)),))
            case "append several":
                self._parcels += 1
                self._append(stored(self._parcels, "1") + self._doors())
            case "acked mark":
                rewind = self._random.random() < 0.2
                self._journal.set_acked(self._random.randint(0, self._journal.last_seq), rewind=rewind)
                self._append((attempt(self._random.randrange(10_000)),))
            case "tend":
                self._journal.tend(self._durable, self._now)
            case "snapshot":
                self._journal.snapshot(self._durable)
            case _:
                self._journal._drop_ballast()
                self._journal._lay_ballast()
        self._promise()

    def _doors(self) -> tuple[AnyFact, ...]:
        label = Label("1")
        pair = (DoorOpened(compartment=label, session="s"), DoorClosed(compartment=label, session="s"))
        return pair * self._random.choice((0, 1, 6))

    def _append(self, facts: tuple[AnyFact, ...]) -> None:
        step = self._random.choice((0, 1, 5_000))
        self._now = replace(self._now, wall_ms=self._now.wall_ms + step, boot=self._journal.boot)
        self._journal.append(facts, self._now)
        first = self._journal.last_seq - len(facts)
        for number, fact in enumerate(facts, first + 1):
            self._durable = evolve(self._durable, fact, replace(self._now, mono=0))
            self._states[number] = self._durable
            row = self._journal._db.execute("SELECT hash FROM facts WHERE seq = ?", (number,)).fetchone()
            self._hashes[number] = row[0].hex()

    def _age(self) -> None:
        """A hundred days pass, and the hub has everything."""
        self._now = replace(self._now, wall_ms=self._now.wall_ms + DAYS_PAST * DAY_MS)
        self._recorder.start("acked mark")
        self._journal.set_acked(self._journal.last_seq, rewind=False)
        self._append((attempt(1),))
        self._promise()

    def _prune(self) -> None:
        for _ in range(2):
            self._recorder.start("snapshot")
            self._append((attempt(2),))
            self._promise()
            self._journal.snapshot(self._durable)
            self._promise()
        before = self._journal._first.seq
        for _ in range(8):
            self._recorder.start("pruning")
            self._journal.tend(self._durable, self._now)
            self._promise()
        assert self._journal._first.seq > before, "a day without pruning shows nothing"

    def _goodbye(self) -> None:
        self._recorder.start("goodbye")
        self._journal.close(durable=self._durable, now=self._now)
        self._promise(closed=True)

    def _promise(self, *, closed: bool = False) -> None:
        journal = self._journal
        self._recorder.promise(
            View(
                journal.journal_id,
                journal.boot,
                journal.last_seq,
                journal.acked if closed else journal._acked_written,
                journal._first.seq,
                self._now.wall_ms if journal.last_seq and journal.last_seq > journal._first.seq else 0,
                module.SNAPSHOT_FORMAT,
                self._hashes,
                self._states,
            )
        )
