"""Rows of the customer who is not served by a door at once, on the assembled controller: late, early, offline, beside an open door."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.controller.controller_site import NUMBER, end_all, parcel, slip, wait_for
from tests.controller.stage import BADGE, SHORT, Stage, digits
from tests.controller.test_journey_customer import REPEAT_S, collect
from wire import facts as f
from wire.damm import check_digit
from wire.ids import Label, ParcelId, PlaceKind, ReachZone, SizeClass
from wire.pickup import PickupKey, qr_text
from wire.plan import Intent, PlannedParcel

pytestmark = pytest.mark.slow
LONG_AGO_MS = -20 * 365 * 86_400_000
"""A board without a battery starts in the past."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A site that is not started yet."""
    yield Stage(tmp_path)
    end_all()


def test_c_06_after_the_grace_staff_decide_and_their_word_opens_once_more(tmp_path: Path) -> None:
    """Between the grace and the end of the dispute window no slip opens by itself: the call waits, staff open it again."""
    settings = msgspec.structs.replace(SHORT, reopen_grace_ms=1_000, dispute_ms=60_000)
    stage = Stage(tmp_path, settings=settings)
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    collect(stage, 1, "1")
    time.sleep(REPEAT_S)
    stage.scan(slip(1))
    stage.wait_fact("staff_called", reason="reopen_asked", parcel=known, compartment="1")
    wait_for(lambda: stage.notice() == "ask_desk", "the way to the desk")
    assert len(stage.pulses()) == 1
    stage.scan(BADGE)
    (call,) = wait_for(lambda: stage.view["staff"]["calls"], "the call on the staff screen")
    assert (call["reason"], call["parcel"], call["compartment"]) == ("reopen_asked", known, "1")
    stage.press("reopen", compartment="1")
    stage.wait_fact("opening_ordered", purpose="reopen", by="amina", parcel=known, compartment="1")
    wait_for(lambda: stage.door("1") == "open", "the door again")
    assert stage.knows("staff_answered", reason="reopen_asked", by="amina")
    wait_for(lambda: not stage.view["staff"]["calls"], "the call to be over")
    stage.take_and_close("1")
    stage.end()
    assert not stage.knows("parcel_collected"), "the window starts anew with the door"
    end_all()


def test_c_06_a_dispute_reaches_staff_with_the_parcel_it_is_about(stage: Stage) -> None:
    """*Already collected on … at …*, the button, and the call on the staff screen until somebody answered it."""
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    collect(stage, 1, "1")
    stage.wait_fact("parcel_collected", parcel=known)
    time.sleep(REPEAT_S)
    stage.scan(slip(1))
    wait_for(lambda: stage.notice() == "already_collected", "what became of it")
    stage.press("dispute", parcel=known)
    stage.wait_fact("staff_called", reason="dispute", parcel=known)
    wait_for(lambda: stage.notice() == "called", "the word that somebody comes")
    stage.scan(BADGE)
    (call,) = wait_for(lambda: stage.view["staff"]["calls"], "the call on the staff screen")
    stage.press("answer_call", value=call["reason"], parcel=call["parcel"])
    stage.wait_fact("staff_answered", reason="dispute", by="amina", parcel=known)
    stage.end()


def test_c_07_a_door_left_open_is_announced_then_an_alarm_and_its_compartment_is_not_given_away(stage: Stage) -> None:
    """Light and ticking after T_take, staff alarm after T_alarm; closed at last, what is inside is unknown and stays so."""
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    stage.scan(slip(1))
    stage.opens("1")
    shown = wait_for(lambda: stage.was_shown("close_door"), "the word to close it")
    assert shown["compartment"] == "1"
    stage.wait_fact("alarm_raised", alarm="door_left_open", compartment="1")
    wait_for(lambda: [a["alarm"] for a in stage.view["alarms"]] == ["door_left_open"], "the alarm on the screens")
    stage.take_and_close("1")
    stage.wait_fact("occupancy_set", compartment="1", occupancy="unknown", reason="door_left_open")
    stage.wait_fact("alarm_cleared", alarm="door_left_open", compartment="1")
    stage.wait_fact("parcel_collected", parcel=known)
    assert stage.compartment("1")["occupancy"] == "unknown", "nobody saw who took it"
    stage.scan(BADGE)
    wait_for(lambda: stage.view["staff"]["person"] == "amina", "staff")
    stage.press("size", value="S")
    stage.scan("8N00234584108")
    label = wait_for(lambda: stage.task().get("compartment"), "another door")
    assert label != "1"
    stage.opens(label)
    stage.put_and_close(label, "x")
    stage.wait_fact("parcel_stored")
    stage.end()


