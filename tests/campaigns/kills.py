"""`kill -9` of controller, hub and broker in turn, at the worst moments and during traffic, then the books. Options: --help.

The moments: before a scan became a pulse, in mid pulse, with a customer's or the staff's door open, in mid batch at the hub.
The pin trace is read before anything is started again. With `--broker mosquitto` its persistence is on, and every
second time its data are removed with it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

from demo.ledger import Ledger, draw_up
from demo.story import (
    HAND_S,
    StoryBroke,
    announce,
    expect,
    facts_of,
    kill,
    last_seq,
    load,
    open_by,
    press,
    say,
    sign_out,
    slip,
    state_of,
    take_only,
    waiting,
)
from demo.world import DidNotStart, Process, Site, World, answers, ask, is_listening
from firmware.sim.coils import Death
from firmware.sim.trace import trace_file
from tests.campaigns._parts import Budget, State
from tests.campaigns._parts import Outcome as Counted
from wire import facts as f
from wire.badges import CommandCard, card_text

ROUNDS: Final = 50
SCHEDULE: Final = (
    ("controller", "in mid pulse"),
    ("hub", "in mid batch"),
    ("broker", "door open"),
    ("controller", "between scan and pulse"),
    ("hub", "door open"),
    ("broker", "in mid batch"),
    ("controller", "door open"),
    ("hub", "between scan and pulse"),
    ("broker", "between scan and pulse"),
    ("controller", "staff's door open"),
)
"""Who dies when; ten rounds see every pair once."""

REST_S: Final = 60.0
"""After the last kill everybody has found each other again, jitter of reconnecting included."""

ROUND_S_MAX: Final = 90.0
"""A round that takes longer hangs."""

PART_WORLD_S: Final = 120.0
"""A world of ten kills is not begun with less time left than this."""

SHOWN_MAX: Final = 4
"""A reader whose program is just starting may miss a code; a person shows it again."""

AGAIN_S: Final = 4.0
BATCH_PAIRS: Final = 8
"""Badge and card shown so often while the line is cut: two facts each, one batch when it is back."""

PAIR_S: Final = 0.45
"""Longer than the reader's own pause between two readings of one code."""

SCAN_TO_PULSE_S: Final = 0.02
BATCH_S: Final = 0.4
LOOK_S: Final = 0.002
_MOVES: Final = f.DoorOpened | f.DoorClosed | f.OpeningResolved


@dataclass
class Outcome:
    """What was killed how often and when, what that did, and the ledger after it."""

    killed: Counter[str] = field(default_factory=Counter)
    moments: Counter[str] = field(default_factory=Counter)
    shown_again: int = 0
    traffic: int = 0
    deaths: list[Death] = field(default_factory=list)
    ledger: Ledger | None = None

    def as_json(self) -> str:
        """The ledger and what it was drawn up after, as one line."""
        books: dict[str, Any] = {} if self.ledger is None else asdict(self.ledger)
        return json.dumps(
            {
                **books,
                "killed": dict(self.killed),
                "moments": dict(self.moments),
                "shown_again": self.shown_again,
                "traffic": self.traffic,
            }
        )


class Broker:
    """The broker of a world, which can be killed and brought back; Mosquitto with its persistence on."""

    def __init__(self, world: World) -> None:
        self._process: Process = world.program("broker")
        self._is_real = world.broker_kind == "mosquitto"
        self._conf = world.folder / "mosquitto.conf"
        self._data = world.folder / "mosquitto-data"
        self._starts = 0
        if self._is_real:
            self._make_persistent()

    def kill(self) -> None:
        self._process.kill()

    def start(self) -> None:
        if not self._is_real:
            self._process.start()
            return
        self._starts += 1
        if self._starts % 2 == 0:
            shutil.rmtree(self._data)
            self._data.mkdir()
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        assert program is not None
        self._process.launch([program, "-c", str(self._conf)])
        self._process.wait_until(lambda: is_listening(self._port()))

    def _make_persistent(self) -> None:
        self._process.stop()
        self._data.mkdir()
        user = "user root\n" if os.geteuid() == 0 else ""
        with self._conf.open("a") as conf:
            conf.write(
                f"persistence true\npersistence_location {self._data}/\nautosave_on_changes true\nautosave_interval 1\n{user}"
            )
        self.start()

    def _port(self) -> int:
        return int(self._conf.read_text().split()[1])


