"""A door that the hub asks for (A-03 … A-06): two people, in time, once, within the site's own budget, in front of nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from controller.core.evolve import evolve, rebase
from controller.core.model import ANSWERS_MAX, Now
from controller.core.views import Screen
from tests.controller.virtual_site import VirtualSite
from wire import facts as f
from wire.ids import Door, Label, Occupancy, ParcelState, Service, Trust
from wire.messages import Command, Outcome

CALM_MS = 31_000
WINDOW_MS = 600_000
DAY_MS = 86_400_000


@pytest.fixture
def site() -> VirtualSite:
    site = VirtualSite()
    site.forget()
    return site


def wish(site: VirtualSite, number: int = 1, label: str = "1", **other: Any) -> Command:
    """What a hub in order sends now."""
    now = site.clock
    command = Command(
        id=f"command-{number:04}",
        verb="open",
        issued_at_ms=now.wall_ms,
        expires_at_ms=now.wall_ms + 20_000,
        session=str(now.boot),
        until_mono_ms=now.mono + 20_000,
        actor="lea",
        approver="marc",
        reason="recipient_waits",
        compartment=Label(label),
    )
    return msgspec.structs.replace(command, **other)


def told(site: VirtualSite) -> list[tuple[str, str]]:
    return [(reply.outcome.value, reply.reason) for reply in site.hub.replies]


def opened_and_shut(site: VirtualSite, number: int, label: str = "1") -> None:
    site.command(wish(site, number, label))
    site.wait(300)
    if site.state.durable.openings.get(Label(label)) is not None and site.hub.replies[-1].outcome == Outcome.ACCEPTED:
        site.open(label)
        site.wait(2_000)
        site.close(label)


# -------------------------------------------------------------------------------------------------------------


def test_a_03_accepted_with_its_cause_then_seen_open_and_the_content_is_in_doubt(site: VirtualSite) -> None:
    parcel = site.stored()
    site.wait(CALM_MS)
    site.command(wish(site))
    assert site.kinds() == ["remote_opening_accepted", "command_answered", "opening_ordered"]
    assert [kind for kind, _ in site.recorder.done] == ["durable", "pulse"]
    accepted = next(fact for fact in site.recorder.facts if isinstance(fact, f.RemoteOpeningAccepted))
    assert (accepted.by, accepted.approver, accepted.reason) == ("lea", "marc", "recipient_waits")
    assert told(site) == [("accepted", "")]
    site.open("1")
    assert told(site) == [("accepted", ""), ("done", "")]
    assert site.occupancy("1") is Occupancy.UNKNOWN
    assert site.parcel(parcel).state is ParcelState.STORED
    site.close("1")
    site.wait(1_000_000)
    assert site.parcel(parcel).state is ParcelState.STORED
    assert told(site)[2:] == []


def test_a_03_the_screen_says_that_it_was_opened_from_afar_once_it_stands_open(site: VirtualSite) -> None:
    site.command(wish(site))
    assert site.view().customer.screen is Screen.READY
    site.open("1")
    shown = site.view().customer
    assert (shown.screen, shown.compartment, shown.from_afar) == (Screen.CLOSE_DOOR, "1", True)
    site.wait(site.settings.alarm_ms + 1_000)
    assert "door_left_open/1" in site.state.durable.alarms
    site.close("1")
    assert site.view().customer.screen is Screen.READY


def test_a_03_known_to_be_empty_it_stays_so(site: VirtualSite) -> None:
    opened_and_shut(site, 1)
    assert site.occupancy("1") is Occupancy.FREE
    assert told(site)[-1] == ("done", "")


def test_a_03_a_door_that_does_not_move_is_told_and_one_that_moves_later_is_no_second_answer(site: VirtualSite) -> None:
    site.stored()
    site.wait(CALM_MS)
    site.command(wish(site))
    site.wait(20_000)
    assert told(site) == [("accepted", ""), ("failed", "not_seen_open")]
    assert site.service("1") is Service.SUSPECT
    assert site.occupancy("1") is Occupancy.OCCUPIED
    site.open("1")
    assert site.occupancy("1") is Occupancy.UNKNOWN
    assert len(told(site)) == 2
    assert "door_forced/1" not in site.state.durable.alarms


def test_a_03_a_latch_whose_driver_fails_is_told(site: VirtualSite) -> None:
    site.recorder.broken.add("1")
    site.command(wish(site))
    assert told(site)[-1] == ("failed", "driver_error")


def test_a_03_a_switch_that_reads_open_holds_nothing_back_and_proves_nothing(site: VirtualSite) -> None:
    site.stored()
    site.wait(CALM_MS)
    site.open("1")
    site.forget()
    site.wait(CALM_MS)
    site.command(wish(site))
    assert site.pulses() == ["1"]
    site.wait(10_000)
    assert told(site) == [("accepted", ""), ("failed", "sensor_reads_open")]
    assert site.occupancy("1") is Occupancy.UNKNOWN


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"approver": ""}, "two_people"),
        ({"actor": " "}, "two_people"),
        ({"approver": "LEA "}, "two_people"),
        ({"reason": ""}, "no_reason"),
        ({"reason": "Mme Diallo attend"}, "no_reason"),
        ({"compartment": None}, "unknown_compartment"),
        ({"compartment": Label("99")}, "unknown_compartment"),
    ],
)
def test_a_03_without_two_people_a_reason_and_a_door_it_is_refused_by_name(
    site: VirtualSite, other: dict[str, Any], reason: str
) -> None:
    site.command(wish(site, **other))
    assert told(site) == [("refused", reason)]
    assert site.pulses() == []


def test_a_03_nobody_s_door_opens_in_front_of_a_stranger(site: VirtualSite) -> None:
    parcel = site.stored()
    site.command(wish(site, 1, "2"))
    site.wait(CALM_MS)
    site.scan(site.slip(parcel))
    site.command(wish(site, 2, "2"))
    site.open("1")
    site.wait(16_000)
    site.command(wish(site, 3, "2"))
    site.close("1")
    site.wait(20_000)
    site.command(wish(site, 4, "2"))
    assert told(site) == [("refused", "busy")] * 4
    site.wait(CALM_MS)
    site.command(wish(site, 5, "2"))
    assert told(site)[-1] == ("accepted", "")


def test_a_03_beside_staff_no_door_opens(site: VirtualSite) -> None:
    site.sign_in()
    site.wait(10_000)
    site.command(wish(site))
    assert told(site) == [("refused", "busy")]


def test_a_03_one_door_after_the_other(site: VirtualSite) -> None:
    site.command(wish(site, 1, "1"))
    site.command(wish(site, 2, "2"))
    site.open("1")
    site.command(wish(site, 3, "2"))
    site.wait(site.settings.pulse_gap_ms)
    site.command(wish(site, 4, "2"))
    assert told(site) == [("accepted", ""), ("refused", "busy"), ("done", ""), ("refused", "busy"), ("accepted", "")]


def test_a_03_a_door_somebody_left_open_long_ago_keeps_nobody_from_the_next(site: VirtualSite) -> None:
    parcel = site.stored()
    site.wait(CALM_MS)
    site.scan(site.slip(parcel))
    site.open("1")
    site.wait(site.settings.alarm_ms + 1_000)
    site.command(wish(site, 1, "2"))
    assert told(site)[-1] == ("accepted", "")


# -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("late_ms", [0, 1, 60_000])
def test_a_04_late_by_the_clock_of_this_boot_whatever_the_wall_says(site: VirtualSite, late_ms: int) -> None:
    site.clock.trust = Trust.UNSET
    site.command(wish(site, until_mono_ms=site.clock.mono - late_ms))
    assert told(site) == [("refused", "expired")]


def test_a_04_no_clock_on_the_wall_is_needed_to_be_in_time(site: VirtualSite) -> None:
    site.clock.trust, site.clock.wall_ms = Trust.UNSET, 5
    site.command(wish(site, issued_at_ms=1_790_000_000_000, expires_at_ms=1_790_000_020_000))
    assert told(site) == [("accepted", "")]


def test_a_04_nor_may_it_live_for_long_nor_be_meant_for_another_start(site: VirtualSite) -> None:
    site.command(wish(site, 1, until_mono_ms=site.clock.mono + 30_001))
    site.command(wish(site, 2, expires_at_ms=site.clock.wall_ms + 30_001))
    site.command(wish(site, 3, expires_at_ms=site.clock.wall_ms - 1))
    site.command(wish(site, 4, session="0"))
    site.command(wish(site, 5, session=""))
    assert told(site) == [("refused", "expired")] * 3 + [("refused", "other_session")] * 2


# -------------------------------------------------------------------------------------------------------------


def test_a_05_twice_the_same_is_once_and_the_answer_is_the_stored_one(site: VirtualSite) -> None:
    command = wish(site)
    site.command(command)
    site.command(command)
    site.open("1")
    site.command(command)
    site.close("1")
    site.wait(700_000)
    site.command(command)
    assert site.pulses() == ["1"]
    assert [outcome for outcome, _ in told(site)] == ["accepted", "accepted", "done", "done", "done"]


def test_a_05_its_answer_outlives_two_hundred_others(site: VirtualSite) -> None:
    opened_and_shut(site, 1)
    for number in range(2, ANSWERS_MAX + 20):
        site.command(wish(site, number, verb="nonsense"))
    assert len(site.state.durable.answers) == ANSWERS_MAX
    site.wait(WINDOW_MS)
    site.command(wish(site, 1))
    assert told(site)[-1] == ("done", "")
    assert site.pulses() == ["1"]


@pytest.mark.parametrize(("door", "end"), [(Door.CLOSED, "failed"), (Door.OPEN, "done")])
def test_a_05_a_power_cut_between_pulse_and_door_ends_with_what_is_known(
    site: VirtualSite, door: Door, end: str
) -> None:
    site.stored()
    site.wait(CALM_MS)
    command = wish(site)
    site.command(command)
    site.doors[Label("1")] = door
    site.restart()
    assert told(site) == [("accepted", ""), (end, "restart")]
    assert site.pulses() == ["1"]
    assert site.occupancy("1") is Occupancy.UNKNOWN
    site.command(command)
    assert told(site)[-1] == (end, "restart")


def test_a_05_a_power_cut_before_a_blind_switch_proves_nothing(site: VirtualSite) -> None:
    site.open("1")
    site.wait(CALM_MS)
    site.command(wish(site))
    site.restart()
    assert told(site)[-1] == ("failed", "restart")


def test_a_05_once_seen_open_a_power_cut_changes_no_answer(site: VirtualSite) -> None:
    site.command(wish(site))
    site.open("1")
    site.restart()
    assert told(site) == [("accepted", ""), ("done", "")]


# ------------------------------------------------------------------------------------------------------ A-06 and I-21


def test_a_06_two_doors_in_ten_minutes_whoever_asks(site: VirtualSite) -> None:
    for number, label in enumerate("1234", 1):
        opened_and_shut(site, number, label)
    assert site.pulses() == ["1", "2"]
    assert told(site)[-1] == ("refused", "budget")
    site.wait(WINDOW_MS)
    opened_and_shut(site, 9, "3")
    assert site.pulses() == ["1", "2", "3"]


def test_a_06_ten_doors_a_day_and_the_eleventh_the_day_after(site: VirtualSite) -> None:
    for number in range(1, 13):
        opened_and_shut(site, number)
        site.wait(WINDOW_MS)
    assert len(site.pulses()) == 10
    assert told(site)[-1] == ("refused", "budget")
    site.wait(DAY_MS)
    opened_and_shut(site, 99)
    assert len(site.pulses()) == 11
    assert len(site.state.durable.remote) == 1


def test_a_06_no_restart_and_no_clock_fills_the_budget(site: VirtualSite) -> None:
    opened_and_shut(site, 1)
    opened_and_shut(site, 2, "2")
    for jump_ms in (400 * DAY_MS, -800 * DAY_MS):
        site.restart()
        site.clock.wall_ms += jump_ms
        site.wait(CALM_MS)
        opened_and_shut(site, 3, "3")
    assert told(site)[-1] == ("refused", "budget")
    site.wait(WINDOW_MS)
    opened_and_shut(site, 4, "3")
    assert site.pulses() == ["1", "2", "3"]


def test_a_06_what_a_time_server_said_before_and_after_a_restart_counts(site: VirtualSite) -> None:
    """A site that restarts each night and has a time server does not lock itself up."""
    accepted = f.RemoteOpeningAccepted(
        command="c" * 8, session="1.1", compartment=Label("1"), by="lea", approver="marc", reason="repair"
    )
    stamp = Now(0, site.clock.wall_ms - WINDOW_MS, Trust.NTP)
    durable = evolve(evolve(site.state.durable, accepted, stamp), accepted, stamp)
    durable = evolve(durable, msgspec.structs.replace(accepted, counted=1), stamp)
    assert len(durable.remote) == 2
    site.runner.state = replace(site.state, durable=rebase(durable, site.clock.now()))
    site.command(wish(site, 2))
    assert told(site) == [("accepted", "")]


def test_the_budget_is_in_a_snapshot(site: VirtualSite) -> None:
    opened_and_shut(site, 1)
    assert site.through_a_snapshot().remote == site.state.durable.remote
