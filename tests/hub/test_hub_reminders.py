"""Reminders and every other word: said once, whatever dies between two steps of saying it, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hub.core.hours import ALL_DAY, Hold
from hub.core.telling import Way
from hub.notify import reminders
from hub.notify.drivers import Outgoing
from hub.settings import Notify
from tests.hub.hub_bench import DAY_MS, ME, Bench
from tests.hub.hub_site import AT_MS, Journal, life
from wire import facts
from wire.ids import ParcelId

RULES = Notify(hours=ALL_DAY)
MINUTE_MS = 60_000


class Killed(BaseException):
    """The process is gone: nothing catches this."""


class Fate:
    """Counts the steps of a hub and kills it at one of them."""

    def __init__(self) -> None:
        self.steps = 0
        self.dies_at = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.dies_at:
            raise Killed


class Mailbox:
    """A way to somebody that takes a message, and may die just before it or just after."""

    def __init__(self, fate: Fate) -> None:
        self.taken: list[str] = []
        self._fate = fate

    def send(self, message: Outgoing) -> None:
        self._fate.step()
        self.taken.append(message.id)
        self._fate.step()


class Mortal:
    """A hub that is started again whenever it was killed, and does again what it was doing."""

    def __init__(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bench = bench
        self.fate = Fate()
        self.ways = {way: Mailbox(self.fate) for way in Way}
        lasting = bench.store.writing

        @contextmanager
        def writing() -> Iterator[Any]:
            self.fate.step()
            with lasting() as connection:
                yield connection
                self.fate.step()
            self.fate.step()

        monkeypatch.setattr(bench.store, "writing", writing)
        self.start()

    def start(self) -> None:
        self.bench.sender = self.bench.new_sender(dict(self.ways), RULES)

    def surely(self, deed: Callable[[], object]) -> None:
        try:
            deed()
        except Killed:
            self.start()
            deed()

    def sends(self) -> None:
        """Everything that waits, however long its pause is."""
        while self.bench.ask("SELECT 1 FROM message WHERE state = 'waiting'"):
            self.bench.now_ms += MINUTE_MS
            self.bench.sender.send_due()

    def lives(self, journal: Journal, parcel: ParcelId) -> None:
        """A parcel is stored, waits for a week, and is collected at last."""
        bench, first = self.bench, journal.last + 1
        whole = life(parcel, source="plan")
        journal.write(*whole[:5])
        self.surely(lambda: bench.hear(journal.batch(first, first + 4)))
        self.surely(self.sends)
        for days in (2, 4, 6, 6.5):
            bench.now_ms = AT_MS + int(days * DAY_MS)
            self.surely(bench.sender.remind)
            self.surely(self.sends)
        journal.write(*whole[5:])
        self.surely(lambda: bench.hear(journal.batch(first + 5, journal.last)))
        self.surely(self.sends)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_whatever_dies_between_two_steps_nothing_is_lost_and_nothing_is_said_twice(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    mortal, journal = Mortal(bench, monkeypatch), Journal("gambetta")
    killed, doubled = 0, 0
    while True:
        bench.now_ms = AT_MS + MINUTE_MS
        for mailbox in mortal.ways.values():
            mailbox.taken.clear()
        parcel = bench.announce(site="gambetta", tracking=f"8N{killed:010}", phone="0612345678", email="a@example.org")
        mortal.fate.steps, mortal.fate.dies_at = 0, killed + 1
        mortal.lives(journal, parcel)
        for way, news in ((Way.EMAIL, []), (Way.PHONE, ["collected"])):
            taken = mortal.ways[way].taken
            assert set(taken) == {f"{parcel}:{kind}" for kind in ("ready", "waits", "last_day/0", *news)}
            doubled += len(taken) - len(set(taken))
        states = bench.ask(f"SELECT kind, state FROM message WHERE parcel = '{parcel}' ORDER BY kind")
        assert states == [(kind, "sent") for kind in ("collected", "last_day/0", "ready", "waits")]
        if mortal.fate.steps < mortal.fate.dies_at:
            break
        killed += 1
    assert killed > 60
    assert doubled == 3 * 7, "only between a taken message and the durable note of it, under the same key"


def waiting(bench: Bench, journal: Journal, **wish: Any) -> ParcelId:
    parcel = bench.announce(site="gambetta", **wish)
    first = journal.last + 1
    journal.write(*life(parcel, source="plan", ends=False))
    bench.hear(journal.batch(first, journal.last))
    return parcel


def told(bench: Bench) -> list[str]:
    bench.sender.remind()
    while bench.sender.send_due():
        pass
    return [message.id.partition(":")[2] for message in bench.driver.sent]


def test_an_extension_brings_another_last_day_and_a_recall_ends_all_reminders(bench: Bench) -> None:
    journal = Journal("gambetta")
    parcel = waiting(bench, journal, phone="0612345678")
    bench.now_ms = AT_MS + 6 * DAY_MS + MINUTE_MS
    assert told(bench) == ["ready", "last_day/0"]
    journal.write(facts.HoldExtended(parcel=parcel, count=1, days=14, reason="asked", by="p1"))
    bench.hear(journal.batch(journal.last, journal.last))
    bench.now_ms = AT_MS + 8 * DAY_MS + MINUTE_MS
    assert told(bench) == ["ready", "last_day/0", "waits"]
    bench.now_ms = AT_MS + 13 * DAY_MS + MINUTE_MS
    bench.sender.remind()
    bench.desk.recall(parcel, ME)
    assert told(bench) == ["ready", "last_day/0", "waits"], "recalled before it was told"
    assert bench.ask("SELECT problem FROM message WHERE kind = 'last_day/1'") == [("overtaken",)]


def test_only_who_waits_and_can_be_reached_is_reminded_and_a_round_has_a_bound(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "ROUND_MAX", 2)
    journal = Journal("gambetta")
    for number in range(3):
        waiting(bench, journal, phone="0612345678", tracking=f"8N00000000{number}")
    waiting(bench, journal, name="Awa", tracking="8N000000009")
    bench.announce(site="gambetta", phone="0612345678", tracking="8N000000010")
    told(bench)
    bench.now_ms = AT_MS + 3 * DAY_MS
    assert [bench.sender.remind() for _ in range(3)] == [2, 1, 0]
    silent = bench.new_sender({}, Notify(hold=Hold(0, 0, 0)))
    assert silent.remind() == 0
