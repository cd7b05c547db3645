"""The loading rows of the journeys, on the assembled controller: a real process, pty, panel, journal and simulated doors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controller.controller_site import end_all, slip, wait_for
from tests.controller.hands import LABELS, REPEAT_S, close, door_for, load, made, open_door, parcel_of, rest, sign_in
from tests.controller.scripted_hub import Hub
from tests.controller.stage import Stage
from tests.tools.debian import need
from tests.tools.mosquitto import Mosquitto
from wire import facts as f
from wire.badges import CommandCard
from wire.ids import SIZE_ORDER, SizeClass
from wire.messages import FactBatch

pytestmark = pytest.mark.slow


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A site that is not started yet."""
    yield Stage(tmp_path)
    end_all()


def test_s_01_an_announced_label_opens_one_door_and_closing_it_stores_the_parcel(stage: Stage) -> None:
    """Scan label → recognised → door of its size opens → put → close → stored, in four facts and one pulse; no key pressed."""
    known = stage.announced(1, LABELS[0], SizeClass.M)
    stage.start()
    sign_in(stage)
    label = door_for(stage, LABELS[0])
    assert stage.compartment(label)["size"] == "M"
    stage.put_and_close(label, known)
    stage.wait_fact("parcel_stored", parcel=known, by="amina")
    wait_for(lambda: stage.staff_notice() == "stored", "the word that it is stored")
    assert stage.compartment(label)["occupancy"] == "occupied"
    (pulse,) = stage.pulses()
    assert pulse["label"] == label
    stage.press("sign_out")
    stage.wait_fact("staff_signed_out", reason="done")
    rest(stage)
    stage.scan(slip(1))
    wait_for(lambda: stage.door(label) == "open", "its slip to open its door")
    stage.take_and_close(label)
    stage.wait_fact("parcel_collected", parcel=known)
    stage.end()
    kinds = stage.kinds()
    assert kinds[:6] == [
        "staff_signed_in", "parcel_received", "compartment_reserved", "opening_ordered", "door_opened", "door_closed",
    ]  # fmt: skip
    assert kinds[6] == "parcel_stored"


def test_s_01_an_unknown_label_is_created_once_its_size_is_said_and_the_next_one_needs_no_key(stage: Stage) -> None:
    """Created at the desk, size by a scanned card; its slip, shown for printing, opens; the size is kept for the next."""
    stage.start()
    sign_in(stage)
    stage.scan(LABELS[1])
    wait_for(lambda: stage.task().get("step") == "choose_size", "the question of its size")
    assert stage.pulses() == []
    stage.card(CommandCard.SIZE_S)
    first = open_door(stage)
    stage.put_and_close(first, LABELS[1])
    printed = wait_for(lambda: stage.view["staff"]["slip"], "a slip to print")
    rest(stage)
    second = load(stage, LABELS[2], LABELS[2])
    assert first != second
    assert {stage.compartment(label)["size"] for label in (first, second)} == {"S"}
    assert [fact["source"] for fact in stage.all("parcel_received")] == ["desk", "desk"]
    stage.press("sign_out")
    rest(stage)
    stage.scan(printed["qr_text"])
    wait_for(lambda: stage.door(first) == "open", "the slip of the desk to open")
    stage.take_and_close(first)
    stage.wait_fact("parcel_taken")
    assert stage.site.world()["contents"][second] == [LABELS[2]], "the other parcel lies where it was put"
    stage.end()


def test_s_03_a_label_in_stock_shows_where_it_is_and_makes_no_second_record(stage: Stage) -> None:
    known = stage.stored(1, "1", LABELS[0])
    stage.start(inside={"1": known})
    sign_in(stage)
    stage.scan(LABELS[0])
    wait_for(lambda: stage.staff_notice() == "already_here", "the word that it is here")
    shown = stage.view["staff"]["notice"]
    assert (shown["parcel"], shown["place"]) == (known, {"kind": "compartment", "name": "1"})
    assert stage.pulses() == []
    assert len(stage.all("parcel_received")) == 1
    stage.end()
    assert stage.kinds() == ["staff_signed_in"]


def test_s_05_too_big_opens_the_next_size_once_the_first_was_seen_empty(stage: Stage) -> None:
    """*Bigger*, take it back, close, *empty?* yes: only then the first is free, and a larger door opens."""
    known = stage.announced(1, LABELS[0], SizeClass.S)
    stage.start()
    sign_in(stage)
    first = door_for(stage, LABELS[0])
    stage.card(CommandCard.BIGGER)
    wait_for(lambda: stage.task().get("step") == "take_back", "the word to take it back")
    rest(stage)
    close(stage, first)
    wait_for(lambda: stage.task().get("step") == "ask_empty", "the question")
    assert stage.compartment(first)["occupancy"] == "reserved", "not free before somebody looked"
    stage.card(CommandCard.EMPTY)
    second = open_door(stage)
    assert second != first
    assert stage.compartment(second)["size"] == "M"
    wait_for(lambda: stage.compartment(first)["occupancy"] == "free", "the first compartment free")
    stage.put_and_close(second, known)
    stage.wait_fact("parcel_stored", parcel=known)
    assert [fact["place"]["name"] for fact in stage.all("parcel_stored")] == [second]
    assert [pulse["label"] for pulse in stage.pulses()] == [first, second]
    stage.end()


