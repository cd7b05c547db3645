"""Builders for the tests of the controller's shell: a site in a folder, stocked parcels, a running process.

Owns what several of these tests need. Knows no broker.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller.core.model import Now, Setup
from controller.journal import Journal
from wire import facts as f
from wire.facts import AnyFact
from wire.ids import Label, ParcelId, PlaceKind, ReachZone, SizeClass, Trust, parcel_id_from_bits
from wire.messages import CompartmentCard
from wire.pickup import PickupKey, qr_text
from wire.plan import PlannedParcel, Settings

ROOT = Path(__file__).resolve().parents[2]
KEY = bytes(range(32))
SITE = "aubervilliers-1"
NUMBER = 93
NOON_MS = 1_790_000_000_000
PATIENCE_S = 20.0
START_S = 60.0
"""A program that dies is told at once; one that lives may be slow on a machine with other work."""
NOW = Now(mono=1, wall_ms=NOON_MS, trust=Trust.HUB, boot=1)


def setup() -> Setup:
    """A site of one compartment."""
    card = CompartmentCard(label=Label("1"), size=SizeClass.S, reach=ReachZone.MID, height_mm=1000, row=0, column=0)
    cards = {Label("1"): card}
    return Setup(site=SITE, number=1, keys={0: bytes(32)}, cards=cards, shelf_places=(), board="b", version="0")


def attempt(tokens: int) -> AnyFact:
    """A fact that tells two of its kind apart."""
    return f.AttemptFailed(tokens_milli=tokens)


def wait_for(what: Callable[[], Any], reason: str, seconds: float = PATIENCE_S) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"{reason}: not within {seconds} s")


def write_site(
    folder: Path, *, board: str = "demo.toml", broker_port: int = 0, sim_dir: str = "", extra: str = ""
) -> Path:
    """The TOML and the keys of a simulated site; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "keys").write_text(f"0 {KEY.hex()}\n")
    broker = f'[broker]\nhost = "127.0.0.1"\nport = {broker_port}\n' if broker_port else ""
    path = folder / "site.toml"
    path.write_text(
        f'[site]\nid = "{SITE}"\nnumber = {NUMBER}\nname = "Point Colis"\nkeys = "keys"\n'
        f'[board]\nfile = "{ROOT / "hardware" / "boards" / board}"\n'
        f'[hardware]\nsimulate = true\nsim_dir = "{sim_dir}"\n[store]\nstate_dir = "state"\n[panel]\nsocket = "panel.sock"\n{broker}{extra}'
    )
    return path


HURRIED = Settings(quick_close_ms=100)
"""Hands in these tests need no two seconds at a door."""


def parcel(number: int) -> ParcelId:
    return parcel_id_from_bits(number)


def slip(number: int, version: int = 1) -> str:
    """The QR text of a parcel's slip."""
    return qr_text(KEY, PickupKey(NUMBER, parcel(number), version, 0))


def stored(number: int, compartment: str) -> tuple[AnyFact, ...]:
    """The facts of a parcel announced, received and put behind a door."""
    known = parcel(number)
    label = Label(compartment)
    place = f.Place(kind=PlaceKind.COMPARTMENT, name=label)
    return (
        f.PlanApplied(
            incarnation=1,
            revision=number,
            hash="x",
            upserted=(PlannedParcel(id=known, version=1),),
            settings=HURRIED,
        ),
        f.ParcelReceived(
            parcel=known, tracking="", carrier="", source="plan", key_version=1, key_epoch=0, session="s", by="p"
        ),
        f.CompartmentReserved(compartment=label, parcel=known, session="s"),
        f.ParcelStored(parcel=known, place=place, session="s", by="p"),
    )


def stock(folder: Path, contents: dict[str, int]) -> None:
    """Write a journal in which each compartment holds a parcel, as if staff had loaded them on another day."""
    state = folder / "state"
    state.mkdir(parents=True, exist_ok=True)
    journal = Journal(state / "journal.db", SITE)
    journal.begin()
    now = Now(mono=0, wall_ms=NOON_MS, trust=Trust.HUB, boot=1)
    for compartment, number in contents.items():
        journal.append(stored(number, compartment), now)
    journal.close()


STARTED: list[Running] = []
"""Processes of this test run; whatever a failed test left is ended by `end_all`."""


def end_all() -> None:
    """End what a failed test left running."""
    while STARTED:
        left = STARTED.pop()
        if left.process.poll() is None:
            left.kill()


class Running:
    """A controller process. `line` is what it printed at start; `stop` ends it kindly, `kill` as a power cut does."""

    def __init__(self, config: Path, *, prefix: tuple[str, ...] = ()) -> None:
        self.log = config.with_name("controller.log")
        self._output = self.log.open("ab")
        before = self.log.stat().st_size
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "controller", "--config", str(config)],
            stdout=self._output, stderr=subprocess.STDOUT, cwd=ROOT, env={**os.environ, "LG_WD": str(config.parent)},
        )  # fmt: skip
        STARTED.append(self)
        self.line: dict[str, Any] = wait_for(lambda: self._announcement(before), "the controller's first line", START_S)

    def _announcement(self, before: int) -> dict[str, Any] | None:
        if self.process.poll() is not None:
            raise AssertionError(f"the controller ended:\n{self.log.read_text()}")
        for line in self.log.read_bytes()[before:].splitlines(keepends=True):
            if line.startswith(b"{") and line.endswith(b"\n"):
                return json.loads(line)  # type: ignore[no-any-return]
        return None

    def scan(self, text: str) -> None:
        """Bytes into the pty, as a scanner sends them."""
        with Path(self.line["scanner"]).open("wb", buffering=0) as port:
            port.write(text.encode() + b"\r\n")

    def world(self) -> dict[str, Any]:
        return self._request("GET", "/sim", None)

    def act(self, path: str, body: Any = None) -> dict[str, Any]:
        return self._request("POST", f"/sim/{path}", body)

    def _request(self, method: str, path: str, body: Any) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.line["sim_port"], timeout=5)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            return json.loads(connection.getresponse().read())  # type: ignore[no-any-return]
        finally:
            connection.close()

    def stop(self) -> int:
        self.process.terminate()
        status = self.process.wait(PATIENCE_S)
        self._output.close()
        return status

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self._output.close()
