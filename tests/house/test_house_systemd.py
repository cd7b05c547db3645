"""The units of systemd/ are right: systemd says no word about them, and they are hardened.

`systemd-analyze verify` exits with 0 for a misspelt key, so any output of it is a failure.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.tools.debian import need

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
NAMES = [unit.name for unit in UNITS]
INSTALLED = "/opt/consigne"
EXPOSURE_MAX = {"consigne-controller.service": 17, "consigne-kiosk.service": 13, "consigne-hub.service": 15}
"""Ceiling of `systemd-analyze security`, in tenths of its 0-10 scale; lower it when a unit gets better."""


def settings(unit: Path) -> dict[str, list[str]]:
    """Every `Key=value` of a unit; a key may come several times."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def as_if_installed(unit: Path, folder: Path) -> Path:
    """A copy of a unit whose programs exist."""
    programs = folder / "opt" / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    for name in re.findall(rf"{INSTALLED}/bin/([\w-]+)", unit.read_text(encoding="utf-8")):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    copy = folder / unit.name
    copy.write_text(unit.read_text(encoding="utf-8").replace(INSTALLED, str(programs.parent)))
    return copy


def test_the_three_programs_have_their_units():
    assert NAMES == ["consigne-controller.service", "consigne-hub.service", "consigne-kiosk.service"]


@pytest.mark.parametrize("unit", UNITS, ids=NAMES)
def test_systemd_has_nothing_to_say_about_a_unit(unit: Path, tmp_path: Path):
    program = need("systemd-analyze")
    for other in UNITS:
        copy = as_if_installed(other, tmp_path)
    copy = tmp_path / unit.name
    done = subprocess.run(
        [program, "verify", "--man=no", str(copy)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:", "SYSTEMD_LOG_LEVEL": "info"},
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_misspelt_key_would_be_noticed(tmp_path: Path):
    program = need("systemd-analyze")
    unit = tmp_path / "consigne-wrong.service"
    unit.write_text("[Service]\nExecStart=/bin/true\nProtectSytem=strict\n")
    done = subprocess.run([program, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    assert "ProtectSytem" in done.stdout + done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=NAMES)
def test_a_unit_stays_under_its_ceiling_of_exposure(unit: Path, tmp_path: Path):
    program = need("systemd-analyze")
    ceiling = EXPOSURE_MAX[unit.name]
    done = subprocess.run(
        [program, "security", "--offline=true", f"--threshold={ceiling}", str(as_if_installed(unit, tmp_path))],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SYSTEMD_PAGER": "cat"},
    )
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert exposure, done.stdout + done.stderr
    assert done.returncode == 0, f"{exposure.group(0)}, the ceiling is {ceiling / 10}"


@pytest.mark.parametrize("unit", UNITS, ids=NAMES)
def test_a_unit_notifies_is_watched_and_always_comes_back(unit: Path):
    keys = settings(unit)
    assert keys["Type"] == ["notify"]
    assert keys["Restart"] == ["always"]
    assert keys["StartLimitIntervalSec"] == ["0"]
    assert int(keys["WatchdogSec"][0]) <= 30
    assert keys["LimitCORE"] == ["0"], "a crash dump would hold a secret"
    assert "LoadCredential" in keys


def test_the_lock_process_reaches_pins_and_serial_ports_and_no_other_device():
    keys = settings(FOLDER / "consigne-controller.service")
    assert keys["DevicePolicy"] == ["closed"]
    assert sorted(value.split()[0] for value in keys["DeviceAllow"]) == [
        "char-gpiochip",
        "char-ttyACM",
        "char-ttyAMA",
        "char-ttyS",
        "char-ttyUSB",
    ]


def test_the_lock_process_names_its_pin_factory_and_a_folder_for_its_pipe():
    keys = settings(FOLDER / "consigne-controller.service")
    environment = dict(word.split("=") for value in keys["Environment"] for word in value.split())
    assert environment["GPIOZERO_PIN_FACTORY"] == "lgpio"
    assert environment["LG_WD"] == f"/run/{keys['RuntimeDirectory'][0]}" == keys["WorkingDirectory"][0]


def test_every_coil_is_switched_off_after_any_end_of_the_lock_process():
    (after,) = settings(FOLDER / "consigne-controller.service")["ExecStopPost"]
    assert "-m firmware.alloff --board /etc/consigne/board.toml" in after
    assert not after.startswith("-"), "a failure of the last guard must be seen"


def test_every_program_of_a_unit_is_a_script_of_the_distribution():
    import tomllib

    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    started = {settings(unit)["ExecStart"][0].split()[0].removeprefix(f"{INSTALLED}/bin/") for unit in UNITS}
    assert started == set(scripts)


def test_the_accounts_of_the_units_are_made(tmp_path: Path):
    need("systemd-analyze")
    accounts = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("sysusers-*.conf"))
    made = set(re.findall(r"^[ug]\s+(\S+)", accounts, re.MULTILINE)) | {"dialout"}
    wanted = {
        name
        for unit in UNITS
        for key in ("User", "Group", "SupplementaryGroups")
        for value in settings(unit).get(key, [])
        for name in value.split()
    }
    assert wanted <= made
    done = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", "--dry-run", *map(str, sorted(FOLDER.glob("sysusers-*.conf")))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_secrets_are_for_root_alone():
    lines = (FOLDER / "tmpfiles.conf").read_text(encoding="utf-8").splitlines()
    modes = {fields[1]: fields[2:5] for fields in map(str.split, lines) if fields and fields[0] in {"d", "z"}}
    wanted = {value.partition(":")[2] for unit in UNITS for value in settings(unit)["LoadCredential"]}
    assert wanted == {path for path in modes if path != "/etc/consigne"}
    assert all(modes[path] == ["0600", "root", "root"] for path in wanted)


def test_each_line_of_the_device_rule_compares_and_assigns():
    rules = [
        line for line in (FOLDER / "udev.rules").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"
    ]
    part = re.compile(r'[A-Z]+(\{\w+\})?(==|!=|=|\+=|:=)"[^"]*"')
    assert rules
    for rule in rules:
        parts = [piece.strip() for piece in rule.split(",")]
        assert all(part.fullmatch(piece) for piece in parts), rule
        assert any("==" in piece for piece in parts), rule


def test_the_folder_is_data_and_no_package():
    """A package here would hide the `systemd` module of Debian's python3-systemd."""
    assert sorted(FOLDER.rglob("*.py")) == []
