"""The rows about people at the site, on the assembled controller: a real process, pty, panel, journal and simulated doors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.controller.controller_site import end_all, wait_for
from tests.controller.scripted_hub import Hub
from tests.controller.stage import BADGE, SHORT, Stage
from tests.tools.debian import need
from tests.tools.mosquitto import Mosquitto
from wire import facts as f
from wire import topics
from wire.badges import badge_digest, badge_text, pin_digest
from wire.messages import HubPresence
from wire.plan import Person

pytestmark = pytest.mark.slow

LEAD_BADGE = badge_text(77)
PIN = "4071"
LABEL = "8N00234584108"
LONG_AGO_MS = 1_000


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A site that is not started yet."""
    yield Stage(tmp_path)
    end_all()


def roster(stage: Stage, *people: Person, **settings: object) -> None:
    """The hub's newest plan, before the curtain."""
    changed = msgspec.structs.replace(SHORT, **settings)
    stage.write((f.PlanApplied(incarnation=1, revision=90, hash="x", people=people, settings=changed),))


def signed_in(stage: Stage, person: str) -> None:
    wait_for(lambda: stage.view["staff"]["person"] == person, f"{person} to be signed in")


def test_s_17_an_unknown_badge_is_refused_and_written_down(stage: Stage) -> None:
    stage.start()
    stage.scan(badge_text(4))
    stage.wait_fact("badge_refused", reason="unknown")
    wait_for(lambda: stage.staff_notice() == "badge_unknown", "the word that nobody knows it")
    stage.end()


def test_s_17_an_expired_badge_is_refused_until_a_lead_answers_for_it_and_all_of_it_is_told(tmp_path: Path) -> None:
    """By the hub's clock, which is trusted; a lead who shows their badge is named in the journal."""
    broker = Mosquitto(need("mosquitto"), tmp_path / "broker")
    stage = Stage(tmp_path / "site", broker_port=broker.port)
    amina = Person(id="amina", role="concierge", badge=badge_digest(BADGE), valid_until_ms=LONG_AGO_MS)
    lena = Person(id="lena", role="lead", badge=badge_digest(LEAD_BADGE))
    roster(stage, amina, lena)
    hub = Hub(broker.port)
    stage.start()
    try:
        wait_for(lambda: stage.view["hub_link"], "the site to be on line")
        hub.say(topics.HUB_PRESENCE, HubPresence(online=True, incarnation=1, at_ms=int(time.time() * 1000)))
        stage.wait_fact("clock_corrected", trust="hub")
        stage.scan(BADGE)
        stage.wait_fact("badge_refused", reason="expired", person="amina")
        assert stage.view["staff"]["person"] == ""
        stage.scan(LEAD_BADGE)
        signed_in(stage, "amina")
        stage.wait_fact("badge_vouched", person="amina", by="lena")
        stage.end()
    finally:
        hub.close()
        broker.close()
        end_all()


def test_k_05_a_couriers_badge_that_is_revoked_or_past_its_end_is_refused_written_down_and_nobody_answers_for_it(
    tmp_path: Path,
) -> None:
    broker = Mosquitto(need("mosquitto"), tmp_path / "broker")
    stage = Stage(tmp_path / "site", broker_port=broker.port)
    ended = Person(id="karim", role="courier", badge=badge_digest(BADGE), carrier="poste", valid_until_ms=LONG_AGO_MS)
    roster(stage, ended, Person(id="lena", role="lead", badge=badge_digest(LEAD_BADGE)))
    hub = Hub(broker.port)
    stage.start()
    try:
        wait_for(lambda: stage.view["hub_link"], "the site to be on line")
        hub.say(topics.HUB_PRESENCE, HubPresence(online=True, incarnation=1, at_ms=int(time.time() * 1000)))
        stage.wait_fact("clock_corrected", trust="hub")
        stage.scan(badge_text(4))
        stage.wait_fact("badge_refused", reason="unknown")
        stage.scan(BADGE)
        stage.wait_fact("badge_refused", reason="expired", person="karim")
        stage.scan(LEAD_BADGE)
        signed_in(stage, "lena")
        assert not stage.knows("badge_vouched")
        stage.end()
    finally:
        hub.close()
        broker.close()
        end_all()


