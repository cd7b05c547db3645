"""Carriers and their keys: who they are, what their programs may, at which sites and how often.

Owns the order *check, write, note in the log*, and the limit of requests a minute. Refuses to know HTTP and pages.
A key is shown once and kept as its SHA-256. Raises hub.core.parcels.Refused.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from hub.audit.chain import Action
from hub.audit.log import AuditLog
from hub.clock import Clock
from hub.core.parcels import CARRIER_CHARACTERS_MAX, Refused
from hub.core.permissions import CARRIER_RIGHTS, Right, Scope, Visitor, bare_carrier
from hub.keys import KeyRing
from hub.limits import Limits
from hub.store import carriers
from hub.store.engine import Store
from hub.store.tenants import FIRST_TENANT

KEY_PREFIX: Final = "cck_"
"""The first letters of every carrier's key: a leaked one is found by them."""
KEY_NAME_CHARACTERS_MAX: Final = 40
PER_MINUTE_MAX: Final = 1_200
PER_MINUTE_DEFAULT: Final = 120
"""Requests a minute of one key: a carrier with 50 parcels a day at every one of 46 sites needs a hundredth of it."""
KEYS_MAX: Final = 20
"""Keys of one carrier that open: one for each of its programs, and one more while one is replaced."""
USED_EVERY_MS: Final = 60_000
"""Least time between two notes that a key was used: reading must not cost a write each time."""
_MINUTE_MS: Final = 60_000


class TooMany(Exception):
    """A key asked too often; `wait_s` until it may again."""

    def __init__(self, wait_s: int, per_minute: int) -> None:
        super().__init__(
            f"this key may ask {per_minute} times a minute, and did. Nothing was done now. "
            f"Wait {wait_s} s and ask again, or ask the association for a higher limit"
        )
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Key:
    """A key as people see it. `sites` is None for every site of the association."""

    id: int
    carrier: str
    name: str
    hint: str
    rights: tuple[Right, ...]
    sites: Sequence[str] | None
    per_minute: int
    created_ms: int
    created_by: str
    used_ms: int
    ended_ms: int | None


