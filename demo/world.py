"""All programs of Consigne on this machine: broker, hub, two simulated sites and their kiosks, as real processes.

Owns their settings files, ports, logs and ends, in one folder. Refuses to know the story that is played with them. Ends
only processes it started.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from demo.relay import Relay

ROOT: Final = Path(__file__).resolve().parents[1]
START_S: Final = 30.0
STOP_S: Final = 8.0
ANSWER_S: Final = 5.0
LOG_LINES: Final = 15

SHORT_TIMES: Final = ("dispute_ms=3000", "reopen_grace_ms=3000", "take_ms=10000", "alarm_ms=60000")
"""The demonstration's times: a dispute window of three seconds instead of fifteen minutes."""

SITES: Final = (
    ("gennevilliers", "Conciergerie de Gennevilliers", "4 rue des Lilas, 92230 Gennevilliers", "demo.toml"),
    ("colombes", "Conciergerie de Colombes", "12 place Aragon, 92700 Colombes", "desk-8.toml"),
)


class DidNotStart(Exception):
    """A program did not come up; the text says which and shows the end of its log."""


@dataclass
class Process:
    """One child process and its log."""

    name: str
    arguments: list[str]
    log: Path
    child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; its output goes to the log."""
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                [sys.executable, "-u", "-m", *self.arguments],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def kill(self) -> None:
        """`kill -9`."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end; end it when it does not."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.child is None:
            return
        self.child.send_signal(how)
        try:
            self.child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait(STOP_S)
        self.child = None

    def first_line(self, key: str, after: int = 0) -> dict[str, Any]:
        """The first line of JSON with `key` written since byte `after` of the log. Raises DidNotStart."""

        def look() -> dict[str, Any] | None:
            for line in self.log.read_bytes()[after:].splitlines():
                with contextlib.suppress(ValueError):
                    said = json.loads(line)
                    if isinstance(said, dict) and key in said:
                        return said
            return None

        said: dict[str, Any] = self.wait_until(look)
        return said

    def wait_until(self, look: Callable[[], Any]) -> Any:
        """What `look` finds, once it finds something. Raises DidNotStart."""
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            found = look()
            if found:
                return found
            if self.child is None or self.child.poll() is not None:
                break
            time.sleep(0.05)
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_LINES:])
        message = f"{self.name} did not start. The end of {self.log.name}:\n{tail}"
        raise DidNotStart(message)


@dataclass
class Site:
    """One simulated site: its folder, its line to the broker, its processes."""

    id: str
    name: str
    folder: Path
    relay: Relay
    controller: Process
    kiosk: Process
    kiosk_url: str
    sim_url: str = ""
    badge: str = ""

    def start(self) -> None:
        """Start (again) the lock process, and learn where its simulated world is."""
        written = self.controller.log.stat().st_size if self.controller.log.exists() else 0
        self.controller.start()
        said = self.controller.first_line("sim_port", written)
        self.sim_url = f"http://127.0.0.1:{said['sim_port']}/sim"

    def sim(self) -> dict[str, Any]:
        """The physical world."""
        picture = ask(self.sim_url)
        assert isinstance(picture, dict)
        return picture

    def act(self, path: str, body: Any) -> None:
        """Do something in the physical world."""
        ask(f"{self.sim_url}/{path}", body)

    def scan(self, text: str) -> None:
        """Hold something in front of the reader."""
        self.act("scan", {"text": text})

    def type(self, digits: str) -> None:
        """Type at the kiosk."""
        ask(f"{self.kiosk_url}/input", {"input": "digits", "text": digits})

    def journal(self) -> Path:
        """The file of its journal."""
        return self.folder / "state" / "journal.db"


