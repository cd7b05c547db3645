"""The locks in requirements/ are complete: whoever installs one, with whatever installer, chooses nothing any more."""

from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = sorted((Path(__file__).resolve().parents[2] / "requirements").glob("*.txt"))


def locked(path: Path) -> dict[str, Requirement]:
    lines = path.read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line.rstrip(" \\")) for line in lines if line and line[0] not in " #"]
    return {canonicalize_name(pin.name): pin for pin in pins}


def wanted_by(pin: Requirement) -> list[Requirement]:
    """What an installed package asks for on this machine, the extras it was locked with included."""
    try:
        asked = [Requirement(line) for line in requires(pin.name) or ()]
    except PackageNotFoundError:  # a package for another platform, or of the lock process alone
        return []
    chosen = ["", *pin.extras]
    return [
        one for one in asked if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in chosen)
    ]


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_everything_that_a_locked_package_asks_for_is_locked_with_the_same_extras(path: Path):
    pins = locked(path)
    assert len(pins) > 3
    for name, pin in pins.items():
        for asked in wanted_by(pin):
            answer = pins.get(canonicalize_name(asked.name))
            assert answer is not None, f"{name} asks for {asked}, which is not locked"
            assert asked.extras <= answer.extras, f"{name} asks for {asked}, locked is {answer}"
            (version,) = answer.specifier
            assert version.version in asked.specifier, f"{name} asks for {asked}, locked is {answer}"
