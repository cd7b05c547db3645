# mypy: allow-untyped-calls
"""The simulated site: real latches and doors on a world that survives kill -9."""

import http.client
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from firmware.hardware import Callbacks
from firmware.latches import LatchError
from firmware.sim import open_simulated
from firmware.sim.trace import ENDED_BY_DEATH

ROOT = Path(__file__).parents[2]
NOBODY = Callbacks(on_door=print, on_scan=print, on_link=print)


def ask(site, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", site.hardware.sim.port, timeout=5)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def trace_of(tmp_path):
    return [json.loads(line) for line in (tmp_path / "state" / "pins.trace").read_text(encoding="utf-8").splitlines()]


def test_a_pulse_opens_the_door_and_a_person_closes_it(site, wait_for):
    site.hardware.latches.pulse("1")
    wait_for(lambda: site.doors == [("1", True)])
    assert ask(site, "POST", "/sim/doors/1", "close") == (200, {"label": "1", "door": "closed"})
    wait_for(lambda: site.doors == [("1", True), ("1", False)])
    wait_for(lambda: ask(site, "GET", "/sim")[1]["coils"]["1"] == "off")  # the door may be faster than the pulse
    status, picture = ask(site, "GET", "/sim")
    assert status == 200
    assert picture["doors"] == {"1": "closed", "2": "closed"}
    assert [pulse["label"] for pulse in picture["pulses"]] == ["1"]
    assert 100 <= picture["pulses"][0]["on_ms"] <= 1_000  # a busy machine may be late; I-8 bounds it


def test_d01_the_trace_shows_no_coil_on_at_claim(site, tmp_path):
    assert [line["on"] for line in trace_of(tmp_path) if line["kind"] == "coil"] == [False, False]


@pytest.mark.parametrize("body", ["open", '"open"', '{"action": "open"}'])
def test_a_door_is_told_in_text_or_json(site, body):
    assert ask(site, "POST", "/sim/doors/2", body) == (200, {"label": "2", "door": "open"})


def test_parcels_go_only_through_an_open_door(site):
    status, answer = ask(site, "POST", "/sim/contents/1", '{"put": "P1"}')
    assert (status, answer["error"]) == (409, "The door of compartment 1 is closed: open it first.")
    ask(site, "POST", "/sim/doors/1", "open")
    assert ask(site, "POST", "/sim/contents/1", '{"put": "P1"}') == (200, {"label": "1", "contents": ["P1"]})
    assert ask(site, "POST", "/sim/contents/1", '{"put": "P1"}')[0] == 409
    assert ask(site, "POST", "/sim/contents/1", '{"take": true}') == (200, {"label": "1", "contents": []})
    assert ask(site, "GET", "/sim")[1]["room"] == ["P1"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/sim/doors/9", "open", 404),
        ("/sim/doors/1", "explode", 400),
        ("/sim/faults/1", "gremlins", 400),
        ("/sim/contents/1", "[]", 400),
        ("/sim/contents/1", b"\xff\xfe", 400),
        ("/sim/scan", '{"hex": "xyz"}', 400),
        ("/sim/scanner", "throw", 400),
        ("/sim/customers/1", '{"seconds": -1}', 400),
        ("/elsewhere", "", 404),
        ("/sim/scan", "x" * 9_000, 413),
    ],
)
def test_a_request_that_cannot_be_followed_is_a_sentence(site, path, body, status):
    answered, answer = ask(site, "POST", path, body)
    assert answered == status
    assert answer["error"].endswith((".", "unplug", "clear."))


def test_a_scan_by_http_reaches_the_program(site, wait_for):
    wait_for(lambda: site.links == [True])
    wait_for(lambda: ask(site, "POST", "/sim/scan", '{"text": "CG1HELLO"}')[0] == 200 and site.scans)
    assert set(site.scans) == {"CG1HELLO"}


