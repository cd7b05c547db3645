"""The folder of recordings, `<language>/<clip>[-<door>].<ending>`: which file says a clip, and whether it can be played.

Owns the names, the kinds and the bounds of these files. Refuses to know sentences, and espeak-ng. A file counts as soon as it
lies there: whoever records hears the result without a restart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from controller.kiosk.texts import voices

RECORDING_BYTES_MAX: Final = 4 * 1024 * 1024
"""Largest recording played: 20 s of the largest WAV that telephones make, several minutes of anything else."""

ENDINGS: Final = (".ogg", ".opus", ".mp3", ".m4a", ".aac", ".wav")
"""How the name of a recording may end; what it is, its first bytes say: renaming a file does not change its kind."""

FIRST: Final = "ready"
"""The clip that makes a language by voice alone one that the screen offers: it is what answers a touch on its key."""

NUMBER: Final = "door"
"""The clip of a door's number. It has no file without a door."""

_MPEG_SYNC: Final = 0xE0
_MPEG_LAYER: Final = 0x06


class Fault(StrEnum):
    """Why a recording is not played."""

    MISSING = "missing"
    EMPTY = "empty"
    TOO_BIG = "too_big"
    UNREADABLE = "unreadable"
    NO_SOUND = "no_sound"


@dataclass(frozen=True, slots=True)
class Sound:
    """Bytes a browser can play."""

    data: bytes
    kind: str


class Recordings:
    """The recordings of one kiosk; without a folder there are none."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def has(self, language: str, name: str) -> bool:
        """Whether there is a file of this name, without its ending."""
        return bool(self._files(language, name))

    def read(self, language: str, name: str) -> Sound | Fault:
        """The recording of this name; with several files the first that can be played."""
        fault = Fault.MISSING
        for path in self._files(language, name):
            sound = read_recording(path)
            if isinstance(sound, Sound):
                return sound
            fault = sound
        return fault

    def says(self, language: str, clip: str, door: str) -> Sound | None:
        """The recording of a clip: the one of this door before the one of every door."""
        own = (f"{clip}-{door}",) if door else ()
        for name in own if clip == NUMBER else (*own, clip):
            sound = self.read(language, name)
            if isinstance(sound, Sound):
                return sound
        return None

    def is_in_pieces(self, language: str, clip: str, door: str) -> bool:
        """Whether the clip was recorded once for every door, so that the number is said before it."""
        for voice in voices(language):
            if self.has(voice, f"{clip}-{door}"):
                return False
            if self.has(voice, clip):
                return True
        return False

    def _files(self, language: str, name: str) -> tuple[Path, ...]:
        if self.folder is None:
            return ()
        paths = (self.folder / language / (name + ending) for ending in ENDINGS)
        return tuple(path for path in paths if _is_there(path))


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # A folder that may not be entered: somebody stands at the screen, and French says it.
        return False


def read_recording(path: Path) -> Sound | Fault:
    """The sound in a file, or why there is none in it."""
    try:
        with path.open("rb") as file:
            data = file.read(RECORDING_BYTES_MAX + 1)
    except OSError:
        return Fault.UNREADABLE
    if not data:
        return Fault.EMPTY
    if len(data) > RECORDING_BYTES_MAX:
        return Fault.TOO_BIG
    kind = _kind_of(data)
    return Sound(data, kind) if kind else Fault.NO_SOUND


def _kind_of(data: bytes) -> str:
    """What browsers call these bytes; empty when they are no sound that we know."""
    if data.startswith(b"OggS"):
        return "audio/ogg"
    if data.startswith(b"RIFF") and data[8:12] == b"WAVE":
        return "audio/wav"
    if data[4:8] == b"ftyp":
        return "audio/mp4"
    if data.startswith(b"ID3"):
        return "audio/mpeg"
    if len(data) > 1 and data[0] == 0xFF and data[1] & _MPEG_SYNC == _MPEG_SYNC:
        return "audio/mpeg" if data[1] & _MPEG_LAYER else "audio/aac"
    return ""
