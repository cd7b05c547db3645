"""Passkeys (WebAuthn): a device that signs for this hub's address alone, after a finger, a face or a PIN.

Owns what is asked of a device, what is checked of its answer and what is kept: public keys alone. Refuses to know pages. A challenge is sealed into
what asks for it, for one purpose and one person, is good for minutes, and is noted when it was answered: nobody can fill a table by asking (ADR 0027).
Raises hub.core.parcels.Refused.
"""

from __future__ import annotations

import base64
import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

import webauthn
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from OpenSSL.crypto import Error as OpenSSLError
from sqlalchemy import Connection
from webauthn.helpers import options_to_json_dict, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from hub.audit.chain import Action
from hub.audit.log import AuditLog
from hub.clock import Clock
from hub.core.parcels import Refused
from hub.core.permissions import Scope, Visitor
from hub.keys import KeyRing
from hub.people.second_factor import SecondFactor
from hub.people.services import Door
from hub.store import passkeys, people
from hub.store.engine import Store

CHALLENGE_MS: Final = 5 * 60_000
"""Time to find the key in a pocket and to touch it."""
CHALLENGE_BYTES: Final = 32
PASSKEYS_MAX: Final = 10
"""Of one person."""
NAME_CHARACTERS_MAX: Final = 64
CREDENTIAL_BYTES_MAX: Final = 1_023
"""What a device may call a passkey (WebAuthn level 3)."""
_SEALED: Final = b"passkey challenge"
_HANDLE: Final = b"passkey owner"
_PRESENCE: Final = UserVerificationRequirement.REQUIRED
_NO_ANSWER: Final = (
    WebAuthnException, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, InvalidSignature,
    UnsupportedAlgorithm, OpenSSLError,
)  # fmt: skip
"""What the library raises, and what its parsers raise at bytes that no browser sends."""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who a passkey is for: the name of the host it is bound to, and the origin that browsers put under each signature."""

    id: str
    origin: str


def relying_party(public_url: str) -> RelyingParty | None:
    """The hub by its public address; None where browsers make no passkeys: without https (localhost excepted), or at a bare IP address."""
    parts = urlsplit(public_url)
    host = (parts.hostname or "").encode("idna").decode()
    if not host or _is_ip_address(host) or not (parts.scheme == "https" or host == "localhost"):
        return None
    is_usual = parts.port in {None, {"https": 443, "http": 80}[parts.scheme]}
    return RelyingParty(host, f"{parts.scheme}://{host}" + ("" if is_usual else f":{parts.port}"))


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Asked:
    """What a browser is asked: `public_key` are the options of WebAuthn, `sealed` comes back with the answer."""

    public_key: dict[str, Any]
    sealed: str


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as its owner's page shows it. `used_ms` is None before its first use."""

    number: int
    name: str
    created_ms: int
    used_ms: int | None


@dataclass(frozen=True, slots=True)
class _Challenge:
    bytes: bytes
    expires_ms: int


@dataclass(frozen=True, slots=True)
class _Signed:
    """An answer whose signature is good."""

    row: Any
    sign_count: int
    challenge: _Challenge


