"""A parcel that has left is found at the desk, on the assembled controller: a real process, its journal of 10,000 parcels, its panel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.controller.controller_site import end_all, parcel, wait_for
from tests.controller.hands import sign_in
from tests.controller.stage import Stage
from wire import facts as f
from wire.facts import AnyFact
from wire.ids import PlaceKind

pytestmark = pytest.mark.slow

COUNT = 10_000
FIRST = 1_000


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A site that is not started yet, and has no hub."""
    yield Stage(tmp_path)
    end_all()


def came_and_went(number: int) -> tuple[AnyFact, ...]:
    """A parcel of another day, from the desk's scan into its recipient's hands."""
    known, lies = parcel(number), f.Place(kind=PlaceKind.COMPARTMENT, name=str(1 + number % 4))
    received = f.ParcelReceived(
        parcel=known,
        tracking=tracking(number),
        carrier="La Poste",
        source="desk",
        key_version=1,
        key_epoch=0,
        session="s",
        by="p",
    )
    stored = f.ParcelStored(parcel=known, place=lies, session="s", by="p")
    return received, stored, f.ParcelCollected(parcel=known, place=lies, session="s")


def tracking(number: int) -> str:
    return f"8N{number:011d}"


def answer(stage: Stage, text: str) -> dict[str, Any]:
    stage.say(input="find", text=text)
    wait_for(lambda: (found := stage.view["staff"]["found"]) and found["text"] == text, f"the answer to {text}")
    return dict(stage.view["staff"]["found"])


def test_m_11_among_ten_thousand_a_part_of_a_number_a_door_and_what_lies_here_are_found(stage: Stage) -> None:
    """The newest first, never more than fit on a screen, and nothing of it once they have signed out."""
    stage.write(tuple(fact for number in range(FIRST, FIRST + COUNT) for fact in came_and_went(number)))
    here = stage.stored(FIRST + COUNT, "2", tracking(FIRST + COUNT))
    stage.start(inside={"2": here})
    sign_in(stage)
    (one,) = answer(stage, "0004 711")["parcels"]
    assert (one["tracking"], one["state"], one["place"]["name"]) == (tracking(4711), "collected", "4")
    many = answer(stage, "8N")
    assert (many["count"], many["parcels"][0]["tracking"]) == (COUNT, tracking(FIRST + COUNT - 1))
    assert answer(stage, "3")["count"] >= COUNT // 4, "a door, and every number with a 3 in it"
    assert answer(stage, "no such parcel")["count"] == 0
    assert [each["parcel"] for each in stage.view["staff"]["parcels"]] == [here], "what lies here is in the list"
    stage.press("sign_out")
    wait_for(lambda: not stage.view["staff"]["person"], "them to have left")
    assert stage.view["staff"]["found"] is None
    stage.end()
