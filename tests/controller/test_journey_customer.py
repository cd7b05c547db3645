"""The customer's rows of the journeys, on the assembled controller: a real process, pty, panel, journal and simulated doors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.controller.controller_site import NUMBER, end_all, parcel, slip, wait_for
from tests.controller.hands import rest, sign_in
from tests.controller.scripted_hub import Hub
from tests.controller.stage import BADGE, COLOMBES, SHORT, Stage, digits
from tests.tools.debian import need
from tests.tools.mosquitto import Mosquitto
from wire import facts as f
from wire.badges import CommandCard
from wire.damm import check_digit
from wire.messages import FactBatch
from wire.pickup import PickupKey, qr_text
from wire.plan import Settings

pytestmark = pytest.mark.slow
PULSE_MS = 300
CAP_MS = 600
REPEAT_S = 3.1
"""A reader in continuous mode repeats a text; a person who scans again does so after this long."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A site that is not started yet."""
    yield Stage(tmp_path)
    end_all()


def collect(stage: Stage, number: int, label: str) -> None:
    stage.scan(slip(number))
    stage.opens(label)
    stage.take_and_close(label)
    stage.wait_fact("parcel_taken", parcel=parcel(number))


def test_c_01_a_valid_code_opens_its_door_once_and_ends_as_collected(stage: Stage) -> None:
    """Feedback, one pulse of the right length, door seen open, closed, collecting, then collected; compartment free."""
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    stage.scan(slip(1))
    wait_for(lambda: stage.was_shown("opening") or stage.was_shown("take"), "the door's number on the screen")
    stage.opens("1")
    shown = wait_for(lambda: stage.was_shown("take"), "take")
    assert shown["compartment"] == "1"
    stage.take_and_close("1")
    stage.wait_fact("parcel_taken", parcel=known)
    assert not stage.knows("parcel_collected")
    stage.wait_fact("parcel_collected", parcel=known)
    wait_for(lambda: stage.compartment("1")["occupancy"] == "free", "a free compartment")
    (pulse,) = stage.pulses()
    assert pulse["label"] == "1"
    assert PULSE_MS <= pulse["on_ms"] <= CAP_MS
    stage.end()
    assert stage.kinds() == ["opening_ordered", "door_opened", "door_closed", "parcel_taken", "parcel_collected"]


def test_c_02_a_door_not_seen_open_is_pulsed_again_with_a_word_to_push_it(stage: Stage) -> None:
    """The second pulse comes after the pause between pulses, the screen says to push; then as C-01."""
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    stage.break_("1", "jam")
    stage.scan(slip(1))
    wait_for(lambda: len(stage.pulses()) == 2, "the second pulse")
    shown = wait_for(lambda: stage.was_shown("push_door"), "the word to push")
    assert shown["compartment"] == "1"
    stage.break_("1", "clear")
    stage.opens("1")
    stage.take_and_close("1")
    stage.wait_fact("parcel_collected", parcel=known)
    pulses = stage.pulses()
    assert len(pulses) <= 3
    assert {pulse["label"] for pulse in pulses} == {"1"}
    starts = [pulse["at_ms"] for pulse in pulses]
    assert all(later - earlier >= 1_400 for earlier, later in pairwise(starts))
    assert [fact["pulse"] for fact in stage.all("opening_ordered")] == list(range(1, len(pulses) + 1))
    stage.end()


def test_c_03_a_door_that_never_opens_burns_no_code(stage: Stage) -> None:
    """Three pulses, then: code still valid, compartment suspect, staff alerted, customer told to ask; parcel still stored."""
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    stage.break_("1", "jam")
    stage.scan(slip(1))
    stage.wait_fact("opening_failed", parcel=known, reason="not_seen_open", pulses=3)
    wait_for(lambda: stage.notice() == "ask_desk", "the way to the desk")
    assert len(stage.pulses()) == 3
    assert stage.compartment("1")["service"] == "suspect"
    assert stage.compartment("1")["occupancy"] == "occupied"
    assert [alarm["alarm"] for alarm in stage.view["alarms"]] == ["latch_failed"]
    assert stage.knows("staff_called", reason="door_failed", parcel=known)
    stage.break_("1", "clear")
    time.sleep(REPEAT_S)
    collect(stage, 1, "1")
    stage.end()


