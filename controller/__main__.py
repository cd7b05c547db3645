"""The command line of the lock process: `consigne-controller --config FILE [--check] [--verify]`.

Owns the process: arguments, logging, signals, exit status. Knows nothing of parcels.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Final

from controller.bootstrap import Parts, Site, check, journal_path, opener
from controller.core.evolve import evolve, rebase
from controller.core.model import Now, fresh
from controller.journal import Journal, JournalError
from controller.panel import PanelError
from controller.runner import EXIT_THREAD_ENDED
from controller.settings import Settings, SettingsError, load_settings, notify_settings
from firmware.board import BoardError
from firmware.watchdog import Watchdog, period_s

LOG: Final = logging.getLogger("controller")

EXIT_SETTINGS: Final = 2
"""The settings or the board file cannot be used."""

EXIT_START: Final = 1
"""A part could not be opened: the journal, the panel's socket, a line."""

READER_S: Final = 5.0
"""Longest wait of a simulated site for its reader, before it says where scans are to be written."""


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; the exit status."""
    options = _arguments(arguments)
    try:
        settings = load_settings(options.config)
        parts = check(settings)
    except (SettingsError, BoardError) as error:
        print(error, file=sys.stderr)
        return EXIT_SETTINGS
    if options.verify:
        return _verify(parts)
    if options.check:
        print(f"{options.config}: good. Site {settings.site.id}, board {parts.board.name}.")
        return 0
    _log_to_stdout(settings)
    return _serve(parts)


def _serve(parts: Parts) -> int:
    # The watchdog ends a hung program with SIGABRT: what each thread was at is written where the log goes.
    faulthandler.enable()
    environment = notify_settings()
    watchdog = Watchdog(environment.address, period_s(environment.watchdog_usec, environment.watchdog_pid, os.getpid()))
    try:
        site = Site(parts, opener(parts.settings), watchdog)
    except (JournalError, PanelError, OSError) as error:
        LOG.critical("the site cannot start: %s", error)
        return EXIT_START
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: site.stop())
    site.start()
    _announce(parts, site)
    # The owner's own guard: whatever ends it, the coils go off and the process ends.
    site.adapters.guarded("owner", site.run)
    return 0 if site.ended_well else EXIT_THREAD_ENDED


def _announce(parts: Parts, site: Site) -> None:
    """One line for whoever started a simulated site: where to write scans and where to look."""
    simulation = site.hardware.sim
    if simulation is None:
        return
    site.hardware.scanner.tried.wait(READER_S)  # Opening a serial line empties it: what is written earlier is lost.
    line = {
        "site": parts.settings.site.id,
        "boot": site.boot,
        "panel": str(site.panel.path),
        "scanner": str(simulation.scanner_path),
        "sim_port": simulation.port,
    }
    # `print` may write the end of the line by itself, and a log line of another thread between the two.
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _verify(parts: Parts) -> int:
    """Check the journal from its first fact, and that its snapshot says what its facts say."""
    path = journal_path(parts.settings)
    if not path.exists():
        print(f"{path}: there is no journal yet.")
        return 0
    try:
        journal = Journal(path, parts.settings.site.id)
        count = journal.verify()
        at_rest = Now(mono=0, wall_ms=0)
        folded = journal.refold(fresh(parts.setup), evolve)
        kept = journal.recover(fresh(parts.setup), evolve)
        journal.close()
    except JournalError as error:
        print(error, file=sys.stderr)
        return EXIT_START
    if folded is not None and rebase(folded, at_rest) != rebase(kept, at_rest):
        print(
            f"{path}: the snapshot does not say what the {count} facts say; it was changed or made by a fault.",
            file=sys.stderr,
        )
        return EXIT_START
    print(f"{path}: {count} facts, chain whole up to {journal.last_seq} ({journal.last_hash[:16]}…).")
    return 0


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="consigne-controller", description="The lock process of a site.")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the site's TOML file")
    parser.add_argument("--check", action="store_true", help="check the settings and the board file, then exit")
    parser.add_argument("--verify", action="store_true", help="check the whole journal, then exit")
    return parser.parse_args(arguments)


def _log_to_stdout(settings: Settings) -> None:
    logging.basicConfig(
        stream=sys.stdout,
        level=settings.log.level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )


if __name__ == "__main__":
    sys.exit(main())
