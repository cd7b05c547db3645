"""The hub's tests on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hub.hub_bench import Bench


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database; "" for a file of the hub's own."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def bench(store_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("hub")
    made = Bench(store_url or f"sqlite:///{folder / 'hub.sqlite'}", folder)
    yield made
    made.store.close()
