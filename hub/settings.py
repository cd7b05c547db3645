"""The hub's TOML file and the few words systemd says in the environment: read here, checked here, nowhere else.

Owns the names, defaults and bounds of every setting. Refuses to know what they are used for.
"""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.core.hours import Hold, Hours
from hub.core.parcels import Refused, tidy_email
from hub.core.retention import CONTACT_DAYS_MAX

MASTER_SECRET_BYTES: Final = 32
"""Length of the secret every site key is derived from (design §5)."""

MASTER_SECRET_CREDENTIAL: Final = "consigne-master"  # noqa: S105 the name of a credential, not one
"""Name under which systemd's LoadCredential= hands the master secret over."""

HOLD_DAYS_MAX: Final = 60
"""Longer than any desk keeps a parcel."""

_HOURS: Final = Hours()
_HOLD: Final = Hold()
_ZONE: Final = ZoneInfo("Europe/Paris")
_SENDER: Final = Address(display_name="Consigne", addr_spec="consigne@localhost")
_NOTIFY_KEYS: Final = (
    "driver", "url", "apprise_file", "apprise_files", "country_code", "first_hour", "end_hour", "time_zone", "time_zones", "hold_days", "remind_after_days",
    "remind_before_days",
)  # fmt: skip
_TOPIC: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_COUNTRY: Final = re.compile("[1-9][0-9]{0,2}")
PHONE_PLACE: Final = "{phone}"
"""Where the recipient's number stands in a gateway's address."""
GATEWAYS_MAX: Final = 10
_MAIL_PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
"""How a mail server is spoken to, and its usual port for that (RFC 8314)."""
_STORE_SCHEMES: Final = ("sqlite:///", "postgresql+psycopg://")
_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")
OIDC_MAX: Final = 20
"""Organisations with a sign-in of their own on one hub."""
ISSUER_CHARACTERS_MAX: Final = 200
_OIDC_KEY: Final = re.compile("[a-z0-9][a-z0-9-]{0,30}")
_OIDC_KEYS: Final = (
    "name", "association", "issuer", "client_id", "client_secret_file", "email_domains", "second_factor_acr", "second_factor_amr",
)  # fmt: skip
_HEX_SECRET: Final = re.compile(rf"[0-9a-fA-F]{{{2 * MASTER_SECRET_BYTES}}}")


class BadSettings(ValueError):
    """The file cannot be used; the text names the file, the key and what is allowed."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker listens and who we are there. `tls` uses the system's certificate authorities, or `ca_file`.

    `home_assistant` is the topic under which Home Assistant looks for devices (there: `homeassistant`); empty, it is told nothing.
    """

    host: str = "127.0.0.1"
    port: int = 1883
    user: str = ""
    password_file: Path | None = None
    tls: bool = False
    ca_file: Path | None = None
    client_id: str = "consigne-hub"
    home_assistant: str = ""


@dataclass(frozen=True, slots=True)
class SiteBroker:
    """`[sites]`: the broker as the sites reach it, told to a new machine. Without a host of its own it is the hub's; `ca` in PEM."""

    host: str
    port: int
    ca: str = ""


