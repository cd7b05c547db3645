"""The floor of `bench scan`: a line from a pty, one INSERT made durable in SQLite (WAL, FULL), a mock pin on, one byte.

Does nothing else that a locker must do. `python -m bench.floor_scan DATABASE PTY`; the byte goes to standard output.
"""

from __future__ import annotations

import os
import sqlite3
import sys

from gpiozero import Device, OutputDevice
from gpiozero.pins.mock import MockFactory

READ_BYTES = 256


def main() -> None:
    """Serve until the pty is closed."""
    Device.pin_factory = MockFactory()
    pin = OutputDevice(17)
    db = sqlite3.connect(sys.argv[1], isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE scans (seq INTEGER PRIMARY KEY, body BLOB)")
    port = os.open(sys.argv[2], os.O_RDWR | os.O_NOCTTY)
    os.write(1, b"r")
    pending = b""
    while data := os.read(port, READ_BYTES):
        pending += data
        *lines, pending = pending.split(b"\n")
        for line in lines:
            db.execute("INSERT INTO scans (body) VALUES (?)", (line,))
            pin.on()
            os.write(1, b"!")
            pin.off()


if __name__ == "__main__":
    main()
