"""`kill -9` of controller, hub and broker in turn, a door open each time: the books balance and no coil stays on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaigns.kills import Outcome, run

ROUNDS = 3


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_nothing_is_lost_when_each_program_is_killed_in_turn(tmp_path: Path) -> None:
    outcome: Outcome = run(tmp_path / "state", ROUNDS)
    assert outcome.killed == {"controller": 1, "hub": 1, "broker": 1}
    ledger = outcome.ledger
    assert (ledger.parcels_in, ledger.collected, ledger.inside, ledger.removed) == (ROUNDS, ROUNDS, 0, 0)
    assert (ledger.lost, ledger.doubled, ledger.wrong_opens, ledger.coils_left_on) == (0, 0, 0, 0)
    assert ledger.facts_site == ledger.facts_hub
    assert ledger.chains_equal
