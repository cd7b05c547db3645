"""Why the previous run of the lock process ended; the first fact of the next one tells it (D-10).

    python -m controller.ending --state /var/lib/consigne --result ${SERVICE_RESULT}      (systemd, after the program: ExecStopPost=)

Owns two small files in the state folder: `kernel`, the mark of the kernel that a run began under, and `ended`, systemd's own
word on how it ended. Refuses to be in the way of a start: what cannot be read or written is only not known.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Final

LOG: Final = logging.getLogger(__name__)

KERNEL: Final = Path("/proc/sys/kernel/random/boot_id")
"""Another value after each start of the machine: random(4)."""

WORD_MAX: Final = 64
"""Bytes read of either file: both hold one word."""


class Ending(StrEnum):
    """How a run ended, in the words of `site_started`. Nothing (`""`) there: it is not known."""

    ORDERLY = "orderly"
    """It said goodbye."""
    POWER = "power"
    """The machine went down with it: power, a reboot, a crashed kernel."""
    HUNG = "hung"
    """It no longer answered the watchdog, which ended it."""
    FAILED = "failed"
    """It gave up by itself: a thread ended, a part broke."""
    KILLED = "killed"
    """Something else ended it: a signal, too little memory, a stop that took too long."""


_OF_SYSTEMD: Final = {
    "watchdog": Ending.HUNG,
    "exit-code": Ending.FAILED,
    "signal": Ending.KILLED,
    "core-dump": Ending.KILLED,
    "oom-kill": Ending.KILLED,
    "timeout": Ending.KILLED,
}
"""$SERVICE_RESULT, as systemd.exec(5) lists it."""


def begin(state_dir: Path, *, clean: bool, kernel: Path = KERNEL) -> str:
    """Why the run before this one ended, or "" when nobody knows; from here on the next one can ask the same of this one."""
    before, ended, now = _read(state_dir / "kernel"), _read(state_dir / "ended"), _read(kernel)
    try:
        (state_dir / "ended").unlink(missing_ok=True)
        (state_dir / "kernel").write_text(now, encoding="ascii")
    except OSError as error:
        LOG.warning("the next start will not know why this run ended: %s", error)
    if clean:
        return Ending.ORDERLY
    if before and before != now:
        return Ending.POWER  # Whatever systemd wrote is of an earlier run of that kernel.
    return _OF_SYSTEMD.get(ended, "")


def note(state_dir: Path, service_result: str) -> None:
    """Keep systemd's word for the next start. Raises OSError."""
    (state_dir / "ended").write_text(service_result[:WORD_MAX], encoding="ascii", errors="replace")


def _read(path: Path) -> str:
    with suppress(OSError), path.open("rb") as file:
        return file.read(WORD_MAX).decode("ascii", "replace").strip()
    return ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line entry; 0 when the word is kept, 1 when the disk refused it, which is no reason to stop anything."""
    parser = argparse.ArgumentParser(prog="python -m controller.ending", description="Keep how the program ended.")
    parser.add_argument("--state", type=Path, required=True, help="the site's state folder")
    parser.add_argument("--result", default="", help="systemd's word: $SERVICE_RESULT")
    options = parser.parse_args(arguments)
    try:
        note(options.state, options.result)
    except OSError as error:
        print(f"how the program ended is not kept: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
