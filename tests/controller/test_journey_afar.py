"""A door opened from afar, on the assembled program: a real broker, the real process, a simulated bank (A-03 … A-06)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.controller.controller_site import Running, end_all, parcel, stock, wait_for, write_site
from tests.controller.scripted_hub import Hub
from tests.tools.debian import need
from tests.tools.mosquitto import Mosquitto
from wire import topics
from wire.ids import Label, Occupancy
from wire.messages import Command, CompartmentState, Health, Reply, SiteState

LIFE_MS = 20_000


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(need("mosquitto"), tmp_path / "broker")
    yield broker
    end_all()
    broker.close()


def wish(hub: Hub, number: int, boot: int) -> Command:
    """What a hub makes of the site's newest word about itself."""
    health = wait_for(lambda: [one for one in hub.all(Health) if one.boot == boot and one.mono_ms], "its clock")[-1]
    return Command(
        id=f"command-{number:04}",
        verb="open",
        issued_at_ms=health.at_ms,
        expires_at_ms=health.at_ms + LIFE_MS,
        session=str(boot),
        until_mono_ms=health.mono_ms + LIFE_MS,
        actor="lea",
        approver="marc",
        reason="recipient_waits",
        compartment=Label("1"),
    )


def answers(hub: Hub, command: Command) -> list[str]:
    return [f"{one.outcome} {one.reason}".strip() for one in hub.all(Reply) if one.id == command.id]


def first_answer(hub: Hub, command: Command) -> str:
    return str(wait_for(lambda: answers(hub, command), "an answer")[0])


def bank(hub: Hub) -> tuple[CompartmentState, ...]:
    """The site's last snapshot."""
    states: list[SiteState] = hub.all(SiteState)
    return states[-1].compartments


def test_a_03_a_05_two_people_open_a_door_once_whatever_is_sent_again_and_whatever_is_cut(
    tmp_path: Path, broker: Mosquitto
) -> None:
    """Accepted, seen open, content in doubt; the same again before and after a power cut pulses nothing more."""
    config = write_site(tmp_path / "site", broker_port=broker.port)
    stock(tmp_path / "site", {"1": 1})
    hub = Hub(broker.port)
    site = Running(config)
    command = wish(hub, 1, site.line["boot"])
    hub.say(topics.COMMAND, command)
    hub.say(topics.COMMAND, command)
    wait_for(lambda: site.world()["doors"]["1"] == "open", "the door")
    wait_for(lambda: "done" in answers(hub, command), "the answer")
    assert set(answers(hub, command)) == {"accepted", "done"}

    wait_for(lambda: any(c.label == "1" and c.occupancy is Occupancy.UNKNOWN for c in bank(hub)), "the doubt")
    assert [c.parcel for c in bank(hub) if c.label == "1"] == [parcel(1)]
    site.act("doors/1", "close")
    wait_for(lambda: site.world()["doors"]["1"] == "closed", "the closed door")
    site.kill()
    again = Running(config)
    wish(hub, 2, again.line["boot"])
    hub.heard.clear()
    hub.say(topics.COMMAND, command)
    assert wait_for(lambda: answers(hub, command), "the stored answer") == ["done"]
    assert again.world()["doors"]["1"] == "closed"
    assert again.stop() == 0
    hub.close()


def test_a_04_what_was_meant_for_an_earlier_start_or_comes_late_or_from_one_person_opens_nothing(
    tmp_path: Path, broker: Mosquitto
) -> None:
    hub = Hub(broker.port)
    site = Running(write_site(tmp_path / "site", broker_port=broker.port))
    good = wish(hub, 1, site.line["boot"])
    refused: dict[str, dict[str, Any]] = {
        "other_session": {"session": str(site.line["boot"] - 1)},
        "expired": {"until_mono_ms": good.until_mono_ms - LIFE_MS - 1},
        "two_people": {"approver": "Lea"},
        "no_reason": {"reason": ""},
    }
    for number, (reason, other) in enumerate(refused.items(), 10):
        bad = msgspec.structs.replace(good, id=f"command-{number:04}", **other)
        hub.say(topics.COMMAND, bad)
        assert first_answer(hub, bad) == f"refused {reason}"
    assert site.world()["doors"]["1"] == "closed"
    assert site.stop() == 0
    hub.close()
