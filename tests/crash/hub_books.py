"""The database of the hub under power cuts: the real store, intake, planner, sender, desk and housekeeping on SQLite.

Kinds of calls: the first tables and every later migration, groups of ingest (facts of two sites, births, snapshots, what is sent
again, what is refused), announcing and reissuing, a plan's revision, the outbox of messages, erasure. After every transaction the
whole content of the database is noted; what is found after a power cut must be one of those contents, and none older than what
had been promised.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, Final, NamedTuple
from unittest import mock

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert
from sqlalchemy.exc import DatabaseError

from hub.core.parcels import Refused
from hub.receiver import Incoming
from hub.store import migrate as migrations
from hub.store.engine import Store
from hub.store.schema import SITE, SITE_CURSOR, SITE_LIVE
from tests.crash.books import Corrupt, Lost
from tests.crash.disk import Image
from tests.crash.vfs import Recorder, Step, recording
from tests.hub import hub_bench
from tests.hub.hub_bench import DAY_MS, ME, Bench, FakeLink
from tests.hub.hub_site import Journal, life
from wire import chain, topics
from wire.chain import FactRecord
from wire.facts import AttemptFailed
from wire.ids import ParcelId, Trust, parcel_id_from_bits
from wire.messages import BadMessage, Birth, FactBatch, Presence, PresenceStatus, decode

FILE: Final = "hub.sqlite"
CALLS: Final = 25
"""Calls of a recorded day."""
GOES_ON: Final = 16
"""Every so many steps of a migration the hub is started on what was found."""
START_MS: Final = 1_790_000_000_000
SITES: Final = ("gambetta", "belleville")


class View(NamedTuple):
    """What the hub has promised when a call has returned, or an acknowledgement left."""

    content: int
    """Number of the newest transaction that had ended."""
    acked: dict[str, int]
    """The newest fact of every site that the broker or the site was told is safe."""
    plans: dict[str, int]
    """The newest revision of every site's plan that was published."""
    contents: list[str]
    """A digest of the whole database after every transaction; shared by all views of a recording."""


class HubBooks:
    """Recording and checking the hub's database."""

    name = "hub"

    @contextmanager
    def small(self, _seed: int) -> Iterator[None]:
        """Nothing is turned down; the hub's chance is thrown from the recording's dice."""
        numbers = count(1)
        with mock.patch("hub.intake.uuid4", side_effect=lambda: SimpleNamespace(hex=f"{next(numbers):032x}")):
            yield

    def record(self, folder: Path, seed: int) -> list[Step]:
        """A day of a hub."""
        with recording(folder, seed) as recorder:
            day = _Day(f"sqlite:///{folder / FILE}", recorder, Random(seed))
            try:
                day.live()
            finally:
                day.end()
            return recorder.steps

    def check(self, folder: Path, image: Image) -> None:
        """Open the database as a starting hub does, and compare with what had been promised."""
        promised: View | None = image.promised
        coming: View | None = image.next_view
        store = Store(f"sqlite:///{folder / FILE}")
        try:
            with store.reading() as connection:
                _is_whole(connection)
                if promised is not None:
                    _compare(content_of(connection), promised, coming or promised)
                    _keeps_its_word(connection, promised)
                    _agrees(connection)
            if image.kind in {"first tables", "migration"} and image.at % GOES_ON == 0:
                migrations.migrate(store)  # what a starting hub does first
                with store.reading() as connection:
                    _is_whole(connection)
        except DatabaseError as error:
            raise (Corrupt if promised is None else Lost)(f"the database does not open: {error}") from error
        finally:
            store.close()


def _compare(found: str, promised: View, coming: View) -> None:
    contents = promised.contents
    last = max(coming.content, promised.content)
    if found in contents[promised.content : last + 1]:
        return
    if found in contents[: promised.content]:
        raise Lost(f"the content is that after transaction {contents.index(found)}, {promised.content} had ended")
    raise Corrupt(f"a content that never was, {promised.content} to {last} expected")


def content_of(connection: Connection) -> str:
    """A digest of everything there is in the database."""
    digest = hashlib.blake2b()
    tables = connection.exec_driver_sql("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name").all()
    for name, sql in tables:
        digest.update(f"{sql}\n".encode())
        for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"').all():
            digest.update(f"{tuple(row)}\n".encode())
    return digest.hexdigest()


def _is_whole(connection: Connection) -> None:
    answer = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
    if answer != "ok":
        raise Corrupt(f"SQLite finds the file damaged: {answer}")
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise Corrupt("a row names one that is not there")


