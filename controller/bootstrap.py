"""Puts a site together: the same function for the real one, the simulated one and the tests.

Owns the choice of every implementation and the order of starting and stopping. Refuses to decide anything else. Coils go
off before anything else happens, and again as the last act.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import Final

from controller import ending, health
from controller.clock import SiteClock, system_is_synchronised
from controller.core import events as e
from controller.core.deposit import Deposit
from controller.core.deposits import DEPOSITS_MAX, read_back
from controller.core.evolve import evolve, rebase
from controller.core.looks import NO_SEAL, Seal
from controller.core.model import Durable, Live, Now, Setup, State, fresh
from controller.journal import Journal, JournalError
from controller.panel import PanelServer
from controller.runner import Adapters, HubTime, Runner
from controller.settings import Settings, load_keys, load_password
from controller.uplink import Link, MqttUplink, NoUplink
from firmware.board import Board, load_board
from firmware.hardware import Callbacks, Hardware, Simulation, open_real
from firmware.watchdog import Watchdog
from wire.facts import ParcelStored, ReconciliationEnded, UnknownFact, decode_fact, kind
from wire.ids import Door, Label, ReachZone, SizeClass
from wire.messages import CompartmentCard
from wire.version import VERSION

LOG: Final = logging.getLogger(__name__)


M_ARENA_MAX: Final = -8
"""Parameter number of mallopt(3)."""

OpenHardware = Callable[[Board, Callbacks], Hardware]


def opener(settings: Settings) -> OpenHardware:
    """What opens the hardware these settings name: the Pi's, or its simulated twin in the site's own folder."""
    hardware = settings.hardware
    if not hardware.simulate:
        return lambda board, calls: open_real(board, scanner_path=hardware.scanner, calls=calls)
    from firmware.sim import open_simulated  # A real site never loads the simulation.

    folder = settings.resolve(hardware.sim_dir or settings.store.state_dir)
    return lambda board, calls: open_simulated(
        board, state_dir=folder, calls=calls, sim_port=hardware.sim_port, scanner_path=hardware.scanner or None
    )


class LivingWatchdog:
    """Pings only while the mechanisms that end a pulse run: a bank that cannot switch off must be restarted."""

    def __init__(self, watchdog: Watchdog, is_alive: Callable[[], bool]) -> None:
        self._watchdog = watchdog
        self._is_alive = is_alive

    def ping(self) -> None:
        """The owner thread is alive; the supervisor hears it only if the latches' threads are as well."""
        if self._is_alive():
            self._watchdog.ping()


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything checked and read before the first part is opened."""

    settings: Settings
    board: Board
    setup: Setup
    link: Link | None


def check(settings: Settings) -> Parts:
    """Read what the settings point to. Raises SettingsError or BoardError; opens and changes nothing."""
    board = load_board(settings.resolve(settings.board.file))
    setup = Setup(
        site=settings.site.id,
        number=settings.site.number,
        keys=load_keys(settings.resolve(settings.site.keys)),
        cards={card.label: card for card in _cards(board)},
        shelf_places=board.shelf_places,
        board=board.name,
        version=VERSION,
        name=settings.site.name,
    )
    return Parts(settings, board, setup, _link(settings))


def journal_path(settings: Settings) -> Path:
    """Where the journal lives."""
    return settings.resolve(settings.store.state_dir) / "journal.db"


class Site:
    """An assembled site: opened by construction, run by `run`, closed by `close`."""

    def __init__(self, parts: Parts, open_hardware: OpenHardware, watchdog: Watchdog) -> None:
        """Coils off first; then the journal is recovered; then the doors are read. Raises what a part raises."""
        settings = parts.settings
        self.ended_well = False
        self._watchdog = watchdog
        self._inbox_post: Callable[[e.Event | HubTime], bool] = _too_early
        path = journal_path(settings)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.hardware = open_hardware(parts.board, self._callbacks())
        self.adapters = Adapters(self.hardware.latches.all_off)
        for warning in self.hardware.warnings:
            LOG.warning("%s", warning)
        self.journal = Journal(path, settings.site.id)
        self.clock = _clock(self.journal.floor_ms, self.hardware.sim)
        durable = self.journal.recover(fresh(parts.setup), evolve)
        start = self.journal.begin()
        self.boot = self.clock.boot = start.boot
        self.panel = PanelServer(settings.resolve(settings.panel.socket), self._post)
        self.machine = health.Watch(path.parent, self._post, sys=_sys(settings))
        self.uplink = self._uplink(parts)
        self.runner = self._runner(parts.setup, durable)
        self._inbox_post = self.runner.inbox.post
        doors = {
            Label(label): Door.OPEN if open_ else Door.CLOSED for label, open_ in self.hardware.doors.read_all().items()
        }
        ended = ending.begin(path.parent, clean=start.clean)
        if not start.clean:
            LOG.warning("the previous run ended without a goodbye: %s", ended or "nobody knows why")
        self.runner.feed(e.Booted(doors=doors, clean=start.clean, ended=ended))

    def start(self) -> None:
        """Start every thread beside the owner's."""
        _share_one_arena()
        stop = Event()

        def stop_hardware() -> None:
            stop.set()
            self.hardware.wake()

        for name, run in self.hardware.threads().items():
            self.adapters.adapter(name, partial(run, stop), stop_hardware)
        self.adapters.adapter("panel", self.panel.run, self.panel.stop)
        self.adapters.adapter("machine", self.machine.run, self.machine.stop)
        if isinstance(self.uplink, MqttUplink):
            self.adapters.adapter("uplink", self.uplink.run, self.uplink.stop)
        give_memory_back()
        self._watchdog.ready(f"boot {self.boot}, {self.journal.last_seq} facts")

    def run(self) -> None:
        """Be the owner thread until `stop`, then stop everything in the reverse order."""
        self.runner.run()
        self.adapters.stopping()
        self._watchdog.stopping()
        self.adapters.stop()
        self.hardware.close()
        self.journal.close(durable=self.runner.state.durable, now=self.clock.now())
        self.ended_well = True

    def stop(self) -> None:
        """Ask for a clean end. Safe in a signal handler."""
        self.runner.stop()

    def _runner(self, setup: Setup, durable: Durable) -> Runner:
        now = self.clock.now()
        return Runner(
            state=State(setup=setup, durable=rebase(durable, now), live=self._live(setup, durable)),
            clock=self.clock,
            journal=self.journal,
            latches=self.hardware.latches,
            signals=self.hardware.signals,
            uplink=self.uplink,
            panel=self.panel,
            watchdog=LivingWatchdog(self._watchdog, lambda: self.hardware.alive),
        )

    def _deposits(self, setup: Setup, durable: Durable) -> tuple[Deposit, ...]:
        """Receipts can be had after a restart too; a line that cannot be read costs its receipt, never the start."""
        lines = []
        try:
            for record, chain in self.journal.newest(kind(ParcelStored), DEPOSITS_MAX):
                now = Now(mono=0, wall_ms=record.at_ms, trust=record.trust, boot=record.boot)
                if isinstance(fact := decode_fact(record.body), ParcelStored):
                    lines.append((fact, now, record.seq, chain))
        except (JournalError, UnknownFact) as error:
            LOG.warning("the receipts of earlier deposits cannot be drawn: %s", error)
        return read_back(setup, durable, lines)

    def _live(self, setup: Setup, durable: Durable) -> Live:
        return Live(deposits=self._deposits(setup, durable), report_seal=self._report_seal())

    def _report_seal(self) -> Seal:
        """The report of a reconciliation can be printed after a restart too; a line that cannot be read costs its seal, never the start."""
        try:
            for record, chain in self.journal.newest(kind(ReconciliationEnded), 1):
                return Seal(record.seq, chain)
        except JournalError as error:
            LOG.warning("the report of the last reconciliation is printed without its line of the journal: %s", error)
        return NO_SEAL

    def _uplink(self, parts: Parts) -> MqttUplink | NoUplink:
        if parts.link is None:
            LOG.warning("no [broker] host: this site works without a hub, and keeps every fact")
            return NoUplink()
        return MqttUplink(
            parts.link,
            site=parts.settings.site.id,
            boot=self.boot,
            journal=self.journal.path,
            journal_id=self.journal.journal_id,
            acked=self.journal.acked,
            post=self._post,
            hear=self._hear,
            readings=lambda: self.machine.latest,
        )

    def _callbacks(self) -> Callbacks:
        return Callbacks(
            on_door=self._door,
            on_scan=self._scanned,
            on_link=self._scanner_link,
            on_unread=self._unread,
            on_chatter=self._chatters,
            on_failed=self._failed,
            on_fault=lambda reason: LOG.warning("%s", reason),
        )

    # Each of these runs in an adapter's thread and may do one thing: leave a note in the inbox.

    def _post(self, event: e.Event) -> bool:
        return self._inbox_post(event)

    def _hear(self, at_ms: int, fresh_: bool) -> None:  # noqa: FBT001 a plain callback
        self._inbox_post(HubTime(at_ms, fresh_))

    def _scanned(self, text: str) -> None:
        self._inbox_post(e.Scanned(text, secrets.randbits(64)))

    def _unread(self) -> None:
        self._inbox_post(e.Unread())

    def _chatters(self, label: str) -> None:
        LOG.warning("compartment %s: the door's switch chatters; look at its cable", label)
        self._inbox_post(e.SwitchChatters(Label(label)))

    def _failed(self, label: str, reason: str) -> None:
        LOG.error("compartment %s: the latch did not take its pulse: %s", label, reason)
        self._inbox_post(e.PulseFailed(Label(label), reason))

    def _scanner_link(self, up: bool) -> None:  # noqa: FBT001 a plain callback
        self._inbox_post(e.ScannerLink(up))

    def _door(self, label: str, open_: bool) -> None:  # noqa: FBT001 a plain callback
        self._inbox_post(e.DoorChanged(Label(label), open_))


