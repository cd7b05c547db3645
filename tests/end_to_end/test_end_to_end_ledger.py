"""The ledger sees what is wrong: a real story is played once, then copies of what it left behind are corrupted."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import Raw

from demo.ledger import LOOKS_MAX, Evidence, Ledger, add_up, at_rest, read_journal
from demo.story import StoryBroke, keep_within, play
from demo.world import World
from firmware.board import load_board
from firmware.sim.coils import examine
from firmware.sim.trace import Line, read_trace, trace_file
from tests.tools.debian import need
from wire.chain import FactRecord
from wire.ids import Trust

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parents[2]
BOARDS = {"gennevilliers": "demo.toml", "colombes": "desk-8.toml"}
SECOND_NS = 1_000_000_000


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ledger]:
    """The folder a story left behind, and the ledger it ended with."""
    need("mosquitto")
    world = World(tmp_path_factory.mktemp("story") / "state", "mosquitto")
    try:
        world.start()
        # How long it may take is another test's matter (test_end_to_end_story); this one may share its processors.
        return world.folder, play(world, budget_s=200)
    finally:
        world.stop()


@pytest.fixture
def left(told: tuple[Path, Ledger], tmp_path: Path) -> Path:
    """A copy of that folder, to be spoilt."""
    return Path(shutil.copytree(told[0], tmp_path / "state", ignore=shutil.ignore_patterns("*.sock", "scanner")))


def books(left: Path, spoil: Callable[[Evidence], Evidence] = lambda one: one) -> Ledger:
    """The ledger of a folder; `spoil` changes what is known of the first site before it is added up."""
    first, *others = [evidence(left, site) for site in BOARDS]
    return add_up([spoil(first), *others])


def test_a_site_that_writes_between_two_looks_is_looked_at_again_and_what_stays_missing_is_told(left: Path) -> None:
    """A campaign of kills read a site's journal just before its clock was corrected, and the hub's facts just after."""
    whole = evidence(left, "colombes")
    early = replace(whole, records=whole.records[:-2])
    looks = iter([early, whole, early])
    assert at_rest(lambda: next(looks)) is whole
    lacking = replace(whole, hub_records=whole.hub_records[:-1])
    looks = iter([lacking] * LOOKS_MAX)
    assert at_rest(lambda: next(looks)) is lacking


def evidence(left: Path, site: str) -> Evidence:
    """As `demo.ledger.gather` does while the programs run; the hub's side from its database."""
    state = left / site / "state"
    records, journal = read_journal(state / "journal.db")
    lines = read_trace(state)
    hub_records, hub_hash = hub_copy(left, site)
    return Evidence(
        site=site,
        journal=journal,
        records=records,
        hub_records=hub_records,
        hub_hash=hub_hash,
        contents=json.loads((state / "world.json").read_text())["contents"],
        lines=lines,
        coils=examine(lines, load_board(ROOT / "hardware" / "boards" / BOARDS[site]), now_ns=end_of(lines)),
    )


def hub_copy(left: Path, site: str) -> tuple[list[FactRecord], str]:
    """Every fact of a site in the hub's file, and the hash the hub holds of them."""
    db = sqlite3.connect(f"file:{left / 'hub' / 'hub.sqlite'}?mode=ro", uri=True)
    try:
        ((number, held),) = db.execute(
            "SELECT site, hash FROM site_cursor JOIN site ON site.number = site_cursor.site WHERE site.id = ?", (site,)
        ).fetchall()
        rows = db.execute(
            "SELECT seq, boot, at_ms, trust, body FROM fact WHERE site = ? ORDER BY seq", (number,)
        ).fetchall()
    finally:
        db.close()
    return [
        FactRecord(seq=seq, boot=boot, at_ms=at_ms, trust=Trust(trust), body=Raw(body))
        for seq, boot, at_ms, trust, body in rows
    ], str(held)


def end_of(lines: list[Line]) -> int:
    return max(line.mono_ns for line in lines) + SECOND_NS


def facts(left: Path, statement: str) -> None:
    db = sqlite3.connect(left / "gennevilliers" / "state" / "journal.db")
    try:
        assert db.execute(statement).rowcount == 1
        db.commit()
    finally:
        db.close()