def test_c_04_a_driver_that_fails_burns_no_code(stage: Stage) -> None:
    """As C-03, at once: the coil never moved."""
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    stage.break_("1", "driver-error")
    stage.scan(slip(1))
    stage.wait_fact("opening_failed", parcel=known, reason="driver_error")
    wait_for(lambda: stage.notice() == "ask_desk", "the way to the desk")
    assert stage.compartment("1")["service"] == "suspect"
    assert stage.site.world()["coils"]["1"] == "off"
    stage.break_("1", "clear")
    time.sleep(REPEAT_S)
    collect(stage, 1, "1")
    stage.end()


def test_c_05_a_door_closed_at_once_opens_again_in_the_same_session_and_is_counted(tmp_path: Path) -> None:
    """Opened, closed within the quick-close time; scanned again inside the grace: same session, counted (ADR 0008)."""
    settings = Settings(quick_close_ms=5_000, reopen_grace_ms=60_000, dispute_ms=60_000)
    stage = Stage(tmp_path, settings=settings)
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    stage.scan(slip(1))
    stage.opens("1")
    stage.site.act("doors/1", "close")
    stage.wait_fact("door_closed", compartment="1")
    wait_for(lambda: stage.notice() == "quick_close", "the question whether it is still inside")
    time.sleep(REPEAT_S)
    stage.scan(slip(1))
    wait_for(lambda: len(stage.pulses()) == 2, "the second pulse")
    wait_for(lambda: stage.door("1") == "open", "the door again")
    ordered = stage.all("opening_ordered")
    assert [fact["purpose"] for fact in ordered] == ["collect", "reopen"]
    assert len({fact["session"] for fact in ordered}) == 1
    assert not stage.knows("parcel_taken")
    assert stage.compartment("1")["occupancy"] == "unknown"
    stage.site.act("doors/1", "close")
    stage.end()
    end_all()


def at_open_door(stage: Stage) -> str:
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    stage.scan(slip(1))
    stage.opens("1")
    wait_for(lambda: stage.was_shown("take"), "take")
    return known


def test_c_09_a_compartment_found_empty_is_disputed_and_out_of_service_until_staff_looked(stage: Stage) -> None:
    """*It is empty* at the open door: no key opens it any more, staff are called with the door's last events."""
    known = at_open_door(stage)
    stage.press("found_empty", compartment="1")
    stage.wait_fact("parcel_disputed", parcel=known, reason="found_empty")
    wait_for(lambda: stage.screen() == "close_door", "the word to close the door")
    stage.site.act("doors/1", "close")
    wait_for(lambda: stage.notice() == "found_empty", "the way to the desk")
    assert stage.compartment("1")["service"] == "out_of_service"
    assert stage.compartment("1")["occupancy"] == "unknown"
    assert stage.knows("staff_called", reason="found_empty", parcel=known, compartment="1")
    time.sleep(REPEAT_S)
    stage.scan(slip(1))
    wait_for(lambda: stage.notice() == "ask_desk", "the way to the desk again")
    assert len(stage.pulses()) == 1
    stage.scan(BADGE)
    (call,) = wait_for(lambda: stage.view["staff"]["calls"], "the call on the staff screen")[:1]
    assert [(event["kind"], event["session"] != "") for event in call["events"]] == [
        ("ordered", True),
        ("opened", True),
        ("closed", True),
    ]
    assert all(event["at_ms"] > 0 for event in call["events"])
    assert not stage.knows("parcel_taken")
    stage.end()


