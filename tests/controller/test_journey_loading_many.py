"""Whole loads, parcel after parcel, with a scanner alone, on the assembled controller (S-01, S-11, S-12)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.controller.controller_site import end_all, slip, wait_for
from tests.controller.hands import LABELS, load, parcel_of, rest, sign_in
from tests.controller.scripted_hub import Hub
from tests.controller.stage import Stage
from tests.tools.debian import need
from tests.tools.mosquitto import Mosquitto
from wire.badges import CommandCard

pytestmark = pytest.mark.slow

DESK = "desk-8.toml"
MACHINE_S = 10.0
"""What a parcel may cost besides the hands of staff (journeys S-01: field notes, people and screens)."""
CUSTOMERS = (2, 4, 6)
"""After which parcels somebody comes to collect."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    end_all()


def load_one(stage: Stage, tracking: str) -> float:
    """Scan, and do what the screen says: a door, or the shelf and a card. No key, no mouse; the seconds it took."""
    began = time.monotonic()
    stage.scan(tracking)
    finish(stage, tracking)
    return time.monotonic() - began


def finish(stage: Stage, tracking: str) -> None:
    """The parcel in hand goes where the screen says."""
    task = wait_for(lambda: in_hand(stage, tracking), f"a place for {tracking}")
    if task["step"] == "put_in":
        label = task["compartment"]
        wait_for(lambda: stage.compartment(label)["door"] == "open", f"door {label} seen open")
        stage.put_and_close(label, tracking)
    else:
        stage.card(CommandCard.DONE)
    wait_for(lambda: parcel_of(stage, tracking).get("state") == "stored", f"{tracking} to be stored")


def in_hand(stage: Stage, tracking: str) -> dict[str, Any]:
    """The task, once it is about this parcel and says where it goes."""
    task = stage.task()
    return task if task.get("tracking") == tracking and task["step"] in {"put_in", "put_on_shelf"} else {}


def hears_all(hub: Hub, stage: Stage) -> bool:
    """The hub acknowledges what it has; whether that is everything."""
    told = hub.seqs()
    if told:
        hub.acknowledge(told[-1])
    return told[-1:] == [len(stage.facts())]


def the_books_balance(stage: Stage, collected: int) -> None:
    """Every parcel in its one place, and what the world holds is what the site believes."""
    world = stage.site.world()["contents"]
    places = {one["tracking"]: one["place"] for one in stage.view["staff"]["parcels"] if one["place"]}
    for tracking, place in places.items():
        if tracking in LABELS and place["kind"] == "compartment":
            assert world[place["name"]] == [tracking]
    assert sum(tracking in LABELS for tracking in places) == len(LABELS)
    assert len(stage.all("parcel_taken")) == collected
    assert len(stage.all("parcel_stored")) == len(LABELS) + collected


def test_s_01_twenty_parcels_are_loaded_with_the_scanner_alone(folder: Path) -> None:
    """The hub listens. One size card for all of them; eight doors, then the shelf; each within the machine's time."""
    broker = Mosquitto(need("mosquitto"), folder / "broker")
    stage = Stage(folder / "site", broker_port=broker.port, board=DESK)
    hub = Hub(broker.port)
    stage.start()
    try:
        wait_for(lambda: stage.view["hub_link"], "the line to the hub")
        sign_in(stage)
        stage.card(CommandCard.SIZE_S)
        took = [load_one(stage, tracking) for tracking in LABELS]
        assert max(took) < MACHINE_S, took
        assert set(stage.view["staff"]["free_by_size"].values()) == {0}
        the_books_balance(stage, collected=0)
        wait_for(lambda: hears_all(hub, stage), "the hub to have everything")
        stage.end()
    finally:
        hub.close()
        end_all()
        broker.close()


def test_s_11_twenty_parcels_without_a_hub_and_three_customers_in_between(folder: Path) -> None:
    """Each customer comes with the next label already scanned or in hand: served first, and the same parcel goes on."""
    stage = Stage(folder, board=DESK)
    waiting = {}
    for number, label in zip(CUSTOMERS, ("2", "3", "6"), strict=True):
        waiting[number] = (label, stage.stored(number + 20, label, f"CUSTOMER{number}"))
    stage.start(inside=dict(waiting.values()))
    sign_in(stage)
    stage.card(CommandCard.SIZE_S)
    for number, tracking in enumerate(LABELS):
        if number in waiting:
            customer_between(stage, number + 20, waiting[number][0], tracking)
        else:
            load_one(stage, tracking)
    the_books_balance(stage, collected=len(CUSTOMERS))
    wait_for(lambda: len(stage.all("parcel_collected")) == len(CUSTOMERS), "the customers' parcels to be collected")
    stage.end()


def customer_between(stage: Stage, number: int, label: str, tracking: str) -> None:
    """Somebody collects, and staff do not wait: the next label is kept until the customer has shut their door."""
    rest(stage)
    stage.scan(slip(number))
    wait_for(lambda: stage.door(label) == "open", f"the customer's door {label}")
    pulses = len(stage.pulses())
    stage.scan(tracking)
    stage.take_and_close(label)
    finish(stage, tracking)
    assert len(stage.pulses()) <= pulses + 1, "one door at a time, and the customer's was first"


def test_s_16_a_second_parcel_of_the_same_person_gets_its_own_door_and_one_slip_opens_both(folder: Path) -> None:
    """The desk says where the first one waits, so that no second slip need be printed; either slip opens both doors (ADR 0013)."""
    stage = Stage(folder)
    first, second = (stage.announced(number, LABELS[number], group="g7") for number in (1, 2))
    stage.announced(3, LABELS[3])
    stage.start()
    sign_in(stage)
    one = load(stage, LABELS[1], first)
    assert stage.view["staff"]["slip"]["beside"] == []
    rest(stage)
    two = load(stage, LABELS[2], second)
    assert one != two, "opening a door that holds a parcel would expose both"
    offered = stage.view["staff"]["slip"]
    assert (offered["parcel"], [place["name"] for place in offered["beside"]]) == (second, [one])
    rest(stage)
    load(stage, LABELS[3])
    assert stage.view["staff"]["slip"]["beside"] == [], "somebody else's parcel is another slip"
    stage.press("sign_out")
    wait_for(lambda: not stage.view["staff"]["person"], "them to have left")
    rest(stage)
    stage.scan(slip(1))
    stage.opens(one)
    stage.take_and_close(one)
    stage.opens(two)
    stage.take_and_close(two)
    for known in (first, second):
        stage.wait_fact("parcel_collected", parcel=known)
    stage.end()
