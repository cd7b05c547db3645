"""The ledger: what lies where in the (simulated) physical world, held against the sites' journals and the hub's.

Owns the sums. Refuses to trust any program's own word: journals are read from their files and their chains computed again.
"""

from __future__ import annotations

import base64
import sqlite3
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Final

import msgspec

from demo.world import Site, World
from wire import facts as f
from wire.chain import FactRecord, fold, genesis
from wire.ids import Trust

PAGE: Final = 100


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
    longest_pulse_ms: float

    @property
    def balances(self) -> bool:
        """Whether nothing is missing, doubled or opened wrongly, and both sides hold the same history."""
        return (
            self.parcels_in == self.collected + self.inside + self.removed
            and self.lost == self.doubled == self.wrong_opens == self.coils_left_on == 0
            and self.facts_site == self.facts_hub
            and self.chains_equal
        )

    def as_json(self) -> str:
        """One line."""
        return msgspec.json.encode(asdict(self)).decode()


def draw_up(world: World, put_in: set[str]) -> Ledger:
    """The ledger of all sites; `put_in` are the parcels that hands really put behind a door."""
    collected: Counter[str] = Counter()
    removed: Counter[str] = Counter()
    inside: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    chains_equal, longest = True, 0.0
    for site in world.sites:
        records, journal = read_journal(site)
        known = [_fact(record) for record in records]
        collected.update(fact.parcel for fact in known if isinstance(fact, f.ParcelCollected))
        removed.update(fact.parcel for fact in known if isinstance(fact, f.ParcelRemoved))
        sim = site.sim()
        inside.update(name for held in sim["contents"].values() for name in held)
        hub_records, hub_hash = read_hub(world, site)
        start = genesis(site.id, journal)
        chains_equal &= fold(start, records) == fold(start, hub_records) == hub_hash
        counts["site"] += len(records)
        counts["hub"] += len(hub_records)
        counts["pulses"] += len(sim["pulses"])
        counts["wrong"] += wrong_opens(known, [pulse["label"] for pulse in sim["pulses"]])
        counts["on"] += sum(state == "on" for state in sim["coils"].values())
        longest = max([longest, *(pulse["on_ms"] or 0.0 for pulse in sim["pulses"])])
    ended = set(collected) | set(removed)
    return Ledger(
        parcels_in=len(put_in),
        collected=len(collected),
        inside=len(inside),
        removed=len(removed),
        lost=len(put_in - ended - set(inside)),
        doubled=sum(count > 1 for count in (collected + removed).values()) + len(ended & set(inside)),
        facts_site=counts["site"],
        facts_hub=counts["hub"],
        chains_equal=chains_equal,
        pulses=counts["pulses"],
        wrong_opens=counts["wrong"],
        coils_left_on=counts["on"],
        longest_pulse_ms=longest,
    )


def read_journal(site: Site) -> tuple[list[FactRecord], str]:
    """Every fact in a site's journal file, and the journal's id."""
    db = sqlite3.connect(f"file:{site.journal()}?mode=ro", uri=True)
    try:
        rows = db.execute("SELECT seq, boot, at_ms, trust, body FROM facts ORDER BY seq").fetchall()
        (journal,) = db.execute("SELECT value FROM meta WHERE name = 'journal'").fetchone()
    finally:
        db.close()
    return [_record(*row) for row in rows], str(journal)


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


def wrong_opens(known: list[f.AnyFact | None], pulsed: list[str]) -> int:
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


def _record(seq: int, boot: int, at_ms: int, trust: str, body: bytes) -> FactRecord:
    return FactRecord(seq=seq, boot=boot, at_ms=at_ms, trust=Trust(trust), body=msgspec.Raw(body))


def _fact(record: FactRecord) -> f.AnyFact | None:
    try:
        return f.decode_fact(record.body)
    except f.UnknownFact:
        return None