def test_c_08_the_next_customer_is_served_while_the_first_door_stays_announced(stage: Stage) -> None:
    """Somebody walks away from an open door: the next slip opens its own, and staff still hear of the first."""
    first, second = stage.stored(1, "1"), stage.stored(2, "2")
    stage.start(inside={"1": first, "2": second})
    stage.scan(slip(1))
    stage.opens("1")
    stage.scan(slip(2))
    stage.opens("2")
    assert stage.door("1") == "open"
    wait_for(lambda: stage.view["customer"]["compartment"] == "2", "the second customer's own door on the screen")
    stage.take_and_close("2")
    stage.wait_fact("parcel_taken", parcel=second)
    stage.wait_fact("alarm_raised", alarm="door_left_open", compartment="1")
    wait_for(lambda: [a["compartment"] for a in stage.view["alarms"]] == ["1"], "the first door on the staff's list")
    assert not stage.knows("parcel_taken", parcel=first)
    stage.site.act("doors/1", "close")
    stage.wait_fact("alarm_cleared", alarm="door_left_open", compartment="1")
    stage.end()


def test_c_13_a_parcel_called_back_says_that_it_is_still_here_and_opens_nothing(stage: Stage) -> None:
    """The hold is over, the parcel still behind its door: the customer hears so, and staff are called."""
    known = stage.stored(1, "1")
    recalled = PlannedParcel(id=known, version=1, size=SizeClass.S, intent=Intent.RECALL)
    stage.write((f.PlanApplied(incarnation=1, revision=9, hash="x", upserted=(recalled,)),))
    stage.start(inside={"1": known})
    stage.scan(slip(1))
    wait_for(lambda: stage.notice() == "recalled", "that it is still here")
    assert stage.knows("staff_called", reason="recalled", parcel=known, compartment="1")
    stage.type(digits(1))
    time.sleep(0.5)
    assert stage.pulses() == []
    assert stage.compartment("1")["occupancy"] == "occupied"
    stage.end()


def test_c_13_a_parcel_already_removed_says_that_it_is_here_no_more(stage: Stage) -> None:
    """Staff took it out: the slip does not send anybody to a door, and is not called used."""
    known = stage.stored(1, "1")
    lay = f.Place(kind=PlaceKind.COMPARTMENT, name=Label("1"))
    stage.write((f.ParcelRemoved(parcel=known, place=lay, reason="recalled", by="amina"),))
    stage.start()
    stage.scan(slip(1))
    wait_for(lambda: stage.notice() == "no_longer_here", "that it is here no more")
    assert stage.knows("slip_refused", parcel=known, reason="removed")
    assert stage.pulses() == []
    stage.end()


def test_c_14_a_parcel_announced_or_received_and_not_loaded_is_not_ready_yet(stage: Stage) -> None:
    """The slip came before the parcel: come back later; nothing is spent or counted, and later it opens."""
    known = stage.announced(1, "8N00234584108")
    stage.start()
    stage.scan(slip(1))
    wait_for(lambda: stage.notice() == "not_ready", "come back later")
    assert stage.knows("slip_refused", parcel=known, reason="not_ready")
    assert not stage.knows("attempt_failed")
    assert stage.pulses() == []
    stage.scan(BADGE)
    wait_for(lambda: stage.view["staff"]["person"] == "amina", "staff")
    stage.scan("8N00234584108")
    label = wait_for(lambda: stage.task().get("compartment"), "a door")
    stage.opens(label)
    stage.put_and_close(label, known)
    stage.wait_fact("parcel_stored", parcel=known)
    time.sleep(REPEAT_S)
    stage.scan(slip(1))
    stage.wait_fact("opening_ordered", purpose="collect", parcel=known)
    wait_for(lambda: len(stage.pulses()) == 2, "its door")
    wait_for(lambda: stage.door(label) == "open", "its door open")
    stage.take_and_close(label)
    stage.wait_fact("parcel_taken", parcel=known)
    stage.end()


