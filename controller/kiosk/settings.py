"""The kiosk's TOML file and the few words systemd says in the environment: read and checked here, nowhere else.

Owns the keys, their meaning and the words about what is wrong. A relative path is relative to the TOML's own folder.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from controller.kiosk.recordings import FIRST, Recordings
from controller.kiosk.texts import FALLBACK, SPOKEN, languages
from paper.media import Paper

Port = Annotated[int, Meta(ge=0, le=65_535)]
Origin = Annotated[str, Meta(pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?\Z")]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the tables."""


class Panel(_Section, frozen=True, kw_only=True):
    """`[panel]`: the Unix socket the lock process serves."""

    socket: str


class Web(_Section, frozen=True, kw_only=True):
    """`[web]`: where the pages are served; `names` are further names a browser may call this machine by.

    `frame_ancestors` are origins whose pages may show ours in a frame: none, but for a demonstration.
    """

    host: str = "127.0.0.1"
    port: Port = 8090
    names: tuple[str, ...] = ()
    frame_ancestors: tuple[Origin, ...] = ()


class Help(_Section, frozen=True, kw_only=True):
    """`[help]`: who helps, shown on the customer screen and on slips; empty is not shown."""

    phone: str = ""
    name: str = ""
    address: str = ""
    hours: str = ""


class Screen(_Section, frozen=True, kw_only=True):
    """`[screen]`: the languages offered, in this order; none means every language there is.

    One by voice alone is offered where its first sentence was recorded, and only there.
    """

    languages: tuple[str, ...] = ()


class Voice(_Section, frozen=True, kw_only=True):
    """`[voice]`: a folder of recordings `<language>/<clip>.ogg`, and whether espeak-ng speaks when there is none."""

    recordings: str = ""
    espeak: bool = True


class Receipts(StrEnum):
    """When receipts of deposits are printed by themselves: after each parcel, once when the person leaves, or never."""

    PARCEL = "parcel"
    SESSION = "session"
    ASKED = "asked"


class Printing(_Section, frozen=True, kw_only=True):
    """`[printing]`: the CUPS queue what we print goes to; empty means there is no printer. `paper` is what lies in it.

    `receipts`: when those of deposits come by themselves; without a printer they wait on the staff screen.
    """

    queue: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,126}$|^$")] = ""
    paper: Paper = Paper.A6
    receipts: Receipts = Receipts.SESSION


class Settings(_Section, frozen=True, kw_only=True):
    """The whole file."""

    panel: Panel
    web: Web = Web()
    help: Help = Help()
    screen: Screen = Screen()
    voice: Voice = Voice()
    printing: Printing = Printing()
    path: str = ""

    def resolve(self, name: str) -> Path:
        """Where a path of this file points to."""
        return (Path(self.path).parent / name).absolute()

    @property
    def offered(self) -> tuple[str, ...]:
        """The languages on the customer screen, as the recordings are now; never none."""
        recordings = self.recordings
        wanted = self.screen.languages or (*languages(), *SPOKEN)
        heard = (each for each in wanted if each in languages() or recordings.has(each, FIRST))
        return tuple(heard) or (FALLBACK,)

    @property
    def recordings(self) -> Recordings:
        """What was recorded for this kiosk."""
        return Recordings(self.resolve(self.voice.recordings) if self.voice.recordings else None)


@dataclass(frozen=True, slots=True)
class Systemd:
    """What the service manager said; empty when started by hand."""

    notify_socket: str = ""
    watchdog_s: float = 0.0


class SettingsError(ValueError):
    """The settings cannot be used; the text names the file, the key and what is allowed."""


_SECTIONS: Final[dict[str, type[_Section]]] = {
    "panel": Panel,
    "web": Web,
    "help": Help,
    "screen": Screen,
    "voice": Voice,
    "printing": Printing,
}


def load_settings(path: Path) -> Settings:
    """Read and check the file. Raises SettingsError."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}).") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: is not valid TOML ({error}).") from error
    _refuse_unknown(path, document)
    try:
        settings = msgspec.convert({**document, "path": str(path.absolute())}, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {error}.") from error
    known = (*languages(), *SPOKEN)
    for language in settings.screen.languages:
        if language not in known:
            allowed = ", ".join(known)
            raise SettingsError(f"{path}: [screen] languages {language!r} is unknown; allowed are {allowed}.")
    if settings.voice.recordings and not settings.resolve(settings.voice.recordings).is_dir():
        raise SettingsError(f"{path}: [voice] recordings {settings.voice.recordings!r} is not a folder.")
    return settings


def read_systemd() -> Systemd:
    """The service manager's words in the environment."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return Systemd(
        notify_socket=os.environ.get("NOTIFY_SOCKET", ""),
        watchdog_s=int(microseconds) / 1_000_000 if microseconds.isdigit() else 0.0,
    )


def _refuse_unknown(path: Path, document: dict[str, Any]) -> None:
    for name, table in document.items():
        section = _SECTIONS.get(name)
        if section is None:
            allowed = ", ".join(f"[{known}]" for known in sorted(_SECTIONS))
            raise SettingsError(f"{path}: {name!r} is unknown here; allowed are {allowed}.")
        if not isinstance(table, dict):
            raise SettingsError(f"{path}: {name} must be a table: write [{name}] on a line of its own.")
        for key in table:
            if key not in section.__struct_fields__:
                allowed = ", ".join(sorted(section.__struct_fields__))
                raise SettingsError(f"{path}: [{name}] {key!r} is unknown; allowed are {allowed}.")
