"""The second factor: codes of an app (TOTP, RFC 6238) and recovery codes on paper. Passkeys are in hub.people.passkeys.

Owns how one is set up, shown and replaced. Refuses to know pages. The shared secret is kept sealed with the master secret;
recovery codes are kept as keyed digests. A code is taken once: whoever read it over a shoulder is too late.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from typing import Final

import pyotp
from sqlalchemy import Connection

from hub.audit.chain import Action
from hub.audit.log import AuditLog
from hub.clock import Clock
from hub.core.permissions import Visitor
from hub.keys import KeyRing
from hub.people.services import Door
from hub.store import people
from hub.store.engine import Store

STEP_S: Final = 30
STEPS_EARLY_OR_LATE: Final = 1
"""Half minutes that a telephone's clock may be wrong."""
RECOVERY_CODES: Final = 8
RECOVERY_CHARACTERS: Final = 12
"""Of 32 letters and digits each: 60 bits."""
_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_PURPOSE: Final = b"second factor"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A second factor that is not set yet: what the app needs, and the same sealed, for the form to bring back."""

    secret: str
    uri: str
    sealed: str


class SecondFactor:
    """Sets up and checks second factors."""

    def __init__(self, store: Store, keys: KeyRing, clock: Clock, door: Door) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._door = door
        self._audit = AuditLog(keys)

    def propose(self, person: Visitor) -> Proposal:
        """A new secret for somebody's app. Nothing is kept yet."""
        secret = pyotp.random_base32()
        uri = pyotp.TOTP(secret).provisioning_uri(name=person.name, issuer_name="Consigne")
        sealed = self._keys.sealed(_PURPOSE, f"{person.person} {secret}".encode())
        return Proposal(secret, uri, base64.urlsafe_b64encode(sealed).decode())

    def secret_of(self, person: Visitor, sealed: str) -> str | None:
        """The secret a form brings back; None when we did not propose it to this person."""
        try:
            opened = self._keys.opened(_PURPOSE, base64.urlsafe_b64decode(sealed))
        except ValueError:
            return None
        owner, _, secret = (opened or b"").decode().partition(" ")
        return secret if owner == str(person.person) else None

    def accept(self, person: Visitor, cookie: str, sealed: str, code: str) -> list[str] | None:
        """Set it, when the app shows the right code; the recovery codes, told this once. None when the code is wrong.

        Whoever has one already showed it in this session (`owes_second_factor`): a password alone replaces none.
        """
        secret, digest = self.secret_of(person, sealed), self._door.digest(cookie)
        if secret is None or digest is None or person.owes_second_factor or not self._may_try(person):
            return None
        now_ms = self._clock()
        step = _step_of(secret, code, now_ms)
        if step is None:
            return None
        with self._store.writing() as connection:
            row = people.person_by_id(connection, person.person, person.scope.tenant or 0)
            if row is None:
                return None
            sealed_secret = self._keys.sealed(_PURPOSE, secret.encode())
            people.change_person(connection, row.id, second_factor=sealed_secret, second_factor_step=step)
            codes = self.new_codes(connection, row.id)
            people.close_sessions(connection, row.id, but=digest)
            people.note_second_factor(connection, digest, now_ms)
            self._audit.note(
                connection, person, Action.SECOND_FACTOR_SET, tenant=row.tenant, at_ms=now_ms, kind="person",
                subject=row.name,
            )  # fmt: skip
        return codes

    def show(self, person: Visitor, cookie: str, code: str) -> bool:
        """Show a code of the app, or a recovery code, in a session; whether it was good. Each is good once."""
        digest = self._door.digest(cookie)
        if digest is None or not self._may_try(person):
            return False
        now_ms = self._clock()
        with self._store.writing() as connection:
            row = people.person_by_id(connection, person.person, person.scope.tenant or 0)
            if row is None:
                return False
            secret = (self._keys.opened(_PURPOSE, bytes(row.second_factor or b"")) or b"").decode()
            step = _step_of(secret, code, now_ms) if secret else None
            if step is not None and step > row.second_factor_step:
                people.change_person(connection, row.id, second_factor_step=step)
            elif people.use_recovery_code(connection, row.id, self._recovery_digest(row.id, _bare(code))):
                self._audit.note(
                    connection, person, Action.RECOVERY_CODE_USED, tenant=row.tenant, at_ms=now_ms, kind="person",
                    subject=row.name,
                )  # fmt: skip
            else:
                return False
            people.note_second_factor(connection, digest, now_ms)
        return True

    def has_app(self, person: Visitor) -> bool:
        """Whether somebody has set up an app."""
        with self._store.reading() as connection:
            row = people.person(connection, person.name)
        return row is not None and row.second_factor is not None

    def new_codes(self, connection: Connection, person: int) -> list[str]:
        """New recovery codes for somebody; older ones are worth nothing any more."""
        codes = [_new_code() for _ in range(RECOVERY_CODES)]
        people.set_recovery_codes(connection, person, [self._recovery_digest(person, text) for text in codes])
        return codes

    def _may_try(self, person: Visitor) -> bool:
        return self._door.may_try(f"\x00second factor of {person.person}")

    def _recovery_digest(self, person: int, code: str) -> bytes:
        return self._keys.signature(b"recovery code", b"%d\x00" % person + code.encode())


def shown_code(code: str) -> str:
    """A recovery code as it is written down: ABCD-EFGH-JKLM."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def _new_code() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(RECOVERY_CHARACTERS))


def _bare(code: str) -> str:
    return "".join(letter for letter in code.upper() if letter in _ALPHABET)[:RECOVERY_CHARACTERS]


def _step_of(secret: str, code: str, now_ms: int) -> int | None:
    """The half minute a code is of, when it is one of now; all are compared, whichever fits."""
    bare = "".join(digit for digit in code if digit.isascii() and digit.isdigit())
    now_step, found = now_ms // 1000 // STEP_S, None
    totp = pyotp.TOTP(secret, interval=STEP_S)
    for step in range(now_step - STEPS_EARLY_OR_LATE, now_step + STEPS_EARLY_OR_LATE + 1):
        if secrets.compare_digest(totp.at(step * STEP_S), bare):
            found = step
    return found
