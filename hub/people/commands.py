"""The commands about people: `consigne-hub association | user | token | audit …`.

Owns their arguments and what they print. A password never stands on a command line, a token is printed once.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import getpass
import json
import sys
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy.exc import IntegrityError

from hub.audit.chain import Action
from hub.audit.log import READ_AT_ONCE, AuditLog, lines_after
from hub.clock import wall_ms
from hub.core.permissions import TOKEN_RIGHTS, Right, Role, Visitor, keeps_an_admin
from hub.keys import KeyRing
from hub.people.services import CONSOLE, Door, UnknownSite, told_as
from hub.store import passkeys, people, tenants
from hub.store.engine import Store
from hub.store.tenants import FIRST_TENANT

EXIT_TAMPERED: Final = 3
"""Exit status of `audit verify` when something is wrong with a log."""
COLUMNS: Final = ("seq", "at_ms", "actor", "role", "action", "kind", "subject", "site", "reason", "hash")


class Impossible(Exception):
    """What was asked cannot be done; the text says why."""


class Tampered(Exception):
    """A log is not as the hub left it; what is wrong was printed."""


def add_commands(commands: Any) -> None:
    """Put these commands into the hub's parser."""
    association = commands.add_parser("association", help="who runs sites").add_subparsers(dest="action", required=True)
    association.add_parser("add", help="create an association").add_argument("name")
    association.add_parser("list", help="list associations")
    user = commands.add_parser("user", help="people").add_subparsers(dest="action", required=True)
    person = user.add_parser("add", help="let somebody sign in, or change their password, role and sites")
    person.add_argument("name")
    person.add_argument("--role", default=Role.NETWORK_ADMIN.value, choices=[role.value for role in Role] + ["admin"])
    person.add_argument("--site", action="append", default=[], help="a site they work at; once for each")
    person.add_argument("--carrier", default="", help="whose parcels; for the role carrier, and only for it")
    person.add_argument("--association", default="", help="its name; without it the first one")
    person.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    user.add_parser("list", help="everybody, with their role").add_argument("--association", default="")
    user.add_parser("end", help="somebody signs in no more, and is signed out at once").add_argument("name")
    user.add_parser("sign-out", help="end every session of somebody").add_argument("name")
    token = commands.add_parser("token", help="API tokens").add_subparsers(dest="action", required=True)
    added = token.add_parser("add", help="print a new API token")
    added.add_argument("name")
    added.add_argument(
        "--scope", action="append", required=True, choices=sorted(right.value for right in TOKEN_RIGHTS), metavar="RIGHT",
        help=f"what it may do, once for each: {', '.join(sorted(TOKEN_RIGHTS))}",
    )  # fmt: skip
    added.add_argument("--carrier", default="", help="whose parcels; without it everybody's")
    added.add_argument("--association", default="", help="its name; without it the first one")
    token.add_parser("list", help="programs and what they may do")
    token.add_parser("end", help="a token is worth nothing any more").add_argument("name")
    audit = commands.add_parser("audit", help="who did what").add_subparsers(dest="action", required=True)
    verify = audit.add_parser("verify", help="find lost, changed and added lines")
    verify.add_argument("--association", default="")
    verify.add_argument("--expect", default="", metavar="LINE:HASH", help="an end that was written down earlier")
    export = audit.add_parser("export", help="print the log")
    export.add_argument("--association", default="")
    export.add_argument("--format", choices=("csv", "json"), default="csv")


def tenant_named(store: Store, name: str) -> int:
    """The number of an association, the first one without a name. Raises Impossible."""
    if not name:
        return FIRST_TENANT
    with store.reading() as connection:
        number = tenants.association(connection, name)
    if number is None:
        raise Impossible(f"there is no association {name!r}; create it: association add NAME")
    return number


def _association_add(asked: argparse.Namespace, store: Store, keys: KeyRing) -> None:
    name = " ".join(asked.name.split())
    if not 1 <= len(name) <= 80:
        raise Impossible("the name of an association has 1 to 80 characters")
    try:
        with store.writing() as connection:
            number = tenants.add_association(connection, name, wall_ms())
            _note(connection, keys, Action.ASSOCIATION_CREATED, number, "association", name)
    except IntegrityError as error:
        raise Impossible(f"there is an association {name!r} already") from error
    print(number)


def _association_list(_asked: argparse.Namespace, store: Store, _keys: KeyRing) -> None:
    with store.reading() as connection:
        for row in tenants.associations(connection):
            print(f"{row.number}\t{row.name}")


def _user_add(asked: argparse.Namespace, store: Store, keys: KeyRing) -> None:
    role = Role.NETWORK_ADMIN if asked.role == "admin" else Role(asked.role)
    if (role is Role.CARRIER) != bool(asked.carrier):
        raise Impossible("somebody of a carrier names it (--carrier NAME), and nobody else does")
    tenant = tenant_named(store, asked.association)
    password = sys.stdin.readline().rstrip("\n") if asked.password_stdin else getpass.getpass()
    try:
        Door(store, keys, wall_ms).add_person(
            asked.name, role, password, tenant=tenant, sites=asked.site, carrier=asked.carrier
        )
    except UnknownSite as error:
        raise Impossible(str(error)) from error
    print(f"{asked.name} may sign in")