def world(left: Path, change: Callable[[dict[str, list[str]]], None]) -> None:
    """Change what lies where, behind everybody's back."""
    file = left / "gennevilliers" / "state" / "world.json"
    known = json.loads(file.read_text())
    change(known["contents"])
    file.write_text(json.dumps(known))


def test_what_the_story_left_behind_adds_up_to_what_it_said(told: tuple[Path, Ledger], left: Path) -> None:
    drawn = books(left)
    assert drawn.balances
    assert (drawn.parcels_in, drawn.collected, drawn.inside, drawn.removed) == (6, 4, 1, 1)
    # Stopping writes nothing to a journal that the hub would not have had; the last duration is exact either way.
    assert (drawn.pulses, drawn.longest_pulse_ms) == (told[1].pulses, told[1].longest_pulse_ms)


def test_a_fact_that_is_missing_at_the_site_is_seen(left: Path) -> None:
    facts(
        left,
        "DELETE FROM facts WHERE seq = (SELECT max(seq) FROM facts WHERE CAST(body AS TEXT) LIKE '%parcel_collected%')",
    )
    drawn = books(left)
    assert not drawn.balances
    assert not drawn.chains_equal
    assert drawn.facts_site == drawn.facts_hub - 1
    assert drawn.lost == 1


def test_a_fact_that_was_changed_at_the_site_is_seen(left: Path) -> None:
    facts(left, "UPDATE facts SET at_ms = at_ms + 1 WHERE seq = 20")
    drawn = books(left)
    assert (drawn.balances, drawn.chains_equal, drawn.facts_site) == (False, False, drawn.facts_hub)


def test_a_fact_the_hub_never_got_is_seen(left: Path) -> None:
    drawn = books(left, lambda one: replace(one, hub_records=one.hub_records[:-1]))
    assert (drawn.balances, drawn.chains_equal, drawn.facts_hub) == (False, False, drawn.facts_site - 1)


def test_a_parcel_that_vanished_is_lost(left: Path) -> None:
    def steal(contents: dict[str, list[str]]) -> None:
        for held in contents.values():
            held.clear()

    colombes = left / "colombes" / "state" / "world.json"
    known = json.loads(colombes.read_text())
    steal(known["contents"])
    colombes.write_text(json.dumps(known))
    drawn = books(left)
    assert (drawn.balances, drawn.lost, drawn.inside) == (False, 1, 0)


def test_a_collected_parcel_that_still_lies_there_is_doubled(left: Path) -> None:
    gone = next(line.why for line in read_trace(left / "gennevilliers" / "state") if line.kind == "hand")
    world(left, lambda contents: contents["3"].append(gone))
    drawn = books(left)
    assert (drawn.balances, drawn.doubled) == (False, 1)


def test_a_parcel_nobody_put_in_is_no_parcel_of_ours(left: Path) -> None:
    world(left, lambda contents: contents["3"].append("0000000000000"))
    drawn = books(left)
    assert (drawn.balances, drawn.inside) == (False, 2)


def test_a_coil_that_sticks_is_left_on(left: Path) -> None:
    trace = trace_file(left / "gennevilliers" / "state")
    lines = trace.read_text().splitlines()
    last_off = max(number for number, line in enumerate(lines) if '"level": 1' in line and '"coil"' in line)
    trace.write_text("\n".join(lines[: last_off + 1]) + "\n")
    drawn = books(left)
    assert (drawn.balances, drawn.coils_left_on) == (False, 1)


def test_a_pulse_nobody_ordered_is_a_wrong_opening(left: Path) -> None:
    facts(
        left,
        "DELETE FROM facts WHERE seq = (SELECT max(seq) FROM facts WHERE CAST(body AS TEXT) LIKE '%opening_ordered%')",
    )
    assert books(left).wrong_opens == 1


def test_a_key_that_opened_another_door_is_a_wrong_opening(left: Path) -> None:
    facts(
        left,
        'UPDATE facts SET body = CAST(replace(CAST(body AS TEXT), \'"compartment":"1"\', \'"compartment":"2"\') AS BLOB) '
        'WHERE seq = (SELECT min(seq) FROM facts WHERE CAST(body AS TEXT) LIKE \'%opening_ordered%"compartment":"1"%collect%\')',
    )
    assert books(left).wrong_opens >= 1


def test_a_story_that_takes_too_long_breaks() -> None:
    with pytest.raises(StoryBroke, match="may take 90"):
        keep_within(-1e9, 90)