def _keeps_its_word(connection: Connection, promised: View) -> None:
    """What others were told before the power went, whatever the hub itself thinks it had committed."""
    for site, seq in promised.acked.items():
        stored = connection.exec_driver_sql(
            "SELECT c.seq FROM site_cursor AS c JOIN site AS s ON s.number = c.site WHERE s.id = ?", (site,)
        ).scalar()
        if stored is None or stored < seq:
            raise Lost(f"{site} was told that fact {seq} is safe, {stored} is")
    for site, revision in promised.plans.items():
        stored = connection.exec_driver_sql(
            "SELECT p.revision FROM plan AS p JOIN site AS s ON s.number = p.site WHERE s.id = ?", (site,)
        ).scalar()
        if stored is None or stored < revision:
            raise Lost(f"{site} was sent plan {revision}, {stored} is known")


def _agrees(connection: Connection) -> None:
    """The facts are contiguous and chained, and the cursor stands at their end."""
    cursors = connection.exec_driver_sql(
        "SELECT s.id, c.site, c.ordinal, c.journal, c.seq, c.hash FROM site_cursor AS c JOIN site AS s ON s.number = c.site"
    ).all()
    for site, number, ordinal, journal, seq, last in cursors:
        if not journal:
            continue
        rows = connection.exec_driver_sql(
            "SELECT seq, boot, at_ms, trust, body, hash FROM fact WHERE site = ? AND journal = ? ORDER BY seq",
            (number, ordinal),
        ).all()
        if [row.seq for row in rows] != list(range(1, seq + 1)):
            raise Corrupt(f"{site}: the cursor stands at {seq}, of {len(rows)} facts")
        records = [
            FactRecord(seq=row.seq, boot=row.boot, at_ms=row.at_ms, trust=Trust(row.trust), body=_raw(row.body))
            for row in rows
        ]
        hashes = chain.links(chain.genesis(site, journal), records)
        if [bytes(row.hash) for row in rows] != hashes or (hashes and hashes[-1].hex() != last):
            raise Corrupt(f"{site}: the chain does not hold")


def _raw(body: bytes) -> Any:
    import msgspec

    return msgspec.Raw(bytes(body))


class _NotedStore(Store):
    """The real store; the content after every transaction is noted."""

    contents: list[str]

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with super().writing() as connection:
            yield connection
        with self.reading() as connection:
            self.contents.append(content_of(connection))


class _Link(FakeLink):
    """A broker that remembers what it was told is safe."""

    def __init__(self, day: _Day) -> None:
        super().__init__()
        self._day = day

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        super().acknowledge(messages)
        for message in messages:
            address = topics.read_topic(message.topic)
            if address is not None and address.channel is topics.FACTS:
                self._day.batch_acked(message.payload)

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> bool:
        address = topics.read_topic(topic)
        assert address is not None
        self._day.published(address, payload)
        return super().publish(topic, payload, qos=qos, retain=retain)


