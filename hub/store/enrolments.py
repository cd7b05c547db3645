"""The statements behind tokens that make a machine a site. Refuses to see a token: only digests come here."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from hub.store.schema import SITE
from hub.store.schema_people import ENROLMENT


def add(connection: Connection, digest: bytes, site: int, expires_ms: int) -> None:
    """Keep a new token; one of the same site that nobody used is worth nothing from now on."""
    connection.execute(delete(ENROLMENT).where(ENROLMENT.c.site == site, ENROLMENT.c.used_ms.is_(None)))
    connection.execute(insert(ENROLMENT).values(digest=digest, site=site, expires_ms=expires_ms))


def site_of(connection: Connection, digest: bytes) -> Any:
    """The token's site, its end and its use; None when there is no such token."""
    query = select(SITE, ENROLMENT.c.expires_ms, ENROLMENT.c.used_ms).join(SITE, SITE.c.number == ENROLMENT.c.site)
    return connection.execute(query.where(ENROLMENT.c.digest == digest)).one_or_none()


def use(connection: Connection, digest: bytes, now_ms: int) -> bool:
    """Use a token up; False when somebody else just did."""
    unused = update(ENROLMENT).where(ENROLMENT.c.digest == digest, ENROLMENT.c.used_ms.is_(None))
    return connection.execute(unused.values(used_ms=now_ms)).rowcount == 1


def prune(connection: Connection, before_ms: int) -> None:
    """Forget tokens whose end is long past."""
    connection.execute(delete(ENROLMENT).where(ENROLMENT.c.expires_ms < before_ms))
