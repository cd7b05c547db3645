"""gpiozero's lgpio factory made safe for locks: one chip found by its label, one claim per output, one factory.

Owns the answers to F1, F2 and F6 of the hardware notes. Refuses to fall back on another driver. Imported only on a Pi.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from threading import Lock
from typing import Any, Final

from firmware.pins import PinError

HEADER_CHIPS: Final = ("pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1")
"""Labels of the chip behind the 40-pin header: Pi 0–3, Pi 4, Pi 5. Numbers change between kernels; labels do not."""

CHIPS_MAX: Final = 32

_open_lock: Final = Lock()
_open_factories: Final[list[Any]] = []


def open_factory() -> tuple[Any, tuple[type[Exception], ...]]:
    """The factory of the header's chip, with the driver's own exception types. Raises `PinError`."""
    lgpio = _import_lgpio()
    from gpiozero.exc import GPIOZeroError

    with _open_lock:
        if any(factory.is_open for factory in _open_factories):
            # Two factories share one table of pins inside gpiozero: the wrong door would open (F2).
            raise PinError("The pins are already open in this program; a second factory is refused.")
        _open_factories.clear()
        try:
            factory = _factory_class(lgpio)(_chip_number(lgpio))
        except (OSError, GPIOZeroError, lgpio.error) as error:
            raise PinError(f"The pins of this machine could not be opened: {error}") from error
        _open_factories.append(factory)
    return factory, (lgpio.error,)


def _import_lgpio() -> Any:
    before = Path.cwd()
    try:
        import lgpio
    except (ImportError, OSError) as error:
        raise PinError(
            f"lgpio could not be loaded ({error}). Install the extra 'pi', and point LG_WD at a folder it may write to: "
            "it creates a pipe there (RuntimeDirectory= in the unit)."
        ) from error
    finally:
        # lgpio moves the whole process into LG_WD; relative paths of our configuration must keep their meaning.
        os.chdir(before)
    return lgpio


def _chip_number(lgpio: Any) -> int:
    seen = []
    for number in range(CHIPS_MAX):
        if not Path(f"/dev/gpiochip{number}").exists():
            continue
        handle = lgpio.gpiochip_open(number)
        try:
            label = lgpio.gpio_get_chip_info(handle)[3]
        finally:
            lgpio.gpiochip_close(handle)
        if label in HEADER_CHIPS:
            return number
        seen.append(f"gpiochip{number} {label!r}")
    found = ", ".join(seen) or "none"
    raise PinError(f"No chip of a Raspberry Pi's header was found (wanted {' or '.join(HEADER_CHIPS)}; found {found}).")


def _factory_class(lgpio: Any) -> Any:
    from gpiozero.pins.lgpio import LGPIOFactory, LGPIOPin

    class SafePin(LGPIOPin):  # type: ignore[misc]
        """Claims an output together with its first level: no pulse on an active-low driver (F1)."""

        def output_with_state(self, state: bool) -> None:  # noqa: FBT001
            lgpio.gpio_claim_output(self.factory._handle, self._number, int(bool(state)))  # noqa: SLF001

    class SafeFactory(LGPIOFactory):  # type: ignore[misc]
        """Keeps its own table of pins, which gpiozero shares between all local factories (F2)."""

        def __init__(self, chip: int) -> None:
            super().__init__(chip)
            self.pins: dict[Any, Any] = {}
            self._reservations: defaultdict[Any, list[Any]] = defaultdict(list)
            self._res_lock = Lock()
            self.pin_class = SafePin

        @property
        def is_open(self) -> bool:
            return self._handle is not None

    return SafeFactory
