"""How the machine is: what Linux tells in small files, for the owner's alarms and for the hub.

Owns the reading of those files. Refuses to judge the figures (`controller.core.machine` does). What a machine does not have is
left out, never an error. Files only: the unit allows no other device than pins and readers, so `vcgencmd` would be refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final, TypeVar

from controller.core.events import MachineFelt

_Figure = TypeVar("_Figure", int, float)

PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
EVERY_S: Final = 10.0
"""Between two looks: a supply that sags while a coil is on is seen by the next, the kernel holds the mark for 2 s and longer."""

FILE_MAX: Final = 4096
"""Characters read of a file; each holds one figure."""

SYS: Final = Path("/sys")
RESIDENT: Final = Path("/proc/self/statm")
UNDER_VOLTAGE: Final = 1
"""Bit 0 of the firmware's *throttled* word, the one bit that the kernel's driver gives."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Everything below, read together."""

    disk_free_mb: int | None = None
    temperature_c: float | None = None
    throttled: int | None = None
    resident_mb: float | None = None
    pin_policy: str = "unknown"
    card_errors: int | None = None


def read(folder: Path, sys: Path = SYS) -> Readings:
    """The machine now; `folder` is where the journal lives, `sys` where sysfs is."""
    return Readings(
        disk_free_mb(folder),
        temperature_c(sys),
        throttled(sys),
        resident_mb(),
        pin_policy(sys),
        card_errors(folder, sys),
    )


def disk_free_mb(folder: Path) -> int | None:
    """Space left where the journal lives, in MiB."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize >> 20


def temperature_c(sys: Path = SYS) -> float | None:
    """The processor's temperature, in °C."""
    return _number(sys / "class/thermal/thermal_zone0/temp", lambda text: int(text) / 1000)


def resident_mb() -> float | None:
    """Memory this process holds, in MiB."""
    return _number(RESIDENT, lambda text: round(int(text.split()[1]) * PAGE_BYTES / (1 << 20), 1))


def throttled(sys: Path = SYS) -> int | None:
    """Whether the supply is too weak now, as bit 0 of the firmware's word; None on a machine without that sensor.

    Source: the kernel's `raspberrypi-hwmon`, a hwmon device by the name of `rpi_volt` (linux/drivers/hwmon).
    """
    for device in sorted((sys / "class/hwmon").glob("hwmon*")):
        if _text(device / "name") == "rpi_volt":
            return _number(device / "in0_lcrit_alarm", lambda text: UNDER_VOLTAGE if int(text) else 0)
    return None


def pin_policy(sys: Path = SYS) -> str:
    """What this kernel does with an output whose process died: `released`, `persist`, or `unknown` (hardware notes F4)."""
    text = _text(sys / "module/pinctrl_bcm2835/parameters/persist_gpio_outputs")
    if text is None:
        return "unknown"
    return "persist" if text in {"Y", "1"} else "released"


def card_errors(folder: Path, sys: Path = SYS) -> int | None:
    """Errors that ext4 has met on the journal's card since it was last checked; None on another file system.

    Source: Documentation/ABI/testing/sysfs-fs-ext4. The count outlives a restart; `e2fsck` takes it back.
    """
    try:
        device = folder.stat().st_dev
        name = (sys / f"dev/block/{os.major(device)}:{os.minor(device)}").resolve().name
    except OSError:
        return None
    return _number(sys / "fs/ext4" / name / "errors_count", int)


class Watch:
    """Looks every few seconds, in a thread of its own: a file of a dying card may take its time."""

    def __init__(self, folder: Path, post: Callable[[MachineFelt], object], *, sys: Path = SYS) -> None:
        """`post` hands what was felt to the owner."""
        self._folder, self._post, self._sys = folder, post, sys
        self._stop = Event()
        self.latest = Readings()

    def run(self) -> None:
        """Until `stop`."""
        while True:
            now = self.latest = read(self._folder, self._sys)
            weak = None if now.throttled is None else bool(now.throttled & UNDER_VOLTAGE)
            self._post(MachineFelt(now.temperature_c, weak, now.card_errors))
            if self._stop.wait(EVERY_S):
                return

    def stop(self) -> None:
        """Let `run` return."""
        self._stop.set()


def _number(path: Path, read_: Callable[[str], _Figure]) -> _Figure | None:
    text = _text(path)
    try:
        return None if text is None else read_(text)
    except (ValueError, IndexError):
        return None


def _text(path: Path) -> str | None:
    try:
        with path.open(encoding="ascii") as file:
            return file.read(FILE_MAX).strip()
    except (OSError, UnicodeDecodeError):
        return None
