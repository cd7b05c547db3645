"""`bench ingest`: facts per second into the hub's database, beside a paho subscriber that does nothing.

Owns the measurement: the same facts, the same Mosquitto, the whole hub as a process. Facts are published in batches of
`wire.messages.BATCH_FACTS_MAX` and one by one, after a warm-up that neither contestant is charged for; the clock of the
hub stops when its acknowledgement says that the last fact is committed. The row count is checked, or the result is void.
Ratios only (performance notes §7).
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final

import msgspec
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.hub.hub_process import HubProcess
from tests.tools.mosquitto import Mosquitto
from tests.tools.ports import free_port
from wire import topics
from wire.chain import FactRecord, fold, genesis
from wire.facts import DoorClosed, DoorOpened, encode_fact
from wire.ids import Label, Trust
from wire.messages import BATCH_FACTS_MAX, Ack, FactBatch, decode, encode

ROOT: Final = Path(__file__).resolve().parents[1]
SITE: Final = "bench"
JOURNAL: Final = "b" * 32
PATIENCE_S: Final = 120.0
SPREAD_MAX: Final = 1.5
GATES: Final = {"batches": 5.0, "single": 0.55}
"""At least this many times the do-nothing subscriber, counted in facts (performance notes §9)."""

WARM_FACTS: Final = 400
"""Facts each contestant takes before the clock starts: what a process does once in its life (compiling statements, first
pages of the database) is no part of a rate. A backlog has millions of facts."""

AT_MS: Final = 1_790_000_000_000


def main(arguments: list[str]) -> int:
    """Measure, print the table and one JSON line; 0 unless a gate is broken for sure."""
    parser = argparse.ArgumentParser(prog="bench ingest", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--facts", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true", help="1 round of 2,000 facts")
    parser.add_argument(
        "--log", type=Path, default=ROOT / ".state" / "bench" / "ingest.jsonl", help="results are added here"
    )
    options = parser.parse_args(arguments)
    rounds, facts = (1, 2_000) if options.quick else (options.rounds, options.facts)
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        print("bench ingest needs a real broker: apt-get install mosquitto", file=sys.stderr)
        return 2
    results = []
    for number in range(1, rounds + 1):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            results.append(one_round(program, Path(folder), facts))
        print(f"round {number} of {rounds}: {results[-1]}", file=sys.stderr)
    verdict = judge(results)
    print("facts into the hub / a paho subscriber that does nothing")
    for name, entry in verdict.items():
        span = f"[{entry['min']:.2f}..{entry['max']:.2f}]"
        print(f"  {name:8} {entry['ratio']:5.2f} {span:15} gate {entry['gate']:.2f}  {entry['verdict']}")
    line = json.dumps({"bench": "ingest", "at": int(time.time()), "facts": facts, **verdict})
    options.log.parent.mkdir(parents=True, exist_ok=True)
    with options.log.open("a") as log:
        log.write(line + "\n")
    print(line)
    return 1 if any(entry["verdict"] == "broken" for entry in verdict.values()) else 0


def one_round(program: str, folder: Path, facts: int) -> dict[str, float]:
    """The floor, then single facts, then batches, on one broker; rates of facts as ratios to the floor's."""
    broker = Mosquitto(program, folder / "broker", extra=("max_inflight_messages 1000", "max_queued_messages 0"))
    try:
        records = journal(WARM_FACTS + facts)
        floor = floor_rate(broker.port, records)
        return {
            name: hub_rate(folder / name, broker.port, records, size) / floor
            for name, size in (("single", 1), ("batches", BATCH_FACTS_MAX))
        }
    finally:
        broker.close()


def floor_rate(port: int, records: list[FactRecord]) -> float:
    """Single facts received by paho, nothing done with them."""
    count = 0
    warm = threading.Event()
    done = threading.Event()
    listening = threading.Event()

    def received(*_arguments: Any) -> None:
        nonlocal count
        count += 1
        if count == WARM_FACTS:
            warm.set()
        if count == len(records):
            done.set()

    client = connected(port, "floor")
    client.on_message = received
    client.on_subscribe = lambda *_: listening.set()
    client.subscribe("floor/#", 1)
    wait(listening)
    payloads = [msgspec.json.encode(record) for record in records]
    publish(port, "floor/x", payloads[:WARM_FACTS])
    wait(warm)
    start = publish(port, "floor/x", payloads[WARM_FACTS:])
    wait(done)
    rate = (len(records) - WARM_FACTS) / (time.perf_counter() - start)
    leave(client)
    return rate


