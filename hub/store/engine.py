"""The way into the database: one engine, short transactions, one writer at a time on SQLite.

Owns connections and their pragmas. Refuses to know tables.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

_WRITES: Final = "consigne_writes"
_BUSY_MS: Final = 10_000
"""How long a statement waits for another process (the command line) to finish writing."""
_POOL_KEPT: Final = 8
_POOL_EXTRA: Final = 48
"""Together more than the web server's 40 worker threads and our own five."""


class StoreRefused(Exception):
    """The database took nothing of a transaction; the text says why and what to do now, and holds no value (I-25)."""


class StoreCrossed(StoreRefused):
    """Two transactions waited for each other and the database ended this one: nothing of it is kept, and it may be tried again."""


_CROSSED: Final = frozenset({"40001", "40P01"})
"""What PostgreSQL says then: serialization_failure, deadlock_detected."""


class Store:
    """A database. `writing` and `reading` are the only ways in; a transaction ends with its block."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(
            url,
            pool_size=_POOL_KEPT,
            max_overflow=_POOL_EXTRA,
            hide_parameters=True,  # an error message must not carry a name or a phone number (I-25)
            pool_pre_ping=not url.startswith("sqlite"),
        )
        self._name: Final = self._engine.url.database or "the database"
        self.is_sqlite: Final = self._engine.dialect.name == "sqlite"
        self._one_writer = threading.RLock()
        if self.is_sqlite:
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that may write; committed at the end of the block, rolled back by an exception.

        Raises StoreRefused when the disk is full, broken or only readable, or when there is no server.
        """
        try:
            with self._begun() as connection:
                yield connection
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) in _CROSSED:
                raise StoreCrossed("two changes were in each other's way; nothing was kept. Try again.") from error
            raise StoreRefused(_in_kind_words(self._name, error.orig)) from error
        except sqlite3.OperationalError as error:  # from the pragmas of a new connection, which nobody wraps
            raise StoreRefused(_in_kind_words(self._name, error)) from error

    @contextmanager
    def _begun(self) -> Iterator[Connection]:
        engine = self._engine.execution_options(**{_WRITES: True})
        if not self.is_sqlite:
            with engine.begin() as connection:
                yield connection
            return
        # Waiting here is fair; waiting inside SQLite is a poll with growing pauses that a busy ingest always wins.
        with self._one_writer, engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view for reading; nothing is kept."""
        with self._engine.connect() as connection:
            yield connection

    def is_reachable(self) -> bool:
        """Whether the database answers; raises nothing the database could raise."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self.reading() as connection:
                connection.exec_driver_sql("SELECT 1")
        except SQLAlchemyError:
            return False
        return True

    def clear_log(self) -> bool:
        """Empty SQLite's write-ahead log, where what was erased can still be read; False while a reader needs it.

        Waits for nobody: a slow reader must not hold up ingest. PostgreSQL looks after its own.
        """
        if not self.is_sqlite:
            return True
        with self._one_writer:
            connection = self._engine.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute("PRAGMA busy_timeout = 0")
                busy = int(cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
                cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
                cursor.close()
            finally:
                connection.close()
        return not busy

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()


def without_password(url: str) -> str:
    """The address of a database as it may be shown."""
    return make_url(url).render_as_string(hide_password=True)


def _in_kind_words(name: str, error: BaseException | None) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return f"{name}: the disk is full and nothing more can be kept. Free some space; nothing that was kept is lost."
    return (
        f"{name}: the database took nothing ({error}). Look at its disk (full, worn out, only readable?) or its server."
    )


def _prepare_sqlite(dbapi: sqlite3.Connection, _record: Any) -> None:
    dbapi.isolation_level = None  # we say BEGIN ourselves: IMMEDIATE for writers
    for pragma in (
        f"busy_timeout = {_BUSY_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",  # NORMAL lost acknowledged commits in replayed power cuts (field notes)
        "foreign_keys = ON",
        "secure_delete = ON",  # what is erased must not stay readable in the file's free pages (I-34)
    ):
        dbapi.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
