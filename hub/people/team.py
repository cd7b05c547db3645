"""The people of an association: invite, change, end; and one's own password and sessions.

Owns the order *check, write, note in the log*. Refuses to know pages. Raises hub.core.parcels.Refused.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from hub.audit.chain import Action
from hub.audit.log import AuditLog
from hub.clock import Clock
from hub.core.parcels import Refused
from hub.core.permissions import Role, Visitor, keeps_an_admin
from hub.keys import KeyRing
from hub.people.services import Door, told_as
from hub.store import identities, passkeys, people
from hub.store.engine import Store
from hub.store.tenants import FIRST_TENANT

INVITATION_MS: Final = 7 * 24 * 3600 * 1000
"""A link to choose a password is good for a week."""
NAME_CHARACTERS_MAX: Final = 64
CARRIER_CHARACTERS_MAX: Final = 32


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the association, as its people page shows them."""

    id: int
    name: str
    role: str
    carrier: str
    sites: Sequence[str]
    has_come: bool
    has_second_factor: bool
    sessions: int


@dataclass(frozen=True, slots=True)
class Session:
    """A browser of one's own. `handle` names it in a form."""

    handle: str
    agent: str
    created_ms: int
    expires_ms: int
    is_this: bool


class Team:
    """What may be asked about people."""

    def __init__(self, store: Store, keys: KeyRing, clock: Clock, door: Door) -> None:
        self._store = store
        self._clock = clock
        self._door = door
        self._audit = AuditLog(keys)

    def members(self, by: Visitor) -> list[Member]:
        """Everybody of the asking person's association, by name."""
        tenant = _tenant(by)
        with self._store.reading() as connection:
            sites = people.sites_by_person(connection, tenant)
            sessions = people.session_counts(connection, self._clock())
            with_passkey, with_identity = passkeys.owners(connection, tenant), identities.owners(connection, tenant)
            rows = people.people(connection, tenant)
        return [
            Member(
                row.id, row.name, row.role, row.carrier, sites.get(row.id, ()), bool(row.password_hash) or row.id in with_identity,
                row.second_factor is not None or row.id in with_passkey, sessions.get(row.id, 0),
            )
            for row in rows
        ]  # fmt: skip

    def member(self, person: int, by: Visitor) -> Member:
        """One of them. Refused: `unknown_person`."""
        found = next((member for member in self.members(by) if member.id == person), None)
        if found is None:
            raise Refused("unknown_person", "there is no such person")
        return found

    def invite(self, name: str, role: Role, sites: Collection[str], carrier: str, by: Visitor) -> str:
        """Create somebody who chooses their password with the secret of this link. Refused: `bad_name`, `duplicate` …"""
        tidy = " ".join(name.split())
        if not 1 <= len(tidy) <= NAME_CHARACTERS_MAX or not tidy.isprintable():
            raise Refused("bad_name", f"name: 1 to {NAME_CHARACTERS_MAX} printable characters")
        tenant, bare = _tenant(by), _carrier_for(role, carrier)
        try:
            with self._store.writing() as connection:
                made = people.add_person(
                    connection, name=tidy, role=role, password_hash="", tenant=tenant, carrier=bare,
                    now_ms=self._clock(),
                )  # fmt: skip
                self._give_sites(connection, made, tenant, role, sites)
                secret = self._invited(connection, made)
                self._note(connection, by, Action.PERSON_INVITED, tenant, tidy, told_as(role, sites, bare))
        except IntegrityError as error:
            raise Refused("duplicate", "name: somebody of this name is here already") from error
        return secret

    def change(self, person: int, role: Role, sites: Collection[str], carrier: str, by: Visitor) -> None:
        """Give somebody another role, sites and carrier; they hold from their next click. Refused: `last_admin` …"""
        tenant, bare = _tenant(by), _carrier_for(role, carrier)
        with self._store.writing() as connection:
            row = self._known(connection, person, tenant)
            self._keep_an_admin(connection, row, role)
            people.change_person(connection, person, role=role, carrier=bare)
            self._give_sites(connection, person, tenant, role, sites)
            self._note(connection, by, Action.PERSON_CHANGED, tenant, row.name, told_as(role, sites, bare))

    def end(self, person: int, by: Visitor) -> None:
        """Somebody signs in no more, and is signed out at once. Refused: `unknown_person`, `last_admin`."""
        tenant = _tenant(by)
        with self._store.writing() as connection:
            row = self._known(connection, person, tenant)
            self._keep_an_admin(connection, row, "")
            people.end_person(connection, person)
            self._note(connection, by, Action.PERSON_ENDED, tenant, row.name)

    def reset(self, person: int, by: Visitor) -> str:
        """A new link for somebody who lost password or second factor: both are gone and every session ends."""
        tenant = _tenant(by)
        with self._store.writing() as connection:
            row = self._known(connection, person, tenant)
            self._keep_an_admin(connection, row, "")
            people.change_person(connection, person, password_hash="", second_factor=None)
            people.set_recovery_codes(connection, person, ())
            passkeys.end_all(connection, person)
            identities.end_all(connection, person)
            people.close_sessions(connection, person)
            secret = self._invited(connection, person)
            self._note(connection, by, Action.SECOND_FACTOR_REMOVED, tenant, row.name)
        return secret

    def sign_out(self, person: int, by: Visitor) -> None:
        """End every session of somebody. Refused: `unknown_person`."""
        with self._store.writing() as connection:
            row = self._known(connection, person, _tenant(by))
            people.close_sessions(connection, person)
            self._note(connection, by, Action.SESSIONS_ENDED, row.tenant, row.name)

    def invited_name(self, secret: str) -> str | None:
        """Whom a link is for; None when it is used, over or none."""
        with self._store.reading() as connection:
            row = people.invited(connection, _digest(secret), self._clock())
        return None if row is None else str(row.name)

    def join(self, secret: str, password: str) -> bool:
        """Choose the password of a link, which is good once. Raises WeakPassword."""
        hashed = self._door.hashed(password)
        with self._store.writing() as connection:
            row = people.invited(connection, _digest(secret), self._clock())
            if row is None:
                return False
            people.change_person(connection, row.id, password_hash=hashed)
            people.end_invitations(connection, row.id)
            people.close_sessions(connection, row.id)
            self._note(connection, Visitor(row.name, row.role), Action.PASSWORD_SET, row.tenant, row.name)
        return True

    # ---------------------------------------------------------------------------------------------------- one's own

    def sessions(self, by: Visitor, cookie: str) -> list[Session]:
        """One's own sessions, newest first."""
        this = self._door.digest(cookie)
        with self._store.reading() as connection:
            rows = people.sessions_of(connection, by.person, self._clock())
        return [
            Session(_handle(row.digest), row.agent, row.created_ms, row.expires_ms, bytes(row.digest) == this)
            for row in rows
        ]

    def end_session(self, by: Visitor, handle: str) -> None:
        """End one of one's own sessions; nothing happens when there is none of this handle."""
        with self._store.writing() as connection:
            for row in people.sessions_of(connection, by.person, self._clock()):
                if _handle(row.digest) == handle:
                    people.close_session(connection, bytes(row.digest))
                    self._note(connection, by, Action.SESSIONS_ENDED, _tenant(by), by.name)

    def change_password(self, by: Visitor, cookie: str, old: str, new: str) -> bool:
        """A new password, which ends every other session; False when the old one is wrong. Raises WeakPassword."""
        hashed = self._door.hashed(new)
        with self._store.reading() as connection:
            row = people.person(connection, by.name)
        if row is None or not self._door.may_try(by.name) or not self._door.fits(row.password_hash, old):
            return False
        with self._store.writing() as connection:
            people.change_person(connection, row.id, password_hash=hashed)
            people.close_sessions(connection, row.id, but=self._door.digest(cookie) or b"")
            self._note(connection, by, Action.PASSWORD_SET, row.tenant, row.name)
        return True

    # ------------------------------------------------------------------------------------------------------- together

    def _known(self, connection: Connection, person: int, tenant: int) -> Any:
        row = people.person_by_id(connection, person, tenant)
        if row is None:
            raise Refused("unknown_person", "there is no such person")
        return row

    @staticmethod
    def _keep_an_admin(connection: Connection, row: Any, role: str) -> None:
        roles = people.roles(connection, row.tenant)
        if roles.get(row.id) == Role.NETWORK_ADMIN and not keeps_an_admin(roles, row.id, role):
            raise Refused("last_admin", "the last network admin of an association stays: name another one first")

    @staticmethod
    def _give_sites(connection: Connection, person: int, tenant: int, role: Role, sites: Collection[str]) -> None:
        if len(people.set_sites(connection, person, tenant, sites)) != len(set(sites)):
            raise Refused("unknown_site", "sites: one of them does not exist")
        if role in {Role.MEDIATOR, Role.CONCIERGE, Role.SITE_LEAD} and not sites:
            raise Refused("no_site", "sites: this role works at named sites, name one")

    def _invited(self, connection: Connection, person: int) -> str:
        secret = secrets.token_urlsafe(32)
        people.invite(connection, person, _digest(secret), self._clock() + INVITATION_MS)
        return secret

    def _note(
        self, connection: Connection, by: Visitor, action: Action, tenant: int, name: str, reason: str = ""
    ) -> None:
        self._audit.note(
            connection, by, action, tenant=tenant, at_ms=self._clock(), kind="person", subject=name, reason=reason
        )


def _tenant(by: Visitor) -> int:
    return FIRST_TENANT if by.scope.tenant is None else by.scope.tenant


def _carrier_for(role: Role, carrier: str) -> str:
    tidy = " ".join(carrier.split())[:CARRIER_CHARACTERS_MAX]
    if (role is Role.CARRIER) != bool(tidy):
        raise Refused("bad_carrier", "carrier: somebody of a carrier names it, and nobody else does")
    return tidy


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _handle(digest: bytes) -> str:
    return bytes(digest).hex()[:16]