def test_s_18_staff_silent_with_a_door_open_are_an_alarm_and_not_a_silent_logout(stage: Stage) -> None:
    amina = Person(id="amina", role="concierge", badge=badge_digest(BADGE))
    roster(stage, amina, staff_idle_ms=1_500, alarm_ms=60_000)
    known = stage.announced(99, LABEL)
    stage.start()
    stage.scan(BADGE)
    signed_in(stage, "amina")
    stage.scan(LABEL)
    wait_for(lambda: stage.task().get("step") == "put_in", "a door")
    label = str(stage.task()["compartment"])
    stage.opens(label)
    stage.wait_fact("alarm_raised", alarm="door_left_open", compartment=label)
    time.sleep(2)
    assert stage.view["staff"]["person"] == "amina"
    stage.put_and_close(label, known)
    stage.wait_fact("alarm_cleared", alarm="door_left_open")
    stage.wait_fact("staff_signed_out", reason="idle")
    stage.end()


def test_s_17_a_pin_opens_what_may_hold_a_parcel_and_stands_nowhere(stage: Stage) -> None:
    """The badge and a wrong PIN open nothing; the right one does, once for the session; neither is in the journal."""
    amina = Person(id="amina", role="concierge", badge=badge_digest(BADGE), pin=pin_digest(BADGE, PIN))
    known = stage.stored(1, "1")
    roster(stage, amina)
    stage.start(inside={"1": known})
    stage.scan(BADGE)
    signed_in(stage, "amina")
    stage.press("check", compartment="1")
    wait_for(lambda: stage.view["staff"]["pin_asked"], "the question for the PIN")
    stage.say(input="pin", text="0000")
    stage.wait_fact("pin_refused", person="amina")
    assert stage.pulses() == []
    stage.say(input="pin", text=PIN)
    stage.opens("1")
    stage.end()
    journal = b"".join(path.read_bytes() for path in (stage.folder / "state").iterdir() if path.is_file())
    assert BADGE.encode() not in journal
    assert f'"{PIN}"'.encode() not in journal


def test_m_05_a_mediator_opens_for_somebody_after_an_identity_check_and_it_is_told_as_help(stage: Stage) -> None:
    """From the desk, without a slip: the help is a fact with agent, motive and level; then an ordinary collection."""
    known = stage.stored(1, "1", LABEL)
    roster(stage, Person(id="mina", role="mediator", badge=badge_digest(BADGE)))
    stage.start(inside={"1": known})
    stage.scan(BADGE)
    signed_in(stage, "mina")
    stage.say(input="assist", parcel=known, motive="cannot_read", identity="known", present=True)
    stage.opens("1")
    stage.wait_fact(
        "collection_assisted", parcel=known, by="mina", motive="cannot_read", identity="known", present=True
    )
    stage.take_and_close("1")
    stage.wait_fact("parcel_collected", parcel=known)
    wait_for(lambda: stage.compartment("1")["occupancy"] == "free", "the compartment to be free")
    stage.end()
    kinds = stage.kinds()
    start = kinds.index("collection_assisted")
    assert kinds[start : start + 3] == ["collection_assisted", "opening_ordered", "door_opened"]
    assert "parcel_taken" in kinds


def test_m_10_the_practice_slip_opens_the_practice_door_and_leaves_no_trace_in_the_stock(stage: Stage) -> None:
    """As often as wanted, on the real screen with the real door; ended only when staff saw it empty."""
    roster(stage, Person(id="mina", role="mediator", badge=badge_digest(BADGE)), staff_idle_ms=60_000)
    stage.start()
    stage.scan(BADGE)
    signed_in(stage, "mina")
    stage.press("practise", compartment="1")
    stage.wait_fact("practice_started", compartment="1", by="mina")
    wait_for(lambda: stage.view["staff"]["practice_text"], "the practice slip")
    slip = str(stage.view["staff"]["practice_text"])
    for turn in (1, 2):
        stage.scan(slip)
        wait_for(lambda: stage.door("1") == "open", "the practice door")
        wait_for(lambda: stage.view["customer"]["practice"], "the word that it is practice")
        stage.take_and_close("1")
        wait_for(lambda: stage.notice() == "thanks", "thanks")
        time.sleep(3.1)
        assert len(stage.pulses()) == turn
    stage.press("end_practice")
    wait_for(lambda: stage.door("1") == "open", "the practice door, for staff")
    wait_for(lambda: stage.compartment("1")["door"] == "open", "it seen open")
    stage.take_and_close("1")
    wait_for(lambda: stage.task().get("step") == "ask_empty", "the question whether it is empty")
    stage.press("empty")
    stage.wait_fact("practice_ended", compartment="1", by="mina")
    stage.end()
    assert not [kind for kind in stage.kinds() if kind.startswith("parcel_")]