def test_c_10_a_damaged_parcel_put_back_is_behind_a_door_for_staff_only(stage: Stage) -> None:
    """Report, put back, close: disputed, the content unknown until staff looked, and the slip opens nothing."""
    known = at_open_door(stage)
    stage.press("damaged", compartment="1")
    stage.wait_fact("parcel_disputed", parcel=known, reason="damaged")
    wait_for(lambda: stage.screen() == "put_back", "the word to put it back")
    stage.site.act("doors/1", "close")
    wait_for(lambda: stage.notice() == "damaged", "the way to the desk")
    assert stage.compartment("1")["service"] == "in_service"
    assert stage.compartment("1")["occupancy"] == "unknown"
    time.sleep(REPEAT_S)
    stage.scan(slip(1))
    wait_for(lambda: stage.notice() == "ask_desk", "the way to the desk again")
    assert len(stage.pulses()) == 1
    stage.end()
    assert "parcel_taken" not in stage.kinds()


def test_c_31_a_refused_parcel_stays_behind_its_door_for_its_return(stage: Stage) -> None:
    """*I do not want it*: put back, close; refused, on the list of what goes back, and taken out by staff."""
    known = at_open_door(stage)
    stage.press("refuse", compartment="1")
    stage.wait_fact("parcel_refused", parcel=known)
    stage.site.act("doors/1", "close")
    wait_for(lambda: stage.notice() == "refused_parcel", "what becomes of it")
    stage.scan(BADGE)
    (listed,) = wait_for(lambda: [p for p in stage.view["staff"]["parcels"] if p["parcel"] == known], "the list")
    assert listed["state"] == "refused"
    time.sleep(REPEAT_S)
    stage.press("remove", parcel=known)
    stage.opens("1")
    stage.take_and_close("1")
    wait_for(lambda: stage.task().get("step") == "ask_empty", "the question")
    stage.card(CommandCard.EMPTY)
    stage.wait_fact("parcel_removed", parcel=known, reason="refused")
    wait_for(lambda: stage.compartment("1")["occupancy"] == "free", "a free compartment")
    stage.end()


def test_c_11_an_unknown_code_gets_one_neutral_answer_and_no_hint(stage: Stage) -> None:
    """A forged slip, a slip of a parcel nobody knows, a guessed number: nothing opens; guesses are counted."""
    stage.start()
    forged = qr_text(bytes(32), PickupKey(NUMBER, parcel(1), 1, 0))
    stage.scan(forged)
    wait_for(lambda: stage.notice() == "refused", "the refusal")
    before = len(stage.views)
    guess = "12345678901" + check_digit("12345678901")
    stage.type(guess)
    stage.wait_fact("attempt_failed")
    wait_for(lambda: len(stage.views) > before and stage.notice() == "refused", "the same refusal")
    assert stage.view["customer"]["notice"]["parcel"] is None
    stage.type("111111111111")
    wait_for(lambda: stage.notice() == "check_digits", "a slip of the finger is named")
    assert len(stage.all("attempt_failed")) == 1, "a wrong check digit costs no attempt"
    assert stage.pulses() == []
    assert stage.kinds() == ["attempt_failed"]
    stage.end()


def test_c_11_guesses_are_locked_out_and_a_slip_still_opens(stage: Stage) -> None:
    """The bucket empties after its burst, even over a restart; a valid QR passes by it (I-22, I-23)."""
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    for number in range(8):
        eleven = f"{10_000_000_000 + number}"
        stage.type(eleven + check_digit(eleven))
        wait_for(lambda: len(stage.all("attempt_failed")) == number + 1, "the count")  # noqa: B023 called here
    stage.kill()
    stage.start()
    stage.type("99999999999" + check_digit("99999999999"))
    wait_for(lambda: stage.notice() == "wait_to_type", "the wait")
    assert stage.view["customer"]["notice"]["wait_ms"] > 0
    assert len(stage.all("attempt_failed")) == 8
    collect(stage, 1, "1")
    stage.end()


def test_c_12_a_code_of_another_site_names_that_site_and_is_no_attack(stage: Stage) -> None:
    """Site name and address are given; nothing is counted."""
    stage.start()
    stage.scan(qr_text(bytes(range(1, 33)), PickupKey(COLOMBES.number, parcel(5), 1, 0)))
    wait_for(lambda: stage.notice() == "wrong_site", "the other site")
    shown = stage.view["customer"]["notice"]
    assert (shown["site_name"], shown["site_address"]) == (COLOMBES.name, COLOMBES.address)
    assert stage.kinds() == []
    assert stage.pulses() == []
    stage.end()