def test_s_05_without_an_answer_the_first_compartment_stays_unknown(stage: Stage) -> None:
    stage.announced(1, LABELS[0], SizeClass.S)
    stage.start()
    sign_in(stage)
    first = door_for(stage, LABELS[0])
    stage.press("bigger")
    wait_for(lambda: stage.task().get("step") == "take_back", "the word to take it back")
    close(stage, first)
    wait_for(lambda: stage.compartment(first)["occupancy"] == "unknown", "an honest unknown")
    assert stage.staff_notice() == "left_unknown"
    assert stage.compartment(first)["occupancy"] == "unknown"
    rest(stage)
    second = load(stage, LABELS[0])
    assert second != first, "an unknown compartment is never allotted"
    stage.end()


def test_s_06_a_full_bank_takes_the_next_size_and_then_the_shelf_and_never_ends(stage: Stage) -> None:
    """Small parcels fill every door from small to large; the next goes on the shelf, and its slip says so."""
    stage.start()
    boxes = [box["label"] for box in stage.view["bank"]]
    sign_in(stage)
    stage.card(CommandCard.SIZE_S)
    wait_for(lambda: stage.view["staff"]["last_size"] == "S", "the size to be kept")
    sizes = []
    for number, _ in enumerate(boxes):
        label = load(stage, LABELS[number], LABELS[number])
        sizes.append(stage.compartment(label)["size"])
        rest(stage)
    assert sizes == sorted(sizes, key=[size.value for size in SIZE_ORDER].index)
    assert set(stage.view["staff"]["free_by_size"].values()) == {0}
    pulses = len(stage.pulses())
    stage.scan(LABELS[10])
    task = wait_for(lambda: stage.task().get("step") == "put_on_shelf" and stage.task(), "a shelf place")
    stage.card(CommandCard.DONE)
    wait_for(lambda: stage.task() == {}, "the deposit to be over")
    assert parcel_of(stage, LABELS[10])["place"] == {"kind": "shelf", "name": task["shelf_place"]}
    assert len(stage.pulses()) == pulses == len(boxes)
    slip_text = stage.view["staff"]["slip"]["qr_text"]
    stage.press("sign_out")
    stage.scan(slip_text)
    wait_for(lambda: stage.notice() == "at_desk", "the way to the desk")
    stage.end()


def test_s_09_a_cancelled_deposit_asks_and_frees_only_what_was_seen_empty(stage: Stage) -> None:
    """*Cancel*: closed without a parcel → *empty?*; yes: free, and the parcel is still in hand; its label goes on."""
    known = stage.announced(1, LABELS[0], SizeClass.S)
    stage.start()
    sign_in(stage)
    label = door_for(stage, LABELS[0])
    stage.card(CommandCard.CANCEL)
    close(stage, label)
    wait_for(lambda: stage.task().get("step") == "ask_empty", "the question")
    stage.card(CommandCard.EMPTY)
    wait_for(lambda: stage.compartment(label)["occupancy"] == "free", "a free compartment")
    assert not stage.knows("parcel_stored")
    assert parcel_of(stage, LABELS[0])["state"] == "received"
    time.sleep(REPEAT_S)
    again = load(stage, LABELS[0], known)
    stage.wait_fact("parcel_stored", parcel=known)
    assert len(stage.all("parcel_received")) == 1
    assert stage.compartment(again)["parcel"] == known
    stage.end()


def test_s_09_without_an_answer_the_compartment_is_unknown_and_a_look_inside_settles_it(stage: Stage) -> None:
    stage.announced(1, LABELS[0], SizeClass.S)
    stage.start()
    sign_in(stage)
    label = door_for(stage, LABELS[0])
    stage.press("cancel")
    close(stage, label)
    wait_for(lambda: stage.compartment(label)["occupancy"] == "unknown", "an honest unknown")
    assert not stage.knows("parcel_stored")
    rest(stage)
    stage.press("check", compartment=label)
    wait_for(lambda: stage.compartment(label)["door"] == "open", "the door to look behind")
    close(stage, label)
    wait_for(lambda: stage.task().get("step") == "ask_empty", "the question")
    stage.press("empty")
    wait_for(lambda: stage.compartment(label)["occupancy"] == "free", "a free compartment")
    stage.end()


def test_s_12_with_the_hub_away_everything_works_and_is_told_afterwards_once_and_in_order(tmp_path: Path) -> None:
    """Loading, the slip made here and a pickup while the broker is dead; then every fact, once, in order."""
    broker = Mosquitto(need("mosquitto"), tmp_path / "broker")
    stage = Stage(tmp_path / "site", broker_port=broker.port)
    known = stage.announced(1, LABELS[0], SizeClass.S)
    hub = Hub(broker.port)
    stage.start()
    try:
        wait_for(lambda: hub.seqs()[-1:] == [len(stage.facts())], "the hub to have everything")
        hub.acknowledge(len(stage.facts()))
        broker.kill()
        wait_for(lambda: not stage.view["hub_link"], "the site to see that the line is gone")
        sign_in(stage)
        load(stage, LABELS[0], known)
        rest(stage)
        created = made(stage, LABELS[1])
        printed = wait_for(lambda: stage.view["staff"]["slip"], "a slip made without any hub")
        stage.press("sign_out")
        rest(stage)
        stage.scan(printed["qr_text"])
        wait_for(lambda: stage.door(created) == "open", "the slip made here to open")
        stage.take_and_close(created)
        stage.wait_fact("parcel_collected")
        heard = len(hub.seqs())
        broker.start()
        wait_for(lambda: hub.seqs()[-1:] == [len(stage.facts())], "the hub to be told", 90)
        later = hub.seqs()[heard:]
        assert later == sorted(set(later)), "once, and in order"
        told = [f.kind_of(record.body) for batch in hub.all(FactBatch) for record in batch.facts]
        assert [told.count(kind) for kind in ("parcel_stored", "parcel_collected")] == [2, 1]
        stage.end()
    finally:
        hub.close()
        end_all()
        broker.close()