class Traffic:
    """Staff of the other site come and go all the time: facts that have nothing to do with the parcels."""

    def __init__(self, site: Site) -> None:
        self.count = 0
        self._site, self._stop = site, Event()
        self._thread = Thread(target=self._run, name="traffic", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.wait(PAIR_S):
            self._site.scan(self._site.badge)
            self._site.scan(card_text(CommandCard.DONE))
            self.count += 2


class Campaign:
    """One world, killed round by round."""

    def __init__(self, world: World, *, seed: int) -> None:
        self.world, self.site = world, world.sites[0]
        self.broker = Broker(world)
        self.outcome = Outcome()
        self._random = random.Random(seed)
        self._parcels: list[str] = []

    def play(self, rounds: int) -> Outcome:
        """Every round, then rest, then the books. Raises DidNotStart, StoryBroke."""
        traffic = Traffic(self.world.sites[1])
        try:
            for number in range(rounds):
                begun = time.monotonic()
                victim, moment = SCHEDULE[number % len(SCHEDULE)]
                what = self._round(f"8N{20_000_000_001 + number}", victim, moment)
                took = time.monotonic() - begun
                say(f"{number + 1}/{rounds}  {victim} killed {moment} ({what}), {took:.1f} s")
                if took > ROUND_S_MAX:
                    raise StoryBroke(f"round {number + 1} took {took:.0f} s")
        finally:
            traffic.stop()
        self.outcome.traffic = traffic.count
        expect(lambda: all(waiting(self.world, site) == 0 for site in self.world.sites), "the hub to have all", REST_S)
        for parcel in self._parcels:
            expect(partial(self._is_collected, parcel), f"{parcel} to be collected", REST_S)
        expect(lambda: all(waiting(self.world, site) == 0 for site in self.world.sites), "the hub to have all", REST_S)
        self.outcome.ledger = draw_up(self.world, self.outcome.deaths)
        return self.outcome

    def _round(self, tracking: str, victim: str, moment: str) -> str:
        """One parcel in and out; the victim dies at the moment and comes back. What the moment turned out to be."""
        parcel = announce(self.world, self.site, tracking, "S")
        self._parcels.append(parcel)
        self._sign_in()
        self._answer_for_unknown()
        if moment == "staff's door open":
            what = self._die_while_loading(tracking, parcel, victim)
        else:
            load(self.world, self.site, parcel, tracking)
            sign_out(self.site)
            what = self._die_while_collecting(parcel, victim, moment)
        self.outcome.killed[victim] += 1
        self.outcome.moments[f"{victim}: {what}"] += 1
        return what

    def _die_while_loading(self, tracking: str, parcel: str, victim: str) -> str:
        """Nobody saw how the deposit ended, so staff take the parcel out, answer for the door, and load it afresh."""
        door = open_by(self.site, lambda: self.site.scan(tracking))
        self.site.act(f"contents/{door}", {"put": parcel})
        self._kill(victim)
        self._revive(victim)
        self.site.act(f"contents/{door}", {"take": True})
        before = last_seq(self.site)
        self.site.act(f"doors/{door}", "close")
        expect(lambda: facts_of(self.site, f.DoorClosed, before), f"door {door} to be seen closed")
        self._sign_in()
        self._answer_for(door)
        load(self.world, self.site, parcel, tracking)
        sign_out(self.site)
        self._collect(parcel, slip(self.world, parcel)["qr"])
        return "staff's door open"

    def _die_while_collecting(self, parcel: str, victim: str, moment: str) -> str:
        key = slip(self.world, parcel)["qr"]
        what = moment
        if moment == "door open":
            open_by(self.site, lambda: self.site.scan(key))
            self._kill(victim)
        elif moment == "in mid pulse":
            what = self._kill_in_pulse(victim, key)
        elif moment == "in mid batch":
            self._heap_up()
            self.site.scan(key)
            self.site.relay.restore()
            time.sleep(self._random.uniform(0, BATCH_S))
            left = self._committed()
            self._kill(victim)
            what = f"in mid batch, {'nothing' if left == 0 else 'a part' if left else 'all'} committed"
        else:
            before = last_seq(self.site)
            self.site.scan(key)
            time.sleep(self._random.uniform(0, SCAN_TO_PULSE_S))
            self._kill(victim)
            ordered = len(facts_of(self.site, f.OpeningOrdered, before))
            what = f"after a scan, {'ordered' if ordered else 'not yet ordered'}"
        if victim == "controller":
            self._revive(victim)
            self._collect(parcel, key)
        else:
            self._collect(parcel, key)
            self._revive(victim)
        return what

    def _kill_in_pulse(self, victim: str, key: str) -> str:
        """Kill as soon as the trace shows the coil on."""
        size = trace_file(self.site.folder / "state").stat().st_size
        self.site.scan(key)
        ends = time.monotonic() + AGAIN_S
        while time.monotonic() < ends:
            with trace_file(self.site.folder / "state").open("rb") as trace:
                trace.seek(size)
                if b'"kind": "coil", "on": true' in trace.read():
                    time.sleep(self._random.uniform(0, 0.2))
                    self._kill(victim)
                    return f"in mid pulse, door {'open' if self._door_was_open() else 'still shut'}"
            time.sleep(LOOK_S)
        raise StoryBroke("the scan before a kill in mid pulse was ignored")

    def _door_was_open(self) -> bool:
        world = json.loads((self.site.folder / "state" / "world.json").read_text(encoding="utf-8"))
        return "open" in world["doors"].values()

    def _heap_up(self) -> None:
        """Facts that wait behind a cut line."""
        self.site.relay.cut()
        before = last_seq(self.site)
        for _ in range(BATCH_PAIRS):
            self.site.scan(self.site.badge)
            self.site.scan(card_text(CommandCard.DONE))
            time.sleep(PAIR_S)
        expect(lambda: last_seq(self.site) >= before + 2 * BATCH_PAIRS, "the facts of the comings and goings")

    def _committed(self) -> int:
        """How many facts the hub does not have, as far as it still says."""
        return waiting(self.world, self.site)

    def _collect(self, parcel: str, key: str) -> None:
        """The customer takes the parcel: its door is open or opens at the key, shown again when a kill swallowed it."""
        (place,) = [label for label, held in self.site.sim()["contents"].items() if parcel in held]
        if self.site.sim()["doors"][place] != "open":
            self._show(key, lambda: self.site.sim()["doors"][place] == "open", f"door {place} to open for its key")
        expect(lambda: self._seen_open(place), f"door {place} to be seen open")
        time.sleep(HAND_S)
        take_only(self.site, place, parcel)
        was_dark, before = isinstance(self._moves(place)[-1], f.OpeningResolved), last_seq(self.site)
        self.site.act(f"doors/{place}", "close")
        if was_dark:  # It stood open while the site was dead, so nobody saw what was taken (C-22).
            expect(lambda: facts_of(self.site, f.DoorClosed, before), f"door {place} to be seen closed")
            self._sign_in()
            self._answer_for(place)
            sign_out(self.site)
            return
        expect(
            lambda: any(fact.parcel == parcel for fact in facts_of(self.site, f.ParcelTaken)), f"{parcel} to be taken"
        )

    def _is_collected(self, parcel: str) -> bool:
        return state_of(self.world, parcel) == "collected"

    def _seen_open(self, place: str) -> bool:
        """Whether the newest the journal says of a door is that it is open: closed sooner, it was never seen open."""
        moves = self._moves(place)
        if not moves:
            return False
        return (
            moves[-1].door == "open"
            if isinstance(moves[-1], f.OpeningResolved)
            else isinstance(moves[-1], f.DoorOpened)
        )

    def _moves(self, place: str) -> list[Any]:
        return [fact for fact in facts_of(self.site, _MOVES) if fact.compartment == place]

    def _answer_for_unknown(self) -> None:
        """A compartment whose door stood open at a restart is not allotted (I-5) until staff have looked inside."""
        said = {fact.compartment: fact.occupancy for fact in facts_of(self.site, f.OccupancySet)}
        for label, occupancy in said.items():
            if occupancy == "unknown":
                self._answer_for(label)

    def _answer_for(self, door: str) -> None:
        """Staff look behind a door and say that nothing is there."""
        self._check(door)
        before = last_seq(self.site)
        self.site.act(f"doors/{door}", "close")
        expect(lambda: facts_of(self.site, f.DoorClosed, before), f"door {door} to be seen closed")
        before = last_seq(self.site)
        press(self.site, "empty", compartment=door)
        expect(lambda: last_seq(self.site) > before, f"compartment {door} to be known empty")

    def _check(self, door: str) -> None:
        """Staff have a compartment opened; the bank rests after a pulse and says no, so they press again."""
        before = last_seq(self.site)
        for pressed in range(SHOWN_MAX):
            self.outcome.shown_again += pressed > 0
            press(self.site, "check", compartment=door)
            try:
                expect(lambda: facts_of(self.site, f.DoorOpened, before), f"door {door} to open for staff", AGAIN_S)
            except StoryBroke:
                continue
            time.sleep(HAND_S)
            return
        raise StoryBroke(f"staff asked {SHOWN_MAX} times in vain to see behind door {door}")

    def _sign_in(self) -> None:
        before = last_seq(self.site)
        self._show(self.site.badge, lambda: facts_of(self.site, f.StaffSignedIn, before), "staff to be signed in")

    def _show(self, text: str, what: Any, name: str) -> Any:
        """Show a code, again when its reader may have been away; each time is counted."""
        for shown in range(SHOWN_MAX):
            self.outcome.shown_again += shown > 0
            self.site.scan(text)
            try:
                return expect(what, name, AGAIN_S)
            except StoryBroke:
                continue
        raise StoryBroke(f"{name}: shown {SHOWN_MAX} times in vain")

    def _kill(self, victim: str) -> None:
        if victim == "controller":
            self.outcome.deaths.append(kill(self.site))
        elif victim == "broker":
            self.broker.kill()
        else:
            self.world.program("hub").kill()

    def _revive(self, victim: str) -> None:
        if victim == "controller":
            self.site.start()
            # The staff's screen says that it is away until it has found the lock process again.
            expect(lambda: ask(f"{self.site.kiosk_url}/healthz")["lock_process"], "the kiosk to show the site again")
        elif victim == "broker":
            self.broker.start()
        else:
            hub = self.world.program("hub")
            hub.start()
            hub.wait_until(lambda: answers(f"{self.world.hub_url}/readyz"))


def run(folder: Path, rounds: int, *, broker: str = "dev", seed: int = 1) -> Outcome:
    """Play so many rounds in a fresh world. Raises DidNotStart, StoryBroke."""
    world = World(folder, broker)
    try:
        world.start()
        return Campaign(world, seed=seed).play(rounds)
    finally:
        world.stop()


def part(budget: Budget, state: State) -> Counted:
    """World after world, ten kills each, with either broker in turn, until there are enough or the time is over.

    The programs of a world mostly wait for each other, so as many worlds stand side by side as there are workers.
    """
    counted, moments = Counted(), Counter[str]()
    brokers = ("dev", "mosquitto") if has_mosquitto() else ("dev",)
    seed = state.get("next_seed", 0)
    with ThreadPoolExecutor(budget.workers) as pool:
        running: set[Future[Counted]] = set()
        while running or (budget.allows(counted.figures["kills"], budget.kills) and budget.left_s > PART_WORLD_S):
            begun = counted.figures["kills"] + len(running) * len(SCHEDULE)
            while len(running) < budget.workers and budget.allows(begun, budget.kills) and budget.left_s > PART_WORLD_S:
                seed += 1
                running.add(pool.submit(_one_world, seed, brokers[seed % len(brokers)], moments))
                begun += len(SCHEDULE)
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for world in (future.result() for future in done):
                counted.figures.update(world.figures)
                counted.failures += world.failures
    state["next_seed"] = seed
    counted.told += [f"{moment}: {count}" for moment, count in sorted(moments.items())]
    return counted


def _one_world(seed: int, broker: str, moments: Counter[str]) -> Counted:
    """Ten kills in a world of their own. What failed keeps its folder."""
    folder = Path(tempfile.mkdtemp(prefix="consigne-kills-"))
    try:
        outcome = run(folder / "state", len(SCHEDULE), broker=broker, seed=seed)
    except (StoryBroke, DidNotStart) as broken:
        failure = f"kills, seed {seed}, {broker}: {broken} (kept in {folder})"
        return Counted(Counter(invariant_failures=1), [failure])
    ledger = outcome.ledger
    assert ledger is not None
    moments.update(outcome.moments)
    figures = Counter(
        kills=outcome.killed.total(), broker_kills=outcome.killed["broker"], lost=ledger.lost, doubled=ledger.doubled
    )
    if not ledger.balances:
        failure = f"kills, seed {seed}, {broker}: the books do not balance: {ledger.as_json()} (kept in {folder})"
        return Counted(figures + Counter(invariant_failures=1), [failure])
    shutil.rmtree(folder, ignore_errors=True)
    return Counted(figures)


def has_mosquitto() -> bool:
    """Whether Mosquitto is on this machine."""
    return bool(shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin"))


def main(arguments: list[str]) -> int:
    """Run the campaign; 0 when the ledger balances. The last line is one JSON object; a failure keeps its folder."""
    parser = argparse.ArgumentParser(prog="./run campaign kills", description=__doc__)
    parser.add_argument("rounds", type=int, nargs="?", default=ROUNDS, help=f"how many programs are killed ({ROUNDS})")
    parser.add_argument("--broker", choices=("dev", "mosquitto"), default="dev", help="which MQTT broker to start")
    parser.add_argument("--seed", type=int, default=1, help="of the small delays before each kill")
    asked = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="consigne-kills-"))
    outcome = run(folder / "state", asked.rounds, broker=asked.broker, seed=asked.seed)
    assert outcome.ledger is not None
    say(outcome.as_json())
    if not outcome.ledger.balances:
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
