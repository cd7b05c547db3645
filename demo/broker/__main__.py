"""`python -m demo.broker`: the development broker as a process of its own, so that a test may really `kill -9` it.

Prints one JSON line with host and port once it listens; SIGTERM and SIGINT end it in good order.
"""

import argparse
import json
import logging
import signal
import sys
from pathlib import Path

from demo.broker.acl import acl_from_mosquitto
from demo.broker.server import DevBroker


def main() -> int:
    """Run until told to stop; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m demo.broker", description="MQTT 5 broker for development only.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0, the default, takes a free one")
    parser.add_argument("--acl", type=Path, help="a Mosquitto ACL file to obey")
    parser.add_argument(
        "--users", type=Path, help="a JSON file {user name: password}; without it everybody may connect"
    )
    parser.add_argument("--quiet", action="store_true", help="log only what went wrong")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING if options.quiet else logging.INFO, format="%(asctime)s %(message)s")
    end = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, end)  # inherited by the broker's thread: only sigwait takes them
    try:
        broker = DevBroker(
            options.host,
            options.port,
            users=json.loads(options.users.read_text(encoding="utf-8")) if options.users else None,
            acl=acl_from_mosquitto(options.acl.read_text(encoding="utf-8")) if options.acl else None,
        )
        broker.start()
    except (OSError, ValueError) as bad:
        print(f"the development broker cannot start: {bad}", file=sys.stderr)
        return 2
    sys.stdout.write(json.dumps({"host": broker.host, "port": broker.port}) + "\n")
    sys.stdout.flush()
    signal.sigwait(end)
    broker.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