@dataclass(frozen=True, slots=True)
class Web:
    """Where the pages and the API listen. `public_url` decides whether cookies are marked Secure.

    `frame_ancestors` are origins whose pages may show ours in a frame: none, but for a demonstration.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = ""
    frame_ancestors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Access:
    """Who comes in. `open_on_loopback` lets everybody on this machine in without signing in: for a demo only."""

    open_on_loopback: bool = False


@dataclass(frozen=True, slots=True)
class Notify:
    """How recipients are told by telephone, and when they are told at all.

    `none` sends nothing; `webhook` posts JSON to `url`; `apprise` sends through the gateways listed in `apprise_file`, or in the
    association's own file of `apprise_files`. A number with a single 0 in front is of the country with `country_code`. Hours are those of the site: `time_zones` names sites in another zone.
    """

    driver: str = "none"
    url: str = ""
    apprise_file: Path | None = None
    apprise_files: Mapping[str, Path] = field(default_factory=dict)
    country_code: str = "33"
    hours: Hours = _HOURS
    hold: Hold = _HOLD
    time_zone: ZoneInfo = _ZONE
    time_zones: Mapping[str, ZoneInfo] = field(default_factory=dict)

    def zone_of(self, site: str) -> ZoneInfo:
        """The time zone of a site."""
        return self.time_zones.get(site, self.time_zone)


@dataclass(frozen=True, slots=True)
class Mail:
    """The mail server that recipients' e-mail goes through; without a `host` none is sent.

    `security` is `starttls`, `tls` from the first byte, or `none`, which only a server on this machine may have.
    """

    host: str = ""
    port: int = 587
    security: str = "starttls"
    user: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    sender: Address = field(default_factory=lambda: _SENDER)
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class Carriers:
    """Where carriers may be told of their parcels. `private_webhooks` allows http and addresses of our own network."""

    private_webhooks: bool = False


@dataclass(frozen=True, slots=True)
class Oidc:
    """`[oidc.KEY]`: the sign-in of an organisation. `name` stands on its button; `association` is whose people come from there, "" the first.

    Somebody is linked by an e-mail address of `email_domains` that the server checked, or by themselves. `second_factor_acr` and `…_amr` are
    what the server says of a sign-in with two factors; nothing declared, nothing believed.
    """

    key: str
    name: str
    association: str
    issuer: str
    client_id: str
    client_secret_file: Path
    email_domains: tuple[str, ...] = ()
    second_factor_acr: tuple[str, ...] = ()
    second_factor_amr: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the hub is told from outside."""

    file: Path
    state_dir: Path
    master_secret_file: Path | None
    store_url: str
    broker: Broker
    sites: SiteBroker
    web: Web
    access: Access
    notify: Notify
    mail: Mail
    contact_days: int
    carriers: Carriers = Carriers()
    oidc: tuple[Oidc, ...] = ()


@dataclass(frozen=True, slots=True)
class Systemd:
    """What the service manager said in the environment; empty when started by hand."""

    notify_socket: str = ""
    watchdog_ms: int = 0
    credentials_dir: Path | None = None


