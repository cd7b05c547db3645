"""The latches that hang on relay boards: asked over a serial line, timed by the board itself, and never waited for.

Owns the lines (one thread each), the bounded time of a question, and the gate that keeps one coil of the site energised at a
time whichever driver feeds it. Refuses to know doors, parcels or why a latch is fired; `modbus` knows the bytes. `pulse`
leaves a note for a line's thread and returns at once; a board that does not do it is told to `on_failed` within `FAILED_S`.

A pulse is three steps. The board is asked which relays are on: a silent one ends it here, and nothing was energised. Then
*flash on*: the relay drops by itself although the program, the Pi or the line dies (invariant I-8). When that is not answered,
the relays are read again: one that is on was told; one that is off within its time was not, and is told once more. After its time the relay is looked at
again, and switched off if its board did not.
"""

from __future__ import annotations

import os
import select
import termios
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import Any, Final

from firmware import modbus
from firmware.board import Board, RelayBoard
from firmware.latches import LatchBusy, LatchError, Latches, OutputPins, end_process
from firmware.modbus import ModbusError, Refusal

REQUEST_S: Final = 0.150
"""Longest wait for one answer. A board answers within 20 ms; the frames of both sides take 15 ms at 9600 baud."""

WRITE_S: Final = 0.050
"""A line takes eight bytes at once or not at all."""

FAILED_S: Final = 6 * (REQUEST_S + WRITE_S)
"""A pulse asks six times at most; shorter than the shortest pause between two pulses of a door, so that a failure is told to the
pulse it belongs to."""

BUSY_S: Final = 0.050
"""While a board is asked: look again so soon."""

SILENT_BITS: Final = 3.5 * 11
SILENCE_S_MIN: Final = 0.002
"""Between two frames the line rests for 3.5 characters, and no less than 1.75 ms (Modbus over Serial Line, 2.5.1.1)."""

DROPS_S: Final = 0.150
"""After its time a relay is looked at: a board counts within one step of 100 ms. Shorter than the rest before the next pulse."""

OFF_BOARD_S: Final = 4 * (REQUEST_S + WRITE_S)
READ_BYTES: Final = 256


class Line:
    """One serial line; opened when it is needed, and again after it was lost. Used by one thread."""

    def __init__(self, device: str, baud: int) -> None:
        self._device, self._baud = device, baud
        self._silence_s = max(SILENT_BITS / baud, SILENCE_S_MIN)
        self._port: Any = None

    def ask(self, request: bytes) -> bytes:
        """One request, one checked answer within `WRITE_S + REQUEST_S`. Raises `ModbusError`."""
        try:
            port = self._opened()
            time.sleep(self._silence_s)
            port.reset_input_buffer()  # A late answer to an older request is nobody's.
            port.write(request)
            answer = _answer(port.fileno(), request)
        except (OSError, ValueError, termios.error) as error:
            self.close()
            raise ModbusError(f"its line {self._device} cannot be used: {_words(error)}") from error
        return modbus.check(request, answer)

    def ask_twice(self, request: bytes) -> bytes:
        """For what does no harm when it is heard twice. Raises `ModbusError`."""
        try:
            return self.ask(request)
        except Refusal:
            raise
        except ModbusError:
            return self.ask(request)

    def relays_on(self, board: RelayBoard) -> frozenset[int]:
        """The channels that are on now. Raises `ModbusError`."""
        return modbus.relays_on(self.ask_twice(modbus.read_relays(board.unit, board.channels)), board.channels)

    def switch_off(self, board: RelayBoard) -> None:
        """Every relay of the board off, and read back. Raises `ModbusError`."""
        self.ask_twice(modbus.all_off(board.unit))
        _need_all_off(self.relays_on(board))

    def close(self) -> None:
        """Give the line back. Idempotent."""
        port, self._port = self._port, None
        if port is not None:
            port.close()

    def _opened(self) -> Any:
        if self._port is None:
            import serial

            self._port = serial.Serial(
                port=self._device, baudrate=self._baud, timeout=0, write_timeout=WRITE_S, exclusive=True
            )
        return self._port


@dataclass(frozen=True, slots=True)
class _Latch:
    label: str
    board: RelayBoard
    channel: int
    pulse_ms: int


@dataclass(slots=True)
class _Off:
    """A switching-off of every board of a line, and what became of it; nobody waits for the one at the start."""

    waited_for: bool = True
    failures: list[str] = field(default_factory=list)
    done: Event = field(default_factory=Event)


