"""A switch that reads open for hours is no longer believed, and holds nothing back (A-08)."""

from __future__ import annotations

import pytest

from controller.core.events import Button
from controller.core.model import Phase, Step
from tests.controller.virtual_site import LABEL_OF_PARCEL, VirtualSite
from wire import facts as f
from wire.ids import Door, Label, Occupancy, ParcelId, ParcelState, Service
from wire.plan import Intent, Settings

OTHER = "8N00234584999"
HOURS_MS = Settings().sensor_open_ms
ONE = Label("1")


def alarms(site: VirtualSite) -> list[tuple[str, str]]:
    return [(alarm.alarm, alarm.compartment or "") for alarm in site.view().alarms]


def step(site: VirtualSite) -> Step | None:
    task = site.view().staff.task
    return None if task is None else task.step


def cut(site: VirtualSite, label: str = "1") -> None:
    """The wire of its switch breaks: it reads open from now on, whatever the door does."""
    site.open(label)


def distrusted(site: VirtualSite) -> ParcelId:
    """A parcel behind a door whose switch has read open for hours."""
    parcel = site.stored()
    cut(site)
    site.wait(HOURS_MS)
    site.forget()
    return parcel


def test_after_hours_the_switch_is_suspect_and_staff_are_told_once(site: VirtualSite) -> None:
    site.stored()
    cut(site)
    site.wait(HOURS_MS - 1)
    assert (alarms(site), site.service("1")) == ([("door_forced", "1")], Service.IN_SERVICE)
    site.wait(1)
    assert (alarms(site)[-1], site.service("1")) == (("sensor_suspect", "1"), Service.SUSPECT)
    raised = [fact for fact in site.recorder.facts if isinstance(fact, f.AlarmRaised)]
    assert (raised[-1].alarm, raised[-1].detail) == ("sensor_suspect", "sensor_reads_open")
    site.sign_in()
    for alarm in ("sensor_suspect", "door_forced"):
        site.press(Button.CLEAR_ALARM, alarm, "1")
    site.forget()
    site.wait(3 * HOURS_MS)
    assert alarms(site) == []
    assert "alarm_raised" not in site.kinds(), "told once is told"


def test_when_it_reads_closed_again_the_alarm_is_over_and_the_next_hours_count_anew(site: VirtualSite) -> None:
    distrusted(site)
    site.close("1")
    assert ("sensor_suspect", "1") not in alarms(site)
    assert site.service("1") is Service.SUSPECT, "until somebody had its cable looked at"
    site.wait(5_000)
    cut(site)
    site.wait(HOURS_MS)
    assert ("sensor_suspect", "1") in alarms(site)


def test_a_restart_measures_anew_and_an_alarm_that_stands_is_not_raised_twice(site: VirtualSite) -> None:
    distrusted(site)
    site.restart()
    site.wait(HOURS_MS)
    raised = [
        fact for fact in site.recorder.facts if isinstance(fact, f.AlarmRaised) and fact.alarm == "sensor_suspect"
    ]
    assert len(raised) == 1


def test_the_latch_still_fires_and_the_parcel_is_collected(site: VirtualSite) -> None:
    parcel = distrusted(site)
    site.scan(site.slip(parcel))
    assert site.pulses() == ["1"]
    site.wait(4_000)
    assert site.view().customer.screen == "take"
    site.wait(60_000)
    assert ONE not in site.state.durable.openings, "nobody is nagged about a door that nobody can see shut"
    assert (site.occupancy("1"), site.parcel(parcel).uncertain) == (Occupancy.UNKNOWN, True)
    assert "parcel_taken" not in site.kinds(), "what nobody saw is not guessed"
    site.sign_in()
    site.press(Button.CHECK, compartment="1")
    site.wait(4_000)
    assert step(site) is Step.TAKE_BACK
    site.press(Button.EMPTY)
    assert site.state.durable.ended[parcel].state is ParcelState.COLLECTED
    assert (site.occupancy("1"), step(site)) == (Occupancy.FREE, None)
    assert ONE not in site.state.durable.openings
    site.wait(200_000)
    assert site.occupancy("1") is Occupancy.FREE, "what staff saw stands"


def test_a_customer_after_staff_looked_behind_it_leaves_it_unknown_again(site: VirtualSite) -> None:
    parcel = distrusted(site)
    site.sign_in()
    site.press(Button.CHECK, compartment="1")
    site.wait(4_000)
    site.press(Button.NOT_EMPTY)
    assert site.occupancy("1") is Occupancy.OCCUPIED
    site.press(Button.SIGN_OUT)
    site.wait(5_000)
    site.scan(site.slip(parcel))
    site.wait(64_000)
    assert ONE not in site.state.durable.openings
    assert (site.occupancy("1"), site.parcel(parcel).uncertain) == (Occupancy.UNKNOWN, True)


def test_within_its_first_hours_it_opens_as_well_and_ends_with_them(site: VirtualSite) -> None:
    parcel = site.stored()
    cut(site)
    site.scan(site.slip(parcel))
    assert site.pulses() == ["1"]
    site.wait(HOURS_MS)
    assert ONE not in site.state.durable.openings
    assert ("sensor_suspect", "1") in alarms(site)


