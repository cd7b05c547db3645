"""The statements behind people, their sessions and second factors, and programs' tokens.

Owns their SQL. Refuses to decide who may ask, and to see a secret: only digests and sealed bytes come here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select, update

from hub.store.schema import API_TOKEN, PERSON, SITE, WEB_SESSION
from hub.store.schema_people import IDENTITY, INVITATION, PASSKEY, PERSON_SITE, RECOVERY_CODE, USED_CHALLENGE

PEOPLE_MAX: Final = 1_000
"""People of one association."""
SESSIONS_SHOWN_MAX: Final = 50


def person(connection: Connection, name: str) -> Any:
    """Somebody by name."""
    return connection.execute(select(PERSON).where(PERSON.c.name == name)).one_or_none()


def person_by_id(connection: Connection, person_id: int, tenant: int) -> Any:
    """Somebody of an association, locked; None when there is nobody of that id in it."""
    query = select(PERSON).where(PERSON.c.id == person_id, PERSON.c.tenant == tenant)
    return connection.execute(query.with_for_update()).one_or_none()


def people(connection: Connection, tenant: int) -> Sequence[Any]:
    """Everybody of an association, by name."""
    return connection.execute(
        select(PERSON).where(PERSON.c.tenant == tenant).order_by(PERSON.c.name).limit(PEOPLE_MAX)
    ).all()


def roles(connection: Connection, tenant: int) -> dict[int, str]:
    """The role of everybody of an association who can sign in, locked until the end of the transaction."""
    query = select(PERSON.c.id, PERSON.c.role).where(PERSON.c.tenant == tenant, PERSON.c.password_hash != "")
    return {row.id: row.role for row in connection.execute(query.order_by(PERSON.c.id).with_for_update())}


def add_person(
    connection: Connection, *, name: str, role: str, password_hash: str, tenant: int, carrier: str, now_ms: int
) -> int:
    """Create somebody; their id."""
    values = {"name": name, "role": role, "password_hash": password_hash, "created_ms": now_ms}
    made = connection.execute(insert(PERSON).values(**values, tenant=tenant, carrier=carrier))
    key = made.inserted_primary_key
    assert key is not None
    return int(key[0])


def change_person(connection: Connection, person_id: int, **values: Any) -> None:
    """Change somebody's row."""
    connection.execute(update(PERSON).where(PERSON.c.id == person_id).values(**values))


def end_person(connection: Connection, person_id: int) -> None:
    """Forget somebody. What they did stays in the audit log, under their name."""
    for table in (WEB_SESSION, INVITATION, RECOVERY_CODE, PASSKEY, IDENTITY, PERSON_SITE):
        connection.execute(delete(table).where(table.c.person == person_id))
    connection.execute(delete(PERSON).where(PERSON.c.id == person_id))


_SITES: Final = select(PERSON_SITE.c.site).where(PERSON_SITE.c.person == bindparam("person"))


def sites_of(connection: Connection, person_id: int) -> frozenset[int]:
    """The sites somebody works at."""
    return frozenset(connection.execute(_SITES, {"person": person_id}).scalars())


