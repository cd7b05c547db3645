"""One storage point: the production runner, journal, exchange and clock on a simulated machine that loses its power.

Owns the machine: its clocks, its disk in memory, its power, its line to the broker, its doors. Refuses to know people.
A power cut takes everything but the disk as it stood after the last commit, the doors, and what lies behind them.
"""

from __future__ import annotations

import math
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from controller.clock import SiteClock
from controller.core import events as e
from controller.core.evolve import evolve, rebase
from controller.core.model import Live, Now, Setup, State, fresh
from controller.exchange import Exchange
from controller.health import Readings
from controller.journal import Batch, Journal, JournalReader
from controller.runner import HubTime, Runner
from tests.simulation.bank import Bank
from tests.simulation.post import Client
from wire import facts as f
from wire import topics
from wire.facts import AnyFact, HubIncarnationSeen, JournalBehind, ParcelJoined, ReservationReleased
from wire.ids import Door, Label, ReachZone, SizeClass
from wire.messages import CompartmentCard

if TYPE_CHECKING:
    from tests.simulation.world import World

CARDS: Final = (
    ("1", SizeClass.S, ReachZone.HIGH, 1_700),
    ("2", SizeClass.S, ReachZone.MID, 1_000),
    ("3", SizeClass.M, ReachZone.LOW, 600),
    ("4", SizeClass.L, ReachZone.LOW, 300),
)
WALL_MS: Final = 1_790_000_000_000
SECTOR: Final = 512
WAL_HEAD: Final = 32
"""The first bytes of SQLite's log: its salts, without which nothing behind them counts."""
SPRING_MS: Final = (60, 400)
"""How long a door needs to move after its latch let go."""
CHATTER_MS: Final = (35, 250)
"""How long a switch that chatters stays at one reading: longer than what the firmware takes for noise."""
CHATTER_MAX: Final = 4
ACK_LOOK_MS: Final = 5_000
RECONNECT_MS: Final = (1_000, 60_000)
ROOM: Final = 20


RARE: Final = (HubIncarnationSeen, JournalBehind, ParcelJoined, ReservationReleased)
RARE_TIMES: Final = 10
"""The power fails so many times likelier at what seldom happens, or else hardly ever there."""


class PowerCut(Exception):
    """The machine lost its power in the middle of something."""


class DyingJournal(Journal):
    """The production journal on a machine whose power may fail just before or just after a commit."""

    def __init__(self, path: Path, site: str, fails: Callable[[tuple[AnyFact, ...]], bool]) -> None:
        super().__init__(path, site)
        self._fails = fails
        self._wal_file = path.with_name(path.name + "-wal")
        self.torn: tuple[bytes, bytes] | None = None
        """The log before and after a commit in the middle of which the power failed."""

    def append(self, facts: tuple[AnyFact, ...], now: Now) -> None:
        if self._fails(facts):
            raise PowerCut
        if self._fails(facts):
            before = self._wal_file.read_bytes()
            super().append(facts, now)
            self.torn = before, self._wal_file.read_bytes()
            raise PowerCut
        super().append(facts, now)
        if self._fails(facts):
            raise PowerCut


class PatientReader(JournalReader):
    """The production reader; what is asked for again, word for word, for weeks, it still has in its hand."""

    def __init__(self, journal: Journal, site: str) -> None:
        super().__init__(journal.path, site)
        self._journal = journal
        self._asked: tuple[int, int, int] | None = None
        self._batch: Batch | None = None

    def batch(self, after: int) -> Batch | None:
        asked = after, self._journal.last_seq, self._journal.acked
        if asked != self._asked:
            self._asked, self._batch = asked, super().batch(after)
        return self._batch


def _torn(before: bytes, after: bytes, random: Random) -> bytes:
    """A log of which some sectors are as they were before a write, and some as after it; one of them may be half written.

    SQLite syncs the head of a log that begins anew before anything behind it is written: a torn head stands before the old log.
    """
    found = bytearray(after)
    old = before.ljust(len(after), b"\0")
    if old[:WAL_HEAD] != after[:WAL_HEAD]:
        written = random.choice((random.randrange(WAL_HEAD), WAL_HEAD, WAL_HEAD))
        old = after[:written] + old[written:]
        if written < WAL_HEAD:
            return old
    for start in range(0, len(after), SECTOR):
        here = slice(start, start + SECTOR)
        if old[here] != after[here]:
            written = random.choice((0, 0, SECTOR, random.randrange(SECTOR)))
            found[start + written : start + SECTOR] = old[start + written : start + SECTOR]
    return bytes(found)


