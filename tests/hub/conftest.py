"""The hub's tests on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hub.hub_bench import Bench


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('hub') / 'hub.sqlite'}"
    else:
        url = request.getfixturevalue("postgres_url")
    made = Bench(url)
    yield made
    made.store.close()
