"""Recordings: which one is heard, what is said where there is none, and the list that a mediator works through."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.core.notices import Notice, NoticeKind
from controller.core.views import Screen
from controller.kiosk.__main__ import main
from controller.kiosk.app import Kiosk
from controller.kiosk.link import Link, Picture
from controller.kiosk.recording_list import DOORS_MAX, STRANGERS_MAX, clips, doors_of
from controller.kiosk.recordings import FIRST, RECORDING_BYTES_MAX, Fault, Recordings, Sound, read_recording
from controller.kiosk.settings import load_settings
from controller.kiosk.texts import SPOKEN, languages
from controller.kiosk.voice import Voice
from tests.kiosk.conftest import VOICES, record
from tests.kiosk.kiosk_lock import READY, noticing, serving

SETTINGS = f'[panel]\nsocket = "panel.sock"\n[voice]\nrecordings = "{VOICES}"\n'
OGG = b"OggS" + bytes(20)


def heard(voice: Voice, language: str, clip: str, door: str = "", notice: Notice | None = None) -> bytes | None:
    """The bytes of a clip, or None."""
    sound = asyncio.run(voice.sound(language, clip, door, notice))
    return None if sound is None else sound.data


def test_the_recording_of_a_door_comes_first_and_a_clip_that_is_none_of_ours_is_not_spoken(tmp_path: Path) -> None:
    three, whichever = record(tmp_path, "fr", "take-3", 300), record(tmp_path, "fr", "take", 500)
    record(tmp_path, "fr", "door")
    voice = Voice(Recordings(tmp_path), espeak=False)
    said = [heard(voice, "fr", clip, door) for clip, door in (("take", "3"), ("take", "4"), ("ready", ""))]
    assert said == [three, whichever, None]
    assert heard(voice, "fr", "door", "3") is None, "a number is recorded door by door"
    assert heard(voice, "fr", "door") is None
    assert heard(voice, "fr", "../../secret") is None
    assert heard(voice, "xx", "take") is None
    assert heard(Voice(Recordings(None), espeak=False), "fr", "take") is None


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_espeak_speaks_where_there_is_no_recording_and_french_where_it_has_no_voice(tmp_path: Path) -> None:
    voice = Voice(Recordings(tmp_path), espeak=True)
    french = heard(voice, "fr", "take", "3")
    assert french is not None
    assert french.startswith(b"RIFF")
    assert [heard(voice, language, "take", "3") for language in SPOKEN] == [french] * len(SPOKEN)


def test_what_was_not_recorded_in_a_language_by_voice_alone_is_said_in_french(tmp_path: Path) -> None:
    own, french = record(tmp_path, "snk", "take", 300), record(tmp_path, "fr", "take", 500)
    thanks = record(tmp_path, "fr", "notice-thanks", 700)
    voice = Voice(Recordings(tmp_path), espeak=False)
    assert [heard(voice, language, "take") for language in ("snk", "bm", "fr", "ar")] == [own, french, french, None]
    assert heard(voice, "snk", "notice-thanks") == thanks
    (tmp_path / "snk" / "take.wav").write_bytes(b"")
    assert heard(voice, "snk", "take") == french, "an empty file is no recording"


def test_no_recording_stands_for_what_only_the_notice_knows(tmp_path: Path) -> None:
    record(tmp_path, "fr", "other_site")
    notice = noticing(NoticeKind.WRONG_SITE).customer.notice
    assert heard(Voice(Recordings(tmp_path), espeak=False), "fr", "other_site", notice=notice) is None


@pytest.mark.parametrize(
    ("recorded", "said"),
    [
        ((), ["snk/take?door=3"]),
        (("snk/take",), ["snk/door?door=3", "snk/take"]),
        (("snk/take", "snk/take-3"), ["snk/take?door=3"]),
        (("snk/take", "fr/take-3"), ["snk/door?door=3", "snk/take"]),
        (("fr/take",), ["snk/door?door=3", "snk/take"]),
        (("fr/take-3", "fr/take"), ["snk/take?door=3"]),
        (("snk/door-3",), ["snk/take?door=3"]),
    ],
)
def test_a_sentence_recorded_for_every_door_has_the_number_said_before_it(
    folder_of: Callable[[str], Path], tmp_path: Path, recorded: tuple[str, ...], said: list[str]
) -> None:
    (tmp_path / VOICES).mkdir()
    for each in recorded:
        language, clip = each.split("/")
        record(tmp_path / VOICES, language, clip)
    kiosk = Kiosk(load_settings(folder_of(SETTINGS)), Link(Path("panel.sock")))
    shown = kiosk.customer(Picture(serving(Screen.TAKE, "snk"), 0.0), "")
    assert list(shown.say) == [f"/voice/{each}" for each in said]
    assert (shown.language, shown.voice, shown.direction) == ("fr", "snk", "ltr")


def test_recordings_of_a_written_language_say_the_number_too(folder_of: Callable[[str], Path], tmp_path: Path) -> None:
    record(tmp_path / VOICES, "ar", "close_door")
    kiosk = Kiosk(load_settings(folder_of(SETTINGS)), Link(Path("panel.sock")))
    shown = kiosk.customer(Picture(serving(Screen.CLOSE_DOOR, "ar"), 0.0), "")
    assert shown.say == ("/voice/ar/door?door=3", "/voice/ar/close_door")
    assert (shown.language, shown.voice) == ("ar", "ar")


def test_a_language_by_voice_alone_is_offered_from_its_first_sentence_on(
    folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tmp_path / VOICES
    record(folder, "snk", "take")
    every, chosen, alone = (
        load_settings(folder_of(f"{SETTINGS}[screen]\nlanguages = {wanted}\n"))
        for wanted in ("[]", '["snk", "ar"]', '["snk"]')
    )
    assert every.offered == languages()
    assert (chosen.offered, alone.offered) == (("ar",), ("fr",))
    record(folder, "snk", FIRST)
    assert every.offered == (*languages(), "snk")
    assert (chosen.offered, alone.offered) == (("snk", "ar"), ("snk",))
    kiosk = Kiosk(alone, Link(Path("panel.sock")))
    for shown in (kiosk.customer(Picture(READY, 0.0), ""), kiosk.customer(None, "snk")):
        assert (shown.language, shown.voice) == ("fr", "snk")
        assert shown.say in {("/voice/snk/ready",), ("/voice/snk/away",)}


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (OGG, "audio/ogg"),
        (b"ID3" + bytes(20), "audio/mpeg"),
        (b"\xff\xfb\x90" + bytes(20), "audio/mpeg"),
        (b"\xff\xf1\x50" + bytes(20), "audio/aac"),
        (b"\0\0\0\x18ftypM4A " + bytes(20), "audio/mp4"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"RIFF\0\0\0\0AVI LIST", Fault.NO_SOUND),
        (b"#!AMR\n" + bytes(20), Fault.NO_SOUND),
        (b"\xff", Fault.NO_SOUND),
        (b"", Fault.EMPTY),
        (OGG + bytes(RECORDING_BYTES_MAX - len(OGG)), "audio/ogg"),
        (OGG + bytes(RECORDING_BYTES_MAX - len(OGG) + 1), Fault.TOO_BIG),
    ],
)
def test_a_file_is_what_its_first_bytes_say_whatever_its_name(tmp_path: Path, data: bytes, found: str) -> None:
    (tmp_path / "take.mp3").write_bytes(data)
    read = read_recording(tmp_path / "take.mp3")
    assert (read.kind if isinstance(read, Sound) else read) == found


def test_a_file_that_cannot_be_opened_is_no_recording_and_stops_nothing(tmp_path: Path) -> None:
    assert read_recording(tmp_path) is Fault.UNREADABLE
    assert not Recordings(tmp_path).has("snk", "x" * 300)


def test_of_several_files_of_one_name_the_first_that_can_be_played_is_heard(tmp_path: Path) -> None:
    good = record(tmp_path, "snk", "take")
    (tmp_path / "snk" / "take.mp3").write_bytes(b"")
    read = Recordings(tmp_path).read("snk", "take")
    assert isinstance(read, Sound)
    assert read.data == good


def test_the_list_names_every_clip_with_its_sentence_and_says_what_is_missing(
    folder_of: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / VOICES
    path = str(folder_of(SETTINGS))
    for clip in ("ready", "take", "door-1", "take-1"):
        record(folder, "snk", clip)
    for name, data in {
        "opening.ogg": b"",
        "push_door.m4a": b"words",
        "close_door-2.wav": b"",
        "rec01.amr": b"",
    }.items():
        (folder / "snk" / name).write_bytes(data)
    assert main(["--config", path, "--recordings", "snk", "--doors", "1-2", "A3"]) == 1
    said = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    states = {words[1].split()[0]: words[0] for words in said if len(words) > 1}
    assert (states["ready"], states["take"], states["door-1"], states["door-2"]) == ("fait", "fait", "fait", "manque")
    assert (states["opening"], states["close_door-2.wav"]) == ("vide", "vide")
    text = [" ".join(words) for words in said]
    assert "pas un son push_door Poussez doucement la porte." in [" ".join(line.split()) for line in text]
    assert "door-A3 Porte A3." in " ".join(" ".join(text).split())
    assert "Noms que la machine ne connaît pas (1) : rec01.amr" in text
    assert "C'est dit en français." in text[-1]


def test_the_list_is_content_when_everything_is_recorded_and_can_be_played(
    folder_of: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / VOICES
    path = str(folder_of(SETTINGS))
    for clip in clips(("1",)):
        record(folder, "ar", clip)
    assert main(["--config", path, "--recordings", "ar", "--doors", "1"]) == 0
    assert "Tout est là. Merci !" in capsys.readouterr().out
    (folder / "ar" / "take-1.ogg").write_bytes(b"")
    assert main(["--config", path, "--recordings", "ar", "--doors", "1"]) == 1, "it would be asked for before take"
    (folder / "ar" / "take-1.ogg").unlink()
    (folder / "ar" / "take.wav").unlink()
    for number in range(STRANGERS_MAX + 1):
        (folder / "ar" / f"voice{number:02}.ogg").write_bytes(OGG)
    capsys.readouterr()
    assert main(["--config", path, "--recordings", "ar"]) == 1
    said = capsys.readouterr().out
    assert "manque : 1. C'est dit par la voix de la machine, si elle en a une." in said
    assert f"({STRANGERS_MAX + 2}) : voice" not in said
    assert f"({STRANGERS_MAX + 1}) : voice00.ogg" in said
    assert f"voice{STRANGERS_MAX:02}.ogg" not in said
    assert "--doors 1-24" in said


def test_the_list_says_where_the_folder_is_missing(
    folder_of: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(folder_of('[panel]\nsocket = "panel.sock"\n')), "--recordings", "bm"]) == 2
    assert "[voice]" in capsys.readouterr().err
    (tmp_path / VOICES).mkdir()
    assert main(["--config", str(folder_of(SETTINGS)), "--recordings", "bm"]) == 1
    assert "Ce dossier n'existe pas, ou ne s'ouvre pas." in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--config", str(folder_of(SETTINGS)), "--recordings", "xx"])


def test_every_clip_of_the_list_is_one_that_the_kiosk_asks_for(tmp_path: Path) -> None:
    wanted = clips(("7",))
    for name in wanted:
        record(tmp_path, "snk", name)
    voice = Voice(Recordings(tmp_path), espeak=False)
    for name in wanted:
        clip, _, door = name.rpartition("-") if name == "door-7" else (name, "", "")
        assert heard(voice, "snk", clip, door) is not None, name
    assert [
        name for name, sentence in wanted.items() if not sentence.endswith((".", "?")) and "reach" not in name
    ] == []


@pytest.mark.parametrize(("text", "doors"), [("12", ("12",)), ("A3", ("A3",)), ("9-11", ("9", "10", "11"))])
def test_doors_are_named_one_by_one_or_from_to(text: str, doors: tuple[str, ...]) -> None:
    assert doors_of(text) == doors


@pytest.mark.parametrize("text", ["", "3-1", f"1-{DOORS_MAX + 1}", "../x", "1-", "-2"])
def test_what_is_no_door_is_refused(
    folder_of: Callable[[str], Path], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--config", str(folder_of(SETTINGS)), "--recordings", "snk", f"--doors={text}"])
    assert "1-24" in capsys.readouterr().err
