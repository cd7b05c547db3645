"""The journal: durable, chained, prunable only by a trusted clock, and plain about what is wrong with it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from controller import journal as module
from controller.core.evolve import evolve, rebase
from controller.core.model import Durable, Now, fresh
from controller.journal import Journal, JournalDamaged, JournalError, JournalFull, JournalReader
from tests.controller.controller_site import NOON_MS, NOW, ROOT, SITE, attempt, setup, stored
from wire.chain import fold, genesis
from wire.facts import DoorOpened
from wire.ids import Label, Trust
from wire.messages import BATCH_FACTS_MAX

DAY_MS = 24 * 3600 * 1000


def opened(path: Path) -> Journal:
    journal = Journal(path, SITE)
    journal.begin()
    return journal


def edit(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as db:
        db.execute(statement)
    db.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def test_facts_are_numbered_from_one_and_chained_from_the_genesis(path: Path):
    journal = opened(path)
    journal.append((attempt(1), attempt(2)), NOW)
    journal.append((attempt(3),), NOW)
    reader = JournalReader(path, SITE)
    batch = reader.batch(0)
    assert batch is not None
    assert [record.seq for record in batch.facts] == [1, 2, 3]
    assert batch.previous == genesis(SITE, journal.journal_id)
    assert batch.head == fold(batch.previous, batch.facts) == journal.last_hash
    assert reader.head() == (3, journal.last_hash)
    reader.close()
    journal.close()


def test_a_batch_is_bounded_in_facts_and_bytes_but_a_large_fact_still_travels(path: Path, monkeypatch):
    journal = opened(path)
    journal.append(tuple(attempt(n) for n in range(BATCH_FACTS_MAX + 5)), NOW)
    reader = JournalReader(path, SITE)
    first = reader.batch(0)
    assert first is not None
    assert len(first.facts) == BATCH_FACTS_MAX
    rest = reader.batch(BATCH_FACTS_MAX)
    assert rest is not None
    assert (rest.previous, len(rest.facts)) == (first.head, 5)
    monkeypatch.setattr(module, "BATCH_BYTES_MAX", 10)
    single = reader.batch(0)
    assert single is not None
    assert len(single.facts) == 1
    assert reader.batch(BATCH_FACTS_MAX + 5) is None
    reader.close()
    journal.close()


def test_a_restart_remembers_what_happened_and_whether_the_last_run_said_goodbye(path: Path):
    journal = opened(path)
    journal.append(stored(7, "1"), NOW)
    journal.set_acked(2, rewind=False)
    before = journal.recover(fresh(setup()), evolve)
    journal.close(durable=before, now=NOW)
    again = Journal(path, SITE)
    start = again.begin()
    assert (start.boot, start.clean, again.last_seq, again.acked) == (2, True, 4, 2)
    assert rebase(again.recover(fresh(setup()), evolve), NOW) == rebase(before, NOW)
    again.close()
    third = Journal(path, SITE)
    assert third.begin().clean is False
    third.close()


def test_the_mark_moves_up_or_exactly_there_with_a_rewind_and_never_past_the_end(path: Path):
    journal = opened(path)
    journal.append((attempt(1), attempt(2), attempt(3)), NOW)
    journal.set_acked(2, rewind=False)
    journal.set_acked(1, rewind=False)
    assert journal.acked == 2
    journal.set_acked(1, rewind=True)
    assert journal.acked == 1
    journal.set_acked(99, rewind=False)
    assert journal.acked == 3
    journal.append((attempt(4),), NOW)
    journal.close()
    assert Journal(path, SITE).acked == 3


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE facts SET body = CAST(replace(CAST(body AS TEXT), '3', '4') AS BLOB) WHERE seq = 3",
        "UPDATE facts SET at_ms = at_ms + 1 WHERE seq = 3",
        "UPDATE facts SET boot = 9 WHERE seq = 3",
        "UPDATE facts SET trust = 'ntp' WHERE seq = 3",
        "UPDATE facts SET trust = 'yes' WHERE seq = 3",
        "UPDATE facts SET hash = zeroblob(32) WHERE seq = 3",
        "DELETE FROM facts WHERE seq = 3",
        "UPDATE facts SET seq = 50 WHERE seq = 5",
    ],
)
def test_an_edited_journal_is_refused_with_what_to_do(path: Path, statement: str):
    journal = opened(path)
    journal.append(tuple(attempt(n) for n in range(1, 6)), NOW)
    journal.close()
    edit(path, statement)
    with pytest.raises(JournalDamaged, match=r"copy the whole folder away"):
        Journal(path, SITE)


def test_an_edit_before_the_snapshot_is_found_by_verify(path: Path):
    journal = opened(path)
    journal.append(tuple(attempt(n) for n in range(1, 6)), NOW)
    journal.close(durable=fresh(setup()), now=NOW)
    edit(path, "UPDATE facts SET at_ms = 0 WHERE seq = 2")
    journal = Journal(path, SITE)
    with pytest.raises(JournalDamaged, match="fact 2 was changed"):
        journal.verify()
    journal.close()


def test_a_changed_snapshot_is_refused(path: Path):
    journal = opened(path)
    journal.append((attempt(1),), NOW)
    journal.close(durable=fresh(setup()), now=NOW)
    edit(path, "UPDATE snapshots SET body = CAST(replace(CAST(body AS TEXT), '8000', '9000') AS BLOB)")
    journal = Journal(path, SITE)
    with pytest.raises(JournalDamaged, match="the snapshot after fact 1 was changed"):
        journal.recover(fresh(setup()), evolve)
    journal.close()


def test_the_journal_of_another_site_and_of_a_newer_version_are_refused(path: Path):
    opened(path).close()
    with pytest.raises(JournalDamaged, match="journal of site"):
        Journal(path, "elsewhere")
    edit(path, "UPDATE meta SET value = 99 WHERE name = 'format'")
    with pytest.raises(JournalError, match="newer version"):
        Journal(path, SITE)


def test_a_file_that_is_no_journal_is_refused(path: Path):
    path.write_bytes(b"not a database, but long enough to have a header" * 100)
    with pytest.raises(JournalDamaged, match="damaged"):
        Journal(path, SITE)


def test_an_unknown_kind_is_kept_and_left_out_of_the_fold(path: Path, monkeypatch):
    journal = opened(path)
    monkeypatch.setattr(module, "encode_fact", lambda _fact: b'{"kind":"from_the_future","x":1}')
    journal.append((attempt(1),), NOW)
    assert journal.recover(fresh(setup()), evolve) == fresh(setup())
    assert journal.verify() == 1
    journal.close()


def old_facts(path: Path, *, trust: Trust, count: int = 20) -> Journal:
    journal = opened(path)
    old = Now(mono=1, wall_ms=NOON_MS - 100 * DAY_MS, trust=trust, boot=1)
    journal.append(tuple(attempt(n) for n in range(count)), old)
    journal.append((attempt(1),), NOW)
    durable = fresh(setup())
    journal.snapshot(durable)
    journal.append((attempt(2),), NOW)
    journal.snapshot(durable)
    return journal


def tend_often(journal: Journal, durable: Durable, now: Now) -> None:
    for _ in range(10):
        journal.tend(durable, now)


def kept(path: Path) -> list[int]:
    reader = JournalReader(path, SITE)
    batch = reader.batch(0)
    reader.close()
    return [record.seq for record in batch.facts] if batch else []


def test_old_acknowledged_facts_are_forgotten_and_the_chain_still_verifies(path: Path):
    journal = old_facts(path, trust=Trust.HUB)
    journal.set_acked(22, rewind=False)
    journal.append((attempt(3),), NOW)
    tend_often(journal, fresh(setup()), NOW)
    assert kept(path) == [21, 22, 23]
    assert journal.verify() == 3
    journal.close()
    again = Journal(path, SITE)
    assert again.last_seq == 23
    again.recover(fresh(setup()), evolve)
    again.close()


@pytest.mark.parametrize(
    ("stamps", "clock", "acked"),
    [
        (Trust.FLOOR, Trust.NTP, 22),
        (Trust.HUB, Trust.FLOOR, 22),
        (Trust.HUB, Trust.UNSET, 22),
        (Trust.HUB, Trust.NTP, 0),
    ],
)
def test_nothing_is_forgotten_by_an_untrusted_clock_or_before_the_hub_has_it(path, stamps, clock, acked):
    journal = old_facts(path, trust=stamps)
    journal.set_acked(acked, rewind=False)
    journal.append((attempt(3),), NOW)
    late = Now(mono=1, wall_ms=NOON_MS, trust=clock, boot=1)
    tend_often(journal, fresh(setup()), late)
    expected = list(range(1, 24))
    assert kept(path) == expected
    journal.close()


def full(journal: Journal) -> None:
    """Not one page more, nor one that is free inside the file."""
    journal._db.execute("VACUUM")
    pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
    journal._db.execute(f"PRAGMA max_page_count = {pages}")


def test_on_a_full_disk_housekeeping_and_the_goodbye_are_put_off_and_the_ballast_is_kept(
    path: Path, caplog: pytest.LogCaptureFixture
):
    journal = opened(path)
    for number in range(module.SNAPSHOT_FACTS // 4):
        journal.append(stored(number, "1"), NOW)
    durable = journal.recover(fresh(setup()), evolve)
    full(journal)
    journal.tend(durable, NOW)
    journal.close(durable=durable, now=NOW)
    assert "housekeeping is put off" in caplog.text
    assert "no goodbye is written" in caplog.text
    assert path.with_name("ballast").exists()


def test_a_full_disk_gives_up_the_ballast_and_then_says_so(path: Path):
    journal = opened(path)
    assert journal.on_ballast is False
    pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
    journal._db.execute(f"PRAGMA max_page_count = {pages}")
    big = tuple(DoorOpened(compartment=Label("1"), session="x" * 3000) for _ in range(300))
    with pytest.raises(JournalFull, match="the disk is full"):
        journal.append(big, NOW)
    assert not path.with_name("ballast").exists()
    assert journal.last_seq == 0
    journal._db.execute("PRAGMA max_page_count = 1000000")
    journal.append((attempt(1),), NOW)
    assert journal.last_seq == 1
    journal.close()


WRITER = """
import sys
sys.path[:0] = [sys.argv[2]]
from pathlib import Path
from controller.core.model import Now
from controller.journal import Journal
from tests.controller.controller_site import SITE, NOON_MS
from wire.facts import AttemptFailed
from wire.ids import Trust
journal = Journal(Path(sys.argv[1]), SITE)
boot = journal.begin().boot
while True:
    seq = journal.last_seq + 1
    facts = tuple(AttemptFailed(tokens_milli=seq + n) for n in range(1 + seq % 3))
    journal.append(facts, Now(mono=0, wall_ms=NOON_MS, trust=Trust.HUB, boot=boot))
    print(journal.last_seq, journal.last_hash, flush=True)
"""


@pytest.mark.slow
def test_what_was_confirmed_survives_being_killed_at_any_moment(path: Path):
    """kill -9 is no power cut, but it must leave whole transactions and an unbroken chain, twelve times over."""
    confirmed = (0, "")
    for delay in range(12):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(ROOT)], stdout=subprocess.PIPE, text=True, env={**os.environ}
        )
        assert writer.stdout is not None
        for _ in range(3 + delay * 5):
            seq, hashed = writer.stdout.readline().split()
            confirmed = (int(seq), hashed)
        writer.send_signal(signal.SIGKILL)
        for line in writer.stdout:
            if line.endswith("\n"):
                confirmed = (int(line.split()[0]), line.split()[1])
        writer.wait()
        writer.stdout.close()
        journal = Journal(path, SITE)
        assert journal.last_seq >= confirmed[0]
        assert journal.verify() == journal.last_seq
        assert module._hash_at(journal._db, journal._first, confirmed[0]) == confirmed[1]
        journal.close()
