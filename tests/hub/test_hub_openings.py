"""Doors opened from afar at the hub: two people, one command a door, and the site's word however it comes (A-03 … A-06)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.core.openings import AGREED_LIFE_MS, DOOR_LIFE_MS, PAUSE_MS, SILENT_AFTER_MS, WINDOW_MS, WISH_LIFE_MS, Step
from hub.core.parcels import Refused
from hub.core.permissions import Role, Scope, Visitor
from hub.openings.services import Openings
from hub.store.openings import OpeningRow
from tests.hub.hub_bench import DAY_MS, Bench
from tests.hub.hub_site import Journal
from wire.facts import CommandAnswered
from wire.ids import Label, ReachZone, SizeClass
from wire.messages import Birth, Command, CompartmentCard, Health, Outcome, Presence, PresenceStatus, Reply, decode

ASKER = Visitor("claire", Role.SITE_LEAD, scope=Scope(1), second_factor=True, person=11)
SECOND = replace(ASKER, name="marc", person=12)
STRANGER = replace(ASKER, name="other", person=13, scope=Scope(2))
MONO_MS = 70_000


class Desk:
    """A hub whose site of three doors has just spoken."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.openings = Openings(
            store=bench.store, keys=bench.keys, live=bench.live, link=bench.link, clock=bench.clock
        )
        bench.hear(Presence(site="gambetta", boot=1, status=PresenceStatus.READY, at_ms=bench.now_ms))
        cards = tuple(
            CompartmentCard(
                label=Label(label), size=SizeClass.M, reach=ReachZone.MID, height_mm=900, row=0, column=column
            )
            for column, label in enumerate(("7", "8", "9"))
        )
        bench.hear(Birth(site="gambetta", boot=1, journal="journal-one", version="1", board="b", compartments=cards))
        self.heard()

    def heard(self, boot: int = 1) -> None:
        now_ms = self.bench.now_ms
        self.bench.hear(Health(site="gambetta", boot=boot, at_ms=now_ms, uptime_ms=1, outbox=0, mono_ms=MONO_MS))

    def ask(self, *doors: str, by: Visitor = ASKER, reason: str = "recipient_waits", site: str = "gambetta") -> str:
        return self.openings.ask(site, doors, reason, "la dame en bleu", by)

    def refused(self, *doors: str, by: Visitor = ASKER, reason: str = "repair", site: str = "gambetta") -> str:
        with pytest.raises(Refused) as refused:
            self.openings.ask(site, doors, reason, "", by)
        return refused.value.code

    def row(self, opening: str) -> OpeningRow:
        row = self.bench.reads.within(ASKER.scope).opening(opening)
        assert row is not None
        return row

    def steps(self, opening: str) -> list[Step]:
        return [door.step(self.bench.now_ms) for door in self.row(opening).doors]

    @property
    def commands(self) -> list[Command]:
        return [decode(Command, payload) for topic, payload in self.bench.link.said if topic.endswith("down/command")]

    def answer(self, command: Command, outcome: Outcome, reason: str = "") -> None:
        self.bench.hear(Reply(site="gambetta", id=command.id, verb="open", outcome=outcome, reason=reason))

    def pass_ms(self, passed_ms: int) -> None:
        self.bench.now_ms += passed_ms
        self.openings.look()


@pytest.fixture
def at(bench: Bench) -> Desk:
    return Desk(bench)


def audited(bench: Bench) -> list[tuple[object, ...]]:
    return bench.ask("SELECT actor, action, subject, reason FROM audit WHERE action LIKE 'opening%' ORDER BY seq")