def test_the_scanners_cable_by_http(site, wait_for):
    wait_for(lambda: site.links == [True])
    assert ask(site, "POST", "/sim/scanner", "unplug")[1]["scanner"]["plugged"] is False
    wait_for(lambda: site.links == [True, False])
    assert ask(site, "POST", "/sim/scan", '{"text": "X"}') == (409, {"error": "The reader is unplugged."})
    ask(site, "POST", "/sim/scanner", '{"action": "plug"}')
    wait_for(lambda: site.links == [True, False, True])


def pulse_and_wait(site, wait_for, label="1"):
    before = site.bank.trace.pulse_count
    wait_for(lambda: not site.bank.trace.coils_on)
    wait_for(lambda: _pulsed(site, label))
    wait_for(lambda: site.bank.trace.pulse_count > before and not site.bank.trace.coils_on)


def _pulsed(site, label):
    try:
        site.hardware.latches.pulse(label)
    except LatchError:
        return False
    return True


def test_a_door_opens_although_the_world_was_too_busy_to_look_while_the_coil_was_on(site, wait_for):
    with site.bank._lock:
        pulse_and_wait(site, wait_for)
    wait_for(lambda: site.doors == [("1", True)])


def test_a_jammed_door_stays_shut_although_the_coil_fired(site, wait_for):
    ask(site, "POST", "/sim/faults/1", "jam")
    pulse_and_wait(site, wait_for)
    assert site.doors == []
    ask(site, "POST", "/sim/faults/1", "clear")
    pulse_and_wait(site, wait_for)
    wait_for(lambda: site.doors == [("1", True)])


def test_a_cut_sensor_reads_open_for_ever_and_the_door_still_opens(site, wait_for):
    ask(site, "POST", "/sim/faults/1", "cut-sensor")
    wait_for(lambda: site.doors == [("1", True)])
    assert not site.bank.is_open("1")
    pulse_and_wait(site, wait_for)
    assert site.bank.is_open("1")
    ask(site, "POST", "/sim/doors/1", "close")
    assert site.hardware.doors.read_all()["1"] is True


def test_a_stuck_switch_reads_closed_for_ever(site, wait_for):
    ask(site, "POST", "/sim/faults/1", "stuck")
    pulse_and_wait(site, wait_for)
    wait_for(lambda: site.bank.is_open("1"))
    assert site.hardware.doors.read_all()["1"] is False


def test_d09_a_bouncing_switch_is_one_change(site, wait_for):
    ask(site, "POST", "/sim/faults/1", "bounce")
    pulse_and_wait(site, wait_for)
    wait_for(lambda: site.doors == [("1", True)])
    ask(site, "POST", "/sim/doors/1", "close")
    wait_for(lambda: site.doors == [("1", True), ("1", False)])
    assert len([entry for entry in site.bank.factory.history if entry[0] == 4]) > 8


def test_a_door_that_does_not_latch_springs_open_again(site, wait_for):
    ask(site, "POST", "/sim/faults/1", "no-latch")
    site.bank.open_door("1")
    wait_for(lambda: site.doors == [("1", True)])
    site.bank.close_door("1")
    wait_for(lambda: site.doors == [("1", True), ("1", False), ("1", True)])


def test_a_chattering_switch_is_reported(site, wait_for):
    ask(site, "POST", "/sim/faults/1", "chatter")
    wait_for(lambda: site.chatters == ["1"])


def test_a_driver_error_makes_the_pulse_raise(site):
    ask(site, "POST", "/sim/faults/1", "driver-error")
    with pytest.raises(LatchError, match="does not answer"):
        site.hardware.latches.pulse("1")


def test_a_slow_customer_takes_and_closes_in_their_own_time(site, wait_for):
    site.bank.open_door("1")
    site.bank.put("1", "P1")
    site.bank.close_door("1")
    ask(site, "POST", "/sim/customers/1", '{"seconds": 0.3}')
    wait_for(lambda: _pulsed(site, "1"))
    wait_for(lambda: not site.bank.is_open("1") and site.bank.picture()["room"] == ["P1"])


