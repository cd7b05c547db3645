"""Which test keeps which promise of the journeys: `docs/journeys.md`, drawn from tests/journeys.toml and the names of tests.

Owns the table and the reading of names: a test that begins with `test_c_06_` keeps C-06, one that begins with `test_c_16_c_30_`
keeps both. Refuses to run anything. `python -m tests.journeys FOLDER` writes it (`./run docs`); a house test says when it is stale.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PROMISES: Final = ROOT / "tests" / "journeys.toml"
PAGE: Final = "journeys.md"
_IDS: Final = re.compile(r"test((?:_[acskmd]_\d\d)+)_")
_ID: Final = re.compile(r"_([acskmd])_(\d\d)")
_TITLES: Final = {
    "customer": "Customers",
    "loading": "Staff who load",
    "care": "Staff who look after the bank",
    "courier": "Couriers",
    "device": "The device",
    "admin": "Administrators",
}
_HEAD: Final = """# Journeys

<!-- Written by `./run docs` from tests/journeys.toml and the names of the tests. Do not edit: change those. -->

What each person does, every branch that can go wrong, and the tests that keep the promise, most of them on the assembled program
(the real process, simulated hardware, a pty for the reader, a real broker where the hub takes part).
"""


def promises() -> dict[str, dict[str, str]]:
    """The rows of every kind of person: id and promise."""
    found: dict[str, dict[str, str]] = tomllib.loads(PROMISES.read_text(encoding="utf-8"))
    return found


def kept_by_id() -> dict[str, list[tuple[str, str]]]:
    """For each id its tests: file and name, in the order of the files."""
    kept: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for name in ids_of(node.name):
                    kept[name].append((path.relative_to(ROOT).as_posix(), node.name))
    return kept


def ids_of(name: str) -> list[str]:
    """The ids that the name of a test begins with."""
    begun = _IDS.match(name)
    return [] if begun is None else [f"{kind.upper()}-{number}" for kind, number in _ID.findall(begun[1])]


def page() -> str:
    """`docs/journeys.md`."""
    kept = kept_by_id()
    parts = [_HEAD]
    for kind, rows in promises().items():
        parts += [f"\n## {_TITLES[kind]}\n", "| id | promise | kept by |", "|---|---|---|"]
        for name, promise in rows.items():
            tests = "<br>".join(f"[{test}](../{file})" for file, test in kept[name]) or "**no test yet**"
            parts.append(f"| {name} | {promise} | {tests} |")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    (Path(sys.argv[1]) / PAGE).write_text(page(), encoding="utf-8")
