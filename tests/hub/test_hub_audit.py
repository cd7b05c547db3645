"""The log of who did what: written with the change, and no line of it is lost, changed or added unnoticed (A-13, I-28)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.__main__ import main
from hub.audit.chain import Action, Line, faults, genesis, link
from hub.audit.log import AuditLog, lines_after
from hub.core.parcels import Refused, new_parcel
from hub.keys import KeyRing
from hub.people.commands import EXIT_TAMPERED
from hub.settings import read_settings
from hub.store.engine import Store
from tests.hub.hub_bench import ME, Bench
from tests.hub.hub_process import write_settings


def _lines(bench: Bench) -> list[Line]:
    with bench.store.reading() as connection:
        return list(lines_after(connection, 1, 0, 100))


def _verified(bench: Bench) -> list[tuple[int, str]]:
    with bench.store.reading() as connection:
        findings, _, _ = AuditLog(bench.keys).verify(connection, 1)
    return [(finding.seq, finding.problem) for finding in findings]


def _write(bench: Bench, *statements: str) -> None:
    with bench.store.writing() as connection:
        for statement in statements:
            connection.execute(text(statement))


@pytest.fixture
def told(bench: Bench) -> Bench:
    """Five lines: the beginning, two parcels announced, one recalled, one slip replaced."""
    first, second = (
        bench.announce(site="gambetta", name="Awa Diallo", phone="0612345678"),
        bench.announce(site="gambetta"),
    )
    bench.desk.recall(first, ME)
    bench.desk.reissue(second, ME)
    return bench


def test_a_13_a_change_and_its_line_are_written_together_or_not_at_all(told: Bench) -> None:
    lines = _lines(told)
    assert [(line.seq, line.action, line.actor) for line in lines] == [
        (1, "audit_begun", "hub"), (2, "parcel_announced", "me"), (3, "parcel_announced", "me"),
        (4, "parcel_recalled", "me"), (5, "slip_reissued", "me"),
    ]  # fmt: skip
    assert {(line.site, line.role, line.at_ms) for line in lines[1:]} == {("gambetta", "network_admin", told.now_ms)}
    with pytest.raises(Refused):
        told.desk.recall("0000000000000", ME)
    told.desk._audit.note = _fails  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        told.desk.announce(new_parcel(site="gambetta", tracking="8N00234584108"), ME)
    assert told.ask("SELECT count(*) FROM parcel") == [(2,)]
    assert len(_lines(told)) == 5
    assert _verified(told) == []


def _fails(*_all: object, **_more: object) -> None:
    raise ZeroDivisionError


def test_a_13_no_name_and_no_number_of_a_recipient_is_in_the_log(told: Bench) -> None:
    assert not [word for word in ("Awa", "Diallo", "0612345678") if word in str(_lines(told))]


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("DELETE FROM audit WHERE seq = 3", 4),
        ("DELETE FROM audit WHERE seq = 1", 2),
        ("DELETE FROM audit WHERE seq = 5", 4),
        ("DELETE FROM audit WHERE seq > 2", 2),
        ("UPDATE audit SET actor = 'other' WHERE seq = 3", 3),
        ("UPDATE audit SET reason = 'because' WHERE seq = 5", 5),
        ("UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 2", 2),
        ("UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = 2) WHERE seq = 4", 4),
        ("UPDATE audit SET seq = 9 WHERE seq = 4", 5),
        ("INSERT INTO audit SELECT tenant, 6, at_ms, actor, role, action, kind, subject, site, reason, hash FROM audit WHERE seq = 5", 6),
        ("DELETE FROM audit_head", 5),
        ("UPDATE audit_head SET seq = 4, hash = (SELECT hash FROM audit WHERE seq = 4)", 5),
    ],
)  # fmt: skip
def test_a_13_a_deleted_changed_or_inserted_line_is_found(told: Bench, statement: str, where: int) -> None:
    _write(told, statement)
    assert where in [seq for seq, _ in _verified(told)]


def test_a_13_whoever_writes_the_chain_anew_lacks_the_seal_and_the_next_line_says_so(told: Bench) -> None:
    """Cut off the end, and put the head where the chain ends now: only the master secret could seal it."""
    cut = "UPDATE audit_head SET seq = 3, hash = (SELECT hash FROM audit WHERE seq = 3)"
    _write(told, "DELETE FROM audit WHERE seq > 3", cut)
    assert _verified(told) == [(3, "the seal of the log's end is not this hub's")]
    told.announce(site="gambetta")
    assert [line.action for line in _lines(told)][3:] == [Action.AUDIT_HEAD_LOST, Action.PARCEL_ANNOUNCED]
    assert [seq for seq, _ in _verified(told)] == [4]


def test_a_13_a_head_taken_away_with_the_last_lines_is_told_by_the_next_one(told: Bench) -> None:
    _write(told, "DELETE FROM audit WHERE seq > 3", "DELETE FROM audit_head")
    told.announce(site="gambetta")
    assert [line.action for line in _lines(told)][3] == Action.AUDIT_HEAD_LOST
    assert [seq for seq, _ in _verified(told)] == [4]


def test_a_13_an_export_is_checked_without_the_hub(told: Bench) -> None:
    exported = _lines(told)
    assert list(faults(1, exported)) == []
    assert link(genesis(1), exported[0]) == exported[0].hash
    assert [found.seq for found in faults(1, exported[1:])] == [2]
    assert next(found.seq for found in faults(2, exported)) == 1


def _hub_with_lines(tmp_path: Path) -> tuple[Path, Callable[..., int], Store]:
    file = write_settings(tmp_path)

    def run(*arguments: str) -> int:
        return main(["--config", str(file), *arguments])

    assert run("site", "add", "gambetta", "--name", "Gambetta") == 0
    assert run("token", "add", "robot", "--scope", "see_sites", "--scope", "see_parcels") == 0
    assert run("site", "set", "gambetta", "dispute_ms=600000") == 0
    return file, run, Store(read_settings(file).store_url)


def test_a_13_the_command_line_is_in_the_log_verifies_and_exports_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, run, store = _hub_with_lines(tmp_path)
    capsys.readouterr()
    assert run("audit", "export") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["actor"], row["action"]) for row in rows][1:] == [
        ("console", "site_created"), ("console", "token_added"), ("console", "site_changed"),
    ]  # fmt: skip
    assert rows[2]["reason"] == "see_parcels see_sites"
    assert run("audit", "export", "--format", "json") == 0
    lines = [
        Line(**{**json.loads(line), "hash": bytes.fromhex(json.loads(line)["hash"])})
        for line in capsys.readouterr().out.splitlines()
    ]
    assert list(faults(1, lines)) == []
    assert run("audit", "verify") == 0
    noted = capsys.readouterr().out.split()[-1]
    assert run("audit", "verify", "--expect", noted) == 0
    with store.writing() as connection:
        connection.execute(text("DELETE FROM audit"))
        connection.execute(text("DELETE FROM audit_head"))
    store.close()
    assert run("site", "set", "gambetta", "dispute_ms=700000") == 0
    assert run("audit", "verify") == 0, "a log that was emptied as a whole looks like a new one"
    assert run("audit", "verify", "--expect", noted) == EXIT_TAMPERED, "unless an end of it was written down"


def test_a_13_verify_says_which_line_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, run, store = _hub_with_lines(tmp_path)
    with store.writing() as connection:
        connection.execute(text("DELETE FROM audit WHERE seq = 3"))
    store.close()
    capsys.readouterr()
    assert run("audit", "verify") == EXIT_TAMPERED
    assert capsys.readouterr().out == "line 4: line 3 is missing before this one\n"


def test_another_hubs_seal_is_none(told: Bench) -> None:
    with told.store.reading() as connection:
        findings, _, _ = AuditLog(KeyRing(bytes([1]) * 32)).verify(connection, 1)
    assert [finding.problem for finding in findings] == ["the seal of the log's end is not this hub's"]
