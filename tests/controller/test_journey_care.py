"""The care rows of the journeys, on the assembled controller: a real process, pty, panel, journal and simulated doors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controller.controller_site import end_all, slip, wait_for
from tests.controller.hands import LABELS, REPEAT_S, parcel_of, rest, sign_in
from tests.controller.stage import Stage
from wire import facts as f
from wire.badges import CommandCard
from wire.ids import ParcelId, SizeClass
from wire.plan import Intent, PlannedParcel

pytestmark = pytest.mark.slow


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A site that is not started yet, and has no hub."""
    yield Stage(tmp_path)
    end_all()


def recalled(stage: Stage, number: int, place: str) -> ParcelId:
    """A parcel whose hold is over."""
    known = stage.stored(number, place, LABELS[number])
    planned = PlannedParcel(id=known, version=1, tracking=LABELS[number], size=SizeClass.S, intent=Intent.RECALL)
    stage.write((f.PlanApplied(incarnation=1, revision=100 + number, hash="x", upserted=(planned,)),))
    return known


def test_m_01_each_expired_parcel_is_taken_out_by_its_label_and_a_wrong_one_stops_it(stage: Stage) -> None:
    """List → door → wrong label: stop → right label → close → *empty* → removed and free; the next door opens by itself."""
    first, second = recalled(stage, 1, "1"), recalled(stage, 2, "3")
    other = stage.stored(3, "E1", LABELS[3])
    stage.start(inside={"1": first, "3": second})
    sign_in(stage)
    assert [one["parcel"] for one in stage.view["staff"]["parcels"] if one["to_retrieve"]] == [first, second]
    stage.press("retrieve")
    stage.opens("1")
    stage.scan(LABELS[3])
    wait_for(lambda: stage.staff_notice() == "wrong_parcel", "the word that it is another one")
    stage.wait_fact("staff_called", reason="wrong_parcel", parcel=other, compartment="1")
    stage.scan(LABELS[1])
    wait_for(lambda: stage.task().get("scanned"), "the right label to be known")
    rest(stage)
    stage.take_and_close("1")
    wait_for(lambda: stage.task().get("step") == "ask_empty", "the question")
    assert not stage.all("parcel_removed"), "nothing is out of stock before somebody saw it empty"
    assert stage.compartment("1")["occupancy"] == "occupied"
    stage.card(CommandCard.EMPTY)
    stage.opens("3")
    assert stage.knows("parcel_removed", parcel=first, reason="recalled", by="amina")
    assert stage.compartment("1")["occupancy"] == "free"
    stage.scan(LABELS[2])
    wait_for(lambda: stage.task().get("scanned"), "the second label to be known")
    stage.take_and_close("3")
    wait_for(lambda: stage.task().get("step") == "ask_empty", "the second question")
    stage.press("empty")
    stage.wait_fact("parcel_removed", parcel=second)
    wait_for(lambda: stage.task() == {}, "the list to be done")
    assert parcel_of(stage, LABELS[3])["parcel"] == other
    stage.end()


def test_m_02_one_of_the_list_whose_recipient_is_on_the_way_is_put_back_and_the_next_door_opens(stage: Stage) -> None:
    first, second = recalled(stage, 1, "1"), recalled(stage, 2, "3")
    stage.start(inside={"1": first, "3": second})
    sign_in(stage)
    stage.press("retrieve")
    stage.opens("1")
    stage.press("extend", parcel=first, value="2/on_the_way")
    stage.wait_fact("hold_extended", parcel=first, count=1, days=2, reason="on_the_way", by="amina")
    rest(stage)
    stage.site.act("doors/1", "close")
    wait_for(lambda: stage.task().get("step") == "ask_empty", "the question")
    stage.press("not_empty")
    stage.opens("3")
    assert stage.compartment("1")["occupancy"] == "occupied"
    assert [one["parcel"] for one in stage.view["staff"]["parcels"] if one["to_retrieve"]] == [second]
    stage.end()


def test_m_03_a_hold_extended_at_the_desk_has_a_new_limit_and_its_slip_opens(stage: Stage) -> None:
    known = recalled(stage, 1, "1")
    stage.start(inside={"1": known})
    stage.scan(slip(1))
    wait_for(lambda: stage.notice() == "recalled", "the word that its hold is over")
    assert stage.pulses() == []
    sign_in(stage)
    for count in (1, 2):
        stage.press("extend", parcel=known, value="7/asked")
        stage.wait_fact("hold_extended", parcel=known, count=count, days=7, reason="asked", by="amina")
    stage.press("extend", parcel=known, value="7/asked")
    wait_for(lambda: stage.staff_notice() == "extended_enough", "the word that twice is enough")
    assert parcel_of(stage, LABELS[1])["extended"] == 2
    stage.press("sign_out")
    rest(stage)
    time.sleep(REPEAT_S - 1.6)
    stage.scan(slip(1))
    stage.opens("1")
    stage.end()


def test_m_04_a_slip_made_anew_at_the_desk_opens_and_the_old_one_is_dead_at_once_without_a_hub(stage: Stage) -> None:
    known = stage.stored(1, "1", LABELS[1])
    stage.start(inside={"1": known})
    sign_in(stage)
    stage.press("reissue", parcel=known, value="no_slip/document")
    printed = wait_for(lambda: stage.view["staff"]["slip"], "the new slip")
    assert stage.knows("key_replaced", parcel=known, version=2, by="amina", motive="no_slip", identity="document")
    stage.press("sign_out")
    stage.scan(slip(1))
    wait_for(lambda: stage.notice() == "replaced", "the word that it was replaced")
    assert stage.pulses() == []
    stage.scan(printed["qr_text"])
    stage.opens("1")
    stage.end()


def test_c_35_without_slip_or_telephone_the_parcel_is_found_by_its_label_and_its_slip_made_anew(stage: Stage) -> None:
    """The label, scanned, says where it lies; the re-issued slip is of that parcel, in the language of its recipient."""
    known = stage.stored(1, "1", LABELS[1])
    stage.start(inside={"1": known})
    sign_in(stage)
    stage.scan(LABELS[1])
    wait_for(lambda: stage.staff_notice() == "already_here", "where it lies")
    found = stage.view["staff"]["notice"]
    assert (found["parcel"], found["place"]["name"]) == (known, "1")
    stage.press("reissue", parcel=found["parcel"], value="no_slip/known")
    printed = wait_for(lambda: stage.view["staff"]["slip"], "the new slip")
    assert (printed["parcel"], printed["version"], printed["language"]) == (known, 2, "fr")
    stage.end()
