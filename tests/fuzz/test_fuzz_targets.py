"""Every parser with some thousand inputs, and every input that ever broke one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.engine import FOUND, has_atheris, hunt, mutants
from tests.fuzz.targets import TARGETS

pytestmark = pytest.mark.slow

INPUTS = 3_000
FILES = sorted(path for path in FOUND.glob("*/*") if path.is_file())


@pytest.mark.parametrize("name", TARGETS)
def test_some_thousand_inputs_break_no_property(name: str) -> None:
    target = TARGETS[name]
    for data in (*target.seeds, *mutants(target.seeds, INPUTS, seed=1)):
        try:
            target.check(data)
        except Exception as error:
            error.add_note(f"input: {data!r}")
            raise


@pytest.mark.parametrize("path", FILES, ids=[f"{path.parent.name}-{path.name}" for path in FILES])
def test_what_once_broke_a_parser_does_so_no_more(path: Path) -> None:
    TARGETS[path.parent.name].check(path.read_bytes())


def test_what_was_found_belongs_to_a_target() -> None:
    assert {path.parent.name for path in FILES} <= set(TARGETS)


def test_the_first_inputs_are_understood() -> None:
    """A target whose seeds are all refused at the door tests nothing but the door."""
    from controller.panel_messages import decode_input
    from controller.settings import load_settings
    from firmware.board import load_board
    from hub.settings import read_settings
    from tests.fuzz import targets
    from wire.facts import decode_fact

    for data in TARGETS["panel"].seeds:
        decode_input(data)
    for data in TARGETS["facts"].seeds:
        decode_fact(data)
    for data in TARGETS["board"].seeds:
        load_board(targets._file(data))
    load_settings(targets._file(TARGETS["site_settings"].seeds[0]))
    read_settings(targets._file(TARGETS["hub_settings"].seeds[0]))


@pytest.mark.parametrize(
    "body", [b'{"kind":"alarm_cleared","alarm":"\xc3]"}', b'{"kind":"x","y":' + b"[" * 1900 + b"]" * 1900 + b"}"]
)
def test_a_fact_nobody_can_read_stops_no_ingest(body: bytes, tmp_path: Path) -> None:
    """One such message would have come again for ever: the broker repeats what is not acknowledged."""
    from tests.hub.hub_bench import Bench
    from tests.hub.hub_site import Journal
    from wire.facts import AttemptFailed

    bench = Bench(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    journal = Journal("gambetta")
    journal.write(body, AttemptFailed(tokens_milli=1))
    try:
        bench.hear(journal.batch(1, 2))
        assert bench.link.acknowledged == [1]
    finally:
        bench.store.close()


@pytest.mark.slow
@pytest.mark.skipif(not has_atheris(), reason="atheris is not made for this Python")
def test_coverage_guides_inputs_to_a_planted_fault_and_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guided engine runs, counts, and keeps what breaks a property."""
    whole = hunt("key", 2_000, seed=1, corpus=tmp_path / "corpus", found=tmp_path / "found")
    assert whole.inputs >= 2_000, whole.said
    assert (whole.found, whole.said) == ((), "")
    (tmp_path / "planted.py").write_text(
        "from tests.fuzz.targets import Target\n"
        "def check(data):\n"
        "    if data[:1] == b'C':\n"
        "        if data[1:2] == b'G':\n"
        "            if data[2:3] == b'1':\n"
        "                assert data[3:4] != b'!'\n"
        "TARGETS = {'planted': Target(check, (b'x',))}\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    broken = hunt(
        "planted", 500_000, seed=1, corpus=tmp_path / "more", found=tmp_path / "found", module="planted", seconds=30
    )
    assert len(broken.found) == 1, broken.said
    assert Path(broken.found[0]).read_bytes().startswith(b"CG1!")
    assert "AssertionError" in broken.said
