"""The loading rows about what goes wrong at the doors, on the assembled controller (S-02, S-04, S-08, S-10, S-13 to S-15)."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from tests.controller.controller_site import ROOT, end_all, parcel, slip, wait_for
from tests.controller.hands import LABELS, close, door_for, load, open_door, parcel_of, rest, sign_in
from tests.controller.stage import Stage
from wire.badges import CommandCard
from wire.ids import ReachZone, SizeClass

pytestmark = pytest.mark.slow

DESK = "desk-8.toml"
"""Two columns from the floor to above the head: the bank with high doors."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A site that is not started yet."""
    yield Stage(tmp_path)
    end_all()


@pytest.fixture
def tall(tmp_path: Path) -> Iterator[Stage]:
    """A bank with high doors, not started yet."""
    yield Stage(tmp_path, board=DESK)
    end_all()


def kiosk_of(stage: Stage) -> tuple[subprocess.Popen[str], str]:
    """The kiosk program beside the lock process of this site; its address."""
    config = stage.folder / "kiosk.toml"
    config.write_text('[panel]\nsocket = "panel.sock"\n[web]\nport = 0\n')
    program = subprocess.Popen(
        [sys.executable, "-m", "controller.kiosk", "--config", str(config)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT, text=True,
    )  # fmt: skip
    assert program.stdout is not None
    return program, urlsplit(program.stdout.readline().split()[1]).netloc


def request(address: str, method: str, path: str, body: object = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        headers = {"Content-Type": "application/json", "Origin": f"http://{address}"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_s_02_an_unreadable_label_is_typed_echoed_with_its_check_digit_and_confirmed(stage: Stage) -> None:
    """Through the kiosk program: a wrong digit is pointed out, nothing happens before *yes*, and it is kept as scanned."""
    known = stage.announced(1, "RR473124829FR", SizeClass.S)
    stage.start()
    program, address = kiosk_of(stage)
    try:
        sign_in(stage)
        wait_for(lambda: "amina" in request(address, "GET", "/staff")[1], "the kiosk to show who is signed in")
        status, said = request(address, "GET", f"/staff/echo?text={quote('rr 473 124 828 fr')}")
        wrong = json.loads(said)
        assert (status, wrong["number"], wrong["shown"]) == (200, "RR473124828FR", "RR47 3124 828F R")
        assert "chiffre de contrôle" in wrong["warning"]
        right = json.loads(request(address, "GET", f"/staff/echo?text={quote('rr 473 124 829 fr')}")[1])
        assert (right["number"], right["warning"]) == ("RR473124829FR", "")
        assert not stage.knows("parcel_received"), "an echo is no deposit"
        assert request(address, "POST", "/staff/input", {"input": "scan", "text": right["number"]})[0] < 300
        label = open_door(stage)
        stage.put_and_close(label, known)
        stage.wait_fact("parcel_stored", parcel=known)
    finally:
        program.terminate()
        program.communicate(timeout=20)
    stage.end()


def test_s_04_a_label_already_collected_stops_and_says_where_and_when(stage: Stage) -> None:
    known = stage.stored(1, "1", LABELS[0])
    stage.start(inside={"1": known})
    stage.scan(slip(1))
    stage.opens("1")
    stage.take_and_close("1")
    stage.wait_fact("parcel_collected", parcel=known)
    sign_in(stage)
    pulses = len(stage.pulses())
    stage.scan(LABELS[0])
    wait_for(lambda: stage.staff_notice() == "already_ended", "the word that it has left")
    shown = stage.view["staff"]["notice"]
    assert (shown["parcel"], shown["tracking"]) == (known, LABELS[0])
    assert shown["place"] == {"kind": "compartment", "name": "1"}
    assert shown["at_ms"] > 0
    assert len(stage.pulses()) == pulses
    assert len(stage.all("parcel_received")) == 1, "no second life under the same label"
    stage.end()


def test_s_08_another_door_that_moved_is_asked_about_and_the_answer_corrects_the_place(stage: Stage) -> None:
    """The parcel lies behind 3, which opened beside the wanted door: its slip opens 3, and the wanted one is unknown."""
    known = stage.announced(1, LABELS[0], SizeClass.S)
    stage.start()
    sign_in(stage)
    label = door_for(stage, LABELS[0])
    stage.site.act("doors/3", "open")
    wait_for(lambda: stage.compartment("3")["door"] == "open", "door 3 seen open")
    stage.put_and_close("3", known)
    wait_for(lambda: stage.compartment("3")["door"] == "closed", "door 3 seen closed")
    close(stage, label)
    task = wait_for(lambda: stage.task().get("step") == "which_door" and stage.task(), "the question")
    assert (task["compartment"], task["touched"]) == (label, ["3"])
    assert not stage.knows("parcel_stored")
    stage.press("in_door", compartment="3")
    stage.wait_fact("parcel_stored", parcel=known, place={"kind": "compartment", "name": "3"})
    wait_for(lambda: stage.compartment(label)["occupancy"] == "unknown", "the wanted compartment to be checked")
    stage.press("sign_out")
    rest(stage)
    stage.scan(slip(1))
    wait_for(lambda: stage.door("3") == "open", "its slip to open the door it lies behind")
    stage.take_and_close("3")
    stage.wait_fact("parcel_collected", parcel=known)
    assert stage.site.world()["contents"]["3"] == []
    stage.end()


def test_s_08_a_second_label_opens_no_second_door_while_one_is_open(stage: Stage) -> None:
    stage.start()
    sign_in(stage)
    stage.card(CommandCard.SIZE_S)
    label = door_for(stage, LABELS[0])
    stage.scan(LABELS[1])
    wait_for(lambda: stage.staff_notice() == "finish_first", "the word to finish first")
    assert [pulse["label"] for pulse in stage.pulses()] == [label]
    stage.put_and_close(label, LABELS[0])
    wait_for(lambda: stage.task() == {}, "the deposit to be over")
    stage.end()


def test_s_10_a_door_that_does_not_latch_is_retried_then_left_and_another_one_takes_the_parcel(stage: Stage) -> None:
    known = stage.announced(1, LABELS[0], SizeClass.S)
    stage.start()
    sign_in(stage)
    first = door_for(stage, LABELS[0])
    stage.break_(first, "no-latch")
    stage.put_and_close(first, known)
    wait_for(lambda: stage.staff_notice() == "not_latched", "the word to push harder")
    assert stage.task()["step"] == "put_in"
    assert parcel_of(stage, LABELS[0])["state"] == "received", "what springs open is not stored"
    close(stage, first)
    wait_for(lambda: stage.staff_notice() == "never_latches", "the word that another door is taken")
    assert stage.compartment(first)["service"] == "suspect"
    stage.site.act(f"contents/{first}", {"take": True})
    rest(stage)
    stage.card(CommandCard.EMPTY)
    second = open_door(stage)
    assert second != first
    assert stage.compartment(second)["size"] == "S"
    stage.put_and_close(second, known)
    wait_for(lambda: parcel_of(stage, LABELS[0]).get("place") == {"kind": "compartment", "name": second}, "it stored")
    assert stage.site.world()["contents"][second] == [known]
    stage.end()


def test_s_14_for_a_person_who_cannot_reach_a_high_door_the_shelf_takes_it(tall: Stage) -> None:
    """Every small and reachable door is taken: it goes to a larger one within reach, and then to the desk, never high."""
    for number, box in enumerate(("2", "3", "6", "7"), 1):
        tall.stored(number, box, LABELS[number])
    known = tall.announced(9, LABELS[9], SizeClass.S, reach=ReachZone.MID)
    tall.start()
    sign_in(tall)
    tall.scan(LABELS[9])
    task = wait_for(lambda: tall.task().get("step") == "put_on_shelf" and tall.task(), "a shelf place")
    assert tall.view["staff"]["free_by_size"]["S"] == 2, "high doors are free"
    assert tall.pulses() == []
    tall.card(CommandCard.DONE)
    tall.wait_fact("parcel_stored", parcel=known, place={"kind": "shelf", "name": task["shelf_place"]})
    tall.end()


def test_s_15_a_heavy_parcel_gets_only_a_door_between_hip_and_shoulder(tall: Stage) -> None:
    """Small and heavy: the two doors at 1.11 m and 0.81 m, then larger ones in between, never 1.41 m nor 0.36 m."""
    for number in range(1, 6):
        tall.announced(number, LABELS[number], SizeClass.S, heavy=True)
    tall.start()
    sign_in(tall)
    used = []
    for number in range(1, 5):
        used.append(load(tall, LABELS[number], LABELS[number]))
        rest(tall)
    assert (sorted(used[:2]), sorted(used[2:])) == (["2", "3"], ["6", "7"])
    tall.scan(LABELS[5])
    wait_for(lambda: tall.task().get("step") == "put_on_shelf", "the shelf rather than a door too low or too high")
    tall.end()


def test_s_13_a_parcel_nobody_can_read_waits_on_the_shelf_without_a_code_until_it_is_identified(stage: Stage) -> None:
    """One card, one card: no label, no slip, given to nobody; identified, it has a slip that leads to the desk."""
    stage.start()
    sign_in(stage)
    stage.card(CommandCard.UNIDENTIFIED)
    task = wait_for(lambda: stage.task().get("step") == "put_on_shelf" and stage.task(), "a shelf place")
    stage.card(CommandCard.DONE)
    stage.wait_fact("parcel_stored", parcel=task["parcel"], place={"kind": "shelf", "name": task["shelf_place"]})
    wait_for(lambda: stage.task() == {}, "the deposit to be over")
    assert stage.view["staff"]["slip"] is None
    assert stage.pulses() == []
    stage.press("hand_over", parcel=task["parcel"])
    wait_for(lambda: stage.staff_notice() == "identify_first", "the word to identify it first")
    stage.press("identified", parcel=task["parcel"])
    printed = wait_for(lambda: stage.view["staff"]["slip"], "a slip to print")
    stage.press("sign_out")
    stage.wait_fact("staff_signed_out", reason="done")
    stage.scan(printed["qr_text"])
    wait_for(lambda: stage.notice() == "at_desk", "the way to the desk")
    stage.end()


def test_s_14_a_parcel_moves_up_so_that_a_person_gets_the_door_they_can_reach(tall: Stage) -> None:
    """With the cards alone: out of 2, into a high door, then the one in hand into 2; each in one place at any time."""
    for number, box in enumerate(("2", "3", "6", "7"), 1):
        tall.stored(number, box, LABELS[number])
    known = tall.announced(9, LABELS[9], SizeClass.S, reach=ReachZone.MID)
    movable = parcel(1)
    tall.start(inside={"2": movable})
    sign_in(tall)
    tall.scan(LABELS[9])
    task = wait_for(lambda: tall.task().get("step") == "put_on_shelf" and tall.task(), "a shelf place")
    assert task["room"] == "2"
    rest(tall)
    tall.card(CommandCard.MAKE_ROOM)
    wait_for(lambda: tall.door("2") == "open" and tall.compartment("2")["door"] == "open", "door 2 to open")
    rest(tall)
    tall.site.act("contents/2", {"take": True})
    close(tall, "2")
    wait_for(lambda: tall.task().get("step") == "ask_empty", "the question")
    tall.card(CommandCard.EMPTY)
    high = open_door(tall)
    assert tall.compartment(high)["reach"] == "high"
    tall.put_and_close(high, movable)
    tall.wait_fact("parcel_stored", parcel=movable, place={"kind": "compartment", "name": high})
    wait_for(lambda: tall.task().get("parcel") == known, "the parcel for which room was made")
    if tall.task()["step"] == "choose_size":  # The bank rests between two pulses.
        rest(tall)
        tall.card(CommandCard.SIZE_S)
    assert open_door(tall) == "2"
    tall.put_and_close("2", known)
    tall.wait_fact("parcel_stored", parcel=known, place={"kind": "compartment", "name": "2"})
    world = tall.site.world()["contents"]
    assert (world["2"], world[high]) == ([known], [movable])
    tall.end()


def test_s_15_heavy_is_said_with_a_card_before_the_label_or_after_the_size(tall: Stage) -> None:
    tall.start()
    sign_in(tall)
    tall.card(CommandCard.SIZE_S)
    tall.card(CommandCard.HEAVY)
    before = load(tall, LABELS[1], LABELS[1])
    assert before in {"2", "3"}, "hip or shoulder, although a high door is what anybody else gets"
    rest(tall)
    high = door_for(tall, LABELS[2])
    assert tall.compartment(high)["reach"] == "high"
    tall.card(CommandCard.HEAVY)
    wait_for(lambda: tall.task().get("step") == "take_back", "the word to take it back")
    rest(tall)
    close(tall, high)
    wait_for(lambda: tall.task().get("step") == "ask_empty", "the question")
    tall.card(CommandCard.EMPTY)
    after = open_door(tall)
    assert {before, after} == {"2", "3"}
    tall.put_and_close(after, LABELS[2])
    wait_for(lambda: tall.task() == {}, "the deposit to be over")
    assert [fact["heavy"] for fact in tall.all("parcel_noted")] == [True, True]
    tall.end()
