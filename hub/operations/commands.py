"""`consigne-hub backup | restore | verify | migrate`.

Owns arguments, what is printed, and the lock that keeps a copy from being put back under a running hub.
"""

from __future__ import annotations

import argparse
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from hub.clock import wall_ms
from hub.operations.verifying import verify
from hub.privacy.services import Privacy
from hub.settings import Settings
from hub.store import meta, proof, webhooks
from hub.store.copies import CopyFailed, back_up, put_back
from hub.store.engine import Store
from hub.store.migrate import migrate

_LOCK: Final = "running"
"""A file of the state folder: shared by every running hub, alone for whoever puts a copy back."""


class Disagrees(Exception):
    """A database does not agree with itself."""


@contextmanager
def running(state_dir: Path, *, alone: bool = False) -> Iterator[None]:
    """Hold the lock of a running hub. Raises CopyFailed when it cannot be had."""
    state_dir.mkdir(parents=True, exist_ok=True)
    handle = os.open(state_dir / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        told = "the hub is running: stop it first" if alone else "a copy is being put back: wait for its end"
        raise CopyFailed(f"{told}. Nothing was changed.") from error
    try:
        yield
    finally:
        os.close(handle)


def add_parsers(commands: Any) -> None:
    """Add the four commands."""
    kept = commands.add_parser("backup", help="copy the database to a new file; the hub may run")
    kept.add_argument("file", type=Path)
    put = commands.add_parser("restore", help="put a copy back; the hub must not run")
    put.add_argument("file", type=Path)
    put.add_argument("--replace", action="store_true", help="yes, what the hub knows now goes")
    commands.add_parser("verify", help="check every chain, every cursor, and what is shown against the facts")
    commands.add_parser("migrate", help="bring the database to the tables of this version")


def backup(asked: argparse.Namespace, settings: Settings) -> None:
    """Make a copy."""
    back_up(settings.store_url, asked.file)
    print(
        f"{asked.file}: {asked.file.stat().st_size} bytes. It names recipients: keep it as long as you must, and no longer."
    )


def restore(asked: argparse.Namespace, settings: Settings) -> None:
    """Put a copy back as a new incarnation; recipients whose time is over, or who asked, are erased from it at once."""
    with running(settings.state_dir, alone=True):
        store = Store(settings.store_url)
        migrate(store)
        _check_replaceable(store, may_replace=asked.replace)
        with store.reading() as connection:
            before = meta.incarnation(connection)
        store.close()
        put_back(settings.store_url, asked.file)
        store = Store(settings.store_url)
        migrate(store)
        with store.writing() as connection:
            incarnation = meta.next_incarnation(connection, max(wall_ms(), before + 1))
            webhooks.skip_numbers(connection)
        privacy = Privacy(store=store, clock=wall_ms, contact_days=settings.contact_days, state_dir=settings.state_dir)
        privacy.all_rounds()
        store.close()
    print(f"{asked.file} is put back as incarnation {incarnation}. Start the hub: the sites send what it lacks.")


def _check_replaceable(store: Store, *, may_replace: bool) -> None:
    if proof.is_used(store):
        raise CopyFailed("somebody is connected to the database: stop every hub first. Nothing was changed.")
    if not may_replace and (sites := proof.sites(store)):
        raise CopyFailed(
            f"the database knows {sites} sites. Make a backup of it, then say --replace. Nothing was changed."
        )


def check(_asked: argparse.Namespace, _settings: Settings, store: Store) -> None:
    """Verify, and say of each site what was found. Raises Disagrees."""
    bad = 0
    for verdict in verify(store):
        print(f"{verdict.site}: {verdict.facts} facts, {'everything agrees' if not verdict.problems else 'DIFFERENT'}")
        for problem in verdict.problems:
            print(f"  {problem}")
        bad += bool(verdict.problems)
    if bad:
        raise Disagrees(f"{bad} sites do not agree. Keep this database, make no change, and compare it with a backup.")


def to_this_version(_asked: argparse.Namespace, _settings: Settings, _store: Store) -> None:
    """Opening it has migrated it."""
    print("the database has the tables of this version")
