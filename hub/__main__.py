"""The command line of the hub: `consigne-hub --config FILE [--check] [serve | site | association | user | token | badge | audit |
retention | person | backup | restore | verify | migrate | rhythm | acl]`.

Owns arguments and what is printed. Keys, tokens and badges are printed once, here, and nowhere else.
"""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from hub.audit.chain import Action
from hub.audit.log import AuditLog
from hub.clock import wall_ms
from hub.core.parcels import Refused
from hub.keys import KeyRing
from hub.operations import commands as operations
from hub.people import commands as console
from hub.people.commands import EXIT_TAMPERED, Impossible, Tampered
from hub.people.services import CONSOLE, WeakPassword
from hub.privacy import commands as privacy
from hub.rhythm import commands as rhythm
from hub.settings import BadSettings, Settings, read_broker_password, read_master_secret, read_settings, read_systemd
from hub.store import desk
from hub.store.copies import CopyFailed
from hub.store.engine import Store, StoreRefused
from hub.store.migrate import migrate
from hub.store.pages import PageReads
from wire.badges import PIN_DIGITS_MAX, PIN_DIGITS_MIN, badge_digest, badge_text, is_pin, pin_digest
from wire.ids import is_site_id
from wire.plan import Person, Role
from wire.plan import Settings as SiteSettings
from wire.topics import mosquitto_acl

EXIT_START: Final = 1
"""Exit status when the database takes nothing; the supervisor tries again."""
EXIT_BAD: Final = 2
"""Exit status for settings or arguments that cannot be used."""
_ROLES: Final = {
    Role.MEDIATOR.value: "Médiation",
    Role.CONCIERGE.value: "Conciergerie",
    Role.LEAD.value: "Responsable du site",
    Role.COURIER.value: "Livraison",
}
"""What stands on a badge for each role."""
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
        if asked.check:
            print(f"{asked.config}: fine")
            return 0
        if asked.command in {None, "serve"}:
            with operations.running(settings.state_dir):
                return _serve(settings)
        command, keys = (asked.command, getattr(asked, "action", None)), KeyRing(master)
        if command in console.COMMANDS:
            console.COMMANDS[command](asked, _open(settings), keys)
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
    import uvicorn

    from hub.app import Hub, create_app  # the other commands need no web server, and start at once

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    hub = Hub(settings, read_systemd())
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(hub),
            host=settings.web.host,
            port=settings.web.port,
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
    commands.add_parser("serve", help="run the hub (the default)")
    commands.add_parser("acl", help="print the access rules of Mosquitto")
    site = commands.add_parser("site", help="sites").add_subparsers(dest="action", required=True)
    added = site.add_parser("add", help="create a site")
    added.add_argument("site")
    added.add_argument("--name", required=True)
    added.add_argument("--address", default="")
    added.add_argument("--help-phone", default="")
    added.add_argument("--association", default="", help="whose site it is; without it the first one's")
    site.add_parser("list", help="list sites")
    site.add_parser("key", help="print the key file of a site").add_argument("site")
    timed = site.add_parser("set", help="change a site: dispute_ms=900000, pin_required=true")
    timed.add_argument("site")
    timed.add_argument("values", nargs="+", metavar="KEY=VALUE")
    site.add_parser(
        "adopt", help="take another past of a site as its own: a new journal, or an older card gone on"
    ).add_argument("site")
    console.add_commands(commands)
    badge = commands.add_parser("badge", help="badges of a site's staff").add_subparsers(dest="action", required=True)
    worn = badge.add_parser("add", help="print the text of a new badge")
    worn.add_argument("site")
    worn.add_argument("person", help="an opaque id, no name")
    worn.add_argument("--role", default=Role.CONCIERGE.value, choices=[role.value for role in Role])
    worn.add_argument("--carrier", default="", help="whose courier it is; needed for a courier, and only for one")
    worn.add_argument("--pin-stdin", action="store_true", help="read a PIN of 4 to 8 digits from standard input")
    worn.add_argument("--valid-until", type=date.fromisoformat, help="the last day of the badge, as 2027-06-30")
    worn.add_argument(
        "--pdf", type=Path, metavar="FILE", help="write the badge as a card to print; the file must not exist"
    )
    worn.add_argument("--called", default="", help="the first name printed on that card; it is kept nowhere")
    ended = badge.add_parser("end", help="take somebody off a site's roster; a lost badge opens nothing more")
    ended.add_argument("site")
    ended.add_argument("person")
    privacy.add_parsers(commands)
    operations.add_parsers(commands)
    rhythm.add_parser(commands)
    return parser