class Site:
    """One machine in one storage point."""

    def __init__(self, world: World, name: str, number: int, key: bytes, folder: Path, random: Random) -> None:
        self.world = world
        self.name = name
        self.number = number
        self.key = key
        self.random = random
        self.later = Random(f"{world.seed} {name}")
        self.setup = Setup(
            site=name,
            number=number,
            keys={0: key},
            cards={
                Label(label): CompartmentCard(
                    label=Label(label), size=size, reach=reach, height_mm=height, row=row, column=0
                )
                for row, (label, size, reach, height) in enumerate(CARDS)
            },
            shelf_places=("E1", "E2"),
            board="virtual",
            version="0",
            name=name,
        )
        self.bank = Bank(self.setup.cards)
        self.runner: Runner | None = None
        self.pulses: list[tuple[int, Label]] = []
        self.client = Client(name, topics.site_subscriptions(name), self._arrived, self._line_lost)
        self.boots = 0
        self._folder = folder
        self._generation = 0
        self._booted_at = 0
        self._skew_ms = 0
        self._delay_ms = RECONNECT_MS[0]
        self._ticking = -1
        self._pumping = -1

    # ------------------------------------------------------------------------------------------------- the machine

    @property
    def state(self) -> State:
        """What the running program believes."""
        assert self.runner is not None, f"{self.name} has no power"
        return self.runner.state

    def has_power(self) -> bool:
        """Whether the program runs. A method, because the answer changes behind everybody's back."""
        return self.runner is not None

    def start(self) -> None:
        """The power is there: open the journal, recover, read the doors, and go on."""
        now_ms = self.world.schedule.now_ms
        self._booted_at = now_ms
        if not self.world.weather.keeps_time:
            self._skew_ms = min(self._skew_ms, 0) - self.random.choice((0, 60_000, 86_400_000))
        self._generation += 1
        self.boots += 1
        self.journal = DyingJournal(self._folder / "journal.db", self.name, self._fails)
        self.world.checks.card_is_read(self)
        self.clock = SiteClock(
            floor_ms=self.journal.floor_ms,
            monotonic_ms=self._mono_ms,
            wall_ms=self.system_ms,
            synchronised=self._is_synchronised,
        )
        durable = self.journal.recover(fresh(self.setup), evolve)
        begun = self.journal.begin()
        self.clock.boot = begun.boot
        self.exchange = Exchange(
            site=self.name,
            boot=begun.boot,
            journal_id=self.journal.journal_id,
            acked=self.journal.acked,
            post=self._post,
            hear=lambda at_ms, fresh_: self.feed(HubTime(at_ms, fresh_)),
            readings=Readings,
            seconds=lambda: self._mono_ms() / 1000,
            random=self.random,
        )
        self.reader = PatientReader(self.journal, self.name)
        now = self.clock.now()
        self.runner = Runner(
            state=State(self.setup, rebase(durable, now), Live()),
            clock=self.clock,
            journal=self.journal,
            latches=self,
            signals=self,
            uplink=self.exchange,
            panel=self,
            watchdog=self,
        )
        self.world.tell(f"{self.name} starts (boot {begun.boot})")
        doors = {label: Door.OPEN if self.bank.reads_open(label) else Door.CLOSED for label in self.bank.open}
        self.feed(e.Booted(doors, begun.clean))
        if self.runner is not None:
            self.world.schedule.after(self.random.randrange(2_000), self._connector())
            self._look_later()

    def lose_power(self) -> None:
        """Everything but the disk and the doors is gone."""
        if self.runner is None:
            return
        self.world.tell(f"{self.name} loses its power")
        self.runner = None
        self.world.broker.vanish(self.client)
        self._generation += 1
        kept = self._folder.with_name(f"{self.name}.{self._generation}")
        kept.mkdir()
        for part in self._folder.iterdir():
            if not part.name.endswith("-shm"):  # the shared memory of SQLite is memory
                shutil.copyfile(part, kept / part.name)
        if self.journal.torn is not None:
            (kept / "journal.db-wal").write_bytes(_torn(*self.journal.torn, self.random))
        self.reader.close()
        self.journal._db.close()
        shutil.rmtree(self._folder)
        self._folder = kept
        self.world.schedule.after(self.random.choice((10_000, 60_000, 4 * 3_600_000)), self._power_back)

    def copy_card(self) -> Path:
        """A careful copy of the journal, as `sqlite3 .backup` makes it."""
        copy = self._folder.with_name(f"{self.name}.copy.db")
        source, target = sqlite3.connect(self.journal.path), sqlite3.connect(copy)
        source.backup(target)
        source.close()
        target.close()
        return copy

    def swap_card(self, copy: Path) -> None:
        """The card failed, and the copy is put in its place."""
        self.lose_power()
        self.world.tell(f"an older card is put into {self.name}")
        self.world.checks.is_put_back(self)
        for part in self._folder.iterdir():
            part.unlink()
        shutil.copyfile(copy, self._folder / "journal.db")

    def stop(self) -> None:
        """The end of the world: close the files."""
        if self.runner is not None:
            self.reader.close()
            self.journal.close()
            self.runner = None

    def _power_back(self) -> None:
        if self.runner is None:
            self.start()

    def _fails(self, facts: tuple[AnyFact, ...] = ()) -> bool:
        times = RARE_TIMES if any(isinstance(fact, RARE) for fact in facts) else 1
        return self.world.is_wild() and self.random.random() < self.world.weather.cut_at_commit * times

    # ------------------------------------------------------------------------------------------------------- time

    def jump_clock(self, by_ms: int) -> None:
        """Somebody, or a dead battery, sets the system's clock."""
        self._skew_ms += by_ms

    def system_ms(self) -> int:
        """What the operating system takes for the time."""
        true_ms = WALL_MS + self.world.schedule.now_ms
        return true_ms if self._is_synchronised() else true_ms + self._skew_ms

    def _is_synchronised(self) -> bool:
        return self.world.weather.synchronised and not self.client.cut

    def _mono_ms(self) -> int:
        return self.world.schedule.now_ms - self._booted_at + 5_000

    def _look_later(self) -> None:
        generation = self._generation

        def look() -> None:
            if self.runner is not None and self._generation == generation:
                self.advance()
                if self.runner is not None:  # The power may fail while it looks.
                    self.world.checks.keeps_up(self)
                self.world.schedule.after(self.world.weather.look_ms, look)

        self.world.schedule.after(self.world.weather.look_ms, look)

    # --------------------------------------------------------------------------------------------------- the owner

    def feed(self, posted: e.Event | HubTime) -> None:
        """One event for the owner, if there is power."""
        if self.runner is None:
            return
        try:
            self.runner.feed(posted)
        except PowerCut:
            self.lose_power()
            return
        self._afterwards()

    def advance(self) -> None:
        """Let the owner look at the time."""
        if self.runner is None:
            return
        try:
            self.runner.advance()
        except PowerCut:
            self.lose_power()
            return
        self._afterwards()

    def _afterwards(self) -> None:
        self.world.checks.look_at(self)
        self._tick_later()
        self.pump()

    def _tick_later(self) -> None:
        assert self.runner is not None
        due = self.runner.next_deadline()
        if due is None:
            return
        at_ms = max(due - 5_000 + self._booted_at, self.world.schedule.now_ms)
        if at_ms == self._ticking:
            return
        self._ticking = at_ms
        generation = self._generation

        def tick() -> None:
            if self._generation == generation and self._ticking == at_ms:
                self._ticking = -1
                self.advance()

        self.world.schedule.after(at_ms - self.world.schedule.now_ms, tick)

    # ------------------------------------------------------------------------------- ports of the owner: latches, hub

    def pulse(self, label: str) -> None:
        """A coil is energised for a moment; the door springs open if nothing holds it."""
        if self._fails():
            raise PowerCut
        now_ms = self.world.schedule.now_ms
        self.world.checks.pulsed(self, Label(label))
        self.pulses.append((now_ms, Label(label)))
        if Label(label) not in self.bank.jammed:
            self.world.schedule.after(self.random.randrange(*SPRING_MS), lambda: self.open_door(Label(label)))
        if self._fails():
            raise PowerCut

    def all_off(self) -> None:
        """No coil here stays on by itself."""

    def show(self, *_: object) -> None:
        """Lamp, buzzer and screen: people look at the state itself."""

    def ping(self) -> None:
        """Nobody watches."""

    def ready(self, status: str = "") -> None:
        """Nobody watches."""

    def _post(self, event: e.Event) -> bool:
        self.feed(event)
        return True

    # ------------------------------------------------------------------------------------------------------ doors

    def open_door(self, label: Label) -> None:
        """A door moves, by its spring or by force."""
        if not self.bank.open[label]:
            self.bank.open[label] = True
            self.bank.opened_ms[label] = self.world.schedule.now_ms
            self._switched(label)

    def close_door(self, label: Label) -> None:
        """Somebody pushes a door shut."""
        if self.bank.open[label]:
            self.bank.open[label] = False
            self._switched(label)

    def cut_switch(self, label: Label) -> None:
        """The wire of a door's switch breaks."""
        was_open = self.bank.reads_open(label)
        self.bank.cut.add(label)
        if not was_open:
            self.feed(e.DoorChanged(label, open=True))

    def mend_switch(self, label: Label) -> None:
        """The wire is whole again."""
        if label in self.bank.cut:
            self.bank.cut.discard(label)
            if not self.bank.open[label]:
                self.feed(e.DoorChanged(label, open=False))

    def _switched(self, label: Label) -> None:
        """A door moved; its switch may chatter for longer than the firmware waits."""
        if label in self.bank.cut:
            return
        now_open = self.bank.open[label]
        self.feed(e.DoorChanged(label, open=now_open))
        if not self.world.is_wild() or self.random.random() >= self.world.weather.chatter:
            return
        delay_ms = 0
        for number in range(self.random.randrange(1, CHATTER_MAX)):
            for open_ in (not now_open, now_open):
                delay_ms += self.random.randrange(*CHATTER_MS)
                self.world.schedule.after(delay_ms, self._chatters(label, now_open, open_))
            del number

    def _chatters(self, label: Label, settled: bool, said: bool) -> Callable[[], None]:  # noqa: FBT001 two readings of one switch
        moved_ms = self.bank.opened_ms[label]

        def say() -> None:
            still = self.bank.open[label] == settled and self.bank.opened_ms[label] == moved_ms
            if still and label not in self.bank.cut:
                self.feed(e.DoorChanged(label, open=said))

        return say

    # --------------------------------------------------------------------------------------------------- the line

    def has_room(self) -> bool:
        """Whether a message can be handed to the broker now."""
        return self.client.up

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        """Hand a message to the broker; nothing is sent that is not durable (I-14)."""
        self.world.broker.publish(self.client, topic, payload, qos=qos, retain=retain)

    def pump(self) -> None:
        """Say what is due, and look again in time."""
        if self.runner is None or not self.client.up:
            return
        self.exchange.heed_marks()
        self.exchange.pump(self, self.reader)
        self._pump_later(self._idle_ms())

    def _idle_ms(self) -> int:
        """For how long nothing is to be said: for weeks a site under suspicion only says the same again every few minutes."""
        exchange, look_ms = self.exchange, self.world.weather.look_ms
        if exchange.is_due():
            return ACK_LOOK_MS
        if exchange._sent_to <= exchange._acked:
            return look_ms
        left_ms = min(exchange.sends_again_s * 1000 - self._mono_ms(), look_ms)
        return max(math.ceil(left_ms / ACK_LOOK_MS), 1) * ACK_LOOK_MS

    def _pump_later(self, delay_ms: int) -> None:
        at_ms = self.world.schedule.now_ms + delay_ms
        if self.world.schedule.now_ms < self._pumping <= at_ms:
            return
        self._pumping = at_ms
        generation = self._generation

        def pump() -> None:
            if self._generation == generation and self._pumping == at_ms:
                self._pumping = -1
                self.pump()

        self.world.schedule.after(delay_ms, pump)

    def _arrived(self, topic: str, payload: bytes, retained: bool) -> None:  # noqa: FBT001 a plain callback
        if self.runner is None:
            return
        self.exchange.arrived(topic, payload, fresh=not retained)
        self.pump()

    def _line_lost(self) -> None:
        if self.runner is None:
            return
        self.exchange.left()
        if self.runner is not None:
            self.world.schedule.after(self._next_delay_ms(), self._connector())

    def _connector(self) -> Callable[[], None]:
        generation = self._generation

        def connect() -> None:
            if self.runner is None or self._generation != generation or self.client.up:
                return
            if self.world.broker.connect(self.client, self.exchange.will()):
                self._delay_ms = RECONNECT_MS[0]
                self.exchange.joined(self)
                self.pump()
            else:
                self.world.schedule.after(self._next_delay_ms(), connect)

        return connect

    def _next_delay_ms(self) -> int:
        self._delay_ms = min(self._delay_ms * 2, RECONNECT_MS[1])
        return int(self._delay_ms * self.random.uniform(0.5, 1.5))

    # ------------------------------------------------------------------------------------------------- what it wrote

    def facts_since(self, seq: int) -> list[tuple[int, f.AnyFact]]:
        """The durable facts after `seq`, read as anybody with the file could."""
        rows = self.journal._db.execute("SELECT seq, body FROM facts WHERE seq > ? ORDER BY seq", (seq,))
        return [(int(number), f.decode_fact(body)) for number, body in rows]
