"""Power cuts: a slice of the campaign, and the proof that it sees what it is there to see."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from controller import journal as journal_module
from controller.core.evolve import evolve
from controller.core.model import fresh
from controller.journal import Journal, JournalDamaged
from hub.intake import Intake
from hub.receiver import Incoming
from hub.store import engine
from tests.controller.controller_site import NOW, SITE, attempt, setup, stored
from tests.crash.books import Books, Tally, replay
from tests.crash.disk import Disk, Fate, images
from tests.crash.hub_books import HubBooks
from tests.crash.site_books import SiteBooks
from tests.crash.vfs import Create, Delete, Promise, Start, Sync, Write, can_record, recording

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not can_record(), reason="this Python hides the SQLite it runs on"),
]
BOOKS = pytest.mark.parametrize("books", [SiteBooks(), HubBooks()], ids=["site", "hub"])


def found(tally: Tally) -> str:
    return "\n".join(tally.stories)


@BOOKS
def test_no_power_cut_loses_what_was_acknowledged_or_leaves_books_that_do_not_open(books: Books) -> None:
    tally = replay(books, seed=1, every=13)
    assert (tally.acked_lost, tally.corrupt) == (0, 0), found(tally)
    assert tally.images > 200
    assert set(tally.fates) == {fate.value for fate in Fate}


@pytest.mark.slow
def test_every_kind_of_transaction_of_both_books_is_cut(tmp_path: Path) -> None:
    kinds = set()
    for books in (SiteBooks(), HubBooks()):
        for seed in (1, 2):
            folder = tmp_path / f"{books.name}-{seed}"
            folder.mkdir()
            with books.small(seed):
                steps = books.record(folder, seed)
            kinds |= {f"{books.name}: {step.kind}" for step in steps if isinstance(step, Start)}
    assert kinds >= {
        f"site: {kind}"
        for kind in (
            "create", "begin", "append one", "append several", "acked mark", "snapshot", "tend", "pruning", "ballast",
            "upgrade", "goodbye",
        )
    }  # fmt: skip
    assert kinds >= {
        f"hub: {kind}"
        for kind in ("first tables", "migration", "ingest", "announce", "reissue", "plan", "outbox", "erasure")
    }


@BOOKS
def test_one_seed_is_one_recording_and_one_row_of_images(books: Books, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    rows = []
    for folder in (first, second):
        folder.mkdir()
        with books.small(7):
            steps = books.record(folder, 7)
        rows.append([(image.files, image.kind, image.fate, image.at) for image in islice(images(steps, 7), 300)])
    assert rows[0] == rows[1]


# ------------------------------------------------------------------------------------------------ what it must catch


def connection_with(pragma: str) -> Callable[[Path], sqlite3.Connection]:
    right = journal_module._connect

    def connect(path: Path) -> sqlite3.Connection:
        db = right(path)
        db.execute(f"PRAGMA synchronous = {pragma}")
        return db

    return connect


@pytest.mark.parametrize("pragma", ["NORMAL", "OFF"])
def test_a_journal_that_does_not_wait_for_the_disk_is_caught(pragma: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_connect", connection_with(pragma))
    assert replay(SiteBooks(), seed=1, every=13).acked_lost > 0


@pytest.mark.slow
@pytest.mark.parametrize("pragma", ["NORMAL", "OFF"])
def test_a_hub_that_does_not_wait_for_the_disk_is_caught(pragma: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = engine._prepare_sqlite

    def prepare(dbapi: sqlite3.Connection, record: object) -> None:
        right(dbapi, record)
        dbapi.execute(f"PRAGMA synchronous = {pragma}").close()

    monkeypatch.setattr(engine, "_prepare_sqlite", prepare)
    assert replay(HubBooks(), seed=1, every=13).acked_lost > 0


def test_a_journal_whose_append_returns_before_its_commit_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Journal._append_rows

    def late(self: Journal, rows: list[tuple[object, ...]]) -> None:
        """The commit of an append waits for the next call."""
        if len(rows) != 1 or self._acked != self._acked_written:
            right(self, rows)
            return
        execute = self._db.execute
        execute("BEGIN IMMEDIATE")
        execute(journal_module._INSERT, rows[0])
        waiting.append(self)

    waiting: list[Journal] = []

    def settle(self: Journal) -> None:
        if self in waiting:
            waiting.remove(self)
            self._db.execute("COMMIT")

    for name in ("append", "tend", "snapshot", "close"):
        call = getattr(Journal, name)

        def first_settle(self: Journal, *rest: object, call: Callable[..., object] = call, **more: object) -> object:
            settle(self)
            return call(self, *rest, **more)

        monkeypatch.setattr(Journal, name, first_settle)
    monkeypatch.setattr(Journal, "_append_rows", late)
    assert replay(SiteBooks(), seed=1, every=13).acked_lost > 0


@pytest.mark.slow
def test_a_hub_that_acknowledges_before_its_commit_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Intake.handle

    def hasty(self: Intake, items: list[Incoming]) -> None:
        self._link.acknowledge(items)
        right(self, items)

    monkeypatch.setattr(Intake, "handle", hasty)
    assert replay(HubBooks(), seed=1, every=13).acked_lost > 0


@pytest.mark.slow
def test_a_hub_that_moves_its_cursor_in_a_transaction_of_its_own_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    from hub.store import journals

    right = journals.save_cursors

    def apart(connection: object, *rest: object) -> None:
        right(connection, *rest)  # type: ignore[arg-type]
        connection.exec_driver_sql("COMMIT")  # type: ignore[attr-defined]
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # type: ignore[attr-defined]

    monkeypatch.setattr(journals, "save_cursors", apart)
    assert replay(HubBooks(), seed=1, every=13).corrupt > 0


# ------------------------------------------------------------------------------------------------------- the disk itself


def fates(disk: Disk, fate: Fate) -> set[bytes | None]:
    return {disk.draw(fate, Random(seed))[0].get("a") for seed in range(200)}


def test_what_was_synced_is_kept_and_what_was_not_may_be_lost_torn_and_reordered() -> None:
    disk = Disk()
    for step in (
        Create("a", True),
        Write("a", 0, b"1" * 1024),
        Sync("a"),
        Write("a", 0, b"2" * 1024),
        Write("a", 1024, b"3"),
    ):
        disk.follow(step)
    assert fates(disk, Fate.LOST) == {b"1" * 1024}
    assert fates(disk, Fate.KEPT) == {b"2" * 1024 + b"3"}
    torn = fates(disk, Fate.TORN)
    assert torn == {b"2" * 1024, b"2" * 1024 + b"3"} or torn == {b"2" * 1024}
    assert b"1" * 512 + b"2" * 512 in fates(disk, Fate.PART)
    assert b"1" * 1024 + b"3" in fates(disk, Fate.REORDERED)


def test_a_name_is_lost_until_its_folder_was_synced_and_comes_back_when_its_removal_was_not() -> None:
    disk = Disk()
    disk.follow(Create("a"))
    disk.follow(Write("a", 0, b"1"))
    disk.follow(Sync("a"))
    assert None in fates(disk, Fate.LOST)
    disk.follow(Create("b", True))
    disk.follow(Sync("b"))
    assert fates(disk, Fate.LOST) == {b"1"}
    disk.follow(Delete("a", synced=False))
    assert fates(disk, Fate.LOST) == {b"1"}
    assert fates(disk, Fate.KEPT) == {None}


def test_the_recorder_sees_the_library_that_production_runs_on(tmp_path: Path) -> None:
    with recording(tmp_path, 1) as recorder:
        db = sqlite3.connect(tmp_path / "x.db")
        db.execute("CREATE TABLE t (x)")
        recorder.promise("made")
        db.close()
    kinds = [type(step) for step in recorder.steps]
    assert Create in kinds
    assert Sync in kinds[: kinds.index(Promise)]
    written = b"".join(step.data for step in recorder.steps if isinstance(step, Write) and step.name == "x.db")
    assert b"CREATE TABLE t (x)" in written
    assert sqlite3.connect(tmp_path / "x.db").execute("SELECT count(*) FROM t").fetchone() == (0,)


# --------------------------------------------------------------------------------------------------- found by the images


def test_a_program_of_a_newer_snapshot_format_folds_the_facts_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by the images' `upgrade`: the check sum of an old snapshot was computed with the new format's number."""
    path = tmp_path / "journal.db"
    journal = Journal(path, SITE)
    journal.begin()
    journal.append(stored(7, "1"), NOW)
    memory = journal.recover(fresh(setup()), evolve)
    journal.close(durable=memory, now=NOW)
    monkeypatch.setattr(journal_module, "SNAPSHOT_FORMAT", journal_module.SNAPSHOT_FORMAT + 1)
    newer = Journal(path, SITE)
    newer.begin()
    assert newer.recover(fresh(setup()), evolve) == memory
    newer.close()


