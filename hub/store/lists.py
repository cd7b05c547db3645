"""Long lists in statements: bound when they run, and cut to a size both databases take. Knows no table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import BindParameter, bindparam

CHUNK: Final = 500
"""Values in one IN list: far below the limits of both databases (SQLite 32,766, PostgreSQL 65,535)."""


def many(name: str) -> BindParameter[Any]:
    """A list of values bound when a statement runs."""
    return bindparam(name, expanding=True)


def chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """The values in pieces of at most `CHUNK`."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
