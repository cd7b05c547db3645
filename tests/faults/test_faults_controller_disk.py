"""A real lock process on a disk that fills, and on a card that the kernel makes read-only under it (D-03, I-10, I-35)."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.journal import BALLAST_BYTES, BALLAST_ROOM_BYTES
from demo.ledger import read_facts
from tests.controller.controller_site import ROOT, Running, end_all, slip, stock, wait_for, write_site
from tests.faults.own_namespace import MOUNTS, FailingCard, SmallDisk, in_own_namespace
from wire import facts as f

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

HAND_S = 0.3
"""No hand is faster than the site's `quick_close_ms`, and sooner a door only was looked into."""

DISK_BYTES = BALLAST_ROOM_BYTES + 8 * 1024 * 1024
"""Room enough that the ballast is laid in."""

LITTLE_BYTES = 96 * 1024
"""Enough to start with, and for a few facts."""

PLAYS_MAX = 60
FULL = "the disk is full and nothing more can be recorded. Free some space."

SMALL_DISK_BYTES = BALLAST_ROOM_BYTES
"""As soon as there is a journal on it, too small for the ballast."""


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """A failed test leaves no process behind."""
    yield
    end_all()


def settled(tmp_path: Path) -> Path:
    """The settings of a site whose journal is on a disk of its own, and whose simulated world is not."""
    return write_site(tmp_path, sim_dir="pretended")


def facts(tmp_path: Path) -> list[f.AnyFact]:
    return read_facts(tmp_path / "state" / "journal.db")


def collect(site: Running, tmp_path: Path, number: int, compartment: str) -> None:
    """A customer scans once, takes the parcel, and closes."""
    site.scan(slip(number))
    wait_for(lambda: site.world()["doors"][compartment] == "open", f"door {compartment}; {site.log.read_text()[-600:]}")
    wait_for(lambda: of(tmp_path, f.DoorOpened, compartment), f"door {compartment} to be seen open")
    time.sleep(HAND_S)
    site.act(f"doors/{compartment}", "close")
    wait_for(lambda: of(tmp_path, f.DoorClosed, compartment), f"door {compartment} to be seen closed")
    wait_for(lambda: taken(tmp_path).count(compartment) == 1, f"the parcel of {compartment} to be taken, once")


def taken(tmp_path: Path) -> list[str]:
    return [fact.place.name for fact in facts(tmp_path) if isinstance(fact, f.ParcelTaken)]


def of(tmp_path: Path, kind: type[f.DoorOpened | f.DoorClosed], compartment: str) -> bool:
    return any(isinstance(fact, kind) and fact.compartment == compartment for fact in facts(tmp_path))


def refused_start(config: Path) -> str:
    """What a site that cannot start says; it ends by itself."""
    done = subprocess.run(
        [sys.executable, "-m", "controller", "--config", str(config)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout
    return done.stdout


def verified(config: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "controller", "--config", str(config), "--verify"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_on_a_full_disk_customers_still_collect_and_room_is_noticed(tmp_path: Path) -> None:
    def story() -> None:
        config = settled(tmp_path)
        disk = SmallDisk(tmp_path / "state", DISK_BYTES)
        stock(tmp_path, {"1": 1, "2": 2, "3": 3})
        site = Running(config)
        disk.fill()
        collect(site, tmp_path, 1, "1")
        collect(site, tmp_path, 2, "2")
        site.kill()
        # Whoever looked into the file closed it, and its log with its room is gone: the site starts on the ballast.
        assert "chain whole" in verified(config)
        disk.fill()
        again = Running(config)
        assert "the ballast is given up" in again.log.read_text()
        wait_for(lambda: f.AlarmRaised(alarm="disk_full") in facts(tmp_path), "the alarm")
        collect(again, tmp_path, 3, "3")
        disk.free()
        assert again.stop() == 0
        healed = Running(config)
        assert (tmp_path / "state" / "ballast").stat().st_size == BALLAST_BYTES
        wait_for(lambda: f.AlarmCleared(alarm="disk_full") in facts(tmp_path), "the alarm to be over")
        assert healed.stop() == 0
        assert "chain whole" in verified(config)

    in_own_namespace(MOUNTS, story)


def test_with_the_ballast_gone_no_door_opens_unrecorded_and_the_reason_is_said(tmp_path: Path) -> None:
    def story() -> None:
        config = settled(tmp_path)
        disk = SmallDisk(tmp_path / "state", SMALL_DISK_BYTES)
        stock(tmp_path, {"1": 1})
        (tmp_path / "state" / "ballast").unlink(missing_ok=True)
        disk.fill(but=LITTLE_BYTES)
        site = Running(config)
        assert "the log of the day is not made ready" in site.log.read_text()
        disk.fill()
        use_up_the_rest(site)
        assert FULL in site.log.read_text()
        disk.fill()
        assert FULL in refused_start(config)
        assert pulses(tmp_path) == 0
        disk.free()
        again = Running(config)
        collect(again, tmp_path, 1, "1")
        assert again.stop() == 0
        assert pulses(tmp_path) == 1
        assert "chain whole" in verified(config)

    in_own_namespace(MOUNTS, story)


def use_up_the_rest(site: Running) -> None:
    """Somebody plays with an emergency key until nothing more can be recorded; the site then ends by itself."""
    for _ in range(PLAYS_MAX):
        for move in ("open", "close"):
            try:
                site.act("doors/4", move)
            except OSError:
                break
            time.sleep(HAND_S / 3)
        if site.process.poll() is not None:
            site.kill()
            return
    raise AssertionError(f"the disk is not used up:\n{site.log.read_text()[-600:]}")


def test_a_card_made_read_only_under_the_site_opens_no_door_unrecorded_and_heals(tmp_path: Path) -> None:
    def story() -> None:
        config = settled(tmp_path)
        card = FailingCard(tmp_path / "card", tmp_path / "state", 2 * DISK_BYTES)
        stock(tmp_path, {"1": 1})
        site = Running(config)
        card.fail()
        site.scan(slip(1))
        site.process.wait(20)  # What cannot be recorded is not done; the supervisor starts it afresh.
        site.kill()
        assert "the disk refused" in site.log.read_text()
        assert "worn out or read-only" in site.log.read_text()
        assert pulses(tmp_path) == 0
        assert "the disk refused" in refused_start(config)
        card.forgive()
        again = Running(config)
        collect(again, tmp_path, 1, "1")
        assert again.stop() == 0
        assert pulses(tmp_path) == 1
        assert "chain whole" in verified(config)
        card.unmount()

    in_own_namespace(MOUNTS, story)


def pulses(tmp_path: Path) -> int:
    """Coils switched on in the simulated bank over all its lives."""
    trace = next((tmp_path / "pretended").glob("*trace*"))
    return trace.read_text().count('"kind": "coil", "on": true')


def test_a_site_that_never_lived_says_on_a_full_disk_why_it_cannot_begin(tmp_path: Path) -> None:
    def story() -> None:
        config = settled(tmp_path)
        disk = SmallDisk(tmp_path / "state", SMALL_DISK_BYTES)
        disk.fill()
        assert "the disk is full" in refused_start(config)
        disk.free()
        site = Running(config)
        assert site.line["boot"] == 1
        assert site.stop() == 0

    in_own_namespace(MOUNTS, story)
