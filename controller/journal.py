"""The journal: the durable truth of a site, its outbox and its memory across restarts, in one SQLite file.

Owns the file: facts with their hash chain, snapshots, the acknowledged mark, the count of starts, retention. Refuses to know
what a fact means and who reads it at the hub. One writer, the owner thread; the uplink reads through a connection of its own.

One `append` is one transaction in WAL mode with `synchronous=FULL`: one fsync, after which the facts survive a power cut
(I-10, I-14). Checkpoints, snapshots and pruning never happen there but in `tend`, when nobody waits for a door.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from controller.core.model import Durable, Now
from wire.chain import FactRecord, genesis, link
from wire.facts import AnyFact, UnknownFact, decode_fact, encode_fact
from wire.ids import Trust
from wire.messages import BATCH_FACTS_MAX

LOG: Final = logging.getLogger(__name__)

FORMAT: Final = 1
"""Layout of the tables below. A journal of a newer layout is not opened."""

SNAPSHOT_FORMAT: Final = 1
"""Raise it when `Durable` changes in a way that old snapshots must not be read; the journal is then folded again."""

SNAPSHOT_FACTS: Final = 1_000
"""Facts after which a snapshot is due: two busy days, and a tail that folds in well under a second on the smallest Pi."""

SNAPSHOTS_KEPT: Final = 2
"""The last one, and one more in case the last cannot be read."""

CHECKPOINT_APPENDS: Final = 100
"""Appends after which a quiet moment is used to move the WAL into the database."""

APPENDS_MAX: Final = 2_000
"""Appends after which housekeeping no longer waits for a quiet moment; bounds the WAL to about 16 MiB."""

WAL_BYTES: Final = 512 * 1024
"""Size the WAL is grown to at start. Overwriting is quicker than growing, and needs no free block on a full disk."""

SHM_BYTES: Final = 32 * 1024
"""What SQLite's index of the WAL takes on the disk; without it not even reading begins."""

BALLAST_BYTES: Final = 4 * 1024 * 1024
"""Kept aside and given up when the disk is full: room for about a thousand more openings (D-03)."""

BALLAST_ROOM_BYTES: Final = 4 * BALLAST_BYTES
"""Free space at which the ballast is laid in again."""

RETENTION_MS: Final = 90 * 24 * 3600 * 1000
"""Acknowledged facts younger than this are kept, so that a restored hub can ask for them again (I-16)."""

PRUNE_FACTS: Final = 500
"""Facts looked at, or deleted, in one step of housekeeping."""

NEWEST_FACTS: Final = 5_000
"""How far back facts of one kind are looked for: a few days of the busiest site, milliseconds on the smallest machine."""

BATCH_BYTES_MAX: Final = 256 * 1024
"""Bodies in one batch; a single larger fact still travels alone."""

CACHE_KIB: Final = 512
"""Pages kept in memory by a connection: appends touch a handful, and the Pi has little to spare."""

BUSY_MS: Final = 5_000
"""Longest wait for the lock. Only the uplink's short reads and a checkpoint can hold it."""

_TABLES: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE facts (
    seq INTEGER PRIMARY KEY, boot INTEGER NOT NULL, at_ms INTEGER NOT NULL, trust TEXT NOT NULL,
    body BLOB NOT NULL, hash BLOB NOT NULL
) STRICT;
CREATE TABLE snapshots (
    seq INTEGER PRIMARY KEY, format INTEGER NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL, digest BLOB NOT NULL
) STRICT;
CREATE TABLE filler (bytes BLOB) STRICT;
"""
_INSERT: Final = "INSERT INTO facts (seq, boot, at_ms, trust, body, hash) VALUES (?, ?, ?, ?, ?, ?)"
_SET: Final = "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
_TRUSTED: Final = (Trust.HUB, Trust.NTP)

_WHAT_NOW: Final = (
    "Do not delete it: copy the whole folder away for the administrator, and start again with an empty folder. "
    "The hub then asks an administrator to adopt the new journal; what is behind the doors must be checked by hand."
)


class JournalError(Exception):
    """The journal cannot be used; the text says what happened and what to do."""


class JournalDamaged(JournalError):
    """The file was edited, belongs to another site, or is not what was written."""


class JournalFull(JournalError):
    """No space is left, not even the ballast."""


class JournalUnwritable(JournalError):
    """The disk refused a write for another reason than space."""


@dataclass(frozen=True, slots=True)
class Start:
    """What `begin` found: the number of this start, and whether the previous run said goodbye."""

    boot: int
    clean: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """Contiguous facts with the chain's hashes (hex) before and after them."""

    previous: str
    head: str
    facts: tuple[FactRecord, ...]


