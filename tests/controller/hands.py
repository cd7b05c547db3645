"""What staff do with a parcel in their hands, on the assembled controller.

Owns the habits of a deposit. Refuses to know what it is done for: the journeys' tests do.
"""

from __future__ import annotations

import time
from typing import Any

from tests.controller.controller_site import wait_for
from tests.controller.stage import BADGE, Stage
from wire.badges import CommandCard

LABELS = tuple(f"8N0023458{number:04d}" for number in range(20))
REPEAT_S = 3.1
"""A reader in continuous mode repeats a text; a person who scans again does so after this long."""


def sign_in(stage: Stage) -> None:
    stage.scan(BADGE)
    wait_for(lambda: stage.view["staff"]["person"] == "amina", "the badge to be known")


def door_for(stage: Stage, tracking: str) -> str:
    """Scan a label and wait for the door that opens for it."""
    stage.scan(tracking)
    return open_door(stage)


def open_door(stage: Stage) -> str:
    task = wait_for(lambda: stage.task().get("step") == "put_in" and stage.task(), "a compartment to put it in")
    label = str(task["compartment"])
    wait_for(lambda: stage.door(label) == "open", f"door {label}")
    wait_for(lambda: stage.compartment(label)["door"] == "open", f"door {label} seen open")
    return label


def load(stage: Stage, tracking: str, what: str = "a parcel") -> str:
    """One whole deposit; the compartment."""
    label = door_for(stage, tracking)
    stage.put_and_close(label, what)
    wait_for(lambda: stage.task() == {}, "the deposit to be over")
    return label


def close(stage: Stage, label: str) -> None:
    stage.site.act(f"doors/{label}", "close")


def rest(stage: Stage) -> None:
    """The bank rests a moment between two pulses."""
    time.sleep(1.6)


def parcel_of(stage: Stage, tracking: str) -> dict[str, Any]:
    found: dict[str, Any] = next((one for one in stage.view["staff"]["parcels"] if one["tracking"] == tracking), {})
    return found


def made(stage: Stage, tracking: str) -> str:
    """A deposit of a parcel nobody announced, its size said with a card."""
    stage.scan(tracking)
    wait_for(lambda: stage.task().get("step") == "choose_size", "the question of its size")
    stage.card(CommandCard.SIZE_S)
    label = open_door(stage)
    stage.put_and_close(label, tracking)
    wait_for(lambda: stage.task() == {}, "the deposit to be over")
    return label
