"""The whole network for one test: hub, sites and kiosks as the demonstration starts them, on Mosquitto."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.world import World
from tests.tools.debian import need


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Everything up and heard of; ended whatever happens."""
    need("mosquitto")
    started = World(tmp_path / "state", "mosquitto")
    try:
        started.start()
        yield started
    finally:
        started.stop()
