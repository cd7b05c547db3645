"""Which of Debian's tools the tests need, which are missing, and what to type about it.

Owns the reading of tests/debian.toml. Refuses to install anything: that is ./run test.
"""

from __future__ import annotations

import os
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

TABLE = Path(__file__).resolve().parents[1] / "debian.toml"
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"])
SKIP_PREFIX = "NEEDS "
"""A skip whose reason starts so means "a tool is missing", and is reported loudly by tests/conftest.py."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One table of debian.toml."""

    name: str
    programs: tuple[str, ...]
    packages: tuple[str, ...]
    why: str

    def path(self) -> str | None:
        """Where the tool is, or None. With several versions the newest wins."""
        for program in self.programs:
            if program.startswith("/"):
                found = [str(path) for path in sorted(Path("/").glob(program.removeprefix("/")))]
            else:
                found = [path for path in [shutil.which(program, path=SEARCH_PATH)] if path]
            if found:
                return found[-1]
        return None


def tools() -> dict[str, Tool]:
    """Every tool of the table, by name."""
    with TABLE.open("rb") as file:
        return {
            name: Tool(name, tuple(entry["programs"]), tuple(entry["packages"]), entry["why"])
            for name, entry in tomllib.load(file).items()
        }


def need(name: str) -> str:
    """The path of a tool; without it the test is skipped, loudly."""
    found = tools()[name].path()
    if found is None:
        pytest.skip(f"{SKIP_PREFIX}{name}: not on this machine")
    return found


def apt_line(names: set[str]) -> str:
    """The one line that brings these tools."""
    packages = sorted({package for name, tool in tools().items() if name in names for package in tool.packages})
    return "sudo apt-get install --no-install-recommends " + " ".join(packages)
