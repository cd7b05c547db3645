"""What every process of a hub stands on: settings, keys, the database brought to its tables, what is told to pages, what is counted.

Owns nothing else. Refuses to start a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hub.clock import Clock, wall_ms
from hub.keys import KeyRing
from hub.live import Live
from hub.metrics import Metrics
from hub.settings import Settings, Systemd, read_broker_password, read_master_secret
from hub.store.engine import Store
from hub.store.migrate import migrate
from hub.store.tenants import SitePlaces
from hub.systemd_notify import notify


class Base:
    """The ground of one process."""

    def __init__(
        self,
        settings: Settings,
        systemd: Systemd | None = None,
        *,
        clock: Clock = wall_ms,
        on_thread_end: Callable[[str], None] | None = None,
    ) -> None:
        self._notify_socket: Final = (systemd or Systemd()).notify_socket
        settings.state_dir.mkdir(parents=True, exist_ok=True)
        self.settings = settings
        self.clock = clock
        self.on_thread_end = on_thread_end
        self.keys = KeyRing(read_master_secret(settings, systemd or Systemd()))
        self.broker_password = read_broker_password(settings)
        self.store = Store(settings.store_url)
        migrate(self.store)
        self.live = Live(place_of=SitePlaces(self.store).of)
        self.metrics = Metrics()

    def say(self, state: str) -> None:
        """Tell systemd."""
        notify(self._notify_socket, state)
