"""The story: load, collect, lose the network, lose the power, and count. Played headless through public surfaces only.

Owns the order of what people do. Refuses to look into any program but through what it shows; `ledger` does the counting.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from demo.ledger import Ledger, draw_up, read_journal
from demo.world import Site, World
from wire.badges import CommandCard, card_text

PATIENCE_S: Final = 20.0

HAND_S: Final = 0.5
"""How long a hand needs: a door closed sooner than its switch is steady was never seen open, and is pulsed again."""


class StoryBroke(Exception):
    """Something that should have happened did not, in time."""


def play(world: World) -> Ledger:
    """The whole story on a started world. Raises StoryBroke."""
    first, second = world.sites
    put_in: set[str] = set()
    say("Staff load five parcels at Gennevilliers and one at Colombes.")
    parcels = [
        announce(world, first, f"8N{10_000_000_001 + number}", "S" if number < 3 else "M") for number in range(5)
    ]
    other = announce(world, second, "RR473124829FR", "S")
    first.scan(first.badge)
    for number, parcel in enumerate(parcels):
        load(world, first, parcel, f"8N{10_000_000_001 + number}")
        put_in.add(parcel)
    second.scan(second.badge)
    load(world, second, other, "RR473124829FR")
    put_in.add(other)
    first.scan(card_text(CommandCard.DONE))

    say("A customer scans a slip, takes the parcel, closes the door.")
    collect(world, first, parcels[0], lambda: first.scan(slip(world, parcels[0])["qr"]))
    expect(lambda: state_of(world, parcels[0]) == "collected", "the hub to say collected")
    say("The next one types the twelve digits.")
    collect(world, first, parcels[1], lambda: first.type(slip(world, parcels[1])["digits"]))

    say("The network of Gennevilliers is cut. A third customer collects all the same.")
    key = slip(world, parcels[2])["qr"]
    first.relay.cut()
    collect(world, first, parcels[2], lambda: first.scan(key))
    expect(lambda: waiting(world, first) > 0, "facts to wait in the journal")
    say(f"{waiting(world, first)} facts wait in the journal. The network comes back.")
    first.relay.restore()
    expect(lambda: state_of(world, parcels[2]) == "collected", "the hub to catch up")

    say("A door is open when the power fails (kill -9).")
    door = open_by(first, lambda: first.scan(slip(world, parcels[3])["qr"]))
    first.controller.kill()
    first.start()
    say(f"Restarted: door {door} is found open, an alarm stands, the parcel is taken, the door closed.")
    first.act(f"contents/{door}", {"take": True})
    first.act(f"doors/{door}", "close")
    expect(lambda: state_of(world, parcels[3]) == "collected", "the interrupted collection to end")

    say("Everything comes to rest.")
    expect(lambda: all(waiting(world, site) == 0 for site in world.sites), "the hub to have every fact")
    return draw_up(world, put_in)


def say(text: str) -> None:
    """One line for the person who watches."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def expect(what: Callable[[], Any], name: str) -> Any:
    """Wait for something to be so. Raises StoryBroke."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    message = f"waited {PATIENCE_S:.0f} s for {name}"
    raise StoryBroke(message)


def announce(world: World, site: Site, tracking: str, size: str) -> str:
    """Somebody's parcel is on its way."""
    recipient = {"name": "Awa Diallo", "phone": "0612345678", "language": "fr"}
    made = world.hub("parcels", {"site": site.id, "tracking": tracking, "size": size, "recipient": recipient})
    parcel = str(made["id"])
    expect(lambda: is_known(site, parcel), f"the plan with {tracking} to reach {site.id}")
    return parcel


def load(world: World, site: Site, parcel: str, tracking: str) -> None:
    """Scan the label, put the parcel in, close the door; again if the plan had not arrived yet."""
    door = open_by(site, lambda: site.scan(tracking))
    site.act(f"contents/{door}", {"put": parcel})
    site.act(f"doors/{door}", "close")
    expect(lambda: state_of(world, parcel) == "stored", f"{tracking} to be stored")


def collect(world: World, site: Site, parcel: str, present: Callable[[], None]) -> None:
    """Present a key, take what is there, close the door."""
    del world
    door = open_by(site, present)
    held = site.sim()["contents"][door]
    if held != [parcel]:
        message = f"door {door} opened and held {held}, not {parcel}"
        raise StoryBroke(message)
    site.act(f"contents/{door}", {"take": True})
    site.act(f"doors/{door}", "close")


def open_by(site: Site, present: Callable[[], None]) -> str:
    """Which door opens after something is presented; tried again, as a person would, when nothing happens."""
    for _ in range(4):
        present()
        end = time.monotonic() + PATIENCE_S / 4
        while time.monotonic() < end:
            opened = [label for label, door in site.sim()["doors"].items() if door == "open"]
            if opened:
                time.sleep(HAND_S)
                return str(opened[0])
            time.sleep(0.05)
    message = f"no door of {site.id} opened"
    raise StoryBroke(message)


def slip(world: World, parcel: str) -> dict[str, str]:
    """What is printed on the slip."""
    printed = world.hub(f"parcels/{parcel}/slip")
    assert isinstance(printed, dict)
    return printed


def state_of(world: World, parcel: str) -> str:
    """What the hub says of a parcel."""
    return str(world.hub(f"parcels/{parcel}")["parcel"]["state"])


def is_known(site: Site, parcel: str) -> bool:
    """Whether the site's journal has heard of a parcel."""
    return any(parcel.encode() in bytes(record.body) for record in read_journal(site)[0])


def waiting(world: World, site: Site) -> int:
    """Facts in the site's journal that the hub has not committed."""
    db = sqlite3.connect(f"file:{site.journal()}?mode=ro", uri=True)
    try:
        (last,) = db.execute("SELECT coalesce(max(seq), 0) FROM facts").fetchone()
    finally:
        db.close()
    return int(last) - int(world.hub(f"sites/{site.id}/facts?after={last}&limit=1")["committed_seq"])
