"""The care rows about doors, on the assembled controller: a key for a stuck one, a switch that is cut, out of service."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controller.controller_site import end_all, slip, wait_for
from tests.controller.hands import LABELS, close, open_door, rest, sign_in
from tests.controller.stage import LONG_OPEN_S, Stage
from wire.badges import CommandCard

pytestmark = pytest.mark.slow

ALARM_S = 2.0
"""The promise of A-07: a break-in is an alarm within this time."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A site that is not started yet, and has no hub."""
    yield Stage(tmp_path)
    end_all()


def alarms(stage: Stage) -> list[tuple[str, str]]:
    return [(alarm["alarm"], alarm["compartment"]) for alarm in stage.view["alarms"]]


def put_behind(stage: Stage, known: str) -> str:
    """Staff put the parcel in their hands behind the door that opens for it."""
    label = open_door(stage)
    stage.put_and_close(label, known)
    wait_for(lambda: stage.task() == {}, "the parcel to be put away")
    return label


def test_m_09_a_stuck_door_is_opened_with_the_key_by_who_said_so_and_its_parcel_opens_with_the_same_slip(
    stage: Stage,
) -> None:
    """Slip → the door is stuck → staff say *key* → it opens: no alarm → empty → another door → the same slip opens that."""
    known = stage.stored(1, "1", LABELS[1])
    stage.start(inside={"1": known})
    stage.break_("1", "jam")
    stage.scan(slip(1))
    stage.wait_fact("opening_failed", compartment="1")
    sign_in(stage)
    stage.press("key_opening", compartment="1")
    wait_for(lambda: stage.task().get("step") == "open_with_key", "to be asked for the key")
    said = stage.all("key_opening_declared")[-1]
    assert (said["compartment"], said["by"]) == ("1", "amina")
    stage.site.act("doors/1", "open")
    stage.wait_fact("door_opened", compartment="1", session=said["session"])
    stage.take_and_close("1")
    wait_for(lambda: stage.task().get("step") == "ask_empty", "the question")
    assert not stage.knows("alarm_raised", alarm="door_forced"), "whoever opens with the key is no burglar"
    stage.card(CommandCard.EMPTY)
    label = put_behind(stage, known)
    assert label != "1"
    stage.press("sign_out")
    rest(stage)
    pulses = len(stage.pulses())
    stage.scan(slip(1))
    wait_for(lambda: [pulse["label"] for pulse in stage.pulses()[pulses:]] == [label], "the other door")
    stage.end()


def test_m_09_a_door_opened_before_anybody_said_so_is_an_alarm_at_once_and_explained_with_the_sensors_time(
    stage: Stage,
) -> None:
    known = stage.stored(1, "1", LABELS[1])
    stage.start(inside={"1": known})
    begun = time.monotonic()
    stage.site.act("doors/1", "open")
    stage.wait_fact("alarm_raised", alarm="door_forced", compartment="1")
    assert time.monotonic() - begun <= ALARM_S
    since_ms = next(alarm["since_ms"] for alarm in stage.view["alarms"] if alarm["alarm"] == "door_forced")
    sign_in(stage)
    stage.press("key_opening", compartment="1")
    stage.wait_fact("key_opening_declared", compartment="1", opened_ms=since_ms, open=True, by="amina")
    stage.wait_fact("alarm_cleared", alarm="door_forced", compartment="1", by="amina")
    time.sleep(LONG_OPEN_S)
    close(stage, "1")
    wait_for(lambda: stage.task().get("step") == "ask_empty", "the question what lies there")
    assert stage.compartment("1")["occupancy"] == "unknown", "a word is no proof of what lies there"
    stage.press("not_empty")
    wait_for(lambda: stage.compartment("1")["occupancy"] == "occupied", "what staff saw")
    stage.end()


def test_m_09_a_key_said_for_one_door_excuses_no_other_and_no_second_opening(stage: Stage) -> None:
    stage.start()
    sign_in(stage)
    stage.press("key_opening", compartment="3")
    wait_for(lambda: stage.task().get("step") == "open_with_key", "to be asked for the key")
    stage.site.act("doors/2", "open")
    wait_for(lambda: alarms(stage) == [("door_forced", "2")], "the alarm of the other door")
    stage.site.act("doors/3", "open")
    wait_for(lambda: stage.task().get("step") == "take_back", "the door that was spoken of")
    time.sleep(LONG_OPEN_S)
    close(stage, "3")
    wait_for(lambda: stage.task().get("step") == "ask_empty", "the question")
    stage.press("empty")
    wait_for(lambda: stage.task() == {}, "it to be done")
    time.sleep(2.1)  # What opens sooner had not latched.
    stage.site.act("doors/3", "open")
    wait_for(lambda: ("door_forced", "3") in alarms(stage), "the alarm of the second opening")
    stage.end()
