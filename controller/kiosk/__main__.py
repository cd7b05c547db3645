"""`consigne-kiosk --config FILE [--check | --recordings LANGUAGE]`: the screens of one storage point.

Owns the command line, the web server and systemd's words. Refuses to know pages.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import socket
import sys
from itertools import chain
from pathlib import Path
from typing import Final

import uvicorn

from controller.kiosk.app import make_app
from controller.kiosk.link import Link
from controller.kiosk.recording_list import doors_of, report
from controller.kiosk.settings import Settings, SettingsError, Systemd, load_settings, read_systemd
from controller.kiosk.texts import SPOKEN, languages

GRACE_S: Final = 1
"""A stop waits no longer than this for an answer under way."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until stopped; 2 when the settings cannot be used, 1 when something is still to be recorded."""
    parser = argparse.ArgumentParser(prog="consigne-kiosk", description="The screens of one storage point.")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the kiosk's TOML file")
    parser.add_argument("--check", action="store_true", help="check the file and stop")
    known = (*languages(), *SPOKEN)
    parser.add_argument("--recordings", choices=known, metavar="LANGUAGE", help="list what to record, and stop")
    parser.add_argument("--doors", type=doors_of, nargs="+", default=[], metavar="1-24", help="doors of that list")
    options = parser.parse_args(arguments)
    try:
        settings = load_settings(options.config)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    if options.check:
        print(f"{options.config}: good.")
        return 0
    if options.recordings:
        return _list_recordings(settings, options.recordings, tuple(chain.from_iterable(options.doors)))
    return _serve(settings, read_systemd())


def _list_recordings(settings: Settings, language: str, doors: tuple[str, ...]) -> int:
    if not settings.voice.recordings:
        print(f'{settings.path}: dites où sont les sons : [voice] recordings = "voix"', file=sys.stderr)
        return 2
    said, complete = report(settings.recordings, language, doors)
    print(said)
    return 0 if complete else 1


def _serve(settings: Settings, systemd: Systemd) -> int:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # It tells every letter of every paper.
    link = Link(settings.resolve(settings.panel.socket))
    app = make_app(settings, link)
    config = uvicorn.Config(
        app,
        host=settings.web.host,
        port=settings.web.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Server(config, systemd, link)
    server.run()
    return 0 if server.started else 1


class _Server(uvicorn.Server):
    """Uvicorn that tells where it listens, tells systemd when it does, and keeps its watchdog fed from the event loop."""

    def __init__(self, config: uvicorn.Config, systemd: Systemd, link: Link) -> None:
        super().__init__(config)
        self._systemd = systemd
        self._link = link
        self._feeding: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if not self.started:
            return
        port = self.servers[0].sockets[0].getsockname()[1]
        origin = f"http://{self.config.host}:{port}"
        sys.stdout.write(f"kiosk: {origin}/ (customer)  {origin}/staff\n")
        sys.stdout.flush()
        _notify(self._systemd.notify_socket, "READY=1")
        if self._systemd.watchdog_s:
            self._feeding = asyncio.create_task(self._feed())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so, then stop."""
        _notify(self._systemd.notify_socket, "STOPPING=1")
        if self._feeding is not None:
            self._feeding.cancel()
        await self._link.close()
        await super().shutdown(sockets)

    async def _feed(self) -> None:
        while True:
            _notify(self._systemd.notify_socket, "WATCHDOG=1")
            await asyncio.sleep(self._systemd.watchdog_s / 2)


def _notify(address: str, state: str) -> None:
    """One datagram to the service manager; a manager that is gone is no reason to stop."""
    if not address:
        return
    name = "\0" + address[1:] if address.startswith("@") else address
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.connect(name)
        sock.sendall(state.encode())


if __name__ == "__main__":
    sys.exit(main())
