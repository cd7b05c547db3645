"""The latches on pins: one bounded pulse at a time for the whole site, ended by one mechanism and capped by another.

Owns the coils, their pulse, gap and cap. Refuses to know doors, parcels or why a latch is fired. Two threads live here
from construction to close: "latch-timer" ends a pulse at `pulse_ms`; "latch-cap" reads a clock of its own, forces every
coil off at `pulse_cap_ms`, and ends the process when even that does not work (invariant I-8).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Condition, Lock, Thread
from typing import Final, Protocol

from firmware.board import Board, Compartment, OutputPin
from firmware.pins import Output, PinError

FATAL_EXIT_STATUS: Final = 70
"""EX_SOFTWARE of sysexits: systemd restarts us, and the kernel releases the line first (strict_gpiod)."""

CAP_WAIT_S_MIN: Final = 0.001
"""A frozen or stepped clock may not turn a waiting thread into a busy one."""


class LatchError(Exception):
    """The latch could not be fired: the driver failed, or no compartment has this label."""


class LatchBusy(LatchError):
    """Another coil is on, or was until less than the gap ago; try again in `wait_s` seconds."""

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class OutputPins(Protocol):
    """What makes driven lines."""

    def output(self, name: str, output: OutputPin) -> Output:
        """Claim one line at its resting level."""
        ...


@dataclass(slots=True)
class _Pulse:
    compartment: Compartment
    coil: Output
    ends: float
    cap_ends: float
    finished: bool = False


def boot_clock() -> float:
    """Seconds since boot by CLOCK_BOOTTIME: another clock than the timer's, so that one fault cannot stop both."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def end_process(reason: str) -> None:
    """The last resort: leave at once, so that the kernel releases every line. Never returns."""
    with suppress(OSError):
        os.write(sys.stderr.fileno(), f"consigne: {reason}\n".encode())
    os._exit(FATAL_EXIT_STATUS)


