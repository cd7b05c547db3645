"""One group of messages inside one transaction: facts, their projections, notifications and the cursor together.

Owns the order in which a group is read, folded and written. Refuses to publish anything: it returns what to tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from msgspec import structs
from sqlalchemy import Connection

from hub import batches
from hub.boxes import Boxes
from hub.carriers.outbox import Outbox
from hub.core.moment import Moment
from hub.core.project import (
    AlertKind,
    Change,
    Clear,
    Joined,
    KeyRaised,
    Occupied,
    ParcelChange,
    ParcelRecord,
    Planned,
    Raise,
    Serviced,
    Source,
    evolve,
    join,
    project,
)
from hub.pasts import Pasts
from hub.receiver import Incoming
from hub.result import Result
from hub.store import ingest as sql
from hub.store import journals, outbox, rhythm
from hub.store.ingest import Needs
from hub.store.journals import Cursor, FactRow
from wire import chain, topics
from wire.chain import FactRecord
from wire.facts import CommandAnswered, ParcelStored, PlanApplied
from wire.ids import PlaceKind, Trust
from wire.messages import (
    BadMessage,
    Birth,
    FactBatch,
    Health,
    Message,
    Outcome,
    Presence,
    PresenceStatus,
    Reply,
    SiteState,
    Verb,
    decode,
)
from wire.plan import Plan, PlannedParcel

QUARANTINE_GROUP_MAX: Final = 20
"""Refused messages of one group that are kept; the alert counts the others."""

_OUTCOMES: Final = frozenset(outcome.value for outcome in Outcome)


@dataclass(frozen=True, slots=True)
class _Parsed:
    incoming: Incoming
    site: str
    message: Message | Plan


class Group:
    """Folds messages over what the database knows. Use once."""

    def __init__(
        self,
        connection: Connection,
        now_ms: int,
        incarnation: int,
        *,
        may_wait: Callable[[Incoming], bool] = lambda _early: False,
    ) -> None:
        """`may_wait`: whether facts that come before those they follow may be left for later."""
        self._connection = connection
        self._may_wait = may_wait
        self._now_ms = now_ms
        self._incarnation = incarnation
        self._result = Result()
        self._cursors: dict[str, Cursor] = {}
        self._moved: dict[str, Cursor] = {}
        self._lives: dict[int, sql.Live] = {}
        self._live_values: dict[int, dict[str, Any]] = {}
        self._boxes = Boxes(connection)
        self._parcels: dict[str, ParcelRecord] = {}
        self._known: set[str] = set()
        self._changed_parcels: set[str] = set()
        self._joins: list[tuple[str, str]] = []
        self._needs: dict[str, Needs] = {}
        self._outbox = Outbox()
        self._rows: list[FactRow] = []
        self._pasts = Pasts(connection)
        self._messages: dict[tuple[str, str], None] = {}
        self._before_joins: list[tuple[str, str]] = []
        self._replan: set[int] = set()
        self._quarantine: list[tuple[str, str, bytes]] = []
        self._open: set[tuple[str, str, str]] = set()
        self._stored: list[tuple[str, int, str, bool]] = []

    def apply(self, messages: Sequence[Incoming]) -> Result:
        """Fold and write a group; nothing is lasting before the caller's transaction is."""
        parsed = [found for found in map(self._parse, messages) if found is not None]
        self._load(parsed)
        for item in parsed:
            cursor = self._cursors.get(item.site)
            if cursor is None:
                self._unknown_site(item)
            else:
                self._result.touched.add(item.site)
                self._handle(item, cursor)
        self._compare_views()
        self._write()
        return self._result

    # --------------------------------------------------------------------------------------------------------- reading

    def _parse(self, incoming: Incoming) -> _Parsed | None:
        address = topics.read_topic(incoming.topic)
        if address is None or address.site is None:
            self._refuse(incoming, "hub", "not a topic of the wire")
            return None
        try:
            message = decode(address.channel.message, incoming.payload)
        except BadMessage as error:
            self._refuse(incoming, address.site, str(error))
            return None
        if getattr(message, "site", None) != address.site:
            self._refuse(incoming, address.site, "the message names another site than its topic")
            return None
        return _Parsed(incoming, address.site, message)

    def _refuse(self, incoming: Incoming, site: str, reason: str) -> None:
        self._result.refused += 1
        if len(self._quarantine) < QUARANTINE_GROUP_MAX:
            self._quarantine.append((incoming.topic, reason, incoming.payload))
        self._raise(site, Raise(AlertKind.BAD_MESSAGE, incoming.topic.rpartition("/")[2], reason))

    def _load(self, parsed: Sequence[_Parsed]) -> None:
        self._cursors = journals.cursors(self._connection, (item.site for item in parsed))
        numbers = [cursor.site for cursor in self._cursors.values()]
        self._lives = sql.lives(self._connection, numbers)
        self._boxes.load(numbers)
        self._open = sql.open_alerts(self._connection, self._cursors)

    def _unknown_site(self, item: _Parsed) -> None:
        self._result.refused += 1
        if len(self._quarantine) < QUARANTINE_GROUP_MAX and isinstance(item.message, FactBatch):
            self._quarantine.append((item.incoming.topic, "unknown site", item.incoming.payload))
        self._raise(item.site, Raise(AlertKind.UNKNOWN_SITE, "", "add it with: consigne-hub site add"))

    def _handle(self, item: _Parsed, cursor: Cursor) -> None:
        match item.message:
            case FactBatch():
                self._facts(item, item.message, self._moved.get(item.site, cursor))
            case SiteState():
                self._state(cursor, item.message, item.incoming.payload)
            case Birth():
                self._birth(cursor, item.message, item.incoming.payload)
            case Presence():
                self._presence(cursor, item.message)
            case Health():
                self._say(cursor.site, health=item.incoming.payload, health_ms=self._now_ms)
                self._is_there(cursor, item.message)
            case Reply():
                sql.answer_command(
                    self._connection,
                    cursor.site,
                    item.message.id,
                    item.message.outcome,
                    item.message.reason,
                    self._now_ms,
                )
            case _:
                self._refuse(item.incoming, item.site, "a site does not send this")

    # ----------------------------------------------------------------------------------------------------------- facts

    def _facts(self, item: _Parsed, batch: FactBatch, cursor: Cursor) -> None:
        if not batches.is_contiguous(batch):
            self._refuse(item.incoming, item.site, "seq does not go up by one")
            return
        cursor = self._journal(batch, cursor)
        if batch.journal != cursor.journal:
            self._identity(item, cursor, f"journal {batch.journal[:12]} instead of {cursor.journal[:12]}")
            return
        if batch.first_seq > cursor.seq + 1:
            if self._may_wait(item.incoming):
                self._result.early.append(item.incoming)
            else:
                self._gap(item, cursor, batch.first_seq)
            return
        hashes = batches.hashes(batch)
        if not hashes or hashes[-1].hex() != batch.head or not self._pasts.continues(batch, cursor, hashes):
            self._identity(item, cursor, f"the chain does not hold at seq {batch.first_seq}")
            return
        fresh = max(0, cursor.seq + 1 - batch.first_seq)
        self._result.duplicates += min(fresh, len(batch.facts))
        self._clear(item.site, AlertKind.GAP, "")
        if fresh < len(batch.facts):
            self._append(item.site, batch, cursor, hashes, fresh)
        elif self._is_suspect(item.site):
            # What both pasts tell is acknowledged as far as it goes, or a suspect would never come to where they part.
            last = batch.facts[-1].seq
            self._result.acks[item.site] = replace(cursor, seq=last, hash=hashes[-1].hex())
            return
        self._result.acks[item.site] = self._moved.get(item.site, cursor)
        if self._lives[cursor.site].birth is None:
            self._result.need_rebirth[item.site] = cursor.site

    def _journal(self, batch: FactBatch, cursor: Cursor) -> Cursor:
        """The cursor to compare with: the first journal of a site is taken as its own, another past only on request.

        Another past is another journal, or the same one gone on from an older card (ADR 0009).
        """
        genesis = chain.genesis(batch.site, batch.journal)
        if not cursor.journal and not cursor.adopt:
            return replace(cursor, journal=batch.journal, seq=0, hash=genesis)
        if cursor.adopt and (batch.journal != cursor.journal or self._pasts.is_fork(batch, cursor)):
            return self._adopt(batch, cursor)
        return cursor

    def _adopt(self, batch: FactBatch, cursor: Cursor) -> Cursor:
        """Begin another past. Facts common to both are not new; the compartments are folded anew."""
        common = self._pasts.common(batch, cursor)
        is_same = batch.journal == cursor.journal
        if is_same and not self._pasts.is_joint(batch, cursor):
            return self._begin_anew(batch, cursor)
        adopted = replace(
            cursor,
            ordinal=cursor.ordinal + 1,
            journal=batch.journal,
            seq=batch.first_seq - 1 + len(common),
            hash=common[-1].hex() if common else batch.previous,
            adopt=False,
            before_seq=cursor.seq if is_same else 0,
            before_hash=cursor.hash if is_same else "",
        )
        self._begin(batch, cursor, adopted)
        if is_same:
            for seq, body in journals.copy_facts(self._connection, cursor, adopted.ordinal, adopted.seq + 1):
                fact = batches.read(body)
                for change in () if fact is None else project(fact):
                    self._boxes.fold(cursor.site, change, seq)
        return adopted

    def _begin_anew(self, batch: FactBatch, cursor: Cursor) -> Cursor:
        """The two pasts parted before this batch: the newer word asks for the other one from its first fact."""
        anew = replace(
            cursor,
            ordinal=cursor.ordinal + 1,
            seq=0,
            hash=chain.genesis(batch.site, batch.journal),
            adopt=False,
            before_seq=cursor.seq,
            before_hash=cursor.hash,
        )
        self._begin(batch, cursor, anew)
        return anew

    def _begin(self, batch: FactBatch, known: Cursor, adopted: Cursor) -> None:
        journals.close_journal(self._connection, known, self._now_ms)
        self._boxes.forget(known.site)
        self._clear(batch.site, AlertKind.IDENTITY, "")
        self._is_this_machine(known, batch.boot)
        self._moved[batch.site] = adopted
        self._result.adopted = True

    def _is_this_machine(self, cursor: Cursor, boot: int) -> None:
        """What another machine said is over. An older card, or a copy, counts starts of its own: the larger number proves nothing here."""
        self._say(cursor.site, boot=boot, birth=None, state=None, state_seq=0, state_boot=0)

    def _identity(self, item: _Parsed, cursor: Cursor, detail: str) -> None:
        self._result.refused += 1
        # What is known here tells a site that goes on from an older card that it lacks a part of its past (ADR 0009).
        self._result.acks[item.site] = cursor
        self._raise(item.site, Raise(AlertKind.IDENTITY, "", detail))

    def _is_suspect(self, site: str) -> bool:
        """Whether a machine tells another past in a site's name, and no admin has said yet which one holds."""
        return (site, AlertKind.IDENTITY, "") in self._open

    def _gap(self, item: _Parsed, cursor: Cursor, first: int) -> None:
        self._result.refused += 1
        if not self._is_suspect(item.site):  # What that one says again is not taken either: it waits for an admin.
            self._result.need_rebirth[item.site] = cursor.site
        # What this incarnation said when it joined may be lost, and only its word takes the site back (I-17, I-18).
        self._result.acks.setdefault(item.site, cursor)
        self._raise(item.site, Raise(AlertKind.GAP, "", f"seq {first} arrived, {cursor.seq + 1} is wanted"))

    def _append(self, site: str, batch: FactBatch, cursor: Cursor, hashes: Sequence[bytes], fresh: int) -> None:
        records, hashes = batch.facts[fresh:], hashes[fresh:]
        told: list[tuple[FactRecord, tuple[Change, ...]]] = []
        answers = False
        for record, digest in zip(records, hashes, strict=True):
            fact = batches.read(record.body)
            answers = answers or (isinstance(fact, CommandAnswered) and fact.verb == Verb.REBIRTH)
            self._rows.append(batches.row(cursor, record, fact, digest, self._now_ms))
            self._beside(cursor.site, fact)
            if fact is not None and (changes := project(fact)):
                told.append((record, changes))
        self._pasts.add(cursor, records[0].seq, hashes)
        self._load_parcels(
            {parcel for _record, changes in told for change in changes for parcel in batches.parcels_of(change)}
        )
        for record, changes in told:
            moment = Moment(cursor.site, record.at_ms, record.trust, self._now_ms)
            for change in changes:
                self._change(site, change, moment, record.seq)
        last = records[-1]
        adopt = cursor.adopt
        if adopt and self._is_suspect(site):
            # An admin looked and waits for what the site tells: it goes on with the past known here; any other stays suspect.
            self._clear(site, AlertKind.IDENTITY, "")
            self._is_this_machine(cursor, batch.boot)
            adopt = False
        self._moved[site] = replace(cursor, seq=last.seq, hash=hashes[-1].hex(), adopt=adopt)
        self._result.facts += len(records)
        if batch.boot >= self._now_live(cursor.site).boot:
            self._say(cursor.site, boot=batch.boot)
        elif answers:  # Asked who it is: the larger number of starts was another machine's, which was switched off.
            self._is_this_machine(cursor, batch.boot)

    def _beside(self, site: int, fact: object) -> None:
        """What a fact says besides what becomes of parcels, compartments and alerts."""
        match fact:
            case PlanApplied():
                self._applied(site, fact.incarnation, fact.revision, fact.hash)
            case ParcelStored():
                label = fact.place.name if fact.place.kind is PlaceKind.COMPARTMENT else ""
                self._stored.append((fact.parcel, site, label, fact.no_door))
            case CommandAnswered() if fact.outcome in _OUTCOMES:  # the reply may have been lost
                sql.answer_command(self._connection, site, fact.id, fact.outcome, fact.reason, self._now_ms)

    def _load_parcels(self, wanted: set[str]) -> None:
        missing = wanted - self._parcels.keys()
        if missing:
            found = sql.parcels(self._connection, missing)
            self._known.update(found)
            self._parcels.update(found)

    def _change(self, site: str, change: object, moment: Moment, seq: int) -> None:
        self._boxes.fold(moment.site, change, seq)
        match change:
            case Occupied() | Serviced():
                pass  # of the compartments alone
            case Raise():
                self._raise(site, change)
            case Clear():
                self._clear(site, change.kind, change.subject)
            case Joined():
                self._join(site, change, moment)
            case _ if isinstance(change, batches.BY_PARCEL):
                self._parcel(site, change, moment)
            case _:
                raise AssertionError(change)

    def _parcel(self, site: str, change: ParcelChange, moment: Moment) -> None:
        parcel = batches.parcel_of(change)
        known = self._parcels.get(parcel)
        if self._is_foreign(site, known, moment):
            return
        evolved = evolve(known, change, moment)
        if evolved is None:
            return
        self._parcels[parcel] = evolved.parcel
        self._outbox.moved(known, evolved.parcel)
        self._changed_parcels.add(parcel)
        self._result.parcels[parcel] = site
        if evolved.needs is not None:
            self._needs[parcel] = _needs(evolved.needs)
        if evolved.replan:
            self._replan.add(moment.site)
        for message in evolved.messages:
            self._messages[parcel, message] = None
        for alert in evolved.alerts:
            self._raise(site, alert)

    def _join(self, site: str, change: Joined, moment: Moment) -> None:
        announced, here = self._parcels.get(change.parcel), self._parcels.get(change.into)
        if self._is_foreign(site, announced, moment) or self._is_foreign(site, here, moment):
            return
        joined = join(announced, here, change, moment)
        if joined is None:
            return
        for record in (joined.gives_way, joined.stays):
            self._parcels[record.id] = record
            self._changed_parcels.add(record.id)
            self._result.parcels[record.id] = site
        self._outbox.moved(here, joined.stays)
        self._joins.append((change.parcel, change.into))
        # What was asked for earlier is for whoever was known then: how facts are grouped must not show.
        earlier = [wanted for wanted in self._messages if wanted[0] == change.into]
        for wanted in earlier:
            del self._messages[wanted]
        self._before_joins += earlier
        self._replan.add(moment.site)
        for message in joined.messages:
            self._messages[change.into, message] = None
        for alert in joined.alerts:
            self._raise(site, alert)

    def _is_foreign(self, site: str, known: ParcelRecord | None, moment: Moment) -> bool:
        """Whether a site speaks of a parcel of another one; a person is told."""
        foreign = known is not None and known.site != moment.site
        if foreign:
            assert known is not None
            self._raise(site, Raise(AlertKind.FOREIGN_PARCEL, known.id, "the parcel of another site"))
        return foreign

    # ------------------------------------------------------------------------------------------- what sites say of now

    def _state(self, cursor: Cursor, state: SiteState, payload: bytes) -> None:
        live = self._now_live(cursor.site)
        if state.boot < live.boot or (state.boot == live.state_boot and state.seq < live.state_seq):
            return
        self._boot(cursor.site, state.boot)
        self._say(cursor.site, state=payload, state_seq=state.seq, state_boot=state.boot, state_ms=self._now_ms)

    def _presence(self, cursor: Cursor, presence: Presence) -> None:
        if presence.boot < self._now_live(cursor.site).boot:
            return  # the will of an earlier boot can overtake a rebirth
        self._boot(cursor.site, presence.boot)
        self._say(cursor.site, presence=presence.status, presence_ms=self._now_ms)
        if presence.status is PresenceStatus.READY:
            self._clear(cursor.site_id, AlertKind.SITE_OFFLINE, "")

    def _is_there(self, cursor: Cursor, health: Health) -> None:
        """Who says how it feels is there: its will may have come late, and the word it came back with may be lost."""
        live = self._now_live(cursor.site)
        if (health.boot < live.boot or live.birth is None) and not self._is_suspect(cursor.site_id):
            # Late, or the greater number was another machine's: its chain answers for it (ADR 0009).
            self._result.doubted[cursor.site_id] = cursor.site
        if health.boot < live.boot or live.presence == PresenceStatus.STOPPING:
            return
        self._clear(cursor.site_id, AlertKind.SITE_OFFLINE, "")
        if live.presence != PresenceStatus.READY:
            self._boot(cursor.site, health.boot)
            self._say(cursor.site, presence=PresenceStatus.READY, presence_ms=self._now_ms)

    def _birth(self, cursor: Cursor, birth: Birth, payload: bytes) -> None:
        live = self._now_live(cursor.site)
        if birth.boot < live.boot:
            return
        self._boot(cursor.site, birth.boot)
        self._check_identity(cursor, birth)
        if payload != live.birth:
            cards = [structs.asdict(card) for card in birth.compartments]
            sql.save_cards(self._connection, cursor.site, cards)
        self._say(cursor.site, birth=payload, birth_ms=self._now_ms)
        self._applied(cursor.site, birth.plan_incarnation, birth.plan_revision, birth.plan_hash)
        self._held(cursor, birth)

    def _check_identity(self, cursor: Cursor, birth: Birth) -> None:
        cursor = self._moved.get(birth.site, cursor)
        if not cursor.journal or cursor.adopt:
            return
        if birth.journal != cursor.journal:
            self._raise(birth.site, Raise(AlertKind.IDENTITY, "", "the birth names another journal"))
        elif 0 < birth.last_seq <= cursor.seq:
            known = cursor.hash if birth.last_seq == cursor.seq else self._pasts.hash_at(cursor, birth.last_seq)
            if known is not None and known != birth.last_hash:
                self._raise(birth.site, Raise(AlertKind.IDENTITY, "", "the birth's chain is another one"))

    def _held(self, cursor: Cursor, birth: Birth) -> None:
        self._load_parcels({held.parcel for held in birth.held})
        moment = Moment(cursor.site, 0, Trust.UNSET, self._now_ms)
        for held in birth.held:
            known = self._parcels.get(held.parcel)
            if known is None:
                planned = PlannedParcel(
                    id=held.parcel,
                    version=held.version,
                    epoch=held.epoch,
                    tracking=held.tracking,
                    carrier=held.carrier,
                )
                self._parcel(birth.site, Planned(planned), moment)
                self._parcels[held.parcel] = replace(
                    self._parcels[held.parcel], state=held.state, source=Source.RECOVERED
                )
            else:
                self._parcel(birth.site, KeyRaised(held.parcel, held.version, held.epoch), moment)

    def _applied(self, number: int, incarnation: int, revision: int, plan_hash: str) -> None:
        live = self._now_live(number)
        if (incarnation, revision) > (live.applied_incarnation, live.applied_revision):
            self._say(number, applied_incarnation=incarnation, applied_revision=revision, applied_hash=plan_hash)
        if incarnation > max(self._incarnation, self._result.foreign_incarnation or 0):
            self._result.foreign_incarnation = incarnation

    def _boot(self, number: int, boot: int) -> None:
        if boot > self._now_live(number).boot:
            self._say(number, boot=boot)

    def _now_live(self, number: int) -> sql.Live:
        return self._lives[number]

    def _say(self, number: int, **values: Any) -> None:
        self._live_values.setdefault(number, {}).update(values)
        known = {name: value for name, value in values.items() if name in sql.Live.__slots__}
        self._lives[number] = replace(self._lives[number], **known)

    # ---------------------------------------------------------------------------------------------- comparing, alerting

    def _compare_views(self) -> None:
        """Where a snapshot and the fold stand at the same seq they must say the same (I-15)."""
        for site in self._result.touched:
            cursor = self._moved.get(site, self._cursors[site])
            live = self._lives[cursor.site]
            if live.state is None or live.state_seq != cursor.seq:
                continue
            different = self._boxes.differences(cursor.site, decode(SiteState, live.state))
            if different:
                self._raise(site, Raise(AlertKind.VIEWS_DIFFER, "", f"compartments {', '.join(different)}"))
            else:
                self._clear(site, AlertKind.VIEWS_DIFFER, "")

    def _raise(self, site: str, alert: Raise) -> None:
        sql.raise_alert(self._connection, site, alert.kind, alert.subject, alert.detail, self._now_ms)
        self._open.add((site, alert.kind[:32], alert.subject[:64]))
        self._result.alerted.add(site)

    def _clear(self, site: str, kind_name: str, subject: str) -> None:
        key = (site, kind_name[:32], subject[:64])
        if key in self._open:
            self._open.discard(key)
            sql.clear_alert(self._connection, *key, self._now_ms)
            self._result.alerted.add(site)

    # --------------------------------------------------------------------------------------------------------- writing

    def _write(self) -> None:
        connection = self._connection
        journals.add_facts(connection, self._rows)
        new = [key for key in self._changed_parcels if key not in self._known]
        sql.add_parcels(connection, [(self._parcels[key], self._needs.get(key, Needs())) for key in new])
        sql.save_parcels(connection, [self._parcels[key] for key in self._changed_parcels if key in self._known])
        outbox.add_messages(connection, self._before_joins, self._now_ms)
        for gives_way, stays in self._joins:
            sql.join(connection, gives_way, stays)
        self._boxes.write()
        rhythm.note_doors(connection, self._stored)
        for number, values in self._live_values.items():
            sql.save_live(connection, number, values)
        sql.save_heard(connection, (self._cursors[site].site for site in self._result.touched), self._now_ms)
        journals.save_cursors(connection, list(self._moved.values()), self._now_ms)
        outbox.add_messages(connection, list(self._messages), self._now_ms)
        sql.replan(connection, self._replan)
        sql.quarantine(connection, self._quarantine, self._now_ms)
        self._outbox.write(connection, self._now_ms)
        self._result.messages = len(self._messages) + len(self._before_joins)
        self._result.replanned = bool(self._replan)


def _needs(planned: PlannedParcel) -> Needs:
    return Needs(
        size=planned.size,
        reach=planned.reach,
        heavy=planned.heavy,
        group=planned.group,
        language=planned.language,
        help=planned.help,
    )
