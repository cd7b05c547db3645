"""A new version on a site: taken when it is well, put back when it is not, and no door moves for it (A-11)."""

from __future__ import annotations

import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller import update
from demo.ledger import read_facts
from tests.controller.controller_site import ROOT, wait_for, write_site
from wire import facts as f

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

RESTART = """#!/bin/sh
cd {root}
if [ -e {folder}/pid ]; then kill $(cat {folder}/pid) 2>/dev/null; while kill -0 $(cat {folder}/pid) 2>/dev/null; do sleep 0.05; done; fi
LG_WD={folder} {folder}/opt/.venv/bin/python -m controller --config {config} >> {folder}/log 2>&1 &
echo $! > {folder}/pid
"""
ILL = """#!/bin/sh
case "$*" in *--check*) exit 0;; esac
exit 3
"""


class Machine:
    """A site whose programs are started from the version in use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = write_site(folder / "etc")
        self.opt = folder / "opt"
        self.release("first")
        (self.opt / ".venv").symlink_to(self.opt / "releases" / "first")
        script = folder / "restart"
        script.write_text(RESTART.format(root=ROOT, folder=folder, config=self.config))
        script.chmod(0o755)
        self.restart = str(script)
        subprocess.run([self.restart], check=True)
        self.socket = folder / "etc" / "panel.sock"
        wait_for(lambda: update._view(self.socket), "the site answers", 60)

    def release(self, name: str, python: str = "") -> Path:
        """A version beside the others: this checkout, or a program that is ill."""
        place = self.opt / "releases" / name
        (place / "bin").mkdir(parents=True)
        program = place / "bin" / "python"
        program.write_text(python or f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        program.chmod(0o755)
        return place

    def update(self, *arguments: str) -> int:
        return update.main([
            *arguments, "--root", str(self.opt), "--config", str(self.config), "--socket", str(self.socket), "--kiosk", "",
            "--restart", self.restart,
        ])  # fmt: skip

    def in_use(self) -> str:
        return (self.opt / ".venv").readlink().name

    def facts(self) -> list[object]:
        return list(read_facts(self.folder / "etc" / "state" / "journal.db", 0))

    def end(self) -> None:
        subprocess.run(["/bin/sh", "-c", f"kill $(cat {self.folder}/pid)"], check=False)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.setattr(update, "QUIET_S", 1.0)
    monkeypatch.setattr(update, "WELL_S", 2.0)
    monkeypatch.setattr(update, "PATIENCE_S", 15.0)
    made = Machine(tmp_path)
    yield made
    made.end()


def test_a_11_a_version_that_is_well_stays_and_one_that_is_not_is_put_back_and_no_door_moves(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert machine.update("--release", str(machine.release("second"))) == 0
    assert machine.in_use() == "second"
    assert machine.update("--release", str(machine.release("third", ILL))) == update.EXIT_BACK
    assert machine.in_use() == "second"
    assert "second is in use again, and the site works with it." in capsys.readouterr().err
    assert update._view(machine.socket) is not None
    kinds = [type(fact) for fact in machine.facts()]
    assert kinds.count(f.SiteStarted) >= 3
    assert not {f.OpeningOrdered, f.DoorOpened} & set(kinds)


def test_a_11_what_cannot_be_installed_or_does_not_take_the_settings_changes_nothing(
    machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started = [type(fact) for fact in machine.facts()].count(f.SiteStarted)
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    for arguments, said in (
        ([str(tmp_path / "nothing")], "no folder of wheels"),
        ([str(bundle)], "could not be installed"),
        (["--release", str(machine.release("unwilling", "#!/bin/sh\necho no board >&2\nexit 2\n"))], "no board"),
        (["--release", str(tmp_path / "missing")], "does not start"),
    ):
        assert machine.update(*arguments) == update.EXIT_NOT
        told = capsys.readouterr().err
        assert said in told
        assert "Nothing was changed." in told
    assert machine.in_use() == "first"
    assert [type(fact) for fact in machine.facts()].count(f.SiteStarted) == started
    assert sorted(path.name for path in (machine.opt / "releases").iterdir()) == ["first", "unwilling"]


def test_a_11_a_bundle_is_installed_beside_the_version_in_use(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    with zipfile.ZipFile(bundle / "consigne-9.9-py3-none-any.whl", "w") as wheel:
        about = "consigne-9.9.dist-info"
        wheel.writestr("consigne_of_the_bundle.py", "")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: consigne\nVersion: 9.9\n")
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "")
    monkeypatch.setattr(update, "_check", lambda release, _config: _has(release, "consigne_of_the_bundle.py"))
    monkeypatch.setattr(update, "_is_well", lambda _asked: True)
    restarted: list[str] = []
    monkeypatch.setattr(update, "_restart", restarted.append)
    assert machine.update(str(bundle)) == 0
    assert machine.in_use().startswith("20")
    assert restarted == [machine.restart]


def _has(release: Path, name: str) -> None:
    assert list(release.glob(f"lib/python3*/site-packages/{name}"))


@pytest.mark.parametrize(
    ("change", "quiet"),
    [
        (lambda view: None, True),
        (lambda view: view["bank"][0].update(door="open"), False),
        (lambda view: view["bank"][0].update(door="unknown"), False),
        (lambda view: view["customer"].update(screen="take"), False),
        (lambda view: view["staff"].update(person="p1"), False),
        (lambda view: view.update(waiting=1), False),
    ],
)
def test_a_11_it_waits_while_anybody_is_at_the_bank(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, object]], object], *, quiet: bool
) -> None:
    view: dict[str, object] = {
        "bank": [{"door": "closed"}],
        "customer": {"screen": "ready"},
        "staff": {"person": ""},
        "waiting": 0,
    }
    change(view)
    monkeypatch.setattr(update, "_view", lambda _path: view)
    assert update._is_quiet(Path("socket")) is quiet
    monkeypatch.setattr(update, "_view", lambda _path: None)
    assert update._is_quiet(Path("socket"))


def test_a_11_a_gap_begins_the_time_anew_and_only_old_versions_are_forgotten(tmp_path: Path) -> None:
    answers = iter([True, True, False, *[True] * 100])
    begun = time.monotonic()
    assert update._lasts(lambda: next(answers), 1.0, 10.0)
    assert time.monotonic() - begun >= 2.0
    assert not update._lasts(lambda: False, 0.1, 0.6)
    for name in ("a", "b", "c", "d"):
        (tmp_path / "releases" / name).mkdir(parents=True)
    update._prune(tmp_path, {tmp_path / "releases" / "c", tmp_path / "releases" / "d"})
    assert sorted(path.name for path in (tmp_path / "releases").iterdir()) == ["b", "c", "d"]


def test_a_11_a_first_version_that_is_no_link_becomes_one(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    release = tmp_path / "releases" / "second"
    release.mkdir(parents=True)
    assert update._use(tmp_path, release).name == "first"
    assert (tmp_path / "releases" / "first" / "bin").is_dir()
    assert (tmp_path / ".venv").readlink() == release
    assert update._use(tmp_path, tmp_path / "releases" / "first") == release
