"""Which figures of the machine are an alarm, and when that is over (A-09)."""

from __future__ import annotations

import pytest

from controller.core.events import MachineFelt
from controller.core.machine import CARD_FAILING, COOL_C, HOT_C, POWER_WEAK, TOO_HOT
from tests.controller.virtual_site import VirtualSite


@pytest.fixture
def site() -> VirtualSite:
    site = VirtualSite()
    site.forget()
    return site


def standing(site: VirtualSite) -> list[str]:
    return [alarm.alarm for alarm in site.view().alarms]


def test_a_hot_processor_is_one_alarm_until_it_is_really_cooler(site: VirtualSite) -> None:
    for degrees in (HOT_C - 0.1, HOT_C, HOT_C - 0.1, COOL_C, HOT_C + 9):
        site.runner.feed(MachineFelt(temperature_c=degrees))
        assert standing(site) == ([TOO_HOT] if site.kinds() else []), degrees
    assert site.kinds() == ["alarm_raised"]
    site.runner.feed(MachineFelt(temperature_c=COOL_C - 0.1))
    assert site.kinds() == ["alarm_raised", "alarm_cleared"]


@pytest.mark.parametrize(
    ("bad", "good", "alarm"),
    [
        (MachineFelt(under_voltage=True), MachineFelt(under_voltage=False), POWER_WEAK),
        (MachineFelt(card_errors=1), MachineFelt(card_errors=0), CARD_FAILING),
    ],
)
def test_a_cause_is_an_alarm_of_its_own_once_and_its_end_clears_it_once(
    site: VirtualSite, bad: MachineFelt, good: MachineFelt, alarm: str
) -> None:
    for event in (good, bad, bad, MachineFelt(), good, good):
        site.runner.feed(event)
    assert site.kinds() == ["alarm_raised", "alarm_cleared"]
    site.runner.feed(bad)
    assert standing(site) == [alarm]


def test_what_the_machine_does_not_tell_changes_nothing(site: VirtualSite) -> None:
    site.runner.feed(MachineFelt(HOT_C, under_voltage=True, card_errors=7))
    assert sorted(standing(site)) == sorted([TOO_HOT, POWER_WEAK, CARD_FAILING])
    site.runner.feed(MachineFelt())
    site.restart()
    assert sorted(standing(site)) == sorted([TOO_HOT, POWER_WEAK, CARD_FAILING])