@dataclass
class World:
    """Everything, started by `start` and ended by `stop`."""

    folder: Path
    broker_kind: str = "dev"
    sites: list[Site] = field(default_factory=list)
    hub_url: str = ""
    _processes: list[Process] = field(default_factory=list)
    _notify_url: str = ""

    def start(self, *, notify_url: str = "") -> None:
        """Bring everything up from nothing. Raises DidNotStart."""
        self._notify_url = notify_url
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        broker_port = self._start_broker()
        self._start_hub(broker_port)
        for number, (site, name, address, board) in enumerate(SITES):
            self._start_site(site, name, address, board, broker_port, number)

    def stop(self) -> None:
        """End every process, the last started first. Idempotent."""
        for site in self.sites:
            site.kiosk.stop()
            site.controller.stop()
            site.relay.close()
        for process in reversed(self._processes):
            process.stop()

    def hub(self, path: str, body: Any = None) -> Any:
        """One call of the hub's API."""
        return ask(f"{self.hub_url}/api/v1/{path}", body)

    def program(self, name: str) -> Process:
        """The hub's or the development broker's process. Raises KeyError."""
        return {process.name: process for process in self._processes}[name]

    def _process(self, name: str, *arguments: str) -> Process:
        process = Process(name, list(arguments), self.folder / f"{name}.log")
        self._processes.append(process)
        return process

    def _start_broker(self) -> int:
        if self.broker_kind == "mosquitto":
            return self._start_mosquitto()
        # A port of its own for good, so that a broker that was killed comes back where everybody looks for it.
        process = self._process("broker", "demo.broker", "--port", str(free_port()))
        process.start()
        return int(process.first_line("port")["port"])

    def _start_mosquitto(self) -> int:
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            message = "mosquitto is not installed here: apt install mosquitto, or leave out --broker mosquitto"
            raise DidNotStart(message)
        port = free_port()
        file = self.folder / "mosquitto.conf"
        file.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 1000\nset_tcp_nodelay true\n"
        )
        process = self._process("broker")
        with process.log.open("ab") as log:
            process.child = subprocess.Popen([program, "-c", str(file)], stdout=log, stderr=log)
        process.wait_until(lambda: is_listening(port))
        return port

    def _start_hub(self, broker_port: int) -> None:
        port = free_port()
        self.hub_url = f"http://127.0.0.1:{port}"
        (self.folder / "master").write_text(secrets.token_hex(32))
        notify = f'[notify]\ndriver = "webhook"\nurl = "{self._notify_url}"\n' if self._notify_url else ""
        (self.folder / "hub.toml").write_text(
            f'state_dir = "hub"\nmaster_secret_file = "master"\n[broker]\nport = {broker_port}\n'
            f"[web]\nport = {port}\n[access]\nopen_on_loopback = true\n{notify}"
        )
        for site, name, address, _ in SITES:
            self._tell_hub("site", "add", site, "--name", name, "--address", address, "--help-phone", "01 41 00 00 00")
            self._tell_hub("site", "set", site, *SHORT_TIMES)
        process = self._process("hub", "hub", "--config", str(self.folder / "hub.toml"))
        process.start()
        process.wait_until(lambda: answers(f"{self.hub_url}/readyz"))

    def _tell_hub(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "hub", "--config", str(self.folder / "hub.toml"), *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
        )
        if done.returncode:
            message = f"the hub refused {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
            raise DidNotStart(message)
        return done.stdout.strip()

    def _start_site(self, site: str, name: str, address: str, board: str, broker_port: int, number: int) -> None:
        folder = self.folder / site
        folder.mkdir()
        del address
        (folder / "keys").write_text(self._tell_hub("site", "key", site) + "\n")
        badge = self._tell_hub("badge", "add", site, f"concierge-{number + 1}")
        known = next(row["number"] for row in self.hub("sites")["sites"] if row["id"] == site)
        relay, kiosk_port = Relay(broker_port), free_port()
        (folder / "site.toml").write_text(
            f'[site]\nid = "{site}"\nnumber = {known}\nname = "{name}"\nkeys = "keys"\n'
            f'[board]\nfile = "{ROOT / "hardware" / "boards" / board}"\n[hardware]\nsimulate = true\n'
            f'[store]\nstate_dir = "state"\n[panel]\nsocket = "panel.sock"\n'
            f'[broker]\nhost = "127.0.0.1"\nport = {relay.port}\n'
        )
        (folder / "kiosk.toml").write_text(
            f'[panel]\nsocket = "panel.sock"\n[web]\nport = {kiosk_port}\n'
            f'[help]\nphone = "01 41 00 00 00"\nname = "{name}"\n[voice]\nespeak = false\n'
        )
        made = Site(
            id=site,
            name=name,
            folder=folder,
            relay=relay,
            controller=Process(site, ["controller", "--config", str(folder / "site.toml")], folder / "controller.log"),
            kiosk=Process(
                f"kiosk of {site}", ["controller.kiosk", "--config", str(folder / "kiosk.toml")], folder / "kiosk.log"
            ),
            kiosk_url=f"http://127.0.0.1:{kiosk_port}",
            badge=badge,
        )
        self.sites.append(made)
        made.start()
        made.kiosk.start()
        made.kiosk.wait_until(lambda: answers(f"{made.kiosk_url}/healthz"))


def ask(url: str, body: Any = None) -> Any:
    """One HTTP call with JSON both ways, as a page of the same origin would make it. Raises OSError."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data)  # noqa: S310 our own loopback addresses
    request.add_header("Content-Type", "application/json")
    request.add_header("Sec-Fetch-Site", "same-origin")
    request.add_header("Origin", "/".join(url.split("/")[:3]))
    with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:  # noqa: S310 as above
        text = answer.read()
    return json.loads(text) if text else None


def answers(url: str) -> bool:
    """Whether a program answers well at `url`."""
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_S):  # noqa: S310 our own loopback addresses
            return True
    except OSError:
        return False


def is_listening(port: int) -> bool:
    """Whether somebody accepts connections at a loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def free_port() -> int:
    """A loopback port nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
