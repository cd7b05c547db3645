"""Forty-six sites for thirty virtual days: every recipient told once and at a good hour, the books balanced, the rush foreseen.

The sites' journals are real, and so is everything of the hub; the broker between loses, repeats and delays whole hours.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from hub.clock import day_of, start_of
from hub.core.hours import Hours
from hub.core.telling import Way
from hub.rhythm.services import Rhythm
from hub.settings import Notify
from hub.store import desk
from hub.store.schema import PARCEL
from tests.hub.hub_bench import DAY_MS, Bench
from tests.hub.hub_site import Journal, life
from wire.facts import ParcelRemoved
from wire.ids import ParcelId, parcel_id_from_bits

SITES = 46
DAYS = 30
BEFORE_DAYS = 56
"""Eight weeks that the hub remembers: what it learns from."""
HOUR_MS = 3_600_000
FIRST = date(2026, 10, 1)
TICKS = (9, 12, 16, 19)
WEEK = (1.15, 1.05, 1.0, 1.1, 1.2, 0.5, 0.0)
LATE_DAYS = 9
"""What nobody came for by then is taken back."""


def rush(day: date) -> float:
    return 2.2 if 4 <= day.day <= 9 else 1.7 if day.day <= 14 else 0.8


class Place:
    """One site: what lies there, and its journal."""

    def __init__(self, number: int, chance: random.Random) -> None:
        self.id = f"site-{number:02}"
        self.number = number
        self.level = chance.uniform(0.6, 2.4)
        self.chance = chance
        self.journal = Journal(self.id, f"journal-{number}")
        self.acked = 0
        self.inside: dict[ParcelId, int] = {}

    def comes(self, day: date) -> int:
        expected = self.level * rush(day) * WEEK[day.weekday()]
        return max(0, round(self.chance.gauss(expected, expected**0.5)))

    def write(self, at_ms: int, *facts: object) -> None:
        self.journal._at_ms = at_ms - len(self.journal.records)
        self.journal.write(*facts)  # type: ignore[arg-type]


def remember(bench: Bench, places: list[Place]) -> None:
    """Eight weeks of parcels that came and went before anybody looked."""
    rows: list[dict[str, object]] = []
    for place in places:
        for back in range(BEFORE_DAYS, 0, -1):
            day = day_of(bench.now_ms) - timedelta(days=back)
            for count in range(place.comes(day)):
                at_ms = start_of(day) + 10 * HOUR_MS + count
                rows.append({
                    "id": parcel_id_from_bits((1 << 40) + len(rows)), "site": place.number, "state": "collected", "source": "plan",
                    "size": "M", "created_ms": at_ms, "stored_ms": at_ms, "ended_ms": at_ms + DAY_MS, "changed_ms": at_ms,
                })  # fmt: skip
    with bench.store.writing() as connection:
        connection.execute(insert(PARCEL), rows)


def live_an_hour(bench: Bench, place: Place, hour: int, told: Counter[str]) -> None:
    """People of one site: parcels come in the morning, their recipients when they can, staff take back what is late."""
    day = day_of(bench.now_ms)
    if hour == TICKS[0]:
        for _ in range(place.comes(day)):
            told["announced"] += 1
            number = f"8N{told['announced']:011}"
            parcel = bench.announce(
                site=place.id, tracking=number, name="X", phone=f"06{told['announced']:08}", language="ar"
            )
            place.write(bench.now_ms, *life(parcel, ends=False, source="plan"))
            place.inside[parcel] = bench.now_ms
    for parcel, since_ms in list(place.inside.items()):
        if bench.now_ms - since_ms > LATE_DAYS * DAY_MS:
            place.write(bench.now_ms, ParcelRemoved(parcel=parcel, reason="recalled", by="p1"))
            told["removed"] += 1
        elif bench.now_ms > since_ms and place.chance.random() < 0.12:
            place.write(bench.now_ms, *life(parcel)[-4:])
            told["collected"] += 1
        else:
            continue
        del place.inside[parcel]


def speak(bench: Bench, places: list[Place]) -> None:
    """One hour of the broker: most of it arrives, some twice, some not before the next hour."""
    batches = []
    for place in places:
        fate = place.chance.random()
        if place.journal.last == place.acked or fate < 0.1:
            continue
        batch = place.journal.batch(place.acked + 1, min(place.journal.last, place.acked + 400))
        batches += [batch, batch] if fate > 0.9 else [batch]
        place.acked += len(batch.facts)
    if batches:
        bench.hear(*batches)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_15_forty_six_sites_live_a_month(tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 'hub.sqlite'}", tmp_path)
    bench.now_ms = start_of(FIRST)
    rules = Notify(hours=Hours(8, 20))
    bench.sender = bench.new_sender({Way.PHONE: bench.driver}, rules)
    places = [Place(number, random.Random(number)) for number in range(3, 3 + SITES)]
    with bench.store.writing() as connection:
        for place in places:
            assert (
                desk.add_site(connection, site=place.id, name=place.id, address="", help_phone="", now_ms=1)
                == place.number
            )
    remember(bench, places)
    told: Counter[str] = Counter()
    heard: list[tuple[int, str]] = []
    for day in range(DAYS):
        for hour in (*TICKS, 23):
            bench.now_ms = start_of(FIRST + timedelta(days=day)) + hour * HOUR_MS
            if hour in TICKS:
                for place in places:
                    live_an_hour(bench, place, hour, told)
            speak(bench, places)
            before = len(bench.driver.sent)
            bench.sender.remind()
            while bench.sender.send_due():
                pass
            heard += [(hour, message.id) for message in bench.driver.sent[before:]]
    while any(place.acked < place.journal.last for place in places):
        speak(bench, places)

    # Told once, and at a good hour; nobody whose parcel was collected is told that it waits.
    once = Counter(message for _hour, message in heard)
    assert [message for message, times in once.items() if times > 1] == []
    assert {hour for hour, _message in heard} <= set(TICKS)
    kinds = Counter(message.partition(":")[2].partition("/")[0] for message in once)
    assert kinds["collected"] >= told["collected"] - SITES, "the last evening's are due tomorrow morning"
    assert told["announced"] * 0.8 < kinds["ready"] <= told["announced"]
    assert kinds["waits"] > 0 < kinds["last_day"]

    # The books: every fact once, and every parcel somewhere.
    assert bench.ask("SELECT count(*) FROM fact") == [(sum(place.journal.last for place in places),)]
    heads = bench.ask("SELECT site, hash FROM site_cursor WHERE seq > 0 ORDER BY site")
    assert heads == [(place.number, place.journal.hashes[-1]) for place in places if place.journal.last]
    since_ms = start_of(FIRST)
    by_state = bench.ask(f"SELECT state, count(*) FROM parcel WHERE created_ms >= {since_ms} GROUP BY state")
    states = {str(state): count for state, count in by_state}
    inside = sum(len(place.inside) for place in places)
    assert told["removed"] > 0
    assert states == {"collected": told["collected"], "removed": told["removed"], "stored": inside}
    assert inside == told["announced"] - told["collected"] - told["removed"]

    # The rush of the first fortnight was foreseen better than by looking at last week.
    bench.now_ms = start_of(FIRST + timedelta(days=DAYS))
    rows = [row for row in bench.reads.sites() if row.number >= places[0].number]
    wrong = [sizes[0].errors for sizes in Rhythm(bench.store, Notify()).sizes(rows, bench.now_ms).values()]
    ours, naive = (sum(each) / SITES for each in zip(*((one.ours, one.naive) for one in wrong if one), strict=True))
    print(
        f"{told['announced']} parcels, {len(heard)} messages; wrong by {ours:.2f} a day and site, last week by {naive:.2f}"
    )
    assert len([one for one in wrong if one]) == SITES
    assert ours < naive
    bench.store.close()
