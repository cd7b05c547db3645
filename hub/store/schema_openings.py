"""The tables of doors opened from afar.

Owns names, keys and indexes, as `hub.store.schema` does.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table

from hub.store.schema import METADATA

OPENING: Final = Table(
    "opening",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("site", Integer, ForeignKey("site.number"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("note", String(200), nullable=False, server_default=""),
    Column("asked_by", Integer, nullable=False),
    Column("asked_name", String(64), nullable=False),
    Column("asked_ms", BigInteger, nullable=False),
    Column("decided_by", Integer, nullable=False, server_default="0"),
    Column("decided_name", String(64), nullable=False, server_default=""),
    Column("decided_ms", BigInteger, nullable=False, server_default="0"),
    Index("ix_opening_state", "state"),
    Index("ix_opening_site_asked_ms", "site", "asked_ms"),
)
"""A wish to open doors of one site, and what the second person said. The sentence (`note`) goes to no site and no log (ADR 0021)."""

OPENING_DOOR: Final = Table(
    "opening_door",
    METADATA,
    Column("opening", String(32), ForeignKey("opening.id"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("compartment", String(4), nullable=False),
    Column("command", String(64), ForeignKey("command.id")),
)
"""A door of a wish, and the one command that was ever sent for it."""
