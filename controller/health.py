"""How the machine is: what Linux tells in small files, gathered for the hub every half minute.

Owns the reading of those files. Refuses to judge the figures. What a machine does not have is left out, never an error.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
TOOL_S: Final = 2.0
"""Longest wait for `vcgencmd`; it answers in a few milliseconds or hangs with the firmware."""

TEMPERATURE: Final = Path("/sys/class/thermal/thermal_zone0/temp")
RESIDENT: Final = Path("/proc/self/statm")
PERSIST: Final = Path("/sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs")


@dataclass(frozen=True, slots=True)
class Readings:
    """Everything below, read together."""

    disk_free_mb: int | None = None
    temperature_c: float | None = None
    throttled: int | None = None
    resident_mb: float | None = None
    pin_policy: str = "unknown"


def read(folder: Path) -> Readings:
    """The machine now; `folder` is where the journal lives."""
    return Readings(disk_free_mb(folder), temperature_c(), throttled(), resident_mb(), pin_policy())


def disk_free_mb(folder: Path) -> int | None:
    """Space left where the journal lives, in MiB."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize >> 20


def temperature_c() -> float | None:
    """The processor's temperature."""
    return _number(TEMPERATURE, lambda text: int(text) / 1000)


def resident_mb() -> float | None:
    """Memory this process holds, in MiB."""
    return _number(RESIDENT, lambda text: round(int(text.split()[1]) * PAGE_BYTES / (1 << 20), 1))


def throttled() -> int | None:
    """The Pi's under-voltage and throttling bits (`vcgencmd get_throttled`); None on another machine."""
    tool = shutil.which("vcgencmd")
    if tool is None:
        return None
    try:
        answer = subprocess.run([tool, "get_throttled"], capture_output=True, text=True, timeout=TOOL_S, check=False)
        return int(answer.stdout.strip().removeprefix("throttled="), 16)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def pin_policy() -> str:
    """What this kernel does with an output whose process died: `released`, `persist`, or `unknown` (hardware notes F4)."""
    try:
        text = PERSIST.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return "unknown"
    return "persist" if text in {"Y", "1"} else "released"


def _number(path: Path, read: Callable[[str], float]) -> float | None:
    try:
        return read(path.read_text(encoding="ascii"))
    except (OSError, ValueError, IndexError):
        return None
