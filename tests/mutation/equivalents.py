"""Mutants that no test can notice, because they do the same: a short list that people reviewed, each with its reason.

Owns the list's meaning. A line that changed is no longer on the list: its entry must be looked at again.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

from tests.mutation.mutants import ROOT, Mutant

FILE: Final = Path(__file__).with_name("equivalent.toml")


@cache
def entries() -> dict[tuple[str, str, str], str]:
    """(file, the line's text, the change) of each, and why it is no mutant."""
    found = tomllib.loads(FILE.read_text(encoding="utf-8")).get("same", [])
    return {(entry["file"], entry["line"], entry["change"]): entry["why"] for entry in found}


@cache
def _lines(file: str) -> list[str]:
    return (ROOT / file).read_text(encoding="utf-8").splitlines()


def is_equivalent(mutant: Mutant) -> bool:
    """Whether it is on the list."""
    return (mutant.file, _lines(mutant.file)[mutant.line - 1].strip(), mutant.change) in entries()
