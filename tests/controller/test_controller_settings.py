"""The settings: what is wrong is said with the file, the key and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.__main__ import main
from controller.settings import SettingsError, load_keys, load_settings
from tests.controller.controller_site import KEY, write_site


def changed(tmp_path: Path, old: str, new: str) -> Path:
    path: Path = write_site(tmp_path, broker_port=1883)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def test_relative_paths_are_relative_to_the_file(tmp_path: Path):
    settings = load_settings(write_site(tmp_path))
    assert settings.resolve(settings.store.state_dir) == tmp_path / "state"
    assert load_keys(settings.resolve(settings.site.keys)) == {0: KEY}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            'name = "Point',
            'nmae = "Point',
            r"site\.toml: \[site\] 'nmae' is unknown; allowed are id, keys, name, number",
        ),
        ("[store]", "[stoer]", r"'stoer' is unknown here; allowed are \[board\], \[broker\]"),
        ("number = 93", 'number = "93"', r"\$\.site\.number"),
        ("number = 93", "number = 99999999", r"\$\.site\.number"),
        ("aubervilliers-1", "Hub!", r"\[site\] id 'Hub!'"),
        ("simulate = true", "simulate = false", r"\[hardware\] scanner is missing"),
        ("port = 1883", "port = 0", r"\$\.broker\.port"),
        ("[panel]", "[[panel]]", "panel must be a table"),
        ("[site]", "[site", "not valid TOML"),
        ("port = 1883", 'port = 1883\ntls_cert = "x"', "belong together"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, words: str):
    with pytest.raises(SettingsError, match=words):
        load_settings(changed(tmp_path, old, new))


@pytest.mark.parametrize("line", ["0 abc", "64 " + KEY.hex(), "x " + KEY.hex(), KEY.hex(), ""])
def test_a_wrong_key_file_is_refused_without_quoting_it(tmp_path: Path, line: str):
    path = tmp_path / "keys"
    path.write_text(line + "\n")
    with pytest.raises(SettingsError) as caught:
        load_keys(path)
    assert KEY.hex() not in str(caught.value)
    assert str(path) in str(caught.value)


def test_check_says_good_and_leaves_nothing_behind(tmp_path: Path, capsys):
    path = write_site(tmp_path)
    assert main(["--config", str(path), "--check"]) == 0
    assert "good" in capsys.readouterr().out
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["keys", "site.toml"]


def test_check_ends_with_two_on_a_mistake(tmp_path: Path, capsys):
    assert main(["--config", str(changed(tmp_path, "demo.toml", "nowhere.toml")), "--check"]) == 2
    assert "nowhere.toml" in capsys.readouterr().err
