"""The ledger: what hands did in the (simulated) physical world, held against the sites' journals and the hub's.

Owns the sums. Refuses to trust any program's own word: journals are read from their files and their chains computed again,
parcels are counted by the hands that put them in, and coils by the pin trace, the board and the times of death.
"""

from __future__ import annotations

import base64
import sqlite3
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from demo.world import Site, World
from firmware.board import load_board
from firmware.sim.coils import Death, Finding, examine
from firmware.sim.trace import Line, read_trace
from wire import facts as f
from wire.chain import FactRecord, fold, genesis
from wire.ids import PlaceKind, Trust

PAGE: Final = 100
RELEASE_NS: Final = 1_000_000_000
"""Every coil is off this long after any death (I-8)."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The last line of the story."""

    parcels_in: int
    collected: int
    inside: int
    removed: int
    lost: int
    doubled: int
    facts_site: int
    facts_hub: int
    chains_equal: bool
    pulses: int
    wrong_opens: int
    coils_left_on: int
    coil_faults: int
    longest_pulse_ms: float

    @property
    def balances(self) -> bool:
        """Whether nothing is missing, doubled or opened wrongly, and both sides hold the same history."""
        return (
            self.parcels_in == self.collected + self.inside + self.removed
            and self.lost == self.doubled == self.wrong_opens == self.coils_left_on == self.coil_faults == 0
            and self.facts_site == self.facts_hub
            and self.chains_equal
        )

    def as_json(self) -> str:
        """One line."""
        return msgspec.json.encode(asdict(self)).decode()


LOOKS_MAX: Final = 20
BETWEEN_LOOKS_S: Final = 0.25
"""Five seconds: longer than a fact needs to its hub on a busy machine. What is missing then is missing."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is held against each other for one site."""

    site: str
    journal: str
    records: Sequence[FactRecord]
    hub_records: Sequence[FactRecord]
    hub_hash: str
    contents: Mapping[str, Sequence[str]]
    lines: Sequence[Line]
    coils: Finding


def draw_up(world: World, deaths: Iterable[Death] = (), *, looks: int = LOOKS_MAX) -> Ledger:
    """The ledger of all sites of a world; `deaths` are those of the lock processes that were ended.

    A world that comes to rest is looked at up to `looks` times a site; whoever shows it as it is now looks once.
    """
    ends = tuple(deaths)
    return add_up([at_rest(partial(gather, world, site, ends), looks) for site in world.sites])


def at_rest(read: Callable[[], Evidence], looks: int = LOOKS_MAX) -> Evidence:
    """What is read once both sides count as many facts: a site that has just started still writes between two looks."""
    for _ in range(looks - 1):
        evidence = read()
        if len(evidence.records) == len(evidence.hub_records):
            return evidence
        time.sleep(BETWEEN_LOOKS_S)
    return read()


def gather(world: World, site: Site, deaths: Sequence[Death] = ()) -> Evidence:
    """What can be known of one site from outside."""
    records, journal = read_journal(site.journal())
    hub_records, hub_hash = read_hub(world, site)
    return Evidence(
        site=site.id,
        journal=journal,
        records=records,
        hub_records=hub_records,
        hub_hash=hub_hash,
        contents=site.sim()["contents"],
        lines=read_trace(site.folder / "state"),
        coils=read_coils(site, deaths),
    )