def test_c_15_a_code_already_used_says_when_and_where_and_can_be_contested(stage: Stage) -> None:
    """After the dispute window: *already collected on … at …*, with a button that calls the desk."""
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    collect(stage, 1, "1")
    stage.wait_fact("parcel_collected", parcel=known)
    time.sleep(REPEAT_S)
    stage.scan(slip(1))
    wait_for(lambda: stage.notice() == "already_collected", "what became of it")
    shown = stage.view["customer"]["notice"]
    assert shown["compartment"] == "1"
    assert shown["at_ms"] > 0
    assert stage.knows("slip_refused", parcel=known, reason="collected")
    stage.press("dispute", parcel=known)
    stage.wait_fact("staff_called", reason="dispute", parcel=known)
    assert len(stage.pulses()) == 1
    stage.end()


def test_c_16_a_replaced_slip_is_refused_and_named_as_replaced(stage: Stage) -> None:
    """The newer slip supersedes by itself; the older one is then refused, by QR and by digits."""
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    stage.scan(slip(1, version=2))
    stage.opens("1")
    stage.wait_fact("key_replaced", parcel=known, version=2)
    stage.take_and_close("1")
    stage.wait_fact("door_closed", compartment="1")
    pulses = len(stage.pulses())
    stage.scan(slip(1))
    wait_for(lambda: stage.notice() == "replaced", "the name of the refusal")
    assert stage.knows("slip_refused", parcel=known, reason="replaced")
    stage.type(digits(1))
    wait_for(lambda: len(stage.all("slip_refused")) == 2, "the digits of the old slip too")
    assert len(stage.pulses()) == pulses
    stage.end()


def test_c_18_without_hub_and_network_a_pickup_is_the_same_and_is_told_once_in_order(tmp_path: Path) -> None:
    """The broker dies, a customer collects, the broker comes back: every fact arrives, in order."""
    broker = Mosquitto(need("mosquitto"), tmp_path / "broker")
    stage = Stage(tmp_path / "site", broker_port=broker.port)
    known = stage.stored(1, "1")
    hub = Hub(broker.port)
    stage.start(inside={"1": known})
    try:
        wait_for(lambda: hub.seqs()[-1:] == [len(stage.facts())], "the hub to have everything")
        hub.acknowledge(len(stage.facts()))
        broker.kill()
        wait_for(lambda: not stage.view["hub_link"], "the site to see that the line is gone")
        collect(stage, 1, "1")
        stage.wait_fact("parcel_collected", parcel=known)
        heard = len(hub.seqs())
        broker.start()
        last = len(stage.facts())
        wait_for(lambda: hub.seqs()[-1:] == [last], "the hub to be told", 90)
        later = hub.seqs()[heard:]
        assert later == sorted(set(later)), "once, and in order"
        assert [kind for kind in told(hub)[-4:] if kind] == [
            "door_opened",
            "door_closed",
            "parcel_taken",
            "parcel_collected",
        ]
        stage.end()
    finally:
        hub.close()
        end_all()
        broker.close()


def told(hub: Hub) -> list[str]:
    return [f.kind_of(record.body) for batch in hub.all(FactBatch) for record in batch.facts]


def test_c_21_a_power_cut_between_pulse_and_open_door_frees_nothing(stage: Stage) -> None:
    """At the start the door is read: resolved, the code still valid, the compartment still occupied."""
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    stage.break_("1", "jam")
    stage.scan(slip(1))
    stage.wait_fact("opening_ordered", parcel=known)
    stage.kill()
    stage.start()
    stage.wait_fact("opening_resolved", compartment="1", door="closed", parcel=known)
    assert stage.compartment("1")["occupancy"] == "occupied"
    assert not stage.knows("parcel_taken")
    stage.break_("1", "clear")
    collect(stage, 1, "1")
    stage.end()