class _Day:
    """What a hub does, each call marked before and promised after."""

    def __init__(self, url: str, recorder: Recorder, random: Random) -> None:
        self._url = url
        self._recorder = recorder
        self._random = random
        self._contents: list[str] = []
        self._acked: dict[str, int] = {}
        self._plans: dict[str, int] = {}
        self._journals = {site: Journal(site, at_ms=START_MS) for site in SITES}
        self._sent = dict.fromkeys(SITES, 0)
        self._parcels: list[tuple[str, ParcelId]] = []
        self._bench: Bench | None = None
        self._stores: list[Store] = []

    def live(self) -> None:
        """An old hub, its upgrade, and a day's work."""
        for revision in _revisions():
            self._migrate(revision)
        self._recorder.start("migration")
        with mock.patch.object(hub_bench, "Store", self._store), mock.patch.object(hub_bench, "AT_MS", START_MS):
            self._bench = Bench(self._url)
        self._promise()
        bench = self._bench
        link = _Link(self)
        bench.link = link
        for part in (bench.planner, bench.desk, bench.intake):
            part._link = link
        self._keeping = bench.housekeeping
        for _ in range(CALLS):
            self._one_call(bench)
        bench.now_ms += 40 * DAY_MS
        self._call("erasure", self._keeping.erase)
        self._call("outbox", bench.sender.send_due)

    def end(self) -> None:
        """Close every connection: SQLite moves what is left and removes its WAL."""
        self._recorder.start("closing")
        for store in self._stores:
            store.close()

    def _store(self, url: str) -> Store:
        store = _NotedStore(url)
        store.contents = self._contents
        self._stores.append(store)
        return store

    def _migrate(self, revision: str) -> None:
        """What `hub.store.migrate` does, one version at a time; the first with a site in it."""
        self._recorder.start("first tables" if not self._contents else "migration")
        store = self._store(self._url)
        config = Config()
        config.set_main_option("script_location", str(migrations._FOLDER))
        with store.writing() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
        self._promise()
        if len(self._contents) == 1:
            with (
                store.writing() as connection
            ):  # in the words of the first version: those of today name what it did not have
                connection.execute(insert(SITE).values(number=1, id="ancien", name="a", created_ms=START_MS))
                for of_a_site in (SITE_CURSOR, SITE_LIVE):
                    connection.execute(insert(of_a_site).values(site=1))
            self._promise()
        store.close()

    def _one_call(self, bench: Bench) -> None:
        bench.now_ms += self._random.choice((1, 1_000, 3_600_000))
        kind = self._random.choices(
            ("ingest", "announce", "reissue", "plan", "outbox", "erasure", "refused"), (10, 5, 2, 3, 3, 1, 1)
        )[0]
        match kind:
            case "ingest":
                self._call(kind, self._ingest)
            case "announce":
                self._call(kind, self._announce)
            case "reissue" if self._parcels:
                self._call(kind, self._reissue)
            case "plan":
                self._call(kind, bench.planner.look)
            case "outbox":
                bench.driver.refusals = self._random.choice((0, 0, 1))
                self._call(kind, bench.sender.send_due)
            case "erasure":
                self._call(kind, self._keeping.erase)
            case _:
                self._call("ingest, refused", self._refused)

    def _call(self, kind: str, what: Any) -> None:
        self._recorder.start(kind)
        what()
        self._promise()

    def _announce(self) -> None:
        assert self._bench is not None
        site = self._random.choice(SITES)
        number = self._random.randrange(10**10, 10**11)
        parcel = self._bench.announce(site=site, tracking=f"8N{number}", phone="0612345678", name="Awa")
        self._parcels.append((site, parcel))

    def _reissue(self) -> None:
        assert self._bench is not None
        try:
            self._bench.desk.reissue(self._random.choice(self._parcels)[1], ME)
        except Refused:
            return  # it was collected already

    def _ingest(self) -> None:
        """A group: facts of one site or both, some sent again, and what sites say of themselves."""
        assert self._bench is not None
        group: list[Any] = []
        for site in self._random.sample(SITES, self._random.choice((1, 2))):
            journal = self._journals[site]
            own = [parcel for at, parcel in self._parcels if at == site]
            if own and self._random.random() < 0.5:
                parcel = self._random.choice(own)
                self._parcels.remove((site, parcel))
                journal.write(*life(parcel, ends=self._random.random() < 0.5, source="plan"))
            elif self._random.random() < 0.5:
                journal.write(*life(parcel_id_from_bits(self._random.getrandbits(60))))
            else:
                journal.write(AttemptFailed(tokens_milli=self._random.randrange(10_000)))
            first = max(1, self._sent[site] + 1 - self._random.choice((0, 0, 3)))
            group.append(journal.batch(first, journal.last))
            self._sent[site] = journal.last
            if self._random.random() < 0.3:
                group.append(Presence(site=site, boot=1, status=PresenceStatus.READY))
                group.append(Birth(site=site, boot=1, journal=journal.name, version="0", board="demo", compartments=()))
        self._bench.hear(*group)

    def _refused(self) -> None:
        """Bytes that are no message: acknowledged to the broker, kept aside, and the alert raised."""
        assert self._bench is not None
        topic = topics.topic(topics.FACTS, SITES[0])
        self._bench.intake.handle([Incoming(topic, self._random.randbytes(40), False, 1, 1)])

    def batch_acked(self, payload: bytes) -> None:
        """The broker forgets this batch: the hub has it."""
        try:
            batch = decode(FactBatch, payload)
        except BadMessage:
            return
        last = batch.first_seq + len(batch.facts) - 1
        self._acked[batch.site] = max(self._acked.get(batch.site, 0), last)
        self._promise()

    def published(self, address: Any, payload: bytes) -> None:
        """A site hears of an acknowledgement or a plan."""
        message = decode(address.channel.message, payload)
        if address.channel is topics.ACK:
            self._acked[address.site] = max(self._acked.get(address.site, 0), message.seq)
        elif address.channel is topics.PLAN:
            self._plans[address.site] = max(self._plans.get(address.site, 0), message.revision)
        self._promise()

    def _promise(self) -> None:
        self._recorder.promise(View(len(self._contents) - 1, dict(self._acked), dict(self._plans), self._contents))


def _revisions() -> list[str]:
    """Every version of the tables but the newest, oldest first."""
    config = Config()
    config.set_main_option("script_location", str(migrations._FOLDER))
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    return known[:0:-1]
