"""What people ask of sites themselves: create one, its name and times, who has a badge there. Each in one transaction.

Owns the order *check, write, note in the log, wake the planner*. A badge's text is told once and kept as its digest. Refuses to know HTTP
and the command line. Raises hub.core.parcels.Refused.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from hub.audit.chain import REASON_CHARACTERS_MAX, Action
from hub.audit.log import AuditLog
from hub.carriers.sandbox import furnish
from hub.clock import Clock, start_of
from hub.core.parcels import CARRIER_CHARACTERS_MAX, Refused
from hub.core.permissions import Visitor
from hub.keys import KeyRing
from hub.live import Live
from hub.store import desk
from hub.store.engine import Store
from wire.badges import PIN_DIGITS_MAX, PIN_DIGITS_MIN, badge_digest, badge_text, is_pin, pin_digest
from wire.ids import is_site_id
from wire.plan import Person, Role, Settings

NAME_CHARACTERS_MAX: Final = 80
ADDRESS_CHARACTERS_MAX: Final = 200
PHONE_CHARACTERS_MAX: Final = 20
_PERSON: Final = re.compile(r"[A-Za-z0-9_.-]{1,32}")
"""An opaque id: it stands in every fact of the site, so no name with its spaces and accents fits (I-33)."""


@dataclass(frozen=True, slots=True)
class SiteCard:
    """How a site is named to people."""

    name: str
    address: str = ""
    help_phone: str = ""


def badge_end(last_day: date) -> int:
    """When a badge ends that is good up to this day, in milliseconds since 1970. Raises Refused: the last day of all has no end."""
    try:
        return start_of(last_day + timedelta(days=1))
    except (ValueError, OverflowError) as error:
        raise Refused("bad_date", "until: the last day of the badge, as 2027-06-30") from error


class Sites:
    """Everything that may be asked about sites."""

    def __init__(
        self,
        *,
        store: Store,
        keys: KeyRing,
        clock: Clock,
        live: Live | None = None,
        wake_planner: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._live = live
        self._wake_planner = wake_planner
        self._audit = AuditLog(keys)

    def create(self, site_id: str, card: SiteCard, tenant: int, by: Visitor, *, sandbox: bool = False) -> int:
        """Create a site; its number. Its key is printed by the command line alone. Refused: `bad_id`, `bad_card`, `duplicate`."""
        if not is_site_id(site_id):
            raise Refused("bad_id", "id: 2 to 31 characters of a-z, 0-9 and -, not hub")
        _check(card)
        with self._store.writing() as connection:
            if desk.site(connection, site_id) is not None:
                raise Refused("duplicate", f"id: there is a site {site_id} already")
            number = desk.add_site(
                connection, site=site_id, name=card.name, address=card.address, help_phone=card.help_phone,
                now_ms=self._clock(), tenant=tenant, sandbox=sandbox,
            )  # fmt: skip
            if sandbox:
                furnish(connection, number)
            self._note(connection, by, Action.SITE_CREATED, tenant, site_id)
        self._changed(site_id)
        return number

    def settings(self, site_id: str, by: Visitor) -> Settings:
        """The times of a site as they are wanted. Refused: `unknown_site`."""
        with self._store.reading() as connection:
            return desk.settings_of(self._site(connection, site_id, by))

    def change(self, site_id: str, by: Visitor, *, card: SiteCard | None = None, times: Mapping[str, Any] = {}) -> None:
        """Give a site another name or other times; its next plan carries them. Refused: `unknown_site`, `bad_card`, `bad_setting`.

        What is the same as before is no change: no plan is sent and no line is written for it.
        """
        with self._store.writing() as connection:
            row = self._site(connection, site_id, by)
            known = desk.settings_of(row)
            wanted = _settings(msgspec.to_builtins(known) | dict(times))
            said = [f"{key}={value}" for key, value in times.items() if getattr(known, key) != getattr(wanted, key)]
            if said:
                desk.set_settings(connection, number=row.number, settings=wanted)
            if card is not None and card != SiteCard(row.name, row.address, row.help_phone):
                _check(card)
                desk.rename_site(connection, row.number, card.name, card.address, card.help_phone)
                said.append("name, address or phone")
            if said:
                reason = ", ".join(said)[:REASON_CHARACTERS_MAX]
                self._note(connection, by, Action.SITE_CHANGED, row.tenant, site_id, reason=reason)
        if said:
            self._changed(site_id)

    def roster(self, site_id: str, by: Visitor) -> list[Person]:
        """Who has a badge at a site, by id. Refused: `unknown_site`."""
        with self._store.reading() as connection:
            row = self._site(connection, site_id, by)
            return sorted(desk.people_of(connection, row.number), key=lambda person: (len(person.id), person.id))

    def add_badge(
        self, site_id: str, person: str, by: Visitor, *, role: str = Role.CONCIERGE, carrier: str = "", pin: str = "",
        valid_until_ms: int = 0,
    ) -> str:  # fmt: skip
        """Put somebody on a site's roster; the text of their badge, told this once.

        Refused: `unknown_site`, `bad_person`, `bad_role`, `bad_carrier` (a courier has one, nobody else), `bad_pin`, `duplicate`.
        """
        if not _PERSON.fullmatch(person):
            raise Refused("bad_person", "person: 1 to 32 letters, digits, - _ or . and no name")
        if role not in {each.value for each in Role}:
            raise Refused("bad_role", "role: choose one of the list")
        if (role == Role.COURIER) != bool(carrier) or len(carrier) > CARRIER_CHARACTERS_MAX:
            raise Refused("bad_carrier", "carrier: a courier works for one, and nobody else does")
        if pin and not is_pin(pin):
            raise Refused("bad_pin", f"pin: {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits")
        text = badge_text(secrets.randbits(128))
        worn = Person(
            id=person, role=role, badge=badge_digest(text), carrier=carrier,
            pin=pin_digest(text, pin) if pin else "", valid_until_ms=valid_until_ms,
        )  # fmt: skip
        try:
            with self._store.writing() as connection:
                row = self._site(connection, site_id, by)
                desk.add_badge(connection, number=row.number, person=worn)
                self._note(connection, by, Action.BADGE_ADDED, row.tenant, site_id, kind="badge", subject=person)
        except IntegrityError as error:
            raise Refused("duplicate", f"person: {person} is on the roster of {site_id} already") from error
        self._changed(site_id)
        return text

    def end_badge(self, site_id: str, person: str, by: Visitor) -> None:
        """Take somebody off a roster: a lost badge opens nothing more once the site has its next plan. Refused: `unknown_person` …"""
        with self._store.writing() as connection:
            row = self._site(connection, site_id, by)
            if not desk.end_badge(connection, number=row.number, person=person):
                raise Refused("unknown_person", f"person: {person} is not on the roster of {site_id}")
            self._note(connection, by, Action.BADGE_ENDED, row.tenant, site_id, kind="badge", subject=person)
        self._changed(site_id)

    def _site(self, connection: Connection, site_id: str, by: Visitor) -> Any:
        row = desk.site(connection, site_id)
        if row is None or not by.scope.holds_site(row.tenant, row.number):
            raise Refused("unknown_site", f"there is no site {site_id}")
        return row

    def _note(
        self, connection: Connection, by: Visitor, action: Action, tenant: int, site: str,
        *, kind: str = "site", subject: str = "", reason: str = "",
    ) -> None:  # fmt: skip
        self._audit.note(
            connection, by, action, tenant=tenant, at_ms=self._clock(), kind=kind, subject=subject or site, site=site,
            reason=reason,
        )  # fmt: skip

    def _changed(self, site_id: str) -> None:
        self._wake_planner()
        if self._live is not None:
            self._live.publish("site", site_id)


def _settings(values: Mapping[str, Any]) -> Settings:
    unknown = sorted(values.keys() - set(Settings.__struct_fields__))
    if unknown:
        raise Refused(
            "bad_setting", f"unknown: {', '.join(unknown)}; the keys are {', '.join(Settings.__struct_fields__)}"
        )
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise Refused("bad_setting", f"{error}; the keys are {', '.join(Settings.__struct_fields__)}") from error


def _check(card: SiteCard) -> None:
    for text, most, least in (
        (card.name, NAME_CHARACTERS_MAX, 1), (card.address, ADDRESS_CHARACTERS_MAX, 0), (card.help_phone, PHONE_CHARACTERS_MAX, 0)
    ):  # fmt: skip
        if not least <= len(text) <= most or not (text.isprintable() or not text):
            raise Refused(
                "bad_card", "name, address, phone: printable, of 80, 200 and 20 characters at most; a name is needed"
            )