def test_the_other_doors_go_on(site: VirtualSite) -> None:
    second = site.stored(2, OTHER)
    cut(site, "4")
    site.wait(HOURS_MS)
    site.forget()
    site.scan(site.slip(second))
    assert site.pulses() == ["1"]
    site.open("1")
    site.wait(4_000)
    site.close("1")
    site.wait(3_000)
    site.announce(3, "8N00234585000")
    site.sign_in()
    site.scan("8N00234585000")
    assert site.task_compartment() == "2", "the desk loads on"


def test_another_customer_waits_no_longer_than_one_takes(site: VirtualSite) -> None:
    second = site.stored(2, OTHER)
    third = site.stored(3, "8N00234585000")
    cut(site)
    site.wait(HOURS_MS)
    site.forget()
    site.scan(site.slip(second))
    site.wait(5_000)
    site.scan(site.slip(third))
    site.wait(60_000)
    assert site.pulses() == ["1", "2"]


@pytest.mark.parametrize(("answer", "state"), [(Button.NOT_EMPTY, "stored"), (Button.EMPTY, "disputed")])
def test_staff_who_look_behind_it_can_answer_at_once(site: VirtualSite, answer: Button, state: str) -> None:
    """The desk was locked: the door never read shut, so the question never came."""
    parcel = distrusted(site)
    site.sign_in()
    site.press(Button.CHECK, compartment="1")
    task = site.view().staff.task
    assert task is not None
    assert not task.unseen, "its latch is firing"
    site.wait(4_000)
    task = site.view().staff.task
    assert task is not None
    assert (task.unseen, task.may_stay_open) == (True, True)
    site.press(answer)
    assert (site.parcel(parcel).state, step(site)) == (state, None)
    assert ONE not in site.state.durable.openings
    assert not site.state.durable.compartments[ONE].doubted


def test_while_staff_stand_there_the_hours_take_nothing_out_of_their_hands(site: VirtualSite) -> None:
    site.stored()
    cut(site)
    site.sign_in()
    site.press(Button.CHECK, compartment="1")
    site.wait(HOURS_MS + 70_000)
    assert site.state.durable.openings[ONE].phase is Phase.OPEN
    assert (step(site), ("sensor_suspect", "1") in alarms(site)) == (Step.TAKE_BACK, True)


@pytest.mark.parametrize("answer", [Button.EMPTY, Button.NOT_EMPTY])
def test_what_is_called_back_from_behind_it_is_taken_out_by_its_label(site: VirtualSite, answer: Button) -> None:
    parcel = distrusted(site)
    site.announce(1, LABEL_OF_PARCEL, intent=Intent.RECALL)
    site.sign_in()
    site.press(Button.RETRIEVE)
    site.wait(4_000)
    site.press(Button.EMPTY)
    assert parcel in site.state.durable.parcels, "without its label nothing is out of stock"
    site.scan(LABEL_OF_PARCEL)
    site.press(answer)
    gone = parcel in site.state.durable.ended
    assert (gone, site.occupancy("1")) == (
        (True, Occupancy.FREE) if answer is Button.EMPTY else (False, Occupancy.UNKNOWN)
    )


def test_a_door_out_of_service_stays_so_when_staff_look_behind_it(site: VirtualSite) -> None:
    site.sign_in()
    site.press(Button.TAKE_OUT_OF_SERVICE, "lock", "4")
    cut(site, "4")
    site.press(Button.CHECK, compartment="4")
    site.wait(HOURS_MS)
    assert site.service("4") is Service.OUT_OF_SERVICE


def test_a_door_that_really_stands_open_is_nagged_about_until_it_is_shut(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.open("1")
    site.wait(600_000)
    assert site.state.durable.openings[ONE].phase is Phase.OPEN
    site.close("1")
    assert site.doors[ONE] is Door.CLOSED
    assert site.parcel(parcel).state is ParcelState.COLLECTING


@pytest.mark.parametrize("is_cut_off", [False, True])
def test_a_switch_that_is_mended_after_a_key_was_shown_collects_nothing(site: VirtualSite, *, is_cut_off: bool) -> None:
    """The latch held, or its power was gone before it let go (C-21): the wire was mended, no door was shut."""
    parcel = site.stored()
    cut(site)
    site.scan(site.slip(parcel))
    if is_cut_off:
        site.restart()
    else:
        site.wait(4_000)
    assert site.state.durable.openings[ONE].phase is Phase.OPEN
    site.wait(60_000)
    site.close("1")
    site.wait(HOURS_MS)
    assert "parcel_taken" not in site.kinds()
    assert (site.parcel(parcel).state, site.occupancy("1")) == (ParcelState.STORED, Occupancy.UNKNOWN)


def test_what_is_taken_behind_a_switch_that_reads_again_in_time_is_collected(site: VirtualSite) -> None:
    """A loose contact: it read open, then closed while the latch was fired, and from there on the door is seen to open."""
    parcel = site.stored()
    cut(site)
    site.scan(site.slip(parcel))
    site.close("1")
    site.open("1")
    site.wait(4_000)
    site.close("1")
    assert site.parcel(parcel).state is ParcelState.COLLECTING


def test_a_door_that_stood_open_at_a_restart_is_collected_from_once_it_is_seen_to_open(site: VirtualSite) -> None:
    parcel = site.stored()
    site.scan(site.slip(parcel))
    site.doors[ONE] = Door.OPEN
    site.restart()
    site.wait(4_000)
    site.close("1")
    assert site.parcel(parcel).state is ParcelState.STORED
    site.scan(site.slip(parcel))
    site.open("1")
    site.wait(4_000)
    site.close("1")
    assert site.parcel(parcel).state is ParcelState.COLLECTING