@dataclass(frozen=True, slots=True)
class _Mark:
    """A place in the chain."""

    seq: int
    hash: str


class Journal:
    """The owner thread's end. Raises JournalError from every method that touches the disk."""

    def __init__(self, path: Path, site: str) -> None:
        """Open or create, and verify the tail. Nothing is written to an existing journal before `begin`."""
        self.path = path
        self._site = site
        self._ballast = path.with_name("ballast")
        self._with_ballast(self._open)
        self._acked = min(self._int("acked"), self._last.seq)
        self._acked_written = self._acked
        self._boot = self._int("boot")
        self._appends = 0
        self._snapshot_seq = self._tail_from.seq
        self._prune_looked = 0
        self._prune_to = 0
        self._closed = False

    def _open(self) -> None:
        self._db = _connect(self.path)
        try:
            with _no_nonsense(self.path):
                self._read()
        except BaseException:
            self._db.close()
            raise

    def _read(self) -> None:
        self._meta = _read_meta(self._db) or _create(self._db, self._site)
        self.journal_id = str(self._meta["journal"])
        self._check_identity()
        self._first = self._first_mark()
        self._tail_from = self._snapshot_mark()
        self._last = self._verify(self._tail_from)

    # -------------------------------------------------------------------------------------------------- what it knows

    @property
    def last_seq(self) -> int:
        """The newest fact; 0 before the first."""
        return self._last.seq

    @property
    def last_hash(self) -> str:
        """The chain's hash after the newest fact, in hex."""
        return self._last.hash

    def hash_at(self, seq: int) -> str:
        """The chain's hash after fact `seq`, in hex; "" when that fact is not kept."""
        if seq == self._last.seq:
            return self._last.hash
        return _hash_at(self._db, self._first, seq) or ""

    @property
    def acked(self) -> int:
        """The highest fact the hub has committed, as far as this site knows."""
        return self._acked

    @property
    def boot(self) -> int:
        """The number of this start, from `begin` on."""
        return self._boot

    @property
    def floor_ms(self) -> int:
        """The newest stamp: no untrusted clock may be earlier."""
        with _kind_words(self.path):
            row = self._db.execute("SELECT at_ms FROM facts ORDER BY seq DESC LIMIT 1").fetchone()
        return max(int(row[0]) if row else 0, self._int("floor"))

    @property
    def on_ballast(self) -> bool:
        """Whether the disk was full and the ballast has been given up."""
        return not self._has_ballast()

    # ------------------------------------------------------------------------------------------------- start and stop

    def begin(self) -> Start:
        """Count this start, durably, and make room for the day."""
        clean = bool(self._int("clean"))
        self._with_ballast(lambda: self._write(lambda: self._set_all({"boot": self._boot + 1, "clean": 0})))
        self._boot += 1
        self._unless_full("the log of the day is not made ready", self._grow_wal)
        self._lay_ballast()
        return Start(self._boot, clean or self._boot == 1)

    def close(self, *, durable: Durable | None = None, now: Now | None = None) -> None:
        """Say goodbye: the mark, the time, a snapshot when given, and a database without WAL. Closing again is harmless."""
        if self._closed:
            return
        self._closed = True
        if durable is not None and now is not None:
            self._unless_full("no goodbye is written", lambda: self._say_goodbye(durable, now))
        with _kind_words(self.path):
            self._db.close()

    def _say_goodbye(self, durable: Durable, now: Now) -> None:
        self._write(lambda: self._store_snapshot(durable))
        self._write(lambda: self._set_all({"acked": self._acked, "clean": 1, "floor": now.wall_ms}))

    # --------------------------------------------------------------------------------------------------- the hot path

    def append(self, facts: tuple[AnyFact, ...], now: Now) -> None:
        """All facts in one durable transaction, or an exception and none of them."""
        if not facts:
            return
        rows, last = self._rows(facts, now)
        try:
            with _kind_words(self.path):
                self._append_rows(rows)
        except JournalFull:
            self._drop_ballast()
            with _kind_words(self.path):
                self._append_rows(rows)
        self._last = last
        self._acked_written = self._acked
        self._appends += 1

    def set_acked(self, seq: int, *, rewind: bool) -> None:
        """Move the acknowledged mark: up, or with `rewind` to exactly `seq`. Written with the next append or at close."""
        seq = min(seq, self._last.seq)
        self._acked = seq if rewind else max(self._acked, seq)

    def _rows(self, facts: tuple[AnyFact, ...], now: Now) -> tuple[list[tuple[object, ...]], _Mark]:
        rows: list[tuple[object, ...]] = []
        last = self._last
        for fact in facts:
            body = encode_fact(fact)
            record = FactRecord(
                seq=last.seq + 1, boot=self._boot, at_ms=now.wall_ms, trust=now.trust, body=msgspec.Raw(body)
            )
            last = _Mark(record.seq, link(last.hash, record))
            rows.append((record.seq, record.boot, record.at_ms, record.trust.value, body, bytes.fromhex(last.hash)))
        return rows, last

    def _append_rows(self, rows: list[tuple[object, ...]]) -> None:
        if len(rows) == 1 and self._acked == self._acked_written:
            self._db.execute(_INSERT, rows[0])  # its own transaction: the shortest way to the disk
            return
        self._write(lambda: self._insert_all(rows))

    def _insert_all(self, rows: list[tuple[object, ...]]) -> None:
        self._db.executemany(_INSERT, rows)
        if self._acked != self._acked_written:
            self._db.execute(_SET, ("acked", self._acked))

    def _write(self, body: Callable[[], None]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            body()
            self._db.execute("COMMIT")
        except sqlite3.Error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    # ------------------------------------------------------------------------------------------------------- recovery

    def recover(self, start: Durable, fold: Callable[[Durable, AnyFact, Now], Durable]) -> Durable:
        """The site's memory: the newest snapshot that fits, or `start`, with the facts after it folded in.

        A kind this version does not know is left out of the fold and kept in the journal (I-19).
        """
        with _kind_words(self.path):
            with _no_nonsense(self.path):
                seq, durable = self._newest_snapshot() or (0, start)
            if seq < self._first.seq:
                raise JournalDamaged(f"{self.path}: no snapshot reaches back to the oldest fact kept. {_WHAT_NOW}")
            return self._fold(seq, durable, fold)

    def refold(self, start: Durable, fold: Callable[[Durable, AnyFact, Now], Durable]) -> Durable | None:
        """The memory folded from the very first fact, or None when the first facts are pruned."""
        if self._first.seq:
            return None
        with _kind_words(self.path):
            return self._fold(0, start, fold)

    def verify(self) -> int:
        """Check the whole chain; the number of facts checked. Raises JournalDamaged."""
        with _kind_words(self.path), _no_nonsense(self.path):
            self._verify(self._first)
            (answer,) = self._db.execute("PRAGMA integrity_check(1)").fetchone()
        if answer != "ok":
            raise JournalDamaged(f"{self.path}: SQLite finds the file damaged ({answer}). {_WHAT_NOW}")
        return self._last.seq - self._first.seq

    def count_kind(self, kind: str) -> int:
        """How many facts of a kind are kept; for benches and checks, never on the way to a door."""
        with _kind_words(self.path):
            row = self._db.execute(
                "SELECT count(*) FROM facts WHERE json_extract(CAST(body AS TEXT), '$.kind') = ?", (kind,)
            ).fetchone()
        return int(row[0])

    def newest(self, kind: str, count: int) -> tuple[tuple[FactRecord, str], ...]:
        """The last `count` facts of a kind among the newest NEWEST_FACTS, oldest first, each with the chain's hash after it."""
        start = f'{{"kind":"{kind}"'.encode()
        with _kind_words(self.path), _no_nonsense(self.path):
            rows = self._db.execute(
                "SELECT seq, boot, at_ms, trust, body, hash FROM facts WHERE seq > ? AND substr(body, 1, ?) = ? "
                "ORDER BY seq DESC LIMIT ?",
                (self._last.seq - NEWEST_FACTS, len(start), start, count),
            ).fetchall()
            return tuple((_record(row), bytes(row[5]).hex()) for row in reversed(rows))

    def _fold(self, seq: int, durable: Durable, fold: Callable[[Durable, AnyFact, Now], Durable]) -> Durable:
        for record in _records(self._db, seq):
            try:
                fact = decode_fact(record.body)
            except UnknownFact as unknown:
                LOG.warning(
                    "fact %s is of a kind this version does not know; kept, not applied: %s", record.seq, unknown
                )
                continue
            stamp = Now(mono=0, wall_ms=record.at_ms, trust=record.trust, boot=record.boot)
            durable = fold(durable, fact, stamp)
        return durable

    def _check_identity(self) -> None:
        if self._int("format") > FORMAT:
            raise JournalError(
                f"{self.path}: written by a newer version of this program (layout {self._int('format')}, this one reads "
                f"{FORMAT}). Install that version again; nothing was changed."
            )
        if self._meta.get("site") != self._site:
            raise JournalDamaged(
                f"{self.path}: this is the journal of site {self._meta.get('site')!r}, the settings say {self._site!r}. "
                "Correct [site] id, or give this site a folder of its own in [store] state_dir."
            )

    def _first_mark(self) -> _Mark:
        seq, pruned = self._int("pruned_seq"), str(self._meta.get("pruned_hash", ""))
        return _Mark(seq, pruned) if seq else _Mark(0, genesis(self._site, self.journal_id))

    def _snapshot_mark(self) -> _Mark:
        row = self._db.execute("SELECT seq, hash FROM snapshots ORDER BY seq DESC LIMIT 1").fetchone()
        if row is None:
            return self._first
        seq, recorded = int(row[0]), bytes(row[1]).hex()
        if _hash_at(self._db, self._first, seq) != recorded:
            raise JournalDamaged(f"{self.path}: fact {seq} is not the one the snapshot was made after. {_WHAT_NOW}")
        return _Mark(seq, recorded)

    def _verify(self, start: _Mark) -> _Mark:
        """Follow the chain from `start` to the end."""
        last = start
        for row in self._db.execute(
            "SELECT seq, boot, at_ms, trust, body, hash FROM facts WHERE seq > ? ORDER BY seq", (start.seq,)
        ):
            try:
                record = _record(row)
            except ValueError as error:
                raise JournalDamaged(
                    f"{self.path}: fact {row[0]} was changed after it was written. {_WHAT_NOW}"
                ) from error
            if record.seq != last.seq + 1:
                raise JournalDamaged(f"{self.path}: fact {last.seq + 1} is missing. {_WHAT_NOW}")
            last = _Mark(record.seq, link(last.hash, record))
            if last.hash != bytes(row[5]).hex():
                raise JournalDamaged(f"{self.path}: fact {record.seq} was changed after it was written. {_WHAT_NOW}")
        return last

    def _int(self, name: str) -> int:
        value = self._meta.get(name, 0)
        assert isinstance(value, int)
        return value

    def _set_all(self, values: dict[str, int | str]) -> None:
        self._db.executemany(_SET, list(values.items()))
        self._meta.update(values)

    # -------------------------------------------------------------------------------------------------- housekeeping

    def must_tend(self) -> bool:
        """Whether housekeeping can no longer wait for a quiet moment."""
        return self._appends >= APPENDS_MAX

    def tend(self, durable: Durable, now: Now) -> None:
        """One bounded piece of housekeeping, the most urgent first. For quiet moments.

        On a full disk it is put off: no door waits for it, and the ballast is for those that somebody waits for.
        """
        self._unless_full("housekeeping is put off", lambda: self._tend(durable, now))

    def _tend(self, durable: Durable, now: Now) -> None:
        if self._last.seq - self._snapshot_seq >= SNAPSHOT_FACTS:
            self.snapshot(durable)
        elif self._appends >= CHECKPOINT_APPENDS:
            self._checkpoint()
        elif not self._has_ballast():
            self._lay_ballast()
        else:
            self._prune(now)

    def snapshot(self, durable: Durable) -> None:
        """Keep the fold so far, so that the next start replays only the tail."""
        with _kind_words(self.path):
            self._write(lambda: self._store_snapshot(durable))

    def _store_snapshot(self, durable: Durable) -> None:
        if self._last.seq == self._first.seq:
            return
        body = msgspec.json.encode(durable)
        digest = _digest(SNAPSHOT_FORMAT, self._last, body)
        row = (self._last.seq, SNAPSHOT_FORMAT, bytes.fromhex(self._last.hash), body, digest)
        self._db.execute("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?)", row)
        self._db.execute(
            "DELETE FROM snapshots WHERE seq NOT IN (SELECT seq FROM snapshots ORDER BY seq DESC LIMIT ?)",
            (SNAPSHOTS_KEPT,),
        )
        self._snapshot_seq = self._last.seq
        self._appends += 1

    def _newest_snapshot(self) -> tuple[int, Durable] | None:
        for seq, layout, hashed, body, digest in self._db.execute(
            "SELECT seq, format, hash, body, digest FROM snapshots ORDER BY seq DESC"
        ):
            if digest != _digest(layout, _Mark(seq, bytes(hashed).hex()), body):
                raise JournalDamaged(f"{self.path}: the snapshot after fact {seq} was changed. {_WHAT_NOW}")
            if layout != SNAPSHOT_FORMAT:
                continue
            try:
                return seq, msgspec.json.decode(body, type=Durable)
            except (msgspec.DecodeError, msgspec.ValidationError) as error:
                LOG.warning("the snapshot after fact %s is of another version, an older one is used: %s", seq, error)
        return None

    def _checkpoint(self) -> None:
        self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        self._appends = 0

    def _grow_wal(self) -> None:
        self._write(lambda: self._fill(WAL_BYTES))
        self._write(lambda: self._fill(0))
        self._checkpoint()

    def _fill(self, size: int) -> None:
        self._db.execute("DELETE FROM filler")
        if size:
            self._db.execute("INSERT INTO filler VALUES (zeroblob(?))", (size,))

    def _prune(self, now: Now) -> None:
        """Forget acknowledged facts older than the retention, judged by a trusted clock and trusted stamps only (I-6, I-16).

        Facts are in the order of time: whatever stands before a fact that is surely old is old as well.
        """
        if now.trust not in _TRUSTED:
            return
        newest = min(self._acked_written, self._oldest_snapshot())
        self._look_for_old(now.wall_ms - RETENTION_MS, newest)
        last = min(self._prune_to, self._first.seq + PRUNE_FACTS, newest)
        if last > self._first.seq:
            mark = _Mark(last, _hash_at(self._db, self._first, last) or "")
            self._write(lambda: self._delete_to(mark))
            self._first = mark

    def _look_for_old(self, before_ms: int, newest: int) -> None:
        start = max(self._prune_looked, self._first.seq)
        until = min(start + PRUNE_FACTS, newest)
        if self._prune_to > self._first.seq or until <= start:
            return
        row = self._db.execute(
            "SELECT max(seq), (SELECT trust IN (?, ?) AND at_ms >= ? FROM facts WHERE seq = ?) FROM facts "
            "WHERE seq > ? AND seq <= ? AND trust IN (?, ?) AND at_ms < ?",
            (*_TRUSTED, before_ms, until, start, until, *_TRUSTED, before_ms),
        ).fetchone()
        self._prune_to = row[0] or 0
        # Past a fact that is surely young nothing is old: look there again next time.
        self._prune_looked = start if row[1] else until

    def _oldest_snapshot(self) -> int:
        """The seq that every snapshot contains; recovery may need all facts after it."""
        row = self._db.execute("SELECT count(*), min(seq) FROM snapshots").fetchone()
        return int(row[1]) if row[0] == SNAPSHOTS_KEPT else 0

    def _delete_to(self, mark: _Mark) -> None:
        self._db.execute("DELETE FROM facts WHERE seq <= ?", (mark.seq,))
        self._set_all({"pruned_seq": mark.seq, "pruned_hash": mark.hash})

    def _lay_ballast(self) -> None:
        folder = os.statvfs(self.path.parent)
        if self._has_ballast() or folder.f_bavail * folder.f_frsize < BALLAST_ROOM_BYTES:
            return
        try:
            with self._ballast.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, BALLAST_BYTES)
        except OSError as error:
            LOG.warning("%s: no ballast could be laid in: %s", self._ballast, error)
            return
        LOG.info("the disk has room again: ballast of %s MiB laid in", BALLAST_BYTES >> 20)

    def _has_ballast(self) -> bool:
        """Whether it is there in full: a power cut while it was laid in leaves a file that holds nothing back."""
        try:
            return self._ballast.stat().st_size >= BALLAST_BYTES
        except FileNotFoundError:
            return False

    def _with_ballast(self, act: Callable[[], None]) -> None:
        """Do what the site cannot be without; on a full disk once more, with the room of the ballast (D-03)."""
        try:
            with _kind_words(self.path):
                act()
        except JournalFull:
            if not self._ballast.exists():
                raise
            self._drop_ballast()
            with _kind_words(self.path):
                act()

    def _unless_full(self, otherwise: str, act: Callable[[], None]) -> None:
        """Do what the site can be without; on a full disk say what is left out."""
        try:
            with _kind_words(self.path):
                act()
        except JournalFull as full:
            self._appends = 0
            LOG.warning("%s; %s", full, otherwise)

    def _drop_ballast(self) -> None:
        LOG.error(
            "the disk is full: the ballast is given up. Free space in %s before the next %s MiB are used up",
            self.path.parent,
            BALLAST_BYTES >> 20,
        )
        self._ballast.unlink(missing_ok=True)


