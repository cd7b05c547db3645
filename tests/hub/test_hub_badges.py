"""Badges given and ended on the command line: the roster holds digests only, and each is in the site's next plan."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
import zxingcpp

from hub.__main__ import main
from hub.settings import read_settings
from hub.store import desk
from hub.store.engine import Store
from tests.hub.hub_process import write_settings
from wire.badges import badge_digest, pin_digest
from wire.plan import Person

SITE = "gennevilliers"


@pytest.fixture
def file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    file = write_settings(tmp_path)
    assert main(["--config", str(file), "site", "add", SITE, "--name", "Gennevilliers"]) == 0
    capsys.readouterr()
    return file


def badge(file: Path, *words: str) -> int:
    return main(["--config", str(file), "badge", *words])


def roster(file: Path) -> list[Person]:
    with Store(read_settings(file).store_url).reading() as connection:
        row = desk.site(connection, SITE)
        assert row is not None
        return desk.people_of(connection, row.number)


def test_a_badge_has_a_role_a_carrier_a_pin_and_an_end(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("4071\n"))
    asked = ("--role", "courier", "--carrier", "laposte", "--pin-stdin", "--valid-until", "2027-06-30")
    assert badge(file, "add", SITE, "p1", *asked) == 0
    text = capsys.readouterr().out.strip()
    (person,) = roster(file)
    assert (person.role, person.carrier, person.badge) == ("courier", "laposte", badge_digest(text))
    assert person.pin == pin_digest(text, "4071")
    ends = datetime.fromtimestamp(person.valid_until_ms / 1000, UTC).astimezone()
    assert (ends.date().isoformat(), ends.hour, ends.minute) == ("2027-07-01", 0, 0)


def test_without_more_a_badge_is_a_concierges_with_no_pin_and_no_end(file: Path) -> None:
    assert badge(file, "add", SITE, "p1") == 0
    (person,) = roster(file)
    assert (person.role, person.carrier, person.pin, person.valid_until_ms) == ("concierge", "", "", 0)


@pytest.mark.parametrize(
    ("words", "typed"),
    [
        (("--role", "courier"), ""),
        (("--carrier", "laposte"), ""),
        (("--pin-stdin",), "123"),
        (("--pin-stdin",), "123456789"),
        (("--pin-stdin",), "12a4"),
        (("--valid-until", "9999-12-31"), ""),
    ],
)
def test_what_makes_no_sense_is_refused_and_nobody_is_added(
    file: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], typed: str
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(typed + "\n"))
    assert badge(file, "add", SITE, "p1", *words) == 2
    assert roster(file) == []


def test_a_badge_that_is_ended_is_off_the_roster_and_the_plan_is_wanted_anew(file: Path) -> None:
    assert badge(file, "add", SITE, "p1") == 0
    with Store(read_settings(file).store_url).reading() as connection:
        row = desk.site(connection, SITE)
        assert row is not None
        wanted = row.wanted
    assert badge(file, "end", SITE, "p1") == 0
    assert roster(file) == []
    with Store(read_settings(file).store_url).reading() as connection:
        after = desk.site(connection, SITE)
        assert after is not None
        assert after.wanted > wanted
    assert badge(file, "end", SITE, "p1") == 2
    assert badge(file, "end", "nowhere", "p1") == 2


def test_a_badge_is_written_as_a_card_to_print_for_its_owner_alone_and_never_over_another(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = tmp_path / "badge.pdf"
    assert badge(file, "add", SITE, "p1", "--role", "mediator", "--pdf", str(card), "--called", "Amina") == 0
    text = capsys.readouterr().out.strip()
    assert card.stat().st_mode & 0o777 == 0o600
    document = pypdfium2.PdfDocument(card.read_bytes())
    words = document[0].get_textpage().get_text_range()
    (read,) = zxingcpp.read_barcodes(np.asarray(document[0].render(scale=4).to_pil().convert("L")))
    document.close()
    assert read.text == text
    assert "Amina" in words
    assert "Médiation" in words
    assert badge(file, "add", SITE, "p2", "--pdf", str(card)) == 2
    assert "The badge is good" in capsys.readouterr().err
    assert [person.id for person in roster(file)] == ["p1", "p2"]
    assert "Amina" not in str(roster(file)), "the name is on the card alone"