def test_c_22_a_power_cut_with_the_door_open_is_an_alarm_and_an_honest_unknown(stage: Stage) -> None:
    """At the start: alarm *open door*, occupancy unknown. Nobody saw the parcel taken: it is collected once staff saw it gone."""
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    stage.scan(slip(1))
    stage.opens("1")
    stage.kill()
    stage.start()
    stage.wait_fact("alarm_raised", alarm="open_at_boot", compartment="1")
    wait_for(lambda: stage.compartment("1")["occupancy"] == "unknown", "the honest unknown")
    assert [alarm["alarm"] for alarm in stage.view["alarms"]] == ["open_at_boot"]
    assert stage.site.world()["coils"]["1"] == "off"
    stage.take_and_close("1")
    stage.wait_fact("alarm_cleared", alarm="open_at_boot", compartment="1")
    wait_for(lambda: stage.notice() == "quick_close", "the question whether it is still inside")
    sign_in(stage)
    rest(stage)
    stage.press("check", compartment="1")
    wait_for(lambda: stage.compartment("1")["door"] == "open", "the door to look behind")
    stage.site.act("doors/1", "close")
    wait_for(lambda: stage.task().get("step") == "ask_empty", "the question")
    stage.card(CommandCard.EMPTY)
    stage.wait_fact("parcel_collected", parcel=known, by="amina")
    assert not stage.knows("parcel_taken")
    stage.end()


def test_c_23_five_readings_of_one_slip_are_one_session_and_one_pulse(stage: Stage) -> None:
    """A reader in continuous mode."""
    known = stage.stored(1, "1")
    stage.start(inside={"1": known})
    for _ in range(5):
        stage.scan(slip(1))
        time.sleep(0.4)
    stage.opens("1")
    assert len(stage.pulses()) == 1
    assert len(stage.all("opening_ordered")) == 1
    stage.take_and_close("1")
    stage.wait_fact("parcel_taken", parcel=known)
    stage.end()


def test_c_24_two_slips_at_once_are_served_one_after_the_other(stage: Stage) -> None:
    """One door at a time: the second opens after the first was closed."""
    first, second = stage.stored(1, "1"), stage.stored(2, "2")
    stage.start(inside={"1": first, "2": second})
    stage.scan(slip(1))
    stage.scan(slip(2))
    stage.opens("1")
    assert stage.door("2") == "closed"
    stage.take_and_close("1")
    stage.opens("2")
    stage.take_and_close("2")
    stage.wait_fact("parcel_taken", parcel=second)
    pulses = stage.pulses()
    assert [pulse["label"] for pulse in pulses] == ["1", "2"]
    assert pulses[1]["at_ms"] - pulses[0]["at_ms"] >= SHORT.pulse_gap_ms - 100
    kinds = [(fact["compartment"]) for fact in stage.all("door_opened")]
    assert kinds == ["1", "2"]
    stage.end()


def test_c_26_a_parcel_on_the_shelf_is_called_from_the_desk_by_the_same_code(stage: Stage) -> None:
    """The same slip says *at the desk*; the staff screen shows it; hand-over ends it."""
    known = stage.stored(1, "E1")
    stage.start()
    stage.scan(slip(1))
    wait_for(lambda: stage.notice() == "at_desk", "the way to the desk")
    assert stage.pulses() == []
    assert stage.knows("staff_called", reason="at_desk", parcel=known)
    stage.scan(BADGE)
    call = wait_for(lambda: next(iter(stage.view["staff"]["calls"]), None), "the call on the staff screen")
    assert (call["parcel"], call["place"]) == (known, {"kind": "shelf", "name": "E1"})
    stage.press("hand_over", parcel=known)
    stage.wait_fact("parcel_collected", parcel=known, by="amina")
    wait_for(lambda: not stage.view["staff"]["calls"], "the call to be over")
    stage.end()


@pytest.mark.parametrize("shown", ["https://example.org/menu", "8N00234584109", "RR123456785FR"])
def test_c_34_a_label_or_a_foreign_code_gets_a_friendly_word_and_costs_no_attempt(stage: Stage, shown: str) -> None:
    stage.stored(1, "1")
    stage.start()
    stage.scan(shown)
    wait_for(lambda: stage.notice() == "use_slip", "what to show instead")
    assert stage.pulses() == []
    stage.end()
    assert "attempt_failed" not in stage.kinds()
