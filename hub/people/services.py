"""Signing in: passwords by argon2, sessions by a random cookie with our signature, programs by a bearer token.

Owns who a caller is. Refuses to know what they may do and how pages look. Nothing secret is stored: only digests.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.clock import Clock
from hub.keys import KeyRing
from hub.store import desk
from hub.store.engine import Store
from hub.web.ports import Visitor

SESSION_MS: Final = 12 * 3600 * 1000
"""A working day; then the password is asked again."""
TRIES_BURST: Final = 5
"""Wrong passwords in a row for one name."""
TRY_REFILL_MS: Final = 30_000
"""Time until one more try."""
NAMES_WATCHED_MAX: Final = 10_000
"""Names whose tries are counted; the longest silent one is forgotten first."""
PASSWORD_CHARACTERS_MIN: Final = 10
PASSWORD_CHARACTERS_MAX: Final = 256
"""Longer input is refused before it is hashed."""
TOKEN_PREFIX: Final = "cht_"  # noqa: S105 the prefix of every token, not one
_HASHES_AT_ONCE: Final = 2
"""Argon2 takes 64 MiB a time."""


class WeakPassword(ValueError):
    """The password is too short or too long."""


@dataclass(slots=True)
class _Tries:
    left: float
    at_ms: int


class Door:
    """Who may come in."""

    def __init__(self, store: Store, keys: KeyRing, clock: Clock, *, everybody: bool = False) -> None:
        self._everybody = everybody
        self._store = store
        self._keys = keys
        self._clock = clock
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_hex())
        self._tries: OrderedDict[str, _Tries] = OrderedDict()
        self._lock = threading.Lock()
        self._hashing = threading.Semaphore(_HASHES_AT_ONCE)

    def visitor_of(self, cookie: str) -> Visitor | None:
        """Whose session the cookie is; None when it is nobody's, or over, unless everybody may come in."""
        if self._everybody:
            return Visitor("demo", "admin", signed_in=False)
        digest = self._digest(cookie)
        if digest is None:
            return None
        with self._store.reading() as connection:
            row = desk.session_person(connection, digest, self._clock())
        return None if row is None else Visitor(row.name, row.role)

    def program_of(self, token: str) -> Visitor | None:
        """Whose bearer token it is."""
        with self._store.reading() as connection:
            name = desk.token_name(connection, _token_digest(token))
        return None if name is None else Visitor(name, "program")

    def sign_in(self, name: str, password: str) -> str | None:
        """The cookie of a new session; None when name and password do not fit, or too many were tried."""
        if len(password) > PASSWORD_CHARACTERS_MAX or not self._may_try(name):
            return None
        with self._store.reading() as connection:
            row = desk.person(connection, name)
        if not self._fits(self._nobody if row is None else row.password_hash, password) or row is None:
            return None
        secret = secrets.token_urlsafe(32)
        now_ms = self._clock()
        with self._store.writing() as connection:
            desk.open_session(connection, _secret_digest(secret), row.id, now_ms, now_ms + SESSION_MS)
        with self._lock:
            self._tries.pop(name, None)
        return f"{secret}.{self._signature(secret)}"

    def sign_out(self, cookie: str) -> None:
        """End the session."""
        digest = self._digest(cookie)
        if digest is not None:
            with self._store.writing() as connection:
                desk.close_session(connection, digest)

    def add_person(self, name: str, role: str, password: str) -> None:
        """Create somebody, or give them a new password. Raises WeakPassword."""
        if not PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX:
            raise WeakPassword(
                f"a password has {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX} characters, "
                f"this one has {len(password)}"
            )
        hashed = self._hasher.hash(password)
        with self._store.writing() as connection:
            desk.add_person(connection, name=name, role=role, password_hash=hashed, now_ms=self._clock())

    def add_token(self, name: str) -> str:
        """A new bearer token; shown once, kept as its SHA-256."""
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        with self._store.writing() as connection:
            desk.add_token(connection, name, _token_digest(token), self._clock())
        return token

    def _fits(self, hashed: str, password: str) -> bool:
        with self._hashing:
            try:
                return self._hasher.verify(hashed, password)
            except (VerificationError, InvalidHashError):
                return False

    def _may_try(self, name: str) -> bool:
        now_ms = self._clock()
        with self._lock:
            tries = self._tries.pop(name, _Tries(TRIES_BURST, now_ms))
            tries.left = min(TRIES_BURST, tries.left + (now_ms - tries.at_ms) / TRY_REFILL_MS)
            tries.at_ms = now_ms
            allowed = tries.left >= 1
            if allowed:
                tries.left -= 1
            self._tries[name] = tries
            while len(self._tries) > NAMES_WATCHED_MAX:
                self._tries.popitem(last=False)
            return allowed

    def _digest(self, cookie: str) -> bytes | None:
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
