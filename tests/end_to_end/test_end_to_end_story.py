"""The main job on real parts: every program as a process of its own, through public surfaces only, and the books balanced."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_story_ends_with_a_ledger_that_balances(tmp_path: Path) -> None:
    """On the demonstration's own broker; the ledger's tests play it on Mosquitto."""
    played = subprocess.run(
        [sys.executable, "-m", "demo", "--auto", "--state", str(tmp_path / "state")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    assert played.returncode == 0, played.stdout + played.stderr
    ledger = json.loads(played.stdout.splitlines()[-1])
    assert ledger["parcels_in"] == ledger["collected"] + ledger["inside"] + ledger["removed"] == 6
    assert (ledger["collected"], ledger["inside"], ledger["removed"]) == (4, 1, 1)
    assert (ledger["lost"], ledger["doubled"], ledger["wrong_opens"]) == (0, 0, 0)
    assert (ledger["coils_left_on"], ledger["coil_faults"]) == (0, 0)
    assert ledger["facts_site"] == ledger["facts_hub"] > 60
    assert ledger["chains_equal"] is True
    assert ledger["longest_pulse_ms"] <= 1_000
