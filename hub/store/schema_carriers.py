"""The tables of carriers: who they are, their keys, and the announcements that must not happen twice.

Owns names, keys and indexes, as `hub.store.schema` does.
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
    String,
    Table,
    Text,
    UniqueConstraint,
)

from hub.store.schema import METADATA

PARTNER: Final = Table(
    "partner",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("tenant", Integer, nullable=False),
    Column("name", String(32), nullable=False),
    Column("bare", String(32), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    UniqueConstraint("tenant", "bare"),
    sqlite_autoincrement=True,
)
"""A carrier whose programs come in at an association. `bare` is its name for comparing (`bare_carrier`)."""

CARRIER_KEY: Final = Table(
    "carrier_key",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("partner", Integer, ForeignKey("partner.id"), nullable=False),
    Column("name", String(40), nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("hint", String(4), nullable=False),
    Column("rights", Text, nullable=False),
    Column("every_site", Boolean, nullable=False),
    Column("per_minute", Integer, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("used_ms", BigInteger, nullable=False, server_default="0"),
    Column("ended_ms", BigInteger),
    Index("ix_carrier_key_partner", "partner"),
    sqlite_autoincrement=True,
)
"""A key of a carrier, by its SHA-256; `hint` is its end, for people to tell keys apart. `per_minute`: requests."""

CARRIER_KEY_SITE: Final = Table(
    "carrier_key_site",
    METADATA,
    Column("key", Integer, ForeignKey("carrier_key.id"), primary_key=True, autoincrement=False),
    Column("site", Integer, ForeignKey("site.number"), primary_key=True, autoincrement=False),
)
"""The sites of a key that is not for every site of its association."""

ONCE: Final = Table(
    "once",
    METADATA,
    Column("owner", String(80), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("parcel", String(13), nullable=False, server_default=""),
    Column("is_new", Boolean, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index("ix_once_at_ms", "at_ms"),
)
"""What was answered to an announcement that named an Idempotency-Key; `digest` is of what was asked."""

WEBHOOK: Final = Table(
    "webhook",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("partner", Integer, ForeignKey("partner.id"), nullable=False),
    Column("url", String(500), nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("old_secret", LargeBinary),
    Column("old_until_ms", BigInteger, nullable=False, server_default="0"),
    Column("created_ms", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("failing_ms", BigInteger),
    Column("rests_until_ms", BigInteger, nullable=False, server_default="0"),
    Column("paused_ms", BigInteger),
    Column("problem", String(200), nullable=False, server_default=""),
    Index("ix_webhook_partner", "partner"),
    sqlite_autoincrement=True,
)
"""An address of a carrier. Secrets are sealed with the master secret. `failing_ms`: nothing has arrived since then."""

CARRIER_EVENT: Final = Table(
    "carrier_event",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("partner", Integer, ForeignKey("partner.id"), nullable=False),
    Column("parcel", String(13), nullable=False),
    Column("site", String(31), nullable=False),
    Column("tracking", String(48), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Index("ix_carrier_event_parcel", "parcel"),
    Index("ix_carrier_event_created_ms", "created_ms"),
    sqlite_autoincrement=True,
)
"""What a carrier is told of a parcel: written with the change it is about. `id` is the same at every delivery."""

DELIVERY: Final = Table(
    "delivery",
    METADATA,
    Column("webhook", Integer, ForeignKey("webhook.id"), primary_key=True, autoincrement=False),
    Column("event", Integer, ForeignKey("carrier_event.number"), primary_key=True, autoincrement=False),
    Column("parcel", String(13), nullable=False),
    Column("state", String(16), nullable=False, server_default="waiting"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_ms", BigInteger, nullable=False),
    Column("tried_ms", BigInteger),
    Column("problem", String(200), nullable=False, server_default=""),
    Index("ix_delivery_webhook_parcel", "webhook", "parcel"),
    Index("ix_delivery_state_due_ms", "state", "due_ms"),
    Index("ix_delivery_event", "event"),
)
"""An event on its way to an address: `waiting`, `delivered`, or `dead` after its last try."""
