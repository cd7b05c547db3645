"""The inventory of a bank, on the assembled controller: a real process, pty, panel, journal and simulated doors (M-07)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.journal import Journal
from tests.controller.controller_site import SITE, end_all, slip, wait_for
from tests.controller.hands import LABELS, close, rest, sign_in
from tests.controller.stage import Stage
from wire.badges import CommandCard
from wire.ids import ParcelId

pytestmark = pytest.mark.slow

FOREIGN = "8N00234589999"
SHELF = ("A1", "A2", "A3")
"""Of the board of these tests."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A site that is not started yet, and has no hub."""
    yield Stage(tmp_path)
    end_all()


def look(stage: Stage, label: str) -> None:
    """The next door opens by itself; somebody looks, and shuts it."""
    wait_for(lambda: stage.task().get("compartment") == label, f"door {label} to be next")
    stage.opens(label)
    time.sleep(0.5)
    close(stage, label)
    wait_for(lambda: stage.task().get("step") == "ask_empty", "the question")


def at_shelf(stage: Stage, place: str) -> None:
    wait_for(lambda: stage.task().get("shelf_place") == place, "the shelf, after the doors")


def test_m_07_door_by_door_with_the_scanner_alone_it_corrects_the_books_and_ends_in_a_sealed_report(
    stage: Stage,
) -> None:
    """As expected, missing, something else, empty; a customer in between; the report names its line of the journal."""
    there, missing, waiting = (stage.stored(number, str(number), LABELS[number]) for number in (1, 2, 5))
    stage.start(inside={"1": there, "3": ParcelId("something"), "5": waiting})
    sign_in(stage)
    stage.card(CommandCard.INVENTORY)
    wait_for(lambda: stage.task().get("tracking") == LABELS[1], "what is expected behind the first door")
    assert (stage.task()["reconciling"], stage.task()["believed"]) == (True, "occupied")
    look(stage, "1")
    stage.card(CommandCard.AS_EXPECTED)
    look(stage, "2")
    stage.scan(slip(5))  # a customer, while staff think: they go first
    stage.card(CommandCard.EMPTY)
    stage.opens("5")
    assert stage.task() == {}, "no second door opens beside theirs"
    stage.take_and_close("5")
    look(stage, "6")  # it goes on by itself, in the row above first
    stage.card(CommandCard.EMPTY)
    wait_for(lambda: stage.task().get("compartment") == "3", "the next row")
    stage.opens("3")
    stage.scan(FOREIGN)
    wait_for(lambda: stage.staff_notice() == "other_label", "the word that it is another one")
    close(stage, "3")
    wait_for(lambda: stage.task().get("step") == "ask_empty", "the question")
    stage.card(CommandCard.OTHER)
    for label in ("4", "5"):
        look(stage, label)
        stage.press("empty")
    for place in SHELF:
        at_shelf(stage, place)
        stage.press("empty")
    wait_for(lambda: stage.view["staff"]["report"], "the report")
    found = {each["compartment"]: each["found"] for each in stage.all("compartment_reconciled")}
    assert found == {
        "1": "as_expected", "2": "empty", "6": "as_expected", "3": "other", "4": "as_expected", "5": "as_expected",
    }  # fmt: skip
    assert stage.knows("parcel_disputed", parcel=missing, reason="not_found", by="amina")
    assert stage.knows("parcel_collected", parcel=waiting), "whoever came in between has their parcel"
    assert stage.knows("staff_called", reason="found_other", compartment="3")
    assert not stage.knows("parcel_received", tracking=FOREIGN), "what is found stays where it is until it is taken in"
    boxes = {label: stage.compartment(label) for label in "1236"}
    assert {label: box["occupancy"] for label, box in boxes.items()} == {
        "1": "occupied", "2": "free", "3": "unknown", "6": "free",
    }  # fmt: skip
    assert boxes["3"]["service"] == "out_of_service"
    seal = stage.view["staff"]["seal"]
    stage.end()
    journal = Journal(stage.folder / "state" / "journal.db", SITE)
    assert journal.hash_at(seal["seq"]) == seal["hash"], "the paper and the chain name the same line"
    journal.close()


def test_m_07_after_a_power_cut_the_inventory_goes_on_where_it_was_and_the_report_outlives_the_next(
    stage: Stage,
) -> None:
    known = stage.stored(1, "1", LABELS[1])
    stage.start(inside={"1": known})
    sign_in(stage)
    stage.press("reconcile", value="0")
    look(stage, "1")
    stage.press("as_expected")
    stage.opens("2")
    stage.kill()
    stage.start()
    wait_for(lambda: stage.door("2") == "open", "the door to stand as it stood")
    close(stage, "2")
    sign_in(stage)
    wait_for(lambda: stage.view["staff"]["reconciliation"], "the inventory under way")
    run = stage.view["staff"]["reconciliation"]
    assert (run["left"], [each["compartment"] for each in run["looks"]]) == (["2", "6"], ["1"])
    rest(stage)
    stage.press("reconcile")
    wait_for(lambda: stage.task().get("compartment") == "2", "the door that nobody has answered for")
    wait_for(lambda: stage.compartment("2")["door"] == "open", "the door to open")
    time.sleep(0.5)
    close(stage, "2")
    wait_for(lambda: stage.task().get("step") == "ask_empty", "the question")
    stage.card(CommandCard.EMPTY)
    look(stage, "6")
    stage.press("empty")
    wait_for(lambda: stage.view["staff"]["report"], "the report")
    before = (stage.view["staff"]["report"], stage.view["staff"]["seal"])
    stage.kill()
    stage.start()
    sign_in(stage)
    wait_for(lambda: stage.view["staff"]["report"], "the report of the last run")
    assert (stage.view["staff"]["report"], stage.view["staff"]["seal"]) == before
    stage.end()


def test_m_07_the_shelf_is_looked_at_label_by_label_and_an_inventory_ends_with_its_card(stage: Stage) -> None:
    """Two should lie there and one does; a third was laid down and never booked; the card ends it with a place left."""
    there, missing = (stage.stored(number, "A1", LABELS[number]) for number in (1, 2))
    stage.start()
    sign_in(stage)
    stage.press("reconcile", value="shelf")
    wait_for(lambda: stage.task().get("step") == "check_shelf", "the first place of the shelf")
    assert stage.task()["shelf"]["expected"] == [[there, LABELS[1], False], [missing, LABELS[2], False]]
    stage.scan(LABELS[1])
    wait_for(lambda: stage.staff_notice() == "on_its_place", "the word that it is there")
    stage.scan(FOREIGN)
    wait_for(lambda: stage.staff_notice() == "not_of_this_place", "the word that the other one is not")
    stage.card(CommandCard.OTHER)
    wait_for(lambda: stage.knows("shelf_reconciled", place="A1"), "the look")
    (seen,) = stage.all("shelf_reconciled")
    assert (seen["found"], seen["expected"], list(seen["missing"]), list(seen["others"])) == (
        "other",
        2,
        [missing],
        [FOREIGN],
    )
    assert stage.knows("parcel_disputed", parcel=missing, reason="not_found", by="amina")
    assert not stage.knows("parcel_disputed", parcel=there)
    assert stage.knows("staff_called", reason="found_other")
    stage.card(CommandCard.END_INVENTORY)
    wait_for(lambda: stage.view["staff"]["report"], "the report")
    report = stage.view["staff"]["report"]
    assert (report["places"][0]["missing"], report["shelf_left"]) == ([LABELS[2]], ["A2", "A3"])
    stage.end()
