"""The settings of a site: one TOML file, checked whole before anything starts.

Owns the file's keys, their meaning and the words about what is wrong with it. Refuses to open anything but the files it
names. A relative path is relative to the TOML's own folder.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from wire.ids import KEY_EPOCH_MAX, SITE_NUMBER_MAX, is_site_id
from wire.pickup import SITE_KEY_BYTES

CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"
"""Where systemd's `LoadCredential=` puts secrets; `credential:NAME` in a path means a file there."""

_CREDENTIAL: Final = "credential:"
Port = Annotated[int, Meta(ge=1, le=65_535)]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the tables."""


class Site(_Section, frozen=True, kw_only=True):
    """`[site]`. `number` is the site's in pickup keys; `keys` is the file of site keys, one `<epoch> <64 hex>` a line."""

    id: str
    number: Annotated[int, Meta(ge=0, le=SITE_NUMBER_MAX)]
    keys: str
    name: str = ""


class Board(_Section, frozen=True, kw_only=True):
    """`[board]`: the board file of the bank."""

    file: str


class Hardware(_Section, frozen=True, kw_only=True):
    """`[hardware]`. `scanner` is the reader's device; with `simulate` everything is pretended and `sim_port` serves it.

    `sim_dir` keeps the pretended world, beside the journal when empty: a real bank does not lie on the disk that may fill.
    """

    simulate: bool = False
    sim_port: Annotated[int, Meta(ge=0, le=65_535)] = 0
    sim_dir: str = ""
    scanner: str = ""


class Store(_Section, frozen=True, kw_only=True):
    """`[store]`: the folder of the journal, on a local disk."""

    state_dir: str


class Broker(_Section, frozen=True, kw_only=True):
    """`[broker]`. Without a `host` the site works alone. The user's name is the site's id unless given."""

    host: str = ""
    port: Port = 1883
    user: str = ""
    password_file: str = ""
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""


class Panel(_Section, frozen=True, kw_only=True):
    """`[panel]`: the Unix socket the screens connect to."""

    socket: str


class Log(_Section, frozen=True, kw_only=True):
    """`[log]`: how much is said on standard output."""

    level: Annotated[str, Meta(pattern="^(debug|info|warning|error)$")] = "info"


class Settings(_Section, frozen=True, kw_only=True):
    """The whole file."""

    site: Site
    board: Board
    store: Store
    panel: Panel
    hardware: Hardware = Hardware()
    broker: Broker = Broker()
    log: Log = Log()
    kiosk: dict[str, Any] = {}
    """Read by the kiosk, which shares this file if one likes."""
    path: str = ""

    def resolve(self, name: str) -> Path:
        """Where a path of this file points to. Raises SettingsError for a credential nobody handed over."""
        if name.startswith(_CREDENTIAL):
            folder = os.environ.get(CREDENTIALS)
            if folder is None:
                raise SettingsError(f"{self.path}: {name} is read from systemd's credentials, and there are none here.")
            return Path(folder) / name.removeprefix(_CREDENTIAL)
        return (Path(self.path).parent / name).absolute()


class SettingsError(ValueError):
    """The settings cannot be used; the text names the file, the key and what is allowed."""


_SECTIONS: Final[dict[str, type[_Section]]] = {
    "site": Site,
    "board": Board,
    "hardware": Hardware,
    "store": Store,
    "broker": Broker,
    "panel": Panel,
    "log": Log,
}
_FOREIGN: Final = frozenset({"kiosk"})


def load_settings(path: Path) -> Settings:
    """Read and check the file. Raises SettingsError."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}).") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{path}: is not valid TOML ({error}).") from error
    _refuse_unknown(path, document)
    try:
        settings = msgspec.convert({**document, "path": str(path.absolute())}, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {error}.") from error
    if not is_site_id(settings.site.id):
        raise SettingsError(
            f"{path}: [site] id {settings.site.id!r} must be 2 to 31 characters of a-z 0-9 and -, not 'hub'."
        )
    if bool(settings.broker.tls_cert) != bool(settings.broker.tls_key):
        raise SettingsError(f"{path}: [broker] tls_cert and tls_key belong together.")
    if not settings.hardware.simulate and not settings.hardware.scanner:
        raise SettingsError(f"{path}: [hardware] scanner is missing: the reader's device, or simulate = true.")
    return settings


class NotifySettings(msgspec.Struct, frozen=True):
    """What systemd says to a `Type=notify` service."""

    address: str
    watchdog_usec: str
    watchdog_pid: str


def notify_settings() -> NotifySettings:
    """The service manager's words; all empty without one."""
    return NotifySettings(
        os.environ.get("NOTIFY_SOCKET", ""), os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    )


def load_keys(path: Path) -> dict[int, bytes]:
    """The site keys by epoch. Raises SettingsError, never quoting a key."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise SettingsError(f"{path}: the site keys cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not a file of site keys.") from error
    keys: dict[int, bytes] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith("#"):
            epoch, key = _read_key(path, number, line)
            keys[epoch] = key
    if not keys:
        raise SettingsError(
            f"{path}: holds no site key. The hub's administrator gives a line `<epoch> <64 hex digits>`."
        )
    return keys


def load_password(path: Path) -> str:
    """The first line of a password file. Raises SettingsError."""
    try:
        return path.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: the broker's password cannot be read.") from error


def _read_key(path: Path, number: int, line: str) -> tuple[int, bytes]:
    epoch, _, digits = line.strip().partition(" ")
    try:
        key = bytes.fromhex(digits)
    except ValueError:
        key = b""
    if not (epoch.isascii() and epoch.isdigit() and int(epoch) <= KEY_EPOCH_MAX) or len(key) != SITE_KEY_BYTES:
        raise SettingsError(f"{path}, line {number}: expected `<epoch 0-{KEY_EPOCH_MAX}> <64 hex digits>`.")
    return int(epoch), key


def _refuse_unknown(path: Path, document: dict[str, Any]) -> None:
    for name, table in document.items():
        if name in _FOREIGN:
            continue
        section = _SECTIONS.get(name)
        if section is None:
            allowed = ", ".join(f"[{known}]" for known in (*sorted(_SECTIONS), *sorted(_FOREIGN)))
            raise SettingsError(f"{path}: {name!r} is unknown here; allowed are {allowed}.")
        if not isinstance(table, dict):
            raise SettingsError(f"{path}: {name} must be a table: write [{name}] on a line of its own.")
        for key in table:
            if key not in section.__struct_fields__:
                allowed = ", ".join(sorted(section.__struct_fields__))
                raise SettingsError(f"{path}: [{name}] {key!r} is unknown; allowed are {allowed}.")
