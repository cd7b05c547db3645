"""`consigne-hub retention` and `consigne-hub person`: forgetting by hand, and telling somebody what is held about them.

Owns arguments and what is printed. A name, a number and an address come from standard input: a command line is kept by shells.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import msgspec

from hub.clock import wall_ms
from hub.core.parcels import Refused
from hub.privacy.services import PARCELS_MAX, Privacy
from hub.settings import Settings
from hub.store.engine import Store


def add_parsers(commands: Any) -> None:
    """Add both commands."""
    forgets = commands.add_parser("retention", help="erase the recipients whose time is over")
    forgets.add_argument("--dry-run", action="store_true", help="say how many at which site, and change nothing")
    person = commands.add_parser("person", help="what is held about one recipient").add_subparsers(
        dest="action", required=True
    )
    told = person.add_parser(
        "export", help="print all of it as JSON; the number, the address or the name is read from standard input"
    )
    told.add_argument("--by", choices=["phone", "email", "name"], required=True)
    gone = person.add_parser("erase", help="erase a recipient who asks for it")
    gone.add_argument("parcel", nargs="*", help="ids of parcels, as an export shows them")
    gone.add_argument("--phone-stdin", action="store_true", help="read a phone number from standard input instead")
    gone.add_argument("--email-stdin", action="store_true", help="read an e-mail address from standard input instead")
    gone.add_argument("--asked-by", required=True, help="who of you carries it out")
    gone.add_argument("--reason", required=True, help="why, without a word of whom; it is kept")


def retention(asked: argparse.Namespace, settings: Settings, store: Store) -> None:
    """Erase what is due, or say what would be."""
    privacy = _privacy(settings, store)
    if asked.dry_run:
        due = privacy.due_by_site()
        for site, number in due:
            print(f"{site}: {number}")
        print(
            f"{sum(number for _site, number in due)} of {privacy.kept()} recipients would be erased; nothing was changed"
        )
        return
    print(f"{privacy.all_rounds()} recipients erased, {privacy.kept()} are known")


def export(asked: argparse.Namespace, settings: Settings, store: Store) -> None:
    """Print everything held about one person."""
    privacy = _privacy(settings, store)
    text = sys.stdin.readline().strip()
    parcels = privacy.find(**{asked.by: text})
    print(msgspec.json.format(msgspec.json.encode(privacy.held(parcels)).decode()))


def erase(asked: argparse.Namespace, settings: Settings, store: Store) -> None:
    """Erase one person."""
    privacy = _privacy(settings, store)
    if [asked.phone_stdin, asked.email_stdin, bool(asked.parcel)].count(True) != 1:
        raise Refused("nobody", "name parcels, or say --phone-stdin or --email-stdin")
    found = tuple(asked.parcel)
    if not found:
        text = sys.stdin.readline().strip()
        found = privacy.find(phone=text) if asked.phone_stdin else privacy.find(email=text)
    if not found:
        raise Refused("nobody", "nothing is held about this number or address")
    erased = 0
    for start in range(0, len(found), PARCELS_MAX):
        part = found[start : start + PARCELS_MAX]
        erased += privacy.erase(part, asked_by=asked.asked_by, reason=asked.reason)
    print(f"{erased} of {len(found)} parcels named somebody, and do no more")


def _privacy(settings: Settings, store: Store) -> Privacy:
    return Privacy(store=store, clock=wall_ms, contact_days=settings.contact_days, state_dir=settings.state_dir)
