"""A recipient sends somebody (C-30), on the assembled controller: real process, pty, panel, journal and simulated doors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controller.controller_site import end_all, slip, wait_for
from tests.controller.hands import sign_in
from tests.controller.stage import Stage

pytestmark = pytest.mark.slow


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A site that is not started yet."""
    yield Stage(tmp_path)
    end_all()


def mandate(stage: Stage, parcel: str) -> str:
    """A slip for somebody else, made at the desk for a recipient who was known; what its code says."""
    sign_in(stage)
    stage.press("mandate", parcel=parcel, value="known")
    printed = wait_for(lambda: stage.view["staff"]["slip"], "the slip for somebody else")
    assert (printed["mandate"], printed["digits"]) == (True, "")
    return str(printed["qr_text"])


def test_c_30_a_delegates_slip_opens_the_door_without_a_hub_and_the_journal_says_that_a_delegate_came(
    stage: Stage,
) -> None:
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    text = mandate(stage, known)
    assert stage.knows("mandate_issued", parcel=known, number=1, by="amina", identity="known")
    stage.scan(text)
    stage.opens("1")
    stage.take_and_close("1")
    stage.wait_fact("parcel_taken", parcel=known)
    kinds = stage.kinds()
    start = kinds.index("collection_delegated")
    assert kinds[start : start + 3] == ["collection_delegated", "opening_ordered", "door_opened"]
    session = stage.all("collection_delegated")[0]["session"]
    assert stage.knows("opening_ordered", parcel=known, session=session, form="mandate")
    stage.wait_fact("parcel_collected", parcel=known)
    stage.scan(slip(1))
    wait_for(lambda: stage.notice() == "already_collected", "the recipient's own slip says that it was collected")
    assert len(stage.pulses()) == 1
    stage.end()


def test_c_30_a_mandate_that_was_taken_back_opens_nothing_even_after_a_power_cut_and_the_owners_slip_still_does(
    stage: Stage,
) -> None:
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    text = mandate(stage, known)
    stage.press("withdraw_mandate", parcel=known)
    stage.wait_fact("mandate_withdrawn", parcel=known, number=1, by="amina")
    stage.kill()
    stage.start()
    stage.scan(text)
    wait_for(lambda: stage.notice() == "ask_desk", "the way to the desk")
    stage.wait_fact("slip_refused", parcel=known, reason="mandate_withdrawn")
    assert stage.pulses() == []
    stage.scan(slip(1))
    stage.opens("1")
    stage.end()