class RelayLatches:
    """The latches of one bank's relay boards. Constructing it has every relay switched off, by the lines' own threads."""

    def __init__(
        self,
        board: Board,
        *,
        on_failed: Callable[[str, str], None],
        on_fault: Callable[[str], None] = lambda _reason: None,
        fatal: Callable[[str], None] = end_process,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        boards = {item.name: item for item in board.relay_boards}
        self._latches = {
            item.label: _Latch(item.label, boards[relay.board], relay.channel, item.pulse_ms)
            for item, relay in board.relay_latches()
        }
        self._gap_s = board.limits.gap_ms / 1000
        self._on_failed, self._on_fault, self._fatal, self._clock = on_failed, on_fault, fatal, clock
        self._lock = Lock()
        self._asked = 0
        self._rest_until = clock()
        self._closed = False
        self._boards = _by_device(board)
        self._jobs: dict[str, SimpleQueue[_Latch | _Off | None]] = {device: SimpleQueue() for device in self._boards}
        self._threads = [
            Thread(target=self._guard, args=(device,), name="relay-line", daemon=True) for device in self._boards
        ]
        for thread in self._threads:
            thread.start()
        self._order_off(waited_for=False)

    def __contains__(self, label: str) -> bool:
        return label in self._latches

    @property
    def alive(self) -> bool:
        """Whether every line's thread runs; the watchdog's ping depends on it."""
        return not self._closed and all(thread.is_alive() for thread in self._threads)

    def need_rest(self) -> None:
        """Raises `LatchBusy` while a board is asked or a relay may be on, and `LatchError` when closed."""
        with self._lock:
            if self._closed:
                raise LatchError("The relay boards are closed; the program is stopping.")
            if self._asked:
                raise LatchBusy("A relay board is being asked.", BUSY_S)
            left = self._rest_until - self._clock()
            if left > 0:
                raise LatchBusy("A relay may be on, or the supply rests between two latches.", left)

    def pulse(self, label: str) -> None:
        """Have one latch energised and return at once; what becomes of it is told to `on_failed`. Raises like `need_rest`."""
        self.need_rest()
        latch = self._latches[label]
        self._order(latch.board.device, latch)

    def all_off(self) -> None:
        """Every relay off. Raises `LatchError` after trying every board, each within a bounded time."""
        failures = self._collect(self._order_off())
        if failures:
            raise LatchError("; ".join(failures))

    def close(self) -> None:
        """Every relay off, threads ended, lines released. Idempotent; a silent board is told, and holds nobody up."""
        if self._closed:
            return
        for failure in self._collect(self._order_off()):
            self._on_fault(failure)
        self._closed = True
        for jobs in self._jobs.values():
            jobs.put(None)
        for thread in self._threads:
            thread.join(timeout=1)

    def _order(self, device: str, job: _Latch | _Off) -> None:
        with self._lock:
            self._asked += 1
        self._jobs[device].put(job)

    def _order_off(self, *, waited_for: bool = True) -> dict[str, _Off]:
        orders = {device: _Off(waited_for) for device in self._boards}
        for device, order in orders.items():
            self._order(device, order)
        return orders

    def _collect(self, orders: dict[str, _Off]) -> list[str]:
        ends = self._clock() + FAILED_S + OFF_BOARD_S * max(len(boards) for boards in self._boards.values()) * 2
        failures = []
        for device, order in orders.items():
            if order.done.wait(max(0.0, ends - self._clock())):
                failures += order.failures
            else:
                failures.append(f"the relay boards on {device} were not switched off in time")
        return failures

    def _guard(self, device: str) -> None:
        """A line's thread that ends by itself, for whatever reason, ends the process."""
        boards = self._boards[device]
        line = Line(device, boards[0].baud)
        try:
            self._serve(line, boards, self._jobs[device])
        finally:
            line.close()
            if not self._closed:
                self._fatal("a thread that asks relay boards has ended")

    def _serve(self, line: Line, boards: Sequence[RelayBoard], jobs: SimpleQueue[_Latch | _Off | None]) -> None:
        fired: _Latch | None = None
        drops_at = 0.0
        while True:
            try:
                job = jobs.get(timeout=None if fired is None else max(0.0, drops_at - self._clock()))
            except Empty:
                assert fired is not None, "without a pulse there is nothing to look after"
                self._look_after(line, fired)
                fired = None
                continue
            if job is None:
                return
            if isinstance(job, _Off):
                self._switch_off(line, boards, job)
            elif self._fire(line, job):
                fired, drops_at = job, self._clock() + job.pulse_ms / 1000 + DROPS_S

    def _look_after(self, line: Line, latch: _Latch) -> None:
        """The second mechanism (D-07): a relay that its board did not let go is told to, well before the hardware limit."""
        with self._lock:
            self._asked += 1
        board = latch.board
        try:
            if line.relays_on(board):
                line.switch_off(board)
                self._on_fault(
                    f"relay board {board.name} did not let channel {latch.channel} go by itself; it was told to"
                )
        except ModbusError as error:
            self._on_fault(f"relay board {board.name} may not have let channel {latch.channel} go: {error}")
        self._answered(0.0)

    def _switch_off(self, line: Line, boards: Sequence[RelayBoard], order: _Off) -> None:
        order.failures += _off_failures(line, boards)
        self._answered(0.0)
        if not order.waited_for:
            for failure in order.failures:
                self._on_fault(failure)
        order.done.set()

    def _fire(self, line: Line, latch: _Latch) -> bool:
        """Whether the relay may be on now."""
        on_s, failure = 0.0, ""
        try:
            _need_all_off(line.relays_on(latch.board))
            # From here on nobody knows better than that the relay is on for as long as it was told.
            on_s = latch.pulse_ms / 1000 + self._gap_s
            _flash(line, latch)
        except ModbusError as error:
            failure = f"Compartment {latch.label}: relay board {latch.board.name}, channel {latch.channel}: {error}"
        self._answered(on_s)
        if failure:
            self._on_failed(latch.label, failure)
        return on_s > 0

    def _answered(self, on_s: float) -> None:
        with self._lock:
            self._asked -= 1
            self._rest_until = max(self._rest_until, self._clock() + on_s)


class BankLatches:
    """Latches on pins and on relay boards as one bank: whichever feeds it, one coil at a time. Pins are off first."""

    def __init__(
        self,
        board: Board,
        pins: OutputPins,
        *,
        on_failed: Callable[[str, str], None],
        on_fault: Callable[[str], None] = lambda _reason: None,
        fatal: Callable[[str], None] = end_process,
    ) -> None:
        self._of_pins = Latches(board, pins, fatal=fatal)
        self._of_boards = RelayLatches(board, on_failed=on_failed, on_fault=on_fault, fatal=fatal)
        self._lock = Lock()

    @property
    def alive(self) -> bool:
        """Whether everything that limits a pulse runs."""
        return self._of_pins.alive and self._of_boards.alive

    def pulse(self, label: str) -> None:
        """Start one bounded pulse and return at once. Raises `LatchError` or `LatchBusy`."""
        with self._lock:
            if label in self._of_boards:
                self._of_pins.need_rest()
                self._of_boards.pulse(label)
            else:
                self._of_boards.need_rest()
                self._of_pins.pulse(label)

    def all_off(self) -> None:
        """No coil energised afterwards. Raises `LatchError` after trying every coil."""
        try:
            self._of_pins.all_off()
        finally:
            self._of_boards.all_off()

    def close(self) -> None:
        """Everything off, threads ended, lines released. Idempotent."""
        try:
            self._of_pins.close()
        finally:
            self._of_boards.close()


def switch_boards_off(board: Board) -> list[str]:
    """Every relay of every board off, for a program that does nothing else; what failed, in words."""
    failures = []
    for device, boards in _by_device(board).items():
        line = Line(device, boards[0].baud)
        try:
            failures += _off_failures(line, boards)
        finally:
            line.close()
    return failures


def _by_device(board: Board) -> dict[str, tuple[RelayBoard, ...]]:
    devices = dict.fromkeys(item.device for item in board.relay_boards)
    return {device: tuple(item for item in board.relay_boards if item.device == device) for device in devices}


def _off_failures(line: Line, boards: Sequence[RelayBoard]) -> list[str]:
    failures = []
    for board in boards:
        try:
            line.switch_off(board)
        except ModbusError as error:
            failures.append(f"relay board {board.name} could not be switched off: {error}")
    return failures


def _flash(line: Line, latch: _Latch) -> None:
    request = modbus.flash_on(latch.board.unit, latch.channel, latch.pulse_ms)
    over_at = time.monotonic() + latch.pulse_ms / 1000
    try:
        line.ask(request)
    except Refusal:
        raise
    except ModbusError:
        # The surge of the coil may have drowned the answer. Told a second time while it is on, it would be on for longer;
        # off when its time would be over, it may have been on: whether the door opened is then for the door to say.
        is_on = latch.channel in line.relays_on(latch.board)
        if not is_on and time.monotonic() < over_at:
            line.ask(request)


def _words(error: Exception) -> str:
    """What the system says about a line, without the paths that a driver wraps around it."""
    number = error.args[0] if error.args else None
    return os.strerror(number).lower() if isinstance(number, int) else str(error)


def _need_all_off(on: frozenset[int]) -> None:
    if on:
        channels = ", ".join(str(channel) for channel in sorted(on))
        raise ModbusError(f"the relay of channel {channels} reads on although nothing should energise it")


def _answer(descriptor: int, request: bytes) -> bytes:
    """Bytes until the answer is whole or the time is over."""
    ends = time.monotonic() + REQUEST_S
    got = b""
    while len(got) < modbus.answer_length(request, got):
        left = ends - time.monotonic()
        if left <= 0:
            break
        ready, _, _ = select.select([descriptor], [], [], left)
        if ready:
            piece = os.read(descriptor, READ_BYTES)
            if not piece:
                raise OSError("the line hung up")
            got += piece
    return got
