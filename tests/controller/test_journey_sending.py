"""Row C-32 on the assembled controller: a customer hands in a parcel at a real process, pty, panel, journal and simulated doors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controller.controller_site import end_all, wait_for
from tests.controller.hands import close, rest, sign_in
from tests.controller.stage import LONG_OPEN_S, SHORT, Stage
from wire.badges import CommandCard

pytestmark = pytest.mark.slow

RETURN_LABEL = "8N00234584108"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A site that is not started yet."""
    yield Stage(tmp_path)
    end_all()


def desk_makes_slip(stage: Stage) -> tuple[str, str]:
    """Staff scan the label of what is to be sent, and give the slip to its sender: the parcel, and the text of the slip."""
    sign_in(stage)
    stage.press("sending", value="La Poste")
    wait_for(lambda: stage.staff_notice() == "sending_next", "the word to scan its label")
    stage.scan(RETURN_LABEL)
    made = wait_for(lambda: stage.view["staff"]["slip"], "the slip")
    assert made["sends"]
    stage.press("sign_out")
    wait_for(lambda: stage.view["staff"]["person"] == "", "the desk to be left")
    return made["parcel"], made["qr_text"]


def open_for(stage: Stage, parcel: str, text: str, size: str = "S") -> str:
    """The slip, the size: the door that opens."""
    stage.scan(text)
    wait_for(lambda: stage.screen() == "choose_size", "the sizes")
    assert stage.view["customer"]["sizes"]
    stage.press("send_size", value=size, parcel=parcel)
    wait_for(lambda: stage.screen() == "put_in", "the open door")
    return str(stage.view["customer"]["compartment"])


def put_and_be_asked(stage: Stage, label: str, parcel: str) -> None:
    stage.put_and_close(label, parcel)
    wait_for(lambda: stage.screen() == "ask_inside", "the question")


def test_c_32_a_parcel_is_handed_in_with_a_slip_and_only_a_yes_stores_it(stage: Stage) -> None:
    stage.start()
    parcel, text = desk_makes_slip(stage)
    label = open_for(stage, parcel, text)
    put_and_be_asked(stage, label, parcel)
    assert stage.compartment(label)["occupancy"] == "reserved"
    stage.press("send_inside", parcel=parcel)
    wait_for(lambda: stage.notice() == "handed_in", "the thanks")
    assert stage.compartment(label)["occupancy"] == "occupied"
    assert stage.knows("parcel_stored", parcel=parcel, place={"kind": "compartment", "name": label}, by="")
    sign_in(stage)
    (known,) = [one for one in stage.view["staff"]["parcels"] if one["parcel"] == parcel]
    assert (known["to_retrieve"], known["sending"], known["carrier"]) == (True, True, "La Poste")
    stage.end()


def test_c_32_cancel_after_a_door_cycle_leaves_it_unknown_the_slip_dead_and_staff_look_first(stage: Stage) -> None:
    stage.start()
    parcel, text = desk_makes_slip(stage)
    label = open_for(stage, parcel, text)
    time.sleep(LONG_OPEN_S)
    close(stage, label)
    wait_for(lambda: stage.screen() == "ask_inside", "the question")
    stage.press("send_not_inside", parcel=parcel)
    wait_for(lambda: stage.compartment(label)["occupancy"] == "unknown", "the compartment to be unknown")
    stage.wait_fact("staff_called", reason="send_look_first", compartment=label)
    pulses = len(stage.pulses())
    time.sleep(3.1)
    stage.scan(text)
    wait_for(lambda: stage.notice() == "ask_desk", "the way to the desk")
    assert len(stage.pulses()) == pulses
    sign_in(stage)
    stage.press("check", compartment=label)
    wait_for(lambda: stage.door(label) == "open", "the door for staff")
    time.sleep(LONG_OPEN_S)
    close(stage, label)
    wait_for(lambda: stage.task().get("step") == "ask_empty", "the question to staff")
    stage.card(CommandCard.EMPTY)
    wait_for(lambda: stage.compartment(label)["occupancy"] == "free", "the compartment to be free")
    stage.scan(text)
    wait_for(lambda: stage.screen() == "choose_size", "the slip to be good again")
    stage.end()


def test_c_32_no_answer_leaves_it_unknown_and_calls_staff(stage: Stage) -> None:
    stage.start()
    parcel, text = desk_makes_slip(stage)
    label = open_for(stage, parcel, text)
    put_and_be_asked(stage, label, parcel)
    stage.wait_fact("reservation_released", compartment=label, verified_empty=False)
    stage.wait_fact("staff_called", reason="send_look_first", compartment=label)
    assert stage.compartment(label)["occupancy"] == "unknown"
    stage.end()


def test_c_32_too_small_opens_a_larger_door_and_the_first_is_unknown(stage: Stage) -> None:
    stage.start()
    parcel, text = desk_makes_slip(stage)
    small = open_for(stage, parcel, text)
    stage.press("send_bigger", parcel=parcel)
    wait_for(lambda: stage.screen() == "close_door", "the word to shut it")
    rest(stage)
    close(stage, small)
    wait_for(lambda: stage.screen() == "put_in" and stage.view["customer"]["compartment"] != small, "a larger door")
    large = str(stage.view["customer"]["compartment"])
    assert stage.compartment(large)["size"] != stage.compartment(small)["size"]
    put_and_be_asked(stage, large, parcel)
    stage.press("send_inside", parcel=parcel)
    wait_for(lambda: stage.notice() == "handed_in", "the thanks")
    assert (stage.compartment(small)["occupancy"], stage.compartment(large)["occupancy"]) == ("unknown", "occupied")
    stage.end()


def test_c_32_a_door_that_stays_shut_is_suspect_and_another_one_opens(stage: Stage) -> None:
    stage.start()
    parcel, text = desk_makes_slip(stage)
    stage.scan(text)
    wait_for(lambda: stage.screen() == "choose_size", "the sizes")
    small = [box["label"] for box in stage.view["bank"] if box["size"] == "S"]
    stage.break_(small[0], "jam")
    for label in small[1:]:
        stage.break_(label, "jam")
    stage.press("send_size", value="S", parcel=parcel)
    stage.wait_fact("service_set", service="suspect")
    wait_for(
        lambda: stage.screen() in {"put_in", "opening", "push_door"} or stage.notice() == "ask_desk",
        "another door, or the desk",
    )
    wait_for(lambda: stage.knows("opening_failed", purpose="send"), "the door that failed", 30)
    released = stage.all("reservation_released")
    assert released[0]["verified_empty"], "it was never seen open: nothing went in"
    stage.end()


@pytest.mark.parametrize("step", ["open", "asked"])
def test_c_32_a_power_cut_frees_nothing_and_opens_nothing_more(tmp_path: Path, step: str) -> None:
    stage = Stage(tmp_path, settings=SHORT)
    stage.start()
    parcel, text = desk_makes_slip(stage)
    label = open_for(stage, parcel, text)
    if step == "asked":
        put_and_be_asked(stage, label, parcel)
    stage.kill()
    stage.start()
    wait_for(lambda: stage.compartment(label)["occupancy"] == "unknown", "the compartment to be unknown")
    if step == "open":
        stage.wait_fact("alarm_raised", alarm="open_at_boot", compartment=label)
        stage.put_and_close(label, parcel)
        stage.wait_fact("alarm_cleared", alarm="open_at_boot", compartment=label)
    stage.scan(text)
    wait_for(lambda: stage.notice() == "ask_desk", "the way to the desk")
    assert stage.compartment(label)["occupancy"] == "unknown"
    stage.end()
    end_all()
