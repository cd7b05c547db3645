"""The tables of associations, of people beside `schema.PERSON`, and of the log of who did what.

Owns names, keys and indexes, as `hub.store.schema` does.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from hub.store.schema import METADATA

ASSOCIATION: Final = Table(
    "association",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", String(80), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    UniqueConstraint("name"),
)
"""Who runs sites. Sites, people and tokens name theirs as `tenant`; everything else belongs to its site."""

PERSON_SITE: Final = Table(
    "person_site",
    METADATA,
    Column("person", Integer, ForeignKey("person.id"), primary_key=True, autoincrement=False),
    Column("site", Integer, ForeignKey("site.number"), primary_key=True, autoincrement=False),
)
"""The sites somebody works at; network admins and auditors need no row."""

INVITATION: Final = Table(
    "invitation",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("person", Integer, ForeignKey("person.id"), nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
)
"""A link to choose a password, by the SHA-256 of what it holds; used once."""

RECOVERY_CODE: Final = Table(
    "recovery_code",
    METADATA,
    Column("person", Integer, ForeignKey("person.id"), primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, primary_key=True),
)
"""A second factor on paper, used once, by its digest."""

PASSKEY: Final = Table(
    "passkey",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("person", Integer, ForeignKey("person.id"), nullable=False),
    Column("credential", LargeBinary, nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("name", String(64), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
    Index("ix_passkey_person", "person"),
    sqlite_autoincrement=True,
)
"""A device that signs for somebody. `credential` is what the device calls it, `public_key` is in COSE, `sign_count` the last it told."""

USED_CHALLENGE: Final = Table(
    "used_challenge",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("expires_ms", BigInteger, nullable=False),
)
"""What a passkey signed once and never again, by its SHA-256; kept until it would be refused for its age anyway."""

IDENTITY: Final = Table(
    "identity",
    METADATA,
    Column("person", Integer, ForeignKey("person.id"), primary_key=True, autoincrement=False),
    Column("provider", String(31), primary_key=True),
    Column("issuer", String(200), nullable=False),
    Column("subject", String(255)),
    Column("email", String(254)),
    Column("since_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
    UniqueConstraint("provider", "subject"),
    UniqueConstraint("provider", "email"),
)
"""Somebody's account at the sign-in of their organisation. Without `subject` they are expected with `email` and have not come yet."""

AUDIT: Final = Table(
    "audit",
    METADATA,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("action", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("site", String(31), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("hash", LargeBinary, nullable=False),
)
"""Who did what, on what, when and why: one chain for each association. Never a recipient's name or number."""

AUDIT_HEAD: Final = Table(
    "audit_head",
    METADATA,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
)
"""The end of each chain, sealed with the master secret: lines cut off at the end are missed too. The row lock of the log."""

ENROLMENT: Final = Table(
    "enrolment",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("site", Integer, ForeignKey("site.number"), nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
)
"""A token that makes a machine this site, by its SHA-256; good once (A-01). A used one is kept, so that a second use is told as one."""