def hub_rate(folder: Path, port: int, records: list[FactRecord], size: int) -> float:
    """The whole hub, until it acknowledges the last fact."""
    folder.mkdir()
    hub = HubProcess(folder, broker_port=port, web_port=free_port())
    warm = threading.Event()
    done = threading.Event()
    listening = threading.Event()

    def acknowledged(_client: Client, _data: Any, message: Any) -> None:
        seq = decode(Ack, bytes(message.payload)).seq if message.payload else 0
        if seq >= WARM_FACTS:
            warm.set()
        if seq >= len(records):
            done.set()

    client = connected(port, "listener")
    client.on_message = acknowledged
    client.on_subscribe = lambda *_: listening.set()
    payloads = [encode(batch) for batch in batches(records, size)]
    warm_messages = WARM_FACTS // size
    topic = topics.topic(topics.FACTS, SITE)
    try:
        client.publish(topics.topic(topics.ACK, SITE), b"", 1, retain=True)  # an earlier hub's word
        hub.run("site", "add", SITE, "--name", "Bench", "--address", "1 rue du Banc")
        hub.start()
        client.subscribe(topics.topic(topics.ACK, SITE), 1)
        wait(listening)
        publish(port, topic, payloads[:warm_messages])
        wait(warm)
        start = publish(port, topic, payloads[warm_messages:])
        wait(done)
        rate = (len(records) - WARM_FACTS) / (time.perf_counter() - start)
        [(kept,)] = hub.ask("SELECT count(*) FROM fact")
        if kept != len(records):
            raise RuntimeError(f"{len(records)} facts sent, {kept} in the database; the result is void")
        return rate
    finally:
        leave(client)
        hub.close()


def journal(facts: int) -> list[FactRecord]:
    """A door that opens and closes all day."""
    records = []
    for seq in range(1, facts + 1):
        kind = DoorOpened if seq % 2 else DoorClosed
        body = encode_fact(kind(compartment=Label("7"), session=f"1.{seq}"))
        records.append(FactRecord(seq=seq, boot=1, at_ms=AT_MS + seq, trust=Trust.NTP, body=msgspec.Raw(body)))
    return records


def batches(records: list[FactRecord], size: int) -> list[FactBatch]:
    """The same facts in batches of `size`, chained."""
    found = []
    previous = genesis(SITE, JOURNAL)
    for start in range(0, len(records), size):
        part = tuple(records[start : start + size])
        head = fold(previous, part)
        found.append(
            FactBatch(
                site=SITE, journal=JOURNAL, boot=1, first_seq=part[0].seq, previous=previous, head=head, facts=part
            )
        )
        previous = head
    return found


def publish(port: int, topic: str, payloads: list[bytes]) -> float:
    """Hand everything to the broker from a thread of its own; when the first went out."""
    client = connected(port, "publisher")
    start = time.perf_counter()

    def work() -> None:
        last = None
        for payload in payloads:
            last = client.publish(topic, payload, 1)
        if last is not None:
            last.wait_for_publish(PATIENCE_S)
        leave(client)

    threading.Thread(target=work, daemon=True).start()
    return start


def connected(port: int, name: str) -> Client:
    """A paho client with its own thread."""
    client = Client(CallbackAPIVersion.VERSION2, client_id=name)
    client.max_inflight_messages_set(1_000)
    ready = threading.Event()
    client.on_connect = lambda *_: ready.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    wait(ready)
    return client


def leave(client: Client) -> None:
    """Disconnect; its thread ends by itself."""
    client.disconnect()


def wait(event: threading.Event) -> None:
    """Wait a bounded time, or the result is void."""
    if not event.wait(PATIENCE_S):
        raise RuntimeError(f"nothing for {PATIENCE_S} s; the result is void")


def judge(results: list[dict[str, float]]) -> dict[str, dict[str, Any]]:
    """Median, range and verdict of every ratio; here more is better."""
    verdict: dict[str, dict[str, Any]] = {}
    for name, gate in GATES.items():
        ratios = [result[name] for result in results]
        median, low, high = statistics.median(ratios), min(ratios), max(ratios)
        word = "kept" if median >= gate else "inconclusive" if high / low > SPREAD_MAX else "broken"
        verdict[name] = {
            "ratio": round(median, 2), "min": round(low, 2), "max": round(high, 2), "gate": gate, "verdict": word,
        }  # fmt: skip
    return verdict
