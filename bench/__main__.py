"""`python -m bench NAME [OPTIONS]`: names the benchmarks. Knows nothing of what they measure."""

from __future__ import annotations

import sys

from bench import fleet, ingest, kiosk, scan

BENCHES = {
    "scan": (scan.main, "from a scan's last byte to the energised coil, beside one INSERT made durable"),
    "kiosk": (kiosk.main, "from a scan's line to the door's number drawn on the customer's screen"),
    "fleet": (fleet.main, "from a site's message to its figure on an open fleet page of 46 sites"),
    "ingest": (ingest.main, "facts into the hub's database, beside a subscriber that does nothing"),
}


def main() -> int:
    """Run the benchmark named first; the exit status."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name in BENCHES:
        return BENCHES[name][0](sys.argv[2:])
    for known, (_run, what) in BENCHES.items():
        print(f"{known:8} {what}")
    return 0 if not name else 2


if __name__ == "__main__":
    sys.exit(main())
