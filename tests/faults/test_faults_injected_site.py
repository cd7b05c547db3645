"""System calls of a real lock process fail or kill it while one parcel is loaded and collected: it goes on, or it says why.

A slice; every call, error and n is `./run campaign faults`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controller.controller_site import end_all
from tests.faults.injected_site import Fault, InjectedSite
from tests.faults.tracing import need_tracing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SLICE = (
    Fault("pwrite64", "error=EIO", 3),
    Fault("pwrite64", "error=ENOSPC", 5),
)
"""The first falls on the cause of the first opening: a site that pulses before it has written is seen here."""


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """A failed test leaves no process behind."""
    yield
    end_all()


@pytest.mark.parametrize("fault", SLICE, ids=str)
def test_one_parcel_is_delivered_once_whatever_a_system_call_says(tmp_path: Path, fault: Fault) -> None:
    need_tracing()
    told = InjectedSite(tmp_path, fault).tell()
    assert told.struck
    assert told.is_well, told
