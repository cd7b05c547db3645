"""`kill -9` of controller, hub and broker in turn while a door stands open, then the books. Options: number of rounds (50)."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo.ledger import Ledger, draw_up
from demo.story import announce, expect, load, open_by, say, slip, state_of, waiting
from demo.world import World, answers
from wire.badges import CommandCard, card_text

ROUNDS: Final = 50
VICTIMS: Final = ("controller", "hub", "broker")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was killed how often, and the ledger after it."""

    killed: dict[str, int]
    ledger: Ledger


def run(folder: Path, rounds: int) -> Outcome:
    """Play so many rounds in a fresh world. Raises DidNotStart, StoryBroke."""
    world = World(folder)
    killed: Counter[str] = Counter()
    put_in: set[str] = set()
    try:
        world.start()
        for number in range(rounds):
            victim = VICTIMS[number % len(VICTIMS)]
            put_in.add(_round(world, f"8N{20_000_000_001 + number}", victim))
            killed[victim] += 1
        expect(lambda: all(waiting(world, site) == 0 for site in world.sites), "the hub to have every fact")
        return Outcome(dict(killed), draw_up(world, put_in))
    finally:
        world.stop()


def _round(world: World, tracking: str, victim: str) -> str:
    """One parcel in and out; the victim dies while the customer's door is open, and comes back."""
    site = world.sites[0]
    parcel = announce(world, site, tracking, "S")
    site.scan(site.badge)
    load(world, site, parcel, tracking)
    site.scan(card_text(CommandCard.DONE))
    key = slip(world, parcel)["qr"]
    door = open_by(site, lambda: site.scan(key))
    if victim == "controller":
        site.controller.kill()
        site.start()
    else:
        world.program(victim).kill()
    site.act(f"contents/{door}", {"take": True})
    site.act(f"doors/{door}", "close")
    if victim != "controller":
        world.program(victim).start()
    if victim == "hub":
        world.program("hub").wait_until(lambda: answers(f"{world.hub_url}/readyz"))
    expect(lambda: state_of(world, parcel) == "collected", f"the hub to say that {tracking} is collected")
    return parcel


def main(arguments: list[str]) -> int:
    """Run the campaign; 0 when the ledger balances."""
    rounds = int(arguments[0]) if arguments else ROUNDS
    with tempfile.TemporaryDirectory(prefix="consigne-kills-") as folder:
        outcome = run(Path(folder) / "state", rounds)
    say(f"killed: {outcome.killed}")
    say(outcome.ledger.as_json())
    return 0 if outcome.ledger.balances else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
