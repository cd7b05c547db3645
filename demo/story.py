"""The story: load, collect, lose the network, lose the power, and count. Played headless through public surfaces only.

Owns the order of what people do, and the time they have for it. Refuses to look into any program but through what it shows;
`ledger` does the counting. Whatever is presented once and does nothing breaks the story.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable
from types import UnionType
from typing import Any, Final

from demo.ledger import RELEASE_NS, Ledger, draw_up, read_coils, read_facts
from demo.world import Site, World, ask
from firmware.sim.coils import Death
from wire import facts as f
from wire.badges import CommandCard, card_text

PATIENCE_S: Final = 20.0
LOOK_S: Final = 0.05

HAND_S: Final = 0.5
"""A hand is no faster: a door that is open for less (`quick_close_ms` of the world) may count as a look inside."""

BANK_RESTS_S: Final = 1.6
"""The bank rests between two pulses (`pulse_gap_ms`); staff who press sooner are told to wait."""

BUDGET_S: Final = 90.0
"""The whole story, the start of every program included, on a machine where Consigne is installed."""


class StoryBroke(Exception):
    """Something that should have happened did not, in time."""


def play(world: World, begun: float | None = None, *, budget_s: float = BUDGET_S) -> Ledger:
    """The whole story on a started world. `begun` is the monotonic second at which starting it began. Raises StoryBroke."""
    start = time.monotonic() if begun is None else begun

    def chapter(text: str) -> None:
        keep_within(start, budget_s)
        say(text)

    first, second = world.sites
    chapter("Staff load five parcels at Gennevilliers and one at Colombes.")
    labels = [f"8N{10_000_000_001 + number}" for number in range(5)]
    parcels = [announce(world, first, label, "S" if number < 3 else "M") for number, label in enumerate(labels)]
    other = announce(world, second, "RR473124829FR", "S")
    sign_in(first)
    for label, parcel in zip(labels, parcels, strict=True):
        load(world, first, parcel, label)
    sign_in(second)
    load(world, second, other, "RR473124829FR")
    sign_out(first)

    chapter("A customer scans a slip, takes the parcel, closes the door.")
    key = slip(world, parcels[0])["qr"]
    collect(world, first, parcels[0], lambda: first.scan(key))
    expect(lambda: state_of(world, parcels[0]) == "collected", "the hub to say collected")
    chapter("The next one types the twelve digits.")
    digits = slip(world, parcels[1])["digits"]
    collect(world, first, parcels[1], lambda: first.type(digits))
    expect(lambda: state_of(world, parcels[1]) == "collected", "the hub to say collected")

    chapter("Staff take a parcel out again.")
    sign_in(first)
    remove(world, first, parcels[4])
    sign_out(first)

    chapter("The network of Gennevilliers is cut. A third customer collects all the same.")
    key = slip(world, parcels[2])["qr"]
    first.relay.cut()
    collect(world, first, parcels[2], lambda: first.scan(key))
    expect(lambda: waiting(world, first) > 0, "facts to wait in the journal")
    chapter(f"{waiting(world, first)} facts wait in the journal. The network comes back.")
    first.relay.restore()
    expect(lambda: state_of(world, parcels[2]) == "collected", "the hub to catch up")

    death = _collect_in_the_dark(world, first, parcels[3], chapter)

    chapter("Everything comes to rest.")
    come_to_rest(world)
    ledger = draw_up(world, [death])
    keep_within(start, budget_s)
    return ledger


def _collect_in_the_dark(world: World, site: Site, parcel: str, chapter: Callable[[str], None]) -> Death:
    """The power fails at an open door. How the program died."""
    chapter("A door is open when the power fails (kill -9).")
    key = slip(world, parcel)["qr"]
    door = open_by(site, lambda: site.scan(key))
    death = kill(site)
    site.start()
    chapter(f"Restarted: door {door} is found open, an alarm stands, the parcel is taken, the door closed.")
    time.sleep(HAND_S)
    take_only(site, door, parcel)
    site.act(f"doors/{door}", "close")
    chapter("Nobody saw what was taken while the power was away: staff look behind the door and say that it is gone.")
    sign_in(site)
    find_empty(site, door)
    sign_out(site)
    expect(lambda: state_of(world, parcel) == "collected", "the interrupted collection to end")
    return death


def say(text: str) -> None:
    """One line for the person who watches."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def keep_within(begun: float, budget_s: float) -> None:
    """Break a story that takes too long. Raises StoryBroke."""
    spent = time.monotonic() - begun
    if spent > budget_s:
        message = (
            f"it has taken {spent:.0f} s, and may take {budget_s:.0f}: the machine is too busy, or something hangs"
        )
        raise StoryBroke(message)


