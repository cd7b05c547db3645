"""What people ask of parcels and alerts, each in one transaction, told to the pages afterwards.

Owns the order *check, write, wake the planner*. Refuses to know HTTP. Raises hub.core.parcels.Refused.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from hub.audit.chain import Action
from hub.audit.log import AuditLog
from hub.carriers.outbox import Outbox
from hub.clock import Clock
from hub.core.correcting import Correction, anew, corrected, may_correct, moved_ways, ways_given
from hub.core.join import Wishes, taken_over, wishes_of
from hub.core.parcels import REPLACEABLE, AlreadyHere, Announced, NewParcel, Refused, check_recall, next_version
from hub.core.permissions import Visitor, bare_carrier
from hub.core.plans import VersionsExhausted, free_version
from hub.core.project import AlertKind, ParcelRecord, shown_state
from hub.core.telling import MessageKind, replaced_kind
from hub.keys import KeyRing
from hub.live import Live
from hub.receiver import Link
from hub.store import desk, ingest, outbox, privacy, tenants
from hub.store import once as once_sql
from hub.store.engine import Store
from wire import topics
from wire.ids import PARCEL_ID_BITS, Label, ParcelId, ParcelState, parcel_id_from_bits
from wire.messages import COMMAND_LIFE_MS_MAX, Command, Verb, encode
from wire.pickup import PickupKey
from wire.plan import PLAN_PARCELS_MAX, Intent


@dataclass(frozen=True, slots=True)
class Once:
    """That a wish counts once, however often it is asked: whose key, of which wish, and what is answered to it."""

    owner: str
    key: str
    digest: bytes
    answer: Callable[[Connection, str], bytes]
    """Makes the answer about a parcel, in the transaction that announces it."""


class Desk:
    """Everything a signed-in person or program may ask."""

    def __init__(
        self,
        *,
        store: Store,
        keys: KeyRing,
        live: Live,
        link: Link,
        clock: Clock,
        wake_planner: Callable[[], None],
        wake_sender: Callable[[], None],
    ) -> None:
        self._store = store
        self._keys = keys
        self._live = live
        self._link = link
        self._clock = clock
        self._wake_planner = wake_planner
        self._wake_sender = wake_sender
        self._audit = AuditLog(keys)

    def announce(self, parcel: NewParcel, by: Visitor, once: Once | None = None) -> Announced:
        """Announce a parcel, or give the one that is known under this number its recipient.

        A number that is alive at the site is never announced twice: `duplicate` (`AlreadyHere`), which says where that
        parcel is, unless it has no recipient yet and one is named now. Numbers are compared as a reader gives them,
        which is how both sides keep them. The same number at another site is another matter: a carrier may have
        redirected the parcel, or will; only the site with the parcel in hand can tell (S-04), and no plan of a site
        names a parcel of another. Refused besides: `unknown_site`, `full`, `versions_exhausted`, and
        `key_reused` when the key of `once` came with another wish.
        """
        parcel_id = parcel_id_from_bits(secrets.randbits(PARCEL_ID_BITS))
        with self._store.writing() as connection:
            said = None if once is None else self._said(connection, once)
            if said is not None:
                return said
            site = self._site(connection, parcel.site, by)
            if by.scope.carrier:
                parcel = replace(parcel, carrier=parcel.carrier or by.scope.carrier)
                if bare_carrier(parcel.carrier) != by.scope.carrier:
                    raise Refused("bad_carrier", "carrier: you announce parcels of your own carrier only")
            if site.sandbox:  # nobody is told of a parcel that is none
                parcel = replace(parcel, name="", phone="", email="")
            known = self._attach(connection, site.number, parcel, by)
            if known is None:
                live = desk.live_versions(connection, site.number)
                if len(live) >= PLAN_PARCELS_MAX:
                    raise Refused("full", f"the site has {len(live)} live parcels; no more fit in its plan")
                version = self._free_version(connection, site, parcel_id, 1, site.epoch)
                desk.announce(
                    connection,
                    parcel_id,
                    parcel,
                    number=site.number,
                    version=version,
                    epoch=site.epoch,
                    now_ms=self._clock(),
                    partner=by.scope.partner or None,
                )
            if once is not None:
                once_sql.answered(
                    connection, once.owner, once.key, parcel=known or parcel_id, is_new=known is None,
                    answer=once.answer(connection, known or parcel_id),
                )  # fmt: skip
            if by.scope.partner:
                self._tell(connection, None, known or parcel_id)
            action = Action.PARCEL_ANNOUNCED if known is None else Action.PARCEL_ATTACHED
            self._note(connection, by, action, site.tenant, parcel.site, subject=known or parcel_id)
        self._changed(parcel.site, known or parcel_id)
        if known is not None:
            self._wake_sender()
        return Announced(known or parcel_id, is_new=known is None)

    def _attach(self, connection: Connection, number: int, new: NewParcel, by: Visitor) -> str | None:
        """The live parcel of this number, with its recipient now; None when there is none. Raises AlreadyHere."""
        alive = desk.alive_with(connection, number, new.tracking) if new.tracking else ()
        if not alive:
            return None
        first, wanted = alive[0], wishes_of(new)
        told = any(ingest.wishes(connection, row.id).has_recipient for row in alive)
        if by.scope.carrier and not _may_be_theirs(first, by, told=told):
            raise Refused("duplicate", "tracking: this number is in use at the site")  # whose, and where, is not theirs
        if by.scope.partner and first.partner is None:
            # It came before it was announced: from now on its carrier follows it.
            desk.change_parcel(
                connection,
                first.id,
                number,
                self._clock(),
                partner=by.scope.partner,
                carrier=first.carrier or new.carrier,
            )
            if told or not wanted.has_recipient:
                return str(first.id)
        if told or not wanted.has_recipient:
            place = ("", "") if by.scope.partner else (first.place_kind or "", first.place_name)
            raise AlreadyHere(first.id, _state(first), *place)
        ingest.save_wishes(connection, first.id, taken_over(ingest.wishes(connection, first.id), wanted))
        desk.change_parcel(connection, first.id, number, self._clock())
        if first.state == ParcelState.STORED:
            outbox.add_messages(connection, [(first.id, MessageKind.READY)], self._clock())
        return str(first.id)

    def _said(self, connection: Connection, once: Once) -> Announced | None:
        """What was answered when the same was asked before; None when it was not."""
        row = once_sql.claim(connection, once.owner, once.key, once.digest, self._clock())
        if row is None:
            return None
        if bytes(row.digest) != once.digest:
            raise Refused(
                "key_reused",
                "Idempotency-Key: another parcel was announced with this key. Take a new key for each parcel, "
                "and the same key only to ask again.",
            )
        return Announced(row.parcel, is_new=row.is_new, answer=bytes(row.answer))

    def reissue(self, parcel: str, by: Visitor) -> int:
        """Replace the keys of a parcel; the new version. Refused: `unknown_parcel`, `not_here`, `versions_exhausted`.

        With its own key a second one is replaced too (ADR 0007): whoever lost a slip may have lost that one.
        """
        with self._store.writing() as connection:
            row = self._parcel(connection, parcel, by)
            version = self._replace_keys(connection, row, by)
            outbox.add_messages(connection, [(row.id, replaced_kind(version))], self._clock())
        self._changed(row.site_id, row.id)
        self._wake_sender()
        return version

    def _replace_keys(self, connection: Connection, row: Any, by: Visitor) -> int:
        version = next_version(_state(row), row.version)
        site = desk.site(connection, row.site_id)
        version = self._free_version(connection, site, ParcelId(row.id), version, row.epoch)
        now_ms = self._clock()
        desk.change_parcel(connection, row.id, row.site, now_ms, version=version)
        for second in desk.second_keys(connection, row.id):
            newer = next_version(_state(row), second.version)
            newer = self._free_version(connection, site, ParcelId(second.id), newer, second.epoch)
            desk.change_parcel(connection, second.id, row.site, now_ms, version=newer)
        self._note(connection, by, Action.SLIP_REISSUED, row.tenant, row.site_id, subject=row.id)
        return version

    def correct(self, parcel: str, wanted: Correction, by: Visitor) -> bool:
        """Correct the card of a parcel's recipient; whether its slip was replaced by that.

        It is when the code may have gone to an address that is none of theirs, unless the correction keeps it; else what
        brought the code is sent once to the new address (ADR 0024). The log names the fields, never what stands in them.
        Refused: `unknown_parcel`, `not_here`, `erased`, `versions_exhausted`, `corrected_too_often`.
        """
        with self._store.writing() as connection:
            row = self._parcel(connection, parcel, by)
            if not may_correct(_state(row), is_carrier=bool(by.scope.carrier or by.scope.partner)):
                raise Refused(
                    "not_here", f"the parcel is {_state(row)}: its card can be corrected no more, or by its site alone"
                )
            card = ingest.wishes(connection, row.id)
            also = [second.id for second in desk.second_keys(connection, row.id)]
            if not card.has_recipient and privacy.was_erased(connection, row.id, also):
                raise Refused("erased", "the recipient was erased: announce the parcel anew")
            if desk.site(connection, row.site_id).sandbox:  # nobody is told of a parcel that is none
                wanted = replace(wanted, name=None, phone=None, email=None)
            after, changed = corrected(card, wanted)
            if not changed:
                return False
            ingest.save_wishes(connection, row.id, after)
            desk.change_parcel(connection, row.id, row.site, self._clock())
            self._note(
                connection, by, Action.PARCEL_CORRECTED, row.tenant, row.site_id,
                subject=row.id, reason=", ".join(changed),
            )  # fmt: skip
            is_replaced = self._say_anew(connection, row, card, after, wanted, by)
        self._changed(row.site_id, row.id)
        self._wake_sender()
        return is_replaced

    def _say_anew(
        self, connection: Connection, row: Any, before: Wishes, after: Wishes, wanted: Correction, by: Visitor
    ) -> bool:
        """Let the messages about a parcel follow its card; whether its keys were replaced."""
        moved, given = moved_ways(before, after), ways_given(after)
        if not moved:
            return False
        now_ms = self._clock()
        said = outbox.said(connection, row.id)
        keeps = wanted.keeps_code or _state(row) not in REPLACEABLE
        new = anew(said, moved=moved, before=ways_given(before), after=given, keeps_code=keeps)
        for each in said:
            if each.id in new.drops:
                outbox.save_message(connection, each.id, {"state": "unsent", "problem": outbox.CORRECTED})
            elif each.state == "waiting" and not given:
                outbox.save_message(connection, each.id, {"state": "unsent", "problem": outbox.OVERTAKEN})
            elif each.state == "waiting":
                refused = " ".join(sorted(each.refused - moved))
                outbox.save_message(connection, each.id, {"refused": refused, "due_ms": now_ms})
        if new.replaces_key:
            version = self._replace_keys(connection, row, by)
            outbox.say_anew(connection, row.id, replaced_kind(version), frozenset(), now_ms)
        elif new.says:
            outbox.say_anew(connection, row.id, new.says, new.told, now_ms)
        elif _state(row) is ParcelState.STORED:
            outbox.add_messages(connection, [(row.id, MessageKind.READY)], now_ms)
        if new.drops:
            ingest.clear_alert(connection, row.site_id, AlertKind.MESSAGE_FAILED, row.id, now_ms)
        return new.replaces_key

    def recall(self, parcel: str, by: Visitor) -> None:
        """End the hold: the team takes the parcel out. Refused: `unknown_parcel`, `not_here`."""
        with self._store.writing() as connection:
            row = self._parcel(connection, parcel, by)
            check_recall(_state(row))
            before = ingest.parcels(connection, [row.id])[row.id]
            desk.change_parcel(connection, row.id, row.site, self._clock(), intent=Intent.RECALL)
            self._tell(connection, before, row.id)
            self._note(connection, by, Action.PARCEL_RECALLED, row.tenant, row.site_id, subject=row.id)
        self._changed(row.site_id, row.id)

    def show_slip(self, parcel: str, by: Visitor) -> None:
        """Note that somebody sees the slip of a parcel, which is its key. Refused: `unknown_parcel`."""
        with self._store.writing() as connection:
            row = self._parcel(connection, parcel, by)
            self._note(connection, by, Action.SLIP_SHOWN, row.tenant, row.site_id, subject=row.id)

    def tell_again(self, parcel: str, by: Visitor) -> int:
        """Try the messages about a parcel that were given up once more; how many. Refused: `unknown_parcel`."""
        now_ms = self._clock()
        with self._store.writing() as connection:
            row = self._parcel(connection, parcel, by)
            number = outbox.again(connection, row.id, now_ms)
            if number:
                ingest.clear_alert(connection, row.site_id, AlertKind.MESSAGE_FAILED, row.id, now_ms)
                self._note(connection, by, Action.MESSAGE_AGAIN, row.tenant, row.site_id, subject=row.id)
        self._wake_sender()
        self._live.publish("message", row.site_id, row.id)
        return number

    def print_names(self, site_id: str, by: Visitor) -> None:
        """Note that somebody prints whom to tell at a site. Refused: `unknown_site`."""
        with self._store.writing() as connection:
            site = self._site(connection, site_id, by)
            self._note(connection, by, Action.NAMES_PRINTED, site.tenant, site_id, kind="site", subject=site_id)

    def acknowledge(self, alert: int, by: Visitor) -> None:
        """Note that somebody looks after an alert. Refused: `unknown_alert`."""
        with self._store.writing() as connection:
            place = tenants.alert_place(connection, alert)
            if place is None or not by.scope.holds_site(place.tenant, place.number):
                raise Refused("unknown_alert", "there is no such alert")
            desk.acknowledge(connection, alert, by.name, self._clock())
            self._note(
                connection, by, Action.ALERT_ACKNOWLEDGED, place.tenant, place.site, kind="alert", subject=str(alert)
            )
        self._live.publish("alert", place.site, str(alert))

    def command(
        self, site_id: str, verb: Verb, by: Visitor, *, reason: str = "", compartment: Label | None = None
    ) -> str:
        """Send a one-off command that is never executed late; its id. Refused: `unknown_site`, `offline`."""
        if not self._link.is_connected:
            raise Refused("offline", "the broker is away: nothing was sent, and nothing will be")
        now_ms = self._clock()
        command = Command(
            id=uuid4().hex,
            verb=verb,
            issued_at_ms=now_ms,
            expires_at_ms=now_ms + COMMAND_LIFE_MS_MAX,
            actor=by.name[:64],
            reason=reason[:200],
            compartment=compartment,
        )
        with self._store.writing() as connection:
            site = self._site(connection, site_id, by)
            ingest.add_command(connection, ingest.command_values(site.number, command))
            self._note(
                connection, by, Action.COMMAND_SENT, site.tenant, site_id,
                kind="command", subject=f"{verb} {compartment or ''}".strip(), reason=reason,
            )  # fmt: skip
        if not self._link.publish(topics.topic(topics.COMMAND, site_id), encode(command), qos=1, retain=False):
            raise Refused("offline", "the broker did not take the command")
        return command.id

    def _tell(self, connection: Connection, before: ParcelRecord | None, parcel: str) -> None:
        """Whoever announced the parcel is told what became of it."""
        told = Outbox()
        told.moved(before, ingest.parcels(connection, [parcel])[parcel])
        told.write(connection, self._clock())

    def _free_version(self, connection: Connection, site: Any, parcel: ParcelId, version: int, epoch: int) -> int:
        def digits_of(parcel_id: ParcelId, candidate: int) -> str:
            return self._keys.digits(site.id, PickupKey(site.number, parcel_id, candidate, epoch))

        taken = (
            self._keys.digits(site.id, PickupKey(site.number, other, known, other_epoch))
            for other, (known, other_epoch) in desk.live_versions(connection, site.number).items()
            if other != parcel
        )
        try:
            return free_version(parcel, version, digits_of, taken)
        except VersionsExhausted as error:
            raise Refused("versions_exhausted", str(error)) from error

    def _site(self, connection: Connection, site_id: str, by: Visitor) -> Any:
        site = desk.site(connection, site_id)
        if site is None or not by.scope.holds_site(site.tenant, site.number):
            raise Refused("unknown_site", f"site: there is no site {site_id!r}")
        return site

    def _note(
        self, connection: Connection, by: Visitor, action: Action, tenant: int, site: str,
        *, kind: str = "parcel", subject: str = "", reason: str = "",
    ) -> None:  # fmt: skip
        self._audit.note(
            connection, by, action, tenant=tenant, at_ms=self._clock(), kind=kind, subject=subject, site=site,
            reason=reason,
        )  # fmt: skip

    def _parcel(self, connection: Connection, parcel: str, by: Visitor) -> Any:
        row = desk.parcel(connection, parcel)
        if row is None or not by.scope.holds_parcel(row.tenant, row.site, row.carrier, row.partner):
            raise Refused("unknown_parcel", "there is no such parcel")
        return row

    def _changed(self, site: str, parcel: str) -> None:
        self._wake_planner()
        self._live.publish("parcel", site, parcel)


def _state(row: Any) -> ParcelState:
    return shown_state(ParcelState(row.state), Intent(row.intent))


def owner_of(by: Visitor) -> str:
    """Whose keys of wishes that count once these are: a carrier's together, everybody else's their own."""
    return f"partner {by.scope.partner}" if by.scope.partner else f"{by.scope.tenant} {by.name}"[:80]


def _may_be_theirs(row: Any, by: Visitor, *, told: bool) -> bool:
    """Whether a carrier may learn that the live parcel of a number it names is this one.

    Another carrier's is not, and what bears no carrier's name only while nobody knows for whom it is: whoever made up
    numbers would learn where strangers' parcels lie.
    """
    if by.scope.partner and row.partner is not None:
        return bool(row.partner == by.scope.partner)
    if row.carrier:
        return bare_carrier(row.carrier) == by.scope.carrier
    return not (by.scope.partner and told)
