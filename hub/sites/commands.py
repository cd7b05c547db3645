"""`consigne-hub site …` and `consigne-hub badge …`: sites, their keys and times, and who has a badge there.

Owns arguments and what is printed. A site's key and a badge's text are printed once, here, and nowhere else.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final

from hub.audit.chain import Action
from hub.audit.log import AuditLog
from hub.clock import wall_ms
from hub.keys import KeyRing
from hub.people.commands import Impossible, tenant_named
from hub.people.services import CONSOLE
from hub.sites.services import SiteCard, Sites, badge_end
from hub.store import desk
from hub.store.engine import Store
from hub.store.pages import PageReads
from hub.web.words_people import BADGE_ROLES
from wire.badges import PIN_DIGITS_MAX, PIN_DIGITS_MIN, is_pin
from wire.plan import Role


def add_parsers(commands: Any) -> None:
    """Put these commands into the hub's parser."""
    site = commands.add_parser("site", help="sites").add_subparsers(dest="action", required=True)
    added = site.add_parser("add", help="create a site")
    added.add_argument("site")
    added.add_argument("--name", required=True)
    added.add_argument("--address", default="")
    added.add_argument("--help-phone", default="")
    added.add_argument("--association", default="", help="whose site it is; without it the first one's")
    added.add_argument("--sandbox", action="store_true", help="no machine: carriers try their programs there")
    site.add_parser("list", help="list sites")
    site.add_parser("invite", help="print a token that makes a machine this site, once, within a day").add_argument(
        "site"
    )
    site.add_parser("key", help="print the key file of a site").add_argument("site")
    timed = site.add_parser("set", help="change a site: dispute_ms=900000, pin_required=true")
    timed.add_argument("site")
    timed.add_argument("values", nargs="+", metavar="KEY=VALUE")
    site.add_parser(
        "adopt", help="take another past of a site as its own: a new journal, or an older card gone on"
    ).add_argument("site")
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


def _sites(store: Store, keys: KeyRing) -> Sites:
    return Sites(store=store, keys=keys, clock=wall_ms)


def _add(asked: argparse.Namespace, store: Store, keys: KeyRing) -> None:
    card = SiteCard(asked.name, asked.address, asked.help_phone)
    print(
        _sites(store, keys).create(
            asked.site, card, tenant_named(store, asked.association), CONSOLE, sandbox=asked.sandbox
        )
    )


def _set(asked: argparse.Namespace, store: Store, keys: KeyRing) -> None:
    pairs = (value.partition("=") for value in asked.values)
    _sites(store, keys).change(asked.site, CONSOLE, times={key: value for key, _, value in pairs})


def _list(_asked: argparse.Namespace, store: Store, _keys: KeyRing) -> None:
    for row in PageReads(store).sites():
        print(f"{row.number}\t{row.id}\t{row.name}\t{row.presence or 'never heard'}\tseq {row.seq}")


def _key(asked: argparse.Namespace, store: Store, keys: KeyRing) -> None:
    row = _noted(asked.site, store, keys, Action.SITE_KEY_SHOWN)
    for epoch in range(row.epoch + 1):
        print(epoch, keys.site_key(asked.site, epoch).hex())


def _adopt(asked: argparse.Namespace, store: Store, keys: KeyRing) -> None:
    _noted(asked.site, store, keys, Action.SITE_ADOPTED)
    print(f"the next past {asked.site} tells, from another journal or an older card, is taken as its own")


def _noted(site: str, store: Store, keys: KeyRing, action: Action) -> Any:
    """The row of a site whose key is shown, or whose next past is taken, with its line in the log."""
    with store.writing() as connection:
        row = desk.site(connection, site)
        if row is None:
            raise Impossible(f"there is no site {site}")
        if action is Action.SITE_ADOPTED:
            desk.adopt_next_journal(connection, row.number)
        AuditLog(keys).note(
            connection, CONSOLE, action, tenant=row.tenant, at_ms=wall_ms(), kind="site", subject=site, site=site
        )
    return row


def _badge_add(asked: argparse.Namespace, store: Store, keys: KeyRing) -> None:
    pin = sys.stdin.readline().strip() if asked.pin_stdin else ""
    if asked.pin_stdin and not is_pin(pin):
        raise Impossible(f"a PIN has {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits")
    text = _sites(store, keys).add_badge(
        asked.site, asked.person, CONSOLE, role=asked.role, carrier=asked.carrier, pin=pin,
        valid_until_ms=0 if asked.valid_until is None else badge_end(asked.valid_until),
    )  # fmt: skip
    print(text)
    if asked.pdf is not None:
        _write_card(asked, text)


def _write_card(asked: argparse.Namespace, text: str) -> None:
    """The badge as a card, readable for its owner alone: whoever has the file has the badge."""
    from paper.badge import Badge, badge_pdf  # Typefaces are read for this one command only.

    card = badge_pdf(Badge(text=text, first_name=asked.called or asked.person, role=BADGE_ROLES[asked.role]))
    try:
        with os.fdopen(os.open(asked.pdf, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(card)
    except OSError as error:
        raise Impossible(
            f"{asked.pdf}: {error.strerror}. The badge is good: print its text as a QR code, or end it."
        ) from error


def _badge_end(asked: argparse.Namespace, store: Store, keys: KeyRing) -> None:
    _sites(store, keys).end_badge(asked.site, asked.person, CONSOLE)
    print(f"{asked.person} opens nothing more at {asked.site} once it has its next plan")


COMMANDS: Final[dict[tuple[str, str], Callable[[argparse.Namespace, Store, KeyRing], None]]] = {
    ("site", "add"): _add,
    ("site", "list"): _list,
    ("site", "set"): _set,
    ("site", "key"): _key,
    ("site", "adopt"): _adopt,
    ("badge", "add"): _badge_add,
    ("badge", "end"): _badge_end,
}
