"""The statements behind passkeys and the challenges they answered.

Owns their SQL. Refuses to decide whether an answer is good. Nothing secret comes here: a passkey's secret never leaves its device.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select, text, update

from hub.store.schema import PERSON
from hub.store.schema_people import PASSKEY

_FOUND: Final = (
    select(PASSKEY, PERSON.c.name.label("person_name"), PERSON.c.role, PERSON.c.tenant)
    .join(PERSON, PERSON.c.id == PASSKEY.c.person)
    .where(PASSKEY.c.credential == bindparam("credential"))
)
_USE: Final = text(
    "INSERT INTO used_challenge (digest, expires_ms) VALUES (:digest, :expires_ms) ON CONFLICT (digest) DO NOTHING"
)


def found(connection: Connection, credential: bytes) -> Any:
    """A passkey by what its device calls it, with `person_name`, `role` and `tenant` of whose it is; None when it is nobody's."""
    return connection.execute(_FOUND, {"credential": credential}).one_or_none()


def of(connection: Connection, person: int) -> Sequence[Any]:
    """The passkeys of somebody, oldest first."""
    return connection.execute(select(PASSKEY).where(PASSKEY.c.person == person).order_by(PASSKEY.c.number)).all()


def owners(connection: Connection, tenant: int) -> frozenset[int]:
    """Who of an association has one."""
    query = select(PASSKEY.c.person).join(PERSON, PERSON.c.id == PASSKEY.c.person).where(PERSON.c.tenant == tenant)
    return frozenset(connection.execute(query.distinct()).scalars())


def count(connection: Connection, person: int) -> int:
    """How many somebody has."""
    return int(connection.execute(select(func.count()).where(PASSKEY.c.person == person)).scalar_one())


def add(connection: Connection, **values: Any) -> int:
    """Keep a passkey; its number."""
    made = connection.execute(insert(PASSKEY).values(**values)).inserted_primary_key
    assert made is not None
    return int(made[0])


def note_use(connection: Connection, number: int, sign_count: int, now_ms: int) -> bool:
    """Note that a passkey signed; False when its counter did not go up. One statement, so that of two equal answers one counts.

    Many devices count nothing: they say 0 for ever, which is as good as it gets.
    """
    counts = PASSKEY.c.sign_count < sign_count if sign_count else PASSKEY.c.sign_count == 0
    query = update(PASSKEY).where(PASSKEY.c.number == number, counts)
    return bool(connection.execute(query.values(sign_count=sign_count, used_ms=now_ms)).rowcount)


def end(connection: Connection, person: int, number: int) -> bool:
    """Forget one of somebody's passkeys; False when it is none of theirs."""
    mine = and_(PASSKEY.c.person == person, PASSKEY.c.number == number)
    return bool(connection.execute(delete(PASSKEY).where(mine)).rowcount)


def end_all(connection: Connection, person: int) -> None:
    """Forget all of somebody's passkeys."""
    connection.execute(delete(PASSKEY).where(PASSKEY.c.person == person))


def use_challenge(connection: Connection, digest: bytes, expires_ms: int) -> bool:
    """Note that a challenge was answered; False when it was before. Who asks at the same moment waits for the first one's transaction."""
    return bool(connection.execute(_USE, {"digest": digest, "expires_ms": expires_ms}).rowcount)
