"""The units say what the programs need, start what exists, and stay as closed as they are."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from textwrap import dedent

import pytest

from tests.tools.debian import need

ROOT = Path(__file__).resolve().parents[2]
SYSTEMD = ROOT / "systemd"
BIN = "/opt/consigne/.venv/bin/"
PROGRAMS = ("controller", "kiosk", "hub")
EXPOSURE_MAX = {"controller": 18, "kiosk": 15, "hub": 14}
"""Ceilings of `systemd-analyze security`, in tenths; systemd 252 says 16, 13 and 12. One lost protection of weight passes them."""

Directive = tuple[str, str]


def directives(program: str) -> list[Directive]:
    """The unit's lines `Name=value` in order; no unit of ours continues a line."""
    text = (SYSTEMD / f"consigne-{program}.service").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", "["))]
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def values(program: str, name: str) -> list[str]:
    return [value for known, value in directives(program) if known == name]


def copy_for_this_machine(folder: Path) -> list[Path]:
    """The units with every program of ours replaced by one that exists here."""
    copies = []
    for program, name in (*((one, f"consigne-{one}.service") for one in PROGRAMS), ("hub", "consigne-hub@.service")):
        source = SYSTEMD / f"consigne-{program}.service"
        text = re.sub(
            re.escape(BIN) + r"[\w.-]+", shutil.which("true") or "/bin/true", source.read_text(encoding="utf-8")
        )
        copy = folder / name
        copy.write_text(text, encoding="utf-8")
        copies.append(copy)
    return copies


def verify(units: list[Path]) -> str:
    """All that `systemd-analyze verify` says. It exits 0 on unknown keys, so its words count."""
    command = [need("systemd-analyze"), "verify", "--man=no", *map(str, units)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    return done.stdout + done.stderr


def exposure(unit: Path, ceiling: int) -> subprocess.CompletedProcess[str]:
    command = [need("systemd-analyze"), "security", "--offline=true", "--no-pager", f"--threshold={ceiling}", str(unit)]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)


def test_systemd_has_nothing_to_say_about_our_units(tmp_path: Path):
    assert verify(copy_for_this_machine(tmp_path)) == ""


def test_a_misspelt_directive_would_be_heard(tmp_path: Path):
    units = copy_for_this_machine(tmp_path)
    units[0].write_text(units[0].read_text().replace("NoNewPrivileges=", "NoNewPrivilege="))
    assert "NoNewPrivilege" in verify(units)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_unit_stays_as_closed_as_it_is(program: str):
    done = exposure(SYSTEMD / f"consigne-{program}.service", EXPOSURE_MAX[program])
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_gate_closes_on_a_unit_with_its_capabilities_back(tmp_path: Path):
    unit = tmp_path / "consigne-controller.service"
    text = (SYSTEMD / unit.name).read_text(encoding="utf-8")
    unit.write_text(text.replace("CapabilityBoundingSet=\n", ""), encoding="utf-8")
    assert exposure(unit, EXPOSURE_MAX["controller"]).returncode != 0


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_unit_starts_a_program_that_pyproject_installs_with_options_it_has(program: str):
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    (command,) = values(program, "ExecStart")
    path, *options = command.split()
    assert path.removeprefix(BIN) in scripts
    assert options == ["--config", f"/etc/consigne/{program}.toml", *(("serve", "%i") if program == "hub" else ())]
    module = scripts[path.removeprefix(BIN)].partition(":")[0]
    usage = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=50, check=True
    )
    assert "--config" in usage.stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_unit_is_watched_and_always_comes_back(program: str):
    assert values(program, "Type") == ["notify"]
    assert values(program, "Restart") == ["always"]
    assert values(program, "StartLimitIntervalSec") == ["0"]
    assert len(values(program, "RestartSec")) == 1


