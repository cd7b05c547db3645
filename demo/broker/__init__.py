"""The development broker: a small MQTT 5 broker for the demo and the fault tests, with faults on request.

Start with `DevBroker` in `server`. Reads downwards: `server` (thread and switches) → `connection` (bytes and packets) →
`router` (who gets what) → `sessions` (what waits for one client), with `topics`, `acl` and `faults` beside them. Production
runs Mosquitto: this one keeps nothing over a restart. Imported by the demo and by tests, never by controller or hub.
"""

from demo.broker.acl import Acl, Action, acl_from_mosquitto
from demo.broker.server import BrokerDown, DevBroker

__all__ = ["Acl", "Action", "BrokerDown", "DevBroker", "acl_from_mosquitto"]