class Passkeys:
    """What may be asked about passkeys."""

    def __init__(
        self, *, store: Store, keys: KeyRing, clock: Clock, door: Door, second_factor: SecondFactor, public_url: str
    ) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._door = door
        self._second_factor = second_factor
        self._audit = AuditLog(keys)
        self._party = relying_party(public_url)

    @property
    def address(self) -> str:
        """The address at which passkeys work; empty where they are not offered."""
        return "" if self._party is None else self._party.origin

    def of(self, person: Visitor) -> list[Passkey]:
        """One's own passkeys, oldest first."""
        with self._store.reading() as connection:
            rows = passkeys.of(connection, person.person)
        return [Passkey(row.number, row.name, row.created_ms, row.used_ms) for row in rows]

    # ------------------------------------------------------------------------------------------------------ what is asked

    def ask_new(self, person: Visitor) -> Asked:
        """For one more passkey of somebody. Refused: `no_passkeys`, `owes`, `too_many`."""
        party, known = self._offered(), self._known(person)
        _may_change(person)
        if len(known) >= PASSKEYS_MAX:
            raise Refused("too_many", f"a person has at most {PASSKEYS_MAX} passkeys")
        challenge = secrets.token_bytes(CHALLENGE_BYTES)
        options = webauthn.generate_registration_options(
            rp_id=party.id,
            rp_name="Consigne",
            user_id=self._handle(person.person),
            user_name=person.name,
            challenge=challenge,
            timeout=CHALLENGE_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED, user_verification=_PRESENCE
            ),
            exclude_credentials=_named(known),
        )
        return Asked(options_to_json_dict(options), self._seal("new", person.person, challenge))

    def ask_own(self, person: Visitor) -> Asked:
        """For a passkey of somebody who is signed in. Refused: `no_passkeys`."""
        return self._ask("own", person.person, _named(self._known(person)))

    def ask_anybody(self) -> Asked:
        """For a passkey of whoever wants to sign in. Refused: `no_passkeys`."""
        return self._ask("sign-in", 0, [])

    def _ask(self, purpose: str, person: int, allowed: list[PublicKeyCredentialDescriptor]) -> Asked:
        challenge = secrets.token_bytes(CHALLENGE_BYTES)
        options = webauthn.generate_authentication_options(
            rp_id=self._offered().id,
            challenge=challenge,
            timeout=CHALLENGE_MS,
            allow_credentials=allowed,
            user_verification=_PRESENCE,
        )
        return Asked(options_to_json_dict(options), self._seal(purpose, person, challenge))

    # --------------------------------------------------------------------------------------------------- what is answered

    def add(self, person: Visitor, cookie: str, name: str, sealed: str, answer: str) -> list[str]:
        """Keep a new passkey. New recovery codes, told this once, for somebody who had none; else none.

        Refused: `no_passkeys`, `owes`, `bad_name`, `stale`, `bad_passkey`, `known`, `too_many`.
        """
        party, digest = self._offered(), self._door.digest(cookie)
        _may_change(person)
        tidy = " ".join(name.split())
        if not 1 <= len(tidy) <= NAME_CHARACTERS_MAX or not tidy.isprintable():
            raise Refused("bad_name", f"name: 1 to {NAME_CHARACTERS_MAX} printable characters")
        challenge = self._opened("new", person.person, sealed)
        try:
            made = webauthn.verify_registration_response(
                credential=answer,
                expected_challenge=challenge.bytes,
                expected_rp_id=party.id,
                expected_origin=party.origin,
                require_user_verification=True,
            )
        except _NO_ANSWER as error:
            raise Refused("bad_passkey", "the answer of the device cannot be verified") from error
        if digest is None or len(made.credential_id) > CREDENTIAL_BYTES_MAX:
            raise Refused("bad_passkey", "the device calls its passkey by too long a name")
        now_ms = self._clock()
        with self._store.writing() as connection:
            row = people.person_by_id(connection, person.person, person.scope.tenant or 0)
            self._use(connection, challenge)
            if row is None or passkeys.found(connection, made.credential_id) is not None:
                raise Refused("known", "this passkey is known already")
            if passkeys.count(connection, row.id) >= PASSKEYS_MAX:
                raise Refused("too_many", f"a person has at most {PASSKEYS_MAX} passkeys")
            number = passkeys.add(
                connection, person=row.id, credential=made.credential_id, public_key=made.credential_public_key,
                sign_count=made.sign_count, name=tidy, created_ms=now_ms,
            )  # fmt: skip
            has_codes = people.recovery_codes_left(connection, row.id) > 0
            codes = [] if has_codes else self._second_factor.new_codes(connection, row.id)
            people.close_sessions(connection, row.id, but=digest)
            people.note_second_factor(connection, digest, now_ms)
            self._note(connection, person, Action.PASSKEY_ADDED, number)
        return codes

    def show(self, person: Visitor, cookie: str, sealed: str, answer: str) -> None:
        """Show one's own passkey in a session, as its second factor. Refused: as `sign_in`."""
        digest = self._door.digest(cookie)
        signed = self._signed("own", person.person, sealed, answer)
        if digest is None or signed.row.person != person.person:
            raise Refused("bad_passkey", "this passkey is somebody else's")
        with self._store.writing() as connection:
            counts = self._take(connection, signed)
            if counts:
                people.note_second_factor(connection, digest, self._clock())
        if not counts:
            raise Refused("copied", "the counter of this passkey did not go up: there may be a copy of it")

    def sign_in(self, sealed: str, answer: str, agent: str = "") -> str:
        """The cookie of a new session, which needs no other factor: the device asked for a finger or a PIN.

        Refused: `no_passkeys`, `stale`, `bad_passkey`, `unknown_passkey`, `copied`.
        """
        signed = self._signed("sign-in", 0, sealed, answer)
        cookie = ""
        with self._store.writing() as connection:
            if self._take(connection, signed):
                cookie = self._door.open(
                    connection, _owner(signed.row), agent, how=f"passkey {signed.row.number}", second_factor=True
                )
        if not cookie:
            raise Refused("copied", "the counter of this passkey did not go up: there may be a copy of it")
        return cookie

    def end(self, person: Visitor, cookie: str, number: int) -> None:
        """Forget one of one's own passkeys, and end every other session: it may be in wrong hands. Refused: `owes`, `unknown_passkey`.

        Whoever has no second factor left has shown none, and has no recovery codes.
        """
        _may_change(person)
        with self._store.writing() as connection:
            row = people.person_by_id(connection, person.person, person.scope.tenant or 0)
            if row is None or not passkeys.end(connection, row.id, number):
                raise Refused("unknown_passkey", "there is no such passkey")
            people.close_sessions(connection, row.id, but=self._door.digest(cookie) or b"")
            if row.second_factor is None and not passkeys.count(connection, row.id):
                people.forget_second_factors(connection, row.id)
                people.set_recovery_codes(connection, row.id, ())
            self._note(connection, person, Action.PASSKEY_REMOVED, number)

    def _signed(self, purpose: str, person: int, sealed: str, answer: str) -> _Signed:
        """An answer that is signed by a passkey we know, for us, for this challenge."""
        party, challenge = self._offered(), self._opened(purpose, person, sealed)
        try:
            credential = parse_authentication_credential_json(answer)
        except _NO_ANSWER as error:
            raise Refused("bad_passkey", "this is no answer of a device") from error
        with self._store.reading() as connection:
            row = passkeys.found(connection, credential.raw_id)
        if row is None:
            raise Refused("unknown_passkey", "no passkey of this hub signed")
        try:
            signed = webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=challenge.bytes,
                expected_rp_id=party.id,
                expected_origin=party.origin,
                credential_public_key=bytes(row.public_key),
                # The library compares counters before it checks the signature. We do it after (`_take`): what the log
                # tells about a counter was really signed.
                credential_current_sign_count=0,
                require_user_verification=True,
            )
        except _NO_ANSWER as error:
            raise Refused("bad_passkey", "the answer of the device cannot be verified") from error
        if (credential.response.user_handle or self._handle(row.person)) != self._handle(row.person):
            raise Refused("bad_passkey", "the device took it for somebody else's")
        return _Signed(row, signed.new_sign_count, challenge)

    def _take(self, connection: Connection, signed: _Signed) -> bool:
        """Note the use of a passkey; False, and a line in the log, when its counter did not go up."""
        self._use(connection, signed.challenge)
        if passkeys.note_use(connection, signed.row.number, signed.sign_count, self._clock()):
            return True
        self._note(connection, _owner(signed.row), Action.PASSKEY_REFUSED, signed.row.number)
        return False

    # ---------------------------------------------------------------------------------------------------------- together

    def _offered(self) -> RelyingParty:
        if self._party is None:
            raise Refused("no_passkeys", "passkeys need a public address with https")
        return self._party

    def _known(self, person: Visitor) -> Sequence[Any]:
        with self._store.reading() as connection:
            return passkeys.of(connection, person.person)

    def _handle(self, person: int) -> bytes:
        """What devices call a person: nothing that tells who it is."""
        return self._keys.signature(_HANDLE, b"%d" % person)

    def _seal(self, purpose: str, person: int, challenge: bytes) -> str:
        text = f"{purpose} {person} {self._clock() + CHALLENGE_MS} {challenge.hex()}"
        return base64.urlsafe_b64encode(self._keys.sealed(_SEALED, text.encode())).decode()

    def _opened(self, purpose: str, person: int, sealed: str) -> _Challenge:
        """The challenge that comes back. Refused: `stale` when it is not ours, not for this, or too old."""
        try:
            opened = self._keys.opened(_SEALED, base64.urlsafe_b64decode(sealed))
        except ValueError:
            opened = None
        parts = (opened or b"").decode().split()
        if len(parts) != 4 or parts[:2] != [purpose, str(person)] or int(parts[2]) <= self._clock():
            raise Refused("stale", "this question is too old, or not yours: ask again")
        return _Challenge(bytes.fromhex(parts[3]), int(parts[2]))

    @staticmethod
    def _use(connection: Connection, challenge: _Challenge) -> None:
        if not passkeys.use_challenge(connection, sha256(challenge.bytes).digest(), challenge.expires_ms):
            raise Refused("stale", "this question was answered before: ask again")

    def _note(self, connection: Connection, by: Visitor, action: Action, number: int) -> None:
        """The log knows a passkey by its number: what people call theirs may be anything."""
        self._audit.note(
            connection, by, action, tenant=by.scope.tenant or 0, at_ms=self._clock(), kind="person", subject=by.name,
            reason=f"passkey {number}",
        )  # fmt: skip


def _may_change(person: Visitor) -> None:
    """Only in a session that showed the second factor there is: a password alone adds and removes none."""
    if not person.signed_in or person.owes_second_factor:
        raise Refused("owes", "show your second factor first")


def _owner(row: Any) -> Visitor:
    return Visitor(row.person_name, row.role, scope=Scope(row.tenant), person=row.person)


def _named(rows: Sequence[Any]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=bytes(row.credential)) for row in rows]
