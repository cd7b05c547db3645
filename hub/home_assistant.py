"""An optional window for Home Assistant: each site a device, with figures only, by MQTT discovery.

Owns which figures there are, and says each again when it changed. Reads and never listens: nothing that Home Assistant says reaches a
site, and no topic here takes a command. No name, number or code of a person or parcel is in it (I-25).
Source of the form: Home Assistant's documentation of *MQTT discovery* (a retained `…/config` for each figure).
"""

from __future__ import annotations

import threading
from typing import Any, Final

import msgspec

from hub.clock import Clock
from hub.receiver import Link
from hub.store.engine import Store
from hub.store.pages import PageReads, SiteRow
from hub.web import bank
from wire import topics
from wire.ids import Door
from wire.version import VERSION

LOOK_S: Final = 5.0
RETRY_S: Final = 0.05
"""Pause when the link has too many messages outstanding."""

_BINARY: Final = {
    "online": ("En ligne", {"device_class": "connectivity", "entity_category": "diagnostic"}),
    "door_open": ("Porte ouverte", {"device_class": "door"}),
}
_MEASURED: Final = {
    "parcels": ("Colis sur place", {"icon": "mdi:package-variant-closed"}),
    "free": ("Casiers libres", {"icon": "mdi:locker"}),
    "to_check": ("Casiers à regarder", {"icon": "mdi:eye"}),
    "alerts": ("Alertes", {"icon": "mdi:alert"}),
    "temperature": (
        "Température de la machine",
        {"device_class": "temperature", "unit_of_measurement": "°C", "entity_category": "diagnostic"},
    ),
}


class HomeAssistant:
    """The worker. `prefix` is where Home Assistant looks for devices, `homeassistant` unless somebody changed it."""

    def __init__(self, *, store: Store, link: Link, clock: Clock, prefix: str, url: str) -> None:
        self._reads = PageReads(store)
        self._link = link
        self._clock = clock
        self._prefix = prefix
        self._url = url
        self._said: dict[str, bytes] = {}
        self._again = threading.Event()
        self.stopping = threading.Event()

    def joined(self) -> None:
        """Say everything anew: the link stands again, and the broker may have lost what it retained."""
        self._again.set()

    def run(self) -> None:
        """Work until `stopping`."""
        while not self.stopping.wait(LOOK_S):
            if self._link.is_connected:
                self.look()

    def look(self) -> None:
        """Say what is new."""
        if self._again.is_set():
            self._again.clear()
            self._said.clear()
        for row in self._reads.sites():
            if row.sandbox:
                continue
            for topic, payload in (*self._cards(row), (self._state_topic(row), figures(row, self._clock()))):
                self._say(topic, msgspec.json.encode(payload))

    def _say(self, topic: str, payload: bytes) -> None:
        while self._said.get(topic) != payload and self._link.is_connected and not self.stopping.is_set():
            if self._link.publish(topic, payload, qos=1, retain=True):
                self._said[topic] = payload
            else:
                self.stopping.wait(RETRY_S)

    def _state_topic(self, row: SiteRow) -> str:
        return f"{self._prefix}/consigne/{row.id}/state"

    def _cards(self, row: SiteRow) -> list[tuple[str, dict[str, Any]]]:
        """What Home Assistant has to know of each figure."""
        device = {
            "identifiers": [f"consigne_{row.id}"],
            "name": row.name,
            "manufacturer": "Consigne",
            "model": "Consigne",
        }
        if row.birth is not None:
            device["sw_version"] = row.birth.version
        if self._url:
            device["configuration_url"] = f"{self._url}/sites/{row.id}"
        shared = {
            "device": device,
            "origin": {"name": "Consigne", "sw_version": VERSION},
            "state_topic": self._state_topic(row),
            "availability_topic": topics.topic(topics.HUB_PRESENCE),
            "availability_template": "{{ 'online' if value_json.online else 'offline' }}",
        }
        cards = []
        for platform, figures_of, more in (
            ("binary_sensor", _BINARY, {"payload_on": "True", "payload_off": "False"}),
            ("sensor", _MEASURED, {"state_class": "measurement"}),
        ):
            for name, (text, looks) in figures_of.items():
                own = {
                    "name": text,
                    "unique_id": f"consigne_{row.id}_{name}",
                    "value_template": f"{{{{ value_json.{name} }}}}",
                }
                topic = f"{self._prefix}/{platform}/consigne_{row.id}/{name}/config"
                cards.append((topic, {**shared, **more, **looks, **own}))
        return cards


def figures(row: SiteRow, now_ms: int) -> dict[str, Any]:
    """The figures of a site by name, as its pages count them; None (which Home Assistant shows as *unknown*) for what it has not said."""
    cells = bank.bank_of(row.birth, row.state)
    known = row.birth is not None and row.state is not None
    return {
        "online": row.is_online(now_ms),
        "door_open": any(cell.door is Door.OPEN for cell in cells) if known else None,
        "parcels": row.inside,
        "free": sum(size.free for size in bank.count_sizes(cells)) if known else None,
        "to_check": sum(cell.needs_look for cell in cells) if known else None,
        "alerts": row.alerts,
        "temperature": None if row.health is None else row.health.temperature_c,
    }
