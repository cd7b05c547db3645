"""The commands about carriers: `consigne-hub carrier add | list | end`.

Owns their arguments and what they print. A key is printed once.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, Final

from hub.carriers.keys import PER_MINUTE_DEFAULT, PER_MINUTE_MAX, CarrierKeys
from hub.clock import wall_ms
from hub.core.permissions import CARRIER_RIGHTS, Right, Scope, Visitor
from hub.keys import KeyRing
from hub.people.commands import tenant_named
from hub.people.services import CONSOLE
from hub.store.engine import Store


def add_commands(commands: Any) -> None:
    """Put these commands into the hub's parser."""
    carrier = commands.add_parser("carrier", help="keys of carriers' programs").add_subparsers(
        dest="action", required=True
    )
    added = carrier.add_parser("add", help="print a new key of a carrier")
    added.add_argument("carrier", help="its name on labels")
    added.add_argument("name", help="what the key is for, such as production")
    added.add_argument(
        "--scope", action="append", choices=sorted(right.value for right in CARRIER_RIGHTS), metavar="RIGHT",
        help=f"what it may do, once for each; without it everything: {', '.join(sorted(CARRIER_RIGHTS))}",
    )  # fmt: skip
    added.add_argument("--site", action="append", help="a site it is for, once for each; without it every site")
    added.add_argument(
        "--per-minute",
        type=int,
        default=PER_MINUTE_DEFAULT,
        metavar="N",
        help=f"requests a minute, 1 to {PER_MINUTE_MAX}",
    )
    added.add_argument("--association", default="", help="its name; without it the first one")
    carrier.add_parser("list", help="keys, the open ones first").add_argument("--association", default="")
    ended = carrier.add_parser("end", help="a key opens nothing more")
    ended.add_argument("key", type=int, help="its number in the list")
    ended.add_argument("--association", default="")


def _console(asked: argparse.Namespace, store: Store) -> Visitor:
    """Whoever has the machine, working for one association."""
    return Visitor(CONSOLE.name, CONSOLE.role, scope=Scope(tenant_named(store, asked.association)))


def _add(asked: argparse.Namespace, store: Store, keys: KeyRing) -> None:
    rights = CARRIER_RIGHTS if asked.scope is None else [Right(name) for name in asked.scope]
    print(
        CarrierKeys(store, keys, wall_ms).add(
            asked.carrier, asked.name, rights, by=_console(asked, store), sites=asked.site, per_minute=asked.per_minute
        )
    )


def _list(asked: argparse.Namespace, store: Store, keys: KeyRing) -> None:
    for key in CarrierKeys(store, keys, wall_ms).keys(_console(asked, store)):
        where = "every site" if key.sites is None else ",".join(key.sites)
        state = "ended" if key.ended_ms else "used" if key.used_ms else "never used"
        print(f"{key.id}\t{key.carrier}\t{key.name}\t…{key.hint}\t{' '.join(key.rights)}\t{where}\t{state}")


def _end(asked: argparse.Namespace, store: Store, keys: KeyRing) -> None:
    CarrierKeys(store, keys, wall_ms).end(asked.key, _console(asked, store))
    print(f"key {asked.key} opens nothing more")


COMMANDS: Final[dict[tuple[str, str], Callable[[argparse.Namespace, Store, KeyRing], None]]] = {
    ("carrier", "add"): _add,
    ("carrier", "list"): _list,
    ("carrier", "end"): _end,
}
