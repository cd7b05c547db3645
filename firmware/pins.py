"""The safe pin layer: outputs that are claimed at their resting level, and door contacts, over gpiozero.

Owns the one door through which every other module reaches a pin, and turns every driver's complaint into `PinError`.
Refuses to know which factory is behind it (a Pi's in `lgpio_pins`, a simulated one in `sim.mock`) or what hangs on a pin.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from gpiozero import DigitalInputDevice, OutputDevice
from gpiozero.exc import GPIOZeroError

from firmware.board import DoorPin, OutputPin

EDGE_BOUNCE_S: Final = 0.005
"""lgpio reports an edge once the line was quiet this long: a chattering contact costs at most 200 wake-ups a second."""

PERSIST_PARAMETERS: Final = (
    "pinctrl_bcm2835/parameters/persist_gpio_outputs",
    "pinctrl_rp1/parameters/persist_gpio_outputs",
)
"""Read in raspberrypi/linux#6117 and #6150; not yet seen on a bench Pi."""


class PinError(OSError):
    """A line could not be claimed, driven or read."""


class ReleasePolicy(StrEnum):
    """What the kernel does with a driven line when its process dies (hardware notes, F4)."""

    RELEASED = "released"
    KEPT = "kept"
    UNKNOWN = "unknown"


class Output:
    """A driven line; every failure is a `PinError` naming it."""

    def __init__(self, name: str, device: Any, errors: tuple[type[Exception], ...]) -> None:
        self._name, self._device, self._errors = name, device, errors

    def on(self) -> None:
        """Drive the active level."""
        try:
            self._device.on()
        except self._errors as error:
            raise PinError(f"the {self._name} could not be switched on: {error}") from error

    def off(self) -> None:
        """Drive the resting level."""
        try:
            self._device.off()
        except self._errors as error:
            raise PinError(f"the {self._name} could not be switched off: {error}") from error

    def is_on(self) -> bool:
        """The level read back from the line."""
        try:
            return bool(self._device.value)
        except self._errors as error:
            raise PinError(f"the {self._name} could not be read back: {error}") from error

    def close(self) -> None:
        """Give the line back; it becomes an input. Idempotent."""
        try:
            self._device.close()
        except self._errors as error:
            raise PinError(f"the {self._name} could not be released: {error}") from error


class Contact:
    """A door's switch. Its edges are hints only; `is_open` reads the level, and levels are truth."""

    def __init__(self, name: str, device: Any, closed_high: bool, errors: tuple[type[Exception], ...]) -> None:  # noqa: FBT001
        self._name, self._device, self._closed_high, self._errors = name, device, closed_high, errors

    def is_open(self) -> bool:
        """Whether the switch shows an open door now (a cut wire does)."""
        try:
            return bool(self._device.pin.state) != self._closed_high
        except self._errors as error:
            raise PinError(f"the {self._name} could not be read: {error}") from error

    def call_on_edge(self, hint: Callable[[], None]) -> None:
        """Call `hint` from the driver's own thread at each edge; what it raises is dropped.

        One exception there would end the only thread that serves the edges of every door (hardware notes, F3).
        """

        def guarded() -> None:
            with suppress(Exception):
                hint()

        self._device.when_activated = guarded
        self._device.when_deactivated = guarded

    def close(self) -> None:
        """Give the line back. Idempotent."""
        self._device.close()


class Pins:
    """Makes outputs and contacts on one explicit factory; there is no default and no fall-back."""

    def __init__(self, factory: Any, errors: tuple[type[Exception], ...] = ()) -> None:
        self._factory = factory
        # AttributeError is how gpiozero reports a device closed under a caller's feet.
        self._errors = (OSError, GPIOZeroError, AttributeError, *errors)

    def output(self, name: str, output: OutputPin) -> Output:
        """Claim a line as an output at its resting level, in one step (hardware notes, F1). Raises `PinError`."""
        try:
            device = OutputDevice(
                output.pin, active_high=output.active_high, initial_value=False, pin_factory=self._factory
            )
        except self._errors as error:
            raise PinError(f"GPIO {output.pin} ({name}) could not be claimed: {error}") from error
        return Output(name, device, self._errors)

    def contact(self, name: str, door: DoorPin) -> Contact:
        """Claim a line as an input with the board's pull. Raises `PinError`."""
        pull_up = {"up": True, "down": False, "none": None}[door.pull]
        try:
            device = DigitalInputDevice(
                door.pin,
                pull_up=pull_up,
                active_state=door.closed_high if pull_up is None else None,
                bounce_time=EDGE_BOUNCE_S,
                pin_factory=self._factory,
            )
        except self._errors as error:
            raise PinError(f"GPIO {door.pin} ({name}) could not be claimed: {error}") from error
        return Contact(name, device, door.closed_high, self._errors)

    def close(self) -> None:
        """Release every line and the chip. Idempotent."""
        self._factory.close()


def open_pi_pins() -> Pins:
    """The pins of this Raspberry Pi through lgpio. Raises `PinError` when there are none, or they are open already."""
    # Imported here so that a simulated site never loads lgpio, which leaves a pipe in the working directory.
    from firmware.lgpio_pins import open_factory

    factory, errors = open_factory()
    return Pins(factory, errors)


def release_policy(modules: Path = Path("/sys/module")) -> ReleasePolicy:
    """What this kernel does with our outputs when we die; UNKNOWN where the kernel does not say."""
    for parameter in PERSIST_PARAMETERS:
        try:
            value = (modules / parameter).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        return ReleasePolicy.RELEASED if value in {"N", "0"} else ReleasePolicy.KEPT
    return ReleasePolicy.UNKNOWN


def policy_warning(policy: ReleasePolicy) -> str:
    """What the person who runs the site must do about `policy`; empty when nothing."""
    if policy is ReleasePolicy.RELEASED:
        return ""
    what = "keeps" if policy is ReleasePolicy.KEPT else "may keep"
    return (
        f"This kernel {what} a latch energised after the program dies: "
        "add dtparam=strict_gpiod to config.txt and restart the Pi (hardware/README.md)."
    )
