"""The owner thread: takes one event at a time, decides, makes it durable, and only then lets it happen (design §2).

Owns the loop, the bounded inbox, and the guard that ends the process when a thread ends by itself. Refuses to know what
an event means. `feed` and `advance` need no thread and no real time, so a simulator drives this very class.
"""

from __future__ import annotations

import logging
import math
import os
import threading
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Final

from controller.core import effects as x
from controller.core import events as e
from controller.core.decide import decide
from controller.core.deposits import sealed
from controller.core.due import next_deadline, open_openings, take_waiting
from controller.core.evolve import evolve
from controller.core.looks import Seal
from controller.core.model import Now, Phase, State
from controller.core.observe import observe
from controller.ports import Clock, Journal, Latches, Panel, Signals, Uplink, Watchdog
from firmware.latches import LatchBusy, LatchError
from wire.facts import AnyFact, ParcelStored, ReconciliationEnded

LOG: Final = logging.getLogger(__name__)

INBOX_MAX: Final = 256
"""Events waiting: a hundred times what hands can cause while one door is decided; more is a fault of the sender."""

HEARTBEAT_MS: Final = 2_000
"""Longest sleep of the owner: the watchdog is fed and the system's clock looked at no less often."""

QUIET_MS: Final = 5_000
"""After this long without an event nobody stands in front of the bank, and the journal may be tidied."""

TEND_MS: Final = 30_000
"""Pause between two pieces of housekeeping."""

TICK_PAUSE_MS: Final = 10
"""A deadline that `Tick` did not move is not fed again sooner: a mistake may cost time, never the whole processor."""

BUSY_MS_MAX: Final = 2_000
"""How long a pulse may be put off because another coil is on or the supply rests. A longest on-time and the longest pause of a board
are 1,500 ms; a latch that is busy for longer has failed. Shorter than any wait for a door, so that the next pulse is not ordered yet."""

BUSY_PAUSE_MS: Final = 20
"""A busy latch is not asked again sooner, whatever it says."""

EXIT_THREAD_ENDED: Final = 70
"""Exit status when a thread ended by itself (EX_SOFTWARE of sysexits.h)."""

JOIN_S: Final = 3.0
"""Longest wait for a thread that was asked to end."""

_NEWEST_ONLY: Final = (e.ScannerLink, e.HubLink, e.HubPresent, e.PlanArrived, e.AckArrived, e.ClockStepped)


@dataclass(frozen=True, slots=True)
class HubTime:
    """The hub's clock as just heard. `fresh`: sent this moment, not kept by the broker for us."""

    at_ms: int
    fresh: bool


Posted = e.Event | HubTime


