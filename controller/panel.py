"""The panel: pictures out to the screens, inputs in, over a Unix socket (contract in `panel_messages`).

Owns the socket and its clients. Refuses to know what a picture shows or an input means. A screen that is slow gets fewer
pictures, one that misbehaves is closed with a reason, and none of them can delay the owner: `show` leaves a note.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import selectors
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from controller.core import events as e
from controller.core.model import Now, State
from controller.core.picture import build_view
from controller.panel_messages import (
    LINE_BYTES_MAX,
    AssistInput,
    BadLine,
    ClosedLine,
    DigitsInput,
    FindInput,
    Input,
    PinInput,
    PressInput,
    ScanInput,
    TouchInput,
    ViewLine,
    decode_input,
    encode_line,
)
from wire.ids import Label, ParcelId

LOG: Final = logging.getLogger(__name__)

CLIENTS_MAX: Final = 8
"""Two screens, their replacements while they reconnect, and somebody looking."""

INPUTS_PER_S: Final = 20
"""No hand is quicker; a scanner acting as a keyboard sends whole lines."""

INPUTS_BURST: Final = 40
BACKLOG: Final = 4
READ_BYTES: Final = 16 * 1024
SOCKET_MODE: Final = 0o660
PATH_BYTES_MAX: Final = 107
"""Longest path of a Unix socket on Linux."""


class PanelError(Exception):
    """The socket cannot be opened; the text says why and what to do."""


class PanelServer:
    """The server side. `run` belongs to one thread; `show` and `stop` may be called from any."""

    def __init__(
        self, path: Path, post: Callable[[e.Event], bool], *, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Open the socket. Raises PanelError."""
        self.path = path
        self._post = post
        self._clock_s = clock_s
        self._newest: tuple[State, Now, int] | None = None
        self._number = 0
        self._clients: dict[socket.socket, _Client] = {}
        self._stopping = False
        self._listener = _listen(path)
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._ear.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._ear, selectors.EVENT_READ)

    def show(self, state: State, now: Now) -> None:
        """A new picture. It is drawn in the panel's own thread, and only if somebody looks."""
        self._number += 1
        self._newest = (state, now, self._number)
        if self._clients:
            self._ring()

    def stop(self) -> None:
        """Let `run` return."""
        self._stopping = True
        self._ring()

    def run(self) -> None:
        """Serve until `stop`."""
        try:
            while not self._stopping:
                for key, ready in self._selector.select():
                    self._serve(key, ready)
        finally:
            self._close_all()

    def _serve(self, key: selectors.SelectorKey, ready: int) -> None:
        if key.fileobj is self._listener:
            self._accept()
        elif key.fileobj is self._ear:
            with contextlib.suppress(BlockingIOError):
                self._ear.recv(READ_BYTES)
            self._draw()
        else:
            client = self._clients.get(key.fileobj)  # type: ignore[call-overload] # only sockets are registered
            if client is not None:
                self._talk(client, ready)

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            connection, _ = self._listener.accept()
            connection.setblocking(False)
            client = _Client(connection, self._clock_s())
            if len(self._clients) >= CLIENTS_MAX:
                client.offer(encode_line(ClosedLine(closed="too many screens are connected")))
                client.write()
                connection.close()
                return
            self._clients[connection] = client
            self._selector.register(connection, selectors.EVENT_READ)
            self._draw(only=client)

    def _draw(self, only: _Client | None = None) -> None:
        newest = self._newest
        if newest is None or not self._clients:
            return
        state, now, number = newest
        line = encode_line(ViewLine(view=build_view(state, number, now)))
        for client in (only,) if only else tuple(self._clients.values()):
            if client.offered != number:
                client.offered = number
                client.offer(line)
                self._write(client)

    def _talk(self, client: _Client, ready: int) -> None:
        if ready & selectors.EVENT_WRITE:
            self._write(client)
        if ready & selectors.EVENT_READ and client.socket in self._clients:
            self._read(client)

    def _write(self, client: _Client) -> None:
        try:
            finished = client.write()
        except OSError:
            self._forget(client)
            return
        wanted = selectors.EVENT_READ if finished else selectors.EVENT_READ | selectors.EVENT_WRITE
        self._selector.modify(client.socket, wanted)

    def _read(self, client: _Client) -> None:
        try:
            data = client.socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._forget(client)
            return
        try:
            for line in client.lines(data):
                client.spend(self._clock_s())
                self._hand_on(decode_input(line))
        except BadLine as bad:
            LOG.warning("a screen was disconnected: %s", bad)
            self._refuse(client, str(bad))

    def _hand_on(self, message: Input) -> None:
        if not self._post(_event(message)):
            raise BadLine("too busy: the input was dropped")

    def _refuse(self, client: _Client, reason: str) -> None:
        with contextlib.suppress(OSError):
            client.offer(encode_line(ClosedLine(closed=reason)))
            client.write()
        self._forget(client)

    def _forget(self, client: _Client) -> None:
        del self._clients[client.socket]
        self._selector.unregister(client.socket)
        client.socket.close()

    def _ring(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            self._bell.send(b"!")

    def _close_all(self) -> None:
        for client in tuple(self._clients.values()):
            self._refuse(client, "the lock process stops")
        self._selector.close()
        for end in (self._listener, self._bell, self._ear):
            end.close()
        self.path.unlink(missing_ok=True)


class _Client:
    """One screen: what it sent of a line so far, what it has not read yet, and its budget of inputs."""

    def __init__(self, connection: socket.socket, now_s: float) -> None:
        self.socket = connection
        self.offered = 0
        self._incoming = bytearray()
        self._outgoing = memoryview(b"")
        self._next = b""
        self._budget = float(INPUTS_BURST)
        self._counted_s = now_s

    def offer(self, line: bytes) -> None:
        """Send `line` next; one that waited and was not begun is forgotten."""
        self._next = line

    def write(self) -> bool:
        """Send what fits; whether all is sent. Raises OSError when the screen is gone."""
        while self._outgoing or self._next:
            if not self._outgoing:
                self._outgoing, self._next = memoryview(self._next), b""
            try:
                sent = self.socket.send(self._outgoing)
            except BlockingIOError:
                return False
            self._outgoing = self._outgoing[sent:]
        return True

    def lines(self, data: bytes) -> list[bytes]:
        """The whole lines received so far. Raises BadLine when one is too long."""
        self._incoming += data
        *lines, rest = self._incoming.split(b"\n")
        if len(rest) > LINE_BYTES_MAX or any(len(line) > LINE_BYTES_MAX for line in lines):
            raise BadLine(f"a line is longer than {LINE_BYTES_MAX} bytes")
        self._incoming = rest
        return [bytes(line) for line in lines if line.strip()]

    def spend(self, now_s: float) -> None:
        """Count one input. Raises BadLine when they come faster than hands can press."""
        self._budget = min(INPUTS_BURST, self._budget + (now_s - self._counted_s) * INPUTS_PER_S) - 1
        self._counted_s = now_s
        if self._budget < 0:
            raise BadLine(f"more than {INPUTS_PER_S} inputs a second")


def _event(message: Input) -> e.KioskInput:
    match message:
        case DigitsInput():
            return e.DigitsTyped(message.text)
        case ScanInput():
            return e.Scanned(message.text, secrets.randbits(64))
        case TouchInput():
            return e.Touched(message.busy)
        case AssistInput():
            return e.AssistAsked(ParcelId(message.parcel), message.motive, message.identity, message.present)
        case FindInput():
            return e.Sought(message.text, message.since_ms, message.until_ms)
        case PinInput():
            return e.PinTyped(message.text)
        case PressInput():
            label = None if message.compartment is None else Label(message.compartment)
            parcel = None if message.parcel is None else ParcelId(message.parcel)
            creates = message.button is e.Button.UNIDENTIFIED
            entropy = secrets.randbits(64) if creates else 0
            return e.Pressed(message.button, message.value, label, parcel, entropy)


def _listen(path: Path) -> socket.socket:
    if len(str(path).encode()) > PATH_BYTES_MAX:
        raise PanelError(f"{path}: a socket's path may have {PATH_BYTES_MAX} bytes; choose a shorter [panel] socket.")
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        listener.bind(str(path))
        path.chmod(SOCKET_MODE)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise PanelError(f"{path}: the panel's socket cannot be opened ({error.strerror}).") from error
    listener.setblocking(False)
    return listener


def _remove_stale(path: Path) -> None:
    """Take away the socket a killed process left; refuse to take one that somebody serves."""
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise PanelError(f"{path}: is in the way and not a socket. Move it away, or choose another [panel] socket.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise PanelError(f"{path}: another lock process serves this socket. Stop it first.")
