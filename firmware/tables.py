"""Typed, bounded reading of TOML tables that collects every fault instead of stopping at the first.

Owns the wording of such faults. Refuses to know what a table is about; `board` asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

TEXT_CHARACTERS_MAX: Final = 200


@dataclass(slots=True)
class Table:
    """Typed, bounded reading of one TOML table; every fault is noted and a harmless value returned."""

    values: Mapping[str, Any]
    where: str
    problems: list[str]
    asked: set[str] = field(default_factory=set)

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def text(self, key: str, *, required: bool = False, at_most: int = TEXT_CHARACTERS_MAX) -> str:
        """A printable text of 1 to `at_most` characters, or an empty one when it may be absent."""
        value = self.take(key, required=required)
        if value is None:
            return ""
        if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > at_most:
            self.note(key, f"allowed is a printable text of 1 to {at_most} characters, not {value!r}")
            return ""
        return value

    def texts(self, key: str, *, at_most: int) -> tuple[str, ...]:
        """A list of printable texts."""
        value = self.take(key)
        if value is None:
            return ()
        if not isinstance(value, list) or len(value) > at_most or not all(_is_name(item) for item in value):
            self.note(key, f"allowed is a list of at most {at_most} short printable texts")
            return ()
        return tuple(value)

    def integer(self, key: str, default: int | None, allowed: range) -> int:
        """A whole number within `allowed`; required when `default` is None."""
        value = self.take(key, required=default is None)
        if value is None:
            return allowed.start if default is None else default
        if not isinstance(value, int) or isinstance(value, bool) or value not in allowed:
            self.note(key, f"allowed is a whole number from {allowed.start} to {allowed.stop - 1}, not {value!r}")
            return allowed.start
        return value

    def choice(self, key: str, allowed: tuple[Any, ...], default: Any = None) -> Any:
        """One of `allowed`; required when `default` is None."""
        value = self.take(key, required=default is None)
        if value is None:
            return allowed[0] if default is None else default
        if isinstance(value, bool) or value not in allowed:
            self.note(key, f"allowed is one of {', '.join(repr(item) for item in allowed)}, not {value!r}")
            return allowed[0] if default is None else default
        return value

    def table(self, key: str) -> Table:
        """A table inside this one, empty when absent."""
        value = self.take(key)
        if value is not None and not isinstance(value, dict):
            self.note(key, f"allowed is a table [{key}]")
            value = None
        return Table(value or {}, f"{self.where}[{key}] ", self.problems)

    def tables(self, key: str, at_most: int) -> tuple[Table, ...]:
        """Every `[[key]]` table of this one."""
        value = self.take(key)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.note(key, f"allowed are one or more [[{key}]] tables")
            return ()
        if len(value) > at_most:
            self.note(key, f"there are {len(value)} of them; allowed are at most {at_most}")
        return tuple(
            Table(item, f"[[{key}]] number {number} ", self.problems)
            for number, item in enumerate(value[:at_most], start=1)
        )

    def refuse_unknown(self) -> None:
        """Note every key nobody asked for; called once, after the last question."""
        for key in sorted(self.values.keys() - self.asked):
            self.note(key, f"is not known here; allowed are {', '.join(sorted(self.asked))}")

    def take(self, key: str, *, required: bool = False) -> Any:
        """The raw value of a key that is known here; None when absent."""
        self.asked.add(key)
        if required and key not in self.values:
            self.note(key, "is missing")
        return self.values.get(key)

    def note(self, key: str, problem: str) -> None:
        """Note what is wrong with a key, and what would be allowed."""
        separator = " " if problem.startswith("is ") else ": "
        self.problems.append(f"{self.where}{key}{separator}{problem}")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable() and len(value) <= TEXT_CHARACTERS_MAX
