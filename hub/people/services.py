"""Signing in: passwords by argon2, sessions by a random cookie with our signature, programs by a bearer token.

Owns who a caller is. Refuses to know what they may do and how pages look. Nothing secret is stored: only digests.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Collection
from hashlib import sha256
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection

from hub.audit.chain import Action
from hub.audit.log import AuditLog
from hub.clock import Clock
from hub.core.permissions import TOKEN_RIGHTS, Right, Role, Scope, Visitor, bare_carrier, scope_of
from hub.keys import KeyRing
from hub.limits import Limits
from hub.store import people
from hub.store.engine import Store
from hub.store.tenants import FIRST_TENANT

SESSION_MS: Final = 12 * 3600 * 1000
"""A working day; then the password is asked again."""
TRIES_BURST: Final = 5
"""Wrong passwords in a row for one name."""
TRY_REFILL_MS: Final = 30_000
"""Time until one more try."""
PASSWORD_CHARACTERS_MIN: Final = 10
PASSWORD_CHARACTERS_MAX: Final = 256
"""Longer input is refused before it is hashed."""
TOKEN_PREFIX: Final = "cht_"  # noqa: S105 the prefix of every token, not one
_HASHES_AT_ONCE: Final = 2
"""Argon2 takes 64 MiB a time."""


CONSOLE: Final = Visitor("console", "")
"""Whoever has the hub's machine and its command line."""
_RIGHTS: Final = frozenset(right.value for right in Right)


class UnknownSite(ValueError):
    """A site is not of the association."""


class WeakPassword(ValueError):
    """The password is too short or too long."""


