"""Making a machine a site: a token that is good once and for a day, and what the machine is given for it (A-01).

Owns tokens, the kit and the broker's passwords. Refuses to keep a token or a password: one is known by its digest, the other is derived
from the master secret. Raises hub.core.parcels.Refused.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection

from hub.audit.chain import Action
from hub.audit.log import AuditLog
from hub.clock import Clock
from hub.core.parcels import Refused
from hub.core.permissions import Visitor
from hub.keys import KeyRing
from hub.settings import SiteBroker
from hub.store import desk, enrolments
from hub.store.engine import Store
from wire.enrolment import TOKEN_PREFIX, EnrolmentKit

TOKEN_MS: Final = 24 * 3600 * 1000
"""A day: made at the desk in the morning, used at the site before the evening."""
_ITERATIONS: Final = 101
"""Mosquitto's own number. The passwords are 192 random bits: no number of rounds makes them harder to guess."""
MACHINE: Final = Visitor("machine", "")


class Enrolment:
    """Who may become a site."""

    def __init__(self, *, store: Store, keys: KeyRing, clock: Clock, broker: SiteBroker) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._broker = broker
        self._audit = AuditLog(keys)

    def invite(self, site_id: str, by: Visitor) -> str:
        """A token for the machine of a site, told this once; an earlier one that nobody used ends. Refused: `unknown_site`."""
        token = TOKEN_PREFIX + secrets.token_urlsafe(24)
        with self._store.writing() as connection:
            row = desk.site(connection, site_id)
            if row is None or not by.scope.holds_site(row.tenant, row.number):
                raise Refused("unknown_site", f"there is no site {site_id}")
            enrolments.add(connection, _digest(token), row.number, self._clock() + TOKEN_MS)
            self._note(connection, by, Action.SITE_INVITED, row)
        return token

    def enrol(self, token: str) -> EnrolmentKit:
        """What the machine is given for its token, which is used up. Refused: `bad_token`, `used_token`, `old_token`."""
        now_ms = self._clock()
        digest = _digest(token)
        with self._store.writing() as connection:
            row = enrolments.site_of(connection, digest)
            if row is None:
                raise Refused(
                    "bad_token", "this token is not known: copy it whole, or make another one on the page of the site"
                )
            if row.used_ms is None and now_ms >= row.expires_ms:
                raise Refused("old_token", "this token is older than a day: make another one on the page of the site")
            is_first = row.used_ms is None and enrolments.use(connection, digest, now_ms)
            self._note(connection, MACHINE, Action.SITE_ENROLLED if is_first else Action.SITE_TOKEN_REPLAYED, row)
        if not is_first:
            raise Refused(
                "used_token",
                "this token was used before. If that was not you, somebody else has this site's keys: call the administration now",
            )
        return EnrolmentKit(
            site=row.id,
            number=row.number,
            name=row.name,
            keys=tuple(self._keys.site_key(row.id, epoch).hex() for epoch in range(row.epoch + 1)),
            broker_host=self._broker.host,
            broker_port=self._broker.port,
            password=broker_password(self._keys, row.id),
            ca=self._broker.ca,
        )

    def _note(self, connection: Connection, by: Visitor, action: Action, row: Any) -> None:
        self._audit.note(
            connection, by, action, tenant=row.tenant, at_ms=self._clock(), kind="site", subject=row.id, site=row.id
        )


def broker_password(keys: KeyRing, site: str) -> str:
    """The password of a site's user at the broker: the same as long as the master secret is."""
    return base64.urlsafe_b64encode(keys.signature(b"broker-password", site.encode())[:24]).decode()


def mosquitto_line(user: str, password: str) -> str:
    """A line of Mosquitto's password file (its format 7: PBKDF2 with SHA-512)."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS, 64)
    return f"{user}:$7${_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def mosquitto_passwords(keys: KeyRing, sites: Iterable[str], hub_user: str, hub_password: str) -> str:
    """Mosquitto's password file: the hub, and each site with its own."""
    hub = [mosquitto_line(hub_user, hub_password)] if hub_password else []
    return "\n".join([*hub, *(mosquitto_line(site, broker_password(keys, site)) for site in sites), ""])


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