class Latches:
    """The coils that hang on the Pi's pins (`relays` has the others). Constructing it drives every coil off before anything else happens."""

    def __init__(
        self,
        board: Board,
        pins: OutputPins,
        *,
        fatal: Callable[[str], None] = end_process,
        clock: Callable[[], float] = time.monotonic,
        cap_clock: Callable[[], float] = boot_clock,
    ) -> None:
        self._compartments = {item.label: item for item, _ in board.pin_latches()}
        # Claiming is switching off: each line is claimed at its resting level in one step.
        self._coils = {
            item.label: pins.output(f"latch of compartment {item.label}", latch) for item, latch in board.pin_latches()
        }
        self._gap_s = board.limits.gap_ms / 1000
        self._fatal, self._clock, self._cap_clock = fatal, clock, cap_clock
        self._lock = Lock()
        self._timer_wake = Condition(self._lock)
        self._cap_wake = Condition()
        self._pulse: _Pulse | None = None
        self._capped: _Pulse | None = None
        self._rest_until = clock()
        self._broken = ""
        self._closed = False
        self._threads = (
            Thread(target=self._guard, args=(self._end_pulses,), name="latch-timer", daemon=True),
            Thread(target=self._guard, args=(self._cap_pulses,), name="latch-cap", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether both mechanisms run; the watchdog's ping depends on it."""
        return not self._closed and all(thread.is_alive() for thread in self._threads)

    def pulse(self, label: str) -> None:
        """Energise one latch and return at once; the pulse ends by itself. Raises `LatchError` or `LatchBusy`."""
        compartment = self._compartments.get(label)
        if compartment is None:
            raise LatchError(f"No compartment is labelled {label!r} on this board.")
        with self._lock:
            self._refuse_if_not_ready()
            length_s = compartment.pulse_ms / 1000
            cap_ends = self._cap_clock() + compartment.pulse_cap_ms / 1000
            pulse = _Pulse(compartment, self._coils[label], self._clock() + length_s, cap_ends)
            self._pulse = pulse
            # The cap knows of the pulse before the coil is on, so no failure in between goes unwatched.
            with self._cap_wake:
                self._capped = pulse
                self._cap_wake.notify()
            try:
                pulse.coil.on()
                # Counted from here: a busy processor in between may not take from the time a latch needs to let go.
                pulse.ends = self._clock() + length_s
            except PinError as error:
                self._abandon(pulse)
                raise LatchError(f"Compartment {label}: {error}") from error
            self._timer_wake.notify()

    def need_rest(self) -> None:
        """Raises `LatchBusy` while a coil is on or the supply rests, and `LatchError` when no pulse may begin at all."""
        with self._lock:
            self._refuse_if_not_ready()

    def all_off(self) -> None:
        """No coil energised afterwards. Idempotent; raises `LatchError` after trying every coil."""
        failures = self._force_off()
        with self._lock:
            if self._pulse is not None and not failures:
                self._finish(self._pulse)
        if failures:
            raise LatchError("; ".join(failures))

    def close(self) -> None:
        """Everything off, threads ended, lines released. Idempotent."""
        if self._closed:
            return
        try:
            self.all_off()
        finally:
            self._closed = True
            with self._timer_wake:
                self._timer_wake.notify_all()
            with self._cap_wake:
                self._cap_wake.notify_all()
            for thread in self._threads:
                thread.join(timeout=1)
            for coil in self._coils.values():
                coil.close()

    def _refuse_if_not_ready(self) -> None:
        if self._closed or self._broken:
            raise LatchError(self._broken or "The latches are closed; the program is stopping.")
        now = self._clock()
        if self._pulse is not None:
            wait_s = max(0.0, self._pulse.ends - now) + self._gap_s
            raise LatchBusy(f"The latch of compartment {self._pulse.compartment.label} is still energised.", wait_s)
        if now < self._rest_until:
            raise LatchBusy("The supply rests between two latches.", self._rest_until - now)

    def _abandon(self, pulse: _Pulse) -> None:
        """After a failed switching-on nobody knows the coil's state: switch off, and let the cap watch if that fails."""
        if _switched_off(pulse.coil):
            self._finish(pulse)

    def _finish(self, pulse: _Pulse) -> None:
        pulse.finished = True
        if self._pulse is pulse:
            self._pulse = None
            self._rest_until = self._clock() + self._gap_s

    def _end_pulses(self) -> None:
        with self._timer_wake:
            while not self._closed:
                pulse = self._pulse
                if pulse is None:
                    self._timer_wake.wait()
                    continue
                left = pulse.ends - self._clock()
                if left > 0:
                    self._timer_wake.wait(max(left, CAP_WAIT_S_MIN))
                    continue
                if _switched_off(pulse.coil):
                    self._finish(pulse)
                else:
                    # The cap tries again on its own, and ends the process when it fails too.
                    self._timer_wake.wait()

    def _cap_pulses(self) -> None:
        while not self._closed:
            with self._cap_wake:
                while self._capped is None and not self._closed:
                    self._cap_wake.wait()
                pulse, self._capped = self._capped, None
            if pulse is not None:
                self._cap(pulse)

    def _cap(self, pulse: _Pulse) -> None:
        """Wait until the cap of a pulse, unless another began meanwhile: it only may when this one is over."""
        while not self._closed:
            left = pulse.cap_ends - self._cap_clock()
            if left <= 0:
                break
            with self._cap_wake:
                if self._capped is not None:
                    return
                self._cap_wake.wait(max(left, CAP_WAIT_S_MIN))
        # From here on no lock is taken that the timer could hold.
        failures = self._still_on(pulse) if pulse.finished else self._force_off()
        if failures:
            self._broken = "The latches are out of use: " + "; ".join(failures)
            cap_ms = pulse.compartment.pulse_cap_ms
            self._fatal(f"a coil is on beyond {cap_ms} ms and cannot be switched off: {failures[0]}")
        elif not pulse.finished:
            self._finish(pulse)

    def _still_on(self, pulse: _Pulse) -> list[str]:
        """The line read back after a pulse that claims to be over; nothing when another pulse began."""
        try:
            if self._closed or not pulse.coil.is_on():
                return []
        except PinError as error:
            return [str(error)]
        return [] if self._pulse is not None else self._force_off()

    def _force_off(self) -> list[str]:
        """Switch every coil off without a lock, and read each back; what failed, in words."""
        failures = []
        for label, coil in self._coils.items():
            try:
                coil.off()
                if coil.is_on():
                    failures.append(f"the latch of compartment {label} still reads on after it was switched off")
            except PinError as error:
                failures.append(str(error))
        return failures

    def _guard(self, work: Callable[[], None]) -> None:
        """A mechanism that ends by itself, for whatever reason, ends the process."""
        try:
            work()
        finally:
            if not self._closed:
                self._fatal("a thread that limits the latches' pulses has ended")


def _switched_off(coil: Output) -> bool:
    """Switch `coil` off and read it back; False when either fails."""
    try:
        coil.off()
        return not coil.is_on()
    except PinError:
        return False
