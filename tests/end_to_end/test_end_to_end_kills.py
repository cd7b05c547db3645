"""`kill -9` of controller, hub and broker in turn at bad moments: the books balance and no coil stays on.

The long hunt, with every pair of program and moment, is `./run campaign kills`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaigns.kills import SCHEDULE, Outcome, run

ROUNDS = 3


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_nothing_is_lost_when_each_program_is_killed_in_turn(tmp_path: Path) -> None:
    assert {victim for victim, _ in SCHEDULE[:ROUNDS]} == {"controller", "hub", "broker"}
    outcome: Outcome = run(tmp_path / "state", ROUNDS)
    assert outcome.killed == {"controller": 1, "hub": 1, "broker": 1}
    assert outcome.traffic > 0
    ledger = outcome.ledger
    assert ledger is not None
    assert (ledger.parcels_in, ledger.collected, ledger.inside, ledger.removed) == (ROUNDS, ROUNDS, 0, 0)
    assert (ledger.lost, ledger.doubled, ledger.wrong_opens) == (0, 0, 0)
    assert (ledger.coils_left_on, ledger.coil_faults) == (0, 0)
    assert ledger.facts_site == ledger.facts_hub
    assert ledger.chains_equal