def test_c_17_an_empty_bucket_shows_the_wait_lets_a_slip_pass_and_staff_can_clear_it(tmp_path: Path) -> None:
    """Even the right digits wait, a valid QR opens at once, and after staff's word the digits open."""
    stage = Stage(tmp_path, settings=msgspec.structs.replace(SHORT, attempts_burst=1))
    first, second = stage.stored(1, "1"), stage.stored(2, "2")
    stage.start(inside={"1": first, "2": second})
    stage.type("10000000001" + check_digit("10000000001"))
    stage.wait_fact("attempt_failed")
    stage.type(digits(1))
    wait_for(lambda: stage.notice() == "wait_to_type", "the wait")
    assert stage.view["customer"]["notice"]["wait_ms"] > 0
    assert stage.view["typed_wait_ms"] > 0
    assert stage.pulses() == []
    collect(stage, 2, "2")
    assert stage.view["typed_wait_ms"] > 0, "a success refills nothing"
    stage.scan(BADGE)
    wait_for(lambda: stage.view["staff"]["person"] == "amina", "staff")
    stage.press("clear_lockout")
    stage.wait_fact("lockout_cleared", by="amina")
    time.sleep(SHORT.pulse_gap_ms / 1000)
    stage.type(digits(1))
    stage.opens("1")
    stage.take_and_close("1")
    stage.wait_fact("parcel_taken", parcel=first)
    stage.end()
    end_all()


def test_c_19_without_a_hub_a_newer_slip_opens_and_a_parcel_not_heard_of_is_told_honestly(stage: Stage) -> None:
    """A slip issued after the last plan is proved by itself; one of a parcel that is not here opens nothing and costs nothing."""
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    assert not stage.view["hub_link"]
    stage.scan(slip(7))
    wait_for(lambda: stage.notice() == "not_ready", "an honest answer")
    assert stage.knows("slip_refused", parcel=parcel(7), reason="not_ready")
    stage.scan(qr_text(bytes(32), PickupKey(NUMBER, parcel(1), 3, 0)))
    wait_for(lambda: stage.notice() == "refused", "a forged newer slip")
    assert not stage.knows("key_replaced")
    stage.scan(slip(1, version=3))
    stage.opens("1")
    stage.wait_fact("key_replaced", parcel=known, version=3, source="slip")
    assert not stage.knows("attempt_failed")
    stage.take_and_close("1")
    stage.wait_fact("parcel_taken", parcel=known)
    stage.end()


def test_c_20_a_clock_that_is_wrong_at_the_start_ends_no_key_and_is_marked(stage: Stage) -> None:
    """No battery, no network: slip and digits open, and every fact says that its time is nobody's."""
    first, second = stage.stored(1, "1"), stage.stored(2, "2")
    stage.start(inside={"1": first, "2": second})
    stage.site.act("clock", {"offset_ms": LONG_AGO_MS, "synchronised": False})
    stage.kill()
    stage.start()
    collect(stage, 1, "1")
    stage.wait_fact("parcel_collected", parcel=first)
    stage.type(digits(2))
    stage.opens("2")
    stage.take_and_close("2")
    stage.wait_fact("parcel_taken", parcel=second)
    trusts = stage.trusts()
    assert trusts[-1] in {"unset", "floor"}, trusts
    stage.end()


def family(stage: Stage, *places: str) -> list[ParcelId]:
    """Parcels of one recipient, each at its place."""
    known = [stage.stored(number + 1, place) for number, place in enumerate(places)]
    planned = tuple(PlannedParcel(id=one, version=1, size=SizeClass.S, group="g7") for one in known)
    stage.write((f.PlanApplied(incarnation=1, revision=9, hash="x", upserted=planned),))
    return known


