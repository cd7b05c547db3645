"""What every test that holds a paho client owes: the two sockets with which paho wakes its own loop.

Owns the closing of them. paho closes them only when the client is forgotten, and a garbage collection that takes the
client and its sockets together may forget the sockets first, as an unclosed socket in whatever test runs by then.
"""

from __future__ import annotations

from paho.mqtt.client import Client


def close_wake_up_sockets(client: Client) -> None:
    """Close the pair that `loop` or `loop_start` made; the loop must have ended (paho 2 has no public name for it)."""
    client._reset_sockets(sockpair_only=True)
