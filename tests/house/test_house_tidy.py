"""Style is a test too: sizes, words, permissions, locks, versions, and what the wheel holds."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("wire", "firmware", "controller", "hub", "paper", "demo")
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
LONG_FILES = {"controller/journal.py": "the journal's one promise, durable or not at all, is read in one place"}
"""File -> why it may be longer."""
LONG_FUNCTIONS = {"hub/store/migrations/versions/0001_first_tables.py:upgrade": "a list of tables, branching nowhere"}
"""File:function -> why it may be longer."""
FORBIDDEN = {
    "a note to oneself": re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b"),
    "a path of somebody's machine": re.compile(r"/(work|root|home/\w+)/\w"),
    "the host of a package registry": re.compile(r"(pypi|pythonhosted|npmjs|debian)\.(org|com)/"),
}
VAGUE = {"utils", "util", "helper", "helpers", "common", "misc", "stuff", "tools"}
"""A module of the packages says what it holds."""


def tracked(*patterns: str) -> list[Path]:
    """Files of the repository, as git knows them."""
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def code() -> list[Path]:
    return [*tracked("*.py"), ROOT / "run"]


def test_no_file_is_too_long_to_read():
    long = {name(path) for path in code() if len(path.read_text(encoding="utf-8").splitlines()) > FILE_LINES_MAX}
    assert long == set(LONG_FILES)


def test_no_function_is_too_long_to_understand():
    long = set()
    for path in code():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
                if lines > FUNCTION_LINES_MAX:
                    long.add(f"{name(path)}:{node.name}")
    assert long == set(LONG_FUNCTIONS)


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str):
    found = []
    for path in tracked():
        for number, line in enumerate((text_of(path) or "").splitlines(), 1):
            if FORBIDDEN[what].search(line) and path != Path(__file__):
                found.append(f"{name(path)}:{number}: {line.strip()[:80]}")
    assert found == []


def test_no_module_has_a_name_that_says_nothing():
    assert [name(path) for path in tracked(*(f"{package}/*.py" for package in PACKAGES)) if path.stem in VAGUE] == []


def test_every_module_opens_with_what_it_owns():
    silent = [
        name(path)
        for path in tracked("*.py")
        if (source := path.read_text(encoding="utf-8")).strip() and not ast.get_docstring(ast.parse(source))
    ]
    assert silent == []


def test_what_is_started_is_executable_and_nothing_else_is():
    listed = subprocess.run(["git", "ls-files", "-s"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    executable = {line.partition("\t")[2] for line in listed.splitlines() if line.startswith("100755")}
    assert executable == {"run", ".ci/run"}


def test_run_can_say_its_sentence_under_an_old_python():
    ast.parse((ROOT / "run").read_text(encoding="utf-8"), feature_version=(3, 7))


def test_the_changelog_has_a_place_for_the_next_change():
    assert re.search(r"^## \[?Unreleased\]?$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_licence_is_apache_2():
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    assert pyproject()["project"]["license"] == "Apache-2.0"


@pytest.mark.parametrize("lock", ["controller", "kiosk", "hub", "demo", "test"])
def test_a_lock_pins_every_requirement_with_hashes(lock: str):
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^[\w.-]+(?:\[[\w,]+\])?(\S*)", text, re.MULTILINE)
    assert pins
    assert all(pin.startswith("==") for pin in pins)
    assert len(re.findall(r"^\S.* \\\n    --hash=sha256:", text, re.MULTILINE)) == len(pins)
    assert not re.search(r"://|--(extra-)?index|--find-links", text)


def locked(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==([^\s;]+)", text, re.MULTILINE))


def test_every_set_agrees_with_the_set_that_is_tested():
    tested = locked("test")
    for lock in ("controller", "kiosk", "hub", "demo"):
        assert locked(lock).items() <= tested.items(), f"./run lock: {lock}.txt"


def test_every_requirement_of_pyproject_is_locked():
    project = pyproject()["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    names = {re.split(r"[\[<>=;~! ]", each)[0].lower() for each in wanted} - {"consigne"}
    assert names - {each.lower() for each in locked("test")} == set()


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(tmp_path: Path):
    source = tmp_path / "source"
    for path in [*tracked(*PACKAGES), *(ROOT / each for each in ("pyproject.toml", "README.md", "LICENSE"))]:
        copy = source / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    build = f"from setuptools.build_meta import build_wheel; build_wheel({str(tmp_path)!r})"
    done = subprocess.run([sys.executable, "-c", build], cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    held = {each for each in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in each}
    assert held == {name(path) for path in tracked(*PACKAGES)}
