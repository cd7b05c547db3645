"""A new machine becomes a site with one line to type, on a broker that lets nobody in without a password (A-01)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from hub.settings import read_settings
from tests.controller.controller_site import ROOT, Running, end_all, wait_for
from tests.hub.hub_process import HubProcess
from tests.mqtt_client import close_wake_up_sockets
from tests.tools.debian import need
from tests.tools.mosquitto import Mosquitto
from tests.tools.ports import free_port
from wire import topics

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow, pytest.mark.timeout(180)]

SITE = "aubervilliers-1"
HUB_PASSWORD = "what the hub says"
QUIET_S = 1.0


@pytest.fixture
def network(tmp_path: Path) -> Iterator[tuple[HubProcess, Mosquitto]]:
    """A hub and a broker whose doors are closed, made by the hub's own commands."""
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "broker-password").write_text(HUB_PASSWORD + "\n")
    broker_port, web_port = free_port(), free_port()
    more = 'user = "hub"\npassword_file = "broker-password"\n'
    hub = HubProcess(tmp_path / "hub", broker_port=broker_port, web_port=web_port, more=more)
    for site in (SITE, "bobigny-2"):
        hub.run("site", "add", site, "--name", f"Conciergerie {site}")
    rules = tmp_path / "rules"
    rules.mkdir(mode=0o755)
    (rules / "passwords").write_text(hub.run("passwords") + "\n")
    (rules / "acl").write_text(hub.run("acl") + "\n")
    extra = (f"password_file {rules / 'passwords'}", f"acl_file {rules / 'acl'}", "allow_anonymous false")
    broker = Mosquitto(need("mosquitto"), tmp_path / "broker", extra=extra)
    hub.file.write_text(hub.file.read_text().replace(f"port = {broker_port}\n", f"port = {broker.port}\n"))
    hub.settings = read_settings(hub.file)
    hub.start()
    yield hub, broker
    end_all()
    hub.close()
    broker.close()


def enrol(hub: HubProcess, token: str, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """What somebody types on the machine."""
    command = [sys.executable, "-m", "controller.enrol", hub.url, token, "--folder", str(folder), *more]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def overheard(broker: Mosquitto, user: str, password: str) -> list[str]:
    """What a user of the broker hears of everything; `refused` when it is not let in."""
    heard: list[str] = []
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"ear-{user}", protocol=MQTTProtocolVersion.MQTTv5)
    client.username_pw_set(user, password)
    client.on_connect = lambda client, _data, _flags, code, _properties: (
        heard.append("refused") if code.is_failure else client.subscribe(f"{topics.ROOT}/#", qos=1)
    )
    client.on_message = lambda _client, _data, message: heard.append(message.topic)
    client.connect(broker.host, broker.port)
    client.loop_start()
    time.sleep(QUIET_S)
    client.disconnect()
    client.loop_stop()
    close_wake_up_sockets(client)
    return heard


def test_a_01_one_line_makes_a_machine_a_site_and_the_same_line_makes_no_second(
    tmp_path: Path, network: tuple[HubProcess, Mosquitto]
) -> None:
    hub, broker = network
    token = hub.run("site", "invite", SITE)
    folder = tmp_path / "etc"
    no_reader = enrol(hub, token, folder)
    assert no_reader.returncode == 2
    assert "The token is still good." in no_reader.stderr
    done = enrol(hub, token, folder, "--simulate")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"This machine is {SITE}, number 1." in done.stdout
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == {"site-keys": 0o600, "broker-password": 0o600, "controller.toml": 0o644}

    # The administrator's own part: the board, and where the state goes on this machine.
    (folder / "board.toml").write_text((ROOT / "hardware" / "boards" / "demo.toml").read_text())
    settings = folder / "controller.toml"
    local = settings.read_text().replace("/var/lib/consigne", str(tmp_path / "state"))
    settings.write_text(local.replace("/run/consigne/panel.sock", str(tmp_path / "panel.sock")))
    os.environ["CREDENTIALS_DIRECTORY"] = str(folder)
    try:
        site = Running(settings)
    finally:
        del os.environ["CREDENTIALS_DIRECTORY"]
    wait_for(lambda: hub.get(f"/api/v1/sites/{SITE}")["presence"] == "ready", "the site appears")
    wait_for(lambda: hub.get(f"/api/v1/sites/{SITE}")["plan_applied"], "the site works by its plan")

    # The same line again, on another machine: nothing is given, and the log says that somebody tried.
    again = enrol(hub, token, tmp_path / "other", "--simulate")
    assert again.returncode == 2
    assert "this token was used before" in again.stderr
    assert list((tmp_path / "other").iterdir()) == []
    assert hub.ask("SELECT action FROM audit WHERE site = 'aubervilliers-1' ORDER BY seq") == [
        ("site_created",), ("site_invited",), ("site_enrolled",), ("site_token_replayed",),
    ]  # fmt: skip
    assert "is a site already" in enrol(hub, "cen_new", folder, "--simulate").stderr
    assert "is not known" in enrol(hub, "cen_made_up", tmp_path / "other", "--simulate").stderr

    # Its password is its own: it hears what is said to it, and nothing of its neighbour.
    password = (folder / "broker-password").read_text().strip()
    assert set(overheard(broker, "bobigny-2", password)) == {"refused"}  # and again, when it tries once more
    assert set(overheard(broker, "nobody", "")) == {"refused"}
    heard = overheard(broker, SITE, password)
    assert heard
    assert all(topic.startswith((f"{topics.ROOT}/{SITE}/down/", f"{topics.ROOT}/hub/")) for topic in heard)
    assert site.stop() == 0