def read_systemd() -> Systemd:
    """The environment words of the service manager."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY", "")
    return Systemd(
        notify_socket=os.environ.get("NOTIFY_SOCKET", ""),
        watchdog_ms=int(os.environ.get("WATCHDOG_USEC", "0")) // 1000,
        credentials_dir=Path(credentials) if credentials else None,
    )


def read_settings(file: Path) -> Settings:
    """The settings in `file`. Raises BadSettings."""
    try:
        with file.open("rb") as stream:
            table = tomllib.load(stream)
    except OSError as error:
        raise BadSettings(f"{file}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadSettings(f"{file}: is not TOML: {error}") from error
    return _Reader(file).settings(table)


def read_master_secret(settings: Settings, systemd: Systemd) -> bytes:
    """The 32 bytes every site key is derived from. Raises BadSettings when there are none, or not 32 of them."""
    path = settings.master_secret_file
    if path is None and systemd.credentials_dir is not None:
        path = systemd.credentials_dir / MASTER_SECRET_CREDENTIAL
    if path is None:
        raise BadSettings(
            f"{settings.file}: master_secret_file is missing: name a file of {2 * MASTER_SECRET_BYTES} hex digits, "
            f"or hand it over with LoadCredential={MASTER_SECRET_CREDENTIAL}:…"
        )
    return _hex_secret(path)


def read_broker_password(settings: Settings) -> str:
    """The broker password, or an empty text when none is configured. Raises BadSettings."""
    path = settings.broker.password_file
    return "" if path is None else _text_of(path).strip()


def read_mail_password(settings: Settings) -> str:
    """The password for the mail server, or an empty text when none is configured. Raises BadSettings."""
    path = settings.mail.password_file
    return "" if path is None else _text_of(path).strip()


def read_oidc_secret(provider: Oidc) -> str:
    """The secret an organisation gave the hub. Raises BadSettings."""
    return _text_of(provider.client_secret_file).strip()


def read_gateways(settings: Settings) -> dict[str, tuple[str, ...]]:
    """The gateway addresses of each association by its name, "" for all others. Secrets: shown nowhere. Raises BadSettings."""
    files = dict(settings.notify.apprise_files)
    if settings.notify.apprise_file is not None:
        files[""] = settings.notify.apprise_file
    return {name: _gateways_in(path) for name, path in files.items()} if settings.notify.driver == "apprise" else {}


def _gateways_in(path: Path) -> tuple[str, ...]:
    lines = [(number, line.strip()) for number, line in enumerate(_text_of(path).splitlines(), 1)]
    found = [(number, line) for number, line in lines if line and not line.startswith("#")]
    for number, line in found:
        if PHONE_PLACE not in line:
            raise BadSettings(
                f"{path}: line {number}: {PHONE_PLACE} is missing: without it one telephone gets every code"
            )
    if not 0 < len(found) <= GATEWAYS_MAX:
        raise BadSettings(f"{path}: expected 1 to {GATEWAYS_MAX} gateway addresses, one a line")
    return tuple(line for _, line in found)


def _hex_secret(path: Path) -> bytes:
    text = _text_of(path).strip()
    if _HEX_SECRET.fullmatch(text) is None:
        raise BadSettings(f"{path}: expected {2 * MASTER_SECRET_BYTES} hex digits and nothing else")
    return bytes.fromhex(text)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path}: cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class _Reader:
    """Takes known keys out of tables and refuses the rest by name."""

    file: Path

    def settings(self, table: Mapping[str, Any]) -> Settings:
        sections = ("broker", "sites", "store", "web", "access", "notify", "mail", "carriers", "oidc")
        self._only(table, "", ("state_dir", "master_secret_file", "contact_days", *sections))
        state_dir = self._path(table, "state_dir")
        if state_dir is None:
            raise BadSettings(f"{self.file}: state_dir is missing: name the folder that keeps the hub's state")
        return Settings(
            file=self.file,
            state_dir=state_dir,
            master_secret_file=self._path(table, "master_secret_file"),
            store_url=self._store_url(self._section(table, "store", ("url",)), state_dir),
            broker=self._broker(table),
            sites=self._sites(table),
            web=self._web(table),
            access=self._access(table),
            notify=self._notify(table),
            mail=self._mail(table),
            carriers=self._carriers(table),
            oidc=self._oidc(table),
            contact_days=self._integer(table, "contact_days", "", CONTACT_DAYS_MAX, 0, CONTACT_DAYS_MAX),
        )

    def _broker(self, table: Mapping[str, Any]) -> Broker:
        keys = ("host", "port", "user", "password_file", "tls", "ca_file", "client_id", "home_assistant")
        section = self._section(table, "broker", keys)
        default = Broker()
        return Broker(
            host=self._text(section, "host", "broker", default.host),
            port=self._integer(section, "port", "broker", default.port, 1, 65_535),
            user=self._text(section, "user", "broker", default.user),
            password_file=self._path(section, "password_file", "broker"),
            tls=self._switch(section, "tls", "broker", default=default.tls),
            ca_file=self._path(section, "ca_file", "broker"),
            client_id=self._text(section, "client_id", "broker", default.client_id),
            home_assistant=self._topic(section, "home_assistant", "broker"),
        )

    def _topic(self, section: Mapping[str, Any], key: str, where: str) -> str:
        text = self._text(section, key, where, "")
        if text and (_TOPIC.fullmatch(text) is None or text == "consigne"):
            raise BadSettings(
                f"{self.file}: {where}.{key}: expected letters, digits, - and _, for example homeassistant"
            )
        return text

    def _sites(self, table: Mapping[str, Any]) -> SiteBroker:
        section = self._section(table, "sites", ("broker_host", "broker_port", "broker_ca_file"))
        ours = self._broker(table)
        file = self._path(section, "broker_ca_file", "sites")
        try:
            ca = "" if file is None else file.read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            raise BadSettings(f"{self.file}: [sites] broker_ca_file: {file} cannot be read as certificates") from error
        return SiteBroker(
            host=self._text(section, "broker_host", "sites", ours.host),
            port=self._integer(section, "broker_port", "sites", ours.port, 1, 65_535),
            ca=ca,
        )

    def _web(self, table: Mapping[str, Any]) -> Web:
        section = self._section(table, "web", ("host", "port", "public_url", "frame_ancestors"))
        default = Web()
        public_url = self._text(section, "public_url", "web", default.public_url)
        if public_url and not is_web_address(public_url):
            raise BadSettings(f"{self.file}: [web] public_url: expected http://… or https://…")
        return Web(
            host=self._text(section, "host", "web", default.host),
            port=self._integer(section, "port", "web", default.port, 0, 65_535),
            public_url=public_url,
            frame_ancestors=self._origins(section, "frame_ancestors", "web"),
        )

    def _access(self, table: Mapping[str, Any]) -> Access:
        section = self._section(table, "access", ("open_on_loopback",))
        opened = self._switch(section, "open_on_loopback", "access", default=False)
        host = self._web(table).host
        if opened and not is_loopback(host):
            raise BadSettings(
                f"{self.file}: [access] open_on_loopback: allowed only when [web] host is a loopback address "
                f"(127.0.0.1, ::1 or localhost), not {host!r}"
            )
        return Access(open_on_loopback=opened)

    def _notify(self, table: Mapping[str, Any]) -> Notify:
        section = self._section(table, "notify", _NOTIFY_KEYS)
        driver = self._text(section, "driver", "notify", "none")
        url = self._text(section, "url", "notify", "")
        if driver not in {"none", "webhook", "apprise"}:
            raise BadSettings(f"{self.file}: [notify] driver: {driver!r} is unknown; allowed: none, webhook, apprise")
        if driver == "webhook" and not url.startswith(("http://", "https://")):
            raise BadSettings(f"{self.file}: [notify] url: the webhook driver needs http://… or https://…")
        hours = Hours(
            self._integer(section, "first_hour", "notify", _HOURS.first, 0, 23),
            self._integer(section, "end_hour", "notify", _HOURS.end, 1, 24),
        )
        if hours.first >= hours.end:
            raise BadSettings(f"{self.file}: [notify] end_hour: expected an hour after first_hour")
        zones = section.get("time_zones", {})
        if not isinstance(zones, dict):
            raise BadSettings(
                f'{self.file}: [notify] time_zones: expected a table such as {{ site = "Indian/Reunion" }}'
            )
        return Notify(
            driver=driver,
            url=url,
            **self._gateways(section, driver),
            hours=hours,
            hold=self._hold(section),
            time_zone=self._zone(section, "time_zone", _ZONE.key),
            time_zones={site: self._zone(zones, site, "") for site in zones},
        )

    def _gateways(self, section: Mapping[str, Any], driver: str) -> dict[str, Any]:
        file = self._path(section, "apprise_file", "notify")
        own = section.get("apprise_files", {})
        if not isinstance(own, dict):
            raise BadSettings(
                f'{self.file}: [notify] apprise_files: expected a table such as {{ "Association" = "file" }}'
            )
        files = {name: self._path(own, name, "notify") for name in own}
        if driver == "apprise" and file is None and not any(files.values()):
            raise BadSettings(f"{self.file}: [notify] apprise_file: name a file of gateway addresses, one a line")
        country = self._text(section, "country_code", "notify", "33")
        if _COUNTRY.fullmatch(country) is None:
            raise BadSettings(f"{self.file}: [notify] country_code: expected 1 to 3 digits such as 33")
        return {
            "apprise_file": file,
            "apprise_files": {name: path for name, path in files.items() if path is not None},
            "country_code": country,
        }

    def _hold(self, section: Mapping[str, Any]) -> Hold:
        default = _HOLD
        return Hold(
            self._integer(section, "hold_days", "notify", default.days, 0, HOLD_DAYS_MAX),
            self._integer(section, "remind_after_days", "notify", default.remind_after, 0, HOLD_DAYS_MAX),
            self._integer(section, "remind_before_days", "notify", default.remind_before, 0, HOLD_DAYS_MAX),
        )

    def _zone(self, table: Mapping[str, Any], key: str, default: str) -> ZoneInfo:
        name = self._text(table, key, "notify", default)
        try:
            return ZoneInfo(name)
        except (OSError, ValueError, ZoneInfoNotFoundError) as error:
            raise BadSettings(f"{self._where('notify', key)}: there is no time zone {name!r}") from error

    def _mail(self, table: Mapping[str, Any]) -> Mail:
        default = Mail()
        keys = ("host", "port", "security", "user", "password_file", "ca_file", "sender", "sender_name", "reply_to")
        section = self._section(table, "mail", keys)
        host = self._text(section, "host", "mail", "")
        security = self._text(section, "security", "mail", default.security)
        if security not in _MAIL_PORTS:
            raise BadSettings(f"{self.file}: [mail] security: allowed: {', '.join(_MAIL_PORTS)}")
        if host and security == "none" and not is_loopback(host):
            raise BadSettings(
                f"{self.file}: [mail] security: none only for a server on this machine: a message carries a key"
            )
        if bool(host) != bool(self._text(section, "sender", "mail", "")):
            raise BadSettings(f"{self.file}: [mail] needs both: host, and sender, the address that mails come from")
        return Mail(
            host=host,
            port=self._integer(section, "port", "mail", _MAIL_PORTS[security], 1, 65_535),
            security=security,
            user=self._text(section, "user", "mail", ""),
            password_file=self._path(section, "password_file", "mail"),
            ca_file=self._path(section, "ca_file", "mail"),
            sender=self._sender(section) if host else default.sender,
            reply_to=self._email(section, "reply_to"),
        )

    def _sender(self, section: Mapping[str, Any]) -> Address:
        name = self._text(section, "sender_name", "mail", Mail().sender.display_name)
        if not name.isprintable():
            raise BadSettings(f"{self.file}: [mail] sender_name: expected printable characters")
        return Address(display_name=name, addr_spec=self._email(section, "sender"))

    def _email(self, section: Mapping[str, Any], key: str) -> str:
        try:
            return tidy_email(self._text(section, key, "mail", ""))
        except Refused as error:
            raise BadSettings(f"{self.file}: [mail] {key}: {error}") from error

    def _carriers(self, table: Mapping[str, Any]) -> Carriers:
        section = self._section(table, "carriers", ("private_webhooks",))
        return Carriers(private_webhooks=self._switch(section, "private_webhooks", "carriers", default=False))

    def _oidc(self, table: Mapping[str, Any]) -> tuple[Oidc, ...]:
        section = table.get("oidc", {})
        if not isinstance(section, dict) or len(section) > OIDC_MAX or not all(map(_OIDC_KEY.fullmatch, section)):
            raise BadSettings(
                f"{self.file}: oidc: expected at most {OIDC_MAX} tables such as [oidc.ville], each named with small letters, digits and -"
            )
        if section and not is_oidc_address(self._web(table).public_url):
            raise BadSettings(
                f"{self.file}: [oidc] needs [web] public_url with https: organisations send people back there"
            )
        return tuple(self._organisation(section, key) for key in section)

    def _organisation(self, table: Mapping[str, Any], key: str) -> Oidc:
        where = f"oidc.{key}"
        section = self._section(table, key, _OIDC_KEYS, where)
        texts = {name: self._text(section, name, where, "") for name in ("name", "issuer", "client_id")}
        secret = self._path(section, "client_secret_file", where)
        if not all(texts.values()) or secret is None:
            raise BadSettings(f"{self.file}: [{where}] needs name, issuer, client_id and client_secret_file")
        if not is_oidc_address(texts["issuer"]) or len(texts["issuer"]) > ISSUER_CHARACTERS_MAX:
            raise BadSettings(f"{self._where(where, 'issuer')}: expected https://… as the organisation writes it")
        return Oidc(
            key=key,
            **texts,
            association=self._text(section, "association", where, ""),
            client_secret_file=secret,
            email_domains=tuple(one.casefold() for one in self._texts(section, "email_domains", where)),
            second_factor_acr=self._texts(section, "second_factor_acr", where),
            second_factor_amr=self._texts(section, "second_factor_amr", where),
        )

    def _store_url(self, section: Mapping[str, Any], state_dir: Path) -> str:
        url = self._text(section, "url", "store", f"sqlite:///{state_dir / 'hub.sqlite'}")
        if not url.startswith(_STORE_SCHEMES):
            raise BadSettings(f"{self.file}: [store] url: allowed: {'…, '.join(_STORE_SCHEMES)}…")
        return url

    def _section(
        self, table: Mapping[str, Any], name: str, allowed: tuple[str, ...], where: str = ""
    ) -> Mapping[str, Any]:
        section, where = table.get(name, {}), where or name
        if not isinstance(section, dict):
            raise BadSettings(f"{self.file}: {where}: expected a table [{where}]")
        self._only(section, where, allowed)
        return section

    def _only(self, table: Mapping[str, Any], section: str, allowed: tuple[str, ...]) -> None:
        for key in table:
            if key not in allowed:
                where = self._where(section, key)
                raise BadSettings(f"{where}: unknown key; allowed here: {', '.join(sorted(allowed))}")

    def _text(self, table: Mapping[str, Any], key: str, section: str, default: str) -> str:
        value = table.get(key, default)
        if not isinstance(value, str):
            raise BadSettings(f"{self._where(section, key)}: expected a text")
        return value

    def _origins(self, table: Mapping[str, Any], key: str, section: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and _ORIGIN.fullmatch(one) for one in value):
            raise BadSettings(
                f'{self._where(section, key)}: expected a list of origins such as ["http://127.0.0.1:8090"]'
            )
        return tuple(value)

    def _texts(self, table: Mapping[str, Any], key: str, section: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise BadSettings(f"{self._where(section, key)}: expected a list of texts")
        return tuple(value)

    def _integer(self, table: Mapping[str, Any], key: str, section: str, default: int, least: int, most: int) -> int:
        value = table.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise BadSettings(f"{self._where(section, key)}: expected a whole number from {least} to {most}")
        return value

    def _switch(self, table: Mapping[str, Any], key: str, section: str, *, default: bool) -> bool:
        value = table.get(key, default)
        if not isinstance(value, bool):
            raise BadSettings(f"{self._where(section, key)}: expected true or false")
        return value

    def _path(self, table: Mapping[str, Any], key: str, section: str = "") -> Path | None:
        text = self._text(table, key, section, "")
        return (self.file.parent / text) if text else None

    def _where(self, section: str, key: str) -> str:
        return f"{self.file}: [{section}] {key}" if section else f"{self.file}: {key}"


def is_web_address(url: str) -> bool:
    """Whether it is http://… or https://… with a host that has a name or an address, and a port if any."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna"), parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(host) and port != 0


def is_oidc_address(url: str) -> bool:
    """Whether secrets may go there: https, or this very machine."""
    parts = urlsplit(url) if is_web_address(url) else None
    return parts is not None and not parts.fragment and (parts.scheme == "https" or is_loopback(parts.hostname or ""))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a listener on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