def sites_by_person(connection: Connection, tenant: int) -> dict[int, list[str]]:
    """Names of the sites of everybody of an association."""
    query = (
        select(PERSON_SITE.c.person, SITE.c.name)
        .join(SITE, SITE.c.number == PERSON_SITE.c.site)
        .where(SITE.c.tenant == tenant)
        .order_by(SITE.c.name)
    )
    found: dict[int, list[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.person, []).append(row.name)
    return found


def set_sites(connection: Connection, person_id: int, tenant: int, sites: Collection[str]) -> list[str]:
    """Give somebody these sites of their association; the ids that were found."""
    query = select(SITE.c.number, SITE.c.id).where(SITE.c.tenant == tenant, SITE.c.id.in_(sites)).order_by(SITE.c.id)
    rows = connection.execute(query).all()
    connection.execute(delete(PERSON_SITE).where(PERSON_SITE.c.person == person_id))
    if rows:
        connection.execute(insert(PERSON_SITE), [{"person": person_id, "site": row.number} for row in rows])
    return [row.id for row in rows]


# ------------------------------------------------------------------------------------------------------------- sessions


def open_session(
    connection: Connection,
    digest: bytes,
    person_id: int,
    *,
    now_ms: int,
    expires_ms: int,
    agent: str,
    second_ms: int = 0,
) -> None:
    """Remember a signed-in browser; `second_ms`: when it showed its second factor."""
    values = {"digest": digest, "person": person_id, "created_ms": now_ms, "expires_ms": expires_ms, "agent": agent}
    connection.execute(insert(WEB_SESSION).values(**values, second_ms=second_ms))


_SESSION: Final = (
    select(PERSON, WEB_SESSION.c.second_ms, exists().where(PASSKEY.c.person == PERSON.c.id).label("has_passkey"))
    .join(WEB_SESSION, WEB_SESSION.c.person == PERSON.c.id)
    .where(WEB_SESSION.c.digest == bindparam("digest"), WEB_SESSION.c.expires_ms > bindparam("now_ms"))
)


def session_person(connection: Connection, digest: bytes, now_ms: int) -> Any:
    """Whose session it is, when it is not over, with `second_ms` and `has_passkey`."""
    return connection.execute(_SESSION, {"digest": digest, "now_ms": now_ms}).one_or_none()


def sessions_of(connection: Connection, person_id: int, now_ms: int) -> Sequence[Any]:
    """The sessions of somebody that are not over, newest first."""
    query = select(WEB_SESSION).where(WEB_SESSION.c.person == person_id, WEB_SESSION.c.expires_ms > now_ms)
    return connection.execute(query.order_by(WEB_SESSION.c.created_ms.desc()).limit(SESSIONS_SHOWN_MAX)).all()


def session_counts(connection: Connection, now_ms: int) -> dict[int, int]:
    """How many sessions everybody has."""
    query = select(WEB_SESSION.c.person, func.count()).where(WEB_SESSION.c.expires_ms > now_ms)
    return {row[0]: row[1] for row in connection.execute(query.group_by(WEB_SESSION.c.person))}


def note_second_factor(connection: Connection, digest: bytes, now_ms: int) -> None:
    """A session showed its second factor."""
    connection.execute(update(WEB_SESSION).where(WEB_SESSION.c.digest == digest).values(second_ms=now_ms))


def forget_second_factors(connection: Connection, person_id: int) -> None:
    """Somebody has no second factor any more: their sessions showed none."""
    connection.execute(update(WEB_SESSION).where(WEB_SESSION.c.person == person_id).values(second_ms=0))


def close_session(connection: Connection, digest: bytes) -> None:
    """Forget a browser."""
    connection.execute(delete(WEB_SESSION).where(WEB_SESSION.c.digest == digest))


def close_sessions(connection: Connection, person_id: int, *, but: bytes = b"") -> int:
    """Forget every browser of somebody, or every other one; how many."""
    mine = WEB_SESSION.c.person == person_id
    return connection.execute(delete(WEB_SESSION).where(mine, WEB_SESSION.c.digest != but)).rowcount


def close_old_sessions(connection: Connection, now_ms: int) -> None:
    """Forget browsers, invitations and challenges whose time is over."""
    connection.execute(delete(WEB_SESSION).where(WEB_SESSION.c.expires_ms <= now_ms))
    connection.execute(delete(INVITATION).where(INVITATION.c.expires_ms <= now_ms))
    connection.execute(delete(USED_CHALLENGE).where(USED_CHALLENGE.c.expires_ms <= now_ms))


# ---------------------------------------------------------------------------------------------- invitations, recovery


def invite(connection: Connection, person_id: int, digest: bytes, expires_ms: int) -> None:
    """A link to choose a password; an older one is worth nothing any more."""
    connection.execute(delete(INVITATION).where(INVITATION.c.person == person_id))
    connection.execute(insert(INVITATION).values(person=person_id, digest=digest, expires_ms=expires_ms))


def invited(connection: Connection, digest: bytes, now_ms: int) -> Any:
    """Who was invited with this link; locked."""
    query = (
        select(PERSON)
        .join(INVITATION, INVITATION.c.person == PERSON.c.id)
        .where(INVITATION.c.digest == digest, INVITATION.c.expires_ms > now_ms)
        .with_for_update(of=PERSON)
    )
    return connection.execute(query).one_or_none()


def end_invitations(connection: Connection, person_id: int) -> None:
    """No link of somebody works any more."""
    connection.execute(delete(INVITATION).where(INVITATION.c.person == person_id))


def set_recovery_codes(connection: Connection, person_id: int, digests: Collection[bytes]) -> None:
    """Replace the recovery codes of somebody."""
    connection.execute(delete(RECOVERY_CODE).where(RECOVERY_CODE.c.person == person_id))
    if digests:
        connection.execute(insert(RECOVERY_CODE), [{"person": person_id, "digest": digest} for digest in digests])


def use_recovery_code(connection: Connection, person_id: int, digest: bytes) -> bool:
    """Take a recovery code; False when it is none, or was used."""
    mine = (RECOVERY_CODE.c.person == person_id) & (RECOVERY_CODE.c.digest == digest)
    return bool(connection.execute(delete(RECOVERY_CODE).where(mine)).rowcount)


def recovery_codes_left(connection: Connection, person_id: int) -> int:
    """How many recovery codes somebody has."""
    query = select(func.count()).where(RECOVERY_CODE.c.person == person_id)
    return int(connection.execute(query).scalar_one())


# --------------------------------------------------------------------------------------------------------------- tokens


def add_token(
    connection: Connection, name: str, digest: bytes, *, tenant: int, rights: str, carrier: str, now_ms: int
) -> None:
    """Let a program in."""
    values = {"name": name, "digest": digest, "tenant": tenant, "rights": rights, "carrier": carrier}
    connection.execute(insert(API_TOKEN).values(**values, created_ms=now_ms))


def token(connection: Connection, digest: bytes) -> Any:
    """The program of a token."""
    return connection.execute(select(API_TOKEN).where(API_TOKEN.c.digest == digest)).one_or_none()


def tokens(connection: Connection) -> Sequence[Any]:
    """Every program, by name."""
    return connection.execute(select(API_TOKEN).order_by(API_TOKEN.c.name)).all()


def end_token(connection: Connection, name: str) -> int | None:
    """Let a program in no more; the association it was of, None when there is none of that name."""
    tenant = connection.execute(select(API_TOKEN.c.tenant).where(API_TOKEN.c.name == name)).scalar()
    connection.execute(delete(API_TOKEN).where(API_TOKEN.c.name == name))
    return tenant