def test_the_watchdog_is_longer_than_the_longest_healthy_silence_of_the_lock_process():
    from controller.runner import HEARTBEAT_MS
    from firmware.watchdog import PINGS_PER_PERIOD

    (text,) = values("controller", "WatchdogSec")
    period_ms = int(text) * 1000
    assert 2 * (period_ms // PINGS_PER_PERIOD + HEARTBEAT_MS) <= period_ms


def test_the_coils_go_off_after_the_lock_process_however_it_ended():
    commands = values("controller", "ExecStopPost")
    state = f"/var/lib/{values('controller', 'StateDirectory')[0]}"
    assert commands == [
        f"{BIN}python -I -m firmware.alloff --board /etc/consigne/board.toml",  # before anything else
        f"{BIN}python -I -m controller.ending --state {state} --result ${{SERVICE_RESULT}}",
    ]
    for module, option in (("firmware.alloff", "--board"), ("controller.ending", "--state")):
        usage = subprocess.run(
            [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=50, check=True
        )
        assert option in usage.stdout


def test_lgpio_has_a_folder_to_write_to_and_no_other_driver_takes_its_place():
    environment = dict(value.split("=", 1) for value in values("controller", "Environment"))
    assert values("controller", "RuntimeDirectory") == [Path(environment["LG_WD"]).name]
    assert environment["LG_WD"].startswith("/run/")
    assert environment["GPIOZERO_PIN_FACTORY"] == "lgpio"


def test_only_the_lock_process_reaches_a_device():
    for program in PROGRAMS:
        assert values(program, "DevicePolicy") == ["closed"]
    assert values("controller", "DeviceAllow") == ["char-gpiochip rw", "char-ttyUSB rw", "char-ttyACM rw"]
    for program in ("kiosk", "hub"):
        assert values(program, "DeviceAllow") == []
        assert values(program, "PrivateDevices") == ["yes"]


def test_the_drivers_of_readers_are_there_before_their_permission_is_looked_up():
    (after,) = values("controller", "After")
    assert {"modprobe@cdc_acm.service", "modprobe@usbserial.service"} <= set(after.split())


def test_keys_are_handed_over_by_systemd_under_the_names_the_programs_know():
    from hub.settings import MASTER_SECRET_CREDENTIAL

    assert values("hub", "LoadCredential") == [f"{MASTER_SECRET_CREDENTIAL}:/etc/consigne/hub-master"]
    handed = [value.partition(":")[0] for value in values("controller", "LoadCredential")]
    assert handed == ["site-keys", "broker-password"]
    readme, enrols = (
        path.read_text(encoding="utf-8") for path in (SYSTEMD / "README.md", ROOT / "controller" / "enrol.py")
    )
    for name in handed:
        assert f'"credential:{name}"' in readme
        assert f'"credential:{name}"' in enrols


def test_the_kiosk_shares_the_group_of_the_panels_socket_and_every_user_is_declared():
    declared = (SYSTEMD / "sysusers.d" / "consigne.conf").read_text(encoding="utf-8").splitlines()
    names = {tuple(line.split()[:2]) for line in declared if not line.startswith("#")}
    for program in PROGRAMS:
        assert values(program, "User") == [f"consigne-{program}"]
        assert ("u", f"consigne-{program}") in names
    assert values("controller", "Group") == values("kiosk", "Group") == ["consigne"]
    for group in ["consigne", *values("controller", "SupplementaryGroups")[0].split()]:
        assert ("g", group) in names


def test_the_settings_in_the_readme_are_settings_the_programs_accept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from controller.kiosk.settings import load_settings as load_kiosk
    from controller.settings import load_keys, load_settings
    from hub.settings import read_settings

    text = (SYSTEMD / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"`/etc/consigne/(\w+)\.toml`:\n\n *```toml\n(.*?)```", text, flags=re.DOTALL)
    assert [name for name, _ in examples] == list(PROGRAMS)
    paths = {name: tmp_path / f"{name}.toml" for name, _ in examples}
    for name, example in examples:
        paths[name].write_text(dedent(example), encoding="utf-8")
    (tmp_path / "site-keys").write_text(f"0 {bytes(32).hex()}\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    site = load_settings(paths["controller"])
    assert list(load_keys(site.resolve(site.site.keys))) == [0]
    assert site.store.state_dir == "/var/lib/" + values("controller", "StateDirectory")[0]
    assert site.panel.socket.startswith("/run/" + values("controller", "RuntimeDirectory")[0] + "/")
    assert load_kiosk(paths["kiosk"]).panel.socket == site.panel.socket
    assert str(read_settings(paths["hub"]).state_dir) == "/var/lib/" + values("hub", "StateDirectory")[0]


def test_the_folder_holds_data_and_never_a_package():
    # An __init__.py would make it shadow `import systemd`.
    assert list(SYSTEMD.rglob("*.py")) == []
