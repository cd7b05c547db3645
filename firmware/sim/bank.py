"""The simulated bank: doors with springs, latches that jam, parcels that somebody put inside.

Owns the physical world and its faults. It watches the coil pins and drives the door pins, so that the real latches and
doors run above it, and it survives `kill -9`: every change is on disk before anybody hears of it. Refuses to know
sessions, keys or what a parcel is beyond its name.
"""

from __future__ import annotations

import heapq
import json
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count
from pathlib import Path
from threading import Condition, RLock, Thread
from typing import Any, Final

from firmware.board import Board, Compartment
from firmware.sim.mock import HardFactory, HardPin
from firmware.sim.trace import Trace

OPENING_S: Final = 0.080
"""A latch needs this long under current before the spring pushes its door open."""

BOUNCE_FLIPS: Final = 5
BOUNCE_STEP_S: Final = 0.006
"""Five flips within 30 ms: what a micro-switch does, and less than the debounce."""

RELATCH_FAILS_S: Final = 0.300
CHATTER_STEP_S: Final = 0.020
PATIENCE_S: Final = 120.0
"""A simulated customer walks away when the door has not opened by then."""

NAME_CHARACTERS_MAX: Final = 80
CONTENTS_MAX: Final = 20
ROOM_MAX: Final = 500
"""Parcels remembered in the room after they were taken; the oldest leave the building."""

FAULTS: Final[Mapping[str, str]] = {
    "jam": "the coil fires, the door stays",
    "cut-sensor": "the switch reads open whatever the door does",
    "stuck": "the switch reads closed whatever the door does",
    "bounce": "the switch bounces for 30 ms at each move",
    "no-latch": "a door pushed shut springs open again",
    "chatter": "the switch flips every 20 ms and never settles",
    "driver-error": "switching the coil on fails",
    "coil-stuck": "switching the coil off fails",
}

OF_PINS: Final = frozenset({"jam", "driver-error", "coil-stuck"})
"""Faults between a pin and its door: a latch on a relay board has no such pin."""

SIGNALS: Final = ("lamp_ok", "lamp_attention", "buzzer")


class Refused(Exception):
    """The physical world does not allow it, for instance putting something through a closed door."""


@dataclass(slots=True)
class _Current:
    """The current through one coil, from when to when (monotonic, ns): a spring asks how long, not whether still."""

    on_ns: int
    off_ns: int | None = None

    def opens(self) -> bool:
        """Whether it lasted, or lasts, long enough to let the latch go; asked no earlier than `OPENING_S` after `on_ns`."""
        return self.off_ns is None or self.off_ns - self.on_ns >= OPENING_S * 1e9