class Door:
    """Who may come in."""

    def __init__(self, store: Store, keys: KeyRing, clock: Clock, *, everybody: bool = False) -> None:
        self._everybody = everybody
        self._store = store
        self._keys = keys
        self._clock = clock
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_hex())
        self._tries = Limits(clock)
        self._audit = AuditLog(keys)
        self._hashing = threading.Semaphore(_HASHES_AT_ONCE)

    def visitor_of(self, cookie: str) -> Visitor | None:
        """Whose session the cookie is; None when it is nobody's, or over.

        Where everybody on this machine may come in, somebody without a session is a network admin of the first
        association without a second factor: they see everything, and open no door.
        """
        digest = self.digest(cookie)
        found = None if digest is None else self._person_of(digest)
        if found is None and self._everybody:
            return Visitor("demo", Role.NETWORK_ADMIN, signed_in=False, scope=Scope(FIRST_TENANT))
        return found

    def _person_of(self, digest: bytes) -> Visitor | None:
        with self._store.reading() as connection:
            row = people.session_person(connection, digest, self._clock())
            if row is None:
                return None
            sites = people.sites_of(connection, row.id)
        scope = scope_of(row.role, tenant=row.tenant, sites=sites, carrier=row.carrier)
        return Visitor(
            row.name,
            row.role,
            scope=scope,
            second_factor=row.second_ms > 0,
            person=row.id,
            owes_second_factor=(row.second_factor is not None or row.has_passkey) and not row.second_ms,
        )

    def program_of(self, token: str) -> Visitor | None:
        """Whose bearer token it is."""
        with self._store.reading() as connection:
            row = people.token(connection, _token_digest(token))
        if row is None:
            return None
        rights = frozenset(Right(name) for name in row.rights.split() if name in _RIGHTS)
        scope = Scope(row.tenant, None, bare_carrier(row.carrier))
        return Visitor(row.name, "", scope=scope, token_rights=rights)

    def sign_in(self, name: str, password: str, agent: str = "") -> str | None:
        """The cookie of a new session; None when name and password do not fit, or too many were tried."""
        if len(password) > PASSWORD_CHARACTERS_MAX or not self.may_try(name):
            return None
        with self._store.reading() as connection:
            row = people.person(connection, name)
        if not self.fits(self._nobody if row is None else row.password_hash, password) or row is None:
            return None
        with self._store.writing() as connection:
            cookie = self.open(connection, Visitor(row.name, row.role, scope=Scope(row.tenant), person=row.id), agent)
        self._tries.forget(name)
        return cookie

    def open(
        self, connection: Connection, person: Visitor, agent: str, *, how: str = "", second_factor: bool = False
    ) -> str:
        """The cookie of a new session of somebody who proved who they are; `how` is for the log, a password without it."""
        secret = secrets.token_urlsafe(32)
        now_ms = self._clock()
        people.open_session(
            connection, _secret_digest(secret), person.person, now_ms=now_ms, expires_ms=now_ms + SESSION_MS,
            agent=agent, second_ms=now_ms if second_factor else 0,
        )  # fmt: skip
        self._audit.note(
            connection, person, Action.SIGNED_IN, tenant=person.scope.tenant or 0, at_ms=now_ms, kind="person",
            subject=person.name, reason=how,
        )  # fmt: skip
        return f"{secret}.{self._signature(secret)}"

    def sign_out(self, cookie: str) -> None:
        """End the session."""
        digest = self.digest(cookie)
        if digest is not None:
            with self._store.writing() as connection:
                people.close_session(connection, digest)

    def add_person(
        self,
        name: str,
        role: Role,
        password: str,
        *,
        by: Visitor = CONSOLE,
        tenant: int = FIRST_TENANT,
        sites: Collection[str] = (),
        carrier: str = "",
    ) -> None:
        """Create somebody, or give them a new password, role, sites and carrier, which ends their sessions.

        Raises WeakPassword, and UnknownSite for a site that is not of their association. Somebody known stays in their
        association, whatever `tenant` says.
        """
        hashed = self.hashed(password)
        now_ms = self._clock()
        with self._store.writing() as connection:
            known = people.person(connection, name)
            if known is None:
                made = people.add_person(
                    connection, name=name, role=role, password_hash=hashed, tenant=tenant, carrier=carrier,
                    now_ms=now_ms,
                )  # fmt: skip
            else:
                made, tenant = known.id, known.tenant
                people.change_person(connection, made, role=role, carrier=carrier, password_hash=hashed)
                people.close_sessions(connection, made)
            missing = set(sites) - set(people.set_sites(connection, made, tenant, sites))
            if missing:
                raise UnknownSite(f"there is no site {', '.join(sorted(missing))} in this association")
            self._audit.note(
                connection, by, Action.PASSWORD_SET, tenant=tenant, at_ms=now_ms, kind="person", subject=name,
                reason=told_as(role, sites, carrier),
            )  # fmt: skip

    def add_token(
        self,
        name: str,
        rights: Collection[Right],
        *,
        by: Visitor = CONSOLE,
        tenant: int = FIRST_TENANT,
        carrier: str = "",
    ) -> str:
        """A new bearer token with these rights; shown once, kept as its SHA-256. Rights of people are never in it."""
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        given = " ".join(sorted(set(rights) & TOKEN_RIGHTS))
        with self._store.writing() as connection:
            people.add_token(
                connection, name, _token_digest(token), tenant=tenant, rights=given, carrier=carrier,
                now_ms=self._clock(),
            )  # fmt: skip
            self._audit.note(
                connection, by, Action.TOKEN_ADDED, tenant=tenant, at_ms=self._clock(), kind="token", subject=name,
                reason=given,
            )  # fmt: skip
        return token

    def hashed(self, password: str) -> str:
        """A password as it is kept. Raises WeakPassword."""
        if not PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX:
            raise WeakPassword(
                f"a password has {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX} characters, "
                f"this one has {len(password)}"
            )
        return self._hasher.hash(password)

    def fits(self, hashed: str, password: str) -> bool:
        """Whether it is the password behind the hash."""
        with self._hashing:
            try:
                return self._hasher.verify(hashed, password)
            except (VerificationError, InvalidHashError):
                return False

    def may_try(self, name: str) -> bool:
        """Whether one more secret may be tried for this name; a bucket that refills with time."""
        return self._tries.wait_ms(name, TRIES_BURST, TRY_REFILL_MS) == 0

    def digest(self, cookie: str) -> bytes | None:
        """The digest of the session a cookie names; None for a cookie we did not make."""
        secret, _, signature = cookie.partition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(secret).encode()):
            return None  # a made-up cookie never reaches the database
        return _secret_digest(secret)

    def _signature(self, secret: str) -> str:
        return self._keys.signature(b"session", secret.encode()).hex()


def _secret_digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _token_digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


def told_as(role: str, sites: Collection[str], carrier: str) -> str:
    """A role with its bounds, as the audit log tells it."""
    return " ".join(part for part in (role, ",".join(sorted(sites)), f"({carrier})" if carrier else "") if part)
