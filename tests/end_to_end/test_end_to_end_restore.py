"""A database that comes back older than it was, with every program real: first the hub's, then the site's.

The hub learns again what the site knows and takes nothing back; a site that lost facts is fenced and a person is told.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from demo.ledger import draw_up, read_coils, read_hub, read_journal
from demo.story import (
    announce,
    collect,
    come_to_rest,
    expect,
    facts_of,
    last_seq,
    load,
    sign_in,
    sign_out,
    slip,
    state_of,
    waiting,
)
from demo.world import ROOT, Site, World, answers
from firmware.sim.coils import Death
from wire import facts as f

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow, pytest.mark.timeout(300)]

LONG_S = 60.0


def command(world: World, *arguments: str) -> str:
    """`consigne-hub`, as an administrator types it."""
    asked = [sys.executable, "-m", "hub", "--config", str(world.folder / "hub.toml"), *arguments]
    done = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout


def copy_database(source: Path, target: Path) -> None:
    """As an administrator's nightly job does it: SQLite's own backup, of a database in use."""
    with sqlite3.connect(source) as there, sqlite3.connect(target) as here:
        there.backup(here)
    there.close()
    here.close()


def put_back(copy: Path, place: Path) -> None:
    for leftover in place.parent.glob(f"{place.name}-*"):
        leftover.unlink()
    shutil.copy(copy, place)


def versions(world: World, *parcels: str) -> list[int]:
    return [int(world.hub(f"parcels/{parcel}")["parcel"]["version"]) for parcel in parcels]


def alerts(world: World, kind: str) -> list[dict[str, Any]]:
    return [alert for alert in world.hub("alerts")["alerts"] if alert["kind"] == kind]


def knows(world: World, parcel: str) -> bool:
    found = world.hub(f"parcels?site={world.sites[0].id}")["parcels"]
    return any(row["id"] == parcel for row in found)


def pulses(site: Site) -> int:
    return len(read_coils(site).stretches)


def test_a_hub_restored_from_an_older_copy_learns_everything_again(world: World, tmp_path: Path) -> None:
    site = world.sites[0]
    early, kept, loaded_later = (announce(world, site, f"8N3000000000{number}", "S") for number in (1, 2, 3))
    sign_in(site)
    load(world, site, early, "8N30000000001")
    load(world, site, kept, "8N30000000002")
    come_to_rest(world)
    command(world, "backup", str(tmp_path / "older.sqlite"))

    # What the copy does not know: two parcels stored, one collected, one announced, and a slip replaced.
    load(world, site, loaded_later, "8N30000000003")
    unknown = announce(world, site, "8N30000000004", "M")
    load(world, site, unknown, "8N30000000004")
    sign_out(site)
    key = slip(world, early)["qr"]
    collect(world, site, early, lambda: site.scan(key))
    expected = announce(world, site, "8N30000000005", "L")
    old_key = slip(world, kept)["qr"]
    world.hub(f"parcels/{kept}/reissue", {})
    new_key = slip(world, kept)["qr"]
    assert new_key != old_key
    expect(lambda: newest_version(site, kept) == 2, "the new key at the site")
    expect(lambda: state_of(world, early) == "collected", "the hub to say collected")
    come_to_rest(world)
    before, incarnation = last_seq(site), newest_incarnation(site)
    pulsed, keys = pulses(site), versions(world, kept, unknown, loaded_later)

    hub = world.program("hub")
    hub.stop()
    command(world, "restore", str(tmp_path / "older.sqlite"), "--replace")
    hub.start()
    hub.wait_until(lambda: answers(f"{world.hub_url}/readyz"))

    # A new incarnation; the site goes back to what the hub still has, and sends again.
    expect(lambda: newest_incarnation(site) > incarnation, "the site to meet the new incarnation", LONG_S)
    (seen,) = [
        fact for fact in facts_of(site, f.HubIncarnationSeen, before) if fact.incarnation == newest_incarnation(site)
    ]
    assert seen.acked_seq < before
    expect(lambda: waiting(world, site) == 0, "the hub to have every fact again", LONG_S)
    expect(lambda: world.hub(f"sites/{site.id}")["plan_applied"], "both to agree on the plan", LONG_S)
    come_to_rest(world)
    ledger = draw_up(world)
    assert ledger.facts_site == ledger.facts_hub
    assert ledger.chains_equal
    # Nothing opened by itself, no key went back, and what was forgotten is known, but not to whom it belongs.
    assert pulses(site) == pulsed
    assert facts_of(site, f.OpeningOrdered, before) == []
    assert versions(world, kept, unknown, loaded_later) == keys
    assert [state_of(world, parcel) for parcel in (early, kept, loaded_later, unknown)] == [
        "collected",
        *["stored"] * 3,
    ]
    assert knows(world, expected)
    assert {unknown, expected} <= {alert["subject"] for alert in alerts(world, "recovered")}
    assert all("recipient" in alert["detail"] for alert in alerts(world, "recovered"))

    # And life goes on: the replaced slip opens nothing, the new one and the forgotten parcel's do.
    seq = last_seq(site)
    site.scan(old_key)
    expect(lambda: [fact.reason for fact in facts_of(site, f.SlipRefused, seq)] == ["replaced"], "the old slip refused")
    collect(world, site, kept, lambda: site.scan(new_key))
    again = slip(world, unknown)["qr"]
    time.sleep(2)  # The bank's own rest between two customers is not what this test is about.
    collect(world, site, unknown, lambda: site.scan(again))
    expect(lambda: state_of(world, unknown) == "collected", "the hub to say collected")
    come_to_rest(world)
    assert draw_up(world).balances
    assert command(world, "verify").count("everything agrees") == len(world.sites)


def newest_version(site: Site, parcel: str) -> int:
    planned = (one for plan in facts_of(site, f.PlanApplied) for one in plan.upserted)
    return max((one.version for one in planned if one.id == parcel), default=0)


def newest_incarnation(site: Site) -> int:
    return max((fact.incarnation for fact in facts_of(site, f.HubIncarnationSeen)), default=0)


def test_a_site_restored_from_an_older_card_is_fenced_and_told_of(world: World, tmp_path: Path) -> None:
    site = world.sites[0]
    first, second = (announce(world, site, f"8N3100000000{number}", "S") for number in (1, 2))
    sign_in(site)
    load(world, site, first, "8N31000000001")
    come_to_rest(world)
    copy_database(site.journal(), tmp_path / "older.db")
    load(world, site, second, "8N31000000002")
    sign_out(site)
    key = slip(world, first)["qr"]
    collect(world, site, first, lambda: site.scan(key))
    expect(lambda: state_of(world, first) == "collected", "the hub to say collected")
    come_to_rest(world)
    true_history, true_hash = read_hub(world, site)
    before = len(true_history)

    deaths = [stop(site)]
    put_back(tmp_path / "older.db", site.journal())
    assert last_seq(site) < before
    site.start()

    # Its first words fork the history, so the hub refuses them and asks for a person.
    expect(lambda: alerts(world, "identity"), "the alert that two histories claim one site", LONG_S)
    # It knows by now that its memory is old: the spent key opens nothing, and the person is sent to the desk (I-3).
    (behind,) = facts_of(site, f.JournalBehind)
    assert (behind.acked_seq, behind.last_seq < before) == (before, True)
    pulsed = pulses(site)
    site.scan(key)
    expect(lambda: [call.reason for call in facts_of(site, f.StaffCalled, behind.last_seq)], "a call for staff")
    assert [call.reason for call in facts_of(site, f.StaffCalled, behind.last_seq)] == ["journal_behind"]
    assert pulses(site) == pulsed
    doubted = {fact.compartment for fact in facts_of(site, f.OccupancySet, behind.last_seq)}
    assert doubted == set(site.sim()["doors"])
    sign_in(site)
    sign_out(site)
    own, _ = read_journal(site.journal())
    assert any(alert["cleared_ms"] is None for alert in alerts(world, "identity"))
    # Nothing the hub had is overwritten, nothing of the fork is taken for it, and the site still holds its own words.
    assert read_hub(world, site) == (true_history, true_hash)
    assert [state_of(world, parcel) for parcel in (first, second)] == ["collected", "stored"]
    fork = [record for record in own if record not in true_history]
    assert fork
    assert own[-1] in fork
    ledger = draw_up(world, deaths)
    assert not ledger.balances
    assert not ledger.chains_equal

    # An admin takes the card's past for the site's own: the hub speaks with a newer word, and the site goes on from there.
    adopt = [sys.executable, "-m", "hub", "--config", str(world.folder / "hub.toml"), "site", "adopt", site.id]
    subprocess.run(adopt, cwd=ROOT, check=True, capture_output=True, timeout=60)
    expect(lambda: all(alert["cleared_ms"] for alert in alerts(world, "identity")), "the alert to be over", 2 * LONG_S)
    sign_in(site)
    sign_out(site)
    expect(lambda: read_hub(world, site)[0] == read_journal(site.journal())[0], "one past on both sides", LONG_S)
    expect(lambda: all(alert["cleared_ms"] for alert in alerts(world, "views_differ")), "one view of the bank", LONG_S)
    assert [state_of(world, parcel) for parcel in (first, second)] == ["collected", "stored"]


def stop(site: Site) -> Death:
    assert site.controller.child is not None
    pid = site.controller.child.pid
    site.controller.stop()
    return Death(pid, time.monotonic_ns())