def expect(what: Callable[[], Any], name: str, patience_s: float = PATIENCE_S) -> Any:
    """Wait for something to be so. Raises StoryBroke."""
    end = time.monotonic() + patience_s
    while True:
        found = what()
        if found:
            return found
        if time.monotonic() > end:
            message = f"waited {patience_s:.0f} s for {name}"
            raise StoryBroke(message)
        time.sleep(LOOK_S)


AWA: Final = {"name": "Awa Diallo", "phone": "0612345678", "language": "fr"}


def announce(world: World, site: Site, tracking: str, size: str, recipient: dict[str, str] = AWA) -> str:
    """Somebody's parcel is on its way."""
    made = world.hub("parcels", {"site": site.id, "tracking": tracking, "size": size, "recipient": recipient})
    parcel = str(made["id"])
    expect(lambda: is_known(site, parcel), f"the plan with {tracking} to reach {site.id}")
    return parcel


def sign_in(site: Site) -> None:
    """Show the badge; it is seen the first time."""
    before = last_seq(site)
    site.scan(site.badge)
    expect(lambda: facts_of(site, f.StaffSignedIn, before), f"{site.id} to sign its staff in by the badge shown once")


def sign_out(site: Site) -> None:
    """Show the card *done*."""
    before = last_seq(site)
    site.scan(card_text(CommandCard.DONE))
    expect(lambda: facts_of(site, f.StaffSignedOut, before), f"{site.id} to sign its staff out by the card shown once")


def load(world: World, site: Site, parcel: str, tracking: str) -> None:
    """Scan the label once, put the parcel in, close the door."""
    door = open_by(site, lambda: site.scan(tracking))
    site.act(f"contents/{door}", {"put": parcel})
    site.act(f"doors/{door}", "close")
    expect(lambda: state_of(world, parcel) == "stored", f"{tracking} to be stored")


def collect(world: World, site: Site, parcel: str, present: Callable[[], None]) -> None:
    """Present a key once, take what is there, close the door."""
    del world
    door = open_by(site, present)
    take_only(site, door, parcel)
    site.act(f"doors/{door}", "close")
    expect(lambda: any(fact.parcel == parcel for fact in facts_of(site, f.ParcelTaken)), f"{parcel} to count as taken")


def remove(world: World, site: Site, parcel: str) -> None:
    """Staff, signed in, take a parcel out of stock at their screen and say that the compartment is empty."""
    door = open_by(site, lambda: press(site, "remove", parcel=parcel))
    take_only(site, door, parcel)
    before = last_seq(site)
    site.act(f"doors/{door}", "close")
    expect(lambda: facts_of(site, f.DoorClosed, before), f"door {door} to be seen closed")
    press(site, "empty", compartment=door)
    expect(lambda: state_of(world, parcel) == "removed", "the hub to say removed")


def find_empty(site: Site, door: str) -> None:
    """Staff, signed in, look behind a door that is shut and say at their screen that nothing is there."""
    time.sleep(BANK_RESTS_S)
    open_by(site, lambda: press(site, "check", compartment=door))
    before = last_seq(site)
    site.act(f"doors/{door}", "close")
    expect(lambda: facts_of(site, f.DoorClosed, before), f"door {door} to be seen closed")
    press(site, "empty", compartment=door)


