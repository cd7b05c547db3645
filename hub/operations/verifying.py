"""Whether a database agrees with itself: every site's chain, its cursor, and what was projected against the fold of the facts.

Owns the comparisons (I-13, I-15, I-28). Changes nothing. Refuses to mend: what differs is for a person to look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

import msgspec
from sqlalchemy import Connection

from hub import batches
from hub.boxes import Boxes
from hub.core.moment import Moment
from hub.core.project import Ended, Joined, ParcelRecord, Placed, Received, Source, Unplaced, evolve, project
from hub.store import ingest as sql
from hub.store import journals, proof
from hub.store.engine import Store
from hub.store.journals import Cursor
from wire import chain
from wire.chain import FactRecord
from wire.ids import ParcelId, ParcelState, Trust

NAMED_MAX: Final = 20
"""Differences told of one site."""


@dataclass(slots=True)
class Verdict:
    """What was found at one site; no `problems` means that everything agrees."""

    site: str
    facts: int = 0
    problems: list[str] = field(default_factory=list)

    def say(self, problem: str) -> None:
        """Note a difference; the first ones are enough to begin with."""
        if len(self.problems) < NAMED_MAX:
            self.problems.append(problem)


@dataclass(slots=True)
class _Fold:
    parcels: dict[ParcelId, ParcelRecord] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)


def verify(store: Store) -> Iterator[Verdict]:
    """Look at every site in turn, each in one consistent view, while the hub goes on."""
    with store.reading() as connection:
        known = journals.all_cursors(connection)
    for cursor in known:
        with proof.one_view(store) as connection:
            fresh = next(each for each in journals.all_cursors(connection) if each.site == cursor.site)
            yield _site(connection, fresh)


def _site(connection: Connection, cursor: Cursor) -> Verdict:
    verdict = Verdict(cursor.site_id)
    for before in proof.pasts(connection, cursor):
        _chain(connection, before, verdict, None, _Fold())
    boxes, fold = Boxes(connection), _Fold()
    boxes.begin(cursor.site)
    if not _chain(connection, cursor, verdict, boxes, fold):
        return verdict  # what is folded of a broken chain says nothing more
    _compare_boxes(connection, cursor, verdict, boxes)
    if cursor.ordinal == 1:  # a parcel of a site with several pasts lived in all of them
        _compare_parcels(connection, cursor, verdict, fold)
    return verdict


def _chain(connection: Connection, cursor: Cursor, verdict: Verdict, boxes: Boxes | None, fold: _Fold) -> bool:
    """Walk one journal from its beginning: numbers, hashes, and where it ends. False where the chain breaks."""
    if not cursor.journal:
        return True
    named = "" if boxes is not None else f"past {cursor.ordinal}, "
    seq, digest = 0, chain.genesis(cursor.site_id, cursor.journal)
    with closing(proof.facts(connection, cursor)) as rows:
        for row in rows:
            record = FactRecord(
                seq=row.seq, boot=row.boot, at_ms=row.at_ms, trust=Trust(row.trust), body=msgspec.Raw(bytes(row.body))
            )
            seq, digest = seq + 1, chain.link(digest, record)
            verdict.facts += 1
            if row.seq != seq:
                verdict.say(f"{named}fact {seq} is missing: after it comes {row.seq}")
                return False
            if digest != bytes(row.hash).hex():
                verdict.say(f"{named}fact {seq} is not what its site said: the chain breaks here")
                return False
            if boxes is not None:
                _fold(cursor.site, boxes, fold, record, row.committed_ms)
    if (seq, digest) != (cursor.seq, cursor.hash):
        verdict.say(f"{named}the cursor stands at {cursor.seq}, the facts end with {seq}")
    return True


def _fold(number: int, boxes: Boxes, fold: _Fold, record: FactRecord, committed_ms: int) -> None:
    fact = batches.read(record.body)
    if fact is None:
        return
    moment = Moment(number, record.at_ms, record.trust, committed_ms)
    for change in project(fact):
        boxes.fold(number, change, record.seq)
        match change:
            case Joined():
                fold.joined |= {change.parcel, change.into}
            case Received() | Placed() | Unplaced() | Ended():
                known = fold.parcels.get(change.parcel) or _announced(change.parcel, moment)
                evolved = evolve(known, change, moment)
                fold.parcels[change.parcel] = known if evolved is None else evolved.parcel
            case _:
                pass  # of alerts and wishes, which people change too


def _announced(parcel: ParcelId, moment: Moment) -> ParcelRecord:
    return ParcelRecord(parcel, moment.site, ParcelState.ANNOUNCED, Source.PLAN, moment.at_ms, moment.at_ms)


def _compare_boxes(connection: Connection, cursor: Cursor, verdict: Verdict, boxes: Boxes) -> None:
    kept, told = sql.boxes(connection, [cursor.site])[cursor.site], boxes.folded(cursor.site)
    for label in sorted(kept.keys() | told.keys()):
        if kept.get(label) != told.get(label):
            verdict.say(f"compartment {label}: kept is {kept.get(label)}, the facts say {told.get(label)}")


def _compare_parcels(connection: Connection, cursor: Cursor, verdict: Verdict, fold: _Fold) -> None:
    rows = proof.places(connection, cursor.site)
    for parcel, told in fold.parcels.items():
        kept = rows.get(parcel)
        if parcel in fold.joined or (kept is not None and kept.joined_into is not None):
            continue
        if kept is None or (kept.state, kept.place_kind, kept.place_name) != (
            told.state,
            told.place_kind,
            told.place_name,
        ):
            shown = "nothing" if kept is None else f"{kept.state} {kept.place_name}".strip()
            verdict.say(f"parcel {parcel}: kept is {shown}, the facts say {f'{told.state} {told.place_name}'.strip()}")