def test_a_03_a_06_two_doors_one_after_the_other_with_every_word_of_the_site(at: Desk) -> None:
    opening = at.ask("7", "8")
    assert at.commands == [], "nothing is sent for one person"
    at.bench.now_ms += 700
    at.openings.agree(opening, SECOND)
    first = at.commands[0]
    assert (first.verb, first.compartment, first.session) == ("open", "7", "1")
    assert (first.actor, first.approver, first.reason) == ("person-11", "person-12", "recipient_waits")
    assert first.until_mono_ms == MONO_MS + 700 + DOOR_LIFE_MS
    assert first.expires_at_ms == at.bench.now_ms + DOOR_LIFE_MS
    at.answer(first, Outcome.ACCEPTED)
    assert at.steps(opening) == [Step.ACCEPTED, Step.NOT_SENT]
    at.pass_ms(2_000)
    assert len(at.commands) == 1, "one coil at a time"
    at.answer(first, Outcome.DONE)
    at.answer(first, Outcome.ACCEPTED)  # overtaken on its way
    at.pass_ms(PAUSE_MS - 1)
    assert len(at.commands) == 1
    at.pass_ms(1)
    second = at.commands[1]
    assert second.compartment == "8"
    at.answer(second, Outcome.FAILED, "not_seen_open")
    at.pass_ms(0)
    row = at.row(opening)
    assert (row.state, at.steps(opening)) == ("ended", [Step.SEEN_OPEN, Step.NOT_SEEN])
    assert row.doors[0].accepted_ms == row.doors[0].sent_ms
    assert audited(at.bench) == [
        ("claire", "opening_asked", "7, 8", "recipient_waits"),
        ("marc", "opening_approved", "7, 8", "recipient_waits"),
    ]


def test_a_03_nobody_agrees_with_themselves_twice_or_to_what_is_over(at: Desk) -> None:
    opening = at.ask("7")
    for by, code in ((ASKER, "same_person"), (STRANGER, "unknown_opening")):
        with pytest.raises(Refused) as refused:
            at.openings.agree(opening, by)
        assert refused.value.code == code
    at.openings.agree(opening, SECOND)
    for decide in (at.openings.agree, at.openings.decline):
        with pytest.raises(Refused) as refused:
            decide(opening, replace(SECOND, person=14))
        assert refused.value.code == "over"
    assert len(at.commands) == 1


def test_a_03_a_wish_ends_by_a_no_by_its_own_person_and_by_time(at: Desk) -> None:
    declined = at.ask("7")
    at.openings.decline(declined, SECOND)
    withdrawn = at.ask("7")
    assert at.refused("8", by=SECOND) == "waiting"
    at.openings.decline(withdrawn, ASKER)
    lapsed = at.ask("7")
    assert at.bench.reads.within(SECOND.scope).openings_waiting(SECOND.person, 0) == 1
    assert at.bench.reads.within(ASKER.scope).openings_waiting(ASKER.person, 0) == 0
    at.pass_ms(WISH_LIFE_MS)
    at.heard()
    with pytest.raises(Refused):
        at.openings.agree(lapsed, SECOND)
    assert [at.row(one).state for one in (declined, withdrawn, lapsed)] == ["declined", "withdrawn", "lapsed"]
    assert [line[1] for line in audited(at.bench)][1::2] == ["opening_refused", "opening_withdrawn"]
    assert at.commands == []
    at.ask("8")


def test_a_04_nothing_is_asked_of_a_site_that_is_not_heard_and_nothing_waits_for_it(at: Desk) -> None:
    opening = at.ask("7")
    at.bench.now_ms += 100_000
    assert at.refused("8", site="belleville") == "bad_doors", "it never described its bank"
    with pytest.raises(Refused) as refused:
        at.openings.agree(opening, SECOND)
    assert refused.value.code == "not_heard"
    at.heard()
    at.bench.hear(Presence(site="gambetta", boot=2, status=PresenceStatus.READY, at_ms=at.bench.now_ms))
    with pytest.raises(Refused):
        at.openings.agree(opening, SECOND)
    at.heard(boot=2)
    at.bench.hear(Presence(site="gambetta", boot=2, status=PresenceStatus.STOPPING, at_ms=at.bench.now_ms))
    with pytest.raises(Refused):
        at.openings.agree(opening, SECOND)
    at.bench.hear(Presence(site="gambetta", boot=2, status=PresenceStatus.READY, at_ms=at.bench.now_ms))
    at.bench.link.is_connected = False
    with pytest.raises(Refused):
        at.openings.agree(opening, SECOND)
    at.bench.link.is_connected = True
    at.openings.agree(opening, SECOND)
    assert [command.session for command in at.commands] == ["2"]


def test_a_04_the_second_door_is_not_sent_once_it_took_too_long(at: Desk) -> None:
    opening = at.ask("7", "8")
    at.openings.agree(opening, SECOND)
    at.answer(at.commands[0], Outcome.DONE)
    at.bench.link.is_connected = False
    at.pass_ms(AGREED_LIFE_MS - 1)
    assert at.row(opening).state == "agreed"
    at.pass_ms(1)
    at.bench.link.is_connected = True
    at.pass_ms(PAUSE_MS)
    assert (at.row(opening).state, len(at.commands)) == ("ended", 1)


