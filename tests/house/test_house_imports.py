"""Imports run one way (docs/architecture.md). import-linter checks most of it; the rest is read from the source here."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("wire", "firmware", "controller", "hub", "paper", "demo")
CORES = ("controller/core", "hub/core")
CORE_MODULES = {
    "__future__",
    "abc",
    "base64",
    "binascii",
    "bisect",
    "collections",
    "csv",
    "dataclasses",
    "enum",
    "functools",
    "hashlib",
    "heapq",
    "hmac",
    "itertools",
    "json",
    "math",
    "operator",
    "re",
    "string",
    "struct",
    "textwrap",
    "types",
    "typing",
    "unicodedata",
}
"""The standard library as far as it has no clock, no chance, no files and no memory between calls."""
CORE_DATES = {"date", "datetime", "time", "timedelta", "timezone", "tzinfo", "UTC"}
"""From datetime a core may take the kinds of values, as long as it never asks what time it is."""
WIRE_THIRD_PARTY = {"msgspec"}
SETTINGS = "settings.py"
BROAD_EXCEPT = {
    "hub/guard.py": "the guard of every thread of the hub: whatever ended it ends the process",
    "controller/runner.py": "the guard of every thread of a site: the same",
    "controller/journal.py": "a journal that could not be opened leaves no connection behind; the error goes on",
}
"""File -> why its broad except is right."""


def sources(*folders: str) -> list[Path]:
    """Every Python file of some folders of the checkout."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute name of everything a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import hides where a name comes from"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def where(path: Path, line: int) -> str:
    """A place a person can jump to."""
    return f"{path.relative_to(ROOT)}:{line}"


def test_the_import_contracts_of_pyproject_hold():
    program = "from importlinter.cli import lint_imports_command as go; go()"
    done = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Contracts: (\d+) kept, 0 broken", done.stdout), done.stdout


@pytest.mark.parametrize("path", sources(*CORES), ids=str)
def test_a_core_uses_nothing_but_itself_the_wire_and_pure_modules(path: Path):
    own = ".".join(path.relative_to(ROOT).parts[:2])
    foreign = []
    for line, name in imports(path):
        first, _, rest = name.partition(".")
        pure = first in CORE_MODULES or (first == "datetime" and rest in CORE_DATES)
        if not (pure or first == "wire" or name.startswith(f"{own}.")):
            foreign.append(f"{where(path, line)} imports {name}")
    assert foreign == []


@pytest.mark.parametrize("path", sources(*CORES), ids=str)
def test_a_core_never_asks_the_time_prints_opens_or_keeps_global_state(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr="now" | "utcnow" | "today" as asked, value=ast.Name(id="datetime" | "date")):
                found.append(f"{where(path, node.lineno)} asks .{asked}")
            case ast.Call(func=ast.Name(id="open" | "print" | "input" | "exec" | "eval" | "__import__" as called)):
                found.append(f"{where(path, node.lineno)} calls {called}()")
            case ast.Global():
                found.append(f"{where(path, node.lineno)} keeps global state")
            case _:
                pass
    assert found == []


@pytest.mark.parametrize("path", sources("wire"), ids=str)
def test_the_wire_is_standard_library_and_msgspec(path: Path):
    allowed = set(sys.stdlib_module_names) | WIRE_THIRD_PARTY | {"wire"}
    assert [where(path, line) for line, name in imports(path) if name.partition(".")[0] not in allowed] == []


@pytest.mark.parametrize("path", [path for path in sources(*PACKAGES) if path.name != SETTINGS], ids=str)
def test_only_settings_read_the_environment(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    readers = [
        where(path, node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv"}
    ]
    assert readers == []


def test_only_one_place_has_a_broad_except():
    """The guard of a thread; everything else names what it expects of the world."""
    broad = []
    for path in sources(*PACKAGES):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                caught = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)} if node.type else {""}
                if caught & {"", "Exception", "BaseException"}:
                    broad.append(path.relative_to(ROOT).as_posix())
    assert set(broad) == BROAD_EXCEPT.keys()


def test_the_lock_process_loads_no_web_framework_no_orm_and_no_printing():
    program = "import sys, controller.__main__; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    heavy = {
        "fastapi",
        "starlette",
        "uvicorn",
        "jinja2",
        "pydantic",
        "sqlalchemy",
        "alembic",
        "fpdf",
        "qrcode",
        "paper",
    }
    assert loaded & (heavy | {"asyncio", "cryptography", "psycopg", "numpy", "PIL", "hub", "demo", "mqtt5"}) == set()
