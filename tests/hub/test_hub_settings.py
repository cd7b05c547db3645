"""The settings file: what it says when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from hub.__main__ import main
from hub.app import Hub, create_app
from hub.settings import BadSettings, read_settings
from tests.hub.hub_process import write_settings


def test_a_good_file_is_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_settings(tmp_path)
    assert main(["--config", str(file), "--check"]) == 0
    assert capsys.readouterr().out == f"{file}: fine\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("colour = 1\n", "colour: unknown key; allowed here: access, broker, carriers, contact_days"),
        ("contact_days = 31\n", "contact_days: expected a whole number from 0 to 30"),
    ],
)
def test_a_wrong_key_is_named_with_its_file_and_what_is_allowed(tmp_path: Path, line: str, said: str) -> None:
    file = write_settings(tmp_path)
    file.write_text(line + file.read_text())
    with pytest.raises(BadSettings) as error:
        read_settings(file)
    assert str(error.value).startswith(f"{file}: {said}")


def test_everybody_is_let_in_on_loopback_only(tmp_path: Path) -> None:
    file = write_settings(tmp_path)
    file.write_text(file.read_text().replace("[web]\n", '[web]\nhost = "0.0.0.0"\n'))
    with pytest.raises(BadSettings, match="open_on_loopback: allowed only when"):
        read_settings(file)


def test_a_short_master_secret_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_settings(tmp_path)
    (tmp_path / "master").write_text("abc")
    assert main(["--config", str(file), "--check"]) == 2
    assert "expected 64 hex digits" in capsys.readouterr().err


def test_nobody_may_frame_the_pages_but_who_is_named(tmp_path: Path) -> None:
    file = write_settings(tmp_path)
    plain = file.read_text()
    assert read_settings(file).web.frame_ancestors == ()
    file.write_text(plain.replace("[web]\n", '[web]\nframe_ancestors = ["http://127.0.0.1:8099"]\n'))
    assert read_settings(file).web.frame_ancestors == ("http://127.0.0.1:8099",)


@pytest.mark.parametrize(
    "value", ['"http://a.test"', '["*"]', '["http://a.test; script-src *"]', '["http://a.test/path"]', "[1]"]
)
def test_a_framer_is_an_origin_and_nothing_else(tmp_path: Path, value: str) -> None:
    file = write_settings(tmp_path)
    file.write_text(file.read_text().replace("[web]\n", f"[web]\nframe_ancestors = {value}\n"))
    with pytest.raises(BadSettings, match="frame_ancestors: expected a list of origins"):
        read_settings(file)


@pytest.mark.parametrize("framers", [(), ("http://127.0.0.1:8099",)])
def test_the_policy_of_every_page_names_the_framers(tmp_path: Path, framers: tuple[str, ...]) -> None:
    file = write_settings(tmp_path)
    named = ", ".join(f'"{one}"' for one in framers)
    file.write_text(file.read_text().replace("[web]\n", f"[web]\nframe_ancestors = [{named}]\n"))
    hub = Hub(read_settings(file))
    try:  # the threads are not started: a page needs none
        page = TestClient(create_app(hub), base_url="http://127.0.0.1").get("/")
    finally:
        hub.store.close()
    assert page.status_code == 200
    assert page.headers["content-security-policy"].endswith(" ".join(("frame-ancestors 'self'", *framers)))
