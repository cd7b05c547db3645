"""What every test of a controller may ask for."""

from __future__ import annotations

import pytest

from tests.controller.virtual_site import VirtualSite


@pytest.fixture
def site() -> VirtualSite:
    """A site that has just started, with nothing in it and no hub."""
    return VirtualSite()
