"""A real hub whose database's system calls fail or kill it, with a real broker and a site that sends until it is acked.

Owns the blows and the books after each: what was acked is kept, and kept once. Refuses to look into the hub.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.hub.hub_process import HubProcess
from tests.hub.hub_site import Journal, Site, life_of, until
from tests.tools.debian import need
from tests.tools.mosquitto import Mosquitto
from tests.tools.ports import free_port

SITE: Final = "gambetta"
LIVES_A_BLOW: Final = 6
"""Parcels told while the blow is waiting, each in a message of its own, so that there are several transactions."""

LIFE_FACTS: Final = 9
REACT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Blow:
    """The nth call of this name of one thread on the database's files does this."""

    call: str
    what: str
    nth: int

    def __str__(self) -> str:
        """As a person names it."""
        return f"hub:{self.call}:{self.what}:{self.nth}"


@dataclass(frozen=True, slots=True)
class Books:
    """After a blow and whatever it took to go on."""

    struck: bool
    died: bool
    acked_lost: int
    doubled: int
    missing: int

    @property
    def is_well(self) -> bool:
        """Nothing that was acked is gone, and nothing is there twice or not at all."""
        return not (self.acked_lost or self.doubled or self.missing)


class InjectedHub:
    """Broker, hub and site, until closed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = Mosquitto(need("mosquitto"), folder / "broker", persistent=True)
        self.hub = HubProcess(folder, broker_port=self.broker.port, web_port=free_port())
        self.journal = Journal(SITE)
        self._told = 0
        self._site: Site | None = None

    def start(self) -> None:
        """Everything up, and one life acked."""
        self.hub.run("site", "add", SITE, "--name", "Conciergerie Gambetta", "--address", "12 place Gambetta")
        self.hub.start()
        self._site = Site(self.broker.port, self.journal, batch=LIFE_FACTS)
        self.site.birth()
        self.tell(1)
        self.come_to_rest()

    @property
    def site(self) -> Site:
        """The site that sends."""
        assert self._site is not None
        return self._site

    def close(self) -> None:
        """End everything."""
        if self._site is not None:
            self._site.close()
        self.hub.close()
        self.broker.close()

    def tell(self, lives: int) -> None:
        """So many parcels' lives happen, and are sent."""
        for _ in range(lives):
            self._told += 1
            self.journal.write(*life_of(self._told))
        self.site.send_after_ack()

    def is_dead(self) -> bool:
        """Whether the hub has ended by itself."""
        process = self.hub._process
        return process is None or process.poll() is not None

    def buried(self) -> None:
        """The supervisor has seen it end."""
        if self.hub._process is not None:
            self.hub._process.wait(REACT_S)
            self.hub._process = None

    def come_to_rest(self) -> None:
        """Everything is acked; a site sends again what is not, as the real one does after a while."""
        until(self._acked_or_again, f"everything is acked; the hub said {self.hub.log()[-800:]}", REACT_S)

    def _acked_or_again(self) -> bool:
        end = time.monotonic() + 2.0
        while time.monotonic() < end:
            if self.site.acked == self.journal.last:
                return True
            time.sleep(0.02)
        self.site.send_after_ack()
        return False

    def strike(self, blow: Blow) -> Books:
        """One blow while facts come in; the hub goes on or is started again, and the books are drawn up."""
        assert self.hub._process is not None
        log = self.folder / "strace.log"
        log.unlink(missing_ok=True)
        tracer = self._tracer(blow, log)
        self.tell(LIVES_A_BLOW)
        until(lambda: self.is_dead() or self.site.acked == self.journal.last, f"{blow}: acked or dead", REACT_S)
        with contextlib.suppress(ProcessLookupError):
            tracer.terminate()  # it lets the hub go
        tracer.wait(REACT_S)
        assert tracer.stderr is not None
        tracer.stderr.close()
        died = self.is_dead()
        acked = self.site.acked
        kept = self.seqs()
        if died:
            self.buried()
            self.hub.start()
        self.come_to_rest()
        said = log.read_text(errors="replace")
        return self.books(struck="INJECTED" in said or "SIGKILL" in said, died=died, acked=acked, kept=kept)

    def books(self, *, struck: bool, died: bool, acked: int, kept: list[int]) -> Books:
        """What is in the database against what was said; `acked` and `kept` are of the moment after the blow."""
        now = [seq for seq, _ in self.facts()]
        expected = [(seq, bytes.fromhex(self.journal.hashes[seq])) for seq in range(1, self.journal.last + 1)]
        collected = self.hub.ask("SELECT count(*) FROM parcel WHERE state = 'collected'")
        return Books(
            struck=struck,
            died=died,
            acked_lost=len(set(range(1, acked + 1)) - set(kept)) + len(set(kept) - set(now)),
            doubled=len(now) - len(set(now)),
            missing=len(set(expected) - set(self.facts())) + (collected != [(self._told,)]),
        )

    def seqs(self) -> list[int]:
        """The facts kept."""
        return [seq for seq, _ in self.facts()]

    def facts(self) -> list[tuple[int, bytes]]:
        """The facts kept, with their hashes."""
        return [(int(seq), bytes(hashed)) for seq, hashed in self.hub.ask("SELECT seq, hash FROM fact ORDER BY seq")]

    def _tracer(self, blow: Blow, log: Path) -> subprocess.Popen[bytes]:
        assert self.hub._process is not None
        database = self.folder / "state" / "hub.sqlite"
        paths = [word for tail in ("", "-wal") for word in ("-P", f"{database}{tail}")]
        tracer = subprocess.Popen(
            [need("strace"), "-f", "-o", str(log), *paths, "-e", f"trace={blow.call}",
             "-e", f"inject={blow.call}:{blow.what}:when={blow.nth}", "-p", str(self.hub._process.pid)],
            stderr=subprocess.PIPE,
        )  # fmt: skip
        assert tracer.stderr is not None
        said = tracer.stderr.readline()
        assert b"attached" in said, said
        return tracer
