"""Why a run ended: two marks in the state folder, and nothing that is in the way of a start (D-10)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from controller import ending
from controller.core import events as e
from controller.core.decide import decide
from controller.core.model import Live, State, fresh
from controller.ending import Ending
from hub.web import words
from tests.controller.controller_site import NOW, ROOT, setup
from wire import facts as f


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    mark = tmp_path / "boot_id"
    mark.write_text("5f0c\n")
    return mark


@pytest.mark.parametrize(
    ("result", "ended"),
    [
        ("watchdog", Ending.HUNG),
        ("exit-code", Ending.FAILED),
        ("signal", Ending.KILLED),
        ("core-dump", Ending.KILLED),
        ("oom-kill", Ending.KILLED),
        ("timeout", Ending.KILLED),
        ("a result of a later systemd", ""),
        ("", ""),
    ],
)
def test_the_word_of_systemd_is_told_once(tmp_path: Path, kernel: Path, result: str, ended: str) -> None:
    ending.begin(tmp_path, clean=True, kernel=kernel)
    ending.note(tmp_path, result)
    assert ending.begin(tmp_path, clean=False, kernel=kernel) == ended
    assert ending.begin(tmp_path, clean=False, kernel=kernel) == "", "it was said of one run"


def test_another_kernel_means_that_the_machine_went_down_whatever_was_said_before(tmp_path: Path, kernel: Path) -> None:
    ending.begin(tmp_path, clean=True, kernel=kernel)
    ending.note(tmp_path, "watchdog")
    kernel.write_text("a001\n")
    assert ending.begin(tmp_path, clean=False, kernel=kernel) == Ending.POWER
    assert ending.begin(tmp_path, clean=False, kernel=kernel) == ""


def test_a_goodbye_is_orderly_and_the_first_start_ever_knows_of_none(tmp_path: Path, kernel: Path) -> None:
    assert ending.begin(tmp_path, clean=False, kernel=kernel) == ""
    ending.note(tmp_path, "success")
    assert ending.begin(tmp_path, clean=True, kernel=kernel) == Ending.ORDERLY


def test_a_folder_that_cannot_be_written_is_no_reason_not_to_start(tmp_path: Path, kernel: Path) -> None:
    missing = tmp_path / "gone"
    assert ending.begin(missing, clean=False, kernel=kernel) == ""
    with pytest.raises(OSError, match="gone"):
        ending.note(missing, "watchdog")


@pytest.mark.parametrize("left", [b"\xff" * 4096, b"", b"watch\0dog"])
def test_damaged_marks_are_only_not_known(tmp_path: Path, kernel: Path, left: bytes) -> None:
    (tmp_path / "kernel").write_bytes(kernel.read_bytes())
    (tmp_path / "ended").write_bytes(left)
    assert ending.begin(tmp_path, clean=False, kernel=kernel) == ""


def test_the_command_that_systemd_runs_keeps_its_word_and_says_when_it_cannot(tmp_path: Path) -> None:
    def run(state: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "controller.ending", "--state", str(state), "--result", "watchdog"],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    assert run(tmp_path).returncode == 0
    assert (tmp_path / "ended").read_text() == "watchdog"
    refused = run(tmp_path / "gone")
    assert refused.returncode == 1
    assert "not kept" in refused.stderr


def test_the_first_fact_of_a_run_tells_why_the_one_before_ended() -> None:
    state = State(setup=setup(), durable=fresh(setup()), live=Live())
    told = decide(state, e.Booted({}, clean=False, ended="hung"), NOW).facts[0]
    assert told == f.SiteStarted(boot=1, version="0", board="b", clean=False, ended="hung")


def test_the_hub_has_a_sentence_of_its_own_for_each() -> None:
    brutal = [*(ended for ended in Ending if ended is not Ending.ORDERLY), "", "a word of a later site"]
    said = {
        words.tell(f.SiteStarted(boot=2, version="0", board="b", clean=False, ended=ended)).text for ended in brutal
    }
    assert len(said) == len(brutal) - 1, "the unknown ones alone are told alike"
