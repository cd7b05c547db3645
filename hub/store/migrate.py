"""Brings a database to the tables of this version, once, whoever starts first.

Owns the lock around migrations. Refuses to know what they change.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config

from hub.clock import wall_ms
from hub.store import months
from hub.store.engine import Store

_FOLDER: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x636F6E73
"""Key of PostgreSQL's advisory lock ("cons"); SQLite's write lock does the same."""


def migrate(store: Store) -> None:
    """Apply every migration the database has not seen. Safe to call from several processes at once."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    with store.writing() as connection:
        if not store.is_sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        months.make(connection, wall_ms())
