"""The courier's rows of the journeys, on the assembled controller: a real process, pty, panel, journal and simulated doors."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.controller.controller_site import end_all, wait_for
from tests.controller.hands import REPEAT_S, close, open_door, rest
from tests.controller.stage import BADGE, LONG_OPEN_S, Stage
from tests.controller.test_journey_people import roster, signed_in
from wire.badges import CommandCard, badge_digest, badge_text
from wire.ids import ParcelId
from wire.plan import Intent, Person

pytestmark = pytest.mark.slow

KARIM = badge_text(0x4B4152)
OTTO = badge_text(0x4F54)
PEOPLE = (
    Person(id="karim", role="courier", badge=badge_digest(KARIM), carrier="laposte"),
    Person(id="otto", role="courier", badge=badge_digest(OTTO), carrier="ups"),
)
DOORS = 6
"""Of the board these tests run on (hardware/boards/demo.toml)."""
UNANNOUNCED = "8N00234587777"
MINE, OTHERS = ("8N00234584108", "8N00234584109", "8N00234584110"), ("1Z00234584999", "1Z00234584998")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A site that is not started yet."""
    yield Stage(tmp_path)
    end_all()


def comes(stage: Stage, badge: str = KARIM, person: str = "karim") -> None:
    stage.scan(badge)
    signed_in(stage, person)


def is_told(stage: Stage, kind: str) -> None:
    wait_for(lambda: stage.staff_notice() == kind, f"the word {kind}; there is {stage.staff_notice()}")


def put_in(stage: Stage, tracking: str) -> str:
    stage.scan(tracking)
    label = open_door(stage)
    stage.put_and_close(label, tracking)
    wait_for(lambda: stage.task() == {}, "the deposit to be over")
    rest(stage)
    return label


def waits_for_its_return(stage: Stage, number: int, door: str, tracking: str, carrier: str) -> ParcelId:
    return stage.stored(number, door, tracking, carrier=carrier, intent=Intent.RECALL)


def test_k_01_a_couriers_badge_puts_in_their_carriers_parcels_and_nothing_of_another_carrier_is_shown(
    stage: Stage,
) -> None:
    """Own parcels go in; the label of another carrier gets one sentence, wherever its parcel is; no picture holds a trace."""
    roster(stage, *PEOPLE, staff_idle_ms=60_000)
    stage.announced(1, MINE[0], carrier="La Poste")
    lying = stage.stored(2, "1", OTHERS[0], carrier="ups")
    stage.announced(3, OTHERS[1], carrier="ups")
    stage.start(inside={"1": lying})
    comes(stage)
    before = len(stage.views)
    put_in(stage, MINE[0])
    stage.wait_fact("parcel_stored", by="karim")
    for tracking in OTHERS:
        stage.scan(tracking)
        is_told(stage, "not_your_carrier")
        time.sleep(REPEAT_S)
    assert stage.compartment("1")["occupancy"] == "occupied"
    for about in ({"button": "check", "compartment": "1"}, {"button": "remove", "parcel": lying}):
        stage.press(**about)
        is_told(stage, "not_yours")
    stage.press("retrieve", parcel=lying)
    is_told(stage, "all_retrieved")
    seen = json.dumps(stage.views[before:])
    assert MINE[0] in seen
    for hidden in (*OTHERS, lying):
        assert hidden not in seen, f"{hidden} was shown to a courier of another carrier"
    assert not any(view["staff"]["slip"] or view["staff"]["calls"] for view in stage.views[before:])
    assert [pulse["label"] for pulse in stage.pulses()].count("1") == 0
    stage.press("sign_out")
    stage.wait_fact("staff_signed_out", person="karim", reason="done")
    stage.end()
    assert [fact["tracking"] for fact in stage.all("parcel_received") if fact["by"] == "karim"] == [MINE[0]]


def test_k_04_a_courier_takes_out_their_returns_door_by_door_each_by_its_label_and_a_missing_one_is_disputed(
    stage: Stage,
) -> None:
    """Doors 1 and 3 hold theirs, 2 another carrier's: 1 and 3 open. One is there, of the other only the door."""
    roster(stage, *PEOPLE, staff_idle_ms=60_000, cancel_answer_ms=30_000)
    there = waits_for_its_return(stage, 1, "1", MINE[0], "laposte")
    other = waits_for_its_return(stage, 2, "2", OTHERS[0], "ups")
    gone = waits_for_its_return(stage, 3, "3", MINE[1], "La Poste")
    stage.start(inside={"1": there, "2": other})
    comes(stage)
    wait_for(lambda: len(stage.view["staff"]["parcels"]) == 2, "their own list")
    assert all(parcel["to_retrieve"] for parcel in stage.view["staff"]["parcels"])
    stage.press("retrieve")
    stage.opens("1")
    time.sleep(LONG_OPEN_S)
    stage.site.act("contents/1", {"take": True})
    stage.scan(MINE[0])
    wait_for(lambda: stage.task().get("scanned"), "its label to be the right one")
    close(stage, "1")
    wait_for(lambda: stage.task().get("step") == "ask_empty", "the question")
    assert not stage.knows("parcel_removed"), "not before somebody saw it empty"
    rest(stage)
    stage.press("empty")
    stage.wait_fact("parcel_removed", parcel=there, reason="recalled", by="karim")
    stage.opens("3")
    close(stage, "3")
    wait_for(lambda: stage.task().get("step") == "ask_empty", "the question")
    stage.press("not_there")
    stage.wait_fact("parcel_disputed", parcel=gone, reason="not_found", by="karim")
    wait_for(lambda: stage.compartment("3")["service"] == "suspect", "its door to be looked at")
    assert stage.compartment("1")["occupancy"] == "free"
    stage.press("sign_out")
    stage.wait_fact("staff_signed_out", person="karim", reason="done")
    stage.end()
    assert {pulse["compartment"] for pulse in stage.all("opening_ordered")} == {"1", "3"}
    assert not [fact for fact in stage.all("parcel_removed") if fact["parcel"] in {gone, other}]


