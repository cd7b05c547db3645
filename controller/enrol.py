"""`consigne-enrol URL TOKEN`: makes this machine a site. Asks the hub once, and writes what it gives into one folder.

Owns that folder's files and their modes. Looks at everything that could go wrong here before it asks: a token is good once. Refuses to
start anything, and to touch a machine that is a site already.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from wire.enrolment import KIT_BYTES_MAX, PATH, BadKit, EnrolmentAsked, EnrolmentKit, read_kit

FOLDER: Final = Path("/etc/consigne")
READERS: Final = Path("/dev/serial/by-id")
ANSWER_S: Final = 30.0
EXIT_NOT: Final = 2
_SETTINGS: Final = "controller.toml"
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class CannotEnrol(Exception):
    """This machine did not become a site; the text says why and what to do now."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Become a site; the exit status."""
    asked = _arguments(arguments)
    try:
        reader = _reader(asked.reader, simulate=asked.simulate)
        _look(asked.url, asked.folder)
        kit = _ask(asked.url, asked.token, asked.ca)
        _write(asked.folder, kit, reader)
    except CannotEnrol as error:
        print(error, file=sys.stderr)
        return EXIT_NOT
    print(
        f"This machine is {kit.site}, number {kit.number}. Its settings are in {asked.folder / _SETTINGS}: look at them, check, start."
    )
    return 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="consigne-enrol", description="Make this machine a site of Consigne.")
    parser.add_argument("url", help="the hub's address, as https://colis.example.org")
    parser.add_argument(
        "token", help="as printed by `consigne-hub site invite SITE` or shown on the site's page; good once"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"where the settings go ({FOLDER})")
    parser.add_argument("--reader", default="", help=f"the code reader's device; without it the only one in {READERS}")
    parser.add_argument("--simulate", action="store_true", help="pretend the hardware")
    parser.add_argument("--ca", type=Path, help="certificates the hub's is checked with, instead of the system's")
    return parser.parse_args(arguments)


def _reader(named: str, *, simulate: bool) -> str:
    """The reader's device; empty where the hardware is pretended."""
    if named or simulate:
        return named
    found = sorted(READERS.iterdir()) if READERS.is_dir() else []
    if len(found) != 1:
        seen = ", ".join(str(path) for path in found) or "none"
        raise CannotEnrol(
            f"Which code reader? Found: {seen}. Plug it in, or name it with --reader. The token is still good."
        )
    return str(found[0])


def _look(url: str, folder: Path) -> None:
    """What would make the answer worthless: it holds keys, and it comes once."""
    address = urlsplit(url)
    if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _LOOPBACK):
        raise CannotEnrol(f"{url}: the site's keys travel over https only. The token is still good.")
    for name in (_SETTINGS, "site-keys"):
        if (folder / name).exists() and (folder / name).stat().st_size:
            raise CannotEnrol(
                f"{folder / name} is there: this machine is a site already. Move it away first. The token is still good."
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".enrol"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise CannotEnrol(
            f"{folder}: {error.strerror}. Run this as root, or name another --folder. The token is still good."
        ) from error


def _ask(url: str, token: str, ca: Path | None) -> EnrolmentKit:
    request = urllib.request.Request(  # noqa: S310 looked at above
        url.rstrip("/") + PATH,
        data=msgspec.json.encode(EnrolmentAsked(token=token[:64])),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    try:
        trusted = ssl.create_default_context(cafile=None if ca is None else str(ca))
        with urllib.request.urlopen(request, timeout=ANSWER_S, context=trusted) as answer:  # noqa: S310
            return read_kit(answer.read(KIT_BYTES_MAX))
    except urllib.error.HTTPError as error:
        raise CannotEnrol(f"The hub says no: {_detail(error)}") from error
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "reason", error)
        raise CannotEnrol(
            f"{url} was not reached ({why}). If it never answered, the token is still good; if it did, make another."
        ) from error
    except BadKit as error:
        raise CannotEnrol(f"{url}: {error}") from error


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read(KIT_BYTES_MAX))["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}"


def _write(folder: Path, kit: EnrolmentKit, reader: str) -> None:
    """The secrets first, the settings last: without these the machine is no site, and this can be done again."""
    keys = "".join(f"{epoch} {key}\n" for epoch, key in enumerate(kit.keys))
    files = [("site-keys", keys, 0o600), ("broker-password", kit.password + "\n", 0o600)]
    if kit.ca:
        files.append(("broker-ca.pem", kit.ca, 0o644))
    try:
        for name, text, mode in (*files, (_SETTINGS, _settings(kit, reader), 0o644)):
            fresh = folder / f"{name}.new"
            fresh.unlink(missing_ok=True)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(folder / name)
    except OSError as error:
        raise CannotEnrol(f"{folder}: {error.strerror}. The token is used now: make another one at the hub.") from error


def _settings(kit: EnrolmentKit, reader: str) -> str:
    def quoted(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)  # a basic string of TOML is written as one of JSON

    hardware = f"scanner = {quoted(reader)}" if reader else "simulate = true"
    ca = 'tls_ca = "broker-ca.pem"\n' if kit.ca else ""
    return (
        f"[site]\nid = {quoted(kit.site)}\nnumber = {kit.number}\nname = {quoted(kit.name)}\n"
        f'keys = "credential:site-keys"\n[board]\nfile = "board.toml"\n[hardware]\n{hardware}\n'
        f'[store]\nstate_dir = "/var/lib/consigne"\n[panel]\nsocket = "/run/consigne/panel.sock"\n'
        f"[broker]\nhost = {quoted(kit.broker_host)}\nport = {kit.broker_port}\n"
        f'password_file = "credential:broker-password"\n{ca}'
    )


if __name__ == "__main__":
    sys.exit(main())
