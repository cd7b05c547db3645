"""One world from one seed: sites, hub, broker, people and weather; lived through, healed, and judged.

Owns the making of a world and its days. Refuses to judge (`checks`). The same seed on the same commit lives the same life,
line for line; `python -m tests.simulation SEED` tells it.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Final
from unittest import mock

from controller.core.model import Parcel
from tests.simulation.bank import TrueParcel
from tests.simulation.checks import Checks, require
from tests.simulation.hub import NAME, PHONE, Hub, make_template
from tests.simulation.people import People
from tests.simulation.post import Broker
from tests.simulation.schedule import Schedule, Waits
from tests.simulation.site import Site
from tests.simulation.twin import Twin
from tests.simulation.weather import DAY_MS, HOUR_MS, Weather, calm, draw, storm
from wire.badges import badge_text
from wire.pickup import PickupKey, qr_text, typed_digits
from wire.plan import Settings

TEMPORARY: Final = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
SITES: Final = ("asnieres", "bois-colombes")
SOON_DAYS: Final = 0.05
"""After a storm there is less time for everybody to come."""
LINES_KEPT: Final = 4_000


class World:
    """Everything there is."""

    def __init__(self, seed: int, folder: Path, weather: Weather | None = None, *, quick: bool = True) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.weather = self.drawn = weather or draw(self.random, Random(seed ^ 0x1A7E))
        self._wild = False
        self._carriers = Random(f"{seed} carriers")
        self.hub_deaths = 0
        self.announced_anew: Counter[str] = Counter()
        self.lines: list[str] = []
        self.schedule = Schedule()
        self.broker = Broker(self.schedule, self._random(), Random(seed ^ 0x2E7A), self.weather)
        self.broker.keep_secret(NAME, PHONE)
        self.checks = Checks(self)
        self._parcels = 0
        (folder / "hub").mkdir()
        self.hub = Hub(self, folder / "hub", self._random(), template(), quick=quick)
        self.hub.start()
        self.sites: dict[str, Site] = {}
        self.people: dict[str, People] = {}
        for name in SITES[: self.drawn.sites]:
            badge = badge_text(self.random.getrandbits(128))
            number = self.hub.add_site(name, badge, Settings(nag_ms=self.weather.nag_ms))
            (folder / name).mkdir()
            site = Site(self, name, number, self.hub.keys.site_key(name, 0), folder / name, self._random())
            self.sites[name] = site
            self.people[name] = People(self, site, badge, self._random())
            self.broker.keep_secret(badge)

    def _random(self) -> Random:
        """Chance for one actor: another actor's doings do not change this one's."""
        return Random(self.random.getrandbits(64))

    def is_wild(self) -> bool:
        """Whether anything may fail now. A method, because days pass between two questions."""
        return self._wild

    def tell(self, line: str) -> None:
        """One sentence of the story."""
        self.lines.append(f"{clock(self.schedule.now_ms)} {line}")
        if len(self.lines) > LINES_KEPT:
            del self.lines[: LINES_KEPT // 2]

    # ------------------------------------------------------------------------------------------------------- its days

    def live(self, days: float | None = None) -> None:
        """Wild days, as many as the weather has unless told otherwise, then good weather, then the judgement."""
        self._wild = True
        for site in self.sites.values():
            site.start()
            people = self.people[site.name]
            self.schedule.live(people.staff_day())
            self.schedule.live(people.guesser())
            self.schedule.live(self._parcels_come(site))
        fates = (
            self._partitions,
            self._power_cuts,
            self._jams,
            self._cuts,
            self._forces,
            self._clock_jumps,
            self._copies,
        )
        for fate in fates:
            for site in self.sites.values():
                self.schedule.live(fate(site))
        for common in (self._broker_deaths, self._hub_deaths, self._hub_cuts, self._backups, self._admin):
            self.schedule.live(common())
        self.schedule.run_until(int((self.weather.days if days is None else days) * DAY_MS))
        self._heal()
        self.schedule.run_until(self.schedule.now_ms + int(self.drawn.rest_days * DAY_MS))
        self.checks.everybody_served()
        self._silence()
        self.checks.at_rest()

    def _heal(self) -> None:
        self.tell("--- from here on nothing fails ---")
        self._wild = False
        self.weather = calm() if self.drawn.sites > 1 else replace(calm(), visit_days=SOON_DAYS)
        self.broker.weather = self.weather
        self.broker.come_back()
        self.broker.mend(self.hub.line)
        for site in self.sites.values():
            self.broker.mend(site.client)
            site.bank.jammed.clear()
            for label in sorted(site.bank.cut):
                site.mend_switch(label)
            if site.runner is None:
                site.start()
            self.schedule.live(self.people[site.name].staff_day())
            for parcel in site.bank.parcels.values():
                self.schedule.live(self.people[site.name].recipient(parcel))
        if not self.hub.alive:
            self.hub.start()
        self.schedule.live(self._admin())

    def _admin(self) -> Waits:
        """Looks at the alerts, and at the site, and takes what it tells for its past (`site adopt`)."""
        wild, chance = self._wild, Random(f"{self.seed} admin")
        while self.weather.admin_days and wild is self._wild:
            yield int(chance.expovariate(1 / (self.weather.admin_days * DAY_MS))) if wild else HOUR_MS
            for name in self.hub.forked_sites():
                require(name in self.checks.another_past, f"I-28: {name} counts as another one without a reason")
                self.tell(f"the past that {name} tells is adopted")
                self.hub.adopt(self.sites[name].number)

    def _silence(self) -> None:
        """Nobody comes any more; what was said arrives."""
        self.schedule.deserted = True
        for site in self.sites.values():
            site.advance()
        for _ in range(20):
            for site in self.sites.values():
                site.pump()
            self.schedule.run_until(self.schedule.now_ms + 60_000)

    def end(self) -> None:
        """Close every file."""
        for site in self.sites.values():
            site.stop()
        self.hub.stop()

    # -------------------------------------------------------------------------------------------------------- parcels

    def _parcels_come(self, site: Site) -> Waits:
        while self.is_wild():
            yield int(self.random.expovariate(self.weather.parcels_a_day / DAY_MS))
            if not self.is_wild():
                return
            self._parcels += 1
            tracking = f"8N{10_000_000_000 + self._parcels}"
            parcel = TrueParcel(tracking, self.random.choice("SSSML"))
            if sum(p.where not in {"taken", "removed"} for p in site.bank.parcels.values()) > 8:
                continue
            site.bank.parcels[tracking] = parcel
            when = self.random.random()
            if when < 0.7:
                self.hub.announce(site.name, site.number, parcel)
            elif when < 0.85:  # the desk may have created it by then, under the same number
                self.schedule.after(self.random.randrange(DAY_MS), lambda p=parcel: self._announce_late(site, p))  # type: ignore[misc]
            self.schedule.live(self.people[site.name].recipient(parcel))
            if self.random.random() < self.drawn.reissue:
                within = 2 * DAY_MS if self.drawn.sites > 1 else int(self.drawn.days * DAY_MS / 2)
                self.schedule.after(self.random.randrange(within), lambda p=parcel: self._reissue(site, p))  # type: ignore[misc]

            if self.drawn.recalls and self._carriers.random() < self.drawn.recalls:
                self.schedule.after(self._carriers.randrange(DAY_MS // 2), lambda p=parcel: self._recall(p))  # type: ignore[misc]

    def _recall(self, parcel: TrueParcel) -> None:
        if parcel.where not in {"taken", "removed"}:
            self.hub.recall(parcel)

    def _announce_late(self, site: Site, parcel: TrueParcel) -> None:
        if parcel.where not in {"taken", "removed"}:
            self.hub.announce(site.name, site.number, parcel)

    def _reissue(self, site: Site, parcel: TrueParcel) -> None:
        if parcel.where not in {"taken", "removed"}:
            self.hub.reissue(site.name, site.number, parcel)
            if (
                self.drawn.recalls and self._carriers.random() < 0.5
            ):  # Who lost a slip is late, and what is late is called back.
                self.schedule.after(self._carriers.randrange(HOUR_MS), lambda: self._recall(parcel))

    def print_at_desk(self, site: Site, parcel: TrueParcel, known: Parcel) -> None:
        """The kiosk's printer: a parcel the desk created gets its slip on the spot."""
        parcel.ids.add(known.id)
        key = PickupKey(site.number, known.id, known.version, known.epoch)
        parcel.version = known.version
        parcel.slips.append(qr_text(site.key, key))
        parcel.slip_of = known.id
        parcel.digits.append(typed_digits(site.key, key))

    # ------------------------------------------------------------------------------------------------------------ fate

    def _now_and_then(self, days: float) -> Waits:
        """Waits until the next blow of fate; never again once the weather is good."""
        if days <= 0:
            return
        yield int(self.random.expovariate(1 / (days * DAY_MS)))

    def _partitions(self, site: Site) -> Waits:
        while self.is_wild() and self.weather.partition_days:
            yield from self._now_and_then(self.weather.partition_days)
            if not self.is_wild():
                return
            length = self.random.randrange(1_000, self.weather.partition_ms + 1)
            self.tell(f"the line of {site.name} is cut for {length // 1000} s")
            self.broker.cut(site.client)
            yield length
            self.broker.mend(site.client)

    def _power_cuts(self, site: Site) -> Waits:
        while self.is_wild() and self.weather.power_cut_days:
            yield from self._now_and_then(self.weather.power_cut_days)
            if self.is_wild():
                site.lose_power()

    def _jams(self, site: Site) -> Waits:
        while self.is_wild() and self.weather.jam_days:
            yield from self._now_and_then(self.weather.jam_days)
            if not self.is_wild():
                return
            label = self.random.choice(tuple(site.bank.open))
            self.tell(f"door {label} of {site.name} jams")
            site.bank.jammed.add(label)
            yield self.random.randrange(8 * HOUR_MS)
            site.bank.jammed.discard(label)

    def _cuts(self, site: Site) -> Waits:
        while self.is_wild() and self.weather.cut_days:
            yield from self._now_and_then(self.weather.cut_days)
            if not self.is_wild():
                return
            label = self.random.choice(tuple(site.bank.open))
            self.tell(f"the switch of door {label} of {site.name} is cut")
            site.cut_switch(label)
            yield self.random.randrange(8 * HOUR_MS)
            site.mend_switch(label)

    def _forces(self, site: Site) -> Waits:
        while self.is_wild() and self.weather.force_days:
            yield from self._now_and_then(self.weather.force_days)
            if not self.is_wild():
                return
            label = self.random.choice(tuple(site.bank.open))
            self.tell(f"door {label} of {site.name} is forced")
            site.open_door(label)
            yield self.random.randrange(HOUR_MS)
            site.close_door(label)

    def _clock_jumps(self, site: Site) -> Waits:
        while self.is_wild() and self.weather.clock_jump_days:
            yield from self._now_and_then(self.weather.clock_jump_days)
            if self.is_wild():
                site.jump_clock(self.random.choice((-DAY_MS, DAY_MS, 3 * 365 * DAY_MS, -3 * 365 * DAY_MS)))

    def _copies(self, site: Site) -> Waits:
        """A card is copied, and the copy comes back into use: in its own machine, or in a spare one (ADR 0009)."""
        days = self.weather.swap_days or self.weather.twin_days
        if not days:
            return
        yield int(site.later.expovariate(1 / (days * DAY_MS)))
        if not self.is_wild() or not site.has_power():
            return
        card = site.copy_card()
        yield int(site.later.expovariate(1 / (days * DAY_MS)))
        if not self.is_wild():
            return
        if self.weather.swap_days:
            site.swap_card(card)
            if site.later.random() < self.weather.swapped_unheard:
                yield from self._unheard(site)
        else:
            yield from self._twin(site, card)

    def _unheard(self, site: Site) -> Waits:
        """While the card was changed the line went down as well; in these hours the site may write more than it lacks."""
        length = site.later.randrange(HOUR_MS, 12 * HOUR_MS)
        self.tell(f"the line of {site.name} is cut for {length // 1000} s")
        self.broker.cut(site.client)
        yield length
        self.broker.mend(site.client)

    def _twin(self, site: Site, card: Path) -> Waits:
        self.tell(f"a spare machine runs with a copy of the card of {site.name}")
        self.checks.is_not_alone(site)
        twin = Twin(self, site, card)
        twin.start()
        yield site.later.randrange(60_000, 2 * HOUR_MS)
        self.tell(f"the spare machine of {site.name} is switched off")
        twin.switch_off()

    def _broker_deaths(self) -> Waits:
        while self.is_wild() and self.weather.broker_death_days:
            yield from self._now_and_then(self.weather.broker_death_days)
            if not self.is_wild():
                return
            self.tell("the broker dies")
            self.broker.die()
            yield self.random.randrange(1_000, HOUR_MS)
            self.tell("the broker is back")
            self.broker.come_back()

    def _hub_deaths(self) -> Waits:
        while self.is_wild() and self.weather.hub_death_days:
            yield from self._now_and_then(self.weather.hub_death_days)
            if self.is_wild():
                self.hub_deaths += 1
                self.hub.die()

    def _hub_cuts(self) -> Waits:
        while self.is_wild() and self.weather.hub_cut_days:
            yield from self._now_and_then(self.weather.hub_cut_days)
            if not self.is_wild():
                return
            length = self.random.choice((100, 20_000, HOUR_MS // 2))
            self.tell(f"the hub's line is cut for {length / 1000} s")
            self.broker.cut(self.hub.line)
            yield length
            self.broker.mend(self.hub.line)

    def _backups(self) -> Waits:
        while self.is_wild() and self.weather.restore_days:
            yield from self._now_and_then(self.weather.restore_days)
            if not self.is_wild():
                return
            self.hub.save_backup()
            yield from self._now_and_then(self.weather.restore_days)
            if self.is_wild() and self.random.random() < 0.5:
                self.hub.restore_backup()


def clock(now_ms: int) -> str:
    """A day and a time of day in the story."""
    days, rest = divmod(now_ms, DAY_MS)
    hours, rest = divmod(rest, HOUR_MS)
    minutes, rest = divmod(rest, 60_000)
    return f"day {days} {hours:02}:{minutes:02}:{rest / 1000:06.3f}"


@lru_cache(maxsize=1)
def template() -> Path:
    """The hub's empty database, migrated once for all worlds of a process."""
    return make_template(Path(tempfile.mkdtemp(prefix="consigne-template-")) / "hub.db")


def the_storm(seed: int) -> contextlib.AbstractContextManager[World]:
    """One site in a short and very hostile world from a seed."""
    return the_world(seed, storm(seed), again=f"{seed} storm")


@contextlib.contextmanager
def the_world(seed: int, weather: Weather | None = None, *, quick: bool = True, again: str = "") -> Iterator[World]:
    """A world from a seed, its chance included, cleaned up afterwards. A failure is told with its story.

    Unless it is `quick` the hub goes to its database by SQLAlchemy.
    """
    dice = Random(seed ^ 0x5EED)
    folder = Path(tempfile.mkdtemp(prefix="consigne-world-", dir=TEMPORARY))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.enter_context(
            mock.patch("secrets.token_hex", lambda size=32: f"{dice.getrandbits(size * 8):0{size * 2}x}")
        )
        stack.enter_context(mock.patch("secrets.randbits", dice.getrandbits))
        stack.enter_context(mock.patch("hub.intake.uuid4", side_effect=lambda: _Id(dice.getrandbits(128))))
        world = World(seed, folder, weather, quick=quick)
        stack.callback(world.end)
        stack.enter_context(mock.patch("controller.exchange.HEALTH_S", world.weather.look_ms / 1000))
        try:
            yield world
        except AssertionError as broken:
            story = "\n".join(world.lines[-60:])
            raise AssertionError(
                f"seed {seed}: {broken}\n{story}\n(python -m tests.simulation {again or seed})"
            ) from broken


class _Id:
    """Stands for a UUID that the dice threw."""

    def __init__(self, bits: int) -> None:
        self.hex = f"{bits:032x}"


def trace(world: World) -> str:
    """A digest of the whole life: two lives with one digest were the same."""
    digest = hashlib.sha256("\n".join(world.lines).encode())
    for site in world.sites.values():
        digest.update(site.journal.last_hash.encode())
    return digest.hexdigest()
