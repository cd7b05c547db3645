"""The hub's counters for Prometheus. No site, parcel or person is ever a label (I-25)."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, generate_latest


class Metrics:
    """Counters of one hub, in a registry of their own so that tests do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.facts = Counter("consigne_facts", "Facts committed", registry=self.registry)
        self.duplicates = Counter("consigne_duplicate_facts", "Facts received again", registry=self.registry)
        self.groups = Counter("consigne_commits", "Transactions of ingest", registry=self.registry)
        self.messages = Counter("consigne_broker_messages", "Messages read from the broker", registry=self.registry)
        self.refused = Counter("consigne_refused_messages", "Messages that were not applied", registry=self.registry)
        self.sent = Counter("consigne_sent_notifications", "Messages handed to a driver", registry=self.registry)

    def page(self) -> bytes:
        """The page Prometheus reads."""
        return generate_latest(self.registry)
