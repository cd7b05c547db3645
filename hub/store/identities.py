"""The statements behind accounts at the sign-in of an organisation.

Owns their SQL. Refuses to decide who is let in. An issuer stands in every question: another one under the same name in the settings vouches for nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from hub.store.schema import PERSON
from hub.store.schema_people import IDENTITY

_OWNED: Final = (
    select(IDENTITY, PERSON.c.name, PERSON.c.role, PERSON.c.tenant)
    .join(PERSON, PERSON.c.id == IDENTITY.c.person)
    .where(
        IDENTITY.c.provider == bindparam("provider"),
        IDENTITY.c.issuer == bindparam("issuer"),
        PERSON.c.tenant == bindparam("tenant"),
    )
    .with_for_update(of=IDENTITY)
)
_LINKED: Final = _OWNED.where(IDENTITY.c.subject == bindparam("subject"))
_EXPECTED: Final = _OWNED.where(IDENTITY.c.subject.is_(None), IDENTITY.c.email == bindparam("email"))


def linked(connection: Connection, provider: str, issuer: str, tenant: int, subject: str) -> Any:
    """Whose account it is, with `name`, `role` and `tenant`, locked; None when it is nobody's of this association."""
    asked = {"provider": provider, "issuer": issuer, "tenant": tenant, "subject": subject}
    return connection.execute(_LINKED, asked).one_or_none()


def expected(connection: Connection, provider: str, issuer: str, tenant: int, email: str) -> Any:
    """Who is expected with this address and has not come yet, as `linked`."""
    asked = {"provider": provider, "issuer": issuer, "tenant": tenant, "email": email}
    return connection.execute(_EXPECTED, asked).one_or_none()


def of(connection: Connection, person: int) -> Sequence[Any]:
    """Every account of somebody."""
    return connection.execute(select(IDENTITY).where(IDENTITY.c.person == person)).all()


def owners(connection: Connection, tenant: int) -> frozenset[int]:
    """Who of an association has come with one."""
    query = select(IDENTITY.c.person).join(PERSON, PERSON.c.id == IDENTITY.c.person)
    return frozenset(
        connection.execute(query.where(PERSON.c.tenant == tenant, IDENTITY.c.subject.is_not(None))).scalars()
    )


def put(connection: Connection, person: int, provider: str, **values: Any) -> None:
    """Give somebody this account, instead of another one there. Raises IntegrityError when it is somebody else's."""
    end(connection, person, provider)
    connection.execute(insert(IDENTITY).values(person=person, provider=provider, **values))


def change(connection: Connection, person: int, provider: str, **values: Any) -> None:
    """Change an account's row."""
    mine = (IDENTITY.c.person == person) & (IDENTITY.c.provider == provider)
    connection.execute(update(IDENTITY).where(mine).values(**values))


def end(connection: Connection, person: int, provider: str) -> bool:
    """Take an account from somebody; False when they had none there."""
    mine = (IDENTITY.c.person == person) & (IDENTITY.c.provider == provider)
    return bool(connection.execute(delete(IDENTITY).where(mine)).rowcount)


def end_all(connection: Connection, person: int) -> None:
    """Take all accounts from somebody."""
    connection.execute(delete(IDENTITY).where(IDENTITY.c.person == person))
