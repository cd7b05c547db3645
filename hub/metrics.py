"""The hub's counters and gauges for Prometheus. No site, parcel or person is ever a label (I-25).

Owns their names. What is counted in the database is read when somebody asks, and by nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class Metrics:
    """What one hub tells, in a registry of its own so that tests do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.facts = Counter("consigne_facts", "Facts committed", registry=self.registry)
        self.duplicates = Counter("consigne_duplicate_facts", "Facts received again", registry=self.registry)
        self.groups = Counter("consigne_commits", "Transactions of ingest", registry=self.registry)
        self.messages = Counter("consigne_broker_messages", "Messages read from the broker", registry=self.registry)
        self.refused = Counter("consigne_refused_messages", "Messages that were not applied", registry=self.registry)
        self.sent = Counter("consigne_sent_notifications", "Messages handed to a driver", registry=self.registry)
        self._gauges = {
            name: Gauge(f"consigne_{name}", text, registry=self.registry)
            for name, text in (
                ("broker_connected", "1 when the broker let us in, 0 otherwise"),
                ("intake_idle_seconds", "Time since the intake last turned; far above 1 it hangs"),
                ("waiting_broker_messages", "Messages read from the broker and not committed yet"),
                ("leads", "1 where the work is done that only one process may do, 0 in the other ingest workers"),
                ("led", "1 while some process does that work, as this one sees it"),
                ("sites", "Sites with a machine"),
                ("sites_online", "Sites that are ready and were heard in the last 90 seconds"),
                ("alerts_open", "Alerts whose cause lasts"),
                ("alerts_unanswered", "Open alerts that nobody looks after"),
                ("parcels_inside", "Parcels that lie at a site"),
                ("notifications_waiting", "Messages to recipients that are due and have not left"),
                ("notifications_failed", "Messages to recipients that were given up in the last seven days"),
                ("deliveries_waiting", "Events for carriers that are due and have not arrived"),
                ("deliveries_dead", "Events for carriers that were given up"),
                ("disk_free_bytes", "Room on the disk of the hub's state"),
            )
        }

    def page(self, gauges: Mapping[str, float]) -> bytes:
        """The page Prometheus reads, with these values; one that could not be read is not a number."""
        for name, gauge in self._gauges.items():
            gauge.set(gauges.get(name, float("nan")))
        return generate_latest(self.registry)