def test_k_06_a_courier_cannot_finish_while_a_door_of_theirs_is_open_and_silence_is_an_alarm(stage: Stage) -> None:
    """Neither with the button nor by the next courier's badge; the screen names the door; the alarm comes, they stay."""
    roster(stage, *PEOPLE, staff_idle_ms=1_500, alarm_ms=60_000)
    known = stage.announced(1, MINE[0], carrier="laposte")
    stage.start()
    comes(stage)
    stage.scan(MINE[0])
    label = open_door(stage)
    stage.press("sign_out")
    is_told(stage, "close_door_first")
    assert stage.view["staff"]["notice"]["compartment"] == label
    assert stage.view["staff"]["left_open"] == label
    stage.scan(OTTO)
    stage.wait_fact("alarm_raised", alarm="door_left_open", compartment=label)
    time.sleep(2)
    assert stage.view["staff"]["person"] == "karim"
    assert not stage.knows("staff_signed_out")
    stage.put_and_close(label, known)
    stage.wait_fact("parcel_stored", parcel=known, by="karim")
    wait_for(lambda: stage.view["staff"]["left_open"] is None, "no door of theirs to be open")
    stage.press("sign_out")
    stage.wait_fact("staff_signed_out", person="karim", reason="done")
    stage.end()


def receipts(stage: Stage) -> list[dict[str, Any]]:
    return list(stage.view["staff"]["receipts"])


def test_k_02_a_drop_at_the_desk_ends_with_one_receipt_for_all_of_it_and_what_differs(stage: Stage) -> None:
    """Two of theirs brought, one that nobody announced, one announced that is not there; the power fails in between."""
    amina = Person(id="amina", role="concierge", badge=badge_digest(BADGE))
    roster(stage, *PEOPLE, amina, staff_idle_ms=60_000)
    for number, tracking in enumerate(MINE, 1):
        stage.announced(number, tracking, carrier="La Poste")
    stage.announced(7, OTHERS[0], carrier="ups")
    stage.start()
    comes(stage)
    doors = {MINE[0]: put_in(stage, MINE[0])}
    wait_for(lambda: (stage.view["staff"]["drop"] or {}).get("awaited") == 2, "what is still awaited")
    stage.kill()
    stage.start()
    comes(stage)
    doors[MINE[1]] = put_in(stage, MINE[1])
    stage.card(CommandCard.SIZE_S)
    doors[UNANNOUNCED] = put_in(stage, UNANNOUNCED)
    stage.card(CommandCard.DONE)
    stage.wait_fact("drop_ended", person="karim", carrier="laposte", reason="done", in_doors=3, missing_count=1)
    is_told(stage, "drop_ended")
    (receipt,) = receipts(stage)
    assert {one["tracking"]: one["place"]["name"] for one in receipt["handed"]} == doors
    assert (receipt["missing"], receipt["unannounced"]) == ([MINE[2]], [UNANNOUNCED])
    assert OTHERS[0] not in json.dumps(receipt)
    stage.press("sign_out")
    stage.wait_fact("staff_signed_out", person="karim", reason="done")
    stage.scan(BADGE)
    signed_in(stage, "amina")
    wait_for(lambda: [one["drop"] for one in receipts(stage)] == [receipt["drop"]], "the desk to offer it too")
    stage.end()
    assert len(stage.all("drop_ended")) == 1


def test_k_03_a_bank_that_is_full_before_the_end_sends_the_rest_to_the_desk_and_the_receipt_says_how_many_where(
    stage: Stage,
) -> None:
    """Every door but two is taken; five parcels come: two go behind doors, three on the shelf, each with its place."""
    roster(stage, *PEOPLE, staff_idle_ms=60_000)
    boxes = [str(number) for number in range(1, DOORS + 1)]
    inside = {label: stage.stored(100 + number, label) for number, label in enumerate(boxes[:-2])}
    labels = [f"8N0023459{number:04d}" for number in range(5)]
    for number, tracking in enumerate(labels, 1):
        stage.announced(number, tracking, carrier="laposte")
    stage.start(inside=inside)
    comes(stage)
    behind = [put_in(stage, tracking) for tracking in labels[:2]]
    pulses = len(stage.pulses())
    for tracking in labels[2:]:
        stage.scan(tracking)
        wait_for(lambda: stage.task().get("step") == "put_on_shelf", "a place on the shelf")
        stage.card(CommandCard.DONE)
        wait_for(lambda: stage.task() == {}, "it to lie there")
        time.sleep(REPEAT_S)
    stage.press("done")
    stage.wait_fact("drop_ended", person="karim", in_doors=2, on_shelf=0, at_desk=3)
    wait_for(lambda: len(receipts(stage)) == 1, "the receipt on the screen")
    (receipt,) = receipts(stage)
    places = {one["tracking"]: (one["place"]["kind"], one["no_door"]) for one in receipt["handed"]}
    assert [places[tracking] for tracking in labels] == [("compartment", False)] * 2 + [("shelf", True)] * 3
    assert sorted(behind) == sorted(boxes[-2:])
    assert len(stage.pulses()) == pulses
    stage.press("sign_out")
    stage.wait_fact("staff_signed_out", person="karim", reason="done")
    stage.end()
