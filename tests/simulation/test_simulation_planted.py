"""The simulator finds deliberate bugs: those of the site's core here, those of the network in `./run campaign planted`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.simulation.planting import ROOT, Fault, faults

SEEDS = 600
"""A third more lives than the shyest fault of the core has needed: the bank's people have become many, and share 150 steps a life."""


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault.name)
def test_every_fault_still_fits_its_file(fault: Fault) -> None:
    source = (ROOT / fault.file).read_text(encoding="utf-8")
    assert fault.applied(source) != source


def test_no_two_faults_have_one_name_and_there_are_enough() -> None:
    names = [fault.name for fault in faults()]
    assert len(names) == len(set(names)) >= 40


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(4))
def test_every_fault_of_the_core_is_caught_by_some_life(part: int) -> None:
    """In processes of their own: a fault changes what is imported."""
    names = [fault.name for fault in faults() if fault.world == "site"][part::4]
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