def add_up(evidence: Iterable[Evidence]) -> Ledger:
    """The sums."""
    collected: Counter[str] = Counter()
    removed: Counter[str] = Counter()
    inside: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    put_in: set[str] = set()
    chains_equal, longest = True, 0.0
    for one in evidence:
        known = [_fact(record) for record in one.records]
        collected.update(
            fact.parcel for fact in known if isinstance(fact, f.ParcelCollected) and _is_behind_a_door(fact)
        )
        removed.update(fact.parcel for fact in known if isinstance(fact, f.ParcelRemoved) and _is_behind_a_door(fact))
        put_in |= {line.why for line in one.lines if line.kind == "hand" and line.on}
        inside.update(name for held in one.contents.values() for name in held)
        start = genesis(one.site, one.journal)
        chains_equal &= fold(start, one.records) == fold(start, one.hub_records) == one.hub_hash
        pulsed = [stretch.label for stretch in one.coils.stretches]
        counts["site"] += len(one.records)
        counts["hub"] += len(one.hub_records)
        counts["pulses"] += len(pulsed)
        counts["wrong"] += wrong_opens(known, pulsed)
        counts["on"] += len(one.coils.left_on)
        counts["faults"] += len(one.coils.faults)
        longest = max(longest, one.coils.longest_ms)
    ended = set(collected) | set(removed)
    return Ledger(
        parcels_in=len(put_in),
        collected=len(collected),
        inside=len(inside),
        removed=len(removed),
        lost=len(put_in - ended - set(inside)),
        doubled=sum(count > 1 for count in ((collected + removed) | inside).values()) + len(ended & set(inside)),
        facts_site=counts["site"],
        facts_hub=counts["hub"],
        chains_equal=chains_equal,
        pulses=counts["pulses"],
        wrong_opens=counts["wrong"],
        coils_left_on=counts["on"],
        coil_faults=counts["faults"],
        longest_pulse_ms=round(longest, 1),
    )


def read_coils(site: Site, deaths: Iterable[Death] = (), *, now_ns: int | None = None) -> Finding:
    """What the coils of a site did up to `now_ns` (now), from the trace of its pins and its board file."""
    settings = tomllib.loads((site.folder / "site.toml").read_text(encoding="utf-8"))
    board = load_board(site.folder / settings["board"]["file"])
    moment = time.monotonic_ns() if now_ns is None else now_ns
    return examine(read_trace(site.folder / "state"), board, deaths, now_ns=moment)


def read_journal(file: Path) -> tuple[list[FactRecord], str]:
    """Every fact in a site's journal file, and the journal's id."""
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        rows = db.execute("SELECT seq, boot, at_ms, trust, body FROM facts ORDER BY seq").fetchall()
        (journal,) = db.execute("SELECT value FROM meta WHERE name = 'journal'").fetchone()
    finally:
        db.close()
    return [_record(*row) for row in rows], str(journal)


def read_facts(file: Path, after: int = 0) -> list[f.AnyFact]:
    """The facts of a journal file behind `after`, those of an unknown kind left out."""
    known = (_fact(record) for record in read_journal(file)[0] if record.seq > after)
    return [fact for fact in known if fact is not None]


def read_hub(world: World, site: Site) -> tuple[list[FactRecord], str]:
    """Every fact of a site in the hub's database, through its API, and the hash the hub holds."""
    records: list[FactRecord] = []
    after: int | None = 0
    held = ""
    while after is not None:
        page = world.hub(f"sites/{site.id}/facts?after={after}&limit={PAGE}")
        records += [
            _record(fact["seq"], fact["boot"], fact["at_ms"], fact["trust"], base64.b64decode(fact["body_base64"]))
            for fact in page["facts"]
        ]
        held, after = page["committed_hash"], page["next_after"]
    return records, held


def wrong_opens(known: Iterable[f.AnyFact | None], pulsed: Iterable[str]) -> int:
    """Pulses without their own durable cause, and keys that opened another door than that of their parcel."""
    place: dict[str, str] = {}
    ordered: list[str] = []
    wrong = 0
    for fact in known:
        if isinstance(fact, f.CompartmentReserved):
            place[fact.parcel] = fact.compartment
        elif isinstance(fact, f.ParcelStored):
            place[fact.parcel] = fact.place.name
        elif isinstance(fact, f.OpeningOrdered):
            ordered.append(fact.compartment)
            wrong += fact.parcel is not None and place.get(fact.parcel) != fact.compartment
    surplus = Counter(pulsed) - Counter(ordered)
    return wrong + surplus.total()


def _is_behind_a_door(fact: f.ParcelCollected | f.ParcelRemoved) -> bool:
    """The desk's shelf has no hands that are counted."""
    return fact.place is None or fact.place.kind is PlaceKind.COMPARTMENT


def _record(seq: int, boot: int, at_ms: int, trust: str, body: bytes) -> FactRecord:
    return FactRecord(seq=seq, boot=boot, at_ms=at_ms, trust=Trust(trust), body=msgspec.Raw(body))


def _fact(record: FactRecord) -> f.AnyFact | None:
    try:
        return f.decode_fact(record.body)
    except f.UnknownFact:
        return None
