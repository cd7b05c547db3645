"""`consigne-update BUNDLE`: puts a new version on a site, and the one before back when the new one is not well (A-11).

Owns the releases beside each other, the link that names the one in use, and the judgement whether the site is well. Opens no door and
waits until nobody needs one: it restarts the lock process only while the bank is quiet. Refuses to touch settings, keys and journal.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path("/opt/consigne")
CONFIG: Final = Path("/etc/consigne/controller.toml")
SOCKET: Final = Path("/run/consigne/panel.sock")
KIOSK: Final = "http://127.0.0.1:8090/healthz"
RESTART: Final = "systemctl restart consigne-controller consigne-kiosk"
IN_USE: Final = ".venv"
"""The link that the units start from; what it points to is the version in use."""
RELEASES_KEPT: Final = 3
QUIET_S: Final = 30.0
"""So long the bank has to be quiet before it is restarted: somebody who just closed a door may still stand there."""
WELL_S: Final = 20.0
"""So long a version must answer without a gap: one that ends and is started again and again does not."""
PATIENCE_S: Final = 120.0
LOOK_S: Final = 0.5
ANSWER_S: Final = 5.0
LINE_BYTES_MAX: Final = 4 * 1024 * 1024
EXIT_BACK: Final = 1
"""The version before is in use again."""
EXIT_NOT: Final = 2
"""Nothing was changed."""


class NotUpdated(Exception):
    """The site works with the version it had; the text says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Update; the exit status."""
    asked = _arguments(arguments)
    try:
        release = _installed(asked) if asked.bundle is not None else asked.release
        _check(release, asked.config)
        _await_quiet(asked)
    except NotUpdated as error:
        print(f"{error} Nothing was changed.", file=sys.stderr)
        return EXIT_NOT
    before = _use(asked.root, release)
    _restart(asked.restart)
    if _is_well(asked):
        print(f"The site works with {release.name}. The version before is kept as {before.name}.")
        _prune(asked.root, {release, before})
        return 0
    _use(asked.root, before)
    _restart(asked.restart)
    back = "works with it" if _is_well(asked) else "does not answer with it either: look at the log"
    print(
        f"{release.name} was not well within {PATIENCE_S:.0f} s. {before.name} is in use again, and the site {back}.",
        file=sys.stderr,
    )
    return EXIT_BACK


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="consigne-update", description=__doc__.partition("\n")[0] if __doc__ else "")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("bundle", nargs="?", type=Path, help="a folder of wheels, consigne's and those it needs")
    what.add_argument("--release", type=Path, help="a version that is installed already: go back to it, or forward")
    parser.add_argument("--root", type=Path, default=ROOT, help=f"where versions are kept ({ROOT})")
    parser.add_argument("--config", type=Path, default=CONFIG, help=f"the site's settings ({CONFIG})")
    parser.add_argument("--socket", type=Path, default=SOCKET, help=f"the lock process's socket ({SOCKET})")
    parser.add_argument(
        "--kiosk", default=KIOSK, help=f"where the screens answer; empty: this machine has none ({KIOSK})"
    )
    parser.add_argument("--restart", default=RESTART, help=f"what restarts the programs ({RESTART})")
    parser.add_argument("--wait-minutes", type=float, default=60.0, help="how long to wait for a quiet moment (60)")
    return parser.parse_args(arguments)


def _installed(asked: argparse.Namespace) -> Path:
    """A release of its own with what the bundle holds, beside the one in use."""
    if not asked.bundle.is_dir():
        raise NotUpdated(f"{asked.bundle} is no folder of wheels.")
    release: Path = asked.root / "releases" / time.strftime("%Y%m%d-%H%M%S")
    commands = (
        [sys.executable, "-m", "venv", str(release)],
        [
            str(release / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-index",
            "--find-links",
            str(asked.bundle),
            "consigne[pi,kiosk]",
        ],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            shutil.rmtree(release, ignore_errors=True)
            raise NotUpdated(f"The new version could not be installed: {done.stderr.strip()[-400:]}")
    return release


def _check(release: Path, config: Path) -> None:
    """The new version reads this site's settings and board."""
    command = [str(release / "bin" / "python"), "-m", "controller", "--config", str(config), "--check"]
    environment = {"PATH": os.defpath, "CREDENTIALS_DIRECTORY": str(config.parent)}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotUpdated(f"{release.name} does not start: {error}.") from error
    if done.returncode != 0:
        raise NotUpdated(f"{release.name} does not take this site's settings: {done.stderr.strip()[-400:]}")


def _await_quiet(asked: argparse.Namespace) -> None:
    """Until nobody is at the bank. A lock process that does not answer serves nobody who could be disturbed."""
    if not _lasts(lambda: _is_quiet(asked.socket), QUIET_S, asked.wait_minutes * 60):
        raise NotUpdated(f"Somebody was at the bank all the time for {asked.wait_minutes:.0f} minutes.")


def _is_well(asked: argparse.Namespace) -> bool:
    return _lasts(lambda: _view(asked.socket) is not None and _answers(asked.kiosk), WELL_S, PATIENCE_S)


def _lasts(holds: Callable[[], bool], seconds: float, patience_s: float) -> bool:
    """Whether something holds for so long without a gap, within the patience."""
    begun = since = time.monotonic()
    while (now := time.monotonic()) - begun < patience_s:
        if not holds():
            since = time.monotonic()
        elif now - since >= seconds:
            return True
        time.sleep(LOOK_S)
    return False


def _is_quiet(path: Path) -> bool:
    view = _view(path)
    if view is None:
        return True
    doors_shut = all(compartment["door"] == "closed" for compartment in view["bank"])
    nobody = view["customer"]["screen"] == "ready" and not view["staff"]["person"] and not view["waiting"]
    return bool(doors_shut and nobody)


def _view(path: Path) -> dict[str, Any] | None:
    """What the screens are shown now; None when the lock process does not answer."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(ANSWER_S)
            line.connect(str(path))
            with line.makefile("rb") as file:
                said = json.loads(file.readline(LINE_BYTES_MAX))
    except (OSError, ValueError):
        return None
    view = said.get("view") if isinstance(said, dict) else None
    return view if isinstance(view, dict) else None


def _answers(url: str) -> bool:
    if not url:
        return True
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_S) as answer:  # noqa: S310 an address of this machine
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def _use(root: Path, release: Path) -> Path:
    """Name the version in use; the one that was. The link changes in one step, so that a power cut leaves one of the two.

    The programs that run load nothing more before they are restarted, which is at once. A first version that is no link yet becomes one.
    """
    link, releases = root / IN_USE, root / "releases"
    releases.mkdir(parents=True, exist_ok=True)
    if link.is_dir() and not link.is_symlink():
        first = releases / "first"
        link.rename(first)
        link.symlink_to(first)
    before = link.readlink()
    fresh = root / f"{IN_USE}.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(release)
    fresh.replace(link)
    return before


def _restart(command: str) -> None:
    subprocess.run(shlex.split(command), check=False, timeout=PATIENCE_S)


def _prune(root: Path, kept: set[Path]) -> None:
    """Forget all but the newest few; never the one in use and the one before."""
    old = sorted(path for path in (root / "releases").iterdir() if path not in kept and not path.is_symlink())
    for path in old[: max(0, len(old) - (RELEASES_KEPT - len(kept)))]:
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
