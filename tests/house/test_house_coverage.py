"""Every branch of what both sides speak, and of both cores, is walked by their own quick tests: no line of them is only hoped for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.mutation.session import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
TOLD_MAX = 40
"""Places named when some are missing."""


def missing_of(file: str, measured: dict[str, Any]) -> list[str]:
    """The lines nobody walked, and the branches nobody took; 0 or less: out of the function."""
    lines = [f"{file}:{line}: never run" for line in measured["missing_lines"]]
    unseen = set(measured["missing_lines"])
    branches = [
        f"{file}:{start}: never goes on with {f'line {end}' if end > 0 else 'the end'}"
        for start, end in measured["missing_branches"]
        if not {start, end} & unseen
    ]
    return lines + branches


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_branch_of_wire_and_of_both_cores_is_walked_by_their_own_tests(tmp_path: Path) -> None:
    folders = [package.folder for package in PACKAGES.values()]
    tests = [file for package in PACKAGES.values() for file in package.test_files()]
    environment = {**os.environ, "COVERAGE_FILE": str(tmp_path / "coverage")}
    environment.pop("PYTEST_ADDOPTS", None)
    measure = [
        "coverage", "run", "--branch", f"--source={','.join(folders)}",
        "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests,
    ]  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-m", *measure], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-1000:]
    report = tmp_path / "coverage.json"
    told = subprocess.run(
        [sys.executable, "-m", "coverage", "json", "-q", "-o", str(report)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    present = {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).glob("*.py")
        if path.stat().st_size
    }
    assert present <= set(files), "a file that was not even imported"
    missing = [place for file in sorted(present) for place in missing_of(file, files[file])]
    assert missing == [], "\n".join(["", *missing[:TOLD_MAX], f"{len(missing)} places"])


def test_what_is_missing_is_named_by_its_place() -> None:
    measured = {"missing_lines": [7], "missing_branches": [[3, 5], [4, -2], [6, 7]]}
    assert missing_of("a.py", measured) == [
        "a.py:7: never run",
        "a.py:3: never goes on with line 5",
        "a.py:4: never goes on with the end",
    ]
