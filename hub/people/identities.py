"""Accounts of people at the sign-in of their organisation: who is expected, who is linked, who comes in.

Owns these rules; deny by default: an account that an admin or its own person did not link lets nobody in, whatever the organisation says of it
(ADR 0027). Refuses to know tokens (hub.people.oidc) and pages. Raises hub.core.parcels.Refused.
"""

from __future__ import annotations

import base64
import hmac
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from hub.audit.chain import Action
from hub.audit.log import AuditLog
from hub.clock import Clock
from hub.core.parcels import Refused, tidy_email
from hub.core.permissions import Scope, Visitor
from hub.keys import KeyRing
from hub.people.oidc import Away, Provider, Question, Told, Unbelievable, new_question
from hub.people.services import Door
from hub.store import identities, passkeys, people, tenants
from hub.store.engine import Store
from hub.store.tenants import FIRST_TENANT

LOG: Final = logging.getLogger(__name__)

PENDING_MS: Final = 10 * 60_000
"""Time to sign in at the organisation, a second factor there included."""
_SEALED: Final = b"oidc sign-in"


@dataclass(frozen=True, slots=True)
class Account:
    """An account of somebody at one organisation, or the place for one. `email` and `is_linked` say how far it is.

    `by_email`: the settings name domains, so an admin can expect an address.
    """

    provider: str
    name: str
    email: str
    is_linked: bool
    by_email: bool
    used_ms: int | None

    @property
    def is_expected(self) -> bool:
        """Whether they are awaited with this address."""
        return bool(self.email) and not self.is_linked


@dataclass(frozen=True, slots=True)
class Came:
    """Somebody came back: the cookie of their session, empty when they had one and linked their account; where they go on."""

    cookie: str
    then: str


class _Pending(msgspec.Struct, frozen=True):
    """What a browser keeps for us, sealed, while somebody is at their organisation. `person` links the account to whom; 0 signs in."""

    provider: str
    question: Question
    person: int
    then: str
    expires_ms: int


