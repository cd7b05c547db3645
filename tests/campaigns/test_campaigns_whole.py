"""A campaign adds up over its starts, goes on where it stopped, and is clean only when everything is."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.campaigns import images, seeds
from tests.campaigns.__main__ import SHARES, Book, campaigns, is_clean, main
from tests.campaigns._parts import Budget, Outcome, State

pytestmark = pytest.mark.slow

FIGURES = [
    "seeds", "site_years", "site_hours_per_second", "planted_total", "planted_caught", "images", "kills", "broker_kills",
    "injections", "operations", "inputs", "acked_lost", "doubled", "invariant_failures",
]  # fmt: skip


def test_every_part_is_a_campaign_of_its_own_with_a_word_about_it() -> None:
    known = campaigns()
    assert set(SHARES) <= set(known)
    assert all(known.values())


def test_a_second_start_adds_up_and_goes_on_where_the_first_stopped(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.state_of("images")["next_seed"] = 5
    book.add("images", Outcome(Counter(images=10, acked_lost=0), told=["ten"]))
    again = Book(tmp_path)
    assert again.state_of("images") == {"next_seed": 5}
    again.add("images", Outcome(Counter(images=7), failures=["lost one"]))
    assert again.summary()["images"] == 17
    assert Book(tmp_path).failures() == ["lost one"]
    assert "lost one" in again.report().read_text(encoding="utf-8")
    assert Book(tmp_path, fresh=True).failures() == []


@pytest.mark.parametrize("bad", ["acked_lost", "doubled", "invariant_failures", "lost"])
def test_one_loss_is_not_clean(bad: str, tmp_path: Path) -> None:
    book = Book(tmp_path)
    assert is_clean(book.summary(), book.failures())
    book.add("kills", Outcome(Counter({bad: 1})))
    assert not is_clean(book.summary(), book.failures())


def test_a_planted_fault_that_survives_is_not_clean(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.state_of("planted").update(total=2, caught={"one": {}})
    assert not is_clean(book.summary(), [])
    book.state_of("planted")["caught"]["two"] = {}
    assert is_clean(book.summary(), [])


def test_a_seed_of_the_simulator_is_lived_and_counted() -> None:
    network, bank = seeds.live(seeds.NETWORK_EVERY, days=0.1), seeds.live(seeds.NETWORK_EVERY + 1)
    storm = seeds.live(seeds.NETWORK_EVERY + seeds.NETWORK_EVERY // 2, days=0.1)
    assert (network.failure, storm.failure, bank.failure) == ("", "", "")
    assert (network.world, storm.world, bank.world) == ("network", "storm", "bank")
    assert 0.8 * 24 <= storm.site_hours < network.site_hours
    assert network.site_hours >= 2 * 1.6 * 24
    assert bank.site_hours > 0.1


@pytest.mark.slow
def test_a_short_campaign_ends_with_one_line_of_json(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["--only", "images", "--only", "fuzz", "--minutes", "0.15", "--images", "300", "--inputs", "500"]
    status = main([*words, "--workers", "1", "--state", str(tmp_path)])
    figures = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert status == 0
    assert set(FIGURES) <= set(figures)
    assert figures["images"] >= 300 or figures["inputs"] > 0
    assert (tmp_path / "report.md").exists()


def test_the_images_go_on_with_the_next_day() -> None:
    state: State = {"next_seed": 3}
    outcome = images.part(Budget(4.0, images=1), state)
    assert state["next_seed"] == 4
    assert outcome.figures["images"] > 1
    assert outcome.figures["acked_lost"] == 0
