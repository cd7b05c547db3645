"""The months of facts on PostgreSQL: each in a table of its own, made in time, and nothing lost on the way there (ADR 0029)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import IntegrityError

import hub.store
from hub.store import months
from hub.store.migrate import migrate
from tests.hub.hub_bench import Bench
from tests.hub.hub_site import Journal, life_of

pytestmark = pytest.mark.postgres

WHERE = "SELECT CAST(tableoid::regclass AS text), count(*) FROM fact GROUP BY 1 ORDER BY 1"
MONTHS = "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND relname LIKE 'fact%' ORDER BY 1"


def at(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1000


@pytest.fixture
def network(postgres_url: str, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(postgres_url, tmp_path)
    yield made
    made.store.close()


def hear(network: Bench, journal: Journal, now_ms: int) -> None:
    """The next parcel's life is committed at that moment."""
    first = journal.last + 1
    journal.write(*life_of(first))
    network.now_ms = now_ms
    network.hear(journal.batch(first, journal.last))


def test_facts_lie_in_the_month_of_their_commit_and_those_of_no_month_beside_them(network: Bench) -> None:
    with network.store.writing() as connection:
        made = months.make(connection, at(2031, 11, 30))
        assert made == ["fact_2031_11", "fact_2031_12", "fact_2032_01"]
        assert months.make(connection, at(2031, 12, 1)) == ["fact_2032_02"]
    journal = Journal("gambetta")
    for moment in (at(2031, 12, 31), at(2032, 1, 1), at(2040, 5, 5)):
        hear(network, journal, moment)
    assert network.ask(WHERE) == [("fact_2031_12", 9), ("fact_2032_01", 9), ("fact_other", 9)]
    with network.store.writing() as connection:
        assert months.make(connection, at(2040, 5, 6)) == ["fact_2040_06", "fact_2040_07"], (
            "what lies beside stays there"
        )
    hear(network, journal, at(2040, 6, 1))
    assert network.ask(WHERE)[-2:] == [("fact_2040_06", 9), ("fact_other", 9)]
    assert network.ask("SELECT count(*), count(DISTINCT seq), max(seq) FROM fact") == [(36, 36, 36)]


def test_housekeeping_makes_the_months_to_come(network: Bench) -> None:
    network.now_ms = at(2035, 3, 1)
    network.housekeeping.erase()
    assert {("fact_2035_03",), ("fact_2035_04",), ("fact_2035_05",)} <= set(network.ask(MONTHS))


def test_the_same_fact_is_not_kept_twice_in_a_month(network: Bench) -> None:
    hear(network, Journal("gambetta"), network.now_ms)
    again = "INSERT INTO fact SELECT * FROM fact WHERE seq = 1"
    with pytest.raises(IntegrityError), network.store.writing() as connection:
        connection.exec_driver_sql(again)


def test_facts_of_before_are_moved_into_their_months_and_the_chain_goes_on(network: Bench) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(hub.store.__file__).parent / "migrations"))
    with network.store.writing() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0016")
    assert network.ask(MONTHS) == []
    journal = Journal("gambetta")
    for moment in (at(2025, 12, 31), at(2026, 1, 1), at(2026, 2, 28)):
        hear(network, journal, moment)
    before = network.ask("SELECT * FROM fact ORDER BY seq")
    migrate(network.store)
    assert network.ask("SELECT * FROM fact ORDER BY seq") == before
    assert network.ask(WHERE) == [("fact_2025_12", 9), ("fact_2026_01", 9), ("fact_2026_02", 9)]
    hear(network, journal, at(2026, 2, 28) + 1)
    assert network.ask("SELECT seq FROM site_cursor WHERE seq > 0") == [(36,)]
