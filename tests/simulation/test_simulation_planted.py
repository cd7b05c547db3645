"""The simulator finds deliberate bugs: one of each kind that is shown soon here, all of them in `./run campaign planted`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.simulation.planting import ROOT, Fault, faults, may_show
from tests.simulation.weather import storm

SEEDS = 600
"""A third more lives than the shyest fault of the core has needed: the bank's people have become many, and share 150 steps a life."""

BOLD = (
    "pulse-timer-not-re-armed",
    "forced-door-keeps-its-content",
    "limiter-blocks-a-valid-slip",
    "limiter-refilled-by-reboot",
    "waiting-person-forgotten",
    "clock-ends-the-dispute",
    "restart-frees-a-reservation",
    "courier-of-every-carrier",
    "practice-with-a-parcel-inside",
    "empty-corrects-nothing",
    "sending-cancel-frees",
    "hint-never-comes",
    "search-wants-the-whole-number",
    "given-before-it-is-identified",
    "doors-budget-refilled-by-reboot",
)
"""One fault of each kind that most lives show soon: that the hunt works at all. Hunting for the shy ones takes longer than everything else
together, and is the campaign's."""
PARTS = 2


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault.name)
def test_every_fault_still_fits_its_file(fault: Fault) -> None:
    source = (ROOT / fault.file).read_text(encoding="utf-8")
    assert fault.applied(source) != source


def test_no_two_faults_have_one_name_and_there_are_enough() -> None:
    names = [fault.name for fault in faults()]
    assert len(names) == len(set(names)) >= 40


@pytest.mark.parametrize("fault", [fault for fault in faults() if fault.needs], ids=lambda fault: fault.name)
def test_a_fault_that_waits_for_certain_lives_finds_one_soon(fault: Fault) -> None:
    assert fault.world != "network"
    assert sum(may_show(fault, seed) for seed in range(200)) >= 3


def test_what_a_fault_needs_is_there_and_what_it_cannot_bear_is_not() -> None:
    fault = Fault("a", "a.py", "", "", "", "storm", ("restore_days", "no twin_days", "lost < 0.1", "days > 0.5"))
    fits = [seed for seed in range(60) if may_show(fault, seed)]
    storms = {seed: storm(seed) for seed in range(60)}
    assert fits == [
        seed
        for seed, one in storms.items()
        if one.restore_days and not one.twin_days and one.lost < 0.1 and one.days > 0.5
    ]
    assert 0 < len(fits) < 60
    with pytest.raises(ValueError, match="no lost is 0"):
        may_show(Fault("a", "a.py", "", "", "", "storm", ("lost is 0",)), 1)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(PARTS))
def test_the_bold_faults_of_the_core_are_caught_by_some_life(part: int) -> None:
    """In processes of their own: a fault changes what is imported."""
    names = BOLD[part::PARTS]
    hunted = subprocess.run(
        [sys.executable, "-m", "tests.simulation.planting", "--seeds", str(SEEDS), *names],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert hunted.returncode == 0, hunted.stdout + hunted.stderr
    assert f"{len(names)} of {len(names)} caught" in hunted.stdout
