"""Copies of the database, and putting one back: SQLite by its own backup, PostgreSQL by pg_dump and pg_restore.

Owns what a good copy is. Refuses to know what is in it, and who may ask. Nothing is replaced before the copy has been looked at.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from sqlalchemy.engine import URL, make_url

_LONGEST_S: Final = 6 * 3600
"""A copy that takes longer is stuck."""
_SAID_MAX: Final = 400
"""Characters of a tool's complaint that are handed on."""


class CopyFailed(Exception):
    """No copy was made, or nothing was put back; the text says why and what to do now."""


def back_up(url: str, file: Path) -> None:
    """Copy a database that may be in use to a new file, readable for its owner alone. Raises CopyFailed."""
    if file.exists():
        raise CopyFailed(f"{file} exists already. Name another file: a copy is never written over another.")
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        address = make_url(url)
        if address.get_backend_name() == "sqlite":
            _copy_sqlite(_file_of(address), part)
            _check_sqlite(part)
        else:
            _run(address, "pg_dump", "--format=custom", "--no-owner", f"--file={part}")
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.rename(file)
    except OSError as error:
        raise CopyFailed(f"{file}: {error.strerror}. Nothing was copied.") from error
    finally:
        part.unlink(missing_ok=True)


def put_back(url: str, file: Path) -> None:
    """Replace a database that nobody uses by a copy of it. Raises CopyFailed, and then nothing was replaced."""
    address = make_url(url)
    if not file.is_file():
        raise CopyFailed(f"{file}: there is no such file.")
    if address.get_backend_name() != "sqlite":
        wipe = ("--clean", "--if-exists", "--single-transaction", "--exit-on-error", "--no-owner")
        _run(address, "pg_restore", *wipe, str(file))
        return
    _check_sqlite(file)
    place = _file_of(address)
    part = place.with_name(f"{place.name}.part")
    try:
        shutil.copyfile(file, part)
        part.chmod(0o600)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        for leftover in ("-wal", "-shm"):
            place.with_name(place.name + leftover).unlink(missing_ok=True)
        part.replace(place)
    except OSError as error:
        raise CopyFailed(f"{place}: {error.strerror}. Free some space and try again.") from error


def _file_of(address: URL) -> Path:
    return Path(address.database or "")


def _copy_sqlite(source: Path, target: Path) -> None:
    if not source.is_file():
        raise CopyFailed(f"{source}: there is no database yet.")
    there, here = sqlite3.connect(source), sqlite3.connect(target)
    try:
        there.backup(here)
        here.execute("PRAGMA journal_mode = DELETE")  # the copy is one file
    except sqlite3.Error as error:
        raise CopyFailed(f"{source} cannot be copied: {error}.") from error
    finally:
        here.close()
        there.close()


def _check_sqlite(file: Path) -> None:
    """Whether a file is a whole database of a hub."""
    connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)
    try:
        said = connection.execute("PRAGMA integrity_check").fetchone()[0]
        if said != "ok":
            raise CopyFailed(f"{file} is damaged ({str(said)[:_SAID_MAX]}). Take an older copy.")
        connection.execute("SELECT version_num FROM alembic_version").fetchone()
        connection.execute("SELECT count(*) FROM site_cursor").fetchone()
    except sqlite3.Error as error:
        raise CopyFailed(f"{file} is no copy of a hub's database ({error}).") from error
    finally:
        connection.close()


def _run(address: URL, tool: str, *arguments: str) -> None:
    """One of PostgreSQL's tools. The password is handed over in a file of the owner's: a command line is seen by all."""
    where = address.set(drivername="postgresql", password=None)
    with NamedTemporaryFile("w", prefix="consigne-") as secret:
        if address.password:
            kept = str(address.password).replace("\\", "\\\\").replace(":", "\\:")
            secret.write(f"*:*:*:*:{kept}\n")
            secret.flush()
            where = where.update_query_dict({"passfile": secret.name})
        try:
            subprocess.run(
                [tool, f"--dbname={where.render_as_string()}", *arguments],
                check=True, capture_output=True, text=True, timeout=_LONGEST_S,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise CopyFailed(f"{tool} is missing. Install postgresql-client on this machine.") from error
        except subprocess.TimeoutExpired as error:
            raise CopyFailed(f"{tool} did not finish. Look at the database's server.") from error
        except subprocess.CalledProcessError as error:
            raise CopyFailed(f"{tool}: {error.stderr.strip()[:_SAID_MAX]}") from error