def test_the_world_survives_a_new_program(open_site, wait_for):
    first = open_site()
    first.bank.open_door("2")
    first.bank.put("2", "P7")
    first.bank.set_fault("1", "jam")
    first.close()
    second = open_site()
    picture = second.bank.picture()
    assert picture["doors"] == {"1": "closed", "2": "open"}
    assert picture["contents"]["2"] == ["P7"]
    assert picture["faults"]["1"] == ["jam"]
    assert second.hardware.doors.read_all() == {"1": False, "2": True}


def test_a_kill_in_mid_pulse_leaves_no_line_that_no_pin_wrote(board, tmp_path, open_site):
    program = textwrap.dedent(
        f"""
        import sys
        from pathlib import Path
        from firmware.board import load_board
        from firmware.hardware import Callbacks
        from firmware.sim import open_simulated
        calls = Callbacks(on_door=print, on_scan=print, on_link=print)
        state = Path({str(tmp_path / "state")!r})
        site = open_simulated(load_board(Path({str(tmp_path / "board.toml")!r})), state_dir=state, calls=calls)
        site.latches.pulse("2")
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, cwd=ROOT, timeout=30, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == -signal.SIGKILL
    before = trace_of(tmp_path)
    assert before[-1]["on"] is True
    site = open_site()
    # The next process claims both lines at rest; nobody says anything in the name of the dead one.
    after = trace_of(tmp_path)[len(before) :]
    assert [(line["label"], line["on"], line["why"]) for line in after] == [
        ("1", False, "driven"),
        ("2", False, "driven"),
    ]
    assert {line["run"] for line in after} != {before[-1]["run"]}
    assert site.bank.trace.coils_on == ()
    pulse = site.bank.picture()["pulses"][0]
    assert (pulse["on_ms"], pulse["ended"]) == (None, ENDED_BY_DEATH)


def test_a_port_that_is_taken_is_an_error_and_leaves_no_thread(site, board, tmp_path, wait_for):
    before = threading.active_count()
    with pytest.raises(OSError, match="in use"):
        open_simulated(board, state_dir=tmp_path / "two", calls=NOBODY, sim_port=site.hardware.sim.port)
    wait_for(lambda: threading.active_count() <= before)


def test_closing_leaves_every_coil_off_in_the_trace(open_site, tmp_path):
    site = open_site()
    site.hardware.latches.pulse("1")
    site.close()
    last = {line["label"]: line["on"] for line in trace_of(tmp_path) if line["kind"] == "coil"}
    assert last == {"1": False, "2": False}


def test_the_simulation_knows_nothing_of_the_controller():
    for file in (ROOT / "firmware").rglob("*.py"):
        source = file.read_text(encoding="utf-8")
        for package in ("controller", "wire", "hub", "paper", "demo"):
            assert f"import {package}" not in source, file
            assert f"from {package}" not in source, file


def test_the_machines_clock_can_be_set_wrong_and_stays_wrong_over_a_restart(open_site):
    first = open_site()
    status, answer = ask(first, "POST", "/sim/clock", '{"offset_ms": -86400000, "synchronised": false}')
    assert (status, answer["clock"]["offset_ms"], answer["clock"]["synchronised"]) == (200, -86_400_000, False)
    first.close()
    world = open_site().hardware.sim
    assert world.synchronised is False
    assert 86_390_000 < time.time() * 1000 - world.wall_ms() < 86_410_000


def test_the_lamps_and_the_buzzer_can_be_looked_at(site, wait_for):
    site.hardware.signals.show("ok")
    wait_for(lambda: ask(site, "GET", "/sim")[1]["signals"]["lamp_ok"]["on"])
    signals = ask(site, "GET", "/sim")[1]["signals"]
    assert (signals["lamp_ok"]["times"], signals["buzzer"]["times"], signals["lamp_attention"]["times"]) == (1, 1, 0)