class Inbox:
    """Events on their way to the owner. Any thread may `post`; only the owner calls `get`. Neither ever blocks the other.

    When it is full, levels are kept as the newest of their kind (a door, a link, a plan, a failed pulse) and what a
    person can repeat (a scan, a key, a command) is refused and counted.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._events: deque[Posted] = deque()
        self._kept: dict[Hashable, Posted] = {}
        self._lock = threading.Lock()
        self._bell = threading.Lock()
        self._bell.acquire()

    def post(self, event: Posted) -> bool:
        """Hand over an event; False when it had to be dropped."""
        with self._lock:
            taken = self._take(event)
        self.ring()
        return taken

    def ring(self) -> None:
        """Wake the owner. Safe in a signal handler."""
        try:
            self._bell.release()
        except RuntimeError:
            return  # It already rings.

    def get(self, timeout_ms: int) -> Posted | None:
        """The next event, or None when there is none within `timeout_ms` or somebody rang."""
        if not self._events:
            self._bell.acquire(timeout=timeout_ms / 1000)
        if not self._events:
            return None
        event = self._events.popleft()
        if not self._events and self._kept:
            self._release_kept()
        return event

    def _take(self, event: Posted) -> bool:
        if len(self._events) < INBOX_MAX and not self._kept:
            self._events.append(event)
            return True
        key = _level(event)
        if key is None:
            self.dropped += 1
            if self.dropped.bit_count() == 1:  # 1, 2, 4, 8 …: a flood at the reader is no flood in the log
                LOG.warning("the inbox is full: a %s was dropped (%s so far)", type(event).__name__, self.dropped)
            return False
        self._kept[key] = event
        return True

    def _release_kept(self) -> None:
        with self._lock:
            self._events.extend(self._kept.values())
            self._kept.clear()


def _level(event: Posted) -> Hashable | None:
    """What makes an older event of the same kind superfluous, or None when each one counts."""
    if isinstance(event, e.DoorChanged | e.PulseFailed | e.SwitchChatters):
        return type(event).__name__, event.compartment
    if isinstance(event, _NEWEST_ONLY):
        return type(event).__name__
    return None


@dataclass(frozen=True, slots=True)
class _PutOff:
    """A pulse that the latches were too busy for: when it is tried again, and until when at all, in monotonic milliseconds."""

    effect: x.Pulse
    at_mono: int
    until_mono: int


class Runner:
    """The owner. All arguments are ports; `state` is the memory after recovery."""

    def __init__(
        self,
        *,
        state: State,
        clock: Clock,
        journal: Journal,
        latches: Latches,
        signals: Signals,
        uplink: Uplink,
        panel: Panel,
        watchdog: Watchdog,
    ) -> None:
        self.inbox = Inbox()
        self.state = state
        self._clock = clock
        self._journal = journal
        self._latches = latches
        self._signals = signals
        self._uplink = uplink
        self._panel = panel
        self._watchdog = watchdog
        self._shown = state
        self._told = state
        self._failed: deque[e.PulseFailed] = deque()
        self._put_off: _PutOff | None = None
        now = clock.now()
        self._deadline = next_deadline(state, now)
        self._quiet_since = now.mono
        self._looked = now.mono
        self._tended = now.mono
        self._disk_short: bool | None = None
        self._stop_wanted = False

    # ------------------------------------------------------------------------------------------------------- the loop

    def run(self) -> None:
        """Work until `stop` is called. Nothing is caught here: what the loop cannot do, a restart must."""
        while not self._stop_wanted:
            posted = self.inbox.get(self.patience_ms())
            if posted is not None:
                self.feed(posted)
            self.advance()
        self.feed(e.Stopping())

    def stop(self) -> None:
        """Let `run` end after the event in hand. Safe in a signal handler and from any thread."""
        self._stop_wanted = True
        self.inbox.ring()

    def patience_ms(self) -> int:
        """How long the owner may sleep when no event comes."""
        if self._deadline is None:
            return HEARTBEAT_MS
        return min(max(self._deadline - self._clock.now().mono, TICK_PAUSE_MS), HEARTBEAT_MS)

    def next_deadline(self) -> int | None:
        """The monotonic millisecond at which `advance` has something to do for the core; None when nothing runs."""
        return self._deadline

    # ------------------------------------------------------------------------------------------------- one event's way

    def feed(self, posted: Posted) -> None:
        """One event, whole: decided, durable, performed and shown, with everything it sets free."""
        now = self._clock.now()
        event: e.Event | None
        event = self._understood(posted)
        if event is not None:
            self._quiet_since = now.mono
            self._one(event, now)
            self._follow_up(now)
        self._show(now)
        self._deadline = self._next(now)
        self._watchdog.ping()

    def _next(self, now: Now) -> int | None:
        due = next_deadline(self.state, now)
        put_off = self._put_off
        if put_off is None:
            return due
        return put_off.at_mono if due is None else min(due, put_off.at_mono)

    def _understood(self, posted: Posted) -> e.Event | None:
        match posted:
            case HubTime():
                return self._clock.hear_hub(posted.at_ms, fresh=posted.fresh)
            case e.AckArrived():
                journal = self._journal
                own_before = journal.hash_at(posted.before_seq) if posted.before_head else ""
                own = journal.hash_at(posted.seq)
                return replace(posted, last_seq=journal.last_seq, own=own, own_before=own_before)
            case _:
                return posted

    def advance(self) -> None:
        """What the passing of time alone brings: a deadline, a look at the clock, housekeeping, a sign of life."""
        now = self._clock.now()
        if self._put_off is not None and now.mono >= self._put_off.at_mono:
            self._pulse_again(now)
        if self._deadline is not None and now.mono >= self._deadline:
            self.feed(e.Tick())
        if now.mono - self._looked >= HEARTBEAT_MS:
            self._looked = now.mono
            self._watchdog.ping()
            stepped = self._clock.look()
            if stepped is not None:
                self.feed(stepped)
            self._look_at_the_disk()
        self._tend(now)

    def _look_at_the_disk(self) -> None:
        """Told once at every start as well: an alarm of the last run may be over."""
        short = self._journal.on_ballast
        if short != self._disk_short:
            self._disk_short = short
            self.feed(e.DiskRoom(short))

    def _one(self, event: e.Event, now: Now) -> None:
        live = observe(self.state.live, event, now)
        self.state = replace(self.state, live=live)
        decision = decide(self.state, event, now)
        for effect in decision.effects:
            if isinstance(effect, x.Acked):  # Taken back apart from its fact, a crash between them would lose it.
                self._journal.set_acked(effect.seq, rewind=effect.rewind)
        if decision.facts:
            self._journal.append(decision.facts, now)
        for effect in decision.effects:
            if isinstance(effect, x.Pulse):
                self._pulse(effect, now)  # Its cause is durable and somebody waits in front of a door: it comes first.
        if decision.facts:
            durable = self.state.durable
            for fact in decision.facts:
                durable = evolve(durable, fact, now)
            self.state = replace(self.state, durable=durable)
            self._seal(decision.facts, now)
        for effect in decision.effects:
            self._perform(effect, now)
        if decision.facts:
            self._uplink.wake()

    def _seal(self, facts: tuple[AnyFact, ...], now: Now) -> None:
        """A receipt (S-07) and the report of a reconciliation (M-07) name their line of the journal, unknown before it is written."""
        for seq, fact in enumerate(facts, self._journal.last_seq - len(facts) + 1):
            told: x.Inward | None = None
            if isinstance(fact, ParcelStored):
                deposit = sealed(self.state, fact, now, seq, self._journal.hash_at(seq))
                told = None if deposit is None else x.Deposited(deposit)
            elif isinstance(fact, ReconciliationEnded):
                told = x.Sealed(Seal(seq, self._journal.hash_at(seq)))
            if told is not None:
                self.state = replace(self.state, live=observe(self.state.live, told, now))

    def _follow_up(self, now: Now) -> None:
        """Failed pulses first, then the inputs whose turn has come; each takes one away, so this ends."""
        while True:
            if self._failed:
                self._one(self._failed.popleft(), now)
                continue
            waiting = take_waiting(self.state, now)
            if waiting is None:
                return
            live, event = waiting
            self.state = replace(self.state, live=live)
            self._one(event, now)

    def _perform(self, effect: x.Effect, now: Now) -> None:
        match effect:
            case x.Pulse():
                return  # It came first.
            case x.Sound():
                self._signals.show(effect.signal.value)
            case x.Answered():
                self._uplink.reply(effect.reply)
            case x.Rebirth():
                self._uplink.rebirth()
            case x.Acked():
                self._uplink.acked(self._journal.acked, rewind=effect.rewind)
            case _:
                self.state = replace(self.state, live=observe(self.state.live, effect, now))

    def _pulse(self, effect: x.Pulse, now: Now) -> None:
        """One pulse, ordered just now. An older one that is still put off is over: there is one opening at a time."""
        self._put_off = None
        self._fire(effect, now, now.mono + BUSY_MS_MAX)

    def _pulse_again(self, now: Now) -> None:
        """A pulse that was put off, while its door is still waited for: what was ordered counts, not what is late (I-10)."""
        put_off, self._put_off = self._put_off, None
        assert put_off is not None, "only what was put off is tried again"
        opening = self.state.durable.openings.get(put_off.effect.compartment)
        if opening is not None and opening.phase is Phase.PULSING:
            self._fire(put_off.effect, now, put_off.until_mono)

    def _fire(self, effect: x.Pulse, now: Now, until_mono: int) -> None:
        """Busy is no failure: another coil is on, or the supply rests. It is tried again, within a bound."""
        try:
            self._latches.pulse(effect.compartment)
        except LatchBusy as busy:
            at_mono = now.mono + max(BUSY_PAUSE_MS, math.ceil(busy.wait_s * 1000))
            if at_mono <= until_mono:
                self._put_off = _PutOff(effect, at_mono, until_mono)
            else:
                self._fail(effect, busy)
        except LatchError as error:
            self._fail(effect, error)

    def _fail(self, effect: x.Pulse, error: LatchError) -> None:
        LOG.error("compartment %s: the latch did not take its pulse: %s", effect.compartment, error)
        self._failed.append(e.PulseFailed(effect.compartment, str(error)))

    def _show(self, now: Now) -> None:
        state = self.state
        if state.live is not self._shown.live or state.durable is not self._shown.durable:
            self._shown = state
            self._panel.show(state, now)
        told = self._told
        if (
            state.durable is not told.durable
            or state.live.doors is not told.live.doors
            or state.live.scanner is not told.live.scanner
        ):
            self._told = state
            self._uplink.publish_state(state, self._journal.last_seq, now)

    def _tend(self, now: Now) -> None:
        quiet = now.mono - self._quiet_since >= QUIET_MS and now.mono - self._tended >= TEND_MS
        if self._journal.must_tend() or (quiet and not any(open_openings(self.state))):
            self._tended = now.mono
            self._journal.tend(self.state.durable, now)


# ------------------------------------------------------------------------------------------------------------ the guard


class Adapters:
    """The threads beside the owner. One that ends by itself, for whatever reason, ends the process; systemd restarts it."""

    def __init__(self, last_act: Callable[[], None], *, end: Callable[[int], None] = os._exit) -> None:
        """`last_act` is called before the process ends: every coil off."""
        self._last_act = last_act
        self._end = end
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._stops: list[Callable[[], None]] = []

    def adapter(self, name: str, run: Callable[[], None], stop: Callable[[], None]) -> None:
        """Start `run` in a guarded thread; `stop` must make it return soon."""
        thread = threading.Thread(target=self.guarded, args=(name, run), name=name, daemon=True)
        self._threads.append(thread)
        self._stops.append(stop)
        thread.start()

    def guarded(self, name: str, run: Callable[[], None]) -> None:
        """Run it; when it ends without having been asked to, end the process."""
        try:
            run()
        except Exception:
            LOG.critical("%s failed", name, exc_info=True)
        if not self._stopping.is_set():
            self._end_process(name)

    def stop(self) -> None:
        """Ask all threads to end, in the reverse order of their start, and wait a bounded time for each."""
        self._stopping.set()
        for stop in reversed(self._stops):
            stop()
        for thread in reversed(self._threads):
            thread.join(JOIN_S)

    def stopping(self) -> None:
        """From here on an adapter may end."""
        self._stopping.set()

    def _end_process(self, name: str) -> None:
        LOG.critical("%s ended by itself; coils off, and the process ends so that it is started afresh", name)
        try:
            self._last_act()
        finally:
            logging.shutdown()
            self._end(EXIT_THREAD_ENDED)