class CarrierKeys:
    """Who of the carriers may come in."""

    def __init__(self, store: Store, keys: KeyRing, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._audit = AuditLog(keys)
        self._limits = Limits(clock)

    def program_of(self, token: str) -> Visitor | None:
        """Whose key it is; None when it is nobody's, or was ended. Raises TooMany."""
        if not token.startswith(KEY_PREFIX):
            return None
        with self._store.reading() as connection:
            row = carriers.key_of(connection, _digest(token))
            if row is None:
                return None
            sites = None if row.every_site else carriers.key_sites(connection, row.id)
        wait_ms = self._limits.wait_ms(row.id, row.per_minute, _MINUTE_MS / row.per_minute)
        if wait_ms:
            raise TooMany(math.ceil(wait_ms / 1000), row.per_minute)
        now_ms = self._clock()
        if now_ms - row.used_ms >= USED_EVERY_MS:
            with self._store.writing() as connection:
                carriers.note_used(connection, row.id, now_ms)
        scope = Scope(row.tenant, sites, row.bare, row.partner)
        return Visitor(f"{row.carrier} / {row.name}"[:64], "", scope=scope, token_rights=rights_in(row.rights))

    def keys(self, by: Visitor) -> list[Key]:
        """The keys of the carriers of the asking person's association, those that open first."""
        tenant = tenant_of(by)
        with self._store.reading() as connection:
            sites = carriers.sites_by_key(connection, tenant)
            rows = carriers.keys(connection, tenant)
        return [
            Key(
                row.id, row.carrier, row.name, row.hint, tuple(sorted(rights_in(row.rights))),
                None if row.every_site else sites.get(row.id, []), row.per_minute, row.created_ms, row.created_by,
                row.used_ms, row.ended_ms,
            )
            for row in rows
        ]  # fmt: skip

    def add(
        self, carrier: str, name: str, rights: Collection[Right], *, by: Visitor, sites: Collection[str] | None = None,
        per_minute: int = PER_MINUTE_DEFAULT,
    ) -> str:  # fmt: skip
        """A new key, which is shown once. `sites` None: every site of the association.

        Refused: `bad_carrier`, `bad_name`, `no_right`, `no_site`, `unknown_site`, `bad_limit`, `too_many`.
        """
        shown, called = _tidy(carrier, CARRIER_CHARACTERS_MAX, "carrier"), _tidy(name, KEY_NAME_CHARACTERS_MAX, "name")
        given = frozenset(rights) & CARRIER_RIGHTS
        if not bare_carrier(shown):
            raise Refused("bad_carrier", "carrier: a name with letters or digits")
        if not given:
            raise Refused("no_right", "rights: a key that may nothing is of no use, name one")
        if sites is not None and not sites:
            raise Refused("no_site", "sites: name one, or say that the key is for every site")
        if not 1 <= per_minute <= PER_MINUTE_MAX:
            raise Refused("bad_limit", f"per_minute: 1 to {PER_MINUTE_MAX} requests")
        token = KEY_PREFIX + secrets.token_urlsafe(32)
        tenant = tenant_of(by)
        try:
            with self._store.writing() as connection:
                partner = self._partner(connection, tenant, shown, by)
                numbers = self._numbers(connection, tenant, sites)
                carriers.add_key(
                    connection, numbers, partner=partner, name=called, digest=_digest(token), hint=token[-4:],
                    rights=" ".join(sorted(given)), every_site=sites is None, per_minute=per_minute,
                    created_ms=self._clock(), created_by=by.name[:64],
                )  # fmt: skip
                where = "every site" if sites is None else ",".join(sorted(sites))
                self._note(
                    connection,
                    by,
                    Action.CARRIER_KEY_ADDED,
                    f"{shown} / {called}",
                    f"{' '.join(sorted(given))} at {where}",
                )
        except IntegrityError as error:  # Somebody added the carrier at the same moment.
            raise Refused("busy", "somebody else did the same at this moment: try again") from error
        return token

    def end(self, key: int, by: Visitor) -> None:
        """A key opens nothing more, from now on. Refused: `unknown_key`."""
        with self._store.writing() as connection:
            row = carriers.end_key(connection, tenant_of(by), key, self._clock())
            if row is None:
                raise Refused("unknown_key", "there is no such key, or it was ended before")
            self._note(connection, by, Action.CARRIER_KEY_ENDED, f"{row.carrier} / {row.name}", "")

    def _partner(self, connection: Connection, tenant: int, name: str, by: Visitor) -> int:
        bare = bare_carrier(name)
        known = carriers.partner(connection, tenant, bare)
        if known is not None:
            live = [row for row in carriers.keys(connection, tenant) if row.partner == known.id and not row.ended_ms]
            if len(live) >= KEYS_MAX:
                raise Refused("too_many", f"this carrier has {KEYS_MAX} keys: end one that is not used any more")
            return int(known.id)
        made = carriers.add_partner(connection, tenant=tenant, name=name, bare=bare, now_ms=self._clock())
        self._note(connection, by, Action.CARRIER_ADDED, name, "")
        return made

    @staticmethod
    def _numbers(connection: Connection, tenant: int, sites: Collection[str] | None) -> Collection[int]:
        if sites is None:
            return ()
        found = carriers.site_numbers(connection, tenant, sites)
        if len(found) != len(set(sites)):
            raise Refused("unknown_site", "sites: one of them does not exist")
        return found.values()

    def _note(self, connection: Connection, by: Visitor, action: Action, subject: str, reason: str) -> None:
        self._audit.note(
            connection, by, action, tenant=tenant_of(by), at_ms=self._clock(), kind="carrier", subject=subject,
            reason=reason,
        )  # fmt: skip


def tenant_of(by: Visitor) -> int:
    """The association somebody works in; the first one for the machine itself."""
    return FIRST_TENANT if by.scope.tenant is None else by.scope.tenant


def rights_in(text: str) -> frozenset[Right]:
    """The rights of a key as they are kept; what this version does not know is none."""
    names = frozenset(text.split())
    return frozenset(right for right in CARRIER_RIGHTS if right.value in names)


def _tidy(text: str, most: int, field: str) -> str:
    tidy = " ".join(text.split())
    if not 1 <= len(tidy) <= most or not tidy.isprintable():
        raise Refused(f"bad_{field}", f"{field}: 1 to {most} printable characters")
    return tidy


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
