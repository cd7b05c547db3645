"""The tables and ingest on both databases, without a broker."""

from __future__ import annotations

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from msgspec import structs

from hub.core.moment import OFFLINE_AFTER_MS
from hub.core.parcels import Refused, new_parcel
from hub.core.permissions import Role
from hub.intake import REBIRTH_PAUSE_MS
from hub.people.services import TRIES_BURST, Door
from hub.sites.planner import REPEAT_MS
from hub.store.migrate import migrate
from hub.store.schema import METADATA
from tests.hub.hub_bench import DAY_MS, ME, Bench, rebirths
from tests.hub.hub_site import AT_MS, Journal, life, life_of
from wire import facts
from wire.ids import Door as DoorState
from wire.ids import (
    IdentityCheck,
    Label,
    Occupancy,
    ParcelId,
    ReachZone,
    Service,
    SizeClass,
    Trust,
)
from wire.messages import (
    Birth,
    CompartmentCard,
    CompartmentState,
    Health,
    Presence,
    PresenceStatus,
    SiteState,
    decode,
)
from wire.plan import Plan


def test_migrations_build_the_same_tables_as_the_models(bench: Bench) -> None:
    with bench.store.reading() as connection:
        ours = {"include_name": lambda name, kind, _parents: kind != "table" or not name.startswith("fact_")}
        assert compare_metadata(MigrationContext.configure(connection, opts=ours), METADATA) == []


def test_migrating_twice_changes_nothing(bench: Bench) -> None:
    migrate(bench.store)
    assert bench.ask("SELECT version_num FROM alembic_version") == [("0017",)]


