"""One datagram to the service manager. Knows nothing of what is ready."""

from __future__ import annotations

import socket


def notify(address: str, state: str) -> None:
    """Send `state` (`READY=1`, `WATCHDOG=1`, `STOPPING=1`) to systemd; nothing happens when `address` is empty."""
    if not address:
        return
    name = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.connect(name)
        sock.sendall(state.encode())
