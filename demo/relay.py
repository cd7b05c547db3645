"""A wire between two programs that can be cut: every connection to one loopback port is carried to another.

Owns the bytes' way. Refuses to know what they say. Cutting resets what is open and refuses what is new, as a dead line does.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
from typing import Final

_CHUNK: Final = 64 * 1024
_LOOK_S: Final = 0.05
_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends a reset."""


class Relay:
    """Carries connections from its own `port` to `target` on this machine until closed."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._cut = threading.Event()
        self._closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name=f"relay-{self.port}", daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """The line is dead from now on."""
        self._cut.set()

    def restore(self) -> None:
        """The line works again."""
        self._cut.clear()

    @property
    def is_cut(self) -> bool:
        """Whether the line is dead."""
        return self._cut.is_set()

    def close(self) -> None:
        """End it. Idempotent."""
        self._closed.set()
        self._listener.close()
        self._thread.join(2)

    def _accept(self) -> None:
        self._listener.settimeout(_LOOK_S)
        while not self._closed.is_set():
            try:
                near, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        if self._cut.is_set():
            _reset(near)
            return
        try:
            far = socket.create_connection(("127.0.0.1", self._target), timeout=2)
        except OSError:
            _reset(near)
            return
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with selectors.DefaultSelector() as selector:
            selector.register(near, selectors.EVENT_READ, far)
            selector.register(far, selectors.EVENT_READ, near)
            self._pump(selector)
        _reset(near)
        _reset(far)

    def _pump(self, selector: selectors.BaseSelector) -> None:
        while not (self._closed.is_set() or self._cut.is_set()):
            for key, _ in selector.select(_LOOK_S):
                source = key.fileobj
                assert isinstance(source, socket.socket)
                try:
                    data = source.recv(_CHUNK)
                    key.data.sendall(data)
                except OSError:
                    return
                if not data:
                    return


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.close()
