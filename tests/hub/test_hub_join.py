"""One parcel known twice, at the hub (ADR 0007): created at the desk, announced under the same number, joined by its site."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from msgspec import structs

from hub.core.join import Wishes, taken_over
from hub.core.moment import Moment
from hub.core.parcels import AlreadyHere, Refused, new_parcel
from hub.core.project import Joined, KeyRaised, ParcelRecord, Placed, Planned, Source, evolve, join, project
from tests.hub.hub_bench import ME, Bench, answer
from tests.hub.hub_site import AT_MS, Journal, life
from wire import facts
from wire.facts import AnyFact, Place
from wire.ids import ParcelId, ParcelState, PlaceKind, ReachZone, SizeClass, Trust, parcel_id_from_bits
from wire.messages import Birth, Health
from wire.plan import Help, Intent, PlannedParcel

NUMBER = "8N00234584108"
DESK = parcel_id_from_bits(77)
LATER = parcel_id_from_bits(5)
MOMENT = Moment(1, AT_MS, Trust.NTP, AT_MS + 5_000)

# ------------------------------------------------------------------------------------------------------------ the rules


def record(parcel: ParcelId, **more: object) -> ParcelRecord:
    made = ParcelRecord(
        parcel, site=1, state=ParcelState.ANNOUNCED, source=Source.PLAN, created_ms=AT_MS, changed_ms=AT_MS
    )
    return replace(made, **more)  # type: ignore[arg-type]


ANNOUNCED = record(LATER, tracking=NUMBER, version=2)
HERE = record(DESK, tracking=NUMBER, source=Source.DESK, state=ParcelState.STORED)
CHANGE = Joined(LATER, DESK)


def test_the_fact_joins_two_records_and_only_one_is_a_parcel_from_then_on() -> None:
    assert project(facts.ParcelJoined(parcel=LATER, into=DESK)) == (CHANGE,)
    joined = join(ANNOUNCED, HERE, CHANGE, MOMENT)
    assert joined is not None
    assert (joined.gives_way.joined_into, joined.gives_way.joined_version) == (DESK, 2)
    assert (joined.stays.state, joined.stays.source, joined.stays.joined_into) == ("stored", "desk", None)
    assert (joined.messages, joined.alerts) == (("ready",), ())
    assert join(joined.gives_way, joined.stays, CHANGE, MOMENT) is None, "once is enough"


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (ParcelState.RECEIVED, ()),
        (ParcelState.STORED, ("ready",)),
        (ParcelState.COLLECTING, ()),
        (ParcelState.DISPUTED, ()),
        (ParcelState.COLLECTED, ("collected",)),
        (ParcelState.REMOVED, ()),
    ],
)
def test_a_recipient_is_told_what_the_state_of_the_parcel_asks_for(state: ParcelState, told: tuple[str, ...]) -> None:
    joined = join(ANNOUNCED, replace(HERE, state=state), CHANGE, MOMENT)
    assert joined is not None
    assert (joined.messages, joined.stays.state) == (told, state)


def test_a_recall_of_either_is_a_recall_of_the_one() -> None:
    for announced, here in ((Intent.RECALL, Intent.HOLD), (Intent.HOLD, Intent.RECALL)):
        joined = join(replace(ANNOUNCED, intent=announced), replace(HERE, intent=here), CHANGE, MOMENT)
        assert joined is not None
        assert joined.stays.intent is Intent.RECALL


def test_what_a_site_would_not_join_is_not_joined_here() -> None:
    alone = replace(ANNOUNCED, state=ParcelState.STORED)
    elsewhere = replace(HERE, joined_into=parcel_id_from_bits(9))
    assert join(alone, HERE, CHANGE, MOMENT) is None
    assert join(ANNOUNCED, elsewhere, CHANGE, MOMENT) is None, "a chain of pointers has no end"
    assert join(ANNOUNCED, ANNOUNCED, Joined(LATER, LATER), MOMENT) is None


def test_a_database_that_knows_neither_makes_both_and_asks_a_person_to_look() -> None:
    joined = join(None, None, CHANGE, MOMENT)
    assert joined is not None
    assert (joined.gives_way.joined_into, joined.stays.source) == (DESK, "recovered")
    assert [(alert.kind, alert.subject) for alert in joined.alerts] == [("recovered", LATER), ("recovered", DESK)]


def test_a_second_key_grows_newer_and_nothing_else() -> None:
    joined = join(ANNOUNCED, HERE, CHANGE, MOMENT)
    assert joined is not None
    second = joined.gives_way
    assert evolve(second, KeyRaised(LATER, 2, 0), MOMENT) is None
    assert evolve(second, Planned(PlannedParcel(id=LATER, version=1)), MOMENT) is None
    newer = evolve(second, KeyRaised(LATER, 3, 0), MOMENT)
    assert newer is not None
    assert newer.parcel == replace(second, version=3, joined_version=3)
    assert (newer.messages, newer.alerts) == ((), ())


def test_a_parcel_that_a_site_handles_alone_after_all_is_one_again() -> None:
    joined = join(ANNOUNCED, HERE, CHANGE, MOMENT)
    assert joined is not None
    alone = evolve(joined.gives_way, Placed(LATER, Place(kind=PlaceKind.SHELF, name="E1")), MOMENT)
    assert alone is not None
    assert (alone.parcel.state, alone.parcel.joined_into, alone.replan) == ("stored", None, True)
    assert [alert.kind for alert in alone.alerts] == ["crossed"]


FULL = Wishes("colissimo", "L", "low", True, "g7", Intent.HOLD, "Awa Diallo", "0612345678", "ar", Help.BLIND)


def test_what_lacks_is_taken_and_what_is_there_is_kept() -> None:
    assert taken_over(Wishes(), FULL) == FULL
    assert taken_over(FULL, Wishes()) == FULL
    own = Wishes(size="S", name="Zoé", language="pt")
    assert taken_over(own, FULL) == replace(FULL, size="S", name="Zoé", language="pt")
    assert taken_over(replace(own, help=Help.DEAF), FULL).help is Help.DEAF


# ----------------------------------------------------------------------------------------------------- both databases


class Twice:
    """A site that created a parcel while its line was down, and the hub that announced it meanwhile."""

    def __init__(self, bench: Bench, **wish: object) -> None:
        self.bench = bench
        given = {"tracking": NUMBER, "name": "Awa Diallo", "phone": "0612345678"} | wish
        self.announced = bench.announce(site="gambetta", **given)
        self.journal = Journal("gambetta")

    def write(self, *new: AnyFact) -> None:
        self.journal.write(*new)

    def hear(self) -> None:
        """Everything there is, from the first fact on: the cursor leaves out what is known."""
        self.bench.hear(self.journal.batch(1, self.journal.last))

    def planned(self, version: int = 1) -> AnyFact:
        known = PlannedParcel(id=self.announced, version=version, tracking=NUMBER)
        return facts.PlanApplied(incarnation=1000, revision=1, hash="00", upserted=(known,))

    def joins(self) -> None:
        """The whole story, as far as the door."""
        self.write(*life(DESK, ends=False), self.planned(), facts.ParcelJoined(parcel=self.announced, into=DESK))
        self.hear()


def plan_of(bench: Bench) -> list[tuple[str, int]]:
    plan = bench.planner.build("gambetta")
    assert plan is not None
    return [(parcel.id, parcel.version) for parcel in plan.parcels]


def sent(bench: Bench) -> list[str]:
    bench.sender.send_due()
    return [message.id for message in bench.driver.sent]


def test_recipient_and_needs_move_to_the_parcel_that_is_there_and_it_is_told_once(bench: Bench) -> None:
    twice = Twice(bench, language="ar", help_profile=Help.BLIND, reach=ReachZone.LOW, size=SizeClass.M, group="g7")
    twice.joins()
    row = bench.reads.parcel(DESK)
    assert row is not None
    assert (row.name, row.phone, row.language, row.help) == ("Awa Diallo", "0612345678", "ar", Help.BLIND)
    assert (row.state, row.place_name, row.size, row.reach, row.also) == ("stored", "7", "M", "low", (twice.announced,))
    assert bench.ask("SELECT parcel FROM contact") == [(DESK,)]
    assert sent(bench) == [f"{DESK}:ready"]
    digits = bench.driver.sent[0].text
    twice.write(*life(DESK)[5:])
    twice.hear()
    assert sent(bench) == [f"{DESK}:ready", f"{DESK}:collected"]
    assert "رمزكم" in digits, "in the language of the recipient"


def test_a_parcel_that_is_stored_later_tells_its_recipient_then(bench: Bench) -> None:
    twice = Twice(bench)
    inside = life(DESK, ends=False)
    twice.write(inside[0], twice.planned(), facts.ParcelJoined(parcel=twice.announced, into=DESK))
    twice.hear()
    assert sent(bench) == []
    twice.write(*inside[1:])
    twice.hear()
    assert sent(bench) == [f"{DESK}:ready"]


def test_a_parcel_that_was_collected_meanwhile_says_so_and_is_in_nobodys_plan(bench: Bench) -> None:
    twice = Twice(bench)
    twice.write(*life(DESK), twice.planned(), facts.ParcelJoined(parcel=twice.announced, into=DESK))
    twice.hear()
    assert sent(bench) == [f"{DESK}:collected"]
    assert plan_of(bench) == []
    row = bench.reads.parcel(twice.announced)
    assert row is not None
    assert (row.id, row.state) == (DESK, "collected")


def test_whoever_was_told_already_is_not_told_again(bench: Bench) -> None:
    twice = Twice(bench)
    twice.write(*life(DESK, ends=False))
    twice.hear()
    with bench.store.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO message (parcel, kind, state, created_ms, due_ms, sent_ms)"
            f" VALUES ('{twice.announced}', 'ready', 'sent', 1, 1, 2)"
        )
    twice.write(twice.planned(), facts.ParcelJoined(parcel=twice.announced, into=DESK))
    twice.hear()
    assert bench.ask("SELECT parcel, kind, state, sent_ms FROM message") == [(DESK, "ready", "sent", 2)]
    assert sent(bench) == []


def test_a_recipient_the_parcel_has_already_is_kept(bench: Bench) -> None:
    twice = Twice(bench, phone="", name="Awa Diallo")
    twice.write(*life(DESK, ends=False))
    twice.hear()
    with bench.store.writing() as connection:
        connection.exec_driver_sql(f"UPDATE contact SET name = 'Zoé', phone = '0799999999' WHERE parcel = '{DESK}'")
    twice.write(twice.planned(), facts.ParcelJoined(parcel=twice.announced, into=DESK))
    twice.hear()
    assert bench.ask("SELECT parcel, name, phone FROM contact") == [(DESK, "Zoé", "0799999999")]


def test_the_announced_one_is_in_no_list_count_or_plan_and_every_id_leads_to_the_parcel(bench: Bench) -> None:
    twice = Twice(bench)
    twice.joins()
    assert [row.id for row in bench.reads.parcels()] == [DESK]
    for text in (NUMBER, twice.announced, DESK, "awa"):
        assert [row.id for row in bench.reads.parcels(text=text)] == [DESK]
    assert bench.reads.parcels(state=ParcelState.ANNOUNCED) == ()
    site = bench.reads.site("gambetta")
    assert site is not None
    assert site.inside == 1
    assert plan_of(bench) == [(DESK, 1)]
    for parcel in (twice.announced, DESK):
        row = bench.reads.parcel(parcel)
        assert row is not None
        assert row.id == DESK
        assert [moment.kind for moment in bench.reads.life_of(parcel)][-1] == "parcel_joined"
        assert [message.kind for message in bench.reads.messages(parcel=parcel)] == ["ready"]


def test_the_plan_names_the_announced_one_alone_until_its_site_has_joined_the_two(bench: Bench) -> None:
    twice = Twice(bench)
    twice.write(*life(DESK, ends=False))
    twice.hear()
    assert plan_of(bench) == [(twice.announced, 1)]
    twice.write(twice.planned(), facts.ParcelJoined(parcel=twice.announced, into=DESK))
    twice.hear()
    assert plan_of(bench) == [(DESK, 1)]


def test_facts_that_come_again_change_nothing(bench: Bench) -> None:
    twice = Twice(bench)
    twice.joins()
    tables = ("SELECT * FROM parcel ORDER BY id", "SELECT * FROM contact", "SELECT * FROM message")
    before = [bench.ask(query) for query in tables]
    twice.hear()
    assert [bench.ask(query) for query in tables] == before
    twice.write(*(facts.decode_fact(record.body) for record in twice.journal.records))  # the same story under new seqs
    twice.hear()
    again = [bench.ask(query) for query in tables]
    assert again[1:] == before[1:]
    states = [(row[0], row[-2], row[-1]) for row in before[0]]
    assert [(row[0], row[-2], row[-1]) for row in again[0]] == states


@pytest.mark.parametrize("joined_at", [1, 5, 9])
def test_the_story_cut_into_any_two_groups_ends_the_same(bench: Bench, joined_at: int) -> None:
    ends = set()
    for cut in range(10):
        announced = bench.announce(site="gambetta", tracking=f"{NUMBER}{cut}", phone="0612345678")
        here = parcel_id_from_bits(1_000 + cut)
        story = [of_parcel(fact, here) for fact in life(DESK)]
        story.insert(joined_at, facts.ParcelJoined(parcel=announced, into=here))
        journal = Journal("gambetta", f"journal-{cut}")
        journal.write(*story)
        with bench.store.writing() as connection:
            connection.exec_driver_sql("UPDATE site_cursor SET adopt = true WHERE site = 1")
        for first, last in pairwise((0, cut, journal.last)):
            if first < last:
                bench.hear(journal.batch(first + 1, last))
        told = bench.ask(f"SELECT kind FROM message WHERE parcel = '{here}' ORDER BY kind")
        row = bench.reads.parcel(announced)
        assert row is not None
        ends.add((row.id == here, row.state, row.phone, row.place_name, tuple(told)))
    told_of = {1: (("collected",), ("ready",)), 5: (("collected",), ("ready",)), 9: (("collected",),)}
    assert ends == {(True, ParcelState.COLLECTED, "0612345678", "", told_of[joined_at])}


def of_parcel(fact: AnyFact, parcel: ParcelId) -> AnyFact:
    """The same fact of another parcel."""
    return structs.replace(fact, parcel=parcel) if hasattr(fact, "parcel") else fact


def test_a_site_cannot_join_the_parcel_of_another(bench: Bench) -> None:
    foreign = bench.announce(site="belleville", tracking=NUMBER, phone="0612345678")
    journal = Journal("gambetta")
    journal.write(*life(DESK, ends=False), facts.ParcelJoined(parcel=foreign, into=DESK))
    bench.hear(journal.batch(1, 6))
    assert bench.ask("SELECT id FROM parcel WHERE joined_into IS NOT NULL") == []
    assert bench.ask("SELECT kind, subject FROM alert") == [("foreign_parcel", foreign)]
    assert bench.ask(f"SELECT phone FROM contact WHERE parcel = '{foreign}'") == [("0612345678",)]


@pytest.mark.parametrize("knows_the_plan", [True, False])
def test_a_database_older_than_the_announcement_learns_of_both_from_the_site(
    bench: Bench, *, knows_the_plan: bool
) -> None:
    journal = Journal("gambetta")
    planned = PlannedParcel(id=LATER, version=1, tracking=NUMBER)
    upserted = (planned,) if knows_the_plan else ()
    journal.write(
        *life(DESK, ends=False),
        facts.PlanApplied(incarnation=1000, revision=1, hash="00", upserted=upserted),
        facts.ParcelJoined(parcel=LATER, into=DESK),
    )
    bench.hear(journal.batch(1, 7))
    assert [(row.id, row.state) for row in bench.reads.parcels()] == [(DESK, "stored")]
    row = bench.reads.parcel(LATER)
    assert row is not None
    assert row.id == DESK
    assert bench.ask("SELECT kind, subject FROM alert") == [("recovered", LATER)]
    assert plan_of(bench) == [(DESK, 1)]


def test_a_new_slip_replaces_both_keys_and_the_plan_says_so_until_the_site_knows(bench: Bench) -> None:
    twice = Twice(bench)
    twice.joins()
    assert bench.desk.reissue(twice.announced, ME) == 2
    assert plan_of(bench) == sorted([(DESK, 2), (twice.announced, 2)])
    assert bench.desk.reissue(DESK, ME) == 3
    twice.write(twice.planned(version=3))
    twice.hear()
    assert plan_of(bench) == [(DESK, 3)]
    twice.write(*life(DESK)[5:])
    twice.hear()
    assert plan_of(bench) == []


def test_a_recall_by_either_id_is_one_recall(bench: Bench) -> None:
    twice = Twice(bench)
    twice.joins()
    bench.desk.recall(twice.announced, ME)
    assert bench.ask("SELECT id, intent FROM parcel ORDER BY intent") == [(twice.announced, "hold"), (DESK, "recall")]


def test_recipients_of_joined_parcels_are_erased_with_the_parcel(bench: Bench) -> None:
    twice = Twice(bench)
    twice.joins()
    twice.write(*life(DESK)[5:])
    twice.hear()
    keeping = bench.housekeeping
    bench.now_ms = AT_MS + 30 * 86_400_000
    assert keeping.erase() == 1
    assert bench.ask("SELECT count(*) FROM contact") == [(0,)]


# -------------------------------------------------------------------------------------- a number that is there already


def desk_parcel(bench: Bench, parcel: ParcelId = DESK) -> None:
    journal = Journal("gambetta")
    journal.write(*life(parcel, ends=False))
    bench.hear(journal.batch(1, 5))


def test_whoever_announces_what_is_there_without_a_recipient_gives_it_one(bench: Bench) -> None:
    desk_parcel(bench)
    wish = new_parcel(
        site="gambetta", tracking="8n 0023 4584 108", name="Awa", phone="0612345678", language="pt", size=SizeClass.M
    )
    answer = bench.desk.announce(wish, ME)
    assert (answer.parcel, answer.is_new) == (DESK, False)
    assert bench.ask("SELECT id, state, size FROM parcel") == [(DESK, "stored", "M")]
    assert bench.ask("SELECT name, phone, language FROM contact") == [("Awa", "0612345678", "pt")]
    assert sent(bench) == [f"{DESK}:ready"]
    assert plan_of(bench) == [(DESK, 1)]


def test_whoever_announces_what_has_a_recipient_is_told_where_it_is(bench: Bench) -> None:
    desk_parcel(bench)
    bench.desk.announce(new_parcel(site="gambetta", tracking=NUMBER, name="Awa"), ME)
    for wish in (
        new_parcel(site="gambetta", tracking=NUMBER, name="Zoé"),
        new_parcel(site="gambetta", tracking=NUMBER),
    ):
        with pytest.raises(AlreadyHere) as refused:
            bench.desk.announce(wish, ME)
        assert refused.value.code == "duplicate"
        assert str(refused.value) == (
            f"tracking: this parcel is known at the site already: stored, compartment 7 (id {DESK})"
        )
    assert bench.ask("SELECT name FROM contact") == [("Awa",)]


def test_a_number_whose_parcel_has_left_or_lies_at_another_site_is_announced_anew(bench: Bench) -> None:
    journal = Journal("gambetta")
    journal.write(*life(DESK))
    bench.hear(journal.batch(1, 9))
    bench.announce(site="gambetta", tracking=NUMBER, phone="0612345678")
    bench.announce(site="belleville", tracking=NUMBER, phone="0612345678")
    assert bench.ask("SELECT count(*) FROM parcel") == [(3,)]
    for site, again in (("gambetta", True), ("belleville", False)):
        plan = bench.planner.build(site)
        assert plan is not None
        assert [parcel.again for parcel in plan.parcels] == [again], "its site joins it to nothing that has left"


def test_a_hub_that_was_put_back_learns_from_the_site_that_a_parcel_comes_again(bench: Bench) -> None:
    journal = Journal("gambetta")
    known = PlannedParcel(id=parcel_id_from_bits(9), version=1, tracking=NUMBER, again=True)
    journal.write(facts.PlanApplied(incarnation=1, revision=1, hash="00", upserted=(known,)))
    bench.hear(journal.batch(1, 1))
    plan = bench.planner.build("gambetta")
    assert plan is not None
    assert [(parcel.id, parcel.again) for parcel in plan.parcels] == [(known.id, True)]


def test_two_records_of_one_number_are_no_reason_for_a_third(bench: Bench) -> None:
    announced = bench.announce(site="gambetta", tracking=NUMBER, name="Awa")
    desk_parcel(bench)
    with pytest.raises(Refused, match=DESK):
        bench.desk.announce(new_parcel(site="gambetta", tracking=NUMBER, name="Zoé"), ME)
    assert sorted(bench.ask("SELECT id FROM parcel")) == sorted([(announced,), (DESK,)])


def test_who_goes_on_from_an_older_card_is_not_described_by_what_the_newer_one_said(bench: Bench) -> None:
    """This hub was put back from before both, and sees no fork: the site's answer refutes the description (ADR 0009)."""
    newer, older = Journal("gambetta"), Journal("gambetta")
    for journal in (newer, older):
        journal.write(facts.SiteStarted(boot=1, version="0", board="demo", clean=True))
    newer.write(*(facts.SiteStarted(boot=boot, version="0", board="demo", clean=True) for boot in (2, 3)))
    older.write(*(facts.SiteStarted(boot=boot, version="0", board="demo", clean=False) for boot in (2, 2, 2)))
    bench.hear(newer.batch(1, 1))
    said = Birth(site="gambetta", boot=7, journal=newer.name, version="0", board="demo", compartments=())
    bench.hear(structs.replace(said, last_seq=3, last_hash=newer.hashes[3]))
    bench.hear(older.batch(2, 4, boot=5))
    shown = "SELECT boot, birth IS NULL FROM site_live WHERE site = 1"
    assert bench.ask(shown) == [(7, 0)], "a batch that is only late proves nothing"
    bench.hear(Health(site="gambetta", boot=5, at_ms=1, uptime_ms=1, outbox=0))
    older.write(answer(bench))
    bench.hear(older.batch(5, 5, boot=5))
    assert bench.ask(shown) == [(5, 1)]
