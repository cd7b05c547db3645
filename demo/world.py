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
from functools import partial
from pathlib import Path
from threading import RLock
from typing import Any, Final

from demo.folder import Folder, NotOurs
from demo.relay import Relay

ROOT: Final = Path(__file__).resolve().parents[1]
START_S: Final = 120.0
"""A program that dies is told at once; one that lives may be slow on a machine with other work."""
STOP_S: Final = 8.0
ANSWER_S: Final = 5.0
LOG_LINES: Final = 15
HELP_PHONE: Final = "01 41 00 00 00"

ENROLLED: Final = "enrolled.json"
"""Number, key file and badge of each site: what a later start needs in order to go on."""

SHORT_TIMES: Final = (
    "dispute_ms=3000",
    "reopen_grace_ms=3000",
    "quick_close_ms=200",
    "take_ms=10000",
    "alarm_ms=60000",
)
"""The demonstration's times: a dispute window of three seconds instead of fifteen minutes, and hands that need no two seconds."""

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
    _said_from: int = 0
    _is_over: bool = False
    _turn: RLock = field(default_factory=RLock)

    def start(self) -> None:
        """Start it; its output goes to the log. Raises DidNotStart when everything is ending."""
        self.launch([sys.executable, "-u", "-m", *self.arguments])

    def launch(self, command: list[str]) -> None:
        """Start a command as this process. Ctrl-C in the terminal is ours to pass on. Raises DidNotStart."""
        with self._turn, self.log.open("ab") as log:
            if self._is_over:
                message = f"{self.name} is not started any more: the demonstration ends"
                raise DidNotStart(message)
            self._said_from = log.tell()
            self.child = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL, process_group=0
            )

    def kill(self) -> None:
        """`kill -9`."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end; end it when it does not."""
        self._end(signal.SIGTERM)

    def ask_to_end(self) -> None:
        """Ask it to end, for good, without waiting."""
        with self._turn:
            self._is_over = True
            if self.child is not None:
                self.child.terminate()

    def is_running(self) -> bool:
        """Whether it lives."""
        child = self.child
        return child is not None and child.poll() is None

    def _end(self, how: signal.Signals) -> None:
        with self._turn:
            if self.child is None:
                return
            self.child.send_signal(how)
            try:
                self.child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait(STOP_S)
            self.child = None

    def first_line(self, key: str) -> dict[str, Any]:
        """The first line of JSON with `key` written since the last start. Raises DidNotStart."""

        def look() -> dict[str, Any] | None:
            for line in self.log.read_bytes()[self._said_from :].splitlines():
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
            if not self.is_running():
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
        self.controller.start()
        self.find_world()

    def find_world(self) -> None:
        """Wait for the lock process to say where its simulated world is. Raises DidNotStart."""
        said = self.controller.first_line("sim_port")
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
    _held: Folder | None = None

    def start(self, *, notify_url: str = "", mail_port: int = 0, framer: str = "", keep: bool = False) -> None:
        """Bring everything up, from nothing or (`keep`) from where it was. Raises DidNotStart.

        The hub tells recipients' messages to `notify_url`, and mails to a server of this machine on `mail_port`; pages of the origin `framer` may show every screen in a frame.
        """
        self._held = Folder(self.folder)
        try:
            self._held.claim()
            goes_on = self._held.prepare(keep=keep, needs=ENROLLED)
        except NotOurs as error:
            raise DidNotStart(str(error)) from None
        broker_port = self._launch_broker()
        hub = self._write_hub(broker_port, _told_by(notify_url, mail_port), framer)
        enrolled = json.loads((self.folder / ENROLLED).read_text()) if goes_on else self._enrol()
        for name, _, _, board in SITES:
            self.sites.append(self._write_site(name, board, broker_port, framer, enrolled[name]))
        self.program("broker").wait_until(lambda: is_listening(broker_port))
        for process in (hub, *(one for site in self.sites for one in (site.controller, site.kiosk))):
            process.start()
        for site in self.sites:
            site.find_world()
        for site in self.sites:
            site.kiosk.wait_until(partial(answers, f"{site.kiosk_url}/healthz"))
        hub.wait_until(lambda: answers(f"{self.hub_url}/readyz"))

    def stop(self) -> None:
        """End every process for good: the sites, then the hub, then the broker. Idempotent."""
        of_sites = [process for site in self.sites for process in (site.kiosk, site.controller)]
        for process in of_sites:
            process.ask_to_end()
        for process in of_sites:
            process.stop()
        for site in self.sites:
            site.relay.close()
        for process in reversed(self._processes):
            process.ask_to_end()
            process.stop()
        if self._held is not None:
            self._held.release()

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

    def _launch_broker(self) -> int:
        # A port of its own for good, so that a broker that was killed comes back where everybody looks for it.
        port = free_port()
        if self.broker_kind == "mosquitto":
            self._launch_mosquitto(port)
        else:
            self._process("broker", "demo.broker", "--port", str(port)).start()
        return port

    def _launch_mosquitto(self, port: int) -> None:
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            message = "mosquitto is not installed here: apt install mosquitto, or leave out --broker mosquitto"
            raise DidNotStart(message)
        file = self.folder / "mosquitto.conf"
        file.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 1000\nset_tcp_nodelay true\n"
        )
        self._process("broker").launch([program, "-c", str(file)])

    def _write_hub(self, broker_port: int, told_by: str, framer: str) -> Process:
        port = free_port()
        self.hub_url = f"http://127.0.0.1:{port}"
        secret = self.folder / "master"
        if not secret.exists():
            write_secret(secret, secrets.token_hex(32))
        (self.folder / "hub.toml").write_text(
            f'state_dir = "hub"\nmaster_secret_file = "master"\n[broker]\nport = {broker_port}\n'
            f"[web]\nport = {port}\n{_framed_by(framer)}[access]\nopen_on_loopback = true\n{told_by}"
        )
        return self._process("hub", "hub", "--config", str(self.folder / "hub.toml"))

    def _enrol(self) -> dict[str, dict[str, Any]]:
        """Create the sites at the hub; number, key file and badge of each, kept for the next start."""
        said = iter(self._tell_hub([words for number, site in enumerate(SITES) for words in _enrolment(number, *site)]))
        enrolled = {}
        for site, *_ in SITES:
            known, _, keys, badge = (next(said) for _ in range(4))
            enrolled[site] = {"number": int(known), "keys": keys, "badge": badge}
        write_secret(self.folder / ENROLLED, json.dumps(enrolled))
        return enrolled

    def _tell_hub(self, commands: list[list[str]]) -> list[str]:
        command = [sys.executable, "-m", "demo.enrol", str(self.folder / "hub.toml"), json.dumps(commands)]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=START_S, check=False)
        except subprocess.TimeoutExpired:
            raise DidNotStart(f"the hub took more than {START_S:.0f} s to be told its sites") from None
        if done.returncode:
            message = f"the hub could not be told its sites:\n{done.stdout}{done.stderr}"
            raise DidNotStart(message)
        said: list[str] = json.loads(done.stdout)
        return said

    def _write_site(self, site: str, board: str, broker_port: int, framer: str, enrolled: dict[str, Any]) -> Site:
        folder = self.folder / site
        folder.mkdir(exist_ok=True)
        write_secret(folder / "keys", enrolled["keys"] + "\n")
        name = next(name for id_, name, _, _ in SITES if id_ == site)
        relay, kiosk_port = Relay(broker_port), free_port()
        (folder / "site.toml").write_text(
            f'[site]\nid = "{site}"\nnumber = {enrolled["number"]}\nname = "{name}"\nkeys = "keys"\n'
            f'[board]\nfile = "{ROOT / "hardware" / "boards" / board}"\n[hardware]\nsimulate = true\n'
            f'[store]\nstate_dir = "state"\n[panel]\nsocket = "panel.sock"\n'
            f'[broker]\nhost = "127.0.0.1"\nport = {relay.port}\n'
        )
        (folder / "kiosk.toml").write_text(
            f'[panel]\nsocket = "panel.sock"\n[web]\nport = {kiosk_port}\n{_framed_by(framer)}'
            f'[help]\nphone = "{HELP_PHONE}"\nname = "{name}"\n[voice]\nespeak = false\n'
        )
        return Site(
            id=site,
            name=name,
            folder=folder,
            relay=relay,
            controller=Process(site, ["controller", "--config", str(folder / "site.toml")], folder / "controller.log"),
            kiosk=Process(
                f"kiosk of {site}", ["controller.kiosk", "--config", str(folder / "kiosk.toml")], folder / "kiosk.log"
            ),
            kiosk_url=f"http://127.0.0.1:{kiosk_port}",
            badge=enrolled["badge"],
        )


def write_secret(file: Path, text: str) -> None:
    """A file for its owner's eyes only."""
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")


def _enrolment(number: int, site: str, name: str, address: str, _board: str) -> list[list[str]]:
    """What is typed at the hub for a new site; the third answer is its key file, the fourth a badge."""
    return [
        ["site", "add", site, "--name", name, "--address", address, "--help-phone", HELP_PHONE],
        ["site", "set", site, *SHORT_TIMES],
        ["site", "key", site],
        ["badge", "add", site, f"concierge-{number + 1}"],
    ]


def _told_by(notify_url: str, mail_port: int) -> str:
    """How recipients are told; at any hour, because whoever plays with this at night is awake."""
    said = "[notify]\nfirst_hour = 0\nend_hour = 24\n"
    if notify_url:
        said += f'driver = "webhook"\nurl = "{notify_url}"\n'
    if mail_port:
        said += (
            f'[mail]\nhost = "127.0.0.1"\nport = {mail_port}\nsecurity = "none"\nsender = "colis@consigne.example"\n'
        )
    return said


def _framed_by(origin: str) -> str:
    return f'frame_ancestors = ["{origin}"]\n' if origin else ""


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
