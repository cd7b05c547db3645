"""The hub's end of the line to the broker, with paho's client in the hands of the test."""

from __future__ import annotations

from typing import Any

from hub.ingest import PahoLink, Part
from hub.receiver import Mailbox
from hub.settings import Broker


class _Told:
    """Stands for paho's client, and for its receipt: what it was given, in order."""

    rc = 0

    def __init__(self) -> None:
        self.said: list[str] = []

    def publish(self, topic: str, payload: bytes, **_how: Any) -> _Told:
        del topic
        self.said.append(payload.decode())
        return self

    def wait_for_publish(self, timeout: float) -> None:
        del timeout

    def disconnect(self) -> None:
        self.said.append("(disconnects)")


def test_nothing_is_said_after_the_goodbye_or_a_hub_that_stopped_would_count_as_there() -> None:
    """A thread that was about to say *here* came after the goodbye, and the broker keeps the last word."""
    link, client = PahoLink(Broker(user="hub"), "", Part("hub", ()), Mailbox()), _Told()
    link._client = client  # type: ignore[assignment]
    link._has_joined()
    assert link.publish("hub", b"here", qos=1, retain=True)
    link.stop(("hub", b"gone"))
    assert not link.publish("hub", b"here", qos=1, retain=True)
    assert client.said == ["here", "gone", "(disconnects)"]