class JournalReader:
    """The uplink's end: reads what is durable, through a connection of its own. One thread only."""

    def __init__(self, path: Path, site: str) -> None:
        self._path = path
        with _kind_words(path):
            self._db = _connect(path)
            self._db.execute("PRAGMA query_only = ON")
            self._genesis = genesis(site, str((_read_meta(self._db) or {})["journal"]))

    def batch(self, after: int) -> Batch | None:
        """The facts following `after`, at most BATCH_FACTS_MAX and BATCH_BYTES_MAX; None when there are none.

        Facts already pruned are gone: the batch then starts at the oldest one kept.
        """
        with _kind_words(self._path):
            self._db.execute("BEGIN")
            try:
                return self._read_batch(after)
            finally:
                self._db.execute("COMMIT")

    def head(self) -> tuple[int, str]:
        """The newest durable fact and the chain's hash after it."""
        with _kind_words(self._path):
            row = self._db.execute("SELECT seq, hash FROM facts ORDER BY seq DESC LIMIT 1").fetchone()
            first = self._first_mark()
        return (int(row[0]), bytes(row[1]).hex()) if row else (first.seq, first.hash)

    def _read_batch(self, after: int) -> Batch | None:
        facts: list[FactRecord] = []
        first = self._first_mark()
        start = max(after, first.seq)
        previous = _hash_at(self._db, first, start)
        head, size = previous, 0
        for row in self._db.execute(
            "SELECT seq, boot, at_ms, trust, body, hash FROM facts WHERE seq > ? ORDER BY seq LIMIT ?",
            (start, BATCH_FACTS_MAX),
        ):
            size += len(row[4])
            if facts and size > BATCH_BYTES_MAX:
                break
            facts.append(_record(row))
            head = bytes(row[5]).hex()
        if not facts or previous is None or head is None:
            return None
        return Batch(previous, head, tuple(facts))

    def _first_mark(self) -> _Mark:
        meta = _read_meta(self._db) or {}
        seq = meta.get("pruned_seq", 0)
        assert isinstance(seq, int)
        return _Mark(seq, str(meta["pruned_hash"])) if seq else _Mark(0, self._genesis)

    def close(self) -> None:
        """Close the connection."""
        self._db.close()