def test_a_05_a_reply_that_was_lost_is_told_by_the_journal_and_a_silence_is_told_until_then(at: Desk) -> None:
    opening = at.ask("7", "8")
    at.openings.agree(opening, SECOND)
    command = at.commands[0]
    at.pass_ms(DOOR_LIFE_MS + SILENT_AFTER_MS)
    assert (at.row(opening).state, at.steps(opening)) == ("ended", [Step.SILENT, Step.NOT_SENT])
    journal = Journal("gambetta")
    journal.write(
        CommandAnswered(id=command.id, verb="open", outcome="accepted"),
        CommandAnswered(id=command.id, verb="open", outcome="done"),
        CommandAnswered(id=command.id, verb="open", outcome="a word of a newer site, and a long one"),
    )
    at.bench.hear(journal.batch(1, 3))
    at.pass_ms(PAUSE_MS)
    assert at.steps(opening) == [Step.SEEN_OPEN, Step.NOT_SENT]
    assert len(at.commands) == 1, "what ended is not taken up again"


def test_a_05_what_the_broker_did_not_take_is_told_at_once(at: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    opening = at.ask("7")
    monkeypatch.setattr(at.bench.link, "publish", lambda *_topic, **_how: False)
    at.openings.agree(opening, SECOND)
    assert at.steps(opening) == [Step.REFUSED]
    assert at.row(opening).doors[0].answer == "not_published"
    monkeypatch.undo()
    at.pass_ms(0)
    assert at.row(opening).state == "ended"
    at.ask("7")  # what never left counts against nobody


def test_a_05_two_processes_that_look_at_once_send_a_door_once(at: Desk) -> None:
    opening = at.ask("7")
    at.openings.agree(opening, SECOND)
    twin = Openings(
        store=at.bench.store, keys=at.bench.keys, live=at.bench.live, link=at.bench.link, clock=at.bench.clock
    )
    twin.look()
    at.openings.look()
    twin.advance("nothing of that name")
    assert len(at.commands) == 1


def test_a_06_no_wish_for_several_sites_for_three_doors_or_for_more_than_the_budget(at: Desk) -> None:
    assert at.refused("7", "8", "9") == "bad_doors"
    assert at.refused() == "bad_doors"
    assert at.refused("99") == "bad_doors"
    assert at.refused("7", reason="because") == "no_reason"
    assert at.refused("7", by=STRANGER) == "unknown_site"
    assert at.refused("7", site="nowhere") == "unknown_site"
    opening = at.ask("7", "7")
    at.openings.agree(opening, SECOND)
    at.answer(at.commands[0], Outcome.DONE)
    at.pass_ms(0)
    assert at.refused("8", "9") == "budget_site"
    again = at.ask("8")
    at.openings.agree(again, SECOND)
    at.answer(at.commands[1], Outcome.REFUSED, "busy")
    at.pass_ms(0)
    third = at.ask("8")  # the site refused the one before: it counts against nobody
    at.openings.agree(third, SECOND)
    at.answer(at.commands[2], Outcome.DONE)
    at.pass_ms(0)
    assert at.refused("9") == "budget_site"
    at.pass_ms(WINDOW_MS)
    at.heard()
    at.ask("9")


def test_a_03_old_wishes_are_forgotten_with_their_commands(at: Desk) -> None:
    opening = at.ask("7")
    at.openings.agree(opening, SECOND)
    at.bench.now_ms += 91 * DAY_MS
    at.bench.housekeeping.erase()
    assert at.bench.ask("SELECT count(*) FROM opening_door") == at.bench.ask("SELECT count(*) FROM command") == [(0,)]
    assert at.bench.reads.within(ASKER.scope).openings() == ()


def test_a_04_a_word_of_the_site_that_cannot_be_read_opens_nothing(at: Desk) -> None:
    with at.bench.store.writing() as connection:
        connection.exec_driver_sql("UPDATE site_live SET health = NULL")
    assert at.refused("7") == "not_heard"
    with at.bench.store.writing() as connection:
        connection.exec_driver_sql("UPDATE site_live SET birth = NULL")
    assert at.refused("7") == "bad_doors"
