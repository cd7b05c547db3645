"""The hub: the production intake, planner, desk and sender on a simulated machine whose database can be put back.

Owns the machine: its power, its database file, its line to the broker, its clock. Refuses to know sites and people.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import text

from hub.core.hours import ALL_DAY
from hub.core.parcels import Refused, new_parcel
from hub.core.permissions import Role, Visitor
from hub.core.telling import Way
from hub.intake import GROUP_ITEMS_MAX, Incarnation, Intake, ack_of
from hub.keys import KeyRing
from hub.live import Live
from hub.metrics import Metrics
from hub.notify.drivers import Outgoing, Undelivered
from hub.notify.sender import Sender
from hub.parcels.services import Desk
from hub.receiver import Incoming, Item, Joined, Mailbox
from hub.settings import Notify
from hub.sites.planner import Planner, presence
from hub.store import desk as sql
from hub.store import journals, meta
from hub.store.engine import Store
from hub.store.migrate import migrate
from tests.simulation.post import Client
from tests.simulation.quick_store import QuickStore
from tests.simulation.site import WALL_MS
from wire import topics
from wire.badges import badge_digest
from wire.ids import ParcelId, SizeClass
from wire.messages import Presence, decode, encode
from wire.pickup import PickupKey
from wire.plan import Person, Settings

if TYPE_CHECKING:
    from tests.simulation.bank import TrueParcel
    from tests.simulation.world import World

ADMIN: Final = Visitor("admin", Role.NETWORK_ADMIN)
_LIVES: Final = text("SELECT s.id, l.presence, l.boot FROM site s JOIN site_live l ON l.site = s.number")
_FORKED: Final = text("SELECT site FROM alert WHERE kind = 'identity' AND cleared_ms IS NULL ORDER BY site")
MASTER: Final = bytes(range(32))
NAME: Final = "Aminata Diallo-Nguyen"
PHONE: Final = "0612345678"


MUTE_MS: Final = 60_000
OLD_MACHINE_MS: Final = 60_000
"""How long somebody needs to switch off the machine whose copy was put back elsewhere."""


class HubDied(Exception):
    """The machine stopped in the middle of something."""


class Post:
    """The driver of notifications: counts what recipients really got."""

    def __init__(self, random: Random) -> None:
        self.delivered: list[str] = []
        self._random = random
        self.fails = 0.0

    def send(self, message: Outgoing) -> None:
        """Hand it over, or not."""
        if self._random.random() < self.fails:
            raise Undelivered("no gateway")
        self.delivered.append(message.id)


class Hub:
    """One machine for all sites."""

    def __init__(self, world: World, folder: Path, random: Random, template: Path, *, quick: bool) -> None:
        self.world = world
        self.quick = quick
        self.random = random
        self.keys = KeyRing(MASTER)
        self.post = Post(random)
        self.alive = False
        self.backup: Path | None = None
        self.restored = 0
        self._is_mute = False
        self._folder = folder
        self._file = folder / "hub.db"
        self._generation = 0
        self._pending: list[Item] = []
        self._reading = False
        self._later = Random(world.seed ^ 0x01D)
        self._heard_with_the_next: Callable[[], None] | None = None
        self.announced: set[str] = set()
        """Parcels that were announced, with a recipient to tell, before they came."""
        self.line = Client("consigne-hub", topics.hub_subscriptions(), self._arrived, self._line_lost, persistent=True)
        shutil.copyfile(template, self._file)

    # ------------------------------------------------------------------------------------------------- the machine

    def start(self) -> None:
        """A new process on whatever database there is."""
        self.alive = True
        self._generation += 1
        self._pending.clear()
        self.store = self._open()
        with self.store.writing() as connection:
            self.incarnation = Incarnation(meta.next_incarnation(connection, self.now_ms()))
        self.live = Live()
        self.planner = Planner(store=self.store, link=self, incarnation=self.incarnation, clock=self.now_ms)
        self.sender = Sender(
            store=self.store, keys=self.keys, live=self.live, clock=self.now_ms, drivers={Way.PHONE: self.post},
            rules=Notify(hours=ALL_DAY),
        )  # fmt: skip
        self.desk = Desk(
            store=self.store, keys=self.keys, live=self.live, link=self, clock=self.now_ms,
            wake_planner=self._plan_soon, wake_sender=lambda: None,
        )  # fmt: skip
        self.intake = Intake(
            store=self.store, mailbox=Mailbox(), link=self, incarnation=self.incarnation, live=self.live,
            metrics=Metrics(), clock=self.now_ms, wake_planner=self._plan_soon, announce_all=self._say_all,
            wake_sender=lambda: None,
        )  # fmt: skip
        self.world.tell("the hub starts")
        self.world.schedule.after(self.random.randrange(3_000), self._connector())
        if self._heard_with_the_next is not None:
            self.world.schedule.after(self._later.randrange(OLD_MACHINE_MS), self._heard_with_the_next)
            self._heard_with_the_next = None
        self._look_later()

    def _open(self) -> Any:
        return QuickStore(self._file) if self.quick else Store(f"sqlite:///{self._file}")

    def die(self) -> None:
        """`kill -9`: what was not committed is gone."""
        if not self.alive:
            return
        self.world.tell("the hub dies")
        self.alive = False
        self._generation += 1
        kept = self._folder.with_name(f"hub.{self._generation}")
        kept.mkdir()
        for part in self._folder.iterdir():
            if not part.name.endswith("-shm"):
                shutil.copyfile(part, kept / part.name)
        self.store.close()
        shutil.rmtree(self._folder)
        self._folder, self._file = kept, kept / "hub.db"
        self.world.broker.vanish(self.line)
        self.world.schedule.after(self.random.choice((5_000, 600_000)), self._come_back)

    def save_backup(self) -> None:
        """What a careful administrator does each night."""
        if not self.alive:
            return
        self.world.tell("the hub's database is backed up")
        self.backup = self._folder.parent / "backup.db"
        source, target = sqlite3.connect(self._file), sqlite3.connect(self.backup)
        source.backup(target)
        source.close()
        target.close()

    def restore_backup(self) -> None:
        """The disk broke: the newest copy is put back."""
        if self.backup is None:
            return
        self.die()
        self._leave_another_on()
        self.world.tell("the hub's database is put back from the backup")
        self.restored += 1
        self._is_mute = self._later.random() < self.world.weather.hub_muted
        for part in self._folder.iterdir():
            part.unlink()
        shutil.copyfile(self.backup, self._file)

    def _leave_another_on(self) -> None:
        """The copy is put on another machine, and the first one was forgotten: for a minute it still says what it knows."""
        if not self.world.weather.late:
            return
        old = QuickStore(self._file)
        with old.reading() as connection:
            known = journals.all_cursors(connection)
        old.close()
        acks = [(cursor.site_id, encode(ack_of(cursor, self.incarnation.value))) for cursor in known]

        def speak() -> None:
            self.world.tell("the machine of the old hub is still on")
            for site, ack in acks:
                self.world.broker.say(topics.topic(topics.ACK, site), ack)

        self._heard_with_the_next = speak

    def stop(self) -> None:
        """The end of the world: close the files."""
        if self.alive:
            self.store.close()
            self.alive = False

    def _come_back(self) -> None:
        if not self.alive:
            self.start()

    def now_ms(self) -> int:
        """The hub's clock is kept by a time server."""
        return WALL_MS + self.world.schedule.now_ms

    # --------------------------------------------------------------------------------------------- what admins ask

    def add_site(self, name: str, badge: str, settings: Settings) -> int:
        """Enrol a site with one member of staff; its number."""
        with self.store.writing() as connection:
            number = sql.add_site(
                connection, site=name, name=name, address="1 rue des Lilas", help_phone="01", now_ms=self.now_ms()
            )
            amina = Person(id="amina", role="concierge", badge=badge_digest(badge))
            sql.add_badge(connection, number=number, person=amina)
            sql.set_settings(connection, number=number, settings=settings)
        return number

    def announce(self, site: str, number: int, parcel: TrueParcel) -> None:
        """A carrier says what will come; its recipient gets a slip."""
        if not self.alive:
            return
        try:
            wish = new_parcel(
                site=site, tracking=parcel.tracking, size=SizeClass(parcel.size), name=NAME, phone=PHONE, language="fr"
            )
            parcel.id = self.desk.announce(wish, ADMIN).parcel
        except Refused:
            return
        if parcel.where == "van":
            self.announced.add(parcel.id)
        parcel.ids.add(parcel.id)
        self.print_slip(site, number, parcel)

    def reissue(self, site: str, number: int, parcel: TrueParcel) -> None:
        """The slip was lost: a new one replaces it."""
        if not self.alive or not parcel.id:
            return
        try:
            self.desk.reissue(parcel.id, ADMIN)
        except Refused:
            return
        self.print_slip(site, number, parcel)

    def recall(self, parcel: TrueParcel) -> None:
        """The carrier wants it back."""
        if self.alive and parcel.id:
            with suppress(Refused):
                self.desk.recall(parcel.id, ADMIN)
                self.world.tell(f"{parcel.tracking} is wanted back")

    def forked_sites(self) -> list[str]:
        """The sites that tell another past than the one known here."""
        if not self.alive:
            return []
        with self.store.reading() as connection:
            return [row.site for row in connection.execute(_FORKED)]

    def cursor(self, number: int) -> int:
        """How many facts of a site are committed here; 0 while nobody can be asked."""
        return self.past(number)[0]

    def past(self, number: int) -> tuple[int, str]:
        """How many facts of a site are committed here, and the chain's hash after the last of them."""
        if not self.alive:
            return 0, ""
        with self.store.reading() as connection:
            known = next(cursor for cursor in journals.all_cursors(connection) if cursor.site == number)
        return known.seq, known.hash

    def adopt(self, number: int) -> None:
        """An admin takes another past of a site for its own."""
        with self.store.writing() as connection:
            sql.adopt_next_journal(connection, number)

    def print_slip(self, site: str, number: int, parcel: TrueParcel) -> None:
        """What the hub prints now."""
        with self.store.writing() as connection:
            row = sql.parcel(connection, parcel.id)
        key = PickupKey(number, ParcelId(parcel.id), row.version, row.epoch)
        parcel.version = row.version
        parcel.slips.append(self.keys.qr(site, key))
        parcel.slip_of = parcel.id
        parcel.digits.append(self.keys.digits(site, key))
        self.world.broker.keep_secret(parcel.slips[-1], parcel.digits[-1])

    # ----------------------------------------------------------------------------------------------- the link's port

    @property
    def is_connected(self) -> bool:
        """Whether the broker let us in."""
        return self.line.up

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> bool:
        """Hand a message to the broker."""
        if not self.line.up:
            return False
        self.world.broker.publish(self.line, topic, payload, qos=qos, retain=retain)
        return True

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """The moment between commit and receipt, at which a machine may die."""
        if messages and self.world.is_wild() and self.random.random() < self.world.weather.hub_dies_after_commit:
            raise HubDied

    def rejoin(self) -> None:
        """Drop the connection and make it anew, with a new will."""
        self.world.broker.vanish(self.line)
        self.world.schedule.after(1_000, self._connector())

    def _connector(self) -> Callable[[], None]:
        generation = self._generation

        def connect() -> None:
            if not self.alive or self._generation != generation or self.line.up:
                return
            if self.world.broker.connect(self.line, presence(self.incarnation.value, online=False, at_ms=0)):
                if self._is_mute:
                    self._is_mute = False
                    self.world.tell("nobody hears what the hub says first")
                    self.line.mute_until_ms = self.world.schedule.now_ms + MUTE_MS
                self._deliver(Joined(self.line.number))
            else:
                self.world.schedule.after(self.random.randrange(1_000, 10_000), connect)

        return connect

    def _line_lost(self) -> None:
        if self.alive:
            self.world.schedule.after(self.random.randrange(500, 3_000), self._connector())

    # ---------------------------------------------------------------------------------------------------- the intake

    def _arrived(self, topic: str, payload: bytes, retained: bool) -> None:  # noqa: FBT001 a plain callback
        self._deliver(Incoming(topic, payload, retained, 1, self.line.number))

    def _deliver(self, item: Item) -> None:
        self._pending.append(item)
        if self._reading:
            return
        self._reading = True
        self.world.schedule.after(self.random.randrange(1, self.world.weather.hub_reads_ms), self._read)

    def _read(self) -> None:
        self._reading = False
        if not self.alive:
            self._pending.clear()
            return
        items, self._pending = self._pending[:GROUP_ITEMS_MAX], self._pending[GROUP_ITEMS_MAX:]
        wills = _wills(items)
        before = self.lives(wills)
        try:
            self.intake.handle(items)
        except HubDied:
            self.die()
            return
        if before:
            self.world.checks.wills_read(before, wills, self.lives(wills))
        if self._pending and not self._reading:
            self._reading = True
            self.world.schedule.after(1, self._read)

    def lives(self, wanted: Collection[str]) -> dict[str, tuple[str, int]]:
        """What the hub believes of some sites: whether they are there, and how often they started."""
        if not wanted:
            return {}
        with self.store.reading() as connection:
            rows = connection.execute(_LIVES).all()
        return {row.id: (row.presence, row.boot) for row in rows if row.id in wanted}

    def _plan_soon(self) -> None:
        generation = self._generation

        def plan() -> None:
            if self.alive and self._generation == generation and self.line.up:
                self.planner.look()

        self.world.schedule.after(self.random.randrange(1_000), plan)

    def _say_all(self) -> None:
        self.planner.joined()
        self._plan_soon()

    def _look_later(self) -> None:
        generation = self._generation

        def look() -> None:
            if self.alive and self._generation == generation:
                self.sender.send_due()
                if self.line.up:
                    self.planner.look()
                self.world.schedule.after(self.world.weather.look_ms, look)

        self.world.schedule.after(self.world.weather.look_ms, look)


def _wills(items: Sequence[Item]) -> dict[str, int]:
    """The newest start of each site of which somebody says that it is lost."""
    boots: dict[str, int] = {}
    for item in items:
        if isinstance(item, Incoming) and item.topic.endswith(topics.PRESENCE.suffix) and b'"lost"' in item.payload:
            will = decode(Presence, item.payload)
            boots[will.site] = max(will.boot, boots.get(will.site, 0))
    return boots


def make_template(file: Path) -> Path:
    """A database with every migration in it, made once and copied for each world."""
    store = Store(f"sqlite:///{file}")
    migrate(store)
    store.close()
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file