# ------------------------------------------------------------------------------------------------------------ the file


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
    try:
        _set_up(path, db)
    except BaseException:
        db.close()
        raise
    return db


def _set_up(path: Path, db: sqlite3.Connection) -> None:
    mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise JournalError(
            f"{path}: this file system cannot hold a journal (WAL refused, {mode!r} given). Use a local disk."
        )
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA wal_autocheckpoint = 0")
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")


def _create(db: sqlite3.Connection, site: str) -> dict[str, int | str]:
    meta: dict[str, int | str] = {
        "format": FORMAT,
        "site": site,
        "journal": secrets.token_hex(16),
        "boot": 0,
        "clean": 1,
    }
    db.executescript(f"BEGIN IMMEDIATE;{_TABLES}")
    db.executemany(_SET, list(meta.items()))
    db.execute("COMMIT")
    return meta


def _read_meta(db: sqlite3.Connection) -> dict[str, int | str] | None:
    """The table of single values, or None in an empty file."""
    if db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0:
        return None
    return dict(db.execute("SELECT name, value FROM meta").fetchall())


def _record(row: tuple[int, int, int, str, bytes, bytes]) -> FactRecord:
    return FactRecord(seq=row[0], boot=row[1], at_ms=row[2], trust=Trust(row[3]), body=msgspec.Raw(row[4]))