def _open(settings: Settings) -> Store:
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    store = Store(settings.store_url)
    migrate(store)
    return store


def _acl(_asked: argparse.Namespace, settings: Settings, _keys: KeyRing) -> None:
    print(mosquitto_acl(settings.broker.user or "hub"), end="")


def _site_add(asked: argparse.Namespace, settings: Settings, keys: KeyRing) -> None:
    if not is_site_id(asked.site):
        raise Impossible(f"{asked.site!r} is not a site id: 2 to 31 characters of a-z, 0-9 and -, not hub")
    store = _open(settings)
    tenant = console.tenant_named(store, asked.association)
    with store.writing() as connection:
        if desk.site(connection, asked.site) is not None:
            raise Impossible(f"there is a site {asked.site} already")
        number = desk.add_site(
            connection,
            site=asked.site,
            name=asked.name,
            address=asked.address,
            help_phone=asked.help_phone,
            now_ms=wall_ms(),
            tenant=tenant,
        )
        _note(connection, keys, Action.SITE_CREATED, tenant, asked.site)
    print(number)


def _site_set(asked: argparse.Namespace, settings: Settings, keys: KeyRing) -> None:
    pairs = [value.partition("=") for value in asked.values]
    with _open(settings).writing() as connection:
        row = desk.site(connection, asked.site)
        if row is None:
            raise Impossible(f"there is no site {asked.site}")
        try:
            known = msgspec.to_builtins(desk.settings_of(row))
            wanted = msgspec.convert(known | {key: value for key, _, value in pairs}, SiteSettings, strict=False)
        except ValueError as error:
            allowed = ", ".join(SiteSettings.__struct_fields__)
            raise Impossible(f"{' '.join(asked.values)}: {error}; the keys are {allowed}") from error
        if unknown := sorted({key for key, _, _ in pairs} - set(SiteSettings.__struct_fields__)):
            raise Impossible(f"unknown: {', '.join(unknown)}; the keys are {', '.join(SiteSettings.__struct_fields__)}")
        desk.set_settings(connection, number=row.number, settings=wanted)
        _note(connection, keys, Action.SITE_CHANGED, row.tenant, asked.site, reason=" ".join(asked.values))


def _site_list(_asked: argparse.Namespace, settings: Settings, _keys: KeyRing) -> None:
    for row in PageReads(_open(settings)).sites():
        print(f"{row.number}\t{row.id}\t{row.name}\t{row.presence or 'never heard'}\tseq {row.seq}")


def _site_key(asked: argparse.Namespace, settings: Settings, keys: KeyRing) -> None:
    with _open(settings).writing() as connection:
        row = desk.site(connection, asked.site)
        if row is None:
            raise Impossible(f"there is no site {asked.site}")
        _note(connection, keys, Action.SITE_KEY_SHOWN, row.tenant, asked.site)
    for epoch in range(row.epoch + 1):
        print(epoch, keys.site_key(asked.site, epoch).hex())


def _site_adopt(asked: argparse.Namespace, settings: Settings, keys: KeyRing) -> None:
    with _open(settings).writing() as connection:
        row = desk.site(connection, asked.site)
        if row is None:
            raise Impossible(f"there is no site {asked.site}")
        desk.adopt_next_journal(connection, row.number)
        _note(connection, keys, Action.SITE_ADOPTED, row.tenant, asked.site)
    print(f"the next past {asked.site} tells, from another journal or an older card, is taken as its own")


def _badge_add(asked: argparse.Namespace, settings: Settings, keys: KeyRing) -> None:
    text = badge_text(secrets.randbits(128))
    person = _person(asked, text)
    try:
        with _open(settings).writing() as connection:
            row = desk.site(connection, asked.site)
            if row is None:
                raise Impossible(f"there is no site {asked.site}")
            desk.add_badge(connection, number=row.number, person=person)
            _note(connection, keys, Action.BADGE_ADDED, row.tenant, asked.site, kind="badge", subject=asked.person)
    except IntegrityError as error:
        raise Impossible(f"{asked.person} is on the roster of {asked.site} already") from error
    print(text)
    if asked.pdf is not None:
        _write_card(asked, text)


