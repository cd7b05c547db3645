"""The command line of the hub: `consigne-hub --config FILE [--check] [serve | site | association | user | token | carrier | badge | audit |
retention | person | backup | restore | verify | migrate | rhythm | acl | passwords]`.

Owns arguments and what is printed. Keys, tokens and badges are printed once, here, and nowhere else.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from hub.carriers import commands as carriers
from hub.clock import wall_ms
from hub.core.parcels import Refused
from hub.keys import KeyRing
from hub.operations import commands as operations
from hub.people import commands as console
from hub.people.commands import EXIT_TAMPERED, Impossible, Tampered
from hub.people.services import CONSOLE, WeakPassword
from hub.privacy import commands as privacy
from hub.rhythm import commands as rhythm
from hub.settings import (
    BadSettings,
    Settings,
    read_broker_password,
    read_gateways,
    read_mail_password,
    read_master_secret,
    read_settings,
    read_systemd,
)
from hub.sites import commands as sites
from hub.sites.enrolment import Enrolment, mosquitto_passwords
from hub.store.copies import CopyFailed
from hub.store.engine import Store, StoreRefused
from hub.store.migrate import migrate
from hub.store.pages import PageReads
from wire.topics import mosquitto_acl

if TYPE_CHECKING:
    from fastapi import FastAPI

EXIT_START: Final = 1
"""Exit status when the database takes nothing; the supervisor tries again."""
EXIT_BAD: Final = 2
"""Exit status for settings or arguments that cannot be used."""
GOODBYE_S: Final = 3
"""How long open pages may finish before the process stops."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the hub or one of its commands; the exit status."""
    asked = _parser().parse_args(arguments)
    try:
        settings = read_settings(asked.config)
        systemd = read_systemd()
        master = read_master_secret(settings, systemd)
        read_broker_password(settings)
        read_mail_password(settings)
        read_gateways(settings)
        if asked.check:
            print(f"{asked.config}: fine")
            return 0
        if asked.command in {None, "serve"}:
            part: WorkerPart | None = getattr(asked, "part", None)
            with operations.running(settings.state_dir):
                return _serve(settings) if part is None else _serve_part(settings, part)
        command, keys = (asked.command, getattr(asked, "action", None)), KeyRing(master)
        if command in _OF_THE_STORE:
            _OF_THE_STORE[command](asked, _open(settings), keys)
        else:
            _COMMANDS[command](asked, settings, keys)
    except Tampered:
        return EXIT_TAMPERED
    except (BadSettings, CopyFailed, Impossible, Refused, WeakPassword, operations.Disagrees) as error:
        print(error, file=sys.stderr)
        return EXIT_BAD
    except StoreRefused as refused:
        print(refused, file=sys.stderr)
        return EXIT_START
    return 0


def _serve(settings: Settings) -> int:
    from hub.app import Hub, create_app  # the other commands need no web server, and start at once

    _log()
    return _listen(create_app(Hub(settings, read_systemd())), settings, settings.web.port)


def _serve_part(settings: Settings, part: WorkerPart) -> int:
    """One of several processes (ADR 0028)."""
    if settings.store_url.startswith("sqlite"):
        raise BadSettings(
            "store.url: several processes need PostgreSQL; with SQLite start the hub alone (consigne-hub.service)"
        )
    from hub import app
    from hub.base import Base
    from hub.workers import ingest

    _log()
    if part.kind == "web":
        made = app.create_app(app.Hub(settings, read_systemd(), alone=False))
    else:
        made = ingest.create_app(ingest.IngestWorker(Base(settings, read_systemd())))
    return _listen(made, settings, part.port)


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _listen(application: FastAPI, settings: Settings, port: int) -> int:
    import uvicorn

    server = uvicorn.Server(
        uvicorn.Config(
            application,
            host=settings.web.host,
            port=port,
            access_log=False,  # a search holds a name (I-25)
            log_config=None,
            timeout_graceful_shutdown=GOODBYE_S,
        )
    )
    server.run()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="consigne-hub", description="The hub of Consigne.")
    parser.add_argument("--config", type=Path, required=True, help="the hub's TOML file")
    parser.add_argument("--check", action="store_true", help="check the file and stop")
    commands = parser.add_subparsers(dest="command")
    serve = commands.add_parser("serve", help="run the hub (the default), or one of its processes")
    serve.add_argument(
        "part", nargs="?", type=worker_part, metavar="web:PORT | ingest:PORT", help="one of several, on PostgreSQL"
    )
    commands.add_parser("acl", help="print the access rules of Mosquitto")
    commands.add_parser("passwords", help="print the password file of Mosquitto: the hub and every site")
    sites.add_parsers(commands)
    console.add_commands(commands)
    carriers.add_commands(commands)
    privacy.add_parsers(commands)
    operations.add_parsers(commands)
    rhythm.add_parser(commands)
    return parser


class WorkerPart(NamedTuple):
    """Which worker a process is, and where it listens: with pages, or only to be asked how it is."""

    kind: str
    port: int


def worker_part(text: str) -> WorkerPart | None:
    """`web:8080` or `ingest:8091`; None for nothing, which systemd says for a unit that is no instance.

    Raises argparse.ArgumentTypeError.
    """
    if not text:
        return None
    kind, _, port = text.partition(":")
    if kind not in {"web", "ingest"} or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise argparse.ArgumentTypeError(f"{text!r}: expected web:PORT or ingest:PORT, for example ingest:8091")
    return WorkerPart(kind, int(port))


def _open(settings: Settings) -> Store:
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    store = Store(settings.store_url)
    migrate(store)
    return store


def _passwords(_asked: argparse.Namespace, settings: Settings, keys: KeyRing) -> None:
    names = [row.id for row in PageReads(_open(settings)).sites()]
    user, password = settings.broker.user or "hub", read_broker_password(settings)
    print(mosquitto_passwords(keys, names, user, password), end="")


def _invite(asked: argparse.Namespace, settings: Settings, keys: KeyRing) -> None:
    enrolment = Enrolment(store=_open(settings), keys=keys, clock=wall_ms, broker=settings.sites)
    print(enrolment.invite(asked.site, CONSOLE))


def _acl(_asked: argparse.Namespace, settings: Settings, _keys: KeyRing) -> None:
    print(mosquitto_acl(settings.broker.user or "hub", settings.broker.home_assistant), end="")


_OF_THE_STORE: Final = {**console.COMMANDS, **sites.COMMANDS, **carriers.COMMANDS}
_COMMANDS: Final[dict[tuple[str, str | None], Callable[[argparse.Namespace, Settings, KeyRing], None]]] = {
    ("acl", None): _acl,
    ("passwords", None): _passwords,
    ("site", "invite"): _invite,
    ("backup", None): lambda asked, settings, _keys: operations.backup(asked, settings),
    ("restore", None): lambda asked, settings, _keys: operations.restore(asked, settings),
    ("verify", None): lambda asked, settings, _keys: operations.check(asked, settings, _open(settings)),
    ("migrate", None): lambda asked, settings, _keys: operations.to_this_version(asked, settings, _open(settings)),
    ("rhythm", None): lambda asked, settings, _keys: rhythm.show(asked, settings, _open(settings), wall_ms),
    ("retention", None): lambda asked, settings, _keys: privacy.retention(asked, settings, _open(settings)),
    ("person", "export"): lambda asked, settings, _keys: privacy.export(asked, settings, _open(settings)),
    ("person", "erase"): lambda asked, settings, _keys: privacy.erase(asked, settings, _open(settings)),
}


if __name__ == "__main__":
    sys.exit(main())