class SimBank:
    """The world behind one board; its thread runs from construction to close."""

    def __init__(self, board: Board, state_dir: Path, *, seed: int = 0) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self.board = board
        self._file = state_dir / "world.json"
        self._lock = RLock()
        self._schedule = Condition()
        self._random = random.Random(seed)
        self._compartments = {item.label: item for item in board.compartments}
        self._latches = {item.label: latch for item, latch in board.pin_latches()}
        self._by_latch = {latch.pin: (item.label, latch.active_high) for item, latch in board.pin_latches()}
        self._enable = board.signals.master_enable.pin if board.signals.master_enable else None
        self._room: list[str] = []
        self._open: dict[str, bool] = {}
        self._contents: dict[str, list[str]] = {}
        self._faults: dict[str, set[str]] = {}
        self._read_world()
        self.trace = Trace(state_dir)
        self.factory = HardFactory(self._observe)
        self.factory.active_levels = {latch.pin: latch.active_high for latch in self._latches.values()}
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._customers: dict[str, tuple[float, float, bool]] = {}
        self._closed = False
        self._currents: dict[str, _Current] = {}
        wired = {name: getattr(board.signals, name) for name in SIGNALS}
        self._by_signal = {output.pin: (name, output.active_high) for name, output in wired.items() if output}
        self._signals: dict[str, dict[str, Any]] = {name: {"on": False, "times": 0, "last_ms": 0} for name in SIGNALS}
        for compartment in board.compartments:
            self._drive_switch(compartment.label)
            self._arm_driver(compartment.label)
            if self._energised(compartment.label):
                # Nobody has claimed the line yet: its own pull feeds the coil, and has since the last program died.
                self._after(0, partial(self._spring, compartment.label, _Current(time.monotonic_ns())))
        self._thread = Thread(target=self._run, name="sim-world", daemon=True)
        self._thread.start()
        self._restart_chatter()

    # What a person does.

    def open_door(self, label: str) -> None:
        """Open by hand, with the emergency key or by force. Raises KeyError for an unknown label."""
        with self._lock:
            self._move(label, open_=True)

    def close_door(self, label: str) -> None:
        """Push the door shut. Raises KeyError for an unknown label."""
        with self._lock:
            self._move(label, open_=False)
            if "no-latch" in self._faults[label]:
                self._after(RELATCH_FAILS_S, lambda: self._move(label, open_=True))

    def put(self, label: str, name: str) -> None:
        """Put a parcel inside. Raises `Refused` while the door is shut, and KeyError for an unknown label."""
        name = name.strip()
        if not name or len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
            raise Refused(f"A parcel's name has 1 to {NAME_CHARACTERS_MAX} printable characters.")
        with self._lock:
            self._need_open(label)
            if any(name in inside for inside in self._contents.values()):
                raise Refused(f"{name} is already in a compartment.")
            if len(self._contents[label]) >= CONTENTS_MAX:
                raise Refused(f"Compartment {label} is full.")
            if name in self._room:
                self._room.remove(name)
            self._contents[label].append(name)
            self._keep()
            self._note_hand(label, name, put=True)

    def take(self, label: str, name: str | None = None) -> tuple[str, ...]:
        """Take one parcel, or all of them. Raises `Refused` while the door is shut, and KeyError for an unknown label."""
        with self._lock:
            self._need_open(label)
            inside = self._contents[label]
            taken = tuple(inside) if name is None else (name,)
            if name is not None and name not in inside:
                raise Refused(f"{name} is not in compartment {label}.")
            self._contents[label] = [item for item in inside if item not in taken]
            self._room = (self._room + list(taken))[-ROOM_MAX:]
            self._keep()
            for one in taken:
                self._note_hand(label, one, put=False)
            return taken

    def send_customer(self, label: str, seconds: float, *, take: bool) -> None:
        """Somebody waits for this door, takes their time, perhaps the parcel, and shuts it `seconds` after it opened."""
        with self._lock:
            is_open = self._open[label]
            self._customers[label] = (time.monotonic() + PATIENCE_S, seconds, take)
            if is_open:
                self._serve_customer(label)

    def set_fault(self, label: str, fault: str) -> None:
        """Add a fault, or `clear` them all. Raises `Refused` for an unknown one, and KeyError for an unknown label."""
        with self._lock:
            faults = self._faults[label]
            if fault == "clear":
                faults.clear()
            elif fault in OF_PINS and label not in self._latches:
                raise Refused(f"The latch of compartment {label} hangs on a relay board: silence the board instead.")
            elif fault in FAULTS:
                faults.add(fault)
            else:
                raise Refused(f"There is no fault {fault!r}; known are {', '.join(FAULTS)} and clear.")
            self._arm_driver(label)
            self._keep()
            self._drive_switch(label)
            if fault == "chatter":
                self._flip_for_ever(label)

    # What can be looked at.

    def is_open(self, label: str) -> bool:
        """Whether the door itself is open, whatever its switch says."""
        with self._lock:
            return self._open[label]

    def picture(self) -> dict[str, Any]:
        """The world as JSON can say it."""
        with self._lock:
            return {
                "board": self.board.name,
                "doors": {label: "open" if is_open else "closed" for label, is_open in self._open.items()},
                "switches": {label: "open" if self._shown(label) else "closed" for label in self._open},
                "coils": {label: "on" if self._energised(label) else "off" for label in self._open},
                "contents": {label: list(inside) for label, inside in self._contents.items()},
                "room": list(self._room),
                "signals": {name: self._signal(name) for name in SIGNALS},
                "hands": {"put": self.trace.put_count, "taken": self.trace.taken_count},
                "faults": {label: sorted(faults) for label, faults in self._faults.items()},
                "pulses": [_pulse_picture(asdict(pulse)) for pulse in tuple(self.trace.pulses)],
                "trace": self.trace.summary(),
            }

    def close(self) -> None:
        """End the world's thread; the world itself stays on disk. Idempotent."""
        with self._schedule:
            if self._closed:
                return
            self._closed = True
            self._schedule.notify_all()
        self._thread.join(timeout=2)
        self.factory.close()
        self.trace.close()

    # Coils, from the thread that drives them: one append and one note, no lock of the world.

    def _observe(self, number: int, function: str, level: bool, moment_ns: int) -> None:  # noqa: FBT001
        if number == self._enable:
            self.trace.beat(level=level, moment_ns=moment_ns)
            return
        latch = self._by_latch.get(number)
        if latch is None:
            self._shine(number, function, level)
            return
        label, active_high = latch
        # A released line is at its pull, and the coil does not ask who holds the level.
        energised = level == active_high
        why = "driven" if function == "output" else "line released"
        self.trace.write(label, "coil", on=energised, level=level, why=why, moment_ns=moment_ns)
        if energised:
            # A busy processor may look at the latch when the pulse is long over: what was long enough has opened it.
            current = self._currents[label] = _Current(moment_ns)
            self._after(OPENING_S, partial(self._spring, label, current))
        elif (ended := self._currents.pop(label, None)) is not None:
            ended.off_ns = moment_ns

    def _shine(self, number: int, function: str, level: bool) -> None:  # noqa: FBT001
        """A lamp or the buzzer goes on or off; the world counts, and remembers when each was last switched on."""
        name, active_high = self._by_signal.get(number, ("", True))
        if name and function == "output":
            known, on = self._signals[name], level == active_high
            if on and not known["on"]:
                known.update(times=known["times"] + 1, last_ms=time.time_ns() // 1_000_000)
            known["on"] = on

    def _signal(self, name: str) -> dict[str, Any]:
        return dict(self._signals[name])

    def _energised(self, label: str) -> bool:
        latch = self._latches.get(label)  # A latch on a relay board is out of this world's sight.
        return latch is not None and bool(self._pin(latch.pin).state) == latch.active_high

    def _spring(self, label: str, current: _Current) -> None:
        if current.opens() and "jam" not in self._faults[label] and not self._open[label]:
            self._move(label, open_=True)

    # Doors and their switches.

    def _move(self, label: str, *, open_: bool) -> None:
        if self._open[label] == open_:
            return
        self._open[label] = open_
        self._keep()
        if "bounce" in self._faults[label]:
            self._bounce(label)
        self._drive_switch(label)
        moment = time.monotonic_ns()
        self.trace.write(label, "door", on=open_, level=None, why="opened" if open_ else "closed", moment_ns=moment)
        if open_:
            self._serve_customer(label)

    def _shown(self, label: str) -> bool:
        """What the switch shows: True is open."""
        faults = self._faults[label]
        if "cut-sensor" in faults:
            return True
        return False if "stuck" in faults else self._open[label]

    def _drive_switch(self, label: str, *, inverted: bool = False) -> None:
        compartment = self._compartments[label]
        shown_open = self._shown(label) != inverted
        self._pin(compartment.door.pin).connect(_door_level(compartment, shown_open))

    def _bounce(self, label: str) -> None:
        for flip in range(1, BOUNCE_FLIPS):
            self._after(flip * BOUNCE_STEP_S, partial(self._drive_switch, label, inverted=flip % 2 == 1))
        self._after(BOUNCE_FLIPS * BOUNCE_STEP_S, lambda: self._drive_switch(label))

    def _restart_chatter(self) -> None:
        with self._lock:
            for label, faults in self._faults.items():
                if "chatter" in faults:
                    self._flip_for_ever(label)

    def _flip_for_ever(self, label: str, *, inverted: bool = True) -> None:
        if "chatter" not in self._faults[label]:
            self._drive_switch(label)
            return
        self._drive_switch(label, inverted=inverted)
        self._after(CHATTER_STEP_S, lambda: self._flip_for_ever(label, inverted=not inverted))

    def _pin(self, number: int) -> HardPin:
        pin: HardPin = self.factory.pin(number)
        return pin

    def _arm_driver(self, label: str) -> None:
        latch = self._latches.get(label)
        if latch is None:
            return
        pin = self._pin(latch.pin)
        faults = self._faults[label]
        pin.fault_on = "simulated: the driver does not answer" if "driver-error" in faults else ""
        pin.fault_off = "simulated: the driver does not let go" if "coil-stuck" in faults else ""

    # People in front of the bank.

    def _serve_customer(self, label: str) -> None:
        patience, seconds, takes = self._customers.pop(label, (0.0, 0.0, False))
        if time.monotonic() > patience:
            return
        if takes:
            self._after(seconds / 2, lambda: self._take_if_open(label))
        self._after(seconds, lambda: self.close_door(label))

    def _take_if_open(self, label: str) -> None:
        if self._open[label]:
            self.take(label)

    def _note_hand(self, label: str, name: str, *, put: bool) -> None:
        self.trace.write(label, "hand", on=put, level=None, why=name, moment_ns=time.monotonic_ns())

    def _need_open(self, label: str) -> None:
        if not self._open[label]:
            raise Refused(f"The door of compartment {label} is closed: open it first.")

    # The world's clock.

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        with self._schedule:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), action))
            self._schedule.notify()

    def _run(self) -> None:
        while (action := self._next_action()) is not None:
            with self._lock:
                action()

    def _next_action(self) -> Callable[[], None] | None:
        """Wait for the next thing that happens by itself; None when the world ends."""
        with self._schedule:
            while not self._closed:
                left = self._due[0][0] - time.monotonic() if self._due else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._due)[2]
                self._schedule.wait(left)
        return None

    # The world on disk: no fsync, because a killed process loses nothing the kernel has.

    def _read_world(self) -> None:
        try:
            world = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            world = {}
        doors, contents, faults = (world.get(key, {}) for key in ("doors", "contents", "faults"))
        labels = tuple(self._compartments)
        self._open = {label: doors.get(label) == "open" for label in labels}
        self._contents = {label: list(contents.get(label, [])) for label in labels}
        self._faults = {label: set(faults.get(label, [])) & FAULTS.keys() for label in labels}
        self._room = list(world.get("room", []))

    def _keep(self) -> None:
        world = {
            "doors": {label: "open" if is_open else "closed" for label, is_open in self._open.items()},
            "contents": self._contents,
            "faults": {label: sorted(faults) for label, faults in self._faults.items()},
            "room": self._room,
        }
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(world, ensure_ascii=False), encoding="utf-8")
        os.replace(fresh, self._file)  # noqa: PTH105 # the one call that is atomic by name


def _door_level(compartment: Compartment, shown_open: bool) -> bool | None:  # noqa: FBT001
    """A shut door's switch drives its level; an open one leaves the line to its pull, or to the resistor outside."""
    door = compartment.door
    if not shown_open:
        return door.closed_high
    return None if door.pull != "none" else not door.closed_high


def _pulse_picture(pulse: dict[str, Any]) -> dict[str, Any]:
    on_ms = pulse["on_ms"]
    return {
        "label": pulse["label"],
        "at_ms": pulse["at_ms"],
        "on_ms": None if on_ms is None else round(on_ms, 1),
        "ended": pulse["ended"],
    }