def test_a_pruned_journal_whose_snapshots_cannot_be_read_is_refused_rather_than_half_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by the images: the fold began at the pruned place with an empty memory, and parcels were forgotten in silence."""
    journal = Journal(tmp_path / "journal.db", SITE)
    journal.begin()
    for number in range(1, 4):
        journal.append((*stored(number, "1"), attempt(number)), NOW)
        journal.snapshot(journal.recover(fresh(setup()), evolve))
    journal.set_acked(journal.last_seq, rewind=False)
    journal.append((attempt(9),), NOW)
    journal.tend(fresh(setup()), replace(NOW, wall_ms=NOW.wall_ms + journal_module.RETENTION_MS + 1))
    monkeypatch.setattr(journal_module, "SNAPSHOT_FORMAT", journal_module.SNAPSHOT_FORMAT + 1)
    with pytest.raises(JournalDamaged, match="no snapshot reaches back"):
        journal.recover(fresh(setup()), evolve)
    journal.close()


def test_a_value_no_program_wrote_is_damage_said_in_words(tmp_path: Path) -> None:
    """Found by the images of a journal that did not wait for the disk: a snapshot without a hash raised TypeError."""
    path = tmp_path / "journal.db"
    journal = Journal(path, SITE)
    journal.begin()
    journal.append(stored(7, "1"), NOW)
    journal.snapshot(journal.recover(fresh(setup()), evolve))
    journal.close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA ignore_check_constraints = ON")
    db.execute("PRAGMA writable_schema = ON")
    db.execute(
        "UPDATE sqlite_schema SET sql = replace(replace(sql, 'STRICT', ''), 'NOT NULL', '') WHERE name = 'snapshots'"
    )
    db.commit()
    db.close()
    db = sqlite3.connect(path)
    db.execute("UPDATE snapshots SET hash = NULL")
    db.commit()
    db.close()
    with pytest.raises(JournalDamaged, match="never written"):
        Journal(path, SITE)


def test_a_ballast_cut_short_is_laid_in_again(tmp_path: Path) -> None:
    """Found by the images of `ballast`: its empty file counted as room kept aside, and would have freed nothing (D-03)."""
    (tmp_path / "ballast").touch()
    journal = Journal(tmp_path / "journal.db", SITE)
    before = journal.on_ballast
    journal.begin()
    assert (before, journal.on_ballast) == (True, False)
    assert (tmp_path / "ballast").stat().st_size == journal_module.BALLAST_BYTES
    journal.close()