def _user_list(asked: argparse.Namespace, store: Store, _keys: KeyRing) -> None:
    tenant = tenant_named(store, asked.association)
    with store.reading() as connection:
        sites = people.sites_by_person(connection, tenant)
        with_passkey = passkeys.owners(connection, tenant)
        for row in people.people(connection, tenant):
            second = "second factor" if row.second_factor or row.id in with_passkey else "-"
            print(f"{row.name}\t{told_as(row.role, sites.get(row.id, ()), row.carrier)}\t{second}")


def _user_end(asked: argparse.Namespace, store: Store, keys: KeyRing) -> None:
    with store.writing() as connection:
        row = _known(connection, asked.name)
        if row.role == Role.NETWORK_ADMIN and not keeps_an_admin(people.roles(connection, row.tenant), row.id, ""):
            raise Impossible(f"{asked.name} is the last network admin of the association: add another one first")
        people.end_person(connection, row.id)
        _note(connection, keys, Action.PERSON_ENDED, row.tenant, "person", asked.name)
    print(f"{asked.name} signs in no more")


def _user_sign_out(asked: argparse.Namespace, store: Store, keys: KeyRing) -> None:
    with store.writing() as connection:
        row = _known(connection, asked.name)
        ended = people.close_sessions(connection, row.id)
        _note(connection, keys, Action.SESSIONS_ENDED, row.tenant, "person", asked.name)
    print(f"{ended} sessions ended")


def _known(connection: Any, name: str) -> Any:
    row = people.person(connection, name)
    if row is None:
        raise Impossible(f"there is nobody called {name!r}")
    return row


def _token_add(asked: argparse.Namespace, store: Store, keys: KeyRing) -> None:
    rights = [Right(name) for name in asked.scope]
    tenant = tenant_named(store, asked.association)
    try:
        print(Door(store, keys, wall_ms).add_token(asked.name, rights, tenant=tenant, carrier=asked.carrier))
    except IntegrityError as error:
        raise Impossible(f"there is a token {asked.name} already") from error


def _token_list(_asked: argparse.Namespace, store: Store, _keys: KeyRing) -> None:
    with store.reading() as connection:
        for row in people.tokens(connection):
            print(f"{row.name}\tassociation {row.tenant}\t{row.rights}\t{row.carrier}")


def _token_end(asked: argparse.Namespace, store: Store, keys: KeyRing) -> None:
    with store.writing() as connection:
        tenant = people.end_token(connection, asked.name)
        if tenant is None:
            raise Impossible(f"there is no token {asked.name}")
        _note(connection, keys, Action.TOKEN_ENDED, tenant, "token", asked.name)
    print(f"{asked.name} comes in no more")


def _audit_verify(asked: argparse.Namespace, store: Store, keys: KeyRing) -> None:
    tenant = tenant_named(store, asked.association)
    expected, _, digest = asked.expect.partition(":")
    with store.reading() as connection:
        findings, seq, end = AuditLog(keys).verify(connection, tenant)
        at_expected = ""
        if expected.isdigit() and int(expected) > 0:
            at_expected = next(
                (line.hash.hex() for line in lines_after(connection, tenant, int(expected) - 1, 1)), "no line any more"
            )
    for finding in findings:
        print(f"line {finding.seq}: {finding.problem}")
    if asked.expect and at_expected != digest:
        print(f"line {expected}: was {digest or 'not told'}, is {at_expected or 'none'}")
        raise Tampered
    if findings:
        raise Tampered
    print(f"{seq} lines, nothing lost, changed or added. Write this down, it proves all of them later: {seq}:{end}")


def _audit_export(asked: argparse.Namespace, store: Store, _keys: KeyRing) -> None:
    tenant, after = tenant_named(store, asked.association), 0
    table = csv.writer(sys.stdout)
    if asked.format == "csv":
        table.writerow(COLUMNS)
    with store.reading() as connection:
        while lines := lines_after(connection, tenant, after, READ_AT_ONCE):
            for line in lines:
                row = {**dataclasses.asdict(line), "hash": line.hash.hex()}
                if asked.format == "csv":
                    table.writerow([row[name] for name in COLUMNS])
                else:
                    print(json.dumps(row, ensure_ascii=False))
            after = lines[-1].seq


def _note(connection: Any, keys: KeyRing, action: Action, tenant: int, kind: str, subject: str) -> None:
    by: Visitor = CONSOLE
    AuditLog(keys).note(connection, by, action, tenant=tenant, at_ms=wall_ms(), kind=kind, subject=subject)


COMMANDS: Final[dict[tuple[str, str], Callable[[argparse.Namespace, Store, KeyRing], None]]] = {
    ("association", "add"): _association_add,
    ("association", "list"): _association_list,
    ("user", "add"): _user_add,
    ("user", "list"): _user_list,
    ("user", "end"): _user_end,
    ("user", "sign-out"): _user_sign_out,
    ("token", "add"): _token_add,
    ("token", "list"): _token_list,
    ("token", "end"): _token_end,
    ("audit", "verify"): _audit_verify,
    ("audit", "export"): _audit_export,
}
