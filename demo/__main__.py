"""`python -m demo`: all of Consigne on this machine, and one page to play every role. `--auto` plays the story headless.

Owns arguments, signals, exit status and the last line. Exit 0: the ledger balances, or somebody ended it; 1: it does not
balance; 2: something did not start.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Final

from demo.folder import Folder
from demo.story import StoryBroke, await_people, play, say
from demo.world import DidNotStart, World

STATE: Final = Path(__file__).resolve().parents[1] / ".state"
ENDS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a polite kill, a closed terminal."""


class Ended(BaseException):
    """Somebody wants the demonstration to end; no handler of errors stands in the way."""


def main() -> int:
    """Run the demonstration."""
    asked = _parser().parse_args()
    for one in ENDS:
        signal.signal(one, _end)
    try:
        return _auto(asked) if asked.auto else _stay(asked)
    except Ended:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--auto", action="store_true", help="play the story headless and print the ledger")
    parser.add_argument("--broker", choices=("dev", "mosquitto"), default="dev", help="which MQTT broker to start")
    parser.add_argument("--port", type=int, default=0, help="loopback port of the page (a free one)")
    parser.add_argument("--keep", action="store_true", help="go on where the last demonstration in this folder ended")
    parser.add_argument(
        "--state", type=Path, default=None, help="folder of the demonstration; emptied at each start without --keep"
    )
    return parser


def _auto(asked: argparse.Namespace) -> int:
    """The story. Its own folder goes when it went well, and is kept with its logs when it did not."""
    begun = time.monotonic()
    folder = asked.state or _own_folder()
    world = World(folder, asked.broker)
    status = 1
    try:
        world.start(keep=asked.keep)
        ledger = play(world, begun)
        status = 0 if ledger.balances else 1
    except StoryBroke as error:
        sys.stderr.write(f"The story broke: {error}.\n")
        return status
    except DidNotStart as error:
        sys.stderr.write(f"{error}\n")
        status = 2
        return status
    finally:
        _stop(world)
        if status:
            sys.stderr.write(f"The logs are in {folder}.\n")
        elif asked.state is None:
            Folder(folder).remove()
    say(ledger.as_json())
    return status


def _own_folder() -> Path:
    STATE.mkdir(exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="story-", dir=STATE))


def _stay(asked: argparse.Namespace) -> int:
    """The page, until somebody ends it."""
    from demo.page import PageServer, PortTaken  # a web framework, which the story needs none of

    world = World(asked.state or STATE / "demo", asked.broker)
    try:
        page = PageServer(world, asked.port)
    except PortTaken as error:
        sys.stderr.write(f"{error}\n")
        return 2
    try:
        page.start()
        say(f"Consigne: {page.origin}/")
        world.start(notify_url=page.inbox_url, framer=page.origin, keep=asked.keep)
        if not asked.keep:
            await_people(world)
        page.open()
        say("Everything runs. Ctrl-C ends it.")
        threading.Event().wait()
    except DidNotStart as error:
        sys.stderr.write(f"{error}\n")
        return 2
    finally:
        _stop(world, page.stop)
    return 0


def _stop(world: World, *before: Callable[[], None]) -> None:
    """End everything; nobody's second Ctrl-C leaves a process behind."""
    for one in ENDS:
        signal.signal(one, signal.SIG_IGN)
    for step in before:
        step()
    world.stop()


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise Ended


if __name__ == "__main__":
    sys.exit(main())