def press(site: Site, button: str, **what: str) -> None:
    """Press a button of the staff screen."""
    ask(f"{site.kiosk_url}/staff/input", {"input": "press", "button": button, **what})


def take_only(site: Site, door: str, parcel: str) -> None:
    """Take the parcel from behind an open door. Raises StoryBroke when something else is there."""
    held = site.sim()["contents"][door]
    if held != [parcel]:
        message = f"door {door} opened and held {held}, not {parcel}"
        raise StoryBroke(message)
    site.act(f"contents/{door}", {"take": True})


def open_by(site: Site, present: Callable[[], None]) -> str:
    """Which door opens after something is presented, once, and is seen open by its switch. Raises StoryBroke."""
    before = last_seq(site)
    present()
    # A door closed before its switch was steady was never seen open, so the hand waits for the journal.
    opened = expect(
        lambda: facts_of(site, f.DoorOpened, before), f"a door of {site.id} to open: what was shown was ignored"
    )
    doors = site.sim()["doors"]
    if len(opened) != 1 or doors[opened[0].compartment] != "open":
        message = f"the journal of {site.id} says {opened}, the doors are {doors}"
        raise StoryBroke(message)
    time.sleep(HAND_S)
    return str(opened[0].compartment)


def kill(site: Site) -> Death:
    """`kill -9` of the lock process, and a look at the coils before anything is started again. Raises StoryBroke."""
    assert site.controller.child is not None
    pid = site.controller.child.pid
    site.controller.kill()
    death = Death(pid, time.monotonic_ns())
    found = read_coils(site, [death], now_ns=death.mono_ns + RELEASE_NS)
    if found.left_on:
        message = f"a second after the death of {site.id}: {'; '.join(found.faults)}"
        raise StoryBroke(message)
    return death


def come_to_rest(world: World) -> None:
    """Wait until the hub has every fact. Raises StoryBroke."""
    expect(lambda: all(waiting(world, site) == 0 for site in world.sites), "the hub to have every fact")


def slip(world: World, parcel: str) -> dict[str, str]:
    """What is printed on the slip."""
    printed = world.hub(f"parcels/{parcel}/slip")
    assert isinstance(printed, dict)
    return printed


def state_of(world: World, parcel: str) -> str:
    """What the hub says of a parcel."""
    return str(world.hub(f"parcels/{parcel}")["parcel"]["state"])


def await_people(world: World) -> None:
    """Wait until each new site has heard who its staff are: a badge shown before is unknown. Raises DidNotStart."""
    for site in world.sites:
        site.controller.wait_until(lambda: any(plan.people for plan in facts_of(site, f.PlanApplied)))  # noqa: B023


def is_known(site: Site, parcel: str) -> bool:
    """Whether the site's journal says that a plan with this parcel is in force."""
    return any(parcel in {one.id for one in plan.upserted} for plan in facts_of(site, f.PlanApplied))


def facts_of(site: Site, kind: type[Any] | UnionType, after: int = 0) -> list[Any]:
    """The facts of one kind, or of several, that the site's journal holds behind `after`."""
    return [fact for fact in read_facts(site.journal(), after) if isinstance(fact, kind)]


def last_seq(site: Site) -> int:
    """The number of the newest fact in the site's journal file."""
    db = sqlite3.connect(f"file:{site.journal()}?mode=ro", uri=True)
    try:
        (last,) = db.execute("SELECT coalesce(max(seq), 0) FROM facts").fetchone()
    finally:
        db.close()
    return int(last)


def waiting(world: World, site: Site) -> int:
    """Facts in the site's journal that the hub has not committed."""
    last = last_seq(site)
    return last - int(world.hub(f"sites/{site.id}/facts?after={last}&limit=1")["committed_seq"])
