"""The tables. Alembic's migrations build the same ones; a test compares the two.

Owns names, keys and indexes. Times are milliseconds since 1970 UTC of the hub's clock unless a column says `site_`.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_PARCEL_ID: Final = String(13)
_SITE_ID: Final = String(31)

HUB_META: Final = Table(
    "hub_meta",
    METADATA,
    Column("key", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)
"""A few single values; `incarnation` is one."""

SITE: Final = Table(
    "site",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", _SITE_ID, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False, server_default=""),
    Column("help_phone", Text, nullable=False, server_default=""),
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("settings", Text, nullable=False, server_default="{}"),
    Column("wanted", BigInteger, nullable=False, server_default="1"),
    Column("created_ms", BigInteger, nullable=False),
    Column("tenant", Integer, nullable=False, server_default="1"),
    Column("sandbox", Boolean, nullable=False, server_default=text("false")),
    Index("ix_site_tenant", "tenant"),
)
"""A site as the hub wants it. `wanted` counts changes of what its plan says. A `sandbox` has no machine: carriers try
their programs there, and it counts in no statistic."""

SITE_CURSOR: Final = Table(
    "site_cursor",
    METADATA,
    Column("site", Integer, ForeignKey("site.number"), primary_key=True, autoincrement=False),
    Column("ordinal", Integer, nullable=False, server_default="1"),
    Column("journal", Text, nullable=False, server_default=""),
    Column("seq", BigInteger, nullable=False, server_default="0"),
    Column("hash", String(64), nullable=False, server_default=""),
    Column("adopt", Boolean, nullable=False, server_default=text("false")),
    Column("committed_ms", BigInteger, nullable=False, server_default="0"),
)
"""How far a site's journal is committed here; the row lock of ingest. `ordinal` counts adopted journals."""