class Identities:
    """What may be asked about these accounts."""

    def __init__(
        self, *, store: Store, keys: KeyRing, clock: Clock, door: Door, providers: Mapping[str, Provider]
    ) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._door = door
        self._providers = providers
        self._audit = AuditLog(keys)

    @property
    def organisations(self) -> tuple[tuple[str, str], ...]:
        """Key and name of each organisation that people can come from."""
        return tuple((key, provider.settings.name) for key, provider in self._providers.items())

    # -------------------------------------------------------------------------------------------------------- who is expected

    def accounts(self, person: int, tenant: int) -> list[Account]:
        """Of somebody of an association, at every organisation it has."""
        with self._store.reading() as connection:
            mine = {key: one for key, one in self._providers.items() if _tenant_of(connection, one) == tenant}
            rows = {(row.provider, row.issuer): row for row in identities.of(connection, person)}
        return [_account(one, rows.get((key, one.settings.issuer))) for key, one in mine.items()]

    def expect(self, person: int, key: str, email: str, by: Visitor) -> None:
        """Whoever comes with this address, checked by the organisation, is that person; an account linked before is not theirs any more.

        Refused: `unknown_provider`, `unknown_person`, `bad_email`, `wrong_domain`, `taken`.
        """
        provider, tidy = self._provider(key), tidy_email(email).casefold()
        if not tidy:
            raise Refused("bad_email", "email: expected one address such as awa@example.org")
        if tidy.rpartition("@")[2] not in provider.settings.email_domains:
            raise Refused("wrong_domain", "email: it is not of a domain of this organisation")
        with self._theirs_alone(), self._store.writing() as connection:
            row = self._person(connection, provider, person, by)
            identities.put(connection, row.id, key, issuer=provider.settings.issuer, email=tidy, since_ms=self._clock())
            people.close_sessions(connection, row.id)
            self._note(connection, by, Action.IDENTITY_EXPECTED, row.tenant, row.name, key)

    def end(self, person: int, key: str, by: Visitor) -> None:
        """Somebody comes in with their account no more, and is signed out. Refused: `unknown_provider`, `unknown_person`."""
        provider = self._provider(key)
        with self._store.writing() as connection:
            row = self._person(connection, provider, person, by)
            if identities.end(connection, row.id, key):
                people.close_sessions(connection, row.id)
                self._note(connection, by, Action.IDENTITY_ENDED, row.tenant, row.name, key)

    # ------------------------------------------------------------------------------------------------------------ coming in

    def ask(self, key: str, then: str, person: Visitor | None = None) -> tuple[str, str]:
        """Where to send a browser, and what it keeps meanwhile. With a person the account becomes theirs.

        Refused: `unknown_provider`, `provider_away`, `owes`.
        """
        provider = self._provider(key)
        if person is not None:
            if not person.signed_in or person.owes_second_factor:
                raise Refused("owes", "show your second factor first")
            with self._store.reading() as connection:
                if _tenant_of(connection, provider) != person.scope.tenant:
                    raise Refused("unknown_provider", "there is no such organisation")
        question = new_question()
        try:
            address = provider.address(question)
        except Away as error:
            raise self._away(key, error) from None
        pending = _Pending(key, question, person.person if person else 0, then, self._clock() + PENDING_MS)
        sealed = self._keys.sealed(_SEALED, msgspec.json.encode(pending))
        return address, base64.urlsafe_b64encode(sealed).decode()

    def back(
        self, key: str, kept: str, answer: Mapping[str, str], *, agent: str = "", person: Visitor | None = None
    ) -> Came:
        """Somebody comes back from their organisation with `answer` (state, code, iss, error) and what their browser kept.

        Refused: `unknown_provider`, `stale`, `cancelled`, `provider_away`, `bad_answer`, `not_linked`, `taken`.
        """
        provider = self._provider(key)
        pending = self._pending(key, kept, answer.get("state", ""))
        if pending.person and (person is None or person.person != pending.person or person.owes_second_factor):
            raise Refused("stale", "somebody else is signed in by now")
        if "error" in answer:
            raise Refused("cancelled", "the organisation vouches for nobody")
        try:
            told = provider.told(answer.get("code", ""), answer.get("iss", ""), pending.question)
        except Away as error:
            raise self._away(key, error) from None
        except Unbelievable as error:
            LOG.warning("the sign-in of %s is not believed: %s", key, error)
            raise Refused("bad_answer", "what the organisation answered cannot be believed") from None
        if person is not None and pending.person:
            self._link(provider, told, person)
            return Came("", "/account")
        return Came(self._come_in(provider, told, agent), pending.then)

    def _pending(self, key: str, kept: str, state: str) -> _Pending:
        """What the browser kept, used up by this. Refused: `stale` when it is not ours, not of this answer, too old or used."""
        try:
            opened = self._keys.opened(_SEALED, base64.urlsafe_b64decode(kept))
        except ValueError:
            opened = None
        if opened is None:
            raise Refused("stale", "nobody asked for this in this browser")
        pending = msgspec.json.decode(opened, type=_Pending)
        is_its_own = hmac.compare_digest(pending.question.state.encode(), state.encode())
        if not is_its_own or pending.provider != key or pending.expires_ms <= self._clock():
            raise Refused("stale", "this answer is another sign-in's, or took too long")
        with self._store.writing() as connection:
            if not passkeys.use_challenge(connection, sha256(b"oidc" + state.encode()).digest(), pending.expires_ms):
                raise Refused("stale", "this answer was used before")
        return pending

    def _come_in(self, provider: Provider, told: Told, agent: str) -> str:
        key, issuer, now_ms = provider.settings.key, provider.settings.issuer, self._clock()
        with self._theirs_alone(), self._store.writing() as connection:
            tenant = _tenant_of(connection, provider) or 0
            row = identities.linked(connection, key, issuer, tenant, told.subject)
            is_new = row is None and bool(told.email)
            if is_new:
                row = identities.expected(connection, key, issuer, tenant, told.email)
            if row is None:
                raise Refused("not_linked", "nobody here has this account")
            identities.change(connection, row.person, key, subject=told.subject, used_ms=now_ms)
            visitor = Visitor(row.name, row.role, scope=Scope(row.tenant), person=row.person)
            if is_new:
                self._note(connection, visitor, Action.IDENTITY_LINKED, row.tenant, row.name, key)
            return self._door.open(connection, visitor, agent, how=f"oidc {key}", second_factor=told.second_factor)

    def _link(self, provider: Provider, told: Told, person: Visitor) -> None:
        key, issuer, now_ms = provider.settings.key, provider.settings.issuer, self._clock()
        with self._theirs_alone(), self._store.writing() as connection:
            row = self._person(connection, provider, person.person, person)
            identities.put(connection, row.id, key, issuer=issuer, subject=told.subject, since_ms=now_ms)
            self._note(connection, person, Action.IDENTITY_LINKED, row.tenant, row.name, key)

    # ------------------------------------------------------------------------------------------------------------- together

    @staticmethod
    @contextmanager
    def _theirs_alone() -> Iterator[None]:
        """What is written inside makes an account somebody's. Refused: `taken` when it is somebody else's, of whatever association."""
        try:
            yield
        except IntegrityError as error:
            raise Refused("taken", "this account or address is somebody else's") from error

    def _provider(self, key: str) -> Provider:
        found = self._providers.get(key)
        if found is None:
            raise Refused("unknown_provider", "there is no such organisation")
        return found

    @staticmethod
    def _person(connection: Connection, provider: Provider, person: int, by: Visitor) -> Any:
        """Somebody of the association of both, the organisation and who asks, locked."""
        tenant = by.scope.tenant or 0
        if _tenant_of(connection, provider) != tenant:
            raise Refused("unknown_provider", "there is no such organisation")
        row = people.person_by_id(connection, person, tenant)
        if row is None:
            raise Refused("unknown_person", "there is no such person")
        return row

    @staticmethod
    def _away(key: str, error: Away) -> Refused:
        LOG.warning("the sign-in of %s does not answer: %s", key, error)
        return Refused("provider_away", "the organisation does not answer now")

    def _note(self, connection: Connection, by: Visitor, action: Action, tenant: int, name: str, key: str) -> None:
        self._audit.note(
            connection, by, action, tenant=tenant, at_ms=self._clock(), kind="person", subject=name, reason=key
        )


def _tenant_of(connection: Connection, provider: Provider) -> int | None:
    """The association whose people come from there; None while there is none of that name."""
    name = provider.settings.association
    return tenants.association(connection, name) if name else FIRST_TENANT


def _account(provider: Provider, row: Any) -> Account:
    settings = provider.settings
    by_email = bool(settings.email_domains)
    if row is None:
        return Account(settings.key, settings.name, "", is_linked=False, by_email=by_email, used_ms=None)
    return Account(settings.key, settings.name, row.email or "", row.subject is not None, by_email, row.used_ms)