def test_c_25_one_scan_opens_all_doors_of_one_person_one_after_the_other(stage: Stage) -> None:
    """All doors are on the screen, each opens when the one before was closed, each parcel has a life of its own."""
    first, second, third, shelved = family(stage, "1", "2", "3", "E1")
    stage.start(inside={"1": first, "2": second, "3": third})
    stage.scan(slip(2))
    stage.opens("2")
    wait_for(lambda: stage.screen() == "take", "the first door on the screen")
    assert stage.view["customer"]["doors"] == ["1", "3"]
    assert stage.view["customer"]["also_at_desk"]
    assert stage.knows("staff_called", reason="at_desk", parcel=shelved)
    time.sleep(SHORT.take_ms / 1000 + 0.5)
    assert [pulse["label"] for pulse in stage.pulses()] == ["2"], "the next door waits for the one before"
    for label, later in (("2", "1"), ("1", "3")):
        stage.take_and_close(label)
        stage.opens(later)
    stage.take_and_close("3")
    for known in (first, second, third):
        stage.wait_fact("parcel_collected", parcel=known)
    assert [pulse["label"] for pulse in stage.pulses()] == ["2", "1", "3"]
    assert len({fact["session"] for fact in stage.all("parcel_taken")}) == 3
    assert [fact["form"] for fact in stage.all("opening_ordered")] == ["qr", "group", "group"]
    stage.end()


def test_c_25_a_door_that_fails_and_a_power_cut_leave_the_others_to_the_same_slip(stage: Stage) -> None:
    """The jammed one goes to the desk, the next opens; cut in the middle, the slip opens what is left."""
    first, second, third = family(stage, "1", "2", "3")
    stage.start(inside={"1": first, "2": second, "3": third})
    stage.break_("1", "jam")
    stage.scan(slip(1))
    stage.wait_fact("opening_failed", parcel=first)
    stage.opens("2")
    stage.take_and_close("2")
    stage.wait_fact("parcel_taken", parcel=second)
    stage.kill()
    stage.start()
    assert stage.compartment("3")["occupancy"] == "occupied"
    stage.scan(slip(2))
    wait_for(lambda: stage.knows("opening_ordered", parcel=third), "what is left")
    wait_for(lambda: stage.door("3") == "open" or stage.door("1") == "open", "a door")
    assert not stage.knows("parcel_collected", parcel=first)
    stage.kill()


def test_c_25_a_spent_slip_names_what_still_waits_for_the_same_person_and_opens_nothing(stage: Stage) -> None:
    """They took one parcel; another one came afterwards, and they show the slip they still have."""
    (first,) = family(stage, "1")
    stage.start(inside={"1": first})
    stage.scan(slip(1))
    stage.opens("1")
    stage.take_and_close("1")
    stage.wait_fact("parcel_collected", parcel=first)
    stage.end()
    second = stage.stored(2, "2", group="g7")
    stage.start(inside={"2": second})
    stage.scan(slip(1))
    wait_for(lambda: stage.notice() == "more_waits", "the word that another parcel is here")
    assert [pulse["label"] for pulse in stage.pulses()] == ["1"], "what was collected opens nothing more"
    stage.scan(slip(2))
    stage.opens("2")
    stage.take_and_close("2")
    stage.wait_fact("parcel_taken", parcel=second)
    stage.end()


def test_c_27_a_door_out_of_its_recipients_reach_is_opened_with_staff_and_not_by_the_slip(stage: Stage) -> None:
    """By exception it was put behind a door that this person cannot reach: the machine calls staff, who open it with them."""
    known = stage.stored(1, "5", reach=ReachZone.MID)
    stage.start(inside={"5": known})
    stage.scan(slip(1))
    wait_for(lambda: stage.notice() == "ask_desk", "the way to the desk")
    assert stage.pulses() == []
    assert stage.knows("staff_called", reason="out_of_reach", parcel=known, compartment="5")
    stage.scan(BADGE)
    wait_for(lambda: stage.view["staff"]["calls"], "the call on the staff screen")
    stage.end()


@pytest.mark.parametrize("language", ["ta", "xx"])
def test_c_28_the_slip_chooses_the_language_of_every_screen_of_its_collection(stage: Stage, language: str) -> None:
    """A language that no screen has is handed on as it is: the kiosk shows French and pictures for it."""
    known = stage.stored(1, "1", language=language)
    stage.start(inside={"1": known})
    stage.scan(slip(1))
    stage.opens("1")
    wait_for(lambda: stage.was_shown("take"), "take")
    stage.take_and_close("1")
    wait_for(lambda: stage.notice() == "thanks", "thanks")
    spoken = {view["customer"]["language"] for view in stage.views if view["customer"]["screen"] != "ready"}
    assert spoken == {language}
    stage.end()
