"""All programs as real processes with a real Mosquitto, the second site behind a cable of its own that can be pulled.

Owns the cable: a pair of virtual network cards between two network namespaces. Pulled, it loses every packet and closes
nothing. Refuses to know the story.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from demo.ledger import Ledger, draw_up
from demo.story import (
    HAND_S,
    announce,
    expect,
    facts_of,
    last_seq,
    load,
    sign_in,
    sign_out,
    slip,
    state_of,
    take_only,
    waiting,
)
from demo.world import Process, Site, World, ask
from tests.campaigns.kills import Broker
from tests.faults.own_namespace import NETWORK, OwnNamespace, call
from tests.tools.debian import need
from tests.tools.ports import free_port
from wire import facts as f

HERE: Final = "10.77.0.1"
THERE: Final = "10.77.0.2"
CABLE: Final = "cable0"
DOOR_S: Final = 2.0
"""A valid key opens its door within this time, hub up or down (I-7)."""

COMINGS: Final = 2
REPEAT_S: Final = 3.1
"""A reader in continuous mode repeats a text; a person who shows it again does so after this long."""

REST_S: Final = 90.0
"""A silent line is noticed by its keepalive, and the pauses before a new connection grow with every try."""


@dataclass(kw_only=True)
class FarSite(Site):
    """A site whose lock process lives in another network; hands and eyes go there too."""

    island: OwnNamespace

    def start(self) -> None:
        """Start it over there."""
        self.island.run(super().start)

    def sim(self) -> dict[str, Any]:
        """The physical world."""
        return self.island.run(super().sim)

    def act(self, path: str, body: Any) -> None:
        """Do something in the physical world."""
        self.island.run(lambda: ask(f"{self.sim_url}/{path}", body))


class CutWorld:
    """Built and lived in inside `namespace`, which is a network of its own; `far` is the site behind the cable."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder, "mosquitto")
        self.parcels: list[tuple[Site, str]] = []
        self._count = 0

    def start(self) -> None:
        """Everything up; the far site moved behind its cable."""
        need("mosquitto")
        need("iproute2")
        self._island = OwnNamespace(NETWORK)
        try:
            self.world.start()
            self.near, self.far = self.world.sites
            self._lay_cable()
            self._move_out()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every process, and the cable with them."""
        self.world.stop()
        self._island.close()

    # ------------------------------------------------------------------------------------------------------- the faults

    def pull(self) -> None:
        """From now on no packet passes and nobody is told."""
        call("ip", "link", "set", CABLE, "down")

    def plug(self) -> None:
        """The cable is whole again."""
        call("ip", "link", "set", CABLE, "up")

    @contextmanager
    def frozen(self, process: Process) -> Iterator[None]:
        """It does nothing, keeps its connections, and goes on afterwards."""
        assert process.child is not None
        pid = process.child.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    # -------------------------------------------------------------------------------------------------------- the people

    def stored(self, site: Site) -> str:
        """A parcel announced and put in; its number."""
        self._count += 1
        tracking = f"8N{40_000_000_000 + self._count}"
        parcel = announce(self.world, site, tracking, "S")
        sign_in(site)
        load(self.world, site, parcel, tracking)
        sign_out(site)
        self.parcels.append((site, parcel))
        return parcel

    def key(self, parcel: str) -> str:
        """What its slip says; printed while the hub is there."""
        return slip(self.world, parcel)["qr"]

    def program(self, name: str) -> Process:
        """The hub or the broker."""
        return self.world.program(name)

    def collected_at_once(self, site: Site, parcel: str, key: str) -> None:
        """A customer shows the slip once; the door opens as fast as ever, whatever is broken; the parcel is taken."""
        before = last_seq(site)
        site.scan(key)
        expect(lambda: "open" in site.sim()["doors"].values(), "the door to open while something is broken", DOOR_S)
        expect(lambda: facts_of(site, f.DoorOpened, before), "the door to be seen open")
        (door,) = [label for label, how in site.sim()["doors"].items() if how == "open"]
        time.sleep(HAND_S)
        take_only(site, door, parcel)
        site.act(f"doors/{door}", "close")
        expect(lambda: any(fact.parcel == parcel for fact in facts_of(site, f.ParcelTaken)), f"{parcel} to be taken")

    def come_and_go(self, site: Site) -> None:
        """Staff sign in and out: facts, and a new picture on every screen."""
        for _ in range(COMINGS):
            sign_in(site)
            sign_out(site)
            time.sleep(REPEAT_S)

    def broker_dies_and_forgets(self) -> None:
        """Killed, and its data directory gone with all that it retained."""
        self.broker.kill()
        data = self.world.folder / "mosquitto-data"
        shutil.rmtree(data)
        data.mkdir()

    def is_collected(self, parcel: str) -> bool:
        """Whether the hub says so."""
        return state_of(self.world, parcel) == "collected"

    def come_to_rest(self) -> None:
        """The hub has every fact of both sites, and every parcel is collected."""
        for _, parcel in self.parcels:
            expect(lambda: self.is_collected(parcel), f"{parcel} to be collected", REST_S)  # noqa: B023 called at once
        expect(lambda: all(waiting(self.world, site) == 0 for site in self.world.sites), "the hub to have all", REST_S)

    def books(self) -> Ledger:
        """The ledger of both sites."""
        return draw_up(self.world)

    # -------------------------------------------------------------------------------------------------------- the cable

    def _lay_cable(self) -> None:
        thread = self._island.run(threading.get_native_id)
        call("ip", "link", "add", CABLE, "type", "veth", "peer", "name", "cable1")
        call("ip", "link", "set", "cable1", "netns", str(thread))
        call("ip", "address", "add", f"{HERE}/24", "dev", CABLE)
        self.plug()
        self._island.run(lambda: call("ip", "address", "add", f"{THERE}/24", "dev", "cable1"))
        self._island.run(lambda: call("ip", "link", "set", "cable1", "up"))

    def _move_out(self) -> None:
        """The broker listens at the cable too, and the far site's lock process is started anew at its other end."""
        port = free_port()
        with (self.world.folder / "mosquitto.conf").open("a", encoding="utf-8") as conf:
            conf.write(f"listener {port} {HERE}\n")
        self.broker = Broker(self.world)
        near_by = self.far
        settings = near_by.folder / "site.toml"
        old = f'host = "127.0.0.1"\nport = {near_by.relay.port}\n'
        text = settings.read_text(encoding="utf-8")
        assert old in text
        settings.write_text(text.replace(old, f'host = "{HERE}"\nport = {port}\n'), encoding="utf-8")
        near_by.controller.stop()
        self.far = FarSite(**vars(near_by), island=self._island)
        self.world.sites[1] = self.far
        self.far.start()
