"""The hub's database for many lives: the same statements on the same SQLite, without SQLAlchemy's way to it.

Owns running what `hub.store` says in a tenth of the time: SQLAlchemy still writes each statement, once, and SQLite's own
module runs it. Refuses to know tables. `test_simulation_network` lives the same life on both ways and compares every line.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final, cast

from sqlalchemy import Connection, Executable
from sqlalchemy.dialects.sqlite import pysqlite

from hub.store import desk, engine, ingest, journals, meta, outbox

_DIALECT: Final = pysqlite.dialect()
_STATEMENTS_KEPT: Final = 512


def _constants(*modules: ModuleType) -> dict[int, Executable]:
    """Statements that are built once: known again by what they are, not by what they say."""
    return {id(value): value for module in modules for value in vars(module).values() if isinstance(value, Executable)}


_CONSTANTS: Final = _constants(desk, ingest, journals, meta, outbox)


class _Result:
    """The rows of one statement, as far as `hub.store` asks for them."""

    def __init__(self, rows: list[Any], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        return self._rows

    def first(self) -> Any:
        return self._rows[0] if self._rows else None

    def one_or_none(self) -> Any:
        assert len(self._rows) < 2, "more than one row"
        return self.first()

    def one(self) -> Any:
        (row,) = self._rows
        return row

    def scalar(self) -> Any:
        return self._rows[0][0] if self._rows else None

    def scalar_one(self) -> Any:
        return self.one()[0]

    def scalars(self) -> Iterator[Any]:
        return (row[0] for row in self._rows)


class _Prepared:
    """A statement in SQLite's words, with the way of each value in and out."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled
        self._names: Sequence[str] = compiled.positiontup or ()
        self._wanted: frozenset[str] = frozenset(self._names)
        self._lists: frozenset[str] = frozenset(compiled.bind_names[each] for each in compiled.post_compile_params)
        self._into: dict[str, Callable[[Any], Any]] = dict(compiled._bind_processors)
        self._plain = not self._into and not self._lists
        self._parts = {name: f"(__[POSTCOMPILE_{name}])" for name in self._lists}
        self._row: Callable[[Any], Any] | None = None

    def values(self, given: Mapping[str, Any] | None, extracted: Any) -> tuple[str, list[Any]]:
        """The text and the values in their order; a list is as many values as it has."""
        if extracted is None and given is not None and given.keys() >= self._wanted:
            known: Mapping[str, Any] = given  # Every value is given: there is nothing for SQLAlchemy to add.
        else:
            known = self._compiled.construct_params(given, extracted_parameters=extracted, escape_names=False)
        sql: str = self._compiled.string
        if self._plain:
            return sql, [known[name] for name in self._names]
        bound: list[Any] = []
        for name in self._names:
            process = self._into.get(name)
            if name not in self._lists:
                bound.append(known[name] if process is None else process(known[name]))
                continue
            several = known[name]
            if not several:  # SQLAlchemy has words of its own for none
                state = self._compiled.construct_expanded_state(known, escape_names=False)
                return state.statement, [state.parameters[each] for each in state.positiontup]
            bound += several if process is None else map(process, several)
            sql = sql.replace(self._parts[name], f"({', '.join('?' * len(several))})")
        return sql, bound

    def rows(self, cursor: sqlite3.Cursor) -> list[Any]:
        """What the statement found."""
        if cursor.description is None:
            return []
        if self._row is None:
            self._row = self._maker([column[0] for column in cursor.description])
        return list(map(self._row, cursor.fetchall()))

    def _maker(self, names: list[str]) -> Callable[[Any], Any]:
        make: Any = getattr(namedtuple("Row", names, rename=True), "_make")  # noqa: B009, PYI024 the names come from the database
        typed = [column.type for column in self._compiled._result_columns]
        out = [kind._cached_result_processor(_DIALECT, None) for kind in typed]
        if not any(out):
            return cast("Callable[[Any], Any]", make)
        ways = [(number, process) for number, process in enumerate(out) if process is not None]

        return lambda found: make(_changed(found, ways))


_PREPARED: Final[dict[Any, _Prepared]] = {}


def _prepared(statement: Any, given: Mapping[str, Any] | None, *, many: bool) -> tuple[_Prepared, Any]:
    """The statement compiled, once for each thing it says; and the values that stand in this one."""
    names = () if given is None else tuple(given)
    if id(statement) in _CONSTANTS:
        cached, key = None, (id(statement), names, many)
    else:
        cached = statement._generate_cache_key()
        key = (cached.key, names, many)
    if key not in _PREPARED:
        compiled = statement._compiler(
            _DIALECT, cache_key=cached, column_keys=sorted(names) or None, for_executemany=many
        )
        _PREPARED[key] = _Prepared(compiled)
    return _PREPARED[key], None if cached is None else cached.bindparams


def _changed(found: tuple[Any, ...], ways: Sequence[tuple[int, Callable[[Any], Any]]]) -> list[Any]:
    row = list(found)
    for number, process in ways:
        row[number] = process(row[number])
    return row


class _Connection:
    """What `hub.store` needs of a connection."""

    dialect: Final = _DIALECT

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def execute(self, statement: Any, given: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None) -> _Result:
        """Run a statement once, or for each of many."""
        if isinstance(given, Sequence):
            return self._each(statement, given)
        prepared, extracted = _prepared(statement, given, many=False)
        cursor = self._database.execute(*prepared.values(given, extracted))
        return _Result(prepared.rows(cursor), cursor.rowcount)

    def _each(self, statement: Any, given: Sequence[Mapping[str, Any]]) -> _Result:
        prepared, extracted = _prepared(statement, given[0], many=len(given) > 1)
        bound = [prepared.values(one, extracted) for one in given]
        cursor = self._database.executemany(bound[0][0], [values for _, values in bound])
        return _Result([], cursor.rowcount)

    def rollback(self) -> None:
        """Forget what the transaction did."""
        self._database.execute("ROLLBACK")

    def exec_driver_sql(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run the driver's own statement for each row."""
        self._database.executemany(statement, rows)


class QuickStore:
    """`hub.store.engine.Store` for one process and one thread."""

    is_sqlite: Final = True

    def __init__(self, file: Path) -> None:
        self._database = sqlite3.connect(file, cached_statements=_STATEMENTS_KEPT)
        engine._prepare_sqlite(self._database, None)
        self._connection: Any = _Connection(self._database)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that may write."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view."""
        self._database.execute("BEGIN")
        try:
            yield self._connection
        finally:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

    def close(self) -> None:
        """Give the file back."""
        self._database.close()