PAST_JOURNAL: Final = Table(
    "past_journal",
    METADATA,
    Column("site", Integer, ForeignKey("site.number"), primary_key=True, autoincrement=False),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("journal", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("closed_ms", BigInteger, nullable=False),
)
"""Journals that an admin replaced by adopting another one."""

SITE_LIVE: Final = Table(
    "site_live",
    METADATA,
    Column("site", Integer, ForeignKey("site.number"), primary_key=True, autoincrement=False),
    Column("boot", BigInteger, nullable=False, server_default="0"),
    Column("heard_ms", BigInteger, nullable=False, server_default="0"),
    Column("presence", String(16), nullable=False, server_default=""),
    Column("presence_ms", BigInteger, nullable=False, server_default="0"),
    Column("birth", LargeBinary),
    Column("birth_ms", BigInteger, nullable=False, server_default="0"),
    Column("state", LargeBinary),
    Column("state_seq", BigInteger, nullable=False, server_default="0"),
    Column("state_boot", BigInteger, nullable=False, server_default="0"),
    Column("state_ms", BigInteger, nullable=False, server_default="0"),
    Column("health", LargeBinary),
    Column("health_ms", BigInteger, nullable=False, server_default="0"),
    Column("applied_incarnation", BigInteger, nullable=False, server_default="0"),
    Column("applied_revision", BigInteger, nullable=False, server_default="0"),
    Column("applied_hash", String(64), nullable=False, server_default=""),
)
"""The last of each retained word of a site, verbatim, and when it was heard."""

COMPARTMENT: Final = Table(
    "compartment",
    METADATA,
    Column("site", Integer, ForeignKey("site.number"), primary_key=True, autoincrement=False),
    Column("label", String(4), primary_key=True),
    Column("size", String(2), nullable=False, server_default=""),
    Column("reach", String(4), nullable=False, server_default=""),
    Column("height_mm", Integer, nullable=False, server_default="0"),
    Column("row", Integer, nullable=False, server_default="0"),
    Column("column", Integer, nullable=False, server_default="0"),
    Column("rows", Integer, nullable=False, server_default="1"),
    Column("columns", Integer, nullable=False, server_default="1"),
    Column("present", Boolean, nullable=False, server_default=text("false")),
    Column("occupancy", String(16), nullable=False, server_default="unknown"),
    Column("service", String(16), nullable=False, server_default="in_service"),
    Column("parcel", _PARCEL_ID),
    Column("changed_seq", BigInteger, nullable=False, server_default="0"),
)
"""A compartment: its card from the site's birth, and the fold of the site's facts about it."""

PARCEL: Final = Table(
    "parcel",
    METADATA,
    Column("id", _PARCEL_ID, primary_key=True),
    Column("site", Integer, ForeignKey("site.number"), nullable=False),
    Column("tracking", String(48), nullable=False, server_default=""),
    Column("carrier", String(32), nullable=False, server_default=""),
    Column("size", String(2)),
    Column("reach", String(4)),
    Column("heavy", Boolean, nullable=False, server_default=text("false")),
    Column("group_id", String(32), nullable=False, server_default=""),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("intent", String(8), nullable=False, server_default="hold"),
    Column("state", String(16), nullable=False),
    Column("place_kind", String(16)),
    Column("place_name", String(32), nullable=False, server_default=""),
    Column("source", String(16), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger),
    Column("stored_ms", BigInteger),
    Column("ended_ms", BigInteger),
    Column("changed_ms", BigInteger, nullable=False),
    Column("joined_into", _PARCEL_ID),
    Column("joined_version", Integer, nullable=False, server_default="0"),
    Column("extended", Integer, nullable=False, server_default="0"),
    Column("partner", Integer),
    Column("held_until_ms", BigInteger),
    Column("door_size", String(2), nullable=False, server_default=""),
    Column("no_door", Boolean, nullable=False, server_default=text("false")),
    Index("ix_parcel_site_state", "site", "state"),
    Index("ix_parcel_created_ms_id", "created_ms", "id"),
    Index("ix_parcel_tracking", "tracking"),
    Index("ix_parcel_ended_ms", "ended_ms"),
    Index(
        "ix_parcel_partner",
        "partner",
        sqlite_where=text("partner IS NOT NULL"),
        postgresql_where=text("partner IS NOT NULL"),
    ),
    Index(
        "ix_parcel_joined_into",
        "joined_into",
        sqlite_where=text("joined_into IS NOT NULL"),
        postgresql_where=text("joined_into IS NOT NULL"),
    ),
)
"""A parcel: what is wanted (`intent`, `version`) and what its site last said (`state`, place).

With `joined_into` it is none any more, but a second key of that parcel (ADR 0007): its state stays *announced*, it has
neither recipient nor messages, and no list, count or plan may show it as a parcel. `joined_version` is the version of
this key that the site has. `extended` is how often its site extended its hold (ADR 0016), and `held_until_ms` until
when. `partner` is the carrier that announced it with a key of its own, and is told of it; nobody for all others. For statistics alone: `door_size`, the size
of the compartment it was put into last, and `no_door`, whether it went to the shelf because no fitting door was free.
"""

CONTACT: Final = Table(
    "contact",
    METADATA,
    Column("parcel", _PARCEL_ID, ForeignKey("parcel.id"), primary_key=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("name_folded", Text, nullable=False, server_default=""),
    Column("phone", String(20), nullable=False, server_default=""),
    Column("help", String(16), nullable=False, server_default="standard"),
    Column("language", String(8), nullable=False, server_default="fr"),
    Column("email", String(254), nullable=False, server_default=""),
)
"""The recipient of a parcel, apart from it, so that it can be erased and the rest kept (I-34)."""

FACT: Final = Table(
    "fact",
    METADATA,
    Column("site", Integer, ForeignKey("site.number"), primary_key=True, autoincrement=False),
    Column("journal", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(32), nullable=False),
    Column("boot", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("trust", String(8), nullable=False),
    Column("committed_ms", BigInteger, nullable=False),
    Column("parcel", _PARCEL_ID),
    Column("session", String(64)),
    Column("body", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index(
        "ix_fact_parcel", "parcel", sqlite_where=text("parcel IS NOT NULL"), postgresql_where=text("parcel IS NOT NULL")
    ),
    Index(
        "ix_fact_session",
        "session",
        sqlite_where=text("session IS NOT NULL"),
        postgresql_where=text("session IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)
"""Every fact of every site, verbatim, with the chain's hash after it. `journal` is the cursor's ordinal."""

ERASURE: Final = Table(
    "erasure",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("asked_ms", BigInteger, nullable=False),
    Column("asked_by", String(64), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("parcels", Text, nullable=False),
)
"""Recipients erased because they asked: who did it, why, and the ids of their parcels (a JSON list)."""

ALERT: Final = Table(
    "alert",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("site", _SITE_ID, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("subject", String(64), nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Column("raised_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("times", Integer, nullable=False, server_default="1"),
    Column("acknowledged_by", Text, nullable=False, server_default=""),
    Column("acknowledged_ms", BigInteger),
    Column("cleared_ms", BigInteger),
    Index(
        "uq_alert_open",
        "site",
        "kind",
        "subject",
        unique=True,
        sqlite_where=text("cleared_ms IS NULL"),
        postgresql_where=text("cleared_ms IS NULL"),
    ),
    sqlite_autoincrement=True,
)
"""Something a person should look at; one open row for each (site, kind, subject). Unknown sites have alerts too."""

MESSAGE: Final = Table(
    "message",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("parcel", _PARCEL_ID, ForeignKey("parcel.id"), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("state", String(16), nullable=False, server_default="waiting"),
    Column("created_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("sent_ms", BigInteger),
    Column("problem", String(200), nullable=False, server_default=""),
    Column("told", String(16), nullable=False, server_default=""),
    Column("refused", String(16), nullable=False, server_default=""),
    UniqueConstraint("parcel", "kind"),
    Index("ix_message_state_due_ms", "state", "due_ms"),
    sqlite_autoincrement=True,
)
"""What recipients are told: one row for each (parcel, kind), without its text, which is made when it is sent.

`told` are the ways it was handed over (`email phone`), `refused` those on which nobody is reached, however often one tries.
"""

PLAN: Final = Table(
    "plan",
    METADATA,
    Column("site", Integer, ForeignKey("site.number"), primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("wanted", BigInteger, nullable=False),
    Column("built_ms", BigInteger, nullable=False),
)
"""The last plan of a site: its revision and hash, and the `site.wanted` it was built from."""

PERSON: Final = Table(
    "person",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("tenant", Integer, nullable=False, server_default="1"),
    Column("carrier", String(32), nullable=False, server_default=""),
    Column("second_factor", LargeBinary),
    Column("second_factor_step", BigInteger, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)
"""Somebody who signs in at the hub; without a password hash they were invited and have not come yet.

`second_factor` is sealed with the master secret; `second_factor_step` is the last half minute whose code was used.
"""

WEB_SESSION: Final = Table(
    "web_session",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("person", Integer, ForeignKey("person.id"), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("second_ms", BigInteger, nullable=False, server_default="0"),
    Column("agent", String(64), nullable=False, server_default=""),
    Index("ix_web_session_expires_ms", "expires_ms"),
    Index("ix_web_session_person", "person"),
)
"""A signed-in browser, by the digest of what its cookie holds. `second_ms`: when it showed its second factor; 0 never."""

API_TOKEN: Final = Table(
    "api_token",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("tenant", Integer, nullable=False, server_default="1"),
    Column("rights", Text, nullable=False, server_default=""),
    Column("carrier", String(32), nullable=False, server_default=""),
)
"""A program that may call the API, with its rights one after the other, by the SHA-256 of its bearer token."""

ROSTER: Final = Table(
    "roster",
    METADATA,
    Column("site", Integer, ForeignKey("site.number"), primary_key=True, autoincrement=False),
    Column("id", String(32), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("badge", String(64), nullable=False),
    Column("carrier", String(32), nullable=False, server_default=""),
    Column("pin", String(64), nullable=False, server_default=""),
    Column("valid_until_ms", BigInteger, nullable=False, server_default="0"),
)
"""Who may work at a site: an opaque id, a role, the digests of badge and PIN, a courier's carrier and an end. No name."""

COMMAND: Final = Table(
    "command",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("site", Integer, ForeignKey("site.number"), nullable=False),
    Column("verb", String(32), nullable=False),
    Column("actor", String(64), nullable=False, server_default=""),
    Column("reason", String(200), nullable=False, server_default=""),
    Column("compartment", String(4)),
    Column("issued_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("outcome", String(16), nullable=False, server_default=""),
    Column("answer", String(200), nullable=False, server_default=""),
    Column("accepted_ms", BigInteger),
    Column("answered_ms", BigInteger),
    Index("ix_command_site_issued_ms", "site", "issued_ms"),
)
"""A one-off intent and what the site answered: when it was *accepted*, and its last word."""

QUARANTINE: Final = Table(
    "quarantine",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("received_ms", BigInteger, nullable=False),
    Column("topic", String(128), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
"""Messages that could not be applied, verbatim, newest kept (I-19)."""
