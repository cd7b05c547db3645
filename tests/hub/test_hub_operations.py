"""Copies of the hub's database, putting one back under real sites, and proof that a database agrees with itself."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub.operations.commands import running
from hub.operations.verifying import verify
from hub.store.copies import CopyFailed, back_up, put_back
from tests.hub.hub_bench import Bench
from tests.hub.hub_process import HubProcess
from tests.hub.hub_site import Journal, Site, life, life_of, until
from wire import facts
from wire.ids import Label, ParcelId


def spoken(bench: Bench) -> Journal:
    journal = Journal("gambetta")
    journal.write(*life(bench.announce(site="gambetta", name="Awa"), source="plan"))
    journal.write(*life_of(2, label="8", ends=False), *life_of(3, label="9"), b'{"kind":"from_the_future"}')
    bench.hear(journal.batch(1, 10))
    bench.hear(journal.batch(11, journal.last))
    return journal


def problems(bench: Bench) -> list[str]:
    return [problem for verdict in verify(bench.store) for problem in verdict.problems]


def test_a_database_that_nobody_touched_agrees_with_itself(bench: Bench) -> None:
    journal = spoken(bench)
    assert [(verdict.site, verdict.facts, verdict.problems) for verdict in verify(bench.store)] == [
        ("gambetta", journal.last, []),
        ("belleville", 0, []),
    ]


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        ("UPDATE fact SET at_ms = at_ms + 1 WHERE seq = 5", "fact 5 is not what its site said"),
        ("DELETE FROM fact WHERE seq = 4", "fact 4 is missing: after it comes 5"),
        ("DELETE FROM fact WHERE seq = (SELECT max(seq) FROM fact)", "the facts end with"),
        ("UPDATE site_cursor SET seq = seq + 1 WHERE site = 1", "the cursor stands at"),
        ("UPDATE compartment SET occupancy = 'free', parcel = NULL WHERE label = '8'", "compartment 8: kept is"),
        ("DELETE FROM compartment WHERE label = '8'", "compartment 8: kept is None"),
        ("UPDATE parcel SET state = 'collected', place_name = '' WHERE place_name = '8'", "the facts say stored 8"),
        ("UPDATE parcel SET place_name = '7' WHERE place_name = '8'", "kept is stored 7, the facts say stored 8"),
    ],
)
def test_whatever_is_edited_behind_the_hubs_back_is_named(bench: Bench, edit: str, found: str) -> None:
    spoken(bench)
    with bench.store.writing() as connection:
        connection.execute(text(edit))
    (told,) = problems(bench)
    assert found in told


def test_both_pasts_of_a_site_that_was_adopted_are_verified(bench: Bench) -> None:
    from hub.store import desk

    spoken(bench)
    with bench.store.writing() as connection:
        desk.adopt_next_journal(connection, 1)
    other = Journal("gambetta", "journal-two")
    other.write(*life_of(7, label="3", ends=False), facts.DoorOpened(compartment=Label("3"), session=""))
    bench.hear(other.batch(1, other.last))
    assert problems(bench) == []
    with bench.store.writing() as connection:
        connection.execute(text("UPDATE fact SET boot = 9 WHERE journal = 1 AND seq = 2"))
    assert problems(bench) == ["past 1, fact 2 is not what its site said: the chain breaks here"]


def test_a_copy_is_whole_private_and_never_written_over_another(tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    spoken(bench)
    url, copy = f"sqlite:///{tmp_path / 'hub.sqlite'}", tmp_path / "copy"
    back_up(url, copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CopyFailed, match="never written over"):
        back_up(url, copy)
    with pytest.raises(CopyFailed, match="No such file"):
        back_up(url, tmp_path / "nowhere" / "copy")
    bench.store.close()
    assert sorted(file.name for file in tmp_path.iterdir() if "part" in file.name) == []
    put_back(url, copy)
    again = sqlite3.connect(tmp_path / "hub.sqlite")
    assert again.execute("SELECT count(*) FROM fact").fetchone() == (24,)
    again.close()


def test_what_is_no_good_copy_replaces_nothing(tmp_path: Path) -> None:
    database = tmp_path / "hub.sqlite"
    bench = Bench(f"sqlite:///{database}")
    spoken(bench)
    bench.store.close()
    url, copy = f"sqlite:///{database}", tmp_path / "copy"
    back_up(url, copy)
    whole = copy.read_bytes()
    (tmp_path / "text").write_text("not a database, but long enough to look like something " * 200)
    sqlite3.connect(tmp_path / "other").executescript("CREATE TABLE a (b)").connection.close()
    (tmp_path / "torn").write_bytes(whole[: len(whole) // 2])
    before = database.read_bytes()
    for name in ("text", "other", "torn", "missing"):
        with pytest.raises(CopyFailed):
            put_back(url, tmp_path / name)
    assert database.read_bytes() == before


def test_no_copy_is_put_back_under_a_running_hub(tmp_path: Path) -> None:
    both = (running(tmp_path), running(tmp_path))
    with both[0], both[1], pytest.raises(CopyFailed, match="stop it first"), running(tmp_path, alone=True):
        pass
    with running(tmp_path, alone=True), pytest.raises(CopyFailed, match="wait for its end"), running(tmp_path):
        pass


def test_a_missing_tool_of_postgresql_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CopyFailed, match="Install postgresql-client"):
        back_up("postgresql+psycopg://hub:secret@127.0.0.1:1/hub", tmp_path / "copy")


# ------------------------------------------------------------------------------------------------- the assembled program


@pytest.fixture
def hub(store_url: str, tmp_path: Path, mosquitto: Any, free_port: int) -> Iterator[HubProcess]:
    process = HubProcess(tmp_path, broker_port=mosquitto.port, web_port=free_port, store_url=store_url)
    process.run("site", "add", "gambetta", "--name", "Gambetta")
    yield process
    process.close()


@pytest.mark.mosquitto
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_copy_put_back_is_a_new_incarnation_and_the_site_sends_what_it_lacks(hub: HubProcess, mosquitto: Any) -> None:
    hub.start()
    parcels = [
        ParcelId(hub.post("/api/v1/parcels", {"site": "gambetta", "tracking": f"8N0023458410{n}"})["id"])
        for n in (1, 2)
    ]
    journal = Journal("gambetta")
    journal.write(*life(parcels[0], source="plan"))
    site = Site(mosquitto.port, journal)
    site.birth()
    site.send_after_ack()
    until(lambda: site.acked == 9, "the first life")
    copy = hub.folder / "copy"
    assert "bytes" in hub.run("backup", str(copy))
    with pytest.raises(subprocess.CalledProcessError) as refused:
        hub.run("restore", str(copy), "--replace")
    assert "stop it first" in refused.value.stderr
    journal.write(*life(parcels[1], label="8", source="plan", ends=False))
    site.send_after_ack()
    until(lambda: site.acked == 14, "what the copy does not know")
    lived = site.incarnation
    hub.stop()
    with pytest.raises(subprocess.CalledProcessError) as refused:
        hub.run("restore", str(copy))
    assert "--replace" in refused.value.stderr
    assert "put back as incarnation" in hub.run("restore", str(copy), "--replace")
    assert hub.ask("SELECT seq FROM site_cursor") == [(9,)]
    hub.start()
    until(lambda: site.incarnation > lived and site.acked == 9, "the word of the new incarnation")
    site.send_after_ack()
    until(lambda: site.acked == 14, "everything again")
    site.close()
    assert hub.ask("SELECT count(*), count(DISTINCT seq), max(seq) FROM fact") == [(14, 14, 14)]
    assert dict(hub.ask("SELECT id, state FROM parcel")) == {parcels[0]: "collected", parcels[1]: "stored"}
    assert "gambetta: 14 facts, everything agrees" in hub.run("verify")
    assert "tables of this version" in hub.run("migrate")