def _write_card(asked: argparse.Namespace, text: str) -> None:
    """The badge as a card, readable for its owner alone: whoever has the file has the badge."""
    from paper.badge import Badge, badge_pdf  # Typefaces are read for this one command only.

    card = badge_pdf(Badge(text=text, first_name=asked.called or asked.person, role=_ROLES[asked.role]))
    try:
        with os.fdopen(os.open(asked.pdf, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(card)
    except OSError as error:
        raise Impossible(
            f"{asked.pdf}: {error.strerror}. The badge is good: print its text as a QR code, or end it."
        ) from error


def _person(asked: argparse.Namespace, badge: str) -> Person:
    """The entry of the roster; the PIN itself is kept nowhere, and never stands on a command line."""
    if (asked.role == Role.COURIER) != bool(asked.carrier):
        raise Impossible("a courier works for a carrier (--carrier NAME), and nobody else does")
    pin = sys.stdin.readline().strip() if asked.pin_stdin else ""
    if asked.pin_stdin and not is_pin(pin):
        raise Impossible(f"a PIN has {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits")
    return Person(
        id=asked.person,
        role=asked.role,
        badge=badge_digest(badge),
        carrier=asked.carrier,
        pin=pin_digest(badge, pin) if pin else "",
        valid_until_ms=0 if asked.valid_until is None else _end_of_day_ms(asked.valid_until),
    )


def _end_of_day_ms(day: date) -> int:
    """When a day ends where this machine stands."""
    return int(datetime.combine(day + timedelta(days=1), datetime.min.time()).timestamp() * 1000)


def _badge_end(asked: argparse.Namespace, settings: Settings, keys: KeyRing) -> None:
    with _open(settings).writing() as connection:
        row = desk.site(connection, asked.site)
        if row is None:
            raise Impossible(f"there is no site {asked.site}")
        if not desk.end_badge(connection, number=row.number, person=asked.person):
            raise Impossible(f"{asked.person} is not on the roster of {asked.site}")
        _note(connection, keys, Action.BADGE_ENDED, row.tenant, asked.site, kind="badge", subject=asked.person)
    print(f"{asked.person} opens nothing more at {asked.site} once it has its next plan")


def _note(
    connection: Connection, keys: KeyRing, action: Action, tenant: int, site: str,
    *, kind: str = "site", subject: str = "", reason: str = "",
) -> None:  # fmt: skip
    AuditLog(keys).note(
        connection, CONSOLE, action, tenant=tenant, at_ms=wall_ms(), kind=kind, subject=subject or site, site=site,
        reason=reason,
    )  # fmt: skip


_COMMANDS: Final[dict[tuple[str, str | None], Callable[[argparse.Namespace, Settings, KeyRing], None]]] = {
    ("acl", None): _acl,
    ("site", "add"): _site_add,
    ("site", "list"): _site_list,
    ("site", "set"): _site_set,
    ("site", "key"): _site_key,
    ("site", "adopt"): _site_adopt,
    ("badge", "add"): _badge_add,
    ("badge", "end"): _badge_end,
    ("backup", None): lambda asked, settings, _keys: operations.backup(asked, settings),
    ("restore", None): lambda asked, settings, _keys: operations.restore(asked, settings),
    ("verify", None): lambda asked, settings, _keys: operations.check(asked, settings, _open(settings)),
    ("migrate", None): lambda asked, settings, _keys: operations.to_this_version(asked, settings, _open(settings)),
    ("rhythm", None): lambda asked, settings, _keys: rhythm.show(asked, _open(settings), wall_ms),
    ("retention", None): lambda asked, settings, _keys: privacy.retention(asked, settings, _open(settings)),
    ("person", "export"): lambda asked, settings, _keys: privacy.export(asked, settings, _open(settings)),
    ("person", "erase"): lambda asked, settings, _keys: privacy.erase(asked, settings, _open(settings)),
}


if __name__ == "__main__":
    sys.exit(main())