def _records(db: sqlite3.Connection, after: int) -> Iterator[FactRecord]:
    rows = db.execute("SELECT seq, boot, at_ms, trust, body, hash FROM facts WHERE seq > ? ORDER BY seq", (after,))
    return (_record(row) for row in rows)


def _hash_at(db: sqlite3.Connection, first: _Mark, seq: int) -> str | None:
    """The chain's hash after fact `seq`, or None when that fact is not kept."""
    if seq == first.seq:
        return first.hash
    row = db.execute("SELECT hash FROM facts WHERE seq = ?", (seq,)).fetchone()
    return bytes(row[0]).hex() if row else None


def _digest(layout: int, mark: _Mark, body: bytes) -> bytes:
    header = f"consigne/1/snapshot\x00{layout}\x00{mark.seq}\x00{mark.hash}\x00".encode()
    return hashlib.sha256(header + body).digest()


class _kind_words:  # noqa: N801 it reads as the `with` it stands in
    """Turn what SQLite says into what happened and what to do now. A class, because it stands on the way to a door."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _where: object) -> None:
        if isinstance(error, sqlite3.Error):
            raise _in_kind_words(self._path, error) from error


@contextmanager
def _no_nonsense(path: Path) -> Iterator[None]:
    """While reading what a card gave back: a value of a type that was never written there is damage."""
    try:
        yield
    except (TypeError, ValueError, OverflowError, AssertionError) as error:
        raise JournalDamaged(f"{path}: the file holds what was never written there ({error}). {_WHAT_NOW}") from error


def _has_no_room(path: Path) -> bool:
    """Whether that is why a file could not grow: of its shared memory SQLite says only that the disk refused."""
    try:
        folder = os.statvfs(path.parent)
    except OSError:
        return False
    return folder.f_bavail * folder.f_frsize < SHM_BYTES


def _in_kind_words(path: Path, error: sqlite3.Error) -> JournalError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _has_no_room(path)):
        return JournalFull(f"{path}: the disk is full and nothing more can be recorded. Free some space.")
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return JournalDamaged(f"{path}: the file is damaged ({error}). {_WHAT_NOW}")
    return JournalUnwritable(
        f"{path}: the disk refused ({error}). Check that the card is not worn out or read-only, and who owns the folder."
    )
