"""Opening doors from afar: two people, one site, and one door after the other.

Owns the order *check, write, note in the log, send*, and the thread that sends the next door and notes what is over. A command is written
before it is sent and sent once: whatever happens in between, no door is asked for twice. Refuses to know pages. Raises hub.core.parcels.Refused.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection

from hub.audit.chain import Action
from hub.audit.log import AuditLog
from hub.clock import Clock
from hub.core import openings as rules
from hub.core.openings import Moment, Wish
from hub.core.parcels import Refused
from hub.core.permissions import WHOLE_HUB, Visitor
from hub.keys import KeyRing
from hub.live import Live
from hub.receiver import Link
from hub.store import desk, ingest
from hub.store import openings as sql
from hub.store.engine import Store
from hub.store.openings import OpeningRow
from hub.store.pages import kept
from wire import topics
from wire.ids import Label
from wire.messages import (
    Birth,
    Command,
    Health,
    OpeningReason,
    Outcome,
    PresenceStatus,
    Verb,
    encode,
)

NOTE_CHARACTERS_MAX: Final = 200
LOOK_S: Final = 0.5
"""Longest time until somebody who waits sees that a door was silent, or that the next one is sent."""
_REASONS: Final = frozenset(reason.value for reason in OpeningReason)


class Openings:
    """What may be asked about doors from afar."""

    def __init__(self, *, store: Store, keys: KeyRing, live: Live, link: Link, clock: Clock) -> None:
        self._store = store
        self._live = live
        self._link = link
        self._clock = clock
        self._audit = AuditLog(keys)
        self.stopping = threading.Event()

    # ------------------------------------------------------------------------------------------------------ what is asked

    def ask(self, site_id: str, doors: Sequence[str], reason: str, note: str, by: Visitor) -> str:
        """A wish for one or two doors of a site, which waits for a second person; its id.

        Refused: `unknown_site`, `no_reason`, `bad_doors`, `not_heard`, `waiting` (another wish of the site is not over),
        `budget_site`, `budget_network`.
        """
        now_ms = self._clock()
        wanted = list(dict.fromkeys(doors))
        with self._store.writing() as connection:
            site = desk.site(connection, site_id)
            if site is None or not by.scope.holds_site(site.tenant, site.number):
                raise Refused("unknown_site", "there is no such site")
            if reason not in _REASONS:
                raise Refused("no_reason", "reason: choose one of the list")
            known = _labels(sql.live_word(connection, site.number))
            if not 1 <= len(wanted) <= rules.DOORS_A_WISH_MAX or not known.issuperset(wanted):
                raise Refused("bad_doors", f"doors: 1 to {rules.DOORS_A_WISH_MAX} compartments of this site")
            sql.lock_association(connection, site.tenant)
            if sql.is_unfinished_at(connection, site.number, now_ms - rules.WISH_LIFE_MS):
                raise Refused("waiting", "another wish of this site is not over")
            self._check(connection, site.tenant, site.number, len(wanted), now_ms)
            opening = secrets.token_hex(16)
            values = {
                "id": opening,
                "site": site.number,
                "state": Wish.WAITING,
                "reason": reason,
                "note": " ".join(note.split())[:NOTE_CHARACTERS_MAX],
                "asked_by": by.person,
                "asked_name": by.name[:64],
                "asked_ms": now_ms,
            }
            sql.add(connection, values, wanted)
            self._note(connection, by, Action.OPENING_ASKED, site.tenant, site_id, wanted, reason)
        self._live.publish("opening", site_id, opening)
        return opening

    def agree(self, opening: str, by: Visitor) -> None:
        """Be the second person: the first door is sent now. Refused: `unknown_opening`, `same_person`, `over`, `not_heard`, `budget_…`."""
        now_ms = self._clock()
        with self._store.writing() as connection:
            row = self._waiting(connection, opening, by, now_ms)
            if by.person == row.asked_by:
                raise Refused("same_person", "somebody else has to agree")
            sql.lock_association(connection, row.tenant)
            self._check(connection, row.tenant, row.number, len(row.doors), now_ms)
            self._decide(connection, row, Wish.AGREED, by, Action.OPENING_APPROVED, now_ms)
        self.advance(opening)
        self._live.publish("opening", row.site, opening)

    def decline(self, opening: str, by: Visitor) -> None:
        """Say no, or take one's own wish back: nothing opens. Refused: `unknown_opening`, `over`."""
        now_ms = self._clock()
        with self._store.writing() as connection:
            row = self._waiting(connection, opening, by, now_ms)
            if by.person == row.asked_by:
                self._decide(connection, row, Wish.WITHDRAWN, by, Action.OPENING_WITHDRAWN, now_ms)
            else:
                self._decide(connection, row, Wish.DECLINED, by, Action.OPENING_REFUSED, now_ms)
        self._live.publish("opening", row.site, opening)

    def _check(self, connection: Connection, tenant: int, site: int, doors: int, now_ms: int) -> None:
        """Refused where nothing would come of it: no second person is asked for nothing."""
        if not self._link.is_connected or self._moment(connection, site, now_ms) is None:
            raise Refused("not_heard", "the site is not heard now: nothing was sent, and nothing will be")
        problem = rules.may_not(sql.asked_since(connection, tenant, now_ms - rules.DAY_MS), site, doors, now_ms)
        if problem:
            raise Refused(problem, "enough doors were opened from afar for now")

    def _waiting(self, connection: Connection, opening: str, by: Visitor, now_ms: int) -> OpeningRow:
        row = sql.wish(connection, opening, by.scope, lock=True)
        if row is None:
            raise Refused("unknown_opening", "there is no such wish")
        if rules.wish_now(row.state, row.asked_ms, now_ms) != Wish.WAITING:
            raise Refused("over", "this wish was answered already, or took too long")
        return row

    def _decide(
        self, connection: Connection, row: OpeningRow, state: Wish, by: Visitor, action: Action, now_ms: int
    ) -> None:
        sql.change(connection, row.id, state, decided_by=by.person, decided_name=by.name[:64], decided_ms=now_ms)
        doors = [door.compartment for door in row.doors]
        self._note(connection, by, action, row.tenant, row.site, doors, row.reason)

    def _note(
        self,
        connection: Connection,
        by: Visitor,
        action: Action,
        tenant: int,
        site: str,
        doors: Sequence[str],
        why: str,
    ) -> None:
        """The word of the list goes into the log, the sentence does not: nobody can take a name out of the log again (I-34)."""
        self._audit.note(
            connection, by, action, tenant=tenant, at_ms=self._clock(), kind="opening", subject=", ".join(doors),
            site=site, reason=why,
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------------------- what is sent

    def run(self) -> None:
        """Work until `stopping`."""
        while not self.stopping.wait(LOOK_S):
            self.look()

    def look(self) -> None:
        """Send what is next of every wish, and note those that are over."""
        with self._store.reading() as connection:
            found = sql.unfinished(connection)
        for opening in found:
            self.advance(opening)

    def advance(self, opening: str) -> None:
        """Send the next door of a wish, or note that it is over. Safe to call from several threads and processes at once."""
        now_ms = self._clock()
        command = None
        with self._store.writing() as connection:
            row = sql.wish(connection, opening, WHOLE_HUB, lock=True)
            if row is None:
                return
            state = self._next_state(row, now_ms)
            if state is not None:
                sql.change(connection, opening, state)
            elif row.state == Wish.AGREED:
                command = self._command(connection, row, now_ms)
        if command is not None:
            self._send(row, command)
        if command is not None or state is not None:
            self._live.publish("opening", row.site, opening)

    def _next_state(self, row: OpeningRow, now_ms: int) -> Wish | None:
        if row.state == Wish.WAITING and rules.wish_now(row.state, row.asked_ms, now_ms) == Wish.LAPSED:
            return Wish.LAPSED
        if row.state == Wish.AGREED and rules.is_over(row.doors, row.decided_ms, now_ms):
            return Wish.ENDED
        return None

    def _command(self, connection: Connection, row: OpeningRow, now_ms: int) -> Command | None:
        """The command of the next door, kept; None when none is due, or the site is not heard now."""
        place = rules.next_door(row.doors, row.decided_ms, now_ms)
        moment = self._moment(connection, row.number, now_ms)
        if place is None or moment is None or not self._link.is_connected:
            return None
        command = Command(
            id=uuid4().hex,
            verb=Verb.OPEN,
            issued_at_ms=now_ms,
            expires_at_ms=now_ms + rules.DOOR_LIFE_MS,
            session=moment.session,
            until_mono_ms=moment.until_mono_ms,
            actor=f"person-{row.asked_by}",
            approver=f"person-{row.decided_by}",
            reason=row.reason,
            compartment=Label(row.doors[place].compartment),
        )
        ingest.add_command(connection, ingest.command_values(row.number, command))
        sql.note_sent(connection, row.id, place, command.id)
        return command

    def _send(self, row: OpeningRow, command: Command) -> None:
        if self._link.publish(topics.topic(topics.COMMAND, row.site), encode(command), qos=1, retain=False):
            return
        with self._store.writing() as connection:
            ingest.answer_command(connection, row.number, command.id, Outcome.REFUSED, "not_published", self._clock())

    def _moment(self, connection: Connection, site: int, now_ms: int) -> Moment | None:
        word = sql.live_word(connection, site)
        if word is None or word.presence != PresenceStatus.READY:
            return None
        health = kept(Health, word.health)
        return rules.moment_for(health, word.health_ms, word.boot, now_ms)


def _labels(word: Any) -> frozenset[str]:
    birth = None if word is None else kept(Birth, word.birth)
    return frozenset() if birth is None else frozenset(card.label for card in birth.compartments)
