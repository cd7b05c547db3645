"""The hub's tests on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hub.hub_bench import Bench


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("hub")
    url = f"sqlite:///{folder / 'hub.sqlite'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    made = Bench(url, folder)
    yield made
    made.store.close()