def _sys(settings: Settings) -> Path:
    """Where the machine tells how it is; a simulated one tells what is put into a folder of its own."""
    hardware = settings.hardware
    return settings.resolve(hardware.sim_dir or settings.store.state_dir) / "sys" if hardware.simulate else health.SYS


def _clock(floor_ms: int, simulation: Simulation | None) -> SiteClock:
    """The machine's clock; a simulated machine has one that can be set wrong."""
    if simulation is None:
        return SiteClock(floor_ms=floor_ms)

    def synchronised() -> bool:
        said = simulation.synchronised
        return system_is_synchronised() if said is None else said

    return SiteClock(floor_ms=floor_ms, wall_ms=simulation.wall_ms, synchronised=synchronised)


def give_memory_back() -> None:
    """Starting needs several megabytes that running does not; the C library keeps them unless it is asked.

    What is alive now stays so until the end: the collector need not look through it again while a door waits.
    """
    gc.collect()
    gc.freeze()
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):  # glibc; another C library has no such habit
        library.malloc_trim(0)


def _share_one_arena() -> None:
    """One heap for all threads: ours allocate little, and a heap each would cost more than it saves."""
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(M_ARENA_MAX, 1)


def _too_early(event: object) -> bool:
    """Nothing reports before the doors are read: the threads start later."""
    raise AssertionError(f"{type(event).__name__} before the site was put together")


def _cards(board: Board) -> tuple[CompartmentCard, ...]:
    return tuple(
        CompartmentCard(
            label=Label(item.label),
            size=SizeClass(item.size),
            reach=ReachZone(item.reach),
            height_mm=item.height_mm,
            row=item.row,
            column=item.column,
            rows=item.rows,
            columns=item.columns,
        )
        for item in board.compartments
    )


def _link(settings: Settings) -> Link | None:
    broker = settings.broker
    if not broker.host:
        return None
    return Link(
        host=broker.host,
        port=broker.port,
        user=broker.user or (settings.site.id if broker.password_file else ""),
        password=load_password(settings.resolve(broker.password_file)) if broker.password_file else "",
        tls_ca=_file(settings, broker.tls_ca),
        tls_cert=_file(settings, broker.tls_cert),
        tls_key=_file(settings, broker.tls_key),
    )


def _file(settings: Settings, name: str) -> str:
    return str(settings.resolve(name)) if name else ""
