"""`python -m demo`: all of Consigne on this machine. `--auto` plays the story headless and ends with the ledger.

Owns arguments, exit status and the last line. Exit 0: the ledger balances; 1: it does not; 2: something did not start.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Final

from demo.story import StoryBroke, play, say
from demo.world import DidNotStart, World

STATE: Final = Path(__file__).resolve().parents[1] / ".state"


def main() -> int:
    """Run the demonstration."""
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--auto", action="store_true", help="play the story headless and print the ledger")
    parser.add_argument("--broker", choices=("dev", "mosquitto"), default="dev", help="which MQTT broker to start")
    parser.add_argument("--state", type=Path, default=None, help="folder of the demonstration; emptied at each start")
    asked = parser.parse_args()
    begun = time.monotonic()
    world = World(asked.state or STATE / ("story" if asked.auto else "demo"), asked.broker)
    try:
        world.start()
        return _story(world, begun) if asked.auto else _stay(world)
    except DidNotStart as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 0
    finally:
        world.stop()


def _story(world: World, begun: float) -> int:
    try:
        ledger = play(world, begun)
    except StoryBroke as error:
        sys.stderr.write(f"The story broke: {error}. The logs are in {world.folder}.\n")
        return 1
    say(ledger.as_json())
    return 0 if ledger.balances else 1


def _stay(world: World) -> int:
    say(f"The hub:            {world.hub_url}/")
    for site in world.sites:
        say(f"{site.name}: customer {site.kiosk_url}/  desk {site.kiosk_url}/staff  world {site.sim_url}")
        say(f"  badge {site.badge}")
    say("Ctrl-C ends everything.")
    while True:
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
