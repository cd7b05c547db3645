"""What Home Assistant is told: figures of each site, again when they change, and nothing of anybody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.home_assistant import HomeAssistant
from hub.settings import BadSettings, read_settings
from tests.hub.hub_bench import Bench
from tests.hub.hub_process import HubProcess, write_settings
from tests.hub.hub_site import Journal, Site, life, until
from wire.ids import Occupancy, ParcelId
from wire.messages import Health, Presence, PresenceStatus


@pytest.fixture
def told(bench: Bench) -> HomeAssistant:
    return HomeAssistant(
        store=bench.store, link=bench.link, clock=bench.clock, prefix="homeassistant", url="https://colis.example.org"
    )


def said(bench: Bench) -> dict[str, Any]:
    """What was said since the last look, by topic."""
    found = {topic: json.loads(payload) for topic, payload in bench.link.said if topic.startswith("homeassistant/")}
    bench.link.said.clear()
    return found


def test_a_site_is_a_device_whose_figures_are_said_when_they_change(bench: Bench, told: HomeAssistant) -> None:
    told.look()
    first = said(bench)
    cards = {topic: card for topic, card in first.items() if topic.endswith("/config") and "gambetta" in topic}
    assert len(cards) == 7
    card = cards["homeassistant/binary_sensor/consigne_gambetta/online/config"]
    assert card["device"]["identifiers"] == ["consigne_gambetta"]
    assert card["device"]["configuration_url"] == "https://colis.example.org/sites/gambetta"
    assert card["state_topic"] in first
    assert len({one["unique_id"] for one in cards.values()}) == 7
    assert not any("command" in key for one in cards.values() for key in one)
    assert first["homeassistant/consigne/gambetta/state"] == {
        "online": False, "door_open": None, "parcels": 0, "free": None, "to_check": None, "alerts": 0, "temperature": None,
    }  # fmt: skip
    told.look()
    assert said(bench) == {}

    parcel = bench.announce(site="gambetta", tracking="8N00234584108", name="Awa Diallo", phone="0612345678")
    journal = Journal("gambetta")
    journal.write(*life(ParcelId(parcel), source="plan", ends=False))
    bench.hear(
        Presence(site="gambetta", boot=1, status=PresenceStatus.READY),
        Health(site="gambetta", boot=1, at_ms=1, uptime_ms=1, outbox=0, temperature_c=48.5),
        journal.batch(1, journal.last),
    )
    bench.link.said.clear()
    told.look()
    second = said(bench)
    assert second == {
        "homeassistant/consigne/gambetta/state": {
            "online": True, "door_open": None, "parcels": 1, "free": None, "to_check": None, "alerts": 0, "temperature": 48.5,
        }
    }  # fmt: skip
    told.joined()
    told.look()
    again = said(bench)
    assert len(again) == len(first), "everything anew after a new connection"
    assert not any(word in json.dumps(again) for word in ("Diallo", "0612345678", "8N00234584108", parcel))


@pytest.mark.parametrize("text", ["home assistant", "a/b", "#", "consigne"])
def test_the_topic_is_one_word_of_its_own(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadSettings, match="home_assistant: expected letters"):
        read_settings(write_settings(tmp_path, more=f'home_assistant = "{text}"\n'))


@pytest.mark.mosquitto
@pytest.mark.slow
def test_a_broker_with_our_rules_lets_home_assistant_read_and_nobody_else(tmp_path: Path, free_port: int) -> None:
    import shutil

    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    from tests.mqtt_client import close_wake_up_sockets
    from tests.tools.debian import need
    from tests.tools.mosquitto import Mosquitto

    settings = HubProcess(tmp_path, broker_port=1, web_port=free_port, more='home_assistant = "homeassistant"\n')
    (tmp_path / "acl").write_text(settings.run("acl") + "\n")
    settings.run("site", "add", "gambetta", "--name", "Gambetta")
    settings.close()
    assert shutil.which("mosquitto") or need("mosquitto")
    broker = Mosquitto(
        need("mosquitto"), tmp_path / "broker", extra=(f"acl_file {tmp_path / 'acl'}", "allow_anonymous true")
    )
    hub = HubProcess(
        tmp_path, broker_port=broker.port, web_port=free_port, more='user = "hub"\nhome_assistant = "homeassistant"\n'
    )
    heard: dict[str, dict[str, Any]] = {"home-assistant": {}, "gambetta": {}}
    clients = []
    for user, found in heard.items():
        client = Client(callback_api_version=CallbackAPIVersion.VERSION2, client_id=user)
        client.username_pw_set(user, "")
        client.on_connect = lambda client, *_rest: client.subscribe("homeassistant/#", 1)
        client.on_message = lambda _client, found, message: found.update({message.topic: json.loads(message.payload)})
        client.user_data_set(found)
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        clients.append(client)
    try:
        hub.start()
        until(lambda: "homeassistant/consigne/gambetta/state" in heard["home-assistant"], "Home Assistant is told")
        site = Site(broker.port, Journal("gambetta"), user="gambetta")
        site.birth()
        site.state([("7", Occupancy.FREE, None)])
        until(lambda: heard["home-assistant"]["homeassistant/consigne/gambetta/state"]["free"] == 1, "of a free door")
        site.close()
        assert heard["gambetta"] == {}
    finally:
        for client in clients:
            client.disconnect()
            client.loop_stop()
            close_wake_up_sockets(client)
        hub.close()
        broker.close()