def test_a_fact_its_projection_its_message_and_the_cursor_are_one_transaction(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.store import ingest

    parcel = bench.announce(site="gambetta", phone="0612345678")
    journal = Journal("gambetta")
    journal.write(*life(parcel, ends=False, source="plan"))

    def broken(*_all: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "replan", broken)
        with pytest.raises(OSError, match="disk full"):
            bench.hear(journal.batch(1, 5))
    assert bench.ask("SELECT (SELECT count(*) FROM fact), (SELECT count(*) FROM message)") == [(0, 0)]
    assert (bench.link.acknowledged, bench.acks()) == ([], [])
    bench.hear(journal.batch(1, 5))
    assert bench.ask("SELECT state, place_name FROM parcel") == [("stored", "7")]
    assert bench.ask("SELECT kind, state FROM message") == [("ready", "waiting")]
    assert (bench.link.acknowledged, bench.acks()) == ([1], [(1000, 5)])


def test_a_site_that_goes_on_behind_a_gap_is_told_how_far_the_hub_is(bench: Bench) -> None:
    """A hub put back from an older copy, whose first word was lost: only its word in its own incarnation rewinds the site."""
    journal = Journal("gambetta")
    journal.write(*life(ParcelId("0000000000001")))
    bench.hear(journal.batch(1, 3))
    bench.hear(journal.batch(6, 9))
    assert bench.acks() == [(1000, 3), (1000, 3)]
    assert bench.ask("SELECT kind, cleared_ms FROM alert") == [("gap", None)]
    bench.hear(journal.batch(4, 9))
    assert bench.acks()[-1] == (1000, 9)


def test_a_site_that_no_rebirth_helps_is_asked_ever_more_rarely(bench: Bench) -> None:
    """What it lacks may be pruned: asked every few seconds, it would fill its own card with answers."""
    journal = Journal("gambetta")
    journal.write(*life_of(1), *life_of(2), *life_of(3))
    bench.hear(
        Birth(site="gambetta", boot=1, journal=journal.name, version="0", board="demo", compartments=()),
        journal.batch(1, 3),
    )
    for _minute in range(24 * 60):
        bench.now_ms += 60_000
        bench.hear(journal.batch(6, 9))
    assert 24 <= rebirths(bench) <= 24 + 10
    bench.hear(journal.batch(4, 9))
    before = rebirths(bench)
    bench.now_ms += REBIRTH_PAUSE_MS
    bench.hear(journal.batch(12, 13))
    assert rebirths(bench) == before + 1, "what was sent last time was taken: the next gap is a new one"


def test_a_site_that_says_how_it_feels_is_there_whatever_its_will_said(bench: Bench) -> None:
    """The will of a broken connection can arrive after the word of the next one, which may itself be lost."""

    def presence() -> object:
        return bench.ask("SELECT presence FROM site_live WHERE site = 1")[0][0]

    feels = Health(site="gambetta", boot=2, at_ms=1, uptime_ms=1, outbox=0)
    bench.hear(feels)
    assert presence() == "ready", "its first word was lost"
    bench.hear(Presence(site="gambetta", status=PresenceStatus.LOST, boot=2))
    bench.now_ms += 120_000
    bench.housekeeping.look()
    assert bench.ask("SELECT kind, cleared_ms FROM alert") == [("site_offline", None)]
    bench.hear(structs.replace(feels, boot=1))
    assert presence() == "lost", "an earlier start proves nothing"
    bench.hear(feels)
    assert presence() == "ready"
    assert bench.ask("SELECT kind FROM alert WHERE cleared_ms IS NULL") == []
    bench.hear(Presence(site="gambetta", status=PresenceStatus.STOPPING, boot=2))
    bench.hear(feels)
    assert presence() == "stopping", "what it said last before it stopped on purpose may come late"


def test_a_site_that_falls_silent_without_a_will_is_missed_too(bench: Bench) -> None:
    """Its line may be dead and the broker not know it: three heartbeats are enough, once the hub itself has listened that long."""
    bench.hear(Presence(site="gambetta", status=PresenceStatus.READY, boot=1))
    bench.housekeeping.look()
    bench.now_ms += OFFLINE_AFTER_MS + 1
    bench.link.is_connected = False
    bench.housekeeping.look()
    bench.link.is_connected = True
    bench.housekeeping.look()
    assert bench.ask("SELECT kind FROM alert") == [], "it was the hub that did not listen"
    bench.now_ms += OFFLINE_AFTER_MS
    bench.housekeeping.look()
    assert bench.ask("SELECT site, kind FROM alert") == [("gambetta", "site_offline")]
    bench.hear(Health(site="gambetta", boot=1, at_ms=1, uptime_ms=1, outbox=0))
    assert bench.ask("SELECT kind FROM alert WHERE cleared_ms IS NULL") == []


def test_what_is_sent_again_changes_nothing_and_is_acked_again(bench: Bench) -> None:
    journal = Journal("gambetta")
    parcel = ParcelId("0000000000001")
    journal.write(*life(parcel))
    bench.hear(journal.batch(1, 9), journal.batch(1, 4))
    before = bench.ask("SELECT * FROM parcel")
    bench.hear(journal.batch(3, 9))
    assert bench.ask("SELECT * FROM parcel") == before
    assert bench.acks() == [(1000, 9), (1000, 9)]
    assert bench.ask("SELECT count(*) FROM fact") == [(9,)]


def test_one_site_cannot_change_the_parcel_of_another(bench: Bench) -> None:
    parcel = bench.announce(site="gambetta")
    journal = Journal("belleville")
    journal.write(*life(parcel, source="plan"))
    bench.hear(journal.batch(1, 9))
    assert bench.ask("SELECT state FROM parcel") == [("announced",)]
    assert bench.ask("SELECT DISTINCT kind FROM alert") == [("foreign_parcel",)]
    assert bench.ask("SELECT count(*) FROM fact") == [(9,)]


def test_a_late_will_of_an_earlier_boot_is_ignored(bench: Bench) -> None:
    bench.hear(Presence(site="gambetta", boot=2, status=PresenceStatus.READY))
    bench.hear(Presence(site="gambetta", boot=1, status=PresenceStatus.LOST))
    assert bench.ask("SELECT presence FROM site_live WHERE site = 1") == [("ready",)]
    bench.hear(Presence(site="gambetta", boot=2, status=PresenceStatus.LOST))
    assert bench.ask("SELECT presence FROM site_live WHERE site = 1") == [("lost",)]


def test_a_snapshot_that_contradicts_the_facts_is_an_alert_until_it_agrees(bench: Bench) -> None:
    journal = Journal("gambetta")
    parcel = ParcelId("0000000000001")
    journal.write(*life(parcel, ends=False))

    def snapshot(occupancy: Occupancy) -> SiteState:
        box = CompartmentState(
            label=Label("7"), occupancy=occupancy, service=Service.IN_SERVICE, door=DoorState.CLOSED, parcel=parcel
        )
        return SiteState(site="gambetta", boot=1, seq=5, at_ms=AT_MS, trust=Trust.NTP, compartments=(box,))

    bench.hear(journal.batch(1, 5), snapshot(Occupancy.UNKNOWN))
    assert bench.ask("SELECT kind FROM alert WHERE cleared_ms IS NULL") == [("views_differ",)]
    bench.hear(snapshot(Occupancy.OCCUPIED))
    assert bench.ask("SELECT kind FROM alert WHERE cleared_ms IS NULL") == []


def test_a_new_bank_of_which_no_fact_has_spoken_yet_is_no_contradiction(bench: Bench) -> None:
    journal = Journal("gambetta")
    journal.write(facts.SiteStarted(boot=1, version="0", board="demo", clean=True))
    card = CompartmentCard(label=Label("7"), size=SizeClass.M, reach=ReachZone.MID, height_mm=900, row=0, column=0)
    box = CompartmentState(
        label=Label("7"), occupancy=Occupancy.FREE, service=Service.IN_SERVICE, door=DoorState.CLOSED, parcel=None
    )
    said = Birth(site="gambetta", boot=1, journal=journal.name, version="0", board="demo", compartments=(card,))
    bench.hear(said, journal.batch(1, 1))
    bench.hear(SiteState(site="gambetta", boot=1, seq=1, at_ms=AT_MS, trust=Trust.NTP, compartments=(box,)))
    assert bench.ask("SELECT kind FROM alert") == []


def test_a_site_that_knows_a_newer_incarnation_makes_the_hub_speak_with_a_newer_one(bench: Bench) -> None:
    journal = Journal("gambetta")
    journal.write(facts.PlanApplied(incarnation=5000, revision=3, hash="00"))
    bench.hear(journal.batch(1, 1))
    assert (bench.incarnation.value, bench.link.rejoined) == (5001, 1)
    assert bench.ask("SELECT value FROM hub_meta WHERE key = 'incarnation'") == [("5001",)]
    assert bench.acks() == [(5001, 1)]


def test_a_plan_keeps_its_revision_while_nothing_is_wanted_anew(bench: Bench) -> None:
    first = bench.planner.build("gambetta")
    again = bench.planner.build("gambetta")
    bench.desk.announce(new_parcel(site="gambetta", tracking="8N00234584108"), ME)
    then = bench.planner.build("gambetta")
    assert first is not None
    assert again is not None
    assert then is not None
    assert [plan.revision for plan in (first, again, then)] == [1, 1, 2]
    assert [len(plan.parcels) for plan in (first, again, then)] == [0, 0, 1]


def test_plans_are_published_only_for_sites_whose_wishes_changed(bench: Bench) -> None:
    bench.planner.look()
    bench.link.said.clear()
    bench.desk.announce(new_parcel(site="belleville"), ME)
    bench.planner.look()
    bench.planner.look()
    assert [topic for topic, _payload in bench.link.said] == ["consigne/1/belleville/down/plan"]
    assert len(decode(Plan, bench.link.said[0][1]).parcels) == 1


def test_a_plan_that_its_site_does_not_follow_is_said_again_now_and_then(bench: Bench) -> None:
    """A broker that lost it, and a line that never broke: nobody else would ever say it again (I-17)."""

    def said() -> list[str]:
        topics_, bench.link.said[:] = [topic.split("/")[2] for topic, _ in bench.link.said], []
        return topics_

    def applies(plan: Plan) -> facts.PlanApplied:
        return facts.PlanApplied(
            incarnation=plan.incarnation, revision=plan.revision, hash=plan.hash, upserted=(), dropped=()
        )

    journal = Journal("gambetta")
    bench.hear(Presence(site="gambetta", status=PresenceStatus.READY, boot=1, at_ms=1))
    bench.planner.look()
    assert sorted(said()) == ["belleville", "gambetta"]
    plan = bench.planner.build("gambetta")
    assert plan is not None
    bench.now_ms += REPEAT_MS - 1
    bench.planner.look()
    assert said() == []
    bench.now_ms += 1
    bench.planner.look()
    bench.planner.look()
    assert said() == ["gambetta"], "belleville is not there"
    journal.write(facts.PlanRefused(incarnation=1000, revision=1, reason="hash"))
    bench.hear(journal.batch(1, 1))
    said()
    bench.now_ms += REPEAT_MS
    bench.planner.look()
    assert said() == [], "a plan that was refused is not made better by saying it again"
    journal.write(applies(plan))
    bench.hear(journal.batch(2, 2))
    said()
    bench.now_ms += REPEAT_MS
    bench.planner.look()
    assert said() == []


def test_c_30_a_recipient_who_can_be_reached_is_told_once_that_somebody_came_with_their_mandate(bench: Bench) -> None:
    parcel = bench.announce(site="gambetta", phone="0612345678")
    silent = bench.announce(site="gambetta", tracking="8N00234584109")
    journal = Journal("gambetta")
    journal.write(
        *life(parcel, ends=False, source="plan"),
        facts.MandateIssued(parcel=parcel, number=1, by="p1", identity=IdentityCheck.DOCUMENT),
        facts.CollectionDelegated(parcel=parcel, number=1, session="1.2"),
        facts.CollectionDelegated(parcel=parcel, number=1, session="1.2"),
        facts.CollectionDelegated(parcel=silent, number=1, session="1.3"),
    )
    bench.hear(journal.batch(1, 9))
    bench.sender.send_due()
    told = [message for message in bench.driver.sent if message.kind == "delegated"]
    assert [(message.id, message.to) for message in told] == [(f"{parcel}:delegated/1", "0612345678")]
    assert "une autre personne" in told[0].text
    assert not any(character.isdigit() for character in told[0].text), "no code, no number of anybody"


def test_a_refused_message_is_tried_again_under_the_same_key(bench: Bench) -> None:
    parcel = bench.announce(site="gambetta", phone="0612345678")
    journal = Journal("gambetta")
    journal.write(*life(parcel, source="plan", ends=False))
    bench.hear(journal.batch(1, 5))
    bench.driver.refusals = 1
    bench.sender.send_due()
    assert (bench.driver.sent, bench.sender.send_due()) == ([], 0)
    assert bench.ask("SELECT state, problem FROM message") == [("waiting", "phone: refused")]
    bench.now_ms += 60_000
    bench.sender.send_due()
    bench.now_ms += DAY_MS
    bench.sender.send_due()
    assert [message.id for message in bench.driver.sent] == [f"{parcel}:ready"]
    assert bench.ask("SELECT kind, state, attempts, told, problem FROM message") == [("ready", "sent", 2, "phone", "")]


def test_a_code_that_opens_nothing_any_more_is_not_sent(bench: Bench) -> None:
    parcel = bench.announce(site="gambetta", phone="0612345678")
    journal = Journal("gambetta")
    journal.write(*life(parcel, source="plan"))
    bench.hear(journal.batch(1, 9))
    bench.sender.send_due()
    assert [message.id for message in bench.driver.sent] == [f"{parcel}:collected"]
    assert bench.ask("SELECT kind, state, problem FROM message ORDER BY kind") == [
        ("collected", "sent", ""),
        ("ready", "unsent", "overtaken"),
    ]


def test_recipients_are_erased_within_thirty_days_and_the_chain_stays(bench: Bench) -> None:
    parcel = bench.announce(site="gambetta", name="Awa", phone="0612345678")
    journal = Journal("gambetta")
    journal.write(*life(parcel, source="plan"))
    bench.hear(journal.batch(1, 9))
    keeping = bench.housekeeping
    bench.now_ms = AT_MS + 29 * DAY_MS
    assert keeping.erase() == 0
    bench.now_ms = AT_MS + 30 * DAY_MS
    assert keeping.erase() == 1
    assert bench.ask("SELECT count(*) FROM contact") == [(0,)]
    last: Any = bench.ask("SELECT hash FROM fact WHERE seq = 9")[0][0]
    assert bytes(last).hex() == journal.hashes[9]


def test_a_number_that_is_at_the_site_already_is_not_announced_twice(bench: Bench) -> None:
    bench.desk.announce(new_parcel(site="gambetta", tracking="8N00234584108"), ME)
    with pytest.raises(Refused) as refused:
        bench.desk.announce(new_parcel(site="gambetta", tracking="8n 0023 4584 108"), ME)
    assert refused.value.code == "duplicate"


def test_a_parcel_that_was_collected_gets_no_new_slip(bench: Bench) -> None:
    parcel = bench.announce(site="gambetta")
    assert bench.desk.reissue(parcel, ME) == 2
    journal = Journal("gambetta")
    journal.write(*life(parcel, source="plan"))
    bench.hear(journal.batch(1, 9))
    assert bench.ask("SELECT version FROM parcel") == [(2,)]
    with pytest.raises(Refused) as refused:
        bench.desk.reissue(parcel, ME)
    assert refused.value.code == "not_here"


def test_a_session_ends_by_signing_out_and_by_time_and_guesses_are_counted(bench: Bench) -> None:
    door = Door(bench.store, bench.keys, bench.clock)
    door.add_person("claire", Role.AUDITOR, "ten letters long")
    cookie = door.sign_in("claire", "ten letters long")
    assert cookie is not None
    visitor = door.visitor_of(cookie)
    assert visitor is not None
    assert (visitor.name, visitor.role) == ("claire", "auditor")
    assert door.visitor_of(cookie[:-1] + ("0" if cookie[-1] != "0" else "1")) is None
    bench.now_ms += DAY_MS
    assert door.visitor_of(cookie) is None
    for _guess in range(TRIES_BURST):
        assert door.sign_in("claire", "a wrong guess") is None
    assert door.sign_in("claire", "ten letters long") is None
    bench.now_ms += 30_000
    fresh = door.sign_in("claire", "ten letters long")
    assert fresh is not None
    door.sign_out(fresh)
    assert door.visitor_of(fresh) is None
