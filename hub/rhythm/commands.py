"""`consigne-hub rhythm SITE`: what comes in the next week, size by size, how wrong that was lately, and how its doors do; as JSON.

Owns the argument and what is printed. Refuses to know how it is worked out.
"""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from hub.clock import Clock
from hub.core.parcels import Refused
from hub.rhythm.services import Rhythm
from hub.settings import Settings
from hub.store.engine import Store
from hub.store.pages import PageReads


def add_parser(commands: Any) -> None:
    """Add the command."""
    commands.add_parser("rhythm", help="print a site's forecast and how its doors do, as JSON").add_argument("site")


def show(asked: argparse.Namespace, settings: Settings, store: Store, clock: Clock) -> None:
    """Print what is expected of a site. Raises Refused when there is no such site."""
    row = PageReads(store).site(asked.site)
    if row is None:
        raise Refused("unknown_site", f"there is no site {asked.site}")
    told = Rhythm(store, settings.notify).site(row, clock())
    print(msgspec.json.format(msgspec.json.encode(told).decode()))
